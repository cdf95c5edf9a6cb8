//! Stage 2, dispatch: transaction B.
//!
//! In: what was heard of one call. Out: the outcome as facts, the row's next state, the answer's bytes as evidence.
//! Only what is certain counts as certain: everything else is in doubt. Deliberately not here: calling.

use super::start::Started;
use crate::domain::capability::DoubtPolicy;
use crate::domain::delivery::{AttemptOutcome, DeliveryFact, FactBody};
use crate::domain::id::AttemptId;
use crate::domain::retry::{RetryAfter, parse_retry_after};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{DispatchReading, NotTaken, OperatorOrder, RefusalReason};
use crate::edge::store::attempt::{self, AttemptRow, NewEvidence};
use crate::edge::store::queue::{self, QueueRow, QueueState};
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::shipment::{self, OperatorWords};
use crate::edge::store::{Command, StoreError, Tx, personal, poll};
use crate::stage::context::Context;
use crate::stage::context::operator::{Health, Operator, OperatorError};
use std::sync::Arc;

/// What was heard of one call.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    /// Not even tried: the lease would not have lasted.
    NotBegun,
    /// The request never left us.
    NeverLeft(&'static str),
    /// An answer, or an ambiguous silence, as read.
    Read(DispatchReading),
}

/// Tells breaker and budget how the call went.
pub(super) async fn note_health(
    context: &Context,
    operator: &Operator,
    heard: &Heard,
) -> Result<(), OperatorError> {
    match heard {
        Heard::NotBegun => Ok(()),
        Heard::NeverLeft(_) | Heard::Read(DispatchReading::Unknown { .. }) => {
            operator.note(context, Health::Failed).await
        }
        Heard::Read(DispatchReading::Throttled { retry_after }) => operator
            .throttled(context, retry_after.as_deref())
            .await
            .map(drop),
        Heard::Read(DispatchReading::NotTaken(NotTaken::TokenRefused)) => {
            operator.forget_token(context);
            Ok(())
        }
        Heard::Read(
            DispatchReading::Accepted(_) | DispatchReading::Refused(_) | DispatchReading::Duplicate(_),
        ) => operator.note(context, Health::Heard).await,
    }
}

/// Commits the outcome of one attempt.
pub(super) struct End {
    pub(super) context: Arc<Context>,
    pub(super) operator: Arc<Operator>,
    pub(super) started: Started,
    pub(super) heard: Heard,
    pub(super) received: Option<Vec<u8>>,
    pub(super) now: Timestamp,
}

/// An order of which the operator said only that it exists.
const UNREAD: OperatorOrder = OperatorOrder {
    reference: None,
    tracking_number: None,
    operator_id: None,
    status_code: None,
    charge_dong: None,
    created_at: None,
    updated_at: None,
};

/// What an outcome leads to.
struct Verdict {
    outcome: AttemptOutcome,
    detail: &'static str,
    state: QueueState,
    due_at: Timestamp,
    held: Option<&'static str>,
    order: Option<OperatorOrder>,
    /// The call does not count against the limit of attempts.
    uncounted: bool,
}

impl Command for End {
    const NAME: &'static str = "dispatch_end";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let row = &self.started.row;
        let shipment = shipment::lock(tx, row.shipment).await?;
        let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
        let key = personal::key(&self.context.store, tx, shipment.record).await;
        if let (Ok(key), Some(bytes)) = (&key, &self.received) {
            let evidence = NewEvidence {
                id: self.context.ids.next(),
                shipment: shipment.id,
                attempt: Some(self.started.attempt),
                kind: "received",
                bytes,
            };
            attempt::insert_evidence(tx, key, &evidence, self.now).await?;
        }
        let earlier: Vec<AttemptRow> = attempt::list(tx, shipment.id)
            .await?
            .into_iter()
            .filter(|attempt| attempt.id != self.started.attempt)
            .collect();
        let verdict = self.judge(&earlier, &shipment.reference);
        let mut moved = row.clone();
        moved.state = verdict.state;
        moved.due_at = verdict.due_at;
        if verdict.uncounted {
            moved.attempts = moved.attempts.saturating_sub(1);
        }
        if verdict.state == QueueState::Doubt {
            moved.doubted_at = Some(self.now);
            moved.absences = 0;
            moved.absent_at = None;
        }
        if !queue::release(tx, &moved).await? {
            // The lease is stale: somebody took the row over and has declared this attempt in doubt. The answer is
            // kept as evidence above; it changes nothing here. The look-up will tell.
            return Ok(());
        }
        attempt::finish(
            tx,
            self.started.attempt,
            verdict.outcome,
            verdict.detail,
            self.now,
        )
        .await?;
        self.write(tx, &shipment, &verdict, &earlier).await
    }
}

impl End {
    async fn write(
        &self,
        tx: &mut Tx,
        shipment: &shipment::ShipmentRow,
        verdict: &Verdict,
        earlier: &[AttemptRow],
    ) -> Result<(), StoreError> {
        let id = shipment.id;
        let attempt = self.started.attempt;
        let ours = |body| (DeliveryFact::ours(id, self.now, body), 0);
        let mut new = NewFacts::default();
        new.delivery.push(ours(FactBody::AttemptEnded {
            attempt,
            outcome: verdict.outcome,
        }));
        if let Some(word) = verdict.held {
            new.delivery.push(ours(FactBody::Held {
                reason: word.to_owned(),
            }));
        }
        if let Some(order) = &verdict.order {
            let words = OperatorWords {
                tracking_number: order.tracking_number.clone(),
                operator_id: order.operator_id.clone(),
                charge_dong: order.charge_dong,
            };
            shipment::set_operator_words(tx, id, &words, self.now).await?;
            poll::start(
                tx,
                id,
                shipment.account,
                self.now.plus_ms(self.context.limits.poll_every_ms),
            )
            .await?;
            for open in earlier.iter().filter(|attempt| attempt.is_open()) {
                attempt::settle(tx, open.id, "found", self.now).await?;
                new.delivery
                    .push(ours(FactBody::FoundAtOperator { attempt: open.id }));
            }
        }
        let office = *shipment.offices.sending.as_bytes();
        let hand = self.context.stage_hand(self.now, office);
        record::shipment_facts(&self.context.store, tx, &hand, id, new)
            .await
            .map(drop)
    }

    /// What the answer means, given the shipment's earlier attempts.
    fn judge(&self, earlier: &[AttemptRow], reference: &str) -> Verdict {
        let in_doubt = earlier.iter().any(AttemptRow::is_open);
        // A refusal was read, so that nothing came of it; of a doubt found absent something still may.
        let may_have_left = earlier.iter().any(|attempt| match attempt.outcome {
            None | Some(AttemptOutcome::Unknown | AttemptOutcome::Accepted) => true,
            Some(AttemptOutcome::NotSent | AttemptOutcome::Refused) => false,
        });
        match &self.heard {
            Heard::NotBegun => Verdict {
                uncounted: true,
                ..self.again("lease_too_short", in_doubt)
            },
            Heard::NeverLeft(word) => self.again(word, in_doubt),
            Heard::Read(DispatchReading::Accepted(order)) if names(order, reference) => {
                self.booked("accepted", order.clone())
            }
            Heard::Read(DispatchReading::Accepted(_)) => self.doubt("reference_differs"),
            Heard::Read(DispatchReading::Duplicate(Some(order)))
                if may_have_left && names(order, reference) =>
            {
                self.booked("duplicate_is_ours", order.clone())
            }
            Heard::Read(DispatchReading::Duplicate(None)) if may_have_left => {
                match self.operator.account.capabilities.doubt_policy() {
                    // The resend was the question, and this is the answer: the earlier attempt arrived.
                    DoubtPolicy::ResendAsks => self.booked("duplicate_is_ours", UNREAD),
                    // The operator's record cannot be read here: a look-up compares it, or a person.
                    DoubtPolicy::LookUp | DoubtPolicy::WaitForPerson => self.doubt("duplicate_unread"),
                }
            }
            Heard::Read(DispatchReading::Duplicate(_)) => self.hold("duplicate_not_ours"),
            Heard::Read(DispatchReading::Refused(refusal)) => {
                let held = self.hold(held_word(refusal.reason));
                if !in_doubt {
                    held
                } else if refusal.reason == RefusalReason::Unrecognised {
                    self.doubt("refused_unrecognised_in_doubt")
                } else {
                    Verdict {
                        state: QueueState::Doubt,
                        ..held
                    }
                }
            }
            Heard::Read(DispatchReading::NotTaken(NotTaken::TokenRefused)) => Verdict {
                uncounted: true,
                ..self.again("token_refused", in_doubt)
            },
            Heard::Read(DispatchReading::Throttled { retry_after }) => {
                let due_at = self.throttled_until(retry_after.as_deref());
                Verdict {
                    uncounted: true,
                    due_at,
                    ..self.again("throttled", in_doubt)
                }
            }
            Heard::Read(DispatchReading::Unknown { .. }) => self.doubt("unknown"),
        }
    }

    fn verdict(&self, outcome: AttemptOutcome, detail: &'static str, state: QueueState) -> Verdict {
        Verdict {
            outcome,
            detail,
            state,
            due_at: self.now,
            held: None,
            order: None,
            uncounted: false,
        }
    }

    fn booked(&self, detail: &'static str, order: OperatorOrder) -> Verdict {
        let done = self.verdict(AttemptOutcome::Accepted, detail, QueueState::Done);
        Verdict {
            order: Some(order),
            ..done
        }
    }

    fn doubt(&self, detail: &'static str) -> Verdict {
        let doubt = self.verdict(AttemptOutcome::Unknown, detail, QueueState::Doubt);
        Verdict {
            due_at: self.now.plus_ms(self.operator.account.capabilities.quiescence_ms),
            ..doubt
        }
    }

    fn hold(&self, word: &'static str) -> Verdict {
        let held = self.verdict(AttemptOutcome::Refused, word, QueueState::Held);
        Verdict {
            held: Some(word),
            ..held
        }
    }

    /// Certainly not taken: send again later. An earlier doubt keeps the row in doubt.
    fn again(&self, detail: &'static str, in_doubt: bool) -> Verdict {
        let schedule = &self.context.limits.dispatch_retry;
        let delay = schedule.delay_ms(self.started.row.attempts, &*self.context.rng);
        let state = if in_doubt {
            QueueState::Doubt
        } else {
            QueueState::Ready
        };
        let verdict = self.verdict(AttemptOutcome::NotSent, detail, state);
        Verdict {
            due_at: self.now.plus_ms(delay),
            ..verdict
        }
    }

    fn throttled_until(&self, retry_after: Option<&str>) -> Timestamp {
        let asked = retry_after.and_then(|value| parse_retry_after(value, self.now));
        let wait = match asked {
            Some(RetryAfter::BreakerOpenUntil(until)) => return until,
            Some(RetryAfter::WaitMs(wait)) => Some(wait),
            None => None,
        };
        let schedule = &self.context.limits.dispatch_retry;
        let attempts = self.started.row.attempts;
        self.now
            .plus_ms(schedule.delay_after_throttle_ms(attempts, wait, &*self.context.rng))
    }
}

/// Whether the operator's record is of this reference, as far as it says.
fn names(order: &OperatorOrder, reference: &str) -> bool {
    order.reference.as_deref().is_none_or(|named| named == reference)
}

/// Why a shipment is held after a refusal.
const fn held_word(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::Phone => "refused_phone",
        RefusalReason::Name => "refused_name",
        RefusalReason::Address => "refused_address",
        RefusalReason::Unit => "refused_unit",
        RefusalReason::Service => "refused_service",
        RefusalReason::Account => "refused_account",
        RefusalReason::Unrecognised => "refused_unrecognised",
    }
}

/// Ends the attempt of a lease whose holder died: in doubt, never repeated blindly.
pub(super) async fn recover(
    tx: &mut Tx,
    context: &Context,
    row: &QueueRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Between the look and this transaction another gateway may have cleared up, and even begun anew.
    shipment::lock(tx, row.shipment).await?;
    if !queue::holds(tx, row).await? {
        return Ok(());
    }
    let attempts = attempt::list(tx, row.shipment).await?;
    let cut = attempts.iter().find(|attempt| attempt.ended_at.is_none());
    let hand = context.stage_hand(now, [0; 16]);
    let mut moved = row.clone();
    // A lease of resolve that ran out cut no attempt: the doubt is simply asked after again.
    let open = cut.is_some() || attempts.iter().any(AttemptRow::is_open);
    moved.state = if open {
        QueueState::Doubt
    } else {
        QueueState::Ready
    };
    moved.due_at = now;
    if let Some(cut) = cut {
        let account = crate::edge::store::account::account(tx, row.account).await?;
        let quiescence = account.map_or(0, |account| account.capabilities.quiescence_ms);
        moved.due_at = now.plus_ms(quiescence);
        moved.doubted_at = Some(now);
        moved.absences = 0;
        moved.absent_at = None;
        let id: AttemptId = cut.id;
        attempt::finish(tx, id, AttemptOutcome::Unknown, "lease_ran_out", now).await?;
        let body = FactBody::AttemptEnded {
            attempt: id,
            outcome: AttemptOutcome::Unknown,
        };
        let fact = DeliveryFact::ours(row.shipment, now, body);
        record::shipment_facts(&context.store, tx, &hand, row.shipment, NewFacts::ours(fact)).await?;
    }
    queue::release(tx, &moved).await.map(drop)
}
