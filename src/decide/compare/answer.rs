//! The answer to a comparison.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    catalog::{
        ids::{ModelId, OfferingId, ProviderId},
        money::Currency,
    },
    estimate::{
        fault::Told,
        number::Amount,
        quote::{Total, Warning},
        serving::{answer::Deployment, request::Parallelism},
    },
};

/// Candidates, cheapest first, and apart from them those that cannot be ranked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Comparison<'s> {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant whose prices were used, where a workload does not say otherwise.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// How many candidates there were.
    #[schema(example = 14)]
    pub candidates: usize,
    /// How many rows they make that can be ranked.
    #[schema(example = 12)]
    pub ranked: usize,
    /// The cheapest of them.
    pub rows: Vec<Row<'s>>,
    /// How many more there are.
    #[schema(example = 7)]
    pub more: usize,
    /// Those that cannot be ranked, by what they lack.
    pub not_ranked: Vec<NotRanked<'s>>,
    /// How many were passed over because a field that a filter asks for is not known.
    pub passed_over: Vec<PassedOver>,
    /// Doubts about the comparison.
    pub warnings: Vec<Warning>,
}

/// A candidate and its place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompareRow)]
pub struct Row<'s> {
    /// Its place: 1 is cheapest; those that cost the same share one.
    #[schema(example = 1)]
    pub rank: usize,
    /// Who it is.
    #[serde(flatten)]
    pub who: Who<'s>,
    /// What the workload costs, done once.
    pub total: Total,
    /// How many times as many tokens it needs; only where that is said.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "decimal")]
    pub usage_factor: Option<Amount>,
    /// How often one try succeeds; only where that is said.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "decimal")]
    pub success_rate: Option<Amount>,
    /// What it is ranked by: `total * usage_factor / success_rate`.
    pub cost_per_success: Total,
    /// That over the first row's; null where the first costs nothing.
    #[schema(example = 1.25)]
    pub ratio_to_cheapest: Option<f64>,
    /// Other names under which the same vendor sells the same model for the same.
    #[schema(example = json!(["aws-bedrock/meta.llama3-3-70b-instruct-v1:0"]))]
    pub also: Vec<String>,
    /// Doubts about it.
    pub warnings: Vec<Warning>,
}

/// Who a candidate is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompareWho)]
pub struct Who<'s> {
    /// The candidate in words.
    #[schema(example = "groq/llama-3.3-70b-versatile")]
    pub label: String,
    /// What was set in the base; empty for a candidate that is a whole workload.
    pub set: Vec<Set>,
    /// What is sold, where a hosted model is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "groq/llama-3.3-70b-versatile")]
    pub offering: Option<&'s OfferingId>,
    /// Who sells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "groq")]
    pub provider: Option<&'s ProviderId>,
    /// The model that it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "llama-3.3-70b-instruct")]
    pub model: Option<&'s ModelId>,
    /// What it runs on, where a model is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_on: Option<RunsOn>,
}

/// A value that was set.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CompareSet)]
pub struct Set {
    /// Where.
    #[schema(example = "/model")]
    pub pointer: String,
    /// What.
    #[schema(value_type = serde_json::Value, example = "llama-3.3-70b-versatile")]
    pub value: Box<RawValue>,
}

/// What serves a model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RunsOn {
    /// The accelerator.
    #[schema(example = "h100-sxm5-80gb")]
    pub gpu: String,
    /// How many of them a replica has.
    #[schema(example = 4)]
    pub gpus_per_replica: u32,
    /// How a replica divides the model.
    pub parallelism: Parallelism,
    /// Format of the weights.
    #[schema(example = "fp8")]
    pub weights: &'static str,
    /// Format of keys and values.
    #[schema(example = "bf16")]
    pub kv_cache: &'static str,
}

impl From<&Deployment<'_>> for RunsOn {
    fn from(deployment: &Deployment<'_>) -> Self {
        let Deployment { gpu, gpus_per_replica, parallelism, weights, kv_cache, .. } = *deployment;
        Self { gpu: gpu.to_owned(), gpus_per_replica, parallelism, weights, kv_cache }
    }
}

/// Candidates that lack the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotRanked<'s> {
    /// What they lack.
    pub reason: Reason,
    /// How many they are.
    #[schema(example = 2)]
    pub count: usize,
    /// The first of them.
    pub candidates: Vec<Unranked<'s>>,
    /// How many more there are.
    #[schema(example = 0)]
    pub more: usize,
}

/// Why a candidate cannot be ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotRankedReason)]
pub enum Reason {
    /// Something that it uses has no price there and then.
    Unpriced,
    /// It has a price that nobody has seen for too long.
    Stale,
    /// The model does not fit the machines, or the call the context window.
    DoesNotFit,
    /// It is not fast enough.
    MissesSlo,
    /// Anything else.
    Refused,
}

/// A candidate that cannot be ranked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unranked<'s> {
    /// Who it is.
    #[serde(flatten)]
    pub who: Who<'s>,
    /// What it would cost; only where there is a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// Why it cannot be ranked.
    pub faults: Vec<Told>,
}

/// Rows of the catalog that a filter could not tell about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PassedOver {
    /// Which entry of `over` has the filter, counted from 0.
    #[schema(example = 0)]
    pub over: usize,
    /// The field that is not known.
    #[schema(value_type = String, example = "class")]
    pub field: &'static str,
    /// Of how many.
    #[schema(example = 3)]
    pub count: usize,
}

#[expect(clippy::ref_option, reason = "what serde hands over")]
fn decimal<S: serde::Serializer>(amount: &Option<Amount>, serializer: S) -> Result<S::Ok, S::Error> {
    crate::catalog::money::optional_decimal_text::serialize(&amount.map(|amount| amount.0), serializer)
}
