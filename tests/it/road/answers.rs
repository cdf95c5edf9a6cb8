//! What one answer of the operator leads to.
//!
//! In: one shipment and one kind of answer. Out: red when a certainty is claimed that is none, or a doubt that is none.

use super::{DOUBT, HOUR_MS, MINUTE_MS, QUIESCENCE_MS, SECOND_MS, SENT, WAITS, always, one_order};
use crate::support::app::{Looking, Outcome, Plan, Settings, TestApp, on_both};
use hoibao::domain::delivery::DeliveryState;
use hoibao::domain::time::Clock as _;
use hoibao::edge::store::attempt;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::{Fault, Faults};
use std::sync::{Arc, Mutex};

/// One order, one attempt; the shipment knows the operator's numbers, and the dossier stays at 9 when the paper leaves.
#[tokio::test]
async fn a_shipment_is_booked_once_and_handed_over() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        app.drain().await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(app.told(id).await, ["accepted: accepted"]);
        one_order(&app, id).await;
        app.scan_in(1).await;
        assert_eq!(app.hand_over(1, id).await.taken, 1);
        app.drain().await;
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM dossier WHERE status = 9").await,
            1
        );
        app.finish().await;
    })
    .await;
}

/// Finished in the system is not paper in hand: nothing is sent until somebody scanned the paper in.
#[tokio::test]
async fn an_order_waits_for_the_paper() {
    on_both(async |engine| {
        let settings = Settings {
            paper_first: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.live_through(HOUR_MS, 10 * MINUTE_MS).await;
        assert_eq!(app.stands(id).await, (DeliveryState::Queued, QueueState::Paper));
        assert!(app.wire.of("CreateOrder").is_empty());
        app.scan_in(1).await;
        app.drain().await;
        assert_eq!(app.stands(id).await, SENT);
        app.finish().await;
    })
    .await;
}

/// Invariant 3: while the call waits to leave, another connection already sees the attempt, under its lease, with the very
/// bytes that are about to leave.
#[tokio::test]
async fn no_byte_leaves_before_a_committed_attempt_row() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        let (other, seen) = (app.second().await, Arc::new(Mutex::new(None)));
        let keep = Arc::clone(&seen);
        let look = move |request: hoibao::edge::carrier::WireRequest| {
            let future = async move {
                let mut tx = other.store.snapshot().await.unwrap();
                let attempts = attempt::list(&mut tx, id).await.unwrap();
                *keep.lock().unwrap() = Some((attempts, request.body));
            };
            let looking: Looking = Box::pin(future);
            looking
        };
        app.wire.plan("CreateOrder", Plan::Before(Box::new(look)));
        app.dispatch().await;
        let (attempts, body) = seen.lock().unwrap().take().expect("the call was made");
        let [attempt] = attempts.as_slice() else {
            panic!("not one attempt: {attempts:?}")
        };
        assert_eq!(
            (attempt.number, attempt.outcome, attempt.ended_at),
            (1, None, None)
        );
        assert_eq!(attempt.reference, app.shipment(id).await.reference);
        assert_eq!(attempt.lease_token, app.queued(id).await.lease_token);
        let sent = app
            .evidence(id)
            .await
            .into_iter()
            .find(|(kind, _)| kind == "sent");
        assert_eq!(sent.unwrap().1, body);
        app.finish().await;
    })
    .await;
}

/// A refused connection is certainly "not sent": no doubt, no look-up, and the schedule says when to try again.
#[tokio::test]
async fn a_refused_connection_is_not_sent_and_tried_again_by_the_schedule() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nowhere = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        app.change_account(|account| account.base_url = nowhere).await;
        app.dispatch().await;
        assert_eq!(app.stands(id).await, WAITS);
        assert_eq!(app.told(id).await, ["not_sent: never_left"]);
        let (row, now) = (app.queued(id).await, app.clock.now());
        let base_ms = app.context.limits.dispatch_retry.base_ms();
        assert_eq!((row.attempts, row.first_at), (1, Some(now)));
        assert!(row.due_at >= now && row.due_at <= now.plus_ms(base_ms));
        app.change_account(|_| ()).await;
        app.clock.set(row.due_at);
        app.drain().await;
        assert_eq!(app.told(id).await, ["not_sent: never_left", "accepted: accepted"]);
        assert!(app.wire.of("getOrder").is_empty());
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// The operator took the order and its answer was lost: nothing is sent again, the look-up finds it.
#[tokio::test]
async fn a_lost_answer_is_a_doubt_that_the_look_up_settles() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        app.faults(always(Fault::LostAnswer));
        app.dispatch().await;
        app.faults(Faults::none());
        assert_eq!(app.stands(id).await, DOUBT);
        app.live_through(QUIESCENCE_MS - SECOND_MS, MINUTE_MS).await;
        assert!(
            app.wire.of("getOrder").is_empty(),
            "asked before the quiescence was over"
        );
        app.live_through(SECOND_MS, SECOND_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(app.told(id).await, ["unknown: unknown, found"]);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// 5xx, and 200 with an error text of doubt: the operator may have taken the order before it failed.
#[tokio::test]
async fn server_errors_and_error_bodies_are_doubts() {
    on_both(async |engine| {
        for fault in [Fault::ServerError, Fault::ErrorBody] {
            let app = TestApp::start(engine).await;
            let id = app.register(1).await;
            app.faults(always(fault));
            app.dispatch().await;
            assert_eq!(app.stands(id).await, DOUBT, "{fault:?}");
            assert_eq!(app.told(id).await, ["unknown: unknown"]);
            app.finish().await;
        }
    })
    .await;
}

/// Masked names, old unit codes and odd shapes around them change nothing about an accepted order.
#[tokio::test]
async fn masked_and_odd_replies_are_understood() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let faults = always(Fault::MaskedReply)
            .with(Fault::OldCodes, 1_000)
            .with(Fault::OddShape, 1_000);
        app.faults(faults.clone());
        let booked = app.register(1).await;
        app.dispatch().await;
        let found = app.register(2).await;
        app.faults(faults.clone().with(Fault::LostAnswer, 1_000));
        app.dispatch().await;
        app.faults(faults);
        app.live_through(QUIESCENCE_MS, QUIESCENCE_MS).await;
        for id in [booked, found] {
            assert_eq!(app.stands(id).await, SENT);
            one_order(&app, id).await;
        }
        app.finish().await;
    })
    .await;
}

/// A token that the operator refuses is fetched anew, once; the refused call counts as no attempt.
#[tokio::test]
async fn a_refused_token_is_fetched_anew_and_counts_as_no_attempt() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        app.faults(always(Fault::TokenExpiry));
        app.dispatch().await;
        app.faults(Faults::none());
        assert_eq!(app.stands(id).await, WAITS);
        assert_eq!(
            (app.told(id).await, app.queued(id).await.attempts),
            (vec!["not_sent: token_refused".to_owned()], 0)
        );
        app.live_through(MINUTE_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(app.wire.of("GetAccessToken").len(), 2);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Invariant 16: `Retry-After` is never undercut, also where the rate budget would allow a burst, and also by a gateway
/// that holds permits from before. A throttled call counts as no attempt.
#[tokio::test]
async fn retry_after_is_never_undercut_by_any_gateway() {
    on_both(async |engine| {
        let settings = Settings {
            // A minute's burst: more than any Retry-After of this operator.
            account: |account| (account.rate_per_minute, account.rate_burst) = (60, 120),
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let other = app.second().await;
        // The other gateway takes permits and keeps what it does not need.
        let first = app.register(1).await;
        hoibao::stage::dispatch::tick(&other).await.unwrap();
        assert_eq!(app.stands(first).await, SENT);
        let ids = [app.register(2).await, app.register(3).await];
        app.faults(always(Fault::TooManyRequests));
        app.dispatch().await;
        app.faults(Faults::none());
        let throttled: Vec<_> = app.wire.of("CreateOrder").split_off(1);
        let told = |text: &str| hoibao::domain::retry::parse_retry_after(text, app.clock.now());
        let waits = throttled.iter().map(|call| {
            assert_eq!(call.outcome, Outcome::Status(429));
            match told(call.retry_after.as_deref().unwrap()).unwrap() {
                hoibao::domain::retry::RetryAfter::WaitMs(ms) => call.at.plus_ms(ms),
                hoibao::domain::retry::RetryAfter::BreakerOpenUntil(_) => panic!("that is a day"),
            }
        });
        let until = waits.max().unwrap();
        assert!(until > app.clock.now());
        assert_eq!(app.queued(ids[0]).await.attempts, 0);
        let calls = app.wire.calls().len();
        while app.clock.now() < until {
            assert_eq!(
                app.wire.calls().len(),
                calls,
                "called before Retry-After had passed"
            );
            app.advance_ms(SECOND_MS.min(until.since_ms(app.clock.now())))
                .await;
            if app.clock.now() < until {
                hoibao::stage::dispatch::tick(&other).await.unwrap();
                app.drain().await;
            }
        }
        app.live_through(10 * MINUTE_MS, 10 * SECOND_MS).await;
        for id in ids {
            assert_eq!(app.stands(id).await, SENT);
            one_order(&app, id).await;
        }
        app.finish().await;
    })
    .await;
}
