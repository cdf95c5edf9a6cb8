//! The whole road, from registration to the dossier's end.
//!
//! In: an operator that calls back, or never does. Out: red when the dossier does not learn what became of its paper, at
//! the operator's own time, or learns it too early.

use super::{BOOKED, DAY_MS, DELIVERED, HOUR_MS, JOURNEY, dossier, handed_over, live_to_the_end, live_until};
use crate::support::app::{Settings, TestApp, on_both};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::time::Timestamp;
use serde_json::json;

/// When the operator's own books say that it was delivered.
async fn delivered_at(app: &TestApp, id: ShipmentId) -> Timestamp {
    let sale = app.sale(id).await;
    let [(status, at)] = sale.orders[0].statuses.iter().rev().take(1).collect::<Vec<_>>()[..] else {
        panic!("the operator's books are empty");
    };
    assert_eq!(*status, 14);
    *at
}

/// Delivered in the books of everybody: shipment, custody, dossier at 10, all dated at the operator's time.
async fn is_delivered(app: &TestApp, id: ShipmentId, number: u32) {
    let at = delivered_at(app, id).await;
    let row = app.shipment(id).await;
    assert_eq!(
        (row.state, row.delivered_at, row.custody.as_str(), row.closed),
        (DELIVERED, Some(at), "with_addressee", true)
    );
    let told = dossier(app, number).await;
    assert_eq!(
        (&told["status"], &told["discrepancy"]),
        (&json!(10), &json!(null))
    );
    assert_eq!(told["returned_at"], json!(at.to_rfc3339()));
    let block = &told["delivery"];
    assert_eq!(block["delivered_at"], json!(at.to_rfc3339()));
    assert_eq!(block["shipment"], json!(id.to_string()));
    assert_eq!(block["tracking_number"], json!(row.tracking_number));
    assert_eq!(
        (
            &block["state"],
            &block["visits"],
            &block["paper"],
            &block["closed"]
        ),
        (
            &json!("delivered"),
            &json!(1),
            &json!("with_addressee"),
            &json!(true)
        )
    );
}

/// Registered, booked, scanned in, packed, handed over; callbacks, looks; delivered. Status 9 holds until there is proof,
/// and 10 is dated at the operator's own time, not at ours.
#[tokio::test]
async fn from_registration_to_the_addressee() {
    on_both(async |engine| {
        let settings = Settings {
            webhook: true,
            paper_first: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.scan_in(1).await;
        app.drain().await;
        assert_eq!(app.shipment(id).await.state, BOOKED);
        app.hand_over(1, id).await;
        let told = dossier(&app, 1).await;
        assert_eq!(
            (&told["status"], &told["delivery"]["paper"]),
            (&json!(9), &json!("handed_over"))
        );
        live_until(&app, HOUR_MS, async || {
            let row = app.shipment(id).await;
            if !row.state.is_final() {
                assert_eq!(dossier(&app, 1).await["status"], json!(9), "{:?}", row.state);
            }
            row.state.is_final()
        })
        .await;
        is_delivered(&app, id, 1).await;
        let callbacks = app.number("SELECT COUNT(*) FROM inbox WHERE door = 'push'").await;
        assert!(
            (1..=8).contains(&callbacks),
            "eight statuses, some told together: {callbacks}"
        );
        let unread = app
            .number("SELECT COUNT(*) FROM inbox WHERE state <> 'read'")
            .await;
        assert_eq!(unread, 0);
        app.finish().await;
    })
    .await;
}

/// An operator that never calls back is heard all the same; looks get rarer while nothing new comes, and end.
#[tokio::test]
async fn an_operator_that_never_calls_back_is_heard_all_the_same() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = handed_over(&app, 1).await;
        live_to_the_end(&app, id).await;
        is_delivered(&app, id, 1).await;
        app.live_through(3 * DAY_MS, 6 * HOUR_MS).await;
        let looks = app.wire.of(JOURNEY).len();
        app.live_through(30 * DAY_MS, DAY_MS).await;
        assert_eq!(app.wire.of(JOURNEY).len(), looks, "nobody looks after the end");
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE door = 'push'").await,
            0
        );
        is_delivered(&app, id, 1).await;
        app.finish().await;
    })
    .await;
}
