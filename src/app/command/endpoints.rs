//! Room `app`: `hoibao endpoints`.
//!
//! In: a dossier system's code and an address, or a receiver's identifier. Out: a receiver with its secret, shown once; a
//! list; a pause or its end. Deliberately not here: the rules for addresses (`edge::dossier`) and sending (`stage::feed`).

use super::{Global, print};
use crate::app::compose::{self, Schema};
use crate::app::config::Config;
use crate::app::{EXIT_FAILURE, block_on};
use crate::domain::id::EndpointId;
use crate::domain::time::Timestamp;
use crate::edge::dossier::Reach;
use crate::edge::store::endpoint::EndpointOverview;
use crate::stage::context::Context;
use crate::stage::endpoint::{self, Sending};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;

/// What `--help` says beyond the one line.
pub(super) const LONG_ABOUT: &str = "A dossier system subscribes an address; from then on every change of its dossiers' delivery is sent \
    there as a signed event (Standard Webhooks), strictly in order for each dossier. The signing secret is shown once. \
    A receiver that was paused keeps its events and gets them in order when it is resumed.";

/// Subscribe, list, pause and resume the receivers of signed events
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
                  hoibao endpoints add --source igate --url https://dossiers.example.vn/hoibao\n  \
                  hoibao endpoints add --source igate --url http://10.8.0.5:8080/hoibao --allow-private\n  \
                  hoibao endpoints list\n  \
                  hoibao endpoints pause end_0192f0c1d2e37a4b8c5d6e7f8091a2b3\n\n\
                  A receiver checks `webhook-signature` over `webhook-id`.`webhook-timestamp`.body, answers 2xx once it has \
                  stored the event, and passes over a `webhook-id` it knows. 410 pauses it.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Subscribe an address to the events of a dossier system, and show its secret once
    #[command(
        after_help = "Examples:\n  hoibao endpoints add --source igate --url https://dossiers.example.vn/hoibao"
    )]
    Add(Add),
    /// List receivers with what waits for them
    #[command(after_help = "Examples:\n  hoibao endpoints list --json")]
    List {
        /// Answer as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Stop sending; events are kept
    #[command(after_help = "Examples:\n  hoibao endpoints pause end_0192f0c1d2e37a4b8c5d6e7f8091a2b3")]
    Pause {
        /// The receiver, as `list` shows it
        id: String,
    },
    /// Send again, from where it stopped
    #[command(after_help = "Examples:\n  hoibao endpoints resume end_0192f0c1d2e37a4b8c5d6e7f8091a2b3")]
    Resume {
        /// The receiver, as `list` shows it
        id: String,
    },
}

#[derive(clap::Args, Debug)]
struct Add {
    /// Code of the dossier system
    #[arg(long, value_name = "CODE")]
    source: String,
    /// Where events go: https, or http with --allow-private
    #[arg(long)]
    url: String,
    /// The receiver may lie in a private network or on this machine, and may speak plain http
    #[arg(long)]
    allow_private: bool,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// When the database cannot be used, or the wish is refused.
    pub fn run(self, global: &Global) -> anyhow::Result<ExitCode> {
        let config = global.start()?;
        block_on(self.act(config))
    }

    async fn act(self, config: Config) -> anyhow::Result<ExitCode> {
        let context = compose::context(&config, Schema::UpToDate).await?;
        match self.action {
            Action::Add(add) => add.run(&context).await,
            Action::List { json } => {
                let all = endpoint::list(&context).await?;
                list(&all, json)
            }
            Action::Pause { id } => set(&context, &id, Sending::Paused).await,
            Action::Resume { id } => set(&context, &id, Sending::On).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Arc<Context>) -> anyhow::Result<ExitCode> {
        let reach = if self.allow_private {
            Reach::Private
        } else {
            Reach::Public
        };
        let made = endpoint::subscribe(context, &self.source, &self.url, reach).await?;
        let (id, secret) = (made.id.to_string(), made.secret.expose());
        if self.json {
            let line = json!({"endpoint": id, "secret": secret}).to_string();
            print(|out| writeln!(out, "{line}"))?;
        } else {
            print(|out| {
                writeln!(out, "receiver: {id}")?;
                writeln!(out, "secret: {secret}")?;
                writeln!(
                    out,
                    "The secret is shown this once. Give it to the receiver's people by a safe way."
                )
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn set(context: &Arc<Context>, id: &str, sending: Sending) -> anyhow::Result<ExitCode> {
    let id = EndpointId::parse(id)?;
    let changed = endpoint::set_sending(context, id, sending).await?;
    let word = match sending {
        Sending::Paused => "paused",
        Sending::On => "sending",
    };
    print(|out| {
        if changed {
            writeln!(out, "{id} is {word}")
        } else {
            writeln!(out, "{id} was {word} already")
        }
    })?;
    Ok(if changed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILURE)
    })
}

/// The address without its query, which may be a secret of the receiver's.
pub(super) fn shown_url(url: &str) -> String {
    match url.split_once('?') {
        Some((path, _query)) => format!("{path}?..."),
        None => url.to_owned(),
    }
}

/// An instant for a table.
pub(super) fn shown_time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339)
}

fn list(all: &[EndpointOverview], as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        let rows: Vec<_> = all
            .iter()
            .map(|one| {
                json!({
                    "endpoint": one.endpoint.id.to_string(),
                    "source": one.source_code,
                    "url": shown_url(&one.endpoint.url),
                    "active": one.endpoint.active,
                    "private_allowed": one.endpoint.private_allowed,
                    "created_at": one.created_at.to_rfc3339(),
                    "waiting": one.waiting,
                    "dead": one.dead,
                    "sent_at": one.sent_at.map(Timestamp::to_rfc3339),
                    "trouble": one.trouble,
                })
            })
            .collect();
        let line = json!({ "endpoints": rows }).to_string();
        print(|out| writeln!(out, "{line}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(|out| {
        if all.is_empty() {
            return writeln!(out, "no receivers; `hoibao endpoints add` subscribes one");
        }
        for one in all {
            let state = if one.endpoint.active { "sending" } else { "paused" };
            writeln!(
                out,
                "{}  {}  {state}  {}",
                one.endpoint.id,
                one.source_code,
                shown_url(&one.endpoint.url)
            )?;
            writeln!(
                out,
                "    waiting {}, dead {}, last taken {}, trouble {}",
                one.waiting,
                one.dead,
                shown_time(one.sent_at),
                one.trouble.as_deref().unwrap_or("-")
            )?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
