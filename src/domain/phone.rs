//! Room `domain`: Vietnamese telephone numbers.
//!
//! In: a field as people fill it, often with two numbers. Out: [`Phone`]s in national digits. Deliberately not here:
//! asking whether a number answers. Ranges change faster than software, so an unknown range is a warning; only what
//! cannot be dialled at all is refused.

use std::fmt;

/// Longest field that is read, in characters.
pub const PHONE_FIELD_CHARS_MAX: usize = 120;
/// Most numbers kept from one field.
pub const PHONES_PER_FIELD_MAX: usize = 4;

/// A telephone number in national form: `0` and 9 or 10 more digits. Personal data: `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

/// What kind of line a number is, by its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhoneKind {
    /// A mobile range in use.
    Mobile,
    /// A fixed line, `02…`.
    Landline,
    /// Ten digits of a range we do not know.
    UnknownBlock,
}

/// Something a person should look at; never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneWarning {
    /// The range is in none of the lists.
    #[error("the number is in no known range")]
    UnknownBlock,
    /// An eleven-digit mobile number of before 2018 was converted.
    #[error("an eleven-digit number was converted by the table of 2018")]
    Converted2018,
    /// Nine digits of a mobile number without the leading zero, as spreadsheets leave it.
    #[error("the leading zero was added")]
    ZeroAdded,
}

/// A number found in a field, with what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// The number.
    pub number: PhoneNumber,
    /// What a person should look at.
    pub warning: Option<PhoneWarning>,
}

/// Why a field gives no number. Carries counts and places only, never digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Nothing but blanks and separators.
    #[error("the telephone number is empty")]
    Empty,
    /// More than [`PHONE_FIELD_CHARS_MAX`] characters.
    #[error("the telephone field is longer than 120 characters")]
    TooLong,
    /// More than [`PHONES_PER_FIELD_MAX`] numbers.
    #[error("the telephone field holds more than 4 numbers")]
    TooMany,
    /// A letter or sign that belongs to no number.
    #[error("number {number} has a character that is no digit")]
    NotDigits {
        /// One-based place of the number in the field.
        number: usize,
    },
    /// Too few or too many digits.
    #[error("number {number} has {digits} digits, which no line in Vietnam has")]
    Length {
        /// One-based place of the number in the field.
        number: usize,
        /// Digits found.
        digits: usize,
    },
    /// A country code other than 84.
    #[error("number {number} is not in Vietnam")]
    Foreign {
        /// One-based place of the number in the field.
        number: usize,
    },
    /// Starts in a way no subscriber's number does: `00…`, or eleven digits of a range that never was.
    #[error("number {number} is in a range that cannot be dialled")]
    DeadBlock {
        /// One-based place of the number in the field.
        number: usize,
    },
}

/// Mobile ranges of eleven digits and their successors, the ministry's plan of 2018 (in force 15 September 2018).
const CONVERTED_2018: [(&str, &str); 21] = [
    ("0120", "070"),
    ("0121", "079"),
    ("0122", "077"),
    ("0123", "083"),
    ("0124", "084"),
    ("0125", "085"),
    ("0126", "076"),
    ("0127", "081"),
    ("0128", "078"),
    ("0129", "082"),
    ("0162", "032"),
    ("0163", "033"),
    ("0164", "034"),
    ("0165", "035"),
    ("0166", "036"),
    ("0167", "037"),
    ("0168", "038"),
    ("0169", "039"),
    ("0186", "056"),
    ("0188", "058"),
    ("0199", "059"),
];

impl PhoneNumber {
    /// National digits, `0xxxxxxxxx`; the form operators take.
    pub fn as_national(&self) -> &str {
        &self.0
    }

    /// International form, `+84xxxxxxxxx`.
    pub fn to_e164(&self) -> String {
        format!("+84{}", self.0.strip_prefix('0').unwrap_or(&self.0))
    }

    /// What kind of line this is, by its range.
    pub fn kind(&self) -> PhoneKind {
        if self.0.starts_with("02") {
            PhoneKind::Landline
        } else if is_mobile(&self.0) {
            PhoneKind::Mobile
        } else {
            PhoneKind::UnknownBlock
        }
    }

    /// For lists and logs of the desk: all but the last three digits hidden.
    pub fn masked(&self) -> String {
        let hidden = self.0.len().saturating_sub(3);
        format!("{}{}", "*".repeat(hidden), self.tail(3))
    }

    /// The last four digits, which a caller can be asked for.
    pub fn last4(&self) -> &str {
        self.tail(4)
    }

    fn tail(&self, digits: usize) -> &str {
        self.0
            .get(self.0.len().saturating_sub(digits)..)
            .unwrap_or_default()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({:?})", self.kind())
    }
}

/// Reads all numbers of one field, in the order written, each once.
///
/// Two numbers may be parted by `/ ; , | & + và hoặc`, a new line, or only by a blank or hyphen where exactly one way of
/// parting gives two whole numbers.
///
/// # Errors
/// [`PhoneError`] for the first number that cannot be dialled; then no number of the field is returned.
pub fn parse_field(field: &str) -> Result<Vec<Phone>, PhoneError> {
    if field.chars().count() > PHONE_FIELD_CHARS_MAX {
        return Err(PhoneError::TooLong);
    }
    let spread = [" và ", " hoặc ", " va ", " hoac "]
        .iter()
        .fold(field.to_lowercase(), |text, word| text.replace(word, ";"));
    let mut found: Vec<Phone> = Vec::new();
    let pieces = spread.split(['/', ';', ',', '|', '&', '\n', '\r', '\\']);
    for (index, piece) in pieces
        .filter(|piece| piece.chars().any(|c| !is_filler(c)))
        .enumerate()
    {
        for phone in parse_piece(piece, index + 1)? {
            if !found.iter().any(|known| known.number == phone.number) {
                found.push(phone);
            }
        }
    }
    match found.len() {
        0 => Err(PhoneError::Empty),
        1..=PHONES_PER_FIELD_MAX => Ok(found),
        _ => Err(PhoneError::TooMany),
    }
}

/// One number; or two, when the digits are too many for one and part in exactly one place.
fn parse_piece(piece: &str, number: usize) -> Result<Vec<Phone>, PhoneError> {
    let groups: Vec<&str> = piece.split(is_filler).filter(|group| !group.is_empty()).collect();
    let whole = parse_one(&groups.concat(), number);
    let failure = match whole {
        Ok(phone) => return Ok(vec![phone]),
        Err(failure) => failure,
    };
    let mut ways = (1..groups.len()).filter_map(|at| {
        let (left, right) = groups.split_at_checked(at)?;
        let (left, right) = (
            parse_one(&left.concat(), number).ok()?,
            parse_one(&right.concat(), number + 1).ok()?,
        );
        Some(vec![left, right])
    });
    match (ways.next(), ways.next()) {
        (Some(only), None) => Ok(only),
        (None | Some(_), _) => Err(failure),
    }
}

/// Signs people put between digits, and the invisible marks that copied contacts carry.
fn is_filler(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '.' | '-' | '(' | ')' | '_' | '\u{2010}'..='\u{2015}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// One number from its written digits, with the country code in any of its forms.
fn parse_one(text: &str, number: usize) -> Result<Phone, PhoneError> {
    let (digits, international) = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
        Some(rest) => (rest, text.starts_with('+') || rest.starts_with("84")),
        None => (text, false),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PhoneError::NotDigits { number });
    }
    if digits.len() != text.len() && !international {
        return Err(PhoneError::DeadBlock { number });
    }
    let length = PhoneError::Length {
        number,
        digits: text.bytes().filter(u8::is_ascii_digit).count(),
    };
    let (national, added) = match (digits.strip_prefix("84"), international) {
        (Some(rest), true) => (with_zero(rest), false),
        (None, true) => return Err(PhoneError::Foreign { number }),
        (Some(rest), false) if matches!(rest.len(), 9..=11) => (with_zero(rest), false),
        (Some(_) | None, false) => match digits.len() {
            9 if !digits.starts_with('0') => (with_zero(digits), true),
            _ => (digits.to_owned(), false),
        },
    };
    let zero_added = added.then_some(PhoneWarning::ZeroAdded);
    let (national, warning) = accept(national, number, length)?;
    if added && warning == Some(PhoneWarning::UnknownBlock) {
        return Err(length);
    }
    Ok(Phone {
        number: PhoneNumber(national),
        warning: warning.or(zero_added),
    })
}

fn with_zero(digits: &str) -> String {
    if digits.starts_with('0') {
        digits.to_owned()
    } else {
        format!("0{digits}")
    }
}

/// Checks length and range of national digits; converts old mobile numbers.
fn accept(
    national: String,
    number: usize,
    length: PhoneError,
) -> Result<(String, Option<PhoneWarning>), PhoneError> {
    if !national.starts_with('0') {
        return Err(length);
    }
    if national.starts_with("00") {
        return Err(PhoneError::DeadBlock { number });
    }
    match national.len() {
        11 if national.starts_with("01") => convert_2018(&national)
            .map(|converted| (converted, Some(PhoneWarning::Converted2018)))
            .ok_or(PhoneError::DeadBlock { number }),
        11 if national.starts_with("02") => Ok((national, None)),
        10 if national.starts_with("02") || is_mobile(&national) => Ok((national, None)),
        10 => Ok((national, Some(PhoneWarning::UnknownBlock))),
        _ => Err(length),
    }
}

fn convert_2018(national: &str) -> Option<String> {
    CONVERTED_2018
        .iter()
        .find_map(|(old, new)| national.strip_prefix(old).map(|rest| format!("{new}{rest}")))
}

/// `^0(3[2-9]|5[25689]|7[06-9]|8[1-9]|9\d)\d{7}$`
fn is_mobile(national: &str) -> bool {
    match national.as_bytes() {
        [b'0', first, second, rest @ ..] if rest.len() == 7 => match first {
            b'3' => (b'2'..=b'9').contains(second),
            b'5' => b"25689".contains(second),
            b'7' => b"06789".contains(second),
            b'8' => (b'1'..=b'9').contains(second),
            b'9' => true,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(field: &str, expect: &[(&str, Option<PhoneWarning>)]) {
        let found = parse_field(field).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|p| (p.number.as_national(), p.warning))
            .collect();
        assert_eq!(seen, expect, "{field}");
    }

    #[track_caller]
    fn refused(field: &str, expect: PhoneError) {
        assert_eq!(parse_field(field), Err(expect), "{field}");
    }

    #[test]
    fn one_number_in_every_way_of_writing() {
        for field in [
            "0912345678",
            "+84912345678",
            "84912345678",
            "0084912345678",
            "+84 (0) 912 345 678",
            "(+84) 912.345.678",
            "0912-345-678",
            " 0912 345 678 ",
            "0912\u{a0}345\u{a0}678",
            "\u{202a}0912345678\u{202c}",
            "8 4 912345678",
            "/0912345678;",
            "+840912345678",
            "840912345678",
            "0912345678/0912345678",
        ] {
            check(field, &[("0912345678", None)]);
        }
        check("912345678", &[("0912345678", Some(PhoneWarning::ZeroAdded))]);
        check("849123456", &[("0849123456", Some(PhoneWarning::ZeroAdded))]);
        check("02033825555", &[("02033825555", None)]);
        check("+84 203 382 5555", &[("02033825555", None)]);
        check("024.3825.555", &[("0243825555", None)]);
    }

    #[test]
    fn two_numbers_in_one_field() {
        let both = [("0912345678", None), ("0987654321", None)];
        for field in [
            "0912345678 / 0987654321",
            "0912345678/0987654321",
            "0912345678; 0987654321",
            "0912345678,0987654321",
            "0912 345 678 - 0987 654 321",
            "0912345678 0987654321",
            "0912.345.678-0987.654.321",
            "0912345678 và 0987654321",
            "0912345678 HOẶC 0987654321",
            "0912345678\n0987654321",
            "+84912345678 0987654321",
        ] {
            check(field, &both);
        }
        refused("0912345678 / 12", PhoneError::Length { number: 2, digits: 2 });
        refused(
            "0912345678/0912345679/0912345677/0912345676/0912345675",
            PhoneError::TooMany,
        );
    }

    #[test]
    fn eleven_digit_mobiles_of_before_2018_are_converted() {
        for (old, new) in [
            ("01201234567", "0701234567"),
            ("01211234567", "0791234567"),
            ("01221234567", "0771234567"),
            ("01231234567", "0831234567"),
            ("01241234567", "0841234567"),
            ("01251234567", "0851234567"),
            ("01261234567", "0761234567"),
            ("01271234567", "0811234567"),
            ("01281234567", "0781234567"),
            ("01291234567", "0821234567"),
            ("01621234567", "0321234567"),
            ("01691234567", "0391234567"),
            ("01861234567", "0561234567"),
            ("01881234567", "0581234567"),
            ("01991234567", "0591234567"),
            ("+841691234567", "0391234567"),
        ] {
            check(old, &[(new, Some(PhoneWarning::Converted2018))]);
        }
        refused("01601234567", PhoneError::DeadBlock { number: 1 });
        refused("01951234567", PhoneError::DeadBlock { number: 1 });
    }

    #[test]
    fn unknown_ranges_warn_and_undiallable_ones_are_refused() {
        for unknown in [
            "0512345678",
            "0401234567",
            "0801234567",
            "0311234567",
            "0711234567",
            "0123456789",
        ] {
            check(unknown, &[(unknown, Some(PhoneWarning::UnknownBlock))]);
        }
        refused("", PhoneError::Empty);
        refused(" / ", PhoneError::Empty);
        refused("091234567", PhoneError::Length { number: 1, digits: 9 });
        refused(
            "09123456789",
            PhoneError::Length {
                number: 1,
                digits: 11,
            },
        );
        refused("0000000000", PhoneError::DeadBlock { number: 1 });
        refused("18001234", PhoneError::Length { number: 1, digits: 8 });
        refused("123456789", PhoneError::Length { number: 1, digits: 9 });
        refused("+1 212 555 0100", PhoneError::Foreign { number: 1 });
        refused("0912345678 (anh A)", PhoneError::NotDigits { number: 1 });
        refused("٠٩١٢٣٤٥٦٧٨", PhoneError::NotDigits { number: 1 });
        refused(&"0".repeat(121), PhoneError::TooLong);
    }

    /// All 89 three-digit beginnings, against the list written out.
    #[test]
    fn mobile_ranges_are_exactly_those_listed() {
        let listed = "032 033 034 035 036 037 038 039 052 055 056 058 059 070 076 077 078 079 081 082 083 084 085 086 087 088 089 \
                      090 091 092 093 094 095 096 097 098 099";
        for prefix in 11..100 {
            let prefix = format!("{prefix:03}");
            let kind = parse_field(&format!("{prefix}1234567")).unwrap()[0].number.kind();
            let expect = if listed.split_whitespace().any(|known| known == prefix) {
                PhoneKind::Mobile
            } else if prefix.starts_with("02") {
                PhoneKind::Landline
            } else {
                PhoneKind::UnknownBlock
            };
            assert_eq!(kind, expect, "{prefix}");
        }
    }

    #[test]
    fn what_is_shown_hides_the_number() {
        let phone = parse_field("0912345678").unwrap().remove(0);
        assert_eq!(phone.number.masked(), "*******678");
        assert_eq!(phone.number.last4(), "5678");
        assert_eq!(phone.number.to_e164(), "+84912345678");
        assert_eq!(
            format!("{phone:?}"),
            "Phone { number: PhoneNumber(Mobile), warning: None }"
        );
    }

    proptest! {
        /// Reading its own output changes nothing, for national and international form.
        #[test]
        fn reading_again_gives_the_same(digits in "0[235789][0-9]{8}") {
            let first = parse_field(&digits).unwrap();
            prop_assert_eq!(first[0].number.as_national(), digits.as_str());
            prop_assert_eq!(&parse_field(&first[0].number.to_e164()).unwrap(), &first);
        }

        /// No field makes the reader stop, and all that comes out is 10 or 11 digits from zero.
        #[test]
        fn any_field_is_read_or_refused(field in "[0-9+/ .()-]{0,40}|\\PC{0,40}") {
            for phone in parse_field(&field).unwrap_or_default() {
                let digits = phone.number.as_national();
                prop_assert!(digits.starts_with('0') && matches!(digits.len(), 10 | 11));
                prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()));
                prop_assert!(!phone.number.masked().contains(digits.get(..5).unwrap()));
            }
        }
    }
}
