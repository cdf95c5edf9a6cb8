//! Room `app`: the jobs of the worker in service.
//!
//! In: the configuration and the numbers. Out: named ticks, one per stage. Deliberately not here: what they do, and when
//! (`worker`).

use super::config::Config;
use super::telemetry::{METRIC_COMMANDS, METRIC_COMMITS, Numbers};
use crate::stage::context::{Context, Tick};
use crate::stage::{cancel, dispatch, feed, reconcile, resolve, retention, tracking};
use crate::worker::Job;
use std::convert::Infallible;
use std::sync::Arc;

/// How often keys whose time is over are looked for, milliseconds.
const RETENTION_EVERY_MS: u64 = 600_000;
/// How often the numbers are folded and the store's counts taken over, milliseconds.
const NUMBERS_EVERY_MS: u64 = 5_000;

/// All jobs, in the order of the road.
pub fn all(config: &Config, numbers: &Numbers) -> Vec<Job> {
    let mut jobs = road(config.worker.poll_every_ms);
    jobs.push(Job::new("retention", RETENTION_EVERY_MS, async |context| {
        retention::tick(&context).await
    }));
    jobs.push(numbers_job(numbers.clone()));
    jobs
}

/// The stages of the road, each looking for work at least every `every_ms`; also what a demo drains.
pub fn road(every_ms: u64) -> Vec<Job> {
    vec![
        Job::new("reconcile", every_ms, async |context| {
            reconcile::tick(&context).await
        }),
        Job::new("dispatch", every_ms, async |context| {
            dispatch::tick(&context).await
        }),
        Job::new("resolve", every_ms, async |context| resolve::tick(&context).await),
        Job::new("cancel", every_ms, async |context| cancel::tick(&context).await),
        Job::new("tracking", every_ms, async |context| {
            tracking::tick(&context).await
        }),
        Job::new("feed", every_ms, async |context| feed::tick(&context).await),
    ]
}

/// Keeps the memory of the numbers bounded when nobody asks for them.
fn numbers_job(numbers: Numbers) -> Job {
    Job::new("numbers", NUMBERS_EVERY_MS, move |context: Arc<Context>| {
        let numbers = numbers.clone();
        async move {
            let (commits, commands) = context.store.commits();
            metrics::gauge!(METRIC_COMMITS).set(approximate(commits));
            metrics::gauge!(METRIC_COMMANDS).set(approximate(commands));
            numbers.upkeep();
            Ok::<_, Infallible>(Tick::default())
        }
    })
}

/// A count as Prometheus holds it; exact up to four thousand million, the rest in units of that.
fn approximate(count: u64) -> f64 {
    const HALF: u64 = 1 << 32;
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(count / HALF) * 4_294_967_296.0 + part(count % HALF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_survive_the_change_of_form() {
        for count in [0, 7, 4_294_967_295, 4_294_967_296, 9_007_199_254_740_991] {
            assert_eq!(format!("{:.0}", approximate(count)), count.to_string());
        }
    }
}
