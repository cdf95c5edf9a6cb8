//! Room `app`: builds the [`Context`] of the stages from the configuration.
//!
//! In: [`Config`] and a key ring. Out: the store opened and every port made. Deliberately not here: which jobs run over
//! it, and who serves it.

use super::config::{Config, ConfigError};
use super::key_file;
use super::ports::{SeededRng, SystemClock, UuidIds};
use crate::domain::calendar::Calendars;
use crate::domain::time::Clock;
use crate::edge::carrier::Carriers;
use crate::edge::carrier::myvnpost::MyVnPost;
use crate::edge::carrier::transport::{HttpTransport, TransportSettings};
use crate::edge::dossier::client::{ClientSettings, EventClient};
use crate::edge::store::{Keyring, Store};
use crate::stage::context::Context;
use crate::stage::context::operator::Memory;
use anyhow::Context as _;
use std::sync::Arc;

/// What to do with a database whose schema is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// An embedded database that does not exist yet is made; any other must be up to date.
    MakeWhenNew,
    /// It must be up to date.
    UpToDate,
}

/// The operators' adapters in this build.
///
/// # Errors
/// When a table compiled into an adapter cannot be read; a test of the adapter proves that there is none.
pub fn carriers() -> anyhow::Result<Carriers> {
    Ok(Carriers::new(vec![Arc::new(MyVnPost::new()?)]))
}

/// Opens the store and makes the ports of a service.
///
/// # Errors
/// When a part cannot be made; the message says which and what to do.
pub async fn context(config: &Config, schema: Schema) -> anyhow::Result<Arc<Context>> {
    // Asked before the key file is made beside it.
    let new = config.sqlite_file().is_some_and(|file| !file.exists());
    let keyring = Arc::new(match schema {
        Schema::MakeWhenNew => key_file::load_or_create(config)?,
        Schema::UpToDate => key_file::load(&config.keys.file)?,
    });
    let store = match schema {
        Schema::MakeWhenNew if new => make(config, keyring).await?,
        Schema::MakeWhenNew | Schema::UpToDate => open(config, keyring).await?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = config.transport_settings()?;
    let wrong = |error: &dyn std::error::Error| {
        ConfigError::one(format!("section [operator]: {error}; correct that key"))
    };
    let transport = HttpTransport::new(&settings).map_err(|error| wrong(&error))?;
    let events = EventClient::new(&event_settings(&settings)).map_err(|error| wrong(&error))?;
    Ok(Arc::new(Context {
        store,
        ids: Arc::new(UuidIds::system(Arc::clone(&clock))),
        clock,
        rng: Arc::new(SeededRng::from_system()),
        carriers: carriers()?,
        transport: Arc::new(transport),
        events: Arc::new(events),
        calendars: Calendars::built_in()?,
        limits: config.limits()?,
        operators: Memory::default(),
    }))
}

/// How to call receivers of events: by the proxy and the authorities that calls to operators use.
pub fn event_settings(settings: &TransportSettings) -> ClientSettings {
    ClientSettings {
        connect_timeout_ms: settings.connect_timeout_ms,
        proxy: settings.proxy.clone(),
        extra_ca_pem: settings.extra_ca_pem.clone(),
        user_agent: settings.user_agent.clone(),
    }
}

/// Opens a store whose schema is up to date. An embedded database is not made by this.
///
/// # Errors
/// When it is not there, cannot be reached, or has another schema.
pub async fn open(config: &Config, keyring: Arc<Keyring>) -> anyhow::Result<Store> {
    if let Some(file) = config.sqlite_file().filter(|file| !file.exists()) {
        anyhow::bail!(
            "there is no database at {}; run `hoibao migrate` to make it, or set database.url to where it is",
            file.display()
        );
    }
    Store::open(&config.store_settings(), keyring)
        .await
        .context("the database could not be opened; `hoibao doctor` tells more")
}

/// Brings the schema up to date, making an embedded database that is not there yet.
///
/// # Errors
/// When it cannot be reached, or has a schema of the future.
pub async fn make(config: &Config, keyring: Arc<Keyring>) -> anyhow::Result<Store> {
    if let Some(file) = config.sqlite_file() {
        key_file::make_folder_of(&file)?;
    }
    Store::migrate(&config.store_settings(), keyring)
        .await
        .context("the database could not be brought up to date; `hoibao doctor` tells more")
}
