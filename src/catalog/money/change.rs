//! Amounts side by side: read back from an answer, ordered, and how much one is of another.
//!
//! Whether something is more than something else is decided on whole numbers of up to 512 bits, so every digit
//! of two amounts counts; only a percentage that is shown to somebody is rounded.

use std::{borrow::Cow, cmp::Ordering};

use ethnum::{I256, U256};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    LONGEST, Money, NotDecimal, Overflow, POWERS, Quantity, divide_half_even, plain_decimal, power_of_ten,
    times,
};

/// Decimal places of a percentage that is shown.
const PERCENT_PLACES: u32 = 2;

impl Money {
    /// Reads what [`Money`] prints, strictly: a plain decimal of up to 76 digits.
    ///
    /// # Errors
    /// When the text is anything else, or has more digits.
    ///
    /// ```
    /// use farthing::catalog::money::Money;
    /// assert_eq!(Money::parse("-0.0250").unwrap().to_string(), "-0.025");
    /// assert!(Money::parse("1e3").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, NotDecimal> {
        let (whole, fraction) = plain_decimal(text).ok_or(NotDecimal::Malformed)?;
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let scale = u32::try_from(fraction.len()).map_err(|_| NotDecimal::TooLarge)?;
        if significant.len() > LONGEST as usize || scale > LONGEST {
            return Err(NotDecimal::TooLarge);
        }
        let size = significant.bytes().fold(I256::ZERO, |sum, digit| sum * 10 + I256::from(digit - b'0'));
        Ok(Self { mantissa: if text.starts_with('-') { -size } else { size }, scale })
    }

    /// The difference, every digit kept.
    ///
    /// # Errors
    /// When it needs more than 76 digits.
    pub fn checked_sub(self, other: Self) -> Result<Self, Overflow> {
        self.checked_add(-other)
    }

    /// The product, every digit kept.
    ///
    /// # Errors
    /// When it needs more than 76 digits.
    pub fn checked_mul(self, by: Quantity) -> Result<Self, Overflow> {
        Ok(Self { mantissa: times(self.mantissa, by.0.mantissa)?, scale: self.scale + by.0.scale })
    }

    /// Whether this is more than `percent` (never below zero) of the size of `whole`, every digit counted.
    ///
    /// # Errors
    /// When the two do not fit 76 digits side by side.
    pub fn is_more_than_percent_of(self, percent: Decimal, whole: Self) -> Result<bool, Overflow> {
        let (part, whole) = aligned(self, whole)?;
        let hundred = power_of_ten(2 + percent.scale())?.unsigned_abs();
        let share = product(U256::from(percent.mantissa().unsigned_abs()), whole.unsigned_abs());
        Ok(part > 0 && product(part.unsigned_abs(), hundred) > share)
    }

    /// How many percent of the size of `whole` this is, half to even at two places; none of nothing.
    ///
    /// ```
    /// use farthing::catalog::money::Money;
    /// let money = |text| Money::parse(text).unwrap();
    /// assert_eq!(money("1").percent_of(money("3")), Some(money("33.33")));
    /// assert_eq!(money("1").percent_of(money("0")), None);
    /// ```
    #[must_use]
    pub fn percent_of(self, whole: Self) -> Option<Self> {
        let (mut part, mut whole) = aligned(self, whole).ok()?;
        let factor = POWERS[2 + PERCENT_PLACES as usize];
        if part.checked_mul(factor).is_none() {
            (part, whole) = (part / factor, whole / factor); // 72 digits are enough to show two places
        }
        if whole == 0 {
            return None;
        }
        Some(Self { mantissa: divide_half_even(part * factor, whole.abs()).0, scale: PERCENT_PLACES })
    }
}

impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Money {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.normalized(), other.normalized());
        let sizes = || match (POWERS.get(b.scale as usize), POWERS.get(a.scale as usize)) {
            (Some(to_b), Some(to_a)) => product(a.mantissa.unsigned_abs(), to_b.unsigned_abs())
                .cmp(&product(b.mantissa.unsigned_abs(), to_a.unsigned_abs())),
            _ => b.scale.cmp(&a.scale), // more than 76 places: next to nothing
        };
        match a.mantissa.signum().cmp(&b.mantissa.signum()) {
            Ordering::Equal if a.mantissa < 0 => sizes().reverse(),
            Ordering::Equal => sizes(),
            unequal => unequal,
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Money::deserialize(deserializer).map(Self)
    }
}

/// Both as whole numbers of the same fraction.
fn aligned(a: Money, b: Money) -> Result<(I256, I256), Overflow> {
    let scale = a.scale.max(b.scale);
    let at = |money: Money| times(money.mantissa, power_of_ten(scale - money.scale)?);
    Ok((at(a)?, at(b)?))
}

/// All 512 bits of a product, the upper half first, so that two products can be compared.
fn product(a: U256, b: U256) -> (U256, U256) {
    let halves = |number: U256| (number >> 128_u32, number & U256::from(u128::MAX));
    let ((a_upper, a_lower), (b_upper, b_lower)) = (halves(a), halves(b));
    let (carry, lowest) = halves(a_lower * b_lower);
    let (first, second) = (halves(a_upper * b_lower), halves(a_lower * b_upper));
    let middle = carry + first.1 + second.1;
    let upper = a_upper * b_upper + first.0 + second.0 + (middle >> 128_u32);
    (upper, (middle << 128_u32) | lowest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::money::parse_decimal;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn exceeds(part: &str, percent: &str, whole: &str) -> bool {
        money(part).is_more_than_percent_of(parse_decimal(percent).unwrap(), money(whole)).unwrap()
    }

    #[test]
    fn an_amount_of_76_digits_is_read_and_one_of_77_refused() {
        let longest = "9".repeat(76);
        assert_eq!(money(&longest).to_string(), format!("{longest}.00"));
        assert_eq!(Money::parse(&format!("1{longest}")), Err(NotDecimal::TooLarge));
        assert_eq!(Money::parse(&format!("0.{}1", "0".repeat(76))), Err(NotDecimal::TooLarge));
    }

    #[test]
    fn an_amount_is_read_strictly() {
        for bad in ["", "-", "1.", ".5", "1e3", "+1", "1_000", "1,5", "NaN", " 1"] {
            assert_eq!(Money::parse(bad), Err(NotDecimal::Malformed), "{bad:?}");
        }
        assert_eq!(money("-0.00"), Money::ZERO);
    }

    #[test]
    fn amounts_are_ordered_whatever_their_places() {
        let tiny = format!("0.{}1", "0".repeat(75));
        let huge = "9".repeat(76);
        let rising = [format!("-{huge}"), "-1.5".into(), "-0.2".into(), "0".into(), tiny, "0.2".into(), huge];
        assert!(rising.windows(2).all(|pair| money(&pair[0]) < money(&pair[1])));
        assert_eq!(money("1.50").cmp(&money("1.5")), Ordering::Equal);
    }

    #[test]
    fn exactly_the_percentage_is_not_more_than_it() {
        assert!(!exceeds("0.1", "10", "1"));
        assert!(exceeds("0.1000000000000000000000000000001", "10", "1"));
        assert!(!exceeds("0", "0", "1") && exceeds("0.01", "0", "1") && !exceeds("-1", "0", "1"));
    }

    #[test]
    fn the_last_of_76_digits_decides() {
        let whole = format!("1{}", "0".repeat(75));
        let (even, above) = (format!("1{}", "0".repeat(74)), format!("1{}1", "0".repeat(73)));
        assert!(!exceeds(&even, "10", &whole) && exceeds(&above, "10", &whole));
    }

    #[test]
    fn a_percentage_is_rounded_half_to_even_at_two_places() {
        for (part, whole, percent) in
            [("1", "3", "33.33"), ("-1", "3", "-33.33"), ("1", "-4", "25.00"), ("0.00025", "2", "0.01")]
        {
            assert_eq!(money(part).percent_of(money(whole)).unwrap().to_string(), percent);
        }
        let huge = "7".repeat(76);
        assert_eq!(money(&huge).percent_of(money(&huge)).unwrap().to_string(), "100.00");
    }

    #[test]
    fn the_largest_product_carries_all_the_way() {
        assert_eq!(product(U256::MAX, U256::MAX), (U256::MAX - 1, U256::ONE));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(mantissa in any::<i128>(), scale in 0_u32..60) {
            let amount = Money { mantissa: I256::from(mantissa), scale };
            prop_assert_eq!(money(&amount.to_string()), amount);
        }

        #[test]
        fn a_product_of_512_bits_is_that_of_its_factors(a in any::<u128>(), b in any::<u128>()) {
            prop_assert_eq!(product(a.into(), b.into()), (U256::ZERO, U256::from(a) * U256::from(b)));
            let (upper, lower) = product(U256::from(a) << 128_u32, U256::from(b) << 128_u32);
            prop_assert_eq!((upper, lower), (U256::from(a) * U256::from(b), U256::ZERO));
        }
    }
}
