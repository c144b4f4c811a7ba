//! How long a price is known, and how many years lie between two instants.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// The same instant so many years later, by the calendar (UTC); none beyond the calendar's end.
pub(super) fn anniversary(from: Timestamp, years: i32) -> Option<Timestamp> {
    let later = TimeZone::UTC.to_datetime(from).checked_add(years.years()).ok()?;
    TimeZone::UTC.to_timestamp(later).ok()
}

/// Years from one instant to a later one: whole ones by the calendar, and the share of the one begun.
pub(super) fn years_between(from: Timestamp, to: Timestamp) -> f64 {
    let year = |at: Timestamp| i32::from(TimeZone::UTC.to_datetime(at).year());
    let mut whole = (year(to) - year(from)).max(0);
    if anniversary(from, whole).is_none_or(|day| day > to) {
        whole = (whole - 1).max(0);
    }
    let (Some(last), Some(next)) = (anniversary(from, whole), anniversary(from, whole + 1)) else {
        return f64::from(whole);
    };
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
    f64::from(whole) + (seconds(last, to) / seconds(last, next)).max(0.0)
}

/// Until when a row tells the price, seen from an instant at which the catalog is taken at its word: to its end where
/// that lies ahead; else to that instant, or to its own beginning where that lies ahead; never beyond `to`.
pub(super) fn known_until(
    effective_from: Option<Timestamp>,
    effective_to: Option<Timestamp>,
    seen: Timestamp,
    to: Timestamp,
) -> Timestamp {
    let until = match effective_to {
        Some(end) if end > seen => end,
        _ => effective_from.map_or(seen, |from| from.max(seen)),
    };
    until.min(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        format!("{day}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn years_are_those_of_the_calendar() {
        for (from, to, years) in [
            ("2026-01-01", "2027-01-01", 1.0),
            ("2024-02-29", "2025-02-28", 1.0),
            ("2024-01-01", "2025-01-01", 1.0),
            ("2026-01-01", "2026-01-01", 0.0),
            ("2026-01-01", "2026-07-02", 182.0 / 365.0),
            ("2026-11-24", "2031-11-24", 5.0),
        ] {
            assert!((years_between(at(from), at(to)) - years).abs() < 1e-12, "{from} {to}");
        }
    }

    #[test]
    fn a_price_is_known_as_far_as_its_row_says() {
        let (seen, to) = (at("2026-11-24"), at("2029-01-01"));
        let until = |from: Option<&str>, end: Option<&str>| known_until(from.map(at), end.map(at), seen, to);
        assert_eq!(until(None, None), seen);
        assert_eq!(until(Some("2024-01-01"), None), seen);
        assert_eq!(until(Some("2027-06-01"), None), at("2027-06-01"));
        assert_eq!(until(Some("2024-01-01"), Some("2028-01-01")), at("2028-01-01"));
        assert_eq!(until(Some("2027-06-01"), Some("2030-01-01")), to);
        assert_eq!(until(Some("2024-01-01"), Some("2025-01-01")), seen);
    }
}
