//! Room `simulator`: the operator's door: connections, tokens, and what goes wrong with a call.
//!
//! In: HTTP/1.1 connections. Out: answers, or none. The accept loop is our own because a framework always answers,
//! and half of an operator's faults are answers that never come. Deliberately not here: what a call does (`calls`).

use super::Shared;
use super::calls::{Answer, Call, Operation};
use super::config::PathPrefix;
use super::faults::Fault;
use super::state::State;
use crate::domain::time::{Timestamp, VIETNAM_OFFSET_MS};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Query;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Longest request body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection closed on purpose")]
struct ClosedOnPurpose;

/// What goes wrong with one call.
#[derive(Debug)]
enum Mishap {
    /// Nothing.
    None,
    /// Reset; nothing done.
    Reset,
    /// This answer instead; nothing done.
    Instead(Answer),
    /// Done, but the answer is lost.
    LostAnswer,
    /// Done later, and the answer is lost.
    LateAccept,
}

/// What the connection does after a call.
enum Fate {
    Answer(Answer),
    Close,
    Reset,
}

/// Serves until the operator is told to stop.
pub(super) async fn accept_loop(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let serving = serve_connection(Arc::clone(&shared), stream);
                // A task that is tracked: a stop waits for it.
                shared.tasks.spawn(serving);
            }
            // Out of file descriptors or the like: a short rest, then on.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve_connection(shared: Arc<Shared>, stream: TcpStream) {
    // Answers are small: waiting to fill a packet would only cost time. A failure costs nothing but speed.
    let _slower_without: std::io::Result<()> = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let socket = Socket {
        stream,
        reset: Arc::clone(&reset),
    };
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        let reset = Arc::clone(&reset);
        async move {
            match respond(&shared, request).await {
                Fate::Answer(answer) => Ok(render(answer)),
                Fate::Close => Err(ClosedOnPurpose),
                Fate::Reset => {
                    reset.store(true, Ordering::Relaxed);
                    Err(ClosedOnPurpose)
                }
            }
        }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    // An error of the connection is the caller's going away, or our own closing; both are nothing to tell.
    tokio::select! {
        _closed = connection.as_mut() => {}
        () = shared.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _closed: hyper::Result<()> = connection.await;
        }
    }
}

async fn respond(shared: &Arc<Shared>, request: Request<Incoming>) -> Fate {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), BODY_BYTES_MAX).await else {
        return Fate::Answer(Answer::text(413, "body too large"));
    };
    let Some(operation) = operation(shared.config.path_prefix, parts.method.as_str(), parts.uri.path())
    else {
        return Fate::Answer(Answer::text(404, "not found"));
    };
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri)
        .map(|query| query.0)
        .unwrap_or_default();
    let token = parts
        .headers
        .get("token")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let call = Call::read(operation, query, token, body);
    let now = shared.clock.now();
    let (fate, delay) = shared.state().take_call(&call, now);
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    fate
}

/// Finds the operation behind a path, with or without the prefix.
fn operation(prefix: PathPrefix, method: &str, path: &str) -> Option<Operation> {
    let stripped = path.strip_prefix("/customer-partner/");
    let bare = path.strip_prefix('/');
    let name = match prefix {
        PathPrefix::Both => stripped.or(bare),
        PathPrefix::Bare => bare,
        PathPrefix::CustomerPartner => stripped,
    }?;
    Operation::ALL
        .into_iter()
        .find(|operation| operation.name() == name && operation.method() == method)
}

impl State {
    /// Decides what goes wrong, does what is to be done, and says how the connection goes on.
    fn take_call(&mut self, call: &Call, now: Timestamp) -> (Fate, Option<Duration>) {
        self.count("calls");
        let operation = call.operation.name();
        let reference = call.reference();
        let nth = self.times_asked(operation, &reference);
        let at = (operation, reference.as_str(), nth);
        let delay = self.strikes(Fault::Slow, at, now).then(|| {
            let (low, high) = self.config.pace.slow_real_ms;
            let wait = self.dice("slow", &reference, nth).between(low, high);
            Duration::from_millis(u64::try_from(wait).unwrap_or(0))
        });
        let fate = match self.mishap(call, at, now) {
            Mishap::Reset => Fate::Reset,
            Mishap::Instead(answer) => Fate::Answer(answer),
            Mishap::None => Fate::Answer(self.answer(call, nth, now)),
            Mishap::LostAnswer => {
                let _lost: Answer = self.answer(call, nth, now);
                if self.dice("lost how", &reference, nth).hits(250) {
                    Fate::Answer(Answer::text(504, "<html><h1>504 Gateway Time-out</h1></html>"))
                } else {
                    Fate::Close
                }
            }
            Mishap::LateAccept => {
                self.create_later(call, nth, now);
                Fate::Close
            }
        };
        (fate, delay)
    }

    fn mishap(&mut self, call: &Call, at: (&'static str, &str, u64), now: Timestamp) -> Mishap {
        let (_, reference, nth) = at;
        if self.strikes(Fault::Reset, at, now) {
            return Mishap::Reset;
        }
        if self.strikes(Fault::ServerError, at, now) {
            let mut dice = self.dice("5xx", reference, nth);
            let status = dice.pick(&[500, 502, 503], 500);
            let retry_after = (status == 503 && dice.hits(500)).then(|| dice.between(5, 60).to_string());
            return Mishap::Instead(Answer {
                retry_after,
                ..Answer::text(status, &format!("<html><h1>{status}</h1></html>"))
            });
        }
        if self.strikes(Fault::TooManyRequests, at, now) {
            return Mishap::Instead(self.too_many((5, 120), reference, nth, now));
        }
        if self.strikes(Fault::LongRetryAfter, at, now) {
            return Mishap::Instead(self.too_many((2 * 86_400, 5 * 86_400), reference, nth, now));
        }
        if call.operation != Operation::GetAccessToken {
            if self.strikes(Fault::TokenExpiry, at, now) {
                self.kill_token(&call.token);
                return Mishap::Instead(self.token_expired(reference, nth));
            }
            if !self.token_lives(&call.token, now) {
                return Mishap::Instead(Answer::error(
                    401,
                    "message",
                    "Token không hợp lệ hoặc đã hết hạn",
                ));
            }
        }
        if self.strikes(Fault::ErrorBody, at, now) {
            let keys = ["message", "Message", "errorMessage"];
            let key = self.dice("error key", reference, nth).pick(&keys, "message");
            return Mishap::Instead(Answer::error(200, key, "Hệ thống đang bận, vui lòng thử lại sau"));
        }
        if call.operation == Operation::CreateOrder && self.strikes(Fault::LateAccept, at, now) {
            return Mishap::LateAccept;
        }
        if self.strikes(Fault::LostAnswer, at, now) {
            return Mishap::LostAnswer;
        }
        Mishap::None
    }

    fn too_many(&self, seconds: (i64, i64), reference: &str, nth: u64, now: Timestamp) -> Answer {
        let mut dice = self.dice("429", reference, nth);
        let seconds = dice.between(seconds.0, seconds.1);
        let retry_after = if dice.hits(500) {
            seconds.to_string()
        } else {
            http_date(now.plus_ms(seconds * 1000))
        };
        Answer {
            retry_after: Some(retry_after),
            ..Answer::error(429, "message", "Quá nhiều yêu cầu")
        }
    }

    fn token_expired(&self, reference: &str, nth: u64) -> Answer {
        match self.dice("expiry", reference, nth).pick(&[401, 403, 200], 401) {
            200 => Answer::error(200, "errorMessage", "Token đã hết hạn"),
            status => Answer::error(status, "message", "Token đã hết hạn"),
        }
    }
}

/// A time as HTTP writes it, `Mon, 23 Nov 2026 02:30:00 GMT`.
fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let utc = at.plus_ms(-VIETNAM_OFFSET_MS).local();
    let name = |names: &[&'static str], number: i8| {
        let index = usize::try_from(i32::from(number) - 1).unwrap_or(0);
        names.get(index).copied().unwrap_or_default()
    };
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        name(&DAYS, utc.date().weekday().to_monday_one_offset()),
        utc.day(),
        name(&MONTHS, utc.month()),
        utc.year(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

fn render(answer: Answer) -> Response<Body> {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("content-type", answer.content_type);
    if let Some(retry_after) = answer.retry_after {
        response = response.header("retry-after", retry_after);
    }
    response
        .body(Body::from(answer.body))
        .unwrap_or_else(|_| Response::new(Body::from(Bytes::new())))
}

/// A connection that can end with a reset instead of an orderly close.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Closing with a linger time of zero sends RST. If that cannot be set, the caller sees a plain close.
            let _plain_close_instead: std::io::Result<()> = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_served_with_and_without_the_prefix() {
        let both = |method, path| operation(PathPrefix::Both, method, path);
        assert_eq!(both("POST", "/CreateOrder"), Some(Operation::CreateOrder));
        assert_eq!(
            both("POST", "/customer-partner/CreateOrder"),
            Some(Operation::CreateOrder)
        );
        assert_eq!(
            both("GET", "/orderCorrection/updateCase"),
            Some(Operation::UpdateCase)
        );
        assert_eq!(both("GET", "/CreateOrder"), None);
        assert_eq!(both("POST", "/createorder"), None);
        assert_eq!(
            operation(PathPrefix::CustomerPartner, "POST", "/CreateOrder"),
            None
        );
        assert_eq!(
            operation(PathPrefix::Bare, "POST", "/customer-partner/CreateOrder"),
            None
        );
    }

    #[test]
    fn dates_are_written_as_http_wants_them() {
        let at = Timestamp::parse_rfc3339("2026-11-23T02:30:00Z").unwrap();
        assert_eq!(http_date(at), "Mon, 23 Nov 2026 02:30:00 GMT");
    }
}
