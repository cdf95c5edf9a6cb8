//! What an administrator brings in by file, on both databases: dossiers, the set-up, units, keys.
//!
//! In: files as people make them, the stage's own doors, and the real program. Out: red when a row, a refusal, a journal
//! entry or an exit code is not as promised. Deliberately not here: reading single cells (beside the code).

mod commands;
mod files;
mod place;
mod refusals;
mod setup;
