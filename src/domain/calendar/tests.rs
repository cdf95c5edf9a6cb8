//! Room `domain`: tests of the calendars. In a file of their own because of the limit on lines.

use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[track_caller]
fn check(kind: CalendarKind, date: &str, working: bool) {
    let calendars = Calendars::built_in().unwrap();
    assert_eq!(
        calendars.of(kind).is_working(day(date)),
        Ok(working),
        "{kind:?} {date}"
    );
}

#[test]
fn offices_rest_on_holidays_and_moved_days() {
    for off in [
        "2025-01-01",
        "2025-01-27",
        "2025-01-31",
        "2025-02-02",
        "2025-04-07",
        "2025-05-01",
        "2025-05-02",
        "2025-09-01",
        "2026-01-02",
        "2026-02-16",
        "2026-02-20",
        "2026-02-22",
        "2026-04-27",
        "2026-04-30",
        "2026-08-31",
        "2026-09-01",
        "2026-09-02",
        "2026-11-24",
        "2026-11-21",
    ] {
        check(CalendarKind::Office, off, false);
    }
    for worked in [
        "2025-01-24",
        "2025-02-03",
        "2025-04-26",
        "2025-11-24",
        "2026-01-10",
        "2026-02-13",
        "2026-02-23",
        "2026-08-22",
        "2026-09-03",
        "2026-11-23",
        "2026-11-25",
    ] {
        check(CalendarKind::Office, worked, true);
    }
}

#[test]
fn the_post_works_on_saturdays_and_is_not_bound_by_moved_days() {
    for off in [
        "2025-01-01",
        "2025-01-29",
        "2026-02-17",
        "2026-04-26",
        "2026-04-27",
        "2026-09-01",
        "2026-11-22",
        "2026-11-24",
    ] {
        check(CalendarKind::Carrier, off, false);
    }
    for worked in [
        "2025-05-02",
        "2026-01-02",
        "2026-08-22",
        "2026-08-31",
        "2026-11-21",
    ] {
        check(CalendarKind::Carrier, worked, true);
    }
}

/// Each year has the days of Labour Code 2019, Art. 112: eleven, and twelve from 2026 on; one in 2026 is a Sunday
/// and made up for on Monday.
#[test]
fn the_post_has_as_many_holidays_as_the_law_gives() {
    let carrier = Calendars::built_in().unwrap().carrier;
    let count = |year: i16| {
        carrier
            .special
            .keys()
            .filter(|d| d.year() == year && d.weekday() != Weekday::Sunday)
            .count()
    };
    assert_eq!(count(2025), 11);
    assert_eq!(count(2026), 12);
}

/// Each moved day of the office has a made-up one.
#[test]
fn moved_days_balance() {
    let office = Calendars::built_in().unwrap().office;
    for year in [2025, 2026] {
        let of_year = || office.special.iter().filter(|(date, _)| date.year() == year);
        let moved = of_year()
            .filter(|(_, d)| d.kind == DayKind::Off && d.name.contains("hoán đổi"))
            .count();
        let made_up = of_year()
            .filter(|(_, d)| d.kind == DayKind::MadeUpWorking)
            .count();
        assert_eq!(moved, made_up, "{year}");
        assert!(made_up > 0);
    }
}

#[test]
fn terms_are_counted_in_working_days() {
    let office = Calendars::built_in().unwrap().office;
    assert_eq!(
        office.add_working_days(day("2026-11-23"), 1),
        Ok(day("2026-11-25"))
    );
    assert_eq!(
        office.add_working_days(day("2026-11-23"), 0),
        Ok(day("2026-11-23"))
    );
    assert_eq!(
        office.add_working_days(day("2026-02-13"), 1),
        Ok(day("2026-02-23"))
    );
    assert_eq!(
        office.add_working_days(day("2026-08-21"), 1),
        Ok(day("2026-08-22"))
    );
    assert_eq!(
        office.working_days_between(day("2026-08-28"), day("2026-09-03")),
        Ok(1)
    );
    assert_eq!(
        office.working_days_between(day("2026-09-03"), day("2026-08-28")),
        Ok(-1)
    );
    assert_eq!(office.end_of_term(day("2026-11-24")), Ok(day("2026-11-25")));
    assert_eq!(office.end_of_term(day("2026-11-25")), Ok(day("2026-11-25")));
}

#[test]
fn beyond_the_loaded_years_nothing_is_computed() {
    let office = Calendars::built_in().unwrap().office;
    assert_eq!(office.years(), (2025, 2026));
    let beyond = |year| {
        Err(BeyondLoadedYears {
            year,
            first_year: 2025,
            last_year: 2026,
        })
    };
    assert_eq!(office.is_working(day("2027-02-08")), beyond(2027).map(|()| true));
    assert_eq!(office.is_working(day("2024-12-31")), beyond(2024).map(|()| true));
    assert_eq!(
        office.next_working(day("2026-12-31")),
        beyond(2027).map(|()| Date::MIN)
    );
    assert_eq!(
        office.next_working(day("2024-12-31")),
        beyond(2024).map(|()| Date::MIN)
    );
    assert_eq!(
        office.add_working_days(day("2026-12-30"), 2),
        beyond(2027).map(|()| Date::MIN)
    );
    assert_eq!(
        office.add_working_days(day("2027-01-04"), 0),
        beyond(2027).map(|()| Date::MIN)
    );
    assert_eq!(
        office.working_days_between(day("2026-12-30"), day("2027-01-04")),
        beyond(2027).map(|()| 0)
    );
    assert_eq!(office.end_of_term(Date::MAX), beyond(9999).map(|()| Date::MIN));
}

#[track_caller]
fn refused(files: &[&str], expect: CalendarError) {
    let with_heading: Vec<String> = files
        .iter()
        .map(|rows| format!("date,name,kind,legal_source\n{rows}"))
        .collect();
    let texts: Vec<&str> = with_heading.iter().map(String::as_str).collect();
    assert_eq!(Calendar::parse(CalendarKind::Office, &texts), Err(expect));
}

#[test]
fn faulty_files_are_refused() {
    refused(&[], CalendarError::Empty { file: 1 });
    refused(&[""], CalendarError::Empty { file: 1 });
    refused(&["2026-01-01,a,off,l", ""], CalendarError::Empty { file: 2 });
    for row in [
        "2026-02-30,a,off,l",
        "2026-01-01,a,free,l",
        "2026-01-01,,off,l",
        "2026-01-01,a,off,",
        "2026-01-01,a,off",
        "x",
    ] {
        refused(
            &[&format!("2026-01-02,a,off,l\n{row}")],
            CalendarError::Row { file: 1, row: 3 },
        );
    }
    refused(
        &["2026-01-01,a,off,l\n2027-01-01,a,off,l"],
        CalendarError::SecondYear { file: 1, row: 3 },
    );
    refused(
        &["2026-01-01,a,off,l\n2026-01-01,b,off,l"],
        CalendarError::Twice {
            date: day("2026-01-01"),
        },
    );
    refused(
        &["2026-01-01,a,off,l", "2026-01-02,a,off,l"],
        CalendarError::Twice {
            date: day("2026-01-02"),
        },
    );
    refused(
        &["2026-01-09,a,made_up_working,l"],
        CalendarError::WorkedAnyway {
            date: day("2026-01-09"),
        },
    );
    refused(
        &["2026-01-01,a,off,l", "2028-01-03,a,off,l"],
        CalendarError::Gap { year: 2027 },
    );
    let heading = Calendar::parse(
        CalendarKind::Office,
        &["day,name,kind,legal_source\n2026-01-01,a,off,l"],
    );
    assert_eq!(heading, Err(CalendarError::Heading { file: 1 }));
}

proptest! {
    /// Adding and counting are each other's reverse; every term ends on a working day.
    #[test]
    fn adding_and_counting_agree(offset in 0_i64..600, days in 1_u32..80, carrier in any::<bool>()) {
        let calendars = Calendars::built_in().unwrap();
        let calendar = calendars.of(if carrier { CalendarKind::Carrier } else { CalendarKind::Office });
        let start = day("2025-01-01").checked_add(jiff::Span::new().days(offset)).unwrap();
        if let Ok(end) = calendar.add_working_days(start, days) {
            prop_assert_eq!(calendar.is_working(end), Ok(true));
            prop_assert_eq!(calendar.working_days_between(start, end), Ok(i64::from(days)));
            prop_assert_eq!(calendar.end_of_term(end), Ok(end));
        } else {
            prop_assert!(start >= day("2026-08-01"));
        }
    }
}
