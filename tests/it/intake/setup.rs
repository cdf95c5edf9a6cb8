//! A gateway with one office, one account, two dossier systems and a few units; people are invented.
//!
//! In: an address of a database. Out: an [`App`] that answers requests and counts rows. Deliberately not here: assertions.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use hoibao::app::config::Config;
use hoibao::app::config::Overrides;
use hoibao::app::ports::{ManualClock, SeededRng, UuidIds};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::capability::Cancelling;
use hoibao::domain::custody::{CustodyAct, CustodyFact};
use hoibao::domain::delivery::DeliveryFact;
use hoibao::domain::id::{AccountId, OfficeId, ShipmentId, SourceId};
use hoibao::domain::journal::Actor;
use hoibao::domain::time::{Clock, Timestamp};
use hoibao::edge::carrier::myvnpost::MyVnPost;
use hoibao::edge::carrier::{Carrier, Carriers, Transport, TransportFailure, WireRequest, WireResponse};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::record::{self, Hand, NewFacts};
use hoibao::edge::store::reference::{Office, Procedure, put_office, put_procedure};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::unit::{Unit, put_unit};
use hoibao::edge::store::{Backend, Command, Keyring, Store, StoreError, StoreSettings, Tx};
use hoibao::stage::context::Context;
use hoibao::stage::context::operator::Memory;
use hoibao::stage::keys;
use hoibao::web::api::ApiLimits;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::support::postgres;

/// 24 November 2026, 08:00 in Vietnam.
pub(super) const NOW: &str = "2026-11-24T08:00:00+07:00";
pub(super) const DOSSIER: &str = "000.12.20.H49-261101-0001";

/// Nothing in these tests may call an operator.
struct NoTransport;

impl Transport for NoTransport {
    fn call<'a>(
        &'a self,
        _request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        panic!("intake called an operator");
    }
}

pub(super) struct App {
    pub(super) context: Arc<Context>,
    pub(super) clock: ManualClock,
    pub(super) router: Router,
    pub(super) key: String,
    pub(super) other_key: String,
    pub(super) account: Account,
    _folder: TempDir,
}

/// Runs a test on a SQLite file and on PostgreSQL.
#[expect(clippy::future_not_send, reason = "each test runs on a thread of its own")]
pub(super) async fn on_both<F: AsyncFn(&App)>(test: F) {
    for postgres in [false, true] {
        test(&App::open(postgres).await).await;
    }
}

impl App {
    pub(super) async fn open(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = if postgres {
            postgres::create_database().unwrap()
        } else {
            format!("sqlite:{}", folder.path().join("hoibao.db").display())
        };
        let keyring = Arc::new(Keyring::parse(&Keyring::generate().unwrap()).unwrap());
        let store = Store::migrate(&StoreSettings::at(&url), keyring).await.unwrap();
        let clock = ManualClock::at(Timestamp::parse_rfc3339(NOW).unwrap());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let carrier: Arc<dyn Carrier> = Arc::new(MyVnPost::new().unwrap());
        let account = account(&store, &*carrier);
        let context = Arc::new(Context {
            store,
            ids: Arc::new(UuidIds::seeded(Arc::clone(&shared), 7)),
            clock: shared,
            rng: Arc::new(SeededRng::new(7)),
            carriers: Carriers::new(vec![carrier]),
            transport: Arc::new(NoTransport),
            events: Arc::new(EventClient::new(&ClientSettings::default()).unwrap()),
            calendars: Calendars::built_in().unwrap(),
            limits: Config::load(&Overrides::default()).unwrap().limits().unwrap(),
            operators: Memory::default(),
        });
        context.store.submit(Seed(account.clone())).await.unwrap();
        let mut made = Vec::new();
        for source in ["one", "two"] {
            let key = keys::create_api_key(&context, source, "test").await.unwrap();
            made.push(key.key.expose().clone());
        }
        let [key, other_key] = <[String; 2]>::try_from(made).unwrap();
        let router = hoibao::web::router(Arc::clone(&context), &limits(100_000));
        Self {
            context,
            clock,
            router,
            key,
            other_key,
            account,
            _folder: folder,
        }
    }

    /// One request with the first system's key.
    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let request = request(method, path, &self.key, body);
        let (status, _, value) = answer(&self.router, request).await;
        (status, value)
    }

    pub(super) async fn register(&self, idempotency_key: &str, body: &Value) -> (StatusCode, Value) {
        let (status, _, value) = answer(&self.router, self.registration(idempotency_key, body)).await;
        (status, value)
    }

    pub(super) fn registration(&self, idempotency_key: &str, body: &Value) -> Request<Body> {
        let mut request = request("POST", "/api/v1/shipments", &self.key, Some(body));
        let key = idempotency_key.parse().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        request
    }

    /// Opens a finished dossier that returns by post, with a registered addressee.
    pub(super) async fn dossier(&self, code: &str) {
        let (status, told) = self.put(code, &snapshot()).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
    }

    pub(super) async fn put(&self, code: &str, snapshot: &Value) -> (StatusCode, Value) {
        self.ask("PUT", &format!("/api/v1/dossiers/one/{code}"), Some(snapshot))
            .await
    }

    pub(super) async fn count(&self, table: &str) -> i64 {
        let text = format!("SELECT COUNT(*) FROM {table}");
        let text = sqlx::AssertSqlSafe(text);
        match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    /// Rows of every table a refused request could have touched.
    pub(super) async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in [
            "shipment",
            "shipment_item",
            "shipment_revision",
            "queue",
            "idempotency",
            "record_key",
            "personal_data",
            "search_token",
            "journal",
            "dossier",
            "dossier_fact",
            "delivery_fact",
            "short_number",
            "outbox",
        ] {
            rows.push(self.count(table).await);
        }
        rows
    }

    pub(super) async fn delivery(&self, id: &str, fact: impl Fn(ShipmentId, Timestamp) -> DeliveryFact) {
        let id = ShipmentId::parse(id).unwrap();
        self.facts(id, NewFacts::ours(fact(id, self.context.clock.now())))
            .await;
    }

    pub(super) async fn custody(&self, id: &str, act: CustodyAct) {
        let id = ShipmentId::parse(id).unwrap();
        let fact = CustodyFact::new(id, self.context.clock.now(), act, None, None);
        let facts = NewFacts {
            custody: vec![fact],
            ..NewFacts::default()
        };
        self.facts(id, facts).await;
    }

    async fn facts(&self, id: ShipmentId, facts: NewFacts) {
        self.clock.advance_ms(1_000);
        let command = Facts(Arc::clone(&self.context), id, facts);
        self.context.store.submit(command).await.unwrap();
    }

    /// Changes reference data.
    pub(super) async fn set(&self, change: Change) {
        self.context.store.submit(change).await.unwrap();
    }
}

pub(super) fn limits(requests_per_minute: u32) -> ApiLimits {
    ApiLimits {
        requests_per_minute: NonZeroU32::new(requests_per_minute).unwrap(),
        burst: NonZeroU32::new(requests_per_minute).unwrap(),
        body_bytes_max: 16 * 1024,
    }
}

pub(super) fn request(method: &str, path: &str, key: &str, body: Option<&Value>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"));
    match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .unwrap()
}

pub(super) async fn answer(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = to_bytes(answer.into_body(), 1_000_000).await.unwrap();
    let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (status, headers, value)
}

/// Pointer (or parameter) and code of every fault of a problem.
pub(super) fn faults(problem: &Value) -> Vec<(String, String)> {
    let text = |fault: &Value, name: &str| fault[name].as_str().map(str::to_owned);
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|fault| {
            let place = text(fault, "pointer").or_else(|| text(fault, "parameter"));
            assert!(text(fault, "detail").is_some_and(|words| !words.is_empty()));
            assert!(text(fault, "detail_vi").is_some_and(|words| !words.is_empty()));
            (place.unwrap(), text(fault, "code").unwrap())
        })
        .collect()
}

pub(super) fn snapshot() -> Value {
    json!({
        "status": "9",
        "status_at": "2026-11-20T09:00:00+07:00",
        "procedure": "1.004227",
        "receiving_office": "HL01",
        "return_by": "post",
        "submitted_by": "online",
        "received_at": "2026-11-01T08:00:00+07:00",
        "due_at": "2026-11-25T17:00:00+07:00",
        "finished_at": "2026-11-20T09:00:00+07:00",
        "addressee": addressee(),
    })
}

pub(super) fn addressee() -> Value {
    json!({
        "name": "Nguyễn Thị Thử",
        "phone": "0912345678 / 0203 3826 123",
        "line": "Số 5, ngõ 12, khu 3",
        "commune": {"set": "vn-2026-04", "code": "06688"},
        "province": {"set": "vn-2026-04", "code": "22"},
        "note": "gọi trước khi phát",
    })
}

pub(super) fn draft() -> Value {
    json!({
        "items": [{"dossier": DOSSIER}],
        "sending_office": "HL01",
        "addressee": addressee(),
        "weight_grams": 50,
        "collect_dong": 0,
        "postage_payer": "citizen",
    })
}

/// `base` with the value at `pointer` replaced, added or (by null) taken away.
pub(super) fn with(base: &Value, pointer: &str, value: &Value) -> Value {
    let mut changed = base.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(map) => map.insert(name.to_owned(), value.clone()).map_or((), drop),
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{parent} holds nothing")
        }
    }
    changed
}

fn account(store: &Store, carrier: &dyn Carrier) -> Account {
    let id = AccountId::from_bytes([1; 16]);
    let mut capabilities = carrier.default_capabilities();
    capabilities.cancelling = Cancelling::Case;
    Account {
        id,
        code: "A1".to_owned(),
        adapter: carrier.adapter().to_owned(),
        base_url: "http://127.0.0.1:9".to_owned(),
        settings: std::collections::BTreeMap::new(),
        capabilities,
        secret_sealed: Account::seal_login(store, id, "u", "p").unwrap(),
        callback_secret_hash: [0; 32],
        rate_per_minute: 600,
        rate_burst: 10,
        active: true,
    }
}

pub(super) fn office(number: u8, code: &str, account: Option<AccountId>) -> Office {
    Office {
        id: OfficeId::from_bytes([number; 16]),
        code: code.to_owned(),
        name: "Trung tâm Phục vụ hành chính công".to_owned(),
        valid_from: Timestamp::from_ms(0),
        valid_to: None,
        successor: None,
        account,
        sender_name: "Trung tâm".to_owned(),
        sender_phone: "02033825000".to_owned(),
        sender_line: "Số 1".to_owned(),
        unit_set: "vn-2026-04".to_owned(),
        province_code: "22".to_owned(),
        commune_code: "06688".to_owned(),
        paper_first: false,
    }
}

struct Seed(Account);

impl Command for Seed {
    const NAME: &'static str = "seed";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let now = Timestamp::from_ms(0);
        put_account(tx, &self.0).await?;
        put_office(tx, &office(1, "HL01", Some(self.0.id))).await?;
        put_office(tx, &office(2, "NOACC", None)).await?;
        let paper = Office {
            paper_first: true,
            ..office(3, "PAPER", Some(self.0.id))
        };
        put_office(tx, &paper).await?;
        let old = Office {
            valid_to: Timestamp::parse_rfc3339("2025-07-01T00:00:00+07:00"),
            ..office(4, "OLD", Some(self.0.id))
        };
        put_office(tx, &old).await?;
        for (code, by_post) in [("1.004227", true), ("9.999999", false)] {
            let procedure = Procedure {
                code: code.to_owned(),
                name: "Thủ tục".to_owned(),
                by_post,
                receiver_policy: "addressee_or_authorised".to_owned(),
                takes_back_old: false,
            };
            put_procedure(tx, &procedure).await?;
        }
        for (number, code) in [(1, "one"), (2, "two")] {
            let source = SourceSystem {
                id: SourceId::from_bytes([number; 16]),
                code: code.to_owned(),
                name: code.to_owned(),
                status_map: if code == "one" { "national" } else { "local-sample" }.to_owned(),
            };
            put_source(tx, &source, now).await?;
        }
        for (level, code, name, parent) in [
            ("province", "22", "Tỉnh Quảng Ninh", None),
            ("province", "01", "Thành phố Hà Nội", None),
            ("commune", "06688", "Phường Hạ Long", Some("22")),
            ("commune", "00004", "Phường Ba Đình", Some("01")),
        ] {
            let unit = Unit {
                unit_set: "vn-2026-04".to_owned(),
                code: code.to_owned(),
                level: level.to_owned(),
                name: name.to_owned(),
                parent_code: parent.map(str::to_owned),
            };
            put_unit(tx, &unit, now).await?;
        }
        Ok(())
    }
}

/// A change of reference data during a test.
pub(super) enum Change {
    Account(Box<Account>),
    Erase(hoibao::domain::id::RecordId),
}

impl Command for Change {
    const NAME: &'static str = "change";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Self::Account(account) => put_account(tx, account).await,
            Self::Erase(record) => {
                hoibao::edge::store::personal::destroy(tx, *record, Timestamp::from_ms(1)).await
            }
        }
    }
}

struct Facts(Arc<Context>, ShipmentId, NewFacts);

impl Command for Facts {
    const NAME: &'static str = "facts";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let hand = Hand {
            ids: &*self.0.ids,
            now: self.0.clock.now(),
            actor: Actor::STAGE,
            office: [0; 16],
        };
        record::shipment_facts(&self.0.store, tx, &hand, self.1, self.2.clone())
            .await
            .map(drop)
    }
}

/// Rows `pointer | value | place | code`: what is changed in a good request, and the one fault that follows.
pub(super) fn cases(table: &str) -> Vec<(String, Value, (String, String))> {
    let rows = table.lines().map(str::trim).filter(|row| !row.is_empty());
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        let [pointer, value, place, code] = cells.as_slice() else {
            panic!("{row} has not four cells");
        };
        let value = serde_json::from_str(value).unwrap();
        (
            (*pointer).to_owned(),
            value,
            ((*place).to_owned(), (*code).to_owned()),
        )
    })
    .collect()
}
