//! Room `domain`: money.
//!
//! In: amounts as texts, JSON numbers or integers. Out: [`Dong`], whole đồng, never negative. Deliberately not here:
//! tariffs. Postal charge (cước) and collected fee (phí thu hộ) are two fields of this one type, never added together.

use std::fmt;

/// An amount of whole đồng, zero or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dong(i64);

/// Why something is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DongError {
    /// Nothing but blanks.
    #[error("the amount is empty")]
    Empty,
    /// Below zero.
    #[error("the amount is negative")]
    Negative,
    /// Parts of a đồng, which do not exist.
    #[error("the amount is not in whole dong")]
    Fraction,
    /// Not a number, or thousands grouped wrongly.
    #[error("the amount is not a number")]
    NotANumber,
    /// Beyond the range of 64 bits.
    #[error("the amount is too large")]
    TooLarge,
}

impl Dong {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// From an integer.
    ///
    /// # Errors
    /// [`DongError::Negative`].
    pub const fn new(dong: i64) -> Result<Self, DongError> {
        if dong < 0 {
            Err(DongError::Negative)
        } else {
            Ok(Self(dong))
        }
    }

    /// Whole đồng.
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// The sum; `None` beyond the range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Reads a text a person or an operator wrote: `25000`, `25.000`, `25,000`, `25.000 đ`, `25000.00`.
    ///
    /// A separator before exactly three digits groups thousands; before one or two zeros it starts an empty fraction.
    ///
    /// # Errors
    /// [`DongError`] for anything else; never a guess.
    pub fn parse(text: &str) -> Result<Self, DongError> {
        let bare = strip_currency(text.trim());
        let digits = unsigned(bare)?;
        let whole = match digits.rsplit_once(['.', ',']) {
            Some((whole, fraction)) if fraction.len() < 3 && !whole.is_empty() => {
                no_fraction(fraction)?;
                whole
            }
            Some(_) | None => digits,
        };
        let separator = whole.chars().find(|c| !c.is_ascii_digit());
        match separator {
            None => number(whole),
            Some(mark @ ('.' | ',' | ' ' | '\u{a0}')) => {
                let mut groups = whole.split(mark);
                let head = groups.next().unwrap_or_default();
                let grouped =
                    (1..=3).contains(&head.len()) && !head.starts_with('0') && groups.all(|g| g.len() == 3);
                if !grouped {
                    return Err(DongError::NotANumber);
                }
                number(&whole.replace(mark, ""))
            }
            Some(_) => Err(DongError::NotANumber),
        }
    }

    /// Reads the literal of a JSON number, where a dot is always the decimal mark: `25000`, `25000.0`.
    ///
    /// # Errors
    /// [`DongError`]; exponents are refused, because no operator writes them.
    pub fn parse_json_number(literal: &str) -> Result<Self, DongError> {
        let digits = unsigned(literal.trim())?;
        match digits.split_once('.') {
            Some((whole, fraction)) => {
                no_fraction(fraction)?;
                number(whole)
            }
            None => number(digits),
        }
    }
}

impl fmt::Display for Dong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(".")?;
            }
            write!(f, "{digit}")?;
        }
        f.write_str(" đ")
    }
}

fn strip_currency(text: &str) -> &str {
    ["VND", "VNĐ", "vnd", "vnđ", "đồng", "đ", "Đ", "₫"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit))
        .map_or(text, str::trim_end)
}

fn unsigned(text: &str) -> Result<&str, DongError> {
    match text.strip_prefix('-') {
        Some(rest)
            if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',') =>
        {
            Err(DongError::Negative)
        }
        Some(_) => Err(DongError::NotANumber),
        None if text.is_empty() => Err(DongError::Empty),
        None => Ok(text),
    }
}

fn no_fraction(digits: &str) -> Result<(), DongError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        Err(DongError::NotANumber)
    } else if digits.bytes().all(|b| b == b'0') {
        Ok(())
    } else {
        Err(DongError::Fraction)
    }
}

fn number(digits: &str) -> Result<Dong, DongError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DongError::NotANumber);
    }
    digits
        .parse()
        .map(Dong)
        .map_err(|_only_overflow_is_left| DongError::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<i64, DongError>) {
        assert_eq!(Dong::parse(text).map(Dong::as_i64), expect, "{text}");
    }

    #[test]
    fn texts_of_people_and_operators_are_read() {
        for text in [
            "25000",
            "25.000",
            "25,000",
            " 25 000 ",
            "25.000 đ",
            "25.000đ",
            "25000 VND",
            "25000.0",
            "25,000.00",
            "25.000 đồng",
        ] {
            check(text, Ok(25_000));
        }
        check("0", Ok(0));
        check("1.234.567", Ok(1_234_567));
        check("25.0", Ok(25));
        check("9223372036854775807", Ok(i64::MAX));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        check("", Err(DongError::Empty));
        check(" đ", Err(DongError::Empty));
        check("-1", Err(DongError::Negative));
        check("-25.000", Err(DongError::Negative));
        check("25.5", Err(DongError::Fraction));
        check("25.50", Err(DongError::Fraction));
        check("9223372036854775808", Err(DongError::TooLarge));
        for text in [
            "25.0000",
            "0.500",
            "2500.000",
            "1.23.456",
            "1.234,567",
            "25k",
            "1e3",
            "+5",
            "٢٥",
            "25.",
            ".25",
            "--5",
            "-",
            "25..000",
        ] {
            check(text, Err(DongError::NotANumber));
        }
    }

    #[test]
    fn in_json_a_dot_is_the_decimal_mark() {
        assert_eq!(Dong::parse_json_number("25.000"), Ok(Dong(25)));
        assert_eq!(Dong::parse_json_number("25000.0"), Ok(Dong(25_000)));
        assert_eq!(Dong::parse_json_number("25000"), Ok(Dong(25_000)));
        assert_eq!(Dong::parse_json_number("1.5"), Err(DongError::Fraction));
        assert_eq!(Dong::parse_json_number("2.5e4"), Err(DongError::NotANumber));
        assert_eq!(Dong::parse_json_number("-3"), Err(DongError::Negative));
    }

    #[test]
    fn amounts_are_written_the_vietnamese_way() {
        for (dong, text) in [
            (0, "0 đ"),
            (999, "999 đ"),
            (75_000, "75.000 đ"),
            (1_234_567, "1.234.567 đ"),
        ] {
            assert_eq!(Dong::new(dong).unwrap().to_string(), text);
        }
        assert_eq!(Dong::new(-1), Err(DongError::Negative));
        assert_eq!(Dong(i64::MAX).checked_add(Dong(1)), None);
        assert_eq!(Dong(1).checked_add(Dong(2)), Some(Dong(3)));
    }

    proptest! {
        /// What is written is read back.
        #[test]
        fn display_and_parse_round_trip(dong in 0..=i64::MAX) {
            prop_assert_eq!(Dong::parse(&Dong(dong).to_string()), Ok(Dong(dong)));
            prop_assert_eq!(Dong::parse(&dong.to_string()), Ok(Dong(dong)));
        }

        /// No text makes the reader stop.
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            prop_assert!(Dong::parse(&text).map_or(true, |dong| dong.as_i64() >= 0));
        }
    }
}
