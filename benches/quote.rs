//! The core by itself: one quote of six meters, one of a training in five stages, and choosing a card in catalogs of growing size.
//!
//! `cargo bench --bench quote`

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

use std::{hint::black_box, sync::LazyLock};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use farthing::{
    catalog::{edition, ids::RevisionNumber, money, rows::Tables, snapshot::Snapshot},
    estimate::{estimate, request::EstimateRequest},
};
use jiff::Timestamp;

/// Six meters, all of them priced.
const SIX_METERS: &str = r#"{"provider": "openai", "model": "gpt-realtime", "usage": {
    "input_tokens": 120000, "cache_read_tokens": 40000, "input_audio_tokens": 30000, "cache_read_audio_tokens": 10000,
    "output_tokens": 9000, "output_audio_tokens": 5000}}"#;

const TWO_METERS: &str =
    r#"{"provider": "openai", "model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}}"#;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// The built-in catalog with every offering `copies` times, under as many names.
fn catalog_of(copies: usize) -> Snapshot {
    let tables = edition::built_in().unwrap().tables;
    let mut larger = Tables { offerings: Vec::new(), rate_cards: Vec::new(), ..tables.clone() };
    for copy in 0..copies {
        let name = |text: &str| if copy == 0 { text.to_owned() } else { format!("{text}~{copy}") };
        larger.offerings.extend(tables.offerings.iter().cloned().map(|mut offering| {
            offering.id = name(offering.id.as_str()).as_str().into();
            offering.name = name(&offering.name);
            offering.aliases = offering.aliases.iter().map(|alias| name(alias)).collect();
            offering
        }));
        larger.rate_cards.extend(tables.rate_cards.iter().cloned().map(|mut card| {
            card.offering = name(card.offering.as_str()).as_str().into();
            card
        }));
    }
    let revisions = edition::built_in_snapshot().unwrap().revisions().to_vec();
    Snapshot::build(larger.into_history(RevisionNumber(1)), revisions).unwrap()
}

fn one_quote(bench: &mut Criterion) {
    let snapshot = edition::built_in_snapshot().unwrap();
    let request = EstimateRequest::parse(SIX_METERS.as_bytes()).unwrap();
    let now = now();
    let quote = estimate(&request, &snapshot, now).unwrap();
    assert_eq!(quote.items.as_ref().map(|items| items[0].lines.len()), Some(6));
    bench.bench_function("quote/six meters", |b| {
        b.iter(|| black_box(estimate(black_box(&request), &snapshot, now).is_ok()));
    });
    bench.bench_function("parse/six meters", |b| {
        b.iter(|| black_box(EstimateRequest::parse(black_box(SIX_METERS.as_bytes())).is_ok()));
    });
    bench.bench_function("serialise/six meters", |b| {
        b.iter(|| black_box(serde_json::to_vec(black_box(&quote)).map(|bytes| bytes.len()).ok()));
    });
}

/// Five stages, every one modelled, on machines at the catalog's market price.
const FIVE_STAGES: &str = r#"{"kind": "training", "model": "llama-3.1-8b", "as_of": "2026-08-01",
    "hardware": {"gpu": "h100-sxm5-80gb", "count": 512, "provider_kind": "neocloud"},
    "stages": [
        {"stage": "pretraining", "tokens": 2e12},
        {"stage": "context_extension", "tokens": 1e10, "sequence_length": 32768},
        {"stage": "sft", "examples": 1e6, "tokens_per_example": 800, "epochs": 2},
        {"stage": "preference", "pairs": 1e5, "tokens_per_example": 1000},
        {"stage": "rl", "prompts": 1e5, "group_size": 16, "prompt_tokens": 200, "response_tokens": 4000}]}"#;

fn one_training(bench: &mut Criterion) {
    let snapshot = edition::built_in_snapshot().unwrap();
    let request = EstimateRequest::parse(FIVE_STAGES.as_bytes()).unwrap();
    let now = now();
    let quote = estimate(&request, &snapshot, now).unwrap();
    assert_eq!(quote.items.as_ref().map(|items| items[0].lines.len()), Some(5));
    assert!(quote.total.low < quote.total.high);
    bench.bench_function("quote/training of five stages", |b| {
        b.iter(|| black_box(estimate(black_box(&request), &snapshot, now).is_ok()));
    });
}

fn choosing_a_card(bench: &mut Criterion) {
    let request = EstimateRequest::parse(TWO_METERS.as_bytes()).unwrap();
    let now = now();
    let mut group = bench.benchmark_group("quote/two meters, catalog times");
    for copies in [1, 10, 100] {
        let snapshot = LazyLock::new(move || catalog_of(copies));
        group.bench_function(BenchmarkId::from_parameter(copies), |b| {
            let snapshot = LazyLock::force(&snapshot); // before the clock runs
            b.iter(|| black_box(estimate(black_box(&request), snapshot, now).is_ok()));
        });
    }
    group.finish();
}

fn arithmetic(bench: &mut Criterion) {
    let [amount, per] = ["0.55", "1000000"].map(|text| money::parse_decimal(text).unwrap());
    let (first, _) = money::charge(123_456, amount, per).unwrap();
    let (second, _) = money::charge(7_890, per, amount).unwrap();
    let mut group = bench.benchmark_group("money");
    group.bench_function("charge", |b| b.iter(|| black_box(money::charge(black_box(123_456), amount, per))));
    group.bench_function("add", |b| b.iter(|| black_box(black_box(first).checked_add(black_box(second)))));
    group.bench_function("print", |b| {
        b.iter(|| black_box(serde_json::to_writer(std::io::sink(), black_box(&first)).is_ok()));
    });
    group.finish();
}

criterion_group!(benches, one_quote, one_training, choosing_a_card, arithmetic);
criterion_main!(benches);
