//! Room `domain`: tests of addresses and unit names. In a file of their own because of the limit on lines.

use proptest::prelude::*;

use super::*;

fn unit(text: &str) -> UnitCode {
    UnitCode::parse(text).unwrap()
}

#[test]
fn a_code_lives_in_its_set() {
    let (new, old) = (unit("vn-2026-04:06688"), unit("legacy-2025-06:06688"));
    assert_ne!(new, old);
    assert_eq!(new.to_string(), "vn-2026-04:06688");
    assert_eq!(
        (new.level(), unit("vn-2025-07:22").level()),
        (UnitLevel::Commune, UnitLevel::Province)
    );
    assert_eq!(unit("legacy-2025-06:193").level(), UnitLevel::District);
    for set in [
        UnitSet::vn_2025_07(),
        UnitSet::vn_2026_04(),
        UnitSet::legacy_2025_06(),
    ] {
        assert_eq!(UnitSet::parse(set.as_str()), Ok(set));
    }
    assert_eq!(UnitCode::parse("06688"), Err(UnitCodeError::Form));
    for set in [
        "",
        "vn",
        "vn-2026",
        "vn-2026-13",
        "vn-2026-00",
        "VN-2026-04",
        "-2026-04",
        "vn-26-04",
        "vn-2026-04-01",
    ] {
        assert_eq!(
            UnitCode::parse(&format!("{set}:06688")),
            Err(UnitCodeError::Set),
            "{set}"
        );
    }
    for code in ["", "6688", "066888", "0668x", "０６"] {
        assert_eq!(
            UnitCode::parse(&format!("vn-2026-04:{code}")),
            Err(UnitCodeError::Code),
            "{code}"
        );
    }
}

#[track_caller]
fn check_split(text: &str, kind: Option<UnitKind>, bare: &str) {
    assert_eq!(UnitName::new(text).split(), (kind, bare.to_owned()), "{text}");
}

#[test]
fn the_units_word_is_told_from_its_name() {
    check_split("Phường Hạ Long", Some(UnitKind::Phuong), "hạ long");
    check_split("P.Hạ Long", Some(UnitKind::Phuong), "hạ long");
    check_split("P. 4", Some(UnitKind::Phuong), "4");
    check_split("XÃ THỐNG NHẤT", Some(UnitKind::Xa), "thống nhất");
    check_split("X. Quảng La", Some(UnitKind::Xa), "quảng la");
    check_split("Đặc khu Cô Tô", Some(UnitKind::DacKhu), "cô tô");
    check_split("TP Hà Nội", Some(UnitKind::ThanhPho), "hà nội");
    check_split("TP. Hồ Chí Minh", Some(UnitKind::ThanhPho), "hồ chí minh");
    check_split("Tỉnh Quảng Ninh", Some(UnitKind::Tinh), "quảng ninh");
    check_split("Thị xã Đông Triều", Some(UnitKind::ThiXa), "đông triều");
    check_split("Hạ Long", None, "hạ long");
    check_split("Phương Nam", None, "phương nam");
    check_split("Xà Phiên", None, "xà phiên");
    check_split("Phường", None, "phường");
    check_split("Pa Ham", None, "pa ham");
}

#[track_caller]
fn check_agreement(left: &str, right: &str, expect: Option<NameAgreement>) {
    let (left, right) = (UnitName::new(left), UnitName::new(right));
    assert_eq!(left.agreement(&right), expect);
    assert_eq!(right.agreement(&left), expect);
}

#[test]
fn names_agree_exactly_by_spelling_or_without_accents() {
    check_agreement("Phường Hạ Long", "P. HẠ LONG", Some(NameAgreement::Exact));
    check_agreement("Phường Hạ Long", "Hạ Long", Some(NameAgreement::Exact));
    check_agreement("Xã Hoà Bình", "Xã Hòa Bình", Some(NameAgreement::Spelling));
    check_agreement("Xã Mỹ Quý", "Xã Mỹ Quí", Some(NameAgreement::Spelling));
    check_agreement(
        "Phường Hạ Long",
        "phuong ha long",
        Some(NameAgreement::AccentFree),
    );
    check_agreement("Xã Văn Lăng", "Xã Văn Lang", Some(NameAgreement::AccentFree));
    check_agreement("Xã Phương Nam", "Phuong Nam", Some(NameAgreement::AccentFree));
    check_agreement("Tỉnh Đồng Nai", "Thành phố Đồng Nai", Some(NameAgreement::Exact));
    check_agreement("Phường Sơn Tây", "Xã Sơn Tây", None);
    check_agreement("Phường Hạ Long", "xa ha long", None);
    check_agreement("Hạ Long", "Hà Long", Some(NameAgreement::AccentFree));
    check_agreement("Hạ Long", "Hạ Lon", None);
    check_agreement("", "", None);
}

#[track_caller]
fn check_match(name: &str, candidates: &[&str], expect: Match, suggested: &[usize]) {
    let candidates: Vec<UnitName> = candidates.iter().map(|c| UnitName::new(c)).collect();
    let name = UnitName::new(name);
    assert_eq!(match_exact(&name, &candidates), expect);
    assert_eq!(suggestions(&name, &candidates), suggested);
}

#[test]
fn only_an_unambiguous_name_is_settled() {
    check_match(
        "Phường Hạ Long",
        &["Phường Hà Long", "Phường Hạ Long"],
        Match::One(1),
        &[1, 0],
    );
    check_match(
        "Xã Hoà Bình",
        &["Xã Hòa Bình", "Xã Hoa Bình"],
        Match::One(0),
        &[0, 1],
    );
    check_match(
        "Hoà Bình",
        &["Xã Hoà Bình", "Phường Hoà Bình"],
        Match::Several,
        &[0, 1],
    );
    check_match(
        "Phường Hoà Bình",
        &["Hoà Bình", "Phường Hoà Bình"],
        Match::One(1),
        &[0, 1],
    );
    check_match(
        "Phường Hoà Bình",
        &["Phường Hoà Bình", "Phường Hoà Bình"],
        Match::Several,
        &[0, 1],
    );
    check_match(
        "Xa Van Lang",
        &["Xã Văn Lăng", "Xã Văn Lang"],
        Match::None,
        &[0, 1],
    );
    check_match("Phường Mới", &["Phường Cũ"], Match::None, &[]);
    check_match("Hoà", &[], Match::None, &[]);
}

#[track_caller]
fn check_address(
    line: &str,
    commune: &str,
    province: &str,
    note: Option<&str>,
    expect: Result<&str, AddressError>,
) {
    let address = PostalAddress::new(line, unit(commune), unit(province), note);
    assert_eq!(
        address.as_ref().map(PostalAddress::line),
        expect.as_ref().map(|line| *line)
    );
}

#[test]
fn addresses_are_checked() {
    let (commune, province) = ("vn-2026-04:06688", "vn-2026-04:22");
    check_address(" thôn  3 ", commune, province, None, Ok("thôn 3"));
    check_address(
        "123/45/6 ngõ 7,\n tổ 8",
        commune,
        province,
        Some("gọi trước"),
        Ok("123/45/6 ngõ 7, tổ 8"),
    );
    check_address("Thu\u{309}", commune, province, None, Ok("Thủ"));
    check_address(" \n", commune, province, None, Err(AddressError::LineEmpty));
    check_address(&"ổ".repeat(250), commune, province, None, Ok(&"ổ".repeat(250)));
    check_address(
        &"ổ".repeat(251),
        commune,
        province,
        None,
        Err(AddressError::LineTooLong { chars: 251 }),
    );
    check_address(
        "a",
        commune,
        province,
        Some(&"ổ".repeat(256)),
        Err(AddressError::NoteTooLong { chars: 256 }),
    );
    check_address(
        "a\u{0}b",
        commune,
        province,
        None,
        Err(AddressError::ControlCharacter),
    );
    check_address(
        "a",
        commune,
        province,
        Some("a\u{7}"),
        Err(AddressError::ControlCharacter),
    );
    check_address("a", province, province, None, Err(AddressError::NotACommune));
    check_address("a", commune, commune, None, Err(AddressError::NotAProvince));
    check_address("a", commune, "vn-2025-07:22", None, Err(AddressError::SetsDiffer));
}

#[test]
fn a_note_with_an_identity_number_warns() {
    let warning = |note: &str| {
        let address =
            PostalAddress::new("a", unit("vn-2026-04:06688"), unit("vn-2026-04:22"), Some(note)).unwrap();
        address.warning()
    };
    for suspicious in [
        "CCCD 001085012345",
        "cmnd: 100 123 456",
        "số 001.085.012.345 nhé",
        "100-123-456",
    ] {
        assert_eq!(
            warning(suspicious),
            Some(AddressWarning::NoteLooksLikeIdNumber),
            "{suspicious}"
        );
    }
    for harmless in [
        "gọi 0912345678 trước 17h",
        "gọi 0912 345 678",
        "gần chợ, nhà 12",
        "02033825555",
        "  ",
    ] {
        assert_eq!(warning(harmless), None, "{harmless}");
    }
}

#[test]
fn debug_shows_no_address() {
    let address = PostalAddress::new(
        "12 phố Thử",
        unit("vn-2026-04:06688"),
        unit("vn-2026-04:22"),
        None,
    )
    .unwrap();
    assert_eq!(format!("{address:?}"), "PostalAddress([personal], vn-2026-04:22)");
}

#[test]
fn texts_are_cut_between_letters() {
    assert!(fits_bytes("ổ", 3) && !fits_bytes("ổ", 2));
    assert_eq!(cut_at_char_boundary("phố cổ", 5), "phố");
    assert_eq!(cut_at_char_boundary("phố cổ", 4), "ph");
    assert_eq!(cut_at_char_boundary("ab\u{309}c", 3), "a");
    assert_eq!(cut_at_char_boundary("b\u{309}", 1), "");
    assert_eq!(cut_at_char_boundary("abc", 99), "abc");
    assert_eq!(cut_at_char_boundary("", 0), "");
}

proptest! {
    /// A cut is a beginning, fits, and the longest that may be: at most one letter with its marks is missing.
    #[test]
    fn cuts_fit(text in "[a-zÀ-ỹ\u{300}\u{323} ]{0,30}", bytes_max in 0_usize..60) {
        let cut = cut_at_char_boundary(&text, bytes_max);
        prop_assert!(fits_bytes(cut, bytes_max) && text.starts_with(cut));
        if fits_bytes(&text, bytes_max) {
            prop_assert_eq!(cut, text.as_str());
        }
    }

    /// Every name agrees with itself and with its capitals, in both directions.
    #[test]
    fn names_agree_with_themselves(text in "(Xã |P\\.|Phường )?[A-Zà-ỹ]{2,8}( [a-z]{1,6})?") {
        let (name, capitals) = (UnitName::new(&text), UnitName::new(&text.to_uppercase()));
        prop_assert_eq!(name.agreement(&name), Some(NameAgreement::Exact));
        prop_assert_eq!(match_exact(&name, &[UnitName::new("Thôn Không Có"), name.clone()]), Match::One(1));
        prop_assert_eq!(name.agreement(&capitals), capitals.agreement(&name));
    }
}
