//! Room `app`: relations between values of the configuration.
//!
//! In: a typed [`Config`]. Out: a sentence for each relation that does not hold, which says what to change.
//! Deliberately not here: kinds of value and unknown keys (`source`).

use super::Config;
use crate::web::client_address::Network;

/// Head-room between the end of a call and the end of its lease, milliseconds: writing the outcome takes its time.
const LEASE_MARGIN_MS: i64 = 5_000;
/// Operators wait a second for the answer to a callback; the rest is for the way.
const CALLBACK_DEADLINE_MS_MAX: u64 = 900;
/// Connections and parallel calls beyond this are a slip of the keyboard on any machine this is meant for.
const MANY: u64 = 100_000;
/// Longest request body a gateway may be told to take, bytes: it is held in memory.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn check(config: &Config, problems: &mut Vec<String>) {
    ranges(config, problems);
    leases(config, problems);
    times(config, problems);
    addresses(config, problems);
    for schedule in [config.dispatch_retry(), config.feed_retry()] {
        if let Err(error) = schedule {
            problems.extend(error.problems);
        }
    }
}

/// A number as the checks compare it; beyond `u64` there is nothing to compare.
fn number<T: TryInto<u64>>(value: T) -> u64 {
    value.try_into().unwrap_or(0)
}

fn ranges(config: &Config, problems: &mut Vec<String>) {
    let at_least_one: [(&str, u64, u64); 21] = [
        ("database.readers", number(config.database.readers), 1_000),
        ("database.writers", number(config.database.writers), 1_000),
        (
            "database.queue_length",
            number(config.database.queue_length),
            MANY,
        ),
        (
            "http.body_bytes_max",
            number(config.http.body_bytes_max),
            BODY_BYTES_MAX,
        ),
        ("http.head_timeout_ms", config.http.head_timeout_ms, 600_000),
        ("http.request_timeout_ms", config.http.request_timeout_ms, 600_000),
        ("http.connections_max", number(config.http.connections_max), MANY),
        (
            "operator.connect_timeout_ms",
            config.operator.connect_timeout_ms,
            600_000,
        ),
        (
            "operator.call_timeout_ms",
            config.operator.call_timeout_ms,
            600_000,
        ),
        (
            "operator.submit_response_bytes_max",
            number(config.operator.submit_response_bytes_max),
            BODY_BYTES_MAX,
        ),
        (
            "operator.read_response_bytes_max",
            number(config.operator.read_response_bytes_max),
            BODY_BYTES_MAX,
        ),
        ("dispatch.parallel", number(config.dispatch.parallel), 1_000),
        ("dispatch.claim_max", number(config.dispatch.claim_max), 10_000),
        ("reconcile.claim_max", number(config.reconcile.claim_max), 10_000),
        ("tracking.claim_max", number(config.tracking.claim_max), 10_000),
        ("feed.claim_max", number(config.feed.claim_max), 10_000),
        (
            "callback.raw_keep_ms",
            number(config.callback.raw_keep_ms),
            31_622_400_000,
        ),
        ("breaker.failures", number(config.breaker.failures), 1_000),
        ("breaker.open_ms", number(config.breaker.open_ms), 86_400_000),
        (
            "api.requests_per_minute_per_key",
            number(config.api.requests_per_minute_per_key),
            1_000_000,
        ),
        ("worker.poll_every_ms", config.worker.poll_every_ms, 60_000),
    ];
    for (key, value, most) in at_least_one {
        if value < 1 || value > most {
            problems.push(format!("{key} must lie between 1 and {most}; change {key}"));
        }
    }
}

fn leases(config: &Config, problems: &mut Vec<String>) {
    let call = i64::try_from(config.operator.call_timeout_ms).unwrap_or(i64::MAX);
    let event = i64::try_from(config.feed.event_timeout_ms).unwrap_or(i64::MAX);
    let pairs = [
        (
            "dispatch.lease_ms",
            config.dispatch.lease_ms,
            "operator.call_timeout_ms",
            call.saturating_mul(2),
        ),
        (
            "reconcile.lease_ms",
            config.reconcile.lease_ms,
            "operator.call_timeout_ms",
            call,
        ),
        (
            "operator.token_lease_ms",
            config.operator.token_lease_ms,
            "operator.call_timeout_ms",
            call,
        ),
        (
            "feed.lease_ms",
            config.feed.lease_ms,
            "feed.event_timeout_ms",
            event,
        ),
    ];
    for (lease, value, limit, needed) in pairs {
        let needed = needed.saturating_add(LEASE_MARGIN_MS);
        if value < needed {
            let times = if lease.starts_with("dispatch") {
                "twice "
            } else {
                ""
            };
            problems.push(format!(
                "{lease} is {value}, but a lease must outlast {times}{limit} and {LEASE_MARGIN_MS} ms more, or the \
                 same work is done twice: raise {lease} to at least {needed}, or lower {limit}"
            ));
        }
    }
}

fn times(config: &Config, problems: &mut Vec<String>) {
    if config.callback.deadline_ms > CALLBACK_DEADLINE_MS_MAX || config.callback.deadline_ms < 1 {
        problems.push(format!(
            "callback.deadline_ms is {}, but operators wait one second: set it between 1 and \
             {CALLBACK_DEADLINE_MS_MAX}",
            config.callback.deadline_ms
        ));
    }
    if config.http.request_timeout_ms <= config.callback.deadline_ms {
        problems.push(
            "http.request_timeout_ms must be longer than callback.deadline_ms, or callbacks are cut off unanswered: \
             raise http.request_timeout_ms"
                .to_owned(),
        );
    }
    if config.operator.connect_timeout_ms >= config.operator.call_timeout_ms {
        problems.push(
            "operator.connect_timeout_ms must be shorter than operator.call_timeout_ms, or a call that never left us \
             counts as possibly received: lower operator.connect_timeout_ms"
                .to_owned(),
        );
    }
    if config.feed.event_timeout_ms < 1_000 {
        problems.push(
            "feed.event_timeout_ms must be at least 1000: receivers need a moment; raise it".to_owned(),
        );
    }
    let (every, longest) = (config.reconcile.every_ms, config.reconcile.every_max_ms);
    if every < 1_000 || longest < every {
        problems.push(
            "reconcile.every_ms must be at least 1000 and at most reconcile.every_max_ms: lower the first or raise \
             the second"
                .to_owned(),
        );
    }
    if !(0..=86_400_000).contains(&config.tracking.clock_skew_max_ms) {
        problems.push("tracking.clock_skew_max_ms must lie between 0 and one day (86400000)".to_owned());
    }
    if !(1_000..=600_000).contains(&config.worker.stop_timeout_ms) {
        problems.push("worker.stop_timeout_ms must lie between 1000 and 600000".to_owned());
    }
    // What a stop breaks off is in doubt afterwards; so it waits for a whole call.
    if config.worker.stop_timeout_ms <= config.operator.call_timeout_ms {
        problems.push(
            "worker.stop_timeout_ms must be longer than operator.call_timeout_ms, or a stop leaves orders in doubt: \
             raise worker.stop_timeout_ms"
                .to_owned(),
        );
    }
}

fn addresses(config: &Config, problems: &mut Vec<String>) {
    let url = config.database.url.expose();
    let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    match config.sqlite_file() {
        Some(path) if path.as_os_str().is_empty() || path.to_string_lossy().contains(":memory:") => {
            problems.push(
                "database.url names no file; records kept in memory are lost: write sqlite:PATH".to_owned(),
            );
        }
        None if !postgres => problems.push(
            "database.url must begin with sqlite: or postgres://; write for example \
             sqlite:hoibao-data/hoibao.sqlite"
                .to_owned(),
        ),
        Some(_) | None => {}
    }
    if config.keys.file.as_os_str().is_empty() {
        problems.push("keys.file is empty; name a file outside the database's folder backups".to_owned());
    }
    if config
        .sqlite_file()
        .is_some_and(|database| database == config.keys.file)
    {
        problems.push("keys.file and database.url name the same file; change keys.file".to_owned());
    }
    let public = &config.http.public_url;
    let host = public
        .strip_prefix("https://")
        .or_else(|| public.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['?', '#', '@', ' '])) || public.ends_with('/')
    {
        problems.push(
            "http.public_url must be http:// or https://, a host, perhaps a path, and no slash at its end; write for \
             example https://hoibao.example.vn"
                .to_owned(),
        );
    }
    for text in &config.http.trusted_proxies {
        if Network::parse(text).is_none() {
            problems.push(format!(
                "http.trusted_proxies holds `{text}`, which is no address or network; write for example 10.0.0.5 or \
                 10.0.0.0/8"
            ));
        }
    }
    if !config.log.filter.is_empty() && super::super::telemetry::filter(&config.log.filter).is_none() {
        problems.push("log.filter cannot be read; write for example info or info,hoibao=debug".to_owned());
    }
}
