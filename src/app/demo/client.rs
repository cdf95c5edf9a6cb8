//! Room `app::demo`: the dossier systems' side of the JSON API, over real HTTP.
//!
//! In: planned dossiers and envelopes. Out: the gateway's answers. Deliberately not here: any short cut into the
//! gateway; what is sent here, a provincial system could send.

use super::error::DemoError;
use super::places::CENTRES;
use super::plan::{Dossier, Envelope, Plan, Recipient, SOURCES, Stated};
use super::procedures::PROCEDURES;
use crate::domain::dossier::ReturnBy;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// One call at most.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often a call is repeated when the gateway says "later" (429, 503) or the connection breaks.
const TRIES: u32 = 8;
/// First pause before a repetition, real time.
const PAUSE: Duration = Duration::from_millis(20);

/// Two dossier systems with their keys.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    keys: Vec<Secret<String>>,
}

/// An answer that was read.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// The problem's code with the places and codes of its faults; nothing personal stands in them.
    pub(super) fn problem(&self) -> String {
        let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let faults = self.body.get("errors").and_then(Value::as_array);
        let faults: Vec<String> = faults
            .into_iter()
            .flatten()
            .map(|fault| format!("{} {}", word(fault, "pointer"), word(fault, "code")))
            .collect();
        format!("{} [{}]", word(&self.body, "code"), faults.join(", "))
    }

    /// The body of an expected answer.
    pub(super) fn expect(self, what: &'static str, statuses: &[u16]) -> Result<Value, DemoError> {
        if statuses.contains(&self.status) {
            return Ok(self.body);
        }
        Err(DemoError::Answer {
            what,
            status: self.status,
            detail: self.problem(),
        })
    }
}

/// What a registration needs beside the envelope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registration<'a> {
    pub(super) plan: &'a Plan,
    pub(super) envelope: &'a Envelope,
    pub(super) to: &'a Recipient,
    /// Idempotency key.
    pub(super) key: &'a str,
}

impl Client {
    /// A client of the gateway at `address`; one key per system of [`SOURCES`].
    pub(super) fn new(address: SocketAddr, keys: Vec<Secret<String>>) -> Result<Self, DemoError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| DemoError::Part("the dossier systems' client", Box::new(error)))?;
        Ok(Self {
            http,
            base: format!("http://{address}"),
            keys,
        })
    }

    /// One request, repeated while the gateway asks for it.
    async fn send(
        &self,
        source: usize,
        (method, path): (Method, &str),
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, DemoError> {
        let key = self.keys.get(source).ok_or(DemoError::Confused("no key"))?;
        let mut pause = PAUSE;
        for _ in 0..TRIES {
            let mut request = self
                .http
                .request(method.clone(), format!("{}{path}", self.base))
                .bearer_auth(key.expose());
            if let Some(key) = idempotency_key {
                request = request.header("idempotency-key", key);
            }
            if let Some(body) = body {
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            if let Ok(response) = request.send().await {
                let status = response.status().as_u16();
                if !matches!(status, 429 | 503) {
                    let bytes = response
                        .bytes()
                        .await
                        .map_err(|_broken| DemoError::Http("whole"))?;
                    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                    return Ok(Answer { status, body });
                }
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(DemoError::Http("in time"))
    }

    /// States a dossier.
    pub(super) async fn put(&self, dossier: &Dossier, stated: &Stated) -> Result<(), DemoError> {
        let body = snapshot(dossier, stated);
        let path = dossier_path(dossier, "");
        let answer = self
            .send(dossier.source, (Method::PUT, &path), None, Some(&body))
            .await?;
        answer.expect("a dossier", &[200, 201]).map(drop)
    }

    /// Takes the postal choice back; the answer's own status tells what became of it.
    pub(super) async fn withdraw(&self, dossier: &Dossier) -> Result<Answer, DemoError> {
        let path = dossier_path(dossier, "/postal-choice");
        self.send(dossier.source, (Method::DELETE, &path), None, None)
            .await
    }

    /// Registers an envelope.
    pub(super) async fn register(&self, registration: Registration<'_>) -> Result<Answer, DemoError> {
        let body = registration.body();
        let call = (Method::POST, "/api/v1/shipments");
        self.send(
            registration.envelope.source,
            call,
            Some(registration.key),
            Some(&body),
        )
        .await
    }

    /// Registers another content under the same key, as a broken system would; it must be refused.
    pub(super) async fn register_otherwise(
        &self,
        registration: Registration<'_>,
    ) -> Result<Answer, DemoError> {
        let mut body = registration.body();
        if let Some(body) = body.as_object_mut() {
            body.insert(
                "weight_grams".to_owned(),
                (registration.envelope.grams + 1).into(),
            );
        }
        let call = (Method::POST, "/api/v1/shipments");
        self.send(
            registration.envelope.source,
            call,
            Some(registration.key),
            Some(&body),
        )
        .await
    }

    /// A shipment by its identifier.
    pub(super) async fn shipment(&self, source: usize, id: &str) -> Result<Answer, DemoError> {
        let path = format!("/api/v1/shipments/{id}");
        self.send(source, (Method::GET, &path), None, None).await
    }

    /// A dossier by its code.
    pub(super) async fn dossier(&self, dossier: &Dossier) -> Result<Value, DemoError> {
        let path = dossier_path(dossier, "");
        let answer = self
            .send(dossier.source, (Method::GET, &path), None, None)
            .await?;
        answer.expect("a dossier by code", &[200])
    }

    /// All shipments of a system that are held: identifier and why.
    pub(super) async fn held(&self, source: usize) -> Result<Vec<(String, String)>, DemoError> {
        let mut held = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/shipments?held=true&limit=200{cursor}");
            let answer = self.send(source, (Method::GET, &path), None, None).await?;
            let body = answer.expect("held shipments", &[200])?;
            let rows = body.get("shipments").and_then(Value::as_array);
            for row in rows.into_iter().flatten() {
                held.push((text(row, "id").to_owned(), text(row, "held").to_owned()));
            }
            match body.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(held),
            }
        }
    }
}

/// A text of an object; empty when it is not there.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn dossier_path(dossier: &Dossier, rest: &str) -> String {
    let source = SOURCES.get(dossier.source).map_or("", |(code, _)| code);
    format!("/api/v1/dossiers/{source}/{}{rest}", dossier.code)
}

fn snapshot(dossier: &Dossier, stated: &Stated) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    json!({
        "status": stated.status.to_string(),
        "status_at": stated.at.to_rfc3339(),
        "procedure": PROCEDURES.get(dossier.procedure).map_or("", |procedure| procedure.code),
        "receiving_office": CENTRES.get(dossier.centre).map_or("", |centre| centre.code),
        "return_by": ReturnBy::as_str(stated.return_by),
        "submitted_by": dossier.submitted_by.as_str(),
        "received_at": dossier.received_at.to_rfc3339(),
        "due_at": stated.due_at.to_rfc3339(),
        "finished_at": time(stated.finished_at),
        "returned_at": time(stated.returned_at),
        "duplicate": stated.duplicate,
    })
}

impl Registration<'_> {
    fn body(&self) -> Value {
        let items: Vec<Value> = self
            .envelope
            .dossiers
            .iter()
            .filter_map(|place| self.plan.dossiers.get(*place))
            .map(|dossier| json!({"dossier": dossier.code}))
            .collect();
        let unit = |code: &str| json!({"set": self.to.units.set, "code": code});
        json!({
            "items": items,
            "sending_office": CENTRES.get(self.envelope.centre).map_or("", |centre| centre.code),
            "addressee": {
                "name": self.to.name,
                "phone": self.to.phone,
                "line": self.to.line,
                "commune": unit(self.to.units.commune),
                "province": unit(self.to.units.province),
                "note": self.to.note,
            },
            "weight_grams": self.envelope.grams,
            "postage_payer": "citizen",
        })
    }
}
