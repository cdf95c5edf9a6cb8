//! The connection breaks: before the commit nothing stands, at the commit nobody knows, and the store says which.
//!
//! In: sessions ended by the server and a wire cut after the server committed. Out: red when a caller is told the
//! wrong one of the two.

use super::place::{Engine, PATIENCE, Place, run, within};
use super::scratch::{self, Block, INSERT, Refusal, Write};
use futures_util::poll;
use hoibao::edge::store::{Arg, Backend, Command, Sql, Store, StoreError, Tx};
use sqlx::postgres::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

const PID: Sql = Sql {
    name: "test_pid",
    sqlite: "",
    postgres: "SELECT pg_backend_pid()::bigint AS pid",
};

/// Writes a row, has its own session ended, and then writes another row or leaves it at that.
struct EndSession {
    other: PgPool,
    id: i64,
    goes_on: bool,
}

impl Command for EndSession {
    const NAME: &'static str = "test_end_session";
    type Output = i64;
    type Error = Refusal;

    async fn run(&self, tx: &mut Tx) -> Result<i64, Refusal> {
        tx.execute(INSERT, vec![Arg::from(self.id), Arg::from(0_i64)])
            .await?;
        let pid = tx.row(PID, Vec::new()).await?.unwrap().int("pid")?;
        let ended: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1::int, 10000)")
            .bind(pid)
            .fetch_one(&self.other)
            .await
            .unwrap();
        assert!(ended);
        if self.goes_on {
            tx.execute(INSERT, vec![Arg::from(self.id + 1), Arg::from(0_i64)])
                .await?;
        }
        Ok(self.id)
    }
}

fn pool(store: &Store) -> PgPool {
    match store.backend() {
        Backend::Postgres { pool } => pool.clone(),
        Backend::Sqlite { .. } => panic!("PostgreSQL only"),
    }
}

/// Ended between two statements, batch mates beside it: all are told that nothing was written, and nothing was.
#[test]
fn a_session_ended_in_the_middle_leaves_nothing() {
    run(Engine::Postgres, async |place: &Place| {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let other = place.reopen().await;
        let (block, blocked) = Block::new();
        let mut first = Box::pin(store.submit(block));
        assert!(poll!(&mut first).is_pending());
        within(PATIENCE, blocked.running).await.unwrap();
        let mut before = Box::pin(store.submit(Write::well(1)));
        assert!(poll!(&mut before).is_pending());
        let mut ender = Box::pin(store.submit(EndSession {
            other: pool(&other),
            id: 10,
            goes_on: true,
        }));
        assert!(poll!(&mut ender).is_pending());
        let mut after = Box::pin(store.submit(Write::well(2)));
        assert!(poll!(&mut after).is_pending());
        blocked.go.send(()).unwrap();
        first.await.unwrap();
        for answer in [before.await, ender.await, after.await] {
            assert!(
                matches!(answer, Err(Refusal::Store(StoreError::Unavailable(_)))),
                "{answer:?}"
            );
        }
        assert!(scratch::ids(&other).await.is_empty());
        assert_eq!(
            store.submit(Write::well(3)).await.unwrap(),
            3,
            "the next one has a new session"
        );
        assert_eq!(scratch::ids(&other).await, [3]);
    });
}

/// Ended just before the commit: nobody can tell, so the caller is told exactly that.
#[test]
fn a_session_ended_at_the_commit_is_unknown() {
    run(Engine::Postgres, async |place: &Place| {
        let store = place.store_with(&place.one_writer()).await;
        scratch::create(&store).await;
        let other = place.reopen().await;
        let answer = store
            .submit(EndSession {
                other: pool(&other),
                id: 10,
                goes_on: false,
            })
            .await;
        assert!(
            matches!(answer, Err(Refusal::Store(StoreError::CommitUnknown))),
            "{answer:?}"
        );
        assert!(scratch::ids(&other).await.is_empty());
        assert_eq!(store.submit(Write::well(3)).await.unwrap(), 3);
        assert_eq!(scratch::ids(&other).await, [3]);
    });
}

/// The server commits and its answer is lost on the wire: unknown to the caller, and yet it stands.
#[test]
fn a_commit_whose_answer_is_lost_is_unknown_and_stands() {
    run(Engine::Postgres, async |place: &Place| {
        let direct = place.store().await;
        scratch::create(&direct).await;
        let wire = Wire::start(&place.url).await;
        let through = Place::at(Engine::Postgres, &wire.url);
        let store = through.store_with(&through.one_writer()).await;
        assert_eq!(store.submit(Write::well(1)).await.unwrap(), 1, "the wire carries");
        wire.cut_at_commit.store(true, Ordering::SeqCst);
        let answer = within(PATIENCE, store.submit(Write::well(2))).await;
        assert!(
            matches!(answer, Err(Refusal::Store(StoreError::CommitUnknown))),
            "{answer:?}"
        );
        assert_eq!(scratch::ids(&direct).await, [1, 2], "the server had committed");
        assert_eq!(
            store.submit(Write::well(3)).await.unwrap(),
            3,
            "the next one has a new session"
        );
        assert_eq!(scratch::ids(&direct).await, [1, 2, 3]);
    });
}

/// A loopback wire in front of the server that can drop the answer to one commit, and the connection with it.
struct Wire {
    url: String,
    cut_at_commit: Arc<AtomicBool>,
    _tasks: TaskTracker,
}

impl Wire {
    async fn start(url: &str) -> Self {
        let (head, database) = url.rsplit_once('/').unwrap();
        let (user, server) = head.rsplit_once('@').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let (tasks, flag, server) = (TaskTracker::new(), Arc::clone(&cut), server.to_owned());
        let own = tasks.clone();
        tasks.spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                own.spawn(carry(client, server, Arc::clone(&flag)));
            }
        });
        Self {
            url: format!("{user}@{address}/{database}"),
            cut_at_commit: cut,
            _tasks: tasks,
        }
    }
}

/// Carries bytes both ways until one side ends, or until the server has answered a commit that is to be cut.
async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Arc<AtomicBool>) {
    let (mut up, mut down) = (vec![0_u8; 65_536], vec![0_u8; 65_536]);
    let mut committing = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let length = read.unwrap_or(0);
                if length == 0 || server.write_all(&up[..length]).await.is_err() {
                    return;
                }
                let commit = up[..length].windows(6).any(|bytes| bytes == b"COMMIT");
                committing = commit && cut.swap(false, Ordering::SeqCst);
            }
            read = server.read(&mut down) => {
                let length = read.unwrap_or(0);
                if length == 0 || committing || client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
