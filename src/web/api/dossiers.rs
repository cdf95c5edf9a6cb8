//! Room `web`, JSON API: dossiers of the calling system.
//!
//! In: a whole snapshot by PUT; a question by GET; the postal choice taken back by DELETE. Out: the folded record with its
//! delivery block. Deliberately not here: what a status means (`stage::dossier_record`).

use super::body::JsonBody;
use super::reader::{self, Faults};
use super::{Api, time};
use crate::domain::dossier::snapshot::{Snapshot, Warning};
use crate::domain::dossier::{Discrepancy, ReturnBy, SubmittedBy};
use crate::domain::event::{ShipmentBlock, delivery_block};
use crate::stage::dossier_record::{self, Look, Withdrawal};
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::wording;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Source and code of the address.
type Named = Result<Path<(String, String)>, PathRejection>;

fn named(path: Named, caller: &Authenticated) -> Result<String, Problem> {
    let Path((source, code)) = path.map_err(|_encoding| Problem::new(&wording::NOT_UTF8))?;
    caller.require_source(&source)?;
    Ok(code)
}

/// `PUT /api/v1/dossiers/{source}/{code}`: 201 when the dossier is new, else 200; the same again changes nothing.
pub(crate) async fn state(
    State(api): State<Api>,
    caller: Authenticated,
    path: Named,
    body: JsonBody,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let code = named(path, &caller)?;
    let snapshot = read(&body.value)?;
    let source = caller.0.source;
    let actor = dossier_record::system(source);
    let done = dossier_record::refresh(api.context(), source, actor, &code, &snapshot).await?;
    let look = dossier_record::find(api.context(), source, &code).await?;
    let look = look.ok_or(Problem::new(&wording::NOT_FOUND))?;
    let warnings: Vec<&str> = done.warnings.into_iter().map(Warning::as_str).collect();
    let mut answer = shown(&look);
    if let Value::Object(answer) = &mut answer {
        answer.insert("warnings".into(), json!(warnings));
        answer.insert("changed".into(), json!(done.changed));
    }
    let status = if done.opened {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(answer)))
}

fn read(value: &Value) -> Result<Snapshot, Problem> {
    let faults = Faults::default();
    let snapshot = reader::root(value, &faults).and_then(|mut root| {
        let status_raw = root.text("status");
        let status_at = root.time("status_at");
        let procedure = root.text("procedure");
        let receiving_office = root.text("receiving_office");
        let return_by = root.word("return_by", ReturnBy::parse);
        let submitted_by = root.word("submitted_by", SubmittedBy::parse);
        let received_at = root.time("received_at");
        let due_at = root.opt_time("due_at");
        let finished_at = root.opt_time("finished_at");
        let returned_at = root.opt_time("returned_at");
        let duplicate = root.flag("duplicate");
        let addressee = root.opt_object("addressee").and_then(reader::addressee);
        root.end();
        Some(Snapshot {
            status_raw: status_raw?,
            status_at: status_at?,
            procedure: procedure?,
            receiving_office: receiving_office?,
            return_by: return_by?,
            submitted_by: submitted_by?,
            received_at: received_at?,
            due_at,
            finished_at,
            returned_at,
            duplicate,
            addressee,
        })
    });
    faults.none()?;
    snapshot.ok_or(Problem::new(&wording::INVALID))
}

/// `GET /api/v1/dossiers/{source}/{code}`.
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Authenticated,
    path: Named,
) -> Result<Json<Value>, Problem> {
    let code = named(path, &caller)?;
    let look = dossier_record::find(api.context(), caller.0.source, &code).await?;
    let look = look.ok_or(Problem::new(&wording::NOT_FOUND))?;
    Ok(Json(shown(&look)))
}

fn shown(look: &Look) -> Value {
    let (row, dossier) = (&look.row, &look.dossier);
    let delivery = look.shipment.as_ref().map(|(shipment, delivery, custody)| {
        delivery_block(&ShipmentBlock {
            id: shipment.id.to_string(),
            short_number: &shipment.short_number,
            tracking_number: shipment.tracking_number.as_deref(),
            delivery,
            custody,
        })
    });
    json!({
        "source": row.source_code,
        "code": row.code,
        "status": row.status,
        "status_stated": row.status_stated,
        "status_raw": row.status_raw,
        "map_version": row.map_version,
        "procedure": row.procedure_code,
        "receiving_office": look.office,
        "return_by": dossier.return_by.map(ReturnBy::as_str),
        "submitted_by": SubmittedBy::from_number(row.submitted_by).map(SubmittedBy::as_str),
        "received_at": time(Some(row.received_at)),
        "due_at": time(row.due_at),
        "finished_at": time(row.finished_at),
        "returned_at": time(row.returned_at),
        "post_withdrawn": row.post_withdrawn,
        "duplicate": row.is_duplicate,
        "discrepancy": dossier.discrepancy.map(Discrepancy::as_str),
        "delivery": delivery,
        "updated_at": time(Some(row.updated_at)),
    })
}

/// `DELETE /api/v1/dossiers/{source}/{code}/postal-choice`: the citizen collects in person after all.
pub(crate) async fn withdraw(
    State(api): State<Api>,
    caller: Authenticated,
    path: Named,
) -> Result<Json<Value>, Problem> {
    let code = named(path, &caller)?;
    let source = caller.0.source;
    let actor = dossier_record::system(source);
    let done = dossier_record::withdraw_post(api.context(), source, actor, &code).await?;
    let result = match done {
        None => return Err(Problem::new(&wording::NOT_FOUND)),
        Some(Withdrawal::Withdrawn) => "withdrawn",
        Some(Withdrawal::Already) => "already",
        Some(Withdrawal::NotByPost) => return Err(Problem::new(&wording::WITHDRAW_NOT_BY_POST)),
        Some(Withdrawal::Returned) => return Err(Problem::new(&wording::WITHDRAW_RETURNED)),
        Some(Withdrawal::HandedOver) => return Err(Problem::new(&wording::WITHDRAW_HANDED_OVER)),
        Some(Withdrawal::InDoubt) => return Err(Problem::new(&wording::CANCEL_IN_DOUBT)),
        Some(Withdrawal::SharedEnvelope) => return Err(Problem::new(&wording::WITHDRAW_SHARED)),
        Some(Withdrawal::NotOffered) => return Err(Problem::new(&wording::CANCEL_NOT_OFFERED)),
    };
    Ok(Json(json!({"result": result})))
}
