//! What `/accuracy` answers of serving.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{GroupScore, Score};
use crate::estimate::serving::request::Parallelism;

/// Published speeds of serving. A speed is predicted twice with its own layout and load, by factors of engine,
/// accelerator and family of models that were fitted without the rows of its accelerator, and without those of its
/// family; what stands here is the one that is further off. The constants of the physics are those of quotes: they
/// have seen the rows (`farthing catalog fit --serving` leaves these out of all constants).
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ServingScores<'a> {
    /// `offline_max`, `fixed_concurrency` and `server_slo`.
    pub summary: Score,
    /// The same, by the fits without the row's accelerator alone.
    pub without_its_gpu: Score,
    /// The same, by the fits without the row's family of models alone.
    pub without_its_family: Score,
    /// The same by what was asked of the machines.
    pub by_regime: Vec<GroupScore<'a>>,
    /// Dense models and mixtures of experts.
    pub by_architecture: Vec<GroupScore<'a>>,
    /// By accelerator.
    pub by_gpu: Vec<GroupScore<'a>>,
    /// By engine.
    pub by_engine: Vec<GroupScore<'a>>,
    /// By model.
    pub by_model: Vec<GroupScore<'a>>,
    /// By who published them.
    pub by_source: Vec<GroupScore<'a>>,
    /// Regimes that no constant is fitted on and no range is known for.
    pub other_regimes: Vec<GroupScore<'a>>,
    /// Mean times for each token after the first, where they are published too; constants have seen speeds alone.
    pub time_per_output_token: Score,
    /// Mean times to the first token; three constants are fitted on them.
    pub time_to_first_token: Score,
    /// Row by row.
    pub scored: Vec<ServingScore<'a>>,
    /// The others, and why they cannot be scored.
    pub not_scored: Vec<UnscoredSpeed<'a>>,
}

/// A published speed of serving, and what the engine says without having seen its accelerator, or its family.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct ServingScore<'a> {
    /// The row of `/published-throughputs`.
    #[schema(value_type = String, example = "inf-03cbc9be9d")]
    pub id: &'a str,
    /// The model.
    #[schema(value_type = String, example = "llama-3.1-70b")]
    pub model: &'a str,
    /// `dense` or `moe`.
    #[schema(value_type = String, example = "dense")]
    pub architecture: &'a str,
    /// The accelerator.
    #[schema(value_type = String, example = "h100-sxm5-80gb")]
    pub gpu: &'a str,
    /// How many of them.
    #[schema(example = 8)]
    pub gpu_count: u32,
    /// What served it.
    #[schema(value_type = String, example = "vllm")]
    pub engine: &'a str,
    /// What was asked of the machines: the row's `kind`.
    #[schema(value_type = String, example = "fixed_concurrency")]
    pub regime: &'a str,
    /// Number format of the weights.
    #[schema(value_type = String, example = "fp8")]
    pub precision: &'a str,
    /// How a replica divided the model; where the source does not tell, the fastest way that its machines had.
    pub layout: Parallelism,
    /// Whether the source tells it.
    #[schema(example = true)]
    pub layout_told: bool,
    /// Unit of the figures, for each accelerator.
    #[schema(value_type = String, example = "output token/s")]
    pub unit: &'a str,
    /// As published.
    #[schema(example = 815.2)]
    pub measured: f64,
    /// As predicted, P50.
    #[schema(example = 790.1)]
    pub predicted: f64,
    /// P10; absent with `high` and `inside`: no range is known for its regime.
    #[schema(example = 632.0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// P90.
    #[schema(example = 924.4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Predicted by measured figure, less 1.
    #[schema(example = -3.1)]
    pub error_percent: f64,
    /// Whether the measured figure lies between P10 and P90.
    #[schema(example = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<bool>,
    /// What the fit behind it has not seen: `gpu` or `family`.
    #[schema(value_type = String, example = "gpu")]
    pub without: &'a str,
    /// The same of the mean time for each token after the first, where that is published.
    #[schema(example = 4.4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpot_error_percent: Option<f64>,
    /// The same of the mean time to the first token.
    #[schema(example = -35.0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_error_percent: Option<f64>,
    /// Who published it.
    #[schema(value_type = String, example = "MLPerf Inference v5.1 closed")]
    pub source: &'a str,
}

/// A published speed of serving that cannot be scored.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnscoredSpeed<'a> {
    /// The row of `/published-throughputs`.
    #[schema(value_type = String, example = "inf-7c66f5ee76")]
    pub id: &'a str,
    /// What its source calls the model.
    #[schema(value_type = String, example = "deepseek-r1")]
    pub model: &'a str,
    /// What sort of measurement.
    #[schema(value_type = String, example = "production")]
    pub regime: &'a str,
    /// What keeps it from being scored.
    #[schema(example = "`production` is no load that a replica could be put under")]
    pub reason: String,
}
