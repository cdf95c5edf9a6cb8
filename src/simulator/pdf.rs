//! Room `simulator`: the smallest label that a PDF reader opens.
//!
//! In: an item code. Out: the bytes of a one-page PDF that shows it. Deliberately not here: barcodes and layout; the
//! gateway treats a label as bytes.

use std::fmt::Write as _;

/// A one-page A6 label with the text `line`, of which only ASCII letters, digits, spaces and `-` are kept.
pub(super) fn label(line: &str) -> Vec<u8> {
    let shown: String = line
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-'))
        .collect();
    let content = format!("BT /F1 24 Tf 30 340 Td ({shown}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut text = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in (1_u32..).zip(&objects) {
        // Writing into a String cannot fail.
        let _infallible: std::fmt::Result = writeln!(table, "{:010} 00000 n ", text.len());
        let _infallible: std::fmt::Result = writeln!(text, "{number} 0 obj\n{object}\nendobj");
    }
    let start = text.len();
    let size = objects.len() + 1;
    let _infallible: std::fmt::Result = write!(
        text,
        "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_the_table_point_at_their_objects() {
        let bytes = label("EB123456785VN (x)");
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("%PDF-1.4\n") && text.ends_with("%%EOF\n"));
        assert!(text.contains("(EB123456785VN x) Tj"));
        let start: usize = text
            .split("startxref\n")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .unwrap()
            .parse()
            .unwrap();
        assert!(text.get(start..).unwrap().starts_with("xref\n0 6\n"));
        let rows: Vec<&str> = text.get(start..).unwrap().lines().skip(3).take(5).collect();
        for (number, row) in (1..).zip(rows) {
            let offset: usize = row.get(..10).unwrap().parse().unwrap();
            assert!(
                text.get(offset..)
                    .unwrap()
                    .starts_with(&format!("{number} 0 obj"))
            );
            assert_eq!(row.len() + 1, 20, "a row of the table is exactly 20 bytes");
        }
    }
}
