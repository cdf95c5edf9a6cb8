//! Stopping shipments and taking the postal choice back.
//!
//! In: requests against shipments in each state. Out: red when something is stopped that may not be, or the other way
//! round. Deliberately not here: asking the operator.

use super::setup::{App, Change, DOSSIER, answer, draft, on_both, request, with};
use axum::http::StatusCode;
use hoibao::domain::capability::Cancelling;
use hoibao::domain::custody::CustodyAct;
use hoibao::domain::delivery::{AttemptOutcome, DeliveryFact, FactBody};
use hoibao::domain::id::{AttemptId, ShipmentId};
use hoibao::edge::store::queue::{self, QueueState};
use serde_json::{Value, json};

const ATTEMPT: AttemptId = AttemptId::from_bytes([9; 16]);

async fn registered(app: &App) -> String {
    app.dossier(DOSSIER).await;
    let (status, told) = app.register("k", &draft()).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    told["id"].as_str().unwrap().to_owned()
}

async fn attempt(app: &App, id: &str, outcome: AttemptOutcome) {
    let attempt = ATTEMPT;
    app.delivery(id, |id, at| {
        DeliveryFact::ours(id, at, FactBody::AttemptStarted { attempt })
    })
    .await;
    app.delivery(id, |id, at| {
        DeliveryFact::ours(id, at, FactBody::AttemptEnded { attempt, outcome })
    })
    .await;
}

async fn cancel(app: &App, id: &str) -> (StatusCode, Value) {
    let body = json!({"reason": "citizen_asked"});
    app.ask("POST", &format!("/api/v1/shipments/{id}/cancel"), Some(&body))
        .await
}

async fn withdraw(app: &App) -> (StatusCode, Value) {
    let path = format!("/api/v1/dossiers/one/{DOSSIER}/postal-choice");
    app.ask("DELETE", &path, None).await
}

async fn state(app: &App, id: &str) -> (String, QueueState) {
    let (_, shown) = app.ask("GET", &format!("/api/v1/shipments/{id}"), None).await;
    let mut tx = app.context.store.snapshot().await.unwrap();
    let row = queue::find(&mut tx, ShipmentId::parse(id).unwrap())
        .await
        .unwrap();
    (
        shown["delivery"]["state"].as_str().unwrap().to_owned(),
        row.unwrap().state,
    )
}

#[tokio::test]
async fn before_any_order_it_ends_at_once_and_once() {
    on_both(async |app: &App| {
        let id = registered(app).await;
        attempt(app, &id, AttemptOutcome::NotSent).await;
        assert_eq!(
            cancel(app, &id).await,
            (StatusCode::OK, json!({"id": id, "result": "cancelled"}))
        );
        assert_eq!(state(app, &id).await, ("cancelled".to_owned(), QueueState::Done));
        let rows = app.rows().await;
        assert_eq!(cancel(app, &id).await.1["result"], "already");
        assert_eq!(app.rows().await, rows);
        // The document is free again.
        assert_eq!(app.register("k2", &draft()).await.0, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn a_booked_one_is_asked_for_unless_the_operator_takes_no_cancellations() {
    on_both(async |app: &App| {
        let id = registered(app).await;
        attempt(app, &id, AttemptOutcome::Accepted).await;
        let mut account = app.account.clone();
        account.capabilities.cancelling = Cancelling::None;
        app.set(Change::Account(Box::new(account))).await;
        let (status, told) = cancel(app, &id).await;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::CONFLICT, &json!("cancel_not_offered"))
        );
        app.set(Change::Account(Box::new(app.account.clone()))).await;
        assert_eq!(
            cancel(app, &id).await,
            (StatusCode::ACCEPTED, json!({"id": id, "result": "asked"}))
        );
        assert_eq!(state(app, &id).await.0, "cancel_requested");
        assert_eq!(cancel(app, &id).await.1["result"], "already");
    })
    .await;
}

#[tokio::test]
async fn in_doubt_and_after_the_hand_over_nothing_is_stopped() {
    on_both(async |app: &App| {
        let id = registered(app).await;
        attempt(app, &id, AttemptOutcome::Unknown).await;
        let rows = app.rows().await;
        let (status, told) = cancel(app, &id).await;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::CONFLICT, &json!("in_doubt"))
        );
        assert_eq!(withdraw(app).await.1["code"], "in_doubt");
        assert_eq!(app.rows().await, rows);
        app.delivery(&id, |id, at| {
            DeliveryFact::ours(id, at, FactBody::FoundAtOperator { attempt: ATTEMPT })
        })
        .await;
        app.custody(&id, CustodyAct::HandedOver).await;
        let rows = app.rows().await;
        let (status, told) = cancel(app, &id).await;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::CONFLICT, &json!("handed_over"))
        );
        assert_eq!(app.rows().await, rows);

        app.clock.advance_ms(1_000);
        let (status, told) = withdraw(app).await;
        assert_eq!(
            (status, &told["code"]),
            (StatusCode::CONFLICT, &json!("withdrawn_too_late"))
        );
        let (_, dossier) = app
            .ask("GET", &format!("/api/v1/dossiers/one/{DOSSIER}"), None)
            .await;
        assert_eq!(dossier["discrepancy"], "withdrawn_too_late");
        assert_eq!(
            (&dossier["post_withdrawn"], &dossier["return_by"]),
            (&json!(true), &json!("counter"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_stops_what_was_not_sent_and_closes_the_post() {
    on_both(async |app: &App| {
        let id = registered(app).await;
        app.clock.advance_ms(1_000);
        assert_eq!(
            withdraw(app).await,
            (StatusCode::OK, json!({"result": "withdrawn"}))
        );
        assert_eq!(state(app, &id).await, ("cancelled".to_owned(), QueueState::Done));
        let rows = app.rows().await;
        assert_eq!(withdraw(app).await.1["result"], "already");
        assert_eq!(app.rows().await, rows);
        let (status, told) = app.register("k2", &draft()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(told["errors"][0]["code"], "post_withdrawn");
    })
    .await;
}

#[tokio::test]
async fn a_shared_envelope_is_not_stopped_by_one_of_its_dossiers() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        app.dossier("D2").await;
        let body = with(
            &draft(),
            "/items",
            &json!([{"dossier": DOSSIER}, {"dossier": "D2"}]),
        );
        let (_, told) = app.register("k", &body).await;
        let rows = app.rows().await;
        let (status, refused) = withdraw(app).await;
        assert_eq!(
            (status, &refused["code"]),
            (StatusCode::CONFLICT, &json!("shared_envelope"))
        );
        assert_eq!(app.rows().await, rows);
        let id = told["id"].as_str().unwrap();
        let body = json!({"reason": "why not"});
        let path = format!("/api/v1/shipments/{id}/cancel");
        assert_eq!(
            app.ask("POST", &path, Some(&body)).await.0,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let body = json!({"reason": "office_asked"});
        let (status, _, _) = answer(&app.router, request("POST", &path, &app.other_key, Some(&body))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(app.ask("POST", &path, Some(&body)).await.0, StatusCode::OK);
        assert_eq!(withdraw(app).await.0, StatusCode::OK);
    })
    .await;
}
