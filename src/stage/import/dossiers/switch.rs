//! Room `stage`, import: the small transactions of a run.
//!
//! | command | if the process dies after it |
//! |---|---|
//! | begin, stage | rows wait, nothing stands; the next start of the same file takes the run back |
//! | ready | the same rows are switched in by the next start |
//! | switch | rows switched in stand and are deleted from the staging table in the same transaction; the others wait |
//! | finish | all rows stand, the run's key is destroyed |
//!
//! Each lasts a few hundredths of a second, and callbacks go ahead of each. Deliberately not here: their order (the
//! module above).

use super::row::RowFault;
use super::staged;
use crate::domain::dossier::snapshot::Warning;
use crate::domain::id::{ImportId, RecordId, SourceId};
use crate::domain::journal::{Actor, Fields, Kind, Tag};
use crate::domain::time::Timestamp;
use crate::edge::store::dossier_entry::{Checker, EntryError};
use crate::edge::store::import::{self, Run, RunState};
use crate::edge::store::record::Hand;
use crate::edge::store::{Command, StoreError, Tx, personal};
use crate::stage::context::Context;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Rows staged in one transaction.
pub(super) const STAGED_MAX: usize = 200;
/// Rows switched in by one transaction at most.
const SWITCHED_MAX: u32 = 128;
/// No further row is begun in a transaction after this time, so that it stays under 50 ms.
const SWITCH_TIME_MAX: Duration = Duration::from_millis(25);
/// Staged rows thrown away by one transaction.
const CLEARED_MAX: u32 = 1_000;
/// Staged rows are unreadable after this time at the latest, milliseconds: two days.
const KEY_LIFE_MS: i64 = 2 * 86_400_000;

/// Why a run broke off.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process imports the same file and took the run over.
    #[error("another process imports the same file; it goes on, this one stops")]
    TakenOver,
    /// The source's row names a status map this program does not have.
    #[error("dossier system {0} names a status map this program does not have")]
    NoStatusMap(SourceId),
    /// A staged row was written by another version, or its key is gone.
    #[error("a row of the run that was cut off cannot be read any more")]
    RowUnreadable,
}

/// What all commands of a run know.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) context: Arc<Context>,
    pub(super) source: SourceId,
    pub(super) actor: Actor,
    pub(super) id: ImportId,
}

impl Work {
    fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    fn hand(&self, now: Timestamp) -> Hand<'_> {
        Hand {
            ids: &*self.context.ids,
            now,
            actor: self.actor,
            office: [0; 16],
        }
    }

    /// Begins a run of a file with this digest.
    pub(super) async fn begin(&self, file: [u8; 32]) -> Result<(), RunError> {
        let begin = Begin {
            work: self.clone(),
            file,
            now: self.now(),
        };
        self.context.store.submit(begin).await
    }

    /// Stages rows; `counts` are rows read before, rows read now, of them refused.
    pub(super) async fn stage(
        &self,
        rows: Vec<(u32, Zeroizing<Vec<u8>>)>,
        counts: (u32, u32, u32),
    ) -> Result<(), RunError> {
        let work = self.clone();
        self.context.store.submit(Stage { work, rows, counts }).await
    }

    /// Everything is staged; from here on the run is finished, not taken back.
    pub(super) async fn ready(&self) -> Result<(), RunError> {
        let ready = Move {
            work: self.clone(),
            states: (RunState::Staging, RunState::Applying),
            end_at: None,
        };
        self.context.store.submit(ready).await
    }

    /// Switches some rows in.
    pub(super) async fn switch(&self) -> Result<Switched, RunError> {
        let switch = Switch {
            work: self.clone(),
            now: self.now(),
        };
        self.context.store.submit(switch).await
    }

    /// Ends a run all of whose rows stand; told to the journal when something changed.
    pub(super) async fn finish(&self, changed: bool) -> Result<(), RunError> {
        let finish = Finish {
            work: self.clone(),
            changed,
            now: self.now(),
        };
        self.context.store.submit(finish).await
    }

    /// Ends a run without switching in what is staged: one of which nothing stands yet, or one whose key is gone.
    pub(super) async fn take_back(&self, from: RunState) -> Result<(), RunError> {
        self.clear().await?;
        let end = Move {
            work: self.clone(),
            states: (from, RunState::Refused),
            end_at: Some(self.now()),
        };
        self.context.store.submit(end).await?;
        // What another process staged in between.
        self.clear().await
    }

    async fn clear(&self) -> Result<(), RunError> {
        while self.context.store.submit(Clear(self.id)).await? > 0 {}
        Ok(())
    }
}

struct Begin {
    work: Work,
    file: [u8; 32],
    now: Timestamp,
}

impl Command for Begin {
    const NAME: &'static str = "import_begin";
    type Output = ();
    type Error = RunError;

    async fn run(&self, tx: &mut Tx) -> Result<(), RunError> {
        let work = &self.work;
        let record = RecordId::new(&*work.context.ids);
        let ids = (work.id, record, work.source);
        let times = (self.now, self.now.plus_ms(KEY_LIFE_MS));
        import::insert(&work.context.store, tx, ids, &self.file, times).await?;
        Ok(())
    }
}

struct Stage {
    work: Work,
    rows: Vec<(u32, Zeroizing<Vec<u8>>)>,
    counts: (u32, u32, u32),
}

impl Command for Stage {
    const NAME: &'static str = "import_stage";
    type Output = ();
    type Error = RunError;

    async fn run(&self, tx: &mut Tx) -> Result<(), RunError> {
        let run = import::find(tx, self.work.id).await?.ok_or(RunError::TakenOver)?;
        let key = match personal::key(&self.work.context.store, tx, run.record).await {
            // Somebody took the run back, and its key with it.
            Err(StoreError::Erased) => return Err(RunError::TakenOver),
            other => other?,
        };
        if import::stage(tx, run.id, &key, &self.rows, self.counts).await? {
            Ok(())
        } else {
            Err(RunError::TakenOver)
        }
    }
}

/// Moves a run from one state to another; at its end the key goes.
struct Move {
    work: Work,
    states: (RunState, RunState),
    end_at: Option<Timestamp>,
}

impl Command for Move {
    const NAME: &'static str = "import_move";
    type Output = ();
    type Error = RunError;

    async fn run(&self, tx: &mut Tx) -> Result<(), RunError> {
        let run = import::lock(tx, self.work.id).await?.ok_or(RunError::TakenOver)?;
        if !import::set_state(tx, run.id, self.states, self.end_at).await? {
            return Err(RunError::TakenOver);
        }
        if let Some(now) = self.end_at {
            personal::destroy(tx, run.record, now).await?;
        }
        Ok(())
    }
}

/// What one transaction did.
#[derive(Default)]
pub(super) struct Switched {
    /// Rows that stand now, whether or not they changed anything.
    pub(super) rows: u32,
    /// Of them, dossiers that were not known.
    pub(super) opened: u32,
    /// Of them, known dossiers with something new.
    pub(super) changed: u32,
    /// Rows refused now, which a check before had found right: an office or a map changed in between.
    pub(super) refused: Vec<(u32, Vec<RowFault>)>,
    /// What a person should look at.
    pub(super) warnings: BTreeMap<Warning, u32>,
    /// Nothing is left.
    pub(super) over: bool,
}

struct Switch {
    work: Work,
    now: Timestamp,
}

impl Command for Switch {
    const NAME: &'static str = "import_switch";
    type Output = Switched;
    type Error = RunError;

    async fn run(&self, tx: &mut Tx) -> Result<Switched, RunError> {
        let began = Instant::now();
        let work = &self.work;
        let store = &work.context.store;
        let run = import::lock(tx, work.id).await?.ok_or(RunError::TakenOver)?;
        let mut done = Switched::default();
        if run.state != RunState::Applying {
            // Another process switched the rest in meanwhile.
            done.over = true;
            return Ok(done);
        }
        let key = match personal::key(store, tx, run.record).await {
            Err(StoreError::Erased) => return Err(RunError::RowUnreadable),
            other => other?,
        };
        let rows = import::next_rows(tx, run.id, &key, SWITCHED_MAX).await?;
        let latest = self.now.plus_ms(work.context.limits.clock_skew_max_ms);
        let mut checker = match Checker::open(tx, work.source, latest).await {
            Err(error) => return Err(told(error)),
            Ok(checker) => checker,
        };
        let hand = work.hand(self.now);
        let mut last = None;
        for (line, bytes) in &rows {
            let row = staged::read(bytes).ok_or(RunError::RowUnreadable)?;
            match checker.check(tx, &row.code, &row.snapshot).await {
                Ok(entry) => {
                    let put = checker.put(store, tx, &hand, &entry).await?;
                    done.count(put.opened, put.changed, entry.warnings());
                }
                Err(EntryError::Refused(faults)) => {
                    let faults = faults.iter().map(RowFault::of).collect();
                    done.refused.push((*line, faults));
                }
                Err(error) => return Err(told(error)),
            }
            last = Some(*line);
            if began.elapsed() >= SWITCH_TIME_MAX {
                break;
            }
        }
        match last {
            None => done.over = true,
            Some(line) => import::delete_rows(tx, run.id, line, done.rows).await?,
        }
        Ok(done)
    }
}

impl Switched {
    fn count(&mut self, opened: bool, changed: bool, warnings: &[Warning]) {
        self.rows += 1;
        self.opened += u32::from(opened);
        self.changed += u32::from(changed && !opened);
        for warning in warnings {
            *self.warnings.entry(*warning).or_default() += 1;
        }
    }
}

fn told(error: EntryError) -> RunError {
    match error {
        EntryError::Store(error) => RunError::Store(error),
        EntryError::NoStatusMap(source) => RunError::NoStatusMap(source),
        EntryError::Refused(_) => RunError::RowUnreadable,
    }
}

struct Finish {
    work: Work,
    changed: bool,
    now: Timestamp,
}

impl Command for Finish {
    const NAME: &'static str = "import_finish";
    type Output = ();
    type Error = RunError;

    async fn run(&self, tx: &mut Tx) -> Result<(), RunError> {
        let work = &self.work;
        let Run {
            id,
            record,
            rows_applied,
            file_digest,
            ..
        } = import::lock(tx, work.id).await?.ok_or(RunError::TakenOver)?;
        let states = (RunState::Applying, RunState::Applied);
        if !import::set_state(tx, id, states, Some(self.now)).await? {
            // Another process finished it.
            return Ok(());
        }
        personal::destroy(tx, record, self.now).await?;
        if self.changed {
            let fields = Fields::new()
                .bytes(Tag::Source, work.source.as_bytes())
                .bytes(Tag::Evidence, &file_digest)
                .int(Tag::Count, i64::from(rows_applied));
            let hand = work.hand(self.now);
            hand.append_system(tx, Kind::ImportApplied, fields).await?;
        }
        Ok(())
    }
}

struct Clear(ImportId);

impl Command for Clear {
    const NAME: &'static str = "import_clear";
    type Output = u64;
    type Error = RunError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, RunError> {
        Ok(import::clear_rows(tx, self.0, CLEARED_MAX).await?)
    }
}
