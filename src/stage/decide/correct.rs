//! Stage decide: correcting addressee, address, telephone or weight.
//!
//! In: what is to be changed. Out: revision n+1, checked as a registration is, its personal part sealed under the
//! shipment's record; the next attempt names it. Nothing of an earlier revision is overwritten. Deliberately not here:
//! when a correction may be made (`rules`), and orders the operator has already.

use super::refusal::{DecideError, Refusal};
use super::seen::Seen;
use crate::domain::addressee::{AddresseeDraft, UnitDraft};
use crate::domain::custody::Place;
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::journal::Actor;
use crate::domain::time::Timestamp;
use crate::edge::store::decision::{self, RevisedParts};
use crate::edge::store::{RecordKey, Store, StoreError, Tx, revision, shipment_person};

/// Heaviest envelope, grams; as at registration.
const WEIGHT_GRAMS_MAX: u32 = 30_000;

/// What a correction changes; `None` leaves it as it was. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Correction {
    /// Name.
    pub name: Option<String>,
    /// Telephone field; may hold several numbers.
    pub phone: Option<String>,
    /// Everything below the commune.
    pub line: Option<String>,
    /// Commune, with its province: units are changed together.
    pub commune: Option<UnitDraft>,
    /// Province.
    pub province: Option<UnitDraft>,
    /// Hints for the postman; empty takes the old one away.
    pub note: Option<String>,
    /// Grams.
    pub weight_grams: Option<i64>,
}

impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Correction(..)")
    }
}

impl Correction {
    fn over(&self, old: &AddresseeDraft) -> AddresseeDraft {
        let changed = |new: &Option<String>, old: &String| new.clone().unwrap_or_else(|| old.clone());
        AddresseeDraft {
            name: changed(&self.name, &old.name),
            phone: changed(&self.phone, &old.phone),
            line: changed(&self.line, &old.line),
            commune: self.commune.clone().unwrap_or_else(|| old.commune.clone()),
            province: self.province.clone().unwrap_or_else(|| old.province.clone()),
            note: match &self.note {
                None => old.note.clone(),
                Some(note) => Some(note.clone()).filter(|note| !note.trim().is_empty()),
            },
        }
    }
}

/// Nothing is corrected for a paper that will not travel any more.
pub(super) const fn check_paper(place: Place) -> Result<(), Refusal> {
    match place {
        Place::Awaited
        | Place::AtDecidingOffice
        | Place::AtDesk
        | Place::Packed
        | Place::HandedOver
        | Place::BackAtDesk => Ok(()),
        Place::WithOperator | Place::WithAddressee | Place::Collected | Place::Destroyed | Place::Lost => {
            Err(Refusal::PaperElsewhere(place))
        }
    }
}

/// Writes the next revision; its number.
pub(super) async fn revise(
    store: &Store,
    tx: &mut Tx,
    key: &RecordKey,
    (seen, correction): (&Seen, &Correction),
    (actor, now): (Actor, Timestamp),
) -> Result<u32, DecideError> {
    let (id, number) = (seen.row.id, seen.row.revision);
    let missing = StoreError::Corrupt {
        place: "shipment_revision",
    };
    let old = revision::find(tx, id, number).await?.ok_or(missing)?;
    let draft = shipment_person::revision_draft(tx, key, &old).await?;
    let wanted = correction.over(&draft);
    let mut faults: Vec<Fault> = Vec::new();
    let weight = correction.weight_grams.map(|grams| {
        let grams = u32::try_from(grams).ok();
        grams.filter(|grams| (1..=WEIGHT_GRAMS_MAX).contains(grams))
    });
    if weight == Some(None) {
        faults.push(Fault::at("/weight_grams", FaultCode::WeightOutOfRange));
    }
    let checked = wanted.check("", &mut faults);
    if let Some(addressee) = &checked {
        shipment_person::check_units(tx, addressee, "", &mut faults).await?;
    }
    let Some(addressee) = checked.filter(|_| faults.is_empty()) else {
        return Err(DecideError::Faults(faults));
    };
    let weight = weight.flatten().filter(|grams| *grams != old.weight_grams);
    if weight.is_none() && draft.check("", &mut Vec::new()).as_ref() == Some(&addressee) {
        return Err(Refusal::NothingChanges.into());
    }
    let commune = addressee.address.commune();
    let parts = RevisedParts {
        units: Some((
            commune.set().as_str().to_owned(),
            addressee.address.province().code().to_owned(),
            commune.code().to_owned(),
        )),
        weight_grams: weight,
    };
    if !decision::revise(tx, (id, number), &parts, (actor, now)).await? {
        return Err(StoreError::Corrupt {
            place: "shipment_revision",
        }
        .into());
    }
    let next = number.saturating_add(1);
    shipment_person::seal_addressee(tx, key, next, &addressee).await?;
    shipment_person::index(store, tx, key, &addressee).await?;
    Ok(next)
}
