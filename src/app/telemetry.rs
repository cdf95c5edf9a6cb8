//! Room `app`: logs and numbers.
//!
//! In: the section `[log]`. Out: log lines on standard error and a handle that writes the numbers for `/metrics`.
//! Fields are named as in `shipment.id`, `carrier.code`, `dispatch.attempt`, `duration_ms`; a line is readable without
//! them; `error` means that someone must act; bodies, names, addresses, telephone numbers and secrets never appear.
//! Deliberately not here: a listener of its own, and any line.

use super::config::{Log, LogFormat};
use crate::web::middleware;
use crate::worker;
use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Commits made by this process.
pub const METRIC_COMMITS: &str = "hoibao_store_commits";
/// Commands in those commits; divided by the commits: how well the group commit groups.
pub const METRIC_COMMANDS: &str = "hoibao_store_commands";
/// Always 1; label `version`.
pub const METRIC_BUILD: &str = "hoibao_build_info";

/// Kind of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every number there is: the one place to look a name up. Labels hold route templates, job names and adapter codes,
/// never a case or a person.
const NUMBERS: &[(Kind, &str, &str)] = &[
    (
        Kind::Counter,
        middleware::METRIC_REQUESTS,
        "Answered requests by method, route template and status.",
    ),
    (
        Kind::Histogram,
        middleware::METRIC_SECONDS,
        "Seconds from request head to answer head, by method and route.",
    ),
    (
        Kind::Counter,
        middleware::METRIC_PANICS,
        "Request handlers that panicked: each is a bug to report.",
    ),
    (
        Kind::Counter,
        worker::METRIC_TICKS,
        "Ticks by job and outcome: done, idle, failed, panicked.",
    ),
    (
        Kind::Histogram,
        worker::METRIC_TICK_SECONDS,
        "Seconds of a tick, by job.",
    ),
    (Kind::Counter, worker::METRIC_DONE, "Things a job moved on."),
    (
        Kind::Gauge,
        METRIC_COMMITS,
        "Commits of this process since it was started.",
    ),
    (Kind::Gauge, METRIC_COMMANDS, "Commands in those commits."),
    (
        Kind::Gauge,
        METRIC_BUILD,
        "Always 1; the label tells the version.",
    ),
];

/// Upper ends of the buckets of every histogram of seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.9, 2.5, 5.0, 15.0, 60.0,
];

/// The levels of `text`, such as `info,hoibao=debug`; `None` when it cannot be read.
pub fn filter(text: &str) -> Option<EnvFilter> {
    EnvFilter::builder().parse(text).ok()
}

/// Sends log lines to standard error from now on. A second call in one process changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start_log(log: &Log) -> anyhow::Result<()> {
    let filter =
        filter(&log.filter).context("log.filter cannot be read; write for example info,hoibao=debug")?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A refusal means that a log is there already: in tests, and that one serves.
    match log.format {
        LogFormat::Text => drop(
            lines
                .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                .try_init(),
        ),
        LogFormat::Json => drop(
            lines
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .try_init(),
        ),
    }
    Ok(())
}

/// The handle that writes the numbers. Cheap to clone.
#[derive(Clone)]
pub struct Numbers(PrometheusHandle);

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Numbers")
    }
}

impl Numbers {
    /// Begins to count in this process.
    ///
    /// # Errors
    /// When something else counts already.
    pub fn start() -> anyhow::Result<Self> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .context("buckets of the histograms")?
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder)
            .ok()
            .context("another recorder of numbers is installed in this process")?;
        describe();
        metrics::gauge!(METRIC_BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self(handle))
    }

    /// All numbers in the text form of Prometheus.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds samples into buckets, so that memory stays bounded when nobody asks; every few seconds.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    for (kind, name, text) in NUMBERS {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *text),
            Kind::Gauge => metrics::describe_gauge!(*name, *text),
            Kind::Histogram => metrics::describe_histogram!(*name, *text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Names follow Prometheus: ours, unit or kind last, each once.
    #[test]
    fn names_of_numbers_are_regular() {
        let mut seen = BTreeSet::new();
        for (kind, name, text) in NUMBERS {
            assert!(name.starts_with("hoibao_") && seen.insert(name), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), *kind == Kind::Histogram, "{name}");
            assert!(text.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn filters_are_read_or_refused() {
        assert!(filter("info,hoibao=debug").is_some());
        assert!(filter("hoibao=loud").is_none());
    }
}
