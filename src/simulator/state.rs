//! Room `simulator`: everything the operator remembers, and the agenda of what is still to happen.
//!
//! In: orders to take in, look-ups, tokens. Out: kept orders and ledger lines. Deliberately not here: what happens
//! as time passes (`agenda`) and HTTP. Nothing here waits; the lock around it is never held over an await.

use super::PhysicalEvent;
use super::config::{DuplicatePolicy, SimulatorConfig};
use super::dice::Dice;
use super::faults::Fault;
use super::item_code::item_code;
use super::journey::{Route, Step, plan_before_hand_over};
use super::ledger::{Entry, LedgerWriter, OrderKeys};
use super::order::Order;
use super::parcel::Parcel;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One callback to be sent.
#[derive(Clone, Debug)]
pub(super) struct Announcement {
    /// `None`: about an order that nobody placed.
    pub(super) order: Option<u64>,
    /// What its dice are thrown for.
    pub(super) key: String,
    pub(super) status: u16,
    pub(super) reason: Option<&'static str>,
}

/// A batch that was not answered and is sent again, byte for byte.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) body: String,
    pub(super) records: Vec<super::ledger::CallbackLine>,
    pub(super) attempt: usize,
}

/// Something that happens at a known time.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Step { order: u64, generation: u64 },
    LateAccept(Box<Parcel>),
    AutoHandOver { order: u64 },
    Judge { order: u64, case: u64 },
    Announce(Announcement),
    SendAgain(Batch),
}

/// What a turn of the agenda leaves to be sent.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) performed: usize,
    pub(super) announcements: Vec<Announcement>,
    pub(super) again: Vec<Batch>,
}

/// The operator's memory.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Arc<SimulatorConfig>,
    pub(super) orders: BTreeMap<u64, Order>,
    pub(super) by_sale: BTreeMap<String, Vec<u64>>,
    by_item: BTreeMap<String, u64>,
    pub(super) by_update: BTreeSet<(Timestamp, u64)>,
    drafts: BTreeSet<u64>,
    /// Ordered by time, then by the key's die, so that the order of arrival does not matter.
    pub(super) agenda: BTreeMap<(Timestamp, u64, u64), Happening>,
    pub(super) next_sequence: u64,
    tokens: BTreeMap<String, Timestamp>,
    asked: BTreeMap<(&'static str, String), u64>,
    pub(super) counters: BTreeMap<&'static str, u64>,
    pub(super) physical: Vec<PhysicalEvent>,
    pub(super) ledger: LedgerWriter,
}

impl State {
    pub(super) const fn new(config: Arc<SimulatorConfig>, ledger: LedgerWriter) -> Self {
        Self {
            config,
            orders: BTreeMap::new(),
            by_sale: BTreeMap::new(),
            by_item: BTreeMap::new(),
            by_update: BTreeSet::new(),
            drafts: BTreeSet::new(),
            agenda: BTreeMap::new(),
            next_sequence: 0,
            tokens: BTreeMap::new(),
            asked: BTreeMap::new(),
            counters: BTreeMap::new(),
            physical: Vec::new(),
            ledger,
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counters.entry(what).or_default() += 1;
    }

    pub(super) fn dice(&self, question: &str, reference: &str, nth: u64) -> Dice {
        Dice::new(self.config.seed, question, reference, nth)
    }

    /// How often this was asked before.
    pub(super) fn times_asked(&mut self, operation: &'static str, reference: &str) -> u64 {
        let count = self.asked.entry((operation, reference.to_owned())).or_default();
        let before = *count;
        *count += 1;
        before
    }

    /// Does the fault strike? If so it is written down.
    pub(super) fn strikes(&mut self, fault: Fault, call: (&'static str, &str, u64), now: Timestamp) -> bool {
        let (operation, reference, nth) = call;
        let rate = self.config.faults.rate(fault);
        let hit = rate > 0
            && Dice::new(
                self.config.seed,
                fault.key(),
                &format!("{operation} {reference}"),
                nth,
            )
            .hits(rate);
        if hit {
            self.played(fault, operation, reference, now);
        }
        hit
    }

    pub(super) fn played(&mut self, fault: Fault, operation: &str, reference: &str, now: Timestamp) {
        self.count(fault.key());
        self.ledger.append(&Entry::Fault {
            at: now.as_ms(),
            fault: fault.key().to_owned(),
            operation: operation.to_owned(),
            reference: reference.to_owned(),
        });
    }

    // --- tokens -------------------------------------------------------------------------------------------------

    pub(super) fn issue_token(&mut self, now: Timestamp) -> String {
        let nth = self.times_asked("token", "issue");
        let mut dice = self.dice("token", "issue", nth);
        let token = format!("{:016x}{:016x}", dice.next(), dice.next());
        self.tokens.retain(|_, ends| *ends > now);
        let ends = now.plus_ms(self.config.pace.token_lifetime_ms);
        self.tokens.insert(token.clone(), ends);
        token
    }

    pub(super) fn token_lives(&self, token: &str, now: Timestamp) -> bool {
        self.tokens.get(token).is_some_and(|ends| *ends > now)
    }

    pub(super) fn kill_token(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    // --- looking up ---------------------------------------------------------------------------------------------

    /// Orders by the wire's `type`: 1 item code, 2 sale order code, 3 original id. `None`: no such type.
    pub(super) fn look_up(&self, kind: &str, code: &str) -> Option<Vec<&Order>> {
        let ids: Vec<u64> = match kind {
            "1" => self.by_item.get(code).copied().into_iter().collect(),
            "2" if code.is_empty() => Vec::new(),
            "2" => self.by_sale.get(code).cloned().unwrap_or_default(),
            "3" => code.parse().into_iter().collect(),
            _ => return None,
        };
        Some(ids.iter().filter_map(|id| self.orders.get(id)).collect())
    }

    /// One page of the orders last changed from `from` until before `until`.
    pub(super) fn updated(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: usize,
        size: usize,
    ) -> impl Iterator<Item = &Order> {
        self.by_update
            .range((from, 0)..(until, 0))
            .skip(page.saturating_mul(size))
            .take(size)
            .filter_map(|(_, id)| self.orders.get(id))
    }

    // --- taking in ----------------------------------------------------------------------------------------------

    /// Takes an order in; `None` when the policy refuses a second one under its code.
    pub(super) fn accept(&mut self, parcel: Parcel, late: bool, now: Timestamp) -> Option<u64> {
        let sale = parcel.sale_order_code.clone();
        let under_code = self.by_sale.get(&sale).map_or(0, Vec::len);
        let alive = self
            .look_up("2", &sale)
            .is_some_and(|orders| orders.iter().any(|order| !matches!(order.status, 8 | 9 | 22)));
        if alive && self.config.duplicates == DuplicatePolicy::Refuse {
            self.refuse(&sale, now);
            return None;
        }
        let key = format!("{sale}#{under_code}");
        let id = self.free_id(&key);
        let item_code = self.free_item_code(&key);
        let keys = OrderKeys {
            sale_order_code: sale.clone(),
            item_code: item_code.clone(),
            original_id: id,
        };
        let entry = if parcel.draft {
            Entry::Drafted {
                at: now.as_ms(),
                order: keys.clone(),
            }
        } else {
            Entry::Accepted {
                at: now.as_ms(),
                order: keys.clone(),
                body_sha256: parcel.body_sha256.clone(),
                late,
            }
        };
        self.ledger.append(&entry);
        // Before the answer: an order that the caller was told of is in the ledger even if we are killed now.
        self.ledger.flush();
        let draft = parcel.draft;
        let order = Order {
            header_id: id.saturating_add(1_000_000_000),
            key,
            status: 0,
            history: Vec::new(),
            created_at: now,
            updated_at: now,
            plan: std::collections::VecDeque::new(),
            generation: 0,
            handed_over: false,
            cases: Vec::new(),
            keys,
            parcel,
        };
        self.orders.insert(id, order);
        self.by_sale.entry(sale).or_default().push(id);
        self.by_item.insert(item_code, id);
        self.by_update.insert((now, id));
        if draft {
            self.drafts.insert(id);
        } else {
            self.begin(id, now);
        }
        Some(id)
    }

    /// A draft becomes an order. False when it is no draft.
    pub(super) fn publish_draft(&mut self, id: u64, now: Timestamp) -> bool {
        let Some(order) = self.orders.get_mut(&id).filter(|_| self.drafts.remove(&id)) else {
            return false;
        };
        order.parcel.draft = false;
        let entry = Entry::Accepted {
            at: now.as_ms(),
            order: order.keys.clone(),
            body_sha256: order.parcel.body_sha256.clone(),
            late: false,
        };
        self.ledger.append(&entry);
        self.ledger.flush();
        self.begin(id, now);
        true
    }

    /// Forgets a draft. False when it is no draft.
    pub(super) fn delete_draft(&mut self, id: u64) -> bool {
        if !self.drafts.remove(&id) {
            return false;
        }
        if let Some(order) = self.orders.remove(&id) {
            self.by_item.remove(&order.keys.item_code);
            self.by_update.remove(&(order.updated_at, id));
            if let Some(ids) = self.by_sale.get_mut(&order.keys.sale_order_code) {
                ids.retain(|other| *other != id);
            }
        }
        true
    }

    /// An order comes alive: status 1, and the agenda of an order that waits for its paper.
    fn begin(&mut self, id: u64, now: Timestamp) {
        self.count("orders_accepted");
        let created = Step {
            status: 1,
            at: now,
            place: "MyVNPost",
            reason: None,
        };
        self.reach(id, &created, now);
        let config = Arc::clone(&self.config);
        if let Some(order) = self.orders.get_mut(&id) {
            let route = route(&order.parcel);
            order.plan = plan_before_hand_over(config.seed, &config.faults, &order.key, now, route);
        }
        self.schedule_next_step(id, now);
        if let Some(wait) = config.pace.auto_hand_over_after_ms {
            self.schedule(now.plus_ms(wait), id, Happening::AutoHandOver { order: id });
        }
    }

    pub(super) fn refuse(&mut self, sale_order_code: &str, now: Timestamp) {
        self.count("orders_refused");
        self.ledger.append(&Entry::Refused {
            at: now.as_ms(),
            sale_order_code: sale_order_code.to_owned(),
        });
    }

    /// The order appears later, as if it had been stuck in a queue of the operator's.
    pub(super) fn accept_later(&mut self, parcel: Parcel, nth: u64, now: Timestamp) {
        let (low, high) = self.config.pace.late_accept_ms;
        let mut dice = self.dice("late delay", &parcel.sale_order_code, nth);
        let at = now.plus_ms(dice.between(low, high).max(1));
        let salt = dice.next();
        self.schedule(at, salt, Happening::LateAccept(Box::new(parcel)));
    }

    /// Numbers follow from the key, so that the order of arrival does not change them.
    fn free_id(&self, key: &str) -> u64 {
        let mut dice = self.dice("original id", key, 0);
        loop {
            let id = 900_000_000 + dice.next() % 100_000_000;
            if !self.orders.contains_key(&id) {
                return id;
            }
        }
    }

    fn free_item_code(&self, key: &str) -> String {
        let mut dice = self.dice("item code", key, 0);
        loop {
            let serial = u32::try_from(dice.next() % 100_000_000).unwrap_or(0);
            let code = item_code(serial);
            if !self.by_item.contains_key(&code) {
                return code;
            }
        }
    }
}

/// Where the parcel goes, as far as its journey depends on it.
pub(super) fn route(parcel: &Parcel) -> Route<'_> {
    Route {
        send_type: &parcel.send_type,
        within_province: parcel.within_province,
    }
}
