//! The way to the operator: the real transport, with a log of calls and a plan for single ones.
//!
//! In: requests of the stages. Out: the operator's own answers, unless the plan of a call says otherwise. Deliberately
//! not here: what goes wrong at the operator (the simulator's faults).

use hoibao::app::ports::ManualClock;
use hoibao::domain::time::{Clock as _, Timestamp};
use hoibao::edge::carrier::transport::{HttpTransport, TransportSettings};
use hoibao::edge::carrier::{Transport, TransportFailure, WireRequest, WireResponse};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// What looks at a request.
pub(crate) type Looking = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What happens to one call on its way.
pub(crate) enum Plan {
    /// Before the first byte leaves, this looks at the request.
    Before(Box<dyn FnOnce(WireRequest) -> Looking + Send>),
    /// The operator answers and `answered` is told; the caller hears it only after `release`.
    Hold {
        /// Told when the answer is there.
        answered: Arc<Notify>,
        /// Lets the caller hear it.
        release: Arc<Notify>,
    },
}

/// How a call ended, as the stage heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer with this status.
    Status(u16),
    /// Nothing left us.
    NeverLeft,
    /// No answer.
    Ambiguous,
}

/// One call, as the wire saw it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Simulated time of its beginning.
    pub(crate) at: Timestamp,
    /// Last part of the path: the operator's name of the operation.
    pub(crate) operation: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What `Retry-After` said.
    pub(crate) retry_after: Option<String>,
}

/// A transport with a memory.
pub(crate) struct Wire {
    inner: HttpTransport,
    clock: ManualClock,
    calls: Mutex<Vec<Call>>,
    plans: Mutex<VecDeque<(&'static str, Plan)>>,
}

impl Wire {
    pub(super) fn new(clock: &ManualClock) -> Self {
        let settings = TransportSettings {
            connect_timeout_ms: 1_000,
            ..TransportSettings::default()
        };
        Self {
            inner: HttpTransport::new(&settings).unwrap(),
            clock: clock.clone(),
            calls: Mutex::default(),
            plans: Mutex::default(),
        }
    }

    /// The next call of this operation goes by this plan.
    pub(crate) fn plan(&self, operation: &'static str, plan: Plan) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_back((operation, plan));
    }

    /// The next call of this operation is answered and held; what tells of the answer, and what releases it.
    pub(crate) fn hold(&self, operation: &'static str) -> (Arc<Notify>, Arc<Notify>) {
        let (answered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let plan = Plan::Hold {
            answered: Arc::clone(&answered),
            release: Arc::clone(&release),
        };
        self.plan(operation, plan);
        (answered, release)
    }

    /// Every call so far, in order of their ends.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls of one operation.
    pub(crate) fn of(&self, operation: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.operation == operation);
        calls
    }

    fn take_plan(&self, operation: &str) -> Option<Plan> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let place = plans.iter().position(|(planned, _)| *planned == operation)?;
        plans.remove(place).map(|(_, plan)| plan)
    }

    async fn perform(&self, request: &WireRequest) -> Result<WireResponse, TransportFailure> {
        let path = request.url.split('?').next().unwrap_or_default();
        let operation = path.rsplit('/').next().unwrap_or_default().to_owned();
        let at = self.clock.now();
        let held = match self.take_plan(&operation) {
            Some(Plan::Before(look)) => {
                look(request.clone()).await;
                None
            }
            Some(Plan::Hold { answered, release }) => Some((answered, release)),
            None => None,
        };
        let answer = self.inner.call(request).await;
        let (outcome, retry_after) = match &answer {
            Ok(response) => (Outcome::Status(response.status), response.retry_after.clone()),
            Err(TransportFailure::NeverLeft { .. }) => (Outcome::NeverLeft, None),
            Err(TransportFailure::Ambiguous { .. }) => (Outcome::Ambiguous, None),
        };
        let call = Call {
            at,
            operation,
            outcome,
            retry_after,
        };
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
        if let Some((answered, release)) = held {
            answered.notify_one();
            release.notified().await;
        }
        answer
    }
}

impl Transport for Wire {
    fn call<'a>(
        &'a self,
        request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        Box::pin(self.perform(request))
    }
}
