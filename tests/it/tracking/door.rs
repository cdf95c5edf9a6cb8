//! The callback door.
//!
//! In: honest callers, forgers, garbage, a database that is slow or gone. Out: red when a caller without the secret gets
//! in or costs more than a count, when 200 is said of bytes that do not stand, or when one body holds up another.

use super::{JOURNEY, MINUTE_MS, booked, callback, read, weight};
use crate::support::app::{TestApp, on_both};
use futures_util::future::join_all;
use hoibao::domain::id::RecordId;
use hoibao::edge::store::Backend;
use hoibao::edge::store::personal;
use reqwest::StatusCode;
use serde_json::{Value, json};

const WRONG: &str = "/callback/bcci/khong-phai-bi-mat";

async fn count(app: &TestApp, what: &str) -> i64 {
    app.number(&format!("SELECT COUNT(*) FROM {what}")).await
}

/// Entries of this kind in the journal.
async fn entries(app: &TestApp, kind: i64) -> i64 {
    count(app, &format!("journal WHERE kind = {kind}")).await
}

fn no() -> Value {
    json!({"success": false, "message": "Không được phép", "updated": 0})
}

/// Invariant 7: who has no secret is told so in the operator's form, and leaves a count, the first bodies of its hour and
/// one entry of its minute, however often it comes.
#[tokio::test]
async fn without_the_secret_a_caller_is_counted_and_nothing_else() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let before = weight(&app).await;
        for minute in 0..2 {
            for body in 0..5 {
                let told = app
                    .knock(WRONG, "198.51.100.7", format!("{{\"n\":{body}}}"))
                    .await;
                assert_eq!(told, (StatusCode::UNAUTHORIZED, no()));
            }
            let sum = "SELECT CAST(SUM(count) AS BIGINT) FROM refused_callback";
            assert_eq!(app.number(sum).await, 5 * (minute + 1));
            assert_eq!(count(&app, "refused_callback").await, minute + 1);
            assert_eq!(entries(&app, 52).await, minute + 1, "one entry a minute");
            assert_eq!(
                count(&app, "refused_body").await,
                3,
                "the first three of the hour"
            );
            app.clock.advance_ms(MINUTE_MS);
        }
        // Another source has its own count; the next hour its own bodies.
        app.knock(WRONG, "198.51.100.8", "{}").await;
        assert_eq!(
            (count(&app, "refused_callback").await, entries(&app, 52).await),
            (3, 3)
        );
        app.clock.advance_ms(60 * MINUTE_MS);
        app.knock(WRONG, "198.51.100.7", "{}").await;
        assert_eq!(count(&app, "refused_body").await, 5);
        assert_eq!(count(&app, "inbox").await, 0);
        let after = weight(&app).await;
        assert_eq!(
            (&after[..3], after[4]),
            (&before[..3], before[4]),
            "only entries of refusals"
        );
        app.finish().await;
    })
    .await;
}

/// Whoever has one IPv6 address has the network around it: it is one caller, or a forger could fill the journal.
#[tokio::test]
async fn a_network_of_addresses_is_one_caller() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        for host in 1..=20 {
            app.knock(WRONG, &format!("2001:db8:0:7:{host:x}::{host:x}"), "{}")
                .await;
        }
        assert_eq!(
            (count(&app, "refused_callback").await, entries(&app, 52).await),
            (1, 1)
        );
        app.knock(WRONG, "2001:db8:0:8::1", "{}").await;
        assert_eq!(
            (count(&app, "refused_callback").await, entries(&app, 52).await),
            (2, 2)
        );
        app.finish().await;
    })
    .await;
}

/// An account that nobody has, in whatever spelling, is a refusal without the operator's form, and names no row of ours.
#[tokio::test]
async fn an_unknown_account_is_refused() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let secret = app.callback_path().rsplit('/').next().unwrap().to_owned();
        for name in ["nobody", "BCCI", "bcci%00", "b%C3%A9", "bcci%27--"] {
            let told = app
                .knock(&format!("/callback/{name}/{secret}"), "198.51.100.7", "{}")
                .await;
            assert_eq!(
                told,
                (StatusCode::UNAUTHORIZED, json!({"success": false})),
                "{name}"
            );
        }
        let (status, _) = app.knock("/callback/%FF/x", "198.51.100.7", "{}").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            app.number("SELECT CAST(SUM(count) AS BIGINT) FROM refused_callback")
                .await,
            5
        );
        assert_eq!(
            (count(&app, "refused_callback").await, count(&app, "inbox").await),
            (1, 0)
        );
        app.finish().await;
    })
    .await;
}

/// Invariant 9: when 200 is heard, the bytes stand in the database, as they came, and nobody can read them without the
/// key.
#[tokio::test]
async fn two_hundred_is_said_only_of_bytes_that_stand() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let other = app.second().await;
        let body = "{ \"data\" : [ {\"saleOrderCode\":\"X\"} ], \"họ tên\": \"Trần Văn Giả\" }";
        let (status, told) = app.call_back(body).await;
        assert_eq!(
            (status, told),
            (
                StatusCode::OK,
                json!({"success": true, "message": "Đã nhận", "updated": 0})
            )
        );
        // Another gateway, with connections of its own, sees it at once.
        let mut tx = other.store.snapshot().await.unwrap();
        let unread = hoibao::edge::store::inbox::unread(&mut tx, 9).await.unwrap();
        assert_eq!(unread.len(), 1);
        drop(tx);
        assert_eq!(opened(&app).await, body.as_bytes());
        let sealed = app.blob("SELECT sealed FROM inbox").await;
        for word in ["data", "Trần", "saleOrderCode"] {
            let found = sealed.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!found, "the stored bytes can be read: {word}");
        }
        app.finish().await;
    })
    .await;
}

/// The only inbox row, opened.
async fn opened(app: &TestApp) -> Vec<u8> {
    let record = app.blob("SELECT record_id FROM inbox").await;
    let record = RecordId::from_bytes(record.try_into().unwrap());
    let sealed = app.blob("SELECT sealed FROM inbox").await;
    let mut tx = app.context.store.snapshot().await.unwrap();
    let key = personal::key(&app.context.store, &mut tx, record).await.unwrap();
    key.open("inbox", "sealed", &sealed).unwrap().to_vec()
}

/// Whatever the bytes are: an answer in form, no crash, no block, and the good one after them is read.
#[tokio::test]
async fn any_bytes_are_taken_and_hold_up_nothing() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let reference = app.shipment(id).await.reference;
        let many: Vec<(String, u16)> = (0..5_000).map(|n| (format!("KHAC-{n}"), 14)).collect();
        let many: Vec<(&str, u16)> = many.iter().map(|(name, code)| (name.as_str(), *code)).collect();
        let mut full = callback(&many).into_bytes();
        full.resize(1 << 20, b' ');
        let bodies: Vec<Vec<u8>> = vec![
            b"\xff\xfe\x00 not text \xc3\x28".to_vec(),
            b"{\"data\": [".to_vec(),
            b"[[[[[[[[".repeat(20_000),
            format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100)).into_bytes(),
            b"{\"data\": null}".to_vec(),
            b"{\"data\": [7, null, {}, {\"status\": 14}]}".to_vec(),
            b"{\"data\": [{\"saleOrderCode\": \"a\\u0000b\"}, {\"itemCode\": 1e999}]}".to_vec(),
            callback(&[("'; DROP TABLE inbox; --", 14)]).into_bytes(),
            b"<html>503</html>".to_vec(),
            b"null".to_vec(),
            full,
        ];
        let sent = i64::try_from(bodies.len()).unwrap();
        for body in bodies {
            assert_eq!(app.call_back(body).await.0, StatusCode::OK);
        }
        let before = weight(&app).await;
        assert_eq!(
            app.call_back(callback(&[(&reference, 14)])).await.0,
            StatusCode::OK
        );
        read(&app.context).await;
        assert_eq!(
            weight(&app).await,
            before,
            "something followed from bytes that prove nothing"
        );
        let looks = app.wire.of(JOURNEY).len();
        app.drain().await;
        assert_eq!(count(&app, "inbox WHERE state = 'unread'").await, 0);
        assert_eq!(count(&app, "inbox WHERE door = 'push'").await, sent + 1);
        assert_eq!(count(&app, "inbox WHERE state = 'garbage'").await, 8);
        assert!(
            app.wire.of(JOURNEY).len() > looks,
            "the good one was read: a look follows"
        );
        app.finish().await;
    })
    .await;
}

/// A body too long is refused before it is read, an empty one says nothing.
#[tokio::test]
async fn bodies_too_long_or_empty_are_refused() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let (status, _) = app.call_back(vec![b' '; (1 << 20) + 1]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let (status, told) = app.call_back("").await;
        assert_eq!(
            (status, &told["success"]),
            (StatusCode::BAD_REQUEST, &json!(false))
        );
        assert_eq!(count(&app, "inbox").await, 0);
        app.finish().await;
    })
    .await;
}

/// Invariant 9: a database that is slow is 503 within the second, in the operator's form; what becomes durable late is no
/// harm when it is sent again.
#[tokio::test]
async fn a_slow_database_is_503_in_time() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let id = booked(&app, 1).await[0];
        let body = callback(&[(&app.shipment(id).await.reference, 14)]);
        let began = tokio::time::Instant::now();
        let told = match app.context.store.backend() {
            Backend::Sqlite { write, .. } => {
                let busy = write.acquire().await.unwrap();
                let told = app.call_back(body.clone()).await;
                drop(busy);
                told
            }
            Backend::Postgres { pool } => {
                let mut busy = pool.begin().await.unwrap();
                sqlx::query("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
                    .execute(&mut *busy)
                    .await
                    .unwrap();
                let told = app.call_back(body.clone()).await;
                busy.rollback().await.unwrap();
                told
            }
        };
        assert_eq!(
            (told.0, &told.1["success"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!(false))
        );
        assert_eq!(
            told.1["message"],
            json!("Tạm thời chưa nhận được, vui lòng gửi lại")
        );
        assert!(
            began.elapsed().as_millis() < 5_000,
            "the operator waited {:?}",
            began.elapsed()
        );
        assert_eq!(app.call_back(body).await.0, StatusCode::OK);
        app.drain().await;
        let push = "inbox WHERE door = 'push'";
        assert_eq!(
            count(&app, push).await,
            2,
            "the command of the caller that was put off stands"
        );
        app.finish().await;
    })
    .await;
}

/// Invariant 9: without the database nobody hears 200, with or without the secret.
#[tokio::test]
async fn without_the_database_callbacks_are_503() {
    on_both(async |engine| {
        let mut app = TestApp::start(engine).await;
        match app.context.store.backend() {
            Backend::Sqlite { write, read } => {
                write.close().await;
                read.close().await;
            }
            Backend::Postgres { pool } => pool.close().await,
        }
        for path in [app.callback_path(), WRONG.to_owned()] {
            let (status, told) = app.knock(&path, "192.0.2.1", "{}").await;
            assert_eq!(
                (status, &told["success"]),
                (StatusCode::SERVICE_UNAVAILABLE, &json!(false))
            );
        }
        // What remains to be checked is read by another gateway.
        app.context = app.second().await;
        assert_eq!(count(&app, "inbox").await, 0);
        app.finish().await;
    })
    .await;
}

/// Many at once: each 200 is a row, and forgers beside them cost honest callers nothing.
#[tokio::test]
async fn honest_callers_beside_forgers() {
    on_both(async |engine| {
        let app = TestApp::start(engine).await;
        let knock = async |n: u32| {
            if n.is_multiple_of(2) {
                app.call_back(callback(&[("X", 14)])).await.0
            } else {
                app.knock(WRONG, "198.51.100.7", "{}").await.0
            }
        };
        let mut told = Vec::new();
        // As many at once as the door lets in; further ones would wait for idle connections to be closed.
        for first in (0..200).step_by(50) {
            told.extend(join_all((first..first + 50).map(&knock)).await);
        }
        let good = told.iter().filter(|status| **status == StatusCode::OK).count();
        let bad = told
            .iter()
            .filter(|status| **status == StatusCode::UNAUTHORIZED)
            .count();
        assert_eq!((good, bad), (100, 100));
        assert_eq!(count(&app, "inbox").await, 100);
        assert_eq!(
            app.knock(WRONG, "198.51.100.7", "{}").await.0,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            app.number("SELECT CAST(SUM(count) AS BIGINT) FROM refused_callback")
                .await,
            101
        );
        assert_eq!(entries(&app, 52).await, 1);
        app.finish().await;
    })
    .await;
}
