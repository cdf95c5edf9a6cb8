//! Room `stage`: bearer keys of dossier systems.
//!
//! In: a system's code, or a key as presented. Out: a new key, shown once and kept as a SHA-256 only; or who presented
//! it. A key has 256 random bits, so its plain hash cannot be guessed and finding the row by the hash tells nothing
//! about other keys. Each change is an entry of the journal. Deliberately not here: HTTP.

use crate::domain::id::{ApiKeyId, SourceId};
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::edge::store::record::Hand;
use crate::edge::store::{Command, StoreError, Tx, source};
use crate::stage::context::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How every key begins, so that scanners for leaked secrets can know it.
pub const KEY_PREFIX: &str = "hb_";

/// Why a key could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No dossier system of this code.
    #[error("there is no dossier system of this code")]
    NoSource,
    /// The machine gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// Who presented a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Which key.
    pub key: ApiKeyId,
    /// The dossier system the key acts for, and no other.
    pub source: SourceId,
    /// That system's code, as it stands in addresses.
    pub source_code: String,
}

/// A new key. `Debug` shows nothing of it.
#[derive(Debug)]
pub struct NewKey {
    /// Its identifier, for revoking it.
    pub id: ApiKeyId,
    /// The key itself: shown once, kept nowhere.
    pub key: Secret<String>,
}

fn hash(presented: &str) -> [u8; 32] {
    Sha256::digest(presented.as_bytes()).into()
}

/// Who presents this key; `None` for a key that is unknown or revoked.
///
/// # Errors
/// [`KeyError::Store`].
pub async fn authenticate(context: &Context, presented: &str) -> Result<Option<Caller>, KeyError> {
    let mut tx = context.store.snapshot().await?;
    let found = source::source_by_key(&mut tx, &hash(presented)).await?;
    Ok(found.map(|(key, source)| Caller {
        key,
        source: source.id,
        source_code: source.code,
    }))
}

/// Makes a key for the dossier system of this code.
///
/// # Errors
/// [`KeyError`].
pub async fn create_api_key(
    context: &Arc<Context>,
    source_code: &str,
    label: &str,
) -> Result<NewKey, KeyError> {
    let mut random = Zeroizing::new([0_u8; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(|_os| KeyError::NoRandomness)?;
    let key = Secret::new(format!(
        "{KEY_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(random.as_slice())
    ));
    let id = context
        .store
        .submit(Create {
            context: Arc::clone(context),
            source_code: source_code.to_owned(),
            label: label.to_owned(),
            key_hash: hash(key.expose()),
            now: context.clock.now(),
        })
        .await?;
    Ok(NewKey { id, key })
}

/// Revokes a key at once; `false` when it was not in force.
///
/// # Errors
/// [`KeyError::Store`].
pub async fn revoke_api_key(context: &Arc<Context>, id: ApiKeyId) -> Result<bool, KeyError> {
    context
        .store
        .submit(Revoke {
            context: Arc::clone(context),
            id,
            now: context.clock.now(),
        })
        .await
}

struct Create {
    context: Arc<Context>,
    source_code: String,
    label: String,
    key_hash: [u8; 32],
    now: Timestamp,
}

impl Command for Create {
    const NAME: &'static str = "create_api_key";
    type Output = ApiKeyId;
    type Error = KeyError;

    async fn run(&self, tx: &mut Tx) -> Result<ApiKeyId, KeyError> {
        let source = source::source_by_code(tx, &self.source_code).await?;
        let source = source.ok_or(KeyError::NoSource)?.id;
        let id = ApiKeyId::new(&*self.context.ids);
        source::insert_api_key(tx, id, source, &self.key_hash, &self.label, self.now).await?;
        let fields = changed(id, "created").bytes(Tag::Source, source.as_bytes());
        hand(&self.context, self.now)
            .append_system(tx, Kind::KeyChanged, fields)
            .await?;
        Ok(id)
    }
}

struct Revoke {
    context: Arc<Context>,
    id: ApiKeyId,
    now: Timestamp,
}

impl Command for Revoke {
    const NAME: &'static str = "revoke_api_key";
    type Output = bool;
    type Error = KeyError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, KeyError> {
        if !source::revoke_api_key(tx, self.id, self.now).await? {
            return Ok(false);
        }
        hand(&self.context, self.now)
            .append_system(tx, Kind::KeyChanged, changed(self.id, "revoked"))
            .await?;
        Ok(true)
    }
}

fn changed(id: ApiKeyId, word: &str) -> Fields {
    Fields::new()
        .bytes(Tag::Key, id.as_bytes())
        .ascii(Tag::Word, word)
}

fn hand(context: &Context, now: Timestamp) -> Hand<'_> {
    Hand {
        ids: &*context.ids,
        now,
        actor: Actor::ADMINISTRATOR,
        office: [0; 16],
    }
}
