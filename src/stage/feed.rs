//! Stage 5, feed: brings signed events to the receivers of dossier systems.
//!
//! *Event*: an outbox row; its body was frozen when it happened. *Receiver*: an endpoint a dossier system subscribed.
//! *Lane*: the sends to one receiver in a round. Transaction A leases events and counts the attempt. The call happens
//! outside any transaction. Transaction B commits what came of it with its journal entry. If we stop before A, nothing
//! happened; between A and B the lease runs out and the event is sent again under the same id, so a receiver gets each at
//! least once and knows it by `webhook-id`; after B all is known.
//!
//! Per receiver and dossier events leave strictly in order. A failed one is tried again by the schedule; beyond its bounds
//! it is dead: it and the later events of its dossier wait for a person, all other dossiers go on. 410 pauses the
//! receiver. `Retry-After` holds back the whole receiver and is no age.
//!
//! Each receiver has a lane of its own, so one that hangs holds up nobody else. A lane begins with one event and doubles
//! while all goes well; it ends with the first silence.
//!
//! In: the table `outbox`. Out: `outbox`, `endpoint`, journal. Deliberately not here: which change is an event (the store's
//! `record`), and what people do with dead ones (`stage::dead_letter`).

use super::context::{Context, Tick};
use crate::domain::id::EndpointId;
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::retry::{RetryAfter, parse_retry_after};
use crate::domain::time::Timestamp;
use crate::edge::dossier::{EventAnswer, Reach, SendFailure, SignedEvent, signature};
use crate::edge::store::endpoint::{self, Endpoint};
use crate::edge::store::outbox::{self, End, LeasedEvent, THROTTLED};
use crate::edge::store::record::{self, Hand};
use crate::edge::store::{Command, StoreError, Tx};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Receivers that have a lane at one time.
const LANES_MAX: u32 = 256;
/// Answers in a row that were none of success after which a lane ends: the rest can wait for the next round.
const REFUSALS_MAX: u32 = 8;

/// Why a round of feed broke off. What was leased is sent again when its lease runs out.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The store.
    #[error("feed could not read or write")]
    Store(#[from] StoreError),
}

/// One round: a lane for each receiver with events that are due. While lanes run, receivers that get something due are
/// given one too, for as long as one send may take.
///
/// # Errors
/// [`FeedError`] when the store cannot be used; a receiver that does not answer is no error.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, FeedError> {
    let send_ms = i64::try_from(context.limits.event_timeout_ms).unwrap_or(i64::MAX);
    let until = context.clock.now().plus_ms(send_ms);
    let mut lanes = FuturesUnordered::new();
    let mut running = BTreeSet::new();
    let mut in_trouble = BTreeSet::new();
    let mut done = 0_u32;
    loop {
        let changed = context.store.changed();
        if context.clock.now() < until {
            let ready = ready(context).await?;
            let count = u32::try_from(ready.len()).unwrap_or(u32::MAX).max(1);
            for endpoint in ready {
                let id = endpoint.id;
                if !in_trouble.contains(&id) && running.insert(id) {
                    lanes.push(lane(context, endpoint, until, count));
                }
            }
        }
        tokio::select! {
            biased;
            ended = lanes.next() => match ended {
                None => break,
                Some(ended) => {
                    let ended: Lane = ended?;
                    done = done.saturating_add(ended.done);
                    running.remove(&ended.endpoint);
                    // What was ready and could not be claimed is another gateway's.
                    if ended.in_trouble || ended.done == 0 {
                        in_trouble.insert(ended.endpoint);
                    }
                }
            },
            () = changed => {}
        }
    }
    let mut tx = context.store.snapshot().await?;
    let next_at = outbox::next_due(&mut tx, context.clock.now()).await?;
    Ok(Tick { done, next_at })
}

async fn ready(context: &Context) -> Result<Vec<Endpoint>, StoreError> {
    let mut tx = context.store.snapshot().await?;
    outbox::ready(&mut tx, context.clock.now(), LANES_MAX).await
}

/// What a lane did.
struct Lane {
    endpoint: EndpointId,
    done: u32,
    /// Nothing more is sent to this receiver in this round.
    in_trouble: bool,
}

/// Sends what is due to one receiver, more and more at a time while all goes well.
async fn lane(
    context: &Arc<Context>,
    endpoint: Endpoint,
    until: Timestamp,
    lanes: u32,
) -> Result<Lane, StoreError> {
    let endpoint = Arc::new(endpoint);
    let mut lane = Lane {
        endpoint: endpoint.id,
        done: 0,
        in_trouble: false,
    };
    let key = match endpoint.open_secret(&context.store) {
        Ok(key) => key,
        Err(error) => {
            // Nothing can be signed for this receiver; the others go on.
            tracing::error!(endpoint = %endpoint.id, error = %error, "signing secret cannot be opened; its events wait");
            lane.in_trouble = true;
            return Ok(lane);
        }
    };
    let widest = (context.limits.outbox_claim_max / lanes).max(1);
    let (mut width, mut refusals) = (1, 0);
    while context.clock.now() < until || lane.done == 0 {
        let claim = Claim {
            context: Arc::clone(context),
            endpoint: endpoint.id,
            limit: width,
        };
        let claimed = context.store.submit(claim).await?;
        lane.done = lane.done.saturating_add(claimed.touched);
        if claimed.touched == 0 {
            return Ok(lane);
        }
        // Crash here: each claimed event is leased and counted; its lease runs out and it is sent again.
        let sends = claimed
            .events
            .into_iter()
            .map(|event| send(context, &endpoint, &key, event));
        let mut all_well = true;
        for sent in futures_util::future::join_all(sends).await {
            match sent? {
                Went::Well => refusals = 0,
                Went::Refused => {
                    all_well = false;
                    refusals += 1;
                }
                Went::Silent => lane.in_trouble = true,
            }
        }
        if lane.in_trouble || refusals >= REFUSALS_MAX {
            lane.in_trouble = true;
            return Ok(lane);
        }
        width = if all_well {
            width.saturating_mul(2).min(widest)
        } else {
            1
        };
    }
    Ok(lane)
}

/// How a send went, for its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    Well,
    /// An answer, but not of success.
    Refused,
    /// No answer, or the wish to be left alone: the receiver as a whole.
    Silent,
}

/// Makes one call and commits what came of it.
async fn send(
    context: &Arc<Context>,
    endpoint: &Arc<Endpoint>,
    key: &Zeroizing<Vec<u8>>,
    event: LeasedEvent,
) -> Result<Went, StoreError> {
    let now = context.clock.now();
    let send_ms = i64::try_from(context.limits.event_timeout_ms).unwrap_or(i64::MAX);
    if now.plus_ms(send_ms) > event.lease_until {
        // The commit of the lease took too long: by the end of this send somebody else might send a later event.
        return Ok(Went::Silent);
    }
    let (id, timestamp_s) = (event.id.to_string(), now.as_ms().div_euclid(1_000));
    let signed = SignedEvent {
        url: endpoint.url.clone(),
        reach: reach(endpoint),
        signature: signature::sign(key, &id, timestamp_s, &event.body),
        id,
        timestamp_s,
        body: event.body.clone(),
        timeout_ms: context.limits.event_timeout_ms,
    };
    let answer = context.events.send(&signed).await;
    // Crash here: the receiver may have it; the lease runs out and it is sent again under the same id.
    let went = match &answer {
        EventAnswer::Taken => Went::Well,
        EventAnswer::Refused { .. } => Went::Refused,
        EventAnswer::Gone | EventAnswer::Throttled { .. } | EventAnswer::Failed(_) => Went::Silent,
    };
    let finish = Finish {
        context: Arc::clone(context),
        endpoint: endpoint.id,
        event,
        answer,
        // Drawn here, so that a command begun again comes to the same.
        chance: context.rng.next_u64(),
        now: context.clock.now(),
    };
    context.store.submit(finish).await?;
    Ok(went)
}

/// Where a receiver may lie.
const fn reach(endpoint: &Endpoint) -> Reach {
    if endpoint.private_allowed {
        Reach::Private
    } else {
        Reach::Public
    }
}

/// Transaction A.
struct Claim {
    context: Arc<Context>,
    endpoint: EndpointId,
    limit: u32,
}

struct Claimed {
    events: Vec<LeasedEvent>,
    /// Events moved, given-up ones included.
    touched: u32,
}

impl Command for Claim {
    const NAME: &'static str = "feed_claim";
    type Output = Claimed;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Claimed, StoreError> {
        let limits = &self.context.limits;
        let now = self.context.clock.now();
        let until = now.plus_ms(limits.outbox_lease_ms);
        let leased = outbox::claim(tx, self.endpoint, (now, until), self.limit).await?;
        let touched = u32::try_from(leased.len()).unwrap_or(u32::MAX);
        let mut events = Vec::with_capacity(leased.len());
        for event in leased {
            // More begun than allowed: each send so far broke off before its outcome, as if the event killed its sender.
            if event.attempts > limits.outbox_retry.attempts_max() {
                let end = End::Dead {
                    due_at: now,
                    detail: "broke_off".to_owned(),
                };
                close(tx, &self.context, (self.endpoint, &event), &end, now).await?;
            } else {
                events.push(event);
            }
        }
        Ok(Claimed { events, touched })
    }
}

/// Transaction B.
struct Finish {
    context: Arc<Context>,
    endpoint: EndpointId,
    event: LeasedEvent,
    answer: EventAnswer,
    chance: u64,
    now: Timestamp,
}

/// Chance that was drawn before.
struct Drawn(u64);

impl crate::domain::time::Rng for Drawn {
    fn next_u64(&self) -> u64 {
        self.0
    }
}

impl Command for Finish {
    const NAME: &'static str = "feed_finish";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let end = self.judge();
        let event = (self.endpoint, &self.event);
        if !close(tx, &self.context, event, &end, self.now).await? {
            // The lease is stale: somebody else sends this event. A second delivery under one id changes nothing.
            return Ok(());
        }
        if self.answer == EventAnswer::Gone && endpoint::set_endpoint_active(tx, self.endpoint, false).await?
        {
            tracing::error!(endpoint = %self.endpoint, "receiver of events answered 410 Gone; it is paused");
            let fields = Fields::new()
                .bytes(Tag::Endpoint, self.endpoint.as_bytes())
                .ascii(Tag::Word, "endpoint_paused")
                .ascii(Tag::Reason, "gone");
            hand(&self.context, self.now)
                .append_system(tx, Kind::ConfigurationChanged, fields)
                .await?;
        }
        Ok(())
    }
}

impl Finish {
    /// What the answer leads to.
    fn judge(&self) -> End {
        let detail = match &self.answer {
            EventAnswer::Taken => return End::Sent,
            EventAnswer::Gone => {
                return End::Dead {
                    due_at: self.now,
                    detail: "gone".to_owned(),
                };
            }
            EventAnswer::Throttled { .. } => THROTTLED.to_owned(),
            EventAnswer::Refused { status } => format!("http_{status}"),
            EventAnswer::Failed(failure) => SendFailure::as_str(*failure).to_owned(),
        };
        let schedule = self.context.limits.outbox_retry;
        let (attempts, chance) = (self.event.attempts, Drawn(self.chance));
        let asked_ms = self.asked_ms();
        let (wait_ms, age_ms) = match &self.answer {
            EventAnswer::Throttled { .. } => (
                schedule.delay_after_throttle_ms(attempts, asked_ms, &chance),
                asked_ms.unwrap_or(0),
            ),
            EventAnswer::Taken | EventAnswer::Gone | EventAnswer::Refused { .. } | EventAnswer::Failed(_) => {
                (schedule.delay_ms(attempts, &chance), 0)
            }
        };
        let due_at = self.now.plus_ms(wait_ms);
        let first_at = self.event.first_at;
        if schedule.exhausted(attempts, first_at, self.now, 0).is_some() {
            let due_at = if asked_ms.is_some() { due_at } else { self.now };
            return End::Dead { due_at, detail };
        }
        End::Later {
            due_at,
            // The wait was asked for: it is no age of the event.
            first_at: first_at.plus_ms(age_ms),
            detail,
        }
    }

    /// The wait the receiver asked for, milliseconds; however long, it is kept.
    fn asked_ms(&self) -> Option<i64> {
        let EventAnswer::Throttled {
            retry_after: Some(text),
        } = &self.answer
        else {
            return None;
        };
        match parse_retry_after(text, self.now)? {
            RetryAfter::WaitMs(wait_ms) => Some(wait_ms),
            RetryAfter::BreakerOpenUntil(until) => {
                tracing::warn!(endpoint = %self.endpoint, "receiver of events asks for a wait of more than a day");
                Some(until.since_ms(self.now))
            }
        }
    }
}

/// Ends a lease with its journal entry. `Ok(false)`: the lease is stale and nothing was changed.
async fn close(
    tx: &mut Tx,
    context: &Context,
    (endpoint, event): (EndpointId, &LeasedEvent),
    end: &End,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !outbox::end(tx, event, end, now).await? {
        return Ok(false);
    }
    let fields = Fields::new()
        .bytes(Tag::Endpoint, endpoint.as_bytes())
        .bytes(Tag::Record, event.id.as_bytes())
        .int(Tag::Sequence, event.sequence)
        .int(Tag::AttemptNumber, i64::from(event.attempts));
    let hand = hand(context, now);
    match end {
        End::Later { .. } => {}
        End::Sent => record::note_dossier(tx, &hand, event.dossier, Kind::EventDelivered, fields).await?,
        End::Dead { detail, .. } => {
            tracing::error!(endpoint = %endpoint, event = %event.id, detail, "event given up; it waits in the dead letters");
            let fields = fields.ascii(Tag::Reason, detail);
            record::note_dossier(tx, &hand, event.dossier, Kind::EventGivenUp, fields).await?;
        }
    }
    Ok(true)
}

fn hand(context: &Context, now: Timestamp) -> Hand<'_> {
    Hand {
        ids: &*context.ids,
        now,
        actor: Actor::STAGE,
        office: [0; 16],
    }
}
