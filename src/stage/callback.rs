//! Stage 3, callback: the door for what operators send.
//!
//! The secret part of the address lets a caller in; the bytes are stored as they came, sealed under a short-lived key of
//! their own, and answered in the operator's form. Nothing is interpreted here: what the bytes are worth follows from the
//! account's abilities, later. In: raw bytes. Out: an inbox row, or a count of the refused. 2xx only after a durable
//! commit; not durable in time is 503, never a false 200. If we stop before the commit the operator got no answer and
//! sends again; after it the row is read on the next start. Deliberately not here: HTTP, reading (tracking).

use super::context::Context;
use crate::domain::id::{AccountId, InboxId, RecordId};
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{CallbackAnswer, CallbackVerdict};
use crate::edge::store::account::{self, Account};
use crate::edge::store::inbox::{self, InboxDoor, Refused};
use crate::edge::store::{Command, StoreError, Tx, personal};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Refused bodies kept per source and hour.
const REFUSED_BODIES_MAX: u32 = 3;
/// Bytes of a refused body that are kept.
const REFUSED_BYTES_MAX: usize = 16 * 1024;
/// Refusals written down at one time; further ones are counted with the next that is.
const REFUSALS_WRITTEN_MAX: usize = 16;

/// The door of one process.
pub struct Door {
    context: Arc<Context>,
    writing: Arc<Semaphore>,
    /// Refusals not yet written down, because too many came at once.
    passed_over: AtomicU32,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

/// What somebody sent.
#[derive(Clone, Copy)]
pub struct Knock<'a> {
    /// Code of the operator account in the address.
    pub account: &'a str,
    /// Secret part of the address.
    pub secret: &'a str,
    /// From where.
    pub from: Option<IpAddr>,
    /// The bytes.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Knock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knock")
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Door {
    /// A door over a context.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            writing: Arc::new(Semaphore::new(REFUSALS_WRITTEN_MAX)),
            passed_over: AtomicU32::new(0),
        }
    }

    /// Takes in what was sent, and says what to answer. Never fails: a caller always gets an answer in time.
    pub async fn receive(&self, knock: Knock<'_>) -> CallbackAnswer {
        let limit = Duration::from_millis(self.context.limits.callback_deadline_ms);
        let deadline = Instant::now() + limit;
        let account = match timeout_at(deadline, self.account(knock.account)).await {
            Ok(Ok(account)) => account,
            Ok(Err(error)) => return self.unavailable(None, &error),
            Err(_elapsed) => return self.too_late(None),
        };
        let Some(opened) = account.as_ref().filter(|account| opens(account, knock.secret)) else {
            // Counted in time or not: who has no secret is not asked to come again.
            let named = account.as_ref().map(|account| account.id);
            let _counted = timeout_at(deadline, self.count(knock, named)).await;
            return self.say(account.as_ref(), CallbackVerdict::Refused);
        };
        // A dropped caller does not cancel its command: what becomes durable too late is sent again, and known then.
        match timeout_at(deadline, self.take_in(opened, knock.body)).await {
            Ok(answer) => answer,
            Err(_elapsed) => self.too_late(Some(opened)),
        }
    }

    async fn take_in(&self, account: &Account, body: &[u8]) -> CallbackAnswer {
        if body.is_empty() {
            return self.say(Some(account), CallbackVerdict::Malformed);
        }
        let keep = Keep {
            context: Arc::clone(&self.context),
            account: account.id,
            id: InboxId::new(&*self.context.ids),
            record: RecordId::new(&*self.context.ids),
            body: body.to_vec(),
            now: self.context.clock.now(),
        };
        match self.context.store.submit_urgent(keep).await {
            Ok(()) => self.say(Some(account), CallbackVerdict::Stored),
            Err(error) => self.unavailable(Some(account), &error),
        }
    }

    async fn account(&self, code: &str) -> Result<Option<Account>, StoreError> {
        let Some(code) = askable(code) else {
            return Ok(None);
        };
        let mut tx = self.context.store.snapshot().await?;
        account::account_by_code(&mut tx, code).await
    }

    fn too_late(&self, account: Option<&Account>) -> CallbackAnswer {
        tracing::warn!("a callback did not become durable in time; the operator is asked to send it again");
        self.say(account, CallbackVerdict::Unavailable)
    }

    fn unavailable(&self, account: Option<&Account>, error: &StoreError) -> CallbackAnswer {
        tracing::warn!(error = %error, "a callback could not be stored; the operator is asked to send it again");
        self.say(account, CallbackVerdict::Unavailable)
    }

    /// The answer in the operator's own form; without an account, in the plainest one.
    fn say(&self, account: Option<&Account>, verdict: CallbackVerdict) -> CallbackAnswer {
        let carrier = account.and_then(|account| self.context.carriers.find(&account.adapter));
        if let Some(carrier) = carrier {
            return carrier.callback_answer(verdict);
        }
        let status = match verdict {
            CallbackVerdict::Stored => 200,
            CallbackVerdict::Malformed => 400,
            CallbackVerdict::Refused => 401,
            CallbackVerdict::Unavailable => 503,
        };
        CallbackAnswer {
            status,
            body: "{\"success\":false}".to_owned(),
        }
    }

    /// Counts a caller without the secret. Counting is bounded, so that forgers cannot hold up honest callers.
    async fn count(&self, knock: Knock<'_>, named: Option<AccountId>) {
        // The place is given back by the writer, not by a caller that lost patience.
        let Ok(place) = Arc::clone(&self.writing).try_acquire_owned() else {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let from = source(knock.from);
        let source = self.context.store.keyring().index_token("callback_source", &from);
        let more = self.passed_over.swap(0, Ordering::Relaxed).saturating_add(1);
        let count = CountRefused {
            context: Arc::clone(&self.context),
            account: named.unwrap_or(AccountId::from_bytes([0; 16])),
            source: format!("{:032x}", u128::from_be_bytes(source)),
            id: InboxId::new(&*self.context.ids),
            record: RecordId::new(&*self.context.ids),
            body: knock.body.iter().copied().take(REFUSED_BYTES_MAX).collect(),
            more,
            now: self.context.clock.now(),
            _place: place,
        };
        if let Err(error) = self.context.store.submit(count).await {
            self.passed_over.fetch_add(more, Ordering::Relaxed);
            tracing::warn!(error = %error, "a refused callback could not be counted; it is counted with the next");
        }
    }
}

/// A code that a database can be asked for: PostgreSQL takes no text with a zero byte.
fn askable(code: &str) -> Option<&str> {
    (!code.contains('\0')).then_some(code)
}

/// Who counts as one caller. Whoever has one IPv6 address has the whole network of 64 bits around it; were each address
/// a caller of its own, one forger could fill the journal.
fn source(from: Option<IpAddr>) -> String {
    match from.map(|from| from.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

/// Whether the secret is the account's. An account that is switched off still takes callbacks: its parcels travel on.
fn opens(account: &Account, secret: &str) -> bool {
    let presented: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    presented.ct_eq(&account.callback_secret_hash).into()
}

struct Keep {
    context: Arc<Context>,
    account: AccountId,
    id: InboxId,
    record: RecordId,
    body: Vec<u8>,
    now: Timestamp,
}

impl Command for Keep {
    const NAME: &'static str = "callback_keep";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let store = &self.context.store;
        let expires_at = self.now.plus_ms(self.context.limits.raw_callback_keep_ms);
        let key = personal::create(store, tx, self.record, self.now, Some(expires_at)).await?;
        let place = (self.id, self.account, InboxDoor::Push);
        inbox::insert(tx, &key, place, &self.body, self.now).await
    }
}

struct CountRefused {
    context: Arc<Context>,
    /// Named by the address; zero bytes when it named none of ours.
    account: AccountId,
    source: String,
    id: InboxId,
    record: RecordId,
    body: Vec<u8>,
    more: u32,
    now: Timestamp,
    _place: OwnedSemaphorePermit,
}

impl Command for CountRefused {
    const NAME: &'static str = "callback_refused";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let start_of = |length_ms: i64| {
            let ms = self.now.as_ms();
            Timestamp::from_ms(ms.saturating_sub(ms.rem_euclid(length_ms)))
        };
        let refused = Refused {
            account: self.account,
            source: &self.source,
            minute_at: start_of(60_000),
            hour_at: start_of(3_600_000),
        };
        let count = inbox::count_refused(tx, refused, self.more).await?;
        let store = &self.context.store;
        let expires_at = self.now.plus_ms(self.context.limits.raw_callback_keep_ms);
        let (ids, body) = ((self.id, self.record), (self.body.as_slice(), REFUSED_BODIES_MAX));
        inbox::keep_refused(store, tx, refused, ids, body, (self.now, expires_at)).await?;
        if count != self.more {
            return Ok(());
        }
        // The first of its source and minute: one entry, however many follow; the row has the count.
        let hand = self.context.stage_hand(self.now, [0; 16]);
        let fields = Fields::new()
            .bytes(Tag::Account, self.account.as_bytes())
            .int(Tag::Count, i64::from(self.more))
            .ascii(Tag::Word, &self.source);
        hand.append_system(tx, Kind::CallbacksRefused, fields).await
    }
}
