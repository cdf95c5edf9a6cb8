//! Intake and dossier records through the JSON API, on both databases.
//!
//! In: requests as a dossier system sends them. Out: red when an answer, a row or a journal entry is not as promised.
//! Deliberately not here: dispatch.

mod cancel;
mod doors;
mod dossiers;
mod register;
mod setup;
