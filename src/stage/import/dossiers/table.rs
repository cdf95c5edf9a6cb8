//! Room `stage`, import: a file as lines of cells.
//!
//! In: bytes of a CSV file (UTF-8, with or without a mark) or of a workbook, known by their content. Out: a [`Table`]
//! whose columns are known, or why the file as a whole is refused. Bounded in bytes, rows and columns. Deliberately not
//! here: what a cell means (`row`), and the workbook's own format (`workbook`).

use super::columns::{Column, Rule};
use super::workbook;
use jiff::civil::DateTime;
use std::collections::BTreeSet;
use std::fmt;

/// Largest file taken, bytes.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// Most rows of one file, the heading not counted.
pub const ROWS_MAX: usize = 200_000;
/// Most columns looked at.
pub const COLUMNS_MAX: usize = 64;
/// Longest text of one cell, bytes.
const CELL_BYTES_MAX: usize = 4_096;

/// What a cell holds. Perhaps personal: `Debug` shows nothing of it.
#[derive(Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// Text, trimmed.
    Text(String),
    /// A whole number of a workbook.
    Whole(i64),
    /// A date of a workbook, on Vietnam's wall clock.
    Local(DateTime),
    /// A truth value of a workbook.
    Flag(bool),
    /// Something that could only be guessed at: a fraction, a duration, an error, an overlong text.
    Odd,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell(..)")
    }
}

impl Cell {
    /// Text without the blanks around it; an overlong one is [`Cell::Odd`].
    pub(super) fn text(text: &str) -> Self {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            Self::Empty
        } else if text.len() > CELL_BYTES_MAX {
            Self::Odd
        } else {
            Self::Text(text.to_owned())
        }
    }
}

/// Something wrong with the heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    /// Column of this number, from 1, has no heading of ours. Never repeated: it may be the first person of a file
    /// without headings.
    Unknown(usize),
    /// Two columns have this meaning.
    Repeated(Column),
    /// No column has this meaning.
    Missing(Column),
}

/// Why a file is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// More than [`FILE_BYTES_MAX`].
    #[error("the file is larger than {} MiB", FILE_BYTES_MAX >> 20)]
    TooLarge,
    /// More than [`ROWS_MAX`].
    #[error("the file has more than {ROWS_MAX} rows")]
    TooManyRows,
    /// More than [`COLUMNS_MAX`].
    #[error("the file has more than {COLUMNS_MAX} columns")]
    TooManyColumns,
    /// No row at all.
    #[error("the file is empty")]
    Empty,
    /// Bytes that are not UTF-8, first in this line.
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 {
        /// From 1.
        line: usize,
    },
    /// The mark of UTF-16 stands at the beginning.
    #[error("the file is UTF-16 text, not UTF-8")]
    Utf16,
    /// The format of Excel before 2007.
    #[error("the file is a workbook of the old format .xls")]
    OldWorkbook,
    /// A workbook that cannot be read.
    #[error("the workbook cannot be read: {0}")]
    Workbook(&'static str),
    /// A workbook that would fill the memory once unpacked.
    #[error("the workbook is too large once unpacked")]
    WorkbookTooLarge,
    /// More than one sheet has cells.
    #[error("the workbook has cells on more than one sheet")]
    ManySheets,
    /// A line that is no CSV.
    #[error("line {line} cannot be read as CSV")]
    Csv {
        /// From 1.
        line: u32,
    },
    /// The heading is wrong; every fault is told.
    #[error("the headings are wrong in {} places", .0.len())]
    Header(Vec<HeaderFault>),
}

/// A line of the file.
pub(super) struct Line {
    /// From 1.
    pub(super) number: u32,
    pub(super) cells: Vec<Cell>,
}

/// A file whose headings are known.
pub(super) struct Table {
    /// What each column means.
    pub(super) columns: Vec<Column>,
    pub(super) lines: Vec<Line>,
}

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Result<Table, FileError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FileError::TooLarge);
    }
    let lines = if bytes.starts_with(b"PK\x03\x04") {
        workbook::lines(bytes)?
    } else if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(FileError::OldWorkbook);
    } else {
        csv_lines(bytes)?
    };
    let mut lines = lines.into_iter();
    let header = lines.next().ok_or(FileError::Empty)?;
    let columns = columns(&header.cells)?;
    Ok(Table {
        columns,
        lines: lines.collect(),
    })
}

fn csv_lines(bytes: &[u8]) -> Result<Vec<Line>, FileError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(FileError::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        FileError::NotUtf8 {
            line: line_ends(good) + 1,
        }
    })?;
    if let Some((before, _)) = text.split_once('\0') {
        let line = before.matches('\n').count() + 1;
        return Err(FileError::NotUtf8 { line });
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut lines = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut place = Place { byte: 0, line: 1 };
    loop {
        place.go_to(text, reader.position().byte());
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(lines),
            Err(_form) => return Err(FileError::Csv { line: place.line }),
        }
        push(&mut lines, place.line, record.iter().map(Cell::text).collect())?;
    }
}

/// Where a record begins. The reader's own count of lines stops before the empty ones it passes over.
struct Place {
    byte: usize,
    line: u32,
}

impl Place {
    /// Moves on to the first byte of a record, which the reader looks for from `from`.
    fn go_to(&mut self, text: &str, from: u64) {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let empty = rest
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let to = from.saturating_add(empty);
        let passed = text.as_bytes().get(self.byte..to).unwrap_or_default();
        let ends = u32::try_from(line_ends(passed)).unwrap_or(u32::MAX);
        self.line = self.line.saturating_add(ends);
        self.byte = to;
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').skip(1).count()
}

/// Adds a line unless it is empty. Empty cells at its end, as spreadsheets leave them, do not count.
pub(super) fn push(lines: &mut Vec<Line>, number: u32, mut cells: Vec<Cell>) -> Result<(), FileError> {
    while cells.last().is_some_and(|cell| *cell == Cell::Empty) {
        cells.pop();
    }
    if cells.len() > COLUMNS_MAX {
        return Err(FileError::TooManyColumns);
    }
    if cells.is_empty() {
        return Ok(());
    }
    // The heading is a line too.
    if lines.len() > ROWS_MAX {
        return Err(FileError::TooManyRows);
    }
    lines.push(Line { number, cells });
    Ok(())
}

/// Comma, or what spreadsheets write in countries whose decimal sign is the comma.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        for (sign, count) in &mut counts {
            *count += usize::from(!quoted && byte == *sign);
        }
    }
    // Of equally frequent ones the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(sign, _)| *sign)
}

fn columns(header: &[Cell]) -> Result<Vec<Column>, FileError> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for (index, cell) in header.iter().enumerate() {
        let found = match cell {
            Cell::Text(heading) => Column::of_heading(heading),
            Cell::Empty | Cell::Whole(_) | Cell::Local(_) | Cell::Flag(_) | Cell::Odd => None,
        };
        match found {
            None => faults.push(HeaderFault::Unknown(index + 1)),
            Some(column) if !seen.insert(column) => faults.push(HeaderFault::Repeated(column)),
            Some(column) => columns.push(column),
        }
    }
    let about_addressee = Column::ALL.iter().any(|column| {
        (column.rule() == Rule::WithAddressee || *column == Column::AddresseeNote) && seen.contains(column)
    });
    let missing = Column::ALL.iter().filter(|column| match column.rule() {
        Rule::Always => !seen.contains(column),
        Rule::WithAddressee => about_addressee && !seen.contains(column),
        Rule::Optional => false,
    });
    faults.extend(missing.map(|column| HeaderFault::Missing(*column)));
    if faults.is_empty() {
        Ok(columns)
    } else {
        Err(FileError::Header(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "dossier_code,status,status_at,procedure,receiving_office,return_by,submitted_by,received_at";

    #[track_caller]
    fn lines(text: &[u8]) -> Vec<(u32, usize)> {
        let table = read(text).unwrap();
        table
            .lines
            .iter()
            .map(|line| (line.number, line.cells.len()))
            .collect()
    }

    #[test]
    fn marks_signs_and_empty_lines_do_not_matter() {
        let row = "A-1,9,x,y,z,post,online,w";
        assert_eq!(lines(format!("{HEAD}\n{row}\n").as_bytes()), [(2, 8)]);
        assert_eq!(
            lines(format!("\u{feff}{HEAD}\r\n\r\n,,\r\n{row},,\r\n").as_bytes()),
            [(4, 8)]
        );
        let semicolons = format!("{HEAD}\n{row}\n").replace(',', ";");
        assert_eq!(lines(semicolons.as_bytes()), [(2, 8)]);
        let vietnamese = "Mã hồ sơ;Trạng thái;Thời điểm trạng thái;Mã thủ tục;Mã đơn vị tiếp nhận;\
                          Hình thức trả kết quả;Hình thức nộp;Ngày tiếp nhận\n\"a\n;b\";1\nc;2\n";
        assert_eq!(lines(vietnamese.as_bytes()), [(2, 2), (4, 2)]);
    }

    #[track_caller]
    fn refused(bytes: &[u8], expect: &str) {
        assert_eq!(read(bytes).err().unwrap().to_string(), expect);
    }

    #[test]
    fn files_are_refused_as_a_whole_with_the_place() {
        refused(b"", "the file is empty");
        refused(b"\xff\xfea\0", "the file is UTF-16 text, not UTF-8");
        refused(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "the file is a workbook of the old format .xls",
        );
        refused(b"a\nb\nM\xe3 h\xf4", "line 3 is not UTF-8 text");
        refused(b"PK\x03\x04nonsense", "the workbook cannot be read: no archive");
        let wide = ",x".repeat(COLUMNS_MAX + 1);
        refused(
            format!("{HEAD}{wide}\n").as_bytes(),
            "the file has more than 64 columns",
        );
    }

    #[test]
    fn every_fault_of_the_heading_is_told_and_nothing_of_it_repeated() {
        use HeaderFault::{Missing, Repeated, Unknown};
        let head = HEAD.replace("status_at", "Nguyễn Thị Thử") + ",status,ghi chú";
        let Some(FileError::Header(faults)) = read(head.as_bytes()).err() else {
            panic!("taken");
        };
        assert_eq!(
            faults,
            [
                Unknown(3),
                Repeated(Column::Status),
                Missing(Column::StatusAt),
                Missing(Column::AddresseeName),
                Missing(Column::AddresseePhone),
                Missing(Column::AddresseeLine),
                Missing(Column::AddresseeCommune),
                Missing(Column::AddresseeProvince),
                Missing(Column::UnitSet),
            ]
        );
    }
}
