//! Assumptions are data: moving a row moves every quote that uses it.

use std::collections::{BTreeMap, BTreeSet};

use farthing::{
    catalog::{edition::built_in, ids::RevisionNumber, rows::Tables, snapshot::Snapshot},
    store::open_and_fill,
};
use serde_json::{Value, json};

use super::{CATALOG, Desk, answer::rich, number, total, training, with};
use crate::helpers::now;

fn requests() -> Vec<Value> {
    let tokens = |more: Value| {
        let mut stage = json!({ "stage": "pretraining", "tokens": 1e12 });
        stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([stage])
    };
    let on = |gpu: &str, model: &str, stages: Value| {
        with(training(stages), [("/hardware/gpu", json!(gpu)), ("/model", json!(model))])
    };
    let none = json!({});
    let rl = |more: Value| {
        let mut stage =
            json!({ "stage": "rl", "prompts": 1e4, "prompt_tokens": 200, "response_tokens": 4000 });
        stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([stage])
    };
    let memory = |optimizer: &str, sharding: &str, recomputation: &str, count: Option<u64>| {
        let memory = json!({ "optimizer": optimizer, "sharding": sharding, "recomputation": recomputation });
        with(training(tokens(json!({}))), [("/hardware/memory", memory), ("/hardware/count", json!(count))])
    };
    let owned = |gpu: &str, more: Value| {
        let hardware = json!({ "gpu": gpu, "count": 1024, "owned": more });
        with(training(tokens(json!({}))), [("/hardware", hardware)])
    };
    let mut requests = vec![
        rich(),
        training(tokens(none.clone())),
        with(training(tokens(none.clone())), [("/hardware/count", json!(1024))]),
        with(
            training(tokens(none.clone())),
            [("/hardware/count", json!(1024)), ("/hardware/commitment", json!("spot"))],
        ),
        on("h100-sxm5-80gb", "deepseek-v3", tokens(json!({ "precision": "fp8" }))),
        on("h100-sxm5-80gb", "llama-3.1-70b", tokens(json!({ "precision": "fp8" }))),
        on("b200-sxm-180gb", "deepseek-v3", tokens(json!({ "precision": "mxfp8" }))),
        on("gb200-nvl72", "llama-3.1-70b", tokens(json!({ "precision": "nvfp4" }))),
        on("gb200-nvl72", "deepseek-v3", tokens(json!({ "precision": "nvfp4" }))),
        on("mi300x-192gb", "llama-3.1-70b", tokens(none.clone())),
        on("tpu-v5p", "llama-3.1-70b", tokens(none.clone())),
        on("a100-sxm4-80gb", "smollm2-135m", tokens(none.clone())),
        on("a40-48gb", "llama-2-7b", tokens(none.clone())),
        training(rl(json!({ "asynchronous": true }))),
        training(rl(json!({ "reward": "sandbox" }))),
        training(rl(json!({ "algorithm": "ppo", "response_tokens": 200 }))),
        training(json!([{ "stage": "sft", "examples": 1e5, "tokens_per_example": 800, "method": "qlora" }])),
        training(json!([{ "stage": "sft", "examples": 1e5, "tokens_per_example": 800, "method": "lora" }])),
        training(json!([{ "stage": "pretraining", "tokens": 1e12, "mfu": 0.4 }])),
        owned("h100-sxm5-80gb", json!({})),
        owned("h100-sxm5-80gb", json!({ "amortization": "economic" })),
        owned("a100-sxm4-80gb", json!({})),
        owned("b200-sxm-180gb", json!({})),
        owned("h200-sxm-141gb", json!({})),
        owned("v100-sxm2-32gb", json!({ "price_each": "10000" })),
        owned("mi300x-192gb", json!({ "price_each": "15000" })),
        owned("gb200-nvl72", json!({ "price_each": "60000" })),
        owned("h20-96gb", json!({ "price_each": "12000" })),
        owned("h800-sxm5-80gb", json!({ "price_each": "30000" })),
        owned("p100-sxm2-16gb", json!({ "price_each": "6000" })),
    ];
    let mut shapeless = training(
        json!([{ "stage": "rl", "flops": 1e22 }, { "stage": "rl", "algorithm": "ppo", "response_tokens": 200, "flops": 1e22 }]),
    );
    shapeless.as_object_mut().unwrap().remove("model");
    requests.push(shapeless);
    let one_server = with(training(tokens(json!({}))), [("/hardware/count", json!(8))]);
    requests.push(one_server);
    requests.push(on("h100-pcie-80gb", "llama-2-7b", tokens(json!({}))));
    let cloud = json!({ "gpu": "a100-sxm4-80gb", "provider": "gcp" });
    requests.push(with(training(tokens(json!({}))), [("/hardware", cloud)]));
    requests.push(on("h100-sxm5-80gb", "qwen3-next-80b-a3b", tokens(json!({}))));
    for optimizer in ["adam", "adam_8bit", "adam_bf16_moments", "muon"] {
        for (sharding, recomputation) in
            [("full", "none"), ("full", "selective"), ("optimizer", "full"), ("none", "full")]
        {
            requests.push(memory(optimizer, sharding, recomputation, None));
        }
    }
    let data = json!({ "data": [
        { "label": "a", "labels": 100, "sort": "human_labels" }, { "label": "b", "labels": 100, "sort": "ai_labels" },
        { "label": "c", "tokens": 1e12, "sort": "crawled_text" }, { "label": "d", "tokens": 1e9, "sort": "licensed_text" }
    ] });
    requests.push(with(training(tokens(none)), [("/program", data)]));
    requests
}

/// A snapshot of the built-in rows with one assumption moved up by a tenth.
fn moved(tables: &Tables, id: &str, factor: f64) -> Snapshot {
    let mut tables = tables.clone();
    let row = tables.assumptions.iter_mut().find(|row| row.id.as_str() == id).unwrap();
    (row.low, row.mid, row.high) = (row.low * factor, row.mid * factor, row.high * factor);
    snapshot(tables)
}

/// Rows as the first revision.
fn snapshot(tables: Tables) -> Snapshot {
    let revision = CATALOG.current().revisions()[0].clone();
    Snapshot::build(tables.into_history(RevisionNumber(1)), vec![revision]).unwrap()
}

/// What a quote says that an assumption could move.
fn figures(quote: &Value) -> Value {
    let item = &quote["items"][0];
    json!([quote["total"], item["metrics"], item["stages"]])
}

async fn ask(desk: &Desk, request: &Value) -> Option<Value> {
    let answer = desk.post(request).await;
    (answer.status == 200).then(|| answer.value())
}

/// Rows that no training uses: bounds that the formulas name for people, and rows of other kinds of quotes.
const UNUSED: [&str; 6] = [
    "energy.pue.older_colocation",
    "ownership.resale_haircut",
    "training.evaluation_fraction",
    "training.packing_efficiency",
    "training.post_training.evaluation_fraction",
    "training.tokens_per_param", // of `POST /budget`
];

/// Rows that requests like these are answered from, and that nothing moves.
const IDLE: [&str; 0] = [];

#[tokio::test]
async fn moving_any_assumption_that_quotes_name_moves_one_of_them() {
    let desk = &super::BUILT_IN;
    let mut uses: BTreeMap<String, Vec<(Value, Value)>> = BTreeMap::new();
    for request in requests() {
        let Some(quote) = ask(desk, &request).await else {
            panic!("{request}\n{:#}", desk.post(&request).await.value());
        };
        for name in quote["references"].as_object().unwrap().keys() {
            if let Some(id) = name.strip_prefix("assumption:") {
                uses.entry(id.to_owned()).or_default().push((request.clone(), figures(&quote)));
            }
        }
    }
    let tables = built_in().unwrap().tables;
    let mut idle = Vec::new();
    for (id, quotes) in &uses {
        let mut moves = false;
        for factor in [1.1, 0.9] {
            let desk = Desk::of(moved(&tables, id, factor));
            for (request, before) in quotes {
                // What no longer fits is moved, too.
                moves |= ask(&desk, request).await.is_none_or(|after| figures(&after) != *before);
                if moves {
                    break;
                }
            }
            if moves {
                break;
            }
        }
        if !moves {
            idle.push(id.as_str());
        }
    }
    assert_eq!(idle, IDLE);
    let rows = tables.assumptions.iter().map(|row| row.id.as_str());
    let unused: BTreeSet<&str> = rows
        .filter(|id| {
            ["training.", "energy.", "ownership."].iter().any(|of| id.starts_with(of))
                && !uses.contains_key(*id)
        })
        .collect();
    assert_eq!(unused, BTreeSet::from(UNUSED));
}

#[tokio::test]
async fn a_row_that_somebody_changes_in_the_database_moves_the_next_quote() {
    let url = crate::store::database("training-moves");
    let (store, before) = open_and_fill(&url, now()).await.unwrap();
    let request = training(json!([{ "stage": "pretraining", "tokens": 1e12 }]));
    let first = Desk::of(before).quote(&request).await;
    let mut tables = built_in().unwrap().tables;
    let base =
        tables.assumptions.iter_mut().find(|row| row.id.as_str() == "training.utilization.base").unwrap();
    (base.low, base.mid, base.high) = (base.low / 2.0, base.mid / 2.0, base.high / 2.0);
    store.import(&tables, "slower", "tester", None, now()).await.unwrap().unwrap();
    let (history, revisions) = store.load().await.unwrap();
    let desk = Desk::of(Snapshot::build(history, revisions).unwrap());
    let second = desk.quote(&request).await;
    assert!((total(&second) / total(&first) - 2.0).abs() < 1e-6, "{} {}", total(&first), total(&second));
    assert_eq!(second["references"]["assumption:training.utilization.base"]["revision"], 2);
    let old = desk.quote(&with(request, [("/catalog_revision", json!(1))])).await;
    assert_eq!(old["total"], first["total"]);
}

#[tokio::test]
async fn halving_the_spread_of_an_assumption_narrows_the_range() {
    let tables = built_in().unwrap().tables;
    let rl = json!([{ "stage": "rl", "prompts": 1e4, "prompt_tokens": 200, "response_tokens": 4000 }]);
    let taught = json!([{
        "stage": "distillation", "samples": 1e4, "tokens_per_sample": 2000, "gpu_hours": 10,
        "teacher": { "kind": "serving", "model": "llama-3.1-70b" }
    }]);
    let short = with(training(json!([{ "stage": "sft", "tokens": 1e6 }])), [("/hardware/count", json!(64))]);
    let owned = json!({ "gpu": "h100-sxm5-80gb", "owned": { "price_each": "30000" } });
    let cases = [
        ("training.utilization.run", training(json!([{ "stage": "pretraining", "tokens": 1e12 }]))),
        ("training.goodput", training(json!([{ "stage": "pretraining", "tokens": 1e12, "mfu": 0.4 }]))),
        ("training.rl.tokens.spread", training(rl)),
        ("training.generation.efficiency", training(taught)),
        ("training.job_startup_minutes", short),
        (
            "ownership.utilization",
            with(training(json!([{ "stage": "sft", "gpu_hours": 1000 }])), [("/hardware", owned)]),
        ),
    ];
    for (id, request) in cases {
        let width = async |desk: &Desk| {
            let quote = desk.quote(&request).await;
            number(&quote["total"]["high"]) - number(&quote["total"]["low"])
        };
        let mut narrow = tables.clone();
        let row = narrow.assumptions.iter_mut().find(|row| row.id.as_str() == id).unwrap();
        (row.low, row.high) = (f64::midpoint(row.low, row.mid), f64::midpoint(row.high, row.mid));
        assert!(width(&Desk::of(snapshot(narrow))).await < width(&super::BUILT_IN).await, "{id}");
    }
}
