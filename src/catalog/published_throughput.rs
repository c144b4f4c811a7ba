//! Speeds that others have measured: of training, of reinforcement learning, of serving.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{GpuId, ModelId};

/// A published speed. It is that of steady steps, without restarts, evaluation and checkpoints: more than a real run gets.
/// What is absent is unknown or does not apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedThroughput {
    /// Stable name of the row.
    #[schema(example = "throughput-1f3aea54a3")]
    pub id: String,
    /// `training`, `rl` or `inference`.
    #[schema(example = "training")]
    pub workload: String,
    /// `pretrain`, `sft`, `lora`, `rl_grpo`, `rl_swe`; for inference what was asked of the machines: `offline_max` (all
    /// requests at once), `fixed_concurrency`, `server_slo`, `static_batch`, `prefill_only`, `decode_only`,
    /// `single_stream_ttft`, `production`.
    #[schema(example = "pretrain")]
    pub kind: String,
    /// The catalog's model of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "llama-3.1-405b")]
    pub model: Option<ModelId>,
    /// What the source calls the model.
    #[schema(example = "Llama-3.1-405B")]
    pub model_name: String,
    /// The accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "h100-sxm5-80gb")]
    pub gpu: Option<GpuId>,
    /// The accelerator, in the source's word.
    #[schema(example = "H100")]
    pub hardware: String,
    /// How many of them were measured together.
    #[schema(example = 1024)]
    pub gpu_count: u32,
    /// Number format of the arithmetic, or of the weights that were served.
    #[schema(example = "fp8")]
    pub precision: String,
    /// Tokens in a second for each accelerator: trained on; of reinforcement learning, end to end; of inference, put out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 315)]
    pub tokens_per_second_per_gpu: Option<f64>,
    /// Parameters in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 405_000_000_000_u64)]
    pub params_total: Option<f64>,
    /// Longest sequence trained on, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8192)]
    pub sequence_length: Option<u32>,
    /// Model arithmetic of one accelerator as the source counts it, in TFLOP/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 834)]
    pub model_tflops_per_gpu: Option<f64>,
    /// Model FLOPs utilisation as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.42)]
    pub published_mfu: Option<f64>,
    /// Whether activations were computed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = true)]
    pub activation_checkpointing: Option<bool>,
    /// How the reinforcement learning was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rl: Option<RlSetup>,
    /// How the model was served, and what else was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference: Option<InferenceSetup>,
    /// The day or month of the measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2025-09")]
    pub date: Option<String>,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "best of 2 submissions")]
    pub note: Option<Arc<str>>,
    /// URL or citation; null: none is known.
    #[schema(value_type = Option<String>, example = "NVIDIA/Megatron-LM:examples/llama/README.md")]
    pub source: Option<Arc<str>>,
    /// Where in the source it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Table 2, 8 GPUs")]
    pub source_detail: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

/// How reinforcement learning was set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RlSetup {
    /// How far generation may run ahead of training.
    #[schema(example = "On policy")]
    pub policy: String,
    /// Mean length of a sequence, in tokens.
    #[schema(example = 701)]
    pub mean_sequence_length: f64,
    /// Answers generated in a step.
    #[schema(example = 512)]
    pub generation_batch: u32,
    /// Answers in a batch of training.
    #[schema(example = 512)]
    pub training_batch: u32,
    /// Tensor and pipeline parallelism of generation, as printed.
    #[schema(example = "[32,1]")]
    pub generation_parallelism: String,
    /// Parallelism of training, as printed.
    #[schema(example = "[1,1,16,16,n/a]")]
    pub training_parallelism: String,
    /// Seconds of a step.
    #[schema(example = 134)]
    pub step_seconds: f64,
}

/// How a model was served, and what was measured besides output tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InferenceSetup {
    /// What served it: `trtllm`, `vllm`, `sglang`, `llama.cpp`, ...
    #[schema(example = "vllm")]
    pub engine: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1.0")]
    pub engine_version: Option<String>,
    /// Number format of the key-value cache; absent: not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "fp8")]
    pub kv_precision: Option<String>,
    /// Tensor parallelism; absent, as the other three: the submitter's choice, unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub tensor_parallel: Option<u32>,
    /// Pipeline parallelism.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub pipeline_parallel: Option<u32>,
    /// Expert parallelism.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub expert_parallel: Option<u32>,
    /// Data parallelism of attention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub attention_data_parallel: Option<u32>,
    /// Tokens of a request's input, nominal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1024)]
    pub input_tokens: Option<u32>,
    /// Tokens of its output, nominal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1024)]
    pub output_tokens: Option<u32>,
    /// Tokens of a request's input, mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 921.6)]
    pub input_tokens_mean: Option<f64>,
    /// Tokens of its output, mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 921.6)]
    pub output_tokens_mean: Option<f64>,
    /// Whether the means are not published with the result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = false)]
    pub lengths_approximate: bool,
    /// Requests in flight over all machines, or the batch; absent: as many as fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 64)]
    pub concurrency: Option<u32>,
    /// The service level: time to the first token at the 99th percentile, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 2000)]
    pub slo_ttft_p99_ms: Option<f64>,
    /// The service level: time for each further token at the 99th percentile, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 80)]
    pub slo_tpot_p99_ms: Option<f64>,
    /// What the source prints.
    #[schema(example = "output_tok_s_total")]
    pub metric: String,
    /// The figure that it prints.
    #[schema(example = 25_342)]
    pub value: f64,
    /// Whether the figure was worked out from what the source prints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = false)]
    pub derived: bool,
    /// Input tokens in a second for each accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 3170)]
    pub input_tokens_per_second_per_gpu: Option<f64>,
    /// Mean time to the first token, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 387.89)]
    pub ttft_ms: Option<f64>,
    /// Mean time for each further token, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 9.089)]
    pub tpot_ms: Option<f64>,
    /// Speculative decoding; absent: none is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "MTP-3")]
    pub speculative_decoding: Option<String>,
}
