//! Room `domain`: the fold itself.
//!
//! In: facts about one shipment. Out: [`Delivery`]. Deliberately not here: how a fact is identified or written down.

use super::{AttemptOutcome, DeliveryFact, DeliveryState, EventKind, FactBody, FactId};
use crate::domain::id::AttemptId;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Delivery, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where the shipment stands.
    pub state: DeliveryState,
    /// Two finals contradict each other; a person must look.
    pub contested: bool,
    /// The final, or the last event, speaks of a part only.
    pub partial: bool,
    /// Sending is stopped, and why.
    pub held: Option<String>,
    /// Calls made to the operator's create door.
    pub attempts: u32,
    /// Visits of the postman, failed ones and the successful one.
    pub visits: u32,
    /// Raw code of the last failed visit.
    pub failure_code: Option<String>,
    /// Time of the operator's last word, as it states it.
    pub last_event_at: Option<Timestamp>,
    /// When the addressee got it, by the first delivery that still stands; a partial one does not count.
    pub delivered_at: Option<Timestamp>,
    /// When it came back to the sender, by the first return that still stands.
    pub returned_at: Option<Timestamp>,
    /// The operator has shown that the paper is in its hands.
    pub operator_had_paper: bool,
}

/// A final statement that no decision set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingFinal {
    /// The fact that states it.
    pub id: FactId,
    /// What it states.
    pub kind: EventKind,
    /// When, as its source states.
    pub at: Timestamp,
    /// It speaks of a part only.
    pub partial: bool,
}

/// The final statements that stand, in the order of the fold; of more than one kind: the delivery is contested.
pub fn standing_finals(facts: &[DeliveryFact]) -> Vec<StandingFinal> {
    events(&active(facts))
        .into_iter()
        .filter(|event| event.kind.is_final())
        .map(|event| StandingFinal {
            id: event.id,
            kind: event.kind,
            at: event.at,
            partial: event.partial,
        })
        .collect()
}

/// Each fact once, without those set aside, in the order of the fold.
fn active(facts: &[DeliveryFact]) -> Vec<&DeliveryFact> {
    let unique: BTreeMap<FactId, &DeliveryFact> = facts.iter().map(|fact| (fact.id, fact)).collect();
    let overridden = overridden(unique.values().copied());
    let mut active: Vec<&DeliveryFact> = unique
        .into_values()
        .filter(|fact| !overridden.contains(&fact.id))
        .collect();
    active.sort_by(|a, b| a.order().cmp(&b.order()));
    active
}

/// Folds facts into delivery. Any order, any repetition: the same result.
pub fn fold(facts: &[DeliveryFact]) -> Delivery {
    let active = active(facts);
    let events = events(&active);
    let booking = booking(&active);
    let finals: BTreeSet<EventKind> = events
        .iter()
        .filter(|event| event.kind.is_final())
        .map(|event| event.kind)
        .collect();
    let leading = events
        .iter()
        .find(|event| event.kind.is_final())
        .or_else(|| events.last());
    let state = match leading {
        Some(event) if event.kind.is_final() => DeliveryState::At(event.kind),
        _ if booking.cancel_pending => DeliveryState::CancelRequested,
        Some(event) => DeliveryState::At(event.kind),
        None => booking.state,
    };
    let failed = || {
        events
            .iter()
            .filter(|event| event.kind == EventKind::DeliveryFailed)
    };
    let first = |kind: EventKind| events.iter().find(|event| event.kind == kind && !event.partial);
    Delivery {
        state,
        contested: finals.len() > 1,
        partial: leading.is_some_and(|event| event.partial),
        held: booking.held,
        attempts: booking.attempts,
        visits: count(failed().count() + usize::from(finals.contains(&EventKind::Delivered))),
        failure_code: failed().next_back().map(|event| event.code.to_owned()),
        last_event_at: events.last().map(|event| event.at),
        delivered_at: first(EventKind::Delivered).map(|event| event.at),
        returned_at: first(EventKind::Returned).map(|event| event.at),
        operator_had_paper: events.iter().any(|event| event.kind.shows_operator_has_paper()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Facts set aside by decisions that stand. Only a later decision can set an earlier one aside.
fn overridden<'a>(facts: impl Iterator<Item = &'a DeliveryFact>) -> BTreeSet<FactId> {
    let mut decisions: Vec<(&DeliveryFact, &BTreeSet<FactId>)> = facts
        .filter_map(|fact| match &fact.body {
            FactBody::Decided { overrides, .. } => Some((fact, overrides)),
            FactBody::Queued
            | FactBody::AttemptStarted { .. }
            | FactBody::AttemptEnded { .. }
            | FactBody::FoundAtOperator { .. }
            | FactBody::AbsentAtOperator { .. }
            | FactBody::Held { .. }
            | FactBody::Released
            | FactBody::CancelAsked
            | FactBody::CancelRefused
            | FactBody::CancelledByUs
            | FactBody::Event { .. } => None,
        })
        .collect();
    decisions.sort_by(|a, b| b.0.order().cmp(&a.0.order()));
    let mut aside = BTreeSet::new();
    let mut later: BTreeSet<FactId> = BTreeSet::new();
    for (decision, overrides) in decisions {
        later.insert(decision.id);
        if !aside.contains(&decision.id) {
            aside.extend(overrides.difference(&later).copied());
        }
    }
    aside
}

struct Event<'a> {
    id: FactId,
    kind: EventKind,
    at: Timestamp,
    partial: bool,
    code: &'a str,
}

/// The operator's statements, and the decisions and withdrawals that speak in their place, in order.
fn events<'a>(active: &[&'a DeliveryFact]) -> Vec<Event<'a>> {
    active
        .iter()
        .filter_map(|fact| {
            let (kind, partial) = fact.body.stated()?;
            Some(Event {
                id: fact.id,
                kind,
                at: fact.occurred_at,
                partial,
                code: &fact.code,
            })
        })
        .collect()
}

struct Booking {
    state: DeliveryState,
    held: Option<String>,
    cancel_pending: bool,
    attempts: u32,
}

#[derive(Default)]
struct AttemptView {
    outcome: Option<AttemptOutcome>,
    found: bool,
    absent: bool,
}

/// What our own facts say: by set logic over attempts, so that no clock of ours is compared with an operator's.
fn booking(active: &[&DeliveryFact]) -> Booking {
    let mut attempts: BTreeMap<AttemptId, AttemptView> = BTreeMap::new();
    let mut held = None;
    let mut cancel_pending = false;
    for fact in active {
        match &fact.body {
            FactBody::AttemptStarted { attempt } => {
                attempts.entry(*attempt).or_default();
            }
            FactBody::AttemptEnded { attempt, outcome } => {
                attempts.entry(*attempt).or_default().outcome = Some(*outcome);
            }
            FactBody::FoundAtOperator { attempt } => attempts.entry(*attempt).or_default().found = true,
            FactBody::AbsentAtOperator { attempt } => attempts.entry(*attempt).or_default().absent = true,
            FactBody::Held { reason } => held = Some(reason.clone()),
            FactBody::Released => held = None,
            FactBody::CancelAsked => cancel_pending = true,
            FactBody::CancelRefused => cancel_pending = false,
            FactBody::Queued
            | FactBody::CancelledByUs
            | FactBody::Event { .. }
            | FactBody::Decided { .. } => {}
        }
    }
    let any = |test: fn(&AttemptView) -> bool| attempts.values().any(test);
    let state = if any(|view| view.found || view.outcome == Some(AttemptOutcome::Accepted)) {
        DeliveryState::At(EventKind::Booked)
    } else if any(|view| view.outcome == Some(AttemptOutcome::Unknown) && !view.absent) {
        DeliveryState::InDoubt
    } else if any(|view| view.outcome.is_none() && !view.absent) {
        DeliveryState::Submitting
    } else {
        DeliveryState::Queued
    };
    Booking {
        state,
        held,
        cancel_pending,
        attempts: count(attempts.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{DecisionId, ShipmentId};
    use crate::domain::orders::each_order;
    use crate::domain::time::Resolution;
    use proptest::prelude::*;

    const SHIPMENT: ShipmentId = ShipmentId::from_bytes([7; 16]);

    fn attempt(number: u8) -> AttemptId {
        AttemptId::from_bytes([number; 16])
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_795_420_800_000 + minute * 60_000)
    }

    fn event(minute: i64, code: &str, kind: EventKind) -> DeliveryFact {
        DeliveryFact::event(SHIPMENT, (at(minute), Resolution::Second), code, kind, false)
    }

    fn ours(minute: i64, body: FactBody) -> DeliveryFact {
        DeliveryFact::ours(SHIPMENT, at(minute), body)
    }

    fn decided(minute: i64, outcome: Option<EventKind>, overrides: &[&DeliveryFact]) -> DeliveryFact {
        let decision = DecisionId::from_bytes([u8::try_from(minute).unwrap(); 16]);
        let overrides = overrides.iter().map(|fact| fact.id).collect();
        ours(
            minute,
            FactBody::Decided {
                decision,
                outcome,
                overrides,
            },
        )
    }

    #[track_caller]
    fn check(facts: &[DeliveryFact], expect: DeliveryState) -> Delivery {
        let folded = fold(facts);
        assert_eq!(folded.state, expect);
        folded
    }

    #[test]
    fn an_attempt_goes_from_submitting_over_doubt_to_booked_or_back() {
        let started = ours(0, FactBody::AttemptStarted { attempt: attempt(1) });
        let ended = |outcome| {
            ours(
                1,
                FactBody::AttemptEnded {
                    attempt: attempt(1),
                    outcome,
                },
            )
        };
        check(&[], DeliveryState::Queued);
        check(std::slice::from_ref(&started), DeliveryState::Submitting);
        let doubt = [started.clone(), ended(AttemptOutcome::Unknown)];
        check(&doubt, DeliveryState::InDoubt);
        let found = ours(9, FactBody::FoundAtOperator { attempt: attempt(1) });
        check(
            &[doubt.as_slice(), &[found]].concat(),
            DeliveryState::At(EventKind::Booked),
        );
        let absent = ours(9, FactBody::AbsentAtOperator { attempt: attempt(1) });
        check(&[doubt.as_slice(), &[absent]].concat(), DeliveryState::Queued);
        check(
            &[started.clone(), ended(AttemptOutcome::NotSent)],
            DeliveryState::Queued,
        );
        check(
            &[started, ended(AttemptOutcome::Accepted)],
            DeliveryState::At(EventKind::Booked),
        );
    }

    #[test]
    fn a_second_attempt_does_not_hide_the_doubt_of_the_first() {
        let facts = [
            ours(0, FactBody::AttemptStarted { attempt: attempt(1) }),
            ours(
                1,
                FactBody::AttemptEnded {
                    attempt: attempt(1),
                    outcome: AttemptOutcome::Unknown,
                },
            ),
            ours(2, FactBody::AttemptStarted { attempt: attempt(2) }),
            ours(
                3,
                FactBody::AttemptEnded {
                    attempt: attempt(2),
                    outcome: AttemptOutcome::NotSent,
                },
            ),
        ];
        assert_eq!(check(&facts, DeliveryState::InDoubt).attempts, 2);
    }

    #[test]
    fn a_failed_visit_and_another_round_is_normal() {
        let facts = [
            event(10, "12", EventKind::OutForDelivery),
            event(20, "15", EventKind::DeliveryFailed),
            event(900, "12", EventKind::OutForDelivery),
        ];
        let folded = check(&facts, DeliveryState::At(EventKind::OutForDelivery));
        assert_eq!((folded.visits, folded.failure_code.as_deref()), (1, Some("15")));
        let done = [facts.as_slice(), &[event(950, "14", EventKind::Delivered)]].concat();
        let folded = check(&done, DeliveryState::At(EventKind::Delivered));
        assert_eq!((folded.visits, folded.delivered_at), (2, Some(at(950))));
    }

    #[test]
    fn facts_after_the_end_change_nothing_but_a_second_final_contests() {
        let end = event(5, "14", EventKind::Delivered);
        let late = event(9, "10", EventKind::InTransit);
        assert!(!check(&[end.clone(), late], DeliveryState::At(EventKind::Delivered)).contested);
        let back = event(9, "19", EventKind::Returned);
        let folded = check(
            &[back.clone(), end.clone()],
            DeliveryState::At(EventKind::Delivered),
        );
        assert!(folded.contested);
        let settled = decided(60, Some(EventKind::Returned), &[&end]);
        let folded = check(&[end, back, settled], DeliveryState::At(EventKind::Returned));
        assert_eq!((folded.contested, folded.delivered_at), (false, None));
    }

    #[test]
    fn a_decision_wins_over_exactly_what_it_names_and_a_later_one_over_it() {
        let wrong = event(5, "14", EventKind::Delivered);
        let first = decided(10, None, &[&wrong]);
        check(&[wrong.clone(), first.clone()], DeliveryState::Queued);
        let again = event(6, "14", EventKind::Delivered);
        check(
            &[wrong.clone(), again, first.clone()],
            DeliveryState::At(EventKind::Delivered),
        );
        let undo = decided(11, None, &[&first]);
        check(
            &[wrong.clone(), first.clone(), undo.clone()],
            DeliveryState::At(EventKind::Delivered),
        );
        let back = decided(9, None, &[&undo]);
        check(
            &[wrong, first, undo, back],
            DeliveryState::At(EventKind::Delivered),
        );
    }

    #[test]
    fn cancel_is_asked_refused_or_done() {
        let booked = event(1, "1", EventKind::Booked);
        let asked = ours(2, FactBody::CancelAsked);
        check(&[booked.clone(), asked.clone()], DeliveryState::CancelRequested);
        let no = ours(3, FactBody::CancelRefused);
        check(
            &[booked.clone(), asked.clone(), no],
            DeliveryState::At(EventKind::Booked),
        );
        check(
            &[booked, asked, event(4, "9", EventKind::Cancelled)],
            DeliveryState::At(EventKind::Cancelled),
        );
    }

    #[test]
    fn held_beside_the_state_and_at_one_moment_held_wins() {
        let held = ours(
            3,
            FactBody::Held {
                reason: "phone".into(),
            },
        );
        let released = ours(3, FactBody::Released);
        assert_eq!(fold(&[held.clone(), released]).held.as_deref(), Some("phone"));
        assert_eq!(fold(&[held, ours(4, FactBody::Released)]).held, None);
    }

    /// Facts drawn from few moments and few attempts, so that ties and conflicts are frequent.
    fn any_fact() -> impl Strategy<Value = DeliveryFact> {
        let kind = proptest::sample::select(EventKind::ALL);
        let events = (0..6_i64, 1..30_u8, kind, any::<bool>()).prop_map(|(minute, code, kind, partial)| {
            DeliveryFact::event(
                SHIPMENT,
                (at(minute), Resolution::Minute),
                &code.to_string(),
                kind,
                partial,
            )
        });
        let outcome = proptest::sample::select(vec![
            AttemptOutcome::Accepted,
            AttemptOutcome::Refused,
            AttemptOutcome::NotSent,
            AttemptOutcome::Unknown,
        ]);
        let own = (0..6_i64, 0..9_u8, 0..3_u8, outcome).prop_map(|(minute, which, number, outcome)| {
            let attempt = attempt(number);
            ours(
                minute,
                match which {
                    0 => FactBody::Queued,
                    1 => FactBody::AttemptStarted { attempt },
                    2 => FactBody::AttemptEnded { attempt, outcome },
                    3 => FactBody::FoundAtOperator { attempt },
                    4 => FactBody::AbsentAtOperator { attempt },
                    5 => FactBody::Held {
                        reason: "unit".into(),
                    },
                    6 => FactBody::Released,
                    7 => FactBody::CancelAsked,
                    _ => FactBody::CancelRefused,
                },
            )
        });
        prop_oneof![3 => events, 2 => own]
    }

    /// Facts and decisions over some of them.
    fn any_history(length: usize) -> impl Strategy<Value = Vec<DeliveryFact>> {
        let decisions = proptest::collection::vec(
            (
                0..6_i64,
                proptest::option::of(proptest::sample::select(EventKind::ALL)),
                any::<u16>(),
            ),
            0..3,
        );
        (proptest::collection::vec(any_fact(), 0..length), decisions).prop_map(|(mut facts, decisions)| {
            for (minute, outcome, mask) in decisions {
                let named: Vec<DeliveryFact> = facts
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| mask >> (index % 16) & 1 == 1)
                    .map(|(_, fact)| fact.clone())
                    .collect();
                facts.push(decided(minute, outcome, &named.iter().collect::<Vec<_>>()));
            }
            facts
        })
    }

    /// All 40,320 orders of eight facts that contain every kind of conflict.
    #[test]
    fn every_permutation_of_eight_facts_folds_alike() {
        let delivered = event(4, "14", EventKind::Delivered);
        let facts = [
            ours(0, FactBody::AttemptStarted { attempt: attempt(1) }),
            ours(
                0,
                FactBody::AttemptEnded {
                    attempt: attempt(1),
                    outcome: AttemptOutcome::Unknown,
                },
            ),
            event(2, "12", EventKind::OutForDelivery),
            event(2, "15", EventKind::DeliveryFailed),
            delivered.clone(),
            event(4, "19", EventKind::Returned),
            ours(2, FactBody::CancelAsked),
            decided(5, None, &[&delivered]),
        ];
        let expect = fold(&facts);
        let seen = each_order(&facts, &mut |order| assert_eq!(fold(order), expect));
        assert_eq!(
            (seen, expect.state),
            (40_320, DeliveryState::At(EventKind::Returned))
        );
    }

    proptest! {
        /// What a person is asked to choose between is what the fold calls contested.
        #[test]
        fn more_than_one_kind_of_standing_final_is_contested(facts in any_history(20)) {
            let standing = standing_finals(&facts);
            let kinds: BTreeSet<EventKind> = standing.iter().map(|fact| fact.kind).collect();
            let folded = fold(&facts);
            prop_assert_eq!(folded.contested, kinds.len() > 1);
            prop_assert_eq!(folded.state.is_final(), !kinds.is_empty());
        }

        // Up to four facts and two decisions over them, each repeated fact being one more.
        #[test]
        fn order_does_not_matter_small(facts in any_history(5), again in any::<proptest::sample::Index>()) {
            let expect = fold(&facts);
            let repeated = (!facts.is_empty()).then(|| again.get(&facts).clone());
            let told: Vec<DeliveryFact> = facts.iter().cloned().chain(repeated).collect();
            each_order(&told, &mut |order| assert_eq!(fold(order), expect));
        }

        #[test]
        fn order_and_repetition_do_not_matter(
            facts in any_history(40),
            seed in any::<u64>(),
        ) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut shuffled = facts.clone();
            for _ in 0..facts.len() {
                if let Some(again) = facts.get(rng.usize(0..facts.len())) {
                    shuffled.push(again.clone());
                }
            }
            rng.shuffle(&mut shuffled);
            prop_assert_eq!(fold(&shuffled), fold(&facts));
        }

        #[test]
        fn journal_fields_hold_everything_the_fold_needs(facts in any_history(10)) {
            let back: Option<Vec<DeliveryFact>> =
                facts.iter().map(|fact| DeliveryFact::from_fields(&fact.to_fields(), fact.occurred_at)).collect();
            prop_assert!(facts.iter().all(|fact| fact.is_of(SHIPMENT)));
            prop_assert!(facts.iter().all(|fact| !fact.is_of(ShipmentId::from_bytes([8; 16]))));
            prop_assert_eq!(back, Some(facts));
        }
    }
}
