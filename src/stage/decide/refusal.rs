//! Stage decide: why a decision was refused.
//!
//! In and out: values. A refusal changed nothing. Deliberately not here: the words shown to people.

use crate::domain::custody::Place;
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::edge::store::StoreError;

/// Why a decision cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such shipment.
    #[error("there is no such shipment")]
    UnknownShipment,
    /// No such decision.
    #[error("there is no such decision")]
    UnknownDecision,
    /// No active member of staff with a fitting role at that office now.
    #[error("this person may not do this for this office now")]
    NotAllowed,
    /// The office is none of the shipment's.
    #[error("the shipment belongs to other offices")]
    OtherOffice,
    /// A second person is needed, and this is the first.
    #[error("the proposer may not rule on the own proposal")]
    OwnProposal,
    /// It was approved, turned down or overtaken before.
    #[error("the proposal was settled before")]
    SettledBefore,
    /// Facts came since the person looked.
    #[error("the facts changed since they were looked at; look again")]
    Stale,
    /// A call that creates an order is under way; its outcome comes within a minute.
    #[error("a call to the operator is under way")]
    CallUnderWay,
    /// Nothing is held.
    #[error("the shipment is not held")]
    NotHeld,
    /// No attempt is in doubt.
    #[error("no attempt is in doubt")]
    NoDoubt,
    /// An attempt is in doubt: that comes first.
    #[error("an attempt is in doubt; settle that first")]
    DoubtFirst,
    /// The operator may still be working on the order whose answer was lost.
    #[error("the operator may still be working on the order until {}", .0.to_rfc3339())]
    TooEarly(Timestamp),
    /// The operator has an order: neither another one nor a correction may go out.
    #[error("the operator has the order")]
    OrderStands,
    /// The shipment ended.
    #[error("the shipment has ended")]
    Ended,
    /// Cancellation was asked for.
    #[error("the shipment is being cancelled")]
    Cancelling,
    /// Nothing final speaks of a part.
    #[error("no final statement speaks of a part only")]
    NotPartial,
    /// A final outcome without the time at which it happened.
    #[error("a final outcome needs the time at which it happened")]
    TimeMissing,
    /// The time lies in the future.
    #[error("the time lies in the future")]
    Future,
    /// The time lies before the shipment was registered.
    #[error("the time lies before the shipment was registered")]
    BeforeRegistration,
    /// The desk did something with the paper after that time.
    #[error("the desk handled the paper after that time")]
    BeforeLastAct,
    /// A fact to be set aside is no final statement that stands, or there are too many.
    #[error("the facts to be set aside are not standing final statements of this shipment")]
    NotStanding,
    /// Other final statements would still stand against this one.
    #[error("other final statements would still contradict this one")]
    StillContested,
    /// It is so already.
    #[error("nothing would change")]
    NothingChanges,
    /// The paper is where this cannot be true.
    #[error("the paper is at {0:?}, where this cannot be")]
    PaperElsewhere(Place),
    /// Another shipment has this tracking number.
    #[error("another shipment has this tracking number")]
    TrackingTaken,
    /// A text is too short, too long, or holds what looks like an identity number.
    #[error(
        "the reason has fewer than 3 or more than 500 characters, or holds what looks like an identity number"
    )]
    Reason,
    /// The shipment's personal data were erased: nothing more can be sealed for it.
    #[error("the personal data of this shipment were erased")]
    Erased,
}

/// Why a decision was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The database.
    #[error(transparent)]
    Store(StoreError),
    /// Refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// A correction is wrong; every fault is told.
    #[error("the correction was refused for {} faults", .0.len())]
    Faults(Vec<Fault>),
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Erased => Self::Refused(Refusal::Erased),
            other @ (StoreError::Unavailable(_)
            | StoreError::Conflict(_)
            | StoreError::Constraint { .. }
            | StoreError::CommitUnknown
            | StoreError::Corrupt { .. }
            | StoreError::Seal { .. }
            | StoreError::Schema { .. }
            | StoreError::Engine(_)
            | StoreError::Closed
            | StoreError::Panicked) => Self::Store(other),
        }
    }
}
