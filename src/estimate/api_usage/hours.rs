//! How usage falls on the hours of the day: evenly, or by a weight for each local hour.

use jiff::{Timestamp, tz::TimeZone};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A weight for each hour of the local day, and where the local day lies in UTC.
#[derive(Debug)]
pub(super) struct Clock {
    weights: [u64; 24],
    /// Weight of the day before each hour, in weight times milliseconds.
    before: [i128; 25],
    /// Milliseconds that local time is ahead, each from an instant on; at least one.
    offsets: Vec<(i64, i64)>,
}

impl Clock {
    /// A clock that is right between two instants.
    pub(super) fn new(weights: [u64; 24], zone: &TimeZone, from: Timestamp, to: Timestamp) -> Self {
        let mut before = [0; 25];
        for (hour, weight) in weights.iter().enumerate() {
            before[hour + 1] = before[hour] + i128::from(*weight) * i128::from(HOUR_MS);
        }
        let ahead = |seconds: i32| i64::from(seconds) * 1_000;
        let mut offsets = vec![(from.as_millisecond(), ahead(zone.to_offset(from).seconds()))];
        let changes = zone.following(from).take_while(|change| change.timestamp() < to);
        offsets.extend(
            changes.map(|change| (change.timestamp().as_millisecond(), ahead(change.offset().seconds()))),
        );
        Self { weights, before, offsets }
    }

    /// The weight of the time between two instants, in milliseconds: exact, and the same however it is divided.
    pub(super) fn weight(&self, from: Timestamp, to: Timestamp) -> u128 {
        let (from, to) = (from.as_millisecond(), to.as_millisecond());
        let ends = self.offsets.iter().skip(1).map(|(start, _)| *start).chain([i64::MAX]);
        let spans = self.offsets.iter().zip(ends).map(|((start, ahead), end)| {
            let (from, to) = (from.max(*start), to.min(end));
            if from < to { self.until(to + ahead) - self.until(from + ahead) } else { 0 }
        });
        u128::try_from(spans.sum::<i128>()).unwrap_or(0)
    }

    /// The weight of local time since 1970, to the millisecond; negative before.
    fn until(&self, local_ms: i64) -> i128 {
        let (days, rest) = (local_ms.div_euclid(DAY_MS), local_ms.rem_euclid(DAY_MS));
        let hour = usize::try_from(rest / HOUR_MS).unwrap_or(0);
        let begun = i128::from(self.weights[hour]) * i128::from(rest % HOUR_MS);
        i128::from(days) * self.before[24] + self.before[hour] + begun
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn clock(weights: [u64; 24], zone: &str) -> Clock {
        Clock::new(
            weights,
            &TimeZone::get(zone).unwrap(),
            at("2025-01-01T00:00:00Z"),
            at("2027-01-01T00:00:00Z"),
        )
    }

    fn only(hours: std::ops::Range<usize>) -> [u64; 24] {
        std::array::from_fn(|hour| u64::from(hours.contains(&hour)))
    }

    #[test]
    fn an_even_clock_counts_milliseconds() {
        let even = clock([1; 24], "UTC");
        let year = even.weight(at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(year, 365 * 86_400_000);
        assert_eq!(even.weight(at("2025-03-01T10:00:00Z"), at("2025-03-01T10:00:00.001Z")), 1);
    }

    #[test]
    fn only_hours_of_the_local_day_that_have_a_weight_count() {
        let office = clock(only(9..17), "Asia/Shanghai");
        let day = office.weight(at("2025-03-01T00:00:00Z"), at("2025-03-02T00:00:00Z"));
        assert_eq!(day, 8 * 3_600_000);
        assert_eq!(office.weight(at("2025-03-01T00:30:00Z"), at("2025-03-01T02:00:00Z")), 3_600_000);
    }

    /// On 2025-03-30 clocks in Berlin leap from 2:00 to 3:00, on 2025-10-26 they fall back from 3:00 to 2:00.
    #[test]
    fn an_hour_that_is_leapt_over_has_no_weight_and_one_that_comes_twice_has_it_twice() {
        let at_two = clock(only(2..3), "Europe/Berlin");
        let of_day = |day: &str| {
            let start = at(&format!("{day}T00:00:00Z")).checked_sub(2.hours()).unwrap();
            at_two.weight(start, start.checked_add(25.hours()).unwrap())
        };
        assert_eq!(of_day("2025-03-29"), 3_600_000);
        assert_eq!(of_day("2025-03-30"), 0);
        assert_eq!(of_day("2025-10-26"), 2 * 3_600_000);
    }

    proptest! {
        /// The oracle walks hour by hour, and asks the time zone for each.
        #[test]
        fn the_weight_of_a_span_is_that_of_its_hours(
            start in 0_i64..17_000, hours in 0_i64..400, weights in proptest::array::uniform24(0_u64..9), zone in 0_usize..3,
        ) {
            let zone = ["Europe/Berlin", "Asia/Kolkata", "America/New_York"][zone];
            let clock = clock(weights, zone);
            let zone = TimeZone::get(zone).unwrap();
            let from = at("2025-01-01T00:00:00Z").checked_add(start.hours()).unwrap();
            let quarter = |nth: i64| from.checked_add((nth * 15).minutes()).unwrap();
            let of_quarter = |nth: i64| {
                let hour = usize::try_from(zone.to_datetime(quarter(nth)).hour()).unwrap();
                u128::from(weights[hour]) * 900_000
            };
            let walked: u128 = (0..hours * 4).map(of_quarter).sum();
            prop_assert_eq!(clock.weight(from, quarter(hours * 4)), walked);
        }
    }
}
