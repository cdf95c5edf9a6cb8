//! A gateway with two offices, people of every role, and an operator on loopback whose answers get lost on demand; all
//! people are invented.
//!
//! In: which database. Out: an [`App`] with dossiers and shipments to decide about. Deliberately not here: assertions
//! about decisions.

use super::seed::{Change, PEOPLE, SOURCE, Seed, account, addressee, context, operator, snapshot};
use crate::support::postgres;
use hoibao::app::ports::ManualClock;
use hoibao::domain::capability::{Cancelling, DuplicateReference};
use hoibao::domain::custody::{self, CustodyAct, CustodyFact};
use hoibao::domain::delivery::{self, Delivery, DeliveryFact, EventKind, FactBody};
use hoibao::domain::id::{DecisionId, OfficeId, ShipmentId, StaffId};
use hoibao::domain::journal::{Actor, Entry, Kind, Subject, SubjectKind};
use hoibao::domain::time::{Resolution, Timestamp};
use hoibao::edge::carrier::transport::{HttpTransport, TransportSettings};
use hoibao::edge::carrier::{CallKind, Transport, TransportFailure, WireRequest, WireResponse};
use hoibao::edge::store::account::Account;
use hoibao::edge::store::attempt::{self, AttemptRow};
use hoibao::edge::store::queue::{self, QueueRow};
use hoibao::edge::store::record::{self, Hand, NewFacts};
use hoibao::edge::store::shipment::{self, ShipmentRow};
use hoibao::edge::store::{Backend, Command, Keyring, Store, StoreError, StoreSettings, Tx, journal};
use hoibao::simulator::Simulator;
use hoibao::stage::context::By;
use hoibao::stage::context::Context;
use hoibao::stage::decide::{Answer, DecideError, Refusal, Ruled, Wish, approve, propose};
use hoibao::stage::dossier_record;
use hoibao::stage::intake::{self, Draft, IdempotencyKey, ItemDraft, PostagePayer, Registrar, To};
use hoibao::stage::{dispatch, reconcile, resolve};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// 24 November 2026, 08:00 in Vietnam.
pub(super) const NOW: &str = "2026-11-24T08:00:00+07:00";
pub(super) const REASON: &str = "đã gọi điện cho bưu cục và xác nhận";
pub(super) const HOME: OfficeId = OfficeId::from_bytes([1; 16]);
pub(super) const AWAY: OfficeId = OfficeId::from_bytes([2; 16]);
/// A person acting for the own office.
pub(super) fn by(login: &str) -> By {
    let (_, number, office, _) = PEOPLE.iter().find(|person| person.0 == login).unwrap();
    By {
        staff: StaffId::from_bytes([*number; 16]),
        office: *office,
    }
}

/// What becomes of calls that create an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Good,
    /// The operator takes the order; its answer is lost.
    AnswerLost,
    /// The operator never gets the order, and nobody can tell.
    CallLost,
}

/// The real way out, disturbed on demand. A call stops at the gate until the test lets it through.
pub(super) struct Wire {
    inner: HttpTransport,
    pub(super) line: Mutex<Line>,
    /// Which kind of call stops at the gate.
    pub(super) gated: Mutex<Option<CallKind>>,
    pub(super) arrived: Semaphore,
    pub(super) go: Semaphore,
    pub(super) creates: AtomicU32,
}

impl Transport for Wire {
    fn call<'a>(
        &'a self,
        request: &'a WireRequest,
    ) -> Pin<Box<dyn Future<Output = Result<WireResponse, TransportFailure>> + Send + 'a>> {
        Box::pin(async move {
            let asks = request.url.contains("getOrder") || request.url.contains("GetListOrder");
            let creates = request.kind == CallKind::Submit && !request.url.contains("Token");
            let kind = *self.gated.lock().unwrap();
            if (creates && kind == Some(CallKind::Submit)) || (asks && kind == Some(CallKind::Read)) {
                self.arrived.add_permits(1);
                self.go.acquire().await.unwrap().forget();
            }
            if !creates {
                return self.inner.call(request).await;
            }
            self.creates.fetch_add(1, Ordering::SeqCst);
            let lost = || TransportFailure::Ambiguous {
                detail: "lost by the test".to_owned(),
            };
            let line = *self.line.lock().unwrap();
            match line {
                Line::Good => self.inner.call(request).await,
                Line::AnswerLost => {
                    self.inner.call(request).await?;
                    Err(lost())
                }
                Line::CallLost => Err(lost()),
            }
        })
    }
}

pub(super) struct App {
    pub(super) context: Arc<Context>,
    pub(super) clock: ManualClock,
    pub(super) wire: Arc<Wire>,
    pub(super) simulator: Simulator,
    pub(super) account: Account,
    pub(super) url: String,
    pub(super) keys: String,
    pub(super) folder: TempDir,
}

/// Runs a test on a SQLite file and on PostgreSQL.
#[expect(clippy::future_not_send, reason = "each test runs on a thread of its own")]
pub(super) async fn on_both<F: AsyncFn(&App)>(test: F) {
    for postgres in [false, true] {
        test(&App::open(postgres).await).await;
    }
}

impl App {
    async fn open(postgres: bool) -> Self {
        Self::open_at(postgres, Timestamp::parse_rfc3339(NOW).unwrap()).await
    }

    /// Opened at another time than that of most tests.
    pub(super) async fn open_at(postgres: bool, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = if postgres {
            postgres::create_database().unwrap()
        } else {
            format!("sqlite:{}", folder.path().join("hoibao.sqlite").display())
        };
        let keys = Keyring::generate().unwrap().to_string();
        let keyring = Arc::new(Keyring::parse(&keys).unwrap());
        let store = Store::migrate(&StoreSettings::at(&url), keyring).await.unwrap();
        let clock = ManualClock::at(now);
        let simulator = operator(&folder, &clock).await;
        let wire = Arc::new(Wire {
            inner: HttpTransport::new(&TransportSettings::default()).unwrap(),
            line: Mutex::new(Line::Good),
            gated: Mutex::new(None),
            arrived: Semaphore::new(0),
            go: Semaphore::new(0),
            creates: AtomicU32::new(0),
        });
        let account = account(&store, &simulator);
        let context = context(store, &clock, Arc::clone(&wire));
        context.store.submit(Seed(account.clone())).await.unwrap();
        Self {
            context,
            clock,
            wire,
            simulator,
            account,
            url,
            keys,
            folder,
        }
    }

    /// The same database met by a program started anew.
    pub(super) async fn restarted(&self) -> Arc<Context> {
        let keyring = Arc::new(Keyring::parse(&self.keys).unwrap());
        let store = Store::open(&StoreSettings::at(&self.url), keyring).await.unwrap();
        context(store, &self.clock, Arc::clone(&self.wire))
    }

    /// A finished dossier of this number and its shipment, ready to be sent.
    pub(super) async fn shipment(&self, number: u32) -> ShipmentId {
        self.shipment_to(number, "0912345678").await
    }

    pub(super) async fn shipment_to(&self, number: u32, phone: &str) -> ShipmentId {
        let code = format!("000.12.20.H49-261101-{number:04}");
        let actor = dossier_record::system(SOURCE);
        dossier_record::refresh(
            &self.context,
            SOURCE,
            actor,
            &code,
            &snapshot(self.context.clock.now()),
        )
        .await
        .unwrap();
        let draft = Draft {
            items: vec![ItemDraft {
                dossier: code,
                document_no: 1,
            }],
            sending_office: "HL01".to_owned(),
            return_office: None,
            deciding_office: None,
            to: To::Given(addressee(phone)),
            weight_grams: 50,
            collect_dong: 0,
            service_code: None,
            postage_payer: PostagePayer::Citizen,
        };
        let key = IdempotencyKey::parse(&format!("k{number}")).unwrap();
        let registrar = Registrar { source: SOURCE };
        let made = intake::register(&self.context, registrar, &key, b"", &draft).await;
        self.clock.advance_ms(1_000);
        made.unwrap().id
    }

    /// One round of dispatch; the operator's unit list is loaded the first time.
    pub(super) async fn dispatch(&self) {
        reconcile::tick(&self.context).await.unwrap();
        dispatch::tick(&self.context).await.unwrap();
        self.clock.advance_ms(1_000);
    }

    pub(super) async fn resolve(&self) {
        resolve::tick(&self.context).await.unwrap();
        self.clock.advance_ms(1_000);
    }

    /// A shipment whose order may or may not be at the operator.
    pub(super) async fn doubted(&self, number: u32, line: Line) -> ShipmentId {
        let id = self.shipment(number).await;
        *self.wire.line.lock().unwrap() = line;
        self.dispatch().await;
        *self.wire.line.lock().unwrap() = Line::Good;
        id
    }

    /// Changes what the account can do.
    pub(super) async fn capable(&self, look_up: bool, duplicate: DuplicateReference) {
        let mut account = self.account.clone();
        account.capabilities.look_up_by_reference = look_up;
        account.capabilities.duplicate_reference = duplicate;
        self.context.store.submit(Change(account)).await.unwrap();
    }

    /// Changes how the account's orders are cancelled.
    pub(super) async fn cancelling(&self, cancelling: Cancelling) {
        let mut account = self.account.clone();
        account.capabilities.cancelling = cancelling;
        self.context.store.submit(Change(account)).await.unwrap();
    }

    /// The operator's statement, `minutes` after the shipment was registered; `code` 23 speaks of a part.
    pub(super) async fn told(
        &self,
        id: ShipmentId,
        minutes: i64,
        code: &str,
        kind: EventKind,
    ) -> DeliveryFact {
        let at = self.row(id).await.created_at.plus_ms(minutes * 60_000);
        let fact = DeliveryFact::event(id, (at, Resolution::Second), code, kind, code == "23");
        self.facts(id, NewFacts::ours(fact.clone())).await;
        fact
    }

    /// The desk handed it over a minute after it was registered.
    pub(super) async fn handed_over(&self, id: ShipmentId) {
        let at = self.row(id).await.created_at.plus_ms(60_000);
        let act = |at, act| CustodyFact::new(id, at, act, None, None);
        let facts = NewFacts {
            custody: vec![
                act(at.plus_ms(-1), CustodyAct::AtDesk),
                act(at, CustodyAct::HandedOver),
            ],
            ..NewFacts::default()
        };
        self.facts(id, facts).await;
    }

    pub(super) async fn paper(&self, id: ShipmentId, act: CustodyAct) {
        let fact = CustodyFact::new(id, self.context.clock.now(), act, None, None);
        let facts = NewFacts {
            custody: vec![fact],
            ..NewFacts::default()
        };
        self.facts(id, facts).await;
    }

    async fn facts(&self, id: ShipmentId, facts: NewFacts) {
        let command = Facts(Arc::clone(&self.context), id, facts);
        self.context.store.submit(command).await.unwrap();
        self.clock.advance_ms(1_000);
    }

    pub(super) async fn propose(
        &self,
        login: &str,
        id: ShipmentId,
        wish: Wish,
    ) -> Result<Ruled, DecideError> {
        let ruled = propose(&self.context, by(login), id, wish, REASON).await;
        self.clock.advance_ms(1_000);
        ruled
    }

    pub(super) async fn approve(&self, login: &str, decision: DecisionId) -> Result<Ruled, DecideError> {
        let ruled = approve(&self.context, by(login), decision).await;
        self.clock.advance_ms(1_000);
        ruled
    }

    pub(super) async fn row(&self, id: ShipmentId) -> ShipmentRow {
        let mut tx = self.context.store.snapshot().await.unwrap();
        shipment::find(&mut tx, id).await.unwrap().unwrap()
    }

    pub(super) async fn queue(&self, id: ShipmentId) -> QueueRow {
        let mut tx = self.context.store.snapshot().await.unwrap();
        queue::find(&mut tx, id).await.unwrap().unwrap()
    }

    pub(super) async fn attempts(&self, id: ShipmentId) -> Vec<AttemptRow> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        attempt::list(&mut tx, id).await.unwrap()
    }

    pub(super) async fn delivery_facts(&self, id: ShipmentId) -> Vec<DeliveryFact> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        shipment::delivery_facts(&mut tx, id).await.unwrap()
    }

    /// The entries of a shipment in their order.
    pub(super) async fn entries(&self, id: ShipmentId) -> Vec<Entry> {
        let mut tx = self.context.store.snapshot().await.unwrap();
        let subject = Subject {
            kind: SubjectKind::Shipment,
            id: *id.as_bytes(),
        };
        let all = journal::of_subject(&mut tx, subject, 1_000).await.unwrap();
        all.iter()
            .map(|bytes| Entry::from_bytes(bytes).unwrap())
            .collect()
    }

    /// How many entries of a shipment are of this kind.
    pub(super) async fn entered(&self, id: ShipmentId, kind: Kind) -> usize {
        let entries = self.entries(id).await;
        entries.iter().filter(|entry| entry.kind == kind).count()
    }

    /// Folds a shipment from the bytes of its entries alone, compares with its row, and returns it: a change and its
    /// entry stand together.
    pub(super) async fn recomputed(&self, id: ShipmentId) -> Delivery {
        let entries = self.entries(id).await;
        let of = |kind| entries.iter().filter(move |entry: &&Entry| entry.kind == kind);
        let told: Vec<DeliveryFact> = of(Kind::DeliveryFact)
            .map(|entry| DeliveryFact::from_fields(&entry.fields, entry.occurred_at.unwrap()).unwrap())
            .collect();
        let acts: Vec<CustodyFact> = of(Kind::CustodyFact)
            .map(|entry| CustodyFact::from_fields(&entry.fields, entry.occurred_at.unwrap()).unwrap())
            .collect();
        let delivery = delivery::fold(&told);
        let custody = custody::fold(&acts, &delivery);
        let row = self.row(id).await;
        let stored = (row.state, row.contested, row.partial, row.held, row.closed);
        let held = delivery.held.clone();
        assert_eq!(
            stored,
            (
                delivery.state,
                delivery.contested,
                delivery.partial,
                held,
                custody.closed
            )
        );
        assert_eq!(
            (row.custody.as_str(), row.delivered_at),
            (custody.place.as_str(), delivery.delivered_at)
        );
        delivery
    }

    /// Every row a decision could have touched: nothing may differ after a refusal.
    pub(super) async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in [
            "decision",
            "delivery_fact",
            "custody_fact",
            "journal",
            "shipment_revision",
            "personal_data",
            "search_token",
            "poll",
            "outbox",
        ] {
            rows.push(self.number(&format!("SELECT COUNT(*) FROM {table}")).await);
        }
        rows.push(
            self.number("SELECT CAST(SUM(lease_token) AS BIGINT) FROM queue")
                .await,
        );
        rows
    }

    pub(super) async fn number(&self, text: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self.context.store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }
}

/// The refusal of an act that must have been refused.
#[track_caller]
pub(super) fn refused(answer: Result<Ruled, DecideError>) -> Refusal {
    match answer {
        Err(DecideError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// A final outcome, `minutes` after the shipment was registered.
pub(super) async fn ended(app: &App, id: ShipmentId, answer: Answer, minutes: i64) -> Wish {
    Wish {
        at: Some(app.row(id).await.created_at.plus_ms(minutes * 60_000)),
        ..Wish::of(answer)
    }
}

/// The facts that decisions left.
pub(super) fn decided(facts: &[DeliveryFact]) -> Vec<&DeliveryFact> {
    let is = |fact: &&DeliveryFact| matches!(fact.body, FactBody::Decided { .. });
    facts.iter().filter(is).collect()
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
