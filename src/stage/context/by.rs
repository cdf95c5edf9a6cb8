//! Room `stage`: in whose name something is written.
//!
//! In: a person and an office, or nobody. Out: the hand that writes facts and entries. Deliberately not here: whether the
//! person may.

use super::Context;
use crate::domain::id::{OfficeId, StaffId};
use crate::domain::journal::{Actor, ActorKind};
use crate::domain::time::Timestamp;
use crate::edge::store::record::Hand;

/// Who acts, for which office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    /// The person.
    pub staff: StaffId,
    /// The office.
    pub office: OfficeId,
}

impl By {
    /// Writes as this person.
    pub fn hand(self, context: &Context, now: Timestamp) -> Hand<'_> {
        Hand {
            ids: &*context.ids,
            now,
            actor: Actor {
                kind: ActorKind::Staff,
                id: *self.staff.as_bytes(),
            },
            office: *self.office.as_bytes(),
        }
    }
}

impl Context {
    /// Writes as a stage, for an office; for none, zero bytes.
    pub fn stage_hand(&self, now: Timestamp, office: [u8; 16]) -> Hand<'_> {
        Hand {
            ids: &*self.ids,
            now,
            actor: Actor::STAGE,
            office,
        }
    }
}
