//! Room `edge::carrier::myvnpost`: answers of the operator, read into our words.
//!
//! In: status and bytes of one answer. Out: a reading. What is not certain is `Unknown` or `Unreadable`: a doubt is
//! settled by a look-up, a wrong certainty sends a document twice or loses it. Deliberately not here: what a stage
//! does with a reading, and any contact field (the operator masks them).

use super::request::LABELS_MAX;
use super::status::{TextMeaning, TextTable};
use super::wire::{self, Body, Object, field, identifier, rows, text};
use crate::domain::time::Timestamp;
use crate::edge::carrier::{
    AccessToken, CancelReading, DispatchReading, Journey, JourneyRow, NotTaken, OperatorOrder, QuoteLine,
    Reading, Refusal, RefusalReason, WireResponse,
};
use base64::Engine as _;
use serde_json::Value;

/// Longest access token taken, in bytes.
const TOKEN_BYTES_MAX: usize = 8_192;
/// Stands for a code where a history row has none; no status map has it, so that the row is quarantined.
const NO_CODE: &str = "none";

/// An answer that ends the reading.
#[derive(Debug)]
pub(super) enum End {
    TokenRefused,
    Throttled(Option<String>),
    Absent,
    Unreadable(String),
}

impl End {
    pub(super) fn into_reading<T>(self) -> Reading<T> {
        match self {
            Self::TokenRefused => Reading::TokenRefused,
            Self::Throttled(retry_after) => Reading::Throttled { retry_after },
            Self::Absent => Reading::Absent,
            Self::Unreadable(detail) => Reading::Unreadable { detail },
        }
    }
}

/// An answer after the first look.
#[derive(Debug)]
pub(super) enum Opened {
    /// JSON that is not an error.
    Value(Value),
    /// A definite no in the operator's words, which no row of the table explains as something else.
    Said(String),
    /// Nothing more to read.
    End(End),
}

pub(super) fn unreadable<T>(detail: &str) -> Reading<T> {
    Reading::Unreadable {
        detail: detail.to_owned(),
    }
}

fn end(detail: impl Into<String>) -> Opened {
    Opened::End(End::Unreadable(detail.into()))
}

/// What a text leads to in a reading call.
fn said(texts: &TextTable, text: String) -> Opened {
    match texts.meaning(&text) {
        TextMeaning::Token => Opened::End(End::TokenRefused),
        TextMeaning::Absent => Opened::End(End::Absent),
        TextMeaning::Doubtful => end("an error text of doubt"),
        TextMeaning::Duplicate | TextMeaning::Refused(_) => Opened::Said(text),
    }
}

/// The first look at the answer of a reading call: HTTP status, kind of body, error texts.
pub(super) fn open(texts: &TextTable, response: &WireResponse) -> Opened {
    let status = response.status;
    match status {
        401 | 403 => return Opened::End(End::TokenRefused),
        429 => return Opened::End(End::Throttled(response.retry_after.clone())),
        200..=299 | 400..=499 => {}
        _other => return end(format!("http {status}")),
    }
    let value = match wire::parse(&response.body) {
        Body::Json(value) => value,
        Body::Plain(text) if texts.meaning(&text) == TextMeaning::Token => {
            return Opened::End(End::TokenRefused);
        }
        Body::Plain(_text) => return end(format!("http {status}, plain text")),
        Body::Other(kind) => return end(format!("http {status}, {kind}")),
    };
    let failed = status >= 400 || wire::success(&value) == Some(false) || is_words_only(&value);
    match wire::message(&value) {
        Some(text) if failed => said(texts, text),
        // A token that has run out is told with HTTP 200 and without a flag, too.
        Some(text) if texts.meaning(&text) == TextMeaning::Token && !has_record(&value) => {
            Opened::End(End::TokenRefused)
        }
        Some(_) | None if !failed => Opened::Value(value),
        Some(_) | None => end(format!("http {status}, a failure without words")),
    }
}

fn has_record(value: &Value) -> bool {
    rows(value, &is_record, wire::ROWS_MAX).is_ok_and(|found| !found.is_empty())
}

/// Whether an object is an order: it has one of the operator's numbers for it.
fn is_record(object: &Object) -> bool {
    ["orderHdrID", "itemCode", "originalID"]
        .iter()
        .any(|name| field(object, &[name]).is_some())
}

/// An order in our words. The operator's id is the one that cancels; another number of the same record must never
/// stand in for it.
fn order_of(record: &Object) -> OperatorOrder {
    let at = |name: &str| wire::instant(record, &[name]).map(|(at, _resolution)| at);
    OperatorOrder {
        reference: wire::reference(record, &["saleOrderCode"]),
        tracking_number: identifier(record, &["itemCode"]),
        operator_id: identifier(record, &["originalID"]),
        status_code: identifier(record, &["status"]),
        charge_dong: wire::dong(record, &["totalFee"]),
        created_at: at("createdDate"),
        updated_at: at("updatedDate"),
    }
}

/// Log-in. Here 401 and 403 mean that name or password are refused.
pub(super) fn token(texts: &TextTable, lifetime_ms: i64, response: &WireResponse) -> Reading<AccessToken> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        // A definite no to a log-in is a no to its credentials.
        Opened::Said(_text) if response.status < 300 => return Reading::TokenRefused,
        Opened::Said(_text) => return unreadable("log-in refused as malformed"),
        Opened::End(end) => return end.into_reading(),
    };
    let found = wire::single(&value).and_then(|root| {
        let inner = field(root, &["data"]).and_then(wire::single);
        [Some(root), inner]
            .into_iter()
            .flatten()
            .find_map(|object| match field(object, &["token"]) {
                Some(Value::String(token)) => Some(token.trim().to_owned()),
                Some(
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
                )
                | None => None,
            })
    });
    match found {
        Some(token) if token.len() <= TOKEN_BYTES_MAX && token.bytes().all(|b| b.is_ascii_graphic()) => {
            Reading::Answer(AccessToken { token, lifetime_ms })
        }
        Some(_) => unreadable("a token that fits no header"),
        None => unreadable("no token"),
    }
}

fn unknown(detail: impl Into<String>) -> DispatchReading {
    DispatchReading::Unknown {
        detail: detail.into(),
    }
}

/// Create. A 401 or 403 is given before the body is looked at; 429 likewise.
pub(super) fn create(texts: &TextTable, response: &WireResponse) -> DispatchReading {
    let status = response.status;
    match status {
        401 | 403 => return DispatchReading::NotTaken(NotTaken::TokenRefused),
        429 => {
            return DispatchReading::Throttled {
                retry_after: response.retry_after.clone(),
            };
        }
        // 408: the operator's front gave up waiting, what stands behind it may not have.
        408 => return unknown("http 408"),
        200..=299 | 400..=499 => {}
        _other => return unknown(format!("http {status}")),
    }
    match wire::parse(&response.body) {
        Body::Json(value) => created(texts, status, &value),
        Body::Plain(text) if texts.meaning(&text) == TextMeaning::Token => {
            DispatchReading::NotTaken(NotTaken::TokenRefused)
        }
        Body::Plain(_text) => unknown(format!("http {status}, plain text")),
        Body::Other(kind) => unknown(format!("http {status}, {kind}")),
    }
}

fn created(texts: &TextTable, status: u16, value: &Value) -> DispatchReading {
    let found = rows(value, &is_record, wire::ROWS_MAX).unwrap_or_default();
    let record = match found.as_slice() {
        [] => None,
        [only] => Some(order_of(only)),
        _several => return unknown("several orders in one answer"),
    };
    let success = wire::success(value);
    let text = wire::message(value);
    let meaning = text.as_deref().map(|text| texts.meaning(text));
    let failed = status >= 400 || success == Some(false);
    match (record, text, meaning) {
        (record, Some(_), Some(TextMeaning::Duplicate)) if failed || record.is_none() => {
            DispatchReading::Duplicate(record)
        }
        (Some(order), _, _) if !failed => DispatchReading::Accepted(order),
        (Some(_), _, _) => unknown("a refusal with an order in it"),
        (None, _, _) if says_all_is_well(value) => unknown("success without an order"),
        (None, Some(text), Some(meaning)) => refused(text, meaning),
        (None, _, _) => unknown(format!("http {status}, neither order nor words")),
    }
}

fn refused(operator_text: String, meaning: TextMeaning) -> DispatchReading {
    let reason = match meaning {
        TextMeaning::Token => return DispatchReading::NotTaken(NotTaken::TokenRefused),
        TextMeaning::Doubtful => return unknown("an error text of doubt"),
        TextMeaning::Duplicate => return DispatchReading::Duplicate(None),
        TextMeaning::Absent => RefusalReason::Unrecognised,
        TextMeaning::Refused(reason) => reason,
    };
    DispatchReading::Refused(Refusal {
        reason,
        operator_text,
    })
}

/// Look-up. Absence is believed only from an empty list or from words that say so; both lead to a resend.
pub(super) fn look_up(texts: &TextTable, response: &WireResponse) -> Reading<Vec<OperatorOrder>> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        Opened::Said(_text) => return unreadable("an error text"),
        Opened::End(end) => return end.into_reading(),
    };
    let words = wire::message(&value).map(|text| texts.meaning(&text));
    match rows(&value, &is_record, wire::ROWS_MAX) {
        Ok(found) if found.is_empty() => match words {
            Some(TextMeaning::Absent) | None => Reading::Absent,
            Some(_) if says_all_is_well(&value) => Reading::Absent,
            Some(_) => unreadable("an empty list with words"),
        },
        Ok(found) => Reading::Answer(found.into_iter().map(order_of).collect()),
        Err(_no_list) if words == Some(TextMeaning::Absent) && wire::success(&value) != Some(true) => {
            Reading::Absent
        }
        Err(doubt) => unreadable(doubt.0),
    }
}

/// Whether flag or words claim success. "không thành công" does not.
fn says_all_is_well(value: &Value) -> bool {
    let words = wire::message(value)
        .map(|text| wire::fold(&text))
        .unwrap_or_default();
    let well = words.contains("thanh cong") && !words.contains("khong") && !words.contains("chua");
    wire::success(value).unwrap_or(well || matches!(words.as_str(), "ok" | "success"))
}

/// Whether an answer consists of words only: an error told with HTTP 200 and without a flag.
fn is_words_only(value: &Value) -> bool {
    const PAYLOAD: &[&str] = &[
        "data",
        "results",
        "result",
        "token",
        "type",
        "status",
        "statusHistory",
        "serviceCode",
        "orderHdrID",
        "itemCode",
        "originalID",
    ];
    wire::success(value).is_none()
        && wire::message(value).is_some()
        && !says_all_is_well(value)
        && wire::single(value).is_some_and(|object| field(object, PAYLOAD).is_none())
}

const HISTORY: &[&str] = &["statusHistory"];

/// History.
pub(super) fn journey(texts: &TextTable, response: &WireResponse) -> Reading<Journey> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        Opened::Said(_text) => return unreadable("an error text"),
        Opened::End(end) => return end.into_reading(),
    };
    let holds_history = |object: &Object| {
        object
            .keys()
            .any(|key| key.trim().eq_ignore_ascii_case("statusHistory"))
    };
    let holders = match rows(&value, &holds_history, wire::ROWS_MAX) {
        Ok(found) => found,
        Err(doubt) => return unreadable(doubt.0),
    };
    match holders.as_slice() {
        [] => Reading::Absent,
        [only] => match field(only, HISTORY) {
            Some(Value::Array(items)) => history_rows(items),
            None => Reading::Answer(Journey { rows: Vec::new() }),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                unreadable("a history that is no list")
            }
        },
        // The rows do not say which order they are of.
        _several => unreadable("several histories under one key"),
    }
}

fn history_rows(items: &[Value]) -> Reading<Journey> {
    if items.len() > wire::ROWS_MAX {
        return unreadable("too many rows");
    }
    let rows: Option<Vec<JourneyRow>> = items
        .iter()
        .map(|item| wire::single(item).map(journey_row))
        .collect();
    match rows {
        Some(rows) => Reading::Answer(Journey { rows }),
        None => unreadable("a history row that is no object"),
    }
}

fn journey_row(row: &Object) -> JourneyRow {
    let at = wire::date_and_hour(row, &["createdDate"], &["createdHour", "createHour"]);
    let (occurred_at, resolution) = match at {
        Some((at, resolution)) => (Some(at), resolution),
        None => (None::<Timestamp>, crate::domain::time::Resolution::Second),
    };
    JourneyRow {
        code: text(row, &["statusCode", "status"])
            .map_or_else(|| NO_CODE.to_owned(), |code| printable(&code)),
        occurred_at,
        resolution,
        name: text(row, &["statusName"]),
        place: text(row, &["locateName"]),
    }
}

fn printable(code: &str) -> String {
    crate::domain::journal::clean_code(code)
}

/// Cancel: "00" done, "01" refused, "02" waits for approval under a case.
pub(super) fn cancel(texts: &TextTable, response: &WireResponse) -> Reading<CancelReading> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        // The operator read the request and said no, for instance because the order is still a draft.
        Opened::Said(_text) => return Reading::Answer(CancelReading::Refused),
        Opened::End(end) => return end.into_reading(),
    };
    let is_verdict = |object: &Object| field(object, &["type"]).is_some();
    match rows(&value, &is_verdict, wire::ROWS_MAX).as_deref() {
        Ok([only]) => verdict_by_type(only).map_or_else(|| unreadable("an unknown verdict"), Reading::Answer),
        Ok(_) => unreadable("not one verdict"),
        Err(doubt) => unreadable(doubt.0),
    }
}

/// The verdict of a cancel answer. The digits are compared as written: the operator's own list of cases uses `0`
/// for waiting and `2` for refused, so that shortening "00" would turn a yes into a wait.
fn verdict_by_type(row: &Object) -> Option<CancelReading> {
    match text(row, &["type"])?.as_str() {
        "00" => Some(CancelReading::Done),
        "01" => Some(CancelReading::Refused),
        "02" => Some(CancelReading::Pending {
            case_id: identifier(row, &["caseId"])?,
        }),
        _other => None,
    }
}

/// The verdict of a case as the operator's list writes it: 0 waiting, 1 done, 2 refused.
fn verdict_by_status(row: &Object) -> Option<CancelReading> {
    match text(row, &["status"])?.as_str() {
        "0" => Some(CancelReading::Pending {
            case_id: identifier(row, &["caseId"])?,
        }),
        "1" => Some(CancelReading::Done),
        "2" => Some(CancelReading::Refused),
        _other => None,
    }
}

/// The verdict on a cancel case: a list, whose rows may be its history. Waiting yields to a verdict; two different
/// verdicts are none.
pub(super) fn cancel_case(texts: &TextTable, response: &WireResponse) -> Reading<CancelReading> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        Opened::Said(_text) => return unreadable("an error text"),
        Opened::End(end) => return end.into_reading(),
    };
    let is_case = |object: &Object| field(object, &["type", "status"]).is_some();
    let found = match rows(&value, &is_case, wire::ROWS_MAX) {
        Ok(found) if found.is_empty() => return Reading::Absent,
        Ok(found) => found,
        Err(doubt) => return unreadable(doubt.0),
    };
    let read: Option<Vec<CancelReading>> = found
        .into_iter()
        .map(|row| verdict_by_type(row).or_else(|| verdict_by_status(row)))
        .collect();
    let Some(read) = read else {
        return unreadable("an unknown verdict");
    };
    let done = read.contains(&CancelReading::Done);
    let refused = read.contains(&CancelReading::Refused);
    match (done, refused, read.into_iter().next()) {
        (true, true, _) => unreadable("two verdicts"),
        (true, false, _) => Reading::Answer(CancelReading::Done),
        (false, true, _) => Reading::Answer(CancelReading::Refused),
        (false, false, Some(pending)) => Reading::Answer(pending),
        (false, false, None) => Reading::Absent,
    }
}

/// Quote: the services that have a price; at least one.
pub(super) fn quote(texts: &TextTable, response: &WireResponse) -> Reading<Vec<QuoteLine>> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        Opened::Said(_text) => return unreadable("an error text"),
        Opened::End(end) => return end.into_reading(),
    };
    let is_line = |object: &Object| field(object, &["serviceCode"]).is_some();
    let found = match rows(&value, &is_line, wire::ROWS_MAX) {
        Ok(found) => found,
        Err(doubt) => return unreadable(doubt.0),
    };
    let lines: Vec<QuoteLine> = found
        .into_iter()
        .filter_map(|row| {
            Some(QuoteLine {
                service_code: identifier(row, &["serviceCode"])?,
                service_name: text(row, &["serviceName"]).unwrap_or_default(),
                total_dong: wire::dong(row, &["totalFee"]).filter(|dong| *dong >= 0)?,
            })
        })
        .collect();
    if lines.is_empty() {
        return unreadable("no service with a price");
    }
    Reading::Answer(lines)
}

/// Labels: PDF files in base64, all or none.
pub(super) fn labels(texts: &TextTable, response: &WireResponse) -> Reading<Vec<Vec<u8>>> {
    let value = match open(texts, response) {
        Opened::Value(value) => value,
        Opened::Said(_text) => return unreadable("an error text"),
        Opened::End(end) => return end.into_reading(),
    };
    let mut list = &value;
    for _ in 0..wire::DEPTH_MAX {
        match list {
            Value::Object(object) => match field(object, &["data", "results"]) {
                Some(inner) => list = inner,
                None => return unreadable("no labels"),
            },
            Value::Array(items) => match items.as_slice() {
                [inner @ Value::Array(_)] => list = inner,
                _ => break,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => break,
        }
    }
    let items: &[Value] = match list {
        Value::Array(items) => items,
        one @ Value::String(_) => std::slice::from_ref(one),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return unreadable("no labels"),
    };
    if items.is_empty() || items.len() > LABELS_MAX {
        return unreadable("no labels or too many");
    }
    let files: Option<Vec<Vec<u8>>> = items.iter().map(|item| item.as_str().and_then(pdf)).collect();
    files.map_or_else(|| unreadable("a label that is no pdf"), Reading::Answer)
}

fn pdf(text: &str) -> Option<Vec<u8>> {
    let bare: String = text
        .split_once("base64,")
        .map_or(text, |(_prefix, rest)| rest)
        .split_ascii_whitespace()
        .collect();
    let file = base64::engine::general_purpose::STANDARD.decode(bare).ok()?;
    file.starts_with(b"%PDF-").then_some(file)
}
