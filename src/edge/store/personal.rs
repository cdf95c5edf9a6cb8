//! Room `edge::store`: personal data and the keys of their records.
//!
//! In: plain values by record and field. Out: plain values, until the record's key is destroyed. Deliberately not
//! here: which field means what (the callers' words).

use super::{RecordKey, Store, StoreError, Tx, args, sql};
use crate::domain::id::RecordId;
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

const TABLE: &str = "personal_data";

/// Creates the key of a new record. A short-lived one is destroyed after `expires_at`.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn create(
    store: &Store,
    tx: &mut Tx,
    record: RecordId,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<RecordKey, StoreError> {
    let keyring = store.keyring();
    let (key, wrapped) = keyring.new_record(record)?;
    tx.execute(
        sql!("record_key" / "insert"),
        args![record, wrapped, keyring.newest(), now, expires_at],
    )
    .await?;
    Ok(key)
}

/// The key of a record.
///
/// # Errors
/// [`StoreError::Erased`] when it was destroyed, [`StoreError::Corrupt`] when there is no such record.
pub async fn key(store: &Store, tx: &mut Tx, record: RecordId) -> Result<RecordKey, StoreError> {
    let row = tx.row(sql!("record_key" / "find"), args![record]).await?;
    let row = row.ok_or(StoreError::Corrupt { place: "record_key" })?;
    store
        .keyring()
        .unwrap_record(record, row.count("key_version")?, &row.bytes("wrapped")?)
}

/// Stores a value under a record, in place of an older one.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn put(tx: &mut Tx, key: &RecordKey, field: &str, value: &str) -> Result<(), StoreError> {
    let sealed = key.seal(TABLE, field, value.as_bytes())?;
    tx.execute(
        sql!("personal_data" / "insert"),
        args![key.record(), field, sealed],
    )
    .await?;
    Ok(())
}

/// Reads a value.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn get(tx: &mut Tx, key: &RecordKey, field: &str) -> Result<Option<String>, StoreError> {
    match tx
        .row(sql!("personal_data" / "find"), args![key.record(), field])
        .await?
    {
        None => Ok(None),
        Some(row) => key.open_text(TABLE, field, &row.bytes("sealed")?).map(Some),
    }
}

/// Makes a record findable by prefixes of words without accents. The tokens tell nothing without the index key.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn index(
    store: &Store,
    tx: &mut Tx,
    record: RecordId,
    purpose: &str,
    prefixes: &BTreeSet<String>,
) -> Result<(), StoreError> {
    for prefix in prefixes {
        let token = store.keyring().index_token(purpose, prefix);
        tx.execute(sql!("search_token" / "insert"), args![token, record])
            .await?;
    }
    Ok(())
}

/// Destroys a record's key, its sealed values and its search tokens. What was sealed under it elsewhere can never be
/// opened again.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn destroy(tx: &mut Tx, record: RecordId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        sql!("record_key" / "destroy"),
        args![record, Vec::<u8>::new(), now],
    )
    .await?;
    tx.execute(sql!("personal_data" / "delete"), args![record])
        .await?;
    tx.execute(sql!("search_token" / "delete"), args![record]).await?;
    Ok(())
}

/// Records whose short-lived keys are due to be destroyed.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn list_expired(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<RecordId>, StoreError> {
    let rows = tx
        .rows(sql!("record_key" / "list_expired"), args![now, limit])
        .await?;
    rows.iter()
        .map(|row| row.id("record_id", RecordId::from_bytes))
        .collect()
}

/// Wraps up to `limit` record keys under the newest wrapping key; how many were wrapped anew. Zero: none is left.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn rewrap(store: &Store, tx: &mut Tx, limit: u32) -> Result<u32, StoreError> {
    let keyring = store.keyring();
    let newest = keyring.newest();
    let rows = tx
        .rows(sql!("record_key" / "list_old"), args![newest, limit])
        .await?;
    let mut done = 0;
    for row in rows {
        let record = row.id("record_id", RecordId::from_bytes)?;
        let version = row.count("key_version")?;
        let key = keyring.unwrap_record(record, version, &row.bytes("wrapped")?)?;
        let wrapped = keyring.wrap(&key)?;
        tx.execute(
            sql!("record_key" / "rewrap"),
            args![record, wrapped, newest, version],
        )
        .await?;
        done += 1;
    }
    Ok(done)
}
