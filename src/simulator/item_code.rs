//! Room `simulator`: item codes of the UPU's S10 form, as the operator prints them.
//!
//! In: an eight-digit serial. Out: `EB` + serial + check digit + `VN`. Deliberately not here: reading a code; the
//! gateway's own reader is checked against this independent writer.

/// The check digit of an S10 serial: weights 8 6 4 2 3 5 9 7, `11 - sum mod 11`, where 10 becomes 0 and 11 becomes 5.
fn check_digit(serial: u32) -> u32 {
    let mut rest = serial;
    let mut sum = 0;
    for weight in [7, 9, 5, 3, 2, 4, 6, 8] {
        sum += (rest % 10) * weight;
        rest /= 10;
    }
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    }
}

/// The item code with this serial; only its last eight digits count.
pub(super) fn item_code(serial: u32) -> String {
    let serial = serial % 100_000_000;
    format!("EB{serial:08}{}VN", check_digit(serial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_hold() {
        for (serial, digit) in [
            (71_761, 8),
            (71_758, 1),
            (71_759, 5),
            (96_633_102, 0),
            (76_129_403, 8),
            (47_110_815, 1),
            (47_312_482, 9),
            (12_345_678, 5),
        ] {
            assert_eq!(check_digit(serial), digit, "{serial}");
        }
        assert_eq!(item_code(12_345_678), "EB123456785VN");
        assert_eq!(item_code(71_761), "EB000717618VN");
    }
}
