//! Room `app`: the key file on the disk.
//!
//! In: a path. Out: the key ring, or a refusal with advice. A key file is made only where nothing can have been sealed
//! before: making a new one beside an old database would hide that the right one is missing. Deliberately not here: what
//! stands in the file (the store's key ring).

use super::config::Config;
use crate::edge::store::Keyring;
use anyhow::{Context as _, bail};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// Rights a key file may have: its owner's alone.
const MODE: u32 = 0o600;
/// Longest key file, bytes; ten years of weekly keys stay below.
const BYTES_MAX: u64 = 64 * 1024;

/// Reads the key file of this configuration; makes one when the database is embedded and neither is there yet.
///
/// # Errors
/// When it is missing beside a database, readable for others, or unreadable.
pub fn load_or_create(config: &Config) -> anyhow::Result<Keyring> {
    let path = &config.keys.file;
    if path.exists() {
        return load(path);
    }
    let Some(database) = config.sqlite_file() else {
        bail!(
            "key file {} is missing; run `hoibao keys new` once for this database and give every gateway the same file, \
             or set keys.file to where it is",
            path.display()
        );
    };
    if database.exists() {
        bail!(
            "key file {} is missing, but the database {} is there: restore the key file that belongs to it, or set \
             keys.file to where it is; a new key could open none of its personal data",
            path.display(),
            database.display()
        );
    }
    create(path)?;
    tracing::info!(path = %path.display(), "made a key file; keep a copy apart from the database's backups");
    load(path)
}

/// Reads a key file that must be there.
///
/// # Errors
/// When it is missing, readable for others, or no key file.
pub fn load(path: &Path) -> anyhow::Result<Keyring> {
    let text = read(path)?;
    Keyring::parse(&text).with_context(|| format!("key file {} cannot be used", path.display()))
}

/// The text of a key file whose rights are right.
///
/// # Errors
/// When it is missing, readable for others, or too long.
pub fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let about = fs::metadata(path).with_context(|| {
        format!(
            "key file {} cannot be found; set keys.file, or run `hoibao keys new` for a new database",
            path.display()
        )
    })?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "key file {} has mode {mode:04o}, so others on this machine can read it; run `chmod 600 {}`",
            path.display(),
            path.display()
        );
    }
    if about.len() > BYTES_MAX {
        bail!(
            "key file {} is too long to be one; check keys.file",
            path.display()
        );
    }
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "key file {} cannot be read; check its owner and that it is text",
            path.display()
        )
    })?;
    Ok(Zeroizing::new(text))
}

/// Makes a new key file, and the folder for it.
///
/// # Errors
/// When there is one already: it is never overwritten.
pub fn create(path: &Path) -> anyhow::Result<()> {
    make_folder_of(path)?;
    let text = Keyring::generate()?;
    write_new(path, &text).with_context(|| {
        format!(
            "key file {} could not be made; a key file that is there already is never overwritten: move it away only \
             when no database needs it",
            path.display()
        )
    })
}

/// Adds a newer wrapping key. The file is replaced in one step: it is never half written.
///
/// # Errors
/// When the file cannot be read, or something of an earlier rotation is in the way.
pub fn rotate(path: &Path) -> anyhow::Result<u32> {
    let rotated = Keyring::rotate(&read(path)?)?;
    let newest = Keyring::parse(&rotated)?.newest();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // Also keeps two rotations apart: the second finds the first one's file.
    write_new(beside, &rotated).with_context(|| {
        format!(
            "{} could not be made; if no other rotation is running, remove it and try again",
            beside.display()
        )
    })?;
    fs::rename(beside, path).with_context(|| format!("{} could not be put in place", path.display()))?;
    sync_folder_of(path)?;
    Ok(newest)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder_of(path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Makes the folder of a file, for its owner alone.
///
/// # Errors
/// When the system refuses.
pub fn make_folder_of(path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| {
            format!(
                "folder {} could not be made; check the rights above it",
                folder.display()
            )
        })
}
