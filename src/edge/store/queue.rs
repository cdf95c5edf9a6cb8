//! Room `edge::store`: the queue of shipments to be sent, with leases.
//!
//! A lease is a token that only grows: whoever holds an older one changes nothing. In: claims and moves. Out: leased
//! rows. Deliberately not here: what to do with a row (dispatch, resolve).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{AccountId, ShipmentId};
use crate::domain::time::Timestamp;

/// Where a shipment stands in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueState {
    /// Waits for the paper to be scanned in.
    Paper,
    /// May be sent when due.
    Ready,
    /// Somebody works on it.
    Leased,
    /// An attempt is in doubt; resolve asks.
    Doubt,
    /// Stopped until a person acts.
    Held,
    /// Booked, cancelled or rejected: nothing is left to send.
    Done,
}

impl QueueState {
    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Doubt => "doubt",
            Self::Held => "held",
            Self::Done => "done",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        Ok(match word {
            "paper" => Self::Paper,
            "ready" => Self::Ready,
            "leased" => Self::Leased,
            "doubt" => Self::Doubt,
            "held" => Self::Held,
            "done" => Self::Done,
            _ => return Err(StoreError::Corrupt { place: "queue.state" }),
        })
    }
}

/// A row of the queue.
#[derive(Clone, Debug)]
pub struct QueueRow {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// By which account.
    pub account: AccountId,
    /// Where it stands.
    pub state: QueueState,
    /// Not before.
    pub due_at: Timestamp,
    /// Calls counted against the limit.
    pub attempts: u32,
    /// First call.
    pub first_at: Option<Timestamp>,
    /// The account's paused time at the first call, milliseconds.
    pub paused_ms_then: i64,
    /// Fencing token.
    pub lease_token: i64,
    /// Look-ups of a doubt that found nothing.
    pub absences: u32,
    /// When the last one did.
    pub absent_at: Option<Timestamp>,
    /// Since when it is in doubt.
    pub doubted_at: Option<Timestamp>,
}

impl QueueRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            shipment: row.id("shipment_id", ShipmentId::from_bytes)?,
            account: row.id("account_id", AccountId::from_bytes)?,
            state: QueueState::parse(&row.text("state")?)?,
            due_at: row.at("due_at")?,
            attempts: row.count("attempts")?,
            first_at: row.opt_at("first_at")?,
            paused_ms_then: row.int("paused_ms_then")?,
            lease_token: row.int("lease_token")?,
            absences: row.count("absences")?,
            absent_at: row.opt_at("absent_at")?,
            doubted_at: row.opt_at("doubted_at")?,
        })
    }
}

/// Puts a new shipment into the queue: [`QueueState::Paper`] or [`QueueState::Ready`].
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn insert(
    tx: &mut Tx,
    shipment: ShipmentId,
    account: AccountId,
    state: QueueState,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        sql!("queue" / "insert"),
        args![shipment, account, state.as_str(), due_at],
    )
    .await
    .map(drop)
}

/// The row of a shipment.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, shipment: ShipmentId) -> Result<Option<QueueRow>, StoreError> {
    tx.row(sql!("queue" / "find"), args![shipment])
        .await?
        .as_ref()
        .map(QueueRow::read)
        .transpose()
}

/// Which rows to lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Ready to be sent.
    Ready,
    /// In doubt and due for a look.
    Doubt,
}

/// Leases due rows of an account until `lease_until`, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn claim(
    tx: &mut Tx,
    account: AccountId,
    which: Claim,
    (now, lease_until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<QueueRow>, StoreError> {
    let text = match which {
        Claim::Ready => sql!(split "queue" / "claim"),
        Claim::Doubt => sql!(split "queue" / "claim_doubt"),
    };
    tx.rows(text, args![account, now, lease_until, limit])
        .await?
        .iter()
        .map(QueueRow::read)
        .collect()
}

/// Rows whose lease ran out: their holder died in the middle.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn list_stale(
    tx: &mut Tx,
    account: AccountId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<QueueRow>, StoreError> {
    let rows = tx
        .rows(sql!("queue" / "list_stale"), args![account, now, limit])
        .await?;
    rows.iter().map(QueueRow::read).collect()
}

/// Ends a lease and moves the row. `row` carries the new values; its token is the fence.
///
/// # Errors
/// [`StoreError`] as the database says. `Ok(false)`: the lease is stale and nothing was changed.
pub async fn release(tx: &mut Tx, row: &QueueRow) -> Result<bool, StoreError> {
    let values = args![
        row.shipment,
        row.lease_token,
        row.state.as_str(),
        row.due_at,
        row.attempts,
        row.first_at,
        row.paused_ms_then,
        row.absences,
        row.absent_at,
        row.doubted_at,
    ];
    Ok(tx.execute(sql!("queue" / "move"), values).await? == 1)
}

/// Moves a row by a person's act or by a fact; any lease on it becomes stale.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_state(
    tx: &mut Tx,
    shipment: ShipmentId,
    state: QueueState,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        sql!("queue" / "set_state"),
        args![shipment, state.as_str(), due_at],
    )
    .await
    .map(drop)
}

/// Moves a row by a person's decision to the values of `to`, if it still stands as `seen`; a look-up under way becomes
/// stale.
///
/// # Errors
/// [`StoreError`] as the database says. `Ok(false)`: somebody moved it meanwhile and nothing was changed.
pub async fn move_seen(tx: &mut Tx, seen: &QueueRow, to: &QueueRow) -> Result<bool, StoreError> {
    let values = args![
        seen.shipment,
        seen.lease_token,
        seen.state.as_str(),
        to.state.as_str(),
        to.due_at,
        to.attempts,
        to.first_at,
        to.paused_ms_then,
        to.absences,
        to.absent_at,
        to.doubted_at,
    ];
    Ok(tx.execute(sql!("queue" / "move_seen"), values).await? == 1)
}

/// The paper was scanned in: a shipment that waited for it may be sent.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn paper_arrived(tx: &mut Tx, shipment: ShipmentId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("queue" / "paper_arrived"), args![shipment, now])
        .await
        .map(drop)
}

/// When the next row of an account falls due.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_due(
    tx: &mut Tx,
    account: AccountId,
    which: Claim,
) -> Result<Option<Timestamp>, StoreError> {
    let text = match which {
        Claim::Ready => sql!("queue" / "next_due"),
        Claim::Doubt => sql!("queue" / "next_doubt"),
    };
    match tx.row(text, args![account]).await? {
        None => Ok(None),
        Some(row) => row.opt_at("next_at"),
    }
}

/// Rows by account and state, with the oldest due time: account, state, rows, oldest.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(AccountId, String, u32, Timestamp)>, StoreError> {
    let rows = tx.rows(sql!("queue" / "counts"), args![]).await?;
    rows.iter()
        .map(|row| {
            let account = row.id("account_id", AccountId::from_bytes)?;
            Ok((account, row.text("state")?, row.count("rows")?, row.at("oldest")?))
        })
        .collect()
}

/// A hint about a shipment in doubt: look soon. `false` when it is not in doubt.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn hint_doubt(tx: &mut Tx, shipment: ShipmentId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx
        .execute(sql!("queue" / "hint_doubt"), args![shipment, at])
        .await?
        == 1)
}

/// How many rows of an account are ready and due, counted up to `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn count_ready(
    tx: &mut Tx,
    account: AccountId,
    now: Timestamp,
    limit: u32,
) -> Result<u32, StoreError> {
    let row = tx
        .row(sql!("queue" / "count_ready"), args![account, now, limit])
        .await?;
    row.ok_or(StoreError::Corrupt { place: "queue" })?.count("rows")
}

/// Whether the lease of a row is still in force: its token is the newest and nobody moved the row.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn holds(tx: &mut Tx, row: &QueueRow) -> Result<bool, StoreError> {
    let now = find(tx, row.shipment).await?;
    Ok(now.is_some_and(|now| now.lease_token == row.lease_token && now.state == QueueState::Leased))
}
