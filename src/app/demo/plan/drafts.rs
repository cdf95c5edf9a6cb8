//! Room `app::demo`: which dossier is received when, whether and when it is finished, and what is odd about it.
//!
//! In: the quota. Out: drafts, from which statements are written. Deliberately not here: envelopes, statements.

use super::Sort;
use super::days::{Days, EVENING_MINUTE, open_minute};
use crate::app::demo::dice::Dice;
use crate::app::demo::figures::{Figures, Planted};
use crate::app::demo::places::some_centre;
use crate::app::demo::procedures::{Desk, PROCEDURES, some_procedure};
use std::ops::Range;

/// A moment as number of a working day and minute of it.
pub(super) type Moment = (usize, u32);

/// A dossier in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) sort: Sort,
    pub(super) procedure: usize,
    pub(super) centre: usize,
    pub(super) received: Moment,
    pub(super) finished: Option<Moment>,
    pub(super) due: Moment,
    pub(super) online: bool,
    /// Return by post, by the last word.
    pub(super) post: bool,
}

/// Days after the quarter on which dossiers are still received and finished, as seen by the demo.
const DAYS_AFTER: usize = 6;
/// How much of the dossiers carried over is resolved in the quarter, per mille.
const CARRIED_RESOLVED: u32 = 930;

impl Draft {
    fn new(dice: &mut Dice, received: Moment, post: bool) -> Self {
        let mut draft = Self {
            sort: Sort::Usual,
            procedure: 0,
            centre: 0,
            received,
            finished: None,
            due: received,
            online: false,
            post: false,
        };
        draft.ask_for(dice, post);
        draft
    }

    /// Chooses a procedure, and an office that decides it.
    pub(super) fn ask_for(&mut self, dice: &mut Dice, post: bool) {
        self.post = post;
        self.procedure = some_procedure(dice, post);
        let desk = PROCEDURES.get(self.procedure).map(|procedure| procedure.desk);
        let at_commune = desk == Some(Desk::Commune);
        self.centre = some_centre(dice, at_commune);
    }

    /// Working days that the procedure takes this time.
    fn term(&self, dice: &mut Dice) -> usize {
        let (least, most) = PROCEDURES
            .get(self.procedure)
            .map_or((0, 1), |procedure| procedure.days);
        usize::try_from(dice.between(least, most)).unwrap_or(1)
    }

    /// Finishes it after its term, but within `days`.
    fn finish_within(&mut self, dice: &mut Dice, days: &Range<usize>) {
        let term = self.term(dice);
        self.finished = Some(finish(dice, self.received, self.received.0 + term, days));
    }
}

/// A moment on `wanted`, or, when that lies outside `days`, on some day inside; never before `received`.
fn finish(dice: &mut Dice, received: Moment, wanted: usize, days: &Range<usize>) -> Moment {
    let first = days.start.max(received.0);
    let last = days.end.saturating_sub(1).max(first);
    let day = if (first..=last).contains(&wanted) {
        wanted
    } else if wanted < first {
        // Carried over: the backlog is worked off over the first two weeks.
        first + usize::try_from(dice.between(0, 9)).unwrap_or(0).min(last - first)
    } else {
        let width = u32::try_from(last - first).unwrap_or(0);
        last - usize::try_from(dice.between(0, width.min(9))).unwrap_or(0)
    };
    let minute = open_minute(dice);
    if day == received.0 && minute <= received.1 {
        (day, (received.1 + 5 + dice.between(0, 8)).min(EVENING_MINUTE - 1))
    } else {
        (day, minute)
    }
}

/// The dossiers that count, with what becomes of them; by post not yet chosen.
pub(super) fn base(days: &Days, seed: u64, figures: Figures, planted: Planted) -> Vec<Draft> {
    let mut dice = Dice::new(seed, 10);
    let quarter = days.quarter();
    let mut drafts: Vec<Draft> = Vec::new();
    let weights: Vec<u32> = quarter.clone().map(|number| busy(days, number)).collect();
    for _ in 0..figures.received_new {
        let day = quarter.start + dice.weighted(weights.iter().copied());
        let minute = open_minute(&mut dice);
        drafts.push(Draft::new(&mut dice, (day, minute), false));
    }
    // In order of receipt, so that what is still open at the end was received late.
    drafts.sort_by_key(|draft| draft.received);
    let mut carried = Vec::new();
    for _ in 0..figures.carried_over {
        let back = dice.between(1, 30).min(dice.between(1, 30));
        let day = quarter.start - usize::try_from(back).unwrap_or(1);
        let minute = open_minute(&mut dice);
        carried.push(Draft::new(&mut dice, (day, minute), false));
    }
    let open_total = figures.received - figures.resolved;
    let open_carried =
        (figures.carried_over - figures.carried_over * CARRIED_RESOLVED / 1_000).min(open_total);
    let open_new = open_total - open_carried;
    let mut latest: Vec<usize> = {
        let from = drafts
            .len()
            .saturating_sub(usize::try_from(open_new * 2).unwrap_or(0));
        (from..drafts.len()).collect()
    };
    dice.shuffle(&mut latest);
    latest.truncate(usize::try_from(open_new).unwrap_or(0));
    latest.sort_unstable();
    for (place, draft) in drafts.iter_mut().enumerate() {
        if latest.binary_search(&place).is_err() {
            draft.finish_within(&mut dice, &quarter);
        }
    }
    for draft in carried
        .iter_mut()
        .skip(usize::try_from(open_carried).unwrap_or(0))
    {
        draft.finish_within(&mut dice, &quarter);
    }
    drafts.extend(carried);
    dice.shuffle(&mut drafts);
    open_ones(days, &mut dice, &mut drafts, planted);
    resolved_ones(&mut dice, &mut drafts, planted, quarter.start);
    drafts
}

/// How busy a day is: Mondays and the days after Tết more than others.
fn busy(days: &Days, number: usize) -> u32 {
    let date = days.date(number);
    let monday = date.weekday() == jiff::civil::Weekday::Monday;
    let after_tet = date.month() == 2 && date.day() >= 23;
    let made_up = date.weekday() == jiff::civil::Weekday::Saturday;
    100 + 25 * u32::from(monday) + 35 * u32::from(after_tet) - 45 * u32::from(made_up)
}

/// What becomes of the dossiers that are open when the quarter ends.
fn open_ones(days: &Days, dice: &mut Dice, drafts: &mut [Draft], planted: Planted) {
    let end = days.quarter().end;
    let after = end..end + DAYS_AFTER;
    let mut left = [
        (Sort::FinishedAfter, planted.finished_after),
        (Sort::FinishMovedOut, planted.finish_moved_out),
    ];
    for draft in drafts.iter_mut().filter(|draft| draft.finished.is_none()) {
        if let Some((sort, count)) = left.iter_mut().find(|(_, count)| *count > 0) {
            *count -= 1;
            draft.sort = *sort;
            if draft.sort == Sort::FinishedAfter {
                draft.ask_for(dice, true);
            }
            let wanted = end + usize::try_from(dice.between(0, 3)).unwrap_or(0);
            draft.finished = Some(finish(dice, draft.received, wanted, &after));
        } else if dice.hits(450) {
            let wanted = end + usize::try_from(dice.between(0, 5)).unwrap_or(0);
            draft.finished = Some(finish(dice, draft.received, wanted, &after));
        }
    }
}

/// Marks what is odd about some of the resolved ones that were received on day `first` or later.
fn resolved_ones(dice: &mut Dice, drafts: &mut [Draft], planted: Planted, first: usize) {
    // With the least number of working days that gives room for a change of mind, or for a term that passes.
    let mut left = [
        (Sort::DueExtended, planted.due_extended, 3),
        (Sort::WithdrawnEarly, planted.withdrawn_early, 2),
        (Sort::WithdrawnLate, planted.withdrawn_late, 1),
        (Sort::PostToCounter, planted.post_to_counter, 1),
        (Sort::FinishMovedIn, planted.finish_moved_in, 1),
        (Sort::DueExact, planted.due_exact, 0),
    ];
    for draft in drafts.iter_mut().filter(|draft| draft.sort == Sort::Usual) {
        let Some(finished) = draft.finished else { continue };
        let days = finished.0 - draft.received.0;
        let found = left
            .iter_mut()
            .find(|(_, count, least)| *count > 0 && days >= *least && draft.received.0 >= first);
        let Some((sort, count, _)) = found else {
            continue;
        };
        *count -= 1;
        draft.sort = *sort;
        if matches!(draft.sort, Sort::WithdrawnEarly | Sort::WithdrawnLate) {
            draft.ask_for(dice, true);
        }
    }
}

/// Who applied online, who is late, and what was promised.
pub(super) fn settle(days: &Days, dice: &mut Dice, drafts: &mut [Draft], figures: Figures) {
    let quarter = days.quarter();
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    dice.shuffle(&mut order);
    order.truncate(usize::try_from(figures.online).unwrap_or(0));
    for place in order {
        if let Some(draft) = drafts.get_mut(place) {
            draft.online = true;
        }
    }
    let mut late = figures.resolved - figures.on_time;
    for draft in drafts.iter_mut() {
        let resolved = draft.finished.filter(|(day, _)| quarter.contains(day));
        let (least, most) = PROCEDURES
            .get(draft.procedure)
            .map_or((0, 1), |procedure| procedure.days);
        let nominal = usize::try_from(least.midpoint(most)).unwrap_or(1);
        let slack = usize::try_from(dice.between(0, 3)).unwrap_or(0);
        let evening = |day: usize| (day, EVENING_MINUTE);
        draft.due = match resolved {
            Some((day, _)) if late > 0 && day > draft.received.0 && may_be_late(draft) => {
                late -= 1;
                evening(day - 1)
            }
            Some(finished) if draft.sort == Sort::DueExact => finished,
            Some((day, _)) => evening(day.max(draft.received.0 + nominal) + slack),
            None => evening(draft.received.0 + nominal + 2 + slack),
        };
    }
    debug_assert_eq!(late, 0, "too few dossiers can be late");
}

const fn may_be_late(draft: &Draft) -> bool {
    matches!(
        draft.sort,
        Sort::Usual | Sort::CounterToPost | Sort::WithdrawnLate
    )
}

/// Adds what must not be counted at all.
pub(super) fn planted(days: &Days, dice: &mut Dice, drafts: &mut Vec<Draft>, planted: Planted) {
    let quarter = days.quarter();
    let inside = quarter.start + 6..quarter.end - 4;
    let width = u32::try_from(inside.len()).unwrap_or(1);
    for (sort, count) in [
        (Sort::Duplicate, planted.duplicates),
        (Sort::Dropped, planted.dropped),
    ] {
        for _ in 0..count {
            let day = inside.start + usize::try_from(dice.between(0, width - 1)).unwrap_or(0);
            let received = (day, open_minute(dice));
            let mut draft = Draft::new(dice, received, true);
            draft.sort = sort;
            draft.online = true;
            let wanted = day + 1 + draft.term(dice);
            let finished = finish(dice, received, wanted, &quarter);
            draft.finished = Some(finished);
            draft.due = (finished.0, EVENING_MINUTE);
            drafts.push(draft);
        }
    }
    for _ in 0..planted.finished_before {
        let back = usize::try_from(dice.between(5, 20)).unwrap_or(5);
        let received = (quarter.start - back, open_minute(dice));
        let mut draft = Draft::new(dice, received, true);
        let wanted = quarter.start - usize::try_from(dice.between(1, 2)).unwrap_or(1);
        draft.sort = Sort::FinishedBefore;
        draft.finished = Some(finish(dice, received, wanted, &(wanted..quarter.start)));
        draft.due = (quarter.start, EVENING_MINUTE);
        drafts.push(draft);
    }
    for number in 0..planted.received_after {
        let day = quarter.end + usize::try_from(dice.between(0, 2)).unwrap_or(0);
        let received = (day, open_minute(dice));
        // The first one by post, so that there is one at any scale.
        let post = number == 0 || dice.hits(120);
        let mut draft = Draft::new(dice, received, post);
        draft.sort = Sort::ReceivedAfter;
        draft.online = dice.hits(480);
        let wanted = day + usize::try_from(dice.between(0, 2)).unwrap_or(0);
        draft.finished = Some(finish(
            dice,
            received,
            wanted,
            &(quarter.end..quarter.end + DAYS_AFTER),
        ));
        draft.due = (day + 3, EVENING_MINUTE);
        drafts.push(draft);
    }
}
