//! Room `web`: what every request passes through.
//!
//! In: a router and limits. Out: the same router with request ids, an access log and numbers by route *template*, a
//! limit on time and body, panics turned into a plain 500, and headers that keep browsers careful. The path, the query
//! and the body are never logged: they may name a person's case. Deliberately not here: who may do what.

use crate::domain::id::Ids;
use crate::web::client_address::{ClientAddress, Network, PeerAddress, client_address};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use std::any::Any;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tracing::Instrument as _;

/// Counter of answered requests; labels `method`, `route`, `status`.
pub const METRIC_REQUESTS: &str = "hoibao_http_requests_total";
/// Histogram of seconds from head to head; labels `method`, `route`.
pub const METRIC_SECONDS: &str = "hoibao_http_request_seconds";
/// Counter of handlers that panicked.
pub const METRIC_PANICS: &str = "hoibao_http_panics_total";

/// Header of the request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken over from a caller, characters.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// What the log and the numbers call a request that met no route: never its path.
const NO_ROUTE: &str = "(none)";

/// Limits of every request.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Longest body, bytes.
    pub body_bytes_max: usize,
    /// From the request's head to the answer's head.
    pub request_timeout: Duration,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether the gateway is reached by https, so that browsers may be told to insist on it.
    pub https: bool,
}

/// The request's id, for handlers and problem answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

#[derive(Clone)]
struct Shared {
    limits: Arc<HttpLimits>,
    ids: Arc<dyn Ids>,
}

/// Lays everything around the router; call it once, around the whole.
pub fn wrap(router: Router, limits: HttpLimits, ids: Arc<dyn Ids>) -> Router {
    let body_bytes_max = limits.body_bytes_max;
    let shared = Shared {
        limits: Arc::new(limits),
        ids,
    };
    // The last layer is the outermost.
    router
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(body_bytes_max))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(shared.clone(), limited))
        .layer(from_fn_with_state(shared, observed))
}

/// Refuses a body announced as too long, and bounds the time.
async fn limited(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let limits = &shared.limits;
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes_max) {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, &TOO_LARGE);
    }
    tokio::time::timeout(limits.request_timeout, next.run(request))
        .await
        .unwrap_or_else(|_elapsed| problem(StatusCode::SERVICE_UNAVAILABLE, &TOO_SLOW))
}

/// Gives the request its id and address, runs it, and writes the one line and the numbers.
async fn observed(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let began = tokio::time::Instant::now();
    let id = request_id(request.headers(), &*shared.ids);
    let peer = request.extensions().get::<PeerAddress>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let client = client_address(peer, request.headers(), &shared.limits.trusted_proxies);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = method_label(request.method());
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(ClientAddress(client));

    let span = tracing::info_span!("request", request.id = %id);
    let mut answer = next.run(request).instrument(span.clone()).await;

    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let status = answer.status();
    let seconds = began.elapsed().as_secs_f64();
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::info!(
            http.method = method,
            http.route = route,
            http.status = status.as_u16(),
            duration_ms,
            "answered {method} {route} with {}",
            status.as_u16()
        );
    });
    let labels = [("method", method.to_owned()), ("route", route.to_owned())];
    metrics::histogram!(METRIC_SECONDS, &labels).record(seconds);
    let [method, route] = labels;
    metrics::counter!(
        METRIC_REQUESTS,
        &[method, route, ("status", status.as_str().to_owned())]
    )
    .increment(1);

    careful_headers(answer.headers_mut(), shared.limits.https);
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

/// A caller's own id when it is short and plain, else a new one: the log must not be written by strangers.
fn request_id(headers: &HeaderMap, ids: &dyn Ids) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |text: &&str| {
        (8..=REQUEST_ID_CHARS_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    match given.filter(plain) {
        Some(text) => text.to_owned(),
        None => format!("{:032x}", u128::from_be_bytes(ids.next())),
    }
}

/// Methods are free text on the wire; numbers have a label for each that is known and one for the rest.
fn method_label(method: &Method) -> &'static str {
    [
        ("GET", Method::GET),
        ("HEAD", Method::HEAD),
        ("POST", Method::POST),
        ("PUT", Method::PUT),
        ("PATCH", Method::PATCH),
        ("DELETE", Method::DELETE),
        ("OPTIONS", Method::OPTIONS),
    ]
    .into_iter()
    .find(|(_name, known)| known == method)
    .map_or("other", |(name, _known)| name)
}

const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// ASVS 3.4: a handler that sets one of these itself keeps its own.
fn careful_headers(headers: &mut HeaderMap, https: bool) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(value);
    }
    if https {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
}

fn panicked(_payload: Box<dyn Any + Send>) -> Response {
    // The panic's own text may hold a person's data; the standard hook has told its place.
    tracing::error!("a request handler panicked; the request was answered with 500");
    metrics::counter!(METRIC_PANICS).increment(1);
    problem(StatusCode::INTERNAL_SERVER_ERROR, &BROKEN)
}

struct Words {
    code: &'static str,
    vietnamese: &'static str,
    english: &'static str,
}

const TOO_LARGE: Words = Words {
    code: "body_too_large",
    vietnamese: "Nội dung gửi lên vượt quá dung lượng cho phép.",
    english: "The body is longer than this gateway takes.",
};
const TOO_SLOW: Words = Words {
    code: "timed_out",
    vietnamese: "Hệ thống chưa xử lý kịp. Vui lòng thử lại sau ít phút.",
    english: "The request could not be finished in time. Try again in a few minutes.",
};
const BROKEN: Words = Words {
    code: "internal",
    vietnamese: "Hệ thống gặp lỗi. Vui lòng thử lại; nếu vẫn lỗi, gửi mã yêu cầu trong tiêu đề x-request-id cho quản trị viên.",
    english: "Something broke on our side. Try again; if it persists, give the administrator the x-request-id.",
};

/// Problem details (RFC 9457) without any detail of ours.
fn problem(status: StatusCode, words: &Words) -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("error"),
        "status": status.as_u16(),
        "code": words.code,
        "detail": words.vietnamese,
        "detail_en": words.english,
    });
    let form = HeaderValue::from_static("application/problem+json");
    let mut answer = (status, Json(body)).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, form);
    answer.map(Body::new)
}

#[cfg(test)]
mod tests;
