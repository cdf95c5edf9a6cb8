//! Room `app`, command `import`: what is said of a refused file or row, Vietnamese and English.
//!
//! In: codes and places. Out: sentences, never a value of the file. Deliberately not here: sentences about a fault that a
//! request may have too (`web::wording`).

use crate::domain::fault::FaultCode;
use crate::stage::import::dossiers::{FileError, HeaderFault};
use crate::web::wording;

/// English, Vietnamese.
pub(super) type Said = (&'static str, &'static str);

/// What is said of a fault of a row.
pub(super) fn of_row(code: FaultCode) -> Said {
    if code == FaultCode::WrongType {
        return (
            "a spreadsheet has kept it as a number or could not compute it, which may have changed it: format the column as text and enter it anew",
            "bảng tính đã lưu thành số hoặc lỗi công thức, có thể làm sai giá trị: định dạng cột là Text rồi nhập lại",
        );
    }
    if code == FaultCode::NotATime {
        return (
            "is no time that exists: write dd/MM/yyyy HH:mm, dd/MM/yyyy, or ISO 8601",
            "không phải thời điểm có thật: ghi dd/MM/yyyy HH:mm, dd/MM/yyyy hoặc ISO 8601",
        );
    }
    if code == FaultCode::CountOutOfRange {
        return (
            "the row has more cells than the heading",
            "dòng có nhiều ô hơn dòng tiêu đề",
        );
    }
    wording::of(code)
}

/// What is said of a file that was refused as a whole.
pub(super) fn of_file(error: &FileError) -> Vec<String> {
    let line = match error {
        FileError::TooLarge | FileError::TooManyRows | FileError::TooManyColumns => {
            "Tệp quá lớn: hãy chia thành nhiều tệp. / Too large: split it.".to_owned()
        }
        FileError::Empty => "Tệp không có dòng nào. / There is no row in it.".to_owned(),
        FileError::NotUtf8 { line } => format!(
            "Dòng {line} không phải mã UTF-8: trong Excel chọn \"CSV UTF-8\", hoặc lưu thành .xlsx. / \
             Line {line} is not UTF-8: in Excel choose \"CSV UTF-8\", or save as .xlsx."
        ),
        FileError::Utf16 => "Tệp ở mã UTF-16: trong Excel chọn \"CSV UTF-8\", hoặc lưu thành .xlsx. / \
                             It is UTF-16: in Excel choose \"CSV UTF-8\", or save as .xlsx."
            .to_owned(),
        FileError::OldWorkbook => {
            "Định dạng Excel cũ (.xls): hãy lưu thành .xlsx. / Excel's old format (.xls): save as .xlsx."
                .to_owned()
        }
        FileError::Workbook(why) => {
            format!("Không đọc được sổ tính. / The workbook cannot be read: {why}.")
        }
        FileError::WorkbookTooLarge => {
            "Sổ tính quá lớn khi giải nén. / The workbook is too large once unpacked.".to_owned()
        }
        FileError::ManySheets => {
            "Nhiều trang tính có dữ liệu: chỉ giữ một trang. / More than one sheet has cells: keep one."
                .to_owned()
        }
        FileError::Csv { line } => format!("Dòng {line} không phải CSV. / Line {line} is no CSV."),
        FileError::Header(faults) => return faults.iter().map(|fault| of_header(*fault)).collect(),
    };
    vec![line]
}

fn of_header(fault: HeaderFault) -> String {
    match fault {
        HeaderFault::Unknown(number) => format!(
            "Cột {number} ({}): tiêu đề không thuộc danh sách; xem `hoibao import dossiers --help`. / \
             Column {number}: not a heading known here; see `hoibao import dossiers --help`.",
            letters(number)
        ),
        HeaderFault::Repeated(column) => format!(
            "Cột {} xuất hiện hai lần. / Column {} stands twice.",
            column.name_vi(),
            column.name()
        ),
        HeaderFault::Missing(column) => format!(
            "Thiếu cột {}. / Column {} is missing.",
            column.name_vi(),
            column.name()
        ),
    }
}

/// A column's letters, as spreadsheets name it.
fn letters(number: usize) -> String {
    let mut rest = number;
    let mut letters = Vec::new();
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_spreadsheets() {
        let all = [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (703, "AAA")];
        for (number, expect) in all {
            assert_eq!(letters(number), expect);
        }
    }

    /// Also what only files can have wrong is said in both languages.
    #[test]
    fn every_fault_is_said_in_both_languages() {
        for code in FaultCode::ALL {
            let (en, vi) = of_row(*code);
            assert!(!en.is_empty() && !vi.is_empty() && en != vi, "{}", code.as_str());
        }
    }
}
