//! A gateway with an office, a clerk, an operator account and two dossier systems, in which everything happens once;
//! people are invented.
//!
//! In: which database. Out: a [`World`] written through stages and the store's own functions. Deliberately not here:
//! assertions about what the audit finds.

use crate::support::postgres;
use hoibao::app::config::{Config, Overrides};
use hoibao::app::ports::{ManualClock, SeededRng, UuidIds};
use hoibao::domain::addressee::{AddresseeDraft, UnitDraft};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::delivery::{AttemptOutcome, DeliveryFact, EventKind, FactBody};
use hoibao::domain::dossier::snapshot::Snapshot;
use hoibao::domain::dossier::{ReturnBy, SubmittedBy};
use hoibao::domain::dossier_code::DossierCode;
use hoibao::domain::id::{AccountId, AttemptId, DecisionId, OfficeId, ShipmentId, SourceId, StaffId};
use hoibao::domain::journal::{Actor, Fields, Kind, Tag};
use hoibao::domain::time::{Clock, Resolution, Timestamp};
use hoibao::edge::carrier::myvnpost::MyVnPost;
use hoibao::edge::carrier::{Carrier, Carriers, Transport, TransportFailure, WireRequest, WireResponse};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::record::{self, Hand, NewFacts};
use hoibao::edge::store::reference::{
    Office, Procedure, Staff, give_role, put_office, put_procedure, put_staff,
};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::unit::{Unit, put_unit};
use hoibao::edge::store::{Backend, Command, Keyring, Store, StoreError, StoreSettings, Tx};
use hoibao::stage::context::By;
use hoibao::stage::context::Context;
use hoibao::stage::context::operator::Memory;
use hoibao::stage::desk::{self, CloseHandover, ListedItem, Taking, Thing};
use hoibao::stage::dossier_record;
use hoibao::stage::intake::{self, Draft, IdempotencyKey, ItemDraft, PostagePayer, Registrar, To};
use hoibao::stage::keys;
use sqlx::{Executor as _, SqlSafeStr as _};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use tempfile::TempDir;

/// 24 November 2026, 08:00 in Vietnam.
pub(crate) const NOW: &str = "2026-11-24T08:00:00+07:00";
const DAY_MS: i64 = 86_400_000;

pub(crate) const OFFICE: OfficeId = OfficeId::from_bytes([1; 16]);
pub(crate) const OTHER_OFFICE: OfficeId = OfficeId::from_bytes([2; 16]);
pub(crate) const SOURCE: SourceId = SourceId::from_bytes([1; 16]);
const CLERK: StaffId = StaffId::from_bytes([1; 16]);
const BY: By = By {
    staff: CLERK,
    office: OFFICE,
};

/// Nothing in these tests may call an operator.
struct NoTransport;

impl Transport for NoTransport {
    fn call<'a>(
        &'a self,
        _request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        panic!("an operator was called");
    }
}

pub(crate) struct World {
    pub(crate) context: Arc<Context>,
    pub(crate) clock: ManualClock,
    _folder: TempDir,
}

/// Runs a test on a SQLite file and on PostgreSQL.
#[expect(clippy::future_not_send, reason = "each test runs on a thread of its own")]
pub(crate) async fn on_both<F: AsyncFn(&World)>(test: F) {
    for postgres in [false, true] {
        test(&World::open(postgres).await).await;
    }
}

/// The code of a dossier by its number.
pub(crate) fn code(number: u32) -> String {
    format!("000.12.20.H49-261101-{number:04}")
}

impl World {
    pub(crate) async fn open(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = if postgres {
            postgres::create_database().unwrap()
        } else {
            format!("sqlite:{}", folder.path().join("hoibao.db").display())
        };
        let keyring = Arc::new(Keyring::parse(&Keyring::generate().unwrap()).unwrap());
        let store = Store::migrate(&StoreSettings::at(&url), keyring).await.unwrap();
        let clock = ManualClock::at(Timestamp::parse_rfc3339(NOW).unwrap());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let carrier: Arc<dyn Carrier> = Arc::new(MyVnPost::new().unwrap());
        let account = account(&store, &*carrier);
        let context = Arc::new(Context {
            store,
            ids: Arc::new(UuidIds::seeded(Arc::clone(&shared), 7)),
            clock: shared,
            rng: Arc::new(SeededRng::new(7)),
            carriers: Carriers::new(vec![carrier]),
            transport: Arc::new(NoTransport),
            calendars: Calendars::built_in().unwrap(),
            limits: Config::load(&Overrides::default()).unwrap().limits().unwrap(),
            events: Arc::new(EventClient::new(&ClientSettings::default()).unwrap()),
            operators: Memory::default(),
        });
        context.store.submit(Seed(account)).await.unwrap();
        keys::create_api_key(&context, "one", "test").await.unwrap();
        Self {
            context,
            clock,
            _folder: folder,
        }
    }

    /// A finished dossier that returns by post, changed by `change`.
    pub(crate) async fn state(&self, number: u32, change: impl FnOnce(&mut Snapshot)) {
        let now = self.context.clock.now();
        let mut snapshot = Snapshot {
            status_raw: "9".to_owned(),
            status_at: now,
            procedure: "1.004227".to_owned(),
            receiving_office: "HL01".to_owned(),
            return_by: ReturnBy::Post,
            submitted_by: SubmittedBy::Online,
            received_at: now.plus_ms(-5 * DAY_MS),
            due_at: Some(now.plus_ms(DAY_MS)),
            finished_at: Some(now),
            returned_at: None,
            duplicate: false,
            addressee: None,
        };
        change(&mut snapshot);
        let actor = dossier_record::system(SOURCE);
        dossier_record::refresh(&self.context, SOURCE, actor, &code(number), &snapshot)
            .await
            .unwrap();
    }

    /// Registers an envelope with the first document of each dossier.
    pub(crate) async fn register(&self, key: &str, dossiers: &[u32]) -> ShipmentId {
        let unit = |code: &str| UnitDraft {
            set: "vn-2026-04".to_owned(),
            code: code.to_owned(),
        };
        let item = |number: &u32| ItemDraft {
            dossier: code(*number),
            document_no: 1,
        };
        let draft = Draft {
            items: dossiers.iter().map(item).collect(),
            sending_office: "HL01".to_owned(),
            return_office: None,
            deciding_office: None,
            to: To::Given(AddresseeDraft {
                name: "Nguyễn Thị Thử".to_owned(),
                phone: "0912345678".to_owned(),
                line: "Số 5, ngõ 12, khu 3".to_owned(),
                commune: unit("06688"),
                province: unit("22"),
                note: None,
            }),
            weight_grams: 50,
            collect_dong: 0,
            service_code: None,
            postage_payer: PostagePayer::Citizen,
        };
        let body = key.as_bytes();
        let key = IdempotencyKey::parse(key).unwrap();
        let registrar = Registrar { source: SOURCE };
        let done = intake::register(&self.context, registrar, &key, body, &draft).await;
        done.unwrap().id
    }

    /// Writes facts and entries about a shipment, a minute later.
    pub(crate) async fn facts(&self, id: ShipmentId, new: NewFacts) {
        self.clock.advance_ms(60_000);
        let command = Facts(Arc::clone(&self.context), id, new);
        self.context.store.submit(command).await.unwrap();
    }

    /// The operator says something, a minute later.
    pub(crate) async fn event(&self, id: ShipmentId, code: &str, kind: EventKind) {
        let at = (self.context.clock.now().plus_ms(60_000), Resolution::Second);
        let fact = DeliveryFact::event(id, at, code, kind, false);
        let new = NewFacts {
            delivery: vec![(fact, 1)],
            ..NewFacts::default()
        };
        self.facts(id, new).await;
    }

    /// A fact of our own, a minute later.
    pub(crate) async fn ours(&self, id: ShipmentId, body: FactBody) {
        let at = self.context.clock.now().plus_ms(60_000);
        self.facts(id, NewFacts::ours(DeliveryFact::ours(id, at, body)))
            .await;
    }

    /// Paper in, packed, handed over, one list for all.
    pub(crate) async fn hand_over(&self, envelopes: &[(ShipmentId, &[u32])]) {
        self.clock.advance_ms(60_000);
        for (id, dossiers) in envelopes {
            desk::paper_in(&self.context, BY, Thing::Shipment(*id), None)
                .await
                .unwrap();
            self.clock.advance_ms(60_000);
            let slips = dossiers.iter().map(|number| code(*number)).collect();
            desk::pack(&self.context, BY, *id, slips).await.unwrap();
        }
        self.clock.advance_ms(60_000);
        let item = |(id, _): &(ShipmentId, &[u32])| ListedItem {
            shipment: *id,
            taking: Taking::Taken,
        };
        let list = CloseHandover {
            given: BY,
            entered_by: BY,
            taken_by: "BT-17".to_owned(),
            items: envelopes.iter().map(item).collect(),
            handed_over_at: self.context.clock.now(),
            late_reason: None,
        };
        desk::close_handover(&self.context, list).await.unwrap();
    }

    /// Given out at the counter.
    pub(crate) async fn collect(&self, thing: Thing) {
        self.clock.advance_ms(60_000);
        desk::collect_in_person(&self.context, BY, thing, None)
            .await
            .unwrap();
    }

    /// The first document of a dossier.
    pub(crate) fn document(number: u32) -> Thing {
        Thing::Document {
            source: SOURCE,
            code: DossierCode::parse(&code(number)).unwrap(),
            document_no: 1,
        }
    }

    /// A call to the operator with its outcome.
    pub(crate) async fn attempt(&self, id: ShipmentId, number: u8, outcome: AttemptOutcome) {
        let attempt = AttemptId::from_bytes([number; 16]);
        self.ours(id, FactBody::AttemptStarted { attempt }).await;
        self.ours(id, FactBody::AttemptEnded { attempt, outcome }).await;
    }

    /// Everything that can happen to envelopes and dossiers, once. The first envelope is delivered.
    pub(crate) async fn everything(&self) -> ShipmentId {
        for number in 1..=8 {
            self.state(number, |_usual| ()).await;
        }
        let delivered = self.delivered().await;
        self.returned_and_sent_again().await;
        self.contested_and_decided().await;
        self.never_sent().await;
        delivered
    }

    async fn delivered(&self) -> ShipmentId {
        let id = self.register("delivered", &[1]).await;
        self.attempt(id, 1, AttemptOutcome::Accepted).await;
        self.hand_over(&[(id, &[1])]).await;
        for (code, kind) in [
            ("6", EventKind::PickedUp),
            ("10", EventKind::InTransit),
            ("15", EventKind::DeliveryFailed),
            ("14", EventKind::Delivered),
        ] {
            self.event(id, code, kind).await;
        }
        id
    }

    /// Two dossiers in one envelope that comes back; one is sent again, one is collected at the counter.
    async fn returned_and_sent_again(&self) {
        let both = self.register("both", &[2, 3]).await;
        self.attempt(both, 2, AttemptOutcome::Unknown).await;
        let attempt = AttemptId::from_bytes([2; 16]);
        self.ours(both, FactBody::FoundAtOperator { attempt }).await;
        self.hand_over(&[(both, &[2, 3])]).await;
        self.event(both, "50", EventKind::Accepted).await;
        self.event(both, "19", EventKind::Returned).await;
        self.clock.advance_ms(60_000);
        desk::receive_returned(&self.context, BY, both, None)
            .await
            .unwrap();
        let again = self.register("again", &[2]).await;
        self.hand_over(&[(again, &[2])]).await;
        self.event(again, "14", EventKind::Delivered).await;
        self.collect(Self::document(3)).await;
    }

    /// Delivered and returned, until a person sets one of both aside; beside it entries without facts.
    async fn contested_and_decided(&self) {
        let id = self.register("contested", &[4]).await;
        self.hand_over(&[(id, &[4])]).await;
        self.event(id, "14", EventKind::Delivered).await;
        let at = (self.context.clock.now(), Resolution::Second);
        let wrong = DeliveryFact::event(id, at, "14", EventKind::Delivered, false);
        self.event(id, "19", EventKind::Returned).await;
        let decision = DecisionId::from_bytes([4; 16]);
        let body = FactBody::Decided {
            decision,
            outcome: Some(EventKind::Returned),
            overrides: [wrong.id].into(),
        };
        let at = self.context.clock.now().plus_ms(60_000);
        let decided = |kind| {
            let fields = Fields::new().bytes(Tag::Decision, decision.as_bytes());
            (kind, Some(at), fields)
        };
        let new = NewFacts {
            delivery: vec![(DeliveryFact::ours(id, at, body), 0)],
            entries: vec![
                (
                    Kind::EventQuarantined,
                    Some(at),
                    Fields::new().ascii(Tag::Code, "77"),
                ),
                decided(Kind::DecisionProposed),
                decided(Kind::DecisionApproved),
            ],
            ..NewFacts::default()
        };
        self.facts(id, new).await;
    }

    /// Held, cancelled, withdrawn, collected without an envelope, returned by the source's own word, a second record.
    async fn never_sent(&self) {
        let held = self.register("held", &[5]).await;
        let reason = "phone".to_owned();
        self.ours(held, FactBody::Held { reason }).await;
        let cancelled = self.register("cancelled", &[6]).await;
        self.ours(cancelled, FactBody::CancelledByUs).await;
        let withdrawn = self.register("withdrawn", &[7]).await;
        self.clock.advance_ms(60_000);
        let actor = dossier_record::system(SOURCE);
        let answer = dossier_record::withdraw_post(&self.context, SOURCE, actor, &code(7)).await;
        assert_eq!(answer.unwrap(), Some(dossier_record::Withdrawal::Withdrawn));
        self.collect(Self::document(8)).await;
        assert_ne!(withdrawn, cancelled);
        let now = self.context.clock.now();
        self.state(9, |snapshot| {
            snapshot.status_raw = "10".to_owned();
            snapshot.return_by = ReturnBy::Counter;
            snapshot.returned_at = Some(now);
        })
        .await;
        self.state(10, |snapshot| snapshot.duplicate = true).await;
        self.clock.advance_ms(60_000);
        // An older word that arrives late.
        self.state(10, |snapshot| {
            snapshot.status_at = now.plus_ms(-DAY_MS);
            snapshot.status_raw = "4".to_owned();
            snapshot.finished_at = None;
        })
        .await;
    }

    /// Runs a statement beside the store, as somebody with access to the database does.
    pub(crate) async fn raw(&self, text: &str) -> u64 {
        let text = sqlx::AssertSqlSafe(text).into_sql_str();
        match self.context.store.backend() {
            Backend::Sqlite { write, .. } => {
                write.execute(sqlx::raw_sql(text)).await.unwrap().rows_affected()
            }
            Backend::Postgres { pool } => pool.execute(sqlx::raw_sql(text)).await.unwrap().rows_affected(),
        }
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> u64 {
        let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let count: i64 = match self.context.store.backend() {
            Backend::Sqlite { write, .. } => sqlx::query_scalar(text).fetch_one(write).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        };
        u64::try_from(count).unwrap()
    }

    /// The first value of a question that gives bytes.
    pub(crate) async fn bytes(&self, text: &str) -> Vec<u8> {
        let text = sqlx::AssertSqlSafe(text);
        match self.context.store.backend() {
            Backend::Sqlite { write, .. } => sqlx::query_scalar(text).fetch_one(write).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    /// Runs a statement with bytes as `$1`, beside the store.
    pub(crate) async fn with_bytes(&self, text: &str, bytes: &[u8]) {
        let text = sqlx::AssertSqlSafe(text);
        let changed = match self.context.store.backend() {
            Backend::Sqlite { write, .. } => {
                let done = sqlx::query(text).bind(bytes.to_vec()).execute(write).await;
                done.unwrap().rows_affected()
            }
            Backend::Postgres { pool } => {
                let done = sqlx::query(text).bind(bytes.to_vec()).execute(pool).await;
                done.unwrap().rows_affected()
            }
        };
        assert_eq!(changed, 1);
    }
}

fn account(store: &Store, carrier: &dyn Carrier) -> Account {
    let id = AccountId::from_bytes([1; 16]);
    Account {
        id,
        code: "A1".to_owned(),
        adapter: carrier.adapter().to_owned(),
        base_url: "http://127.0.0.1:9".to_owned(),
        settings: BTreeMap::new(),
        capabilities: carrier.default_capabilities(),
        secret_sealed: Account::seal_login(store, id, "u", "p").unwrap(),
        callback_secret_hash: [0; 32],
        rate_per_minute: 600,
        rate_burst: 10,
        active: true,
    }
}

fn office(id: OfficeId, code: &str, account: AccountId) -> Office {
    Office {
        id,
        code: code.to_owned(),
        name: "Trung tâm Phục vụ hành chính công".to_owned(),
        valid_from: Timestamp::from_ms(0),
        valid_to: None,
        successor: None,
        account: Some(account),
        sender_name: "Trung tâm".to_owned(),
        sender_phone: "02033825000".to_owned(),
        sender_line: "Số 1".to_owned(),
        unit_set: "vn-2026-04".to_owned(),
        province_code: "22".to_owned(),
        commune_code: "06688".to_owned(),
        paper_first: false,
    }
}

struct Seed(Account);

impl Command for Seed {
    const NAME: &'static str = "seed";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let now = Timestamp::from_ms(0);
        put_account(tx, &self.0).await?;
        put_office(tx, &office(OFFICE, "HL01", self.0.id)).await?;
        put_office(tx, &office(OTHER_OFFICE, "HL02", self.0.id)).await?;
        let clerk = Staff {
            id: CLERK,
            login: "canbo".to_owned(),
            display_name: "Cán bộ (giả lập)".to_owned(),
            active: true,
        };
        put_staff(tx, &clerk).await?;
        give_role(tx, CLERK, OFFICE, "clerk", now).await?;
        let procedure = Procedure {
            code: "1.004227".to_owned(),
            name: "Thủ tục".to_owned(),
            by_post: true,
            receiver_policy: "addressee_or_authorised".to_owned(),
            takes_back_old: false,
        };
        put_procedure(tx, &procedure).await?;
        let source = SourceSystem {
            id: SOURCE,
            code: "one".to_owned(),
            name: "one".to_owned(),
            status_map: "national".to_owned(),
        };
        put_source(tx, &source, now).await?;
        for (level, code, name, parent) in [
            ("province", "22", "Tỉnh Quảng Ninh", None),
            ("commune", "06688", "Phường Hạ Long", Some("22")),
        ] {
            let unit = Unit {
                unit_set: "vn-2026-04".to_owned(),
                code: code.to_owned(),
                level: level.to_owned(),
                name: name.to_owned(),
                parent_code: parent.map(str::to_owned),
            };
            put_unit(tx, &unit, now).await?;
        }
        Ok(())
    }
}

struct Facts(Arc<Context>, ShipmentId, NewFacts);

impl Command for Facts {
    const NAME: &'static str = "facts";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let hand = Hand {
            ids: &*self.0.ids,
            now: self.0.clock.now(),
            actor: Actor::STAGE,
            office: [0; 16],
        };
        record::shipment_facts(&self.0.store, tx, &hand, self.1, self.2.clone())
            .await
            .map(drop)
    }
}
