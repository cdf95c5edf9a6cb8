//! Room `app::demo`: the plan of the quarter, before anything is written anywhere.
//!
//! In: a seed and a scale. Out: every dossier with what its system will state of it and when, and every envelope with
//! its addressee. The counts are those of [`Figures`], exactly, and each sort of [`Planted`] is there, so that a report
//! that drops any one of its filters shows other counts. Deliberately not here: acting on the plan (`drive`).

pub(super) mod days;
mod drafts;
mod envelopes;
mod statements;
#[cfg(test)]
pub(super) mod tally;

use super::dice::Dice;
use super::figures::{Figures, Planted, Scale};
use super::places::{Map, Units};
use crate::domain::calendar::{BeyondLoadedYears, CalendarError, Calendars};
use crate::domain::dossier::{ReturnBy, SubmittedBy};
use crate::domain::time::Timestamp;
use days::Days;

/// Why there is no plan. Tests prove that neither happens with the calendars that come with the program.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    /// A calendar file cannot be read.
    #[error("a calendar cannot be read")]
    Calendar(#[from] CalendarError),
    /// The calendars do not reach over the quarter.
    #[error("the calendars do not reach over the quarter")]
    Beyond(#[from] BeyondLoadedYears),
}

/// Why a dossier is in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// One of the quarter's own.
    Usual,
    /// [`Planted::duplicates`].
    Duplicate,
    /// [`Planted::dropped`].
    Dropped,
    /// [`Planted::withdrawn_early`].
    WithdrawnEarly,
    /// [`Planted::withdrawn_late`].
    WithdrawnLate,
    /// [`Planted::finished_before`].
    FinishedBefore,
    /// [`Planted::finished_after`].
    FinishedAfter,
    /// [`Planted::received_after`].
    ReceivedAfter,
    /// [`Planted::post_to_counter`].
    PostToCounter,
    /// [`Planted::counter_to_post`].
    CounterToPost,
    /// [`Planted::finish_moved_out`].
    FinishMovedOut,
    /// [`Planted::finish_moved_in`].
    FinishMovedIn,
    /// [`Planted::due_extended`].
    DueExtended,
    /// [`Planted::due_exact`].
    DueExact,
}

/// By which door a statement comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// The system's file of the day.
    File,
    /// `PUT` of the JSON API.
    Put,
}

/// What a dossier's system states at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    /// When, by the system's own clock.
    pub(super) at: Timestamp,
    pub(super) status: u8,
    pub(super) return_by: ReturnBy,
    pub(super) due_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) returned_at: Option<Timestamp>,
    pub(super) duplicate: bool,
}

/// One dossier.
#[derive(Clone, Debug)]
pub(super) struct Dossier {
    pub(super) sort: Sort,
    pub(super) code: String,
    /// Place in [`SOURCES`].
    pub(super) source: usize,
    /// Place in `places::CENTRES`.
    pub(super) centre: usize,
    /// Place in `places::PROCEDURES`.
    pub(super) procedure: usize,
    pub(super) submitted_by: SubmittedBy,
    pub(super) received_at: Timestamp,
    pub(super) door: Door,
    /// In order of time; the last one is what holds in the end.
    pub(super) statements: Vec<Stated>,
    /// When the citizen takes the postal choice back.
    pub(super) withdrawn_at: Option<Timestamp>,
    /// Place in [`Plan::envelopes`].
    pub(super) envelope: Option<usize>,
}

impl Dossier {
    /// What holds in the end.
    pub(super) fn last(&self) -> Option<&Stated> {
        self.statements.last()
    }
}

/// What is wrong with an addressee at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A telephone number that the operator refuses: its shipment is held for a person.
    Phone,
    /// A ward that no longer exists: refused when it is registered, never a shipment before it is corrected.
    Ward,
    /// A commune by the name it had before it became a phường: its shipment is held for a person.
    Unit,
}

/// Somebody to send to.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) line: String,
    pub(super) note: Option<&'static str>,
    pub(super) units: Units,
}

/// One envelope: dossiers of one addressee that are finished on one day.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    /// Places in [`Plan::dossiers`].
    pub(super) dossiers: Vec<usize>,
    pub(super) centre: usize,
    pub(super) source: usize,
    pub(super) recipient: Recipient,
    pub(super) trouble: Option<Trouble>,
    /// What the citizen says when asked: the recipient corrected. `None`: cannot be reached.
    pub(super) corrected: Option<Recipient>,
    pub(super) grams: u32,
    /// When everything in it is finished.
    pub(super) finished_at: Timestamp,
}

/// Code and name of the dossier systems.
pub(super) const SOURCES: [(&str, &str); 2] = [
    ("qni", "Hệ thống giải quyết TTHC tỉnh (giả lập)"),
    ("dat-dai", "Hệ thống TTHC ngành đất đai (giả lập)"),
];

/// Everything that will happen on the side of citizens and dossier systems.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) figures: Figures,
    pub(super) days: Days,
    pub(super) dossiers: Vec<Dossier>,
    pub(super) envelopes: Vec<Envelope>,
}

impl Plan {
    /// Plans a quarter.
    ///
    /// # Errors
    /// When the calendars that come with the program do not reach over it; a test proves that they do.
    pub(super) fn new(seed: u64, scale: Scale) -> Result<Self, PlanError> {
        let days = Days::new(&Calendars::built_in()?.office)?;
        let figures = Figures::at(scale);
        let mut drafts = drafts::base(&days, seed, figures, Planted::at(scale));
        let counts = (figures.by_post, Planted::at(scale).counter_to_post);
        let mut groups = envelopes::by_post(&days, &mut Dice::new(seed, 20), &mut drafts, counts);
        drafts::settle(&days, &mut Dice::new(seed, 30), &mut drafts, figures);
        drafts::planted(&days, &mut Dice::new(seed, 40), &mut drafts, Planted::at(scale));
        envelopes::singles(&mut groups, &drafts);
        let mut dossiers = statements::write(&days, &mut Dice::new(seed, 50), &drafts);
        let envelopes = envelopes::fill(&Map::built_in(), &mut Dice::new(seed, 60), &groups, &mut dossiers);
        Ok(Self {
            seed,
            figures,
            days,
            dossiers,
            envelopes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::tally::{Filter, Filters};
    use super::*;
    use crate::app::demo::procedures::PROCEDURES;
    use crate::domain::dossier_code::{CodeShape, DossierCode};
    use std::collections::BTreeSet;

    fn each(check: impl Fn(&Plan)) {
        for seed in [1, 7, 2_026] {
            check(&Plan::new(seed, "0.01".parse().unwrap()).unwrap());
        }
        check(&Plan::new(3, "0.002".parse().unwrap()).unwrap());
        check(&Plan::new(3, "0.1".parse().unwrap()).unwrap());
    }

    /// Three seeds at full volume and at a hundredth, counted by a tally that knows nothing of how the plan was made.
    #[test]
    fn the_plan_has_exactly_the_articles_counts() {
        for seed in [1, 7, 2_026] {
            let plan = Plan::new(seed, Scale::FULL).unwrap();
            assert_eq!(tally::count(&plan.dossiers, &Filters::all()), Figures::ARTICLE);
        }
        each(|plan| assert_eq!(tally::count(&plan.dossiers, &Filters::all()), plan.figures));
    }

    /// Whatever single filter is dropped, some figure is another.
    #[test]
    fn dropping_any_one_filter_changes_a_figure() {
        each(|plan| {
            for filter in Filter::ALL {
                let counted = tally::count(&plan.dossiers, &Filters::all().without(filter));
                assert_ne!(counted, plan.figures, "{filter:?} has no effect");
            }
        });
    }

    #[test]
    fn dossiers_are_received_and_finished_on_working_days_in_order() {
        each(|plan| {
            let open = |at: Timestamp| {
                let number = plan.days.on_or_after(at.local_date());
                plan.days.date(number) == at.local_date() && (7..18).contains(&at.local().hour())
            };
            for dossier in &plan.dossiers {
                assert!(open(dossier.received_at), "{:?}", dossier.sort);
                let mut last = dossier.received_at;
                assert!(!dossier.statements.is_empty());
                for stated in &dossier.statements {
                    assert!(stated.at >= last, "{dossier:?}");
                    assert!(stated.due_at >= dossier.received_at);
                    last = stated.at;
                    if let Some(at) = stated.finished_at {
                        assert!(
                            open(at) && at > dossier.received_at && at <= stated.at,
                            "{dossier:?}"
                        );
                    }
                    assert_eq!(stated.status == 10, stated.returned_at.is_some());
                }
            }
        });
    }

    #[test]
    fn codes_are_sound_and_unique_within_their_system() {
        each(|plan| {
            let mut seen = BTreeSet::new();
            for dossier in &plan.dossiers {
                let code = DossierCode::parse(&dossier.code).unwrap();
                assert_ne!(code.shape(), CodeShape::Unknown, "{}", dossier.code);
                assert_eq!(code.received_on(), Some(dossier.received_at.local_date()));
                assert!(seen.insert((dossier.source, dossier.code.clone())));
            }
        });
    }

    #[test]
    fn envelopes_hold_finished_dossiers_of_one_office_and_system() {
        each(|plan| {
            for (number, envelope) in plan.envelopes.iter().enumerate() {
                for place in &envelope.dossiers {
                    let dossier = &plan.dossiers[*place];
                    assert_eq!(dossier.envelope, Some(number));
                    assert_eq!(
                        (dossier.centre, dossier.source),
                        (envelope.centre, envelope.source)
                    );
                    let last = dossier.last().unwrap();
                    assert_eq!((last.status, last.return_by), (9, ReturnBy::Post));
                    assert!(last.finished_at.unwrap() <= envelope.finished_at);
                    assert!(PROCEDURES[dossier.procedure].by_post);
                }
                assert!(envelope.trouble.is_some() || envelope.corrected.is_none());
            }
            let several = plan
                .envelopes
                .iter()
                .filter(|envelope| envelope.dossiers.len() > 1);
            assert!(several.count() > 0, "some envelope holds several dossiers");
            let troubles: BTreeSet<_> = plan
                .envelopes
                .iter()
                .filter_map(|envelope| Some((envelope.trouble?, envelope.corrected.is_some())))
                .collect();
            assert_eq!(troubles.len(), 6, "{troubles:?}");
        });
    }

    #[test]
    fn the_same_seed_plans_the_same_quarter() {
        let codes = |seed| -> Vec<String> {
            let plan = Plan::new(seed, "0.01".parse().unwrap()).unwrap();
            plan.dossiers.into_iter().map(|dossier| dossier.code).collect()
        };
        assert_eq!(codes(5), codes(5));
        assert_ne!(codes(5), codes(6));
    }
}
