//! Room `edge::store`: whether a person may act for an office at a time.
//!
//! In: person, office, instant. Out: roles in force. Deliberately not here: which act asks for which role (`stage`).

use super::{StoreError, Tx, args, sql};
use crate::domain::id::{OfficeId, StaffId};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;

/// Whether an active member of staff has one of `wanted` at an office at an instant.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn may_act(
    tx: &mut Tx,
    (staff, office): (StaffId, OfficeId),
    at: Timestamp,
    wanted: &[Role],
) -> Result<bool, StoreError> {
    let rows = tx
        .rows(sql!("staff" / "may_act"), args![staff, office, at])
        .await?;
    for row in rows {
        if Role::parse(&row.text("role")?).is_some_and(|role| wanted.contains(&role)) {
            return Ok(true);
        }
    }
    Ok(false)
}
