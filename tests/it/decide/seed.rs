//! What a gateway of these tests is set up with: offices, people, an account, a few units, an operator on loopback.
//!
//! In: a store. Out: its rows; people are invented. Deliberately not here: shipments.

use super::setup::{AWAY, HOME, Wire};
use hoibao::app::config::{Config, Overrides};
use hoibao::app::ports::{ManualClock, SeededRng, UuidIds};
use hoibao::domain::addressee::{AddresseeDraft, UnitDraft};
use hoibao::domain::calendar::Calendars;
use hoibao::domain::dossier::snapshot::Snapshot;
use hoibao::domain::dossier::{ReturnBy, SubmittedBy};
use hoibao::domain::id::{AccountId, OfficeId, SourceId, StaffId};
use hoibao::domain::time::{Clock, Timestamp};
use hoibao::edge::carrier::myvnpost::MyVnPost;
use hoibao::edge::carrier::{Carrier as _, Carriers};
use hoibao::edge::dossier::client::{ClientSettings, EventClient};
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::reference::{
    Office, Procedure, Staff, give_role, put_office, put_procedure, put_staff,
};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::unit::{Unit, put_unit};
use hoibao::edge::store::{Command, Store, StoreError, Tx};
use hoibao::simulator::{DuplicatePolicy, Faults, Pace, PathPrefix, Simulator, SimulatorConfig};
use hoibao::stage::context::Context;
use hoibao::stage::context::operator::Memory;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tempfile::TempDir;

pub(super) const SOURCE: SourceId = SourceId::from_bytes([3; 16]);
const SET: &str = "vn-2026-04";

/// People by login, each with one office and roles.
pub(super) const PEOPLE: [(&str, u8, OfficeId, &[&str]); 8] = [
    ("canbo", 11, HOME, &["clerk"]),
    ("bangiao", 12, HOME, &["dispatcher"]),
    ("lanhdao", 13, HOME, &["leader"]),
    ("hai-vai", 14, HOME, &["clerk", "leader"]),
    ("lanhdao-xa", 15, AWAY, &["leader"]),
    ("canbo-xa", 16, AWAY, &["clerk"]),
    ("buuta", 17, HOME, &["postal_worker"]),
    ("thanhtra", 18, HOME, &["auditor"]),
];

pub(super) fn addressee(phone: &str) -> AddresseeDraft {
    let unit = |code: &str| UnitDraft {
        set: SET.to_owned(),
        code: code.to_owned(),
    };
    AddresseeDraft {
        name: "Nguyễn Thị Thử".to_owned(),
        phone: phone.to_owned(),
        line: "Số 5, ngõ 12, khu 3".to_owned(),
        commune: unit("06688"),
        province: unit("22"),
        note: None,
    }
}

pub(super) fn snapshot(now: Timestamp) -> Snapshot {
    let days = |days: i64| now.plus_ms(days * 86_400_000);
    Snapshot {
        status_raw: "9".to_owned(),
        status_at: days(-4),
        procedure: "1.004227".to_owned(),
        receiving_office: "HL01".to_owned(),
        return_by: ReturnBy::Post,
        submitted_by: SubmittedBy::Online,
        received_at: days(-23),
        due_at: Some(days(1)),
        finished_at: Some(days(-4)),
        returned_at: None,
        duplicate: false,
        addressee: Some(addressee("0912345678")),
    }
}

pub(super) async fn operator(folder: &TempDir, clock: &ManualClock) -> Simulator {
    let config = SimulatorConfig {
        seed: 1,
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        ledger_path: folder.path().join("operator-ledger.jsonl"),
        webhook: None,
        username: "u".to_owned(),
        password: "p".to_owned(),
        customer_code: "C000000001".to_owned(),
        faults: Faults::none(),
        pace: Pace::default(),
        path_prefix: PathPrefix::Both,
        duplicates: DuplicatePolicy::SecondOrder,
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Simulator::start(config, clock).await.unwrap()
}

pub(super) fn account(store: &Store, simulator: &Simulator) -> Account {
    let carrier = MyVnPost::new().unwrap();
    let id = AccountId::from_bytes([1; 16]);
    let settings = [
        ("customer_code", "C000000001"),
        ("contract_code", "C000000001_HD1"),
        ("send_type", "1"),
    ];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Account {
        id,
        code: "A1".to_owned(),
        adapter: carrier.adapter().to_owned(),
        base_url: format!("http://{}", simulator.address()),
        settings: settings.map(text).into_iter().collect(),
        capabilities: carrier.default_capabilities(),
        secret_sealed: Account::seal_login(store, id, "u", "p").unwrap(),
        callback_secret_hash: [0; 32],
        rate_per_minute: 6_000,
        rate_burst: 100,
        active: true,
    }
}

pub(super) fn context(store: Store, clock: &ManualClock, transport: Arc<Wire>) -> Arc<Context> {
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    Arc::new(Context {
        store,
        ids: Arc::new(UuidIds::system(Arc::clone(&shared))),
        clock: shared,
        rng: Arc::new(SeededRng::new(7)),
        carriers: Carriers::new(vec![Arc::new(MyVnPost::new().unwrap())]),
        transport,
        calendars: Calendars::built_in().unwrap(),
        limits: Config::load(&Overrides::default()).unwrap().limits().unwrap(),
        events: Arc::new(EventClient::new(&ClientSettings::default()).unwrap()),
        operators: Memory::default(),
    })
}

pub(super) struct Seed(pub(super) Account);

impl Command for Seed {
    const NAME: &'static str = "seed";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let from = Timestamp::from_ms(0);
        put_account(tx, &self.0).await?;
        for (id, code) in [(HOME, "HL01"), (AWAY, "HL02")] {
            let office = Office {
                id,
                code: code.to_owned(),
                name: "Trung tâm Phục vụ hành chính công".to_owned(),
                valid_from: from,
                valid_to: None,
                successor: None,
                account: Some(self.0.id),
                sender_name: "Trung tâm".to_owned(),
                sender_phone: "02033825000".to_owned(),
                sender_line: "Số 1".to_owned(),
                unit_set: SET.to_owned(),
                province_code: "22".to_owned(),
                commune_code: "06688".to_owned(),
                paper_first: false,
            };
            put_office(tx, &office).await?;
        }
        for (login, number, office, roles) in PEOPLE {
            let id = StaffId::from_bytes([number; 16]);
            let person = Staff {
                id,
                login: login.to_owned(),
                display_name: "Người thử".to_owned(),
                active: true,
            };
            put_staff(tx, &person).await?;
            for role in roles {
                give_role(tx, id, office, role, from).await?;
            }
        }
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
        put_source(tx, &source, from).await?;
        for (level, code, name, parent) in [
            ("province", "22", "Tỉnh Quảng Ninh", None),
            ("province", "01", "Thành phố Hà Nội", None),
            ("commune", "06688", "Phường Hạ Long", Some("22")),
            ("commune", "00004", "Phường Ba Đình", Some("01")),
        ] {
            let unit = Unit {
                unit_set: SET.to_owned(),
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

pub(super) struct Change(pub(super) Account);

impl Command for Change {
    const NAME: &'static str = "change";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        put_account(tx, &self.0).await
    }
}
