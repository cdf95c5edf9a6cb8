//! Room `app`: `hoibao handover`, the desk's acts with paper at the command line.
//!
//! In: a subcommand. Out: papers scanned in, packed, handed over, taken back, given out; exit code 0 done, 1 refused.
//! Deliberately not here: what may be done when (`stage::desk`), and printing the list (bảng kê).

use super::decide_person::{self, Outcome, Person, on_store};
use super::decide_words::{self as words, Refused};
use super::{Global, handover_words, print, read_small};
use crate::app::EXIT_FAILURE;
use crate::domain::dossier_code::DossierCode;
use crate::domain::id::ShipmentId;
use crate::domain::time::Timestamp;
use crate::edge::store::source;
use crate::stage::context::By;
use crate::stage::context::Context;
use crate::stage::desk::{self, CloseHandover, ClosedList, DeskError, ListedItem, Taking, Thing};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "The way of the paper: scanned in (quét nhận), packed (đóng bì), handed over on a closed list (chốt bảng kê), \
    scanned back when it returns, given out at the counter. A hand-over may be entered afterwards (nhập bù) with \
    its real time and the reason. A closed list is never changed.";

/// Scan papers in, pack, close hand-over lists, take returned originals back
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao handover scan-in 26-0000015 26-0000026 --by canbo --office HL01\n  \
                  hoibao handover close --file list.txt --taken-by buuta-07 --by bangiao --office HL01\n  \
                  hoibao handover list --office HL01\n\n\
                  Exit codes: 0 done, 1 something was refused, 2 the command line cannot be read, 3 the configuration.")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(clap::Subcommand, Debug)]
enum Act {
    /// Scan papers in: custody starts here, and an order that waited may be sent
    #[command(after_help = "Examples:\n  \
                  hoibao handover scan-in 26-0000015 --by canbo --office HL01\n  \
                  hoibao handover scan-in 000.12.20.H49-261101-0001 --source mcdt --by canbo --office HL01")]
    ScanIn(Things),
    /// Pack one envelope: the codes on the slips must be exactly those that belong into it
    #[command(after_help = "Examples:\n  \
                  hoibao handover pack 26-0000015 --scanned 000.12.20.H49-261101-0001 --by canbo --office HL01")]
    Pack(Pack),
    /// Take envelopes out of an open list
    #[command(after_help = "Examples:\n  hoibao handover pull-out 26-0000015 --by bangiao --office HL01")]
    PullOut(Envelopes),
    /// Close a hand-over list; one wrong envelope refuses the whole list
    #[command(after_help = "Examples:\n  \
                  hoibao handover close 26-0000015 26-0000026 --taken-by buuta-07 --by bangiao --office HL01\n  \
                  hoibao handover close --file list.txt --refused 26-0000026='bì rách' --taken-by buuta-07 \\\n      \
                  --at '2026-11-24 15:30' --late-reason 'mất điện' --by bangiao --office HL01")]
    Close(Box<Close>),
    /// Scan returned originals back in
    #[command(after_help = "Examples:\n  hoibao handover returned 26-0000015 --by canbo --office HL01")]
    Returned(Returned),
    /// Give results out at the counter
    #[command(after_help = "Examples:\n  \
                  hoibao handover collect 26-0000015 --by canbo --office HL01\n  \
                  hoibao handover collect 000.12.20.H49-261101-0001 --source mcdt --by canbo --office HL01")]
    Collect(Things),
    /// Show the closed lists of an office, newest first
    #[command(after_help = "Examples:\n  hoibao handover list --office HL01 --limit 5 --json")]
    List(List),
}

#[derive(clap::Args, Debug)]
struct Things {
    /// Short numbers, identifiers, references or tracking numbers; with --source: dossier codes, CODE#2 for document 2
    #[arg(required_unless_present = "file")]
    names: Vec<String>,
    /// One name per line; - reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The names are dossier codes of this dossier system
    #[arg(long, value_name = "CODE")]
    source: Option<String>,
    /// When it was done; now without it
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    at: Option<Timestamp>,
    #[command(flatten)]
    person: Person,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Envelopes {
    /// Short numbers, identifiers, references or tracking numbers
    #[arg(required_unless_present = "file")]
    names: Vec<String>,
    /// One name per line; - reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    person: Person,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Returned {
    #[command(flatten)]
    envelopes: Envelopes,
    /// When it was scanned back; now without it
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    at: Option<Timestamp>,
}

#[derive(clap::Args, Debug)]
struct Pack {
    /// Short number, identifier, reference or tracking number
    shipment: String,
    /// Dossier code scanned from a slip, once per paper
    #[arg(long, value_name = "CODE", required = true, num_args = 1..)]
    scanned: Vec<String>,
    #[command(flatten)]
    person: Person,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Close {
    /// Envelopes in the order of the list
    #[arg(required_unless_present = "file")]
    names: Vec<String>,
    /// One envelope per line, after those named; - reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// An envelope of the list that the postal worker did not take, and why; may be repeated
    #[arg(long, value_name = "NUMBER=REASON", value_parser = read_refused)]
    refused: Vec<(String, String)>,
    /// Work identity of the postal worker: a number or a login
    #[arg(long, value_name = "WORK_IDENTITY")]
    taken_by: String,
    /// Work login of the person who gave, when another one enters it
    #[arg(long, value_name = "LOGIN")]
    given_by: Option<String>,
    /// Real time of the hand-over; now without it
    #[arg(long, value_name = "TIME", value_parser = words::read_time)]
    at: Option<Timestamp>,
    /// Why it is entered more than an hour afterwards
    #[arg(long, value_name = "TEXT")]
    late_reason: Option<String>,
    #[command(flatten)]
    person: Person,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct List {
    /// Code of the office
    #[arg(long, value_name = "CODE")]
    office: String,
    /// At most this many lists
    #[arg(long, default_value_t = 10)]
    limit: u32,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

fn read_refused(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(number, reason)| !number.trim().is_empty() && !reason.trim().is_empty())
        .map(|(number, reason)| (number.trim().to_owned(), reason.to_owned()))
        .ok_or_else(|| "write NUMBER=REASON".to_owned())
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the store cannot be used, or a file cannot be read.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        on_store(global, |context| async move {
            match self.act {
                Act::ScanIn(things) => things.run(&context, Paper::ScanIn).await,
                Act::Collect(things) => things.run(&context, Paper::Collect).await,
                Act::Pack(pack) => pack.run(&context).await,
                Act::PullOut(envelopes) => envelopes.run(&context, Envelope::PullOut).await,
                Act::Returned(returned) => {
                    let verb = Envelope::Returned(returned.at);
                    returned.envelopes.run(&context, verb).await
                }
                Act::Close(close) => close.run(&context).await,
                Act::List(list) => list.run(&context).await,
            }
        })
    }
}

/// What is done with each paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paper {
    ScanIn,
    Collect,
}

/// What is done with each envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Envelope {
    PullOut,
    Returned(Option<Timestamp>),
}

/// Names given and names in a file, one per line; empty lines are passed over.
fn names(given: Vec<String>, file: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let mut names = given;
    if let Some(path) = file {
        let text = read_small(path)?;
        let lines = text.lines().map(str::trim);
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(names)
}

async fn find(context: &Context, text: &str) -> anyhow::Result<Outcome<ShipmentId>> {
    match desk::find_shipment(context, text).await {
        Ok(id) => Ok(Ok(id)),
        Err(error) => Ok(Err(handover_words::refused(error)?)),
    }
}

/// The document of a dossier system: `CODE`, or `CODE#2` for its second document.
async fn document(context: &Context, system: &str, text: &str) -> anyhow::Result<Outcome<Thing>> {
    let mut tx = context.store.snapshot().await?;
    let Some(found) = source::source_by_code(&mut tx, system).await? else {
        return Ok(Err(Refused::new(
            "unknown_source",
            "không có hệ thống hồ sơ với mã này",
            "there is no dossier system with this code",
        )));
    };
    let (code, number) = text.split_once('#').unwrap_or((text, "1"));
    let parts = (DossierCode::parse(code), number.parse::<u32>());
    Ok(match parts {
        (Ok(code), Ok(document_no)) => Ok(Thing::Document {
            source: found.id,
            code,
            document_no,
        }),
        (_, _) => Err(Refused::new(
            "dossier_code_invalid",
            "không phải mã hồ sơ",
            "this is no dossier code",
        )),
    })
}

/// What came of each name. One refused leaves the others done.
struct Report {
    verb: &'static str,
    vietnamese: &'static str,
    lines: Vec<(String, Outcome<Value>)>,
}

impl Report {
    fn tell(&self, as_json: bool) -> anyhow::Result<ExitCode> {
        let refused = self.lines.iter().any(|(_, outcome)| outcome.is_err());
        print(|out| {
            if as_json {
                let line = |(name, outcome): &(String, Outcome<Value>)| match outcome {
                    Ok(more) => json!({"name": name, "done": self.verb, "more": more}),
                    Err(refused) => json!({"name": name, "refused": refused.to_json()}),
                };
                let lines: Vec<Value> = self.lines.iter().map(line).collect();
                return writeln!(out, "{}", json!({"items": lines}));
            }
            for (name, outcome) in &self.lines {
                match outcome {
                    Ok(_) => writeln!(out, "{name}: {} ({})", self.vietnamese, self.verb)?,
                    Err(refused) => {
                        writeln!(out, "{name}: từ chối: {}", refused.vietnamese)?;
                        writeln!(out, "{name}: refused: {} ({})", refused.english, refused.code)?;
                    }
                }
            }
            Ok(())
        })?;
        Ok(if refused {
            ExitCode::from(EXIT_FAILURE)
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn outcome(answer: Result<Value, DeskError>) -> anyhow::Result<Outcome<Value>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(handover_words::refused(error)?)),
    }
}

impl Things {
    async fn run(self, context: &Arc<Context>, verb: Paper) -> anyhow::Result<ExitCode> {
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        let by = By { staff, office };
        let mut lines = Vec::new();
        for name in names(self.names, self.file.as_deref())? {
            let thing = match &self.source {
                None => find(context, &name).await?.map(Thing::Shipment),
                Some(system) => document(context, system, &name).await?,
            };
            let done = match (thing, verb) {
                (Err(refused), _) => Err(refused),
                (Ok(thing), Paper::ScanIn) => {
                    let found = desk::paper_in(context, by, thing, self.at).await;
                    outcome(found.map(|found| json!({"new": found.new, "complete": found.complete})))?
                }
                (Ok(thing), Paper::Collect) => {
                    let done = desk::collect_in_person(context, by, thing, self.at).await;
                    outcome(done.map(|()| Value::Null))?
                }
            };
            lines.push((name, done));
        }
        let (verb, vietnamese) = match verb {
            Paper::ScanIn => ("scanned_in", "đã nhận tại quầy"),
            Paper::Collect => ("collected", "đã trả tại quầy"),
        };
        let report = Report {
            verb,
            vietnamese,
            lines,
        };
        report.tell(self.json)
    }
}

impl Envelopes {
    async fn run(self, context: &Arc<Context>, verb: Envelope) -> anyhow::Result<ExitCode> {
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        let by = By { staff, office };
        let mut lines = Vec::new();
        for name in names(self.names, self.file.as_deref())? {
            let done = match find(context, &name).await? {
                Err(refused) => Err(refused),
                Ok(id) => {
                    let done = match verb {
                        Envelope::PullOut => desk::pull_out(context, by, id).await,
                        Envelope::Returned(at) => desk::receive_returned(context, by, id, at).await,
                    };
                    outcome(done.map(|()| Value::Null))?
                }
            };
            lines.push((name, done));
        }
        let (verb, vietnamese) = match verb {
            Envelope::PullOut => ("pulled_out", "đã rút khỏi bảng kê"),
            Envelope::Returned(_) => ("returned", "đã nhận lại bản gốc"),
        };
        let report = Report {
            verb,
            vietnamese,
            lines,
        };
        report.tell(self.json)
    }
}

impl Pack {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        let done = match find(context, &self.shipment).await? {
            Err(refused) => Err(refused),
            Ok(id) => {
                let done = desk::pack(context, By { staff, office }, id, self.scanned).await;
                outcome(done.map(|()| Value::Null))?
            }
        };
        let report = Report {
            verb: "packed",
            vietnamese: "đã đóng bì",
            lines: vec![(self.shipment, done)],
        };
        report.tell(self.json)
    }
}

impl Close {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let (staff, office) = match self.person.find(context).await? {
            Ok(person) => person,
            Err(refused) => return refused.tell(self.json),
        };
        let given = match &self.given_by {
            None => staff,
            Some(login) => match decide_person::staff(context, login).await? {
                Ok(staff) => staff,
                Err(refused) => return refused.tell(self.json),
            },
        };
        let items = match self.items(context).await? {
            Ok(items) => items,
            Err(refused) => return refused.tell(self.json),
        };
        let list = CloseHandover {
            given: By { staff: given, office },
            entered_by: By { staff, office },
            taken_by: self.taken_by,
            items,
            handed_over_at: self.at.unwrap_or_else(|| context.clock.now()),
            late_reason: self.late_reason,
        };
        let closed = match desk::close_handover(context, list).await {
            Ok(closed) => closed,
            Err(error) => return handover_words::refused(error)?.tell(self.json),
        };
        print(|out| {
            if self.json {
                let line = json!({
                    "handover": closed.id.to_string(),
                    "number": closed.number,
                    "year": closed.year,
                    "taken": closed.taken,
                    "refused": closed.refused,
                });
                writeln!(out, "{line}")
            } else {
                writeln!(
                    out,
                    "Đã chốt bảng kê {}/{}: bưu điện nhận {} bì, từ chối {} bì",
                    closed.number, closed.year, closed.taken, closed.refused
                )?;
                writeln!(out, "closed: {}", closed.id)
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// The envelopes of the list; one that is named as refused must stand on it.
    async fn items(&self, context: &Context) -> anyhow::Result<Outcome<Vec<ListedItem>>> {
        let mut items = Vec::new();
        for name in names(self.names.clone(), self.file.as_deref())? {
            match find(context, &name).await? {
                Ok(shipment) => items.push(ListedItem {
                    shipment,
                    taking: Taking::Taken,
                }),
                Err(refused) => return Ok(Err(about(&name, &refused))),
            }
        }
        for (name, reason) in &self.refused {
            let id = match find(context, name).await? {
                Ok(id) => id,
                Err(refused) => return Ok(Err(about(name, &refused))),
            };
            let Some(item) = items.iter_mut().find(|item| item.shipment == id) else {
                let wrong = Refused::new(
                    "not_on_list",
                    "không có trên bảng kê",
                    "does not stand on the list",
                );
                return Ok(Err(about(name, &wrong)));
            };
            item.taking = Taking::RefusedByPost(reason.clone());
        }
        Ok(Ok(items))
    }
}

/// A refusal that says which name it is about.
fn about(name: &str, refused: &Refused) -> Refused {
    Refused::new(
        refused.code,
        format!("{name}: {}", refused.vietnamese),
        format!("{name}: {}", refused.english),
    )
}

impl List {
    async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let office = match decide_person::office(context, &self.office).await? {
            Ok(office) => office,
            Err(refused) => return refused.tell(self.json),
        };
        let lists = desk::closed_lists(context, office, self.limit).await;
        let lists = match lists {
            Ok(lists) => lists,
            Err(error) => return handover_words::refused(error)?.tell(self.json),
        };
        print(|out| {
            if self.json {
                let all: Vec<Value> = lists.iter().map(list_json).collect();
                return writeln!(out, "{}", json!({"lists": all}));
            }
            for list in &lists {
                let head = &list.head;
                writeln!(
                    out,
                    "Bảng kê {}/{} · {} · {} · {}",
                    head.number,
                    head.year,
                    words::clock(head.handed_over_at),
                    head.taken_by,
                    head.id
                )?;
                if let Some(reason) = &head.late_reason {
                    writeln!(out, "  Nhập bù {}: {reason}", words::clock(head.entered_at))?;
                }
                for item in &list.items {
                    let taken = item.reason.as_deref().unwrap_or("đã nhận");
                    writeln!(out, "  {:>3}  {}  {taken}", item.position, item.short_number)?;
                }
            }
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn list_json(list: &ClosedList) -> Value {
    let items: Vec<Value> = list
        .items
        .iter()
        .map(|item| {
            json!({
                "position": item.position,
                "shipment": item.shipment.to_string(),
                "short_number": item.short_number,
                "taken": item.taken,
                "reason": item.reason,
            })
        })
        .collect();
    json!({
        "handover": list.head.id.to_string(),
        "number": list.head.number,
        "year": list.head.year,
        "taken_by": list.head.taken_by,
        "handed_over_at": list.head.handed_over_at.to_rfc3339(),
        "entered_at": list.head.entered_at.to_rfc3339(),
        "late_reason": list.head.late_reason,
        "items": items,
    })
}
