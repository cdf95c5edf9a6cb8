//! Room `domain`: what an operator account can do, stated as data.
//!
//! In: the account's row (JSON text). Out: [`Capabilities`], from which resolve, reconcile and tracking derive what
//! they may do. Deliberately not here: any operator's name; stages ask for an ability, never for a name.

use crate::domain::time::Resolution;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happens when a reference is sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateReference {
    /// Refused; confirmed in writing or by trial *for this account*. Then a resend is itself the question.
    Refused,
    /// A second order is created.
    Accepted,
    /// Not known: treated like [`DuplicateReference::Accepted`].
    Unknown,
}

/// A door through which tracking facts arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The operator calls us.
    Push,
    /// We ask for one shipment.
    PullOne,
    /// A feed with a cursor.
    PullFeed,
    /// A list of what changed in a period.
    PullList,
}

/// What a message at a door is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authenticity {
    /// The bytes, or the connection we opened ourselves, prove the operator: its rows are facts.
    Proven,
    /// Anybody could have sent it: only a hint that causes a look-up.
    Hint,
}

/// What makes two tellings of the operator one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventIdentity {
    /// The same code at the same time.
    #[default]
    CodeAndTime,
    /// The same code at the same time at the same place.
    CodeTimeAndPlace,
}

/// How an order is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancelling {
    /// The answer is the verdict.
    Sync,
    /// The answer may open a case, whose verdict is asked for later.
    Case,
    /// The operator offers no call for it.
    None,
}

/// Longest texts the operator takes, in UTF-8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldBytes {
    /// Name of a person or office.
    pub name: u32,
    /// Street line.
    pub address: u32,
    /// Note to the postman.
    pub note: u32,
}

/// What an operator account can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Whether our own reference finds the order.
    pub look_up_by_reference: bool,
    /// What a second order with the same reference does.
    pub duplicate_reference: DuplicateReference,
    /// Doors for tracking facts, and what each is worth.
    pub doors: BTreeMap<Door, Authenticity>,
    /// What makes two tellings one event.
    #[serde(default)]
    pub event_identity: EventIdentity,
    /// How exactly the operator states its times.
    pub time_resolution: ResolutionName,
    /// How an order is cancelled.
    pub cancelling: Cancelling,
    /// Whether an order needs an item code from a range given to us beforehand.
    pub needs_item_code: bool,
    /// Longest texts, in bytes.
    pub field_bytes_max: FieldBytes,
    /// How long the operator may still be working on an order whose answer we lost, in milliseconds.
    pub quiescence_ms: i64,
}

/// [`Resolution`] as written in the account's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionName {
    /// Fractions of a second.
    Millisecond,
    /// Hours, minutes, seconds.
    Second,
    /// Hours and minutes.
    Minute,
    /// A day only.
    Day,
}

impl ResolutionName {
    /// The resolution meant.
    pub const fn resolution(self) -> Resolution {
        match self {
            Self::Millisecond => Resolution::Millisecond,
            Self::Second => Resolution::Second,
            Self::Minute => Resolution::Minute,
            Self::Day => Resolution::Day,
        }
    }
}

/// What resolve may do with an outcome that is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtPolicy {
    /// Look up by our reference; adopt. After two absences a quiescence apart: resend where a duplicate is refused, else
    /// a person releases it, and it is looked up once more before it goes.
    LookUp,
    /// Send the same reference again: the refusal of a duplicate is the answer.
    ResendAsks,
    /// Nothing may be sent; wait for feed or callback, then a person.
    WaitForPerson,
}

impl Capabilities {
    /// What resolve may do, derived from the abilities alone.
    pub const fn doubt_policy(&self) -> DoubtPolicy {
        if self.look_up_by_reference {
            return DoubtPolicy::LookUp;
        }
        match self.duplicate_reference {
            DuplicateReference::Refused => DoubtPolicy::ResendAsks,
            DuplicateReference::Accepted | DuplicateReference::Unknown => DoubtPolicy::WaitForPerson,
        }
    }

    /// Whether an order that look-ups did not find may be sent again without a person. Only where the operator is known
    /// to refuse a second order of the same reference: elsewhere an order that was only late would become two.
    pub const fn may_resend_absent(&self) -> bool {
        match self.duplicate_reference {
            DuplicateReference::Refused => true,
            DuplicateReference::Accepted | DuplicateReference::Unknown => false,
        }
    }

    /// What a message at this door is worth; a door not declared is worth a hint at most.
    pub fn authenticity(&self, door: Door) -> Authenticity {
        self.doors.get(&door).copied().unwrap_or(Authenticity::Hint)
    }
}
