//! The tests' own PostgreSQL, tried: it answers, databases are apart, it is durable, it dies with its process, and a
//! machine without one is told what to do.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::{Connection, PgConnection, Row};

use super::postgres::{Durability, PostgresError, cluster, create_database, explain, find_server};

async fn connect() -> PgConnection {
    let url = create_database().unwrap_or_else(|error| panic!("{error}"));
    PgConnection::connect(&url)
        .await
        .expect("the new database takes connections")
}

async fn text(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query(query)
        .fetch_one(connection)
        .await
        .expect("the query runs")
        .get(0)
}

/// The server answers, commits wait for the disk, and two callers never share a database.
#[tokio::test]
async fn answers_durably_and_apart() {
    let (mut one, mut two) = (connect().await, connect().await);
    let row = sqlx::query("SELECT 1::bigint")
        .fetch_one(&mut one)
        .await
        .expect("a row");
    assert_eq!(row.get::<i64, _>(0), 1);
    for setting in ["SHOW fsync", "SHOW synchronous_commit", "SHOW full_page_writes"] {
        assert_eq!(text(&mut one, setting).await, "on", "{setting}");
    }
    assert_eq!(text(&mut one, "SHOW server_encoding").await, "UTF8");
    sqlx::query("CREATE TABLE mine (id bigint)")
        .execute(&mut one)
        .await
        .expect("a table");
    let elsewhere = sqlx::query("SELECT id FROM mine").fetch_optional(&mut two).await;
    assert!(elsewhere.is_err(), "a table of one database is seen in another");
    assert_ne!(
        text(&mut one, "SELECT current_database()::text").await,
        text(&mut two, "SELECT current_database()::text").await
    );
}

/// A machine without a server is told the Debian package and the script, by the error that every test shows.
#[test]
fn a_missing_server_says_what_to_install() {
    let empty = tempfile::tempdir().expect("a folder");
    let error = find_server(empty.path(), Some(empty.path().as_os_str())).expect_err("nothing is there");
    assert!(matches!(error, PostgresError::Missing));
    let text = explain(&error);
    assert!(
        text.contains("`postgresql`") && text.contains("scripts/test"),
        "{text}"
    );
    assert!(matches!(
        find_server(empty.path(), None),
        Err(PostgresError::Missing)
    ));
}

/// The newest complete version wins, by number and not by letters; the PATH is the second choice.
#[test]
fn the_newest_server_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = |path: &Path, programs: &[&str]| {
        std::fs::create_dir_all(path).expect("a folder");
        for program in programs {
            std::fs::write(path.join(program), "").expect("a file");
        }
    };
    let all = ["initdb", "pg_ctl", "postgres", "psql"];
    let debian = folder.path().join("debian");
    let path = folder.path().join("path");
    server(&path, &all);
    assert_eq!(
        find_server(&debian, Some(path.as_os_str())).expect("on the PATH"),
        path
    );
    server(&debian.join("9/bin"), &all);
    server(&debian.join("15/bin"), &all);
    // A client alone is no server.
    server(&debian.join("17/bin"), &["psql", "pg_ctl"]);
    assert_eq!(
        find_server(&debian, Some(OsStr::new(""))).expect("version 15"),
        debian.join("15/bin")
    );
}

/// Set in the copy of this program that the next test starts and kills: where to say which cluster it has.
const CHILD: &str = "HOIBAO_TEST_POSTGRES_CHILD";

/// The copy's part: starts a cluster, says where, and waits to be killed.
fn be_the_child(place: &OsStr) {
    let cluster = cluster(Durability::Fast).unwrap_or_else(|error| panic!("{}", explain(error)));
    std::fs::write(place, cluster.folder().to_str().expect("UTF-8")).expect("the place can be told");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .expect("the parent holds the pipe");
}

/// Kills a process that has a cluster, and sees server and folder go.
#[test]
fn the_cluster_dies_with_its_process() {
    if let Some(place) = std::env::var_os(CHILD) {
        return be_the_child(&place);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("place");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "support::postgres_test::the_cluster_dies_with_its_process",
            "--nocapture",
        ])
        .env(CHILD, &place)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a copy of this program");
    let cluster = until("the child has a cluster", || {
        std::fs::read_to_string(&place)
            .ok()
            .filter(|text| !text.is_empty())
    });
    let pid =
        std::fs::read_to_string(Path::new(&cluster).join("data/postmaster.pid")).expect("the server runs");
    let pid = pid
        .lines()
        .next()
        .expect("its first line is the process")
        .to_owned();
    assert!(Path::new("/proc").join(&pid).exists());
    child.kill().expect("the child can be killed");
    child.wait().expect("the child is gone");
    until("the folder is removed", || {
        (!Path::new(&cluster).exists()).then_some(())
    });
    until("the server is gone", || {
        (!Path::new("/proc").join(&pid).exists()).then_some(())
    });
}

/// Asks again until there is an answer, for a minute at most.
#[track_caller]
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
    for _ in 0..3_000 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("waited in vain until {what}");
}

/// The error of a server that does not start holds the server's own words.
#[test]
fn a_failure_says_what_the_server_said() {
    let error = PostgresError::Failed {
        program: "initdb".to_owned(),
        said: "no space left".to_owned(),
    };
    assert_eq!(explain(&error), "initdb failed: no space left");
}
