//! Room `app`: `hoibao decide`, people's decisions at the command line.
//!
//! In: a subcommand. Out: what needs a person, one shipment, a decision proposed or ruled on; exit code 0 done, 1 refused.
//! Personal data are read from a file, never from the command line, and printed only with `--reveal`, which is entered
//! in the journal. Deliberately not here: what may be decided (`stage::decide`).

use super::decide_person::{self, Outcome, Person, on_store};
use super::decide_words::{self as words, Refused};
use super::{Global, decide_show, handover_words, print, read_small};
use crate::domain::addressee::UnitDraft;
use crate::domain::delivery::FactId;
use crate::domain::id::{DecisionId, ShipmentId};
use crate::domain::time::Timestamp;
use crate::domain::tracking_number::TrackingNumber;
use crate::stage::context::By;
use crate::stage::context::Context;
use crate::stage::decide::{self, Answer, Correction, FactsSeen, Ruled, Wish};
use crate::stage::desk;
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "Lists what needs a person (việc cần xử lý), shows one shipment, and takes decisions: each with a reason, \
    by a member of staff, for an office. Decisions that change a final outcome, send out of doubt or give an \
    original up wait for a second person, never the proposer.";

/// Decide what the software may not
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao decide list --office HL01\n  \
                  hoibao decide show 26-0000015\n  \
                  hoibao decide propose 26-0000015 returned --at '2026-11-24 15:30' --seen 1f2e3d4c5b6a \\\n      \
                  --by canbo --office HL01 --reason 'bưu cục xác nhận đã hoàn'\n  \
                  hoibao decide approve dec_0199... --by lanhdao --office HL01\n\n\
                  Exit codes: 0 done, 1 refused or failed, 2 the command line cannot be read, 3 the configuration.")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(clap::Subcommand, Debug)]
enum Act {
    /// List what needs a person, and proposals that wait for a second one
    #[command(after_help = "Examples:\n  hoibao decide list\n  hoibao decide list --office HL01 --json")]
    List(List),
    /// Show one shipment: facts with who said them, calls, evidence, possible decisions
    #[command(after_help = "Examples:\n  \
                  hoibao decide show 26-0000015\n  \
                  hoibao decide show EB123456785VN --json\n  \
                  hoibao decide show 26-0000015 --reveal --by canbo --office HL01")]
    Show(Show),
    /// Propose a decision; one that needs no second person is in force at once
    #[command(after_help = "Examples:\n  \
                  hoibao decide propose 26-0000015 release --by canbo --office HL01 --reason 'đã kiểm tra'\n  \
                  echo '{\"phone\": \"0900012345\"}' | hoibao decide propose 26-0000015 correct --correction - \\\n      \
                  --by canbo --office HL01 --reason 'người nhận cho số mới'\n  \
                  hoibao decide propose 26-0000015 operator-has-it --tracking-number EB123456785VN \\\n      \
                  --by canbo --office HL01 --reason 'bưu cục đọc lại mã'\n  \
                  hoibao decide propose 26-0000015 delivered --at '2026-11-24 09:10' --seen 1f2e3d4c5b6a \\\n      \
                  --by canbo --office HL01 --reason 'người nhận xác nhận'")]
    Propose(Box<Propose>),
    /// Approve a proposal as the second person
    #[command(after_help = "Examples:\n  hoibao decide approve dec_0199... --by lanhdao --office HL01")]
    Approve(Approve),
    /// Turn a proposal down as the second person
    #[command(
        after_help = "Examples:\n  hoibao decide turn-down dec_0199... --by lanhdao --office HL01 --reason 'hỏi lại bưu cục'"
    )]
    TurnDown(TurnDown),
}

#[derive(clap::Args, Debug)]
struct List {
    /// Only what this office sends or takes back
    #[arg(long, value_name = "CODE")]
    office: Option<String>,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Show {
    /// Short number, identifier, reference or tracking number
    shipment: String,
    /// Show personal data and reasons too; this is entered in the journal
    #[arg(long, requires = "by", requires = "office")]
    reveal: bool,
    /// With --reveal: work login of the person who looks
    #[arg(long, value_name = "LOGIN", requires = "reveal")]
    by: Option<String>,
    /// With --reveal: code of the office for which it is done
    #[arg(long, value_name = "CODE", requires = "reveal")]
    office: Option<String>,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Propose {
    /// Short number, identifier, reference or tracking number
    shipment: String,
    /// What is decided
    #[arg(value_enum)]
    kind: Kind,
    #[command(flatten)]
    person: Person,
    /// Why; kept sealed. No identity numbers
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Digest of the facts looked at, as `show` prints it: refused when more is known by now
    #[arg(long, value_name = "DIGEST", value_parser = read_seen)]
    seen: Option<FactsSeen>,
    /// When it happened; final outcomes need it. RFC 3339, or 'YYYY-MM-DD HH:MM' in Vietnam
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    at: Option<Timestamp>,
    /// Final fact to be set aside, by its first digits; may be repeated. Without: exactly those that contradict
    #[arg(long, value_name = "FACT")]
    set_aside: Vec<String>,
    /// With operator-has-it: the number on the label
    #[arg(long, value_name = "NUMBER", value_parser = read_number)]
    tracking_number: Option<TrackingNumber>,
    /// With correct: JSON file with what changes (name, phone, line, commune, province, note,
    /// `weight_grams`); - reads standard input
    #[arg(long, value_name = "FILE", required_if_eq("kind", "correct"))]
    correction: Option<PathBuf>,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Approve {
    /// Identifier of the decision
    #[arg(value_parser = read_decision)]
    decision: DecisionId,
    #[command(flatten)]
    person: Person,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct TurnDown {
    /// Identifier of the decision
    #[arg(value_parser = read_decision)]
    decision: DecisionId,
    #[command(flatten)]
    person: Person,
    /// Why; kept sealed. No identity numbers
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Sending may go on as it was
    Release,
    /// Addressee, address, telephone or weight were wrong: a new revision
    Correct,
    /// The operator has the order of an attempt in doubt
    OperatorHasIt,
    /// The operator does not have it: send again
    OperatorHasNot,
    /// It is in the addressee's hands
    Delivered,
    /// It came back
    Returned,
    /// It is lost or damaged
    LostOrDamaged,
    /// It was cancelled
    Cancelled,
    /// What the operator called a part was the whole
    Whole,
    /// Only a part reached its end; the shipment goes on
    NotWhole,
    /// The paper is accepted as lost
    PaperLost,
    /// The paper is accepted as destroyed
    PaperDestroyed,
}

impl Kind {
    const fn answer(self) -> Answer {
        match self {
            Self::Release => Answer::Release,
            Self::Correct => Answer::Correct,
            Self::OperatorHasIt => Answer::OperatorHasIt,
            Self::OperatorHasNot => Answer::OperatorHasNot,
            Self::Delivered => Answer::Delivered,
            Self::Returned => Answer::Returned,
            Self::LostOrDamaged => Answer::LostOrDamaged,
            Self::Cancelled => Answer::Cancelled,
            Self::Whole => Answer::Whole,
            Self::NotWhole => Answer::NotWhole,
            Self::PaperLost => Answer::PaperLost,
            Self::PaperDestroyed => Answer::PaperDestroyed,
        }
    }
}

fn read_seen(text: &str) -> Result<FactsSeen, String> {
    FactsSeen::parse(text).ok_or_else(|| "12 to 64 hexadecimal digits, as `show` prints them".to_owned())
}

fn read_number(text: &str) -> Result<TrackingNumber, String> {
    TrackingNumber::parse(text).map_err(|error| error.to_string())
}

fn read_decision(text: &str) -> Result<DecisionId, String> {
    DecisionId::parse(text).map_err(|error| error.to_string())
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the store cannot be used, or a file cannot be read.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        on_store(global, |context| async move {
            match self.act {
                Act::List(list) => list.run(&context).await,
                Act::Show(show) => show.run(&context).await,
                Act::Propose(propose) => propose.run(&context).await,
                Act::Approve(approve) => approve.run(&context).await,
                Act::TurnDown(turn_down) => turn_down.run(&context).await,
            }
        })
    }
}

impl List {
    async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let office = match &self.office {
            None => None,
            Some(code) => match decide_person::office(context, code).await? {
                Ok(office) => Some(office),
                Err(refused) => return refused.tell(self.json),
            },
        };
        let tasks = decide::tasks(context, office).await?;
        let waiting = decide::waiting(context, office).await?;
        decide_show::list(&tasks, &waiting, self.json)
    }
}

/// The shipment a person means.
async fn find(context: &Context, text: &str) -> anyhow::Result<Outcome<ShipmentId>> {
    match desk::find_shipment(context, text).await {
        Ok(id) => Ok(Ok(id)),
        Err(error) => Ok(Err(handover_words::refused(error)?)),
    }
}

impl Show {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let id = match find(context, &self.shipment).await? {
            Ok(id) => id,
            Err(refused) => return refused.tell(self.json),
        };
        let personal = match (self.by, self.office) {
            (Some(by), Some(office)) if self.reveal => {
                let (staff, office) = match Person::new(by, office).find(context).await? {
                    Ok(person) => person,
                    Err(refused) => return refused.tell(self.json),
                };
                match decide::reveal(context, By { staff, office }, id).await {
                    Ok(personal) => Some(personal),
                    Err(error) => return words::refused(error)?.tell(self.json),
                }
            }
            (_, _) => None,
        };
        match decide::look(context, id).await {
            Ok(look) => decide_show::show(&look, personal.as_ref(), self.json),
            Err(error) => words::refused(error)?.tell(self.json),
        }
    }
}

/// A correction as written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrectionFile {
    name: Option<String>,
    phone: Option<String>,
    line: Option<String>,
    commune: Option<UnitFile>,
    province: Option<UnitFile>,
    note: Option<String>,
    weight_grams: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitFile {
    set: String,
    code: String,
}

fn read_correction(path: &Path) -> anyhow::Result<Outcome<Correction>> {
    let text = read_small(path)?;
    let unit = |unit: UnitFile| UnitDraft {
        set: unit.set,
        code: unit.code,
    };
    // What the parser says may repeat a value, which may be personal: only where it stopped is told.
    Ok(match serde_json::from_str::<CorrectionFile>(&text) {
        Ok(file) => Ok(Correction {
            name: file.name,
            phone: file.phone,
            line: file.line,
            commune: file.commune.map(unit),
            province: file.province.map(unit),
            note: file.note,
            weight_grams: file.weight_grams,
        }),
        Err(error) => Err(Refused::new(
            "correction_unreadable",
            format!(
                "tệp đính chính không đúng mẫu, dòng {} cột {}",
                error.line(),
                error.column()
            ),
            format!(
                "the correction file cannot be read at line {} column {}",
                error.line(),
                error.column()
            ),
        )),
    })
}

impl Propose {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let id = match find(context, &self.shipment).await? {
            Ok(id) => id,
            Err(refused) => return refused.tell(self.json),
        };
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        let mut wish = Wish {
            seen: self.seen,
            at: self.at,
            tracking_number: self.tracking_number,
            ..Wish::of(self.kind.answer())
        };
        if let Some(path) = &self.correction {
            match read_correction(path)? {
                Ok(correction) => wish.correction = Some(correction),
                Err(refused) => return refused.tell(self.json),
            }
        }
        if !self.set_aside.is_empty() {
            match named(context, id, &self.set_aside).await? {
                Ok(facts) => wish.overrides = Some(facts.into_iter().collect()),
                Err(refused) => return refused.tell(self.json),
            }
        }
        let by = By { staff, office };
        match decide::propose(context, by, id, wish, &self.reason).await {
            Ok(ruled) => tell(ruled, self.json),
            Err(error) => words::refused(error)?.tell(self.json),
        }
    }
}

/// Facts of a shipment by their first digits, each of which must mean exactly one.
async fn named(context: &Context, id: ShipmentId, texts: &[String]) -> anyhow::Result<Outcome<Vec<FactId>>> {
    let look = match decide::look(context, id).await {
        Ok(look) => look,
        Err(error) => return Ok(Err(words::refused(error)?)),
    };
    let mut named = Vec::with_capacity(texts.len());
    for text in texts {
        let wanted = text.trim().to_ascii_lowercase();
        let means = |id: &FactId| wanted.len() >= 6 && decide::hex(&id.0).starts_with(&wanted);
        let mut found = look.facts.iter().map(decide::SaidFact::id).filter(means);
        match (found.next(), found.next()) {
            (Some(id), None) => named.push(id),
            (Some(_), Some(_)) | (None, _) => {
                return Ok(Err(Refused::new(
                    "unknown_fact",
                    format!(
                        "không xác định được thông tin {wanted:?}; nêu ít nhất 6 chữ số như lệnh show in ra"
                    ),
                    format!("{wanted:?} names no single fact; give at least 6 digits as `show` prints them"),
                )));
            }
        }
    }
    Ok(Ok(named))
}

impl Approve {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        match decide::approve(context, By { staff, office }, self.decision).await {
            Ok(ruled) => tell(ruled, self.json),
            Err(error) => words::refused(error)?.tell(self.json),
        }
    }
}

impl TurnDown {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        let by = By { staff, office };
        match decide::turn_down(context, by, self.decision, &self.reason).await {
            Ok(ruled) => tell(ruled, self.json),
            Err(error) => words::refused(error)?.tell(self.json),
        }
    }
}

/// Tells where a decision stands. A stale proposal was not approved: exit code 1.
fn tell(ruled: Ruled, as_json: bool) -> anyhow::Result<ExitCode> {
    let (vietnamese, english) = words::of_standing(ruled.standing);
    let stale = ruled.standing == decide::Standing::Stale;
    print(|out| {
        if as_json {
            let line = json!({
                "decision": ruled.decision.to_string(),
                "shipment": ruled.shipment.to_string(),
                "answer": ruled.answer.as_str(),
                "state": ruled.standing.as_str(),
            });
            writeln!(out, "{line}")
        } else {
            writeln!(out, "{}: {}", ruled.decision, words::of_answer(ruled.answer))?;
            writeln!(out, "{vietnamese}.")?;
            writeln!(out, "{}: {english}.", ruled.answer.as_str())
        }
    })?;
    Ok(if stale {
        ExitCode::from(crate::app::EXIT_FAILURE)
    } else {
        ExitCode::SUCCESS
    })
}
