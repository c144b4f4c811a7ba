//! The request of a serving: the model, the machines, the load, and the service level.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    catalog::{gpu::Commitment, model::Architecture, time::AsOf},
    estimate::{
        figure::{Figure, Price},
        hardware::request::{GpuGiven, Owned, Staff},
        object::Object,
        request::{Tags, each_once},
        subject::{ArchitectureFrom, Named},
        training::{request::Other, stage::ServingKind},
    },
};

/// Running a model yourself.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// Always `serving`.
    pub kind: ServingKind,
    /// Your own name for it; comes back with the answer.
    #[schema(example = "chat")]
    pub id: Option<String>,
    /// Your own description of it; comes back with the answer.
    #[schema(example = "the assistant, self-hosted")]
    pub label: Option<String>,
    /// Your own words to group by.
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"team": "search"}))]
    #[serde(default, deserialize_with = "each_once")]
    pub tags: Tags,
    /// Whose prices, where it is not the request's `as_of`; engines get faster with the years.
    #[schema(value_type = Option<String>, example = "2026-11-24")]
    pub as_of: Option<AsOf>,
    /// A model of the catalog whose shape is known.
    #[schema(example = "llama-3.1-70b")]
    pub model: Option<String>,
    /// The shape, in full or in part; `params_total` alone is enough.
    #[schema(value_type = Option<Architecture>, example = json!({"params_total": 7.0e9}))]
    pub architecture: Option<Object<Architecture>>,
    /// The shape as somebody else wrote it down.
    #[schema(value_type = Option<ArchitectureFrom>)]
    pub architecture_from: Option<Object<ArchitectureFrom>>,
    /// In which formats weights and the cache are kept.
    #[schema(value_type = Option<ServingPrecision>)]
    pub precision: Option<Object<ServingPrecision>>,
    /// What serves it: `vllm`, `sglang`, `trtllm` or `llama.cpp`. Default: any.
    #[schema(example = "vllm")]
    pub engine: Option<String>,
    /// The machines. Default: the cheapest that do.
    #[serde(default)]
    #[schema(value_type = Option<ServingHardware>)]
    pub hardware: Object<ServingHardware>,
    /// How a replica divides the model; what is left out is searched for.
    #[serde(default)]
    #[schema(value_type = Option<Parallelism>)]
    pub parallelism: Object<Parallelism>,
    /// What is asked of it.
    #[schema(value_type = Traffic)]
    pub traffic: Object<Traffic>,
    /// How fast it has to be.
    #[serde(default)]
    #[schema(value_type = Option<Slo>)]
    pub slo: Object<Slo>,
    /// Speeds that you have measured; they win over modelled ones.
    #[schema(value_type = Option<Measured>)]
    pub measured: Option<Object<Measured>>,
    /// Whether prompts are computed by machines of their own, and answers by others.
    #[serde(default)]
    #[schema(example = false)]
    pub disaggregated: bool,
    /// For how many hours the machines are kept. With it, hours are paid in whole terms of a reservation; without it, a
    /// month of a longer stay is quoted.
    #[schema(value_type = Option<Figure>, default = 730)]
    pub hours: Option<Figure>,
    /// People.
    #[serde(default)]
    #[schema(value_type = Vec<Staff>)]
    pub staff: Vec<Object<Staff>>,
    /// Whatever else.
    #[serde(default)]
    #[schema(value_type = Vec<Other>)]
    pub other: Vec<Object<Other>>,
    /// Days after which a price of the catalog that nobody has seen again is old.
    #[schema(default = 90, minimum = 0, example = 90)]
    pub max_price_age_days: Option<Figure>,
}

impl Serving {
    /// The ways in which it names its model.
    pub(super) fn named(&self) -> Named<'_> {
        Named {
            model: self.model.as_deref(),
            architecture: self.architecture.as_ref(),
            architecture_from: self.architecture_from.as_ref(),
        }
    }
}

/// Number formats: `bf16`, `fp16`, `fp8`, `int8`, `int4`, `nvfp4`, `mxfp4`, `q4_k_m`.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServingPrecision {
    /// Of the weights. Default: as the model was released, where the accelerator has that; else `bf16`.
    #[schema(example = "fp8")]
    pub weights: Option<String>,
    /// Of keys and values.
    #[schema(default = "bf16", example = "fp8")]
    pub kv_cache: Option<String>,
}

/// Machines that serve: rented at a price given, or at the catalog's, or owned.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServingHardware {
    /// The accelerator: a name of `/gpus`, or an object with its fields. Default: the cheapest with a price.
    pub gpu: Option<GpuGiven>,
    /// Accelerators of one replica. Default: the cheapest number.
    #[schema(minimum = 1, example = 4)]
    pub gpus_per_replica: Option<u32>,
    /// Copies of the model; a mean over the hours need not be whole. Default: as many as the load takes; one for users
    /// that are always busy.
    pub replicas: Option<Figure>,
    /// Replicas beyond those that the load takes, for when one fails or is restarted; of open loads only. Default: one,
    /// or a tenth where that is more.
    #[schema(value_type = Option<Figure>, example = 1)]
    pub spare_replicas: Option<Figure>,
    /// What one accelerator costs for an hour; wins over the catalog.
    pub price_per_gpu_hour: Option<Price>,
    /// Currency of `price_per_gpu_hour`.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Whose rental prices. Default: everybody's, the median with the extremes as its range.
    #[schema(example = "aws")]
    pub provider: Option<String>,
    /// `hyperscaler`, `neocloud` or `marketplace`: the market of one class of provider.
    #[schema(example = "neocloud")]
    pub provider_kind: Option<String>,
    /// Where they stand, in the provider's words.
    #[schema(example = "us-east-1")]
    pub region: Option<String>,
    /// How their hours are bought. Default: on demand.
    pub commitment: Option<Commitment>,
    /// They are bought, not rented: one price per used hour from what owning them costs.
    #[schema(value_type = Option<Owned>)]
    pub owned: Option<Object<Owned>>,
    /// Region of the electricity, for energy and CO2 (see `/energy-prices`). Default: `us`.
    #[schema(example = "us")]
    pub energy_region: Option<String>,
}

/// How a replica divides the model: it has `tensor * pipeline * attention_data` accelerators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Parallelism {
    /// Accelerators that split each layer.
    #[schema(minimum = 1, example = 4)]
    pub tensor: Option<u32>,
    /// Stages, each with its layers.
    #[schema(minimum = 1, example = 1)]
    pub pipeline: Option<u32>,
    /// Accelerators that divide the experts among them.
    #[schema(minimum = 1, example = 1)]
    pub expert: Option<u32>,
    /// Ranks that each attend to requests of their own.
    #[schema(minimum = 1, example = 1)]
    pub attention_data: Option<u32>,
}

/// Requests, and ONE load: `requests_per_second`, `requests_per_month`, `concurrency` or `saturated`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Tokens of a request's input, mean.
    pub input_tokens: Figure,
    /// Tokens of its output, mean.
    pub output_tokens: Figure,
    /// Share of the input whose keys and values are there already.
    #[schema(value_type = Option<Figure>, default = 0.0)]
    pub cached_input_fraction: Option<Figure>,
    /// Requests a second at the peak, over the mean.
    #[schema(value_type = Option<Figure>, default = 2.5)]
    pub peak_to_mean: Option<Figure>,
    /// Requests a second, mean.
    pub requests_per_second: Option<Figure>,
    /// Requests in 730 hours.
    pub requests_per_month: Option<Figure>,
    /// Users that are always busy, over all replicas.
    pub concurrency: Option<Figure>,
    /// As much as fits, all the time.
    #[serde(default)]
    #[schema(example = false)]
    pub saturated: bool,
}

/// Limits of time at the 99th percentile.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Slo {
    /// To the first token, milliseconds.
    #[schema(value_type = Option<Figure>)]
    pub ttft_ms: Option<Figure>,
    /// For each token that follows, milliseconds.
    #[schema(value_type = Option<Figure>)]
    pub tpot_ms: Option<Figure>,
}

/// Speeds of the caller's own benchmarks, at this load and on this hardware: either of replicas that compute prompts and
/// answers together, or of two pools that do one each.
///
/// They are taken as what is sustained in service: nothing is added for chance, and limits of time are not checked.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Together: output tokens a second for each accelerator of a busy replica, prompts computed beside.
    #[schema(value_type = Option<Figure>, example = 2209)]
    pub output_tokens_per_second_per_gpu: Option<Figure>,
    /// Apart: input tokens a second that an accelerator of the prefill pool computes; cached ones are not counted.
    #[schema(value_type = Option<Figure>, example = 4030)]
    pub prefill_tokens_per_second_per_gpu: Option<Figure>,
    /// Apart: output tokens a second of an accelerator of the decode pool.
    #[schema(value_type = Option<Figure>, example = 1850)]
    pub decode_tokens_per_second_per_gpu: Option<Figure>,
}
