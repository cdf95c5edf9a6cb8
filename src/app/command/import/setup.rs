//! Room `app`, command `import setup`.
//!
//! In: a TOML file, and the environment and files that its secrets come from. Out: what was changed or would be, or every
//! fault by its place. Deliberately not here: what a set-up must be (`stage::import`).

use super::super::{Global, print};
use super::read_file;
use crate::app::compose::{self, Schema};
use crate::app::{EXIT_FAILURE, block_on};
use crate::domain::secret::Secret;
use crate::stage::import::setup::{
    self, Change, SETUP_BYTES_MAX, SecretPlace, SetupError, SetupFault, SetupMode,
};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Brings in the set-up of an installation from one TOML file: operator accounts, offices with their sender block, \
    procedures, dossier systems, staff and roles. The whole file stands or nothing does; the same file again changes \
    nothing; what the file does not name stays as it is. Each change is an entry of the journal.\n\n\
    Secrets never stand in the file. Keys that end in _from say where each is: env:NAME for an environment variable, \
    file:PATH for a file that holds it.";

/// The end of `--help`.
pub(super) const AFTER: &str = "The file, with every key (sample: fixtures/setup/sample.toml):\n\n  \
    [[account]]           code, adapter, base_url, username_from, password_from, callback_secret_from,\n  \
                          rate_per_minute, rate_burst, active (true)\n  \
    [account.settings]    the adapter's own, as texts\n  \
    [account.capabilities]  only where the account can do other things than its adapter says\n  \
    [[office]]            code, name, valid_from, valid_to, successor, account, paper_first (true)\n  \
    [office.sender]       name, phone, line, unit_set, province, commune\n  \
    [[procedure]]         code, name, by_post, receiver_policy, takes_back_old (false)\n  \
    [[source]]            code, name, status_map\n  \
    [[staff]]             login, name, active (true)\n  \
    [[staff.role]]        office, role, from, until\n\n\
    Units come first: `hoibao import units`. API keys after it: `hoibao keys api create`.\n\n\
    Examples:\n  \
    hoibao import setup province.toml --dry-run\n  \
    BCCI_USER=... BCCI_PASSWORD=... hoibao import setup province.toml\n\n\
    Exit codes: 0 it stands, 1 something is wrong and nothing was changed.";

/// Longest secret read from a file, bytes.
const SECRET_BYTES_MAX: usize = 4_096;

/// Bring in the installation's set-up
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// TOML file
    file: PathBuf,
    /// Only tell what would change
    #[arg(long)]
    dry_run: bool,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        let file = read_file(&self.file, SETUP_BYTES_MAX)?;
        let mode = if self.dry_run {
            SetupMode::DryRun
        } else {
            SetupMode::Apply
        };
        let done = block_on(async {
            let context = compose::context(&config, Schema::UpToDate).await?;
            Ok(setup::run(&context, &file, &secret, mode).await)
        })?;
        match done {
            Ok(changes) => {
                self.show(&changes)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(SetupError::Refused(faults)) => {
                self.refuse(&faults)?;
                Ok(ExitCode::from(EXIT_FAILURE))
            }
            Err(error @ (SetupError::Store(_) | SetupError::Size | SetupError::Form { .. })) => {
                Err(anyhow::Error::from(error)
                    .context(format!("{}: nothing was changed", self.file.display())))
            }
        }
    }

    fn show(&self, changes: &[Change]) -> anyhow::Result<()> {
        if self.json {
            let changes: Vec<_> = changes
                .iter()
                .map(|change| {
                    json!({
                        "kind": change.thing.as_str(), "code": change.code, "new": change.new, "differs": change.differs,
                    })
                })
                .collect();
            let text = serde_json::to_string(&json!({"dry_run": self.dry_run, "changes": changes}))?;
            return print(|out| writeln!(out, "{text}"));
        }
        print(|out| {
            for change in changes {
                let (kind, code) = (change.thing.as_str(), &change.code);
                if change.new {
                    writeln!(out, "+ {kind} {code}")?;
                } else {
                    writeln!(out, "~ {kind} {code}: {}", change.differs.join(", "))?;
                }
            }
            match (changes.len(), self.dry_run) {
                (0, _) => writeln!(out, "Không có gì khác. / Nothing differs."),
                (count, true) => writeln!(
                    out,
                    "{count} mục sẽ thay đổi; chưa ghi gì. / {count} would change; nothing was written."
                ),
                (count, false) => writeln!(out, "{count} mục đã thay đổi. / {count} changed."),
            }
        })
    }

    fn refuse(&self, faults: &[SetupFault]) -> anyhow::Result<()> {
        if self.json {
            let faults: Vec<_> = faults
                .iter()
                .map(|fault| {
                    let (en, vi) = fault.word.said();
                    json!({"place": fault.place, "code": fault.word.as_str(), "text": vi, "text_en": en})
                })
                .collect();
            let text = serde_json::to_string(&json!({"refused": faults}))?;
            return print(|out| writeln!(out, "{text}"));
        }
        print(|out| {
            for fault in faults {
                let (en, vi) = fault.word.said();
                writeln!(out, "{}: {vi}\n    {en} [{}]", fault.place, fault.word.as_str())?;
            }
            writeln!(
                out,
                "{0} lỗi, chưa có gì thay đổi. / {0} faults, nothing was changed.",
                faults.len()
            )
        })
    }
}

/// Fetches a secret; the end of a file's line does not count.
fn secret(place: &SecretPlace) -> Option<Secret<String>> {
    match place {
        SecretPlace::Environment(name) => std::env::var(name).ok().map(Secret::new),
        SecretPlace::File(path) => {
            let bytes = Zeroizing::new(read_file(path, SECRET_BYTES_MAX).ok()?);
            let text = std::str::from_utf8(&bytes).ok()?;
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            (bytes.len() <= SECRET_BYTES_MAX).then(|| Secret::new(text.to_owned()))
        }
    }
}
