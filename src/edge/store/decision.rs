//! Room `edge::store`: people's decisions, and what waits for one.
//!
//! In: values. Out: rows. The reason a person gives is personal data and is sealed under the shipment's record.
//! Deliberately not here: what may be decided (`stage::decide`), and the facts that follow (`record`).

use super::{RecordKey, Row, StoreError, Tx, args, personal, sql};
use crate::domain::delivery::FactId;
use crate::domain::id::{DecisionId, DossierId, OfficeId, RecordId, ShipmentId, StaffId};
use crate::domain::journal::Actor;
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// A decision as stored.
#[derive(Clone, Debug)]
pub struct DecisionRow {
    /// Identifier.
    pub id: DecisionId,
    /// About which shipment.
    pub shipment: ShipmentId,
    /// What is decided, a word of `stage::decide`.
    pub kind: String,
    /// Stated final outcome, as a word.
    pub outcome: Option<String>,
    /// Facts set aside.
    pub overrides: BTreeSet<FactId>,
    /// Digest of all facts the person saw.
    pub facts_seen: [u8; 32],
    /// When the thing decided about happened.
    pub occurred_at: Timestamp,
    /// Record under which the reason is sealed.
    pub record: RecordId,
    /// Who proposed.
    pub proposed_by: StaffId,
    /// When.
    pub proposed_at: Timestamp,
    /// A second person must approve.
    pub needs_second: bool,
    /// Who settled it.
    pub approved_by: Option<StaffId>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// `proposed`, `applied`, `turned_down` or `stale`.
    pub state: String,
}

impl DecisionRow {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let place = "decision.overrides";
        let bytes = row.bytes("overrides")?;
        let (chunks, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(StoreError::Corrupt { place });
        }
        Ok(Self {
            id: row.id("id", DecisionId::from_bytes)?,
            shipment: row.id("shipment_id", ShipmentId::from_bytes)?,
            kind: row.text("kind")?,
            outcome: row.opt_text("outcome")?,
            overrides: chunks.iter().map(|chunk| FactId(*chunk)).collect(),
            facts_seen: row
                .bytes("facts_seen")?
                .try_into()
                .map_err(|_length| StoreError::Corrupt { place })?,
            occurred_at: row.at("occurred_at")?,
            record: row.id("record_id", RecordId::from_bytes)?,
            proposed_by: row.id("proposed_by", StaffId::from_bytes)?,
            proposed_at: row.at("proposed_at")?,
            needs_second: row.flag("needs_second")?,
            approved_by: row.opt_id("approved_by", StaffId::from_bytes)?,
            approved_at: row.opt_at("approved_at")?,
            state: row.text("state")?,
        })
    }
}

/// The personal field that holds a decision's reason.
fn reason_field(id: DecisionId) -> String {
    format!("reason.{id}")
}

/// Writes a decision and seals its reason.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn insert(tx: &mut Tx, key: &RecordKey, row: &DecisionRow, reason: &str) -> Result<(), StoreError> {
    let overrides: Vec<u8> = row.overrides.iter().flat_map(|id| id.0).collect();
    let values = args![
        row.id,
        row.shipment,
        &row.kind,
        row.outcome.clone(),
        overrides,
        &row.facts_seen,
        row.occurred_at,
        row.record,
        row.proposed_by,
        row.proposed_at,
        row.needs_second,
        &row.state,
    ];
    tx.execute(sql!("decision" / "insert"), values).await?;
    personal::put(tx, key, &reason_field(row.id), reason).await
}

/// The reason of a decision.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn reason(tx: &mut Tx, key: &RecordKey, id: DecisionId) -> Result<Option<String>, StoreError> {
    personal::get(tx, key, &reason_field(id)).await
}

/// Seals why a proposal was turned down.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn put_ruling(
    tx: &mut Tx,
    key: &RecordKey,
    id: DecisionId,
    reason: &str,
) -> Result<(), StoreError> {
    personal::put(tx, key, &format!("ruling.{id}"), reason).await
}

/// Why a proposal was turned down.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn ruling(tx: &mut Tx, key: &RecordKey, id: DecisionId) -> Result<Option<String>, StoreError> {
    personal::get(tx, key, &format!("ruling.{id}")).await
}

/// A decision by its identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, id: DecisionId) -> Result<Option<DecisionRow>, StoreError> {
    let row = tx.row(sql!("decision" / "find"), args![id]).await?;
    row.as_ref().map(DecisionRow::read).transpose()
}

/// Settles a proposal; `false`: it was settled already.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn settle(
    tx: &mut Tx,
    id: DecisionId,
    by: StaffId,
    at: Timestamp,
    state: &str,
) -> Result<bool, StoreError> {
    let done = tx
        .execute(sql!("decision" / "settle"), args![id, by, at, state])
        .await?;
    Ok(done == 1)
}

/// Proposals that wait for a second person, about shipments that an office sends or takes back, or about any; oldest
/// first, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn waiting(
    tx: &mut Tx,
    office: Option<OfficeId>,
    limit: u32,
) -> Result<Vec<DecisionRow>, StoreError> {
    let rows = tx
        .rows(sql!("decision" / "waiting"), args![office, limit])
        .await?;
    rows.iter().map(DecisionRow::read).collect()
}

/// What the next revision changes; `None` leaves it as it was.
#[derive(Clone, Debug, Default)]
pub struct RevisedParts {
    /// Unit set, province code and commune code, always together.
    pub units: Option<(String, String, String)>,
    /// Grams.
    pub weight_grams: Option<u32>,
}

/// Writes revision `from + 1` of a shipment; `false`: there is no revision `from`.
///
/// # Errors
/// [`StoreError::Constraint`] when it exists already.
pub async fn revise(
    tx: &mut Tx,
    (shipment, from): (ShipmentId, u32),
    parts: &RevisedParts,
    (by, now): (Actor, Timestamp),
) -> Result<bool, StoreError> {
    let next = from.saturating_add(1);
    let (set, province, commune) = match &parts.units {
        None => (None, None, None),
        Some((set, province, commune)) => (Some(set.clone()), Some(province.clone()), Some(commune.clone())),
    };
    let values = args![
        shipment,
        from,
        next,
        set,
        province,
        commune,
        parts.weight_grams,
        i64::from(by.kind.number()),
        by.id,
        now,
    ];
    if tx.execute(sql!("shipment_revision" / "revise"), values).await? != 1 {
        return Ok(false);
    }
    tx.execute(sql!("shipment" / "set_revision"), args![shipment, next, now])
        .await?;
    Ok(true)
}

/// A shipment that waits for a person, with what is known of why.
#[derive(Clone, Debug)]
pub struct ShipmentTask {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// Its short number.
    pub short_number: String,
    /// Sending office.
    pub office: OfficeId,
    /// Folded delivery state, as a word.
    pub state: String,
    /// Contradicting finals.
    pub contested: bool,
    /// Only a part reached its end.
    pub partial: bool,
    /// Why sending is stopped.
    pub held: Option<String>,
    /// Raw code nobody mapped.
    pub unknown_code: Option<String>,
    /// Place of the paper, as a word.
    pub custody: String,
    /// Handed over at.
    pub handed_over_at: Option<Timestamp>,
    /// The operator has the paper though nobody recorded a hand-over.
    pub without_handover: bool,
    /// In doubt since.
    pub doubted_at: Option<Timestamp>,
    /// State of the queue row, as a word.
    pub queue_state: Option<String>,
    /// Earliest promise among its dossiers.
    pub promised_at: Option<Timestamp>,
    /// A disagreement of one of its dossiers.
    pub discrepancy: Option<String>,
    /// Proposals that wait for a second person.
    pub proposals: u32,
}

/// Shipments that wait for a person, oldest promise first, at most `limit`. A doubt counts when older than
/// `doubt_before`, a hand-over without acceptance when older than `handed_before`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn shipment_tasks(
    tx: &mut Tx,
    office: Option<OfficeId>,
    (doubt_before, handed_before): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<ShipmentTask>, StoreError> {
    let values = args![office, doubt_before, handed_before, limit];
    let rows = tx.rows(sql!("shipment" / "tasks"), values).await?;
    rows.iter()
        .map(|row| {
            Ok(ShipmentTask {
                shipment: row.id("id", ShipmentId::from_bytes)?,
                short_number: row.text("short_number")?,
                office: row.id("sending_office_id", OfficeId::from_bytes)?,
                state: row.text("state")?,
                contested: row.flag("contested")?,
                partial: row.flag("partial")?,
                held: row.opt_text("held")?,
                unknown_code: row.opt_text("unknown_code")?,
                custody: row.text("custody")?,
                handed_over_at: row.opt_at("handed_over_at")?,
                without_handover: row.flag("without_handover")?,
                doubted_at: row.opt_at("doubted_at")?,
                queue_state: row.opt_text("queue_state")?,
                promised_at: row.opt_at("promised_at")?,
                discrepancy: row.opt_text("discrepancy")?,
                proposals: row.count("proposals")?,
            })
        })
        .collect()
}

/// A dossier without shipment whose record and the world disagree: dossier, office, why, promised for.
pub type DossierTask = (DossierId, OfficeId, String, Timestamp);

/// Dossiers without shipment whose record and the world disagree, at most `limit`.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn dossier_tasks(
    tx: &mut Tx,
    office: Option<OfficeId>,
    limit: u32,
) -> Result<Vec<DossierTask>, StoreError> {
    let rows = tx.rows(sql!("dossier" / "tasks"), args![office, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.id("id", DossierId::from_bytes)?,
                row.id("office_id", OfficeId::from_bytes)?,
                row.text("discrepancy")?,
                row.at("promised_at")?,
            ))
        })
        .collect()
}
