//! A bad week, drawn by seed: every fault now and then, two gateways, ticks that die, cancellations (invariants 1, 2, 4,
//! 12 and 16).
//!
//! In: seeds. Out: red, with the seed and its rates, when a promise is broken in the middle or there is no rest at the end.
//! What is not the same for one seed: the order in which parallel calls arrive.

use super::{HOUR_MS, MINUTE_MS};
use crate::support::app::{Engine, Settings};
use hoibao::domain::capability::DuplicateReference;
use hoibao::domain::delivery::DeliveryState;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::{DuplicatePolicy, Faults};
use hoibao::stage::{cancel, dispatch, resolve};
use std::future::Future;
use std::pin::pin;
use std::task::Poll;

const SHIPMENTS: u32 = 12;

/// Polls a tick `polls` times at most, letting others run between, and then drops it.
async fn die_after<T>(polls: u32, tick: impl Future<Output = T>) {
    let mut tick = pin!(tick);
    for _ in 0..polls {
        let ready = std::future::poll_fn(|waker| Poll::Ready(tick.as_mut().poll(waker).is_ready())).await;
        if ready {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    }
}

async fn week(engine: Engine, seed: u64, duplicates: DuplicatePolicy) {
    let account = match duplicates {
        DuplicatePolicy::Refuse => |account: &mut hoibao::edge::store::account::Account| {
            account.capabilities.duplicate_reference = DuplicateReference::Refused;
        },
        DuplicatePolicy::SecondOrder => |_: &mut hoibao::edge::store::account::Account| (),
    };
    let settings = Settings {
        duplicates,
        account,
        ..Settings::on(engine)
    };
    let app = settings.start().await;
    let other = app.second().await;
    let mut dice = fastrand::Rng::with_seed(seed);
    let faults = Faults::swarm(seed);
    tracing::info!(seed, ?faults, "a bad week");
    app.faults(faults);
    let mut ids = Vec::new();
    for number in 1..=SHIPMENTS {
        ids.push(app.register(number).await);
        for _ in 0..3 {
            let gateway = if dice.bool() { &app.context } else { &other };
            let polls = dice.u32(1..60);
            match dice.u32(0..6) {
                0 => die_after(polls, dispatch::tick(gateway)).await,
                1 => die_after(polls, resolve::tick(gateway)).await,
                2 => die_after(polls, cancel::tick(gateway)).await,
                3 => drop(app.ask_to_cancel(ids[dice.usize(0..ids.len())]).await),
                4 => drop(dispatch::tick(gateway).await),
                _ => drop(resolve::tick(gateway).await),
            }
            app.advance_ms(dice.i64(0..20 * MINUTE_MS)).await;
        }
    }
    // The operator recovers; a finite time later everything is at its end or waits for a person.
    app.faults(Faults::none());
    app.live_through(48 * HOUR_MS, 20 * MINUTE_MS).await;
    for id in ids {
        let (state, queue) = app.stands(id).await;
        let rest =
            matches!(queue, QueueState::Done | QueueState::Held) && state != DeliveryState::CancelRequested;
        assert!(rest, "seed {seed}: {id} found no rest: {state:?}, {queue:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn bad_weeks_where_duplicates_are_refused() {
    for seed in 0..6 {
        week(Engine::Sqlite, seed, DuplicatePolicy::Refuse).await;
    }
    week(Engine::Postgres, 6, DuplicatePolicy::Refuse).await;
    week(Engine::Postgres, 7, DuplicatePolicy::Refuse).await;
}

#[tokio::test]
async fn bad_weeks_where_duplicates_are_accepted() {
    for seed in 10..16 {
        week(Engine::Sqlite, seed, DuplicatePolicy::SecondOrder).await;
    }
    week(Engine::Postgres, 16, DuplicatePolicy::SecondOrder).await;
    week(Engine::Postgres, 17, DuplicatePolicy::SecondOrder).await;
}
