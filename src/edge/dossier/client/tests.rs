//! Room `edge::dossier`: the client over real TCP sockets on loopback. The server is a plain thread that counts what it
//! sees; nothing sleeps.

use super::*;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

const STOP: &[u8] = b"STOP";

/// Gives each connection the next of `answers`, closes it, and ends at the word STOP; the requests it saw.
fn serve(answers: Vec<&'static str>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = std::thread::spawn(move || {
        let mut seen = Vec::new();
        let mut answers = answers.into_iter();
        loop {
            let (mut stream, _peer) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            let mut one = [0_u8; 1];
            let tunnel = |bytes: &[u8]| bytes.starts_with(b"CONNECT") && bytes.ends_with(b"\r\n\r\n");
            while !bytes.ends_with(b"{}")
                && bytes != STOP
                && !tunnel(&bytes)
                && stream.read(&mut one).unwrap() > 0
            {
                bytes.push(one[0]);
            }
            if bytes == STOP {
                return seen;
            }
            seen.push(String::from_utf8(bytes).unwrap());
            match answers.next() {
                Some("hold") => drop(stream.read(&mut one)),
                Some(answer) => stream.write_all(answer.as_bytes()).unwrap(),
                None => {}
            }
        }
    });
    (address, handle)
}

fn finish(address: SocketAddr, handle: JoinHandle<Vec<String>>) -> Vec<String> {
    std::net::TcpStream::connect(address)
        .unwrap()
        .write_all(STOP)
        .unwrap();
    handle.join().unwrap()
}

fn event(url: &str, reach: Reach) -> SignedEvent {
    SignedEvent {
        url: url.to_owned(),
        reach,
        id: "out_1".to_owned(),
        timestamp_s: 1_795_000_000,
        signature: "v1,abc".to_owned(),
        body: b"{}".to_vec(),
        timeout_ms: 20_000,
    }
}

fn client() -> EventClient {
    EventClient::new(&ClientSettings::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_read_by_status_and_redirects_are_not_followed() {
    let answers = vec![
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 204 None\r\n\r\n",
        "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Off\r\nretry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Off\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 302 Over there\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 307 Over there\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 500 Broken\r\ncontent-length: 99\r\n\r\nhalf of it",
    ];
    let count = answers.len();
    let (address, handle) = serve(answers);
    let event = event(&format!("http://{address}/events"), Reach::Private);
    let client = client();
    let mut got = Vec::new();
    for _ in 0..=count {
        got.push(client.send(&event).await);
    }
    let wait = |text: Option<&str>| EventAnswer::Throttled {
        retry_after: text.map(str::to_owned),
    };
    assert_eq!(
        got,
        [
            EventAnswer::Taken,
            EventAnswer::Taken,
            EventAnswer::Gone,
            wait(Some("17")),
            wait(None),
            wait(Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            EventAnswer::Refused { status: 503 },
            EventAnswer::Refused { status: 302 },
            EventAnswer::Refused { status: 307 },
            EventAnswer::Refused { status: 500 },
            EventAnswer::Failed(SendFailure::ConnectionBroke),
        ]
    );
    let seen = finish(address, handle);
    assert_eq!(seen.len(), count + 1, "one send is one request");
    let first = seen[0].to_lowercase();
    for part in [
        "post /events http/1.1\r\n",
        "content-type: application/json\r\n",
        "webhook-id: out_1\r\n",
        "webhook-timestamp: 1795000000\r\n",
        "webhook-signature: v1,abc\r\n",
    ] {
        assert!(first.contains(part), "{part} is not in {first}");
    }
    assert!(seen.iter().all(|request| request.starts_with("POST /events ")));
}

/// A receiver that says nothing is left at the limit; one that is not there is told apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_at_the_limit() {
    let (address, handle) = serve(vec!["hold"]);
    let mut event = event(&format!("http://{address}/"), Reach::Private);
    event.timeout_ms = 200;
    let silent = client().send(&event).await;
    assert_eq!(silent, EventAnswer::Failed(SendFailure::Timeout));
    assert_eq!(finish(address, handle).len(), 1);
    let nobody = client().send(&event).await;
    assert_eq!(nobody, EventAnswer::Failed(SendFailure::ConnectionRefused));
}

/// Loopback is never called for a public receiver: neither by figures nor by a name that leads there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_is_not_called_without_leave() {
    let (address, handle) = serve(vec![]);
    let port = address.port();
    let bad = EventAnswer::Failed(SendFailure::AddressNotAllowed);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::ffff:7f00:1]",
    ] {
        let event = event(&format!("https://{host}:{port}/"), Reach::Public);
        assert_eq!(client().send(&event).await, bad, "{host}");
    }
    let plain = event(&format!("http://example.vn:{port}/"), Reach::Public);
    assert_eq!(client().send(&plain).await, bad);
    assert_eq!(finish(address, handle), Vec::<String>::new());
}

/// Answers one look-up after the other from a list, and counts them.
fn scripted(answers: Vec<Vec<IpAddr>>) -> (LookUp, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let (counter, answers) = (Arc::clone(&count), Mutex::new(answers.into_iter()));
    let look_up: LookUp = Arc::new(move |_name| {
        counter.fetch_add(1, Ordering::SeqCst);
        let next = answers.lock().unwrap().next();
        Box::pin(async move { next.ok_or_else(|| io::Error::other("no such name")) })
    });
    (look_up, count)
}

/// A name that leads to a forbidden address is refused, also when it has good ones beside it; and what was judged is what
/// is called: a send looks up once, so a second, different answer has nobody to go to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_judged_by_every_address_they_lead_to() {
    const GOOD: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const CLOUD: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
    let (address, handle) = serve(vec!["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let port = address.port();
    let bad = EventAnswer::Failed(SendFailure::AddressNotAllowed);
    let (look_up, count) = scripted(vec![vec![HERE], vec![GOOD, HERE], vec![CLOUD]]);
    let client = EventClient::with_look_up(&ClientSettings::default(), &look_up).unwrap();
    for _ in 0..3 {
        let event = event(&format!("https://rebind.example.vn:{port}/"), Reach::Public);
        assert_eq!(client.send(&event).await, bad);
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let (look_up, count) = scripted(vec![vec![CLOUD], vec![HERE], vec![CLOUD]]);
    let client = EventClient::with_look_up(&ClientSettings::default(), &look_up).unwrap();
    let private = event(&format!("http://rebind.example.vn:{port}/"), Reach::Private);
    assert_eq!(
        client.send(&private).await,
        bad,
        "not even a private receiver lies there"
    );
    assert_eq!(client.send(&private).await, EventAnswer::Taken);
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(finish(address, handle).len(), 1);
    let (look_up, _) = scripted(vec![]);
    let client = EventClient::with_look_up(&ClientSettings::default(), &look_up).unwrap();
    let lost = event("https://nobody.example.vn/", Reach::Public);
    assert_eq!(
        client.send(&lost).await,
        EventAnswer::Failed(SendFailure::NameNotResolved)
    );
}

/// Public receivers go through the proxy and are not looked up here; private ones never go through it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_is_for_public_receivers_only() {
    let (proxy, proxying) = serve(vec!["HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n"]);
    let (address, handle) = serve(vec!["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let settings = ClientSettings {
        proxy: Some(format!("http://{proxy}")),
        ..ClientSettings::default()
    };
    let (look_up, count) = scripted(vec![]);
    let client = EventClient::with_look_up(&settings, &look_up).unwrap();
    let private = event(&format!("http://{address}/"), Reach::Private);
    assert_eq!(client.send(&private).await, EventAnswer::Taken);
    assert_eq!(finish(address, handle).len(), 1);
    let here = event("https://127.0.0.1/", Reach::Public);
    let bad = EventAnswer::Failed(SendFailure::AddressNotAllowed);
    assert_eq!(client.send(&here).await, bad);
    let there = event("https://dossiers.example.vn/", Reach::Public);
    assert_eq!(
        client.send(&there).await,
        EventAnswer::Failed(SendFailure::NoConnection)
    );
    let asked = finish(proxy, proxying);
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].starts_with("CONNECT dossiers.example.vn:443 "),
        "{asked:?}"
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn settings_at_fault_are_named_and_secrets_are_not_shown() {
    let mut settings = ClientSettings {
        proxy: Some("http://user:pass-word@proxy.example:1".to_owned()),
        extra_ca_pem: vec![b"no certificate".to_vec()],
        ..ClientSettings::default()
    };
    assert!(!format!("{settings:?}").contains("pass-word"));
    let error = EventClient::new(&settings).unwrap_err();
    assert_eq!(error, ClientSetupError::ExtraCa { number: 1 });
    settings.extra_ca_pem.clear();
    settings.proxy = Some("http://[".to_owned());
    assert_eq!(EventClient::new(&settings).unwrap_err(), ClientSetupError::Proxy);
}
