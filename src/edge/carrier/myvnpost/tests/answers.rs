//! Room `edge::carrier::myvnpost`: readings of kept answers, with every habit of the operator.

use super::*;
use crate::edge::carrier::{NotTaken, RefusalReason};

#[test]
fn a_token_is_read_or_its_refusal() {
    let a = adapter().with_token_lifetime_ms(7);
    let Reading::Answer(token) = a.read_token(&ok("token-ok.json")) else {
        panic!("no token");
    };
    assert_eq!((token.token.as_str(), token.lifetime_ms), ("vi-du-0001", 7));
    assert!(matches!(
        a.read_token(&ok("token-wrong.json")),
        Reading::TokenRefused
    ));
    assert!(matches!(
        a.read_token(&with_status(403, "token-wrong.json")),
        Reading::TokenRefused
    ));
    assert!(matches!(
        a.read_token(&with_status(400, "token-wrong.json")),
        Reading::Unreadable { .. }
    ));
    assert!(matches!(
        a.read_token(&with_status(502, "token-ok.json")),
        Reading::Unreadable { .. }
    ));
    assert!(matches!(
        a.read_token(&ok("login-page.html")),
        Reading::Unreadable { .. }
    ));
    assert!(matches!(
        a.read_token(&with_status(429, "token-ok.json")),
        Reading::Throttled { .. }
    ));
}

fn known_order() -> OperatorOrder {
    OperatorOrder {
        reference: Some(REFERENCE.to_owned()),
        tracking_number: Some("EB123456785VN".to_owned()),
        operator_id: Some("900000001".to_owned()),
        status_code: Some("1".to_owned()),
        charge_dong: Some(24_200),
        created_at: Some(at("2026-11-23T02:30:15Z")),
        updated_at: Some(at("2026-11-23T03:00:00Z")),
    }
}

/// A create reading as one word, for tables.
fn word(reading: &DispatchReading) -> String {
    match reading {
        DispatchReading::Accepted(_) => "accepted".to_owned(),
        DispatchReading::Refused(refusal) => format!("refused {}", refusal.reason.as_str()),
        DispatchReading::Duplicate(found) => format!("duplicate {}", found.is_some()),
        DispatchReading::NotTaken(NotTaken::TokenRefused) => "token".to_owned(),
        DispatchReading::Throttled { retry_after } => format!("throttled {retry_after:?}"),
        DispatchReading::Unknown { .. } => "unknown".to_owned(),
    }
}

#[test]
fn a_create_answer_is_certain_or_unknown() {
    let a = adapter();
    for name in ["create-root.json", "create-data.json"] {
        assert_eq!(
            a.read_create(&ok(name)),
            DispatchReading::Accepted(known_order()),
            "{name}"
        );
    }
    for (status, name, expected) in [
        (200, "create-several.json", "unknown"),
        (200, "create-duplicate.json", "duplicate false"),
        (409, "create-duplicate.json", "duplicate false"),
        (200, "create-duplicate-record.json", "duplicate true"),
        (200, "create-phone.json", "refused phone"),
        (400, "create-phone.json", "refused phone"),
        (200, "create-unit.json", "refused unit"),
        (200, "create-strange.json", "refused unrecognised"),
        (422, "create-strange.json", "refused unrecognised"),
        (200, "create-doubt.json", "unknown"),
        (400, "create-doubt.json", "unknown"),
        (200, "create-success-empty.json", "unknown"),
        (200, "create-words-success.json", "unknown"),
        (200, "token-expired-200.json", "token"),
        (200, "token-expired-text.txt", "token"),
        (401, "login-page.html", "token"),
        (403, "create-root.json", "token"),
        (429, "create-phone.json", "throttled Some(\"30\")"),
        (200, "login-page.html", "unknown"),
        (404, "login-page.html", "unknown"),
        (302, "login-page.html", "unknown"),
        (408, "create-phone.json", "unknown"),
        (500, "create-phone.json", "unknown"),
        (503, "create-duplicate.json", "unknown"),
        (400, "create-root.json", "unknown"),
    ] {
        let got = a.read_create(&with_status(status, name));
        assert_eq!(word(&got), expected, "{status} {name}: {got:?}");
    }
    let DispatchReading::Refused(refusal) = a.read_create(&ok("create-phone.json")) else {
        panic!("another reading");
    };
    assert_eq!(refusal.reason, RefusalReason::Phone);
    assert_eq!(refusal.operator_text, "Số điện thoại người nhận không hợp lệ");
}

#[test]
fn masked_values_are_not_taken_over() {
    let DispatchReading::Accepted(order) = adapter().read_create(&ok("create-masked.json")) else {
        panic!("another reading");
    };
    assert_eq!((order.reference, order.operator_id), (None, None));
    assert_eq!(order.tracking_number.as_deref(), Some("EB123456785VN"));
}

#[test]
fn a_look_up_shows_every_order_and_believes_absence_only_when_told() {
    let a = adapter();
    for name in [
        "order-nested.json",
        "order-bare.json",
        "order-empty-and-data.json",
    ] {
        assert_eq!(
            a.read_look_up(&ok(name)),
            Reading::Answer(vec![known_order()]),
            "{name}"
        );
    }
    let Reading::Answer(found) = a.read_look_up(&ok("order-double.json")) else {
        panic!("another reading");
    };
    let ids: Vec<_> = found.iter().map(|order| order.operator_id.as_deref()).collect();
    assert_eq!(ids, [Some("900000001"), Some("900000003")]);
    assert_eq!(found[1].charge_dong, Some(24_200));
    assert_eq!(found[1].created_at, Some(at("2026-11-23T02:31:15Z")));
    for (status, name) in [
        (200, "order-empty.json"),
        (200, "order-absent.json"),
        (404, "order-absent.json"),
        (200, "order-absent-words.json"),
    ] {
        assert_eq!(
            a.read_look_up(&with_status(status, name)),
            Reading::Absent,
            "{status} {name}"
        );
    }
    for (status, name) in [
        (200, "order-null.json"),
        (200, "order-part.json"),
        (200, "order-empty-error.json"),
        (200, "login-page.html"),
        (404, "login-page.html"),
        (500, "order-absent.json"),
        (302, "order-empty.json"),
        (404, "order-empty.json"),
        (200, "create-strange.json"),
    ] {
        let got = a.read_look_up(&with_status(status, name));
        assert!(
            matches!(got, Reading::Unreadable { .. }),
            "{status} {name}: {got:?}"
        );
    }
    assert_eq!(
        a.read_look_up(&ok("token-expired-200.json")),
        Reading::TokenRefused
    );
    assert_eq!(
        a.read_look_up(&ok("token-expired-text.txt")),
        Reading::TokenRefused
    );
}

#[test]
fn a_journey_keeps_each_row_with_the_exactness_told() {
    let a = adapter();
    let Reading::Answer(journey) = a.read_journey(&ok("journey.json")) else {
        panic!("no journey");
    };
    let rows: Vec<_> = journey
        .rows
        .iter()
        .map(|row| (row.code.as_str(), row.occurred_at, row.resolution))
        .collect();
    assert_eq!(
        rows,
        [
            ("1", Some(at("2026-11-23T02:30:00Z")), Resolution::Minute),
            ("7", Some(at("2026-11-23T10:05:09Z")), Resolution::Second),
            ("12", Some(at("2026-11-24T01:00:01Z")), Resolution::Second),
            ("14", Some(at("2026-11-23T17:00:00Z")), Resolution::Day),
            ("15", None, Resolution::Second),
            ("none", None, Resolution::Second),
        ]
    );
    assert_eq!(journey.rows[0].place.as_deref(), Some("Bưu cục Mẫu"));
    assert_eq!(journey.rows[1].place.as_deref(), Some("Bưu cục Mẫu"));
    assert_eq!(journey.rows[1].name.as_deref(), Some("Bưu cục đã nhận hàng"));
    for name in ["journey-object.json", "journey-null.json"] {
        assert_eq!(
            a.read_journey(&ok(name)),
            Reading::Answer(Journey { rows: vec![] }),
            "{name}"
        );
    }
    for name in [
        "journey-absent.json",
        "order-absent.json",
        "order-absent-words.json",
    ] {
        assert_eq!(a.read_journey(&ok(name)), Reading::Absent, "{name}");
    }
    for name in ["journey-two.json", "journey-string.json", "order-null.json"] {
        assert!(
            matches!(a.read_journey(&ok(name)), Reading::Unreadable { .. }),
            "{name}"
        );
    }
}

#[test]
fn a_cancel_has_three_outcomes_and_its_case_two_spellings() {
    let a = adapter();
    let pending = || CancelReading::Pending {
        case_id: "55001".to_owned(),
    };
    for (name, expected) in [
        ("cancel-done.json", CancelReading::Done),
        ("cancel-refused.json", CancelReading::Refused),
        ("cancel-pending.json", pending()),
        ("cancel-draft.json", CancelReading::Refused),
    ] {
        assert_eq!(a.read_cancel(&ok(name)), Reading::Answer(expected), "{name}");
    }
    assert!(matches!(
        a.read_cancel(&ok("cancel-strange.json")),
        Reading::Unreadable { .. }
    ));
    assert_eq!(a.read_cancel(&ok("order-absent-words.json")), Reading::Absent);
    for (name, expected) in [
        ("case-waiting.json", pending()),
        ("case-done.json", CancelReading::Done),
        ("case-refused.json", CancelReading::Refused),
        ("case-type-zero.json", CancelReading::Done),
    ] {
        assert_eq!(a.read_cancel_case(&ok(name)), Reading::Answer(expected), "{name}");
    }
    assert!(matches!(
        a.read_cancel_case(&ok("case-both.json")),
        Reading::Unreadable { .. }
    ));
}

#[test]
fn quotes_and_labels_are_read() {
    let a = adapter();
    let Reading::Answer(lines) = a.read_quote(&ok("quote.json")) else {
        panic!("no quote");
    };
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.service_code.as_str(), line.total_dong))
        .collect();
    assert_eq!(told, [("ETN031", 24_200), ("CTN009", 18_700)]);
    let file = b"%PDF-1.4 mau".to_vec();
    assert_eq!(
        a.read_labels(&ok("labels.json")),
        Reading::Answer(vec![file.clone(), file])
    );
    assert!(matches!(
        a.read_labels(&ok("labels-bad.json")),
        Reading::Unreadable { .. }
    ));
}

#[test]
fn units_of_both_sets_carry_the_unit_above() {
    let a = adapter();
    let read = |set, level, name: &str| match a.read_units(set, level, &ok(name)) {
        Reading::Answer(units) => units
            .into_iter()
            .map(|unit| (unit.code, unit.name, unit.parent_code.unwrap_or_default()))
            .collect(),
        Reading::Absent | Reading::TokenRefused | Reading::Throttled { .. } | Reading::Unreadable { .. } => {
            vec![]
        }
    };
    let (new, old) = (OperatorUnitSet::New, OperatorUnitSet::Old);
    let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    let provinces = read(new, UnitLevel::Province, "units-new-province.json");
    assert_eq!(
        provinces,
        [
            row("70", "Thành phố Hồ Chí Minh", ""),
            row("22", "Quảng Ninh", "")
        ]
    );
    let communes = read(new, UnitLevel::Commune, "units-new-commune.json");
    assert_eq!(
        communes,
        [
            row("70002", "Phường Mẫu", "70"),
            row("22001", "Phường Hồng Gai", "22")
        ]
    );
    let communes = read(old, UnitLevel::Commune, "units-old-commune.json");
    assert_eq!(communes, [row("70002", "Xã Mẫu", "7001")]);
    let districts = read(old, UnitLevel::District, "units-old-district.json");
    assert_eq!(districts, [row("7001", "Huyện Mẫu", "70")]);
    for name in ["units-broken.json", "journey-absent.json", "login-page.html"] {
        let got = a.read_units(new, UnitLevel::Commune, &ok(name));
        assert!(matches!(got, Reading::Unreadable { .. }), "{name}: {got:?}");
    }
}
