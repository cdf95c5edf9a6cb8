//! Room `domain`: journal.
