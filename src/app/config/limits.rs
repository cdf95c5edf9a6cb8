//! Room `app`: the configuration in the words of the rooms that take it.
//!
//! In: [`Config`]. Out: [`Limits`] of the stages and settings of the transport. Deliberately not here: checks.

use super::{Config, ConfigError, PlainHttpRule};
use crate::domain::retry::RetrySchedule;
use crate::edge::carrier::transport::{PlainHttp, TransportSettings};
use crate::stage::context::Limits;

impl Config {
    /// Limits of the stages.
    ///
    /// # Errors
    /// [`ConfigError`] when a retry schedule does not hold together; [`Config::load`] has refused such before.
    pub fn limits(&self) -> Result<Limits, ConfigError> {
        Ok(Limits {
            dispatch_lease_ms: self.dispatch.lease_ms,
            dispatch_parallel: self.dispatch.parallel,
            dispatch_claim_max: self.dispatch.claim_max,
            dispatch_retry: self.dispatch_retry()?,
            poll_claim_max: self.reconcile.claim_max,
            poll_every_ms: self.reconcile.every_ms,
            poll_every_max_ms: self.reconcile.every_max_ms,
            poll_lease_ms: self.reconcile.lease_ms,
            inbox_claim_max: self.tracking.claim_max,
            clock_skew_max_ms: self.tracking.clock_skew_max_ms,
            raw_callback_keep_ms: self.callback.raw_keep_ms,
            outbox_claim_max: self.feed.claim_max,
            outbox_lease_ms: self.feed.lease_ms,
            outbox_retry: self.feed_retry()?,
            event_timeout_ms: self.feed.event_timeout_ms,
            breaker_failures: self.breaker.failures,
            breaker_open_ms: self.breaker.open_ms,
            token_lease_ms: self.operator.token_lease_ms,
            callback_deadline_ms: self.callback.deadline_ms,
        })
    }

    pub(super) fn dispatch_retry(&self) -> Result<RetrySchedule, ConfigError> {
        let it = self.dispatch;
        schedule(
            "dispatch",
            RetrySchedule::new(
                it.retry_base_ms,
                it.retry_cap_ms,
                it.retry_attempts_max,
                it.retry_age_max_ms,
            ),
        )
    }

    pub(super) fn feed_retry(&self) -> Result<RetrySchedule, ConfigError> {
        let it = self.feed;
        schedule(
            "feed",
            RetrySchedule::new(
                it.retry_base_ms,
                it.retry_cap_ms,
                it.retry_attempts_max,
                it.retry_age_max_ms,
            ),
        )
    }

    /// How to call operators. Reads the files of extra certificate authorities.
    ///
    /// # Errors
    /// [`ConfigError`] naming a file that cannot be read.
    pub fn transport_settings(&self) -> Result<TransportSettings, ConfigError> {
        let mut extra_ca_pem = Vec::new();
        for path in &self.operator.extra_ca_files {
            let pem = std::fs::read(path).map_err(|error| {
                ConfigError::one(format!(
                    "operator.extra_ca_files: {} cannot be read ({}); correct the path or its rights",
                    path.display(),
                    error.kind()
                ))
            })?;
            extra_ca_pem.push(pem);
        }
        let proxy = self.operator.proxy.expose();
        Ok(TransportSettings {
            connect_timeout_ms: self.operator.connect_timeout_ms,
            proxy: (!proxy.is_empty()).then(|| proxy.clone()),
            extra_ca_pem,
            submit_response_bytes_max: self.operator.submit_response_bytes_max,
            read_response_bytes_max: self.operator.read_response_bytes_max,
            plain_http: match self.operator.plain_http {
                PlainHttpRule::Loopback => PlainHttp::LoopbackOnly,
                PlainHttpRule::Anywhere => PlainHttp::Anywhere,
            },
            ..TransportSettings::default()
        })
    }
}

fn schedule(
    section: &str,
    made: Result<RetrySchedule, crate::domain::retry::RetryScheduleError>,
) -> Result<RetrySchedule, ConfigError> {
    use crate::domain::retry::RetryScheduleError::{Age, Attempts, Base, Cap};
    made.map_err(|error| {
        let key = match error {
            Base => "retry_base_ms",
            Cap => "retry_cap_ms",
            Attempts => "retry_attempts_max",
            Age => "retry_age_max_ms",
        };
        ConfigError::one(format!("{section}.{key}: {error}; change {section}.{key}"))
    })
}
