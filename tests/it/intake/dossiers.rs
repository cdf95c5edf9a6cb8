//! Snapshots of dossiers.
//!
//! In: snapshots in any order. Out: red when the record is not their fold, or a wrong one changes anything. Deliberately
//! not here: shipments.

use super::setup::{App, DOSSIER, answer, faults, on_both, request, snapshot, with};
use axum::http::StatusCode;
use hoibao::domain::id::SourceId;
use hoibao::edge::store::{dossier, personal};
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_snapshot_twice_changes_nothing() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let rows = app.rows().await;
        let (_, before) = app
            .ask("GET", &format!("/api/v1/dossiers/one/{DOSSIER}"), None)
            .await;
        app.clock.advance_ms(60_000);
        let (status, told) = app.put(DOSSIER, &snapshot()).await;
        assert_eq!((status, &told["changed"]), (StatusCode::OK, &json!(false)));
        let (_, after) = app
            .ask("GET", &format!("/api/v1/dossiers/one/{DOSSIER}"), None)
            .await;
        assert_eq!((app.rows().await, after), (rows, before));
    })
    .await;
}

#[tokio::test]
async fn an_older_snapshot_that_arrives_late_is_kept_and_sets_nothing_back() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let late = with(&snapshot(), "/status", &json!("4"));
        let late = with(&late, "/status_at", &json!("2026-11-10T09:00:00+07:00"));
        let late = with(&late, "/finished_at", &Value::Null);
        let late = with(&late, "/procedure", &json!("9.999999"));
        let late = with(&late, "/addressee/name", &json!("Tên Cũ"));
        let (status, told) = app.put(DOSSIER, &late).await;
        assert_eq!(
            (status, &told["changed"], &told["status"]),
            (StatusCode::OK, &json!(true), &json!(9))
        );
        assert_eq!(told["procedure"], "1.004227");
        assert_eq!(app.count("dossier_fact").await, 2);
        let mut tx = app.context.store.snapshot().await.unwrap();
        let row = dossier::by_code(&mut tx, SourceId::from_bytes([1; 16]), DOSSIER)
            .await
            .unwrap()
            .unwrap();
        let key = personal::key(&app.context.store, &mut tx, row.record.unwrap())
            .await
            .unwrap();
        let name = personal::get(&mut tx, &key, "name").await.unwrap();
        assert_eq!(name.as_deref(), Some("Nguyễn Thị Thử"));
    })
    .await;
}

#[tokio::test]
async fn a_system_is_read_by_its_own_map() {
    on_both(async |app: &App| {
        let local = with(&snapshot(), "/status", &json!("6"));
        let path = "/api/v1/dossiers/two/AB-1";
        let (status, _, told) = answer(&app.router, request("PUT", path, &app.other_key, Some(&local))).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        assert_eq!((&told["status"], &told["status_raw"]), (&json!(9), &json!("6")));
        assert_eq!(told["warnings"], json!(["code_shape_unknown"]));
        let (status, _, told) = answer(&app.router, request("PUT", path, &app.key, Some(&local))).await;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::FORBIDDEN, &json!("forbidden"))
        );
    })
    .await;
}

#[tokio::test]
async fn impossible_snapshots_are_refused_by_field() {
    on_both(async |app: &App| {
        let rows = app.rows().await;
        let cases = [
            ("/status", json!("77"), "/status", "status_unknown"),
            ("/status", json!(9), "/status", "wrong_type"),
            (
                "/status_at",
                json!("2026-11-20 09:00:00"),
                "/status_at",
                "not_a_time",
            ),
            (
                "/status_at",
                json!("2026-12-20T09:00:00Z"),
                "/status_at",
                "in_the_future",
            ),
            (
                "/finished_at",
                json!("2026-10-01T09:00:00Z"),
                "/finished_at",
                "finished_before_received",
            ),
            (
                "/returned_at",
                json!("2026-11-02T09:00:00Z"),
                "/returned_at",
                "returned_before_finished",
            ),
            (
                "/due_at",
                json!("1999-01-01T00:00:00Z"),
                "/due_at",
                "too_long_ago",
            ),
            (
                "/received_at",
                json!("2026-02-30T00:00:00Z"),
                "/received_at",
                "not_a_time",
            ),
            (
                "/return_by",
                json!("counter"),
                "/addressee",
                "addressee_not_needed",
            ),
            (
                "/receiving_office",
                json!("NIL"),
                "/receiving_office",
                "office_unknown",
            ),
            ("/procedure", json!("a b"), "/procedure", "procedure_invalid"),
            (
                "/addressee/commune/code",
                json!("00004"),
                "/addressee/commune",
                "commune_not_of_province",
            ),
            ("/cccd", json!("001"), "/cccd", "unknown_field"),
        ];
        for (pointer, value, place, code) in cases {
            let (status, told) = app.put(DOSSIER, &with(&snapshot(), pointer, &value)).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{pointer} {told}");
            assert_eq!(faults(&told), [(place.to_owned(), code.to_owned())], "{pointer}");
        }
        assert_eq!(app.rows().await, rows);
    })
    .await;
}
