//! Room `domain`: when to try again.
//!
//! In: the number of attempts so far, the operator's `Retry-After`, chance from the port. Out: milliseconds to wait, or
//! that it is enough. Deliberately not here: a loop. Attempt and next time live in the database.
//!
//! The only file that knows the `backoff` crate, which serves as a calculator of the delay ceiling: no randomness, no
//! maximum elapsed time, a stopped clock (inside, it still draws a random number and multiplies it by zero). Its
//! replacement (`backon`) is a change of this file alone.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::exponential::ExponentialBackoff;
use jiff::civil::DateTime;
use jiff::fmt::strtime;

use crate::domain::time::{Rng, Timestamp, VIETNAM_OFFSET_MS};

/// Each ceiling is this many times the one before, up to the cap.
const MULTIPLIER: f64 = 2.0;
/// Longest cap, seven days in milliseconds: a longer silence is for a person.
pub const CAP_MS_MAX: i64 = 7 * 86_400_000;
/// A `Retry-After` beyond this many milliseconds (one day) opens the breaker instead.
pub const RETRY_AFTER_WAIT_MS_MAX: i64 = 86_400_000;
/// Doublings after which every base has reached every cap; bounds the work for absurd attempt numbers.
const DOUBLINGS_MAX: u32 = 40;
/// Draws before a generator is taken for broken and its last number is used as it is.
const DRAWS_MAX: u32 = 128;

/// How often and how long an operation is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    base_ms: i64,
    cap_ms: i64,
    attempts_max: u32,
    age_max_ms: i64,
}

/// Relations between the limits that do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryScheduleError {
    /// `base_ms` below 1.
    #[error("the base delay must be at least 1 ms")]
    Base,
    /// `cap_ms` below `base_ms` or above [`CAP_MS_MAX`].
    #[error("the delay cap must lie between the base delay and seven days")]
    Cap,
    /// `attempts_max` is zero.
    #[error("at least one attempt must be allowed")]
    Attempts,
    /// `age_max_ms` below `base_ms`: nothing could ever be tried again.
    #[error("the greatest age must be at least the base delay")]
    Age,
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhaustion {
    /// As many attempts as allowed.
    Attempts,
    /// As old as allowed.
    Age,
}

/// What an operator's `Retry-After` means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Wait at least this many milliseconds, 0 to [`RETRY_AFTER_WAIT_MS_MAX`].
    WaitMs(i64),
    /// More than a day: no call to this account before then, and an alarm.
    BreakerOpenUntil(Timestamp),
}

impl RetrySchedule {
    /// A schedule; delays and age in milliseconds.
    ///
    /// # Errors
    /// [`RetryScheduleError`] for the first relation that does not hold.
    pub const fn new(
        base_ms: i64,
        cap_ms: i64,
        attempts_max: u32,
        age_max_ms: i64,
    ) -> Result<Self, RetryScheduleError> {
        if base_ms < 1 {
            Err(RetryScheduleError::Base)
        } else if cap_ms < base_ms || cap_ms > CAP_MS_MAX {
            Err(RetryScheduleError::Cap)
        } else if attempts_max == 0 {
            Err(RetryScheduleError::Attempts)
        } else if age_max_ms < base_ms {
            Err(RetryScheduleError::Age)
        } else {
            Ok(Self {
                base_ms,
                cap_ms,
                attempts_max,
                age_max_ms,
            })
        }
    }

    /// First ceiling, milliseconds.
    pub const fn base_ms(self) -> i64 {
        self.base_ms
    }

    /// Greatest ceiling, milliseconds.
    pub const fn cap_ms(self) -> i64 {
        self.cap_ms
    }

    /// Most attempts, the first included.
    pub const fn attempts_max(self) -> u32 {
        self.attempts_max
    }

    /// Greatest age since the first attempt, milliseconds, without time in which the breaker was open.
    pub const fn age_max_ms(self) -> i64 {
        self.age_max_ms
    }

    /// The longest delay after `attempt` failed attempts: base, twice the base, and so on up to the cap. Zero for zero.
    pub fn ceiling_ms(self, attempt: u32) -> i64 {
        if attempt == 0 {
            return 0;
        }
        let (Ok(base), Ok(cap)) = (u64::try_from(self.base_ms), u64::try_from(self.cap_ms)) else {
            return self.cap_ms; // cannot be: both are positive by construction
        };
        let clock = StoppedClock::new();
        let mut calculator = ExponentialBackoff {
            current_interval: Duration::from_millis(base),
            initial_interval: Duration::from_millis(base),
            randomization_factor: 0.0,
            multiplier: MULTIPLIER,
            max_interval: Duration::from_millis(cap),
            max_elapsed_time: None,
            start_time: clock.0,
            clock,
        };
        let mut ceiling = Duration::from_millis(base);
        for _ in 0..attempt.min(DOUBLINGS_MAX) {
            ceiling = calculator.next_backoff().unwrap_or(ceiling);
        }
        i64::try_from(ceiling.as_millis()).map_or(self.cap_ms, |ms| ms.min(self.cap_ms))
    }

    /// Full jitter: each whole number of milliseconds from 0 to the ceiling is equally likely.
    pub fn delay_ms(self, attempt: u32, rng: &dyn Rng) -> i64 {
        uniform(self.ceiling_ms(attempt), rng)
    }

    /// After a throttling answer (429, 503): at least `Retry-After` and at least half the ceiling, then jitter of up to
    /// half the ceiling, so that the waiting ones do not all come at the same instant.
    pub fn delay_after_throttle_ms(self, attempt: u32, retry_after_ms: Option<i64>, rng: &dyn Rng) -> i64 {
        let ceiling = self.ceiling_ms(attempt);
        let jitter_max = ceiling / 2;
        let floor = retry_after_ms.unwrap_or(0).max(ceiling - jitter_max);
        floor.saturating_add(uniform(jitter_max, rng))
    }

    /// Whether it is enough: `attempts` made since `first_at`, of which time the breaker was open for `paused_ms`.
    ///
    /// A call the breaker held back is no attempt and must not be counted in `attempts`; the time it was open is no age.
    pub fn exhausted(
        self,
        attempts: u32,
        first_at: Timestamp,
        now: Timestamp,
        paused_ms: i64,
    ) -> Option<Exhaustion> {
        let age_ms = now.since_ms(first_at).saturating_sub(paused_ms.max(0));
        if attempts >= self.attempts_max {
            Some(Exhaustion::Attempts)
        } else if age_ms >= self.age_max_ms {
            Some(Exhaustion::Age)
        } else {
            None
        }
    }
}

/// Reads a `Retry-After` header (RFC 9110, 10.2.3): seconds or an HTTP date in any of its three forms. `None` when it
/// is neither. A date in the past means no wait; a number too large to hold still opens the breaker.
pub fn parse_retry_after(header: &str, now: Timestamp) -> Option<RetryAfter> {
    let text = header.trim();
    let wait_ms = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1_000)
    } else {
        parse_http_date(text)?.since_ms(now).max(0)
    };
    if wait_ms > RETRY_AFTER_WAIT_MS_MAX {
        Some(RetryAfter::BreakerOpenUntil(now.plus_ms(wait_ms)))
    } else {
        Some(RetryAfter::WaitMs(wait_ms))
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`. The name of the day
/// says nothing new and is skipped.
fn parse_http_date(text: &str) -> Option<Timestamp> {
    let utc: DateTime = match text.split_once(", ") {
        Some((_day, rest)) => ["%d %b %Y %H:%M:%S GMT", "%d-%b-%y %H:%M:%S GMT"]
            .iter()
            .find_map(|format| strtime::parse(format, rest).ok())?
            .to_datetime()
            .ok()?,
        None => strtime::parse("%b %e %H:%M:%S %Y", text.split_once(' ')?.1.trim_start())
            .ok()?
            .to_datetime()
            .ok()?,
    };
    Some(Timestamp::from_local(utc).plus_ms(VIETNAM_OFFSET_MS))
}

/// A whole number from 0 to `max`, each equally likely: numbers beyond the last full multiple are drawn again.
fn uniform(max: i64, rng: &dyn Rng) -> i64 {
    let Some(choices) = u64::try_from(max)
        .ok()
        .filter(|max| *max > 0)
        .map(|max| max.saturating_add(1))
    else {
        return 0;
    };
    let excess = (u64::MAX % choices + 1) % choices;
    let mut drawn = rng.next_u64();
    for _ in 0..DRAWS_MAX {
        if drawn <= u64::MAX - excess {
            break;
        }
        drawn = rng.next_u64();
    }
    i64::try_from(drawn % choices).unwrap_or(max)
}

/// A clock that never moves, for a calculator that must not look at one. Its instant has no meaning.
struct StoppedClock(std::time::Instant);

impl StoppedClock {
    fn new() -> Self {
        // An `Instant` has no constant: this borrows the crate's own, so that no file of ours reads the time.
        Self(ExponentialBackoff::<backoff::SystemClock>::default().start_time)
    }
}

impl backoff::Clock for StoppedClock {
    fn now(&self) -> std::time::Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::Rng; // by name: the prelude above has another one

    /// `SplitMix64` (Steele, Lea, Flood 2014).
    struct SplitMix(AtomicU64);

    impl Rng for SplitMix {
        fn next_u64(&self) -> u64 {
            let state = self
                .0
                .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
                .wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }
    }

    /// Always the same number.
    struct Stuck(u64);

    impl Rng for Stuck {
        fn next_u64(&self) -> u64 {
            self.0
        }
    }

    /// The greatest number once, then always four.
    struct First(AtomicU64);

    impl Rng for First {
        fn next_u64(&self) -> u64 {
            if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
                u64::MAX
            } else {
                4
            }
        }
    }

    const HOURS: i64 = 3_600_000;

    fn schedule() -> RetrySchedule {
        RetrySchedule::new(10_000, 2 * HOURS, 12, 72 * HOURS).unwrap()
    }

    #[test]
    fn the_ceiling_doubles_from_ten_seconds_to_two_hours() {
        let ceilings: Vec<i64> = (0..=12)
            .map(|attempt| schedule().ceiling_ms(attempt) / 1_000)
            .collect();
        assert_eq!(
            ceilings,
            [
                0, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 7_200, 7_200
            ]
        );
        assert_eq!(schedule().ceiling_ms(u32::MAX), 2 * HOURS);
        assert_eq!(
            RetrySchedule::new(1, CAP_MS_MAX, 1, 1)
                .unwrap()
                .ceiling_ms(u32::MAX),
            CAP_MS_MAX
        );
        assert_eq!(RetrySchedule::new(5, 5, 1, 5).unwrap().ceiling_ms(1), 5);
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        assert_eq!(RetrySchedule::new(0, 1, 1, 1), Err(RetryScheduleError::Base));
        assert_eq!(RetrySchedule::new(2, 1, 1, 2), Err(RetryScheduleError::Cap));
        assert_eq!(
            RetrySchedule::new(1, CAP_MS_MAX + 1, 1, 2),
            Err(RetryScheduleError::Cap)
        );
        assert_eq!(RetrySchedule::new(1, 1, 0, 2), Err(RetryScheduleError::Attempts));
        assert_eq!(RetrySchedule::new(2, 2, 1, 1), Err(RetryScheduleError::Age));
    }

    /// A million draws: the mean within one per cent of half the ceiling, each tenth within three per cent of its share.
    #[test]
    fn jitter_is_uniform() {
        let rng = SplitMix(AtomicU64::new(7));
        let ceiling = schedule().ceiling_ms(3);
        let mut sum = 0_i64;
        let mut tenths = [0_i64; 10];
        for _ in 0..1_000_000 {
            let delay = schedule().delay_ms(3, &rng);
            sum += delay;
            tenths[usize::try_from(delay * 10 / (ceiling + 1)).unwrap()] += 1;
        }
        let mean = sum / 1_000_000;
        assert!((mean - ceiling / 2).abs() * 100 <= ceiling / 2, "{mean}");
        assert!(
            tenths.iter().all(|count| (count - 100_000).abs() <= 3_000),
            "{tenths:?}"
        );
    }

    /// The top remainder of the 64 bits is drawn again, and a broken generator does not hang.
    #[test]
    fn jitter_is_unbiased_at_the_edges() {
        assert_eq!(uniform(2, &Stuck(u64::MAX - 1)), 2); // 2^64 = 3 * n + 1: only u64::MAX is excess
        assert!((0..=2).contains(&uniform(2, &Stuck(u64::MAX))));
        assert_eq!(uniform(1, &Stuck(u64::MAX)), 1);
        assert_eq!(uniform(0, &Stuck(9)), 0);
        assert_eq!(uniform(2, &First(AtomicU64::new(0))), 1);
    }

    #[track_caller]
    fn check_header(header: &str, expect: Option<RetryAfter>) {
        let now = Timestamp::parse_rfc3339("1994-11-06T08:49:00.500Z").unwrap();
        assert_eq!(parse_retry_after(header, now), expect, "{header}");
    }

    #[test]
    fn retry_after_is_read_in_every_form() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            check_header(date, Some(RetryAfter::WaitMs(36_500)));
        }
        check_header("Mon, 06 Nov 1994 08:49:37 GMT", Some(RetryAfter::WaitMs(36_500)));
        check_header("Sun, 06 Nov 1994 08:48:37 GMT", Some(RetryAfter::WaitMs(0)));
        check_header(" 120 ", Some(RetryAfter::WaitMs(120_000)));
        check_header("0", Some(RetryAfter::WaitMs(0)));
        check_header("86400", Some(RetryAfter::WaitMs(86_400_000)));
        let now = Timestamp::parse_rfc3339("1994-11-06T08:49:00.500Z").unwrap();
        check_header(
            "86401",
            Some(RetryAfter::BreakerOpenUntil(now.plus_ms(86_401_000))),
        );
        let date = Timestamp::parse_rfc3339("1994-11-08T08:49:37Z").unwrap();
        check_header(
            "Tue, 08 Nov 1994 08:49:37 GMT",
            Some(RetryAfter::BreakerOpenUntil(date)),
        );
        check_header(
            "99999999999999999999999",
            Some(RetryAfter::BreakerOpenUntil(Timestamp::from_ms(i64::MAX))),
        );
        for nonsense in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0700",
            "1994-11-06",
        ] {
            check_header(nonsense, None);
        }
    }

    #[test]
    fn attempts_and_age_are_bounded_and_an_open_breaker_counts_as_neither() {
        let start = Timestamp::from_ms(1_000_000);
        let after = |hours: i64| start.plus_ms(hours * HOURS);
        assert_eq!(schedule().exhausted(11, start, after(1), 0), None);
        assert_eq!(
            schedule().exhausted(12, start, after(1), 0),
            Some(Exhaustion::Attempts)
        );
        assert_eq!(
            schedule().exhausted(3, start, after(72), 0),
            Some(Exhaustion::Age)
        );
        assert_eq!(schedule().exhausted(3, start, after(72), 1), None);
        assert_eq!(schedule().exhausted(3, start, after(100), 28 * HOURS + 1), None);
        assert_eq!(
            schedule().exhausted(3, start, after(72), -5),
            Some(Exhaustion::Age)
        );
    }

    proptest! {
        /// Delays stay within their bounds, and `Retry-After` is never undercut.
        #[test]
        fn delays_keep_their_bounds(
            base in 1_i64..100_000, factor in 1_i64..6_000, attempt in any::<u32>(), seed in any::<u64>(),
            retry_after in proptest::option::of(-10_i64..=i64::MAX),
        ) {
            let schedule = RetrySchedule::new(base, (base * factor).min(CAP_MS_MAX), 5, base).unwrap();
            let rng = SplitMix(AtomicU64::new(seed));
            let ceiling = schedule.ceiling_ms(attempt);
            prop_assert!(ceiling <= schedule.cap_ms() && ceiling >= schedule.ceiling_ms(attempt.saturating_sub(1)));
            let expected = base.saturating_mul(1_i64 << attempt.saturating_sub(1).min(30)).min(schedule.cap_ms());
            prop_assert_eq!(ceiling, if attempt == 0 { 0 } else { expected });
            prop_assert!((0..=ceiling).contains(&schedule.delay_ms(attempt, &rng)));
            let throttled = schedule.delay_after_throttle_ms(attempt, retry_after, &rng);
            prop_assert!(throttled >= retry_after.unwrap_or(0));
            prop_assert!(throttled >= ceiling - ceiling / 2);
        }

        /// No header makes the reader stop.
        #[test]
        fn any_header_is_read_or_ignored(header in "\\PC{0,40}", now in any::<i64>()) {
            if let Some(RetryAfter::WaitMs(ms)) = parse_retry_after(&header, Timestamp::from_ms(now)) {
                prop_assert!((0..=RETRY_AFTER_WAIT_MS_MAX).contains(&ms));
            }
        }
    }
}
