//! Room `app`: the makers of time, identifiers and chance.
//!
//! In: the machine's clock and random bytes, or a seed and a clock that somebody moves. Out: the ports of `domain`.
//! This is the only place that reads the machine's clock. Deliberately not here: keys (the store's key ring takes the
//! system's random bytes itself).

use crate::domain::id::Ids;
use crate::domain::time::{Clock, Rng, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the Clock that everybody else takes; a demo and a test take another"
        )]
        let now = jiff::Timestamp::now();
        Timestamp::from_ms(now.as_millisecond())
    }
}

/// A clock that stands still until somebody moves it; clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_ms())))
    }

    /// Shows `now` from here on, which may lie before what it showed.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_ms(), Ordering::SeqCst);
    }

    /// Moves on by `ms` milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// The milliseconds themselves, for a simulator that shares the time but no type.
    pub fn shared(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.0)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Chance from a seed: the same seed, the same run. Never for keys.
#[derive(Debug)]
pub struct SeededRng(Mutex<fastrand::Rng>);

impl SeededRng {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A generator that is different in each process, so that gateways do not retry in step.
    pub fn from_system() -> Self {
        Self::new(system_seed())
    }
}

impl Rng for SeededRng {
    fn next_u64(&self) -> u64 {
        let mut generator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generator.u64(..)
    }
}

/// A seed from the system, or, where it gives none, from the clock: it only has to differ.
fn system_seed() -> u64 {
    let mut bytes = [0_u8; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_no_randomness) => u64::from_le_bytes(SystemClock.now().as_ms().to_le_bytes()),
    }
}

/// The last identifier's time and count, and what fills the rest.
#[derive(Debug)]
struct Sequence {
    ms: u64,
    count: u16,
    generator: fastrand::Rng,
}

/// UUIDv7 (RFC 9562): each greater than all before it from the same maker, also when the clock stands or goes back.
///
/// The count of twelve bits begins anywhere in its lower half in each millisecond (method 1 of section 6.2); when it is
/// used up, the next millisecond is taken early. Sixty-two bits of chance keep several gateways apart.
pub struct UuidIds {
    clock: Arc<dyn Clock>,
    sequence: Mutex<Sequence>,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The system's random bytes each time.
    System,
    /// The seeded generator, for runs that must repeat.
    Seed,
}

/// Largest count in twelve bits.
const COUNT_MAX: u16 = 0x0fff;

impl std::fmt::Debug for UuidIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UuidIds")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl UuidIds {
    /// Identifiers of the service.
    pub fn system(clock: Arc<dyn Clock>) -> Self {
        Self::over(clock, system_seed(), Source::System)
    }

    /// Identifiers that are the same for the same seed and clock: demo and tests.
    pub fn seeded(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self::over(clock, seed, Source::Seed)
    }

    fn over(clock: Arc<dyn Clock>, seed: u64, source: Source) -> Self {
        let sequence = Sequence {
            ms: 0,
            count: 0,
            generator: fastrand::Rng::with_seed(seed),
        };
        Self {
            clock,
            sequence: Mutex::new(sequence),
            source,
        }
    }
}

impl Ids for UuidIds {
    fn next(&self) -> [u8; 16] {
        let now = u64::try_from(self.clock.now().as_ms()).unwrap_or(0);
        let mut sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        if now > sequence.ms {
            sequence.ms = now;
            sequence.count = sequence.generator.u16(..=COUNT_MAX / 2);
        } else if sequence.count < COUNT_MAX {
            sequence.count += 1;
        } else {
            sequence.ms += 1;
            sequence.count = sequence.generator.u16(..=COUNT_MAX / 2);
        }
        // Where the system gives no bytes the seeded generator still keeps identifiers apart; they are no secrets.
        let fallback = sequence.generator.u64(..);
        let (ms, count) = (sequence.ms, sequence.count);
        drop(sequence);
        let mut tail = fallback.to_be_bytes();
        if self.source == Source::System && getrandom::fill(&mut tail).is_err() {
            tail = fallback.to_be_bytes();
        }
        let [_, _, time @ ..] = ms.to_be_bytes();
        let [high, low] = count.to_be_bytes();
        let [first, rest @ ..] = tail;
        let mut id = [0_u8; 16];
        let bytes = time
            .into_iter()
            .chain([0x70 | (high & 0x0f), low, 0x80 | (first & 0x3f)])
            .chain(rest);
        id.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_795_420_800_123);

    /// Ten thousand in one standing millisecond, then a clock set back: still each greater than the one before.
    #[test]
    fn identifiers_only_grow_and_are_version_7() {
        let clock = ManualClock::at(START);
        let ids = UuidIds::system(Arc::new(clock.clone()));
        let mut last = [0_u8; 16];
        for number in 0..10_000 {
            if number == 5_000 {
                clock.advance_ms(-3_600_000);
            }
            let id = ids.next();
            assert!(id > last, "number {number}");
            let read = uuid::Uuid::from_bytes(id);
            assert_eq!(
                (read.get_version_num(), read.get_variant()),
                (7, uuid::Variant::RFC4122)
            );
            last = id;
        }
    }

    #[test]
    fn the_time_in_an_identifier_is_the_clocks() {
        let ids = UuidIds::system(Arc::new(ManualClock::at(START)));
        let id = uuid::Uuid::from_bytes(ids.next());
        assert_eq!(
            id.get_timestamp().unwrap().to_unix(),
            (1_795_420_800, 123_000_000)
        );
    }

    /// The same seed gives the same run, another one another run; the system's gives no run twice.
    #[test]
    fn seeds_repeat_and_the_system_does_not() {
        let run = |seed| {
            let ids = UuidIds::seeded(Arc::new(ManualClock::at(START)), seed);
            [ids.next(), ids.next(), ids.next()]
        };
        assert_eq!(run(4), run(4));
        assert_ne!(run(4), run(5));
        let draw = |seed| SeededRng::new(seed).next_u64();
        assert_eq!(draw(4), draw(4));
        assert_ne!(draw(4), draw(5));
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(START));
        assert_ne!(
            UuidIds::system(Arc::clone(&clock)).next(),
            UuidIds::system(clock).next()
        );
    }

    #[test]
    fn a_manual_clock_is_shared_by_its_clones() {
        let clock = ManualClock::at(START);
        let other = clock.clone();
        other.advance_ms(5);
        assert_eq!(clock.now(), START.plus_ms(5));
        clock.set(Timestamp::from_ms(7));
        assert_eq!(other.shared().load(Ordering::SeqCst), 7);
        assert!(SystemClock.now() > Timestamp::from_ms(1_700_000_000_000));
    }
}
