//! Room `app::demo`: a real quarter of a real city on one command.

mod dice;
pub mod figures;
mod people;
mod places;
mod plan;
