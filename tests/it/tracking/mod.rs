//! The way back from the operator: callback door, looks, reading, folding, on both databases and over real HTTP.
//!
//! In: a gateway whose operator calls back, says nothing, says it twice, in any order, or is somebody else. Out: red when
//! a promise of the design (section 7) is broken; every test also ends with the checks of `TestApp::finish`. Deliberately
//! not here: sending (road) and what people decide (decide).

mod crash;
mod door;
mod forged;
mod keeping;
mod looks;
mod once;
mod order;
mod outcomes;
mod poison;
mod quarantine;
mod stand_in;
mod whole;

use crate::support::app::TestApp;
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::id::{InboxId, ShipmentId};
use hoibao::domain::time::{Clock as _, Timestamp};
use hoibao::edge::store::inbox::{self, InboxDoor};
use hoibao::edge::store::{Command, Store, StoreError, Tx, personal, shipment};
use hoibao::stage::context::Context;
use hoibao::stage::tracking;
use serde_json::{Value, json};
use std::sync::Arc;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The operator's call for the history of one order.
const JOURNEY: &str = "GetStatusHistoryOrder";

const BOOKED: DeliveryState = DeliveryState::At(EventKind::Booked);
const DELIVERED: DeliveryState = DeliveryState::At(EventKind::Delivered);

/// One row of a history: the operator's code, its day and its hour (either may be nonsense, or empty).
type Row = (u16, &'static str, &'static str);

/// Booked at the operator, and the paper is on its way.
async fn handed_over(app: &TestApp, number: u32) -> ShipmentId {
    let id = app.register(number).await;
    app.drain().await;
    assert_eq!(app.shipment(id).await.state, BOOKED);
    app.scan_in(number).await;
    app.hand_over(number, id).await;
    id
}

/// Several shipments, booked at the operator.
async fn booked(app: &TestApp, count: u32) -> Vec<ShipmentId> {
    let mut ids = Vec::new();
    for number in 1..=count {
        ids.push(app.register(number).await);
    }
    app.drain().await;
    ids
}

/// Lives on until `done`, by steps of simulated time; red when that takes more than two weeks.
async fn live_until(app: &TestApp, step_ms: i64, mut done: impl AsyncFnMut() -> bool) {
    let give_up = app.clock.now().plus_ms(14 * DAY_MS);
    while !done().await {
        assert!(app.clock.now() < give_up, "it never happened");
        app.live_through(step_ms, step_ms).await;
    }
}

/// Lives on until the operator's word about a shipment is final.
async fn live_to_the_end(app: &TestApp, id: ShipmentId) {
    live_until(app, HOUR_MS, async || app.shipment(id).await.state.is_final()).await;
}

/// A history in the operator's words.
fn history(rows: &[Row]) -> Vec<u8> {
    let row = |(code, day, hour): &Row| {
        json!({
            "createdDate": day, "createdHour": hour, "statusCode": code, "statusName": "Trạng thái",
            "locateName": "Bưu cục Mẫu",
        })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({"success": true, "data": {"itemCode": "EB123456785VN", "statusHistory": rows}})
        .to_string()
        .into_bytes()
}

/// A callback naming shipments by our references.
fn callback(records: &[(&str, u16)]) -> String {
    let data: Vec<Value> = records
        .iter()
        .map(|(reference, status)| json!({"saleOrderCode": reference, "status": status}))
        .collect();
    json!({"data": data, "sendDate": "23/11/2026 09:30:00", "signature": "BASE64=="}).to_string()
}

/// Puts an answer about a shipment into the inbox, as a look does.
async fn put(app: &TestApp, id: ShipmentId, rows: &[Row]) {
    let put = PutAnswer {
        store: app.context.store.clone(),
        id: InboxId::new(&*app.context.ids),
        shipment: id,
        bytes: history(rows),
        now: app.clock.now(),
    };
    app.context.store.submit(put).await.unwrap();
}

/// Puts an answer into the inbox, and reads it.
async fn tell(app: &TestApp, id: ShipmentId, rows: &[Row]) {
    put(app, id, rows).await;
    read(&app.context).await;
}

/// Reads the inbox until it is empty.
async fn read(context: &Arc<Context>) {
    while tracking::tick(context).await.unwrap().done > 0 {}
}

struct PutAnswer {
    store: Store,
    id: InboxId,
    shipment: ShipmentId,
    bytes: Vec<u8>,
    now: Timestamp,
}

impl Command for PutAnswer {
    const NAME: &'static str = "test_put_answer";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let row = shipment::find(tx, self.shipment).await?.unwrap();
        let key = personal::key(&self.store, tx, row.record).await?;
        let place = (self.id, row.account, InboxDoor::Pull(row.id));
        inbox::insert(tx, &key, place, &self.bytes, self.now).await
    }
}

/// A moment of the simulated week, Vietnam's wall clock.
fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}+07:00")).unwrap()
}

/// The n-th dossier as its system sees it.
async fn dossier(app: &TestApp, number: u32) -> Value {
    let path = format!("/api/v1/dossiers/one/{}", crate::support::app::code_of(number));
    let (status, told) = app.ask("GET", &path, None, None).await;
    assert_eq!(status, reqwest::StatusCode::OK, "{told}");
    told
}

/// Everything that a message could have changed: facts, entries, events, shipments and dossiers, counted.
async fn weight(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for what in [
        "COUNT(*) FROM delivery_fact",
        "COUNT(*) FROM custody_fact",
        "COUNT(*) FROM dossier_fact",
        "COUNT(*) FROM journal",
        "COUNT(*) FROM tracking_event",
        "CAST(COALESCE(SUM(journal_sequence), 0) AS BIGINT) FROM shipment",
        "CAST(COALESCE(SUM(journal_sequence), 0) AS BIGINT) FROM dossier",
    ] {
        counts.push(app.number(&format!("SELECT {what}")).await);
    }
    counts
}
