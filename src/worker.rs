//! Room `worker`: which tick runs when.
