//! Room `stage`: what every stage is handed: store, ports and limits.
//!
//! In: parts made by the composition root. Out: one [`Context`], shared. Deliberately not here: any decision.

mod by;
pub mod operator;
mod shared;

pub use by::By;

use crate::domain::calendar::Calendars;
use crate::domain::id::Ids;
use crate::domain::retry::RetrySchedule;
use crate::domain::time::{Clock, Rng, Timestamp};
use crate::edge::carrier::{Carriers, Transport};
use crate::edge::dossier::EventSender;
use crate::edge::store::Store;
use std::sync::Arc;

/// Limits of the road, each named, each from configuration. Times are milliseconds.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a leased queue row stays ours; longer than a call plus a margin.
    pub dispatch_lease_ms: i64,
    /// Calls under way at one time per process.
    pub dispatch_parallel: u32,
    /// Queue rows claimed at one time.
    pub dispatch_claim_max: u32,
    /// Delays and bounds of create calls that never left us.
    pub dispatch_retry: RetrySchedule,
    /// Shipments looked at in one round of reconcile.
    pub poll_claim_max: u32,
    /// Time between two looks at a shipment on the road.
    pub poll_every_ms: i64,
    /// Longest time between two looks at a shipment that brings nothing new.
    pub poll_every_max_ms: i64,
    /// How long a leased poll row stays ours.
    pub poll_lease_ms: i64,
    /// Inbox rows read in one round.
    pub inbox_claim_max: u32,
    /// How far an operator's time may lie in our future.
    pub clock_skew_max_ms: i64,
    /// How long raw callback bodies are kept.
    pub raw_callback_keep_ms: i64,
    /// Outbox rows claimed in one round.
    pub outbox_claim_max: u32,
    /// How long a leased outbox row stays ours.
    pub outbox_lease_ms: i64,
    /// Delays and bounds of signed events.
    pub outbox_retry: RetrySchedule,
    /// Limit of one event delivery.
    pub event_timeout_ms: u64,
    /// Consecutive failures that open an operator's breaker.
    pub breaker_failures: u32,
    /// How long an opened breaker lets nothing through.
    pub breaker_open_ms: i64,
    /// How long fetching an access token may take before another process may try.
    pub token_lease_ms: i64,
    /// How long a callback may take to become durable.
    pub callback_deadline_ms: u64,
}

/// What every stage is handed.
pub struct Context {
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New identifiers.
    pub ids: Arc<dyn Ids>,
    /// Chance for jitter.
    pub rng: Arc<dyn Rng>,
    /// Operators' adapters.
    pub carriers: Carriers,
    /// The way out to operators.
    pub transport: Arc<dyn Transport>,
    /// The way out to receivers of events.
    pub events: Arc<dyn EventSender>,
    /// Working days of offices and operators.
    pub calendars: Calendars,
    /// Limits.
    pub limits: Limits,
    /// What this process remembers of operators between calls; the truth is in the store.
    pub operators: operator::Memory,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// What one round of a stage did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Things moved on.
    pub done: u32,
    /// When the stage next has something to do, as far as it knows.
    pub next_at: Option<Timestamp>,
}

impl Tick {
    /// Whether the round moved anything.
    pub const fn is_idle(self) -> bool {
        self.done == 0
    }
}
