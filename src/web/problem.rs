//! Room `web`: what went wrong, as problem details (RFC 9457).
//!
//! In: errors of the stages and of reading a request. Out: one JSON form with a code for machines, English and
//! Vietnamese words, and a pointer per bad field. No value of the request is ever repeated, so nothing personal gets in.
//! Deliberately not here: the sentences themselves (`wording`).

use super::middleware::RequestId;
use super::wording::{self, Wording};
use crate::domain::fault::Fault;
use crate::stage::dossier_record::RecordError;
use crate::stage::intake::IntakeError;
use crate::stage::keys::KeyError;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// When a caller may come again after a failure of the store, seconds.
const RETRY_AFTER_SECONDS: u64 = 2;

/// A problem to be told.
#[derive(Clone, Debug)]
pub struct Problem {
    wording: &'static Wording,
    faults: Vec<Fault>,
    /// Line and column of malformed JSON, from 1.
    position: Option<(usize, usize)>,
    header: Option<(HeaderName, String)>,
}

impl Problem {
    /// A problem in the words given.
    pub(crate) const fn new(wording: &'static Wording) -> Self {
        Self {
            wording,
            faults: Vec::new(),
            position: None,
            header: None,
        }
    }

    /// Every fault of the request. All of them conflicts: 409; else 422.
    pub(crate) fn faults(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        let conflict = !faults.is_empty() && faults.iter().all(|fault| fault.code.is_conflict());
        let wording = if conflict {
            &wording::CONFLICT
        } else {
            &wording::INVALID
        };
        Self {
            faults,
            ..Self::new(wording)
        }
    }

    /// Malformed JSON, with the place.
    pub(crate) fn at(wording: &'static Wording, line: usize, column: usize) -> Self {
        Self {
            position: Some((line, column)),
            ..Self::new(wording)
        }
    }

    /// With a header.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    fn body(&self, request_id: Option<&str>) -> Value {
        let mut body = Map::new();
        let wording = self.wording;
        body.insert(
            "type".into(),
            json!(format!("urn:hoibao:problem:{}", wording.code)),
        );
        body.insert("title".into(), json!(wording.title));
        body.insert("status".into(), json!(wording.status));
        body.insert("code".into(), json!(wording.code));
        body.insert("detail".into(), json!(wording.detail));
        body.insert("detail_vi".into(), json!(wording.detail_vi));
        if let Some((line, column)) = self.position {
            body.insert("position".into(), json!({"line": line, "column": column}));
        }
        if !self.faults.is_empty() {
            let faults: Vec<Value> = self.faults.iter().map(fault).collect();
            body.insert("errors".into(), Value::Array(faults));
        }
        if let Some(id) = request_id {
            body.insert("request_id".into(), json!(id));
        }
        Value::Object(body)
    }

    fn answer(self, request_id: Option<&str>) -> Response {
        let status = StatusCode::from_u16(self.wording.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let form = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, form, self.body(request_id).to_string()).into_response();
        if let Some((name, value)) = &self.header
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// A field of the body has a pointer, a parameter of the query its name.
fn fault(fault: &Fault) -> Value {
    let (detail, detail_vi) = wording::of(fault.code);
    let (name, place) = match fault.pointer.strip_prefix('?') {
        Some(parameter) => ("parameter", parameter),
        None => ("pointer", fault.pointer.as_str()),
    };
    json!({name: place, "code": fault.code.as_str(), "detail": detail, "detail_vi": detail_vi})
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.answer(None)
    }
}

/// Puts the request's id into whatever problem comes out.
pub(crate) async fn sign_with_request_id(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    match (id, response.extensions_mut().remove::<Problem>()) {
        (Some(id), Some(problem)) => {
            let allow = response.headers_mut().remove(header::ALLOW);
            let mut signed = problem.answer(Some(&id.0));
            if let Some(allow) = allow {
                signed.headers_mut().insert(header::ALLOW, allow);
            }
            signed
        }
        (Some(_) | None, Some(_) | None) => response,
    }
}

/// No such address.
pub(crate) async fn not_found() -> Problem {
    Problem::new(&wording::NOT_FOUND)
}

/// The address does not take this method.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(&wording::METHOD)
}

/// Logged once, here, with the whole chain; the caller learns only whether coming again helps.
fn of_failure(error: &(dyn std::error::Error + 'static), may_retry: bool) -> Problem {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    if may_retry {
        tracing::warn!(error = %chain, "a request could not be carried out now");
        Problem::new(&wording::UNAVAILABLE).header(header::RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())
    } else {
        tracing::error!(error = %chain, "a request failed");
        Problem::new(&wording::INTERNAL)
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        let may_retry = error.may_retry();
        match error {
            IntakeError::Refused(faults) => Self::faults(faults),
            IntakeError::OtherBody => Self::new(&wording::OTHER_BODY),
            IntakeError::Erased => Self::new(&wording::GONE),
            IntakeError::Store(_) | IntakeError::Raced => of_failure(&error, may_retry),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        let may_retry = error.may_retry();
        match error {
            RecordError::Refused(faults) => Self::faults(faults),
            RecordError::CodeInvalid => Self::new(&wording::NOT_FOUND),
            RecordError::Store(_) | RecordError::NoStatusMap(_) | RecordError::Raced => {
                of_failure(&error, may_retry)
            }
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match &error {
            KeyError::Store(store) => of_failure(&error, store.may_retry()),
            KeyError::NoSource | KeyError::NoRandomness => of_failure(&error, false),
        }
    }
}
