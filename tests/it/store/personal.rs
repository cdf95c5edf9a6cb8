//! Personal data: sealed where it lies, gone when its key is destroyed, readable after the keys were changed.
//!
//! In: invented people. Out: red when a value can be read that may not be, or cannot that must.

use super::on_both;
use super::place::{NOW, Place, number};
use super::road::{Road, act};
use futures_util::future::BoxFuture;
use hoibao::domain::id::RecordId;
use hoibao::edge::store::{Backend, Keyring, Store, StoreError, Tx, personal};
use std::collections::BTreeSet;
use std::sync::Arc;

const NAME: &str = "Trần Thị Thử Nghiệm";
const RECORD: RecordId = RecordId::from_bytes([6; 16]);

async fn write(road: &Road, record: RecordId) {
    let road_ = road.clone();
    road.submit(move |tx| {
        let road = road_.clone();
        Box::pin(async move {
            let key = personal::create(&road.store, tx, record, NOW, Some(NOW.plus_ms(1_000))).await?;
            personal::put(tx, &key, "name", "an older value").await?;
            personal::put(tx, &key, "name", NAME).await?;
            let prefixes = BTreeSet::from(["tran".to_owned(), "thu".to_owned()]);
            personal::index(&road.store, tx, record, "name", &prefixes).await
        })
    })
    .await
    .unwrap();
}

async fn read(store: &Store, record: RecordId) -> Result<Option<String>, StoreError> {
    let mut tx = store.snapshot().await?;
    let key = personal::key(store, &mut tx, record).await?;
    personal::get(&mut tx, &key, "name").await
}

fn destroy(tx: &mut Tx) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(personal::destroy(tx, RECORD, NOW))
}

/// Every bytes column of the personal tables, as the database holds it.
async fn stored(store: &Store) -> Vec<Vec<u8>> {
    let text = "SELECT sealed FROM personal_data UNION ALL SELECT wrapped FROM record_key UNION ALL SELECT token FROM search_token";
    match store.backend() {
        Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_all(read).await.unwrap(),
        Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_all(pool).await.unwrap(),
    }
}

on_both! {
    /// Erasing a record destroys its key, its values and its search tokens, and nobody else's.
    async fn an_erased_record_is_unreadable(place: &Place) {
        let road = Road::build(place.store().await).await;
        let kept = RecordId::from_bytes([7; 16]);
        write(&road, RECORD).await;
        write(&road, kept).await;
        assert_eq!(read(&road.store, RECORD).await.unwrap().as_deref(), Some(NAME));
        for bytes in stored(&road.store).await {
            assert!(!bytes.windows(4).any(|part| part == &NAME.as_bytes()[..4]), "a name lies open in the database");
        }
        let tokens = number(&road.store, "SELECT COUNT(*) FROM search_token").await;
        road.submit(destroy).await.unwrap();
        assert!(matches!(read(&road.store, RECORD).await, Err(StoreError::Erased)));
        assert!(matches!(read(&place.reopen().await, RECORD).await, Err(StoreError::Erased)));
        assert_eq!(number(&road.store, "SELECT COUNT(*) FROM search_token").await, tokens - 2);
        assert_eq!(number(&road.store, "SELECT COUNT(*) FROM record_key WHERE destroyed_at IS NOT NULL").await, 1);
        assert_eq!(read(&road.store, kept).await.unwrap().as_deref(), Some(NAME));
        // Again: nothing to do, and nothing comes back.
        road.submit(destroy).await.unwrap();
        assert!(matches!(read(&road.store, RECORD).await, Err(StoreError::Erased)));
    }

    /// Short-lived records are listed once they are due, until they are destroyed.
    async fn short_lived_keys_are_listed_when_due(place: &Place) {
        let road = Road::build(place.store().await).await;
        write(&road, RECORD).await;
        let due = async |now| {
            let mut tx = road.store.snapshot().await.unwrap();
            personal::list_expired(&mut tx, now, 10).await.unwrap()
        };
        assert_eq!(due(NOW.plus_ms(999)).await, []);
        assert_eq!(due(NOW.plus_ms(1_000)).await, [RECORD]);
        road.submit(destroy).await.unwrap();
        assert_eq!(due(NOW.plus_ms(1_000)).await, []);
    }

    /// After a rotation every key is wrapped anew: the data are readable without the old key, and not without the new.
    async fn wrapping_anew_keeps_data_readable(place: &Place) {
        let road = Road::build(place.store().await).await;
        write(&road, RECORD).await;
        let erased = RecordId::from_bytes([7; 16]);
        write(&road, erased).await;
        road.submit(move |tx| Box::pin(personal::destroy(tx, erased, NOW))).await.unwrap();
        let rotated = Keyring::rotate(&place.keys).unwrap();
        let keyring = Arc::new(Keyring::parse(&rotated).unwrap());
        let store = Store::open(&place.settings(), keyring).await.unwrap();
        assert_eq!(read(&store, RECORD).await.unwrap().as_deref(), Some(NAME), "before it is wrapped anew");
        let rewrap = async || {
            let inner = store.clone();
            store
                .submit(act(move |tx| {
                    let store = inner.clone();
                    Box::pin(async move { personal::rewrap(&store, tx, 1).await })
                }))
                .await
                .unwrap()
        };
        // The record here and that of the road's shipment; the destroyed one has nothing to wrap.
        assert_eq!((rewrap().await, rewrap().await, rewrap().await), (1, 1, 0));
        let without_old: String = rotated.lines().filter(|line| !line.starts_with("v1")).collect::<Vec<_>>().join("\n");
        let newest_only = Arc::new(Keyring::parse(&without_old).unwrap());
        let newest_only = Store::open(&place.settings(), newest_only).await.unwrap();
        assert_eq!(read(&newest_only, RECORD).await.unwrap().as_deref(), Some(NAME));
        assert!(matches!(read(&newest_only, erased).await, Err(StoreError::Erased)));
        let old_only = place.reopen().await;
        assert!(matches!(read(&old_only, RECORD).await, Err(StoreError::Seal { what: "opened" })));
    }
}
