//! The doors themselves: keys, limits, forms.
//!
//! In: bad requests. Out: red when one is let in, or told in another form than a problem. Deliberately not here: content.

use super::setup::{App, DOSSIER, answer, draft, limits, on_both, request, snapshot};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use hoibao::edge::store::Backend;
use hoibao::stage::keys;
use hoibao::web::middleware::RequestId;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn a_key_opens_until_it_is_revoked() {
    on_both(async |app: &App| {
        let new = keys::create_api_key(&app.context, "one", "second").await.unwrap();
        assert!(new.key.expose().starts_with("hb_") && new.key.expose().len() == 46);
        assert!(!format!("{new:?}").contains(new.key.expose()));
        let list = |key: &str| request("GET", "/api/v1/shipments", key, None);
        assert_eq!(
            answer(&app.router, list(new.key.expose())).await.0,
            StatusCode::OK
        );
        let entries = app.count("journal").await;
        assert!(keys::revoke_api_key(&app.context, new.id).await.unwrap());
        assert!(!keys::revoke_api_key(&app.context, new.id).await.unwrap());
        assert_eq!(app.count("journal").await, entries + 1);
        for key in [new.key.expose().as_str(), "hb_wrong", ""] {
            let (status, headers, told) = answer(&app.router, list(key)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert!(
                headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer")
            );
            assert_eq!(
                (&headers["content-type"], &told["status"]),
                (&"application/problem+json".parse().unwrap(), &json!(401))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_again() {
    let app = App::open(false).await;
    let router = hoibao::web::router(Arc::clone(&app.context), &limits(2));
    let list = || request("GET", "/api/v1/shipments", &app.key, None);
    for _ in 0..2 {
        assert_eq!(answer(&router, list()).await.0, StatusCode::OK);
    }
    let (status, headers, _) = answer(&router, list()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    let other = request("GET", "/api/v1/shipments", &app.other_key, None);
    assert_eq!(answer(&router, other).await.0, StatusCode::OK);
}

const JSON: &str = "application/json";

fn raw(app: &App, kind: &str, body: &[u8]) -> Request<Body> {
    let mut request = app.registration("k", &Value::Null);
    request
        .headers_mut()
        .insert("content-type", kind.parse().unwrap());
    *request.body_mut() = Body::from(body.to_vec());
    request
}

/// Requests in another form than asked for, each with its status and code.
fn misshapen(app: &App) -> Vec<(Request<Body>, u16, &'static str)> {
    let get = |path: &str| request("GET", path, &app.key, None);
    let keyless = request("POST", "/api/v1/shipments", &app.key, Some(&draft()));
    let text = draft().to_string();
    let mut packed = raw(app, JSON, text.as_bytes());
    packed
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    vec![
        (raw(app, JSON, b"{\"items\": [}"), 400, "malformed_json"),
        (raw(app, JSON, b"{\"a\":1,\"a\":2}"), 400, "repeated_field"),
        (raw(app, JSON, &[b'"', 0xff, b'"']), 400, "not_utf8"),
        (raw(app, JSON, &[b' '; 17 * 1024]), 413, "too_large"),
        (
            raw(app, "text/plain", text.as_bytes()),
            415,
            "unsupported_media_type",
        ),
        (packed, 415, "unsupported_media_type"),
        (raw(app, JSON, b"[]"), 422, "invalid"),
        (keyless, 400, "idempotency_key_missing"),
        (
            app.registration(&"k".repeat(256), &draft()),
            400,
            "idempotency_key_missing",
        ),
        (get("/api/v1/nothing"), 404, "not_found"),
        (get("/api/v1/shipments/shp_1"), 404, "not_found"),
        (get("/api/v1/dossiers/one/NONE"), 404, "not_found"),
        (get("/api/v1/dossiers/one/%FF"), 400, "not_utf8"),
        (
            request("PATCH", "/api/v1/shipments", &app.key, None),
            405,
            "method_not_allowed",
        ),
    ]
}

#[tokio::test]
async fn bodies_in_another_form_are_refused_each_in_its_way() {
    on_both(async |app: &App| {
        app.dossier(DOSSIER).await;
        let rows = app.rows().await;
        for (mut asked, status, code) in misshapen(app) {
            let name = format!("{} {code}", asked.uri());
            asked.extensions_mut().insert(RequestId("req-12345".to_owned()));
            let (got, headers, told) = answer(&app.router, asked).await;
            assert_eq!(
                (got.as_u16(), told["code"].as_str()),
                (status, Some(code)),
                "{name} {told}"
            );
            assert_eq!(headers["content-type"], "application/problem+json", "{name}");
            assert_eq!(told["request_id"], "req-12345", "{name}");
            let wrong_method = got == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(wrong_method, headers.contains_key("allow"), "{name}");
        }
        let (_, _, told) = answer(&app.router, raw(app, JSON, b"{\n \"a\" 1}")).await;
        assert_eq!(told["position"], json!({"line": 2, "column": 6}));
        assert_eq!(app.rows().await, rows);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_open_without_a_key() {
    let app = App::open(false).await;
    for (method, path) in [
        (Method::PUT, "/api/v1/dossiers/one/X"),
        (Method::GET, "/api/v1/dossiers/one/X"),
        (Method::DELETE, "/api/v1/dossiers/one/X/postal-choice"),
        (Method::POST, "/api/v1/shipments"),
        (Method::GET, "/api/v1/shipments"),
        (
            Method::GET,
            "/api/v1/shipments/shp_00000000000000000000000000000000",
        ),
        (
            Method::POST,
            "/api/v1/shipments/shp_00000000000000000000000000000000/cancel",
        ),
    ] {
        let body = Body::from(snapshot().to_string());
        let request = Request::builder().method(&method).uri(path).body(body).unwrap();
        assert_eq!(
            answer(&app.router, request).await.0,
            StatusCode::UNAUTHORIZED,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn without_the_database_callers_are_told_to_come_again() {
    on_both(async |app: &App| {
        match app.context.store.backend() {
            Backend::Sqlite { write, read } => {
                write.close().await;
                read.close().await;
            }
            Backend::Postgres { pool } => pool.close().await,
        }
        let (status, headers, told) = answer(&app.router, app.registration("k", &draft())).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            (&headers["retry-after"], &told["code"]),
            (&"2".parse().unwrap(), &json!("unavailable"))
        );
    })
    .await;
}
