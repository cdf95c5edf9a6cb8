//! How fast the road is, as a share of what this machine and its databases can do at best: `cargo bench --bench road`.
//!
//! In: nothing; the program makes its own databases, operator and systems. Out: a table of rates, of ratios to limits measured
//! in the same run, and of CPU time per operation, which contention distorts least. Counts are fixed and each phase is bounded
//! in time, so that the whole ends within two minutes. A rate of a machine that does other things at the same time is a lower
//! bound; trust the ratios first. Deliberately not here: right or wrong (`tests/`), and any gate.

mod cpu;
mod gateway;
mod limits;
#[expect(dead_code, reason = "the tests' cluster, of which a measurement needs a part")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;
mod seed;
mod stub;
mod table;

use cpu::Processes;
use gateway::{Gateway, Road};
use limits::Limits;
use table::{Row, Table};

/// Shipments registered and sent, callbacks taken, on each database.
pub(crate) const COUNT: u32 = 1_500;
/// Connections of the systems.
pub(crate) const CONNECTIONS: usize = 32;

fn main() -> anyhow::Result<()> {
    // Cargo hands `--bench` and filters over; there is one thing to measure.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cluster = postgres::cluster(postgres::Durability::Durable)
        .map_err(|error| anyhow::anyhow!(postgres::explain(error)))?;
    let mut table = Table::default();
    let http = limits::http().await?;
    table.limit("HTTP, nothing behind it", "requests/s", http);
    for road in [Road::Sqlite, Road::Postgres] {
        let (url, processes) = match road {
            Road::Sqlite => {
                let file = folder.path().join("road.sqlite");
                (format!("sqlite:{}", file.display()), Processes::own())
            }
            Road::Postgres => {
                let made = cluster.create_database();
                let url = made.map_err(|error| anyhow::anyhow!(postgres::explain(&error)))?;
                (url, Processes::with_server(cluster.folder())?)
            }
        };
        let limits = match road {
            Road::Sqlite => limits::sqlite(&folder.path().join("limit.sqlite")).await?,
            Road::Postgres => {
                let made = cluster.create_database();
                limits::postgres(&made.map_err(|error| anyhow::anyhow!(postgres::explain(&error)))?).await?
            }
        };
        let writers = match road {
            Road::Sqlite => "1 row in a commit, its one writer",
            Road::Postgres => "1 row in a commit, 32 writers",
        };
        table.limit(road.name(writers), "commits/s", limits.single);
        table.limit(road.name("100 rows in a commit"), "rows/s", limits.rows);
        table.limit(road.name("claim by 100"), "claims/s", limits.claims);
        one(&mut table, road, &url, &processes, &limits, http).await?;
    }
    table.print()
}

/// Everything on one database.
async fn one(
    table: &mut Table,
    road: Road,
    url: &str,
    processes: &Processes,
    limits: &Limits,
    http: f64,
) -> anyhow::Result<()> {
    let gateway = Gateway::start(url).await?;
    gateway.state_dossiers().await?;
    // Targets: reference/performance: durable writes are measured in rows on SQLite, in commits on PostgreSQL.
    let per_row = |rows: f64| match road {
        Road::Sqlite => limits.rows / rows.max(1.0),
        Road::Postgres => limits.single,
    };
    let done = gateway.measure(processes, gateway.register()).await?;
    table.row(Row {
        what: road.name("registered over HTTP, durable"),
        limit: per_row(done.rows),
        target: road.pick(0.3, 0.4),
        ambitious: road.pick(0.5, 1.0),
        done,
    });
    let half = done.count / 2;
    let done = gateway.measure(processes, gateway.dispatch_noop(half)).await?;
    table.row(Row {
        what: road.name("sent, no-op operator"),
        limit: limits.claims,
        target: 0.25,
        ambitious: 0.4,
        done,
    });
    let done = gateway.measure(processes, gateway.dispatch_http()).await?;
    table.row(Row {
        what: road.name("sent over HTTP to a local operator"),
        limit: limits.claims,
        target: 0.10,
        ambitious: 0.2,
        done,
    });
    let done = gateway.measure(processes, gateway.callbacks()).await?;
    table.row(Row {
        what: road.name("callback, durable before 200"),
        limit: per_row(done.rows),
        target: road.pick(0.25, 0.35),
        ambitious: road.pick(0.5, 0.8),
        done,
    });
    let done = gateway.measure(processes, gateway.forged()).await?;
    table.row(Row {
        what: road.name("callback with a wrong secret, refused"),
        limit: http,
        target: 0.6,
        ambitious: 0.8,
        done,
    });
    gateway.stop().await;
    Ok(())
}
