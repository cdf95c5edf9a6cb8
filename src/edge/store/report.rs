//! Room `edge::store`: what reports read.
//!
//! In: a position. Out: pages of dossiers with the shipment they show. Deliberately not here: which of them count
//! (`stage::report`).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::delivery::DeliveryState;
use crate::domain::dossier::{DossierFact, DossierFactBody, Statement};
use crate::domain::id::{DossierId, OfficeId, ShipmentId};
use crate::domain::journal::Fields;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// The shipment of a counted dossier.
#[derive(Clone, Debug)]
pub struct CountedShipment {
    /// Identifier.
    pub id: ShipmentId,
    /// Folded state.
    pub state: DeliveryState,
    /// Contradicting finals.
    pub contested: bool,
    /// Only a part reached its end.
    pub partial: bool,
    /// Sending is stopped.
    pub held: bool,
    /// Delivered at.
    pub delivered_at: Option<Timestamp>,
    /// Collected at.
    pub collected_at: Option<Timestamp>,
    /// Handed over at.
    pub handed_over_at: Option<Timestamp>,
}

/// A dossier as a report sees it.
#[derive(Clone, Debug)]
pub struct CountedDossier {
    /// Identifier.
    pub id: DossierId,
    /// Last stated status, 1-10.
    pub status_stated: u32,
    /// Folded way of return, its number.
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
    /// The shipment shown.
    pub shipment: Option<CountedShipment>,
}

impl CountedDossier {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let shipment = match row.opt_id("shipment_id", ShipmentId::from_bytes)? {
            None => None,
            Some(id) => Some(CountedShipment {
                id,
                state: DeliveryState::parse(&row.text("state")?).ok_or(StoreError::Corrupt {
                    place: "shipment.state",
                })?,
                contested: row.flag("contested")?,
                partial: row.flag("partial")?,
                held: row.opt_text("held")?.is_some(),
                delivered_at: row.opt_at("delivered_at")?,
                collected_at: row.opt_at("collected_at")?,
                handed_over_at: row.opt_at("handed_over_at")?,
            }),
        };
        Ok(Self {
            id: row.id("id", DossierId::from_bytes)?,
            status_stated: row.count("status_stated")?,
            return_by: row.int("return_by")?,
            submitted_by: row.int("submitted_by")?,
            received_at: row.at("received_at")?,
            due_at: row.opt_at("due_at")?,
            finished_at: row.opt_at("finished_at")?,
            returned_at: row.opt_at("returned_at")?,
            post_withdrawn: row.flag("post_withdrawn")?,
            is_duplicate: row.flag("is_duplicate")?,
            shipment,
        })
    }
}

/// Dossiers after a position, by identifier, at most `limit`; those received by an office, or by any.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn page(
    tx: &mut Tx,
    after: DossierId,
    office: Option<OfficeId>,
    limit: u32,
) -> Result<Vec<CountedDossier>, StoreError> {
    let values = args![after, office, limit];
    let rows = tx.rows(sql!("dossier" / "report"), values).await?;
    rows.iter().map(CountedDossier::read).collect()
}

/// The first statement of each dossier after `from` up to `to`: what was said before anything was changed.
///
/// # Errors
/// [`StoreError::Corrupt`] when a fact cannot be read.
pub async fn first_statements(
    tx: &mut Tx,
    from: DossierId,
    to: DossierId,
) -> Result<BTreeMap<DossierId, Statement>, StoreError> {
    let mut first = BTreeMap::new();
    for row in tx
        .rows(sql!("dossier_fact" / "of_range"), args![from, to])
        .await?
    {
        let id = row.id("dossier_id", DossierId::from_bytes)?;
        let (at, version) = (row.at("occurred_at")?, row.count("map_version")?);
        let fields = Fields::from_bytes(&row.bytes("fields")?).ok();
        let fact = fields.and_then(|fields| DossierFact::from_fields(&fields, at, version));
        match fact
            .ok_or(StoreError::Corrupt {
                place: "dossier_fact.fields",
            })?
            .body
        {
            DossierFactBody::Stated(statement) => drop(first.entry(id).or_insert(statement)),
            DossierFactBody::PostWithdrawn | DossierFactBody::Collected => {}
        }
    }
    Ok(first)
}
