//! Room `app`: why an act at the desk was refused, in words.
//!
//! In: the stage's errors. Out: a word for machines, Vietnamese and English. Deliberately not here: where it is printed.

use super::decide_words::{Refused, of_place};
use crate::stage::desk::{DeskError, LIST_MAX, Wrong};

/// A refusal as words; a failure of the database stays an error.
pub(super) fn refused(error: DeskError) -> anyhow::Result<Refused> {
    let english = error.to_string();
    let (code, vietnamese) = match error {
        DeskError::Store(error) => return Err(error.into()),
        DeskError::NotAllowed => (
            "not_allowed",
            "người này không có vai trò cán bộ một cửa hoặc người bàn giao tại đơn vị này vào lúc đó"
                .to_owned(),
        ),
        DeskError::Wrong(wrong) => return Ok(of_wrong(wrong)),
        DeskError::List(wrong) => return Ok(of_list(&wrong, english)),
        DeskError::ListLength { found } => (
            "list_length",
            format!("bảng kê có 1 đến {LIST_MAX} bì, không phải {found}"),
        ),
        DeskError::Mismatch { foreign, missing } => (
            "mismatch",
            format!(
                "{} giấy quét không thuộc bì này (thứ tự {foreign:?}), thiếu {} giấy",
                foreign.len(),
                missing.len()
            ),
        ),
        DeskError::Future => ("future", "thời điểm nằm trong tương lai".to_owned()),
        DeskError::LateReasonMissing => (
            "late_reason_missing",
            "bàn giao nhập bù sau hơn một giờ cần nêu lý do (--late-reason)".to_owned(),
        ),
        DeskError::Text(_) => (
            "text",
            "nội dung trống, quá dài hoặc có vẻ chứa số giấy tờ tùy thân".to_owned(),
        ),
        DeskError::UnknownDossier => ("unknown_dossier", "không có hồ sơ này".to_owned()),
        DeskError::NotFinished => ("not_finished", "hồ sơ chưa xử lý xong".to_owned()),
        DeskError::CallUnderWay => (
            "call_under_way",
            "đang gọi sang bưu điện hoặc chưa rõ kết quả; hãy thử lại sau".to_owned(),
        ),
        DeskError::AlreadyGiven => ("already_given", "kết quả đã được trả trước đó".to_owned()),
    };
    Ok(Refused::new(code, vietnamese, english))
}

/// Every wrong envelope by its position, so that the list can be mended at once.
fn of_list(wrong: &[(u32, Wrong)], english: String) -> Refused {
    let mut vietnamese = vec![format!(
        "{} bì không bàn giao được; chưa chốt bảng kê",
        wrong.len()
    )];
    let mut each = vec![english];
    for (position, why) in wrong {
        let words = of_wrong(*why);
        vietnamese.push(format!("bì {position}: {}", words.vietnamese));
        each.push(format!("envelope {position}: {}", words.english));
    }
    Refused::new("list", vietnamese.join("; "), each.join("; "))
}

fn of_wrong(wrong: Wrong) -> Refused {
    let (code, vietnamese) = match wrong {
        Wrong::Unknown => ("unknown_shipment", "không có bưu gửi này"),
        Wrong::Ambiguous => ("ambiguous", "tên này chỉ nhiều bưu gửi"),
        Wrong::Twice => ("twice", "bưu gửi có hai lần trên bảng kê"),
        Wrong::OtherOffice => ("other_office", "bưu gửi thuộc đơn vị khác"),
        Wrong::Ended => ("ended", "bưu gửi đã kết thúc"),
        Wrong::Cancelling => ("cancelling", "đã yêu cầu hủy – chờ xác nhận"),
        Wrong::Held => ("held", "bưu gửi đang tạm dừng gửi"),
        Wrong::Withdrawn => ("withdrawn", "công dân đã rút đăng ký nhận qua bưu chính"),
        Wrong::PaperNotIn => ("paper_not_in", "bản giấy chưa được quét nhận tại quầy"),
        Wrong::HandedOver => ("handed_over", "đã bàn giao bưu điện trước đó"),
        Wrong::ActLater => ("act_later", "sau thời điểm đó quầy còn xử lý bản giấy"),
        Wrong::Place(place) => {
            let text = format!("bản giấy: {}", of_place(place));
            return Refused::new("place", text, wrong.to_string());
        }
    };
    Refused::new(code, vietnamese, wrong.to_string())
}
