//! Room `app`: what a running gateway asks itself before it takes work.
//!
//! In: its parts. Out: the probes of `/readyz`. Deliberately not here: the routes (`web::health`), and what a person
//! should mend (`doctor`).

use super::telemetry::Numbers;
use crate::domain::id::RecordId;
use crate::edge::store::{Keyring, StoreError, applied_versions, newest_version};
use crate::stage::context::Context;
use crate::web::health::{Finding, Health, Probe};
use crate::worker::Heartbeat;
use std::sync::Arc;

/// A job of which nothing was heard for this long hangs: its longest tick is bounded far below.
const SILENCE_MS_MAX: i64 = 300_000;

/// Probes over the parts of a gateway.
pub fn health(context: &Arc<Context>, heartbeat: &Heartbeat, numbers: &Numbers) -> Health {
    let numbers = numbers.clone();
    Health {
        probes: vec![
            ("database", database(Arc::clone(context))),
            ("keys", keys(Arc::clone(context))),
            ("worker", worker(Arc::clone(context), heartbeat.clone())),
        ],
        metrics: Arc::new(move || numbers.render()),
    }
}

fn finding(name: &'static str, ready: bool, detail: &str) -> Finding {
    Finding {
        name,
        ready,
        detail: detail.to_owned(),
    }
}

fn database(context: Arc<Context>) -> Probe {
    Arc::new(move || {
        let context = Arc::clone(&context);
        Box::pin(async move {
            match applied_versions(context.store.backend()).await {
                Ok(versions) if versions.last() == Some(&newest_version()) => {
                    finding("database", true, "reachable, schema up to date")
                }
                Ok(_other) => finding("database", false, "schema of another version"),
                Err(_unavailable) => finding("database", false, "not reachable"),
            }
        })
    })
}

fn keys(context: Arc<Context>) -> Probe {
    Arc::new(move || {
        let usable = try_keys(context.store.keyring()).is_ok();
        let detail = if usable {
            "usable"
        } else {
            "a key could not be wrapped and unwrapped"
        };
        let found = finding("keys", usable, detail);
        Box::pin(async move { found })
    })
}

/// Wraps a key that nobody keeps, and unwraps it again.
///
/// # Errors
/// [`StoreError::Seal`].
pub fn try_keys(keyring: &Keyring) -> Result<(), StoreError> {
    let record = RecordId::from_bytes([0; 16]);
    let (_key, wrapped) = keyring.new_record(record)?;
    keyring
        .unwrap_record(record, keyring.newest(), &wrapped)
        .map(drop)
}

fn worker(context: Arc<Context>, heartbeat: Heartbeat) -> Probe {
    Arc::new(move || {
        let silent = heartbeat.silent(context.clock.now(), SILENCE_MS_MAX);
        let detail = if silent.is_empty() {
            "every job was heard from".to_owned()
        } else {
            format!("nothing heard from: {}", silent.join(", "))
        };
        let found = finding("worker", silent.is_empty(), &detail);
        Box::pin(async move { found })
    })
}
