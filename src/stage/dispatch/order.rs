//! Stage 2, dispatch: composing the order from a shipment, in the operator's own unit codes.
//!
//! In: a shipment and its revision, the operator's list of units. Out: an [`Order`], or the reason why a person must
//! look. Names of units must match exactly; nothing is guessed. Deliberately not here: the wire.

use crate::domain::address::{Match, UnitName, match_exact};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::edge::carrier::{Order, Party};
use crate::edge::store::account::Account;
use crate::edge::store::reference::Office;
use crate::edge::store::revision::{Addressee, Revision};
use crate::edge::store::unit::{self, OperatorUnitRow};
use crate::edge::store::{StoreError, Tx, operator};
use crate::stage::context::Context;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// By set and national commune code: the operator's province and commune code, or none.
type Found = BTreeMap<(String, String), Option<(String, String)>>;

/// An operator's two-level units, and matches already found.
pub(super) struct Units {
    account: AccountId,
    loaded_at: Timestamp,
    provinces: Vec<OperatorUnitRow>,
    province_names: Vec<UnitName>,
    communes: BTreeMap<String, Vec<(UnitName, String)>>,
    found: Mutex<Found>,
}

/// The list in memory, read again when the store has a newer one. `None`: never loaded.
pub(super) async fn units(context: &Context, account: &Account) -> Result<Option<Arc<Units>>, StoreError> {
    let mut tx = context.store.snapshot().await?;
    let Some(loaded_at) = operator::units_loaded_at(&mut tx, account.id).await? else {
        return Ok(None);
    };
    let cached = context.operators.units::<Units>(account.id);
    if let Some(units) = cached.filter(|units| units.loaded_at == loaded_at && units.account == account.id) {
        return Ok(Some(units));
    }
    let provinces = unit::operator_units(&mut tx, account.id, "new", "province").await?;
    let mut communes: BTreeMap<String, Vec<(UnitName, String)>> = BTreeMap::new();
    for row in unit::operator_units(&mut tx, account.id, "new", "commune").await? {
        communes
            .entry(row.parent_code)
            .or_default()
            .push((UnitName::new(&row.name), row.code));
    }
    let units = Arc::new(Units {
        account: account.id,
        loaded_at,
        province_names: provinces.iter().map(|row| UnitName::new(&row.name)).collect(),
        provinces,
        communes,
        found: Mutex::new(BTreeMap::new()),
    });
    context.operators.set_units(account.id, &units);
    Ok(Some(units))
}

impl Units {
    /// The operator's province and commune code for a national commune; `None` when a name does not match exactly one.
    async fn find(
        &self,
        tx: &mut Tx,
        unit_set: &str,
        province_code: &str,
        commune_code: &str,
    ) -> Result<Option<(String, String)>, StoreError> {
        let key = (unit_set.to_owned(), commune_code.to_owned());
        let known = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let province = unit::unit(tx, unit_set, "province", province_code).await?;
        let commune = unit::unit(tx, unit_set, "commune", commune_code).await?;
        let found = match (province, commune) {
            (Some(province), Some(commune)) => self.match_names(&province.name, &commune.name),
            (None, _) | (_, None) => None,
        };
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, found.clone());
        Ok(found)
    }

    fn match_names(&self, province: &str, commune: &str) -> Option<(String, String)> {
        let Match::One(index) = match_exact(&UnitName::new(province), &self.province_names) else {
            return None;
        };
        let province = self.provinces.get(index)?;
        let candidates = self.communes.get(&province.code)?;
        let names: Vec<UnitName> = candidates.iter().map(|(name, _)| name.clone()).collect();
        let Match::One(index) = match_exact(&UnitName::new(commune), &names) else {
            return None;
        };
        let (_, code) = candidates.get(index)?;
        Some((province.code.clone(), code.clone()))
    }
}

/// What an order is composed from.
pub(super) struct Sending<'a> {
    pub(super) office: &'a Office,
    pub(super) revision: &'a Revision,
    pub(super) addressee: &'a Addressee,
    /// Papers in the envelope.
    pub(super) documents: usize,
}

/// Composes the order; `Err(word)` names why a person must look.
pub(super) async fn compose(
    tx: &mut Tx,
    units: &Units,
    sending: &Sending<'_>,
    reference: &str,
) -> Result<Result<Order, &'static str>, StoreError> {
    let Sending {
        office,
        revision,
        addressee,
        documents,
    } = sending;
    let to = units
        .find(
            tx,
            &revision.unit_set,
            &revision.province_code,
            &revision.commune_code,
        )
        .await?;
    let Some((province_code, commune_code)) = to else {
        return Ok(Err("unit_not_in_operator_list"));
    };
    let from = units
        .find(tx, &office.unit_set, &office.province_code, &office.commune_code)
        .await?;
    let Some((from_province, from_commune)) = from else {
        return Ok(Err("sender_unit_not_in_operator_list"));
    };
    Ok(Ok(Order {
        reference: reference.to_owned(),
        item_code: None,
        sender: Party {
            name: office.sender_name.clone(),
            phone: office.sender_phone.clone(),
            line: office.sender_line.clone(),
            province_code: from_province,
            commune_code: from_commune,
        },
        receiver: Party {
            name: addressee.name.clone(),
            phone: addressee.phone.clone(),
            line: addressee.line.clone(),
            province_code,
            commune_code,
        },
        // Envelope and operator learn how many papers, never which (desk.md 1.15).
        content: format!("{documents:02} tài liệu"),
        note: addressee.note.clone(),
        weight_grams: revision.weight_grams,
        collect_dong: revision.collect_dong,
        service_code: revision.service_code.clone(),
    }))
}
