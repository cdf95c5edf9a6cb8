//! Settling a doubt by hand, as invariant 5 and the account's abilities allow.
//!
//! In: an order whose answer was lost, with and without the operator having it. Out: red when something is sent twice, or
//! a worker's late answer crosses a decision.

use super::setup::{App, Line, on_both, refused};
use hoibao::domain::capability::DuplicateReference;
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::tracking_number::TrackingNumber;
use hoibao::edge::carrier::CallKind;
use hoibao::edge::store::queue::QueueState;
use hoibao::stage::decide::{Answer, Refusal, Standing, Wish};
use hoibao::stage::{dispatch, resolve};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const QUIESCENCE_MS: i64 = 600_000;

fn has_it(number: Option<&str>) -> Wish {
    Wish {
        tracking_number: number.map(|number| TrackingNumber::parse(number).unwrap()),
        ..Wish::of(Answer::OperatorHasIt)
    }
}

/// On an account without look-up that may accept duplicates a person is the way out: the operator has it.
#[tokio::test]
async fn the_operator_has_it_ends_the_doubt_and_is_asked_after_from_then_on() {
    on_both(async |app: &App| {
        app.capable(false, DuplicateReference::Unknown).await;
        let id = app.doubted(1, Line::AnswerLost).await;
        app.clock.advance_ms(2 * QUIESCENCE_MS);
        app.resolve().await;
        assert_eq!(app.row(id).await.state, DeliveryState::InDoubt);
        let done = app
            .propose("canbo", id, has_it(Some("EB123456785VN")))
            .await
            .unwrap();
        assert_eq!(done.standing, Standing::Applied);
        let row = app.row(id).await;
        assert_eq!(row.state, DeliveryState::At(EventKind::Booked));
        assert_eq!(row.tracking_number.as_deref(), Some("EB123456785VN"));
        assert_eq!(app.queue(id).await.state, QueueState::Done);
        assert_eq!(app.attempts(id).await[0].settled.as_deref(), Some("decided"));
        assert_eq!(app.number("SELECT COUNT(*) FROM poll").await, 1);
        // Never twice: nothing is left to send.
        app.dispatch().await;
        app.resolve().await;
        assert_eq!(app.wire.creates.load(Ordering::SeqCst), 1);
        assert_eq!(
            refused(app.propose("canbo", id, has_it(None)).await),
            Refusal::NoDoubt
        );
        app.recomputed(id).await;

        let other = app.doubted(2, Line::AnswerLost).await;
        let taken = has_it(Some("EB123456785VN"));
        assert_eq!(
            refused(app.propose("canbo", other, taken).await),
            Refusal::TrackingTaken
        );
        assert_eq!(app.row(other).await.state, DeliveryState::InDoubt);
    })
    .await;
}

/// Sent again only after the quiescence and by two people, under the same reference; then the operator has one order.
#[tokio::test]
async fn a_resend_needs_the_quiescence_and_a_second_person() {
    on_both(async |app: &App| {
        for (number, look_up) in [(1, false), (2, true)] {
            app.capable(look_up, DuplicateReference::Unknown).await;
            let id = app.doubted(number, Line::CallLost).await;
            let calls = app.wire.creates.load(Ordering::SeqCst);
            let again = Wish::of(Answer::OperatorHasNot);
            let early = refused(app.propose("canbo", id, again.clone()).await);
            assert!(matches!(early, Refusal::TooEarly(_)), "{early:?}");
            app.clock.advance_ms(QUIESCENCE_MS);
            let waits = app.propose("canbo", id, again).await.unwrap();
            assert_eq!(waits.standing, Standing::Waits);
            // A proposal alone moves nothing.
            assert_eq!(
                (app.row(id).await.state, app.queue(id).await.state),
                (DeliveryState::InDoubt, QueueState::Doubt)
            );
            app.dispatch().await;
            assert_eq!(app.wire.creates.load(Ordering::SeqCst), calls);
            let done = app.approve("lanhdao", waits.decision).await.unwrap();
            assert_eq!(done.standing, Standing::Applied);
            let queued = app.queue(id).await;
            assert_eq!(
                (queued.state, queued.attempts, queued.doubted_at),
                (QueueState::Ready, 0, None)
            );
            assert_eq!(app.row(id).await.state, DeliveryState::Queued);
            app.dispatch().await;
            assert_eq!(app.row(id).await.state, DeliveryState::At(EventKind::Booked));
            let attempts = app.attempts(id).await;
            assert_eq!(attempts.len(), 2);
            assert_eq!(attempts[0].reference, attempts[1].reference);
            assert_eq!(app.wire.creates.load(Ordering::SeqCst), calls + 1);
            app.recomputed(id).await;
        }
        assert_eq!(
            app.simulator
                .counters()
                .get("orders_created")
                .copied()
                .unwrap_or(2),
            2
        );
    })
    .await;
}

/// Where the account refuses duplicates the resend is itself the question, and one person may ask it.
#[tokio::test]
async fn where_duplicates_are_refused_one_person_may_resend() {
    on_both(async |app: &App| {
        app.capable(false, DuplicateReference::Refused).await;
        let id = app.doubted(1, Line::CallLost).await;
        app.clock.advance_ms(QUIESCENCE_MS);
        let again = Wish::of(Answer::OperatorHasNot);
        assert_eq!(
            app.propose("canbo", id, again).await.unwrap().standing,
            Standing::Applied
        );
        assert_eq!(app.queue(id).await.state, QueueState::Ready);
    })
    .await;
}

/// What the operator has shown is no doubt any more: it cannot be sent again.
#[tokio::test]
async fn nothing_is_resent_once_the_operator_showed_it() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::CallLost).await;
        app.clock.advance_ms(QUIESCENCE_MS);
        app.told(id, 1, "10", EventKind::InTransit).await;
        let again = Wish::of(Answer::OperatorHasNot);
        assert_eq!(
            refused(app.propose("canbo", id, again).await),
            Refusal::OrderStands
        );
        assert_eq!(app.queue(id).await.state, QueueState::Doubt);
    })
    .await;
}

/// A decision in the middle of a look-up: the look-up's answer comes under a stale lease and changes nothing.
#[tokio::test]
async fn a_decision_during_a_look_up_makes_its_lease_stale() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::CallLost).await;
        app.clock.advance_ms(QUIESCENCE_MS);
        *app.wire.gated.lock().unwrap() = Some(CallKind::Read);
        let looks = {
            let context = Arc::clone(&app.context);
            async move { resolve::tick(&context).await.unwrap() }
        };
        let decides = async {
            app.wire.arrived.acquire().await.unwrap().forget();
            assert_eq!(app.queue(id).await.state, QueueState::Leased);
            app.propose("canbo", id, has_it(None)).await.unwrap();
            let after = (app.rows().await, app.queue(id).await.lease_token);
            app.wire.go.add_permits(1);
            after
        };
        let (_, (rows, token)) = tokio::join!(looks, decides);
        *app.wire.gated.lock().unwrap() = None;
        assert_eq!((app.rows().await, app.queue(id).await.lease_token), (rows, token));
        let queued = app.queue(id).await;
        assert_eq!((queued.state, queued.absences), (QueueState::Done, 0));
        assert_eq!(app.row(id).await.state, DeliveryState::At(EventKind::Booked));
        app.recomputed(id).await;
    })
    .await;
}

/// While a call that creates the order is under way no decision touches the row; afterwards it may.
#[tokio::test]
async fn while_an_order_is_being_created_every_decision_is_refused() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        hoibao::stage::reconcile::tick(&app.context).await.unwrap();
        *app.wire.gated.lock().unwrap() = Some(CallKind::Submit);
        let sends = {
            let context = Arc::clone(&app.context);
            async move { dispatch::tick(&context).await.unwrap() }
        };
        let decides = async {
            app.wire.arrived.acquire().await.unwrap().forget();
            let (rows, token) = (app.rows().await, app.queue(id).await.lease_token);
            for answer in Answer::ALL {
                let wish = Wish {
                    at: Some(app.context.clock.now()),
                    correction: Some(hoibao::stage::decide::Correction::default()),
                    ..Wish::of(*answer)
                };
                assert_eq!(
                    refused(app.propose("hai-vai", id, wish).await),
                    Refusal::CallUnderWay,
                    "{answer:?}"
                );
            }
            assert_eq!((app.rows().await, app.queue(id).await.lease_token), (rows, token));
            app.wire.go.add_permits(1);
        };
        tokio::join!(sends, decides);
        *app.wire.gated.lock().unwrap() = None;
        assert_eq!(app.row(id).await.state, DeliveryState::At(EventKind::Booked));
    })
    .await;
}
