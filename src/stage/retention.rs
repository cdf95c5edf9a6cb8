//! Stage retention: what was kept for a time only is made unreadable when that time is over.
//!
//! In: record keys with a date (raw callbacks, staged imports). Out: keys destroyed, one journal entry per round. Rows
//! sealed under them stay and can never be opened again. Deliberately not here: erasure that a person orders.

use super::context::{Context, Tick};
use crate::domain::journal::{Fields, Kind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::store::{Command, StoreError, Tx, personal};
use std::sync::Arc;

/// Keys destroyed in one transaction.
const ROUND_MAX: u32 = 200;

/// One round.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn tick(context: &Arc<Context>) -> Result<Tick, StoreError> {
    let now = context.clock.now();
    let mut tx = context.store.snapshot().await?;
    let any = !personal::list_expired(&mut tx, now, 1).await?.is_empty();
    drop(tx);
    if !any {
        return Ok(Tick::default());
    }
    let expire = Expire {
        context: Arc::clone(context),
        now,
    };
    let done = context.store.submit(expire).await?;
    Ok(Tick { done, next_at: None })
}

struct Expire {
    context: Arc<Context>,
    now: Timestamp,
}

impl Command for Expire {
    const NAME: &'static str = "retention_expire";
    type Output = u32;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u32, StoreError> {
        let records = personal::list_expired(tx, self.now, ROUND_MAX).await?;
        for record in &records {
            personal::destroy(tx, *record, self.now).await?;
        }
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        if count > 0 {
            let hand = self.context.stage_hand(self.now, [0; 16]);
            let fields = Fields::new()
                .int(Tag::Count, i64::from(count))
                .ascii(Tag::Word, "expired");
            hand.append_system(tx, Kind::PersonalDataErased, fields).await?;
        }
        Ok(count)
    }
}
