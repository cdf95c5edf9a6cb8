//! Room `stage`, dossier records: what a dossier system states of its dossiers, and the postal choice taken back.
//!
//! In: a source's whole snapshot of one dossier, in any order and repetition. Out: facts, journal, the folded record, and
//! the registered addressee sealed under the dossier's own record. Deliberately not here: HTTP, files to import (they
//! come in by the same door), and status 10, which only proof of delivery or collection gives.

mod status_map;
mod withdraw;

pub use status_map::StatusMap;
pub use withdraw::{Withdrawal, withdraw_post};

use crate::domain::addressee::{Addressee, AddresseeDraft};
use crate::domain::custody::{self, Custody};
use crate::domain::delivery::{self, Delivery};
use crate::domain::dossier::{
    self as dossier_fold, Dossier, DossierFact, DossierFactBody, ReturnBy, Statement, SubmittedBy,
};
use crate::domain::dossier_code::{CodeWarning, DossierCode};
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::id::{DossierId, OfficeId, RecordId, SourceId};
use crate::domain::journal::{Actor, ActorKind};
use crate::domain::time::Timestamp;
use crate::edge::store::dossier::{self, DossierRow, NewDossier};
use crate::edge::store::record::{self, Hand};
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::{Command, StoreError, Tx, personal, reference, shipment_person, source};
use crate::stage::context::Context;
use std::sync::Arc;

/// 1 January 2000, Vietnam: no dossier system is older.
const LONG_AGO: Timestamp = Timestamp::from_ms(946_659_600_000);
/// Longest code of a procedure or raw status, characters.
const CODE_CHARS_MAX: usize = 64;

/// A whole snapshot of one dossier, as its system writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The system's own status code.
    pub status_raw: String,
    /// Since when it holds: orders the snapshots of a dossier.
    pub status_at: Timestamp,
    /// Code of the procedure.
    pub procedure: String,
    /// Code of the office that received it.
    pub receiving_office: String,
    /// How the citizen wants the result.
    pub return_by: ReturnBy,
    /// How it was submitted.
    pub submitted_by: SubmittedBy,
    /// Received at.
    pub received_at: Timestamp,
    /// Promised for.
    pub due_at: Option<Timestamp>,
    /// Finished at.
    pub finished_at: Option<Timestamp>,
    /// Returned at, by the system's own word.
    pub returned_at: Option<Timestamp>,
    /// A second record of another dossier.
    pub duplicate: bool,
    /// Registered addressee; only when the result returns by post.
    pub addressee: Option<AddresseeDraft>,
}

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

/// What a person should look at; never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The code has none of the known shapes.
    CodeShapeUnknown,
    /// The date inside the code does not exist.
    CodeDateImpossible,
    /// Promised for a time before it was received.
    DueBeforeReceived,
    /// The addressee's note holds what looks like an identity number.
    NoteLooksLikeIdNumber,
}

impl Warning {
    /// The word shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeShapeUnknown => "code_shape_unknown",
            Self::CodeDateImpossible => "code_date_impossible",
            Self::DueBeforeReceived => "due_before_received",
            Self::NoteLooksLikeIdNumber => "note_looks_like_id_number",
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

/// A snapshot found right.
struct Checked {
    office: OfficeId,
    statement: Statement,
    addressee: Option<Addressee>,
    warnings: Vec<Warning>,
}

impl Command for Refresh {
    const NAME: &'static str = "refresh_dossier";
    type Output = Refreshed;
    type Error = RecordError;

    async fn run(&self, tx: &mut Tx) -> Result<Refreshed, RecordError> {
        let checked = self.check(tx).await?;
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: self.actor,
            office: *checked.office.as_bytes(),
        };
        let new = NewDossier {
            id: DossierId::new(hand.ids),
            source: self.source,
            code: self.code.as_str(),
            procedure_code: &self.snapshot.procedure,
            office: checked.office,
            received_at: self.snapshot.received_at,
        };
        let opened = dossier::insert(tx, &new, self.now).await?;
        let missing = StoreError::Corrupt { place: "dossier" };
        let row = dossier::by_code(tx, self.source, self.code.as_str()).await?;
        let id = row.ok_or(missing)?.id;
        if opened {
            record::open_dossier(tx, &hand, id, *self.source.as_bytes()).await?;
        }
        let row = dossier::lock(tx, id).await?;
        let row = row.ok_or(StoreError::Corrupt { place: "dossier" })?;
        let changed = self.write(tx, &hand, &row, &checked).await?;
        Ok(Refreshed {
            id,
            opened,
            changed: opened || changed,
            warnings: checked.warnings,
        })
    }
}

impl Refresh {
    /// Adds what is new to an open dossier; whether anything was.
    async fn write(
        &self,
        tx: &mut Tx,
        hand: &Hand<'_>,
        row: &DossierRow,
        checked: &Checked,
    ) -> Result<bool, RecordError> {
        let known = dossier::facts(tx, row.id).await?;
        let body = DossierFactBody::Stated(checked.statement.clone());
        let fact = DossierFact::new(row.id, self.snapshot.status_at, body);
        let mut changed = known.iter().all(|old| old.id != fact.id);
        let latest = known
            .iter()
            .filter(|old| matches!(old.body, DossierFactBody::Stated(_)))
            .map(|old| old.occurred_at)
            .max();
        if changed {
            let store = &self.context.store;
            record::dossier_facts(store, tx, hand, row.id, vec![fact]).await?;
        }
        // What is not folded follows the newest snapshot: one that arrives late does not set it back.
        if latest.is_none_or(|latest| latest <= self.snapshot.status_at) {
            if row.procedure_code != self.snapshot.procedure || row.office != checked.office {
                dossier::describe(tx, row.id, &self.snapshot.procedure, checked.office).await?;
                changed = true;
            }
            if let Some(addressee) = &checked.addressee {
                changed |= self.keep_addressee(tx, row, addressee).await?;
            }
        }
        Ok(changed)
    }

    async fn keep_addressee(
        &self,
        tx: &mut Tx,
        row: &DossierRow,
        addressee: &Addressee,
    ) -> Result<bool, StoreError> {
        let store = &self.context.store;
        let known = match row.record {
            None => None,
            Some(record) => match personal::key(store, tx, record).await {
                Ok(key) => Some(key),
                Err(StoreError::Erased) => None,
                Err(error) => return Err(error),
            },
        };
        if let Some(key) = known {
            return shipment_person::put_registered(tx, &key, addressee).await;
        }
        let record = RecordId::new(&*self.context.ids);
        let key = personal::create(store, tx, record, self.now, None).await?;
        shipment_person::put_registered(tx, &key, addressee).await?;
        dossier::set_record(tx, row.id, record).await?;
        Ok(true)
    }

    async fn check(&self, tx: &mut Tx) -> Result<Checked, RecordError> {
        let snapshot = &self.snapshot;
        let mut faults = Vec::new();
        let source = source::source(tx, self.source).await?;
        let map = source.and_then(|source| StatusMap::find(&source.status_map));
        let map = map.ok_or(RecordError::NoStatusMap(self.source))?;
        let status = map.meaning(&snapshot.status_raw);
        if status.is_none() {
            faults.push(Fault::at("/status", FaultCode::StatusUnknown));
        }
        if !is_code(&snapshot.procedure) {
            faults.push(Fault::at("/procedure", FaultCode::ProcedureInvalid));
        }
        let office = reference::office_by_code(tx, &snapshot.receiving_office).await?;
        if office.is_none() {
            faults.push(Fault::at("/receiving_office", FaultCode::OfficeUnknown));
        }
        let latest = self.now.plus_ms(self.context.limits.clock_skew_max_ms);
        date_faults(snapshot, latest, &mut faults);
        let addressee = self.addressee(tx, &mut faults).await?;
        let (Some(office), Some(status)) = (office, status) else {
            return Err(RecordError::Refused(faults));
        };
        if !faults.is_empty() {
            return Err(RecordError::Refused(faults));
        }
        Ok(Checked {
            office: office.id,
            statement: Statement {
                status_raw: snapshot.status_raw.trim().to_owned(),
                status,
                map_version: map.version(),
                return_by: snapshot.return_by,
                submitted_by: snapshot.submitted_by,
                received_at: snapshot.received_at,
                due_at: snapshot.due_at,
                finished_at: snapshot.finished_at,
                returned_at: snapshot.returned_at,
                duplicate: snapshot.duplicate,
            },
            warnings: warnings(&self.code, snapshot, addressee.as_ref()),
            addressee,
        })
    }

    async fn addressee(&self, tx: &mut Tx, faults: &mut Vec<Fault>) -> Result<Option<Addressee>, StoreError> {
        let Some(draft) = &self.snapshot.addressee else {
            return Ok(None);
        };
        if self.snapshot.return_by != ReturnBy::Post {
            faults.push(Fault::at("/addressee", FaultCode::AddresseeNotNeeded));
            return Ok(None);
        }
        let checked = draft.check("/addressee", faults);
        if let Some(addressee) = &checked {
            shipment_person::check_units(tx, addressee, "/addressee", faults).await?;
        }
        Ok(checked)
    }
}

fn is_code(text: &str) -> bool {
    let plain = text
        .chars()
        .all(|c| !c.is_control() && !c.is_whitespace() && c != '\u{feff}');
    plain && (1..=CODE_CHARS_MAX).contains(&text.chars().count())
}

fn date_faults(snapshot: &Snapshot, latest: Timestamp, faults: &mut Vec<Fault>) {
    let happened = [
        ("/status_at", Some(snapshot.status_at)),
        ("/received_at", Some(snapshot.received_at)),
        ("/finished_at", snapshot.finished_at),
        ("/returned_at", snapshot.returned_at),
    ];
    for (pointer, at) in happened {
        if at.is_some_and(|at| at > latest) {
            faults.push(Fault::at(pointer, FaultCode::InTheFuture));
        }
    }
    for (pointer, at) in happened.into_iter().chain([("/due_at", snapshot.due_at)]) {
        if at.is_some_and(|at| at < LONG_AGO) {
            faults.push(Fault::at(pointer, FaultCode::TooLongAgo));
        }
    }
    if snapshot.finished_at.is_some_and(|at| at < snapshot.received_at) {
        faults.push(Fault::at("/finished_at", FaultCode::FinishedBeforeReceived));
    }
    let before = snapshot.finished_at.unwrap_or(snapshot.received_at);
    if snapshot.returned_at.is_some_and(|at| at < before) {
        faults.push(Fault::at("/returned_at", FaultCode::ReturnedBeforeFinished));
    }
}

fn warnings(code: &DossierCode, snapshot: &Snapshot, addressee: Option<&Addressee>) -> Vec<Warning> {
    let code = code.warning().map(|warning| match warning {
        CodeWarning::UnknownShape => Warning::CodeShapeUnknown,
        CodeWarning::ImpossibleDate => Warning::CodeDateImpossible,
    });
    let due = snapshot.due_at.is_some_and(|at| at < snapshot.received_at);
    let note = addressee.is_some_and(|addressee| addressee.address.warning().is_some());
    [
        code,
        due.then_some(Warning::DueBeforeReceived),
        note.then_some(Warning::NoteLooksLikeIdNumber),
    ]
    .into_iter()
    .flatten()
    .collect()
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
