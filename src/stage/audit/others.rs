//! Room `stage`, audit: entries about anything but shipments and dossiers.
//!
//! In: the rest of the journal. Out: entries that cannot be read, that were changed or removed, that do not belong. An
//! entry about the installation has no sequence: that one of them was removed cannot be seen before the journal is
//! sealed. Deliberately not here: what such entries describe.

use super::findings::{DifferenceKind, Findings, Named};
use super::history::{History, belongs, read_entry};
use super::stream::{Entries, Stream};
use crate::domain::journal::SubjectKind;
use crate::edge::store::audit::{self, Cell};
use crate::edge::store::{StoreError, Tx};

/// Entries without a sequence read at one time.
const PAGE_ROWS: u32 = 500;

/// Walks through the rest.
pub(super) async fn walk(tx: &mut Tx, findings: &mut Findings<'_>) -> Result<(), StoreError> {
    for kind in [SubjectKind::Account, SubjectKind::Source, SubjectKind::Office] {
        let mut entries = Stream::new(Entries(kind));
        while let Some(subject) = entries.next_subject(tx).await? {
            let told = entries.take(tx, subject).await?;
            History::read(findings, kind, &told);
        }
    }
    loose(tx, findings).await?;
    let (read, total) = (findings.audit.entries, findings.total);
    if read != total {
        // Rows that stand in no order at all: a kind of subject nobody knows, or a sequence for the installation.
        let cell = |count: u64| Cell::from(i64::try_from(count).unwrap_or(i64::MAX));
        let system = Named(SubjectKind::System.number().into(), [0; 16]);
        let cells = (&cell(read), &cell(total));
        findings.add(DifferenceKind::EntryOutOfPlace, system, "count", cells);
    }
    Ok(())
}

async fn loose(tx: &mut Tx, findings: &mut Findings<'_>) -> Result<(), StoreError> {
    let mut after = Vec::new();
    loop {
        let page = audit::loose_entries(tx, &after, PAGE_ROWS).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id.to_vec();
        for row in &page {
            let named = Named(row.subject_kind, row.subject_id);
            let system = i64::from(SubjectKind::System.number());
            if row.subject_kind != system || row.subject_id != [0; 16] {
                findings.whole(DifferenceKind::EntryOutOfPlace, named, "sequence");
            }
            if let Some(entry) = read_entry(findings, row) {
                belongs(findings, named, SubjectKind::System, &entry);
            }
        }
    }
}
