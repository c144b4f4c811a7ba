//! Questions made of many quotes, in the core: sweeps of a call and of a serving, a comparison over all offerings.
//!
//! `cargo bench --bench decide`

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use farthing::{
    catalog::edition,
    decide::{
        compare::{CompareRequest, compare},
        sweep::{SweepRequest, sweep},
    },
};
use jiff::Timestamp;

/// A thousand numbers of calls.
const CALLS: &str = r#"{"request": {"provider": "openai", "model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}},
    "pointer": "/calls", "range": {"from": 1, "to": 1000, "steps": 1000}}"#;

/// A thousand loads of given machines.
const LOADS: &str = r#"{"request": {"kind": "serving", "model": "llama-3.1-70b",
    "hardware": {"gpu": "h100-sxm5-80gb", "gpus_per_replica": 4, "price_per_gpu_hour": "2.00"},
    "traffic": {"input_tokens": 1000, "output_tokens": 200, "requests_per_second": 1}},
    "pointer": "/traffic/requests_per_second", "range": {"from": 0.1, "to": 100, "steps": 1000, "scale": "log"}}"#;

/// A hundred loads of whatever machines are cheapest.
const SEARCHES: &str = r#"{"request": {"kind": "serving", "model": "llama-3.1-70b", "as_of": "2026-07-01",
    "traffic": {"input_tokens": 1000, "output_tokens": 200, "requests_per_second": 1}},
    "pointer": "/traffic/requests_per_second", "range": {"from": 0.1, "to": 100, "steps": 100, "scale": "log"}}"#;

/// Every offering there is.
const OFFERINGS: &str = r#"{"base": {"usage": {"input_tokens": 1200, "output_tokens": 300}, "calls": 1000}, "over": [{"offerings": {}}]}"#;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn sweeps(bench: &mut Criterion) {
    let snapshot = edition::built_in_snapshot().unwrap();
    let mut group = bench.benchmark_group("sweep");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for (name, body, points) in [
        ("calls, 1000 points", CALLS, 1000),
        ("serving, 1000 points", LOADS, 1000),
        ("search, 100 points", SEARCHES, 100),
    ] {
        let asked: SweepRequest<'_> = serde_json::from_str(body).unwrap();
        let run = || sweep(black_box(&asked), &snapshot, now(), &|| false).unwrap();
        assert_eq!(run().priced, points, "{name}");
        group.bench_function(name, |b| b.iter(run));
    }
    group.finish();
}

fn comparisons(bench: &mut Criterion) {
    let snapshot = edition::built_in_snapshot().unwrap();
    let asked: CompareRequest<'_> = serde_json::from_str(OFFERINGS).unwrap();
    let run = || compare(black_box(&asked), &snapshot, now(), &|| false).unwrap();
    assert!(run().ranked > 2000);
    bench.bench_function("compare/all offerings", |b| b.iter(run));
}

criterion_group!(benches, sweeps, comparisons);
criterion_main!(benches);
