//! Room `edge::store`: administrative units, national and as operators number them.
//!
//! In: values. Out: values. Deliberately not here: who may change
//! them (`stage`).

use super::{StoreError, Tx, args, sql};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// A national administrative unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Version of the set the code belongs to.
    pub unit_set: String,
    /// National code.
    pub code: String,
    /// `province`, `district` or `commune`.
    pub level: String,
    /// Official name.
    pub name: String,
    /// Unit above, in the same set.
    pub parent_code: Option<String>,
}

/// Writes a national unit.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_unit(tx: &mut Tx, unit: &Unit, valid_from: Timestamp) -> Result<(), StoreError> {
    let values = args![
        &unit.unit_set,
        &unit.code,
        &unit.level,
        &unit.name,
        unit.parent_code.clone(),
        valid_from
    ];
    tx.execute(sql!("unit" / "upsert"), values).await.map(drop)
}

/// A national unit by set, level and code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn unit(tx: &mut Tx, unit_set: &str, level: &str, code: &str) -> Result<Option<Unit>, StoreError> {
    let Some(row) = tx
        .row(sql!("unit" / "find"), args![unit_set, level, code])
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(Unit {
        unit_set: row.text("unit_set")?,
        code: row.text("code")?,
        level: row.text("level")?,
        name: row.text("name")?,
        parent_code: row.opt_text("parent_code")?,
    }))
}

/// The loaded sets of national units: version, valid from, number of units.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn unit_sets(tx: &mut Tx) -> Result<Vec<(String, Timestamp, u32)>, StoreError> {
    let rows = tx.rows(sql!("unit" / "sets"), args![]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.text("unit_set")?,
                row.at("valid_from_at")?,
                row.count("units")?,
            ))
        })
        .collect()
}

/// A unit as an operator numbers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperatorUnitRow {
    /// The operator's code.
    pub code: String,
    /// The operator's name.
    pub name: String,
    /// The operator's code of the unit above; empty for none.
    pub parent_code: String,
}

/// Makes one list of an operator's units what `rows` say: level, code, name, parent code (empty for none). A list that
/// is as it was is not written anew.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn replace_operator_units(
    tx: &mut Tx,
    account: AccountId,
    unit_set: &str,
    rows: &[(String, OperatorUnitRow)],
) -> Result<(), StoreError> {
    let mut known = Vec::new();
    for level in ["province", "district", "commune"] {
        let units = operator_units(tx, account, unit_set, level).await?;
        known.extend(units.into_iter().map(|unit| (level.to_owned(), unit)));
    }
    let sorted = |rows: &[(String, OperatorUnitRow)]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    if sorted(&known) == sorted(rows) {
        return Ok(());
    }
    tx.execute(sql!("operator_unit" / "delete"), args![account, unit_set])
        .await?;
    for (level, row) in rows {
        let values = args![account, unit_set, level, &row.code, &row.name, &row.parent_code];
        tx.execute(sql!("operator_unit" / "insert"), values).await?;
    }
    Ok(())
}

/// One level of an operator's units.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn operator_units(
    tx: &mut Tx,
    account: AccountId,
    unit_set: &str,
    level: &str,
) -> Result<Vec<OperatorUnitRow>, StoreError> {
    let rows = tx
        .rows(sql!("operator_unit" / "list"), args![account, unit_set, level])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(OperatorUnitRow {
                code: row.text("code")?,
                name: row.text("name")?,
                parent_code: row.text("parent_code")?,
            })
        })
        .collect()
}
