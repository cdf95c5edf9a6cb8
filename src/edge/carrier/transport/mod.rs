//! Room `edge::carrier`: the one place that calls a postal operator over the network.
//!
//! In: a [`WireRequest`] built by an adapter. Out: the answer's bytes, or a [`TransportFailure`] that says whether
//! the request can have reached the operator. One call is one request: nothing here retries, follows a redirect or
//! takes a proxy from the environment. Deliberately not here: what an answer means (adapters), when to call again
//! (the database's schedule), and any log of addresses, headers or bodies.

use super::{CallKind, Method, Transport, TransportFailure, WireRequest, WireResponse};
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, Url};
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// Longest `Retry-After` kept, in bytes; an HTTP date has 29.
const RETRY_AFTER_BYTES_MAX: usize = 64;
/// Hosts reached without a proxy: their bytes must not leave the machine.
const LOOPBACK_HOSTS: &str = "localhost,127.0.0.0/8,::1";

/// Whether an unencrypted call is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only to this machine itself.
    LoopbackOnly,
    /// Anywhere; for an operator behind an encrypted line of its own.
    Anywhere,
}

/// How to call operators.
#[derive(Clone)]
pub struct TransportSettings {
    /// Limit for name look-up, TCP and TLS together, in milliseconds. Keep it well below each request's own limit: a
    /// request that runs out of its own limit while connecting counts as possibly received.
    pub connect_timeout_ms: u64,
    /// Address of an outbound proxy, which may hold a password; loopback hosts are called without it.
    pub proxy: Option<String>,
    /// Certificate authorities trusted beside the system's, each text one or more PEM blocks.
    pub extra_ca_pem: Vec<Vec<u8>>,
    /// Longest answer to a submitting call, in bytes.
    pub submit_response_bytes_max: usize,
    /// Longest answer to a reading call, in bytes; unit lists and labels are long.
    pub read_response_bytes_max: usize,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Where plain http may go.
    pub plain_http: PlainHttp,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 10_000,
            proxy: None,
            extra_ca_pem: Vec::new(),
            submit_response_bytes_max: 1024 * 1024,
            read_response_bytes_max: 16 * 1024 * 1024,
            user_agent: concat!("hoibao/", env!("CARGO_PKG_VERSION")).to_owned(),
            plain_http: PlainHttp::LoopbackOnly,
        }
    }
}

impl fmt::Debug for TransportSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportSettings")
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("proxy", &self.proxy.is_some())
            .field("extra_ca", &self.extra_ca_pem.len())
            .field("plain_http", &self.plain_http)
            .finish_non_exhaustive()
    }
}

/// Why no transport can be made from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportSetupError {
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

/// Where the certificate authorities in force come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// The system's, and the extra ones if any.
    System,
    /// This machine has none and none is configured: https fails, plain http to loopback works.
    Nothing,
}

/// Calls operators with reqwest.
///
/// Submitting calls go over HTTP/1.1, each on a fresh connection that is not kept, so that one attempt is one
/// request. Reading calls share connections.
pub struct HttpTransport {
    submit: Client,
    read: Client,
    submit_response_bytes_max: usize,
    read_response_bytes_max: usize,
    plain_http: PlainHttp,
    trust: TrustSource,
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("plain_http", &self.plain_http)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// A transport with these settings. Must be made inside no particular runtime; calls need tokio's.
    ///
    /// # Errors
    /// [`TransportSetupError`] names the setting at fault.
    pub fn new(settings: &TransportSettings) -> Result<Self, TransportSetupError> {
        // A second installation is refused with the provider handed back; the first one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let extra_ca = extra_authorities(&settings.extra_ca_pem)?;
        let make_submit = || Ok(base_builder(settings)?.http1_only().pool_max_idle_per_host(0));
        let make_read = || base_builder(settings);
        let (submit, trust) = build_client(&make_submit, &extra_ca)?;
        let (read, _same) = build_client(&make_read, &extra_ca)?;
        if trust == TrustSource::Nothing {
            tracing::warn!("no certificate authorities found on this machine: calls over https will fail");
        }
        Ok(Self {
            submit,
            read,
            submit_response_bytes_max: settings.submit_response_bytes_max,
            read_response_bytes_max: settings.read_response_bytes_max,
            plain_http: settings.plain_http,
            trust,
        })
    }

    /// Where the certificate authorities come from; for `doctor`.
    pub const fn trust(&self) -> TrustSource {
        self.trust
    }

    async fn perform(&self, request: &WireRequest) -> Result<WireResponse, TransportFailure> {
        let url = allowed_url(&request.url, self.plain_http)?;
        let (client, bytes_max) = match request.kind {
            CallKind::Submit => (&self.submit, self.submit_response_bytes_max),
            CallKind::Read => (&self.read, self.read_response_bytes_max),
        };
        let mut builder = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).body(request.body.clone()),
        };
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = builder
            .timeout(Duration::from_millis(request.timeout_ms))
            .send()
            .await
            .map_err(|error| classify(&error))?;
        read_response(response, bytes_max).await
    }
}

impl Transport for HttpTransport {
    fn call<'a>(
        &'a self,
        request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        Box::pin(self.perform(request))
    }
}

fn extra_authorities(pem_texts: &[Vec<u8>]) -> Result<Vec<Certificate>, TransportSetupError> {
    let mut all = Vec::new();
    for (index, pem) in pem_texts.iter().enumerate() {
        let fault = TransportSetupError::ExtraCa { number: index + 1 };
        let found = Certificate::from_pem_bundle(pem).map_err(|_unreadable| fault)?;
        if found.is_empty() {
            return Err(fault);
        }
        all.extend(found);
    }
    Ok(all)
}

fn base_builder(settings: &TransportSettings) -> Result<ClientBuilder, TransportSetupError> {
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // By itself the client repeats a request that the server declined at protocol level: one layer retries, and
        // it is not this one.
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(settings.user_agent.as_str())
        .connect_timeout(Duration::from_millis(settings.connect_timeout_ms));
    if let Some(address) = &settings.proxy {
        let proxy = Proxy::all(address.as_str()).map_err(|_unreadable| TransportSetupError::Proxy)?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(LOOPBACK_HOSTS)));
    }
    Ok(builder)
}

/// The system's authorities are loaded when the client is built, and their absence is an error there. A machine that
/// only talks to itself needs none: it gets a client that trusts nobody over https.
fn build_client(
    make: &dyn Fn() -> Result<ClientBuilder, TransportSetupError>,
    extra_ca: &[Certificate],
) -> Result<(Client, TrustSource), TransportSetupError> {
    match make()?.tls_certs_merge(extra_ca.iter().cloned()).build() {
        Ok(client) => Ok((client, TrustSource::System)),
        Err(_no_authorities) if extra_ca.is_empty() => make()?
            .tls_certs_only(Vec::new())
            .build()
            .map(|client| (client, TrustSource::Nothing))
            .map_err(|_refused| TransportSetupError::Client),
        Err(_refused) => Err(TransportSetupError::Client),
    }
}

fn allowed_url(text: &str, plain_http: PlainHttp) -> Result<Url, TransportFailure> {
    let url = Url::parse(text).map_err(|_unreadable| never_left("address cannot be read"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if plain_http == PlainHttp::Anywhere || is_loopback(&url) => Ok(url),
        "http" => Err(never_left("plain http is allowed to this machine only")),
        _other => Err(never_left("address is neither http nor https")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

async fn read_response(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<WireResponse, TransportFailure> {
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .map(|value| value.chars().take(RETRY_AFTER_BYTES_MAX).collect());
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |bytes| bytes > bytes_max) {
        return Err(ambiguous("answer longer than the limit"));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(ambiguous("answer longer than the limit"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(WireResponse {
        status,
        retry_after,
        body,
    })
}

fn never_left(detail: &str) -> TransportFailure {
    TransportFailure::NeverLeft {
        detail: detail.to_owned(),
    }
}

fn ambiguous(detail: &str) -> TransportFailure {
    TransportFailure::Ambiguous {
        detail: detail.to_owned(),
    }
}

/// Only two kinds of failure prove that nothing was sent: the request could not be built, or there never was a
/// connection (name, TCP, proxy tunnel, TLS). All others may have happened after the last byte.
fn classify(error: &reqwest::Error) -> TransportFailure {
    if error.is_builder() {
        return never_left("request could not be built");
    }
    if error.is_connect() {
        return never_left(connect_detail(error));
    }
    if error.is_timeout() {
        return ambiguous("time limit reached");
    }
    if error.is_body() || error.is_decode() {
        return ambiguous("answer broke off");
    }
    ambiguous("connection ended without an answer")
}

fn connect_detail(error: &reqwest::Error) -> &'static str {
    if error.is_dns() {
        return "name could not be resolved";
    }
    if error.is_timeout() {
        return "no connection within the time limit";
    }
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return "tls handshake failed";
        }
        let io = current.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
            return "connection refused";
        }
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset) {
            return "connection reset before the request";
        }
        // An I/O error hides the error it wraps from `source`, so it is asked for directly.
        cause = match io.and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    "no connection"
}

#[cfg(test)]
mod tests;
