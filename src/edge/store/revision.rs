//! Room `edge::store`: the revisions of a shipment: what is asked of the operator, as it was at one time.
//!
//! In: nothing. Out: a revision with its addressee, opened with the record's key. Deliberately not here: checking it.

use super::{RecordKey, StoreError, Tx, args, personal, sql};
use crate::domain::id::ShipmentId;

/// A revision without its personal part.
#[derive(Clone, Debug)]
pub struct Revision {
    /// From 1.
    pub revision: u32,
    /// Set of the codes below.
    pub unit_set: String,
    /// National province code of the addressee.
    pub province_code: String,
    /// National commune code of the addressee.
    pub commune_code: String,
    /// Grams.
    pub weight_grams: u32,
    /// Fee to collect, whole đồng.
    pub collect_dong: i64,
    /// The operator's service; `None` for the account's default.
    pub service_code: Option<String>,
}

/// The personal part of a revision. `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Name of the person or organisation.
    pub name: String,
    /// National telephone number.
    pub phone: String,
    /// Street line.
    pub line: String,
    /// Note to the postman.
    pub note: Option<String>,
}

impl std::fmt::Debug for Addressee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Addressee(..)")
    }
}

/// A revision of a shipment.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn find(tx: &mut Tx, shipment: ShipmentId, revision: u32) -> Result<Option<Revision>, StoreError> {
    let Some(row) = tx
        .row(sql!("shipment_revision" / "find"), args![shipment, revision])
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(Revision {
        revision: row.count("revision")?,
        unit_set: row.text("unit_set")?,
        province_code: row.text("province_code")?,
        commune_code: row.text("commune_code")?,
        weight_grams: row.count("weight_grams")?,
        collect_dong: row.int("collect_dong")?,
        service_code: row.opt_text("service_code")?,
    }))
}

/// Name of a personal field of a revision.
pub fn field(revision: u32, name: &str) -> String {
    format!("r{revision}.{name}")
}

/// The addressee of a revision.
///
/// # Errors
/// [`StoreError::Corrupt`] when a part is missing; else as the database or the keys say.
pub async fn addressee(tx: &mut Tx, key: &RecordKey, revision: u32) -> Result<Addressee, StoreError> {
    let missing = StoreError::Corrupt {
        place: "personal_data",
    };
    let Some(name) = personal::get(tx, key, &field(revision, "name")).await? else {
        return Err(missing);
    };
    let Some(phone) = personal::get(tx, key, &field(revision, "phone")).await? else {
        return Err(missing);
    };
    let Some(line) = personal::get(tx, key, &field(revision, "line")).await? else {
        return Err(missing);
    };
    let note = personal::get(tx, key, &field(revision, "note")).await?;
    Ok(Addressee {
        name,
        phone,
        line,
        note,
    })
}

/// Seals the addressee of a revision under the shipment's record.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn put_addressee(
    tx: &mut Tx,
    key: &RecordKey,
    revision: u32,
    addressee: &Addressee,
) -> Result<(), StoreError> {
    personal::put(tx, key, &field(revision, "name"), &addressee.name).await?;
    personal::put(tx, key, &field(revision, "phone"), &addressee.phone).await?;
    personal::put(tx, key, &field(revision, "line"), &addressee.line).await?;
    if let Some(note) = &addressee.note {
        personal::put(tx, key, &field(revision, "note"), note).await?;
    }
    Ok(())
}
