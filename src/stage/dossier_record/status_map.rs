//! Room `stage`, dossier records: what a source's raw status means, as versioned data files.
//!
//! In: the map's name and a raw code. Out: a status of the national portal, or nothing for a code the map lacks: a
//! status is never guessed. Deliberately not here: which source uses which map (its row says so).

use crate::domain::dossier::DossierStatus;
use std::collections::BTreeMap;

/// Name, version and text of every map, the newest version of each name only.
const FILES: &[(&str, u32, &str)] = &[
    (
        "national",
        1,
        include_str!("../../../fixtures/status-maps/dossier.national.v1.csv"),
    ),
    (
        "local-sample",
        1,
        include_str!("../../../fixtures/status-maps/dossier.local-sample.v1.csv"),
    ),
];

/// A map from raw codes to statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMap {
    version: u32,
    meanings: BTreeMap<&'static str, DossierStatus>,
}

impl StatusMap {
    /// The map of this name, also written `dossier.NAME`.
    pub fn find(name: &str) -> Option<Self> {
        let name = name.strip_prefix("dossier.").unwrap_or(name);
        let (_, version, text) = FILES.iter().find(|(known, _, _)| *known == name)?;
        Some(Self {
            version: *version,
            meanings: read(text),
        })
    }

    /// Version of the data file, kept with every statement read by it.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// What a raw code means; blanks around it do not count.
    pub fn meaning(&self, raw: &str) -> Option<DossierStatus> {
        self.meanings.get(raw.trim()).copied()
    }
}

/// Rows are `code,name,status`; none holds a quoted comma, which a test checks.
fn read(text: &'static str) -> BTreeMap<&'static str, DossierStatus> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let (code, rest) = line.split_once(',')?;
            let (_name, status) = rest.rsplit_once(',')?;
            Some((code, DossierStatus::new(status.parse().ok()?)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_national_map_is_the_identity_and_the_local_one_is_not() {
        let national = StatusMap::find("national").unwrap();
        for number in 1..=10_u8 {
            assert_eq!(national.meaning(&number.to_string()), DossierStatus::new(number));
        }
        assert_eq!(national.meaning("11"), None);
        let local = StatusMap::find("dossier.local-sample").unwrap();
        assert_eq!(local.meaning(" 5 "), Some(DossierStatus::RETURNED));
        assert_eq!(local.meaning("6"), Some(DossierStatus::FINISHED));
        assert_eq!(StatusMap::find("other"), None);
    }

    #[test]
    fn every_row_of_every_file_is_read() {
        for (name, version, text) in FILES {
            let map = StatusMap::find(name).unwrap();
            assert_eq!(map.meanings.len(), text.lines().count() - 1, "{name}");
            assert_eq!(map.version(), *version);
            assert!(!text.contains('"'), "{name}");
        }
    }
}
