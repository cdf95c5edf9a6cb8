//! Room `edge::store`: the inbox, raw bytes that somebody said about shipments, and the callers turned away at the door.
//!
//! In: bytes, sealed at once. Out: unread rows, opened. A callback has a short-lived key of its own; an answer to our own
//! question lies under its shipment's. Deliberately not here: what the bytes mean (tracking), who may send them
//! (callback).

use super::{RecordKey, Row, Store, StoreError, Tx, args, personal, sql};
use crate::domain::id::{AccountId, InboxId, RecordId, ShipmentId};
use crate::domain::time::Timestamp;
use zeroize::Zeroizing;

const TABLE: &str = "inbox";
const COLUMN: &str = "sealed";

/// By which door bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxDoor {
    /// The operator called us.
    Push,
    /// The answer to our own question about one shipment.
    Pull(ShipmentId),
}

/// How reading a row ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadState {
    /// Understood.
    Read,
    /// Not in the operator's form; kept for a person.
    Garbage,
}

impl ReadState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Garbage => "garbage",
        }
    }
}

/// An unread row.
#[derive(Clone, Debug)]
pub struct InboxRow {
    /// Identifier.
    pub id: InboxId,
    /// Operator account.
    pub account: AccountId,
    /// By which door.
    pub door: InboxDoor,
    /// Under whose key it lies.
    pub record: RecordId,
    /// When we got it.
    pub received_at: Timestamp,
    sealed: Vec<u8>,
}

impl InboxRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let shipment = row.opt_id("shipment_id", ShipmentId::from_bytes)?;
        let door = match (row.text("door")?.as_str(), shipment) {
            ("push", None) => InboxDoor::Push,
            ("pull", Some(shipment)) => InboxDoor::Pull(shipment),
            _ => return Err(StoreError::Corrupt { place: "inbox.door" }),
        };
        Ok(Self {
            id: row.id("id", InboxId::from_bytes)?,
            account: row.id("account_id", AccountId::from_bytes)?,
            door,
            record: row.id("record_id", RecordId::from_bytes)?,
            received_at: row.at("received_at")?,
            sealed: row.bytes("sealed")?,
        })
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`StoreError::Seal`] when they were changed.
    pub fn open(&self, key: &RecordKey) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        key.open(TABLE, COLUMN, &self.sealed)
    }
}

/// Keeps bytes under a key.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn insert(
    tx: &mut Tx,
    key: &RecordKey,
    (id, account, door): (InboxId, AccountId, InboxDoor),
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (word, shipment) = match door {
        InboxDoor::Push => ("push", None),
        InboxDoor::Pull(shipment) => ("pull", Some(shipment)),
    };
    let sealed = key.seal(TABLE, COLUMN, bytes)?;
    let values = args![id, account, word, shipment, key.record(), sealed, now];
    tx.execute(sql!("inbox" / "insert"), values).await.map(drop)
}

/// Unread rows, oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn unread(tx: &mut Tx, limit: u32) -> Result<Vec<InboxId>, StoreError> {
    let rows = tx.rows(sql!("inbox" / "unread"), args![limit]).await?;
    rows.iter().map(|row| row.id("id", InboxId::from_bytes)).collect()
}

/// Takes a row for reading within this transaction; `None` when it was read, or somebody is reading it.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lock(tx: &mut Tx, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
    let row = tx.row(sql!(split "inbox" / "lock"), args![id]).await?;
    row.as_ref().map(InboxRow::read).transpose()
}

/// Ends reading; `false`: it was read before.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn end(tx: &mut Tx, id: InboxId, state: ReadState, now: Timestamp) -> Result<bool, StoreError> {
    let done = tx
        .execute(sql!("inbox" / "end"), args![id, state.as_str(), now])
        .await?;
    Ok(done == 1)
}

/// Callers turned away: one source within one minute.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Account named by the address; zero bytes when it named none.
    pub account: AccountId,
    /// Keyed hash of the caller's address.
    pub source: &'a str,
    /// Start of the minute.
    pub minute_at: Timestamp,
    /// Start of the hour.
    pub hour_at: Timestamp,
}

/// Counts `more` refused callbacks; the count of the minute so far.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn count_refused(tx: &mut Tx, refused: Refused<'_>, more: u32) -> Result<u32, StoreError> {
    let values = args![refused.account, refused.source, refused.minute_at, more];
    let row = tx.row(sql!("refused_callback" / "count"), values).await?;
    row.ok_or(StoreError::Corrupt {
        place: "refused_callback",
    })?
    .count("count")
}

/// Keeps a refused body under a short-lived key, unless `bodies_max` of this source and hour are kept already.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn keep_refused(
    store: &Store,
    tx: &mut Tx,
    refused: Refused<'_>,
    (id, record): (InboxId, RecordId),
    (body, bodies_max): (&[u8], u32),
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let values = args![refused.account, refused.source, refused.hour_at];
    let row = tx.row(sql!("refused_body" / "count"), values).await?;
    let kept = row
        .ok_or(StoreError::Corrupt {
            place: "refused_body",
        })?
        .count("number")?;
    if kept >= bodies_max {
        return Ok(false);
    }
    let key = personal::create(store, tx, record, now, Some(expires_at)).await?;
    let sealed = key.seal("refused_body", COLUMN, body)?;
    let values = args![
        id,
        refused.account,
        refused.source,
        refused.hour_at,
        record,
        sealed,
        now
    ];
    tx.execute(sql!("refused_body" / "insert"), values).await?;
    Ok(true)
}
