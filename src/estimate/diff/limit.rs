//! How far a total may rise before somebody should look at it.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::Change;
use crate::catalog::money::{Money, Overflow, parse_decimal};

/// A rise that is still let pass: `10%` of the first total, or `5.00` in the currency of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Percent of the size of the first total.
    Percent(Decimal),
    /// An amount.
    Amount(Money),
}

/// A text that is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage such as `10%`, or an amount such as `5.00`; not below zero")]
pub struct NotLimit;

/// Whether a total rose by more than it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailOver {
    /// The limit: a percentage or an amount.
    #[schema(example = "10%")]
    pub limit: String,
    /// Whether the rise is more than it; exactly the limit is not.
    #[schema(example = false)]
    pub exceeded: bool,
}

impl Limit {
    /// Whether a total rose by more, to the last digit.
    ///
    /// # Errors
    /// When the amounts are too far apart for 76 digits.
    pub fn is_exceeded_by(self, total: Change) -> Result<bool, Overflow> {
        match self {
            Self::Percent(percent) => {
                total.change.is_more_than_percent_of(percent, total.before.unwrap_or(Money::ZERO))
            }
            Self::Amount(amount) => Ok(total.change > amount),
        }
    }
}

impl FromStr for Limit {
    type Err = NotLimit;

    fn from_str(text: &str) -> Result<Self, NotLimit> {
        if text.starts_with('-') {
            return Err(NotLimit);
        }
        match text.strip_suffix('%') {
            Some(percent) => parse_decimal(percent).map(Self::Percent).map_err(|_| NotLimit),
            None => Money::parse(text).map(Self::Amount).map_err(|_| NotLimit),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Amount(amount) => amount.fmt(f),
        }
    }
}
