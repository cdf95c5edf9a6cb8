//! `hoibao audit recompute` and `hoibao report` as an auditor runs them: the real program on an embedded database.

use std::path::Path;
use std::process::{Command, Output};

/// The program in a folder, with nothing of the caller's environment that is ours.
fn hoibao(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hoibao"));
    command.current_dir(folder).args(arguments);
    for (name, _value) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HOIBAO") {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

const DATABASE: &str = "sqlite:hoibao.sqlite";

#[track_caller]
fn expect(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = hoibao(folder, &[arguments, &["--database", DATABASE]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}\n{told}");
    if code == 0 || !text.is_empty() { text } else { told }
}

async fn raw(folder: &Path, text: &'static str) {
    use sqlx::Connection as _;
    let url = format!("sqlite:{}", folder.join("hoibao.sqlite").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Clean: code 0. A report is drawn and noted. An entry changed beside the gateway: code 1, told by kind, also as JSON.
#[tokio::test]
async fn an_auditor_runs_both_commands() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect(folder, &["migrate"], 0);
    let clean = expect(folder, &["audit", "recompute"], 0);
    assert!(
        clean.contains("PASS") && clean.contains("journal entries"),
        "{clean}"
    );

    let days = ["report", "--from", "2026-01-01", "--to", "2026-03-31"];
    let report = expect(folder, &days, 0);
    for part in [
        "2026-01-01 – 2026-03-31",
        "Tiếp nhận / received",
        "returned by post",
        "envelopes",
    ] {
        assert!(report.contains(part), "{report}");
    }
    let json = expect(folder, &[&days[..], &["--json"]].concat(), 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["figures"]["by_post"]["all"], 0);
    assert_eq!(
        (&json["from"], &json["to"]),
        (&"2026-01-01".into(), &"2026-03-31".into())
    );

    // Both reports stand in the journal.
    let json = expect(folder, &["audit", "recompute", "--json"], 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (json["entries"].as_u64(), json["differences"].as_u64()),
        (Some(2), Some(0))
    );

    raw(folder, "UPDATE journal SET recorded_at = 5").await;
    let found = expect(folder, &["audit", "recompute"], 1);
    assert!(found.contains("FAIL  2 điểm khác / differences"), "{found}");
    assert!(found.contains("entry_beside  system  recorded_at"), "{found}");
    let json = expect(folder, &["audit", "recompute", "--json"], 1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["by_kind"]["entry_beside"], 2);
    assert_eq!(json["listed"][0]["kind"], "entry_beside");
}

#[test]
fn what_cannot_be_asked_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = expect(folder, &["audit", "recompute"], 1);
    assert!(none.contains("error"), "{none}");
    expect(folder, &["migrate"], 0);
    let turned = expect(
        folder,
        &["report", "--from", "2026-03-31", "--to", "2026-01-01"],
        1,
    );
    assert!(turned.contains("--from must not be after --to"), "{turned}");
    let office = [
        "report",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-31",
        "--office",
        "XX",
    ];
    let unknown = expect(folder, &office, 1);
    assert!(unknown.contains("no office with the code XX"), "{unknown}");
    expect(
        folder,
        &["report", "--from", "31/03/2026", "--to", "2026-03-31"],
        2,
    );
}
