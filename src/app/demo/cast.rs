//! Room `app::demo`: offices, people, procedures, systems, units and the operator account of the demo.
//!
//! In: the operator's address. Out: rows through the store's own functions in one transaction, and the identifiers that
//! the clerk acts with. Deliberately not here: dossiers.

use super::places::{CENTRES, PROVINCE};
use super::plan::SOURCES;
use super::procedures::PROCEDURES;
use crate::domain::id::{AccountId, Ids, OfficeId, SourceId, StaffId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::edge::carrier::Carrier;
use crate::edge::carrier::myvnpost::ADAPTER;
use crate::edge::store::account::{Account, put_account};
use crate::edge::store::reference::{
    Office, Procedure, Staff, give_role, put_office, put_procedure, put_staff,
};
use crate::edge::store::source::{SourceSystem, put_source};
use crate::edge::store::unit::put_unit;
use crate::edge::store::{Command, Store, StoreError, Tx};
use crate::stage::import::units::{self, SET_NOW};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Code of the operator account.
pub(super) const ACCOUNT: &str = "bcci";
/// Log-in and customer code of the simulated operator's only customer.
pub(super) const USERNAME: &str = "demo";
pub(super) const CUSTOMER: &str = "C000000001";
/// Status map of both systems.
const STATUS_MAP: &str = "national";

/// Who acts, and for what.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub(super) account: AccountId,
    pub(super) sources: Vec<SourceId>,
    /// One office per centre, in the same order.
    pub(super) offices: Vec<OfficeId>,
    /// One clerk per centre, who is also its dispatcher.
    pub(super) clerks: Vec<StaffId>,
    /// One second person for all centres.
    pub(super) second: StaffId,
}

impl Cast {
    /// New identifiers for everybody.
    pub(super) fn new(ids: &dyn Ids) -> Self {
        Self {
            account: AccountId::new(ids),
            sources: SOURCES.iter().map(|_| SourceId::new(ids)).collect(),
            offices: CENTRES.iter().map(|_| OfficeId::new(ids)).collect(),
            clerks: CENTRES.iter().map(|_| StaffId::new(ids)).collect(),
            second: StaffId::new(ids),
        }
    }
}

/// How the operator is reached.
#[derive(Debug)]
pub(super) struct OperatorDoor {
    pub(super) base_url: String,
    pub(super) password: Secret<String>,
    pub(super) callback_secret: Secret<String>,
}

/// Writes the whole set-up.
pub(super) struct SetUp {
    pub(super) cast: Cast,
    pub(super) account: Account,
    pub(super) from: Timestamp,
}

impl SetUp {
    /// The set-up for an operator.
    pub(super) fn new(
        store: &Store,
        carrier: &dyn Carrier,
        cast: &Cast,
        door: &OperatorDoor,
        from: Timestamp,
    ) -> Result<Self, StoreError> {
        let settings = [
            ("customer_code", CUSTOMER),
            ("contract_code", "C000000001_HD1"),
            ("send_type", "1"),
            ("submit_timeout_ms", "1500"),
            ("read_timeout_ms", "1500"),
            ("list_timeout_ms", "10000"),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let account = Account {
            id: cast.account,
            code: ACCOUNT.to_owned(),
            adapter: ADAPTER.to_owned(),
            base_url: door.base_url.clone(),
            settings: settings.map(text).into_iter().collect::<BTreeMap<_, _>>(),
            capabilities: carrier.default_capabilities(),
            secret_sealed: Account::seal_login(store, cast.account, USERNAME, door.password.expose())?,
            callback_secret_hash: Sha256::digest(door.callback_secret.expose().as_bytes()).into(),
            rate_per_minute: 6_000,
            rate_burst: 600,
            active: true,
        };
        Ok(Self {
            cast: cast.clone(),
            account,
            from,
        })
    }

    async fn offices(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let ids = self.cast.offices.iter().zip(&self.cast.clerks);
        for (number, (centre, (office, clerk))) in CENTRES.iter().zip(ids).enumerate() {
            let row = Office {
                id: *office,
                code: centre.code.to_owned(),
                name: centre.name.to_owned(),
                valid_from: self.from,
                valid_to: None,
                successor: None,
                account: Some(self.cast.account),
                sender_name: centre.name.to_owned(),
                sender_phone: format!("02030000{number:03}"),
                sender_line: "Trụ sở trung tâm".to_owned(),
                unit_set: SET_NOW.to_owned(),
                province_code: PROVINCE.to_owned(),
                commune_code: centre.commune.to_owned(),
                paper_first: true,
            };
            put_office(tx, &row).await?;
            let person = Staff {
                id: *clerk,
                login: format!("canbo-{}", centre.code),
                display_name: format!("Cán bộ một cửa {} (giả lập)", number + 1),
                active: true,
            };
            put_staff(tx, &person).await?;
            for role in ["clerk", "dispatcher"] {
                give_role(tx, *clerk, *office, role, self.from).await?;
            }
        }
        let second = Staff {
            id: self.cast.second,
            login: "lanhdao-demo".to_owned(),
            display_name: "Lãnh đạo trung tâm (giả lập)".to_owned(),
            active: true,
        };
        put_staff(tx, &second).await?;
        for office in &self.cast.offices {
            for role in ["leader", "clerk"] {
                give_role(tx, self.cast.second, *office, role, self.from).await?;
            }
        }
        Ok(())
    }
}

impl Command for SetUp {
    const NAME: &'static str = "demo_set_up";
    type Output = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        // A test of the list that comes with the program rules out that it cannot be read.
        for set in units::built_in().unwrap_or_default() {
            for unit in &set.units {
                put_unit(tx, unit, self.from).await?;
            }
        }
        put_account(tx, &self.account).await?;
        self.offices(tx).await?;
        for procedure in &PROCEDURES {
            let row = Procedure {
                code: procedure.code.to_owned(),
                name: procedure.name.to_owned(),
                by_post: procedure.by_post,
                receiver_policy: procedure.policy.to_owned(),
                takes_back_old: procedure.takes_back_old,
            };
            put_procedure(tx, &row).await?;
        }
        for ((code, name), id) in SOURCES.iter().zip(&self.cast.sources) {
            let source = SourceSystem {
                id: *id,
                code: (*code).to_owned(),
                name: (*name).to_owned(),
                status_map: STATUS_MAP.to_owned(),
            };
            put_source(tx, &source, self.from).await?;
        }
        Ok(())
    }
}
