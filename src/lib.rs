//! hoibao, *hồi báo*: "to report back".
//!
//! A postal delivery integration gateway for Vietnam's one-stop public-service centres. The road, from a
//! registered postal return to a dossier marked returned, is drawn in ARCHITECTURE.md; the modules below are
//! its rooms, declared from the ground up. Imports point down only, which `tests/architecture.rs` holds.

pub mod domain;
pub mod edge;
pub mod simulator;
pub mod stage;
pub mod web;
pub mod worker;

pub mod app;
