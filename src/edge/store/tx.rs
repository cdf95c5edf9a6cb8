//! Room `edge::store`: a transaction on either database.
//!
//! In: statements with arguments. Out: rows. A dropped transaction is rolled back. Deliberately not here: which
//! statement is run when.

use super::value::{for_postgres, for_sqlite};
use super::{Arg, Row, Sql, StoreError};
use sqlx::{Postgres, SqlSafeStr as _, Sqlite, Transaction};

/// A transaction. On SQLite a writing one has begun with `BEGIN IMMEDIATE`, so it never upgrades its lock half-way.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    /// The database asked for another try of the whole transaction; nothing may be kept of this one.
    conflict: bool,
    /// A statement failed since the last savepoint. PostgreSQL undoes such a transaction even when it is told to
    /// commit, and calls that no error; so a failure must not be passed over.
    broken: bool,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl From<Transaction<'static, Sqlite>> for Tx {
    fn from(inner: Transaction<'static, Sqlite>) -> Self {
        Self {
            inner: Inner::Sqlite(inner),
            conflict: false,
            broken: false,
        }
    }
}

impl From<Transaction<'static, Postgres>> for Tx {
    fn from(inner: Transaction<'static, Postgres>) -> Self {
        Self {
            inner: Inner::Postgres(inner),
            conflict: false,
            broken: false,
        }
    }
}

impl Tx {
    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    pub async fn execute(&mut self, sql: Sql, values: Vec<Arg>) -> Result<u64, StoreError> {
        let done = match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::query_with(sql.sqlite, for_sqlite(values)?)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Inner::Postgres(tx) => sqlx::query_with(sql.postgres, for_postgres(values)?)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        };
        done.map_err(|error| self.failed(error))
    }

    /// Runs a question; all its rows. The text bounds their number.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    pub async fn rows(&mut self, sql: Sql, values: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        let rows = match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::query_with(sql.sqlite, for_sqlite(values)?)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Inner::Postgres(tx) => sqlx::query_with(sql.postgres, for_postgres(values)?)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        };
        rows.map_err(|error| self.failed(error))
    }

    fn failed(&mut self, error: sqlx::Error) -> StoreError {
        let error = StoreError::from(error);
        self.conflict |= matches!(error, StoreError::Conflict(_));
        self.broken = true;
        error
    }

    /// Whether a statement failed since the last savepoint: nothing since then can stand.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the database asked for another try of the whole transaction.
    pub(super) const fn met_conflict(&self) -> bool {
        self.conflict
    }

    /// Runs a question; its first row, if any.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    pub async fn row(&mut self, sql: Sql, values: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Makes the changes stand.
    ///
    /// # Errors
    /// [`StoreError::CommitUnknown`]: nobody can tell whether they stand; read again.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let done = match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|error| {
            let error = StoreError::from(error);
            if matches!(error, StoreError::Conflict(_)) {
                error
            } else {
                StoreError::CommitUnknown
            }
        })
    }

    /// Undoes everything.
    pub(super) async fn roll_back(self) {
        let done = match self.inner {
            Inner::Sqlite(tx) => tx.rollback().await,
            Inner::Postgres(tx) => tx.rollback().await,
        };
        if let Err(error) = done {
            tracing::debug!(error = %error, "roll-back failed; the connection is dropped, which undoes it");
        }
    }

    /// Opens, keeps or undoes the part of one command inside a shared transaction.
    pub(super) async fn savepoint(&mut self, verb: Savepoint) -> Result<(), StoreError> {
        let text = match verb {
            Savepoint::Open => "SAVEPOINT command",
            Savepoint::KeepAndOpen => "RELEASE SAVEPOINT command; SAVEPOINT command",
            Savepoint::Undo => "ROLLBACK TO SAVEPOINT command",
        };
        let done = match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::raw_sql(text.into_sql_str())
                .execute(&mut **tx)
                .await
                .map(drop),
            Inner::Postgres(tx) => sqlx::raw_sql(text.into_sql_str())
                .execute(&mut **tx)
                .await
                .map(drop),
        };
        done.map_err(|error| self.failed(error))?;
        self.broken = false;
        Ok(())
    }
}

/// What to do with a savepoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Savepoint {
    /// Opens the part of the first command.
    Open,
    /// Keeps what was done in the open part, and opens the next command's.
    KeepAndOpen,
    /// Undoes what was done in the open part, which stays open for the next command.
    Undo,
}
