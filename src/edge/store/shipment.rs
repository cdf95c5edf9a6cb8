//! Room `edge::store`: shipments, their items and their facts.
//!
//! In: values. Out: rows. Folded columns are written by `record` only. Deliberately not here: when a fact is true.

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::custody::CustodyFact;
use crate::domain::delivery::{DeliveryFact, DeliveryState};
use crate::domain::id::{AccountId, DossierId, ItemId, OfficeId, RecordId, ShipmentId, SourceId};
use crate::domain::journal::Fields;
use crate::domain::time::Timestamp;

/// A shipment as stored. Folded columns are what the facts gave when they were last written.
#[derive(Clone, Debug)]
pub struct ShipmentRow {
    /// Identifier.
    pub id: ShipmentId,
    /// Short number with check digit.
    pub short_number: String,
    /// System that registered it.
    pub source: Option<SourceId>,
    /// Operator account.
    pub account: AccountId,
    /// Operator reference, fixed.
    pub reference: String,
    /// Record of its personal data.
    pub record: RecordId,
    /// Newest revision.
    pub revision: u32,
    /// The four offices.
    pub offices: Offices,
    /// Last sequence used in the journal.
    pub journal_sequence: u64,
    /// Folded delivery state.
    pub state: DeliveryState,
    /// Folded: contested.
    pub contested: bool,
    /// Folded: partial.
    pub partial: bool,
    /// Folded: why sending is stopped.
    pub held: Option<String>,
    /// Folded: calls of ours.
    pub attempts: u32,
    /// Folded: visits of the postman.
    pub visits: u32,
    /// Folded: time of the operator's last word.
    pub last_event_at: Option<Timestamp>,
    /// Folded: delivered at.
    pub delivered_at: Option<Timestamp>,
    /// Folded: place of the paper, as a word.
    pub custody: String,
    /// Folded: handed over at.
    pub handed_over_at: Option<Timestamp>,
    /// Folded: collected at.
    pub collected_at: Option<Timestamp>,
    /// Folded: nothing is left to do.
    pub closed: bool,
    /// The operator's number on the label.
    pub tracking_number: Option<String>,
    /// The operator's own identifier.
    pub operator_id: Option<String>,
    /// Open cancel case.
    pub cancel_case: Option<String>,
    /// Last raw code nobody mapped.
    pub unknown_code: Option<String>,
    /// When we last heard of it.
    pub heard_at: Option<Timestamp>,
    /// Registered at.
    pub created_at: Timestamp,
    /// Row changed at.
    pub updated_at: Timestamp,
}

/// The offices of a shipment; they may all differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offices {
    /// Received the dossier.
    pub receiving: OfficeId,
    /// Decided it.
    pub deciding: OfficeId,
    /// Sends the result.
    pub sending: OfficeId,
    /// Takes an undelivered original back.
    pub return_to: OfficeId,
}

impl ShipmentRow {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let state = row.text("state")?;
        Ok(Self {
            id: row.id("id", ShipmentId::from_bytes)?,
            short_number: row.text("short_number")?,
            source: row.opt_id("source_id", SourceId::from_bytes)?,
            account: row.id("account_id", AccountId::from_bytes)?,
            reference: row.text("reference")?,
            record: row.id("record_id", RecordId::from_bytes)?,
            revision: row.count("revision")?,
            offices: Offices {
                receiving: row.id("receiving_office_id", OfficeId::from_bytes)?,
                deciding: row.id("deciding_office_id", OfficeId::from_bytes)?,
                sending: row.id("sending_office_id", OfficeId::from_bytes)?,
                return_to: row.id("return_office_id", OfficeId::from_bytes)?,
            },
            journal_sequence: row.count("journal_sequence")?.into(),
            state: DeliveryState::parse(&state).ok_or(StoreError::Corrupt {
                place: "shipment.state",
            })?,
            contested: row.flag("contested")?,
            partial: row.flag("partial")?,
            held: row.opt_text("held")?,
            attempts: row.count("attempts")?,
            visits: row.count("visits")?,
            last_event_at: row.opt_at("last_event_at")?,
            delivered_at: row.opt_at("delivered_at")?,
            custody: row.text("custody")?,
            handed_over_at: row.opt_at("handed_over_at")?,
            collected_at: row.opt_at("collected_at")?,
            closed: row.flag("closed")?,
            tracking_number: row.opt_text("tracking_number")?,
            operator_id: row.opt_text("operator_id")?,
            cancel_case: row.opt_text("cancel_case")?,
            unknown_code: row.opt_text("unknown_code")?,
            heard_at: row.opt_at("heard_at")?,
            created_at: row.at("created_at")?,
            updated_at: row.at("updated_at")?,
        })
    }
}

/// A new shipment's fixed part.
#[derive(Clone, Debug)]
pub struct NewShipment {
    /// Identifier.
    pub id: ShipmentId,
    /// Short number with check digit.
    pub short_number: String,
    /// System that registers it.
    pub source: Option<SourceId>,
    /// Operator account.
    pub account: AccountId,
    /// Operator reference.
    pub reference: String,
    /// Record of its personal data.
    pub record: RecordId,
    /// The four offices.
    pub offices: Offices,
}

/// Writes a new shipment.
///
/// # Errors
/// [`StoreError::Constraint`] when its reference or short number is taken.
pub async fn insert(tx: &mut Tx, new: &NewShipment, now: Timestamp) -> Result<(), StoreError> {
    let values = args![
        new.id,
        &new.short_number,
        new.source,
        new.account,
        &new.reference,
        new.record,
        new.offices.receiving,
        new.offices.deciding,
        new.offices.sending,
        new.offices.return_to,
        now,
    ];
    tx.execute(sql!("shipment" / "insert"), values).await?;
    Ok(())
}

/// Reads a shipment.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, id: ShipmentId) -> Result<Option<ShipmentRow>, StoreError> {
    tx.row(sql!("shipment" / "find"), args![id])
        .await?
        .as_ref()
        .map(ShipmentRow::read)
        .transpose()
}

/// Reads a shipment and keeps others from moving it until the transaction ends.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lock(tx: &mut Tx, id: ShipmentId) -> Result<Option<ShipmentRow>, StoreError> {
    tx.row(sql!(split "shipment" / "lock"), args![id])
        .await?
        .as_ref()
        .map(ShipmentRow::read)
        .transpose()
}

/// What names a shipment at an operator.
#[derive(Clone, Copy, Debug)]
pub enum OperatorName<'a> {
    /// Our reference.
    Reference(&'a str),
    /// Number on the label.
    Tracking(&'a str),
    /// The operator's identifier.
    OperatorId(&'a str),
}

/// The shipment of an account by one of its names; `None` when there is none, or more than one.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn by_name(
    tx: &mut Tx,
    account: AccountId,
    name: OperatorName<'_>,
) -> Result<Option<ShipmentId>, StoreError> {
    let (text, value) = match name {
        OperatorName::Reference(value) => (sql!("shipment" / "by_reference"), value),
        OperatorName::Tracking(value) => (sql!("shipment" / "by_tracking"), value),
        OperatorName::OperatorId(value) => (sql!("shipment" / "by_operator_id"), value),
    };
    let rows = tx.rows(text, args![account, value]).await?;
    match rows.as_slice() {
        [row] => row.id("id", ShipmentId::from_bytes).map(Some),
        _ => Ok(None),
    }
}

/// What an operator told of an order; unknown parts leave what is known.
#[derive(Clone, Debug, Default)]
pub struct OperatorWords {
    /// Number on the label.
    pub tracking_number: Option<String>,
    /// The operator's identifier.
    pub operator_id: Option<String>,
    /// Charge, whole đồng.
    pub charge_dong: Option<i64>,
}

/// Keeps what the operator told, and when.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_operator_words(
    tx: &mut Tx,
    id: ShipmentId,
    words: &OperatorWords,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = args![
        id,
        words.tracking_number.clone(),
        words.operator_id.clone(),
        words.charge_dong,
        now
    ];
    tx.execute(sql!("shipment" / "operator_words"), values).await?;
    Ok(())
}

/// Notes that the operator was heard of this shipment.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_heard(tx: &mut Tx, id: ShipmentId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("shipment" / "heard"), args![id, now])
        .await
        .map(drop)
}

/// Notes an open cancel case, or that there is none any more.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_cancel_case(tx: &mut Tx, id: ShipmentId, case: Option<&str>) -> Result<(), StoreError> {
    tx.execute(sql!("shipment" / "cancel_case"), args![id, case])
        .await
        .map(drop)
}

/// Flags a raw code nobody mapped, or takes the flag away.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_unknown_code(tx: &mut Tx, id: ShipmentId, code: Option<&str>) -> Result<(), StoreError> {
    tx.execute(sql!("shipment" / "unknown_code"), args![id, code])
        .await
        .map(drop)
}

/// One document inside a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Identifier.
    pub id: ItemId,
    /// Its dossier.
    pub dossier: DossierId,
    /// Which document of the dossier, from 1.
    pub document_no: u32,
    /// Whether this shipment holds the document.
    pub live: bool,
}

/// Puts a document into a shipment.
///
/// # Errors
/// [`StoreError::Constraint`] when another live shipment holds the document.
pub async fn insert_item(tx: &mut Tx, shipment: ShipmentId, item: &ItemRow) -> Result<(), StoreError> {
    let values = args![item.id, shipment, item.dossier, item.document_no];
    tx.execute(sql!("shipment_item" / "insert"), values)
        .await
        .map(drop)
}

/// The documents of a shipment.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn items(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<ItemRow>, StoreError> {
    let rows = tx.rows(sql!("shipment_item" / "list"), args![shipment]).await?;
    rows.iter()
        .map(|row| {
            Ok(ItemRow {
                id: row.id("id", ItemId::from_bytes)?,
                dossier: row.id("dossier_id", DossierId::from_bytes)?,
                document_no: row.count("document_no")?,
                live: row.opt_int("live")?.is_some(),
            })
        })
        .collect()
}

/// All delivery facts of a shipment.
///
/// # Errors
/// [`StoreError::Corrupt`] when a fact cannot be read.
pub async fn delivery_facts(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<DeliveryFact>, StoreError> {
    let rows = tx.rows(sql!("delivery_fact" / "list"), args![shipment]).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::from_bytes(&row.bytes("fields")?).ok();
            let at = row.at("occurred_at")?;
            fields
                .and_then(|fields| DeliveryFact::from_fields(&fields, at))
                .ok_or(StoreError::Corrupt {
                    place: "delivery_fact.fields",
                })
        })
        .collect()
}

/// All custody facts of a shipment.
///
/// # Errors
/// [`StoreError::Corrupt`] when a fact cannot be read.
pub async fn custody_facts(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<CustodyFact>, StoreError> {
    let rows = tx.rows(sql!("custody_fact" / "list"), args![shipment]).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::from_bytes(&row.bytes("fields")?).ok();
            let at = row.at("occurred_at")?;
            fields
                .and_then(|fields| CustodyFact::from_fields(&fields, at))
                .ok_or(StoreError::Corrupt {
                    place: "custody_fact.fields",
                })
        })
        .collect()
}

/// The shipments that hold or held a document of a dossier, oldest first, with their time of registration.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn of_dossier(tx: &mut Tx, dossier: DossierId) -> Result<Vec<(ShipmentId, Timestamp)>, StoreError> {
    let rows = tx.rows(sql!("shipment" / "of_dossier"), args![dossier]).await?;
    rows.iter()
        .map(|row| Ok((row.id("id", ShipmentId::from_bytes)?, row.at("created_at")?)))
        .collect()
}

/// Takes shipments whose cancellation is due for a call; they are not due again before `lease_until`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn claim_cancel(
    tx: &mut Tx,
    account: AccountId,
    (now, lease_until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<ShipmentId>, StoreError> {
    let rows = tx
        .rows(
            sql!("shipment" / "claim_cancel"),
            args![account, now, lease_until, limit],
        )
        .await?;
    rows.iter()
        .map(|row| row.id("id", ShipmentId::from_bytes))
        .collect()
}

/// Sets when the next call about a cancellation is due.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_cancel_due(tx: &mut Tx, id: ShipmentId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("shipment" / "set_cancel_due"), args![id, at])
        .await
        .map(drop)
}

/// When the next call about a cancellation of an account is due; `None` when none is.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_cancel(tx: &mut Tx, account: AccountId) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.row(sql!("shipment" / "next_cancel"), args![account]).await?;
    let next = row
        .ok_or(StoreError::Corrupt { place: "shipment" })?
        .at("next_at")?;
    Ok((next.as_ms() >= 0).then_some(next))
}
