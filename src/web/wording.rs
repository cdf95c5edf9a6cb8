//! Room `web`: the sentences of problems, Vietnamese and English, fixed texts only.
//!
//! In: a code. Out: what is said of it. Deliberately not here: anything of a request.

use crate::domain::fault::FaultCode;

/// One kind of problem.
#[derive(Debug)]
pub(crate) struct Wording {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) detail_vi: &'static str,
}

macro_rules! wordings {
    ($($name:ident = $status:literal $code:literal $title:literal $detail:literal $detail_vi:literal;)*) => {
        $(pub(crate) static $name: Wording = Wording {
            status: $status, code: $code, title: $title, detail: $detail, detail_vi: $detail_vi,
        };)*
    };
}

wordings! {
    MALFORMED = 400 "malformed_json" "Malformed JSON"
        "the body is not JSON; see the position"
        "nội dung gửi lên không phải JSON hợp lệ; xem vị trí lỗi";
    REPEATED_FIELD = 400 "repeated_field" "Repeated field"
        "a name stands twice in one JSON object; see the position"
        "một trường xuất hiện hai lần trong cùng một đối tượng JSON; xem vị trí lỗi";
    NOT_UTF8 = 400 "not_utf8" "Not UTF-8"
        "the body or the address is not UTF-8 text"
        "nội dung hoặc địa chỉ không phải văn bản UTF-8";
    BODY_UNREADABLE = 400 "body_unreadable" "Body not received"
        "the body did not arrive whole"
        "nội dung gửi lên không được nhận đầy đủ";
    KEY_MISSING = 400 "idempotency_key_missing" "Idempotency-Key missing"
        "send the header Idempotency-Key with 1 to 255 printable ASCII characters, once, a new one for each shipment"
        "cần gửi tiêu đề Idempotency-Key gồm 1 đến 255 ký tự ASCII in được, một lần, mỗi bưu gửi một khóa mới";
    UNAUTHENTICATED = 401 "unauthenticated" "No valid key"
        "send Authorization: Bearer with a key that is in force"
        "cần gửi tiêu đề Authorization: Bearer với khóa còn hiệu lực";
    FORBIDDEN = 403 "forbidden" "Not this system's key"
        "the key does not act for the dossier system named in the address"
        "khóa này không thuộc hệ thống hồ sơ nêu trong địa chỉ";
    NOT_FOUND = 404 "not_found" "Not found"
        "there is nothing here for this key"
        "không tìm thấy dữ liệu dành cho khóa này";
    METHOD = 405 "method_not_allowed" "Method not allowed"
        "the address does not take this method; see the header Allow"
        "địa chỉ này không nhận phương thức đã dùng; xem tiêu đề Allow";
    CONFLICT = 409 "conflict" "In conflict with another record"
        "the request is right in itself and meets what is recorded already; see errors"
        "yêu cầu hợp lệ nhưng mâu thuẫn với dữ liệu đã ghi nhận; xem errors";
    OTHER_BODY = 409 "idempotency_key_reused" "Idempotency-Key used before"
        "this Idempotency-Key was used with another body; use a new key for another shipment"
        "Idempotency-Key này đã dùng cho nội dung khác; hãy dùng khóa mới cho bưu gửi khác";
    CANCEL_IN_DOUBT = 409 "in_doubt" "Being verified"
        "it is being verified whether the postal operator has the order; nothing was changed, ask again later"
        "đang xác minh bưu chính đã nhận yêu cầu hay chưa; chưa có gì thay đổi, vui lòng thử lại sau";
    CANCEL_HANDED_OVER = 409 "handed_over" "Handed over already"
        "the paper was handed over to the postal operator; nothing was changed"
        "giấy tờ đã bàn giao cho bưu chính; chưa có gì thay đổi";
    CANCEL_ENDED = 409 "ended" "Ended already"
        "the shipment has ended; nothing was changed"
        "bưu gửi đã kết thúc; chưa có gì thay đổi";
    CANCEL_NOT_OFFERED = 409 "cancel_not_offered" "Operator takes no cancellations"
        "the postal operator has the order and takes no cancellations; nothing was changed, keep the paper at the desk and call the operator"
        "bưu chính đã nhận yêu cầu và không hỗ trợ hủy; chưa có gì thay đổi, hãy giữ giấy tờ tại quầy và liên hệ bưu chính";
    WITHDRAW_HANDED_OVER = 409 "withdrawn_too_late" "Handed over already"
        "the paper was handed over to the postal operator before; the withdrawal is recorded and the dossier shows the discrepancy"
        "giấy tờ đã bàn giao cho bưu chính trước đó; việc rút đăng ký đã được ghi nhận và hồ sơ hiển thị sai lệch";
    WITHDRAW_NOT_BY_POST = 409 "not_by_post" "Not by post"
        "the citizen did not choose the post; nothing was changed"
        "công dân không đăng ký nhận kết quả qua bưu chính; chưa có gì thay đổi";
    WITHDRAW_RETURNED = 409 "returned" "Returned already"
        "the result is in the citizen's hands; nothing was changed"
        "kết quả đã đến tay công dân; chưa có gì thay đổi";
    WITHDRAW_SHARED = 409 "shared_envelope" "Shared envelope"
        "the envelope holds documents of other dossiers too; cancel the shipment first; nothing was changed"
        "phong bì còn chứa giấy tờ của hồ sơ khác; hãy hủy bưu gửi trước; chưa có gì thay đổi";
    GONE = 410 "erased" "Erased"
        "what was registered under this key was erased"
        "dữ liệu đăng ký với khóa này đã bị xóa";
    TOO_LARGE = 413 "too_large" "Body too large"
        "the body is longer than allowed"
        "nội dung gửi lên dài quá giới hạn";
    NOT_JSON = 415 "unsupported_media_type" "Not JSON"
        "send Content-Type: application/json, in UTF-8, without Content-Encoding"
        "cần gửi Content-Type: application/json, mã UTF-8, không nén";
    INVALID = 422 "invalid" "Request not valid"
        "nothing was changed; each fault is in errors"
        "chưa có gì thay đổi; từng lỗi nêu trong errors";
    TOO_MANY = 429 "too_many_requests" "Too many requests"
        "this key asked more often than allowed; see the header Retry-After"
        "khóa này gửi yêu cầu quá giới hạn; xem tiêu đề Retry-After";
    INTERNAL = 500 "internal" "Failed"
        "the request failed on our side; give the request id when you report it"
        "yêu cầu gặp lỗi phía hệ thống; hãy cung cấp mã yêu cầu khi báo lỗi";
    UNAVAILABLE = 503 "unavailable" "Not available now"
        "the request could not be carried out now; send the same request with the same key again"
        "hiện chưa thực hiện được; hãy gửi lại đúng yêu cầu này với cùng khóa";
}

/// What is said of a fault: English, Vietnamese.
#[expect(clippy::too_many_lines, reason = "a table, one line or two for each code")]
pub(crate) const fn of(code: FaultCode) -> (&'static str, &'static str) {
    match code {
        FaultCode::Missing => ("must be given", "bắt buộc phải có"),
        FaultCode::UnknownField => (
            "is not a field of this request",
            "không phải trường của yêu cầu này",
        ),
        FaultCode::WrongType => ("has the wrong JSON type", "sai kiểu dữ liệu JSON"),
        FaultCode::NotATime => (
            "must be an RFC 3339 time with offset",
            "phải là thời điểm theo RFC 3339, có múi giờ",
        ),
        FaultCode::NotAWord => (
            "is none of the values allowed here",
            "không thuộc các giá trị cho phép",
        ),
        FaultCode::CountOutOfRange => (
            "holds fewer or more than allowed",
            "số lượng ngoài giới hạn cho phép",
        ),
        FaultCode::DossierCodeInvalid => ("is no dossier code", "không phải mã hồ sơ"),
        FaultCode::ItemRepeated => (
            "names a document twice",
            "giấy tờ này bị nêu hai lần trong yêu cầu",
        ),
        FaultCode::DocumentInvalid => (
            "must be a whole number from 1 to 999",
            "phải là số nguyên từ 1 đến 999",
        ),
        FaultCode::DossierUnknown => (
            "the dossier system never registered this dossier",
            "hệ thống hồ sơ chưa đăng ký hồ sơ này",
        ),
        FaultCode::DossierNotFinished => (
            "the dossier is not finished (status 9)",
            "hồ sơ chưa xử lý xong (trạng thái 9)",
        ),
        FaultCode::DossierDropped => (
            "the dossier was turned down, withdrawn or stopped",
            "hồ sơ bị từ chối, đã rút hoặc dừng xử lý",
        ),
        FaultCode::DossierReturned => ("the result was returned already", "kết quả đã được trả"),
        FaultCode::DossierDuplicate => (
            "the record is a second one of another dossier",
            "bản ghi trùng của một hồ sơ khác",
        ),
        FaultCode::NotByPost => (
            "the citizen did not choose the post",
            "công dân không đăng ký nhận kết quả qua bưu chính",
        ),
        FaultCode::PostWithdrawn => (
            "the citizen took the postal choice back",
            "công dân đã rút đăng ký nhận qua bưu chính",
        ),
        FaultCode::ProcedureUnknown => (
            "the procedure is not set up here",
            "thủ tục chưa được thiết lập tại đây",
        ),
        FaultCode::ProcedureNotByPost => (
            "results of this procedure may not go by post",
            "kết quả thủ tục này không được trả qua bưu chính",
        ),
        FaultCode::ProcedureInvalid => ("is no code of a procedure", "không phải mã thủ tục"),
        FaultCode::DocumentInShipment => (
            "another shipment holds this document",
            "giấy tờ này đang thuộc một bưu gửi khác",
        ),
        FaultCode::OfficeUnknown => ("there is no such office", "không có cơ quan này"),
        FaultCode::OfficeNotValid => (
            "the office is not in force now",
            "cơ quan hiện không còn hiệu lực",
        ),
        FaultCode::OfficeWithoutAccount => (
            "the office sends by no operator account",
            "cơ quan chưa có tài khoản bưu chính",
        ),
        FaultCode::AccountInactive => (
            "the office's operator account is not active",
            "tài khoản bưu chính của cơ quan đang ngừng",
        ),
        FaultCode::NameInvalid => (
            "must be a name of 1 to 120 characters",
            "phải là họ tên hoặc tên tổ chức, 1 đến 120 ký tự",
        ),
        FaultCode::PhoneInvalid => (
            "must hold a telephone number that can be dialled",
            "phải có số điện thoại gọi được",
        ),
        FaultCode::LineInvalid => (
            "must be an address line of 1 to 250 characters",
            "phải là địa chỉ chi tiết, 1 đến 250 ký tự",
        ),
        FaultCode::NoteInvalid => ("must not exceed 255 characters", "không quá 255 ký tự"),
        FaultCode::UnitInvalid => (
            "must be a unit code with its set, of the level asked for and of one set",
            "phải là mã đơn vị hành chính kèm bộ mã, đúng cấp và cùng một bộ",
        ),
        FaultCode::UnitUnknown => (
            "there is no such unit in this set",
            "không có đơn vị hành chính này trong bộ mã",
        ),
        FaultCode::CommuneNotOfProvince => (
            "the commune does not belong to the province in two levels",
            "xã, phường không trực thuộc tỉnh, thành phố đã nêu",
        ),
        FaultCode::AddresseeMissing => (
            "a dossier has no registered addressee",
            "hồ sơ chưa có người nhận đăng ký",
        ),
        FaultCode::AddresseeDiffers => (
            "the dossiers have different registered addressees",
            "các hồ sơ có người nhận đăng ký khác nhau",
        ),
        FaultCode::AddresseeNotNeeded => (
            "personal data that are not needed: the result does not go by post",
            "dữ liệu cá nhân không cần thiết: kết quả không trả qua bưu chính",
        ),
        FaultCode::WeightOutOfRange => ("must be 1 to 30000 grams", "phải từ 1 đến 30000 gam"),
        FaultCode::CollectOutOfRange => (
            "must be an amount in whole dong, not negative",
            "phải là số tiền nguyên đồng, không âm",
        ),
        FaultCode::ServiceInvalid => (
            "must be a service code of 1 to 32 characters",
            "phải là mã dịch vụ, 1 đến 32 ký tự",
        ),
        FaultCode::StatusUnknown => (
            "the system's status map does not know this status",
            "bảng trạng thái của hệ thống không có trạng thái này",
        ),
        FaultCode::FinishedBeforeReceived => (
            "lies before the dossier was received",
            "sớm hơn thời điểm tiếp nhận hồ sơ",
        ),
        FaultCode::ReturnedBeforeFinished => (
            "lies before the dossier was finished",
            "sớm hơn thời điểm xử lý xong hồ sơ",
        ),
        FaultCode::InTheFuture => ("lies in the future", "ở tương lai"),
        FaultCode::TooLongAgo => ("lies before the year 2000", "trước năm 2000"),
    }
}
