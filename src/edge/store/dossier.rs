//! Room `edge::store`: dossier records and their facts.
//!
//! In: values. Out: rows. Folded columns are written by `record` only. Deliberately not here: what a source's status
//! means.

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::dossier::DossierFact;
use crate::domain::id::{DossierId, OfficeId, RecordId, ShipmentId, SourceId};
use crate::domain::journal::Fields;
use crate::domain::time::Timestamp;

/// A dossier as stored.
#[derive(Clone, Debug)]
pub struct DossierRow {
    /// Identifier.
    pub id: DossierId,
    /// The system that may state its status.
    pub source: SourceId,
    /// That system's code.
    pub source_code: String,
    /// Dossier code.
    pub code: String,
    /// Code of its procedure.
    pub procedure_code: String,
    /// Receiving office.
    pub office: OfficeId,
    /// Record of the registered addressee.
    pub record: Option<RecordId>,
    /// Last sequence used in the journal.
    pub journal_sequence: u64,
    /// Last raw status stated.
    pub status_raw: String,
    /// Its meaning, 1-10.
    pub status_stated: u32,
    /// Folded status, 10 only on proof.
    pub status: u32,
    /// Version of the status map used.
    pub map_version: u32,
    /// Way of return, its number.
    pub return_by: i64,
    /// Way of submission, its number.
    pub submitted_by: i64,
    /// Received at.
    pub received_at: Timestamp,
    /// Promised for.
    pub due_at: Option<Timestamp>,
    /// Finished at.
    pub finished_at: Option<Timestamp>,
    /// In the citizen's hands at.
    pub returned_at: Option<Timestamp>,
    /// The postal choice was taken back.
    pub post_withdrawn: bool,
    /// A second record of another dossier.
    pub is_duplicate: bool,
    /// Shipment shown in the delivery block.
    pub shipment: Option<ShipmentId>,
    /// Why record and world disagree.
    pub discrepancy: Option<String>,
    /// Opened at.
    pub created_at: Timestamp,
    /// Row changed at.
    pub updated_at: Timestamp,
}

impl DossierRow {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", DossierId::from_bytes)?,
            source: row.id("source_id", SourceId::from_bytes)?,
            source_code: row.text("source_code")?,
            code: row.text("code")?,
            procedure_code: row.text("procedure_code")?,
            office: row.id("office_id", OfficeId::from_bytes)?,
            record: row.opt_id("record_id", RecordId::from_bytes)?,
            journal_sequence: row.count("journal_sequence")?.into(),
            status_raw: row.text("status_raw")?,
            status_stated: row.count("status_stated")?,
            status: row.count("status")?,
            map_version: row.count("map_version")?,
            return_by: row.int("return_by")?,
            submitted_by: row.int("submitted_by")?,
            received_at: row.at("received_at")?,
            due_at: row.opt_at("due_at")?,
            finished_at: row.opt_at("finished_at")?,
            returned_at: row.opt_at("returned_at")?,
            post_withdrawn: row.flag("post_withdrawn")?,
            is_duplicate: row.flag("is_duplicate")?,
            shipment: row.opt_id("shipment_id", ShipmentId::from_bytes)?,
            discrepancy: row.opt_text("discrepancy")?,
            created_at: row.at("created_at")?,
            updated_at: row.at("updated_at")?,
        })
    }
}

/// Reads a dossier by its identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, id: DossierId) -> Result<Option<DossierRow>, StoreError> {
    tx.row(sql!("dossier" / "find"), args![id])
        .await?
        .as_ref()
        .map(DossierRow::read)
        .transpose()
}

/// Reads a dossier by source and code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn by_code(tx: &mut Tx, source: SourceId, code: &str) -> Result<Option<DossierRow>, StoreError> {
    tx.row(sql!("dossier" / "by_code"), args![source, code])
        .await?
        .as_ref()
        .map(DossierRow::read)
        .transpose()
}

/// Reads a dossier and keeps others from moving it until the transaction ends.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lock(tx: &mut Tx, id: DossierId) -> Result<Option<DossierRow>, StoreError> {
    tx.row(sql!(split "dossier" / "lock"), args![id])
        .await?
        .as_ref()
        .map(DossierRow::read)
        .transpose()
}

/// A new dossier's first columns; the rest follows from its facts.
#[derive(Clone, Debug)]
pub struct NewDossier<'a> {
    /// Identifier.
    pub id: DossierId,
    /// Its system.
    pub source: SourceId,
    /// Its code.
    pub code: &'a str,
    /// Code of its procedure.
    pub procedure_code: &'a str,
    /// Receiving office.
    pub office: OfficeId,
    /// Received at.
    pub received_at: Timestamp,
}

/// Opens a dossier; `false` when source and code are known already.
///
/// # Errors
/// [`StoreError::Constraint`] when source or office do not exist.
pub async fn insert(tx: &mut Tx, new: &NewDossier<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let values = args![
        new.id,
        new.source,
        new.code,
        new.procedure_code,
        new.office,
        new.received_at,
        now
    ];
    Ok(tx.execute(sql!("dossier" / "insert"), values).await? == 1)
}

/// Keeps the last stated procedure and office.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn describe(
    tx: &mut Tx,
    id: DossierId,
    procedure_code: &str,
    office: OfficeId,
) -> Result<(), StoreError> {
    tx.execute(sql!("dossier" / "describe"), args![id, procedure_code, office])
        .await
        .map(drop)
}

/// Names the record of the registered addressee.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_record(tx: &mut Tx, id: DossierId, record: RecordId) -> Result<(), StoreError> {
    tx.execute(sql!("dossier" / "set_record"), args![id, record])
        .await
        .map(drop)
}

/// All facts of a dossier.
///
/// # Errors
/// [`StoreError::Corrupt`] when a fact cannot be read.
pub async fn facts(tx: &mut Tx, dossier: DossierId) -> Result<Vec<DossierFact>, StoreError> {
    let rows = tx.rows(sql!("dossier_fact" / "list"), args![dossier]).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::from_bytes(&row.bytes("fields")?).ok();
            let (at, version) = (row.at("occurred_at")?, row.count("map_version")?);
            fields
                .and_then(|fields| DossierFact::from_fields(&fields, at, version))
                .ok_or(StoreError::Corrupt {
                    place: "dossier_fact.fields",
                })
        })
        .collect()
}
