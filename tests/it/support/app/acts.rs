//! What dossier systems and the desk do: over real HTTP where they do it over HTTP, else through the stage.
//!
//! In: numbers of dossiers. Out: identifiers of shipments. Deliberately not here: what the operator does.

use super::TestApp;
use super::seed::{self, COMMUNE_UNKNOWN_TO_OPERATOR, GOOD_PHONE};
use hoibao::domain::dossier_code::DossierCode;
use hoibao::domain::id::ShipmentId;
use hoibao::domain::time::{Clock as _, Timestamp};
use hoibao::edge::store::{Command, StoreError, Tx, queue};
use hoibao::stage::desk::{self, CloseHandover, ClosedHandover, ListedItem, Taking, Thing};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::PoisonError;

/// A shipment the gateway answered for.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) id: ShipmentId,
    pub(super) reference: String,
}

/// The code of the n-th dossier.
pub(crate) fn code_of(number: u32) -> String {
    format!("000.12.20.H49-261101-{number:04}")
}

/// What an addressee's line of a registration is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing is wrong.
    Good,
    /// The operator will refuse this telephone number.
    Phone(&'static str),
    /// The operator's list does not have the commune.
    UnknownCommune,
}

fn addressee(line: Line) -> Value {
    let phone = match line {
        Line::Phone(phone) => phone,
        Line::Good | Line::UnknownCommune => GOOD_PHONE,
    };
    let commune = match line {
        Line::UnknownCommune => COMMUNE_UNKNOWN_TO_OPERATOR,
        Line::Good | Line::Phone(_) => seed::COMMUNE,
    };
    json!({
        "name": seed::NAME,
        "phone": phone,
        "line": seed::LINE,
        "commune": {"set": seed::UNIT_SET, "code": commune},
        "province": {"set": seed::UNIT_SET, "code": seed::PROVINCE},
        "note": seed::NOTE,
    })
}

/// A dossier finished three days ago that returns by post, as its system states it.
pub(crate) fn dossier_body(now: Timestamp) -> Value {
    let days = |days: i64| now.plus_ms(days * 86_400_000).to_rfc3339();
    json!({
        "status": "9",
        "status_at": days(-3),
        "procedure": seed::PROCEDURE,
        "receiving_office": seed::OFFICE,
        "return_by": "post",
        "submitted_by": "online",
        "received_at": days(-20),
        "due_at": days(2),
        "finished_at": days(-3),
        "addressee": addressee(Line::Good),
    })
}

/// A registration of the n-th dossier's result.
pub(crate) fn shipment_body(number: u32, line: Line) -> Value {
    json!({
        "items": [{"dossier": code_of(number)}],
        "sending_office": seed::OFFICE,
        "addressee": addressee(line),
        "weight_grams": 50,
        "collect_dong": 0,
        "postage_payer": "citizen",
    })
}

impl TestApp {
    /// One request with the dossier system's key.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let url = format!("http://{}{path}", self.web);
        let mut request = self
            .client
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.key);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let bytes = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The system states a finished dossier that returns by post.
    pub(crate) async fn state_dossier(&self, number: u32) {
        let body = dossier_body(self.clock.now());
        let path = format!("/api/v1/dossiers/{}/{}", seed::SOURCE, code_of(number));
        let (status, told) = self.ask("PUT", &path, None, Some(&body)).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
    }

    /// Registers the n-th dossier's result for postal return.
    pub(crate) async fn register(&self, number: u32) -> ShipmentId {
        self.register_line(number, Line::Good).await
    }

    /// Registers a result for an addressee about whom something may be wrong.
    pub(crate) async fn register_line(&self, number: u32, line: Line) -> ShipmentId {
        self.state_dossier(number).await;
        let body = shipment_body(number, line);
        let key = format!("key-{number}");
        let (status, told) = self
            .ask("POST", "/api/v1/shipments", Some(&key), Some(&body))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        let id = ShipmentId::parse(told["id"].as_str().unwrap()).unwrap();
        let reference = told["reference"].as_str().unwrap().to_owned();
        self.acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Acknowledged { id, reference });
        id
    }

    /// The system asks to stop a shipment.
    pub(crate) async fn ask_to_cancel(&self, id: ShipmentId) -> (StatusCode, Value) {
        let path = format!("/api/v1/shipments/{id}/cancel");
        let body = json!({"reason": "citizen_asked"});
        self.ask("POST", &path, None, Some(&body)).await
    }

    /// Something was heard about a shipment that is worth a look.
    pub(crate) async fn hint(&self, id: ShipmentId) {
        let hint = Hint(id, self.clock.now());
        assert!(
            self.context.store.submit(hint).await.unwrap(),
            "it is not in doubt"
        );
    }

    /// The desk scans the n-th dossier's paper in.
    pub(crate) async fn scan_in(&self, number: u32) {
        let thing = Thing::Document {
            source: self.seed.source,
            code: DossierCode::parse(&code_of(number)).unwrap(),
            document_no: 1,
        };
        let found = desk::paper_in(&self.context, self.seed.clerk, thing, None)
            .await
            .unwrap();
        assert!(found.new && found.complete);
    }

    /// The desk packs the n-th dossier's paper, closes a list over it, and the postal worker takes it.
    pub(crate) async fn hand_over(&self, number: u32, id: ShipmentId) -> ClosedHandover {
        let clerk = self.seed.clerk;
        desk::pack(&self.context, clerk, id, vec![code_of(number)])
            .await
            .unwrap();
        let list = CloseHandover {
            given: clerk,
            entered_by: clerk,
            taken_by: "BT-0001".to_owned(),
            items: vec![ListedItem {
                shipment: id,
                taking: Taking::Taken,
            }],
            handed_over_at: self.clock.now(),
            late_reason: None,
        };
        let closed = desk::close_handover(&self.context, list).await.unwrap();
        let reference = self.shipment(id).await.reference;
        self.simulator().hand_over(&reference, self.clock.now());
        closed
    }
}

struct Hint(ShipmentId, Timestamp);

impl Command for Hint {
    const NAME: &'static str = "test_hint";
    type Output = bool;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        queue::hint_doubt(tx, self.0, self.1).await
    }
}
