//! A small sound catalog for the tests of the rules: each plants one fault in it.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::check;
use crate::catalog::rows::Tables;

/// A row of `fields`, with a source and a day.
pub(super) fn row<T: DeserializeOwned>(mut fields: Value) -> T {
    let defaults = json!({"source": "https://acme.example", "observed_at": "2026-11-23"});
    for (key, value) in defaults.as_object().unwrap() {
        fields.as_object_mut().unwrap().entry(key).or_insert_with(|| value.clone());
    }
    serde_json::from_value(fields).unwrap()
}

/// A catalog of one of each.
pub(super) fn sound() -> Tables {
    let window =
        json!({"time_zone": "Asia/Shanghai", "days": [1, 2], "hours": [["09:00", "12:00"]], "except": "cn"});
    Tables {
        providers: vec![row(json!({"id": "acme", "name": "Acme"}))],
        meters: vec![
            row(
                json!({"id": "input_tokens", "name": "in", "unit": "token", "per": "1000000", "description": "in"}),
            ),
            row(json!({"id": "cache_read_tokens", "name": "cached", "unit": "token", "per": "1000000",
                "part_of": ["input_tokens"], "description": "cached"})),
        ],
        calendars: vec![row(json!({"id": "cn", "time_zone": "Asia/Shanghai", "covers_from": "2026-01-01",
            "covers_to": "2026-12-31", "dates": ["2026-01-01", "2026-10-01"]}))],
        models: vec![row(json!({"id": "one", "name": "One", "aliases": ["uno"]}))],
        offerings: vec![
            row(
                json!({"id": "acme/one", "provider": "acme", "name": "one", "aliases": ["one-latest"], "model": "one"}),
            ),
            row(json!({"id": "acme/two", "provider": "acme", "name": "two"})),
        ],
        rate_cards: vec![
            row(json!({"offering": "acme/one", "currency": "CNY", "effective_from": "2025-01-01T00:00:00Z",
                "effective_to": "2026-01-01T00:00:00Z", "rates": {"input_tokens": "2.50"}})),
            row(json!({"offering": "acme/one", "currency": "CNY", "effective_from": "2025-01-01T00:00:00Z",
                "effective_to": "2026-01-01T00:00:00Z", "conditions": {"window": window},
                "rates": {"input_tokens": "1.25"}})),
        ],
        modifiers: vec![row(json!({"offering": "acme/one", "label": "EU", "context": {"residency": "eu"},
            "factor": "1.1", "meters": ["input_tokens"]}))],
        fx_rates: vec![row(json!({"currency": "CNY", "date": "2024-12-27", "usd_per_unit": "0.137"}))],
        gpus: vec![row(json!({"id": "h100", "name": "H100", "vendor": "NVIDIA", "memory_gb": 80,
            "memory_bandwidth_gbs": 3350, "dense_tflops": {"bf16": 989.4}}))],
        gpu_rentals: vec![row(json!({"id": "rent-1", "provider": "acme", "gpu": "h100", "gpu_count": 8,
            "price_per_gpu_hour": "2.50", "currency": "USD", "commitment": "on_demand",
            "effective_from": "2026-01-01", "last_seen": "2026-02-01"}))],
        gpu_purchases: vec![row(
            json!({"gpu": "h100", "kind": "street", "amount": "30000", "currency": "USD",
            "effective_from": "2026-01-01"}),
        )],
        market_index: vec![row(json!({"series": "H100", "date": "2026-01-01", "kind": "typical",
            "price_per_gpu_hour_low": "2", "price_per_gpu_hour_high": "3", "currency": "USD"}))],
        assumptions: vec![row(json!({"id": "training.goodput", "description": "goodput", "unit": "ratio",
            "low": 0.75, "mid": 0.87, "high": 0.96, "effective_to": "2026-01-01"}))],
        energy_prices: vec![row(json!({"region": "us", "name": "United States", "price_per_kwh": "0.08",
            "currency": "USD", "kg_co2_per_kwh": 0.4, "co2_source": "Ember", "effective_from": "2025-01-01"}))],
        published_runs: vec![row(json!({"id": "one", "name": "One", "model": "one", "org": "Acme",
            "date": "2026-01-01", "kind": "pretrain", "architecture": "dense", "params_total": 7e9,
            "tokens": 2e12, "hardware": "H100", "gpu": "h100", "gpu_count": 512, "gpu_hours": 90_000,
            "tier": "A", "verification": "primary_read"}))],
        published_throughputs: vec![row(json!({"id": "throughput-1", "workload": "training",
            "kind": "pretrain", "model": "one", "model_name": "One", "gpu": "h100", "hardware": "H100",
            "gpu_count": 8, "precision": "bf16", "tokens_per_second_per_gpu": 1007}))],
        scenarios: vec![row(json!({"id": "one-call", "title": "One call", "request": {"model": "one"},
            "published": [{"figure": "cost", "value": 1, "unit": "USD", "source": "Acme", "tolerance": 0,
                "pointer": "/total/amount"}]}))],
    }
}

/// The findings after a fault is planted in the sound catalog, as text.
pub(super) fn planted(fault: impl FnOnce(&mut Tables)) -> Vec<String> {
    let mut tables = sound();
    fault(&mut tables);
    check(&tables).iter().map(ToString::to_string).collect()
}
