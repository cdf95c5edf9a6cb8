//! Room `edge::store`: what can go wrong with the database, as values.
//!
//! In: driver errors. Out: [`StoreError`], which says whether trying again can help and whether something may have
//! been written. Deliberately not here: absence, which is `Ok(None)`.

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full, or broke the connection. Nothing of this call was written.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// Two writers met; the whole transaction may be tried again.
    #[error("the transaction met another one")]
    Conflict(#[source] sqlx::Error),
    /// A rule of the schema was broken: `constraint` names it where the database tells.
    #[error("the database refused the row by rule {constraint}")]
    Constraint {
        /// Name of the rule, or the columns SQLite names.
        constraint: String,
    },
    /// The commit's answer was lost: the change may or may not stand. Read again before doing anything.
    #[error("it is not known whether the transaction was committed; read again")]
    CommitUnknown,
    /// A row holds something this version cannot read.
    #[error("the database holds an unreadable value in {place}")]
    Corrupt {
        /// Column or table.
        place: &'static str,
    },
    /// A value could not be sealed, opened or wrapped.
    #[error("a sealed value could not be {what}")]
    Seal {
        /// opened, sealed, wrapped.
        what: &'static str,
    },
    /// The key of a record was destroyed: its personal data are gone for good.
    #[error("the personal data of this record were erased")]
    Erased,
    /// The schema is newer than this program, or not ours.
    #[error("the database has schema version {found}, this program knows versions up to {known}: {advice}")]
    Schema {
        /// Newest version found.
        found: i64,
        /// Newest version known.
        known: i64,
        /// What to do.
        advice: &'static str,
    },
    /// A setting of the database engine is not what durability asks for.
    #[error("the database engine is not safe to use: {0}")]
    Engine(String),
    /// The writer has stopped: the program is ending.
    #[error("the store is closing")]
    Closed,
    /// A command broke off by a bug, or passed over a failed statement; nothing of it was written.
    #[error("a command broke off")]
    Panicked,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            if let Some("40001" | "40P01") = database.code().as_deref() {
                return Self::Conflict(error);
            }
            // SQLITE_BUSY and its extensions: another process holds the write lock longer than we wait.
            if let Some("5" | "261" | "517" | "773") = database.code().as_deref() {
                return Self::Conflict(error);
            }
            if database.is_unique_violation()
                || database.is_foreign_key_violation()
                || database.is_check_violation()
                || matches!(database.kind(), sqlx::error::ErrorKind::NotNullViolation)
            {
                let named = database.constraint().map(str::to_owned);
                let constraint = named.unwrap_or_else(|| columns_named(database.message()));
                return Self::Constraint { constraint };
            }
        }
        if let sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) = &error {
            return Self::Corrupt { place: "row" };
        }
        Self::Unavailable(error)
    }
}

/// SQLite says "UNIQUE constraint failed: a.x, a.y": only the columns are kept, never a value.
fn columns_named(message: &str) -> String {
    message
        .rsplit_once(": ")
        .map_or_else(|| "unnamed".to_owned(), |(_, columns)| columns.to_owned())
}

impl StoreError {
    /// Whether the same call may simply be made again.
    pub const fn may_retry(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Conflict(_) => true,
            Self::Constraint { .. }
            | Self::CommitUnknown
            | Self::Corrupt { .. }
            | Self::Seal { .. }
            | Self::Erased
            | Self::Schema { .. }
            | Self::Engine(_)
            | Self::Closed
            | Self::Panicked => false,
        }
    }

    /// Whether it lies in what is stored about one thing, so that trying again cannot help and others are not concerned.
    pub const fn is_about_its_data(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Seal { .. } | Self::Erased | Self::Constraint { .. } => true,
            Self::Unavailable(_)
            | Self::Conflict(_)
            | Self::CommitUnknown
            | Self::Schema { .. }
            | Self::Engine(_)
            | Self::Closed
            | Self::Panicked => false,
        }
    }

    /// Whether the broken rule mentions this column or constraint name.
    pub fn breaks(&self, part: &str) -> bool {
        match self {
            Self::Constraint { constraint } => constraint.contains(part),
            Self::Unavailable(_)
            | Self::Conflict(_)
            | Self::CommitUnknown
            | Self::Corrupt { .. }
            | Self::Seal { .. }
            | Self::Erased
            | Self::Schema { .. }
            | Self::Engine(_)
            | Self::Closed
            | Self::Panicked => false,
        }
    }
}
