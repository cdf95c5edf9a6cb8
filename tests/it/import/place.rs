//! A gateway with two offices, two dossier systems and a few units; people are invented.
//!
//! In: which database. Out: a [`Place`] that imports files and tells of every table. Deliberately not here: assertions.

use crate::support::postgres;
use hoibao::app::config::{Config, Overrides};
use hoibao::app::ports::{ManualClock, SeededRng, UuidIds};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::id::{OfficeId, SourceId};
use hoibao::domain::journal::Actor;
use hoibao::domain::time::{Clock, Timestamp};
use hoibao::edge::carrier::{Transport, TransportFailure, WireRequest, WireResponse};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::store::reference::{Office, put_office};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::unit::{Unit, put_unit};
use hoibao::edge::store::{Backend, Command, Keyring, Store, StoreError, StoreSettings, Tx};
use hoibao::stage::context::Context;
use hoibao::stage::context::operator::Memory;
use hoibao::stage::import::dossiers::{self, ImportError, Mode, Outcome, Request};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;

/// 24 November 2026, 08:00 in Vietnam.
pub(super) const NOW: &str = "2026-11-24T08:00:00+07:00";
pub(super) const SAMPLE: &str = include_str!("../../../fixtures/dossiers/sample.csv");

/// Nothing in these tests may call an operator.
struct NoTransport;

impl Transport for NoTransport {
    fn call<'a>(
        &'a self,
        _request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        panic!("an import called an operator");
    }
}

pub(super) struct Place {
    pub(super) context: Arc<Context>,
    pub(super) source: SourceId,
    _folder: TempDir,
}

/// Runs a test on a SQLite file and on PostgreSQL.
#[expect(clippy::future_not_send, reason = "each test runs on a thread of its own")]
pub(super) async fn on_both<F: AsyncFn(&Place)>(test: F) {
    for postgres in [false, true] {
        test(&Place::open(postgres).await).await;
    }
}

impl Place {
    pub(super) async fn open(postgres: bool) -> Self {
        let place = Self::empty(postgres).await;
        place.context.store.submit(Seed).await.unwrap();
        place
    }

    /// With the schema and nothing in it.
    pub(super) async fn empty(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = if postgres {
            postgres::create_database().unwrap()
        } else {
            format!("sqlite:{}", folder.path().join("hoibao.db").display())
        };
        let keyring = Arc::new(Keyring::parse(&Keyring::generate().unwrap()).unwrap());
        let store = Store::migrate(&StoreSettings::at(&url), keyring).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::parse_rfc3339(NOW).unwrap()));
        let context = Arc::new(Context {
            store,
            ids: Arc::new(UuidIds::seeded(Arc::clone(&clock), 7)),
            clock,
            rng: Arc::new(SeededRng::new(7)),
            carriers: hoibao::app::compose::carriers().unwrap(),
            transport: Arc::new(NoTransport),
            calendars: Calendars::built_in().unwrap(),
            limits: Config::load(&Overrides::default()).unwrap().limits().unwrap(),
            events: Arc::new(EventClient::new(&ClientSettings::default()).unwrap()),
            operators: Memory::default(),
        });
        Self {
            context,
            source: SourceId::from_bytes([1; 16]),
            _folder: folder,
        }
    }

    pub(super) async fn try_import(&self, file: &[u8], mode: Mode) -> Result<Outcome, ImportError> {
        let request = Request {
            file,
            source: "one",
            actor: Actor::ADMINISTRATOR,
            mode,
        };
        dossiers::run(&self.context, request, &|_step, _done, _total| {}).await
    }

    pub(super) async fn import(&self, file: &[u8], mode: Mode) -> Outcome {
        self.try_import(file, mode).await.unwrap()
    }

    pub(super) async fn number(&self, text: &'static str) -> i64 {
        match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    /// Every table with all that is in it, as one text each.
    pub(super) async fn tables(&self) -> BTreeMap<String, String> {
        let names = match self.context.store.backend() {
            Backend::Sqlite { .. } => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Backend::Postgres { .. } => {
                "SELECT table_name::text FROM information_schema.tables
                 WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            }
        };
        let mut tables = BTreeMap::new();
        for name in self.texts(names).await {
            let rows = match self.context.store.backend() {
                Backend::Sqlite { .. } => {
                    let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{name}')");
                    let columns = self.texts(&columns).await.join(" || '|' || ");
                    format!("SELECT {columns} FROM {name} ORDER BY 1")
                }
                Backend::Postgres { .. } => format!("SELECT t::text FROM {name} t ORDER BY 1"),
            };
            let rows = self.texts(&rows).await.join("\n");
            tables.insert(name, rows);
        }
        tables
    }

    async fn texts(&self, text: &str) -> Vec<String> {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_all(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_all(pool).await.unwrap(),
        }
    }
}

/// [`Place::tables`] without those in which a run leaves its own trace.
pub(super) fn but_the_run(mut tables: BTreeMap<String, String>) -> BTreeMap<String, String> {
    assert_eq!(
        tables.get("import_row").map(String::as_str),
        Some(""),
        "staged rows were left"
    );
    for own in ["import_run", "record_key"] {
        tables.remove(own).unwrap();
    }
    tables
}

struct Seed;

impl Command for Seed {
    const NAME: &'static str = "seed";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let from = Timestamp::from_ms(0);
        for (number, code) in [(1, "HL01"), (2, "HL02")] {
            let office = Office {
                id: OfficeId::from_bytes([number; 16]),
                code: code.to_owned(),
                name: "Trung tâm Phục vụ hành chính công".to_owned(),
                valid_from: from,
                valid_to: None,
                successor: None,
                account: None,
                sender_name: "Trung tâm".to_owned(),
                sender_phone: "02033825000".to_owned(),
                sender_line: "Số 1".to_owned(),
                unit_set: "vn-2026-04".to_owned(),
                province_code: "22".to_owned(),
                commune_code: "06688".to_owned(),
                paper_first: true,
            };
            put_office(tx, &office).await?;
        }
        for (number, code, map) in [(1, "one", "national"), (2, "two", "local-sample")] {
            let source = SourceSystem {
                id: SourceId::from_bytes([number; 16]),
                code: code.to_owned(),
                name: code.to_owned(),
                status_map: map.to_owned(),
            };
            put_source(tx, &source, from).await?;
        }
        for (level, code, name, parent) in [
            ("province", "22", "Tỉnh Quảng Ninh", None),
            ("province", "01", "Thành phố Hà Nội", None),
            ("commune", "06688", "Phường Hạ Long", Some("22")),
            ("commune", "00004", "Phường Ba Đình", Some("01")),
        ] {
            let unit = Unit {
                unit_set: "vn-2026-04".to_owned(),
                code: code.to_owned(),
                level: level.to_owned(),
                name: name.to_owned(),
                parent_code: parent.map(str::to_owned),
            };
            put_unit(tx, &unit, from).await?;
        }
        Ok(())
    }
}
