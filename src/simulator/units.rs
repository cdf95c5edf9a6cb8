//! Room `simulator`: the operator's own lists of provinces, districts and communes.
//!
//! In: the two unit files. Out: the operator's codes (its own numbering: rank in accent-free alphabetical order, never
//! the national codes), checks of a code pair, and the five lists as bytes that are ready to send. Deliberately not
//! here: anything that turns an address into a code; that is what the gateway must do.

use axum::body::Bytes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

const NEW_UNITS: &str = include_str!("../../fixtures/units/units.csv");
const OLD_UNITS: &str = include_str!("../../fixtures/units/legacy_units.csv");

/// The constant that a two-level address carries in place of a district code.
pub(super) const NO_DISTRICT: &str = "VNPOST";

/// Codes of the three-level lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OldCodes {
    pub(super) province: String,
    pub(super) district: String,
    pub(super) commune: String,
}

/// All lists of one operator.
#[derive(Debug)]
pub(super) struct Units {
    /// Two-level: commune code to its province code and, for old replies, one of its old communes.
    communes: BTreeMap<String, (String, Option<OldCodes>)>,
    provinces: BTreeSet<String>,
    new_province_list: Bytes,
    new_commune_list: Bytes,
    old_province_list: Bytes,
    old_district_list: Bytes,
    old_commune_list: Bytes,
}

static UNITS: LazyLock<Units> = LazyLock::new(Units::build);

/// The lists, built once in the life of the process.
pub(super) fn units() -> &'static Units {
    &UNITS
}

impl Units {
    /// Is this a province of the two-level list?
    pub(super) fn knows_province(&self, code: &str) -> bool {
        self.provinces.contains(code)
    }

    /// Is this commune in this province, by the two-level lists?
    pub(super) fn commune_is_in(&self, commune: &str, province: &str) -> bool {
        self.communes
            .get(commune)
            .is_some_and(|(parent, _)| parent == province)
    }

    /// One of the old communes that went into this commune.
    pub(super) fn old_codes(&self, commune: &str) -> Option<&OldCodes> {
        self.communes.get(commune).and_then(|(_, old)| old.as_ref())
    }

    /// The body that answers the list call `operation`; `None` when that is no list call.
    pub(super) fn list(&self, operation: &str) -> Option<Bytes> {
        match operation {
            "getNewProvinceAll" => Some(self.new_province_list.clone()),
            "getNewCommuneAll" => Some(self.new_commune_list.clone()),
            "getAllProvince" => Some(self.old_province_list.clone()),
            "getAllDistrict" => Some(self.old_district_list.clone()),
            "getAllCommune" => Some(self.old_commune_list.clone()),
            _ => None,
        }
    }

    fn build() -> Self {
        let new_rows = rows::<5>(NEW_UNITS);
        let old_rows = rows::<13>(OLD_UNITS);
        let new = Numbering::new(
            new_rows
                .iter()
                .map(|[province, province_name, commune, name, _]| {
                    [*province, *province_name, "", "", *commune, *name]
                }),
        );
        let old = Numbering::new(old_rows.iter().map(
            |[
                province,
                province_name,
                district,
                district_name,
                commune,
                name,
                ..,
            ]| {
                [
                    *province,
                    *province_name,
                    *district,
                    *district_name,
                    *commune,
                    *name,
                ]
            },
        ));
        let mut predecessor: BTreeMap<&str, OldCodes> = BTreeMap::new();
        for [province, _, district, _, commune, _, successor, ..] in &old_rows {
            let codes = OldCodes {
                province: old.province(province),
                district: old.district(district),
                commune: old.commune(commune),
            };
            if !commune.is_empty() {
                predecessor.entry(successor).or_insert(codes);
            }
        }
        let communes = new_rows
            .iter()
            .map(|[province, _, commune, _, _]| {
                let old = predecessor.get(commune).cloned();
                (new.commune(commune), (new.province(province), old))
            })
            .collect();
        Self {
            communes,
            provinces: new.provinces.values().map(|unit| unit.code.clone()).collect(),
            new_province_list: new.province_list(),
            new_commune_list: new.commune_list(Level::Province),
            old_province_list: old.province_list(),
            old_district_list: old.district_list(),
            old_commune_list: old.commune_list(Level::District),
        }
    }
}

/// Cuts a file without quoted fields into its rows, without the heading; rows of another width are left out.
fn rows<const WIDTH: usize>(text: &'static str) -> Vec<[&'static str; WIDTH]> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&'static str> = line.split(',').collect();
            fields.try_into().ok()
        })
        .collect()
}

/// Letters without marks, lower case, `đ` as `d`: the alphabet in which the operator sorts its lists.
fn folded(name: &str) -> String {
    name.nfd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == 'đ' { 'd' } else { letter })
        .collect()
}

struct Unit {
    code: String,
    name: &'static str,
    parent: String,
}

/// What the key `districtCode` of a commune row holds: in the two-level list it is the province.
#[derive(Clone, Copy)]
enum Level {
    Province,
    District,
}

/// The operator's numbers, by national code.
struct Numbering {
    provinces: BTreeMap<&'static str, Unit>,
    districts: BTreeMap<&'static str, Unit>,
    communes: BTreeMap<&'static str, Unit>,
    district_of: BTreeMap<&'static str, &'static str>,
}

impl Numbering {
    fn new(rows: impl Iterator<Item = [&'static str; 6]>) -> Self {
        let mut province_names = BTreeMap::new();
        let mut district_names = BTreeMap::new();
        let mut commune_names = BTreeMap::new();
        let mut district_of = BTreeMap::new();
        for [province, province_name, district, district_name, commune, name] in rows {
            province_names.insert(province, (province_name, ""));
            if !district.is_empty() {
                district_names.insert(district, (district_name, province));
            }
            if !commune.is_empty() {
                commune_names.insert(commune, (name, province));
                district_of.insert(commune, district);
            }
        }
        let provinces = numbered(&province_names, &BTreeMap::new());
        Self {
            districts: numbered(&district_names, &provinces),
            communes: numbered(&commune_names, &provinces),
            provinces,
            district_of,
        }
    }

    fn province(&self, national: &str) -> String {
        self.provinces
            .get(national)
            .map(|unit| unit.code.clone())
            .unwrap_or_default()
    }

    fn district(&self, national: &str) -> String {
        self.districts
            .get(national)
            .map(|unit| unit.code.clone())
            .unwrap_or_default()
    }

    fn commune(&self, national: &str) -> String {
        self.communes
            .get(national)
            .map(|unit| unit.code.clone())
            .unwrap_or_default()
    }

    fn province_list(&self) -> Bytes {
        list(
            self.provinces.values(),
            |unit| json!({"provinceCode": unit.code, "provinceName": unit.name}),
        )
    }

    fn district_list(&self) -> Bytes {
        list(
            self.districts.values(),
            |unit| json!({"districtCode": unit.code, "districtName": unit.name, "provinceCode": unit.parent}),
        )
    }

    /// Commune rows never have a province key of their own.
    fn commune_list(&self, level: Level) -> Bytes {
        list(self.communes.iter(), |(national, unit)| {
            let parent = match level {
                Level::Province => unit.parent.clone(),
                Level::District => {
                    self.district(self.district_of.get(*national).copied().unwrap_or_default())
                }
            };
            json!({"communeCode": unit.code, "communeName": unit.name, "districtCode": parent})
        })
    }
}

/// Numbers units by rank of their folded name within their parent: 10, 11, .. at the top; parent + 3 digits below.
fn numbered(
    names: &BTreeMap<&'static str, (&'static str, &'static str)>,
    parents: &BTreeMap<&'static str, Unit>,
) -> BTreeMap<&'static str, Unit> {
    let mut ranked: Vec<_> = names
        .iter()
        .map(|(national, (name, parent))| (*parent, folded(name), *national, *name))
        .collect();
    ranked.sort();
    let mut units = BTreeMap::new();
    let mut current = "";
    let mut rank = 0_u32;
    for (parent, _, national, name) in ranked {
        rank = if parent == current { rank + 1 } else { 0 };
        current = parent;
        let parent = parents
            .get(parent)
            .map(|unit| unit.code.clone())
            .unwrap_or_default();
        let code = if parent.is_empty() {
            format!("{}", rank + 10)
        } else {
            format!("{parent}{rank:03}")
        };
        units.insert(national, Unit { code, name, parent });
    }
    units
}

fn list<T>(units: impl Iterator<Item = T>, row: impl Fn(T) -> Value) -> Bytes {
    let rows: Vec<Value> = units.map(row).collect();
    Value::Array(rows).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(operation: &str) -> Vec<Value> {
        serde_json::from_slice(&units().list(operation).unwrap()).unwrap()
    }

    #[test]
    fn the_lists_have_every_unit_and_the_operators_own_codes() {
        assert_eq!(parsed("getNewProvinceAll").len(), 34);
        assert_eq!(parsed("getNewCommuneAll").len(), 3321);
        assert_eq!(parsed("getAllProvince").len(), 63);
        assert_eq!(parsed("getAllDistrict").len(), 696);
        assert_eq!(parsed("getAllCommune").len(), 10_035);
        assert!(units().list("getOrder").is_none());
        for operation in ["getNewCommuneAll", "getAllCommune"] {
            let codes: BTreeSet<String> = parsed(operation)
                .iter()
                .map(|row| row["communeCode"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(
                codes.len(),
                parsed(operation).len(),
                "codes are unique within {operation}"
            );
        }
    }

    #[test]
    fn a_new_commune_row_has_its_province_under_the_key_of_the_district() {
        let hanoi = parsed("getNewProvinceAll")
            .into_iter()
            .find(|row| row["provinceName"] == "Thành phố Hà Nội")
            .unwrap();
        let code = hanoi["provinceCode"].as_str().unwrap().to_owned();
        assert_ne!(code, "01", "not the national code");
        let communes = parsed("getNewCommuneAll");
        let inside: Vec<_> = communes
            .iter()
            .filter(|row| row["districtCode"] == code.as_str())
            .collect();
        assert_eq!(inside.len(), 126);
        let first = inside[0]["communeCode"].as_str().unwrap();
        assert!(inside[0].get("provinceCode").is_none());
        assert!(units().commune_is_in(first, &code) && units().knows_province(&code));
        assert!(!units().commune_is_in(first, "99") && !units().knows_province("01"));
    }

    #[test]
    fn new_and_old_commune_codes_collide() {
        let codes = |operation: &str| -> BTreeSet<String> {
            let rows = parsed(operation);
            rows.iter().map(|row| row["communeCode"].to_string()).collect()
        };
        assert!(
            codes("getAllCommune")
                .intersection(&codes("getNewCommuneAll"))
                .count()
                > 1000
        );
        assert!(units().communes.values().filter(|(_, old)| old.is_some()).count() > 3000);
    }
}
