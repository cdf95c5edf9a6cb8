//! Accepting that a paper is lost or destroyed.
//!
//! In: papers at the desk, handed over, given out. Out: red when an original is given up by one person, or a shipment
//! stays open for ever.

use super::setup::{App, Line, on_both, refused};
use hoibao::domain::capability::Cancelling;
use hoibao::domain::custody::CustodyAct;
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::journal::Kind;
use hoibao::edge::store::queue::QueueState;
use hoibao::stage::decide::{Answer, Refusal, Standing, Wish};

/// Before any order the shipment ends with its paper, and the document may be issued and sent again.
#[tokio::test]
async fn a_paper_lost_at_the_desk_ends_what_was_never_sent() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.paper(id, CustodyAct::AtDesk).await;
        let waits = app
            .propose("canbo", id, Wish::of(Answer::PaperDestroyed))
            .await
            .unwrap();
        assert_eq!(waits.standing, Standing::Waits);
        assert_eq!(app.row(id).await.custody, "at_desk");
        app.approve("lanhdao", waits.decision).await.unwrap();
        let row = app.row(id).await;
        assert_eq!(
            (row.custody.as_str(), row.state, row.closed),
            ("destroyed", DeliveryState::At(EventKind::Cancelled), true)
        );
        assert_eq!(app.queue(id).await.state, QueueState::Done);
        assert_eq!(app.entered(id, Kind::StopWanted).await, 1);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM shipment_item WHERE live IS NOT NULL")
                .await,
            0
        );
        assert_eq!(
            refused(app.propose("canbo", id, Wish::of(Answer::PaperDestroyed)).await),
            Refusal::NothingChanges
        );
        app.dispatch().await;
        assert_eq!(app.attempts(id).await.len(), 0);
        app.recomputed(id).await;
    })
    .await;
}

/// What the post lost ends as lost, dated as stated, and is closed.
#[tokio::test]
async fn a_paper_lost_by_the_post_ends_as_lost() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.dispatch().await;
        app.handed_over(id).await;
        app.clock.advance_ms(10 * 3_600_000);
        let before_handing = Wish {
            at: Some(app.row(id).await.created_at.plus_ms(1)),
            ..Wish::of(Answer::PaperLost)
        };
        assert_eq!(
            refused(app.propose("canbo", id, before_handing).await),
            Refusal::BeforeLastAct
        );
        let waits = app
            .propose("canbo", id, Wish::of(Answer::PaperLost))
            .await
            .unwrap();
        app.approve("lanhdao", waits.decision).await.unwrap();
        let row = app.row(id).await;
        assert_eq!(
            (row.custody.as_str(), row.state, row.closed),
            ("lost", DeliveryState::At(EventKind::LostOrDamaged), true)
        );
        app.recomputed(id).await;
    })
    .await;
}

/// An order without paper is taken back where that is offered; where not, it ends with its paper.
#[tokio::test]
async fn an_order_whose_paper_is_gone_is_taken_back_or_ends_as_lost() {
    on_both(async |app: &App| {
        let mut ends = Vec::new();
        for (number, cancelling) in [(1, Cancelling::Case), (2, Cancelling::None)] {
            app.cancelling(cancelling).await;
            let id = app.shipment(number).await;
            app.dispatch().await;
            app.paper(id, CustodyAct::AtDesk).await;
            let waits = app
                .propose("canbo", id, Wish::of(Answer::PaperLost))
                .await
                .unwrap();
            app.approve("lanhdao", waits.decision).await.unwrap();
            let row = app.row(id).await;
            ends.push((row.custody.clone(), row.state, row.closed));
            app.recomputed(id).await;
        }
        let lost = DeliveryState::At(EventKind::LostOrDamaged);
        assert_eq!(
            ends,
            [
                ("lost".to_owned(), DeliveryState::CancelRequested, false),
                ("lost".to_owned(), lost, true),
            ]
        );
    })
    .await;
}

/// A doubt comes first; a paper in the citizen's hands is not lost.
#[tokio::test]
async fn what_is_in_doubt_or_given_out_is_not_given_up() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::CallLost).await;
        assert_eq!(
            refused(app.propose("canbo", id, Wish::of(Answer::PaperLost)).await),
            Refusal::DoubtFirst
        );
        let given = app.shipment(2).await;
        app.paper(given, CustodyAct::Collected).await;
        let answer = refused(app.propose("canbo", given, Wish::of(Answer::PaperLost)).await);
        assert!(matches!(answer, Refusal::PaperElsewhere(_)));
    })
    .await;
}
