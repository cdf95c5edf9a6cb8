//! Room `app`: the composition root.
//!
//! In: a command line. Out: an exit code, and a process made of the other rooms' parts. Only here are parts chosen, the
//! machine's clock read, signals heard, and any error type accepted. Deliberately not here: anything about the post.

pub mod command;
pub mod compose;
pub mod config;
pub mod demo;
pub mod door;
pub mod jobs;
pub mod key_file;
pub mod lifecycle;
pub mod ports;
pub mod readiness;
pub mod telemetry;

use clap::Parser as _;
use config::ConfigError;
use std::io::{self, Write};
use std::process::ExitCode;

/// The thing asked about is wrong, or the work failed.
pub const EXIT_FAILURE: u8 = 1;
/// The configuration cannot be used. (2 is a command line that cannot be read, which clap says itself.)
pub const EXIT_CONFIG: u8 = 3;

/// Runs one command line and says how it went.
pub fn main() -> ExitCode {
    // The process has one provider of TLS; a second installation would hand it back, and the first serves.
    drop(rustls::crypto::ring::default_provider().install_default());
    let cli = match command::Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help goes to standard output, a mistake to standard error; nobody is left to tell when that is closed.
            drop(usage.print());
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    match cli.command.run(&cli.global) {
        Ok(code) => code,
        Err(error) => explain(&error),
    }
}

/// Tells an error with its causes, and chooses the exit code.
fn explain(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
    if broken_pipe {
        // The reader has read enough, as `head` does.
        return ExitCode::SUCCESS;
    }
    drop(writeln!(io::stderr().lock(), "error: {}", chain(error)));
    let configuration = error.chain().any(<dyn std::error::Error>::is::<ConfigError>);
    ExitCode::from(if configuration { EXIT_CONFIG } else { EXIT_FAILURE })
}

/// The error and its causes in one line, without one that only repeats the one before.
pub fn chain(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

/// Runs a future on a runtime of its own.
///
/// # Errors
/// The future's own, or that the system gives no threads.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // What was broken off must not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}
