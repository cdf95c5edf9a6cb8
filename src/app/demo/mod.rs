//! Room `app::demo`: a real quarter of a real city on one command.
//!
//! In: options. Out: an [`Outcome`]: the article's figures beside those of the records, what went wrong on the way, and
//! the promises, each kept or not. Dossier systems, citizens, clerks, the postal operator and the gateway stand behind
//! their own sockets or the functions that people use, on one simulated clock. Deliberately not here: any short cut into
//! the gateway's tables; what the gateway is told, it is told at its doors.

mod cast;
mod checks;
mod client;
mod dice;
mod drive;
mod error;
pub mod figures;
mod ledger_check;
mod notes;
mod outcome;
mod people;
mod places;
mod plan;
mod procedures;
mod progress;
mod show;
#[cfg(test)]
mod tests;
mod world;

pub use error::DemoError;
pub use outcome::{Check, Fate, Line, Outcome};
pub use progress::Watching;

use crate::domain::journal::Actor;
use crate::domain::time::Timestamp;
use crate::edge::store::tally::{Counted, Tally, tally};
use crate::stage::report::{self, Period};
use crate::stage::{audit, context::Context};
use drive::Drive;
use figures::Scale;
use notes::Notes;
use plan::Plan;
use plan::days::{QUARTER_END, QUARTER_START};
use progress::Progress;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use world::World;

/// How badly the simulated operator behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FaultPreset {
    /// Every call is answered, every parcel is delivered at the first visit
    None,
    /// An ordinary week
    #[default]
    Mild,
    /// A bad week: every fault, often
    Wild,
}

impl FaultPreset {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mild => "mild",
            Self::Wild => "wild",
        }
    }
}

/// What to play.
#[derive(Clone, Debug)]
pub struct Options {
    /// Share of the article's volume.
    pub scale: Scale,
    /// The same seed plays the same quarter.
    pub seed: u64,
    /// How badly the operator behaves.
    pub faults: FaultPreset,
    /// Database; an embedded one in the demo's folder if none. It must be empty.
    pub database: Option<String>,
    /// Where database, ledger and notes are kept; a folder that is deleted in the end if none.
    pub keep: Option<PathBuf>,
    /// Port of the gateway on loopback; 0 takes any free one.
    pub port: u16,
    /// What is shown while it runs.
    pub watching: Watching,
}

/// Six o'clock in the morning of the quarter's first day.
const START_MS: i64 = 6 * 3_600_000;

/// Plays the quarter and judges it. `served` is told the gateway's address and is waited for before everything stops.
///
/// # Errors
/// [`DemoError`] when it broke off; a promise that was not kept is no error but a failed [`Check`].
pub async fn run(
    options: &Options,
    served: impl AsyncFnOnce(&Outcome, std::net::SocketAddr),
) -> Result<Outcome, DemoError> {
    let plan = Plan::new(options.seed, options.scale)?;
    let start = Timestamp::start_of(QUARTER_START).plus_ms(START_MS);
    let world = World::start(options, start).await?;
    let mut notes = Notes::new(&world.notes)?;
    let progress = Progress::new(options.watching, &plan);
    Drive::new(&plan, &world, &mut notes, &progress)?.run().await?;
    progress.says("đang kiểm tra / checking");
    let outcome = judge(options, &plan, &world, &notes).await?;
    progress.end();
    served(&outcome, world.address).await;
    world.stop().await?;
    Ok(outcome)
}

async fn judge(options: &Options, plan: &Plan, world: &World, notes: &Notes) -> Result<Outcome, DemoError> {
    // The operator writes its last lines before its books are read.
    world.simulator.run_due().await;
    let books = ledger_check::read(&world.ledger, &world.notes)?;
    let client = &world.client;
    let report = quarter(&world.context).await?;
    let figures = checks::lines(&plan.figures, &report);
    let audit = audit::recompute(&world.context.store, &|_progress| ()).await?;
    let checks = vec![
        checks::figures_equal(&figures),
        checks::nothing_lost(client, notes, &books).await?,
        checks::never_twice(notes, &books),
        checks::ten_only_on_proof(client, plan, notes, &books).await?,
        checks::folds_recomputed(&audit),
    ];
    let mut happened = happened(world, notes).await?;
    let doubles = u64::try_from(books.doubled.len()).unwrap_or(u64::MAX);
    happened.insert("operator_doubles".to_owned(), doubles);
    Ok(Outcome {
        seed: options.seed,
        scale: options.scale.to_string(),
        faults: options.faults.as_str(),
        article: plan.figures,
        report,
        figures,
        by_post: checks::fates(&report),
        audit,
        happened,
        held: held(world).await?,
        checks,
    })
}

/// The quarter's report, from the records.
async fn quarter(context: &Arc<Context>) -> Result<report::Figures, DemoError> {
    let last = QUARTER_END.yesterday().unwrap_or(QUARTER_END);
    let period = Period::new(QUARTER_START, last).ok_or(DemoError::Confused("no quarter"))?;
    let report = report::draw(context, Actor::ADMINISTRATOR, period, None).await;
    let report = report.map_err(|error| DemoError::Part("the report", Box::new(error)))?;
    Ok(report.figures)
}

/// What the people noted, and what the gateway's own records say of its calls.
async fn happened(world: &World, notes: &Notes) -> Result<BTreeMap<String, u64>, DemoError> {
    let mut tx = world.context.store.snapshot().await?;
    let attempts = tally(&mut tx, Counted::Attempts).await?;
    let events = tally(&mut tx, Counted::Events).await?;
    let refused = tally(&mut tx, Counted::RefusedCallbacks).await?;
    let inbox = tally(&mut tx, Counted::Inbox).await?;
    let outbox = tally(&mut tx, Counted::Outbox).await?;
    let told = |word: &str| sum(&outbox, |[state, _, _]| state == word);
    let outcome = |word: &str| sum(&attempts, |[outcome, _, _]| outcome == word);
    let settled = |word: &str| sum(&attempts, |[_, _, settled]| settled == word);
    let open = sum(&attempts, |[outcome, _, settled]| {
        outcome == "unknown" && settled.is_empty()
    });
    let sums = [
        ("attempts_unknown", outcome("unknown")),
        ("attempts_not_sent", outcome("not_sent")),
        ("attempts_refused", outcome("refused")),
        (
            "attempts_throttled",
            sum(&attempts, |[_, detail, _]| detail == "throttled"),
        ),
        ("doubts_found", settled("found")),
        ("doubts_absent", settled("absent")),
        ("doubts_open", open),
        (
            "events_quarantined",
            sum(&events, |[state, _, _]| state == "quarantined"),
        ),
        ("callbacks_refused", sum(&refused, |_all| true)),
        (
            "callbacks_taken",
            sum(&inbox, |[door, state, _]| door == "push" && state != "garbage"),
        ),
        ("answers_pulled", sum(&inbox, |[door, _, _]| door == "pull")),
        ("inbox_unread", sum(&inbox, |[_, state, _]| state == "unread")),
        ("events_delivered", told("sent")),
        ("events_dead", told("dead")),
        ("events_waiting", told("waiting") + told("leased")),
    ];
    let people = notes.counts.iter().map(|(word, count)| (*word, *count));
    Ok(people
        .chain(sums)
        .map(|(word, count)| (word.to_owned(), count))
        .collect())
}

/// Shipments that wait for a person, by reason.
async fn held(world: &World) -> Result<BTreeMap<String, u64>, DemoError> {
    let mut tx = world.context.store.snapshot().await?;
    let mut held = BTreeMap::new();
    for ([_state, reason, _odd], count) in tally(&mut tx, Counted::Shipments).await? {
        if !reason.is_empty() {
            *held.entry(reason).or_default() += count;
        }
    }
    Ok(held)
}

fn sum(tally: &Tally, wanted: impl Fn(&[String; 3]) -> bool) -> u64 {
    tally
        .iter()
        .filter(|(words, _)| wanted(words))
        .map(|(_, count)| count)
        .sum()
}

/// Writes an outcome for people.
///
/// # Errors
/// As the writer says.
pub fn show(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    show::show(outcome, out)
}
