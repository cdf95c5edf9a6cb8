//! Room `domain`: working days of the office and of the operator.
//!
//! In: reviewed yearly data files as text (`fixtures/calendars`). Out: whether a day is worked, and terms counted in
//! working days. Deliberately not here: guessing. A day beyond the loaded years is an error, because public holidays
//! are settled year by year (Tết 2027 was not, when this was written); reading files from a disk; hours of the day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

/// Whose days are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CalendarKind {
    /// Public offices: Monday to Friday, made-up Saturdays, the moved days of state offices.
    Office,
    /// The postal operator: Monday to Saturday, statutory holidays off; moved days do not bind it.
    Carrier,
}

impl CalendarKind {
    /// Whether the week alone makes this a day off.
    fn is_weekly_day_off(self, date: Date) -> bool {
        match self {
            Self::Office => matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
            Self::Carrier => date.weekday() == Weekday::Sunday,
        }
    }
}

/// What one row says about its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// Not worked. On a weekly day off the row only names the holiday.
    Off,
    /// Worked although the week says off, in exchange for a moved day.
    MadeUpWorking,
}

/// One row of a data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialDay {
    /// What the row says.
    pub kind: DayKind,
    /// Name of the day, Vietnamese.
    pub name: String,
    /// The law or decision it follows from.
    pub legal_source: String,
}

/// A calendar of consecutive whole years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    kind: CalendarKind,
    first_year: i16,
    last_year: i16,
    special: BTreeMap<Date, SpecialDay>,
}

/// Why data files make no calendar. Rows count from 1, the heading included; files from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No file, or a file without a row.
    #[error("file {file} has no day")]
    Empty {
        /// Which file.
        file: usize,
    },
    /// The heading is not `date,name,kind,legal_source`.
    #[error("file {file} has another heading than date,name,kind,legal_source")]
    Heading {
        /// Which file.
        file: usize,
    },
    /// Not four fields, no date, no known kind, or an empty name or source.
    #[error("file {file}, row {row} cannot be read")]
    Row {
        /// Which file.
        file: usize,
        /// Which row.
        row: usize,
    },
    /// A file speaks of two years.
    #[error("file {file}, row {row} is in another year than the rows before")]
    SecondYear {
        /// Which file.
        file: usize,
        /// Which row.
        row: usize,
    },
    /// Two rows or two files for one day or year.
    #[error("{date} is there twice, or its year is")]
    Twice {
        /// The day.
        date: Date,
    },
    /// A made-up working day on a day that is worked anyway.
    #[error("{date} is worked anyway")]
    WorkedAnyway {
        /// The day.
        date: Date,
    },
    /// A year between the first and the last is missing.
    #[error("the year {year} is missing")]
    Gap {
        /// The missing year.
        year: i16,
    },
}

/// A question about a day of which the holidays are not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no calendar for {year}: loaded are {first_year} to {last_year}")]
pub struct BeyondLoadedYears {
    /// The year asked for.
    pub year: i16,
    /// First loaded year.
    pub first_year: i16,
    /// Last loaded year.
    pub last_year: i16,
}

impl Calendar {
    /// Reads one data file per year, in any order; the years must follow each other.
    ///
    /// # Errors
    /// [`CalendarError`] for the first thing that is wrong.
    pub fn parse(kind: CalendarKind, files: &[&str]) -> Result<Self, CalendarError> {
        let mut special = BTreeMap::new();
        let mut years = BTreeSet::new();
        for (index, text) in files.iter().enumerate() {
            let days = parse_file(kind, text, index + 1)?;
            let first = days
                .first_key_value()
                .map(|(date, _)| *date)
                .ok_or(CalendarError::Empty { file: index + 1 })?;
            if !years.insert(first.year()) {
                return Err(CalendarError::Twice { date: first });
            }
            special.extend(days);
        }
        let (Some(first_year), Some(last_year)) = (years.first().copied(), years.last().copied()) else {
            return Err(CalendarError::Empty { file: 1 });
        };
        if let Some(year) = (first_year..=last_year).find(|year| !years.contains(year)) {
            return Err(CalendarError::Gap { year });
        }
        Ok(Self {
            kind,
            first_year,
            last_year,
            special,
        })
    }

    /// Whose days these are.
    pub const fn kind(&self) -> CalendarKind {
        self.kind
    }

    /// First and last loaded year.
    pub const fn years(&self) -> (i16, i16) {
        (self.first_year, self.last_year)
    }

    /// Name and legal source of a special day.
    ///
    /// # Errors
    /// [`BeyondLoadedYears`].
    pub fn special_day(&self, date: Date) -> Result<Option<&SpecialDay>, BeyondLoadedYears> {
        if (self.first_year..=self.last_year).contains(&date.year()) {
            Ok(self.special.get(&date))
        } else {
            Err(BeyondLoadedYears {
                year: date.year(),
                first_year: self.first_year,
                last_year: self.last_year,
            })
        }
    }

    /// Whether the day is worked.
    ///
    /// # Errors
    /// [`BeyondLoadedYears`].
    pub fn is_working(&self, date: Date) -> Result<bool, BeyondLoadedYears> {
        Ok(match self.special_day(date)?.map(|day| day.kind) {
            Some(DayKind::Off) => false,
            Some(DayKind::MadeUpWorking) => true,
            None => !self.kind.is_weekly_day_off(date),
        })
    }

    /// The first working day after `date`, which is not counted itself.
    ///
    /// # Errors
    /// [`BeyondLoadedYears`] when it may lie beyond.
    pub fn next_working(&self, date: Date) -> Result<Date, BeyondLoadedYears> {
        let mut day = date;
        loop {
            day = self.tomorrow(day)?;
            if self.is_working(day)? {
                return Ok(day);
            }
        }
    }

    /// The `days`-th working day after `date`. The day a term starts from is not counted (Civil Code 2015, Art. 147);
    /// zero days give `date` itself.
    ///
    /// # Errors
    /// [`BeyondLoadedYears`] when start or end lie beyond.
    pub fn add_working_days(&self, date: Date, days: u32) -> Result<Date, BeyondLoadedYears> {
        self.special_day(date)?;
        let mut day = date;
        for _ in 0..days {
            day = self.next_working(day)?;
        }
        Ok(day)
    }

    /// Working days after `from` up to and including `until`; negative when `until` is earlier. The reverse of
    /// [`Calendar::add_working_days`].
    ///
    /// # Errors
    /// [`BeyondLoadedYears`] when either lies beyond.
    pub fn working_days_between(&self, from: Date, until: Date) -> Result<i64, BeyondLoadedYears> {
        self.special_day(from)?;
        self.special_day(until)?;
        if until < from {
            return self.working_days_between(until, from).map(|days| -days);
        }
        let mut count = 0;
        let mut day = from;
        while day < until {
            day = self.tomorrow(day)?;
            count += i64::from(self.is_working(day)?);
        }
        Ok(count)
    }

    /// A term that ends on a day off ends on the next working day (Civil Code 2015, Art. 148).
    ///
    /// # Errors
    /// [`BeyondLoadedYears`].
    pub fn end_of_term(&self, date: Date) -> Result<Date, BeyondLoadedYears> {
        if self.is_working(date)? {
            Ok(date)
        } else {
            self.next_working(date)
        }
    }

    fn tomorrow(&self, date: Date) -> Result<Date, BeyondLoadedYears> {
        self.special_day(date)?;
        date.tomorrow().map_err(|_end_of_time| BeyondLoadedYears {
            year: date.year(),
            first_year: self.first_year,
            last_year: self.last_year,
        })
    }
}

/// The two calendars of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendars {
    /// Days of public offices.
    pub office: Calendar,
    /// Days of the postal operator.
    pub carrier: Calendar,
}

impl Calendars {
    /// The reviewed years that come with the program. An office may load its own files instead.
    ///
    /// # Errors
    /// [`CalendarError`]; a test proves that there is none.
    pub fn built_in() -> Result<Self, CalendarError> {
        Ok(Self {
            office: Calendar::parse(
                CalendarKind::Office,
                &[
                    include_str!("../../../fixtures/calendars/office-2025.csv"),
                    include_str!("../../../fixtures/calendars/office-2026.csv"),
                ],
            )?,
            carrier: Calendar::parse(
                CalendarKind::Carrier,
                &[
                    include_str!("../../../fixtures/calendars/carrier-2025.csv"),
                    include_str!("../../../fixtures/calendars/carrier-2026.csv"),
                ],
            )?,
        })
    }

    /// The calendar of one kind.
    pub const fn of(&self, kind: CalendarKind) -> &Calendar {
        match kind {
            CalendarKind::Office => &self.office,
            CalendarKind::Carrier => &self.carrier,
        }
    }
}

/// Reads the rows of one year.
fn parse_file(
    kind: CalendarKind,
    text: &str,
    file: usize,
) -> Result<BTreeMap<Date, SpecialDay>, CalendarError> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let heading = reader
        .headers()
        .map_err(|_not_utf8| CalendarError::Heading { file })?;
    if !heading.iter().eq(["date", "name", "kind", "legal_source"]) {
        return Err(CalendarError::Heading { file });
    }
    let mut days: BTreeMap<Date, SpecialDay> = BTreeMap::new();
    for (index, record) in reader.records().enumerate() {
        let row = index + 2;
        let (date, day) = record
            .ok()
            .as_ref()
            .and_then(parse_row)
            .ok_or(CalendarError::Row { file, row })?;
        if days.keys().any(|other| other.year() != date.year()) {
            return Err(CalendarError::SecondYear { file, row });
        }
        if day.kind == DayKind::MadeUpWorking && !kind.is_weekly_day_off(date) {
            return Err(CalendarError::WorkedAnyway { date });
        }
        if days.insert(date, day).is_some() {
            return Err(CalendarError::Twice { date });
        }
    }
    Ok(days)
}

fn parse_row(record: &csv::StringRecord) -> Option<(Date, SpecialDay)> {
    let fields: Vec<&str> = record.iter().collect();
    let [date, name, kind, legal_source] = fields.as_slice() else {
        return None;
    };
    let kind = match *kind {
        "off" => DayKind::Off,
        "made_up_working" => DayKind::MadeUpWorking,
        _ => return None,
    };
    if name.is_empty() || legal_source.is_empty() || date.len() != 10 {
        return None;
    }
    let day = SpecialDay {
        kind,
        name: (*name).to_owned(),
        legal_source: (*legal_source).to_owned(),
    };
    Some((date.parse().ok()?, day))
}

#[cfg(test)]
mod tests;
