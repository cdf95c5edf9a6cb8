//! What the tests of this binary share.
//!
//! Deliberately not here: assertions about a single stage.

pub(crate) mod app;
pub(crate) mod postgres;

mod postgres_test;
