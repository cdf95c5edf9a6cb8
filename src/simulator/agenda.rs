//! Room `simulator`: what happens as time passes, and what people do with the paper.
//!
//! In: hand-overs, requests to cancel, the present time. Out: changed orders, ledger lines, callbacks to send.
//! Deliberately not here: taking orders in (`state`) and sending (`callback`).

use super::faults::Fault;
use super::journey::{Step, plan};
use super::ledger::{Entry, PaperTo};
use super::order::{Case, Verdict, Wish, is_final, is_note};
use super::state::{Announcement, Batch, Due, Happening, State, route};
use super::{PaperOutcome, PhysicalEvent, PhysicalKind};
use crate::domain::time::{Resolution, Timestamp};
use std::sync::Arc;

impl State {
    // --- paper --------------------------------------------------------------------------------------------------

    /// The paper goes to the operator, for the oldest live order under the code.
    pub(super) fn hand_over(&mut self, sale_order_code: &str, at: Timestamp, now: Timestamp) -> PaperOutcome {
        let Some(ids) = self.by_sale.get(sale_order_code).filter(|ids| !ids.is_empty()) else {
            return PaperOutcome::UnknownOrder;
        };
        let live = ids
            .iter()
            .filter_map(|id| self.orders.get(id).map(|order| (*id, order)))
            .find(|(_, order)| order.status != 0 && (order.handed_over || !is_final(order.status)));
        match live {
            None => PaperOutcome::NotLive,
            Some((_, order)) if order.handed_over => PaperOutcome::AlreadyHandedOver,
            Some((id, _)) => {
                self.take_paper(id, at, now);
                PaperOutcome::Done
            }
        }
    }

    fn take_paper(&mut self, id: u64, at: Timestamp, now: Timestamp) {
        let config = Arc::clone(&self.config);
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        order.handed_over = true;
        let route = route(&order.parcel);
        order.plan = plan(config.seed, &config.faults, &order.key, at, route);
        order.generation += 1;
        let entry = Entry::Paper {
            at: at.as_ms(),
            order: order.keys.clone(),
            to: PaperTo::Operator,
        };
        self.ledger.append(&entry);
        self.schedule_next_step(id, now);
    }

    /// The sender takes the paper back: before the operator recorded it, or while it is on the way back.
    pub(super) fn take_back(&mut self, sale_order_code: &str, at: Timestamp, now: Timestamp) -> PaperOutcome {
        let ids = self.by_sale.get(sale_order_code).map_or(&[][..], Vec::as_slice);
        let held = |id: &u64| self.orders.get(id).is_some_and(|order| order.handed_over);
        let Some(id) = ids.iter().copied().find(held) else {
            return PaperOutcome::UnknownOrder;
        };
        let Some(order) = self.orders.get_mut(&id) else {
            return PaperOutcome::UnknownOrder;
        };
        match order.status {
            1..=5 => {
                order.handed_over = false;
                order.plan.clear();
            }
            16 | 17 | 18 | 24 => {
                let returned = Step {
                    status: 19,
                    at,
                    place: "Bưu cục chấp nhận",
                    reason: None,
                };
                order.plan = [returned].into();
            }
            19 | 20 => return PaperOutcome::Done,
            _ => return PaperOutcome::NotBack,
        }
        order.generation += 1;
        let entry = Entry::Paper {
            at: at.as_ms(),
            order: order.keys.clone(),
            to: PaperTo::Sender,
        };
        self.ledger.append(&entry);
        self.schedule_next_step(id, now);
        PaperOutcome::Done
    }

    pub(super) fn take_physical(&mut self) -> Vec<PhysicalEvent> {
        std::mem::take(&mut self.physical)
    }

    // --- cancelling ---------------------------------------------------------------------------------------------

    /// Asks for a cancellation or a correction; the case is kept, the verdict may come later.
    pub(super) fn open_case(&mut self, id: u64, wish: Wish, now: Timestamp) -> Option<Case> {
        let nth = u64::try_from(self.orders.get(&id)?.cases.len()).unwrap_or(0);
        let key = self.orders.get(&id)?.key.clone();
        let collected = self.orders.get(&id)?.handed_over || self.orders.get(&id)?.status > 5;
        let waits = self.strikes(Fault::CancelCase, ("case", &key, nth), now);
        let verdict = match (collected, waits) {
            (true, _) => Verdict::Refused,
            (false, true) => Verdict::Waiting,
            (false, false) => Verdict::Accepted,
        };
        let case = Case {
            id: id.saturating_mul(100).saturating_add(nth),
            verdict,
            wish,
        };
        self.orders.get_mut(&id)?.cases.push(case.clone());
        match (verdict, wish) {
            (Verdict::Accepted, Wish::Cancel) => self.cancel(id, now),
            (Verdict::Waiting, _) => {
                let (low, high) = self.config.pace.case_ms;
                let wait = self.dice("case", &key, nth).between(low, high);
                self.schedule(
                    now.plus_ms(wait),
                    id,
                    Happening::Judge {
                        order: id,
                        case: case.id,
                    },
                );
            }
            (Verdict::Accepted, Wish::Correct) | (Verdict::Refused, _) => {}
        }
        Some(case)
    }

    fn judge(&mut self, id: u64, case_id: u64, now: Timestamp) {
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        // In the meantime the parcel may have been collected, and then it is too late.
        let too_late = order.handed_over || order.status > 5;
        let key = order.key.clone();
        let refused = too_late || self.strikes(Fault::CancelRefused, ("case", &key, case_id % 100), now);
        let verdict = if refused {
            Verdict::Refused
        } else {
            Verdict::Accepted
        };
        let mut wish = None;
        if let Some(order) = self.orders.get_mut(&id)
            && let Some(case) = order.cases.iter_mut().find(|case| case.id == case_id)
        {
            case.verdict = verdict;
            wish = Some(case.wish);
        }
        if wish == Some(Wish::Cancel) && verdict == Verdict::Accepted {
            self.cancel(id, now);
        }
    }

    fn cancel(&mut self, id: u64, now: Timestamp) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.plan.clear();
            order.generation += 1;
        }
        let step = Step {
            status: 9,
            at: now,
            place: "MyVNPost",
            reason: None,
        };
        self.reach(id, &step, now);
    }

    // --- the agenda ---------------------------------------------------------------------------------------------

    pub(super) fn next_event_at(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, ..)| *at)
    }

    pub(super) fn schedule(&mut self, at: Timestamp, salt: u64, happening: Happening) {
        self.next_sequence += 1;
        self.agenda.insert((at, salt, self.next_sequence), happening);
    }

    pub(super) fn send_again(&mut self, batch: Batch, now: Timestamp) {
        let retries = &self.config.pace.callback_retry_ms;
        match retries.get(batch.attempt.saturating_sub(1)) {
            Some(wait) => {
                let at = now.plus_ms((*wait).max(1));
                self.schedule(at, 0, Happening::SendAgain(batch));
            }
            None => self.count("callback_batches_given_up"),
        }
    }

    /// Does everything that is due; what has to be sent is handed back.
    pub(super) fn perform_due(&mut self, now: Timestamp) -> Due {
        let mut due = Due::default();
        while let Some(first) = self.agenda.first_entry()
            && first.key().0 <= now
        {
            due.performed += 1;
            match first.remove() {
                Happening::Step { order, generation } => self.perform_step(order, generation, now),
                Happening::LateAccept(parcel) => {
                    self.accept(*parcel, true, now);
                }
                Happening::AutoHandOver { order } => {
                    if self
                        .orders
                        .get(&order)
                        .is_some_and(|order| !order.handed_over && !is_final(order.status))
                    {
                        self.take_paper(order, now, now);
                    }
                }
                Happening::Judge { order, case } => self.judge(order, case, now),
                Happening::Announce(announcement) => due.announcements.push(announcement),
                Happening::SendAgain(batch) => due.again.push(batch),
            }
        }
        due
    }

    pub(super) fn schedule_next_step(&mut self, id: u64, now: Timestamp) {
        let upload = self.config.pace.upload_ms.max(1);
        let Some((at, generation)) = self
            .orders
            .get(&id)
            .and_then(|order| order.plan.front().map(|step| (step.at, order.generation)))
        else {
            return;
        };
        // Rounded up to the next upload of the scanners, and never into the past.
        let shown = at
            .as_ms()
            .div_euclid(upload)
            .saturating_add(1)
            .saturating_mul(upload);
        let shown = Timestamp::from_ms(shown).max(now);
        self.schedule(
            shown,
            id,
            Happening::Step {
                order: id,
                generation,
            },
        );
    }

    fn perform_step(&mut self, id: u64, generation: u64, now: Timestamp) {
        let step = self
            .orders
            .get_mut(&id)
            .filter(|order| order.generation == generation)
            .and_then(|order| order.plan.pop_front());
        if let Some(step) = step {
            self.reach(id, &step, now);
            self.schedule_next_step(id, now);
        }
    }

    /// The order reaches a status, and everything that follows from it.
    pub(super) fn reach(&mut self, id: u64, step: &Step, now: Timestamp) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        // The wire shows seconds; the ledger must say the same time, or a checker would see differences.
        let step = &Step {
            at: step.at.truncate(Resolution::Second),
            ..step.clone()
        };
        self.by_update.remove(&(order.updated_at, id));
        order.updated_at = now;
        self.by_update.insert((now, id));
        if !is_note(step.status) {
            order.status = step.status;
        }
        order.history.push(step.clone());
        let keys = order.keys.clone();
        let kind = match step.status {
            14 | 23 => Some(PhysicalKind::Delivered),
            19 | 20 => Some(PhysicalKind::BackAtSender),
            _ => None,
        };
        self.ledger.append(&Entry::Status {
            at: now.as_ms(),
            order: keys.clone(),
            status: step.status,
            occurred_at: step.at.as_ms(),
        });
        if step.status == 9 || step.status == 22 {
            self.count("orders_cancelled");
            self.ledger.append(&Entry::Cancelled {
                at: now.as_ms(),
                order: keys.clone(),
            });
        }
        if let Some(kind) = kind {
            self.physical.push(PhysicalEvent {
                sale_order_code: keys.sale_order_code,
                kind,
                at: step.at,
            });
        }
        self.announce(id, step, now);
    }

    /// Plans the callbacks about a status: one, two, none, later, or together with a strange one.
    fn announce(&mut self, id: u64, step: &Step, now: Timestamp) {
        const MINUTE: i64 = 60_000;
        if self.config.webhook.is_none() {
            return;
        }
        let Some(order) = self.orders.get(&id) else {
            return;
        };
        let key = format!("{}/{}", order.key, order.history.len());
        let next_step_at = order.plan.front().map(|step| step.at);
        let announcement = Announcement {
            order: Some(id),
            key: key.clone(),
            status: step.status,
            reason: step.reason,
        };
        let call = ("callback", key.as_str(), 0);
        if self.strikes(Fault::CallbackUnknownOrder, call, now) {
            let stray = Announcement {
                order: None,
                ..announcement.clone()
            };
            self.schedule(now, id, Happening::Announce(stray));
        }
        if self.strikes(Fault::CallbackLost, call, now) {
            return;
        }
        let mut dice = self.dice("callback", &key, 0);
        if self.strikes(Fault::CallbackDuplicate, call, now) {
            let again = now.plus_ms(dice.between(MINUTE, 90 * MINUTE));
            self.schedule(again, id, Happening::Announce(announcement.clone()));
        }
        let (low, high) = self.config.pace.late_callback_ms;
        let mut at = now;
        if self.strikes(Fault::CallbackLate, call, now) {
            at = now.plus_ms(dice.between(low, high));
        } else if let Some(next) = next_step_at
            && self.strikes(Fault::CallbackReordered, call, now)
        {
            // Past the next step's own upload, which lies at most one upload after the step.
            at = next
                .max(now)
                .plus_ms(self.config.pace.upload_ms.saturating_mul(2).max(MINUTE));
        }
        self.schedule(at, id, Happening::Announce(announcement));
    }
}
