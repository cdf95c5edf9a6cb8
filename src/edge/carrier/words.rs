//! Room `edge::carrier`: the words between stages and adapters.
//!
//! In and out: plain values, requests ready to be sent and answers as they arrived. What may hold secrets or personal
//! data prints nothing of it. Deliberately not here: any wire name of an operator.

use crate::domain::delivery::EventKind;
use crate::domain::time::{Resolution, Timestamp};
use std::collections::BTreeMap;
use std::fmt;

/// HTTP method of a wire request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// How carefully a call must be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// Changes something at the operator: HTTP/1.1, a fresh connection, never repeated by the client, so that one
    /// attempt is one request.
    Submit,
    /// Reads only: pooled connections, may be repeated.
    Read,
}

/// A request ready to be sent. `Debug` shows neither headers nor body: both may hold secrets or personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// GET or POST.
    pub method: Method,
    /// Absolute address.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// Body bytes as sent; empty for GET.
    pub body: Vec<u8>,
    /// Submit or read.
    pub kind: CallKind,
    /// Limit for the whole call, in milliseconds.
    pub timeout_ms: u64,
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WireRequest({:?}, {:?}, {} body bytes)",
            self.method,
            self.kind,
            self.body.len()
        )
    }
}

/// An answer as it arrived. `Debug` shows no body.
#[derive(Clone, PartialEq, Eq)]
pub struct WireResponse {
    /// HTTP status.
    pub status: u16,
    /// Value of `Retry-After`, if any.
    pub retry_after: Option<String>,
    /// Body bytes, at most the transport's limit.
    pub body: Vec<u8>,
}

impl fmt::Debug for WireResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer, and what that says about the operator's side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportFailure {
    /// No byte of the request can have reached the operator (name, connection, TLS).
    #[error("the request never left us: {detail}")]
    NeverLeft {
        /// Kind of failure, without address or body.
        detail: String,
    },
    /// The operator may have received the request.
    #[error("no complete answer came back: {detail}")]
    Ambiguous {
        /// Kind of failure, without address or body.
        detail: String,
    },
}

/// The only way out to an operator.
pub trait Transport: Send + Sync {
    /// Performs one call, once.
    fn call<'a>(
        &'a self,
        request: &'a WireRequest,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>>;
}

/// What an adapter must know of a contract account. Secrets are redacted in `Debug`.
#[derive(Clone)]
pub struct AccountSettings {
    /// Base address of the operator's API, without trailing slash.
    pub base_url: String,
    /// Settings named by the adapter (customer code, path prefix, service code, ...).
    pub settings: BTreeMap<String, String>,
    /// Log-in name.
    pub username: String,
    /// Log-in secret.
    pub password: String,
}

impl fmt::Debug for AccountSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountSettings")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// A party of an order, in the operator's own unit codes. `Debug` prints nothing personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    /// Name of person or office.
    pub name: String,
    /// National telephone number, digits.
    pub phone: String,
    /// Street line.
    pub line: String,
    /// The operator's province code.
    pub province_code: String,
    /// The operator's commune code (two-level set).
    pub commune_code: String,
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Party(..)")
    }
}

/// What is asked of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Our reference, fixed for the shipment.
    pub reference: String,
    /// Item code from a range given beforehand, where the account needs one.
    pub item_code: Option<String>,
    /// Sending office.
    pub sender: Party,
    /// Addressee.
    pub receiver: Party,
    /// Neutral words for the contents, such as "01 tài liệu".
    pub content: String,
    /// Note to the postman.
    pub note: Option<String>,
    /// Weight in grams.
    pub weight_grams: u32,
    /// Fee to collect from the addressee, whole đồng.
    pub collect_dong: i64,
    /// The operator's service code; `None` takes the account's default.
    pub service_code: Option<String>,
}

/// How an order is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookUpKey {
    /// Our reference.
    Reference(String),
    /// Number on the label.
    TrackingNumber(String),
    /// The operator's own identifier.
    OperatorId(String),
}

/// An order as the operator tells it. Contact fields are masked by some operators and never taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorOrder {
    /// Our reference as the operator stores it.
    pub reference: Option<String>,
    /// Number on the label.
    pub tracking_number: Option<String>,
    /// The operator's own identifier, needed to cancel.
    pub operator_id: Option<String>,
    /// Status code, raw.
    pub status_code: Option<String>,
    /// Charge the operator states, whole đồng.
    pub charge_dong: Option<i64>,
    /// When the operator took the order.
    pub created_at: Option<Timestamp>,
    /// When the operator last changed the order.
    pub updated_at: Option<Timestamp>,
}

/// What one create call says about the operator's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DispatchReading {
    /// The order exists.
    Accepted(OperatorOrder),
    /// The order does not exist, for a stated reason; a person must correct it.
    Refused(Refusal),
    /// The operator says the reference exists already.
    Duplicate(Option<OperatorOrder>),
    /// Certainly not taken (for example the token was refused before the body was looked at): may be sent again.
    NotTaken(NotTaken),
    /// Slow down: certainly not taken, wait.
    Throttled {
        /// Raw `Retry-After`.
        retry_after: Option<String>,
    },
    /// The order may or may not exist.
    Unknown {
        /// Kind of answer, without body.
        detail: String,
    },
}

/// Why a call was certainly not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The access token was refused: fetch a new one.
    TokenRefused,
}

/// A definite no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Our word for the reason: `phone`, `address`, `unit`, `service`, `account`, `other`.
    pub reason: RefusalReason,
    /// The operator's own words; may repeat personal data, so it is kept encrypted and never logged.
    pub operator_text: String,
}

/// Our words for reasons of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalReason {
    /// Telephone number.
    Phone,
    /// Name.
    Name,
    /// Street line.
    Address,
    /// Province or commune code.
    Unit,
    /// Service, add-on or weight.
    Service,
    /// Contract account.
    Account,
    /// A text we do not know.
    Unrecognised,
}

impl RefusalReason {
    /// The word stored and shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Name => "name",
            Self::Address => "address",
            Self::Unit => "unit",
            Self::Service => "service",
            Self::Account => "account",
            Self::Unrecognised => "unrecognised",
        }
    }
}

/// What a reading call answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// Understood.
    Answer(T),
    /// The operator definitely knows no such thing.
    Absent,
    /// The access token was refused.
    TokenRefused,
    /// Slow down.
    Throttled {
        /// Raw `Retry-After`.
        retry_after: Option<String>,
    },
    /// Not understood or an error: says nothing about the order.
    Unreadable {
        /// Kind of answer, without body.
        detail: String,
    },
}

/// One row of the operator's own history of a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JourneyRow {
    /// Status code, raw, printable ASCII.
    pub code: String,
    /// When the operator says it happened; `None` when the text could not be read.
    pub occurred_at: Option<Timestamp>,
    /// How exact `occurred_at` is.
    pub resolution: Resolution,
    /// The operator's words for the status.
    pub name: Option<String>,
    /// Where, in the operator's words.
    pub place: Option<String>,
}

/// What the operator's history says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Rows as told, in the operator's order.
    pub rows: Vec<JourneyRow>,
}

/// Answer to a cancel request or to the question after its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelReading {
    /// Cancelled.
    Done,
    /// Refused.
    Refused,
    /// Waits for approval under this case.
    Pending {
        /// The operator's case number.
        case_id: String,
    },
}

/// One line of a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteLine {
    /// The operator's service code.
    pub service_code: String,
    /// The operator's name for it.
    pub service_name: String,
    /// Provisional total with VAT, whole đồng.
    pub total_dong: i64,
}

/// Which list of administrative units of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitLevel {
    /// Province or centrally-run city.
    Province,
    /// District; only in lists from before 1 July 2025.
    District,
    /// Commune, ward, special zone.
    Commune,
}

/// One administrative unit as the operator numbers it. Codes of two sets may collide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorUnit {
    /// Level.
    pub level: UnitLevel,
    /// The operator's code.
    pub code: String,
    /// The operator's name.
    pub name: String,
    /// Code of the unit above, where told.
    pub parent_code: Option<String>,
}

/// Which set of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperatorUnitSet {
    /// Two levels, since 1 July 2025.
    New,
    /// Three levels, before.
    Old,
}

/// One record of a callback that names a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRecord {
    /// Our reference, if named.
    pub reference: Option<String>,
    /// Tracking number, if named.
    pub tracking_number: Option<String>,
    /// The operator's identifier, if named.
    pub operator_id: Option<String>,
    /// Status code, raw.
    pub status_code: Option<String>,
}

/// What a stored callback body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackReading {
    /// Records found; unreadable ones are counted apart.
    Records {
        /// Records that name a shipment.
        records: Vec<CallbackRecord>,
        /// Records that name nothing.
        unreadable: u32,
    },
    /// Not the operator's form at all.
    Garbage {
        /// Kind of fault, without body.
        detail: String,
    },
}

/// What the callback door answers, in the operator's own form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackVerdict {
    /// Stored.
    Stored,
    /// Not the operator's form; nothing to repeat.
    Malformed,
    /// Not allowed in.
    Refused,
    /// Not durable in time: come again.
    Unavailable,
}

/// An HTTP answer of ours to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

/// An access token as answered.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// Stated or assumed lifetime in milliseconds.
    pub lifetime_ms: i64,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// The mapping of one raw status code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMeaning {
    /// Facts this code states, possibly none (a financial note).
    pub facts: Vec<EventKind>,
    /// Only part of the shipment is meant.
    pub partial: bool,
}

/// An order that cannot be put on the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A setting of the account is missing.
    #[error("the account lacks the setting {name}")]
    MissingSetting {
        /// Name of the setting.
        name: &'static str,
    },
    /// A setting of the account has a value the adapter cannot use.
    #[error("the account's setting {name} has no usable value")]
    BadSetting {
        /// Name of the setting.
        name: &'static str,
    },
    /// A text is longer than the operator takes.
    #[error("{field} has {bytes} bytes, the operator takes {bytes_max}")]
    TooLong {
        /// Field of the order.
        field: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The limit in bytes.
        bytes_max: u32,
    },
    /// The adapter offers no such call.
    #[error("the operator offers no call for {call}")]
    NotOffered {
        /// The call.
        call: &'static str,
    },
}
