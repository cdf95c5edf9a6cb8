//! What histories come to.
//!
//! In: histories of the operator, good and bad. Out: red when a dossier goes to 10 without proof, a contradiction is not
//! shown, or a note changes anything.

use super::{DELIVERED, Row, at, booked, dossier, handed_over, live_to_the_end, tell};
use crate::support::app::{Settings, TestApp, on_both};
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::simulator::{Fault, Faults};
use serde_json::json;

const ON_THE_ROAD: [Row; 3] = [
    (7, "23/11/2026", "10:00:00"),
    (11, "24/11/2026", "07:30:00"),
    (12, "24/11/2026", "08:00:00"),
];
const NOW: &str = "2026-11-28T08:00:00";

fn and(rows: &[Row]) -> Vec<Row> {
    [ON_THE_ROAD.as_slice(), rows].concat()
}

/// A failed visit is no end: the next one delivers, and both are counted.
#[tokio::test]
async fn a_failed_visit_and_then_delivered() {
    on_both(async |engine| {
        let settings = Settings {
            webhook: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        app.faults(Faults::none().with(Fault::FailedVisit, 1_000));
        let id = handed_over(&app, 1).await;
        live_to_the_end(&app, id).await;
        let row = app.shipment(id).await;
        assert_eq!((row.state, row.visits, row.contested), (DELIVERED, 2, false));
        assert_eq!(dossier(&app, 1).await["status"], json!(10));
        app.finish().await;
    })
    .await;
}

/// Returned: the operator says so, the paper is nowhere until somebody scans it in, and the dossier stays at 9.
#[tokio::test]
async fn a_returned_paper_keeps_the_dossier_at_nine() {
    on_both(async |engine| {
        let settings = Settings {
            webhook: true,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        app.faults(Faults::none().with(Fault::Returned, 1_000));
        let id = handed_over(&app, 1).await;
        live_to_the_end(&app, id).await;
        let row = app.shipment(id).await;
        assert_eq!(row.state, DeliveryState::At(EventKind::Returned));
        assert_eq!(
            (row.custody.as_str(), row.closed, row.delivered_at),
            ("with_operator", false, None)
        );
        let told = dossier(&app, 1).await;
        assert_eq!((&told["status"], &told["returned_at"]), (&json!(9), &json!(null)));
        app.finish().await;
    })
    .await;
}

/// What the operator says after a history, and what it comes to: state, contested, partial, status of the dossier, visits.
struct Case {
    rows: Vec<Row>,
    state: EventKind,
    flags: (bool, bool),
    status: u32,
    visits: u32,
}

fn cases() -> Vec<Case> {
    let delivered = (14, "25/11/2026", "09:15:30");
    vec![
        // Two finals contradict each other: a person decides; what was delivered stays delivered until then.
        Case {
            rows: and(&[delivered, (19, "26/11/2026", "09:00:00")]),
            state: EventKind::Delivered,
            flags: (true, false),
            status: 10,
            visits: 1,
        },
        // A part is not the whole.
        Case {
            rows: and(&[(23, "25/11/2026", "09:15:30")]),
            state: EventKind::Delivered,
            flags: (false, true),
            status: 9,
            visits: 1,
        },
        // A note about money is no event of the paper.
        Case {
            rows: and(&[(28, "25/11/2026", "10:00:00")]),
            state: EventKind::OutForDelivery,
            flags: (false, false),
            status: 9,
            visits: 0,
        },
        // Whatever comes after the end does not reopen it.
        Case {
            rows: and(&[
                delivered,
                (10, "26/11/2026", "09:00:00"),
                (15, "26/11/2026", "10:00:00"),
            ]),
            state: EventKind::Delivered,
            flags: (false, false),
            status: 10,
            visits: 2,
        },
        // An order that the operator cancels was never delivered.
        Case {
            rows: vec![(9, "24/11/2026", "09:00:00")],
            state: EventKind::Cancelled,
            flags: (false, false),
            status: 9,
            visits: 0,
        },
    ]
}

#[tokio::test]
async fn what_histories_come_to() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let cases = cases();
        let ids = booked(&app, u32::try_from(cases.len()).unwrap()).await;
        app.clock.set(at(NOW));
        for ((number, id), case) in (1..).zip(ids).zip(cases) {
            tell(&app, id, &case.rows).await;
            let row = app.shipment(id).await;
            assert_eq!(row.state, DeliveryState::At(case.state), "{:?}", case.rows);
            assert_eq!(
                ((row.contested, row.partial), row.visits),
                (case.flags, case.visits)
            );
            let told = dossier(&app, number).await;
            assert_eq!(told["status"], json!(case.status), "{:?}", case.rows);
            let at = told["returned_at"].as_str().map(str::to_owned);
            let expect = (case.status == 10).then(|| "2026-11-25T02:15:30.000Z".to_owned());
            assert_eq!(at, expect);
            assert_eq!(told["discrepancy"].is_null(), !case.flags.0, "{told}");
        }
        app.finish().await;
    })
    .await;
}
