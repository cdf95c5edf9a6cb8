//! Writers that meet: tried again without anybody noticing, and a clear word when that does not help.
//!
//! In: a real deadlock, a lock held by another process. Out: red when either is lost, doubled or never answered.

use super::child;
use super::place::{Engine, PATIENCE, Place, block_on, run, within};
use super::scratch::{self, AddBoth, Refusal, Write};
use futures_util::poll;
use hoibao::edge::store::{Backend, StoreError, StoreSettings};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Two transactions take two rows crosswise: the server breaks one off, and it is run again.
#[test]
fn a_deadlock_is_tried_again() {
    run(Engine::Postgres, async |place: &Place| {
        let settings = StoreSettings {
            writers: 2,
            ..place.settings()
        };
        let store = place.store_with(&settings).await;
        scratch::create(&store).await;
        for id in [1, 2] {
            store.submit(Write::well(id)).await.unwrap();
        }
        let meet = Arc::new(tokio::sync::Barrier::new(2));
        let runs = [Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0))];
        let add = |rows: [i64; 2], runs: &Arc<AtomicU32>| AddBoth {
            rows,
            runs: Arc::clone(runs),
            meet: Arc::clone(&meet),
        };
        let mut first = Box::pin(store.submit(add([1, 2], &runs[0])));
        assert!(poll!(&mut first).is_pending());
        // The second goes to the other writer only once the first is out of the queue.
        while runs[0].load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let second = store.submit(add([2, 1], &runs[1]));
        let (first, second) = within(PATIENCE, futures_util::future::join(first, second)).await;
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.max(second), 2, "exactly one was broken off, once");
        assert_eq!(first.min(second), 1);
        assert_eq!(
            (scratch::who(&store, 1).await, scratch::who(&store, 2).await),
            (2, 2)
        );
    });
}

/// Another process holds SQLite's write lock: a command waits for it.
#[test]
fn sqlite_waits_for_another_process() {
    const NAME: &str = "store::conflict::sqlite_waits_for_another_process";
    if let Some(url) = child::job() {
        block_on(hold(&url));
        return;
    }
    run(Engine::Sqlite, async |place: &Place| {
        let store = place.store().await;
        scratch::create(&store).await;
        let holder = Holder::start(NAME, &place.url);
        let mut waiting = Box::pin(store.submit(Write::well(1)));
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(300), &mut waiting)
                .await
                .is_err()
        );
        holder.let_go();
        assert_eq!(within(PATIENCE, waiting).await.unwrap(), 1);
        assert_eq!(scratch::ids(&place.reopen().await).await, [1]);
    });
}

/// Another process never lets go: after a bounded time the caller is told what happened, and nothing stands.
#[test]
fn sqlite_says_so_when_another_process_never_lets_go() {
    const NAME: &str = "store::conflict::sqlite_says_so_when_another_process_never_lets_go";
    if let Some(url) = child::job() {
        block_on(hold(&url));
        return;
    }
    run(Engine::Sqlite, async |place: &Place| {
        let store = place.store().await;
        scratch::create(&store).await;
        let holder = Holder::start(NAME, &place.url);
        let answer = within(PATIENCE, store.submit(Write::well(1))).await;
        let Err(Refusal::Store(error @ StoreError::Conflict(_))) = answer else {
            panic!("{answer:?}");
        };
        assert!(error.may_retry());
        assert_eq!(error.to_string(), "the transaction met another one");
        holder.let_go();
        assert_eq!(
            store.submit(Write::well(2)).await.unwrap(),
            2,
            "the writer goes on"
        );
        assert_eq!(scratch::ids(&place.reopen().await).await, [2]);
    });
}

/// A child that holds the write lock of a SQLite file.
struct Holder {
    child: Child,
    /// Kept open: the child goes on to say how its test went.
    lines: Lines<BufReader<ChildStdout>>,
}

impl Holder {
    fn start(test: &str, url: &str) -> Self {
        let mut child = child::start(test, url, &[]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // libtest begins a line with the name of the test and leaves it open.
        assert!(
            lines.any(|line| line.unwrap().ends_with("held")),
            "the child stopped"
        );
        Self { child, lines }
    }

    fn let_go(mut self) {
        drop(self.child.stdin.take());
        let said: Vec<String> = self.lines.map_while(Result::ok).collect();
        assert!(self.child.wait().unwrap().success(), "{said:?}");
    }
}

/// In the child: takes the lock, says so, and holds it until the parent closes the pipe.
async fn hold(url: &str) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    std::io::stdout().write_all(b"held\n").unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    tx.rollback().await.unwrap();
}

/// Two stores on one database, as two gateways would be: nothing is lost between them.
#[test]
fn two_stores_share_one_database() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        run(engine, async |place: &Place| {
            let (one, two) = (place.store().await, place.reopen().await);
            scratch::create(&one).await;
            let work = |store: hoibao::edge::store::Store, first: i64| async move {
                for id in first..first + 50 {
                    assert_eq!(store.submit(Write::well(id)).await.unwrap(), id);
                }
            };
            futures_util::future::join(work(one.clone(), 0), work(two, 50)).await;
            assert_eq!(scratch::ids(&one).await, (0..100).collect::<Vec<_>>());
            assert_eq!(
                matches!(one.backend(), Backend::Sqlite { .. }),
                engine == Engine::Sqlite
            );
        });
    }
}
