//! Room `domain`: the bytes of a journal entry, final from the first version (FORMAT.md).
//!
//! In: an [`Entry`]. Out: its canonical bytes, and back. One entry has exactly one byte form, and bytes in any other
//! form are refused. Deliberately not here: personal data, dossier codes, log positions, the tree and its
//! signatures.

#[cfg(test)]
mod vectors;
mod vocabulary;

pub use vocabulary::{ActorKind, Kind, SubjectKind, Tag};

use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// Version of the byte form.
pub const FORMAT_VERSION: u8 = 1;

/// Longest entry in bytes; a tile of an entry bundle holds at most 65,535 per entry.
pub const ENTRY_BYTES_MAX: usize = 4096;

/// A value in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Bytes: identifiers and digests.
    Bytes(Vec<u8>),
    /// Printable ASCII from a machine, never from a person.
    Ascii(String),
}

/// The fields of an entry, each name at most once, sorted by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<Tag, Value>);

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a number.
    #[must_use]
    pub fn int(mut self, tag: Tag, value: i64) -> Self {
        self.0.insert(tag, Value::Int(value));
        self
    }

    /// With a number if there is one.
    #[must_use]
    pub fn maybe_int(self, tag: Tag, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.int(tag, value),
            None => self,
        }
    }

    /// With bytes.
    #[must_use]
    pub fn bytes(mut self, tag: Tag, value: &[u8]) -> Self {
        self.0.insert(tag, Value::Bytes(value.to_vec()));
        self
    }

    /// With bytes if there are any.
    #[must_use]
    pub fn maybe_bytes(self, tag: Tag, value: Option<&[u8]>) -> Self {
        match value {
            Some(value) => self.bytes(tag, value),
            None => self,
        }
    }

    /// With a machine's text. Characters other than printable ASCII are replaced by `?`, and at most 64 are kept:
    /// a code of an operator can never carry a name into the journal.
    #[must_use]
    pub fn ascii(mut self, tag: Tag, value: &str) -> Self {
        self.0.insert(tag, Value::Ascii(clean_code(value)));
        self
    }

    /// The number under this name.
    pub fn get_int(&self, tag: Tag) -> Option<i64> {
        match self.0.get(&tag) {
            Some(Value::Int(value)) => Some(*value),
            Some(Value::Bytes(_) | Value::Ascii(_)) | None => None,
        }
    }

    /// The bytes under this name.
    pub fn get_bytes(&self, tag: Tag) -> Option<&[u8]> {
        match self.0.get(&tag) {
            Some(Value::Bytes(value)) => Some(value),
            Some(Value::Int(_) | Value::Ascii(_)) | None => None,
        }
    }

    /// Sixteen bytes under this name.
    pub fn get_id(&self, tag: Tag) -> Option<[u8; 16]> {
        self.get_bytes(tag).and_then(|bytes| bytes.try_into().ok())
    }

    /// The text under this name.
    pub fn get_ascii(&self, tag: Tag) -> Option<&str> {
        match self.0.get(&tag) {
            Some(Value::Ascii(value)) => Some(value),
            Some(Value::Int(_) | Value::Bytes(_)) | None => None,
        }
    }

    /// Appends the canonical bytes: the count, then each field ascending by number.
    ///
    /// # Errors
    /// [`InvalidEntry::TooLong`] when a value has more than 65,535 bytes.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), InvalidEntry> {
        let count = u16::try_from(self.0.len()).map_err(|_many| InvalidEntry::TooLong(usize::MAX))?;
        out.extend(count.to_be_bytes());
        for (tag, value) in self.iter() {
            out.extend(tag.number().to_be_bytes());
            let (kind, bytes): (u8, Vec<u8>) = match value {
                Value::Int(number) => (1, number.to_be_bytes().to_vec()),
                Value::Bytes(bytes) => (2, bytes.clone()),
                Value::Ascii(text) => (3, text.as_bytes().to_vec()),
            };
            out.push(kind);
            let length = u16::try_from(bytes.len()).map_err(|_long| InvalidEntry::TooLong(bytes.len()))?;
            out.extend(length.to_be_bytes());
            out.extend(bytes);
        }
        Ok(())
    }

    /// Reads the canonical bytes of fields alone.
    ///
    /// # Errors
    /// [`InvalidEntry`] for anything that [`Fields::write`] would not have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidEntry> {
        let mut cursor = Cursor { rest: bytes };
        let fields = read_fields(&mut cursor)?;
        if cursor.rest.is_empty() {
            Ok(fields)
        } else {
            Err(InvalidEntry::Trailing(cursor.rest.len()))
        }
    }

    /// The canonical bytes of fields alone.
    ///
    /// # Errors
    /// [`InvalidEntry::TooLong`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, InvalidEntry> {
        let mut out = Vec::with_capacity(128);
        self.write(&mut out)?;
        Ok(out)
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &Value)> {
        self.0.iter().map(|(tag, value)| (*tag, value))
    }
}

/// At most 64 printable ASCII characters; others become `?`.
pub fn clean_code(text: &str) -> String {
    text.chars()
        .take(64)
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect()
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Kind of actor.
    pub kind: ActorKind,
    /// Internal id; zero for a stage.
    pub id: [u8; 16],
}

impl Actor {
    /// A stage of this software.
    pub const STAGE: Self = Self {
        kind: ActorKind::Stage,
        id: [0; 16],
    };
    /// An administrator at the command line.
    pub const ADMINISTRATOR: Self = Self {
        kind: ActorKind::Administrator,
        id: [0; 16],
    };
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Kind of thing.
    pub kind: SubjectKind,
    /// Internal id; zero for the system.
    pub id: [u8; 16],
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Identifier, 16 bytes.
    pub id: [u8; 16],
    /// What is recorded.
    pub kind: Kind,
    /// About what.
    pub subject: Subject,
    /// Sequence within the subject, from 1 without gaps; 0 for the system.
    pub sequence: u64,
    /// Who acted.
    pub actor: Actor,
    /// For which office; zero for none.
    pub office: [u8; 16],
    /// When we wrote it.
    pub recorded_at: Timestamp,
    /// When it happened, as its source states.
    pub occurred_at: Option<Timestamp>,
    /// Version of the map by which a foreign code was understood; 0 for none.
    pub map_version: u32,
    /// The rest.
    pub fields: Fields,
}

/// Bytes that are no entry in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    /// Ends too early.
    #[error("entry ends too early")]
    Truncated,
    /// Bytes left over.
    #[error("entry has {0} bytes left over")]
    Trailing(usize),
    /// A version other than ours.
    #[error("entry has unknown version {0}")]
    Version(u8),
    /// A number outside its list.
    #[error("entry has unknown {what} {number}")]
    Number {
        /// Which list.
        what: &'static str,
        /// The number read.
        number: u64,
    },
    /// Fields not strictly ascending, or a flag that is neither 0 nor 1.
    #[error("entry is not in canonical form")]
    NotCanonical,
    /// Longer than [`ENTRY_BYTES_MAX`].
    #[error("entry has {0} bytes, more than allowed")]
    TooLong(usize),
}

impl Entry {
    /// The canonical bytes: all numbers big-endian, fields ascending by number.
    ///
    /// # Errors
    /// [`InvalidEntry::TooLong`] when the entry does not fit [`ENTRY_BYTES_MAX`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, InvalidEntry> {
        let mut out = Vec::with_capacity(192);
        out.push(FORMAT_VERSION);
        out.extend(self.kind.number().to_be_bytes());
        out.extend(self.id);
        out.push(self.subject.kind.number());
        out.extend(self.subject.id);
        out.extend(self.sequence.to_be_bytes());
        out.push(self.actor.kind.number());
        out.extend(self.actor.id);
        out.extend(self.office);
        out.extend(self.recorded_at.as_ms().to_be_bytes());
        match self.occurred_at {
            None => out.push(0),
            Some(at) => {
                out.push(1);
                out.extend(at.as_ms().to_be_bytes());
            }
        }
        out.extend(self.map_version.to_be_bytes());
        self.fields.write(&mut out)?;
        if out.len() > ENTRY_BYTES_MAX {
            return Err(InvalidEntry::TooLong(out.len()));
        }
        Ok(out)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`InvalidEntry`] for anything that [`Entry::to_bytes`] would not have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidEntry> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(InvalidEntry::TooLong(bytes.len()));
        }
        let mut cursor = Cursor { rest: bytes };
        let version = cursor.u8()?;
        if version != FORMAT_VERSION {
            return Err(InvalidEntry::Version(version));
        }
        let kind = known("kind", cursor.u16()?, Kind::from_number)?;
        let id = cursor.array()?;
        let subject = Subject {
            kind: known("subject", cursor.u8()?, SubjectKind::from_number)?,
            id: cursor.array()?,
        };
        let sequence = u64::from_be_bytes(cursor.array()?);
        let actor = Actor {
            kind: known("actor", cursor.u8()?, ActorKind::from_number)?,
            id: cursor.array()?,
        };
        let office = cursor.array()?;
        let recorded_at = Timestamp::from_ms(i64::from_be_bytes(cursor.array()?));
        let occurred_at = match cursor.u8()? {
            0 => None,
            1 => Some(Timestamp::from_ms(i64::from_be_bytes(cursor.array()?))),
            _ => return Err(InvalidEntry::NotCanonical),
        };
        let map_version = u32::from_be_bytes(cursor.array()?);
        let fields = read_fields(&mut cursor)?;
        if !cursor.rest.is_empty() {
            return Err(InvalidEntry::Trailing(cursor.rest.len()));
        }
        Ok(Self {
            id,
            kind,
            subject,
            sequence,
            actor,
            office,
            recorded_at,
            occurred_at,
            map_version,
            fields,
        })
    }
}

fn read_fields(cursor: &mut Cursor<'_>) -> Result<Fields, InvalidEntry> {
    let mut fields = Fields::new();
    let mut last: Option<Tag> = None;
    for _ in 0..cursor.u16()? {
        let tag = known("field", cursor.u16()?, Tag::from_number)?;
        if last.is_some_and(|last| last >= tag) {
            return Err(InvalidEntry::NotCanonical);
        }
        last = Some(tag);
        let kind = cursor.u8()?;
        let length = usize::from(cursor.u16()?);
        let bytes = cursor.take(length)?;
        let value = match kind {
            1 => Value::Int(i64::from_be_bytes(
                bytes.try_into().map_err(|_width| InvalidEntry::NotCanonical)?,
            )),
            2 => Value::Bytes(bytes.to_vec()),
            3 => {
                let text = std::str::from_utf8(bytes).map_err(|_utf8| InvalidEntry::NotCanonical)?;
                if clean_code(text) != text {
                    return Err(InvalidEntry::NotCanonical);
                }
                Value::Ascii(text.to_owned())
            }
            other => {
                return Err(InvalidEntry::Number {
                    what: "value kind",
                    number: other.into(),
                });
            }
        };
        fields.0.insert(tag, value);
    }
    Ok(fields)
}

fn known<N: Copy + Into<u64>, T>(
    what: &'static str,
    number: N,
    read: impl Fn(N) -> Option<T>,
) -> Result<T, InvalidEntry> {
    read(number).ok_or(InvalidEntry::Number {
        what,
        number: number.into(),
    })
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], InvalidEntry> {
        let (head, tail) = self
            .rest
            .split_at_checked(length)
            .ok_or(InvalidEntry::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], InvalidEntry> {
        self.take(N)?
            .try_into()
            .map_err(|_length| InvalidEntry::Truncated)
    }

    fn u8(&mut self) -> Result<u8, InvalidEntry> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, InvalidEntry> {
        Ok(u16::from_be_bytes(self.array()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Entry {
        Entry {
            id: [1; 16],
            kind: Kind::DeliveryFact,
            subject: Subject {
                kind: SubjectKind::Shipment,
                id: [2; 16],
            },
            sequence: 7,
            actor: Actor::STAGE,
            office: [3; 16],
            recorded_at: Timestamp::from_ms(1_795_420_800_000),
            occurred_at: Some(Timestamp::from_ms(-5)),
            map_version: 1,
            fields: Fields::new()
                .int(Tag::FactKind, 12)
                .bytes(Tag::FactId, &[9; 32])
                .ascii(Tag::Code, "14"),
        }
    }

    /// The bytes are final: this vector may never change. A new version gets a new vector beside it.
    #[test]
    fn known_bytes() {
        let hex = sample()
            .to_bytes()
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat();
        let expect = [
            "01",
            "0003",
            &"01".repeat(16),
            "01",
            &"02".repeat(16),
            "0000000000000007",
            "00",
            &"00".repeat(16),
            &"03".repeat(16),
            "000001a2076b4400",
            "01",
            "fffffffffffffffb",
            "00000001",
            "0003",
            "0001020020",
            &"09".repeat(32),
            "0002010008000000000000000c",
            "00030300023134",
        ]
        .concat();
        assert_eq!(hex, expect);
    }

    #[test]
    fn every_single_bit_flip_is_refused_or_another_entry() {
        let bytes = sample().to_bytes().unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                assert_ne!(Entry::from_bytes(&changed), Ok(sample()));
            }
        }
    }

    #[test]
    fn foreign_text_cannot_enter() {
        let fields = Fields::new().ascii(Tag::Code, "Nguyễn\n14");
        assert_eq!(fields.get_ascii(Tag::Code), Some("Nguy?n?14"));
    }

    proptest! {
        #[test]
        fn any_bytes_read_back_to_themselves_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(entry) = Entry::from_bytes(&bytes) {
                prop_assert_eq!(entry.to_bytes().unwrap(), bytes);
            }
        }

        #[test]
        fn round_trip(sequence in any::<u64>(), at in any::<i64>(), code in ".{0,80}", number in any::<i64>()) {
            let mut entry = sample();
            entry.sequence = sequence;
            entry.occurred_at = Some(Timestamp::from_ms(at));
            entry.fields = Fields::new().ascii(Tag::Code, &code).int(Tag::Count, number);
            prop_assert_eq!(Entry::from_bytes(&entry.to_bytes().unwrap()), Ok(entry));
        }
    }
}
