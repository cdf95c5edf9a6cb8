//! Room `edge::store`: idempotency keys of the JSON API; they never expire.
//!
//! In: a source's key with the keyed digest of what it asked for. Out: what was first answered under it. Deliberately
//! not here: comparing digests, and what is answered.

use super::{StoreError, Tx, args, sql};
use crate::domain::id::{RecordId, ShipmentId, SourceId};
use crate::domain::time::Timestamp;

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The shipment that was registered.
    pub shipment: ShipmentId,
    /// The record under whose key the digest was made.
    pub record: RecordId,
    /// HMAC of the request's body.
    pub body_digest: [u8; 32],
}

/// What stands under a source's key, if anything.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, source: SourceId, key: &str) -> Result<Option<Kept>, StoreError> {
    let Some(row) = tx.row(sql!("idempotency" / "find"), args![source, key]).await? else {
        return Ok(None);
    };
    Ok(Some(Kept {
        shipment: row.id("shipment_id", ShipmentId::from_bytes)?,
        record: row.id("record_id", RecordId::from_bytes)?,
        body_digest: row
            .bytes("body_digest")?
            .try_into()
            .map_err(|_length| StoreError::Corrupt {
                place: "idempotency.body_digest",
            })?,
    }))
}

/// Takes a key; `false` when another request has it, also one that was committed a moment ago.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn take(
    tx: &mut Tx,
    source: SourceId,
    key: &str,
    kept: &Kept,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = args![source, key, kept.shipment, kept.record, &kept.body_digest, now];
    Ok(tx.execute(sql!("idempotency" / "insert"), values).await? == 1)
}
