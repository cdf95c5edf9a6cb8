//! Callbacks that lie (invariant 7).
//!
//! In: forgers who know the secret address and our references. Out: red when a word of theirs is believed, or when they can
//! make us ask the operator without end.

use super::{BOOKED, JOURNEY, MINUTE_MS, SECOND_MS, booked, callback, dossier, read, weight};
use crate::support::app::{Settings, TestApp, on_both};
use futures_util::future::join_all;
use hoibao::domain::delivery::DeliveryState;
use hoibao::simulator::{Fault, Faults};
use hoibao::stage::reconcile;
use reqwest::StatusCode;
use serde_json::json;

/// Invariant 7: nothing a callback says is believed, whatever it claims and by whatever name; a look follows, and what the
/// operator itself answers counts.
#[tokio::test]
async fn a_forged_callback_changes_nothing_but_the_next_look() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let row = app.shipment(id).await;
        let before = (weight(&app).await, row.clone());
        let bodies = [
            callback(&[(&row.reference, 14)]),
            json!({"data": [{"itemCode": row.tracking_number, "status": 19}]}).to_string(),
            json!({"data": [{"originalId": row.operator_id, "status": "9"}]}).to_string(),
            json!({"data": {"saleOrderCode": row.reference, "status": 22, "statusHistory": [
                {"createdDate": "23/11/2026", "createdHour": "08:00:00", "statusCode": 14}]}})
            .to_string(),
        ];
        for body in bodies {
            assert_eq!(app.call_back(body).await.0, StatusCode::OK);
        }
        read(&app.context).await;
        let after = app.shipment(id).await;
        assert_eq!(weight(&app).await, before.0);
        assert_eq!(
            (after.state, after.heard_at, after.updated_at),
            (BOOKED, before.1.heard_at, before.1.updated_at)
        );
        assert_eq!(dossier(&app, 1).await["status"], json!(9));
        let looks = app.wire.of(JOURNEY).len();
        app.drain().await;
        assert_eq!(app.wire.of(JOURNEY).len(), looks + 1, "one look");
        assert_eq!(app.shipment(id).await.state, BOOKED);
        assert_eq!(
            app.shipment(id).await.heard_at,
            Some(hoibao::domain::time::Clock::now(&app.clock))
        );
        app.finish().await;
    })
    .await;
}

/// Invariants 7 and 16: a thousand forged callbacks, and then one every minute for hours, cause a bounded number of
/// looks: fewer and fewer, one in ten minutes at last.
#[tokio::test]
async fn a_flood_of_forged_callbacks_causes_few_looks() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let body = callback(&[(&app.shipment(id).await.reference, 14)]);
        for _ in 0..20 {
            join_all((0..50).map(|_| app.call_back(body.clone()))).await;
            app.drain().await;
            app.clock.advance_ms(SECOND_MS);
        }
        let flood = app.wire.of(JOURNEY).len();
        assert!(
            (1..=2).contains(&flood),
            "a thousand callbacks in 20 s caused {flood} looks"
        );
        let mut looks = vec![flood];
        for _ in 0..3 {
            for _ in 0..60 {
                app.call_back(body.clone()).await;
                app.drain().await;
                app.clock.advance_ms(MINUTE_MS);
            }
            looks.push(app.wire.of(JOURNEY).len() - looks.iter().sum::<usize>());
        }
        assert!(
            looks[1] <= 12 && looks[2] <= 7 && looks[3] <= 7,
            "looks of each hour: {looks:?}"
        );
        assert!(looks[3] >= 5, "hints are still heeded: {looks:?}");
        assert_eq!(app.shipment(id).await.state, BOOKED);
        app.finish().await;
    })
    .await;
}

/// A forger who sends while a look is under way does not make another follow at once.
#[tokio::test]
async fn hints_during_a_look_do_not_chain_looks() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let body = callback(&[(&app.shipment(id).await.reference, 14)]);
        app.call_back(body.clone()).await;
        app.drain().await;
        app.advance_ms(20 * MINUTE_MS).await;
        app.drain().await;
        let looks = app.wire.of(JOURNEY).len();
        assert_eq!(looks, 2, "the second brought nothing new");
        app.call_back(body.clone()).await;
        read(&app.context).await;
        for round in 1..=4 {
            app.clock.advance_ms(10 * MINUTE_MS);
            let (answered, release) = app.wire.hold(JOURNEY);
            let meanwhile = async {
                answered.notified().await;
                for _ in 0..3 {
                    app.call_back(body.clone()).await;
                    read(&app.context).await;
                }
                release.notify_one();
            };
            let look = async { reconcile::tick(&app.context).await.unwrap() };
            futures_util::future::join(look, meanwhile).await;
            app.drain().await;
            app.clock.advance_ms(30 * SECOND_MS);
            app.drain().await;
            assert_eq!(app.wire.of(JOURNEY).len(), looks + round, "round {round}");
        }
        app.finish().await;
    })
    .await;
}

/// A shipment in doubt is looked up on a hint, not before its minute, and not more than once in it; what comes too early
/// proves no absence.
#[tokio::test]
async fn a_flood_about_a_shipment_in_doubt_causes_a_look_up_a_minute() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        app.faults(Faults::none().with(Fault::ServerError, 1_000));
        app.dispatch().await;
        app.faults(Faults::none());
        assert_eq!(app.shipment(id).await.state, DeliveryState::InDoubt);
        let body = callback(&[(&app.shipment(id).await.reference, 1)]);
        for _ in 0..30 {
            for _ in 0..3 {
                app.call_back(body.clone()).await;
                app.drain().await;
            }
            app.clock.advance_ms(10 * SECOND_MS);
        }
        let asked = app.wire.of("getOrder").len();
        assert!((4..=5).contains(&asked), "{asked} look-ups in five minutes");
        assert_eq!(
            app.queued(id).await.absences,
            0,
            "absence within the quiescence proves nothing"
        );
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        app.finish().await;
    })
    .await;
}

/// The operator's own callback comes before the answer to our create, which is lost: the doubt is settled long before the
/// quiescence is over, and there is one order.
#[tokio::test]
async fn a_callback_before_our_own_answer_settles_the_doubt() {
    on_both(async |engine| {
        let settings = Settings {
            webhook: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(Faults::none().with(Fault::LostAnswer, 1_000));
        app.dispatch().await;
        app.faults(Faults::none());
        assert_eq!(app.shipment(id).await.state, DeliveryState::InDoubt);
        app.live_through(2 * MINUTE_MS, MINUTE_MS).await;
        let push = app.number("SELECT COUNT(*) FROM inbox WHERE door = 'push'").await;
        assert!(push > 0, "the operator told us of the order");
        assert_eq!(app.shipment(id).await.state, BOOKED);
        assert_eq!(app.told(id).await, ["unknown: unknown, found"]);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        let sale = app.sale(id).await;
        assert_eq!((sale.live(), sale.orders.len()), (1, 1));
        app.finish().await;
    })
    .await;
}
