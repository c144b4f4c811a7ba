//! Instants, days and the half-open spans between them.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, de::Error as _};

/// `from <= t < to`; an open end is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    from_ms: i64,
    to_ms: i64,
}

impl Span {
    /// The span between two instants, either of which may be open.
    #[must_use]
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self {
            from_ms: from.map_or(i64::MIN, Timestamp::as_millisecond),
            to_ms: to.map_or(i64::MAX, Timestamp::as_millisecond),
        }
    }

    /// The span between the starts of two days in UTC, either of which may be open.
    #[must_use]
    pub fn of_days(from: Option<Date>, to: Option<Date>) -> Self {
        Self::new(from.and_then(start_of_day), to.and_then(start_of_day))
    }

    /// Whether an instant lies inside: the start does, the end does not.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        let at = at.as_millisecond();
        self.from_ms <= at && at < self.to_ms
    }

    /// Its first millisecond; the least there is where the start is open.
    #[must_use]
    pub fn start_ms(self) -> i64 {
        self.from_ms
    }

    /// Whether two spans share an instant.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from_ms < other.to_ms && other.from_ms < self.to_ms
    }

    /// Whether the span holds any instant at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.from_ms >= self.to_ms
    }
}

/// The instant a question is about, and whether only its day was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// To the millisecond.
    pub instant: Timestamp,
    /// Only a date was given: midnight UTC stands in for it.
    pub date_only: bool,
}

impl AsOf {
    /// Reads RFC 3339 with any offset, or a bare date.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            let looks_rfc3339 = text.as_bytes().get(10).is_some_and(|b| matches!(b, b'T' | b't' | b' '));
            return looks_rfc3339.then(|| Self { instant: to_milliseconds(instant), date_only: false });
        }
        let day = parse_day(text)?;
        let instant = start_of_day(day)?;
        Some(Self { instant, date_only: true })
    }
}

impl<'de> Deserialize<'de> for AsOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(
                "must be an RFC 3339 instant such as 2026-11-24T12:00:00Z, or a date such as 2026-11-24",
            )
        })
    }
}

impl From<Timestamp> for AsOf {
    fn from(instant: Timestamp) -> Self {
        Self { instant: to_milliseconds(instant), date_only: false }
    }
}

/// Drops what is finer than a millisecond: the store keeps no more.
#[must_use]
pub fn to_milliseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}

/// Reads `2026-11-10` and nothing else.
#[must_use]
pub fn parse_day(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// Midnight UTC at the start of a day.
#[must_use]
pub fn start_of_day(day: Date) -> Option<Timestamp> {
    jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// The day of an instant in UTC.
#[must_use]
pub fn utc_day(instant: Timestamp) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(instant).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_its_start_and_not_its_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let span = Span::new(Some(at("2025-02-08T16:00:00Z")), Some(at("2025-02-09T00:00:00Z")));
        assert!(!span.contains(at("2025-02-08T15:59:59.999Z")));
        assert!(span.contains(at("2025-02-08T16:00:00Z")));
        assert!(!span.contains(at("2025-02-09T00:00:00Z")));
    }

    #[test]
    fn a_span_of_days_starts_and_ends_at_midnight_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let span = Span::of_days(parse_day("2025-01-01"), parse_day("2025-01-02"));
        assert!(!span.contains(at("2024-12-31T23:59:59.999Z")) && span.contains(at("2025-01-01T00:00:00Z")));
        assert!(span.contains(at("2025-01-01T23:59:59.999Z")) && !span.contains(at("2025-01-02T00:00:00Z")));
    }

    #[test]
    fn an_instant_may_carry_an_offset_or_be_a_bare_date() {
        let offset = AsOf::parse("2025-02-09T00:00:00+08:00").unwrap();
        assert_eq!(offset.instant.to_string(), "2025-02-08T16:00:00Z");
        let date = AsOf::parse("2025-02-09").unwrap();
        assert!(date.date_only && date.instant.to_string() == "2025-02-09T00:00:00Z");
        let fine = AsOf::parse("2025-02-09T00:00:00.123456Z").unwrap();
        assert_eq!(fine.instant.to_string(), "2025-02-09T00:00:00.123Z");
        for bad in ["", "2025", "2025-13-01", "2025-02-09T00:00:00", "yesterday", "2025-02-30", "20250209"] {
            assert_eq!(AsOf::parse(bad), None, "{bad}");
        }
    }
}
