//! Room `edge::store`: taking in what a dossier system states, whichever door it came by.
//!
//! The JSON API and the import of files write through [`put`] alone, so that both leave the same rows. In: one checked
//! [`DossierEntry`]. Out: whether it changed anything. The same entry twice changes nothing. Deliberately not here:
//! reading files or JSON, and what a raw status means (`domain::dossier::status_map`).

use super::personal;
use super::{RecordKey, Store, StoreError, Tx, dossier, record};
use crate::domain::dossier::{Dossier, DossierFact, DossierFactBody, Statement};
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::{DossierId, OfficeId, RecordId, SourceId};
use crate::domain::name::{PersonName, search_prefixes};
use crate::domain::phone::PhoneNumber;
use crate::domain::secret::Personal;
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// Purpose of search tokens made of names.
pub const TOKENS_NAME: &str = "name";
/// Purpose of search tokens made of telephone numbers: the national number and its last four digits.
pub const TOKENS_PHONE: &str = "phone";

/// Whom the citizen registered to receive the result. Kept as written; codes stand beside it once somebody resolved
/// them. All of it is personal data.
#[derive(Clone, Debug)]
pub struct Addressee {
    /// Name.
    pub name: PersonName,
    /// First telephone number, normalised.
    pub phone: PhoneNumber,
    /// Street line as written.
    pub line: Personal<String>,
    /// Commune, by code or by name, as written.
    pub commune: Personal<String>,
    /// Province, by code or by name, as written.
    pub province: Personal<String>,
    /// Note for the postman.
    pub note: Option<Personal<String>>,
}

/// One statement about one dossier, checked.
#[derive(Clone, Debug)]
pub struct DossierEntry {
    /// The system that states it.
    pub source: SourceId,
    /// Dossier code.
    pub code: DossierCode,
    /// Code of the procedure.
    pub procedure_code: String,
    /// Receiving office.
    pub office: OfficeId,
    /// When the source says that it was so.
    pub stated_at: Timestamp,
    /// What it states.
    pub statement: Statement,
    /// Registered addressee; only for a return by post.
    pub addressee: Option<Addressee>,
}

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A dossier that was not known.
    Opened,
    /// A known dossier with a new statement.
    Stated,
    /// Nothing new.
    Same,
}

/// What [`put`] did.
#[derive(Clone, Debug)]
pub struct PutOutcome {
    /// Which dossier.
    pub id: DossierId,
    /// What changed.
    pub change: Change,
    /// The dossier now.
    pub dossier: Dossier,
}

/// Opens or refreshes a dossier, with its journal entries, and seals the addressee under the dossier's own record.
///
/// # Errors
/// [`StoreError::Constraint`] when source or office do not exist; [`StoreError::Erased`] when a new addressee comes for
/// a dossier whose personal data were erased; else as the database says.
pub async fn put(
    store: &Store,
    tx: &mut Tx,
    hand: &record::Hand<'_>,
    entry: &DossierEntry,
) -> Result<PutOutcome, StoreError> {
    let known = dossier::by_code(tx, entry.source, entry.code.as_str()).await?;
    let known = known.map(|row| Known {
        id: row.id,
        record: row.record,
        described: row.procedure_code == entry.procedure_code && row.office == entry.office,
    });
    let (row, opened) = match known {
        Some(row) => (row, false),
        None => open(tx, hand, entry).await?,
    };
    let body = DossierFactBody::Stated(entry.statement.clone());
    let fact = DossierFact::new(row.id, entry.stated_at, body.clone());
    let stated = fact.body.clone();
    let recorded = record::dossier_facts(store, tx, hand, row.id, vec![fact]).await?;
    let is_last =
        matches!(&stated, DossierFactBody::Stated(words) if recorded.dossier.stated.as_ref() == Some(words));
    if is_last && !row.described {
        dossier::describe(tx, row.id, &entry.procedure_code, entry.office).await?;
    }
    if let Some(addressee) = entry.addressee.as_ref().filter(|_| is_last) {
        put_addressee(store, tx, hand, (row.id, row.record), addressee).await?;
    }
    let change = match (opened, recorded.added) {
        (true, _) => Change::Opened,
        (false, 0) => Change::Same,
        (false, _) => Change::Stated,
    };
    Ok(PutOutcome {
        id: row.id,
        change,
        dossier: recorded.dossier,
    })
}

/// What [`put`] must know of the row.
struct Known {
    id: DossierId,
    record: Option<RecordId>,
    /// Procedure and office are as the entry says.
    described: bool,
}

async fn open(
    tx: &mut Tx,
    hand: &record::Hand<'_>,
    entry: &DossierEntry,
) -> Result<(Known, bool), StoreError> {
    let new = dossier::NewDossier {
        id: DossierId::new(hand.ids),
        source: entry.source,
        code: entry.code.as_str(),
        procedure_code: &entry.procedure_code,
        office: entry.office,
        received_at: entry.statement.received_at,
    };
    if dossier::insert(tx, &new, hand.now).await? {
        record::open_dossier(tx, hand, new.id, *entry.source.as_bytes()).await?;
        let known = Known {
            id: new.id,
            record: None,
            described: true,
        };
        return Ok((known, true));
    }
    // Another gateway opened it between our look and now; its row serves as well.
    let row = dossier::by_code(tx, entry.source, entry.code.as_str()).await?;
    let row = row.ok_or(StoreError::Corrupt { place: "dossier" })?;
    let known = Known {
        id: row.id,
        record: row.record,
        described: false,
    };
    Ok((known, false))
}

async fn put_addressee(
    store: &Store,
    tx: &mut Tx,
    hand: &record::Hand<'_>,
    (dossier, known): (DossierId, Option<RecordId>),
    addressee: &Addressee,
) -> Result<(), StoreError> {
    let key = if let Some(record) = known {
        personal::key(store, tx, record).await?
    } else {
        let record = RecordId::new(hand.ids);
        let key = personal::create(store, tx, record, hand.now, None).await?;
        dossier::set_record(tx, dossier, record).await?;
        key
    };
    let fields = [
        ("name", addressee.name.as_str()),
        ("phone", addressee.phone.as_national()),
        ("line", addressee.line.expose().as_str()),
        ("commune", addressee.commune.expose().as_str()),
        ("province", addressee.province.expose().as_str()),
        (
            "note",
            addressee.note.as_ref().map_or("", |note| note.expose().as_str()),
        ),
    ];
    let mut changed = false;
    for (field, value) in fields {
        let before = personal::get(tx, &key, field).await?;
        if before.as_deref().unwrap_or_default() != value {
            personal::put(tx, &key, field, value).await?;
            changed = true;
        }
    }
    if changed {
        index_person(store, tx, &key, addressee).await?;
    }
    Ok(())
}

async fn index_person(
    store: &Store,
    tx: &mut Tx,
    key: &RecordKey,
    addressee: &Addressee,
) -> Result<(), StoreError> {
    let names = search_prefixes(addressee.name.as_str());
    personal::index(store, tx, key.record(), TOKENS_NAME, &names).await?;
    let numbers = BTreeSet::from([
        addressee.phone.as_national().to_owned(),
        addressee.phone.last4().to_owned(),
    ]);
    personal::index(store, tx, key.record(), TOKENS_PHONE, &numbers).await
}

/// The registered addressee of a dossier's record, opened; `None` when nobody was registered.
///
/// # Errors
/// [`StoreError::Erased`] after erasure; [`StoreError::Corrupt`] when a value cannot be read; else as the database says.
pub async fn addressee(
    store: &Store,
    tx: &mut Tx,
    record: RecordId,
) -> Result<Option<Addressee>, StoreError> {
    let key = personal::key(store, tx, record).await?;
    let unreadable = || StoreError::Corrupt { place: "addressee" };
    let Some(name) = personal::get(tx, &key, "name").await? else {
        return Ok(None);
    };
    let phone = personal::get(tx, &key, "phone").await?.unwrap_or_default();
    let phones = crate::domain::phone::parse_field(&phone).map_err(|_phone| unreadable())?;
    let mut text = [const { String::new() }; 4];
    for (slot, field) in text.iter_mut().zip(["line", "commune", "province", "note"]) {
        *slot = personal::get(tx, &key, field).await?.unwrap_or_default();
    }
    let [line, commune, province, note] = text;
    Ok(Some(Addressee {
        name: PersonName::parse(&name).map_err(|_name| unreadable())?,
        phone: phones.into_iter().next().ok_or_else(unreadable)?.number,
        line: Personal::new(line),
        commune: Personal::new(commune),
        province: Personal::new(province),
        note: (!note.is_empty()).then(|| Personal::new(note)),
    }))
}
