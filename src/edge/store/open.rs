//! Room `edge::store`: opening either database, and the [`Store`] every room shares.
//!
//! In: an address. Out: a store that refuses engines and settings which could lose a commit. Deliberately not here:
//! the schema (migrations) and the statements.

use super::batch::{Begin, Queue, queue, write};
use super::{Command, Keyring, StoreError, Tx, migration};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Row as _};
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio_util::task::TaskTracker;

/// Oldest SQLite without the WAL race that loses commits (3.51.3).
const SQLITE_VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

/// Where and how to open a store.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// `sqlite:PATH` or `postgres://...`.
    pub url: String,
    /// Connections for reading, at least 1.
    pub readers: u32,
    /// Writers working side by side; SQLite always has one.
    pub writers: u32,
    /// Commands that may wait for a writer.
    pub queue_length: usize,
}

impl StoreSettings {
    /// Settings with the defaults that suit a small machine.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            readers: 4,
            writers: 4,
            queue_length: 1024,
        }
    }
}

/// Which database.
#[derive(Clone, Debug)]
pub enum Backend {
    /// One file, one writer.
    Sqlite {
        /// The single writing connection.
        write: SqlitePool,
        /// Read-only connections.
        read: SqlitePool,
    },
    /// A server shared by several gateways.
    Postgres {
        /// Connections for both.
        pool: PgPool,
    },
}

/// The store: group commit for changes, snapshots for questions, keys for personal data. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    queue: Queue,
    keyring: Arc<Keyring>,
    wake: Arc<Notify>,
    counters: Arc<Counters>,
    writers: TaskTracker,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    commands: AtomicU64,
}

struct Beginner {
    backend: Backend,
    wake: Arc<Notify>,
    counters: Arc<Counters>,
}

impl Begin for Beginner {
    fn begin(&self) -> Pin<Box<dyn Future<Output = Result<Tx, StoreError>> + Send + '_>> {
        Box::pin(async move {
            match &self.backend {
                Backend::Sqlite { write, .. } => Ok(Tx::from(write.begin_with("BEGIN IMMEDIATE").await?)),
                Backend::Postgres { pool } => Ok(Tx::from(pool.begin().await?)),
            }
        })
    }

    fn committed(&self, commands: usize) {
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.counters
            .commands
            .fetch_add(u64::try_from(commands).unwrap_or(0), Ordering::Relaxed);
        self.wake.notify_waiters();
    }
}

impl Store {
    /// Opens a store, checks the engine, and refuses a schema that is not exactly this program's.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be reached, its engine is unsafe, or [`Store::migrate`] is due.
    pub async fn open(settings: &StoreSettings, keyring: Arc<Keyring>) -> Result<Self, StoreError> {
        let backend = connect(settings).await?;
        migration::require_newest(&backend).await?;
        Ok(Self::over(backend, settings, keyring))
    }

    /// Brings the schema to this program's version, then opens.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be reached, its engine is unsafe, or its schema is newer or foreign.
    pub async fn migrate(settings: &StoreSettings, keyring: Arc<Keyring>) -> Result<Self, StoreError> {
        let backend = connect(settings).await?;
        migration::apply(&backend).await?;
        Ok(Self::over(backend, settings, keyring))
    }

    fn over(backend: Backend, settings: &StoreSettings, keyring: Arc<Keyring>) -> Self {
        let (queue, drain) = queue(settings.queue_length.max(1));
        let wake = Arc::new(Notify::new());
        let counters = Arc::new(Counters::default());
        let beginner: Arc<dyn Begin> = Arc::new(Beginner {
            backend: backend.clone(),
            wake: Arc::clone(&wake),
            counters: Arc::clone(&counters),
        });
        let drain = Arc::new(Mutex::new(drain));
        let lanes = match &backend {
            Backend::Sqlite { .. } => 1,
            Backend::Postgres { .. } => settings.writers.max(1),
        };
        let writers = TaskTracker::new();
        for _ in 0..lanes {
            writers.spawn(write(Arc::clone(&beginner), Arc::clone(&drain)));
        }
        writers.close();
        Self {
            backend,
            queue,
            keyring,
            wake,
            counters,
            writers,
        }
    }

    /// Makes a change by group commit. The answer comes only after the commit; dropping the caller does not undo it.
    ///
    /// # Errors
    /// The command's own, or [`StoreError`] through it. After [`StoreError::CommitUnknown`], read again.
    pub async fn submit<C: Command>(&self, command: C) -> Result<C::Output, C::Error> {
        self.queue.submit(command, false).await
    }

    /// As [`Store::submit`], ahead of everything else: for callbacks, whose caller waits a second at most.
    ///
    /// # Errors
    /// As [`Store::submit`].
    pub async fn submit_urgent<C: Command>(&self, command: C) -> Result<C::Output, C::Error> {
        self.queue.submit(command, true).await
    }

    /// A snapshot for questions. Nothing written through it stands.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection can be had.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        match &self.backend {
            Backend::Sqlite { read, .. } => Ok(Tx::from(read.begin().await?)),
            Backend::Postgres { pool } => Ok(Tx::from(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            )),
        }
    }

    /// The keys for personal data.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Which database.
    pub const fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Resolves when something was committed by this process after the call. Polling stays the truth.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Commits made and commands in them, since the store was opened.
    pub fn commits(&self) -> (u64, u64) {
        (
            self.counters.commits.load(Ordering::Relaxed),
            self.counters.commands.load(Ordering::Relaxed),
        )
    }

    /// Lets waiting commands finish, then closes the connections. Every clone must be dropped before.
    pub async fn close(self) {
        let Self {
            backend,
            queue,
            writers,
            ..
        } = self;
        drop(queue);
        if tokio::time::timeout(Duration::from_secs(10), writers.wait())
            .await
            .is_err()
        {
            tracing::warn!("a clone of the store is still in use; closing anyway");
        }
        match backend {
            Backend::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Backend::Postgres { pool } => pool.close().await,
        }
    }
}

async fn connect(settings: &StoreSettings) -> Result<Backend, StoreError> {
    if settings.url.starts_with("postgres://") || settings.url.starts_with("postgresql://") {
        return connect_postgres(settings).await;
    }
    if settings.url.starts_with("sqlite:") {
        return connect_sqlite(settings).await;
    }
    Err(StoreError::Engine(
        "the address must begin with sqlite: or postgres://".to_owned(),
    ))
}

async fn connect_postgres(settings: &StoreSettings) -> Result<Backend, StoreError> {
    let options = PgConnectOptions::from_str(&settings.url)
        .map_err(|_address| StoreError::Engine("the address of the database cannot be read".to_owned()))?
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(settings.readers.max(1) + settings.writers.max(1))
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await?;
    for (name, wanted) in [("fsync", "on"), ("full_page_writes", "on")] {
        let row = sqlx::query("SELECT current_setting($1) AS value")
            .bind(name)
            .fetch_one(&pool)
            .await?;
        let value: String = row.try_get("value")?;
        if value != wanted {
            return Err(StoreError::Engine(format!(
                "{name} is {value}; set it to {wanted}"
            )));
        }
    }
    let row = sqlx::query("SELECT current_setting('synchronous_commit') AS value")
        .fetch_one(&pool)
        .await?;
    let value: String = row.try_get("value")?;
    if value == "off" || value == "local" {
        return Err(StoreError::Engine(format!(
            "synchronous_commit is {value}; set it to on"
        )));
    }
    Ok(Backend::Postgres { pool })
}

async fn connect_sqlite(settings: &StoreSettings) -> Result<Backend, StoreError> {
    let options = SqliteConnectOptions::from_str(&settings.url)
        .map_err(|_address| StoreError::Engine("the address of the database cannot be read".to_owned()))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("secure_delete", "ON")
        .pragma("cache_size", "-32000")
        .pragma("wal_autocheckpoint", "4000")
        .statement_cache_capacity(256)
        .disable_statement_logging();
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await?;
    require_safe_sqlite(&write).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(settings.readers.max(1))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.read_only(true))
        .await?;
    Ok(Backend::Sqlite { write, read })
}

/// Reads back what durability stands on, and refuses anything less.
async fn require_safe_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT sqlite_version() AS version")
        .fetch_one(pool)
        .await?;
    let version: String = row.try_get("version")?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (
        parts.next().unwrap_or(0),
        parts.next().unwrap_or(0),
        parts.next().unwrap_or(0),
    );
    if found < SQLITE_VERSION_MIN {
        return Err(StoreError::Engine(format!(
            "SQLite {version} can lose commits; at least 3.51.3 is needed"
        )));
    }
    let row = sqlx::query("PRAGMA synchronous").fetch_one(pool).await?;
    let synchronous: i64 = row.try_get(0)?;
    let row = sqlx::query("PRAGMA journal_mode").fetch_one(pool).await?;
    let journal: String = row.try_get(0)?;
    if synchronous != 2 || journal != "wal" {
        return Err(StoreError::Engine(format!(
            "SQLite runs with synchronous {synchronous} and journal {journal}; FULL (2) and wal are needed"
        )));
    }
    Ok(())
}
