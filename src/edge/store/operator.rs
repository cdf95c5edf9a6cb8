//! Room `edge::store`: what all gateways share about an operator account: rate budget, breaker, access token.
//!
//! In: moves under the row's lock. Out: the row. Deliberately not here: when a breaker opens (`stage::context`).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// State of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// Calls go through.
    Closed,
    /// No call before the time stated.
    Open,
    /// One probe goes through.
    HalfOpen,
}

impl Breaker {
    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        match word {
            "closed" => Ok(Self::Closed),
            "open" => Ok(Self::Open),
            "half_open" => Ok(Self::HalfOpen),
            _ => Err(StoreError::Corrupt {
                place: "operator_state.breaker",
            }),
        }
    }
}

/// What is shared about an operator account.
#[derive(Clone, Debug)]
pub struct OperatorState {
    /// Which account.
    pub account: AccountId,
    /// Rate budget: theoretical arrival time of the next call, microseconds since 1970.
    pub budget_us: i64,
    /// Breaker.
    pub breaker: Breaker,
    /// Open: no call before this.
    pub breaker_until: Option<Timestamp>,
    /// Since when it is not closed.
    pub breaker_opened: Option<Timestamp>,
    /// When the last probe was let through.
    pub breaker_probe: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Total time the breaker was not closed, milliseconds.
    pub paused_ms: i64,
    /// Last readable answer.
    pub heard_at: Option<Timestamp>,
    /// Access token, sealed.
    pub token_sealed: Option<Vec<u8>>,
    /// Assumed end of its life.
    pub token_expires: Option<Timestamp>,
    /// Raised with each new token.
    pub token_version: i64,
}

impl OperatorState {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            account: row.id("account_id", AccountId::from_bytes)?,
            budget_us: row.int("budget_at")?,
            breaker: Breaker::parse(&row.text("breaker")?)?,
            breaker_until: row.opt_at("breaker_until_at")?,
            breaker_opened: row.opt_at("breaker_opened_at")?,
            breaker_probe: row.opt_at("breaker_probe_at")?,
            failures: row.count("failures")?,
            paused_ms: row.int("paused_ms")?,
            heard_at: row.opt_at("heard_at")?,
            token_sealed: row.opt_bytes("token_sealed")?,
            token_expires: row.opt_at("token_expires_at")?,
            token_version: row.int("token_version")?,
        })
    }

    /// Time the breaker was not closed up to `now`, milliseconds: it counts neither as attempt nor as age.
    pub fn paused_until(&self, now: Timestamp) -> i64 {
        let running = self
            .breaker_opened
            .map_or(0, |opened| now.since_ms(opened).max(0));
        self.paused_ms.saturating_add(running)
    }
}

/// Reads the row.
///
/// # Errors
/// [`StoreError::Corrupt`] when there is none.
pub async fn find(tx: &mut Tx, account: AccountId) -> Result<OperatorState, StoreError> {
    let row = tx.row(sql!("operator_state" / "find"), args![account]).await?;
    OperatorState::read(&row.ok_or(StoreError::Corrupt {
        place: "operator_state",
    })?)
}

/// Reads the row and keeps other gateways from moving it until the transaction ends.
///
/// # Errors
/// [`StoreError::Corrupt`] when there is none.
pub async fn lock(tx: &mut Tx, account: AccountId) -> Result<OperatorState, StoreError> {
    let row = tx
        .row(sql!(split "operator_state" / "lock"), args![account])
        .await?;
    OperatorState::read(&row.ok_or(StoreError::Corrupt {
        place: "operator_state",
    })?)
}

/// Moves the rate budget.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_budget(tx: &mut Tx, account: AccountId, budget_us: i64) -> Result<(), StoreError> {
    tx.execute(sql!("operator_state" / "set_budget"), args![account, budget_us])
        .await
        .map(drop)
}

/// Writes the breaker's columns.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_breaker(tx: &mut Tx, state: &OperatorState) -> Result<(), StoreError> {
    let values = args![
        state.account,
        state.breaker.as_str(),
        state.breaker_until,
        state.breaker_opened,
        state.breaker_probe,
        state.failures,
        state.paused_ms,
    ];
    tx.execute(sql!("operator_state" / "set_breaker"), values)
        .await
        .map(drop)
}

/// Notes a readable answer.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_heard(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("operator_state" / "set_heard"), args![account, now])
        .await
        .map(drop)
}

/// Takes the right to fetch a token newer than `version`. `Ok(false)`: somebody else has it, or has fetched one.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lease_token(
    tx: &mut Tx,
    account: AccountId,
    version: i64,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let values = args![account, until, version, now];
    Ok(tx.execute(sql!("operator_state" / "lease_token"), values).await? == 1)
}

/// Keeps a new token, sealed, and gives the right to fetch back.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_token(
    tx: &mut Tx,
    account: AccountId,
    sealed: Vec<u8>,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        sql!("operator_state" / "set_token"),
        args![account, sealed, expires_at],
    )
    .await
    .map(drop)
}

/// Gives the right to fetch back without a token.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn drop_token_lease(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    tx.execute(sql!("operator_state" / "drop_token_lease"), args![account])
        .await
        .map(drop)
}

/// When the operator's list of units was last loaded; `None` when never.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn units_loaded_at(tx: &mut Tx, account: AccountId) -> Result<Option<Timestamp>, StoreError> {
    let row = tx
        .row(sql!("operator_state" / "units_loaded"), args![account])
        .await?;
    row.ok_or(StoreError::Corrupt {
        place: "operator_state",
    })?
    .opt_at("units_loaded_at")
}

/// Takes the right to load the operator's unit list, unless it was loaded after `fresh_since` or somebody is at it.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lease_units(
    tx: &mut Tx,
    account: AccountId,
    (now, until): (Timestamp, Timestamp),
    fresh_since: Timestamp,
) -> Result<bool, StoreError> {
    let values = args![account, now, until, fresh_since];
    Ok(tx.execute(sql!("operator_state" / "lease_units"), values).await? == 1)
}

/// Gives the right to load the unit list back: it was loaded in vain, and is not to be tried again before `until`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_off_units(tx: &mut Tx, account: AccountId, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("operator_state" / "put_off_units"), args![account, until])
        .await
        .map(drop)
}

/// Notes that the unit list was loaded.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_units_loaded(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("operator_state" / "set_units_loaded"), args![account, now])
        .await
        .map(drop)
}
