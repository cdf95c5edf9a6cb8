//! The command line, as a person or a supervisor meets it: the real program, its exit codes, output and files.
//!
//! Deliberately not here: what the commands do to the road (a module per stage), and relations inside the configuration
//! (beside it).

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program in an empty folder of its own, with nothing of the caller's environment that is ours.
fn hoibao(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hoibao"));
    command.current_dir(folder);
    for (name, _value) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HOIBAO") {
            command.env_remove(name);
        }
    }
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    hoibao(folder).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn expect(output: &Output, code: i32, on_stdout: &[&str], on_stderr: &[&str]) {
    let (out, err) = (out(output), err(output));
    assert_eq!(output.status.code(), Some(code), "stdout: {out}\nstderr: {err}");
    for part in on_stdout {
        assert!(
            out.contains(part),
            "`{part}` is not on stdout: {out}\nstderr: {err}"
        );
    }
    for part in on_stderr {
        assert!(err.contains(part), "`{part}` is not on stderr: {err}");
    }
}

/// Every command explains itself and exits well; the whole is on the first page.
#[test]
fn every_command_has_a_help_text() {
    let folder = folder();
    let help = run(folder.path(), &["--help"]);
    expect(&help, 0, &["Examples:", "Exit codes:", "HOIBAO_CONFIG"], &[]);
    let page = out(&help);
    let section = page
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let commands: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for wanted in [
        "serve",
        "worker",
        "migrate",
        "check",
        "keys",
        "config",
        "doctor",
        "completions",
    ] {
        assert!(commands.contains(&wanted), "{wanted} is not among {commands:?}");
    }
    for command in commands.iter().filter(|command| **command != "help") {
        expect(
            &run(folder.path(), &[command, "--help"]),
            0,
            &["Usage: hoibao", "Examples:"],
            &[],
        );
    }
    expect(&run(folder.path(), &["--version"]), 0, &["hoibao 0."], &[]);
}

#[test]
fn a_command_line_that_cannot_be_read_is_code_2() {
    let folder = folder();
    expect(
        &run(folder.path(), &["serv"]),
        2,
        &[],
        &["unrecognized subcommand 'serv'", "serve"],
    );
    expect(&run(folder.path(), &["check", "phone"]), 2, &[], &["<VALUE>"]);
    expect(
        &run(folder.path(), &["migrate", "--databse", "x"]),
        2,
        &[],
        &["--database"],
    );
}

/// An unusable configuration is code 3 for every command that needs one, names the key, and leaves nothing behind.
#[test]
fn an_unusable_configuration_is_code_3_and_names_the_key() {
    let folder = folder();
    fs::write(folder.path().join("bad.toml"), "[dispatch]\nleas_ms = 5\n").unwrap();
    for command in [
        &["serve"][..],
        &["worker"],
        &["migrate"],
        &["keys", "new"],
        &["config", "show"],
    ] {
        let mut arguments = command.to_vec();
        arguments.extend(["--config", "bad.toml"]);
        let refused = run(folder.path(), &arguments);
        expect(
            &refused,
            3,
            &[],
            &[
                "unknown key `dispatch.leas_ms`",
                "did you mean `dispatch.lease_ms`",
            ],
        );
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "something was made"
    );
    expect(
        &run(folder.path(), &["config", "check", "--config", "none.toml"]),
        3,
        &[],
        &["none.toml", "--config"],
    );
    let variable = hoibao(folder.path())
        .args(["config", "check"])
        .env("HOIBAO__CALLBACK__DEADLINE_MS", "1500")
        .output()
        .unwrap();
    expect(&variable, 3, &[], &["callback.deadline_ms is 1500"]);
    let unknown = hoibao(folder.path())
        .args(["config", "check"])
        .env("HOIBAO__CALLBACK__DEADLIN_MS", "900")
        .output()
        .unwrap();
    expect(&unknown, 3, &[], &["did you mean HOIBAO__CALLBACK__DEADLINE_MS?"]);
}

/// What is shown can be read back as a configuration, tells where each value came from, and holds no password.
#[test]
fn the_configuration_is_shown_without_secrets() {
    let folder = folder();
    let url = "postgres://hoibao:hunter2@127.0.0.1/hoibao";
    let shown = hoibao(folder.path())
        .args(["config", "show"])
        .env("HOIBAO__DATABASE__URL", url)
        .output()
        .unwrap();
    expect(
        &shown,
        0,
        &[
            "postgres://hoibao:***@127.0.0.1/hoibao",
            "# environment HOIBAO__DATABASE__URL",
        ],
        &[],
    );
    expect(&shown, 0, &["[callback]", "deadline_ms = 900", "# default"], &[]);
    assert!(!out(&shown).contains("hunter2") && !err(&shown).contains("hunter2"));
    fs::write(folder.path().join("again.toml"), out(&shown)).unwrap();
    expect(
        &run(folder.path(), &["config", "check", "--config", "again.toml"]),
        0,
        &["can be used"],
        &[],
    );
    // Nor when the database cannot be reached.
    expect(&run(folder.path(), &["keys", "new"]), 0, &[], &[]);
    let unreachable = run(
        folder.path(),
        &[
            "migrate",
            "--database",
            "postgres://hoibao:hunter2@127.0.0.1:1/hoibao",
        ],
    );
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(!err(&unreachable).contains("hunter2"), "{}", err(&unreachable));
}

#[test]
fn values_are_checked() {
    let folder = folder();
    let check = |kind, value| run(folder.path(), &["check", kind, value]);
    expect(&check("tracking-number", "RR123456785VN"), 0, &["hợp lệ"], &[]);
    expect(
        &check("tracking-number", "RR123456784VN"),
        1,
        &["chữ số thứ 9 phải là 5"],
        &[],
    );
    expect(
        &check("phone", "+84 912 345 678"),
        0,
        &["0912345678", "di động"],
        &[],
    );
    expect(&check("phone", "12"), 1, &["2 chữ số"], &[]);
    expect(
        &check("dossier-code", "H15.50.05.13-261008-0975"),
        0,
        &["hợp lệ"],
        &[],
    );
    expect(&check("dossier-code", " "), 1, &["Chưa nhập"], &[]);
    let json = run(
        folder.path(),
        &["check", "tracking-number", "RR123456784VN", "--json"],
    );
    assert_eq!(json.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(said["valid"], false);
    assert_eq!(said["kind"], "tracking-number");
    assert_eq!(
        said["message_en"],
        "wrong check digit: the ninth digit should be 5"
    );
}

/// A key file is its owner's alone, is never overwritten, and no command prints what is in it.
#[test]
fn keys_are_made_once_kept_apart_and_never_printed() {
    let folder = folder();
    let path = folder.path().join("hoibao-data/keys");
    expect(
        &run(folder.path(), &["keys", "show"]),
        1,
        &[],
        &["cannot be found", "hoibao keys new"],
    );
    expect(&run(folder.path(), &["keys", "new"]), 0, &["mode 0600"], &[]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = fs::read_to_string(&path).unwrap();
    expect(
        &run(folder.path(), &["keys", "new"]),
        1,
        &[],
        &["never overwritten"],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    expect(&run(folder.path(), &["keys", "rotate"]), 0, &["v2"], &[]);
    let second = fs::read_to_string(&path).unwrap();
    assert!(second.starts_with(first.trim_end()), "an older key was lost");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = run(folder.path(), &["keys", "show"]);
    expect(&shown, 0, &["newest wrapping key: v2"], &[]);
    for line in second.lines().filter(|line| !line.starts_with('#')) {
        let secret = line.split(" = ").nth(1).unwrap();
        assert!(!out(&shown).contains(secret));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    expect(
        &run(folder.path(), &["keys", "show"]),
        1,
        &[],
        &["mode 0644", "chmod 600"],
    );
    expect(&run(folder.path(), &["migrate"]), 1, &[], &["chmod 600"]);
    assert!(!folder.path().join("hoibao-data/hoibao.sqlite").exists());
}

/// The first run makes database and keys; the second changes nothing; a lost key file is not replaced in silence.
#[test]
fn migrating_twice_is_migrating_once() {
    let folder = folder();
    let first = run(folder.path(), &["migrate"]);
    expect(&first, 0, &["schema version 0 -> "], &[]);
    let keys = folder.path().join("hoibao-data/keys");
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    expect(&run(folder.path(), &["migrate"]), 0, &["already up to date"], &[]);
    fs::remove_file(&keys).unwrap();
    for command in ["migrate", "serve"] {
        expect(
            &run(folder.path(), &[command]),
            1,
            &[],
            &["is missing, but the database", "restore"],
        );
        assert!(
            !keys.exists(),
            "{command} made a new key file beside an old database"
        );
    }
}

fn levels(folder: &Path, arguments: &[&str]) -> (i32, std::collections::BTreeMap<String, String>) {
    let mut all = vec!["doctor", "--json"];
    all.extend(arguments);
    let output = run(folder, &all);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert_eq!(report["healthy"], code == 0);
    let mut levels = std::collections::BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["level"] == "OK", finding["mend"].is_null(), "{finding}");
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        levels.insert(text("name"), text("level"));
    }
    (code, levels)
}

/// The doctor tells each thing that is wrong, changes nothing, and is content with a sound installation.
#[test]
fn the_doctor_finds_what_is_broken() {
    let folder = folder();
    let (code, found) = levels(folder.path(), &[]);
    assert_eq!(
        (code, found["keys"].as_str(), found["database"].as_str()),
        (1, "FAIL", "FAIL")
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "the doctor made something"
    );

    expect(&run(folder.path(), &["migrate"]), 0, &[], &[]);
    let (code, found) = levels(folder.path(), &[]);
    assert_eq!(
        (code, found["keys"].as_str(), found["database"].as_str()),
        (0, "OK", "OK")
    );
    assert_eq!(found["clock"], "OK");
    expect(
        &run(folder.path(), &["doctor"]),
        0,
        &["OK    database", "up to date"],
        &[],
    );

    let database = folder.path().join("hoibao-data/hoibao.sqlite");
    let keys = folder.path().join("hoibao-data/keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o640)).unwrap();
    expect(
        &run(folder.path(), &["doctor"]),
        1,
        &["FAIL  keys", "chmod 600"],
        &[],
    );
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&keys, "v1 = nonsense\n").unwrap();
    expect(
        &run(folder.path(), &["doctor"]),
        1,
        &["FAIL  keys", "line 1"],
        &[],
    );

    // A database without a schema, then one that is no database.
    fs::write(&database, "").unwrap();
    for ending in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{ending}", database.display())).ok();
    }
    expect(
        &run(folder.path(), &["doctor"]),
        1,
        &["FAIL  database", "schema version is 0", "hoibao migrate"],
        &[],
    );
    fs::write(&database, "x".repeat(10_000)).unwrap();
    expect(&run(folder.path(), &["doctor"]), 1, &["FAIL  database"], &[]);
    fs::write(folder.path().join("bad.toml"), "[http]\nlisten = 5\n").unwrap();
    expect(
        &run(folder.path(), &["doctor", "--config", "bad.toml"]),
        1,
        &["FAIL  configuration", "http.listen"],
        &[],
    );
}

#[test]
fn completions_are_written_for_the_shells() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        expect(
            &run(folder.path(), &["completions", shell]),
            0,
            &["hoibao", "doctor"],
            &[],
        );
    }
}

/// A reader that has read enough is no failure.
#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = folder();
    let mut child = hoibao(folder.path())
        .args(["config", "show"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    expect(&output, 0, &[], &[]);
    assert_eq!(err(&output), "");
}

/// A gateway that was started, and is not left behind when a test fails.
struct Gateway {
    child: Child,
    address: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn start(folder: &Path) -> Gateway {
    let mut child = hoibao(folder)
        .args(["serve"])
        .env("HOIBAO__HTTP__LISTEN", "127.0.0.1:0")
        .env("HOIBAO__LOG__FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next().expect("the gateway ended before it served").unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        if let Some(address) = line["http.listen"].as_str() {
            break address.to_owned();
        }
    };
    // The pipe is drained to the end, so that the gateway never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Gateway { child, address }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// From nothing to a serving gateway by one command; a signal stops it in good order, and it starts again.
#[test]
fn a_gateway_serves_and_stops_when_asked() {
    let folder = folder();
    for signal in ["TERM", "INT"] {
        let mut gateway = start(folder.path());
        let alive = get(&gateway.address, "/healthz");
        assert!(
            alive.starts_with("HTTP/1.1 200") && alive.contains("x-request-id: "),
            "{alive}"
        );
        let ready = get(&gateway.address, "/readyz");
        assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
        for probe in ["database", "keys", "worker"] {
            assert!(
                ready.contains(&format!("\"name\":\"{probe}\",\"ready\":true")),
                "{ready}"
            );
        }
        let numbers = get(&gateway.address, "/metrics");
        assert!(
            numbers
                .contains("hoibao_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1")
        );
        assert!(numbers.contains("hoibao_build_info{version="), "{numbers}");
        assert!(get(&gateway.address, "/no/such/page").starts_with("HTTP/1.1 404"));
        let killed = Command::new("kill")
            .args([&format!("-{signal}"), &gateway.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        assert_eq!(gateway.child.wait().unwrap().code(), Some(0), "SIG{signal}");
        let wal = folder.path().join("hoibao-data/hoibao.sqlite-wal");
        assert!(!wal.exists(), "the store was not closed");
    }
}

/// A second gateway at the same address says so and what to change.
#[test]
fn a_taken_address_is_told() {
    let folder = folder();
    let gateway = start(folder.path());
    let other = hoibao(folder.path())
        .args(["serve"])
        .env("HOIBAO__HTTP__LISTEN", &gateway.address)
        .output()
        .unwrap();
    expect(&other, 1, &[], &["cannot be listened at", "http.listen"]);
}
