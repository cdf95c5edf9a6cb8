//! Room `app::demo`: offices and units of the demo's city.
//!
//! In: the unit files. Out: the one-stop centres, and where addressees live. Deliberately not here: setting them up in the
//! store (`cast`), and what people ask for (`procedures`).

use super::dice::Dice;
use crate::stage::import::units::{DONG_NAI, ONCE_XA, SET_NOW, SET_OF_2025};
use std::collections::BTreeSet;

/// National code of Quảng Ninh.
pub(super) const PROVINCE: &str = "22";
/// Set version of the units before July 2025.
pub(super) const SET_BEFORE: &str = "legacy-2025-06";

const UNITS: &str = include_str!("../../../fixtures/units/units.csv");
const OLD_UNITS: &str = include_str!("../../../fixtures/units/legacy_units.csv");

/// A one-stop centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Centre {
    /// Short code in files and on the command line.
    pub(super) code: &'static str,
    /// Name.
    pub(super) name: &'static str,
    /// National code of its commune.
    pub(super) commune: &'static str,
    /// Identifier in dossier codes.
    pub(super) identifier: &'static str,
    /// How many of a thousand dossiers it receives.
    weight: u32,
}

const fn centre(
    code: &'static str,
    name: &'static str,
    commune: &'static str,
    identifier: &'static str,
    weight: u32,
) -> Centre {
    Centre {
        code,
        name,
        commune,
        identifier,
        weight,
    }
}

/// The provincial centre's branch first, then the centres of the thirteen communes that the city of Hạ Long became.
pub(super) const CENTRES: [Centre; 14] = [
    centre(
        "pvhcc-hl",
        "Trung tâm Phục vụ hành chính công tỉnh – chi nhánh Hạ Long",
        "06688",
        "H49.30",
        420,
    ),
    centre(
        "hatu",
        "Trung tâm Phục vụ hành chính công phường Hà Tu",
        "06652",
        "H49.31",
        42,
    ),
    centre(
        "caoxanh",
        "Trung tâm Phục vụ hành chính công phường Cao Xanh",
        "06658",
        "H49.32",
        52,
    ),
    centre(
        "viethung",
        "Trung tâm Phục vụ hành chính công phường Việt Hưng",
        "06661",
        "H49.33",
        48,
    ),
    centre(
        "baichay",
        "Trung tâm Phục vụ hành chính công phường Bãi Cháy",
        "06673",
        "H49.34",
        84,
    ),
    centre(
        "halam",
        "Trung tâm Phục vụ hành chính công phường Hà Lầm",
        "06676",
        "H49.35",
        58,
    ),
    centre(
        "honggai",
        "Trung tâm Phục vụ hành chính công phường Hồng Gai",
        "06685",
        "H49.36",
        72,
    ),
    centre(
        "halong",
        "Trung tâm Phục vụ hành chính công phường Hạ Long",
        "06688",
        "H49.37",
        76,
    ),
    centre(
        "tuanchau",
        "Trung tâm Phục vụ hành chính công phường Tuần Châu",
        "06706",
        "H49.38",
        38,
    ),
    centre(
        "hoanhbo",
        "Trung tâm Phục vụ hành chính công phường Hoành Bồ",
        "07030",
        "H49.39",
        46,
    ),
    centre(
        "quangla",
        "Trung tâm Phục vụ hành chính công xã Quảng La",
        "07054",
        "H49.40",
        18,
    ),
    centre(
        "thongnhat",
        "Trung tâm Phục vụ hành chính công xã Thống Nhất",
        "07060",
        "H49.41",
        22,
    ),
    centre(
        "kythuong",
        "Trung tâm Phục vụ hành chính công xã Kỳ Thượng",
        "06979",
        "H49.42",
        9,
    ),
    centre(
        "luongminh",
        "Trung tâm Phục vụ hành chính công xã Lương Minh",
        "06985",
        "H49.43",
        15,
    ),
];

/// A commune centre, or, for what a commune does not decide, the provincial branch.
pub(super) fn some_centre(dice: &mut Dice, at_commune: bool) -> usize {
    if at_commune {
        1 + dice.weighted(CENTRES.iter().skip(1).map(|centre| centre.weight))
    } else {
        0
    }
}

/// National codes of a province and a commune within one set of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) set: &'static str,
    pub(super) province: &'static str,
    pub(super) commune: &'static str,
}

/// Where people live, read once from the unit files.
#[derive(Debug)]
pub(super) struct Map {
    near: Vec<&'static str>,
    province: Vec<&'static str>,
    far: Vec<(&'static str, &'static str)>,
    gone: Vec<&'static str>,
}

impl Map {
    /// Reads the files that come with the program.
    pub(super) fn built_in() -> Self {
        let near: Vec<&str> = CENTRES.iter().skip(1).map(|centre| centre.commune).collect();
        let rows = || {
            UNITS
                .lines()
                .skip(1)
                .map(|line| line.split(',').collect::<Vec<_>>())
        };
        let column = |row: &[&'static str], index: usize| row.get(index).copied().unwrap_or_default();
        let mut province = Vec::new();
        let mut far = Vec::new();
        let mut names = BTreeSet::new();
        for row in rows() {
            let (code, commune) = (column(&row, 0), column(&row, 2));
            if code == PROVINCE {
                names.insert(column(&row, 3));
                if !near.contains(&commune) {
                    province.push(commune);
                }
            } else {
                far.push((code, commune));
            }
        }
        // Wards of the old city whose name no unit of today has: an address that still says so reaches nobody.
        let gone: BTreeSet<&str> = OLD_UNITS
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>())
            .filter(|row| column(row, 0) == PROVINCE && column(row, 2) == "193")
            .filter(|row| !column(row, 5).is_empty() && !names.contains(column(row, 5)))
            .map(|row| column(&row, 4))
            .collect();
        Self {
            near,
            province,
            far,
            gone: gone.into_iter().collect(),
        }
    }

    /// Where somebody lives: mostly in the area of the old city, some elsewhere in the province, a few beyond.
    pub(super) fn home(&self, dice: &mut Dice) -> Units {
        let far = dice.between(0, 999);
        if far < 40
            && let Some((province, commune)) = dice.maybe(&self.far)
        {
            return now(province, commune);
        }
        let communes = if far < 130 { &self.province } else { &self.near };
        now(PROVINCE, dice.word(communes))
    }

    /// The same home written with a ward that no longer exists.
    pub(super) fn gone_home(&self, dice: &mut Dice) -> Units {
        Units {
            set: SET_BEFORE,
            province: PROVINCE,
            commune: dice.word(&self.gone),
        }
    }

    /// A home far away, named as before April 2026, and the same as today.
    pub(super) fn renamed_home(dice: &mut Dice) -> (Units, Units) {
        let commune = dice.word(&ONCE_XA);
        let before = Units {
            set: SET_OF_2025,
            province: DONG_NAI,
            commune,
        };
        (before, now(DONG_NAI, commune))
    }
}

const fn now(province: &'static str, commune: &'static str) -> Units {
    Units {
        set: SET_NOW,
        province,
        commune,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thirteen communes exist today under these names, and the old wards do not.
    #[test]
    fn centres_stand_in_units_of_today_and_gone_wards_do_not() {
        for centre in CENTRES.iter().skip(1) {
            let row = UNITS
                .lines()
                .find(|line| line.contains(&format!(",{},", centre.commune)))
                .unwrap();
            let name = row.split(',').nth(3).unwrap();
            let (_, bare) = name.split_once(' ').unwrap();
            assert!(row.starts_with("22,") && centre.name.ends_with(bare), "{row}");
        }
        let map = Map::built_in();
        assert_eq!(
            (map.near.len(), map.province.len(), map.far.len()),
            (13, 41, 3_267)
        );
        assert!(map.gone.contains(&"06694"), "{:?}", map.gone);
        assert!(!map.gone.contains(&"06673"), "Bãi Cháy is still there");
    }
}
