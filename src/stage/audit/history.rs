//! Room `stage`, audit: the entries of one subject, as far as their bytes can be trusted.
//!
//! In: journal rows of one subject in sequence. Out: the entries, and differences for those that were changed, removed or
//! put where they do not belong. Deliberately not here: what the entries add up to.

use super::findings::{DifferenceKind, Findings, Named};
use crate::domain::journal::{Entry, Kind, SubjectKind};
use crate::edge::store::audit::{Cell, JournalRow};

/// What the journal tells of one subject.
pub(super) struct History {
    /// The entries that can be read, in sequence.
    pub(super) entries: Vec<Entry>,
    /// Last sequence that stands in the journal; 0 for none.
    pub(super) last_sequence: i64,
}

impl History {
    /// Reads what stands in the journal about one subject.
    pub(super) fn read(findings: &mut Findings<'_>, kind: SubjectKind, rows: &[JournalRow]) -> Self {
        let mut history = Self {
            entries: Vec::with_capacity(rows.len()),
            last_sequence: 0,
        };
        for row in rows {
            let named = Named(row.subject_kind, row.subject_id);
            let expected = history.last_sequence.saturating_add(1);
            if row.sequence != expected {
                let cells = (&Cell::from(expected), &Cell::from(row.sequence));
                findings.add(DifferenceKind::EntryGap, named, "sequence", cells);
            }
            history.last_sequence = row.sequence;
            if let Some(entry) = read_entry(findings, row)
                && belongs(findings, named, kind, &entry)
            {
                history.entries.push(entry);
            }
        }
        history
    }
}

/// Reads an entry and compares it with the columns beside it; `None` when it cannot be read or is about something else
/// than its row says.
pub(super) fn read_entry(findings: &mut Findings<'_>, row: &JournalRow) -> Option<Entry> {
    findings.entry();
    let named = Named(row.subject_kind, row.subject_id);
    let Ok(entry) = Entry::from_bytes(&row.bytes) else {
        findings.whole(DifferenceKind::EntryUnreadable, named, "bytes");
        return None;
    };
    let sequence = i64::try_from(entry.sequence).unwrap_or(i64::MAX);
    let subject_kind = i64::from(entry.subject.kind.number());
    let beside = [
        ("id", Cell::from(entry.id), Cell::from(row.id)),
        (
            "subject_kind",
            Cell::from(subject_kind),
            Cell::from(row.subject_kind),
        ),
        (
            "subject_id",
            Cell::from(entry.subject.id),
            Cell::from(row.subject_id),
        ),
        ("sequence", Cell::from(sequence), Cell::from(row.sequence)),
        (
            "kind",
            Cell::from(i64::from(entry.kind.number())),
            Cell::from(row.kind),
        ),
        (
            "recorded_at",
            Cell::from(entry.recorded_at),
            Cell::from(row.recorded_at),
        ),
    ];
    for (column, journal, table) in &beside {
        if journal != table {
            findings.add(DifferenceKind::EntryBeside, named, column, (journal, table));
        }
    }
    (subject_kind == row.subject_kind && entry.subject.id == row.subject_id).then_some(entry)
}

/// Whether the kind of an entry is one of its subject.
pub(super) fn belongs(
    findings: &mut Findings<'_>,
    named: Named,
    subject: SubjectKind,
    entry: &Entry,
) -> bool {
    let right = match entry.kind {
        Kind::ShipmentRegistered
        | Kind::ShipmentRevised
        | Kind::DeliveryFact
        | Kind::CustodyFact
        | Kind::DecisionProposed
        | Kind::DecisionApproved
        | Kind::DecisionTurnedDown
        | Kind::EventQuarantined
        | Kind::StopWanted => subject == SubjectKind::Shipment,
        Kind::DossierOpened | Kind::DossierFact => subject == SubjectKind::Dossier,
        Kind::EventDelivered
        | Kind::EventGivenUp
        | Kind::EventRedriven
        | Kind::HandoverClosed
        | Kind::ImportApplied
        | Kind::KeyChanged
        | Kind::ConfigurationChanged
        | Kind::CallbacksRefused
        | Kind::BreakerChanged
        | Kind::ReportDrawn
        | Kind::PersonalDataShown
        | Kind::PersonalDataErased => true,
    };
    if !right {
        findings.whole(DifferenceKind::EntryOutOfPlace, named, "kind");
    }
    right
}
