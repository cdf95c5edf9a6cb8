//! Room `edge::store`: which shipments are to be asked for, and when.
//!
//! In: hints and schedules. Out: leased rows. A row stays when nothing more is expected, with what was seen last: a late
//! hint then costs one look, and a flood of them no more than before. Deliberately not here: the asking (reconcile).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{AccountId, ShipmentId};
use crate::domain::time::Timestamp;

/// By how much a hint is put off for each look in vain before it, milliseconds.
const HINT_STEP_MS: i64 = 60_000;
/// Looks in vain beyond which hints are not put off further.
const HINT_STEPS_MAX: u32 = 10;
/// Due time of a row that is looked at only on a hint: the last millisecond of the year 9999.
const RESTS: Timestamp = Timestamp::from_ms(253_402_300_799_999);

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

/// A hint: look soon, by a minute later for each look in vain before (ten at most), so that a flood of hints cannot make
/// us ask without end. `false` when the shipment was never asked for, or may not be any more.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn hint(tx: &mut Tx, shipment: ShipmentId, now: Timestamp) -> Result<bool, StoreError> {
    let values = args![shipment, now, HINT_STEP_MS, HINT_STEPS_MAX];
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

/// What comes after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another one at this time, or earlier by as much as a hint may pull it forward.
    At(Timestamp),
    /// Another one at this time, and no hint makes it earlier: the operator could not be asked.
    NotBefore(Timestamp),
    /// None, unless a hint comes.
    OnHint,
}

/// How a look ended.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    /// Now.
    pub now: Timestamp,
    /// What comes next.
    pub next: Next,
    /// Looks in a row that brought nothing new, this one included.
    pub fruitless: u32,
    /// Keyed digest of the answer, when it was kept.
    pub kept: Option<[u8; 32]>,
}

/// Ends a look. A hint that came while it was under way is heeded as one that comes now. `Ok(false)`: the lease is stale
/// and nothing was changed.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn done(tx: &mut Tx, row: &PollRow, looked: Looked) -> Result<bool, StoreError> {
    let steps = i64::from(looked.fruitless.min(HINT_STEPS_MAX));
    let hinted_at = looked.now.plus_ms(HINT_STEP_MS * steps);
    let (due_at, hinted_at) = match looked.next {
        Next::At(at) => (at, hinted_at.min(at)),
        Next::NotBefore(at) => (at, at),
        Next::OnHint => (RESTS, hinted_at),
    };
    let kept = looked.kept.map(|digest| digest.to_vec());
    let values = args![
        row.shipment,
        row.lease_token,
        due_at,
        looked.fruitless,
        kept,
        hinted_at
    ];
    Ok(tx.execute(sql!("poll" / "done"), values).await? == 1)
}

/// Ends asking for a shipment, whatever hints come: nothing of it may be kept any more.
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
        Some(row) => Ok(row.opt_at("next_at")?.filter(|at| *at < RESTS)),
    }
}
