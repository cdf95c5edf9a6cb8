//! Room `stage`, audit: everything rebuilt from the journal's bytes alone, and compared with the tables.
//!
//! In: a store. Out: counts, and what differs: entries that were changed, removed or added by themselves, facts and rows
//! that do not follow from the entries. All of it is read in one snapshot, so that whatever is written meanwhile makes no
//! difference. Deliberately not here: a history rewritten as a whole, which only a signed log can show, and any repair.
//!
//! Memory: shipments and dossiers are walked through side by side with their entries and facts in the order of their
//! identifiers, a page of each table and one subject's history at a time. What dossiers need of their shipments is kept
//! from the first walk to the second, about 300 bytes for each shipment. While the snapshot is open SQLite cannot shorten
//! its write-ahead file, and PostgreSQL keeps old rows.

mod compare;
mod dossiers;
mod findings;
mod history;
mod others;
mod shipments;
mod stream;

pub use findings::{Audit, Difference, DifferenceKind, LISTED_MAX};

use crate::domain::dossier::ShipmentView;
use crate::domain::id::DossierId;
use crate::edge::store::{Store, StoreError, audit};
use findings::Findings;

/// How far an audit has come, in journal entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries read.
    pub done: u64,
    /// Entries there are.
    pub total: u64,
}

/// What dossiers need of their shipments, by dossier.
#[derive(Debug, Default)]
struct Views {
    views: Vec<ShipmentView>,
    /// Places in `views`, sorted by dossier once all are there.
    of: Vec<(DossierId, usize)>,
}

impl Views {
    fn add(&mut self, view: ShipmentView, mut dossiers: Vec<DossierId>) {
        dossiers.sort_unstable();
        dossiers.dedup();
        let place = self.views.len();
        self.views.push(view);
        self.of
            .extend(dossiers.into_iter().map(|dossier| (dossier, place)));
    }

    fn sort(&mut self) {
        self.of.sort_unstable();
    }

    fn of(&self, dossier: DossierId) -> Vec<ShipmentView> {
        let start = self.of.partition_point(|(other, _)| *other < dossier);
        self.of
            .iter()
            .skip(start)
            .take_while(|(other, _)| *other == dossier)
            .filter_map(|(_, place)| self.views.get(*place).cloned())
            .collect()
    }
}

/// Rebuilds every shipment, custody and dossier from the journal and compares. `progress` is told now and then.
///
/// # Errors
/// [`StoreError`] when the database cannot be read, or holds values of another type than its columns are for.
pub async fn recompute(store: &Store, progress: &(dyn Fn(Progress) + Sync)) -> Result<Audit, StoreError> {
    let mut tx = store.snapshot().await?;
    let total = audit::journal_count(&mut tx).await?;
    let mut findings = Findings::new(total, progress);
    let mut views = shipments::walk(&mut tx, &mut findings).await?;
    views.sort();
    dossiers::walk(&mut tx, &mut findings, &views).await?;
    others::walk(&mut tx, &mut findings).await?;
    Ok(findings.end())
}
