//! What needs a person, one shipment as a person looks at it, and personal data shown.
//!
//! In: shipments in every kind of trouble. Out: red when one is missing from the list, or something personal is shown
//! without an entry.

use super::setup::{App, Line, REASON, by, ended, on_both};
use hoibao::domain::delivery::EventKind;
use hoibao::domain::journal::Kind;
use hoibao::stage::decide::{
    Answer, DecideError, Question, Refusal, Said, SaidFact, Statement, Wish, look, reveal, tasks, waiting,
};
use hoibao::stage::desk::{DeskError, Wrong, find_shipment};

/// Each kind of trouble is a task of its office with its question and answers; a healthy shipment is none.
#[tokio::test]
async fn every_trouble_is_listed_with_its_question_and_answers() {
    on_both(async |app: &App| {
        let healthy = app.shipment(9).await;
        let held = app.shipment_to(1, "0600012345").await;
        app.dispatch().await;
        let doubted = app.doubted(2, Line::CallLost).await;
        assert!(
            tasks(&app.context, None)
                .await
                .unwrap()
                .iter()
                .all(|task| task.shipment != Some(doubted))
        );
        let (contested, partial, unaccepted) = (
            app.shipment(3).await,
            app.shipment(4).await,
            app.shipment(5).await,
        );
        app.dispatch().await;
        for id in [contested, partial, unaccepted] {
            app.handed_over(id).await;
        }
        app.clock.advance_ms(4 * 86_400_000);
        app.told(contested, 100, "14", EventKind::Delivered).await;
        app.told(contested, 200, "19", EventKind::Returned).await;
        app.told(partial, 100, "23", EventKind::Delivered).await;
        let wish = ended(app, contested, Answer::Returned, 190).await;
        let proposal = app.propose("canbo", contested, wish).await.unwrap();

        let listed = tasks(&app.context, Some(by("canbo").office)).await.unwrap();
        let of = |id| listed.iter().find(|task| task.shipment == Some(id)).unwrap();
        assert_eq!(of(held).questions, [Question::Held("refused_phone".to_owned())]);
        assert_eq!(
            of(held).answers,
            [Answer::Correct, Answer::Release, Answer::Cancelled]
        );
        assert_eq!(of(doubted).questions, [Question::Doubt]);
        assert_eq!(
            of(doubted).answers,
            [Answer::OperatorHasIt, Answer::OperatorHasNot]
        );
        assert_eq!(
            of(contested).questions[..2],
            [Question::Proposal(1), Question::Contested]
        );
        assert_eq!(of(partial).questions, [Question::Partial]);
        assert_eq!(of(unaccepted).questions, [Question::NotAccepted]);
        assert!(listed.iter().all(|task| task.shipment != Some(healthy)));
        assert_eq!(listed.len(), 5);
        assert_eq!(
            (of(held).office.as_str(), of(held).known.queue.as_deref()),
            ("HL01", Some("held"))
        );
        assert_eq!(
            tasks(&app.context, Some(by("canbo-xa").office)).await.unwrap(),
            []
        );

        let open = waiting(&app.context, Some(by("canbo").office)).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(
            (open[0].decision, open[0].answer),
            (proposal.decision, Some(Answer::Returned))
        );
        assert_eq!((open[0].proposed_by.as_str(), open[0].overrides), ("canbo", 1));
        assert_eq!(
            waiting(&app.context, Some(by("canbo-xa").office)).await.unwrap(),
            []
        );
    })
    .await;
}

/// The look shows facts in order with who said each, what was set aside, attempts, evidence and the answers that fit; the
/// reason is shown by `reveal` alone, which is entered.
#[tokio::test]
async fn a_look_says_who_said_what_and_nothing_personal() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::AnswerLost).await;
        let shown = look(&app.context, id).await.unwrap();
        assert_eq!(
            shown.possible,
            [
                Answer::Correct,
                Answer::OperatorHasIt,
                Answer::Delivered,
                Answer::Returned,
                Answer::LostOrDamaged,
                Answer::Cancelled
            ]
        );
        app.propose("canbo", id, Wish::of(Answer::OperatorHasIt))
            .await
            .unwrap();
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let wrong = app.told(id, 100, "14", EventKind::Delivered).await;
        let wish = ended(app, id, Answer::Returned, 190).await;
        let waits = app.propose("canbo", id, wish).await.unwrap();
        app.approve("lanhdao", waits.decision).await.unwrap();

        let shown = look(&app.context, id).await.unwrap();
        let times: Vec<_> = shown.facts.iter().map(SaidFact::occurred_at).collect();
        assert!(times.is_sorted());
        let said = |wanted: &dyn Fn(&Statement) -> bool| {
            shown.facts.iter().find(|fact| wanted(&fact.statement)).unwrap()
        };
        assert_eq!(shown.facts[0].said, Said::Source("one".to_owned()));
        let false_word =
            said(&|statement| matches!(statement, Statement::Delivery(fact) if fact.id == wrong.id));
        assert!(false_word.set_aside);
        assert_eq!(shown.facts.iter().filter(|fact| fact.set_aside).count(), 1);
        assert_eq!(
            shown
                .facts
                .iter()
                .filter(|fact| fact.said == Said::Staff("lanhdao".to_owned()))
                .count(),
            2
        );
        let kinds: Vec<&str> = shown.evidence.iter().map(|note| note.kind.as_str()).collect();
        assert_eq!((kinds, shown.attempts.len()), (vec!["sent"], 1));
        let people: Vec<_> = shown
            .decisions
            .iter()
            .map(|one| (one.proposed_by.as_str(), one.ruled_by.as_deref()))
            .collect();
        assert_eq!(people, [("canbo", None), ("canbo", Some("lanhdao"))]);
        let told = format!("{shown:?}");
        for personal in ["Thử", "0912345678", "ngõ 12", REASON] {
            assert!(!told.contains(personal), "{personal}");
        }
        assert_eq!(app.entered(id, Kind::PersonalDataShown).await, 0);
    })
    .await;
}

/// Personal data are shown to people of the shipment's offices only, and each time is an entry.
#[tokio::test]
async fn personal_data_shown_are_entered() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::AnswerLost).await;
        let ruled = app
            .propose("canbo", id, Wish::of(Answer::OperatorHasIt))
            .await
            .unwrap();
        let rows = app.rows().await;
        for (login, refusal) in [
            ("buuta", Refusal::NotAllowed),
            ("lanhdao-xa", Refusal::OtherOffice),
        ] {
            let answer = reveal(&app.context, by(login), id).await;
            assert!(
                matches!(answer, Err(DecideError::Refused(told)) if told == refusal),
                "{login}"
            );
        }
        assert_eq!(app.rows().await, rows);
        let shown = reveal(&app.context, by("thanhtra"), id).await.unwrap();
        assert_eq!(
            (shown.name.as_str(), shown.phone.as_str()),
            ("Nguyễn Thị Thử", "0912345678")
        );
        assert_eq!(shown.reasons, [(ruled.decision, REASON.to_owned(), None)]);
        assert_eq!(format!("{shown:?}"), "Personal(..)");
        let entries = app.entries(id).await;
        let entry = entries.last().unwrap();
        assert_eq!((entry.kind, entry.actor.id), (Kind::PersonalDataShown, [18; 16]));
        app.recomputed(id).await;
    })
    .await;
}

/// A shipment is found by identifier, short number, reference and the number on its label.
#[tokio::test]
async fn a_shipment_is_found_by_each_of_its_names() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        let row = app.row(id).await;
        let label = row.tracking_number.unwrap();
        for name in [
            &id.to_string(),
            &row.short_number,
            &row.reference,
            &label,
            &label.to_lowercase(),
        ] {
            assert_eq!(
                find_shipment(&app.context, &format!(" {name} ")).await.unwrap(),
                id,
                "{name}"
            );
        }
        for nobody in ["", "26-0000000", "EB000000000VN", "000.00"] {
            let answer = find_shipment(&app.context, nobody).await;
            assert!(
                matches!(answer, Err(DeskError::Wrong(Wrong::Unknown))),
                "{nobody}"
            );
        }
        let missing = look(&app.context, hoibao::domain::id::ShipmentId::from_bytes([5; 16])).await;
        assert!(matches!(
            missing,
            Err(DecideError::Refused(Refusal::UnknownShipment))
        ));
    })
    .await;
}
