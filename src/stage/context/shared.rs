//! Room `stage`: what gateways share about an operator account, moved under the row's lock.
//!
//! In: permits wanted, tokens fetched, how a call went. Out: permits, the right to fetch, breaker changes as journal
//! facts. Deliberately not here: calling anybody.

use super::operator::Health;
use crate::domain::id::{AccountId, Ids};
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::store::operator::{self, Breaker};
use crate::edge::store::record::Hand;
use crate::edge::store::{Command, StoreError, Tx};
use std::sync::Arc;

/// A probe without an answer is given up after this time, milliseconds.
const PROBE_LIFE_MS: i64 = 120_000;

pub(super) struct TakePermits {
    pub(super) account: AccountId,
    pub(super) now: Timestamp,
    pub(super) want: u32,
    pub(super) rate_per_minute: u32,
    pub(super) burst: u32,
}

pub(super) struct Permits {
    pub(super) granted: u32,
    pub(super) until: Timestamp,
    pub(super) troubled: bool,
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

/// How far the budget of an account may run ahead of the time, microseconds: a whole burst.
pub(super) fn ahead_max_us(rate_per_minute: u32, burst: u32) -> i64 {
    let interval_us = 60_000_000 / i64::from(rate_per_minute.max(1));
    interval_us.saturating_mul(i64::from(burst.max(1)))
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

pub(super) struct LeaseToken {
    pub(super) account: AccountId,
    pub(super) version: i64,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
}

impl Command for LeaseToken {
    const NAME: &'static str = "lease_token";
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        operator::lease_token(tx, self.account, self.version, (self.now, self.until)).await
    }
}

pub(super) struct KeepToken {
    pub(super) account: AccountId,
    pub(super) sealed: Option<(Vec<u8>, Timestamp)>,
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

pub(super) struct NoteHealth {
    pub(super) account: AccountId,
    pub(super) now: Timestamp,
    pub(super) health: Health,
    pub(super) failures_max: u32,
    pub(super) open_ms: i64,
    pub(super) ahead_max_us: i64,
    pub(super) ids: Arc<dyn Ids>,
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
                // The budget moves so far that even a whole burst is used up until the time the operator named: no
                // gateway calls before it.
                let until_us = until
                    .as_ms()
                    .saturating_mul(1_000)
                    .saturating_add(self.ahead_max_us);
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
