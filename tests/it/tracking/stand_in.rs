//! A very small operator that tells whatever history the test wants.
//!
//! In: the answer it is to give. Out: real HTTP on loopback. Deliberately not here: orders (the simulator has them).

use super::{Row, history};
use crate::support::app::TestApp;
use axum::Router;
use axum::routing::any;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The operator; it stops when this is dropped.
pub(super) struct StandIn {
    answer: Arc<Mutex<Vec<u8>>>,
    _stopping: DropGuard,
}

const PROVINCES: &str = include_str!("../../../fixtures/myvnpost/answers/units-new-province.json");
const COMMUNES: &str = include_str!("../../../fixtures/myvnpost/answers/units-new-commune.json");

impl StandIn {
    /// From here on the account's operator is this one.
    pub(super) async fn in_place_of_the_operator(app: &TestApp) -> Self {
        let answer: Arc<Mutex<Vec<u8>>> = Arc::default();
        let told = Arc::clone(&answer);
        let tell = async move || told.lock().unwrap().clone();
        let router = Router::new()
            .route(
                "/GetAccessToken",
                any(async || r#"{"success": true, "token": "vi-du"}"#),
            )
            .route("/getNewProvinceAll", any(async || PROVINCES))
            .route("/getNewCommuneAll", any(async || COMMUNES))
            .fallback(any(tell));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        TaskTracker::new().spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
        });
        app.change_account(|account| account.base_url = url).await;
        Self {
            answer,
            _stopping: stop.drop_guard(),
        }
    }

    /// What it tells from now on.
    pub(super) fn tells(&self, rows: &[Row]) {
        self.tells_bytes(history(rows));
    }

    /// The same, byte for byte.
    pub(super) fn tells_bytes(&self, bytes: Vec<u8>) {
        *self.answer.lock().unwrap() = bytes;
    }
}
