//! Room `edge::store`: runs of an import and their staged rows.
//!
//! Rows wait sealed under the run's own short-lived key and are deleted as they are switched in. In: values. Out:
//! rows. Deliberately not here: what a row means (`stage::import`).

use super::{RecordKey, Row, Store, StoreError, Tx, args, personal, sql};
use crate::domain::id::{ImportId, RecordId, SourceId};
use crate::domain::time::Timestamp;
use zeroize::Zeroizing;

const TABLE: &str = "import_row";
const COLUMN: &str = "sealed";

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Rows are being read into the staging table.
    Staging,
    /// Rows are being switched in.
    Applying,
    /// All rows stand.
    Applied,
    /// Nothing was switched in, because a row was refused.
    Refused,
}

impl RunState {
    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Refused => "refused",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        [Self::Staging, Self::Applying, Self::Applied, Self::Refused]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(StoreError::Corrupt {
                place: "import_run.state",
            })
    }
}

/// A run as stored.
#[derive(Clone, Debug)]
pub struct Run {
    /// Identifier.
    pub id: ImportId,
    /// HMAC of the file's digest under the run's key.
    pub file_digest: [u8; 32],
    /// Record whose key seals the rows.
    pub record: RecordId,
    /// Where it stands.
    pub state: RunState,
    /// Rows read so far.
    pub rows_total: u32,
    /// Of them refused.
    pub rows_refused: u32,
    /// Of them switched in.
    pub rows_applied: u32,
}

impl Run {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", ImportId::from_bytes)?,
            file_digest: row
                .bytes("file_digest")?
                .try_into()
                .map_err(|_length| StoreError::Corrupt {
                    place: "import_run.file_digest",
                })?,
            record: row.id("record_id", RecordId::from_bytes)?,
            state: RunState::parse(&row.text("state")?)?,
            rows_total: row.count("rows_total")?,
            rows_refused: row.count("rows_refused")?,
            rows_applied: row.count("rows_applied")?,
        })
    }
}

/// The keyed digest of a file under a run's key. `file` is a digest of its bytes.
pub fn file_digest(key: &RecordKey, file: &[u8; 32]) -> [u8; 32] {
    key.digest("import_file", file)
}

/// Starts a run; its key is destroyed at `expires_at` at the latest.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn insert(
    store: &Store,
    tx: &mut Tx,
    (id, record, source): (ImportId, RecordId, SourceId),
    file: &[u8; 32],
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<RecordKey, StoreError> {
    let key = personal::create(store, tx, record, now, Some(expires_at)).await?;
    let digest = file_digest(&key, file);
    tx.execute(
        sql!("import_run" / "insert"),
        args![id, source, digest, record, now],
    )
    .await?;
    Ok(key)
}

/// Runs of a source that did not come to an end.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn unfinished(tx: &mut Tx, source: SourceId) -> Result<Vec<Run>, StoreError> {
    let rows = tx.rows(sql!("import_run" / "unfinished"), args![source]).await?;
    rows.iter().map(Run::read).collect()
}

/// A run.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, id: ImportId) -> Result<Option<Run>, StoreError> {
    let row = tx.row(sql!("import_run" / "find"), args![id]).await?;
    row.as_ref().map(Run::read).transpose()
}

/// Reads a run and keeps others from moving it until the transaction ends.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn lock(tx: &mut Tx, id: ImportId) -> Result<Option<Run>, StoreError> {
    let row = tx.row(sql!(split "import_run" / "lock"), args![id]).await?;
    row.as_ref().map(Run::read).transpose()
}

/// Stages rows by their line, sealed, and counts on from `before` to `(total, refused)`; `false`: somebody else did.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn stage(
    tx: &mut Tx,
    id: ImportId,
    key: &RecordKey,
    rows: &[(u32, Zeroizing<Vec<u8>>)],
    (before, total, refused): (u32, u32, u32),
) -> Result<bool, StoreError> {
    let values = args![id, total, refused, before];
    if tx.execute(sql!("import_run" / "count"), values).await? != 1 {
        return Ok(false);
    }
    for (line, plain) in rows {
        let sealed = key.seal(TABLE, COLUMN, plain)?;
        tx.execute(sql!("import_row" / "insert"), args![id, *line, sealed])
            .await?;
    }
    Ok(true)
}

/// The next staged rows by line, opened, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn next_rows(
    tx: &mut Tx,
    id: ImportId,
    key: &RecordKey,
    limit: u32,
) -> Result<Vec<(u32, Zeroizing<Vec<u8>>)>, StoreError> {
    let rows = tx.rows(sql!("import_row" / "next"), args![id, limit]).await?;
    rows.iter()
        .map(|row| {
            let sealed = row.bytes("sealed")?;
            Ok((row.count("line")?, key.open(TABLE, COLUMN, &sealed)?))
        })
        .collect()
}

/// Deletes staged rows up to a line, `switched` of them switched in.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn delete_rows(tx: &mut Tx, id: ImportId, line: u32, switched: u32) -> Result<(), StoreError> {
    tx.execute(sql!("import_row" / "delete_to"), args![id, line])
        .await?;
    tx.execute(sql!("import_run" / "applied"), args![id, switched])
        .await
        .map(drop)
}

/// Throws away up to `limit` staged rows that will not be switched in; how many there were.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn clear_rows(tx: &mut Tx, id: ImportId, limit: u32) -> Result<u64, StoreError> {
    tx.execute(sql!("import_row" / "clear"), args![id, limit]).await
}

/// Moves a run from one state to another; `false`: it was not in that state.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_state(
    tx: &mut Tx,
    id: ImportId,
    (from, to): (RunState, RunState),
    ended_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let values = args![id, to.as_str(), ended_at, from.as_str()];
    Ok(tx.execute(sql!("import_run" / "set_state"), values).await? == 1)
}
