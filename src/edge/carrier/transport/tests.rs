//! Room `edge::carrier`: the transport over real TCP sockets on loopback. Servers are plain threads that count what
//! they see; nothing sleeps.

use super::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

const STOP: &[u8] = b"STOP";

/// What a test server saw.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

/// Reads one request (head and body by `content-length`); `None` at the end of the connection.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut one = [0_u8; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes == STOP || stream.read(&mut one).ok()? == 0 {
            return (bytes == STOP).then(|| "STOP".to_owned());
        }
        bytes.push(one[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |value| value.trim().parse::<usize>().unwrap());
    let mut body = vec![0_u8; length];
    stream.read_exact(&mut body).ok()?;
    bytes.extend_from_slice(&body);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A server that gives each request the next of `answers` (an empty answer closes the connection, `None` holds it
/// until the client goes away) and ends at the word STOP.
fn serve(answers: Vec<Option<Vec<u8>>>) -> (SocketAddr, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = std::thread::spawn(move || {
        let mut seen = Seen::default();
        let mut answers = answers.into_iter();
        loop {
            let (mut stream, _peer) = listener.accept().unwrap();
            seen.connections += 1;
            while let Some(request) = read_request(&mut stream) {
                if request == "STOP" {
                    seen.connections -= 1;
                    return seen;
                }
                seen.requests.push(request);
                match answers.next() {
                    Some(Some(answer)) if !answer.is_empty() => {
                        // A client that stops reading early makes this fail; that is its right.
                        drop(stream.write_all(&answer));
                    }
                    Some(None) => {
                        let mut rest = Vec::new();
                        drop(stream.read_to_end(&mut rest));
                        break;
                    }
                    Some(Some(_)) | None => break,
                }
            }
        }
    });
    (address, handle)
}

/// Ends the server. Accepting is in order of arrival, so a repeated request would have been counted before.
fn finish(address: SocketAddr, handle: JoinHandle<Seen>) -> Seen {
    TcpStream::connect(address).unwrap().write_all(STOP).unwrap();
    handle.join().unwrap()
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn request(address: SocketAddr, kind: CallKind) -> WireRequest {
    WireRequest {
        method: Method::Post,
        url: format!("http://{address}/CreateOrder"),
        headers: vec![("token".to_owned(), "bi-mat".to_owned())],
        body: b"{\"a\":1}".to_vec(),
        kind,
        timeout_ms: 20_000,
    }
}

fn transport() -> HttpTransport {
    HttpTransport::new(&TransportSettings::default()).unwrap()
}

fn is_ambiguous(result: &Result<WireResponse, TransportFailure>, word: &str) -> bool {
    matches!(result, Err(TransportFailure::Ambiguous { detail }) if detail.contains(word))
}

fn is_never_left(result: &Result<WireResponse, TransportFailure>, word: &str) -> bool {
    matches!(result, Err(TransportFailure::NeverLeft { detail }) if detail.contains(word))
}

/// Also run again in [`works_without_system_authorities_and_ignores_a_proxy_of_the_environment`].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_retry_after_and_body_arrive_as_sent() {
    let (address, handle) = serve(vec![Some(answer("429 Slow", "retry-after: 17\r\n", "{\"m\":1}"))]);
    let got = transport()
        .call(&request(address, CallKind::Submit))
        .await
        .unwrap();
    assert_eq!((got.status, got.retry_after.as_deref()), (429, Some("17")));
    assert_eq!(got.body, b"{\"m\":1}");
    let seen = finish(address, handle);
    assert_eq!(seen.requests.len(), 1);
    let text = &seen.requests[0];
    assert!(text.starts_with("POST /CreateOrder HTTP/1.1\r\n"), "{text}");
    assert!(
        text.contains("token: bi-mat\r\n") && text.ends_with("\r\n\r\n{\"a\":1}"),
        "{text}"
    );
}

#[test]
fn works_without_system_authorities_and_ignores_a_proxy_of_the_environment() {
    let run = |name: &str| {
        let out = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("SSL_CERT_FILE", "/nonexistent/file")
            .env("SSL_CERT_DIR", "/nonexistent/folder")
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("http_proxy", "http://127.0.0.1:1")
            .env("HOIBAO_TEST_NO_AUTHORITIES", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(
            out.status.success() && text.contains("1 passed"),
            "{name}: {text}"
        );
    };
    run("edge::carrier::transport::tests::status_retry_after_and_body_arrive_as_sent");
    run("edge::carrier::transport::tests::trust_is_told");
}

#[test]
fn trust_is_told() {
    if std::env::var_os("HOIBAO_TEST_NO_AUTHORITIES").is_some() {
        assert_eq!(transport().trust(), TrustSource::Nothing);
    }
    let settings = TransportSettings {
        extra_ca_pem: vec![b"no certificate".to_vec()],
        ..TransportSettings::default()
    };
    assert_eq!(
        HttpTransport::new(&settings).unwrap_err(),
        TransportSetupError::ExtraCa { number: 1 }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_never_left_us() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for kind in [CallKind::Submit, CallKind::Read] {
        let got = transport().call(&request(address, kind)).await;
        assert!(is_never_left(&got, "connection refused"), "{got:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unresolvable_name_and_a_bad_header_never_left_us() {
    let mut by_name = request(([127, 0, 0, 1], 1).into(), CallKind::Submit);
    by_name.url = "https://khong-co.invalid/CreateOrder".to_owned();
    let got = transport().call(&by_name).await;
    assert!(is_never_left(&got, "name could not be resolved"), "{got:?}");
    assert!(
        !format!("{got:?}").contains("invalid/"),
        "the address leaked: {got:?}"
    );

    let mut bad_header = request(([127, 0, 0, 1], 1).into(), CallKind::Submit);
    bad_header.headers = vec![("token".to_owned(), "a\nb".to_owned())];
    let got = transport().call(&bad_header).await;
    assert!(is_never_left(&got, "could not be built"), "{got:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_tls_handshake_never_left_us() {
    let (address, handle) = serve(vec![]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let garbage = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _peer) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest));
    });
    let mut over_tls = request(garbage, CallKind::Submit);
    over_tls.url = format!("https://{garbage}/CreateOrder");
    let got = transport().call(&over_tls).await;
    assert!(is_never_left(&got, "tls handshake"), "{got:?}");
    thread.join().unwrap();
    assert_eq!(finish(address, handle).requests.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_without_an_answer_is_ambiguous_and_was_asked_exactly_once() {
    let (address, handle) = serve(vec![Some(Vec::new()); 4]);
    let got = transport().call(&request(address, CallKind::Submit)).await;
    assert!(is_ambiguous(&got, "without an answer"), "{got:?}");
    let seen = finish(address, handle);
    assert_eq!((seen.connections, seen.requests.len()), (1, 1), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_submit_has_its_own_connection_and_reads_share_one() {
    let make = || {
        serve(vec![
            Some(answer("200 OK", "", "{}")),
            Some(answer("200 OK", "", "{}")),
        ])
    };
    for (kind, connections) in [(CallKind::Submit, 2), (CallKind::Read, 1)] {
        let (address, handle) = make();
        let transport = transport();
        for _ in 0..2 {
            assert_eq!(transport.call(&request(address, kind)).await.unwrap().status, 200);
        }
        drop(transport); // closes the shared connection, so that the server reaches the word STOP
        let seen = finish(address, handle);
        assert_eq!(
            (seen.connections, seen.requests.len()),
            (connections, 2),
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_closed_between_two_submits_costs_no_second_request() {
    // The server answers, keeps the connection for a moment and closes it unasked: the classic stale connection.
    let (address, handle) = serve(vec![Some(answer("200 OK", "", "{}")), Some(Vec::new())]);
    let transport = transport();
    assert_eq!(
        transport
            .call(&request(address, CallKind::Submit))
            .await
            .unwrap()
            .status,
        200
    );
    let got = transport.call(&request(address, CallKind::Submit)).await;
    assert!(is_ambiguous(&got, "without an answer"), "{got:?}");
    assert_eq!(finish(address, handle).requests.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_answer_is_ambiguous_by_the_time_limit() {
    let (address, handle) = serve(vec![None]);
    let mut slow = request(address, CallKind::Submit);
    slow.timeout_ms = 150;
    let got = transport().call(&slow).await;
    assert!(is_ambiguous(&got, "time limit"), "{got:?}");
    assert_eq!(finish(address, handle).requests.len(), 1);

    // A head in time and a body that never ends count the same.
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{".to_vec();
    let (address, handle) = serve(vec![Some(head), None]);
    let mut slow = request(address, CallKind::Submit);
    slow.timeout_ms = 150;
    let got = transport().call(&slow).await;
    assert!(is_ambiguous(&got, "time limit"), "{got:?}");
    assert_eq!(finish(address, handle).requests.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_body_and_garbage_for_http_are_ambiguous() {
    for (bytes, word) in [
        (
            &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n"[..],
            "broke off",
        ),
        (&b"\x16\x03\x01 garbage\r\n\r\n"[..], "without an answer"),
    ] {
        let (address, handle) = serve(vec![Some(bytes.to_vec())]);
        let got = transport().call(&request(address, CallKind::Submit)).await;
        assert!(is_ambiguous(&got, word), "{got:?}");
        assert_eq!(finish(address, handle).requests.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_answer_is_ambiguous_announced_or_not() {
    let settings = TransportSettings {
        submit_response_bytes_max: 8,
        ..TransportSettings::default()
    };
    let small = HttpTransport::new(&settings).unwrap();
    let chunked =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n";
    for bytes in [answer("200 OK", "", "123456789"), chunked.to_vec()] {
        let (address, handle) = serve(vec![Some(bytes)]);
        let got = small.call(&request(address, CallKind::Submit)).await;
        assert!(is_ambiguous(&got, "longer than the limit"), "{got:?}");
        assert_eq!(finish(address, handle).requests.len(), 1);
    }
    let (address, handle) = serve(vec![Some(answer("200 OK", "", "12345678"))]);
    let got = small.call(&request(address, CallKind::Submit)).await.unwrap();
    assert_eq!(got.body, b"12345678");
    finish(address, handle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (elsewhere, other) = serve(vec![Some(answer("200 OK", "", "{}"))]);
    let location = format!("location: http://{elsewhere}/login\r\n");
    let (address, handle) = serve(vec![Some(answer("302 Found", &location, ""))]);
    for kind in [CallKind::Submit] {
        let got = transport().call(&request(address, kind)).await.unwrap();
        assert_eq!(got.status, 302);
    }
    assert_eq!(finish(address, handle).requests.len(), 1);
    assert_eq!(finish(elsewhere, other).requests.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_goes_to_this_machine_only_unless_allowed_and_then_by_the_proxy() {
    let (proxy, handle) = serve(vec![Some(answer("200 OK", "", "{}"))]);
    let mut far = request(proxy, CallKind::Submit);
    far.url = "http://buu-chinh.invalid/CreateOrder".to_owned();
    let mut settings = TransportSettings {
        proxy: Some(format!("http://{proxy}")),
        ..TransportSettings::default()
    };
    let got = HttpTransport::new(&settings).unwrap().call(&far).await;
    assert!(is_never_left(&got, "plain http"), "{got:?}");

    settings.plain_http = PlainHttp::Anywhere;
    let open = HttpTransport::new(&settings).unwrap();
    assert_eq!(open.call(&far).await.unwrap().status, 200);

    // Loopback is called without the proxy.
    let (near, near_handle) = serve(vec![Some(answer("200 OK", "", "{}"))]);
    assert_eq!(
        open.call(&request(near, CallKind::Submit)).await.unwrap().status,
        200
    );
    assert_eq!(finish(near, near_handle).requests.len(), 1);
    let seen = finish(proxy, handle);
    assert_eq!(seen.requests.len(), 1);
    assert!(seen.requests[0].starts_with("POST http://buu-chinh.invalid/CreateOrder "));

    let got = open
        .call(&WireRequest {
            url: "ftp://127.0.0.1/".to_owned(),
            ..far
        })
        .await;
    assert!(is_never_left(&got, "neither http"), "{got:?}");
    assert!(!format!("{settings:?}").contains(&proxy.to_string()));
}
