//! Room `stage`.
