//! Room `domain`: the person or organisation that a result is sent to.
//!
//! In: a draft as a dossier system or a clerk wrote it. Out: a checked [`Addressee`], or every fault of the draft at
//! once. Personal data: `Debug` shows nothing of it. Deliberately not here: whether the units exist (the store knows
//! the lists) and how it is kept.

use crate::domain::address::{AddressError, PostalAddress, UnitCode, UnitSet};
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::name::PersonName;
use crate::domain::phone::{Phone, parse_field};

/// A unit as written: its set and its code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitDraft {
    /// Name of the set, `vn-2026-04`.
    pub set: String,
    /// Code in it.
    pub code: String,
}

/// An addressee as written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AddresseeDraft {
    /// Name.
    pub name: String,
    /// Telephone field; may hold several numbers.
    pub phone: String,
    /// Everything below the commune.
    pub line: String,
    /// Commune, ward or special zone.
    pub commune: UnitDraft,
    /// Province or centrally-run city.
    pub province: UnitDraft,
    /// Hints for the postman.
    pub note: Option<String>,
}

impl std::fmt::Debug for AddresseeDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddresseeDraft(..)")
    }
}

/// A checked addressee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// Name.
    pub name: PersonName,
    /// At least one number, in the order written.
    pub phones: Vec<Phone>,
    /// Address in two levels of units.
    pub address: PostalAddress,
}

impl Addressee {
    /// All numbers in national form, parted by `/`; read back by the same rules.
    pub fn phone_field(&self) -> String {
        let numbers: Vec<&str> = self
            .phones
            .iter()
            .map(|phone| phone.number.as_national())
            .collect();
        numbers.join(" / ")
    }
}

impl AddresseeDraft {
    /// Checks a draft that stands at `pointer` in the request; every fault is added to `faults`.
    pub fn check(&self, pointer: &str, faults: &mut Vec<Fault>) -> Option<Addressee> {
        let mut fault = |place: &str, code| faults.push(Fault::at(format!("{pointer}{place}"), code));
        let name = PersonName::parse(&self.name).ok();
        if name.is_none() {
            fault("/name", FaultCode::NameInvalid);
        }
        let phones = parse_field(&self.phone).ok();
        if phones.is_none() {
            fault("/phone", FaultCode::PhoneInvalid);
        }
        let commune = self.commune.read();
        let province = self.province.read();
        if commune.is_none() {
            fault("/commune", FaultCode::UnitInvalid);
        }
        if province.is_none() {
            fault("/province", FaultCode::UnitInvalid);
        }
        // The line and the note are looked at even where the units cannot be read: all faults at once.
        let stand_in = |code| UnitCode::new(UnitSet::vn_2026_04(), code).ok();
        let readable = commune.is_some() && province.is_some();
        let (commune, province) = match (commune, province) {
            (Some(commune), Some(province)) => (commune, province),
            (Some(_) | None, Some(_) | None) => (stand_in("00001")?, stand_in("01")?),
        };
        let address = PostalAddress::new(&self.line, commune, province, self.note.as_deref());
        if let Err(error) = &address {
            let (place, code) = place_of(*error);
            fault(place, code);
        }
        let address = address.ok().filter(|_| readable)?;
        Some(Addressee {
            name: name?,
            phones: phones?,
            address,
        })
    }
}

impl UnitDraft {
    fn read(&self) -> Option<UnitCode> {
        let set = UnitSet::parse(&self.set).ok()?;
        UnitCode::new(set, &self.code).ok()
    }
}

const fn place_of(error: AddressError) -> (&'static str, FaultCode) {
    match error {
        AddressError::LineEmpty | AddressError::LineTooLong { .. } | AddressError::ControlCharacter => {
            ("/line", FaultCode::LineInvalid)
        }
        AddressError::NoteTooLong { .. } => ("/note", FaultCode::NoteInvalid),
        AddressError::NotACommune | AddressError::SetsDiffer => ("/commune", FaultCode::UnitInvalid),
        AddressError::NotAProvince => ("/province", FaultCode::UnitInvalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> AddresseeDraft {
        let unit = |code: &str| UnitDraft {
            set: "vn-2026-04".to_owned(),
            code: code.to_owned(),
        };
        AddresseeDraft {
            name: "Nguyễn Thị Thử".to_owned(),
            phone: "0912 345 678 / 0203 3826 123".to_owned(),
            line: "Số 5, ngõ 12".to_owned(),
            commune: unit("06688"),
            province: unit("22"),
            note: None,
        }
    }

    #[test]
    fn a_good_draft_is_read_whole() {
        let mut faults = Vec::new();
        let read = good().check("/addressee", &mut faults).unwrap();
        assert_eq!(faults, []);
        assert_eq!(read.phone_field(), "0912345678 / 02033826123");
        assert_eq!(read.address.commune().code(), "06688");
        assert_eq!(format!("{:?}", good()), "AddresseeDraft(..)");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut faults = Vec::new();
        let draft = AddresseeDraft {
            name: "12".to_owned(),
            phone: "abc".to_owned(),
            line: " ".to_owned(),
            commune: UnitDraft::default(),
            province: UnitDraft {
                set: "vn-2026-04".to_owned(),
                code: "9".to_owned(),
            },
            note: None,
        };
        assert_eq!(draft.check("/a", &mut faults), None);
        let told: Vec<(&str, &str)> = faults
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        let expect = [
            ("/a/name", "name_invalid"),
            ("/a/phone", "phone_invalid"),
            ("/a/commune", "unit_invalid"),
            ("/a/province", "unit_invalid"),
            ("/a/line", "line_invalid"),
        ];
        assert_eq!(told, expect);
    }
}
