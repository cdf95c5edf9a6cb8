//! A gateway that dies on the way back (invariants 6, 8, 16).
//!
//! In: ticks whose futures are dropped, leases that run out. Out: red when an answer is lost, counts twice, or is written by
//! somebody whose lease is stale.

use super::{DAY_MS, DELIVERED, JOURNEY, MINUTE_MS, Row, SECOND_MS, at, booked, put, read, tell, weight};
use crate::support::app::{PATIENCE, TestApp, on_both};
use futures_util::FutureExt as _;
use hoibao::stage::{reconcile, tracking};
use std::time::Duration;

const LEASE_MS: i64 = 121 * SECOND_MS;
const ROAD: [Row; 3] = [
    (7, "23/11/2026", "10:00:00"),
    (12, "24/11/2026", "08:00:00"),
    (14, "24/11/2026", "09:15:30"),
];

/// Answered, and dead before the answer was kept: the lease runs out, and another gateway looks again.
#[tokio::test]
async fn dead_between_look_and_keep_looks_again() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let id = booked(&app, 1).await[0];
        app.clock.advance_ms(20 * MINUTE_MS);
        let (answered, _never) = app.wire.hold(JOURNEY);
        let dying = async {
            tokio::select! {
                done = reconcile::tick(&app.context) => panic!("the look came to its end: {done:?}"),
                () = answered.notified() => {}
            }
        };
        tokio::time::timeout(PATIENCE, dying).await.unwrap();
        assert_eq!(
            reconcile::tick(&other).await.unwrap().done,
            0,
            "the holder might be alive"
        );
        app.clock.advance_ms(LEASE_MS);
        assert_eq!(reconcile::tick(&other).await.unwrap().done, 1);
        read(&other).await;
        assert_eq!(app.number("SELECT COUNT(*) FROM tracking_event").await, 1);
        assert!(app.shipment(id).await.heard_at.is_some());
        app.finish().await;
    })
    .await;
}

/// Kept or taken in, and dead before it was read: another gateway reads it.
#[tokio::test]
async fn dead_before_reading_is_read_by_another() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let id = booked(&app, 1).await[0];
        app.clock.set(at("2026-11-25T08:00:00"));
        put(&app, id, &ROAD).await;
        let body = super::callback(&[(&app.shipment(id).await.reference, 14)]);
        app.call_back(body).await;
        assert_eq!(tracking::tick(&other).await.unwrap().done, 2);
        assert_eq!(app.shipment(id).await.state, DELIVERED);
        app.finish().await;
    })
    .await;
}

/// Dropped at each of its waits: whatever was under way stands or does not, and the next tick ends it. Twenty shipments
/// end as the one that was read in peace.
#[tokio::test]
async fn reading_that_is_dropped_anywhere_goes_on() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let ids = booked(&app, 21).await;
        app.clock.set(at("2026-11-25T08:00:00"));
        let before = weight(&app).await;
        tell(&app, ids[0], &ROAD).await;
        let each: Vec<i64> = weight(&app)
            .await
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        let before = weight(&app).await;
        for (polls, id) in ids.iter().enumerate().skip(1) {
            put(&app, *id, &ROAD).await;
            let mut tick = Box::pin(tracking::tick(&app.context));
            for _ in 0..polls {
                // Lets the store work between two looks at the tick.
                let waited = tokio::time::timeout(Duration::from_micros(300), &mut tick).await;
                if waited.is_ok() {
                    break;
                }
            }
            drop(tick);
        }
        read(&app.context).await;
        for id in &ids {
            assert_eq!(app.shipment(*id).await.state, DELIVERED);
        }
        let after = weight(&app).await;
        for (n, (after, before)) in after.iter().zip(before).enumerate() {
            assert_eq!(after - before, 20 * each[n], "count {n}");
        }
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE state <> 'read'")
                .await,
            0
        );
        app.finish().await;
    })
    .await;
}

/// Invariant 6: a look so slow that its lease ran out and another gateway looked. Its answer changes nothing.
#[tokio::test]
async fn a_stale_look_keeps_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        booked(&app, 1).await;
        app.clock.advance_ms(20 * MINUTE_MS);
        let (answered, release) = app.wire.hold(JOURNEY);
        let stands = async || {
            let due = app
                .number("SELECT due_at + fruitless + lease_token FROM poll")
                .await;
            (
                due,
                app.number("SELECT COUNT(*) FROM inbox").await,
                weight(&app).await,
            )
        };
        let slow = async { reconcile::tick(&app.context).await.unwrap() };
        let meanwhile = async {
            answered.notified().await;
            app.clock.advance_ms(LEASE_MS);
            reconcile::tick(&other).await.unwrap();
            read(&other).await;
            let before = stands().await;
            app.clock.advance_ms(DAY_MS);
            release.notify_one();
            before
        };
        let (_, before) = tokio::time::timeout(PATIENCE, futures_util::future::join(slow, meanwhile))
            .await
            .unwrap();
        assert_eq!(stands().await, before);
        assert_eq!(before.1, 1);
        assert!(
            tracking::tick(&app.context)
                .now_or_never()
                .is_none_or(|tick| tick.unwrap().done == 0)
        );
        app.finish().await;
    })
    .await;
}
