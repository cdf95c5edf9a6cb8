//! Room `stage`, audit: comparing facts and columns.
//!
//! In: what follows from the journal, and what stands in the tables. Out: differences. Deliberately not here: folding.

use super::findings::{DifferenceKind, Findings, Named};
use crate::domain::journal::{Entry, Fields, Kind, Tag};
use crate::edge::store::audit::{AuditedRow, Cell, Cells, FactRow};
use std::collections::BTreeMap;

/// Compares the facts that entries of a kind state with those of a table, and reads them.
///
/// `read` gives the fact of an entry with whether its identity is that of its content; the fact's own fields must be
/// exactly the entry's.
pub(super) fn facts<F>(
    findings: &mut Findings<'_>,
    named: Named,
    (entries, kind): (&[Entry], Kind),
    rows: &[FactRow],
    read: impl Fn(&Entry) -> Option<(F, Fields, bool)>,
) -> Vec<F> {
    let mut told = Vec::new();
    let mut by_id: BTreeMap<&[u8], &Entry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == kind) {
        findings.audit.facts += 1;
        let fact = read(entry).filter(|(_, fields, _)| *fields == entry.fields);
        let (Some((fact, _, sound)), Some(id)) = (fact, entry.fields.get_bytes(Tag::FactId)) else {
            findings.whole(DifferenceKind::FactUnreadable, named, "fields");
            continue;
        };
        if !sound {
            findings.whole(DifferenceKind::FactIdentity, named, "fact_id");
        }
        if by_id.insert(id, entry).is_some() {
            findings.whole(DifferenceKind::EntryTwice, named, "fact_id");
        }
        told.push(fact);
    }
    for row in rows {
        match by_id.remove(row.fact_id.as_slice()) {
            Some(entry) => stored_fact(findings, named, entry, row),
            None => findings.whole(DifferenceKind::FactUnwritten, named, "fact_id"),
        }
    }
    for _missing in by_id {
        findings.whole(DifferenceKind::FactMissing, named, "fact_id");
    }
    told
}

/// A stored fact beside its entry.
fn stored_fact(findings: &mut Findings<'_>, named: Named, entry: &Entry, row: &FactRow) {
    let fields = entry.fields.to_bytes().unwrap_or_default();
    let mut pairs = vec![
        (
            "occurred_at",
            Cell::from(entry.occurred_at),
            Cell::from(row.occurred_at),
        ),
        (
            "map_version",
            Cell::from(entry.map_version),
            Cell::from(row.map_version),
        ),
        ("fields", Cell::Bytes(fields), Cell::Bytes(row.fields.clone())),
    ];
    if let Some(heard_at) = row.heard_at {
        pairs.push(("heard_at", Cell::from(entry.recorded_at), Cell::from(heard_at)));
    }
    for (column, journal, table) in &pairs {
        if journal != table {
            findings.add(DifferenceKind::FactChanged, named, column, (journal, table));
        }
    }
}

/// Compares a row with what it should be.
pub(super) fn row(findings: &mut Findings<'_>, named: Named, expected: &Cells, found: &AuditedRow) {
    for (column, journal) in expected {
        let table = found.cells.get(column).unwrap_or(&Cell::Null);
        if journal != table {
            findings.add(DifferenceKind::RowChanged, named, column, (journal, table));
        }
    }
}
