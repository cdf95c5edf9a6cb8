//! Room `domain`: delivery, what the operator does with a shipment, as a fold over facts.
//!
//! In: facts in any order, any of them repeated. Out: one [`Delivery`]. The time *we* heard of a fact never enters.
//! Deliberately not here: raw operator codes' meaning (status maps are data), where the paper is (`custody`), and
//! the passing of time (`stale` is asked of the clock, not of facts).

mod folding;

pub use folding::{Delivery, StandingFinal, fold, standing_finals};

use crate::domain::id::{AttemptId, DecisionId, ShipmentId};
use crate::domain::journal::{Fields, Tag, clean_code};
use crate::domain::time::{Resolution, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Identity of a fact: SHA-256 over what makes it the same fact. Holds nothing personal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(pub [u8; 32]);

impl std::fmt::Debug for FactId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FactId {
    /// The identity of a fact about a subject, from the parts that distinguish it. Parts are length-prefixed, so that
    /// no two lists of parts look alike.
    pub fn of(subject: &[u8; 16], parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"hoibao/fact/v1");
        digest.update(subject);
        for part in parts {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $variant:ident = $rank:literal, $word:literal;)*) => {
        /// What an operator can say of a shipment, in our words. The number is the rank on the road: it orders facts
        /// of the same stated time, and stands in journal entries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[$doc])* $variant,)* }

        impl EventKind {
            /// All kinds, by rank.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Rank on the road.
            pub const fn rank(self) -> i64 {
                match self { $(Self::$variant => $rank,)* }
            }

            /// The word used in status maps and in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word of a status map.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            /// Reads the rank of a journal entry.
            pub const fn from_rank(rank: i64) -> Option<Self> {
                match rank { $($rank => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

event_kinds! {
    /// The order is in the operator's books.
    Booked = 10, "booked";
    /// A postman has the pick-up.
    PickupAssigned = 20, "pickup_assigned";
    /// The pick-up failed.
    PickupFailed = 25, "pickup_failed";
    /// Picked up.
    PickedUp = 30, "picked_up";
    /// Taken in at a post office.
    Accepted = 40, "accepted";
    /// On the way.
    InTransit = 50, "in_transit";
    /// At the delivering office.
    AtDeliveryOffice = 60, "at_delivery_office";
    /// The postman is out with it.
    OutForDelivery = 70, "out_for_delivery";
    /// A visit failed.
    DeliveryFailed = 80, "delivery_failed";
    /// Waits at the post office for the addressee.
    ReadyForPickup = 85, "ready_for_pickup";
    /// Held by the operator.
    OnHold = 88, "on_hold";
    /// Waits to be sent back.
    ReturnPending = 90, "return_pending";
    /// Return approved.
    ReturnApproved = 92, "return_approved";
    /// On the way back.
    Returning = 94, "returning";
    /// Final: in the addressee's hands.
    Delivered = 100, "delivered";
    /// Final: back at the sender.
    Returned = 101, "returned";
    /// Final: cancelled.
    Cancelled = 102, "cancelled";
    /// Final: the operator does not take it.
    Rejected = 103, "rejected";
    /// Final: lost or damaged.
    LostOrDamaged = 104, "lost_or_damaged";
}

impl EventKind {
    /// Whether nothing more is expected after it.
    pub const fn is_final(self) -> bool {
        self.rank() >= 100
    }

    /// Whether the operator has the paper in its hands when this is true.
    pub const fn shows_operator_has_paper(self) -> bool {
        let rank = self.rank();
        rank >= 30 && rank <= 94 || matches!(self, Self::Delivered | Self::Returned | Self::LostOrDamaged)
    }
}

/// The folded state of delivery (design: "Delivery").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// Waits to be sent to the operator.
    Queued,
    /// A call is under way.
    Submitting,
    /// A call ended without our knowing what the operator did.
    InDoubt,
    /// We asked for cancellation; no verdict yet.
    CancelRequested,
    /// What the operator says last.
    At(EventKind),
}

impl DeliveryState {
    /// The word stored and shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitting => "submitting",
            Self::InDoubt => "in_doubt",
            Self::CancelRequested => "cancel_requested",
            Self::At(kind) => kind.as_str(),
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "queued" => Some(Self::Queued),
            "submitting" => Some(Self::Submitting),
            "in_doubt" => Some(Self::InDoubt),
            "cancel_requested" => Some(Self::CancelRequested),
            other => EventKind::parse(other).map(Self::At),
        }
    }

    /// Whether nothing more is expected.
    pub const fn is_final(self) -> bool {
        match self {
            Self::At(kind) => kind.is_final(),
            Self::Queued | Self::Submitting | Self::InDoubt | Self::CancelRequested => false,
        }
    }
}

/// Outcome of one attempt, as a fact. An outcome is a value, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttemptOutcome {
    /// The operator has the order.
    Accepted,
    /// The operator refused for a reason.
    Refused,
    /// It never left us, or was certainly not taken.
    NotSent,
    /// It may have reached the operator.
    Unknown,
}

impl AttemptOutcome {
    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "accepted" => Some(Self::Accepted),
            "refused" => Some(Self::Refused),
            "not_sent" => Some(Self::NotSent),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// What a fact states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactBody {
    /// Registered with us.
    Queued,
    /// A call was about to be made.
    AttemptStarted {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The call ended.
    AttemptEnded {
        /// Which attempt.
        attempt: AttemptId,
        /// How.
        outcome: AttemptOutcome,
    },
    /// A look-up found the order of an attempt in doubt.
    FoundAtOperator {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// Look-ups a quiescence apart showed that the order of an attempt does not exist.
    AbsentAtOperator {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// Sending is stopped until a person acts.
    Held {
        /// Why, from a closed list of words.
        reason: String,
    },
    /// Sending may go on.
    Released,
    /// We asked the operator to cancel.
    CancelAsked,
    /// The operator refused to cancel.
    CancelRefused,
    /// Withdrawn by us before any order existed.
    CancelledByUs,
    /// The operator's statement.
    Event {
        /// What it says.
        kind: EventKind,
        /// Only a part is meant.
        partial: bool,
    },
    /// A person's decision: wins over exactly the facts it names.
    Decided {
        /// The decision.
        decision: DecisionId,
        /// What the person states instead; `None` only sets facts aside.
        outcome: Option<EventKind>,
        /// Facts set aside.
        overrides: BTreeSet<FactId>,
    },
}

impl FactBody {
    /// What it says of the shipment's way, and whether of a part only: an operator's event, or a decision or withdrawal
    /// that speaks in its place. `None` for everything that is ours alone.
    pub fn stated(&self) -> Option<(EventKind, bool)> {
        match self {
            Self::Event { kind, partial } => Some((*kind, *partial)),
            Self::Decided { outcome, .. } => outcome.map(|kind| (kind, false)),
            Self::CancelledByUs => Some((EventKind::Cancelled, false)),
            Self::Queued
            | Self::AttemptStarted { .. }
            | Self::AttemptEnded { .. }
            | Self::FoundAtOperator { .. }
            | Self::AbsentAtOperator { .. }
            | Self::Held { .. }
            | Self::Released
            | Self::CancelAsked
            | Self::CancelRefused => None,
        }
    }
}

/// One fact about delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFact {
    /// Identity; the same fact heard twice has the same.
    pub id: FactId,
    /// When it happened, as its source states, cut to the source's resolution.
    pub occurred_at: Timestamp,
    /// Raw code of the operator, or a word of ours.
    pub code: String,
    /// What it states.
    pub body: FactBody,
}

impl DeliveryFact {
    /// A fact of our own making.
    pub fn ours(shipment: ShipmentId, at: Timestamp, body: FactBody) -> Self {
        Self::identified(shipment, at, String::new(), body)
    }

    /// A fact that an operator's event states: `at` is cut to the source's resolution. Its identity is time, code
    /// and meaning; the words around them may change between two tellings of one event.
    pub fn event(
        shipment: ShipmentId,
        (at, resolution): (Timestamp, Resolution),
        code: &str,
        kind: EventKind,
        partial: bool,
    ) -> Self {
        Self::identified(
            shipment,
            at.truncate(resolution),
            clean_code(code),
            FactBody::Event { kind, partial },
        )
    }

    /// The identity covers everything the fold reads, so that two facts of one identity are one fact.
    fn identified(shipment: ShipmentId, occurred_at: Timestamp, code: String, body: FactBody) -> Self {
        let mut fact = Self {
            id: FactId([0; 32]),
            occurred_at,
            code,
            body,
        };
        let mut content = Vec::with_capacity(96);
        if fact.to_fields().write(&mut content).is_err() {
            content.clear(); // Only overlong override lists get here; the journal refuses their entry.
        }
        fact.id = FactId::of(
            shipment.as_bytes(),
            &[&fact.occurred_at.as_ms().to_be_bytes(), &content],
        );
        fact
    }

    /// Whether the fact's identity is that of its content, stated of this shipment. A fact read back from bytes that
    /// somebody changed has another.
    pub fn is_of(&self, shipment: ShipmentId) -> bool {
        let (code, body) = (self.code.clone(), self.body.clone());
        Self::identified(shipment, self.occurred_at, code, body).id == self.id
    }

    /// Rank among facts of the same time.
    fn rank(&self) -> i64 {
        match &self.body {
            FactBody::Event { kind, .. } => kind.rank(),
            FactBody::Decided { .. } => 1_000,
            FactBody::Queued
            | FactBody::AttemptStarted { .. }
            | FactBody::AttemptEnded { .. }
            | FactBody::FoundAtOperator { .. }
            | FactBody::AbsentAtOperator { .. }
            | FactBody::Held { .. }
            | FactBody::Released
            | FactBody::CancelAsked
            | FactBody::CancelRefused
            | FactBody::CancelledByUs => body_number(&self.body),
        }
    }

    fn order(&self) -> (Timestamp, i64, &str, FactId) {
        (self.occurred_at, self.rank(), &self.code, self.id)
    }

    /// The fields of the journal entry that records this fact.
    pub fn to_fields(&self) -> Fields {
        let fields = Fields::new()
            .bytes(Tag::FactId, &self.id.0)
            .int(Tag::FactKind, body_number(&self.body))
            .ascii(Tag::Code, &self.code);
        match &self.body {
            FactBody::Queued
            | FactBody::Released
            | FactBody::CancelAsked
            | FactBody::CancelRefused
            | FactBody::CancelledByUs => fields,
            FactBody::AttemptStarted { attempt }
            | FactBody::FoundAtOperator { attempt }
            | FactBody::AbsentAtOperator { attempt } => fields.bytes(Tag::Attempt, attempt.as_bytes()),
            FactBody::AttemptEnded { attempt, outcome } => fields
                .bytes(Tag::Attempt, attempt.as_bytes())
                .ascii(Tag::Outcome, outcome.as_str()),
            FactBody::Held { reason } => fields.ascii(Tag::Reason, reason),
            FactBody::Event { kind, partial } => fields
                .int(Tag::Status, kind.rank())
                .int(Tag::Partial, i64::from(*partial)),
            FactBody::Decided {
                decision,
                outcome,
                overrides,
            } => fields
                .bytes(Tag::Decision, decision.as_bytes())
                .maybe_int(Tag::Status, outcome.map(EventKind::rank))
                .bytes(
                    Tag::Overrides,
                    &overrides.iter().flat_map(|id| id.0).collect::<Vec<u8>>(),
                ),
        }
    }

    /// Reads the fields of a journal entry; `None` when they are not those of a delivery fact.
    pub fn from_fields(fields: &Fields, occurred_at: Timestamp) -> Option<Self> {
        let id = FactId(fields.get_bytes(Tag::FactId)?.try_into().ok()?);
        let attempt = || fields.get_id(Tag::Attempt).map(AttemptId::from_bytes);
        let body = match fields.get_int(Tag::FactKind)? {
            1 => FactBody::Queued,
            2 => FactBody::AttemptStarted { attempt: attempt()? },
            3 => FactBody::AttemptEnded {
                attempt: attempt()?,
                outcome: AttemptOutcome::parse(fields.get_ascii(Tag::Outcome)?)?,
            },
            4 => FactBody::FoundAtOperator { attempt: attempt()? },
            5 => FactBody::AbsentAtOperator { attempt: attempt()? },
            6 => FactBody::Released,
            7 => FactBody::Held {
                reason: fields.get_ascii(Tag::Reason)?.to_owned(),
            },
            8 => FactBody::CancelAsked,
            9 => FactBody::CancelRefused,
            10 => FactBody::CancelledByUs,
            11 => FactBody::Event {
                kind: EventKind::from_rank(fields.get_int(Tag::Status)?)?,
                partial: fields.get_int(Tag::Partial)? == 1,
            },
            12 => FactBody::Decided {
                decision: DecisionId::from_bytes(fields.get_id(Tag::Decision)?),
                outcome: match fields.get_int(Tag::Status) {
                    None => None,
                    Some(rank) => Some(EventKind::from_rank(rank)?),
                },
                overrides: read_overrides(fields.get_bytes(Tag::Overrides)?)?,
            },
            _ => return None,
        };
        Some(Self {
            id,
            occurred_at,
            code: fields.get_ascii(Tag::Code)?.to_owned(),
            body,
        })
    }
}

fn read_overrides(bytes: &[u8]) -> Option<BTreeSet<FactId>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    rest.is_empty()
        .then(|| chunks.iter().map(|chunk| FactId(*chunk)).collect())
}

/// Number of a fact's kind in journal entries. `Released` stands before `Held`: at the same millisecond, held wins.
const fn body_number(body: &FactBody) -> i64 {
    match body {
        FactBody::Queued => 1,
        FactBody::AttemptStarted { .. } => 2,
        FactBody::AttemptEnded { .. } => 3,
        FactBody::FoundAtOperator { .. } => 4,
        FactBody::AbsentAtOperator { .. } => 5,
        FactBody::Released => 6,
        FactBody::Held { .. } => 7,
        FactBody::CancelAsked => 8,
        FactBody::CancelRefused => 9,
        FactBody::CancelledByUs => 10,
        FactBody::Event { .. } => 11,
        FactBody::Decided { .. } => 12,
    }
}
