//! Room `app::demo`: what people and dossier systems will do, and when.
//!
//! In: the plan. Out: acts by half hours; more come up on the way. Deliberately not here: doing them.

use crate::app::demo::plan::days::{Days, MINUTE_MS, QUARTER_START};
use crate::app::demo::plan::{Door, Plan, Sort};
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Something a person or a system does. Acts of one moment are done in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// The systems' files of the day: dossier and statement, by system.
    File(Vec<(usize, usize)>),
    /// A statement by `PUT`: dossier and statement.
    State(usize, usize),
    /// The citizen takes the postal choice back.
    Withdraw(usize),
    /// An envelope is registered, with the address corrected or not.
    Register {
        /// Which.
        envelope: usize,
        /// How often before.
        again: u32,
        /// With what the citizen said when asked.
        corrected: bool,
    },
    /// The papers of a shipment come to the desk.
    PaperIn(usize),
    /// The clerk looks at what the postman brought back, and hears who got what.
    Round,
    /// The clerk calls citizens whose shipment is held.
    Ask,
    /// What a citizen said about a held shipment is written down: shipment.
    Correct(usize),
    /// Everything in the cupboard is packed.
    Pack,
    /// The hand-over lists are closed.
    Close,
    /// A citizen comes for a result that was never sent: dossier.
    CollectDossier(usize),
    /// A citizen comes for a result that was to be sent, or came back: shipment.
    CollectParcel(usize),
    /// Somebody who is not the operator calls the callback address.
    Forge,
}

/// Half an hour: people's acts are done at such marks.
const SLOT_MS: i64 = 30 * MINUTE_MS;
/// A working day's routine: minute of the day and act.
const ROUTINE: [(u32, Act); 6] = [
    (8 * 60 + 30, Act::Round),
    (10 * 60 + 30, Act::Ask),
    (14 * 60, Act::Pack),
    (15 * 60 + 30, Act::Close),
    (16 * 60 + 30, Act::Round),
    (20 * 60, Act::Forge),
];
/// When the systems write their file of the day.
const FILE_MINUTE: u32 = 17 * 60 + 30;
/// When results that came by file are registered for the post.
const REGISTER_MINUTE: u32 = 18 * 60;
/// Working days of routine after the quarter.
const DAYS_AFTER: usize = 30;

/// Acts by time.
#[derive(Debug, Default)]
pub(crate) struct Agenda(BTreeMap<Timestamp, Vec<Act>>);

impl Agenda {
    /// Everything that the plan already knows.
    pub(crate) fn new(plan: &Plan, start: Timestamp) -> Self {
        let mut agenda = Self::default();
        agenda.files(plan, start);
        for (number, dossier) in plan.dossiers.iter().enumerate() {
            if dossier.door == Door::Put {
                for (place, stated) in dossier.statements.iter().enumerate() {
                    agenda.add(stated.at, Act::State(number, place));
                }
            }
            if let Some(at) = dossier.withdrawn_at {
                agenda.add(at, Act::Withdraw(number));
                if dossier.sort == Sort::WithdrawnEarly {
                    let finished = dossier.last().and_then(|stated| stated.finished_at);
                    let morning = next_morning(&plan.days, finished.unwrap_or(at));
                    agenda.add(morning.plus_ms(2 * 3_600_000), Act::CollectDossier(number));
                }
            }
        }
        for (envelope, content) in plan.envelopes.iter().enumerate() {
            let by_file = content
                .dossiers
                .iter()
                .filter_map(|place| plan.dossiers.get(*place))
                .any(|dossier| dossier.door == Door::File);
            let evening = Timestamp::start_of(content.finished_at.local_date())
                .plus_ms(i64::from(REGISTER_MINUTE) * MINUTE_MS);
            let at = if by_file {
                evening
            } else {
                content.finished_at.plus_ms(20 * MINUTE_MS)
            };
            let act = Act::Register {
                envelope,
                again: 0,
                corrected: false,
            };
            agenda.add(at.max(start.plus_ms(SLOT_MS)), act);
        }
        let days = plan.days.quarter();
        for day in days.start..days.end + DAYS_AFTER {
            for (minute, act) in ROUTINE {
                agenda.add(plan.days.at(day, minute), act);
            }
        }
        agenda
    }

    /// One file at the start with everything before it, then one each working evening; the last word of each dossier.
    fn files(&mut self, plan: &Plan, start: Timestamp) {
        let mut by_day: BTreeMap<Timestamp, BTreeMap<usize, usize>> = BTreeMap::new();
        for (number, dossier) in plan.dossiers.iter().enumerate() {
            if dossier.door != Door::File {
                continue;
            }
            for (place, stated) in dossier.statements.iter().enumerate() {
                let at = if stated.at < start {
                    start
                } else {
                    Timestamp::start_of(stated.at.local_date()).plus_ms(i64::from(FILE_MINUTE) * MINUTE_MS)
                };
                by_day.entry(at).or_default().insert(number, place);
            }
        }
        for (at, rows) in by_day {
            self.add(at, Act::File(rows.into_iter().collect()));
        }
    }

    /// Puts an act at the next half hour.
    pub(crate) fn add(&mut self, at: Timestamp, act: Act) {
        let slots = at.as_ms().saturating_add(SLOT_MS - 1).div_euclid(SLOT_MS);
        self.0
            .entry(Timestamp::from_ms(slots.saturating_mul(SLOT_MS)))
            .or_default()
            .push(act);
    }

    /// When the next act is.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.0.keys().next().copied()
    }

    /// Everything up to `now`, in the order of the day.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> VecDeque<Act> {
        let mut due = VecDeque::new();
        while let Some(entry) = self.0.first_entry()
            && *entry.key() <= now
        {
            let mut acts = entry.remove();
            acts.sort();
            due.extend(acts);
        }
        due
    }
}

/// Eight o'clock of the first working day after the day of `at`.
pub(crate) fn next_morning(days: &Days, at: Timestamp) -> Timestamp {
    let tomorrow = at.local_date().tomorrow().unwrap_or(QUARTER_START);
    days.at(days.on_or_after(tomorrow), 8 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_done_at_half_hours_in_the_order_of_the_day() {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        let mut agenda = Agenda::default();
        agenda.add(at("2026-01-05T08:01:00+07:00"), Act::Close);
        agenda.add(at("2026-01-05T08:30:00+07:00"), Act::State(1, 0));
        agenda.add(at("2026-01-05T08:31:00+07:00"), Act::Ask);
        assert_eq!(agenda.next_at(), Some(at("2026-01-05T08:30:00+07:00")));
        assert!(agenda.take_due(at("2026-01-05T08:29:59+07:00")).is_empty());
        let due = agenda.take_due(at("2026-01-05T08:30:00+07:00"));
        assert_eq!(due, [Act::State(1, 0), Act::Close]);
        assert_eq!(agenda.next_at(), Some(at("2026-01-05T09:00:00+07:00")));
    }

    /// Each statement reaches the gateway, by one door, none before it was made, and each envelope is registered once.
    #[test]
    fn every_last_word_and_every_envelope_is_on_the_agenda() {
        let plan = Plan::new(3, "0.01".parse().unwrap()).unwrap();
        let start = plan
            .days
            .at(plan.days.quarter().start, 6 * 60)
            .plus_ms(-4 * 86_400_000);
        let mut agenda = Agenda::new(&plan, start);
        let mut heard: BTreeMap<usize, usize> = BTreeMap::new();
        let mut registered = 0;
        while let Some(now) = agenda.next_at() {
            for act in agenda.take_due(now) {
                registered += usize::from(matches!(act, Act::Register { .. }));
                let mut rows = Vec::new();
                if let Act::State(dossier, place) = act {
                    rows.push((dossier, place));
                } else if let Act::File(file) = act {
                    rows = file;
                }
                for (dossier, place) in rows {
                    assert!(plan.dossiers[dossier].statements[place].at <= now);
                    heard.insert(dossier, place);
                }
            }
        }
        assert_eq!(registered, plan.envelopes.len());
        for (number, dossier) in plan.dossiers.iter().enumerate() {
            assert_eq!(heard.get(&number), Some(&(dossier.statements.len() - 1)));
        }
    }
}
