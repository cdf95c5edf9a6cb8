//! Where a case runs: a fresh SQLite file or a fresh PostgreSQL database.
//!
//! In: which engine. Out: an address, a store on it, raw connections beside the store. A missing PostgreSQL fails.

use crate::support::postgres;
use hoibao::domain::id::Ids;
use hoibao::domain::time::Timestamp;
use hoibao::edge::store::{Backend, Keyring, Store, StoreSettings};
use sqlx::{Executor as _, SqlSafeStr as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A moment in the tests' simulated time.
pub(super) const NOW: Timestamp = Timestamp::from_ms(1_793_520_000_000);

/// Longest time a test waits for something that must come.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

/// A fresh, empty database and the key file that belongs to it.
pub(super) struct Place {
    pub(super) engine: Engine,
    pub(super) url: String,
    pub(super) keys: String,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    pub(super) fn new(engine: Engine) -> Self {
        let keys = Keyring::generate().unwrap().to_string();
        let (url, folder) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("store.db").display());
                (url, Some(folder))
            }
            Engine::Postgres => (postgres::create_database().unwrap(), None),
        };
        Self {
            engine,
            url,
            keys,
            _folder: folder,
        }
    }

    /// The same kind of place at an address made elsewhere.
    pub(super) fn at(engine: Engine, url: &str) -> Self {
        Self {
            engine,
            url: url.to_owned(),
            keys: Keyring::generate().unwrap().to_string(),
            _folder: None,
        }
    }

    pub(super) fn keyring(&self) -> Arc<Keyring> {
        Arc::new(Keyring::parse(&self.keys).unwrap())
    }

    pub(super) fn settings(&self) -> StoreSettings {
        StoreSettings::at(&self.url)
    }

    /// One writer on either database, so that the order of batches is known.
    pub(super) fn one_writer(&self) -> StoreSettings {
        StoreSettings {
            writers: 1,
            ..self.settings()
        }
    }

    /// A store with the newest schema.
    pub(super) async fn store(&self) -> Store {
        self.store_with(&self.settings()).await
    }

    pub(super) async fn store_with(&self, settings: &StoreSettings) -> Store {
        Store::migrate(settings, self.keyring()).await.unwrap()
    }

    /// A second store on the same database: other connections, as another process would have.
    pub(super) async fn reopen(&self) -> Store {
        Store::open(&self.settings(), self.keyring()).await.unwrap()
    }
}

/// Runs a case on a fresh database of the engine, on a runtime of its own, and fails when it hangs.
pub(super) fn run(engine: Engine, case: impl AsyncFnOnce(&Place)) {
    let place = Place::new(engine);
    block_on(async { case(&place).await });
}

/// Runs a future on a runtime of its own, and fails when it hangs.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { within(PATIENCE * 2, future).await })
}

/// The future's value; a panic when it does not come in time.
pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(limit, future)
        .await
        .expect("it should have come long ago")
}

/// Runs statements beside the store, on its own pool.
pub(super) async fn raw(store: &Store, text: &str) {
    let text = sqlx::AssertSqlSafe(text).into_sql_str();
    match store.backend() {
        Backend::Sqlite { write, .. } => write.execute(sqlx::raw_sql(text)).await.map(drop).unwrap(),
        Backend::Postgres { pool } => pool.execute(sqlx::raw_sql(text)).await.map(drop).unwrap(),
    }
}

/// One number from a question, asked beside the store.
pub(super) async fn number(store: &Store, text: &'static str) -> i64 {
    match store.backend() {
        Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
        Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
    }
}

/// Identifiers that count up: unique in a process and the same in each run.
#[derive(Debug, Default)]
pub(super) struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next(&self) -> [u8; 16] {
        let number = u128::from(self.0.fetch_add(1, Ordering::SeqCst)) + 1;
        // Version 7 and its variant where they belong.
        ((0x0190_0000_0000_7000_8000_u128 << 48) | number).to_be_bytes()
    }
}
