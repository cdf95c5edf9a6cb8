//! Room `web`, JSON API: reading a JSON value field by field and collecting every fault.
//!
//! In: a JSON value. Out: typed values, and a fault with a pointer for each field that is missing, unknown or of the wrong
//! type. Deliberately not here: what the values mean (the stages check that).

use crate::domain::addressee::{AddresseeDraft, UnitDraft};
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::time::Timestamp;
use crate::web::problem::Problem;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Longest name of an unknown field that is repeated to the caller, bytes.
const NAME_BYTES_MAX: usize = 64;

/// The faults of one request.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(super) fn add(&self, pointer: impl Into<String>, code: FaultCode) {
        self.0.borrow_mut().push(Fault::at(pointer, code));
    }

    /// Nothing is wrong so far, or the problem that tells everything.
    pub(super) fn none(self) -> Result<(), Problem> {
        let faults = self.0.into_inner();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::faults(faults))
        }
    }
}

/// An object being read. Fields never asked for are faults when it is [`Object::end`]ed.
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
    known: BTreeSet<&'static str>,
    faults: &'a Faults,
}

impl<'a> Object<'a> {
    /// The object at `pointer`; a fault when it is none.
    pub(super) fn at(value: &'a Value, pointer: &str, faults: &'a Faults) -> Option<Self> {
        let Value::Object(map) = value else {
            faults.add(pointer, FaultCode::WrongType);
            return None;
        };
        Some(Self {
            map,
            pointer: pointer.to_owned(),
            known: BTreeSet::new(),
            faults,
        })
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    pub(super) fn fault(&self, name: &str, code: FaultCode) {
        self.faults.add(self.place(name), code);
    }

    /// The value of a field; null is the same as absent.
    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(&mut self, name: &'static str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            self.fault(name, FaultCode::WrongType);
        }
        read
    }

    /// A fault when a field that must be there is not.
    fn must(&mut self, name: &'static str) {
        if self.value(name).is_none() {
            self.fault(name, FaultCode::Missing);
        }
    }

    /// A text that may be absent.
    pub(super) fn opt_text(&mut self, name: &'static str) -> Option<String> {
        self.typed(name, |value| value.as_str().map(str::to_owned))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.must(name);
        self.opt_text(name)
    }

    /// One of the words that `parse` knows.
    pub(super) fn word<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let word = self.text(name)?;
        let read = parse(&word);
        if read.is_none() {
            self.fault(name, FaultCode::NotAWord);
        }
        read
    }

    /// A whole number that may be absent.
    pub(super) fn opt_int(&mut self, name: &'static str) -> Option<i64> {
        self.typed(name, Value::as_i64)
    }

    /// A whole number.
    pub(super) fn int(&mut self, name: &'static str) -> Option<i64> {
        self.must(name);
        self.opt_int(name)
    }

    /// A flag; absent is false.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.typed(name, Value::as_bool).unwrap_or(false)
    }

    /// A time that may be absent.
    pub(super) fn opt_time(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.opt_text(name)?;
        let read = Timestamp::parse_rfc3339(&text);
        if read.is_none() {
            self.fault(name, FaultCode::NotATime);
        }
        read
    }

    /// A time.
    pub(super) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        self.must(name);
        self.opt_time(name)
    }

    /// An object that may be absent.
    pub(super) fn opt_object(&mut self, name: &'static str) -> Option<Object<'a>> {
        let place = self.place(name);
        self.value(name)
            .and_then(|value| Object::at(value, &place, self.faults))
    }

    /// An object.
    pub(super) fn object(&mut self, name: &'static str) -> Option<Object<'a>> {
        self.must(name);
        self.opt_object(name)
    }

    /// A list of objects, at most `max`; longer ones are not looked at.
    pub(super) fn objects(&mut self, name: &'static str, max: usize) -> Option<Vec<Object<'a>>> {
        self.must(name);
        let list = self.typed(name, Value::as_array)?;
        if list.is_empty() || list.len() > max {
            self.fault(name, FaultCode::CountOutOfRange);
            return None;
        }
        let place = self.place(name);
        let read = list
            .iter()
            .enumerate()
            .map(|(index, value)| Object::at(value, &format!("{place}/{index}"), self.faults));
        // Each is looked at before the first bad one ends it.
        read.collect::<Vec<_>>().into_iter().collect()
    }

    /// Tells of fields nobody asked for. A name is repeated only when it looks like one of ours.
    pub(super) fn end(self) {
        for name in self.map.keys().filter(|name| !self.known.contains(name.as_str())) {
            let plain = name.len() <= NAME_BYTES_MAX
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if plain {
                self.fault(name, FaultCode::UnknownField);
            } else {
                self.faults.add(self.pointer.clone(), FaultCode::UnknownField);
            }
        }
    }
}

/// The root of a body.
pub(super) fn root<'a>(value: &'a Value, faults: &'a Faults) -> Option<Object<'a>> {
    Object::at(value, "", faults)
}

/// An addressee as both doors take it.
pub(super) fn addressee(mut object: Object<'_>) -> Option<AddresseeDraft> {
    let name = object.text("name");
    let phone = object.text("phone");
    let line = object.text("line");
    let commune = object.object("commune").and_then(unit);
    let province = object.object("province").and_then(unit);
    let note = object.opt_text("note");
    object.end();
    Some(AddresseeDraft {
        name: name?,
        phone: phone?,
        line: line?,
        commune: commune?,
        province: province?,
        note,
    })
}

fn unit(mut object: Object<'_>) -> Option<UnitDraft> {
    let set = object.text("set");
    let code = object.text("code");
    object.end();
    Some(UnitDraft {
        set: set?,
        code: code?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_fault_is_collected_with_its_pointer() {
        let value = json!({
            "phone": 1, "line": null, "commune": {"set": "vn-2026-04", "code": 6688},
            "province": [], "x_field": 1, "Nguyễn": 2,
        });
        let faults = Faults::default();
        assert_eq!(addressee(Object::at(&value, "/a", &faults).unwrap()), None);
        let told: Vec<(String, &str)> = faults
            .0
            .into_inner()
            .into_iter()
            .map(|fault| (fault.pointer, fault.code.as_str()))
            .collect();
        let expect = [
            ("/a/name", "missing"),
            ("/a/phone", "wrong_type"),
            ("/a/line", "missing"),
            ("/a/commune/code", "wrong_type"),
            ("/a/province", "wrong_type"),
            ("/a", "unknown_field"),
            ("/a/x_field", "unknown_field"),
        ];
        assert_eq!(told, expect.map(|(pointer, code)| (pointer.to_owned(), code)));
    }
}
