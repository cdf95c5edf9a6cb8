//! Tests of room `simulator` over real HTTP: a client, a receiver of callbacks, and a clock moved by hand.
//!
//! In: the public door of the room. Out: assertions. Deliberately not here: any code of the gateway.

mod life;
mod mishaps;
mod wire;

use super::*;
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicU16, Ordering};
use tempfile::TempDir;

/// A clock moved by hand. It starts on Monday 23 November 2026, 9:00 in Vietnam.
struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

fn start_time() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T09:00:00+07:00").unwrap()
}

/// An operator with a client that has logged in.
struct World {
    simulator: Simulator,
    clock: Arc<ManualClock>,
    client: reqwest::Client,
    token: String,
    units: (String, String),
    ledger: std::path::PathBuf,
    _folder: TempDir,
}

fn client() -> reqwest::Client {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

fn config(folder: &TempDir, faults: Faults) -> SimulatorConfig {
    SimulatorConfig {
        seed: 7,
        listen: "127.0.0.1:0".parse().unwrap(),
        ledger_path: folder.path().join("ledger.jsonl"),
        webhook: None,
        username: "demo".into(),
        password: "secret".into(),
        customer_code: "C000000000".into(),
        faults,
        pace: Pace::default(),
        path_prefix: PathPrefix::Both,
        duplicates: DuplicatePolicy::SecondOrder,
    }
}

impl World {
    async fn new(faults: Faults) -> Self {
        Self::with(faults, |_| ()).await
    }

    async fn with(faults: Faults, change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = config(&folder, faults);
        change(&mut config);
        let clock = Arc::new(ManualClock(AtomicI64::new(start_time().as_ms())));
        let ledger = config.ledger_path.clone();
        let simulator = Simulator::start(config, Arc::<ManualClock>::clone(&clock))
            .await
            .unwrap();
        // The token is put in from inside: faults on the log-in have their own test.
        let token = simulator.shared.state().issue_token(clock.now());
        let rows: Value = serde_json::from_slice(&units::units().list("getNewCommuneAll").unwrap()).unwrap();
        let text = |key: &str| rows[0][key].as_str().unwrap().to_owned();
        Self {
            units: (text("districtCode"), text("communeCode")),
            client: client(),
            simulator,
            clock,
            token,
            ledger,
            _folder: folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.simulator.address())
    }

    async fn post(&self, path: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let request = self
            .client
            .post(self.url(path))
            .header("token", &self.token)
            .body(body.to_string());
        read(request).await
    }

    async fn get(&self, path: &str) -> reqwest::Result<(u16, Value)> {
        read(self.client.get(self.url(path)).header("token", &self.token)).await
    }

    /// The documented body of carriers.md 3.3, with units of this operator.
    fn order(&self, sale_order_code: &str) -> Value {
        let (province, commune) = &self.units;
        json!({
            "orderCreationStatus": 1, "type": "GUI", "customerCode": "C000000000", "contractCode": null,
            "informationOrder": {
                "senderName": "TT Phục vụ HCC phường Mẫu", "senderPhone": "02800000000", "senderEmail": null,
                "senderAddress": "Số 1 đường Mẫu", "senderProvinceCode": province,
                "senderDistrictCode": "VNPOST", "senderCommuneCode": commune,
                "receiverName": "Nguyễn Văn Mẫu", "receiverPhone": "0900000000", "receiverEmail": null,
                "receiverAddress": "Số 2 đường Mẫu", "receiverProvinceCode": province,
                "receiverDistrictCode": "VNPOST", "receiverCommuneCode": commune,
                "serviceCode": "ETN031", "addonService": [{"code": "GTG001", "propValue": "PROP0009:null;PROP0045:null"}],
                "additionRequest": [], "orgCodeCollect": null, "orgCodeAccept": null,
                "saleOrderCode": sale_order_code, "contentNote": "Kết quả TTHC",
                "weight": "100", "width": null, "length": null, "height": null, "vehicle": "BO",
                "sendType": "1", "isBroken": "0", "deliveryTime": null, "deliveryRequire": "1",
                "deliveryInstruction": "Phát tận tay"
            }
        })
    }

    async fn create(&self, sale_order_code: &str) -> reqwest::Result<(u16, Value)> {
        self.post("/CreateOrder", &self.order(sale_order_code)).await
    }

    async fn found(&self, sale_order_code: &str) -> Vec<Value> {
        let (status, body) = self
            .get(&format!("/getOrder?type=2&code={sale_order_code}"))
            .await
            .unwrap();
        assert_eq!(status, 200);
        body[0]["results"].as_array().unwrap().clone()
    }

    fn advance_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Jumps from event to event until the agenda is empty.
    async fn live_out(&self) {
        while let Some(next) = self.simulator.next_event_at() {
            self.clock.0.fetch_max(next.as_ms(), Ordering::SeqCst);
            assert!(self.simulator.run_due().await > 0);
        }
    }

    fn summary(&self) -> LedgerSummary {
        read_ledger(&self.ledger).unwrap()
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(u16, Value)> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

/// Takes callbacks and remembers them.
struct Receiver {
    url: String,
    seen: Arc<Mutex<Vec<Value>>>,
    answer: Arc<AtomicU16>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Receiver {
    async fn new() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(AtomicU16::new(200));
        let (remember, say) = (Arc::clone(&seen), Arc::clone(&answer));
        let router = Router::new().fallback(move |body: Bytes| {
            let (remember, say) = (Arc::clone(&remember), Arc::clone(&say));
            async move {
                remember
                    .lock()
                    .unwrap()
                    .push(serde_json::from_slice(&body).unwrap());
                StatusCode::from_u16(say.load(Ordering::SeqCst)).unwrap()
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callback", listener.local_addr().unwrap());
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let stopped = stop.clone();
        tasks.spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            serving.await.unwrap();
        });
        Self {
            url,
            seen,
            answer,
            tasks,
            stop,
        }
    }

    /// All records of all batches, as (sale order code, status).
    fn records(&self) -> Vec<(String, i64)> {
        let seen = self.seen.lock().unwrap();
        let records = seen.iter().flat_map(|batch| batch["data"].as_array().unwrap());
        records
            .map(|record| {
                let status = record["status"].as_i64().unwrap();
                (record["saleOrderCode"].as_str().unwrap().to_owned(), status)
            })
            .collect()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
