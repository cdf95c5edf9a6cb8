//! Room `stage`, import: the installation's set-up as one file: operator accounts, offices, procedures, dossier systems,
//! staff and roles.
//!
//! In: TOML, and a way to fetch the secrets it names the places of. Out, in one transaction: the rows that differ, each
//! with its entry in the journal; or nothing, and every fault by its place. The same file again changes nothing; what a
//! file does not name stays as it is. Deliberately not here: keys of dossier systems (`stage::keys`), and the
//! environment and files that secrets come from (`app`).

mod check;
mod file;
mod plan;
mod write;

pub use check::{SetupFault, SetupWord};
pub use plan::{Change, Thing};

use crate::domain::secret::Secret;
use crate::edge::store::{Command, StoreError, Tx};
use crate::stage::context::Context;
use std::path::PathBuf;
use std::sync::Arc;

/// Largest set-up file, bytes.
pub const SETUP_BYTES_MAX: usize = 4 << 20;
/// Most tables in one file: they stand or fall in one transaction.
pub const SETUP_TABLES_MAX: usize = 5_000;

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// `env:NAME`.
    Environment(String),
    /// `file:PATH`; the line's end does not count.
    File(PathBuf),
}

impl SecretPlace {
    fn parse(text: &str) -> Option<Self> {
        let (kind, place) = text.split_once(':')?;
        match kind {
            _ if place.is_empty() => None,
            "env" => Some(Self::Environment(place.to_owned())),
            "file" => Some(Self::File(PathBuf::from(place))),
            _ => None,
        }
    }
}

/// Fetches a secret; `None` when there is none at this place.
pub type Secrets<'a> = &'a (dyn Fn(&SecretPlace) -> Option<Secret<String>> + Send + Sync);

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupMode {
    /// The whole file or nothing.
    Apply,
    /// Only differences are told.
    DryRun,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No UTF-8, too large, or too many tables.
    #[error(
        "the set-up file is no UTF-8 text, larger than 4 MiB, or has more than {SETUP_TABLES_MAX} tables"
    )]
    Size,
    /// The file is not of the form wanted.
    #[error("line {line}: {message}")]
    Form {
        /// From 1.
        line: usize,
        /// What is wrong; holds names of keys and no secret.
        message: String,
    },
    /// Values do not hold together; every fault is told.
    #[error("the set-up has {} faults", .0.len())]
    Refused(Vec<SetupFault>),
}

/// Brings in a set-up file; what differs from what was there.
///
/// # Errors
/// [`SetupError`]; nothing was changed.
pub async fn run(
    context: &Arc<Context>,
    bytes: &[u8],
    secrets: Secrets<'_>,
    mode: SetupMode,
) -> Result<Vec<Change>, SetupError> {
    if bytes.len() > SETUP_BYTES_MAX {
        return Err(SetupError::Size);
    }
    let text = std::str::from_utf8(bytes).map_err(|_form| SetupError::Size)?;
    let file = file::read(text).map_err(|(line, message)| SetupError::Form { line, message })?;
    if file.tables() > SETUP_TABLES_MAX {
        return Err(SetupError::Size);
    }
    let mut faults = Vec::new();
    let wanted = check::check(context, &file, secrets, &mut faults);
    if mode == SetupMode::DryRun {
        let mut tx = context.store.snapshot().await?;
        let plan = plan::plan(context, &mut tx, &wanted, faults).await?;
        return Ok(plan.changes());
    }
    let command = SetUp {
        context: Arc::clone(context),
        wanted,
        faults,
    };
    context.store.submit(command).await
}

struct SetUp {
    context: Arc<Context>,
    wanted: check::Wanted,
    /// Those that need no look into the store; told together with the others.
    faults: Vec<SetupFault>,
}

impl Command for SetUp {
    const NAME: &'static str = "import_setup";
    type Output = Vec<Change>;
    type Error = SetupError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Change>, SetupError> {
        let plan = plan::plan(&self.context, tx, &self.wanted, self.faults.clone()).await?;
        write::write(&self.context, tx, &plan).await?;
        Ok(plan.changes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_by_their_place() {
        let environment = SecretPlace::Environment("A".to_owned());
        assert_eq!(SecretPlace::parse("env:A"), Some(environment));
        let file = SecretPlace::File(PathBuf::from("/etc/a:b"));
        assert_eq!(SecretPlace::parse("file:/etc/a:b"), Some(file));
        for text in ["hunter2", "env:", "vault:a", ""] {
            assert_eq!(SecretPlace::parse(text), None, "{text}");
        }
    }
}
