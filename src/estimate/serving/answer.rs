//! What a quote of a serving says besides its lines.

use serde::Serialize;
use utoipa::ToSchema;

use super::{physics::Layout, request::Parallelism};
use crate::estimate::{
    metric::Metric,
    quote::{Origin, Ref},
};

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $field:ident,)+) => {
        /// A serving as a whole.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
        pub struct ServingMetrics {$(
            $(#[doc = $doc])+
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<Metric>,
        )+}
    };
}

metrics! {
    /// The model's weights in their format, one copy.
    weights_bytes,
    /// What keys and values of one token take, in the mean over a request.
    kv_cache_bytes_per_token,
    /// Sequences of that length that one replica has room for.
    max_concurrency,
    /// Copies of the model.
    replicas,
    /// Accelerators in all.
    gpus,
    /// Of them, those that compute prompts and nothing else.
    prefill_gpus,
    /// Of them, those that write answers and nothing else.
    decode_gpus,
    /// Hours of one accelerator, paid for.
    gpu_hours,
    /// What an hour of one accelerator costs, in the price's own currency.
    price_per_gpu_hour,
    /// Sequences in flight in a busy replica.
    batch,
    /// Mean time to the first token: mostly waiting, and known within a factor of three at best.
    ttft_ms,
    /// Its 99th percentile.
    ttft_p99_ms,
    /// Mean time for each token after the first.
    tpot_ms,
    /// Its 99th percentile.
    tpot_p99_ms,
    /// Input tokens a second that a busy replica takes in, cached ones with them, for each accelerator.
    input_tokens_per_second_per_gpu,
    /// Output tokens a second that a busy replica delivers, for each accelerator.
    output_tokens_per_second_per_gpu,
    /// Requests a second that all replicas can answer.
    requests_per_second_at_full_use,
    /// Requests answered over those that could be.
    utilization,
    /// By time of the accelerators, at this reservation: input tokens that are computed.
    price_per_million_input_tokens,
    /// The same: input tokens whose keys and values are there already.
    price_per_million_cached_input_tokens,
    /// The same: output tokens.
    price_per_million_output_tokens,
    /// The same: all input tokens, computed or not.
    price_per_million_input_tokens_with_cached,
    /// The whole compute line over the output tokens alone, as some quote it.
    price_per_million_output_tokens_all_in,
    /// The whole compute line over all tokens, input and output.
    price_per_million_tokens,
    /// By time of the accelerators, all of them busy: input tokens that are computed.
    price_per_million_input_tokens_at_full_use,
    /// The same: input tokens whose keys and values are there already.
    price_per_million_cached_input_tokens_at_full_use,
    /// The same: output tokens.
    price_per_million_output_tokens_at_full_use,
    /// The compute line over the requests.
    price_per_request,
    /// The compute line over its hours.
    price_per_hour,
    /// The same for 730 hours.
    price_per_month,
    /// Electricity, of the machines and their cooling.
    energy_kwh,
    /// The same for a million output tokens.
    energy_kwh_per_million_output_tokens,
    /// Carbon dioxide of that electricity, by the region's grid.
    co2_kg,
    /// Parameters in all.
    total_params,
    /// Parameters that one token uses.
    active_params,
}

/// What serves the model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deployment<'a> {
    /// The accelerator.
    #[schema(example = "h100-sxm5-80gb")]
    pub gpu: &'a str,
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
    /// The machines that compute prompts and nothing else, where the others only write answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Prefill>,
    /// Where the speeds are from: `request` where the caller has measured them, else `derived`.
    pub speed_origin: Origin,
    /// Why these: how many were compared.
    #[schema(example = "the cheapest of 312 that fit and keep the limits")]
    pub reason: String,
    /// Speeds of the operator's own that moved the predicted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibrated_by: Option<CalibratedBy<'a>>,
    /// What comes next, cheapest first.
    pub runners_up: Vec<RunnerUp<'a>>,
    /// What would stand among them, at prices that nobody has seen for too long.
    pub stale: Vec<RunnerUp<'a>>,
}

/// Speeds of the same model on the same accelerator that an operator measured himself, and what they did to the
/// predicted one. Its range is narrower for them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CalibratedBy<'a> {
    /// The rows, as `references` names them, newest first.
    #[schema(value_type = Vec<String>, example = json!(["published_throughput:our-cluster-1"]))]
    pub measurements: Vec<Ref<'a>>,
    /// Geometric mean of measured over predicted speed, rows alike counting most.
    #[schema(example = 0.91)]
    pub measured_over_predicted: f64,
    /// How much of that counts: the more, the more rows there are.
    #[schema(example = 0.5)]
    pub share: f64,
    /// What the predicted speed was multiplied by: `measured_over_predicted^share`.
    #[schema(example = 0.954)]
    pub factor: f64,
}

/// A pool that computes prompts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Prefill {
    /// How many accelerators a replica of it has.
    #[schema(example = 8)]
    pub gpus_per_replica: u32,
    /// How many replicas.
    #[schema(example = 3.0)]
    pub replicas: f64,
    /// How one of them divides the model; empty where speeds were measured.
    pub parallelism: Parallelism,
}

/// Something else that would do.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RunnerUp<'a> {
    /// The accelerator.
    #[schema(example = "h200-sxm-141gb")]
    pub gpu: &'a str,
    /// How many of them a replica has.
    #[schema(example = 2)]
    pub gpus_per_replica: u32,
    /// How many replicas.
    #[schema(example = 3.0)]
    pub replicas: f64,
    /// How a replica divides the model.
    pub parallelism: Parallelism,
    /// Why not this.
    #[schema(example = "12 % dearer for each output token")]
    pub reason: String,
}

impl From<Layout> for Parallelism {
    fn from(layout: Layout) -> Self {
        let Layout { tensor, pipeline, expert, attention_data } = layout;
        Self {
            tensor: Some(tensor),
            pipeline: Some(pipeline),
            expert: Some(expert),
            attention_data: Some(attention_data),
        }
    }
}
