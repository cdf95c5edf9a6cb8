//! State does not depend on order or repetition (invariant 10).
//!
//! In: one journey told in parts, in many orders. Out: red when two tellings differ in anything that is shown. The fold
//! itself is searched with random histories in `domain::delivery`; here the whole stage is.

use super::{Row, at, booked, dossier, tell};
use crate::support::app::{TestApp, on_both};
use hoibao::domain::id::ShipmentId;
use serde_json::{Value, json};

/// A tie in time, a failed visit, a code nobody mapped twice, a row without a readable time, and two finals.
const JOURNEY: [Row; 7] = [
    (7, "23/11/2026", "10:00:00"),
    (12, "24/11/2026", "08:00"),
    (15, "24/11/2026", "08:00:00"),
    (25, "24/11/2026", "12:00:00"),
    (27, "24/11/2026", "12:00:00"),
    (10, "24/11/2026", "sáng"),
    (14, "25/11/2026", "09:15:30"),
];
/// How many orders of each journey are told.
const TELLINGS: u32 = 9;
const RETURNED: Row = (19, "25/11/2026", "09:15:30");

/// The n-th of all orders of a list.
fn order(rows: &[Row], mut n: usize) -> Vec<Row> {
    let mut rest = rows.to_vec();
    let mut ordered = Vec::new();
    while !rest.is_empty() {
        ordered.push(rest.remove(n % rest.len()));
        n /= rest.len() + 1;
    }
    ordered
}

/// Told one by one, in two parts that overlap, or as a history that grows.
fn parts(rows: &[Row], how: usize) -> Vec<Vec<Row>> {
    match how % 3 {
        0 => rows.iter().map(|row| vec![*row]).collect(),
        1 => vec![rows[2..].to_vec(), rows[..5].to_vec(), rows.to_vec()],
        _ => (1..=rows.len()).map(|length| rows[..length].to_vec()).collect(),
    }
}

/// Everything that is shown or reported of a shipment, and nothing that names it.
async fn shown(app: &TestApp, id: ShipmentId, number: u32) -> Value {
    let row = app.shipment(id).await;
    let mut block = dossier(app, number).await;
    for own in ["code", "updated_at"] {
        block.as_object_mut().unwrap().remove(own);
    }
    for own in ["shipment", "short_number", "tracking_number"] {
        block["delivery"].as_object_mut().unwrap().remove(own);
    }
    json!({
        "state": format!("{:?} {} {} {:?}", row.state, row.contested, row.partial, row.held),
        "visits": row.visits,
        "times": format!("{:?} {:?}", row.last_event_at, row.delivered_at),
        "custody": format!("{} {:?} {}", row.custody, row.handed_over_at, row.closed),
        "flag": row.unknown_code,
        "entries": row.journal_sequence,
        "dossier": block,
    })
}

#[tokio::test]
async fn a_journey_told_in_any_order_is_one_journey() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let contested = [JOURNEY.as_slice(), &[RETURNED]].concat();
        let ids = booked(&app, 2 * TELLINGS).await;
        app.clock.set(at("2026-11-28T08:00:00"));
        let told: Vec<(u32, ShipmentId)> = (1..).zip(ids).collect();
        let (plain, other) = told.split_at(usize::try_from(TELLINGS).unwrap());
        for (rows, ids) in [(JOURNEY.to_vec(), plain), (contested, other)] {
            let mut expect: Option<Value> = None;
            for (n, (number, id)) in ids.iter().enumerate() {
                // A stride that shares no divisor with the number of orders visits some that are far apart.
                let rows = order(&rows, n * 281);
                for part in parts(&rows, n) {
                    tell(&app, *id, &part).await;
                }
                let shown = shown(&app, *id, *number).await;
                let expect = expect.get_or_insert_with(|| shown.clone());
                assert_eq!(&shown, expect, "told in another order: {rows:?}");
            }
            let expect = expect.unwrap();
            assert_eq!(
                (&expect["flag"], &expect["dossier"]["status"]),
                (&json!("27"), &json!(10))
            );
            let is_contested = rows.contains(&RETURNED);
            assert_eq!(expect["dossier"]["delivery"]["contested"], json!(is_contested));
        }
        app.finish().await;
    })
    .await;
}

/// What is told before its time, and again after it, is what it would have been had it come once.
#[tokio::test]
async fn early_and_late_tellings_end_alike() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let ids = booked(&app, 2).await;
        for time in [
            "2026-11-23T11:00:00",
            "2026-11-24T09:00:00",
            "2026-11-25T10:00:00",
        ] {
            app.clock.set(at(time));
            tell(&app, ids[0], &JOURNEY).await;
        }
        tell(&app, ids[1], &JOURNEY).await;
        let (mut early, mut late) = (shown(&app, ids[0], 1).await, shown(&app, ids[1], 2).await);
        // The first has entries of the quarantine its future rows were in.
        for shown in [&mut early, &mut late] {
            shown.as_object_mut().unwrap().remove("entries");
        }
        assert_eq!(early, late);
        app.finish().await;
    })
    .await;
}
