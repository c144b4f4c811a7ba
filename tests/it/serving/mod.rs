//! `kind: "serving"` from outside: figures others worked out, laws, and what is refused.

mod calibration;
mod faults;
mod fleet;
mod laws;
mod worked;

use std::sync::LazyLock;

use axum::{
    Router,
    http::{Method, StatusCode},
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    http::{App, Settings, router},
};
use serde_json::{Value, json};

use crate::helpers::{ask_of, json_request, now};

static BUILT_IN: LazyLock<Router> = LazyLock::new(|| {
    let catalog = Catalog::new(built_in_snapshot().unwrap());
    router(App::new(std::sync::Arc::new(catalog), now, Settings::default()))
});

/// What the built-in catalog answers, whatever it is.
async fn answer(request: &Value) -> (StatusCode, Value) {
    let answer = ask_of(BUILT_IN.clone(), json_request(Method::POST, "/estimate", request)).await;
    (answer.status, answer.value())
}

/// The only item of a quote.
async fn item(request: &Value) -> Value {
    let (status, body) = answer(request).await;
    assert_eq!(status, StatusCode::OK, "{request}\n{body:#}");
    body["items"][0].clone()
}

/// Faults as pointer and code.
async fn refusal(request: &Value) -> Vec<(String, String)> {
    let (status, body) = answer(request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{request}\n{body:#}");
    let text = |error: &Value, field: &str| error[field].as_str().unwrap().to_owned();
    let errors = body["errors"].as_array().unwrap().iter();
    errors.map(|error| (text(error, "pointer"), text(error, "code"))).collect()
}

/// A metric of an item.
fn metric(item: &Value, name: &str) -> f64 {
    item["metrics"][name]["value"].as_f64().unwrap_or_else(|| panic!("no {name} in {item:#}"))
}

/// A 70B in 8 bits on two H100, at two dollars.
fn llama(traffic: &Value) -> Value {
    json!({
        "kind": "serving", "model": "llama-3.1-70b", "engine": "trtllm",
        "precision": { "weights": "fp8", "kv_cache": "fp8" },
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 2, "price_per_gpu_hour": "2.00" },
        "parallelism": { "tensor": 2, "pipeline": 1, "expert": 1, "attention_data": 1 },
        "traffic": traffic,
    })
}

/// A request with a field set.
fn with(mut request: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    request.pointer_mut(parent).unwrap()[field] = value;
    request
}
