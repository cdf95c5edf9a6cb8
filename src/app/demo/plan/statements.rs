//! Room `app::demo`: what a dossier's system states, and when.
//!
//! In: drafts. Out: dossiers with codes and statements. Deliberately not here: how they reach the gateway.

use super::days::{Days, EVENING_MINUTE, MINUTE_MS};
use super::drafts::{Draft, Moment};
use super::{Door, Dossier, Sort, Stated};
use crate::app::demo::dice::Dice;
use crate::app::demo::places::CENTRES;
use crate::app::demo::procedures::{Desk, PROCEDURES};
use crate::domain::dossier::{ReturnBy, SubmittedBy};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// How many dossiers of a thousand come by `PUT`, the others by the file of the day.
const BY_PUT: u32 = 20;

/// Writes every draft out.
pub(super) fn write(days: &Days, dice: &mut Dice, drafts: &[Draft]) -> Vec<Dossier> {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    // Running numbers follow the order of receipt.
    order.sort_by_key(|place| drafts.get(*place).map(|draft| draft.received));
    let mut codes = Codes::default();
    let mut by_place: BTreeMap<usize, String> = BTreeMap::new();
    for place in order {
        if let Some(draft) = drafts.get(place) {
            by_place.insert(place, codes.next(days, draft));
        }
    }
    drafts
        .iter()
        .enumerate()
        .map(|(place, draft)| {
            let code = by_place.remove(&place).unwrap_or_default();
            dossier(days, dice, draft, code)
        })
        .collect()
}

/// Running numbers by office and day.
#[derive(Default)]
struct Codes(BTreeMap<(usize, usize, usize), u32>);

impl Codes {
    /// `H49.31-260105-0001` on the province's system, `10.05-20260105-1000001` on the ministry's.
    fn next(&mut self, days: &Days, draft: &Draft) -> String {
        let source = source_of(draft);
        let number = self
            .0
            .entry((source, draft.centre, draft.received.0))
            .or_default();
        *number += 1;
        let date = days.date(draft.received.0);
        let (year, month, day) = (date.year(), date.month(), date.day());
        if source == 1 {
            return format!("10.05-{year:04}{month:02}{day:02}-10{number:05}");
        }
        let identifier = CENTRES
            .get(draft.centre)
            .map_or("H49", |centre| centre.identifier);
        format!("{identifier}-{:02}{month:02}{day:02}-{number:04}", year % 100)
    }
}

fn source_of(draft: &Draft) -> usize {
    usize::from(
        PROCEDURES
            .get(draft.procedure)
            .is_some_and(|procedure| procedure.desk == Desk::Land),
    )
}

fn dossier(days: &Days, dice: &mut Dice, draft: &Draft, code: String) -> Dossier {
    let script = Script { days, draft };
    // What changes over time is stated at each change; a file of the day would show only its last state.
    let changes = !matches!(
        draft.sort,
        Sort::Usual | Sort::FinishedAfter | Sort::ReceivedAfter | Sort::FinishedBefore
    );
    let submitted_by = match (draft.online, dice.hits(20)) {
        (true, _) => SubmittedBy::Online,
        (false, true) => SubmittedBy::Post,
        (false, false) => SubmittedBy::Direct,
    };
    let electronic = draft.online && dice.hits(350);
    let waits = dice.hits(80);
    let before = draft.received.0 < days.quarter().start;
    Dossier {
        sort: draft.sort,
        code,
        source: source_of(draft),
        centre: draft.centre,
        procedure: draft.procedure,
        submitted_by,
        received_at: script.at(draft.received),
        door: if (changes || dice.hits(BY_PUT)) && !before {
            Door::Put
        } else {
            Door::File
        },
        statements: script.statements(electronic, waits),
        withdrawn_at: script.withdrawn_at(),
        envelope: None,
    }
}

/// Writes the statements of one draft.
struct Script<'a> {
    days: &'a Days,
    draft: &'a Draft,
}

impl Script<'_> {
    fn at(&self, (day, minute): Moment) -> Timestamp {
        self.days.at(day, minute)
    }

    /// In work, at the moment of receipt.
    fn in_work(&self, return_by: ReturnBy) -> Stated {
        Stated {
            at: self.at(self.draft.received),
            status: 4,
            return_by,
            due_at: self.at(self.draft.due),
            finished_at: None,
            returned_at: None,
            duplicate: false,
        }
    }

    fn finished(&self, first: &Stated, moment: Moment) -> Stated {
        let at = self.at(moment);
        Stated {
            at,
            status: 9,
            finished_at: Some(at),
            ..first.clone()
        }
    }

    /// Given out by the source's own word: at the counter, or electronically.
    fn given_out(finished: &Stated, after_ms: i64) -> Stated {
        let at = finished.at.plus_ms(after_ms);
        Stated {
            at,
            status: 10,
            returned_at: Some(at),
            ..finished.clone()
        }
    }

    fn statements(&self, electronic: bool, waits: bool) -> Vec<Stated> {
        let way = match (self.draft.post, electronic) {
            (true, _) => ReturnBy::Post,
            (false, true) => ReturnBy::Online,
            (false, false) => ReturnBy::Counter,
        };
        let first = self.in_work(way);
        let Some(moment) = self.draft.finished else {
            return vec![first];
        };
        let finished = self.finished(&first, moment);
        match self.draft.sort {
            Sort::Usual
            | Sort::FinishedBefore
            | Sort::FinishedAfter
            | Sort::ReceivedAfter
            | Sort::DueExact => self.usual(first, finished, waits),
            Sort::WithdrawnEarly | Sort::WithdrawnLate => vec![first, finished],
            Sort::Duplicate => {
                let marked = Stated {
                    duplicate: true,
                    ..finished
                };
                vec![first, marked]
            }
            Sort::Dropped => vec![first, self.dropped(&finished)],
            Sort::PostToCounter => {
                let first = self.in_work(ReturnBy::Post);
                let last = Self::given_out(
                    &self.finished(&self.in_work(ReturnBy::Counter), moment),
                    MINUTE_MS,
                );
                vec![first, last]
            }
            Sort::CounterToPost => vec![self.in_work(ReturnBy::Counter), finished],
            Sort::FinishMovedOut | Sort::FinishMovedIn => self.moved(first, &finished),
            Sort::DueExtended => {
                let early = (self.draft.received.0 + 1, EVENING_MINUTE);
                let hasty = Stated {
                    due_at: self.at(early),
                    ..first.clone()
                };
                let extended = Stated {
                    at: self.at((early.0, 9 * 60)),
                    ..first
                };
                vec![hasty, extended, Self::given_out(&finished, MINUTE_MS)]
            }
        }
    }

    /// In work, finished; by post it stays there, else it is given out the same hour or, in some cases, days later.
    fn usual(&self, first: Stated, finished: Stated, waits: bool) -> Vec<Stated> {
        if self.draft.post {
            return vec![first, finished];
        }
        if !waits {
            return vec![first, Self::given_out(&finished, MINUTE_MS)];
        }
        let day = self.draft.finished.map_or(0, |(day, _)| day) + 2;
        let later = self.at((day, 9 * 60 + 30)).since_ms(finished.at);
        let given = Self::given_out(&finished, later);
        vec![first, finished, given]
    }

    /// Turned down, withdrawn or stopped, with every other field like a result that goes by post.
    fn dropped(&self, finished: &Stated) -> Stated {
        let status = match self.draft.received.1 % 3 {
            0 => 3,
            1 => 7,
            _ => 8,
        };
        Stated {
            status,
            ..finished.clone()
        }
    }

    /// The finish is stated on one side of the quarter's end, and corrected to the other side days later.
    fn moved(&self, first: Stated, last_word: &Stated) -> Vec<Stated> {
        let end = self.days.quarter().end;
        let (stated, meant) = if self.draft.sort == Sort::FinishMovedOut {
            // Stated as finished on the quarter's last afternoon.
            (
                (end - 1, 16 * 60 + 50),
                self.draft.finished.unwrap_or((end, 10 * 60)),
            )
        } else {
            (
                (end + 1, 9 * 60),
                self.draft.finished.unwrap_or((end - 1, 10 * 60)),
            )
        };
        let wrong = self.finished(&first, stated);
        let corrected_on = stated.0.max(meant.0) + 1;
        let at = self.at((corrected_on, 10 * 60));
        let corrected = Stated {
            at,
            status: 10,
            returned_at: Some(at),
            ..last_word.clone()
        };
        vec![first, wrong, corrected]
    }

    fn withdrawn_at(&self) -> Option<Timestamp> {
        let (day, _) = self.draft.finished?;
        match self.draft.sort {
            // The day before it is finished, when nothing is registered.
            Sort::WithdrawnEarly => Some(self.at((day - 1, 14 * 60))),
            // The morning after, when the envelope is packed and not yet handed over.
            Sort::WithdrawnLate => Some(self.at((day + 1, 11 * 60))),
            Sort::Usual
            | Sort::Duplicate
            | Sort::Dropped
            | Sort::FinishedBefore
            | Sort::FinishedAfter
            | Sort::ReceivedAfter
            | Sort::PostToCounter
            | Sort::CounterToPost
            | Sort::FinishMovedOut
            | Sort::FinishMovedIn
            | Sort::DueExtended
            | Sort::DueExact => None,
        }
    }
}
