//! Figures of modelled workloads as requests spell them: a number, or its P10, P50 and P90.

use std::fmt;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor, value::MapAccessDeserializer},
};
use utoipa::ToSchema;

use super::{number::Amount, shape, uncertain::Range};

/// A quantity: finite, not negative, known or with a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure(pub Range);

impl Figure {
    /// The quantity, P50 where there is a range.
    #[must_use]
    pub fn mid(self) -> f64 {
        self.0.mid()
    }

    /// Whether it is zero in every case.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.high() <= 0.0
    }
}

/// P10, P50 and P90 of a quantity.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FigureRange {
    /// P10.
    #[schema(minimum = 0, example = 1.0e12)]
    low: f64,
    /// P50.
    #[schema(minimum = 0, example = 2.0e12)]
    mid: f64,
    /// P90.
    #[schema(minimum = 0, example = 3.0e12)]
    high: f64,
}

impl FigureRange {
    fn range<E: serde::de::Error>(self) -> Result<Range, E> {
        let Self { low, mid, high } = self;
        if low < 0.0 {
            return Err(shape::out_of_range(format_args!("must not be negative, got {low}")));
        }
        Range::new(low, mid, high).map_err(shape::out_of_range)
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrRange;

        impl<'de> Visitor<'de> for NumberOrRange {
            type Value = Range;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or an object with low, mid and high")
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Range, E> {
                FigureRange { low: number, mid: number, high: number }.range()
            }

            #[expect(clippy::cast_precision_loss, reason = "sixteen digits of a quantity are enough")]
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Range, E> {
                self.visit_f64(number as f64)
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Range, E> {
                Err(shape::out_of_range(format_args!("must not be negative, got {number}")))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Range, A::Error> {
                FigureRange::deserialize(MapAccessDeserializer::new(map))?.range()
            }
        }

        deserializer.deserialize_any(NumberOrRange).map(Self)
    }
}

impl utoipa::PartialSchema for Figure {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, schema::Type};
        let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0));
        OneOfBuilder::new()
            .item(number)
            .item(Ref::from_schema_name("FigureRange"))
            .description(Some("A quantity that is not negative: a number, or its P10, P50 and P90."))
            .examples([1.5e12])
            .into()
    }
}

impl ToSchema for Figure {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("FigureRange".to_owned(), <FigureRange as utoipa::PartialSchema>::schema()));
    }
}

/// A price: exact, or with a range. Not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    low: Decimal,
    /// The price, P50 where there is a range.
    pub mid: Decimal,
    high: Decimal,
}

/// P10, P50 and P90 of a price.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRange {
    /// P10.
    #[schema(example = "1.70")]
    low: Amount,
    /// P50.
    #[schema(example = "2.00")]
    mid: Amount,
    /// P90.
    #[schema(example = "3.00")]
    high: Amount,
}

impl Price {
    /// A price that is known.
    #[must_use]
    pub const fn exact(mid: Decimal) -> Self {
        Self { low: mid, mid, high: mid }
    }

    /// A price from its P10, P50 and P90; none when they are not in order.
    #[must_use]
    pub fn new(low: Decimal, mid: Decimal, high: Decimal) -> Option<Self> {
        (low <= mid && mid <= high).then_some(Self { low, mid, high })
    }

    /// P10.
    #[must_use]
    pub const fn low(self) -> Decimal {
        self.low
    }

    /// P90.
    #[must_use]
    pub const fn high(self) -> Decimal {
        self.high
    }

    /// The range as numbers.
    #[must_use]
    pub fn range(self) -> Range {
        let number = |price: Decimal| price.to_f64().unwrap_or(f64::MAX);
        let mid = number(self.mid);
        Range::new(number(self.low), mid, number(self.high)).unwrap_or(Range::exact(mid))
    }

    fn checked<E: serde::de::Error>(range: PriceRange) -> Result<Self, E> {
        let PriceRange { low: Amount(low), mid: Amount(mid), high: Amount(high) } = range;
        if low.is_sign_negative() && !low.is_zero() {
            return Err(shape::out_of_range(format_args!("must not be negative, got {low}")));
        }
        Self::new(low, mid, high).ok_or_else(|| shape::out_of_range("must have low <= mid <= high"))
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if text.starts_with('{') {
            let seed = std::marker::PhantomData::<PriceRange>;
            let mut reader = serde_json::Deserializer::from_str(text);
            let range = seed.deserialize(&mut reader).map_err(serde::de::Error::custom)?;
            return Self::checked(range);
        }
        let amount = Amount::parse(text).map_err(shape::out_of_range)?;
        Self::checked(PriceRange { low: amount, mid: amount, high: amount })
    }
}

impl utoipa::PartialSchema for Price {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{OneOfBuilder, Ref};
        OneOfBuilder::new()
            .item(<Amount as utoipa::PartialSchema>::schema())
            .item(Ref::from_schema_name("PriceRange"))
            .description(Some("A price: a decimal string or number, or its P10, P50 and P90."))
            .examples(["2.00"])
            .into()
    }
}

impl ToSchema for Price {
    fn name() -> std::borrow::Cow<'static, str> {
        "PriceGiven".into() // `Price` is a row of a price table
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("PriceRange".to_owned(), <PriceRange as utoipa::PartialSchema>::schema()));
        <Amount as ToSchema>::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(json: &str) -> Result<(f64, f64, f64), String> {
        let Figure(range) = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Ok((range.low(), range.mid(), range.high()))
    }

    #[test]
    fn a_figure_is_a_number_or_a_range() {
        assert_eq!(figure("14.8e12"), Ok((14.8e12, 14.8e12, 14.8e12)));
        assert_eq!(figure("7"), Ok((7.0, 7.0, 7.0)));
        assert_eq!(figure(r#"{"low": 1, "mid": 2.5, "high": 4}"#), Ok((1.0, 2.5, 4.0)));
    }

    #[test]
    fn a_figure_is_neither_negative_nor_out_of_order_nor_something_else() {
        for bad in
            ["-1", "-0.5", "\"1\"", "true", "null", "[1]", "1e999", r#"{"low": 3, "mid": 2, "high": 4}"#]
        {
            assert!(figure(bad).is_err(), "{bad}");
        }
        assert!(figure(r#"{"low": -1, "mid": 2, "high": 4}"#).unwrap_err().contains("must not be negative"));
        assert!(figure(r#"{"low": 1, "mid": 2}"#).unwrap_err().contains("missing field `high`"));
    }

    #[test]
    fn a_price_keeps_its_digits() {
        let price: Price = serde_json::from_str("\"2.00\"").unwrap();
        assert_eq!(price, Price::exact(Decimal::new(200, 2)));
        let price: Price = serde_json::from_str(r#"{"low": "1.70", "mid": 2, "high": "3"}"#).unwrap();
        assert_eq!((price.range().low(), price.range().high()), (1.7, 3.0));
        for bad in ["-1", "\"-0.01\"", r#"{"low": 3, "mid": 2, "high": 4}"#, "true"] {
            assert!(serde_json::from_str::<Price>(bad).is_err(), "{bad}");
        }
    }
}
