//! Room `edge::store`: what an audit reads: every journal entry with the columns beside it, every fact, every row.
//!
//! In: a position. Out: pages by key, subject by subject, each with every column as it stands, whether it makes sense or
//! not: a row that was tampered with must be read to be told. Deliberately not here: comparing (`stage::audit`).

use super::{Arg, Row, Sql, StoreError, Tx, args, sql};
use std::collections::BTreeMap;

/// One value as it stands in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number, a flag or an instant.
    Int(i64),
    /// A text.
    Text(String),
    /// An identifier or other bytes.
    Bytes(Vec<u8>),
}

macro_rules! from_cell {
    ($($type:ty => $variant:ident($convert:expr);)*) => {$(
        impl From<$type> for Cell {
            fn from(value: $type) -> Self {
                Self::$variant($convert(value))
            }
        }
        impl From<Option<$type>> for Cell {
            fn from(value: Option<$type>) -> Self {
                value.map_or(Self::Null, Self::from)
            }
        }
    )*};
}

from_cell! {
    i64 => Int(|value| value);
    u32 => Int(i64::from);
    bool => Int(i64::from);
    crate::domain::time::Timestamp => Int(crate::domain::time::Timestamp::as_ms);
    &str => Text(str::to_owned);
    String => Text(|value| value);
    [u8; 16] => Bytes(|value: [u8; 16]| value.to_vec());
}

/// A row by the names of its columns.
pub type Cells = BTreeMap<&'static str, Cell>;

/// A journal row: the bytes, and what stands beside them in columns.
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Entry's identifier.
    pub id: [u8; 16],
    /// Number of the subject's kind.
    pub subject_kind: i64,
    /// Subject.
    pub subject_id: [u8; 16],
    /// Sequence within the subject; 0 for none.
    pub sequence: i64,
    /// Number of the kind.
    pub kind: i64,
    /// Written at, Unix milliseconds.
    pub recorded_at: i64,
    /// The entry.
    pub bytes: Vec<u8>,
}

impl JournalRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", |id| id)?,
            subject_kind: row.int("subject_kind")?,
            subject_id: row.id("subject_id", |id| id)?,
            sequence: row.int("sequence")?,
            kind: row.int("kind")?,
            recorded_at: row.int("recorded_at")?,
            bytes: row.bytes("bytes")?,
        })
    }
}

/// How many entries there are.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn journal_count(tx: &mut Tx) -> Result<u64, StoreError> {
    let row = tx.row(sql!("journal" / "count"), args![]).await?;
    let row = row.ok_or(StoreError::Corrupt { place: "journal" })?;
    u64::try_from(row.int("number")?).map_err(|_negative| StoreError::Corrupt { place: "journal" })
}

/// Entries about one kind of subject after a position, by subject and sequence, at most `limit`. An empty identifier
/// stands before all others.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn entries(
    tx: &mut Tx,
    subject_kind: i64,
    (subject, sequence): (&[u8], i64),
    limit: u32,
) -> Result<Vec<JournalRow>, StoreError> {
    let values = args![subject_kind, subject, sequence, limit];
    let rows = tx.rows(sql!("journal" / "audit"), values).await?;
    rows.iter().map(JournalRow::read).collect()
}

/// Entries without a sequence after a position, by identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn loose_entries(tx: &mut Tx, after: &[u8], limit: u32) -> Result<Vec<JournalRow>, StoreError> {
    let rows = tx
        .rows(sql!("journal" / "audit_loose"), args![after, limit])
        .await?;
    rows.iter().map(JournalRow::read).collect()
}

/// The three tables of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactTable {
    /// Facts about delivery.
    Delivery,
    /// Facts about the paper.
    Custody,
    /// Facts about dossiers.
    Dossier,
}

/// A stored fact, unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactRow {
    /// Shipment or dossier.
    pub subject: [u8; 16],
    /// Identity.
    pub fact_id: Vec<u8>,
    /// Time stated, Unix milliseconds.
    pub occurred_at: i64,
    /// Version of the map.
    pub map_version: i64,
    /// When we wrote it, Unix milliseconds; dossier facts do not say.
    pub heard_at: Option<i64>,
    /// The fact's bytes.
    pub fields: Vec<u8>,
}

/// Facts of a table after a position, by subject and identity, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn facts(
    tx: &mut Tx,
    table: FactTable,
    (subject, fact_id): (&[u8], &[u8]),
    limit: u32,
) -> Result<Vec<FactRow>, StoreError> {
    let text = match table {
        FactTable::Delivery => sql!("delivery_fact" / "audit"),
        FactTable::Custody => sql!("custody_fact" / "audit"),
        FactTable::Dossier => sql!("dossier_fact" / "audit"),
    };
    let rows = tx.rows(text, args![subject, fact_id, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(FactRow {
                subject: row.id("subject_id", |id| id)?,
                fact_id: row.bytes("fact_id")?,
                occurred_at: row.int("occurred_at")?,
                map_version: row.int("map_version")?,
                heard_at: row.opt_int("heard_at")?,
                fields: row.bytes("fields")?,
            })
        })
        .collect()
}

/// A shipment or a dossier: its identifier and its columns.
#[derive(Clone, Debug)]
pub struct AuditedRow {
    /// Identifier.
    pub id: [u8; 16],
    /// Every column that the journal speaks of.
    pub cells: Cells,
}

/// The columns of a table that an audit compares, by what they hold.
struct Columns {
    numbers: &'static [&'static str],
    texts: &'static [&'static str],
    bytes: &'static [&'static str],
}

const SHIPMENT: Columns = Columns {
    numbers: &[
        "revision",
        "journal_sequence",
        "contested",
        "partial",
        "attempts",
        "visits",
        "last_event_at",
        "delivered_at",
        "handed_over_at",
        "collected_at",
        "without_handover",
        "closed",
        "created_at",
    ],
    texts: &["state", "held", "failure_code", "custody"],
    bytes: &[
        "source_id",
        "account_id",
        "record_id",
        "receiving_office_id",
        "deciding_office_id",
        "sending_office_id",
        "return_office_id",
    ],
};

const DOSSIER: Columns = Columns {
    numbers: &[
        "journal_sequence",
        "status_stated",
        "status",
        "map_version",
        "return_by",
        "submitted_by",
        "received_at",
        "due_at",
        "finished_at",
        "returned_at",
        "post_withdrawn",
        "is_duplicate",
        "created_at",
    ],
    texts: &["status_raw", "discrepancy"],
    bytes: &["source_id", "shipment_id"],
};

impl Columns {
    fn read(&self, row: &Row) -> Result<AuditedRow, StoreError> {
        let mut cells = Cells::new();
        for column in self.numbers {
            cells.insert(column, Cell::from(row.opt_int(column)?));
        }
        for column in self.texts {
            cells.insert(column, Cell::from(row.opt_text(column)?));
        }
        for column in self.bytes {
            let cell = row.opt_bytes(column)?.map_or(Cell::Null, Cell::Bytes);
            cells.insert(column, cell);
        }
        Ok(AuditedRow {
            id: row.id("id", |id| id)?,
            cells,
        })
    }

    async fn page(&self, tx: &mut Tx, text: Sql, values: Vec<Arg>) -> Result<Vec<AuditedRow>, StoreError> {
        let rows = tx.rows(text, values).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }
}

/// Shipments after a position, by identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn shipments(tx: &mut Tx, after: &[u8], limit: u32) -> Result<Vec<AuditedRow>, StoreError> {
    SHIPMENT
        .page(tx, sql!("shipment" / "audit"), args![after, limit])
        .await
}

/// Dossiers after a position, by identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn dossiers(tx: &mut Tx, after: &[u8], limit: u32) -> Result<Vec<AuditedRow>, StoreError> {
    DOSSIER
        .page(tx, sql!("dossier" / "audit"), args![after, limit])
        .await
}

/// A document inside a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedItem {
    /// Identifier.
    pub id: [u8; 16],
    /// Its shipment.
    pub shipment: [u8; 16],
    /// Its dossier.
    pub dossier: [u8; 16],
    /// Whether this shipment holds the document.
    pub live: bool,
    /// Whether another shipment holds it.
    pub elsewhere: bool,
}

/// Items after a position, by shipment and identifier, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn items(
    tx: &mut Tx,
    (shipment, id): (&[u8], &[u8]),
    limit: u32,
) -> Result<Vec<AuditedItem>, StoreError> {
    let values = args![shipment, id, limit];
    let rows = tx.rows(sql!("shipment_item" / "audit"), values).await?;
    rows.iter()
        .map(|row| {
            Ok(AuditedItem {
                id: row.id("id", |id| id)?,
                shipment: row.id("shipment_id", |id| id)?,
                dossier: row.id("dossier_id", |id| id)?,
                live: row.flag("live")?,
                elsewhere: row.flag("elsewhere")?,
            })
        })
        .collect()
}
