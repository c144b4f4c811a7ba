//! Counts as requests spell them: a whole number, or its P10, P50 and P90.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{number::Count, shape, uncertain::Range};

/// A count, known or with a range; each of its figures a [`Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    low: u64,
    mid: u64,
    high: u64,
}

/// P10, P50 and P90 of a count.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountRange {
    /// P10.
    #[schema(example = 800)]
    low: Count,
    /// P50.
    #[schema(example = 1200)]
    mid: Count,
    /// P90.
    #[schema(example = 3000)]
    high: Count,
}

impl Tally {
    /// One, for certain.
    pub const ONE: Self = Self::exact(1);

    /// A count that is known.
    #[must_use]
    pub const fn exact(count: u64) -> Self {
        Self { low: count, mid: count, high: count }
    }

    /// P10.
    #[must_use]
    pub const fn low(self) -> u64 {
        self.low
    }

    /// The count, P50 where there is a range.
    #[must_use]
    pub const fn mid(self) -> u64 {
        self.mid
    }

    /// P90.
    #[must_use]
    pub const fn high(self) -> u64 {
        self.high
    }

    /// Whether all three are one figure.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// The range as numbers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts end at 1e15, which floats still hold")]
    pub fn range(self) -> Range {
        let mid = self.mid as f64;
        Range::new(self.low as f64, mid, self.high as f64).unwrap_or(Range::exact(mid)) // checked when read
    }
}

impl<'de> Deserialize<'de> for Tally {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if !text.starts_with('{') {
            return Count::parse(text).map(|Count(count)| Self::exact(count)).map_err(shape::out_of_range);
        }
        let range =
            serde_json::from_str(text).map_err(|error| D::Error::custom(shape::sentence_of(&error)))?;
        let CountRange { low: Count(low), mid: Count(mid), high: Count(high) } = range;
        if low <= mid && mid <= high {
            return Ok(Self { low, mid, high });
        }
        Err(shape::out_of_range("must have low <= mid <= high"))
    }
}

impl utoipa::PartialSchema for Tally {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{OneOfBuilder, Ref};
        OneOfBuilder::new()
            .item(<Count as utoipa::PartialSchema>::schema())
            .item(Ref::from_schema_name("CountRange"))
            .description(Some("A whole number, or its P10, P50 and P90."))
            .examples([1200])
            .into()
    }
}

impl ToSchema for Tally {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("CountRange".to_owned(), <CountRange as utoipa::PartialSchema>::schema()));
        <CountRange as ToSchema>::schemas(schemas);
        schemas.push(("Count".to_owned(), <Count as utoipa::PartialSchema>::schema()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(json: &str) -> Result<(u64, u64, u64), String> {
        let Tally { low, mid, high } = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Ok((low, mid, high))
    }

    #[test]
    fn a_tally_is_a_count_or_a_range_of_counts() {
        assert_eq!(tally("1e6"), Ok((1_000_000, 1_000_000, 1_000_000)));
        assert_eq!(tally(r#"{"low": 1, "mid": 2.0, "high": 4e1}"#), Ok((1, 2, 40)));
    }

    #[test]
    fn a_tally_is_in_order_and_of_whole_counts() {
        for (json, part) in [
            (r#"{"low": 3, "mid": 2, "high": 4}"#, "low <= mid <= high"),
            (r#"{"low": 1, "mid": 2, "high": 4.5}"#, "must be a whole number"),
            (r#"{"low": 1, "mid": 2}"#, "missing field `high`"),
            (r#"{"low": 1, "mid": 2, "high": 3, "top": 4}"#, "unknown field `top`"),
            ("-1", "must be a whole number"),
            ("[1, 2, 3]", "must be a number"),
        ] {
            let error = tally(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
