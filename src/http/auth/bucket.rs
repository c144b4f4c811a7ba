//! How often somebody may ask: so many requests a second, and so many at once after a pause.
//!
//! The generic cell rate algorithm (ITU-T I.371, virtual scheduling): all that is remembered is the instant at which
//! the next request would be due if they came evenly. A request may be ahead of that by as much as the burst allows.
//! One number that is compared and swapped, so nobody waits for anybody.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

const SECOND: u64 = 1_000_000_000;

/// Requests a second, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// Time from one request to the next, in ns.
    fn interval(self) -> u64 {
        SECOND / u64::from(self.per_second.get())
    }

    /// How far ahead of its time a request may be, in ns.
    fn tolerance(self) -> u64 {
        self.interval() * u64::from(self.burst.get() - 1)
    }
}

/// When the next request is due, in ns since some start.
#[derive(Debug, Default)]
pub(super) struct Bucket(AtomicU64);

impl Bucket {
    /// Lets a request through that comes at `now` (ns since the start).
    ///
    /// # Errors
    /// When it comes too early: how long to wait.
    pub(super) fn take(&self, limit: RateLimit, now: u64) -> Result<(), Duration> {
        let mut known = self.0.load(Ordering::Relaxed);
        loop {
            let due = known.max(now);
            if let Some(early) = (due - now).checked_sub(limit.tolerance()).filter(|early| *early > 0) {
                return Err(Duration::from_nanos(early));
            }
            let next = due + limit.interval();
            match self.0.compare_exchange_weak(known, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(newer) => known = newer,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn limit(per_second: u32, burst: u32) -> RateLimit {
        let number = |number| NonZeroU32::new(number).unwrap();
        RateLimit { per_second: number(per_second), burst: number(burst) }
    }

    fn passes(bucket: &Bucket, limit: RateLimit, now: u64, asked: u32) -> u32 {
        (0..asked).map(|_| u32::from(bucket.take(limit, now).is_ok())).sum()
    }

    #[test]
    fn a_burst_passes_then_one_an_interval_then_a_burst_after_a_pause() {
        let (bucket, limit) = (Bucket::default(), limit(10, 5));
        assert_eq!(passes(&bucket, limit, SECOND, 20), 5);
        assert_eq!(bucket.take(limit, SECOND), Err(Duration::from_millis(100)));
        assert_eq!(passes(&bucket, limit, SECOND + SECOND / 10 - 1, 20), 0);
        assert_eq!(passes(&bucket, limit, SECOND + SECOND / 10, 20), 1);
        assert_eq!(passes(&bucket, limit, 60 * SECOND, 20), 5);
    }

    #[test]
    fn in_the_long_run_as_many_pass_as_the_rate_says() {
        let (bucket, limit) = (Bucket::default(), limit(100, 1));
        let passed: u32 = (0..10_000).map(|ms| passes(&bucket, limit, ms * 1_000_000, 3)).sum();
        assert_eq!(passed, 1000); // 10 s
    }

    #[test]
    fn many_at_once_get_no_more_than_the_burst() {
        let (bucket, limit) = (Bucket::default(), limit(1, 64));
        let passed: u32 = thread::scope(|scope| {
            let asking: Vec<_> =
                (0..8).map(|_| scope.spawn(|| passes(&bucket, limit, SECOND, 100))).collect();
            asking.into_iter().map(|asked| asked.join().unwrap()).sum()
        });
        assert_eq!(passed, 64);
    }
}
