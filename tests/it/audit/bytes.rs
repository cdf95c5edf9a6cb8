//! Changed bytes of entries: which are found, and which cannot be before the journal is sealed. And entries that somebody
//! wrote who knows their form.

use super::clean::audit;
use super::world::World;
use hoibao::domain::delivery::{DeliveryFact, EventKind};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::journal::{Actor, Entry, Fields, Kind, Subject, SubjectKind, Tag};
use hoibao::domain::time::{Resolution, Timestamp};
use hoibao::edge::store::{Command, StoreError, Tx, journal};
use std::collections::BTreeSet;
use std::ops::Range;

/// Who acted, and for which office: nothing in the tables says it a second time (FORMAT.md: 1 version, 2 kind, 16 id, 17
/// subject, 8 sequence, then 17 actor and 16 office).
const UNSEEN: Range<usize> = 44..77;

/// Each byte of the entry that tells of the delivery, changed alone: found, but for those named above.
#[tokio::test]
async fn every_changed_byte_that_can_be_found_is_found() {
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        let id = world.everything().await;
        let bytes = world
            .bytes(
                "SELECT bytes FROM journal WHERE subject_id = \
                 (SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1) \
                 ORDER BY sequence DESC LIMIT 1",
            )
            .await;
        let read = Entry::from_bytes(&bytes).unwrap();
        assert_eq!((read.subject.id, read.kind), (*id.as_bytes(), Kind::DeliveryFact));
        let update = "UPDATE journal SET bytes = $1 WHERE id = \
                      (SELECT id FROM journal WHERE subject_id = \
                      (SELECT id FROM shipment WHERE state = 'delivered' AND contested = 0 ORDER BY id LIMIT 1) \
                      ORDER BY sequence DESC LIMIT 1)";
        let mut unseen = BTreeSet::new();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            world.with_bytes(update, &changed).await;
            if audit(&world).await.is_clean() {
                unseen.insert(place);
            }
        }
        assert_eq!(unseen, UNSEEN.collect::<BTreeSet<usize>>());
        world.with_bytes(update, &bytes).await;
        assert!(audit(&world).await.is_clean());
    }
}

/// Appends an entry as the gateway does.
struct Append(Entry);

impl Command for Append {
    const NAME: &'static str = "test_append";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        journal::append(tx, &self.0).await
    }
}

fn entry(world: &World, kind: Kind, subject: Subject, sequence: u64, fields: Fields) -> Entry {
    let now = world.context.clock.now();
    Entry {
        id: world.context.ids.next(),
        kind,
        subject,
        sequence,
        actor: Actor::STAGE,
        office: [0; 16],
        recorded_at: now,
        occurred_at: Some(now),
        map_version: 1,
        fields,
    }
}

/// A sound entry that tells of a delivery nobody recorded; then the table is given the same fact.
#[tokio::test]
async fn a_well_formed_added_entry_is_found() {
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        world.state(1, |_usual| ()).await;
        let id = world.register("k", &[1]).await;
        let subject = Subject {
            kind: SubjectKind::Shipment,
            id: *id.as_bytes(),
        };
        let at = (world.context.clock.now(), Resolution::Millisecond);
        let fact = DeliveryFact::event(id, at, "14", EventKind::Delivered, false);
        let forged = entry(&world, Kind::DeliveryFact, subject, 3, fact.to_fields());
        world.context.store.submit(Append(forged)).await.unwrap();
        let audit = audit(&world).await;
        let missing = audit.by_kind.get("fact_missing").copied();
        assert_eq!(missing, Some(1), "{:?}", audit.listed);
        let places: BTreeSet<&str> = audit.listed.iter().map(|difference| difference.place).collect();
        assert!(places.is_superset(&BTreeSet::from([
            "state",
            "delivered_at",
            "journal_sequence",
            "returned_at"
        ])));
        let state = audit
            .listed
            .iter()
            .find(|difference| difference.place == "state")
            .unwrap();
        assert_eq!(
            (state.journal.as_str(), state.table.as_str()),
            ("delivered", "queued")
        );
        assert_eq!(state.subject, id.to_string());
    }
}

/// Entry and stored fact are changed alike, and the row with them: the fact's identity still tells.
#[tokio::test]
async fn a_fact_forged_in_both_places_is_found_by_its_identity() {
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        world.state(1, |_usual| ()).await;
        let id = world.register("k", &[1]).await;
        world.event(id, "50", EventKind::Accepted).await;
        let bytes = world
            .bytes("SELECT bytes FROM journal WHERE subject_kind = 1 AND sequence = 3")
            .await;
        let mut forged = Entry::from_bytes(&bytes).unwrap();
        assert_eq!(
            forged.fields.get_int(Tag::Status),
            Some(EventKind::Accepted.rank())
        );
        forged.fields = forged.fields.int(Tag::Status, EventKind::InTransit.rank());
        world
            .with_bytes(
                "UPDATE journal SET bytes = $1 WHERE subject_kind = 1 AND sequence = 3",
                &forged.to_bytes().unwrap(),
            )
            .await;
        world
            .with_bytes(
                "UPDATE delivery_fact SET fields = $1 WHERE map_version = 1",
                &forged.fields.to_bytes().unwrap(),
            )
            .await;
        world.raw("UPDATE shipment SET state = 'in_transit'").await;
        let audit = audit(&world).await;
        let kinds: Vec<&str> = audit.by_kind.keys().copied().collect();
        assert_eq!(kinds, ["fact_identity"], "{:?}", audit.listed);
    }
}

/// A fact about delivery in the history of a dossier, garbage instead of an entry, garbage for the installation.
#[tokio::test]
async fn entries_that_belong_elsewhere_or_are_none_are_found() {
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        world.state(1, |_usual| ()).await;
        let dossier = Subject {
            kind: SubjectKind::Dossier,
            id: world.bytes("SELECT id FROM dossier").await.try_into().unwrap(),
        };
        let at = (Timestamp::from_ms(5), Resolution::Second);
        let fact = DeliveryFact::event(
            ShipmentId::from_bytes(dossier.id),
            at,
            "14",
            EventKind::Delivered,
            false,
        );
        let misplaced = entry(&world, Kind::DeliveryFact, dossier, 3, fact.to_fields());
        world.context.store.submit(Append(misplaced)).await.unwrap();
        world
            .with_bytes(
                "UPDATE journal SET bytes = $1 WHERE subject_kind = 0",
                "Nguyễn Thị Thử".as_bytes(),
            )
            .await;
        let audit = audit(&world).await;
        let kinds: Vec<(&str, u64)> = audit
            .by_kind
            .iter()
            .map(|(kind, count)| (*kind, *count))
            .collect();
        assert_eq!(
            kinds,
            [
                ("entry_out_of_place", 1),
                ("entry_unreadable", 1),
                ("row_changed", 1)
            ],
            "{:?}",
            audit.listed
        );
        assert!(!format!("{audit:?}").contains("Nguyễn"));
    }
}
