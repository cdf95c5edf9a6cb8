//! Room `app`: `hoibao check`.
//!
//! In: one value, as somebody reads it from a paper. Out: what the rules of the domain say of it, in Vietnamese for the
//! desk and as JSON for scripts. Deliberately not here: the rules. Nothing is looked up and nothing is logged: the value
//! may be a person's.

use super::{Global, print};
use crate::app::EXIT_FAILURE;
use crate::domain::dossier_code::{CodeShape, CodeWarning, DossierCode, DossierCodeError};
use crate::domain::phone::{PhoneError, PhoneKind, PhoneWarning, parse_field};
use crate::domain::tracking_number::{TrackingCheck, TrackingNumber, TrackingNumberError};
use serde::Serialize;
use std::process::ExitCode;

/// Check a tracking number, a telephone number or a dossier code
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Says whether a value is well formed; nothing is looked up. Exit code 0 when it is, 1 when it is not.",
    after_help = "Examples:\n  \
                  hoibao check tracking-number RR123456785VN\n  \
                  hoibao check phone '0912 345 678' --json\n  \
                  hoibao check dossier-code H15.50.05.13-261008-0975"
)]
pub struct Args {
    /// What the value is
    #[arg(value_enum)]
    kind: Kind,
    /// The value
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Answer as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Number on the label (UPU S10 or the operator's own)
    TrackingNumber,
    /// Telephone number, or a field with several
    Phone,
    /// Dossier code of a one-stop system
    DossierCode,
}

/// What is said of a value.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Verdict {
    kind: &'static str,
    valid: bool,
    /// The value as it is stored and sent.
    normalised: Vec<String>,
    /// In Vietnamese, for people.
    message: String,
    /// In English.
    message_en: String,
}

impl Args {
    /// Checks the value.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn run(self, _global: &Global) -> anyhow::Result<ExitCode> {
        let verdict = match self.kind {
            Kind::TrackingNumber => tracking_number(&self.value),
            Kind::Phone => phone(&self.value),
            Kind::DossierCode => dossier_code(&self.value),
        };
        if self.json {
            let line = serde_json::to_string(&verdict)?;
            print(|out| writeln!(out, "{line}"))?;
        } else {
            print(|out| {
                for value in &verdict.normalised {
                    writeln!(out, "{value}")?;
                }
                writeln!(out, "{}", verdict.message)
            })?;
        }
        Ok(if verdict.valid {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_FAILURE)
        })
    }
}

fn verdict(kind: &'static str, valid: bool, normalised: Vec<String>, words: (String, String)) -> Verdict {
    let (message, message_en) = words;
    Verdict {
        kind,
        valid,
        normalised,
        message,
        message_en,
    }
}

fn words(vietnamese: &str, english: &str) -> (String, String) {
    (vietnamese.to_owned(), english.to_owned())
}

fn tracking_number(text: &str) -> Verdict {
    const KIND: &str = "tracking-number";
    let number = match TrackingNumber::parse(text) {
        Ok(number) => number,
        Err(error) => {
            let vietnamese = match error {
                TrackingNumberError::Empty => "Chưa nhập số hiệu bưu gửi.".to_owned(),
                TrackingNumberError::TooLong => "Số hiệu bưu gửi dài quá 40 ký tự.".to_owned(),
                TrackingNumberError::NotPrintable { position } => {
                    format!(
                        "Ký tự thứ {position} của số hiệu bưu gửi không hợp lệ (chỉ dùng chữ không dấu và số)."
                    )
                }
            };
            return verdict(KIND, false, Vec::new(), (vietnamese, error.to_string()));
        }
    };
    let shown = vec![number.as_str().to_owned()];
    match number.check() {
        TrackingCheck::ValidS10 => {
            let said = words("Số hiệu bưu gửi hợp lệ (UPU S10).", "valid UPU S10 number");
            verdict(KIND, true, shown, said)
        }
        TrackingCheck::WrongCheckDigit { expected } => {
            let vietnamese =
                format!("Sai số kiểm tra: chữ số thứ 9 phải là {expected}. Hãy đọc lại trên phong bì.");
            let english = format!("wrong check digit: the ninth digit should be {expected}");
            verdict(KIND, false, shown, (vietnamese, english))
        }
        TrackingCheck::NotS10 => {
            let said = words(
                "Không theo mẫu UPU S10 nên không kiểm tra được; có thể là số hiệu riêng của doanh nghiệp bưu chính.",
                "not of the UPU S10 form, so nothing can be checked; it may be an operator's own number",
            );
            verdict(KIND, true, shown, said)
        }
    }
}

fn phone(text: &str) -> Verdict {
    const KIND: &str = "phone";
    let phones = match parse_field(text) {
        Ok(phones) => phones,
        Err(error) => return verdict(KIND, false, Vec::new(), (phone_fault(error), error.to_string())),
    };
    let mut vietnamese = Vec::new();
    let mut english = Vec::new();
    for phone in &phones {
        let (kind, kind_en) = match phone.number.kind() {
            PhoneKind::Mobile => ("Số di động hợp lệ", "mobile"),
            PhoneKind::Landline => ("Số cố định hợp lệ", "fixed line"),
            PhoneKind::UnknownBlock => ("Đầu số chưa rõ, cần gọi thử", "unknown range"),
        };
        let note = match phone.warning {
            Some(PhoneWarning::Converted2018) => " (đã đổi từ số 11 chữ số theo kế hoạch năm 2018)",
            Some(PhoneWarning::ZeroAdded) => " (đã thêm số 0 ở đầu)",
            Some(PhoneWarning::UnknownBlock) | None => "",
        };
        vietnamese.push(format!("{kind}{note}."));
        english.push(match phone.warning {
            Some(warning) => format!("{kind_en}: {warning}"),
            None => kind_en.to_owned(),
        });
    }
    let normalised = phones
        .iter()
        .map(|phone| phone.number.as_national().to_owned())
        .collect();
    verdict(KIND, true, normalised, (vietnamese.join(" "), english.join("; ")))
}

fn phone_fault(error: PhoneError) -> String {
    match error {
        PhoneError::Empty => "Chưa nhập số điện thoại.".to_owned(),
        PhoneError::TooLong => "Ô số điện thoại dài quá 120 ký tự.".to_owned(),
        PhoneError::TooMany => "Ô số điện thoại có quá 4 số.".to_owned(),
        PhoneError::NotDigits { number } => format!("Số thứ {number} có ký tự không phải chữ số."),
        PhoneError::Length { number, digits } => {
            format!("Số thứ {number} có {digits} chữ số, không phải số điện thoại tại Việt Nam.")
        }
        PhoneError::Foreign { number } => format!("Số thứ {number} không phải số tại Việt Nam."),
        PhoneError::DeadBlock { number } => format!("Số thứ {number} thuộc đầu số không gọi được."),
    }
}

fn dossier_code(text: &str) -> Verdict {
    const KIND: &str = "dossier-code";
    let code = match DossierCode::parse(text) {
        Ok(code) => code,
        Err(error) => {
            let vietnamese = match error {
                DossierCodeError::Empty => "Chưa nhập mã hồ sơ.".to_owned(),
                DossierCodeError::TooLong { chars } => format!("Mã hồ sơ có {chars} ký tự, quá 64 ký tự."),
                DossierCodeError::NotPrintable { position } => {
                    format!("Ký tự thứ {position} của mã hồ sơ không hiển thị được.")
                }
            };
            return verdict(KIND, false, Vec::new(), (vietnamese, error.to_string()));
        }
    };
    let shown = vec![code.as_str().to_owned()];
    if let Some(warning) = code.warning() {
        let vietnamese = match warning {
            CodeWarning::UnknownShape => "Mã hồ sơ không theo mẫu đã biết; vẫn được nhận, nên đối chiếu lại.",
            CodeWarning::ImpossibleDate => "Ngày trong mã hồ sơ không có trên lịch; nên đối chiếu lại.",
        };
        return verdict(KIND, true, shown, (vietnamese.to_owned(), warning.to_string()));
    }
    let (form, form_en) = match code.shape() {
        CodeShape::Qcvn102 => ("QCVN 102:2016/BTTTT", "QCVN 102:2016"),
        CodeShape::Qd20 => ("Quyết định 20/2020/QĐ-TTg", "Decision 20/2020"),
        CodeShape::Ministry8 => ("hệ thống của bộ", "a ministry's system"),
        CodeShape::Unknown => ("chưa biết", "unknown"),
    };
    verdict(
        KIND,
        true,
        shown,
        (
            format!("Mã hồ sơ hợp lệ ({form})."),
            format!("valid, form of {form_en}"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Verdict, valid: bool, normalised: &[&str], message: &str) {
        assert_eq!(
            (found.valid, found.normalised, found.message.contains(message)),
            (
                valid,
                normalised.iter().map(|text| (*text).to_owned()).collect(),
                true
            ),
            "{}",
            found.message
        );
    }

    #[test]
    fn values_are_judged_by_the_domain() {
        check(
            tracking_number(" RR123456785VN "),
            true,
            &["RR123456785VN"],
            "hợp lệ",
        );
        check(
            tracking_number("RR123456784VN"),
            false,
            &["RR123456784VN"],
            "phải là 5",
        );
        check(tracking_number("8412345"), true, &["8412345"], "S10");
        check(tracking_number("RR 1"), false, &[], "Ký tự thứ 3");
        check(phone("+84 912 345 678"), true, &["0912345678"], "di động");
        check(
            phone("0912345678 / 024 3825 0000"),
            true,
            &["0912345678", "02438250000"],
            "cố định",
        );
        check(phone("091234"), false, &[], "6 chữ số");
        check(
            dossier_code("h15.50.05.13-261008-0975"),
            true,
            &["H15.50.05.13-261008-0975"],
            "20/2020",
        );
        check(dossier_code("whatever"), true, &["WHATEVER"], "không theo mẫu");
        check(dossier_code(""), false, &[], "Chưa nhập");
    }
}
