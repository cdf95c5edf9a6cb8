//! Room `edge::store`: receivers of signed events.
//!
//! In: values. Out: values. Secrets are sealed here and opened only on demand. Deliberately not here: who may change
//! them (`stage`).

use super::{Row, Store, StoreError, Tx, args, sql};
use crate::domain::id::{EndpointId, SourceId};
use crate::domain::time::Timestamp;
use zeroize::Zeroizing;

/// A receiver of signed events. The signing secret stays sealed until asked for.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Identifier.
    pub id: EndpointId,
    /// Whose dossiers' events it gets.
    pub source: SourceId,
    /// Where events are sent.
    pub url: String,
    /// Signing secret, sealed.
    pub secret_sealed: Vec<u8>,
    /// Events are sent.
    pub active: bool,
    /// It may lie in a private network.
    pub private_allowed: bool,
}

impl Endpoint {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", EndpointId::from_bytes)?,
            source: row.id("source_id", SourceId::from_bytes)?,
            url: row.text("url")?,
            secret_sealed: row.bytes("secret_sealed")?,
            active: row.flag("active")?,
            private_allowed: row.flag("private_allowed")?,
        })
    }

    /// Opens the signing secret.
    ///
    /// # Errors
    /// [`StoreError::Seal`].
    pub fn open_secret(&self, store: &Store) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        store
            .keyring()
            .open_secret("endpoint", self.id.as_bytes(), &self.secret_sealed)
    }
}

/// Writes a new receiver.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn insert_endpoint(tx: &mut Tx, endpoint: &Endpoint, now: Timestamp) -> Result<(), StoreError> {
    let values = args![
        endpoint.id,
        endpoint.source,
        &endpoint.url,
        endpoint.secret_sealed.clone(),
        endpoint.active,
        endpoint.private_allowed,
        now,
    ];
    tx.execute(sql!("endpoint" / "insert"), values).await.map(drop)
}

/// The receivers of a dossier system's events.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn endpoints(tx: &mut Tx, source: SourceId) -> Result<Vec<Endpoint>, StoreError> {
    tx.rows(sql!("endpoint" / "list"), args![source])
        .await?
        .iter()
        .map(Endpoint::read)
        .collect()
}

/// A receiver by identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn endpoint(tx: &mut Tx, id: EndpointId) -> Result<Option<Endpoint>, StoreError> {
    tx.row(sql!("endpoint" / "find"), args![id])
        .await?
        .as_ref()
        .map(Endpoint::read)
        .transpose()
}

/// Starts or stops sending to a receiver; `false` when it was so already, or does not exist.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn set_endpoint_active(tx: &mut Tx, id: EndpointId, active: bool) -> Result<bool, StoreError> {
    Ok(tx
        .execute(sql!("endpoint" / "set_active"), args![id, active])
        .await?
        == 1)
}

/// A receiver with what lies in its outbox.
#[derive(Clone, Debug)]
pub struct EndpointOverview {
    /// The receiver.
    pub endpoint: Endpoint,
    /// Code of the dossier system it belongs to.
    pub source_code: String,
    /// Subscribed at.
    pub created_at: Timestamp,
    /// Events still to be sent.
    pub waiting: i64,
    /// Events given up.
    pub dead: i64,
    /// When it last took an event.
    pub sent_at: Option<Timestamp>,
    /// A kind of failure among its open events, as a word.
    pub trouble: Option<String>,
}

/// Every receiver, by dossier system, at most a thousand.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn overview(tx: &mut Tx) -> Result<Vec<EndpointOverview>, StoreError> {
    let rows = tx.rows(sql!("endpoint" / "overview"), args![]).await?;
    rows.iter()
        .map(|row| {
            Ok(EndpointOverview {
                endpoint: Endpoint::read(row)?,
                source_code: row.text("source_code")?,
                created_at: row.at("created_at")?,
                waiting: row.int("waiting")?,
                dead: row.int("dead")?,
                sent_at: row.opt_at("sent_at")?,
                trouble: row.opt_text("trouble")?,
            })
        })
        .collect()
}
