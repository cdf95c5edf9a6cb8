//! Room `simulator`: what a simulated operator is told before it starts.
//!
//! In: options of the command or of the demo. Out: plain values. Deliberately not here: reading options and the
//! environment, which the command does.

use super::faults::Faults;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where callbacks go.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// The receiver's whole address. It may hold a secret path, so it is never printed.
    pub url: String,
}

impl fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookTarget").finish_non_exhaustive()
    }
}

/// What the operator does with a `saleOrderCode` that it already has. Not known of the real one (carriers.md 11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicatePolicy {
    /// Refuses with a text while an order under that code is alive.
    Refuse,
    /// Accepts a second parcel: the danger that the gateway must assume.
    #[default]
    SecondOrder,
}

/// Which paths are served. Public clients disagree on the prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathPrefix {
    /// `/X` and `/customer-partner/X`.
    #[default]
    Both,
    /// `/X` only.
    Bare,
    /// `/customer-partner/X` only.
    CustomerPartner,
}

/// How fast the operator's world turns. Simulated milliseconds, unless a name says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Scanners upload at whole multiples of this: a status shows up then, with its own earlier time. At least 1.
    pub upload_ms: i64,
    /// Least and greatest delay until a late acceptance appears.
    pub late_accept_ms: (i64, i64),
    /// Life of a token.
    pub token_lifetime_ms: i64,
    /// Least and greatest delay of a late callback.
    pub late_callback_ms: (i64, i64),
    /// Waits before a callback that was not answered 200 is sent again; then it is given up.
    pub callback_retry_ms: Vec<i64>,
    /// Least and greatest time until a waiting cancellation is judged.
    pub case_ms: (i64, i64),
    /// Least and greatest **real** delay of a slow answer.
    pub slow_real_ms: (i64, i64),
    /// Stand-alone only: hand each order over by itself after this time, because nobody else will.
    pub auto_hand_over_after_ms: Option<i64>,
}

impl Default for Pace {
    fn default() -> Self {
        const MINUTE: i64 = 60_000;
        const HOUR: i64 = 60 * MINUTE;
        Self {
            upload_ms: 10 * MINUTE,
            late_accept_ms: (2 * MINUTE, 25 * MINUTE),
            token_lifetime_ms: 6 * HOUR,
            late_callback_ms: (2 * HOUR, 96 * HOUR),
            callback_retry_ms: vec![MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR],
            case_ms: (HOUR, 20 * HOUR),
            slow_real_ms: (150, 500),
            auto_hand_over_after_ms: None,
        }
    }
}

/// Everything a simulated operator needs.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// The same seed and the same calls give the same faults, codes and journeys.
    pub seed: u64,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The operator's own append-only record, JSON lines. Must be absent or empty.
    pub ledger_path: PathBuf,
    /// Where callbacks go; `None`: the operator has no webhook registered.
    pub webhook: Option<WebhookTarget>,
    /// Login name that `GetAccessToken` accepts.
    pub username: String,
    /// Password that `GetAccessToken` accepts.
    pub password: String,
    /// The customer's code, part of the login and of every order.
    pub customer_code: String,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// How fast the operator's world turns.
    pub pace: Pace,
    /// Which paths are served.
    pub path_prefix: PathPrefix,
    /// What becomes of a second order under one `saleOrderCode`.
    pub duplicates: DuplicatePolicy,
}

impl fmt::Debug for SimulatorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorConfig")
            .field("seed", &self.seed)
            .field("listen", &self.listen)
            .field("webhook", &self.webhook.is_some())
            .field("duplicates", &self.duplicates)
            .finish_non_exhaustive()
    }
}
