//! Room `web`, JSON API: what its doors share.
//!
//! In: the context and limits. Out: the state of the routes. Deliberately not here: the table of routes (`web::router`).

mod body;
mod cursor;
pub(crate) mod dossiers;
mod reader;
pub(crate) mod shipment_list;
pub(crate) mod shipments;

use crate::domain::id::ApiKeyId;
use crate::domain::time::Timestamp;
use crate::stage::context::Context;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use serde_json::Value;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Limits of the JSON API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiLimits {
    /// Requests of one key in a minute.
    pub requests_per_minute: NonZeroU32,
    /// Requests of one key at once.
    pub burst: NonZeroU32,
    /// Longest body, bytes.
    pub body_bytes_max: usize,
}

/// State of the routes.
#[derive(Clone)]
pub struct Api {
    context: Arc<Context>,
    limiter: Arc<DefaultKeyedRateLimiter<ApiKeyId>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    /// The state over a context.
    pub fn new(context: Arc<Context>, limits: &ApiLimits) -> Self {
        let quota = Quota::per_minute(limits.requests_per_minute).allow_burst(limits.burst);
        Self {
            context,
            limiter: Arc::new(DefaultKeyedRateLimiter::keyed(quota)),
        }
    }

    pub(crate) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Counts a request of a key; when it is one too many, the whole seconds to wait, at least 1. The limit guards this
    /// process; only keys in force are counted, so the memory it takes is bounded by their number.
    pub(crate) fn permit(&self, key: ApiKeyId) -> Result<(), u64> {
        self.limiter.check_key(&key).map_err(|too_early| {
            let wait = too_early.wait_time_from(DefaultClock::default().now());
            wait.as_secs().saturating_add(1)
        })
    }
}

/// A time in the form of the API, or null.
fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(at.to_rfc3339()))
}
