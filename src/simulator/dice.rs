//! Room `simulator`: chance that can be repeated.
//!
//! In: the seed, the name of the question, the reference it is about and how often it was asked. Out: numbers that
//! are the same in each run, whatever order the calls of several clients arrive in. Deliberately not here: any
//! source of real randomness.

/// One die per question: asking one more question elsewhere never shifts the answers here.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The die for the `nth` time that `question` is put about `reference`.
    pub(super) fn new(seed: u64, question: &str, reference: &str, nth: u64) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ mix(seed);
        for byte in question.bytes().chain([0]).chain(reference.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(mix(hash ^ mix(nth.wrapping_add(0x9e37_79b9))))
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// True in about `per_mille` of 1000 throws; 0 never, 1000 and more always.
    pub(super) fn hits(&mut self, per_mille: u16) -> bool {
        self.next() % 1000 < u64::from(per_mille)
    }

    /// A number from `low` to `high`, both included; `low` when the range is empty.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low))
            .unwrap_or(0)
            .saturating_add(1);
        let offset = self.next().checked_rem(width).unwrap_or(0);
        low.saturating_add(i64::try_from(offset).unwrap_or(0))
    }

    /// One of `items`, or `fallback` when there are none.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T], fallback: T) -> T {
        let count = u64::try_from(items.len()).unwrap_or(0);
        let index = self.next().checked_rem(count).unwrap_or(0);
        usize::try_from(index)
            .ok()
            .and_then(|index| items.get(index))
            .copied()
            .unwrap_or(fallback)
    }
}

/// The finaliser of splitmix64.
fn mix(value: u64) -> u64 {
    let first = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_does_not() {
        let first = Dice::new(7, "slow", "A-1", 0).next();
        assert_eq!(first, Dice::new(7, "slow", "A-1", 0).next());
        assert_ne!(first, Dice::new(8, "slow", "A-1", 0).next());
        assert_ne!(first, Dice::new(7, "late", "A-1", 0).next());
        assert_ne!(first, Dice::new(7, "slow", "A-2", 0).next());
        assert_ne!(first, Dice::new(7, "slow", "A-1", 1).next());
    }

    #[test]
    fn rates_are_about_right_and_the_ends_are_exact() {
        let count = |rate| {
            (0..10_000)
                .filter(|nth| Dice::new(1, "q", "r", *nth).hits(rate))
                .count()
        };
        assert_eq!(count(0), 0);
        assert_eq!(count(1000), 10_000);
        assert!((800..1200).contains(&count(100)), "{}", count(100));
        let mut dice = Dice::new(1, "q", "r", 0);
        assert!((0..1000).all(|_| (3..=5).contains(&dice.between(3, 5))));
        assert_eq!(dice.between(5, 5), 5);
    }
}
