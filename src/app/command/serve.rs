//! Room `app`: `hoibao serve`, web and worker in one process.
//!
//! In: the configuration. Out: a gateway until a signal. Deliberately not here: routes (`web`) and jobs (`jobs`).

use super::Global;
use crate::app::compose::{self, Schema};
use crate::app::config::Config;
use crate::app::door::{self, DoorLimits};
use crate::app::lifecycle::{self, Ended, Lifecycle};
use crate::app::telemetry::Numbers;
use crate::app::{EXIT_FAILURE, block_on, jobs, readiness};
use crate::stage::context::Context;
use crate::web::api::ApiLimits;
use crate::web::health::{self, Health};
use crate::web::middleware::{self, HttpLimits};
use crate::web::{self, client_address::Network};
use anyhow::Context as _;
use axum::Router;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Serves web pages, API and callbacks, and runs the worker, in one process, until SIGINT or SIGTERM. What \
    is under way is finished or released; a second signal breaks it off. An embedded database that does \
    not exist yet is made, with its key file; an older one must be brought up to date with `hoibao \
    migrate` first.";

/// Serve web pages and API, and run the worker
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao serve\n  \
                  hoibao serve --config /etc/hoibao.toml\n  \
                  HOIBAO__HTTP__LISTEN=127.0.0.1:9000 hoibao serve")]
pub struct Args {}

impl Args {
    /// Serves until a signal.
    ///
    /// # Errors
    /// When a part cannot be made.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        block_on(serve(config))
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let signals = lifecycle::signals()?;
    let life = Lifecycle::new(Duration::from_millis(config.worker.stop_timeout_ms));
    let numbers = Numbers::start()?;
    let context = compose::context(&config, Schema::MakeWhenNew).await?;
    let listener = TcpListener::bind(config.http.listen).await.with_context(|| {
        format!(
            "http.listen {} cannot be listened at; is another gateway running there? Otherwise change http.listen",
            config.http.listen
        )
    })?;
    let address = listener.local_addr()?;
    let heartbeat = crate::worker::run(
        jobs::all(&config, &numbers),
        &context,
        life.tracker(),
        life.soft(),
    );
    let health = readiness::health(&context, &heartbeat, &numbers);
    let router = routes(&config, &context, health);
    let limits = DoorLimits {
        connections_max: config.http.connections_max,
        head_timeout: Duration::from_millis(config.http.head_timeout_ms),
    };
    life.spawn("http", door::serve(listener, router, limits, life.soft().clone()));
    tracing::info!(http.listen = %address, "hoibao serves at http://{address}");
    let ended = life.run(signals).await;
    finish(context, ended).await
}

/// Every route of the gateway, with what all requests pass through around them.
pub fn routes(config: &Config, context: &Arc<Context>, health: Health) -> Router {
    let per_minute = NonZeroU32::new(config.api.requests_per_minute_per_key).unwrap_or(NonZeroU32::MIN);
    let api = ApiLimits {
        requests_per_minute: per_minute,
        burst: per_minute,
        body_bytes_max: config.http.body_bytes_max,
    };
    let router = web::router(Arc::clone(context), &api).merge(health::router(health));
    let limits = HttpLimits {
        body_bytes_max: config.http.body_bytes_max,
        request_timeout: Duration::from_millis(config.http.request_timeout_ms),
        trusted_proxies: config
            .http
            .trusted_proxies
            .iter()
            .filter_map(|text| Network::parse(text))
            .collect(),
        https: config.http.public_url.starts_with("https://"),
    };
    middleware::wrap(router, limits, Arc::clone(&context.ids))
}

/// Closes the store after the last task, and turns the end into an exit code.
///
/// # Errors
/// None; the form is that of a command.
pub async fn finish(context: Arc<Context>, ended: Ended) -> anyhow::Result<ExitCode> {
    if let Some(context) = Arc::into_inner(context) {
        context.store.close().await;
    } else {
        tracing::debug!("the store is still held; its last commits are durable anyway");
    }
    Ok(match ended {
        Ended::Gracefully => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Ended::BrokenOff => {
            tracing::warn!("stopped with work broken off; its leases run out and it is taken up again");
            ExitCode::from(EXIT_FAILURE)
        }
        Ended::Died { task } => {
            tracing::error!(task, "stopped because a task ended by itself");
            ExitCode::from(EXIT_FAILURE)
        }
    })
}
