//! Room `domain`: `tracking_number`.
