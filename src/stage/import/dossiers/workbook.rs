//! Room `stage`, import: a workbook (.xlsx) as lines of cells.
//!
//! In: the bytes of the archive. Out: the cells of its one sheet that has any; of a formula the value the spreadsheet
//! last computed. Bounded before it is unpacked: what would fill the memory is refused, whatever the archive says of its
//! own size, and cells are read one by one, so that a lonely cell far away costs nothing. Deliberately not here:
//! what a cell means.

use super::table::{COLUMNS_MAX, Cell, FileError, Line, push};
use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use jiff::civil::DateTime;
use std::io::{self, Cursor, Read as _};

/// Most bytes of all parts of a workbook together, unpacked.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Most parts of a workbook.
const PARTS_MAX: usize = 1_000;
/// Whole numbers beyond this are not exact in a workbook.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The lines of the one sheet that has cells.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<Line>, FileError> {
    bounded(bytes, UNPACKED_BYTES_MAX)?;
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let mut found: Option<Vec<Line>> = None;
    for name in book.sheet_names() {
        let lines = match sheet(&mut book, &name) {
            Ok(lines) => lines,
            // A chart is no sheet of cells.
            Err(SheetError::NoCells) => continue,
            Err(SheetError::File(error)) => return Err(error),
        };
        if lines.is_empty() {
            continue;
        }
        if found.is_some() {
            return Err(FileError::ManySheets);
        }
        found = Some(lines);
    }
    Ok(found.unwrap_or_default())
}

/// Unpacks every part to nowhere, counting, whatever the archive says of its size.
fn bounded(bytes: &[u8], unpacked_max: u64) -> Result<(), FileError> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_form| FileError::Workbook("no archive"))?;
    if archive.len() > PARTS_MAX {
        return Err(FileError::WorkbookTooLarge);
    }
    let mut left = unpacked_max;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_form| {
            FileError::Workbook("a part cannot be opened; is it protected by a password?")
        })?;
        let read = io::copy(&mut part.take(left + 1), &mut io::sink())
            .map_err(|_form| FileError::Workbook("a part is damaged"))?;
        left = left.checked_sub(read).ok_or(FileError::WorkbookTooLarge)?;
    }
    Ok(())
}

enum SheetError {
    NoCells,
    File(FileError),
}

impl From<XlsxError> for SheetError {
    fn from(error: XlsxError) -> Self {
        if matches!(error, XlsxError::NotAWorksheet(_)) {
            Self::NoCells
        } else {
            Self::File(unreadable(&error))
        }
    }
}

fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Vec<Line>, SheetError> {
    let mut reader = book.worksheet_cells_reader(name)?;
    let mut lines = Vec::new();
    let mut row = 0;
    let mut cells: Vec<Cell> = Vec::new();
    while let Some(cell) = reader.next_cell()? {
        let (at, column) = cell.get_position();
        if at != row {
            let done = std::mem::take(&mut cells);
            push(&mut lines, row.saturating_add(1), done).map_err(SheetError::File)?;
            // Rows stand in their order in every file a program wrote.
            if at < row {
                return Err(SheetError::File(FileError::Workbook("its rows are out of order")));
            }
            row = at;
        }
        let value = value(cell.get_value());
        if value == Cell::Empty {
            continue;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= COLUMNS_MAX {
            return Err(SheetError::File(FileError::TooManyColumns));
        }
        if cells.len() <= column {
            cells.resize(column + 1, Cell::Empty);
        }
        if let Some(slot) = cells.get_mut(column) {
            *slot = value;
        }
    }
    push(&mut lines, row.saturating_add(1), cells).map_err(SheetError::File)?;
    Ok(lines)
}

fn value(data: &DataRef<'_>) -> Cell {
    match data {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) | DataRef::DateTimeIso(text) => Cell::text(text),
        DataRef::SharedString(text) => Cell::text(text),
        DataRef::Int(number) => Cell::Whole(*number),
        DataRef::Float(number) => whole(*number),
        DataRef::Bool(flag) => Cell::Flag(*flag),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            local(year, [month, day, hour, minute, second], milli).map_or(Cell::Odd, Cell::Local)
        }
        DataRef::DateTime(_) | DataRef::DurationIso(_) | DataRef::Error(_) => Cell::Odd,
    }
}

/// Excel knows a 29 February 1900 that never was.
fn local(year: u16, rest: [u8; 5], milli: u16) -> Option<DateTime> {
    let year = i16::try_from(year).ok()?;
    let nanosecond = i32::from(milli) * 1_000_000;
    let mut parts = [0_i8; 5];
    for (slot, part) in parts.iter_mut().zip(rest) {
        *slot = i8::try_from(part).ok()?;
    }
    let [month, day, hour, minute, second] = parts;
    DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()
}

/// A workbook keeps every number as a fraction; a code such as 1.004220 has lost its last digit there, so only whole
/// numbers are believed.
fn whole(number: f64) -> Cell {
    if number.fract() != 0.0 || number.abs() >= EXACT_MAX {
        return Cell::Odd;
    }
    format!("{number:.0}").parse().map_or(Cell::Odd, Cell::Whole)
}

fn unreadable(error: &XlsxError) -> FileError {
    FileError::Workbook(if matches!(error, XlsxError::Password) {
        "it is protected by a password"
    } else if matches!(
        error,
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound
    ) {
        "a part is missing"
    } else {
        "it is damaged, or no workbook"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn archive(parts: &[usize]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (number, length) in parts.iter().enumerate() {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(number.to_string(), options).unwrap();
            archive.write_all(&vec![b' '; *length]).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    /// All parts together count, and what the archive's list says of their sizes is not believed.
    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let good = archive(&[40_000, 60_000]);
        assert!(good.len() < 1_000, "{} bytes", good.len());
        assert!(bounded(&good, 100_000).is_ok());
        assert!(matches!(bounded(&good, 99_999), Err(FileError::WorkbookTooLarge)));
        let mut lying = good.clone();
        for size in [40_000_u32, 60_000] {
            let truth = size.to_le_bytes();
            let places: Vec<usize> = (0..lying.len() - 4)
                .filter(|at| lying[*at..*at + 4] == truth)
                .collect();
            assert!(!places.is_empty());
            for at in places {
                lying[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
            }
        }
        assert!(bounded(&lying, 99_999).is_err());
        assert!(matches!(
            bounded(&archive(&[0; PARTS_MAX + 1]), 1),
            Err(FileError::WorkbookTooLarge)
        ));
    }

    #[test]
    fn numbers_that_lost_something_are_not_believed() {
        assert_eq!(whole(6_688.0), Cell::Whole(6_688));
        assert_eq!(whole(-0.0), Cell::Whole(0));
        assert_eq!(whole(1.004_227), Cell::Odd);
        assert_eq!(whole(1e16), Cell::Odd);
        assert_eq!(whole(f64::NAN), Cell::Odd);
        assert_eq!(local(1900, [2, 29, 0, 0, 0], 0), None);
    }
}
