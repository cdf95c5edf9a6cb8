//! Stage feed against real receivers on loopback, on both databases.
//!
//! In: changes of dossiers, receivers that behave badly, a clock that only the test moves. Out: red when an event is
//! lost, overtaken, altered or sent where it may not go, or when one receiver's trouble is another's.

mod commands;
mod order;
mod outcome;
mod people;
mod receiver;
mod setup;
