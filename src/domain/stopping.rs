//! Room `domain`: what may be done when somebody wants a shipment stopped.
//!
//! In: delivery and custody of the shipment. Out: one [`Stopping`]. Deliberately not here: doing it, and who may ask.

use crate::domain::custody::{Custody, Place};
use crate::domain::delivery::{Delivery, DeliveryState, EventKind};

/// What follows from the wish to stop a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopping {
    /// No call of ours can have left an order behind: it ends here.
    Now,
    /// The operator has the order but not the paper: it must be asked.
    Ask,
    /// Asked for, or cancelled, already.
    Already,
    /// It is not known whether the operator has an order: wait for the verdict.
    InDoubt,
    /// The paper has left our hands.
    HandedOver,
    /// It ended in another way.
    Ended,
}

/// What may be done now.
pub fn stopping(delivery: &Delivery, custody: &Custody) -> Stopping {
    let left = delivery.operator_had_paper
        || matches!(
            custody.place,
            Place::HandedOver | Place::WithOperator | Place::WithAddressee
        );
    match delivery.state {
        DeliveryState::At(EventKind::Cancelled) | DeliveryState::CancelRequested => Stopping::Already,
        DeliveryState::At(kind) if kind.is_final() => Stopping::Ended,
        DeliveryState::Queued | DeliveryState::Submitting | DeliveryState::InDoubt | DeliveryState::At(_)
            if left =>
        {
            Stopping::HandedOver
        }
        DeliveryState::Queued => Stopping::Now,
        DeliveryState::Submitting | DeliveryState::InDoubt => Stopping::InDoubt,
        DeliveryState::At(_) => Stopping::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::custody::{self, CustodyAct, CustodyFact};
    use crate::domain::delivery::{self, AttemptOutcome, DeliveryFact, FactBody};
    use crate::domain::id::{AttemptId, ShipmentId};
    use crate::domain::time::{Resolution, Timestamp};

    const SHIPMENT: ShipmentId = ShipmentId::from_bytes([7; 16]);
    const ATTEMPT: AttemptId = AttemptId::from_bytes([1; 16]);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    #[track_caller]
    fn check(bodies: &[FactBody], acts: &[CustodyAct], expect: Stopping) {
        let facts: Vec<DeliveryFact> = bodies
            .iter()
            .zip(1..)
            .map(|(body, minute)| DeliveryFact::ours(SHIPMENT, at(minute), body.clone()))
            .collect();
        let delivery = delivery::fold(&facts);
        let acts: Vec<CustodyFact> = acts
            .iter()
            .map(|act| CustodyFact::new(SHIPMENT, at(100), *act, None, None))
            .collect();
        let custody = custody::fold(&acts, &delivery);
        assert_eq!(stopping(&delivery, &custody), expect);
    }

    fn ended(outcome: AttemptOutcome) -> [FactBody; 2] {
        let attempt = ATTEMPT;
        [
            FactBody::AttemptStarted { attempt },
            FactBody::AttemptEnded { attempt, outcome },
        ]
    }

    #[test]
    fn it_ends_at_once_only_when_no_order_can_exist() {
        check(&[FactBody::Queued], &[], Stopping::Now);
        check(
            &ended(AttemptOutcome::NotSent),
            &[CustodyAct::Packed],
            Stopping::Now,
        );
        check(&ended(AttemptOutcome::Refused), &[], Stopping::Now);
        check(&ended(AttemptOutcome::Unknown), &[], Stopping::InDoubt);
        check(
            &[FactBody::AttemptStarted { attempt: ATTEMPT }],
            &[],
            Stopping::InDoubt,
        );
        check(&ended(AttemptOutcome::Accepted), &[], Stopping::Ask);
    }

    #[test]
    fn a_paper_that_left_is_not_stopped() {
        check(
            &[FactBody::Queued],
            &[CustodyAct::HandedOver],
            Stopping::HandedOver,
        );
        check(
            &ended(AttemptOutcome::Accepted),
            &[CustodyAct::HandedOver],
            Stopping::HandedOver,
        );
        let shown = DeliveryFact::event(
            SHIPMENT,
            (at(5), Resolution::Second),
            "7",
            EventKind::InTransit,
            false,
        );
        let delivery = delivery::fold(&[shown]);
        assert_eq!(
            stopping(&delivery, &custody::fold(&[], &delivery)),
            Stopping::HandedOver
        );
    }

    #[test]
    fn what_ended_or_was_asked_for_is_left_alone() {
        check(&[FactBody::CancelledByUs], &[], Stopping::Already);
        let asked = [
            ended(AttemptOutcome::Accepted).as_slice(),
            &[FactBody::CancelAsked],
        ]
        .concat();
        check(&asked, &[], Stopping::Already);
        let delivered = DeliveryFact::event(
            SHIPMENT,
            (at(5), Resolution::Second),
            "14",
            EventKind::Delivered,
            false,
        );
        let delivery = delivery::fold(&[delivered]);
        assert_eq!(
            stopping(&delivery, &custody::fold(&[], &delivery)),
            Stopping::Ended
        );
    }
}
