//! Stage 2b, resolve: treats attempts whose outcome is unknown.
//!
//! What it may do follows from the account's abilities, never from an operator's name. With a look-up by reference:
//! wait the quiescence, look; found: adopt; absent twice, a quiescence apart: sent again with the same reference where
//! a duplicate is refused, else held until a person releases it, and then looked up once more before it goes (an order
//! may be later than any quiescence). Without a look-up, where duplicates are refused, the resend is itself the question.
//! With neither, nothing is sent: feed, callback or a person decides.
//!
//! In: queue rows in doubt. Out: facts, `queue`, `poll`, evidence, journal. If we stop anywhere, the lease runs out and
//! the question is asked again. Deliberately not here: sending (dispatch).

use super::context::operator::{Operator, OperatorError, ReadOutcome};
use super::context::{Context, Tick};
use crate::domain::capability::DoubtPolicy;
use crate::domain::delivery::{DeliveryFact, DeliveryState, FactBody};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{LookUpKey, OperatorOrder};
use crate::edge::store::attempt::{self, AttemptRow, NewEvidence};
use crate::edge::store::queue::{self, Claim, QueueRow, QueueState};
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::shipment::{self, OperatorWords, ShipmentRow};
use crate::edge::store::{Command, StoreError, Tx, account, personal, poll};
use futures_util::StreamExt as _;
use std::sync::Arc;

/// How long a row without any permitted question waits before it is looked at again, milliseconds.
const WAIT_FOR_PERSON_MS: i64 = 3_600_000;
/// Why a shipment is held that the operator does not know after an unknown outcome.
const ABSENT_WORD: &str = "absent_at_operator";
/// How long a failed question is put off, milliseconds.
const ASK_AGAIN_MS: i64 = 60_000;

/// Why a round of resolve broke off.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The store.
    #[error("resolve could not read or write")]
    Store(#[from] StoreError),
    /// An operator account cannot be used.
    #[error("resolve could not call the operator")]
    Operator(#[from] OperatorError),
}

/// One round over all accounts.
///
/// # Errors
/// [`ResolveError`] when the store or an account cannot be used.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, ResolveError> {
    let mut tx = context.store.snapshot().await?;
    let mut looked = Vec::new();
    for account in account::accounts(&mut tx).await? {
        let next_at = queue::next_due(&mut tx, account.id, Claim::Doubt).await?;
        looked.push((account, next_at));
    }
    drop(tx);
    let mut total = Tick::default();
    for (account, next_at) in looked {
        if next_at.is_none_or(|at| at > context.clock.now()) {
            total.next_at = [total.next_at, next_at].into_iter().flatten().min();
            continue;
        }
        let operator = Arc::new(Operator::of(context, account)?);
        let claim = ClaimDoubts {
            context: Arc::clone(context),
            operator: Arc::clone(&operator),
        };
        let rows = context.store.submit(claim).await?;
        total.done += u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let parallel = usize::try_from(context.limits.dispatch_parallel.max(1)).unwrap_or(1);
        let results: Vec<Result<(), ResolveError>> = futures_util::stream::iter(rows)
            .map(|row| ask(context, &operator, row))
            .buffer_unordered(parallel)
            .collect()
            .await;
        for result in results {
            result?;
        }
    }
    Ok(total)
}

/// What was found out about one doubt.
enum Found {
    /// The operator has the order, perhaps more than one of them.
    Orders(Vec<OperatorOrder>, Vec<u8>),
    /// The operator knows no such order.
    Absent(Vec<u8>),
    /// Nothing was found out; ask again then.
    Later(Timestamp),
}

async fn ask(context: &Arc<Context>, operator: &Arc<Operator>, row: QueueRow) -> Result<(), ResolveError> {
    let mut tx = context.store.snapshot().await?;
    let shipment = shipment::find(&mut tx, row.shipment).await?;
    let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
    drop(tx);
    let now = context.clock.now();
    let known = !matches!(
        shipment.state,
        DeliveryState::InDoubt
            | DeliveryState::Submitting
            | DeliveryState::Queued
            | DeliveryState::CancelRequested
    );
    let found = if known {
        // A callback or a feed has shown the order meanwhile.
        Found::Orders(Vec::new(), Vec::new())
    } else {
        match operator.account.capabilities.doubt_policy() {
            DoubtPolicy::LookUp => look_up(context, operator, &shipment.reference).await?,
            DoubtPolicy::ResendAsks => Found::Later(now),
            DoubtPolicy::WaitForPerson => Found::Later(now.plus_ms(WAIT_FOR_PERSON_MS)),
        }
    };
    let settle = Settle {
        context: Arc::clone(context),
        operator: Arc::clone(operator),
        row,
        found,
        now: context.clock.now(),
    };
    Ok(context.store.submit(settle).await?)
}

async fn look_up(
    context: &Arc<Context>,
    operator: &Operator,
    reference: &str,
) -> Result<Found, ResolveError> {
    let key = LookUpKey::Reference(reference.to_owned());
    let outcome = operator
        .read(
            context,
            |operator, token| operator.carrier.build_look_up(&operator.settings, token, &key),
            |carrier, response| carrier.read_look_up(response),
        )
        .await?;
    Ok(match outcome {
        ReadOutcome::Answer { value, body } => {
            let ours: Vec<OperatorOrder> = value
                .into_iter()
                .filter(|order| order.reference.as_deref().is_none_or(|named| named == reference))
                .collect();
            if ours.is_empty() {
                Found::Absent(body)
            } else {
                Found::Orders(ours, body)
            }
        }
        ReadOutcome::Absent { body } => Found::Absent(body),
        ReadOutcome::Wait { until } => Found::Later(until),
        ReadOutcome::Failed { .. } => Found::Later(context.clock.now().plus_ms(ASK_AGAIN_MS)),
    })
}

struct ClaimDoubts {
    context: Arc<Context>,
    operator: Arc<Operator>,
}

impl Command for ClaimDoubts {
    const NAME: &'static str = "resolve_claim";
    type Output = Vec<QueueRow>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<QueueRow>, StoreError> {
        let now = self.context.clock.now();
        let until = now.plus_ms(self.context.limits.dispatch_lease_ms);
        let limit = self.context.limits.dispatch_claim_max;
        queue::claim(tx, self.operator.account.id, Claim::Doubt, (now, until), limit).await
    }
}

struct Settle {
    context: Arc<Context>,
    operator: Arc<Operator>,
    row: QueueRow,
    found: Found,
    now: Timestamp,
}

impl Command for Settle {
    const NAME: &'static str = "resolve_settle";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let shipment = shipment::lock(tx, self.row.shipment).await?;
        let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
        if !queue::holds(tx, &self.row).await? {
            // The lease is stale: somebody else asks, or a person decided. This answer changes nothing.
            return Ok(());
        }
        let open: Vec<AttemptRow> = attempt::list(tx, shipment.id)
            .await?
            .into_iter()
            .filter(AttemptRow::is_open)
            .collect();
        let mut row = self.row.clone();
        let mut new = NewFacts::default();
        self.keep_evidence(tx, &shipment).await?;
        match &self.found {
            Found::Orders(orders, _) => {
                self.adopt(tx, &mut row, &mut new, orders, &open).await?;
                if shipment.held.as_deref() == Some(ABSENT_WORD) {
                    new.delivery
                        .push((DeliveryFact::ours(shipment.id, self.now, FactBody::Released), 0));
                }
            }
            Found::Absent(_) => {
                let held = shipment.held.is_some();
                self.absent(tx, &mut row, &mut new, (&open, held)).await?;
            }
            Found::Later(at) => self.later(&mut row, *at),
        }
        // Whatever the way here: what a person holds does not go out.
        if row.state == QueueState::Ready && shipment.held.is_some() {
            row.state = QueueState::Held;
        }
        queue::release(tx, &row).await?;
        // Crash here: nothing stands; the lease runs out and the question is asked again.
        let office = *shipment.offices.sending.as_bytes();
        let hand = self.context.stage_hand(self.now, office);
        record::shipment_facts(&self.context.store, tx, &hand, shipment.id, new)
            .await
            .map(drop)
    }
}

impl Settle {
    async fn keep_evidence(&self, tx: &mut Tx, shipment: &ShipmentRow) -> Result<(), StoreError> {
        let (Found::Orders(_, bytes) | Found::Absent(bytes)) = &self.found else {
            return Ok(());
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let key = match personal::key(&self.context.store, tx, shipment.record).await {
            // Erased meanwhile: there is nothing under which the bytes could be kept.
            Err(StoreError::Erased) => return Ok(()),
            key => key?,
        };
        let id = self.context.ids.next();
        let evidence = NewEvidence {
            id,
            shipment: shipment.id,
            attempt: None,
            kind: "looked_up",
            bytes,
        };
        attempt::insert_evidence(tx, &key, &evidence, self.now)
            .await
            .map(drop)
    }

    /// The order exists: every open attempt is answered by it.
    async fn adopt(
        &self,
        tx: &mut Tx,
        row: &mut QueueRow,
        new: &mut NewFacts,
        orders: &[OperatorOrder],
        open: &[AttemptRow],
    ) -> Result<(), StoreError> {
        let ours = |body| (DeliveryFact::ours(row.shipment, self.now, body), 0);
        for attempt in open {
            attempt::settle(tx, attempt.id, "found", self.now).await?;
            new.delivery
                .push(ours(FactBody::FoundAtOperator { attempt: attempt.id }));
        }
        if let [first, rest @ ..] = orders {
            let words = OperatorWords {
                tracking_number: first.tracking_number.clone(),
                operator_id: first.operator_id.clone(),
                charge_dong: first.charge_dong,
            };
            shipment::set_operator_words(tx, row.shipment, &words, self.now).await?;
            if !rest.is_empty() {
                new.delivery.push(ours(FactBody::Held {
                    reason: "double_at_operator".to_owned(),
                }));
            }
        }
        poll::start(tx, row.shipment, row.account, self.now).await?;
        row.state = QueueState::Done;
        row.due_at = self.now;
        Ok(())
    }

    /// The operator knows nothing. After the second such answer, a quiescence after the first, the order very likely does
    /// not exist; only where a second one would be refused is that enough to send again without a person.
    async fn absent(
        &self,
        tx: &mut Tx,
        row: &mut QueueRow,
        new: &mut NewFacts,
        (open, held): (&[AttemptRow], bool),
    ) -> Result<(), StoreError> {
        let quiescence = self.operator.account.capabilities.quiescence_ms;
        let rested = |since: Option<Timestamp>| since.is_none_or(|at| self.now.since_ms(at) >= quiescence);
        row.due_at = self.now.plus_ms(quiescence);
        row.state = QueueState::Doubt;
        if !rested(row.doubted_at) || !rested(row.absent_at) {
            // Asked too early (a hint pulled the look forward): absence proves nothing yet.
            let since = row.absent_at.max(row.doubted_at).unwrap_or(self.now);
            row.due_at = since.plus_ms(quiescence);
            return Ok(());
        }
        row.absences = row.absences.saturating_add(1);
        row.absent_at = Some(self.now);
        if row.absences < 2 {
            return Ok(());
        }
        // Held at the second absence. A later one of a shipment that is not held means that a person released it.
        if !self.operator.account.capabilities.may_resend_absent() && (held || row.absences == 2) {
            if !held {
                let reason = ABSENT_WORD.to_owned();
                let fact = DeliveryFact::ours(row.shipment, self.now, FactBody::Held { reason });
                new.delivery.push((fact, 0));
            }
            row.state = QueueState::Held;
            return Ok(());
        }
        for attempt in open {
            attempt::settle(tx, attempt.id, "absent", self.now).await?;
            let body = FactBody::AbsentAtOperator { attempt: attempt.id };
            new.delivery
                .push((DeliveryFact::ours(row.shipment, self.now, body), 0));
        }
        row.state = QueueState::Ready;
        row.due_at = self.now;
        row.doubted_at = None;
        Ok(())
    }

    fn later(&self, row: &mut QueueRow, at: Timestamp) {
        row.due_at = at;
        row.state = match self.operator.account.capabilities.doubt_policy() {
            // The resend is the question; the operator refuses a second order of the same reference.
            DoubtPolicy::ResendAsks => QueueState::Ready,
            DoubtPolicy::LookUp | DoubtPolicy::WaitForPerson => QueueState::Doubt,
        };
    }
}
