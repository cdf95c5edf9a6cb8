//! Room `edge::store`: writing facts. The one place that moves a shipment or a dossier.
//!
//! A new fact, its journal entry, the folded row, the dossiers' folds and the frozen events are written in one
//! transaction. In: facts. Out: what they fold to now. A fact known already changes nothing. Deliberately not here:
//! whether a fact may be stated.

use super::shipment::ShipmentRow;
use super::{Store, StoreError, Tx, args, dossier, journal, shipment, sql};
use crate::domain::custody::{self, Custody, CustodyFact, Place};
use crate::domain::delivery::{self, Delivery, DeliveryFact};
use crate::domain::dossier::{
    self as dossier_fold, Discrepancy, Dossier, DossierFact, DossierStatus, ReturnBy, ShipmentView,
};
use crate::domain::event::{self, ShipmentBlock};
use crate::domain::id::{DossierId, EndpointId, Ids, OutboxId, ShipmentId};
use crate::domain::journal::{Actor, Entry, Fields, Kind, Subject, SubjectKind};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// Who writes, when, for which office.
#[derive(Clone, Copy)]
pub struct Hand<'a> {
    /// New identifiers.
    pub ids: &'a dyn Ids,
    /// Now.
    pub now: Timestamp,
    /// Who acts.
    pub actor: Actor,
    /// For which office; zero for none.
    pub office: [u8; 16],
}

impl std::fmt::Debug for Hand<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hand")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Hand<'_> {
    /// A journal entry by this hand.
    pub fn entry(
        &self,
        kind: Kind,
        subject: Subject,
        sequence: u64,
        occurred_at: Option<Timestamp>,
        fields: Fields,
    ) -> Entry {
        Entry {
            id: self.ids.next(),
            kind,
            subject,
            sequence,
            actor: self.actor,
            office: self.office,
            recorded_at: self.now,
            occurred_at,
            map_version: 0,
            fields,
        }
    }

    /// Appends an entry about the installation itself.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    pub async fn append_system(&self, tx: &mut Tx, kind: Kind, fields: Fields) -> Result<(), StoreError> {
        let subject = Subject {
            kind: SubjectKind::System,
            id: [0; 16],
        };
        journal::append(tx, &self.entry(kind, subject, 0, None, fields)).await
    }
}

/// New statements about one shipment, written together.
#[derive(Clone, Debug, Default)]
pub struct NewFacts {
    /// About delivery, each with the version of the map that understood it (0 for our own).
    pub delivery: Vec<(DeliveryFact, u32)>,
    /// About the paper.
    pub custody: Vec<CustodyFact>,
    /// Other entries about the shipment (registered, revised, decided, quarantined), with their time.
    pub entries: Vec<(Kind, Option<Timestamp>, Fields)>,
}

impl NewFacts {
    /// One delivery fact of our own.
    pub fn ours(fact: DeliveryFact) -> Self {
        Self {
            delivery: vec![(fact, 0)],
            ..Self::default()
        }
    }
}

/// What a shipment folds to after writing.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The row as it was before.
    pub before: ShipmentRow,
    /// Delivery now.
    pub delivery: Delivery,
    /// Custody now.
    pub custody: Custody,
    /// Facts that were new.
    pub added: u32,
}

/// Writes facts about a shipment and everything that follows from them.
///
/// # Errors
/// [`StoreError::Corrupt`] when the shipment does not exist; else as the database says.
pub async fn shipment_facts(
    store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    id: ShipmentId,
    new: NewFacts,
) -> Result<Recorded, StoreError> {
    let before = shipment::lock(tx, id)
        .await?
        .ok_or(StoreError::Corrupt { place: "shipment" })?;
    let (sequence, added) = write_facts(tx, hand, &before, new).await?;
    let delivery = delivery::fold(&shipment::delivery_facts(tx, id).await?);
    let custody = custody::fold(&shipment::custody_facts(tx, id).await?, &delivery);
    if sequence == before.journal_sequence {
        return Ok(Recorded {
            before,
            delivery,
            custody,
            added,
        });
    }
    write_fold(tx, id, sequence, &delivery, &custody, hand.now).await?;
    free_documents(tx, id, &before, &custody).await?;
    // A new shipment looks as its row was inserted; that there is one at all is the change.
    let changed = before.journal_sequence == 0 || visible(&before) != visible_now(&delivery, &custody);
    if changed {
        let dossiers: BTreeSet<DossierId> = shipment::items(tx, id)
            .await?
            .into_iter()
            .map(|item| item.dossier)
            .collect();
        let view = ShipmentView {
            shipment: id,
            registered_at: before.created_at,
            delivery: delivery.clone(),
            custody: custody.clone(),
        };
        for dossier in dossiers {
            refold(
                store,
                tx,
                hand,
                dossier,
                Change {
                    facts: Vec::new(),
                    view: Some(&view),
                },
            )
            .await?;
        }
    }
    Ok(Recorded {
        before,
        delivery,
        custody,
        added,
    })
}

/// Inserts what is new, each with its entry; the last sequence used and how many facts were new.
async fn write_facts(
    tx: &mut Tx,
    hand: &Hand<'_>,
    shipment: &ShipmentRow,
    new: NewFacts,
) -> Result<(u64, u32), StoreError> {
    let subject = Subject {
        kind: SubjectKind::Shipment,
        id: *shipment.id.as_bytes(),
    };
    let mut sequence = shipment.journal_sequence;
    let mut added = 0;
    for (kind, at, fields) in new.entries {
        sequence += 1;
        journal::append(tx, &hand.entry(kind, subject, sequence, at, fields)).await?;
    }
    for (fact, map_version) in &new.delivery {
        if insert_delivery_fact(tx, shipment.id, fact, *map_version, hand.now).await? {
            sequence += 1;
            added += 1;
            let at = Some(fact.occurred_at);
            let mut entry = hand.entry(Kind::DeliveryFact, subject, sequence, at, fact.to_fields());
            entry.map_version = *map_version;
            journal::append(tx, &entry).await?;
        }
    }
    for fact in &new.custody {
        if insert_custody_fact(tx, shipment.id, fact, hand.now).await? {
            sequence += 1;
            added += 1;
            let at = Some(fact.occurred_at);
            journal::append(
                tx,
                &hand.entry(Kind::CustodyFact, subject, sequence, at, fact.to_fields()),
            )
            .await?;
        }
    }
    Ok((sequence, added))
}

/// What a dossier folds to after writing.
#[derive(Clone, Debug)]
pub struct RecordedDossier {
    /// The dossier now.
    pub dossier: Dossier,
    /// Facts that were new.
    pub added: u32,
}

/// Writes facts about a dossier and everything that follows from them.
///
/// # Errors
/// [`StoreError::Corrupt`] when the dossier does not exist; else as the database says.
pub async fn dossier_facts(
    store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    id: DossierId,
    facts: Vec<DossierFact>,
) -> Result<RecordedDossier, StoreError> {
    refold(store, tx, hand, id, Change { facts, view: None }).await
}

/// Opens a dossier's history in the journal: its first entry.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn open_dossier(
    tx: &mut Tx,
    hand: &Hand<'_>,
    id: DossierId,
    source: [u8; 16],
) -> Result<(), StoreError> {
    let subject = Subject {
        kind: SubjectKind::Dossier,
        id: *id.as_bytes(),
    };
    let fields = Fields::new().bytes(crate::domain::journal::Tag::Source, &source);
    journal::append(tx, &hand.entry(Kind::DossierOpened, subject, 1, None, fields)).await?;
    set_dossier_sequence(tx, id, 1).await
}

/// Appends to a dossier's history what moves nothing of its fold, for the dossier's office: what became of an event.
///
/// # Errors
/// [`StoreError::Corrupt`] when the dossier does not exist; else as the database says.
pub async fn note_dossier(
    tx: &mut Tx,
    hand: &Hand<'_>,
    id: DossierId,
    kind: Kind,
    fields: Fields,
) -> Result<(), StoreError> {
    let row = dossier::lock(tx, id)
        .await?
        .ok_or(StoreError::Corrupt { place: "dossier" })?;
    let subject = Subject {
        kind: SubjectKind::Dossier,
        id: *id.as_bytes(),
    };
    let hand = Hand {
        office: *row.office.as_bytes(),
        ..*hand
    };
    let sequence = row.journal_sequence + 1;
    journal::append(tx, &hand.entry(kind, subject, sequence, None, fields)).await?;
    set_dossier_sequence(tx, id, sequence).await
}

async fn set_dossier_sequence(tx: &mut Tx, id: DossierId, sequence: u64) -> Result<(), StoreError> {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    tx.execute(sql!("dossier" / "sequence"), args![id, sequence])
        .await
        .map(drop)
}

struct Change<'a> {
    facts: Vec<DossierFact>,
    view: Option<&'a ShipmentView>,
}

async fn refold(
    store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    id: DossierId,
    change: Change<'_>,
) -> Result<RecordedDossier, StoreError> {
    let row = dossier::lock(tx, id)
        .await?
        .ok_or(StoreError::Corrupt { place: "dossier" })?;
    let subject = Subject {
        kind: SubjectKind::Dossier,
        id: *id.as_bytes(),
    };
    let mut sequence = row.journal_sequence;
    let mut added = 0;
    for fact in &change.facts {
        let fields = fact.to_fields();
        let bytes = fields.to_bytes().map_err(|_long| StoreError::Corrupt {
            place: "dossier fact",
        })?;
        let version = fact.map_version();
        let values = args![id, &fact.id.0, fact.occurred_at, version, bytes];
        if tx.execute(sql!("dossier_fact" / "insert"), values).await? == 1 {
            sequence += 1;
            added += 1;
            let mut entry = hand.entry(
                Kind::DossierFact,
                subject,
                sequence,
                Some(fact.occurred_at),
                fields,
            );
            entry.map_version = version;
            journal::append(tx, &entry).await?;
        }
    }
    // A dossier of which nothing but its opening was written has no older facts, and no shipment.
    let fresh = row.journal_sequence <= 1 && change.view.is_none();
    let (facts, views) = if fresh {
        (change.facts, Vec::new())
    } else {
        let views = views(tx, id, change.view).await?;
        (dossier::facts(tx, id).await?, views)
    };
    let folded = dossier_fold::fold(&facts, &views);
    write_dossier(tx, &row, sequence, &folded, hand.now).await?;
    let moved = change.view.is_some()
        || row.returned_at != folded.returned_at
        || row.shipment != folded.shipment
        || row.discrepancy.as_deref() != folded.discrepancy.map(Discrepancy::as_str);
    if moved && !views.is_empty() {
        publish(store, tx, hand, &row, &folded, &views).await?;
    }
    Ok(RecordedDossier {
        dossier: folded,
        added,
    })
}

/// Every shipment of a dossier, folded anew; the one at hand is taken as given.
async fn views(
    tx: &mut Tx,
    id: DossierId,
    given: Option<&ShipmentView>,
) -> Result<Vec<ShipmentView>, StoreError> {
    let mut views = Vec::new();
    for (shipment, registered_at) in shipment::of_dossier(tx, id).await? {
        if let Some(view) = given.filter(|view| view.shipment == shipment) {
            views.push(view.clone());
            continue;
        }
        let delivery = delivery::fold(&shipment::delivery_facts(tx, shipment).await?);
        let custody = custody::fold(&shipment::custody_facts(tx, shipment).await?, &delivery);
        views.push(ShipmentView {
            shipment,
            registered_at,
            delivery,
            custody,
        });
    }
    Ok(views)
}

/// One frozen body per receiver, numbered per dossier.
async fn publish(
    _store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    row: &dossier::DossierRow,
    folded: &Dossier,
    views: &[ShipmentView],
) -> Result<(), StoreError> {
    let receivers = tx
        .rows(sql!("outbox" / "receivers"), args![row.source, row.id])
        .await?;
    if receivers.is_empty() {
        return Ok(());
    }
    let view = views.iter().find(|view| Some(view.shipment) == folded.shipment);
    let shown = match view {
        None => None,
        Some(view) => shipment::find(tx, view.shipment).await?,
    };
    let block = view.zip(shown.as_ref()).map(|(view, row)| ShipmentBlock {
        id: view.shipment.to_string(),
        short_number: &row.short_number,
        tracking_number: row.tracking_number.as_deref(),
        delivery: &view.delivery,
        custody: &view.custody,
    });
    for receiver in receivers {
        let endpoint = receiver.id("id", EndpointId::from_bytes)?;
        let sequence = receiver.int("last")? + 1;
        let names = (row.source_code.as_str(), row.code.as_str());
        let body = event::body(names, sequence, hand.now, folded, block.as_ref());
        let id = OutboxId::new(hand.ids);
        let values = args![
            id,
            endpoint,
            row.id,
            sequence,
            event::DELIVERY_CHANGED,
            body,
            hand.now
        ];
        tx.execute(sql!("outbox" / "insert"), values).await?;
    }
    Ok(())
}

/// What the outside, and a dossier's fold, can see of a shipment: a change of it is an event.
type Visible = (
    String,
    bool,
    bool,
    Option<String>,
    Option<Timestamp>,
    String,
    Option<Timestamp>,
    Option<Timestamp>,
);

fn visible(row: &ShipmentRow) -> Visible {
    let state = row.state.as_str().to_owned();
    (
        state,
        row.contested,
        row.partial,
        row.held.clone(),
        row.delivered_at,
        row.custody.clone(),
        row.handed_over_at,
        row.collected_at,
    )
}

fn visible_now(delivery: &Delivery, custody: &Custody) -> Visible {
    (
        delivery.state.as_str().to_owned(),
        delivery.contested,
        delivery.partial,
        delivery.held.clone(),
        delivery.delivered_at,
        custody.place.as_str().to_owned(),
        custody.handed_over_at,
        custody.collected_at,
    )
}

async fn insert_delivery_fact(
    tx: &mut Tx,
    id: ShipmentId,
    fact: &DeliveryFact,
    map_version: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let bytes = fact.to_fields().to_bytes().map_err(|_long| StoreError::Corrupt {
        place: "delivery fact",
    })?;
    let values = args![id, &fact.id.0, fact.occurred_at, map_version, now, bytes];
    Ok(tx.execute(sql!("delivery_fact" / "insert"), values).await? == 1)
}

async fn insert_custody_fact(
    tx: &mut Tx,
    id: ShipmentId,
    fact: &CustodyFact,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let bytes = fact.to_fields().to_bytes().map_err(|_long| StoreError::Corrupt {
        place: "custody fact",
    })?;
    let values = args![id, &fact.id.0, fact.occurred_at, now, bytes];
    Ok(tx.execute(sql!("custody_fact" / "insert"), values).await? == 1)
}

async fn write_fold(
    tx: &mut Tx,
    id: ShipmentId,
    sequence: u64,
    delivery: &Delivery,
    custody: &Custody,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = args![
        id,
        i64::try_from(sequence).unwrap_or(i64::MAX),
        delivery.state.as_str(),
        delivery.contested,
        delivery.partial,
        delivery.held.clone(),
        delivery.attempts,
        delivery.visits,
        delivery.failure_code.clone(),
        delivery.last_event_at,
        delivery.delivered_at,
        custody.place.as_str(),
        custody.handed_over_at,
        custody.collected_at,
        custody.without_handover,
        custody.closed,
        now,
    ];
    tx.execute(sql!("shipment" / "fold"), values).await.map(drop)
}

/// A document may travel again once its shipment is closed without having reached the citizen. Should a later fact
/// open the shipment again, it takes its documents back unless another live shipment holds them by then.
async fn free_documents(
    tx: &mut Tx,
    id: ShipmentId,
    before: &ShipmentRow,
    custody: &Custody,
) -> Result<(), StoreError> {
    let reached = matches!(custody.place, Place::WithAddressee | Place::Collected);
    if custody.closed && !reached {
        tx.execute(sql!("shipment_item" / "set_free"), args![id]).await?;
    } else if before.closed {
        tx.execute(sql!("shipment_item" / "set_live"), args![id]).await?;
    }
    Ok(())
}

async fn write_dossier(
    tx: &mut Tx,
    row: &dossier::DossierRow,
    sequence: u64,
    folded: &Dossier,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stated = folded.stated.as_ref();
    let values = args![
        row.id,
        i64::try_from(sequence).unwrap_or(i64::MAX),
        stated.map_or("", |statement| statement.status_raw.as_str()),
        stated.map_or(1, |statement| i64::from(statement.status.number())),
        folded
            .status
            .map_or(1, |status: DossierStatus| i64::from(status.number())),
        stated.map_or(0, |statement| statement.map_version),
        folded.return_by.map_or(0, ReturnBy::number),
        stated.map_or(1, |statement| statement.submitted_by.number()),
        stated.map_or(row.received_at, |statement| statement.received_at),
        stated.and_then(|statement| statement.due_at),
        stated.and_then(|statement| statement.finished_at),
        folded.returned_at,
        folded.post_withdrawn,
        stated.is_some_and(|statement| statement.duplicate),
        folded.shipment,
        folded.discrepancy.map(Discrepancy::as_str),
        now,
    ];
    tx.execute(sql!("dossier" / "fold"), values).await.map(drop)
}
