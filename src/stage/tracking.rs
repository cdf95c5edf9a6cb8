//! Stage 4, tracking: reads the inbox, and folds.
//!
//! A callback that proves nothing only pulls the next look forward. An answer to our own question is taken apart into
//! events; each is known for ever by its identity, so it counts once however often and by whatever door it comes. A code
//! nobody mapped and a time that cannot be are kept in quarantine, shown, and read again with the next answer once they
//! are understood; neither is ever an error to the operator. In: unread inbox rows. Out, in one transaction per row:
//! events, facts, shipment, dossier, outbox, journal, and hints to `poll` and `queue`. If we stop in the middle the row is
//! still unread. A row that breaks is set aside as garbage and blocks no other. Deliberately not here: the network.

use super::context::{Context, Tick};
use crate::domain::capability::{Authenticity, Door, EventIdentity};
use crate::domain::delivery::{DeliveryFact, DeliveryState, FactId};
use crate::domain::id::{AccountId, InboxId, ShipmentId};
use crate::domain::journal::{Actor, ActorKind, Fields, Kind, Tag, clean_code};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{
    CallbackReading, CallbackRecord, Carrier, CodeMeaning, Journey, JourneyRow, Reading, WireResponse,
};
use crate::edge::store::account::{self, Account};
use crate::edge::store::inbox::{self, InboxDoor, InboxRow, ReadState};
use crate::edge::store::record::{self, Hand, NewFacts};
use crate::edge::store::shipment::{self, OperatorName, ShipmentRow};
use crate::edge::store::tracking_event::{self, EventState, NewEvent};
use crate::edge::store::{Command, RecordKey, StoreError, Tx, personal, poll, queue};
use futures_util::StreamExt as _;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows handed to the writer at one time; it commits them together.
const PARALLEL: usize = 64;
/// A shipment in doubt is looked up on hints at most once in this time, milliseconds.
const DOUBT_HINT_MS: i64 = 60_000;
/// An event may be this much older than our own registration, milliseconds: clocks differ.
const BEFORE_ORDER_MS: i64 = 3_600_000;

/// Reasons of quarantine, as stored.
const UNKNOWN_CODE: &str = "unknown_code";
const NO_TIME: &str = "no_time";
const FUTURE: &str = "future";
const BEFORE_ORDER: &str = "before_order";

/// One round: up to the limit of unread rows, oldest first.
///
/// # Errors
/// [`StoreError`] when the store cannot be used; a single row that cannot be read is no error.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, StoreError> {
    let mut tx = context.store.snapshot().await?;
    let unread = inbox::unread(&mut tx, context.limits.inbox_claim_max).await?;
    drop(tx);
    let results: Vec<Result<bool, StoreError>> = futures_util::stream::iter(unread)
        .map(|id| one(context, id))
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    let mut done = 0;
    for result in results {
        done += u32::from(result?);
    }
    Ok(Tick { done, next_at: None })
}

async fn one(context: &Arc<Context>, id: InboxId) -> Result<bool, StoreError> {
    let read = ReadRow {
        context: Arc::clone(context),
        id,
        now: context.clock.now(),
    };
    match context.store.submit(read).await {
        Err(
            error @ (StoreError::Corrupt { .. }
            | StoreError::Constraint { .. }
            | StoreError::Seal { .. }
            | StoreError::Panicked),
        ) => {
            tracing::error!(inbox = %id, error = %error, "an inbox row cannot be read; it is kept and set aside");
            let set_aside = SetAside {
                id,
                now: context.clock.now(),
            };
            context.store.submit(set_aside).await
        }
        other => other,
    }
}

struct SetAside {
    id: InboxId,
    now: Timestamp,
}

impl Command for SetAside {
    const NAME: &'static str = "tracking_set_aside";
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        if let Ok(Some(row)) = inbox::lock(tx, self.id).await
            && let InboxDoor::Pull(shipment) = row.door
        {
            // What stood in it is not lost: the operator tells it again, and then it is read.
            poll::forget(tx, shipment).await?;
        }
        inbox::end(tx, self.id, ReadState::Garbage, self.now).await
    }
}

struct ReadRow {
    context: Arc<Context>,
    id: InboxId,
    now: Timestamp,
}

impl Command for ReadRow {
    const NAME: &'static str = "tracking_read";
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let Some(row) = inbox::lock(tx, self.id).await? else {
            return Ok(false);
        };
        let key = match personal::key(&self.context.store, tx, row.record).await {
            Ok(key) => key,
            // Erased before it was read: nothing can be learned from it any more.
            Err(StoreError::Erased) => return inbox::end(tx, row.id, ReadState::Garbage, self.now).await,
            Err(error) => return Err(error),
        };
        let bytes = row.open(&key)?;
        let account = account::account(tx, row.account).await?;
        let account = account.ok_or(StoreError::Corrupt {
            place: "inbox.account",
        })?;
        let carrier = self.context.carriers.find(&account.adapter);
        let carrier = &**carrier.ok_or(StoreError::Corrupt {
            place: "operator_account.adapter",
        })?;
        let state = match row.door {
            InboxDoor::Push => match carrier.read_callback(&bytes) {
                CallbackReading::Garbage { detail } => {
                    tracing::warn!(
                        account = account.code,
                        detail,
                        "a callback is not in the operator's form; it is kept"
                    );
                    ReadState::Garbage
                }
                CallbackReading::Records { records, .. } => {
                    self.hints(tx, account.id, &records).await?;
                    ReadState::Read
                }
            },
            InboxDoor::Pull(shipment) => {
                let answer = WireResponse {
                    status: 200,
                    retry_after: None,
                    body: bytes.to_vec(),
                };
                match carrier.read_journey(&answer) {
                    Reading::Answer(journey) => {
                        let telling = Telling {
                            account: &account,
                            carrier,
                            key: &key,
                            row: &row,
                        };
                        self.told(tx, &telling, shipment, journey).await?;
                        ReadState::Read
                    }
                    Reading::Absent
                    | Reading::TokenRefused
                    | Reading::Throttled { .. }
                    | Reading::Unreadable { .. } => ReadState::Garbage,
                }
            }
        };
        inbox::end(tx, row.id, state, self.now).await
    }
}

/// An answer of an operator, and what is needed to understand it.
struct Telling<'a> {
    account: &'a Account,
    carrier: &'a dyn Carrier,
    key: &'a RecordKey,
    row: &'a InboxRow,
}

impl ReadRow {
    /// Each record names a shipment to look at. No word of it is believed: a callback's rows carry no times of their own,
    /// so even a proven door is confirmed by a look. A shipment of ours that nobody looks at any more is looked at again.
    async fn hints(
        &self,
        tx: &mut Tx,
        account: AccountId,
        records: &[CallbackRecord],
    ) -> Result<(), StoreError> {
        let named: BTreeSet<[Option<&str>; 3]> = records.iter().map(names).collect();
        let mut found = BTreeSet::new();
        for [reference, tracking, operator_id] in named {
            let ways = [
                reference.map(OperatorName::Reference),
                tracking.map(OperatorName::Tracking),
                operator_id.map(OperatorName::OperatorId),
            ];
            for name in ways.into_iter().flatten() {
                // An order of nobody: the operator has other customers' mistakes, and forgers invent names.
                if let Some(id) = shipment::by_name(tx, account, name).await? {
                    found.insert(id);
                    break;
                }
            }
        }
        for id in found {
            self.hint(tx, account, id).await?;
        }
        Ok(())
    }

    async fn hint(&self, tx: &mut Tx, account: AccountId, id: ShipmentId) -> Result<(), StoreError> {
        let shipment = shipment::lock(tx, id).await?;
        let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
        match shipment.state {
            // Before our own answer: that answer is on its way, or will be asked for.
            DeliveryState::Queued | DeliveryState::Submitting => {}
            // At the next full minute, so that however many hints cause one look-up a minute.
            DeliveryState::InDoubt => {
                let ms = self.now.as_ms();
                let next_minute = ms.saturating_sub(ms.rem_euclid(DOUBT_HINT_MS)) + DOUBT_HINT_MS;
                queue::hint_doubt(tx, id, Timestamp::from_ms(next_minute)).await?;
            }
            DeliveryState::CancelRequested | DeliveryState::At(_) => {
                if !poll::hint(tx, id, self.now).await? && !shipment.closed {
                    poll::start(tx, id, account, self.now).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes the operator's history apart.
    async fn told(
        &self,
        tx: &mut Tx,
        telling: &Telling<'_>,
        id: ShipmentId,
        journey: Journey,
    ) -> Result<(), StoreError> {
        let shipment = shipment::lock(tx, id).await?;
        let shipment = shipment.ok_or(StoreError::Corrupt { place: "shipment" })?;
        let proven = telling.account.capabilities.authenticity(Door::PullOne) == Authenticity::Proven;
        let mut new = NewFacts::default();
        let mut flag_moved = false;
        let known = tracking_event::known(tx, id).await?;
        for row in &journey.rows {
            if !proven {
                break;
            }
            let meaning = telling.carrier.meaning(&row.code);
            let state = self.judge(&shipment, row, meaning.as_ref());
            let event = event(telling, id, row, state);
            // Most rows of a history were told before; only one in quarantine may be judged otherwise by now.
            let before = known.get(&event.identity);
            let told_before = match (before, state) {
                (Some(None), _) => true,
                (Some(Some(reason)), EventState::Quarantined(now)) => reason == now,
                (None, _) | (Some(Some(_)), EventState::Applied | EventState::Note) => false,
            };
            if told_before || !tracking_event::put(tx, &event, (telling.row.id, self.now)).await? {
                continue;
            }
            flag_moved |= state == EventState::Quarantined(UNKNOWN_CODE) || before.is_some();
            match (state, meaning, row.occurred_at) {
                (EventState::Applied, Some(meaning), Some(at)) => {
                    new.delivery
                        .extend(facts(id, row, at, &meaning).map(|fact| (fact, event.map_version)));
                }
                (EventState::Quarantined(reason), _, _) => {
                    new.entries.push((
                        Kind::EventQuarantined,
                        event.occurred_at,
                        quarantined(&event, reason),
                    ));
                }
                (EventState::Applied | EventState::Note, _, _) => {}
            }
        }
        if flag_moved {
            let code = tracking_event::unknown_code(tx, id).await?;
            shipment::set_unknown_code(tx, id, code.as_deref()).await?;
        }
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: Actor {
                kind: ActorKind::Operator,
                id: *telling.account.id.as_bytes(),
            },
            office: *shipment.offices.sending.as_bytes(),
        };
        record::shipment_facts(&self.context.store, tx, &hand, id, new).await?;
        shipment::set_heard(tx, id, self.now).await
    }

    /// What becomes of a row: an unknown code first, since only a known one can be a note without a time.
    fn judge(&self, shipment: &ShipmentRow, row: &JourneyRow, meaning: Option<&CodeMeaning>) -> EventState {
        let Some(meaning) = meaning else {
            return EventState::Quarantined(UNKNOWN_CODE);
        };
        if meaning.facts.is_empty() {
            return EventState::Note;
        }
        let Some(at) = row.occurred_at else {
            return EventState::Quarantined(NO_TIME);
        };
        let earliest = shipment
            .created_at
            .plus_ms(-BEFORE_ORDER_MS)
            .truncate(row.resolution);
        if at > self.now.plus_ms(self.context.limits.clock_skew_max_ms) {
            EventState::Quarantined(FUTURE)
        } else if at.truncate(row.resolution) < earliest {
            EventState::Quarantined(BEFORE_ORDER)
        } else {
            EventState::Applied
        }
    }
}

/// The names of a record. PostgreSQL takes no text with a zero byte, and no shipment of ours has such a name.
fn names(record: &CallbackRecord) -> [Option<&str>; 3] {
    [&record.reference, &record.tracking_number, &record.operator_id]
        .map(|name| name.as_deref().filter(|name| !name.contains('\0')))
}

/// The facts that a row states.
fn facts(
    id: ShipmentId,
    row: &JourneyRow,
    at: Timestamp,
    meaning: &CodeMeaning,
) -> impl Iterator<Item = DeliveryFact> {
    let (code, resolution, partial) = (row.code.clone(), row.resolution, meaning.partial);
    let kinds = meaning.facts.clone();
    kinds
        .into_iter()
        .map(move |kind| DeliveryFact::event(id, (at, resolution), &code, kind, partial))
}

/// The row as an event, with its identity: code and time, and the place where the account says so. What has no time is
/// known by its words; they may hold personal data, so their digest is keyed.
fn event(telling: &Telling<'_>, id: ShipmentId, row: &JourneyRow, state: EventState) -> NewEvent {
    let code = clean_code(&row.code);
    let place = match telling.account.capabilities.event_identity {
        EventIdentity::CodeAndTime => Vec::new(),
        EventIdentity::CodeTimeAndPlace => {
            let place = row.place.as_deref().unwrap_or_default();
            telling.key.digest("event_place", place.as_bytes()).to_vec()
        }
    };
    let occurred_at = row.occurred_at.map(|at| at.truncate(row.resolution));
    let identity = if let Some(at) = occurred_at {
        let at = at.as_ms().to_be_bytes();
        FactId::of(id.as_bytes(), &[b"event", code.as_bytes(), &at, &place])
    } else {
        let words = [row.name.as_deref(), row.place.as_deref()].map(Option::unwrap_or_default);
        let words = telling.key.digest("event_words", words.join("\0").as_bytes());
        FactId::of(id.as_bytes(), &[b"event without time", code.as_bytes(), &words])
    };
    NewEvent {
        shipment: id,
        identity: identity.0,
        code,
        occurred_at,
        resolution: row.resolution,
        state,
        map_version: telling.carrier.map_version(),
    }
}

/// The journal's fields of an event in quarantine.
fn quarantined(event: &NewEvent, reason: &str) -> Fields {
    Fields::new()
        .ascii(Tag::Code, &event.code)
        .ascii(Tag::Reason, reason)
        .int(Tag::Resolution, event.resolution.code())
        .bytes(Tag::Evidence, &event.identity)
}
