//! Room `app::demo`: what citizens of the demo's city ask for.
//!
//! In: dice. Out: procedures in a realistic mix. Codes are invented (`DEMO-..`), because the true ones change and must not
//! be mistaken. Deliberately not here: which office decides them (`places`).

use super::dice::Dice;

/// What citizens ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Procedure {
    /// Invented code.
    pub(super) code: &'static str,
    /// Name.
    pub(super) name: &'static str,
    /// Whether the result may go by post.
    pub(super) by_post: bool,
    /// Who may receive it: the store's word.
    pub(super) policy: &'static str,
    /// An old paper is taken back.
    pub(super) takes_back_old: bool,
    /// Who decides it, and in whose system.
    pub(super) desk: Desk,
    /// Least and most working days that it takes.
    pub(super) days: (u32, u32),
    /// Weight of the paper in grams.
    pub(super) grams: u32,
    /// How many of a thousand dossiers.
    weight: u32,
}

const ADDRESSEE: &str = "addressee_only";
const AUTHORISED: &str = "addressee_or_authorised";
const HOUSEHOLD: &str = "household";

/// Who decides a procedure, and in whose system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desk {
    /// Land: the ministry's system, at the provincial branch.
    Land,
    /// At the provincial branch.
    Branch,
    /// At a commune.
    Commune,
}

const fn by_post(
    code: &'static str,
    name: &'static str,
    policy: &'static str,
    desk: Desk,
    days: (u32, u32),
    weight: u32,
) -> Procedure {
    Procedure {
        code,
        name,
        by_post: true,
        policy,
        takes_back_old: false,
        desk,
        days,
        grams: 60,
        weight,
    }
}

const fn counter_only(code: &'static str, name: &'static str, weight: u32) -> Procedure {
    Procedure {
        by_post: false,
        ..by_post(code, name, ADDRESSEE, Desk::Commune, (0, 3), weight)
    }
}

/// The mix of desk.md 3.
pub(super) const PROCEDURES: [Procedure; 22] = [
    by_post(
        "DEMO-DD-01",
        "Đăng ký biến động do chuyển nhượng, tặng cho, thừa kế",
        ADDRESSEE,
        Desk::Land,
        (5, 10),
        92,
    ),
    Procedure {
        takes_back_old: true,
        ..by_post(
            "DEMO-DD-02",
            "Cấp đổi Giấy chứng nhận",
            ADDRESSEE,
            Desk::Land,
            (4, 7),
            48,
        )
    },
    by_post(
        "DEMO-DD-03",
        "Cấp lại Giấy chứng nhận do mất",
        ADDRESSEE,
        Desk::Land,
        (8, 15),
        12,
    ),
    by_post(
        "DEMO-DD-04",
        "Tách thửa, hợp thửa đất",
        ADDRESSEE,
        Desk::Land,
        (8, 15),
        26,
    ),
    by_post(
        "DEMO-DD-05",
        "Đính chính Giấy chứng nhận",
        ADDRESSEE,
        Desk::Land,
        (4, 8),
        10,
    ),
    by_post(
        "DEMO-BD-01",
        "Đăng ký thế chấp quyền sử dụng đất",
        AUTHORISED,
        Desk::Land,
        (0, 1),
        84,
    ),
    by_post(
        "DEMO-BD-02",
        "Xóa đăng ký thế chấp",
        AUTHORISED,
        Desk::Land,
        (0, 1),
        62,
    ),
    by_post(
        "DEMO-BD-03",
        "Cung cấp thông tin, dữ liệu đất đai",
        AUTHORISED,
        Desk::Land,
        (1, 3),
        20,
    ),
    by_post(
        "DEMO-HT-01",
        "Cấp bản sao trích lục hộ tịch",
        HOUSEHOLD,
        Desk::Commune,
        (0, 1),
        168,
    ),
    by_post(
        "DEMO-HT-02",
        "Xác nhận tình trạng hôn nhân",
        ADDRESSEE,
        Desk::Commune,
        (1, 3),
        86,
    ),
    by_post(
        "DEMO-HT-03",
        "Đăng ký khai sinh (nộp trực tuyến)",
        AUTHORISED,
        Desk::Commune,
        (0, 1),
        48,
    ),
    by_post(
        "DEMO-HT-04",
        "Thay đổi, cải chính hộ tịch",
        ADDRESSEE,
        Desk::Commune,
        (2, 6),
        18,
    ),
    by_post(
        "DEMO-KD-01",
        "Đăng ký thành lập hộ kinh doanh",
        AUTHORISED,
        Desk::Commune,
        (1, 3),
        40,
    ),
    by_post(
        "DEMO-KD-02",
        "Đăng ký thay đổi nội dung hộ kinh doanh",
        AUTHORISED,
        Desk::Commune,
        (1, 3),
        18,
    ),
    by_post(
        "DEMO-KD-03",
        "Chấm dứt hoạt động hộ kinh doanh",
        AUTHORISED,
        Desk::Commune,
        (1, 3),
        12,
    ),
    by_post(
        "DEMO-TM-01",
        "Giấy phép bán lẻ thuốc lá",
        AUTHORISED,
        Desk::Commune,
        (5, 10),
        8,
    ),
    Procedure {
        grams: 1_850,
        ..by_post(
            "DEMO-XD-01",
            "Giấy phép xây dựng nhà ở riêng lẻ",
            AUTHORISED,
            Desk::Branch,
            (8, 15),
            32,
        )
    },
    by_post(
        "DEMO-XH-01",
        "Trợ cấp xã hội hằng tháng",
        AUTHORISED,
        Desk::Commune,
        (5, 10),
        34,
    ),
    by_post(
        "DEMO-XH-02",
        "Hỗ trợ chi phí mai táng",
        HOUSEHOLD,
        Desk::Commune,
        (3, 6),
        20,
    ),
    by_post(
        "DEMO-GD-01",
        "Cấp bản sao bằng từ sổ gốc",
        AUTHORISED,
        Desk::Branch,
        (0, 1),
        22,
    ),
    counter_only("DEMO-HT-90", "Đăng ký kết hôn", 30),
    counter_only("DEMO-CT-90", "Chứng thực bản sao, chữ ký", 110),
];

/// Some procedure, of those that may go by post when that is asked.
pub(super) fn some_procedure(dice: &mut Dice, post: bool) -> usize {
    dice.weighted(PROCEDURES.iter().map(|procedure| {
        if post && !procedure.by_post {
            0
        } else {
            procedure.weight
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn procedures_have_their_own_codes() {
        let codes: BTreeSet<&str> = PROCEDURES.iter().map(|procedure| procedure.code).collect();
        assert_eq!(codes.len(), PROCEDURES.len());
        let mut dice = Dice::new(3, 3);
        assert!((0..500).all(|_| PROCEDURES[some_procedure(&mut dice, true)].by_post));
    }
}
