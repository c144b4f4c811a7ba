//! Where physics becomes money: floats turned into exact amounts, once, and rounded.

use ethnum::I256;

use super::{Money, Overflow, Quantity, divide_half_even, length, power_of_ten};

/// Six significant digits: this many places after the first.
const SIGNIFICANT_MODELLED: i64 = 5;

/// Places of cents.
const CENTS: i64 = 2;

/// What is smaller is nothing: no amount of it is a farthing, and its places would fill a page.
const LEAST: f64 = 1e-60;

/// Places of a modelled amount: cents, or six significant digits where that is finer.
fn modelled_scale(size: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "decimal exponents of floats lie within 330")]
    let exponent = size.log10().floor() as i32;
    (5 - exponent).clamp(2, 300)
}

impl Money {
    /// The exact amount that the shortest spelling of a number stands for; below 10^-60 nothing.
    ///
    /// # Errors
    /// When the number is not finite, or has more than 76 digits.
    ///
    /// ```
    /// use farthing::catalog::money::Money;
    /// assert_eq!(Money::of(0.1).unwrap().to_string(), "0.10");
    /// assert!(Money::of(f64::NAN).is_err());
    /// ```
    pub fn of(number: f64) -> Result<Self, Overflow> {
        if !number.is_finite() {
            return Err(Overflow);
        }
        if number.abs() < LEAST {
            return Ok(Self::ZERO);
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').ok_or(Overflow)?;
        let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits: i128 = mantissa.replace('.', "").parse().map_err(|_| Overflow)?;
        let places = i64::try_from(fraction).map_err(|_| Overflow)?;
        Self::at(I256::new(digits), places - exponent.parse::<i64>().map_err(|_| Overflow)?)
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS; // below, one division of exact floats rounds once
        let is_short = self.scale <= 22 && self.mantissa.unsigned_abs() < ethnum::U256::new(EXACT.into());
        let Self { mantissa, scale } = if is_short { self } else { self.normalized() };
        i32::try_from(scale).map_or(0.0, |scale| mantissa.as_f64() / 10_f64.powi(scale))
    }

    /// A modelled amount: a number rounded to cents, or to six significant digits where that is finer.
    ///
    /// # Errors
    /// When the number is not finite, or needs more than 38 digits.
    ///
    /// ```
    /// use farthing::catalog::money::Money;
    /// assert_eq!(Money::modelled(5_576_000.004_9).unwrap().to_string(), "5576000.00");
    /// assert_eq!(Money::modelled(0.012_345_678).unwrap().to_string(), "0.0123457");
    /// ```
    pub fn modelled(number: f64) -> Result<Self, Overflow> {
        const MOST: f64 = 1e36; // of the 1.7e38 that 128 bits hold
        if number.abs() < LEAST {
            return Ok(Self::ZERO);
        }
        if !number.is_finite() || number.abs() >= MOST / 100.0 {
            return Err(Overflow);
        }
        let scale = modelled_scale(number.abs());
        let mantissa = (number * 10_f64.powi(scale)).round_ties_even();
        #[expect(clippy::cast_possible_truncation, reason = "below the bound")]
        let mantissa = mantissa as i128;
        Self::at(I256::new(mantissa), i64::from(scale))
    }

    /// The same amount rounded, half to even, to cents, or to six significant digits where that is finer.
    #[must_use]
    pub fn rounded_as_modelled(self) -> Self {
        let normalized = self.normalized();
        let exponent = i64::from(length(normalized.mantissa)) - 1 - i64::from(normalized.scale);
        let scale = (SIGNIFICANT_MODELLED - exponent).max(CENTS);
        let surplus = i64::from(normalized.scale) - scale;
        let Some(power) = u32::try_from(surplus).ok().filter(|surplus| *surplus > 0) else {
            return normalized;
        };
        let Ok(power) = power_of_ten(power) else { return Self::ZERO };
        let mantissa = divide_half_even(normalized.mantissa, power).0;
        Self::at(mantissa, scale).unwrap_or(normalized)
    }
}

impl Quantity {
    /// The exact number that the shortest spelling of a float stands for; what is not finite has none, and is 0.
    ///
    /// Formulas of figures that are not finite never get this far: their amounts are refused.
    #[must_use]
    pub fn of(number: f64) -> Self {
        Self(Money::of(rounded_to_nine(number)).unwrap_or(Money::ZERO))
    }
}

/// Nine significant digits, or all of a whole number: more than anybody knows of a modelled figure.
#[must_use]
pub fn rounded_to_nine(number: f64) -> f64 {
    const EXACT: i32 = 22; // the largest power of ten that a float holds exactly
    if number == 0.0 || !number.is_finite() || (number.fract() == 0.0 && number.abs() < 1e15) {
        return number;
    }
    #[expect(clippy::cast_possible_truncation, reason = "decimal exponents of floats lie within 330")]
    let places = 8 - number.abs().log10().floor() as i32;
    if (0..=EXACT).contains(&places) {
        let scale = 10_f64.powi(places);
        return (number * scale).round_ties_even() / scale;
    }
    format!("{number:.8e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::money::parse_decimal;

    #[test]
    fn modelled_amounts_have_cents_or_six_digits() {
        for (number, text) in [
            (5_328_000.0, "5328000.00"),
            (1234.567, "1234.57"),
            (12.345_678, "12.3457"),
            (0.000_001_234_567_8, "0.00000123457"),
            (-3.455, "-3.455"),
            (0.0, "0.00"),
        ] {
            assert_eq!(Money::modelled(number).unwrap().to_string(), text);
        }
        for number in [f64::NAN, f64::INFINITY, 1e40] {
            assert!(Money::modelled(number).is_err());
        }
    }

    #[test]
    fn an_exact_product_is_rounded_as_a_modelled_amount_is() {
        for (exact, text) in [
            ("5576000", "5576000.00"),
            ("1234.5650001", "1234.57"),
            ("0.123456789", "0.123457"),
            ("2.5", "2.50"),
        ] {
            let money = Money::from(parse_decimal(exact).unwrap());
            assert_eq!(money.rounded_as_modelled().to_string(), text);
        }
    }

    #[test]
    fn what_is_too_small_to_be_written_is_nothing() {
        for number in [1e-61, 1e-300, 5e-324, -1e-300] {
            assert_eq!(Money::modelled(number).unwrap().to_string(), "0.00");
            assert_eq!(Money::of(number).unwrap().to_string(), "0.00");
            assert_eq!(Quantity::of(number).to_string(), "0");
        }
        assert_eq!(Money::modelled(1e-59).unwrap().to_string().len(), 61);
    }

    #[test]
    fn a_float_is_the_decimal_that_it_is_spelt_as() {
        for (number, text) in
            [(0.1, "0.1"), (2_664_000.0, "2664000"), (14.8e12, "14800000000000"), (1e-7, "0.0000001")]
        {
            assert_eq!(Quantity::of(number).to_string(), text);
        }
    }
}
