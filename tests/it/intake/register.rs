//! Registration: what it leaves behind, once per key, and what it refuses.
//!
//! In: requests. Out: red when something is lost, doubled or half done. Deliberately not here: cancelling.

use super::setup::{App, Change, DOSSIER, answer, cases, draft, faults, on_both, request, snapshot, with};
use axum::http::StatusCode;
use hoibao::domain::id::ShipmentId;
use hoibao::domain::journal::{Entry, Kind, Subject, SubjectKind, Tag};
use hoibao::domain::short_number::ShortNumber;
use hoibao::edge::store::queue::{self, QueueState};
use hoibao::edge::store::{journal, personal, revision, shipment, shipment_list};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn shipment_id(app: &App, key: &str, body: &Value) -> ShipmentId {
    let (status, told) = app.register(key, body).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    ShipmentId::parse(told["id"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_registration_leaves_everything_the_road_needs() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let (status, headers, told) = answer(&app.router, app.registration("k1", &draft())).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        assert_eq!(headers["location"], told["href"].as_str().unwrap());
        let number = ShortNumber::parse(told["short_number"].as_str().unwrap()).unwrap();
        assert_eq!((number.year(), number.sequence()), (2026, 1));
        assert_eq!(told["reference"], DOSSIER);
        let id = ShipmentId::parse(told["id"].as_str().unwrap()).unwrap();
        check_rows(app, id).await;
        check_journal(app, id).await;
        check_shown(app, &told).await;
    })
    .await;
}

async fn check_rows(app: &App, id: ShipmentId) {
    let mut tx = app.context.store.snapshot().await.unwrap();
    let row = shipment::find(&mut tx, id).await.unwrap().unwrap();
    assert_eq!((row.revision, row.journal_sequence), (1, 2));
    assert_eq!(row.account, app.account.id);
    let queued = queue::find(&mut tx, id).await.unwrap().unwrap();
    assert_eq!((queued.state, queued.due_at), (QueueState::Ready, row.created_at));
    let kept = revision::find(&mut tx, id, 1).await.unwrap().unwrap();
    assert_eq!(
        (kept.province_code.as_str(), kept.commune_code.as_str()),
        ("22", "06688")
    );
    assert_eq!(
        (kept.weight_grams, kept.collect_dong, kept.service_code),
        (50, 0, None)
    );
    let key = personal::key(&app.context.store, &mut tx, row.record)
        .await
        .unwrap();
    let person = revision::addressee(&mut tx, &key, 1).await.unwrap();
    assert_eq!(
        (person.name.as_str(), person.phone.as_str()),
        ("Nguyễn Thị Thử", "0912345678")
    );
    assert_eq!(person.note.as_deref(), Some("gọi trước khi phát"));
    let others = personal::get(&mut tx, &key, "r1.other_phones").await.unwrap();
    assert_eq!(others.as_deref(), Some("02033826123"));
    // Prefixes of three words, and the endings of two numbers from four digits on.
    let words = ["nguyen", "thi", "thu"]
        .iter()
        .flat_map(|word| (1..=word.len()).map(|end| word.get(..end).unwrap()));
    let words: BTreeSet<&str> = words.collect();
    let endings: BTreeSet<&str> = ["0912345678", "02033826123"]
        .iter()
        .flat_map(|digits| (0..=digits.len() - 4).map(|from| digits.get(from..).unwrap()))
        .collect();
    let expect = i64::try_from(words.len() + endings.len()).unwrap();
    assert_eq!(app.count("search_token").await, expect);
}

async fn check_journal(app: &App, id: ShipmentId) {
    let mut tx = app.context.store.snapshot().await.unwrap();
    let subject = Subject {
        kind: SubjectKind::Shipment,
        id: *id.as_bytes(),
    };
    let entries: Vec<Entry> = journal::of_subject(&mut tx, subject, 10)
        .await
        .unwrap()
        .iter()
        .map(|bytes| Entry::from_bytes(bytes).unwrap())
        .collect();
    let kinds: Vec<Kind> = entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::ShipmentRegistered, Kind::DeliveryFact]);
    let fields = &entries[0].fields;
    let office = Some([1; 16]);
    assert_eq!(fields.get_id(Tag::SendingOffice), office);
    assert_eq!(fields.get_id(Tag::ReturnToOffice), office);
    assert_eq!(fields.get_id(Tag::DecidingOffice), office);
    assert_eq!(fields.get_id(Tag::Account), Some(*app.account.id.as_bytes()));
    let items = shipment_list::named_items(&mut tx, id).await.unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(
        fields.get_bytes(Tag::Items).unwrap()[16..],
        items[0].dossier.to_vec()
    );
}

async fn check_shown(app: &App, told: &Value) {
    let (status, dossier) = app
        .ask("GET", &format!("/api/v1/dossiers/one/{DOSSIER}"), None)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(dossier["delivery"]["state"], "queued");
    assert_eq!(dossier["delivery"]["shipment"], told["id"]);
    let (status, shown) = app.ask("GET", told["href"].as_str().unwrap(), None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(shown["delivery"]["paper"], "awaited");
    assert_eq!(
        shown["items"],
        json!([{"dossier": DOSSIER, "document_no": 1, "live": true}])
    );
    for secret in ["Thử", "0912345678", "ngõ 12"] {
        assert!(!shown.to_string().contains(secret) && !dossier.to_string().contains(secret));
    }
}

#[tokio::test]
async fn one_key_registers_once_and_answers_the_same() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let (_, first) = app.register("k1", &draft()).await;
        let rows = app.rows().await;
        app.clock.advance_ms(86_400_000);
        let (status, headers, second) = answer(&app.router, app.registration("k1", &draft())).await;
        assert_eq!((status, second), (StatusCode::CREATED, first.clone()));
        assert_eq!(headers["idempotency-replayed"], "true");
        let (status, told) = app
            .register("k1", &with(&draft(), "/weight_grams", &json!(51)))
            .await;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::CONFLICT, &json!("idempotency_key_reused"))
        );
        assert_eq!(app.rows().await, rows);

        let id = ShipmentId::parse(first["id"].as_str().unwrap()).unwrap();
        let mut tx = app.context.store.snapshot().await.unwrap();
        let record = shipment::find(&mut tx, id).await.unwrap().unwrap().record;
        drop(tx);
        app.set(Change::Erase(record)).await;
        let (status, told) = app.register("k1", &draft()).await;
        assert_eq!((status, &told["code"]), (StatusCode::GONE, &json!("erased")));
    })
    .await;
}

#[tokio::test]
async fn sixteen_callers_with_one_key_make_one_shipment() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let draft = draft();
        let calls = (0..16).map(|_| app.register("same", &draft));
        let answers = futures_util::future::join_all(calls).await;
        let ids: BTreeSet<String> = answers.iter().map(|(_, told)| told["id"].to_string()).collect();
        assert!(
            answers.iter().all(|(status, _)| *status == StatusCode::CREATED),
            "{answers:?}"
        );
        assert_eq!((ids.len(), app.count("shipment").await), (1, 1));
        assert_eq!((app.count("queue").await, app.count("idempotency").await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn sixteen_callers_with_keys_of_their_own_make_one_shipment_of_one_document() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let keys: Vec<String> = (0..16).map(|number| format!("key-{number}")).collect();
        let draft = draft();
        let calls = keys.iter().map(|key| app.register(key, &draft));
        let answers = futures_util::future::join_all(calls).await;
        let made = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::CREATED)
            .count();
        let refused: Vec<_> = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::CONFLICT)
            .collect();
        assert_eq!((made, refused.len()), (1, 15), "{answers:?}");
        let expect = [("/items/0".to_owned(), "document_in_shipment".to_owned())];
        assert!(refused.iter().all(|(_, told)| faults(told) == expect));
        assert_eq!(
            (app.count("shipment").await, app.count("idempotency").await),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn references_are_never_used_twice_and_documents_travel_one_by_one() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let second = with(&draft(), "/items/0/document_no", &json!(2));
        shipment_id(app, "k1", &draft()).await;
        let (status, told) = app.register("k2", &second).await;
        assert_eq!(
            (status, &told["reference"]),
            (StatusCode::CREATED, &json!(format!("{DOSSIER}__2")))
        );
        let (_, cancelled) = app
            .ask(
                "POST",
                &format!("{}/cancel", told["href"].as_str().unwrap()),
                Some(&json!({"reason": "wrong_data"})),
            )
            .await;
        assert_eq!(cancelled["result"], "cancelled");
        let (status, told) = app.register("k3", &second).await;
        assert_eq!(
            (status, &told["reference"]),
            (StatusCode::CREATED, &json!(format!("{DOSSIER}__3")))
        );
        let (_, dossier) = app
            .ask("GET", &format!("/api/v1/dossiers/one/{DOSSIER}"), None)
            .await;
        assert_eq!(dossier["status"], 9);
    })
    .await;
}

#[tokio::test]
async fn the_registered_addressee_serves_when_all_dossiers_share_it() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        app.dossier("D2").await;
        let other = with(&snapshot(), "/addressee/name", &json!("Trần Văn Thử"));
        assert_eq!(app.put("D3", &other).await.0, StatusCode::CREATED);
        let from = |codes: &[&str]| {
            let items: Vec<Value> = codes.iter().map(|code| json!({"dossier": code})).collect();
            let body = with(
                &with(&draft(), "/addressee", &Value::Null),
                "/items",
                &json!(items),
            );
            with(&body, "/addressee_from_dossier", &json!(true))
        };
        let (status, told) = app.register("k1", &from(&[DOSSIER, "D3"])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            faults(&told),
            [(
                "/addressee_from_dossier".to_owned(),
                "addressee_differs".to_owned()
            )]
        );
        let body = with(&from(&[DOSSIER, "d2"]), "/sending_office", &json!("PAPER"));
        let id = shipment_id(app, "k1", &body).await;
        let mut tx = app.context.store.snapshot().await.unwrap();
        let row = shipment::find(&mut tx, id).await.unwrap().unwrap();
        let key = personal::key(&app.context.store, &mut tx, row.record)
            .await
            .unwrap();
        let person = revision::addressee(&mut tx, &key, 1).await.unwrap();
        assert_eq!(
            (person.phone.as_str(), person.line.as_str()),
            ("0912345678", "Số 5, ngõ 12, khu 3")
        );
        assert_eq!(
            queue::find(&mut tx, id).await.unwrap().unwrap().state,
            QueueState::Paper
        );
    })
    .await;
}

/// One wrong thing at a time, and its one fault.
const REFUSALS: &str = r#"
/items/0/dossier          | "NEVER"    | /items/0/dossier      | dossier_unknown
/items/0/dossier          | "OPEN"     | /items/0/dossier      | dossier_not_finished
/items/0/dossier          | "DROPPED"  | /items/0/dossier      | dossier_dropped
/items/0/dossier          | "COUNTER"  | /items/0/dossier      | not_by_post
/items/0/dossier          | "TWIN"     | /items/0/dossier      | dossier_duplicate
/items/0/dossier          | "NOPOST"   | /items/0/dossier      | procedure_not_by_post
/items/0/dossier          | "NOPROC"   | /items/0/dossier      | procedure_unknown
/items/0/dossier          | " "        | /items/0/dossier      | dossier_code_invalid
/items/0/dossier          | 7          | /items/0/dossier      | wrong_type
/items/0/document_no      | 0          | /items/0/document_no  | document_invalid
/items                    | []         | /items                | count_out_of_range
/items                    | [{"dossier": "D2"}, {"dossier": "d2"}] | /items/1 | item_repeated
/sending_office           | "NIL"      | /sending_office       | office_unknown
/sending_office           | "OLD"      | /sending_office       | office_not_valid
/sending_office           | "NOACC"    | /sending_office       | office_without_account
/return_office            | "OLD"      | /return_office        | office_not_valid
/deciding_office          | "NIL"      | /deciding_office      | office_unknown
/addressee                | null       | /addressee            | missing
/addressee/name           | "<b>"      | /addressee/name       | name_invalid
/addressee/phone          | "12"       | /addressee/phone      | phone_invalid
/addressee/line           | ""         | /addressee/line       | line_invalid
/addressee/commune/code   | "99999"    | /addressee/commune    | unit_unknown
/addressee/commune/code   | "00004"    | /addressee/commune    | commune_not_of_province
/addressee/commune/set    | "vn-2025-07" | /addressee/commune  | unit_invalid
/addressee/province/code  | "1"        | /addressee/province   | unit_invalid
/weight_grams             | 30001      | /weight_grams         | weight_out_of_range
/weight_grams             | 1.5        | /weight_grams         | wrong_type
/collect_dong             | -1         | /collect_dong         | collect_out_of_range
/service_code             | "a b"      | /service_code         | service_invalid
/postage_payer            | "nobody"   | /postage_payer        | not_a_word
/postage_payer            | null       | /postage_payer        | missing
/addressee_from_dossier   | true       | /addressee            | addressee_not_needed
/surprise                 | 1          | /surprise             | unknown_field
"#;

/// Each refusal has its status, code and place, and nothing changes.
#[tokio::test]
async fn each_refusal_names_its_place_and_changes_nothing() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        app.dossier("D2").await;
        for (code, pointer, value) in [
            ("OPEN", "/status", json!("4")),
            ("DROPPED", "/status", json!("8")),
            ("COUNTER", "/return_by", json!("counter")),
            ("TWIN", "/duplicate", json!(true)),
            ("NOPOST", "/procedure", json!("9.999999")),
            ("NOPROC", "/procedure", json!("7.777777")),
        ] {
            let mut changed = with(&snapshot(), pointer, &value);
            if code == "COUNTER" {
                changed = with(&changed, "/addressee", &Value::Null);
            }
            let (status, told) = app.put(code, &changed).await;
            assert_eq!(status, StatusCode::CREATED, "{told}");
        }
        let rows = app.rows().await;
        for (pointer, value, fault) in cases(REFUSALS) {
            let (status, told) = app.register("k", &with(&draft(), &pointer, &value)).await;
            assert_eq!(
                status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{pointer} {value} {told}"
            );
            assert_eq!(faults(&told), [fault], "{pointer} {value}");
            assert_eq!(app.rows().await, rows, "{pointer} {value}");
        }
        let mut account = app.account.clone();
        account.active = false;
        app.set(Change::Account(Box::new(account))).await;
        let (_, told) = app.register("k", &draft()).await;
        let expect = ("/sending_office".to_owned(), "account_inactive".to_owned());
        assert_eq!(faults(&told), [expect]);
        // The refused key is still free.
        app.set(Change::Account(Box::new(app.account.clone()))).await;
        assert_eq!(app.register("k", &draft()).await.0, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_repeat_nothing_personal() {
    on_both(async |app: &App| {
        let body = with(&draft(), "/addressee/name", &json!("<Bà Riêng Tư>"));
        let body = with(&body, "/addressee/commune/code", &json!("abc"));
        let body = with(&body, "/weight_grams", &json!(0));
        let body = with(&body, "/sending_office", &json!("NIL"));
        let (status, told) = app.register("k", &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let places: Vec<String> = faults(&told).into_iter().map(|(place, _)| place).collect();
        let expect = [
            "/addressee/commune",
            "/addressee/name",
            "/items/0/dossier",
            "/sending_office",
            "/weight_grams",
        ];
        assert_eq!(places, expect);
        assert!(!told.to_string().contains("Riêng"));
        assert_eq!(app.count("journal").await, 2, "only the two keys");
    })
    .await;
}

#[tokio::test]
async fn pages_are_complete_and_filters_hold() {
    on_both(async |app: &App| {
        for number in 0..23 {
            let code = format!("P{number}");
            app.dossier(&code).await;
            if number % 3 == 0 {
                app.clock.advance_ms(1);
            }
            let body = with(&draft(), "/items/0/dossier", &json!(code));
            shipment_id(app, &format!("k{number}"), &body).await;
        }
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, page) = app
                .ask("GET", &format!("/api/v1/shipments?limit=5&cursor={cursor}"), None)
                .await;
            assert_eq!(status, StatusCode::OK, "{page}");
            seen.extend(
                page["shipments"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["id"].to_string()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), unique.len()), (23, 23));

        let count = async |query: &str| {
            let (status, page) = app
                .ask("GET", &format!("/api/v1/shipments?limit=200&{query}"), None)
                .await;
            assert_eq!(status, StatusCode::OK, "{page}");
            page["shipments"].as_array().unwrap().len()
        };
        assert_eq!(count("dossier=P7").await, 1);
        assert_eq!(
            (count("state=queued").await, count("state=delivered").await),
            (23, 0)
        );
        assert_eq!((count("held=true").await, count("held=false").await), (0, 23));
        assert_eq!(count("created_from=2026-11-25T00:00:00Z").await, 0);
        assert_eq!(count("created_to=2026-11-24T01:00:00.001Z").await, 0);
        let (status, told) = app
            .ask("GET", "/api/v1/shipments?limit=201&state=nowhere&x=1", None)
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(faults(&told).len(), 3);

        let (_, _, others) = answer(
            &app.router,
            request("GET", "/api/v1/shipments", &app.other_key, None),
        )
        .await;
        assert_eq!(others["shipments"], json!([]));
        let path = format!("/api/v1/shipments/{}", seen[0].trim_matches('"'));
        let (status, _, _) = answer(&app.router, request("GET", &path, &app.other_key, None)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    })
    .await;
}
