//! What `/accuracy` answers.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{serving_answer::ServingScores, training::FittedRow};
use crate::catalog::{
    ids::RevisionNumber,
    published_run::{MfuCounts, PublishedRun},
    snapshot::View,
};

/// The engine against what others have published.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accuracy<'a> {
    /// The revision of the catalog that all of it is from.
    #[schema(value_type = u32, example = 1)]
    pub catalog_revision: RevisionNumber,
    /// Hours of published runs, each from a fit that has not seen it and is told neither hours nor utilisation.
    pub runs: RunScores<'a>,
    /// Hours of runs whose own utilisation is published, from that and the usual goodput.
    pub published_utilization: UtilizationScores<'a>,
    /// Published speeds of reinforcement learning, each from a fit that has not seen its model.
    pub reinforcement_learning: RlScores,
    /// Published steady speeds of training, each from a fit that has not seen its model.
    pub steady_speeds: SpeedScores<'a>,
    /// Published speeds of serving, each from factors that have not seen its accelerator, or its family of models.
    pub serving: ServingScores<'a>,
    /// The prior's rows as the published figures give them, beside those that quotes use.
    pub fit: Vec<FittedTerm>,
}

/// Errors summed up. Percentages are of what is published; what there is none of is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Score {
    /// How many predictions.
    #[schema(example = 56)]
    pub count: usize,
    /// Median of the absolute errors.
    #[schema(example = 20.7)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_error_percent: Option<f64>,
    /// Nine in ten are not further off.
    #[schema(example = 43.9)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_error_percent: Option<f64>,
    /// How many lie between their P10 and P90.
    #[schema(example = 46)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<usize>,
    /// The same as a share; 80 would be exact.
    #[schema(example = 82.1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside_percent: Option<f64>,
    /// Spearman's correlation of ranks between what is predicted and what is published, of speeds of serving.
    #[schema(example = 0.989)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_correlation: Option<f64>,
}

/// Errors of one group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct GroupScore<'a> {
    /// The group.
    #[schema(value_type = String, example = "moe")]
    pub name: &'a str,
    /// Its errors.
    #[serde(flatten)]
    pub score: Score,
}

/// Published runs against the engine.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunScores<'a> {
    /// All of them.
    pub summary: Score,
    /// Dense models and mixtures of experts.
    pub by_architecture: Vec<GroupScore<'a>>,
    /// By accelerator.
    pub by_gpu: Vec<GroupScore<'a>>,
    /// By kind of run.
    pub by_kind: Vec<GroupScore<'a>>,
    /// From fits that have seen no run of the same organisation.
    pub without_its_organisation: Score,
    /// What a spreadsheet would say: `6·N·D` FLOPs at 40 % of the peak.
    pub rule_of_thumb: Score,
    /// Run by run.
    pub scored: Vec<RunScore<'a>>,
    /// The others, and why they cannot be scored.
    pub not_scored: Vec<UnscoredRun<'a>>,
}

/// A published run, and what the engine says without having seen it.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct RunScore<'a> {
    /// The published run.
    #[schema(value_type = String, example = "deepseek-v3")]
    pub id: &'a str,
    /// What its source calls it.
    #[schema(value_type = String, example = "DeepSeek-V3")]
    pub name: &'a str,
    /// `dense` or `moe`.
    #[schema(value_type = String, example = "moe")]
    pub architecture: &'a str,
    /// What sort of run.
    #[schema(value_type = String, example = "pretrain")]
    pub kind: &'a str,
    /// The accelerator.
    #[schema(value_type = String, example = "h800-sxm5-80gb")]
    pub gpu: &'a str,
    /// How many of them, where that is known.
    #[schema(example = 2048)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_count: Option<u32>,
    /// Number format of the arithmetic.
    #[schema(value_type = String, example = "fp8")]
    pub precision: &'a str,
    /// Parameters in all.
    #[schema(example = 671_026_000_000_u64)]
    pub params_total: f64,
    /// Parameters that one token uses.
    #[schema(example = 37_552_200_000_u64)]
    pub params_active: f64,
    /// Tokens seen.
    #[schema(example = 14_800_000_000_000_u64)]
    pub tokens: f64,
    /// Hours of accelerators as published.
    #[schema(example = 2_664_000)]
    pub actual_gpu_hours: f64,
    /// Hours as predicted, P50.
    #[schema(example = 3_970_000)]
    pub predicted_gpu_hours: f64,
    /// P10.
    #[schema(example = 2_640_000)]
    pub low: f64,
    /// P90.
    #[schema(example = 5_970_000)]
    pub high: f64,
    /// Predicted by published hours, less 1.
    #[schema(example = 49.1)]
    pub error_percent: f64,
    /// Whether the published hours lie between P10 and P90.
    #[schema(example = true)]
    pub inside: bool,
    /// Causal model FLOPs by the dense BF16 peak over the published hours, without the start of the job.
    #[schema(example = 0.371)]
    pub utilization: f64,
    /// The same as predicted.
    #[schema(example = 0.249)]
    pub predicted_utilization: f64,
    /// How far `6·N·D` FLOPs at 40 % of the peak are off.
    #[schema(example = -12.3)]
    pub rule_of_thumb_error_percent: f64,
}

/// A published run that cannot be scored.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnscoredRun<'a> {
    /// The published run.
    #[schema(value_type = String, example = "gpt-4")]
    pub id: &'a str,
    /// What its source calls it.
    #[schema(value_type = String, example = "GPT-4")]
    pub name: &'a str,
    /// What keeps it from being scored.
    #[schema(example = json!(["tier C: an estimate, or known to disagree with itself"]))]
    pub reasons: Vec<String>,
}

impl<'a> UnscoredRun<'a> {
    pub(super) fn of(row: &'a PublishedRun, why: &[String]) -> Self {
        Self { id: &row.id, name: &row.name, reasons: why.to_vec() }
    }
}

/// Runs whose own utilisation is published.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct UtilizationScores<'a> {
    /// All of them.
    pub summary: Score,
    /// Those that publish MFU or TFLOP/s.
    pub without_token_speeds: Score,
    /// Run by run.
    pub scored: Vec<UtilizationScore<'a>>,
}

/// A run's hours from the utilisation that is published of its steady steps.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct UtilizationScore<'a> {
    /// The published run.
    #[schema(value_type = String, example = "llama-3.1-405b")]
    pub id: &'a str,
    /// What its source calls it.
    #[schema(value_type = String, example = "Llama-3.1-405B")]
    pub name: &'a str,
    /// What is published: `mfu`, `tflops` or `tokens_per_second_per_gpu`.
    #[schema(value_type = String, example = "mfu")]
    pub published: &'a str,
    /// The figure.
    #[schema(example = 0.41)]
    pub value: f64,
    /// What that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<MfuCounts>,
    /// The same as causal model FLOPs by the dense BF16 peak.
    #[schema(example = 0.394)]
    pub mfu: f64,
    /// The share of the hours that is taken to be steady steps; 1 of benchmarks.
    #[schema(example = 0.87)]
    pub goodput: f64,
    /// Hours of accelerators as published.
    #[schema(example = 30_840_000)]
    pub actual_gpu_hours: f64,
    /// Hours as predicted.
    #[schema(example = 32_000_000)]
    pub predicted_gpu_hours: f64,
    /// Predicted by published hours, less 1.
    #[schema(example = 3.8)]
    pub error_percent: f64,
}

/// Published speeds of reinforcement learning.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RlScores {
    /// Those that the fit is made from.
    pub summary: Score,
    /// Speed by speed.
    pub scored: Vec<RlScore>,
}

/// A speed of reinforcement learning, and what the engine says without having seen its model.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct RlScore {
    /// The published speed.
    #[schema(example = "throughput-b0f9d88fb1")]
    pub id: String,
    /// What its source calls the model.
    #[schema(example = "DeepSeek V3")]
    pub model: String,
    /// What sort of training.
    #[schema(example = "rl_grpo")]
    pub kind: String,
    /// The accelerator.
    #[schema(example = "gb200-nvl72")]
    pub gpu: String,
    /// How many of them.
    #[schema(example = 128)]
    pub gpu_count: u32,
    /// How far generation may run ahead of training.
    #[schema(example = "On policy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whether it is among those that the fit is made from.
    #[schema(example = true)]
    pub fitted: bool,
    /// Tokens, prompts and answers together, for each GPU and second, as published.
    #[schema(example = 30.2)]
    pub tokens_per_second_per_gpu: f64,
    /// The same as predicted, P50.
    #[schema(example = 27.1)]
    pub predicted: f64,
    /// P10.
    #[schema(example = 12.3)]
    pub low: f64,
    /// P90.
    #[schema(example = 59.6)]
    pub high: f64,
    /// Predicted by published speed, less 1.
    #[schema(example = -10.3)]
    pub error_percent: f64,
    /// Whether the published speed lies between P10 and P90.
    #[schema(example = true)]
    pub inside: bool,
}

/// Published steady speeds of training. Errors are of the time that a token takes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpeedScores<'a> {
    /// All of them.
    pub summary: Score,
    /// Dense models and mixtures of experts.
    pub by_architecture: Vec<GroupScore<'a>>,
    /// By accelerator.
    pub by_gpu: Vec<GroupScore<'a>>,
    /// By precision.
    pub by_precision: Vec<GroupScore<'a>>,
    /// By kind of training.
    pub by_kind: Vec<GroupScore<'a>>,
    /// Speeds of models whose shape is not known.
    #[schema(example = 5)]
    pub not_scored: usize,
}

/// A row of the prior: what the published figures give, and what quotes use.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct FittedTerm {
    /// The assumption.
    #[schema(example = "training.utilization.moe")]
    pub id: &'static str,
    /// What the published figures give: P10.
    #[schema(example = 0.62)]
    pub low: f64,
    /// P50.
    #[schema(example = 0.72)]
    pub mid: f64,
    /// P90.
    #[schema(example = 0.84)]
    pub high: f64,
    /// The row that quotes use; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<CatalogRow>,
}

/// An assumption as the catalog has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct CatalogRow {
    /// P10.
    #[schema(example = 0.62)]
    pub low: f64,
    /// P50.
    #[schema(example = 0.72)]
    pub mid: f64,
    /// P90.
    #[schema(example = 0.84)]
    pub high: f64,
}

impl FittedTerm {
    pub(super) fn of(row: &FittedRow, view: View<'_>, at: Timestamp) -> Self {
        let [low, mid, high] = row.figures;
        let used = view.assumption(row.id, at).map(|used| &used.row);
        let used = used.map(|used| CatalogRow { low: used.low, mid: used.mid, high: used.high });
        Self { id: row.id, low, mid, high, used }
    }
}

/// A share in percent, to a tenth.
pub(super) fn percent(share: f64) -> f64 {
    tenths(100.0 * share)
}

pub(super) fn tenths(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

/// Six significant digits.
pub(super) fn digits(figure: f64) -> f64 {
    format!("{figure:.5e}").parse().unwrap_or(figure)
}
