//! Room `edge::dossier`: the one place that calls a receiver of events over the network.
//!
//! In: a [`SignedEvent`]. Out: an [`EventAnswer`]. One send is one request: nothing here retries, follows a redirect or
//! takes a proxy from the environment. A name is looked up by us, every address it has is judged, and the connection goes
//! to exactly these addresses, so that no second look-up can lead elsewhere. Where an outbound proxy is set, public
//! receivers are called through it and *it* looks their names up: then its own rules must keep private networks closed;
//! receivers in a private network are never called through it. Deliberately not here: any log of addresses or bodies.

mod target;
#[cfg(test)]
mod tests;

pub use target::{URL_BYTES_MAX, UrlRefused, check_url};

use super::address::place;
use super::{EventAnswer, EventSender, Reach, SendFailure, SignedEvent};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Longest `Retry-After` kept, in bytes; an HTTP date has 29.
const RETRY_AFTER_BYTES_MAX: usize = 64;
/// How to call receivers.
#[derive(Clone)]
pub struct ClientSettings {
    /// Limit for name look-up, TCP and TLS together, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Address of an outbound proxy for public receivers, which may hold a password.
    pub proxy: Option<String>,
    /// Certificate authorities trusted beside the system's, each text one or more PEM blocks.
    pub extra_ca_pem: Vec<Vec<u8>>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 10_000,
            proxy: None,
            extra_ca_pem: Vec::new(),
            user_agent: concat!("hoibao/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("proxy", &self.proxy.is_some())
            .field("extra_ca", &self.extra_ca_pem.len())
            .finish_non_exhaustive()
    }
}

/// Why no client can be made from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientSetupError {
    /// The proxy's address cannot be read.
    #[error("the outbound proxy is not an address")]
    Proxy,
    /// An extra certificate authority is no PEM certificate.
    #[error("extra certificate authority number {number} is not a PEM certificate")]
    ExtraCa {
        /// Its place in the settings, from 1.
        number: usize,
    },
    /// The HTTP client refused its settings.
    #[error("the HTTP client could not be set up")]
    Client,
}

/// Calls receivers with reqwest over HTTP/1.1, each time on a fresh connection.
pub struct EventClient {
    public: Client,
    private: Client,
}

impl fmt::Debug for EventClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventClient").finish_non_exhaustive()
    }
}

impl EventClient {
    /// A client with these settings.
    ///
    /// # Errors
    /// [`ClientSetupError`] names the setting at fault.
    pub fn new(settings: &ClientSettings) -> Result<Self, ClientSetupError> {
        Self::with_look_up(settings, &system_look_up())
    }

    fn with_look_up(settings: &ClientSettings, look_up: &LookUp) -> Result<Self, ClientSetupError> {
        // A second installation is refused with the provider handed back; the first one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let extra_ca = extra_authorities(&settings.extra_ca_pem)?;
        let guarded = |reach| {
            base_builder(settings).dns_resolver(Guard {
                reach,
                look_up: Arc::clone(look_up),
            })
        };
        let proxied = settings.proxy.as_deref().map(Proxy::all).transpose();
        let proxy = proxied.map_err(|_unreadable| ClientSetupError::Proxy)?;
        let public = || match &proxy {
            // The only name this client itself looks up is the proxy's, which lies where the administrator put it.
            Some(proxy) => base_builder(settings).proxy(proxy.clone()),
            None => guarded(Reach::Public),
        };
        Ok(Self {
            public: build(&public, &extra_ca)?,
            private: build(&|| guarded(Reach::Private), &extra_ca)?,
        })
    }

    async fn perform(&self, event: &SignedEvent) -> EventAnswer {
        // The rules may have become stricter since somebody subscribed; and an address in figures is never looked up.
        let Ok(url) = target::parse(&event.url, event.reach) else {
            return EventAnswer::Failed(SendFailure::AddressNotAllowed);
        };
        let client = match event.reach {
            Reach::Public => &self.public,
            Reach::Private => &self.private,
        };
        let sent = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", event.timestamp_s.to_string())
            .header("webhook-signature", &event.signature)
            .body(event.body.clone())
            .timeout(Duration::from_millis(event.timeout_ms))
            .send()
            .await;
        match sent {
            Ok(response) => read_answer(&response),
            Err(error) => EventAnswer::Failed(classify(&error)),
        }
    }
}

impl EventSender for EventClient {
    fn send<'a>(&'a self, event: &'a SignedEvent) -> Pin<Box<dyn Future<Output = EventAnswer> + Send + 'a>> {
        Box::pin(self.perform(event))
    }
}

fn extra_authorities(pem_texts: &[Vec<u8>]) -> Result<Vec<Certificate>, ClientSetupError> {
    let mut all = Vec::new();
    for (index, pem) in pem_texts.iter().enumerate() {
        let fault = ClientSetupError::ExtraCa { number: index + 1 };
        let found = Certificate::from_pem_bundle(pem).map_err(|_unreadable| fault)?;
        if found.is_empty() {
            return Err(fault);
        }
        all.extend(found);
    }
    Ok(all)
}

fn base_builder(settings: &ClientSettings) -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        // A fresh connection each: one that the receiver closes in the same moment would look like a failed send, and
        // the name is judged anew.
        .pool_max_idle_per_host(0)
        .user_agent(settings.user_agent.as_str())
        .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
}

/// The system's authorities are loaded when the client is built, and their absence is an error there. A machine that
/// only talks to itself needs none: it gets a client that trusts nobody over https.
fn build(make: &dyn Fn() -> ClientBuilder, extra_ca: &[Certificate]) -> Result<Client, ClientSetupError> {
    match make().tls_certs_merge(extra_ca.iter().cloned()).build() {
        Ok(client) => Ok(client),
        Err(_no_authorities) if extra_ca.is_empty() => make()
            .tls_certs_only(Vec::new())
            .build()
            .map_err(|_refused| ClientSetupError::Client),
        Err(_refused) => Err(ClientSetupError::Client),
    }
}

type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// How a name is looked up; tests answer for themselves.
type LookUp = Arc<dyn Fn(String) -> Looking + Send + Sync>;

fn system_look_up() -> LookUp {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// A name leads to an address where no receiver of this reach may lie.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not allowed")]
struct NotAllowed;

/// Looks names up for the connector and lets only allowed addresses through.
struct Guard {
    reach: Reach,
    look_up: LookUp,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = (self.look_up)(name.as_str().to_owned());
        let reach = self.reach;
        Box::pin(async move {
            let found = looking.await?;
            // One bad address among good ones is no slip of the pen: the whole name is refused.
            if !found.iter().all(|address| place(*address).is_allowed(reach)) {
                return Err(NotAllowed.into());
            }
            // Port 0 stands for the URL's own.
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}

/// Status and `Retry-After` alone: the body is left unread, however long, and the connection is given up with it.
fn read_answer(response: &reqwest::Response) -> EventAnswer {
    let status = response.status().as_u16();
    let retry_after: Option<String> = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .map(|value| value.chars().take(RETRY_AFTER_BYTES_MAX).collect());
    match status {
        200..=299 => EventAnswer::Taken,
        410 => EventAnswer::Gone,
        429 => EventAnswer::Throttled { retry_after },
        503 if retry_after.is_some() => EventAnswer::Throttled { retry_after },
        status => EventAnswer::Refused { status },
    }
}

fn classify(error: &reqwest::Error) -> SendFailure {
    let mut refused = false;
    let mut tls = false;
    let mut nobody = false;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        refused |= current.is::<NotAllowed>();
        tls |= current.is::<rustls::Error>();
        let io = current.downcast_ref::<io::Error>();
        nobody |= io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused);
        // An I/O error hides the error it wraps from `source`, so it is asked for directly.
        cause = match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    if refused {
        SendFailure::AddressNotAllowed
    } else if !error.is_connect() {
        if error.is_timeout() {
            SendFailure::Timeout
        } else {
            SendFailure::ConnectionBroke
        }
    } else if error.is_dns() {
        SendFailure::NameNotResolved
    } else if error.is_timeout() {
        SendFailure::ConnectTimeout
    } else if tls {
        SendFailure::TlsFailed
    } else if nobody {
        SendFailure::ConnectionRefused
    } else {
        SendFailure::NoConnection
    }
}
