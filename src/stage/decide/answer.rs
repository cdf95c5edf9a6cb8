//! Stage decide: the answers a person may give, and who may give them.
//!
//! In and out: words of a closed list, stored with the decision and written into the journal. Deliberately not here:
//! whether an answer fits a shipment (`rules`), and the words shown to people.

use crate::domain::custody::CustodyAct;
use crate::domain::delivery::EventKind;
use crate::domain::role::Role;

macro_rules! answers {
    ($($(#[$doc:meta])* $variant:ident = $word:literal;)*) => {
        /// What a person may decide about a shipment. Calls to the operator (approve a return, deliver again) are not
        /// among them: no wire of an operator known here offers them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Answer { $($(#[$doc])* $variant,)* }

        impl Answer {
            /// All answers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word stored; never changed once released.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

answers! {
    /// Somebody looked: sending may go on as it was.
    Release = "release";
    /// Addressee, address, telephone or weight were wrong: a new revision.
    Correct = "correct";
    /// The operator has the order of an attempt in doubt.
    OperatorHasIt = "operator_has_it";
    /// The operator does not have it: send again.
    OperatorHasNot = "operator_has_not";
    /// It is in the addressee's hands.
    Delivered = "delivered";
    /// It came back.
    Returned = "returned";
    /// It is lost or damaged.
    LostOrDamaged = "lost_or_damaged";
    /// It was cancelled.
    Cancelled = "cancelled";
    /// What the operator called a part was the whole.
    Whole = "whole";
    /// Only a part reached its end; the shipment goes on.
    NotWhole = "not_whole";
    /// The paper is accepted as lost.
    PaperLost = "paper_lost";
    /// The paper is accepted as destroyed.
    PaperDestroyed = "paper_destroyed";
}

impl Answer {
    /// The final outcome this answer states by itself.
    pub const fn ending(self) -> Option<EventKind> {
        match self {
            Self::Delivered => Some(EventKind::Delivered),
            Self::Returned => Some(EventKind::Returned),
            Self::LostOrDamaged => Some(EventKind::LostOrDamaged),
            Self::Cancelled => Some(EventKind::Cancelled),
            Self::Release
            | Self::Correct
            | Self::OperatorHasIt
            | Self::OperatorHasNot
            | Self::Whole
            | Self::NotWhole
            | Self::PaperLost
            | Self::PaperDestroyed => None,
        }
    }

    /// What becomes of the paper by this answer.
    pub const fn paper(self) -> Option<CustodyAct> {
        match self {
            Self::PaperLost => Some(CustodyAct::Lost),
            Self::PaperDestroyed => Some(CustodyAct::Destroyed),
            Self::Release
            | Self::Correct
            | Self::OperatorHasIt
            | Self::OperatorHasNot
            | Self::Delivered
            | Self::Returned
            | Self::LostOrDamaged
            | Self::Cancelled
            | Self::Whole
            | Self::NotWhole => None,
        }
    }

    /// Roles that may propose it, at an office of the shipment.
    pub const fn proposers(self) -> &'static [Role] {
        match self {
            // A dispatcher closes lists; what stands on an envelope is the clerk's.
            Self::Correct => &[Role::Clerk, Role::Leader],
            Self::Release
            | Self::OperatorHasIt
            | Self::OperatorHasNot
            | Self::Delivered
            | Self::Returned
            | Self::LostOrDamaged
            | Self::Cancelled
            | Self::Whole
            | Self::NotWhole
            | Self::PaperLost
            | Self::PaperDestroyed => &[Role::Clerk, Role::Dispatcher, Role::Leader],
        }
    }
}

/// Roles that rule on a proposal. The second person may sit at another office (desk.md 1.10), which a commune desk of
/// two people needs; it is never the one who proposed.
pub const RULERS: &[Role] = &[Role::Leader];

/// Roles that may see a shipment's personal data, at one of its offices.
pub const READERS: &[Role] = &[Role::Clerk, Role::Dispatcher, Role::Leader, Role::Auditor];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_no_other_does() {
        for answer in Answer::ALL {
            assert_eq!(Answer::parse(answer.as_str()), Some(*answer));
        }
        assert_eq!(Answer::parse("rejected"), None);
    }
}
