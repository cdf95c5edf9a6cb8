//! Room `domain`: what is true about the post and the dossier.
//!
//! Pure and synchronous. What comes in are values, what goes out are values: no I/O, no clock, no randomness
//! (the traits of those ports are declared here, their makers live in `app`). Deliberately not here: SQL, HTTP,
//! wire formats of operators, text shown to people.

pub mod address;
pub mod addressee;
pub mod calendar;
pub mod capability;
pub mod custody;
pub mod delivery;
pub mod dossier;
pub mod dossier_code;
pub mod event;
pub mod fault;
pub mod id;
pub mod journal;
pub mod money;
pub mod name;
#[cfg(test)]
mod orders;
pub mod phone;
pub mod retry;
pub mod role;
pub mod secret;
pub mod short_number;
pub mod stopping;
pub mod time;
pub mod tracking_number;
