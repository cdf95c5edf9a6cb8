//! Room `edge::carrier::myvnpost`: requests built, against the kept bodies field by field.

use super::*;
use crate::edge::carrier::{CallKind, Method, Party};

fn account(settings: &[(&str, &str)]) -> AccountSettings {
    let mut all = BTreeMap::from([("customer_code".to_owned(), "C000000000".to_owned())]);
    all.extend(
        settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    AccountSettings {
        base_url: "http://127.0.0.1:9/".to_owned(),
        settings: all,
        username: "demo".to_owned(),
        password: "khong-phai-mat-khau".to_owned(),
    }
}

fn party(name: &str, phone: &str, line: &str, commune: &str) -> Party {
    Party {
        name: name.to_owned(),
        phone: phone.to_owned(),
        line: line.to_owned(),
        province_code: "70".to_owned(),
        commune_code: commune.to_owned(),
    }
}

fn order() -> Order {
    Order {
        reference: REFERENCE.to_owned(),
        item_code: None,
        sender: party(
            "Trung tâm Phục vụ HCC phường Mẫu",
            "02800000000",
            "Số 1 đường Mẫu",
            "70001",
        ),
        receiver: party("Nguyễn Văn Mẫu", "0900000000", "Số 2 đường Mẫu", "70002"),
        content: "01 tài liệu".to_owned(),
        note: Some("Phát tận tay".to_owned()),
        weight_grams: 100,
        collect_dong: 0,
        service_code: None,
    }
}

/// Method, address, kind and body of a request against the kept body, field by field.
#[track_caller]
fn check_request(request: &WireRequest, kind: CallKind, url: &str, body: Option<&str>) {
    assert_eq!((request.url.as_str(), request.kind), (url, kind));
    let Some(name) = body else {
        assert_eq!((request.method, request.body.len()), (Method::Get, 0));
        return;
    };
    assert_eq!(request.method, Method::Post);
    let built: Value = serde_json::from_slice(&request.body).unwrap();
    let kept: Value = serde_json::from_slice(&bytes(&format!("requests/{name}"))).unwrap();
    assert_eq!(built, kept, "{name}");
}

#[test]
fn requests_are_the_operators_own() {
    let (a, account) = (adapter(), account(&[]));
    let token = a.build_token(&account).unwrap().unwrap();
    check_request(
        &token,
        CallKind::Submit,
        "http://127.0.0.1:9/GetAccessToken",
        Some("token.json"),
    );
    assert!(token.headers.iter().all(|(name, _value)| name != "token"));

    let create = a.build_create(&account, "vi-du", &order()).unwrap();
    check_request(
        &create,
        CallKind::Submit,
        "http://127.0.0.1:9/CreateOrder",
        Some("create.json"),
    );
    assert!(create.headers.contains(&("token".to_owned(), "vi-du".to_owned())));
    assert_eq!(create.timeout_ms, 60_000);

    let cancel = a.build_cancel(&account, "t", "900000001").unwrap();
    check_request(
        &cancel,
        CallKind::Submit,
        "http://127.0.0.1:9/orderCancel",
        Some("cancel.json"),
    );
    let case = a.build_cancel_case(&account, "t", "900000001", "55 001").unwrap();
    let url = "http://127.0.0.1:9/orderCorrection/updateCase?OriginalId=900000001&CaseId=55%20001";
    check_request(&case, CallKind::Read, url, None);
    let quote = a.build_quote(&account, "t", &order()).unwrap();
    check_request(
        &quote,
        CallKind::Read,
        "http://127.0.0.1:9/ServicesCharge",
        Some("quote.json"),
    );
    let numbers = ["EB123456785VN".to_owned(), "EB123456794VN".to_owned()];
    let labels = a.build_labels(&account, "t", &numbers).unwrap();
    check_request(
        &labels,
        CallKind::Read,
        "http://127.0.0.1:9/exportListReport",
        Some("labels.json"),
    );
}

#[test]
fn settings_change_the_request_and_bad_ones_are_named() {
    let a = adapter();
    let full = account(&[
        ("path_prefix", "/customer-partner"),
        ("contract_code", "HD-0001"),
        ("send_type", "2"),
        ("submit_timeout_ms", "5000"),
    ]);
    let collect = Order {
        collect_dong: 12_000,
        note: None,
        ..order()
    };
    let create = a.build_create(&full, "t", &collect).unwrap();
    let url = "http://127.0.0.1:9/customer-partner/CreateOrder";
    check_request(&create, CallKind::Submit, url, Some("create-collect.json"));
    assert_eq!(create.timeout_ms, 5_000);

    let bare = AccountSettings {
        settings: BTreeMap::new(),
        ..account(&[])
    };
    let missing = BuildError::MissingSetting {
        name: "customer_code",
    };
    assert_eq!(a.build_token(&bare).unwrap_err(), missing);
    assert_eq!(a.build_create(&bare, "t", &order()).unwrap_err(), missing);
    for (name, value) in [
        ("path_prefix", "customer"),
        ("path_prefix", "/a?b"),
        ("send_type", "3"),
        ("submit_timeout_ms", "soon"),
    ] {
        let got = a
            .build_create(&account(&[(name, value)]), "t", &order())
            .unwrap_err();
        assert!(
            matches!(got, BuildError::BadSetting { name: told } if told == name),
            "{name}: {got}"
        );
    }
}

#[test]
fn an_order_the_operator_cannot_carry_is_not_built() {
    let (a, account) = (adapter(), account(&[]));
    let long_name = "ễ".repeat(84); // 252 bytes, 84 letters
    let mut long = order();
    long.receiver.name = long_name;
    let got = a.build_create(&account, "t", &long).unwrap_err();
    assert_eq!(
        got,
        BuildError::TooLong {
            field: "receiver name",
            bytes: 252,
            bytes_max: 250
        }
    );
    for service in ["CTN009", "ETN999"] {
        let collect = Order {
            collect_dong: 1,
            service_code: Some(service.to_owned()),
            ..order()
        };
        let got = a.build_create(&account, "t", &collect).unwrap_err();
        assert!(matches!(got, BuildError::NotOffered { .. }), "{service}: {got}");
    }
    let own_code = Order {
        item_code: Some("EB123456785VN".to_owned()),
        ..order()
    };
    assert!(matches!(
        a.build_create(&account, "t", &own_code),
        Err(BuildError::NotOffered { .. })
    ));
    for count in [0, 101] {
        let got = a.build_labels(&account, "t", &vec!["EB123456785VN".to_owned(); count]);
        assert!(matches!(got, Err(BuildError::NotOffered { .. })), "{count}");
    }
}

#[test]
fn keys_and_lists_have_their_calls() {
    let (a, account) = (adapter(), account(&[]));
    for (key, query) in [
        (
            LookUpKey::TrackingNumber("EB123456785VN".to_owned()),
            "type=1&code=EB123456785VN",
        ),
        (
            LookUpKey::Reference("H99/1&type=3".to_owned()),
            "type=2&code=H99%2F1%26type%3D3",
        ),
        (
            LookUpKey::OperatorId("900000001".to_owned()),
            "type=3&code=900000001",
        ),
    ] {
        let look_up = a.build_look_up(&account, "t", &key).unwrap();
        check_request(
            &look_up,
            CallKind::Read,
            &format!("http://127.0.0.1:9/getOrder?{query}"),
            None,
        );
        let journey = a.build_journey(&account, "t", &key).unwrap();
        let url = format!("http://127.0.0.1:9/GetStatusHistoryOrder?{query}");
        check_request(&journey, CallKind::Read, &url, None);
    }
    for (set, calls) in [
        (
            OperatorUnitSet::New,
            &["getNewProvinceAll", "getNewCommuneAll"][..],
        ),
        (
            OperatorUnitSet::Old,
            &["getAllProvince", "getAllDistrict", "getAllCommune"][..],
        ),
    ] {
        let built = a.build_units(&account, "t", set).unwrap();
        let urls: Vec<&str> = built
            .iter()
            .map(|(_level, request)| request.url.as_str())
            .collect();
        let expected: Vec<String> = calls
            .iter()
            .map(|call| format!("http://127.0.0.1:9/{call}"))
            .collect();
        assert_eq!(urls, expected);
    }
}
