//! Room `stage`: receivers of signed events: subscribing, pausing, resuming.
//!
//! In: an administrator's wish. Out: rows of `endpoint`, each change with an entry of the journal. A signing secret has
//! 256 random bits, is shown once and kept sealed. A paused receiver goes on gathering events and gets them, in order,
//! once it is resumed. Deliberately not here: sending (`feed`).

use super::context::Context;
use crate::domain::id::EndpointId;
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::edge::dossier::Reach;
use crate::edge::dossier::client::{UrlRefused, check_url};
use crate::edge::dossier::signature::{KEY_BYTES, secret_text};
use crate::edge::store::endpoint::{self, Endpoint, EndpointOverview};
use crate::edge::store::record::Hand;
use crate::edge::store::{Command, StoreError, Tx, outbox, source};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why a receiver could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No dossier system of this code.
    #[error("there is no dossier system of this code")]
    NoSource,
    /// No receiver of this identifier.
    #[error("there is no receiver {0}")]
    NoEndpoint(EndpointId),
    /// Not an address for a receiver.
    #[error(transparent)]
    Url(#[from] UrlRefused),
    /// The machine gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// A new receiver. `Debug` shows nothing of the secret.
#[derive(Debug)]
pub struct Subscribed {
    /// Its identifier.
    pub id: EndpointId,
    /// The signing secret, `whsec_` and base64: shown once.
    pub secret: Secret<String>,
}

/// Subscribes a receiver to the events of a dossier system, from now on.
///
/// # Errors
/// [`EndpointError`].
pub async fn subscribe(
    context: &Arc<Context>,
    source_code: &str,
    url: &str,
    reach: Reach,
) -> Result<Subscribed, EndpointError> {
    check_url(url, reach)?;
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|_os| EndpointError::NoRandomness)?;
    let secret = secret_text(key.as_slice());
    let subscribe = Subscribe {
        context: Arc::clone(context),
        source_code: source_code.to_owned(),
        url: url.to_owned(),
        reach,
        key,
        now: context.clock.now(),
    };
    let id = context.store.submit(subscribe).await?;
    Ok(Subscribed { id, secret })
}

/// Every receiver with what lies in its outbox.
///
/// # Errors
/// [`EndpointError::Store`].
pub async fn list(context: &Context) -> Result<Vec<EndpointOverview>, EndpointError> {
    let mut tx = context.store.snapshot().await?;
    Ok(endpoint::overview(&mut tx).await?)
}

/// Whether events are sent to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// They wait.
    Paused,
    /// They are sent.
    On,
}

/// Pauses or resumes a receiver; `false` when it was so already.
///
/// # Errors
/// [`EndpointError::NoEndpoint`], or the store.
pub async fn set_sending(
    context: &Arc<Context>,
    id: EndpointId,
    sending: Sending,
) -> Result<bool, EndpointError> {
    let change = SetSending {
        context: Arc::clone(context),
        id,
        sending,
        now: context.clock.now(),
    };
    context.store.submit(change).await
}

struct Subscribe {
    context: Arc<Context>,
    source_code: String,
    url: String,
    reach: Reach,
    key: Zeroizing<[u8; KEY_BYTES]>,
    now: Timestamp,
}

impl Command for Subscribe {
    const NAME: &'static str = "endpoint_subscribe";
    type Output = EndpointId;
    type Error = EndpointError;

    async fn run(&self, tx: &mut Tx) -> Result<EndpointId, EndpointError> {
        let source = source::source_by_code(tx, &self.source_code).await?;
        let source = source.ok_or(EndpointError::NoSource)?.id;
        let id = EndpointId::new(&*self.context.ids);
        let keyring = self.context.store.keyring();
        let endpoint = Endpoint {
            id,
            source,
            url: self.url.clone(),
            secret_sealed: keyring.seal_secret("endpoint", id.as_bytes(), self.key.as_slice())?,
            active: true,
            private_allowed: self.reach == Reach::Private,
        };
        endpoint::insert_endpoint(tx, &endpoint, self.now).await?;
        let fields = changed(id, "endpoint_subscribed").bytes(Tag::Source, source.as_bytes());
        note(tx, &self.context, self.now, fields).await?;
        Ok(id)
    }
}

struct SetSending {
    context: Arc<Context>,
    id: EndpointId,
    sending: Sending,
    now: Timestamp,
}

impl Command for SetSending {
    const NAME: &'static str = "endpoint_set_sending";
    type Output = bool;
    type Error = EndpointError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, EndpointError> {
        if endpoint::endpoint(tx, self.id).await?.is_none() {
            return Err(EndpointError::NoEndpoint(self.id));
        }
        if !endpoint::set_endpoint_active(tx, self.id, self.sending == Sending::On).await? {
            return Ok(false);
        }
        let word = match self.sending {
            Sending::Paused => "endpoint_paused",
            Sending::On => {
                outbox::resume(tx, self.id, self.now).await?;
                "endpoint_resumed"
            }
        };
        note(tx, &self.context, self.now, changed(self.id, word)).await?;
        Ok(true)
    }
}

fn changed(id: EndpointId, word: &str) -> Fields {
    Fields::new()
        .bytes(Tag::Endpoint, id.as_bytes())
        .ascii(Tag::Word, word)
}

async fn note(tx: &mut Tx, context: &Context, now: Timestamp, fields: Fields) -> Result<(), StoreError> {
    let hand = Hand {
        ids: &*context.ids,
        now,
        actor: Actor::ADMINISTRATOR,
        office: [0; 16],
    };
    hand.append_system(tx, Kind::ConfigurationChanged, fields).await
}
