//! Room `app::demo`: chance that repeats with the seed.
//!
//! In: the seed. Out: numbers and picks. Deliberately not here: keys, which are always drawn from the system.

/// A seeded generator with the few questions that the plan asks.
#[derive(Debug)]
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    /// One generator per `purpose`: a question more in one part of the plan shifts nothing in another.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        Self(fastrand::Rng::with_seed(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03),
        ))
    }

    /// From `low` to `high`, both included; `low` when the range is empty.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        if high <= low { low } else { self.0.u32(low..=high) }
    }

    /// True in `per_mille` of 1000.
    pub(super) fn hits(&mut self, per_mille: u32) -> bool {
        self.0.u32(0..1000) < per_mille
    }

    /// One of `items`; `None` only when there are none.
    pub(super) fn maybe<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        self.0.choice(items)
    }

    /// One of `words`; an empty text when there are none.
    pub(super) fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.maybe(words).copied().unwrap_or_default()
    }

    /// One place of `weights`, each as likely as its weight.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total: u32 = weights.clone().sum();
        let mut left = self.0.u32(0..total.max(1));
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// Brings `items` into a random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_repeat_and_others_do_not() {
        let draw = |seed, purpose| Dice::new(seed, purpose).between(0, u32::MAX);
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn weights_are_kept_and_zero_never_comes() {
        let mut dice = Dice::new(7, 7);
        let mut hits = [0_u32; 3];
        for _ in 0..10_000 {
            hits[dice.weighted([1, 0, 3].into_iter())] += 1;
        }
        assert_eq!(hits[1], 0);
        assert!((2_300..2_700).contains(&hits[0]), "{hits:?}");
    }
}
