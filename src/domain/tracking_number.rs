//! Room `domain`: the operator's number on the label.
//!
//! In: what the operator or a scanner gives. Out: [`TrackingNumber`], opaque, and what its check digit says (UPU S10).
//! Deliberately not here: refusing. An operator's own statement is kept whatever its check digit says.

use std::fmt;

/// Longest number, in characters.
pub const TRACKING_NUMBER_CHARS_MAX: usize = 40;

/// A tracking number: 1 to 40 printable ASCII characters without blanks, otherwise opaque and as given.
///
/// `Debug` shows the check only: with the number one can ask the operator's public page about a person's post.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackingNumber(String);

/// Why a text cannot be a tracking number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackingNumberError {
    /// Nothing but blanks.
    #[error("the tracking number is empty")]
    Empty,
    /// More than [`TRACKING_NUMBER_CHARS_MAX`] characters.
    #[error("the tracking number has more than 40 characters")]
    TooLong,
    /// A blank inside, a control character or a letter outside ASCII.
    #[error("character {position} of the tracking number is not printable ASCII")]
    NotPrintable {
        /// One-based place after trimming.
        position: usize,
    },
}

/// What the check digit says; for people, never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackingCheck {
    /// Form of S10, right check digit.
    ValidS10,
    /// Form of S10, but the ninth digit should be `expected`.
    WrongCheckDigit {
        /// The right digit, 0 to 9.
        expected: u8,
    },
    /// Another form, such as the digits of Viettel Post.
    NotS10,
}

impl TrackingNumber {
    /// Trims and checks characters and length.
    ///
    /// # Errors
    /// [`TrackingNumberError`].
    pub fn parse(text: &str) -> Result<Self, TrackingNumberError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(TrackingNumberError::Empty);
        }
        if let Some(index) = trimmed.chars().position(|c| !c.is_ascii_graphic()) {
            return Err(TrackingNumberError::NotPrintable { position: index + 1 });
        }
        if trimmed.len() > TRACKING_NUMBER_CHARS_MAX {
            return Err(TrackingNumberError::TooLong);
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The number as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the check digit says. Small letters count as capitals: some scanners write them.
    pub fn check(&self) -> TrackingCheck {
        let Some((serial, check_digit)) = s10_parts(self.0.as_bytes()) else {
            return TrackingCheck::NotS10;
        };
        let expected = s10_check_digit(serial);
        if check_digit == expected {
            TrackingCheck::ValidS10
        } else {
            TrackingCheck::WrongCheckDigit { expected }
        }
    }
}

impl fmt::Debug for TrackingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrackingNumber({:?})", self.check())
    }
}

/// The check digit of UPU S10 for eight serial digits (values 0 to 9): weights 8 6 4 2 3 5 9 7, eleven minus the
/// remainder of the sum by eleven; ten becomes 0, eleven becomes 5.
pub fn s10_check_digit(serial: [u8; 8]) -> u8 {
    let sum: u32 = serial
        .iter()
        .zip([8_u32, 6, 4, 2, 3, 5, 9, 7])
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => u8::try_from(digit).unwrap_or_default(),
    }
}

/// Serial digits and check digit of two letters, nine digits, two letters.
fn s10_parts(bytes: &[u8]) -> Option<([u8; 8], u8)> {
    let [s1, s2, digits @ .., c1, c2] = bytes else {
        return None;
    };
    let letters = [s1, s2, c1, c2].into_iter().all(u8::is_ascii_alphabetic);
    let (serial, check) = digits.split_first_chunk::<8>()?;
    let [check] = check else { return None };
    if !letters || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((serial.map(|digit| digit - b'0'), check - b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: TrackingCheck) {
        assert_eq!(TrackingNumber::parse(text).unwrap().check(), expect, "{text}");
    }

    /// The vectors published with the standard.
    #[test]
    fn published_vectors_of_s10() {
        for (serial, digit) in [
            ("00071761", 8),
            ("00071758", 1),
            ("00071759", 5),
            ("96633102", 0),
            ("76129403", 8),
            ("47110815", 1),
            ("47312482", 9),
        ] {
            let digits: Vec<u8> = serial.bytes().map(|b| b - b'0').collect();
            assert_eq!(s10_check_digit(digits.try_into().unwrap()), digit, "{serial}");
        }
        check("EE471108151FR", TrackingCheck::ValidS10);
        check("RR473124829GB", TrackingCheck::ValidS10);
        check(" rr473124829gb ", TrackingCheck::ValidS10);
    }

    /// The usual samples are wrong by the standard and still accepted.
    #[test]
    fn a_wrong_check_digit_is_told_and_not_refused() {
        check("EB123456789VN", TrackingCheck::WrongCheckDigit { expected: 5 });
        check("EB123456785VN", TrackingCheck::ValidS10);
        check("EM111111111VN", TrackingCheck::WrongCheckDigit { expected: 5 });
        check("12345678901", TrackingCheck::NotS10);
        check("PKE-1/2", TrackingCheck::NotS10);
        check("EB12345678VN", TrackingCheck::NotS10);
        check("E1123456785VN", TrackingCheck::NotS10);
        check("EBVN", TrackingCheck::NotS10);
        check("X", TrackingCheck::NotS10);
    }

    #[test]
    fn what_cannot_be_a_number_is_refused() {
        assert_eq!(TrackingNumber::parse("  "), Err(TrackingNumberError::Empty));
        assert_eq!(
            TrackingNumber::parse("A B"),
            Err(TrackingNumberError::NotPrintable { position: 2 })
        );
        assert_eq!(
            TrackingNumber::parse("ABĐ"),
            Err(TrackingNumberError::NotPrintable { position: 3 })
        );
        assert_eq!(
            TrackingNumber::parse(&"1".repeat(41)),
            Err(TrackingNumberError::TooLong)
        );
        assert_eq!(TrackingNumber::parse(&"1".repeat(40)).unwrap().as_str().len(), 40);
        assert_eq!(
            format!("{:?}", TrackingNumber::parse("EB123456785VN").unwrap()),
            "TrackingNumber(ValidS10)"
        );
    }

    proptest! {
        /// Exactly one check digit of ten is right, and it is the one that is told.
        #[test]
        fn one_digit_of_ten_is_right(serial in 0_u32..100_000_000) {
            let checks: Vec<_> = (0..10_u8)
                .map(|d| TrackingNumber::parse(&format!("RR{serial:08}{d}VN")).unwrap().check())
                .collect();
            let right = checks.iter().position(|c| *c == TrackingCheck::ValidS10).unwrap();
            for (digit, found) in checks.iter().enumerate().filter(|(digit, _)| *digit != right) {
                prop_assert_eq!(*found, TrackingCheck::WrongCheckDigit { expected: u8::try_from(right).unwrap() }, "{}", digit);
            }
        }
    }
}
