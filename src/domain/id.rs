//! Room `domain`: the identifiers.
//!
//! One newtype per kind of thing, each a UUIDv7 (time-ordered) with a readable prefix in text form, so that two
//! kinds cannot be swapped. In: 16 bytes or prefixed text. Out: the same. Deliberately not here: making new ids
//! (port [`Ids`]).

use std::fmt;

/// The only source of new identifiers: UUIDv7 bytes.
pub trait Ids: Send + Sync {
    /// The next identifier's bytes.
    fn next(&self) -> [u8; 16];
}

/// A text that is no identifier of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}_ and 32 hexadecimal digits")]
pub struct InvalidId {
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The readable prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier from the port.
            pub fn new(ids: &dyn Ids) -> Self {
                Self(ids.next())
            }

            /// From stored bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes as stored.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The bytes as a database argument.
            pub fn to_vec(self) -> Vec<u8> {
                self.0.to_vec()
            }

            /// Reads the text form.
            ///
            /// # Errors
            /// [`InvalidId`] when prefix, length or digits are wrong.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let wrong = InvalidId { prefix: $prefix };
                let hex = text.strip_prefix($prefix).and_then(|rest| rest.strip_prefix('_'));
                let bytes = hex.and_then(parse_hex).ok_or(wrong)?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str("_")?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidId;
            fn try_from(bytes: &[u8]) -> Result<Self, InvalidId> {
                <[u8; 16]>::try_from(bytes).map(Self).map_err(|_wrong_length| InvalidId { prefix: $prefix })
            }
        }
    )*};
}

ids! {
    /// Items under one operator reference to one addressee.
    ShipmentId = "shp";
    /// One document of one dossier inside a shipment.
    ItemId = "itm";
    /// A dossier record.
    DossierId = "dos";
    /// One call of ours that asks an operator to take a shipment.
    AttemptId = "att";
    /// One journal entry.
    EntryId = "ent";
    /// An office: centre, branch, commune desk.
    OfficeId = "off";
    /// A contract account at a postal operator.
    AccountId = "acc";
    /// A person at the desk or in administration.
    StaffId = "stf";
    /// A dossier system that may talk to us.
    SourceId = "src";
    /// A bearer key of a dossier system.
    ApiKeyId = "key";
    /// A proposal or ruling of a person.
    DecisionId = "dec";
    /// A hand-over list.
    HandoverId = "hnd";
    /// A stored callback or pulled answer.
    InboxId = "inb";
    /// A record whose personal data share one key.
    RecordId = "rec";
    /// A message to a dossier system.
    OutboxId = "out";
    /// A subscribed receiver of signed events.
    EndpointId = "end";
    /// One run of an import.
    ImportId = "imp";
}

/// Reads exactly 32 hexadecimal digits.
fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0_u8; 16];
    for (slot, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *slot = hex_digit(*high)? * 16 + hex_digit(*low)?;
    }
    Some(bytes)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_foreign_prefixes_are_refused() {
        let id = ShipmentId::from_bytes([0xab; 16]);
        let text = id.to_string();
        assert_eq!(text, format!("shp_{}", "ab".repeat(16)));
        assert_eq!(ShipmentId::parse(&text), Ok(id));
        assert_eq!(DossierId::parse(&text), Err(InvalidId { prefix: "dos" }));
        assert!(ShipmentId::parse("shp_AB").is_err());
        assert!(ShipmentId::try_from(&[1_u8, 2][..]).is_err());
    }
}
