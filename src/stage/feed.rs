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
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::retry::{RetryAfter, parse_retry_after};
use crate::domain::time::Timestamp;
use crate::edge::dossier::{EventAnswer, Reach, SignedEvent, signature};
use crate::edge::store::endpoint::{self, Endpoint};
use crate::edge::store::outbox::{self, End, LeasedEvent, THROTTLED};
use crate::edge::store::record;
use crate::edge::store::{Command, StoreError, Tx};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use zeroize::Zeroizing;

/// Receivers that have a lane at one time.
const LANES_MAX: u32 = 256;
/// Commits within this time are looked at once.
const WAKE_GAP: Duration = Duration::from_millis(20);
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
    let mut failed = None;
    loop {
        // Listening begins before looking, so that no commit falls between.
        let mut commit = Box::pin(context.store.changed());
        let already = std::future::poll_fn(|waker| Poll::Ready(commit.as_mut().poll(waker).is_ready())).await;
        let changed = async {
            if !already {
                commit.await;
            }
            tokio::time::sleep(WAKE_GAP).await;
        };
        if failed.is_none() && context.clock.now() < until {
            let mut ready = ready(context).await.unwrap_or_else(|error| {
                failed.get_or_insert(error);
                Vec::new()
            });
            ready.retain(|endpoint| !running.contains(&endpoint.id) && !in_trouble.contains(&endpoint.id));
            let count = u32::try_from(running.len() + ready.len()).unwrap_or(u32::MAX);
            for endpoint in ready {
                running.insert(endpoint.id);
                lanes.push(async move { (endpoint.id, lane(context, endpoint, until, count).await) });
            }
        }
        tokio::select! {
            biased;
            ended = lanes.next() => match ended {
                None => break,
                Some((id, ended)) => {
                    running.remove(&id);
                    let ended: Lane = ended.unwrap_or_else(|error| {
                        // The others come to their end first: what is under way is not sent twice for this.
                        failed.get_or_insert(error);
                        Lane { done: 0, in_trouble: true }
                    });
                    done = done.saturating_add(ended.done);
                    // What was ready and could not be claimed is another gateway's.
                    if ended.in_trouble || ended.done == 0 {
                        in_trouble.insert(id);
                    }
                }
            },
            () = changed => {}
        }
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    let mut tx = context.store.snapshot().await?;
    let next_at = outbox::next_due(&mut tx, context.clock.now()).await?;
    Ok(Tick { done, next_at })
}

async fn ready(context: &Context) -> Result<Vec<Endpoint>, StoreError> {
    let mut tx = context.store.snapshot().await?;
    outbox::ready(&mut tx, context.clock.now(), LANES_MAX).await
}

/// Whether a failure is of one event or receiver alone, so that all others can go on.
const fn is_of_one(error: &StoreError) -> bool {
    error.is_about_its_data() || matches!(error, StoreError::Panicked)
}

/// What a lane did.
struct Lane {
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
    let widest = (context.limits.outbox_claim_max / lanes.max(1)).max(1);
    let (mut width, mut refusals) = (1, 0);
    while context.clock.now() < until || lane.done == 0 {
        let claim = Claim {
            context: Arc::clone(context),
            endpoint: endpoint.id,
            limit: width,
        };
        let claimed = context.store.submit(claim).await?;
        if claimed.is_empty() {
            return Ok(lane);
        }
        lane.done = lane
            .done
            .saturating_add(u32::try_from(claimed.len()).unwrap_or(u32::MAX));
        // Crash here: each claimed event is leased and counted; its lease runs out and it is sent again.
        let sends = claimed
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
    let heard = if event.attempts > context.limits.outbox_retry.attempts_max() {
        // More begun than allowed: each send so far broke off before its outcome, as if the event killed its sender.
        Heard::BrokeOff
    } else {
        Heard::Answer(call(context, endpoint, key, &event, now).await)
    };
    // Crash here: the receiver may have it; the lease runs out and it is sent again under the same id.
    let went = match &heard {
        Heard::Answer(EventAnswer::Taken) => Went::Well,
        Heard::Answer(EventAnswer::Refused { .. }) | Heard::BrokeOff => Went::Refused,
        Heard::Answer(EventAnswer::Gone | EventAnswer::Throttled { .. } | EventAnswer::Failed(_)) => {
            Went::Silent
        }
    };
    let id = event.id;
    let finish = Finish {
        context: Arc::clone(context),
        endpoint: endpoint.id,
        event,
        heard,
        // Drawn here, so that a command begun again comes to the same.
        chance: context.rng.next_u64(),
        now: context.clock.now(),
    };
    match context.store.submit(finish).await {
        Ok(()) => Ok(went),
        Err(error) if is_of_one(&error) => {
            tracing::error!(event = %id, error = %error, "outcome of an event cannot be recorded; it is sent again");
            Ok(Went::Refused)
        }
        Err(error) => Err(error),
    }
}

/// What was heard of one send.
enum Heard {
    Answer(EventAnswer),
    /// Nothing, time and again: no send of this event ever came to its end.
    BrokeOff,
}

/// Makes one call.
async fn call(
    context: &Context,
    endpoint: &Endpoint,
    key: &Zeroizing<Vec<u8>>,
    event: &LeasedEvent,
    now: Timestamp,
) -> EventAnswer {
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
    context.events.send(&signed).await
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

impl Command for Claim {
    const NAME: &'static str = "feed_claim";
    type Output = Vec<LeasedEvent>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<LeasedEvent>, StoreError> {
        let now = self.context.clock.now();
        let until = now.plus_ms(self.context.limits.outbox_lease_ms);
        outbox::claim(tx, self.endpoint, (now, until), self.limit).await
    }
}

/// Transaction B.
struct Finish {
    context: Arc<Context>,
    endpoint: EndpointId,
    event: LeasedEvent,
    heard: Heard,
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
        let gone = matches!(self.heard, Heard::Answer(EventAnswer::Gone));
        if gone && endpoint::set_endpoint_active(tx, self.endpoint, false).await? {
            tracing::error!(endpoint = %self.endpoint, "receiver of events answered 410 Gone; it is paused");
            let fields = Fields::new()
                .bytes(Tag::Endpoint, self.endpoint.as_bytes())
                .ascii(Tag::Word, "endpoint_paused")
                .ascii(Tag::Reason, "gone");
            self.context
                .stage_hand(self.now, [0; 16])
                .append_system(tx, Kind::ConfigurationChanged, fields)
                .await?;
        }
        Ok(())
    }
}

impl Finish {
    /// What the answer leads to.
    fn judge(&self) -> End {
        let dead = |detail: &str| End::Dead {
            due_at: self.now,
            detail: detail.to_owned(),
        };
        let detail = match &self.heard {
            Heard::Answer(EventAnswer::Taken) => return End::Sent,
            Heard::Answer(EventAnswer::Gone) => return dead("gone"),
            Heard::BrokeOff => return dead("broke_off"),
            Heard::Answer(EventAnswer::Throttled { .. }) => THROTTLED.to_owned(),
            Heard::Answer(EventAnswer::Refused { status }) => format!("http_{status}"),
            Heard::Answer(EventAnswer::Failed(failure)) => failure.as_str().to_owned(),
        };
        let schedule = self.context.limits.outbox_retry;
        let (attempts, chance) = (self.event.attempts, Drawn(self.chance));
        let asked_ms = self.asked_ms();
        let throttled = matches!(self.heard, Heard::Answer(EventAnswer::Throttled { .. }));
        let wait_ms = if throttled {
            schedule.delay_after_throttle_ms(attempts, asked_ms, &chance)
        } else {
            schedule.delay_ms(attempts, &chance)
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
            first_at: first_at.plus_ms(asked_ms.unwrap_or(0)),
            detail,
        }
    }

    /// The wait the receiver asked for, milliseconds; however long, it is kept.
    fn asked_ms(&self) -> Option<i64> {
        let Heard::Answer(EventAnswer::Throttled {
            retry_after: Some(text),
        }) = &self.heard
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
    let hand = context.stage_hand(now, [0; 16]);
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
