//! What is told of machines besides their lines.

use super::{answer::OwnershipMetrics, request::Ownership};
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::Desk,
        exchange::Conversion,
        hardware::{
            energy::grid,
            owned::{HOURS_PER_YEAR, Owning},
        },
        metric::Metric,
        uncertain::Uncertain,
    },
};

impl<'a> Desk<'a, '_> {
    /// The figures; none, and a fault, where the region of the electricity or a currency is not known.
    pub(super) fn ownership_metrics(
        &mut self,
        item: &'a Ownership,
        owning: &Owning<'a>,
        count: f64,
    ) -> Option<OwnershipMetrics> {
        let region = item.power.as_ref().and_then(|power| power.region.as_deref());
        let kg_per_kwh = grid(self, "/power/region", region).and_then(|row| row.row.kg_co2_per_kwh);
        let rate = if owning.currency == self.scope.currency {
            1.0
        } else {
            self.conversion(owning.currency).as_ref().map(Conversion::factor)?
        };
        let told = Told { owning, count, rate, currency: self.scope.currency };
        Some(told.metrics(kg_per_kwh))
    }
}

/// What is told, of how many, and in which currency.
struct Told<'o, 'a> {
    owning: &'o Owning<'a>,
    count: f64,
    /// Units of the answer's currency for one of the purchase's.
    rate: f64,
    currency: Currency,
}

impl Told<'_, '_> {
    fn metrics(&self, kg_per_kwh: Option<f64>) -> OwnershipMetrics {
        let Self { owning, count, .. } = self;
        let terms = &owning.terms;
        let hours = terms.years.value.times(HOURS_PER_YEAR);
        let used = &hours * &terms.utilization.value;
        let energy = owning.lines.iter().filter(|line| line.code == "energy");
        let energy = Uncertain::sum(energy.map(|line| &line.charge.quantity)).times(*count);
        let (installed, operating) = (owning.installed(), owning.operating_per_year());
        OwnershipMetrics {
            gpus: Metric::exact(*count, "gpu"),
            period_hours: Metric::of(&hours, "hour"),
            gpu_hours: Metric::of(&hours.times(*count), "gpu_hour"),
            used_gpu_hours: Metric::of(&used.times(*count), "gpu_hour"),
            price_per_used_gpu_hour: self.money(&owning.price_per_used_gpu_hour, 1.0),
            price_per_gpu_hour: self.money(&(&owning.total / &hours), 1.0),
            capex: self.money(&installed, *count),
            capex_per_gpu: self.money(&installed, 1.0),
            operating_per_year: self.money(&operating, *count),
            cost_per_year: self.money(&owning.cost_per_year(), *count),
            contracted_kw: Metric::of(&terms.contracted_kw.value.times(*count), "kW"),
            co2_kg: kg_per_kwh.map(|kg| Metric::of(&energy.times(kg), "kg")),
            energy_kwh: Metric::of(&energy, "kWh"),
        }
    }

    /// Money for so many; where costs and what is left cancel out, the last bits may fall below zero.
    fn money(&self, each: &Uncertain, count: f64) -> Metric {
        let sum = each.times(count * self.rate);
        let sum = if sum.mid() < 0.0 { sum.map(|sum| sum.max(0.0)) } else { sum };
        Metric::of(&sum, self.currency)
    }
}
