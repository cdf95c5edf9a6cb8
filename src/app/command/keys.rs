//! Room `app`: `hoibao keys`.
//!
//! In: the configuration's key file. Out: a new file, a description, a newer key. No key is ever printed. Deliberately
//! not here: wrapping the records' keys anew (the store's).

use super::{Global, print};
use crate::app::key_file;
use std::process::ExitCode;

/// Make, describe or rotate the keys of personal data
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Personal data are sealed under keys that stand in the file keys.file, outside the database. Who has \
                  both has everything; who loses the file has lost every name and address. Keep a copy apart from the \
                  database's backups.",
    after_help = "Examples:\n  \
                  hoibao keys new\n  \
                  hoibao keys show\n  \
                  HOIBAO__KEYS__FILE=/etc/hoibao/keys hoibao keys rotate"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Make a key file; one that is there is never overwritten
    New,
    /// Say which key file is used, its rights and its newest version
    Show,
    /// Add a newer key, which seals everything from the next start on
    Rotate,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the file is missing, there already, or readable for others.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let path = global.load()?.keys.file;
        let shown = path.display();
        match self.action {
            Action::New => {
                key_file::create(&path)?;
                print(|out| {
                    writeln!(out, "made {shown}, mode 0600")?;
                    writeln!(out, "Keep a copy apart from the database's backups.")
                })?;
            }
            Action::Show => {
                let keyring = key_file::load(&path)?;
                print(|out| {
                    writeln!(out, "file: {shown}")?;
                    writeln!(out, "rights: its owner's alone")?;
                    writeln!(out, "newest wrapping key: v{}", keyring.newest())
                })?;
            }
            Action::Rotate => {
                let newest = key_file::rotate(&path)?;
                print(|out| {
                    writeln!(out, "added wrapping key v{newest} to {shown}")?;
                    writeln!(
                        out,
                        "Give every gateway the new file and restart it. Records sealed before stay readable by the older \
                         versions: remove none of them."
                    )
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
