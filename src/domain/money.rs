//! Room `domain`: money.
