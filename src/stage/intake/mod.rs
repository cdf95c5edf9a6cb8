//! Room `stage`, intake: from a request with its key to a shipment in the queue.
//!
//! In: a draft with the idempotency key and the raw body it came in. Out, in one transaction: shipment, revision,
//! documents, queue row and journal; or every fault of the draft at once, and nothing changed. A key never expires: the
//! same key and body gives the same answer, another body is refused, and after erasure nothing is answered any more.
//! Deliberately not here: HTTP, and calling the operator.

mod check;
mod look;
mod write;

pub use look::{CancelAnswer, CancelReason, LIST_LIMIT_MAX, Listed, Look, Wanted, cancel, find, list};

use crate::domain::addressee::AddresseeDraft;
use crate::domain::fault::Fault;
use crate::domain::id::{RecordId, ShipmentId, SourceId};
use crate::domain::journal::{Actor, ActorKind};
use crate::domain::time::Timestamp;
use crate::edge::store::idempotency::{self, Kept};
use crate::edge::store::record::Hand;
use crate::edge::store::{Command, StoreError, Tx, personal, shipment};
use crate::stage::context::Context;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Most documents in one envelope.
pub const ITEMS_MAX: usize = 20;
/// Purpose of the keyed digest over a request's body.
const DIGEST_PURPOSE: &str = "idempotency";
/// How often a request that met another one is begun again.
const RACES_MAX: u32 = 5;

/// Who asks: a dossier system by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// Which system; it sees its own dossiers and shipments only.
    pub source: SourceId,
}

impl Registrar {
    const fn actor(self) -> Actor {
        Actor {
            kind: ActorKind::Source,
            id: *self.source.as_bytes(),
        }
    }
}

/// A key chosen by the caller, 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key; `None` when it is empty, too long or not printable ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        (printable && (1..=255).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

/// One document asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDraft {
    /// Code of the dossier.
    pub dossier: String,
    /// Which document of the dossier, from 1.
    pub document_no: i64,
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// As written in the request.
    Given(AddresseeDraft),
    /// As registered with the dossier.
    Registered,
}

/// Who pays the postage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostagePayer {
    /// The addressee.
    Citizen,
    /// The office.
    Office,
    /// A support programme.
    Support,
}

impl PostagePayer {
    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Office => "office",
            Self::Support => "support",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Citizen, Self::Office, Self::Support]
            .into_iter()
            .find(|payer| payer.as_str() == word)
    }
}

/// A shipment as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The documents, the lead dossier's first.
    pub items: Vec<ItemDraft>,
    /// Code of the office that sends.
    pub sending_office: String,
    /// Code of the office that takes an undelivered original back; the sending one if none.
    pub return_office: Option<String>,
    /// Code of the office that decided; the receiving one if none.
    pub deciding_office: Option<String>,
    /// Addressee.
    pub to: To,
    /// Grams.
    pub weight_grams: i64,
    /// Fee to collect from the addressee, whole đồng.
    pub collect_dong: i64,
    /// The operator's service; the account's default if none.
    pub service_code: Option<String>,
    /// Who pays.
    pub postage_payer: PostagePayer,
}

/// Why a request was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The draft is wrong; every fault is told.
    #[error("the request was refused for {} faults", .0.len())]
    Refused(Vec<Fault>),
    /// The key was used for another body.
    #[error("the idempotency key was used for another request")]
    OtherBody,
    /// What the key stood for was erased.
    #[error("what was registered under this key was erased")]
    Erased,
    /// Another request took the same key, number or document at the same moment.
    #[error("another request took the same place")]
    Raced,
}

/// The first answer to a registration; built from what never changes, so that it can be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Identifier.
    pub id: ShipmentId,
    /// Short number with check digit.
    pub short_number: String,
    /// Operator reference.
    pub reference: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The key was known; nothing was done this time.
    pub again: bool,
}

/// Registers a shipment, once per key.
///
/// # Errors
/// [`IntakeError`]. After a store error the same key and body may be sent again.
pub async fn register(
    context: &Arc<Context>,
    registrar: Registrar,
    key: &IdempotencyKey,
    body: &[u8],
    draft: &Draft,
) -> Result<Registered, IntakeError> {
    let mut raced = IntakeError::Raced;
    for _ in 0..RACES_MAX {
        let command = Register {
            context: Arc::clone(context),
            registrar,
            key: key.clone(),
            body: Zeroizing::new(body.to_vec()),
            draft: draft.clone(),
            now: context.clock.now(),
        };
        match context.store.submit(command).await {
            Err(error) if error.is_race() => raced = error,
            Err(IntakeError::Store(StoreError::Erased)) => return Err(IntakeError::Erased),
            answer => return answer,
        }
    }
    Err(raced)
}

impl IntakeError {
    /// Two requests met; the next try reads what the other one left.
    fn is_race(&self) -> bool {
        match self {
            Self::Raced => true,
            Self::Store(error) => {
                error.breaks("shipment_item") || error.breaks("reference") || error.breaks("idempotency")
            }
            Self::Refused(_) | Self::OtherBody | Self::Erased => false,
        }
    }

    /// Whether the same request may simply be sent again later.
    pub const fn may_retry(&self) -> bool {
        match self {
            Self::Raced | Self::Store(StoreError::CommitUnknown | StoreError::Closed) => true,
            Self::Store(error) => error.may_retry(),
            Self::Refused(_) | Self::OtherBody | Self::Erased => false,
        }
    }
}

struct Register {
    context: Arc<Context>,
    registrar: Registrar,
    key: IdempotencyKey,
    body: Zeroizing<Vec<u8>>,
    draft: Draft,
    now: Timestamp,
}

impl Command for Register {
    const NAME: &'static str = "register_shipment";
    type Output = Registered;
    type Error = IntakeError;

    async fn run(&self, tx: &mut Tx) -> Result<Registered, IntakeError> {
        let source = self.registrar.source;
        if let Some(kept) = idempotency::find(tx, source, &self.key.0).await? {
            return self.again(tx, &kept).await;
        }
        let store = &self.context.store;
        let record = RecordId::new(&*self.context.ids);
        let record_key = personal::create(store, tx, record, self.now, None).await?;
        let kept = Kept {
            shipment: ShipmentId::new(&*self.context.ids),
            record,
            body_digest: record_key.digest(DIGEST_PURPOSE, &self.body),
        };
        // Whoever comes second with the same key waits here for the first, and then starts anew.
        if !idempotency::take(tx, source, &self.key.0, &kept, self.now).await? {
            return Err(IntakeError::Raced);
        }
        let checked = check::check(&self.context, tx, source, &self.draft, self.now).await?;
        let hand = Hand {
            ids: &*self.context.ids,
            now: self.now,
            actor: self.registrar.actor(),
            office: *checked.sending.id.as_bytes(),
        };
        write::write(store, tx, &hand, (kept.shipment, &record_key, source), &checked).await
    }
}

impl Register {
    /// The first answer again, if the body is the same.
    async fn again(&self, tx: &mut Tx, kept: &Kept) -> Result<Registered, IntakeError> {
        let record_key = personal::key(&self.context.store, tx, kept.record).await?;
        if record_key.digest(DIGEST_PURPOSE, &self.body) != kept.body_digest {
            return Err(IntakeError::OtherBody);
        }
        let row = shipment::find(tx, kept.shipment).await?;
        let row = row.ok_or(StoreError::Corrupt {
            place: "idempotency.shipment_id",
        })?;
        Ok(Registered {
            id: row.id,
            short_number: row.short_number,
            reference: row.reference,
            registered_at: row.created_at,
            again: true,
        })
    }
}
