//! Room `stage`, intake: what a registration leaves behind.
//!
//! In: a draft found right. Out: rows, sealed values, the queue row, and the shipment's first journal entries. Deliberately
//! not here: whether it may be registered.

use super::check::Checked;
use super::{IntakeError, Registered};
use crate::domain::delivery::{DeliveryFact, FactBody};
use crate::domain::id::{AccountId, ItemId, ShipmentId, SourceId};
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::short_number::ShortNumber;
use crate::domain::time::Timestamp;
use crate::edge::carrier::Carrier;
use crate::edge::store::queue::{self, QueueState};
use crate::edge::store::record::{self, Hand, NewFacts};
use crate::edge::store::shipment::{self, ItemRow, NewShipment, OperatorName};
use crate::edge::store::{RecordKey, Store, StoreError, Tx, reference, shipment_person};

/// Shipments that one dossier can lead; far beyond what happens, so that a search for a free reference ends.
const ORDINAL_MAX: u32 = 1_000;

/// Writes a shipment under the identifier, record key and source given.
pub(super) async fn write(
    store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    (id, key, source): (ShipmentId, &RecordKey, SourceId),
    checked: &Checked,
) -> Result<Registered, IntakeError> {
    let account = checked.account.id;
    let new = NewShipment {
        id,
        short_number: short_number(tx, hand.now).await?,
        source: Some(source),
        account,
        reference: free_reference(tx, &*checked.carrier, account, &checked.lead_code).await?,
        record: key.record(),
        offices: checked.offices,
    };
    shipment::insert(tx, &new, hand.now).await?;
    let mut pairs = Vec::with_capacity(checked.items.len() * 32);
    for (dossier, document_no) in &checked.items {
        let item = ItemRow {
            id: ItemId::new(hand.ids),
            dossier: *dossier,
            document_no: *document_no,
            live: true,
        };
        shipment::insert_item(tx, id, &item).await?;
        pairs.extend(item.id.as_bytes());
        pairs.extend(dossier.as_bytes());
    }
    let content = (&checked.parcel, &checked.addressee);
    shipment_person::put_revision(tx, key, (id, 1), content, (hand.actor, hand.now)).await?;
    shipment_person::index(store, tx, key, &checked.addressee).await?;
    let state = if checked.sending.paper_first {
        QueueState::Paper
    } else {
        QueueState::Ready
    };
    queue::insert(tx, id, account, state, hand.now).await?;
    let mut facts = NewFacts::ours(DeliveryFact::ours(id, hand.now, FactBody::Queued));
    let fields = registered_fields(&new, source, &pairs);
    facts
        .entries
        .push((Kind::ShipmentRegistered, Some(hand.now), fields));
    record::shipment_facts(store, tx, hand, id, facts).await?;
    Ok(Registered {
        id,
        short_number: new.short_number,
        reference: new.reference,
        registered_at: hand.now,
        again: false,
    })
}

fn registered_fields(new: &NewShipment, source: SourceId, pairs: &[u8]) -> Fields {
    Fields::new()
        .int(Tag::Revision, 1)
        .bytes(Tag::Items, pairs)
        .bytes(Tag::ReceivingOffice, new.offices.receiving.as_bytes())
        .bytes(Tag::DecidingOffice, new.offices.deciding.as_bytes())
        .bytes(Tag::SendingOffice, new.offices.sending.as_bytes())
        .bytes(Tag::ReturnToOffice, new.offices.return_to.as_bytes())
        .bytes(Tag::Account, new.account.as_bytes())
        .bytes(Tag::Source, source.as_bytes())
        .bytes(Tag::Record, new.record.as_bytes())
}

async fn short_number(tx: &mut Tx, now: Timestamp) -> Result<String, StoreError> {
    let year = now.local_date().year();
    let number = reference::next_short_number(tx, year.into()).await?;
    let wrong = |_range| StoreError::Corrupt {
        place: "short_number.last",
    };
    let number = u64::try_from(number).map_err(|_negative| StoreError::Corrupt {
        place: "short_number.last",
    })?;
    ShortNumber::new(year, number)
        .map(|number| number.to_string())
        .map_err(wrong)
}

/// The lowest reference of the lead dossier that the account never used. Nothing is ever deleted, so none comes back.
async fn free_reference(
    tx: &mut Tx,
    carrier: &dyn Carrier,
    account: AccountId,
    lead_code: &str,
) -> Result<String, IntakeError> {
    for ordinal in 1..=ORDINAL_MAX {
        let candidate = carrier.compose_reference(lead_code, ordinal);
        let taken = shipment::by_name(tx, account, OperatorName::Reference(&candidate)).await?;
        if taken.is_none() {
            return Ok(candidate);
        }
    }
    Err(StoreError::Corrupt {
        place: "shipment.reference",
    }
    .into())
}
