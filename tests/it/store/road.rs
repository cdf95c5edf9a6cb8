//! A small installation with invented people: an office, an account, a source with two receivers, dossiers, shipments.
//!
//! In: a store. Out: its rows, and one way to run a piece of code as a command. Deliberately not here: stages.

use super::place::{CountingIds, NOW};
use super::schema;
use futures_util::future::BoxFuture;
use hoibao::domain::capability::{
    Authenticity, Cancelling, Capabilities, Door, DuplicateReference, EventIdentity, FieldBytes,
    ResolutionName,
};
use hoibao::domain::delivery::{DeliveryFact, EventKind};
use hoibao::domain::dossier::{
    DossierFact, DossierFactBody, DossierStatus, ReturnBy, Statement, SubmittedBy,
};
use hoibao::domain::id::{
    AccountId, DossierId, EndpointId, ItemId, OfficeId, RecordId, ShipmentId, SourceId,
};
use hoibao::domain::journal::Actor;
use hoibao::domain::time::{Resolution, Timestamp};
use hoibao::edge::store::account::{self, Account};
use hoibao::edge::store::dossier::{self, NewDossier};
use hoibao::edge::store::endpoint::{self, Endpoint};
use hoibao::edge::store::queue::{self, QueueState};
use hoibao::edge::store::record::{self, Hand, NewFacts};
use hoibao::edge::store::reference::{self, Office, Procedure};
use hoibao::edge::store::shipment::{self, ItemRow, NewShipment, Offices};
use hoibao::edge::store::source::{self, SourceSystem};
use hoibao::edge::store::{Backend, Command, Store, StoreError, Tx, personal, poll};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Body<T> = dyn for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync;

/// A piece of code as a command.
pub(super) struct Act<T>(Box<Body<T>>);

/// Makes a command of a piece of code, which may be run again.
pub(super) fn act<T>(
    body: impl for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync + 'static,
) -> Act<T> {
    Act(Box::new(body))
}

impl<T: Send + 'static> Command for Act<T> {
    const NAME: &'static str = "test_act";
    type Output = T;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<T, StoreError> {
        (self.0)(tx).await
    }
}

/// The installation.
#[derive(Clone)]
pub(super) struct Road {
    pub(super) store: Store,
    pub(super) ids: Arc<CountingIds>,
    pub(super) office: OfficeId,
    pub(super) account: AccountId,
    pub(super) source: SourceId,
    pub(super) endpoints: [EndpointId; 2],
    /// Two dossiers at status 9, return by post.
    pub(super) dossiers: [DossierId; 2],
    /// Holds the first document of both.
    pub(super) shipment: ShipmentId,
}

impl Road {
    /// Everything, with a first shipment that stands ready in the queue.
    pub(super) async fn build(store: Store) -> Self {
        let ids = Arc::new(CountingIds::default());
        let road = Self {
            office: OfficeId::new(&*ids),
            account: AccountId::new(&*ids),
            source: SourceId::new(&*ids),
            endpoints: [EndpointId::new(&*ids), EndpointId::new(&*ids)],
            dossiers: [DossierId::new(&*ids), DossierId::new(&*ids)],
            shipment: ShipmentId::new(&*ids),
            ids,
            store,
        };
        let set_up = road.clone();
        road.submit(move |tx| {
            let road = set_up.clone();
            Box::pin(async move { road.set_up(tx).await })
        })
        .await
        .unwrap();
        road.register(road.shipment, "000.00.01.H42-261124-0001", &road.dossiers, 1)
            .await
            .unwrap();
        road
    }

    /// Runs a piece of code as a command.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        body: impl for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.store.submit(act(body)).await
    }

    /// The hand of the tests at a moment.
    pub(super) fn hand(&self, now: Timestamp) -> Hand<'_> {
        Hand {
            ids: &*self.ids,
            now,
            actor: Actor::STAGE,
            office: *self.office.as_bytes(),
        }
    }

    async fn set_up(&self, tx: &mut Tx) -> Result<(), StoreError> {
        account::put_account(tx, &self.account()?).await?;
        reference::put_office(tx, &self.office_row()).await?;
        let procedure = Procedure {
            code: "1.004227".to_owned(),
            name: "Đăng ký biến động quyền sử dụng đất".to_owned(),
            by_post: true,
            receiver_policy: "addressee_or_authorised".to_owned(),
            takes_back_old: false,
        };
        reference::put_procedure(tx, &procedure).await?;
        let system = SourceSystem {
            id: self.source,
            code: "h42".to_owned(),
            name: "Hệ thống của tỉnh".to_owned(),
            status_map: "national".to_owned(),
        };
        source::put_source(tx, &system, NOW).await?;
        for id in self.endpoints {
            let receiver = Endpoint {
                id,
                source: self.source,
                url: format!("https://receiver.example/{id}"),
                secret_sealed: self
                    .store
                    .keyring()
                    .seal_secret("endpoint", id.as_bytes(), b"secret")?,
                active: true,
                private_allowed: false,
            };
            endpoint::insert_endpoint(tx, &receiver, NOW).await?;
        }
        for (number, id) in (1..).zip(self.dossiers) {
            self.open(tx, id, number).await?;
        }
        Ok(())
    }

    /// Opens a dossier at status 9 that wants its result by post.
    pub(super) async fn open(&self, tx: &mut Tx, id: DossierId, number: u32) -> Result<(), StoreError> {
        let code = format!("000.00.01.H42-261124-{number:04}");
        let new = NewDossier {
            id,
            source: self.source,
            code: &code,
            procedure_code: "1.004227",
            office: self.office,
            received_at: NOW.plus_ms(-86_400_000),
        };
        assert!(dossier::insert(tx, &new, NOW).await?);
        record::open_dossier(tx, &self.hand(NOW), id, *self.source.as_bytes()).await?;
        record::dossier_facts(&self.store, tx, &self.hand(NOW), id, vec![stated(id, NOW, 9)])
            .await
            .map(drop)
    }

    /// Registers a shipment with one document (by number) of each dossier, ready to be sent and asked for.
    pub(super) async fn register(
        &self,
        id: ShipmentId,
        reference: &str,
        dossiers: &[DossierId],
        document_no: u32,
    ) -> Result<(), StoreError> {
        let (road, reference, dossiers) = (self.clone(), reference.to_owned(), dossiers.to_vec());
        self.submit(move |tx| {
            let (road, reference, dossiers) = (road.clone(), reference.clone(), dossiers.clone());
            Box::pin(async move {
                let record = RecordId::new(&*road.ids);
                let key = personal::create(&road.store, tx, record, NOW, None).await?;
                personal::put(tx, &key, "r1.name", "Nguyễn Thị Thử Nghiệm").await?;
                personal::index(
                    &road.store,
                    tx,
                    record,
                    "name",
                    &BTreeSet::from(["ng".to_owned()]),
                )
                .await?;
                let new = NewShipment {
                    id,
                    short_number: format!("{reference}/s"),
                    source: Some(road.source),
                    account: road.account,
                    reference,
                    record,
                    offices: Offices {
                        receiving: road.office,
                        deciding: road.office,
                        sending: road.office,
                        return_to: road.office,
                    },
                };
                shipment::insert(tx, &new, NOW).await?;
                for dossier in dossiers {
                    let item = ItemRow {
                        id: ItemId::new(&*road.ids),
                        dossier,
                        document_no,
                        live: true,
                    };
                    shipment::insert_item(tx, id, &item).await?;
                }
                queue::insert(tx, id, road.account, QueueState::Ready, NOW).await?;
                poll::start(tx, id, road.account, NOW).await
            })
        })
        .await
    }

    /// Writes facts about a shipment; how many were new.
    pub(super) async fn facts(
        &self,
        id: ShipmentId,
        now: Timestamp,
        new: NewFacts,
    ) -> Result<u32, StoreError> {
        let road = self.clone();
        self.submit(move |tx| {
            let (road, new) = (road.clone(), new.clone());
            Box::pin(async move {
                let recorded = record::shipment_facts(&road.store, tx, &road.hand(now), id, new).await?;
                Ok(recorded.added)
            })
        })
        .await
    }

    /// Writes facts about a dossier; how many were new.
    pub(super) async fn dossier_facts(
        &self,
        id: DossierId,
        facts: Vec<DossierFact>,
    ) -> Result<u32, StoreError> {
        let road = self.clone();
        self.submit(move |tx| {
            let (road, facts) = (road.clone(), facts.clone());
            Box::pin(async move {
                let recorded = record::dossier_facts(&road.store, tx, &road.hand(NOW), id, facts).await?;
                Ok(recorded.added)
            })
        })
        .await
    }

    fn account(&self) -> Result<Account, StoreError> {
        Ok(Account {
            id: self.account,
            code: "vnpost".to_owned(),
            adapter: "test".to_owned(),
            base_url: "http://127.0.0.1:1".to_owned(),
            settings: BTreeMap::new(),
            capabilities: Capabilities {
                look_up_by_reference: true,
                duplicate_reference: DuplicateReference::Unknown,
                doors: BTreeMap::from([(Door::PullOne, Authenticity::Proven)]),
                event_identity: EventIdentity::CodeAndTime,
                time_resolution: ResolutionName::Second,
                cancelling: Cancelling::Case,
                needs_item_code: false,
                field_bytes_max: FieldBytes {
                    name: 200,
                    address: 200,
                    note: 200,
                },
                quiescence_ms: 60_000,
            },
            secret_sealed: Account::seal_login(&self.store, self.account, "desk", "not a real password")?,
            callback_secret_hash: [3; 32],
            rate_per_minute: 600,
            rate_burst: 10,
            active: true,
        })
    }

    fn office_row(&self) -> Office {
        Office {
            id: self.office,
            code: "HL".to_owned(),
            name: "Bộ phận một cửa".to_owned(),
            valid_from: NOW.plus_ms(-1_000_000_000),
            valid_to: None,
            successor: None,
            account: Some(self.account),
            sender_name: "Bộ phận một cửa".to_owned(),
            sender_phone: "02033000000".to_owned(),
            sender_line: "Số 1".to_owned(),
            unit_set: "2025-07-01".to_owned(),
            province_code: "22".to_owned(),
            commune_code: "06652".to_owned(),
            paper_first: false,
        }
    }
}

/// A statement of the dossier system.
pub(super) fn stated(id: DossierId, at: Timestamp, status: u8) -> DossierFact {
    let statement = Statement {
        status_raw: status.to_string(),
        status: DossierStatus::new(status).unwrap(),
        map_version: 1,
        return_by: ReturnBy::Post,
        submitted_by: SubmittedBy::Direct,
        received_at: NOW.plus_ms(-86_400_000),
        due_at: Some(NOW.plus_ms(86_400_000)),
        finished_at: (status >= 9).then_some(NOW),
        returned_at: None,
        duplicate: false,
    };
    DossierFact::new(id, at, DossierFactBody::Stated(statement))
}

/// An event of the operator, some minutes after [`NOW`].
pub(super) fn event(id: ShipmentId, minute: i64, kind: EventKind) -> NewFacts {
    let at = (NOW.plus_ms(minute * 60_000), Resolution::Second);
    NewFacts {
        delivery: vec![(DeliveryFact::event(id, at, "x", kind, false), 1)],
        ..NewFacts::default()
    }
}

/// Rows of each table.
pub(super) async fn counts(store: &Store) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for table in schema::columns(store).await.into_keys() {
        let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let rows = match store.backend() {
            Backend::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
            Backend::Postgres { pool } => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        };
        counts.insert(table, rows);
    }
    counts
}
