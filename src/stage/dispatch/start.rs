//! Stage 2, dispatch: transaction A.
//!
//! In: due rows. Out: attempts on record with the bytes they will send, or shipments held for a person. Deliberately
//! not here: sending.

use super::order::{self, Units};
use crate::domain::delivery::{DeliveryFact, FactBody};
use crate::domain::id::{AttemptId, ShipmentId};
use crate::domain::time::Timestamp;
use crate::edge::carrier::WireRequest;
use crate::edge::store::attempt::{self, NewAttempt, NewEvidence};
use crate::edge::store::queue::{self, Claim, QueueRow, QueueState};
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::{Command, StoreError, Tx, operator, personal, reference, revision};
use crate::stage::context::Context;
use crate::stage::context::operator::Operator;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Leases due rows and starts their attempts.
pub(super) struct Start {
    pub(super) context: Arc<Context>,
    pub(super) operator: Arc<Operator>,
    pub(super) units: Arc<Units>,
    pub(super) token: Zeroizing<String>,
    pub(super) limit: u32,
}

/// One attempt on record, ready to be sent.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) row: QueueRow,
    pub(super) attempt: AttemptId,
    pub(super) request: WireRequest,
    /// End of the lease under which it is made.
    pub(super) lease_until: Timestamp,
}

/// Why transaction A left nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored about one of the shipments cannot be used.
    #[error("shipment {shipment} cannot be read")]
    Shipment {
        /// Which.
        shipment: ShipmentId,
        /// What is wrong.
        #[source]
        source: StoreError,
    },
}

/// What transaction A left.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) started: Vec<Started>,
    /// Rows moved, held ones included.
    pub(super) touched: u32,
}

impl Command for Start {
    const NAME: &'static str = "dispatch_start";
    type Output = Batch;
    type Error = StartError;

    async fn run(&self, tx: &mut Tx) -> Result<Batch, StartError> {
        let now = self.context.clock.now();
        let until = now.plus_ms(self.context.limits.dispatch_lease_ms);
        let account = self.operator.account.id;
        let rows = queue::claim(tx, account, Claim::Ready, (now, until), self.limit).await?;
        let touched = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let paused = operator::find(tx, account).await?.paused_until(now);
        let mut started = Vec::with_capacity(rows.len());
        for row in rows {
            let shipment = row.shipment;
            let one = self.start(tx, row, (now, until), paused).await;
            started.extend(one.map_err(|source| {
                if source.is_about_its_data() {
                    StartError::Shipment { shipment, source }
                } else {
                    source.into()
                }
            })?);
        }
        Ok(Batch { started, touched })
    }
}

impl Start {
    async fn start(
        &self,
        tx: &mut Tx,
        mut row: QueueRow,
        (now, lease_until): (Timestamp, Timestamp),
        paused: i64,
    ) -> Result<Option<Started>, StoreError> {
        let shipment = shipment::lock(tx, row.shipment).await?;
        let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
        let schedule = &self.context.limits.dispatch_retry;
        let paused_since = paused.saturating_sub(row.paused_ms_then);
        let first_at = row.first_at.unwrap_or(now);
        if schedule
            .exhausted(row.attempts, first_at, now, paused_since)
            .is_some()
        {
            return self.hold(tx, row, "attempts_exhausted", now).await;
        }
        let order = match self.compose(tx, &shipment).await? {
            Ok(request) => request,
            Err(word) => return self.hold(tx, row, word, now).await,
        };
        let attempt = AttemptId::new(&*self.context.ids);
        let new = NewAttempt {
            id: attempt,
            shipment: shipment.id,
            number: shipment.attempts.saturating_add(1),
            account: shipment.account,
            reference: shipment.reference.clone(),
            item_code: None,
            revision: shipment.revision,
            lease_token: row.lease_token,
        };
        attempt::insert(tx, &new, now).await?;
        let key = personal::key(&self.context.store, tx, shipment.record).await?;
        let evidence = NewEvidence {
            id: self.context.ids.next(),
            shipment: shipment.id,
            attempt: Some(attempt),
            kind: "sent",
            bytes: &order.body,
        };
        attempt::insert_evidence(tx, &key, &evidence, now).await?;
        let fact = DeliveryFact::ours(shipment.id, now, FactBody::AttemptStarted { attempt });
        let office = *shipment.offices.sending.as_bytes();
        let hand = self.context.stage_hand(now, office);
        record::shipment_facts(&self.context.store, tx, &hand, shipment.id, NewFacts::ours(fact)).await?;
        if row.first_at.is_none() {
            row.first_at = Some(now);
            row.paused_ms_then = paused;
        }
        row.attempts = row.attempts.saturating_add(1);
        Ok(Some(Started {
            row,
            attempt,
            request: order,
            lease_until,
        }))
    }

    /// The request, or our word for why a person must look.
    async fn compose(
        &self,
        tx: &mut Tx,
        shipment: &ShipmentRow,
    ) -> Result<Result<WireRequest, &'static str>, StoreError> {
        let missing = |place| StoreError::Corrupt { place };
        let office = reference::office(tx, shipment.offices.sending)
            .await?
            .ok_or(missing("office"))?;
        let revision = revision::find(tx, shipment.id, shipment.revision).await?;
        let revision = revision.ok_or(missing("shipment_revision"))?;
        let key = match personal::key(&self.context.store, tx, shipment.record).await {
            Err(StoreError::Erased) => return Ok(Err("erased")),
            other => other?,
        };
        let addressee = revision::addressee(tx, &key, revision.revision).await?;
        let documents = shipment::items(tx, shipment.id).await?.len();
        let sending = order::Sending {
            office: &office,
            revision: &revision,
            addressee: &addressee,
            documents,
        };
        let order = match order::compose(tx, &self.units, &sending, &shipment.reference).await? {
            Ok(order) => order,
            Err(word) => return Ok(Err(word)),
        };
        let built = self
            .operator
            .carrier
            .build_create(&self.operator.settings, &self.token, &order);
        Ok(built.map_err(|_build| "order_cannot_be_built"))
    }

    /// Stops sending until a person acts.
    async fn hold(
        &self,
        tx: &mut Tx,
        mut row: QueueRow,
        word: &'static str,
        now: Timestamp,
    ) -> Result<Option<Started>, StoreError> {
        let fact = DeliveryFact::ours(
            row.shipment,
            now,
            FactBody::Held {
                reason: word.to_owned(),
            },
        );
        let hand = self.context.stage_hand(now, [0; 16]);
        record::shipment_facts(&self.context.store, tx, &hand, row.shipment, NewFacts::ours(fact)).await?;
        row.state = QueueState::Held;
        queue::release(tx, &row).await?;
        Ok(None)
    }
}

/// Takes a shipment out of the way: nothing is sent until a person acts.
pub(super) struct SetAside {
    pub(super) context: Arc<Context>,
    pub(super) shipment: ShipmentId,
    /// Why, as a fact; `None` where no fact can be written about it.
    pub(super) word: Option<&'static str>,
}

impl Command for SetAside {
    const NAME: &'static str = "dispatch_set_aside";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let now = self.context.clock.now();
        if let Some(word) = self.word {
            let reason = word.to_owned();
            let fact = DeliveryFact::ours(self.shipment, now, FactBody::Held { reason });
            let hand = self.context.stage_hand(now, [0; 16]);
            record::shipment_facts(
                &self.context.store,
                tx,
                &hand,
                self.shipment,
                NewFacts::ours(fact),
            )
            .await?;
        }
        queue::set_state(tx, self.shipment, QueueState::Held, now).await
    }
}
