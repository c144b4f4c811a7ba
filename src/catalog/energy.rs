//! What electricity costs by region, and how much carbon dioxide it stands for.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    money::{Currency, decimal_text},
    time::Span,
};

/// The price of electricity for businesses in a region, over a span of days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnergyPrice {
    /// ISO 3166 code of a country in lower case, or `eu`, `world` or a continent.
    #[schema(example = "us")]
    pub region: String,
    /// The region's name, and whose price it is.
    #[schema(example = "United States, industrial")]
    pub name: String,
    /// Money for one kilowatt-hour.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "0.0826")]
    pub price_per_kwh: Decimal,
    /// Currency of the price.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// Carbon dioxide and its equivalents for one kilowatt-hour from the grid, kg; absent: not looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.38)]
    pub kg_co2_per_kwh: Option<f64>,
    /// First day (UTC) on which the price holds.
    #[schema(value_type = String, format = Date, example = "2025-01-01")]
    pub effective_from: Date,
    /// First day on which it no longer holds; absent: no later price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    pub effective_to: Option<Date>,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "average of the year")]
    pub note: Option<String>,
    /// URL or citation; null: none is known.
    #[schema(example = "U.S. Energy Information Administration")]
    pub source: Option<String>,
    /// URL or citation of `kg_co2_per_kwh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ember, via Our World in Data")]
    pub co2_source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

impl EnergyPrice {
    /// When the price holds.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::of_days(Some(self.effective_from), self.effective_to)
    }
}
