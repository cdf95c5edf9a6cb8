//! What is refused: by line, column and reason; and that all-or-nothing means nothing.

use super::place::{Place, SAMPLE, but_the_run, on_both};
use hoibao::stage::import::dossiers::{Column, FileError, ImportError, Mode, Outcome};
use std::io::Write as _;

/// The sample with the value of one column of one line replaced; lines from 1.
fn with(changes: &[(usize, Column, &str)]) -> String {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(SAMPLE.as_bytes());
    let mut lines: Vec<Vec<String>> = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    for (line, column, value) in changes {
        let place = Column::ALL.iter().position(|known| known == column).unwrap();
        lines[line - 1][place] = (*value).to_owned();
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Line, column and code of every fault.
fn told(outcome: &Outcome) -> Vec<(u32, &'static str, &'static str)> {
    let refused = outcome.refused.iter();
    refused
        .flat_map(|refusal| {
            let faults = refusal.faults.iter();
            faults.map(|fault| {
                (
                    refusal.line,
                    fault.column.map_or("", Column::name),
                    fault.code.as_str(),
                )
            })
        })
        .collect()
}

/// Line, column, value that is put there; column and code of the fault that is told.
const CASES: &[(usize, Column, &str, (&str, &str))] = &[
    (2, Column::DossierCode, "", ("dossier_code", "missing")),
    (
        2,
        Column::DossierCode,
        "H49\u{200b}",
        ("dossier_code", "dossier_code_invalid"),
    ),
    (2, Column::Status, "77", ("status", "status_unknown")),
    (
        2,
        Column::StatusAt,
        "31/11/2026 08:00",
        ("status_at", "not_a_time"),
    ),
    (
        2,
        Column::StatusAt,
        "30/11/2026 08:00",
        ("status_at", "in_the_future"),
    ),
    (2, Column::Procedure, "1 2", ("procedure", "procedure_invalid")),
    (
        3,
        Column::ReceivingOffice,
        "HL77",
        ("receiving_office", "office_unknown"),
    ),
    (3, Column::ReturnBy, "bồ câu", ("return_by", "not_a_word")),
    (
        3,
        Column::ReturnBy,
        "counter",
        ("addressee_name", "addressee_not_needed"),
    ),
    (3, Column::SubmittedBy, "", ("submitted_by", "missing")),
    (3, Column::ReceivedAt, "29/02/2025", ("received_at", "not_a_time")),
    (
        4,
        Column::FinishedAt,
        "01/11/2026",
        ("finished_at", "finished_before_received"),
    ),
    (
        5,
        Column::ReturnedAt,
        "04/11/2026",
        ("returned_at", "returned_before_finished"),
    ),
    (4, Column::DueAt, "01/01/1999", ("due_at", "too_long_ago")),
    (4, Column::Duplicate, "có lẽ", ("duplicate", "not_a_word")),
    (4, Column::AddresseeName, "12", ("addressee_name", "name_invalid")),
    (
        4,
        Column::AddresseePhone,
        "123",
        ("addressee_phone", "phone_invalid"),
    ),
    (4, Column::AddresseeLine, "", ("addressee_line", "missing")),
    (
        4,
        Column::AddresseeCommune,
        "00004",
        ("addressee_commune", "commune_not_of_province"),
    ),
    (
        4,
        Column::AddresseeCommune,
        "99999",
        ("addressee_commune", "unit_unknown"),
    ),
    (
        4,
        Column::AddresseeProvince,
        "Quảng Ninh",
        ("addressee_province", "unit_invalid"),
    ),
    (4, Column::UnitSet, "", ("unit_set", "missing")),
];

/// Each way to be wrong, told at its line and column, by the reader of files or by the check that the JSON API shares.
#[tokio::test]
async fn each_fault_is_told_at_its_line_and_column() {
    on_both(async |place: &Place| {
        let before = place.tables().await;
        let long_note = "x".repeat(300);
        let note = (
            4,
            Column::AddresseeNote,
            long_note.as_str(),
            ("addressee_note", "note_invalid"),
        );
        for (line, column, value, (at, code)) in CASES.iter().chain([&note]) {
            let file = with(&[(*line, *column, value)]);
            let outcome = place.import(file.as_bytes(), Mode::AllOrNothing).await;
            assert_eq!(
                told(&outcome),
                [(u32::try_from(*line).unwrap(), *at, *code)],
                "{column:?} {value}"
            );
        }
        assert_eq!(place.tables().await, before);
    })
    .await;
}

/// Two wrong rows among twelve: with all-or-nothing every table is the same to the byte; without, ten stand, and the
/// corrected file brings in the others.
#[tokio::test]
async fn all_or_nothing_is_nothing_and_otherwise_the_good_rows_stand() {
    on_both(async |place: &Place| {
        let before = place.tables().await;
        let file = with(&[(5, Column::Status, "0"), (9, Column::ReceivedAt, "")]);
        let outcome = place.import(file.as_bytes(), Mode::AllOrNothing).await;
        let faults = [(5, "status", "status_unknown"), (9, "received_at", "missing")];
        assert_eq!((told(&outcome).as_slice(), outcome.applied), (&faults[..], 0));
        assert_eq!(place.tables().await, before);
        let outcome = place.import(file.as_bytes(), Mode::GoodRows).await;
        assert_eq!(
            (told(&outcome).as_slice(), outcome.applied, outcome.opened),
            (&faults[..], 10, 9)
        );
        let counts = "SELECT rows_total * 10000 + rows_refused * 100 + rows_applied FROM import_run";
        assert_eq!(place.number(counts).await, 120_210);
        let outcome = place.import(SAMPLE.as_bytes(), Mode::AllOrNothing).await;
        assert_eq!((outcome.applied, outcome.opened, outcome.changed), (12, 2, 0));
        but_the_run(place.tables().await);
    })
    .await;
}

#[track_caller]
fn file_error(done: Result<Outcome, ImportError>) -> FileError {
    match done {
        Err(ImportError::File(error)) => error,
        other => panic!("taken: {other:?}"),
    }
}

fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Files that are no UTF-8, no workbook, or several sheets are refused whole, with the reason, before anything is written.
#[tokio::test]
async fn files_that_cannot_be_read_are_refused_whole() {
    let place = Place::open(false).await;
    let before = place.tables().await;
    let old = SAMPLE.replace("Nguyễn Thị Thử", "N\u{1}").into_bytes();
    // The letter ê of a Vietnamese code page of before Unicode.
    let old: Vec<u8> = old
        .into_iter()
        .map(|byte| if byte == 1 { 0xea } else { byte })
        .collect();
    let error = file_error(place.try_import(&old, Mode::GoodRows).await);
    assert!(matches!(error, FileError::NotUtf8 { line: 2 }), "{error}");
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(SAMPLE.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert!(matches!(
        file_error(place.try_import(&utf16, Mode::GoodRows).await),
        FileError::Utf16
    ));
    let no_book = zip(&[("readme.txt", b"hello")]);
    assert!(matches!(
        file_error(place.try_import(&no_book, Mode::GoodRows).await),
        FileError::Workbook(_)
    ));
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "Mã hồ sơ").unwrap();
    sheet.write_string(1_048_575, 16_383, "far away").unwrap();
    let far = book.save_to_buffer().unwrap();
    assert!(matches!(
        file_error(place.try_import(&far, Mode::GoodRows).await),
        FileError::TooManyColumns
    ));
    let mut book = rust_xlsxwriter::Workbook::new();
    for _ in 0..2 {
        book.add_worksheet().write_string(0, 0, "Mã hồ sơ").unwrap();
    }
    let two = book.save_to_buffer().unwrap();
    assert!(matches!(
        file_error(place.try_import(&two, Mode::GoodRows).await),
        FileError::ManySheets
    ));
    assert_eq!(place.tables().await, before);
    let request = place.try_import(b"", Mode::GoodRows).await;
    assert!(matches!(file_error(request), FileError::Empty));
}
