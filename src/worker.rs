//! Room `worker`: which tick runs when.
//!
//! In: named [`Job`]s and what they share. Out: their ticks, run as soon as a commit may have left them work, at the
//! latest after their own interval, each beside the others, never two of one job at a time. A tick that fails is tried
//! again later and later; one that panics is counted as failed and stops nothing. A stop finishes the running tick.
//! Deliberately not here: what a tick does, and who listens for signals.

use crate::domain::time::Timestamp;
use crate::stage::context::{Context, Tick};
use futures_util::FutureExt as _;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Counter of ticks; labels `job` and `outcome` (`done`, `idle`, `failed`, `panicked`).
pub const METRIC_TICKS: &str = "hoibao_worker_ticks_total";
/// Histogram of a tick's seconds; label `job`.
pub const METRIC_TICK_SECONDS: &str = "hoibao_worker_tick_seconds";
/// Counter of things moved on; label `job`.
pub const METRIC_DONE: &str = "hoibao_worker_done_total";

/// Commits within this time wake the jobs once: a thousand commits a second are not a thousand rounds.
const WAKE_GAP: Duration = Duration::from_millis(5);
/// First and longest pause after failures in a row.
const FAILURE_PAUSE_MS: u64 = 500;
const FAILURE_PAUSE_MS_MAX: u64 = 60_000;

/// Why a tick failed, whatever the stage's own word for it.
pub type TickError = Box<dyn Error + Send + Sync>;
/// A tick under way.
pub type TickFuture = Pin<Box<dyn Future<Output = Result<Tick, TickError>> + Send>>;

/// What the worker itself needs of what the jobs share. A [`Context`] is the one in service.
pub trait Surroundings: Send + Sync + 'static {
    /// Resolves after the next commit.
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// The next 64 random bits, for jitter.
    fn chance(&self) -> u64;
}

impl Surroundings for Context {
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.store.changed())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn chance(&self) -> u64 {
        self.rng.next_u64()
    }
}

/// A named tick and how often it looks for work by itself.
pub struct Job<S = Context> {
    /// Name in logs, numbers and the heartbeat.
    pub name: &'static str,
    /// Longest time between two looks, milliseconds.
    pub every_ms: u64,
    tick: Arc<dyn Fn(Arc<S>) -> TickFuture + Send + Sync>,
}

impl<S> Clone for Job<S> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            every_ms: self.every_ms,
            tick: Arc::clone(&self.tick),
        }
    }
}

impl<S> std::fmt::Debug for Job<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({} every {} ms)", self.name, self.every_ms)
    }
}

impl<S: Surroundings> Job<S> {
    /// A job from a stage's tick, such as `Job::new("dispatch", 1000, async |c| dispatch::tick(&c).await)`.
    pub fn new<F, R, E>(name: &'static str, every_ms: u64, tick: F) -> Self
    where
        F: Fn(Arc<S>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Tick, E>> + Send + 'static,
        E: Into<TickError>,
    {
        Self {
            name,
            every_ms,
            tick: Arc::new(move |shared| {
                let running = tick(shared);
                Box::pin(async move { running.await.map_err(Into::into) })
            }),
        }
    }
}

/// A tick that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// The tick returned an error.
    #[error("job {job} failed")]
    Failed {
        /// The job.
        job: &'static str,
        /// Its own words.
        #[source]
        source: TickError,
    },
    /// The tick panicked. The panic's text is not kept: it may name a person.
    #[error("job {job} panicked")]
    Panicked {
        /// The job.
        job: &'static str,
    },
}

/// When each job last came to the end of a tick, well or badly.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    beats: Arc<Mutex<BTreeMap<&'static str, Beat>>>,
}

/// The state of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// End of its last tick; its start, before the first.
    pub at: Timestamp,
    /// Ticks in a row that did not come to their end.
    pub failures: u32,
}

impl Heartbeat {
    /// All jobs, by name.
    pub fn beats(&self) -> BTreeMap<&'static str, Beat> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The jobs of which nothing was heard for `silence_ms` before `now`.
    pub fn silent(&self, now: Timestamp, silence_ms: i64) -> Vec<&'static str> {
        self.beats()
            .into_iter()
            .filter(|(_job, beat)| now.since_ms(beat.at) > silence_ms)
            .map(|(job, _beat)| job)
            .collect()
    }

    fn beat(&self, job: &'static str, at: Timestamp, failures: u32) {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats.insert(job, Beat { at, failures });
    }
}

/// Starts every job on the tracker. They end, each after its running tick, when the token is cancelled.
pub fn run<S: Surroundings>(
    jobs: Vec<Job<S>>,
    shared: &Arc<S>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> Heartbeat {
    let heartbeat = Heartbeat::default();
    let mut bells = Vec::new();
    for job in jobs {
        let bell = Arc::new(Notify::new());
        bells.push(Arc::clone(&bell));
        heartbeat.beat(job.name, shared.now(), 0);
        let looping = Loop {
            job,
            shared: Arc::clone(shared),
            bell,
            heartbeat: heartbeat.clone(),
            stop: stop.clone(),
        };
        tracker.spawn(looping.run());
    }
    tracker.spawn(ring(Arc::clone(shared), bells, stop.clone()));
    heartbeat
}

/// Runs every job once, in order, and adds up what they did. For tests and the demo, which have their own clock.
///
/// # Errors
/// [`JobFailure`] of the first tick that did not come to its end; the jobs after it did not run.
pub async fn run_once<S: Surroundings>(jobs: &[Job<S>], shared: &Arc<S>) -> Result<Tick, JobFailure> {
    let mut total = Tick::default();
    for job in jobs {
        let tick = tick(job, shared).await?;
        total.done = total.done.saturating_add(tick.done);
        total.next_at = earlier(total.next_at, tick.next_at);
    }
    Ok(total)
}

/// Runs rounds until one is idle, `rounds_max` at most. The sum of all, with the last round's next instant: the result
/// is idle only when nothing was done at all; [`Drained::idle`] says whether the last round was.
///
/// # Errors
/// [`JobFailure`], as [`run_once`].
pub async fn drain<S: Surroundings>(
    jobs: &[Job<S>],
    shared: &Arc<S>,
    rounds_max: u32,
) -> Result<Drained, JobFailure> {
    let mut drained = Drained::default();
    for _ in 0..rounds_max {
        let round = run_once(jobs, shared).await?;
        drained.done = drained.done.saturating_add(round.done);
        drained.next_at = round.next_at;
        drained.idle = round.is_idle();
        if drained.idle {
            break;
        }
    }
    Ok(drained)
}

/// What rounds until idleness did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Things moved on.
    pub done: u32,
    /// When the jobs next have something to do, as far as they know.
    pub next_at: Option<Timestamp>,
    /// Whether the last round found nothing.
    pub idle: bool,
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Passes commits on to the jobs, many at a time. A bell rung during a tick is remembered: none is lost.
async fn ring<S: Surroundings>(shared: Arc<S>, bells: Vec<Arc<Notify>>, stop: CancellationToken) {
    let mut commit = shared.changed();
    while stop.run_until_cancelled(&mut commit).await.is_some() {
        if stop
            .run_until_cancelled(tokio::time::sleep(WAKE_GAP))
            .await
            .is_none()
        {
            return;
        }
        // Listening begins again before the bells ring, so that no commit falls between.
        let mut next = shared.changed();
        let already = std::future::poll_fn(|waker| Poll::Ready(next.as_mut().poll(waker).is_ready())).await;
        commit = if already {
            Box::pin(std::future::ready(()))
        } else {
            next
        };
        for bell in &bells {
            bell.notify_one();
        }
    }
}

/// One job in service.
struct Loop<S> {
    job: Job<S>,
    shared: Arc<S>,
    bell: Arc<Notify>,
    heartbeat: Heartbeat,
    stop: CancellationToken,
}

impl<S: Surroundings> Loop<S> {
    async fn run(self) {
        let mut failures = 0_u32;
        while !self.stop.is_cancelled() {
            let outcome = tick(&self.job, &self.shared).await;
            failures = if outcome.is_ok() {
                0
            } else {
                failures.saturating_add(1)
            };
            self.heartbeat.beat(self.job.name, self.shared.now(), failures);
            let waited = match outcome {
                // There may be more; ask at once, but let others on.
                Ok(tick) if !tick.is_idle() => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Ok(tick) => self.wait_for_work(tick.next_at).await,
                Err(failure) => {
                    let pause_ms = self.jittered(failure_pause_ms(failures));
                    report(&failure, failures, pause_ms);
                    // No bell here: what broke this tick does not heal by somebody's commit.
                    self.pause(Duration::from_millis(pause_ms)).await
                }
            };
            if waited.is_none() {
                break;
            }
        }
        tracing::debug!(job = self.job.name, "job ended");
    }

    /// Until a commit, the next known instant, or the job's own interval. `None`: stop.
    async fn wait_for_work(&self, next_at: Option<Timestamp>) -> Option<()> {
        let every_ms = self.jittered(self.job.every_ms);
        let until_next = next_at.map(|at| u64::try_from(at.since_ms(self.shared.now())).unwrap_or(0).max(1));
        let wait_ms = until_next.map_or(every_ms, |ms| ms.min(every_ms));
        let waiting = tokio::time::timeout(Duration::from_millis(wait_ms), self.bell.notified());
        self.stop
            .run_until_cancelled(waiting)
            .await
            .map(|_bell_or_time| ())
    }

    async fn pause(&self, time: Duration) -> Option<()> {
        self.stop.run_until_cancelled(tokio::time::sleep(time)).await
    }

    /// Three quarters to all of `ms`, so that gateways started together drift apart.
    fn jittered(&self, ms: u64) -> u64 {
        let spread = ms / 4;
        let less = self.shared.chance() % spread.saturating_add(1);
        ms.saturating_sub(less).max(1)
    }
}

fn failure_pause_ms(failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(20);
    FAILURE_PAUSE_MS
        .saturating_mul(1_u64 << doublings)
        .min(FAILURE_PAUSE_MS_MAX)
}

/// Says once, with the whole chain, why a tick failed. It becomes an error only when it stays.
fn report(failure: &JobFailure, failures: u32, pause_ms: u64) {
    let job = match failure {
        JobFailure::Failed { job, .. } | JobFailure::Panicked { job } => *job,
    };
    let mut chain = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    if failures < 5 {
        tracing::warn!(job, failures, pause_ms, "{chain}");
    } else {
        tracing::error!(job, failures, pause_ms, "{chain}");
    }
}

/// One tick, timed and counted, its panic caught.
async fn tick<S: Surroundings>(job: &Job<S>, shared: &Arc<S>) -> Result<Tick, JobFailure> {
    let began = tokio::time::Instant::now();
    let shared = Arc::clone(shared);
    // The call itself may panic too, before there is a future.
    let running = async { (job.tick)(shared).await };
    let outcome = AssertUnwindSafe(running).catch_unwind().await;
    metrics::histogram!(METRIC_TICK_SECONDS, "job" => job.name).record(began.elapsed().as_secs_f64());
    let (word, result) = match outcome {
        Ok(Ok(tick)) if tick.is_idle() => ("idle", Ok(tick)),
        Ok(Ok(tick)) => {
            metrics::counter!(METRIC_DONE, "job" => job.name).increment(u64::from(tick.done));
            ("done", Ok(tick))
        }
        Ok(Err(source)) => (
            "failed",
            Err(JobFailure::Failed {
                job: job.name,
                source,
            }),
        ),
        Err(_panic) => ("panicked", Err(JobFailure::Panicked { job: job.name })),
    };
    metrics::counter!(METRIC_TICKS, "job" => job.name, "outcome" => word).increment(1);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
    use tokio::sync::mpsc;

    const HOUR_MS: u64 = 3_600_000;

    #[derive(Default)]
    struct Bench {
        committed: Notify,
        now_ms: AtomicI64,
    }

    impl Surroundings for Bench {
        fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(self.committed.notified())
        }

        fn now(&self) -> Timestamp {
            Timestamp::from_ms(self.now_ms.load(Ordering::SeqCst))
        }

        fn chance(&self) -> u64 {
            7
        }
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the form of a tick, for scripts that also fail"
    )]
    fn done(done: u32) -> Result<Tick, std::io::Error> {
        Ok(Tick { done, next_at: None })
    }

    /// A job that tells each of its ticks and does what the script says for the n-th, from 0.
    fn scripted(
        every_ms: u64,
        script: fn(u32) -> Result<Tick, std::io::Error>,
    ) -> (Job<Bench>, mpsc::UnboundedReceiver<u32>) {
        let (tell, heard) = mpsc::unbounded_channel();
        let count = Arc::new(AtomicU32::new(0));
        let job = Job::new("scripted", every_ms, move |_shared| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            tell.send(number).ok();
            async move { script(number) }
        });
        (job, heard)
    }

    /// Work left is taken at once; then only a commit or the interval, here an hour, brings the next tick.
    #[tokio::test]
    async fn a_commit_wakes_an_idle_job() {
        let (job, mut heard) = scripted(HOUR_MS, |number| done(u32::from(number < 2)));
        let bench = Arc::new(Bench::default());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        run(vec![job], &bench, &tracker, &stop);
        for expected in 0..=2 {
            assert_eq!(heard.recv().await, Some(expected));
        }
        // The ringer may not yet be listening: a commit is repeated until it is heard.
        let woken = loop {
            bench.committed.notify_waiters();
            tokio::select! {
                tick = heard.recv() => break tick,
                () = tokio::task::yield_now() => {}
            }
        };
        assert_eq!(woken, Some(3));
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    /// Polling is the truth: without any commit the job looks again by itself.
    #[tokio::test]
    async fn an_idle_job_looks_again_by_itself() {
        let (job, mut heard) = scripted(1, |_| done(0));
        let bench = Arc::new(Bench::default());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        run(vec![job], &bench, &tracker, &stop);
        for expected in 0..5 {
            assert_eq!(heard.recv().await, Some(expected));
        }
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    /// A stage that knows when it next has work is run then, long before its interval.
    #[tokio::test]
    async fn the_next_known_instant_is_kept() {
        let (job, mut heard) = scripted(HOUR_MS, |_| {
            Ok(Tick {
                done: 0,
                next_at: Some(Timestamp::from_ms(3)),
            })
        });
        let bench = Arc::new(Bench::default());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        run(vec![job], &bench, &tracker, &stop);
        assert_eq!(heard.recv().await, Some(0));
        assert_eq!(heard.recv().await, Some(1));
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    /// A panic and an error cost one tick each, are seen in the heartbeat, and the job goes on.
    #[tokio::test]
    async fn panics_and_errors_do_not_end_a_job() {
        let (job, mut heard) = scripted(1, |number| match number {
            0 => panic!("a bug"),
            1 => Err(std::io::Error::other("a failure")),
            _ => done(0),
        });
        let bench = Arc::new(Bench::default());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let heartbeat = run(vec![job], &bench, &tracker, &stop);
        assert_eq!(heard.recv().await, Some(0));
        assert_eq!(heard.recv().await, Some(1));
        assert!((1..=2).contains(&heartbeat.beats()["scripted"].failures));
        assert_eq!(heard.recv().await, Some(2));
        assert_eq!(heard.recv().await, Some(3));
        assert_eq!(heartbeat.beats()["scripted"].failures, 0);
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    /// A stop lets the running tick come to its end: what it began at an operator is written down.
    #[tokio::test]
    async fn a_stop_finishes_the_running_tick() {
        let (begun, mut has_begun) = mpsc::unbounded_channel();
        let release = Arc::new(Notify::new());
        let finished = Arc::new(AtomicU32::new(0));
        let (gate, count) = (Arc::clone(&release), Arc::clone(&finished));
        let job = Job::new("slow", 1, move |_shared: Arc<Bench>| {
            let (begun, gate, count) = (begun.clone(), Arc::clone(&gate), Arc::clone(&count));
            async move {
                begun.send(()).ok();
                gate.notified().await;
                count.fetch_add(1, Ordering::SeqCst);
                done(1)
            }
        });
        let bench = Arc::new(Bench::default());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        run(vec![job], &bench, &tracker, &stop);
        has_begun.recv().await.unwrap();
        stop.cancel();
        tracker.close();
        assert_eq!(finished.load(Ordering::SeqCst), 0);
        release.notify_one();
        tracker.wait().await;
        assert_eq!(finished.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn one_round_adds_up_and_draining_ends_when_idle() {
        let (first, _) = scripted(1, |number| done(if number < 3 { 2 } else { 0 }));
        let (second, _) = scripted(1, |_| {
            Ok(Tick {
                done: 0,
                next_at: Some(Timestamp::from_ms(9)),
            })
        });
        let bench = Arc::new(Bench::default());
        let jobs = [first, second];
        let round = run_once(&jobs, &bench).await.unwrap();
        assert_eq!((round.done, round.next_at), (2, Some(Timestamp::from_ms(9))));
        let rest = drain(&jobs, &bench, 10).await.unwrap();
        assert_eq!((rest.done, rest.idle), (4, true));
        let (broken, _) = scripted(1, |_| panic!("a bug"));
        let failure = run_once(&[broken], &bench).await.unwrap_err();
        assert_eq!(failure.to_string(), "job scripted panicked");
    }

    #[test]
    fn pauses_after_failures_grow_to_a_minute_and_silence_is_noticed() {
        let pauses: Vec<u64> = [1, 2, 3, 8, 9, 1_000].map(failure_pause_ms).to_vec();
        assert_eq!(pauses, [500, 1_000, 2_000, 60_000, 60_000, 60_000]);
        let heartbeat = Heartbeat::default();
        heartbeat.beat("dispatch", Timestamp::from_ms(1_000), 0);
        heartbeat.beat("feed", Timestamp::from_ms(5_000), 0);
        assert_eq!(heartbeat.silent(Timestamp::from_ms(5_500), 1_000), ["dispatch"]);
    }
}
