//! Room `domain`: what a dossier system states of one dossier at one time, as it writes it, before anything is believed.
//!
//! In: a [`Snapshot`] from a request or a row of a file. Out: what is wrong with it in itself, every fault at once, and
//! what a person should look at. Deliberately not here: whether status, office and units exist (the store knows them).

use super::{ReturnBy, SubmittedBy};
use crate::domain::addressee::{Addressee, AddresseeDraft};
use crate::domain::dossier_code::{CodeWarning, DossierCode};
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::time::Timestamp;

/// 1 January 2000, Vietnam: no dossier system is older.
const LONG_AGO: Timestamp = Timestamp::from_ms(946_659_600_000);
/// Longest code of a procedure or raw status, characters.
const CODE_CHARS_MAX: usize = 64;

/// A whole snapshot of one dossier, as its system writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The system's own status code.
    pub status_raw: String,
    /// Since when it holds: orders the snapshots of a dossier.
    pub status_at: Timestamp,
    /// Code of the procedure.
    pub procedure: String,
    /// Code of the office that received it.
    pub receiving_office: String,
    /// How the citizen wants the result.
    pub return_by: ReturnBy,
    /// How it was submitted.
    pub submitted_by: SubmittedBy,
    /// Received at.
    pub received_at: Timestamp,
    /// Promised for.
    pub due_at: Option<Timestamp>,
    /// Finished at.
    pub finished_at: Option<Timestamp>,
    /// Returned at, by the system's own word.
    pub returned_at: Option<Timestamp>,
    /// A second record of another dossier.
    pub duplicate: bool,
    /// Registered addressee; only when the result returns by post.
    pub addressee: Option<AddresseeDraft>,
}

/// What a person should look at; never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The code has none of the known shapes.
    CodeShapeUnknown,
    /// The date inside the code does not exist.
    CodeDateImpossible,
    /// Promised for a time before it was received.
    DueBeforeReceived,
    /// The addressee's note holds what looks like an identity number.
    NoteLooksLikeIdNumber,
}

impl Warning {
    /// The word shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeShapeUnknown => "code_shape_unknown",
            Self::CodeDateImpossible => "code_date_impossible",
            Self::DueBeforeReceived => "due_before_received",
            Self::NoteLooksLikeIdNumber => "note_looks_like_id_number",
        }
    }
}

impl Snapshot {
    /// Checks everything that needs no look-up; nothing may have happened after `latest`. The addressee, checked, if
    /// there is one and it may be there. Faults stand at the fields' places in a request.
    pub fn check(&self, latest: Timestamp, faults: &mut Vec<Fault>) -> Option<Addressee> {
        if !is_code(&self.procedure) {
            faults.push(Fault::at("/procedure", FaultCode::ProcedureInvalid));
        }
        self.check_dates(latest, faults);
        let draft = self.addressee.as_ref()?;
        if self.return_by != ReturnBy::Post {
            faults.push(Fault::at("/addressee", FaultCode::AddresseeNotNeeded));
            return None;
        }
        draft.check("/addressee", faults)
    }

    fn check_dates(&self, latest: Timestamp, faults: &mut Vec<Fault>) {
        let happened = [
            ("/status_at", Some(self.status_at)),
            ("/received_at", Some(self.received_at)),
            ("/finished_at", self.finished_at),
            ("/returned_at", self.returned_at),
        ];
        for (pointer, at) in happened {
            if at.is_some_and(|at| at > latest) {
                faults.push(Fault::at(pointer, FaultCode::InTheFuture));
            }
        }
        for (pointer, at) in happened.into_iter().chain([("/due_at", self.due_at)]) {
            if at.is_some_and(|at| at < LONG_AGO) {
                faults.push(Fault::at(pointer, FaultCode::TooLongAgo));
            }
        }
        if self.finished_at.is_some_and(|at| at < self.received_at) {
            faults.push(Fault::at("/finished_at", FaultCode::FinishedBeforeReceived));
        }
        let before = self.finished_at.unwrap_or(self.received_at);
        if self.returned_at.is_some_and(|at| at < before) {
            faults.push(Fault::at("/returned_at", FaultCode::ReturnedBeforeFinished));
        }
    }

    /// What a person should look at.
    pub fn warnings(&self, code: &DossierCode, addressee: Option<&Addressee>) -> Vec<Warning> {
        let code = code.warning().map(|warning| match warning {
            CodeWarning::UnknownShape => Warning::CodeShapeUnknown,
            CodeWarning::ImpossibleDate => Warning::CodeDateImpossible,
        });
        let due = self.due_at.is_some_and(|at| at < self.received_at);
        let note = addressee.is_some_and(|addressee| addressee.address.warning().is_some());
        [
            code,
            due.then_some(Warning::DueBeforeReceived),
            note.then_some(Warning::NoteLooksLikeIdNumber),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn is_code(text: &str) -> bool {
    let plain = text
        .chars()
        .all(|c| !c.is_control() && !c.is_whitespace() && c != '\u{feff}');
    plain && (1..=CODE_CHARS_MAX).contains(&text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_420_800_000);

    fn good() -> Snapshot {
        Snapshot {
            status_raw: "9".to_owned(),
            status_at: NOW,
            procedure: "1.004227".to_owned(),
            receiving_office: "HL01".to_owned(),
            return_by: ReturnBy::Post,
            submitted_by: SubmittedBy::Online,
            received_at: NOW.plus_ms(-1_000),
            due_at: None,
            finished_at: None,
            returned_at: None,
            duplicate: false,
            addressee: None,
        }
    }

    #[test]
    fn every_fault_in_itself_is_told_at_once() {
        let mut faults = Vec::new();
        assert_eq!(good().check(NOW, &mut faults), None);
        assert_eq!(faults, []);
        let wrong = Snapshot {
            procedure: "a b".to_owned(),
            return_by: ReturnBy::Counter,
            due_at: Some(Timestamp::from_ms(0)),
            finished_at: Some(NOW.plus_ms(-2_000)),
            returned_at: Some(NOW.plus_ms(1)),
            addressee: Some(AddresseeDraft::default()),
            ..good()
        };
        assert_eq!(wrong.check(NOW, &mut faults), None);
        let told: Vec<(&str, &str)> = faults
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        let expect = [
            ("/procedure", "procedure_invalid"),
            ("/returned_at", "in_the_future"),
            ("/due_at", "too_long_ago"),
            ("/finished_at", "finished_before_received"),
            ("/addressee", "addressee_not_needed"),
        ];
        assert_eq!(told, expect);
    }
}
