//! Room `app::demo`: the office's working days around the quarter, and moments of a working day.
//!
//! In: the calendars of `domain`. Out: days by number, so that terms are sums. Deliberately not here: guessing days
//! beyond the loaded years.

use crate::app::demo::dice::Dice;
use crate::domain::calendar::{BeyondLoadedYears, Calendar};
use crate::domain::time::Timestamp;
use jiff::civil::{Date, date};
use std::ops::Range;

/// First day of the quarter.
pub(crate) const QUARTER_START: Date = date(2026, 1, 1);
/// First day after the quarter.
pub(crate) const QUARTER_END: Date = date(2026, 4, 1);
const FIRST: Date = date(2025, 10, 1);
const LAST: Date = date(2026, 8, 31);

/// A minute, in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// Working days, numbered from the first.
#[derive(Debug)]
pub(crate) struct Days {
    working: Vec<Date>,
    quarter: Range<usize>,
}

impl Days {
    /// The office's days.
    pub(crate) fn new(office: &Calendar) -> Result<Self, BeyondLoadedYears> {
        let mut working = Vec::new();
        let mut day = FIRST;
        while day < LAST {
            if office.is_working(day)? {
                working.push(day);
            }
            day = office.next_working(day)?;
        }
        let start = working.partition_point(|day| *day < QUARTER_START);
        let end = working.partition_point(|day| *day < QUARTER_END);
        Ok(Self {
            working,
            quarter: start..end,
        })
    }

    /// Numbers of the quarter's days.
    pub(crate) fn quarter(&self) -> Range<usize> {
        self.quarter.clone()
    }

    /// The day with this number; the last known for any beyond.
    pub(crate) fn date(&self, number: usize) -> Date {
        self.working.get(number).copied().unwrap_or(LAST)
    }

    /// `minute` of the day with this number.
    pub(crate) fn at(&self, number: usize, minute: u32) -> Timestamp {
        Timestamp::start_of(self.date(number)).plus_ms(i64::from(minute) * MINUTE_MS)
    }

    /// The number of the first working day on or after `date`.
    pub(crate) fn on_or_after(&self, date: Date) -> usize {
        self.working.partition_point(|day| *day < date)
    }
}

/// End of a promised day: 17:00.
pub(crate) const EVENING_MINUTE: u32 = 17 * 60;

/// A minute at which the counter is open: 7:45 to 11:30, 13:15 to 16:45.
pub(crate) fn open_minute(dice: &mut Dice) -> u32 {
    if dice.hits(560) {
        dice.between(7 * 60 + 45, 11 * 60 + 30)
    } else {
        dice.between(13 * 60 + 15, 16 * 60 + 45)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::Calendars;

    /// Tết and the two moved days are not worked, the made-up Saturday is.
    #[test]
    fn the_quarter_has_its_holidays() {
        let days = Days::new(&Calendars::built_in().unwrap().office).unwrap();
        let quarter: Vec<Date> = days.quarter().map(|number| days.date(number)).collect();
        assert_eq!(quarter.len(), 58);
        assert_eq!((quarter[0], quarter[57]), (date(2026, 1, 5), date(2026, 3, 31)));
        assert!(quarter.contains(&date(2026, 1, 10)));
        assert!(
            !quarter
                .iter()
                .any(|day| (date(2026, 2, 14)..date(2026, 2, 23)).contains(day))
        );
    }
}
