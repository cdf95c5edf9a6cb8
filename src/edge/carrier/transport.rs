//! Room `edge::carrier`: the one place that calls operators.
