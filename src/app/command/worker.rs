//! Room `app`: `hoibao worker`, the worker alone.
//!
//! In: the configuration. Out: jobs run until a signal. Deliberately not here: the jobs.

use super::{Global, serve};
use crate::app::compose::{self, Schema};
use crate::app::config::Config;
use crate::app::lifecycle::{self, Lifecycle};
use crate::app::telemetry::Numbers;
use crate::app::{block_on, jobs};
use std::process::ExitCode;
use std::time::Duration;

/// Run the worker alone
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Runs every stage of the road that needs no request: calls to operators, reading of callbacks, events to \
                  dossier systems. Several workers and gateways share one PostgreSQL; an embedded database is for one \
                  process, so use `hoibao serve` there.",
    after_help = "Examples:\n  hoibao worker --config /etc/hoibao.toml"
)]
pub struct Args {}

impl Args {
    /// Works until a signal.
    ///
    /// # Errors
    /// When a part cannot be made.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        block_on(work(config))
    }
}

async fn work(config: Config) -> anyhow::Result<ExitCode> {
    let signals = lifecycle::signals()?;
    let life = Lifecycle::new(Duration::from_millis(config.worker.stop_timeout_ms));
    let numbers = Numbers::start()?;
    let context = compose::context(&config, Schema::UpToDate).await?;
    let jobs = jobs::all(&config, &numbers);
    tracing::info!(jobs = jobs.len(), "hoibao works");
    crate::worker::run(jobs, &context, life.tracker(), life.soft());
    let ended = life.run(signals).await;
    serve::finish(context, ended).await
}
