//! Room `stage`: closing a hand-over list (bảng kê bàn giao).
//!
//! In: the envelopes the postal worker took or refused. Out: one closed list with its custody facts, in one
//! transaction. A closed list never changes. Deliberately not here: printing it.

use super::{By, DESK_ROLES, DeskError, Seen, Wrong, require_role, see};
use crate::domain::address::looks_like_id_number;
use crate::domain::custody::{CustodyAct, CustodyFact, Place};
use crate::domain::id::{HandoverId, ShipmentId};
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::name::tidy;
use crate::domain::time::Timestamp;
use crate::edge::store::handover::{self, Handover, HandoverItem};
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::{Command, Tx, acting, journal};
use crate::stage::context::Context;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Envelopes on one list at most: a sheet a postal worker can count, and a transaction that stays short.
pub const LIST_MAX: usize = 200;

/// A hand-over entered later than this needs a reason (nhập bù), in milliseconds: one hour.
pub const LATE_AFTER_MS: i64 = 3_600_000;

/// What the postal worker did with an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taking {
    /// Took it.
    Taken,
    /// Refused it: torn, unsealed, unaddressed. The paper stays at the desk.
    RefusedByPost(String),
}

/// One envelope of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedItem {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// What the postal worker did.
    pub taking: Taking,
}

/// A list to be closed. The person who enters it is the one who gave unless it is entered afterwards.
#[derive(Clone, Debug)]
pub struct CloseHandover {
    /// Who gave, for which office.
    pub given: By,
    /// Who enters it.
    pub entered_by: By,
    /// Work identity of the postal worker: a number or a login, never a private datum.
    pub taken_by: String,
    /// The envelopes in the order of the list.
    pub items: Vec<ListedItem>,
    /// Real time of the hand-over.
    pub handed_over_at: Timestamp,
    /// Why it is entered afterwards.
    pub late_reason: Option<String>,
}

/// A list as closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedHandover {
    /// Identifier.
    pub id: HandoverId,
    /// Number of the office in the year, from 1.
    pub number: i64,
    /// Civil year.
    pub year: i64,
    /// Envelopes taken.
    pub taken: u32,
    /// Envelopes refused by the postal worker.
    pub refused: u32,
}

/// Closes a list. Envelopes not booked or in doubt may stand on it; a single wrong one refuses the whole list, and each
/// wrong one is named by its position.
///
/// # Errors
/// [`DeskError`]; nothing was handed over then.
pub async fn close_handover(
    context: &Arc<Context>,
    list: CloseHandover,
) -> Result<ClosedHandover, DeskError> {
    let late_reason = match list.late_reason.as_deref() {
        None => None,
        Some(text) => Some(checked("late reason", text)?),
    };
    let taken_by = checked("work identity of the postal worker", &list.taken_by)?;
    for item in &list.items {
        if let Taking::RefusedByPost(reason) = &item.taking {
            checked("reason of the refusal", reason)?;
        }
    }
    let list = CloseHandover {
        taken_by,
        late_reason,
        ..list
    };
    if list.items.is_empty() || list.items.len() > LIST_MAX {
        return Err(DeskError::ListLength {
            found: list.items.len(),
        });
    }
    let context = Arc::clone(context);
    let store = context.store.clone();
    store.submit(CloseCommand { context, list }).await
}

/// 1 to 200 characters, tidy, without what looks like an identity number: these texts are kept in the open.
fn checked(what: &'static str, text: &str) -> Result<String, DeskError> {
    let text = tidy(text);
    let length = text.chars().count();
    if length == 0 || length > 200 || looks_like_id_number(&text) {
        return Err(DeskError::Text(what));
    }
    Ok(text)
}

struct CloseCommand {
    context: Arc<Context>,
    list: CloseHandover,
}

impl Command for CloseCommand {
    const NAME: &'static str = "close_handover";
    type Output = ClosedHandover;
    type Error = DeskError;

    async fn run(&self, tx: &mut Tx) -> Result<ClosedHandover, DeskError> {
        let (list, now) = (&self.list, self.context.clock.now());
        if list.handed_over_at > now {
            return Err(DeskError::Future);
        }
        let late = now.since_ms(list.handed_over_at) > LATE_AFTER_MS;
        if late && list.late_reason.is_none() {
            return Err(DeskError::LateReasonMissing);
        }
        if list.given.office != list.entered_by.office
            || !handover::lock_office(tx, list.given.office).await?
        {
            return Err(DeskError::NotAllowed);
        }
        require_role(tx, list.entered_by, now).await?;
        let giver = (list.given.staff, list.given.office);
        if !acting::may_act(tx, giver, list.handed_over_at, DESK_ROLES).await? {
            return Err(DeskError::NotAllowed);
        }
        let items = self.check(tx).await?;
        self.write(tx, items, now).await
    }
}

impl CloseCommand {
    /// Looks at every envelope; all that are wrong are named.
    async fn check(&self, tx: &mut Tx) -> Result<Vec<HandoverItem>, DeskError> {
        let mut wrong = Vec::new();
        let mut seen_before = BTreeSet::new();
        let mut items = Vec::with_capacity(self.list.items.len());
        for (item, position) in self.list.items.iter().zip(1_u32..) {
            let verdict = if seen_before.insert(item.shipment) {
                self.check_one(tx, item).await?
            } else {
                Err(Wrong::Twice)
            };
            match verdict {
                Ok(short_number) => items.push(HandoverItem {
                    shipment: item.shipment,
                    short_number,
                    position,
                    taken: item.taking == Taking::Taken,
                    reason: match &item.taking {
                        Taking::Taken => None,
                        Taking::RefusedByPost(reason) => Some(tidy(reason)),
                    },
                }),
                Err(why) => wrong.push((position, why)),
            }
        }
        if wrong.is_empty() {
            Ok(items)
        } else {
            Err(DeskError::List(wrong))
        }
    }

    async fn check_one(&self, tx: &mut Tx, item: &ListedItem) -> Result<Result<String, Wrong>, DeskError> {
        let seen = match see(tx, item.shipment).await {
            Ok(seen) => seen,
            Err(DeskError::Wrong(why)) => return Ok(Err(why)),
            Err(error) => return Err(error),
        };
        let latest = seen.require_latest(self.list.handed_over_at, None);
        if let Err(why) = may_leave(&seen, self.list.given).and(latest) {
            return Ok(Err(why));
        }
        let papers = handover::papers(tx, item.shipment).await?;
        if papers.iter().any(|paper| paper.withdrawn) {
            return Ok(Err(Wrong::Withdrawn));
        }
        let stays = |paper: &handover::Paper| {
            let place = seen.items.get(&paper.item);
            !matches!(place, None | Some(Place::AtDesk | Place::Packed))
                || (place.is_none() && !seen.items.is_empty())
        };
        if papers.iter().any(stays) {
            return Ok(Err(Wrong::PaperNotIn));
        }
        Ok(Ok(seen.row.short_number))
    }

    async fn write(
        &self,
        tx: &mut Tx,
        items: Vec<HandoverItem>,
        now: Timestamp,
    ) -> Result<ClosedHandover, DeskError> {
        let list = &self.list;
        let office = list.given.office;
        let hand = list.entered_by.hand(&self.context, now);
        let year = i64::from(list.handed_over_at.local_date().year());
        let head = Handover {
            id: HandoverId::new(hand.ids),
            office,
            number: handover::next_number(tx, office, year).await?,
            year,
            given_by: list.given.staff,
            taken_by: list.taken_by.clone(),
            handed_over_at: list.handed_over_at,
            entered_at: now,
            late_reason: list.late_reason.clone(),
        };
        handover::insert(tx, &head, &items).await?;
        let taken: Vec<&HandoverItem> = items.iter().filter(|item| item.taken).collect();
        for item in &taken {
            let at = list.handed_over_at;
            let act = CustodyAct::HandedOver;
            let new = NewFacts {
                custody: vec![CustodyFact::new(item.shipment, at, act, None, Some(head.id))],
                ..NewFacts::default()
            };
            record::shipment_facts(&self.context.store, tx, &hand, item.shipment, new).await?;
        }
        let (subject, sequence) = handover::next_office_sequence(tx, office).await?;
        let fields = Fields::new()
            .bytes(Tag::Handover, head.id.as_bytes())
            .bytes(Tag::Staff, head.given_by.as_bytes())
            .int(Tag::Sequence, head.number)
            .int(Tag::Count, count(taken.len()).into())
            .bytes(Tag::Evidence, &list_digest(&items));
        let at = Some(list.handed_over_at);
        let entry = hand.entry(Kind::HandoverClosed, subject, sequence, at, fields);
        journal::append(tx, &entry).await?;
        Ok(ClosedHandover {
            id: head.id,
            number: head.number,
            year,
            taken: count(taken.len()),
            refused: count(items.len() - taken.len()),
        })
    }
}

/// Binds the journal entry to the list: SHA-256 over the envelopes in order, each with whether it was taken. Nothing
/// personal goes in.
fn list_digest(items: &[HandoverItem]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"hoibao/handover/v1");
    for item in items {
        digest.update(item.shipment.as_bytes());
        digest.update([u8::from(item.taken)]);
    }
    digest.finalize().into()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn may_leave(seen: &Seen, given: By) -> Result<(), Wrong> {
    if seen.row.offices.sending != given.office {
        return Err(Wrong::OtherOffice);
    }
    seen.require_here()?;
    seen.require_open()?;
    if seen.held {
        return Err(Wrong::Held);
    }
    Ok(())
}
