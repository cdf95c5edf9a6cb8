//! Room `app`.

pub mod demo;

use std::process::ExitCode;

/// Runs one command line and says how it went.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
