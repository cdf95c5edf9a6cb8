//! The circuit breaker of an operator account (invariant 16).
//!
//! In: an operator that is away. Out: red when it is called while the breaker is open, or the pause counts as anything.

use super::{HOUR_MS, MINUTE_MS, SECOND_MS, SENT, WAITS, always, one_order};
use crate::support::app::{Engine, Settings, TestApp, on_both};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::retry::RetrySchedule;
use hoibao::domain::time::Clock as _;
use hoibao::edge::store::operator::Breaker;
use hoibao::simulator::{Fault, Faults};

const OPEN_MS: i64 = 10 * MINUTE_MS;
/// Far shorter than the breaker stays open.
const AGE_MAX_MS: i64 = 5 * MINUTE_MS;

/// Three failures open the breaker; it stays open longer than a shipment may age.
async fn away(engine: Engine) -> (TestApp, Vec<ShipmentId>) {
    let settings = Settings {
        limits: |limits| {
            limits.breaker_failures = 3;
            limits.breaker_open_ms = OPEN_MS;
            limits.dispatch_retry = RetrySchedule::new(1_000, 2_000, 20, AGE_MAX_MS).unwrap();
        },
        ..Settings::on(engine)
    };
    let app = settings.start().await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(app.register(number).await);
    }
    app.change_account(|account| account.base_url = "http://127.0.0.1:1".to_owned())
        .await;
    app.dispatch().await;
    (app, ids)
}

/// Opens after the failures, lets nothing through, then one probe; a failed probe opens it again, a good one closes it.
/// The pause counts neither as attempt nor as age, although it was longer than a shipment may age.
#[tokio::test]
async fn it_opens_probes_and_closes_and_the_pause_counts_as_nothing() {
    on_both(async |engine| {
        let (app, ids) = away(engine).await;
        assert_eq!(app.operator().await.breaker, Breaker::Open);
        let calls = app.wire.calls().len();
        app.live_through(OPEN_MS - SECOND_MS, MINUTE_MS).await;
        assert_eq!(app.wire.calls().len(), calls, "called while the breaker was open");
        app.live_through(SECOND_MS, SECOND_MS).await;
        assert_eq!(app.wire.calls().len(), calls + 1, "not one probe");
        assert_eq!(app.operator().await.breaker, Breaker::Open);
        app.live_through(OPEN_MS - SECOND_MS, MINUTE_MS).await;
        assert_eq!(app.wire.calls().len(), calls + 1, "called after a failed probe");
        app.change_account(|_| ()).await;
        app.live_through(SECOND_MS, SECOND_MS).await;
        let state = app.operator().await;
        assert_eq!((state.breaker, state.failures), (Breaker::Closed, 0));
        assert_eq!(state.paused_ms, 2 * OPEN_MS);
        app.live_through(MINUTE_MS, SECOND_MS).await;
        let mut attempts = 0;
        for id in ids {
            assert_eq!(app.stands(id).await, SENT);
            attempts += app.attempts(id).await.len();
            one_order(&app, id).await;
        }
        assert_eq!(attempts, 3 + 1 + 3, "first calls, a failed probe, good ones");
        let entries = app.number("SELECT COUNT(*) FROM journal WHERE kind = 53").await;
        assert!(entries >= 2, "changes of the breaker are entries of the journal");
        app.finish().await;
    })
    .await;
}

/// Only one probe at a time, over all gateways.
#[tokio::test]
async fn one_probe_over_all_gateways() {
    on_both(async |engine| {
        let (app, _ids) = away(engine).await;
        let (other, third) = (app.second().await, app.second().await);
        app.change_account(|_| ()).await;
        app.faults(always(Fault::ServerError));
        app.clock.advance_ms(OPEN_MS);
        let calls = app.wire.of("CreateOrder").len();
        let ticks = [&app.context, &other, &third].map(hoibao::stage::dispatch::tick);
        futures_util::future::try_join_all(ticks).await.unwrap();
        assert_eq!(app.wire.of("CreateOrder").len(), calls + 1);
        assert_eq!(app.operator().await.breaker, Breaker::Open);
        app.finish().await;
    })
    .await;
}

/// `Retry-After` of days opens the breaker until then, and waiting for it is no age.
#[tokio::test]
async fn a_retry_after_of_days_opens_it_until_then() {
    on_both(async |engine| {
        let settings = Settings {
            limits: |limits| {
                limits.dispatch_retry = RetrySchedule::new(1_000, 2_000, 20, HOUR_MS).unwrap();
            },
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LongRetryAfter));
        app.dispatch().await;
        app.faults(Faults::none());
        let state = app.operator().await;
        let until = state.breaker_until.expect("it is open until a time");
        assert!(until.since_ms(app.clock.now()) > 24 * HOUR_MS);
        assert_eq!((state.breaker, app.stands(id).await), (Breaker::Open, WAITS));
        let calls = app.wire.calls().len();
        let wait_ms = until.since_ms(app.clock.now());
        app.live_through(wait_ms - SECOND_MS, 6 * HOUR_MS).await;
        assert_eq!(
            app.wire.calls().len(),
            calls,
            "called before Retry-After had passed"
        );
        app.live_through(HOUR_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}
