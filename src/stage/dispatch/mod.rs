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
use crate::domain::id::{AccountId, ShipmentId};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{DispatchReading, TransportFailure};
use crate::edge::store::account;
use crate::edge::store::queue::{self, Claim, QueueRow};
use crate::edge::store::{Command, StoreError, Tx};
use futures_util::StreamExt as _;
use outcome::{End, Heard};
use start::{SetAside, Start, StartError, Started};
use std::sync::Arc;

/// Leases of the dead looked at in one round.
const RECOVER_MAX: u32 = 100;

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

/// One round over all accounts; nothing new is sent by one that is not active.
///
/// # Errors
/// [`DispatchError`] when the store or an account cannot be used; an operator that does not answer is no error.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, DispatchError> {
    let now = context.clock.now();
    let mut tx = context.store.snapshot().await?;
    let mut looked = Vec::new();
    for account in account::accounts(&mut tx).await? {
        let waiting = Waiting {
            stale: !queue::list_stale(&mut tx, account.id, now, 1).await?.is_empty(),
            ready: queue::count_ready(&mut tx, account.id, now, context.limits.dispatch_claim_max).await?,
            next_at: queue::next_due(&mut tx, account.id, Claim::Ready).await?,
        };
        looked.push((account, waiting));
    }
    drop(tx);
    let mut total = Tick::default();
    for (account, waiting) in looked {
        if waiting.stale {
            total.done += recover(context, account.id).await?;
        }
        if !account.active {
            continue;
        }
        if waiting.ready == 0 {
            total.next_at = [total.next_at, waiting.next_at].into_iter().flatten().min();
            continue;
        }
        let operator = Arc::new(Operator::of(context, account)?);
        let sent = send_due(context, &operator, waiting).await?;
        total.done += sent.done;
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

/// Attempts whose holder died between A and B: in doubt. Each for itself, so that one that cannot be read holds up no
/// other.
async fn recover(context: &Arc<Context>, account: AccountId) -> Result<u32, DispatchError> {
    let mut tx = context.store.snapshot().await?;
    let rows = queue::list_stale(&mut tx, account, context.clock.now(), RECOVER_MAX).await?;
    drop(tx);
    let mut done = 0;
    for row in rows {
        let shipment = row.shipment;
        let command = Recover {
            context: Arc::clone(context),
            row,
        };
        match context.store.submit(command).await {
            Ok(()) => {}
            Err(error) if error.is_about_its_data() => set_aside(context, shipment, &error).await?,
            Err(error) => return Err(error.into()),
        }
        done += 1;
    }
    Ok(done)
}

/// Takes a shipment that cannot be read out of the way until a person has looked.
async fn set_aside(
    context: &Arc<Context>,
    shipment: ShipmentId,
    error: &StoreError,
) -> Result<(), StoreError> {
    tracing::error!(shipment.id = %shipment, error = %error, "a shipment cannot be read and was set aside");
    let told = |word| SetAside {
        context: Arc::clone(context),
        shipment,
        word,
    };
    match context.store.submit(told(Some("unreadable"))).await {
        // Not even that can be written about it; the queue alone holds it.
        Err(error) if error.is_about_its_data() => context.store.submit(told(None)).await,
        done => done,
    }
}

async fn send_due(
    context: &Arc<Context>,
    operator: &Arc<Operator>,
    Waiting { ready, next_at, .. }: Waiting,
) -> Result<Tick, DispatchError> {
    let limits = &context.limits;
    let now = context.clock.now();
    let Some(units) = order::units(context, &operator.account).await? else {
        // The operator's own unit list is not loaded yet: nothing can be addressed.
        return Ok(Tick {
            done: 0,
            next_at: Some(now.plus_ms(1_000)),
        });
    };
    let (limit, token) = match operator.gate_batch(context, ready).await? {
        (limit, Gate::Go { token }) => (limit, token),
        (_, Gate::Wait { until }) => {
            return Ok(Tick {
                done: 0,
                next_at: Some(until),
            });
        }
    };
    let start = Start {
        context: Arc::clone(context),
        operator: Arc::clone(operator),
        units,
        token,
        limit,
    };
    let batch = match context.store.submit(start).await {
        Ok(batch) => batch,
        Err(StartError::Store(error)) => return Err(error.into()),
        Err(StartError::Shipment { shipment, source }) => {
            // Nothing of the batch stands; without this one the next round starts the others.
            set_aside(context, shipment, &source).await?;
            return Ok(Tick { done: 1, next_at });
        }
    };
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
        next_at,
    })
}

/// Makes one call and commits its outcome.
async fn send(
    context: &Arc<Context>,
    operator: &Arc<Operator>,
    started: Started,
) -> Result<(), DispatchError> {
    // A call that could outlast the lease is not begun: its answer would be nobody's, and another gateway might be
    // asking already what became of it.
    let timeout_ms = i64::try_from(started.request.timeout_ms).unwrap_or(i64::MAX);
    let (heard, received) = if context.clock.now().plus_ms(timeout_ms) > started.lease_until {
        (Heard::NotBegun, None)
    } else {
        call(context, operator, &started).await
    };
    // A store that fails here must not cost the outcome, which is written all the same.
    let noted = outcome::note_health(context, operator, &heard).await;
    let end = End {
        context: Arc::clone(context),
        operator: Arc::clone(operator),
        started,
        heard,
        received,
        now: context.clock.now(),
    };
    context.store.submit(end).await?;
    Ok(noted?)
}

/// The call itself: what was heard, and the answer's bytes.
async fn call(context: &Context, operator: &Operator, started: &Started) -> (Heard, Option<Vec<u8>>) {
    let answer = context.transport.call(&started.request).await;
    // Crash here: the operator may have the order; the lease runs out and the attempt is in doubt.
    match answer {
        Err(failure @ TransportFailure::NeverLeft { .. }) => (Heard::NeverLeft(failure_word(&failure)), None),
        Err(failure @ TransportFailure::Ambiguous { .. }) => {
            let detail = failure_word(&failure).to_owned();
            (Heard::Read(DispatchReading::Unknown { detail }), None)
        }
        Ok(response) => (
            Heard::Read(operator.carrier.read_create(&response)),
            Some(response.body),
        ),
    }
}

struct Recover {
    context: Arc<Context>,
    row: QueueRow,
}

impl Command for Recover {
    const NAME: &'static str = "dispatch_recover";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        outcome::recover(tx, &self.context, &self.row, self.context.clock.now()).await
    }
}
