//! Room `app`: `hoibao doctor`.
//!
//! In: an installation as it is, sound or not. Out: a line for each thing looked at, and how to mend it. It looks and
//! changes nothing: no file, no database and no schema is made. Deliberately not here: mending.

mod setup;

use super::{Global, print};
use crate::app::config::Config;
use crate::app::ports::SystemClock;
use crate::app::{EXIT_FAILURE, block_on, chain, key_file, readiness};
use crate::domain::calendar::{CalendarKind, Calendars};
use crate::domain::time::{Clock as _, Timestamp};
use crate::edge::carrier::transport::{HttpTransport, TrustSource};
use crate::edge::store::{Keyring, Store, StoreError, newest_version};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Free space below which an embedded database is in danger, bytes.
const FREE_BYTES_FAIL: u64 = 256 * 1024 * 1024;
/// Free space below which somebody should act, bytes.
const FREE_BYTES_WARN: u64 = 2 * 1024 * 1024 * 1024;
/// No machine that runs this program has a right clock before this day.
const BUILT_AFTER: &str = "2026-01-01T00:00:00Z";
/// Files written this much in the future tell of a clock that was wrong, milliseconds.
const CLOCK_SLACK_MS: i64 = 300_000;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Looks at configuration, keys, database, schema, set-up, operator accounts, clock, disk space, calendars and \
    certificates, changes nothing, and says for each what is wrong and how to mend it. Exit code 1 when something fails.";

/// Say what is wrong with this installation and how to mend it
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  hoibao doctor\n  hoibao doctor --json")]
pub struct Args {
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    Ok,
    Warn,
    Fail,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    name: &'static str,
    level: Level,
    detail: String,
    /// How to mend it; nothing when all is well.
    mend: Option<String>,
}

fn ok(name: &'static str, detail: impl Into<String>) -> Finding {
    Finding {
        name,
        level: Level::Ok,
        detail: detail.into(),
        mend: None,
    }
}

fn warn(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding {
        name,
        level: Level::Warn,
        detail: detail.into(),
        mend: Some(mend.into()),
    }
}

fn fail(name: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding {
        level: Level::Fail,
        ..warn(name, detail, mend)
    }
}

#[derive(Serialize)]
struct Report<'a> {
    healthy: bool,
    findings: &'a [Finding],
}

impl Args {
    /// Looks at everything.
    ///
    /// # Errors
    /// When standard output is closed; what is wrong with the installation is a finding.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let findings = match global.load() {
            Ok(config) => block_on(async { Ok(look(&config).await) })?,
            Err(error) => vec![fail(
                "configuration",
                error.problems.join("; "),
                "change what is named; the rest is looked at when it can be read",
            )],
        };
        let healthy = findings.iter().all(|finding| finding.level != Level::Fail);
        if self.json {
            let report = serde_json::to_string(&Report {
                healthy,
                findings: &findings,
            })?;
            print(|out| writeln!(out, "{report}"))?;
        } else {
            print(|out| {
                for finding in &findings {
                    let level = match finding.level {
                        Level::Ok => "OK  ",
                        Level::Warn => "WARN",
                        Level::Fail => "FAIL",
                    };
                    writeln!(out, "{level}  {:<14} {}", finding.name, finding.detail)?;
                    if let Some(mend) = &finding.mend {
                        writeln!(out, "      {:<14} -> {mend}", "")?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(if healthy {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_FAILURE)
        })
    }
}

async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![ok("configuration", "can be used")];
    let keyring = match key_file::load(&config.keys.file) {
        Ok(keyring) => {
            findings.push(keys(&keyring));
            Some(Arc::new(keyring))
        }
        Err(error) => {
            findings.push(fail("keys", chain(&error), missing_keys(config)));
            None
        }
    };
    findings.extend(database(config, keyring).await);
    findings.extend(config.sqlite_file().map(|file| disk(&file)));
    findings.push(clock(SystemClock.now(), config.sqlite_file().as_deref()));
    findings.extend(calendars(SystemClock.now()));
    findings.push(certificates(config));
    findings
}

fn keys(keyring: &Keyring) -> Finding {
    match readiness::try_keys(keyring) {
        Ok(()) => ok(
            "keys",
            format!("readable for the owner alone, newest v{}", keyring.newest()),
        ),
        Err(error) => fail("keys", error.to_string(), "restore the key file from its copy"),
    }
}

fn missing_keys(config: &Config) -> &'static str {
    if config.keys.file.exists() {
        "mend what is named"
    } else if config.sqlite_file().is_some_and(|file| !file.exists()) {
        "run `hoibao migrate`, which makes key file and database"
    } else {
        "restore the key file of this database from its copy, or set keys.file to where it is; only for a new, empty \
         database run `hoibao keys new`"
    }
}

/// The database and, when it can be opened, what is set up in it.
async fn database(config: &Config, keyring: Option<Arc<Keyring>>) -> Vec<Finding> {
    const NAME: &str = "database";
    if let Some(file) = config.sqlite_file().filter(|file| !file.exists()) {
        return vec![fail(
            NAME,
            format!("{} does not exist", file.display()),
            "run `hoibao migrate` to make it, or set database.url",
        )];
    }
    // The schema can be looked at without the right keys; these open nothing and are thrown away.
    let keyring = match keyring.map_or_else(throw_away_keys, Ok) {
        Ok(keyring) => keyring,
        Err(error) => {
            return vec![fail(
                NAME,
                chain(&error),
                "give the process access to random bytes",
            )];
        }
    };
    vec![match Store::open(&config.store_settings(), keyring).await {
        Ok(store) => {
            let mut findings = vec![ok(
                NAME,
                format!(
                    "reachable, engine safe, schema version {} up to date",
                    newest_version()
                ),
            )];
            findings.extend(setup::look(&store, SystemClock.now()).await);
            store.close().await;
            return findings;
        }
        Err(StoreError::Schema { found, known, .. }) if found < known => fail(
            NAME,
            format!("reachable, but its schema version is {found} and this program's is {known}"),
            "make a backup, then run `hoibao migrate`",
        ),
        Err(StoreError::Schema { found, known, .. }) => fail(
            NAME,
            format!("its schema version {found} is newer than this program's {known}"),
            "use the newer program that wrote it",
        ),
        Err(error) => fail(
            NAME,
            chain(&anyhow::Error::from(error)),
            "check database.url, that the server runs, the rights of the user, and the engine's settings named here",
        ),
    }]
}

fn throw_away_keys() -> anyhow::Result<Arc<Keyring>> {
    Ok(Arc::new(Keyring::parse(&Keyring::generate()?)?))
}

/// The nearest folder of a path that is there.
fn standing_folder(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_odd| path.to_owned());
    absolute
        .ancestors()
        .find(|folder| folder.is_dir())
        .map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

fn disk(file: &Path) -> Finding {
    const NAME: &str = "disk";
    let folder = standing_folder(file);
    match rustix::fs::statvfs(&folder) {
        Ok(about) => free_space(about.f_bavail.saturating_mul(about.f_frsize)),
        Err(error) => warn(
            NAME,
            format!("free space of {} is unknown ({error})", folder.display()),
            "look by hand that there is room",
        ),
    }
}

fn free_space(bytes: u64) -> Finding {
    const NAME: &str = "disk";
    let mebibytes = bytes / (1024 * 1024);
    let detail = format!("{mebibytes} MiB free for the database");
    let mend = "make room: a full disk refuses callbacks and registrations until there is some";
    if bytes < FREE_BYTES_FAIL {
        fail(NAME, detail, mend)
    } else if bytes < FREE_BYTES_WARN {
        warn(NAME, detail, mend)
    } else {
        ok(NAME, detail)
    }
}

fn clock(now: Timestamp, database: Option<&Path>) -> Finding {
    const NAME: &str = "clock";
    let mend =
        "set the machine's clock and keep it right with NTP: signed callbacks and deadlines stand on it";
    let shown = now.to_rfc3339();
    if Timestamp::parse_rfc3339(BUILT_AFTER).is_some_and(|built| now < built) {
        return fail(NAME, format!("{shown} lies before this program was built"), mend);
    }
    let written = database
        .and_then(|file| std::fs::metadata(file).ok())
        .and_then(|about| about.modified().ok())
        .and_then(|at| jiff::Timestamp::try_from(at).ok())
        .map(|at| Timestamp::from_ms(at.as_millisecond()));
    if written.is_some_and(|at| at.since_ms(now) > CLOCK_SLACK_MS) {
        return fail(
            NAME,
            format!("{shown} lies before the last write to the database"),
            mend,
        );
    }
    ok(NAME, shown)
}

fn calendars(now: Timestamp) -> Vec<Finding> {
    const NAME: &str = "calendars";
    let loaded = match Calendars::built_in() {
        Ok(loaded) => loaded,
        Err(error) => return vec![fail(NAME, error.to_string(), "use a sound build of the program")],
    };
    let year = now.local_date().year();
    [CalendarKind::Office, CalendarKind::Carrier]
        .into_iter()
        .map(|kind| {
            let what = match kind {
                CalendarKind::Office => "office",
                CalendarKind::Carrier => "operator",
            };
            let (first, last) = loaded.of(kind).years();
            let detail = format!("{what}: {first} to {last} loaded");
            let mend = "update hoibao: without the year's calendar no deadline can be computed";
            if year < first || year > last {
                fail(NAME, detail, mend)
            } else if year == last {
                warn(
                    NAME,
                    format!("{detail}, {} is missing", last.saturating_add(1)),
                    mend,
                )
            } else {
                ok(NAME, detail)
            }
        })
        .collect()
}

fn certificates(config: &Config) -> Finding {
    const NAME: &str = "certificates";
    let settings = match config.transport_settings() {
        Ok(settings) => settings,
        Err(error) => return fail(NAME, error.problems.join("; "), "correct operator.extra_ca_files"),
    };
    match HttpTransport::new(&settings) {
        Ok(transport) => match transport.trust() {
            TrustSource::System => ok(NAME, "certificate authorities found"),
            TrustSource::Nothing => warn(
                NAME,
                "this machine has no certificate authorities: operators cannot be called over https",
                "install ca-certificates, or name PEM files in operator.extra_ca_files",
            ),
        },
        Err(error) => fail(NAME, error.to_string(), "correct the section [operator]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_clock_before_the_build_or_the_last_write_is_told() {
        assert_eq!(clock(at("1970-01-01T00:05:00Z"), None).level, Level::Fail);
        let file = tempfile::NamedTempFile::new().unwrap();
        let written: jiff::Timestamp = file
            .as_file()
            .metadata()
            .unwrap()
            .modified()
            .unwrap()
            .try_into()
            .unwrap();
        let written = Timestamp::from_ms(written.as_millisecond());
        assert_eq!(clock(written, Some(file.path())).level, Level::Ok);
        let early = clock(written.plus_ms(-3_600_000), Some(file.path()));
        assert_eq!(early.level, Level::Fail);
        assert!(early.detail.contains("before the last write"), "{}", early.detail);
    }

    /// The years before the last loaded one are well, the last is a warning, beyond it nothing can be computed.
    #[test]
    fn calendars_warn_a_year_ahead() {
        let levels = |text: &str| {
            calendars(at(text))
                .iter()
                .map(|finding| finding.level)
                .collect::<Vec<_>>()
        };
        let (_, last) = Calendars::built_in().unwrap().office.years();
        assert_eq!(levels(&format!("{}-06-01T00:00:00Z", last - 1)), [Level::Ok; 2]);
        assert_eq!(levels(&format!("{last}-06-01T00:00:00Z")), [Level::Warn; 2]);
        assert_eq!(levels(&format!("{}-06-01T00:00:00Z", last + 1)), [Level::Fail; 2]);
    }

    #[test]
    fn little_room_warns_and_less_fails() {
        assert_eq!(free_space(FREE_BYTES_WARN).level, Level::Ok);
        assert_eq!(free_space(FREE_BYTES_WARN - 1).level, Level::Warn);
        assert_eq!(free_space(FREE_BYTES_FAIL - 1).level, Level::Fail);
    }
}
