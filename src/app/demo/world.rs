//! Room `app::demo`: the gateway, the operator and the dossier systems, each behind a real socket on this machine.
//!
//! In: options. Out: a running [`World`] on one clock that only the demo moves. Deliberately not here: what happens in
//! it (`drive`).

use super::cast::{CUSTOMER, Cast, OperatorDoor, SetUp, USERNAME};
use super::client::Client;
use super::error::DemoError;
use super::{FaultPreset, Options};
use crate::app::compose;
use crate::app::config::{Config, Overrides};
use crate::app::door::{self, DoorLimits};
use crate::app::jobs;
use crate::app::ports::{ManualClock, SeededRng, UuidIds};
use crate::domain::calendar::Calendars;
use crate::domain::secret::Secret;
use crate::domain::time::{Clock, Timestamp};
use crate::edge::carrier::Transport;
use crate::edge::carrier::transport::{HttpTransport, TransportSettings};
use crate::edge::dossier::client::EventClient;
use crate::edge::store::{Keyring, Store, StoreSettings};
use crate::simulator::{
    DuplicatePolicy, Faults, Pace, PathPrefix, Simulator, SimulatorConfig, WebhookTarget,
};
use crate::stage::context::operator::Memory;
use crate::stage::context::{Context, Limits};
use crate::stage::keys;
use crate::web::{self, api::ApiLimits};
use crate::worker::Job;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Requests that the gateway takes from one system, so that the demo measures the road and not its own limit.
const REQUESTS_PER_MINUTE: u32 = 10_000_000;
/// Scanners of the operator upload this often, simulated.
const UPLOAD_MS: i64 = 30 * 60_000;

/// Everything that runs.
pub(super) struct World {
    pub(super) context: Arc<Context>,
    pub(super) clock: ManualClock,
    pub(super) simulator: Simulator,
    pub(super) client: Client,
    pub(super) cast: Cast,
    pub(super) jobs: Vec<Job>,
    pub(super) address: SocketAddr,
    pub(super) callback_url: String,
    pub(super) ledger: PathBuf,
    pub(super) notes: PathBuf,
    stopping: DropGuard,
    tracker: TaskTracker,
    /// Deleted with the world, unless the files are kept.
    folder: Option<TempDir>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn part(what: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> DemoError {
    move |error| DemoError::Part(what, error)
}

/// 128 random bits as text, for secrets that live as long as the demo.
fn secret() -> Result<Secret<String>, DemoError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| DemoError::Part("a secret", Box::new(error)))?;
    Ok(Secret::new(uuid::Uuid::from_bytes(bytes).simple().to_string()))
}

impl World {
    /// Starts everything at `start`.
    pub(super) async fn start(options: &Options, start: Timestamp) -> Result<Self, DemoError> {
        let (folder, path) = folder(options.keep.as_deref())?;
        let clock = ManualClock::at(start);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let callback_secret = secret()?;
        let secret_part = callback_secret.expose();
        let callback_url = format!("http://{address}/callback/{}/{secret_part}", super::cast::ACCOUNT);
        let password = secret()?;
        let ledger = path.join("operator-ledger.jsonl");
        let simulator = operator(options, &clock, (&ledger, &callback_url, &password)).await?;
        let door = OperatorDoor {
            base_url: format!("http://{}", simulator.address()),
            password,
            callback_secret,
        };
        let url = options
            .database
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", path.join("hoibao.sqlite").display()));
        let context = context(options.seed, &clock, &url).await?;
        let cast = Cast::new(&*context.ids);
        let carriers = context
            .carriers
            .find(crate::edge::carrier::myvnpost::ADAPTER)
            .cloned();
        let carrier = carriers.ok_or(DemoError::Confused("no adapter"))?;
        let from = start.plus_ms(-400 * 86_400_000);
        let set_up = SetUp::new(&context.store, &*carrier, &cast, &door, from)?;
        context.store.submit(set_up).await?;
        let mut bearer = Vec::new();
        for (code, _) in super::plan::SOURCES {
            let made = keys::create_api_key(&context, code, "demo").await;
            bearer.push(made.map_err(|error| part("an API key")(Box::new(error)))?.key);
        }
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let limits = ApiLimits {
            requests_per_minute: NonZeroU32::new(REQUESTS_PER_MINUTE).unwrap_or(NonZeroU32::MIN),
            burst: NonZeroU32::new(REQUESTS_PER_MINUTE).unwrap_or(NonZeroU32::MIN),
            body_bytes_max: 1 << 20,
        };
        let router = web::router(Arc::clone(&context), &limits);
        let door_limits = DoorLimits {
            connections_max: 256,
            head_timeout: Duration::from_secs(10),
        };
        tracker.spawn(door::serve(listener, router, door_limits, stop.clone()));
        Ok(Self {
            client: Client::new(address, bearer)?,
            jobs: jobs::road(1_000),
            context,
            clock,
            simulator,
            cast,
            address,
            callback_url,
            ledger,
            notes: path.join("acknowledged.jsonl"),
            stopping: stop.drop_guard(),
            tracker,
            folder,
        })
    }

    /// Ends the operator, so that its ledger is whole, and returns what goes on living.
    pub(super) async fn stop(self) -> Result<(), DemoError> {
        self.simulator.stop().await?;
        drop(self.stopping);
        self.tracker.close();
        self.tracker.wait().await;
        drop(self.folder);
        Ok(())
    }
}

fn folder(keep: Option<&Path>) -> Result<(Option<TempDir>, PathBuf), DemoError> {
    if let Some(path) = keep {
        std::fs::create_dir_all(path)?;
        return Ok((None, path.to_owned()));
    }
    let folder = tempfile::Builder::new().prefix("hoibao-demo-").tempdir()?;
    let path = folder.path().to_owned();
    Ok((Some(folder), path))
}

async fn operator(
    options: &Options,
    clock: &ManualClock,
    (ledger, callback_url, password): (&Path, &str, &Secret<String>),
) -> Result<Simulator, DemoError> {
    let config = SimulatorConfig {
        seed: options.seed,
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        ledger_path: ledger.to_owned(),
        webhook: Some(WebhookTarget {
            url: callback_url.to_owned(),
        }),
        username: USERNAME.to_owned(),
        password: password.expose().clone(),
        customer_code: CUSTOMER.to_owned(),
        faults: match options.faults {
            FaultPreset::None => Faults::none(),
            FaultPreset::Mild => Faults::mild(),
            FaultPreset::Wild => Faults::wild(),
        },
        pace: Pace {
            upload_ms: UPLOAD_MS,
            ..Pace::default()
        },
        path_prefix: PathPrefix::Both,
        duplicates: DuplicatePolicy::SecondOrder,
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Ok(Simulator::start(config, clock).await?)
}

async fn context(seed: u64, clock: &ManualClock, url: &str) -> Result<Arc<Context>, DemoError> {
    let made = |what| move |error: Box<dyn std::error::Error + Send + Sync>| part(what)(error);
    let text = Keyring::generate().map_err(|error| made("a key ring")(Box::new(error)))?;
    let keyring = Keyring::parse(&text).map_err(|error| made("a key ring")(Box::new(error)))?;
    let store = Store::migrate(&StoreSettings::at(url), Arc::new(keyring)).await?;
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let settings = TransportSettings {
        connect_timeout_ms: 1_000,
        ..TransportSettings::default()
    };
    let events = EventClient::new(&compose::event_settings(&settings));
    let events = events.map_err(|error| made("the client of events")(Box::new(error)))?;
    let transport = HttpTransport::new(&settings);
    let transport: Arc<dyn Transport> =
        Arc::new(transport.map_err(|error| made("the transport")(Box::new(error)))?);
    let carriers = compose::carriers().map_err(|error| made("the adapters")(error.into()))?;
    let calendars = Calendars::built_in().map_err(|error| made("the calendars")(Box::new(error)))?;
    Ok(Arc::new(Context {
        store,
        ids: Arc::new(UuidIds::seeded(Arc::clone(&shared), seed)),
        clock: shared,
        rng: Arc::new(SeededRng::new(seed)),
        carriers,
        transport,
        events: Arc::new(events),
        calendars,
        limits: limits()?,
        operators: Memory::default(),
    }))
}

/// The limits of service, with larger bites: a simulated day is over in two seconds.
fn limits() -> Result<Limits, DemoError> {
    let config = Config::load(&Overrides::default());
    let config = config.map_err(|error| DemoError::Part("the configuration", Box::new(error)))?;
    let limits = config.limits();
    let limits = limits.map_err(|error| DemoError::Part("the limits", Box::new(error)))?;
    Ok(Limits {
        dispatch_parallel: 16,
        dispatch_claim_max: 64,
        poll_claim_max: 200,
        poll_every_ms: 6 * 3_600_000,
        poll_every_max_ms: 24 * 3_600_000,
        inbox_claim_max: 500,
        callback_deadline_ms: 5_000,
        ..limits
    })
}
