//! Room `stage`, import: one row of a file as a snapshot of a dossier.
//!
//! In: cells under known columns. Out: a [`Row`], or every fault by its column; never the wrong value itself, which may
//! be personal. Times without an offset are Vietnam's wall clock. Deliberately not here: whether office, status and
//! units exist (the check of a snapshot, which every door shares).

use super::columns::{Column, Rule};
use super::table::Cell;
use crate::domain::addressee::{AddresseeDraft, UnitDraft};
use crate::domain::dossier::snapshot::Snapshot;
use crate::domain::dossier::{ReturnBy, SubmittedBy};
use crate::domain::dossier_code::DossierCode;
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::name::fold_for_search;
use crate::domain::time::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use std::collections::BTreeMap;

/// A fault of one row. A fault of the row as a whole has no column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowFault {
    /// Where.
    pub column: Option<Column>,
    /// What.
    pub code: FaultCode,
}

impl RowFault {
    /// The same fault as a check of a snapshot tells it.
    pub(super) fn of(fault: &Fault) -> Self {
        Self {
            column: Column::of_pointer(&fault.pointer),
            code: fault.code,
        }
    }
}

/// What one row states.
pub(super) struct Row {
    pub(super) code: DossierCode,
    pub(super) snapshot: Snapshot,
}

/// Reads the cells of a row.
pub(super) fn read(columns: &[Column], cells: &[Cell]) -> Result<Row, Vec<RowFault>> {
    let mut reader = Reader {
        cells: columns.iter().copied().zip(cells).collect(),
        faults: Vec::new(),
    };
    if cells.len() > columns.len() {
        reader.faults.push(RowFault {
            column: None,
            code: FaultCode::CountOutOfRange,
        });
    }
    let row = reader.row();
    reader.faults.sort_unstable();
    match row {
        Some(row) if reader.faults.is_empty() => Ok(row),
        Some(_) | None => Err(reader.faults),
    }
}

struct Reader<'a> {
    cells: BTreeMap<Column, &'a Cell>,
    faults: Vec<RowFault>,
}

impl Reader<'_> {
    fn row(&mut self) -> Option<Row> {
        let code = self.code();
        let status_raw = self.plain(Column::Status);
        let status_at = self.time(Column::StatusAt);
        let procedure = self.text(Column::Procedure);
        let receiving_office = self.plain(Column::ReceivingOffice);
        let return_by = self.word(Column::ReturnBy, return_by);
        let submitted_by = self.word(Column::SubmittedBy, submitted_by);
        let received_at = self.time(Column::ReceivedAt);
        let due_at = self.time(Column::DueAt);
        let finished_at = self.time(Column::FinishedAt);
        let returned_at = self.time(Column::ReturnedAt);
        let duplicate = self.flag(Column::Duplicate);
        let addressee = self.addressee();
        Some(Row {
            code: code?,
            snapshot: Snapshot {
                status_raw: status_raw?,
                status_at: status_at?,
                procedure: procedure?,
                receiving_office: receiving_office?,
                return_by: return_by?,
                submitted_by: submitted_by?,
                received_at: received_at?,
                due_at,
                finished_at,
                returned_at,
                duplicate,
                addressee,
            },
        })
    }

    fn fault(&mut self, column: Column, code: FaultCode) {
        self.faults.push(RowFault {
            column: Some(column),
            code,
        });
    }

    /// The cell, unless it is empty; then a fault where every row must have a value.
    fn cell(&mut self, column: Column) -> Option<&Cell> {
        let cell = self.cells.get(&column).copied();
        if cell.is_none_or(|cell| *cell == Cell::Empty) {
            if column.rule() == Rule::Always {
                self.fault(column, FaultCode::Missing);
            }
            return None;
        }
        self.cells.get(&column).copied()
    }

    fn read<T>(&mut self, column: Column, wrong: FaultCode, read: impl Fn(&Cell) -> Option<T>) -> Option<T> {
        let value = read(self.cell(column)?);
        if value.is_none() {
            self.fault(column, wrong);
        }
        value
    }

    /// A text that a spreadsheet must have kept as text.
    fn text(&mut self, column: Column) -> Option<String> {
        self.read(column, FaultCode::WrongType, text)
    }

    /// A text in which a whole number has lost nothing.
    fn plain(&mut self, column: Column) -> Option<String> {
        self.read(column, FaultCode::WrongType, |cell| match cell {
            Cell::Whole(number) => Some(number.to_string()),
            Cell::Text(_) | Cell::Empty | Cell::Local(_) | Cell::Flag(_) | Cell::Odd => text(cell),
        })
    }

    fn code(&mut self) -> Option<DossierCode> {
        let text = self.text(Column::DossierCode)?;
        let code = DossierCode::parse(&text).ok();
        if code.is_none() {
            self.fault(Column::DossierCode, FaultCode::DossierCodeInvalid);
        }
        code
    }

    fn word<T>(&mut self, column: Column, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.read(column, FaultCode::NotAWord, |cell| parse(&text(cell)?))
    }

    fn flag(&mut self, column: Column) -> bool {
        self.read(column, FaultCode::NotAWord, flag).unwrap_or(false)
    }

    fn time(&mut self, column: Column) -> Option<Timestamp> {
        let day_ends = column == Column::DueAt;
        self.read(column, FaultCode::NotATime, |cell| match cell {
            Cell::Local(at) => Some(instant(*at, at.time() == Time::midnight(), day_ends)),
            Cell::Text(text) => time(text, day_ends),
            Cell::Empty | Cell::Whole(_) | Cell::Flag(_) | Cell::Odd => None,
        })
    }

    fn addressee(&mut self) -> Option<AddresseeDraft> {
        const PARTS: [Column; 7] = [
            Column::AddresseeName,
            Column::AddresseePhone,
            Column::AddresseeLine,
            Column::AddresseeCommune,
            Column::AddresseeProvince,
            Column::UnitSet,
            Column::AddresseeNote,
        ];
        let has = |reader: &Self, column: &Column| {
            reader.cells.get(column).is_some_and(|cell| **cell != Cell::Empty)
        };
        // A set alone is a column filled down, not an addressee.
        if !PARTS
            .iter()
            .any(|column| *column != Column::UnitSet && has(self, column))
        {
            return None;
        }
        for column in PARTS {
            if column.rule() == Rule::WithAddressee && !has(self, &column) {
                self.fault(column, FaultCode::Missing);
            }
        }
        let name = self.text(Column::AddresseeName);
        let phone = self.read(Column::AddresseePhone, FaultCode::WrongType, phone);
        let line = self.plain(Column::AddresseeLine);
        let set = self.text(Column::UnitSet);
        let commune = self.read(Column::AddresseeCommune, FaultCode::WrongType, |cell| {
            digits(cell, 5)
        });
        let province = self.read(Column::AddresseeProvince, FaultCode::WrongType, |cell| {
            digits(cell, 2)
        });
        let note = self.plain(Column::AddresseeNote);
        let set = set?;
        let unit = |code| UnitDraft {
            set: set.clone(),
            code,
        };
        Some(AddresseeDraft {
            name: name?,
            phone: phone?,
            line: line?,
            commune: unit(commune?),
            province: unit(province?),
            note,
        })
    }
}

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Empty | Cell::Whole(_) | Cell::Local(_) | Cell::Flag(_) | Cell::Odd => None,
    }
}

/// A unit's code has a fixed length, so zeros that a spreadsheet dropped are known.
fn digits(cell: &Cell, length: usize) -> Option<String> {
    let digits = match cell {
        Cell::Whole(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Empty | Cell::Local(_) | Cell::Flag(_) | Cell::Odd => return None,
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some(if plain {
        format!("{digits:0>length$}")
    } else {
        digits
    })
}

/// A number kept as a number has lost its leading zero, and no national number begins with another digit.
fn phone(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Whole(number) if *number > 0 => Some(format!("0{number}")),
        Cell::Whole(_) | Cell::Text(_) | Cell::Empty | Cell::Local(_) | Cell::Flag(_) | Cell::Odd => {
            text(cell)
        }
    }
}

fn return_by(word: &str) -> Option<ReturnBy> {
    ReturnBy::parse(word).or(match fold_for_search(word).as_str() {
        "truc tiep" | "tai quay" | "nhan truc tiep" | "tra truc tiep" => Some(ReturnBy::Counter),
        "buu chinh" | "qua buu chinh" | "buu chinh cong ich" | "dich vu buu chinh cong ich" => {
            Some(ReturnBy::Post)
        }
        "truc tuyen" | "ban dien tu" => Some(ReturnBy::Online),
        _ => None,
    })
}

fn submitted_by(word: &str) -> Option<SubmittedBy> {
    SubmittedBy::parse(word).or(match fold_for_search(word).as_str() {
        "truc tiep" | "tai quay" | "nop truc tiep" => Some(SubmittedBy::Direct),
        "truc tuyen" | "nop truc tuyen" | "qua mang" => Some(SubmittedBy::Online),
        "buu chinh" | "qua buu chinh" | "buu chinh cong ich" => Some(SubmittedBy::Post),
        _ => None,
    })
}

fn flag(cell: &Cell) -> Option<bool> {
    let word = match cell {
        Cell::Flag(flag) => return Some(*flag),
        Cell::Whole(number) => number.to_string(),
        Cell::Text(text) => fold_for_search(text),
        Cell::Empty | Cell::Local(_) | Cell::Odd => return None,
    };
    match word.as_str() {
        "1" | "x" | "co" | "true" | "yes" => Some(true),
        "0" | "khong" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// `dd/MM/yyyy`, `dd/MM/yyyy HH:mm[:ss]`, the same in ISO order, or RFC 3339 with an offset.
fn time(text: &str, day_ends: bool) -> Option<Timestamp> {
    if text.contains('/') {
        let (day, clock) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let date = vietnamese_date(day)?;
        return match clock.trim() {
            "" => Some(instant(date.at(0, 0, 0, 0), true, day_ends)),
            clock => Some(instant(date.to_datetime(wall_clock(clock)?), false, day_ends)),
        };
    }
    // Jiff also reads forms without hyphens, in which a number of any meaning would be a date.
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    if text.len() == 10 {
        let date: Date = text.parse().ok()?;
        return Some(instant(date.at(0, 0, 0, 0), true, day_ends));
    }
    Timestamp::parse_rfc3339(text).or_else(|| {
        let local: DateTime = text.parse().ok()?;
        Some(instant(local, false, day_ends))
    })
}

/// The instant at which Vietnam's clock shows `local`. A promise for a day is kept until that day is over.
fn instant(local: DateTime, is_day: bool, day_ends: bool) -> Timestamp {
    if is_day && day_ends {
        let next = local.date().tomorrow().unwrap_or(local.date());
        return Timestamp::start_of(next).plus_ms(-1);
    }
    Timestamp::from_local(local)
}

fn vietnamese_date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split('/').collect();
    let [day, month, year] = parts.as_slice() else {
        return None;
    };
    let number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && lengths.contains(&text.len());
        text.parse::<i16>().ok().filter(|_| plain)
    };
    let (day, month) = (number(day, 1..=2)?, number(month, 1..=2)?);
    let year = number(year, 4..=4)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn wall_clock(text: &str) -> Option<Time> {
    let parts: Vec<&str> = text.split(':').collect();
    let mut numbers = [0_i8; 3];
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    for (slot, part) in numbers.iter_mut().zip(&parts) {
        let plain = part.bytes().all(|byte| byte.is_ascii_digit()) && (1..=2).contains(&part.len());
        *slot = part.parse().ok().filter(|_| plain)?;
    }
    let [hour, minute, second] = numbers;
    Time::new(hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, expect: &str) {
        let at = time(text, false).map(|at| at.local().to_string());
        assert_eq!(at.as_deref(), Some(expect), "{text}");
    }

    #[test]
    fn times_are_vietnams_day_first_or_iso() {
        reads("05/11/2026", "2026-11-05T00:00:00");
        reads("5/11/2026 8:05", "2026-11-05T08:05:00");
        reads("05/11/2026  08:05:30", "2026-11-05T08:05:30");
        reads("2026-11-05", "2026-11-05T00:00:00");
        reads("2026-11-05 08:05", "2026-11-05T08:05:00");
        reads("2026-11-05T08:05:30", "2026-11-05T08:05:30");
        reads("2026-11-05T01:05:30Z", "2026-11-05T08:05:30");
        reads("2026-11-05T08:05:30+07:00", "2026-11-05T08:05:30");
    }

    #[test]
    fn impossible_times_are_refused() {
        for text in [
            "31/02/2026",
            "29/02/2025",
            "2026-02-30",
            "2026-02-30T08:00:00Z",
            "11/25/2026",
            "05/11/26",
            "05/11/2026 24:00",
            "05/11/2026 8h05",
            "05/11/2026 08:05:30:01",
            "20261105",
            "46331",
            "hôm qua",
            "2026-11-05 08:05 sáng",
        ] {
            assert_eq!(time(text, false), None, "{text}");
        }
    }

    /// A promise for a day is kept until that day is over, a promise for a minute is not.
    #[test]
    fn a_day_promised_lasts_to_its_end() {
        let end = Timestamp::parse_rfc3339("2026-11-05T23:59:59.999+07:00");
        assert_eq!(time("05/11/2026", true), end);
        assert_eq!(time("2026-11-05", true), end);
        let minute = Timestamp::parse_rfc3339("2026-11-05T00:00:00+07:00");
        assert_eq!(time("05/11/2026 00:00", true), minute);
    }

    fn cells(changes: &[(Column, Cell)]) -> Vec<Cell> {
        let good = [
            "H49.31-261101-0001",
            "9",
            "20/11/2026 09:00",
            "1.004227",
            "HL01",
            "Bưu chính",
            "Trực tuyến",
            "01/11/2026 08:00",
            "25/11/2026",
            "20/11/2026 09:00",
            "",
            "không",
            "Nguyễn Thị Thử",
            "0912345678",
            "Số 5, ngõ 12",
            "6688",
            "22",
            "vn-2026-04",
            "",
        ];
        let mut cells: Vec<Cell> = good.into_iter().map(Cell::text).collect();
        for (column, cell) in changes {
            let place = Column::ALL.iter().position(|known| known == column).unwrap();
            cells[place] = cell.clone();
        }
        cells
    }

    #[track_caller]
    fn refused(changes: &[(Column, Cell)], expect: &[(Column, FaultCode)]) {
        let faults = read(Column::ALL, &cells(changes)).err().unwrap_or_default();
        let told: Vec<(Column, FaultCode)> = faults
            .iter()
            .map(|fault| (fault.column.unwrap(), fault.code))
            .collect();
        assert_eq!(told, expect);
    }

    #[test]
    fn a_good_row_is_read_whole() {
        let row = read(Column::ALL, &cells(&[])).ok().unwrap();
        assert_eq!(row.code.as_str(), "H49.31-261101-0001");
        assert_eq!(
            (row.snapshot.return_by, row.snapshot.submitted_by),
            (ReturnBy::Post, SubmittedBy::Online)
        );
        let addressee = row.snapshot.addressee.unwrap();
        assert_eq!(
            (addressee.commune.code.as_str(), addressee.province.code.as_str()),
            ("06688", "22")
        );
        let numbers = [
            (Column::Status, Cell::Whole(9)),
            (Column::AddresseePhone, Cell::Whole(912_345_678)),
            (Column::AddresseeCommune, Cell::Whole(6688)),
            (Column::Duplicate, Cell::Flag(true)),
        ];
        let row = read(Column::ALL, &cells(&numbers)).ok().unwrap();
        assert!(row.snapshot.duplicate);
        assert_eq!(row.snapshot.addressee.unwrap().phone, "0912345678");
    }

    #[test]
    fn every_fault_of_a_row_is_told_by_column() {
        use FaultCode::{DossierCodeInvalid, Missing, NotATime, NotAWord, WrongType};
        refused(
            &[(Column::DossierCode, Cell::text("a\u{200b}b"))],
            &[(Column::DossierCode, DossierCodeInvalid)],
        );
        refused(
            &[(Column::Procedure, Cell::Odd)],
            &[(Column::Procedure, WrongType)],
        );
        refused(
            &[(Column::DossierCode, Cell::Whole(1))],
            &[(Column::DossierCode, WrongType)],
        );
        let many = [
            (Column::Status, Cell::Empty),
            (Column::StatusAt, Cell::text("31/02/2026")),
            (Column::ReturnBy, Cell::text("chim bồ câu")),
            (Column::DueAt, Cell::Whole(46_331)),
            (Column::Duplicate, Cell::text("có lẽ")),
            (Column::AddresseePhone, Cell::Empty),
        ];
        let expect = [
            (Column::Status, Missing),
            (Column::StatusAt, NotATime),
            (Column::ReturnBy, NotAWord),
            (Column::DueAt, NotATime),
            (Column::Duplicate, NotAWord),
            (Column::AddresseePhone, Missing),
        ];
        refused(&many, &expect);
    }

    /// A set of units filled down the whole column is no addressee; a row longer than the heading is refused.
    #[test]
    fn a_set_alone_is_no_addressee_and_a_long_row_no_row() {
        let nobody: Vec<(Column, Cell)> = Column::ALL
            .iter()
            .filter(|column| column.rule() == Rule::WithAddressee && **column != Column::UnitSet)
            .map(|column| (*column, Cell::Empty))
            .collect();
        let row = read(Column::ALL, &cells(&nobody)).ok().unwrap();
        assert_eq!(row.snapshot.addressee, None);
        let mut long = cells(&[]);
        long.push(Cell::text("x"));
        let faults = read(Column::ALL, &long).err().unwrap();
        assert_eq!(
            (faults[0].column, faults[0].code),
            (None, FaultCode::CountOutOfRange)
        );
    }
}
