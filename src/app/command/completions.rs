//! Room `app`: `hoibao completions`.
//!
//! In: the name of a shell. Out: its script. Deliberately not here: installing it.

use super::{Cli, Global, print};
use clap::CommandFactory as _;
use std::process::ExitCode;

/// Write a completion script for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                        hoibao completions bash > ~/.local/share/bash-completion/completions/hoibao\n  \
                        hoibao completions fish > ~/.config/fish/completions/hoibao.fish")]
pub struct Args {
    /// bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Args {
    /// Writes the script.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn run(self, _global: &Global) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "hoibao", &mut script);
        print(|out| out.write_all(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
