//! Room `domain`: phone.
