//! Room `domain`: where post goes.
//!
//! In: what a citizen or a dossier system wrote, and unit codes. Out: [`PostalAddress`] with two levels of units, and
//! how two unit names compare. Deliberately not here: the lists of units (data), an operator's own unit codes (its
//! adapter), and choosing for a person: a name that fits several units, or only without accents, is never settled here.

use std::fmt;

use unicode_normalization::char::is_combining_mark;

use crate::domain::name::{fold_for_search, fold_spelling, tidy};

/// Longest address line, in characters of NFC.
pub const ADDRESS_LINE_CHARS_MAX: usize = 250;
/// Longest note for the postman, in characters of NFC.
pub const ADDRESS_NOTE_CHARS_MAX: usize = 255;

/// A set of unit codes that were in force together, such as `vn-2026-04`: lower-case letters, year, month.
///
/// Codes were reused in July 2025 (06688 was Phường Hồng Hải and is Phường Hạ Long), so a code has a meaning only in
/// its set. New sets come as data; no list is closed here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitSet(String);

/// A unit's code inside its set: province 2, old district 3, commune 5 digits, leading zeros kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitCode {
    set: UnitSet,
    code: String,
}

/// Why something is no unit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitCodeError {
    /// The set is not of the form `letters-YYYY-MM`.
    #[error("the unit set is not of the form letters-YYYY-MM")]
    Set,
    /// The code has not 2, 3 or 5 digits.
    #[error("the unit code has not 2, 3 or 5 digits")]
    Code,
    /// The text is not `set:code`.
    #[error("not of the form set:code")]
    Form,
}

/// The level of a unit, by the length of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitLevel {
    /// Tỉnh or centrally-run city.
    Province,
    /// Quận, huyện and so on; only in sets before July 2025.
    District,
    /// Xã, phường, đặc khu.
    Commune,
}

impl UnitSet {
    /// 34 provinces and 3,321 communes from 1 July 2025.
    pub fn vn_2025_07() -> Self {
        Self("vn-2025-07".to_owned())
    }

    /// The same after Nghị quyết 30/2026/QH16, from 30 April 2026.
    pub fn vn_2026_04() -> Self {
        Self("vn-2026-04".to_owned())
    }

    /// 63 provinces with districts, as on 30 June 2025.
    pub fn legacy_2025_06() -> Self {
        Self("legacy-2025-06".to_owned())
    }

    /// Reads a set's name.
    ///
    /// # Errors
    /// [`UnitCodeError::Set`].
    pub fn parse(text: &str) -> Result<Self, UnitCodeError> {
        let parts: Vec<&str> = text.split('-').collect();
        let [name, year, month] = parts.as_slice() else {
            return Err(UnitCodeError::Set);
        };
        let named = !name.is_empty() && name.len() <= 16 && name.bytes().all(|b| b.is_ascii_lowercase());
        let dated = is_digits(year, 4) && is_digits(month, 2) && ("01"..="12").contains(month);
        if named && dated {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnitCodeError::Set)
        }
    }

    /// The name as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UnitCode {
    /// A code in its set.
    ///
    /// # Errors
    /// [`UnitCodeError::Code`].
    pub fn new(set: UnitSet, code: &str) -> Result<Self, UnitCodeError> {
        if [2, 3, 5].iter().any(|length| is_digits(code, *length)) {
            Ok(Self {
                set,
                code: code.to_owned(),
            })
        } else {
            Err(UnitCodeError::Code)
        }
    }

    /// Reads the form of [`fmt::Display`], `vn-2026-04:06688`.
    ///
    /// # Errors
    /// [`UnitCodeError`].
    pub fn parse(text: &str) -> Result<Self, UnitCodeError> {
        let (set, code) = text.split_once(':').ok_or(UnitCodeError::Form)?;
        Self::new(UnitSet::parse(set)?, code)
    }

    /// The set that gives the code its meaning.
    pub const fn set(&self) -> &UnitSet {
        &self.set
    }

    /// The digits; never store or send them without [`UnitCode::set`] being known.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The level, by the number of digits.
    pub fn level(&self) -> UnitLevel {
        match self.code.len() {
            2 => UnitLevel::Province,
            3 => UnitLevel::District,
            _ => UnitLevel::Commune,
        }
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.set.0, self.code)
    }
}

/// The word before a unit's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitKind {
    /// Tỉnh.
    Tinh,
    /// Thành phố.
    ThanhPho,
    /// Phường.
    Phuong,
    /// Xã.
    Xa,
    /// Đặc khu.
    DacKhu,
    /// Thị trấn (old).
    ThiTran,
    /// Thị xã (old).
    ThiXa,
    /// Quận (old).
    Quan,
    /// Huyện (old).
    Huyen,
}

/// Words and abbreviations, lower case; longer ones before their beginnings.
const UNIT_WORDS: [(&str, UnitKind); 9] = [
    ("thành phố", UnitKind::ThanhPho),
    ("đặc khu", UnitKind::DacKhu),
    ("thị trấn", UnitKind::ThiTran),
    ("thị xã", UnitKind::ThiXa),
    ("phường", UnitKind::Phuong),
    ("huyện", UnitKind::Huyen),
    ("tỉnh", UnitKind::Tinh),
    ("quận", UnitKind::Quan),
    ("xã", UnitKind::Xa),
];
const UNIT_ABBREVIATIONS: [(&str, UnitKind); 8] = [
    ("tp", UnitKind::ThanhPho),
    ("tx", UnitKind::ThiXa),
    ("tt", UnitKind::ThiTran),
    ("đk", UnitKind::DacKhu),
    ("p", UnitKind::Phuong),
    ("q", UnitKind::Quan),
    ("h", UnitKind::Huyen),
    ("x", UnitKind::Xa),
];

/// A unit's name as written, in NFC with single blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitName(String);

/// How closely two unit names agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameAgreement {
    /// The same letters and marks, upper and lower case aside.
    Exact,
    /// The same but for the place of the tone mark or `i` for `y`.
    Spelling,
    /// The same only without accents: a hint for a person, never settled silently.
    AccentFree,
}

/// Which candidate a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The one at this place of the list.
    One(usize),
    /// None; a person decides, perhaps by [`suggestions`].
    None,
    /// Several equally; a person decides.
    Several,
}

impl UnitName {
    /// Brings a name to NFC with single blanks; nothing is refused, an empty name matches nothing.
    pub fn new(text: &str) -> Self {
        Self(tidy(text))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit's kind, if the name says it, and the name without that word, lower case.
    pub fn split(&self) -> (Option<UnitKind>, String) {
        let lower = self.0.to_lowercase();
        let worded = UNIT_WORDS.iter().find_map(|(word, kind)| {
            let rest = strip_word(&lower, word)?;
            Some((*kind, rest.to_owned()))
        });
        let found = worded.or_else(|| {
            UNIT_ABBREVIATIONS.iter().find_map(|(short, kind)| {
                let rest = lower.strip_prefix(short)?;
                let rest = rest
                    .strip_prefix('.')
                    .or_else(|| rest.strip_prefix(' '))?
                    .trim_start();
                (!rest.is_empty()).then(|| (*kind, rest.to_owned()))
            })
        });
        found.map_or((None, lower), |(kind, rest)| (Some(kind), rest))
    }

    /// How closely two names agree; `None` when they do not. A kind that is missing on one side agrees with any; tỉnh
    /// agrees with thành phố, because provinces become cities (Đồng Nai, 30 April 2026) and lists lag behind.
    pub fn agreement(&self, other: &Self) -> Option<NameAgreement> {
        let ((kind, bare), (other_kind, other_bare)) = (self.split(), other.split());
        if bare.is_empty() || other_bare.is_empty() {
            return None;
        }
        let kinds_agree = match (kind, other_kind) {
            (Some(kind), Some(other)) => kind == other || is_province(kind) && is_province(other),
            (None, _) | (_, None) => true,
        };
        if kinds_agree && bare == other_bare {
            Some(NameAgreement::Exact)
        } else if kinds_agree && fold_spelling(&bare) == fold_spelling(&other_bare) {
            Some(NameAgreement::Spelling)
        } else if self.is_same_without_accents(other) {
            Some(NameAgreement::AccentFree)
        } else {
            None
        }
    }

    /// Without accents the kind's word may be part of the name (`Phuong Nam`), so each side is tried with and without.
    fn is_same_without_accents(&self, other: &Self) -> bool {
        let readings = self.accent_free_readings();
        let others = other.accent_free_readings();
        readings.iter().any(|(kind, bare)| {
            others.iter().any(|(other_kind, other_bare)| {
                let kinds_agree = match (kind, other_kind) {
                    (Some(kind), Some(other)) => kind == other || is_province(*kind) && is_province(*other),
                    (None, _) | (_, None) => true,
                };
                kinds_agree && bare == other_bare
            })
        })
    }

    fn accent_free_readings(&self) -> Vec<(Option<UnitKind>, String)> {
        let (kind, bare) = self.split();
        let bare = fold_for_search(&bare);
        let mut readings = Vec::new();
        if kind.is_none() {
            readings.extend(UNIT_WORDS.iter().filter_map(|(word, kind)| {
                let rest = bare.strip_prefix(&fold_for_search(word))?.strip_prefix(' ')?;
                Some((Some(*kind), rest.to_owned()))
            }));
        }
        readings.push((kind, bare));
        readings.retain(|(_, bare)| !bare.is_empty());
        readings
    }
}

/// Which of the candidates a name means: by exact agreement, else by spelling. A name with the unit's word prefers
/// candidates with the same word. Agreement without accents is never enough.
pub fn match_exact(name: &UnitName, candidates: &[UnitName]) -> Match {
    let agreements: Vec<_> = candidates
        .iter()
        .map(|candidate| name.agreement(candidate))
        .collect();
    for level in [NameAgreement::Exact, NameAgreement::Spelling] {
        let fitting: Vec<usize> = agreements
            .iter()
            .enumerate()
            .filter(|(_, found)| **found == Some(level))
            .map(|(index, _)| index)
            .collect();
        match fitting.as_slice() {
            [] => {}
            [only] => return Match::One(*only),
            _ => return prefer_kind(name, candidates, &fitting),
        }
    }
    Match::None
}

/// The places of all candidates that agree in any way, closest first: what a person chooses from.
pub fn suggestions(name: &UnitName, candidates: &[UnitName]) -> Vec<usize> {
    let mut found: Vec<(NameAgreement, usize)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| Some((name.agreement(candidate)?, index)))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, index)| index).collect()
}

/// Among several that fit, the one whose kind is said by the name; several if that does not settle it.
fn prefer_kind(name: &UnitName, candidates: &[UnitName], fitting: &[usize]) -> Match {
    let (Some(kind), _) = name.split() else {
        return Match::Several;
    };
    let mut same = fitting.iter().filter(|index| {
        candidates
            .get(**index)
            .is_some_and(|candidate| candidate.split().0 == Some(kind))
    });
    match (same.next(), same.next()) {
        (Some(only), None) => Match::One(*only),
        (None | Some(_), _) => Match::Several,
    }
}

/// What follows a unit's word and a blank, if anything does.
fn strip_word<'a>(lower: &'a str, word: &str) -> Option<&'a str> {
    let rest = lower.strip_prefix(word)?.strip_prefix(' ')?.trim_start();
    (!rest.is_empty()).then_some(rest)
}

const fn is_province(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Tinh | UnitKind::ThanhPho)
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

/// An address in today's two levels. Personal data: `Debug` shows the province only.
#[derive(Clone, PartialEq, Eq)]
pub struct PostalAddress {
    line: String,
    commune: UnitCode,
    province: UnitCode,
    note: Option<String>,
}

/// Why something is no address. Carries counts only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No line: house, hamlet or street, whatever the place has.
    #[error("the address line is empty")]
    LineEmpty,
    /// More than [`ADDRESS_LINE_CHARS_MAX`] characters.
    #[error("the address line has {chars} characters, more than 250")]
    LineTooLong {
        /// Characters found.
        chars: usize,
    },
    /// More than [`ADDRESS_NOTE_CHARS_MAX`] characters.
    #[error("the note has {chars} characters, more than 255")]
    NoteTooLong {
        /// Characters found.
        chars: usize,
    },
    /// A control character in line or note.
    #[error("line or note holds a control character")]
    ControlCharacter,
    /// The commune's code is not one of five digits.
    #[error("the commune code is not that of a commune")]
    NotACommune,
    /// The province's code is not one of two digits.
    #[error("the province code is not that of a province")]
    NotAProvince,
    /// Commune and province come from different sets.
    #[error("commune and province are from different unit sets")]
    SetsDiffer,
}

/// Something a person should look at; never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressWarning {
    /// Nine or twelve digits in the note, as identity papers have: not for the operator.
    #[error("the note holds what looks like an identity number")]
    NoteLooksLikeIdNumber,
}

impl PostalAddress {
    /// Checks and tidies an address. No street or house number is required: villages have none.
    ///
    /// # Errors
    /// [`AddressError`] for the first thing that is wrong.
    pub fn new(
        line: &str,
        commune: UnitCode,
        province: UnitCode,
        note: Option<&str>,
    ) -> Result<Self, AddressError> {
        let line = tidy(line);
        let note = note.map(tidy).filter(|note| !note.is_empty());
        let chars = line.chars().count();
        if chars == 0 {
            return Err(AddressError::LineEmpty);
        }
        if chars > ADDRESS_LINE_CHARS_MAX {
            return Err(AddressError::LineTooLong { chars });
        }
        let note_chars = note.as_ref().map_or(0, |note| note.chars().count());
        if note_chars > ADDRESS_NOTE_CHARS_MAX {
            return Err(AddressError::NoteTooLong { chars: note_chars });
        }
        if line
            .chars()
            .chain(note.iter().flat_map(|note| note.chars()))
            .any(char::is_control)
        {
            return Err(AddressError::ControlCharacter);
        }
        if commune.level() != UnitLevel::Commune {
            return Err(AddressError::NotACommune);
        }
        if province.level() != UnitLevel::Province {
            return Err(AddressError::NotAProvince);
        }
        if commune.set != province.set {
            return Err(AddressError::SetsDiffer);
        }
        Ok(Self {
            line,
            commune,
            province,
            note,
        })
    }

    /// House, alley, hamlet, street: everything below the commune.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The commune.
    pub const fn commune(&self) -> &UnitCode {
        &self.commune
    }

    /// The province, from the same set.
    pub const fn province(&self) -> &UnitCode {
        &self.province
    }

    /// Hints for the postman.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What a person should look at, if anything.
    pub fn warning(&self) -> Option<AddressWarning> {
        let suspicious = self.note.as_deref().is_some_and(looks_like_id_number);
        suspicious.then_some(AddressWarning::NoteLooksLikeIdNumber)
    }
}

impl fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostalAddress([personal], {})", self.province)
    }
}

/// Nine or twelve digits in a row, also when grouped by single blanks, dots or hyphens. Telephone numbers have ten or
/// eleven and do not trip it.
pub fn looks_like_id_number(text: &str) -> bool {
    let suspicious = |digits: usize| matches!(digits, 9 | 12);
    let plain = text
        .split(|c: char| !c.is_ascii_digit())
        .any(|run| suspicious(run.len()));
    let grouped = text
        .split(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '.' | '-'))
        .any(|run| suspicious(run.bytes().filter(u8::is_ascii_digit).count()));
    plain || grouped
}

/// Whether a text fits into a field of `bytes_max` bytes of UTF-8, as operators limit theirs.
pub const fn fits_bytes(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max
}

/// The longest beginning of at most `bytes_max` bytes that cuts neither a character nor a letter from its marks.
///
/// For labels and notes only: an address that does not fit is held for a person, never cut.
pub fn cut_at_char_boundary(text: &str, bytes_max: usize) -> &str {
    let mut end = text.floor_char_boundary(bytes_max);
    while let Some((head, tail)) = text.split_at_checked(end) {
        let Some(last) = head.chars().next_back() else {
            break;
        };
        if !tail.starts_with(is_combining_mark) {
            return head;
        }
        end -= last.len_utf8();
    }
    ""
}

#[cfg(test)]
mod tests;
