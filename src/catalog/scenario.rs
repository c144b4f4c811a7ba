//! Ready-to-send requests, with the published figures that their answers are held against.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A named request. Its answer comes from the engine, like any other's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Lower-case name.
    #[schema(example = "deepseek-v3-final-run")]
    pub id: String,
    /// What it answers, in a few words.
    #[schema(example = "The last training run of DeepSeek-V3")]
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "The sum of the report: hours at 2 dollars each, without experiments, data and staff."
    )]
    pub description: Option<String>,
    /// What to send to `POST /estimate`.
    #[schema(value_type = Object, example = json!({"model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}}))]
    pub request: serde_json::Value,
    /// What others have published about the same question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<PublishedFigure>,
    /// URL or citation; null: none is known.
    #[schema(example = "https://arxiv.org/abs/2412.19437")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

/// A figure that somebody has published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedFigure {
    /// What it is.
    #[schema(example = "cost of the final run")]
    pub figure: String,
    /// The figure.
    #[schema(example = 5_576_000)]
    pub value: f64,
    /// Its unit.
    #[schema(example = "USD")]
    pub unit: String,
    /// URL or citation.
    #[schema(example = "arXiv:2412.19437, table 1")]
    pub source: String,
    /// How far the engine's figure may be from it, as a share of it; 0: not at all.
    #[schema(example = 0.1)]
    pub tolerance: f64,
    /// Where in the answer the engine's own figure stands, as a JSON Pointer; absent: it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/total/amount")]
    pub pointer: Option<String>,
    /// What the engine's figure is divided by first, as a JSON Pointer: the published figure is a ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/items/1/metrics/flops/value")]
    pub over: Option<String>,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "without the experiments before it")]
    pub note: Option<String>,
}
