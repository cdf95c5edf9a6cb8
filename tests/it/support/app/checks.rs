//! What holds at the end of every test, whatever it was about.
//!
//! In: a gateway at rest and the operator's closed ledger. Out: red when a promise of the design (section 7) is broken.

use super::{TestApp, hex, logs, recompute, seed};
use hoibao::domain::capability::{DoubtPolicy, DuplicateReference};
use hoibao::domain::delivery::{AttemptOutcome, DeliveryState};
use hoibao::domain::id::ShipmentId;
use hoibao::edge::store::account;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::LedgerSummary;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// All of it.
pub(super) async fn all(app: &TestApp) {
    let books = app.books().await;
    let acknowledged = app
        .acknowledged
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let known: BTreeSet<&str> = acknowledged.iter().map(|one| one.reference.as_str()).collect();
    assert_eq!(known.len(), acknowledged.len(), "two shipments share a reference");
    for sale in books.sales.iter().filter(|(_, sale)| !sale.orders.is_empty()) {
        assert!(
            known.contains(sale.0.as_str()),
            "the operator has an order of nobody: {}",
            sale.0
        );
    }
    let ids: BTreeSet<[u8; 16]> = app.ids("shipment").await.into_iter().collect();
    for one in &acknowledged {
        assert!(
            ids.contains(one.id.as_bytes()),
            "{} was acknowledged and is lost",
            one.id
        );
    }
    for id in ids {
        let id = ShipmentId::from_bytes(id);
        one_place(app, id).await;
        attempts(app, id).await;
        orders(app, id, &books).await;
    }
    no_lease(app).await;
    recompute::compare(app).await;
    let mut words = seed::unspeakable();
    words.push(app.key.clone());
    logs::search(&words);
}

async fn no_lease(app: &TestApp) {
    for (table, column) in [
        ("queue", "lease_until_at"),
        ("poll", "lease_until_at"),
        ("operator_state", "token_lease_until_at"),
        ("operator_state", "units_lease_until_at"),
    ] {
        let text = format!("SELECT COUNT(*) FROM {table} WHERE {column} IS NOT NULL");
        assert_eq!(
            app.number(&text).await,
            0,
            "{table}.{column}: a lease is still held"
        );
    }
}

/// Invariant 1: exactly one of queued, leased, in doubt, booked or later, final, held.
async fn one_place(app: &TestApp, id: ShipmentId) {
    let row = app.shipment(id).await;
    let (state, queue) = (row.state, app.queued(id).await.state);
    let mut tx = app.context.store.snapshot().await.unwrap();
    let account = account::account(&mut tx, row.account).await.unwrap().unwrap();
    let asks_by_resending = account.capabilities.doubt_policy() == DoubtPolicy::ResendAsks;
    let fits = match queue {
        QueueState::Paper => state == DeliveryState::Queued && row.held.is_none(),
        QueueState::Ready => {
            let doubt = state == DeliveryState::InDoubt && asks_by_resending;
            (state == DeliveryState::Queued || doubt) && row.held.is_none()
        }
        // Nobody works any more.
        QueueState::Leased => false,
        QueueState::Doubt => state == DeliveryState::InDoubt,
        QueueState::Held => {
            row.held.is_some() && matches!(state, DeliveryState::Queued | DeliveryState::InDoubt)
        }
        QueueState::Done => matches!(state, DeliveryState::At(_) | DeliveryState::CancelRequested),
    };
    assert!(
        fits,
        "{id} is nowhere, or in two places: {state:?}, queue {queue:?}, held {:?}",
        row.held
    );
}

/// Attempts are numbered without gaps, use one reference, and an open one is in doubt.
async fn attempts(app: &TestApp, id: ShipmentId) {
    let row = app.shipment(id).await;
    let attempts = app.attempts(id).await;
    for (attempt, number) in attempts.iter().zip(1_u32..) {
        assert_eq!((attempt.number, &attempt.reference), (number, &row.reference));
        assert!(attempt.ended_at.is_some(), "attempt {number} of {id} has no end");
        let open = attempt.is_open();
        let doubtful = row.state == DeliveryState::InDoubt;
        assert!(
            !open || doubtful,
            "attempt {number} of {id} is open, but the shipment is {:?}",
            row.state
        );
    }
}

/// Invariant 2 from the operator's own books, and that what it took is what we meant to send.
async fn orders(app: &TestApp, id: ShipmentId, books: &LedgerSummary) {
    let row = app.shipment(id).await;
    let attempts = app.attempts(id).await;
    let sale = books.sales.get(&row.reference).cloned().unwrap_or_default();
    let refuses = app.account.capabilities.duplicate_reference == DuplicateReference::Refused;
    assert!(
        sale.live() <= 1,
        "{id} lives {} times at the operator (duplicates refused: {refuses})",
        sale.live()
    );
    let sent: BTreeSet<String> = app
        .evidence(id)
        .await
        .iter()
        .filter(|(kind, _)| kind == "sent")
        .map(|(_, bytes)| hex(&Sha256::digest(bytes)))
        .collect();
    assert_eq!(
        sent.is_empty(),
        attempts.is_empty(),
        "{id}: attempts without their bytes, or the other way round"
    );
    for order in &sale.orders {
        assert!(
            sent.contains(&order.body_sha256),
            "the operator took other bytes for {id} than we kept"
        );
    }
    let believed = attempts.iter().any(|attempt| {
        attempt.outcome == Some(AttemptOutcome::Accepted) || attempt.settled.as_deref() == Some("found")
    });
    assert!(
        !believed || !sale.orders.is_empty(),
        "{id} counts as booked, but the operator has no such order"
    );
    if !sale.orders.is_empty() && !believed {
        assert!(
            matches!(row.state, DeliveryState::InDoubt) || row.held.is_some(),
            "{id} is {:?}, but the operator has an order",
            row.state
        );
    }
}
