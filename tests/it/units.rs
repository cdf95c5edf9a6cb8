//! The administrative units that ship with the package are whole.
//!
//! In: `fixtures/units/*.csv`. Out: red when a derivation lost a row, a code or a default.

use std::collections::{BTreeMap, BTreeSet};

const UNITS: &str = include_str!("../../fixtures/units/units.csv");
const LEGACY: &str = include_str!("../../fixtures/units/legacy_units.csv");

fn rows(text: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes())
        .records()
        .collect::<Result<_, _>>()
        .expect("rows of equal length")
}

/// The counts that the law gives since 30 April 2026.
#[test]
fn units_in_force() {
    let rows = rows(UNITS);
    let of_type = |kind: &str| rows.iter().filter(|row| &row[4] == kind).count();
    assert_eq!(
        (of_type("xa"), of_type("phuong"), of_type("dac_khu"), rows.len()),
        (2_611, 697, 13, 3_321)
    );
    let provinces: BTreeSet<(&str, &str)> = rows.iter().map(|row| (&row[0], &row[1])).collect();
    assert_eq!(provinces.len(), 34, "one name per province");
    assert!(provinces.contains(&("75", "Thành phố Đồng Nai")));
    let codes: BTreeSet<&str> = rows.iter().map(|row| &row[2]).collect();
    assert_eq!(codes.len(), rows.len(), "a code is used once");
    assert!(codes.iter().all(|code| code.len() == 5), "leading zeros are kept");
}

/// Each old commune leads to units in force, by exactly one default; each unit in force has a predecessor.
#[test]
fn legacy_units() {
    let units: BTreeMap<String, csv::StringRecord> = rows(UNITS)
        .into_iter()
        .map(|row| (row[2].to_owned(), row))
        .collect();
    let mut parts: BTreeMap<(String, String), Vec<csv::StringRecord>> = BTreeMap::new();
    for row in rows(LEGACY) {
        let unit = units
            .get(&row[6])
            .unwrap_or_else(|| panic!("{} is not in force", &row[6]));
        assert_eq!((&row[7], &row[8], &row[9]), (&unit[3], &unit[0], &unit[1]));
        parts
            .entry((row[2].to_owned(), row[4].to_owned()))
            .or_default()
            .push(row);
    }
    assert_eq!(
        parts.len(),
        10_035 + 5,
        "communes of 30 June 2025 and five districts without any"
    );
    for (old, rows) in &parts {
        assert_eq!(
            rows.iter().filter(|row| &row[11] == "1").count(),
            1,
            "defaults of {old:?}"
        );
        assert!(
            rows.iter().all(|row| row[10] == rows.len().to_string()),
            "split_count of {old:?}"
        );
    }
    let reached: BTreeSet<&str> = parts.values().flatten().map(|row| &row[6]).collect();
    assert_eq!(
        reached.len(),
        units.len(),
        "every unit in force has a predecessor"
    );
}
