//! Room `app`: the words of `hoibao decide` and `hoibao handover`, Vietnamese first, in the official terms.
//!
//! In: answers, questions, states, refusals. Out: a word for machines and sentences for people. Nothing personal.
//! Deliberately not here: where they are printed.

use super::print;
use crate::app::EXIT_FAILURE;
use crate::domain::custody::Place;
use crate::domain::delivery::{DeliveryState, EventKind};
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::stage::decide::{Answer, DecideError, Question, Refusal, Standing};
use crate::web::wording;
use serde_json::json;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why something was not done: a word, Vietnamese, English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) vietnamese: String,
    pub(super) english: String,
}

impl Refused {
    pub(super) fn new(code: &'static str, vietnamese: impl Into<String>, english: impl Into<String>) -> Self {
        Self {
            code,
            vietnamese: vietnamese.into(),
            english: english.into(),
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        json!({"refused": self.code, "message": self.vietnamese, "message_en": self.english})
    }

    /// Tells it: as JSON on standard output, or in both languages on standard error.
    pub(super) fn tell(&self, as_json: bool) -> anyhow::Result<ExitCode> {
        if as_json {
            let line = self.to_json();
            print(|out| writeln!(out, "{line}"))?;
        } else {
            let mut out = io::stderr().lock();
            drop(writeln!(out, "Từ chối: {}", self.vietnamese));
            drop(writeln!(out, "Refused: {} ({})", self.english, self.code));
        }
        Ok(ExitCode::from(EXIT_FAILURE))
    }
}

/// A refusal as words; a failure of the database stays an error.
pub(super) fn refused(error: DecideError) -> anyhow::Result<Refused> {
    match error {
        DecideError::Store(error) => Err(error.into()),
        DecideError::Refused(refusal) => {
            let (code, vietnamese) = of(refusal);
            Ok(Refused::new(code, vietnamese, refusal.to_string()))
        }
        DecideError::Faults(faults) => Ok(of_faults(&faults)),
    }
}

fn of_faults(faults: &[Fault]) -> Refused {
    let mut vietnamese = vec!["nội dung đính chính chưa đúng".to_owned()];
    let mut english = vec!["the correction is wrong".to_owned()];
    for fault in faults {
        let (said, said_vietnamese) = wording::of(fault.code);
        english.push(format!("{}: {said}", fault.pointer));
        vietnamese.push(format!("{}: {said_vietnamese}", fault.pointer));
    }
    Refused::new("faults", vietnamese.join("; "), english.join("; "))
}

/// The word and the Vietnamese sentence of a refusal.
fn of(refusal: Refusal) -> (&'static str, String) {
    let (code, text) = match refusal {
        Refusal::UnknownShipment => ("unknown_shipment", "không có bưu gửi này"),
        Refusal::UnknownDecision => ("unknown_decision", "không có đề xuất này"),
        Refusal::NotAllowed => (
            "not_allowed",
            "người này hiện không có vai trò phù hợp tại đơn vị này",
        ),
        Refusal::OtherOffice => ("other_office", "bưu gửi thuộc đơn vị khác"),
        Refusal::OwnProposal => (
            "own_proposal",
            "người đề xuất không được tự duyệt; cần người thứ hai",
        ),
        Refusal::SettledBefore => ("settled_before", "đề xuất đã được xử lý trước đó"),
        Refusal::Stale => (
            "stale",
            "thông tin đã thay đổi từ lúc xem; hãy xem lại rồi quyết định",
        ),
        Refusal::CallUnderWay => (
            "call_under_way",
            "đang gọi sang bưu điện; hãy thử lại sau ít phút",
        ),
        Refusal::NotHeld => ("not_held", "bưu gửi không bị tạm dừng gửi"),
        Refusal::NoDoubt => ("no_doubt", "không có lần đăng ký nào chưa rõ kết quả"),
        Refusal::DoubtFirst => (
            "doubt_first",
            "chưa rõ bưu điện đã ghi nhận hay chưa; hãy xử lý việc đó trước",
        ),
        Refusal::TooEarly(until) => {
            let text = format!(
                "bưu điện có thể còn đang xử lý; chỉ được quyết định sau {}",
                clock(until)
            );
            return ("too_early", text);
        }
        Refusal::OrderStands => (
            "order_stands",
            "bưu điện đã ghi nhận bưu gửi; không gửi lại và không đính chính được từ đây",
        ),
        Refusal::Ended => ("ended", "bưu gửi đã kết thúc"),
        Refusal::Cancelling => ("cancelling", "đã yêu cầu hủy – chờ xác nhận"),
        Refusal::NotPartial => ("not_partial", "không có thông tin phát/hoàn một phần"),
        Refusal::TimeMissing => ("time_missing", "cần nêu thời điểm xảy ra (--at)"),
        Refusal::Future => ("future", "thời điểm nằm trong tương lai"),
        Refusal::BeforeRegistration => ("before_registration", "thời điểm trước khi bưu gửi được đăng ký"),
        Refusal::BeforeLastAct => ("before_last_act", "sau thời điểm đó quầy còn xử lý bản giấy"),
        Refusal::NotStanding => (
            "not_standing",
            "thông tin cần bác bỏ không phải kết quả cuối đang có hiệu lực của bưu gửi",
        ),
        Refusal::StillContested => ("still_contested", "vẫn còn kết quả cuối khác mâu thuẫn"),
        Refusal::NothingChanges => ("nothing_changes", "không có gì thay đổi"),
        Refusal::PaperElsewhere(place) => {
            let text = format!("bản giấy đang ở chỗ không phù hợp: {}", of_place(place));
            return ("paper_elsewhere", text);
        }
        Refusal::TrackingTaken => ("tracking_taken", "mã bưu gửi này thuộc bưu gửi khác"),
        Refusal::Reason => (
            "reason",
            "lý do cần 3 đến 500 ký tự và không chứa số giấy tờ tùy thân",
        ),
        Refusal::Erased => ("erased", "dữ liệu cá nhân của bưu gửi đã được xóa"),
    };
    (code, text.to_owned())
}

/// A moment on the clock of Vietnam.
pub(super) fn clock(at: Timestamp) -> String {
    let local = at.local();
    format!(
        "{:02}/{:02}/{:04} {:02}:{:02}",
        local.day(),
        local.month(),
        local.year(),
        local.hour(),
        local.minute()
    )
}

/// Reads RFC 3339, or `YYYY-MM-DD HH:MM` on the clock of Vietnam.
pub(super) fn read_time(text: &str) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let local: Option<jiff::civil::DateTime> = text.trim().replace(' ', "T").parse().ok();
    local
        .filter(|_| text.contains(':'))
        .map(Timestamp::from_local)
        .ok_or_else(|| {
            "write 2026-11-24T15:30:00+07:00, or '2026-11-24 15:30' on the clock of Vietnam".to_owned()
        })
}

/// What an answer means.
pub(super) const fn of_answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Release => "cho gửi tiếp",
        Answer::Correct => "đính chính thông tin",
        Answer::OperatorHasIt => "bưu điện đã ghi nhận",
        Answer::OperatorHasNot => "bưu điện chưa ghi nhận, gửi lại",
        Answer::Delivered => "đã phát thành công",
        Answer::Returned => "đã chuyển hoàn về nơi gửi",
        Answer::LostOrDamaged => "thất lạc / hư hỏng",
        Answer::Cancelled => "đã hủy gửi",
        Answer::Whole => "đã phát/hoàn toàn bộ",
        Answer::NotWhole => "mới phát/hoàn một phần, còn tiếp tục",
        Answer::PaperLost => "công nhận bản giấy thất lạc",
        Answer::PaperDestroyed => "công nhận bản giấy bị hủy hoại",
    }
}

/// Where a decision stands.
pub(super) const fn of_standing(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Waits => ("Chờ người thứ hai duyệt", "waits for a second person"),
        Standing::Applied => ("Đã có hiệu lực", "in force"),
        Standing::TurnedDown => ("Đã bác bỏ", "turned down"),
        Standing::Stale => (
            "Không còn hiệu lực: thông tin đã thay đổi từ khi đề xuất; hãy xem lại và đề xuất lại",
            "void: facts came since the proposal; look again and propose anew",
        ),
    }
}

/// A question in Vietnamese.
pub(super) fn of_question(question: &Question) -> String {
    match question {
        Question::Held(why) => format!("Tạm dừng gửi ({why}): đính chính hay cho gửi tiếp?"),
        Question::Doubt => "Chưa rõ bưu điện đã ghi nhận: bưu điện có bưu gửi này không?".to_owned(),
        Question::Contested => "Thông tin phát mâu thuẫn: kết quả nào đúng?".to_owned(),
        Question::Partial => "Phát/hoàn một phần: đã toàn bộ chưa?".to_owned(),
        Question::UnknownCode(code) => format!("Bưu điện báo mã chưa rõ nghĩa ({code})"),
        Question::NotAccepted => "Đã bàn giao quá một ngày mà bưu điện chưa chấp nhận: ở đâu?".to_owned(),
        Question::NotBack => "Bưu điện báo hoàn hoặc hủy nhưng chưa nhận lại bản gốc".to_owned(),
        Question::WithoutHandover => {
            "Bưu điện đã nhận nhưng chưa có bảng kê bàn giao: hãy nhập bù".to_owned()
        }
        Question::Discrepancy(why) => format!("Hồ sơ và thực tế không khớp ({why})"),
        Question::Proposal(number) => format!("{number} đề xuất chờ người thứ hai duyệt"),
    }
}

/// A place of the paper, in the desk's words.
pub(super) const fn of_place(place: Place) -> &'static str {
    match place {
        Place::Awaited => "chờ bản giấy",
        Place::AtDecidingOffice => "tại cơ quan giải quyết",
        Place::AtDesk => "tại quầy",
        Place::Packed => "đã đóng bì",
        Place::HandedOver => "đã bàn giao bưu điện",
        Place::WithOperator => "bưu điện đang giữ",
        Place::WithAddressee => "người nhận đã nhận",
        Place::BackAtDesk => "đã nhận lại bản gốc",
        Place::Collected => "đã trả tại quầy",
        Place::Destroyed => "đã hủy hoại",
        Place::Lost => "thất lạc",
    }
}

/// A state of delivery, in the official words.
pub(super) const fn of_state(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "Chờ đăng ký gửi",
        DeliveryState::Submitting => "Đang đăng ký với bưu điện",
        DeliveryState::InDoubt => "Chưa rõ bưu điện đã ghi nhận – chờ xác minh",
        DeliveryState::CancelRequested => "Đã yêu cầu hủy – chờ xác nhận",
        DeliveryState::At(kind) => of_kind(kind),
    }
}

/// What the operator says, in the official words.
pub(super) const fn of_kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Booked => "Đã đăng ký với bưu điện",
        EventKind::PickupAssigned => "Bưu tá đã nhận lịch thu gom",
        EventKind::PickupFailed => "Thu gom không thành công",
        EventKind::PickedUp => "Bưu tá đã thu gom",
        EventKind::Accepted => "Bưu điện đã chấp nhận",
        EventKind::InTransit => "Đang vận chuyển",
        EventKind::AtDeliveryOffice => "Đã đến bưu cục phát",
        EventKind::OutForDelivery => "Bưu tá đang đi phát",
        EventKind::DeliveryFailed => "Phát không thành công",
        EventKind::ReadyForPickup => "Chờ nhận tại bưu cục",
        EventKind::OnHold => "Bưu điện tạm giữ",
        EventKind::ReturnPending => "Chờ chuyển hoàn",
        EventKind::ReturnApproved => "Đã duyệt chuyển hoàn",
        EventKind::Returning => "Đang chuyển hoàn",
        EventKind::Delivered => "Phát thành công",
        EventKind::Returned => "Đã chuyển hoàn về nơi gửi",
        EventKind::Cancelled => "Đã hủy gửi",
        EventKind::Rejected => "Bưu điện từ chối nhận gửi",
        EventKind::LostOrDamaged => "Thất lạc / hư hỏng",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        let at = Timestamp::parse_rfc3339("2026-11-24T15:30:00+07:00").unwrap();
        for text in [
            "2026-11-24T15:30:00+07:00",
            "2026-11-24 15:30",
            "2026-11-24T15:30:00",
        ] {
            assert_eq!(read_time(text), Ok(at), "{text}");
        }
        assert!(read_time("2026-11-24").is_err() && read_time("15:30").is_err());
        assert_eq!(clock(at), "24/11/2026 15:30");
    }
}
