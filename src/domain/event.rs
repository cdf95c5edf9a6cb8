//! Room `domain`: the body of an event about a dossier, frozen when it happens.
//!
//! In: the folded dossier and its shipment. Out: JSON bytes that every retry sends unchanged. Holds the dossier code,
//! which the receiver gave us, and no name, telephone or address. Deliberately not here: signing and sending.

use crate::domain::custody::Custody;
use crate::domain::delivery::Delivery;
use crate::domain::dossier::{Discrepancy, Dossier, DossierStatus};
use crate::domain::time::Timestamp;
use serde_json::{Value, json};

/// Name of the only event so far.
pub const DELIVERY_CHANGED: &str = "dossier.delivery.changed";

/// The shipment as an event tells it.
#[derive(Clone, Debug)]
pub struct ShipmentBlock<'a> {
    /// Identifier in text form.
    pub id: String,
    /// Short number.
    pub short_number: &'a str,
    /// The operator's number on the label.
    pub tracking_number: Option<&'a str>,
    /// Delivery, folded.
    pub delivery: &'a Delivery,
    /// Custody, folded.
    pub custody: &'a Custody,
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(at.to_rfc3339()))
}

/// The delivery block of a shipment, shared by events and the API.
pub fn delivery_block(block: &ShipmentBlock<'_>) -> Value {
    json!({
        "shipment": block.id,
        "short_number": block.short_number,
        "tracking_number": block.tracking_number,
        "state": block.delivery.state.as_str(),
        "contested": block.delivery.contested,
        "partial": block.delivery.partial,
        "held": block.delivery.held,
        "visits": block.delivery.visits,
        "last_event_at": time(block.delivery.last_event_at),
        "handed_over_at": time(block.custody.handed_over_at),
        "delivered_at": time(block.delivery.delivered_at),
        "returned_at": time(block.delivery.returned_at),
        "collected_at": time(block.custody.collected_at),
        "paper": block.custody.place.as_str(),
        "closed": block.custody.closed,
    })
}

/// The frozen body.
pub fn body(
    (source, code): (&str, &str),
    sequence: i64,
    at: Timestamp,
    dossier: &Dossier,
    block: Option<&ShipmentBlock<'_>>,
) -> Vec<u8> {
    let value = json!({
        "type": DELIVERY_CHANGED,
        "timestamp": at.to_rfc3339(),
        "data": {
            "source": source,
            "dossier": code,
            "sequence": sequence,
            "status": dossier.status.map(DossierStatus::number),
            "returned_at": time(dossier.returned_at),
            "discrepancy": dossier.discrepancy.map(Discrepancy::as_str),
            "delivery": block.map(delivery_block),
        },
    });
    value.to_string().into_bytes()
}
