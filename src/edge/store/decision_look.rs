//! Room `edge::store`: what a person looks at before deciding: earlier decisions, who acted, which evidence there is.
//!
//! In: a shipment, a member of staff. Out: rows, none of them opened. Deliberately not here: the decision itself
//! (`decision`), and personal data.

use super::decision::DecisionRow;
use super::{StoreError, Tx, args, sql};
use crate::domain::id::{AttemptId, ShipmentId, StaffId};
use crate::domain::time::Timestamp;

/// Every decision about a shipment, oldest first, at most 200.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn decisions(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<DecisionRow>, StoreError> {
    let rows = tx.rows(sql!("decision" / "of_shipment"), args![shipment]).await?;
    rows.iter().map(DecisionRow::read).collect()
}

/// A piece of evidence without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceNote {
    /// Which attempt, if any.
    pub attempt: Option<AttemptId>,
    /// `sent`, `received`, `looked_up` or `journey`.
    pub kind: String,
    /// HMAC of the bytes under the record's key.
    pub digest: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

/// The evidence of a shipment, oldest first, unopened.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn evidence(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<EvidenceNote>, StoreError> {
    let rows = tx.rows(sql!("evidence" / "digests"), args![shipment]).await?;
    rows.iter()
        .map(|row| {
            Ok(EvidenceNote {
                attempt: row.opt_id("attempt_id", AttemptId::from_bytes)?,
                kind: row.text("kind")?,
                digest: row.bytes("digest")?,
                at: row.at("at")?,
            })
        })
        .collect()
}

/// The work login of a member of staff.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn login(tx: &mut Tx, staff: StaffId) -> Result<Option<String>, StoreError> {
    let row = tx.row(sql!("staff" / "find"), args![staff]).await?;
    row.map(|row| row.text("login")).transpose()
}
