//! The auditor's tool on both databases: a world in which everything happened agrees with its journal, and every kind of
//! change made beside the gateway is found.
//!
//! In: a world written through the stages, and raw statements of somebody with access to the database. Out: red when a
//! sound world is doubted or a changed one is not. Deliberately not here: a signed log.

mod bytes;
mod clean;
mod command;
mod tamper;
pub(crate) mod world;
