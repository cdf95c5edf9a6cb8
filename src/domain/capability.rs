//! Room `domain`: capability.
