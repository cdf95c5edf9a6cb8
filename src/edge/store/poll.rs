//! Room `edge::store`: which shipments are to be asked for, and when.
//!
//! In: hints and schedules. Out: leased rows. Deliberately not here: the asking (reconcile).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{AccountId, ShipmentId};
use crate::domain::time::Timestamp;

/// A shipment due for a look.
#[derive(Clone, Copy, Debug)]
pub struct PollRow {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// By which account.
    pub account: AccountId,
    /// When it was due.
    pub due_at: Timestamp,
    /// Fencing token.
    pub lease_token: i64,
    /// Looks in a row that brought nothing new.
    pub fruitless: u32,
    /// Keyed digest of the last answer that was kept.
    pub seen: Option<[u8; 32]>,
}

impl PollRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            shipment: row.id("shipment_id", ShipmentId::from_bytes)?,
            account: row.id("account_id", AccountId::from_bytes)?,
            due_at: row.at("due_at")?,
            lease_token: row.int("lease_token")?,
            fruitless: row.count("fruitless")?,
            seen: match row.opt_bytes("seen_digest")? {
                None => None,
                Some(bytes) => Some(bytes.try_into().map_err(|_length| StoreError::Corrupt {
                    place: "poll.seen_digest",
                })?),
            },
        })
    }
}

/// Begins to ask for a shipment; one already asked for stays as it is.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn start(
    tx: &mut Tx,
    shipment: ShipmentId,
    account: AccountId,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(sql!("poll" / "insert"), args![shipment, account, due_at])
        .await
        .map(drop)
}

/// A hint: look soon, by `step_ms` later for each look in vain before (ten at most), so that a flood of hints cannot
/// make us ask without end. `false` when the shipment is not asked for any more (or not yet).
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn hint(
    tx: &mut Tx,
    shipment: ShipmentId,
    at: Timestamp,
    step_ms: i64,
) -> Result<bool, StoreError> {
    let values = args![shipment, at, step_ms];
    Ok(tx.execute(sql!("poll" / "hint"), values).await? == 1)
}

/// Forgets which answer was kept last: the next one is read again although it may be the same.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn forget(tx: &mut Tx, shipment: ShipmentId) -> Result<(), StoreError> {
    tx.execute(sql!("poll" / "forget"), args![shipment])
        .await
        .map(drop)
}

/// Leases due rows of an account until `lease_until`, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn claim(
    tx: &mut Tx,
    account: AccountId,
    (now, lease_until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<PollRow>, StoreError> {
    let rows = tx
        .rows(
            sql!(split "poll" / "claim"),
            args![account, now, lease_until, limit],
        )
        .await?;
    rows.iter().map(PollRow::read).collect()
}

/// Ends a look and sets the next one, and the digest of the answer when it was kept. `Ok(false)`: the lease is stale and
/// nothing was changed.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn done(
    tx: &mut Tx,
    row: &PollRow,
    next_at: Timestamp,
    (fruitless, kept): (u32, Option<[u8; 32]>),
) -> Result<bool, StoreError> {
    let kept = kept.map(|digest| digest.to_vec());
    let values = args![row.shipment, row.lease_token, next_at, fruitless, kept];
    Ok(tx.execute(sql!("poll" / "done"), values).await? == 1)
}

/// Ends asking for a shipment.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn stop(tx: &mut Tx, shipment: ShipmentId) -> Result<(), StoreError> {
    tx.execute(sql!("poll" / "stop"), args![shipment]).await.map(drop)
}

/// When the next look of an account falls due.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_due(tx: &mut Tx, account: AccountId) -> Result<Option<Timestamp>, StoreError> {
    match tx.row(sql!("poll" / "next_due"), args![account]).await? {
        None => Ok(None),
        Some(row) => row.opt_at("next_at"),
    }
}
