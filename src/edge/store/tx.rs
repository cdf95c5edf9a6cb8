//! Room `edge::store`: a transaction on either database.
//!
//! In: statements with arguments. Out: rows. A dropped transaction is rolled back. Deliberately not here: which
//! statement is run when.

use super::value::{for_postgres, for_sqlite};
use super::{Arg, Row, Sql, StoreError};
use sqlx::{Postgres, SqlSafeStr as _, Sqlite, Transaction};

/// A transaction. On SQLite a writing one has begun with `BEGIN IMMEDIATE`, so it never upgrades its lock half-way.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    pub async fn execute(&mut self, sql: Sql, values: Vec<Arg>) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let done = sqlx::query_with(sql.sqlite, for_sqlite(values)?)
                    .execute(&mut **tx)
                    .await?;
                Ok(done.rows_affected())
            }
            Self::Postgres(tx) => {
                let done = sqlx::query_with(sql.postgres, for_postgres(values)?)
                    .execute(&mut **tx)
                    .await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs a question; all its rows. The text bounds their number.
    ///
    /// # Errors
    /// [`StoreError`] as the database says.
    pub async fn rows(&mut self, sql: Sql, values: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let rows = sqlx::query_with(sql.sqlite, for_sqlite(values)?)
                    .fetch_all(&mut **tx)
                    .await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(tx) => {
                let rows = sqlx::query_with(sql.postgres, for_postgres(values)?)
                    .fetch_all(&mut **tx)
                    .await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
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
        let done = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
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
        let done = match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        };
        if let Err(error) = done {
            tracing::debug!(error = %error, "roll-back failed; the connection is dropped, which undoes it");
        }
    }

    /// Opens, keeps or undoes the part of one command inside a shared transaction.
    pub(super) async fn savepoint(&mut self, verb: Savepoint) -> Result<(), StoreError> {
        let text = match verb {
            Savepoint::Open => "SAVEPOINT command",
            Savepoint::Keep => "RELEASE SAVEPOINT command",
            Savepoint::Undo => "ROLLBACK TO SAVEPOINT command",
        };
        match self {
            Self::Sqlite(tx) => sqlx::raw_sql(text.into_sql_str())
                .execute(&mut **tx)
                .await
                .map(drop)?,
            Self::Postgres(tx) => sqlx::raw_sql(text.into_sql_str())
                .execute(&mut **tx)
                .await
                .map(drop)?,
        }
        Ok(())
    }
}

/// What to do with a savepoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Savepoint {
    Open,
    Keep,
    Undo,
}
