//! Room `edge::carrier::myvnpost`: the operator's lists of administrative units, old and new.
//!
//! In: one list's answer. Out: units with the code of the unit above. Deliberately not here: matching with the
//! national codes, and judging whether a new list may replace an old one.

use super::answer::{self, Opened};
use super::request::NO_DISTRICT;
use super::status::TextTable;
use super::wire::{Object, identifier, rows, text};
use crate::edge::carrier::{OperatorUnit, OperatorUnitSet, Reading, UnitLevel, WireResponse};

/// Units of one list; before July 2025 there were some 10,600 communes.
const UNITS_MAX: usize = 20_000;

/// Reads one list. A row without code or name, or an empty list, makes the whole unreadable: half a list would turn
/// good addresses into unknown ones.
pub(super) fn read(
    texts: &TextTable,
    set: OperatorUnitSet,
    level: UnitLevel,
    response: &WireResponse,
) -> Reading<Vec<OperatorUnit>> {
    let value = match answer::open(texts, response) {
        Opened::Value(value) => value,
        Opened::Said(_text) => return answer::unreadable("an error text"),
        Opened::End(end) => return end.into_reading(),
    };
    let is_row = |object: &Object| unit(set, level, object).is_some();
    match rows(&value, &is_row, UNITS_MAX) {
        Err(doubt) => answer::unreadable(doubt.0),
        Ok(found) if found.is_empty() => answer::unreadable("an empty list"),
        Ok(found) => Reading::Answer(
            found
                .into_iter()
                .filter_map(|row| unit(set, level, row))
                .collect(),
        ),
    }
}

fn unit(set: OperatorUnitSet, level: UnitLevel, row: &Object) -> Option<OperatorUnit> {
    let (code, name, parents): (&[&str], &[&str], &[&str]) = match (set, level) {
        (_, UnitLevel::Province) => (&["provinceCode"], &["provinceName"], &[]),
        (OperatorUnitSet::New, UnitLevel::District) => return None,
        (OperatorUnitSet::Old, UnitLevel::District) => {
            (&["districtCode"], &["districtName"], &["provinceCode"])
        }
        (OperatorUnitSet::Old, UnitLevel::Commune) => (&["communeCode"], &["communeName"], &["districtCode"]),
        // A commune of the new set may carry its province's code under the name of the abolished district.
        (OperatorUnitSet::New, UnitLevel::Commune) => (
            &["communeCode"],
            &["communeName"],
            &["provinceCode", "districtCode"],
        ),
    };
    Some(OperatorUnit {
        level,
        code: identifier(row, code)?,
        name: text(row, name)?,
        parent_code: parents
            .iter()
            .filter_map(|name| identifier(row, &[name]))
            .find(|code| code != NO_DISTRICT),
    })
}
