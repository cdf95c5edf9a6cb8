//! Room `domain`: what a member of staff may do at an office.
//!
//! In and out: words. Deliberately not here: who has which role when (store), and what each act asks for (stages).

/// A role at an office. One person may have several, at several offices (desk.md 1.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Cán bộ một cửa: takes in, packs, corrects, gives out.
    Clerk,
    /// Người bàn giao: closes hand-over lists.
    Dispatcher,
    /// Nhân viên bưu điện: counts and signs.
    PostalWorker,
    /// Lãnh đạo: sees reports, rules on proposals.
    Leader,
    /// Kiểm soát TTHC, thanh tra: reads.
    Auditor,
    /// Sets up and keeps running.
    Administrator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::Clerk,
        Self::Dispatcher,
        Self::PostalWorker,
        Self::Leader,
        Self::Auditor,
        Self::Administrator,
    ];

    /// The word stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Dispatcher => "dispatcher",
            Self::PostalWorker => "postal_worker",
            Self::Leader => "leader",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_no_other_does() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Clerk"), None);
    }
}
