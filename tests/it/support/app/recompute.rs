//! Everything anew from the journal's bytes alone, and compared with the tables.
//!
//! In: entry bytes. Out: red when a sequence has a gap, a fact or a folded column differs, or an entry holds what must not
//! stand in it. Written without a look at the gateway's own recomputation: two that agree are worth more than one.

use super::{TestApp, seed};
use hoibao::domain::custody::{self, CustodyFact};
use hoibao::domain::delivery::{self, DeliveryFact, FactId};
use hoibao::domain::dossier::{self, Discrepancy, DossierFact, ShipmentView};
use hoibao::domain::id::{DossierId, ShipmentId};
use hoibao::domain::journal::{Entry, Kind, Subject, SubjectKind, Tag};
use hoibao::domain::time::Timestamp;
use hoibao::edge::store::journal::{self, Position};
use hoibao::edge::store::{dossier as dossier_table, shipment as shipment_table};
use std::collections::{BTreeMap, BTreeSet};

type ById<T> = BTreeMap<[u8; 16], T>;

/// What the journal says of one shipment.
#[derive(Default)]
struct Told {
    registered_at: Option<Timestamp>,
    dossiers: BTreeSet<[u8; 16]>,
    delivery: Vec<DeliveryFact>,
    custody: Vec<CustodyFact>,
}

/// What the whole journal says.
#[derive(Default)]
struct Everything {
    sequences: BTreeMap<Subject, Vec<u64>>,
    shipments: ById<Told>,
    dossiers: ById<Vec<DossierFact>>,
}

/// Recomputes and compares.
pub(super) async fn compare(app: &TestApp) {
    let everything = read(app).await;
    for (subject, mut sequences) in everything.sequences.clone() {
        sequences.sort_unstable();
        let expect: Vec<u64> = (1..).take(sequences.len()).collect();
        assert_eq!(
            sequences, expect,
            "the journal of {subject:?} has gaps or doubles"
        );
    }
    let mut views: ById<Vec<ShipmentView>> = BTreeMap::new();
    for id in app.ids("shipment").await {
        let told = everything.shipments.get(&id);
        let told = told.unwrap_or_else(|| panic!("shipment {id:02x?} is not in the journal"));
        let view = shipment(app, ShipmentId::from_bytes(id), told).await;
        for dossier in &told.dossiers {
            views.entry(*dossier).or_default().push(view.clone());
        }
    }
    for id in app.ids("dossier").await {
        let facts = everything.dossiers.get(&id).cloned().unwrap_or_default();
        let views = views.remove(&id).unwrap_or_default();
        compare_dossier(app, DossierId::from_bytes(id), &facts, &views).await;
    }
}

async fn read(app: &TestApp) -> Everything {
    let mut everything = Everything::default();
    let mut position = Position::START;
    let mut tx = app.context.store.snapshot().await.unwrap();
    loop {
        let (page, after) = journal::page(&mut tx, position, 500).await.unwrap();
        if page.is_empty() {
            return everything;
        }
        position = after;
        for bytes in page {
            let text = String::from_utf8_lossy(&bytes);
            for word in seed::unspeakable() {
                assert!(!text.contains(&word), "a journal entry holds {word:?}");
            }
            everything.take(&Entry::from_bytes(&bytes).unwrap());
        }
    }
}

impl Everything {
    fn take(&mut self, entry: &Entry) {
        if entry.subject.kind != SubjectKind::System {
            let sequences = self.sequences.entry(entry.subject).or_default();
            sequences.push(entry.sequence);
        }
        let subject = entry.subject.id;
        let at = entry.occurred_at;
        let fields = &entry.fields;
        // An entry of another kind changes no fold.
        if entry.kind == Kind::ShipmentRegistered {
            let told = self.shipments.entry(subject).or_default();
            told.registered_at = at;
            let pairs = fields.get_bytes(Tag::Items).unwrap();
            let dossiers = pairs.chunks(32).map(|pair| pair[16..].try_into().unwrap());
            told.dossiers = dossiers.collect();
        } else if entry.kind == Kind::DeliveryFact {
            let fact = DeliveryFact::from_fields(fields, at.unwrap()).unwrap();
            self.shipments.entry(subject).or_default().delivery.push(fact);
        } else if entry.kind == Kind::CustodyFact {
            let fact = CustodyFact::from_fields(fields, at.unwrap()).unwrap();
            self.shipments.entry(subject).or_default().custody.push(fact);
        } else if entry.kind == Kind::DossierOpened {
            self.dossiers.entry(subject).or_default();
        } else if entry.kind == Kind::DossierFact {
            let fact = DossierFact::from_fields(fields, at.unwrap(), entry.map_version).unwrap();
            self.dossiers.entry(subject).or_default().push(fact);
        }
    }
}

async fn shipment(app: &TestApp, id: ShipmentId, told: &Told) -> ShipmentView {
    let row = app.shipment(id).await;
    let mut tx = app.context.store.snapshot().await.unwrap();
    let rows = shipment_table::delivery_facts(&mut tx, id).await.unwrap();
    let ids = |facts: &[DeliveryFact]| facts.iter().map(|fact| fact.id).collect::<BTreeSet<FactId>>();
    assert_eq!(
        ids(&rows),
        ids(&told.delivery),
        "facts and entries of {id} differ"
    );
    assert_eq!(rows.len(), told.delivery.len(), "a fact of {id} has two entries");
    let delivery = delivery::fold(&told.delivery);
    let custody = custody::fold(&told.custody, &delivery);
    assert_eq!(
        (
            row.state,
            row.contested,
            row.partial,
            &row.held,
            row.attempts,
            row.visits,
            row.last_event_at,
            row.delivered_at,
        ),
        (
            delivery.state,
            delivery.contested,
            delivery.partial,
            &delivery.held,
            delivery.attempts,
            delivery.visits,
            delivery.last_event_at,
            delivery.delivered_at,
        ),
        "delivery of {id} is not its fold"
    );
    assert_eq!(
        (
            row.custody.as_str(),
            row.handed_over_at,
            row.collected_at,
            row.closed
        ),
        (
            custody.place.as_str(),
            custody.handed_over_at,
            custody.collected_at,
            custody.closed
        ),
        "custody of {id} is not its fold"
    );
    ShipmentView {
        shipment: id,
        registered_at: told.registered_at.unwrap(),
        delivery,
        custody,
    }
}

async fn compare_dossier(app: &TestApp, id: DossierId, facts: &[DossierFact], views: &[ShipmentView]) {
    let mut tx = app.context.store.snapshot().await.unwrap();
    let row = dossier_table::find(&mut tx, id).await.unwrap().unwrap();
    let folded = dossier::fold(facts, views);
    assert_eq!(
        (
            Some(row.status),
            row.returned_at,
            row.post_withdrawn,
            row.shipment,
            row.discrepancy.as_deref(),
        ),
        (
            folded.status.map(|status| u32::from(status.number())),
            folded.returned_at,
            folded.post_withdrawn,
            folded.shipment,
            folded.discrepancy.map(Discrepancy::as_str),
        ),
        "dossier {id} is not its fold"
    );
}
