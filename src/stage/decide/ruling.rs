//! Stage decide: proposing, approving, turning down, each as one transaction.
//!
//! In: a person, an office, a wish or a decision. Out: the decision's row with its sealed reason, the facts, the queue
//! row and the entries, together. The shipment is locked first; everything is checked again under the lock, so that of
//! two people at once the second finds it settled. If we stop before the commit nothing stands; a proposal that waits
//! outlives any restart. Deliberately not here: what follows from an answer (`rules`).

use super::answer::{Answer, RULERS};
use super::refusal::{DecideError, Refusal};
use super::rules::{self, Doubts, Plan};
use super::seen::{self, Seen};
use super::{By, Ruled, Standing, Wish, correct};
use crate::domain::address::looks_like_id_number;
use crate::domain::delivery::{EventKind, FactId};
use crate::domain::id::{DecisionId, ShipmentId};
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::name::tidy;
use crate::domain::time::Timestamp;
use crate::edge::store::decision::{self, DecisionRow};
use crate::edge::store::record::{self, Hand, NewFacts};
use crate::edge::store::shipment::{self, OperatorName, OperatorWords};
use crate::edge::store::{Command, RecordKey, StoreError, Tx, acting, attempt, personal, poll, queue};
use crate::stage::context::Context;
use std::sync::Arc;

/// The reason written with the wish to stop a shipment whose paper is gone.
const PAPER_GONE: &str = "paper_gone";

/// Proposes a decision; one that needs no second person is applied at once.
pub(super) struct Propose {
    pub(super) context: Arc<Context>,
    pub(super) by: By,
    pub(super) shipment: ShipmentId,
    pub(super) wish: Wish,
    pub(super) reason: String,
}

impl Command for Propose {
    const NAME: &'static str = "decide_propose";
    type Output = Ruled;
    type Error = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<Ruled, DecideError> {
        let reason = checked_reason(&self.reason)?;
        let now = self.context.clock.now();
        let seen = seen::lock(tx, self.shipment).await?;
        let answer = self.wish.answer;
        let person = (self.by.staff, self.by.office);
        if !acting::may_act(tx, person, now, answer.proposers()).await? {
            return Err(Refusal::NotAllowed.into());
        }
        if !seen.is_of(self.by.office) {
            return Err(Refusal::OtherOffice.into());
        }
        let looked = self.wish.seen.as_ref();
        if looked.is_some_and(|looked| !looked.is(&seen.digest)) {
            return Err(Refusal::Stale.into());
        }
        let id = DecisionId::new(&*self.context.ids);
        let plan = rules::plan(&seen, &self.wish, id, now)?;
        let key = personal::key(&self.context.store, tx, seen.row.record).await?;
        let standing = if plan.needs_second {
            Standing::Waits
        } else {
            Standing::Applied
        };
        let row = DecisionRow {
            id,
            shipment: self.shipment,
            kind: answer.as_str().to_owned(),
            outcome: plan.outcome.map(|kind| kind.as_str().to_owned()),
            overrides: plan.overrides.clone(),
            facts_seen: seen.digest,
            occurred_at: plan.occurred_at,
            record: seen.row.record,
            proposed_by: self.by.staff,
            proposed_at: now,
            needs_second: plan.needs_second,
            approved_by: None,
            approved_at: None,
            state: standing.as_str().to_owned(),
        };
        decision::insert(tx, &key, &row, &reason).await?;
        let hand = self.by.hand(&self.context, now);
        let mut new = NewFacts::default();
        new.entries.push(proposed(&row, standing));
        if standing == Standing::Applied {
            let write = Write {
                context: &self.context,
                hand: &hand,
                seen: &seen,
                key: &key,
            };
            write.apply(tx, &self.wish, plan, &mut new).await?;
        }
        record::shipment_facts(&self.context.store, tx, &hand, self.shipment, new).await?;
        Ok(Ruled {
            decision: id,
            shipment: self.shipment,
            answer,
            standing,
        })
    }
}

/// The entry of a proposal. The reason is personal and stays out.
fn proposed(row: &DecisionRow, standing: Standing) -> (Kind, Option<Timestamp>, Fields) {
    let overrides: Vec<u8> = row.overrides.iter().flat_map(|id: &FactId| id.0).collect();
    let outcome = row.outcome.as_deref().and_then(EventKind::parse);
    let fields = Fields::new()
        .bytes(Tag::Decision, row.id.as_bytes())
        .ascii(Tag::Word, &row.kind)
        .ascii(Tag::Outcome, standing.as_str())
        .maybe_int(Tag::Status, outcome.map(EventKind::rank))
        .maybe_bytes(
            Tag::Overrides,
            Some(overrides.as_slice()).filter(|ids| !ids.is_empty()),
        )
        .bytes(Tag::Evidence, &row.facts_seen);
    (Kind::DecisionProposed, Some(row.occurred_at), fields)
}

/// 3 to 500 characters, tidy, without what looks like an identity number.
fn checked_reason(text: &str) -> Result<String, Refusal> {
    let text = tidy(text);
    let length = text.chars().count();
    if !(3..=500).contains(&length) || looks_like_id_number(&text) {
        return Err(Refusal::Reason);
    }
    Ok(text)
}

/// What a second person does with a proposal.
#[derive(Clone, Debug)]
pub(super) enum Ruling {
    Approve,
    TurnDown(String),
}

/// Rules on a proposal.
pub(super) struct Rule {
    pub(super) context: Arc<Context>,
    pub(super) by: By,
    pub(super) decision: DecisionId,
    pub(super) ruling: Ruling,
}

impl Command for Rule {
    const NAME: &'static str = "decide_rule";
    type Output = Ruled;
    type Error = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<Ruled, DecideError> {
        let now = self.context.clock.now();
        let named = decision::find(tx, self.decision).await?;
        let named = named.ok_or(Refusal::UnknownDecision)?;
        let seen = seen::lock(tx, named.shipment).await?;
        // Read again under the lock: somebody may have ruled while we waited for it.
        let row = decision::find(tx, self.decision).await?;
        let row = row.ok_or(Refusal::UnknownDecision)?;
        if row.state != Standing::Waits.as_str() {
            return Err(Refusal::SettledBefore.into());
        }
        if row.proposed_by == self.by.staff {
            return Err(Refusal::OwnProposal.into());
        }
        if !acting::may_act(tx, (self.by.staff, self.by.office), now, RULERS).await? {
            return Err(Refusal::NotAllowed.into());
        }
        let hand = self.by.hand(&self.context, now);
        let key = personal::key(&self.context.store, tx, seen.row.record).await?;
        let write = Write {
            context: &self.context,
            hand: &hand,
            seen: &seen,
            key: &key,
        };
        write.rule(tx, &row, &self.ruling).await
    }
}

/// One decision being written.
struct Write<'a> {
    context: &'a Context,
    hand: &'a Hand<'a>,
    seen: &'a Seen,
    key: &'a RecordKey,
}

impl Write<'_> {
    async fn rule(&self, tx: &mut Tx, row: &DecisionRow, ruling: &Ruling) -> Result<Ruled, DecideError> {
        let wish = Wish::stored(row).ok_or(StoreError::Corrupt {
            place: "decision.kind",
        })?;
        let mut new = NewFacts::default();
        let entry = Fields::new().bytes(Tag::Decision, row.id.as_bytes());
        let standing = match ruling {
            Ruling::TurnDown(reason) => {
                let reason = checked_reason(reason)?;
                decision::put_ruling(tx, self.key, row.id, &reason).await?;
                let entry = entry.ascii(Tag::Outcome, Standing::TurnedDown.as_str());
                new.entries.push((Kind::DecisionTurnedDown, None, entry));
                Standing::TurnedDown
            }
            // More is known than the proposer saw: what was proposed may be wrong by now.
            Ruling::Approve if row.facts_seen != self.seen.digest => {
                let entry = entry.ascii(Tag::Outcome, Standing::Stale.as_str());
                new.entries.push((Kind::DecisionTurnedDown, None, entry));
                Standing::Stale
            }
            Ruling::Approve => {
                let plan = rules::plan(self.seen, &wish, row.id, self.hand.now)?;
                if plan.overrides != row.overrides {
                    return Err(Refusal::Stale.into());
                }
                new.entries.push((Kind::DecisionApproved, None, entry));
                self.apply(tx, &wish, plan, &mut new).await?;
                Standing::Applied
            }
        };
        let by = self.staff();
        if !decision::settle(tx, row.id, by, self.hand.now, standing.as_str()).await? {
            return Err(Refusal::SettledBefore.into());
        }
        let store = &self.context.store;
        record::shipment_facts(store, tx, self.hand, row.shipment, new).await?;
        Ok(Ruled {
            decision: row.id,
            shipment: row.shipment,
            answer: wish.answer,
            standing,
        })
    }

    const fn staff(&self) -> crate::domain::id::StaffId {
        crate::domain::id::StaffId::from_bytes(self.hand.actor.id)
    }

    /// Everything that follows besides the facts themselves, which go into `new`.
    async fn apply(
        &self,
        tx: &mut Tx,
        wish: &Wish,
        plan: Plan,
        new: &mut NewFacts,
    ) -> Result<(), DecideError> {
        let (row, now) = (&self.seen.row, self.hand.now);
        if let (Some(seen), Some(to)) = (&self.seen.queue, &plan.queue)
            && !queue::move_seen(tx, seen, to).await?
        {
            // A worker took the row since it was read.
            return Err(Refusal::CallUnderWay.into());
        }
        if plan.doubts != Doubts::Stay {
            for open in self.seen.open() {
                attempt::settle(tx, open.id, "decided", now).await?;
            }
        }
        if plan.doubts == Doubts::SettledAndAsked {
            poll::start(tx, row.id, row.account, now).await?;
        }
        if wish.answer == Answer::OperatorHasIt {
            self.keep_tracking_number(tx, wish).await?;
        }
        if let (Answer::Correct, Some(correction)) = (wish.answer, &wish.correction) {
            let by = (self.hand.actor, now);
            let store = &self.context.store;
            let number = correct::revise(store, tx, self.key, (self.seen, correction), by).await?;
            let fields = Fields::new().int(Tag::Revision, number.into());
            new.entries.push((Kind::ShipmentRevised, Some(now), fields));
        }
        if plan.stops {
            let fields = Fields::new().ascii(Tag::Reason, PAPER_GONE);
            new.entries.push((Kind::StopWanted, Some(now), fields));
        }
        new.delivery
            .extend(plan.delivery.into_iter().map(|fact| (fact, 0)));
        new.custody.extend(plan.custody);
        Ok(())
    }

    async fn keep_tracking_number(&self, tx: &mut Tx, wish: &Wish) -> Result<(), DecideError> {
        let Some(number) = &wish.tracking_number else {
            return Ok(());
        };
        let row = &self.seen.row;
        let name = OperatorName::Tracking(number.as_str());
        if shipment::by_name(tx, row.account, name)
            .await?
            .is_some_and(|other| other != row.id)
        {
            return Err(Refusal::TrackingTaken.into());
        }
        let words = OperatorWords {
            tracking_number: Some(number.as_str().to_owned()),
            ..OperatorWords::default()
        };
        Ok(shipment::set_operator_words(tx, row.id, &words, self.hand.now).await?)
    }
}
