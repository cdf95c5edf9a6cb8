//! Room `domain`: retry.
