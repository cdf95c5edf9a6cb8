//! Room `domain`: the dossier code (mã hồ sơ).
//!
//! In: what a dossier system or a barcode gives. Out: [`DossierCode`], its shape and the date inside. Deliberately not
//! here: uniqueness. Running numbers start again each day and generators lock in one process only, so the key of a
//! dossier is always (source system, code).

use std::fmt;

use jiff::civil::Date;

/// Longest code that is kept, in characters. A specification of 2026 uses 50.
pub const DOSSIER_CODE_CHARS_MAX: usize = 64;

/// A dossier code: 1 to 64 printable characters, trimmed, ASCII letters in upper case; otherwise as given.
///
/// `Debug` shows the shape only: with the code one can ask the public portal about a person's case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DossierCode(String);

/// The forms seen in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeShape {
    /// QCVN 102:2016: identifier from `000.`, `000.12.20.H49-220414-0001`.
    Qcvn102,
    /// Quyết định 20/2020/QĐ-TTg, now usual: `H15.50.05.13-261008-0975`.
    Qd20,
    /// Ministry systems with a date of eight digits: `G09.20-20260609-0092637`.
    Ministry8,
    /// Anything else; kept whole.
    Unknown,
}

/// Something a person should look at; never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeWarning {
    /// None of the known forms.
    #[error("the dossier code has none of the known forms")]
    UnknownShape,
    /// A known form whose date is not on the calendar.
    #[error("the date inside the dossier code does not exist")]
    ImpossibleDate,
}

/// Why a text cannot be a dossier code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DossierCodeError {
    /// Nothing but blanks.
    #[error("the dossier code is empty")]
    Empty,
    /// More than [`DOSSIER_CODE_CHARS_MAX`] characters.
    #[error("the dossier code has {chars} characters, more than 64")]
    TooLong {
        /// Characters found after trimming.
        chars: usize,
    },
    /// A control, invisible or replacement character.
    #[error("character {position} of the dossier code cannot be printed")]
    NotPrintable {
        /// One-based place after trimming.
        position: usize,
    },
}

impl DossierCode {
    /// Trims, turns ASCII letters to upper case, checks length and characters.
    ///
    /// # Errors
    /// [`DossierCodeError`] when empty, too long or not printable. An unknown shape is no error.
    pub fn parse(text: &str) -> Result<Self, DossierCodeError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(DossierCodeError::Empty);
        }
        let chars = trimmed.chars().count();
        if chars > DOSSIER_CODE_CHARS_MAX {
            return Err(DossierCodeError::TooLong { chars });
        }
        if let Some(index) = trimmed.chars().position(|c| !is_printable(c)) {
            return Err(DossierCodeError::NotPrintable { position: index + 1 });
        }
        Ok(Self(trimmed.to_ascii_uppercase()))
    }

    /// The code as stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which known form the code has.
    pub fn shape(&self) -> CodeShape {
        let Some((identifier, date, _running)) = self.parts() else {
            return CodeShape::Unknown;
        };
        if date.len() == 8 {
            CodeShape::Ministry8
        } else if identifier.starts_with("000.") {
            CodeShape::Qcvn102
        } else {
            CodeShape::Qd20
        }
    }

    /// The day of receipt inside the code, if the form is known and the day exists.
    pub fn received_on(&self) -> Option<Date> {
        let (_identifier, date, _running) = self.parts()?;
        let (year, month_day) = date.split_at_checked(date.len().checked_sub(4)?)?;
        let (month, day) = month_day.split_at_checked(2)?;
        let year = year.parse::<i16>().ok()?;
        let year = if date.len() == 6 { year + 2000 } else { year };
        Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
    }

    /// What a person should look at, if anything.
    pub fn warning(&self) -> Option<CodeWarning> {
        if self.parts().is_none() {
            Some(CodeWarning::UnknownShape)
        } else if self.received_on().is_none() {
            Some(CodeWarning::ImpossibleDate)
        } else {
            None
        }
    }

    /// Identifier, date digits and running number: `^[0-9A-Z]{2,3}(\.[0-9A-Z]{2,3})*-(\d{6}|\d{8})-\d{4,7}$`.
    fn parts(&self) -> Option<(&str, &str, &str)> {
        let mut pieces = self.0.split('-');
        let (identifier, date, running) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let known = pieces.next().is_none()
            && identifier.split('.').all(is_group)
            && matches!(date.len(), 6 | 8)
            && all_digits(date)
            && (4..=7).contains(&running.len())
            && all_digits(running);
        known.then_some((identifier, date, running))
    }
}

impl fmt::Debug for DossierCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DossierCode({:?})", self.shape())
    }
}

fn is_group(group: &str) -> bool {
    matches!(group.len(), 2 | 3)
        && group
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Refuses what cannot be seen on a label: two codes that look the same must be the same.
fn is_printable(c: char) -> bool {
    let invisible = matches!(
        u32::from(c),
        0xAD | 0x34F | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF
            | 0xFFF0..=0xFFFF | 0xE000..=0xF8FF | 0xE_0000..=0x10_FFFF
    );
    !c.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, shape: CodeShape, date: Option<&str>, warning: Option<CodeWarning>) {
        let code = DossierCode::parse(text).unwrap();
        assert_eq!(code.shape(), shape);
        assert_eq!(code.received_on().map(|d| d.to_string()).as_deref(), date);
        assert_eq!(code.warning(), warning);
    }

    #[test]
    fn the_three_shapes_are_recognised() {
        check(
            "000.12.20.H49-220414-0001",
            CodeShape::Qcvn102,
            Some("2022-04-14"),
            None,
        );
        check(
            "H15.50.05.13-261008-0975",
            CodeShape::Qd20,
            Some("2026-10-08"),
            None,
        );
        check(
            "h15.50.05.13-261008-0975 ",
            CodeShape::Qd20,
            Some("2026-10-08"),
            None,
        );
        check(
            "H49-260229-0001",
            CodeShape::Qd20,
            None,
            Some(CodeWarning::ImpossibleDate),
        );
        check("H49-240229-1234567", CodeShape::Qd20, Some("2024-02-29"), None);
        check(
            "G09.20-20260609-0092637",
            CodeShape::Ministry8,
            Some("2026-06-09"),
            None,
        );
        check(
            "G09.20-20261309-0092637",
            CodeShape::Ministry8,
            None,
            Some(CodeWarning::ImpossibleDate),
        );
    }

    #[test]
    fn unknown_shapes_are_kept_with_a_warning() {
        for text in [
            "H49-2604-0001",
            "H49-260414-001",
            "H49-260414-00000001",
            "H4999-260414-0001",
            "H49..20-260414-0001",
            "-260414-0001",
            "H49-260414-0001-2",
            "H49-2604１4-0001",
            "HỒ SƠ 15",
            "1",
            "H49.-260414-0001",
        ] {
            check(text, CodeShape::Unknown, None, Some(CodeWarning::UnknownShape));
        }
        assert_eq!(
            DossierCode::parse(" hồ sơ 15\t").unwrap().as_str(),
            "Hồ Sơ 15".to_ascii_uppercase()
        );
    }

    #[test]
    fn what_cannot_be_a_code_is_refused() {
        let refused = |text: &str| DossierCode::parse(text).unwrap_err();
        assert_eq!(refused(""), DossierCodeError::Empty);
        assert_eq!(refused(" \u{a0}\t"), DossierCodeError::Empty);
        assert_eq!(refused(&"é".repeat(65)), DossierCodeError::TooLong { chars: 65 });
        assert!(DossierCode::parse(&"é".repeat(64)).is_ok());
        assert_eq!(refused("H49\n-1"), DossierCodeError::NotPrintable { position: 4 });
        for invisible in [
            "\u{200b}", "\u{202e}", "\u{feff}", "\u{fffd}", "\u{0}", "\u{e000}",
        ] {
            assert_eq!(
                refused(&format!("A{invisible}B")),
                DossierCodeError::NotPrintable { position: 2 }
            );
        }
    }

    #[test]
    fn debug_keeps_the_code_to_itself() {
        let code = DossierCode::parse("H15.50-261008-0975").unwrap();
        assert_eq!(format!("{code:?}"), "DossierCode(Qd20)");
    }

    proptest! {
        /// Reading is idempotent, and the date inside every well-formed code is the day written.
        #[test]
        fn well_formed_codes_give_their_day(year in 0_i16..100, month in 1_i8..=12, day in 1_i8..=28, run in 0_u32..10_000) {
            let code = DossierCode::parse(&format!("h49.12-{year:02}{month:02}{day:02}-{run:04}")).unwrap();
            prop_assert_eq!(code.received_on(), Date::new(2000 + year, month, day).ok());
            prop_assert_eq!(DossierCode::parse(code.as_str()).unwrap(), code);
        }

        /// No text makes the reader stop.
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(code) = DossierCode::parse(&text) {
                prop_assert_eq!(code.warning().is_none(), code.received_on().is_some());
            }
        }
    }
}
