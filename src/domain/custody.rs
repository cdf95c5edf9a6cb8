//! Room `domain`: custody.
