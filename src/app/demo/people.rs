//! Room `app::demo`: invented people and organisations.
//!
//! In: dice. Out: names as Vietnamese names are spelt, NFC, ethnic ones and organisations among them, telephone numbers
//! from blocks in which nobody is reached, street lines. Deliberately not here: any real person; likeness is chance.

use super::dice::Dice;

/// Family names by how common they are, of a hundred.
const FAMILY: [(&str, u32); 18] = [
    ("Nguyễn", 33),
    ("Trần", 11),
    ("Lê", 9),
    ("Phạm", 8),
    ("Vũ", 7),
    ("Hoàng", 6),
    ("Đỗ", 4),
    ("Bùi", 4),
    ("Đặng", 3),
    ("Ngô", 3),
    ("Dương", 2),
    ("Lý", 2),
    ("Đoàn", 2),
    ("Đinh", 2),
    ("Tô", 1),
    ("Lương", 1),
    ("Cao", 1),
    ("Khổng", 1),
];
const MIDDLE_WOMEN: [&str; 8] = [
    "Thị",
    "Thị Thu",
    "Thị Minh",
    "Ngọc",
    "Thị Hồng",
    "Khánh",
    "Thị Kim",
    "Phương",
];
const MIDDLE_MEN: [&str; 8] = ["Văn", "Đức", "Quang", "Minh", "Hữu", "Xuân", "Tiến", "Bá"];
const GIVEN_WOMEN: [&str; 16] = [
    "Hương", "Lan", "Thủy", "Hoà", "Yến", "Nga", "Hạnh", "Trang", "Linh", "Oanh", "Quỳnh", "Thảo", "Vân",
    "Ngân", "Huệ", "Mỹ",
];
const GIVEN_MEN: [&str; 16] = [
    "Hùng",
    "Dũng",
    "Tuấn",
    "Hải",
    "Sơn",
    "Long",
    "Cường",
    "Thắng",
    "Quý",
    "Khoa",
    "Nghĩa",
    "Thuận",
    "Đạt",
    "Huy",
    "Phúc",
    "Trường",
];
/// Names of the Dao, Tày, Sán Dìu, Hmong, Êđê and Cơ Ho: hyphens, apostrophes, one word, three words.
const ETHNIC: [&str; 14] = [
    "Chíu A Sềnh",
    "Tằng Dảu Sáng",
    "Bàn Sinh Tài",
    "Triệu Mùi Khé",
    "Phùn A Cắm",
    "Nông Thị Siu",
    "Vi Văn Lỷ",
    "Trạc Dì Hai",
    "Leo Thị Chắn",
    "Giàng A Páo",
    "Vàng Thị Mỷ",
    "Y-Bih Êban",
    "N'Thol K'Brêu",
    "K'Brịp",
];
const ORGANISATIONS: [&str; 8] = [
    "Ngân hàng Thử Nghiệm – Chi nhánh Hạ Long",
    "Quỹ tín dụng nhân dân Mẫu",
    "Công ty TNHH MTV Ví Dụ Quảng Ninh",
    "Công ty CP Du lịch Giả Định",
    "Văn phòng công chứng Minh Họa",
    "Hợp tác xã Thủy sản Thử Nghiệm",
    "Hộ kinh doanh Bà Ví Dụ",
    "Trường Tiểu học Mẫu (HĐTS)",
];
const STREETS: [&str; 12] = [
    "đường Lê Thánh Tông",
    "đường Nguyễn Văn Cừ",
    "đường Hạ Long",
    "đường Cái Dăm",
    "phố Giếng Đồn",
    "đường Trần Phú",
    "đường 25/4",
    "phố Kênh Liêm",
    "đường Cái Lân",
    "phố Anh Đào",
    "đường Hoàng Quốc Việt",
    "đường Vũ Văn Hiếu",
];
const VILLAGES: [&str; 6] = [
    "Đồng Mẫu",
    "Khe Thử",
    "Bằng Ví Dụ",
    "Đá Trắng",
    "An Giả",
    "Tân Định",
];
const NOTES: [&str; 5] = [
    "gọi trước khi đến",
    "gần chợ, nhà có giàn hoa giấy",
    "chỉ nhận giờ hành chính",
    "gửi bảo vệ tầng 1 nếu vắng, xin gọi điện",
    "nhà cuối ngõ",
];

/// The name of a person or, in about one of fifteen, of an organisation.
pub(super) fn name(dice: &mut Dice) -> String {
    if dice.hits(65) {
        return dice.word(&ORGANISATIONS).to_owned();
    }
    if dice.hits(45) {
        return dice.word(&ETHNIC).to_owned();
    }
    let family = FAMILY
        .get(dice.weighted(FAMILY.iter().map(|(_, weight)| *weight)))
        .map_or("Nguyễn", |(name, _)| *name);
    let (middle, given) = if dice.hits(520) {
        (dice.word(&MIDDLE_WOMEN), dice.word(&GIVEN_WOMEN))
    } else {
        (dice.word(&MIDDLE_MEN), dice.word(&GIVEN_MEN))
    };
    format!("{family} {middle} {given}")
}

/// A number in a valid range, in blocks of zeros that are given to nobody: mobile `09000xxxxx`, fixed `020300xxxxx`.
pub(super) fn phone(dice: &mut Dice) -> String {
    if dice.hits(60) {
        format!("020300{:05}", dice.between(0, 99_999))
    } else {
        format!("09000{:05}", dice.between(0, 99_999))
    }
}

/// A number of ten digits in a range that no operator in Vietnam was ever given: our own check only warns, because ranges
/// change faster than software, and the postal operator refuses it.
pub(super) fn refused_phone(dice: &mut Dice) -> String {
    format!("06000{:05}", dice.between(0, 99_999))
}

/// A street line: house and street, alley, hamlet without any number, or flat.
pub(super) fn street_line(dice: &mut Dice) -> String {
    let house = dice.between(1, 480);
    match dice.between(0, 9) {
        0 | 1 => format!("Thôn {}", dice.word(&VILLAGES)),
        2 | 3 => format!("Số {house}, ngõ {}, {}", dice.between(2, 90), dice.word(&STREETS)),
        4 => format!("Tổ {}, khu {}", dice.between(1, 18), dice.between(1, 9)),
        5 => format!(
            "Phòng {}{:02}, tòa nhà Mẫu, {}",
            dice.between(2, 24),
            dice.between(1, 12),
            dice.word(&STREETS)
        ),
        _ => format!("Số {house} {}", dice.word(&STREETS)),
    }
}

/// A hint for the postman, in about one address of eight.
pub(super) fn note(dice: &mut Dice) -> Option<&'static str> {
    dice.hits(125).then(|| dice.word(&NOTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::PersonName;
    use crate::domain::phone::{PhoneKind, parse_field};

    /// Each name passes our own check unchanged, which also proves NFC; ethnic names and organisations come along.
    #[test]
    fn names_are_names() {
        let mut dice = Dice::new(1, 1);
        let names: Vec<String> = (0..3_000).map(|_| name(&mut dice)).collect();
        for name in &names {
            assert_eq!(PersonName::parse(name).unwrap().as_str(), name);
        }
        assert!(names.iter().any(|name| ETHNIC.contains(&name.as_str())));
        assert!(names.iter().any(|name| ORGANISATIONS.contains(&name.as_str())));
        for listed in ETHNIC.iter().chain(&ORGANISATIONS) {
            assert_eq!(PersonName::parse(listed).unwrap().as_str(), *listed);
        }
    }

    #[test]
    fn numbers_are_valid_and_bad_ones_only_warn_with_us() {
        let mut dice = Dice::new(1, 1);
        for _ in 0..200 {
            let good = parse_field(&phone(&mut dice)).unwrap();
            assert!(good[0].warning.is_none() && good[0].number.kind() != PhoneKind::UnknownBlock);
            let bad = parse_field(&refused_phone(&mut dice)).unwrap();
            assert_eq!(bad[0].number.kind(), PhoneKind::UnknownBlock);
        }
    }
}
