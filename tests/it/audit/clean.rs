//! Sound worlds, quiet and under load, are not doubted.

use super::world::{World, code, on_both};
use hoibao::domain::custody::{CustodyAct, CustodyFact};
use hoibao::domain::delivery::{DeliveryFact, EventKind};
use hoibao::domain::time::Resolution;
use hoibao::edge::store::record::NewFacts;
use hoibao::stage::audit::{Audit, Progress, recompute};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) async fn audit(world: &World) -> Audit {
    recompute(&world.context.store, &|_progress| ()).await.unwrap()
}

/// Everything that can happen agrees with the journal, and every row and entry was looked at.
#[tokio::test]
async fn a_world_with_everything_agrees_with_its_journal() {
    on_both(async |world| {
        world.everything().await;
        let told = Mutex::new(Vec::new());
        let audit = recompute(&world.context.store, &|progress| {
            told.lock().unwrap().push(progress);
        })
        .await
        .unwrap();
        assert_eq!(audit.listed, []);
        assert!(audit.is_clean() && audit.by_kind.is_empty());
        assert_eq!((audit.shipments, audit.dossiers, audit.items), (7, 10, 8));
        let entries = world.count("journal").await;
        assert_eq!(audit.entries, entries);
        let facts = world.count("delivery_fact").await
            + world.count("custody_fact").await
            + world.count("dossier_fact").await;
        assert_eq!(audit.facts, facts);
        let told = told.into_inner().unwrap();
        let last = Progress {
            done: entries,
            total: entries,
        };
        assert_eq!(told.last(), Some(&last));
    })
    .await;
}

/// An empty database has nothing to differ.
#[tokio::test]
async fn an_empty_database_is_clean() {
    on_both(async |world| {
        let audit = audit(world).await;
        // The key of the dossier system is the one entry.
        assert_eq!((audit.entries, audit.shipments, audit.dossiers), (1, 0, 0));
        assert!(audit.is_clean());
    })
    .await;
}

/// Invariant 11 where it nearly broke: a second collection moves the date, and the dossier follows it.
#[tokio::test]
async fn a_second_collection_reaches_the_dossier() {
    on_both(async |world| {
        world.state(1, |_usual| ()).await;
        let id = world.register("k", &[1]).await;
        for _ in 0..2 {
            let at = world.context.clock.now().plus_ms(60_000);
            let fact = CustodyFact::new(id, at, CustodyAct::Collected, None, None);
            let new = NewFacts {
                custody: vec![fact],
                ..NewFacts::default()
            };
            world.facts(id, new).await;
        }
        assert_eq!(audit(world).await.listed, []);
    })
    .await;
}

/// Pages end inside of tables and inside of one history, and nothing is lost or seen twice there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_end_anywhere() {
    on_both(async |world| {
        let stating = (1..=1_203).map(|number| world.state(number, |_usual| ()));
        futures_util::future::join_all(stating).await;
        let registering = (1..=520).map(|number| async move {
            let key = code(number);
            world.register(&key, &[number]).await
        });
        let shipments = futures_util::future::join_all(registering).await;
        let now = world.context.clock.now();
        let delivery = (0..1_100).map(|second| {
            let at = (now.plus_ms(second * 1_000), Resolution::Second);
            let fact = DeliveryFact::event(shipments[17], at, "10", EventKind::InTransit, false);
            (fact, 1)
        });
        let new = NewFacts {
            delivery: delivery.collect(),
            ..NewFacts::default()
        };
        world.facts(shipments[17], new).await;
        let audit = audit(world).await;
        assert_eq!(audit.listed, []);
        assert_eq!((audit.shipments, audit.dossiers, audit.items), (520, 1_203, 520));
        assert_eq!(audit.entries, world.count("journal").await);
        assert_eq!(audit.facts, 520 + 1_203 + 1_100);
    })
    .await;
}

/// While entries are being written, an audit sees a snapshot and doubts nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_under_load_finds_nothing() {
    on_both(async |world| {
        world.everything().await;
        let done = AtomicBool::new(false);
        let writing = async {
            let mut written = 0_u32;
            while !done.load(Ordering::SeqCst) {
                written += 1;
                let number = 100 + written;
                world.state(number, |_usual| ()).await;
                let id = world.register(&format!("load-{number}"), &[number]).await;
                world.hand_over(&[(id, &[number])]).await;
                world.event(id, "14", EventKind::Delivered).await;
            }
            written
        };
        let auditing = async {
            let mut seen = Vec::new();
            while seen.len() < 12 {
                let audit = audit(world).await;
                assert_eq!(audit.listed, []);
                seen.push(audit.entries);
            }
            done.store(true, Ordering::SeqCst);
            seen
        };
        let (written, seen) = futures_util::future::join(writing, auditing).await;
        assert!(written > 0);
        // It grew between the audits, so they truly ran beside the writing.
        assert!(seen.first() < seen.last(), "{seen:?}");
        assert_eq!(audit(world).await.listed, []);
    })
    .await;
}
