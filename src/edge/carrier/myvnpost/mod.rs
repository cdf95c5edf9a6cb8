//! Room `edge::carrier`: adapter.
