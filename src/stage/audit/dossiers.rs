//! Room `stage`, audit: dossiers.
//!
//! In: the tables side by side, and the shipments as the journal tells them. Out: differences. Deliberately not here: what
//! the dossier system knows and the gateway was never told.

use super::findings::{DifferenceKind, Findings, Named};
use super::history::History;
use super::stream::{Dossiers, Entries, Facts, Stream};
use super::{Views, compare};
use crate::domain::dossier::{self, Discrepancy, Dossier, DossierFact, DossierStatus, ReturnBy};
use crate::domain::id::DossierId;
use crate::domain::journal::{Entry, Kind, SubjectKind, Tag};
use crate::edge::store::audit::{Cell, Cells, FactTable};
use crate::edge::store::{StoreError, Tx};

/// Walks through all dossiers.
pub(super) async fn walk(tx: &mut Tx, findings: &mut Findings<'_>, views: &Views) -> Result<(), StoreError> {
    let mut entries = Stream::new(Entries(SubjectKind::Dossier));
    let mut rows = Stream::new(Dossiers);
    let mut facts = Stream::new(Facts(FactTable::Dossier));
    loop {
        let next = [
            entries.next_subject(tx).await?,
            rows.next_subject(tx).await?,
            facts.next_subject(tx).await?,
        ];
        let Some(subject) = next.into_iter().flatten().min() else {
            return Ok(());
        };
        let told = entries.take(tx, subject).await?;
        let row = rows.take(tx, subject).await?.into_iter().next();
        let stored = facts.take(tx, subject).await?;
        let id = DossierId::from_bytes(subject);
        let named = Named(SubjectKind::Dossier.number().into(), subject);
        let history = History::read(findings, SubjectKind::Dossier, &told);
        let read = |entry: &Entry| {
            let fact = DossierFact::from_fields(&entry.fields, entry.occurred_at?, entry.map_version)?;
            let (fields, sound) = (fact.to_fields(), fact.is_of(id));
            Some((fact, fields, sound))
        };
        let told = (history.entries.as_slice(), Kind::DossierFact);
        let facts = compare::facts(findings, named, told, &stored, read);
        let Some(row) = row else {
            findings.whole(DifferenceKind::RowMissing, named, "dossier");
            continue;
        };
        findings.audit.dossiers += 1;
        let mut expected = folded(&dossier::fold(&facts, &views.of(id)));
        expected.insert("journal_sequence", Cell::from(history.last_sequence));
        let opened = history
            .entries
            .iter()
            .find(|entry| entry.kind == Kind::DossierOpened);
        match opened {
            None => findings.whole(DifferenceKind::RowUnwritten, named, "opened"),
            Some(opened) => {
                expected.insert("source_id", Cell::from(opened.fields.get_id(Tag::Source)));
                expected.insert("created_at", Cell::from(opened.recorded_at));
            }
        }
        compare::row(findings, named, &expected, &row);
    }
}

/// The columns that facts fold to. When nothing was stated yet the row keeps what it was opened with.
fn folded(dossier: &Dossier) -> Cells {
    let stated = dossier.stated.as_ref();
    let mut cells = Cells::from([
        (
            "status_raw",
            Cell::from(stated.map_or("", |statement| statement.status_raw.as_str())),
        ),
        (
            "status_stated",
            Cell::from(stated.map_or(1, |statement| i64::from(statement.status.number()))),
        ),
        (
            "status",
            Cell::from(
                dossier
                    .status
                    .map_or(1, |status: DossierStatus| i64::from(status.number())),
            ),
        ),
        (
            "map_version",
            Cell::from(stated.map_or(0, |statement| statement.map_version)),
        ),
        (
            "return_by",
            Cell::from(dossier.return_by.map_or(0, ReturnBy::number)),
        ),
        (
            "submitted_by",
            Cell::from(stated.map_or(1, |statement| statement.submitted_by.number())),
        ),
        (
            "due_at",
            Cell::from(stated.and_then(|statement| statement.due_at)),
        ),
        (
            "finished_at",
            Cell::from(stated.and_then(|statement| statement.finished_at)),
        ),
        ("returned_at", Cell::from(dossier.returned_at)),
        ("post_withdrawn", Cell::from(dossier.post_withdrawn)),
        (
            "is_duplicate",
            Cell::from(stated.is_some_and(|statement| statement.duplicate)),
        ),
        (
            "shipment_id",
            Cell::from(dossier.shipment.map(|id| *id.as_bytes())),
        ),
        (
            "discrepancy",
            Cell::from(dossier.discrepancy.map(Discrepancy::as_str)),
        ),
    ]);
    if let Some(statement) = stated {
        cells.insert("received_at", Cell::from(statement.received_at));
    }
    cells
}
