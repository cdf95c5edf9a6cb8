//! Room `app`: from the first task to the last.
//!
//! In: tasks and signals. Out: how the process ended. The first signal asks every task to finish or release what it
//! holds (soft token); after the limit, or at the second signal, what is left is broken off (hard token, of which the
//! soft one is a child). A task that ends by itself, by error or by panic, brings the whole process down with a
//! failure: a supervisor starts it anew, and the leases in the database let others go on meanwhile. Deliberately not
//! here: what the tasks do.

use futures_util::FutureExt as _;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tokens and tracker of one process.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
    stop_limit: Duration,
    died: Arc<Mutex<Option<&'static str>>>,
}

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Asked to stop; every task came to its end.
    Gracefully,
    /// Asked to stop; something had to be broken off. Leases run out and others take over.
    BrokenOff,
    /// A task ended by itself.
    Died {
        /// Its name.
        task: &'static str,
    },
}

/// Signals that ask for a stop, each a message.
pub type Signals = mpsc::Receiver<&'static str>;

impl Lifecycle {
    /// A lifecycle whose stop waits at most `stop_limit`.
    pub fn new(stop_limit: Duration) -> Self {
        let hard = CancellationToken::new();
        Self {
            soft: hard.child_token(),
            hard,
            tracker: TaskTracker::new(),
            stop_limit,
            died: Arc::new(Mutex::new(None)),
        }
    }

    /// Cancelled when everything should finish or release what it holds.
    pub const fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when nothing may go on.
    pub const fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Every task of the process.
    pub const fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Starts a task that should live until the soft token is cancelled. When it ends before, the process does.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let this = self.clone();
        self.tracker.spawn(async move {
            let guarded = AssertUnwindSafe(task).catch_unwind();
            let Some(outcome) = this.hard.run_until_cancelled(guarded).await else {
                return;
            };
            match outcome {
                Ok(Ok(())) if this.soft.is_cancelled() => return,
                Ok(Ok(())) => tracing::error!(task = name, "task ended although nobody asked it to"),
                Ok(Err(error)) => tracing::error!(task = name, "task failed: {error:#}"),
                Err(_panic) => tracing::error!(task = name, "task panicked"),
            }
            this.died
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(name);
            this.soft.cancel();
        });
    }

    /// Waits for a signal or a dead task, then stops everything.
    pub async fn run(self, mut signals: Signals) -> Ended {
        tokio::select! {
            signal = signals.recv() => {
                tracing::info!(signal = signal.unwrap_or("none left"), "stopping: finishing or releasing what is under way");
            }
            () = self.soft.cancelled() => {}
        }
        self.soft.cancel();
        self.tracker.close();
        let in_time = tokio::select! {
            () = self.tracker.wait() => true,
            () = tokio::time::sleep(self.stop_limit) => {
                tracing::warn!(tasks = self.tracker.len(), "the time for stopping is over; breaking off");
                false
            }
            Some(signal) = signals.recv() => {
                tracing::warn!(signal, tasks = self.tracker.len(), "second signal; breaking off");
                false
            }
        };
        self.hard.cancel();
        let died = *self.died.lock().unwrap_or_else(PoisonError::into_inner);
        match died {
            Some(task) => Ended::Died { task },
            None if in_time => Ended::Gracefully,
            None => Ended::BrokenOff,
        }
    }
}

/// Listens for SIGINT and SIGTERM from now on.
///
/// # Errors
/// When the system lets no handler be installed.
pub fn signals() -> std::io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    let (tell, heard) = mpsc::channel(4);
    let listen_to = [
        ("SIGINT", SignalKind::interrupt()),
        ("SIGTERM", SignalKind::terminate()),
    ];
    let listeners = TaskTracker::new();
    for (name, kind) in listen_to {
        let mut stream = signal(kind)?;
        let tell = tell.clone();
        listeners
            .spawn(async move { while stream.recv().await.is_some() && tell.send(name).await.is_ok() {} });
    }
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    const LONG: Duration = Duration::from_hours(1);

    fn never() -> Signals {
        // The sender is forgotten on purpose: the channel stays open and silent.
        let (tell, heard) = mpsc::channel(1);
        std::mem::forget(tell);
        heard
    }

    async fn ended(life: Lifecycle, signals: Signals) -> Ended {
        let ended = tokio::time::timeout(Duration::from_secs(30), life.run(signals)).await;
        ended.expect("the process never ends")
    }

    /// The first signal lets a task finish what it holds.
    #[tokio::test]
    async fn a_signal_lets_tasks_finish() {
        let life = Lifecycle::new(LONG);
        let finished = Arc::new(AtomicBool::new(false));
        let (flag, soft) = (Arc::clone(&finished), life.soft().clone());
        life.spawn("tidy", async move {
            soft.cancelled().await;
            tokio::task::yield_now().await;
            flag.store(true, Ordering::SeqCst);
            Ok(())
        });
        let (tell, heard) = mpsc::channel(1);
        tell.send("SIGTERM").await.unwrap();
        assert_eq!(ended(life, heard).await, Ended::Gracefully);
        assert!(finished.load(Ordering::SeqCst));
    }

    /// A task that will not end is broken off by the second signal, and by the limit without one.
    #[tokio::test]
    async fn stubborn_tasks_are_broken_off() {
        let life = Lifecycle::new(LONG);
        life.spawn("stubborn", std::future::pending());
        let (tell, heard) = mpsc::channel(2);
        tell.send("SIGINT").await.unwrap();
        tell.send("SIGINT").await.unwrap();
        let broken_off = life.hard().clone();
        assert_eq!(ended(life, heard).await, Ended::BrokenOff);
        assert!(broken_off.is_cancelled());

        let life = Lifecycle::new(Duration::from_millis(1));
        life.spawn("stubborn", std::future::pending());
        tell.closed().await;
        let (tell, heard) = mpsc::channel(1);
        tell.send("SIGINT").await.unwrap();
        assert_eq!(ended(life, heard).await, Ended::BrokenOff);
    }

    /// Error, panic and a silent end all bring the process down, and name the task.
    #[tokio::test]
    async fn a_dead_task_ends_the_process_with_a_failure() {
        let life = Lifecycle::new(LONG);
        life.spawn("broken", async { Err(anyhow::anyhow!("no more")) });
        assert_eq!(ended(life, never()).await, Ended::Died { task: "broken" });
        let life = Lifecycle::new(LONG);
        life.spawn("panicking", async { panic!("a bug") });
        assert_eq!(ended(life, never()).await, Ended::Died { task: "panicking" });
        let life = Lifecycle::new(LONG);
        life.spawn("quiet", async { Ok(()) });
        assert_eq!(ended(life, never()).await, Ended::Died { task: "quiet" });
    }
}
