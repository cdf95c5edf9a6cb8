//! Room `app`, command `import`: what an administrator brings in by file.
//!
//! In: files. Out: what became of them, for people or as JSON, and an exit code. Deliberately not here: reading and
//! checking what is in the files (`stage::import`).

mod dossiers;
mod setup;
mod units;
mod words;

use super::Global;
use anyhow::Context as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Brings in files: dossiers of a system that has no other way to tell of them, the set-up of offices, people, \
    systems and operator accounts, and the list of administrative units. Importing the same file again changes nothing.";

/// Bring in dossiers, the installation's set-up, or administrative units, by file
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao import units\n  \
                  hoibao import setup province.toml --dry-run\n  \
                  hoibao import dossiers 2026-11-24.csv --source qni\n\n\
                  Exit codes: 0 everything stands, 1 something was refused or failed.")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Bring in dossiers of one system, from a CSV file or a workbook (.xlsx)
    #[command(long_about = dossiers::LONG_ABOUT, after_long_help = dossiers::columns_help())]
    Dossiers(dossiers::Args),
    /// Bring in accounts, offices, procedures, dossier systems and staff from one TOML file
    #[command(long_about = setup::LONG_ABOUT, after_long_help = setup::AFTER)]
    Setup(setup::Args),
    /// Load the national lists of provinces and communes
    #[command(long_about = units::LONG_ABOUT, after_help = units::AFTER)]
    Units(units::Args),
}

impl Args {
    /// Imports.
    ///
    /// # Errors
    /// When a file cannot be read or is refused as a whole, or the database fails.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Dossiers(args) => args.run(global),
            What::Setup(args) => args.run(global),
            What::Units(args) => args.run(global),
        }
    }
}

/// A file's bytes, one more than `bytes_max` at most.
fn read_file(path: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(bound).read_to_end(&mut bytes))
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}
