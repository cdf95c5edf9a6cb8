//! Room `edge::store`: shipments as lists: pages of one source, documents with their dossiers' codes.
//!
//! In: filters and a position. Out: rows in the order of registration. Deliberately not here: the form of a cursor.

use super::shipment::ShipmentRow;
use super::{StoreError, Tx, args, sql};
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{DossierId, ShipmentId, SourceId};
use crate::domain::time::Timestamp;

/// Which shipments of a source.
#[derive(Clone, Debug)]
pub struct Filter {
    /// After this registration time and identifier.
    pub after: (Timestamp, ShipmentId),
    /// Registered at or after.
    pub created_from: Timestamp,
    /// Registered before.
    pub created_to: Timestamp,
    /// In this folded state.
    pub state: Option<DeliveryState>,
    /// Held, or not held.
    pub held: Option<bool>,
    /// Holding, or having held, a document of the dossier of this code.
    pub dossier: Option<String>,
}

impl Filter {
    /// Every shipment.
    pub const ALL: Self = Self {
        after: (Timestamp::from_ms(i64::MIN), ShipmentId::from_bytes([0; 16])),
        created_from: Timestamp::from_ms(i64::MIN),
        created_to: Timestamp::from_ms(i64::MAX),
        state: None,
        held: None,
        dossier: None,
    };
}

/// One page of a source's shipments, oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn page(
    tx: &mut Tx,
    source: SourceId,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<ShipmentRow>, StoreError> {
    let values = args![
        source,
        filter.after.0,
        filter.after.1,
        filter.created_from,
        filter.created_to,
        filter.state.map_or("", DeliveryState::as_str),
        filter.held.map_or(-1_i64, i64::from),
        filter.dossier.as_deref().unwrap_or_default(),
        limit,
    ];
    tx.rows(sql!("shipment" / "page"), values)
        .await?
        .iter()
        .map(ShipmentRow::read)
        .collect()
}

/// One document of a shipment with the code of its dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedItem {
    /// Its dossier.
    pub dossier: DossierId,
    /// The dossier's code.
    pub code: String,
    /// Which document of the dossier, from 1.
    pub document_no: u32,
    /// Whether this shipment holds the document.
    pub live: bool,
}

/// The documents of a shipment, by code of the dossier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn named_items(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<NamedItem>, StoreError> {
    let rows = tx
        .rows(sql!("shipment_item" / "list_codes"), args![shipment])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(NamedItem {
                dossier: row.id("id", DossierId::from_bytes)?,
                code: row.text("code")?,
                document_no: row.count("document_no")?,
                live: row.opt_int("live")?.is_some(),
            })
        })
        .collect()
}

/// The live shipment that holds a document, if any.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn holder(
    tx: &mut Tx,
    dossier: DossierId,
    document_no: u32,
) -> Result<Option<ShipmentId>, StoreError> {
    let row = tx
        .row(sql!("shipment_item" / "find_live"), args![dossier, document_no])
        .await?;
    row.map(|row| row.id("shipment_id", ShipmentId::from_bytes))
        .transpose()
}
