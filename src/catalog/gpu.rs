//! Accelerators: what they are, and what renting or buying one costs.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ids::{GpuId, ProviderId},
    money::{Currency, decimal_text},
};

/// An accelerator's data sheet. Peaks are dense.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// The name used in requests.
    #[schema(value_type = String, example = "h100-sxm5-80gb")]
    pub id: GpuId,
    /// The name people know.
    #[schema(example = "H100 SXM5 80GB")]
    pub name: String,
    /// Spellings of price feeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["H100"]))]
    pub aliases: Vec<String>,
    /// Who makes it.
    #[schema(example = "NVIDIA")]
    pub vendor: String,
    /// Generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Hopper")]
    pub architecture: Option<String>,
    /// How it is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "SXM5")]
    pub form_factor: Option<String>,
    /// Memory as labelled, in decimal GB.
    #[schema(example = 80)]
    pub memory_gb: f64,
    /// Memory that the driver reports, in bytes; absent: not looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 85_520_809_984_u64)]
    pub memory_bytes: Option<u64>,
    /// Kind of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "HBM3")]
    pub memory_type: Option<String>,
    /// Peak memory bandwidth, GB/s.
    #[schema(example = 3350)]
    pub memory_bandwidth_gbs: f64,
    /// Dense peaks by precision.
    pub dense_tflops: DenseTflops,
    /// Whether the vendor also prints a doubled figure for 2:4 sparsity, never stored here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = true)]
    pub structured_sparsity: bool,
    /// Scale-up link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interconnect: Option<Interconnect>,
    /// Fast link, one direction, GB/s; absent: half the bidirectional figure is an assumption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 450)]
    pub peer_gbs_one_way: Option<f64>,
    /// Devices that the fast link joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub fast_domain_gpus: Option<u32>,
    /// Thermal design power, W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 700)]
    pub tdp_w: Option<f64>,
    /// The usual server at full power, kW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 10.2)]
    pub server_max_power_kw: Option<f64>,
    /// Devices in the usual server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub gpus_per_server: Option<u32>,
    /// The day it was announced or became available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2022-09-20")]
    pub launch_date: Option<Date>,
    /// Data sheets and tables the figures come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["NVIDIA H100 data sheet"]))]
    pub sources: Vec<String>,
    /// `high`, `medium`, or `low`: analyst figures that disagree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "high")]
    pub confidence: Option<String>,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "memory label is binary")]
    pub notes: Option<String>,
    /// URL or citation; null: none is known.
    #[schema(example = "NVIDIA H100 data sheet")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

/// Peak arithmetic, dense, FP32 accumulate, in TFLOPS (int8: TOPS). Absent: not supported or not published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DenseTflops {
    /// FP32 outside the tensor cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 66.9)]
    pub fp32: Option<f64>,
    /// TF32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 494.7)]
    pub tf32: Option<f64>,
    /// FP16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 989.4)]
    pub fp16: Option<f64>,
    /// BF16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 989.4)]
    pub bf16: Option<f64>,
    /// FP8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1978.9)]
    pub fp8: Option<f64>,
    /// INT8, in TOPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1978.9)]
    pub int8: Option<f64>,
    /// FP4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 9000.0)]
    pub fp4: Option<f64>,
}

/// The link between devices of one server or rack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Interconnect {
    /// What it is called.
    #[serde(rename = "type")]
    #[schema(example = "NVLink 4")]
    pub kind: String,
    /// GB/s for each device, both directions added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 900)]
    pub gbs_per_gpu_bidirectional: Option<f64>,
}

/// How an hour is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Commitment {
    /// By the hour, without notice.
    OnDemand,
    /// Left-over capacity that may be taken back.
    Spot,
    /// One year, effective hourly rate.
    #[serde(rename = "reserved_1y")]
    Reserved1y,
    /// Three years, effective hourly rate.
    #[serde(rename = "reserved_3y")]
    Reserved3y,
    /// A block of days paid in advance.
    CapacityBlock,
}

/// What an hour of an accelerator costs at one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuRental {
    /// Stable name of the row.
    #[schema(example = "rent-326a9c2756")]
    pub id: String,
    /// Who rents it out.
    #[schema(example = "aws")]
    pub provider: ProviderId,
    /// `hyperscaler`, `neocloud` or `marketplace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hyperscaler")]
    pub provider_kind: Option<String>,
    /// Where, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "us-east-1")]
    pub region: Option<String>,
    /// The provider's name of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "p5.48xlarge")]
    pub instance: Option<String>,
    /// The accelerator in it.
    #[schema(example = "h100-sxm5-80gb")]
    pub gpu: GpuId,
    /// How many of them the machine has.
    #[schema(example = 8)]
    pub gpu_count: u32,
    /// Money for one accelerator and one hour, host included, before tax.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "3.93")]
    pub price_per_gpu_hour: Decimal,
    /// Currency of the price.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// How it is bought.
    pub commitment: Commitment,
    /// First day on which the source showed the price.
    #[schema(value_type = String, format = Date, example = "2025-06-05")]
    pub effective_from: Date,
    /// First day on which another price holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    pub effective_to: Option<Date>,
    /// Last day on which the source still showed it.
    #[schema(value_type = String, format = Date, example = "2026-08-01")]
    pub last_seen: Date,
    /// `medium`: a directory or scrape; absent: the vendor's own feed or page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "medium")]
    pub confidence: Option<String>,
    /// Doubts and remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "community cloud tier")]
    pub note: Option<String>,
    /// URL or citation; null: none is known.
    #[schema(example = "AWS Price List API")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-08-01")]
    pub observed_at: Date,
}

/// What buying an accelerator, or a server full of them, costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuPurchase {
    /// The accelerator.
    #[schema(example = "h100-sxm5-80gb")]
    pub gpu: GpuId,
    /// `list`, `street`, `used`, `server_share`, `estimate`; or `server`: the price of a whole system.
    #[schema(example = "street")]
    pub kind: String,
    /// The system, where the price is a whole one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "DGX H100")]
    pub system: Option<String>,
    /// Accelerators in that system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 8)]
    pub gpus: Option<u32>,
    /// Money for one accelerator; for `server`, for the whole system.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "30000")]
    pub amount: Decimal,
    /// Currency of the price.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The day of the price.
    #[schema(value_type = String, format = Date, example = "2024-03-01")]
    pub effective_from: Date,
    /// URL or citation; null: none is known.
    #[schema(example = "https://www.nextplatform.com/")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

/// A level of the rental market that belongs to no provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketIndex {
    /// What is followed.
    #[schema(example = "H100 rental, market level")]
    pub series: String,
    /// The day of the level.
    #[schema(value_type = String, format = Date, example = "2024-02-28")]
    pub date: Date,
    /// What sort of figure it is.
    #[schema(example = "typical")]
    pub kind: String,
    /// Lower end, money for one accelerator and one hour.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "2.85")]
    pub price_per_gpu_hour_low: Decimal,
    /// Upper end.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "2.85")]
    pub price_per_gpu_hour_high: Decimal,
    /// Currency of both.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// URL or citation; null: none is known.
    #[schema(example = "Latent Space")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}
