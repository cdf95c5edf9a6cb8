//! Room `stage`, import: a file of dossiers of one system.
//!
//! In: the bytes of a CSV file or a workbook. Out: the same checks and rows as by the JSON API, and every refused row by
//! line, column and reason. The whole file is read and checked before anything is written. Good rows are staged sealed
//! and switched in by small transactions (`switch`). Importing the same file again changes nothing.
//!
//! A run that was cut off is settled by the next start of the same file: one that was still staging is **taken back**,
//! nothing of it stood; one that was switching in is **finished** from its staged rows. Then the file is imported as
//! ever. Deliberately not here: opening files, and words for people.

mod columns;
mod row;
mod staged;
mod switch;
mod table;
mod workbook;

pub use columns::{Column, Rule};
pub use row::RowFault;
pub use switch::RunError;
pub use table::{COLUMNS_MAX, FILE_BYTES_MAX, FileError, HeaderFault, ROWS_MAX};

use crate::domain::dossier::snapshot::Warning;
use crate::domain::id::{ImportId, SourceId};
use crate::domain::journal::Actor;
use crate::edge::store::dossier_entry::{Checker, EntryError};
use crate::edge::store::import::{self, RunState};
use crate::edge::store::{StoreError, personal, source};
use crate::stage::context::Context;
use row::Row;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use switch::{STAGED_MAX, Work};
use table::Table;

/// Rows checked over one view of the database.
const CHECKED_MAX: usize = 500;

/// What to do with rows that are found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Good rows in, wrong ones told.
    GoodRows,
    /// One wrong row refuses the file; nothing is changed.
    AllOrNothing,
    /// Only look; nothing is changed.
    DryRun,
}

/// What is imported.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The file.
    pub file: &'a [u8],
    /// Code of the dossier system whose dossiers they are.
    pub source: &'a str,
    /// Who does it.
    pub actor: Actor,
    /// What to do with wrong rows.
    pub mode: Mode,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rows are being checked.
    Checking,
    /// Good rows are being staged.
    Staging,
    /// Staged rows are being switched in.
    Switching,
    /// Rows of a run that was cut off are being switched in.
    Resuming,
}

/// Told while an import goes on: the step, rows done, rows in all.
pub type Watch<'a> = &'a (dyn Fn(Step, usize, usize) + Send + Sync);

/// Why nothing, or no more, was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole.
    #[error(transparent)]
    File(#[from] FileError),
    /// No dossier system of this code.
    #[error("there is no dossier system of this code")]
    NoSource,
    /// The run broke off; the next start of the same file settles it.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Run(RunError::Store(error))
    }
}

/// A refused row with its faults, by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Line of the file, from 1.
    pub line: u32,
    /// All that is wrong with it.
    pub faults: Vec<RowFault>,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows of the file, the heading and empty lines not counted.
    pub rows: u32,
    /// Refused rows, by line.
    pub refused: Vec<Refusal>,
    /// Rows that stand now.
    pub applied: u32,
    /// Of them, dossiers that were not known.
    pub opened: u32,
    /// Of them, known dossiers with something new.
    pub changed: u32,
    /// What a person should look at, counted.
    pub warnings: BTreeMap<Warning, u32>,
    /// Rows of an earlier run of the same file, cut off while it switched in, that were switched in first.
    pub resumed: Option<u32>,
    /// An earlier run of the same file, cut off before anything stood, was taken back.
    pub taken_back: bool,
    /// Runs of other files of this system that were cut off or are going on: import those files again.
    pub unfinished: u32,
}

/// Imports a file.
///
/// # Errors
/// [`ImportError`]; after [`ImportError::Run`] rows may stand, and the next start of the same file settles the run.
pub async fn run(
    context: &Arc<Context>,
    request: Request<'_>,
    watch: Watch<'_>,
) -> Result<Outcome, ImportError> {
    let table = table::read(request.file)?;
    let mut tx = context.store.snapshot().await?;
    let source = source::source_by_code(&mut tx, request.source).await?;
    drop(tx);
    let source = source.ok_or(ImportError::NoSource)?.id;
    let file: [u8; 32] = Sha256::digest(request.file).into();
    let (good, mut outcome) = check(context, source, &table, watch).await?;
    drop(table);
    let cut = cut_off(context, source, &file).await?;
    outcome.unfinished = cut.others;
    let refuses = request.mode == Mode::AllOrNothing && !outcome.refused.is_empty();
    if refuses || request.mode == Mode::DryRun {
        return Ok(outcome);
    }
    let work = |id| Work {
        context: Arc::clone(context),
        source,
        actor: request.actor,
        id,
    };
    for (id, state) in cut.lost {
        work(id).take_back(state).await?;
    }
    for (id, state) in cut.same {
        match state {
            RunState::Staging => {
                work(id).take_back(state).await?;
                outcome.taken_back = true;
            }
            RunState::Applying => {
                let done = switch_in(&work(id), (Step::Resuming, 0), &mut outcome, watch).await?;
                work(id).finish(true).await?;
                outcome.resumed = Some(outcome.resumed.unwrap_or(0) + done);
            }
            RunState::Applied | RunState::Refused => {}
        }
    }
    if !good.is_empty() {
        apply(
            &work(ImportId::new(&*context.ids)),
            file,
            good,
            &mut outcome,
            watch,
        )
        .await?;
    }
    outcome.refused.sort_by_key(|refusal| refusal.line);
    Ok(outcome)
}

/// Checks every row; the good ones, and what is known of the others.
async fn check(
    context: &Context,
    source: SourceId,
    table: &Table,
    watch: Watch<'_>,
) -> Result<(Vec<(u32, Row)>, Outcome), ImportError> {
    let latest = context.clock.now().plus_ms(context.limits.clock_skew_max_ms);
    let total = table.lines.len();
    let mut outcome = Outcome {
        rows: u32::try_from(total).unwrap_or(u32::MAX),
        ..Outcome::default()
    };
    let mut good = Vec::with_capacity(total);
    for (number, lines) in table.lines.chunks(CHECKED_MAX).enumerate() {
        watch(Step::Checking, number * CHECKED_MAX, total);
        let mut tx = context.store.snapshot().await?;
        let opened = Checker::open(&mut tx, source, latest).await;
        let mut checker = opened.map_err(told)?;
        for line in lines {
            let faults = match row::read(&table.columns, &line.cells) {
                Err(faults) => faults,
                Ok(row) => match checker.check(&mut tx, &row.code, &row.snapshot).await {
                    Ok(_entry) => {
                        good.push((line.number, row));
                        continue;
                    }
                    Err(EntryError::Refused(faults)) => {
                        let mut faults: Vec<RowFault> = faults.iter().map(RowFault::of).collect();
                        faults.sort_unstable();
                        faults
                    }
                    Err(error) => return Err(told(error)),
                },
            };
            outcome.refused.push(Refusal {
                line: line.number,
                faults,
            });
        }
    }
    watch(Step::Checking, total, total);
    Ok((good, outcome))
}

fn told(error: EntryError) -> ImportError {
    ImportError::Run(match error {
        EntryError::Store(error) => RunError::Store(error),
        EntryError::NoStatusMap(source) => RunError::NoStatusMap(source),
        EntryError::Refused(_) => RunError::RowUnreadable,
    })
}

/// Runs of a system that did not come to an end.
#[derive(Default)]
struct CutOff {
    /// Of this very file.
    same: Vec<(ImportId, RunState)>,
    /// Of other files.
    others: u32,
    /// Of whatever file: the key of their staged rows is gone, so nobody can finish them.
    lost: Vec<(ImportId, RunState)>,
}

async fn cut_off(context: &Context, source: SourceId, file: &[u8; 32]) -> Result<CutOff, ImportError> {
    let mut tx = context.store.snapshot().await?;
    let mut cut = CutOff::default();
    for run in import::unfinished(&mut tx, source).await? {
        match personal::key(&context.store, &mut tx, run.record).await {
            Ok(key) if import::file_digest(&key, file) == run.file_digest => {
                cut.same.push((run.id, run.state));
            }
            Ok(_other) => cut.others += 1,
            Err(StoreError::Erased) => cut.lost.push((run.id, run.state)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(cut)
}

/// Stages good rows and switches them in.
async fn apply(
    work: &Work,
    file: [u8; 32],
    good: Vec<(u32, Row)>,
    outcome: &mut Outcome,
    watch: Watch<'_>,
) -> Result<(), ImportError> {
    work.begin(file).await?;
    let total = good.len();
    let refused = u32::try_from(outcome.refused.len()).unwrap_or(u32::MAX);
    let (mut staged, mut counted) = (0, 0);
    let mut rows = good.into_iter().peekable();
    while rows.peek().is_some() {
        watch(Step::Staging, staged, total);
        let mut sealed = Vec::with_capacity(STAGED_MAX);
        for (line, row) in rows.by_ref().take(STAGED_MAX) {
            sealed.push((line, staged::write(&row).ok_or(RunError::RowUnreadable)?));
        }
        staged += sealed.len();
        // The last chunk brings the refused rows into the count.
        let now = u32::try_from(staged).unwrap_or(u32::MAX);
        let counts = if rows.peek().is_none() {
            (counted, outcome.rows, refused)
        } else {
            (counted, now, 0)
        };
        counted = now;
        work.stage(sealed, counts).await?;
    }
    work.ready().await?;
    let before = outcome.opened + outcome.changed;
    outcome.applied = switch_in(work, (Step::Switching, total), outcome, watch).await?;
    work.finish(outcome.opened + outcome.changed > before).await?;
    Ok(())
}

/// Switches in what is staged; how many rows.
async fn switch_in(
    work: &Work,
    (step, total): (Step, usize),
    outcome: &mut Outcome,
    watch: Watch<'_>,
) -> Result<u32, ImportError> {
    let mut rows = 0;
    loop {
        watch(step, usize::try_from(rows).unwrap_or(usize::MAX), total);
        let done = work.switch().await?;
        rows += done.rows;
        outcome.opened += done.opened;
        outcome.changed += done.changed;
        for (warning, count) in done.warnings {
            *outcome.warnings.entry(warning).or_default() += count;
        }
        let refused = done.refused.into_iter();
        let refused = refused.map(|(line, faults)| Refusal { line, faults });
        outcome.refused.extend(refused);
        if done.over {
            return Ok(rows);
        }
    }
}
