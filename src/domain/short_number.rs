//! Room `domain`: the shipment's short number, printed as a barcode and read aloud on the telephone.
//!
//! In: year and running number, or the text of a scanner. Out: `YY-NNNNNNC`. Deliberately not here: handing out running
//! numbers (the store).
//!
//! The check digit C is Damm's: with decimal digits only it catches **every** single wrong digit and **every** swap of
//! neighbours, the two slips people make most. Luhn misses the swap of 0 and 9; ISO 7064 mod 11,10 misses some swaps.
//! The year is under the check as well, so a slip across the hyphen is caught too.

use std::fmt;

/// Highest running number of a year.
pub const SHORT_NUMBER_SEQUENCE_MAX: u64 = 9_999_999_999;

/// The quasigroup of H. Michael Damm's thesis (2004), order ten, totally anti-symmetric.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// A short number: two-digit year, running number of six to ten digits, check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortNumber {
    /// 0 to 99, the year less 2000.
    year: u8,
    /// 1 to [`SHORT_NUMBER_SEQUENCE_MAX`].
    sequence: u64,
}

/// Why something is no short number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShortNumberError {
    /// Not `YY-NNNNNNC`, with or without the hyphen.
    #[error("not of the form YY-NNNNNNC")]
    Form,
    /// The digits do not fit together: mistyped or misread.
    #[error("the check digit is wrong")]
    CheckDigit,
    /// Year outside 2000 to 2099, or running number outside 1 to 9,999,999,999.
    #[error("year or running number out of range")]
    Range,
}

impl ShortNumber {
    /// From the full year (2000 to 2099) and a running number (1 to [`SHORT_NUMBER_SEQUENCE_MAX`]).
    ///
    /// # Errors
    /// [`ShortNumberError::Range`].
    pub fn new(year: i16, sequence: u64) -> Result<Self, ShortNumberError> {
        let short = u8::try_from(year.saturating_sub(2000)).map_err(|_outside| ShortNumberError::Range)?;
        if short > 99 || sequence == 0 || sequence > SHORT_NUMBER_SEQUENCE_MAX {
            return Err(ShortNumberError::Range);
        }
        Ok(Self {
            year: short,
            sequence,
        })
    }

    /// Reads a typed or scanned text; blanks around it and a missing hyphen are forgiven, nothing else.
    ///
    /// # Errors
    /// [`ShortNumberError`].
    pub fn parse(text: &str) -> Result<Self, ShortNumberError> {
        let trimmed = text.trim();
        let (year, rest) = trimmed.split_at_checked(2).ok_or(ShortNumberError::Form)?;
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let (sequence, _check) = rest
            .len()
            .checked_sub(1)
            .and_then(|at| rest.split_at_checked(at))
            .ok_or(ShortNumberError::Form)?;
        let digits_only = [year, rest]
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let canonical =
            sequence.len() == 6 || ((7..=10).contains(&sequence.len()) && !sequence.starts_with('0'));
        if !digits_only || !canonical {
            return Err(ShortNumberError::Form);
        }
        if damm(year.bytes().chain(rest.bytes())) != 0 {
            return Err(ShortNumberError::CheckDigit);
        }
        let year = year
            .parse::<i16>()
            .map_err(|_not_digits| ShortNumberError::Form)?;
        let sequence = sequence
            .parse::<u64>()
            .map_err(|_not_digits| ShortNumberError::Form)?;
        Self::new(year + 2000, sequence)
    }

    /// The full year.
    pub fn year(self) -> i16 {
        2000 + i16::from(self.year)
    }

    /// The running number of that year.
    pub const fn sequence(self) -> u64 {
        self.sequence
    }

    /// The check digit, 0 to 9.
    pub fn check_digit(self) -> u8 {
        damm(format!("{:02}{:06}", self.year, self.sequence).bytes())
    }
}

impl fmt::Display for ShortNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:06}{}", self.year, self.sequence, self.check_digit())
    }
}

/// Damm's digit over ASCII digits; zero over a text that already ends in its own.
fn damm(digits: impl Iterator<Item = u8>) -> u8 {
    digits.fold(0, |interim, digit| {
        let row = DAMM.get(usize::from(interim));
        row.and_then(|row| row.get(usize::from(digit.wrapping_sub(b'0'))))
            .copied()
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(i16, u64), ShortNumberError>) {
        assert_eq!(
            ShortNumber::parse(text).map(|n| (n.year(), n.sequence())),
            expect,
            "{text}"
        );
    }

    #[test]
    fn the_published_example_of_damm() {
        assert_eq!(damm(b"572".iter().copied()), 4);
        assert_eq!(damm(b"5724".iter().copied()), 0);
    }

    #[test]
    fn forms_are_read_or_refused() {
        let number = ShortNumber::new(2026, 123).unwrap();
        let text = number.to_string();
        assert_eq!(text, format!("26-000123{}", number.check_digit()));
        check(&text, Ok((2026, 123)));
        check(&format!(" {} ", text.replace('-', "")), Ok((2026, 123)));
        for wrong in [
            "",
            "2",
            "26",
            "26-",
            "26-00012",
            "26_0001234",
            "26--0001234",
            "26-000123x",
            "é6-0001234",
            "26-01234567",
            "26-123456789012",
        ] {
            check(wrong, Err(ShortNumberError::Form));
        }
        let empty = damm(b"26000000".iter().copied());
        check(&format!("26-000000{empty}"), Err(ShortNumberError::Range));
        assert_eq!(ShortNumber::new(1999, 1), Err(ShortNumberError::Range));
        assert_eq!(ShortNumber::new(2100, 1), Err(ShortNumberError::Range));
        assert_eq!(
            ShortNumber::new(2026, 10_000_000_000),
            Err(ShortNumberError::Range)
        );
        let long = ShortNumber::new(2026, SHORT_NUMBER_SEQUENCE_MAX).unwrap();
        check(&long.to_string(), Ok((2026, SHORT_NUMBER_SEQUENCE_MAX)));
    }

    /// The table: each step loses no digit and tells neighbours apart, which proves the two guarantees for any length.
    #[test]
    fn the_quasigroup_is_latin_and_totally_anti_symmetric() {
        for c in 0..10 {
            let mut row = DAMM[c];
            row.sort_unstable();
            assert_eq!(row, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
            let mut column = DAMM.map(|row| row[c]);
            column.sort_unstable();
            assert_eq!(column, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
            assert_eq!(DAMM[c][c], 0);
            for (x, y) in (0..10)
                .flat_map(|x| (0..10).map(move |y| (x, y)))
                .filter(|(x, y)| x != y)
            {
                let (first, second) = (usize::from(DAMM[c][x]), usize::from(DAMM[c][y]));
                assert_ne!(DAMM[first][y], DAMM[second][x], "{c} {x} {y}");
            }
        }
    }

    proptest! {
        /// Every single wrong digit and every swap of neighbours in every place is caught; the true text is read back.
        #[test]
        fn slips_are_caught(year in 2000_i16..2100, sequence in 1_u64..=SHORT_NUMBER_SEQUENCE_MAX) {
            let number = ShortNumber::new(year, sequence).unwrap();
            let digits: Vec<u8> = number.to_string().bytes().filter(u8::is_ascii_digit).collect();
            prop_assert_eq!(ShortNumber::parse(&number.to_string()), Ok(number));
            for place in 0..digits.len() {
                for other in (b'0'..=b'9').filter(|d| *d != digits[place]) {
                    let mut slip = digits.clone();
                    slip[place] = other;
                    prop_assert!(ShortNumber::parse(std::str::from_utf8(&slip).unwrap()).is_err());
                }
                if place > 0 && digits[place] != digits[place - 1] {
                    let mut slip = digits.clone();
                    slip.swap(place, place - 1);
                    prop_assert!(ShortNumber::parse(std::str::from_utf8(&slip).unwrap()).is_err());
                }
            }
        }
    }
}
