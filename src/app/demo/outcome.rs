//! Room `app::demo`: what came of a demo, as data.
//!
//! In: values from the checks. Out: one serialisable [`Outcome`]. Deliberately not here: words for people (`show`).

use super::figures::Figures;
use crate::stage::audit::Audit;
use crate::stage::report;
use serde::Serialize;
use std::collections::BTreeMap;

/// One promise, kept or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Short name for machines.
    pub name: &'static str,
    /// Whether it was kept.
    pub passed: bool,
    /// What was looked at, Vietnamese.
    pub vietnamese: String,
    /// The same in English.
    pub english: String,
    /// The first few things that are wrong; never personal data.
    pub wrong: Vec<String>,
}

/// Most wrong things listed per check.
const WRONG_MAX: usize = 5;

impl Check {
    /// A check that is passed when nothing is wrong.
    pub(super) fn new(name: &'static str, (vietnamese, english): (String, String), wrong: &[String]) -> Self {
        Self {
            name,
            passed: wrong.is_empty(),
            vietnamese,
            english,
            wrong: wrong.iter().take(WRONG_MAX).cloned().collect(),
        }
    }
}

/// One of the article's figures beside the one counted from the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Short name for machines.
    pub name: &'static str,
    /// What is counted, Vietnamese.
    pub vietnamese: &'static str,
    /// The same in English.
    pub english: &'static str,
    /// The article's figure, scaled.
    pub article: u64,
    /// The figure from the records.
    pub records: u64,
    /// Whether they are the same.
    pub equal: bool,
}

/// What became of the results by post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// Short name for machines.
    pub name: &'static str,
    /// What is counted, Vietnamese.
    pub vietnamese: &'static str,
    /// The same in English.
    pub english: &'static str,
    /// Dossiers.
    pub dossiers: u64,
    /// Envelopes.
    pub envelopes: u64,
}

/// Everything that a demo found out.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Seed of the run.
    pub seed: u64,
    /// Scale of the run.
    pub scale: String,
    /// Preset of the operator's faults.
    pub faults: &'static str,
    /// The article's figures, scaled.
    pub article: Figures,
    /// The same figures counted from the records, with what became of the results by post.
    pub report: report::Figures,
    /// Both side by side.
    pub figures: Vec<Line>,
    /// Below "by post".
    pub by_post: Vec<Fate>,
    /// What rebuilding everything from the journal found.
    pub audit: Audit,
    /// What happened on the way, by its word.
    pub happened: BTreeMap<String, u64>,
    /// Shipments that wait for a person, by reason.
    pub held: BTreeMap<String, u64>,
    /// The promises.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// Whether every promise was kept.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}
