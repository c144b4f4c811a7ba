//! What accelerators draw, and the carbon dioxide that stands for.

use super::part::Part;
use crate::{
    catalog::{energy::EnergyPrice, names, rows::Versioned, time::start_of_day},
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        quote::{Ref, Reference, RowConditions},
        shape::cut,
        uncertain::Uncertain,
    },
};

/// Electricity of the United States, where nothing else is said.
pub(super) const DEFAULT_REGION: &str = "us";

/// What a workload draws.
#[derive(Debug, Clone)]
pub(crate) struct Energy {
    pub(crate) kwh: Uncertain,
    /// None where the region's grid is not known.
    pub(crate) co2_kg: Option<Uncertain>,
}

/// The energy of some hours of an accelerator, building included, and its carbon dioxide:
/// `kWh = gpu_hours * kWh_per_gpu_hour`, `kg = kWh * kg_per_kWh` of the grid of `region` (default `us`).
///
/// What was measured for a part wins: the assumption `energy.kwh_per_gpu_hour.*`. Else
/// `kWh_per_gpu_hour = TDP_kW * server_power_factor * load_factor * PUE` (Epoch AI, training-cost-trends), with the
/// PUE of hyperscalers where `provider_kind` says so. None, and a fault, where the region is not known; none
/// where the design power is not: nothing is charged for energy, so that is no fault.
pub(crate) fn energy<'a>(
    desk: &mut Desk<'a, '_>,
    part: &Part<'a>,
    region: Option<&str>,
    provider_kind: Option<&str>,
    gpu_hours: &Uncertain,
) -> Option<Energy> {
    let grid = grid(desk, "/hardware/energy_region", region);
    let per_hour = kwh_per_gpu_hour(desk, part, provider_kind)?;
    let kwh = gpu_hours * &per_hour;
    let co2_kg = grid.and_then(|row| row.row.kg_co2_per_kwh).map(|kg| kwh.times(kg));
    Some(Energy { kwh, co2_kg })
}

fn kwh_per_gpu_hour<'a>(
    desk: &mut Desk<'a, '_>,
    part: &Part<'a>,
    provider_kind: Option<&str>,
) -> Option<Uncertain> {
    if let Some(family) = part.family().filter(|_| !part.is_pcie()) {
        let measured = format!("energy.kwh_per_gpu_hour.{family}");
        if desk.view().assumption(&measured, desk.instant()).is_some() {
            return desk.assumption(&measured).map(|per_hour| per_hour.value);
        }
    }
    let design_kw = part.tdp_w? / 1000.0;
    let server = server_power_factor(desk, part)?;
    let load = load_factor(desk, part)?;
    let pue = match provider_kind {
        Some("hyperscaler") => desk.assumption("energy.pue.hyperscale"),
        _ => desk.assumption("energy.pue.other"),
    }?;
    Some((&(&server.value * &load.value) * &pue.value).times(design_kw))
}

/// Maximum power of a server for each accelerator, by the design power of that.
pub(super) fn server_power_factor<'a>(desk: &mut Desk<'a, '_>, part: &Part<'a>) -> Option<Sourced<'a>> {
    of_family(desk, part, "energy.server_power_factor")
}

/// Mean by maximum draw.
pub(super) fn load_factor<'a>(desk: &mut Desk<'a, '_>, part: &Part<'a>) -> Option<Sourced<'a>> {
    let tpu = part.family() == Some("tpu");
    desk.assumption(if tpu { "energy.load_factor.tpu" } else { "energy.load_factor.gpu" })
}

/// A default that some parts have for themselves: `<id>.h100`, else `<id>.other`.
pub(super) fn of_family<'a>(desk: &mut Desk<'a, '_>, part: &Part<'a>, id: &str) -> Option<Sourced<'a>> {
    let other = format!("{id}.other");
    match part.family() {
        Some(family) => desk.assumption_of(&[&format!("{id}.{family}"), &other]),
        None => desk.assumption(&other),
    }
}

/// The electricity of a region (default `us`) on the day asked about; none, and a fault, where nobody knows the
/// region; none where nothing is known of that day.
pub(crate) fn grid<'a>(
    desk: &mut Desk<'a, '_>,
    field: &str,
    region: Option<&str>,
) -> Option<&'a Versioned<EnergyPrice>> {
    let view = desk.view();
    let name = region.unwrap_or(DEFAULT_REGION).to_lowercase();
    if let Some(row) = view.energy_price(&name, desk.instant()) {
        cite(desk, row);
        return Some(row);
    }
    let known = || view.known(&view.snapshot().history().energy_prices).map(|row| row.row.region.as_str());
    if region.is_some() && !known().any(|region| region == name) {
        let near = names::near(&name, known());
        desk.fault(field, FaultKind::UnknownRegion { name: cut(&name), near });
    }
    None
}

/// A row as lines cite it.
pub(super) fn reference(row: &Versioned<EnergyPrice>) -> Ref<'_> {
    Ref::EnergyPrice(&row.row.region)
}

fn cite<'a>(desk: &mut Desk<'a, '_>, row: &'a Versioned<EnergyPrice>) {
    desk.references.add(reference(row), || Reference {
        source: row.row.source.as_deref(),
        observed_at: row.row.observed_at,
        effective_from: start_of_day(row.row.effective_from),
        effective_to: row.row.effective_to.and_then(start_of_day),
        conditions: RowConditions::Always {},
        value: None,
        note: row.row.note.as_deref(),
        revision: row.introduced.0,
    });
}
