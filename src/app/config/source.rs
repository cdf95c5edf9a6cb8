//! Room `app`: the sources of the configuration, laid over each other key by key.
//!
//! In: texts. Out: one table and, for each key, who set it. Unknown keys and wrong kinds of value are refused here, with
//! the key's name. Deliberately not here: relations between values.

use super::{Config, ConfigError};
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::{Table, Value};

/// The defaults, with a comment for each key.
pub(super) const DEFAULTS: &str = include_str!("defaults.toml");
/// Beginning of the environment's names.
const ENVIRONMENT_PREFIX: &str = "HOIBAO__";

/// What the command line and the process say beside the file.
#[derive(Clone, Default)]
pub struct Overrides {
    /// A file to read.
    pub file: Option<PathBuf>,
    /// Address of the database.
    pub database: Option<String>,
    /// Levels of the log.
    pub log: Option<String>,
    /// The environment's pairs that begin with `HOIBAO__`.
    pub environment: Vec<(String, String)>,
}

impl Overrides {
    /// The environment of this process, as far as it is ours.
    ///
    /// # Errors
    /// [`ConfigError`] when a name of ours or its value is no UTF-8.
    pub fn environment() -> Result<Vec<(String, String)>, ConfigError> {
        let mut pairs = Vec::new();
        for (name, value) in std::env::vars_os() {
            let shown = name.to_string_lossy().into_owned();
            if !shown.starts_with(ENVIRONMENT_PREFIX) {
                continue;
            }
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else {
                return Err(ConfigError::one(format!(
                    "environment variable {shown} is not UTF-8; set it again"
                )));
            };
            pairs.push((name, value));
        }
        pairs.sort();
        Ok(pairs)
    }
}

/// Who set a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled in.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// This option of the command line.
    CommandLine(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine(option) => write!(f, "option {option}"),
        }
    }
}

/// One key as `config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Section.
    pub section: String,
    /// Key within the section.
    pub key: String,
    /// Value in TOML, secrets as `***`.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

/// All sources laid over each other.
pub(super) struct Sources {
    /// Section, then key.
    pub(super) sections: BTreeMap<String, BTreeMap<String, Set>>,
    /// Sections and keys in the order of the defaults.
    pub(super) order: Vec<(String, String)>,
}

/// A value and who set it.
pub(super) struct Set {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Reads the defaults, the file and the environment.
pub(super) fn read(overrides: &Overrides) -> Result<Sources, ConfigError> {
    let mut sources = defaults()?;
    let mut problems = Vec::new();
    if let Some(path) = &overrides.file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::one(format!(
                "file {} cannot be read ({}); check --config and HOIBAO_CONFIG",
                path.display(),
                error.kind()
            ))
        })?;
        // The parser's own message may quote the line, and the line may hold a password: only its place is told.
        let table = text.parse::<Table>().map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            ConfigError::one(format!(
                "file {}, line {line}: not TOML ({})",
                path.display(),
                error.message()
            ))
        })?;
        lay_file(&mut sources, table, path, &mut problems);
    }
    for (name, text) in &overrides.environment {
        lay_variable(&mut sources, name, text, &mut problems);
    }
    let options = [
        ("--database", "database", "url", &overrides.database),
        ("--log", "log", "filter", &overrides.log),
    ];
    for (option, section, key, given) in options {
        if let Some(text) = given {
            let value = Value::String(text.clone());
            sources.set(section, key, value, Origin::CommandLine(option), &mut problems);
        }
    }
    if problems.is_empty() {
        Ok(sources)
    } else {
        Err(ConfigError { problems })
    }
}

fn defaults() -> Result<Sources, ConfigError> {
    let table = DEFAULTS
        .parse::<Table>()
        .map_err(|error| ConfigError::one(format!("the compiled-in defaults: {}", error.message())))?;
    let mut sources = Sources {
        sections: BTreeMap::new(),
        order: order_of(DEFAULTS),
    };
    for (section, keys) in table {
        let Value::Table(keys) = keys else { continue };
        let set = |value| Set {
            value,
            origin: Origin::Default,
        };
        let keys = keys.into_iter().map(|(key, value)| (key, set(value))).collect();
        sources.sections.insert(section, keys);
    }
    Ok(sources)
}

/// Sections and keys as written: the parser sorts them, people grouped them.
fn order_of(text: &str) -> Vec<(String, String)> {
    let mut section = "";
    let mut order = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _value)) = line.split_once('=') {
            order.push((section.to_owned(), key.trim().to_owned()));
        }
    }
    order
}

fn lay_file(sources: &mut Sources, table: Table, path: &std::path::Path, problems: &mut Vec<String>) {
    for (section, keys) in table {
        let Value::Table(keys) = keys else {
            problems.push(match sources.known_as(&section) {
                Some(near) => format!("key `{section}` stands in no section; did you mean `{near}`?"),
                None => format!("key `{section}` stands in no section; write it under one, such as [http]"),
            });
            continue;
        };
        if !sources.sections.contains_key(&section) {
            let names = sources.sections.keys().map(String::as_str);
            let near = nearest(&section, names).unwrap_or_default();
            problems.push(format!("unknown section `{section}`; did you mean `{near}`?"));
            continue;
        }
        for (key, value) in keys {
            sources.set(&section, &key, value, Origin::File(path.to_owned()), problems);
        }
    }
}

fn lay_variable(sources: &mut Sources, name: &str, text: &str, problems: &mut Vec<String>) {
    let dotted = name
        .strip_prefix(ENVIRONMENT_PREFIX)
        .unwrap_or(name)
        .to_ascii_lowercase();
    let (section, key) = dotted.split_once("__").unwrap_or((&dotted, ""));
    let Some(there) = sources.sections.get(section).and_then(|keys| keys.get(key)) else {
        let wanted = format!("{section}.{key}");
        let names = sources.names();
        let near = nearest(&wanted, names.iter().map(String::as_str)).unwrap_or_default();
        let near = near.replace('.', "__").to_ascii_uppercase();
        problems.push(format!(
            "environment variable {name} names no key; did you mean {ENVIRONMENT_PREFIX}{near}?"
        ));
        return;
    };
    let Some(value) = read_text(text, &there.value) else {
        problems.push(format!(
            "environment variable {name} must be {}",
            kind_of(&there.value)
        ));
        return;
    };
    let (section, key) = (section.to_owned(), key.to_owned());
    sources.set(
        &section,
        &key,
        value,
        Origin::Environment(name.to_owned()),
        problems,
    );
}

/// A text of the environment as the kind of value the default has. Lists are parted by commas.
fn read_text(text: &str, like: &Value) -> Option<Value> {
    match like {
        Value::Integer(_) => text.trim().replace('_', "").parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Float(_) => text.trim().parse().ok().map(Value::Float),
        Value::Array(_) => Some(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        )),
        Value::String(_) | Value::Datetime(_) | Value::Table(_) => Some(Value::String(text.to_owned())),
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text in quotation marks",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of texts",
        Value::Datetime(_) => "a date",
        Value::Table(_) => "a section",
    }
}

impl Sources {
    fn set(&mut self, section: &str, key: &str, value: Value, origin: Origin, problems: &mut Vec<String>) {
        let names = self.names();
        let keys = self.sections.get_mut(section);
        let Some(there) = keys.and_then(|keys| keys.get_mut(key)) else {
            let wanted = format!("{section}.{key}");
            let near = nearest(&wanted, names.iter().map(String::as_str)).unwrap_or_default();
            problems.push(format!(
                "{origin}: unknown key `{wanted}`; did you mean `{near}`?"
            ));
            return;
        };
        let same_kind = std::mem::discriminant(&there.value) == std::mem::discriminant(&value);
        if !same_kind {
            let kind = kind_of(&there.value);
            problems.push(format!("{origin}: {section}.{key} must be {kind}"));
            return;
        }
        *there = Set { value, origin };
    }

    fn names(&self) -> Vec<String> {
        self.order
            .iter()
            .map(|(section, key)| format!("{section}.{key}"))
            .collect()
    }

    /// The full name of a key that was written without its section.
    fn known_as(&self, key: &str) -> Option<String> {
        self.order
            .iter()
            .find(|(_section, known)| known == key)
            .map(|(section, key)| format!("{section}.{key}"))
    }
}

/// The typed configuration; what does not fit a type is told with its key.
pub(super) fn typed(sources: &Sources, problems: &mut Vec<String>) -> Option<Config> {
    let mut table = Table::new();
    for (section, keys) in &sources.sections {
        let keys = keys.iter().map(|(key, set)| (key.clone(), set.value.clone()));
        table.insert(section.clone(), Value::Table(keys.collect()));
    }
    match Value::Table(table).try_into::<Config>() {
        Ok(config) => Some(config),
        Err(error) => {
            // Names and kinds only: of the two secret keys every text is taken, so no message can quote one.
            problems.push(error.to_string().trim().replace('\n', ", "));
            None
        }
    }
}

/// The known name with the fewest changed letters.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.min_by_key(|name| distance(wanted, name))
}

/// Levenshtein distance over characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (other, above) in to.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(letter != *other);
            left = changed.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
