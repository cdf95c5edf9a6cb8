//! Room `domain`: the numbers that stand in journal entries, each with its meaning.
//!
//! In and out: numbers. Final: a number is never reused and never changes its meaning (FORMAT.md). Deliberately not
//! here: the order of bytes.

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($(#[$vdoc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// The number in the bytes.
            pub const fn number(self) -> $repr {
                match self { $(Self::$variant => $number,)* }
            }

            /// Reads the number; `None` for one this version does not know.
            pub const fn from_number(number: $repr) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// All, in order of number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }
    };
}

numbered! {
    /// What an entry records. Numbers are never reused.
    Kind: u16 {
        /// A shipment was registered, with its items and offices.
        ShipmentRegistered = 1,
        /// A corrected revision of a shipment.
        ShipmentRevised = 2,
        /// A fact about delivery.
        DeliveryFact = 3,
        /// A fact about the paper's place.
        CustodyFact = 4,
        /// A person proposed a decision.
        DecisionProposed = 5,
        /// A second person approved it.
        DecisionApproved = 6,
        /// A second person turned it down.
        DecisionTurnedDown = 7,
        /// An operator's event was kept without being understood.
        EventQuarantined = 8,
        /// Somebody wanted the shipment stopped; the reason, from a closed list of words. The fact follows.
        StopWanted = 9,
        /// A dossier record was opened.
        DossierOpened = 20,
        /// A fact about a dossier.
        DossierFact = 21,
        /// A signed event reached its receiver.
        EventDelivered = 30,
        /// A signed event was given up.
        EventGivenUp = 31,
        /// A given-up event was put back.
        EventRedriven = 32,
        /// A hand-over list was closed.
        HandoverClosed = 40,
        /// An import was switched in.
        ImportApplied = 41,
        /// A key was created, rotated or revoked.
        KeyChanged = 50,
        /// A configuration row was changed.
        ConfigurationChanged = 51,
        /// Callbacks were refused at the door, counted per source and minute.
        CallbacksRefused = 52,
        /// The breaker of an operator account changed.
        BreakerChanged = 53,
        /// A report was drawn.
        ReportDrawn = 60,
        /// Personal data were shown in full.
        PersonalDataShown = 61,
        /// Personal data were erased.
        PersonalDataErased = 62,
    }
}

numbered! {
    /// What an entry is about; together with the subject's id and sequence it is unique.
    SubjectKind: u8 {
        /// The installation itself; its sequence is not used.
        System = 0,
        /// A shipment.
        Shipment = 1,
        /// A dossier.
        Dossier = 2,
        /// An operator account.
        Account = 3,
        /// A source system.
        Source = 4,
        /// An office.
        Office = 5,
    }
}

numbered! {
    /// Who acted.
    ActorKind: u8 {
        /// A stage of this software.
        Stage = 0,
        /// A member of staff.
        Staff = 1,
        /// A dossier system by its key.
        Source = 2,
        /// A postal operator by its account.
        Operator = 3,
        /// An administrator at the command line.
        Administrator = 4,
    }
}

numbered! {
    /// Names of the fields of an entry. Numbers are never reused.
    Tag: u16 {
        /// Identity of a fact, 32 bytes.
        FactId = 1,
        /// What a fact states, by its number.
        FactKind = 2,
        /// Raw status code of the operator, ASCII.
        Code = 3,
        /// Flag: only a part is meant.
        Partial = 4,
        /// Reason number or word.
        Reason = 5,
        /// An attempt, 16 bytes.
        Attempt = 6,
        /// Number of an attempt, from 1.
        AttemptNumber = 7,
        /// Outcome of an attempt.
        Outcome = 8,
        /// Revision of the shipment, from 1.
        Revision = 9,
        /// Facts overridden, concatenated identities of 32 bytes.
        Overrides = 10,
        /// A decision, 16 bytes.
        Decision = 11,
        /// Resolution of the time stated.
        Resolution = 12,
        /// An item of a shipment, 16 bytes.
        Item = 13,
        /// A shipment, 16 bytes.
        Shipment = 14,
        /// A dossier, 16 bytes.
        Dossier = 15,
        /// Pairs of item and dossier, 32 bytes each.
        Items = 16,
        /// Receiving office, 16 bytes.
        ReceivingOffice = 17,
        /// Deciding office, 16 bytes.
        DecidingOffice = 18,
        /// Sending office, 16 bytes.
        SendingOffice = 19,
        /// Office the paper returns to, 16 bytes.
        ReturnToOffice = 20,
        /// Operator account, 16 bytes.
        Account = 21,
        /// Hand-over list, 16 bytes.
        Handover = 22,
        /// Digest of evidence, 32 bytes, keyed where personal.
        Evidence = 23,
        /// Raw dossier status of the source system, ASCII.
        StatusRaw = 24,
        /// Dossier status 1-10 of the national portal.
        Status = 25,
        /// Way of return: 0 counter, 1 post, 2 online.
        ReturnBy = 26,
        /// Way of submission: 1 direct, 2 online, 3 post.
        SubmittedBy = 27,
        /// Received at, Unix milliseconds.
        ReceivedAt = 28,
        /// Promised for, Unix milliseconds.
        DueAt = 29,
        /// Finished at, Unix milliseconds.
        FinishedAt = 30,
        /// Flag: a duplicate record of another dossier.
        DuplicateOf = 31,
        /// A count.
        Count = 32,
        /// Source system, 16 bytes.
        Source = 33,
        /// A person, 16 bytes.
        Staff = 34,
        /// Receiver of events, 16 bytes.
        Endpoint = 35,
        /// Sequence of an event, from 1.
        Sequence = 36,
        /// Key identifier or version.
        Key = 37,
        /// Internal record, 16 bytes.
        Record = 38,
        /// An internal word, ASCII, from a closed list.
        Word = 39,
        /// Returned at as the source states it, Unix milliseconds.
        ReturnedAt = 40,
    }
}
