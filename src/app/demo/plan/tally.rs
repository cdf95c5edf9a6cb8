//! Room `app::demo`: counting a plan up from what its dossiers state, by the rules of a report.
//!
//! In: planned dossiers. Out: [`Figures`]. It shares no code with how the plan is made, nor with the gateway's report:
//! three independent counts must agree. Deliberately not here: any quota.

use super::days::{QUARTER_END, QUARTER_START};
use super::{Dossier, Stated};
use crate::app::demo::figures::Figures;
use crate::domain::dossier::{ReturnBy, SubmittedBy};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// A rule that keeps a dossier out of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Filter {
    /// Second records of other dossiers.
    Duplicates,
    /// Turned down, withdrawn or stopped.
    Dropped,
    /// Received outside the quarter and not carried into it.
    ReceivedInQuarter,
    /// Finished outside the quarter.
    FinishedInQuarter,
    /// The postal choice was taken back.
    Withdrawn,
    /// Only the last statement counts.
    LastStatement,
    /// Only returns by post are by post.
    ByPost,
}

impl Filter {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Duplicates,
        Self::Dropped,
        Self::ReceivedInQuarter,
        Self::FinishedInQuarter,
        Self::Withdrawn,
        Self::LastStatement,
        Self::ByPost,
    ];
}

/// Which filters are in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filters(BTreeSet<Filter>);

impl Filters {
    /// Every one.
    pub(crate) fn all() -> Self {
        Self(Filter::ALL.into_iter().collect())
    }

    /// These but for one.
    pub(crate) fn without(mut self, filter: Filter) -> Self {
        self.0.remove(&filter);
        self
    }

    fn has(&self, filter: Filter) -> bool {
        self.0.contains(&filter)
    }
}

/// Counts dossiers up.
pub(crate) fn count(dossiers: &[Dossier], filters: &Filters) -> Figures {
    let mut figures = Figures::default();
    for dossier in dossiers {
        let stated = if filters.has(Filter::LastStatement) {
            dossier.statements.last()
        } else {
            dossier.statements.first()
        };
        let Some(stated) = stated else { continue };
        let dropped = matches!(stated.status, 3 | 7 | 8);
        if (filters.has(Filter::Duplicates) && stated.duplicate) || (filters.has(Filter::Dropped) && dropped)
        {
            continue;
        }
        add(&mut figures, dossier, stated, filters);
    }
    figures
}

fn add(figures: &mut Figures, dossier: &Dossier, stated: &Stated, filters: &Filters) {
    let start = Timestamp::start_of(QUARTER_START);
    let end = Timestamp::start_of(QUARTER_END);
    let in_quarter = |at: Timestamp| at >= start && at < end;
    let carried = dossier.received_at < start && stated.finished_at.is_none_or(|at| at >= start);
    let new = in_quarter(dossier.received_at);
    if new || carried || !filters.has(Filter::ReceivedInQuarter) {
        figures.received += 1;
        figures.received_new += u32::from(!carried);
        figures.carried_over += u32::from(carried);
        figures.online += u32::from(dossier.submitted_by == SubmittedBy::Online);
    }
    let Some(finished_at) = stated.finished_at else {
        return;
    };
    if filters.has(Filter::FinishedInQuarter) && !in_quarter(finished_at) {
        return;
    }
    figures.resolved += 1;
    figures.on_time += u32::from(finished_at <= stated.due_at);
    let by_post = stated.return_by == ReturnBy::Post || !filters.has(Filter::ByPost);
    let withdrawn = filters.has(Filter::Withdrawn) && dossier.withdrawn_at.is_some();
    figures.by_post += u32::from(by_post && !withdrawn);
}
