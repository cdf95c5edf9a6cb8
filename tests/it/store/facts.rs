//! `record`: rows, journal and events follow from facts, once each, in any company.
//!
//! In: facts, alone and at once. Out: red when a row is not the fold of its facts, a sequence has a gap, an event is
//! changed after the fact, or a document is free that is not, or the other way round.

use super::on_both;
use super::place::{Engine, NOW, Place, number, run};
use super::road::{Road, counts, event, stated};
use futures_util::future::join_all;
use hoibao::domain::custody::{self, CustodyAct, CustodyFact};
use hoibao::domain::delivery::{self, DeliveryFact, EventKind, FactBody};
use hoibao::domain::dossier::{self as dossier_fold, ShipmentView};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::journal::{Entry, Kind, Subject, SubjectKind};
use hoibao::edge::store::record::{self, NewFacts};
use hoibao::edge::store::{Row, Sql, StoreError, dossier, journal, shipment};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

const OUTBOX: Sql = Sql {
    name: "test_outbox",
    sqlite: "SELECT endpoint_id, dossier_id, sequence, body FROM outbox ORDER BY endpoint_id, dossier_id, sequence",
    postgres: "SELECT endpoint_id, dossier_id, sequence, body FROM outbox ORDER BY endpoint_id, dossier_id, sequence",
};

/// Sequence and body of each event, by endpoint and dossier.
type Events = BTreeMap<(Vec<u8>, Vec<u8>), Vec<(i64, Vec<u8>)>>;

async fn events(road: &Road) -> Events {
    let mut tx = road.store.snapshot().await.unwrap();
    let mut events = Events::new();
    for row in tx.rows(OUTBOX, Vec::new()).await.unwrap() {
        let bytes = |row: &Row, column| row.bytes(column).unwrap();
        events
            .entry((bytes(&row, "endpoint_id"), bytes(&row, "dossier_id")))
            .or_default()
            .push((row.int("sequence").unwrap(), bytes(&row, "body")));
    }
    events
}

/// The entries of a subject, after checking that their sequences are 1, 2, 3 and so on.
async fn entries(road: &Road, kind: SubjectKind, id: [u8; 16]) -> Vec<Entry> {
    let mut tx = road.store.snapshot().await.unwrap();
    let bytes = journal::of_subject(&mut tx, Subject { kind, id }, 10_000)
        .await
        .unwrap();
    let entries: Vec<Entry> = bytes
        .iter()
        .map(|bytes| Entry::from_bytes(bytes).unwrap())
        .collect();
    let sequences: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(
        sequences,
        (1..=u64::try_from(entries.len()).unwrap()).collect::<Vec<_>>(),
        "a gap in the journal"
    );
    assert!(entries.iter().all(|entry| entry.subject == Subject { kind, id }));
    entries
}

/// The rows of a shipment and of the dossiers equal what their facts fold to, and the journal ends where they say.
async fn check(road: &Road, ids: &[ShipmentId]) {
    let mut tx = road.store.snapshot().await.unwrap();
    for id in ids {
        let row = shipment::find(&mut tx, *id).await.unwrap().unwrap();
        let delivery = delivery::fold(&shipment::delivery_facts(&mut tx, *id).await.unwrap());
        let custody = custody::fold(&shipment::custody_facts(&mut tx, *id).await.unwrap(), &delivery);
        assert_eq!(row.state, delivery.state);
        assert_eq!(
            (row.contested, row.partial, &row.held),
            (delivery.contested, delivery.partial, &delivery.held)
        );
        assert_eq!((row.attempts, row.visits), (delivery.attempts, delivery.visits));
        assert_eq!(
            (row.last_event_at, row.delivered_at),
            (delivery.last_event_at, delivery.delivered_at)
        );
        assert_eq!(
            (row.custody.as_str(), row.closed),
            (custody.place.as_str(), custody.closed)
        );
        assert_eq!(
            (row.handed_over_at, row.collected_at),
            (custody.handed_over_at, custody.collected_at)
        );
        let last = entries(road, SubjectKind::Shipment, *id.as_bytes()).await.len();
        assert_eq!(row.journal_sequence, u64::try_from(last).unwrap());
    }
    for id in road.dossiers {
        let row = dossier::find(&mut tx, id).await.unwrap().unwrap();
        let mut views = Vec::new();
        for (shipment, registered_at) in shipment::of_dossier(&mut tx, id).await.unwrap() {
            let delivery = delivery::fold(&shipment::delivery_facts(&mut tx, shipment).await.unwrap());
            let custody = custody::fold(
                &shipment::custody_facts(&mut tx, shipment).await.unwrap(),
                &delivery,
            );
            views.push(ShipmentView {
                shipment,
                registered_at,
                delivery,
                custody,
            });
        }
        let folded = dossier_fold::fold(&dossier::facts(&mut tx, id).await.unwrap(), &views);
        assert_eq!(row.status, u32::from(folded.status.unwrap().number()));
        assert_eq!(
            (row.returned_at, row.shipment),
            (folded.returned_at, folded.shipment)
        );
        assert_eq!(
            row.discrepancy.as_deref(),
            folded.discrepancy.map(dossier_fold::Discrepancy::as_str)
        );
        let last = entries(road, SubjectKind::Dossier, *id.as_bytes()).await.len();
        assert_eq!(row.journal_sequence, u64::try_from(last).unwrap());
    }
    for ((_, _), events) in events(road).await {
        let numbers: Vec<i64> = events.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(
            numbers,
            (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>(),
            "a gap in the events"
        );
        for (sequence, body) in events {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["data"]["sequence"], sequence);
        }
    }
}

async fn live(road: &Road, id: ShipmentId) -> Vec<bool> {
    let mut tx = road.store.snapshot().await.unwrap();
    shipment::items(&mut tx, id)
        .await
        .unwrap()
        .iter()
        .map(|item| item.live)
        .collect()
}

fn desk(id: ShipmentId, minute: i64, act: CustodyAct) -> NewFacts {
    NewFacts {
        custody: vec![CustodyFact::new(
            id,
            NOW.plus_ms(minute * 60_000),
            act,
            None,
            None,
        )],
        ..NewFacts::default()
    }
}

on_both! {
    /// The same fact again: no row, no entry, no event, no change.
    async fn the_same_fact_twice_changes_nothing(place: &Place) {
        let road = Road::build(place.store().await).await;
        let id = road.shipment;
        assert_eq!(road.facts(id, NOW, event(id, 1, EventKind::Accepted)).await.unwrap(), 1);
        assert_eq!(road.facts(id, NOW, desk(id, 0, CustodyAct::HandedOver)).await.unwrap(), 1);
        let before = (counts(&road.store).await, events(&road).await);
        assert_eq!(road.facts(id, NOW.plus_ms(5), event(id, 1, EventKind::Accepted)).await.unwrap(), 0);
        assert_eq!(road.facts(id, NOW.plus_ms(5), desk(id, 0, CustodyAct::HandedOver)).await.unwrap(), 0);
        assert_eq!(road.dossier_facts(road.dossiers[0], vec![stated(road.dossiers[0], NOW, 9)]).await.unwrap(), 0);
        assert_eq!((counts(&road.store).await, events(&road).await), before);
        let kinds: Vec<Kind> = entries(&road, SubjectKind::Shipment, *id.as_bytes()).await.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::DeliveryFact, Kind::CustodyFact]);
        check(&road, &[id]).await;
    }

    /// A whole road: each row equals its fold at each step, and delivery takes both dossiers to 10, dated then.
    async fn rows_are_the_fold_of_their_facts(place: &Place) {
        let road = Road::build(place.store().await).await;
        let id = road.shipment;
        road.facts(id, NOW, NewFacts::ours(DeliveryFact::ours(id, NOW, FactBody::Queued))).await.unwrap();
        let steps = [
            desk(id, 0, CustodyAct::AtDesk),
            desk(id, 1, CustodyAct::HandedOver),
            event(id, 3, EventKind::Accepted),
            event(id, 9, EventKind::Delivered),
            event(id, 5, EventKind::DeliveryFailed),
            event(id, 7, EventKind::OutForDelivery),
        ];
        for (minute, step) in (1..).zip(steps) {
            assert_eq!(road.facts(id, NOW.plus_ms(minute * 1_000), step).await.unwrap(), 1);
            check(&road, &[id]).await;
        }
        let mut tx = road.store.snapshot().await.unwrap();
        let row = shipment::find(&mut tx, id).await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.visits, row.closed), ("delivered", 2, true));
        for dossier in road.dossiers {
            let row = dossier::find(&mut tx, dossier).await.unwrap().unwrap();
            assert_eq!((row.status, row.returned_at), (10, Some(NOW.plus_ms(9 * 60_000))));
        }
    }

    /// Two gateways and many writers on one shipment: every fact is there once and no sequence has a gap.
    async fn writers_at_once_keep_sequences_whole(place: &Place) {
        let road = Road::build(place.store().await).await;
        let other = Road { store: place.reopen().await, ..road.clone() };
        let id = road.shipment;
        let kinds = [EventKind::InTransit, EventKind::AtDeliveryOffice, EventKind::OutForDelivery, EventKind::DeliveryFailed];
        let writers = (0..16_i64).map(|writer| {
            let road = if writer % 2 == 0 { road.clone() } else { other.clone() };
            async move {
                let mut added = 0;
                for (step, kind) in (0..).zip(kinds) {
                    // Every other fact is also written by a neighbour.
                    let author = writer / 2 * 2 + if step % 2 == 0 { writer % 2 } else { 0 };
                    added += road.facts(id, NOW, event(id, author * 10 + step, kind)).await.unwrap();
                }
                added
            }
        });
        let added: u32 = join_all(writers).await.into_iter().sum();
        check(&road, &[id]).await;
        let entries = entries(&road, SubjectKind::Shipment, *id.as_bytes()).await;
        assert_eq!((added, entries.len()), (48, 48), "8 pairs of writers, of whose 8 facts 6 differ");
        assert!(events(&road).await.values().all(|events| !events.is_empty()));
    }

    /// Two shipments of the same dossiers move at once: the events of each dossier stay numbered without a gap.
    async fn events_of_one_dossier_are_numbered_whole(place: &Place) {
        let road = Road::build(place.store().await).await;
        let other = Road { store: place.reopen().await, ..road.clone() };
        let second = ShipmentId::from_bytes([9; 16]);
        road.register(second, "000.00.01.H42-261124-0001__2", &road.dossiers, 2).await.unwrap();
        let moves = |road: Road, id: ShipmentId| async move {
            for minute in 0..20 {
                let kind = if minute % 2 == 0 { EventKind::OutForDelivery } else { EventKind::DeliveryFailed };
                road.facts(id, NOW, event(id, minute, kind)).await.unwrap();
            }
        };
        futures_util::future::join(moves(road.clone(), road.shipment), moves(other, second)).await;
        check(&road, &[road.shipment, second]).await;
        let events = events(&road).await;
        assert_eq!(events.len(), 4, "two receivers, two dossiers");
        assert!(events.values().all(|events| events.len() == 40), "each visible change is one event");
    }

    /// What was told is told: later facts add events and change none.
    async fn events_are_frozen(place: &Place) {
        let road = Road::build(place.store().await).await;
        let id = road.shipment;
        road.facts(id, NOW, event(id, 1, EventKind::Accepted)).await.unwrap();
        let first = events(&road).await;
        assert_eq!(first.len(), 4);
        road.facts(id, NOW.plus_ms(1), event(id, 9, EventKind::Delivered)).await.unwrap();
        let second = events(&road).await;
        for (key, told) in first {
            assert_eq!(second[&key][..told.len()], told[..]);
            assert_eq!(second[&key].len(), told.len() + 1);
        }
    }

    /// Closed without having reached the citizen: the documents may travel again. Delivered: they may not.
    async fn documents_are_freed_only_when_they_came_back(place: &Place) {
        let road = Road::build(place.store().await).await;
        let id = road.shipment;
        let second = ShipmentId::from_bytes([9; 16]);
        let again = || road.register(second, "000.00.01.H42-261124-0001__2", &road.dossiers, 1);
        let taken = again().await.unwrap_err();
        assert!(taken.breaks("document_no") || taken.breaks("shipment_item_live"), "{taken}");
        road.facts(id, NOW, event(id, 1, EventKind::Accepted)).await.unwrap();
        road.facts(id, NOW, event(id, 5, EventKind::Returned)).await.unwrap();
        assert_eq!(live(&road, id).await, [true, true], "returned, but nobody has scanned it in");
        road.facts(id, NOW, desk(id, 9, CustodyAct::BackAtDesk)).await.unwrap();
        assert_eq!(live(&road, id).await, [false, false]);
        again().await.unwrap();
        assert_eq!(live(&road, second).await, [true, true]);
        // A late word opens the first one again: it is written, and the documents stay where they are now.
        assert_eq!(road.facts(id, NOW, event(id, 4, EventKind::Delivered)).await.unwrap(), 1);
        assert_eq!((live(&road, id).await, live(&road, second).await), (vec![false, false], vec![true, true]));
        check(&road, &[id, second]).await;
        road.facts(second, NOW, event(second, 20, EventKind::Accepted)).await.unwrap();
        road.facts(second, NOW, event(second, 25, EventKind::Delivered)).await.unwrap();
        assert_eq!(live(&road, second).await, [true, true], "delivered documents never travel again");
        check(&road, &[id, second]).await;
    }

    /// Reopened while nobody else took them, a shipment takes its documents back.
    async fn documents_come_back_to_a_reopened_shipment(place: &Place) {
        let road = Road::build(place.store().await).await;
        let id = road.shipment;
        road.facts(id, NOW, event(id, 5, EventKind::Cancelled)).await.unwrap();
        assert_eq!(live(&road, id).await, [false, false]);
        road.facts(id, NOW, event(id, 4, EventKind::Delivered)).await.unwrap();
        assert_eq!(live(&road, id).await, [true, true]);
        check(&road, &[id]).await;
    }

    /// A second history of one subject is refused by the schema itself.
    async fn a_sequence_is_given_once(place: &Place) {
        let road = Road::build(place.store().await).await;
        let id = road.shipment;
        road.facts(id, NOW, event(id, 1, EventKind::Accepted)).await.unwrap();
        let entry = entries(&road, SubjectKind::Shipment, *id.as_bytes()).await.remove(0);
        let forged = Entry { id: [8; 16], ..entry };
        let refused = road
            .submit(move |tx| {
                let forged = forged.clone();
                Box::pin(async move { journal::append(tx, &forged).await })
            })
            .await
            .unwrap_err();
        assert!(matches!(refused, StoreError::Constraint { .. }), "{refused}");
        check(&road, &[id]).await;
    }
}

/// Two gateways move two shipments of one dossier, the second in the middle of the first: it waits, and then folds the
/// dossier over what the first one wrote.
#[test]
fn a_dossier_is_folded_over_what_another_gateway_just_wrote() {
    const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    run(Engine::Postgres, async |place: &Place| {
        let road = Road::build(place.store().await).await;
        let other = Road {
            store: place.reopen().await,
            ..road.clone()
        };
        let second = ShipmentId::from_bytes([9; 16]);
        road.register(second, "000.00.01.H42-261124-0001__2", &road.dossiers, 2)
            .await
            .unwrap();
        let (written, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (inner, says, waits) = (road.clone(), Arc::clone(&written), Arc::clone(&go));
        let slow = road.submit(move |tx| {
            let (road, says, waits) = (inner.clone(), Arc::clone(&says), Arc::clone(&waits));
            Box::pin(async move {
                let new = event(road.shipment, 9, EventKind::Delivered);
                record::shipment_facts(&road.store, tx, &road.hand(NOW), road.shipment, new).await?;
                says.add_permits(1);
                waits.acquire().await.unwrap().forget();
                Ok(())
            })
        });
        let quick = async {
            written.acquire().await.unwrap().forget();
            let move_second = other.facts(second, NOW, event(second, 3, EventKind::Accepted));
            let let_go = async {
                while number(&road.store, WAITING).await == 0 {
                    tokio::task::yield_now().await;
                }
                go.add_permits(1);
            };
            futures_util::future::join(move_second, let_go).await.0
        };
        let (slow, quick) = futures_util::future::join(slow, quick).await;
        slow.unwrap();
        assert_eq!(quick.unwrap(), 1);
        check(&road, &[road.shipment, second]).await;
        let mut tx = road.store.snapshot().await.unwrap();
        let row = dossier::find(&mut tx, road.dossiers[0]).await.unwrap().unwrap();
        assert_eq!((row.status, row.returned_at), (10, Some(NOW.plus_ms(9 * 60_000))));
    });
}
