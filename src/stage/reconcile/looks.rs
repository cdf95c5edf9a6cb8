//! Stage 4b, reconcile: looks at single shipments.
//!
//! In: leased rows of `poll`. Out: the operator's answer in the inbox when it differs from the last one kept, and the time
//! of the next look: later and later while nothing new comes, a few looks more after the end, then none. Poll-only is a
//! normal mode: an operator that never calls us is heard all the same. Deliberately not here: what an answer means
//! (tracking).

use super::ReconcileError;
use crate::domain::id::{AccountId, InboxId};
use crate::domain::time::Timestamp;
use crate::edge::carrier::LookUpKey;
use crate::edge::store::inbox::{self, InboxDoor};
use crate::edge::store::poll::{self, PollRow};
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::{Command, StoreError, Tx, personal};
use crate::stage::context::Context;
use crate::stage::context::operator::{Operator, ReadOutcome};
use futures_util::StreamExt as _;
use std::sync::Arc;

/// Looks in vain after the end of a delivery before no further one is made.
const LOOKS_AFTER_END: u32 = 2;
/// How long a look that failed is put off, milliseconds.
const ASK_AGAIN_MS: i64 = 60_000;

/// One round for one account that has something due; how many were looked at.
pub(super) async fn round(context: &Arc<Context>, operator: &Arc<Operator>) -> Result<u32, ReconcileError> {
    let claim = ClaimLooks {
        context: Arc::clone(context),
        account: operator.account.id,
    };
    let rows = context.store.submit(claim).await?;
    let done = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let parallel = usize::try_from(context.limits.dispatch_parallel.max(1)).unwrap_or(1);
    let results: Vec<Result<(), ReconcileError>> = futures_util::stream::iter(rows)
        .map(|row| look(context, operator, row))
        .buffer_unordered(parallel)
        .collect()
        .await;
    results.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(done)
}

/// What one look brought.
enum Seen {
    /// The operator's history, as it stands.
    History(Vec<u8>),
    /// The operator knows no history of it.
    Nothing,
    /// Not asked, or in vain.
    Later(Timestamp),
}

async fn look(context: &Arc<Context>, operator: &Operator, row: PollRow) -> Result<(), ReconcileError> {
    let mut tx = context.store.snapshot().await?;
    let shipment = shipment::find(&mut tx, row.shipment).await?;
    let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
    drop(tx);
    let key = match shipment.tracking_number {
        Some(number) => LookUpKey::TrackingNumber(number),
        None => LookUpKey::Reference(shipment.reference),
    };
    let outcome = operator
        .read(
            context,
            |operator, token| operator.carrier.build_journey(&operator.settings, token, &key),
            |carrier, response| carrier.read_journey(response),
        )
        .await?;
    let now = context.clock.now();
    let seen = match outcome {
        ReadOutcome::Answer { body, .. } => Seen::History(body),
        ReadOutcome::Absent { .. } => Seen::Nothing,
        ReadOutcome::Wait { until } => Seen::Later(until),
        ReadOutcome::Failed { .. } => Seen::Later(now.plus_ms(ASK_AGAIN_MS)),
    };
    let keep = KeepLook {
        context: Arc::clone(context),
        row,
        id: InboxId::new(&*context.ids),
        seen,
        now,
    };
    Ok(context.store.submit(keep).await?)
}

struct ClaimLooks {
    context: Arc<Context>,
    account: AccountId,
}

impl Command for ClaimLooks {
    const NAME: &'static str = "reconcile_claim";
    type Output = Vec<PollRow>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<PollRow>, StoreError> {
        let now = self.context.clock.now();
        let until = now.plus_ms(self.context.limits.poll_lease_ms);
        poll::claim(tx, self.account, (now, until), self.context.limits.poll_claim_max).await
    }
}

struct KeepLook {
    context: Arc<Context>,
    row: PollRow,
    id: InboxId,
    seen: Seen,
    now: Timestamp,
}

impl Command for KeepLook {
    const NAME: &'static str = "reconcile_keep";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let shipment = shipment::find(tx, self.row.shipment).await?;
        let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
        let bytes = match &self.seen {
            Seen::Later(at) => {
                poll::done(tx, &self.row, *at, (self.row.fruitless, None)).await?;
                return Ok(());
            }
            Seen::Nothing => None,
            Seen::History(bytes) => Some(bytes),
        };
        if let Some(bytes) = bytes {
            let key = match personal::key(&self.context.store, tx, shipment.record).await {
                Ok(key) => key,
                // Nothing may be kept of it any more.
                Err(StoreError::Erased) => return poll::stop(tx, shipment.id).await,
                Err(error) => return Err(error),
            };
            let digest = key.digest("journey", bytes);
            if self.row.seen != Some(digest) {
                let next_at = self.now.plus_ms(self.context.limits.poll_every_ms);
                if poll::done(tx, &self.row, next_at, (0, Some(digest))).await? {
                    let place = (self.id, self.row.account, InboxDoor::Pull(shipment.id));
                    inbox::insert(tx, &key, place, bytes, self.now).await?;
                }
                return Ok(());
            }
        }
        self.in_vain(tx, &shipment).await
    }
}

impl KeepLook {
    /// Nothing new: the next look is later, or the last one was the last.
    async fn in_vain(&self, tx: &mut Tx, shipment: &ShipmentRow) -> Result<(), StoreError> {
        let fruitless = self.row.fruitless.saturating_add(1);
        let (every_ms, longest_ms) = (
            self.context.limits.poll_every_ms,
            self.context.limits.poll_every_max_ms,
        );
        let ended = shipment.state.is_final() && !shipment.contested;
        let wait_ms = if ended {
            longest_ms
        } else {
            every_ms
                .saturating_mul(1_i64 << fruitless.min(20))
                .min(longest_ms)
        };
        let held = poll::done(tx, &self.row, self.now.plus_ms(wait_ms), (fruitless, None)).await?;
        if held {
            shipment::set_heard(tx, shipment.id, self.now).await?;
            if ended && fruitless >= LOOKS_AFTER_END {
                poll::stop(tx, shipment.id).await?;
            }
        }
        Ok(())
    }
}
