//! The core of serving by itself: one layout that is given, and the search over all parts, sizes and layouts.
//!
//! `cargo bench --bench serving`

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use farthing::{
    catalog::edition,
    estimate::{estimate, request::EstimateRequest},
};

/// Nothing is left open.
const FIXED: &str = r#"{"kind": "serving", "model": "llama-3.1-70b", "as_of": "2026-08-01", "engine": "vllm",
    "precision": {"weights": "fp8", "kv_cache": "fp8"},
    "hardware": {"gpu": "h100-sxm5-80gb", "gpus_per_replica": 4, "price_per_gpu_hour": "2.50"},
    "parallelism": {"tensor": 4, "pipeline": 1, "expert": 1, "attention_data": 1},
    "traffic": {"input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10}, "slo": {"tpot_ms": 50}}"#;

/// Part, size and layout are left open, under a limit of time.
const DENSE: &str = r#"{"kind": "serving", "model": "llama-3.1-70b", "as_of": "2026-08-01",
    "traffic": {"input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10}, "slo": {"tpot_ms": 50}}"#;

/// The same of a mixture of 256 experts: the most layouts there are.
const MIXTURE: &str = r#"{"kind": "serving", "model": "deepseek-v3", "as_of": "2026-08-01",
    "traffic": {"input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10}, "slo": {"tpot_ms": 50}}"#;

/// The same in two pools.
const POOLS: &str = r#"{"kind": "serving", "model": "deepseek-v3", "as_of": "2026-08-01", "disaggregated": true,
    "traffic": {"input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10}, "slo": {"tpot_ms": 50}}"#;

fn quotes(bench: &mut Criterion) {
    let snapshot = edition::built_in_snapshot().unwrap();
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let mut group = bench.benchmark_group("serving");
    for (name, request) in [
        ("one layout", FIXED),
        ("search, dense", DENSE),
        ("search, mixture", MIXTURE),
        ("search, pools", POOLS),
    ] {
        let request = EstimateRequest::parse(request.as_bytes()).unwrap();
        assert!(estimate(&request, &snapshot, now).is_ok());
        group.bench_function(name, |b| {
            b.iter(|| black_box(estimate(black_box(&request), &snapshot, now).is_ok()));
        });
    }
    group.finish();
}

criterion_group!(benches, quotes);
criterion_main!(benches);
