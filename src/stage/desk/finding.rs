//! Stage desk: which shipment a scanner or a person means.
//!
//! In: a text. Out: the one shipment it names. Deliberately not here: search by name or telephone number, which is for
//! the pages, never for a command line.

use super::{DeskError, Wrong};
use crate::domain::id::ShipmentId;
use crate::domain::short_number::ShortNumber;
use crate::domain::tracking_number::TrackingNumber;
use crate::edge::store::shipment::{self, OperatorName};
use crate::edge::store::{account, handover};
use crate::stage::context::Context;
use std::collections::BTreeSet;

/// A shipment by what a scanner or a person gives: its identifier, its short number, its reference at an operator or the
/// number on its label.
///
/// # Errors
/// [`Wrong::Unknown`] when there is none; [`Wrong::Ambiguous`] when operators gave the same name to several.
pub async fn find_shipment(context: &Context, text: &str) -> Result<ShipmentId, DeskError> {
    let text = text.trim();
    let mut tx = context.store.snapshot().await?;
    if let Ok(id) = ShipmentId::parse(text) {
        let found = shipment::find(&mut tx, id).await?;
        return found.map(|row| row.id).ok_or(Wrong::Unknown.into());
    }
    if let Ok(number) = ShortNumber::parse(text)
        && let Some(id) = handover::by_short_number(&mut tx, &number.to_string()).await?
    {
        return Ok(id);
    }
    let upper = text.to_uppercase();
    // Some scanners write small letters.
    let labels = [text, &upper].map(|text| TrackingNumber::parse(text).ok());
    let mut found = BTreeSet::new();
    for account in account::accounts(&mut tx).await? {
        let labels = labels.iter().flatten();
        let labels = labels.map(|label| OperatorName::Tracking(label.as_str()));
        for name in labels.chain([OperatorName::Reference(&upper)]) {
            found.extend(shipment::by_name(&mut tx, account.id, name).await?);
        }
    }
    match (found.pop_first(), found.is_empty()) {
        (Some(id), true) => Ok(id),
        (Some(_), false) => Err(Wrong::Ambiguous.into()),
        (None, _) => Err(Wrong::Unknown.into()),
    }
}
