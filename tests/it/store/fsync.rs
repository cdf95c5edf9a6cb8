//! What a request costs in flushes to the disk, counted and not computed.
//!
//! In: 32 writers at once, then one. Out: red when shared commits are not shared, or when a commit was not flushed. On
//! SQLite the calls of a process are counted by a library loaded before libc (`fsync_counter.c`); on PostgreSQL the
//! server of a cluster of its own counts them.

use super::child;
use super::place::{Engine, Place, block_on, number};
use super::scratch::{self, Write};
use crate::support::postgres::{Cluster, Durability};
use futures_util::future::join_all;
use hoibao::edge::store::{Store, StoreSettings};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Requests of each measurement.
const REQUESTS: i64 = 1_024;

/// Requests with a single writer: each waits for the disk.
const ALONE: i64 = 64;

async fn work(store: &Store, writers: i64, requests: i64, first: i64) {
    let each = requests / writers;
    let tasks = (0..writers).map(|writer| async move {
        for request in 0..each {
            let id = first + writer * each + request;
            assert_eq!(store.submit(Write::well(id)).await.unwrap(), id);
        }
    });
    join_all(tasks).await;
}

/// Builds the counter; a C compiler is there, because SQLite itself is built from C.
fn counter(folder: &Path) -> PathBuf {
    let library = folder.join("fsync_counter.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/store/fsync_counter.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .status()
        .expect("a C compiler");
    assert!(status.success());
    library
}

#[test]
fn thirty_two_writers_share_flushes_on_sqlite() {
    const NAME: &str = "store::fsync::thirty_two_writers_share_flushes_on_sqlite";
    if let Some(url) = child::job() {
        block_on(sqlite_child(&url));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = counter(folder.path());
    let count = folder.path().join("count");
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let environment = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FSYNC_COUNTER", count.display().to_string()),
    ];
    let mut child = child::start(NAME, &url, &environment);
    let mut said = String::new();
    // The child says how far it is and waits for a line, so that the counts between are of one part each.
    let mut marks = Vec::new();
    let mut output = child.stdout.take().unwrap();
    let mut byte = [0_u8; 1];
    while output.read(&mut byte).unwrap() == 1 {
        said.push(char::from(byte[0]));
        if said.ends_with("@@\n") {
            marks.push(flushes(&count));
            child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        }
    }
    assert!(child.wait().unwrap().success(), "{said}");
    let [start, together, alone] = marks[..] else {
        panic!("the child stopped early: {said}");
    };
    judge("SQLite", together - start, alone - together);
}

/// Flushes of the database and its log so far.
fn flushes(count: &Path) -> i64 {
    let text = std::fs::read_to_string(count).unwrap_or_default();
    let lines = text.lines().filter(|line| line.contains("store.db")).count();
    i64::try_from(lines).unwrap()
}

async fn sqlite_child(url: &str) {
    let store = Place::at(Engine::Sqlite, url).store().await;
    scratch::create(&store).await;
    pause();
    work(&store, 32, REQUESTS, 0).await;
    pause();
    work(&store, 1, ALONE, REQUESTS).await;
    pause();
    store.close().await;
}

/// Tells the parent to count, and waits until it has.
fn pause() {
    std::io::stdout().write_all(b"@@\n").unwrap();
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[test]
fn thirty_two_writers_share_flushes_on_postgres() {
    let cluster = Cluster::start(Durability::Durable).unwrap();
    let url = cluster.create_database().unwrap();
    let watch = cluster.create_database().unwrap();
    let place = Place::at(Engine::Postgres, &url);
    block_on(async {
        let watch = Place::at(Engine::Postgres, &watch).store().await;
        let store = place.store().await;
        scratch::create(&store).await;
        let start = server_flushes(store, &watch).await;
        let store = place.reopen().await;
        work(&store, 32, REQUESTS, 0).await;
        let together = server_flushes(store, &watch).await;
        let settings = StoreSettings {
            writers: 1,
            ..place.settings()
        };
        let store = Store::open(&settings, place.keyring()).await.unwrap();
        work(&store, 1, ALONE, REQUESTS).await;
        let alone = server_flushes(store, &watch).await;
        judge("PostgreSQL", together - start, alone - together);
    });
}

/// Closes the store, so that its sessions hand in their counts as they end, and asks the server for its own.
async fn server_flushes(store: Store, watch: &Store) -> i64 {
    const SESSIONS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' \
                            AND datname <> current_database()";
    store.close().await;
    while number(watch, SESSIONS).await > 0 {
        tokio::task::yield_now().await;
    }
    // From version 18 on the counts of the log stand with all other input and output.
    if number(watch, "SELECT current_setting('server_version_num')::bigint").await >= 180_000 {
        return number(
            watch,
            "SELECT SUM(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal'",
        )
        .await;
    }
    number(watch, "SELECT wal_sync::bigint FROM pg_stat_wal").await
}

fn judge(engine: &str, together: i64, alone: i64) {
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{engine}: {together} flushes for {REQUESTS} requests of 32 writers, {alone} for {ALONE} of one"
    )
    .unwrap();
    assert!(
        together >= REQUESTS / 128,
        "{together} flushes: commits were answered without reaching the disk"
    );
    assert!(
        together * 2 <= REQUESTS,
        "{together} flushes for {REQUESTS} requests: commits are not shared"
    );
    assert!(
        alone >= ALONE,
        "{alone} flushes for {ALONE} requests, each of which waited for its own commit"
    );
}
