//! Room `stage`: what people do with paper at the desk.
//!
//! In: a person, an office, an act. Out: facts about custody, and hand-over lists. Each act needs an active member of
//! staff with the role of clerk or dispatcher at that office at that time. Booking is no condition of hand-over: a list
//! may be closed with envelopes not booked or in doubt, the order is settled later without a second one (desk.md 1.3).
//! Deliberately not here: decisions about what the operator says (`decide`), registering (`intake`).

mod finding;
mod handing;
mod latest;
mod lists;
mod scans;

pub use finding::find_shipment;
pub use handing::{
    CloseHandover, ClosedHandover, LATE_AFTER_MS, LIST_MAX, ListedItem, Taking, close_handover,
};
pub use lists::{ClosedList, LISTS_MAX, closed_lists};

use crate::domain::custody::{CustodyAct, CustodyFact, Place};
use crate::domain::delivery::{DeliveryFact, DeliveryState, EventKind, FactBody};
use crate::domain::dossier::{DossierFact, DossierFactBody, DossierStatus};
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::{DossierId, ItemId, ShipmentId, SourceId};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::edge::store::handover::{self, Paper};
use crate::edge::store::queue::{self, QueueState};
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::shipment::ShipmentRow;
use crate::edge::store::{Command, StoreError, Tx, acting, dossier, shipment};
use crate::stage::context::{By, Context};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The roles that work at the desk.
const DESK_ROLES: &[Role] = &[Role::Clerk, Role::Dispatcher];

/// Why one envelope cannot do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// No such shipment.
    #[error("there is no such shipment")]
    Unknown,
    /// The name stands for several.
    #[error("the name stands for several shipments")]
    Ambiguous,
    /// It stands on the list twice.
    #[error("the shipment stands on the list twice")]
    Twice,
    /// It belongs to another office.
    #[error("the shipment belongs to another office")]
    OtherOffice,
    /// It ended: cancelled, rejected, delivered, returned or lost.
    #[error("the shipment has ended")]
    Ended,
    /// Cancellation was asked for.
    #[error("the shipment is being cancelled")]
    Cancelling,
    /// A person stopped it, or must look first.
    #[error("the shipment is held")]
    Held,
    /// The citizen took the postal choice back.
    #[error("the citizen withdrew the choice of post")]
    Withdrawn,
    /// The paper is not at this desk yet.
    #[error("the paper was not scanned in")]
    PaperNotIn,
    /// It was handed over before.
    #[error("the shipment was handed over before")]
    HandedOver,
    /// The desk did something else with the paper after that time.
    #[error("the desk handled the paper after that time")]
    ActLater,
    /// The paper is somewhere where this act makes no sense.
    #[error("the paper is at {0:?}, where this cannot be done")]
    Place(Place),
}

/// Why an act at the desk was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No active member of staff with a fitting role at that office at that time.
    #[error("this person may not act as clerk or dispatcher for this office at that time")]
    NotAllowed,
    /// One envelope is wrong.
    #[error("{0}")]
    Wrong(#[from] Wrong),
    /// Envelopes of a list are wrong; the whole list was refused. Position from 1, and why.
    #[error("{} envelopes of the list are wrong; nothing was handed over", .0.len())]
    List(Vec<(u32, Wrong)>),
    /// A list without envelopes, or with more than [`handing::LIST_MAX`].
    #[error("a list holds 1 to {max} envelopes, not {found}", max = handing::LIST_MAX)]
    ListLength {
        /// How many were given.
        found: usize,
    },
    /// The papers scanned are not those that belong into the envelope. Positions are of the scans, from 1.
    #[error("{} scanned papers do not belong into this envelope, {} are missing", foreign.len(), missing.len())]
    Mismatch {
        /// Scans that do not belong.
        foreign: Vec<u32>,
        /// Items whose paper was not scanned.
        missing: Vec<ItemId>,
    },
    /// A time in the future.
    #[error("the time lies in the future")]
    Future,
    /// Entered more than an hour afterwards without saying why (nhập bù).
    #[error("a hand-over entered more than an hour afterwards needs a reason")]
    LateReasonMissing,
    /// A text is empty, too long, or holds what looks like an identity number.
    #[error("the {0} is empty, too long, or holds what looks like an identity number")]
    Text(&'static str),
    /// No such dossier.
    #[error("there is no such dossier")]
    UnknownDossier,
    /// The dossier is not finished: there is nothing to give out.
    #[error("the dossier is not finished")]
    NotFinished,
    /// The operator may be taking the order this very moment; ask again when the call has ended.
    #[error("a call to the operator is under way or in doubt")]
    CallUnderWay,
    /// Already in the citizen's hands.
    #[error("the result was given out before")]
    AlreadyGiven,
}

/// What is scanned or named at the desk.
#[derive(Clone, Debug)]
pub enum Thing {
    /// A whole envelope.
    Shipment(ShipmentId),
    /// One document of a dossier.
    Document {
        /// The dossier's system.
        source: SourceId,
        /// Its code.
        code: DossierCode,
        /// Which document, from 1.
        document_no: u32,
    },
}

/// What a scan-in found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperIn {
    /// The shipment the paper belongs to.
    pub shipment: ShipmentId,
    /// This scan was new.
    pub new: bool,
    /// Every paper of the shipment is in.
    pub complete: bool,
}

/// The acts, as one command.
#[derive(Clone, Debug)]
enum Act {
    PaperIn(Thing),
    Pack(ShipmentId, Vec<String>),
    PullOut(ShipmentId),
    ReceiveReturned(ShipmentId),
    Collect(Thing),
}

/// What an act left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    In(PaperIn),
    Plain,
}

struct DeskCommand {
    context: Arc<Context>,
    by: By,
    at: Option<Timestamp>,
    act: Act,
}

impl Command for DeskCommand {
    const NAME: &'static str = "desk";
    type Output = Done;
    type Error = DeskError;

    async fn run(&self, tx: &mut Tx) -> Result<Done, DeskError> {
        let now = self.context.clock.now();
        let at = self.at.unwrap_or(now);
        if at > now {
            return Err(DeskError::Future);
        }
        require_role(tx, self.by, now).await?;
        let desk = Desk {
            context: &self.context,
            by: self.by,
            now,
            at,
        };
        match &self.act {
            Act::PaperIn(thing) => desk.paper_in(tx, thing).await.map(Done::In),
            Act::Pack(id, scanned) => desk.pack(tx, *id, scanned).await.map(|()| Done::Plain),
            Act::PullOut(id) => desk.pull_out(tx, *id).await.map(|()| Done::Plain),
            Act::ReceiveReturned(id) => desk.receive_returned(tx, *id).await.map(|()| Done::Plain),
            Act::Collect(thing) => desk.collect(tx, thing).await.map(|()| Done::Plain),
        }
    }
}

async fn require_role(tx: &mut Tx, by: By, at: Timestamp) -> Result<(), DeskError> {
    if acting::may_act(tx, (by.staff, by.office), at, DESK_ROLES).await? {
        Ok(())
    } else {
        Err(DeskError::NotAllowed)
    }
}

async fn submit(context: &Arc<Context>, by: By, at: Option<Timestamp>, act: Act) -> Result<Done, DeskError> {
    let context = Arc::clone(context);
    let store = context.store.clone();
    store.submit(DeskCommand { context, by, at, act }).await
}

/// Scans a paper in: custody starts here, and an order that waited for it may be sent once all papers are in.
///
/// # Errors
/// [`DeskError`]; nothing was changed then.
pub async fn paper_in(
    context: &Arc<Context>,
    by: By,
    thing: Thing,
    at: Option<Timestamp>,
) -> Result<PaperIn, DeskError> {
    match submit(context, by, at, Act::PaperIn(thing)).await? {
        Done::In(found) => Ok(found),
        Done::Plain => Err(StoreError::Closed.into()),
    }
}

/// Packs: the codes scanned from the slips must be exactly those of the envelope's papers, one scan per paper.
///
/// # Errors
/// [`DeskError::Mismatch`] stops before the wrong paper is sealed in; else [`DeskError`].
pub async fn pack(
    context: &Arc<Context>,
    by: By,
    shipment: ShipmentId,
    scanned: Vec<String>,
) -> Result<(), DeskError> {
    submit(context, by, None, Act::Pack(shipment, scanned))
        .await
        .map(drop)
}

/// Takes an envelope out of an open list.
///
/// # Errors
/// [`DeskError`].
pub async fn pull_out(context: &Arc<Context>, by: By, shipment: ShipmentId) -> Result<(), DeskError> {
    submit(context, by, None, Act::PullOut(shipment)).await.map(drop)
}

/// Scans a returned original back in.
///
/// # Errors
/// [`DeskError`].
pub async fn receive_returned(
    context: &Arc<Context>,
    by: By,
    shipment: ShipmentId,
    at: Option<Timestamp>,
) -> Result<(), DeskError> {
    submit(context, by, at, Act::ReceiveReturned(shipment))
        .await
        .map(drop)
}

/// Gives a result out at the counter. With a shipment, only while its paper is at the desk: after the hand-over nothing
/// is given out until the original is scanned back (desk.md 1.7).
///
/// # Errors
/// [`DeskError`].
pub async fn collect_in_person(
    context: &Arc<Context>,
    by: By,
    thing: Thing,
    at: Option<Timestamp>,
) -> Result<(), DeskError> {
    submit(context, by, at, Act::Collect(thing)).await.map(drop)
}

/// One act under way.
struct Desk<'a> {
    context: &'a Context,
    by: By,
    now: Timestamp,
    at: Timestamp,
}

/// A shipment with its paper, read for an act.
struct Seen {
    row: ShipmentRow,
    acts: Vec<CustodyFact>,
    place: Place,
    items: BTreeMap<ItemId, Place>,
    held: bool,
    state: DeliveryState,
}

async fn see(tx: &mut Tx, id: ShipmentId) -> Result<Seen, DeskError> {
    let row = shipment::lock(tx, id).await?.ok_or(Wrong::Unknown)?;
    let delivery = crate::domain::delivery::fold(&shipment::delivery_facts(tx, id).await?);
    let acts = shipment::custody_facts(tx, id).await?;
    let custody = crate::domain::custody::fold(&acts, &delivery);
    Ok(Seen {
        row,
        acts,
        place: custody.place,
        items: custody.items,
        held: delivery.held.is_some(),
        state: delivery.state,
    })
}

impl Seen {
    /// The envelope may still leave: neither ended nor being cancelled.
    fn require_open(&self) -> Result<(), Wrong> {
        match self.state {
            DeliveryState::At(kind) if kind.is_final() => Err(Wrong::Ended),
            DeliveryState::CancelRequested => Err(Wrong::Cancelling),
            DeliveryState::At(_)
            | DeliveryState::Queued
            | DeliveryState::Submitting
            | DeliveryState::InDoubt => Ok(()),
        }
    }

    /// The paper has not left this desk.
    fn require_here(&self) -> Result<(), Wrong> {
        match self.place {
            Place::AtDesk | Place::Packed => Ok(()),
            Place::Awaited | Place::AtDecidingOffice => Err(Wrong::PaperNotIn),
            Place::HandedOver | Place::WithOperator => Err(Wrong::HandedOver),
            Place::WithAddressee | Place::BackAtDesk | Place::Collected | Place::Destroyed | Place::Lost => {
                Err(Wrong::Place(self.place))
            }
        }
    }
}

impl Desk<'_> {
    fn fact(&self, id: ShipmentId, act: CustodyAct, item: Option<ItemId>) -> NewFacts {
        NewFacts {
            custody: vec![CustodyFact::new(id, self.at, act, item, None)],
            ..NewFacts::default()
        }
    }

    async fn write(&self, tx: &mut Tx, id: ShipmentId, new: NewFacts) -> Result<record::Recorded, DeskError> {
        let hand = self.by.hand(self.context, self.now);
        Ok(record::shipment_facts(&self.context.store, tx, &hand, id, new).await?)
    }

    fn require_office(&self, row: &ShipmentRow) -> Result<(), Wrong> {
        let offices = [
            row.offices.sending,
            row.offices.receiving,
            row.offices.deciding,
            row.offices.return_to,
        ];
        if offices.contains(&self.by.office) {
            Ok(())
        } else {
            Err(Wrong::OtherOffice)
        }
    }

    /// The shipment that holds a thing, and the item when one document was named.
    async fn locate(
        &self,
        tx: &mut Tx,
        thing: &Thing,
    ) -> Result<(Option<ShipmentId>, Option<ItemId>, Option<DossierId>), DeskError> {
        match thing {
            Thing::Shipment(id) => Ok((Some(*id), None, None)),
            Thing::Document {
                source,
                code,
                document_no,
            } => {
                let row = dossier::by_code(tx, *source, code.as_str()).await?;
                let row = row.ok_or(DeskError::UnknownDossier)?;
                let held = handover::holding(tx, row.id, *document_no).await?;
                Ok((held.map(|(id, _)| id), held.map(|(_, item)| item), Some(row.id)))
            }
        }
    }

    async fn paper_in(&self, tx: &mut Tx, thing: &Thing) -> Result<PaperIn, DeskError> {
        let (id, item, _dossier) = self.locate(tx, thing).await?;
        let id = id.ok_or(Wrong::Unknown)?;
        let seen = see(tx, id).await?;
        self.require_office(&seen.row)?;
        seen.require_open()?;
        let papers = handover::papers(tx, id).await?;
        // The only paper of an envelope is the envelope's.
        let item = item.filter(|_| papers.len() > 1);
        let in_before = |place: Place| matches!(place, Place::AtDesk | Place::Packed);
        let place = item.map_or(seen.place, |item| {
            let whole = if seen.items.is_empty() {
                seen.place
            } else {
                Place::Awaited
            };
            seen.items.get(&item).copied().unwrap_or(whole)
        });
        let waits = matches!(place, Place::Awaited | Place::AtDecidingOffice);
        if !waits && !in_before(place) {
            return Err(Wrong::Place(place).into());
        }
        let mut items = seen.items.clone();
        if waits {
            seen.require_latest(self.at, item)?;
            self.write(tx, id, self.fact(id, CustodyAct::AtDesk, item))
                .await?;
            match item {
                Some(item) => drop(items.insert(item, Place::AtDesk)),
                None => items.clear(),
            }
        }
        let all_in = |paper: &Paper| items.get(&paper.item).is_some_and(|place| in_before(*place));
        let complete = item.is_none() || papers.iter().all(all_in);
        if complete {
            queue::paper_arrived(tx, id, self.now).await?;
        }
        Ok(PaperIn {
            shipment: id,
            new: waits,
            complete,
        })
    }

    async fn pack(&self, tx: &mut Tx, id: ShipmentId, scanned: &[String]) -> Result<(), DeskError> {
        let seen = see(tx, id).await?;
        if seen.row.offices.sending != self.by.office {
            return Err(Wrong::OtherOffice.into());
        }
        seen.require_open()?;
        let papers = handover::papers(tx, id).await?;
        if papers.iter().any(|paper| paper.withdrawn) {
            return Err(Wrong::Withdrawn.into());
        }
        scans::compare_scans(&papers, scanned)?;
        match seen.place {
            Place::AtDesk => {}
            Place::Packed => return Ok(()),
            Place::Awaited | Place::AtDecidingOffice => return Err(Wrong::PaperNotIn.into()),
            Place::HandedOver
            | Place::WithOperator
            | Place::WithAddressee
            | Place::BackAtDesk
            | Place::Collected
            | Place::Destroyed
            | Place::Lost => return Err(Wrong::Place(seen.place).into()),
        }
        let stated_in = |paper: &Paper| seen.items.is_empty() || seen.items.contains_key(&paper.item);
        if !papers.iter().all(stated_in) {
            return Err(Wrong::PaperNotIn.into());
        }
        self.write(tx, id, self.fact(id, CustodyAct::Packed, None))
            .await
            .map(drop)
    }

    async fn pull_out(&self, tx: &mut Tx, id: ShipmentId) -> Result<(), DeskError> {
        let seen = see(tx, id).await?;
        if seen.row.offices.sending != self.by.office {
            return Err(Wrong::OtherOffice.into());
        }
        seen.require_here()?;
        self.write(tx, id, self.fact(id, CustodyAct::PulledOut, None))
            .await
            .map(drop)
    }

    async fn receive_returned(&self, tx: &mut Tx, id: ShipmentId) -> Result<(), DeskError> {
        let seen = see(tx, id).await?;
        self.require_office(&seen.row)?;
        match seen.place {
            Place::HandedOver | Place::WithOperator | Place::WithAddressee | Place::Lost => {}
            Place::BackAtDesk => return Ok(()),
            Place::Awaited
            | Place::AtDecidingOffice
            | Place::AtDesk
            | Place::Packed
            | Place::Collected
            | Place::Destroyed => return Err(Wrong::Place(seen.place).into()),
        }
        seen.require_latest(self.at, None)?;
        self.write(tx, id, self.fact(id, CustodyAct::BackAtDesk, None))
            .await
            .map(drop)
    }

    async fn collect(&self, tx: &mut Tx, thing: &Thing) -> Result<(), DeskError> {
        let (id, _item, named) = self.locate(tx, thing).await?;
        match (id, named) {
            (Some(id), _) => self.collect_shipment(tx, id).await,
            (None, Some(dossier)) => self.collect_dossier(tx, dossier).await,
            (None, None) => Err(DeskError::UnknownDossier),
        }
    }

    async fn collect_shipment(&self, tx: &mut Tx, id: ShipmentId) -> Result<(), DeskError> {
        let seen = see(tx, id).await?;
        self.require_office(&seen.row)?;
        match seen.place {
            Place::AtDesk | Place::Packed | Place::BackAtDesk => {}
            Place::Collected => return Err(DeskError::AlreadyGiven),
            Place::Awaited | Place::AtDecidingOffice => return Err(Wrong::PaperNotIn.into()),
            Place::HandedOver | Place::WithOperator => return Err(Wrong::HandedOver.into()),
            Place::WithAddressee | Place::Destroyed | Place::Lost => {
                return Err(Wrong::Place(seen.place).into());
            }
        }
        seen.require_latest(self.at, None)?;
        let mut new = self.fact(id, CustodyAct::Collected, None);
        if let Some(body) = self.stop_sending(tx, &seen).await? {
            new.delivery.push((DeliveryFact::ours(id, self.at, body), 0));
        }
        self.write(tx, id, new).await.map(drop)
    }

    /// What must be said to the operator's side when the citizen took the paper: nothing was booked, so nothing is
    /// sent; or an order stands and is asked to be cancelled.
    async fn stop_sending(&self, tx: &mut Tx, seen: &Seen) -> Result<Option<FactBody>, DeskError> {
        let id = seen.row.id;
        let queued = queue::find(tx, id).await?.map(|row| row.state);
        match queued {
            Some(QueueState::Leased | QueueState::Doubt) => return Err(DeskError::CallUnderWay),
            Some(QueueState::Paper | QueueState::Ready | QueueState::Held) => {
                queue::set_state(tx, id, QueueState::Done, self.now).await?;
            }
            Some(QueueState::Done) | None => {}
        }
        Ok(match seen.state {
            DeliveryState::Queued => Some(FactBody::CancelledByUs),
            DeliveryState::Submitting | DeliveryState::InDoubt => return Err(DeskError::CallUnderWay),
            DeliveryState::At(kind) if kind.is_final() => None,
            DeliveryState::At(EventKind::Booked | EventKind::PickupAssigned | EventKind::PickupFailed) => {
                Some(FactBody::CancelAsked)
            }
            // The post shows the paper on its way while it lies on our desk: a person settles that, not this act.
            DeliveryState::CancelRequested | DeliveryState::At(_) => None,
        })
    }

    async fn collect_dossier(&self, tx: &mut Tx, id: DossierId) -> Result<(), DeskError> {
        let row = dossier::lock(tx, id).await?.ok_or(DeskError::UnknownDossier)?;
        if row.office != self.by.office {
            return Err(Wrong::OtherOffice.into());
        }
        if row.returned_at.is_some() {
            return Err(DeskError::AlreadyGiven);
        }
        if row.status_stated < u32::from(DossierStatus::FINISHED.number()) {
            return Err(DeskError::NotFinished);
        }
        let fact = DossierFact::new(id, self.at, DossierFactBody::Collected);
        let hand = self.by.hand(self.context, self.now);
        record::dossier_facts(&self.context.store, tx, &hand, id, vec![fact]).await?;
        Ok(())
    }
}
