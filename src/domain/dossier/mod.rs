//! Room `domain`: the dossier record as a fold over what its system states, beside the folds of its shipments.
//!
//! In: statements of the source system and of our counter, in any order and repetition, and a view of every shipment
//! that holds a document of it. Out: one [`Dossier`]. Status 10 comes only from proof of delivery or from collection
//! in person, dated at that time; it never goes away by itself: a contradiction sets [`Dossier::discrepancy`].
//! Deliberately not here: a source's raw status words (status maps are data).

pub mod status_map;
mod words;

pub use words::{DossierStatus, ReturnBy, SubmittedBy};

use crate::domain::custody::{Custody, Place};
use crate::domain::delivery::{Delivery, DeliveryState, EventKind, FactId};
use crate::domain::id::{DossierId, ShipmentId};
use crate::domain::journal::{Fields, Tag, clean_code};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// What the source system states of a dossier at one time: a whole snapshot, never personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The source's own status code, raw.
    pub status_raw: String,
    /// What it means on the national portal.
    pub status: DossierStatus,
    /// Version of the map that says so.
    pub map_version: u32,
    /// Way of return.
    pub return_by: ReturnBy,
    /// Way of submission.
    pub submitted_by: SubmittedBy,
    /// When it was received.
    pub received_at: Timestamp,
    /// Promised for.
    pub due_at: Option<Timestamp>,
    /// When it was finished (status 9).
    pub finished_at: Option<Timestamp>,
    /// When the source says it was returned (status 10).
    pub returned_at: Option<Timestamp>,
    /// The source marks it as a second record of another dossier.
    pub duplicate: bool,
}

/// What a fact states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DossierFactBody {
    /// The source's snapshot.
    Stated(Statement),
    /// The citizen took the postal choice back.
    PostWithdrawn,
    /// Collected in person at our counter, without any shipment.
    Collected,
}

/// One fact about a dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DossierFact {
    /// Identity over everything the fold reads.
    pub id: FactId,
    /// When it was so, as the source states.
    pub occurred_at: Timestamp,
    /// What it states.
    pub body: DossierFactBody,
}

impl DossierFact {
    /// A fact about a dossier.
    pub fn new(dossier: DossierId, occurred_at: Timestamp, body: DossierFactBody) -> Self {
        let body = match body {
            DossierFactBody::Stated(mut statement) => {
                statement.status_raw = clean_code(&statement.status_raw);
                DossierFactBody::Stated(statement)
            }
            other @ (DossierFactBody::PostWithdrawn | DossierFactBody::Collected) => other,
        };
        let mut fact = Self {
            id: FactId([0; 32]),
            occurred_at,
            body,
        };
        let mut content = Vec::with_capacity(128);
        if fact.to_fields().write(&mut content).is_err() {
            content.clear(); // Not reachable: every field is short.
        }
        fact.id = FactId::of(
            dossier.as_bytes(),
            &[b"dossier", &occurred_at.as_ms().to_be_bytes(), &content],
        );
        fact
    }

    const fn number(&self) -> i64 {
        match &self.body {
            DossierFactBody::Stated(_) => 1,
            DossierFactBody::PostWithdrawn => 2,
            DossierFactBody::Collected => 3,
        }
    }

    /// The version of the map by which a foreign status was understood; 0 for none.
    pub const fn map_version(&self) -> u32 {
        match &self.body {
            DossierFactBody::Stated(statement) => statement.map_version,
            DossierFactBody::PostWithdrawn | DossierFactBody::Collected => 0,
        }
    }

    /// Whether the fact's identity is that of its content, stated of this dossier.
    pub fn is_of(&self, dossier: DossierId) -> bool {
        Self::new(dossier, self.occurred_at, self.body.clone()).id == self.id
    }

    /// The fields of the journal entry that records this fact.
    pub fn to_fields(&self) -> Fields {
        let fields = Fields::new()
            .bytes(Tag::FactId, &self.id.0)
            .int(Tag::FactKind, self.number());
        match &self.body {
            DossierFactBody::PostWithdrawn | DossierFactBody::Collected => fields,
            DossierFactBody::Stated(statement) => fields
                .ascii(Tag::StatusRaw, &statement.status_raw)
                .int(Tag::Status, statement.status.number().into())
                .int(Tag::ReturnBy, statement.return_by.number())
                .int(Tag::SubmittedBy, statement.submitted_by.number())
                .int(Tag::ReceivedAt, statement.received_at.as_ms())
                .maybe_int(Tag::DueAt, statement.due_at.map(Timestamp::as_ms))
                .maybe_int(Tag::FinishedAt, statement.finished_at.map(Timestamp::as_ms))
                .maybe_int(Tag::ReturnedAt, statement.returned_at.map(Timestamp::as_ms))
                .int(Tag::DuplicateOf, i64::from(statement.duplicate)),
        }
    }

    /// Reads the fields of a journal entry; `None` when they are not those of a dossier fact.
    pub fn from_fields(fields: &Fields, occurred_at: Timestamp, map_version: u32) -> Option<Self> {
        let at = |tag| fields.get_int(tag).map(Timestamp::from_ms);
        let body = match fields.get_int(Tag::FactKind)? {
            1 => DossierFactBody::Stated(Statement {
                status_raw: fields.get_ascii(Tag::StatusRaw)?.to_owned(),
                status: DossierStatus::new(u8::try_from(fields.get_int(Tag::Status)?).ok()?)?,
                map_version,
                return_by: ReturnBy::from_number(fields.get_int(Tag::ReturnBy)?)?,
                submitted_by: SubmittedBy::from_number(fields.get_int(Tag::SubmittedBy)?)?,
                received_at: at(Tag::ReceivedAt)?,
                due_at: at(Tag::DueAt),
                finished_at: at(Tag::FinishedAt),
                returned_at: at(Tag::ReturnedAt),
                duplicate: fields.get_int(Tag::DuplicateOf)? == 1,
            }),
            2 => DossierFactBody::PostWithdrawn,
            3 => DossierFactBody::Collected,
            _ => return None,
        };
        Some(Self {
            id: FactId(fields.get_bytes(Tag::FactId)?.try_into().ok()?),
            occurred_at,
            body,
        })
    }
}

/// What a dossier's fold reads of one shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipmentView {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// Its delivery.
    pub delivery: Delivery,
    /// Its custody.
    pub custody: Custody,
}

/// Why the dossier's record and the world disagree; a person must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discrepancy {
    /// The source says "returned" although the post has shown no delivery.
    ReturnedWithoutProof,
    /// Delivered, and at the same time something that contradicts it.
    DeliveryContested,
    /// Delivered or collected more than once.
    ReturnedTwice,
    /// Returned although the source turned the dossier down or stopped it.
    ReturnedThoughDropped,
    /// The postal choice was taken back after the hand-over.
    WithdrawnTooLate,
}

impl Discrepancy {
    /// The word stored and shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReturnedWithoutProof => "returned_without_proof",
            Self::DeliveryContested => "delivery_contested",
            Self::ReturnedTwice => "returned_twice",
            Self::ReturnedThoughDropped => "returned_though_dropped",
            Self::WithdrawnTooLate => "withdrawn_too_late",
        }
    }
}

/// A dossier, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The source's last snapshot; `None` until it stated anything.
    pub stated: Option<Statement>,
    /// The status we stand for: 10 only on proof.
    pub status: Option<DossierStatus>,
    /// Way of return, after a withdrawal of the postal choice.
    pub return_by: Option<ReturnBy>,
    /// The citizen took the postal choice back.
    pub post_withdrawn: bool,
    /// When the result was in the citizen's hands.
    pub returned_at: Option<Timestamp>,
    /// The shipment that the delivery block shows: the one that proved delivery, else the newest.
    pub shipment: Option<ShipmentId>,
    /// Why record and world disagree.
    pub discrepancy: Option<Discrepancy>,
}

/// Folds a dossier's facts beside its shipments. Any order, any repetition: the same result.
pub fn fold(facts: &[DossierFact], shipments: &[ShipmentView]) -> Dossier {
    let unique: BTreeMap<FactId, &DossierFact> = facts.iter().map(|fact| (fact.id, fact)).collect();
    let mut sorted: Vec<&DossierFact> = unique.into_values().collect();
    sorted.sort_by_key(|fact| (fact.occurred_at, fact.number(), fact.id));
    let views: BTreeMap<ShipmentId, &ShipmentView> =
        shipments.iter().map(|view| (view.shipment, view)).collect();

    let mut stated = None;
    let mut withdrawn_at = None;
    let mut collected_at = None;
    for fact in sorted {
        match &fact.body {
            DossierFactBody::Stated(statement) => stated = Some(statement.clone()),
            DossierFactBody::PostWithdrawn => withdrawn_at = withdrawn_at.or(Some(fact.occurred_at)),
            DossierFactBody::Collected => collected_at = collected_at.or(Some(fact.occurred_at)),
        }
    }
    let mut returns: Vec<(Timestamp, Option<ShipmentId>)> = views
        .values()
        .flat_map(|view| {
            let at = [view.delivery.delivered_at, view.custody.collected_at];
            at.into_iter().flatten().map(|at| (at, Some(view.shipment)))
        })
        .chain(collected_at.map(|at| (at, None)))
        .collect();
    returns.sort_unstable();
    let return_by = stated
        .as_ref()
        .map(|statement| match (statement.return_by, withdrawn_at) {
            (ReturnBy::Post, Some(_)) => ReturnBy::Counter,
            (way, _) => way,
        });
    let by_source = stated
        .as_ref()
        .filter(|statement| statement.status == DossierStatus::RETURNED);
    let trusts_source = return_by.is_some_and(|way| way != ReturnBy::Post) && views.is_empty();
    let returned_at = match (returns.first(), by_source) {
        (Some((at, _)), _) => Some(*at),
        (None, Some(statement)) if trusts_source => statement.returned_at.or(statement.finished_at),
        (None, _) => None,
    };
    let status = stated.as_ref().map(|statement| {
        if !returns.is_empty() || (by_source.is_some() && trusts_source) {
            DossierStatus::RETURNED
        } else if by_source.is_some() {
            DossierStatus::FINISHED
        } else {
            statement.status
        }
    });
    let shipment = returns.first().and_then(|(_, shipment)| *shipment).or_else(|| {
        views
            .values()
            .max_by_key(|view| (view.registered_at, view.shipment))
            .map(|view| view.shipment)
    });
    let discrepancy = discrepancy(stated.as_ref(), &views, &returns, trusts_source, withdrawn_at);
    Dossier {
        stated,
        status,
        return_by,
        post_withdrawn: withdrawn_at.is_some(),
        returned_at,
        shipment,
        discrepancy,
    }
}

/// The gravest disagreement, if any.
fn discrepancy(
    stated: Option<&Statement>,
    views: &BTreeMap<ShipmentId, &ShipmentView>,
    returns: &[(Timestamp, Option<ShipmentId>)],
    trusts_source: bool,
    withdrawn_at: Option<Timestamp>,
) -> Option<Discrepancy> {
    let delivered = |view: &&&ShipmentView| view.delivery.delivered_at.is_some();
    if views.values().filter(delivered).any(|view| contradicts(view)) {
        return Some(Discrepancy::DeliveryContested);
    }
    if returns.len() > 1 {
        return Some(Discrepancy::ReturnedTwice);
    }
    let status = stated.map(|statement| statement.status);
    if !returns.is_empty() && status.is_some_and(DossierStatus::is_dropped) {
        return Some(Discrepancy::ReturnedThoughDropped);
    }
    if returns.is_empty() && status == Some(DossierStatus::RETURNED) && !trusts_source {
        return Some(Discrepancy::ReturnedWithoutProof);
    }
    let handed_before = |at: Timestamp| {
        views
            .values()
            .any(|view| view.custody.handed_over_at.is_some_and(|handed| handed <= at))
    };
    withdrawn_at
        .filter(|at| handed_before(*at))
        .map(|_| Discrepancy::WithdrawnTooLate)
}

/// A delivery that something else about the same shipment contradicts.
fn contradicts(view: &ShipmentView) -> bool {
    let elsewhere = match view.custody.place {
        Place::BackAtDesk | Place::Destroyed | Place::Lost => true,
        Place::Awaited
        | Place::AtDecidingOffice
        | Place::AtDesk
        | Place::Packed
        | Place::HandedOver
        | Place::WithOperator
        | Place::WithAddressee
        | Place::Collected => false,
    };
    view.delivery.contested || elsewhere || view.delivery.state != DeliveryState::At(EventKind::Delivered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::custody::{self, CustodyAct, CustodyFact};
    use crate::domain::delivery::{self, DeliveryFact};
    use crate::domain::orders::each_order;
    use crate::domain::time::Resolution;
    use proptest::prelude::*;

    const DOSSIER: DossierId = DossierId::from_bytes([3; 16]);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    fn stated(minute: i64, status: u8, return_by: ReturnBy) -> DossierFact {
        let statement = Statement {
            status_raw: status.to_string(),
            status: DossierStatus::new(status).unwrap(),
            map_version: 1,
            return_by,
            submitted_by: SubmittedBy::Direct,
            received_at: at(0),
            due_at: None,
            finished_at: (status >= 9).then(|| at(2)),
            returned_at: (status == 10).then(|| at(minute)),
            duplicate: false,
        };
        DossierFact::new(DOSSIER, at(minute), DossierFactBody::Stated(statement))
    }

    fn view(number: u8, events: &[(i64, EventKind)], acts: &[(i64, CustodyAct)]) -> ShipmentView {
        let shipment = ShipmentId::from_bytes([number; 16]);
        let facts: Vec<DeliveryFact> = events
            .iter()
            .map(|(minute, kind)| {
                DeliveryFact::event(shipment, (at(*minute), Resolution::Second), "x", *kind, false)
            })
            .collect();
        let delivery = delivery::fold(&facts);
        let acts: Vec<CustodyFact> = acts
            .iter()
            .map(|(minute, act)| CustodyFact::new(shipment, at(*minute), *act, None, None))
            .collect();
        let custody = custody::fold(&acts, &delivery);
        ShipmentView {
            shipment,
            registered_at: at(number.into()),
            delivery,
            custody,
        }
    }

    #[track_caller]
    fn check(
        facts: &[DossierFact],
        views: &[ShipmentView],
        status: u8,
        returned_at: Option<i64>,
        discrepancy: Option<Discrepancy>,
    ) {
        let dossier = fold(facts, views);
        let found = (
            dossier.status.map(DossierStatus::number),
            dossier.returned_at,
            dossier.discrepancy,
        );
        assert_eq!(found, (Some(status), returned_at.map(at), discrepancy));
    }

    #[test]
    fn ten_only_on_proof_and_dated_at_delivery() {
        let finished = stated(2, 9, ReturnBy::Post);
        let road = [(4, CustodyAct::HandedOver)];
        check(
            std::slice::from_ref(&finished),
            &[view(1, &[(5, EventKind::Accepted)], &road)],
            9,
            None,
            None,
        );
        check(
            std::slice::from_ref(&finished),
            &[view(1, &[(9, EventKind::Delivered)], &road)],
            10,
            Some(9),
            None,
        );
        check(
            &[finished],
            &[view(1, &[(9, EventKind::Returned)], &road)],
            9,
            None,
            None,
        );
    }

    #[test]
    fn the_source_alone_cannot_say_ten_for_post_but_can_for_the_counter() {
        let early = stated(4, 10, ReturnBy::Post);
        let why = Some(Discrepancy::ReturnedWithoutProof);
        check(
            std::slice::from_ref(&early),
            &[view(1, &[(5, EventKind::Accepted)], &[])],
            9,
            None,
            why,
        );
        check(
            &[early],
            &[view(1, &[(9, EventKind::Delivered)], &[])],
            10,
            Some(9),
            None,
        );
        check(&[stated(4, 10, ReturnBy::Counter)], &[], 10, Some(4), None);
    }

    #[test]
    fn ten_never_goes_away_by_itself() {
        let finished = stated(2, 9, ReturnBy::Post);
        let both = [(9, EventKind::Delivered), (10, EventKind::Returned)];
        let why = Some(Discrepancy::DeliveryContested);
        check(
            std::slice::from_ref(&finished),
            &[view(1, &both, &[])],
            10,
            Some(9),
            why,
        );
        let back = stated(20, 4, ReturnBy::Post);
        check(
            &[finished, back],
            &[view(1, &[(9, EventKind::Delivered)], &[])],
            10,
            Some(9),
            None,
        );
    }

    #[test]
    fn returned_then_posted_again_or_collected() {
        let finished = stated(2, 9, ReturnBy::Post);
        let back = view(
            1,
            &[(9, EventKind::Returned)],
            &[(4, CustodyAct::HandedOver), (11, CustodyAct::BackAtDesk)],
        );
        let again = view(2, &[(30, EventKind::Delivered)], &[(20, CustodyAct::HandedOver)]);
        check(
            std::slice::from_ref(&finished),
            &[back, again],
            10,
            Some(30),
            None,
        );
        let collected = view(
            1,
            &[(9, EventKind::Returned)],
            &[
                (4, CustodyAct::HandedOver),
                (11, CustodyAct::BackAtDesk),
                (12, CustodyAct::Collected),
            ],
        );
        check(&[finished], &[collected], 10, Some(12), None);
    }

    #[test]
    fn withdrawal_counts_before_hand_over_and_is_flagged_after() {
        let facts = [
            stated(2, 9, ReturnBy::Post),
            DossierFact::new(DOSSIER, at(3), DossierFactBody::PostWithdrawn),
        ];
        assert_eq!(fold(&facts, &[]).return_by, Some(ReturnBy::Counter));
        let late = [view(1, &[], &[(3, CustodyAct::HandedOver)])];
        check(&facts, &late, 9, None, Some(Discrepancy::WithdrawnTooLate));
    }

    /// All 40,320 orders of eight facts, several of one moment, beside two shipments in either order.
    #[test]
    fn every_permutation_of_eight_facts_folds_alike() {
        let own = |minute, body| DossierFact::new(DOSSIER, at(minute), body);
        let facts = [
            stated(1, 4, ReturnBy::Counter),
            stated(3, 9, ReturnBy::Post),
            stated(3, 10, ReturnBy::Post),
            stated(3, 9, ReturnBy::Online),
            own(2, DossierFactBody::PostWithdrawn),
            own(4, DossierFactBody::PostWithdrawn),
            own(5, DossierFactBody::Collected),
            own(6, DossierFactBody::Collected),
        ];
        let views = [
            view(1, &[(9, EventKind::Returned)], &[(1, CustodyAct::HandedOver)]),
            view(2, &[(5, EventKind::Delivered)], &[(2, CustodyAct::HandedOver)]),
        ];
        let turned = [views[1].clone(), views[0].clone()];
        let expect = fold(&facts, &views);
        let seen = each_order(&facts, &mut |order| {
            assert_eq!(fold(order, &views), expect);
            assert_eq!(fold(order, &turned), expect);
        });
        let found = (expect.returned_at, expect.discrepancy);
        assert_eq!(
            (seen, found),
            (40_320, (Some(at(5)), Some(Discrepancy::ReturnedTwice)))
        );
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter_and_fields_hold_all(
            drawn in proptest::collection::vec((0..5_i64, 1..=10_u8, 0..5_i64), 0..10),
            events in proptest::collection::vec((0..5_i64, proptest::sample::select(EventKind::ALL)), 0..5),
            seed in any::<u64>(),
        ) {
            let facts: Vec<DossierFact> = drawn.iter().map(|(minute, status, way)| match way {
                3 => DossierFact::new(DOSSIER, at(*minute), DossierFactBody::PostWithdrawn),
                4 => DossierFact::new(DOSSIER, at(*minute), DossierFactBody::Collected),
                way => stated(*minute, *status, ReturnBy::from_number(*way).unwrap()),
            }).collect();
            let (first, rest) = events.split_at(events.len() / 2);
            let views = [view(1, first, &[(1, CustodyAct::HandedOver)]), view(2, rest, &[])];
            let mut shuffled = [facts.clone(), facts.clone()].concat();
            let mut turned = [views.clone(), views.clone()].concat();
            let mut rng = fastrand::Rng::with_seed(seed);
            rng.shuffle(&mut shuffled);
            rng.shuffle(&mut turned);
            prop_assert_eq!(fold(&shuffled, &turned), fold(&facts, &views));
            let few: Vec<DossierFact> = facts.iter().take(5).cloned().collect();
            let expect = fold(&few, &views);
            each_order(&few, &mut |order| assert_eq!(fold(order, &views), expect));
            prop_assert!(facts.iter().all(|fact| fact.is_of(DOSSIER)));
            prop_assert!(facts.iter().all(|fact| !fact.is_of(DossierId::from_bytes([8; 16]))));
            let back: Option<Vec<DossierFact>> = facts
                .iter()
                .map(|fact| DossierFact::from_fields(&fact.to_fields(), fact.occurred_at, fact.map_version()))
                .collect();
            prop_assert_eq!(back, Some(facts));
        }
    }
}
