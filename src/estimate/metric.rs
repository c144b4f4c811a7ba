//! Figures of an answer that are not lines: how they are written.

use serde::Serialize;
use utoipa::ToSchema;

use super::uncertain::Uncertain;
use crate::catalog::money::Currency;

/// A figure that is not money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Metric {
    /// The figure; P50 where there is a range.
    #[schema(example = 2_664_000)]
    pub value: f64,
    /// P10; only where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// P90; only where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Its unit.
    #[schema(value_type = String, example = "gpu_hour")]
    pub unit: Unit,
}

impl Metric {
    /// A figure with its range.
    pub(crate) fn of(figure: &Uncertain, unit: impl Into<Unit>) -> Self {
        let range = figure.range();
        Self {
            value: rounded(figure.mid()),
            low: range.map(|(low, _)| rounded(low)),
            high: range.map(|(_, high)| rounded(high)),
            unit: unit.into(),
        }
    }

    /// A figure that is known.
    pub(crate) fn exact(value: f64, unit: impl Into<Unit>) -> Self {
        Self { value: rounded(value), low: None, high: None, unit: unit.into() }
    }
}

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Unit {
    /// A thing.
    Thing(&'static str),
    /// Money.
    Money(Currency),
}

impl From<&'static str> for Unit {
    fn from(unit: &'static str) -> Self {
        Self::Thing(unit)
    }
}

impl From<Currency> for Unit {
    fn from(currency: Currency) -> Self {
        Self::Money(currency)
    }
}

/// Nine significant digits: more than anybody knows, and the same on every machine.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.8e}").parse().unwrap_or(figure)
}
