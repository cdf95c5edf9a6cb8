//! Room `edge::store`: frozen events on their way to receivers, with leases.
//!
//! Events of one receiver and one dossier leave strictly in order: only the first open one can be claimed. Waiting,
//! leased and dead events are open; sent and skipped ones are not. So a dead event holds back the later ones of its
//! dossier, and of no other, until a person redrives or skips it. A lease is a token that only grows: whoever holds an
//! older one changes nothing. In: claims and outcomes. Out: leased events. Deliberately not here: writing events
//! (`record`), sending them (feed), and lists for people (`dead_letter`).

use super::endpoint::Endpoint;
use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{DossierId, EndpointId, OutboxId};
use crate::domain::time::Timestamp;

/// Detail of an event whose receiver asked us to wait; until then nothing is sent to that receiver.
pub const THROTTLED: &str = "throttled";

/// An event leased for sending.
#[derive(Clone, Debug)]
pub struct LeasedEvent {
    /// Identifier; the same in every send.
    pub id: OutboxId,
    /// About which dossier.
    pub dossier: DossierId,
    /// Number within receiver and dossier, from 1.
    pub sequence: i64,
    /// The bytes, as they were when it happened.
    pub body: Vec<u8>,
    /// Sends begun, this one included.
    pub attempts: u32,
    /// First send; waits the receiver asked for are added.
    pub first_at: Timestamp,
    /// Fencing token.
    pub lease_token: i64,
    /// End of the lease.
    pub lease_until: Timestamp,
}

impl LeasedEvent {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", OutboxId::from_bytes)?,
            dossier: row.id("dossier_id", DossierId::from_bytes)?,
            sequence: row.int("sequence")?,
            body: row.bytes("body")?,
            attempts: row.count("attempts")?,
            first_at: row.at("first_at")?,
            lease_token: row.int("lease_token")?,
            lease_until: row.at("lease_until_at")?,
        })
    }
}

/// What becomes of a leased event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The receiver has it.
    Sent,
    /// Again, not before `due_at`.
    Later {
        /// Not before.
        due_at: Timestamp,
        /// First send, moved on by a wait the receiver asked for.
        first_at: Timestamp,
        /// Kind of the failure, our word.
        detail: String,
    },
    /// Given up: waits for a person, and the later events of its dossier with it.
    Dead {
        /// Not before, should it be redriven: the receiver may have asked for a wait.
        due_at: Timestamp,
        /// Kind of the last failure, our word.
        detail: String,
    },
}

/// Leases the first open event of each dossier that is due, at most `limit`, until `lease_until`. Of an inactive
/// receiver, or of one that asked us to wait: nothing.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn claim(
    tx: &mut Tx,
    endpoint: EndpointId,
    (now, lease_until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<LeasedEvent>, StoreError> {
    let values = args![endpoint, now, lease_until, limit];
    let rows = tx.rows(sql!(split "outbox" / "claim"), values).await?;
    rows.iter().map(LeasedEvent::read).collect()
}

/// Ends a lease. `Ok(false)`: the lease is stale and nothing was changed.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn end(tx: &mut Tx, event: &LeasedEvent, end: &End, now: Timestamp) -> Result<bool, StoreError> {
    let (state, due_at, first_at, detail, ended_at) = match end {
        End::Sent => ("sent", now, event.first_at, None, Some(now)),
        End::Later {
            due_at,
            first_at,
            detail,
        } => ("waiting", *due_at, *first_at, Some(detail.as_str()), None),
        End::Dead { due_at, detail } => ("dead", *due_at, event.first_at, Some(detail.as_str()), Some(now)),
    };
    let values = args![
        event.id,
        event.lease_token,
        state,
        due_at,
        first_at,
        detail,
        ended_at
    ];
    Ok(tx.execute(sql!("outbox" / "end"), values).await? == 1)
}

/// Active receivers with an event that may be sent now, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn ready(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Endpoint>, StoreError> {
    let rows = tx.rows(sql!("outbox" / "ready"), args![now, limit]).await?;
    rows.iter().map(Endpoint::read).collect()
}

/// When the next event may be sent.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_due(tx: &mut Tx, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    match tx.row(sql!("outbox" / "next_due"), args![now]).await? {
        None => Ok(None),
        Some(row) => row.opt_at("next_at"),
    }
}

/// Starts the waiting events of a receiver afresh after a pause: attempts and age from zero, due at once, save where
/// the receiver itself asked for a wait.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn resume(tx: &mut Tx, endpoint: EndpointId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("outbox" / "resume"), args![endpoint, now])
        .await
        .map(drop)
}

/// Puts a dead event back, attempts and age from zero. `false` when it is not dead.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn redrive(tx: &mut Tx, id: OutboxId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(sql!("outbox" / "redrive"), args![id, now]).await? == 1)
}

/// Gives a dead event up for good and lets the later ones of its dossier go on; the receiver sees the gap in the
/// numbers. `false` when it is not dead.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn skip(tx: &mut Tx, id: OutboxId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(sql!("outbox" / "skip"), args![id, now]).await? == 1)
}
