//! Room `stage`, intake: what a dossier system may see of its shipments, and how it stops one.
//!
//! In: a source and what it wants. Out: its own shipments only, without personal data, which the system has itself.
//! Deliberately not here: the form of a cursor, and asking the operator.

use super::{IntakeError, Registrar};
use crate::domain::custody::{self, Custody};
use crate::domain::delivery::{self, Delivery, DeliveryState};
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::{OfficeId, ShipmentId};
use crate::domain::stopping::Stopping;
use crate::domain::time::Timestamp;
use crate::edge::store::record::Hand;
use crate::edge::store::revision::{self, Revision};
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::shipment_list::{self, Filter, NamedItem};
use crate::edge::store::shipment_stop::{self, Stopped};
use crate::edge::store::{Command, StoreError, Tx, reference};
use crate::stage::context::Context;
use std::sync::Arc;

/// Most shipments on one page.
pub const LIST_LIMIT_MAX: u32 = 200;

/// One shipment in full, but for personal data.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its row.
    pub row: ShipmentRow,
    /// Delivery, folded.
    pub delivery: Delivery,
    /// Custody, folded.
    pub custody: Custody,
    /// Its documents.
    pub items: Vec<NamedItem>,
    /// Its newest revision.
    pub revision: Revision,
    /// Codes of the receiving, deciding, sending and return office.
    pub offices: [String; 4],
}

/// One shipment of a source; `None` when there is none, or it is another source's.
///
/// # Errors
/// [`IntakeError::Store`].
pub async fn find(
    context: &Context,
    registrar: Registrar,
    id: ShipmentId,
) -> Result<Option<Look>, IntakeError> {
    let mut tx = context.store.snapshot().await?;
    let Some(row) = own(shipment::find(&mut tx, id).await?, registrar) else {
        return Ok(None);
    };
    let delivery = delivery::fold(&shipment::delivery_facts(&mut tx, id).await?);
    let custody = custody::fold(&shipment::custody_facts(&mut tx, id).await?, &delivery);
    let revision = revision::find(&mut tx, id, row.revision).await?;
    let offices = row.offices;
    let offices = [
        office_code(&mut tx, offices.receiving).await?,
        office_code(&mut tx, offices.deciding).await?,
        office_code(&mut tx, offices.sending).await?,
        office_code(&mut tx, offices.return_to).await?,
    ];
    Ok(Some(Look {
        delivery,
        custody,
        items: shipment_list::named_items(&mut tx, id).await?,
        revision: revision.ok_or(StoreError::Corrupt {
            place: "shipment_revision",
        })?,
        offices,
        row,
    }))
}

fn own(row: Option<ShipmentRow>, registrar: Registrar) -> Option<ShipmentRow> {
    row.filter(|row| row.source == Some(registrar.source))
}

async fn office_code(tx: &mut Tx, id: OfficeId) -> Result<String, StoreError> {
    let office = reference::office(tx, id).await?;
    Ok(office.ok_or(StoreError::Corrupt { place: "office" })?.code)
}

/// Which shipments are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// After this registration time and identifier.
    pub after: Option<(Timestamp, ShipmentId)>,
    /// In this state.
    pub state: Option<DeliveryState>,
    /// Held, or not held.
    pub held: Option<bool>,
    /// Holding, or having held, a document of this dossier.
    pub dossier: Option<DossierCode>,
    /// Registered at or after.
    pub created_from: Option<Timestamp>,
    /// Registered before.
    pub created_to: Option<Timestamp>,
    /// At most this many, 1 to [`LIST_LIMIT_MAX`].
    pub limit: u32,
}

/// A page of shipments.
#[derive(Clone, Debug)]
pub struct Listed {
    /// In the order of registration.
    pub rows: Vec<ShipmentRow>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<(Timestamp, ShipmentId)>,
}

/// A page of a source's shipments, oldest first.
///
/// # Errors
/// [`IntakeError::Store`].
pub async fn list(context: &Context, registrar: Registrar, wanted: Wanted) -> Result<Listed, IntakeError> {
    let limit = wanted.limit.clamp(1, LIST_LIMIT_MAX);
    let filter = Filter {
        after: wanted.after.unwrap_or(Filter::ALL.after),
        created_from: wanted.created_from.unwrap_or(Filter::ALL.created_from),
        created_to: wanted.created_to.unwrap_or(Filter::ALL.created_to),
        state: wanted.state,
        held: wanted.held,
        dossier: wanted.dossier.map(|code| code.as_str().to_owned()),
    };
    let mut tx = context.store.snapshot().await?;
    // One more than asked for tells whether there is a next page.
    let mut rows = shipment_list::page(&mut tx, registrar.source, &filter, limit + 1).await?;
    let asked = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > asked;
    rows.truncate(asked);
    let next = rows.last().filter(|_| more).map(|row| (row.created_at, row.id));
    Ok(Listed { rows, next })
}

/// Why a shipment is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// The citizen wants it otherwise.
    CitizenAsked,
    /// Addressee or contents are wrong.
    WrongData,
    /// Registered twice.
    RegisteredTwice,
    /// The office needs the paper back.
    OfficeAsked,
}

impl CancelReason {
    /// The word in the API and in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CitizenAsked => "citizen_asked",
            Self::WrongData => "wrong_data",
            Self::RegisteredTwice => "registered_twice",
            Self::OfficeAsked => "office_asked",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::CitizenAsked,
            Self::WrongData,
            Self::RegisteredTwice,
            Self::OfficeAsked,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
    }
}

/// What became of the wish to stop a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It ended; no order exists at the operator.
    Cancelled,
    /// The operator will be asked.
    Asked,
    /// It was cancelled, or asked for, before; nothing was written.
    Already,
    /// Whether the operator has the order is being verified: try again later.
    InDoubt,
    /// The paper has left the desk.
    HandedOver,
    /// It ended in another way.
    Ended,
    /// The operator takes no cancellations.
    NotOffered,
}

/// Stops a shipment of a source as far as can be done; `None` when it has none of this identifier.
///
/// # Errors
/// [`IntakeError::Store`].
pub async fn cancel(
    context: &Arc<Context>,
    registrar: Registrar,
    id: ShipmentId,
    reason: CancelReason,
) -> Result<Option<CancelAnswer>, IntakeError> {
    let command = Cancel {
        context: Arc::clone(context),
        registrar,
        id,
        reason,
        now: context.clock.now(),
    };
    context.store.submit(command).await
}

struct Cancel {
    context: Arc<Context>,
    registrar: Registrar,
    id: ShipmentId,
    reason: CancelReason,
    now: Timestamp,
}

impl Command for Cancel {
    const NAME: &'static str = "cancel_shipment";
    type Output = Option<CancelAnswer>;
    type Error = IntakeError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, IntakeError> {
        let Some(row) = own(shipment::find(tx, self.id).await?, self.registrar) else {
            return Ok(None);
        };
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: self.registrar.actor(),
            office: *row.offices.sending.as_bytes(),
        };
        let stopped = shipment_stop::stop(&self.context.store, tx, &hand, self.id, self.reason.as_str());
        Ok(Some(match stopped.await? {
            Stopped::Did(Stopping::Now) => CancelAnswer::Cancelled,
            Stopped::Did(Stopping::Ask) => CancelAnswer::Asked,
            Stopped::Did(Stopping::Already) => CancelAnswer::Already,
            Stopped::Did(Stopping::InDoubt) => CancelAnswer::InDoubt,
            Stopped::Did(Stopping::HandedOver) => CancelAnswer::HandedOver,
            Stopped::Did(Stopping::Ended) => CancelAnswer::Ended,
            Stopped::NotOffered => CancelAnswer::NotOffered,
        }))
    }
}
