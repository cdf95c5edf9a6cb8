//! Room `app::demo`: the quarter goes by.
//!
//! In: a plan and a world. Out: a world in which it happened, and the notes of its people. One simulated clock: when
//! every stage is idle and nobody has anything to do, it jumps to the next moment at which something is due, rounded up
//! so that what is due close together is done together. Deliberately not here: judging the outcome (`checks`).

mod agenda;
mod clerk;
mod desk_decisions;
mod systems;

use super::dice::Dice;
use super::error::DemoError;
use super::notes::Notes;
use super::plan::Plan;
use super::plan::days::MINUTE_MS;
use super::progress::Progress;
use super::world::World;
use crate::domain::time::{Clock as _, Timestamp};
use crate::worker;
use agenda::{Act, Agenda};
use std::collections::{BTreeMap, VecDeque};

/// The clock stops at whole multiples of this, simulated.
const STEP_MS: i64 = 10 * 60_000;
/// Rounds of all stages at one moment; more means that two of them feed each other for ever.
const ROUNDS_MAX: u32 = 10_000;
/// Moments at which the world may be busy without the clock moving on.
const TURNS_MAX: u32 = 1_000;
/// When nothing has happened for this long, simulated, the quarter is over.
const QUIET_MS: i64 = 4 * 86_400_000;

/// What came of driving, beside the notes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Driven {
    /// How often the clock was moved.
    pub(super) jumps: u64,
    /// When everything was over.
    pub(super) ended_at: Timestamp,
}

/// When all stages were last found idle.
#[derive(Clone, Copy, Debug)]
struct Idle {
    commits: (u64, u64),
    next_at: Option<Timestamp>,
}

impl Idle {
    /// Whether nothing was committed since, and nothing has fallen due.
    fn still(self, world: &World) -> bool {
        self.commits == world.context.store.commits() && self.next_at.is_none_or(|at| at > world.clock.now())
    }
}

/// The people and systems of the quarter, at work.
pub(super) struct Drive<'a> {
    plan: &'a Plan,
    world: &'a World,
    notes: &'a mut Notes,
    agenda: Agenda,
    dice: Dice,
    progress: &'a Progress,
    bystander: reqwest::Client,
    /// How often sending an envelope once more was put off.
    put_off: BTreeMap<usize, u32>,
    idle: Option<Idle>,
}

impl<'a> Drive<'a> {
    /// Ready to begin at the world's present time.
    pub(super) fn new(
        plan: &'a Plan,
        world: &'a World,
        notes: &'a mut Notes,
        progress: &'a Progress,
    ) -> Result<Self, DemoError> {
        let bystander = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|error| DemoError::Part("a bystander's client", Box::new(error)))?;
        Ok(Self {
            agenda: Agenda::new(plan, world.clock.now()),
            dice: Dice::new(plan.seed, 70),
            plan,
            world,
            notes,
            progress,
            bystander,
            put_off: BTreeMap::new(),
            idle: None,
        })
    }

    /// Lets the time pass until everything is over.
    pub(super) async fn run(mut self) -> Result<Driven, DemoError> {
        let mut driven = Driven::default();
        let mut last_act_at = self.world.clock.now();
        loop {
            let next_stage_at = self.settle().await?;
            let now = self.world.clock.now();
            let acts = self.agenda.take_due(now);
            if !acts.is_empty() {
                last_act_at = now;
                self.perform(acts).await?;
                self.progress.at(now, self.notes);
                continue;
            }
            let own = [self.agenda.next_at(), self.world.simulator.next_event_at()];
            let own = own.into_iter().flatten().min();
            if own.is_some() {
                last_act_at = now;
            }
            let next = own.into_iter().chain(next_stage_at).min();
            let Some(next) = next.filter(|_| now.since_ms(last_act_at) < QUIET_MS) else {
                driven.ended_at = now;
                return Ok(driven);
            };
            self.world.clock.set(after(now, next));
            driven.jumps += 1;
        }
    }

    /// Lets operator and stages do everything that is due now; when the stages next have something to do. As in service,
    /// stages are woken by commits and by the time they named, not by every move of the clock.
    async fn settle(&mut self) -> Result<Option<Timestamp>, DemoError> {
        for _ in 0..TURNS_MAX {
            let performed = self.world.simulator.run_due().await;
            self.catch_up_with_postman();
            if let Some(idle) = self.idle.filter(|idle| idle.still(self.world)) {
                return Ok(idle.next_at);
            }
            let drained = worker::drain(&self.world.jobs, &self.world.context, ROUNDS_MAX).await?;
            if performed == 0 && drained.done == 0 {
                self.idle = Some(Idle {
                    commits: self.world.context.store.commits(),
                    next_at: drained.next_at,
                });
                return Ok(drained.next_at);
            }
        }
        Err(DemoError::Confused("the stages are never idle"))
    }

    async fn perform(&mut self, mut acts: VecDeque<Act>) -> Result<(), DemoError> {
        while let Some(act) = acts.pop_front() {
            match act {
                Act::File(rows) => self.file(&rows).await?,
                Act::State(..) => {
                    let all = same(act, &mut acts, |act| matches!(act, Act::State(..)));
                    self.state(&all).await?;
                }
                Act::Withdraw(dossier) => self.withdraw(dossier).await?,
                Act::Register { .. } => {
                    let all = same(act, &mut acts, |act| matches!(act, Act::Register { .. }));
                    self.register(&all).await?;
                }
                Act::PaperIn(_) => {
                    let all = same(act, &mut acts, |act| matches!(act, Act::PaperIn(_)));
                    self.papers_in(&all).await?;
                }
                Act::Round => self.round().await?,
                Act::Ask => self.ask().await?,
                Act::Correct(parcel) => self.correct(parcel).await?,
                Act::Pack => self.pack().await?,
                Act::Close => self.close_lists().await?,
                Act::CollectDossier(dossier) => self.collect_dossier(dossier).await?,
                Act::CollectParcel(parcel) => self.collect_parcel(parcel).await?,
                Act::Forge => self.forge().await,
            }
        }
        Ok(())
    }

    /// The working moment after now when such a thing may be tried again.
    fn later(&self, days: u32, minute: u32) -> Timestamp {
        let days = usize::try_from(days).unwrap_or(1).max(1);
        let now = self.world.clock.now();
        let first = now.local_date().tomorrow();
        let first = first.map_or(0, |date| self.plan.days.on_or_after(date));
        let at = self.plan.days.at(first + days - 1, minute);
        // Beyond the last known working day any morning will do, but never one that is past.
        at.max(now.plus_ms(MINUTE_MS))
    }
}

/// An act with those of its kind that follow it.
fn same(first: Act, rest: &mut VecDeque<Act>, is_same: impl Fn(&Act) -> bool) -> Vec<Act> {
    let mut all = vec![first];
    while rest.front().is_some_and(&is_same) {
        all.extend(rest.pop_front());
    }
    all
}

/// `next` rounded up to a whole step, and never now or before.
fn after(now: Timestamp, next: Timestamp) -> Timestamp {
    let next = next.max(now.plus_ms(1));
    let steps = next.as_ms().saturating_add(STEP_MS - 1).div_euclid(STEP_MS);
    Timestamp::from_ms(steps.saturating_mul(STEP_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_jumps_to_whole_steps_and_never_stands() {
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        assert_eq!(after(at(0), at(3)), at(10));
        assert_eq!(after(at(10), at(10)), at(20));
        assert_eq!(after(at(10), at(4)), at(20));
        assert_eq!(after(at(5), at(20)), at(20));
    }
}
