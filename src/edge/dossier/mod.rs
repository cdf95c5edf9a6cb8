//! Room `edge::dossier`: dossier systems as receivers of signed events.
//!
//! In: a [`SignedEvent`]. Out: what the receiver answered, as a value. Signing and the rules for addresses are pure;
//! one client calls. Deliberately not here: which event is due and when to try again (`stage::feed`), and what stands in
//! an event (`domain::event`).

pub mod address;
pub mod client;
pub mod signature;

use std::pin::Pin;

/// Where a receiver may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// On the public internet only, over https.
    Public,
    /// In a private network or on this machine too, also over plain http: an administrator said so for this receiver.
    Private,
}

/// One event, signed for one send.
pub struct SignedEvent {
    /// Address of the receiver; may hold a secret of its own in its path.
    pub url: String,
    /// Where the receiver may lie.
    pub reach: Reach,
    /// `webhook-id`: the same in every send of the event.
    pub id: String,
    /// `webhook-timestamp`: of this send, Unix seconds.
    pub timestamp_s: i64,
    /// `webhook-signature`, of id, timestamp and body.
    pub signature: String,
    /// The bytes sent, JSON.
    pub body: Vec<u8>,
    /// Limit of the whole send: name, connection, request and answer, milliseconds.
    pub timeout_ms: u64,
}

impl std::fmt::Debug for SignedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedEvent")
            .field("id", &self.id)
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

/// What came of one send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventAnswer {
    /// 2xx: the receiver has it.
    Taken,
    /// 410: the receiver wants no more events.
    Gone,
    /// 429, or 503 with a time: the receiver asks us to wait.
    Throttled {
        /// `Retry-After` as sent.
        retry_after: Option<String>,
    },
    /// Any other status, redirects among them; it was not taken.
    Refused {
        /// The status.
        status: u16,
    },
    /// No answer. It may have been received all the same, and is sent again under the same id.
    Failed(SendFailure),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// The address is none that may be called, or its name leads to one.
    AddressNotAllowed,
    /// The name cannot be resolved.
    NameNotResolved,
    /// Nobody listens there.
    ConnectionRefused,
    /// No connection within its limit.
    ConnectTimeout,
    /// The receiver's certificate or its TLS is not acceptable.
    TlsFailed,
    /// No connection, for another reason.
    NoConnection,
    /// No answer within the limit.
    Timeout,
    /// The connection ended without an answer.
    ConnectionBroke,
}

impl SendFailure {
    /// The word kept beside the event and shown to administrators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address_not_allowed",
            Self::NameNotResolved => "name_not_resolved",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::TlsFailed => "tls_failed",
            Self::NoConnection => "no_connection",
            Self::Timeout => "timeout",
            Self::ConnectionBroke => "connection_broke",
        }
    }
}

/// The way out to receivers of events.
pub trait EventSender: Send + Sync {
    /// Sends one event once: no retry, no redirect. Never longer than its limit.
    fn send<'a>(&'a self, event: &'a SignedEvent) -> Pin<Box<dyn Future<Output = EventAnswer> + Send + 'a>>;
}
