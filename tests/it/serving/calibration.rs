//! An operator's own measurements, and the quotes that they move.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use farthing::{
    catalog::{
        edition::{built_in, built_in_snapshot},
        handle::Catalog,
        ids::RevisionNumber,
        rows::{Revision, Versioned},
        snapshot::Snapshot,
    },
    http::{App, Settings, router},
};
use serde_json::{Value, json};

use super::{item, llama, metric};
use crate::helpers::{ask_of, json_request, now, rows};

/// The built-in catalog with a second revision, of rows that somebody measured.
fn with_rows(actor: &str, own: Value) -> Snapshot {
    let before = built_in_snapshot().unwrap();
    let (mut history, mut revisions) = (before.history().clone(), before.revisions().to_vec());
    for (id, row) in (1_000_000..).zip(rows(own)) {
        let introduced = RevisionNumber(2);
        history.published_throughputs.push(Versioned { id, introduced, superseded: None, row });
    }
    let first = revisions[0].clone();
    revisions.push(Revision {
        revision: RevisionNumber(2),
        actor: actor.to_owned(),
        reason: "our own machines".to_owned(),
        ..first
    });
    Snapshot::build(history, revisions).unwrap()
}

async fn ask(snapshot: Snapshot, request: &Value) -> Value {
    let app = App::new(Arc::new(Catalog::new(snapshot)), now, Settings::default());
    let answer = ask_of(router(app), json_request(Method::POST, "/estimate", request)).await;
    assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.value());
    answer.value()
}

async fn quoted(own: Value, request: &Value) -> Value {
    ask(with_rows("farthing catalog import", own), request).await["items"][0].clone()
}

/// As many requests as fit: what a row of `offline_max` measures.
fn full() -> Value {
    llama(&json!({ "input_tokens": 2000, "output_tokens": 500, "saturated": true }))
}

/// The same machines under the same load, as somebody measured them.
fn measured(id: &str, tokens_per_second_per_gpu: f64) -> Value {
    json!({ "id": id, "workload": "inference", "kind": "offline_max", "model": "llama-3.1-70b",
        "model_name": "llama-3.1-70b", "gpu": "h100-sxm5-80gb", "hardware": "H100", "gpu_count": 2,
        "precision": "fp8", "tokens_per_second_per_gpu": tokens_per_second_per_gpu, "date": "2026-11",
        "inference": { "engine": "trtllm", "engine_version": "1.2", "kv_precision": "fp8", "tensor_parallel": 2,
            "pipeline_parallel": 1, "input_tokens_mean": 2000.0, "output_tokens_mean": 500.0,
            "metric": "output_tok_s_total", "value": 2.0 * tokens_per_second_per_gpu } })
}

const SPEED: &str = "output_tokens_per_second_per_gpu";

/// P90 over P10 of the speed.
fn width(item: &Value) -> f64 {
    let of = |end: &str| item["metrics"][SPEED][end].as_f64().unwrap();
    of("high") / of("low")
}

/// How many rows count as much as the prior.
fn prior() -> f64 {
    let rows = built_in().unwrap().tables.assumptions;
    rows.iter().find(|row| row.id == "serving.calibration.rows").unwrap().mid
}

#[tokio::test]
async fn an_own_speed_moves_the_quote_by_its_share_and_the_quote_says_so() {
    let plain = item(&full()).await;
    assert_eq!(plain["deployment"]["calibrated_by"], Value::Null);
    let speed = metric(&plain, SPEED);
    let mut request = full();
    request["detail"] = json!("full");
    let moved = quoted(json!([measured("ours", 0.7 * speed)]), &request).await;
    let by = &moved["deployment"]["calibrated_by"];
    assert_eq!(by["measurements"], json!(["published_throughput:ours"]));
    let share = 1.0 / (1.0 + prior());
    assert!((by["share"].as_f64().unwrap() - share).abs() < 1e-9, "{by}");
    assert!((by["measured_over_predicted"].as_f64().unwrap() - 0.7).abs() < 1e-3, "{by}");
    let expected = 0.7_f64.powf(share);
    assert!((metric(&moved, SPEED) / speed / expected - 1.0).abs() < 1e-3, "{by}");
    assert!(width(&moved) < width(&plain), "{} {}", width(&moved), width(&plain));
    let line = &moved["lines"][0];
    let refs = line["refs"].as_array().unwrap();
    for name in ["published_throughput:ours", "assumption:serving.calibration.rows"] {
        assert!(refs.contains(&json!(name)), "{line:#}");
    }
    let inputs = line["basis"]["inputs"].as_array().unwrap();
    let factor = inputs.iter().find(|input| input["name"] == "measured_over_predicted_speed").unwrap();
    assert!((factor["value"].as_str().unwrap().parse::<f64>().unwrap() - expected).abs() < 1e-3, "{factor}");
    assert_eq!(moved["warnings"], plain["warnings"]);
}

#[tokio::test]
async fn the_row_is_among_the_references_with_its_revision() {
    let snapshot = with_rows("an operator", json!([measured("ours", 900.0)]));
    let answer = ask(snapshot, &full()).await;
    let reference = &answer["references"]["published_throughput:ours"];
    assert_eq!((&reference["revision"], &reference["value"]["mid"]), (&json!(2), &json!(900.0)));
}

#[tokio::test]
async fn more_rows_move_it_further_and_narrow_the_range_and_never_beyond_what_they_say() {
    let speed = metric(&item(&full()).await, SPEED);
    let own = |count: usize| {
        Value::Array((0..count).map(|at| measured(&format!("ours-{at}"), 0.7 * speed)).collect())
    };
    let (mut last, mut last_width) = (1.0, f64::INFINITY);
    for count in [1, 3, 19] {
        let moved = quoted(own(count), &full()).await;
        let (factor, width) = (metric(&moved, SPEED) / speed, width(&moved));
        assert!(factor < last && factor > 0.7 && width < last_width, "{count}: {factor} {width}");
        (last, last_width) = (factor, width);
    }
    let many = quoted(own(60), &full()).await;
    assert_eq!(
        many["deployment"]["calibrated_by"]["measurements"].as_array().unwrap().len(),
        20,
        "the newest"
    );
}

#[tokio::test]
async fn a_row_of_other_weights_engine_or_load_counts_less() {
    let speed = metric(&item(&full()).await, SPEED);
    let share = async |row: Value| {
        quoted(json!([row]), &full()).await["deployment"]["calibrated_by"]["share"].as_f64().unwrap()
    };
    let same = share(measured("ours", speed)).await;
    let mut users = measured("ours", 0.5 * speed);
    users["kind"] = json!("fixed_concurrency");
    users["inference"]["concurrency"] = json!(64);
    let other_load = share(users.clone()).await;
    users["inference"]["engine"] = json!("vllm");
    let other_engine = share(users).await;
    assert!(same > other_load && other_load > other_engine, "{same} {other_load} {other_engine}");
}

#[tokio::test]
async fn other_models_other_parts_and_earlier_revisions_are_not_moved() {
    let own = || with_rows("an operator", json!([measured("ours", 500.0)]));
    let moved = |answer: &Value| answer["items"][0]["deployment"]["calibrated_by"].is_object();
    assert!(moved(&ask(own(), &full()).await));
    let with = |pointer: &str, value: &str| super::with(full(), pointer, json!(value));
    assert!(!moved(&ask(own(), &with("/hardware/gpu", "h200-sxm-141gb")).await));
    assert!(!moved(&ask(own(), &with("/model", "llama-3.3-70b")).await));
    let earlier = json!({ "catalog_revision": 1, "items": [full()] });
    assert!(!moved(&ask(own(), &earlier).await));
}

#[tokio::test]
async fn rows_of_an_edition_do_not_calibrate() {
    let newer = ask(with_rows("farthing", json!([measured("theirs", 500.0)])), &full()).await;
    assert_eq!(newer["items"][0]["deployment"]["calibrated_by"], Value::Null);
}

#[tokio::test]
async fn a_search_over_parts_takes_own_speeds_into_account() {
    let mut open = full();
    open["hardware"] = json!({ "gpus_per_replica": 2 });
    let plain = item(&open).await;
    let gpu = plain["deployment"]["gpu"].as_str().unwrap().to_owned();
    let mut slow = measured("ours", metric(&plain, SPEED) * 0.3);
    slow["gpu"] = json!(gpu);
    let rows = (0..20).map(|at| super::with(slow.clone(), "/id", json!(format!("ours-{at}"))));
    let moved = quoted(rows.collect(), &open).await;
    assert_ne!(moved["deployment"]["gpu"], json!(gpu), "a third as fast, it is not the cheapest");
}

#[tokio::test]
async fn rows_that_cannot_be_held_against_a_prediction_are_passed_over_with_a_warning() {
    let mut unknown = measured("unknown-format", 500.0);
    unknown["precision"] = json!("fp12");
    let far = measured("per-node", 500_000.0);
    let moved = quoted(json!([unknown, far]), &full()).await;
    assert_eq!(moved["deployment"]["calibrated_by"], Value::Null);
    let warnings = moved["warnings"].as_array().unwrap();
    let unused: Vec<_> = warnings.iter().filter(|warning| warning["code"] == "measurement_unused").collect();
    assert_eq!(unused.len(), 2, "{warnings:?}");
    let plain = item(&full()).await;
    assert_eq!(moved["metrics"], plain["metrics"]);
    assert_eq!(moved["total"], plain["total"]);
}
