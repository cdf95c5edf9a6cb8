//! Inbox rows that cannot be read (invariant 16).
//!
//! In: damage done by plain SQL. Out: red when one row holds up another, or what stood in it is lost though the operator
//! still tells it.

use super::stand_in::StandIn;
use super::{DELIVERED, HOUR_MS, Row, at, booked, callback, put, read};
use crate::support::app::{TestApp, on_both};
use hoibao::stage::tracking;

const ROAD: [Row; 2] = [(12, "24/11/2026", "08:00:00"), (14, "24/11/2026", "09:15:30")];

async fn rows(app: &TestApp, state: &str) -> i64 {
    app.number(&format!("SELECT COUNT(*) FROM inbox WHERE state = '{state}'"))
        .await
}

/// Sealed bytes were changed, a row names an account of nobody, a door that is none, a key that is gone: each is set aside
/// at once, and all others are read in the same round.
#[tokio::test]
async fn a_damaged_row_is_set_aside_and_blocks_no_other() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let ids = booked(&app, 8).await;
        app.clock.set(at("2026-11-25T08:00:00"));
        for id in &ids {
            put(&app, *id, &ROAD).await;
            app.clock.advance_ms(1);
        }
        let (zero, other) = ("00".repeat(60), "ee".repeat(16));
        for (n, damage) in [
            format!("sealed = {}", app.bytes_literal(&zero)),
            format!("account_id = {}", app.bytes_literal(&other)),
            "door = 'window'".to_owned(),
            format!("record_id = {}", app.bytes_literal(&other)),
            "shipment_id = NULL".to_owned(),
            format!("shipment_id = {}", app.bytes_literal(&other)),
        ]
        .iter()
        .enumerate()
        {
            let which = format!("SELECT id FROM inbox ORDER BY received_at LIMIT 1 OFFSET {n}");
            app.raw(&format!("UPDATE inbox SET {damage} WHERE id = ({which})"))
                .await;
        }
        tracking::tick(&app.context).await.unwrap();
        assert_eq!((rows(&app, "unread").await, rows(&app, "garbage").await), (0, 6));
        for (n, id) in ids.iter().enumerate() {
            let state = app.shipment(*id).await.state;
            assert_eq!(state == DELIVERED, n >= 6, "shipment {n}: {state:?}");
        }
        app.finish().await;
    })
    .await;
}

/// What stood in a damaged answer is not lost: the operator tells the same again, and this time it is read.
#[tokio::test]
async fn a_damaged_answer_is_asked_for_again() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let operator = StandIn::in_place_of_the_operator(&app).await;
        operator.tells(&ROAD);
        app.clock.set(at("2026-11-25T08:00:00"));
        app.reconcile().await;
        assert_eq!(rows(&app, "unread").await, 1);
        let zero = "00".repeat(60);
        app.raw(&format!("UPDATE inbox SET sealed = {}", app.bytes_literal(&zero)))
            .await;
        read(&app.context).await;
        assert_eq!(rows(&app, "garbage").await, 1);
        app.clock.advance_ms(HOUR_MS);
        app.drain().await;
        assert_eq!(app.shipment(id).await.state, DELIVERED);
        app.finish().await;
    })
    .await;
}

/// A name that the database cannot even be asked for is nobody's; a name of another customer neither.
#[tokio::test]
async fn names_of_nobody_block_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let reference = app.shipment(id).await.reference;
        for _ in 0..3 {
            app.call_back(callback(&[
                ("a\0b", 14),
                ("KHAC-1", 14),
                (&reference, 14),
                (&reference, 15),
            ]))
            .await;
        }
        let done = tracking::tick(&app.context).await.unwrap().done;
        assert_eq!(
            (done, rows(&app, "read").await, rows(&app, "unread").await),
            (3, 3, 0)
        );
        let due = app.number("SELECT COUNT(*) FROM poll WHERE hinted = 1").await;
        assert_eq!(due, 1);
        app.finish().await;
    })
    .await;
}
