//! Room `domain`: `short_number`.
