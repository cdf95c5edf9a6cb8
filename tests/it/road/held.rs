//! What stops one shipment and no other: refusals, unknown units, damage, limits (invariants 1 and 16).
//!
//! In: a bad shipment among good ones. Out: red when the bad one is sent, or the good ones wait for it.

use super::{HELD, HOUR_MS, MINUTE_MS, SENT, always};
use crate::support::app::{Line, REFUSED_PHONE, Settings, TestApp, hex, on_both};
use hoibao::domain::capability::DuplicateReference;
use hoibao::domain::id::ShipmentId;
use hoibao::domain::retry::RetrySchedule;
use hoibao::edge::carrier::{CallKind, LookUpKey, Method, Reading, WireRequest};
use hoibao::edge::store::queue::QueueState;
use hoibao::simulator::{DuplicatePolicy, Fault};
use hoibao::stage::context::operator::{Gate, Operator};

async fn at_operator(app: &TestApp) -> (Operator, String) {
    let operator = Operator::open(&app.context, app.account.id).await.unwrap();
    let Gate::Go { token } = operator.gate(&app.context).await.unwrap() else {
        panic!("the operator may not be called")
    };
    (operator, token.to_string())
}

/// Somebody else places the order of this shipment at the operator again, behind our back; its operator id.
pub(super) async fn same_order_again(app: &TestApp, id: ShipmentId) -> String {
    let sent = app
        .evidence(id)
        .await
        .into_iter()
        .find(|(kind, _)| kind == "sent");
    place(app, &sent.unwrap().1, &app.shipment(id).await.reference).await
}

/// Places an order with these bytes; the operator's id of the newest order under the reference.
async fn place(app: &TestApp, body: &[u8], reference: &str) -> String {
    let (operator, token) = at_operator(app).await;
    let request = WireRequest {
        method: Method::Post,
        url: format!("{}/CreateOrder", app.account.base_url),
        headers: vec![("token".to_owned(), token.clone())],
        body: body.to_vec(),
        kind: CallKind::Submit,
        timeout_ms: 5_000,
    };
    app.context.transport.call(&request).await.unwrap();
    let key = LookUpKey::Reference(reference.to_owned());
    let request = operator
        .carrier
        .build_look_up(&operator.settings, &token, &key)
        .unwrap();
    let response = app.context.transport.call(&request).await.unwrap();
    let Reading::Answer(orders) = operator.carrier.read_look_up(&response) else {
        panic!("the order was not placed")
    };
    orders.last().unwrap().operator_id.clone().unwrap()
}

/// Cancels an order behind our back.
pub(super) async fn cancel_at_operator(app: &TestApp, operator_id: &str) {
    let (operator, token) = at_operator(app).await;
    let request = operator
        .carrier
        .build_cancel(&operator.settings, &token, operator_id)
        .unwrap();
    app.context.transport.call(&request).await.unwrap();
}

/// A refusal with a reason holds the shipment with our word for it; an unknown unit is not even sent; others pass.
#[tokio::test]
async fn a_refused_and_an_unaddressable_one_are_held_and_others_pass() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let refused = app.register_line(1, Line::Phone(REFUSED_PHONE)).await;
        let unknown = app.register_line(2, Line::UnknownCommune).await;
        let good = app.register(3).await;
        app.drain().await;
        for (id, word) in [(refused, "refused_phone"), (unknown, "unit_not_in_operator_list")] {
            assert_eq!(app.stands(id).await, HELD);
            assert_eq!(app.shipment(id).await.held.as_deref(), Some(word));
        }
        assert_eq!(app.told(refused).await, ["refused: refused_phone"]);
        assert!(app.attempts(unknown).await.is_empty());
        assert_eq!(app.sale(refused).await.refused, 1);
        assert_eq!(app.stands(good).await, SENT);
        app.live_through(24 * HOUR_MS, HOUR_MS).await;
        assert_eq!(
            app.wire.of("CreateOrder").len(),
            2,
            "what is held is not sent again"
        );
        app.finish().await;
    })
    .await;
}

/// "Exists already" where nothing of ours can have left: the order is somebody else's, and a person must look.
#[tokio::test]
async fn a_duplicate_that_cannot_be_ours_is_held() {
    on_both(async |engine| {
        let settings = Settings {
            duplicates: DuplicatePolicy::Refuse,
            account: |account| account.capabilities.duplicate_reference = DuplicateReference::Refused,
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        // A first shipment lends its bytes: the stranger's order is well formed, under the second's reference.
        let first = app.register(1).await;
        app.drain().await;
        let second = app.register(2).await;
        let [one, two] = [
            app.shipment(first).await.reference,
            app.shipment(second).await.reference,
        ];
        let (_, bytes) = app
            .evidence(first)
            .await
            .into_iter()
            .find(|(kind, _)| kind == "sent")
            .unwrap();
        let foreign = String::from_utf8(bytes).unwrap().replace(&one, &two);
        place(&app, foreign.as_bytes(), &two).await;
        app.drain().await;
        assert_eq!(app.stands(second).await, HELD);
        assert_eq!(app.told(second).await, ["refused: duplicate_not_ours"]);
        assert_eq!(
            app.shipment(second).await.operator_id,
            None,
            "a stranger's order was adopted"
        );
        app.finish().await;
    })
    .await;
}

/// Invariant 16: a shipment whose sealed data are damaged is set aside with a word; the others of its batch are sent.
#[tokio::test]
async fn a_damaged_shipment_does_not_block_the_others() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let poison = app.register(1).await;
        let others = [app.register(2).await, app.register(3).await];
        let record = hex(app.shipment(poison).await.record.as_bytes());
        let literal = app.bytes_literal(&record);
        app.raw(&format!(
            "UPDATE personal_data SET sealed = {} WHERE record_id = {literal}",
            app.bytes_literal("00")
        ))
        .await;
        app.drain().await;
        for id in others {
            assert_eq!(app.stands(id).await, SENT);
        }
        assert_eq!(app.stands(poison).await, HELD);
        assert_eq!(app.shipment(poison).await.held.as_deref(), Some("unreadable"));
        app.finish().await;
    })
    .await;
}

/// Invariant 16, worse: even the facts are unreadable, so nothing can be folded or written about it.
#[tokio::test]
async fn a_shipment_with_unreadable_facts_does_not_block_the_others() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let poison = app.register(1).await;
        let other = app.register(2).await;
        let id = app.bytes_literal(&hex(poison.as_bytes()));
        let fields = format!("SELECT fields FROM delivery_fact WHERE shipment_id = {id}");
        let kept = app.blob(&fields).await;
        let damage = |bytes: &str| {
            let bytes = app.bytes_literal(bytes);
            format!("UPDATE delivery_fact SET fields = {bytes} WHERE shipment_id = {id}")
        };
        app.raw(&damage("00")).await;
        app.drain().await;
        assert_eq!(app.stands(other).await, SENT);
        assert_eq!(app.queued(poison).await.state, QueueState::Held);
        assert!(app.attempts(poison).await.is_empty());
        // Mended, and put back into the queue as a person would: it is sent like any other.
        app.raw(&damage(&hex(&kept))).await;
        app.raw("UPDATE queue SET state = 'ready' WHERE state = 'held'")
            .await;
        app.drain().await;
        assert_eq!(app.stands(poison).await, SENT);
        app.finish().await;
    })
    .await;
}

/// Invariant 16: tries are bounded; then a person is asked.
#[tokio::test]
async fn attempts_are_bounded() {
    on_both(async |engine| {
        let settings = Settings {
            limits: |limits| {
                limits.dispatch_retry = RetrySchedule::new(1_000, 10_000, 4, HOUR_MS).unwrap();
                // The breaker is not what this is about.
                limits.breaker_failures = 1_000;
            },
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.change_account(|account| account.base_url = "http://127.0.0.1:1".to_owned())
            .await;
        app.live_through(5 * MINUTE_MS, 5_000).await;
        assert_eq!(app.told(id).await, vec!["not_sent: never_left"; 4]);
        assert_eq!(app.stands(id).await, HELD);
        assert_eq!(app.shipment(id).await.held.as_deref(), Some("attempts_exhausted"));
        app.finish().await;
    })
    .await;
}

/// Invariant 16: age is bounded too, and calls that count as no attempt cannot go on for ever.
#[tokio::test]
async fn age_is_bounded() {
    on_both(async |engine| {
        let settings = Settings {
            limits: |limits| {
                limits.dispatch_retry = RetrySchedule::new(1_000, 10_000, 1_000, 30 * MINUTE_MS).unwrap();
            },
            ..Settings::on(engine)
        };
        let app = settings.start().await;
        let id = app.register(1).await;
        app.faults(always(Fault::TooManyRequests));
        // Shorter than a token lives: a log-in would be throttled, too.
        app.live_through(40 * MINUTE_MS, MINUTE_MS).await;
        assert_eq!(app.stands(id).await, HELD);
        assert_eq!(app.shipment(id).await.held.as_deref(), Some("attempts_exhausted"));
        assert!(
            app.wire.of("CreateOrder").len() <= 31,
            "throttled more often than once a minute"
        );
        app.finish().await;
    })
    .await;
}
