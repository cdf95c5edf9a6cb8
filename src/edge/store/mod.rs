//! Room `edge::store`.
