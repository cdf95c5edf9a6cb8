//! Room `web`: is the process alive, may it be given work, what do its numbers say.
//!
//! In: probes made by the composition root. Out: `/healthz`, `/readyz`, `/metrics`. Deliberately not here: what is
//! probed, and any door of its own: a proxy decides who may ask.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Longest time one probe may take: balancers ask every few seconds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a probe found. Its texts are shown to whoever asks: never an address, a path or a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was probed.
    pub name: &'static str,
    /// Whether work can be done.
    pub ready: bool,
    /// In words, fixed texts only.
    pub detail: String,
}

/// A question asked anew at each request.
pub type Probe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Finding> + Send>> + Send + Sync>;

/// The probes and the numbers.
#[derive(Clone)]
pub struct Health {
    /// Name and question.
    pub probes: Vec<(&'static str, Probe)>,
    /// Writes all numbers in the text form of Prometheus.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.probes.iter().map(|(name, _probe)| name))
            .finish()
    }
}

/// The three routes.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Answers as long as the process can answer: restart it when this fails.
async fn alive() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    findings: Vec<Finding>,
}

/// 200 when all probes are content, else 503: send no requests here, but do not restart it.
async fn ready(State(health): State<Health>) -> Response {
    let asked = health.probes.iter().map(|(name, probe)| async move {
        tokio::time::timeout(PROBE_TIMEOUT, probe())
            .await
            .unwrap_or_else(|_elapsed| Finding {
                name,
                ready: false,
                detail: "no answer within two seconds".to_owned(),
            })
    });
    let findings = futures_util::future::join_all(asked).await;
    let all = findings.iter().all(|finding| finding.ready);
    let status = if all {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(Readiness { ready: all, findings })).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (form, (health.metrics)()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    fn finding(name: &'static str, ready: bool) -> (&'static str, Probe) {
        let probe: Probe = Arc::new(move || {
            Box::pin(async move {
                Finding {
                    name,
                    ready,
                    detail: "as told".to_owned(),
                }
            })
        });
        (name, probe)
    }

    async fn ask(probes: Vec<(&'static str, Probe)>, path: &str) -> (StatusCode, String) {
        let metrics: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(|| "hoibao_build_info 1\n".to_owned());
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router(Health { probes, metrics }).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// One discontented probe takes the process out of the balancer, and the answer says which.
    #[tokio::test]
    async fn readiness_is_the_conjunction_of_the_probes() {
        let (status, body) = ask(vec![finding("database", true), finding("keys", true)], "/readyz").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("\"ready\":true"), "{body}");
        let (status, body) = ask(vec![finding("database", false), finding("keys", true)], "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            body.contains(r#"{"name":"database","ready":false,"detail":"as told"}"#),
            "{body}"
        );
    }

    /// Liveness does not depend on anything outside the process.
    #[tokio::test]
    async fn a_broken_database_does_not_kill_the_process() {
        let (status, body) = ask(vec![finding("database", false)], "/healthz").await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "ok\n"));
        let (status, body) = ask(Vec::new(), "/metrics").await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "hoibao_build_info 1\n"));
    }
}
