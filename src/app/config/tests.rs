//! What the configuration takes, refuses and shows.

use super::*;
use std::io::Write as _;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = file(text);
    Config::load(&Overrides {
        file: Some(file.path().to_owned()),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Overrides::default()
    })
}

#[track_caller]
fn refused(text: &str, environment: &[(&str, &str)], parts: &[&str]) {
    let error = load(text, environment).expect_err("must be refused").to_string();
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

/// The defaults hold together, each key has a comment above its group, and limits are the file's.
#[test]
fn defaults_can_be_used_and_are_all_typed() {
    let config = load("", &[]).unwrap();
    let limits = config.limits().unwrap();
    assert_eq!(limits.callback_deadline_ms, 900);
    assert_eq!(limits.dispatch_retry.cap_ms(), 7_200_000);
    assert_eq!(limits.outbox_retry.attempts_max(), 20);
    assert_eq!(config.store_settings().url, "sqlite:hoibao-data/hoibao.sqlite");
    assert_eq!(config.entries().len(), 55);
    assert_eq!(
        config.sqlite_file().unwrap().to_str(),
        Some("hoibao-data/hoibao.sqlite")
    );
    for section in source::DEFAULTS.split("\n[").skip(1) {
        let after_heading = section.lines().nth(1).unwrap();
        assert!(after_heading.starts_with("# "), "{after_heading}");
    }
}

/// Later sources win, and each key knows who set it.
#[test]
fn file_environment_and_command_line_go_over_each_other() {
    let file = file("[feed]\nclaim_max = 7\n[dispatch]\nparallel = 3\n[log]\nfilter = \"warn\"\n");
    let config = Config::load(&Overrides {
        file: Some(file.path().to_owned()),
        database: None,
        log: Some("debug".to_owned()),
        environment: vec![
            ("HOIBAO__DISPATCH__PARALLEL".to_owned(), "5".to_owned()),
            (
                "HOIBAO__HTTP__TRUSTED_PROXIES".to_owned(),
                "10.0.0.0/8, 192.0.2.1".to_owned(),
            ),
        ],
    })
    .unwrap();
    assert_eq!(config.feed.claim_max, 7);
    assert_eq!(config.dispatch.parallel, 5);
    assert_eq!(config.log.filter, "debug");
    assert_eq!(config.http.trusted_proxies, ["10.0.0.0/8", "192.0.2.1"]);
    let origin = |section: &str, key: &str| {
        let found = config
            .entries()
            .iter()
            .find(|e| e.section == section && e.key == key);
        found.unwrap().origin.clone()
    };
    assert_eq!(origin("feed", "claim_max"), Origin::File(file.path().to_owned()));
    assert_eq!(
        origin("dispatch", "parallel"),
        Origin::Environment("HOIBAO__DISPATCH__PARALLEL".to_owned())
    );
    assert_eq!(origin("log", "filter"), Origin::CommandLine("--log"));
    assert_eq!(origin("breaker", "failures"), Origin::Default);
}

/// Every unknown name is refused by name, with the nearest one there is.
#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    refused(
        "[dispatch]\nleas_ms = 1\n",
        &[],
        &[
            "unknown key `dispatch.leas_ms`",
            "did you mean `dispatch.lease_ms`",
        ],
    );
    refused(
        "[dispach]\nparallel = 1\n",
        &[],
        &["unknown section `dispach`", "`dispatch`"],
    );
    refused(
        "listen = \"x\"\n",
        &[],
        &["`listen` stands in no section", "`http.listen`"],
    );
    refused(
        "",
        &[("HOIBAO__HTTP__LISTENN", "x")],
        &["HOIBAO__HTTP__LISTENN", "did you mean HOIBAO__HTTP__LISTEN?"],
    );
    // All faults are told at once.
    refused("[feed]\na_b = 1\n[api]\nc_d = 2\n", &[], &["feed.a_b", "api.c_d"]);
}

#[test]
fn wrong_kinds_of_value_are_refused_by_key() {
    refused(
        "[dispatch]\nparallel = \"3\"\n",
        &[],
        &["dispatch.parallel must be a whole number"],
    );
    refused(
        "",
        &[("HOIBAO__DISPATCH__PARALLEL", "many")],
        &["HOIBAO__DISPATCH__PARALLEL must be a whole number"],
    );
    refused("[dispatch]\nparallel = -1\n", &[], &["parallel"]);
    refused("[http]\nlisten = \"nowhere\"\n", &[], &["listen"]);
    refused("[log]\nformat = \"xml\"\n", &[], &["xml", "json"]);
    refused("[http\n", &[], &["line 1", "not TOML"]);
}

/// Each relation that keeps the road safe, broken once; the message names the key to change.
#[test]
fn relations_between_limits_are_held() {
    let cases: &[(&str, &[&str])] = &[
        (
            "[dispatch]\nlease_ms = 64999",
            &["dispatch.lease_ms is 64999", "at least 65000"],
        ),
        (
            "[reconcile]\nlease_ms = 34999",
            &["reconcile.lease_ms", "at least 35000"],
        ),
        (
            "[feed]\nlease_ms = 24999",
            &["feed.lease_ms", "feed.event_timeout_ms", "at least 25000"],
        ),
        (
            "[callback]\ndeadline_ms = 901",
            &["callback.deadline_ms is 901", "1 and 900"],
        ),
        (
            "[dispatch]\nretry_cap_ms = 9999",
            &["dispatch.retry_cap_ms", "change dispatch.retry_cap_ms"],
        ),
        ("[feed]\nretry_attempts_max = 0", &["feed.retry_attempts_max"]),
        ("[feed]\nretry_age_max_ms = 1", &["feed.retry_age_max_ms"]),
        (
            "[http]\nrequest_timeout_ms = 900",
            &["http.request_timeout_ms must be longer"],
        ),
        (
            "[operator]\nconnect_timeout_ms = 30000",
            &["operator.connect_timeout_ms must be shorter"],
        ),
        (
            "[worker]\nstop_timeout_ms = 30000",
            &["worker.stop_timeout_ms must be longer"],
        ),
        ("[reconcile]\nevery_max_ms = 899999", &["reconcile.every_max_ms"]),
        (
            "[database]\nreaders = 0",
            &["database.readers must lie between 1"],
        ),
        (
            "[callback]\nraw_keep_ms = -5",
            &["callback.raw_keep_ms must lie between 1"],
        ),
        (
            "[database]\nurl = \"mysql://x\"",
            &["database.url must begin with"],
        ),
        (
            "[database]\nurl = \"sqlite::memory:\"",
            &["database.url names no file"],
        ),
        (
            "[keys]\nfile = \"hoibao-data/hoibao.sqlite\"",
            &["name the same file"],
        ),
        ("[http]\npublic_url = \"https://x/\"", &["http.public_url"]),
        ("[http]\ntrusted_proxies = [\"10.0.0.0/99\"]", &["`10.0.0.0/99`"]),
        ("[log]\nfilter = \"hoibao=loud\"", &["log.filter"]),
    ];
    for (text, parts) in cases {
        refused(text, &[], parts);
    }
    // The bounds themselves are allowed.
    load(
        "[dispatch]\nlease_ms = 65000\n[callback]\ndeadline_ms = 900\n",
        &[],
    )
    .unwrap();
}

/// Passwords come out of no door: not shown, not in `Debug`, not in a message of refusal.
#[test]
fn secrets_are_never_shown() {
    let config = load(
        "[database]\nurl = \"postgres://hoibao:hunter2@db.example/hoibao?sslpassword=hunter2\"\n\
         [operator]\nproxy = \"http://user:hunter2@proxy.example:3128\"\n",
        &[],
    )
    .unwrap();
    let shown: String = config.entries().iter().map(|entry| entry.value.clone()).collect();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("postgres://hoibao:***@db.example/hoibao?sslpassword=***"),
        "{shown}"
    );
    assert!(shown.contains("http://user:***@proxy.example:3128"), "{shown}");
    assert!(!format!("{config:?}").contains("hunter2"));
    let error = load("[database]\nurl = \"mysql://a:hunter2@x\"\n", &[]).unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
    let error = load("[database]\nurl = \"postgres://a:hunter2@x\n", &[]).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

/// Badly written addresses hide rather too much.
#[test]
fn odd_addresses_hide_their_password_too() {
    for (url, shown) in [
        ("sqlite:data/x.sqlite", "sqlite:data/x.sqlite"),
        ("postgres://db/x", "postgres://db/x"),
        ("postgres://me@db/x", "postgres://me@db/x"),
        ("postgres://me:p@ss/w@db/x", "postgres://me:***@db/x"),
        ("postgres://me:p?ss@db/x?a=b", "postgres://***@db/x"),
        (
            "postgres://db/x?user=me&password=p",
            "postgres://db/x?user=me&password=***",
        ),
    ] {
        assert_eq!(show::without_password(url), shown);
    }
}
