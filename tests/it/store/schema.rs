//! The schema: its version guard, the same shape on both databases, and upgrades with data.
//!
//! In: the migrations folder and what a store makes of it. Out: red when a schema that is not exactly this program's
//! is opened, or when the two dialects part.

use super::on_both;
use super::place::{Engine, Place, block_on, raw};
use super::road;
use hoibao::edge::store::{Backend, Store, StoreError, applied_versions, newest_version};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

on_both! {
    /// An empty database is not opened, with advice; after `migrate` it is.
    async fn an_empty_database_is_refused(place: &Place) {
        let refused = Store::open(&place.settings(), place.keyring()).await.unwrap_err();
        assert_eq!(schema(&refused), (0, newest_version(), "run `hoibao migrate` first"));
        let store = place.store().await;
        assert_eq!(applied_versions(store.backend()).await.unwrap(), (1..=newest_version()).collect::<Vec<_>>());
        place.reopen().await;
    }

    /// Migrating again changes nothing, data included.
    async fn migrating_twice_changes_nothing(place: &Place) {
        let store = place.store().await;
        road::Road::build(store.clone()).await;
        let before = (columns(&store).await, road::counts(&store).await);
        let again = place.store().await;
        assert_eq!((columns(&again).await, road::counts(&again).await), before);
    }

    /// Two programs that migrate at once: both succeed, the schema is there once.
    async fn migrating_at_once_is_safe(place: &Place) {
        let (one, two) = futures_util::future::join(place.store(), place.store()).await;
        assert_eq!(applied_versions(one.backend()).await.unwrap().len(), migrations(place.engine).len());
        assert_eq!(columns(&one).await, columns(&two).await);
    }

    /// A schema from the future is neither opened nor migrated.
    async fn a_future_schema_is_refused(place: &Place) {
        let store = place.store().await;
        raw(&store, "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            SELECT version + 1, 'future', success, checksum, 0 FROM _sqlx_migrations ORDER BY version DESC LIMIT 1").await;
        let known = newest_version();
        for refused in [
            Store::open(&place.settings(), place.keyring()).await.unwrap_err(),
            Store::migrate(&place.settings(), place.keyring()).await.unwrap_err(),
        ] {
            assert_eq!(schema(&refused), (known + 1, known, "use the newer program that wrote it"));
        }
    }

    /// A schema made from a text that was edited afterwards is neither opened nor migrated.
    async fn a_schema_of_other_texts_is_refused(place: &Place) {
        let store = place.store().await;
        let other = match place.engine {
            Engine::Sqlite => "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1",
            Engine::Postgres => r"UPDATE _sqlx_migrations SET checksum = '\x00' WHERE version = 1",
        };
        raw(&store, other).await;
        let refused = Store::open(&place.settings(), place.keyring()).await.unwrap_err();
        let known = newest_version();
        assert_eq!(schema(&refused), (known, known, "it was made from other texts; use the program that made it"));
        let refused = Store::migrate(&place.settings(), place.keyring()).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Engine(why) if why.contains("migration 1")), "{refused}");
    }

    /// A database of each earlier version, with data in every table it had, is brought to the newest: no row is lost
    /// and the schema is the one that an empty database gets. With one version only, that version is where it starts.
    async fn every_earlier_schema_is_upgraded_with_its_data(place: &Place) {
        let texts = migrations(place.engine);
        assert_eq!(i64::try_from(texts.len()).unwrap(), newest_version());
        let fresh = Place::new(place.engine);
        let wanted = columns(&fresh.store().await).await;
        for from in 1..=texts.len() {
            let place = Place::new(place.engine);
            let store = place.store().await;
            road::Road::build(store.clone()).await;
            if from < texts.len() {
                // Only a data set written by hand for that version can fill it: fixtures/schema/<version>.sql.
                rebuild(&store, &texts[..from]).await;
            }
            let before = road::counts(&store).await;
            assert!(before.values().filter(|rows| **rows > 0).count() >= 12, "data are missing: {before:?}");
            store.close().await;
            let store = place.store().await;
            let after = road::counts(&store).await;
            for (table, rows) in &before {
                assert_eq!(after.get(table), Some(rows), "rows of {table} after the upgrade from {from}");
            }
            assert_eq!(columns(&store).await, wanted, "the schema after the upgrade from {from}");
        }
    }
}

/// Both databases have the same tables with the same columns in the same order, of corresponding types, and the same
/// indexes by name.
#[test]
fn both_databases_have_the_same_schema() {
    let of = |engine| {
        block_on(async move {
            let place = Place::new(engine);
            let store = place.store().await;
            (columns(&store).await, indexes(&store).await)
        })
    };
    let (sqlite, postgres) = (of(Engine::Sqlite), of(Engine::Postgres));
    assert!(sqlite.0.len() >= 30, "{} tables", sqlite.0.len());
    for (table, columns) in &sqlite.0 {
        assert_eq!(Some(columns), postgres.0.get(table), "table {table}");
    }
    assert_eq!(sqlite.0.len(), postgres.0.len());
    assert_eq!(sqlite.1, postgres.1, "indexes");
}

/// The folders hold the same numbered steps, and the program knows them all.
#[test]
fn both_folders_hold_the_same_steps() {
    let names = |engine| -> Vec<String> {
        let file = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        migrations(engine).iter().map(file).collect()
    };
    assert_eq!(names(Engine::Sqlite), names(Engine::Postgres));
    for (number, name) in (1_i64..).zip(names(Engine::Sqlite)) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name}");
        assert!(
            number <= newest_version(),
            "{name} is not in the program's list of steps"
        );
    }
}

fn schema(error: &StoreError) -> (i64, i64, &'static str) {
    let StoreError::Schema { found, known, advice } = error else {
        panic!("{error}");
    };
    (*found, *known, advice)
}

fn migrations(engine: Engine) -> Vec<PathBuf> {
    let folder = match engine {
        Engine::Sqlite => "migrations/sqlite",
        Engine::Postgres => "migrations/postgres",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Makes the database what an earlier version left behind: its steps only, filled from that version's data set.
async fn rebuild(store: &Store, steps: &[PathBuf]) {
    let version = steps.len();
    let drop_all = match store.backend() {
        Backend::Sqlite { .. } => {
            let tables = table_names(store).await;
            let drops: Vec<String> = tables
                .iter()
                .map(|table| format!("DROP TABLE {table};"))
                .collect();
            format!(
                "PRAGMA foreign_keys = OFF; {} PRAGMA foreign_keys = ON;",
                drops.join(" ")
            )
        }
        Backend::Postgres { .. } => {
            let tables = table_names(store).await;
            format!("DROP TABLE {} CASCADE", tables.join(", "))
        }
    };
    raw(store, &drop_all).await;
    for step in steps {
        raw(store, &std::fs::read_to_string(step).unwrap()).await;
    }
    raw(
        store,
        &format!("DELETE FROM _sqlx_migrations WHERE version > {version}"),
    )
    .await;
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/schema/{version:04}.sql"));
    let data = std::fs::read_to_string(&data)
        .unwrap_or_else(|error| panic!("data of schema version {version} at {}: {error}", data.display()));
    // Bytes are written x'..' in the data set.
    let data = match store.backend() {
        Backend::Sqlite { .. } => data,
        Backend::Postgres { .. } => data.replace("x'", r"'\x"),
    };
    raw(store, &data).await;
}

/// Names of our tables.
async fn table_names(store: &Store) -> Vec<String> {
    columns(store).await.into_keys().collect()
}

/// One column: name, type, may be null, place in the primary key.
type Column = (String, String, bool, bool);

/// The columns of each table, in order.
pub(super) async fn columns(store: &Store) -> BTreeMap<String, Vec<Column>> {
    const SQLITE: &str =
        "SELECT m.name, c.name, c.type, CASE WHEN c.\"notnull\" = 0 AND c.pk = 0 THEN 1 ELSE 0 END, c.pk
        FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'
        ORDER BY m.name, c.cid";
    const POSTGRES: &str = "SELECT c.table_name::text, c.column_name::text, c.data_type::text,
            CASE WHEN c.is_nullable = 'YES' THEN 1::bigint ELSE 0::bigint END,
            (SELECT COUNT(*) FROM information_schema.table_constraints t
                JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
                WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_name = c.table_name AND t.table_schema = c.table_schema
                    AND k.column_name = c.column_name)
        FROM information_schema.columns c
        JOIN information_schema.tables b ON b.table_name = c.table_name AND b.table_schema = c.table_schema
        WHERE c.table_schema = 'public' AND b.table_type = 'BASE TABLE' AND c.table_name NOT LIKE '\\_sqlx%'
        ORDER BY c.table_name, c.ordinal_position";
    let rows: Vec<(String, String, String, i64, i64)> = match store.backend() {
        Backend::Sqlite { read, .. } => sqlx::query_as(SQLITE).fetch_all(read).await.unwrap(),
        Backend::Postgres { pool } => sqlx::query_as(POSTGRES).fetch_all(pool).await.unwrap(),
    };
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, name, kind, nullable, key) in rows {
        let kind = match kind.as_str() {
            "INTEGER" | "bigint" => "whole number",
            "TEXT" | "text" => "text",
            "BLOB" | "bytea" => "bytes",
            other => panic!("{table}.{name} has type {other}, which is not portable"),
        };
        tables
            .entry(table)
            .or_default()
            .push((name, kind.to_owned(), nullable == 1, key > 0));
    }
    tables
}

/// Indexes that a migration names, each with its table.
async fn indexes(store: &Store) -> Vec<(String, String)> {
    const SQLITE: &str =
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1, 2";
    const POSTGRES: &str =
        "SELECT i.tablename::text, i.indexname::text FROM pg_indexes i WHERE i.schemaname = 'public'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname) ORDER BY 1, 2";
    match store.backend() {
        Backend::Sqlite { read, .. } => sqlx::query_as(SQLITE).fetch_all(read).await.unwrap(),
        Backend::Postgres { pool } => sqlx::query_as(POSTGRES).fetch_all(pool).await.unwrap(),
    }
}
