//! Room `edge::store`: the table of journal entries.
//!
//! In: entries, appended in the transaction of what they describe. Out: their bytes. Deliberately not here: changing
//! or deleting one, for which there is no statement.

use super::{StoreError, Tx, args, sql};
use crate::domain::journal::{Entry, Subject, SubjectKind};
use crate::domain::time::Timestamp;

/// Appends an entry.
///
/// # Errors
/// [`StoreError::Constraint`] when the subject already has an entry of this sequence: somebody else moved it on.
pub async fn append(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    let bytes = entry.to_bytes().map_err(|_long| StoreError::Corrupt {
        place: "journal entry",
    })?;
    let sequence = match entry.subject.kind {
        SubjectKind::System => None,
        SubjectKind::Shipment
        | SubjectKind::Dossier
        | SubjectKind::Account
        | SubjectKind::Source
        | SubjectKind::Office => i64::try_from(entry.sequence)
            .ok()
            .filter(|sequence| *sequence > 0),
    };
    tx.execute(
        sql!("journal" / "insert"),
        args![
            entry.id,
            i64::from(entry.subject.kind.number()),
            entry.subject.id,
            sequence,
            i64::from(entry.kind.number()),
            entry.recorded_at,
            bytes,
        ],
    )
    .await?;
    Ok(())
}

/// Where a page of the journal ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    recorded_at: Timestamp,
    id: [u8; 16],
}

impl Position {
    /// Before every entry.
    pub const START: Self = Self {
        recorded_at: Timestamp::from_ms(i64::MIN),
        id: [0; 16],
    };
}

/// The raw bytes of the entries after a position, at most `limit`, and the position after them.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn page(tx: &mut Tx, after: Position, limit: u32) -> Result<(Vec<Vec<u8>>, Position), StoreError> {
    let rows = tx
        .rows(
            sql!("journal" / "page"),
            args![after.recorded_at, after.id, limit],
        )
        .await?;
    let mut position = after;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        position = Position {
            recorded_at: row.at("recorded_at")?,
            id: row.id("id", |id| id)?,
        };
        entries.push(row.bytes("bytes")?);
    }
    Ok((entries, position))
}

/// The raw bytes of a subject's entries in sequence, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn of_subject(tx: &mut Tx, subject: Subject, limit: u32) -> Result<Vec<Vec<u8>>, StoreError> {
    let kind = i64::from(subject.kind.number());
    let rows = tx
        .rows(sql!("journal" / "of_subject"), args![kind, subject.id, limit])
        .await?;
    rows.iter().map(|row| row.bytes("bytes")).collect()
}
