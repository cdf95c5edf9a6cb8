//! Room `app::demo`: what dossier systems do: state dossiers, register envelopes, take choices back; and a forger.
//!
//! In: acts of the agenda. Out: calls of the gateway's own doors, files brought in, and notes of what it acknowledged. Deliberately not
//! here: paper.

use super::Drive;
use super::agenda::{Act, next_morning};
use crate::app::demo::client::{Answer, Client, Registration, text};
use crate::app::demo::error::DemoError;
use crate::app::demo::notes::{Paper, Parcel};
use crate::app::demo::places::CENTRES;
use crate::app::demo::plan::days::MINUTE_MS;
use crate::app::demo::plan::{Dossier, Plan, SOURCES, Stated};
use crate::app::demo::procedures::PROCEDURES;
use crate::domain::id::ShipmentId;
use crate::domain::time::{Clock as _, Timestamp};
use crate::stage::dossier_record;
use crate::stage::import::dossiers::{self, Column, Mode, Request};
use futures_util::StreamExt as _;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Calls of the systems under way at one time.
const PARALLEL: usize = 16;
/// Registrations of a thousand that are sent twice at once, again later, or again with another content.
const TWICE: u32 = 30;
const AGAIN: u32 = 20;
const OTHERWISE: u32 = 10;
/// A withdrawal that could not be settled is tried again after this.
const WITHDRAW_AGAIN_MS: i64 = 60 * MINUTE_MS;

/// Registrations from this number on are of results that came back.
pub(super) const SENT_AGAIN: u32 = 100;

/// Working days on which sending once more is tried.
const PUT_OFF_MAX: u32 = 10;

/// What was registered, and how often the answer came.
struct Registered {
    envelope: usize,
    again: u32,
    corrected: bool,
    answer: Answer,
    /// Answers to the same request, sent once more.
    repeated: Vec<Answer>,
    /// The answer to another content under the same key.
    otherwise: Option<Answer>,
}

/// How a system sends a registration.
#[derive(Clone, Copy)]
struct Habits {
    /// Twice at once.
    twice: bool,
    /// Once more after the answer.
    again: bool,
    /// Once more with another content.
    otherwise: bool,
}

async fn register_one(
    plan: &Plan,
    client: &Client,
    (envelope, again, corrected): (usize, u32, bool),
    habits: Habits,
) -> Result<Option<Registered>, DemoError> {
    let Some(content) = plan.envelopes.get(envelope) else {
        return Ok(None);
    };
    let key = format!("demo-{envelope}-{again}");
    let right = content.corrected.as_ref().filter(|_| corrected);
    let registration = Registration {
        plan,
        envelope: content,
        to: right.unwrap_or(&content.recipient),
        key: &key,
    };
    let mut repeated = Vec::new();
    let answer = if habits.twice {
        let both = (client.register(registration), client.register(registration));
        let (one, other) = futures_util::future::join(both.0, both.1).await;
        repeated.push(other?);
        one?
    } else {
        client.register(registration).await?
    };
    if habits.again {
        repeated.push(client.register(registration).await?);
    }
    let otherwise = if habits.otherwise && answer.status == 201 {
        Some(client.register_otherwise(registration).await?)
    } else {
        None
    };
    Ok(Some(Registered {
        envelope,
        again,
        corrected,
        answer,
        repeated,
        otherwise,
    }))
}

impl Drive<'_> {
    /// Statements by `PUT`; of one dossier in their order.
    pub(super) async fn state(&mut self, acts: &[Act]) -> Result<(), DemoError> {
        let mut waves: Vec<Vec<(usize, usize)>> = Vec::new();
        for act in acts {
            if let Act::State(dossier, place) = act {
                let wave = waves
                    .iter()
                    .filter(|wave| wave.iter().any(|(known, _)| known == dossier));
                let wave = wave.count();
                if waves.len() <= wave {
                    waves.push(Vec::new());
                }
                if let Some(wave) = waves.get_mut(wave) {
                    wave.push((*dossier, *place));
                }
            }
        }
        for wave in waves {
            let calls = wave.into_iter().filter_map(|(dossier, place)| {
                let dossier = self.plan.dossiers.get(dossier)?;
                Some(self.world.client.put(dossier, dossier.statements.get(place)?))
            });
            let done: Vec<Result<(), DemoError>> = futures_util::stream::iter(calls)
                .buffer_unordered(PARALLEL)
                .collect()
                .await;
            for result in done {
                result?;
                self.notes.count("statements_by_put");
            }
        }
        Ok(())
    }

    /// Registers envelopes; some requests are sent twice, as a system does whose connection broke.
    pub(super) async fn register(&mut self, acts: &[Act]) -> Result<(), DemoError> {
        let mut calls = Vec::new();
        for act in acts {
            if let Act::Register {
                envelope,
                again,
                corrected,
            } = act
            {
                let habits = Habits {
                    twice: self.dice.hits(TWICE),
                    again: self.dice.hits(AGAIN),
                    otherwise: self.dice.hits(OTHERWISE),
                };
                let asked = (*envelope, *again, *corrected);
                calls.push(register_one(self.plan, &self.world.client, asked, habits));
            }
        }
        let done: Vec<Result<Option<Registered>, DemoError>> = futures_util::stream::iter(calls)
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        for registered in done {
            if let Some(registered) = registered? {
                self.registered(registered)?;
            }
        }
        Ok(())
    }

    fn registered(&mut self, done: Registered) -> Result<(), DemoError> {
        self.notes.count("registrations");
        self.notes.add(
            "registrations_repeated",
            u64::try_from(done.repeated.len()).unwrap_or(0),
        );
        let id = text(&done.answer.body, "id").to_owned();
        for other in &done.repeated {
            if other.status != done.answer.status || text(&other.body, "id") != id {
                self.notes.broken.push(format!(
                    "a registration sent twice was answered otherwise: {}",
                    other.problem()
                ));
            }
        }
        if let Some(other) = &done.otherwise {
            self.notes.count("other_content_under_one_key");
            if other.status != 409 {
                self.notes.broken.push(format!(
                    "another content under one key was answered {}",
                    other.status
                ));
            }
        }
        match done.answer.status {
            422 => return self.refused_at_the_door(&done),
            // It lies at the desk again, and the gateway has not yet heard from the operator that it came back.
            409 if done.again >= SENT_AGAIN => {
                self.notes.count("sent_again_put_off");
                let tries = self.put_off.entry(done.envelope).or_default();
                *tries += 1;
                if *tries > PUT_OFF_MAX {
                    self.notes.count("sent_again_given_up");
                    return Ok(());
                }
                let act = Act::Register {
                    envelope: done.envelope,
                    again: done.again,
                    corrected: done.corrected,
                };
                self.agenda.add(self.later(1, 9 * 60), act);
                return Ok(());
            }
            _ => {}
        }
        let body = done.answer.expect("a registration", &[201])?;
        let envelope = self.plan.envelopes.get(done.envelope);
        let envelope = envelope.ok_or(DemoError::Confused("no such envelope"))?;
        let parcel = Parcel {
            shipment: ShipmentId::parse(&id).map_err(|_form| DemoError::Confused("no identifier"))?,
            reference: text(&body, "reference").to_owned(),
            envelope: done.envelope,
            source: envelope.source,
            centre: envelope.centre,
            paper: Paper::Awaited,
            unknown_to_postman: false,
            stopped: false,
            held: false,
            delivered_at: None,
        };
        let place = self.notes.acknowledge(parcel)?;
        let slot = i64::from(self.dice.between(0, 3)) * 30 * MINUTE_MS;
        let morning = next_morning(&self.plan.days, self.world.clock.now());
        self.agenda.add(morning.plus_ms(slot), Act::PaperIn(place));
        Ok(())
    }

    /// A ward that no longer exists: the system asks the citizen, and registers again when it was told.
    fn refused_at_the_door(&mut self, done: &Registered) -> Result<(), DemoError> {
        let known = self
            .plan
            .envelopes
            .get(done.envelope)
            .filter(|envelope| envelope.trouble.is_some() && !done.corrected);
        let Some(envelope) = known else {
            return Err(DemoError::Answer {
                what: "a registration",
                status: 422,
                detail: done.answer.problem(),
            });
        };
        self.notes.count("refused_at_the_door");
        if envelope.corrected.is_some() {
            let days = self.dice.between(1, 3);
            let at = self.later(days, 9 * 60);
            let act = Act::Register {
                envelope: done.envelope,
                again: done.again + 1,
                corrected: true,
            };
            self.agenda.add(at, act);
        } else {
            self.notes.count("unreached_before_registering");
        }
        Ok(())
    }

    /// Takes a postal choice back; in doubt it is tried again later.
    pub(super) async fn withdraw(&mut self, place: usize) -> Result<(), DemoError> {
        let Some(dossier) = self.plan.dossiers.get(place) else {
            return Ok(());
        };
        let answer = self.world.client.withdraw(dossier).await?;
        let now = self.world.clock.now();
        let parcel = dossier.envelope.and_then(|envelope| {
            self.notes
                .parcels
                .iter()
                .position(|parcel| parcel.envelope == envelope)
        });
        match answer.status {
            200 => {
                self.notes.count("withdrawn");
                if let Some(parcel) = parcel {
                    if let Some(noted) = self.notes.parcels.get_mut(parcel) {
                        noted.stopped = true;
                    }
                    let at = self.later(1, 10 * 60);
                    self.agenda.add(at, Act::CollectParcel(parcel));
                }
                Ok(())
            }
            409 => {
                self.notes.count("withdrawal_put_off");
                self.agenda
                    .add(now.plus_ms(WITHDRAW_AGAIN_MS), Act::Withdraw(place));
                Ok(())
            }
            _ => answer.expect("a withdrawal", &[200]).map(drop),
        }
    }

    /// Somebody who is not the operator says that things were delivered. Nothing may come of it.
    pub(super) async fn forge(&mut self) {
        let open = self.notes.parcels.iter().rev().find(|parcel| {
            parcel.delivered_at.is_none() && matches!(parcel.paper, Paper::AtDesk | Paper::Packed)
        });
        let reference = open.map_or("DEMO-0", |parcel| parcel.reference.as_str());
        let body = json!({
            "data": [{"itemCode": "EB000000005VN", "saleOrderCode": reference, "status": 14}],
            "sendDate": "01/01/2026 00:00:00",
            "signature": "AAAA",
        });
        let wrong = format!("{}x", self.world.callback_url);
        for (url, body, word) in [
            (wrong, body.to_string(), "forged_callbacks_wrong_secret"),
            (
                self.world.callback_url.clone(),
                body.to_string(),
                "forged_callbacks_right_secret",
            ),
            (
                self.world.callback_url.clone(),
                "\u{0}garbage".to_owned(),
                "garbage_callbacks",
            ),
        ] {
            let request = self
                .bystander
                .post(url)
                .header("content-type", "application/json");
            if request.body(body).send().await.is_ok() {
                self.notes.count(word);
            }
        }
    }
}

impl Drive<'_> {
    /// The files of the day, one per system, as systems without any other way out write them; imported as an
    /// administrator does.
    pub(super) async fn file(&mut self, rows: &[(usize, usize)]) -> Result<(), DemoError> {
        let sources = SOURCES.iter().zip(&self.world.cast.sources);
        for (number, ((code, _), source)) in sources.enumerate() {
            let rows = rows.iter().filter_map(|(dossier, place)| {
                let dossier = self.plan.dossiers.get(*dossier)?;
                let stated = dossier.statements.get(*place)?;
                (dossier.source == number).then_some((dossier, stated))
            });
            let rows: Vec<(&Dossier, &Stated)> = rows.collect();
            if rows.is_empty() {
                continue;
            }
            let path = self.day_file(code)?;
            write_rows(&path, &rows)
                .map_err(|error| DemoError::Part("a file of the day", Box::new(error)))?;
            let file = std::fs::read(&path)?;
            let request = Request {
                file: &file,
                source: code,
                actor: dossier_record::system(*source),
                mode: Mode::GoodRows,
            };
            let outcome = dossiers::run(&self.world.context, request, &|_step, _done, _total| {}).await;
            let outcome = outcome
                .map_err(|error| DemoError::Part("the import of a file of the day", Box::new(error)))?;
            if let Some(refused) = outcome.refused.first() {
                return Err(DemoError::Answer {
                    what: "a row of a file of the day",
                    status: 422,
                    detail: format!("line {} {:?}", refused.line, refused.faults),
                });
            }
            self.notes.add("statements_by_file", u64::from(outcome.applied));
            self.notes.add("dossiers_opened", u64::from(outcome.opened));
            self.notes.count("files_imported");
        }
        Ok(())
    }

    /// Where a system's file of the day is written: beside the database, in a folder of its own.
    fn day_file(&self, source: &str) -> Result<PathBuf, DemoError> {
        let folder = self.world.notes.with_file_name("files");
        std::fs::create_dir_all(&folder)?;
        let date = self.world.clock.now().local_date();
        Ok(folder.join(format!("{date}-{source}.csv")))
    }
}

/// One line for each statement, in order, under the headings of the sample file.
fn write_rows(path: &Path, rows: &[(&Dossier, &Stated)]) -> Result<(), csv::Error> {
    const COLUMNS: [Column; 12] = [
        Column::DossierCode,
        Column::Status,
        Column::StatusAt,
        Column::Procedure,
        Column::ReceivingOffice,
        Column::ReturnBy,
        Column::SubmittedBy,
        Column::ReceivedAt,
        Column::DueAt,
        Column::FinishedAt,
        Column::ReturnedAt,
        Column::Duplicate,
    ];
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(COLUMNS.map(Column::name_vi))?;
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.local().to_string());
    for (dossier, stated) in rows {
        file.write_record([
            dossier.code.clone(),
            stated.status.to_string(),
            time(Some(stated.at)),
            PROCEDURES
                .get(dossier.procedure)
                .map_or_else(String::new, |procedure| procedure.code.to_owned()),
            CENTRES
                .get(dossier.centre)
                .map_or_else(String::new, |centre| centre.code.to_owned()),
            stated.return_by.as_str().to_owned(),
            dossier.submitted_by.as_str().to_owned(),
            time(Some(dossier.received_at)),
            time(Some(stated.due_at)),
            time(stated.finished_at),
            time(stated.returned_at),
            u8::from(stated.duplicate).to_string(),
        ])?;
    }
    file.flush()?;
    Ok(())
}
