//! The request of an ownership: the machines, and what holding them costs.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    catalog::time::AsOf,
    estimate::{
        figure::{Figure, Price},
        hardware::request::{Amortization, GpuGiven, Owned, Power, Staff},
        object::Object,
        request::{Tags, each_once},
    },
};

/// Buying machines and running them; everything left out but the machines and the years is an assumption (see
/// `/assumptions`). A mixed fleet is several of these.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ownership {
    /// Always `ownership`.
    pub kind: OwnershipKind,
    /// Your own name for it; comes back with the answer.
    #[schema(example = "cluster-2")]
    pub id: Option<String>,
    /// Your own description of it; comes back with the answer.
    #[schema(example = "our next cluster")]
    pub label: Option<String>,
    /// Your own words to group by.
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"team": "search"}))]
    #[serde(default, deserialize_with = "each_once")]
    pub tags: Tags,
    /// Whose prices, where it is not the request's `as_of`.
    #[schema(value_type = Option<String>, example = "2025-01-31")]
    pub as_of: Option<AsOf>,
    /// What is bought.
    #[schema(value_type = BoughtHardware)]
    pub hardware: Object<BoughtHardware>,
    /// For how many years; a year has 8760 hours.
    #[schema(value_type = f64, example = 4)]
    pub years: Figure,
    /// The day of the purchase; adds `by_month`, by when money moves: the purchase in the first month, what is left
    /// of it back in the last, all else evenly over the years.
    #[schema(value_type = Option<String>, format = Date, example = "2025-02-01")]
    pub start: Option<Date>,
    /// How the price is spread over the years. Default: annuity.
    pub amortization: Option<Amortization>,
    /// Used hours over all hours.
    pub utilization: Option<Figure>,
    /// What the server around the chip adds, as a factor. Default: 1 where the catalog's price is a share of a
    /// server, else an assumption.
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
    /// What borrowed money costs a year; only an annuity counts it.
    pub cost_of_capital: Option<Figure>,
    /// What is left of the price at the end; unused where amortization is economic.
    pub residual_fraction: Option<Figure>,
    /// People who run them, in all; `[]`: none. Default: an assumption per accelerator and year.
    #[schema(value_type = Option<Vec<Staff>>)]
    pub staff: Option<Vec<Object<Staff>>>,
}

impl Ownership {
    /// The same as it is said of machines that a workload owns.
    pub(super) fn owned(&self) -> Owned {
        Owned {
            price_each: self.hardware.price_each,
            currency: self.hardware.currency.clone(),
            years: Some(self.years),
            amortization: self.amortization,
            utilization: self.utilization,
            server_factor: self.server_factor,
            network_share: self.network_share,
            contracted_kw_per_gpu: self.contracted_kw_per_gpu,
            load_factor: self.load_factor,
            power: self.power.clone(),
            colocation_per_kw_month: self.colocation_per_kw_month,
            maintenance_fraction: self.maintenance_fraction,
            cost_of_capital: self.cost_of_capital,
            residual_fraction: self.residual_fraction,
            staff: self.staff.clone(),
        }
    }
}

/// Names the kind of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnershipKind {
    /// Buying machines and running them.
    Ownership,
}

/// Machines that are bought.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoughtHardware {
    /// The accelerator: a name of `/gpus`, or an object with its fields.
    pub gpu: GpuGiven,
    /// How many of them.
    #[schema(minimum = 1, example = 8)]
    pub count: u64,
    /// What one accelerator costs. Default: the catalog's purchase price at `as_of`.
    pub price_each: Option<Price>,
    /// Currency of `price_each` and of every other amount of this workload, but those of `staff`.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
}
