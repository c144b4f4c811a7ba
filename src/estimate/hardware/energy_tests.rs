//! Energy and carbon dioxide.

use super::{
    energy::{Energy, energy},
    part::Part,
    testing::{BUILT_IN, Seen, at, named},
};
use crate::estimate::uncertain::Uncertain;

fn drawn(gpu: &str, region: Option<&str>, kind: Option<&str>, day: &str) -> Seen<Option<Energy>> {
    at(&BUILT_IN, day, |desk| {
        let part = Part::find(desk, named(gpu))?;
        energy(desk, &part, region, kind, &Uncertain::exact(1_000.0))
    })
}

fn kwh(gpu: &str, kind: Option<&str>) -> f64 {
    drawn(gpu, None, kind, "2026-11-24").done.unwrap().kwh.mid()
}

fn close(figure: f64, expected: f64) {
    assert!((figure / expected - 1.0).abs() < 1e-9, "{figure} {expected}");
}

#[test]
fn an_hour_of_an_h100_draws_what_was_measured() {
    let energy = drawn("H100", None, None, "2026-11-24").done.unwrap();
    close(energy.kwh.mid(), 900.0);
    let (low, high) = energy.kwh.range().unwrap();
    close(low, 650.0);
    close(high, 1_100.0);
    close(energy.co2_kg.unwrap().mid(), 900.0 * 0.379);
}

#[test]
fn others_draw_by_design_power_server_load_and_building() {
    close(kwh("a100-sxm4-80gb", None), 400.0 * 2.03 * 0.75 * 1.25);
    close(kwh("a100-sxm4-80gb", Some("hyperscaler")), 400.0 * 2.03 * 0.75 * 1.1);
    close(kwh("h100-pcie-80gb", None), 350.0 * 1.82 * 0.75 * 1.25);
    close(kwh("mi300x-192gb", None), 750.0 * 1.8 * 0.75 * 1.25);
    close(kwh("tpu-v4", None), 192.0 * 1.56 * 0.43 * 1.25);
}

#[test]
fn a_part_whose_power_is_unknown_has_no_energy_and_that_is_no_fault() {
    let seen = drawn("tpu-v5e", None, None, "2026-11-24");
    assert!(seen.done.is_none() && seen.faults.is_empty());
}

#[test]
fn the_grid_is_that_of_the_region_and_an_unknown_one_is_refused() {
    let of = |region| drawn("H100", region, None, "2026-11-24").done.unwrap().co2_kg;
    close(of(Some("SE")).unwrap().mid(), 900.0 * 0.026);
    assert!(of(Some("asia")).is_none(), "a price without a carbon intensity");
    let odd = drawn("H100", Some("uss"), None, "2026-11-24");
    assert_eq!(odd.fault().0, "/hardware/energy_region");
    assert!(odd.faults[0].kind.near().contains(&"us".to_owned()), "{:?}", odd.faults);
}

#[test]
fn a_day_before_the_first_figure_of_a_grid_has_energy_and_no_carbon_dioxide() {
    for (region, day) in [(Some("cn"), "2023-12-31"), (None, "2018-12-31")] {
        let seen = drawn("H100", region, None, day);
        assert!(seen.faults.is_empty(), "{:?}", seen.faults);
        assert!(seen.done.unwrap().co2_kg.is_none());
    }
    assert!(drawn("H100", Some("cn"), None, "2024-01-01").done.unwrap().co2_kg.is_some());
}
