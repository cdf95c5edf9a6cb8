//! Room `app`: `hoibao config`.
//!
//! In: the configuration. Out: its values and where they came from. Deliberately not here: reading it.

use super::{Global, print};
use std::process::ExitCode;

/// Show or check the configuration in force
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Values come from the defaults, then the file of --config or HOIBAO_CONFIG, then the environment \
                  (HOIBAO__SECTION__KEY), then the command line. Passwords are shown as ***.",
    after_help = "Examples:\n  \
                  hoibao config show\n  \
                  hoibao config check --config /etc/hoibao.toml"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Print every key, its value and where it came from; the output is a TOML file
    Show,
    /// Say whether the configuration can be used; exit code 3 when not
    Check,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// The configuration's own.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.load()?;
        // The files it names are part of it.
        config.transport_settings()?;
        match self.action {
            Action::Check => print(|out| writeln!(out, "the configuration can be used"))?,
            Action::Show => print(|out| {
                let mut section = "";
                for entry in config.entries() {
                    if entry.section != section {
                        let gap = if section.is_empty() { "" } else { "\n" };
                        writeln!(out, "{gap}[{}]", entry.section)?;
                        section = &entry.section;
                    }
                    let line = format!("{} = {}", entry.key, entry.value);
                    writeln!(out, "{line:<50} # {}", entry.origin)?;
                }
                Ok(())
            })?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
