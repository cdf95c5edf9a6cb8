//! Room `web`, JSON API: one shipment: registered, shown, stopped.
//!
//! In: requests of the calling system about its own shipments. Out: answers without personal data, which the system has
//! itself. Deliberately not here: the rules (`stage::intake`).

use super::body::JsonBody;
use super::reader::{self, Faults, Object};
use super::{Api, time};
use crate::domain::event::{ShipmentBlock, delivery_block};
use crate::domain::fault::FaultCode;
use crate::domain::id::ShipmentId;
use crate::stage::intake::{
    self, CancelAnswer, CancelReason, Draft, ITEMS_MAX, IdempotencyKey, ItemDraft, Look, PostagePayer, To,
};
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::wording;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Names a registration, so that asking again does nothing twice.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

type Named = Result<Path<String>, PathRejection>;

/// `POST /api/v1/shipments`: 201 with the same body however often it is asked with the same key and body.
pub(crate) async fn register(
    State(api): State<Api>,
    caller: Authenticated,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers).ok_or(Problem::new(&wording::KEY_MISSING))?;
    let draft = read(&body.value)?;
    let done = intake::register(api.context(), caller.registrar(), &key, &body.bytes, &draft).await?;
    let location = format!("/api/v1/shipments/{}", done.id);
    let answer = json!({
        "id": done.id.to_string(),
        "short_number": done.short_number,
        "reference": done.reference,
        "registered_at": done.registered_at.to_rfc3339(),
        "state": "queued",
        "href": location,
    });
    let headers = [(header::LOCATION, location), (REPLAYED, done.again.to_string())];
    Ok((StatusCode::CREATED, headers, Json(answer)).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> Option<IdempotencyKey> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (first, second) = (given.next()?, given.next());
    if second.is_some() {
        return None;
    }
    IdempotencyKey::parse(first.to_str().ok()?)
}

fn read(value: &Value) -> Result<Draft, Problem> {
    let faults = Faults::default();
    let draft = reader::root(value, &faults).and_then(|mut root| {
        let items = root
            .objects("items", ITEMS_MAX)
            .map(|items| items.into_iter().map(item).collect::<Vec<_>>());
        let sending_office = root.text("sending_office");
        let return_office = root.opt_text("return_office");
        let deciding_office = root.opt_text("deciding_office");
        let to = addressee(&mut root);
        let weight_grams = root.int("weight_grams");
        let collect_dong = root.opt_int("collect_dong").unwrap_or(0);
        let service_code = root.opt_text("service_code");
        let postage_payer = root.word("postage_payer", PostagePayer::parse);
        root.end();
        Some(Draft {
            items: items?.into_iter().collect::<Option<Vec<_>>>()?,
            sending_office: sending_office?,
            return_office,
            deciding_office,
            to: to?,
            weight_grams: weight_grams?,
            collect_dong,
            service_code,
            postage_payer: postage_payer?,
        })
    });
    faults.none()?;
    draft.ok_or(Problem::new(&wording::INVALID))
}

fn item(mut object: Object<'_>) -> Option<ItemDraft> {
    let dossier = object.text("dossier");
    let document_no = object.opt_int("document_no").unwrap_or(1);
    object.end();
    Some(ItemDraft {
        dossier: dossier?,
        document_no,
    })
}

/// Either an addressee or the word that the registered one is meant, never both.
fn addressee(root: &mut Object<'_>) -> Option<To> {
    let registered = root.flag("addressee_from_dossier");
    if !registered {
        return root
            .object("addressee")
            .and_then(reader::addressee)
            .map(To::Given);
    }
    if root.opt_object("addressee").is_some() {
        root.fault("addressee", FaultCode::AddresseeNotNeeded);
    }
    Some(To::Registered)
}

fn id(path: Named) -> Result<ShipmentId, Problem> {
    let Path(text) = path.map_err(|_encoding| Problem::new(&wording::NOT_UTF8))?;
    ShipmentId::parse(&text).map_err(|_form| Problem::new(&wording::NOT_FOUND))
}

/// `GET /api/v1/shipments/{id}`.
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Authenticated,
    path: Named,
) -> Result<Json<Value>, Problem> {
    let look = intake::find(api.context(), caller.registrar(), id(path)?).await?;
    let look = look.ok_or(Problem::new(&wording::NOT_FOUND))?;
    Ok(Json(shown(&look)))
}

fn shown(look: &Look) -> Value {
    let (row, revision) = (&look.row, &look.revision);
    let [receiving, deciding, sending, return_to] = &look.offices;
    let items: Vec<Value> = look
        .items
        .iter()
        .map(|item| json!({"dossier": item.code, "document_no": item.document_no, "live": item.live}))
        .collect();
    json!({
        "id": row.id.to_string(),
        "short_number": row.short_number,
        "reference": row.reference,
        "registered_at": time(Some(row.created_at)),
        "updated_at": time(Some(row.updated_at)),
        "heard_at": time(row.heard_at),
        "items": items,
        "offices": {
            "receiving": receiving, "deciding": deciding, "sending": sending, "return": return_to,
        },
        "revision": {
            "number": revision.revision,
            "unit_set": revision.unit_set,
            "province": revision.province_code,
            "commune": revision.commune_code,
            "weight_grams": revision.weight_grams,
            "collect_dong": revision.collect_dong,
            "service_code": revision.service_code,
        },
        "delivery": delivery_block(&ShipmentBlock {
            id: row.id.to_string(),
            short_number: &row.short_number,
            tracking_number: row.tracking_number.as_deref(),
            delivery: &look.delivery,
            custody: &look.custody,
        }),
    })
}

/// `POST /api/v1/shipments/{id}/cancel`: 200 when it ended, 202 when the operator will be asked.
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Authenticated,
    path: Named,
    body: JsonBody,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = id(path)?;
    let faults = Faults::default();
    let reason = reader::root(&body.value, &faults).and_then(|mut root| {
        let reason = root.word("reason", CancelReason::parse);
        root.end();
        reason
    });
    faults.none()?;
    let reason = reason.ok_or(Problem::new(&wording::INVALID))?;
    let done = intake::cancel(api.context(), caller.registrar(), id, reason).await?;
    let (status, result) = match done {
        None => return Err(Problem::new(&wording::NOT_FOUND)),
        Some(CancelAnswer::Cancelled) => (StatusCode::OK, "cancelled"),
        Some(CancelAnswer::Asked) => (StatusCode::ACCEPTED, "asked"),
        Some(CancelAnswer::Already) => (StatusCode::OK, "already"),
        Some(CancelAnswer::InDoubt) => return Err(Problem::new(&wording::CANCEL_IN_DOUBT)),
        Some(CancelAnswer::HandedOver) => return Err(Problem::new(&wording::CANCEL_HANDED_OVER)),
        Some(CancelAnswer::Ended) => return Err(Problem::new(&wording::CANCEL_ENDED)),
        Some(CancelAnswer::NotOffered) => return Err(Problem::new(&wording::CANCEL_NOT_OFFERED)),
    };
    Ok((status, Json(json!({"id": id.to_string(), "result": result}))))
}
