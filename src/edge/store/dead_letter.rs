//! Room `edge::store`: what was given up and waits for a person, as lists.
//!
//! In: positions. Out: dead events with their receiver and dossier, and shipments whose sending is held. Deliberately
//! not here: putting back (`outbox`), and what settles a held shipment (stages).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{DossierId, EndpointId, OutboxId, ShipmentId};
use crate::domain::time::Timestamp;

/// An event with its receiver and dossier.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Identifier.
    pub id: OutboxId,
    /// Its receiver.
    pub endpoint: EndpointId,
    /// Where the receiver is.
    pub url: String,
    /// Code of the dossier system.
    pub source_code: String,
    /// About which dossier.
    pub dossier: DossierId,
    /// The dossier's code.
    pub code: String,
    /// Number within receiver and dossier, from 1.
    pub sequence: i64,
    /// `waiting`, `leased`, `sent`, `dead` or `skipped`.
    pub state: String,
    /// Sends begun.
    pub attempts: u32,
    /// Kind of the last failure, our word.
    pub detail: Option<String>,
    /// When it happened.
    pub created_at: Timestamp,
    /// Sent, given up or skipped at.
    pub ended_at: Option<Timestamp>,
    /// Not before.
    pub due_at: Timestamp,
    /// Later events of the dossier that are held back behind it, or wait their turn.
    pub behind: i64,
}

impl EventRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", OutboxId::from_bytes)?,
            endpoint: row.id("endpoint_id", EndpointId::from_bytes)?,
            url: row.text("url")?,
            source_code: row.text("source_code")?,
            dossier: row.id("dossier_id", DossierId::from_bytes)?,
            code: row.text("code")?,
            sequence: row.int("sequence")?,
            state: row.text("state")?,
            attempts: row.count("attempts")?,
            detail: row.opt_text("last_detail")?,
            created_at: row.at("created_at")?,
            ended_at: row.opt_at("ended_at")?,
            due_at: row.at("due_at")?,
            behind: row.int("behind")?,
        })
    }
}

/// Dead events after a position, in the order they were written, at most `limit`; of one receiver or of all.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn events(
    tx: &mut Tx,
    endpoint: Option<EndpointId>,
    after: OutboxId,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let values = args![endpoint, after, limit];
    let rows = tx.rows(sql!("outbox" / "list_dead"), values).await?;
    rows.iter().map(EventRow::read).collect()
}

/// An event, in whatever state, with its body.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn event(tx: &mut Tx, id: OutboxId) -> Result<Option<(EventRow, Vec<u8>)>, StoreError> {
    match tx.row(sql!("outbox" / "find"), args![id]).await? {
        None => Ok(None),
        Some(row) => Ok(Some((EventRow::read(&row)?, row.bytes("body")?))),
    }
}

/// A shipment whose sending was refused or given up.
#[derive(Clone, Debug)]
pub struct HeldShipment {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// Its short number.
    pub short_number: String,
    /// Code of the sending office.
    pub office_code: String,
    /// Why, a word; nothing when the hold was lifted and the queue is about to follow.
    pub reason: Option<String>,
    /// Folded delivery state, as a word.
    pub state: String,
    /// Calls counted.
    pub attempts: u32,
}

/// Held shipments after a position, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn held(tx: &mut Tx, after: ShipmentId, limit: u32) -> Result<Vec<HeldShipment>, StoreError> {
    let rows = tx.rows(sql!("queue" / "list_held"), args![after, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(HeldShipment {
                shipment: row.id("id", ShipmentId::from_bytes)?,
                short_number: row.text("short_number")?,
                office_code: row.text("office_code")?,
                reason: row.opt_text("held")?,
                state: row.text("state")?,
                attempts: row.count("attempts")?,
            })
        })
        .collect()
}
