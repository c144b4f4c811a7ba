//! Shares of a whole: parts that are rounded, and still add up.

use ethnum::{I256, U256};

use super::{Money, Overflow, Precision, Quantity, divide_half_even, power_of_ten, times};

/// Decimal places of a quantity that is a share of another.
pub const SHARE_PLACES: u32 = 9;

/// Decimal places of an amount that is a share of another.
const AMOUNT_PLACES: u32 = 12;

/// A quantity times a weight, added up; each factor up to 128 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weighted(U256);

impl Weighted {
    /// The sum with `quantity * weight`.
    ///
    /// # Errors
    /// When it needs more than 256 bits.
    pub fn plus(self, quantity: u128, weight: u128) -> Result<Self, Overflow> {
        let product = U256::from(quantity) * U256::from(weight); // never more than 256 bits
        self.0.checked_add(product).map(Self).ok_or(Overflow)
    }

    /// The sum over the weight of the whole, rounded half to even to [`SHARE_PLACES`].
    ///
    /// # Errors
    /// When an intermediate figure needs more than 76 digits.
    pub fn over(self, whole: u128) -> Result<(Quantity, Precision), Overflow> {
        let top = times(I256::try_from(self.0).map_err(|_| Overflow)?, power_of_ten(SHARE_PLACES)?)?;
        let (mantissa, rest) = divide_half_even(top, I256::from(whole.max(1)));
        let money = Money { mantissa, scale: SHARE_PLACES }.normalized();
        Ok((Quantity(money), if rest { Precision::Rounded } else { Precision::Exact }))
    }
}

impl Money {
    /// `self * part / whole`, rounded half to even to 12 places; all of it, to the last digit, where the part is the
    /// whole.
    ///
    /// # Errors
    /// When an intermediate figure needs more than 76 digits.
    ///
    /// ```
    /// use farthing::catalog::money::Money;
    /// let third = Money::parse("1.00").unwrap().portion(1, 3).unwrap();
    /// assert_eq!(third.to_string(), "0.333333333333");
    /// ```
    pub fn portion(self, part: u128, whole: u128) -> Result<Self, Overflow> {
        if part == whole {
            return Ok(self);
        }
        let top = times(self.mantissa, I256::try_from(U256::from(part)).map_err(|_| Overflow)?)?;
        let whole = I256::from(whole.max(1));
        let (top, bottom) = if self.scale <= AMOUNT_PLACES {
            (times(top, power_of_ten(AMOUNT_PLACES - self.scale)?)?, whole)
        } else {
            (top, times(whole, power_of_ten(self.scale - AMOUNT_PLACES)?)?)
        };
        Ok(Self { mantissa: divide_half_even(top, bottom).0, scale: AMOUNT_PLACES }.normalized())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_that_ends_is_exact_and_another_is_rounded() {
        let of = |quantity, weight, whole| {
            let (share, precision) = Weighted::default().plus(quantity, weight).unwrap().over(whole).unwrap();
            (share.to_string(), precision)
        };
        assert_eq!(of(12_000, 7, 7), ("12000".to_owned(), Precision::Exact));
        assert_eq!(of(12_000, 1, 8), ("1500".to_owned(), Precision::Exact));
        assert_eq!(of(2, 1, 3), ("0.666666667".to_owned(), Precision::Rounded));
    }

    #[test]
    fn what_does_not_fit_is_an_overflow() {
        let most = Weighted::default().plus(u128::MAX, u128::MAX).unwrap();
        assert_eq!(most.over(1), Err(Overflow));
        assert_eq!(most.plus(u128::MAX, u128::MAX), Err(Overflow));
        assert!(Money::from(rust_decimal::Decimal::MAX).portion(u128::MAX, 1).is_err());
    }

    proptest! {
        #[test]
        fn portions_up_to_each_part_end_with_the_whole(cents in 0_u64..1_000_000_000, parts in proptest::collection::vec(1_u128..1_000, 1..20)) {
            let money = Money { mantissa: I256::from(cents), scale: 2 };
            let whole: u128 = parts.iter().sum();
            let (mut until, mut before, mut sum) = (0, Money::ZERO, Money::ZERO);
            for part in parts {
                until += part;
                let portion = money.portion(until, whole).unwrap();
                sum = sum.checked_add(portion.checked_sub(before).unwrap()).unwrap();
                before = portion;
            }
            prop_assert_eq!(sum, money);
        }
    }
}
