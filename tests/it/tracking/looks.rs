//! When the operator is looked at, and what makes an answer news.
//!
//! In: an operator that has nothing to say, says the same otherwise, or cannot be asked. Out: red when looks do not get
//! rarer, a late word is missed, or one account or shipment holds up another.

use super::stand_in::StandIn;
use super::{
    BOOKED, DAY_MS, DELIVERED, HOUR_MS, JOURNEY, MINUTE_MS, Row, booked, callback, handed_over,
    live_to_the_end,
};
use crate::support::app::{Settings, TestApp, on_both};
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::id::AccountId;
use hoibao::domain::time::{Clock as _, Timestamp};
use hoibao::stage::reconcile::{self, ReconcileError};
use serde_json::json;

const ROAD: [Row; 3] = [
    (7, "23/11/2026", "10:00:00"),
    (12, "24/11/2026", "08:00:00"),
    (14, "24/11/2026", "09:15:30"),
];

/// Minutes between the looks.
fn gaps(app: &TestApp) -> Vec<i64> {
    let times: Vec<Timestamp> = app.wire.of(JOURNEY).into_iter().map(|call| call.at).collect();
    times
        .windows(2)
        .map(|two| two[1].since_ms(two[0]) / MINUTE_MS)
        .collect()
}

/// While nothing new comes the time between looks doubles, up to six hours; news sets it back.
#[tokio::test]
async fn looks_get_rarer_while_nothing_new_comes() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells(&ROAD[..1]);
        app.clock.advance_ms(10 * HOUR_MS);
        app.live_through(DAY_MS, 15 * MINUTE_MS).await;
        assert_eq!(gaps(&app), [15, 30, 60, 120, 240, 360, 360][..gaps(&app).len()]);
        assert!(gaps(&app).len() >= 6);
        let heard = app.shipment(id).await.heard_at.unwrap();
        assert!(
            app.clock.now().since_ms(heard) <= 6 * HOUR_MS,
            "also a look in vain is a word heard"
        );
        let before = gaps(&app).len();
        operator.tells(&ROAD[..2]);
        app.live_through(8 * HOUR_MS, 15 * MINUTE_MS).await;
        assert_eq!(gaps(&app)[before + 1..][..3], [15, 30, 60]);
        app.finish().await;
    })
    .await;
}

/// After the end two looks more, then none; a late hint starts them again, and what the operator says then counts.
#[tokio::test]
async fn looks_stop_after_the_end_and_a_late_hint_starts_them_again() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells(&ROAD);
        app.clock.advance_ms(2 * DAY_MS);
        app.drain().await;
        assert_eq!(app.shipment(id).await.state, DELIVERED);
        app.live_through(2 * DAY_MS, HOUR_MS).await;
        assert_eq!(gaps(&app), [60, 360], "two looks after the end");
        app.live_through(90 * DAY_MS, 10 * DAY_MS).await;
        assert_eq!(gaps(&app).len(), 2);
        let mut rows = ROAD.to_vec();
        rows.push((19, "26/11/2026", "10:00:00"));
        operator.tells(&rows);
        app.call_back(callback(&[(&app.shipment(id).await.reference, 19)]))
            .await;
        app.live_through(10 * MINUTE_MS, MINUTE_MS).await;
        assert_eq!(gaps(&app).len(), 3);
        let row = app.shipment(id).await;
        assert_eq!((row.state, row.contested), (DELIVERED, true));
        app.finish().await;
    })
    .await;
}

/// A flood of late hints about what is over long ago is bounded like any other: no budget begins anew.
#[tokio::test]
async fn late_hints_after_the_end_are_bounded() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells(&ROAD);
        app.clock.advance_ms(2 * DAY_MS);
        app.live_through(2 * DAY_MS, 6 * HOUR_MS).await;
        let (looks, rows) = (
            app.wire.of(JOURNEY).len(),
            app.number("SELECT COUNT(*) FROM inbox WHERE door = 'pull'").await,
        );
        let body = callback(&[(&app.shipment(id).await.reference, 14)]);
        for _ in 0..60 {
            app.call_back(body.clone()).await;
            app.drain().await;
            app.clock.advance_ms(MINUTE_MS);
        }
        let more = app.wire.of(JOURNEY).len() - looks;
        assert!((4..=10).contains(&more), "{more} looks in an hour");
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE door = 'pull'").await,
            rows,
            "no news was kept"
        );
        app.finish().await;
    })
    .await;
}

/// The same rows in another order, in another spelling, with a new time of sending around them, are no news.
#[tokio::test]
async fn the_same_rows_told_otherwise_are_no_news() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        booked(&app, 1).await;
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells(&ROAD[..2]);
        app.clock.advance_ms(2 * DAY_MS);
        app.drain().await;
        for n in 0..4 {
            let row = |(code, day, hour): Row| {
                json!({"StatusCode ": code.to_string(), "createdDate": format!("{day} {hour}"),
                    "statusName": "Trạng thái", "LocateName": "Bưu cục Mẫu"})
            };
            let told = json!({"success": true, "servedAt": n, "data": [{"statusHistory ": [row(ROAD[1]), row(ROAD[0])]}]});
            operator.tells_bytes(told.to_string().into_bytes());
            app.clock.advance_ms(6 * HOUR_MS);
            app.drain().await;
        }
        assert_eq!(app.wire.of(JOURNEY).len(), 5);
        assert_eq!(app.number("SELECT COUNT(*) FROM inbox").await, 1);
        app.finish().await;
    })
    .await;
}

/// An operator that fails, or asks to wait, is asked again later; a shipment that cannot be read is put off. The others
/// are looked at (invariant 16).
#[tokio::test]
async fn what_cannot_be_asked_holds_up_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let ids = booked(&app, 3).await;
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells_bytes(b"<html>login</html>".to_vec());
        app.clock.advance_ms(2 * DAY_MS);
        app.drain().await;
        assert_eq!(app.wire.of(JOURNEY).len(), 3);
        app.drain().await;
        assert_eq!(app.wire.of(JOURNEY).len(), 3, "not at once");
        // A gateway of another time wrote a state this one cannot read.
        app.raw("UPDATE shipment SET state = 'beamed_up' WHERE reference LIKE '%0001'")
            .await;
        operator.tells(&ROAD);
        app.clock.advance_ms(MINUTE_MS);
        app.drain().await;
        assert_eq!(app.wire.of(JOURNEY).len(), 5);
        for id in &ids[1..] {
            assert_eq!(app.shipment(*id).await.state, DELIVERED);
        }
        app.raw("UPDATE shipment SET state = 'booked' WHERE reference LIKE '%0001'")
            .await;
        app.live_through(DAY_MS, HOUR_MS).await;
        assert_eq!(app.shipment(ids[0]).await.state, DELIVERED);
        app.finish().await;
    })
    .await;
}

/// An account whose adapter this program does not have is reported, after the others had their turn.
#[tokio::test]
async fn an_account_that_cannot_be_used_holds_up_no_other() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        booked(&app, 1).await;
        for (id, code) in [([0; 16], "aaa"), ([0xff; 16], "zzz")] {
            app.change_account(|account| {
                account.id = AccountId::from_bytes(id);
                account.code = code.to_owned();
                account.adapter = "pigeon".to_owned();
            })
            .await;
        }
        app.clock.advance_ms(HOUR_MS);
        let told = reconcile::tick(&app.context).await;
        assert!(matches!(told, Err(ReconcileError::Operator(_))), "{told:?}");
        assert_eq!(app.wire.of(JOURNEY).len(), 1);
        app.raw("UPDATE operator_state SET units_lease_until_at = NULL")
            .await;
        app.finish().await;
    })
    .await;
}

/// The operator loses all its callbacks: looks bring the same end.
#[tokio::test]
async fn lost_callbacks_are_made_good_by_looks() {
    on_both(async |engine| {
        let settings = Settings {
            webhook: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let faults = hoibao::simulator::Faults::none()
            .with(hoibao::simulator::Fault::CallbackLost, 1_000)
            .with(hoibao::simulator::Fault::Forwarded, 1_000);
        app.faults(faults);
        let id = handed_over(&app, 1).await;
        assert_eq!(app.shipment(id).await.state, BOOKED);
        live_to_the_end(&app, id).await;
        assert_eq!(
            app.shipment(id).await.state,
            DeliveryState::At(EventKind::Delivered)
        );
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE door = 'push'").await,
            0
        );
        app.finish().await;
    })
    .await;
}
