//! Room `app`: `hoibao keys`.
//!
//! In: the configuration's key file; dossier systems. Out: a new file, a description, a newer key; an API key, printed
//! once, which is the only key ever printed. Deliberately not here: wrapping the records' keys anew (the store's), and
//! what an API key is (`stage::keys`).

use super::{Global, print};
use crate::app::compose::{self, Schema};
use crate::app::{EXIT_FAILURE, block_on, key_file};
use crate::domain::id::ApiKeyId;
use crate::edge::store::source;
use crate::stage::keys;
use anyhow::Context as _;
use std::process::ExitCode;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Personal data are sealed under keys that stand in the file keys.file, outside the database. Who has \
    both has everything; who loses the file has lost every name and address. Keep a copy apart from the \
    database's backups.\n\n\
    `keys api` is about other keys: those by which dossier systems may use the JSON API. They stand in the database as \
    digests only; each is shown once, when it is made.";

/// Make, describe or rotate the keys of personal data; make or revoke API keys
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao keys new\n  \
                  hoibao keys show\n  \
                  HOIBAO__KEYS__FILE=/etc/hoibao/keys hoibao keys rotate\n  \
                  hoibao keys api create --source qni --label \"provincial system\"\n  \
                  hoibao keys api list")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    #[command(flatten)]
    File(OfFile),
    /// Make, list or revoke the API keys of dossier systems
    Api {
        #[command(subcommand)]
        action: Api,
    },
}

#[derive(clap::Subcommand, Debug)]
enum OfFile {
    /// Make a key file; one that is there is never overwritten
    New,
    /// Say which key file is used, its rights and its newest version
    Show,
    /// Add a newer key, which seals everything from the next start on
    Rotate,
}

#[derive(clap::Subcommand, Debug)]
enum Api {
    /// Make a key for a dossier system; it is shown once and kept nowhere
    Create {
        /// Code of the dossier system the key acts for
        #[arg(long, value_name = "CODE")]
        source: String,
        /// What it is for, so that the right one is revoked one day
        #[arg(long, value_name = "TEXT")]
        label: String,
    },
    /// List all keys, revoked ones too, without their secret part
    List {
        /// Answer as JSON, one object per line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key at once
    Revoke {
        /// Identifier, as listed
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Longest label, characters.
const LABEL_CHARS_MAX: usize = 100;

impl Api {
    fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        block_on(async {
            let context = compose::context(&config, Schema::UpToDate).await?;
            match self {
                Self::Create { source, label } => {
                    let plain = label.chars().all(|c| !c.is_control());
                    if !plain || !(1..=LABEL_CHARS_MAX).contains(&label.trim().chars().count()) {
                        anyhow::bail!("--label must have 1 to {LABEL_CHARS_MAX} characters on one line");
                    }
                    let made = keys::create_api_key(&context, &source, label.trim()).await;
                    let made = made.with_context(|| format!("no key was made for {source}"))?;
                    print(|out| {
                        writeln!(out, "id: {}", made.id)?;
                        writeln!(out, "key: {}", made.key.expose())?;
                        writeln!(
                            out,
                            "Shown once and kept nowhere: hand it over now, by a safe way."
                        )
                    })?;
                }
                Self::List { json } => {
                    let mut tx = context.store.snapshot().await?;
                    let keys = source::api_keys(&mut tx).await?;
                    print(|out| keys.iter().try_for_each(|key| list(out, key, json)))?;
                }
                Self::Revoke { id } => {
                    let id = ApiKeyId::parse(&id)?;
                    if !keys::revoke_api_key(&context, id).await? {
                        print(|out| writeln!(out, "{id} was not in force; nothing was changed"))?;
                        return Ok(ExitCode::from(EXIT_FAILURE));
                    }
                    print(|out| writeln!(out, "{id} is revoked"))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn list(out: &mut dyn std::io::Write, key: &source::ListedKey, json: bool) -> std::io::Result<()> {
    let (id, source, label, created_at, revoked_at) = key;
    let created_at = created_at.to_rfc3339();
    let revoked_at = revoked_at.map(crate::domain::time::Timestamp::to_rfc3339);
    if json {
        let line = serde_json::json!({
            "id": id.to_string(), "source": source, "label": label, "created_at": created_at, "revoked_at": revoked_at,
        });
        return writeln!(out, "{line}");
    }
    let state = revoked_at.map_or_else(|| "in force".to_owned(), |at| format!("revoked {at}"));
    writeln!(out, "{id}  {source:<16} {state:<32} since {created_at}  {label}")
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the file is missing, there already, or readable for others.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Api { action } => action.run(global),
            Action::File(action) => action.run(global),
        }
    }
}

impl OfFile {
    fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let path = global.load()?.keys.file;
        let shown = path.display();
        match self {
            Self::New => {
                key_file::create(&path)?;
                print(|out| {
                    writeln!(out, "made {shown}, mode 0600")?;
                    writeln!(out, "Keep a copy apart from the database's backups.")
                })?;
            }
            Self::Show => {
                let keyring = key_file::load(&path)?;
                print(|out| {
                    writeln!(out, "file: {shown}")?;
                    writeln!(out, "rights: its owner's alone")?;
                    writeln!(out, "newest wrapping key: v{}", keyring.newest())
                })?;
            }
            Self::Rotate => {
                let newest = key_file::rotate(&path)?;
                print(|out| {
                    writeln!(out, "added wrapping key v{newest} to {shown}")?;
                    writeln!(
                        out,
                        "Give every gateway the new file and restart it. Records sealed before stay readable by the older \
                         versions: remove none of them."
                    )
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
