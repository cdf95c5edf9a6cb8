//! One office, one system, one account, the units that one order needs; all invented.

use hoibao::domain::id::{AccountId, OfficeId, SourceId};
use hoibao::domain::time::Timestamp;
use hoibao::edge::carrier::Carrier;
use hoibao::edge::store::account::{Account, put_account};
use hoibao::edge::store::reference::{Office, Procedure, put_office, put_procedure};
use hoibao::edge::store::source::{SourceSystem, put_source};
use hoibao::edge::store::unit::{OperatorUnitRow, Unit, put_unit, replace_operator_units};
use hoibao::edge::store::{Command, Store, StoreError, Tx, operator};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const ACCOUNT: &str = "bench";
pub(crate) const SOURCE: &str = "bench";
pub(crate) const SECRET: &str = "a-path-that-nobody-guesses";
const UNIT_SET: &str = "vn-2026-04";
const LEVELS: [(&str, &str, &str, Option<&str>); 2] = [
    ("province", "22", "Tỉnh Quảng Ninh", None),
    ("commune", "06688", "Phường Hạ Long", Some("22")),
];

pub(crate) struct SetUp {
    account: Account,
    now: Timestamp,
}

impl SetUp {
    /// For an operator at this address.
    pub(crate) fn new(
        store: &Store,
        carrier: &dyn Carrier,
        base_url: &str,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let id = AccountId::from_bytes([1; 16]);
        let account = Account {
            id,
            code: ACCOUNT.to_owned(),
            adapter: carrier.adapter().to_owned(),
            base_url: base_url.to_owned(),
            settings: [("customer_code".to_owned(), "C000000001".to_owned())].into(),
            capabilities: carrier.default_capabilities(),
            secret_sealed: Account::seal_login(store, id, "bench", "bench")?,
            callback_secret_hash: Sha256::digest(SECRET.as_bytes()).into(),
            // The account's rate is not what is measured.
            rate_per_minute: 60_000_000,
            rate_burst: 1_000_000,
            active: true,
        };
        Ok(Self { account, now })
    }
}

impl Command for SetUp {
    const NAME: &'static str = "bench_set_up";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        put_account(tx, &self.account).await?;
        let office = Office {
            id: OfficeId::from_bytes([2; 16]),
            code: "HL01".to_owned(),
            name: "Trung tâm".to_owned(),
            valid_from: Timestamp::from_ms(0),
            valid_to: None,
            successor: None,
            account: Some(self.account.id),
            sender_name: "Trung tâm".to_owned(),
            sender_phone: "0203000000".to_owned(),
            sender_line: "Trụ sở".to_owned(),
            unit_set: UNIT_SET.to_owned(),
            province_code: "22".to_owned(),
            commune_code: "06688".to_owned(),
            paper_first: false,
        };
        put_office(tx, &office).await?;
        let procedure = Procedure {
            code: "1.004227".to_owned(),
            name: "Thủ tục".to_owned(),
            by_post: true,
            receiver_policy: "addressee_or_authorised".to_owned(),
            takes_back_old: false,
        };
        put_procedure(tx, &procedure).await?;
        let source = SourceSystem {
            id: SourceId::from_bytes([3; 16]),
            code: SOURCE.to_owned(),
            name: SOURCE.to_owned(),
            status_map: "national".to_owned(),
        };
        put_source(tx, &source, self.now).await?;
        let mut rows = Vec::new();
        for (level, code, name, parent) in LEVELS {
            let unit = Unit {
                unit_set: UNIT_SET.to_owned(),
                code: code.to_owned(),
                level: level.to_owned(),
                name: name.to_owned(),
                parent_code: parent.map(str::to_owned),
            };
            put_unit(tx, &unit, Timestamp::from_ms(0)).await?;
            let row = OperatorUnitRow {
                code: code.to_owned(),
                name: name.to_owned(),
                parent_code: parent.unwrap_or_default().to_owned(),
            };
            rows.push((level.to_owned(), row));
        }
        replace_operator_units(tx, self.account.id, "new", &rows).await?;
        operator::set_units_loaded(tx, self.account.id, self.now).await
    }
}

/// The n-th dossier's code.
pub(crate) fn code(number: u32) -> String {
    format!("000.12.20.H49-261101-{number:05}")
}

fn addressee() -> Value {
    json!({
        "name": "Nguyễn Thị Thử", "phone": "0900000123", "line": "Số 5, ngõ 12, khu 3",
        "commune": {"set": UNIT_SET, "code": "06688"}, "province": {"set": UNIT_SET, "code": "22"},
    })
}

/// A finished dossier that returns by post.
pub(crate) fn dossier(now: Timestamp) -> Value {
    let days = |days: i64| now.plus_ms(days * 86_400_000).to_rfc3339();
    json!({
        "status": "9", "status_at": days(-3), "procedure": "1.004227", "receiving_office": "HL01", "return_by": "post",
        "submitted_by": "online", "received_at": days(-20), "due_at": days(2), "finished_at": days(-3),
        "addressee": addressee(),
    })
}

/// A registration of the n-th dossier's result.
pub(crate) fn shipment(number: u32) -> Value {
    json!({
        "items": [{"dossier": code(number)}], "sending_office": "HL01", "addressee": addressee(),
        "weight_grams": 50, "collect_dong": 0, "postage_payer": "citizen",
    })
}

/// A callback about an order, as the operator writes it.
pub(crate) fn callback(number: u32) -> String {
    json!({
        "data": [{
            "orderHdrID": number.to_string(), "itemCode": format!("CA{number:09}VN"),
            "saleOrderCode": code(number), "status": "10", "statusName": "Đang vận chuyển",
        }],
        "sendDate": "25/11/2026 09:00:00", "signature": "",
    })
    .to_string()
}
