//! What a quote of an ownership says besides its lines.

use serde::Serialize;
use utoipa::ToSchema;

use crate::estimate::metric::Metric;

/// Machines that are bought, as a whole; money is in the currency of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OwnershipMetrics {
    /// How many accelerators.
    pub gpus: Metric,
    /// Hours of the years that are asked about: 8760 each.
    pub period_hours: Metric,
    /// Hours of all accelerators, used or not.
    pub gpu_hours: Metric,
    /// Hours of all accelerators that are used.
    pub used_gpu_hours: Metric,
    /// The total over the used hours.
    pub price_per_used_gpu_hour: Metric,
    /// The total over all hours.
    pub price_per_gpu_hour: Metric,
    /// What all of it costs to buy: accelerators, servers and network.
    pub capex: Metric,
    /// The same for one accelerator.
    pub capex_per_gpu: Metric,
    /// Electricity, place, upkeep and people of one year.
    pub operating_per_year: Metric,
    /// The total over the years.
    pub cost_per_year: Metric,
    /// Power that is contracted.
    pub contracted_kw: Metric,
    /// Electricity, of the machines and their cooling.
    pub energy_kwh: Metric,
    /// Carbon dioxide of that electricity, by the region's grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co2_kg: Option<Metric>,
}

impl OwnershipMetrics {
    /// Whether every figure can be written.
    pub(super) fn is_finite(&self) -> bool {
        let Self { gpus, period_hours, gpu_hours, used_gpu_hours, price_per_used_gpu_hour, .. } = self;
        let Self { price_per_gpu_hour, capex, capex_per_gpu, operating_per_year, cost_per_year, .. } = self;
        let Self { contracted_kw, energy_kwh, co2_kg, .. } = self;
        let counts = [gpus, period_hours, gpu_hours, used_gpu_hours, contracted_kw, energy_kwh];
        let money = [price_per_used_gpu_hour, price_per_gpu_hour, capex, capex_per_gpu, operating_per_year];
        let mut all = counts.into_iter().chain(money).chain([cost_per_year]).chain(co2_kg);
        all.all(Metric::is_finite)
    }
}
