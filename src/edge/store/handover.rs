//! Room `edge::store`: hand-over lists, and what stands in an envelope.
//!
//! A closed list is never changed: there is no statement for it. In: values. Out: rows. Deliberately not here: what
//! may stand on a list (`stage::desk`), and the facts that follow (`record`).

use super::{StoreError, Tx, args, sql};
use crate::domain::id::{DossierId, HandoverId, ItemId, OfficeId, ShipmentId, StaffId};
use crate::domain::journal::{Subject, SubjectKind};
use crate::domain::time::Timestamp;

/// The head of a hand-over list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Identifier.
    pub id: HandoverId,
    /// Giving office.
    pub office: OfficeId,
    /// Running number of the office in the year, from 1.
    pub number: i64,
    /// Civil year in Vietnam of the hand-over.
    pub year: i64,
    /// Who gave.
    pub given_by: StaffId,
    /// Work identity of the postal worker who took.
    pub taken_by: String,
    /// Real time of the hand-over.
    pub handed_over_at: Timestamp,
    /// When it was entered.
    pub entered_at: Timestamp,
    /// Why it was entered afterwards.
    pub late_reason: Option<String>,
}

/// One envelope on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverItem {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// Its short number.
    pub short_number: String,
    /// Place on the list, from 1.
    pub position: u32,
    /// The postal worker took it.
    pub taken: bool,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// Keeps others from closing a list of the same office until the transaction ends; `false`: there is no such office.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lock_office(tx: &mut Tx, office: OfficeId) -> Result<bool, StoreError> {
    Ok(tx
        .row(sql!(split "office" / "lock"), args![office])
        .await?
        .is_some())
}

/// The next number of an office's lists in a year. Lock the office before.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_number(tx: &mut Tx, office: OfficeId, year: i64) -> Result<i64, StoreError> {
    let row = tx
        .row(sql!("handover" / "last_number"), args![office, year])
        .await?;
    let last = row
        .ok_or(StoreError::Corrupt { place: "handover" })?
        .int("last")?;
    Ok(last.saturating_add(1))
}

/// The next sequence of an office in the journal. Lock the office before.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_office_sequence(tx: &mut Tx, office: OfficeId) -> Result<(Subject, u64), StoreError> {
    let subject = Subject {
        kind: SubjectKind::Office,
        id: *office.as_bytes(),
    };
    let kind = i64::from(subject.kind.number());
    let row = tx
        .row(sql!("journal" / "last_sequence"), args![kind, subject.id])
        .await?;
    let last = row
        .ok_or(StoreError::Corrupt { place: "journal" })?
        .count("last")?;
    Ok((subject, u64::from(last) + 1))
}

/// Writes a list with its envelopes.
///
/// # Errors
/// [`StoreError::Constraint`] when the number is taken or a shipment stands on it twice.
pub async fn insert(tx: &mut Tx, list: &Handover, items: &[HandoverItem]) -> Result<(), StoreError> {
    let values = args![
        list.id,
        list.office,
        list.number,
        list.year,
        list.given_by,
        &list.taken_by,
        list.handed_over_at,
        list.entered_at,
        list.late_reason.clone(),
    ];
    tx.execute(sql!("handover" / "insert"), values).await?;
    for item in items {
        let values = args![
            list.id,
            item.shipment,
            item.position,
            item.taken,
            item.reason.clone()
        ];
        tx.execute(sql!("handover_item" / "insert"), values).await?;
    }
    Ok(())
}

/// The newest lists of an office, newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn list(tx: &mut Tx, office: OfficeId, limit: u32) -> Result<Vec<Handover>, StoreError> {
    let rows = tx.rows(sql!("handover" / "list"), args![office, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Handover {
                id: row.id("id", HandoverId::from_bytes)?,
                office: row.id("office_id", OfficeId::from_bytes)?,
                number: row.int("number")?,
                year: row.int("year")?,
                given_by: row.id("given_by", StaffId::from_bytes)?,
                taken_by: row.text("taken_by")?,
                handed_over_at: row.at("handed_over_at")?,
                entered_at: row.at("entered_at")?,
                late_reason: row.opt_text("late_reason")?,
            })
        })
        .collect()
}

/// The envelopes of a list, in its order.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn items(tx: &mut Tx, list: HandoverId) -> Result<Vec<HandoverItem>, StoreError> {
    let rows = tx.rows(sql!("handover_item" / "list"), args![list]).await?;
    rows.iter()
        .map(|row| {
            Ok(HandoverItem {
                shipment: row.id("shipment_id", ShipmentId::from_bytes)?,
                short_number: row.text("short_number")?,
                position: row.count("position")?,
                taken: row.flag("taken")?,
                reason: row.opt_text("reason")?,
            })
        })
        .collect()
}

/// A shipment by the number on its barcode.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn by_short_number(tx: &mut Tx, short_number: &str) -> Result<Option<ShipmentId>, StoreError> {
    let row = tx
        .row(sql!("shipment" / "by_short_number"), args![short_number])
        .await?;
    row.map(|row| row.id("id", ShipmentId::from_bytes)).transpose()
}

/// The shipment that holds a document now, and the document's place in it.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn holding(
    tx: &mut Tx,
    dossier: DossierId,
    document_no: u32,
) -> Result<Option<(ShipmentId, ItemId)>, StoreError> {
    let row = tx
        .row(
            sql!("shipment_item" / "live_of_dossier"),
            args![dossier, document_no],
        )
        .await?;
    row.map(|row| {
        let shipment = row.id("shipment_id", ShipmentId::from_bytes)?;
        Ok((shipment, row.id("id", ItemId::from_bytes)?))
    })
    .transpose()
}

/// One paper of an envelope, as its slip shows it.
#[derive(Clone, Debug)]
pub struct Paper {
    /// Item of the shipment.
    pub item: ItemId,
    /// Its dossier.
    pub dossier: DossierId,
    /// Which document of the dossier, from 1.
    pub document_no: u32,
    /// Dossier code on the slip.
    pub code: String,
    /// The citizen took the postal choice back.
    pub withdrawn: bool,
}

/// The papers that belong into an envelope.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn papers(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<Paper>, StoreError> {
    let rows = tx.rows(sql!("shipment_item" / "codes"), args![shipment]).await?;
    rows.iter()
        .map(|row| {
            Ok(Paper {
                item: row.id("id", ItemId::from_bytes)?,
                dossier: row.id("dossier_id", DossierId::from_bytes)?,
                document_no: row.count("document_no")?,
                code: row.text("code")?,
                withdrawn: row.flag("post_withdrawn")?,
            })
        })
        .collect()
}
