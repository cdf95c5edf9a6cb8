//! Room `edge::carrier::myvnpost`: JSON as this operator writes it.
//!
//! In: answer and callback bytes. Out: rows and texts, found in spite of the operator's habits: keys in camel or
//! Pascal case and with a trailing space, a record at the root or under `data`, lists for single objects, numbers as
//! text, the word "null", HTML with HTTP 200. Deliberately not here: what a text or a code means.

use crate::domain::time::{Resolution, Timestamp};
use jiff::civil::{Date, DateTime, Time};
use serde_json::{Map, Value};

/// Rows read of one list of orders, history or quotes.
pub(super) const ROWS_MAX: usize = 1_000;
/// Nested lists and wrappers looked through.
pub(super) const DEPTH_MAX: usize = 6;
/// Characters kept of any text.
const TEXT_CHARS_MAX: usize = 500;
/// Bytes of a plain-text answer still taken for a message.
const PLAIN_TEXT_BYTES_MAX: usize = 500;

pub(super) type Object = Map<String, Value>;

/// What a body is.
#[derive(Debug)]
pub(super) enum Body {
    /// JSON.
    Json(Value),
    /// A short plain text.
    Plain(String),
    /// Something else; the word says what.
    Other(&'static str),
}

/// Reads a body; a byte-order mark is skipped.
pub(super) fn parse(bytes: &[u8]) -> Body {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    match serde_json::from_slice(bytes) {
        Ok(Value::String(text)) => Body::Plain(clip(&text)),
        Ok(value) => Body::Json(value),
        Err(_not_json) if bytes.is_empty() => Body::Other("empty body"),
        Err(_not_json) if bytes.starts_with(b"<") => Body::Other("html"),
        Err(_not_json) if bytes.starts_with(b"{") || bytes.starts_with(b"[") => Body::Other("broken json"),
        Err(_not_json) => match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= PLAIN_TEXT_BYTES_MAX => Body::Plain(clip(text)),
            Ok(_long) => Body::Other("long text"),
            Err(_binary) => Body::Other("not text"),
        },
    }
}

fn clip(text: &str) -> String {
    text.trim().chars().take(TEXT_CHARS_MAX).collect()
}

/// A key as compared: without surrounding blanks, case ignored.
fn same_key(key: &str, wanted: &str) -> bool {
    key.trim().eq_ignore_ascii_case(wanted)
}

/// The first value under any of the names, earlier names first, that says something.
pub(super) fn field<'a>(object: &'a Object, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| {
        object
            .iter()
            .find(|(key, value)| same_key(key, name) && !is_nothing(value))
            .map(|(_key, value)| value)
    })
}

/// Null, blank, or the word "null".
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty() || text.trim().eq_ignore_ascii_case("null"),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// A text or number under any of the names, as text.
pub(super) fn text(object: &Object, names: &[&str]) -> Option<String> {
    match field(object, names)? {
        Value::String(text) => Some(clip(text)),
        Value::Number(number) => Some(whole(number).map_or_else(|| number.to_string(), |n| n.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A machine's identifier: printable ASCII, at most 64 characters, not masked with `+`.
pub(super) fn identifier(object: &Object, names: &[&str]) -> Option<String> {
    text(object, names)
        .filter(|text| text.len() <= 64 && !text.contains('+') && text.bytes().all(|b| b.is_ascii_graphic()))
}

/// A reference of ours as the operator stores it: any text, not masked.
pub(super) fn reference(object: &Object, names: &[&str]) -> Option<String> {
    text(object, names).filter(|text| !text.contains('+'))
}

/// A whole number written as such, or as a float without fraction.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let shown = number.to_string();
        shown.strip_suffix(".0").and_then(|digits| digits.parse().ok())
    })
}

/// Whole đồng, as number or text. A text with separators is not guessed at: "25.000" may be 25 or 25 thousand.
pub(super) fn dong(object: &Object, names: &[&str]) -> Option<i64> {
    match field(object, names)? {
        Value::Number(number) => whole(number),
        Value::String(text) => {
            let text = text.trim();
            let digits = text
                .strip_suffix(".00")
                .or_else(|| text.strip_suffix(".0"))
                .unwrap_or(text);
            digits.parse().ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The operator's own words on an error, at the root or under `data`.
pub(super) fn message(value: &Value) -> Option<String> {
    const NAMES: &[&str] = &["errormessage", "message", "error"];
    let object = single(value)?;
    text(object, NAMES).or_else(|| match field(object, &["data"])? {
        Value::String(text) => Some(clip(text)),
        inner @ (Value::Object(_) | Value::Array(_)) => text_of_single(inner, NAMES),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    })
}

fn text_of_single(value: &Value, names: &[&str]) -> Option<String> {
    text(single(value)?, names)
}

/// What `success` says, if it says anything.
pub(super) fn success(value: &Value) -> Option<bool> {
    match field(single(value)?, &["success", "issuccess"])? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The object itself, or the only object of nested one-element lists.
pub(super) fn single(value: &Value) -> Option<&Object> {
    let mut current = value;
    for _ in 0..DEPTH_MAX {
        match current {
            Value::Object(object) => return Some(object),
            Value::Array(items) => match items.as_slice() {
                [only] => current = only,
                _ => return None,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        }
    }
    None
}

/// Keys under which lists and records are wrapped.
const WRAPPERS: &[&str] = &["results", "result", "data"];

/// Why a list of rows cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt(pub(super) &'static str);

/// All objects that `is_row` accepts, looked for through lists and the wrappers `results`, `result` and `data`.
/// Anything else found on the way makes the whole answer doubtful: a row that cannot be read may hide a double.
pub(super) fn rows<'a>(
    value: &'a Value,
    is_row: &dyn Fn(&Object) -> bool,
    rows_max: usize,
) -> Result<Vec<&'a Object>, Doubt> {
    let mut found = Vec::new();
    gather(value, is_row, DEPTH_MAX, &mut |row| {
        if found.len() >= rows_max {
            return Err(Doubt("too many rows"));
        }
        found.push(row);
        Ok(())
    })?;
    Ok(found)
}

fn gather<'a>(
    value: &'a Value,
    is_row: &dyn Fn(&Object) -> bool,
    depth: usize,
    take: &mut dyn FnMut(&'a Object) -> Result<(), Doubt>,
) -> Result<(), Doubt> {
    let deeper = depth.checked_sub(1).ok_or(Doubt("nested too deep"))?;
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| gather(item, is_row, deeper, take)),
        Value::Object(object) if is_row(object) => take(object),
        Value::Object(object) => {
            // Each wrapper is opened: an empty one beside a full one must not read as "nothing there".
            let mut wrappers = WRAPPERS
                .iter()
                .filter_map(|name| field(object, &[name]))
                .peekable();
            if wrappers.peek().is_none() {
                return Err(Doubt("an object that is no row"));
            }
            wrappers.try_for_each(|inner| gather(inner, is_row, deeper, take))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(Doubt("a value that is no row"))
        }
    }
}

/// An instant as this operator writes it: `dd/MM/yyyy`, `dd-MM-yyyy` or ISO, with or without time, Vietnam's wall
/// clock unless a zone is given; also Unix milliseconds.
pub(super) fn instant(object: &Object, names: &[&str]) -> Option<(Timestamp, Resolution)> {
    parse_instant(&text(object, names)?)
}

/// See [`instant`]. Years outside 2000-2100 are not believed.
pub(super) fn parse_instant(text: &str) -> Option<(Timestamp, Resolution)> {
    let text = text.trim();
    if text.len() >= 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        let at = Timestamp::from_ms(text.parse().ok()?);
        return believable(at).then_some((at, Resolution::Millisecond));
    }
    let zoned = text
        .get(11..)
        .is_some_and(|tail| tail.contains(['Z', 'z', '+', '-']));
    if zoned {
        let at = Timestamp::parse_rfc3339(text)?;
        return believable(at).then_some((at, Resolution::Second));
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let date = parse_date(day)?;
    let (time, resolution) = match time {
        Some(time) => parse_time(time)?,
        None => (Time::midnight(), Resolution::Day),
    };
    Some((
        Timestamp::from_local(DateTime::from_parts(date, time)),
        resolution,
    ))
}

fn believable(at: Timestamp) -> bool {
    (2000..=2100).contains(&at.local_date().year())
}

fn parse_date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.trim().split(['/', '-']).collect();
    let [first, month, last] = parts.as_slice() else {
        return None;
    };
    let (day, year) = if first.len() == 4 {
        (last, first)
    } else {
        (first, last)
    };
    let year: i16 = digits(year, 4)?.parse().ok()?;
    if !(2000..=2100).contains(&year) {
        return None;
    }
    Date::new(
        year,
        digits(month, 2)?.parse().ok()?,
        digits(day, 2)?.parse().ok()?,
    )
    .ok()
}

/// A time of day: `HH:mm` (exact to the minute) or `HH:mm:ss`, fractions dropped.
pub(super) fn parse_time(text: &str) -> Option<(Time, Resolution)> {
    let whole = text.trim().split('.').next().unwrap_or_default();
    let parts: Vec<&str> = whole.split(':').collect();
    let number = |text: &str| digits(text, 2)?.parse::<i8>().ok();
    match parts.as_slice() {
        [hour, minute] => Some((
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()?,
            Resolution::Minute,
        )),
        [hour, minute, second] => Some((
            Time::new(number(hour)?, number(minute)?, number(second)?, 0).ok()?,
            Resolution::Second,
        )),
        _other => None,
    }
}

fn digits(text: &str, length_max: usize) -> Option<&str> {
    (!text.is_empty() && text.len() <= length_max && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// A date field and an hour field that together give one instant. The date may hold the time already. An hour that
/// is present and unreadable makes the whole unreadable: midnight would be a false statement.
pub(super) fn date_and_hour(
    object: &Object,
    date: &[&str],
    hour: &[&str],
) -> Option<(Timestamp, Resolution)> {
    let day = text(object, date)?;
    let (at, resolution) = parse_instant(&day)?;
    let Some(clock) = text(object, hour).filter(|_clock| resolution == Resolution::Day) else {
        return Some((at, resolution));
    };
    let (time, resolution) = parse_time(&clock)?;
    let local = DateTime::from_parts(at.local_date(), time);
    Some((Timestamp::from_local(local), resolution))
}

/// A text in the form used for comparing: no accents, lower case, `đ` as `d`.
pub(super) fn fold(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect()
}

/// Percent-encodes a value of a query.
pub(super) fn encode(value: &str) -> String {
    let hex = |digit: u8| {
        char::from_digit(u32::from(digit), 16)
            .unwrap_or('0')
            .to_ascii_uppercase()
    };
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out
}
