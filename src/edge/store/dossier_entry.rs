//! Room `edge::store`: taking in what a dossier system states, whichever door it came by.
//!
//! The JSON API and the import of files check by [`Checker`] and write by [`Checker::put`] alone, so that both refuse the same
//! and leave the same rows. In: a snapshot. Out: every fault of it, or whether it changed anything. The same entry twice
//! changes nothing; an older one that arrives late is kept and ordered by its own time. Deliberately not here: reading
//! files or JSON, and status 10, which only proof of delivery or collection gives.

use super::record::{self, Hand};
use super::{Store, StoreError, Tx, dossier, personal, reference, shipment_person, source};
use crate::domain::addressee::Addressee;
use crate::domain::dossier::snapshot::{Snapshot, Warning};
use crate::domain::dossier::status_map::{StatusMap, StatusMaps};
use crate::domain::dossier::{DossierFact, DossierFactBody, Statement};
use crate::domain::dossier_code::DossierCode;
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::id::{DossierId, OfficeId, RecordId, SourceId};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// Why a snapshot was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot is wrong; every fault is told.
    #[error("the dossier was refused for {} faults", .0.len())]
    Refused(Vec<Fault>),
    /// The source's row names a status map this program does not have.
    #[error("dossier system {0} names a status map this program does not have")]
    NoStatusMap(SourceId),
}

/// A snapshot found right.
#[derive(Clone, Debug)]
pub struct Entry {
    code: DossierCode,
    procedure: String,
    office: OfficeId,
    stated_at: Timestamp,
    statement: Statement,
    addressee: Option<Addressee>,
    warnings: Vec<Warning>,
}

impl Entry {
    /// What a person should look at.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Checks snapshots of one system; remembers the offices it met, so it is made anew for each piece of work.
#[derive(Clone, Debug)]
pub struct Checker {
    source: SourceId,
    map: &'static StatusMap,
    latest: Timestamp,
    offices: BTreeMap<String, Option<OfficeId>>,
}

impl Checker {
    /// For a system's snapshots; nothing of them may have happened after `latest`.
    ///
    /// # Errors
    /// [`EntryError::NoStatusMap`], [`EntryError::Store`].
    pub async fn open(tx: &mut Tx, source: SourceId, latest: Timestamp) -> Result<Self, EntryError> {
        let row = source::source(tx, source).await?;
        let maps = StatusMaps::shipped().ok();
        let map = row.zip(maps).and_then(|(row, maps)| maps.find(&row.status_map));
        Ok(Self {
            source,
            map: map.ok_or(EntryError::NoStatusMap(source))?,
            latest,
            offices: BTreeMap::new(),
        })
    }

    /// Checks one snapshot.
    ///
    /// # Errors
    /// [`EntryError::Refused`] with every fault, by place in a request; [`EntryError::Store`].
    pub async fn check(
        &mut self,
        tx: &mut Tx,
        code: &DossierCode,
        snapshot: &Snapshot,
    ) -> Result<Entry, EntryError> {
        let mut faults = Vec::new();
        let meaning = self.map.find(&snapshot.status_raw);
        if meaning.is_none() {
            faults.push(Fault::at("/status", FaultCode::StatusUnknown));
        }
        let office = self.office(tx, &snapshot.receiving_office).await?;
        if office.is_none() {
            faults.push(Fault::at("/receiving_office", FaultCode::OfficeUnknown));
        }
        let addressee = snapshot.check(self.latest, &mut faults);
        if let Some(addressee) = &addressee {
            shipment_person::check_units(tx, addressee, "/addressee", &mut faults).await?;
        }
        let (Some(office), Some(meaning)) = (office, meaning) else {
            return Err(EntryError::Refused(faults));
        };
        if !faults.is_empty() {
            return Err(EntryError::Refused(faults));
        }
        Ok(Entry {
            code: code.clone(),
            procedure: snapshot.procedure.clone(),
            office,
            stated_at: snapshot.status_at,
            statement: Statement {
                status_raw: meaning.raw.clone(),
                status: meaning.status,
                map_version: self.map.version(),
                return_by: snapshot.return_by,
                submitted_by: snapshot.submitted_by,
                received_at: snapshot.received_at,
                due_at: snapshot.due_at,
                finished_at: snapshot.finished_at,
                returned_at: snapshot.returned_at,
                duplicate: snapshot.duplicate,
            },
            warnings: snapshot.warnings(code, addressee.as_ref()),
            addressee,
        })
    }

    async fn office(&mut self, tx: &mut Tx, code: &str) -> Result<Option<OfficeId>, StoreError> {
        if let Some(known) = self.offices.get(code) {
            return Ok(*known);
        }
        let found = reference::office_by_code(tx, code).await?.map(|office| office.id);
        self.offices.insert(code.to_owned(), found);
        Ok(found)
    }

    /// Opens or refreshes the entry's dossier, with its journal entries, and seals the addressee under the dossier's own
    /// record. `hand` writes for the receiving office, whatever office it names.
    ///
    /// # Errors
    /// As the database or the keys say.
    pub async fn put(
        &self,
        store: &Store,
        tx: &mut Tx,
        hand: &Hand<'_>,
        entry: &Entry,
    ) -> Result<Put, StoreError> {
        let hand = Hand {
            office: *entry.office.as_bytes(),
            ..*hand
        };
        let (known, opened) = self.open_dossier(tx, &hand, entry).await?;
        let facts = if opened {
            Vec::new()
        } else {
            dossier::facts(tx, known.id).await?
        };
        let body = DossierFactBody::Stated(entry.statement.clone());
        let fact = DossierFact::new(known.id, entry.stated_at, body);
        let latest = facts
            .iter()
            .filter(|old| matches!(old.body, DossierFactBody::Stated(_)))
            .map(|old| old.occurred_at)
            .max();
        let mut changed = facts.iter().all(|old| old.id != fact.id);
        if changed {
            record::dossier_facts(store, tx, &hand, known.id, vec![fact]).await?;
        }
        // What is not folded follows the newest snapshot: one that arrives late does not set it back.
        if latest.is_none_or(|latest| latest <= entry.stated_at) {
            if known.procedure != entry.procedure || known.office != entry.office {
                dossier::describe(tx, known.id, &entry.procedure, entry.office).await?;
                changed = true;
            }
            if let Some(addressee) = &entry.addressee {
                changed |= keep_addressee(store, tx, &hand, (known.id, known.record), addressee).await?;
            }
        }
        Ok(Put {
            id: known.id,
            opened,
            changed: opened || changed,
        })
    }

    /// The entry's dossier, kept from being moved by others, and whether it is new.
    async fn open_dossier(
        &self,
        tx: &mut Tx,
        hand: &Hand<'_>,
        entry: &Entry,
    ) -> Result<(Known, bool), StoreError> {
        if let Some(known) = self.known(tx, entry).await? {
            return Ok((known, false));
        }
        let new = dossier::NewDossier {
            id: DossierId::new(hand.ids),
            source: self.source,
            code: entry.code.as_str(),
            procedure_code: &entry.procedure,
            office: entry.office,
            received_at: entry.statement.received_at,
        };
        if dossier::insert(tx, &new, hand.now).await? {
            record::open_dossier(tx, hand, new.id, *self.source.as_bytes()).await?;
            let known = Known {
                id: new.id,
                record: None,
                procedure: entry.procedure.clone(),
                office: entry.office,
            };
            return Ok((known, true));
        }
        // Another gateway opened it between our look and now; its row serves as well.
        let known = self.known(tx, entry).await?;
        Ok((known.ok_or(StoreError::Corrupt { place: "dossier" })?, false))
    }

    async fn known(&self, tx: &mut Tx, entry: &Entry) -> Result<Option<Known>, StoreError> {
        let Some(row) = dossier::by_code(tx, self.source, entry.code.as_str()).await? else {
            return Ok(None);
        };
        let row = dossier::lock(tx, row.id).await?;
        let row = row.ok_or(StoreError::Corrupt { place: "dossier" })?;
        Ok(Some(Known {
            id: row.id,
            record: row.record,
            procedure: row.procedure_code,
            office: row.office,
        }))
    }
}

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// Which dossier.
    pub id: DossierId,
    /// It was not known before.
    pub opened: bool,
    /// Something was new.
    pub changed: bool,
}

/// What [`Checker::put`] must know of the row.
struct Known {
    id: DossierId,
    record: Option<RecordId>,
    procedure: String,
    office: OfficeId,
}

/// Keeps the registered addressee; `false` when it was the same. After an erasure a new record begins.
async fn keep_addressee(
    store: &Store,
    tx: &mut Tx,
    hand: &Hand<'_>,
    (dossier, record): (DossierId, Option<RecordId>),
    addressee: &Addressee,
) -> Result<bool, StoreError> {
    let known = match record {
        None => None,
        Some(record) => match personal::key(store, tx, record).await {
            Ok(key) => Some(key),
            Err(StoreError::Erased) => None,
            Err(error) => return Err(error),
        },
    };
    if let Some(key) = known {
        return shipment_person::put_registered(tx, &key, addressee).await;
    }
    let record = RecordId::new(hand.ids);
    let key = personal::create(store, tx, record, hand.now, None).await?;
    shipment_person::put_registered(tx, &key, addressee).await?;
    dossier::set_record(tx, dossier, record).await?;
    Ok(true)
}
