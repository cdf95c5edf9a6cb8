//! What may become of a doubt (invariants 2, 4 and 5).
//!
//! In: orders that appear late, not at all, or twice. Out: red when one is sent again although the operator may have it.

use super::{BOOKED, DOUBT, HOUR_MS, MINUTE_MS, QUIESCENCE_MS, SECOND_MS, SENT, always, one_order};
use crate::support::app::{Engine, Settings, TestApp, on_both};
use hoibao::domain::capability::DuplicateReference;
use hoibao::domain::delivery::DeliveryState;
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::{DuplicatePolicy, Fault, Faults, Pace};

/// An operator that refuses duplicate references, and an account for which that is confirmed.
fn refusing(engine: Engine) -> Settings {
    Settings {
        duplicates: DuplicatePolicy::Refuse,
        account: |account| account.capabilities.duplicate_reference = DuplicateReference::Refused,
        ..Settings::on(engine)
    }
}

fn late(ms: i64) -> Pace {
    Pace {
        late_accept_ms: (ms, ms),
        ..Pace::default()
    }
}

/// The order appears after the first look-up said there was none, within the second quiescence: found, not sent again.
#[tokio::test]
async fn a_late_acceptance_is_found_by_the_second_look() {
    on_both(async |engine| {
        let settings = Settings {
            pace: late(QUIESCENCE_MS + 5 * MINUTE_MS),
            ..refusing(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LateAccept));
        app.dispatch().await;
        app.faults(Faults::none());
        app.live_through(QUIESCENCE_MS + 4 * MINUTE_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await, DOUBT);
        assert_eq!((app.queued(id).await.absences, app.sale(id).await.live()), (1, 0));
        app.live_through(QUIESCENCE_MS, MINUTE_MS).await;
        assert_eq!(app.told(id).await, ["unknown: unknown, found"]);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Absent twice a quiescence apart, duplicates refused: sent again under the same reference.
#[tokio::test]
async fn absent_twice_is_sent_again_under_the_same_reference() {
    on_both(async |engine| {
        let app = refusing(engine).start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::ServerError));
        app.dispatch().await;
        app.faults(Faults::none());
        app.live_through(2 * QUIESCENCE_MS - SECOND_MS, MINUTE_MS).await;
        assert_eq!(
            app.wire.of("CreateOrder").len(),
            1,
            "sent again before the second absence"
        );
        app.live_through(SECOND_MS, SECOND_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(
            app.told(id).await,
            ["unknown: unknown, absent", "accepted: accepted"]
        );
        let attempts = app.attempts(id).await;
        assert_eq!(attempts[0].reference, attempts[1].reference);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Invariant 2, the worst case: the first order appears after it was absent twice and sent again. The operator refuses one
/// of the two, so one lives.
#[tokio::test]
async fn an_acceptance_later_than_the_resend_makes_no_second_order() {
    on_both(async |engine| {
        let settings = Settings {
            pace: late(2 * QUIESCENCE_MS + 5 * MINUTE_MS),
            ..refusing(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LateAccept));
        app.dispatch().await;
        app.faults(Faults::none());
        app.live_through(HOUR_MS, MINUTE_MS).await;
        assert_eq!(
            app.told(id).await,
            ["unknown: unknown, absent", "accepted: accepted"]
        );
        let sale = app.sale(id).await;
        assert_eq!((sale.live(), sale.refused), (1, 1));
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Invariants 2 and 5: where a duplicate would be accepted, or nobody knows, nothing is sent again without a person, and
/// a very late acceptance is the only order.
#[tokio::test]
async fn where_duplicates_may_be_accepted_a_person_decides() {
    on_both(async |engine| {
        let settings = Settings {
            pace: late(2 * QUIESCENCE_MS + 5 * MINUTE_MS),
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LateAccept));
        app.dispatch().await;
        app.faults(Faults::none());
        app.live_through(2 * QUIESCENCE_MS, MINUTE_MS).await;
        let held = (DeliveryState::InDoubt, QueueState::Held);
        assert_eq!(app.stands(id).await, held);
        assert_eq!(app.shipment(id).await.held.as_deref(), Some("absent_at_operator"));
        assert_eq!(app.told(id).await, ["unknown: unknown"], "it may still appear");
        app.live_through(3 * HOUR_MS, 10 * MINUTE_MS).await;
        assert_eq!(
            (app.stands(id).await, app.wire.of("CreateOrder").len()),
            (held, 1)
        );
        // A callback about it is a hint: looked up once more, found, and released by that.
        app.hint(id).await;
        app.drain().await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(app.shipment(id).await.held, None);
        assert_eq!(app.told(id).await, ["unknown: unknown, found"]);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Without a look-up, a refusal of the duplicate is the answer: our earlier attempt arrived.
#[tokio::test]
async fn a_refused_duplicate_answers_a_doubt_where_nothing_can_be_looked_up() {
    on_both(async |engine| {
        let app = blind(refusing(engine)).start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LostAnswer));
        app.dispatch().await;
        app.faults(Faults::none());
        assert_eq!(app.stands(id).await, DOUBT);
        app.live_through(QUIESCENCE_MS - SECOND_MS, MINUTE_MS).await;
        assert_eq!(
            app.wire.of("CreateOrder").len(),
            1,
            "asked before the quiescence was over"
        );
        app.live_through(SECOND_MS, SECOND_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(
            app.told(id).await,
            ["unknown: unknown, found", "accepted: duplicate_is_ours"]
        );
        assert!(app.wire.of("getOrder").is_empty());
        assert_eq!((app.sale(id).await.live(), app.sale(id).await.refused), (1, 1));
        app.finish().await;
    })
    .await;
}

/// The same question when the order did not arrive: the resend is accepted, and there is one.
#[tokio::test]
async fn an_accepted_resend_answers_a_doubt_too() {
    on_both(async |engine| {
        let app = blind(refusing(engine)).start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::ServerError));
        app.dispatch().await;
        app.faults(Faults::none());
        app.live_through(QUIESCENCE_MS, QUIESCENCE_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(
            app.told(id).await,
            ["unknown: unknown, found", "accepted: accepted"]
        );
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// Neither look-up nor refusal of duplicates: nothing is sent, however long it takes, until a person decides.
#[tokio::test]
async fn without_any_way_to_ask_nothing_is_sent_again() {
    on_both(async |engine| {
        let app = blind(Settings::on(engine)).start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LostAnswer));
        app.dispatch().await;
        app.faults(Faults::none());
        app.live_through(24 * HOUR_MS, HOUR_MS).await;
        assert_eq!(app.stands(id).await, DOUBT);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        assert!(app.wire.of("getOrder").is_empty());
        app.finish().await;
    })
    .await;
}

/// An account without a look-up by reference.
fn blind(settings: Settings) -> Settings {
    let account = match settings.duplicates {
        DuplicatePolicy::Refuse => |account: &mut hoibao::edge::store::account::Account| {
            account.capabilities.look_up_by_reference = false;
            account.capabilities.duplicate_reference = DuplicateReference::Refused;
        },
        DuplicatePolicy::SecondOrder => |account: &mut hoibao::edge::store::account::Account| {
            account.capabilities.look_up_by_reference = false;
        },
    };
    Settings { account, ..settings }
}

/// A look-up that fails says nothing: neither found nor absent, and it is asked again.
#[tokio::test]
async fn a_failed_look_up_is_no_absence() {
    on_both(async |engine| {
        let app = refusing(engine).start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LostAnswer));
        app.dispatch().await;
        for fault in [
            Fault::ServerError,
            Fault::ErrorBody,
            Fault::LostAnswer,
            Fault::Reset,
        ] {
            app.faults(always(fault));
            app.live_through(QUIESCENCE_MS, QUIESCENCE_MS).await;
            let row = app.queued(id).await;
            assert_eq!((app.stands(id).await, row.absences), (DOUBT, 0), "{fault:?}");
        }
        app.faults(Faults::none());
        app.live_through(HOUR_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await, SENT);
        assert_eq!(app.wire.of("CreateOrder").len(), 1);
        one_order(&app, id).await;
        app.finish().await;
    })
    .await;
}

/// A hint may pull the look forward, but an absence before the quiescence proves nothing.
#[tokio::test]
async fn a_hint_makes_no_absence_count_early() {
    on_both(async |engine| {
        let settings = Settings {
            pace: late(5 * MINUTE_MS),
            ..refusing(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::LateAccept));
        app.dispatch().await;
        app.faults(Faults::none());
        for _ in 0..3 {
            app.advance_ms(MINUTE_MS).await;
            app.hint(id).await;
            app.resolve().await;
            assert_eq!((app.stands(id).await, app.queued(id).await.absences), (DOUBT, 0));
        }
        app.live_through(QUIESCENCE_MS, MINUTE_MS).await;
        assert_eq!(
            (app.stands(id).await.0, app.wire.of("CreateOrder").len()),
            (BOOKED, 1)
        );
        app.finish().await;
    })
    .await;
}

/// An order found twice at the operator is adopted and shown to a person: a double is never silent.
#[tokio::test]
async fn a_double_at_the_operator_is_seen() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = app.register(1).await;
        app.faults(always(Fault::LostAnswer));
        app.dispatch().await;
        app.faults(Faults::none());
        // Somebody at the operator makes a second parcel of it, and the first is cancelled only afterwards.
        let again = super::held::same_order_again(&app, id).await;
        app.live_through(QUIESCENCE_MS, QUIESCENCE_MS).await;
        let row = app.shipment(id).await;
        assert_eq!(
            (row.state, row.held.as_deref()),
            (BOOKED, Some("double_at_operator"))
        );
        assert_eq!(app.stands(id).await.1, QueueState::Done);
        super::held::cancel_at_operator(&app, &again).await;
        assert_eq!(
            app.stands(id).await.0,
            DeliveryState::At(hoibao::domain::delivery::EventKind::Booked)
        );
        app.finish().await;
    })
    .await;
}
