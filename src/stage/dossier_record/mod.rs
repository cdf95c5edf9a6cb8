//! Room `stage`, dossier records: what a dossier system states of its dossiers, and the postal choice taken back.
//!
//! In: a source's whole snapshot of one dossier, in any order and repetition. Out: facts, journal, the folded record, and
//! the registered addressee sealed under the dossier's own record. Deliberately not here: HTTP, files to import
//! (`stage::import`), and checking and writing a snapshot, which both doors leave to `edge::store::dossier_entry`.

mod withdraw;

pub use withdraw::{Withdrawal, withdraw_post};

use crate::domain::custody::{self, Custody};
use crate::domain::delivery::{self, Delivery};
use crate::domain::dossier::snapshot::{Snapshot, Warning};
use crate::domain::dossier::{self as dossier_fold, Dossier};
use crate::domain::dossier_code::DossierCode;
use crate::domain::fault::Fault;
use crate::domain::id::{DossierId, SourceId};
use crate::domain::journal::{Actor, ActorKind};
use crate::domain::time::Timestamp;
use crate::edge::store::dossier::{self, DossierRow};
use crate::edge::store::dossier_entry::{Checker, EntryError};
use crate::edge::store::record::Hand;
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::{Command, StoreError, Tx, reference};
use crate::stage::context::Context;
use std::sync::Arc;

/// Why a snapshot was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot is wrong; every fault is told.
    #[error("the dossier was refused for {} faults", .0.len())]
    Refused(Vec<Fault>),
    /// The code in the address is no dossier code.
    #[error("not a dossier code")]
    CodeInvalid,
    /// The source's row names a status map this program does not have.
    #[error("dossier system {0} names a status map this program does not have")]
    NoStatusMap(SourceId),
    /// Another request moved the dossier at the same moment.
    #[error("another request moved the same dossier")]
    Raced,
}

impl From<EntryError> for RecordError {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Store(error) => Self::Store(error),
            EntryError::Refused(faults) => Self::Refused(faults),
            EntryError::NoStatusMap(source) => Self::NoStatusMap(source),
        }
    }
}

impl RecordError {
    /// Whether the same request may simply be sent again later.
    pub const fn may_retry(&self) -> bool {
        match self {
            Self::Raced | Self::Store(StoreError::CommitUnknown | StoreError::Closed) => true,
            Self::Store(error) => error.may_retry(),
            Self::Refused(_) | Self::CodeInvalid | Self::NoStatusMap(_) => false,
        }
    }
}

/// What became of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The dossier.
    pub id: DossierId,
    /// It was opened by this snapshot.
    pub opened: bool,
    /// Something was new.
    pub changed: bool,
    /// What a person should look at.
    pub warnings: Vec<Warning>,
}

/// The actor of a dossier system.
pub const fn system(source: SourceId) -> Actor {
    Actor {
        kind: ActorKind::Source,
        id: *source.as_bytes(),
    }
}

/// Takes a snapshot: opens the dossier or adds to what is known of it. The same snapshot again changes nothing; an
/// older one that arrives late is kept and ordered by its own time.
///
/// # Errors
/// [`RecordError`].
pub async fn refresh(
    context: &Arc<Context>,
    source: SourceId,
    actor: Actor,
    code: &str,
    snapshot: &Snapshot,
) -> Result<Refreshed, RecordError> {
    let code = DossierCode::parse(code).map_err(|_form| RecordError::CodeInvalid)?;
    let command = Refresh {
        context: Arc::clone(context),
        source,
        actor,
        code,
        snapshot: snapshot.clone(),
        now: context.clock.now(),
    };
    context.store.submit(command).await
}

struct Refresh {
    context: Arc<Context>,
    source: SourceId,
    actor: Actor,
    code: DossierCode,
    snapshot: Snapshot,
    now: Timestamp,
}

impl Command for Refresh {
    const NAME: &'static str = "refresh_dossier";
    type Output = Refreshed;
    type Error = RecordError;

    async fn run(&self, tx: &mut Tx) -> Result<Refreshed, RecordError> {
        let latest = self.now.plus_ms(self.context.limits.clock_skew_max_ms);
        let mut checker = Checker::open(tx, self.source, latest).await?;
        let entry = checker.check(tx, &self.code, &self.snapshot).await?;
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: self.actor,
            office: [0; 16],
        };
        let done = checker.put(&self.context.store, tx, &hand, &entry).await?;
        Ok(Refreshed {
            id: done.id,
            opened: done.opened,
            changed: done.changed,
            warnings: entry.warnings().to_vec(),
        })
    }
}

/// A dossier as its system may see it.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its row.
    pub row: DossierRow,
    /// Code of the receiving office.
    pub office: String,
    /// The dossier, folded.
    pub dossier: Dossier,
    /// The shipment of its delivery block, with its folds.
    pub shipment: Option<(ShipmentRow, Delivery, Custody)>,
}

/// A source's dossier by code; `None` when it has none.
///
/// # Errors
/// [`RecordError`].
pub async fn find(context: &Context, source: SourceId, code: &str) -> Result<Option<Look>, RecordError> {
    let code = DossierCode::parse(code).map_err(|_form| RecordError::CodeInvalid)?;
    let mut tx = context.store.snapshot().await?;
    let Some(row) = dossier::by_code(&mut tx, source, code.as_str()).await? else {
        return Ok(None);
    };
    let mut views = Vec::new();
    let mut shown = None;
    for (id, registered_at) in shipment::of_dossier(&mut tx, row.id).await? {
        let delivery = delivery::fold(&shipment::delivery_facts(&mut tx, id).await?);
        let custody = custody::fold(&shipment::custody_facts(&mut tx, id).await?, &delivery);
        if row.shipment == Some(id) {
            let found = shipment::find(&mut tx, id).await?;
            shown = found.map(|found| (found, delivery.clone(), custody.clone()));
        }
        views.push(dossier_fold::ShipmentView {
            shipment: id,
            registered_at,
            delivery,
            custody,
        });
    }
    let dossier = dossier_fold::fold(&dossier::facts(&mut tx, row.id).await?, &views);
    let office = reference::office(&mut tx, row.office).await?;
    let office = office.ok_or(StoreError::Corrupt { place: "office" })?.code;
    Ok(Some(Look {
        row,
        office,
        dossier,
        shipment: shown,
    }))
}
