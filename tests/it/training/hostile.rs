//! Whatever is sent, the answer is a quote with finite figures, or a problem that says what is wrong and where.

use std::sync::LazyLock;

use farthing::http::problem::PROBLEM_JSON;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{BUILT_IN, answer::rich, ledger::audit};
use crate::{estimate::hostile::places, helpers::Answer};

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Sends a body, and checks what comes back against the document and in itself.
fn is_answered(text: &str) {
    let answer = RUNTIME.block_on(BUILT_IN.send(text.to_owned()));
    check(&answer, text);
}

fn check(answer: &Answer, shown: &str) {
    let value = answer.value();
    match answer.status.as_u16() {
        200 => audit(&value),
        400 => assert_eq!(answer.header("content-type"), PROBLEM_JSON, "{shown}"),
        422 => {
            let errors = value["errors"].as_array().unwrap();
            assert!(!errors.is_empty(), "{shown}\n{value:#}");
            for error in errors {
                leads_somewhere(error, shown);
            }
        }
        other => panic!("{other}: {shown}\n{value:#}"),
    }
}

/// A pointer leads to a member of the request, or to one that its parent lacks.
fn leads_somewhere(error: &Value, shown: &str) {
    let pointer = error["pointer"].as_str().unwrap();
    let Ok(request) = serde_json::from_str::<Value>(shown) else { return };
    let lacks =
        ["missing_field", "contradiction", "missing_assumption", "does_not_fit", "unpriced", "no_fx_rate"];
    let mut place = pointer;
    if lacks.contains(&error["code"].as_str().unwrap()) {
        place = place.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    assert!(request.pointer(place).is_some(), "{error} leads nowhere in {shown}");
}

/// Words that requests are made of.
const WORDS: [&str; 60] = [
    "kind",
    "training",
    "model",
    "deepseek-v3",
    "llama-2-7b",
    "architecture",
    "architecture_from",
    "format",
    "hf_config",
    "config",
    "hardware",
    "gpu",
    "h100-sxm5-80gb",
    "h800-sxm5-80gb",
    "count",
    "deadline_days",
    "price_per_gpu_hour",
    "owned",
    "commitment",
    "spot",
    "reserved_1y",
    "start",
    "stages",
    "stage",
    "pretraining",
    "sft",
    "preference",
    "rl",
    "distillation",
    "prompting",
    "tokens",
    "sequence_length",
    "precision",
    "fp8",
    "gpu_hours",
    "mfu",
    "days",
    "flops",
    "examples",
    "tokens_per_example",
    "epochs",
    "method",
    "lora",
    "prompts",
    "group_size",
    "prompt_tokens",
    "response_tokens",
    "reward",
    "teacher",
    "samples",
    "tokens_per_sample",
    "program",
    "data",
    "staff",
    "ownership",
    "years",
    "amortization",
    "utilization",
    "low",
    "",
];

/// Numbers at the edges of what is taken, as JSON spells them.
const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "-1",
    "1",
    "0.5",
    "1e-300",
    "5e-324",
    "1e6",
    "1e15",
    "1e18",
    "1e36",
    "1e300",
    "1.7e308",
    "1e999",
    "-1e999",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "79228162514264337593543950335",
    "0.0000000000000000000000000001",
];

/// What stands in place of something.
const STRANGE: [&str; 22] = [
    "null",
    "true",
    "[]",
    "{}",
    "[[]]",
    "\"\"",
    "\"x\"",
    "\"1e5\"",
    "{\"not\":1}",
    "{\"low\":1,\"mid\":2,\"high\":3}",
    "{\"low\":0,\"mid\":0,\"high\":1e18}",
    "{\"low\":0,\"mid\":1,\"high\":1e300}",
    "{\"low\":3,\"mid\":2,\"high\":1}",
    "{\"low\":1e-300,\"mid\":1,\"high\":1}",
    "\"h800-sxm5-80gb\"",
    "\"2020-01-01\"",
    "\"spot\"",
    "\"9999-12-31\"",
    "\"fp8\"",
    "\"ppo\"",
    "\"qlora\"",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
];

/// Requests that are sound; what is random is done to them.
static SOUND: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let stage =
        json!([{ "stage": "pretraining", "tokens": 1e12, "sequence_length": 4096, "precision": "bf16" }]);
    let shaped = json!({ "params_total": 7e9, "num_layers": 32, "hidden_size": 4096, "num_heads": 32, "num_kv_heads": 8, "ffn_size": 11_008, "vocab_size": 32_000 });
    let config = json!({ "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "intermediate_size": 14_336, "vocab_size": 128_256, "tie_word_embeddings": false });
    let sheet = json!({ "name": "mine", "architecture": "Hopper", "memory_gb": 80, "memory_bytes": 85e9, "memory_bandwidth_gbs": 3350,
        "dense_tflops": { "bf16": 989.0, "fp8": 1979.0 }, "fast_domain_gpus": 8, "tdp_w": 700, "server_max_power_kw": 10.2, "gpus_per_server": 8 });
    let owned = json!({ "price_each": "30000", "years": 4, "amortization": "economic", "utilization": 0.8, "server_factor": 1.5,
        "network_share": 0.1, "contracted_kw_per_gpu": 1.3, "load_factor": 0.7, "power": { "price_per_kwh": "0.1", "pue": 1.2, "region": "us" },
        "colocation_per_kw_month": "150", "maintenance_fraction": 0.03, "cost_of_capital": 0.1, "residual_fraction": 0.1,
        "staff": [{ "label": "a", "people": 1, "monthly_cost": "100" }] });
    let memory = json!({ "optimizer": "muon", "sharding": "full", "recomputation": "selective", "tensor_parallel": 2, "pipeline_parallel": 2, "micro_batch": 1 });
    vec![
        rich(),
        json!({ "kind": "training", "model": "deepseek-v3", "as_of": "2025-02-01", "currency": "EUR",
            "hardware": { "gpu": "h100-sxm5-80gb", "deadline_days": 60, "provider_kind": "neocloud", "memory": memory }, "stages": stage }),
        json!({ "kind": "training", "architecture": shaped, "hardware": { "gpu": sheet, "count": 64, "price_per_gpu_hour": "2", "commitment": "spot" },
            "start": "2026-01-15", "stages": stage }),
        json!({ "kind": "training", "architecture_from": { "format": "hf_config", "config": config },
            "hardware": { "gpu": "h100-sxm5-80gb", "count": 64, "owned": owned, "energy_region": "us" }, "stages": stage }),
        json!({ "kind": "ownership", "hardware": { "gpu": "h100-sxm5-80gb", "count": 64, "price_each": "30000", "currency": "EUR" }, "years": 4,
            "start": "2025-01-15", "amortization": "annuity", "utilization": { "low": 0.5, "mid": 0.8, "high": 0.9 }, "server_factor": 1.5,
            "network_share": 0.1, "contracted_kw_per_gpu": 1.3, "load_factor": 0.7, "power": { "price_per_kwh": "0.1", "pue": 1.2, "region": "us" },
            "colocation_per_kw_month": "150", "maintenance_fraction": 0.03, "cost_of_capital": 0.1, "residual_fraction": 0.1,
            "staff": [{ "label": "a", "people": 1, "months": 3, "monthly_cost": "100" }] }),
        json!({ "kind": "ownership", "as_of": "2026-06-01", "hardware": { "gpu": "b200-sxm-180gb", "count": 64 }, "years": 0.5 }),
    ]
});

/// One thing done to a request.
#[derive(Debug, Clone)]
enum Mutation {
    Drop,
    Replace(&'static str),
    Twice,
    Wrap,
    Rename(&'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        2 => Just(Mutation::Drop),
        3 => select(&STRANGE[..]).prop_map(Mutation::Replace),
        5 => select(&NUMBERS[..]).prop_map(Mutation::Replace),
        1 => Just(Mutation::Twice),
        1 => Just(Mutation::Wrap),
        1 => select(&WORDS[..]).prop_map(Mutation::Rename),
    ]
}

/// Writes a value as text, with some places mutated.
fn write(value: &Value, at: &str, done: &[(String, Mutation)]) -> String {
    let of = |place: &str| done.iter().find(|(target, _)| target == place).map(|(_, mutation)| mutation);
    let text = match value {
        Value::Object(members) => {
            let written = members.iter().filter_map(|(name, value)| {
                let place = format!("{at}/{name}");
                let written = write(value, &place, done);
                let named = |name: &str| format!("{}:{written}", Value::from(name));
                match of(&place) {
                    Some(Mutation::Drop) => None,
                    Some(Mutation::Twice) => Some(format!("{0},{0}", named(name))),
                    // Where the name stands already, pointers lead to either; twice is a mutation of its own.
                    Some(Mutation::Rename(other)) if !members.contains_key(*other) => Some(named(other)),
                    _ => Some(named(name)),
                }
            });
            format!("{{{}}}", written.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let written = values.iter().enumerate().filter_map(|(nth, value)| {
                let place = format!("{at}/{nth}");
                (!matches!(of(&place), Some(Mutation::Drop))).then(|| write(value, &place, done))
            });
            format!("[{}]", written.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    };
    match of(at) {
        Some(Mutation::Replace(strange)) => (*strange).to_owned(),
        Some(Mutation::Wrap) => format!("[{text}]"),
        _ => text,
    }
}

#[test]
fn the_requests_that_are_mutated_are_sound() {
    for request in SOUND.iter() {
        let answer = RUNTIME.block_on(BUILT_IN.send(request.to_string()));
        assert_eq!(answer.status, 200, "{request}\n{:#}", answer.value());
    }
}

#[test]
fn every_number_of_every_sound_request_may_be_any_other() {
    for request in SOUND.iter() {
        let mut found = Vec::new();
        places(request, "", &mut found);
        let numbers = found.into_iter().filter(|place| {
            let value = request.pointer(place).unwrap();
            value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok())
        });
        for place in numbers {
            for number in [
                "0",
                "-1",
                "5e-324",
                "1e-300",
                "1e-9",
                "1e18",
                "1e300",
                "1e999",
                "18446744073709551615",
                "\"79228162514264337593543950335\"",
            ] {
                is_answered(&write(request, "", &[(place.clone(), Mutation::Replace(number))]));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_mutations_of_a_sound_request_are_answered(
        which in any::<usize>(), done in vec((any::<usize>(), mutation()), 1..4), full in any::<bool>(),
    ) {
        let mut request = SOUND[which % SOUND.len()].clone();
        request["detail"] = if full { "full".into() } else { "lines".into() };
        let mut found = Vec::new();
        places(&request, "", &mut found);
        let done: Vec<_> = done.into_iter().map(|(place, mutation)| (found[place % found.len()].clone(), mutation)).collect();
        is_answered(&write(&request, "", &done));
    }

    #[test]
    fn any_stage_of_any_figures_is_answered(
        name in select(&["pretraining", "context_extension", "sft", "preference", "rl", "distillation", "prompting"][..]),
        members in vec((select(&WORDS[26..]), prop_oneof![select(&NUMBERS[..]), select(&STRANGE[..])]), 0..6),
        count in select(&NUMBERS[..]),
    ) {
        let mut stage = Map::new();
        let raw = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(json!(7));
        for (member, text) in members {
            stage.insert(member.to_owned(), raw(text));
        }
        stage.insert("stage".to_owned(), name.into());
        let stages = Value::Array(vec![Value::Object(stage)]);
        is_answered(&format!(
            r#"{{"kind":"training","model":"llama-2-7b","hardware":{{"gpu":"h100-sxm5-80gb","price_per_gpu_hour":"2","count":{count}}},"stages":{stages}}}"#
        ));
    }
}
