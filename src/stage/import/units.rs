//! Room `stage`, import: the national list of administrative units.
//!
//! In: the sets that come with the program, or a CSV file of one set. Out: the units that differ, a few at a time; a
//! loading cut off half-way is made whole by the next one. Units that a newer file no longer has are kept: addresses name
//! them. Deliberately not here: the operators' own lists (`reconcile`), and choosing a unit for a person.

use crate::domain::address::{UnitCode, UnitLevel, UnitSet};
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::store::record::Hand;
use crate::edge::store::unit::{Unit, put_unit, unit_sets, units_of};
use crate::edge::store::{Command, StoreError, Tx};
use crate::stage::context::Context;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Largest file of units, bytes.
pub const UNITS_BYTES_MAX: usize = 8 << 20;
/// Most communes of a file.
pub const COMMUNES_MAX: usize = 15_000;
/// Headings of a file of units.
pub const UNIT_HEADINGS: [&str; 5] = [
    "province_code",
    "province_name",
    "commune_code",
    "commune_name",
    "type",
];
/// Units written in one transaction.
const WRITTEN_MAX: usize = 200;

/// Set of today's units.
pub const SET_NOW: &str = "vn-2026-04";
/// Set of the units from July 2025 on, before ten xã of Đồng Nai became phường.
pub const SET_OF_2025: &str = "vn-2025-07";
/// National code of Đồng Nai, a centrally-run city since 30 April 2026 (Nghị quyết 30/2026/QH16).
pub const DONG_NAI: &str = "75";
/// The ten communes that were xã in [`SET_OF_2025`] and are phường today (Nghị quyết 237/NQ-UBTVQH16): a system that was
/// not brought up to date still calls them so.
pub const ONCE_XA: [&str; 10] = [
    "25270", "25357", "25363", "26116", "26170", "26248", "26326", "26368", "26425", "26485",
];

const BUILT_IN: &str = include_str!("../../../fixtures/units/units.csv");

/// A set of units with its first day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NationalSet {
    /// Its name.
    pub name: String,
    /// First day of its validity.
    pub valid_from: Date,
    /// Provinces and communes.
    pub units: Vec<Unit>,
}

/// Why a file of units is refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitFileError {
    /// Too large.
    #[error("the file is larger than 8 MiB or has more than {COMMUNES_MAX} communes")]
    Size,
    /// Not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// The name of the set.
    #[error("the set must be named like vn-2026-04: lower-case letters, year, month")]
    Set,
    /// The heading.
    #[error("the first line must be province_code,province_name,commune_code,commune_name,type")]
    Header,
    /// A line that is no unit: codes of 2 and 5 digits, names that are not empty.
    #[error("line {line}: wants a province code of 2 digits, a commune code of 5, and both names")]
    Line {
        /// From 1.
        line: usize,
    },
    /// A commune stands twice, or a province has two names.
    #[error("line {line}: the commune stands twice, or its province has another name elsewhere")]
    Repeated {
        /// From 1.
        line: usize,
    },
    /// No unit at all.
    #[error("the file has no unit")]
    Empty,
}

/// Reads a file of one set.
///
/// # Errors
/// [`UnitFileError`] for the first line that is wrong.
pub fn read(bytes: &[u8], name: &str, valid_from: Date) -> Result<NationalSet, UnitFileError> {
    if bytes.len() > UNITS_BYTES_MAX {
        return Err(UnitFileError::Size);
    }
    UnitSet::parse(name).map_err(|_form| UnitFileError::Set)?;
    let text = std::str::from_utf8(bytes).map_err(|_form| UnitFileError::NotUtf8)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    if !reader
        .headers()
        .is_ok_and(|found| found == UNIT_HEADINGS.as_slice())
    {
        return Err(UnitFileError::Header);
    }
    let mut provinces: BTreeMap<String, String> = BTreeMap::new();
    let mut communes: BTreeMap<String, Unit> = BTreeMap::new();
    for (record, line) in reader.records().zip(2..) {
        let record = record.map_err(|_form| UnitFileError::Line { line })?;
        let column = |index: usize| record.get(index).unwrap_or_default().trim();
        let [province, province_name, commune, commune_name] = [column(0), column(1), column(2), column(3)];
        let is = |code: &str, level| {
            let set = UnitSet::parse(name);
            set.and_then(|set| UnitCode::new(set, code))
                .is_ok_and(|unit| unit.level() == level)
        };
        let codes = is(province, UnitLevel::Province) && is(commune, UnitLevel::Commune);
        if !codes || province_name.is_empty() || commune_name.is_empty() {
            return Err(UnitFileError::Line { line });
        }
        let known = provinces
            .entry(province.to_owned())
            .or_insert_with(|| province_name.to_owned());
        let unit = Unit {
            unit_set: name.to_owned(),
            code: commune.to_owned(),
            level: "commune".to_owned(),
            name: commune_name.to_owned(),
            parent_code: Some(province.to_owned()),
        };
        if *known != province_name || communes.insert(commune.to_owned(), unit).is_some() {
            return Err(UnitFileError::Repeated { line });
        }
        if communes.len() > COMMUNES_MAX {
            return Err(UnitFileError::Size);
        }
    }
    if communes.is_empty() {
        return Err(UnitFileError::Empty);
    }
    let provinces = provinces.into_iter().map(|(code, province)| Unit {
        unit_set: name.to_owned(),
        code,
        level: "province".to_owned(),
        name: province,
        parent_code: None,
    });
    Ok(NationalSet {
        name: name.to_owned(),
        valid_from,
        units: provinces.chain(communes.into_values()).collect(),
    })
}

/// The sets that come with the program: since July 2025, and since April 2026.
///
/// # Errors
/// [`UnitFileError`] when the file that comes with it is broken; a test rules that out.
pub fn built_in() -> Result<Vec<NationalSet>, UnitFileError> {
    let now = read(BUILT_IN.as_bytes(), SET_NOW, date(2026, 4, 30))?;
    let mut before = read(BUILT_IN.as_bytes(), SET_OF_2025, date(2025, 7, 1))?;
    for unit in &mut before.units {
        if unit.level == "province" && unit.code == DONG_NAI {
            "Tỉnh Đồng Nai".clone_into(&mut unit.name);
        } else if ONCE_XA.contains(&unit.code.as_str()) {
            unit.name = unit.name.replacen("Phường", "Xã", 1);
        }
    }
    Ok(vec![before, now])
}

/// What loading a set did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The set.
    pub name: String,
    /// Units of the file.
    pub units: usize,
    /// Of them, written because they were not there or differed.
    pub written: usize,
    /// Units that stand in the store and not in the file; they are kept.
    pub kept: usize,
}

/// Loads sets, or only tells what differs.
///
/// # Errors
/// [`StoreError`] as the database says; then a part may stand, and loading again makes it whole.
pub async fn load(
    context: &Arc<Context>,
    sets: &[NationalSet],
    dry_run: bool,
) -> Result<Vec<Loaded>, StoreError> {
    let mut loaded = Vec::new();
    for set in sets {
        let valid_from = Timestamp::start_of(set.valid_from);
        let mut tx = context.store.snapshot().await?;
        let standing = units_of(&mut tx, &set.name).await?;
        let stands_from = unit_sets(&mut tx).await?;
        drop(tx);
        let same_day = stands_from
            .iter()
            .any(|(name, from, _)| *name == set.name && *from == valid_from);
        let key = |unit: &Unit| (unit.level.clone(), unit.code.clone());
        let mut known: BTreeMap<_, Unit> = standing.into_iter().map(|unit| (key(&unit), unit)).collect();
        let differing: Vec<Unit> = set
            .units
            .iter()
            .filter(|unit| known.remove(&key(unit)).as_ref() != Some(*unit) || !same_day)
            .cloned()
            .collect();
        loaded.push(Loaded {
            name: set.name.clone(),
            units: set.units.len(),
            written: differing.len(),
            kept: known.len(),
        });
        if dry_run {
            continue;
        }
        let chunks = differing.chunks(WRITTEN_MAX);
        let last = chunks.len();
        for (number, units) in chunks.enumerate() {
            let load = Load {
                context: Arc::clone(context),
                units: units.to_vec(),
                valid_from,
                told: (number + 1 == last).then_some(differing.len()),
            };
            context.store.submit(load).await?;
        }
    }
    Ok(loaded)
}

struct Load {
    context: Arc<Context>,
    units: Vec<Unit>,
    valid_from: Timestamp,
    /// In the last part: how many units were written in all.
    told: Option<usize>,
}

impl Command for Load {
    const NAME: &'static str = "import_units";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for unit in &self.units {
            put_unit(tx, unit, self.valid_from).await?;
        }
        let Some(count) = self.told else {
            return Ok(());
        };
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.context.clock.now(),
            actor: Actor::ADMINISTRATOR,
            office: [0; 16],
        };
        let fields = Fields::new()
            .int(Tag::Count, i64::try_from(count).unwrap_or(i64::MAX))
            .ascii(Tag::Word, "units");
        hand.append_system(tx, Kind::ConfigurationChanged, fields).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_once_xa_of_dong_nai_are_phuong_today() {
        let sets = built_in().unwrap();
        let [before, now] = sets.as_slice() else {
            panic!("two sets");
        };
        for set in [before, now] {
            assert_eq!(set.units.len(), 34 + 3_321, "{}", set.name);
        }
        let name = |set: &NationalSet, code: &str| {
            let found = set.units.iter().find(|unit| unit.code == code);
            found.map(|unit| unit.name.clone()).unwrap()
        };
        for code in ONCE_XA {
            assert!(name(before, code).starts_with("Xã ") && name(now, code).starts_with("Phường "));
        }
        assert_eq!(name(before, DONG_NAI), "Tỉnh Đồng Nai");
        assert_eq!(name(now, DONG_NAI), "Thành phố Đồng Nai");
        let differing = before
            .units
            .iter()
            .zip(&now.units)
            .filter(|(old, new)| old.name != new.name);
        assert_eq!(differing.count(), 11);
    }

    #[test]
    fn files_are_refused_at_the_first_wrong_line() {
        let head = UNIT_HEADINGS.join(",");
        let read = |rows: &str| {
            read(
                format!("{head}\n{rows}").as_bytes(),
                "vn-2027-01",
                date(2027, 1, 1),
            )
        };
        let good = "22,Tỉnh A,06688,Phường B,phuong";
        assert_eq!(read(good).unwrap().units.len(), 2);
        assert_eq!(read("").err(), Some(UnitFileError::Empty));
        let line = |rows: &str| read(&format!("{good}\n{rows}")).err();
        assert_eq!(
            line("22,Tỉnh A,6688,Phường C,phuong"),
            Some(UnitFileError::Line { line: 3 })
        );
        assert_eq!(
            line("22,Tỉnh A,06689,,phuong"),
            Some(UnitFileError::Line { line: 3 })
        );
        assert_eq!(
            line("22,Tỉnh A,06688,Phường C,phuong"),
            Some(UnitFileError::Repeated { line: 3 })
        );
        assert_eq!(
            line("22,Tỉnh X,06689,Phường C,phuong"),
            Some(UnitFileError::Repeated { line: 3 })
        );
        assert_eq!(
            super::read(b"a,b\n", "vn-2027-01", date(2027, 1, 1)).err(),
            Some(UnitFileError::Header)
        );
        assert_eq!(
            super::read(b"", "today", date(2027, 1, 1)).err(),
            Some(UnitFileError::Set)
        );
        assert_eq!(
            super::read(b"\xff", "vn-2027-01", date(2027, 1, 1)).err(),
            Some(UnitFileError::NotUtf8)
        );
    }
}
