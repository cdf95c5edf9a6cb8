//! Room `app`: `hoibao migrate`.
//!
//! In: the configuration. Out: a schema of this program's version. Deliberately not here: the steps (the store's).

use super::{Global, print};
use crate::app::{block_on, compose, key_file};
use crate::edge::store::{Store, StoreError, newest_version};
use std::process::ExitCode;
use std::sync::Arc;

/// Make the database, or bring its schema up to date
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Makes the database, or brings its schema up to date, and shows the version before and after. Running it \
                  again changes nothing. For a new embedded database the key file is made too; for PostgreSQL run \
                  `hoibao keys new` first.",
    after_help = "Examples:\n  \
                  hoibao migrate\n  \
                  hoibao migrate --database sqlite:/var/lib/hoibao/hoibao.sqlite"
)]
pub struct Args {}

impl Args {
    /// Migrates.
    ///
    /// # Errors
    /// When the database cannot be reached or comes from the future.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        let (before, after) = block_on(async {
            let new = config.sqlite_file().is_some_and(|file| !file.exists());
            let keyring = Arc::new(key_file::load_or_create(&config)?);
            let before = if new {
                0
            } else {
                match Store::open(&config.store_settings(), Arc::clone(&keyring)).await {
                    Ok(store) => {
                        store.close().await;
                        newest_version()
                    }
                    Err(StoreError::Schema { found, .. }) => found,
                    Err(error) => return Err(error.into()),
                }
            };
            compose::make(&config, keyring).await?.close().await;
            Ok((before, newest_version()))
        })?;
        print(|out| {
            if before == after {
                writeln!(out, "schema version {after}: already up to date")
            } else {
                writeln!(out, "schema version {before} -> {after}")
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
