//! Room `edge::carrier::myvnpost`: requests in the operator's words.
//!
//! In: the account's settings, a token, an order or a key. Out: a [`WireRequest`], or why there is none. Deliberately
//! not here: sending, and reading of answers.
//!
//! Settings of an account: `customer_code` (required), `contract_code`, `path_prefix` ("" or "/customer-partner"),
//! `service_code` (default ETN031), `send_type` ("1" picked up at the sender, the default; "2" brought to a post
//! office), `submit_timeout_ms`, `read_timeout_ms`, `list_timeout_ms`.

use super::FIELD_BYTES_MAX;
use super::status::ServiceTable;
use super::wire::encode;
use crate::edge::carrier::{
    AccountSettings, BuildError, CallKind, LookUpKey, Method, OperatorUnitSet, Order, Party, UnitLevel,
    WireRequest,
};
use serde_json::{Value, json};

/// In place of a district in a two-level address.
pub(super) const NO_DISTRICT: &str = "VNPOST";
/// Labels the operator prints in one call.
pub(super) const LABELS_MAX: usize = 100;
/// The service taken where neither order nor account names one.
const DEFAULT_SERVICE: &str = "ETN031";
/// The add-on that collects money from the addressee, and its one property.
const COLLECT_ADDON: &str = "GTG021";
const COLLECT_PROPERTY: &str = "PROP0018";
/// Limits for one call in milliseconds: a create of the operator's can be slow, and cutting it off leaves a doubt.
const SUBMIT_TIMEOUT_MS: u64 = 60_000;
const READ_TIMEOUT_MS: u64 = 15_000;
const LIST_TIMEOUT_MS: u64 = 120_000;

fn setting<'a>(account: &'a AccountSettings, name: &str) -> Option<&'a str> {
    account
        .settings
        .get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

fn required<'a>(account: &'a AccountSettings, name: &'static str) -> Result<&'a str, BuildError> {
    setting(account, name).ok_or(BuildError::MissingSetting { name })
}

fn timeout_ms(account: &AccountSettings, name: &'static str, default_ms: u64) -> Result<u64, BuildError> {
    let Some(text) = setting(account, name) else {
        return Ok(default_ms);
    };
    text.parse()
        .ok()
        .filter(|ms| (100..=600_000).contains(ms))
        .ok_or(BuildError::BadSetting { name })
}

fn url(account: &AccountSettings, call: &str) -> Result<String, BuildError> {
    let name = "path_prefix";
    let prefix = setting(account, name).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_".contains(c);
    let well_formed = prefix.starts_with('/') && !prefix.ends_with('/') && prefix.chars().all(plain);
    if !(prefix.is_empty() || well_formed) {
        return Err(BuildError::BadSetting { name });
    }
    Ok(format!(
        "{}{prefix}/{call}",
        account.base_url.trim_end_matches('/')
    ))
}

fn headers(token: &str) -> Vec<(String, String)> {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("accept".to_owned(), "application/json".to_owned()),
    ];
    if !token.is_empty() {
        headers.push(("token".to_owned(), token.to_owned()));
    }
    headers
}

fn submit(
    account: &AccountSettings,
    token: &str,
    call: &str,
    body: &Value,
) -> Result<WireRequest, BuildError> {
    Ok(WireRequest {
        method: Method::Post,
        url: url(account, call)?,
        headers: headers(token),
        body: body.to_string().into_bytes(),
        kind: CallKind::Submit,
        timeout_ms: timeout_ms(account, "submit_timeout_ms", SUBMIT_TIMEOUT_MS)?,
    })
}

fn read(account: &AccountSettings, token: &str, call: &str) -> Result<WireRequest, BuildError> {
    Ok(WireRequest {
        method: Method::Get,
        url: url(account, call)?,
        headers: headers(token),
        body: Vec::new(),
        kind: CallKind::Read,
        timeout_ms: timeout_ms(account, "read_timeout_ms", READ_TIMEOUT_MS)?,
    })
}

/// Log-in. On a fresh connection like a submit: a log-in may end an older token.
pub(super) fn token(account: &AccountSettings) -> Result<WireRequest, BuildError> {
    let body = json!({
        "username": account.username,
        "password": account.password,
        "customerCode": required(account, "customer_code")?,
    });
    submit(account, "", "GetAccessToken", &body)
}

fn checked<'a>(field: &'static str, text: &'a str, bytes_max: u32) -> Result<&'a str, BuildError> {
    let bytes = text.len();
    if u32::try_from(bytes).is_ok_and(|bytes| bytes <= bytes_max) {
        Ok(text)
    } else {
        Err(BuildError::TooLong {
            field,
            bytes,
            bytes_max,
        })
    }
}

fn check_party(party: &Party, name: &'static str, address: &'static str) -> Result<(), BuildError> {
    checked(name, &party.name, FIELD_BYTES_MAX.name)?;
    checked(address, &party.line, FIELD_BYTES_MAX.address)?;
    Ok(())
}

fn service<'a>(account: &'a AccountSettings, order: &'a Order) -> &'a str {
    order
        .service_code
        .as_deref()
        .or_else(|| setting(account, "service_code"))
        .unwrap_or(DEFAULT_SERVICE)
}

/// The add-ons of an order: collecting a fee, if there is one. An order whose fee would silently not be collected is
/// not built: the service must be known to allow it.
fn addons(services: &ServiceTable, service: &str, order: &Order) -> Result<Value, BuildError> {
    if order.collect_dong <= 0 {
        return Ok(json!([]));
    }
    if !services.allows(service, COLLECT_ADDON) {
        return Err(BuildError::NotOffered {
            call: "collecting a fee with this service",
        });
    }
    let value = format!("{COLLECT_PROPERTY}:{}", order.collect_dong);
    Ok(json!([{ "code": COLLECT_ADDON, "propValue": value }]))
}

/// Create.
pub(super) fn create(
    services: &ServiceTable,
    account: &AccountSettings,
    token: &str,
    order: &Order,
) -> Result<WireRequest, BuildError> {
    let customer_code = required(account, "customer_code")?;
    let send_type = setting(account, "send_type").unwrap_or("1");
    if !matches!(send_type, "1" | "2") {
        return Err(BuildError::BadSetting { name: "send_type" });
    }
    if order.item_code.is_some() {
        return Err(BuildError::NotOffered {
            call: "an item code of our own",
        });
    }
    check_party(&order.sender, "sender name", "sender address")?;
    check_party(&order.receiver, "receiver name", "receiver address")?;
    let note = order
        .note
        .as_deref()
        .map(|note| checked("note", note, FIELD_BYTES_MAX.note))
        .transpose()?;
    let service_code = service(account, order);
    let body = json!({
        "orderCreationStatus": 1,
        "type": "GUI",
        "customerCode": customer_code,
        "contractCode": setting(account, "contract_code"),
        "informationOrder": {
            "senderName": order.sender.name,
            "senderPhone": order.sender.phone,
            "senderEmail": null,
            "senderAddress": order.sender.line,
            "senderProvinceCode": order.sender.province_code,
            "senderDistrictCode": NO_DISTRICT,
            "senderCommuneCode": order.sender.commune_code,
            "receiverName": order.receiver.name,
            "receiverPhone": order.receiver.phone,
            "receiverEmail": null,
            "receiverAddress": order.receiver.line,
            "receiverProvinceCode": order.receiver.province_code,
            "receiverDistrictCode": NO_DISTRICT,
            "receiverCommuneCode": order.receiver.commune_code,
            "serviceCode": service_code,
            "addonService": addons(services, service_code, order)?,
            "additionRequest": [],
            "orgCodeCollect": null,
            "orgCodeAccept": null,
            "saleOrderCode": order.reference,
            "contentNote": checked("content", &order.content, FIELD_BYTES_MAX.note)?,
            "weight": order.weight_grams.to_string(),
            "width": null,
            "length": null,
            "height": null,
            "vehicle": "BO",
            "sendType": send_type,
            "isBroken": "0",
            "deliveryTime": null,
            // "1": the parcel may not be opened before it is handed over.
            "deliveryRequire": "1",
            "deliveryInstruction": note,
        },
    });
    submit(account, token, "CreateOrder", &body)
}

/// A look-up or a history: the operator asks for the kind of key (1 item code, 2 our reference, 3 its own id).
pub(super) fn by_key(
    account: &AccountSettings,
    token: &str,
    call: &str,
    key: &LookUpKey,
) -> Result<WireRequest, BuildError> {
    let (kind, code) = match key {
        LookUpKey::TrackingNumber(code) => (1, code),
        LookUpKey::Reference(code) => (2, code),
        LookUpKey::OperatorId(code) => (3, code),
    };
    read(
        account,
        token,
        &format!("{call}?type={kind}&code={}", encode(code)),
    )
}

/// Cancel.
pub(super) fn cancel(
    account: &AccountSettings,
    token: &str,
    operator_id: &str,
) -> Result<WireRequest, BuildError> {
    submit(
        account,
        token,
        "orderCancel",
        &json!({ "OriginalId": operator_id }),
    )
}

/// Question after a cancel case.
pub(super) fn cancel_case(
    account: &AccountSettings,
    token: &str,
    operator_id: &str,
    case_id: &str,
) -> Result<WireRequest, BuildError> {
    let (original, case) = (encode(operator_id), encode(case_id));
    read(
        account,
        token,
        &format!("orderCorrection/updateCase?OriginalId={original}&CaseId={case}"),
    )
}

/// Fee question. An order without a service asks for all services.
pub(super) fn quote(
    services: &ServiceTable,
    account: &AccountSettings,
    token: &str,
    order: &Order,
) -> Result<WireRequest, BuildError> {
    let addon_service = match &order.service_code {
        Some(service) => addons(services, service, order)?,
        None => json!([]),
    };
    let body = json!({
        "scope": 1,
        "customerCode": required(account, "customer_code")?,
        // Two public clients disagree on the name; the one checked against the operator's own page says this.
        "contractNumber": setting(account, "contract_code"),
        "data": {
            "senderProvinceCode": order.sender.province_code,
            "senderDistrictCode": NO_DISTRICT,
            "senderCommuneCode": order.sender.commune_code,
            "receiverProvinceCode": order.receiver.province_code,
            "receiverDistrictCode": NO_DISTRICT,
            "receiverCommuneCode": order.receiver.commune_code,
            "receiverNational": "VN",
            "receiverCity": null,
            "receiverPostCode": "",
            "orgCodeAccept": null,
            "weight": order.weight_grams,
            "width": null,
            "length": null,
            "height": null,
            "serviceCode": order.service_code,
            "addonService": addon_service,
            "additionRequest": [],
            "vehicle": "BO",
        },
    });
    let mut request = submit(account, token, "ServicesCharge", &body)?;
    request.kind = CallKind::Read;
    request.timeout_ms = timeout_ms(account, "read_timeout_ms", READ_TIMEOUT_MS)?;
    Ok(request)
}

/// Labels.
pub(super) fn labels(
    account: &AccountSettings,
    token: &str,
    tracking_numbers: &[String],
) -> Result<WireRequest, BuildError> {
    if tracking_numbers.is_empty() || tracking_numbers.len() > LABELS_MAX {
        return Err(BuildError::NotOffered {
            call: "fewer than one or more than a hundred labels at once",
        });
    }
    let mut request = submit(account, token, "exportListReport", &json!(tracking_numbers))?;
    request.kind = CallKind::Read;
    request.timeout_ms = timeout_ms(account, "list_timeout_ms", LIST_TIMEOUT_MS)?;
    Ok(request)
}

/// Unit lists.
pub(super) fn units(
    account: &AccountSettings,
    token: &str,
    set: OperatorUnitSet,
) -> Result<Vec<(UnitLevel, WireRequest)>, BuildError> {
    let calls: &[(UnitLevel, &str)] = match set {
        OperatorUnitSet::New => &[
            (UnitLevel::Province, "getNewProvinceAll"),
            (UnitLevel::Commune, "getNewCommuneAll"),
        ],
        OperatorUnitSet::Old => &[
            (UnitLevel::Province, "getAllProvince"),
            (UnitLevel::District, "getAllDistrict"),
            (UnitLevel::Commune, "getAllCommune"),
        ],
    };
    let limit_ms = timeout_ms(account, "list_timeout_ms", LIST_TIMEOUT_MS)?;
    calls
        .iter()
        .map(|(level, call)| {
            let mut request = read(account, token, call)?;
            request.timeout_ms = limit_ms;
            Ok((*level, request))
        })
        .collect()
}
