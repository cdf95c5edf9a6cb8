//! A whole gateway for a test: store, stages, web door and operator, each behind its real socket, on a clock that only
//! the test moves.
//!
//! In: an engine and what is unusual about the case. Out: a running [`TestApp`]. Every test ends with
//! [`TestApp::finish`], which holds the rooms to their promises (`checks`); one that forgets to is red. Deliberately not
//! here: assertions about a single stage.

mod acts;
mod callbacks;
mod checks;
mod logs;
mod look;
mod recompute;
mod seed;
mod wire;

pub(crate) use acts::{Line, code_of, dossier_body, shipment_body};
pub(crate) use look::hex;
pub(crate) use seed::{CUSTOMER, PASSWORD, REFUSED_PHONE, SOURCE, Seed, USERNAME};
pub(crate) use wire::{Looking, Outcome, Plan, Wire};

use super::postgres;
use hoibao::app::config::{Config, Overrides};
use hoibao::app::door::{self, DoorLimits};
use hoibao::app::ports::{ManualClock, SeededRng, SystemClock, UuidIds};
use hoibao::app::{compose, jobs};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::time::{Clock, Timestamp};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::{Command, Keyring, Store, StoreError, StoreSettings, Tx};
use hoibao::simulator::{
    DuplicatePolicy, Faults, Pace, PathPrefix, Simulator, SimulatorConfig, WebhookTarget,
};
use hoibao::stage::context::operator::Memory;
use hoibao::stage::context::{Context, Limits, Tick};
use hoibao::stage::{dispatch, keys, reconcile, resolve};
use hoibao::web::api::ApiLimits;
use hoibao::web::client_address::Network;
use hoibao::web::middleware::{self, HttpLimits};
use hoibao::worker::{self, Job};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Monday, 23 November 2026, 08:00 in Vietnam.
pub(crate) const START: &str = "2026-11-23T08:00:00+07:00";
/// Rounds after which a road that finds no rest is a bug.
const ROUNDS_MAX: u32 = 200;
/// Longest time a test waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Which database a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A SQLite file.
    Sqlite,
    /// A database of the process's own PostgreSQL.
    Postgres,
}

/// Runs a case on a SQLite file and on PostgreSQL.
pub(crate) async fn on_both(case: impl AsyncFn(Engine)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let running = tokio::time::timeout(PATIENCE * 2, case(engine)).await;
        running.unwrap_or_else(|_elapsed| panic!("the case hangs on {engine:?}"));
    }
}

/// What is unusual about a case.
pub(crate) struct Settings {
    pub(crate) engine: Engine,
    /// What the operator does with a reference it already has.
    pub(crate) duplicates: DuplicatePolicy,
    /// How fast the operator's world turns.
    pub(crate) pace: Pace,
    /// Whether the operator calls back.
    pub(crate) webhook: bool,
    /// Whether orders wait for the paper.
    pub(crate) paper_first: bool,
    /// A change of the operator account.
    pub(crate) account: fn(&mut Account),
    /// A change of the stages' limits.
    pub(crate) limits: fn(&mut Limits),
}

impl Settings {
    /// An ordinary case.
    pub(crate) fn on(engine: Engine) -> Self {
        Self {
            engine,
            duplicates: DuplicatePolicy::SecondOrder,
            pace: Pace::default(),
            webhook: false,
            paper_first: false,
            account: |_| (),
            limits: |_| (),
        }
    }

    /// Starts everything; the operator's unit list and a token are there.
    pub(crate) async fn start(self) -> TestApp {
        TestApp::with(self).await
    }
}

/// Everything that runs.
pub(crate) struct TestApp {
    /// The gateway.
    pub(crate) context: Arc<Context>,
    /// The time of everybody.
    pub(crate) clock: ManualClock,
    /// The way to the operator, with its log of calls.
    pub(crate) wire: Arc<Wire>,
    /// Offices, people, systems.
    pub(crate) seed: Seed,
    /// The operator account as set up.
    pub(crate) account: Account,
    url: String,
    keyring: Arc<Keyring>,
    change_limits: fn(&mut Limits),
    key: String,
    web: SocketAddr,
    client: reqwest::Client,
    jobs: Vec<Job>,
    simulator: Option<Simulator>,
    ledger: PathBuf,
    /// Reference of each acknowledged shipment, in order.
    acknowledged: Mutex<Vec<acts::Acknowledged>>,
    finished: bool,
    _stopping: DropGuard,
    _folder: TempDir,
}

/// What everything shares before it is started.
struct Ground {
    folder: TempDir,
    clock: ManualClock,
    url: String,
    keyring: Arc<Keyring>,
}

impl Ground {
    fn new(engine: Engine) -> Self {
        logs::capture();
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("hoibao.db").display()),
            Engine::Postgres => postgres::create_database().unwrap(),
        };
        Self {
            folder,
            clock: ManualClock::at(Timestamp::parse_rfc3339(START).unwrap()),
            url,
            keyring: Arc::new(Keyring::parse(&Keyring::generate().unwrap()).unwrap()),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    async fn operator(&self, settings: &Settings, callbacks: String) -> (Simulator, PathBuf) {
        let ledger = self.folder.path().join("ledger.jsonl");
        let config = SimulatorConfig {
            seed: 7,
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            ledger_path: ledger.clone(),
            webhook: settings.webhook.then_some(WebhookTarget { url: callbacks }),
            username: USERNAME.to_owned(),
            password: PASSWORD.to_owned(),
            customer_code: CUSTOMER.to_owned(),
            faults: Faults::none(),
            pace: settings.pace.clone(),
            path_prefix: PathPrefix::Both,
            duplicates: settings.duplicates,
        };
        (Simulator::start(config, self.clock()).await.unwrap(), ledger)
    }
}

fn context(
    store: Store,
    clock: &ManualClock,
    wire: &Arc<Wire>,
    limits: fn(&mut Limits),
    seed: u64,
) -> Context {
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let mut chosen = Config::load(&Overrides::default()).unwrap().limits().unwrap();
    limits(&mut chosen);
    Context {
        store,
        ids: Arc::new(UuidIds::seeded(Arc::clone(&shared), seed)),
        clock: shared,
        rng: Arc::new(SeededRng::new(seed)),
        carriers: compose::carriers().unwrap(),
        transport: Arc::<Wire>::clone(wire),
        calendars: Calendars::built_in().unwrap(),
        limits: chosen,
        events: Arc::new(EventClient::new(&ClientSettings::default()).unwrap()),
        operators: Memory::default(),
    }
}

impl TestApp {
    /// An ordinary gateway.
    pub(crate) async fn start(engine: Engine) -> Self {
        Settings::on(engine).start().await
    }

    async fn with(settings: Settings) -> Self {
        let ground = Ground::new(settings.engine);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let web = listener.local_addr().unwrap();
        let callbacks = format!(
            "http://{web}/callback/{}/{}",
            seed::ACCOUNT,
            seed::CALLBACK_SECRET
        );
        let (simulator, ledger) = ground.operator(&settings, callbacks).await;
        let wire = Arc::new(Wire::new(&ground.clock));
        let store = Store::migrate(&StoreSettings::at(&ground.url), Arc::clone(&ground.keyring))
            .await
            .unwrap();
        let context = Arc::new(context(store, &ground.clock, &wire, settings.limits, 7));
        let seed = Seed::new();
        let base_url = format!("http://{}", simulator.address());
        let mut account = seed.account(&context, &base_url);
        (settings.account)(&mut account);
        seed.write(&context, &account, settings.paper_first).await;
        let key = keys::create_api_key(&context, SOURCE, "test").await.unwrap();
        let stop = CancellationToken::new();
        serve(listener, &context, &stop);
        let app = Self {
            wire,
            seed,
            account,
            url: ground.url,
            keyring: ground.keyring,
            change_limits: settings.limits,
            key: key.key.expose().clone(),
            web,
            client: client(),
            jobs: jobs::road(1_000),
            simulator: Some(simulator),
            ledger,
            acknowledged: Mutex::default(),
            finished: false,
            _stopping: stop.drop_guard(),
            _folder: ground.folder,
            clock: ground.clock,
            context,
        };
        app.reconcile().await;
        app
    }

    /// A second gateway on the same database: its own connections, memory and chance.
    pub(crate) async fn second(&self) -> Arc<Context> {
        let store = Store::open(&StoreSettings::at(&self.url), Arc::clone(&self.keyring))
            .await
            .unwrap();
        Arc::new(context(store, &self.clock, &self.wire, self.change_limits, 8))
    }

    /// The operator.
    pub(crate) fn simulator(&self) -> &Simulator {
        self.simulator.as_ref().expect("it runs until the end")
    }

    /// What goes wrong at the operator from here on.
    pub(crate) fn faults(&self, faults: Faults) {
        self.simulator().set_faults(faults);
    }

    /// Changes the operator account in the store.
    pub(crate) async fn change_account(&self, change: impl FnOnce(&mut Account)) {
        let mut account = self.account.clone();
        change(&mut account);
        self.context.store.submit(PutAccount(account)).await.unwrap();
    }

    /// One round of reconcile.
    pub(crate) async fn reconcile(&self) -> Tick {
        reconcile::tick(&self.context).await.unwrap()
    }

    /// One round of dispatch.
    pub(crate) async fn dispatch(&self) -> Tick {
        dispatch::tick(&self.context).await.unwrap()
    }

    /// One round of resolve.
    pub(crate) async fn resolve(&self) -> Tick {
        resolve::tick(&self.context).await.unwrap()
    }

    /// All stages until none finds work at this instant.
    pub(crate) async fn drain(&self) {
        let drained = worker::drain(&self.jobs, &self.context, ROUNDS_MAX)
            .await
            .unwrap();
        assert!(drained.idle, "the road found no rest in {ROUNDS_MAX} rounds");
    }

    /// Moves the clock; the operator does what fell due meanwhile.
    pub(crate) async fn advance_ms(&self, ms: i64) {
        self.clock.advance_ms(ms);
        self.simulator().run_due().await;
    }

    /// Moves the clock in steps and drains after each, as a worker in service would.
    pub(crate) async fn live_through(&self, ms: i64, step_ms: i64) {
        let end = self.clock.now().plus_ms(ms);
        while self.clock.now() < end {
            self.advance_ms(step_ms.min(end.since_ms(self.clock.now()))).await;
            self.drain().await;
        }
    }

    /// Ends the operator and holds everybody to their promises.
    pub(crate) async fn finish(mut self) {
        self.finished = true;
        if let Some(simulator) = self.simulator.take() {
            simulator.stop().await.unwrap();
        }
        checks::all(&self).await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(
            self.finished || std::thread::panicking(),
            "a test forgot TestApp::finish, which holds the rooms to their promises"
        );
    }
}

/// Sets a database up for processes that are started on it afterwards: schema, offices, the operator's account, and a key
/// of the dossier system, which is returned.
pub(crate) async fn furnish(
    url: &str,
    keyring: Arc<Keyring>,
    base_url: &str,
    change: fn(&mut Account),
) -> String {
    let clock = ManualClock::at(SystemClock.now());
    let wire = Arc::new(Wire::new(&clock));
    let store = Store::migrate(&StoreSettings::at(url), keyring).await.unwrap();
    let context = Arc::new(context(store, &clock, &wire, |_| (), 7));
    let seed = Seed::new();
    let mut account = seed.account(&context, base_url);
    change(&mut account);
    seed.write(&context, &account, false).await;
    let made = keys::create_api_key(&context, SOURCE, "test").await.unwrap();
    context.store.clone().close().await;
    made.key.expose().clone()
}

fn serve(listener: TcpListener, context: &Arc<Context>, stop: &CancellationToken) {
    let many = NonZeroU32::new(1_000_000).unwrap();
    let limits = ApiLimits {
        requests_per_minute: many,
        burst: many,
        body_bytes_max: 1 << 20,
    };
    let router = hoibao::web::router(Arc::clone(context), &limits);
    // As in service, behind a proxy on this machine.
    let around = HttpLimits {
        body_bytes_max: 1 << 20,
        request_timeout: Duration::from_secs(15),
        trusted_proxies: vec![Network::parse("127.0.0.0/8").unwrap()],
        https: false,
    };
    let router = middleware::wrap(router, around, Arc::clone(&context.ids));
    let door = DoorLimits {
        connections_max: 64,
        head_timeout: Duration::from_secs(10),
    };
    TaskTracker::new().spawn(door::serve(listener, router, door, stop.clone()));
}

/// A client that follows nothing and waits half a minute.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

struct PutAccount(Account);

impl Command for PutAccount {
    const NAME: &'static str = "test_put_account";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        put_account(tx, &self.0).await
    }
}
