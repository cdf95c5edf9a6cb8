//! The second person, roles, what was seen, and two at once.
//!
//! In: proposals. Out: red when the wrong person's word counts, or a word counts twice.

use super::setup::{App, REASON, by, ended, on_both, refused};
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::id::{DecisionId, ShipmentId};
use hoibao::domain::journal::Kind;
use hoibao::edge::store::decision;
use hoibao::stage::decide::{
    Answer, DecideError, FactsSeen, Refusal, Standing, Wish, approve, look, propose, turn_down,
};

/// A contested shipment on the road, with a proposal by `login` that it was returned.
async fn proposed(app: &App, login: &str) -> (ShipmentId, DecisionId) {
    let id = app.shipment(1).await;
    app.dispatch().await;
    app.handed_over(id).await;
    app.clock.advance_ms(10 * 3_600_000);
    app.told(id, 100, "14", EventKind::Delivered).await;
    app.told(id, 200, "19", EventKind::Returned).await;
    let wish = ended(app, id, Answer::Returned, 190).await;
    let waits = app.propose(login, id, wish).await.unwrap();
    assert_eq!(waits.standing, Standing::Waits);
    (id, waits.decision)
}

async fn state(app: &App, id: DecisionId) -> String {
    let mut tx = app.context.store.snapshot().await.unwrap();
    decision::find(&mut tx, id).await.unwrap().unwrap().state
}

/// Nobody confirms an own decision, not even with both roles; only a leader rules; one of another office may.
#[tokio::test]
async fn the_second_person_is_another_one_and_a_leader() {
    on_both(async |app: &App| {
        let (id, decision) = proposed(app, "hai-vai").await;
        let rows = app.rows().await;
        assert_eq!(
            refused(app.approve("hai-vai", decision).await),
            Refusal::OwnProposal
        );
        for login in ["canbo", "bangiao", "canbo-xa", "buuta", "thanhtra"] {
            assert_eq!(
                refused(app.approve(login, decision).await),
                Refusal::NotAllowed,
                "{login}"
            );
        }
        // A leader's role at one office is none at another.
        let borrowed = hoibao::stage::context::By {
            office: by("lanhdao-xa").office,
            ..by("lanhdao")
        };
        assert_eq!(
            refused(approve(&app.context, borrowed, decision).await),
            Refusal::NotAllowed
        );
        let own = turn_down(&app.context, by("hai-vai"), decision, REASON).await;
        assert_eq!(refused(own), Refusal::OwnProposal);
        assert_eq!(app.rows().await, rows);
        assert!(app.row(id).await.contested);
        let done = app.approve("lanhdao-xa", decision).await.unwrap();
        assert_eq!(done.standing, Standing::Applied);
        assert_eq!(app.row(id).await.state, DeliveryState::At(EventKind::Returned));
    })
    .await;
}

/// Who may propose: clerk, dispatcher, leader of an office of the shipment; corrections not the dispatcher.
#[tokio::test]
async fn proposals_need_a_role_at_an_office_of_the_shipment() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        let wish = ended(app, id, Answer::Cancelled, 0).await;
        let rows = app.rows().await;
        for login in ["buuta", "thanhtra"] {
            assert_eq!(
                refused(app.propose(login, id, wish.clone()).await),
                Refusal::NotAllowed,
                "{login}"
            );
        }
        for login in ["canbo-xa", "lanhdao-xa"] {
            assert_eq!(
                refused(app.propose(login, id, wish.clone()).await),
                Refusal::OtherOffice,
                "{login}"
            );
        }
        let correction = Wish {
            correction: Some(hoibao::stage::decide::Correction {
                weight_grams: Some(70),
                ..Default::default()
            }),
            ..Wish::of(Answer::Correct)
        };
        assert_eq!(
            refused(app.propose("bangiao", id, correction).await),
            Refusal::NotAllowed
        );
        for reason in ["", " a ", "số CCCD 022190001234 của người nhận"] {
            let answer = propose(&app.context, by("canbo"), id, wish.clone(), reason).await;
            assert_eq!(refused(answer), Refusal::Reason, "{reason}");
        }
        let nowhere = ShipmentId::from_bytes([9; 16]);
        assert_eq!(
            refused(app.propose("canbo", nowhere, wish.clone()).await),
            Refusal::UnknownShipment
        );
        let nothing = DecisionId::from_bytes([9; 16]);
        assert_eq!(
            refused(app.approve("lanhdao", nothing).await),
            Refusal::UnknownDecision
        );
        assert_eq!(app.rows().await, rows);
        for login in ["canbo", "bangiao", "lanhdao"] {
            assert_eq!(
                app.propose(login, id, wish.clone()).await.unwrap().standing,
                Standing::Waits
            );
        }
    })
    .await;
}

/// Whoever looked before a fact came is refused, by the whole digest and by its short form.
#[tokio::test]
async fn a_proposal_on_what_is_no_longer_all_is_refused() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let seen = look(&app.context, id).await.unwrap().facts_seen;
        let short = FactsSeen::short(&seen);
        assert_eq!(short.len(), 12);
        let wish = Wish {
            seen: FactsSeen::parse(&short),
            ..ended(app, id, Answer::LostOrDamaged, 100).await
        };
        assert!(wish.seen.is_some());
        app.propose("canbo", id, wish.clone()).await.unwrap();
        app.told(id, 120, "12", EventKind::OutForDelivery).await;
        let rows = app.rows().await;
        assert_eq!(refused(app.propose("canbo", id, wish).await), Refusal::Stale);
        assert_eq!(app.rows().await, rows);
        for wrong in ["", "abc", "zzzzzzzzzzzz"] {
            assert_eq!(FactsSeen::parse(wrong), None);
        }
    })
    .await;
}

/// A fact between proposal and approval: the proposal is void, and says so; the outcome is not changed by it.
#[tokio::test]
async fn a_fact_that_comes_before_the_approval_makes_the_proposal_stale() {
    on_both(async |app: &App| {
        let (id, decision) = proposed(app, "canbo").await;
        app.told(id, 300, "14", EventKind::Delivered).await;
        let before = app.delivery_facts(id).await;
        let told = app.approve("lanhdao", decision).await.unwrap();
        assert_eq!(
            (told.standing, state(app, decision).await.as_str()),
            (Standing::Stale, "stale")
        );
        assert_eq!(app.delivery_facts(id).await, before);
        assert!(app.row(id).await.contested);
        assert_eq!(
            refused(app.approve("lanhdao", decision).await),
            Refusal::SettledBefore
        );
        assert_eq!(app.entered(id, Kind::DecisionApproved).await, 0);
        assert_eq!(app.entered(id, Kind::DecisionTurnedDown).await, 1);
    })
    .await;
}

/// Turned down with a reason: nothing changes, and it cannot be approved afterwards.
#[tokio::test]
async fn turned_down_is_settled() {
    on_both(async |app: &App| {
        let (id, decision) = proposed(app, "canbo").await;
        let facts = app.delivery_facts(id).await;
        let refusal = turn_down(&app.context, by("lanhdao"), decision, "").await;
        assert_eq!(refused(refusal), Refusal::Reason);
        let told = turn_down(&app.context, by("lanhdao"), decision, "hãy hỏi lại bưu cục")
            .await
            .unwrap();
        assert_eq!(
            (told.standing, state(app, decision).await.as_str()),
            (Standing::TurnedDown, "turned_down")
        );
        assert_eq!(app.delivery_facts(id).await, facts);
        assert_eq!(
            refused(app.approve("lanhdao-xa", decision).await),
            Refusal::SettledBefore
        );
        assert_eq!(app.entered(id, Kind::DecisionTurnedDown).await, 1);
    })
    .await;
}

/// Two approvers at the same moment, and one twice: it is applied once.
#[tokio::test]
async fn two_approvals_at_once_apply_once() {
    on_both(async |app: &App| {
        let (id, decision) = proposed(app, "canbo").await;
        let other = app.restarted().await;
        let both = tokio::join!(
            approve(&app.context, by("lanhdao"), decision),
            approve(&other, by("lanhdao-xa"), decision),
            approve(&app.context, by("hai-vai"), decision),
        );
        let answers = [both.0, both.1, both.2];
        let applied = answers.iter().filter(|answer| answer.is_ok()).count();
        let settled = |answer: &&Result<_, DecideError>| {
            matches!(answer, Err(DecideError::Refused(Refusal::SettledBefore)))
        };
        assert_eq!(
            (applied, answers.iter().filter(settled).count()),
            (1, 2),
            "{answers:?}"
        );
        assert_eq!(app.entered(id, Kind::DecisionApproved).await, 1);
        assert_eq!(super::setup::decided(&app.delivery_facts(id).await).len(), 2);
        assert_eq!(
            refused(app.approve("lanhdao", decision).await),
            Refusal::SettledBefore
        );
        app.recomputed(id).await;
    })
    .await;
}

/// A proposal outlives the program: after a restart another process approves it, and everything follows.
#[tokio::test]
async fn a_proposal_waits_over_a_restart() {
    on_both(async |app: &App| {
        let (id, decision) = proposed(app, "canbo").await;
        let later = app.restarted().await;
        let done = approve(&later, by("lanhdao"), decision).await.unwrap();
        assert_eq!(
            (done.standing, done.answer),
            (Standing::Applied, Answer::Returned)
        );
        assert_eq!(state(app, decision).await, "applied");
        let row = app.row(id).await;
        assert_eq!(
            (row.state, row.contested),
            (DeliveryState::At(EventKind::Returned), false)
        );
        app.recomputed(id).await;
    })
    .await;
}
