//! Several gateways on one database are one towards the operator (invariants 2 and 16).
//!
//! In: two contexts with connections and memories of their own. Out: red when they log in twice, call faster than one may,
//! or send one shipment twice.

use super::{MINUTE_MS, SENT, one_order};
use crate::support::app::{Settings, TestApp, on_both};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::time::Timestamp;
use hoibao::edge::carrier::myvnpost::TOKEN_LIFETIME_MS;
use hoibao::stage::dispatch;

async fn registered(app: &TestApp, count: u32) -> Vec<ShipmentId> {
    let mut ids = Vec::new();
    for number in 1..=count {
        ids.push(app.register(number).await);
    }
    ids
}

/// Both find the token too old at the same moment: one fetches a new one, and both use it.
#[tokio::test]
async fn an_expired_token_is_fetched_once() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let ids = registered(&app, 8).await;
        assert_eq!(app.wire.of("GetAccessToken").len(), 1);
        app.clock.advance_ms(TOKEN_LIFETIME_MS);
        for _ in 0..10 {
            let ticks = [&app.context, &other].map(dispatch::tick);
            futures_util::future::try_join_all(ticks).await.unwrap();
            app.clock.advance_ms(1_000);
        }
        for id in ids {
            assert_eq!(app.stands(id).await, SENT);
            one_order(&app, id).await;
        }
        assert_eq!(
            app.wire.of("GetAccessToken").len(),
            2,
            "two gateways logged in for one token"
        );
        app.finish().await;
    })
    .await;
}

/// The account's rate holds over both gateways in simulated time: in no span of time more calls than the burst and what
/// the rate adds in it.
#[tokio::test]
async fn the_rate_is_never_exceeded_by_two_gateways() {
    const INTERVAL_MS: i64 = 1_000;
    const BURST: i64 = 5;
    on_both(async |engine| {
        let settings = Settings {
            account: |account| {
                account.rate_per_minute = u32::try_from(MINUTE_MS / INTERVAL_MS).unwrap();
                account.rate_burst = u32::try_from(BURST).unwrap();
            },
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let other = app.second().await;
        let ids = registered(&app, 30).await;
        for _ in 0..200 {
            let ticks = [&app.context, &other].map(dispatch::tick);
            futures_util::future::try_join_all(ticks).await.unwrap();
            app.clock.advance_ms(250);
        }
        for id in ids {
            assert_eq!(app.stands(id).await, SENT);
        }
        // Log-ins are not counted by the operator's rate.
        let calls = app
            .wire
            .calls()
            .into_iter()
            .filter(|call| call.operation != "GetAccessToken");
        let times: Vec<Timestamp> = calls.map(|call| call.at).collect();
        for (first, from) in times.iter().enumerate() {
            for (count, until) in (1_i64..).zip(&times[first..]) {
                let span_ms = until.since_ms(*from);
                assert!(
                    count <= BURST + span_ms / INTERVAL_MS,
                    "{count} calls in {span_ms} ms"
                );
            }
        }
        let span_ms = times.last().unwrap().since_ms(times[0]);
        assert!(
            span_ms <= 31 * INTERVAL_MS,
            "the rate allowed is not used: {span_ms} ms"
        );
        app.finish().await;
    })
    .await;
}

/// Both work on one queue for as long as there is something: each shipment goes out once.
#[tokio::test]
async fn two_gateways_send_each_shipment_once() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let ids = registered(&app, 40).await;
        for _ in 0..6 {
            let ticks = [&app.context, &other, &app.context, &other].map(dispatch::tick);
            futures_util::future::try_join_all(ticks).await.unwrap();
        }
        assert_eq!(app.wire.of("CreateOrder").len(), 40);
        for id in ids {
            assert_eq!(app.told(id).await, ["accepted: accepted"]);
            one_order(&app, id).await;
        }
        app.finish().await;
    })
    .await;
}
