//! Room `edge::carrier::myvnpost`: the operator's codes and words, as data.
//!
//! In: the tables of `fixtures/status-maps` (compiled in, or given by the caller). Out: the meaning of a status code,
//! of an error text, and the add-ons of a service. Deliberately not here: any code, word or service by itself.

use super::wire::fold;
use crate::domain::delivery::EventKind;
use crate::edge::carrier::{CodeMeaning, RefusalReason};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The tables of an adapter cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A row has not the columns expected.
    #[error("the {table} table is not readable at row {row}")]
    Row {
        /// Which table.
        table: &'static str,
        /// Row, the first below the heading is 1.
        row: usize,
    },
    /// A word is not one of ours.
    #[error("the {table} table uses an unknown word at row {row}")]
    Word {
        /// Which table.
        table: &'static str,
        /// Row, the first below the heading is 1.
        row: usize,
    },
    /// A key stands twice.
    #[error("the {table} table repeats a key at row {row}")]
    Repeated {
        /// Which table.
        table: &'static str,
        /// Row, the first below the heading is 1.
        row: usize,
    },
}

fn read_rows<T: for<'de> Deserialize<'de>>(table: &'static str, csv: &str) -> Result<Vec<T>, TableError> {
    csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(csv.as_bytes())
        .into_deserialize()
        .enumerate()
        .map(|(index, row)| {
            row.map_err(|_shape| TableError::Row {
                table,
                row: index + 1,
            })
        })
        .collect()
}

/// Status codes and what they state.
#[derive(Clone, Debug)]
pub(super) struct StatusMap(BTreeMap<String, CodeMeaning>);

#[derive(Deserialize)]
struct StatusRow {
    code: String,
    facts: String,
    partial: bool,
}

impl StatusMap {
    /// Reads `code,name_vi,facts,partial,note`.
    pub(super) fn parse(csv: &str) -> Result<Self, TableError> {
        const TABLE: &str = "status";
        let mut map = BTreeMap::new();
        for (index, row) in read_rows::<StatusRow>(TABLE, csv)?.into_iter().enumerate() {
            let number = index + 1;
            let facts = row
                .facts
                .split('|')
                .filter(|word| !word.is_empty())
                .map(|word| {
                    EventKind::parse(word).ok_or(TableError::Word {
                        table: TABLE,
                        row: number,
                    })
                })
                .collect::<Result<Vec<_>, _>>()?;
            let meaning = CodeMeaning {
                facts,
                partial: row.partial,
            };
            if map.insert(row.code, meaning).is_some() {
                return Err(TableError::Repeated {
                    table: TABLE,
                    row: number,
                });
            }
        }
        Ok(Self(map))
    }

    /// The meaning of a raw code.
    pub(super) fn meaning(&self, code: &str) -> Option<&CodeMeaning> {
        self.0.get(code)
    }
}

/// What an error text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextMeaning {
    /// The access token was refused.
    Token,
    /// The reference exists already.
    Duplicate,
    /// There is no such order.
    Absent,
    /// A fault after which the order may exist all the same.
    Doubtful,
    /// A definite no, for this reason; `Unrecognised` for a text no row matches.
    Refused(RefusalReason),
}

/// Patterns for error texts; the first that matches wins.
#[derive(Clone, Debug)]
pub(super) struct TextTable(Vec<(Vec<String>, TextMeaning)>);

#[derive(Deserialize)]
struct TextRow {
    pattern: String,
    meaning: String,
}

impl TextTable {
    /// Reads `pattern,meaning,note`; a pattern is accent-folded, its parts are joined by `*`.
    pub(super) fn parse(csv: &str) -> Result<Self, TableError> {
        const TABLE: &str = "refusals";
        read_rows::<TextRow>(TABLE, csv)?
            .into_iter()
            .enumerate()
            .map(|(index, row)| {
                let fault = TableError::Word {
                    table: TABLE,
                    row: index + 1,
                };
                let meaning = match row.meaning.as_str() {
                    "token" => TextMeaning::Token,
                    "duplicate" => TextMeaning::Duplicate,
                    "absent" => TextMeaning::Absent,
                    "doubtful" => TextMeaning::Doubtful,
                    "phone" => TextMeaning::Refused(RefusalReason::Phone),
                    "name" => TextMeaning::Refused(RefusalReason::Name),
                    "address" => TextMeaning::Refused(RefusalReason::Address),
                    "unit" => TextMeaning::Refused(RefusalReason::Unit),
                    "service" => TextMeaning::Refused(RefusalReason::Service),
                    "account" => TextMeaning::Refused(RefusalReason::Account),
                    _unknown => return Err(fault),
                };
                let parts: Vec<String> = row.pattern.split('*').map(fold).collect();
                if parts.iter().any(String::is_empty) {
                    return Err(fault);
                }
                Ok((parts, meaning))
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }

    /// What the text says.
    pub(super) fn meaning(&self, text: &str) -> TextMeaning {
        let folded = fold(text);
        self.0
            .iter()
            .find(|(parts, _meaning)| holds_in_order(&folded, parts))
            .map_or(
                TextMeaning::Refused(RefusalReason::Unrecognised),
                |(_parts, meaning)| *meaning,
            )
    }
}

fn holds_in_order(text: &str, parts: &[String]) -> bool {
    parts
        .iter()
        .try_fold(text, |rest, part| {
            rest.split_once(part.as_str()).map(|(_before, after)| after)
        })
        .is_some()
}

/// Which add-ons a service is known to allow.
#[derive(Clone, Debug)]
pub(super) struct ServiceTable(BTreeMap<String, BTreeSet<String>>);

#[derive(Deserialize)]
struct ServiceRow {
    service: String,
    addons: String,
}

impl ServiceTable {
    /// Reads `service,name_vi,addons`.
    pub(super) fn parse(csv: &str) -> Result<Self, TableError> {
        const TABLE: &str = "services";
        let mut map = BTreeMap::new();
        for (index, row) in read_rows::<ServiceRow>(TABLE, csv)?.into_iter().enumerate() {
            let addons = row
                .addons
                .split('|')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            if map.insert(row.service, addons).is_some() {
                return Err(TableError::Repeated {
                    table: TABLE,
                    row: index + 1,
                });
            }
        }
        Ok(Self(map))
    }

    /// Whether the service is known to allow the add-on.
    pub(super) fn allows(&self, service: &str, addon: &str) -> bool {
        self.0.get(service).is_some_and(|addons| addons.contains(addon))
    }
}
