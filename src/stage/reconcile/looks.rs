//! Stage 4b, reconcile: looks at single shipments.
//!
//! In: leased rows of `poll`. Out: the operator's answer in the inbox when it is news, and the time of the next look:
//! later and later while nothing new comes, a few looks more after the end, then none but on a hint. Poll-only is a
//! normal mode: an operator that never calls us is heard all the same. A shipment that cannot be asked for holds up no
//! other. Deliberately not here: what an answer means (tracking).

use super::ReconcileError;
use crate::domain::id::{AccountId, InboxId};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{Journey, JourneyRow, LookUpKey};
use crate::edge::store::inbox::{self, InboxDoor};
use crate::edge::store::poll::{self, Looked, Next, PollRow};
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::{Command, RecordKey, StoreError, Tx, personal};
use crate::stage::context::Context;
use crate::stage::context::operator::{Operator, OperatorError, ReadOutcome};
use futures_util::StreamExt as _;
use std::sync::Arc;

/// Looks in vain after the end of a delivery before no further one is made.
const LOOKS_AFTER_END: u32 = 2;
/// How long a look that failed is put off, milliseconds.
const ASK_AGAIN_MS: i64 = 60_000;
/// How long a shipment that cannot even be asked for is put off, milliseconds.
const BROKEN_MS: i64 = 3_600_000;

/// One round for one account that has something due; how many were looked at.
pub(super) async fn round(context: &Arc<Context>, operator: &Arc<Operator>) -> Result<u32, ReconcileError> {
    let claim = ClaimLooks {
        context: Arc::clone(context),
        account: operator.account.id,
    };
    let lease_ends = context.clock.now().plus_ms(context.limits.poll_lease_ms);
    let rows = context.store.submit(claim).await?;
    let done = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let parallel = usize::try_from(context.limits.dispatch_parallel.max(1)).unwrap_or(1);
    let results: Vec<Result<(), ReconcileError>> = futures_util::stream::iter(rows)
        .map(|row| async move {
            // What waited for its turn until the lease ran out is looked at by somebody else.
            if context.clock.now() < lease_ends {
                look(context, operator, row).await
            } else {
                Ok(())
            }
        })
        .buffer_unordered(parallel)
        .collect()
        .await;
    results.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(done)
}

/// What one look brought.
enum Seen {
    /// The operator's history, as it stands: its bytes and what makes it news.
    History(Vec<u8>, Vec<u8>),
    /// The operator knows no history of it.
    Nothing,
    /// Not asked, or in vain.
    Later(Timestamp),
    /// Nothing may be kept of it any more.
    Erased,
}

async fn look(context: &Arc<Context>, operator: &Operator, row: PollRow) -> Result<(), ReconcileError> {
    let seen = match ask(context, operator, &row).await {
        Ok(seen) => seen,
        Err(error) => {
            let passing = match &error {
                ReconcileError::Store(error) | ReconcileError::Operator(OperatorError::Store(error)) => {
                    !matches!(error, StoreError::Corrupt { .. } | StoreError::Seal { .. })
                }
                ReconcileError::Operator(_) | ReconcileError::Build(_) => false,
            };
            if passing {
                return Err(error);
            }
            tracing::error!(shipment = %row.shipment, error = %error, "a shipment cannot be asked for; it is put off");
            Seen::Later(context.clock.now().plus_ms(BROKEN_MS))
        }
    };
    let keep = KeepLook {
        context: Arc::clone(context),
        row,
        id: InboxId::new(&*context.ids),
        seen,
        now: context.clock.now(),
    };
    Ok(context.store.submit(keep).await?)
}

async fn ask(context: &Arc<Context>, operator: &Operator, row: &PollRow) -> Result<Seen, ReconcileError> {
    let mut tx = context.store.snapshot().await?;
    let shipment = shipment::find(&mut tx, row.shipment).await?;
    let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
    match personal::key(&context.store, &mut tx, shipment.record).await {
        Ok(_key) => {}
        Err(StoreError::Erased) => return Ok(Seen::Erased),
        Err(error) => return Err(error.into()),
    }
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
    Ok(match outcome {
        ReadOutcome::Answer { value, body } => {
            let plausible_until = now.plus_ms(context.limits.clock_skew_max_ms);
            let told = told(&value, operator.carrier.map_version(), plausible_until);
            Seen::History(body, told)
        }
        ReadOutcome::Absent { .. } => Seen::Nothing,
        ReadOutcome::Wait { until } => Seen::Later(until),
        ReadOutcome::Failed { .. } => Seen::Later(now.plus_ms(ASK_AGAIN_MS)),
    })
}

/// What makes a history news: its rows in any order and spelling, which of them lie in the future still, and the map they
/// are read by. So what lay in quarantine is told again once the time has come, or the map knows it.
fn told(journey: &Journey, map_version: u32, plausible_until: Timestamp) -> Vec<u8> {
    let mut rows: Vec<Vec<u8>> = journey
        .rows
        .iter()
        .map(|row| told_row(row, plausible_until))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let mut bytes = map_version.to_be_bytes().to_vec();
    bytes.extend(rows.concat());
    bytes
}

fn told_row(row: &JourneyRow, plausible_until: Timestamp) -> Vec<u8> {
    let at = row.occurred_at;
    let (ms, in_future) = (
        at.map(Timestamp::as_ms),
        at.is_some_and(|at| at > plausible_until),
    );
    let words = [Some(row.code.as_str()), row.name.as_deref(), row.place.as_deref()];
    let mut bytes = vec![u8::from(ms.is_some()), u8::from(in_future)];
    bytes.extend(ms.unwrap_or_default().to_be_bytes());
    bytes.extend(row.resolution.code().to_be_bytes());
    for word in words {
        let word = word.unwrap_or_default();
        bytes.extend(u64::try_from(word.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(word.as_bytes());
    }
    bytes
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
        let (bytes, told) = match &self.seen {
            Seen::Later(at) => {
                let looked = self.looked(Next::NotBefore(*at), self.row.fruitless);
                return poll::done(tx, &self.row, looked).await.map(drop);
            }
            Seen::Erased => return poll::stop(tx, self.row.shipment).await,
            Seen::Nothing => return self.in_vain(tx).await,
            Seen::History(bytes, told) => (bytes, told),
        };
        let shipment = self.shipment(tx).await?;
        let key = match personal::key(&self.context.store, tx, shipment.record).await {
            Ok(key) => key,
            // Erased while the operator was asked.
            Err(StoreError::Erased) => return poll::stop(tx, shipment.id).await,
            Err(error) => return Err(error),
        };
        let digest = key.digest("journey", told);
        if self.row.seen == Some(digest) {
            return self.in_vain(tx).await;
        }
        let next_at = self.now.plus_ms(self.context.limits.poll_every_ms);
        let looked = Looked {
            kept: Some(digest),
            ..self.looked(Next::At(next_at), 0)
        };
        if poll::done(tx, &self.row, looked).await? {
            self.keep(tx, &key, bytes).await?;
        }
        Ok(())
    }
}

impl KeepLook {
    const fn looked(&self, next: Next, fruitless: u32) -> Looked {
        Looked {
            now: self.now,
            next,
            fruitless,
            kept: None,
        }
    }

    async fn shipment(&self, tx: &mut Tx) -> Result<ShipmentRow, StoreError> {
        let shipment = shipment::find(tx, self.row.shipment).await?;
        shipment.ok_or(StoreError::Corrupt { place: "shipment" })
    }

    async fn keep(&self, tx: &mut Tx, key: &RecordKey, bytes: &[u8]) -> Result<(), StoreError> {
        let place = (self.id, self.row.account, InboxDoor::Pull(self.row.shipment));
        inbox::insert(tx, key, place, bytes, self.now).await
    }

    /// Nothing new: the next look is later, or the last one was the last.
    async fn in_vain(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let shipment = self.shipment(tx).await?;
        let fruitless = self.row.fruitless.saturating_add(1);
        let limits = &self.context.limits;
        let (every_ms, longest_ms) = (limits.poll_every_ms, limits.poll_every_max_ms);
        let ended = shipment.state.is_final() && !shipment.contested;
        let next = if ended && fruitless >= LOOKS_AFTER_END {
            Next::OnHint
        } else if ended {
            Next::At(self.now.plus_ms(longest_ms))
        } else {
            let later_ms = every_ms.saturating_mul(1_i64 << fruitless.min(20));
            Next::At(self.now.plus_ms(later_ms.min(longest_ms)))
        };
        if poll::done(tx, &self.row, self.looked(next, fruitless)).await? {
            shipment::set_heard(tx, shipment.id, self.now).await?;
        }
        Ok(())
    }
}
