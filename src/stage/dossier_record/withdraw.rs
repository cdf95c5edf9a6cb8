//! Room `stage`, dossier records: the citizen takes the postal choice back.
//!
//! In: a dossier. Out, in one transaction: the fact, and its shipments stopped as far as can be. After the hand-over the
//! fact is kept all the same, so that the discrepancy shows, and the caller is told. Deliberately not here: asking the
//! operator to cancel (a stage of its own reads the fact).

use super::RecordError;
use crate::domain::dossier::{DossierFact, DossierFactBody, ReturnBy};
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::{DossierId, ShipmentId, SourceId};
use crate::domain::journal::Actor;
use crate::domain::stopping::Stopping;
use crate::domain::time::Timestamp;
use crate::edge::store::record::{self, Hand};
use crate::edge::store::shipment_stop::{self, Stopped};
use crate::edge::store::{Command, StoreError, Tx, dossier, shipment};
use crate::stage::context::Context;
use std::sync::Arc;

/// Reason kept with a shipment that is stopped because the postal choice was taken back.
const REASON: &str = "post_withdrawn";
/// How often a withdrawal that met a registration is begun again.
const RACES_MAX: u32 = 5;

/// What became of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// Kept; whatever was on its way to the operator is stopped, or the operator will be asked.
    Withdrawn,
    /// It was taken back before; nothing was written.
    Already,
    /// The citizen never chose the post; nothing was written.
    NotByPost,
    /// The result is in the citizen's hands; nothing was written.
    Returned,
    /// The paper has left the desk: kept, and the record shows the discrepancy.
    HandedOver,
    /// Whether the operator has the order is being verified: nothing was written, try again later.
    InDoubt,
    /// The envelope holds documents of other dossiers too: cancel the shipment first. Nothing was written.
    SharedEnvelope,
    /// The operator has the order and takes no cancellations. Nothing was written.
    NotOffered,
}

/// Takes the postal choice of a source's dossier back; `None` when it has no such dossier.
///
/// # Errors
/// [`RecordError`].
pub async fn withdraw_post(
    context: &Arc<Context>,
    source: SourceId,
    actor: Actor,
    code: &str,
) -> Result<Option<Withdrawal>, RecordError> {
    let code = DossierCode::parse(code).map_err(|_form| RecordError::CodeInvalid)?;
    let mut answer = Err(RecordError::Raced);
    for _ in 0..RACES_MAX {
        let command = Withdraw {
            context: Arc::clone(context),
            source,
            actor,
            code: code.clone(),
            now: context.clock.now(),
        };
        answer = context.store.submit(command).await;
        if !matches!(answer, Err(RecordError::Raced)) {
            break;
        }
    }
    answer
}

struct Withdraw {
    context: Arc<Context>,
    source: SourceId,
    actor: Actor,
    code: DossierCode,
    now: Timestamp,
}

/// What is to be done about the shipments that hold a document of the dossier.
#[derive(Default)]
struct Plan {
    stop: Vec<ShipmentId>,
    handed_over: bool,
    refused: Option<Withdrawal>,
}

impl Command for Withdraw {
    const NAME: &'static str = "withdraw_post";
    type Output = Option<Withdrawal>;
    type Error = RecordError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, RecordError> {
        let Some(row) = dossier::by_code(tx, self.source, self.code.as_str()).await? else {
            return Ok(None);
        };
        if row.post_withdrawn {
            return Ok(Some(Withdrawal::Already));
        }
        if row.return_by != ReturnBy::Post.number() {
            return Ok(Some(Withdrawal::NotByPost));
        }
        if row.returned_at.is_some() {
            return Ok(Some(Withdrawal::Returned));
        }
        // Shipments are locked before dossiers everywhere but where a shipment is new.
        let live = live(tx, row.id).await?;
        let plan = plan(tx, row.id, &live).await?;
        if let Some(refused) = plan.refused {
            return Ok(Some(refused));
        }
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: self.actor,
            office: *row.office.as_bytes(),
        };
        let store = &self.context.store;
        for id in &plan.stop {
            shipment_stop::stop(store, tx, &hand, *id, REASON).await?;
        }
        let fact = DossierFact::new(row.id, self.now, DossierFactBody::PostWithdrawn);
        record::dossier_facts(store, tx, &hand, row.id, vec![fact]).await?;
        // The dossier is locked now: a shipment registered meanwhile is seen here.
        if self::live(tx, row.id).await?.iter().any(|id| !live.contains(id)) {
            return Err(RecordError::Raced);
        }
        Ok(Some(if plan.handed_over {
            Withdrawal::HandedOver
        } else {
            Withdrawal::Withdrawn
        }))
    }
}

/// Shipments that hold a document of the dossier now.
async fn live(tx: &mut Tx, dossier: DossierId) -> Result<Vec<ShipmentId>, StoreError> {
    let mut live = Vec::new();
    for (id, _) in shipment::of_dossier(tx, dossier).await? {
        let items = shipment::items(tx, id).await?;
        if items.iter().any(|item| item.dossier == dossier && item.live) {
            live.push(id);
        }
    }
    Ok(live)
}

async fn plan(tx: &mut Tx, dossier: DossierId, live: &[ShipmentId]) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    for id in live {
        let shared = shipment::items(tx, *id)
            .await?
            .iter()
            .any(|item| item.dossier != dossier);
        let refused = match shipment_stop::possible(tx, *id).await? {
            Stopped::Did(Stopping::Now | Stopping::Ask) if shared => Some(Withdrawal::SharedEnvelope),
            Stopped::Did(Stopping::Now | Stopping::Ask) => {
                plan.stop.push(*id);
                None
            }
            Stopped::Did(Stopping::HandedOver) => {
                plan.handed_over = true;
                None
            }
            Stopped::Did(Stopping::Already | Stopping::Ended) => None,
            Stopped::Did(Stopping::InDoubt) => Some(Withdrawal::InDoubt),
            Stopped::NotOffered => Some(Withdrawal::NotOffered),
        };
        plan.refused = plan.refused.or(refused);
    }
    Ok(plan)
}
