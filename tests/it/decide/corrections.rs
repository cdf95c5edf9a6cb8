//! Letting a held shipment go, and correcting it.
//!
//! In: shipments that the operator refused, or that nobody sent yet. Out: red when the next attempt does not name the new
//! revision, or a wrong correction changes anything.

use super::seed::addressee;
use super::setup::{App, Line, on_both, refused};
use hoibao::domain::addressee::UnitDraft;
use hoibao::domain::custody::CustodyAct;
use hoibao::domain::delivery::{DeliveryState, EventKind};
use hoibao::domain::fault::FaultCode;
use hoibao::domain::id::ShipmentId;
use hoibao::domain::journal::{Kind, Tag};
use hoibao::edge::store::queue::QueueState;
use hoibao::edge::store::{Command, StoreError, Tx, personal, revision, shipment_person};
use hoibao::stage::context::Context;
use hoibao::stage::decide::{Answer, Correction, DecideError, Refusal, Standing, Wish};
use std::sync::Arc;

fn correct(correction: Correction) -> Wish {
    Wish {
        correction: Some(correction),
        ..Wish::of(Answer::Correct)
    }
}

fn phone(phone: &str) -> Wish {
    correct(Correction {
        phone: Some(phone.to_owned()),
        ..Correction::default()
    })
}

/// A shipment whose telephone number the operator refused.
async fn held(app: &App) -> ShipmentId {
    let id = app.shipment_to(1, "0600012345").await;
    app.dispatch().await;
    let row = app.row(id).await;
    assert_eq!(row.held.as_deref(), Some("refused_phone"));
    assert_eq!(app.queue(id).await.state, QueueState::Held);
    id
}

/// Name, telephone and line of a revision, as sealed.
async fn sealed(app: &App, id: ShipmentId, number: u32) -> (String, String, String) {
    let record = app.row(id).await.record;
    let mut tx = app.context.store.snapshot().await.unwrap();
    let key = personal::key(&app.context.store, &mut tx, record).await.unwrap();
    let person = revision::addressee(&mut tx, &key, number).await.unwrap();
    (person.name, person.phone, person.line)
}

/// Released without a change, the operator refuses it again; corrected, the next attempt names revision 2 and is taken.
#[tokio::test]
async fn a_correction_is_revision_two_and_the_next_attempt_names_it() {
    on_both(async |app: &App| {
        let id = held(app).await;
        let let_go = app
            .propose("bangiao", id, Wish::of(Answer::Release))
            .await
            .unwrap();
        assert_eq!(let_go.standing, Standing::Applied);
        assert_eq!(
            (app.row(id).await.held, app.queue(id).await.state),
            (None, QueueState::Ready)
        );
        app.dispatch().await;
        assert_eq!(app.row(id).await.held.as_deref(), Some("refused_phone"));

        let done = app
            .propose("canbo", id, phone("0987654321 / 0203 3826 123"))
            .await
            .unwrap();
        assert_eq!((done.standing, done.answer), (Standing::Applied, Answer::Correct));
        let (row, queued) = (app.row(id).await, app.queue(id).await);
        assert_eq!((row.revision, row.held), (2, None));
        assert_eq!(
            (queued.state, queued.attempts, queued.first_at),
            (QueueState::Ready, 0, None)
        );
        app.dispatch().await;

        let revisions: Vec<u32> = app.attempts(id).await.iter().map(|made| made.revision).collect();
        assert_eq!(revisions, [1, 1, 2]);
        let references = app.attempts(id).await;
        assert!(references.iter().all(|made| made.reference == row.reference));
        assert_eq!(app.row(id).await.state, DeliveryState::At(EventKind::Booked));
        // Both revisions stay readable by those who hold the key; what was not corrected is as it was.
        let name = addressee("").name;
        let line = addressee("").line;
        assert_eq!(
            sealed(app, id, 1).await,
            (name.clone(), "0600012345".to_owned(), line.clone())
        );
        assert_eq!(sealed(app, id, 2).await, (name, "0987654321".to_owned(), line));
        let revised = app.entries(id).await;
        let revised = revised.iter().find(|entry| entry.kind == Kind::ShipmentRevised);
        assert_eq!(revised.unwrap().fields.get_int(Tag::Revision), Some(2));
        app.recomputed(id).await;
    })
    .await;
}

/// The units are checked as at registration, the weight too; every fault is told and nothing is written.
#[tokio::test]
async fn a_wrong_correction_changes_nothing() {
    on_both(async |app: &App| {
        let id = held(app).await;
        let rows = app.rows().await;
        let unit = |code: &str| {
            Some(UnitDraft {
                set: "vn-2026-04".to_owned(),
                code: code.to_owned(),
            })
        };
        let wrong = correct(Correction {
            phone: Some("12".to_owned()),
            commune: unit("00004"),
            weight_grams: Some(30_001),
            ..Correction::default()
        });
        let codes = |answer| match answer {
            Err(DecideError::Faults(faults)) => faults
                .into_iter()
                .map(|fault| (fault.pointer, fault.code))
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let told = codes(app.propose("canbo", id, wrong).await);
        assert_eq!(
            told,
            [
                ("/weight_grams".to_owned(), FaultCode::WeightOutOfRange),
                ("/phone".to_owned(), FaultCode::PhoneInvalid),
            ]
        );
        let elsewhere = correct(Correction {
            commune: unit("00004"),
            ..Correction::default()
        });
        assert_eq!(
            codes(app.propose("canbo", id, elsewhere).await),
            [("/commune".to_owned(), FaultCode::CommuneNotOfProvince)]
        );
        let same = phone("0600012345");
        assert_eq!(
            refused(app.propose("canbo", id, same).await),
            Refusal::NothingChanges
        );
        let nothing = Wish::of(Answer::Correct);
        assert_eq!(
            refused(app.propose("canbo", id, nothing).await),
            Refusal::NothingChanges
        );
        assert_eq!(app.rows().await, rows);
        assert_eq!(
            (app.row(id).await.revision, app.queue(id).await.state),
            (1, QueueState::Held)
        );
    })
    .await;
}

/// Address with both units, weight and name, before anything was sent; the shipment is found by the new name.
#[tokio::test]
async fn everything_can_be_corrected_before_an_order_and_nothing_after() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        let unit = |code: &str| {
            Some(UnitDraft {
                set: "vn-2026-04".to_owned(),
                code: code.to_owned(),
            })
        };
        let tokens = app.number("SELECT COUNT(*) FROM search_token").await;
        let all = correct(Correction {
            name: Some("Chíu A Sềnh".to_owned()),
            line: Some("Thôn Khe Thử".to_owned()),
            commune: unit("00004"),
            province: unit("01"),
            note: Some("gọi trước".to_owned()),
            weight_grams: Some(120),
            ..Correction::default()
        });
        app.propose("hai-vai", id, all).await.unwrap();
        assert_eq!(
            sealed(app, id, 2).await,
            ("Chíu A Sềnh".into(), "0912345678".into(), "Thôn Khe Thử".into())
        );
        let mut tx = app.context.store.snapshot().await.unwrap();
        let new = revision::find(&mut tx, id, 2).await.unwrap().unwrap();
        drop(tx);
        assert_eq!(
            (
                new.unit_set.as_str(),
                new.province_code.as_str(),
                new.commune_code.as_str(),
                new.weight_grams
            ),
            ("vn-2026-04", "01", "00004", 120)
        );
        assert!(app.number("SELECT COUNT(*) FROM search_token").await > tokens);
        // It was never held, so nothing else moved.
        assert_eq!(app.queue(id).await.state, QueueState::Ready);
        app.dispatch().await;
        assert_eq!(app.attempts(id).await[0].revision, 2);
        let rows = app.rows().await;
        assert_eq!(
            refused(app.propose("canbo", id, phone("0987654321")).await),
            Refusal::OrderStands
        );
        assert_eq!(
            refused(app.propose("canbo", id, Wish::of(Answer::Release)).await),
            Refusal::NotHeld
        );
        assert_eq!(app.rows().await, rows);
    })
    .await;
}

/// A doubt stays a doubt: the correction waits in revision 2 and nothing is sent.
#[tokio::test]
async fn a_correction_in_doubt_sends_nothing() {
    on_both(async |app: &App| {
        let id = app.doubted(1, Line::CallLost).await;
        app.propose("canbo", id, phone("0987654321")).await.unwrap();
        assert_eq!(
            (app.row(id).await.revision, app.queue(id).await.state),
            (2, QueueState::Doubt)
        );
        let calls = app.wire.creates.load(std::sync::atomic::Ordering::SeqCst);
        app.dispatch().await;
        assert_eq!(app.wire.creates.load(std::sync::atomic::Ordering::SeqCst), calls);
        // A paper given out at the counter needs no address any more.
        let other = app.shipment(2).await;
        app.paper(other, CustodyAct::Collected).await;
        assert!(matches!(
            refused(app.propose("canbo", other, phone("0987654321")).await),
            Refusal::PaperElsewhere(_)
        ));
    })
    .await;
}

struct Erase(Arc<Context>, ShipmentId);

impl Command for Erase {
    const NAME: &'static str = "erase";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let row = hoibao::edge::store::shipment::find(tx, self.1).await?.unwrap();
        personal::destroy(tx, row.record, self.0.clock.now()).await
    }
}

/// After erasure no reason can be sealed, so nothing is decided; and no reason stands in the open.
#[tokio::test]
async fn reasons_are_sealed_and_an_erased_shipment_takes_none() {
    on_both(async |app: &App| {
        let id = app.shipment(1).await;
        app.propose("canbo", id, phone("0987654321")).await.unwrap();
        let (row, mut tx) = (app.row(id).await, app.context.store.snapshot().await.unwrap());
        let key = personal::key(&app.context.store, &mut tx, row.record)
            .await
            .unwrap();
        let draft = revision::find(&mut tx, id, 2).await.unwrap().unwrap();
        let draft = shipment_person::revision_draft(&mut tx, &key, &draft)
            .await
            .unwrap();
        assert_eq!(draft, addressee("0987654321"));
        drop(tx);
        app.context
            .store
            .submit(Erase(Arc::clone(&app.context), id))
            .await
            .unwrap();
        let rows = app.rows().await;
        assert_eq!(
            refused(app.propose("canbo", id, phone("0911111111")).await),
            Refusal::Erased
        );
        assert_eq!(app.rows().await, rows);
    })
    .await;
}
