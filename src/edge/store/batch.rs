//! Room `edge::store`: group commit.
//!
//! Commands queue up at a writer. It drains what waits into one transaction, a savepoint each, and commits once:
//! thirty-two callers share one flush. In: [`Command`]s. Out: each command's own answer, only after the commit.
//!
//! What happens if we stop: before the commit nothing stands and nobody was told otherwise; after it all stands, and
//! a caller that was dropped meanwhile finds it by reading. A dropped caller does not cancel its command. When the
//! commit's own answer is lost, every member gets [`StoreError::CommitUnknown`] and must read again.

use super::tx::Savepoint;
use super::{StoreError, Tx};
use futures_util::FutureExt as _;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Commands taken into one transaction at most. No write transaction is designed to last over 50 ms.
const BATCH_MAX: usize = 128;

/// How often a batch that met another one is begun again.
const CONFLICT_TRIES: u32 = 8;

/// After this time it is not begun again: SQLite alone waits five seconds for another process at each try.
const CONFLICT_TIME_MAX: Duration = Duration::from_secs(10);

/// A typed change. `run` may be called again when the database asks for a new try, so it changes nothing but `tx`.
pub trait Command: Send + Sync + 'static {
    /// Name for metrics and logs.
    const NAME: &'static str;
    /// What the caller learns.
    type Output: Send + 'static;
    /// Why it may be refused; a refusal undoes this command and no other.
    type Error: From<StoreError> + Send + 'static;

    /// Makes the change inside the shared transaction.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

type Step<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// How one command went inside the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Undo,
    /// The database wants the whole transaction again.
    Again,
}

/// A command with its type forgotten.
trait Queued: Send {
    fn step<'a>(&'a mut self, tx: &'a mut Tx) -> Step<'a>;
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Pending<C: Command> {
    command: C,
    answer: Option<Result<C::Output, C::Error>>,
    verdict: Verdict,
    caller: oneshot::Sender<Result<C::Output, C::Error>>,
}

impl<C: Command> Queued for Pending<C> {
    fn step<'a>(&'a mut self, tx: &'a mut Tx) -> Step<'a> {
        Box::pin(async move {
            let ran = AssertUnwindSafe(self.command.run(tx)).catch_unwind().await;
            let answer = match ran {
                Ok(Ok(_)) if tx.is_broken() => {
                    tracing::error!(
                        command = C::NAME,
                        "command passed over a failed statement; it was undone"
                    );
                    Err(StoreError::Panicked.into())
                }
                Ok(answer) => answer,
                Err(_panic) => {
                    tracing::error!(command = C::NAME, "command broke off by a bug; it was undone");
                    Err(StoreError::Panicked.into())
                }
            };
            // The transaction itself remembers a conflict, however the command wraps or swallows the error.
            let verdict = match &answer {
                _ if tx.met_conflict() => Verdict::Again,
                Ok(_) => Verdict::Keep,
                Err(_) => Verdict::Undo,
            };
            self.answer = Some(answer);
            self.verdict = verdict;
            verdict
        })
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.answer) {
            (Ok(()), Some(answer)) => answer,
            // A refusal stands whatever became of the commit: it changed nothing.
            (Err(_), Some(Err(error))) if self.verdict == Verdict::Undo => Err(error),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Closed.into()),
        };
        if self.caller.send(answer).is_err() {
            tracing::trace!(command = C::NAME, "the caller went away; the command stands");
        }
    }
}

/// The queue in front of the writers.
#[derive(Clone)]
pub(super) struct Queue {
    urgent: mpsc::Sender<Box<dyn Queued>>,
    normal: mpsc::Sender<Box<dyn Queued>>,
}

/// The end the writers drain.
pub(super) struct Drain {
    urgent: mpsc::Receiver<Box<dyn Queued>>,
    normal: mpsc::Receiver<Box<dyn Queued>>,
}

/// A queue of bounded length: a full one makes callers wait, which the web layer turns into 503 in time.
pub(super) fn queue(length: usize) -> (Queue, Drain) {
    let (urgent_in, urgent) = mpsc::channel(length);
    let (normal_in, normal) = mpsc::channel(length);
    (
        Queue {
            urgent: urgent_in,
            normal: normal_in,
        },
        Drain { urgent, normal },
    )
}

impl Queue {
    /// Hands a command to the writers and waits for its answer, which comes only after the commit.
    pub(super) async fn submit<C: Command>(&self, command: C, urgent: bool) -> Result<C::Output, C::Error> {
        let (caller, answer) = oneshot::channel();
        let pending = Box::new(Pending {
            command,
            answer: None,
            verdict: Verdict::Again,
            caller,
        });
        let lane = if urgent { &self.urgent } else { &self.normal };
        if lane.send(pending).await.is_err() {
            return Err(StoreError::Closed.into());
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_gone) => Err(StoreError::CommitUnknown.into()),
        }
    }
}

impl Drain {
    /// Waits for work, then takes what else is there. Empty: every sender is gone.
    async fn next(&mut self) -> Vec<Box<dyn Queued>> {
        let mut batch: Vec<Box<dyn Queued>> = Vec::new();
        let first = tokio::select! {
            biased;
            command = self.urgent.recv() => command,
            command = self.normal.recv() => command,
        };
        batch.extend(first);
        if batch.is_empty() {
            // One lane is closed and empty; the other may still hold something.
            batch.extend(self.urgent.try_recv().ok());
            batch.extend(self.normal.try_recv().ok());
        }
        while batch.len() < BATCH_MAX {
            let Ok(command) = self.urgent.try_recv().or_else(|_empty| self.normal.try_recv()) else {
                break;
            };
            batch.push(command);
        }
        batch
    }
}

/// Begins transactions for a writer.
pub(super) trait Begin: Send + Sync + 'static {
    /// A writing transaction.
    fn begin(&self) -> Pin<Box<dyn Future<Output = Result<Tx, StoreError>> + Send + '_>>;
    /// Called after each commit with the number of commands that stand by it.
    fn committed(&self, commands: usize);
}

/// One writer: drains, runs, commits, answers, until every sender is gone.
pub(super) async fn write(begin: std::sync::Arc<dyn Begin>, drain: std::sync::Arc<Mutex<Drain>>) {
    loop {
        let batch = drain.lock().await.next().await;
        if batch.is_empty() {
            return;
        }
        run_batch(&*begin, batch).await;
    }
}

async fn run_batch(begin: &dyn Begin, mut batch: Vec<Box<dyn Queued>>) {
    let mut outcome = Err(StoreError::Closed);
    let started = tokio::time::Instant::now();
    for try_number in 1..=CONFLICT_TRIES {
        outcome = try_batch(begin, &mut batch).await;
        match &outcome {
            Err(StoreError::Conflict(_))
                if try_number < CONFLICT_TRIES && started.elapsed() < CONFLICT_TIME_MAX =>
            {
                tokio::time::sleep(Duration::from_millis(u64::from(try_number) * 2)).await;
            }
            Ok(_) | Err(_) => break,
        }
    }
    if let Ok(kept) = outcome
        && kept > 0
    {
        begin.committed(kept);
    }
    for command in batch {
        let committed = match &outcome {
            Ok(_kept) => Ok(()),
            Err(error) => Err(copy(error)),
        };
        command.finish(committed);
    }
}

/// The same failure for every member of a batch.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::CommitUnknown => StoreError::CommitUnknown,
        StoreError::Closed => StoreError::Closed,
        StoreError::Conflict(_) => StoreError::Conflict(sqlx::Error::WorkerCrashed),
        StoreError::Unavailable(_)
        | StoreError::Constraint { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Seal { .. }
        | StoreError::Erased
        | StoreError::Schema { .. }
        | StoreError::Engine(_)
        | StoreError::Panicked => StoreError::Unavailable(sqlx::Error::WorkerCrashed),
    }
}

/// Runs a batch in one transaction; how many commands stand.
async fn try_batch(begin: &dyn Begin, batch: &mut [Box<dyn Queued>]) -> Result<usize, StoreError> {
    let mut tx = begin.begin().await?;
    let alone = batch.len() == 1;
    let mut kept = 0;
    if !alone {
        tx.savepoint(Savepoint::Open).await?;
    }
    for command in batch.iter_mut() {
        match command.step(&mut tx).await {
            // The next command's part is opened in the same breath: a round trip for each command, not two.
            Verdict::Keep => {
                kept += 1;
                if !alone {
                    tx.savepoint(Savepoint::KeepAndOpen).await?;
                }
            }
            Verdict::Undo => {
                if !alone {
                    tx.savepoint(Savepoint::Undo).await?;
                }
            }
            Verdict::Again => {
                tx.roll_back().await;
                return Err(StoreError::Conflict(sqlx::Error::WorkerCrashed));
            }
        }
    }
    if kept > 0 {
        // Crash here: nothing stands and no member was answered.
        tx.commit().await?;
        // Crash here: all stands; callers find it by reading.
    } else {
        tx.roll_back().await;
    }
    Ok(kept)
}
