//! Room `edge::carrier`: the port through which stages see a postal operator.
//!
//! An adapter is sans-IO: it *builds* requests and *reads* answers as pure functions; [`transport`] is the one
//! place that calls. In: our vocabulary ([`Order`], [`LookUpKey`]). Out: our vocabulary again
//! ([`DispatchReading`], [`JourneyRow`], ...). Deliberately not here: retries, tokens kept, budgets (stages and
//! store), and any wire name (the adapters' own folders).

pub mod myvnpost;
pub mod transport;
mod words;

pub use words::*;

use crate::domain::capability::Capabilities;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A postal operator's adapter: pure functions between our vocabulary and its wire.
pub trait Carrier: Send + Sync {
    /// The adapter's name as stored in accounts and status maps.
    fn adapter(&self) -> &'static str;
    /// What an account of this operator can do unless its row says otherwise.
    fn default_capabilities(&self) -> Capabilities;
    /// The operator reference of a shipment: from the lead dossier's code and how many shipments it had before.
    fn compose_reference(&self, lead_code: &str, ordinal: u32) -> String;

    /// Log-in request; `None` where the operator needs no token.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing.
    fn build_token(&self, account: &AccountSettings) -> Result<Option<WireRequest>, BuildError>;
    /// Reads the log-in answer.
    fn read_token(&self, response: &WireResponse) -> Reading<AccessToken>;

    /// Create request.
    ///
    /// # Errors
    /// [`BuildError`] when the order cannot be put on the wire; nothing has been sent then.
    fn build_create(
        &self,
        account: &AccountSettings,
        token: &str,
        order: &Order,
    ) -> Result<WireRequest, BuildError>;
    /// Reads the create answer: anything not certain is `Unknown`.
    fn read_create(&self, response: &WireResponse) -> DispatchReading;

    /// Look-up request.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_look_up(
        &self,
        account: &AccountSettings,
        token: &str,
        key: &LookUpKey,
    ) -> Result<WireRequest, BuildError>;
    /// Reads the look-up answer. Several orders under one key are all returned: a double is visible here.
    fn read_look_up(&self, response: &WireResponse) -> Reading<Vec<OperatorOrder>>;

    /// History request.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_journey(
        &self,
        account: &AccountSettings,
        token: &str,
        key: &LookUpKey,
    ) -> Result<WireRequest, BuildError>;
    /// Reads the history answer.
    fn read_journey(&self, response: &WireResponse) -> Reading<Journey>;

    /// Cancel request, by the operator's identifier.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_cancel(
        &self,
        account: &AccountSettings,
        token: &str,
        operator_id: &str,
    ) -> Result<WireRequest, BuildError>;
    /// Reads the cancel answer.
    fn read_cancel(&self, response: &WireResponse) -> Reading<CancelReading>;
    /// Question after a cancel case.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_cancel_case(
        &self,
        account: &AccountSettings,
        token: &str,
        operator_id: &str,
        case_id: &str,
    ) -> Result<WireRequest, BuildError>;
    /// Reads the verdict on a cancel case.
    fn read_cancel_case(&self, response: &WireResponse) -> Reading<CancelReading>;

    /// Fee question.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_quote(
        &self,
        account: &AccountSettings,
        token: &str,
        order: &Order,
    ) -> Result<WireRequest, BuildError>;
    /// Reads the fee answer.
    fn read_quote(&self, response: &WireResponse) -> Reading<Vec<QuoteLine>>;

    /// Label request for at most 100 tracking numbers.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_labels(
        &self,
        account: &AccountSettings,
        token: &str,
        tracking_numbers: &[String],
    ) -> Result<WireRequest, BuildError>;
    /// Reads the labels: PDF files.
    fn read_labels(&self, response: &WireResponse) -> Reading<Vec<Vec<u8>>>;

    /// Requests that together fetch one list of units.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is missing or the call is not offered.
    fn build_units(
        &self,
        account: &AccountSettings,
        token: &str,
        set: OperatorUnitSet,
    ) -> Result<Vec<(UnitLevel, WireRequest)>, BuildError>;
    /// Reads one unit list.
    fn read_units(
        &self,
        set: OperatorUnitSet,
        level: UnitLevel,
        response: &WireResponse,
    ) -> Reading<Vec<OperatorUnit>>;

    /// Reads a stored callback body.
    fn read_callback(&self, body: &[u8]) -> CallbackReading;
    /// Our answer to a callback, in the operator's form.
    fn callback_answer(&self, verdict: CallbackVerdict) -> CallbackAnswer;

    /// Version of the status map in force.
    fn map_version(&self) -> u32;
    /// Meaning of a raw status code; `None` for a code the map does not know.
    fn meaning(&self, code: &str) -> Option<CodeMeaning>;
}

/// The adapters this build knows, by name.
#[derive(Clone, Default)]
pub struct Carriers {
    by_name: BTreeMap<&'static str, Arc<dyn Carrier>>,
}

impl Carriers {
    /// A registry of the given adapters.
    pub fn new(adapters: Vec<Arc<dyn Carrier>>) -> Self {
        Self {
            by_name: adapters
                .into_iter()
                .map(|adapter| (adapter.adapter(), adapter))
                .collect(),
        }
    }

    /// The adapter of this name.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Carrier>> {
        self.by_name.get(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.by_name.keys().copied()
    }
}

impl fmt::Debug for Carriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_name.keys()).finish()
    }
}
