//! Stage 4b, reconcile: learns from the operator by our own questions.
//!
//! In: accounts whose unit list is old, shipments whose look is due. Out: `operator_unit`, `inbox`, `poll`. Each
//! question is leased over all gateways; if we stop in the middle, the lease runs out and it is asked anew. Deliberately
//! not here: reading what a history means (tracking), the three-way difference.

mod looks;
mod units;

use super::context::operator::{Operator, OperatorError};
use super::context::{Context, Tick};
use crate::domain::capability::Door;
use crate::domain::time::Timestamp;
use crate::edge::carrier::BuildError;
use crate::edge::store::account::{self, Account};
use crate::edge::store::{StoreError, operator, poll};
use std::sync::Arc;

/// Why a round of reconcile broke off.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The store.
    #[error("reconcile could not read or write")]
    Store(#[from] StoreError),
    /// An operator account cannot be used.
    #[error("reconcile could not call the operator")]
    Operator(#[from] OperatorError),
    /// The request cannot be put on the wire.
    #[error("the question after the units cannot be built")]
    Build(#[from] BuildError),
}

/// One round over all accounts. An account that is switched off sends nothing new; what travels is still looked at.
///
/// # Errors
/// [`ReconcileError`] when the store or an account cannot be used, after all others had their turn; an operator that
/// does not answer is no error.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, ReconcileError> {
    let mut tx = context.store.snapshot().await?;
    let mut looked = Vec::new();
    for account in account::accounts(&mut tx).await? {
        let loaded_at = operator::units_loaded_at(&mut tx, account.id).await?;
        let next_at = poll::next_due(&mut tx, account.id).await?;
        looked.push((account, loaded_at, next_at));
    }
    drop(tx);
    let mut total = Tick::default();
    let mut failed = None;
    for (account, loaded_at, next_at) in looked {
        match one(context, account, loaded_at, next_at).await {
            Ok(tick) => {
                total.done += tick.done;
                total.next_at = [total.next_at, tick.next_at].into_iter().flatten().min();
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(total), Err)
}

/// One account's round.
async fn one(
    context: &Arc<Context>,
    account: Account,
    loaded_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
) -> Result<Tick, ReconcileError> {
    let mut done = 0;
    if account.active {
        done += u32::from(units::refresh(context, &account, loaded_at).await?);
    }
    let now = context.clock.now();
    let can_ask = account.capabilities.doors.contains_key(&Door::PullOne);
    match next_at.filter(|_| can_ask) {
        Some(at) if at <= now => {
            let operator = Arc::new(Operator::of(context, account)?);
            done += looks::round(context, &operator).await?;
            Ok(Tick { done, next_at: None })
        }
        next_at => Ok(Tick { done, next_at }),
    }
}
