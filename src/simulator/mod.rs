//! Room `simulator`: a stand-in for the postal operator MyVNPost, on its true wire over real HTTP.
//!
//! In: calls of the operator's API (carriers.md 3), hand-overs of paper, the passing of simulated time. Out: answers,
//! callbacks and the operator's own ledger, with faults by rate and by seed. Deliberately not here: any type of the
//! gateway's adapters. Only the clock is shared, so that what the gateway believes of the wire is checked by somebody
//! who does not share its mistakes.
//!
//! What is the same for the same seed: codes, fees, journeys, and which fault strikes the n-th call about a reference.
//! What is not: the order in which calls of several connections arrive, and thus the order of ledger lines.

mod agenda;
mod callback;
mod calls;
mod clock;
mod config;
mod dice;
mod faults;
mod item_code;
mod journey;
mod ledger;
mod order;
mod parcel;
mod pdf;
mod queries;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod units;

pub use clock::ScaledClock;
pub use config::{DuplicatePolicy, Pace, PathPrefix, SimulatorConfig, WebhookTarget};
pub use faults::{Fault, Faults, FaultsError};
pub use ledger::{LedgerError, LedgerOrder, LedgerSale, LedgerSummary, read_ledger};

use crate::domain::time::{Clock, Timestamp};
use ledger::LedgerWriter;
use state::State;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long a receiver of callbacks may take, real time.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the stand-alone operator looks at its agenda, real time.
const TURN_EVERY: Duration = Duration::from_millis(50);

/// Why a simulated operator could not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is taken or not ours.
    #[error("simulator cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The ledger cannot be opened, or holds the record of an earlier run.
    #[error("simulator cannot open its ledger, which must be absent or empty")]
    Ledger(#[source] io::Error),
    /// A line of the ledger could not be written: its counts are not to be trusted.
    #[error("simulator could not write its ledger")]
    LedgerWrite(#[source] io::Error),
    /// The webhook address is no URL, or the HTTP client cannot be built.
    #[error("simulator cannot send to its webhook address")]
    Webhook,
}

/// What came of an act with paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperOutcome {
    /// The paper changed hands.
    Done,
    /// The operator has no order under this code (yet).
    UnknownOrder,
    /// The order was cancelled or is a draft: the postman does not take it.
    NotLive,
    /// The operator has it already.
    AlreadyHandedOver,
    /// It is on its way to the addressee or was delivered: there is nothing to give back.
    NotBack,
}

/// What happened to the paper itself, whatever callbacks say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhysicalEvent {
    /// The client's reference.
    pub sale_order_code: String,
    /// What happened.
    pub kind: PhysicalKind,
    /// When, at the place.
    pub at: Timestamp,
}

/// Where the paper went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhysicalKind {
    /// The addressee has it.
    Delivered,
    /// The postman brought it back to the sender's desk.
    BackAtSender,
}

/// What the operator's tasks have in common.
struct Shared {
    config: Arc<SimulatorConfig>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    webhook: Option<(reqwest::Client, reqwest::Url)>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Shared {
    /// A panic elsewhere leaves the memory usable: nothing in it is changed by halves over a point that can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running operator. Dropping it stops it without waiting; [`Simulator::stop`] waits.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    guard: DropGuard,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Simulator {
    /// Opens the ledger, listens, and serves from now on. Nothing happens by itself: see [`Simulator::run_due`].
    ///
    /// # Errors
    /// When the address is taken, the ledger is not new, or the webhook address is no URL.
    pub async fn start(config: SimulatorConfig, clock: Arc<dyn Clock>) -> Result<Self, SimulatorError> {
        let webhook = match &config.webhook {
            Some(target) => Some(webhook_client(&target.url)?),
            None => None,
        };
        let listen_error = |source| SimulatorError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let ledger = LedgerWriter::create(&config.ledger_path).map_err(SimulatorError::Ledger)?;
        let config = Arc::new(config);
        let stopping = CancellationToken::new();
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(Arc::clone(&config), ledger)),
            config,
            clock,
            webhook,
            tasks: TaskTracker::new(),
            stopping: stopping.clone(),
        });
        shared
            .tasks
            .spawn(server::accept_loop(Arc::clone(&shared), listener));
        Ok(Self {
            shared,
            address,
            guard: stopping.drop_guard(),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The time of the earliest thing on the agenda: a status, a callback, a late acceptance, a verdict. It may lie in
    /// the past: then it is due. `None`: nothing will happen until somebody calls or hands something over.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        self.shared.state().next_event_at()
    }

    /// Does everything that is due at the clock's now, and sends the callbacks that are due over real HTTP. Returns
    /// how many things were done. Comes back when each callback was answered, or failed and was put off.
    pub async fn run_due(&self) -> usize {
        let now = self.shared.clock.now();
        let due = self.shared.state().perform_due(now);
        callback::send_all(&self.shared, due.announcements, due.again).await;
        self.shared.state().ledger.flush();
        due.performed
    }

    /// Turns the agenda until `cancel` is cancelled, for an operator that stands alone.
    pub async fn run_forever(&self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            self.run_due().await;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(TURN_EVERY) => {}
            }
        }
    }

    /// The paper of an order goes to the operator at `at`; the parcel's life begins at the next working moment.
    pub fn hand_over(&self, sale_order_code: &str, at: Timestamp) -> PaperOutcome {
        let now = self.shared.clock.now();
        self.shared.state().hand_over(sale_order_code, at, now)
    }

    /// The sender takes the paper back at `at`: before the operator recorded it, or while it is on the way back.
    pub fn take_back(&self, sale_order_code: &str, at: Timestamp) -> PaperOutcome {
        let now = self.shared.clock.now();
        self.shared.state().take_back(sale_order_code, at, now)
    }

    /// What happened to paper since the last time this was asked: the world, not what callbacks tell of it. The demo's
    /// clerk scans in what came back because of this.
    pub fn take_physical_events(&self) -> Vec<PhysicalEvent> {
        self.shared.state().take_physical()
    }

    /// From the next call on, other rates: an ordinary operator turns bad for an hour, or well again. Dice keep the seed.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.shared.state();
        let config = SimulatorConfig {
            faults,
            ..(*state.config).clone()
        };
        state.config = Arc::new(config);
    }

    /// How often each thing happened: calls, orders, callbacks, and each fault by its key.
    pub fn counters(&self) -> BTreeMap<&'static str, u64> {
        self.shared.state().counters.clone()
    }

    /// Ends open connections, waits for them, and closes the ledger.
    ///
    /// # Errors
    /// When a line of the ledger could not be written at any time.
    pub async fn stop(self) -> Result<(), SimulatorError> {
        drop(self.guard);
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        let mut state = self.shared.state();
        state.ledger.flush();
        match state.ledger.failure() {
            None => Ok(()),
            Some(kind) => Err(SimulatorError::LedgerWrite(kind.into())),
        }
    }
}

fn webhook_client(url: &str) -> Result<(reqwest::Client, reqwest::Url), SimulatorError> {
    // The cause is not passed on: it would repeat the address, which may hold a secret path.
    let url = reqwest::Url::parse(url).map_err(|_holds_the_address| SimulatorError::Webhook)?;
    // The binary installs it at its start; an embedder that did not must not meet a panic here.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race against another installer is as good.
        let _installed_by_another = rustls::crypto::ring::default_provider().install_default();
    }
    let client = reqwest::Client::builder()
        .timeout(CALLBACK_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|_holds_the_address| SimulatorError::Webhook)?;
    Ok((client, url))
}
