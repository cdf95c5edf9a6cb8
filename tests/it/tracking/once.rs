//! Each event once, for ever (invariant 8).
//!
//! In: one history told many times, by many doors, to several gateways at once. Out: red when a fact or an entry stands
//! twice.

use super::{DAY_MS, DELIVERED, Row, at, booked, handed_over, live_to_the_end, put, read, tell, weight};
use crate::support::app::{Settings, TestApp, on_both};
use hoibao::simulator::{Fault, Faults};
use hoibao::stage::tracking;

const TOLD: [Row; 6] = [
    (1, "23/11/2026", "08:00:10"),
    (7, "23/11/2026", "10:00:00"),
    (12, "24/11/2026", "08:00:00"),
    (25, "24/11/2026", "08:30:00"),
    (14, "24/11/2026", "09:15:30"),
    (28, "24/11/2026", "17:00:00"),
];

/// The same history ten times, after years too, and each row twice in it: facts, entries and events stand once.
#[tokio::test]
async fn the_same_history_again_changes_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let before = weight(&app).await;
        app.clock.set(at("2026-11-25T08:00:00"));
        let twice = [TOLD, TOLD].concat();
        tell(&app, id, &twice).await;
        assert_eq!(app.shipment(id).await.state, DELIVERED);
        let once = weight(&app).await;
        // Four facts, six events, and five entries: the unknown code has one, the note none.
        assert_eq!(once[0] - before[0], 4);
        assert_eq!(once[4] - before[4], 6);
        assert_eq!(once[3] - before[3], 5);
        assert_eq!(once[5] - before[5], 5);
        for _ in 0..10 {
            app.clock.advance_ms(400 * DAY_MS);
            tell(&app, id, &TOLD).await;
            assert_eq!(weight(&app).await, once);
        }
        app.finish().await;
    })
    .await;
}

/// Callbacks doubled, late and reordered, beside looks: what stands is the operator's list of statuses, each once.
#[tokio::test]
async fn doubled_callbacks_and_looks_apply_each_event_once() {
    on_both(async |engine| {
        let settings = Settings {
            webhook: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let faults = Faults::none()
            .with(Fault::CallbackDuplicate, 1_000)
            .with(Fault::CallbackReordered, 500)
            .with(Fault::CallbackUnknownOrder, 500)
            .with(Fault::OddShape, 500);
        app.faults(faults);
        let id = handed_over(&app, 1).await;
        live_to_the_end(&app, id).await;
        app.live_through(DAY_MS, DAY_MS / 4).await;
        let statuses = app.sale(id).await.orders[0].statuses.len();
        let statuses = i64::try_from(statuses).unwrap();
        let events = app.number("SELECT COUNT(*) FROM tracking_event").await;
        assert_eq!(events, statuses);
        let facts = app
            .number("SELECT COUNT(*) FROM delivery_fact WHERE map_version > 0")
            .await;
        assert_eq!(facts, statuses, "each status has one meaning here");
        let push = app.number("SELECT COUNT(*) FROM inbox WHERE door = 'push'").await;
        assert!(push > statuses, "the operator told things twice: {push}");
        app.finish().await;
    })
    .await;
}

/// Two gateways read one inbox at once: each row is read by one of them, and each event counts once.
#[tokio::test]
async fn two_gateways_read_each_row_once() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let ids = booked(&app, 6).await;
        app.clock.set(at("2026-11-25T08:00:00"));
        let before = weight(&app).await;
        for id in &ids {
            for part in [&TOLD[..3], &TOLD[2..], &TOLD] {
                put(&app, *id, part).await;
            }
        }
        let ticks = [&app.context, &other, &app.context, &other].map(tracking::tick);
        let done = futures_util::future::try_join_all(ticks).await.unwrap();
        read(&app.context).await;
        let rows: u32 = done.iter().map(|tick| tick.done).sum();
        assert!(rows <= 18, "{rows} rows were read, of 18");
        let after = weight(&app).await;
        let six = |each: i64| 6 * each;
        assert_eq!(
            [after[0] - before[0], after[4] - before[4], after[3] - before[3]],
            [six(4), six(6), six(5)]
        );
        for id in ids {
            assert_eq!(app.shipment(id).await.state, DELIVERED);
        }
        app.finish().await;
    })
    .await;
}
