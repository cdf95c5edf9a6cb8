//! Room `web`: what operators send.
//!
//! In: raw bytes at an address whose last part is secret; the log knows the route's template only. Out: the answer of the
//! stage, in the operator's own form. Deliberately not here: everything else.

use super::client_address::ClientAddress;
use crate::stage::callback::{Door, Knock};
use crate::stage::context::Context;
use axum::Extension;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use std::sync::Arc;

/// Longest callback, bytes: a batch of a few thousand records.
const BODY_BYTES_MAX: usize = 1 << 20;

/// The one route.
pub fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/callback/{account}/{secret}", post(receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Door::new(context)))
}

async fn receive(
    State(door): State<Arc<Door>>,
    Path((account, secret)): Path<(String, String)>,
    from: Option<Extension<ClientAddress>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let knock = Knock {
        account: &account,
        secret: &secret,
        from: from.map(|Extension(ClientAddress(address))| address),
        body: &body,
    };
    let answer = door.receive(knock).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, json, answer.body).into_response()
}
