//! Room `app`, command `demo`: the quarter of a real city.
//!
//! In: options. Out: progress on standard error, the outcome on standard output, and an exit code that says whether every
//! promise was kept. Deliberately not here: the quarter itself (`app::demo`).

use super::{Global, print};
use crate::app::demo::figures::Scale;
use crate::app::demo::{self, FaultPreset, Options, Outcome, Watching};
use crate::app::{EXIT_FAILURE, block_on, lifecycle};
use std::path::PathBuf;
use std::process::ExitCode;

/// What the first page of help does not say.
pub const LONG_ABOUT: &str = "Plays the first quarter of 2022 of Hạ Long on a current calendar: its counts are real, its people invented. \
                  Dossiers are stated, results registered for the post, papers packed and handed over, the operator \
                  called (a simulated one, with faults), callbacks taken, dossiers marked returned. In the end every \
                  promise is checked from outside. Everything stays on this machine.";

/// Options of `demo`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao demo                                  the whole quarter\n  \
                  hoibao demo --scale 0.01 --faults wild       a hundredth of it, in a bad week\n  \
                  hoibao demo --database postgres://... --json\n\n\
                  Exit codes: 0 every promise was kept, 1 one was not or the demo broke off.")]
pub struct Args {
    /// Share of the article's volume, 0.002 to 2.
    #[arg(long, default_value = "1")]
    scale: Scale,
    /// The same seed plays the same quarter.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How badly the operator behaves.
    #[arg(long, value_enum, default_value = "mild")]
    faults: FaultPreset,
    /// Keep serving the JSON API in the end, until a signal.
    #[arg(long)]
    serve: bool,
    /// Port of the gateway on this machine; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Write the outcome as JSON, and no progress.
    #[arg(long)]
    json: bool,
    /// Keep database, operator's ledger and the list of acknowledged shipments in this folder.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

impl Args {
    /// Runs the demo. The global `--database` names an empty database; an embedded one is made where it is not given.
    ///
    /// # Errors
    /// When it broke off.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let options = Options {
            scale: self.scale,
            seed: self.seed,
            faults: self.faults,
            database: global.database.clone(),
            keep: self.keep,
            port: self.port,
            watching: if self.json {
                Watching::Quiet
            } else {
                Watching::Shown
            },
        };
        let outcome = block_on(async move {
            let outcome = demo::run(&options, async |outcome, address| {
                if self.serve {
                    drop(write(outcome, self.json));
                    serve(address).await;
                }
            });
            Ok(outcome.await?)
        })?;
        if !self.serve {
            write(&outcome, self.json)?;
        }
        Ok(if outcome.passed() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_FAILURE)
        })
    }
}

fn write(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    if json {
        let text = serde_json::to_string_pretty(outcome)?;
        return print(|out| writeln!(out, "{text}"));
    }
    print(|out| demo::show(outcome, out))
}

/// Goes on answering until a signal.
async fn serve(address: std::net::SocketAddr) {
    // A reader that went away is no reason to stop serving.
    drop(print(|out| {
        writeln!(
            out,
            "\nĐang phục vụ / serving: http://{address}/api/v1/  (Ctrl-C: dừng / stop)"
        )
    }));
    if let Ok(mut signals) = lifecycle::signals() {
        signals.recv().await;
    }
}
