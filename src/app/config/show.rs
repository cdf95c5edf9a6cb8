//! Room `app`: the configuration as it may be shown.
//!
//! In: the sources. Out: each key with its value in TOML, passwords as `***`. Deliberately not here: printing.

use super::source::{Entry, Sources};
use toml::Value;

/// Keys whose text may hold a password.
const SECRET_KEYS: &[(&str, &str)] = &[("database", "url"), ("operator", "proxy")];

pub(super) fn entries(sources: &Sources) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (section, key) in &sources.order {
        let Some(set) = sources.sections.get(section).and_then(|keys| keys.get(key)) else {
            continue;
        };
        let shown = match set.value.as_str() {
            Some(text) if SECRET_KEYS.contains(&(section, key)) => {
                Some(Value::String(without_password(text)))
            }
            Some(_) | None => None,
        };
        let value = written(shown.as_ref().unwrap_or(&set.value));
        entries.push(Entry {
            section: section.clone(),
            key: key.clone(),
            value,
            origin: set.origin.clone(),
        });
    }
    entries
}

/// A value as TOML writes it. Its basic strings are JSON's.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(instant) => instant.to_string(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(written).collect();
            format!("[{}]", values.join(", "))
        }
        // Sections are flat: the defaults hold no table inside one.
        Value::Table(_) => "{}".to_owned(),
    }
}

/// An address without its password: everything between the first `:` and the last `@` of the part after `//`, and the
/// values of options whose name speaks of a password. Rather too much is hidden than too little.
pub(crate) fn without_password(url: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(a, o)| (a, Some(o)));
    // A password written without escaping may hold a `?` itself; then all up to the last `@` is the password's.
    if options.is_some_and(|options| options.contains('@')) {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let host = rest.rsplit_once('@').map_or("", |(_, host)| host);
        let host = host.split_once('?').map_or(host, |(host, _)| host);
        return format!("{scheme}://***@{host}");
    }
    let mut shown = match address.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((name, _password)) => format!("{scheme}://{name}:***@{host}"),
                None => format!("{scheme}://{user}@{host}"),
            },
            None => address.to_owned(),
        },
        None => address.to_owned(),
    };
    if let Some(options) = options {
        let hidden = options.split('&').map(|option| match option.split_once('=') {
            Some((name, _value)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
            Some(_) | None => option.to_owned(),
        });
        shown.push('?');
        shown.push_str(&hidden.collect::<Vec<_>>().join("&"));
    }
    shown
}
