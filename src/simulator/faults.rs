//! Room `simulator`: what may go wrong, each with its rate.
//!
//! In: a preset and overrides from the command line. Out: a rate in per mille for each [`Fault`]. Deliberately not
//! here: what a fault does (`server` for calls, `callback` for callbacks, `journey` for the parcel's life).

use super::dice::Dice;
use std::collections::BTreeMap;

/// Everything that can go wrong or turn out odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The call is carried out, then the connection closes without an answer (one in four: an HTTP 504 instead).
    LostAnswer,
    /// No answer, and the order appears only minutes later: a look-up in between says that there is none.
    LateAccept,
    /// The answer takes a few hundred real milliseconds.
    Slow,
    /// HTTP 500, 502 or 503; nothing was done.
    ServerError,
    /// HTTP 429 with `Retry-After` in seconds or as a date; nothing was done.
    TooManyRequests,
    /// HTTP 200 with an error text under `message`, `Message` or `errorMessage`; nothing was done.
    ErrorBody,
    /// The token dies early, told by 401, by 403 or by a text with HTTP 200.
    TokenExpiry,
    /// As `TooManyRequests`, but `Retry-After` asks for two to five days. In no preset.
    LongRetryAfter,
    /// The connection is reset; nothing was done.
    Reset,
    /// Names, telephone numbers and addresses come back masked with `+`.
    MaskedReply,
    /// Replies carry codes of the three-level lists; the two-level ones are under keys ending in `New`.
    OldCodes,
    /// The other shapes seen on the wire: `data` around a record, spelling of keys, bare objects, text for numbers.
    OddShape,
    /// A callback is sent twice.
    CallbackDuplicate,
    /// A callback comes hours to days late.
    CallbackLate,
    /// A callback comes after the one that follows it.
    CallbackReordered,
    /// A callback never comes.
    CallbackLost,
    /// A callback about an order nobody has placed comes along.
    CallbackUnknownOrder,
    /// A status 25, 26 or 27, of which no table tells the meaning, appears on the way.
    UnknownCode,
    /// The postman's first visit fails; a second one follows.
    FailedVisit,
    /// Three visits fail and the parcel goes back to the sender.
    Returned,
    /// The parcel reaches the wrong delivery office and is forwarded (13) to the right one.
    Forwarded,
    /// The parcel is lost on the way: after 10 nothing is heard of it again.
    NeverArrives,
    /// The postman came for the parcel in vain before it was handed over.
    PickupFailed,
    /// The operator cancels an order that nobody handed over within two days.
    CarrierCancel,
    /// Delivered in part (23), which only a person can judge.
    Partial,
    /// A note about money (28) follows the delivery.
    FinancialNote,
    /// A cancellation waits for approval ("02") instead of being settled at once.
    CancelCase,
    /// A cancellation that waited is refused in the end.
    CancelRefused,
}

impl Fault {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 28] = [
        Self::LostAnswer,
        Self::LateAccept,
        Self::Slow,
        Self::ServerError,
        Self::TooManyRequests,
        Self::ErrorBody,
        Self::TokenExpiry,
        Self::LongRetryAfter,
        Self::Reset,
        Self::MaskedReply,
        Self::OldCodes,
        Self::OddShape,
        Self::CallbackDuplicate,
        Self::CallbackLate,
        Self::CallbackReordered,
        Self::CallbackLost,
        Self::CallbackUnknownOrder,
        Self::UnknownCode,
        Self::FailedVisit,
        Self::Returned,
        Self::Forwarded,
        Self::NeverArrives,
        Self::PickupFailed,
        Self::CarrierCancel,
        Self::Partial,
        Self::FinancialNote,
        Self::CancelCase,
        Self::CancelRefused,
    ];

    /// The word used on the command line, in the ledger and in the counters.
    pub const fn key(self) -> &'static str {
        match self {
            Self::LostAnswer => "lost_answer",
            Self::LateAccept => "late_accept",
            Self::Slow => "slow",
            Self::ServerError => "server_error",
            Self::TooManyRequests => "too_many_requests",
            Self::ErrorBody => "error_body",
            Self::TokenExpiry => "token_expiry",
            Self::LongRetryAfter => "long_retry_after",
            Self::Reset => "reset",
            Self::MaskedReply => "masked_reply",
            Self::OldCodes => "old_codes",
            Self::OddShape => "odd_shape",
            Self::CallbackDuplicate => "callback_duplicate",
            Self::CallbackLate => "callback_late",
            Self::CallbackReordered => "callback_reordered",
            Self::CallbackLost => "callback_lost",
            Self::CallbackUnknownOrder => "callback_unknown_order",
            Self::UnknownCode => "unknown_code",
            Self::FailedVisit => "failed_visit",
            Self::Returned => "returned",
            Self::Forwarded => "forwarded",
            Self::NeverArrives => "never_arrives",
            Self::PickupFailed => "pickup_failed",
            Self::CarrierCancel => "carrier_cancel",
            Self::Partial => "partial",
            Self::FinancialNote => "financial_note",
            Self::CancelCase => "cancel_case",
            Self::CancelRefused => "cancel_refused",
        }
    }
}

/// Rates in the presets `mild` and `wild`, per mille.
const PRESETS: [(Fault, u16, u16); 28] = [
    (Fault::LostAnswer, 10, 60),
    (Fault::LateAccept, 4, 25),
    (Fault::Slow, 2, 10),
    (Fault::ServerError, 10, 60),
    (Fault::TooManyRequests, 5, 30),
    (Fault::ErrorBody, 10, 60),
    (Fault::TokenExpiry, 2, 15),
    (Fault::LongRetryAfter, 0, 0),
    (Fault::Reset, 5, 40),
    (Fault::MaskedReply, 1000, 900),
    (Fault::OldCodes, 300, 500),
    (Fault::OddShape, 200, 500),
    (Fault::CallbackDuplicate, 20, 150),
    (Fault::CallbackLate, 10, 100),
    (Fault::CallbackReordered, 10, 100),
    (Fault::CallbackLost, 10, 120),
    (Fault::CallbackUnknownOrder, 2, 20),
    (Fault::UnknownCode, 2, 20),
    (Fault::FailedVisit, 60, 200),
    (Fault::Returned, 12, 60),
    (Fault::Forwarded, 10, 40),
    (Fault::NeverArrives, 0, 3),
    (Fault::PickupFailed, 5, 30),
    (Fault::CarrierCancel, 0, 5),
    (Fault::Partial, 0, 4),
    (Fault::FinancialNote, 30, 100),
    (Fault::CancelCase, 500, 600),
    (Fault::CancelRefused, 100, 300),
];

/// Why an override was not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// Not of the form `name=rate`.
    #[error("fault override {0:?} is not of the form name=rate")]
    Form(String),
    /// No fault has this name.
    #[error("no fault is called {0:?}")]
    Name(String),
    /// Not a whole number from 0 to 1000.
    #[error("rate of fault {0} is not a whole number from 0 to 1000")]
    Rate(&'static str),
}

/// A rate in per mille (0 never, 1000 always) for each fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(BTreeMap<Fault, u16>);

impl Faults {
    /// A well-behaved operator: every parcel is delivered at the first visit, every answer has the documented form.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// An ordinary week: each fault now and then.
    pub fn mild() -> Self {
        Self(PRESETS.iter().map(|(fault, mild, _)| (*fault, *mild)).collect())
    }

    /// A bad week: enough of each fault that every path of the gateway is walked.
    pub fn wild() -> Self {
        Self(PRESETS.iter().map(|(fault, _, wild)| (*fault, *wild)).collect())
    }

    /// A random half of the faults, each at a random rate up to twice that of `wild`: what a search for bad luck tries
    /// seed after seed. Print the rates together with the seed.
    pub fn swarm(seed: u64) -> Self {
        let rates = PRESETS.iter().filter_map(|(fault, _, wild)| {
            let mut dice = Dice::new(seed, "swarm", fault.key(), 0);
            let rate = dice.between(0, i64::from(*wild) * 2).min(1000);
            dice.hits(500)
                .then(|| (*fault, u16::try_from(rate).unwrap_or(1000)))
        });
        Self(rates.collect())
    }

    /// The rate of one fault, per mille.
    pub fn rate(&self, fault: Fault) -> u16 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    /// These rates with one of them replaced; more than 1000 counts as 1000.
    #[must_use]
    pub fn with(mut self, fault: Fault, per_mille: u16) -> Self {
        self.0.insert(fault, per_mille.min(1000));
        self
    }

    /// These rates with those of `text` replaced: `lost_answer=50,late_accept=10`. An empty text changes nothing.
    ///
    /// # Errors
    /// When a part is not `name=rate`, no fault has the name, or the rate is not a whole number from 0 to 1000.
    pub fn parse_override(self, text: &str) -> Result<Self, FaultsError> {
        let mut faults = self;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, rate) = part
                .split_once('=')
                .ok_or_else(|| FaultsError::Form(part.to_owned()))?;
            let fault = Fault::ALL
                .into_iter()
                .find(|fault| fault.key() == name.trim())
                .ok_or_else(|| FaultsError::Name(name.trim().to_owned()))?;
            let rate = rate
                .trim()
                .parse::<u16>()
                .ok()
                .filter(|rate| *rate <= 1000)
                .ok_or(FaultsError::Rate(fault.key()))?;
            faults = faults.with(fault, rate);
        }
        Ok(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_replace_single_rates_and_bad_ones_are_named() {
        let faults = Faults::none()
            .parse_override("lost_answer=50, late_accept=10")
            .unwrap();
        assert_eq!(faults.rate(Fault::LostAnswer), 50);
        assert_eq!(faults.rate(Fault::LateAccept), 10);
        assert_eq!(faults.rate(Fault::Slow), 0);
        assert_eq!(Faults::mild().parse_override(""), Ok(Faults::mild()));
        let refuse = |text: &str| Faults::none().parse_override(text).unwrap_err();
        assert_eq!(refuse("lost_answer"), FaultsError::Form("lost_answer".into()));
        assert_eq!(refuse("lost=1"), FaultsError::Name("lost".into()));
        assert_eq!(refuse("slow=1001"), FaultsError::Rate("slow"));
        assert_eq!(refuse("slow=-1"), FaultsError::Rate("slow"));
    }

    #[test]
    fn every_fault_has_its_own_key_and_is_listed() {
        let keys: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.key()).collect();
        assert_eq!(keys.len(), Fault::ALL.len());
        let listed: Vec<Fault> = PRESETS.iter().map(|(fault, ..)| *fault).collect();
        assert_eq!(listed, Fault::ALL);
        let missing = Fault::ALL
            .into_iter()
            .filter(|fault| Faults::wild().rate(*fault) == 0);
        assert_eq!(missing.collect::<Vec<_>>(), [Fault::LongRetryAfter]);
    }

    #[test]
    fn a_swarm_takes_about_half_of_the_faults_and_repeats_itself() {
        assert_eq!(Faults::swarm(3), Faults::swarm(3));
        assert_ne!(Faults::swarm(3), Faults::swarm(4));
        let taken: usize = (0..100).map(|seed| Faults::swarm(seed).0.len()).sum();
        assert!((1_200..1_600).contains(&taken), "{taken}");
    }
}
