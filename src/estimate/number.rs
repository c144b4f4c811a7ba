//! Numbers as requests spell them, read digit by digit so that none is lost.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::shape;
use crate::catalog::money::parse_decimal;

/// The largest count that a request may state.
pub const MOST: u64 = 1_000_000_000_000_000;

/// Digits that a JSON number keeps on its way through other people's parsers.
const NUMBER_DIGITS: usize = 15;

/// A whole number from 0 to 10^15, in any JSON spelling: `1000000`, `1e6`, `1000000.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl Count {
    /// One.
    pub const ONE: Self = Self(1);

    /// Reads the text of a JSON number.
    ///
    /// # Errors
    /// A sentence that begins with `must be`.
    ///
    /// ```
    /// use farthing::estimate::number::Count;
    /// assert_eq!(Count::parse("1.5e3"), Ok(Count(1500)));
    /// assert!(Count::parse("1.5").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RANGE: &str = "must be a whole number from 0 to 1e15";
        if let Ok(count) = text.parse::<u64>() {
            return if count <= MOST { Ok(Self(count)) } else { Err(RANGE) };
        }
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err("must be a number");
        }
        let (digits, exponent) = Number::split(text).ok_or(RANGE)?;
        if digits.is_empty() {
            return Ok(Self(0)); // 0.0, -0, 0e9
        }
        if text.starts_with('-') || !(0..=15).contains(&exponent) || digits.len() > 16 {
            return Err(RANGE);
        }
        let zeros = 10_u64.pow(u32::try_from(exponent).map_err(|_| RANGE)?);
        let count = digits.parse::<u64>().ok().and_then(|digits| digits.checked_mul(zeros));
        count.filter(|count| *count <= MOST).map(Self).ok_or(RANGE)
    }
}

/// The digits of a JSON number without needless zeros, and the power of ten that they are of.
struct Number;

impl Number {
    fn split(text: &str) -> Option<(String, i64)> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let kept = digits.trim_end_matches('0');
        let exponent = exponent
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(i64::try_from(digits.len() - kept.len()).ok()?)?;
        Some((kept.trim_start_matches('0').to_owned(), exponent))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(shape::out_of_range)
    }
}

impl utoipa::PartialSchema for Count {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .minimum(Some(0.0))
            .maximum(Some(1e15))
            .multiple_of(Some(1.0))
            .description(Some("A whole number, in any JSON spelling."))
            .examples([1200])
            .into()
    }
}

impl utoipa::ToSchema for Count {}

/// Money or a percentage in a request: a decimal string, or a JSON number of at most 15 significant digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Decimal);

impl Amount {
    /// Reads the text of a JSON string or number.
    ///
    /// # Errors
    /// A sentence that begins with `must be` or says how digits would be lost.
    pub fn parse(json: &str) -> Result<Self, String> {
        if let Some(text) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            return parse_decimal(text).map(Self).map_err(|error| error.to_string());
        }
        if !json.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err("must be a decimal string or a number".to_owned());
        }
        let (digits, exponent) = Number::split(json).ok_or("must be a number of ordinary size")?;
        if digits.len() > NUMBER_DIGITS {
            return Err(
                "must be a string when it has more than 15 significant digits, or some would be lost"
                    .to_owned(),
            );
        }
        let mantissa: i128 =
            if digits.is_empty() { 0 } else { digits.parse().map_err(|_| "must be a number")? };
        let mantissa = if json.starts_with('-') { -mantissa } else { mantissa };
        let exponent = if mantissa == 0 { 0 } else { exponent };
        let too_large = || "must be a number of ordinary size".to_owned();
        let decimal = if exponent >= 0 {
            let zeros = u32::try_from(exponent).ok().filter(|zeros| *zeros <= 28).ok_or_else(too_large)?;
            let whole = 10_i128.checked_pow(zeros).and_then(|zeros| mantissa.checked_mul(zeros));
            Decimal::try_from_i128_with_scale(whole.ok_or_else(too_large)?, 0).map_err(|_| too_large())?
        } else {
            let scale = u32::try_from(-exponent).map_err(|_| too_large())?;
            Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| too_large())?
        };
        Ok(Self(decimal))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(shape::out_of_range)
    }
}

impl utoipa::PartialSchema for Amount {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{SchemaType, Type};
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Number]))
            .pattern(Some(r"^-?\d+(\.\d+)?$"))
            .description(Some("A decimal string, or a number of at most 15 significant digits."))
            .examples(["2.50"])
            .into()
    }
}

impl utoipa::ToSchema for Amount {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_whole_whatever_its_spelling() {
        for (text, count) in [
            ("0", 0),
            ("-0", 0),
            ("0.0", 0),
            ("0e99", 0),
            ("7", 7),
            ("1e6", 1_000_000),
            ("1E6", 1_000_000),
            ("1000000.0", 1_000_000),
            ("1.5e1", 15),
            ("1e15", MOST),
            ("1000000000000000", MOST),
            ("120e-1", 12),
            ("0.5e1", 5),
        ] {
            assert_eq!(Count::parse(text), Ok(Count(count)), "{text}");
        }
    }

    #[test]
    fn a_count_is_neither_negative_nor_fractional_nor_huge_nor_something_else() {
        for text in [
            "-1",
            "1.5",
            "1e-1",
            "1000000000000001",
            "1e16",
            "1e999999999999",
            "1000000000000000.00001",
            "18446744073709551616",
            "\"5\"",
            "true",
            "null",
            "[]",
            "{}",
            "1e9223372036854775807",
        ] {
            assert!(Count::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_amount_keeps_every_digit_or_is_refused() {
        for (json, text) in [
            ("\"2.50\"", "2.50"),
            ("2.5", "2.5"),
            ("-12", "-12"),
            ("1e3", "1000"),
            ("1.25e-7", "0.000000125"),
            ("0", "0"),
            ("123456789012345", "123456789012345"),
        ] {
            assert_eq!(Amount::parse(json).unwrap().0.to_string(), text);
        }
        for bad in [
            "1234567890123456",
            "\"1e3\"",
            "\"\"",
            "true",
            "null",
            "{}",
            "1e99",
            "1e-40",
            "\"0.12345678901234567890123456789\"",
            "\"2,5\"",
        ] {
            assert!(Amount::parse(bad).is_err(), "{bad}");
        }
    }
}
