//! What a quote of a training says besides its lines.

use serde::Serialize;
use utoipa::ToSchema;

use crate::estimate::{metric::Metric, quote::Total};

/// A training as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct TrainingMetrics {
    /// Arithmetic of all stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flops: Option<Metric>,
    /// Hours of one GPU, all stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_hours: Option<Metric>,
    /// Days from the first stage to the last, where the number of GPUs is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Metric>,
    /// How many GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<Metric>,
    /// The fewest GPUs whose memory holds every stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gpus: Option<Metric>,
    /// Model FLOPs (causal attention) over the dense BF16 peak, over all hours, interruptions included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<Metric>,
    /// What an hour of one GPU costs, in the price's own currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_gpu_hour: Option<Metric>,
    /// What all the machines cost to buy, servers and network with them; only where they are owned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase: Option<Metric>,
    /// Electricity, of the machines and their cooling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<Metric>,
    /// Carbon dioxide of that electricity, by the region's grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co2_kg: Option<Metric>,
    /// Keys and values of one token of a long context, in 16 bits, where the model's shape is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv_cache_bytes_per_token: Option<Metric>,
    /// Parameters in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_params: Option<Metric>,
    /// Parameters that one token uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_params: Option<Metric>,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StageQuote {
    /// Which stage; repeats carry `#2`.
    #[schema(example = "pretraining")]
    pub stage: String,
    /// What its hours come from.
    pub hours_from: HoursFrom,
    /// Its lines added up.
    pub total: Total,
    /// Tokens that pass through the model being trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Metric>,
    /// Its arithmetic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flops: Option<Metric>,
    /// Its hours of one GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_hours: Option<Metric>,
    /// Its days, where the number of GPUs is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Metric>,
    /// Model FLOPs over the dense BF16 peak while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfu: Option<Metric>,
    /// The same over all its hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<Metric>,
    /// Memory it needs over all GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Metric>,
    /// The fewest GPUs whose memory holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gpus: Option<Metric>,
}

/// What the hours of a stage come from, best known first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoursFrom {
    /// The request gives them.
    GpuHours,
    /// The request gives days, and the number of GPUs.
    Days,
    /// The request gives tokens a second.
    TokensPerSecondPerGpu,
    /// The request gives the utilisation.
    Mfu,
    /// What published runs got.
    Assumption,
    /// No hours of its own.
    None,
}

/// What falls on one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MonthTotal {
    /// The month.
    #[schema(example = "2024-11")]
    pub month: String,
    /// Its share of the lines.
    pub total: Total,
}
