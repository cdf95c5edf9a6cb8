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
use crate::edge::carrier::BuildError;
use crate::edge::store::{StoreError, account, operator, poll};
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
/// [`ReconcileError`] when the store or an account cannot be used; an operator that does not answer is no error.
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
    for (account, loaded_at, next_at) in looked {
        if account.active {
            total.done += u32::from(units::refresh(context, &account, loaded_at).await?);
        }
        let now = context.clock.now();
        let can_ask = account.capabilities.doors.contains_key(&Door::PullOne);
        match next_at.filter(|_| can_ask) {
            Some(at) if at <= now => {
                let operator = Arc::new(Operator::of(context, account)?);
                total.done += looks::round(context, &operator).await?;
            }
            next_at => total.next_at = [total.next_at, next_at].into_iter().flatten().min(),
        }
    }
    Ok(total)
}
