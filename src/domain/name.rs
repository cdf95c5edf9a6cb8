//! Room `domain`: name.
