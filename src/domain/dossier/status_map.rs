//! Room `domain`: what a dossier system's raw status means on the national portal.
//!
//! A source has its own codes (one writes 5 for "returned"), so each names a map, and a map is data: a CSV text with
//! the columns `raw,status,name_vi`. In: the text of a map. Out: raw code to [`DossierStatus`]. A version is never
//! changed once used: it stands in journal entries. Deliberately not here: which source uses which map.

use super::DossierStatus;
use crate::domain::journal::clean_code;
use crate::domain::name::fold_for_search;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The first line of every map.
pub const STATUS_MAP_HEADER: &str = "raw,status,name_vi";
/// First line of a map that names the wording before the status.
pub const STATUS_MAP_HEADER_WORDING_FIRST: &str = "code,name_vi,status";

/// Name of the map for systems that use the portal's own numbers.
pub const NATIONAL: &str = "national";

/// Name, version and text of every map that ships with the program.
const SHIPPED: [(&str, u32, &str); 2] = [
    (
        NATIONAL,
        1,
        include_str!("../../../fixtures/status-maps/dossier.national.v1.csv"),
    ),
    (
        "local-sample",
        1,
        include_str!("../../../fixtures/status-maps/dossier.local-sample.v1.csv"),
    ),
];

/// Why a text is no status map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusMapError {
    /// The first line is not [`STATUS_MAP_HEADER`].
    #[error("the first line of a status map must be raw,status,name_vi")]
    Header,
    /// A line without exactly three columns, or with an empty one.
    #[error("line {line} of the status map must have three columns, none empty")]
    Columns {
        /// From 1, the header included.
        line: usize,
    },
    /// The raw code is longer than 64 characters or not printable ASCII.
    #[error("line {line} of the status map has a raw code that is not 1 to 64 printable ASCII characters")]
    Raw {
        /// From 1.
        line: usize,
    },
    /// The status is no number from 1 to 10.
    #[error("line {line} of the status map has a status outside 1 to 10")]
    Status {
        /// From 1.
        line: usize,
    },
    /// The raw code stands twice.
    #[error("line {line} of the status map repeats a raw code")]
    Repeated {
        /// From 1.
        line: usize,
    },
    /// No line but the header.
    #[error("the status map is empty")]
    Empty,
}

/// The meaning of one raw code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMeaning {
    /// The source's own code.
    pub raw: String,
    /// What it means, 1-10.
    pub status: DossierStatus,
    /// Wording shown to people.
    pub name_vi: String,
}

/// One version of one source's map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMap {
    version: u32,
    rows: BTreeMap<String, StatusMeaning>,
}

impl StatusMap {
    /// Reads the text of a map.
    ///
    /// # Errors
    /// [`StatusMapError`] for the first line that is wrong.
    pub fn parse(version: u32, text: &str) -> Result<Self, StatusMapError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
        let wording_first = match lines.next().map(|(line, _)| line.trim()) {
            Some(STATUS_MAP_HEADER) => false,
            Some(STATUS_MAP_HEADER_WORDING_FIRST) => true,
            Some(_) | None => return Err(StatusMapError::Header),
        };
        let mut rows = BTreeMap::new();
        for (text, line) in lines.filter(|(text, _)| !text.trim().is_empty()) {
            let columns: Vec<&str> = text.split(',').map(str::trim).collect();
            let [raw, second, third] = columns.as_slice() else {
                return Err(StatusMapError::Columns { line });
            };
            let (status, name_vi) = if wording_first {
                (third, second)
            } else {
                (second, third)
            };
            if raw.is_empty() || status.is_empty() || name_vi.is_empty() {
                return Err(StatusMapError::Columns { line });
            }
            if clean_code(raw) != *raw {
                return Err(StatusMapError::Raw { line });
            }
            let status = status.parse().ok().and_then(DossierStatus::new);
            let meaning = StatusMeaning {
                raw: (*raw).to_owned(),
                status: status.ok_or(StatusMapError::Status { line })?,
                name_vi: (*name_vi).to_owned(),
            };
            if rows.insert(meaning.raw.clone(), meaning).is_some() {
                return Err(StatusMapError::Repeated { line });
            }
        }
        if rows.is_empty() {
            return Err(StatusMapError::Empty);
        }
        Ok(Self { version, rows })
    }

    /// Version, from 1.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The meaning of a raw code, or of its Vietnamese wording where a file carries that instead; accents, case and
    /// blanks of the wording do not matter. `None`: this source has no such status, and a person must say.
    pub fn find(&self, text: &str) -> Option<&StatusMeaning> {
        let text = text.trim();
        if let Some(meaning) = self.rows.get(text) {
            return Some(meaning);
        }
        let folded = fold_for_search(text);
        if folded.is_empty() {
            return None;
        }
        let mut fitting = self
            .rows
            .values()
            .filter(|meaning| fold_for_search(&meaning.name_vi) == folded);
        let first = fitting.next();
        first.filter(|_| fitting.next().is_none())
    }

    /// All rows, by raw code.
    pub fn rows(&self) -> impl Iterator<Item = &StatusMeaning> {
        self.rows.values()
    }
}

/// The newest version of every map, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusMaps(BTreeMap<String, StatusMap>);

impl StatusMaps {
    /// The maps that ship with the program.
    ///
    /// # Errors
    /// [`StatusMapError`] when a shipped file is broken; a test rules that out.
    pub fn built_in() -> Result<Self, StatusMapError> {
        let mut maps = Self::default();
        for (name, version, text) in SHIPPED {
            maps.add(name, StatusMap::parse(version, text)?);
        }
        Ok(maps)
    }

    /// The same, read once.
    ///
    /// # Errors
    /// As [`StatusMaps::built_in`].
    pub fn shipped() -> Result<&'static Self, StatusMapError> {
        static MAPS: LazyLock<Result<StatusMaps, StatusMapError>> = LazyLock::new(StatusMaps::built_in);
        MAPS.as_ref().map_err(Clone::clone)
    }

    /// Adds a map; of two of the same name the newer version stays.
    pub fn add(&mut self, name: &str, map: StatusMap) {
        let keep = self.0.get(name).is_some_and(|known| known.version >= map.version);
        if !keep {
            self.0.insert(name.to_owned(), map);
        }
    }

    /// A map by its name, also written `dossier.NAME` as its file is called.
    pub fn find(&self, name: &str) -> Option<&StatusMap> {
        self.0.get(name.strip_prefix("dossier.").unwrap_or(name))
    }

    /// The names known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_map_knows_all_ten_by_number_and_by_wording() {
        let maps = StatusMaps::built_in().unwrap();
        let map = maps.find(NATIONAL).unwrap();
        for number in 1..=10_u8 {
            let meaning = map.find(&format!(" {number} ")).unwrap();
            assert_eq!(meaning.status.number(), number);
            assert_eq!(map.find(&meaning.name_vi), Some(meaning));
        }
        assert_eq!(
            map.find("da xu ly  xong").unwrap().status,
            DossierStatus::FINISHED
        );
        assert_eq!(map.find("11"), None);
        assert_eq!(map.find(""), None);
        assert_eq!((map.version(), map.rows().count()), (1, 10));
    }

    #[test]
    fn a_local_map_is_not_the_identity() {
        let local = StatusMaps::shipped()
            .unwrap()
            .find("dossier.local-sample")
            .unwrap();
        assert_eq!(local.find(" 5 ").unwrap().status, DossierStatus::RETURNED);
        assert_eq!(local.find("6").unwrap().status, DossierStatus::FINISHED);
        assert_eq!(StatusMaps::shipped().unwrap().find("other"), None);
    }

    #[track_caller]
    fn check(text: &str, expect: StatusMapError) {
        assert_eq!(StatusMap::parse(1, text), Err(expect));
    }

    #[test]
    fn broken_maps_are_refused_by_line() {
        let with = |row: &str| format!("{STATUS_MAP_HEADER}\n9,9,Xong\n{row}\n");
        check("status,raw\n", StatusMapError::Header);
        check(STATUS_MAP_HEADER, StatusMapError::Empty);
        check(&with("a,b"), StatusMapError::Columns { line: 3 });
        check(&with("a,,c"), StatusMapError::Columns { line: 3 });
        check(&with("é,9,c"), StatusMapError::Raw { line: 3 });
        check(&with("x,11,c"), StatusMapError::Status { line: 3 });
        check(&with("x,0,c"), StatusMapError::Status { line: 3 });
        check(&with("9,10,c"), StatusMapError::Repeated { line: 3 });
    }

    #[test]
    fn one_wording_of_two_codes_is_nobody_and_the_newer_version_stays() {
        let text = format!("{STATUS_MAP_HEADER}\na,9,Xong\nb,10,Xong\n");
        let old = StatusMap::parse(1, &text).unwrap();
        assert_eq!(old.find("xong"), None);
        let new = StatusMap::parse(2, &text).unwrap();
        let mut maps = StatusMaps::default();
        maps.add("x", new.clone());
        maps.add("x", old);
        assert_eq!(maps.find("x"), Some(&new));
        assert_eq!(maps.names().collect::<Vec<_>>(), ["x"]);
    }
}
