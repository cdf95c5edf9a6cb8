//! Room `web`, JSON API: pages of shipments.
//!
//! In: filters and a cursor in the query. Out: short rows in the order of registration. A shipment registered while a
//! caller pages may be committed behind the cursor; who follows the list overlaps `created_from`. Deliberately not here:
//! the question to the store.

use super::{Api, cursor, time};
use crate::domain::delivery::DeliveryState;
use crate::domain::dossier_code::DossierCode;
use crate::domain::fault::{Fault, FaultCode};
use crate::domain::time::Timestamp;
use crate::stage::intake::{self, LIST_LIMIT_MAX, Wanted};
use crate::web::auth::Authenticated;
use crate::web::problem::Problem;
use crate::web::wording;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rows on a page unless asked otherwise.
const LIMIT_DEFAULT: u32 = 50;

/// `GET /api/v1/shipments?state=&held=&dossier=&created_from=&created_to=&cursor=&limit=`.
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Authenticated,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|_encoding| Problem::new(&wording::NOT_UTF8))?;
    let listed = intake::list(api.context(), caller.registrar(), read(&query)?).await?;
    let rows: Vec<Value> = listed
        .rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id.to_string(),
                "short_number": row.short_number,
                "reference": row.reference,
                "tracking_number": row.tracking_number,
                "registered_at": time(Some(row.created_at)),
                "state": row.state.as_str(),
                "contested": row.contested,
                "held": row.held,
                "paper": row.custody,
                "handed_over_at": time(row.handed_over_at),
                "delivered_at": time(row.delivered_at),
                "closed": row.closed,
            })
        })
        .collect();
    Ok(Json(
        json!({"shipments": rows, "next_cursor": listed.next.map(cursor::write)}),
    ))
}

fn read(query: &[(String, String)]) -> Result<Wanted, Problem> {
    let mut wanted = Wanted {
        limit: LIMIT_DEFAULT,
        ..Wanted::default()
    };
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, value) in query {
        let code = if seen.insert(name) {
            take(&mut wanted, name, value).err()
        } else {
            Some(FaultCode::CountOutOfRange)
        };
        if let Some(code) = code {
            // Only our own names are repeated to the caller.
            let known = PARAMETERS.iter().find(|known| *known == name);
            faults.push(Fault::at(format!("?{}", known.unwrap_or(&"")), code));
        }
    }
    if faults.is_empty() {
        Ok(wanted)
    } else {
        Err(Problem::faults(faults))
    }
}

const PARAMETERS: &[&str] = &[
    "state",
    "held",
    "dossier",
    "created_from",
    "created_to",
    "cursor",
    "limit",
];

/// Takes one parameter; an empty value is the same as none.
fn take(wanted: &mut Wanted, name: &str, value: &str) -> Result<(), FaultCode> {
    let at = || Timestamp::parse_rfc3339(value).ok_or(FaultCode::NotATime);
    if value.is_empty() && PARAMETERS.contains(&name) {
        return Ok(());
    }
    match name {
        "state" => wanted.state = Some(DeliveryState::parse(value).ok_or(FaultCode::NotAWord)?),
        "held" => wanted.held = Some(value.parse().map_err(|_word| FaultCode::NotAWord)?),
        "dossier" => {
            let code = DossierCode::parse(value).map_err(|_form| FaultCode::DossierCodeInvalid)?;
            wanted.dossier = Some(code);
        }
        "created_from" => wanted.created_from = Some(at()?),
        "created_to" => wanted.created_to = Some(at()?),
        "cursor" => wanted.after = Some(cursor::read(value).ok_or(FaultCode::NotAWord)?),
        "limit" => {
            let limit = value.parse::<u32>().ok();
            let limit = limit.filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit));
            wanted.limit = limit.ok_or(FaultCode::CountOutOfRange)?;
        }
        _ => return Err(FaultCode::UnknownField),
    }
    Ok(())
}
