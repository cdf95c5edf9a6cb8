//! A receiver of signed events: a real HTTP server on loopback that checks every signature by its own sum.
//!
//! In: how to answer. Out: what it saw, in order. Deliberately not here: assertions about a single test.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: Vec<u8>,
    pub(super) dossier: String,
    pub(super) sequence: i64,
    /// Requests with the same id before this one.
    pub(super) before: usize,
}

/// What to answer.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Status(u16),
    RetryAfter(u16, &'static str),
    Redirect(String),
    /// Nothing, until the sender goes away.
    Hold,
}

type Behaviour = dyn Fn(&Seen) -> Answer + Send + Sync;

struct Shared {
    behave: Box<Behaviour>,
    seen: Mutex<Vec<Seen>>,
    /// Requests under way by dossier: never more than one may be.
    under_way: Mutex<BTreeMap<String, u32>>,
    side_by_side: Mutex<Vec<String>>,
    arrived: Notify,
    stray: Mutex<Vec<String>>,
}

/// A request under way; ends also when its sender goes away.
struct Turn {
    shared: Arc<Shared>,
    dossier: String,
}

impl Turn {
    fn begin(shared: &Arc<Shared>, dossier: String) -> Self {
        let mut under_way = shared.under_way.lock().unwrap();
        let count = under_way.entry(dossier.clone()).or_default();
        *count += 1;
        if *count > 1 {
            shared.side_by_side.lock().unwrap().push(dossier.clone());
        }
        drop(under_way);
        Self {
            shared: Arc::clone(shared),
            dossier,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(count) = self.shared.under_way.lock().unwrap().get_mut(&self.dossier) {
            *count -= 1;
        }
    }
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap().to_str().unwrap().to_owned()
}

async fn take(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if uri.path() != "/events" {
        shared.stray.lock().unwrap().push(uri.to_string());
        return StatusCode::OK.into_response();
    }
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(header(&headers, "content-type"), "application/json");
    let id = header(&headers, "webhook-id");
    let dossier = event["data"]["dossier"].as_str().unwrap().to_owned();
    let seen = {
        let mut all = shared.seen.lock().unwrap();
        let seen = Seen {
            before: all.iter().filter(|seen| seen.id == id).count(),
            timestamp: header(&headers, "webhook-timestamp").parse().unwrap(),
            signature: header(&headers, "webhook-signature"),
            body: body.to_vec(),
            sequence: event["data"]["sequence"].as_i64().unwrap(),
            dossier: dossier.clone(),
            id,
        };
        all.push(seen.clone());
        seen
    };
    let turn = Turn::begin(&shared, dossier);
    shared.arrived.notify_waiters();
    // Others get their turn, so that two sends that may overlap do.
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let answer = (shared.behave)(&seen);
    drop(turn);
    match answer {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::RetryAfter(status, after) => {
            (StatusCode::from_u16(status).unwrap(), [("retry-after", after)]).into_response()
        }
        Answer::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Answer::Hold => std::future::pending().await,
    }
}

impl Receiver {
    pub(super) async fn start(behave: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            behave: Box::new(behave),
            seen: Mutex::default(),
            under_way: Mutex::default(),
            side_by_side: Mutex::default(),
            arrived: Notify::new(),
            stray: Mutex::default(),
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        TaskTracker::new().spawn(async move {
            stopped
                .run_until_cancelled(axum::serve(listener, router).into_future())
                .await
        });
        Self {
            address,
            shared,
            _stop: stop.drop_guard(),
        }
    }

    /// One that takes everything.
    pub(super) async fn willing() -> Self {
        Self::start(|_seen| Answer::Status(204)).await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// What came so far. No dossier ever had two events under way, and nothing came anywhere else.
    #[track_caller]
    pub(super) fn seen(&self) -> Vec<Seen> {
        assert_eq!(*self.shared.side_by_side.lock().unwrap(), Vec::<String>::new());
        assert_eq!(*self.shared.stray.lock().unwrap(), Vec::<String>::new());
        self.shared.seen.lock().unwrap().clone()
    }

    /// Sequences of a dossier's events as they came.
    #[track_caller]
    pub(super) fn sequences(&self, dossier: &str) -> Vec<i64> {
        let seen = self.seen();
        let of_dossier = seen.iter().filter(|seen| seen.dossier == dossier);
        of_dossier.map(|seen| seen.sequence).collect()
    }

    /// Waits until so many requests have come.
    pub(super) async fn wait_for(&self, count: usize) {
        loop {
            let arrived = self.shared.arrived.notified();
            if self.shared.seen.lock().unwrap().len() >= count {
                return;
            }
            arrived.await;
        }
    }

    /// Every request's signature is the HMAC-SHA256 of id, timestamp and body under the secret's bytes.
    #[track_caller]
    pub(super) fn check_signatures(&self, secret: &str) {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        for seen in self.seen() {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(format!("{}.{}.", seen.id, seen.timestamp).as_bytes());
            mac.update(&seen.body);
            let sum = STANDARD.encode(mac.finalize().into_bytes());
            assert_eq!(seen.signature, format!("v1,{sum}"));
        }
    }
}
