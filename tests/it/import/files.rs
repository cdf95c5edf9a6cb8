//! Good files: what stands afterwards, the same twice, the same as by the JSON API, the same as a workbook.

use super::place::{Place, SAMPLE, but_the_run, on_both};
use hoibao::domain::journal::{Entry, Kind, Tag};
use hoibao::domain::time::Timestamp;
use hoibao::edge::store::{Backend, Command, StoreError, Tx, dossier, journal, personal};
use hoibao::stage::import::dossiers::{Mode, Outcome, Step};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use std::fmt::Write as _;
use std::sync::Mutex;

fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text)
}

async fn entries(place: &Place, kind: Kind) -> Vec<Entry> {
    let mut tx = place.context.store.snapshot().await.unwrap();
    let (pages, _) = journal::page(&mut tx, journal::Position::START, 10_000)
        .await
        .unwrap();
    let all = pages.iter().map(|bytes| Entry::from_bytes(bytes).unwrap());
    all.filter(|entry| entry.kind == kind).collect()
}

/// The sample file of the documentation: counts, a folded dossier, the sealed addressee, one entry about the import.
#[tokio::test]
async fn the_sample_stands_as_its_rows_say() {
    on_both(async |place: &Place| {
        let outcome = place.import(SAMPLE.as_bytes(), Mode::GoodRows).await;
        let expect = Outcome {
            rows: 12,
            applied: 12,
            opened: 11,
            changed: 1,
            ..Outcome::default()
        };
        assert_eq!(outcome, expect);
        assert_eq!(place.number("SELECT COUNT(*) FROM dossier").await, 11);
        assert_eq!(place.number("SELECT COUNT(*) FROM dossier_fact").await, 12);
        assert_eq!(place.number("SELECT COUNT(*) FROM import_row").await, 0);
        let mut tx = place.context.store.snapshot().await.unwrap();
        let row = dossier::by_code(&mut tx, place.source, "H49.31-261102-0001")
            .await
            .unwrap()
            .unwrap();
        assert_eq!((row.status, row.status_raw.as_str(), row.return_by), (9, "9", 1));
        assert_eq!(row.finished_at, at("2026-11-18T15:30:00+07:00"));
        assert_eq!(
            row.due_at,
            at("2026-11-20T23:59:59.999+07:00"),
            "a due day lasts to its end"
        );
        let key = personal::key(&place.context.store, &mut tx, row.record.unwrap())
            .await
            .unwrap();
        let name = personal::get(&mut tx, &key, "name").await.unwrap();
        assert_eq!(name.as_deref(), Some("Nguyễn Thị Thử"));
        let worded = dossier::by_code(&mut tx, place.source, "H49.31-261102-0002")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (worded.status, worded.status_raw.as_str()),
            (9, "9"),
            "a wording is its code"
        );
        let far = dossier::by_code(&mut tx, place.source, "H49.31-261104-0002")
            .await
            .unwrap()
            .unwrap();
        let key = personal::key(&place.context.store, &mut tx, far.record.unwrap())
            .await
            .unwrap();
        let commune = personal::get(&mut tx, &key, "commune").await.unwrap();
        assert_eq!(
            commune.as_deref(),
            Some("vn-2026-04:00004"),
            "zeros a spreadsheet dropped"
        );
        drop(tx);
        let told = entries(place, Kind::ImportApplied).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].fields.get_int(Tag::Count), Some(12));
        assert_eq!(told[0].fields.get_id(Tag::Source), Some(*place.source.as_bytes()));
        assert_eq!(told[0].fields.get_bytes(Tag::Evidence).map(<[u8]>::len), Some(32));
    })
    .await;
}

/// Every table but the run's own is the same to the byte, the journal among them.
#[tokio::test]
async fn the_same_file_twice_changes_nothing() {
    on_both(async |place: &Place| {
        place.import(SAMPLE.as_bytes(), Mode::GoodRows).await;
        let before = but_the_run(place.tables().await);
        let again = place.import(SAMPLE.as_bytes(), Mode::GoodRows).await;
        assert_eq!((again.applied, again.opened, again.changed), (12, 0, 0));
        assert_eq!(but_the_run(place.tables().await), before);
        let marked = format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n"));
        let again = place.import(marked.as_bytes(), Mode::AllOrNothing).await;
        assert_eq!((again.applied, again.opened, again.changed), (12, 0, 0));
        assert_eq!(but_the_run(place.tables().await), before);
    })
    .await;
}

/// A statement that came by file is known when it comes by the JSON API's own door, and the other way round.
#[tokio::test]
async fn both_doors_leave_the_same_rows() {
    use hoibao::domain::addressee::{AddresseeDraft, UnitDraft};
    use hoibao::domain::dossier::snapshot::Snapshot;
    use hoibao::domain::dossier::{ReturnBy, SubmittedBy};
    use hoibao::stage::dossier_record;
    let unit = |code: &str| UnitDraft {
        set: "vn-2026-04".to_owned(),
        code: code.to_owned(),
    };
    let snapshot = Snapshot {
        status_raw: "9".to_owned(),
        status_at: at("2026-11-20T08:00:00+07:00").unwrap(),
        procedure: "1.004227".to_owned(),
        receiving_office: "HL01".to_owned(),
        return_by: ReturnBy::Post,
        submitted_by: SubmittedBy::Online,
        received_at: at("2026-11-05T13:30:00+07:00").unwrap(),
        due_at: at("2026-11-25T23:59:59.999+07:00"),
        finished_at: at("2026-11-20T08:00:00+07:00"),
        returned_at: None,
        duplicate: false,
        addressee: Some(AddresseeDraft {
            name: "Lê Thị Mẫu".to_owned(),
            phone: "0912345673".to_owned(),
            line: "Khu 7".to_owned(),
            commune: unit("06688"),
            province: unit("22"),
            note: None,
        }),
    };
    on_both(async |place: &Place| {
        let code = "H49.31-261105-0002";
        let api = async || {
            let actor = dossier_record::system(place.source);
            dossier_record::refresh(&place.context, place.source, actor, code, &snapshot)
                .await
                .unwrap()
        };
        assert!(api().await.opened);
        let line = SAMPLE.lines().find(|line| line.starts_with(code)).unwrap();
        let file = format!("{}\n{line}\n", SAMPLE.lines().next().unwrap());
        let outcome = place.import(file.as_bytes(), Mode::GoodRows).await;
        assert_eq!((outcome.applied, outcome.opened, outcome.changed), (1, 0, 0));
        place.import(SAMPLE.as_bytes(), Mode::GoodRows).await;
        let before = place.tables().await;
        assert!(!api().await.changed);
        assert_eq!(place.tables().await, before);
    })
    .await;
}

/// A dry run tells the same and leaves every table, the runs' own among them, as it was.
#[tokio::test]
async fn a_dry_run_changes_nothing_at_all() {
    on_both(async |place: &Place| {
        let before = place.tables().await;
        let file = SAMPLE.replace("H49.31-261103-0001,10,", "H49.31-261103-0001,11,");
        let outcome = place.import(file.as_bytes(), Mode::DryRun).await;
        assert_eq!((outcome.rows, outcome.refused.len(), outcome.applied), (12, 1, 0));
        assert_eq!(place.tables().await, before);
    })
    .await;
}

/// The sample's rows in a workbook: dates as dates, numbers as numbers, one value by a formula.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("dd/mm/yyyy hh:mm");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(SAMPLE.as_bytes());
    for (row, record) in reader.records().enumerate() {
        let row = u32::try_from(row).unwrap();
        for (column, text) in record.unwrap().iter().enumerate() {
            let place = u16::try_from(column).unwrap();
            let parts: Vec<u16> = text
                .split(['/', ' ', ':'])
                .filter_map(|part| part.parse().ok())
                .collect();
            match (column, parts.as_slice()) {
                _ if text.is_empty() => {}
                (2 | 7..=10, [date, month, year, rest @ ..]) if row > 0 && text.contains('/') => {
                    let [date, month] = [*date, *month].map(|part| u8::try_from(part).unwrap());
                    let mut when = ExcelDateTime::from_ymd(*year, month, date).unwrap();
                    if let [hour, minute] = rest {
                        when = when.and_hms(*hour, u8::try_from(*minute).unwrap(), 0.0).unwrap();
                    }
                    sheet.write_datetime_with_format(row, place, &when, &day).unwrap();
                }
                (1 | 15 | 16, [number]) if row > 0 => {
                    sheet.write_number(row, place, f64::from(*number)).unwrap();
                }
                (4, _) if row > 0 => {
                    let formula = Formula::new("=CONCATENATE(\"HL\",\"01\")").set_result("HL01");
                    sheet.write_formula(row, place, formula).unwrap();
                }
                _ => {
                    sheet.write_string(row, place, text).unwrap();
                }
            }
        }
    }
    // An empty second sheet, as old spreadsheets add, does not matter.
    book.add_worksheet();
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_workbook_says_the_same_as_the_csv_file() {
    on_both(async |place: &Place| {
        let outcome = place.import(&workbook(), Mode::AllOrNothing).await;
        assert_eq!(outcome.refused, []);
        assert_eq!((outcome.applied, outcome.opened, outcome.changed), (12, 11, 1));
        let before = but_the_run(place.tables().await);
        let again = place.import(SAMPLE.as_bytes(), Mode::AllOrNothing).await;
        assert_eq!((again.applied, again.opened, again.changed), (12, 0, 0));
        assert_eq!(but_the_run(place.tables().await), before);
    })
    .await;
}

/// As a callback would.
struct Urgent;
impl Command for Urgent {
    const NAME: &'static str = "test_urgent";
    type Output = ();
    type Error = StoreError;
    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        hoibao::edge::store::unit::unit(tx, "vn-2026-04", "province", "22")
            .await
            .map(drop)
    }
}

/// A file of that many dossiers in work.
fn many(rows: u32) -> String {
    let mut file = SAMPLE.lines().next().unwrap().to_owned();
    for number in 0..rows {
        write!(
            file,
            "\nH49.31-261103-{number:05},4,03/11/2026 08:30,1.004227,HL01,counter,direct,03/11/2026 08:30"
        )
        .unwrap();
    }
    file
}

/// Ten thousand rows (on PostgreSQL, where each question is a round trip, a quarter of that) go in by many small
/// transactions, and an urgent command never waits for more than one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_rows_go_in_by_small_transactions() {
    on_both(async |place: &Place| {
        let postgres = matches!(place.context.store.backend(), Backend::Postgres { .. });
        let rows: u32 = if postgres { 2_500 } else { 10_000 };
        let file = many(rows);
        let steps = Mutex::new(Vec::new());
        let moved = tokio::sync::Notify::new();
        let watch = |step: Step, done: usize, total: usize| {
            steps.lock().unwrap().push((step, done, total));
            moved.notify_one();
        };
        let request = hoibao::stage::import::dossiers::Request {
            file: file.as_bytes(),
            source: "one",
            actor: hoibao::domain::journal::Actor::ADMINISTRATOR,
            mode: Mode::GoodRows,
        };
        let (before, _) = place.context.store.commits();
        let import = hoibao::stage::import::dossiers::run(&place.context, request, &watch);
        let mut import = std::pin::pin!(import);
        let mut urgent = 0_u32;
        let outcome = loop {
            tokio::select! {
                done = &mut import => break done.unwrap(),
                // One urgent command beside each transaction of the import.
                () = async {
                    moved.notified().await;
                    place.context.store.submit_urgent(Urgent).await.unwrap();
                } => {
                    urgent += 1;
                }
            }
        };
        assert_eq!((outcome.applied, outcome.opened), (rows, rows));
        assert_eq!(
            place.number("SELECT COUNT(*) FROM dossier_fact").await,
            i64::from(rows)
        );
        let (after, _) = place.context.store.commits();
        // Fifty to stage, at least seventy-nine to switch in.
        assert!(after - before >= 50 + 79, "{} commits", after - before);
        assert!(
            urgent > 10,
            "{urgent} urgent ones were answered while the import ran"
        );
        let steps = steps.lock().unwrap();
        for wanted in [Step::Checking, Step::Staging, Step::Switching] {
            assert!(
                steps
                    .iter()
                    .any(|(step, _, total)| (*step, *total) == (wanted, usize::try_from(rows).unwrap())),
                "{wanted:?}"
            );
        }
    })
    .await;
}
