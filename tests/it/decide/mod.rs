//! People's decisions about shipments, on both databases, with an operator on loopback.
//!
//! In: a gateway set up by `setup`. Out: red when a decision does more or less than it says. Deliberately not here: acts
//! with paper at the desk, and pages.

mod commands;
mod corrections;
mod doubts;
mod lists;
mod outcomes;
mod papers;
mod second;
mod seed;
mod setup;
