//! Room `web`, JSON API: the cursor of a list.
//!
//! In: where a page ended. Out: an opaque text, and back. It holds a time and an identifier of the caller's own shipment, and
//! needs no signature: another position shows the same source's shipments only. Deliberately not here: the page.

use crate::domain::id::ShipmentId;
use crate::domain::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// First byte: the form.
const FORM: u8 = 1;

/// Writes a cursor.
pub(super) fn write((at, id): (Timestamp, ShipmentId)) -> String {
    let mut bytes = vec![FORM];
    bytes.extend(at.as_ms().to_be_bytes());
    bytes.extend(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor; `None` for a text this program did not write.
pub(super) fn read(text: &str) -> Option<(Timestamp, ShipmentId)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (form, rest) = bytes.split_first()?;
    let (at, id) = rest.split_first_chunk::<8>()?;
    let id: [u8; 16] = id.try_into().ok()?;
    let at = Timestamp::from_ms(i64::from_be_bytes(*at));
    (*form == FORM).then(|| (at, ShipmentId::from_bytes(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_nothing_else_is_one() {
        let position = (
            Timestamp::from_ms(1_795_420_800_123),
            ShipmentId::from_bytes([9; 16]),
        );
        let text = write(position);
        assert_eq!(read(&text), Some(position));
        for wrong in ["", "x", "AQ", &text.replacen('A', "", 1), &format!("{text}AA")] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
