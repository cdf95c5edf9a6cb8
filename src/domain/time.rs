//! Room `domain`: instants, the local day of Vietnam, and the ports that supply time and chance.
//!
//! In: Unix milliseconds and the operators' zone-less texts. Out: [`Timestamp`] and civil dates. Deliberately not
//! here: a clock that ticks, a generator that rolls (the makers are in `app` and in the tests).

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// Vietnam is seven hours ahead of UTC the whole year round; there is no summer time.
pub const VIETNAM_OFFSET_MS: i64 = 7 * 3_600_000;

/// An instant: Unix milliseconds, UTC.
///
/// Use this for everything that happened or falls due; use [`jiff::civil::Date`] for a day on a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// How exactly a source states its times. A fact's time is cut down to this before facts are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Our own clock and sources that give fractions.
    Millisecond,
    /// Sources that give hours, minutes and seconds.
    Second,
    /// Sources that give hours and minutes.
    Minute,
    /// Sources that give a day only.
    Day,
}

impl Resolution {
    /// Length of one step in milliseconds.
    pub const fn as_ms(self) -> i64 {
        match self {
            Self::Millisecond => 1,
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Day => 86_400_000,
        }
    }

    /// The number written into journal entries: 0 millisecond, 1 second, 2 minute, 3 day.
    pub const fn code(self) -> i64 {
        match self {
            Self::Millisecond => 0,
            Self::Second => 1,
            Self::Minute => 2,
            Self::Day => 3,
        }
    }

    /// Reads the number of [`Resolution::code`]; `None` for any other.
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Millisecond),
            1 => Some(Self::Second),
            2 => Some(Self::Minute),
            3 => Some(Self::Day),
            _ => None,
        }
    }
}

impl Timestamp {
    /// From Unix milliseconds, UTC.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Unix milliseconds, UTC.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This instant moved by `ms` milliseconds, without overflow.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Cut down to the source's resolution. Days are cut at midnight in Vietnam.
    #[must_use]
    pub const fn truncate(self, resolution: Resolution) -> Self {
        let step = resolution.as_ms();
        let local = self.0.saturating_add(VIETNAM_OFFSET_MS);
        Self(
            local
                .saturating_sub(local.rem_euclid(step))
                .saturating_sub(VIETNAM_OFFSET_MS),
        )
    }

    /// The wall clock in Vietnam at this instant.
    pub fn local(self) -> DateTime {
        let clamped = self.0.clamp(-62_135_596_800_000, 253_402_207_200_000);
        jiff::Timestamp::from_millisecond(clamped)
            .map_or(DateTime::ZERO, |instant| Offset::constant(7).to_datetime(instant))
    }

    /// The day in Vietnam at this instant.
    pub fn local_date(self) -> Date {
        self.local().date()
    }

    /// The instant at which the wall clock in Vietnam shows `local`.
    pub fn from_local(local: DateTime) -> Self {
        let date = local.date();
        let days = days_from_civil(
            i64::from(date.year()),
            i64::from(date.month()),
            i64::from(date.day()),
        );
        let of_day = i64::from(local.hour()) * 3_600_000
            + i64::from(local.minute()) * 60_000
            + i64::from(local.second()) * 1_000
            + i64::from(local.subsec_nanosecond()) / 1_000_000;
        Self(days * 86_400_000 + of_day - VIETNAM_OFFSET_MS)
    }

    /// Midnight in Vietnam at the start of `date`.
    pub fn start_of(date: Date) -> Self {
        Self::from_local(date.at(0, 0, 0, 0))
    }

    /// RFC 3339 in UTC with milliseconds, the form of the JSON API.
    pub fn to_rfc3339(self) -> String {
        let utc = Self(self.0.saturating_sub(VIETNAM_OFFSET_MS)).local();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            utc.year(),
            utc.month(),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second(),
            utc.subsec_nanosecond() / 1_000_000
        )
    }

    /// Reads RFC 3339 with any offset; `None` when the text is no such instant.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|instant| Self(instant.as_millisecond()))
    }
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The only source of "now".
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The only source of chance in stages: jitter, sampling. Never used for keys.
pub trait Rng: Send + Sync {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_back_is_the_same_instant_and_utc_text_agrees() {
        for ms in [0, 1_795_420_800_123, -1, 951_782_400_000, 4_102_444_799_999] {
            let instant = Timestamp::from_ms(ms);
            assert_eq!(Timestamp::from_local(instant.local()), instant);
            assert_eq!(Timestamp::parse_rfc3339(&instant.to_rfc3339()), Some(instant));
        }
    }

    #[test]
    fn a_day_is_cut_at_midnight_in_vietnam() {
        let late = Timestamp::parse_rfc3339("2026-11-23T16:59:59.999Z").unwrap();
        let next = Timestamp::parse_rfc3339("2026-11-23T17:00:00Z").unwrap();
        assert_eq!(late.local_date().to_string(), "2026-11-23");
        assert_eq!(next.local_date().to_string(), "2026-11-24");
        assert_eq!(
            late.truncate(Resolution::Day),
            Timestamp::start_of(late.local_date())
        );
        assert_eq!(next.truncate(Resolution::Day), next);
    }
}
