//! Room `app`: the configuration, typed and checked.
//!
//! In: the defaults compiled in, a TOML file, the environment, the command line; later ones win. Out: [`Config`], whose
//! values agree with each other, or a [`ConfigError`] that lists everything that is wrong and what to change.
//! Deliberately not here: what a value does (the rooms that take it).

mod limits;
mod relations;
mod show;
mod source;
#[cfg(test)]
mod tests;

pub use source::{Entry, Origin, Overrides};

use crate::domain::secret::Secret;
use crate::edge::store::StoreSettings;
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that is wrong with the configuration, a sentence each. Never holds a value of a secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Sentences, in the order found.
    pub problems: Vec<String>,
}

impl ConfigError {
    /// An error of one sentence.
    pub fn one(problem: impl Into<String>) -> Self {
        Self {
            problems: vec![problem.into()],
        }
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the configuration cannot be used")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// The configuration in force.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the records are.
    pub database: Database,
    /// Where the keys are.
    pub keys: Keys,
    /// HTTP in.
    pub http: Http,
    /// HTTP out to operators.
    pub operator: Operator,
    /// Stage dispatch.
    pub dispatch: Dispatch,
    /// Stage reconcile.
    pub reconcile: Reconcile,
    /// Stage tracking.
    pub tracking: Tracking,
    /// Stage feed.
    pub feed: Feed,
    /// Stage callback.
    pub callback: Callback,
    /// Circuit breaker of each operator account.
    pub breaker: Breaker,
    /// JSON API.
    pub api: Api,
    /// Worker and stop.
    pub worker: WorkerLimits,
    /// Logs.
    pub log: Log,
    /// Every key with its shown value and where it came from.
    #[serde(skip)]
    entries: Vec<Entry>,
}

/// Where the records are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://...`; may hold a password.
    #[serde(deserialize_with = "secret")]
    pub url: Secret<String>,
    /// Connections for reading.
    pub readers: u32,
    /// Writers side by side (PostgreSQL).
    pub writers: u32,
    /// Changes that may wait for a writer.
    pub queue_length: usize,
}

/// Where the keys are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The key file.
    pub file: PathBuf,
}

/// HTTP in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port to listen at.
    pub listen: SocketAddr,
    /// How others reach this gateway, without a slash at its end.
    pub public_url: String,
    /// Longest request body, bytes.
    pub body_bytes_max: usize,
    /// Limit for reading a request's head, milliseconds.
    pub head_timeout_ms: u64,
    /// Limit for one request, milliseconds.
    pub request_timeout_ms: u64,
    /// Open connections at one time.
    pub connections_max: usize,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks.
    pub trusted_proxies: Vec<String>,
}

/// HTTP out to operators.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Limit for name look-up, TCP and TLS together, milliseconds.
    pub connect_timeout_ms: u64,
    /// Longest whole call, milliseconds.
    pub call_timeout_ms: u64,
    /// How long fetching an access token may take before another process may try, milliseconds.
    pub token_lease_ms: i64,
    /// Outbound proxy; empty for none; may hold a password.
    #[serde(deserialize_with = "secret")]
    pub proxy: Secret<String>,
    /// PEM files of further certificate authorities.
    pub extra_ca_files: Vec<PathBuf>,
    /// Longest answer to a submitting call, bytes.
    pub submit_response_bytes_max: usize,
    /// Longest answer to a reading call, bytes.
    pub read_response_bytes_max: usize,
    /// Where unencrypted calls may go.
    pub plain_http: PlainHttpRule,
}

/// Where unencrypted calls may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlainHttpRule {
    /// Only to this machine.
    Loopback,
    /// Anywhere; for a line that is encrypted by itself.
    Anywhere,
}

/// Stage dispatch.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// How long a leased queue row stays ours, milliseconds.
    pub lease_ms: i64,
    /// Calls under way at one time.
    pub parallel: u32,
    /// Rows claimed at one time.
    pub claim_max: u32,
    /// First delay, milliseconds.
    pub retry_base_ms: i64,
    /// Longest delay, milliseconds.
    pub retry_cap_ms: i64,
    /// Tries before a person is asked.
    pub retry_attempts_max: u32,
    /// Age before a person is asked, milliseconds.
    pub retry_age_max_ms: i64,
}

/// Stage reconcile.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// Shipments in one round.
    pub claim_max: u32,
    /// Time between two looks, milliseconds.
    pub every_ms: i64,
    /// Longest time between two looks, milliseconds.
    pub every_max_ms: i64,
    /// How long a leased row stays ours, milliseconds.
    pub lease_ms: i64,
}

/// Stage tracking.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// Inbox rows in one round.
    pub claim_max: u32,
    /// How far an operator's time may lie in our future, milliseconds.
    pub clock_skew_max_ms: i64,
}

/// Stage feed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Events in one round.
    pub claim_max: u32,
    /// How long a leased event stays ours, milliseconds.
    pub lease_ms: i64,
    /// One delivery, milliseconds.
    pub event_timeout_ms: u64,
    /// First delay, milliseconds.
    pub retry_base_ms: i64,
    /// Longest delay, milliseconds.
    pub retry_cap_ms: i64,
    /// Tries before the dead letter.
    pub retry_attempts_max: u32,
    /// Age before the dead letter, milliseconds.
    pub retry_age_max_ms: i64,
}

/// Stage callback.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// How long a callback may take to become durable, milliseconds.
    pub deadline_ms: u64,
    /// How long raw bodies are kept, milliseconds.
    pub raw_keep_ms: i64,
}

/// Circuit breaker of each operator account.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open at first, milliseconds.
    pub open_ms: i64,
}

/// JSON API.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Requests of one bearer key in a minute.
    pub requests_per_minute_per_key: u32,
}

/// Worker and stop.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerLimits {
    /// Longest time between two looks for work, milliseconds.
    pub poll_every_ms: u64,
    /// How long a stop waits for what is under way, milliseconds.
    pub stop_timeout_ms: u64,
}

/// Logs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Form of a line.
    pub format: LogFormat,
    /// Levels by target.
    pub filter: String,
}

/// Form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

impl Config {
    /// Reads all sources and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let sources = source::read(overrides)?;
        let mut problems = Vec::new();
        let mut config = source::typed(&sources, &mut problems).ok_or_else(|| ConfigError {
            problems: problems.clone(),
        })?;
        relations::check(&config, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        config.entries = show::entries(&sources);
        Ok(config)
    }

    /// Every key, in the order of `defaults.toml`, with its value fit to be shown and where it came from.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How to open the store.
    pub fn store_settings(&self) -> StoreSettings {
        StoreSettings {
            url: self.database.url.expose().clone(),
            readers: self.database.readers,
            writers: self.database.writers,
            queue_length: self.database.queue_length,
        }
    }

    /// The file of an embedded database; `None` for a server.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.database.url.expose().strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split_once('?').map_or(path, |(path, _options)| path);
        Some(PathBuf::from(path))
    }
}
