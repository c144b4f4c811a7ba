//! Figures of an answer that are not lines: how they are written.

use serde::Serialize;
use utoipa::ToSchema;

use super::uncertain::Uncertain;
use crate::catalog::money::{Currency, rounded_to_nine};

/// A figure that is not money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Metric {
    /// The figure; P50 where there is a range.
    #[schema(example = 2_664_000)]
    pub value: f64,
    /// P10; only where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1_900_000)]
    pub low: Option<f64>,
    /// P90; only where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3_900_000)]
    pub high: Option<f64>,
    /// Its unit.
    #[schema(value_type = String, example = "gpu_hour")]
    pub unit: Unit,
}

impl Metric {
    /// A figure with its range.
    pub(crate) fn of(figure: &Uncertain, unit: impl Into<Unit>) -> Self {
        let range = figure.range().map(|(low, high)| (rounded_to_nine(low), rounded_to_nine(high)));
        let range = range.filter(|(low, high)| low < high); // or they differ by less than is written
        Self {
            value: rounded_to_nine(figure.mid()),
            low: range.map(|(low, _)| low),
            high: range.map(|(_, high)| high),
            unit: unit.into(),
        }
    }

    /// Whether it can be written.
    pub(crate) fn is_finite(&self) -> bool {
        [Some(self.value), self.low, self.high].into_iter().flatten().all(f64::is_finite)
    }

    /// A figure over a larger one, at most 1.
    pub(crate) fn share(part: &Uncertain, whole: &Uncertain) -> Self {
        let bounded = |share: f64| rounded_to_nine(share.min(1.0));
        // What is known over what is not is high where that is low: no draws are needed.
        let range = if part.is_exact() {
            whole.range().map(|(low, high)| (part.mid() / high, part.mid() / low))
        } else {
            (part / whole).range()
        };
        let range = range.map(|(low, high)| (bounded(low), bounded(high))).filter(|(low, high)| low < high);
        Self {
            value: bounded(part.mid() / whole.mid()),
            low: range.map(|(low, _)| low),
            high: range.map(|(_, high)| high),
            unit: "ratio".into(),
        }
    }

    /// A figure that is known.
    pub(crate) fn exact(value: f64, unit: impl Into<Unit>) -> Self {
        Self { value: rounded_to_nine(value), low: None, high: None, unit: unit.into() }
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
