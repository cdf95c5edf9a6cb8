//! Room `edge::carrier::myvnpost`: no body, kept or arbitrary, stops a reader.

use super::*;
use proptest::prelude::*;

/// Every reader over one body; a panic fails the test.
fn read_everything(a: &MyVnPost, status: u16, body: &[u8]) {
    let response = WireResponse {
        status,
        retry_after: None,
        body: body.to_vec(),
    };
    drop(a.read_token(&response));
    let created = a.read_create(&response);
    if !(200..300).contains(&status) {
        assert!(!matches!(created, DispatchReading::Accepted(_)), "{status}");
    }
    if let DispatchReading::Unknown { detail } = &created {
        assert!(detail.len() < 60, "{detail}");
    }
    drop(a.read_look_up(&response));
    if let Reading::Answer(journey) = a.read_journey(&response) {
        assert!(
            journey
                .rows
                .iter()
                .all(|row| row.code.len() <= 64 && row.code.is_ascii())
        );
    }
    drop(a.read_cancel(&response));
    drop(a.read_cancel_case(&response));
    drop(a.read_quote(&response));
    drop(a.read_labels(&response));
    for set in [OperatorUnitSet::New, OperatorUnitSet::Old] {
        for level in [UnitLevel::Province, UnitLevel::District, UnitLevel::Commune] {
            drop(a.read_units(set, level, &response));
        }
    }
    drop(a.read_callback(body));
}

#[test]
fn every_kept_body_is_survived_by_every_reader() {
    let a = adapter();
    let mut count = 0;
    for part in ["corpus", "answers", "callbacks", "requests"] {
        for file in std::fs::read_dir(folder(part)).unwrap() {
            let body = std::fs::read(file.unwrap().path()).unwrap();
            for status in [200, 204, 400, 404, 500] {
                read_everything(&a, status, &body);
            }
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        "[a-zA-Z ]{0,8}",
        prop::sample::select(vec![
            "data",
            "results",
            "success",
            "message",
            "Message",
            "errorMessage",
            "orderHdrID",
            "itemCode",
            "originalID",
            "saleOrderCode",
            "status",
            "statusHistory ",
            "createdDate",
            "createHour",
            "statusCode",
            "Type",
            "CaseId",
            "token",
            "communeCode",
            "communeName",
            "serviceCode",
            "totalFee",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9/: T.Z+-]{0,24}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..300), status in 100_u16..600) {
        read_everything(&adapter(), status, &body);
    }

    #[test]
    fn arbitrary_json_is_survived(value in any_json(), status in 100_u16..600) {
        read_everything(&adapter(), status, value.to_string().as_bytes());
    }

    #[test]
    fn a_history_of_arbitrary_dates_is_survived(date in any::<String>(), hour in "\\PC{0,12}") {
        let body = serde_json::json!({"data": {"statusHistory ": [
            {"createdDate": date, "createdHour": hour, "statusCode": 1}]}});
        read_everything(&adapter(), 200, body.to_string().as_bytes());
    }
}
