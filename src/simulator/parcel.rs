//! Room `simulator`: what a `CreateOrder` body says, checked as the operator checks it.
//!
//! In: the body's JSON. Out: a [`Parcel`], or the Vietnamese text with which the operator refuses. Deliberately not
//! here: accepting (`state`) and answering (`calls`). Field names are the operator's (carriers.md 3.3).

use super::units::{NO_DISTRICT, units};
use serde_json::{Map, Value};

/// Services of the catalogue (carriers.md 3.4) and the add-ons each of them allows.
const SERVICES: [(&str, &str, &[&str]); 8] = [
    ("CTN001", "Tiết kiệm", &["GTG001"]),
    ("CTN007", "Tiết kiệm", &[]),
    ("CTN009", "Tiêu chuẩn", &["GTG001"]),
    (
        "ETN011",
        "Nhanh",
        &[
            "GTG008", "GTG015", "GTG021", "GTG047", "GTG067", "GTG068", "GTG070", "GTG071",
        ],
    ),
    ("ETN013", "Hỏa tốc", &[]),
    ("ETN031", "Nhanh", &["GTG001", "GTG021"]),
    ("ETN037", "Nhanh (TMĐT)", &["GTG001"]),
    ("PTN001", "Logistics", &[]),
];

/// Heaviest parcel outside the logistics service, grams.
const WEIGHT_GRAMS_MAX: u32 = 30_000;

/// An order as received and found good.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    /// `informationOrder` as received.
    pub(super) info: Map<String, Value>,
    pub(super) sale_order_code: String,
    pub(super) service_code: String,
    pub(super) weight_grams: u32,
    pub(super) send_type: String,
    pub(super) within_province: bool,
    pub(super) draft: bool,
    /// SHA-256 of the whole body, hexadecimal.
    pub(super) body_sha256: String,
}

/// The name of a service; `None` when the catalogue lacks it.
pub(super) fn service_name(code: &str) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(known, ..)| *known == code)
        .map(|(_, name, _)| *name)
}

/// The codes of all services.
pub(super) fn service_codes() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|(code, ..)| *code)
}

/// Provisional total in đồng without VAT: (main fee, fee of add-ons). Invented figures of a plausible size.
pub(super) fn fees_vnd(service_code: &str, weight_grams: u32, addons: usize) -> (i64, i64) {
    let base: i64 = match service_code {
        "ETN013" => 60_000,
        "ETN011" | "ETN031" | "ETN037" => 22_000,
        _ => 15_500,
    };
    let steps = i64::from(weight_grams.saturating_sub(1) / 500);
    let addons = i64::try_from(addons).unwrap_or(0);
    (base + steps * 3_500, addons * 5_000)
}

/// The text under `key`, trimmed; empty when it is absent, null or no text.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).map_or("", str::trim)
}

impl Parcel {
    /// Checks a body.
    ///
    /// # Errors
    /// The operator's words for the first thing that is wrong.
    pub(super) fn read(body: &Value, customer_code: &str, body_sha256: String) -> Result<Self, String> {
        let draft = match body.get("orderCreationStatus") {
            Some(Value::Bool(create)) => !create,
            Some(Value::Number(number)) if number.as_i64() == Some(1) => false,
            Some(Value::Number(number)) if number.as_i64() == Some(0) => true,
            _ => return Err("orderCreationStatus không hợp lệ".to_owned()),
        };
        if body.get("type").and_then(Value::as_str) != Some("GUI") {
            return Err("type không hợp lệ".to_owned());
        }
        if body.get("customerCode").and_then(Value::as_str) != Some(customer_code) {
            return Err("Mã khách hàng không hợp lệ".to_owned());
        }
        let info = body
            .get("informationOrder")
            .and_then(Value::as_object)
            .ok_or("Thiếu informationOrder")?;
        check_required(info)?;
        check_party(info, "sender", "gửi")?;
        check_party(info, "receiver", "nhận")?;
        let service_code = check_service(info)?;
        let weight_grams = text(info, "weight")
            .parse::<u32>()
            .ok()
            .filter(|grams| *grams > 0 && (*grams <= WEIGHT_GRAMS_MAX || service_code == "PTN001"))
            .ok_or("Khối lượng không hợp lệ")?;
        let send_type = text(info, "sendType");
        if !matches!(send_type, "1" | "2") {
            return Err("sendType không hợp lệ".to_owned());
        }
        Ok(Self {
            sale_order_code: text(info, "saleOrderCode").to_owned(),
            service_code: service_code.to_owned(),
            weight_grams,
            send_type: send_type.to_owned(),
            within_province: text(info, "senderProvinceCode") == text(info, "receiverProvinceCode"),
            draft,
            body_sha256,
            info: info.clone(),
        })
    }

    /// Number of value-added services.
    pub(super) fn addons(&self) -> usize {
        self.info
            .get("addonService")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }
}

fn check_required(info: &Map<String, Value>) -> Result<(), String> {
    const REQUIRED: [&str; 16] = [
        "senderName",
        "senderPhone",
        "senderAddress",
        "senderProvinceCode",
        "senderDistrictCode",
        "senderCommuneCode",
        "receiverName",
        "receiverPhone",
        "receiverAddress",
        "receiverProvinceCode",
        "receiverDistrictCode",
        "receiverCommuneCode",
        "serviceCode",
        "contentNote",
        "weight",
        "sendType",
    ];
    REQUIRED
        .into_iter()
        .find(|key| text(info, key).is_empty())
        .map_or(Ok(()), |key| Err(format!("Trường {key} là bắt buộc")))
}

fn check_party(info: &Map<String, Value>, prefix: &str, whose: &str) -> Result<(), String> {
    let field = |suffix: &str| text(info, &format!("{prefix}{suffix}"));
    if !phone_is_good(field("Phone")) {
        return Err(format!("Số điện thoại người {whose} không hợp lệ"));
    }
    if field("DistrictCode") != NO_DISTRICT {
        return Err(format!("Mã quận huyện người {whose} không hợp lệ"));
    }
    if !units().knows_province(field("ProvinceCode")) {
        return Err(format!("Mã tỉnh người {whose} không tồn tại"));
    }
    if !units().commune_is_in(field("CommuneCode"), field("ProvinceCode")) {
        return Err(format!("Mã phường xã người {whose} không tồn tại"));
    }
    Ok(())
}

/// Ten digits of a mobile number (03, 05, 07, 08, 09), or ten or eleven of a fixed line (02).
fn phone_is_good(phone: &str) -> bool {
    let digits = phone.bytes().all(|byte| byte.is_ascii_digit());
    let mobile = ["03", "05", "07", "08", "09"]
        .iter()
        .any(|prefix| phone.starts_with(prefix));
    let fixed = phone.starts_with("02");
    digits && ((mobile && phone.len() == 10) || (fixed && matches!(phone.len(), 10 | 11)))
}

fn check_service(info: &Map<String, Value>) -> Result<&str, String> {
    let code = text(info, "serviceCode");
    let (_, _, allowed) = SERVICES
        .iter()
        .find(|(known, ..)| *known == code)
        .ok_or("Mã dịch vụ không tồn tại")?;
    for group in ["addonService", "additionRequest"] {
        let addons = match info.get(group) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(addons)) => addons,
            Some(_) => return Err(format!("{group} không hợp lệ")),
        };
        for addon in addons {
            let addon = addon.get("code").and_then(Value::as_str).unwrap_or_default();
            if !allowed.contains(&addon) {
                return Err(format!(
                    "Dịch vụ cộng thêm {addon} không áp dụng cho dịch vụ {code}"
                ));
            }
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_checked_as_the_operator_does() {
        for good in ["0900000000", "02800000000", "0203000000"] {
            assert!(phone_is_good(good), "{good}");
        }
        for bad in [
            "",
            "090000000",
            "09000000000",
            "+84900000000",
            "0100000000",
            "09000o0000",
        ] {
            assert!(!phone_is_good(bad), "{bad}");
        }
    }

    #[test]
    fn fees_grow_with_weight_and_add_ons() {
        assert_eq!(fees_vnd("ETN011", 100, 0), (22_000, 0));
        assert_eq!(fees_vnd("ETN011", 501, 2), (25_500, 10_000));
        assert_eq!(service_name("ETN011"), Some("Nhanh"));
        assert_eq!(service_name("HCC"), None);
    }
}
