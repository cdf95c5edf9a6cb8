//! Stating a final outcome, and settling what the operator called a part.
//!
//! In: final statements that contradict each other. Out: red when a decision wins over more or less than it names.

use super::setup::{App, Line, decided, ended, on_both, refused};
use hoibao::domain::custody::CustodyAct;
use hoibao::domain::delivery::{DeliveryState, EventKind, FactBody, FactId};
use hoibao::domain::journal::{Kind, Tag};
use hoibao::edge::store::queue::QueueState;
use hoibao::stage::decide::{Answer, Refusal, Standing, Wish};
use std::collections::BTreeSet;

/// The facts a decision set aside, by the facts themselves.
async fn set_aside(app: &App, id: hoibao::domain::id::ShipmentId) -> Vec<BTreeSet<FactId>> {
    let facts = app.delivery_facts(id).await;
    let mut all: Vec<(_, BTreeSet<FactId>)> = Vec::new();
    for fact in decided(&facts) {
        if let FactBody::Decided { overrides, .. } = &fact.body
            && !overrides.is_empty()
        {
            all.push((fact.occurred_at, overrides.clone()));
        }
    }
    all.sort();
    all.into_iter().map(|(_, overrides)| overrides).collect()
}

/// The decision wins over exactly the fact it names; a later final statement contests again; the next decision names
/// exactly that one. The dossier follows: 10 only while a delivery stands.
#[tokio::test]
async fn a_decision_wins_over_exactly_what_it_names_and_a_new_final_contests_again() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let delivered = app.told(id, 100, "14", EventKind::Delivered).await;
        let returned = app.told(id, 200, "19", EventKind::Returned).await;
        assert!(app.row(id).await.contested);

        let wish = ended(app, id, Answer::Returned, 190).await;
        let waits = app.propose("canbo", id, wish.clone()).await.unwrap();
        assert_eq!(waits.standing, Standing::Waits);
        assert!(app.row(id).await.contested, "a proposal changed the outcome");
        app.approve("lanhdao", waits.decision).await.unwrap();
        let row = app.row(id).await;
        assert_eq!(
            (row.state, row.contested, row.delivered_at),
            (DeliveryState::At(EventKind::Returned), false, None)
        );
        assert_eq!(set_aside(app, id).await, [BTreeSet::from([delivered.id])]);

        let late = app.told(id, 300, "14", EventKind::Delivered).await;
        assert!(
            app.row(id).await.contested,
            "a new final statement did not contest"
        );
        let again = app.propose("canbo", id, wish).await.unwrap();
        app.approve("lanhdao", again.decision).await.unwrap();
        let row = app.row(id).await;
        assert_eq!(
            (row.state, row.contested),
            (DeliveryState::At(EventKind::Returned), false)
        );
        assert_eq!(
            set_aside(app, id).await,
            [BTreeSet::from([delivered.id]), BTreeSet::from([late.id])]
        );
        assert!(
            !set_aside(app, id)
                .await
                .iter()
                .any(|named| named.contains(&returned.id))
        );

        // It so stands already: nothing would change.
        let same = ended(app, id, Answer::Returned, 190).await;
        assert_eq!(
            refused(app.propose("canbo", id, same).await),
            Refusal::NothingChanges
        );
        app.recomputed(id).await;
    })
    .await;
}

/// An earlier decision can be mistaken too: a later one sets it aside, also when what it states happened before.
#[tokio::test]
async fn a_later_decision_wins_over_an_earlier_one_whatever_their_dates() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        for (answer, minutes, state) in [
            (Answer::Returned, 300, EventKind::Returned),
            (Answer::Delivered, 120, EventKind::Delivered),
            (Answer::LostOrDamaged, 60, EventKind::LostOrDamaged),
        ] {
            let wish = ended(app, id, answer, minutes).await;
            let waits = app.propose("canbo", id, wish).await.unwrap();
            app.approve("lanhdao", waits.decision).await.unwrap();
            let row = app.row(id).await;
            assert_eq!(
                (row.state, row.contested),
                (DeliveryState::At(state), false),
                "{answer:?}"
            );
        }
        let delivery = app.recomputed(id).await;
        assert_eq!((delivery.delivered_at, delivery.returned_at), (None, None));
    })
    .await;
}

/// Facts may be named one by one; what is named must be a final statement that stands, and nothing may be left against it.
#[tokio::test]
async fn facts_may_be_named_but_only_standing_finals_and_all_that_contradict() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let transit = app.told(id, 50, "10", EventKind::InTransit).await;
        let delivered = app.told(id, 100, "14", EventKind::Delivered).await;
        let lost = app.told(id, 150, "22", EventKind::LostOrDamaged).await;
        let wish = ended(app, id, Answer::Returned, 190).await;
        let naming = |ids: &[FactId]| Wish {
            overrides: Some(ids.iter().copied().collect()),
            ..wish.clone()
        };
        let rows = app.rows().await;
        assert_eq!(
            refused(app.propose("canbo", id, naming(&[delivered.id])).await),
            Refusal::StillContested
        );
        let wrong = naming(&[delivered.id, lost.id, transit.id]);
        assert_eq!(
            refused(app.propose("canbo", id, wrong).await),
            Refusal::NotStanding
        );
        let undated = Wish {
            at: None,
            ..wish.clone()
        };
        assert_eq!(
            refused(app.propose("canbo", id, undated).await),
            Refusal::TimeMissing
        );
        let future = Wish {
            at: Some(app.context.clock.now().plus_ms(1)),
            ..wish.clone()
        };
        assert_eq!(refused(app.propose("canbo", id, future).await), Refusal::Future);
        let before = ended(app, id, Answer::Returned, -1).await;
        assert_eq!(
            refused(app.propose("canbo", id, before).await),
            Refusal::BeforeRegistration
        );
        assert_eq!(app.rows().await, rows);
        let right = app
            .propose("canbo", id, naming(&[delivered.id, lost.id]))
            .await
            .unwrap();
        app.approve("lanhdao-xa", right.decision).await.unwrap();
        assert_eq!(app.row(id).await.state, DeliveryState::At(EventKind::Returned));
    })
    .await;
}

/// What cannot be is refused: delivered by post while the paper lies at the desk, or after it was given out.
#[tokio::test]
async fn an_outcome_must_fit_the_place_of_the_paper() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        for act in [
            CustodyAct::AtDesk,
            CustodyAct::Packed,
            CustodyAct::BackAtDesk,
            CustodyAct::Collected,
        ] {
            app.paper(id, act).await;
            let wish = ended(app, id, Answer::Delivered, 0).await;
            let answer = refused(app.propose("canbo", id, wish).await);
            assert!(
                matches!(answer, Refusal::PaperElsewhere(_)),
                "{act:?}: {answer:?}"
            );
        }
    })
    .await;
}

/// A stated end takes the shipment out of the queue; its doubt is settled by it, and the dossier is at 10 on that date.
#[tokio::test]
async fn a_stated_delivery_ends_the_doubt_and_dates_the_dossier() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::AnswerLost).await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let wish = ended(app, id, Answer::Delivered, 90).await;
        let at = wish.at.unwrap();
        let waits = app.propose("bangiao", id, wish).await.unwrap();
        app.approve("lanhdao", waits.decision).await.unwrap();
        let row = app.row(id).await;
        assert_eq!(
            (row.state, row.delivered_at, row.closed),
            (DeliveryState::At(EventKind::Delivered), Some(at), true)
        );
        assert_eq!(app.queue(id).await.state, QueueState::Done);
        assert_eq!(app.attempts(id).await[0].settled.as_deref(), Some("decided"));
        assert_eq!(app.number("SELECT COUNT(*) FROM poll").await, 1);
        assert_eq!(app.number("SELECT status FROM dossier").await, 10);
        assert_eq!(app.number("SELECT returned_at FROM dossier").await, at.as_ms());
        app.resolve().await;
        assert_eq!(app.queue(id).await.state, QueueState::Done);
    })
    .await;
}

/// Code 23: a person says whether the part was the whole.
#[tokio::test]
async fn a_part_is_the_whole_or_it_goes_on() {
    on_both(async |app: &App| {
        let mut ends = Vec::new();
        for (number, answer) in [(1, Answer::Whole), (2, Answer::NotWhole)] {
            let id = app.shipment(number).await;
            app.dispatch().await;
            app.handed_over(id).await;
            app.clock.advance_ms(10 * 3_600_000);
            assert_eq!(
                refused(app.propose("canbo", id, Wish::of(answer)).await),
                Refusal::NotPartial
            );
            app.told(id, 80, "12", EventKind::OutForDelivery).await;
            let part = app.told(id, 100, "23", EventKind::Delivered).await;
            assert!(app.row(id).await.partial);
            assert_eq!(app.row(id).await.delivered_at, None);
            let waits = app.propose("canbo", id, Wish::of(answer)).await.unwrap();
            assert_eq!(waits.standing, Standing::Waits);
            app.approve("lanhdao", waits.decision).await.unwrap();
            let row = app.row(id).await;
            assert_eq!((row.partial, row.contested), (false, false));
            assert_eq!(set_aside(app, id).await, [BTreeSet::from([part.id])]);
            ends.push((row.state, row.delivered_at == Some(part.occurred_at)));
            app.recomputed(id).await;
        }
        assert_eq!(
            ends,
            [
                (DeliveryState::At(EventKind::Delivered), true),
                (DeliveryState::At(EventKind::OutForDelivery), false),
            ]
        );
    })
    .await;
}

/// The entry of a proposal names what is stated, what is set aside and what was seen, and no word of the reason.
#[tokio::test]
async fn the_entries_name_decision_outcome_and_facts_and_nothing_personal() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let delivered = app.told(id, 100, "14", EventKind::Delivered).await;
        let wish = ended(app, id, Answer::LostOrDamaged, 110).await;
        let waits = app.propose("canbo", id, wish).await.unwrap();
        app.approve("lanhdao", waits.decision).await.unwrap();
        let entries = app.entries(id).await;
        let proposed = entries
            .iter()
            .find(|entry| entry.kind == Kind::DecisionProposed)
            .unwrap();
        assert_eq!(
            proposed.fields.get_id(Tag::Decision),
            Some(*waits.decision.as_bytes())
        );
        assert_eq!(proposed.fields.get_int(Tag::Status), Some(104));
        assert_eq!(
            proposed.fields.get_bytes(Tag::Overrides),
            Some(delivered.id.0.as_slice())
        );
        assert_eq!(proposed.actor.id, [11; 16]);
        let approved = entries
            .iter()
            .find(|entry| entry.kind == Kind::DecisionApproved)
            .unwrap();
        assert_eq!((approved.actor.id, approved.office), ([13; 16], [1; 16]));
        for entry in &entries {
            let bytes = entry.to_bytes().unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("bưu cục") && !text.contains("xác nhận"));
        }
    })
    .await;
}
