//! Room `app`: the listening door.
//!
//! In: a bound socket and a router. Out: connections served over HTTP/1.1 until the stop: bounded in number, each head
//! read within a limit (axum's own door has neither). After the stop no connection is accepted and each open one ends
//! with its running answer. Deliberately not here: TLS (a proxy's), and what is answered.

use crate::web::client_address::PeerAddress;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Pause when the system gives no further connection, for example for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Limits of the door.
#[derive(Clone, Copy, Debug)]
pub struct DoorLimits {
    /// Open connections at one time; further ones wait in the system's queue.
    pub connections_max: usize,
    /// For reading a request's head.
    pub head_timeout: Duration,
}

/// Serves until `stop`, then lets running answers end.
///
/// # Errors
/// None in service; the form is that of a task of the lifecycle.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: DoorLimits,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    while let Some(place) = stop
        .run_until_cancelled(Arc::clone(&places).acquire_owned())
        .await
    {
        let place = place?;
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else {
            break;
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let serving = one(stream, peer, router.clone(), limits.head_timeout, stop.clone());
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Serves one connection.
async fn one(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head_timeout: Duration,
    stop: CancellationToken,
) {
    drop(stream.set_nodelay(true));
    let service = router.map_request(move |mut request: axum::http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer.ip()));
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        // Callers hang up all the time; the kind is enough for a person who looks for it.
        tracing::debug!(error = %error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    async fn door(router: Router, limits: DoorLimits) -> (SocketAddr, CancellationToken, TaskTracker) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        tracker.spawn(serve(listener, router, limits, stop.clone()));
        tracker.close();
        (address, stop, tracker)
    }

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    async fn answer(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    /// A connection that drips its head is closed; the peer's address reaches the handler.
    #[tokio::test]
    async fn heads_have_a_limit_and_peers_an_address() {
        let router = Router::new().route(
            "/",
            get(async |axum::Extension(peer): axum::Extension<PeerAddress>| peer.0.to_string()),
        );
        let limits = DoorLimits {
            connections_max: 8,
            head_timeout: Duration::from_millis(50),
        };
        let (address, stop, tracker) = door(router.clone(), limits).await;
        let mut dripping = TcpStream::connect(address).await.unwrap();
        dripping.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(30), answer(dripping)).await;
        let closed = closed.expect("the dripping connection was never closed");
        assert!(!closed.starts_with("HTTP/1.1 200"), "{closed}");
        stop.cancel();
        tracker.wait().await;

        let patient = DoorLimits {
            head_timeout: Duration::from_mins(1),
            ..limits
        };
        let (address, stop, tracker) = door(router, patient).await;
        let mut honest = TcpStream::connect(address).await.unwrap();
        honest.write_all(REQUEST).await.unwrap();
        assert!(answer(honest).await.ends_with("\r\n\r\n127.0.0.1"));
        stop.cancel();
        tracker.wait().await;
    }

    /// With one place taken, the next connection waits; a stop lets the running answer end.
    #[tokio::test]
    async fn places_are_bounded_and_a_stop_lets_answers_end() {
        let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, gate) = (Arc::clone(&begun), Arc::clone(&release));
        let router = Router::new().route(
            "/",
            get(move || {
                let (tell, gate) = (Arc::clone(&tell), Arc::clone(&gate));
                async move {
                    tell.notify_one();
                    gate.notified().await;
                    "done"
                }
            }),
        );
        let limits = DoorLimits {
            connections_max: 1,
            head_timeout: Duration::from_mins(1),
        };
        let (address, stop, tracker) = door(router, limits).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        begun.notified().await;
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        let served = tokio::time::timeout(Duration::from_millis(100), begun.notified()).await;
        assert!(
            served.is_err(),
            "the second was served although the only place was taken"
        );
        stop.cancel();
        release.notify_one();
        assert!(answer(first).await.ends_with("done"));
        tracker.wait().await;
    }
}
