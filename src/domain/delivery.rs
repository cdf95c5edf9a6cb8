//! Room `domain`: delivery.
