//! Room `web`, JSON API: from the bytes of a body to a JSON value.
//!
//! In: a request. Out: the raw bytes and the value; or 400, 413, 415. Checked in this order: encoding, type, length,
//! UTF-8, JSON. A name that stands twice in one object is refused: two readers could understand two things.
//! Deliberately not here: which fields there must be (`reader`).

use super::Api;
use crate::web::problem::Problem;
use crate::web::wording;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// A body read as JSON, beside its bytes.
pub(crate) struct JsonBody {
    pub(crate) bytes: Bytes,
    pub(crate) value: Value,
}

impl FromRequest<Api> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if !is_plain_json(request.headers()) {
            return Err(Problem::new(&wording::NOT_JSON));
        }
        let bytes = Bytes::from_request(request, api).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(&wording::TOO_LARGE)
            } else {
                Problem::new(&wording::BODY_UNREADABLE)
            }
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_utf8| Problem::new(&wording::NOT_UTF8))?;
        let value = parse(text).map_err(|error| {
            let wording = match error.classify() {
                Category::Data => &wording::REPEATED_FIELD,
                Category::Io | Category::Syntax | Category::Eof => &wording::MALFORMED,
            };
            Problem::at(wording, error.line(), error.column())
        })?;
        Ok(Self { bytes, value })
    }
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?").trim())
    };
    let plain = text(header::CONTENT_ENCODING).is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
    let Some(kind) = text(header::CONTENT_TYPE) else {
        return false;
    };
    let mut parts = kind.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    });
    plain && json && utf8
}

/// JSON without repeated names. The only data error there can be is a repeated name.
fn parse(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(Self)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_read_whole_and_repeated_names_are_told_from_bad_syntax() {
        let text = r#"{"a":[1,-2,2.5,true,null,"x"],"b":{}}"#;
        assert_eq!(
            parse(text).unwrap(),
            json!({"a": [1, -2, 2.5, true, null, "x"], "b": {}})
        );
        let repeated = parse("{\"a\":1,\n \"a\":2}").unwrap_err();
        assert_eq!((repeated.classify(), repeated.line()), (Category::Data, 2));
        for wrong in ["", "{", "{\"a\":}", "{} x", "\u{feff}{}", &"[".repeat(200)] {
            assert_ne!(parse(wrong).unwrap_err().classify(), Category::Data, "{wrong}");
        }
    }

    #[test]
    fn only_plain_json_is_taken() {
        let check = |kind: &str, coding: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            if let Some(coding) = coding {
                headers.insert(header::CONTENT_ENCODING, coding.parse().unwrap());
            }
            is_plain_json(&headers)
        };
        assert!(check("application/json", None));
        assert!(check("Application/JSON; charset=\"UTF-8\"", Some("identity")));
        assert!(!check("application/json; charset=windows-1258", None));
        assert!(!check("application/json", Some("gzip")));
        assert!(!check("text/plain", None));
        assert!(!is_plain_json(&HeaderMap::new()));
    }
}
