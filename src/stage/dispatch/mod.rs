//! Stage 2, dispatch: asks the operator to take a shipment.
//!
//! *Queue row*: one shipment that may be sent. *Lease*: a token that only grows; whoever holds an older one changes
//! nothing. *Attempt*: one call of ours. *Outcome*: what is true at the operator afterwards; a value, not an error.
//!
//! Transaction A leases rows and commits "attempt started" with the very bytes to be sent. The call happens outside
//! any transaction. Transaction B commits the outcome. If we stop before A, nothing happened; between A and the call,
//! or between the call and B, the lease runs out and the attempt is in doubt, never repeated blindly; after B all is
//! known.
//!
//! In: the table `queue`. Out: `attempt`, `evidence`, facts, `queue`, `poll`, journal. Deliberately not here: asking
//! after a doubt (resolve), and any name of an operator.

mod order;
mod outcome;
mod start;

use super::context::operator::{Gate, Operator, OperatorError, failure_word};
use super::context::{Context, Tick};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{DispatchReading, TransportFailure};
use crate::edge::store::account;
use crate::edge::store::queue::{self, Claim};
use crate::edge::store::{Command, StoreError, Tx};
use futures_util::StreamExt as _;
use outcome::{End, Heard};
use start::{Start, Started};
use std::sync::Arc;

/// Why a round of dispatch broke off. Whatever was started stays started; the next round goes on.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The store.
    #[error("dispatch could not read or write")]
    Store(#[from] StoreError),
    /// An operator account cannot be used.
    #[error("dispatch could not call the operator")]
    Operator(#[from] OperatorError),
}

/// One round over all active accounts.
///
/// # Errors
/// [`DispatchError`] when the store or an account cannot be used; an operator that does not answer is no error.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, DispatchError> {
    let now = context.clock.now();
    let mut tx = context.store.snapshot().await?;
    let mut looked = Vec::new();
    for account in account::accounts(&mut tx).await? {
        if account.active {
            let waiting = Waiting {
                stale: !queue::list_stale(&mut tx, account.id, now, 1).await?.is_empty(),
                ready: queue::count_ready(&mut tx, account.id, now, context.limits.dispatch_claim_max)
                    .await?,
                next_at: queue::next_due(&mut tx, account.id, Claim::Ready).await?,
            };
            looked.push((account, waiting));
        }
    }
    drop(tx);
    let mut total = Tick::default();
    for (account, waiting) in looked {
        let operator = Arc::new(Operator::of(context, account)?);
        let recovered = if waiting.stale {
            recover(context, &operator).await?
        } else {
            0
        };
        let sent = send_due(context, &operator, waiting).await?;
        total.done += recovered + sent.done;
        total.next_at = [total.next_at, sent.next_at].into_iter().flatten().min();
    }
    Ok(total)
}

/// What an account's part of the queue looked like when the round began.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// A lease ran out.
    stale: bool,
    /// Rows due now, as many as may be claimed.
    ready: u32,
    /// When the next row falls due.
    next_at: Option<Timestamp>,
}

/// Attempts whose holder died between A and B: in doubt.
async fn recover(context: &Arc<Context>, operator: &Operator) -> Result<u32, DispatchError> {
    let command = Recover {
        context: Arc::clone(context),
        account: operator.account.id,
    };
    Ok(context.store.submit(command).await?)
}

async fn send_due(
    context: &Arc<Context>,
    operator: &Arc<Operator>,
    Waiting { ready, next_at, .. }: Waiting,
) -> Result<Tick, DispatchError> {
    let limits = &context.limits;
    let now = context.clock.now();
    if ready == 0 {
        return Ok(Tick { done: 0, next_at });
    }
    let Some(units) = order::units(context, &operator.account).await? else {
        // The operator's own unit list is not loaded yet: nothing can be addressed.
        return Ok(Tick {
            done: 0,
            next_at: Some(now.plus_ms(1_000)),
        });
    };
    let mut tokens = Vec::new();
    let mut wait = None;
    for _ in 0..ready {
        match operator.gate(context).await? {
            Gate::Go { token } => tokens.push(token),
            Gate::Wait { until } => {
                wait = Some(until);
                break;
            }
        }
    }
    let Some(token) = tokens.last().cloned() else {
        return Ok(Tick {
            done: 0,
            next_at: wait.or(next_at),
        });
    };
    let start = Start {
        context: Arc::clone(context),
        operator: Arc::clone(operator),
        units,
        token,
        limit: u32::try_from(tokens.len()).unwrap_or(u32::MAX),
    };
    let batch = context.store.submit(start).await?;
    // Crash here: every started attempt is on record, and no byte has left.
    let parallel = usize::try_from(limits.dispatch_parallel.max(1)).unwrap_or(1);
    let results: Vec<Result<(), DispatchError>> = futures_util::stream::iter(batch.started)
        .map(|started| send(context, operator, started))
        .buffer_unordered(parallel)
        .collect()
        .await;
    for result in results {
        result?;
    }
    Ok(Tick {
        done: batch.touched,
        next_at: wait.or(next_at),
    })
}

/// Makes one call and commits its outcome.
async fn send(
    context: &Arc<Context>,
    operator: &Arc<Operator>,
    started: Started,
) -> Result<(), DispatchError> {
    let answer = context.transport.call(&started.request).await;
    // Crash here: the operator may have the order; the lease runs out and the attempt is in doubt.
    let (heard, received) = match answer {
        Err(failure @ TransportFailure::NeverLeft { .. }) => (Heard::NeverLeft(failure_word(&failure)), None),
        Err(failure @ TransportFailure::Ambiguous { .. }) => {
            let detail = failure_word(&failure).to_owned();
            (Heard::Read(DispatchReading::Unknown { detail }), None)
        }
        Ok(response) => (
            Heard::Read(operator.carrier.read_create(&response)),
            Some(response.body),
        ),
    };
    outcome::note_health(context, operator, &heard).await?;
    let end = End {
        context: Arc::clone(context),
        operator: Arc::clone(operator),
        started,
        heard,
        received,
        now: context.clock.now(),
    };
    Ok(context.store.submit(end).await?)
}

struct Recover {
    context: Arc<Context>,
    account: crate::domain::id::AccountId,
}

impl Command for Recover {
    const NAME: &'static str = "dispatch_recover";
    type Output = u32;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u32, StoreError> {
        let now = self.context.clock.now();
        let rows = queue::list_stale(tx, self.account, now, 100).await?;
        let mut done = 0;
        for row in rows {
            outcome::recover(tx, &self.context, &row, now).await?;
            done += 1;
        }
        Ok(done)
    }
}
