//! Room `domain`: what is wrong with a request, as values.
//!
//! In and out: a code from a closed list and the place in the request. Never the wrong value itself, which may be
//! personal. Deliberately not here: the words shown to people (`web`), and whether a request is refused.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal;)*) => {
        /// What is wrong with one field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultCode { $($(#[$doc])* $variant,)* }

        impl FaultCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word shown to machines; never changed once released.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

codes! {
    /// A field that must be there is not.
    Missing = "missing";
    /// A field nobody asked for: perhaps a misspelt one, perhaps data that are not needed.
    UnknownField = "unknown_field";
    /// The field holds another JSON type.
    WrongType = "wrong_type";
    /// Not an RFC 3339 time with offset.
    NotATime = "not_a_time";
    /// Not one of the words allowed here.
    NotAWord = "not_a_word";
    /// Fewer or more entries than allowed.
    CountOutOfRange = "count_out_of_range";
    /// Not a dossier code at all.
    DossierCodeInvalid = "dossier_code_invalid";
    /// The same document stands twice in the request.
    ItemRepeated = "item_repeated";
    /// Not a document number.
    DocumentInvalid = "document_invalid";
    /// The source system never told us of this dossier.
    DossierUnknown = "dossier_unknown";
    /// Not at 9, finished.
    DossierNotFinished = "dossier_not_finished";
    /// Turned down, withdrawn or stopped.
    DossierDropped = "dossier_dropped";
    /// The result was given out already.
    DossierReturned = "dossier_returned";
    /// A second record of another dossier.
    DossierDuplicate = "dossier_duplicate";
    /// The citizen did not choose the post.
    NotByPost = "not_by_post";
    /// The citizen took the postal choice back.
    PostWithdrawn = "post_withdrawn";
    /// The procedure is not set up here.
    ProcedureUnknown = "procedure_unknown";
    /// The procedure's result may not go by post.
    ProcedureNotByPost = "procedure_not_by_post";
    /// Not a code of a procedure.
    ProcedureInvalid = "procedure_invalid";
    /// Another live shipment holds the document.
    DocumentInShipment = "document_in_shipment";
    /// No such office.
    OfficeUnknown = "office_unknown";
    /// The office is not in force now.
    OfficeNotValid = "office_not_valid";
    /// The office sends by no operator account.
    OfficeWithoutAccount = "office_without_account";
    /// Orders may not be sent by this account.
    AccountInactive = "account_inactive";
    /// Not a name.
    NameInvalid = "name_invalid";
    /// Not a telephone number that can be dialled.
    PhoneInvalid = "phone_invalid";
    /// Not an address line.
    LineInvalid = "line_invalid";
    /// Too long a note.
    NoteInvalid = "note_invalid";
    /// Not a unit code in a set.
    UnitInvalid = "unit_invalid";
    /// No such unit in that set.
    UnitUnknown = "unit_unknown";
    /// The commune lies in another province, or in a district of an older set.
    CommuneNotOfProvince = "commune_not_of_province";
    /// The dossier has no registered addressee.
    AddresseeMissing = "addressee_missing";
    /// The dossiers of one envelope have different registered addressees.
    AddresseeDiffers = "addressee_differs";
    /// Personal data that this dossier does not need.
    AddresseeNotNeeded = "addressee_not_needed";
    /// Outside 1 to 30,000 grams.
    WeightOutOfRange = "weight_out_of_range";
    /// Not an amount in whole đồng.
    CollectOutOfRange = "collect_out_of_range";
    /// Not a service code.
    ServiceInvalid = "service_invalid";
    /// The source's status map does not know this status.
    StatusUnknown = "status_unknown";
    /// Finished before it was received.
    FinishedBeforeReceived = "finished_before_received";
    /// Returned before it was finished or received.
    ReturnedBeforeFinished = "returned_before_finished";
    /// Later than now.
    InTheFuture = "in_the_future";
    /// Before the year 2000.
    TooLongAgo = "too_long_ago";
}

impl FaultCode {
    /// Whether the request as such is right and only meets another one.
    pub const fn is_conflict(self) -> bool {
        matches!(self, Self::DocumentInShipment)
    }
}

/// One fault at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) into the request.
    pub pointer: String,
    /// What is wrong there.
    pub code: FaultCode,
}

impl Fault {
    /// A fault at a place.
    pub fn at(pointer: impl Into<String>, code: FaultCode) -> Self {
        Self {
            pointer: pointer.into(),
            code,
        }
    }
}
