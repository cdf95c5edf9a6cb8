//! Stopping what the operator has already.
//!
//! In: a wish to cancel, and an operator that does it at once, later, or not. Out: red when the state claims more than the
//! operator said.

use super::{BOOKED, HOUR_MS, MINUTE_MS, SENT, always};
use crate::support::app::{Engine, TestApp, hex, on_both};
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::time::Clock as _;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::{Fault, Faults};
use reqwest::StatusCode;

const CANCELLED: DeliveryState = DeliveryState::At(EventKind::Cancelled);
/// Time between two questions about one cancellation.
const ASK_EVERY_MS: i64 = 15 * MINUTE_MS;

async fn asked(engine: Engine) -> (TestApp, ShipmentId) {
    let app = TestApp::start(engine).await;
    let id = app.register(1).await;
    app.drain().await;
    assert_eq!(app.stands(id).await, SENT);
    app.clock.advance_ms(MINUTE_MS);
    let (status, told) = app.ask_to_cancel(id).await;
    assert_eq!((status, &told["result"]), (StatusCode::ACCEPTED, &"asked".into()));
    assert_eq!(app.stands(id).await.0, DeliveryState::CancelRequested);
    (app, id)
}

/// The answer is the verdict: cancelled at once, at both sides.
#[tokio::test]
async fn it_is_done_at_once() {
    on_both(async |engine| {
        let (app, id) = asked(engine).await;
        app.drain().await;
        assert_eq!(app.stands(id).await, (CANCELLED, QueueState::Done));
        assert_eq!(app.sale(id).await.live(), 0);
        assert_eq!(app.wire.of("orderCancel").len(), 1);
        app.live_through(HOUR_MS, ASK_EVERY_MS).await;
        assert_eq!(
            app.wire.of("orderCancel").len(),
            1,
            "asked again after the verdict"
        );
        app.finish().await;
    })
    .await;
}

/// The answer opens a case: the shipment is "cancel requested" until the case is judged, and the case is asked for, not the
/// cancellation again.
#[tokio::test]
async fn a_case_is_followed_to_its_verdict() {
    on_both(async |engine| {
        for (refused, expect, live) in [(0, CANCELLED, 0), (1_000, BOOKED, 1)] {
            let (app, id) = asked(engine).await;
            app.faults(always(Fault::CancelCase).with(Fault::CancelRefused, refused));
            app.drain().await;
            assert_eq!(app.stands(id).await.0, DeliveryState::CancelRequested);
            assert!(app.shipment(id).await.cancel_case.is_some());
            app.live_through(24 * HOUR_MS, ASK_EVERY_MS).await;
            let row = app.shipment(id).await;
            assert_eq!((row.state, row.cancel_case), (expect, None));
            assert_eq!(
                (app.sale(id).await.live(), app.wire.of("orderCancel").len()),
                (live, 1)
            );
            assert!(app.wire.of("updateCase").len() <= 24 * 4);
            app.finish().await;
        }
    })
    .await;
}

/// The operator cancels and its answer is lost: it is asked again after a while, and the end is the same.
#[tokio::test]
async fn a_lost_verdict_is_asked_for_again() {
    on_both(async |engine| {
        let (app, id) = asked(engine).await;
        app.faults(always(Fault::LostAnswer));
        app.drain().await;
        app.faults(Faults::none());
        assert_eq!(app.stands(id).await.0, DeliveryState::CancelRequested);
        app.live_through(ASK_EVERY_MS - 1_000, MINUTE_MS).await;
        assert_eq!(app.wire.of("orderCancel").len(), 1, "asked again too soon");
        app.live_through(1_000, 1_000).await;
        assert_eq!(app.stands(id).await.0, CANCELLED);
        assert_eq!(app.sale(id).await.live(), 0);
        app.finish().await;
    })
    .await;
}

/// The operator has the paper: it refuses, and the shipment goes on as before.
#[tokio::test]
async fn a_collected_parcel_is_not_cancelled() {
    on_both(async |engine| {
        let (app, id) = asked(engine).await;
        let reference = app.shipment(id).await.reference;
        app.simulator().hand_over(&reference, app.clock.now());
        app.drain().await;
        assert_eq!(app.stands(id).await, (BOOKED, QueueState::Done));
        assert_eq!(app.sale(id).await.live(), 1);
        app.finish().await;
    })
    .await;
}

/// Without the operator's identifier it is looked up first, by our reference.
#[tokio::test]
async fn a_missing_identifier_is_looked_up() {
    on_both(async |engine| {
        let (app, id) = asked(engine).await;
        app.raw("UPDATE shipment SET operator_id = NULL").await;
        app.drain().await;
        assert_eq!(app.stands(id).await.0, CANCELLED);
        assert_eq!(app.wire.of("getOrder").len(), 1);
        app.finish().await;
    })
    .await;
}

/// Invariant 16: a shipment that cannot be read does not keep the others from being cancelled.
#[tokio::test]
async fn a_damaged_one_does_not_block_the_others() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let ids = [
            app.register(1).await,
            app.register(2).await,
            app.register(3).await,
        ];
        app.drain().await;
        app.clock.advance_ms(MINUTE_MS);
        for id in ids {
            assert_eq!(app.ask_to_cancel(id).await.0, StatusCode::ACCEPTED);
        }
        let first = ids.iter().min().unwrap();
        let row = app.bytes_literal(&hex(first.as_bytes()));
        // A fact that cannot be read: nothing can be written about this one.
        let damage = app.bytes_literal("00");
        let fact = app.bytes_literal(&"aa".repeat(32));
        app.raw(&format!(
            "INSERT INTO delivery_fact (shipment_id, fact_id, occurred_at, map_version, heard_at, fields)
             VALUES ({row}, {fact}, 0, 0, 0, {damage})"
        ))
        .await;
        assert!(
            hoibao::stage::cancel::tick(&app.context).await.is_err(),
            "the damage is told"
        );
        for id in ids.iter().filter(|id| *id != first) {
            assert_eq!(app.stands(*id).await.0, CANCELLED);
        }
        app.raw(&format!("DELETE FROM delivery_fact WHERE fact_id = {fact}"))
            .await;
        app.live_through(ASK_EVERY_MS, ASK_EVERY_MS).await;
        assert_eq!(app.stands(*first).await.0, CANCELLED);
        app.finish().await;
    })
    .await;
}
