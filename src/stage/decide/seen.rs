//! Stage decide: a shipment as a person sees it, with a digest over its facts.
//!
//! In: an open transaction. Out: row, facts, folds, queue row, attempts, account. The digest covers the identity of every
//! fact: whoever decides names what was looked at, and is refused when more is known by then. Deliberately not here:
//! what follows from it (`rules`).

use super::refusal::{DecideError, Refusal};
use crate::domain::capability::Capabilities;
use crate::domain::custody::{self, Custody, CustodyFact};
use crate::domain::delivery::{self, Delivery, DeliveryFact, FactId};
use crate::domain::id::{OfficeId, ShipmentId};
use crate::edge::store::attempt::{self, AttemptRow};
use crate::edge::store::queue::{self, QueueRow, QueueState};
use crate::edge::store::shipment::{self, ShipmentRow};
use crate::edge::store::{StoreError, Tx, account};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Shortest form of a digest in which a person may name it, hexadecimal digits.
const SHORT_DIGITS: usize = 12;

/// What a person looked at: the digest over all facts, whole or its first digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsSeen(String);

impl FactsSeen {
    /// Reads 12 to 64 hexadecimal digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let fits =
            (SHORT_DIGITS..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then_some(Self(text))
    }

    /// The short form of a digest.
    pub fn short(digest: &[u8; 32]) -> String {
        hex(digest).chars().take(SHORT_DIGITS).collect()
    }

    pub(super) fn is(&self, digest: &[u8; 32]) -> bool {
        hex(digest).starts_with(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('?');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

/// What is being asked of the operator about a shipment this very moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Nothing.
    None,
    /// An order is being created: its outcome is awaited, no decision may cross it.
    Creating,
    /// A doubt is being looked up: harmless, a decision makes its answer void.
    LookingUp,
}

/// A shipment as a person sees it.
pub(super) struct Seen {
    pub(super) row: ShipmentRow,
    pub(super) capabilities: Capabilities,
    pub(super) facts: Vec<DeliveryFact>,
    pub(super) custody_facts: Vec<CustodyFact>,
    pub(super) delivery: Delivery,
    pub(super) custody: Custody,
    pub(super) queue: Option<QueueRow>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) digest: [u8; 32],
}

/// Reads a shipment and keeps others from moving it until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, id: ShipmentId) -> Result<Seen, DecideError> {
    let row = shipment::lock(tx, id).await?.ok_or(Refusal::UnknownShipment)?;
    Ok(read(tx, row).await?)
}

/// Reads a shipment without holding it.
pub(super) async fn find(tx: &mut Tx, id: ShipmentId) -> Result<Seen, DecideError> {
    let row = shipment::find(tx, id).await?.ok_or(Refusal::UnknownShipment)?;
    Ok(read(tx, row).await?)
}

async fn read(tx: &mut Tx, row: ShipmentRow) -> Result<Seen, StoreError> {
    let id = row.id;
    let facts = shipment::delivery_facts(tx, id).await?;
    let custody_facts = shipment::custody_facts(tx, id).await?;
    let delivery = delivery::fold(&facts);
    let custody = custody::fold(&custody_facts, &delivery);
    let account = account::account(tx, row.account).await?;
    Ok(Seen {
        digest: digest(&facts, &custody_facts),
        capabilities: account
            .ok_or(StoreError::Corrupt {
                place: "shipment.account_id",
            })?
            .capabilities,
        queue: queue::find(tx, id).await?,
        attempts: attempt::list(tx, id).await?,
        row,
        facts,
        custody_facts,
        delivery,
        custody,
    })
}

/// SHA-256 over the identities of all facts, which hold nothing personal; their order does not matter.
fn digest(facts: &[DeliveryFact], custody_facts: &[CustodyFact]) -> [u8; 32] {
    let delivery: BTreeSet<FactId> = facts.iter().map(|fact| fact.id).collect();
    let custody: BTreeSet<FactId> = custody_facts.iter().map(|fact| fact.id).collect();
    let mut digest = Sha256::new();
    digest.update(b"hoibao/seen/v1");
    for (kind, ids) in [(1_u8, delivery), (2, custody)] {
        for id in ids {
            digest.update([kind]);
            digest.update(id.0);
        }
    }
    digest.finalize().into()
}

impl Seen {
    /// Whether an office has to do with this shipment.
    pub(super) fn is_of(&self, office: OfficeId) -> bool {
        let offices = self.row.offices;
        [
            offices.sending,
            offices.receiving,
            offices.deciding,
            offices.return_to,
        ]
        .contains(&office)
    }

    /// Attempts that may have reached the operator, and nobody knows yet.
    pub(super) fn open(&self) -> impl Iterator<Item = &AttemptRow> {
        self.attempts.iter().filter(|attempt| attempt.is_open())
    }

    /// Dispatch commits the attempt in the transaction that takes the lease; resolve makes none.
    pub(super) fn call(&self) -> Call {
        let Some(row) = self.queue.as_ref().filter(|row| row.state == QueueState::Leased) else {
            return Call::None;
        };
        let creating =
            |attempt: &AttemptRow| attempt.ended_at.is_none() && attempt.lease_token == row.lease_token;
        if self.attempts.iter().any(creating) {
            Call::Creating
        } else {
            Call::LookingUp
        }
    }
}
