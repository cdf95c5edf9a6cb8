//! Room `edge::store`: attempts and the evidence of what was sent and received.
//!
//! In: attempts started and ended, bytes. Out: rows; the bytes only with the record's key. Deliberately not here: what
//! an answer means.

use super::{RecordKey, Row, StoreError, Tx, args, sql};
use crate::domain::delivery::AttemptOutcome;
use crate::domain::id::{AccountId, AttemptId, ShipmentId};
use crate::domain::time::Timestamp;
use zeroize::Zeroizing;

/// A new attempt, committed before any byte leaves.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// Identifier.
    pub id: AttemptId,
    /// Which shipment.
    pub shipment: ShipmentId,
    /// From 1.
    pub number: u32,
    /// By which account.
    pub account: AccountId,
    /// The shipment's reference.
    pub reference: String,
    /// Code from a range given beforehand.
    pub item_code: Option<String>,
    /// Which revision is sent.
    pub revision: u32,
    /// Lease under which it is made.
    pub lease_token: i64,
}

/// Writes a new attempt.
///
/// # Errors
/// [`StoreError::Constraint`] when the number is taken.
pub async fn insert(tx: &mut Tx, new: &NewAttempt, now: Timestamp) -> Result<(), StoreError> {
    let values = args![
        new.id,
        new.shipment,
        new.number,
        new.account,
        &new.reference,
        new.item_code.clone(),
        new.revision,
        new.lease_token,
        now,
    ];
    tx.execute(sql!("attempt" / "insert"), values).await.map(drop)
}

/// Ends an attempt, once. `detail` is a word of ours, never a text of the operator.
///
/// # Errors
/// [`StoreError`] as the database says. `Ok(false)`: it had ended before.
pub async fn finish(
    tx: &mut Tx,
    id: AttemptId,
    outcome: AttemptOutcome,
    detail: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .execute(
            sql!("attempt" / "finish"),
            args![id, now, outcome.as_str(), detail],
        )
        .await?
        == 1)
}

/// Notes how a doubt ended: `found`, `absent` or `decided`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn settle(tx: &mut Tx, id: AttemptId, how: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(sql!("attempt" / "settle"), args![id, how, now])
        .await
        .map(drop)
}

/// An attempt as stored.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// Identifier.
    pub id: AttemptId,
    /// From 1.
    pub number: u32,
    /// Reference sent.
    pub reference: String,
    /// Revision sent.
    pub revision: u32,
    /// Lease under which it was made.
    pub lease_token: i64,
    /// Started at.
    pub started_at: Timestamp,
    /// Ended at.
    pub ended_at: Option<Timestamp>,
    /// How.
    pub outcome: Option<AttemptOutcome>,
    /// Our word for the kind of answer.
    pub detail: Option<String>,
    /// How a doubt ended.
    pub settled: Option<String>,
    /// When.
    pub settled_at: Option<Timestamp>,
}

impl AttemptRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let outcome = match row.opt_text("outcome")? {
            None => None,
            Some(word) => Some(AttemptOutcome::parse(&word).ok_or(StoreError::Corrupt {
                place: "attempt.outcome",
            })?),
        };
        Ok(Self {
            id: row.id("id", AttemptId::from_bytes)?,
            number: row.count("number")?,
            reference: row.text("reference")?,
            revision: row.count("revision")?,
            lease_token: row.int("lease_token")?,
            started_at: row.at("started_at")?,
            ended_at: row.opt_at("ended_at")?,
            outcome,
            detail: row.opt_text("detail")?,
            settled: row.opt_text("settled")?,
            settled_at: row.opt_at("settled_at")?,
        })
    }

    /// Whether the operator may have received it and nobody knows yet.
    pub const fn is_open(&self) -> bool {
        self.settled.is_none() && matches!(self.outcome, None | Some(AttemptOutcome::Unknown))
    }
}

/// The attempts of a shipment, oldest first.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn list(tx: &mut Tx, shipment: ShipmentId) -> Result<Vec<AttemptRow>, StoreError> {
    tx.rows(sql!("attempt" / "list"), args![shipment])
        .await?
        .iter()
        .map(AttemptRow::read)
        .collect()
}

/// Bytes that show what was said, and to which call they belong.
#[derive(Clone, Copy, Debug)]
pub struct NewEvidence<'a> {
    /// Identifier, from the port of identifiers.
    pub id: [u8; 16],
    /// Which shipment.
    pub shipment: ShipmentId,
    /// Which attempt, if any.
    pub attempt: Option<AttemptId>,
    /// `sent`, `received`, `looked_up` or `journey`.
    pub kind: &'static str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Keeps evidence, sealed under the shipment's record. Returns the keyed digest.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn insert_evidence(
    tx: &mut Tx,
    key: &RecordKey,
    new: &NewEvidence<'_>,
    now: Timestamp,
) -> Result<[u8; 32], StoreError> {
    let digest = key.digest("evidence", new.bytes);
    let sealed = key.seal("evidence", new.kind, new.bytes)?;
    let values = args![
        new.id,
        new.shipment,
        new.attempt,
        new.kind,
        key.record(),
        &digest,
        sealed,
        now,
    ];
    tx.execute(sql!("evidence" / "insert"), values).await?;
    Ok(digest)
}

/// One piece of evidence, opened.
#[derive(Debug)]
pub struct Evidence {
    /// Which attempt, if any.
    pub attempt: Option<AttemptId>,
    /// `sent`, `received`, `looked_up` or `journey`.
    pub kind: String,
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// When.
    pub at: Timestamp,
}

/// The evidence of a shipment, oldest first, opened with the record's key.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn evidence(
    tx: &mut Tx,
    key: &RecordKey,
    shipment: ShipmentId,
) -> Result<Vec<Evidence>, StoreError> {
    let rows = tx.rows(sql!("evidence" / "list"), args![shipment]).await?;
    rows.iter()
        .map(|row| {
            let kind = row.text("kind")?;
            let bytes = key.open("evidence", &kind, &row.bytes("sealed")?)?;
            let attempt = row.opt_id("attempt_id", AttemptId::from_bytes)?;
            Ok(Evidence {
                attempt,
                kind,
                bytes,
                at: row.at("at")?,
            })
        })
        .collect()
}
