//! Room `edge::store`: what an audit reads: every journal entry with the columns beside it, every fact, every row.
//!
//! In: positions. Out: pages by key. Deliberately not here: comparing (`stage::audit`).

use super::dossier::DossierRow;
use super::shipment::ShipmentRow;
use super::{StoreError, Tx, args, sql};
use crate::domain::id::{DossierId, ItemId, ShipmentId};
use crate::domain::time::Timestamp;

/// A journal row: the bytes, and what stands beside them in columns.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Entry's identifier.
    pub id: [u8; 16],
    /// Number of the subject's kind.
    pub subject_kind: i64,
    /// Subject.
    pub subject_id: [u8; 16],
    /// Sequence within the subject; 0 for none.
    pub sequence: i64,
    /// Number of the kind.
    pub kind: i64,
    /// Written at.
    pub recorded_at: Timestamp,
    /// The entry.
    pub bytes: Vec<u8>,
}

/// Journal rows after a position in the order of writing, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn journal(
    tx: &mut Tx,
    (after, id): (Timestamp, [u8; 16]),
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    let rows = tx
        .rows(sql!("journal" / "audit"), args![after, id, limit])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(JournalRow {
                id: row.id("id", |id| id)?,
                subject_kind: row.int("subject_kind")?,
                subject_id: row.id("subject_id", |id| id)?,
                sequence: row.int("sequence")?,
                kind: row.int("kind")?,
                recorded_at: row.at("recorded_at")?,
                bytes: row.bytes("bytes")?,
            })
        })
        .collect()
}

/// The three tables of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactTable {
    /// Facts about delivery.
    Delivery,
    /// Facts about the paper.
    Custody,
    /// Facts about dossiers.
    Dossier,
}

/// A stored fact, unread.
#[derive(Clone, Debug)]
pub struct FactRow {
    /// Shipment or dossier.
    pub subject: [u8; 16],
    /// Identity.
    pub fact_id: [u8; 32],
    /// Time stated.
    pub occurred_at: Timestamp,
    /// Version of the map.
    pub map_version: u32,
    /// The fact's bytes.
    pub fields: Vec<u8>,
}

/// Facts of a table after a position, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn facts(
    tx: &mut Tx,
    table: FactTable,
    (subject, fact_id): ([u8; 16], [u8; 32]),
    limit: u32,
) -> Result<Vec<FactRow>, StoreError> {
    let text = match table {
        FactTable::Delivery => sql!("delivery_fact" / "audit"),
        FactTable::Custody => sql!("custody_fact" / "audit"),
        FactTable::Dossier => sql!("dossier_fact" / "audit"),
    };
    let rows = tx.rows(text, args![subject, fact_id, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(FactRow {
                subject: row.id("subject_id", |id| id)?,
                fact_id: row
                    .bytes("fact_id")?
                    .try_into()
                    .map_err(|_length| StoreError::Corrupt { place: "fact_id" })?,
                occurred_at: row.at("occurred_at")?,
                map_version: row.count("map_version")?,
                fields: row.bytes("fields")?,
            })
        })
        .collect()
}

/// A shipment row with the folded columns that [`ShipmentRow`] leaves out.
#[derive(Clone, Debug)]
pub struct AuditedShipment {
    /// The row.
    pub row: ShipmentRow,
    /// Folded: raw code of the last failed visit.
    pub failure_code: Option<String>,
    /// Folded: the operator has the paper though nobody recorded a hand-over.
    pub without_handover: bool,
}

/// Shipments after a position, by identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn shipments(
    tx: &mut Tx,
    after: ShipmentId,
    limit: u32,
) -> Result<Vec<AuditedShipment>, StoreError> {
    let rows = tx.rows(sql!("shipment" / "audit"), args![after, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(AuditedShipment {
                row: ShipmentRow::read(row)?,
                failure_code: row.opt_text("failure_code")?,
                without_handover: row.flag("without_handover")?,
            })
        })
        .collect()
}

/// An item: identifier, shipment, dossier, whether live.
pub type AuditedItem = (ItemId, ShipmentId, DossierId, bool);

/// Items after a position, by identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn items(tx: &mut Tx, after: ItemId, limit: u32) -> Result<Vec<AuditedItem>, StoreError> {
    let rows = tx
        .rows(sql!("shipment_item" / "audit"), args![after, limit])
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.id("id", ItemId::from_bytes)?,
                row.id("shipment_id", ShipmentId::from_bytes)?,
                row.id("dossier_id", DossierId::from_bytes)?,
                row.flag("live")?,
            ))
        })
        .collect()
}

/// Dossiers after a position, by identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn dossiers(tx: &mut Tx, after: DossierId, limit: u32) -> Result<Vec<DossierRow>, StoreError> {
    let rows = tx.rows(sql!("dossier" / "audit"), args![after, limit]).await?;
    rows.iter().map(DossierRow::read).collect()
}
