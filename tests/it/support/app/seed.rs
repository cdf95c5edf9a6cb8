//! Offices, people, one dossier system, units and the operator account of a test; all invented.
//!
//! In: a context and the operator's address. Out: rows through the store's own functions, and identifiers to act with.

use hoibao::domain::id::{AccountId, OfficeId, SourceId, StaffId};
use hoibao::domain::time::Timestamp;
use hoibao::edge::carrier::myvnpost::ADAPTER;
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::reference::{
    Office, Procedure, Staff, give_role, put_office, put_procedure, put_staff,
};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::unit::{Unit, put_unit};
use hoibao::edge::store::{Command, StoreError, Tx};
use hoibao::stage::context::By;
use hoibao::stage::context::Context;
use sha2::{Digest as _, Sha256};

pub(crate) const USERNAME: &str = "gateway";
pub(crate) const PASSWORD: &str = "mat-khau-cua-ben-buu-dien";
pub(crate) const CUSTOMER: &str = "C000000001";
pub(super) const ACCOUNT: &str = "bcci";
pub(crate) const SOURCE: &str = "one";
pub(super) const CALLBACK_SECRET: &str = "duong-dan-bi-mat-cua-callback";
pub(super) const OFFICE: &str = "HL01";
pub(super) const PROCEDURE: &str = "1.004227";
pub(super) const UNIT_SET: &str = "vn-2026-04";
pub(super) const PROVINCE: &str = "22";
/// Phường Hạ Long, which the operator's list has too.
pub(super) const COMMUNE: &str = "06688";
/// A commune of our list that the operator's has not.
pub(super) const COMMUNE_UNKNOWN_TO_OPERATOR: &str = "99998";

/// A number the operator takes; in a range that is given to nobody.
pub(crate) const GOOD_PHONE: &str = "0900000123";
/// A number that our own check lets pass and the operator refuses.
pub(crate) const REFUSED_PHONE: &str = "0600000123";
pub(super) const NAME: &str = "Nguyễn Thị Thử Nghiệm";
pub(super) const LINE: &str = "Số 5, ngõ Không Tên, khu Giả Lập";
pub(super) const NOTE: &str = "gọi trước khi phát nhé";

/// What must stand in no log line and in no journal entry.
pub(super) fn unspeakable() -> Vec<String> {
    let words = [
        GOOD_PHONE,
        REFUSED_PHONE,
        NAME,
        "Thử Nghiệm",
        LINE,
        "Không Tên",
        NOTE,
        PASSWORD,
        CALLBACK_SECRET,
    ];
    words.map(str::to_owned).to_vec()
}

/// Who acts, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    /// The operator account.
    pub(crate) account: AccountId,
    /// The dossier system.
    pub(crate) source: SourceId,
    /// The office and its clerk.
    pub(crate) clerk: By,
}

impl Seed {
    pub(super) const fn new() -> Self {
        Self {
            account: AccountId::from_bytes([1; 16]),
            source: SourceId::from_bytes([2; 16]),
            clerk: By {
                staff: StaffId::from_bytes([3; 16]),
                office: OfficeId::from_bytes([4; 16]),
            },
        }
    }

    pub(super) fn account(&self, context: &Context, base_url: &str) -> Account {
        let carrier = context.carriers.find(ADAPTER).unwrap();
        let settings = [
            ("customer_code", CUSTOMER),
            ("contract_code", "C000000001_HD1"),
            ("send_type", "1"),
            ("submit_timeout_ms", "5000"),
            ("read_timeout_ms", "5000"),
            ("list_timeout_ms", "10000"),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Account {
            id: self.account,
            code: ACCOUNT.to_owned(),
            adapter: ADAPTER.to_owned(),
            base_url: base_url.to_owned(),
            settings: settings.map(text).into_iter().collect(),
            capabilities: carrier.default_capabilities(),
            secret_sealed: Account::seal_login(&context.store, self.account, USERNAME, PASSWORD).unwrap(),
            callback_secret_hash: Sha256::digest(CALLBACK_SECRET.as_bytes()).into(),
            rate_per_minute: 6_000,
            rate_burst: 600,
            active: true,
        }
    }

    pub(super) async fn write(&self, context: &Context, account: &Account, paper_first: bool) {
        let set_up = SetUp {
            seed: *self,
            account: account.clone(),
            paper_first,
            from: context.clock.now().plus_ms(-400 * 86_400_000),
        };
        context.store.submit(set_up).await.unwrap();
    }
}

struct SetUp {
    seed: Seed,
    account: Account,
    paper_first: bool,
    from: Timestamp,
}

impl Command for SetUp {
    const NAME: &'static str = "test_set_up";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let By { staff, office } = self.seed.clerk;
        put_account(tx, &self.account).await?;
        let centre = Office {
            id: office,
            code: OFFICE.to_owned(),
            name: "Trung tâm Phục vụ hành chính công".to_owned(),
            valid_from: self.from,
            valid_to: None,
            successor: None,
            account: Some(self.account.id),
            sender_name: "Trung tâm".to_owned(),
            sender_phone: "0203000000".to_owned(),
            sender_line: "Trụ sở trung tâm".to_owned(),
            unit_set: UNIT_SET.to_owned(),
            province_code: PROVINCE.to_owned(),
            commune_code: COMMUNE.to_owned(),
            paper_first: self.paper_first,
        };
        put_office(tx, &centre).await?;
        let clerk = Staff {
            id: staff,
            login: "canbo-mot-cua".to_owned(),
            display_name: "Cán bộ một cửa (giả lập)".to_owned(),
            active: true,
        };
        put_staff(tx, &clerk).await?;
        for role in ["clerk", "dispatcher"] {
            give_role(tx, staff, office, role, self.from).await?;
        }
        let procedure = Procedure {
            code: PROCEDURE.to_owned(),
            name: "Thủ tục".to_owned(),
            by_post: true,
            receiver_policy: "addressee_or_authorised".to_owned(),
            takes_back_old: false,
        };
        put_procedure(tx, &procedure).await?;
        let source = SourceSystem {
            id: self.seed.source,
            code: SOURCE.to_owned(),
            name: SOURCE.to_owned(),
            status_map: "national".to_owned(),
        };
        put_source(tx, &source, self.from).await?;
        for (level, code, name, parent) in [
            ("province", PROVINCE, "Tỉnh Quảng Ninh", None),
            ("commune", COMMUNE, "Phường Hạ Long", Some(PROVINCE)),
            (
                "commune",
                COMMUNE_UNKNOWN_TO_OPERATOR,
                "Xã Không Ai Biết",
                Some(PROVINCE),
            ),
        ] {
            let unit = Unit {
                unit_set: UNIT_SET.to_owned(),
                code: code.to_owned(),
                level: level.to_owned(),
                name: name.to_owned(),
                parent_code: parent.map(str::to_owned),
            };
            put_unit(tx, &unit, self.from).await?;
        }
        Ok(())
    }
}
