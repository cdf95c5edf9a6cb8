//! Room `stage`, audit: what was found.
//!
//! In: differences, one by one. Out: how many of each kind, and the first of them; never personal data. Deliberately not
//! here: finding them.

use super::Progress;
use crate::domain::journal::SubjectKind;
use crate::edge::store::audit::Cell;
use serde::Serialize;
use std::collections::BTreeMap;

/// Most differences listed; all are counted.
pub const LISTED_MAX: usize = 100;

/// Progress is told once per so many entries.
const TELL_EVERY: u64 = 256;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $vietnamese:literal, $english:literal;)*) => {
        /// How journal and tables differ.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DifferenceKind { $($(#[$doc])* $variant,)* }

        impl DifferenceKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word shown to machines.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What it means, in Vietnamese and in English.
            pub const fn meaning(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($vietnamese, $english),)* }
            }
        }
    };
}

kinds! {
    /// The bytes are no entry in canonical form.
    EntryUnreadable = "entry_unreadable", "bút toán không đọc được", "an entry cannot be read";
    /// A column beside the bytes says something else.
    EntryBeside = "entry_beside", "cột bên cạnh khác nội dung bút toán", "a column beside an entry says something else";
    /// A sequence is missing: an entry was removed.
    EntryGap = "entry_gap", "thiếu số thứ tự, có bút toán bị xóa", "a sequence is missing, an entry was removed";
    /// Two entries state the same fact.
    EntryTwice = "entry_twice", "hai bút toán cho cùng một sự việc", "two entries state one fact";
    /// An entry stands where its kind does not belong.
    EntryOutOfPlace = "entry_out_of_place", "bút toán không đúng đối tượng", "an entry does not belong to its subject";
    /// The fields of an entry are not those of a fact of its kind.
    FactUnreadable = "fact_unreadable", "bút toán không chứa sự việc đọc được", "an entry holds no readable fact";
    /// A fact's identity is not that of its content.
    FactIdentity = "fact_identity", "mã nhận dạng không khớp nội dung sự việc", "a fact's identity is not that of its content";
    /// The journal states a fact that the tables do not have.
    FactMissing = "fact_missing", "sự việc có trong nhật ký nhưng thiếu trong bảng", "a fact of the journal is missing in the tables";
    /// The tables have a fact that the journal never stated.
    FactUnwritten = "fact_unwritten", "sự việc trong bảng không có bút toán", "a fact in the tables has no entry";
    /// A fact in the tables says something else than its entry.
    FactChanged = "fact_changed", "sự việc trong bảng khác bút toán", "a fact in the tables differs from its entry";
    /// The journal tells of a shipment or dossier that has no row.
    RowMissing = "row_missing", "có nhật ký nhưng không có bản ghi", "a row is missing";
    /// A row without a history in the journal.
    RowUnwritten = "row_unwritten", "bản ghi không có nhật ký", "a row has no entries";
    /// A column is not what the facts fold to.
    RowChanged = "row_changed", "bản ghi khác kết quả tính lại", "a row is not what its facts fold to";
    /// A document of a registration has no row.
    ItemMissing = "item_missing", "thiếu giấy tờ đã đăng ký trong bưu gửi", "a document of a shipment is missing";
    /// A document in a shipment that was never registered.
    ItemUnwritten = "item_unwritten", "giấy tờ chưa hề đăng ký trong bưu gửi", "a document nobody registered is in a shipment";
    /// A document's row says something else than its registration.
    ItemChanged = "item_changed", "giấy tờ khác lúc đăng ký", "a document's row was changed";
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// How they differ.
    pub kind: DifferenceKind,
    /// About what: an identifier with its prefix.
    pub subject: String,
    /// Column or field.
    pub place: &'static str,
    /// What follows from the journal.
    pub journal: String,
    /// What stands in the table.
    pub table: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Audit {
    /// Journal entries read.
    pub entries: u64,
    /// Shipments compared.
    pub shipments: u64,
    /// Dossiers compared.
    pub dossiers: u64,
    /// Facts compared.
    pub facts: u64,
    /// Documents compared.
    pub items: u64,
    /// How many differences there are.
    pub differences: u64,
    /// How many of each kind.
    pub by_kind: BTreeMap<&'static str, u64>,
    /// The first of them, at most [`LISTED_MAX`].
    pub listed: Vec<Difference>,
}

impl Audit {
    /// Whether the tables are what the journal says.
    pub const fn is_clean(&self) -> bool {
        self.differences == 0
    }
}

/// Gathers what is found.
pub(super) struct Findings<'a> {
    /// Counts and differences so far.
    pub(super) audit: Audit,
    /// Entries there are, by the database's own count.
    pub(super) total: u64,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl<'a> Findings<'a> {
    pub(super) fn new(total: u64, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        let findings = Self {
            audit: Audit::default(),
            total,
            progress,
        };
        findings.tell_progress();
        findings
    }

    fn tell_progress(&self) {
        (self.progress)(Progress {
            done: self.audit.entries,
            total: self.total,
        });
    }

    /// Counts an entry as read.
    pub(super) fn entry(&mut self) {
        self.audit.entries += 1;
        if self.audit.entries.is_multiple_of(TELL_EVERY) {
            self.tell_progress();
        }
    }

    /// Notes a difference.
    pub(super) fn add(
        &mut self,
        kind: DifferenceKind,
        subject: Named,
        place: &'static str,
        (journal, table): (&Cell, &Cell),
    ) {
        self.audit.differences += 1;
        *self.audit.by_kind.entry(kind.as_str()).or_default() += 1;
        if self.audit.listed.len() < LISTED_MAX {
            self.audit.listed.push(Difference {
                kind,
                subject: subject.to_string(),
                place,
                journal: shown(journal),
                table: shown(table),
            });
        }
    }

    /// Notes a difference of an entry or a fact as a whole.
    pub(super) fn whole(&mut self, kind: DifferenceKind, subject: Named, place: &'static str) {
        self.add(kind, subject, place, (&Cell::Null, &Cell::Null));
    }

    pub(super) fn end(self) -> Audit {
        self.tell_progress();
        self.audit
    }
}

/// A subject by the number of its kind and its identifier; written with the prefix that identifiers of its kind have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named(pub(super) i64, pub(super) [u8; 16]);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = u8::try_from(self.0).ok().and_then(SubjectKind::from_number);
        f.write_str(match kind {
            Some(SubjectKind::System) => return f.write_str("system"),
            Some(SubjectKind::Shipment) => "shp_",
            Some(SubjectKind::Dossier) => "dos_",
            Some(SubjectKind::Account) => "acc_",
            Some(SubjectKind::Source) => "src_",
            Some(SubjectKind::Office) => "off_",
            None => "unknown_",
        })?;
        self.1.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A value as it may be shown: a text that is no word of a machine might be somebody's name.
fn shown(cell: &Cell) -> String {
    let is_word = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        text.len() <= 32 && text.bytes().all(plain)
    };
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) if is_word(text) => text.clone(),
        Cell::Text(_) => "(text)".to_owned(),
        Cell::Bytes(bytes) => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            digits.concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever somebody writes into a column, a finding does not carry it on.
    #[test]
    fn a_text_that_is_no_word_is_not_shown() {
        for text in ["Nguyễn Thị Thử", "Nguyen", "0912 345 678", "so 5"] {
            assert_eq!(shown(&Cell::from(text)), "(text)");
        }
        assert_eq!(shown(&Cell::from("in_transit")), "in_transit");
        assert_eq!(shown(&Cell::Bytes(vec![1, 255])), "01ff");
    }

    #[test]
    fn differences_are_all_counted_and_a_bounded_number_is_listed() {
        let mut findings = Findings::new(0, &|_progress| ());
        for number in 0..250_u8 {
            findings.whole(DifferenceKind::RowMissing, Named(1, [number; 16]), "row");
        }
        let audit = findings.end();
        assert_eq!((audit.differences, audit.listed.len()), (250, LISTED_MAX));
        assert_eq!(audit.by_kind, BTreeMap::from([("row_missing", 250)]));
        assert!(!audit.is_clean());
    }
}
