//! Room `stage`: calling an operator account, the same way from every stage.
//!
//! A call needs a permit of the rate budget, a breaker that lets it through, and an access token. All three live in the
//! store, so that several gateways are one; this process keeps copies only. In: a request to build, an answer to
//! read. Out: what the answer says, or when to come again. Deliberately not here: retries (stages keep their schedule
//! in tables) and what an answer means for a shipment.

use super::Context;
use crate::domain::id::AccountId;
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::retry::{RetryAfter, parse_retry_after};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{
    AccountSettings, BuildError, Carrier, Reading, TransportFailure, WireRequest, WireResponse,
};
use crate::edge::store::account::{self, Account};
use crate::edge::store::operator::{self, Breaker};
use crate::edge::store::record::Hand;
use crate::edge::store::{Command, StoreError, Tx};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Permits taken from the shared budget at one time at most. Small, so that what a process holds unused is little.
const PERMITS_MAX: u32 = 16;
/// Unused permits are given up after this time, milliseconds.
const PERMIT_LIFE_MS: i64 = 5_000;
/// "Last heard" is written at most this often, milliseconds.
const HEARD_EVERY_MS: i64 = 10_000;
/// A probe without an answer is given up after this time, milliseconds.
const PROBE_LIFE_MS: i64 = 120_000;
/// How long a fresh look at a token that somebody else is fetching is put off, milliseconds.
const TOKEN_WAIT_MS: i64 = 1_000;

/// Why an operator cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such account.
    #[error("operator account {0} does not exist")]
    NoAccount(AccountId),
    /// The account names an adapter this build does not have.
    #[error("operator account {account} asks for an adapter this program does not have")]
    NoAdapter {
        /// Its code.
        account: String,
    },
    /// The request cannot be put on the wire.
    #[error("the request cannot be built")]
    Build(#[from] BuildError),
}

/// What this process remembers between calls.
#[derive(Default)]
pub struct Memory {
    accounts: Mutex<BTreeMap<AccountId, Remembered>>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[derive(Clone, Default)]
struct Remembered {
    token: Option<(i64, Zeroizing<String>, Timestamp)>,
    permits: u32,
    permits_until: Timestamp,
    heard_at: Timestamp,
    troubled: bool,
}

impl Memory {
    fn with<T>(&self, account: AccountId, act: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        act(accounts.entry(account).or_default())
    }
}

/// An operator account, ready to be called.
pub struct Operator {
    /// The account.
    pub account: Account,
    /// Its adapter.
    pub carrier: Arc<dyn Carrier>,
    /// What the adapter needs to build requests.
    pub settings: AccountSettings,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Operator({})", self.account.code)
    }
}

/// What a reading call brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOutcome<T> {
    /// Understood.
    Answer {
        /// What it says.
        value: T,
        /// The bytes it was read from.
        body: Vec<u8>,
    },
    /// The operator definitely knows no such thing.
    Absent {
        /// The bytes that say so.
        body: Vec<u8>,
    },
    /// Not asked, or asked to come later.
    Wait {
        /// Not before.
        until: Timestamp,
    },
    /// Asked in vain; says nothing about the thing asked for.
    Failed {
        /// Our word for the kind of failure.
        detail: String,
    },
}

/// Whether a call may be made now.
#[derive(Clone, Debug)]
pub enum Gate {
    /// Yes, with this access token (empty where the operator needs none).
    Go {
        /// The token.
        token: Zeroizing<String>,
    },
    /// Not before.
    Wait {
        /// The time.
        until: Timestamp,
    },
}

/// What a call told about the operator's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// A readable answer.
    Heard,
    /// No answer, or none that can be read.
    Failed,
    /// Slow down, until then.
    Throttled {
        /// Not before.
        until: Timestamp,
        /// Beyond a day: the breaker opens.
        breaker: bool,
    },
}

impl Operator {
    /// Reads the account and finds its adapter.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn open(context: &Context, id: AccountId) -> Result<Self, OperatorError> {
        let mut tx = context.store.snapshot().await?;
        let account = account::account(&mut tx, id)
            .await?
            .ok_or(OperatorError::NoAccount(id))?;
        Self::of(context, account)
    }

    /// Finds the adapter of an account already read.
    ///
    /// # Errors
    /// [`OperatorError::NoAdapter`], or the keys.
    pub fn of(context: &Context, account: Account) -> Result<Self, OperatorError> {
        let carrier = context.carriers.find(&account.adapter).cloned();
        let carrier = carrier.ok_or_else(|| OperatorError::NoAdapter {
            account: account.code.clone(),
        })?;
        let (username, password) = account.open_login(&context.store)?;
        let settings = AccountSettings {
            base_url: account.base_url.clone(),
            settings: account.settings.clone(),
            username,
            password: password.to_string(),
        };
        Ok(Self {
            account,
            carrier,
            settings,
        })
    }

    /// A permit and a token, or the time to come again.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn gate(&self, context: &Context) -> Result<Gate, OperatorError> {
        if let Some(until) = self.permit(context).await? {
            return Ok(Gate::Wait { until });
        }
        self.token(context).await
    }

    /// A reading call. A refused token is fetched anew once.
    ///
    /// # Errors
    /// [`OperatorError`]; an operator that does not answer is no error but [`ReadOutcome::Failed`].
    pub async fn read<T: Send>(
        &self,
        context: &Context,
        build: impl Fn(&Self, &str) -> Result<WireRequest, BuildError> + Send + Sync,
        read: impl Fn(&dyn Carrier, &WireResponse) -> Reading<T> + Send + Sync,
    ) -> Result<ReadOutcome<T>, OperatorError> {
        for again in [true, false] {
            let token = match self.gate(context).await? {
                Gate::Go { token } => token,
                Gate::Wait { until } => return Ok(ReadOutcome::Wait { until }),
            };
            let request = build(self, &token)?;
            let response = match context.transport.call(&request).await {
                Ok(response) => response,
                Err(failure) => {
                    self.note(context, Health::Failed).await?;
                    return Ok(ReadOutcome::Failed {
                        detail: failure_word(&failure).to_owned(),
                    });
                }
            };
            match read(&*self.carrier, &response) {
                Reading::Answer(value) => {
                    self.note(context, Health::Heard).await?;
                    return Ok(ReadOutcome::Answer {
                        value,
                        body: response.body,
                    });
                }
                Reading::Absent => {
                    self.note(context, Health::Heard).await?;
                    return Ok(ReadOutcome::Absent { body: response.body });
                }
                Reading::TokenRefused => {
                    self.forget_token(context);
                    if !again {
                        self.note(context, Health::Failed).await?;
                    }
                }
                Reading::Throttled { retry_after } => {
                    let until = self.throttled(context, retry_after.as_deref()).await?;
                    return Ok(ReadOutcome::Wait { until });
                }
                Reading::Unreadable { detail } => {
                    self.note(context, Health::Failed).await?;
                    return Ok(ReadOutcome::Failed { detail });
                }
            }
        }
        Ok(ReadOutcome::Failed {
            detail: "token_refused".to_owned(),
        })
    }

    /// Notes that the operator asked to slow down. Without a readable `Retry-After`: a minute.
    ///
    /// # Errors
    /// [`OperatorError::Store`].
    pub async fn throttled(
        &self,
        context: &Context,
        retry_after: Option<&str>,
    ) -> Result<Timestamp, OperatorError> {
        let now = context.clock.now();
        let (until, breaker) = match retry_after.and_then(|value| parse_retry_after(value, now)) {
            Some(RetryAfter::WaitMs(wait_ms)) => (now.plus_ms(wait_ms), false),
            Some(RetryAfter::BreakerOpenUntil(until)) => (until, true),
            None => (now.plus_ms(60_000), false),
        };
        self.note(context, Health::Throttled { until, breaker }).await?;
        Ok(until)
    }

    /// Forgets the token this process holds: it was refused.
    pub fn forget_token(&self, context: &Context) {
        context.operators.with(self.account.id, |memory| {
            if let Some((_, token, _)) = memory.token.as_mut() {
                *token = Zeroizing::new(String::new());
            }
        });
    }

    /// Takes one permit; `Some(until)` when none is to be had now.
    async fn permit(&self, context: &Context) -> Result<Option<Timestamp>, OperatorError> {
        let now = context.clock.now();
        let taken = context.operators.with(self.account.id, |memory| {
            if memory.permits > 0 && now < memory.permits_until && !memory.troubled {
                memory.permits -= 1;
                return true;
            }
            memory.permits = 0;
            false
        });
        if taken {
            return Ok(None);
        }
        let take = TakePermits {
            account: self.account.id,
            now,
            want: PERMITS_MAX.min(self.account.rate_burst).max(1),
            rate_per_minute: self.account.rate_per_minute.max(1),
            burst: self.account.rate_burst.max(1),
        };
        let permits = context.store.submit(take).await?;
        context.operators.with(self.account.id, |memory| {
            if permits.granted > 0 {
                memory.permits = memory.permits.saturating_add(permits.granted - 1);
                memory.permits_until = now.plus_ms(PERMIT_LIFE_MS);
            }
            memory.troubled = permits.troubled;
        });
        Ok((permits.granted == 0).then_some(permits.until))
    }

    /// The token in force, or a new one; another process that is fetching one is waited for.
    async fn token(&self, context: &Context) -> Result<Gate, OperatorError> {
        let now = context.clock.now();
        let Some(request) = self.carrier.build_token(&self.settings)? else {
            return Ok(Gate::Go {
                token: Zeroizing::default(),
            });
        };
        let held = context
            .operators
            .with(self.account.id, |memory| memory.token.clone());
        if let Some((_, token, expires)) = &held
            && !token.is_empty()
            && now < *expires
        {
            return Ok(Gate::Go { token: token.clone() });
        }
        let refused = held
            .filter(|(_, token, _)| token.is_empty())
            .map(|(version, _, _)| version);
        let mut tx = context.store.snapshot().await?;
        let state = operator::find(&mut tx, self.account.id).await?;
        drop(tx);
        if refused.is_none_or(|version| state.token_version > version)
            && let Some(sealed) = &state.token_sealed
            && let Some(expires) = state.token_expires.filter(|expires| now < *expires)
        {
            let plain =
                context
                    .store
                    .keyring()
                    .open_secret("operator_token", self.account.id.as_bytes(), sealed)?;
            let token = Zeroizing::new(String::from_utf8_lossy(&plain).into_owned());
            self.remember(context, state.token_version, &token, expires);
            return Ok(Gate::Go { token });
        }
        self.fetch_token(context, state.token_version, &request).await
    }

    fn remember(&self, context: &Context, version: i64, token: &Zeroizing<String>, expires: Timestamp) {
        context.operators.with(self.account.id, |memory| {
            memory.token = Some((version, token.clone(), expires));
        });
    }

    /// Logs in, once over all gateways.
    async fn fetch_token(
        &self,
        context: &Context,
        version: i64,
        request: &WireRequest,
    ) -> Result<Gate, OperatorError> {
        let now = context.clock.now();
        let until = now.plus_ms(context.limits.token_lease_ms);
        let lease = LeaseToken {
            account: self.account.id,
            version,
            now,
            until,
        };
        if !context.store.submit(lease).await? {
            return Ok(Gate::Wait {
                until: now.plus_ms(TOKEN_WAIT_MS),
            });
        }
        let answer = match context.transport.call(request).await {
            Ok(response) => self.carrier.read_token(&response),
            Err(failure) => Reading::Unreadable {
                detail: failure_word(&failure).to_owned(),
            },
        };
        let now = context.clock.now();
        match answer {
            Reading::Answer(fresh) => {
                let token = Zeroizing::new(fresh.token);
                let sealed = context.store.keyring().seal_secret(
                    "operator_token",
                    self.account.id.as_bytes(),
                    token.as_bytes(),
                )?;
                let expires = now.plus_ms(fresh.lifetime_ms);
                let keep = KeepToken {
                    account: self.account.id,
                    sealed: Some((sealed, expires)),
                };
                context.store.submit(keep).await?;
                self.remember(context, version + 1, &token, expires);
                Ok(Gate::Go { token })
            }
            Reading::Throttled { retry_after } => {
                context
                    .store
                    .submit(KeepToken {
                        account: self.account.id,
                        sealed: None,
                    })
                    .await?;
                Ok(Gate::Wait {
                    until: self.throttled(context, retry_after.as_deref()).await?,
                })
            }
            Reading::Absent | Reading::TokenRefused | Reading::Unreadable { .. } => {
                context
                    .store
                    .submit(KeepToken {
                        account: self.account.id,
                        sealed: None,
                    })
                    .await?;
                self.note(context, Health::Failed).await?;
                Ok(Gate::Wait {
                    until: now.plus_ms(TOKEN_WAIT_MS * 5),
                })
            }
        }
    }

    /// Notes what a call told about the operator's health: breaker, last heard, budget.
    ///
    /// # Errors
    /// [`OperatorError::Store`].
    pub async fn note(&self, context: &Context, health: Health) -> Result<(), OperatorError> {
        let now = context.clock.now();
        let skip = context.operators.with(self.account.id, |memory| {
            let recently = now.since_ms(memory.heard_at) < HEARD_EVERY_MS && now >= memory.heard_at;
            match health {
                Health::Heard if recently && !memory.troubled => true,
                Health::Heard => {
                    memory.heard_at = now;
                    memory.troubled = false;
                    false
                }
                Health::Failed | Health::Throttled { .. } => {
                    memory.troubled = true;
                    memory.permits = 0;
                    false
                }
            }
        });
        if skip {
            return Ok(());
        }
        let note = NoteHealth {
            account: self.account.id,
            now,
            health,
            failures_max: context.limits.breaker_failures.max(1),
            open_ms: context.limits.breaker_open_ms,
            ids: Arc::clone(&context.ids),
        };
        context.store.submit(note).await?;
        Ok(())
    }
}

/// Our word for a transport failure.
pub const fn failure_word(failure: &TransportFailure) -> &'static str {
    match failure {
        TransportFailure::NeverLeft { .. } => "never_left",
        TransportFailure::Ambiguous { .. } => "no_answer",
    }
}

struct TakePermits {
    account: AccountId,
    now: Timestamp,
    want: u32,
    rate_per_minute: u32,
    burst: u32,
}

struct Permits {
    granted: u32,
    until: Timestamp,
    troubled: bool,
}

/// Generic cell rate: how many of `want` calls may be made at `now_us`, and the moved arrival time.
///
/// `interval_us` is the time one call costs; `burst` calls may be made at once after a rest.
fn take(budget_us: i64, now_us: i64, interval_us: i64, burst: u32, want: u32) -> (u32, i64) {
    let start = budget_us.max(now_us);
    let ahead_max = interval_us.saturating_mul(i64::from(burst));
    let room = now_us.saturating_add(ahead_max).saturating_sub(start);
    let granted = (room.max(0) / interval_us.max(1)).min(i64::from(want));
    let moved = start.saturating_add(granted.saturating_mul(interval_us));
    (u32::try_from(granted).unwrap_or(0), moved)
}

impl Command for TakePermits {
    const NAME: &'static str = "take_permits";
    type Output = Permits;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Permits, StoreError> {
        let mut state = operator::lock(tx, self.account).await?;
        let interval_us = 60_000_000 / i64::from(self.rate_per_minute);
        let now_us = self.now.as_ms().saturating_mul(1_000);
        let mut want = self.want;
        let mut troubled = state.failures > 0;
        match state.breaker {
            Breaker::Closed => {}
            Breaker::Open | Breaker::HalfOpen => {
                let probe_until = state.breaker_probe.map(|at| at.plus_ms(PROBE_LIFE_MS));
                let until = match state.breaker {
                    Breaker::HalfOpen => probe_until.unwrap_or(self.now),
                    Breaker::Open | Breaker::Closed => state.breaker_until.unwrap_or(self.now),
                };
                if self.now < until {
                    return Ok(Permits {
                        granted: 0,
                        until,
                        troubled: true,
                    });
                }
                want = 1;
                troubled = true;
            }
        }
        let (granted, moved) = take(state.budget_us, now_us, interval_us, self.burst, want);
        if granted == 0 {
            let free_us = moved.saturating_sub(interval_us.saturating_mul(i64::from(self.burst) - 1));
            let until = Timestamp::from_ms(free_us.div_euclid(1_000) + 1);
            return Ok(Permits {
                granted,
                until,
                troubled,
            });
        }
        operator::set_budget(tx, self.account, moved).await?;
        if state.breaker != Breaker::Closed {
            state.breaker = Breaker::HalfOpen;
            state.breaker_probe = Some(self.now);
            operator::set_breaker(tx, &state).await?;
        }
        Ok(Permits {
            granted,
            until: self.now,
            troubled,
        })
    }
}

struct LeaseToken {
    account: AccountId,
    version: i64,
    now: Timestamp,
    until: Timestamp,
}

impl Command for LeaseToken {
    const NAME: &'static str = "lease_token";
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        operator::lease_token(tx, self.account, self.version, (self.now, self.until)).await
    }
}

struct KeepToken {
    account: AccountId,
    sealed: Option<(Vec<u8>, Timestamp)>,
}

impl Command for KeepToken {
    const NAME: &'static str = "keep_token";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        match &self.sealed {
            Some((sealed, expires)) => operator::set_token(tx, self.account, sealed.clone(), *expires).await,
            None => operator::drop_token_lease(tx, self.account).await,
        }
    }
}

struct NoteHealth {
    account: AccountId,
    now: Timestamp,
    health: Health,
    failures_max: u32,
    open_ms: i64,
    ids: Arc<dyn crate::domain::id::Ids>,
}

impl NoteHealth {
    async fn journal(&self, tx: &mut Tx, word: &str) -> Result<(), StoreError> {
        let hand = Hand {
            ids: &*self.ids,
            now: self.now,
            actor: Actor::STAGE,
            office: [0; 16],
        };
        let fields = Fields::new()
            .bytes(Tag::Account, self.account.as_bytes())
            .ascii(Tag::Word, word);
        hand.append_system(tx, Kind::BreakerChanged, fields).await
    }
}

impl Command for NoteHealth {
    const NAME: &'static str = "note_health";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut state = operator::lock(tx, self.account).await?;
        let was = state.breaker;
        match self.health {
            Health::Heard => {
                operator::set_heard(tx, self.account, self.now).await?;
                if state.failures == 0 && was == Breaker::Closed {
                    return Ok(());
                }
                state.paused_ms = state.paused_until(self.now);
                state.failures = 0;
                state.breaker = Breaker::Closed;
                state.breaker_until = None;
                state.breaker_opened = None;
                state.breaker_probe = None;
            }
            Health::Failed => {
                state.failures = state.failures.saturating_add(1);
                if was != Breaker::Closed || state.failures >= self.failures_max {
                    state.breaker = Breaker::Open;
                    state.breaker_until = Some(self.now.plus_ms(self.open_ms));
                    state.breaker_opened = state.breaker_opened.or(Some(self.now));
                    state.breaker_probe = None;
                }
            }
            Health::Throttled { until, breaker } => {
                // The budget moves to the time the operator named: no gateway calls before it.
                let until_us = until.as_ms().saturating_mul(1_000);
                operator::set_budget(tx, self.account, state.budget_us.max(until_us)).await?;
                if breaker {
                    state.breaker = Breaker::Open;
                    state.breaker_until = Some(until);
                    state.breaker_opened = state.breaker_opened.or(Some(self.now));
                }
            }
        }
        operator::set_breaker(tx, &state).await?;
        if state.breaker != was {
            self.journal(tx, state.breaker.as_str()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::take;

    #[test]
    fn a_burst_then_the_rate_and_never_more() {
        // 60 a minute: one second each; five at once.
        assert_eq!(take(0, 1_000_000_000, 1_000_000, 5, 16), (5, 1_005_000_000));
        assert_eq!(take(1_005_000_000, 1_000_000_000, 1_000_000, 5, 16).0, 0);
        assert_eq!(take(1_005_000_000, 1_001_500_000, 1_000_000, 5, 16).0, 1);
        let (mut budget, mut granted) = (0, 0);
        for step in 0..6_000 {
            let (more, moved) = take(budget, 1_000_000_000 + step * 10_000, 1_000_000, 5, 16);
            budget = moved;
            granted += more;
        }
        assert!((60..=65).contains(&granted), "{granted} in a minute");
    }
}
