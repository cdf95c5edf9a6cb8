//! Room `edge::carrier::myvnpost`: the pure functions against the kept bodies of `fixtures/myvnpost`, and against
//! arbitrary ones. No network. Here: what all share, the callback, the tables, instants.

mod answers;
mod requests;
mod survival;

use super::*;
use crate::domain::capability::DoubtPolicy;
use crate::domain::delivery::EventKind;
use crate::domain::time::{Resolution, Timestamp};
use serde_json::Value;
use std::path::PathBuf;

const REFERENCE: &str = "000.00.01.H99-261123-0007";

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/myvnpost")
        .join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn with_status(status: u16, name: &str) -> WireResponse {
    WireResponse {
        status,
        retry_after: Some("30".to_owned()),
        body: bytes(&format!("answers/{name}")),
    }
}

fn ok(name: &str) -> WireResponse {
    with_status(200, name)
}

fn adapter() -> MyVnPost {
    MyVnPost::new().unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

#[test]
fn a_reference_is_the_lead_code_and_later_ones_are_numbered() {
    let a = adapter();
    assert_eq!(a.compose_reference(REFERENCE, 1), REFERENCE);
    assert_eq!(a.compose_reference(REFERENCE, 2), format!("{REFERENCE}__2"));
    assert_eq!(a.compose_reference(REFERENCE, 12), format!("{REFERENCE}__12"));
    let can = a.default_capabilities();
    assert_eq!(can.doubt_policy(), DoubtPolicy::LookUp);
    assert_eq!(can.authenticity(Door::Push), Authenticity::Hint);
    assert_eq!(can.authenticity(Door::PullOne), Authenticity::Proven);
}

#[test]
fn a_callback_names_shipments_and_nothing_else() {
    let a = adapter();
    let CallbackReading::Records { records, unreadable } = a.read_callback(&bytes("callbacks/batch.json"))
    else {
        panic!("no records");
    };
    assert_eq!((records.len(), unreadable), (2, 2));
    assert_eq!(records[0].reference.as_deref(), Some(REFERENCE));
    assert_eq!(records[0].operator_id.as_deref(), Some("900000001"));
    assert_eq!(records[0].status_code.as_deref(), Some("14"));
    assert_eq!(records[1].tracking_number.as_deref(), Some("EB123456794VN"));
    for name in ["callbacks/one-object.json", "callbacks/bare.json"] {
        let expected = CallbackReading::Records {
            records: vec![records[0].clone()],
            unreadable: 0,
        };
        assert_eq!(a.read_callback(&bytes(name)), expected, "{name}");
    }
    for body in [
        bytes("callbacks/no-data.json"),
        b"\xff\x00".to_vec(),
        b"{".to_vec(),
        b"<html>".to_vec(),
    ] {
        assert!(matches!(a.read_callback(&body), CallbackReading::Garbage { .. }));
    }
    let many = format!("[{}]", vec!["{\"itemCode\":\"EB123456785VN\"}"; 1_500].join(","));
    match a.read_callback(many.as_bytes()) {
        CallbackReading::Records { records, unreadable } => {
            assert_eq!((records.len(), unreadable), (1_000, 500));
        }
        CallbackReading::Garbage { detail } => panic!("{detail}"),
    }
    for (verdict, status, success) in [
        (CallbackVerdict::Stored, 200, true),
        (CallbackVerdict::Malformed, 400, false),
        (CallbackVerdict::Refused, 401, false),
        (CallbackVerdict::Unavailable, 503, false),
    ] {
        let answer = a.callback_answer(verdict);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (answer.status, &body["success"], &body["updated"]),
            (status, &Value::Bool(success), &0.into())
        );
        assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

#[test]
fn the_status_map_is_complete_and_knows_what_is_not_known() {
    let a = adapter();
    assert_eq!(a.map_version(), 1);
    let expected = "- booked pickup_assigned booked pickup_assigned pickup_failed picked_up accepted pickup_failed \
        cancelled in_transit at_delivery_office out_for_delivery in_transit delivered delivery_failed return_pending \
        return_approved returning returned returned - cancelled delivered returning ? ? ? - -";
    let words: Vec<&str> = expected.split(' ').filter(|word| !word.is_empty()).collect();
    assert_eq!(words.len(), 30);
    for (code, word) in words.into_iter().enumerate() {
        let got = a.meaning(&code.to_string());
        let facts = match word {
            "?" => None,
            "-" => Some(vec![]),
            word => Some(vec![EventKind::parse(word).unwrap()]),
        };
        let partial = code == 20 || code == 23;
        assert_eq!(got, facts.map(|facts| CodeMeaning { facts, partial }), "{code}");
    }
    for code in ["30", "-1", "", "014", "none"] {
        assert_eq!(a.meaning(code), None, "{code}");
    }
}

#[test]
fn another_status_map_replaces_the_first_and_a_bad_one_names_its_row() {
    use EventKind as K;
    let head = "code,name_vi,facts,partial,note\n";
    let changed = adapter()
        .with_status_map(
            &format!("{head}25,Mới,delivery_failed|return_pending,false,\n"),
            2,
        )
        .unwrap();
    assert_eq!(
        changed.meaning("25").unwrap().facts,
        [K::DeliveryFailed, K::ReturnPending]
    );
    assert_eq!((changed.map_version(), changed.meaning("1")), (2, None));
    for (rows, error) in [
        (
            "1,x,flown,false,\n",
            TableError::Word {
                table: "status",
                row: 1,
            },
        ),
        (
            "1,x,,maybe,\n",
            TableError::Row {
                table: "status",
                row: 1,
            },
        ),
        (
            "1,x,,true,\n1,y,,true,\n",
            TableError::Repeated {
                table: "status",
                row: 2,
            },
        ),
    ] {
        assert_eq!(
            adapter()
                .with_status_map(&format!("{head}{rows}"), 2)
                .unwrap_err(),
            error
        );
    }
}

#[test]
fn instants_are_read_as_vietnam_writes_them() {
    for (text, expected) in [
        (
            "23/11/2026 09:30:15",
            Some(("2026-11-23T02:30:15Z", Resolution::Second)),
        ),
        ("23-11-2026", Some(("2026-11-22T17:00:00Z", Resolution::Day))),
        (
            "1/2/2026 07:05",
            Some(("2026-02-01T00:05:00Z", Resolution::Minute)),
        ),
        (
            "2026-11-23T09:30:15.250",
            Some(("2026-11-23T02:30:15Z", Resolution::Second)),
        ),
        (
            "2026-11-23 09:30:15",
            Some(("2026-11-23T02:30:15Z", Resolution::Second)),
        ),
        (
            "2026-11-23T09:30:15Z",
            Some(("2026-11-23T09:30:15Z", Resolution::Second)),
        ),
        (
            "1795420800000",
            Some(("2026-11-23T08:00:00Z", Resolution::Millisecond)),
        ),
        ("31/02/2026", None),
        ("23/11/2026 24:00", None),
        ("23/11/1026", None),
        ("hôm nay", None),
        ("", None),
    ] {
        let expected = expected.map(|(text, resolution)| (at(text), resolution));
        assert_eq!(wire::parse_instant(text), expected, "{text}");
    }
}
