//! A gateway under load: the real router behind the real door, real stages, systems that ask over HTTP.
//!
//! In: an address of a database. Out: phases that do [`COUNT`] operations, timed with the CPU they took.

use crate::cpu::Processes;
use crate::table::Done;
use crate::{CONNECTIONS, COUNT, seed, stub};
use anyhow::ensure;
use futures_util::StreamExt as _;
use futures_util::stream;
use hoibao::app::compose;
use hoibao::app::config::{Config, Overrides};
use hoibao::app::door::{self, DoorLimits};
use hoibao::app::ports::{SeededRng, SystemClock, UuidIds};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::time::Clock;
use hoibao::edge::carrier::Transport;
use hoibao::edge::carrier::myvnpost::ADAPTER;
use hoibao::edge::carrier::transport::{HttpTransport, TransportSettings};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::store::{Backend, Keyring, Store, StoreSettings};
use hoibao::stage::context::operator::Memory;
use hoibao::stage::context::{Context, Limits};
use hoibao::stage::{dispatch, keys};
use hoibao::web::api::ApiLimits;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest time of one phase; what is not done by then is not counted.
const PHASE_MAX: Duration = Duration::from_secs(12);
/// Tables whose rows an operation may add.
const TABLES: [&str; 16] = [
    "shipment",
    "shipment_item",
    "shipment_revision",
    "queue",
    "idempotency",
    "record_key",
    "personal_data",
    "search_token",
    "journal",
    "delivery_fact",
    "attempt",
    "evidence",
    "poll",
    "inbox",
    "outbox",
    "refused_callback",
];

/// Which database.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Road {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Road {
    /// What was done, and where.
    pub(crate) fn name(self, what: &str) -> String {
        match self {
            Self::Sqlite => format!("SQLite: {what}"),
            Self::Postgres => format!("PostgreSQL: {what}"),
        }
    }

    /// One of two.
    pub(crate) const fn pick(self, sqlite: f64, postgres: f64) -> f64 {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

/// A client without surprises.
///
/// # Errors
/// When TLS cannot be set up, although it is not used.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(CONNECTIONS)
        .timeout(Duration::from_secs(30))
        .build()
}

/// Everything that runs.
pub(crate) struct Gateway {
    noop: Arc<Context>,
    http: Arc<Context>,
    web: SocketAddr,
    key: String,
    client: reqwest::Client,
    stop: CancellationToken,
    tasks: TaskTracker,
}

fn context(store: Store, transport: Arc<dyn Transport>, seed: u64) -> anyhow::Result<Arc<Context>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let limits = Config::load(&Overrides::default())?.limits()?;
    Ok(Arc::new(Context {
        store,
        ids: Arc::new(UuidIds::system(Arc::clone(&clock))),
        clock,
        rng: Arc::new(SeededRng::new(seed)),
        carriers: compose::carriers()?,
        transport,
        events: Arc::new(EventClient::new(&ClientSettings::default())?),
        calendars: Calendars::built_in()?,
        limits: Limits {
            dispatch_claim_max: 100,
            dispatch_parallel: 32,
            ..limits
        },
        operators: Memory::default(),
    }))
}

impl Gateway {
    /// Starts gateway and operator on a fresh database.
    ///
    /// # Errors
    /// When a part cannot be made.
    pub(crate) async fn start(url: &str) -> anyhow::Result<Self> {
        let keyring = Arc::new(Keyring::parse(&Keyring::generate()?)?);
        let store = Store::migrate(&StoreSettings::at(url), keyring).await?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let operator = listen(stub::router(), &stop, &tasks).await?;
        let noop = context(store.clone(), Arc::new(stub::Nobody), 1)?;
        let transport = HttpTransport::new(&TransportSettings::default())?;
        let http = context(store.clone(), Arc::new(transport), 2)?;
        let carrier = noop.carriers.find(ADAPTER).cloned();
        let carrier = carrier.ok_or_else(|| anyhow::anyhow!("no adapter"))?;
        let base_url = format!("http://{operator}");
        store
            .submit(seed::SetUp::new(&store, &*carrier, &base_url, noop.clock.now())?)
            .await?;
        let key = keys::create_api_key(&noop, seed::SOURCE, "bench").await?;
        let many = NonZeroU32::new(100_000_000).unwrap_or(NonZeroU32::MIN);
        let limits = ApiLimits {
            requests_per_minute: many,
            burst: many,
            body_bytes_max: 1 << 20,
        };
        let web = listen(hoibao::web::router(Arc::clone(&noop), &limits), &stop, &tasks).await?;
        Ok(Self {
            noop,
            http,
            web,
            key: key.key.expose().clone(),
            client: client()?,
            stop,
            tasks,
        })
    }

    /// Ends everything that listens.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        drop(self.client);
        self.tasks.wait().await;
    }

    /// Times a phase, with the CPU it took and the rows it left.
    ///
    /// # Errors
    /// The phase's own.
    pub(crate) async fn measure(
        &self,
        processes: &Processes,
        phase: impl Future<Output = anyhow::Result<u32>>,
    ) -> anyhow::Result<Done> {
        let rows = self.rows().await?;
        let (cpu_us, began) = (processes.cpu_us(), Instant::now());
        let count = phase.await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu_us = processes.cpu_us().saturating_sub(cpu_us);
        let added = self.rows().await?.saturating_sub(rows);
        let float = |number: u64| u32::try_from(number).map_or(f64::MAX, f64::from);
        Ok(Done {
            count,
            seconds,
            cpu_us: float(cpu_us),
            rows: float(added) / f64::from(count.max(1)),
        })
    }

    async fn rows(&self) -> anyhow::Result<u64> {
        let mut total = 0;
        for table in TABLES {
            let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let count: i64 = match self.noop.store.backend() {
                Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await?,
                Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await?,
            };
            total += u64::try_from(count)?;
        }
        Ok(total)
    }

    async fn ask(
        &self,
        method: Method,
        path: String,
        number: u32,
        body: String,
    ) -> anyhow::Result<StatusCode> {
        let answer = self
            .client
            .request(method, format!("http://{}{path}", self.web))
            .bearer_auth(&self.key)
            .header("idempotency-key", format!("key-{number}"))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await?;
        let status = answer.status();
        // The whole answer is taken in, so that the connection serves again.
        answer.bytes().await?;
        Ok(status)
    }

    /// The same request for every number, over all connections, as long as a phase may last; how many were answered so.
    async fn each(
        &self,
        method: Method,
        wanted: StatusCode,
        make: impl Fn(u32) -> (String, String) + Send + Sync,
    ) -> anyhow::Result<u32> {
        let began = Instant::now();
        let calls = (1..=COUNT).map(|number| {
            let ((path, body), method) = (make(number), method.clone());
            async move {
                if began.elapsed() > PHASE_MAX {
                    return Ok(0);
                }
                let status = self.ask(method, path, number, body).await?;
                ensure!(status == wanted, "answered {status}, not {wanted}");
                Ok(1)
            }
        });
        let done: Vec<anyhow::Result<u32>> =
            stream::iter(calls).buffer_unordered(CONNECTIONS).collect().await;
        done.into_iter().sum()
    }

    /// What must be there before anything can be registered; not measured.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) async fn state_dossiers(&self) -> anyhow::Result<()> {
        let body = seed::dossier(self.noop.clock.now()).to_string();
        let path = |number| format!("/api/v1/dossiers/{}/{}", seed::SOURCE, seed::code(number));
        self.each(Method::PUT, StatusCode::CREATED, |number| {
            (path(number), body.clone())
        })
        .await
        .map(drop)
    }

    /// Registers a shipment for each dossier.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) async fn register(&self) -> anyhow::Result<u32> {
        let body = |number| Value::to_string(&seed::shipment(number));
        let path = "/api/v1/shipments";
        self.each(Method::POST, StatusCode::CREATED, |number| {
            (path.to_owned(), body(number))
        })
        .await
    }

    /// Callbacks about orders, each stored before it is answered.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) async fn callbacks(&self) -> anyhow::Result<u32> {
        let path = format!("/callback/{}/{}", seed::ACCOUNT, seed::SECRET);
        self.each(Method::POST, StatusCode::OK, |number| {
            (path.clone(), seed::callback(number))
        })
        .await
    }

    /// Callbacks that do not know the secret.
    ///
    /// # Errors
    /// When the gateway lets one in.
    pub(crate) async fn forged(&self) -> anyhow::Result<u32> {
        let path = format!("/callback/{}/wrong", seed::ACCOUNT);
        self.each(Method::POST, StatusCode::UNAUTHORIZED, |number| {
            (path.clone(), seed::callback(number))
        })
        .await
    }

    /// Sends so many of what is registered, to nobody.
    ///
    /// # Errors
    /// The stage's.
    pub(crate) async fn dispatch_noop(&self, enough: u32) -> anyhow::Result<u32> {
        send(&self.noop, enough).await
    }

    /// Sends the rest, over HTTP.
    ///
    /// # Errors
    /// The stage's.
    pub(crate) async fn dispatch_http(&self) -> anyhow::Result<u32> {
        send(&self.http, u32::MAX).await
    }
}

/// Rounds of dispatch until so many are sent, none is left, or the phase is over.
async fn send(context: &Arc<Context>, enough: u32) -> anyhow::Result<u32> {
    let (mut sent, began) = (0, Instant::now());
    while sent < enough && began.elapsed() < PHASE_MAX {
        let tick = dispatch::tick(context).await?;
        if tick.is_idle() {
            break;
        }
        sent += tick.done;
    }
    Ok(sent)
}

async fn listen(
    router: axum::Router,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let limits = DoorLimits {
        connections_max: 512,
        head_timeout: Duration::from_secs(10),
    };
    tasks.spawn(door::serve(listener, router, limits, stop.clone()));
    Ok(address)
}
