//! Training runs that others have published: what the engine is held against.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ids::{GpuId, ModelId},
    model::Architecture,
    money::{decimal_text, optional_decimal_text},
};

/// A published training run, or the money of one. What is absent is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRun {
    /// Lower-case name.
    #[schema(example = "deepseek-v3")]
    pub id: String,
    /// What its source calls it.
    #[schema(example = "DeepSeek-V3")]
    pub name: String,
    /// The catalog's model of that very name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "deepseek-v3")]
    pub model: Option<ModelId>,
    /// Who ran it.
    #[schema(example = "DeepSeek")]
    pub org: String,
    /// The day on which it was published.
    #[schema(value_type = String, format = Date, example = "2024-12-27")]
    pub date: Date,
    /// `pretrain`, `continued_pretrain`, `throughput_benchmark` (step time times steps), `sft`, `dpo`, `rl_grpo`, ...,
    /// `pipeline` (several stages), `program` (the money of a whole programme), `estimate_only` (a closed model).
    #[schema(example = "pretrain")]
    pub kind: String,
    /// `dense`, `moe` or `ssm`.
    #[schema(example = "moe")]
    pub architecture: String,
    /// Parameters in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 671_000_000_000_u64)]
    pub params_total: Option<f64>,
    /// Parameters that one token uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 37_000_000_000_u64)]
    pub params_active: Option<f64>,
    /// Transformer layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 61)]
    pub layers: Option<u32>,
    /// Width of the residual stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 7168)]
    pub hidden_size: Option<u32>,
    /// Query heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 128)]
    pub heads: Option<u32>,
    /// Key and value heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 128)]
    pub kv_heads: Option<u32>,
    /// Width of the feed-forward layers; of one expert in a mixture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 2048)]
    pub ffn_size: Option<u32>,
    /// Entries in the vocabulary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 129_280)]
    pub vocab_size: Option<u32>,
    /// Routed experts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 256)]
    pub experts: Option<u32>,
    /// Routed experts that a token visits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub experts_active: Option<u32>,
    /// What the fields above leave out of its shape, or what of it is known otherwise: wins over them. Where the
    /// catalog's model has a shape, that one is the run's, and this adds to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Architecture>,
    /// Tokens seen in training, repeats included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 14_800_000_000_000_u64)]
    pub tokens: Option<f64>,
    /// Tokens of a sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 4096)]
    pub sequence_length: Option<u32>,
    /// Number format of the arithmetic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "fp8")]
    pub precision: Option<String>,
    /// The accelerator, in the source's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "H800")]
    pub hardware: Option<String>,
    /// The accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "h800-sxm5-80gb")]
    pub gpu: Option<GpuId>,
    /// How many of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 2048)]
    pub gpu_count: Option<u32>,
    /// Dense BF16 or FP16 peak of the part, also for runs in FP8, in TFLOP/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 989)]
    pub peak_bf16_dense_tflops: Option<f64>,
    /// Hours of accelerators; of chips for TPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 2_664_000)]
    pub gpu_hours: Option<f64>,
    /// How the hours are known: `reported`, `derived`, `approx`, `upper_bound`, `assumed`, `third_party_estimate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "reported")]
    pub gpu_hours_kind: Option<String>,
    /// Days on the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 54)]
    pub wall_days: Option<f64>,
    /// Model FLOPs utilisation as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.389)]
    pub published_mfu: Option<f64>,
    /// What that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "causal, BF16 peak")]
    pub mfu_convention: Option<String>,
    /// What the published MFU or TFLOP/s counts, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "causal")]
    pub mfu_counts: Option<MfuCounts>,
    /// Speed of one accelerator as published, in TFLOP/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 385)]
    pub published_tflops_per_gpu: Option<f64>,
    /// Tokens that one accelerator trains on in a second of steady steps, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 380)]
    pub tokens_per_second_per_gpu: Option<f64>,
    /// Arithmetic of the run as published, in FLOP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 3.3e24)]
    pub published_flops: Option<f64>,
    /// Cost as published, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_decimal_text")]
    #[schema(value_type = Option<String>, example = "5328000")]
    pub published_cost_usd: Option<Decimal>,
    /// Whose figure the cost is, and of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "reported at $2/GPU-hour")]
    pub cost_kind: Option<String>,
    /// The price of an hour behind that cost, in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_decimal_text")]
    #[schema(value_type = Option<String>, example = "2")]
    pub price_per_gpu_hour_usd: Option<Decimal>,
    /// Costs that others have worked out, each by its own method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub third_party_costs: Vec<ThirdPartyCost>,
    /// Energy, in `MWh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 433.2)]
    pub energy_mwh: Option<f64>,
    /// Carbon dioxide and its equivalents, in tonnes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 62.44)]
    pub co2_t: Option<f64>,
    /// The model that it started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Llama-3.1-70B")]
    pub base_model: Option<String>,
    /// Hours of accelerators by stage, where the source divides them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(example = json!({"pretrain": 2_664_000, "context_extension": 119_000}))]
    pub stage_gpu_hours: BTreeMap<String, f64>,
    /// The reinforcement learning in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rl: Option<PublishedRl>,
    /// `A`: every figure is explicit; `B`: one is rounded, bounded or assumed; `C`: an estimate, or known to disagree
    /// with itself.
    #[schema(example = "A")]
    pub tier: String,
    /// Whether accuracy may be judged by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = true)]
    pub baseline_ok: bool,
    /// How the row was checked: `primary_read`, `primary_quoted_by_secondary`, `recalled_arithmetic_checked`.
    #[schema(example = "primary_read")]
    pub verification: String,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "pre-training only")]
    pub note: Option<String>,
    /// All that the figures come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["arXiv:2412.19437, table 1"]))]
    pub sources: Vec<String>,
    /// URL or citation; null: none is known.
    #[schema(example = "arXiv:2412.19437, table 1")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

/// What a published utilisation counts as arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MfuCounts {
    /// What a decoder needs: each token attends to those before it.
    Causal,
    /// Attention of each token to every other: `PaLM`'s and Megatron-LM's MFU.
    NonCausal,
    /// The same with what is computed again, all activations: hardware FLOPs, 4/3 of the model's.
    Hardware,
}

/// What somebody else says that a run cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyCost {
    /// The amount, in dollars.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "169828008")]
    pub amount_usd: Decimal,
    /// What it counts.
    #[schema(example = "cloud rental price")]
    pub method: String,
    /// Who says so.
    #[schema(example = "Epoch AI (model_costs.csv)")]
    pub who: String,
}

/// The reinforcement learning of a run. What is absent is unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRl {
    /// `ppo`, `grpo`, or a relative of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "grpo")]
    pub algorithm: Option<String>,
    /// Answers to one prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 16)]
    pub group_size: Option<u32>,
    /// Prompts of a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 32)]
    pub prompts_per_step: Option<u32>,
    /// Steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 10_400)]
    pub steps: Option<u32>,
    /// Prompts in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 40_000)]
    pub prompts: Option<u64>,
    /// Answers in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 42_000)]
    pub outputs: Option<u64>,
    /// Longest answer, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 32_768)]
    pub max_tokens: Option<u32>,
    /// Contexts in words, where they grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "8K->16K->24K")]
    pub context: Option<String>,
    /// Tokens of a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 256)]
    pub tokens_per_prompt: Option<u32>,
    /// Tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 256)]
    pub tokens_per_output: Option<u32>,
    /// Tokens of all prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 67_500_000)]
    pub prompt_tokens: Option<f64>,
    /// Tokens of all answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 67_500_000)]
    pub output_tokens: Option<f64>,
    /// Parameters of the value model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 350_000_000)]
    pub critic_params: Option<f64>,
    /// Parameters of the reward model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 350_000_000)]
    pub reward_params: Option<f64>,
    /// Parameters of the reference model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 6_700_000_000_u64)]
    pub reference_params: Option<f64>,
    /// Passes over what a step has generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub epochs: Option<u32>,
}
