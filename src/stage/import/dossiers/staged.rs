//! Room `stage`, import: the bytes of a row that waits to be switched in.
//!
//! In: a [`Row`]. Out: bytes, to be sealed under the run's key, and the row again. They live as long as the run, so their
//! form may change with any version: a run cut by an update is finished by the version that reads it, or told to be
//! unreadable. Deliberately not here: sealing (the store).

use super::row::Row;
use crate::domain::addressee::{AddresseeDraft, UnitDraft};
use crate::domain::dossier::snapshot::Snapshot;
use crate::domain::dossier::{ReturnBy, SubmittedBy};
use crate::domain::dossier_code::DossierCode;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Staged {
    code: String,
    status: String,
    status_at: i64,
    procedure: String,
    office: String,
    return_by: i64,
    submitted_by: i64,
    received_at: i64,
    due_at: Option<i64>,
    finished_at: Option<i64>,
    returned_at: Option<i64>,
    duplicate: bool,
    /// Name, telephone, line, set and code of the commune, the same of the province.
    addressee: Option<[String; 7]>,
    note: Option<String>,
}

/// The bytes of a row; `None` never, for a row of texts and numbers.
pub(super) fn write(row: &Row) -> Option<Zeroizing<Vec<u8>>> {
    let (code, it) = (&row.code, &row.snapshot);
    let ms = |at: Option<Timestamp>| at.map(Timestamp::as_ms);
    let staged = Staged {
        code: code.as_str().to_owned(),
        status: it.status_raw.clone(),
        status_at: it.status_at.as_ms(),
        procedure: it.procedure.clone(),
        office: it.receiving_office.clone(),
        return_by: it.return_by.number(),
        submitted_by: it.submitted_by.number(),
        received_at: it.received_at.as_ms(),
        due_at: ms(it.due_at),
        finished_at: ms(it.finished_at),
        returned_at: ms(it.returned_at),
        duplicate: it.duplicate,
        addressee: it.addressee.as_ref().map(|to| {
            [
                &to.name,
                &to.phone,
                &to.line,
                &to.commune.set,
                &to.commune.code,
                &to.province.set,
                &to.province.code,
            ]
            .map(Clone::clone)
        }),
        note: it.addressee.as_ref().and_then(|to| to.note.clone()),
    };
    serde_json::to_vec(&staged).ok().map(Zeroizing::new)
}

/// The row again; `None` when another version wrote it otherwise.
pub(super) fn read(bytes: &[u8]) -> Option<Row> {
    let it: Staged = serde_json::from_slice(bytes).ok()?;
    let at = |ms: Option<i64>| ms.map(Timestamp::from_ms);
    let note = it.note;
    let addressee = it.addressee.map(|parts| {
        let [name, phone, line, commune_set, commune, province_set, province] = parts;
        let unit = |set, code| UnitDraft { set, code };
        AddresseeDraft {
            name,
            phone,
            line,
            commune: unit(commune_set, commune),
            province: unit(province_set, province),
            note,
        }
    });
    Some(Row {
        code: DossierCode::parse(&it.code).ok()?,
        snapshot: Snapshot {
            status_raw: it.status,
            status_at: Timestamp::from_ms(it.status_at),
            procedure: it.procedure,
            receiving_office: it.office,
            return_by: ReturnBy::from_number(it.return_by)?,
            submitted_by: SubmittedBy::from_number(it.submitted_by)?,
            received_at: Timestamp::from_ms(it.received_at),
            due_at: at(it.due_at),
            finished_at: at(it.finished_at),
            returned_at: at(it.returned_at),
            duplicate: it.duplicate,
            addressee,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_as_it_was() {
        let unit = |code: &str| UnitDraft {
            set: "vn-2026-04".to_owned(),
            code: code.to_owned(),
        };
        let at = |ms| Some(Timestamp::from_ms(ms));
        let addressee = AddresseeDraft {
            name: "Nguyễn Thị Thử".to_owned(),
            phone: "0912345678".to_owned(),
            line: "Số 5".to_owned(),
            commune: unit("06688"),
            province: unit("22"),
            note: Some("gọi trước".to_owned()),
        };
        for addressee in [None, Some(addressee)] {
            let row = Row {
                code: DossierCode::parse("A-1").unwrap(),
                snapshot: Snapshot {
                    status_raw: "9".to_owned(),
                    status_at: Timestamp::from_ms(5),
                    procedure: "1.1".to_owned(),
                    receiving_office: "HL01".to_owned(),
                    return_by: ReturnBy::Post,
                    submitted_by: SubmittedBy::Online,
                    received_at: Timestamp::from_ms(1),
                    due_at: at(9),
                    finished_at: None,
                    returned_at: at(-3),
                    duplicate: true,
                    addressee,
                },
            };
            let again = read(&write(&row).unwrap()).unwrap();
            assert_eq!((again.code, again.snapshot), (row.code, row.snapshot));
        }
        assert!(read(b"{}").is_none());
    }
}
