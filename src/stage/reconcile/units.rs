//! Stage 4b, reconcile: the operator's list of administrative units, without which nothing can be addressed.
//!
//! In: accounts whose list is missing or a day old. Out: `operator_unit`. A lease over all gateways keeps the loading
//! single; if we stop in the middle the lease runs out and it begins anew. Deliberately not here: matching names
//! (intake).

use super::ReconcileError;
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::edge::carrier::{BuildError, OperatorUnitSet, UnitLevel};
use crate::edge::store::account::Account;
use crate::edge::store::unit::{self, OperatorUnitRow};
use crate::edge::store::{Command, StoreError, Tx, operator};
use crate::stage::context::Context;
use crate::stage::context::operator::{Operator, ReadOutcome};
use std::sync::Arc;

/// Age at which the list is loaded again, milliseconds.
const UNITS_AGE_MAX_MS: i64 = 86_400_000;
/// How long loading may take before another gateway may try, milliseconds.
const UNITS_LEASE_MS: i64 = 120_000;
/// Time between a loading that failed and the next, milliseconds.
const UNITS_AGAIN_MS: i64 = 10_000;

/// Loads the list when it is old and nobody else is loading it; whether it was loaded.
pub(super) async fn refresh(
    context: &Arc<Context>,
    account: &Account,
    loaded_at: Option<Timestamp>,
) -> Result<bool, ReconcileError> {
    let now = context.clock.now();
    let fresh_since = now.plus_ms(-UNITS_AGE_MAX_MS);
    if loaded_at.is_some_and(|at| at > fresh_since) {
        return Ok(false);
    }
    let lease = LeaseUnits {
        account: account.id,
        now,
        fresh_since,
    };
    if !context.store.submit(lease).await? {
        return Ok(false);
    }
    let operator = Operator::of(context, account.clone())?;
    let loaded = load_units(context, &operator).await?;
    if !loaded {
        // Nothing can be sent without a list: the next try comes soon, not when the lease would have run out.
        let put_off = PutOffUnits {
            account: account.id,
            until: context.clock.now().plus_ms(UNITS_AGAIN_MS),
        };
        context.store.submit(put_off).await?;
    }
    Ok(loaded)
}

/// Loads every level, or nothing: a half list would hold shipments for no reason.
async fn load_units(context: &Arc<Context>, operator: &Operator) -> Result<bool, ReconcileError> {
    let set = OperatorUnitSet::New;
    let count = operator.carrier.build_units(&operator.settings, "", set)?.len();
    let mut rows = Vec::new();
    for index in 0..count {
        let levels = operator.carrier.build_units(&operator.settings, "", set)?;
        let Some(level) = levels.get(index).map(|(level, _)| *level) else {
            break;
        };
        let outcome = operator
            .read(
                context,
                |operator, token| {
                    let requests = operator.carrier.build_units(&operator.settings, token, set)?;
                    let request = requests.into_iter().nth(index).map(|(_, request)| request);
                    request.ok_or(BuildError::NotOffered { call: "units" })
                },
                |carrier, response| carrier.read_units(set, level, response),
            )
            .await?;
        let ReadOutcome::Answer { value, .. } = outcome else {
            return Ok(false);
        };
        rows.extend(value.into_iter().map(|unit| {
            let parent_code = unit.parent_code.unwrap_or_default();
            (
                word(level).to_owned(),
                OperatorUnitRow {
                    code: unit.code,
                    name: unit.name,
                    parent_code,
                },
            )
        }));
    }
    let keep = KeepUnits {
        account: operator.account.id,
        rows,
        now: context.clock.now(),
    };
    context.store.submit(keep).await?;
    Ok(true)
}

const fn word(level: UnitLevel) -> &'static str {
    match level {
        UnitLevel::Province => "province",
        UnitLevel::District => "district",
        UnitLevel::Commune => "commune",
    }
}

struct LeaseUnits {
    account: AccountId,
    now: Timestamp,
    fresh_since: Timestamp,
}

impl Command for LeaseUnits {
    const NAME: &'static str = "lease_units";
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let until = self.now.plus_ms(UNITS_LEASE_MS);
        operator::lease_units(tx, self.account, (self.now, until), self.fresh_since).await
    }
}

struct PutOffUnits {
    account: AccountId,
    until: Timestamp,
}

impl Command for PutOffUnits {
    const NAME: &'static str = "put_off_units";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        operator::put_off_units(tx, self.account, self.until).await
    }
}

struct KeepUnits {
    account: AccountId,
    rows: Vec<(String, OperatorUnitRow)>,
    now: Timestamp,
}

impl Command for KeepUnits {
    const NAME: &'static str = "keep_units";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        unit::replace_operator_units(tx, self.account, "new", &self.rows).await?;
        operator::set_units_loaded(tx, self.account, self.now).await
    }
}
