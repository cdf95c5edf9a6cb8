//! Room `stage`, import: what a set-up file changes.
//!
//! In: what is wanted, and the rows that stand. Out: the rows that differ, each with the names of what differs, or every
//! fault. No value stands in a difference. Deliberately not here: writing (`write`).

use super::SetupError;
use super::check::{SetupFault, SetupWord, Wanted, WantedAccount, WantedOffice, WantedStaff, at};
use crate::domain::id::{AccountId, OfficeId, SourceId, StaffId};
use crate::edge::store::account::{Account, account_by_code};
use crate::edge::store::reference::{
    HeldRole, Office, Procedure, Staff, office, office_by_code, procedure, roles_of, staff_by_login,
};
use crate::edge::store::source::{SourceSystem, source_by_code};
use crate::edge::store::{StoreError, Tx, unit};
use crate::stage::context::Context;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// An operator account.
    Account,
    /// An office.
    Office,
    /// A procedure.
    Procedure,
    /// A dossier system.
    Source,
    /// A member of staff, with the roles.
    Staff,
}

impl Thing {
    /// Its word: the table of the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Office => "office",
            Self::Procedure => "procedure",
            Self::Source => "source",
            Self::Staff => "staff",
        }
    }
}

/// One row that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub thing: Thing,
    /// Its code or login.
    pub code: String,
    /// It was not there.
    pub new: bool,
    /// Names of what differs; empty for a new one.
    pub differs: Vec<&'static str>,
}

/// A row to be written.
pub(super) enum Row {
    Account(Account),
    Office(Office),
    Procedure(Procedure),
    Source(SourceSystem),
    Staff(Staff, Vec<HeldRole>),
}

/// Everything to be written, in the order of the file's kinds.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) rows: Vec<(Change, Row)>,
}

impl Plan {
    pub(super) fn changes(&self) -> Vec<Change> {
        self.rows.iter().map(|(change, _)| change.clone()).collect()
    }

    fn add(&mut self, thing: Thing, code: &str, differs: Option<Vec<&'static str>>, row: Row) {
        if differs.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let change = Change {
            thing,
            code: code.to_owned(),
            new: differs.is_none(),
            differs: differs.unwrap_or_default(),
        };
        self.rows.push((change, row));
    }
}

/// Names of those pairs that differ.
fn differing(pairs: &[(&'static str, bool)]) -> Vec<&'static str> {
    pairs
        .iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| *name)
        .collect()
}

/// Compares; every fault, those known before among them.
pub(super) async fn plan(
    context: &Context,
    tx: &mut Tx,
    wanted: &Wanted,
    faults: Vec<SetupFault>,
) -> Result<Plan, SetupError> {
    let mut planner = Planner {
        context,
        faults,
        plan: Plan::default(),
        accounts: BTreeMap::new(),
        offices: BTreeMap::new(),
    };
    for it in &wanted.accounts {
        planner.account(tx, it).await?;
    }
    planner.offices(tx, &wanted.offices).await?;
    for it in &wanted.procedures {
        planner.procedure(tx, it).await?;
    }
    for it in &wanted.sources {
        let known = source_by_code(tx, &it.code).await?;
        let row = SourceSystem {
            id: known
                .as_ref()
                .map_or_else(|| SourceId::new(&*context.ids), |known| known.id),
            code: it.code.clone(),
            name: it.name.clone(),
            status_map: it.status_map.clone(),
        };
        let differs = known.map(|known| {
            differing(&[
                ("name", known.name == row.name),
                ("status_map", known.status_map == row.status_map),
            ])
        });
        planner
            .plan
            .add(Thing::Source, &it.code, differs, Row::Source(row));
    }
    for it in &wanted.staff {
        planner.staff(tx, it).await?;
    }
    if planner.faults.is_empty() {
        Ok(planner.plan)
    } else {
        planner.faults.sort();
        Err(SetupError::Refused(planner.faults))
    }
}

struct Planner<'a> {
    context: &'a Context,
    faults: Vec<SetupFault>,
    plan: Plan,
    /// Accounts of the file, by code.
    accounts: BTreeMap<String, AccountId>,
    /// Offices of the file, by code.
    offices: BTreeMap<String, OfficeId>,
}

impl Planner<'_> {
    async fn account(&mut self, tx: &mut Tx, it: &WantedAccount) -> Result<(), StoreError> {
        let store = &self.context.store;
        let known = account_by_code(tx, &it.code).await?;
        let id = known
            .as_ref()
            .map_or_else(|| AccountId::new(&*self.context.ids), |known| known.id);
        self.accounts.insert(it.code.clone(), id);
        if known.as_ref().is_some_and(|known| known.adapter != it.adapter) {
            at("account", &it.code, &mut self.faults).fault("adapter", SetupWord::AdapterFixed);
            return Ok(());
        }
        let login = known.as_ref().map(|known| known.open_login(store)).transpose()?;
        let same_login = login.is_some_and(|(username, password)| {
            username == *it.username.expose() && it.password.matches(password.as_bytes())
        });
        let callback_secret_hash: [u8; 32] = Sha256::digest(it.callback_secret.expose().as_bytes()).into();
        let secret_sealed = match &known {
            // Sealed anew it would be other bytes.
            Some(known) if same_login => known.secret_sealed.clone(),
            Some(_) | None => Account::seal_login(store, id, it.username.expose(), it.password.expose())?,
        };
        let row = Account {
            id,
            code: it.code.clone(),
            adapter: it.adapter.clone(),
            base_url: it.base_url.clone(),
            settings: it.settings.clone(),
            capabilities: it.capabilities.clone(),
            secret_sealed,
            callback_secret_hash,
            rate_per_minute: it.rate_per_minute,
            rate_burst: it.rate_burst,
            active: it.active,
        };
        let differs = known.map(|known| {
            differing(&[
                ("base_url", known.base_url == row.base_url),
                ("settings", known.settings == row.settings),
                ("capabilities", known.capabilities == row.capabilities),
                ("login", same_login),
                (
                    "callback_secret",
                    known.callback_secret_hash == row.callback_secret_hash,
                ),
                ("rate_per_minute", known.rate_per_minute == row.rate_per_minute),
                ("rate_burst", known.rate_burst == row.rate_burst),
                ("active", known.active == row.active),
            ])
        });
        self.plan
            .add(Thing::Account, &it.code, differs, Row::Account(row));
        Ok(())
    }

    async fn offices(&mut self, tx: &mut Tx, wanted: &[WantedOffice]) -> Result<(), StoreError> {
        let mut known = BTreeMap::new();
        for it in wanted {
            let row = office_by_code(tx, &it.code).await?;
            let id = row
                .as_ref()
                .map_or_else(|| OfficeId::new(&*self.context.ids), |row| row.id);
            self.offices.insert(it.code.clone(), id);
            known.insert(&it.code, row);
        }
        let mut successors = BTreeMap::new();
        for it in wanted {
            let row = self.office(tx, it).await?;
            successors.insert(row.id, row.successor);
            let differs = known.get(&it.code).and_then(Option::as_ref);
            let differs = differs.map(|known| office_differs(known, &row));
            self.plan.add(Thing::Office, &it.code, differs, Row::Office(row));
        }
        for it in wanted {
            let mut next = self.offices.get(&it.code).copied();
            let mut steps = 0;
            while let Some(id) = next {
                next = match successors.get(&id) {
                    Some(successor) => *successor,
                    None => office(tx, id).await?.and_then(|row| row.successor),
                };
                steps += 1;
                if steps > wanted.len() + 100 {
                    at("office", &it.code, &mut self.faults).fault("successor", SetupWord::SuccessorCircle);
                    break;
                }
            }
        }
        Ok(())
    }

    async fn office(&mut self, tx: &mut Tx, it: &WantedOffice) -> Result<Office, StoreError> {
        let id = self.office_id(tx, &it.code).await?;
        let mut faults = Vec::new();
        let mut place = at("office", &it.code, &mut faults);
        let successor = match &it.successor {
            None => None,
            Some(code) => {
                let found = self.office_id(tx, code).await?;
                if found.is_none() {
                    place.fault("successor", SetupWord::OfficeUnknown);
                }
                found
            }
        };
        let account = match &it.account {
            None => None,
            Some(code) => {
                let found = match self.accounts.get(code) {
                    Some(id) => Some(*id),
                    None => account_by_code(tx, code).await?.map(|row| row.id),
                };
                if found.is_none() {
                    place.fault("account", SetupWord::AccountUnknown);
                }
                found
            }
        };
        let province = unit::unit(tx, &it.unit_set, "province", &it.province).await?;
        if province.is_none() {
            place.fault("sender.province", SetupWord::UnitUnknown);
        }
        match unit::unit(tx, &it.unit_set, "commune", &it.commune).await? {
            None => place.fault("sender.commune", SetupWord::UnitUnknown),
            Some(unit) if unit.parent_code.as_ref() != Some(&it.province) => {
                place.fault("sender.commune", SetupWord::CommuneNotOfProvince);
            }
            Some(_) => {}
        }
        self.faults.append(&mut faults);
        Ok(Office {
            id: id.unwrap_or_else(|| OfficeId::new(&*self.context.ids)),
            code: it.code.clone(),
            name: it.name.clone(),
            valid_from: it.valid_from,
            valid_to: it.valid_to,
            successor,
            account,
            sender_name: it.sender_name.clone(),
            sender_phone: it.sender_phone.clone(),
            sender_line: it.sender_line.clone(),
            unit_set: it.unit_set.clone(),
            province_code: it.province.clone(),
            commune_code: it.commune.clone(),
            paper_first: it.paper_first,
        })
    }

    /// An office of the file or of the store.
    async fn office_id(&self, tx: &mut Tx, code: &str) -> Result<Option<OfficeId>, StoreError> {
        match self.offices.get(code) {
            Some(id) => Ok(Some(*id)),
            None => Ok(office_by_code(tx, code).await?.map(|row| row.id)),
        }
    }

    async fn procedure(&mut self, tx: &mut Tx, it: &Procedure) -> Result<(), StoreError> {
        let differs = procedure(tx, &it.code).await?.map(|known| {
            differing(&[
                ("name", known.name == it.name),
                ("by_post", known.by_post == it.by_post),
                ("receiver_policy", known.receiver_policy == it.receiver_policy),
                ("takes_back_old", known.takes_back_old == it.takes_back_old),
            ])
        });
        self.plan
            .add(Thing::Procedure, &it.code, differs, Row::Procedure(it.clone()));
        Ok(())
    }

    async fn staff(&mut self, tx: &mut Tx, it: &WantedStaff) -> Result<(), StoreError> {
        let known = staff_by_login(tx, &it.login).await?;
        let id = known
            .as_ref()
            .map_or_else(|| StaffId::new(&*self.context.ids), |known| known.id);
        let held = match &known {
            None => Vec::new(),
            Some(known) => roles_of(tx, known.id).await?,
        };
        let mut roles = Vec::new();
        for role in &it.roles {
            let Some(office) = self.office_id(tx, &role.office).await? else {
                let key = format!("role at {}", role.office);
                at("staff", &it.login, &mut self.faults).fault(&key, SetupWord::OfficeUnknown);
                continue;
            };
            let wanted = HeldRole {
                office,
                role: role.role.as_str().to_owned(),
                from: role.from,
                until: role.until,
            };
            if !held.contains(&wanted) {
                roles.push(wanted);
            }
        }
        let row = Staff {
            id,
            login: it.login.clone(),
            display_name: it.name.clone(),
            active: it.active,
        };
        let differs = known.map(|known| {
            differing(&[
                ("name", known.display_name == row.display_name),
                ("active", known.active == row.active),
                ("role", roles.is_empty()),
            ])
        });
        self.plan
            .add(Thing::Staff, &it.login, differs, Row::Staff(row, roles));
        Ok(())
    }
}

fn office_differs(known: &Office, row: &Office) -> Vec<&'static str> {
    differing(&[
        ("name", known.name == row.name),
        ("valid_from", known.valid_from == row.valid_from),
        ("valid_to", known.valid_to == row.valid_to),
        ("successor", known.successor == row.successor),
        ("account", known.account == row.account),
        ("paper_first", known.paper_first == row.paper_first),
        ("sender.name", known.sender_name == row.sender_name),
        ("sender.phone", known.sender_phone == row.sender_phone),
        ("sender.line", known.sender_line == row.sender_line),
        ("sender.unit_set", known.unit_set == row.unit_set),
        ("sender.province", known.province_code == row.province_code),
        ("sender.commune", known.commune_code == row.commune_code),
    ])
}
