//! Room `app::demo`: the operator's own books, read by somebody who trusts neither the gateway nor its tables.
//!
//! In: the operator's ledger and the list of what the gateway acknowledged, both files. Out: every shipment with more
//! than one living order, and every order that nobody may have placed. Deliberately not here: any import of the store,
//! of a stage or of an adapter.

use super::error::DemoError;
use crate::simulator::{LedgerSummary, read_ledger};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What the two files say together.
#[derive(Debug)]
pub(super) struct Books {
    /// Identifier and reference of every acknowledged shipment, in order.
    pub(super) acknowledged: Vec<(String, String)>,
    /// The operator's orders.
    pub(super) ledger: LedgerSummary,
    /// Orders accepted, cancelled ones among them.
    pub(super) orders: usize,
    /// Orders alive.
    pub(super) live: usize,
    /// References with more than one living order.
    pub(super) doubled: Vec<String>,
    /// References of orders that no acknowledged shipment has.
    pub(super) strange: Vec<String>,
    /// Two shipments were given the same reference.
    pub(super) shared: usize,
}

/// Reads both files.
pub(super) fn read(ledger: &Path, acknowledged: &Path) -> Result<Books, DemoError> {
    let ledger = read_ledger(ledger)?;
    let mut list = Vec::new();
    let mut by_reference: BTreeMap<String, usize> = BTreeMap::new();
    for line in std::fs::read_to_string(acknowledged)?.lines() {
        let line: Value =
            serde_json::from_str(line).map_err(|_form| DemoError::Confused("a line of the notes"))?;
        let text = |key: &str| {
            line.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        *by_reference.entry(text("reference")).or_default() += 1;
        list.push((text("id"), text("reference")));
    }
    let doubled = ledger.sales.iter().filter(|(_, sale)| sale.live() > 1);
    let doubled = doubled.map(|(code, _)| code.clone()).collect();
    let strange = ledger
        .sales
        .iter()
        .filter(|(code, sale)| !sale.orders.is_empty() && !by_reference.contains_key(*code));
    let strange = strange.map(|(code, _)| code.clone()).collect();
    Ok(Books {
        orders: ledger.sales.values().map(|sale| sale.orders.len()).sum(),
        live: ledger.live(),
        doubled,
        strange,
        shared: by_reference.values().filter(|count| **count > 1).count(),
        acknowledged: list,
        ledger,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(code: &str, id: u64) -> String {
        let order =
            format!("{{\"sale_order_code\":\"{code}\",\"item_code\":\"X{id}\",\"original_id\":{id}}}");
        format!("{{\"kind\":\"accepted\",\"at\":1,\"order\":{order},\"body_sha256\":\"\",\"late\":false}}\n")
    }

    /// A second living order, an order of nobody and a shared reference are each found; a cancelled one is no second.
    #[test]
    fn doubles_and_strangers_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, notes) = (folder.path().join("ledger"), folder.path().join("notes"));
        let cancelled = "{\"kind\":\"cancelled\",\"at\":2,\"order\":{\"sale_order_code\":\"C\",\"item_code\":\"X4\",\
                         \"original_id\":4}}\n";
        let lines =
            [("A", 1), ("B", 2), ("B", 3), ("C", 4), ("C", 5), ("D", 6)].map(|(code, id)| accepted(code, id));
        std::fs::write(&ledger, format!("{}{cancelled}", lines.concat())).unwrap();
        let known =
            ["A", "B", "C", "C"].map(|code| format!("{{\"id\":\"{code}\",\"reference\":\"{code}\"}}\n"));
        std::fs::write(&notes, known.concat()).unwrap();
        let books = read(&ledger, &notes).unwrap();
        assert_eq!((books.orders, books.live, books.shared), (6, 5, 1));
        assert_eq!(books.doubled, ["B"]);
        assert_eq!(books.strange, ["D"]);
        assert_eq!(books.acknowledged.len(), 4);
    }
}
