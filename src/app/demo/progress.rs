//! Room `app::demo`: what a watcher sees while the quarter goes by.
//!
//! In: the simulated time and the notes. Out: bars by stage on a terminal, else a line per simulated week, on standard
//! error. Deliberately not here: results, which go to standard output.

use super::notes::Notes;
use super::plan::Plan;
use crate::domain::time::Timestamp;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Whether anything is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watching {
    /// Bars on a terminal, lines elsewhere.
    Shown,
    /// Nothing.
    Quiet,
}

const WEEK_MS: i64 = 7 * 86_400_000;

/// The stages shown: label, word of the notes.
const STAGES: [(&str, &str); 6] = [
    ("Hồ sơ nhận về / statements", "statements"),
    ("Đăng ký gửi / registered", "acknowledged"),
    ("Giấy về bàn / scanned in", "envelopes_scanned_in"),
    ("Bàn giao / handed over", "envelopes_handed_over"),
    ("Phát thành công / delivered", "envelopes_delivered"),
    ("Chuyển hoàn / returned", "envelopes_returned"),
];

/// The view of one run.
#[derive(Debug)]
pub(super) struct Progress {
    bars: Vec<ProgressBar>,
    clock: Option<ProgressBar>,
    lines: bool,
    last_line_at: AtomicI64,
    waiting: AtomicU64,
}

impl Progress {
    /// Begins to show a plan.
    pub(super) fn new(watching: Watching, plan: &Plan) -> Self {
        let mut view = Self {
            bars: Vec::new(),
            clock: None,
            lines: watching == Watching::Shown && !std::io::stderr().is_terminal(),
            last_line_at: AtomicI64::new(i64::MIN),
            waiting: AtomicU64::new(0),
        };
        if watching == Watching::Quiet || view.lines {
            return view;
        }
        let all = MultiProgress::new();
        let style = |template: &str| {
            ProgressStyle::with_template(template).unwrap_or_else(|_form| ProgressStyle::default_bar())
        };
        let envelopes = u64::try_from(plan.envelopes.len()).unwrap_or(0);
        let statements: usize = plan.dossiers.iter().map(|dossier| dossier.statements.len()).sum();
        let statements = u64::try_from(statements).unwrap_or(0);
        let clock = all.add(ProgressBar::no_length());
        clock.set_style(style("{spinner} {msg}  ({elapsed})"));
        view.clock = Some(clock);
        for (label, word) in STAGES {
            let bar = all.add(ProgressBar::new(if word == "statements" {
                statements
            } else {
                envelopes
            }));
            bar.set_style(style("{prefix:32} {bar:40} {pos:>7}"));
            bar.set_prefix(label);
            view.bars.push(bar);
        }
        view
    }

    /// How many envelopes the postman holds without an order.
    pub(super) fn waiting(&self, count: u64) {
        self.waiting.store(count, Ordering::Relaxed);
    }

    /// Shows the state of things at a simulated time.
    pub(super) fn at(&self, now: Timestamp, notes: &Notes) {
        let date = now.local_date();
        if let Some(clock) = &self.clock {
            let waiting = match self.waiting.load(Ordering::Relaxed) {
                0 => String::new(),
                count => format!(" · {count} bì chờ đơn / envelopes whose order is in doubt"),
            };
            clock.set_message(format!(
                "{:02}/{:02}/{}{waiting}",
                date.day(),
                date.month(),
                date.year()
            ));
            clock.tick();
            for (bar, (_, word)) in self.bars.iter().zip(STAGES) {
                bar.set_position(counted(notes, word));
            }
        }
        let last = self.last_line_at.load(Ordering::Relaxed);
        if self.lines && now.as_ms().saturating_sub(last) >= WEEK_MS {
            self.last_line_at.store(now.as_ms(), Ordering::Relaxed);
            let parts: Vec<String> = STAGES
                .iter()
                .map(|(label, word)| format!("{label} {}", counted(notes, word)))
                .collect();
            // A watcher who went away must not stop the demo.
            drop(writeln!(
                std::io::stderr().lock(),
                "{date}  {}",
                parts.join(" · ")
            ));
        }
    }

    /// Says what is being done after the quarter.
    pub(super) fn says(&self, what: &str) {
        if let Some(clock) = &self.clock {
            clock.set_message(what.to_owned());
            clock.tick();
        } else if self.lines {
            drop(writeln!(std::io::stderr().lock(), "{what}"));
        }
    }

    /// Takes the bars away.
    pub(super) fn end(&self) {
        for bar in self.bars.iter().chain(&self.clock) {
            bar.finish_and_clear();
        }
    }
}

fn counted(notes: &Notes, word: &str) -> u64 {
    match word {
        "acknowledged" => u64::try_from(notes.parcels.len()).unwrap_or(0),
        "statements" => notes.counted("statements_by_put") + notes.counted("statements_by_file"),
        other => notes.counted(other),
    }
}
