//! Room `edge::store`: addressees: the one a dossier system registered, and the one a shipment goes to.
//!
//! In: checked addressees. Out: sealed values under the record of the dossier or of the shipment, search tokens, and
//! whether the units exist. Deliberately not here: reading a revision's addressee back for the operator (`revision`).

use super::revision::{self, field};
use super::{RecordKey, Store, StoreError, Tx, args, personal, sql, unit};
use crate::domain::address::UnitCode;
use crate::domain::addressee::{Addressee, AddresseeDraft, UnitDraft};
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::id::ShipmentId;
use crate::domain::journal::Actor;
use crate::domain::name::search_prefixes;
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// Purpose of the search tokens made of names.
pub const PURPOSE_NAME: &str = "name";
/// Purpose of the search tokens made of telephone numbers.
pub const PURPOSE_PHONE: &str = "phone";
/// A number is found by its last digits, this many at least.
const PHONE_SUFFIX_MIN: usize = 4;

/// A revision's part that is not personal.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Grams.
    pub weight_grams: u32,
    /// Fee to collect, whole đồng.
    pub collect_dong: i64,
    /// The operator's service; `None` for the account's default.
    pub service_code: Option<String>,
    /// `citizen`, `office` or `support`.
    pub postage_payer: &'static str,
}

/// Writes revision `revision` of a shipment: parcel, units, and the addressee sealed under the shipment's record.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn put_revision(
    tx: &mut Tx,
    key: &RecordKey,
    (shipment, revision): (ShipmentId, u32),
    (parcel, addressee): (&Parcel, &Addressee),
    (actor, now): (Actor, Timestamp),
) -> Result<(), StoreError> {
    let address = &addressee.address;
    let values = args![
        shipment,
        revision,
        address.commune().set().as_str(),
        address.province().code(),
        address.commune().code(),
        parcel.weight_grams,
        parcel.collect_dong,
        parcel.service_code.clone(),
        parcel.postage_payer,
        i64::from(actor.kind.number()),
        actor.id,
        now,
    ];
    tx.execute(sql!("shipment_revision" / "insert"), values).await?;
    seal_addressee(tx, key, revision, addressee).await
}

/// Seals the addressee of a revision under the shipment's record. The operator gets the first telephone number; the
/// others are kept beside it.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn seal_addressee(
    tx: &mut Tx,
    key: &RecordKey,
    revision: u32,
    addressee: &Addressee,
) -> Result<(), StoreError> {
    let address = &addressee.address;
    let mut numbers = addressee
        .phones
        .iter()
        .map(|phone| phone.number.as_national().to_owned());
    let person = revision::Addressee {
        name: addressee.name.as_str().to_owned(),
        phone: numbers.next().unwrap_or_default(),
        line: address.line().to_owned(),
        note: address.note().map(str::to_owned),
    };
    revision::put_addressee(tx, key, revision, &person).await?;
    let others: Vec<String> = numbers.collect();
    if !others.is_empty() {
        personal::put(tx, key, &field(revision, "other_phones"), &others.join(" / ")).await?;
    }
    Ok(())
}

/// The addressee of a revision as a draft, to be corrected and checked again. Its units stand in the revision.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn revision_draft(
    tx: &mut Tx,
    key: &RecordKey,
    revision: &revision::Revision,
) -> Result<AddresseeDraft, StoreError> {
    let person = revision::addressee(tx, key, revision.revision).await?;
    let others = personal::get(tx, key, &field(revision.revision, "other_phones")).await?;
    let unit = |code: &str| UnitDraft {
        set: revision.unit_set.clone(),
        code: code.to_owned(),
    };
    Ok(AddresseeDraft {
        name: person.name,
        phone: match others {
            None => person.phone,
            Some(others) => format!("{} / {others}", person.phone),
        },
        line: person.line,
        commune: unit(&revision.commune_code),
        province: unit(&revision.province_code),
        note: person.note,
    })
}

/// Makes a shipment findable by words of the name without accents and by the last digits of each number.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn index(
    store: &Store,
    tx: &mut Tx,
    key: &RecordKey,
    addressee: &Addressee,
) -> Result<(), StoreError> {
    let words = search_prefixes(addressee.name.as_str());
    personal::index(store, tx, key.record(), PURPOSE_NAME, &words).await?;
    let mut endings = BTreeSet::new();
    for phone in &addressee.phones {
        let digits = phone.number.as_national();
        let last = digits.len().saturating_sub(PHONE_SUFFIX_MIN);
        endings.extend((0..=last).filter_map(|from| digits.get(from..).map(str::to_owned)));
    }
    personal::index(store, tx, key.record(), PURPOSE_PHONE, &endings).await
}

/// Fields of a dossier's registered addressee, each with its text.
fn registered(addressee: &Addressee) -> [(&'static str, String); 6] {
    let address = &addressee.address;
    [
        ("name", addressee.name.as_str().to_owned()),
        ("phone", addressee.phone_field()),
        ("line", address.line().to_owned()),
        ("commune", address.commune().to_string()),
        ("province", address.province().to_string()),
        ("note", address.note().unwrap_or_default().to_owned()),
    ]
}

/// Keeps the addressee a dossier was registered with, in place of an older one; `false` when it was the same.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn put_registered(tx: &mut Tx, key: &RecordKey, addressee: &Addressee) -> Result<bool, StoreError> {
    let mut changed = false;
    for (name, text) in registered(addressee) {
        if personal::get(tx, key, name).await?.as_ref() != Some(&text) {
            personal::put(tx, key, name, &text).await?;
            changed = true;
        }
    }
    Ok(changed)
}

/// The addressee a dossier was registered with, to be checked again: units may have changed since.
///
/// # Errors
/// [`StoreError`] as the database or the keys say.
pub async fn registered_addressee(
    tx: &mut Tx,
    key: &RecordKey,
) -> Result<Option<AddresseeDraft>, StoreError> {
    let Some(name) = personal::get(tx, key, "name").await? else {
        return Ok(None);
    };
    let mut rest = Vec::with_capacity(5);
    for field in ["phone", "line", "commune", "province", "note"] {
        rest.push(personal::get(tx, key, field).await?.unwrap_or_default());
    }
    let Ok([phone, line, commune, province, note]) = <[String; 5]>::try_from(rest) else {
        return Ok(None);
    };
    Ok(Some(AddresseeDraft {
        name,
        phone,
        line,
        commune: unit_draft(&commune),
        province: unit_draft(&province),
        note: Some(note).filter(|note| !note.is_empty()),
    }))
}

fn unit_draft(text: &str) -> UnitDraft {
    let (set, code) = text.split_once(':').unwrap_or_default();
    UnitDraft {
        set: set.to_owned(),
        code: code.to_owned(),
    }
}

/// Checks that commune and province exist in their set and belong together. `pointer` is the addressee's place.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn check_units(
    tx: &mut Tx,
    addressee: &Addressee,
    pointer: &str,
    faults: &mut Vec<Fault>,
) -> Result<(), StoreError> {
    let (commune, province) = (addressee.address.commune(), addressee.address.province());
    let find = async |tx: &mut Tx, code: &UnitCode, level| {
        unit::unit(tx, code.set().as_str(), level, code.code()).await
    };
    let known = find(tx, commune, "commune").await?;
    if find(tx, province, "province").await?.is_none() {
        faults.push(Fault::at(format!("{pointer}/province"), FaultCode::UnitUnknown));
    }
    match known {
        None => faults.push(Fault::at(format!("{pointer}/commune"), FaultCode::UnitUnknown)),
        Some(unit) if unit.parent_code.as_deref() != Some(province.code()) => faults.push(Fault::at(
            format!("{pointer}/commune"),
            FaultCode::CommuneNotOfProvince,
        )),
        Some(_) => {}
    }
    Ok(())
}
