//! Room `domain`: calendar.
