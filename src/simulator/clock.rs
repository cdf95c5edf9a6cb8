//! Room `simulator`: a clock that runs faster than the wall, for the stand-alone command.
//!
//! In: a start and a speed. Out: [`Clock`]. Deliberately not here: the demo's clock, which jumps.

use crate::domain::time::{Clock, Timestamp};
use std::time::Instant;

/// Simulated time that passes `speed` times as fast as real time.
#[derive(Debug)]
pub struct ScaledClock {
    start: Timestamp,
    speed: u32,
    begun: Instant,
}

impl ScaledClock {
    /// Starts at `start` now. `speed` is simulated milliseconds per real millisecond; 0 stands still.
    pub fn new(start: Timestamp, speed: u32) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is itself a clock: it measures real time to scale it"
        )]
        let begun = Instant::now();
        Self { start, speed, begun }
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        let elapsed = self
            .begun
            .elapsed()
            .as_millis()
            .saturating_mul(u128::from(self.speed));
        self.start.plus_ms(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_stands_and_a_running_one_never_goes_back() {
        let start = Timestamp::from_ms(1_795_420_800_000);
        assert_eq!(ScaledClock::new(start, 0).now(), start);
        let clock = ScaledClock::new(start, 86_400);
        let first = clock.now();
        assert!(first >= start && clock.now() >= first);
    }
}
