//! Events that are not understood, or cannot be.
//!
//! In: codes of no map, times that cannot be. Out: red when one is lost, believed, told to the operator as an error, or not
//! applied once it has become plain.

use super::stand_in::StandIn;
use super::{DAY_MS, DELIVERED, HOUR_MS, MINUTE_MS, Row, at, booked, dossier, read, tell};
use crate::support::app::{TestApp, on_both};
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::time::Clock as _;
use hoibao::edge::carrier::Carriers;
use hoibao::edge::carrier::myvnpost::MyVnPost;
use hoibao::stage::context::Context;
use hoibao::stage::reconcile;
use serde_json::json;
use std::sync::Arc;

const OUT: Row = (12, "24/11/2026", "08:00:00");
const MAP: &str = include_str!("../../../fixtures/status-maps/myvnpost.v1.csv");

/// Reasons of what lies in quarantine, in order.
async fn reasons(app: &TestApp) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, reason) in counts
        .iter_mut()
        .zip(["unknown_code", "no_time", "future", "before_order"])
    {
        let text = format!(
            "SELECT COUNT(*) FROM tracking_event WHERE state = 'quarantined' AND reason = '{reason}'"
        );
        *count = app.number(&text).await;
    }
    counts
}

async fn entries(app: &TestApp) -> i64 {
    app.number("SELECT COUNT(*) FROM journal WHERE kind = 8").await
}

/// An unknown code leaves the last state and raises a flag; a time that cannot be read, lies in the future or before the
/// order is kept; each has its entry, once, and none is a fact.
#[tokio::test]
async fn what_cannot_be_believed_is_kept_and_changes_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        app.clock.set(at("2026-11-24T09:00:00"));
        tell(&app, id, &[OUT]).await;
        let facts = app.number("SELECT COUNT(*) FROM delivery_fact").await;
        let strange = [
            OUT,
            (26, "24/11/2026", "08:30:00"),
            (14, "24/11/2026", "chiều"),
            (14, "", ""),
            (14, "31/02/2026", "10:00:00"),
            (14, "24/11/2026", "09:05:01"),
            (14, "24/11/2099", "09:00:00"),
            (14, "22/11/2026", "09:00:00"),
            (14, "01/01/0001", "00:00:00"),
        ];
        for _ in 0..3 {
            tell(&app, id, &strange).await;
            // Rows without a time that can be read, the year 1 among them, are told apart by their words only; these
            // four have the same.
            assert_eq!(reasons(&app).await, [1, 1, 2, 1]);
            assert_eq!(entries(&app).await, 5);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM delivery_fact").await, facts);
        let row = app.shipment(id).await;
        assert_eq!(
            (row.state, row.unknown_code.as_deref()),
            (DeliveryState::At(EventKind::OutForDelivery), Some("26"))
        );
        assert_eq!(dossier(&app, 1).await["status"], json!(9));
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE state <> 'read'")
                .await,
            0,
            "no error"
        );
        app.finish().await;
    })
    .await;
}

/// A time in the future is applied by the next look when it has come, though the operator tells nothing new; until then
/// looks get rarer as always.
#[tokio::test]
async fn a_future_event_is_applied_when_its_time_has_come() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells(&[OUT, (14, "24/11/2026", "12:00:00")]);
        app.clock.set(at("2026-11-24T09:00:00"));
        app.drain().await;
        assert_eq!(
            app.shipment(id).await.state,
            DeliveryState::At(EventKind::OutForDelivery)
        );
        app.live_through(2 * HOUR_MS + 45 * MINUTE_MS, 15 * MINUTE_MS)
            .await;
        assert_eq!(reasons(&app).await, [0, 0, 1, 0]);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox").await,
            1,
            "the same answer is no news"
        );
        app.live_through(3 * HOUR_MS, 15 * MINUTE_MS).await;
        let row = app.shipment(id).await;
        assert_eq!(
            (row.state, row.delivered_at),
            (DELIVERED, Some(at("2026-11-24T12:00:00")))
        );
        assert_eq!(reasons(&app).await, [0; 4]);
        assert_eq!(
            dossier(&app, 1).await["returned_at"],
            json!("2026-11-24T05:00:00.000Z")
        );
        app.finish().await;
    })
    .await;
}

/// A gateway with a newer map, which knows what `code` means.
async fn upgraded(app: &TestApp, code: &str, facts: &str) -> Arc<Context> {
    let mut context = Arc::try_unwrap(app.second().await).unwrap();
    let map = format!("{MAP}{code},Mới,{facts},false,\n");
    let carrier = MyVnPost::new().unwrap().with_status_map(&map, 2).unwrap();
    context.carriers = Carriers::new(vec![Arc::new(carrier)]);
    Arc::new(context)
}

/// A newer map knows the code: the next look applies it, though the operator tells nothing new, and lowers the flag. A code
/// that turns out to be a note lowers it too.
#[tokio::test]
async fn an_unknown_code_is_applied_when_the_map_knows_it() {
    on_both(async |engine| {
        for (facts, expect, added) in [
            ("delivered", EventKind::Delivered, 1),
            ("", EventKind::OutForDelivery, 0),
        ] {
            let app = TestApp::start(engine).await;
            let id = booked(&app, 1).await[0];
            let operator = StandIn::in_place_of_the_operator(&app).await;
            operator.tells(&[OUT, (25, "24/11/2026", "08:40:00")]);
            app.clock.set(at("2026-11-24T09:00:00"));
            app.drain().await;
            assert_eq!(app.shipment(id).await.unknown_code.as_deref(), Some("25"));
            let before = app.number("SELECT COUNT(*) FROM delivery_fact").await;
            let newer = upgraded(&app, "25", facts).await;
            app.clock.advance_ms(15 * MINUTE_MS);
            reconcile::tick(&newer).await.unwrap();
            read(&newer).await;
            let row = app.shipment(id).await;
            assert_eq!((row.state, row.unknown_code), (DeliveryState::At(expect), None));
            assert_eq!(
                app.number("SELECT COUNT(*) FROM delivery_fact").await,
                before + added
            );
            assert_eq!(reasons(&app).await, [0; 4]);
            assert_eq!(entries(&app).await, 1);
            let version = app.number("SELECT MAX(map_version) FROM tracking_event").await;
            assert_eq!(version, 2);
            // The older gateway, still running, does not take it back.
            app.clock.advance_ms(DAY_MS);
            app.drain().await;
            assert_eq!(app.shipment(id).await.state, DeliveryState::At(expect));
            assert_eq!(app.shipment(id).await.unknown_code, None);
            app.finish().await;
        }
    })
    .await;
}

/// The map knows the code now, but the time cannot be: it stays in quarantine, for that reason, and the flag is lowered.
#[tokio::test]
async fn the_reason_of_quarantine_follows_what_is_known() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        app.clock.set(at("2026-11-24T09:00:00"));
        let rows = [OUT, (25, "20/11/2026", "08:40:00")];
        tell(&app, id, &rows).await;
        assert_eq!(reasons(&app).await, [1, 0, 0, 0]);
        let newer = upgraded(&app, "25", "delivered").await;
        super::put(&app, id, &rows).await;
        read(&newer).await;
        assert_eq!((reasons(&app).await, entries(&app).await), ([0, 0, 0, 1], 2));
        let row = app.shipment(id).await;
        assert_eq!(
            (row.state, row.unknown_code, row.heard_at),
            (
                DeliveryState::At(EventKind::OutForDelivery),
                None,
                Some(app.clock.now())
            )
        );
        app.finish().await;
    })
    .await;
}
