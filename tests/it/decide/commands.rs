//! `hoibao decide` and `hoibao handover`: the real program on both databases, its exit codes and words.
//!
//! In: a store with shipments. Out: red when the program does not do what it says, or shows what is personal.

use super::seed::addressee;
use super::setup::{App, REASON};
use hoibao::app::ports::SystemClock;
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::id::ShipmentId;
use hoibao::domain::journal::Kind;
use hoibao::domain::time::Clock as _;
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Output, Stdio};

const DAY_MS: i64 = 86_400_000;

/// Runs a test on a SQLite file and on PostgreSQL, with shipments registered yesterday by the machine's clock.
async fn on_both<F: AsyncFn(&App)>(test: F) {
    for postgres in [false, true] {
        let app = App::open_at(postgres, SystemClock.now().plus_ms(-DAY_MS)).await;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(app.folder.path().join("keys"))
            .unwrap();
        file.write_all(app.keys.as_bytes()).unwrap();
        test(&app).await;
    }
}

/// The program, with standard input.
fn run_with(app: &App, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hoibao"));
    command.current_dir(app.folder.path()).args(arguments);
    for (name, _value) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HOIBAO") {
            command.env_remove(name);
        }
    }
    let child = command
        .env("HOIBAO__KEYS__FILE", "keys")
        .env("HOIBAO__DATABASE__URL", &app.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What it printed; its exit code must be this one.
#[track_caller]
fn run(app: &App, code: i32, arguments: &[&str]) -> String {
    said(&run_with(app, arguments, ""), code)
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let err = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "stdout: {out}\nstderr: {err}");
    format!("{out}{err}")
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

const CLERK: [&str; 4] = ["--by", "canbo", "--office", "HL01"];
const LEADER: [&str; 4] = ["--by", "lanhdao", "--office", "HL01"];

fn with<'a>(first: &[&'a str], then: &[&'a str]) -> Vec<&'a str> {
    [first, then].concat()
}

async fn number(app: &App, id: ShipmentId) -> String {
    app.row(id).await.short_number
}

/// The whole way of a contested shipment: listed, shown, proposed, not approved by its proposer, approved, listed no more.
#[tokio::test]
async fn a_contested_shipment_is_settled_at_the_command_line() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.told(id, 100, "14", EventKind::Delivered).await;
        app.told(id, 200, "19", EventKind::Returned).await;
        let number = number(app, id).await;
        let listed = run(app, 0, &["decide", "list", "--office", "HL01"]);
        assert!(
            listed.contains(&number) && listed.contains("Thông tin phát mâu thuẫn"),
            "{listed}"
        );
        let listed = json(&run(app, 0, &["decide", "list", "--json"]));
        assert_eq!(listed["tasks"][0]["questions"][0]["question"], "contested");

        let shown = json(&run(app, 0, &["decide", "show", &number, "--json"]));
        assert_eq!(
            (&shown["contested"], &shown["state"]),
            (&Value::Bool(true), &"delivered".into())
        );
        let seen = shown["facts_seen"]
            .as_str()
            .unwrap()
            .get(..12)
            .unwrap()
            .to_owned();
        let text = run(app, 0, &["decide", "show", &number]);
        assert!(
            text.contains(&seen) && text.contains("Phát thành công") && text.contains("returned"),
            "{text}"
        );
        let person = addressee("0912345678");
        for personal in [&person.name, &person.phone, &person.line] {
            assert!(!text.contains(personal) && !shown.to_string().contains(personal));
        }

        let at = app.row(id).await.created_at.plus_ms(190 * 60_000).to_rfc3339();
        let propose = [
            "decide", "propose", &number, "returned", "--reason", REASON, "--at", &at,
        ];
        let stale = with(&propose, &with(&CLERK, &["--seen", "000000000000"]));
        let refused = run(app, 1, &stale);
        assert!(
            refused.contains("Từ chối: thông tin đã thay đổi") && refused.contains("(stale)"),
            "{refused}"
        );
        let seen = with(&CLERK, &["--seen", &seen, "--json"]);
        let waits = json(&run(app, 0, &with(&propose, &seen)));
        assert_eq!(waits["state"], "proposed");
        let decision = waits["decision"].as_str().unwrap();

        let own = run(app, 1, &with(&["decide", "approve", decision, "--json"], &CLERK));
        assert_eq!(json(&own)["refused"], "own_proposal");
        let approved = run(app, 0, &with(&["decide", "approve", decision], &LEADER));
        assert!(approved.contains("Đã có hiệu lực"), "{approved}");
        let again = run(app, 1, &with(&["decide", "approve", decision], &LEADER));
        assert!(again.contains("settled_before"), "{again}");
        let row = app.row(id).await;
        assert_eq!(
            (row.state, row.contested),
            (DeliveryState::At(EventKind::Returned), false)
        );
        assert!(!run(app, 0, &["decide", "list"]).contains("mâu thuẫn"));
        app.recomputed(id).await;
    })
    .await;
}

/// A correction comes from a file or standard input; its faults are told in both languages; personal data are shown with
/// `--reveal` alone, and that is entered.
#[tokio::test]
async fn a_correction_and_what_is_revealed() {
    on_both(async |app: &App| {
        let id = app.shipment_to(1, "0600012345").await;
        app.dispatch().await;
        let number = number(app, id).await;
        let propose = [
            "decide",
            "propose",
            &number,
            "correct",
            "--reason",
            REASON,
            "--correction",
            "-",
        ];
        let propose = with(&propose, &CLERK);
        let wrong = said(&run_with(app, &propose, r#"{"phone": "12"}"#), 1);
        assert!(
            wrong.contains("Từ chối:") && wrong.contains("/phone: "),
            "{wrong}"
        );
        let unreadable = said(&run_with(app, &propose, r#"{"phon": "0987654321"}"#), 1);
        assert!(
            unreadable.contains("correction_unreadable") && !unreadable.contains("0987654321"),
            "{unreadable}"
        );
        let done = said(&run_with(app, &propose, r#"{"phone": "0987654321"}"#), 0);
        assert!(done.contains("đính chính thông tin"), "{done}");
        assert_eq!((app.row(id).await.revision, app.row(id).await.held), (2, None));

        assert_eq!(app.entered(id, Kind::PersonalDataShown).await, 0);
        let shown = run(app, 0, &with(&["decide", "show", &number, "--reveal"], &CLERK));
        assert!(shown.contains("0987654321") && shown.contains(REASON), "{shown}");
        assert_eq!(app.entered(id, Kind::PersonalDataShown).await, 1);
        let stranger = ["--by", "canbo-xa", "--office", "HL02"];
        let refused = run(app, 1, &with(&["decide", "show", &number, "--reveal"], &stranger));
        assert!(
            refused.contains("other_office") && !refused.contains("0987654321"),
            "{refused}"
        );
        assert_eq!(app.entered(id, Kind::PersonalDataShown).await, 1);
    })
    .await;
}

/// What cannot be read is exit code 2; unknown people, offices, shipments are refused with 1.
#[tokio::test]
async fn usage_is_two_and_refusals_are_one() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        let number = number(app, id).await;
        let release = ["decide", "propose", &number, "release", "--reason", REASON];
        for usage in [
            vec!["decide"],
            vec!["decide", "show"],
            vec!["decide", "show", &number, "--reveal"],
            with(
                &["decide", "propose", &number, "approve-return", "--reason", REASON],
                &CLERK,
            ),
            with(
                &["decide", "propose", &number, "correct", "--reason", REASON],
                &CLERK,
            ),
            with(&release, &["--by", "canbo"]),
            with(&release, &with(&CLERK, &["--at", "hôm qua"])),
            with(&release, &with(&CLERK, &["--seen", "xyz"])),
            with(&["decide", "approve", "26-0000015"], &LEADER),
            with(&["handover", "close", &number], &CLERK),
            with(&["handover", "scan-in"], &CLERK),
        ] {
            run(app, 2, &usage);
        }
        let refusals = [
            (
                with(&release, &["--by", "nobody", "--office", "HL01"]),
                "unknown_staff",
            ),
            (
                with(&release, &["--by", "canbo", "--office", "XX"]),
                "unknown_office",
            ),
            (with(&release, &CLERK), "not_held"),
            (vec!["decide", "show", "26-9999999"], "unknown_shipment"),
            (vec!["decide", "list", "--office", "XX"], "unknown_office"),
        ];
        for (arguments, code) in refusals {
            let told = run(app, 1, &arguments);
            assert!(told.contains(code) && told.contains("Từ chối:"), "{told}");
        }
    })
    .await;
}

/// Scanned in, packed, pulled out; a wrong slip stops the packing, a wrong name leaves the others done.
#[tokio::test]
async fn papers_are_scanned_in_and_packed() {
    on_both(async |app: &App| {
        let (one, two) = (app.shipment(1).await, app.shipment(2).await);
        let (first, second) = (number(app, one).await, number(app, two).await);
        let code = app.row(one).await.reference;
        let scanned = run(
            app,
            0,
            &with(&["handover", "scan-in", &first, &second, "--json"], &CLERK),
        );
        assert_eq!(json(&scanned)["items"][1]["more"]["new"], true);
        let part = run(
            app,
            1,
            &with(&["handover", "scan-in", &first, "26-9999999"], &CLERK),
        );
        assert!(
            part.contains("đã nhận tại quầy") && part.contains("unknown_shipment"),
            "{part}"
        );
        let pack = ["handover", "pack", &first, "--scanned"];
        let wrong = run(
            app,
            1,
            &with(&pack, &with(&["000.00.00.H49-261101-9999"], &CLERK)),
        );
        assert!(wrong.contains("mismatch"), "{wrong}");
        run(app, 0, &with(&pack, &with(&[&code], &CLERK)));
        assert_eq!(app.row(one).await.custody, "packed");
        run(app, 0, &with(&["handover", "pull-out", &first], &CLERK));
        assert_eq!(app.row(one).await.custody, "at_desk");
        // What was packed just now was not handed over two hours ago: the list would say what the record does not.
        let at = SystemClock.now().plus_ms(-2 * 3_600_000).to_rfc3339();
        let late = [
            "handover",
            "close",
            &first,
            "--taken-by",
            "buuta-07",
            "--at",
            &at,
            "--late-reason",
            "mất điện",
        ];
        let early = run(app, 1, &with(&late, &CLERK));
        assert!(
            early.contains("bì 1: sau thời điểm đó quầy còn xử lý bản giấy"),
            "{early}"
        );
        assert_eq!(app.row(one).await.custody, "at_desk");
    })
    .await;
}

/// A list entered afterwards, one envelope refused by the postal worker; scanned back, given out; and shown.
#[tokio::test]
async fn a_list_is_closed_afterwards_and_papers_come_back() {
    on_both(async |app: &App| {
        let (one, two) = (app.shipment(1).await, app.shipment(2).await);
        app.dispatch().await;
        let (first, second) = (number(app, one).await, number(app, two).await);
        let code = app.row(one).await.reference;
        let dispatcher = ["--by", "bangiao", "--office", "HL01"];
        let hours_ago = |hours: i64| SystemClock.now().plus_ms(-hours * 3_600_000).to_rfc3339();
        let morning = hours_ago(3);
        run(
            app,
            0,
            &with(
                &["handover", "scan-in", &first, &second, "--at", &morning],
                &CLERK,
            ),
        );

        std::fs::write(
            app.folder.path().join("list.txt"),
            format!("{first}\n\n {second}\n"),
        )
        .unwrap();
        let (torn, at) = (format!("{second}=bì rách"), hours_ago(2));
        let close = [
            "handover",
            "close",
            "--file",
            "list.txt",
            "--refused",
            &torn,
            "--taken-by",
            "buuta-07",
            "--at",
            &at,
        ];
        let close = with(&close, &dispatcher);
        assert!(run(app, 1, &close).contains("late_reason_missing"));
        let closed = run(app, 0, &with(&close, &["--late-reason", "mất điện"]));
        assert!(closed.contains("bưu điện nhận 1 bì, từ chối 1 bì"), "{closed}");
        let places = (app.row(one).await.custody, app.row(two).await.custody);
        assert_eq!((places.0.as_str(), places.1.as_str()), ("handed_over", "at_desk"));
        let again = run(
            app,
            1,
            &with(
                &["handover", "close", &first, "--taken-by", "buuta-07"],
                &dispatcher,
            ),
        );
        assert!(again.contains("bì 1: đã bàn giao bưu điện trước đó"), "{again}");
        let lists = json(&run(app, 0, &["handover", "list", "--office", "HL01", "--json"]));
        assert_eq!(lists["lists"][0]["items"][1]["reason"], "bì rách");
        assert_eq!(lists["lists"].as_array().unwrap().len(), 1);
        assert!(run(app, 0, &["handover", "list", "--office", "HL01"]).contains("Nhập bù"));

        run(app, 0, &with(&["handover", "returned", &first], &CLERK));
        assert_eq!(app.row(one).await.custody, "back_at_desk");
        run(app, 0, &with(&["handover", "collect", &first], &CLERK));
        assert_eq!(app.row(one).await.custody, "collected");
        let twice = run(
            app,
            1,
            &with(&["handover", "collect", &code, "--source", "one"], &CLERK),
        );
        assert!(twice.contains("already_given"), "{twice}");
        let leader = run(app, 1, &with(&["handover", "collect", &second], &LEADER));
        assert!(leader.contains("not_allowed"), "{leader}");
    })
    .await;
}

/// Every subcommand explains itself with examples.
#[test]
fn every_subcommand_has_examples() {
    for (command, acts) in [
        ("decide", &["list", "show", "propose", "approve", "turn-down"][..]),
        (
            "handover",
            &[
                "scan-in", "pack", "pull-out", "close", "returned", "collect", "list",
            ][..],
        ),
    ] {
        for act in acts {
            let output = Command::new(env!("CARGO_BIN_EXE_hoibao"))
                .args([command, act, "--help"])
                .output();
            let text = said(&output.unwrap(), 0);
            assert!(
                text.contains("Examples:") && text.contains("Usage: hoibao"),
                "{command} {act}: {text}"
            );
        }
    }
}
