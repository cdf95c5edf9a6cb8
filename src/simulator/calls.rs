//! Room `simulator`: the calls that change something, and what every call has in common.
//!
//! In: a [`Call`] with a living token. Out: an [`Answer`] in the operator's words. Deliberately not here: the calls
//! that only read (`queries`), and what goes wrong on the way (`server`).

use super::faults::Fault;
use super::order::{Case, Order, Spelling, Verdict, Wish};
use super::parcel::{Parcel, text};
use super::state::State;
use crate::domain::time::Timestamp;
use axum::body::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Longest reference that goes into the ledger's lines about faults.
const REFERENCE_LETTERS_MAX: usize = 64;

/// The operator's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    GetAccessToken,
    CreateOrder,
    CreateOrderByDraft,
    DeleteOrderByDraft,
    OrderCorrection,
    OrderCancel,
    UpdateCase,
    ServicesCharge,
    GetOrder,
    GetListOrder,
    GetStatusHistoryOrder,
    ExportListReport,
    GetAllProvince,
    GetAllDistrict,
    GetAllCommune,
    GetNewProvinceAll,
    GetNewCommuneAll,
}

impl Operation {
    pub(super) const ALL: [Self; 17] = [
        Self::GetAccessToken,
        Self::CreateOrder,
        Self::CreateOrderByDraft,
        Self::DeleteOrderByDraft,
        Self::OrderCorrection,
        Self::OrderCancel,
        Self::UpdateCase,
        Self::ServicesCharge,
        Self::GetOrder,
        Self::GetListOrder,
        Self::GetStatusHistoryOrder,
        Self::ExportListReport,
        Self::GetAllProvince,
        Self::GetAllDistrict,
        Self::GetAllCommune,
        Self::GetNewProvinceAll,
        Self::GetNewCommuneAll,
    ];

    /// The path without prefix and leading slash.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::GetAccessToken => "GetAccessToken",
            Self::CreateOrder => "CreateOrder",
            Self::CreateOrderByDraft => "createOrderByDraft",
            Self::DeleteOrderByDraft => "deleteOrderByDraft",
            Self::OrderCorrection => "orderCorrection",
            Self::OrderCancel => "orderCancel",
            Self::UpdateCase => "orderCorrection/updateCase",
            Self::ServicesCharge => "ServicesCharge",
            Self::GetOrder => "getOrder",
            Self::GetListOrder => "GetListOrder",
            Self::GetStatusHistoryOrder => "GetStatusHistoryOrder",
            Self::ExportListReport => "exportListReport",
            Self::GetAllProvince => "getAllProvince",
            Self::GetAllDistrict => "getAllDistrict",
            Self::GetAllCommune => "getAllCommune",
            Self::GetNewProvinceAll => "getNewProvinceAll",
            Self::GetNewCommuneAll => "getNewCommuneAll",
        }
    }

    /// Drafts are published and deleted with GET: the operator's quirk, not ours.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::GetAccessToken
            | Self::CreateOrder
            | Self::OrderCorrection
            | Self::OrderCancel
            | Self::ServicesCharge
            | Self::ExportListReport => "POST",
            Self::CreateOrderByDraft
            | Self::DeleteOrderByDraft
            | Self::UpdateCase
            | Self::GetOrder
            | Self::GetListOrder
            | Self::GetStatusHistoryOrder
            | Self::GetAllProvince
            | Self::GetAllDistrict
            | Self::GetAllCommune
            | Self::GetNewProvinceAll
            | Self::GetNewCommuneAll => "GET",
        }
    }
}

/// One call as received.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) query: BTreeMap<String, String>,
    pub(super) token: String,
    pub(super) raw: Bytes,
    /// The body, when it is JSON.
    pub(super) body: Option<Value>,
}

/// What the operator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<String>,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn json(body: &Value) -> Self {
        Self::bytes(body.to_string().into())
    }

    pub(super) const fn bytes(body: Bytes) -> Self {
        Self {
            status: 200,
            content_type: "application/json;charset=UTF-8",
            retry_after: None,
            body,
        }
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: "text/html",
            retry_after: None,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    /// An error text under one of the operator's three keys.
    pub(super) fn error(status: u16, key: &'static str, message: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("success".to_owned(), false.into());
        fields.insert(key.to_owned(), message.into());
        Self {
            status,
            ..Self::json(&Value::Object(fields))
        }
    }
}

impl Call {
    pub(super) fn read(
        operation: Operation,
        query: BTreeMap<String, String>,
        token: String,
        raw: Bytes,
    ) -> Self {
        let body = serde_json::from_slice(&raw).ok();
        Self {
            operation,
            query,
            token,
            raw,
            body,
        }
    }

    pub(super) fn argument(&self, key: &str) -> &str {
        self.query.get(key).map_or("", |value| value.trim())
    }

    /// A field of the body under either of two spellings, as text.
    fn field(&self, key: &str, other: &str) -> String {
        let fields = self.body.as_ref().and_then(Value::as_object);
        let value = fields.and_then(|fields| fields.get(key).or_else(|| fields.get(other)));
        match value {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// What the call is about: the reference that faults are thrown for. Never personal data.
    pub(super) fn reference(&self) -> String {
        let whole = match self.operation {
            Operation::CreateOrder => self
                .body
                .as_ref()
                .and_then(|body| body.pointer("/informationOrder/saleOrderCode"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            Operation::OrderCancel | Operation::OrderCorrection => self.field("OriginalId", "originalId"),
            Operation::UpdateCase => self.argument("CaseId").to_owned(),
            Operation::GetOrder
            | Operation::GetStatusHistoryOrder
            | Operation::CreateOrderByDraft
            | Operation::DeleteOrderByDraft => self.argument("code").to_owned(),
            Operation::GetListOrder => format!(
                "{}..{} {}",
                self.argument("lastUpdateFrom"),
                self.argument("lastUpdateTo"),
                self.argument("page")
            ),
            Operation::GetAccessToken
            | Operation::ServicesCharge
            | Operation::ExportListReport
            | Operation::GetAllProvince
            | Operation::GetAllDistrict
            | Operation::GetAllCommune
            | Operation::GetNewProvinceAll
            | Operation::GetNewCommuneAll => String::new(),
        };
        whole.chars().take(REFERENCE_LETTERS_MAX).collect()
    }
}

impl State {
    /// Carries a call out.
    pub(super) fn answer(&mut self, call: &Call, nth: u64, now: Timestamp) -> Answer {
        match call.operation {
            Operation::GetAccessToken => self.log_in(call, now),
            Operation::CreateOrder => self.create(call, nth, now),
            Operation::CreateOrderByDraft | Operation::DeleteOrderByDraft => {
                self.settle_draft(call, nth, now)
            }
            Operation::OrderCancel => self.cancel_call(call, now),
            Operation::OrderCorrection => self.correct(call, now),
            Operation::UpdateCase => self.update_case(call),
            Operation::ServicesCharge => self.charge(call, nth),
            Operation::GetOrder => self.get_order(call, nth),
            Operation::GetListOrder => self.get_list(call, nth),
            Operation::GetStatusHistoryOrder => self.get_history(call, nth),
            Operation::ExportListReport => self.labels(call),
            Operation::GetAllProvince
            | Operation::GetAllDistrict
            | Operation::GetAllCommune
            | Operation::GetNewProvinceAll
            | Operation::GetNewCommuneAll => super::units::units()
                .list(call.operation.name())
                .map_or_else(|| Answer::text(404, "not found"), Answer::bytes),
        }
    }

    /// How this reply is spelt.
    pub(super) fn spelling(&self, call: &Call, nth: u64) -> Spelling {
        let reference = format!("{} {}", call.operation.name(), call.reference());
        let faults = &self.config.faults;
        let chance = |fault: Fault| self.dice(fault.key(), &reference, nth).hits(faults.rate(fault));
        Spelling {
            masked: chance(Fault::MaskedReply),
            old_codes: chance(Fault::OldCodes),
            odd: chance(Fault::OddShape),
        }
    }

    fn log_in(&mut self, call: &Call, now: Timestamp) -> Answer {
        let (username, password) = (
            call.field("username", "username"),
            call.field("password", "password"),
        );
        let customer = call.field("customerCode", "customerCode");
        if username.is_empty() || password.is_empty() || customer.is_empty() {
            return Answer::error(400, "errorMessage", "Tham số không hợp lệ");
        }
        let config = &self.config;
        if username != config.username || password != config.password || customer != config.customer_code {
            return Answer::error(403, "errorMessage", "Sai thông tin đăng nhập");
        }
        let token = self.issue_token(now);
        Answer::json(&json!({"success": true, "errorMessage": null, "token": token}))
    }

    fn parcel(&self, call: &Call) -> Result<Parcel, String> {
        let body = call.body.as_ref().ok_or("Dữ liệu không đúng định dạng JSON")?;
        Parcel::read(body, &self.config.customer_code, hex_sha256(&call.raw))
    }

    fn create(&mut self, call: &Call, nth: u64, now: Timestamp) -> Answer {
        let spelling = self.spelling(call, nth);
        let refusal_key = if spelling.odd { "Message" } else { "message" };
        let parcel = match self.parcel(call) {
            Ok(parcel) => parcel,
            Err(reason) => {
                self.refuse(&call.reference(), now);
                return Answer::error(200, refusal_key, &reason);
            }
        };
        if self.ledger.failure().is_some() {
            return Answer::text(500, "<html><h1>500</h1></html>");
        }
        match self
            .accept(parcel, false, now)
            .and_then(|id| self.orders.get(&id))
        {
            Some(order) => wrapped(&order.record(spelling), spelling),
            None => Answer::error(200, refusal_key, "Mã đơn hàng đã tồn tại"),
        }
    }

    /// The order will appear later; a faulty body never will.
    pub(super) fn create_later(&mut self, call: &Call, nth: u64, now: Timestamp) {
        match self.parcel(call) {
            Ok(parcel) => self.accept_later(parcel, nth, now),
            Err(_refused_unheard) => self.refuse(&call.reference(), now),
        }
    }

    fn settle_draft(&mut self, call: &Call, nth: u64, now: Timestamp) -> Answer {
        let spelling = self.spelling(call, nth);
        let found = self.look_up(call.argument("type"), call.argument("code"));
        let Some(id) = found
            .as_deref()
            .and_then(<[&Order]>::first)
            .map(|order| order.keys.original_id)
        else {
            return Answer::error(200, "message", "Không tìm thấy đơn nháp");
        };
        let done = if call.operation == Operation::DeleteOrderByDraft {
            self.delete_draft(id)
        } else {
            self.publish_draft(id, now)
        };
        match (done, self.orders.get(&id)) {
            (false, _) => Answer::error(200, "message", "Đơn hàng không ở trạng thái nháp"),
            (true, Some(order)) => wrapped(&order.record(spelling), spelling),
            (true, None) => Answer::json(&json!({"success": true, "message": "Đã xóa đơn nháp"})),
        }
    }

    fn cancel_call(&mut self, call: &Call, now: Timestamp) -> Answer {
        let Some(id) = self.known_order(call) else {
            return Answer::error(200, "Message", "Không tìm thấy đơn hàng");
        };
        if self.orders.get(&id).is_some_and(|order| order.status == 0) {
            return Answer::error(200, "Message", "Đơn nháp không thể hủy");
        }
        match self.open_case(id, Wish::Cancel, now) {
            Some(case) => Answer::json(&pascal_case(id, &case)),
            None => Answer::error(200, "Message", "Không tìm thấy đơn hàng"),
        }
    }

    /// Corrects the receiver while the parcel is not collected. The answer's keys are in camel case, unlike a cancel's.
    fn correct(&mut self, call: &Call, now: Timestamp) -> Answer {
        let Some(id) = self.known_order(call) else {
            return Answer::error(200, "message", "Không tìm thấy đơn hàng");
        };
        let Some(case) = self.open_case(id, Wish::Correct, now) else {
            return Answer::error(200, "message", "Không tìm thấy đơn hàng");
        };
        let receiver = call.body.as_ref().and_then(|body| body.get("Receiver"));
        if let (Verdict::Accepted, Some(Value::Object(receiver))) = (case.verdict, receiver)
            && let Some(order) = self.orders.get_mut(&id)
        {
            for (from, to) in [
                ("Fullname", "receiverName"),
                ("Phone", "receiverPhone"),
                ("Address", "receiverAddress"),
            ] {
                let value = text(receiver, from);
                if !value.is_empty() {
                    order.parcel.info.insert(to.to_owned(), value.into());
                }
            }
        }
        Answer::json(&json!({
            "type": case.verdict.code(), "message": case.verdict.message(), "note": null,
            "originalId": id.to_string(), "caseId": case.id.to_string(),
        }))
    }

    fn update_case(&self, call: &Call) -> Answer {
        let id = call.argument("OriginalId").parse::<u64>().unwrap_or(0);
        let wanted = call.argument("CaseId");
        let cases = self
            .orders
            .get(&id)
            .map_or(&[][..], |order| order.cases.as_slice());
        let rows: Vec<Value> = cases
            .iter()
            .filter(|case| wanted.is_empty() || case.id.to_string() == wanted)
            .map(|case| pascal_case(id, case))
            .collect();
        Answer::json(&Value::Array(rows))
    }

    fn known_order(&self, call: &Call) -> Option<u64> {
        let id = call.field("OriginalId", "originalId").parse::<u64>().ok()?;
        self.orders.contains_key(&id).then_some(id)
    }
}

fn pascal_case(id: u64, case: &Case) -> Value {
    json!({
        "Type": case.verdict.code(), "Message": case.verdict.message(), "Note": null,
        "OriginalId": id.to_string(), "CaseId": case.id.to_string(),
    })
}

/// A record at the root, or under `data`.
fn wrapped(record: &Value, spelling: Spelling) -> Answer {
    if spelling.odd {
        Answer::json(&json!({"success": true, "data": record}))
    } else {
        Answer::json(record)
    }
}

/// SHA-256 in hexadecimal.
fn hex_sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into a String cannot fail.
        let _infallible: std::fmt::Result = write!(text, "{byte:02x}");
    }
    text
}
