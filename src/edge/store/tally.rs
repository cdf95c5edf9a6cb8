//! Room `edge::store`: counts over whole tables, for a summary of what happened.
//!
//! In: nothing. Out: how often each combination of words stands in a table. Never personal data. Deliberately not here:
//! what the words mean. Each count reads its whole table: for demos and audits, not for pages.

use super::{StoreError, Tx, args, sql};
use std::collections::BTreeMap;

/// Words of a row, an empty one where there is none, and how many rows have them.
pub type Tally = BTreeMap<[String; 3], u64>;

/// A table that can be counted up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Attempts by outcome, detail, and how a doubt was settled.
    Attempts,
    /// Shipments by state, why they are held, and what is odd: `contested`, `partial` or nothing.
    Shipments,
    /// Operator's events by what became of them, and why.
    Events,
    /// Stored answers and callbacks by door and state.
    Inbox,
    /// Callbacks refused at the door.
    RefusedCallbacks,
    /// Decisions by kind and state.
    Decisions,
    /// Events for dossier systems by state and kind of the last failure.
    Outbox,
    /// Dossiers by why record and world disagree; those that agree are not counted.
    Discrepancies,
}

/// Counts a table up.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn tally(tx: &mut Tx, counted: Counted) -> Result<Tally, StoreError> {
    let rows = match counted {
        Counted::Attempts => tx.rows(sql!("attempt" / "tally"), args![]).await?,
        Counted::Shipments => tx.rows(sql!("shipment" / "tally"), args![]).await?,
        Counted::Events => tx.rows(sql!("tracking_event" / "tally"), args![]).await?,
        Counted::Inbox => tx.rows(sql!("inbox" / "tally"), args![]).await?,
        Counted::RefusedCallbacks => tx.rows(sql!("refused_callback" / "tally"), args![]).await?,
        Counted::Decisions => tx.rows(sql!("decision" / "tally"), args![]).await?,
        Counted::Outbox => tx.rows(sql!("outbox" / "tally"), args![]).await?,
        Counted::Discrepancies => tx.rows(sql!("dossier" / "tally"), args![]).await?,
    };
    let mut tally = Tally::new();
    for row in &rows {
        let word = |column| row.opt_text(column).map(Option::unwrap_or_default);
        let words = [word("word_1")?, word("word_2")?, word("word_3")?];
        let number = u64::try_from(row.int("number")?).unwrap_or(0);
        *tally.entry(words).or_default() += number;
    }
    Ok(tally)
}
