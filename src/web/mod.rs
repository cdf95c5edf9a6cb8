//! Room `web`: HTTP in.
//!
//! In: requests. Out: answers, thin over the stages. Deliberately not here: SQL, operators' wires, the listening door
//! (the composition root's).

pub mod api;
pub mod auth;
pub mod callback;
pub mod client_address;
pub mod health;
pub mod middleware;
pub mod problem;
pub(crate) mod wording;

use crate::stage::context::Context;
use api::{Api, ApiLimits};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post, put};
use std::sync::Arc;

/// The whole JSON API on one screen, and the door for operators. Every route of the API asks for a bearer key.
pub fn router(context: Arc<Context>, limits: &ApiLimits) -> Router {
    let api = Router::new()
        .route("/api/v1/dossiers/{source}/{code}", put(api::dossiers::state))
        .route("/api/v1/dossiers/{source}/{code}", get(api::dossiers::show))
        .route(
            "/api/v1/dossiers/{source}/{code}/postal-choice",
            delete(api::dossiers::withdraw),
        )
        .route("/api/v1/shipments", post(api::shipments::register))
        .route("/api/v1/shipments", get(api::shipment_list::list))
        .route("/api/v1/shipments/{id}", get(api::shipments::show))
        .route("/api/v1/shipments/{id}/cancel", post(api::shipments::cancel))
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .with_state(Api::new(Arc::clone(&context), limits));
    Router::new()
        .merge(api)
        .merge(callback::router(context))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn(problem::sign_with_request_id))
    // The composition root merges `health::router` and lays `middleware::wrap` around the whole.
}
