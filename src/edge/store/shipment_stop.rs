//! Room `edge::store`: stopping a shipment: the wish with its reason, the fact, and the queue, in one transaction.
//!
//! In: a shipment and the reason. Out: what could be done. The shipment's row is locked first, so that no attempt
//! begins meanwhile: its lease is stale from then on. Deliberately not here: who may ask, and asking the operator.

use super::queue::{self, QueueState};
use super::record::{self, Hand, NewFacts};
use super::{Store, StoreError, Tx, account, shipment};
use crate::domain::capability::Cancelling;
use crate::domain::custody;
use crate::domain::delivery::{self, DeliveryFact, FactBody};
use crate::domain::id::ShipmentId;
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::stopping::{Stopping, stopping};

/// What became of the wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// As [`Stopping`] says; [`Stopping::Now`] and [`Stopping::Ask`] were written.
    Did(Stopping),
    /// The operator has the order and offers no way to take it back.
    NotOffered,
}

/// What could be done about a shipment now. Locks it.
///
/// # Errors
/// [`StoreError::Corrupt`] when there is no such shipment; else as the database says.
pub async fn possible(tx: &mut Tx, id: ShipmentId) -> Result<Stopped, StoreError> {
    let missing = StoreError::Corrupt { place: "shipment" };
    let Some(row) = shipment::lock(tx, id).await? else {
        return Err(missing);
    };
    let delivery = delivery::fold(&shipment::delivery_facts(tx, id).await?);
    let custody = custody::fold(&shipment::custody_facts(tx, id).await?, &delivery);
    let stopping = stopping(&delivery, &custody);
    if stopping == Stopping::Ask {
        let account = account::account(tx, row.account).await?;
        if account.is_none_or(|account| account.capabilities.cancelling == Cancelling::None) {
            return Ok(Stopped::NotOffered);
        }
    }
    Ok(Stopped::Did(stopping))
}

/// Stops a shipment as far as can be done; `reason` is a word of a closed list.
///
/// # Errors
/// [`StoreError::Corrupt`] when there is no such shipment; else as the database says.
pub async fn stop(
    store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    id: ShipmentId,
    reason: &str,
) -> Result<Stopped, StoreError> {
    let stopped = possible(tx, id).await?;
    let body = match stopped {
        Stopped::Did(Stopping::Now) => FactBody::CancelledByUs,
        Stopped::Did(Stopping::Ask) => FactBody::CancelAsked,
        Stopped::Did(Stopping::Already | Stopping::InDoubt | Stopping::HandedOver | Stopping::Ended)
        | Stopped::NotOffered => return Ok(stopped),
    };
    let mut facts = NewFacts::ours(DeliveryFact::ours(id, hand.now, body));
    let fields = Fields::new().ascii(Tag::Reason, reason);
    facts.entries.push((Kind::StopWanted, Some(hand.now), fields));
    record::shipment_facts(store, tx, hand, id, facts).await?;
    if stopped == Stopped::Did(Stopping::Now) {
        queue::set_state(tx, id, QueueState::Done, hand.now).await?;
    }
    Ok(stopped)
}
