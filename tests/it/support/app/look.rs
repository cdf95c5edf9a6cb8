//! Reading what stands: rows through the store, the operator's ledger, numbers by plain SQL.

use super::TestApp;
use hoibao::domain::delivery::DeliveryState;
use hoibao::domain::id::ShipmentId;
use hoibao::edge::store::attempt::{self, AttemptRow};
use hoibao::edge::store::operator::{self, OperatorState};
use hoibao::edge::store::queue::{self, QueueRow, QueueState};
use hoibao::edge::store::shipment::{self, ShipmentRow};
use hoibao::edge::store::{Backend, personal};
use hoibao::simulator::{LedgerSale, LedgerSummary, read_ledger};
use sqlx::{Executor as _, SqlSafeStr as _};
use std::fmt::Write as _;

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

impl TestApp {
    /// A shipment's row.
    pub(crate) async fn shipment(&self, id: ShipmentId) -> ShipmentRow {
        let mut tx = self.context.store.snapshot().await.unwrap();
        shipment::find(&mut tx, id).await.unwrap().unwrap()
    }

    /// A shipment's row of the queue.
    pub(crate) async fn queued(&self, id: ShipmentId) -> QueueRow {
        let mut tx = self.context.store.snapshot().await.unwrap();
        queue::find(&mut tx, id).await.unwrap().unwrap()
    }

    /// Where a shipment stands: folded state and queue.
    pub(crate) async fn stands(&self, id: ShipmentId) -> (DeliveryState, QueueState) {
        (self.shipment(id).await.state, self.queued(id).await.state)
    }

    /// A shipment's attempts, oldest first.
    pub(crate) async fn attempts(&self, id: ShipmentId) -> Vec<AttemptRow> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        attempt::list(&mut tx, id).await.unwrap()
    }

    /// How each attempt ended: outcome, our word, how a doubt was settled.
    pub(crate) async fn told(&self, id: ShipmentId) -> Vec<String> {
        let attempts = self.attempts(id).await;
        let word = |row: AttemptRow| {
            let outcome = row.outcome.map_or("open", |outcome| outcome.as_str());
            let settled = row.settled.map_or(String::new(), |how| format!(", {how}"));
            format!("{outcome}: {}{settled}", row.detail.unwrap_or_default())
        };
        attempts.into_iter().map(word).collect()
    }

    /// The evidence of a shipment: kind and bytes, oldest first.
    pub(crate) async fn evidence(&self, id: ShipmentId) -> Vec<(String, Vec<u8>)> {
        let record = self.shipment(id).await.record;
        let mut tx = self.context.store.snapshot().await.unwrap();
        let key = personal::key(&self.context.store, &mut tx, record).await.unwrap();
        let found = attempt::evidence(&mut tx, &key, id).await.unwrap();
        found
            .into_iter()
            .map(|one| (one.kind, one.bytes.to_vec()))
            .collect()
    }

    /// What gateways share about the operator.
    pub(crate) async fn operator(&self) -> OperatorState {
        let mut tx = self.context.store.snapshot().await.unwrap();
        operator::find(&mut tx, self.account.id).await.unwrap()
    }

    /// The operator's own books, written up to now.
    pub(crate) async fn books(&self) -> LedgerSummary {
        if let Some(simulator) = &self.simulator {
            simulator.run_due().await;
        }
        read_ledger(&self.ledger).unwrap()
    }

    /// The operator's books about a shipment.
    pub(crate) async fn sale(&self, id: ShipmentId) -> LedgerSale {
        let reference = self.shipment(id).await.reference;
        self.books().await.sales.remove(&reference).unwrap_or_default()
    }

    /// One number from a question, asked beside the store.
    pub(crate) async fn number(&self, text: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    /// Runs a statement beside the store: damage that a test does on purpose.
    pub(crate) async fn raw(&self, text: &str) {
        let text = sqlx::AssertSqlSafe(text.to_owned()).into_sql_str();
        match self.context.store.backend() {
            Backend::Sqlite { write, .. } => write.execute(sqlx::raw_sql(text)).await.map(drop).unwrap(),
            Backend::Postgres { pool } => pool.execute(sqlx::raw_sql(text)).await.map(drop).unwrap(),
        }
    }

    /// These bytes, hexadecimal, as the database writes them.
    pub(crate) fn bytes_literal(&self, hex: &str) -> String {
        match self.context.store.backend() {
            Backend::Sqlite { .. } => format!("x'{hex}'"),
            Backend::Postgres { .. } => format!("'\\x{hex}'::bytea"),
        }
    }

    /// One value of bytes from a question, asked beside the store.
    pub(crate) async fn blob(&self, text: &str) -> Vec<u8> {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    /// Identifiers of all rows of a table, in order.
    pub(super) async fn ids(&self, table: &str) -> Vec<[u8; 16]> {
        let text = sqlx::AssertSqlSafe(format!("SELECT id FROM {table} ORDER BY id"));
        let rows: Vec<Vec<u8>> = match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_all(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_all(pool).await.unwrap(),
        };
        rows.into_iter().map(|row| row.try_into().unwrap()).collect()
    }
}
