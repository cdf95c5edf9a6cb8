//! Stage desk: whether an act that is entered with its own time is the latest one.
//!
//! In: the acts known so far. Out: yes, or a refusal. The fold goes by time: an act entered before a later one would be
//! recorded and change nothing, and the list on paper would say otherwise. Deliberately not here: acts of the operator.

use super::{Seen, Wrong};
use crate::domain::id::ItemId;
use crate::domain::time::Timestamp;

impl Seen {
    /// No act about the same paper lies after `at`; without an item the whole envelope is meant.
    pub(super) fn require_latest(&self, at: Timestamp, item: Option<ItemId>) -> Result<(), Wrong> {
        let same_paper = |other: Option<ItemId>| item.is_none() || other.is_none() || other == item;
        let later = |act: &&crate::domain::custody::CustodyFact| act.occurred_at > at && same_paper(act.item);
        match self.acts.iter().find(later) {
            None => Ok(()),
            Some(_) => Err(Wrong::ActLater),
        }
    }
}
