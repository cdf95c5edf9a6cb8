//! A gateway with one office, one dossier system, dossiers with an envelope each; people are invented.
//!
//! In: which database. Out: a [`World`] in which things happen to dossiers. Deliberately not here: assertions.

use crate::support::postgres;
use hoibao::app::config::{Config, Overrides};
use hoibao::app::ports::{ManualClock, SeededRng, UuidIds};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::custody::{CustodyAct, CustodyFact};
use hoibao::domain::delivery::{DeliveryFact, FactBody};
use hoibao::domain::dossier::{
    DossierFact, DossierFactBody, DossierStatus, ReturnBy, Statement, SubmittedBy,
};
use hoibao::domain::id::{
    AccountId, DossierId, EndpointId, ItemId, OfficeId, RecordId, ShipmentId, SourceId, StaffId,
};
use hoibao::domain::journal::{Actor, Entry, Kind, Subject, SubjectKind, Tag};
use hoibao::domain::time::{Clock, Timestamp};
use hoibao::edge::carrier::myvnpost::MyVnPost;
use hoibao::edge::carrier::{Carrier, Carriers, Transport, TransportFailure, WireRequest, WireResponse};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::dossier::{EventSender, Reach};
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::dossier::{self, NewDossier};
use hoibao::edge::store::queue::{self, QueueState};
use hoibao::edge::store::record::{self, Hand, NewFacts};
use hoibao::edge::store::reference::{self, Office, Procedure, Staff};
use hoibao::edge::store::shipment::{self, ItemRow, NewShipment, Offices};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::{
    Backend, Command, Keyring, Sql, Store, StoreError, StoreSettings, Tx, journal, personal,
};
use hoibao::stage::context::operator::Memory;
use hoibao::stage::context::{Context, Limits, Tick};
use hoibao::stage::{endpoint, feed};
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;

/// 24 November 2026, 08:00 in Vietnam.
pub(super) const NOW: &str = "2026-11-24T08:00:00+07:00";
const OFFICE: OfficeId = OfficeId::from_bytes([1; 16]);
const SOURCE: SourceId = SourceId::from_bytes([2; 16]);
const ACCOUNT: AccountId = AccountId::from_bytes([3; 16]);

/// Nothing in these tests may call an operator.
struct NoTransport;

impl Transport for NoTransport {
    fn call<'a>(
        &'a self,
        _request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        panic!("feed called an operator");
    }
}

pub(super) struct World {
    pub(super) context: Arc<Context>,
    pub(super) clock: ManualClock,
    url: String,
    keys: String,
    folder: TempDir,
}

/// Runs a test on a SQLite file and on PostgreSQL.
pub(super) async fn on_both<F: AsyncFn(&World)>(test: F) {
    for postgres in [false, true] {
        let world = World::open(postgres).await;
        let limit = std::time::Duration::from_mins(2);
        tokio::time::timeout(limit, test(&world))
            .await
            .expect("it should have come long ago");
    }
}

/// An event as it lies in the outbox: dossier, sequence, state, attempts, detail.
pub(super) type Lying = (String, i64, String, i64, Option<String>);

const LYING: &str = "SELECT d.code, o.sequence, o.state, o.attempts, o.last_detail, o.body, o.due_at
    FROM outbox o JOIN dossier d ON d.id = o.dossier_id ORDER BY d.code, o.sequence, o.endpoint_id";

pub(super) fn code(number: u8) -> String {
    format!("000.12.20.H49-261101-{number:04}")
}

pub(super) const fn dossier_id(number: u8) -> DossierId {
    DossierId::from_bytes([number; 16])
}

const fn shipment_id(number: u8) -> ShipmentId {
    ShipmentId::from_bytes([number; 16])
}

/// A short time for a receiver that holds its answer back.
pub(super) const EVENT_TIMEOUT_MS: u64 = 1_500;

fn limits() -> Limits {
    Limits {
        event_timeout_ms: EVENT_TIMEOUT_MS,
        ..Config::load(&Overrides::default()).unwrap().limits().unwrap()
    }
}

impl World {
    async fn open(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = if postgres {
            postgres::create_database().unwrap()
        } else {
            format!("sqlite:{}", folder.path().join("hoibao.db").display())
        };
        let keys = Keyring::generate().unwrap().to_string();
        let clock = ManualClock::at(Timestamp::parse_rfc3339(NOW).unwrap());
        let keyring = Arc::new(Keyring::parse(&keys).unwrap());
        let store = Store::migrate(&StoreSettings::at(&url), keyring).await.unwrap();
        let context = context(store, &clock, (7, limits()), client());
        context.store.submit(Seed(Arc::clone(&context))).await.unwrap();
        Self {
            context,
            clock,
            url,
            keys,
            folder,
        }
    }

    /// A second gateway on the same database and clock, as it stands in another process.
    pub(super) async fn gateway(&self, seed: u64, events: Arc<dyn EventSender>) -> Arc<Context> {
        let keyring = Arc::new(Keyring::parse(&self.keys).unwrap());
        let store = Store::open(&StoreSettings::at(&self.url), keyring).await.unwrap();
        context(store, &self.clock, (seed, limits()), events)
    }

    /// The same gateway with other limits.
    pub(super) async fn with_limits(&self, limits: Limits) -> Arc<Context> {
        let keyring = Arc::new(Keyring::parse(&self.keys).unwrap());
        let store = Store::open(&StoreSettings::at(&self.url), keyring).await.unwrap();
        context(store, &self.clock, (11, limits), client())
    }

    /// Subscribes a receiver in a private network; identifier and secret.
    pub(super) async fn subscribe(&self, url: &str) -> (EndpointId, String) {
        let made = endpoint::subscribe(&self.context, "one", url, Reach::Private)
            .await
            .unwrap();
        (made.id, made.secret.expose().clone())
    }

    /// Something happens to the envelope of a dossier: it is packed, or pulled out again.
    pub(super) async fn happen(&self, number: u8) {
        self.clock.advance_ms(1_000);
        let happen = Happen(Arc::clone(&self.context), number);
        self.context.store.submit(happen).await.unwrap();
    }

    pub(super) async fn tick(&self) -> Tick {
        feed::tick(&self.context).await.unwrap()
    }

    /// Rounds, the clock set on to each next time, until nothing is to be done any more; how many.
    pub(super) async fn drain(&self) -> u32 {
        for round in 1..1_000 {
            match self.tick().await.next_at {
                None => return round,
                Some(at) => self.clock.set(at.max(self.clock.now())),
            }
        }
        panic!("feed never comes to its end");
    }

    pub(super) async fn lying(&self) -> Vec<Lying> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        let rows = tx.rows(text(LYING), Vec::new()).await.unwrap();
        rows.iter()
            .map(|row| {
                (
                    row.text("code").unwrap(),
                    row.int("sequence").unwrap(),
                    row.text("state").unwrap(),
                    row.int("attempts").unwrap(),
                    row.opt_text("last_detail").unwrap(),
                )
            })
            .collect()
    }

    /// States of a dossier's events, in order.
    pub(super) async fn states(&self, number: u8) -> Vec<String> {
        let lying = self.lying().await.into_iter();
        lying
            .filter(|(dossier, ..)| *dossier == code(number))
            .map(|(_, _, state, ..)| state)
            .collect()
    }

    /// Bodies of a dossier's events as they were frozen, in order.
    pub(super) async fn bodies(&self, number: u8) -> Vec<Vec<u8>> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        let rows = tx.rows(text(LYING), Vec::new()).await.unwrap();
        rows.iter()
            .filter(|row| row.text("code").unwrap() == code(number))
            .map(|row| row.bytes("body").unwrap())
            .collect()
    }

    /// The entries of a dossier about its events; its whole history has no gap.
    pub(super) async fn told(&self, number: u8) -> Vec<Entry> {
        let subject = Subject {
            kind: SubjectKind::Dossier,
            id: *dossier_id(number).as_bytes(),
        };
        let mut tx = self.context.store.snapshot().await.unwrap();
        let bytes = journal::of_subject(&mut tx, subject, 10_000).await.unwrap();
        let entries: Vec<Entry> = bytes
            .iter()
            .map(|bytes| Entry::from_bytes(bytes).unwrap())
            .collect();
        for (number, entry) in (1..).zip(&entries) {
            assert_eq!(entry.sequence, number, "a gap in the journal");
        }
        entries
            .into_iter()
            .filter(|entry| {
                [Kind::EventDelivered, Kind::EventGivenUp, Kind::EventRedriven].contains(&entry.kind)
            })
            .collect()
    }

    /// Why a receiver was paused, pause by pause; nothing where an administrator said so.
    pub(super) async fn paused_entries(&self, endpoint: EndpointId) -> Vec<String> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        let (entries, _) = journal::page(&mut tx, journal::Position::START, 10_000)
            .await
            .unwrap();
        entries
            .iter()
            .map(|bytes| Entry::from_bytes(bytes).unwrap())
            .filter(|entry| {
                entry.kind == Kind::ConfigurationChanged
                    && entry.fields.get_id(Tag::Endpoint) == Some(*endpoint.as_bytes())
                    && entry.fields.get_ascii(Tag::Word) == Some("endpoint_paused")
            })
            .map(|entry| entry.fields.get_ascii(Tag::Reason).unwrap_or_default().to_owned())
            .collect()
    }

    /// Makes a receiver a public one at this address, beside every rule.
    pub(super) async fn force(&self, endpoint: EndpointId, url: &str) {
        let endpoint = endpoint.to_string();
        let id = endpoint.strip_prefix("end_").unwrap();
        self.change(&format!(
            "UPDATE endpoint SET url = '{url}', private_allowed = 0 WHERE id = {{{id}}}"
        ))
        .await;
    }

    /// Makes the row of a dossier unreadable.
    pub(super) async fn spoil(&self, number: u8) {
        let dossier = dossier_id(number).to_string();
        let id = dossier.strip_prefix("dos_").unwrap();
        self.change(&format!(
            "UPDATE dossier SET shipment_id = {{00}} WHERE id = {{{id}}}"
        ))
        .await;
    }

    /// Changes one row by hand; `{00}` are bytes.
    async fn change(&self, text: &str) {
        let done = match self.context.store.backend() {
            Backend::Sqlite { write, .. } => {
                let text = text.replace('{', "x'").replace('}', "'");
                let query = sqlx::query(sqlx::AssertSqlSafe(text));
                query.execute(write).await.unwrap().rows_affected()
            }
            Backend::Postgres { pool } => {
                let text = text.replace('{', "'\\x").replace('}', "'");
                let query = sqlx::query(sqlx::AssertSqlSafe(text));
                query.execute(pool).await.unwrap().rows_affected()
            }
        };
        assert_eq!(done, 1);
    }

    pub(super) async fn kinds(&self, number: u8) -> Vec<Kind> {
        let told = self.told(number).await;
        told.iter().map(|entry| entry.kind).collect()
    }
}

const fn text(text: &'static str) -> Sql {
    Sql {
        name: "test",
        sqlite: text,
        postgres: text,
    }
}

pub(super) fn client() -> Arc<dyn EventSender> {
    Arc::new(EventClient::new(&ClientSettings::default()).unwrap())
}

fn context(
    store: Store,
    clock: &ManualClock,
    (seed, limits): (u64, Limits),
    events: Arc<dyn EventSender>,
) -> Arc<Context> {
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let carrier: Arc<dyn Carrier> = Arc::new(MyVnPost::new().unwrap());
    Arc::new(Context {
        store,
        ids: Arc::new(UuidIds::seeded(Arc::clone(&shared), seed)),
        clock: shared,
        rng: Arc::new(SeededRng::new(seed)),
        carriers: Carriers::new(vec![carrier]),
        transport: Arc::new(NoTransport),
        events,
        calendars: Calendars::built_in().unwrap(),
        limits,
        operators: Memory::default(),
    })
}

fn hand(context: &Context) -> Hand<'_> {
    Hand {
        ids: &*context.ids,
        now: context.clock.now(),
        actor: Actor::STAGE,
        office: *OFFICE.as_bytes(),
    }
}

/// What a run of the program left.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl World {
    /// Runs the program on this world's database, with the machine's clock.
    pub(super) fn hoibao(&self, arguments: &[&str]) -> Ran {
        use std::os::unix::fs::OpenOptionsExt as _;
        let keys = self.folder.path().join("keys");
        if !keys.exists() {
            let mut options = std::fs::OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&keys);
            file.unwrap().write_all(self.keys.as_bytes()).unwrap();
        }
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_hoibao"));
        for (name, _value) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOIBAO") {
                program.env_remove(name);
            }
        }
        let output = program
            .current_dir(self.folder.path())
            .env("HOIBAO__DATABASE__URL", &self.url)
            .env("HOIBAO__KEYS__FILE", &keys)
            .args(arguments)
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Sending of a shipment is given up for this reason.
    pub(super) async fn hold(&self, number: u8, reason: &'static str) {
        let hold = Hold(Arc::clone(&self.context), number, reason);
        self.context.store.submit(hold).await.unwrap();
    }
}

struct Hold(Arc<Context>, u8, &'static str);

impl Command for Hold {
    const NAME: &'static str = "hold";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (id, now) = (shipment_id(self.1), self.0.clock.now());
        queue::insert(tx, id, ACCOUNT, QueueState::Held, now).await?;
        let reason = self.2.to_owned();
        let fact = DeliveryFact::ours(id, now, FactBody::Held { reason });
        record::shipment_facts(&self.0.store, tx, &hand(&self.0), id, NewFacts::ours(fact))
            .await
            .map(drop)
    }
}

/// Packs the envelope of a dossier, or pulls it out when it is packed.
struct Happen(Arc<Context>, u8);

impl Command for Happen {
    const NAME: &'static str = "happen";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let id = shipment_id(self.1);
        let acts = shipment::custody_facts(tx, id).await?.len();
        let act = if acts.is_multiple_of(2) {
            CustodyAct::Packed
        } else {
            CustodyAct::PulledOut
        };
        let fact = CustodyFact::new(id, self.0.clock.now(), act, None, None);
        let new = NewFacts {
            custody: vec![fact],
            ..NewFacts::default()
        };
        record::shipment_facts(&self.0.store, tx, &hand(&self.0), id, new)
            .await
            .map(drop)
    }
}

/// Dossiers in the seed, numbered from 1.
pub(super) const DOSSIERS: u8 = 12;

struct Seed(Arc<Context>);

impl Command for Seed {
    const NAME: &'static str = "seed";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let carrier = MyVnPost::new().unwrap();
        let account = Account {
            id: ACCOUNT,
            code: "A1".to_owned(),
            adapter: carrier.adapter().to_owned(),
            base_url: "http://127.0.0.1:9".to_owned(),
            settings: std::collections::BTreeMap::new(),
            capabilities: carrier.default_capabilities(),
            secret_sealed: Account::seal_login(&self.0.store, ACCOUNT, "u", "p")?,
            callback_secret_hash: [0; 32],
            rate_per_minute: 600,
            rate_burst: 10,
            active: true,
        };
        put_account(tx, &account).await?;
        reference::put_office(tx, &office()).await?;
        let procedure = Procedure {
            code: "1.004227".to_owned(),
            name: "Thủ tục".to_owned(),
            by_post: true,
            receiver_policy: "addressee_or_authorised".to_owned(),
            takes_back_old: false,
        };
        reference::put_procedure(tx, &procedure).await?;
        let source = SourceSystem {
            id: SOURCE,
            code: "one".to_owned(),
            name: "one".to_owned(),
            status_map: "national".to_owned(),
        };
        put_source(tx, &source, now).await?;
        for (number, (login, role, active)) in (1..).zip([
            ("dispatcher", "dispatcher", true),
            ("administrator", "administrator", true),
            ("clerk", "clerk", true),
            ("gone", "administrator", false),
        ]) {
            let staff = Staff {
                id: StaffId::from_bytes([number; 16]),
                login: login.to_owned(),
                display_name: login.to_owned(),
                active,
            };
            reference::put_staff(tx, &staff).await?;
            reference::give_role(tx, staff.id, OFFICE, role, Timestamp::from_ms(0)).await?;
        }
        for number in 1..=DOSSIERS {
            self.dossier(tx, number, now).await?;
        }
        Ok(())
    }
}

impl Seed {
    /// A finished dossier and an envelope with its document, which nothing has happened to.
    async fn dossier(&self, tx: &mut Tx, number: u8, now: Timestamp) -> Result<(), StoreError> {
        let id = dossier_id(number);
        let code = code(number);
        let new = NewDossier {
            id,
            source: SOURCE,
            code: &code,
            procedure_code: "1.004227",
            office: OFFICE,
            received_at: now,
        };
        dossier::insert(tx, &new, now).await?;
        record::open_dossier(tx, &hand(&self.0), id, *SOURCE.as_bytes()).await?;
        let statement = Statement {
            status_raw: "9".to_owned(),
            status: DossierStatus::new(9).unwrap(),
            map_version: 1,
            return_by: ReturnBy::Post,
            submitted_by: SubmittedBy::Direct,
            received_at: now,
            due_at: None,
            finished_at: Some(now),
            returned_at: None,
            duplicate: false,
        };
        let fact = DossierFact::new(id, now, DossierFactBody::Stated(statement));
        record::dossier_facts(&self.0.store, tx, &hand(&self.0), id, vec![fact]).await?;
        let record = RecordId::from_bytes([number; 16]);
        personal::create(&self.0.store, tx, record, now, None).await?;
        let new = NewShipment {
            id: shipment_id(number),
            short_number: format!("S{number}"),
            source: Some(SOURCE),
            account: ACCOUNT,
            reference: code.clone(),
            record,
            offices: Offices {
                receiving: OFFICE,
                deciding: OFFICE,
                sending: OFFICE,
                return_to: OFFICE,
            },
        };
        shipment::insert(tx, &new, now).await?;
        let item = ItemRow {
            id: ItemId::from_bytes([number; 16]),
            dossier: id,
            document_no: 1,
            live: true,
        };
        shipment::insert_item(tx, shipment_id(number), &item).await
    }
}

fn office() -> Office {
    Office {
        id: OFFICE,
        code: "HL01".to_owned(),
        name: "Trung tâm Phục vụ hành chính công".to_owned(),
        valid_from: Timestamp::from_ms(0),
        valid_to: None,
        successor: None,
        account: Some(ACCOUNT),
        sender_name: "Trung tâm".to_owned(),
        sender_phone: "02033825000".to_owned(),
        sender_line: "Số 1".to_owned(),
        unit_set: "vn-2026-04".to_owned(),
        province_code: "22".to_owned(),
        commune_code: "06688".to_owned(),
        paper_first: false,
    }
}
