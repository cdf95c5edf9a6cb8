//! How long raw callbacks can be read.
//!
//! In: callbacks, read and unread, and a month. Out: red when a key outlives its time, or its end holds up the road.

use super::{BOOKED, DAY_MS, booked, callback};
use crate::support::app::{TestApp, on_both};
use hoibao::domain::id::RecordId;
use hoibao::edge::store::{StoreError, personal};
use hoibao::stage::retention;

/// After its time the key of a callback is destroyed, by an entry that counts and names nobody; the row stays and can never
/// be opened again. One that nobody had read is set aside, and the road goes on.
#[tokio::test]
async fn the_key_of_a_callback_is_destroyed_when_its_time_is_over() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let body = callback(&[(&app.shipment(id).await.reference, 14)]);
        app.call_back(body.clone()).await;
        app.knock("/callback/bcci/falsch", "198.51.100.7", "{}").await;
        let record = app.blob("SELECT record_id FROM inbox").await;
        let record = RecordId::from_bytes(record.try_into().unwrap());
        app.clock.advance_ms(30 * DAY_MS - 1);
        assert_eq!(retention::tick(&app.context).await.unwrap().done, 0);
        let open = async || {
            let mut tx = app.context.store.snapshot().await.unwrap();
            personal::key(&app.context.store, &mut tx, record).await.map(drop)
        };
        open().await.unwrap();
        app.clock.advance_ms(1);
        assert_eq!(
            retention::tick(&app.context).await.unwrap().done,
            2,
            "the callback and the refused body"
        );
        assert_eq!(retention::tick(&app.context).await.unwrap().done, 0);
        assert!(matches!(open().await, Err(StoreError::Erased)));
        let wrapped =
            "SELECT COUNT(*) FROM record_key WHERE destroyed_at IS NOT NULL AND LENGTH(wrapped) > 0";
        assert_eq!(app.number(wrapped).await, 0);
        assert_eq!(
            app.number("SELECT COUNT(*) FROM journal WHERE kind = 62").await,
            1
        );
        app.call_back(body).await;
        app.drain().await;
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE state = 'garbage'")
                .await,
            1
        );
        assert_eq!(
            app.number("SELECT COUNT(*) FROM inbox WHERE state = 'unread'")
                .await,
            0
        );
        assert_eq!(
            app.shipment(id).await.state,
            BOOKED,
            "the shipment's own key stands"
        );
        assert!(app.shipment(id).await.heard_at.is_some());
        app.finish().await;
    })
    .await;
}

/// More than fits one round is destroyed round by round; two gateways at once destroy each key once.
#[tokio::test]
async fn many_keys_end_in_rounds() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        for _ in 0..5 {
            futures_util::future::join_all((0..50).map(|_| app.call_back("{\"data\":[]}"))).await;
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM inbox").await, 250);
        app.clock.advance_ms(31 * DAY_MS);
        for _ in 0..3 {
            let ticks = [&app.context, &other].map(retention::tick);
            futures_util::future::try_join_all(ticks).await.unwrap();
        }
        let left = app
            .number("SELECT COUNT(*) FROM record_key WHERE expires_at IS NOT NULL AND destroyed_at IS NULL");
        assert_eq!(left.await, 0);
        app.finish().await;
    })
    .await;
}
