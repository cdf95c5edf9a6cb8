//! Room `stage`, report: the figures of a period, from the records.
//!
//! In: two civil days of Vietnam, perhaps an office. Out: dossiers received, resolved, on time, online, by post, and what
//! became of those by post, in dossiers and in envelopes; and an entry in the journal that says who drew which figures.
//! Deliberately not here: names, and any figure that a list of shipments would show better.
//!
//! Each rule that keeps a dossier out of a count is a [`Filter`], so that a test can drop it and see a figure change.

use super::context::Context;
use crate::domain::delivery::{DeliveryState, EventKind};
use crate::domain::dossier::{DossierStatus, ReturnBy, Statement, SubmittedBy};
use crate::domain::id::{DossierId, Ids, OfficeId, ShipmentId};
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::store::record::Hand;
use crate::edge::store::report::{self, CountedDossier, CountedShipment};
use crate::edge::store::{Command, StoreError, Tx, reference};
use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Dossiers read at one time.
const PAGE_ROWS: u32 = 1_000;

/// A period by its first and its last day, both within it, in Vietnam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    first: Date,
    last: Date,
}

impl Period {
    /// A period; `None` when it ends before it begins, or with the calendar itself.
    pub fn new(first: Date, last: Date) -> Option<Self> {
        (first <= last && last < Date::MAX).then_some(Self { first, last })
    }

    /// Its first instant, and the first one after it.
    fn bounds(self) -> (Timestamp, Timestamp) {
        let after = self.last.tomorrow().unwrap_or(self.last);
        (Timestamp::start_of(self.first), Timestamp::start_of(after))
    }
}

/// A rule that keeps a dossier out of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// Second records of other dossiers count nowhere.
    Duplicates,
    /// Turned down, withdrawn or stopped (3, 7, 8) count nowhere.
    Dropped,
    /// Received counts what was received in the period or carried into it.
    ReceivedInPeriod,
    /// Resolved counts what was finished in the period.
    FinishedInPeriod,
    /// A postal choice that was taken back is no return by post.
    Withdrawn,
    /// What the dossier system stated last is what holds.
    LastStatement,
    /// By post counts returns by post alone.
    ByPost,
}

impl Filter {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Duplicates,
        Self::Dropped,
        Self::ReceivedInPeriod,
        Self::FinishedInPeriod,
        Self::Withdrawn,
        Self::LastStatement,
        Self::ByPost,
    ];
}

/// The rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters(BTreeSet<Filter>);

impl Filters {
    /// Every one: the report.
    pub fn all() -> Self {
        Self(Filter::ALL.iter().copied().collect())
    }

    /// These but for one: no report, but the proof that the rule matters.
    #[must_use]
    pub fn without(mut self, filter: Filter) -> Self {
        self.0.remove(&filter);
        self
    }

    fn has(&self, filter: Filter) -> bool {
        self.0.contains(&filter)
    }
}

/// What became of results that go by post. Handed over is a count of its own; the others exclude each other, and add up
/// to all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fates {
    /// All of them. Of envelopes: those that were registered.
    pub all: u64,
    /// Handed to the operator, whatever came of it.
    pub handed_over: u64,
    /// In the addressee's hands, by proof of delivery.
    pub delivered: u64,
    /// Given out at the counter after all.
    pub collected: u64,
    /// Came back to the sender, and was not given out since.
    pub returned: u64,
    /// Stopped, contradictory or partial: waits for a person.
    pub held: u64,
    /// None of these yet.
    pub open: u64,
}

/// The figures of a period. But for `envelopes`, all count dossiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Received: new and carried over.
    pub received: u64,
    /// Received within the period.
    pub received_new: u64,
    /// Received before it and not finished when it began.
    pub carried_over: u64,
    /// Finished within the period.
    pub resolved: u64,
    /// Of them finished by the promised time, or without a promise.
    pub on_time: u64,
    /// Of those received, submitted online.
    pub online: u64,
    /// Of those resolved, with return by post, and what became of them.
    pub by_post: Fates,
    /// The envelopes in which they are or were last, and what became of these.
    pub envelopes: Fates,
}

/// A report: what was asked, and the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Code of the receiving office; all when absent.
    pub office: Option<String>,
    /// When it was drawn, RFC 3339.
    pub drawn_at: String,
    /// The figures.
    pub figures: Figures,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such office.
    #[error("there is no office with the code {0}")]
    OfficeUnknown(String),
}

/// Draws the report of a period, for all offices or for one by its code, and notes in the journal that it was drawn: the
/// period, how many dossiers were resolved, and a digest of the figures.
///
/// # Errors
/// [`ReportError`].
pub async fn draw(
    context: &Arc<Context>,
    actor: Actor,
    period: Period,
    office: Option<&str>,
) -> Result<Report, ReportError> {
    let now = context.clock.now();
    let mut tx = context.store.snapshot().await?;
    let found = match office {
        None => None,
        Some(code) => {
            let found = reference::office_by_code(&mut tx, code).await?;
            Some(found.ok_or_else(|| ReportError::OfficeUnknown(code.to_owned()))?)
        }
    };
    let office = found.as_ref().map(|office| office.id);
    let figures = count(&mut tx, period, office, &Filters::all()).await?;
    drop(tx);
    let entry = Drawn {
        ids: Arc::clone(&context.ids),
        now,
        actor,
        office,
        period,
        figures,
    };
    context.store.submit(entry).await?;
    Ok(Report {
        from: period.first.to_string(),
        to: period.last.to_string(),
        office: found.map(|office| office.code),
        drawn_at: now.to_rfc3339(),
        figures,
    })
}

/// Counts under a set of rules. A report is drawn with all of them.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn count(
    tx: &mut Tx,
    period: Period,
    office: Option<OfficeId>,
    filters: &Filters,
) -> Result<Figures, StoreError> {
    let mut counting = Counting {
        bounds: period.bounds(),
        filters,
        figures: Figures::default(),
        envelopes: BTreeSet::new(),
    };
    let mut after = DossierId::from_bytes([0; 16]);
    loop {
        let page = report::page(tx, after, office, PAGE_ROWS).await?;
        let Some(last) = page.last() else {
            return Ok(counting.figures);
        };
        let first = if filters.has(Filter::LastStatement) {
            BTreeMap::new()
        } else {
            report::first_statements(tx, after, last.id).await?
        };
        after = last.id;
        for dossier in &page {
            counting.add(dossier, first.get(&dossier.id));
        }
    }
}

/// What holds of a dossier, by its last statement or by its first.
struct View {
    status: Option<DossierStatus>,
    duplicate: bool,
    post: bool,
    online: bool,
    received_at: Timestamp,
    due_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl View {
    fn last(dossier: &CountedDossier) -> Self {
        let status = u8::try_from(dossier.status_stated).ok();
        Self {
            status: status.and_then(DossierStatus::new),
            duplicate: dossier.is_duplicate,
            // The folded way is the counter once the choice was taken back; only who had chosen the post can take it back.
            post: dossier.return_by == ReturnBy::Post.number() || dossier.post_withdrawn,
            online: dossier.submitted_by == SubmittedBy::Online.number(),
            received_at: dossier.received_at,
            due_at: dossier.due_at,
            finished_at: dossier.finished_at,
        }
    }

    fn first(statement: &Statement) -> Self {
        Self {
            status: Some(statement.status),
            duplicate: statement.duplicate,
            post: statement.return_by == ReturnBy::Post,
            online: statement.submitted_by == SubmittedBy::Online,
            received_at: statement.received_at,
            due_at: statement.due_at,
            finished_at: statement.finished_at,
        }
    }
}

struct Counting<'a> {
    bounds: (Timestamp, Timestamp),
    filters: &'a Filters,
    figures: Figures,
    envelopes: BTreeSet<ShipmentId>,
}

impl Counting<'_> {
    fn add(&mut self, dossier: &CountedDossier, first: Option<&Statement>) {
        let view = first.map_or_else(|| View::last(dossier), View::first);
        let dropped = view.status.is_some_and(DossierStatus::is_dropped);
        let out = (self.filters.has(Filter::Duplicates) && view.duplicate)
            || (self.filters.has(Filter::Dropped) && dropped);
        if out {
            return;
        }
        let (start, end) = self.bounds;
        let within = |at: Timestamp| at >= start && at < end;
        let carried = view.received_at < start && view.finished_at.is_none_or(|at| at >= start);
        let figures = &mut self.figures;
        if carried || within(view.received_at) || !self.filters.has(Filter::ReceivedInPeriod) {
            figures.received += 1;
            figures.carried_over += u64::from(carried);
            figures.received_new += u64::from(!carried);
            figures.online += u64::from(view.online);
        }
        let Some(finished_at) = view.finished_at else {
            return;
        };
        if self.filters.has(Filter::FinishedInPeriod) && !within(finished_at) {
            return;
        }
        figures.resolved += 1;
        figures.on_time += u64::from(view.due_at.is_none_or(|due| finished_at <= due));
        let by_post = view.post || !self.filters.has(Filter::ByPost);
        if by_post && !(self.filters.has(Filter::Withdrawn) && dossier.post_withdrawn) {
            self.add_by_post(dossier);
        }
    }

    fn add_by_post(&mut self, dossier: &CountedDossier) {
        let shipment = dossier.shipment.as_ref();
        // Given out at the counter without any shipment: the record itself says when.
        let at_counter = shipment.is_none() && dossier.returned_at.is_some();
        self.figures.by_post.add(shipment, at_counter);
        if let Some(shipment) = shipment
            && self.envelopes.insert(shipment.id)
        {
            self.figures.envelopes.add(Some(shipment), false);
        }
    }
}

impl Fates {
    fn add(&mut self, shipment: Option<&CountedShipment>, at_counter: bool) {
        self.all += 1;
        let handed_over = shipment.is_some_and(|shipment| shipment.handed_over_at.is_some());
        self.handed_over += u64::from(handed_over);
        let fate = match shipment {
            _ if at_counter => &mut self.collected,
            Some(shipment) if shipment.contested || shipment.partial => &mut self.held,
            Some(shipment) if shipment.delivered_at.is_some() => &mut self.delivered,
            Some(shipment) if shipment.collected_at.is_some() => &mut self.collected,
            Some(shipment) if shipment.state == DeliveryState::At(EventKind::Returned) => &mut self.returned,
            Some(shipment) if shipment.held && !shipment.state.is_final() => &mut self.held,
            Some(_) | None => &mut self.open,
        };
        *fate += 1;
    }
}

/// Notes that a report was drawn.
struct Drawn {
    ids: Arc<dyn Ids>,
    now: Timestamp,
    actor: Actor,
    office: Option<OfficeId>,
    period: Period,
    figures: Figures,
}

impl Drawn {
    /// SHA-256 over the figures as JSON: whoever has the report can show that it is the one drawn.
    fn digest(&self) -> [u8; 32] {
        let text = serde_json::to_vec(&self.figures).unwrap_or_default();
        Sha256::digest(text).into()
    }
}

impl Command for Drawn {
    const NAME: &'static str = "report_drawn";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let hand = Hand {
            ids: &*self.ids,
            now: self.now,
            actor: self.actor,
            office: self.office.map_or([0; 16], |office| *office.as_bytes()),
        };
        let resolved = i64::try_from(self.figures.resolved).unwrap_or(i64::MAX);
        let fields = Fields::new()
            .bytes(Tag::Evidence, &self.digest())
            .int(Tag::Count, resolved)
            .ascii(Tag::Word, &format!("{}..{}", self.period.first, self.period.last));
        hand.append_system(tx, Kind::ReportDrawn, fields).await
    }
}
