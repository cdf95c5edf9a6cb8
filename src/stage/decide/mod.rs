//! Room `stage`: what people decide about a shipment.
//!
//! A decision is a fact: it names the facts it sets aside and wins over exactly those. Each is a proposal with a reason
//! and the digest of the facts the person saw; who saw less than is known by now is refused. Where a final outcome
//! changes, a doubt is sent again or an original is given up, a second person must approve, never the proposer.
//!
//! In: a person, an office, a wish. Out, in one transaction: the decision's row with its sealed reason, facts, queue row,
//! journal. A row leased by a call that creates an order is never touched; a look-up under way becomes void.
//! Deliberately not here: acts with paper (`desk`), and calls to the operator: approving a return or another delivery is
//! asked of no wire known here.

mod answer;
mod correct;
mod look;
mod refusal;
mod rules;
mod ruling;
mod seen;
mod tasks;

pub use answer::{Answer, READERS, RULERS};
pub use correct::Correction;
pub use look::{Decision, Look, Personal, Said, SaidFact, Statement, look, reveal};
pub use refusal::{DecideError, Refusal};
pub use seen::{FactsSeen, hex};
pub use tasks::{Known, Question, TASKS_MAX, Task, Waiting, tasks, waiting};

use crate::domain::delivery::FactId;
use crate::domain::id::{DecisionId, ShipmentId};
use crate::domain::time::Timestamp;
use crate::domain::tracking_number::TrackingNumber;
use crate::edge::store::decision::DecisionRow;
use crate::stage::context::{By, Context};
use ruling::{Propose, Rule, Ruling};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a person wants decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The answer.
    pub answer: Answer,
    /// The facts that were looked at; `None`: as they are now.
    pub seen: Option<FactsSeen>,
    /// When the thing decided about happened; final outcomes need it.
    pub at: Option<Timestamp>,
    /// Final facts set aside; `None`: exactly those that contradict the outcome.
    pub overrides: Option<BTreeSet<FactId>>,
    /// [`Answer::OperatorHasIt`]: the number on the label, if known.
    pub tracking_number: Option<TrackingNumber>,
    /// [`Answer::Correct`]: what is changed.
    pub correction: Option<Correction>,
}

impl Wish {
    /// A wish that says nothing but the answer.
    pub const fn of(answer: Answer) -> Self {
        Self {
            answer,
            seen: None,
            at: None,
            overrides: None,
            tracking_number: None,
            correction: None,
        }
    }

    /// The wish of a proposal that waits; `None` for a word this version does not know.
    fn stored(row: &DecisionRow) -> Option<Self> {
        let answer = Answer::parse(&row.kind)?;
        Some(Self {
            at: Some(row.occurred_at),
            overrides: answer.ending().map(|_| row.overrides.clone()),
            ..Self::of(answer)
        })
    }
}

/// Where a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a second person.
    Waits,
    /// It is in force.
    Applied,
    /// A second person turned it down.
    TurnedDown,
    /// Facts came before it was approved; it has no effect.
    Stale,
}

impl Standing {
    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "proposed",
            Self::Applied => "applied",
            Self::TurnedDown => "turned_down",
            Self::Stale => "stale",
        }
    }
}

/// A decision as it stands after an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruled {
    /// Which decision.
    pub decision: DecisionId,
    /// About which shipment.
    pub shipment: ShipmentId,
    /// What is decided.
    pub answer: Answer,
    /// Where it stands now.
    pub standing: Standing,
}

/// Proposes a decision with its reason; one that needs no second person is in force at once.
///
/// # Errors
/// [`DecideError`]; nothing was changed then.
pub async fn propose(
    context: &Arc<Context>,
    by: By,
    shipment: ShipmentId,
    wish: Wish,
    reason: &str,
) -> Result<Ruled, DecideError> {
    if wish.answer == Answer::Correct && wish.correction.is_none() {
        return Err(Refusal::NothingChanges.into());
    }
    let command = Propose {
        context: Arc::clone(context),
        by,
        shipment,
        wish,
        reason: reason.to_owned(),
    };
    context.store.submit(command).await
}

/// Approves a proposal as the second person. Facts that came since it was made make it [`Standing::Stale`] instead.
///
/// # Errors
/// [`DecideError`]; nothing was changed then.
pub async fn approve(context: &Arc<Context>, by: By, decision: DecisionId) -> Result<Ruled, DecideError> {
    rule(context, by, decision, Ruling::Approve).await
}

/// Turns a proposal down as the second person, with the reason.
///
/// # Errors
/// [`DecideError`]; nothing was changed then.
pub async fn turn_down(
    context: &Arc<Context>,
    by: By,
    decision: DecisionId,
    reason: &str,
) -> Result<Ruled, DecideError> {
    rule(context, by, decision, Ruling::TurnDown(reason.to_owned())).await
}

async fn rule(
    context: &Arc<Context>,
    by: By,
    decision: DecisionId,
    ruling: Ruling,
) -> Result<Ruled, DecideError> {
    let command = Rule {
        context: Arc::clone(context),
        by,
        decision,
        ruling,
    };
    context.store.submit(command).await
}
