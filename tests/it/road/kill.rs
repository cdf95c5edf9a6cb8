//! The real program, killed in the middle of its work: `hoibao serve` against `hoibao simulator`, each a process of its own
//! (invariants 1, 2 and 9).
//!
//! In: dossier systems that register over HTTP, repeat what was not answered, and write down what was. Out: red when an
//! answered registration is gone, the operator has an order twice, or something finds no rest after the last start.

use crate::support::app::{
    CUSTOMER, Engine, Line, PASSWORD, SOURCE, USERNAME, client, code_of, dossier_body, furnish, shipment_body,
};
use crate::support::postgres;
use futures_util::future::join_all;
use hoibao::app::ports::SystemClock;
use hoibao::domain::capability::DuplicateReference;
use hoibao::domain::time::Clock as _;
use hoibao::edge::store::Keyring;
use hoibao::simulator::read_ledger;
use reqwest::StatusCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

/// How often the gateway is killed.
const KILLS: u32 = 4;
/// Registrations answered between two kills, at least and at most.
const BETWEEN: std::ops::Range<u32> = 8..25;
/// Systems that register at the same time.
const SYSTEMS: u32 = 4;
/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    killed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    killed(Engine::Postgres).await;
}

/// A process of the test's, killed with it.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts the program and waits for the line that tells where it listens.
    fn start(folder: &Path, arguments: &[&str], environment: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoibao"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOIBAO") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .current_dir(folder)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        // The gateway tells it in its log, the operator on standard output; both pipes must be kept empty.
        let pipes: [Box<dyn std::io::Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for reader in pipes {
            let tell = tell.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(reader).lines().map_while(Result::ok) {
                    if let Some((_, address)) = line.split_once(": http://") {
                        tell.send(address.to_owned()).ok();
                    } else if let Some((_, address)) = line.split_once("serves at http://") {
                        tell.send(address.to_owned()).ok();
                    }
                }
            });
        }
        let address = told
            .recv_timeout(PATIENCE)
            .expect("it does not say where it listens");
        let address = address.split_whitespace().next().unwrap().to_owned();
        Self { child, address }
    }

    /// SIGKILL, and waits for the end.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What the systems share, outside every process that is killed.
struct Outside {
    client: reqwest::Client,
    key: String,
    address: RwLock<String>,
    answered: AtomicU32,
    /// Identifier and reference by number of the dossier, written down when the answer came.
    acknowledged: Mutex<BTreeMap<u32, (String, String)>>,
    /// A system got another answer for the same key: identifier before and after.
    changed: Mutex<Vec<(String, String)>>,
}

impl Outside {
    async fn ask(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Option<(StatusCode, Value)> {
        let url = format!("http://{}{path}", self.address.read().unwrap().clone());
        let mut request = self
            .client
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.key)
            .timeout(Duration::from_secs(10));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let value = answer.json().await.ok()?;
        Some((status, value))
    }

    /// Registers one result; what was not answered is asked again with the same key, as long as it takes.
    async fn register(&self, number: u32) {
        let path = format!("/api/v1/dossiers/{SOURCE}/{}", code_of(number));
        let dossier = dossier_body(SystemClock.now());
        let (body, key) = (shipment_body(number, Line::Good), format!("key-{number}"));
        let mut stated = false;
        loop {
            if !stated {
                let told = self.ask("PUT", &path, None, Some(&dossier)).await;
                stated = told.is_some_and(|(status, _)| status.is_success());
            }
            if stated
                && let Some((status, told)) = self
                    .ask("POST", "/api/v1/shipments", Some(&key), Some(&body))
                    .await
                && status.is_success()
            {
                let text = |name: &str| told[name].as_str().unwrap().to_owned();
                let new = (text("id"), text("reference"));
                let mut acknowledged = self.acknowledged.lock().unwrap();
                if let Some((before, _)) = acknowledged.insert(number, new.clone()).filter(|old| *old != new)
                {
                    self.changed.lock().unwrap().push((before, new.0));
                }
                self.answered.fetch_add(1, Ordering::SeqCst);
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The place of everything that outlives the gateway.
struct Place {
    folder: tempfile::TempDir,
    url: String,
    keyring: Arc<Keyring>,
}

impl Place {
    fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keyring::generate().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, keys.as_bytes()).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("hoibao.db").display()),
            Engine::Postgres => postgres::create_database().unwrap(),
        };
        Self {
            url,
            keyring: Arc::new(Keyring::parse(&keys).unwrap()),
            folder,
        }
    }

    fn operator(&self) -> Process {
        let ledger = self.folder.path().join("ledger.jsonl");
        let arguments = [
            "simulator",
            "--listen",
            "127.0.0.1:0",
            "--ledger",
            ledger.to_str().unwrap(),
            "--faults",
            "none",
            "--fault-rates",
            "lost_answer=60,late_accept=40,server_error=10,error_body=10,reset=10,masked_reply=1000,odd_shape=300",
            "--speed",
            "600",
            "--username",
            USERNAME,
            "--customer",
            CUSTOMER,
            "--duplicates",
            "refuse",
        ];
        let password = [("HOIBAO_SIMULATOR_PASSWORD", PASSWORD.to_owned())];
        Process::start(self.folder.path(), &arguments, &password)
    }

    fn gateway(&self) -> Process {
        let set = [
            ("HOIBAO__DATABASE__URL", self.url.clone()),
            (
                "HOIBAO__KEYS__FILE",
                self.folder.path().join("keys").display().to_string(),
            ),
            ("HOIBAO__HTTP__LISTEN", "127.0.0.1:0".to_owned()),
            ("HOIBAO__API__REQUESTS_PER_MINUTE_PER_KEY", "1000000".to_owned()),
            ("HOIBAO__WORKER__POLL_EVERY_MS", "100".to_owned()),
            // Short calls and leases, so that what a killed gateway held is soon taken up.
            ("HOIBAO__OPERATOR__CONNECT_TIMEOUT_MS", "500".to_owned()),
            ("HOIBAO__OPERATOR__CALL_TIMEOUT_MS", "1000".to_owned()),
            ("HOIBAO__OPERATOR__TOKEN_LEASE_MS", "6000".to_owned()),
            ("HOIBAO__DISPATCH__LEASE_MS", "7000".to_owned()),
            ("HOIBAO__RECONCILE__LEASE_MS", "6000".to_owned()),
            ("HOIBAO__BREAKER__OPEN_MS", "500".to_owned()),
        ];
        Process::start(self.folder.path(), &["serve"], &set)
    }
}

async fn killed(engine: Engine) {
    let place = Place::new(engine);
    let operator = place.operator();
    let base_url = format!("http://{}", operator.address);
    let key = furnish(&place.url, Arc::clone(&place.keyring), &base_url, |account| {
        account.capabilities.duplicate_reference = DuplicateReference::Refused;
        account.capabilities.quiescence_ms = 1_000;
        for name in ["submit_timeout_ms", "read_timeout_ms", "list_timeout_ms"] {
            account.settings.insert(name.to_owned(), "1000".to_owned());
        }
    })
    .await;
    let mut gateway = place.gateway();
    let outside = Outside {
        client: client(),
        key,
        address: RwLock::new(gateway.address.clone()),
        answered: AtomicU32::new(0),
        acknowledged: Mutex::default(),
        changed: Mutex::default(),
    };
    // The operator's unit list is loaded once in a day; whoever dies over it leaves a lease of two minutes, which this test
    // does not wait for.
    outside.register(0).await;
    let first = outside.acknowledged.lock().unwrap().clone();
    rest(&outside, &first).await;
    let mut dice = fastrand::Rng::new();
    let seed = dice.get_seed();
    let done = AtomicU32::new(0);
    let next = AtomicU32::new(1);
    let systems = (0..SYSTEMS).map(|_| async {
        while done.load(Ordering::SeqCst) == 0 {
            outside.register(next.fetch_add(1, Ordering::SeqCst)).await;
        }
    });
    let killer = async {
        for _ in 0..KILLS {
            let enough = outside.answered.load(Ordering::SeqCst) + dice.u32(BETWEEN);
            while outside.answered.load(Ordering::SeqCst) < enough {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            gateway.kill();
            gateway = place.gateway();
            *outside.address.write().unwrap() = gateway.address.clone();
        }
        done.store(1, Ordering::SeqCst);
    };
    let load = async { futures_util::future::join(join_all(systems), killer).await };
    tokio::time::timeout(PATIENCE, load)
        .await
        .unwrap_or_else(|_| panic!("seed {seed}: the load found no end"));
    assert!(
        outside.changed.lock().unwrap().is_empty(),
        "one key got two answers"
    );
    let acknowledged = outside.acknowledged.lock().unwrap().clone();
    rest(&outside, &acknowledged).await;
    drop(operator);
    judge(&place.folder.path().join("ledger.jsonl"), &acknowledged);
}

/// Every acknowledged shipment is there under its reference, and comes to be known at the operator.
async fn rest(outside: &Outside, acknowledged: &BTreeMap<u32, (String, String)>) {
    let deadline = tokio::time::Instant::now() + 2 * PATIENCE;
    for (id, reference) in acknowledged.values() {
        let path = format!("/api/v1/shipments/{id}");
        loop {
            let (status, told) = outside
                .ask("GET", &path, None, None)
                .await
                .expect("the gateway lives");
            assert_eq!(
                status,
                StatusCode::OK,
                "{id} was acknowledged and is lost: {told}"
            );
            assert_eq!(told["reference"].as_str(), Some(reference.as_str()));
            let state = told["delivery"]["state"].as_str().unwrap().to_owned();
            if !["queued", "submitting", "in_doubt"].contains(&state.as_str()) {
                break;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{id} finds no rest: {told}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The operator's own books: each acknowledged shipment has an order, none has two.
fn judge(ledger: &Path, acknowledged: &BTreeMap<u32, (String, String)>) {
    let books = read_ledger(ledger).unwrap();
    let mut doubles = 0;
    for sale in books.sales.values() {
        assert!(sale.orders.len() <= 1, "sent twice: {sale:?}");
        doubles += sale.refused;
    }
    for (_, reference) in acknowledged.values() {
        let orders = books.sales.get(reference).map_or(0, |sale| sale.orders.len());
        assert_eq!(orders, 1, "{reference} is not at the operator");
    }
    writeln!(
        std::io::stdout(),
        "{} acknowledged over {KILLS} kills, none lost, none twice; {doubles} second orders refused; faults {:?}",
        acknowledged.len(),
        books.faults
    )
    .unwrap();
}
