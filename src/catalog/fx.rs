//! Reference rates between currencies, by day.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{Currency, decimal_text};

/// What one unit of a currency was worth in dollars on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FxRate {
    /// The currency that one unit of is priced.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The day of the fixing.
    #[schema(value_type = String, format = Date, example = "2024-12-27")]
    pub date: Date,
    /// US dollars for one unit.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "0.136997")]
    pub usd_per_unit: Decimal,
    /// URL or citation; null: none is known.
    #[schema(value_type = Option<String>, example = "European Central Bank euro reference rates")]
    pub source: Option<std::sync::Arc<str>>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}
