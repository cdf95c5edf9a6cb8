//! Room `stage`, import: what comes in by file: dossiers of a system, the installation's set-up, administrative units.
//!
//! In: bytes. Out: rows as every other door writes them, or every fault by its place. Deliberately not here: the command
//! line, opening files, and words for people (`app`).

pub mod dossiers;
pub mod setup;
pub mod units;
