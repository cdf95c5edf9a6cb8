//! Room `domain`: secret.
