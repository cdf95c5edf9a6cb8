//! Room `web`: who calls the JSON API.
//!
//! In: `Authorization: Bearer hb_...`. Out: the dossier system behind the key, within its request limit; or 401, 429.
//! A key acts for one dossier system: an address that names another is 403. Deliberately not here: making and revoking keys
//! (`stage::keys`), and staff.

use super::api::Api;
use super::problem::Problem;
use super::wording;
use crate::stage::intake::Registrar;
use crate::stage::keys::{self, Caller, KEY_PREFIX};
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

/// What a 401 asks for.
const CHALLENGE: &str = "Bearer realm=\"hoibao\"";
/// The same, when a key was given and is not in force.
const CHALLENGE_INVALID: &str = "Bearer realm=\"hoibao\", error=\"invalid_token\"";
/// Longest key that is looked at.
const KEY_BYTES_MAX: usize = 128;

/// A caller whose key is in force and who is within its limit.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Caller);

impl Authenticated {
    /// As intake knows it.
    pub const fn registrar(&self) -> Registrar {
        Registrar {
            source: self.0.source,
        }
    }

    /// Whether the caller may speak for the dossier system named in the address.
    ///
    /// # Errors
    /// 403, also for a system that does not exist: nobody learns which do.
    pub fn require_source(&self, code: &str) -> Result<(), Problem> {
        if self.0.source_code == code {
            Ok(())
        } else {
            Err(Problem::new(&wording::FORBIDDEN))
        }
    }
}

impl FromRequestParts<Api> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Some(presented) = bearer(parts) else {
            let problem = Problem::new(&wording::UNAUTHENTICATED);
            return Err(problem.header(header::WWW_AUTHENTICATE, CHALLENGE));
        };
        let Some(caller) = keys::authenticate(api.context(), &presented).await? else {
            let problem = Problem::new(&wording::UNAUTHENTICATED);
            return Err(problem.header(header::WWW_AUTHENTICATE, CHALLENGE_INVALID));
        };
        if let Err(seconds) = api.permit(caller.key) {
            let problem = Problem::new(&wording::TOO_MANY);
            return Err(problem.header(header::RETRY_AFTER, seconds.to_string()));
        }
        Ok(Self(caller))
    }
}

/// The key of exactly one `Authorization` header.
fn bearer(parts: &Parts) -> Option<String> {
    let mut given = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (given.next()?, given.next());
    if second.is_some() {
        return None;
    }
    let (scheme, key) = first.to_str().ok()?.split_once(' ')?;
    let key = key.trim();
    let good =
        scheme.eq_ignore_ascii_case("bearer") && key.len() <= KEY_BYTES_MAX && key.starts_with(KEY_PREFIX);
    good.then(|| key.to_owned())
}
