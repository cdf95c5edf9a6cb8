//! The tests that need more than one room, in one binary: `support` and a module per stage, page group or contract.
//!
//! In: the library as a user sees it, a SQLite file, a PostgreSQL that `support::postgres` starts. Out: red or green.
//! Deliberately not here: rules about the shape of the code (`tests/architecture.rs`).

#[cfg(test)]
mod audit;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod import;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod report;
#[cfg(test)]
mod road;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tracking;
#[cfg(test)]
mod units;
