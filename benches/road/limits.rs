//! What the machine and its databases can do at best, measured in the same run.
//!
//! In: a fresh database. Out: rates of the least that durable work can be. Same engines, same settings as the store's, no
//! code of the store.

use anyhow::Context as _;
use axum::Router;
use axum::routing::post;
use futures_util::future::try_join_all;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// How long each limit is measured.
const SPAN: Duration = Duration::from_millis(1_500);
/// A payload like a registration's.
const PAYLOAD_BYTES: usize = 600;
const WRITERS: usize = crate::CONNECTIONS;
const MANY: usize = 100;

/// What one database can do, per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Commits of one row, from as many writers as the engine has.
    pub(crate) single: f64,
    /// Rows in commits of a hundred.
    pub(crate) rows: f64,
    /// Rows claimed in commits of a hundred.
    pub(crate) claims: f64,
}

fn per_second(count: usize, began: Instant) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    f64::from(count) / began.elapsed().as_secs_f64()
}

/// The same statement, a row or a hundred.
fn insert(rows: usize, first: usize) -> String {
    let values: Vec<String> = (0..rows)
        .map(|row| {
            format!(
                "({}, 'ready', {}, '{}')",
                first + row,
                first + row,
                "x".repeat(PAYLOAD_BYTES)
            )
        })
        .collect();
    format!(
        "INSERT INTO job (id, state, due_at, payload) VALUES {}",
        values.join(", ")
    )
}

const SCHEMA: [&str; 2] = [
    "CREATE TABLE job (id BIGINT PRIMARY KEY, state TEXT NOT NULL, due_at BIGINT NOT NULL, payload TEXT NOT NULL)",
    "CREATE INDEX job_due ON job (state, due_at)",
];

/// SQLite with a WAL and FULL synchronisation. It has one writer, so one asks.
///
/// # Errors
/// As the database says.
pub(crate) async fn sqlite(file: &Path) -> anyhow::Result<Limits> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    for text in SCHEMA {
        sqlx::query(text).execute(&pool).await?;
    }
    let mut id = 0;
    let began = Instant::now();
    while began.elapsed() < SPAN {
        sqlx::raw_sql(sqlx::AssertSqlSafe(insert(1, id)))
            .execute(&pool)
            .await?;
        id += 1;
    }
    let single = per_second(id, began);
    let (first, began) = (id, Instant::now());
    while began.elapsed() < SPAN {
        sqlx::raw_sql(sqlx::AssertSqlSafe(insert(MANY, id)))
            .execute(&pool)
            .await?;
        id += MANY;
    }
    let rows = per_second(id - first, began);
    let claim = format!(
        "UPDATE job SET state = 'done' WHERE id IN
         (SELECT id FROM job WHERE state = 'ready' ORDER BY due_at LIMIT {MANY}) RETURNING id, payload"
    );
    let (mut claimed, began) = (0, Instant::now());
    while began.elapsed() < SPAN {
        let found = sqlx::query(sqlx::AssertSqlSafe(claim.clone()))
            .fetch_all(&pool)
            .await?
            .len();
        claimed += found;
        if found == 0 {
            break;
        }
    }
    let claims = per_second(claimed, began);
    pool.close().await;
    Ok(Limits { single, rows, claims })
}

/// PostgreSQL with its durable defaults.
///
/// # Errors
/// As the database says.
pub(crate) async fn postgres(url: &str) -> anyhow::Result<Limits> {
    let connections = u32::try_from(WRITERS)?;
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(connections)
        .connect(url)
        .await?;
    for text in SCHEMA {
        sqlx::query(text).execute(&pool).await?;
    }
    let began = Instant::now();
    let writers = (0..WRITERS).map(|writer| {
        let pool = pool.clone();
        async move {
            let (mut connection, mut count) = (pool.acquire().await?, 0);
            while began.elapsed() < SPAN {
                let id = i64::try_from(writer * 10_000_000 + count)?;
                sqlx::query("INSERT INTO job (id, state, due_at, payload) VALUES ($1, 'ready', $1, $2)")
                    .bind(id)
                    .bind("x".repeat(PAYLOAD_BYTES))
                    .execute(&mut *connection)
                    .await?;
                count += 1;
            }
            anyhow::Ok(count)
        }
    });
    let single = per_second(try_join_all(writers).await?.into_iter().sum(), began);
    let (mut id, began) = (1_000_000_000, Instant::now());
    while began.elapsed() < SPAN {
        sqlx::raw_sql(sqlx::AssertSqlSafe(insert(MANY, id)))
            .execute(&pool)
            .await?;
        id += MANY;
    }
    let rows = per_second(id - 1_000_000_000, began);
    let began = Instant::now();
    let claimers = (0..2).map(|_| {
        let pool = pool.clone();
        async move {
            let mut claimed = 0;
            while began.elapsed() < SPAN {
                let found = sqlx::query(
                    "UPDATE job SET state = 'done' WHERE id IN (SELECT id FROM job WHERE state = 'ready' ORDER BY due_at
                     LIMIT 100 FOR UPDATE SKIP LOCKED) RETURNING id, payload",
                )
                .fetch_all(&pool)
                .await?
                .len();
                claimed += found;
                if found == 0 {
                    break;
                }
            }
            anyhow::Ok(claimed)
        }
    });
    let claims = per_second(try_join_all(claimers).await?.into_iter().sum(), began);
    pool.close().await;
    Ok(Limits { single, rows, claims })
}

/// Requests that axum answers with nothing behind it, over the same number of connections and by the same client.
///
/// # Errors
/// When the machine gives no port.
pub(crate) async fn http() -> anyhow::Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let router = Router::new().route("/", post(async |body: String| body.len().to_string()));
    let tasks = tokio_util::task::TaskTracker::new();
    let serving = tasks.spawn(async move { axum_serve(listener, router).await });
    let client = crate::gateway::client()?;
    let body = "x".repeat(PAYLOAD_BYTES);
    let began = Instant::now();
    let callers = (0..crate::CONNECTIONS).map(|_| {
        let (client, url, body) = (client.clone(), url.clone(), body.clone());
        async move {
            let mut count = 0;
            while began.elapsed() < SPAN {
                let answer = client.post(&url).body(body.clone()).send().await?;
                answer.error_for_status()?.bytes().await?;
                count += 1;
            }
            anyhow::Ok(count)
        }
    });
    let total: usize = try_join_all(callers)
        .await
        .context("the empty server")?
        .into_iter()
        .sum();
    let rate = per_second(total, began);
    serving.abort();
    Ok(rate)
}

/// The gateway's own door, so that both sides of the ratio have it.
async fn axum_serve(listener: TcpListener, router: Router) -> anyhow::Result<()> {
    let limits = hoibao::app::door::DoorLimits {
        connections_max: 512,
        head_timeout: Duration::from_secs(10),
    };
    hoibao::app::door::serve(
        listener,
        router,
        limits,
        tokio_util::sync::CancellationToken::new(),
    )
    .await
}
