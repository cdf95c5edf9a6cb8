//! The real program, as an administrator meets it: from an empty folder to a province that takes in dossiers; and an
//! import that is killed in the middle.

use super::place::SAMPLE;
use crate::support::postgres;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// An installation in a folder of its own.
struct Home {
    folder: TempDir,
    database: String,
}

impl Home {
    fn new(on_postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = if on_postgres {
            postgres::create_database().unwrap()
        } else {
            format!("sqlite:{}", folder.path().join("hoibao.db").display())
        };
        let home = Self { folder, database };
        if on_postgres {
            home.well(&["keys", "new"]);
        }
        home.well(&["migrate"]);
        home
    }

    /// Switched on by the sample set-up.
    fn switched_on(on_postgres: bool) -> Self {
        let home = Self::new(on_postgres);
        home.well(&["import", "units"]);
        home.well(&["import", "setup", &home.file("setup.toml", super::setup::SETUP)]);
        home
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoibao"));
        command.current_dir(self.path());
        for (name, _value) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOIBAO") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .env("HOIBAO__DATABASE__URL", &self.database)
            .env("HOIBAO__KEYS__FILE", self.path().join("keys"))
            .env("BCCI_USER", "user")
            .env("BCCI_PASSWORD", "hunter2")
            .env("BCCI_CALLBACK_SECRET", "0123456789abcdef0123456789abcdef");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a command that must go well.
    #[track_caller]
    fn well(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{out}\n{err}");
        out
    }

    /// Standard output and error of a command that must be refused.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}\n{out}\n{err}");
        (out, err)
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Units, set-up, keys, dossiers, each told of by the doctor, on both databases.
#[test]
fn a_province_is_switched_on_from_an_empty_folder() {
    for on_postgres in [false, true] {
        let home = Home::new(on_postgres);
        let doctor = home.well(&["doctor"]);
        for part in [
            "hoibao import units",
            "hoibao import setup",
            "hoibao keys api create",
            "no operator account",
        ] {
            assert!(doctor.contains(part), "{part}: {doctor}");
        }
        let setup = home.file("setup.toml", super::setup::SETUP);
        let (out, _) = home.refused(&["import", "setup", &setup]);
        assert!(
            out.contains("office HL01: sender.commune") && out.contains("hoibao import units"),
            "{out}"
        );
        assert!(home.well(&["import", "units"]).contains("3355 đã ghi / written"));
        assert!(
            home.well(&["import", "setup", &setup, "--dry-run"])
                .contains("+ office HL01")
        );
        assert!(home.well(&["import", "setup", &setup]).contains("9 changed"));
        let again = json(&home.well(&["import", "setup", &setup, "--json"]));
        assert_eq!(again["changes"], serde_json::json!([]));
        let made = home.well(&["keys", "api", "create", "--source", "qni", "--label", "thử"]);
        let (id, key) = made.split_once("\nkey: ").unwrap();
        let (id, key) = (id.strip_prefix("id: ").unwrap(), key.lines().next().unwrap());
        assert!(key.starts_with("hb_") && key.len() > 40);
        let listed = home.well(&["keys", "api", "list"]);
        assert!(
            listed.contains(id) && listed.contains("in force") && !listed.contains(key),
            "{listed}"
        );
        home.well(&["keys", "api", "revoke", id]);
        home.refused(&["keys", "api", "revoke", id]);
        assert!(home.well(&["keys", "api", "list"]).contains("revoked 2"));
        let (_, err) = home.refused(&["keys", "api", "create", "--source", "nil", "--label", "x"]);
        assert!(err.contains("no dossier system of this code"), "{err}");
        let file = home.file("sample.csv", SAMPLE);
        assert!(
            home.well(&["import", "dossiers", &file, "--source", "qni"])
                .contains("đã vào / in: 12")
        );
        let doctor = home.well(&["doctor"]);
        for part in [
            "vn-2026-04: 3355",
            "2 in force",
            "never heard from",
            "1; 1 without an API key",
        ] {
            assert!(doctor.contains(part), "{part}: {doctor}");
        }
        assert!(!doctor.contains("imports"), "{doctor}");
    }
}

/// Refused rows on the screen, in JSON and in a report that spreadsheets read; never a value of the file.
#[test]
fn refused_rows_are_reported_without_what_stands_in_them() {
    let home = Home::switched_on(false);
    let wrong = SAMPLE
        .replace("Lê Thị Mẫu,0912345673", "Lê Thị Mẫu,09123")
        .replace("03/11/2026 08:45", "31/11/2026");
    let file = home.file("wrong.csv", &wrong);
    let report = home.path().join("refused.csv").display().to_string();
    let (out, err) = home.refused(&[
        "import",
        "dossiers",
        &file,
        "--source",
        "qni",
        "--all-or-nothing",
        "--report",
        &report,
    ]);
    for part in [
        "Dòng 7, cột Ngày tiếp nhận",
        "line 7, column received_at",
        "[not_a_time]",
        "Cả tệp bị từ chối",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(
        err.contains("Kiểm tra / checking: 12/12"),
        "lines where there is no terminal: {err}"
    );
    let written = fs::read_to_string(&report).unwrap();
    let mut rows = written.trim_start_matches('\u{feff}').lines();
    assert_eq!(rows.next(), Some("line,column,code,text,text_en"));
    assert!(rows.next().unwrap().starts_with("7,received_at,not_a_time,"));
    assert!(
        rows.next()
            .unwrap()
            .starts_with("12,addressee_phone,phone_invalid,")
    );
    assert_eq!(rows.next(), None);
    let (told, err) = home.refused(&["import", "dossiers", &file, "--source", "qni", "--json"]);
    assert_eq!(err, "", "no progress beside JSON");
    let told = json(&told);
    assert_eq!(
        (&told["rows"], &told["rows_refused"], &told["rows_applied"]),
        (&12.into(), &2.into(), &10.into())
    );
    assert_eq!(
        (&told["refused"][1]["line"], &told["refused"][1]["column"]),
        (&12.into(), &"addressee_phone".into())
    );
    for text in [&out, &written, &told.to_string()] {
        assert!(
            !text.contains("Lê Thị Mẫu") && !text.contains("09123") && !text.contains("31/11"),
            "{text}"
        );
    }
}

/// A file that is no UTF-8, or has no headings, is refused with advice, and its first line is not repeated.
#[test]
fn files_refused_whole_say_what_to_do() {
    let home = Home::switched_on(false);
    let old: Vec<u8> = SAMPLE
        .bytes()
        .map(|byte| if byte == 0xe1 { 0xff } else { byte })
        .collect();
    let path: PathBuf = home.path().join("old.csv");
    fs::write(&path, old).unwrap();
    let (out, _) = home.refused(&[
        "import",
        "dossiers",
        &path.display().to_string(),
        "--source",
        "qni",
    ]);
    assert!(
        out.contains("không phải mã UTF-8") && out.contains("CSV UTF-8"),
        "{out}"
    );
    let nil = home.file("head.csv", "Nguyễn Thị Thử,9\n");
    let (out, _) = home.refused(&["import", "dossiers", &nil, "--source", "qni"]);
    assert!(
        out.contains("Cột 1 (A)") && out.contains("dossier_code is missing") && !out.contains("Nguyễn"),
        "{out}"
    );
}

/// Rows of a file large enough to be killed in the middle of.
const ROWS: u32 = 2_000;

fn large() -> String {
    let mut file = SAMPLE.lines().next().unwrap().to_owned();
    for number in 0..ROWS {
        write!(
            file,
            "\nH49.31-261103-{number:05},9,20/11/2026 08:30,1.004227,HL01,post,direct,03/11/2026 08:30,20/11/2026,\
             20/11/2026 08:30,,,Nguyễn Thị Thử,0912345678,Số {number},06688,22,vn-2026-04,"
        )
        .unwrap();
    }
    file
}

/// Killed while it stages and killed while it switches in: the next start of the same file takes the one back and
/// finishes the other; every row stands once and no staged row or open run is left.
#[test]
fn an_import_that_is_killed_is_settled_by_the_next_start() {
    for on_postgres in [false, true] {
        let home = Home::switched_on(on_postgres);
        let file = home.file("large.csv", &large());
        let arguments = ["import", "dossiers", file.as_str(), "--source", "qni", "--json"];
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let beside = runtime.block_on(Beside::open(&home.database));
        let count = |text| runtime.block_on(beside.number(text));
        kill_when(&home, &arguments, &|| {
            count("SELECT COUNT(*) FROM import_row") > 200
        });
        assert_eq!(
            count("SELECT COUNT(*) FROM dossier"),
            0,
            "nothing stands before all is staged"
        );
        assert!(home.well(&["doctor"]).contains("going on or cut off"));
        kill_when(&home, &arguments, &|| count("SELECT COUNT(*) FROM dossier") > 50);
        // In one look each: a server may end a transaction whose client is gone.
        let waits_or_stands = "SELECT (SELECT COUNT(*) FROM dossier) + (SELECT COUNT(*) FROM import_row)";
        assert_eq!(count(waits_or_stands), i64::from(ROWS), "each waits or stands");
        let half = "SELECT (SELECT COUNT(*) FROM dossier) - (SELECT COUNT(*) FROM dossier_fact)";
        assert_eq!(count(half), 0, "none stands in part");
        let taken_back = "SELECT COUNT(*) FROM import_run WHERE state = 'refused' AND rows_applied = 0";
        assert_eq!(count(taken_back), 1, "the first was taken back");
        let told = json(&home.well(&arguments));
        let resumed = told["resumed"].as_i64().unwrap();
        assert!(
            (1..i64::from(ROWS)).contains(&resumed),
            "killed too early or too late: {told}"
        );
        assert_eq!(
            (&told["taken_back"], &told["rows_refused"]),
            (&false.into(), &0.into())
        );
        assert_eq!(told["opened"], told["resumed"], "the others stood");
        for text in [
            "SELECT COUNT(*) FROM dossier",
            "SELECT COUNT(*) FROM dossier_fact",
            "SELECT COUNT(*) FROM personal_data WHERE field = 'name'",
            "SELECT rows_applied FROM import_run WHERE state = 'applied' ORDER BY started_at, id LIMIT 1",
        ] {
            assert_eq!(count(text), i64::from(ROWS), "{text}");
        }
        assert_eq!(count("SELECT COUNT(*) FROM import_row"), 0);
        assert_eq!(
            count("SELECT COUNT(*) FROM import_run WHERE state IN ('staging', 'applying')"),
            0
        );
        assert_eq!(
            count("SELECT COUNT(*) FROM journal WHERE kind = 41"),
            1,
            "what changed nothing is not told"
        );
    }
}

/// Starts the program and kills it as soon as something is so.
fn kill_when(home: &Home, arguments: &[&str], ready: &dyn Fn() -> bool) {
    let mut child = home
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !ready() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it was over before it could be killed"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Connections beside the program's.
enum Beside {
    Sqlite(sqlx::SqlitePool),
    Postgres(sqlx::PgPool),
}

impl Beside {
    async fn open(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            Self::Sqlite(sqlx::SqlitePool::connect(url).await.unwrap())
        } else {
            Self::Postgres(sqlx::PgPool::connect(url).await.unwrap())
        }
    }

    async fn number(&self, text: &'static str) -> i64 {
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }
}
