//! A gateway that dies at the worst moments (invariants 1, 2, 6).
//!
//! In: a tick whose future is dropped, or whose lease runs out. Out: red when the order is lost, doubled, or changed by
//! somebody whose lease is stale.

use super::{DOUBT, MINUTE_MS, QUIESCENCE_MS, SECOND_MS, SENT, one_order};
use crate::support::app::{Looking, PATIENCE, Plan, Settings, TestApp, on_both};
use hoibao::domain::capability::DuplicateReference;
use hoibao::domain::delivery::DeliveryState;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::DuplicatePolicy;
use hoibao::stage::{dispatch, resolve};
use std::sync::Arc;
use tokio::sync::Notify;

/// A lease and a second.
const LEASE_MS: i64 = 121 * SECOND_MS;

/// Runs dispatch until `point` is told, then drops it with everything it knew.
async fn die_at(app: &TestApp, point: &Notify) {
    let dying = async {
        tokio::select! {
            done = dispatch::tick(&app.context) => panic!("dispatch came to its end: {done:?}"),
            () = point.notified() => {}
        }
    };
    tokio::time::timeout(PATIENCE, dying)
        .await
        .expect("the point was never reached");
}

/// The bytes left, the operator took the order, and the gateway died before it wrote that down.
#[tokio::test]
async fn dead_between_call_and_record_is_found_and_not_sent_again() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        let (answered, _never) = app.wire.hold("CreateOrder");
        die_at(&app, &answered).await;
        assert_eq!(
            app.stands(id).await,
            (DeliveryState::Submitting, QueueState::Leased)
        );
        // As long as the lease runs nobody touches it: the holder might be alive.
        app.live_through(LEASE_MS - 2 * SECOND_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await.1, QueueState::Leased);
        app.live_through(2 * SECOND_MS, SECOND_MS).await;
        assert_eq!(app.stands(id).await, DOUBT);
        app.live_through(QUIESCENCE_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(app.told(id).await, ["unknown: lease_ran_out, found"]);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// The attempt was on record, and the gateway died before the first byte left.
#[tokio::test]
async fn dead_before_the_call_is_absent_and_sent_again() {
    on_both(async |engine| {
        let settings = Settings {
            duplicates: DuplicatePolicy::Refuse,
            account: |account| account.capabilities.duplicate_reference = DuplicateReference::Refused,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        let reached = Arc::new(Notify::new());
        let tell = Arc::clone(&reached);
        let stop = move |_request| {
            let waiting: Looking = Box::pin(async move {
                tell.notify_one();
                std::future::pending::<()>().await;
            });
            waiting
        };
        app.wire.plan("CreateOrder", Plan::Before(Box::new(stop)));
        die_at(&app, &reached).await;
        assert!(app.wire.of("CreateOrder").is_empty());
        app.live_through(LEASE_MS + 2 * QUIESCENCE_MS + MINUTE_MS, 10 * SECOND_MS)
            .await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(
            app.told(id).await,
            ["unknown: lease_ran_out, absent", "accepted: accepted"]
        );
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Invariant 6: a call so slow that its lease ran out and another gateway declared it in doubt. Its answer, an acceptance,
/// is kept as evidence and changes nothing; the look-up tells.
#[tokio::test]
async fn a_stale_lease_changes_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let id = app.register(1).await;
        let (answered, release) = app.wire.hold("CreateOrder");
        let slow = dispatch::tick(&app.context);
        let meanwhile = async {
            answered.notified().await;
            app.advance_ms(LEASE_MS).await;
            dispatch::tick(&other).await.unwrap();
            assert_eq!(app.stands(id).await, DOUBT);
            let before = (app.queued(id).await.lease_token, app.told(id).await);
            release.notify_one();
            before
        };
        let (done, before) = tokio::time::timeout(PATIENCE, futures_util::future::join(slow, meanwhile))
            .await
            .unwrap();
        done.unwrap();
        assert_eq!((app.queued(id).await.lease_token, app.told(id).await), before);
        assert_eq!(app.told(id).await, ["unknown: lease_ran_out"]);
        assert_eq!(app.stands(id).await, DOUBT);
        assert_eq!(app.shipment(id).await.tracking_number, None);
        assert!(app.evidence(id).await.iter().any(|(kind, _)| kind == "received"));
        app.live_through(QUIESCENCE_MS, MINUTE_MS).await;
        assert_eq!(app.told(id).await, ["unknown: lease_ran_out, found"]);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Invariant 6 for resolve: a look-up whose lease ran out cannot settle what another gateway is asking.
#[tokio::test]
async fn a_stale_look_up_settles_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let id = app.register(1).await;
        let (answered, _never) = app.wire.hold("CreateOrder");
        die_at(&app, &answered).await;
        app.live_through(LEASE_MS, LEASE_MS).await;
        app.advance_ms(QUIESCENCE_MS).await;
        let (answered, release) = app.wire.hold("getOrder");
        let slow = resolve::tick(&app.context);
        let meanwhile = async {
            answered.notified().await;
            app.advance_ms(LEASE_MS).await;
            dispatch::tick(&other).await.unwrap();
            assert_eq!(app.stands(id).await, DOUBT);
            let token = app.queued(id).await.lease_token;
            release.notify_one();
            token
        };
        let (done, token) = tokio::time::timeout(PATIENCE, futures_util::future::join(slow, meanwhile))
            .await
            .unwrap();
        done.unwrap();
        assert_eq!(
            (app.stands(id).await, app.queued(id).await.lease_token),
            (DOUBT, token)
        );
        app.drain().await;
        assert_eq!(app.stands(id).await, SENT);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// A batch that takes longer than its lease: what could no longer end in time is not sent under a lease about to run out.
#[tokio::test]
async fn nothing_leaves_under_a_lease_that_is_running_out() {
    on_both(async |engine| {
        let settings = Settings {
            limits: |limits| limits.dispatch_parallel = 1,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let ids = [app.register(1).await, app.register(2).await];
        let (answered, release) = app.wire.hold("CreateOrder");
        let slow = dispatch::tick(&app.context);
        let meanwhile = async {
            answered.notified().await;
            // The lease has a second left; a call may take five.
            app.advance_ms(LEASE_MS - 2 * SECOND_MS).await;
            release.notify_one();
        };
        let (done, ()) = tokio::time::timeout(PATIENCE, futures_util::future::join(slow, meanwhile))
            .await
            .unwrap();
        done.unwrap();
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        let mut told = [app.told(ids[0]).await, app.told(ids[1]).await].concat();
        told.sort_unstable();
        assert_eq!(told, ["accepted: accepted", "not_sent: lease_too_short"]);
        app.live_through(MINUTE_MS, SECOND_MS).await;
        for id in ids {
            assert_eq!(app.stands(id).await, SENT);
            one_order(&app, id).await;
        }
        app.finish().await;
    })
    .await;
}

/// An account that was switched off still gets its dead attempts declared and its doubts settled; nothing new is sent.
#[tokio::test]
async fn an_inactive_account_is_cleared_up_but_not_used() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let dead = app.register(1).await;
        let (answered, _never) = app.wire.hold("CreateOrder");
        die_at(&app, &answered).await;
        let new = app.register(2).await;
        app.change_account(|account| account.active = false).await;
        app.live_through(LEASE_MS + QUIESCENCE_MS + MINUTE_MS, 10 * SECOND_MS)
            .await;
        assert_eq!(app.stands(dead).await, SENT);
        assert_eq!(app.stands(new).await, super::WAITS);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        app.finish().await;
    })
    .await;
}
