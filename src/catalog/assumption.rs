//! Defaults of the arithmetic: what a quote takes when the request says nothing.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::Span;

/// A default with its spread: one time in ten the truth lies below `low`, one time in two below `mid`, nine
/// times in ten below `high`. A figure without a spread has the same value three times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// The arithmetic's name for it: lower-case words with dots between.
    #[schema(example = "training.goodput")]
    pub id: String,
    /// What it is.
    #[schema(example = "Share of a run's hours that ends in the model")]
    pub description: String,
    /// Its unit; `ratio` for a plain number.
    #[schema(example = "ratio")]
    pub unit: String,
    /// P10.
    #[schema(example = 0.75)]
    pub low: f64,
    /// P50.
    #[schema(example = 0.87)]
    pub mid: f64,
    /// P90.
    #[schema(example = 0.96)]
    pub high: f64,
    /// First day (UTC) on which it holds; absent: always has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2024-01-01")]
    pub effective_from: Option<Date>,
    /// First day on which it no longer holds; absent: it still does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2027-01-01")]
    pub effective_to: Option<Date>,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "over the nine published runs that tell both figures")]
    pub note: Option<String>,
    /// URL or citation; null: none is known.
    #[schema(example = "arXiv:2407.21783, section 3.3.4")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

impl Assumption {
    /// When it holds.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::of_days(self.effective_from, self.effective_to)
    }
}
