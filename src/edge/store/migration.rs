//! Room `edge::store`: the schema and its version guard.
//!
//! In: a connection. Out: a schema of exactly this program's version, or a refusal. The two folders hold the same
//! numbers. Deliberately not here: statements of the daily work.

use super::{Backend, StoreError};
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name, text for SQLite, text for PostgreSQL.
type Step = (i64, &'static str, &'static str, &'static str);

/// Every step ever, in order. A landed step is never edited.
const STEPS: &[Step] = &[(
    1,
    "road",
    include_str!("../../../migrations/sqlite/0001_road.sql"),
    include_str!("../../../migrations/postgres/0001_road.sql"),
)];

/// The newest version this program knows.
pub fn newest_version() -> i64 {
    STEPS.last().map_or(0, |step| step.0)
}

fn migrator(backend: &Backend) -> Migrator {
    let migrations = STEPS
        .iter()
        .map(|(version, name, sqlite, postgres)| {
            let text = match backend {
                Backend::Sqlite { .. } => sqlite,
                Backend::Postgres { .. } => postgres,
            };
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                text.into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// Versions applied so far, ascending; empty for an empty database.
///
/// # Errors
/// [`StoreError::Unavailable`] when the database cannot be asked.
pub async fn applied_versions(backend: &Backend) -> Result<Vec<i64>, StoreError> {
    let there = match backend {
        Backend::Sqlite { write, .. } => {
            let text = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
            sqlx::query_scalar::<_, i64>(text).fetch_one(write).await?
        }
        Backend::Postgres { pool } => {
            let text = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = '_sqlx_migrations' \
                        AND table_schema = current_schema()";
            sqlx::query_scalar::<_, i64>(text).fetch_one(pool).await?
        }
    };
    if there == 0 {
        return Ok(Vec::new());
    }
    let text = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    Ok(match backend {
        Backend::Sqlite { write, .. } => sqlx::query_scalar::<_, i64>(text).fetch_all(write).await?,
        Backend::Postgres { pool } => sqlx::query_scalar::<_, i64>(text).fetch_all(pool).await?,
    })
}

/// Whether each step was applied from the text this program has.
async fn same_texts(backend: &Backend) -> Result<bool, StoreError> {
    let text = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
    let applied: Vec<(i64, Vec<u8>)> = match backend {
        Backend::Sqlite { write, .. } => sqlx::query_as(text).fetch_all(write).await?,
        Backend::Postgres { pool } => sqlx::query_as(text).fetch_all(pool).await?,
    };
    let migrator = migrator(backend);
    Ok(migrator
        .iter()
        .map(|step| (step.version, step.checksum.as_ref()))
        .eq(applied
            .iter()
            .map(|(version, checksum)| (*version, checksum.as_slice()))))
}

/// Refuses every schema that is not exactly the newest, made from exactly these texts.
pub(super) async fn require_newest(backend: &Backend) -> Result<(), StoreError> {
    let found = applied_versions(backend).await?.last().copied().unwrap_or(0);
    let known = newest_version();
    match found.cmp(&known) {
        std::cmp::Ordering::Equal if !same_texts(backend).await? => Err(StoreError::Schema {
            found,
            known,
            advice: "it was made from other texts; use the program that made it",
        }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(StoreError::Schema {
            found,
            known,
            advice: "run `hoibao migrate` first",
        }),
        std::cmp::Ordering::Greater => Err(StoreError::Schema {
            found,
            known,
            advice: "use the newer program that wrote it",
        }),
    }
}

/// Applies what is missing; refuses a schema from the future or one whose texts were changed. Safe to run in several
/// processes at once: PostgreSQL keeps the others waiting; on SQLite the loser of a step looks again and goes on.
pub(super) async fn apply(backend: &Backend) -> Result<(), StoreError> {
    let known = newest_version();
    loop {
        let found = applied_versions(backend).await?.last().copied().unwrap_or(0);
        if found > known {
            return Err(StoreError::Schema {
                found,
                known,
                advice: "use the newer program that wrote it",
            });
        }
        let migrator = migrator(backend);
        let done = match backend {
            Backend::Sqlite { write, .. } => migrator.run(write).await,
            Backend::Postgres { pool } => migrator.run(pool).await,
        };
        let Err(error) = done else {
            return Ok(());
        };
        // Ends: each further turn needs another step that somebody else has applied meanwhile.
        if applied_versions(backend).await?.last().copied().unwrap_or(0) <= found {
            return Err(failed(error));
        }
    }
}

fn failed(error: sqlx::migrate::MigrateError) -> StoreError {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    if let Execute(inner) | ExecuteMigration(inner, _) = error {
        return StoreError::from(inner);
    }
    StoreError::Engine(format!("the schema could not be brought up to date: {error}"))
}
