//! Room `app`: the command line.
//!
//! In: arguments. Out: one command run. A file per command, each with its `Args` and `run`; a new one is a line in
//! [`Command`] and one in its `run`. Deliberately not here: what the commands do.

pub mod audit;
pub mod check;
pub mod completions;
pub mod config;
pub mod deadletter;
pub mod decide;
mod decide_person;
mod decide_show;
mod decide_words;
pub mod demo;
pub mod doctor;
pub mod endpoints;
pub mod handover;
mod handover_words;
pub mod import;
pub mod keys;
pub mod migrate;
pub mod report;
pub mod serve;
pub mod simulator;
pub mod worker;

use super::config::{Config, ConfigError, Overrides};
use super::telemetry;
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "hoibao",
    version,
    about = "Postal return of dossier results: from the one-stop desk to the addressee, and back into the dossier",
    long_about = "hoibao (hồi báo, \"to report back\") queues results that return by post, calls the postal operator, takes \
                  its callbacks, writes the delivery back into the dossier, and lets an auditor check all of it.",
    after_help = "Examples:\n  \
                  hoibao migrate                              make or update the database\n  \
                  hoibao serve                                web and worker in one process\n  \
                  hoibao check tracking-number RR123456785VN  is the check digit right?\n  \
                  hoibao doctor                               what is wrong here, and how to mend it\n\n\
                  Exit codes: 0 well, 1 wrong or failed, 2 the command line cannot be read, 3 the configuration.",
    arg_required_else_help = true,
    propagate_version = true
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// Configuration file (TOML). Without it: defaults and environment.
    #[arg(long, global = true, value_name = "FILE", env = "HOIBAO_CONFIG")]
    pub config: Option<PathBuf>,
    /// Database address: sqlite:PATH or postgres://... Write passwords into the file or the environment instead: other
    /// users of the machine can see a command line.
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Log levels, such as info or info,hoibao=debug.
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Global {
    /// The configuration in force.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong.
    pub fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&Overrides {
            file: self.config.clone(),
            database: self.database.clone(),
            log: self.log.clone(),
            environment: Overrides::environment()?,
        })
    }

    /// The configuration in force, with the log begun as it says.
    ///
    /// # Errors
    /// [`ConfigError`], or that the log cannot begin.
    pub fn start(&self) -> anyhow::Result<Config> {
        let config = self.load()?;
        telemetry::start_log(&config.log)?;
        Ok(config)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve web pages and API, and run the worker, in one process
    #[command(long_about = serve::LONG_ABOUT)]
    Serve(serve::Args),
    /// Run the worker alone, beside gateways that serve
    #[command(long_about = worker::LONG_ABOUT)]
    Worker(worker::Args),
    /// Make the database, or bring its schema up to date
    #[command(long_about = migrate::LONG_ABOUT)]
    Migrate(migrate::Args),
    /// Check a tracking number, a telephone number or a dossier code
    #[command(long_about = check::LONG_ABOUT)]
    Check(check::Args),
    /// Bring in dossiers, the installation's set-up, or administrative units, by file
    #[command(long_about = import::LONG_ABOUT)]
    Import(import::Args),
    /// Make, describe or rotate the keys of personal data; make or revoke API keys
    #[command(long_about = keys::LONG_ABOUT)]
    Keys(keys::Args),
    /// Show or check the configuration in force
    #[command(long_about = config::LONG_ABOUT)]
    Config(config::Args),
    /// Check the records against the journal
    #[command(long_about = audit::LONG_ABOUT)]
    Audit(audit::Args),
    /// Draw the figures of a period
    #[command(long_about = report::LONG_ABOUT)]
    Report(report::Args),
    /// Subscribe, list, pause and resume the receivers of signed events
    #[command(long_about = endpoints::LONG_ABOUT)]
    Endpoints(endpoints::Args),
    /// List, show, redrive and skip what was given up
    #[command(long_about = deadletter::LONG_ABOUT)]
    Deadletter(deadletter::Args),
    /// Say what is wrong with this installation and how to mend it
    #[command(long_about = doctor::LONG_ABOUT)]
    Doctor(doctor::Args),
    /// List what needs a person, show a shipment, propose and approve decisions
    #[command(long_about = decide::LONG_ABOUT)]
    Decide(decide::Args),
    /// Scan papers in, pack, close hand-over lists, take returned originals back
    #[command(long_about = handover::LONG_ABOUT)]
    Handover(handover::Args),
    /// Play the quarter of a real city, and check every promise
    #[command(long_about = demo::LONG_ABOUT)]
    Demo(demo::Args),
    /// Run a stand-in postal operator, to try a gateway with
    #[command(long_about = simulator::LONG_ABOUT)]
    Simulator(simulator::Args),
    /// Write a completion script for a shell
    Completions(completions::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// Whatever stopped it, with advice.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(args) => args.run(global),
            Self::Worker(args) => args.run(global),
            Self::Migrate(args) => args.run(global),
            Self::Check(args) => args.run(global),
            Self::Import(args) => args.run(global),
            Self::Keys(args) => args.run(global),
            Self::Config(args) => args.run(global),
            Self::Audit(args) => args.run(global),
            Self::Report(args) => args.run(global),
            Self::Endpoints(args) => args.run(global),
            Self::Deadletter(args) => args.run(global),
            Self::Doctor(args) => args.run(global),
            Self::Decide(args) => args.run(global),
            Self::Handover(args) => args.run(global),
            Self::Demo(args) => args.run(global),
            Self::Simulator(args) => args.run(global),
            Self::Completions(args) => args.run(global),
        }
    }
}

/// Longest small file read from a command line's argument, bytes.
const SMALL_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Reads a small file of text, or standard input for `-`.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub(super) fn read_small(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        let input = io::stdin().lock();
        input.take(SMALL_FILE_BYTES_MAX).read_to_string(&mut text)?;
    } else {
        let file = std::fs::File::open(path);
        let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
        file.take(SMALL_FILE_BYTES_MAX).read_to_string(&mut text)?;
    }
    Ok(text)
}

/// Writes to standard output, whole, and flushes.
///
/// # Errors
/// As the system says; a reader that went away is no failure of the command, which the caller of all commands knows.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Clap's own check of the whole command line, and a sentence for everything.
    #[test]
    fn the_command_line_is_sound_and_explained() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            for inner in command.get_subcommands() {
                assert!(
                    inner.get_about().is_some(),
                    "{} {}",
                    command.get_name(),
                    inner.get_name()
                );
            }
        }
    }
}
