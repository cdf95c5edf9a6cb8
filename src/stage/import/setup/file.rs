//! Room `stage`, import: the set-up file as it is written.
//!
//! In: TOML. Out: [`File`]; a key nobody knows is refused. Secrets never stand in it, only where they are found.
//! Deliberately not here: whether the values hold together (`plan`).

use crate::domain::capability::Capabilities;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The whole file: lists of tables, each may be left out. What it does not name stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) account: Vec<Account>,
    #[serde(default)]
    pub(super) office: Vec<Office>,
    #[serde(default)]
    pub(super) procedure: Vec<Procedure>,
    #[serde(default)]
    pub(super) source: Vec<Source>,
    #[serde(default)]
    pub(super) staff: Vec<Staff>,
}

/// An operator account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) code: String,
    pub(super) adapter: String,
    pub(super) base_url: String,
    pub(super) username_from: String,
    pub(super) password_from: String,
    pub(super) callback_secret_from: String,
    pub(super) rate_per_minute: u32,
    pub(super) rate_burst: u32,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    pub(super) capabilities: Option<Capabilities>,
}

/// An office with its sender block.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Office {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) valid_from: toml::value::Datetime,
    pub(super) valid_to: Option<toml::value::Datetime>,
    pub(super) successor: Option<String>,
    pub(super) account: Option<String>,
    #[serde(default = "yes")]
    pub(super) paper_first: bool,
    pub(super) sender: Sender,
}

/// What the operator is told of the sender.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sender {
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) line: String,
    pub(super) unit_set: String,
    pub(super) province: String,
    pub(super) commune: String,
}

/// An administrative procedure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Procedure {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) by_post: bool,
    pub(super) receiver_policy: String,
    #[serde(default)]
    pub(super) takes_back_old: bool,
}

/// A dossier system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) status_map: String,
}

/// A member of staff.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Staff {
    pub(super) login: String,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) role: Vec<Role>,
}

/// A role at an office for a time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    pub(super) office: String,
    #[serde(rename = "role")]
    pub(super) word: String,
    pub(super) from: toml::value::Datetime,
    pub(super) until: Option<toml::value::Datetime>,
}

const fn yes() -> bool {
    true
}

impl File {
    /// Tables in all.
    pub(super) fn tables(&self) -> usize {
        let roles: usize = self.staff.iter().map(|person| person.role.len()).sum();
        let one_each = self.account.len() + self.office.len() + self.procedure.len() + self.source.len();
        one_each + self.staff.len() + roles
    }
}

/// Reads the file; line and message of the first thing that is not as it must be. No value stands in the message but a
/// word of the wrong type.
pub(super) fn read(text: &str) -> Result<File, (usize, String)> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        (before.matches('\n').count() + 1, error.message().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_missing_keys_are_told_by_line_and_no_secret_is_repeated() {
        let (line, message) = read("[[source]]\ncode = \"a\"\nname = \"b\"\nstatus_mop = \"c\"\n")
            .err()
            .unwrap();
        assert_eq!(line, 4);
        assert!(
            message.contains("status_mop") && message.contains("status_map"),
            "{message}"
        );
        let (line, message) = read("\n[[source]]\ncode = \"a\"\n").err().unwrap();
        assert_eq!((line, message.as_str()), (2, "missing field `name`"));
        let (line, message) = read("[[account]]\npassword = \"hunter2\"\n").err().unwrap();
        assert_eq!(line, 2);
        assert!(!message.contains("hunter2"), "{message}");
        assert_eq!(read("").unwrap().tables(), 0);
    }
}
