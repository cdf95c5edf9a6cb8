//! Room `edge::store`: operators' events, each once, for ever.
//!
//! In: events with the identity that their adapter's account gives them. Out: whether they are new. Rows are never
//! deleted: an event that comes again after years is still known. Deliberately not here: what a code means.

use super::{StoreError, Tx, args, sql};
use crate::domain::id::{InboxId, ShipmentId};
use crate::domain::time::{Resolution, Timestamp};
use std::collections::BTreeMap;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    /// Its facts stand.
    Applied,
    /// Understood, and nothing follows from it.
    Note,
    /// Kept for a person, with the reason.
    Quarantined(&'static str),
}

impl EventState {
    const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Note => "note",
            Self::Quarantined(_) => "quarantined",
        }
    }
}

/// An event as told.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Whose.
    pub shipment: ShipmentId,
    /// Identity.
    pub identity: [u8; 32],
    /// Raw code.
    pub code: String,
    /// Time stated.
    pub occurred_at: Option<Timestamp>,
    /// How exactly.
    pub resolution: Resolution,
    /// What becomes of it.
    pub state: EventState,
    /// Version of the map that read it.
    pub map_version: u32,
}

/// Identities of a shipment's events, with the reason of those that lie in quarantine.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn known(
    tx: &mut Tx,
    shipment: ShipmentId,
) -> Result<BTreeMap<[u8; 32], Option<String>>, StoreError> {
    let rows = tx.rows(sql!("tracking_event" / "known"), args![shipment]).await?;
    let mut known = BTreeMap::new();
    for row in &rows {
        let identity = row.bytes("identity")?;
        let identity = identity.try_into().map_err(|_length| StoreError::Corrupt {
            place: "tracking_event.identity",
        })?;
        known.insert(identity, row.opt_text("reason")?);
    }
    Ok(known)
}

/// The raw code of the latest event whose code nobody mapped yet.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn unknown_code(tx: &mut Tx, shipment: ShipmentId) -> Result<Option<String>, StoreError> {
    match tx
        .row(sql!("tracking_event" / "unknown"), args![shipment])
        .await?
    {
        None => Ok(None),
        Some(row) => row.text("code").map(Some),
    }
}

/// Keeps an event; `true` when it was not known, or lay in quarantine and is understood now, or lies there for another
/// reason now.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put(
    tx: &mut Tx,
    event: &NewEvent,
    (from, now): (InboxId, Timestamp),
) -> Result<bool, StoreError> {
    let reason = match event.state {
        EventState::Quarantined(reason) => Some(reason),
        EventState::Applied | EventState::Note => None,
    };
    let values = args![
        event.shipment,
        &event.identity,
        &event.code,
        event.occurred_at,
        event.resolution.code(),
        event.state.word(),
        reason,
        event.map_version,
        from,
        now,
    ];
    if tx.execute(sql!("tracking_event" / "insert"), values).await? == 1 {
        return Ok(true);
    }
    let values = args![
        event.shipment,
        &event.identity,
        event.state.word(),
        reason,
        event.map_version
    ];
    Ok(tx.execute(sql!("tracking_event" / "rejudge"), values).await? == 1)
}
