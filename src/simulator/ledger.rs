//! Room `simulator`: the operator's own record of what it took in and did.
//!
//! In: one [`Entry`] per happening. Out: JSON lines in an append-only file, and [`read_ledger`], which counts them up
//! per `saleOrderCode` for a checker that must not trust the gateway's tables. Deliberately not here: names, telephone
//! numbers and addresses; a digest of the received body stands for them.

use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

/// One line. Times are Unix milliseconds of simulated time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Entry {
    /// An order came alive.
    Accepted {
        at: i64,
        order: OrderKeys,
        /// SHA-256 of the received body, hexadecimal.
        body_sha256: String,
        late: bool,
    },
    /// A draft was saved; it is no order yet.
    Drafted { at: i64, order: OrderKeys },
    /// An order was refused; nothing came alive.
    Refused { at: i64, sale_order_code: String },
    /// An order ended before it was collected.
    Cancelled { at: i64, order: OrderKeys },
    /// The paper changed hands between sender and operator.
    Paper { at: i64, order: OrderKeys, to: PaperTo },
    /// A status became visible at `at`; it happened at `occurred_at`.
    Status {
        at: i64,
        order: OrderKeys,
        status: u16,
        occurred_at: i64,
    },
    /// A batch of callbacks was sent, and answered or not.
    Callback {
        at: i64,
        records: Vec<CallbackLine>,
        attempt: usize,
        answered: bool,
    },
    /// A fault was played.
    Fault {
        at: i64,
        fault: String,
        operation: String,
        reference: String,
    },
}

/// How an order is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderKeys {
    pub(super) sale_order_code: String,
    pub(super) item_code: String,
    pub(super) original_id: u64,
}

/// One record of a sent batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CallbackLine {
    pub(super) item_code: String,
    pub(super) status: u16,
}

/// Who got the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaperTo {
    Operator,
    Sender,
}

/// The open file.
#[derive(Debug)]
pub(super) struct LedgerWriter {
    file: BufWriter<File>,
    failure: Option<io::ErrorKind>,
}

impl LedgerWriter {
    /// Opens the file at `path`, which must be absent or empty: an operator forgets its orders when it stops, so it
    /// must not go on in another's record.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        if file.metadata()?.len() > 0 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Self {
            file: BufWriter::with_capacity(1 << 16, file),
            failure: None,
        })
    }

    /// Writes one line; a failure is kept for [`LedgerWriter::failure`].
    pub(super) fn append(&mut self, entry: &Entry) {
        let result = serde_json::to_writer(&mut self.file, entry)
            .map_err(io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        self.note(result);
    }

    /// Gives everything to the operating system: from here on a killed process loses nothing of it.
    pub(super) fn flush(&mut self) {
        let result = self.file.flush();
        self.note(result);
    }

    /// The first failure to write, if there was one.
    pub(super) const fn failure(&self) -> Option<io::ErrorKind> {
        self.failure
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.failure.get_or_insert(error.kind());
        }
    }
}

/// One order of the operator, as its ledger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerOrder {
    /// The operator's tracking number.
    pub item_code: String,
    /// The operator's own number of the order.
    pub original_id: u64,
    /// SHA-256 of the `CreateOrder` body as received, hexadecimal.
    pub body_sha256: String,
    /// When the order came alive.
    pub accepted_at: Timestamp,
    /// It came alive after the caller had been left without an answer, and after a delay.
    pub late: bool,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// When the paper was handed to the operator.
    pub handed_over_at: Option<Timestamp>,
    /// When it was delivered (status 14 or 23), by the operator's own time.
    pub delivered_at: Option<Timestamp>,
    /// When it came back to the sender (status 19 or 20), by the operator's own time.
    pub returned_at: Option<Timestamp>,
    /// The last status that is not a note about money (21, 28, 29).
    pub last_status: u16,
    /// Every status with the operator's own time, in the order in which they became visible.
    pub statuses: Vec<(u16, Timestamp)>,
}

/// All orders under one `saleOrderCode`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSale {
    /// In the order of acceptance.
    pub orders: Vec<LedgerOrder>,
    /// How many attempts were refused.
    pub refused: u64,
}

impl LedgerSale {
    /// Orders that were accepted and not cancelled. More than 1 means: sent twice.
    pub fn live(&self) -> usize {
        self.orders
            .iter()
            .filter(|order| order.cancelled_at.is_none())
            .count()
    }

    /// The final status (9, 14, 19, 20, 22 or 23) of the first live order, or of the last one when none is alive.
    pub fn final_status(&self) -> Option<u16> {
        self.orders
            .iter()
            .find(|order| order.cancelled_at.is_none())
            .or_else(|| self.orders.last())
            .map(|order| order.last_status)
            .filter(|status| matches!(status, 9 | 14 | 19 | 20 | 22 | 23))
    }
}

/// What a whole ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSummary {
    /// By `saleOrderCode`; orders without one are under the empty text.
    pub sales: BTreeMap<String, LedgerSale>,
    /// How often each fault was played, by its key.
    pub faults: BTreeMap<String, u64>,
    /// Callback records in batches that were answered.
    pub callbacks_answered: u64,
    /// Callback records in batches that were not answered, counted once per attempt.
    pub callbacks_unanswered: u64,
    /// Whole lines read.
    pub lines: u64,
    /// The last line was cut off, as a killed process leaves it.
    pub torn: bool,
}

impl LedgerSummary {
    /// Live orders of all codes together.
    pub fn live(&self) -> usize {
        self.sales.values().map(LedgerSale::live).sum()
    }
}

/// Why a ledger could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be opened or read.
    #[error("ledger could not be read")]
    Io(#[from] io::Error),
    /// A line that is not the last one makes no sense: this is no ledger, or it was edited.
    #[error("line {0} of the ledger is not understood")]
    Line(u64),
    /// A line speaks of an order that no earlier line accepted.
    #[error("line {0} of the ledger speaks of an order that was never accepted")]
    Stray(u64),
}

/// Counts up the ledger at `path`.
///
/// # Errors
/// When the file cannot be read, or a line other than a cut-off last one is not understood.
pub fn read_ledger(path: &Path) -> Result<LedgerSummary, LedgerError> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut summary = LedgerSummary::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(summary);
        }
        if line.last() != Some(&b'\n') {
            summary.torn = true;
            return Ok(summary);
        }
        let number = summary.lines + 1;
        let entry = serde_json::from_slice(&line).map_err(|_not_an_entry| LedgerError::Line(number))?;
        summary.take(entry).ok_or(LedgerError::Stray(number))?;
        summary.lines = number;
    }
}

impl LedgerSummary {
    /// `None` when the entry speaks of an order never accepted.
    fn take(&mut self, entry: Entry) -> Option<()> {
        match entry {
            Entry::Accepted {
                at,
                order,
                body_sha256,
                late,
            } => {
                let sale = self.sales.entry(order.sale_order_code).or_default();
                sale.orders.push(LedgerOrder {
                    item_code: order.item_code,
                    original_id: order.original_id,
                    body_sha256,
                    accepted_at: Timestamp::from_ms(at),
                    late,
                    cancelled_at: None,
                    handed_over_at: None,
                    delivered_at: None,
                    returned_at: None,
                    last_status: 1,
                    statuses: Vec::new(),
                });
            }
            Entry::Drafted { .. } => {}
            Entry::Refused { sale_order_code, .. } => {
                self.sales.entry(sale_order_code).or_default().refused += 1;
            }
            Entry::Cancelled { at, order } => {
                self.order(&order)?.cancelled_at = Some(Timestamp::from_ms(at));
            }
            Entry::Paper { at, order, to } => {
                let order = self.order(&order)?;
                match to {
                    PaperTo::Operator => order.handed_over_at = Some(Timestamp::from_ms(at)),
                    // Taken back before the operator recorded it: then it never was handed over.
                    PaperTo::Sender if order.last_status < 6 => order.handed_over_at = None,
                    PaperTo::Sender => {}
                }
            }
            Entry::Status {
                order,
                status,
                occurred_at,
                ..
            } => self.order(&order)?.reach(status, Timestamp::from_ms(occurred_at)),
            Entry::Callback {
                records, answered, ..
            } => {
                let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
                if answered {
                    self.callbacks_answered += count;
                } else {
                    self.callbacks_unanswered += count;
                }
            }
            Entry::Fault { fault, .. } => *self.faults.entry(fault).or_default() += 1,
        }
        Some(())
    }

    fn order(&mut self, keys: &OrderKeys) -> Option<&mut LedgerOrder> {
        self.sales
            .get_mut(&keys.sale_order_code)?
            .orders
            .iter_mut()
            .find(|order| order.original_id == keys.original_id)
    }
}

impl LedgerOrder {
    fn reach(&mut self, status: u16, at: Timestamp) {
        self.statuses.push((status, at));
        match status {
            14 | 23 => self.delivered_at = Some(at),
            19 | 20 => self.returned_at = Some(at),
            21 | 28 | 29 => return,
            _ => {}
        }
        self.last_status = status;
    }
}
