//! Room `app`, command `doctor`: what the installation is set up with.
//!
//! In: an open store. Out: findings about units, offices, dossier systems, operator accounts and imports. Nothing here
//! fails an installation that is only being set up: what is missing is a warning. Deliberately not here: the database
//! itself.

use super::{Finding, fail, ok, warn};
use crate::app::compose;
use crate::domain::time::Timestamp;
use crate::edge::store::account::{Account, accounts};
use crate::edge::store::operator::{self, Breaker};
use crate::edge::store::overview::{Overview, overview};
use crate::edge::store::{Store, StoreError, Tx, unit};

/// Looks at the set-up.
pub(super) async fn look(store: &Store, now: Timestamp) -> Vec<Finding> {
    match read(store, now).await {
        Ok(findings) => findings,
        Err(error) => vec![fail("set-up", error.to_string(), "see what the database says")],
    }
}

async fn read(store: &Store, now: Timestamp) -> Result<Vec<Finding>, StoreError> {
    let mut tx = store.snapshot().await?;
    let sets = unit::unit_sets(&mut tx).await?;
    let counted = overview(&mut tx, now).await?;
    let mut findings = vec![units(&sets), offices(counted), systems(counted)];
    let known = accounts(&mut tx).await?;
    if known.is_empty() {
        findings.push(warn(
            "accounts",
            "no operator account: nothing can be sent",
            "name one in a file for `hoibao import setup`",
        ));
    }
    for account in &known {
        findings.push(operator_account(&mut tx, account).await?);
    }
    if counted.imports_unfinished > 0 {
        findings.push(warn(
            "imports",
            format!("{} going on or cut off", counted.imports_unfinished),
            "unless one is going on, import the same file again: that settles it",
        ));
    }
    Ok(findings)
}

fn units(sets: &[(String, Timestamp, u32)]) -> Finding {
    const NAME: &str = "units";
    if sets.is_empty() {
        return warn(
            NAME,
            "no administrative units: no address can be checked",
            "run `hoibao import units`",
        );
    }
    let sets: Vec<String> = sets
        .iter()
        .map(|(name, _, count)| format!("{name}: {count}"))
        .collect();
    ok(NAME, sets.join(", "))
}

fn offices(counted: Overview) -> Finding {
    const NAME: &str = "offices";
    let detail = format!(
        "{} in force, {} procedures by post, {} staff",
        counted.offices, counted.procedures_by_post, counted.staff
    );
    let mend = "name them in a file for `hoibao import setup`";
    if counted.offices == 0 || counted.procedures_by_post == 0 {
        warn(
            NAME,
            format!("{detail}: nothing can be registered for the post"),
            mend,
        )
    } else if counted.offices_without_account > 0 {
        let without = counted.offices_without_account;
        warn(
            NAME,
            format!("{detail}; {without} without an operator account cannot send"),
            mend,
        )
    } else {
        ok(NAME, detail)
    }
}

fn systems(counted: Overview) -> Finding {
    const NAME: &str = "systems";
    if counted.sources == 0 {
        return warn(
            NAME,
            "no dossier system: no dossier can be stated",
            "name one in a file for `hoibao import setup`, then `hoibao keys api create`",
        );
    }
    // A system may state by file and ask for its dossiers itself: neither is a fault.
    ok(
        NAME,
        format!(
            "{}; {} without an API key, {} without a receiver of events",
            counted.sources, counted.sources_without_key, counted.sources_without_endpoint
        ),
    )
}

async fn operator_account(tx: &mut Tx, account: &Account) -> Result<Finding, StoreError> {
    const NAME: &str = "accounts";
    let code = &account.code;
    let known = compose::carriers().is_ok_and(|carriers| carriers.find(&account.adapter).is_some());
    if !known {
        return Ok(fail(
            NAME,
            format!("{code}: this build has no adapter {}", account.adapter),
            "use a build that has it",
        ));
    }
    if !account.active {
        return Ok(warn(
            NAME,
            format!("{code}: not active, nothing is sent"),
            "set active = true in a file for `hoibao import setup` when orders may be sent",
        ));
    }
    let state = operator::find(tx, account.id).await?;
    let units_loaded = operator::units_loaded_at(tx, account.id).await?.is_some();
    Ok(match (state.breaker, state.heard_at) {
        (Breaker::Open | Breaker::HalfOpen, _) => warn(
            NAME,
            format!("{code}: its breaker is {}: calls failed", state.breaker.as_str()),
            "see the log; calls are tried again by themselves",
        ),
        (Breaker::Closed, None) => warn(
            NAME,
            format!("{code}: the operator was never heard from"),
            "start `hoibao serve`; if it stays so, check base_url, login and the way out",
        ),
        (Breaker::Closed, Some(_)) if !units_loaded => warn(
            NAME,
            format!("{code}: the operator's list of units was never loaded: nothing is dispatched"),
            "let `hoibao serve` run; it loads the list",
        ),
        (Breaker::Closed, Some(heard)) => ok(NAME, format!("{code}: last heard from {}", heard.to_rfc3339())),
    })
}
