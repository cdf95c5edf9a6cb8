//! Room `edge::store`: arguments, rows and texts that serve both databases.
//!
//! In: our values. Out: our values. Deliberately not here: connections.

use super::StoreError;
use crate::domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};

/// One statement: the text for each database, mostly the same.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// Table and verb, as in the folder.
    pub name: &'static str,
    /// Text for SQLite.
    pub sqlite: &'static str,
    /// Text for PostgreSQL.
    pub postgres: &'static str,
}

/// A statement from `sql/<table>/<verb>.sql`; with the word `split`, from `<verb>.sqlite.sql` and
/// `<verb>.postgres.sql`.
macro_rules! sql {
    ($table:literal / $verb:literal) => {{
        const TEXT: &str = include_str!(concat!("sql/", $table, "/", $verb, ".sql"));
        $crate::edge::store::Sql {
            name: concat!($table, "_", $verb),
            sqlite: TEXT,
            postgres: TEXT,
        }
    }};
    (split $table:literal / $verb:literal) => {
        $crate::edge::store::Sql {
            name: concat!($table, "_", $verb),
            sqlite: include_str!(concat!("sql/", $table, "/", $verb, ".sqlite.sql")),
            postgres: include_str!(concat!("sql/", $table, "/", $verb, ".postgres.sql")),
        }
    };
}
pub(crate) use sql;

/// One argument. A null carries its type, which PostgreSQL asks for.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Whole number.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

macro_rules! from_arg {
    ($($type:ty => $variant:ident($convert:expr);)*) => {$(
        impl From<$type> for Arg {
            fn from(value: $type) -> Self {
                Self::$variant(Some($convert(value)))
            }
        }
        impl From<Option<$type>> for Arg {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map($convert))
            }
        }
    )*};
}

from_arg! {
    i64 => Int(|value| value);
    i32 => Int(i64::from);
    u32 => Int(i64::from);
    u8 => Int(i64::from);
    bool => Int(i64::from);
    Timestamp => Int(Timestamp::as_ms);
    String => Text(|value| value);
    &str => Text(str::to_owned);
    &String => Text(|value: &String| value.clone());
    Vec<u8> => Bytes(|value| value);
    &[u8] => Bytes(<[u8]>::to_vec);
    &[u8; 16] => Bytes(|value: &[u8; 16]| value.to_vec());
    [u8; 16] => Bytes(|value: [u8; 16]| value.to_vec());
    &[u8; 32] => Bytes(|value: &[u8; 32]| value.to_vec());
    [u8; 32] => Bytes(|value: [u8; 32]| value.to_vec());
}

macro_rules! from_id {
    ($($id:ident),*) => {$(
        impl From<crate::domain::id::$id> for Arg {
            fn from(id: crate::domain::id::$id) -> Self {
                Self::Bytes(Some(id.to_vec()))
            }
        }
        impl From<Option<crate::domain::id::$id>> for Arg {
            fn from(id: Option<crate::domain::id::$id>) -> Self {
                Self::Bytes(id.map(crate::domain::id::$id::to_vec))
            }
        }
    )*};
}

from_id!(
    ShipmentId, ItemId, DossierId, AttemptId, EntryId, OfficeId, AccountId, StaffId, SourceId, ApiKeyId,
    DecisionId, HandoverId, InboxId, RecordId, OutboxId, EndpointId, ImportId
);

/// The arguments of a statement, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::edge::store::Arg::from($value)),*]
    };
}
pub(crate) use args;

/// Binds arguments for SQLite.
///
/// # Errors
/// [`StoreError::Seal`] never; the driver refuses nothing of these types.
pub(super) fn for_sqlite(values: Vec<Arg>) -> Result<SqliteArguments, StoreError> {
    let mut bound = SqliteArguments::default();
    for value in values {
        bind(&mut bound, value)?;
    }
    Ok(bound)
}

/// Binds arguments for PostgreSQL.
pub(super) fn for_postgres(values: Vec<Arg>) -> Result<PgArguments, StoreError> {
    let mut bound = PgArguments::default();
    for value in values {
        bind(&mut bound, value)?;
    }
    Ok(bound)
}

fn bind<'q, A>(bound: &mut A, value: Arg) -> Result<(), StoreError>
where
    A: sqlx::Arguments,
    Option<i64>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database> + 'q,
    Option<String>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database> + 'q,
    Option<Vec<u8>>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database> + 'q,
{
    match value {
        Arg::Int(value) => bound.add(value),
        Arg::Text(value) => bound.add(value),
        Arg::Bytes(value) => bound.add(value),
    }
    .map_err(|_encode| StoreError::Corrupt { place: "argument" })
}

/// One row of either database.
#[derive(Debug)]
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`StoreError::Corrupt`] when the column is missing or holds another type.
        pub fn $name(&self, column: &'static str) -> Result<$type, StoreError> {
            let value = match self {
                Self::Sqlite(row) => row.try_get(column),
                Self::Postgres(row) => row.try_get(column),
            };
            value.map_err(|_type| StoreError::Corrupt { place: column })
        }
    )*};
}

impl Row {
    getters! {
        /// A whole number.
        int -> i64;
        /// A whole number or null.
        opt_int -> Option<i64>;
        /// A text.
        text -> String;
        /// A text or null.
        opt_text -> Option<String>;
        /// Bytes.
        bytes -> Vec<u8>;
        /// Bytes or null.
        opt_bytes -> Option<Vec<u8>>;
    }

    /// A flag stored as 0 or 1.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is missing or no number.
    pub fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// A count.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is missing, negative or too large.
    pub fn count(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_range| StoreError::Corrupt { place: column })
    }

    /// An instant.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is missing or no number.
    pub fn at(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_ms(self.int(column)?))
    }

    /// An instant or null.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is missing or no number.
    pub fn opt_at(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_ms))
    }

    /// An identifier, by its constructor: `row.id("id", ShipmentId::from_bytes)`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is missing or has another length.
    pub fn id<T>(&self, column: &'static str, make: fn([u8; 16]) -> T) -> Result<T, StoreError> {
        let bytes = self.bytes(column)?;
        bytes
            .try_into()
            .map(make)
            .map_err(|_length| StoreError::Corrupt { place: column })
    }

    /// An identifier or null.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is missing or has another length.
    pub fn opt_id<T>(&self, column: &'static str, make: fn([u8; 16]) -> T) -> Result<Option<T>, StoreError> {
        match self.opt_bytes(column)? {
            None => Ok(None),
            Some(bytes) => {
                let bytes = bytes
                    .try_into()
                    .map_err(|_length| StoreError::Corrupt { place: column })?;
                Ok(Some(make(bytes)))
            }
        }
    }
}
