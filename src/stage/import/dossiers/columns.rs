//! Room `stage`, import: the columns of a file of dossiers.
//!
//! In: a heading as somebody wrote it. Out: the [`Column`] meant; a heading is English or Vietnamese, and accents, case
//! and blanks do not matter. Deliberately not here: what a cell holds (`row`).

use crate::domain::name::fold_for_search;

macro_rules! columns {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $vi:literal $(| $also:literal)*, $rule:ident, $pointer:literal;)*) => {
        /// A column of a file of dossiers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Column { $($(#[$doc])* $variant,)* }

        impl Column {
            /// All, in the order of the sample file.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The English heading; stands in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The Vietnamese heading.
            pub const fn name_vi(self) -> &'static str {
                match self { $(Self::$variant => $vi,)* }
            }

            /// Every heading it may have.
            const fn headings(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$name, $vi $(, $also)*],)* }
            }

            /// When it must be there.
            pub const fn rule(self) -> Rule {
                match self { $(Self::$variant => Rule::$rule,)* }
            }

            /// Where a check of a snapshot tells a fault of this column.
            const fn pointer(self) -> &'static str {
                match self { $(Self::$variant => $pointer,)* }
            }
        }
    };
}

/// When a column must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// In every file, with a value in every row.
    Always,
    /// In a file with any column about addressees; a value where the row has an addressee.
    WithAddressee,
    /// May be left out.
    Optional,
}

columns! {
    /// The dossier's code.
    DossierCode = "dossier_code", "Mã hồ sơ" | "Số hồ sơ", Always, "/code";
    /// The system's own status, by code or by wording.
    Status = "status", "Trạng thái" | "Trạng thái hồ sơ", Always, "/status";
    /// Since when it holds.
    StatusAt = "status_at", "Thời điểm trạng thái" | "Ngày cập nhật", Always, "/status_at";
    /// Code of the procedure.
    Procedure = "procedure", "Mã thủ tục" | "Mã TTHC", Always, "/procedure";
    /// Code of the office that received it.
    ReceivingOffice = "receiving_office", "Mã đơn vị tiếp nhận" | "Đơn vị tiếp nhận", Always, "/receiving_office";
    /// How the citizen wants the result.
    ReturnBy = "return_by", "Hình thức trả kết quả" | "Hình thức nhận kết quả", Always, "/return_by";
    /// How it was submitted.
    SubmittedBy = "submitted_by", "Hình thức nộp" | "Hình thức nộp hồ sơ", Always, "/submitted_by";
    /// When it was received.
    ReceivedAt = "received_at", "Ngày tiếp nhận" | "Thời điểm tiếp nhận", Always, "/received_at";
    /// Promised for.
    DueAt = "due_at", "Ngày hẹn trả" | "Ngày hẹn trả kết quả", Optional, "/due_at";
    /// When it was finished.
    FinishedAt = "finished_at", "Ngày xử lý xong" | "Ngày hoàn thành", Optional, "/finished_at";
    /// When the system says it was returned.
    ReturnedAt = "returned_at", "Ngày trả kết quả" | "Ngày trả", Optional, "/returned_at";
    /// A second record of another dossier.
    Duplicate = "duplicate", "Hồ sơ trùng" | "Trùng", Optional, "/duplicate";
    /// Name of the registered addressee.
    AddresseeName = "addressee_name", "Họ tên người nhận" | "Người nhận", WithAddressee, "/addressee/name";
    /// Telephone.
    AddresseePhone = "addressee_phone", "Điện thoại người nhận" | "Số điện thoại người nhận", WithAddressee, "/addressee/phone";
    /// Everything below the commune.
    AddresseeLine = "addressee_line", "Địa chỉ chi tiết" | "Địa chỉ người nhận", WithAddressee, "/addressee/line";
    /// National code of the commune.
    AddresseeCommune = "addressee_commune", "Mã xã, phường" | "Mã phường, xã", WithAddressee, "/addressee/commune";
    /// National code of the province.
    AddresseeProvince = "addressee_province", "Mã tỉnh, thành phố" | "Mã tỉnh", WithAddressee, "/addressee/province";
    /// Set of both codes: a code says nothing without it.
    UnitSet = "unit_set", "Bộ mã đơn vị hành chính" | "Bộ mã", WithAddressee, "/addressee/set";
    /// Note for the postman.
    AddresseeNote = "addressee_note", "Ghi chú cho bưu tá" | "Ghi chú", Optional, "/addressee/note";
}

impl Column {
    /// The column of a heading.
    pub(super) fn of_heading(heading: &str) -> Option<Self> {
        let wanted = plain(heading);
        let fits = |column: &&Self| column.headings().iter().any(|known| plain(known) == wanted);
        Self::ALL
            .iter()
            .find(fits)
            .copied()
            .filter(|_| !wanted.is_empty())
    }

    /// The column of a fault's place in a snapshot.
    pub(super) fn of_pointer(pointer: &str) -> Option<Self> {
        if pointer == "/addressee" {
            return Some(Self::AddresseeName);
        }
        Self::ALL
            .iter()
            .find(|column| column.pointer() == pointer)
            .copied()
    }
}

/// Letters and digits without accents, so that `Mã xã/phường` and `ma_xa_phuong` are one heading.
fn plain(text: &str) -> String {
    fold_for_search(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn headings_are_found_in_both_languages_and_no_two_columns_share_one() {
        let mut seen = BTreeSet::new();
        for column in Column::ALL {
            for heading in column.headings() {
                assert_eq!(Column::of_heading(heading), Some(*column), "{heading}");
                assert!(seen.insert(plain(heading)), "{heading} stands twice");
            }
            assert_eq!(Column::of_pointer(column.pointer()), Some(*column));
        }
        assert_eq!(Column::of_heading(" MA HO SO "), Some(Column::DossierCode));
        assert_eq!(Column::of_heading("Mã xã/phường"), Some(Column::AddresseeCommune));
        assert_eq!(Column::of_heading("CCCD"), None);
        assert_eq!(Column::of_heading(" "), None);
    }
}
