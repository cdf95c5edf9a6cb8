//! Room `stage`: calling an operator account, the same way from every stage.
//!
//! A call needs a permit of the rate budget, a breaker that lets it through, and an access token. All three live in the
//! store, so that several gateways are one; this process keeps copies only. In: a request to build, an answer to
//! read. Out: what the answer says, or when to come again. Deliberately not here: retries (stages keep their schedule
//! in tables) and what an answer means for a shipment.

use super::Context;
use super::shared::{KeepToken, LeaseToken, NoteHealth, Permits, TakePermits, ahead_max_us};
use crate::domain::id::AccountId;
use crate::domain::retry::{RetryAfter, parse_retry_after};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{
    AccountSettings, BuildError, Carrier, Reading, TransportFailure, WireRequest, WireResponse,
};
use crate::edge::store::StoreError;
use crate::edge::store::account::{self, Account};
use crate::edge::store::operator::{self, Breaker};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Permits taken from the shared budget at one time at most. Small, so that what a process holds unused is little.
const PERMITS_MAX: u32 = 16;
/// Unused permits are given up after this time, milliseconds.
const PERMIT_LIFE_MS: i64 = 5_000;
/// "Last heard" is written at most this often, milliseconds.
const HEARD_EVERY_MS: i64 = 10_000;
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
    units: Option<Arc<dyn std::any::Any + Send + Sync>>,
}

impl Memory {
    fn with<T>(&self, account: AccountId, act: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        act(accounts.entry(account).or_default())
    }

    /// The unit list a stage left here, if it is of the type asked for.
    pub fn units<T: Send + Sync + 'static>(&self, account: AccountId) -> Option<Arc<T>> {
        self.with(account, |memory| memory.units.clone())
            .and_then(|units| units.downcast::<T>().ok())
    }

    /// Leaves a unit list here for the next round.
    pub fn set_units<T: Send + Sync + 'static>(&self, account: AccountId, units: &Arc<T>) {
        let units: Arc<dyn std::any::Any + Send + Sync> = Arc::<T>::clone(units);
        self.with(account, |memory| memory.units = Some(units));
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

    /// Permits for a batch that is sent at once, at most `want`, and a token; or the time to come again. None are kept
    /// for later: each batch hears what other gateways were told meanwhile.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn gate_batch(&self, context: &Context, want: u32) -> Result<(u32, Gate), OperatorError> {
        let permits = self.take_permits(context, want).await?;
        if permits.granted == 0 {
            let until = permits.until;
            return Ok((0, Gate::Wait { until }));
        }
        Ok((permits.granted, self.token(context).await?))
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
            if self.is_undisturbed(context, now).await? {
                return Ok(None);
            }
            context
                .operators
                .with(self.account.id, |memory| memory.permits = 0);
        }
        let permits = self.take_permits(context, PERMITS_MAX).await?;
        context.operators.with(self.account.id, |memory| {
            if permits.granted > 0 {
                memory.permits = memory.permits.saturating_add(permits.granted - 1);
                memory.permits_until = now.plus_ms(PERMIT_LIFE_MS);
            }
        });
        Ok((permits.granted == 0).then_some(permits.until))
    }

    /// Permits of the shared budget, at most `want`.
    async fn take_permits(&self, context: &Context, want: u32) -> Result<Permits, OperatorError> {
        let take = TakePermits {
            account: self.account.id,
            now: context.clock.now(),
            want: want.min(self.account.rate_burst).max(1),
            rate_per_minute: self.account.rate_per_minute.max(1),
            burst: self.account.rate_burst.max(1),
        };
        let permits = context.store.submit(take).await?;
        context.operators.with(self.account.id, |memory| {
            memory.troubled = permits.troubled;
        });
        Ok(permits)
    }

    /// Whether no gateway was told meanwhile to slow down or stop, so that permits taken earlier still hold.
    async fn is_undisturbed(&self, context: &Context, now: Timestamp) -> Result<bool, OperatorError> {
        let mut tx = context.store.snapshot().await?;
        let state = operator::find(&mut tx, self.account.id).await?;
        let ahead_max_us = ahead_max_us(self.account.rate_per_minute, self.account.rate_burst);
        let now_us = now.as_ms().saturating_mul(1_000);
        Ok(state.breaker == Breaker::Closed && state.budget_us <= now_us.saturating_add(ahead_max_us))
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
            ahead_max_us: ahead_max_us(self.account.rate_per_minute, self.account.rate_burst),
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
