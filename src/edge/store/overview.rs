//! Room `edge::store`: what an installation is set up with, counted.
//!
//! In: now. Out: [`Overview`]. Deliberately not here: what is missing (whoever asks).

use super::{StoreError, Tx, args, sql};
use crate::domain::time::Timestamp;

/// Counts of the set-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Offices in force or to come.
    pub offices: u32,
    /// Of them, without an operator account.
    pub offices_without_account: u32,
    /// Procedures whose result may go by post.
    pub procedures_by_post: u32,
    /// Members of staff who may act.
    pub staff: u32,
    /// Dossier systems.
    pub sources: u32,
    /// Of them, without an API key in force.
    pub sources_without_key: u32,
    /// Of them, without a receiver of events.
    pub sources_without_endpoint: u32,
    /// Imports that were cut off or are going on.
    pub imports_unfinished: u32,
}

/// Counts.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn overview(tx: &mut Tx, now: Timestamp) -> Result<Overview, StoreError> {
    let row = tx.row(sql!("office" / "overview"), args![now]).await?;
    let row = row.ok_or(StoreError::Corrupt { place: "overview" })?;
    Ok(Overview {
        offices: row.count("offices")?,
        offices_without_account: row.count("offices_without_account")?,
        procedures_by_post: row.count("procedures_by_post")?,
        staff: row.count("staff")?,
        sources: row.count("sources")?,
        sources_without_key: row.count("sources_without_key")?,
        sources_without_endpoint: row.count("sources_without_endpoint")?,
        imports_unfinished: row.count("imports_unfinished")?,
    })
}
