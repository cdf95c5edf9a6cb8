//! What every request passes through, tried in process.

use super::*;
use axum::body::to_bytes;
use axum::extract::{Extension, Path};
use axum::routing::{get, post};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

struct Counting(AtomicU8);

impl Ids for Counting {
    fn next(&self) -> [u8; 16] {
        [self.0.fetch_add(1, Ordering::Relaxed); 16]
    }
}

fn app() -> Router {
    let routes = Router::new()
        .route("/dossiers/{code}", get(async |Path(_code): Path<String>| "found"))
        .route("/echo", post(async |body: axum::body::Bytes| body))
        .route("/id", get(async |Extension(id): Extension<RequestId>| id.0))
        .route(
            "/address",
            get(async |Extension(address): Extension<ClientAddress>| address.0.to_string()),
        )
        .route("/slow", get(async || std::future::pending::<&str>().await))
        .route("/broken", get(broken));
    let limits = HttpLimits {
        body_bytes_max: 100,
        request_timeout: Duration::from_millis(50),
        trusted_proxies: vec![Network::parse("10.0.0.0/8").unwrap()],
        https: true,
    };
    wrap(routes, limits, Arc::new(Counting(AtomicU8::new(1))))
}

async fn broken() -> &'static str {
    panic!("Nguyễn Thị Thử, 0900000001")
}

async fn ask(request: Request) -> (StatusCode, HeaderMap, String) {
    let answer = app().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    (
        parts.status,
        parts.headers,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

fn get_request(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

/// A plain id of the caller is kept to the answer; anything else is replaced.
#[tokio::test]
async fn request_ids_are_taken_over_only_when_plain() {
    let mut request = get_request("/id");
    request
        .headers_mut()
        .insert(REQUEST_ID, "desk-4711-a".parse().unwrap());
    let (_, headers, body) = ask(request).await;
    assert_eq!(body, "desk-4711-a");
    assert_eq!(headers[REQUEST_ID], "desk-4711-a");
    for wrong in ["short", "has blank inside", "quote\"quote", &"x".repeat(65)] {
        let mut request = get_request("/id");
        request.headers_mut().insert(REQUEST_ID, wrong.parse().unwrap());
        let (_, headers, body) = ask(request).await;
        assert_eq!(body, "01".repeat(16));
        assert_eq!(headers[REQUEST_ID], *body);
    }
}

/// Announced and unannounced bodies alike are bounded, and the refusal is a problem document.
#[tokio::test]
async fn bodies_are_bounded() {
    let fits = Request::post("/echo").body(Body::from("x".repeat(100))).unwrap();
    assert_eq!(ask(fits).await.0, StatusCode::OK);
    let announced = Request::post("/echo")
        .header(header::CONTENT_LENGTH, 101)
        .body(Body::from("x".repeat(101)))
        .unwrap();
    let (status, headers, body) = ask(announced).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert!(body.contains("\"code\":\"body_too_large\""), "{body}");
    let chunks = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("0123456789")));
    let unannounced = Request::post("/echo").body(Body::from_stream(chunks)).unwrap();
    assert_eq!(ask(unannounced).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn slow_handlers_are_answered_for() {
    let (status, headers, body) = ask(get_request("/slow")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert!(body.contains("\"code\":\"timed_out\""), "{body}");
}

/// A panic's text, which may name a person, does not reach the caller.
#[tokio::test]
async fn panics_are_answered_without_their_text() {
    let (status, headers, body) = ask(get_request("/broken")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!body.contains("Thử") && !body.contains("0900000001"), "{body}");
    assert!(body.contains("\"code\":\"internal\""), "{body}");
    assert!(headers.contains_key(REQUEST_ID));
}

#[tokio::test]
async fn browsers_are_told_to_be_careful_on_every_answer() {
    for path in ["/id", "/nowhere", "/broken"] {
        let (_, headers, _) = ask(get_request(path)).await;
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert!(
            headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("default-src 'none'")
        );
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), "{path}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_speaks_for_its_caller() {
    let mut request = get_request("/address");
    request
        .extensions_mut()
        .insert(PeerAddress("10.0.0.5".parse().unwrap()));
    request
        .headers_mut()
        .insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
    assert_eq!(ask(request).await.2, "198.51.100.7");
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The log names the template. A code of a case, a query and an unknown path stay out of it.
#[tokio::test]
async fn the_log_names_the_template_and_never_the_path() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_writer(captured.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    ask(get_request("/dossiers/H15.50-261008-0975?phone=0900000001")).await;
    ask(get_request("/secret-path-0900000002")).await;
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/dossiers/{code}"), "{log}");
    assert!(log.contains("(none)"), "{log}");
    for leaked in ["H15", "0900000001", "0900000002", "phone", "secret-path"] {
        assert!(!log.contains(leaked), "{leaked} in {log}");
    }
}
