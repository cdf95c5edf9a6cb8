//! Room `stage`, intake: everything that must be true of a draft, looked at together.
//!
//! In: a draft. Out: rows and values to write, or every fault at once. The dossiers are locked first, in the order of
//! their identifiers, so that what was checked still holds when it is written. Deliberately not here: units that only
//! the operator's own list lacks; dispatch holds those for a person.

use super::{Draft, ITEMS_MAX, IntakeError, To};
use crate::domain::addressee::Addressee;
use crate::domain::dossier::{DossierStatus, ReturnBy};
use crate::domain::dossier_code::DossierCode;
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::id::{DossierId, SourceId};
use crate::domain::money::Dong;
use crate::domain::time::Timestamp;
use crate::edge::carrier::Carrier;
use crate::edge::store::account::{self, Account};
use crate::edge::store::dossier::{self, DossierRow};
use crate::edge::store::reference::{self, Office};
use crate::edge::store::shipment::Offices;
use crate::edge::store::shipment_person::{self, Parcel};
use crate::edge::store::{StoreError, Tx, personal, shipment_list};
use crate::stage::context::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Heaviest envelope, grams.
const WEIGHT_GRAMS_MAX: u32 = 30_000;
/// Highest number of a document of one dossier.
const DOCUMENT_NO_MAX: u32 = 999;
/// Longest service code of an operator, characters.
const SERVICE_CODE_CHARS_MAX: usize = 32;

/// A draft found right.
pub(super) struct Checked {
    pub(super) lead_code: String,
    pub(super) items: Vec<(DossierId, u32)>,
    pub(super) sending: Office,
    pub(super) offices: Offices,
    pub(super) account: Account,
    pub(super) carrier: Arc<dyn Carrier>,
    pub(super) addressee: Addressee,
    pub(super) parcel: Parcel,
}

type Faults = Vec<Fault>;

/// Checks a draft of a source.
pub(super) async fn check(
    context: &Context,
    tx: &mut Tx,
    source: SourceId,
    draft: &Draft,
    now: Timestamp,
) -> Result<Checked, IntakeError> {
    let mut faults = Faults::new();
    let items = items(tx, source, draft, &mut faults).await?;
    let sending = sending_office(tx, &draft.sending_office, now, &mut faults).await?;
    let return_to = other_office(
        tx,
        draft.return_office.as_deref(),
        "/return_office",
        Some(now),
        &mut faults,
    );
    let return_to = return_to.await?;
    let deciding = other_office(
        tx,
        draft.deciding_office.as_deref(),
        "/deciding_office",
        None,
        &mut faults,
    );
    let deciding = deciding.await?;
    let account = match sending.as_ref().and_then(|office| office.account) {
        None => None,
        Some(id) => usable_account(context, tx, id, &mut faults).await?,
    };
    let addressee = addressee(context, tx, draft, &items, &mut faults).await?;
    let parcel = parcel(draft, &mut faults);
    let parts = (sending, account, addressee, parcel, items.first());
    let (Some(sending), Some((account, carrier)), Some(addressee), Some(parcel), Some((lead, _))) = parts
    else {
        return Err(IntakeError::Refused(faults));
    };
    if !faults.is_empty() {
        return Err(IntakeError::Refused(faults));
    }
    Ok(Checked {
        lead_code: lead.code.clone(),
        offices: Offices {
            receiving: lead.office,
            deciding: deciding.map_or(lead.office, |office| office.id),
            sending: sending.id,
            return_to: return_to.map_or(sending.id, |office| office.id),
        },
        items: items
            .iter()
            .map(|(row, document_no)| (row.id, *document_no))
            .collect(),
        sending,
        account,
        carrier,
        addressee,
        parcel,
    })
}

/// The documents with their dossiers, locked; those with faults may be among them.
async fn items(
    tx: &mut Tx,
    source: SourceId,
    draft: &Draft,
    faults: &mut Faults,
) -> Result<Vec<(DossierRow, u32)>, IntakeError> {
    if draft.items.is_empty() || draft.items.len() > ITEMS_MAX {
        return Err(IntakeError::Refused(vec![Fault::at(
            "/items",
            FaultCode::CountOutOfRange,
        )]));
    }
    let mut named: Vec<(usize, DossierId, u32)> = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, item) in draft.items.iter().enumerate() {
        let place = format!("/items/{index}/dossier");
        let document_no = u32::try_from(item.document_no).ok();
        let document_no = document_no.filter(|number| (1..=DOCUMENT_NO_MAX).contains(number));
        if document_no.is_none() {
            let place = format!("/items/{index}/document_no");
            faults.push(Fault::at(place, FaultCode::DocumentInvalid));
        }
        let Ok(code) = DossierCode::parse(&item.dossier) else {
            faults.push(Fault::at(place, FaultCode::DossierCodeInvalid));
            continue;
        };
        if !seen.insert((code.clone(), item.document_no)) {
            faults.push(Fault::at(format!("/items/{index}"), FaultCode::ItemRepeated));
            continue;
        }
        match dossier::by_code(tx, source, code.as_str()).await? {
            None => faults.push(Fault::at(place, FaultCode::DossierUnknown)),
            Some(row) => named.push((index, row.id, document_no.unwrap_or(1))),
        }
    }
    let mut locked: BTreeMap<DossierId, DossierRow> = BTreeMap::new();
    let ids: BTreeSet<DossierId> = named.iter().map(|(_, id, _)| *id).collect();
    for id in ids {
        let row = dossier::lock(tx, id).await?;
        locked.insert(id, row.ok_or(StoreError::Corrupt { place: "dossier" })?);
    }
    let mut items = Vec::with_capacity(named.len());
    for (index, id, document_no) in named {
        let Some(row) = locked.get(&id) else { continue };
        let place = format!("/items/{index}/dossier");
        for code in dossier_faults(tx, row).await? {
            faults.push(Fault::at(place.clone(), code));
        }
        if shipment_list::holder(tx, id, document_no).await?.is_some() {
            faults.push(Fault::at(
                format!("/items/{index}"),
                FaultCode::DocumentInShipment,
            ));
        }
        items.push((row.clone(), document_no));
    }
    Ok(items)
}

/// Whether the result of a dossier may be sent by post now.
async fn dossier_faults(tx: &mut Tx, row: &DossierRow) -> Result<Vec<FaultCode>, StoreError> {
    let mut faults = Vec::new();
    let status = u8::try_from(row.status).ok().and_then(DossierStatus::new);
    match status {
        Some(DossierStatus::FINISHED) => {}
        Some(DossierStatus::RETURNED) => faults.push(FaultCode::DossierReturned),
        Some(status) if status.is_dropped() => faults.push(FaultCode::DossierDropped),
        Some(_) | None => faults.push(FaultCode::DossierNotFinished),
    }
    if row.is_duplicate {
        faults.push(FaultCode::DossierDuplicate);
    }
    if row.post_withdrawn {
        faults.push(FaultCode::PostWithdrawn);
    } else if row.return_by != ReturnBy::Post.number() {
        faults.push(FaultCode::NotByPost);
    }
    match reference::procedure(tx, &row.procedure_code).await? {
        None => faults.push(FaultCode::ProcedureUnknown),
        Some(procedure) if !procedure.by_post => faults.push(FaultCode::ProcedureNotByPost),
        Some(_) => {}
    }
    Ok(faults)
}

async fn sending_office(
    tx: &mut Tx,
    code: &str,
    now: Timestamp,
    faults: &mut Faults,
) -> Result<Option<Office>, StoreError> {
    let office = other_office(tx, Some(code), "/sending_office", Some(now), faults).await?;
    if office.as_ref().is_some_and(|office| office.account.is_none()) {
        faults.push(Fault::at("/sending_office", FaultCode::OfficeWithoutAccount));
    }
    Ok(office)
}

/// An office named in the draft. One that decided may have been merged since; the others must be in force.
async fn other_office(
    tx: &mut Tx,
    code: Option<&str>,
    pointer: &str,
    in_force_at: Option<Timestamp>,
    faults: &mut Faults,
) -> Result<Option<Office>, StoreError> {
    let Some(code) = code else { return Ok(None) };
    let Some(office) = reference::office_by_code(tx, code).await? else {
        faults.push(Fault::at(pointer, FaultCode::OfficeUnknown));
        return Ok(None);
    };
    if in_force_at.is_some_and(|at| !office.is_valid_at(at)) {
        faults.push(Fault::at(pointer, FaultCode::OfficeNotValid));
    }
    Ok(Some(office))
}

async fn usable_account(
    context: &Context,
    tx: &mut Tx,
    id: crate::domain::id::AccountId,
    faults: &mut Faults,
) -> Result<Option<(Account, Arc<dyn Carrier>)>, StoreError> {
    let account = account::account(tx, id).await?.filter(|account| account.active);
    let usable = account.and_then(|account| {
        let carrier = Arc::clone(context.carriers.find(&account.adapter)?);
        Some((account, carrier))
    });
    if usable.is_none() {
        faults.push(Fault::at("/sending_office", FaultCode::AccountInactive));
    }
    Ok(usable)
}

/// The addressee, given or registered; the units must exist and belong together.
async fn addressee(
    context: &Context,
    tx: &mut Tx,
    draft: &Draft,
    items: &[(DossierRow, u32)],
    faults: &mut Faults,
) -> Result<Option<Addressee>, StoreError> {
    let (given, pointer) = match &draft.to {
        To::Given(given) => (Some(given.clone()), "/addressee"),
        To::Registered => (
            registered(context, tx, items, faults).await?,
            "/addressee_from_dossier",
        ),
    };
    let Some(given) = given else { return Ok(None) };
    let checked = given.check(pointer, faults);
    if let Some(addressee) = &checked {
        shipment_person::check_units(tx, addressee, pointer, faults).await?;
    }
    Ok(checked)
}

/// The registered addressee, which all dossiers of the envelope must share: nobody gets another person's paper.
async fn registered(
    context: &Context,
    tx: &mut Tx,
    items: &[(DossierRow, u32)],
    faults: &mut Faults,
) -> Result<Option<crate::domain::addressee::AddresseeDraft>, StoreError> {
    let mut lead = None;
    for (row, _) in items {
        let found = match row.record {
            None => None,
            Some(record) => match personal::key(&context.store, tx, record).await {
                Ok(key) => shipment_person::registered_addressee(tx, &key).await?,
                Err(StoreError::Erased) => None,
                Err(error) => return Err(error),
            },
        };
        let fault = match (&lead, found) {
            (_, None) => Some(FaultCode::AddresseeMissing),
            (None, Some(first)) => {
                lead = Some(first);
                None
            }
            (Some(first), Some(found)) => (*first != found).then_some(FaultCode::AddresseeDiffers),
        };
        if let Some(code) = fault {
            faults.push(Fault::at("/addressee_from_dossier", code));
            return Ok(None);
        }
    }
    Ok(lead)
}

fn parcel(draft: &Draft, faults: &mut Faults) -> Option<Parcel> {
    let weight = u32::try_from(draft.weight_grams).ok();
    let weight = weight.filter(|grams| (1..=WEIGHT_GRAMS_MAX).contains(grams));
    if weight.is_none() {
        faults.push(Fault::at("/weight_grams", FaultCode::WeightOutOfRange));
    }
    let collect = Dong::new(draft.collect_dong).ok();
    if collect.is_none() {
        faults.push(Fault::at("/collect_dong", FaultCode::CollectOutOfRange));
    }
    let plain = |code: &String| {
        (1..=SERVICE_CODE_CHARS_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if draft.service_code.as_ref().is_some_and(|code| !plain(code)) {
        faults.push(Fault::at("/service_code", FaultCode::ServiceInvalid));
    }
    Some(Parcel {
        weight_grams: weight?,
        collect_dong: collect?.as_i64(),
        service_code: draft.service_code.clone(),
        postage_payer: draft.postage_payer.as_str(),
    })
}
