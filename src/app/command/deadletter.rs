//! Room `app`: `hoibao deadletter`.
//!
//! In: identifiers, a login, a reason. Out: what was given up, as a table or JSON; events put back or skipped.
//! Deliberately not here: who may do so (`stage::dead_letter`), and what settles a held shipment (the desk).

use super::endpoints::{shown_time, shown_url};
use super::{Global, print};
use crate::app::compose::{self, Schema};
use crate::app::config::Config;
use crate::app::{EXIT_FAILURE, block_on};
use crate::domain::id::{EndpointId, OutboxId};
use crate::domain::time::Timestamp;
use crate::edge::store::dead_letter::{EventRow, HeldShipment};
use crate::stage::context::Context;
use crate::stage::dead_letter::{self, Act, LIST_MAX, Reason, Ruling};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "What was given up by rule waits here for a person. A dead event holds back the later events of its \
    dossier, and of no other, until it is redriven (sent again, the later ones after it) or skipped (the later ones go \
    on, and the receiver sees the gap in the numbers). Shipments whose sending is held are listed too; the desk settles \
    them.";

/// List, show, redrive and skip what was given up
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao deadletter list\n  \
                  hoibao deadletter show out_0192f0c1d2e37a4b8c5d6e7f8091a2b3\n  \
                  hoibao deadletter redrive out_0192f0c1d2e37a4b8c5d6e7f8091a2b3 --reason receiver-mended --by lan.nt\n  \
                  hoibao deadletter redrive --all-of end_0192f0c1d2e37a4b8c5d6e7f8091a2b3 --reason receiver-mended --by lan.nt")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List dead events, and shipments whose sending is held
    #[command(after_help = "Examples:\n  hoibao deadletter list --json")]
    List {
        /// Answer as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show one event with the body that is sent
    #[command(after_help = "Examples:\n  hoibao deadletter show out_0192f0c1d2e37a4b8c5d6e7f8091a2b3")]
    Show {
        /// The event, as `list` shows it
        id: String,
        /// Answer as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Send dead events again, the later ones of their dossiers after them
    #[command(after_help = "Examples:\n  \
                      hoibao deadletter redrive --all-of end_0192f0c1d2e37a4b8c5d6e7f8091a2b3 --reason receiver-mended --by lan.nt")]
    Redrive {
        /// Events, as `list` shows them
        #[arg(required_unless_present = "all_of", conflicts_with = "all_of")]
        ids: Vec<String>,
        /// Every dead event of this receiver
        #[arg(long, value_name = "ENDPOINT")]
        all_of: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Give dead events up for good and let the later ones go on
    #[command(after_help = "Examples:\n  \
                      hoibao deadletter skip out_0192f0c1d2e37a4b8c5d6e7f8091a2b3 --reason unacceptable --by lan.nt")]
    Skip {
        /// Events, as `list` shows them
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(clap::Args, Debug)]
struct Who {
    /// Why; goes into the journal
    #[arg(long, value_enum)]
    reason: Why,
    /// Login of who says so: active, administrator or dispatcher of an office
    #[arg(long, value_name = "LOGIN")]
    by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Why {
    /// The receiver works again
    ReceiverMended,
    /// The receiver's people asked for it
    ReceiverAsked,
    /// A fault on this side was mended
    FaultMended,
    /// The receiver has learnt it by another way
    KnownOtherwise,
    /// The receiver cannot take this event at all
    Unacceptable,
}

impl Who {
    fn ruling(self, act: Act) -> Ruling {
        Ruling {
            act,
            reason: match self.reason {
                Why::ReceiverMended => Reason::ReceiverMended,
                Why::ReceiverAsked => Reason::ReceiverAsked,
                Why::FaultMended => Reason::FaultMended,
                Why::KnownOtherwise => Reason::KnownOtherwise,
                Why::Unacceptable => Reason::Unacceptable,
            },
            login: self.by,
        }
    }
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the database cannot be used, or the person may not.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        block_on(self.act(config))
    }

    async fn act(self, config: Config) -> anyhow::Result<ExitCode> {
        let context = compose::context(&config, Schema::UpToDate).await?;
        match self.action {
            Action::List { json } => list(&context, json).await,
            Action::Show { id, json } => show(&context, OutboxId::parse(&id)?, json).await,
            Action::Redrive {
                all_of: Some(endpoint),
                who,
                ids: _,
            } => {
                let endpoint = EndpointId::parse(&endpoint)?;
                let ruling = who.ruling(Act::Redrive);
                let settled = dead_letter::settle_all_of(&context, endpoint, &ruling).await?;
                told(settled, Act::Redrive)
            }
            Action::Redrive {
                ids,
                all_of: None,
                who,
            } => settle(&context, &ids, who.ruling(Act::Redrive)).await,
            Action::Skip { ids, who } => settle(&context, &ids, who.ruling(Act::Skip)).await,
        }
    }
}

async fn settle(context: &Arc<Context>, ids: &[String], ruling: Ruling) -> anyhow::Result<ExitCode> {
    let ids = ids
        .iter()
        .map(|id| OutboxId::parse(id))
        .collect::<Result<Vec<_>, _>>()?;
    let act = ruling.act;
    told(dead_letter::settle(context, ids, ruling).await?, act)
}

fn told(settled: u32, act: Act) -> anyhow::Result<ExitCode> {
    let word = match act {
        Act::Redrive => "put back",
        Act::Skip => "skipped",
    };
    print(|out| writeln!(out, "{settled} dead events {word}"))?;
    Ok(if settled > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILURE)
    })
}

fn event_json(event: &EventRow) -> Value {
    json!({
        "event": event.id.to_string(),
        "endpoint": event.endpoint.to_string(),
        "url": shown_url(&event.url),
        "source": event.source_code,
        "dossier": event.code,
        "sequence": event.sequence,
        "state": event.state,
        "attempts": event.attempts,
        "detail": event.detail,
        "created_at": event.created_at.to_rfc3339(),
        "ended_at": event.ended_at.map(Timestamp::to_rfc3339),
        "behind": event.behind,
    })
}

fn shipment_json(held: &HeldShipment) -> Value {
    json!({
        "shipment": held.shipment.to_string(),
        "short_number": held.short_number,
        "office": held.office_code,
        "state": held.state,
        "held": held.reason,
        "attempts": held.attempts,
        "settled_by": advice(held.reason.as_deref()),
    })
}

/// What settles a held shipment, by the word of its hold.
fn advice(reason: Option<&str>) -> &'static str {
    match reason {
        Some(
            "refused_phone"
            | "refused_name"
            | "refused_address"
            | "refused_unit"
            | "unit_not_in_operator_list",
        ) => "the desk: correct the addressee; the shipment goes out under a new revision",
        Some("refused_service" | "refused_account") => {
            "the administrator: correct the operator account; then the desk releases the shipment"
        }
        Some("attempts_exhausted") => "the desk: release the shipment once the operator can be reached",
        Some("duplicate_not_ours") => "the desk: compare with the operator's record and decide",
        Some(_) | None => "the desk: look at the shipment and decide",
    }
}

async fn list(context: &Context, as_json: bool) -> anyhow::Result<ExitCode> {
    let (events, held) = dead_letter::list(context).await?;
    let full = usize::try_from(LIST_MAX).unwrap_or(usize::MAX);
    let more = events.len() >= full || held.len() >= full;
    if as_json {
        let line = json!({
            "events": events.iter().map(event_json).collect::<Vec<_>>(),
            "shipments": held.iter().map(shipment_json).collect::<Vec<_>>(),
            "more": more,
        })
        .to_string();
        print(|out| writeln!(out, "{line}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(|out| {
        writeln!(out, "dead events: {}", events.len())?;
        for event in &events {
            writeln!(
                out,
                "{}  {}  {}  no. {}  {} after {} tries  {} behind  {}",
                event.id,
                event.source_code,
                event.code,
                event.sequence,
                event.detail.as_deref().unwrap_or("-"),
                event.attempts,
                event.behind,
                event.endpoint
            )?;
        }
        writeln!(out, "shipments whose sending is held: {}", held.len())?;
        for one in &held {
            let reason = one.reason.as_deref();
            writeln!(
                out,
                "{}  {}  {}  {} after {} tries\n    {}",
                one.shipment,
                one.short_number,
                one.office_code,
                reason.unwrap_or("-"),
                one.attempts,
                advice(reason)
            )?;
        }
        if more {
            writeln!(out, "only the first {LIST_MAX} of a kind are shown")?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn show(context: &Context, id: OutboxId, as_json: bool) -> anyhow::Result<ExitCode> {
    let Some((event, body)) = dead_letter::show(context, id).await? else {
        anyhow::bail!("there is no event {id}; `hoibao deadletter list` shows what was given up");
    };
    let body = String::from_utf8_lossy(&body);
    if as_json {
        let mut shown = event_json(&event);
        if let Value::Object(fields) = &mut shown {
            fields.insert("body".to_owned(), serde_json::from_str(&body)?);
        }
        print(|out| writeln!(out, "{shown}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(|out| {
        writeln!(out, "event: {} (webhook-id)", event.id)?;
        writeln!(out, "receiver: {}  {}", event.endpoint, shown_url(&event.url))?;
        writeln!(out, "dossier: {}  {}", event.source_code, event.code)?;
        writeln!(
            out,
            "number: {}, {} later ones behind it",
            event.sequence, event.behind
        )?;
        let detail = event.detail.as_deref().unwrap_or("-");
        writeln!(
            out,
            "state: {}, {} tries, last failure {detail}",
            event.state, event.attempts
        )?;
        writeln!(out, "happened: {}", event.created_at.to_rfc3339())?;
        writeln!(out, "ended: {}", shown_time(event.ended_at))?;
        writeln!(out, "body: {body}")
    })?;
    Ok(ExitCode::SUCCESS)
}
