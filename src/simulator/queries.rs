//! Room `simulator`: the calls that only read.
//!
//! In: a [`Call`] and what the operator remembers. Out: the answers of carriers.md 3.5 and 3.7, in each of the shapes
//! that were seen on the wire. Deliberately not here: calls that change something (`calls`).

use super::calls::{Answer, Call};
use super::journey::{Step, status_name};
use super::order::{Order, stamp_parts};
use super::parcel::{fees_vnd, service_codes, service_name};
use super::pdf;
use super::state::State;
use crate::domain::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

/// Orders on one page at most.
const PAGE_SIZE_MAX: usize = 500;
/// Longest span between the two days of a list call.
const WINDOW_DAYS_MAX: i64 = 31;
/// Labels in one call at most.
const LABELS_MAX: usize = 100;

const DAY_MS: i64 = 86_400_000;

impl State {
    pub(super) fn get_order(&self, call: &Call, nth: u64) -> Answer {
        let spelling = self.spelling(call, nth);
        let Some(found) = self.look_up(call.argument("type"), call.argument("code")) else {
            return Answer::error(400, "message", "type không hợp lệ");
        };
        let mut records: Vec<Value> = found.iter().map(|order| order.record(spelling)).collect();
        if !spelling.odd {
            return Answer::json(&json!([{"results": records}]));
        }
        // The bare object can only be used where there is exactly one.
        let bare = self.dice("get order shape", &call.reference(), nth).hits(500);
        if records.len() == 1
            && bare
            && let Some(record) = records.pop()
        {
            return Answer::json(&record);
        }
        Answer::json(&json!({"results": records}))
    }

    pub(super) fn get_list(&self, call: &Call, nth: u64) -> Answer {
        let spelling = self.spelling(call, nth);
        let (Some(from), Some(to)) = (
            day(call.argument("lastUpdateFrom")),
            day(call.argument("lastUpdateTo")),
        ) else {
            return Answer::error(400, "message", "Ngày phải có dạng dd-MM-yyyy");
        };
        let (from, until) = (Timestamp::start_of(from), Timestamp::start_of(to).plus_ms(DAY_MS));
        let span_ms = until.since_ms(from);
        if !(DAY_MS..=WINDOW_DAYS_MAX * DAY_MS).contains(&span_ms) {
            return Answer::error(400, "message", "Khoảng thời gian tối đa 31 ngày");
        }
        let (Ok(page), Ok(size)) = (
            call.argument("page").parse::<usize>(),
            call.argument("size").parse::<usize>(),
        ) else {
            return Answer::error(400, "message", "page, size không hợp lệ");
        };
        if !(1..=PAGE_SIZE_MAX).contains(&size) {
            return Answer::error(400, "message", "size tối đa 500");
        }
        let records: Vec<Value> = match call.argument("type") {
            "GUI" => self
                .updated(from, until, page, size)
                .map(|order| order.record(spelling))
                .collect(),
            // Nobody sends parcels to our customer.
            "NHAN" => Vec::new(),
            _ => return Answer::error(400, "message", "type không hợp lệ"),
        };
        Answer::json(&json!({"results": records}))
    }

    pub(super) fn get_history(&self, call: &Call, nth: u64) -> Answer {
        let odd = self.spelling(call, nth).odd;
        let found = self.look_up(call.argument("type"), call.argument("code"));
        let Some(order) = found.as_deref().and_then(<[&Order]>::first) else {
            return Answer::error(200, "message", "Không tìm thấy đơn hàng");
        };
        let rows: Vec<Value> = order.history.iter().map(|step| history_row(step, odd)).collect();
        let list_key = if odd { "statusHistory " } else { "statusHistory" };
        let mut data = json!({
            "itemCode": order.keys.item_code,
            "saleOrderCode": order.keys.sale_order_code,
        });
        if let Some(fields) = data.as_object_mut() {
            fields.insert(list_key.to_owned(), Value::Array(rows));
        }
        let in_list = odd && self.dice("history shape", &call.reference(), nth).hits(500);
        let data = if in_list { json!([data]) } else { data };
        Answer::json(&json!({"success": true, "data": data}))
    }

    /// Provisional fees: one service, or all of them when none is named.
    pub(super) fn charge(&self, call: &Call, nth: u64) -> Answer {
        let odd = self.spelling(call, nth).odd;
        let Some(data) = call.body.as_ref().and_then(|body| body.get("data")) else {
            return Answer::error(200, "message", "Thiếu data");
        };
        let weight = match data.get("weight") {
            Some(Value::String(text)) => text.parse::<u32>().ok(),
            Some(other) => other.as_u64().and_then(|grams| u32::try_from(grams).ok()),
            None => None,
        };
        let Some(weight) = weight.filter(|grams| *grams > 0) else {
            return Answer::error(200, "message", "Khối lượng không hợp lệ");
        };
        let addons = data
            .get("addonService")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let wanted = data
            .get("serviceCode")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !wanted.is_empty() && service_name(wanted).is_none() {
            return Answer::error(200, "message", "Mã dịch vụ không tồn tại");
        }
        let rows: Vec<Value> = service_codes()
            .filter(|code| wanted.is_empty() || *code == wanted)
            .map(|code| {
                let (main_fee, vas_fee) = fees_vnd(code, weight, addons);
                let vas_key = if odd { "vasFee" } else { "vasfee" };
                json!({
                    "serviceCode": code, "serviceName": service_name(code), "mainFee": main_fee,
                    vas_key: vas_fee, "totalFee": main_fee + vas_fee + (main_fee + vas_fee) / 10,
                    "priceWeight": weight, "weightConvert": 0, "addonService": [],
                })
            })
            .collect();
        if odd {
            Answer::json(&json!({"data": rows}))
        } else {
            Answer::json(&Value::Array(rows))
        }
    }

    pub(super) fn labels(&self, call: &Call) -> Answer {
        let Some(Value::Array(codes)) = &call.body else {
            return Answer::error(200, "message", "Danh sách không hợp lệ");
        };
        if codes.is_empty() || codes.len() > LABELS_MAX {
            return Answer::error(200, "message", "Tối đa 100 mã bưu gửi");
        }
        let mut labels = Vec::with_capacity(codes.len());
        for code in codes.iter().map(|code| code.as_str().unwrap_or_default()) {
            if self.look_up("1", code).is_none_or(|found| found.is_empty()) {
                return Answer::error(200, "message", "Không tìm thấy bưu gửi");
            }
            labels.push(Value::from(STANDARD.encode(pdf::label(code))));
        }
        Answer::json(&Value::Array(labels))
    }
}

fn history_row(step: &Step, odd: bool) -> Value {
    let (day, hour) = stamp_parts(step.at);
    let (hour_key, place_key) = if odd {
        ("createHour", "LocateName")
    } else {
        ("createdHour", "locateName")
    };
    json!({
        "createdDate": day, hour_key: hour, "statusCode": step.status,
        "statusName": status_name(step.status), place_key: step.place,
    })
}

/// Reads `dd-MM-yyyy`, and nothing else.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (Some(day), Some(month), Some(year), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if (day.len(), month.len(), year.len()) != (2, 2, 4) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        .ok()
        .filter(|day| *day >= date(2000, 1, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_operators_own_form_of_a_day_is_read() {
        assert_eq!(day("23-11-2026"), Some(date(2026, 11, 23)));
        for bad in [
            "2026-11-23",
            "23/11/2026",
            "3-11-2026",
            "31-02-2026",
            "",
            "23-11-2026-1",
        ] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
