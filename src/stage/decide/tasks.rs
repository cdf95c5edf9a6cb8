//! Stage decide: what needs a person.
//!
//! In: an office, or none for all. Out: shipments and dossiers with the questions they raise, what is known, and the
//! answers that come into question; proposals that wait. Deliberately not here: whether an answer really fits, which the
//! proposal checks.

use super::answer::Answer;
use super::look::{login, office_code};
use super::refusal::DecideError;
use crate::domain::calendar::{Calendar, CalendarKind};
use crate::domain::id::{DecisionId, DossierId, OfficeId, ShipmentId};
use crate::domain::time::Timestamp;
use crate::edge::store::decision::{self, ShipmentTask};
use crate::edge::store::{StoreError, Tx, dossier, shipment};
use crate::stage::context::Context;
use std::collections::BTreeMap;

/// Tasks listed at one time.
pub const TASKS_MAX: u32 = 200;
/// A doubt younger than this is left to resolve, milliseconds.
const DOUBT_YOUNG_MS: i64 = 30 * 60_000;
/// How far back a working day of the operator is looked for, days.
const BACK_DAYS_MAX: i64 = 30;
/// Where no calendar is loaded: a hand-over without acceptance is late after this, milliseconds.
const LATE_WITHOUT_CALENDAR_MS: i64 = 3 * 86_400_000;

/// What is asked of a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Sending is stopped, for this reason: correct, or let it go?
    Held(String),
    /// Does the operator have the order?
    Doubt,
    /// Which of the final statements is true?
    Contested,
    /// Did the whole reach its end?
    Partial,
    /// What does this code of the operator mean?
    UnknownCode(String),
    /// Handed over, and the operator has not shown it for a working day: where is it?
    NotAccepted,
    /// Returned or cancelled by the operator's word: where is the paper?
    NotBack,
    /// The operator has it, and nobody recorded the hand-over.
    WithoutHandover,
    /// The dossier's record and the world disagree.
    Discrepancy(String),
    /// Proposals wait for a second person.
    Proposal(u32),
}

impl Question {
    /// The word shown to machines.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::Doubt => "doubt",
            Self::Contested => "contested",
            Self::Partial => "partial",
            Self::UnknownCode(_) => "unknown_code",
            Self::NotAccepted => "not_accepted",
            Self::NotBack => "not_back",
            Self::WithoutHandover => "without_handover",
            Self::Discrepancy(_) => "discrepancy",
            Self::Proposal(_) => "proposal",
        }
    }

    /// Answers that come into question, the most likely first.
    pub const fn answers(&self) -> &'static [Answer] {
        match self {
            Self::Held(_) => &[Answer::Correct, Answer::Release, Answer::Cancelled],
            Self::Doubt => &[Answer::OperatorHasIt, Answer::OperatorHasNot],
            Self::Contested => &[
                Answer::Delivered,
                Answer::Returned,
                Answer::LostOrDamaged,
                Answer::Cancelled,
            ],
            Self::Partial => &[Answer::Whole, Answer::NotWhole],
            Self::UnknownCode(_) => &[Answer::Delivered, Answer::Returned, Answer::LostOrDamaged],
            Self::NotAccepted | Self::NotBack => &[Answer::PaperLost, Answer::PaperDestroyed],
            // A hand-over entered afterwards, or a ruling on what waits.
            Self::WithoutHandover | Self::Discrepancy(_) | Self::Proposal(_) => &[],
        }
    }
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The shipment; `None`: a dossier that no shipment holds.
    pub shipment: Option<ShipmentId>,
    /// The dossier, when there is no shipment.
    pub dossier: Option<DossierId>,
    /// Short number of the shipment, or code of the dossier.
    pub name: String,
    /// Code of the office whose task it is.
    pub office: String,
    /// What is asked.
    pub questions: Vec<Question>,
    /// State of delivery, place of the paper, queue: words.
    pub known: Known,
    /// Answers that come into question, without repetition.
    pub answers: Vec<Answer>,
    /// Earliest promise among its dossiers.
    pub promised_at: Option<Timestamp>,
}

/// What is known, as words for a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Folded delivery state.
    pub state: Option<String>,
    /// Place of the paper.
    pub custody: Option<String>,
    /// State of the queue row.
    pub queue: Option<String>,
    /// Handed over at.
    pub handed_over_at: Option<Timestamp>,
    /// In doubt since.
    pub doubted_at: Option<Timestamp>,
}

/// What needs a person of an office, or of any: shipments first, the oldest promise first.
///
/// # Errors
/// [`DecideError::Store`].
pub async fn tasks(context: &Context, office: Option<OfficeId>) -> Result<Vec<Task>, DecideError> {
    let now = context.clock.now();
    let handed_before = late_before(context.calendars.of(CalendarKind::Carrier), now);
    let limits = (now.plus_ms(-DOUBT_YOUNG_MS), handed_before);
    let mut tx = context.store.snapshot().await?;
    let mut codes: BTreeMap<OfficeId, String> = BTreeMap::new();
    let mut tasks = Vec::new();
    for row in decision::shipment_tasks(&mut tx, office, limits, TASKS_MAX).await? {
        let office = code_of(&mut tx, row.office, &mut codes).await?;
        tasks.push(task(row, office, limits));
    }
    for (id, office, why, promised_at) in decision::dossier_tasks(&mut tx, office, TASKS_MAX).await? {
        let row = dossier::find(&mut tx, id).await?;
        let questions = vec![Question::Discrepancy(why)];
        tasks.push(Task {
            shipment: None,
            dossier: Some(id),
            name: row.ok_or(StoreError::Corrupt { place: "dossier" })?.code,
            office: code_of(&mut tx, office, &mut codes).await?,
            answers: answers(&questions),
            questions,
            known: Known::default(),
            promised_at: Some(promised_at),
        });
    }
    Ok(tasks)
}

async fn code_of(
    tx: &mut Tx,
    office: OfficeId,
    known: &mut BTreeMap<OfficeId, String>,
) -> Result<String, StoreError> {
    if let Some(code) = known.get(&office) {
        return Ok(code.clone());
    }
    let code = office_code(tx, office).await?;
    known.insert(office, code.clone());
    Ok(code)
}

fn task(row: ShipmentTask, office: String, (doubt_before, handed_before): (Timestamp, Timestamp)) -> Task {
    let with_post = matches!(row.custody.as_str(), "handed_over" | "with_operator");
    let ended_outside = matches!(row.state.as_str(), "returned" | "cancelled" | "rejected");
    let late = row.custody == "handed_over" && row.handed_over_at.is_some_and(|at| at < handed_before);
    let in_doubt = row.queue_state.as_deref() == Some("doubt");
    let asked = [
        (row.proposals > 0).then_some(Question::Proposal(row.proposals)),
        row.held.clone().map(Question::Held),
        (in_doubt && row.doubted_at.is_some_and(|at| at <= doubt_before)).then_some(Question::Doubt),
        row.contested.then_some(Question::Contested),
        row.partial.then_some(Question::Partial),
        row.unknown_code.clone().map(Question::UnknownCode),
        (with_post && ended_outside).then_some(Question::NotBack),
        (late && !ended_outside).then_some(Question::NotAccepted),
        row.without_handover.then_some(Question::WithoutHandover),
        row.discrepancy.clone().map(Question::Discrepancy),
    ];
    let questions: Vec<Question> = asked.into_iter().flatten().collect();
    Task {
        shipment: Some(row.shipment),
        dossier: None,
        name: row.short_number,
        office,
        answers: answers(&questions),
        questions,
        known: Known {
            state: Some(row.state),
            custody: Some(row.custody),
            queue: row.queue_state,
            handed_over_at: row.handed_over_at,
            doubted_at: row.doubted_at,
        },
        promised_at: row.promised_at,
    }
}

fn answers(questions: &[Question]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for answer in questions.iter().flat_map(Question::answers) {
        if !answers.contains(answer) {
            answers.push(*answer);
        }
    }
    answers
}

/// What was handed over before this has had a whole working day of the operator.
fn late_before(calendar: &Calendar, now: Timestamp) -> Timestamp {
    let today = now.local_date();
    for back in 1..=BACK_DAYS_MAX {
        let midnight = Timestamp::start_of(today).plus_ms(-back * 86_400_000);
        match calendar.add_working_days(midnight.local_date(), 1) {
            Ok(due) if due < today => return midnight.plus_ms(86_400_000),
            Ok(_) => {}
            Err(_beyond) => break,
        }
    }
    now.plus_ms(-LATE_WITHOUT_CALENDAR_MS)
}

/// A proposal that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which decision.
    pub decision: DecisionId,
    /// About which shipment.
    pub shipment: ShipmentId,
    /// Its short number.
    pub short_number: String,
    /// What is proposed; `None` for a word this version does not know.
    pub answer: Option<Answer>,
    /// When the thing decided about happened.
    pub occurred_at: Timestamp,
    /// Facts it would set aside.
    pub overrides: usize,
    /// Who proposed, by work login.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
}

/// Proposals that wait, oldest first; of an office: those about its shipments.
///
/// # Errors
/// [`DecideError::Store`].
pub async fn waiting(context: &Context, office: Option<OfficeId>) -> Result<Vec<Waiting>, DecideError> {
    let mut tx = context.store.snapshot().await?;
    let mut waiting = Vec::new();
    for row in decision::waiting(&mut tx, office, TASKS_MAX).await? {
        let about = shipment::find(&mut tx, row.shipment).await?;
        let about = about.ok_or(StoreError::Corrupt { place: "shipment" })?;
        waiting.push(Waiting {
            decision: row.id,
            shipment: row.shipment,
            short_number: about.short_number,
            answer: Answer::parse(&row.kind),
            occurred_at: row.occurred_at,
            overrides: row.overrides.len(),
            proposed_by: login(&mut tx, row.proposed_by).await?,
            proposed_at: row.proposed_at,
        });
    }
    Ok(waiting)
}
