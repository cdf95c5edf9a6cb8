//! Room `edge::carrier::myvnpost`: the operator's callback, a batch that proves nothing.
//!
//! In: stored bytes. Out: which shipments are named, and our answer in the operator's form. Deliberately not here:
//! authentication (the signature covers one record and can be made by anybody; the channel is a hint) and the
//! recipient's name and reason texts, which only the pulled rows may state.

use super::wire::{self, Body, Object, field, identifier, reference};
use crate::edge::carrier::{CallbackAnswer, CallbackReading, CallbackRecord, CallbackVerdict};
use serde_json::{Value, json};

/// Reads a stored body. Records beyond the limit count as unreadable: they are hints, and polling finds the rest.
pub(super) fn read(body: &[u8]) -> CallbackReading {
    let value = match wire::parse(body) {
        Body::Json(value) => value,
        Body::Plain(_text) => return garbage("plain text"),
        Body::Other(kind) => return garbage(kind),
    };
    let items: Vec<&Value> = match &value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(object) => match field(object, &["data"]) {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(record @ Value::Object(_)) => vec![record],
            None if record(object).is_some() => vec![&value],
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                return garbage("no data");
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return garbage("no object"),
    };
    let total = items.len();
    let records: Vec<CallbackRecord> = items
        .into_iter()
        .take(wire::ROWS_MAX)
        .filter_map(|item| wire::single(item).and_then(record))
        .collect();
    let unreadable = u32::try_from(total.saturating_sub(records.len())).unwrap_or(u32::MAX);
    CallbackReading::Records { records, unreadable }
}

fn garbage(detail: &str) -> CallbackReading {
    CallbackReading::Garbage {
        detail: detail.to_owned(),
    }
}

/// A record that names a shipment by something we store.
fn record(object: &Object) -> Option<CallbackRecord> {
    let record = CallbackRecord {
        reference: reference(object, &["saleOrderCode"]),
        tracking_number: identifier(object, &["itemCode", "originalItemCode"]),
        operator_id: identifier(object, &["originalId"]),
        status_code: identifier(object, &["status", "statusCode"]),
    };
    let names_something =
        record.reference.is_some() || record.tracking_number.is_some() || record.operator_id.is_some();
    names_something.then_some(record)
}

/// Our answer. The operator documents none; this is the form a public receiver in use answers with. `updated` is
/// always 0, because nothing is changed before a look-up confirms it.
pub(super) fn answer(verdict: CallbackVerdict) -> CallbackAnswer {
    let (status, success, message) = match verdict {
        CallbackVerdict::Stored => (200, true, "Đã nhận"),
        CallbackVerdict::Malformed => (400, false, "Nội dung không đúng định dạng"),
        CallbackVerdict::Refused => (401, false, "Không được phép"),
        CallbackVerdict::Unavailable => (503, false, "Tạm thời chưa nhận được, vui lòng gửi lại"),
    };
    CallbackAnswer {
        status,
        body: json!({ "success": success, "message": message, "updated": 0 }).to_string(),
    }
}
