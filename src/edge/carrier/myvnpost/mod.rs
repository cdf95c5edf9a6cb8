//! Room `edge::carrier::myvnpost`: the commercial API of Vietnam Post, "MyVNPost".
//!
//! In: orders and keys in our words. Out: requests in the operator's words, and its answers back in ours, by pure
//! functions: [`request`] builds, [`answer`], [`units`] and [`callback`] read, [`wire`] knows the JSON, [`status`]
//! the tables. Deliberately not here: network, token keeping, retries, and what a stage does with a reading.
//!
//! The operator's documentation is not public. Every reading is built from the habits that public clients report;
//! where they contradict each other or say nothing, the reading is the one that cannot send a document twice.

mod answer;
mod callback;
mod request;
mod status;
mod units;
mod wire;

pub use status::TableError;

use super::{
    AccessToken, AccountSettings, BuildError, CallbackAnswer, CallbackReading, CallbackVerdict,
    CancelReading, Carrier, CodeMeaning, DispatchReading, Journey, LookUpKey, OperatorOrder, OperatorUnit,
    OperatorUnitSet, Order, QuoteLine, Reading, UnitLevel, WireRequest, WireResponse,
};
use crate::domain::capability::{
    Authenticity, Cancelling, Capabilities, Door, DuplicateReference, EventIdentity, FieldBytes,
    ResolutionName,
};
use status::{ServiceTable, StatusMap, TextTable};
use std::collections::BTreeMap;

/// The adapter's name in accounts and status maps.
pub const ADAPTER: &str = "myvnpost";
/// How long a token is taken to live where nothing else is set, in milliseconds. The operator states no lifetime; one
/// public client keeps a token 3,500 s, so this stays below; a refused token is fetched anew anyway.
pub const TOKEN_LIFETIME_MS: i64 = 3_000_000;

const STATUS_CSV: &str = include_str!("../../../../fixtures/status-maps/myvnpost.v1.csv");
const TEXT_CSV: &str = include_str!("../../../../fixtures/status-maps/myvnpost.refusals.v1.csv");
const SERVICE_CSV: &str = include_str!("../../../../fixtures/status-maps/myvnpost.services.v1.csv");

/// Longest texts sent. The operator publishes no limits; these are the usual widths of such columns, counted in
/// bytes so that a text cannot be cut on the way.
const FIELD_BYTES_MAX: FieldBytes = FieldBytes {
    name: 250,
    address: 500,
    note: 250,
};

/// The adapter for MyVNPost.
#[derive(Clone, Debug)]
pub struct MyVnPost {
    statuses: StatusMap,
    map_version: u32,
    texts: TextTable,
    services: ServiceTable,
    token_lifetime_ms: i64,
}

impl MyVnPost {
    /// The adapter with the tables compiled in.
    ///
    /// # Errors
    /// [`TableError`] when a table shipped with this build is damaged; a test keeps that from being released.
    pub fn new() -> Result<Self, TableError> {
        Ok(Self {
            statuses: StatusMap::parse(STATUS_CSV)?,
            map_version: 1,
            texts: TextTable::parse(TEXT_CSV)?,
            services: ServiceTable::parse(SERVICE_CSV)?,
            token_lifetime_ms: TOKEN_LIFETIME_MS,
        })
    }

    /// The same adapter with another status map, `csv` having the columns `code,name_vi,facts,partial,note`.
    ///
    /// # Errors
    /// [`TableError`] names the row at fault.
    pub fn with_status_map(mut self, csv: &str, version: u32) -> Result<Self, TableError> {
        self.statuses = StatusMap::parse(csv)?;
        self.map_version = version;
        Ok(self)
    }

    /// The same adapter that takes tokens to live this long, in milliseconds.
    #[must_use]
    pub const fn with_token_lifetime_ms(mut self, lifetime_ms: i64) -> Self {
        self.token_lifetime_ms = lifetime_ms;
        self
    }
}

impl Carrier for MyVnPost {
    fn adapter(&self) -> &'static str {
        ADAPTER
    }

    fn default_capabilities(&self) -> Capabilities {
        Capabilities {
            look_up_by_reference: true,
            duplicate_reference: DuplicateReference::Unknown,
            // The callback's signature can be made by anybody with the printed public key: it proves nothing.
            doors: BTreeMap::from([
                (Door::Push, Authenticity::Hint),
                (Door::PullOne, Authenticity::Proven),
                (Door::PullList, Authenticity::Proven),
            ]),
            event_identity: EventIdentity::CodeAndTime,
            time_resolution: ResolutionName::Second,
            cancelling: Cancelling::Case,
            needs_item_code: false,
            field_bytes_max: FIELD_BYTES_MAX,
            quiescence_ms: 600_000,
        }
    }

    fn compose_reference(&self, lead_code: &str, ordinal: u32) -> String {
        match ordinal {
            0 | 1 => lead_code.to_owned(),
            later => format!("{lead_code}__{later}"),
        }
    }

    fn build_token(&self, account: &AccountSettings) -> Result<Option<WireRequest>, BuildError> {
        request::token(account).map(Some)
    }

    fn read_token(&self, response: &WireResponse) -> Reading<AccessToken> {
        answer::token(&self.texts, self.token_lifetime_ms, response)
    }

    fn build_create(
        &self,
        account: &AccountSettings,
        token: &str,
        order: &Order,
    ) -> Result<WireRequest, BuildError> {
        request::create(&self.services, account, token, order)
    }

    fn read_create(&self, response: &WireResponse) -> DispatchReading {
        answer::create(&self.texts, response)
    }

    fn build_look_up(
        &self,
        account: &AccountSettings,
        token: &str,
        key: &LookUpKey,
    ) -> Result<WireRequest, BuildError> {
        request::by_key(account, token, "getOrder", key)
    }

    fn read_look_up(&self, response: &WireResponse) -> Reading<Vec<OperatorOrder>> {
        answer::look_up(&self.texts, response)
    }

    fn build_journey(
        &self,
        account: &AccountSettings,
        token: &str,
        key: &LookUpKey,
    ) -> Result<WireRequest, BuildError> {
        request::by_key(account, token, "GetStatusHistoryOrder", key)
    }

    fn read_journey(&self, response: &WireResponse) -> Reading<Journey> {
        answer::journey(&self.texts, response)
    }

    fn build_cancel(
        &self,
        account: &AccountSettings,
        token: &str,
        operator_id: &str,
    ) -> Result<WireRequest, BuildError> {
        request::cancel(account, token, operator_id)
    }

    fn read_cancel(&self, response: &WireResponse) -> Reading<CancelReading> {
        answer::cancel(&self.texts, response)
    }

    fn build_cancel_case(
        &self,
        account: &AccountSettings,
        token: &str,
        operator_id: &str,
        case_id: &str,
    ) -> Result<WireRequest, BuildError> {
        request::cancel_case(account, token, operator_id, case_id)
    }

    fn read_cancel_case(&self, response: &WireResponse) -> Reading<CancelReading> {
        answer::cancel_case(&self.texts, response)
    }

    fn build_quote(
        &self,
        account: &AccountSettings,
        token: &str,
        order: &Order,
    ) -> Result<WireRequest, BuildError> {
        request::quote(&self.services, account, token, order)
    }

    fn read_quote(&self, response: &WireResponse) -> Reading<Vec<QuoteLine>> {
        answer::quote(&self.texts, response)
    }

    fn build_labels(
        &self,
        account: &AccountSettings,
        token: &str,
        tracking_numbers: &[String],
    ) -> Result<WireRequest, BuildError> {
        request::labels(account, token, tracking_numbers)
    }

    fn read_labels(&self, response: &WireResponse) -> Reading<Vec<Vec<u8>>> {
        answer::labels(&self.texts, response)
    }

    fn build_units(
        &self,
        account: &AccountSettings,
        token: &str,
        set: OperatorUnitSet,
    ) -> Result<Vec<(UnitLevel, WireRequest)>, BuildError> {
        request::units(account, token, set)
    }

    fn read_units(
        &self,
        set: OperatorUnitSet,
        level: UnitLevel,
        response: &WireResponse,
    ) -> Reading<Vec<OperatorUnit>> {
        units::read(&self.texts, set, level, response)
    }

    fn read_callback(&self, body: &[u8]) -> CallbackReading {
        callback::read(body)
    }

    fn callback_answer(&self, verdict: CallbackVerdict) -> CallbackAnswer {
        callback::answer(verdict)
    }

    fn map_version(&self) -> u32 {
        self.map_version
    }

    fn meaning(&self, code: &str) -> Option<CodeMeaning> {
        self.statuses.meaning(code).cloned()
    }
}

#[cfg(test)]
mod tests;
