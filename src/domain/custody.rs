//! Room `domain`: custody, where the paper is, as a fold over facts of the desk beside the fold of delivery.
//!
//! In: custody facts in any order and repetition, and the shipment's [`Delivery`]. Out: one [`Custody`]. Finished in
//! the system is not paper in hand; hand-over is a fact of the desk, not of the operator. Deliberately not here: who
//! may state a fact (`stage`).

use crate::domain::delivery::{Delivery, DeliveryState, EventKind, FactId};
use crate::domain::id::{HandoverId, ItemId, ShipmentId};
use crate::domain::journal::{Fields, Tag};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

macro_rules! acts {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $word:literal;)*) => {
        /// What the desk did with the paper. The number orders acts of one moment and stands in journal entries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum CustodyAct { $($(#[$doc])* $variant,)* }

        impl CustodyAct {
            /// All acts.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Number in journal entries.
            pub const fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The word stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the number.
            pub const fn from_number(number: i64) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

acts! {
    /// Still at the office that decided.
    AtDecidingOffice = 1, "at_deciding_office";
    /// Scanned in at our desk.
    AtDesk = 2, "at_desk";
    /// In a sealed envelope.
    Packed = 3, "packed";
    /// Taken out of an open hand-over list.
    PulledOut = 4, "pulled_out";
    /// Handed to the postal worker.
    HandedOver = 5, "handed_over";
    /// A returned original scanned back in.
    BackAtDesk = 6, "back_at_desk";
    /// Collected in person at the counter.
    Collected = 7, "collected";
    /// Destroyed by record.
    Destroyed = 8, "destroyed";
    /// Declared lost by record.
    Lost = 9, "lost";
}

/// Where the paper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nobody scanned it in yet.
    Awaited,
    /// At the deciding office.
    AtDecidingOffice,
    /// At our desk.
    AtDesk,
    /// Packed, at our desk.
    Packed,
    /// Handed over; the operator has not shown it yet.
    HandedOver,
    /// The operator has shown that it has it.
    WithOperator,
    /// In the addressee's hands, by the operator's word.
    WithAddressee,
    /// Back at our desk.
    BackAtDesk,
    /// Collected at the counter.
    Collected,
    /// Destroyed.
    Destroyed,
    /// Lost.
    Lost,
}

impl Place {
    /// The word stored and shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::AtDecidingOffice => "at_deciding_office",
            Self::AtDesk => "at_desk",
            Self::Packed => "packed",
            Self::HandedOver => "handed_over",
            Self::WithOperator => "with_operator",
            Self::WithAddressee => "with_addressee",
            Self::BackAtDesk => "back_at_desk",
            Self::Collected => "collected",
            Self::Destroyed => "destroyed",
            Self::Lost => "lost",
        }
    }
}

/// One fact about the paper of a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyFact {
    /// Identity over everything the fold reads.
    pub id: FactId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What was done.
    pub act: CustodyAct,
    /// Which item; `None` means the whole envelope.
    pub item: Option<ItemId>,
    /// On which hand-over list.
    pub handover: Option<HandoverId>,
}

impl CustodyFact {
    /// A fact of the desk.
    pub fn new(
        shipment: ShipmentId,
        occurred_at: Timestamp,
        act: CustodyAct,
        item: Option<ItemId>,
        handover: Option<HandoverId>,
    ) -> Self {
        let none = [0_u8; 16];
        let id = FactId::of(
            shipment.as_bytes(),
            &[
                b"custody",
                &occurred_at.as_ms().to_be_bytes(),
                &act.number().to_be_bytes(),
                item.as_ref().map_or(none.as_slice(), |id| id.as_bytes()),
                handover.as_ref().map_or(none.as_slice(), |id| id.as_bytes()),
            ],
        );
        Self {
            id,
            occurred_at,
            act,
            item,
            handover,
        }
    }

    /// Whether the fact's identity is that of its content, stated of this shipment.
    pub fn is_of(&self, shipment: ShipmentId) -> bool {
        Self::new(shipment, self.occurred_at, self.act, self.item, self.handover).id == self.id
    }

    /// The fields of the journal entry that records this fact.
    pub fn to_fields(&self) -> Fields {
        Fields::new()
            .bytes(Tag::FactId, &self.id.0)
            .int(Tag::FactKind, self.act.number())
            .maybe_bytes(Tag::Item, self.item.as_ref().map(|id| id.as_bytes().as_slice()))
            .maybe_bytes(
                Tag::Handover,
                self.handover.as_ref().map(|id| id.as_bytes().as_slice()),
            )
    }

    /// Reads the fields of a journal entry; `None` when they are not those of a custody fact.
    pub fn from_fields(fields: &Fields, occurred_at: Timestamp) -> Option<Self> {
        Some(Self {
            id: FactId(fields.get_bytes(Tag::FactId)?.try_into().ok()?),
            occurred_at,
            act: CustodyAct::from_number(fields.get_int(Tag::FactKind)?)?,
            item: fields.get_id(Tag::Item).map(ItemId::from_bytes),
            handover: fields.get_id(Tag::Handover).map(HandoverId::from_bytes),
        })
    }

    fn order(&self) -> (Timestamp, i64, FactId) {
        (self.occurred_at, self.act.number(), self.id)
    }
}

/// Custody, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custody {
    /// Where the paper is; with several items, the place of the one least far on its way.
    pub place: Place,
    /// Every item's place where they differ from the envelope's, or were stated one by one.
    pub items: BTreeMap<ItemId, Place>,
    /// When the desk handed it over, by the last hand-over.
    pub handed_over_at: Option<Timestamp>,
    /// When it was collected at the counter.
    pub collected_at: Option<Timestamp>,
    /// The operator shows the paper although nobody here recorded a hand-over.
    pub without_handover: bool,
    /// Nothing is left to do: delivery is final, uncontested, and the paper's place is known and final.
    pub closed: bool,
}

/// Folds custody facts beside the delivery of the same shipment. Any order, any repetition: the same result.
pub fn fold(facts: &[CustodyFact], delivery: &Delivery) -> Custody {
    let unique: BTreeMap<FactId, &CustodyFact> = facts.iter().map(|fact| (fact.id, fact)).collect();
    let mut sorted: Vec<&CustodyFact> = unique.into_values().collect();
    sorted.sort_by_key(|fact| fact.order());

    let mut whole: Option<&CustodyFact> = None;
    let mut by_item: BTreeMap<ItemId, &CustodyFact> = BTreeMap::new();
    for fact in &sorted {
        if let Some(item) = fact.item {
            by_item.insert(item, fact);
        } else {
            whole = Some(fact);
            by_item.clear();
        }
    }
    let handed_over_at = sorted
        .iter()
        .rev()
        .find(|fact| fact.act == CustodyAct::HandedOver)
        .map(|fact| fact.occurred_at);
    let collected_at = sorted
        .iter()
        .rev()
        .find(|fact| fact.act == CustodyAct::Collected)
        .map(|fact| fact.occurred_at);
    let items: BTreeMap<ItemId, Place> = by_item
        .iter()
        .map(|(item, fact)| (*item, place(Some(fact), delivery)))
        .collect();
    let envelope = place(whole, delivery);
    let least = items.values().copied().min();
    let place = match (whole, least) {
        (None, Some(least)) => least,
        (Some(_), Some(least)) => least.min(envelope),
        (Some(_) | None, None) => envelope,
    };
    Custody {
        place,
        items,
        handed_over_at,
        collected_at,
        without_handover: delivery.operator_had_paper && handed_over_at.is_none(),
        closed: delivery.state.is_final()
            && !delivery.contested
            && !delivery.partial
            && is_end(place, delivery),
    }
}

/// Where one paper is: the desk's last act, carried on by what the operator shows.
fn place(last: Option<&CustodyFact>, delivery: &Delivery) -> Place {
    let Some(last) = last else {
        return if delivery.operator_had_paper {
            with_operator(delivery)
        } else {
            Place::Awaited
        };
    };
    match last.act {
        CustodyAct::AtDecidingOffice => Place::AtDecidingOffice,
        CustodyAct::AtDesk | CustodyAct::PulledOut => before_handover(Place::AtDesk, last, delivery),
        CustodyAct::Packed => before_handover(Place::Packed, last, delivery),
        CustodyAct::HandedOver if delivery.operator_had_paper => with_operator(delivery),
        CustodyAct::HandedOver => Place::HandedOver,
        CustodyAct::BackAtDesk => Place::BackAtDesk,
        CustodyAct::Collected => Place::Collected,
        CustodyAct::Destroyed => Place::Destroyed,
        CustodyAct::Lost => Place::Lost,
    }
}

/// The operator may show a paper whose hand-over nobody recorded; then its word carries the paper on, unless the
/// desk scanned the paper after the operator's last word.
fn before_handover(place: Place, last: &CustodyFact, delivery: &Delivery) -> Place {
    let later = delivery.last_event_at.is_some_and(|at| at > last.occurred_at);
    if delivery.operator_had_paper && later {
        with_operator(delivery)
    } else {
        place
    }
}

fn with_operator(delivery: &Delivery) -> Place {
    match delivery.state {
        DeliveryState::At(EventKind::Delivered) if !delivery.partial => Place::WithAddressee,
        DeliveryState::At(EventKind::LostOrDamaged) => Place::Lost,
        DeliveryState::At(_)
        | DeliveryState::Queued
        | DeliveryState::Submitting
        | DeliveryState::InDoubt
        | DeliveryState::CancelRequested => Place::WithOperator,
    }
}

/// Whether a place ends a shipment. A cancelled one may end at the desk; nothing ends while the paper's place is
/// unknown or with the operator.
fn is_end(place: Place, delivery: &Delivery) -> bool {
    match place {
        Place::WithAddressee | Place::BackAtDesk | Place::Collected | Place::Destroyed | Place::Lost => true,
        Place::AtDesk | Place::Packed | Place::AtDecidingOffice | Place::Awaited => {
            !delivery.operator_had_paper
        }
        Place::HandedOver | Place::WithOperator => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::{self, DeliveryFact};
    use crate::domain::orders::each_order;
    use crate::domain::time::Resolution;
    use proptest::prelude::*;

    const SHIPMENT: ShipmentId = ShipmentId::from_bytes([7; 16]);

    fn act(minute: i64, act: CustodyAct) -> CustodyFact {
        CustodyFact::new(SHIPMENT, Timestamp::from_ms(minute * 60_000), act, None, None)
    }

    fn told(events: &[(i64, EventKind)]) -> Delivery {
        let facts: Vec<DeliveryFact> = events
            .iter()
            .map(|(minute, kind)| {
                let at = (Timestamp::from_ms(minute * 60_000), Resolution::Second);
                DeliveryFact::event(SHIPMENT, at, "x", *kind, false)
            })
            .collect();
        delivery::fold(&facts)
    }

    #[track_caller]
    fn check(acts: &[(i64, CustodyAct)], events: &[(i64, EventKind)], place: Place, closed: bool) -> Custody {
        let facts: Vec<CustodyFact> = acts.iter().map(|(minute, what)| act(*minute, *what)).collect();
        let custody = fold(&facts, &told(events));
        assert_eq!((custody.place, custody.closed), (place, closed));
        custody
    }

    #[test]
    fn the_usual_road() {
        use CustodyAct::{AtDesk, HandedOver, Packed};
        check(&[], &[], Place::Awaited, false);
        check(&[(1, AtDesk)], &[], Place::AtDesk, false);
        check(&[(1, AtDesk), (2, Packed)], &[], Place::Packed, false);
        let road = [(1, AtDesk), (2, Packed), (3, HandedOver)];
        check(&road, &[(4, EventKind::PickupAssigned)], Place::HandedOver, false);
        check(&road, &[(4, EventKind::Accepted)], Place::WithOperator, false);
        let done = check(
            &road,
            &[(4, EventKind::Accepted), (9, EventKind::Delivered)],
            Place::WithAddressee,
            true,
        );
        assert_eq!(done.handed_over_at, Some(Timestamp::from_ms(180_000)));
    }

    #[test]
    fn returned_is_closed_only_when_scanned_back() {
        let road = [(1, CustodyAct::AtDesk), (3, CustodyAct::HandedOver)];
        check(&road, &[(9, EventKind::Returned)], Place::WithOperator, false);
        let back = [road.as_slice(), &[(11, CustodyAct::BackAtDesk)]].concat();
        check(&back, &[(9, EventKind::Returned)], Place::BackAtDesk, true);
    }

    #[test]
    fn cancelled_is_not_closed_while_the_place_is_unknown() {
        let road = [(1, CustodyAct::AtDesk), (3, CustodyAct::HandedOver)];
        check(&road, &[(9, EventKind::Cancelled)], Place::HandedOver, false);
        check(
            &[(1, CustodyAct::AtDesk)],
            &[(9, EventKind::Cancelled)],
            Place::AtDesk,
            true,
        );
    }

    #[test]
    fn a_hand_over_nobody_recorded_is_flagged_and_contested_is_never_closed() {
        let seen = check(
            &[(1, CustodyAct::AtDesk)],
            &[(2, EventKind::PickedUp)],
            Place::WithOperator,
            false,
        );
        assert!(seen.without_handover);
        check(
            &[(3, CustodyAct::AtDesk)],
            &[(2, EventKind::PickedUp)],
            Place::AtDesk,
            false,
        );
        let road = [(1, CustodyAct::HandedOver)];
        let both = [(8, EventKind::Delivered), (9, EventKind::Returned)];
        check(&road, &both, Place::WithAddressee, false);
    }

    #[test]
    fn one_paper_left_behind_keeps_the_envelope_back() {
        let item = ItemId::from_bytes([1; 16]);
        let pulled = CustodyFact::new(
            SHIPMENT,
            Timestamp::from_ms(240_000),
            CustodyAct::PulledOut,
            Some(item),
            None,
        );
        let custody = fold(&[act(3, CustodyAct::HandedOver), pulled], &told(&[]));
        assert_eq!(custody.place, Place::AtDesk);
        assert_eq!(custody.items.get(&item), Some(&Place::AtDesk));
    }

    /// All 40,320 orders of eight acts, most at the same moment, of the envelope and of two papers in it, beside a
    /// delivery that contradicts itself.
    #[test]
    fn every_permutation_of_eight_facts_folds_alike() {
        let of = |minute: i64, what, item: u8| {
            let item = (item > 0).then(|| ItemId::from_bytes([item; 16]));
            CustodyFact::new(SHIPMENT, Timestamp::from_ms(minute * 60_000), what, item, None)
        };
        let facts = [
            of(1, CustodyAct::AtDesk, 1),
            of(1, CustodyAct::AtDesk, 2),
            of(2, CustodyAct::Packed, 0),
            of(3, CustodyAct::HandedOver, 0),
            of(3, CustodyAct::PulledOut, 1),
            of(4, CustodyAct::BackAtDesk, 0),
            of(4, CustodyAct::Collected, 2),
            of(4, CustodyAct::Lost, 1),
        ];
        let delivery = told(&[(4, EventKind::Delivered), (4, EventKind::Returned)]);
        let expect = fold(&facts, &delivery);
        let seen = each_order(&facts, &mut |order| assert_eq!(fold(order, &delivery), expect));
        // The envelope is back, one paper was given out since, one is lost; the least far of them holds all back.
        assert_eq!(
            (seen, expect.place, expect.items.len()),
            (40_320, Place::BackAtDesk, 2)
        );
        assert_eq!(expect.collected_at, Some(Timestamp::from_ms(240_000)));
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter_and_fields_hold_all(
            drawn in proptest::collection::vec((0..5_i64, proptest::sample::select(CustodyAct::ALL), 0..3_u8), 0..12),
            events in proptest::collection::vec((0..5_i64, proptest::sample::select(EventKind::ALL)), 0..5),
            seed in any::<u64>(),
        ) {
            let facts: Vec<CustodyFact> = drawn.iter().map(|(minute, what, item)| {
                let item = (*item > 0).then(|| ItemId::from_bytes([*item; 16]));
                CustodyFact::new(SHIPMENT, Timestamp::from_ms(minute * 60_000), *what, item, None)
            }).collect();
            let delivery = told(&events);
            let mut shuffled = [facts.clone(), facts.clone()].concat();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            prop_assert_eq!(fold(&shuffled, &delivery), fold(&facts, &delivery));
            let few: Vec<CustodyFact> = facts.iter().take(6).cloned().collect();
            let expect = fold(&few, &delivery);
            each_order(&few, &mut |order| assert_eq!(fold(order, &delivery), expect));
            prop_assert!(facts.iter().all(|fact| fact.is_of(SHIPMENT)));
            prop_assert!(facts.iter().all(|fact| !fact.is_of(ShipmentId::from_bytes([8; 16]))));
            let back: Option<Vec<CustodyFact>> =
                facts.iter().map(|fact| CustodyFact::from_fields(&fact.to_fields(), fact.occurred_at)).collect();
            prop_assert_eq!(back, Some(facts));
        }
    }
}
