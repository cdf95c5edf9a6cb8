//! Stage decide: one shipment as a person looks at it before deciding.
//!
//! In: a shipment. Out: its facts in order with who said each, attempts, evidence by digest, earlier decisions, possible
//! answers. Personal data come only by [`reveal`], whose entry is committed before anything is shown. Deliberately not
//! here: the form on screen or terminal.

use super::By;
use super::answer::{Answer, READERS};
use super::refusal::{DecideError, Refusal};
use super::rules;
use super::seen::{self, Seen};
use crate::domain::custody::{Custody, CustodyFact};
use crate::domain::delivery::{self, Delivery, DeliveryFact, FactId};
use crate::domain::id::{AccountId, DecisionId, OfficeId, ShipmentId, SourceId, StaffId};
use crate::domain::journal::{Actor, ActorKind, Entry, Fields, Kind, Subject, SubjectKind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::store::attempt::AttemptRow;
use crate::edge::store::decision::{self, DecisionRow};
use crate::edge::store::decision_look::{self, EvidenceNote};
use crate::edge::store::queue::QueueState;
use crate::edge::store::record::{self, NewFacts};
use crate::edge::store::revision::{self, Revision};
use crate::edge::store::shipment::ShipmentRow;
use crate::edge::store::shipment_list::{self, NamedItem};
use crate::edge::store::{
    Command, StoreError, Tx, account, acting, journal, personal, reference, shipment_person, source,
};
use crate::stage::context::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries of one shipment read at most.
const ENTRIES_MAX: u32 = 5_000;

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A stage of this software, by itself or for the operator's word.
    Stage,
    /// A member of staff, by work login.
    Staff(String),
    /// A dossier system, by code.
    Source(String),
    /// A postal operator, by account.
    Operator(String),
    /// An administrator at the command line.
    Administrator,
    /// No entry tells.
    Unknown,
}

/// What a statement states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// About delivery.
    Delivery(DeliveryFact),
    /// About the paper.
    Custody(CustodyFact),
}

/// One fact with who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidFact {
    /// What.
    pub statement: Statement,
    /// Who.
    pub said: Said,
    /// When it was written down here.
    pub recorded_at: Option<Timestamp>,
    /// A decision set it aside.
    pub set_aside: bool,
}

impl SaidFact {
    /// Identity of the fact.
    pub const fn id(&self) -> FactId {
        match &self.statement {
            Statement::Delivery(fact) => fact.id,
            Statement::Custody(fact) => fact.id,
        }
    }

    /// When it happened, as its source states.
    pub const fn occurred_at(&self) -> Timestamp {
        match &self.statement {
            Statement::Delivery(fact) => fact.occurred_at,
            Statement::Custody(fact) => fact.occurred_at,
        }
    }
}

/// A decision with who took part in it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The row.
    pub row: DecisionRow,
    /// Who proposed, by work login.
    pub proposed_by: String,
    /// Who ruled, by work login.
    pub ruled_by: Option<String>,
}

/// One shipment, without personal data.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its row.
    pub row: ShipmentRow,
    /// Delivery, folded.
    pub delivery: Delivery,
    /// Custody, folded.
    pub custody: Custody,
    /// Operator account, by code.
    pub account: String,
    /// Codes of the receiving, deciding, sending and return office.
    pub offices: [String; 4],
    /// Where it stands in the queue.
    pub queue: Option<QueueState>,
    /// Its newest revision without the addressee.
    pub revision: Revision,
    /// Its documents by dossier code.
    pub items: Vec<NamedItem>,
    /// Every fact, by its time.
    pub facts: Vec<SaidFact>,
    /// Calls to the operator.
    pub attempts: Vec<AttemptRow>,
    /// Evidence, unopened.
    pub evidence: Vec<EvidenceNote>,
    /// Decisions so far.
    pub decisions: Vec<Decision>,
    /// Answers that fit now.
    pub possible: Vec<Answer>,
    /// Digest over all facts shown.
    pub facts_seen: [u8; 32],
}

/// Looks at a shipment.
///
/// # Errors
/// [`Refusal::UnknownShipment`], or the database.
pub async fn look(context: &Context, id: ShipmentId) -> Result<Look, DecideError> {
    let mut tx = context.store.snapshot().await?;
    let seen = seen::find(&mut tx, id).await?;
    let offices = seen.row.offices;
    let offices = [
        office_code(&mut tx, offices.receiving).await?,
        office_code(&mut tx, offices.deciding).await?,
        office_code(&mut tx, offices.sending).await?,
        office_code(&mut tx, offices.return_to).await?,
    ];
    let revision = revision::find(&mut tx, id, seen.row.revision).await?;
    let possible = rules::possible(&seen, DecisionId::new(&*context.ids), context.clock.now());
    let mut decisions = Vec::new();
    for row in decision_look::decisions(&mut tx, id).await? {
        decisions.push(Decision {
            proposed_by: login(&mut tx, row.proposed_by).await?,
            ruled_by: match row.approved_by {
                None => None,
                Some(staff) => Some(login(&mut tx, staff).await?),
            },
            row,
        });
    }
    Ok(Look {
        account: account_code(&mut tx, seen.row.account).await?,
        offices,
        queue: seen.queue.as_ref().map(|row| row.state),
        revision: revision.ok_or(StoreError::Corrupt {
            place: "shipment_revision",
        })?,
        items: shipment_list::named_items(&mut tx, id).await?,
        facts: facts(&mut tx, &seen).await?,
        evidence: decision_look::evidence(&mut tx, id).await?,
        decisions,
        possible,
        facts_seen: seen.digest,
        attempts: seen.attempts,
        delivery: seen.delivery,
        custody: seen.custody,
        row: seen.row,
    })
}

pub(super) async fn office_code(tx: &mut Tx, id: OfficeId) -> Result<String, StoreError> {
    let office = reference::office(tx, id).await?;
    Ok(office.ok_or(StoreError::Corrupt { place: "office" })?.code)
}

async fn account_code(tx: &mut Tx, id: AccountId) -> Result<String, StoreError> {
    let account = account::account(tx, id).await?;
    Ok(account.map_or_else(|| id.to_string(), |account| account.code))
}

pub(super) async fn login(tx: &mut Tx, staff: StaffId) -> Result<String, StoreError> {
    let login = decision_look::login(tx, staff).await?;
    Ok(login.unwrap_or_else(|| staff.to_string()))
}

/// Every fact by its time, then by when it was written down, with who said it.
async fn facts(tx: &mut Tx, seen: &Seen) -> Result<Vec<SaidFact>, StoreError> {
    let subject = Subject {
        kind: SubjectKind::Shipment,
        id: *seen.row.id.as_bytes(),
    };
    let mut said: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
    for bytes in journal::of_subject(tx, subject, ENTRIES_MAX).await? {
        let Ok(entry) = Entry::from_bytes(&bytes) else {
            return Err(StoreError::Corrupt {
                place: "journal.bytes",
            });
        };
        if let Some(id) = entry.fields.get_bytes(Tag::FactId) {
            said.insert(id.to_vec(), entry);
        }
    }
    let standing: BTreeSet<FactId> = delivery::standing_finals(&seen.facts)
        .iter()
        .map(|fact| fact.id)
        .collect();
    let mut names: BTreeMap<[u8; 16], Said> = BTreeMap::new();
    let mut facts = Vec::new();
    let delivery = seen.facts.iter().cloned().map(Statement::Delivery);
    for statement in delivery.chain(seen.custody_facts.iter().cloned().map(Statement::Custody)) {
        let (id, set_aside) = match &statement {
            Statement::Delivery(fact) => (fact.id, is_final(fact) && !standing.contains(&fact.id)),
            Statement::Custody(fact) => (fact.id, false),
        };
        let entry = said.get(id.0.as_slice());
        let who = match entry {
            None => Said::Unknown,
            Some(entry) => name(tx, entry.actor, &mut names).await?,
        };
        facts.push((
            entry.map_or(u64::MAX, |entry| entry.sequence),
            SaidFact {
                statement,
                said: who,
                recorded_at: entry.map(|entry| entry.recorded_at),
                set_aside,
            },
        ));
    }
    facts.sort_by_key(|(sequence, fact)| (fact.occurred_at(), *sequence));
    Ok(facts.into_iter().map(|(_, fact)| fact).collect())
}

fn is_final(fact: &DeliveryFact) -> bool {
    fact.body.stated().is_some_and(|(kind, _partial)| kind.is_final())
}

async fn name(tx: &mut Tx, actor: Actor, known: &mut BTreeMap<[u8; 16], Said>) -> Result<Said, StoreError> {
    if let Some(said) = known.get(&actor.id) {
        return Ok(said.clone());
    }
    let said = match actor.kind {
        ActorKind::Stage => return Ok(Said::Stage),
        ActorKind::Administrator => return Ok(Said::Administrator),
        ActorKind::Staff => Said::Staff(login(tx, StaffId::from_bytes(actor.id)).await?),
        ActorKind::Source => {
            let id = SourceId::from_bytes(actor.id);
            let system = source::source(tx, id).await?;
            Said::Source(system.map_or_else(|| id.to_string(), |system| system.code))
        }
        ActorKind::Operator => Said::Operator(account_code(tx, AccountId::from_bytes(actor.id)).await?),
    };
    known.insert(actor.id, said.clone());
    Ok(said)
}

/// The personal data of a shipment. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal {
    /// Name.
    pub name: String,
    /// All telephone numbers.
    pub phone: String,
    /// Street line.
    pub line: String,
    /// Commune and province as `set:code`.
    pub units: [String; 2],
    /// Note to the postman.
    pub note: Option<String>,
    /// Reasons of decisions, and why they were turned down.
    pub reasons: Vec<(DecisionId, String, Option<String>)>,
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Personal(..)")
    }
}

/// Opens the personal data of a shipment, once the entry that says so is committed.
///
/// # Errors
/// [`Refusal::NotAllowed`] without a reading role at one of its offices; [`Refusal::Erased`]; else the database.
pub async fn reveal(context: &Arc<Context>, by: By, shipment: ShipmentId) -> Result<Personal, DecideError> {
    let command = Reveal {
        context: Arc::clone(context),
        by,
        shipment,
    };
    context.store.submit(command).await
}

struct Reveal {
    context: Arc<Context>,
    by: By,
    shipment: ShipmentId,
}

impl Command for Reveal {
    const NAME: &'static str = "decide_reveal";
    type Output = Personal;
    type Error = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<Personal, DecideError> {
        let now = self.context.clock.now();
        let seen = seen::lock(tx, self.shipment).await?;
        if !acting::may_act(tx, (self.by.staff, self.by.office), now, READERS).await? {
            return Err(Refusal::NotAllowed.into());
        }
        if !seen.is_of(self.by.office) {
            return Err(Refusal::OtherOffice.into());
        }
        let key = personal::key(&self.context.store, tx, seen.row.record).await?;
        let revision = revision::find(tx, self.shipment, seen.row.revision).await?;
        let revision = revision.ok_or(StoreError::Corrupt {
            place: "shipment_revision",
        })?;
        let draft = shipment_person::revision_draft(tx, &key, &revision).await?;
        let mut reasons = Vec::new();
        for row in decision_look::decisions(tx, self.shipment).await? {
            let reason = decision::reason(tx, &key, row.id).await?.unwrap_or_default();
            reasons.push((row.id, reason, decision::ruling(tx, &key, row.id).await?));
        }
        let fields = Fields::new()
            .int(Tag::Revision, revision.revision.into())
            .bytes(Tag::Record, seen.row.record.as_bytes());
        let mut new = NewFacts::default();
        new.entries.push((Kind::PersonalDataShown, None, fields));
        let hand = self.by.hand(&self.context, now);
        record::shipment_facts(&self.context.store, tx, &hand, self.shipment, new).await?;
        let unit = |unit: &crate::domain::addressee::UnitDraft| format!("{}:{}", unit.set, unit.code);
        Ok(Personal {
            units: [unit(&draft.commune), unit(&draft.province)],
            name: draft.name,
            phone: draft.phone,
            line: draft.line,
            note: draft.note,
            reasons,
        })
    }
}
