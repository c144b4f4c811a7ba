//! The machines of a request: which part, how many, and at which price.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    catalog::gpu::{Commitment, DenseTflops, Interconnect},
    estimate::{
        figure::{Figure, Price},
        object::Object,
    },
};

/// Machines for a training: rented at a price given, or at the catalog's, or owned.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingHardware {
    /// The accelerator: a name of `/gpus`, or an object with its fields.
    pub gpu: GpuGiven,
    /// How many of them.
    #[schema(minimum = 1, example = 2048)]
    pub count: Option<u64>,
    /// Finds the smallest count that makes it in so many days; instead of `count`.
    pub deadline_days: Option<Figure>,
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
    /// How the memory is divided. Default: whatever fits.
    #[schema(value_type = Option<Memory>)]
    pub memory: Option<Object<Memory>>,
}

/// An accelerator by name, or by its figures.
#[derive(Debug, Clone)]
pub enum GpuGiven {
    /// A name of the catalog.
    Name(String),
    /// Figures.
    Sheet(Box<GpuSheet>),
}

/// An accelerator that the catalog does not have, with the fields of `/gpus`; what is left out is unknown.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuSheet {
    /// What to call it.
    #[schema(example = "my accelerator")]
    pub name: Option<String>,
    /// Its generation, such as `Hopper`: where published runs are known for it, they say how busy it gets.
    #[schema(example = "Hopper")]
    pub architecture: Option<String>,
    /// Memory as labelled, in decimal GB.
    #[schema(example = 80)]
    pub memory_gb: Option<f64>,
    /// Memory that the driver reports, in bytes.
    #[schema(example = 85_520_809_984_u64)]
    pub memory_bytes: Option<f64>,
    /// Peak memory bandwidth, GB/s.
    #[schema(example = 3350)]
    pub memory_bandwidth_gbs: Option<f64>,
    /// Dense peaks by precision.
    #[serde(default)]
    #[schema(value_type = DenseTflops)]
    pub dense_tflops: Object<DenseTflops>,
    /// Scale-up link.
    #[schema(value_type = Option<Interconnect>)]
    pub interconnect: Option<Object<Interconnect>>,
    /// Fast link, one direction, GB/s.
    #[schema(example = 450)]
    pub peer_gbs_one_way: Option<f64>,
    /// Devices that the fast link joins.
    #[schema(example = 8)]
    pub fast_domain_gpus: Option<u32>,
    /// Thermal design power, W.
    #[schema(example = 700)]
    pub tdp_w: Option<f64>,
    /// The usual server at full power, kW.
    #[schema(example = 10.2)]
    pub server_max_power_kw: Option<f64>,
    /// Devices in the usual server.
    #[schema(example = 8)]
    pub gpus_per_server: Option<u32>,
}

/// What owning the machines costs; everything left out is an assumption (see `/assumptions`).
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// What one accelerator costs. Default: the catalog's purchase price at `as_of`.
    pub price_each: Option<Price>,
    /// Currency of every amount in here.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Over how many years.
    #[schema(value_type = Option<f64>, example = 4)]
    pub years: Option<Figure>,
    /// How the price is spread over them. Default: annuity.
    pub amortization: Option<Amortization>,
    /// Used hours over all hours.
    pub utilization: Option<Figure>,
    /// What the server around the chip adds, as a factor.
    pub server_factor: Option<Figure>,
    /// The network's share of the whole.
    pub network_share: Option<Figure>,
    /// Power that is contracted for each accelerator, kW.
    pub contracted_kw_per_gpu: Option<Figure>,
    /// Average over maximum draw.
    pub load_factor: Option<Figure>,
    /// Electricity.
    #[schema(value_type = Option<Power>)]
    pub power: Option<Object<Power>>,
    /// Rent of the place, per contracted kW and month.
    pub colocation_per_kw_month: Option<Price>,
    /// Spares and repairs, a year, as a share of what was bought.
    pub maintenance_fraction: Option<Figure>,
    /// What borrowed money costs a year.
    pub cost_of_capital: Option<Figure>,
    /// What is left of the price at the end.
    pub residual_fraction: Option<Figure>,
    /// People who run them; `[]`: none. Default: an assumption per accelerator and year.
    #[schema(value_type = Option<Vec<Staff>>)]
    pub staff: Option<Vec<Object<Staff>>>,
}

/// Electricity.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// Price of a kilowatt-hour.
    pub price_per_kwh: Option<Price>,
    /// Energy of the whole place over that of the machines.
    pub pue: Option<Figure>,
    /// Region whose price is taken where none is given (see `/energy-prices`).
    #[schema(example = "us")]
    pub region: Option<String>,
}

/// How a purchase is spread over the years.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amortization {
    /// The same share of what it loses every year.
    StraightLine,
    /// Equal yearly payments, with the cost of capital.
    #[default]
    Annuity,
    /// By what newer machines do to its worth.
    Economic,
}

/// People.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// Who.
    #[schema(example = "researchers")]
    pub label: String,
    /// How many.
    pub people: Figure,
    /// For how many months. Default: as long as the workload takes.
    pub months: Option<Figure>,
    /// What one costs a month, all in.
    pub monthly_cost: Price,
    /// Currency of `monthly_cost`.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
}

/// How a training divides what has to be in memory.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The optimiser. Default: Adam with 32-bit states.
    pub optimizer: Option<Optimizer>,
    /// What is divided among GPUs. Default: everything (as `ZeRO`-3 or FSDP).
    pub sharding: Option<Sharding>,
    /// What is computed again instead of kept. Default: what it takes to fit, least first.
    pub recomputation: Option<Recomputation>,
    /// GPUs that split each layer. Default: 1, or what it takes to fit.
    #[schema(minimum = 1, example = 8)]
    pub tensor_parallel: Option<u32>,
    /// GPUs that split the layers among them. Default: 1.
    #[schema(minimum = 1, example = 1)]
    pub pipeline_parallel: Option<u32>,
    /// GPUs that split each sequence. Default: 1, or what it takes to fit.
    #[schema(minimum = 1, example = 1)]
    pub context_parallel: Option<u32>,
    /// Sequences in one step of one GPU. Default: 1.
    #[schema(minimum = 1, example = 1)]
    pub micro_batch: Option<u32>,
}

/// What keeps the states of training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Adam with 32-bit master weights, gradients and moments.
    #[default]
    Adam,
    /// Adam with 8-bit moments.
    #[serde(rename = "adam_8bit")]
    Adam8bit,
    /// 8-bit weights, 32-bit master weights and gradients, 16-bit moments (DeepSeek-V3).
    #[serde(rename = "adam_bf16_moments")]
    AdamBf16Moments,
    /// Muon: one moment.
    Muon,
}

/// What is divided among the GPUs that see different data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharding {
    /// Nothing.
    None,
    /// The optimiser's states (`ZeRO`-1, distributed optimiser).
    Optimizer,
    /// Weights, gradients and states (`ZeRO`-3, FSDP).
    #[default]
    Full,
}

/// What the backward pass computes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recomputation {
    /// Nothing.
    None,
    /// The core of attention.
    Selective,
    /// Everything.
    Full,
}

impl<'de> Deserialize<'de> for GpuGiven {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrSheet;

        impl<'de> serde::de::Visitor<'de> for NameOrSheet {
            type Value = GpuGiven;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name, or an object with the fields of /gpus")
            }

            fn visit_str<E>(self, name: &str) -> Result<GpuGiven, E> {
                Ok(GpuGiven::Name(name.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<GpuGiven, A::Error> {
                let reader = serde::de::value::MapAccessDeserializer::new(map);
                GpuSheet::deserialize(reader).map(|sheet| GpuGiven::Sheet(Box::new(sheet)))
            }
        }

        deserializer.deserialize_any(NameOrSheet)
    }
}

impl utoipa::PartialSchema for GpuGiven {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, schema::Type};
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(Ref::from_schema_name("GpuSheet"))
            .description(Some("An accelerator: a name of `/gpus`, or an object with its fields."))
            .examples(["h100-sxm5-80gb"])
            .into()
    }
}

impl ToSchema for GpuGiven {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("GpuSheet".to_owned(), <GpuSheet as utoipa::PartialSchema>::schema()));
        <GpuSheet as ToSchema>::schemas(schemas);
    }
}
