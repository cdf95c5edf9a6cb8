//! The report of a period, on both databases: which dossiers count, on which side of midnight, for which office, and what
//! became of the envelopes.
//!
//! In: a world written through the stages. Out: red when a figure is another. Deliberately not here: the article's quarter
//! (beside the demo).

use crate::audit::world::{OTHER_OFFICE, World, code, on_both};
use hoibao::domain::delivery::{EventKind, FactBody};
use hoibao::domain::dossier::{ReturnBy, SubmittedBy};
use hoibao::domain::journal::{Actor, Entry, Kind, Tag};
use hoibao::domain::time::Timestamp;
use hoibao::edge::store::journal;
use hoibao::stage::audit::recompute;
use hoibao::stage::report::{Fates, Figures, Filters, Period, Report, ReportError, count, draw};

fn period(first: &str, last: &str) -> Period {
    Period::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

async fn november(world: &World, office: Option<&str>) -> Report {
    let period = period("2026-11-01", "2026-11-30");
    draw(&world.context, Actor::ADMINISTRATOR, period, office)
        .await
        .unwrap()
}

async fn counted(world: &World, first: &str, last: &str) -> Figures {
    let mut tx = world.context.store.snapshot().await.unwrap();
    count(&mut tx, period(first, last), None, &Filters::all())
        .await
        .unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The audit's world with everything: ten dossiers, of them one second record, one withdrawn from the post, one for the
/// counter; seven by post in six envelopes of their last sending.
#[tokio::test]
async fn what_became_of_results_by_post() {
    on_both(async |world| {
        world.everything().await;
        let figures = november(world, None).await.figures;
        let expected = Figures {
            received: 9,
            received_new: 9,
            carried_over: 0,
            resolved: 9,
            on_time: 9,
            online: 9,
            by_post: Fates {
                all: 7,
                handed_over: 4,
                // 1, and 2 at the second sending.
                delivered: 2,
                // 3 after it came back (its envelope did not), 8 without any.
                collected: 1,
                // 3's envelope, 4 by a person's decision.
                returned: 2,
                held: 1,
                // 6 was cancelled.
                open: 1,
            },
            envelopes: Fates {
                all: 6,
                handed_over: 4,
                delivered: 2,
                collected: 0,
                returned: 2,
                held: 1,
                open: 1,
            },
        };
        assert_eq!(figures, expected);
        let fates = figures.by_post;
        let sum = fates.delivered + fates.collected + fates.returned + fates.held + fates.open;
        assert_eq!(sum, fates.all);
    })
    .await;
}

/// Days are Vietnam's and both belong to the period: a minute decides.
#[tokio::test]
async fn a_minute_decides_to_which_period_a_dossier_belongs() {
    on_both(async |world| {
        let finished = ["2026-10-31T23:59:59.999+07:00", "2026-11-01T00:00:00+07:00"];
        for (number, finished) in (1..).zip(finished) {
            world
                .state(number, |snapshot| {
                    snapshot.received_at = at("2026-10-31T08:00:00+07:00");
                    snapshot.finished_at = Some(at(finished));
                    snapshot.due_at = Some(at("2026-11-01T00:00:00+07:00"));
                    snapshot.submitted_by = SubmittedBy::Direct;
                })
                .await;
        }
        // Not finished at all, promised long ago; and one without a promise, late in the month.
        world
            .state(3, |snapshot| {
                snapshot.status_raw = "4".to_owned();
                snapshot.finished_at = None;
                snapshot.received_at = at("2026-10-05T08:00:00+07:00");
            })
            .await;
        world
            .state(4, |snapshot| {
                snapshot.due_at = None;
                snapshot.return_by = ReturnBy::Counter;
            })
            .await;
        let some = |figures: Figures| {
            [
                figures.received_new,
                figures.carried_over,
                figures.resolved,
                figures.on_time,
                figures.online,
                figures.by_post.all,
            ]
        };
        assert_eq!(
            some(counted(world, "2026-10-01", "2026-10-31").await),
            [3, 0, 1, 1, 1, 1]
        );
        assert_eq!(
            some(counted(world, "2026-11-01", "2026-11-01").await),
            [0, 2, 1, 1, 1, 1]
        );
        assert_eq!(
            some(counted(world, "2026-11-02", "2026-11-30").await),
            [1, 1, 1, 1, 2, 0]
        );
        assert_eq!(
            some(counted(world, "2026-10-01", "2026-11-30").await),
            [4, 0, 3, 3, 2, 2]
        );
        assert_eq!(
            Period::new("2026-11-02".parse().unwrap(), "2026-11-01".parse().unwrap()),
            None
        );
    })
    .await;
}

/// Late is late; what was withdrawn after the hand-over is not by post either, whatever the envelope does.
#[tokio::test]
async fn late_and_withdrawn_late() {
    on_both(async |world| {
        let now = world.context.clock.now();
        world
            .state(1, |snapshot| snapshot.due_at = Some(now.plus_ms(-1)))
            .await;
        let id = world.register("k", &[1]).await;
        world.hand_over(&[(id, &[1])]).await;
        assert_eq!(november(world, None).await.figures.by_post.handed_over, 1);
        let source = crate::audit::world::SOURCE;
        let actor = hoibao::stage::dossier_record::system(source);
        hoibao::stage::dossier_record::withdraw_post(&world.context, source, actor, &code(1))
            .await
            .unwrap();
        let figures = november(world, None).await.figures;
        assert_eq!((figures.resolved, figures.on_time), (1, 0));
        assert_eq!(figures.by_post, Fates::default());
    })
    .await;
}

/// Held, partly delivered and contested results wait for a person; a collected envelope is collected.
#[tokio::test]
async fn held_and_collected_envelopes() {
    on_both(async |world| {
        for number in 1..=3 {
            world.state(number, |_usual| ()).await;
        }
        let both = world.register("a", &[1, 2]).await;
        let reason = "unit".to_owned();
        world.ours(both, FactBody::Held { reason }).await;
        let third = world.register("b", &[3]).await;
        world.hand_over(&[(third, &[3])]).await;
        world.event(third, "14", EventKind::Delivered).await;
        world.event(third, "19", EventKind::Returned).await;
        let figures = november(world, None).await.figures;
        assert_eq!((figures.by_post.held, figures.by_post.delivered), (3, 0));
        assert_eq!((figures.envelopes.held, figures.envelopes.all), (2, 2));
        world.ours(both, FactBody::CancelledByUs).await;
        world.collect(World::document(1)).await;
        let figures = november(world, None).await.figures;
        assert_eq!((figures.by_post.held, figures.by_post.open), (1, 2));
    })
    .await;
}

/// One office's figures are its own; the journal notes who drew what, and an audit goes on agreeing.
#[tokio::test]
async fn by_office_and_noted_in_the_journal() {
    on_both(async |world| {
        for number in 1..=3 {
            world
                .state(number, |snapshot| {
                    if number == 3 {
                        snapshot.receiving_office = "HL02".to_owned();
                    }
                })
                .await;
        }
        assert_eq!(november(world, None).await.figures.received, 3);
        let report = november(world, Some("HL02")).await;
        assert_eq!(
            (report.figures.received, report.office.as_deref()),
            (1, Some("HL02"))
        );
        assert_eq!(
            (report.from.as_str(), report.to.as_str()),
            ("2026-11-01", "2026-11-30")
        );
        let refused = draw(
            &world.context,
            Actor::ADMINISTRATOR,
            period("2026-11-01", "2026-11-30"),
            Some("none"),
        );
        assert!(matches!(refused.await, Err(ReportError::OfficeUnknown(code)) if code == "none"));

        let mut tx = world.context.store.snapshot().await.unwrap();
        let (bytes, _) = journal::page(&mut tx, journal::Position::START, 1_000)
            .await
            .unwrap();
        drop(tx);
        let drawn: Vec<Entry> = bytes
            .iter()
            .map(|bytes| Entry::from_bytes(bytes).unwrap())
            .filter(|entry| entry.kind == Kind::ReportDrawn)
            .collect();
        let [all, one] = drawn.as_slice() else {
            panic!("two reports were drawn: {drawn:?}");
        };
        assert_eq!((all.office, one.office), ([0; 16], *OTHER_OFFICE.as_bytes()));
        assert_eq!(
            (all.actor, all.fields.get_int(Tag::Count)),
            (Actor::ADMINISTRATOR, Some(3))
        );
        assert_eq!(one.fields.get_ascii(Tag::Word), Some("2026-11-01..2026-11-30"));
        // Whoever has the report can show that it is the one drawn.
        let digest = <sha2::Sha256 as sha2::Digest>::digest(serde_json::to_vec(&report.figures).unwrap());
        assert_eq!(one.fields.get_bytes(Tag::Evidence), Some(digest.as_slice()));
        assert_ne!(
            one.fields.get_bytes(Tag::Evidence),
            all.fields.get_bytes(Tag::Evidence)
        );
        let audit = recompute(&world.context.store, &|_progress| ()).await.unwrap();
        assert!(audit.is_clean());
    })
    .await;
}
