//! Engines and settings that could lose a commit are refused, and the good ones are read back.
//!
//! In: settings. Out: red when the store would open over something unsafe.

use super::place::{Engine, Place, number, raw, run};
use hoibao::edge::store::{Backend, Store, StoreError, StoreSettings};

#[test]
fn sqlite_runs_with_what_durability_needs() {
    run(Engine::Sqlite, async |place: &Place| {
        let store = place.store().await;
        let Backend::Sqlite { write, .. } = store.backend() else {
            panic!("not SQLite");
        };
        let version: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(write)
            .await
            .unwrap();
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(
            parts >= vec![3, 51, 3],
            "SQLite {version} has the race that loses commits"
        );
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(write)
            .await
            .unwrap();
        assert_eq!(journal, "wal");
        for (pragma, wanted) in [
            ("PRAGMA synchronous", 2_i64),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA secure_delete", 1),
            ("PRAGMA busy_timeout", 5_000),
        ] {
            let found: i64 = sqlx::query_scalar(pragma).fetch_one(write).await.unwrap();
            assert_eq!(found, wanted, "{pragma}");
        }
        assert!(write.options().get_max_connections() == 1, "one writer");
        let Backend::Sqlite { read, .. } = store.backend() else {
            panic!("not SQLite");
        };
        let refused = sqlx::query("DELETE FROM office").execute(read).await.unwrap_err();
        assert!(refused.to_string().contains("readonly"), "{refused}");
    });
}

#[test]
fn sqlite_in_memory_is_refused() {
    run(Engine::Sqlite, async |place: &Place| {
        let refused = Store::migrate(&StoreSettings::at("sqlite::memory:"), place.keyring())
            .await
            .unwrap_err();
        let StoreError::Engine(why) = refused else {
            panic!("{refused}");
        };
        assert!(why.contains("journal memory"), "{why}");
    });
}

#[test]
fn another_database_is_refused() {
    run(Engine::Sqlite, async |place: &Place| {
        for url in ["mysql://root@localhost/x", "store.db", ""] {
            let refused = Store::open(&StoreSettings::at(url), place.keyring())
                .await
                .unwrap_err();
            assert!(
                matches!(&refused, StoreError::Engine(why) if why.contains("sqlite: or postgres://")),
                "{refused}"
            );
        }
    });
}

#[test]
fn postgres_without_durable_commits_is_refused() {
    run(Engine::Postgres, async |place: &Place| {
        let store = place.store().await;
        for weak in ["off", "local"] {
            let database = place.url.rsplit('/').next().unwrap();
            raw(
                &store,
                &format!("ALTER DATABASE {database} SET synchronous_commit = {weak}"),
            )
            .await;
            let refused = Store::open(&place.settings(), place.keyring()).await.unwrap_err();
            let StoreError::Engine(why) = refused else {
                panic!("{refused}");
            };
            assert_eq!(why, format!("synchronous_commit is {weak}; set it to on"));
        }
    });
}

#[test]
fn a_snapshot_cannot_write_and_does_not_move() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        run(engine, async |place: &Place| {
            let store = place.store().await;
            super::scratch::create(&store).await;
            let count = super::scratch::COUNT;
            let mut before = store.snapshot().await.unwrap();
            assert_eq!(
                before
                    .row(count, Vec::new())
                    .await
                    .unwrap()
                    .unwrap()
                    .int("rows")
                    .unwrap(),
                0
            );
            store.submit(super::scratch::Write::well(1)).await.unwrap();
            assert_eq!(
                before
                    .row(count, Vec::new())
                    .await
                    .unwrap()
                    .unwrap()
                    .int("rows")
                    .unwrap(),
                0
            );
            let args = vec![2_i64.into(), 0_i64.into()];
            assert!(
                before.execute(super::scratch::INSERT, args).await.is_err(),
                "a question wrote"
            );
            drop(before);
            assert_eq!(number(&store, "SELECT COUNT(*) FROM scratch").await, 1);
        });
    }
}
