//! Stage decide: what may be decided about a shipment as it stands, and what follows.
//!
//! Pure. In: a shipment as seen, an answer. Out: a [`Plan`] of facts and moves, or why not. The same function serves the
//! proposal, the ruling on it and the list of possible answers, so that they cannot differ. Deliberately not here: who
//! may decide, and writing.

use super::answer::Answer;
use super::refusal::Refusal;
use super::seen::{Call, Seen};
use super::{Wish, correct};
use crate::domain::capability::{Cancelling, DoubtPolicy};
use crate::domain::custody::{CustodyAct, CustodyFact, Place};
use crate::domain::delivery::{
    self, Delivery, DeliveryFact, DeliveryState, EventKind, FactBody, FactId, StandingFinal,
};
use crate::domain::id::DecisionId;
use crate::domain::stopping::{Stopping, stopping};
use crate::domain::time::Timestamp;
use crate::edge::store::queue::{QueueRow, QueueState};
use std::collections::BTreeSet;

/// Facts one decision may set aside: more would not fit an entry of the journal.
const OVERRIDES_MAX: usize = 64;

/// What becomes of attempts in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubts {
    /// Nothing.
    Stay,
    /// They are settled by the decision.
    Settled,
    /// They are settled, and the operator is asked about the order from now on.
    SettledAndAsked,
}

/// What an answer leads to.
#[derive(Debug)]
pub(super) struct Plan {
    /// A second person must approve.
    pub(super) needs_second: bool,
    /// Final outcome stated.
    pub(super) outcome: Option<EventKind>,
    /// Facts set aside.
    pub(super) overrides: BTreeSet<FactId>,
    /// When the thing decided about happened.
    pub(super) occurred_at: Timestamp,
    /// New facts about delivery.
    pub(super) delivery: Vec<DeliveryFact>,
    /// New facts about the paper.
    pub(super) custody: Vec<CustodyFact>,
    /// The shipment is to be stopped.
    pub(super) stops: bool,
    /// The queue row afterwards, when it moves.
    pub(super) queue: Option<QueueRow>,
    /// What becomes of attempts in doubt.
    pub(super) doubts: Doubts,
}

/// What follows from a wish, or why it may not be.
pub(super) fn plan(seen: &Seen, wish: &Wish, decision: DecisionId, now: Timestamp) -> Result<Plan, Refusal> {
    if seen.call() == Call::Creating {
        return Err(Refusal::CallUnderWay);
    }
    let case = Case { seen, decision, now };
    match wish.answer {
        Answer::Release => case.release(),
        Answer::Correct => case.correct(),
        Answer::OperatorHasIt => case.operator_has_it(),
        Answer::OperatorHasNot => case.operator_has_not(),
        Answer::Delivered => case.ended(EventKind::Delivered, wish),
        Answer::Returned => case.ended(EventKind::Returned, wish),
        Answer::LostOrDamaged => case.ended(EventKind::LostOrDamaged, wish),
        Answer::Cancelled => case.ended(EventKind::Cancelled, wish),
        Answer::Whole => case.whole(wish),
        Answer::NotWhole => case.not_whole(),
        Answer::PaperLost => case.paper_gone(CustodyAct::Lost, Place::Lost, wish),
        Answer::PaperDestroyed => case.paper_gone(CustodyAct::Destroyed, Place::Destroyed, wish),
    }
}

/// The answers that fit a shipment as it stands, as far as they need nothing more than it.
pub(super) fn possible(seen: &Seen, decision: DecisionId, now: Timestamp) -> Vec<Answer> {
    let fits = |answer: &Answer| {
        let wish = Wish {
            // The latest moment: a time given later lies before it.
            at: Some(now),
            ..Wish::of(*answer)
        };
        plan(seen, &wish, decision, now).is_ok()
    };
    Answer::ALL.iter().copied().filter(fits).collect()
}

struct Case<'a> {
    seen: &'a Seen,
    decision: DecisionId,
    now: Timestamp,
}

impl Case<'_> {
    fn plain(&self) -> Plan {
        let nothing = BTreeSet::new();
        Plan {
            needs_second: false,
            outcome: None,
            delivery: self.decided(None, &nothing),
            overrides: nothing,
            occurred_at: self.now,
            custody: Vec::new(),
            stops: false,
            queue: None,
            doubts: Doubts::Stay,
        }
    }

    fn ours(&self, at: Timestamp, body: FactBody) -> DeliveryFact {
        DeliveryFact::ours(self.seen.row.id, at, body)
    }

    /// The facts of this decision. What is set aside is dated now, after every decision it may set aside; what is stated
    /// is dated when it happened.
    fn decided(
        &self,
        stated: Option<(EventKind, Timestamp)>,
        overrides: &BTreeSet<FactId>,
    ) -> Vec<DeliveryFact> {
        let decision = self.decision;
        let mut facts = Vec::with_capacity(2);
        if stated.is_none() || !overrides.is_empty() {
            let earlier =
                self.seen.facts.iter().filter(|fact| {
                    overrides.contains(&fact.id) && matches!(fact.body, FactBody::Decided { .. })
                });
            let at = after(self.now, earlier.map(|fact| fact.occurred_at));
            let overrides = overrides.clone();
            facts.push(self.ours(
                at,
                FactBody::Decided {
                    decision,
                    outcome: None,
                    overrides,
                },
            ));
        }
        if let Some((kind, at)) = stated {
            let overrides = BTreeSet::new();
            facts.push(self.ours(
                at,
                FactBody::Decided {
                    decision,
                    outcome: Some(kind),
                    overrides,
                },
            ));
        }
        facts
    }

    /// Ends the hold, if there is one: after it also by the clock of whoever held it.
    fn released(&self) -> Option<DeliveryFact> {
        self.seen.delivery.held.as_ref()?;
        let holds = self.seen.facts.iter();
        let holds = holds.filter(|fact| matches!(fact.body, FactBody::Held { .. }));
        let at = after(self.now, holds.map(|fact| fact.occurred_at));
        Some(self.ours(at, FactBody::Released))
    }

    /// Where a held row goes when the hold ends.
    fn let_go(&self) -> Option<QueueRow> {
        let row = self.seen.queue.as_ref()?;
        if row.state != QueueState::Held {
            return None;
        }
        Some(if self.seen.open().next().is_some() {
            self.moved(row, QueueState::Doubt)
        } else if self.seen.delivery.state == DeliveryState::Queued {
            self.afresh(row)
        } else {
            self.moved(row, QueueState::Done)
        })
    }

    fn moved(&self, row: &QueueRow, state: QueueState) -> QueueRow {
        QueueRow {
            state,
            due_at: self.now,
            ..row.clone()
        }
    }

    /// Ready to be sent, with the count of calls and their age begun anew: a person looked.
    fn afresh(&self, row: &QueueRow) -> QueueRow {
        QueueRow {
            attempts: 0,
            first_at: None,
            paused_ms_then: 0,
            absences: 0,
            absent_at: None,
            doubted_at: None,
            ..self.moved(row, QueueState::Ready)
        }
    }

    /// Nothing is left to send.
    fn done(&self) -> Option<QueueRow> {
        let row = self.seen.queue.as_ref()?;
        (row.state != QueueState::Done).then(|| self.moved(row, QueueState::Done))
    }

    fn is_in_doubt(&self) -> bool {
        self.seen.open().next().is_some()
    }

    fn check_time(&self, at: Timestamp) -> Result<(), Refusal> {
        if at > self.now {
            return Err(Refusal::Future);
        }
        if at < self.seen.row.created_at {
            return Err(Refusal::BeforeRegistration);
        }
        Ok(())
    }

    fn with(&self, new: &[DeliveryFact]) -> Delivery {
        delivery::fold(&[self.seen.facts.as_slice(), new].concat())
    }

    fn release(&self) -> Result<Plan, Refusal> {
        let stopped = self.seen.queue.as_ref();
        let stopped = stopped.is_some_and(|row| row.state == QueueState::Held);
        if self.seen.delivery.held.is_none() && !stopped {
            return Err(Refusal::NotHeld);
        }
        let mut plan = self.plain();
        plan.delivery.extend(self.released());
        plan.queue = self.let_go();
        Ok(plan)
    }

    fn correct(&self) -> Result<Plan, Refusal> {
        match self.seen.delivery.state {
            DeliveryState::Queued | DeliveryState::InDoubt => {}
            DeliveryState::Submitting => return Err(Refusal::CallUnderWay),
            DeliveryState::CancelRequested => return Err(Refusal::Cancelling),
            DeliveryState::At(kind) if kind.is_final() => return Err(Refusal::Ended),
            DeliveryState::At(_) => return Err(Refusal::OrderStands),
        }
        correct::check_paper(self.seen.custody.place)?;
        let mut plan = self.plain();
        plan.delivery.extend(self.released());
        plan.queue = self.let_go();
        Ok(plan)
    }

    fn operator_has_it(&self) -> Result<Plan, Refusal> {
        if !self.is_in_doubt() {
            return Err(Refusal::NoDoubt);
        }
        let mut plan = self.plain();
        for attempt in self.seen.open() {
            let body = FactBody::FoundAtOperator { attempt: attempt.id };
            plan.delivery.push(self.ours(self.now, body));
        }
        plan.queue = self.done();
        plan.doubts = Doubts::SettledAndAsked;
        Ok(plan)
    }

    /// Invariant 5: out of doubt nothing is sent again but after the quiescence, and, unless the account refuses
    /// duplicates, by two people.
    fn operator_has_not(&self) -> Result<Plan, Refusal> {
        if !self.is_in_doubt() {
            return Err(Refusal::NoDoubt);
        }
        match self.seen.delivery.state {
            DeliveryState::InDoubt | DeliveryState::Queued | DeliveryState::Submitting => {}
            DeliveryState::CancelRequested => return Err(Refusal::Cancelling),
            DeliveryState::At(kind) if kind.is_final() => return Err(Refusal::Ended),
            DeliveryState::At(_) => return Err(Refusal::OrderStands),
        }
        match self.seen.custody.place {
            Place::Awaited | Place::AtDecidingOffice | Place::AtDesk | Place::Packed | Place::HandedOver => {}
            place @ (Place::WithOperator
            | Place::WithAddressee
            | Place::BackAtDesk
            | Place::Collected
            | Place::Destroyed
            | Place::Lost) => return Err(Refusal::PaperElsewhere(place)),
        }
        let row = self.seen.queue.as_ref().ok_or(Refusal::NoDoubt)?;
        let ends = self
            .seen
            .open()
            .map(|open| open.ended_at.unwrap_or(open.started_at));
        let since = ends.chain(row.doubted_at).max().unwrap_or(self.now);
        let rested_at = since.plus_ms(self.seen.capabilities.quiescence_ms);
        if self.now < rested_at {
            return Err(Refusal::TooEarly(rested_at));
        }
        let mut plan = self.plain();
        for attempt in self.seen.open() {
            let body = FactBody::AbsentAtOperator { attempt: attempt.id };
            plan.delivery.push(self.ours(self.now, body));
        }
        let mut again = self.afresh(row);
        if self.seen.delivery.held.is_some() {
            again.state = QueueState::Held;
        }
        plan.queue = Some(again);
        plan.doubts = Doubts::Settled;
        plan.needs_second = match self.seen.capabilities.doubt_policy() {
            DoubtPolicy::ResendAsks => false,
            DoubtPolicy::LookUp | DoubtPolicy::WaitForPerson => true,
        };
        Ok(plan)
    }

    fn ended(&self, kind: EventKind, wish: &Wish) -> Result<Plan, Refusal> {
        let at = wish.at.ok_or(Refusal::TimeMissing)?;
        self.check_time(at)?;
        self.check_place(kind)?;
        let standing = delivery::standing_finals(&self.seen.facts);
        let overrides = match &wish.overrides {
            None => ids(standing.iter().filter(|fact| fact.kind != kind || fact.partial)),
            Some(named) => named.clone(),
        };
        let now = &self.seen.delivery;
        let so_already = now.state == DeliveryState::At(kind) && !now.contested && !now.partial;
        if so_already && overrides.is_empty() {
            return Err(Refusal::NothingChanges);
        }
        self.final_plan(Some((kind, at)), overrides, &standing)
    }

    /// A plan that changes a final outcome: afterwards exactly the stated one stands, uncontested and whole.
    fn final_plan(
        &self,
        stated: Option<(EventKind, Timestamp)>,
        overrides: BTreeSet<FactId>,
        standing: &[StandingFinal],
    ) -> Result<Plan, Refusal> {
        let stands = |id: &FactId| standing.iter().any(|fact| fact.id == *id);
        if overrides.len() > OVERRIDES_MAX || !overrides.iter().all(stands) {
            return Err(Refusal::NotStanding);
        }
        let facts = self.decided(stated, &overrides);
        let after = self.with(&facts);
        let reached = match stated {
            Some((kind, _)) => after.state == DeliveryState::At(kind),
            None => true,
        };
        if !reached || after.contested || (after.partial && after.state.is_final()) {
            return Err(Refusal::StillContested);
        }
        Ok(Plan {
            needs_second: true,
            outcome: stated.map(|(kind, _)| kind),
            overrides,
            occurred_at: stated.map_or(self.now, |(_, at)| at),
            delivery: facts,
            queue: stated.and_then(|_| self.done()),
            // The operator may have the order after all: its word must be heard.
            doubts: if stated.is_some() && self.is_in_doubt() {
                Doubts::SettledAndAsked
            } else {
                Doubts::Stay
            },
            ..self.plain()
        })
    }

    /// Whether the paper can be where a final outcome says.
    const fn check_place(&self, kind: EventKind) -> Result<(), Refusal> {
        let place = self.seen.custody.place;
        let fits = match place {
            Place::Awaited | Place::HandedOver | Place::WithOperator | Place::WithAddressee | Place::Lost => {
                true
            }
            // It never left: a hand-over that nobody recorded is entered first.
            Place::AtDecidingOffice | Place::AtDesk | Place::Packed | Place::Collected => {
                matches!(kind, EventKind::Cancelled)
            }
            Place::BackAtDesk | Place::Destroyed => !matches!(kind, EventKind::Delivered),
        };
        if fits {
            Ok(())
        } else {
            Err(Refusal::PaperElsewhere(place))
        }
    }

    /// The final kind that speaks of a part, and the statements of it that do.
    fn part(&self) -> Result<(EventKind, Vec<StandingFinal>), Refusal> {
        match self.seen.delivery.state {
            DeliveryState::At(kind) if kind.is_final() && self.seen.delivery.partial => {
                let standing = delivery::standing_finals(&self.seen.facts);
                Ok((kind, standing))
            }
            DeliveryState::At(_)
            | DeliveryState::Queued
            | DeliveryState::Submitting
            | DeliveryState::InDoubt
            | DeliveryState::CancelRequested => Err(Refusal::NotPartial),
        }
    }

    fn whole(&self, wish: &Wish) -> Result<Plan, Refusal> {
        let (kind, standing) = self.part()?;
        let partial = || standing.iter().filter(|fact| fact.partial && fact.kind == kind);
        // Without another time, it was whole when the operator called it a part.
        let stated_at = partial().map(|fact| fact.at).min();
        let at = wish.at.or(stated_at).unwrap_or(self.now);
        self.check_time(at)?;
        self.check_place(kind)?;
        self.final_plan(Some((kind, at)), ids(partial()), &standing)
    }

    fn not_whole(&self) -> Result<Plan, Refusal> {
        let (kind, standing) = self.part()?;
        let partial = standing.iter().filter(|fact| fact.partial && fact.kind == kind);
        self.final_plan(None, ids(partial), &standing)
    }

    /// The paper is gone. What was never sent is stopped with it; what the operator had ends as lost.
    fn paper_gone(&self, act: CustodyAct, place: Place, wish: &Wish) -> Result<Plan, Refusal> {
        let at = wish.at.unwrap_or(self.now);
        self.check_time(at)?;
        let seen = self.seen;
        let here = seen.custody.place;
        if matches!(here, Place::Collected | Place::WithAddressee) {
            return Err(Refusal::PaperElsewhere(here));
        }
        if here == place && seen.custody_facts.iter().any(|fact| fact.act == act) {
            return Err(Refusal::NothingChanges);
        }
        // The fold goes by time: an act of the desk after it would say that the paper is still there.
        if seen.custody_facts.iter().any(|fact| fact.occurred_at > at) {
            return Err(Refusal::BeforeLastAct);
        }
        if self.is_in_doubt() {
            return Err(Refusal::DoubtFirst);
        }
        let mut plan = Plan {
            needs_second: true,
            occurred_at: at,
            ..self.plain()
        };
        match stopping(&seen.delivery, &seen.custody) {
            Stopping::Now => {
                plan.delivery.push(self.ours(self.now, FactBody::CancelledByUs));
                plan.queue = self.done();
                plan.stops = true;
            }
            Stopping::Ask if seen.capabilities.cancelling != Cancelling::None => {
                plan.delivery.push(self.ours(self.now, FactBody::CancelAsked));
                plan.stops = true;
            }
            Stopping::InDoubt => return Err(Refusal::DoubtFirst),
            // An order that cannot be taken back ends with its paper too, or it would stay open for ever.
            Stopping::HandedOver | Stopping::Ask => {
                let outcome = EventKind::LostOrDamaged;
                plan.delivery = self.decided(Some((outcome, at)), &BTreeSet::new());
                plan.outcome = Some(outcome);
                plan.queue = self.done();
            }
            Stopping::Already | Stopping::Ended => {}
        }
        plan.custody
            .push(CustodyFact::new(seen.row.id, at, act, None, None));
        Ok(plan)
    }
}

/// `now`, or a millisecond after the latest of `earlier`.
fn after(now: Timestamp, earlier: impl Iterator<Item = Timestamp>) -> Timestamp {
    earlier.map(|at| at.plus_ms(1)).fold(now, Timestamp::max)
}

fn ids<'a>(facts: impl Iterator<Item = &'a StandingFinal>) -> BTreeSet<FactId> {
    facts.map(|fact| fact.id).collect()
}
