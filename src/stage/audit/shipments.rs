//! Room `stage`, audit: shipments, delivery, custody and what lies in the envelopes.
//!
//! In: the tables side by side. Out: differences, and what dossiers need of their shipments, from the journal alone.
//! Deliberately not here: dossiers.

use super::findings::{DifferenceKind, Findings, Named};
use super::history::History;
use super::stream::{Entries, Facts, Items, Shipments, Stream};
use super::{Views, compare};
use crate::domain::custody::{self, Custody, CustodyFact, Place};
use crate::domain::delivery::{self, Delivery, DeliveryFact};
use crate::domain::dossier::ShipmentView;
use crate::domain::id::{DossierId, ShipmentId};
use crate::domain::journal::{Entry, Kind, SubjectKind, Tag};
use crate::edge::store::audit::{AuditedItem, AuditedRow, Cell, Cells, FactRow, FactTable};
use crate::edge::store::{StoreError, Tx};
use std::collections::BTreeMap;

/// Walks through all shipments.
pub(super) async fn walk(tx: &mut Tx, findings: &mut Findings<'_>) -> Result<Views, StoreError> {
    let mut entries = Stream::new(Entries(SubjectKind::Shipment));
    let mut rows = Stream::new(Shipments);
    let mut delivery = Stream::new(Facts(FactTable::Delivery));
    let mut custody = Stream::new(Facts(FactTable::Custody));
    let mut items = Stream::new(Items);
    let mut views = Views::default();
    loop {
        let next = [
            entries.next_subject(tx).await?,
            rows.next_subject(tx).await?,
            delivery.next_subject(tx).await?,
            custody.next_subject(tx).await?,
            items.next_subject(tx).await?,
        ];
        let Some(id) = next.into_iter().flatten().min() else {
            return Ok(views);
        };
        let told = entries.take(tx, id).await?;
        let stored = Stored {
            id: ShipmentId::from_bytes(id),
            row: rows.take(tx, id).await?.into_iter().next(),
            delivery: delivery.take(tx, id).await?,
            custody: custody.take(tx, id).await?,
            items: items.take(tx, id).await?,
        };
        let history = History::read(findings, SubjectKind::Shipment, &told);
        if let Some((view, dossiers)) = stored.compare(findings, &history) {
            views.add(view, dossiers);
        }
    }
}

/// Everything the tables have about one shipment.
struct Stored {
    id: ShipmentId,
    row: Option<AuditedRow>,
    delivery: Vec<FactRow>,
    custody: Vec<FactRow>,
    items: Vec<AuditedItem>,
}

impl Stored {
    fn named(&self) -> Named {
        Named(SubjectKind::Shipment.number().into(), *self.id.as_bytes())
    }

    /// Compares; the shipment as its dossiers see it, and those dossiers, when it was ever registered.
    fn compare(
        &self,
        findings: &mut Findings<'_>,
        history: &History,
    ) -> Option<(ShipmentView, Vec<DossierId>)> {
        let named = self.named();
        let entries = &history.entries;
        let delivery = self.delivery(findings, entries);
        let custody = self.custody(findings, entries, &delivery);
        let registered = entries
            .iter()
            .find(|entry| entry.kind == Kind::ShipmentRegistered);
        match &self.row {
            Some(row) => {
                findings.audit.shipments += 1;
                if registered.is_none() {
                    findings.whole(DifferenceKind::RowUnwritten, named, "registered");
                }
                let mut expected = folded(&delivery, &custody);
                expected.insert("journal_sequence", Cell::from(history.last_sequence));
                if let Some(registered) = registered {
                    expected.extend(fixed(registered));
                    expected.insert("revision", Cell::from(newest_revision(entries)));
                }
                compare::row(findings, named, &expected, row);
            }
            None if history.last_sequence > 0 => {
                findings.whole(DifferenceKind::RowMissing, named, "shipment");
            }
            // Facts or documents of nobody: the database itself refuses them, and each is told below.
            None => {}
        }
        let pairs = registered.map(pairs).unwrap_or_default();
        self.documents(findings, &pairs, &custody);
        let registered_at = registered?.recorded_at;
        let view = ShipmentView {
            shipment: self.id,
            registered_at,
            delivery,
            custody,
        };
        let dossiers = pairs.into_values().map(DossierId::from_bytes).collect();
        Some((view, dossiers))
    }

    fn delivery(&self, findings: &mut Findings<'_>, entries: &[Entry]) -> Delivery {
        let read = |entry: &Entry| {
            let fact = DeliveryFact::from_fields(&entry.fields, entry.occurred_at?)?;
            let (fields, sound) = (fact.to_fields(), fact.is_of(self.id));
            Some((fact, fields, sound))
        };
        let told = (entries, Kind::DeliveryFact);
        delivery::fold(&compare::facts(
            findings,
            self.named(),
            told,
            &self.delivery,
            read,
        ))
    }

    fn custody(&self, findings: &mut Findings<'_>, entries: &[Entry], delivery: &Delivery) -> Custody {
        let read = |entry: &Entry| {
            let fact = CustodyFact::from_fields(&entry.fields, entry.occurred_at?)?;
            let (fields, sound) = (fact.to_fields(), fact.is_of(self.id));
            Some((fact, fields, sound))
        };
        let told = (entries, Kind::CustodyFact);
        let facts = compare::facts(findings, self.named(), told, &self.custody, read);
        custody::fold(&facts, delivery)
    }

    /// The documents registered, and those in the table.
    fn documents(
        &self,
        findings: &mut Findings<'_>,
        pairs: &BTreeMap<[u8; 16], [u8; 16]>,
        custody: &Custody,
    ) {
        let named = self.named();
        let mut left = pairs.clone();
        for item in &self.items {
            findings.audit.items += 1;
            let Some(dossier) = left.remove(&item.id) else {
                findings.whole(DifferenceKind::ItemUnwritten, named, "item");
                continue;
            };
            if dossier != item.dossier {
                let cells = (&Cell::from(dossier), &Cell::from(item.dossier));
                findings.add(DifferenceKind::ItemChanged, named, "dossier_id", cells);
            }
            let live = is_live(custody);
            // A shipment that opened again does not take back what another one holds by then.
            if item.live != live && !(live && item.elsewhere) {
                let cells = (&Cell::from(live), &Cell::from(item.live));
                findings.add(DifferenceKind::ItemChanged, named, "live", cells);
            }
        }
        for _missing in left {
            findings.whole(DifferenceKind::ItemMissing, named, "item");
        }
    }
}

/// Whether a shipment holds its documents: until it is closed, and for ever when they reached the citizen.
fn is_live(custody: &Custody) -> bool {
    let reached = match custody.place {
        Place::WithAddressee | Place::Collected => true,
        Place::Awaited
        | Place::AtDecidingOffice
        | Place::AtDesk
        | Place::Packed
        | Place::HandedOver
        | Place::WithOperator
        | Place::BackAtDesk
        | Place::Destroyed
        | Place::Lost => false,
    };
    !custody.closed || reached
}

/// Item and dossier of every document registered.
fn pairs(registered: &Entry) -> BTreeMap<[u8; 16], [u8; 16]> {
    let bytes = registered.fields.get_bytes(Tag::Items).unwrap_or_default();
    let (ids, _rest) = bytes.as_chunks::<16>();
    ids.iter()
        .zip(ids.iter().skip(1))
        .step_by(2)
        .map(|(item, dossier)| (*item, *dossier))
        .collect()
}

fn newest_revision(entries: &[Entry]) -> Option<i64> {
    entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::ShipmentRegistered | Kind::ShipmentRevised))
        .filter_map(|entry| entry.fields.get_int(Tag::Revision))
        .max()
}

/// The columns that never change.
fn fixed(registered: &Entry) -> Cells {
    let id = |tag| Cell::from(registered.fields.get_id(tag));
    Cells::from([
        ("source_id", id(Tag::Source)),
        ("account_id", id(Tag::Account)),
        ("record_id", id(Tag::Record)),
        ("receiving_office_id", id(Tag::ReceivingOffice)),
        ("deciding_office_id", id(Tag::DecidingOffice)),
        ("sending_office_id", id(Tag::SendingOffice)),
        ("return_office_id", id(Tag::ReturnToOffice)),
        ("created_at", Cell::from(registered.recorded_at)),
    ])
}

/// The columns that facts fold to.
fn folded(delivery: &Delivery, custody: &Custody) -> Cells {
    Cells::from([
        ("state", Cell::from(delivery.state.as_str())),
        ("contested", Cell::from(delivery.contested)),
        ("partial", Cell::from(delivery.partial)),
        ("held", Cell::from(delivery.held.as_deref())),
        ("attempts", Cell::from(delivery.attempts)),
        ("visits", Cell::from(delivery.visits)),
        ("failure_code", Cell::from(delivery.failure_code.as_deref())),
        ("last_event_at", Cell::from(delivery.last_event_at)),
        ("delivered_at", Cell::from(delivery.delivered_at)),
        ("custody", Cell::from(custody.place.as_str())),
        ("handed_over_at", Cell::from(custody.handed_over_at)),
        ("collected_at", Cell::from(custody.collected_at)),
        ("without_handover", Cell::from(custody.without_handover)),
        ("closed", Cell::from(custody.closed)),
    ])
}
