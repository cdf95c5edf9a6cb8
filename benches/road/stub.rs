//! Stand-ins for the operator that do as little as an operator can: every order is taken.
//!
//! In: requests of the adapter. Out: the shortest answers it takes for acceptances. Once as a transport that calls nobody,
//! once behind a real socket. Deliberately not here: faults (the simulator).

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use hoibao::edge::carrier::{Transport, TransportFailure, WireRequest, WireResponse};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

static ORDERS: AtomicU64 = AtomicU64::new(1);

/// The answer to a request at this path with this body.
fn answer(path: &str, body: &[u8]) -> Vec<u8> {
    if path.ends_with("/GetAccessToken") {
        return br#"{"success":true,"errorMessage":null,"token":"bench"}"#.to_vec();
    }
    let number = ORDERS.fetch_add(1, Ordering::Relaxed);
    let reference = reference(body).unwrap_or_default();
    format!(
        r#"{{"orderHdrID":"{number}","originalID":"{number}","itemCode":"CA{number:09}VN","saleOrderCode":"{reference}","status":"1"}}"#
    )
    .into_bytes()
}

/// The reference in a create body, without reading the whole of it.
fn reference(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(r#""saleOrderCode":""#)?;
    rest.split_once('"').map(|(reference, _)| reference)
}

/// A transport that calls nobody.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Transport for Nobody {
    fn call<'a>(
        &'a self,
        request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        Box::pin(async move {
            Ok(WireResponse {
                status: 200,
                retry_after: None,
                body: answer(&request.url, &request.body),
            })
        })
    }
}

/// The same behind a door.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/GetAccessToken", post(async || answer("/GetAccessToken", &[])))
        .route(
            "/CreateOrder",
            post(async |body: Bytes| answer("/CreateOrder", &body)),
        )
}
