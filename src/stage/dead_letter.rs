//! Room `stage`: what people do with events that were given up.
//!
//! *Redrive*: the event goes back, attempts and age from zero, and the later ones of its dossier follow it in order.
//! *Skip*: it is given up for good and the later ones go on; the receiver sees the gap in the numbers. Both name a person
//! of the desk and a reason from a closed list, so that no text of a person gets into the journal.
//!
//! In: identifiers, a login, a reason. Out: rows of `outbox`, an entry each. Deliberately not here: sending (`feed`), and
//! what settles a shipment whose sending is held.

use super::context::Context;
use crate::domain::id::{EndpointId, OutboxId, ShipmentId, StaffId};
use crate::domain::journal::{Actor, ActorKind, Fields, Kind, Tag};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::edge::store::dead_letter::{self, EventRow, HeldShipment};
use crate::edge::store::record::{self, Hand};
use crate::edge::store::{Command, StoreError, Tx, outbox, reference};
use std::sync::Arc;

/// Events settled in one transaction.
const PAGE: u32 = 100;
/// Rows of each kind in a list.
pub const LIST_MAX: u32 = 1_000;

/// Why events could not be settled.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The person is unknown, not active, or neither administrator nor dispatcher.
    #[error("nobody active has this login and is administrator or dispatcher of an office")]
    NotAllowed,
    /// No event of this identifier.
    #[error("there is no event {0}")]
    NoEvent(OutboxId),
}

/// What to do with a dead event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Send it again.
    Redrive,
    /// Let the later ones go on without it.
    Skip,
}

/// Why, from a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The receiver works again.
    ReceiverMended,
    /// The receiver's people asked for it.
    ReceiverAsked,
    /// A fault of ours was mended.
    FaultMended,
    /// The receiver has learnt it by another way.
    KnownOtherwise,
    /// The receiver cannot take this event at all.
    Unacceptable,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::ReceiverMended,
        Self::ReceiverAsked,
        Self::FaultMended,
        Self::KnownOtherwise,
        Self::Unacceptable,
    ];

    /// The word in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReceiverMended => "receiver_mended",
            Self::ReceiverAsked => "receiver_asked",
            Self::FaultMended => "fault_mended",
            Self::KnownOtherwise => "known_otherwise",
            Self::Unacceptable => "unacceptable",
        }
    }
}

/// A person's ruling.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// What to do.
    pub act: Act,
    /// Why.
    pub reason: Reason,
    /// Login of who says so.
    pub login: String,
}

/// Everything given up: events, and shipments whose sending is held.
///
/// # Errors
/// [`DeadLetterError::Store`].
pub async fn list(context: &Context) -> Result<(Vec<EventRow>, Vec<HeldShipment>), DeadLetterError> {
    let mut tx = context.store.snapshot().await?;
    let events = dead_letter::events(&mut tx, None, OutboxId::from_bytes([0; 16]), LIST_MAX).await?;
    let held = dead_letter::held(&mut tx, ShipmentId::from_bytes([0; 16]), LIST_MAX).await?;
    Ok((events, held))
}

/// An event with its body; `None` for an unknown one.
///
/// # Errors
/// [`DeadLetterError::Store`].
pub async fn show(context: &Context, id: OutboxId) -> Result<Option<(EventRow, Vec<u8>)>, DeadLetterError> {
    let mut tx = context.store.snapshot().await?;
    Ok(dead_letter::event(&mut tx, id).await?)
}

/// Rules on these events, all or none; how many were dead and are not any more.
///
/// # Errors
/// [`DeadLetterError`].
pub async fn settle(
    context: &Arc<Context>,
    ids: Vec<OutboxId>,
    ruling: Ruling,
) -> Result<u32, DeadLetterError> {
    let settle = Settle {
        context: Arc::clone(context),
        ids,
        ruling,
        now: context.clock.now(),
    };
    context.store.submit(settle).await
}

/// Rules on every dead event of a receiver, a page at a time; how many.
///
/// # Errors
/// [`DeadLetterError`]; the pages before it stand.
pub async fn settle_all_of(
    context: &Arc<Context>,
    endpoint: EndpointId,
    ruling: &Ruling,
) -> Result<u32, DeadLetterError> {
    let mut after = OutboxId::from_bytes([0; 16]);
    let mut settled = 0_u32;
    loop {
        let mut tx = context.store.snapshot().await?;
        let page = dead_letter::events(&mut tx, Some(endpoint), after, PAGE).await?;
        drop(tx);
        let ids: Vec<OutboxId> = page.iter().map(|event| event.id).collect();
        // An empty list is settled too: it proves that the person might have done so.
        let last = ids.last().copied();
        settled = settled.saturating_add(settle(context, ids, ruling.clone()).await?);
        match last {
            Some(last) => after = last,
            None => return Ok(settled),
        }
    }
}

struct Settle {
    context: Arc<Context>,
    ids: Vec<OutboxId>,
    ruling: Ruling,
    now: Timestamp,
}

impl Command for Settle {
    const NAME: &'static str = "dead_letter_settle";
    type Output = u32;
    type Error = DeadLetterError;

    async fn run(&self, tx: &mut Tx) -> Result<u32, DeadLetterError> {
        let staff = allowed(tx, &self.ruling.login, self.now).await?;
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: Actor {
                kind: ActorKind::Staff,
                id: *staff.as_bytes(),
            },
            office: [0; 16],
        };
        let mut settled = 0;
        for id in &self.ids {
            let found = dead_letter::event(tx, *id).await?;
            let (event, _body) = found.ok_or(DeadLetterError::NoEvent(*id))?;
            let (moved, kind, word) = match self.ruling.act {
                Act::Redrive => (
                    outbox::redrive(tx, *id, self.now).await?,
                    Kind::EventRedriven,
                    "redriven",
                ),
                Act::Skip => (
                    outbox::skip(tx, *id, self.now).await?,
                    Kind::EventGivenUp,
                    "skipped",
                ),
            };
            if moved {
                let fields = Fields::new()
                    .bytes(Tag::Endpoint, event.endpoint.as_bytes())
                    .bytes(Tag::Record, id.as_bytes())
                    .int(Tag::Sequence, event.sequence)
                    .ascii(Tag::Word, word)
                    .ascii(Tag::Reason, self.ruling.reason.as_str());
                record::note_dossier(tx, &hand, event.dossier, kind, fields).await?;
                settled += 1;
            }
        }
        Ok(settled)
    }
}

/// The person behind a login, if active and administrator or dispatcher of some office now. Events belong to no office's
/// desk, so any office will do.
async fn allowed(tx: &mut Tx, login: &str, now: Timestamp) -> Result<StaffId, DeadLetterError> {
    let staff = reference::staff_by_login(tx, login).await?;
    let staff = staff
        .filter(|staff| staff.active)
        .ok_or(DeadLetterError::NotAllowed)?;
    let roles = reference::roles(tx, staff.id, now).await?;
    let may = roles
        .iter()
        .any(|(_office, word)| matches!(Role::parse(word), Some(Role::Administrator | Role::Dispatcher)));
    may.then_some(staff.id).ok_or(DeadLetterError::NotAllowed)
}
