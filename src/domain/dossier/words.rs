//! Room `domain`: the status of a dossier and its ways in and out, as numbers and words.
//!
//! In and out: numbers, words. Deliberately not here: a source's raw status words (status maps are data).

/// Status of a dossier on the national portal (egov.md 2.2), 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DossierStatus(u8);

impl DossierStatus {
    /// Đã xử lý xong.
    pub const FINISHED: Self = Self(9);
    /// Đã trả kết quả.
    pub const RETURNED: Self = Self(10);

    /// From its number; `None` outside 1 to 10.
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= 10 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether the dossier was turned down, withdrawn or stopped (3, 7, 8).
    pub const fn is_dropped(self) -> bool {
        matches!(self.0, 3 | 7 | 8)
    }
}

macro_rules! ways {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Number in journal entries and in the database.
            pub const fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)* }
            }

            /// Reads the number.
            pub const fn from_number(number: i64) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The word in the API and in import files.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

ways! {
    /// How the citizen wants the result (`HinhThucTra`).
    ReturnBy {
        /// At the counter.
        Counter = 0, "counter";
        /// By post.
        Post = 1, "post";
        /// Electronically only.
        Online = 2, "online";
    }
}

ways! {
    /// How the dossier was submitted (`KenhThucHien`). Not the way of return.
    SubmittedBy {
        /// In person.
        Direct = 1, "direct";
        /// Online.
        Online = 2, "online";
        /// By post.
        Post = 3, "post";
    }
}
