//! Exact money: decimals in, decimals out, no float anywhere.
//!
//! [`charge`] prices a count, [`Money::convert`] changes currency, [`Money::checked_add`] adds up.
//! A product that ends within 28 significant digits is exact; everything else says that it was rounded.

use std::{cmp::Ordering, fmt, ops::Range, sync::LazyLock};

use ethnum::{I256, U256};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::digits;

mod change;
mod modelled;
mod share;

pub use modelled::rounded_to_nine;
pub use share::{SHARE_PLACES, Weighted};

/// Significant digits that a single amount keeps.
pub const SIGNIFICANT_DIGITS: u32 = 28;

/// Decimal places that money is printed with at least.
const MONEY_PLACES: usize = 2;

/// Decimal places of an amount after a change of currency.
pub const FX_PLACES: u32 = 12;

/// A sum that no longer fits 76 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is too large to be computed exactly")]
pub struct Overflow;

/// Why a text is not a decimal that Farthing takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDecimal {
    /// It is no plain decimal number.
    #[error("must be a plain decimal number such as \"2.50\"")]
    Malformed,
    /// It has more digits than can be kept.
    #[error("has more than 28 digits, which would lose some of them")]
    TooLong,
    /// It has more digits than an amount can have.
    #[error("has more than 76 digits")]
    TooLarge,
}

/// Reads a plain decimal (`-12.50`): no exponent, no `+`, no separators, nothing lost.
///
/// # Errors
/// When the text is anything else, or has more digits than fit.
///
/// ```
/// use farthing::catalog::money::{NotDecimal, parse_decimal};
/// assert_eq!(parse_decimal("2.50").unwrap().to_string(), "2.50");
/// assert_eq!(parse_decimal("1e3"), Err(NotDecimal::Malformed));
/// ```
pub fn parse_decimal(text: &str) -> Result<Decimal, NotDecimal> {
    plain_decimal(text).ok_or(NotDecimal::Malformed)?;
    Decimal::from_str_exact(text).map_err(|_| NotDecimal::TooLong)
}

/// The digits before and after the point of a plain decimal, or `None`.
fn plain_decimal(text: &str) -> Option<(&str, &str)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match digits.split_once('.') {
        Some((whole, fraction)) => (all_digits(whole) && all_digits(fraction)).then_some((whole, fraction)),
        None => all_digits(digits).then_some((digits, "")),
    }
}

/// An ISO 4217 code: `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// United States dollar: what money is in where nothing else is said.
    pub const USD: Self = Self(*b"USD");

    /// Reads a three-letter code, in any case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The code itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???") // only ever made of ASCII letters
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("must be a three-letter ISO 4217 code"))
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Za-z]{3}$"))
            .description(Some("ISO 4217 currency code."))
            .examples(["USD"])
            .into()
    }
}

impl utoipa::ToSchema for Currency {}

/// Whether a result is all there is, or was cut to [`SIGNIFICANT_DIGITS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Every digit is there.
    Exact,
    /// Rounded half to even.
    Rounded,
}

/// An amount of money: `mantissa / 10^scale`, exact, up to 76 digits.
///
/// ```
/// use farthing::catalog::money::{Money, parse_decimal};
/// let dollars = Money::from(parse_decimal("0.0250").unwrap());
/// assert_eq!(dollars.to_string(), "0.025");
/// assert_eq!(Money::ZERO.to_string(), "0.00");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Money {
    mantissa: I256,
    scale: u32,
}

const LONGEST: u32 = 76; // 10^76 is the largest power of ten below 2^255

/// The smallest number with more than [`SIGNIFICANT_DIGITS`].
const ONE_DIGIT_MORE: U256 = U256::new(10_u128.pow(SIGNIFICANT_DIGITS));

static POWERS: LazyLock<[I256; LONGEST as usize + 1]> = LazyLock::new(|| {
    let mut table = [I256::ONE; LONGEST as usize + 1];
    for at in 1..table.len() {
        table[at] = table[at - 1] * 10;
    }
    table
});

fn power_of_ten(exponent: u32) -> Result<I256, Overflow> {
    POWERS.get(exponent as usize).copied().ok_or(Overflow)
}

/// The product, unless its 256 bits might not hold it. (The library's own check divides, which costs more
/// than all the rest of a line.)
fn times(a: I256, b: I256) -> Result<I256, Overflow> {
    if let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b)) {
        return Ok(I256::new(i128::from(a) * i128::from(b)));
    }
    let bits = |number: I256| 256 - number.unsigned_abs().leading_zeros();
    if bits(a) + bits(b) < 256 { Ok(a.wrapping_mul(b)) } else { Err(Overflow) }
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: I256::ZERO, scale: 0 };

    /// Whether this is exactly nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The sum, every digit kept.
    ///
    /// # Errors
    /// When it needs more than 76 digits.
    pub fn checked_add(self, other: Self) -> Result<Self, Overflow> {
        let (wide, narrow) = if self.scale >= other.scale { (self, other) } else { (other, self) };
        let aligned = match wide.scale - narrow.scale {
            0 => narrow.mantissa,
            places => times(narrow.mantissa, power_of_ten(places)?)?,
        };
        let mantissa = wide.mantissa.checked_add(aligned).ok_or(Overflow)?;
        Ok(Self { mantissa, scale: wide.scale })
    }

    /// `self * numerator / denominator`, to 28 significant digits.
    ///
    /// # Errors
    /// When an intermediate figure needs more than 76 digits.
    pub fn scaled(self, numerator: Decimal, denominator: Decimal) -> Result<(Self, Precision), Overflow> {
        let top = times(self.mantissa, I256::new(numerator.mantissa()))?;
        quotient(top, self.scale + numerator.scale(), denominator)
    }

    /// Changes currency: `self * usd_per_unit[from] / usd_per_unit[to]`, rounded once, half to even, to 12 places.
    ///
    /// # Errors
    /// When an intermediate figure needs more than 76 digits.
    pub fn convert(self, from_usd: Decimal, to_usd: Decimal) -> Result<Self, Overflow> {
        let top = times(self.mantissa, I256::new(from_usd.mantissa()))?;
        let top = times(top, power_of_ten(FX_PLACES + to_usd.scale())?)?;
        let bottom = times(I256::new(to_usd.mantissa()), power_of_ten(self.scale + from_usd.scale())?)?;
        Ok(Self { mantissa: divide_half_even(top, bottom).0, scale: FX_PLACES })
    }

    /// The same amount without trailing zeros.
    #[must_use]
    fn normalized(self) -> Self {
        let Self { mut mantissa, mut scale } = self;
        // Most amounts fit a machine word, whose division takes a tenth of the time.
        if let Ok(mut short) = i64::try_from(mantissa) {
            while scale > 0 && short % 10 == 0 {
                short /= 10;
                scale -= 1;
            }
            return Self { mantissa: short.into(), scale };
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// Cut to 28 significant digits where it has more.
    fn shortened(self) -> (Self, Precision) {
        if self.mantissa.unsigned_abs() < ONE_DIGIT_MORE {
            return (self, Precision::Exact);
        }
        let Self { mantissa, scale } = self.normalized();
        let surplus = length(mantissa).saturating_sub(SIGNIFICANT_DIGITS);
        if surplus == 0 {
            return (Self { mantissa, scale }, Precision::Exact);
        }
        let (kept, rest) = divide_half_even(mantissa, POWERS[surplus as usize]);
        let precision = if rest { Precision::Rounded } else { Precision::Exact };
        if surplus <= scale {
            return (Self { mantissa: kept, scale: scale - surplus }, precision);
        }
        (Self { mantissa: kept * POWERS[(surplus - scale) as usize], scale: 0 }, precision)
    }
}

impl std::ops::Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self { mantissa: -self.mantissa, scale: self.scale }
    }
}

impl From<Decimal> for Money {
    fn from(decimal: Decimal) -> Self {
        Self { mantissa: I256::new(decimal.mantissa()), scale: decimal.scale() }
    }
}

impl PartialEq for Money {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.normalized(), other.normalized());
        (a.mantissa, a.scale) == (b.mantissa, b.scale)
    }
}

impl Eq for Money {}

/// What `quantity` units cost at `amount` money per `per` units: `quantity * amount / per`.
///
/// # Errors
/// When an intermediate figure needs more than 76 digits.
///
/// ```
/// use farthing::catalog::money::{Precision, charge, parse_decimal};
/// let (dollars, precision) =
///     charge(1_200, parse_decimal("2.50").unwrap(), parse_decimal("1000000").unwrap()).unwrap();
/// assert_eq!((dollars.to_string().as_str(), precision), ("0.003", Precision::Exact));
/// ```
pub fn charge(quantity: u128, amount: Decimal, per: Decimal) -> Result<(Money, Precision), Overflow> {
    let quantity = I256::from(quantity);
    quotient(times(quantity, I256::new(amount.mantissa()))?, amount.scale(), per)
}

/// `top / 10^scale / divisor`, to 28 significant digits.
fn quotient(top: I256, scale: u32, divisor: Decimal) -> Result<(Money, Precision), Overflow> {
    if divisor.is_zero() {
        return Err(Overflow);
    }
    let divisor = divisor.normalize();
    let bottom = I256::new(divisor.mantissa());
    if let Some(zeros) = whole_power_of_ten(divisor.mantissa()) {
        // The common case: per 1, 1,000 or 1,000,000 moves the point and nothing else.
        let scale = scale + zeros;
        let money = match scale.checked_sub(divisor.scale()) {
            Some(scale) => Money { mantissa: top, scale },
            None => Money { mantissa: times(top, power_of_ten(divisor.scale() - scale)?)?, scale: 0 },
        };
        return Ok(money.shortened());
    }
    let scale = i64::from(scale) - i64::from(divisor.scale());
    let mut places = i64::from(SIGNIFICANT_DIGITS + length(bottom)) - i64::from(length(top));
    loop {
        let (top, bottom) = if places >= 0 {
            (times(top, shift(places)?)?, bottom)
        } else {
            (top, times(bottom, shift(-places)?)?)
        };
        let (whole, rest) = divide_half_even(top, bottom);
        if length(whole) > SIGNIFICANT_DIGITS {
            places -= 1;
            continue;
        }
        let precision = if rest { Precision::Rounded } else { Precision::Exact };
        return Ok((Money::at(whole, scale + places)?, precision));
    }
}

/// `10^places`.
fn shift(places: i64) -> Result<I256, Overflow> {
    power_of_ten(u32::try_from(places).map_err(|_| Overflow)?)
}

/// The nearest whole quotient, ties to even, and whether anything was left over.
fn divide_half_even(top: I256, bottom: I256) -> (I256, bool) {
    let (whole, rest) = (top / bottom, top % bottom);
    let away = if (top < 0) == (bottom < 0) { I256::ONE } else { I256::MINUS_ONE };
    let (rest, bottom) = (rest.unsigned_abs(), bottom.unsigned_abs());
    let up = match (rest * 2).cmp(&bottom) {
        Ordering::Less => false,
        Ordering::Equal => whole % 2 != 0,
        Ordering::Greater => true,
    };
    (if up { whole + away } else { whole }, rest != 0)
}

/// How many decimal digits a number has; none for zero.
fn length(number: I256) -> u32 {
    let size = number.unsigned_abs();
    let bits = 256 - size.leading_zeros();
    let guess = (bits * 1233) >> 12; // log10(2) = 0.30103 = 1233 / 4096
    guess + u32::from(size >= POWERS[guess as usize].unsigned_abs())
}

/// `Some(n)` for 10^n, up to what 64 bits hold.
fn whole_power_of_ten(number: i128) -> Option<u32> {
    let number = u64::try_from(number).ok()?;
    let exponent = number.checked_ilog10()?;
    (10_u64.pow(exponent) == number).then_some(exponent)
}

impl fmt::Display for Money {
    /// All digits, trailing zeros trimmed to two places at least.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [b'0'; Self::LONGEST_TEXT];
        f.write_str(self.text(&mut buffer, MONEY_PLACES))
    }
}

impl Money {
    const LONGEST_TEXT: usize = 2 * LONGEST as usize + 8;

    fn at(mantissa: I256, scale: i64) -> Result<Self, Overflow> {
        match u32::try_from(scale) {
            Ok(scale) => Ok(Self { mantissa, scale }),
            Err(_) => Ok(Self { mantissa: times(mantissa, shift(-scale)?)?, scale: 0 }),
        }
    }

    /// Writes the digits at the end of a buffer full of `0`, trailing zeros trimmed to `least` places.
    fn text(self, buffer: &mut [u8; Self::LONGEST_TEXT], least: usize) -> &str {
        let size = self.mantissa.unsigned_abs();
        let places = self.scale as usize;
        let mut text = match u64::try_from(size) {
            Ok(size) if places <= SHORT_PLACES => write_short(size, places, least, buffer),
            _ => write_long(size, places, least, buffer),
        };
        if self.mantissa < 0 {
            text.start -= 1;
            buffer[text.start] = b'-';
        }
        std::str::from_utf8(&buffer[text]).unwrap_or("0.00") // only ever ASCII digits
    }
}

/// The largest power of ten in 64 bits.
const SHORT_PLACES: usize = 19;

/// As [`Money::text`] has it, for what fits in 64 bits, which nearly everything does.
fn write_short(mut size: u64, mut places: usize, least: usize, buffer: &mut [u8]) -> Range<usize> {
    while places > least && size.is_multiple_of(10) {
        (size, places) = (size / 10, places - 1);
    }
    let one = 10_u64.pow(u32::try_from(places).unwrap_or(0)); // at most 19 of them
    let mut at = buffer.len() - least.saturating_sub(places);
    at = digits::write_places(size % one, places, buffer, at);
    if at < buffer.len() {
        at -= 1;
        buffer[at] = b'.';
    }
    digits::write(size / one, buffer, at)..buffer.len()
}

fn write_long(size: U256, mut places: usize, least: usize, buffer: &mut [u8]) -> Range<usize> {
    let mut end = buffer.len() - least.saturating_sub(places);
    let mut start = write_all(size, &mut buffer[..end]);
    (end, places) = (end + least.saturating_sub(places), places.max(least));
    while places > least && buffer[end - 1] == b'0' {
        (end, places) = (end - 1, places - 1);
    }
    start = start.min(end - places - 1); // 0.05: a zero before the point
    if places > 0 {
        let point = end - places;
        buffer.copy_within(start..point, start - 1);
        buffer[point - 1] = b'.';
        start -= 1;
    }
    start..end
}

/// Fills the end of `buffer` with the digits of `number` and says where they start.
fn write_all(number: U256, buffer: &mut [u8]) -> usize {
    let mut at = buffer.len();
    let mut rest = number;
    while rest > U256::from(u64::MAX) {
        let chunk = u64::try_from(rest % 10_u128.pow(18)).unwrap_or(0);
        rest /= 10_u128.pow(18);
        at = digits::write_places(chunk, 18, buffer, at);
    }
    digits::write(u64::try_from(rest).unwrap_or(0), buffer, at)
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [b'0'; Self::LONGEST_TEXT];
        serializer.serialize_str(self.text(&mut buffer, MONEY_PLACES))
    }
}

/// An exact number that is not money: printed without needless zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(Money);

impl From<Decimal> for Quantity {
    fn from(decimal: Decimal) -> Self {
        Self(decimal.into())
    }
}

impl From<u128> for Quantity {
    fn from(count: u128) -> Self {
        Self(Money { mantissa: I256::from(count), scale: 0 })
    }
}

impl From<u64> for Quantity {
    fn from(count: u64) -> Self {
        u128::from(count).into()
    }
}

impl From<Money> for Quantity {
    fn from(money: Money) -> Self {
        Self(money)
    }
}

impl From<Quantity> for Money {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [b'0'; Money::LONGEST_TEXT];
        f.write_str(self.0.text(&mut buffer, 0))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [b'0'; Money::LONGEST_TEXT];
        serializer.serialize_str(self.0.text(&mut buffer, 0))
    }
}

impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^-?\d+(\.\d+)?$"))
            .description(Some("An exact number as a decimal string."))
            .examples(["1000000"])
            .into()
    }
}

impl utoipa::ToSchema for Quantity {}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^-?\d+\.\d{2,}$"))
            .description(Some("An exact amount of money: a decimal string with at least two places, in the currency named beside it."))
            .examples(["5576000.00"])
            .into()
    }
}

impl utoipa::ToSchema for Money {}

/// Serde for a decimal written as a string, read strictly.
pub mod decimal_text {
    use super::{Decimal, Deserialize, Deserializer, Serializer, parse_decimal};
    use serde::de::Error as _;

    /// Writes the shortest spelling: `2.5`, `1000000`.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(decimal: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&decimal.normalize())
    }

    /// Reads a decimal string.
    ///
    /// # Errors
    /// When it is not one, or loses digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse_decimal(&text).map_err(D::Error::custom)
    }
}

/// The same where there may be none.
pub mod optional_decimal_text {
    use super::{Decimal, Deserialize, Deserializer, Serializer, decimal_text, parse_decimal};
    use serde::de::Error as _;

    /// Writes the shortest spelling, or null.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(decimal: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        match decimal {
            Some(decimal) => decimal_text::serialize(decimal, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a decimal string or null.
    ///
    /// # Errors
    /// When it is neither, or loses digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| parse_decimal(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        parse_decimal(text).unwrap()
    }

    fn charged(quantity: u128, amount: &str, per: &str) -> (String, Precision) {
        let (money, precision) = charge(quantity, decimal(amount), decimal(per)).unwrap();
        (money.to_string(), precision)
    }

    #[test]
    fn an_amount_is_printed_with_two_places_at_least_and_no_more_zeros_than_that() {
        for (text, printed) in [
            ("0", "0.00"),
            ("5", "5.00"),
            ("5.1", "5.10"),
            ("0.05", "0.05"),
            ("0.0050", "0.005"),
            ("-12.5", "-12.50"),
            ("1000000", "1000000.00"),
            ("123.456000", "123.456"),
            ("-0.0000001", "-0.0000001"),
        ] {
            assert_eq!(Money::from(decimal(text)).to_string(), printed);
        }
    }

    #[test]
    fn a_power_of_ten_moves_the_point_exactly() {
        assert_eq!(charged(1, "0.075", "1000000"), ("0.000000075".into(), Precision::Exact));
        assert_eq!(
            charged(999_999_999_999_999, "0.041666666666666664", "1"),
            ("41666666666666.62233333333333".into(), Precision::Rounded)
        );
        assert_eq!(charged(3, "2", "0.001"), ("6000.00".into(), Precision::Exact));
    }

    #[test]
    fn a_quotient_that_ends_is_exact_and_one_that_does_not_is_half_even_at_28_digits() {
        assert_eq!(charged(10, "0.36", "3600"), ("0.001".into(), Precision::Exact));
        assert_eq!(
            charged(1, "0.5", "3600"),
            ("0.0001388888888888888888888888889".into(), Precision::Rounded)
        );
        assert_eq!(charged(2, "1", "3"), ("0.6666666666666666666666666667".into(), Precision::Rounded));
        assert_eq!(charged(20, "100000", "3"), ("666666.6666666666666666666667".into(), Precision::Rounded));
    }

    #[test]
    fn huge_counts_keep_their_digits_or_say_that_they_did_not() {
        let most = 1_000_000_000_000_000_u128;
        assert_eq!(charged(most * most, "600", "1"), (format!("6{}.00", "0".repeat(32)), Precision::Exact));
        let (money, precision) = charge(most * most - 1, decimal("7"), decimal("1")).unwrap();
        assert_eq!((money.to_string().len(), precision), (34, Precision::Rounded));
    }

    #[test]
    fn a_conversion_rounds_once_to_twelve_places() {
        let yuan = Money::from(decimal("1"));
        assert_eq!(yuan.convert(decimal("0.136998"), decimal("1")).unwrap().to_string(), "0.136998");
        let third = Money::from(decimal("1")).convert(decimal("1"), decimal("3")).unwrap();
        assert_eq!(third.to_string(), "0.333333333333");
        let negative = Money::from(decimal("-2")).convert(decimal("1"), decimal("3")).unwrap();
        assert_eq!(negative.to_string(), "-0.666666666667");
    }

    #[test]
    fn a_decimal_is_read_strictly() {
        for bad in ["", "-", "1.", ".5", "1e3", "+1", "1_000", "1,5", "NaN", " 1", "0x1"] {
            assert_eq!(parse_decimal(bad), Err(NotDecimal::Malformed), "{bad:?}");
        }
        assert_eq!(parse_decimal("0.12345678901234567890123456789"), Err(NotDecimal::TooLong));
    }

    proptest! {
        #[test]
        fn adding_is_exact(a in any::<i32>(), b in any::<i32>(), p in 0_u32..20, q in 0_u32..20) {
            let money = |m: i32, scale| Money { mantissa: I256::from(m), scale };
            let sum = money(a, p).checked_add(money(b, q)).unwrap();
            let expected = i128::from(a) * 10_i128.pow(20 - p) + i128::from(b) * 10_i128.pow(20 - q);
            prop_assert_eq!(sum, Money { mantissa: I256::from(expected), scale: 20 });
        }

        #[test]
        fn what_is_printed_is_what_is_there(m in any::<i64>(), scale in 0_u32..18) {
            let money = Money { mantissa: I256::from(m), scale };
            prop_assert_eq!(Money::from(decimal(&money.to_string())), money);
        }

        #[test]
        fn a_charge_times_its_divisor_is_near_the_whole(q in 1_u64..1_000_000_000, a in 1_u32..1_000_000, p in 1_u32..10_000) {
            let (money, precision) = charge(u128::from(q), Decimal::from(a), Decimal::from(p)).unwrap();
            let exact = u128::from(q) * u128::from(a) % u128::from(p) == 0;
            prop_assert!(!exact || precision == Precision::Exact);
            let (back, _) = money.scaled(Decimal::from(p), Decimal::ONE).unwrap();
            let whole = Money { mantissa: I256::from(u64::from(a)) * I256::from(q), scale: 0 };
            let gap = back.checked_add(Money { mantissa: -whole.mantissa, scale: 0 }).unwrap();
            prop_assert!(gap.mantissa.unsigned_abs() * U256::from(10_u8).pow(12) <= whole.mantissa.unsigned_abs() * POWERS[gap.scale as usize].unsigned_abs());
        }
    }
}
