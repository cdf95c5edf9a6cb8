//! A table of the tests' own, and commands that write into it in every way a command can end.
//!
//! In: numbers. Out: rows of (id, who). Deliberately not here: tables of the product.

use super::place::raw;
use hoibao::edge::store::{Arg, Command, Sql, Store, StoreError, Tx};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::oneshot;

const fn both(name: &'static str, text: &'static str) -> Sql {
    Sql {
        name,
        sqlite: text,
        postgres: text,
    }
}

pub(super) const INSERT: Sql = both("scratch_insert", "INSERT INTO scratch (id, who) VALUES ($1, $2)");
pub(super) const COUNT: Sql = both("scratch_count", "SELECT COUNT(*) AS rows FROM scratch");
const LIST: Sql = both("scratch_list", "SELECT id FROM scratch ORDER BY id");
const PLACES: Sql = both("scratch_places", "SELECT id FROM scratch ORDER BY place");
pub(super) const ADD: Sql = both("scratch_add", "UPDATE scratch SET who = who + 1 WHERE id = $1");
const WHO: Sql = both("scratch_who", "SELECT who FROM scratch WHERE id = $1");
const ORPHAN: Sql = both("scratch_orphan", "INSERT INTO scratch_child (parent) VALUES ($1)");

/// Makes the scratch tables. `place` numbers the rows in the order of writing; `scratch_child` checks its parent only
/// at the commit.
pub(super) async fn create(store: &Store) {
    let (place, blob) = match store.backend() {
        hoibao::edge::store::Backend::Sqlite { .. } => ("INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER"),
        hoibao::edge::store::Backend::Postgres { .. } => ("BIGSERIAL PRIMARY KEY", "BIGINT"),
    };
    let text = format!(
        "CREATE TABLE scratch (place {place}, id {blob} NOT NULL UNIQUE, who {blob} NOT NULL);
         CREATE TABLE scratch_child (parent {blob} NOT NULL REFERENCES scratch (id) DEFERRABLE INITIALLY DEFERRED)"
    );
    raw(store, &text).await;
}

fn args(values: &[i64]) -> Vec<Arg> {
    values.iter().map(|value| Arg::from(*value)).collect()
}

/// The identifiers that stand, ascending.
pub(super) async fn ids(store: &Store) -> Vec<i64> {
    let mut tx = store.snapshot().await.unwrap();
    let rows = tx.rows(LIST, Vec::new()).await.unwrap();
    rows.iter().map(|row| row.int("id").unwrap()).collect()
}

/// The identifiers that stand, in the order in which they were written.
pub(super) async fn in_order(store: &Store) -> Vec<i64> {
    let mut tx = store.snapshot().await.unwrap();
    let rows = tx.rows(PLACES, Vec::new()).await.unwrap();
    rows.iter().map(|row| row.int("id").unwrap()).collect()
}

/// The value of a row.
pub(super) async fn who(store: &Store, id: i64) -> i64 {
    let mut tx = store.snapshot().await.unwrap();
    let row = tx.row(WHO, args(&[id])).await.unwrap();
    row.unwrap().int("who").unwrap()
}

/// Why a test command is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the command does not want to")]
    Own(i64),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// How a [`Write`] ends after its row was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Refused,
    Panic,
    /// A statement fails and the command returns the failure.
    Breaks,
    /// A statement fails and the command says that all is well.
    Swallows,
    /// The commit itself is refused by a deferred rule.
    BreaksCommit,
}

/// Writes a row, then ends in a chosen way.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) id: i64,
    pub(super) end: End,
}

impl Write {
    pub(super) const fn well(id: i64) -> Self {
        Self { id, end: End::Well }
    }
}

impl Command for Write {
    const NAME: &'static str = "test_write";
    type Output = i64;
    type Error = Refusal;

    async fn run(&self, tx: &mut Tx) -> Result<i64, Refusal> {
        tx.execute(INSERT, args(&[self.id, 0])).await?;
        match self.end {
            End::Well => Ok(self.id),
            End::Refused => Err(Refusal::Own(self.id)),
            End::Panic => panic!("a bug in a command, planted by the test"),
            End::Breaks => {
                tx.execute(INSERT, args(&[self.id, 0])).await?;
                Ok(self.id)
            }
            End::Swallows => {
                assert!(tx.execute(INSERT, args(&[self.id, 0])).await.is_err());
                Ok(self.id)
            }
            End::BreaksCommit => {
                tx.execute(ORPHAN, args(&[-self.id])).await?;
                Ok(self.id)
            }
        }
    }
}

/// Adds to two rows, in this order, so that two of them can deadlock.
pub(super) struct AddBoth {
    pub(super) rows: [i64; 2],
    pub(super) runs: std::sync::Arc<AtomicU32>,
    /// On the first run only: says that the first row is held, then waits until the other one is held too.
    pub(super) meet: std::sync::Arc<tokio::sync::Barrier>,
}

impl Command for AddBoth {
    const NAME: &'static str = "test_add_both";
    type Output = u32;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u32, StoreError> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        tx.execute(ADD, args(&[self.rows[0]])).await?;
        if run == 0 {
            self.meet.wait().await;
        }
        tx.execute(ADD, args(&[self.rows[1]])).await?;
        Ok(run + 1)
    }
}

/// Blocks its writer: says that it runs, then waits to be let go.
pub(super) struct Block {
    running: Mutex<Option<oneshot::Sender<()>>>,
    go: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

/// The test's end of a [`Block`].
pub(super) struct Blocked {
    pub(super) running: oneshot::Receiver<()>,
    pub(super) go: oneshot::Sender<()>,
}

impl Block {
    pub(super) fn new() -> (Self, Blocked) {
        let (says, running) = oneshot::channel();
        let (go, waits) = oneshot::channel();
        let block = Self {
            running: Mutex::new(Some(says)),
            go: tokio::sync::Mutex::new(Some(waits)),
        };
        (block, Blocked { running, go })
    }
}

impl Command for Block {
    const NAME: &'static str = "test_block";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, _tx: &mut Tx) -> Result<(), StoreError> {
        if let Some(says) = self.running.lock().unwrap().take() {
            says.send(()).unwrap();
        }
        if let Some(go) = self.go.lock().await.take() {
            go.await.unwrap();
        }
        Ok(())
    }
}
