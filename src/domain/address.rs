//! Room `domain`: address.
