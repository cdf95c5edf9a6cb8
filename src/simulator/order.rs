//! Room `simulator`: one order of the operator and how it looks in a reply.
//!
//! In: a parcel and what became of it. Out: the JSON record of carriers.md 3.3 in each of its spellings. Deliberately
//! not here: who may see it (`server` checks the token) and when it changes (`state`).

use super::journey::{Step, status_name};
use super::ledger::OrderKeys;
use super::parcel::{Parcel, fees_vnd, text};
use super::units::units;
use crate::domain::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

/// A request to cancel or correct that waits, or was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) id: u64,
    pub(super) verdict: Verdict,
    /// What was asked for.
    pub(super) wish: Wish,
}

/// What a case asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Cancel,
    Correct,
}

/// The operator's `"00"`, `"01"` and `"02"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    Refused,
    Waiting,
}

impl Verdict {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Accepted => "00",
            Self::Refused => "01",
            Self::Waiting => "02",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Accepted => "Yêu cầu được chấp nhận",
            Self::Refused => "Yêu cầu bị từ chối",
            Self::Waiting => "Yêu cầu đang chờ duyệt",
        }
    }
}

/// One order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) keys: OrderKeys,
    pub(super) header_id: u64,
    /// `saleOrderCode#n`: what the dice of this order are thrown for.
    pub(super) key: String,
    pub(super) parcel: Parcel,
    /// The present code; notes about money do not change it.
    pub(super) status: u16,
    /// The latest last.
    pub(super) history: Vec<Step>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// What is still to come.
    pub(super) plan: VecDeque<Step>,
    /// Grows with each new plan, so that a step of an old one is not performed.
    pub(super) generation: u64,
    pub(super) handed_over: bool,
    pub(super) cases: Vec<Case>,
}

/// Nothing changes after these.
pub(super) const fn is_final(status: u16) -> bool {
    matches!(status, 8 | 9 | 14 | 19 | 20 | 22 | 23)
}

/// A note about money: told, but no status.
pub(super) const fn is_note(status: u16) -> bool {
    matches!(status, 21 | 28 | 29)
}

/// How a record is spelt in one reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spelling {
    /// Contact fields as `+`.
    pub(super) masked: bool,
    /// Old three-level codes, with the new ones beside them.
    pub(super) old_codes: bool,
    /// `orderHdrId` and `originalId`, numbers as text.
    pub(super) odd: bool,
}

/// `dd/MM/yyyy HH:mm:ss` in Vietnam.
pub(super) fn stamp(at: Timestamp) -> String {
    let local = at.local();
    format!(
        "{:02}/{:02}/{:04} {:02}:{:02}:{:02}",
        local.day(),
        local.month(),
        local.year(),
        local.hour(),
        local.minute(),
        local.second()
    )
}

/// The day and the hour apart, as the journey has them: `dd/MM/yyyy` and `HH:mm:ss`.
pub(super) fn stamp_parts(at: Timestamp) -> (String, String) {
    let whole = stamp(at);
    whole
        .split_once(' ')
        .map(|(day, hour)| (day.to_owned(), hour.to_owned()))
        .unwrap_or_default()
}

fn number(value: i64, spelling: Spelling) -> Value {
    if spelling.odd {
        Value::String(value.to_string())
    } else {
        Value::from(value)
    }
}

impl Order {
    /// The record as `CreateOrder`, `getOrder` and `GetListOrder` give it.
    pub(super) fn record(&self, spelling: Spelling) -> Value {
        let mut record = self.common(self.status, spelling);
        let parcel = &self.parcel;
        for key in [
            "vehicle",
            "deliveryTime",
            "deliveryRequire",
            "deliveryInstruction",
            "orgCodeCollect",
        ] {
            record.insert(
                key.to_owned(),
                parcel.info.get(key).cloned().unwrap_or(Value::Null),
            );
        }
        record.insert("statusName".to_owned(), status_name(self.status).into());
        record.insert("sendType".to_owned(), parcel.send_type.clone().into());
        record.insert("createdDate".to_owned(), stamp(self.created_at).into());
        record.insert("updatedDate".to_owned(), stamp(self.updated_at).into());
        record.insert("addonService".to_owned(), addons(parcel));
        party(&mut record, parcel, "sender", "CommuneCode", spelling);
        party(&mut record, parcel, "receiver", "CommCode", spelling);
        Value::Object(record)
    }

    /// The record as a callback gives it: no names, no addresses, no time of its own.
    pub(super) fn callback_record(&self, status: u16, reason: Option<&str>, spelling: Spelling) -> Value {
        let mut record = self.common(status, spelling);
        let send_type = if self.parcel.send_type == "1" {
            "TGTN"
        } else {
            "GHTBC"
        };
        record.insert("sendType".to_owned(), send_type.into());
        if let Some(reason) = reason {
            record.insert("reason".to_owned(), reason.into());
        }
        Value::Object(record)
    }

    fn common(&self, status: u16, spelling: Spelling) -> Map<String, Value> {
        let parcel = &self.parcel;
        let (main_fee, vas_fee) = fees_vnd(&parcel.service_code, parcel.weight_grams, parcel.addons());
        let vat = (main_fee + vas_fee) / 10;
        let (hdr_key, original_key) = if spelling.odd {
            ("orderHdrId", "originalId")
        } else {
            ("orderHdrID", "originalID")
        };
        let mut record = Map::new();
        record.insert(hdr_key.to_owned(), self.header_id.to_string().into());
        record.insert(original_key.to_owned(), self.keys.original_id.to_string().into());
        let fields = [
            ("itemCode", Value::from(self.keys.item_code.clone())),
            ("originalItemCode", Value::Null),
            ("saleOrderCode", parcel.sale_order_code.clone().into()),
            ("status", number(i64::from(status), spelling)),
            ("serviceCode", parcel.service_code.clone().into()),
            ("mainFee", number(main_fee, spelling)),
            ("vasFee", number(vas_fee, spelling)),
            ("totalFee", number(main_fee + vas_fee + vat, spelling)),
            ("priceWeight", number(i64::from(parcel.weight_grams), spelling)),
            ("weight", number(i64::from(parcel.weight_grams), spelling)),
            ("codAmount", number(0, spelling)),
            ("contentNote", text(&parcel.info, "contentNote").into()),
            (
                "orgCodeAccept",
                parcel.info.get("orgCodeAccept").cloned().unwrap_or(Value::Null),
            ),
            (
                "senderCode",
                parcel.info.get("senderCode").cloned().unwrap_or(Value::Null),
            ),
        ];
        for (key, value) in fields {
            record.insert(key.to_owned(), value);
        }
        record
    }
}

fn addons(parcel: &Parcel) -> Value {
    let given = parcel.info.get("addonService").and_then(Value::as_array);
    let list = given.into_iter().flatten().map(|addon| {
        let props: Vec<Value> = addon
            .get("propValue")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .split(';')
            .filter_map(|pair| pair.split_once(':'))
            .map(|(code, value)| json!({"propCode": code, "propValue": value}))
            .collect();
        json!({"code": addon.get("code"), "propList": props})
    });
    Value::Array(list.collect())
}

/// Keeps the first letter of a contact field and hides the rest.
fn masked(value: &str) -> String {
    let mut letters = value.chars();
    let first: String = letters.next().into_iter().collect();
    first + &letters.map(|_| '+').collect::<String>()
}

fn party(record: &mut Map<String, Value>, parcel: &Parcel, prefix: &str, commune_key: &str, how: Spelling) {
    let field = |suffix: &str| text(&parcel.info, &format!("{prefix}{suffix}"));
    for suffix in ["Name", "Phone", "Email", "Address"] {
        let value = field(suffix);
        let shown = if how.masked {
            masked(value)
        } else {
            value.to_owned()
        };
        record.insert(format!("{prefix}{suffix}"), shown.into());
    }
    let (province, commune) = (field("ProvinceCode"), field("CommuneCode"));
    let mut put = |key: String, value: &str| record.insert(key, value.into());
    if let Some(old) = units().old_codes(commune).filter(|_| how.old_codes) {
        put(format!("{prefix}ProvinceCode"), &old.province);
        put(format!("{prefix}DistrictCode"), &old.district);
        put(format!("{prefix}{commune_key}"), &old.commune);
        put(format!("{prefix}ProvinceCodeNew"), province);
        put(format!("{prefix}{commune_key}New"), commune);
    } else {
        put(format!("{prefix}ProvinceCode"), province);
        put(format!("{prefix}DistrictCode"), field("DistrictCode"));
        put(format!("{prefix}{commune_key}"), commune);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_operator_writes_them() {
        let at = Timestamp::parse_rfc3339("2026-11-23T02:30:05Z").unwrap();
        assert_eq!(stamp(at), "23/11/2026 09:30:05");
        assert_eq!(stamp_parts(at), ("23/11/2026".to_owned(), "09:30:05".to_owned()));
        assert_eq!(masked("Nguyễn"), "N+++++");
    }
}
