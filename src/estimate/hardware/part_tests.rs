//! Parts of the catalog, and parts that a request describes.

use proptest::prelude::*;
use serde_json::json;

use super::{
    part::Part,
    request::GpuGiven,
    testing::{BUILT_IN, Seen, at, named},
};
use crate::estimate::{fault::FaultKind, quote::Origin, training::stage::Precision};

fn find(given: &'static GpuGiven) -> Seen<Option<Part<'static>>> {
    at(&BUILT_IN, "2026-11-24", |desk| Part::find(desk, given))
}

fn part(name: &str) -> Part<'static> {
    find(named(name)).done.unwrap()
}

fn described(sheet: &serde_json::Value) -> &'static GpuGiven {
    Box::leak(Box::new(serde_json::from_str(&sheet.to_string()).unwrap()))
}

#[test]
fn a_part_is_found_by_name_alias_and_in_any_case() {
    for name in ["h100-sxm5-80gb", "H100", "h100 SXM5"] {
        assert_eq!(part(name).name, "h100-sxm5-80gb");
    }
    let seen = find(named("h100-sxm5-80bg"));
    let FaultKind::UnknownGpu { near, .. } = &seen.faults[0].kind else { panic!("{:?}", seen.faults) };
    assert_eq!((seen.fault().0, near[0].as_str()), ("/hardware/gpu", "h100-sxm5-80gb"));
}

#[test]
fn peaks_are_dense_and_in_flop_a_second() {
    let h100 = part("H100");
    assert_eq!(h100.reference_peak(), Some((Precision::Bf16, 989.4e12)));
    assert_eq!(h100.peak(Precision::Fp8), Some(1978.9e12));
    assert_eq!(h100.peak(Precision::Mxfp8), None);
    let b200 = part("B200");
    assert_eq!(
        [Precision::Mxfp8, Precision::Nvfp4].map(|precision| b200.peak(precision)),
        [Some(4500e12), Some(9000e12)]
    );
    assert_eq!(part("MI355X").peak(Precision::Nvfp4), None, "nobody else's format");
}

#[test]
fn parts_without_bf16_are_measured_by_fp16() {
    for (name, peak) in [("V100", 125e12), ("P100-SXM2", 21.2e12), ("T4", 65e12)] {
        let part = part(name);
        assert_eq!(part.reference_peak(), Some((Precision::Fp16, peak)));
        assert_eq!(part.default_precision(), Precision::Fp16);
        let refusal = part.check_precision(Precision::Bf16).unwrap_err();
        assert!(
            matches!(&refusal, FaultKind::PrecisionLacking { has, .. } if has.contains("fp16")),
            "{refusal}"
        );
        part.check_precision(Precision::Fp16).unwrap();
    }
}

#[test]
fn memory_is_what_the_driver_reports_or_else_assumed_from_the_label() {
    let of = |name: &str| at(&BUILT_IN, "2026-11-24", |desk| part(name).memory(desk)).done.unwrap();
    let known = of("H100");
    assert_eq!((known.value.mid(), known.origin), (85.5e9, Origin::Catalog));
    let assumed = of("V100");
    assert!((assumed.value.mid() - 16e9 * 1.066).abs() < 1.0);
    assert_eq!(assumed.origin, Origin::Assumption);
    assert!(assumed.value.range().is_some());
}

#[test]
fn a_described_part_is_asked_only_for_what_is_needed() {
    let seen = find(described(&json!({"name": "mine"})));
    let mine = seen.done.unwrap();
    let needed = at(&BUILT_IN, "2026-11-24", |desk| {
        assert!(mine.need_reference_peak(desk).is_none() && mine.need_reference_peak(desk).is_none());
        assert!(mine.memory(desk).is_none() && mine.need_memory_bandwidth(desk).is_none());
    });
    let places: Vec<&str> = needed.faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(places, ["/hardware/gpu/dense_tflops", "/hardware/gpu", "/hardware/gpu"], "each once");
    let sheet = described(&json!({"dense_tflops": {"bf16": 400, "fp8": 800, "fp4": 1600}, "memory_gb": 96}));
    let mine = find(sheet).done.unwrap();
    assert_eq!(mine.peak(Precision::Nvfp4), Some(1600e12));
    assert_eq!(mine.peak(Precision::Mxfp8), Some(800e12));
    assert_eq!(mine.family(), None);
}

#[test]
fn figures_that_make_no_sense_are_refused_where_they_stand() {
    let seen = find(described(&json!({"memory_gb": 0, "tdp_w": -700, "gpus_per_server": 0,
        "dense_tflops": {"bf16": 1e300}, "interconnect": {"type": "x", "gbs_per_gpu_bidirectional": -1}})));
    let places: Vec<&str> = seen.faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/hardware/gpu/memory_gb",
            "/hardware/gpu/dense_tflops/bf16",
            "/hardware/gpu/interconnect/gbs_per_gpu_bidirectional",
            "/hardware/gpu/tdp_w",
            "/hardware/gpu/gpus_per_server"
        ]
    );
    assert!(seen.done.is_none());
}

#[test]
fn a_link_known_only_in_both_directions_is_half_of_that_in_one() {
    assert_eq!(part("H100").peer_bandwidth, Some(450e9));
    assert_eq!(part("V100").peer_bandwidth, Some(150e9));
    assert_eq!(part("V100").fast_domain_gpus, Some(8), "those of its server");
    assert_eq!(part("H100").launch_date.map(jiff::civil::Date::year), Some(2022));
}

#[test]
fn every_part_of_the_catalog_has_a_peak_to_be_measured_by() {
    for row in &BUILT_IN.history().gpus {
        let part = part(row.row.id.as_str());
        part.check_precision(part.default_precision()).unwrap();
        assert!(part.memory_bandwidth.is_some(), "{}", part.name);
    }
}

proptest! {
    #[test]
    fn no_figure_panics_or_passes_unless_it_is_positive(figure in proptest::num::f64::ANY) {
        let sheet = super::request::GpuSheet { memory_gb: Some(figure), ..Default::default() };
        let seen = find(Box::leak(Box::new(GpuGiven::Sheet(Box::new(sheet)))));
        prop_assert_eq!(seen.done.is_some(), figure > 0.0 && figure <= 1e9);
    }
}
