//! Room `domain`: names of people and organisations, and the folds that compare them.
//!
//! In: a name in any Unicode form. Out: [`PersonName`] in NFC, exactly as spelt; folded texts for comparing and
//! searching only. Deliberately not here: changing the case of a name, which breaks names such as `HĐND` or `H'Mông`.

use std::collections::BTreeSet;
use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest name, in characters of NFC.
pub const NAME_CHARS_MAX: usize = 120;
/// Longest prefix of a word that gets a search token of its own; the whole word gets one as well.
pub const SEARCH_PREFIX_CHARS_MAX: usize = 8;

/// A name of a person or an organisation: NFC, 1 to 120 characters, single blanks. Personal data: `Debug` shows
/// nothing of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

/// Why a text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but blanks.
    #[error("the name is empty")]
    Empty,
    /// More than [`NAME_CHARS_MAX`] characters.
    #[error("the name has {chars} characters, more than 120")]
    TooLong {
        /// Characters found, in NFC.
        chars: usize,
    },
    /// A character that is in no name: control, invisible, or a sign such as `<`.
    #[error("character {position} cannot be part of a name")]
    BadCharacter {
        /// One-based place, in NFC with single blanks.
        position: usize,
    },
    /// No letter at all.
    #[error("the name has no letter")]
    NoLetter,
}

impl PersonName {
    /// Reads a name: NFC, blanks at the ends dropped and inside made single; spelling and case untouched.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = tidy(text);
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        let chars = name.chars().count();
        if chars > NAME_CHARS_MAX {
            return Err(NameError::TooLong { chars });
        }
        if let Some(index) = name.chars().position(|c| !is_name_char(c)) {
            return Err(NameError::BadCharacter { position: index + 1 });
        }
        if !name.chars().any(char::is_alphabetic) {
            return Err(NameError::NoLetter);
        }
        Ok(Self(name))
    }

    /// The name as spelt, in NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For lists seen by others: the first letter of each word, `N. T. T.`.
    pub fn initials(&self) -> String {
        let letters = self
            .0
            .split(' ')
            .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        letters
            .map(|letter| format!("{letter}."))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName([personal])")
    }
}

/// NFC, blanks at the ends dropped, each run of blanks inside made one.
pub fn tidy(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters of any script with their marks; digits and signs that names of organisations have.
fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || " -.'’ʼ‘`,()/&\"“”–+:;°".contains(c)
}

/// For searching: lower case, no accents, `đ` as `d`, everything but letters and digits as one blank.
pub fn fold_for_search(text: &str) -> String {
    let bare: String = text
        .to_lowercase()
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .filter_map(|c| match c {
            'đ' => Some('d'),
            '\'' | '’' | 'ʼ' | '‘' | '`' => None,
            other if other.is_alphanumeric() => Some(other),
            _ => Some(' '),
        })
        .collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// For comparing: lower case, NFD, the tone mark of each word moved to its end, so that `Hoà` equals `Hòa`.
///
/// A Vietnamese syllable has one tone at most, so its place carries no meaning; the marks of the vowel itself (ă â ê ô
/// ơ ư) stay where they are. The result is for comparing only, never for showing.
pub fn fold_tone_position(text: &str) -> String {
    let mut folded = String::new();
    let mut tones = String::new();
    for c in tidy(text).to_lowercase().nfd() {
        if is_tone(c) {
            tones.push(c);
            continue;
        }
        if !c.is_alphabetic() && !is_combining_mark(c) {
            folded.push_str(&tones);
            tones.clear();
        }
        folded.push(c);
    }
    folded.push_str(&tones);
    folded
}

/// For comparing: [`fold_tone_position`], and a `y` that is the only vowel of its word as `i` (`Mỹ Quý` equals
/// `Mĩ Quí`). `Thuỷ` and `Thủi` stay apart, because there the letter changes the sound.
pub fn fold_spelling(text: &str) -> String {
    let folded = fold_tone_position(text);
    let words = folded.split(' ').map(|word| {
        let letters = word.trim_end_matches(is_tone);
        let tones = word.strip_prefix(letters).unwrap_or_default();
        match letters.strip_suffix('y') {
            Some(onset) if is_consonants(onset) => format!("{onset}i{tones}"),
            Some(_) | None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Grave, acute, tilde, hook above, dot below: the five tone marks.
const fn is_tone(c: char) -> bool {
    matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}')
}

/// At least one consonant and nothing else; the `u` of `qu` belongs to the consonant.
fn is_consonants(onset: &str) -> bool {
    onset == "qu" || (!onset.is_empty() && onset.chars().all(|c| "bcdđghklmnprstvx".contains(c)))
}

/// The different words of a text, folded by [`fold_for_search`], in alphabetical order.
pub fn search_words(text: &str) -> BTreeSet<String> {
    fold_for_search(text)
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What the store makes keyed search tokens of: for each word all prefixes of 1 to
/// [`SEARCH_PREFIX_CHARS_MAX`] characters, and the whole word.
pub fn search_prefixes(text: &str) -> BTreeSet<String> {
    let mut prefixes = BTreeSet::new();
    for word in search_words(text) {
        let mut prefix = String::new();
        for c in word.chars().take(SEARCH_PREFIX_CHARS_MAX) {
            prefix.push(c);
            prefixes.insert(prefix.clone());
        }
        prefixes.insert(word);
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, NameError>) {
        assert_eq!(
            PersonName::parse(text).as_ref().map(PersonName::as_str),
            expect.as_ref().map(|t| *t),
            "{text}"
        );
    }

    #[test]
    fn names_are_kept_as_spelt() {
        let decomposed: String = "Nguyễn Thị Thử".nfd().collect();
        check(&decomposed, Ok("Nguyễn Thị Thử"));
        check("  Nguyễn \u{a0} Thị\tThử ", Ok("Nguyễn Thị Thử"));
        for kept in [
            "N'Thol",
            "H’Mông",
            "Y-Bih Niê",
            "Thử",
            "UBND P. Hồng Gai (bộ phận một cửa)",
            "HĐND",
            "Trường THCS số 2",
            "Công ty A & B",
            "陳文試",
            "Nguyễn Văn A/B",
            "O'Neil Jr.",
        ] {
            check(kept, Ok(kept));
        }
        check(&"ễ".repeat(120), Ok(&"ễ".repeat(120)));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        check(" \n ", Err(NameError::Empty));
        check(&"ễ".repeat(121), Err(NameError::TooLong { chars: 121 }));
        check("A<b>", Err(NameError::BadCharacter { position: 2 }));
        check("Thử\u{0}", Err(NameError::BadCharacter { position: 4 }));
        check("Th\u{202e}ử", Err(NameError::BadCharacter { position: 3 }));
        check("Th\u{fffd}", Err(NameError::BadCharacter { position: 3 }));
        check("A\u{200b}B", Err(NameError::BadCharacter { position: 2 }));
        check("0912345678", Err(NameError::NoLetter));
        check("---", Err(NameError::NoLetter));
    }

    #[test]
    fn debug_and_initials_hide_the_name() {
        let name = PersonName::parse("Nguyễn Thị Thử").unwrap();
        assert_eq!(format!("{name:?}"), "PersonName([personal])");
        assert_eq!(name.initials(), "N. T. T.");
    }

    #[test]
    fn searching_ignores_accents_and_signs() {
        for (text, folded) in [
            ("Nguyễn Thị ĐÀO", "nguyen thi dao"),
            ("H'Mông", "hmong"),
            ("Y-Bih  Niê", "y bih nie"),
            ("Ưu Ơi Ăn Ấm", "uu oi an am"),
            ("...", ""),
        ] {
            assert_eq!(fold_for_search(text), folded);
            assert_eq!(fold_for_search(&text.nfd().collect::<String>()), folded);
        }
    }

    #[track_caller]
    fn same_tone(left: &str, right: &str, tone: bool, spelling: bool) {
        assert_eq!(
            fold_tone_position(left) == fold_tone_position(right),
            tone,
            "tone {left} {right}"
        );
        assert_eq!(
            fold_spelling(left) == fold_spelling(right),
            spelling,
            "spelling {left} {right}"
        );
    }

    #[test]
    fn the_place_of_the_tone_does_not_count_and_the_tone_does() {
        same_tone("Hoà Bình", "Hòa Bình", true, true);
        same_tone("Thuỷ", "Thủy", true, true);
        same_tone("Hoà-Thuỷ", "HÒA-THỦY", true, true);
        same_tone("Khuê", "Khuế", false, false);
        same_tone("Hoà", "Hoa", false, false);
        same_tone("Hoà", "Hoá", false, false);
        same_tone("Cần Thơ", "Cân Thờ", false, false);
        same_tone("Văn Lăng", "Văn Làng", false, false);
        same_tone("Hồng", "Hông", false, false);
        same_tone("Đào", "Dào", false, false);
    }

    #[test]
    fn i_and_y_are_one_only_as_the_single_vowel() {
        same_tone("Mỹ Quý", "Mĩ Quí", false, true);
        same_tone("Lý", "Lí", false, true);
        same_tone("Thuỷ", "Thủi", false, false);
        same_tone("Tay", "Tai", false, false);
        same_tone("Y", "I", false, false);
    }

    #[test]
    fn words_give_prefixes() {
        assert_eq!(
            search_words("Thử Thị thử"),
            ["thi".to_owned(), "thu".to_owned()].into()
        );
        let prefixes = search_prefixes("Đỗ Wolfeschlegel");
        for expected in ["d", "do", "w", "wolfesch", "wolfeschlegel"] {
            assert!(prefixes.contains(expected), "{expected}");
        }
        assert_eq!(prefixes.len(), 2 + 8 + 1);
    }

    proptest! {
        /// Every composed and decomposed form of a name is one name, and reading again changes nothing.
        #[test]
        fn normal_forms_agree(text in "[A-Za-zÀ-ỹĐđ' -]{1,60}") {
            let decomposed: String = text.nfd().collect();
            let name = PersonName::parse(&text);
            prop_assert_eq!(&name, &PersonName::parse(&decomposed));
            if let Ok(name) = name {
                prop_assert_eq!(PersonName::parse(name.as_str()).unwrap(), name);
            }
            prop_assert_eq!(fold_for_search(&text), fold_for_search(&decomposed));
            prop_assert_eq!(fold_spelling(&text), fold_spelling(&decomposed));
            prop_assert_eq!(fold_for_search(&fold_for_search(&text)), fold_for_search(&text));
        }

        /// Spellings that are equal with accents are equal without, up to i and y.
        #[test]
        fn any_text_folds(text in "\\PC{0,40}") {
            prop_assert!(!fold_for_search(&text).contains("  "));
            prop_assert_eq!(fold_tone_position(&fold_tone_position(&text)), fold_tone_position(&text));
        }
    }
}
