//! Numbers of a feed, read from their text: `2.5e-06` is 0.0000025, and no binary fraction comes between.

use rust_decimal::Decimal;

/// Most digits before and after the point that a price keeps.
const MOST_DIGITS: usize = 28;

/// Why a text is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPrice {
    /// No number at all.
    #[error("`{0}` is not a number")]
    Malformed(String),
    /// More digits than are kept.
    #[error("`{0}` has more digits than a price keeps")]
    TooLong(String),
    /// Below zero: how some feeds write that there is no fixed price.
    #[error("`{0}` is below zero, which stands for a price that varies")]
    Negative(String),
}

/// Reads a decimal with or without an exponent, times ten to the power of `shift`.
///
/// A price per token becomes one per million by a shift of 6: the digits stay what they are.
///
/// # Errors
/// When the text is no number, has more than 28 digits, or is below zero.
///
/// ```
/// use farthing::sources::exact::price;
/// assert_eq!(price("2.5e-06", 6).unwrap().to_string(), "2.5");
/// assert_eq!(price("0.00000125", 6).unwrap().to_string(), "1.25");
/// assert!(price("-1", 6).is_err());
/// ```
pub fn price(text: &str, shift: i32) -> Result<Decimal, NotPrice> {
    let malformed = || NotPrice::Malformed(shown(text));
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| malformed())?),
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(malformed());
    }
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_start_matches('0').trim_end_matches('0');
    if kept.is_empty() {
        return Ok(Decimal::ZERO);
    }
    if negative {
        return Err(NotPrice::Negative(shown(text)));
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX)
        - i64::try_from(trailing).unwrap_or(0)
        - i64::from(exponent)
        - i64::from(shift);
    assemble(kept, places).ok_or_else(|| NotPrice::TooLong(shown(text)))
}

/// Digits with so many places after the point; fewer than none are zeros before it.
fn assemble(digits: &str, places: i64) -> Option<Decimal> {
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    if let Ok(zeros) = u32::try_from(-places) {
        let zeros = usize::try_from(zeros).ok().filter(|zeros| digits.len() + zeros <= MOST_DIGITS)?;
        let scaled = mantissa.checked_mul(10_i128.checked_pow(u32::try_from(zeros).ok()?)?)?;
        return Decimal::try_from_i128_with_scale(scaled, 0).ok();
    }
    Decimal::try_from_i128_with_scale(mantissa, u32::try_from(places).ok()?).ok()
}

/// The start of a text, for a message.
fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, shift: i32) -> String {
        price(text, shift).map_or_else(|error| error.to_string(), |price| price.to_string())
    }

    #[test]
    fn an_exponent_moves_the_point_and_no_digit() {
        assert_eq!(read("7.142857e-7", 6), "0.7142857");
        assert_eq!(read("3.0001999999999996e-07", 6), "0.30001999999999996");
        assert_eq!(read("1E+2", 0), "100");
        assert_eq!(read("15", 6), "15000000");
    }

    #[test]
    fn zero_is_zero_in_every_spelling() {
        for zero in ["0", "0.0", "0e-9", "-0.0", "0.000000", ".0"] {
            assert_eq!(price(zero, 6), Ok(Decimal::ZERO), "{zero}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "free", "1,5", "1e", "0x10", "NaN", "1.2.3", "--1", "1e999999999999", "+1"] {
            assert!(matches!(price(text, 0), Err(NotPrice::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn no_more_digits_are_taken_than_can_be_kept() {
        assert!(price("1.234567890123456789012345678", 0).is_ok());
        for text in ["12345678901234567890123456789", "1e-29", "1e28", "1e2000000000", "1e-2000000000"] {
            assert!(matches!(price(text, 0), Err(NotPrice::TooLong(_))), "{text}");
        }
        assert!(price("1e27", 0).is_ok());
    }
}
