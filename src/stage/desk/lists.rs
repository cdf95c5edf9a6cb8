//! Stage desk: the closed hand-over lists of an office.
//!
//! In: an office. Out: its newest lists with their envelopes. Deliberately not here: closing one.

use super::DeskError;
use crate::domain::id::OfficeId;
use crate::edge::store::handover::{self, Handover, HandoverItem};
use crate::stage::context::Context;

/// Lists shown at one time at most.
pub const LISTS_MAX: u32 = 100;

/// A closed list with its envelopes in their order.
#[derive(Clone, Debug)]
pub struct ClosedList {
    /// Its head.
    pub head: Handover,
    /// Its envelopes.
    pub items: Vec<HandoverItem>,
}

/// The newest lists of an office, newest first, at most `limit` and [`LISTS_MAX`].
///
/// # Errors
/// [`DeskError::Store`].
pub async fn closed_lists(
    context: &Context,
    office: OfficeId,
    limit: u32,
) -> Result<Vec<ClosedList>, DeskError> {
    let mut tx = context.store.snapshot().await?;
    let mut lists = Vec::new();
    for head in handover::list(&mut tx, office, limit.min(LISTS_MAX)).await? {
        let items = handover::items(&mut tx, head.id).await?;
        lists.push(ClosedList { head, items });
    }
    Ok(lists)
}
