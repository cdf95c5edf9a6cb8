//! Room `edge::dossier`: signing by Standard Webhooks (standardwebhooks.com, symmetric scheme `v1`).
//!
//! In: a key and what is sent. Out: the value of `webhook-signature`. Deliberately not here: where keys are kept (the
//! store, sealed).

use crate::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How every secret begins in text form.
pub const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a key we make.
pub const KEY_BYTES: usize = 32;
/// Bytes a key may have by the standard.
const KEY_BYTES_ALLOWED: std::ops::RangeInclusive<usize> = 24..=64;

/// The text form of a key, for its receiver.
pub fn secret_text(key: &[u8]) -> Secret<String> {
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(key)))
}

/// Reads the text form; `None` when it is none, or too short or long to be safe.
pub fn parse_secret(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let key = Zeroizing::new(STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok()?);
    KEY_BYTES_ALLOWED.contains(&key.len()).then_some(key)
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
///
/// ```
/// use hoibao::edge::dossier::signature::{parse_secret, sign};
/// let key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").ok_or("a secret")?;
/// let signed = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
/// assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// # Ok::<(), &str>(())
/// ```
pub fn sign(key: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    // HMAC takes a key of any length; the error of the general constructor cannot come.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector published with the reference libraries of Standard Webhooks.
    #[test]
    fn the_published_vector_is_reproduced() {
        let key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(
            &key,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// Each part is covered: none can be changed, nor bytes moved from one to its neighbour.
    #[test]
    fn every_part_is_signed() {
        let key = [7; KEY_BYTES];
        let signed = sign(&key, "out_1", 10, b"{}");
        for other in [
            sign(&[8; KEY_BYTES], "out_1", 10, b"{}"),
            sign(&key, "out_2", 10, b"{}"),
            sign(&key, "out_1", 11, b"{}"),
            sign(&key, "out_1", 10, b"{ }"),
            sign(&key, "out_11", 0, b"{}"),
        ] {
            assert_ne!(other, signed);
        }
    }

    #[test]
    fn secrets_read_back_and_weak_ones_are_refused() {
        let text = secret_text(&[3; KEY_BYTES]);
        assert_eq!(parse_secret(text.expose()).unwrap().as_slice(), [3; KEY_BYTES]);
        for (wrong, why) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), "no prefix"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS".to_owned(), "cut off"),
            (secret_text(&[3; 23]).expose().clone(), "23 bytes"),
            (secret_text(&[3; 65]).expose().clone(), "65 bytes"),
            ("whsec_".to_owned(), "empty"),
        ] {
            assert!(parse_secret(&wrong).is_none(), "{why}");
        }
        assert_eq!(format!("{text:?}"), "[secret]");
    }
}
