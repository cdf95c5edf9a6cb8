//! Room `edge::store`: dossier systems and their bearer keys.
//!
//! In: values. Out: values. Secrets are sealed here and opened only on demand. Deliberately not here: who may change
//! them (`stage`).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{ApiKeyId, SourceId};
use crate::domain::time::Timestamp;

/// A dossier system.
#[derive(Clone, Debug)]
pub struct SourceSystem {
    /// Identifier.
    pub id: SourceId,
    /// Code used in addresses of the API.
    pub code: String,
    /// Name.
    pub name: String,
    /// Name of its status map.
    pub status_map: String,
}

/// Writes a dossier system; one of the same code keeps its identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_source(tx: &mut Tx, source: &SourceSystem, now: Timestamp) -> Result<(), StoreError> {
    let values = args![source.id, &source.code, &source.name, &source.status_map, now];
    tx.execute(sql!("source_system" / "upsert"), values)
        .await
        .map(drop)
}

fn read_source(row: &Row, id: &'static str) -> Result<SourceSystem, StoreError> {
    Ok(SourceSystem {
        id: row.id(id, SourceId::from_bytes)?,
        code: row.text("code")?,
        name: row.text("name")?,
        status_map: row.text("status_map")?,
    })
}

/// A dossier system by code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn source_by_code(tx: &mut Tx, code: &str) -> Result<Option<SourceSystem>, StoreError> {
    let row = tx.row(sql!("source_system" / "by_code"), args![code]).await?;
    row.as_ref().map(|row| read_source(row, "id")).transpose()
}

/// A dossier system by identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn source(tx: &mut Tx, id: SourceId) -> Result<Option<SourceSystem>, StoreError> {
    let row = tx.row(sql!("source_system" / "find"), args![id]).await?;
    row.as_ref().map(|row| read_source(row, "id")).transpose()
}

/// Stores the hash of a new bearer key; the key itself is shown once and kept nowhere.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn insert_api_key(
    tx: &mut Tx,
    id: ApiKeyId,
    source: SourceId,
    key_hash: &[u8; 32],
    label: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        sql!("api_key" / "insert"),
        args![id, source, key_hash, label, now],
    )
    .await
    .map(drop)
}

/// The key and the dossier system behind a hash, unless it was revoked.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn source_by_key(
    tx: &mut Tx,
    key_hash: &[u8; 32],
) -> Result<Option<(ApiKeyId, SourceSystem)>, StoreError> {
    let Some(row) = tx.row(sql!("api_key" / "by_hash"), args![key_hash]).await? else {
        return Ok(None);
    };
    Ok(Some((
        row.id("id", ApiKeyId::from_bytes)?,
        read_source(&row, "source_id")?,
    )))
}

/// Revokes a key; `false` when it was not in force.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn revoke_api_key(tx: &mut Tx, id: ApiKeyId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(sql!("api_key" / "revoke"), args![id, now]).await? == 1)
}

/// A key as listed: identifier, system, label, created, revoked.
pub type ListedKey = (ApiKeyId, String, String, Timestamp, Option<Timestamp>);

/// All keys, oldest first, without their secret part.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn api_keys(tx: &mut Tx) -> Result<Vec<ListedKey>, StoreError> {
    let rows = tx.rows(sql!("api_key" / "list"), args![]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.id("id", ApiKeyId::from_bytes)?,
                row.text("code")?,
                row.text("label")?,
                row.at("created_at")?,
                row.opt_at("revoked_at")?,
            ))
        })
        .collect()
}
