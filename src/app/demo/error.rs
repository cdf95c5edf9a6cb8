//! Room `app::demo`: why a demo broke off before it could be judged.
//!
//! In: failures of its parts. Out: one error. Deliberately not here: checks that fail; those are results, not errors.

use super::plan::PlanError;
use crate::edge::store::StoreError;
use crate::simulator::{LedgerError, SimulatorError};
use crate::stage::desk::DeskError;
use crate::worker::JobFailure;

/// Why a demo broke off.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The quarter could not be planned.
    #[error("the quarter could not be planned")]
    Plan(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store.
    #[error("the demo could not read or write")]
    Store(#[from] StoreError),
    /// The simulated operator.
    #[error("the simulated operator does not run")]
    Simulator(#[from] SimulatorError),
    /// The simulated operator's ledger.
    #[error("the simulated operator's ledger cannot be read")]
    Ledger(#[from] LedgerError),
    /// A stage failed.
    #[error("a stage failed")]
    Stage(#[from] JobFailure),
    /// An act at the desk failed for another reason than the desk's own rules.
    #[error("the desk cannot act")]
    Desk(#[from] DeskError),
    /// The gateway's own door did not answer.
    #[error("the gateway did not answer {0}")]
    Http(&'static str),
    /// The gateway answered otherwise than a dossier system may expect.
    #[error("the gateway answered {status} to {what}: {detail}")]
    Answer {
        /// What was asked.
        what: &'static str,
        /// HTTP status.
        status: u16,
        /// The problem's code, and the pointers of its faults.
        detail: String,
    },
    /// A file of the demo.
    #[error("a file of the demo cannot be written or read")]
    Io(#[from] std::io::Error),
    /// A part could not be made.
    #[error("{0} could not be made")]
    Part(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something that the demo relies on is not so.
    #[error("the demo does not understand itself: {0}")]
    Confused(&'static str),
}

impl From<PlanError> for DemoError {
    fn from(error: PlanError) -> Self {
        Self::Plan(Box::new(error))
    }
}
