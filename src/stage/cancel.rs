//! Stage 2c, cancel: carries a wish to cancel to the operator and asks for the verdict.
//!
//! Cancelling may be refused, done at once, or wait for approval under a case. In: shipments in the state "cancel
//! requested". Out: facts, `shipment`, journal. The time of the next call is the lease; a cancel asked for twice is
//! refused or repeated by the operator, never harmful. Deliberately not here: who may ask for it (intake, decide).

use super::context::operator::{Operator, OperatorError, ReadOutcome};
use super::context::{Context, Tick};
use crate::domain::capability::Cancelling;
use crate::domain::delivery::{DeliveryFact, EventKind, FactBody};
use crate::domain::id::ShipmentId;
use crate::domain::time::{Resolution, Timestamp};
use crate::edge::carrier::{CancelReading, LookUpKey, OperatorOrder};
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::shipment::{self, OperatorWords, ShipmentRow};
use crate::edge::store::{Command, StoreError, Tx, account};
use std::sync::Arc;

/// Time between two questions about one cancellation, milliseconds.
const ASK_EVERY_MS: i64 = 15 * 60_000;
/// Cancellations taken in one round.
const CLAIM_MAX: u32 = 50;

/// Why a round of cancel broke off.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The store.
    #[error("cancel could not read or write")]
    Store(#[from] StoreError),
    /// An operator account cannot be used.
    #[error("cancel could not call the operator")]
    Operator(#[from] OperatorError),
}

/// One round over all accounts.
///
/// # Errors
/// [`CancelError`] when the store or an account cannot be used.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, CancelError> {
    let mut tx = context.store.snapshot().await?;
    let mut looked = Vec::new();
    for account in account::accounts(&mut tx).await? {
        let next_at = shipment::next_cancel(&mut tx, account.id).await?;
        looked.push((account, next_at));
    }
    drop(tx);
    let mut total = Tick::default();
    for (account, next_at) in looked {
        let now = context.clock.now();
        if next_at.is_none_or(|at| at > now) {
            total.next_at = [total.next_at, next_at].into_iter().flatten().min();
            continue;
        }
        let operator = Operator::of(context, account)?;
        let claim = ClaimCancels {
            account: operator.account.id,
            now,
        };
        let mut broken = None;
        for id in context.store.submit(claim).await? {
            // One that cannot be read is told of at the end and holds up no other.
            if let Err(error) = one(context, &operator, id).await {
                broken.get_or_insert(error);
            }
            total.done += 1;
        }
        if let Some(error) = broken {
            return Err(error);
        }
    }
    Ok(total)
}

async fn one(context: &Arc<Context>, operator: &Operator, id: ShipmentId) -> Result<(), CancelError> {
    let mut tx = context.store.snapshot().await?;
    let row = shipment::find(&mut tx, id)
        .await?
        .ok_or(StoreError::Corrupt { place: "shipment" })?;
    drop(tx);
    let answer = match (operator.account.capabilities.cancelling, &row.operator_id) {
        (Cancelling::None, _) => Answer::Verdict(CancelReading::Refused),
        (Cancelling::Sync | Cancelling::Case, None) => look_up(context, operator, &row).await?,
        (Cancelling::Sync | Cancelling::Case, Some(operator_id)) => {
            ask(context, operator, &row, operator_id).await?
        }
    };
    let write = Write {
        context: Arc::clone(context),
        id,
        answer,
        now: context.clock.now(),
    };
    Ok(context.store.submit(write).await?)
}

/// What one question brought.
enum Answer {
    Verdict(CancelReading),
    /// The operator's identifier, needed to cancel.
    Words(OperatorWords),
    Later(Timestamp),
}

async fn ask(
    context: &Arc<Context>,
    operator: &Operator,
    row: &ShipmentRow,
    operator_id: &str,
) -> Result<Answer, CancelError> {
    let case = row.cancel_case.as_deref();
    let outcome = operator
        .read(
            context,
            |operator, token| match case {
                None => operator
                    .carrier
                    .build_cancel(&operator.settings, token, operator_id),
                Some(case) => {
                    operator
                        .carrier
                        .build_cancel_case(&operator.settings, token, operator_id, case)
                }
            },
            |carrier, response| match case {
                None => carrier.read_cancel(response),
                Some(_) => carrier.read_cancel_case(response),
            },
        )
        .await?;
    let later = context.clock.now().plus_ms(ASK_EVERY_MS);
    Ok(match outcome {
        ReadOutcome::Answer {
            value: CancelReading::Refused,
            ..
        } if case.is_none() => refused(context, operator, row).await?,
        ReadOutcome::Answer { value, .. } => Answer::Verdict(value),
        ReadOutcome::Wait { until } => Answer::Later(until),
        ReadOutcome::Absent { .. } | ReadOutcome::Failed { .. } => Answer::Later(later),
    })
}

/// A refusal may mean that the order is cancelled already, by an earlier call whose answer was lost: the order itself tells.
async fn refused(
    context: &Arc<Context>,
    operator: &Operator,
    row: &ShipmentRow,
) -> Result<Answer, CancelError> {
    let outcome = orders(context, operator, row).await?;
    let later = context.clock.now().plus_ms(ASK_EVERY_MS);
    Ok(match outcome {
        ReadOutcome::Answer { value, .. } => {
            let ours = value.iter().find(|order| order.operator_id == row.operator_id);
            let code = ours.and_then(|order| order.status_code.as_deref());
            let meaning = code.and_then(|code| operator.carrier.meaning(code));
            let cancelled = meaning.is_some_and(|meaning| meaning.facts.contains(&EventKind::Cancelled));
            Answer::Verdict(if cancelled {
                CancelReading::Done
            } else {
                CancelReading::Refused
            })
        }
        ReadOutcome::Absent { .. } => Answer::Verdict(CancelReading::Refused),
        ReadOutcome::Wait { until } => Answer::Later(until),
        ReadOutcome::Failed { .. } => Answer::Later(later),
    })
}

/// The operator's orders under the shipment's reference.
async fn orders(
    context: &Arc<Context>,
    operator: &Operator,
    row: &ShipmentRow,
) -> Result<ReadOutcome<Vec<OperatorOrder>>, OperatorError> {
    let key = LookUpKey::Reference(row.reference.clone());
    operator
        .read(
            context,
            |operator, token| operator.carrier.build_look_up(&operator.settings, token, &key),
            |carrier, response| carrier.read_look_up(response),
        )
        .await
}

/// Looks for the operator's identifier.
async fn look_up(
    context: &Arc<Context>,
    operator: &Operator,
    row: &ShipmentRow,
) -> Result<Answer, CancelError> {
    let outcome = orders(context, operator, row).await?;
    let later = context.clock.now().plus_ms(ASK_EVERY_MS);
    Ok(match outcome {
        ReadOutcome::Answer { value, .. } => {
            // Without the identifier nothing can be cancelled: asked again later, not at once.
            let ours = |order: &OperatorOrder| {
                let reference = order.reference.as_deref();
                order.operator_id.is_some() && reference.is_none_or(|named| named == row.reference)
            };
            match value.into_iter().find(ours) {
                None => Answer::Later(later),
                Some(order) => Answer::Words(OperatorWords {
                    tracking_number: order.tracking_number,
                    operator_id: order.operator_id,
                    charge_dong: order.charge_dong,
                }),
            }
        }
        ReadOutcome::Wait { until } => Answer::Later(until),
        ReadOutcome::Absent { .. } | ReadOutcome::Failed { .. } => Answer::Later(later),
    })
}

struct ClaimCancels {
    account: crate::domain::id::AccountId,
    now: Timestamp,
}

impl Command for ClaimCancels {
    const NAME: &'static str = "cancel_claim";
    type Output = Vec<ShipmentId>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<ShipmentId>, StoreError> {
        let lease = self.now.plus_ms(ASK_EVERY_MS);
        shipment::claim_cancel(tx, self.account, (self.now, lease), CLAIM_MAX).await
    }
}

struct Write {
    context: Arc<Context>,
    id: ShipmentId,
    answer: Answer,
    now: Timestamp,
}

impl Command for Write {
    const NAME: &'static str = "cancel_write";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut new = NewFacts::default();
        match &self.answer {
            Answer::Later(at) => shipment::set_cancel_due(tx, self.id, *at).await?,
            Answer::Words(words) => {
                shipment::set_operator_words(tx, self.id, words, self.now).await?;
                shipment::set_cancel_due(tx, self.id, self.now).await?;
            }
            Answer::Verdict(CancelReading::Pending { case_id }) => {
                shipment::set_cancel_case(tx, self.id, Some(case_id)).await?;
            }
            Answer::Verdict(CancelReading::Done) => {
                // The answer to our own question is the operator's statement, dated now.
                let at = (self.now, Resolution::Second);
                let fact = DeliveryFact::event(self.id, at, "cancel", EventKind::Cancelled, false);
                new.delivery.push((fact, 0));
                shipment::set_cancel_case(tx, self.id, None).await?;
            }
            Answer::Verdict(CancelReading::Refused) => {
                new.delivery
                    .push((DeliveryFact::ours(self.id, self.now, FactBody::CancelRefused), 0));
                shipment::set_cancel_case(tx, self.id, None).await?;
            }
        }
        let hand = self.context.stage_hand(self.now, [0; 16]);
        record::shipment_facts(&self.context.store, tx, &hand, self.id, new)
            .await
            .map(drop)
    }
}
