//! Room `edge::store`: what an installation is set up with: offices, people, procedures.
//!
//! In: values. Out: values. Deliberately not here: who may change
//! them (`stage`).

use super::{Row, StoreError, Tx, args, sql};
use crate::domain::id::{AccountId, OfficeId, StaffId};
use crate::domain::time::Timestamp;

/// An office with its sender block.
#[derive(Clone, Debug)]
pub struct Office {
    /// Identifier.
    pub id: OfficeId,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
    /// First instant of its validity.
    pub valid_from: Timestamp,
    /// First instant after it.
    pub valid_to: Option<Timestamp>,
    /// Office that took over.
    pub successor: Option<OfficeId>,
    /// Operator account it sends by.
    pub account: Option<AccountId>,
    /// Sender block: name.
    pub sender_name: String,
    /// Sender block: telephone.
    pub sender_phone: String,
    /// Sender block: street line.
    pub sender_line: String,
    /// Sender block: set of the codes below.
    pub unit_set: String,
    /// Sender block: national province code.
    pub province_code: String,
    /// Sender block: national commune code.
    pub commune_code: String,
    /// An order is sent only when the paper was scanned in.
    pub paper_first: bool,
}

impl Office {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id", OfficeId::from_bytes)?,
            code: row.text("code")?,
            name: row.text("name")?,
            valid_from: row.at("valid_from_at")?,
            valid_to: row.opt_at("valid_to_at")?,
            successor: row.opt_id("successor_id", OfficeId::from_bytes)?,
            account: row.opt_id("account_id", AccountId::from_bytes)?,
            sender_name: row.text("sender_name")?,
            sender_phone: row.text("sender_phone")?,
            sender_line: row.text("sender_line")?,
            unit_set: row.text("sender_unit_set")?,
            province_code: row.text("sender_province_code")?,
            commune_code: row.text("sender_commune_code")?,
            paper_first: row.flag("paper_first")?,
        })
    }

    /// Whether the office is in force at an instant.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.valid_from <= at && self.valid_to.is_none_or(|end| at < end)
    }
}

/// Writes an office; one of the same code keeps its identifier and takes the new values.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_office(tx: &mut Tx, office: &Office) -> Result<(), StoreError> {
    let values = args![
        office.id,
        &office.code,
        &office.name,
        office.valid_from,
        office.valid_to,
        office.successor,
        office.account,
        &office.sender_name,
        &office.sender_phone,
        &office.sender_line,
        &office.unit_set,
        &office.province_code,
        &office.commune_code,
        office.paper_first,
    ];
    tx.execute(sql!("office" / "upsert"), values).await.map(drop)
}

/// An office by its code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn office_by_code(tx: &mut Tx, code: &str) -> Result<Option<Office>, StoreError> {
    tx.row(sql!("office" / "by_code"), args![code])
        .await?
        .as_ref()
        .map(Office::read)
        .transpose()
}

/// An office by its identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn office(tx: &mut Tx, id: OfficeId) -> Result<Option<Office>, StoreError> {
    tx.row(sql!("office" / "find"), args![id])
        .await?
        .as_ref()
        .map(Office::read)
        .transpose()
}

/// A member of staff.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Identifier.
    pub id: StaffId,
    /// Work login.
    pub login: String,
    /// Name shown beside acts.
    pub display_name: String,
    /// May act.
    pub active: bool,
}

/// Writes a member of staff; one of the same login keeps the identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_staff(tx: &mut Tx, staff: &Staff) -> Result<(), StoreError> {
    let values = args![staff.id, &staff.login, &staff.display_name, staff.active];
    tx.execute(sql!("staff" / "upsert"), values).await.map(drop)
}

/// A member of staff by login.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn staff_by_login(tx: &mut Tx, login: &str) -> Result<Option<Staff>, StoreError> {
    let Some(row) = tx.row(sql!("staff" / "by_login"), args![login]).await? else {
        return Ok(None);
    };
    Ok(Some(Staff {
        id: row.id("id", StaffId::from_bytes)?,
        login: row.text("login")?,
        display_name: row.text("display_name")?,
        active: row.flag("active")?,
    }))
}

/// Gives a role.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn give_role(
    tx: &mut Tx,
    staff: StaffId,
    office: OfficeId,
    role: &str,
    from: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(sql!("staff_role" / "insert"), args![staff, office, role, from])
        .await
        .map(drop)
}

/// Roles in force at an instant, by office.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn roles(
    tx: &mut Tx,
    staff: StaffId,
    at: Timestamp,
) -> Result<Vec<(OfficeId, String)>, StoreError> {
    let rows = tx.rows(sql!("staff_role" / "list"), args![staff, at]).await?;
    rows.iter()
        .map(|row| Ok((row.id("office_id", OfficeId::from_bytes)?, row.text("role")?)))
        .collect()
}

/// A role at an office for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRole {
    /// Where.
    pub office: OfficeId,
    /// Its word.
    pub role: String,
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Option<Timestamp>,
}

/// Writes a role; one that began at the same instant takes the new end.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_role(tx: &mut Tx, staff: StaffId, held: &HeldRole) -> Result<(), StoreError> {
    let values = args![staff, held.office, &held.role, held.from, held.until];
    tx.execute(sql!("staff_role" / "upsert"), values).await.map(drop)
}

/// Every role a member of staff has, had or will have.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn roles_of(tx: &mut Tx, staff: StaffId) -> Result<Vec<HeldRole>, StoreError> {
    let rows = tx.rows(sql!("staff_role" / "of_staff"), args![staff]).await?;
    rows.iter()
        .map(|row| {
            Ok(HeldRole {
                office: row.id("office_id", OfficeId::from_bytes)?,
                role: row.text("role")?,
                from: row.at("valid_from_at")?,
                until: row.opt_at("valid_to_at")?,
            })
        })
        .collect()
}

/// An administrative procedure.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// The result may be returned by post.
    pub by_post: bool,
    /// `addressee_only`, `addressee_or_authorised` or `household`.
    pub receiver_policy: String,
    /// An old paper is taken back on delivery.
    pub takes_back_old: bool,
}

/// Writes a procedure.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_procedure(tx: &mut Tx, procedure: &Procedure) -> Result<(), StoreError> {
    let values = args![
        &procedure.code,
        &procedure.name,
        procedure.by_post,
        &procedure.receiver_policy,
        procedure.takes_back_old,
    ];
    tx.execute(sql!("procedure" / "upsert"), values).await.map(drop)
}

/// A procedure by code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn procedure(tx: &mut Tx, code: &str) -> Result<Option<Procedure>, StoreError> {
    let Some(row) = tx.row(sql!("procedure" / "find"), args![code]).await? else {
        return Ok(None);
    };
    Ok(Some(Procedure {
        code: row.text("code")?,
        name: row.text("name")?,
        by_post: row.flag("by_post")?,
        receiver_policy: row.text("receiver_policy")?,
        takes_back_old: row.flag("takes_back_old")?,
    }))
}

/// The next short number of a civil year, from 1.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn next_short_number(tx: &mut Tx, year: i64) -> Result<i64, StoreError> {
    let row = tx.row(sql!("short_number" / "next"), args![year]).await?;
    row.ok_or(StoreError::Corrupt {
        place: "short_number",
    })?
    .int("last")
}
