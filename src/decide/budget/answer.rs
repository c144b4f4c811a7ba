//! The answer: how much, what it costs, and what the next would.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    catalog::money::{Currency, Money},
    estimate::{
        fault::Told,
        quote::{Total, Warning},
    },
};

/// What a sum buys.
#[derive(Debug, Serialize, ToSchema)]
pub struct Budget {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant whose prices were used, where an item does not say otherwise.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// The number that was looked for, as a JSON Pointer into the request.
    #[schema(example = "/calls")]
    pub pointer: String,
    /// The sum.
    pub budget: Money,
    /// What came of it.
    pub outcome: Outcome,
    /// The same in words.
    #[schema(example = "166666666 at most")]
    pub text: String,
    /// The largest value with which the amount stays within the sum; only where something is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bought: Option<Bought>,
    /// The largest value with which the P90 of the cost stays within the sum; absent where nothing is uncertain, null
    /// where no value does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 120_000)]
    pub low: Option<Option<Box<RawValue>>>,
    /// The largest value with which the P10 of the cost stays within the sum; absent where nothing is uncertain, null
    /// where every value does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 210_000)]
    pub high: Option<Option<Box<RawValue>>>,
    /// The next larger value: what it costs, or why it has no price; only where something is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Spend>,
    /// The value that costs the least of those that were tried.
    pub least: Spend,
    /// Every span of values within the sum: more than one where the cost falls somewhere, or has gaps.
    pub segments: Vec<Span>,
    /// Doubts: of the request with the value that is bought (else the least), and about the search.
    pub warnings: Vec<Warning>,
}

/// What came of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetOutcome)]
pub enum Outcome {
    /// It buys something, and no more than that.
    Bought,
    /// Even the least costs more.
    BuysNothing,
    /// The largest value that was tried is within it.
    Unbounded,
}

/// What is bought.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BudgetBought)]
pub struct Bought {
    /// The value.
    #[schema(value_type = f64, example = 166_666_666)]
    pub value: Box<RawValue>,
    /// What the request costs with it.
    pub total: Total,
    /// What is left of the sum.
    pub left: Money,
}

/// A value, and what the request costs with it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BudgetSpend)]
pub struct Spend {
    /// The value.
    #[schema(value_type = f64, example = 166_666_667)]
    pub value: Box<RawValue>,
    /// What the request costs with it; absent where it has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// Why it has no price.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Told>,
}

/// Values within a sum, one after the other.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BudgetSpan)]
pub struct Span {
    /// The first.
    #[schema(value_type = f64, example = 0)]
    pub from: Box<RawValue>,
    /// The last.
    #[schema(value_type = f64, example = 166_666_666)]
    pub to: Box<RawValue>,
}
