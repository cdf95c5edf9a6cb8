//! Room `edge::store`: keys for personal data.
//!
//! A key file outside the database holds versioned wrapping keys and one index key. Each record has a random key of
//! its own, wrapped by the newest wrapping key; its personal data are sealed under it and every digest over them is
//! keyed by it. Destroying the record key erases the data everywhere, in backups too. In: plain bytes. Out: sealed
//! bytes. Deliberately not here: which record holds what.

use super::StoreError;
use crate::domain::id::RecordId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// A line is not `name = base64 of 32 bytes`.
    #[error("line {line} of the key file is not of the form `v1 = <base64 of 32 bytes>`")]
    Line {
        /// Its number, from 1.
        line: usize,
    },
    /// No wrapping key `v1`, `v2`, ...
    #[error("the key file holds no wrapping key; it needs a line `v1 = ...`")]
    NoWrappingKey,
    /// No index key.
    #[error("the key file holds no line `index = ...`")]
    NoIndexKey,
    /// The machine gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// Wrapping keys by version, and the index key. Prints nothing of them.
pub struct Keyring {
    wrapping: BTreeMap<u32, Zeroizing<[u8; 32]>>,
    index: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring(newest v{})", self.newest())
    }
}

/// The key of one record. Prints nothing of it.
#[derive(Clone)]
pub struct RecordKey {
    record: RecordId,
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordKey({})", self.record)
    }
}

/// Bytes from the operating system.
fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|_os| StoreError::Seal { what: "sealed" })?;
    Ok(bytes)
}

impl Keyring {
    /// The text of a new key file.
    ///
    /// # Errors
    /// [`KeyFileError::NoRandomness`].
    pub fn generate() -> Result<Zeroizing<String>, KeyFileError> {
        let mut text = Zeroizing::new(String::from(
            "# Keys of hoibao. Keep this file outside the database and outside its backups.\n",
        ));
        for name in ["v1", "index"] {
            let key = random::<32>().map_err(|_os| KeyFileError::NoRandomness)?;
            text.extend([name, " = ", &BASE64.encode(key), "\n"]);
        }
        Ok(text)
    }

    /// The text of a key file with one more wrapping key, which becomes the newest.
    ///
    /// # Errors
    /// [`KeyFileError`] when the given text is not a key file.
    pub fn rotate(text: &str) -> Result<Zeroizing<String>, KeyFileError> {
        let next = Self::parse(text)?.newest() + 1;
        let key = random::<32>().map_err(|_os| KeyFileError::NoRandomness)?;
        Ok(Zeroizing::new(format!(
            "{}\nv{next} = {}\n",
            text.trim_end(),
            BASE64.encode(key)
        )))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyFileError`] naming the line, never its content.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut wrapping = BTreeMap::new();
        let mut index = None;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = KeyFileError::Line { line: number + 1 };
            let Some((name, value)) = line.split_once('=') else {
                return Err(wrong);
            };
            let decoded = Zeroizing::new(BASE64.decode(value.trim()).unwrap_or_default());
            let Ok(key) = <[u8; 32]>::try_from(decoded.as_slice()) else {
                return Err(wrong);
            };
            let key = Zeroizing::new(key);
            match name.trim() {
                "index" => index = Some(key),
                name => {
                    let version = name
                        .strip_prefix('v')
                        .and_then(|digits| digits.parse::<u32>().ok());
                    let Some(version) = version.filter(|version| *version > 0) else {
                        return Err(wrong);
                    };
                    wrapping.insert(version, key);
                }
            }
        }
        if wrapping.is_empty() {
            return Err(KeyFileError::NoWrappingKey);
        }
        Ok(Self {
            wrapping,
            index: index.ok_or(KeyFileError::NoIndexKey)?,
        })
    }

    /// Version of the key that wraps new records.
    pub fn newest(&self) -> u32 {
        self.wrapping.keys().next_back().copied().unwrap_or(0)
    }

    /// A new record key with its wrapped form.
    ///
    /// # Errors
    /// [`StoreError::Seal`] when the machine gives no random bytes.
    pub fn new_record(&self, record: RecordId) -> Result<(RecordKey, Vec<u8>), StoreError> {
        let key = RecordKey {
            record,
            key: Zeroizing::new(random::<32>()?),
        };
        let wrapped = self.wrap(&key)?;
        Ok((key, wrapped))
    }

    /// Wraps a record key under the newest wrapping key.
    ///
    /// # Errors
    /// [`StoreError::Seal`].
    pub fn wrap(&self, key: &RecordKey) -> Result<Vec<u8>, StoreError> {
        let version = self.newest();
        let wrapping = self
            .wrapping
            .get(&version)
            .ok_or(StoreError::Seal { what: "wrapped" })?;
        seal(
            wrapping,
            &aad("record_key", key.record.as_bytes(), &version.to_string()),
            key.key.as_slice(),
        )
    }

    /// Unwraps a record key. Empty bytes mean that it was destroyed.
    ///
    /// # Errors
    /// [`StoreError::Erased`], or [`StoreError::Seal`] when the wrapping key is missing or the bytes were changed.
    pub fn unwrap_record(
        &self,
        record: RecordId,
        version: u32,
        wrapped: &[u8],
    ) -> Result<RecordKey, StoreError> {
        if wrapped.is_empty() {
            return Err(StoreError::Erased);
        }
        let wrapping = self
            .wrapping
            .get(&version)
            .ok_or(StoreError::Seal { what: "opened" })?;
        let plain = open(
            wrapping,
            &aad("record_key", record.as_bytes(), &version.to_string()),
            wrapped,
        )?;
        let key =
            <[u8; 32]>::try_from(plain.as_slice()).map_err(|_length| StoreError::Seal { what: "opened" })?;
        Ok(RecordKey {
            record,
            key: Zeroizing::new(key),
        })
    }

    /// Seals a secret that belongs to no record (operator password, token, signing secret). The version is kept in
    /// front of the bytes.
    ///
    /// # Errors
    /// [`StoreError::Seal`].
    pub fn seal_secret(&self, place: &str, row: &[u8; 16], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let version = self.newest();
        let wrapping = self
            .wrapping
            .get(&version)
            .ok_or(StoreError::Seal { what: "sealed" })?;
        let mut out = version.to_be_bytes().to_vec();
        out.extend(seal(wrapping, &aad(place, row, "secret"), plain)?);
        Ok(out)
    }

    /// Opens what [`Keyring::seal_secret`] sealed.
    ///
    /// # Errors
    /// [`StoreError::Seal`].
    pub fn open_secret(
        &self,
        place: &str,
        row: &[u8; 16],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let wrong = StoreError::Seal { what: "opened" };
        let Some((version, rest)) = sealed.split_first_chunk::<4>() else {
            return Err(wrong);
        };
        let Some(wrapping) = self.wrapping.get(&u32::from_be_bytes(*version)) else {
            return Err(wrong);
        };
        open(wrapping, &aad(place, row, "secret"), rest)
    }

    /// Keyed hash for the search index, 16 bytes: tells equal words apart without telling the word.
    pub fn index_token(&self, purpose: &str, word: &str) -> [u8; 16] {
        let full = mac(&self.index, &[purpose.as_bytes(), b"\0", word.as_bytes()]);
        let mut token = [0_u8; 16];
        token.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        token
    }
}

impl RecordKey {
    /// The record.
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// Seals a value, bound to its table, this record and its column.
    ///
    /// # Errors
    /// [`StoreError::Seal`].
    pub fn seal(&self, table: &str, column: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        seal(&self.key, &aad(table, self.record.as_bytes(), column), plain)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`StoreError::Seal`] when it was changed or stands in the wrong place.
    pub fn open(&self, table: &str, column: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        open(&self.key, &aad(table, self.record.as_bytes(), column), sealed)
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// [`StoreError::Seal`] when it was changed, stands in the wrong place or is no text.
    pub fn open_text(&self, table: &str, column: &str, sealed: &[u8]) -> Result<String, StoreError> {
        let plain = self.open(table, column, sealed)?;
        String::from_utf8(plain.to_vec()).map_err(|_utf8| StoreError::Seal { what: "opened" })
    }

    /// Keyed digest of bytes that may hold personal data: a plain hash of a name is guessed in minutes.
    pub fn digest(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        mac(&self.key, &[purpose.as_bytes(), b"\0", bytes])
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than a block is padded with zeros (RFC 2104), so this is the HMAC of the 32 bytes.
    let mut block = [0_u8; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn aad(table: &str, row: &[u8; 16], column: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend(table.as_bytes());
    out.push(0);
    out.extend(row);
    out.push(0);
    out.extend(column.as_bytes());
    out
}

fn seal(key: &[u8; 32], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let nonce = random::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
        .map_err(|_aead| StoreError::Seal { what: "sealed" })?;
    let mut out = nonce.to_vec();
    out.extend(sealed);
    Ok(out)
}

fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let wrong = || StoreError::Seal { what: "opened" };
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let plain = cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg: rest, aad })
        .map_err(|_aead| wrong())?;
    Ok(Zeroizing::new(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: RecordId = RecordId::from_bytes([5; 16]);

    #[test]
    fn sealed_values_open_only_in_their_place() {
        let keyring = Keyring::parse(&Keyring::generate().unwrap()).unwrap();
        let (key, wrapped) = keyring.new_record(RECORD).unwrap();
        let sealed = key
            .seal("personal_data", "name", "Nguyễn Văn Mẫu".as_bytes())
            .unwrap();
        let again = keyring.unwrap_record(RECORD, 1, &wrapped).unwrap();
        assert_eq!(
            again.open_text("personal_data", "name", &sealed).unwrap(),
            "Nguyễn Văn Mẫu"
        );
        assert!(again.open("personal_data", "line", &sealed).is_err());
        let other = RecordId::from_bytes([6; 16]);
        assert!(keyring.unwrap_record(other, 1, &wrapped).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open("personal_data", "name", &changed).is_err());
        }
        assert!(matches!(
            keyring.unwrap_record(RECORD, 1, &[]),
            Err(StoreError::Erased)
        ));
    }

    #[test]
    fn rotation_keeps_old_records_readable_and_wraps_new_ones_newly() {
        let first = Keyring::generate().unwrap();
        let old = Keyring::parse(&first).unwrap();
        let (key, wrapped) = old.new_record(RECORD).unwrap();
        let rotated = Keyring::parse(&Keyring::rotate(&first).unwrap()).unwrap();
        assert_eq!((old.newest(), rotated.newest()), (1, 2));
        let opened = rotated.unwrap_record(RECORD, 1, &wrapped).unwrap();
        assert_eq!(opened.digest("p", b"x"), key.digest("p", b"x"));
        let rewrapped = rotated.wrap(&opened).unwrap();
        assert!(old.unwrap_record(RECORD, 2, &rewrapped).is_err());
        assert!(rotated.unwrap_record(RECORD, 2, &rewrapped).is_ok());
        assert_eq!(old.index_token("name", "mau"), rotated.index_token("name", "mau"));
    }

    #[test]
    fn a_broken_key_file_is_refused_by_line() {
        assert!(matches!(
            Keyring::parse("v1 = abc"),
            Err(KeyFileError::Line { line: 1 })
        ));
        assert!(matches!(
            Keyring::parse("# nothing"),
            Err(KeyFileError::NoWrappingKey)
        ));
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let keyring = Keyring::parse(&Keyring::generate().unwrap()).unwrap();
        let (key, _) = keyring.new_record(RECORD).unwrap();
        assert_eq!(format!("{keyring:?}"), "Keyring(newest v1)");
        assert_eq!(format!("{key:?}"), format!("RecordKey({RECORD})"));
    }
}
