//! Room `domain`: delivery, what the operator does with a shipment, as a fold over facts.
//!
//! In: facts in any order, any of them repeated. Out: one [`Delivery`]. The time *we* heard of a fact never enters.
//! Deliberately not here: raw operator codes' meaning (status maps are data), where the paper is (`custody`), and
//! the passing of time (`stale` is asked of the clock, not of facts).

use crate::domain::id::{AttemptId, DecisionId, ShipmentId};
use crate::domain::journal::{Fields, Tag, clean_code};
use crate::domain::time::{Resolution, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

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

/// Delivery, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where the shipment stands.
    pub state: DeliveryState,
    /// Two finals contradict each other; a person must look.
    pub contested: bool,
    /// The final, or the last event, speaks of a part only.
    pub partial: bool,
    /// Sending is stopped, and why.
    pub held: Option<String>,
    /// Calls made to the operator's create door.
    pub attempts: u32,
    /// Visits of the postman, failed ones and the successful one.
    pub visits: u32,
    /// Raw code of the last failed visit.
    pub failure_code: Option<String>,
    /// Time of the operator's last word, as it states it.
    pub last_event_at: Option<Timestamp>,
    /// When the addressee got it, by the first delivery that still stands; a partial one does not count.
    pub delivered_at: Option<Timestamp>,
    /// When it came back to the sender, by the first return that still stands.
    pub returned_at: Option<Timestamp>,
    /// The operator has shown that the paper is in its hands.
    pub operator_had_paper: bool,
}

/// Folds facts into delivery. Any order, any repetition: the same result.
pub fn fold(facts: &[DeliveryFact]) -> Delivery {
    let unique: BTreeMap<FactId, &DeliveryFact> = facts.iter().map(|fact| (fact.id, fact)).collect();
    let overridden = overridden(unique.values().copied());
    let mut active: Vec<&DeliveryFact> = unique
        .into_values()
        .filter(|fact| !overridden.contains(&fact.id))
        .collect();
    active.sort_by(|a, b| a.order().cmp(&b.order()));

    let events = events(&active);
    let booking = booking(&active);
    let finals: BTreeSet<EventKind> = events
        .iter()
        .filter(|event| event.kind.is_final())
        .map(|event| event.kind)
        .collect();
    let leading = events
        .iter()
        .find(|event| event.kind.is_final())
        .or_else(|| events.last());
    let state = match leading {
        Some(event) if event.kind.is_final() => DeliveryState::At(event.kind),
        _ if booking.cancel_pending => DeliveryState::CancelRequested,
        Some(event) => DeliveryState::At(event.kind),
        None => booking.state,
    };
    let failed = || {
        events
            .iter()
            .filter(|event| event.kind == EventKind::DeliveryFailed)
    };
    let first = |kind: EventKind| events.iter().find(|event| event.kind == kind && !event.partial);
    Delivery {
        state,
        contested: finals.len() > 1,
        partial: leading.is_some_and(|event| event.partial),
        held: booking.held,
        attempts: booking.attempts,
        visits: count(failed().count() + usize::from(finals.contains(&EventKind::Delivered))),
        failure_code: failed().next_back().map(|event| event.code.to_owned()),
        last_event_at: events.last().map(|event| event.at),
        delivered_at: first(EventKind::Delivered).map(|event| event.at),
        returned_at: first(EventKind::Returned).map(|event| event.at),
        operator_had_paper: events.iter().any(|event| event.kind.shows_operator_has_paper()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Facts set aside by decisions that stand. Only a later decision can set an earlier one aside.
fn overridden<'a>(facts: impl Iterator<Item = &'a DeliveryFact>) -> BTreeSet<FactId> {
    let mut decisions: Vec<(&DeliveryFact, &BTreeSet<FactId>)> = facts
        .filter_map(|fact| match &fact.body {
            FactBody::Decided { overrides, .. } => Some((fact, overrides)),
            FactBody::Queued
            | FactBody::AttemptStarted { .. }
            | FactBody::AttemptEnded { .. }
            | FactBody::FoundAtOperator { .. }
            | FactBody::AbsentAtOperator { .. }
            | FactBody::Held { .. }
            | FactBody::Released
            | FactBody::CancelAsked
            | FactBody::CancelRefused
            | FactBody::CancelledByUs
            | FactBody::Event { .. } => None,
        })
        .collect();
    decisions.sort_by(|a, b| b.0.order().cmp(&a.0.order()));
    let mut aside = BTreeSet::new();
    let mut later: BTreeSet<FactId> = BTreeSet::new();
    for (decision, overrides) in decisions {
        later.insert(decision.id);
        if !aside.contains(&decision.id) {
            aside.extend(overrides.difference(&later).copied());
        }
    }
    aside
}

struct Event<'a> {
    kind: EventKind,
    at: Timestamp,
    partial: bool,
    code: &'a str,
}

/// The operator's statements, and the decisions and withdrawals that speak in their place, in order.
fn events<'a>(active: &[&'a DeliveryFact]) -> Vec<Event<'a>> {
    active
        .iter()
        .filter_map(|fact| {
            let (kind, partial) = match &fact.body {
                FactBody::Event { kind, partial } => (*kind, *partial),
                FactBody::Decided { outcome, .. } => ((*outcome)?, false),
                FactBody::CancelledByUs => (EventKind::Cancelled, false),
                FactBody::Queued
                | FactBody::AttemptStarted { .. }
                | FactBody::AttemptEnded { .. }
                | FactBody::FoundAtOperator { .. }
                | FactBody::AbsentAtOperator { .. }
                | FactBody::Held { .. }
                | FactBody::Released
                | FactBody::CancelAsked
                | FactBody::CancelRefused => return None,
            };
            Some(Event {
                kind,
                at: fact.occurred_at,
                partial,
                code: &fact.code,
            })
        })
        .collect()
}

struct Booking {
    state: DeliveryState,
    held: Option<String>,
    cancel_pending: bool,
    attempts: u32,
}

#[derive(Default)]
struct AttemptView {
    outcome: Option<AttemptOutcome>,
    found: bool,
    absent: bool,
}

/// What our own facts say: by set logic over attempts, so that no clock of ours is compared with an operator's.
fn booking(active: &[&DeliveryFact]) -> Booking {
    let mut attempts: BTreeMap<AttemptId, AttemptView> = BTreeMap::new();
    let mut held = None;
    let mut cancel_pending = false;
    for fact in active {
        match &fact.body {
            FactBody::AttemptStarted { attempt } => {
                attempts.entry(*attempt).or_default();
            }
            FactBody::AttemptEnded { attempt, outcome } => {
                attempts.entry(*attempt).or_default().outcome = Some(*outcome);
            }
            FactBody::FoundAtOperator { attempt } => attempts.entry(*attempt).or_default().found = true,
            FactBody::AbsentAtOperator { attempt } => attempts.entry(*attempt).or_default().absent = true,
            FactBody::Held { reason } => held = Some(reason.clone()),
            FactBody::Released => held = None,
            FactBody::CancelAsked => cancel_pending = true,
            FactBody::CancelRefused => cancel_pending = false,
            FactBody::Queued
            | FactBody::CancelledByUs
            | FactBody::Event { .. }
            | FactBody::Decided { .. } => {}
        }
    }
    let any = |test: fn(&AttemptView) -> bool| attempts.values().any(test);
    let state = if any(|view| view.found || view.outcome == Some(AttemptOutcome::Accepted)) {
        DeliveryState::At(EventKind::Booked)
    } else if any(|view| view.outcome == Some(AttemptOutcome::Unknown) && !view.absent) {
        DeliveryState::InDoubt
    } else if any(|view| view.outcome.is_none() && !view.absent) {
        DeliveryState::Submitting
    } else {
        DeliveryState::Queued
    };
    Booking {
        state,
        held,
        cancel_pending,
        attempts: count(attempts.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHIPMENT: ShipmentId = ShipmentId::from_bytes([7; 16]);

    fn attempt(number: u8) -> AttemptId {
        AttemptId::from_bytes([number; 16])
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_795_420_800_000 + minute * 60_000)
    }

    fn event(minute: i64, code: &str, kind: EventKind) -> DeliveryFact {
        DeliveryFact::event(SHIPMENT, (at(minute), Resolution::Second), code, kind, false)
    }

    fn ours(minute: i64, body: FactBody) -> DeliveryFact {
        DeliveryFact::ours(SHIPMENT, at(minute), body)
    }

    fn decided(minute: i64, outcome: Option<EventKind>, overrides: &[&DeliveryFact]) -> DeliveryFact {
        let decision = DecisionId::from_bytes([u8::try_from(minute).unwrap(); 16]);
        let overrides = overrides.iter().map(|fact| fact.id).collect();
        ours(
            minute,
            FactBody::Decided {
                decision,
                outcome,
                overrides,
            },
        )
    }

    #[track_caller]
    fn check(facts: &[DeliveryFact], expect: DeliveryState) -> Delivery {
        let folded = fold(facts);
        assert_eq!(folded.state, expect);
        folded
    }

    #[test]
    fn an_attempt_goes_from_submitting_over_doubt_to_booked_or_back() {
        let started = ours(0, FactBody::AttemptStarted { attempt: attempt(1) });
        let ended = |outcome| {
            ours(
                1,
                FactBody::AttemptEnded {
                    attempt: attempt(1),
                    outcome,
                },
            )
        };
        check(&[], DeliveryState::Queued);
        check(std::slice::from_ref(&started), DeliveryState::Submitting);
        let doubt = [started.clone(), ended(AttemptOutcome::Unknown)];
        check(&doubt, DeliveryState::InDoubt);
        let found = ours(9, FactBody::FoundAtOperator { attempt: attempt(1) });
        check(
            &[doubt.as_slice(), &[found]].concat(),
            DeliveryState::At(EventKind::Booked),
        );
        let absent = ours(9, FactBody::AbsentAtOperator { attempt: attempt(1) });
        check(&[doubt.as_slice(), &[absent]].concat(), DeliveryState::Queued);
        check(
            &[started.clone(), ended(AttemptOutcome::NotSent)],
            DeliveryState::Queued,
        );
        check(
            &[started, ended(AttemptOutcome::Accepted)],
            DeliveryState::At(EventKind::Booked),
        );
    }

    #[test]
    fn a_second_attempt_does_not_hide_the_doubt_of_the_first() {
        let facts = [
            ours(0, FactBody::AttemptStarted { attempt: attempt(1) }),
            ours(
                1,
                FactBody::AttemptEnded {
                    attempt: attempt(1),
                    outcome: AttemptOutcome::Unknown,
                },
            ),
            ours(2, FactBody::AttemptStarted { attempt: attempt(2) }),
            ours(
                3,
                FactBody::AttemptEnded {
                    attempt: attempt(2),
                    outcome: AttemptOutcome::NotSent,
                },
            ),
        ];
        assert_eq!(check(&facts, DeliveryState::InDoubt).attempts, 2);
    }

    #[test]
    fn a_failed_visit_and_another_round_is_normal() {
        let facts = [
            event(10, "12", EventKind::OutForDelivery),
            event(20, "15", EventKind::DeliveryFailed),
            event(900, "12", EventKind::OutForDelivery),
        ];
        let folded = check(&facts, DeliveryState::At(EventKind::OutForDelivery));
        assert_eq!((folded.visits, folded.failure_code.as_deref()), (1, Some("15")));
        let done = [facts.as_slice(), &[event(950, "14", EventKind::Delivered)]].concat();
        let folded = check(&done, DeliveryState::At(EventKind::Delivered));
        assert_eq!((folded.visits, folded.delivered_at), (2, Some(at(950))));
    }

    #[test]
    fn facts_after_the_end_change_nothing_but_a_second_final_contests() {
        let end = event(5, "14", EventKind::Delivered);
        let late = event(9, "10", EventKind::InTransit);
        assert!(!check(&[end.clone(), late], DeliveryState::At(EventKind::Delivered)).contested);
        let back = event(9, "19", EventKind::Returned);
        let folded = check(
            &[back.clone(), end.clone()],
            DeliveryState::At(EventKind::Delivered),
        );
        assert!(folded.contested);
        let settled = decided(60, Some(EventKind::Returned), &[&end]);
        let folded = check(&[end, back, settled], DeliveryState::At(EventKind::Returned));
        assert_eq!((folded.contested, folded.delivered_at), (false, None));
    }

    #[test]
    fn a_decision_wins_over_exactly_what_it_names_and_a_later_one_over_it() {
        let wrong = event(5, "14", EventKind::Delivered);
        let first = decided(10, None, &[&wrong]);
        check(&[wrong.clone(), first.clone()], DeliveryState::Queued);
        let again = event(6, "14", EventKind::Delivered);
        check(
            &[wrong.clone(), again, first.clone()],
            DeliveryState::At(EventKind::Delivered),
        );
        let undo = decided(11, None, &[&first]);
        check(
            &[wrong.clone(), first.clone(), undo.clone()],
            DeliveryState::At(EventKind::Delivered),
        );
        let back = decided(9, None, &[&undo]);
        check(
            &[wrong, first, undo, back],
            DeliveryState::At(EventKind::Delivered),
        );
    }

    #[test]
    fn cancel_is_asked_refused_or_done() {
        let booked = event(1, "1", EventKind::Booked);
        let asked = ours(2, FactBody::CancelAsked);
        check(&[booked.clone(), asked.clone()], DeliveryState::CancelRequested);
        let no = ours(3, FactBody::CancelRefused);
        check(
            &[booked.clone(), asked.clone(), no],
            DeliveryState::At(EventKind::Booked),
        );
        check(
            &[booked, asked, event(4, "9", EventKind::Cancelled)],
            DeliveryState::At(EventKind::Cancelled),
        );
    }

    #[test]
    fn held_beside_the_state_and_at_one_moment_held_wins() {
        let held = ours(
            3,
            FactBody::Held {
                reason: "phone".into(),
            },
        );
        let released = ours(3, FactBody::Released);
        assert_eq!(fold(&[held.clone(), released]).held.as_deref(), Some("phone"));
        assert_eq!(fold(&[held, ours(4, FactBody::Released)]).held, None);
    }

    /// Facts drawn from few moments and few attempts, so that ties and conflicts are frequent.
    fn any_fact() -> impl Strategy<Value = DeliveryFact> {
        let kind = proptest::sample::select(EventKind::ALL);
        let events = (0..6_i64, 1..30_u8, kind, any::<bool>()).prop_map(|(minute, code, kind, partial)| {
            DeliveryFact::event(
                SHIPMENT,
                at(minute),
                Resolution::Minute,
                &code.to_string(),
                kind,
                partial,
            )
        });
        let outcome = proptest::sample::select(vec![
            AttemptOutcome::Accepted,
            AttemptOutcome::Refused,
            AttemptOutcome::NotSent,
            AttemptOutcome::Unknown,
        ]);
        let own = (0..6_i64, 0..9_u8, 0..3_u8, outcome).prop_map(|(minute, which, number, outcome)| {
            let attempt = attempt(number);
            ours(
                minute,
                match which {
                    0 => FactBody::Queued,
                    1 => FactBody::AttemptStarted { attempt },
                    2 => FactBody::AttemptEnded { attempt, outcome },
                    3 => FactBody::FoundAtOperator { attempt },
                    4 => FactBody::AbsentAtOperator { attempt },
                    5 => FactBody::Held {
                        reason: "unit".into(),
                    },
                    6 => FactBody::Released,
                    7 => FactBody::CancelAsked,
                    _ => FactBody::CancelRefused,
                },
            )
        });
        prop_oneof![3 => events, 2 => own]
    }

    /// Facts and decisions over some of them.
    fn any_history(length: usize) -> impl Strategy<Value = Vec<DeliveryFact>> {
        let decisions = proptest::collection::vec(
            (
                0..6_i64,
                proptest::option::of(proptest::sample::select(EventKind::ALL)),
                any::<u16>(),
            ),
            0..3,
        );
        (proptest::collection::vec(any_fact(), 0..length), decisions).prop_map(|(mut facts, decisions)| {
            for (minute, outcome, mask) in decisions {
                let named: Vec<DeliveryFact> = facts
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| mask >> (index % 16) & 1 == 1)
                    .map(|(_, fact)| fact.clone())
                    .collect();
                facts.push(decided(minute, outcome, &named.iter().collect::<Vec<_>>()));
            }
            facts
        })
    }

    fn permutations(facts: &[DeliveryFact], visit: &mut dyn FnMut(&[DeliveryFact])) {
        fn heap(k: usize, facts: &mut Vec<DeliveryFact>, visit: &mut dyn FnMut(&[DeliveryFact])) {
            if k <= 1 {
                visit(facts);
                return;
            }
            for index in 0..k {
                heap(k - 1, facts, visit);
                facts.swap(if k % 2 == 0 { index } else { 0 }, k - 1);
            }
        }
        heap(facts.len(), &mut facts.to_vec(), visit);
    }

    /// All 40,320 orders of eight facts that contain every kind of conflict.
    #[test]
    fn every_permutation_of_eight_facts_folds_alike() {
        let delivered = event(4, "14", EventKind::Delivered);
        let facts = [
            ours(0, FactBody::AttemptStarted { attempt: attempt(1) }),
            ours(
                0,
                FactBody::AttemptEnded {
                    attempt: attempt(1),
                    outcome: AttemptOutcome::Unknown,
                },
            ),
            event(2, "12", EventKind::OutForDelivery),
            event(2, "15", EventKind::DeliveryFailed),
            delivered.clone(),
            event(4, "19", EventKind::Returned),
            ours(2, FactBody::CancelAsked),
            decided(5, None, &[&delivered]),
        ];
        let expect = fold(&facts);
        let mut seen = 0;
        permutations(&facts, &mut |order| {
            assert_eq!(fold(order), expect);
            seen += 1;
        });
        assert_eq!(
            (seen, expect.state),
            (40_320, DeliveryState::At(EventKind::Returned))
        );
    }

    proptest! {
        #[test]
        fn order_does_not_matter_small(facts in any_history(4)) {
            let expect = fold(&facts);
            permutations(&facts, &mut |order| assert_eq!(fold(order), expect));
        }

        #[test]
        fn order_and_repetition_do_not_matter(
            facts in any_history(40),
            seed in any::<u64>(),
        ) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut shuffled = facts.clone();
            for _ in 0..facts.len() {
                if let Some(again) = facts.get(rng.usize(0..facts.len())) {
                    shuffled.push(again.clone());
                }
            }
            rng.shuffle(&mut shuffled);
            prop_assert_eq!(fold(&shuffled), fold(&facts));
        }

        #[test]
        fn journal_fields_hold_everything_the_fold_needs(facts in any_history(10)) {
            let back: Option<Vec<DeliveryFact>> =
                facts.iter().map(|fact| DeliveryFact::from_fields(&fact.to_fields(), fact.occurred_at)).collect();
            prop_assert_eq!(back, Some(facts));
        }
    }
}
