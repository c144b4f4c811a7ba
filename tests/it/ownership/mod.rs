//! `kind: "ownership"` from outside: figures others worked out, laws, and what is refused.

mod answer;
mod faults;
mod laws;
mod worked;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    http::{Method, StatusCode},
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    http::{App, Settings, router},
};
use serde_json::{Value, json};

use crate::{
    helpers::{ask_of, json_request, now},
    training::ledger::audit,
};

static BUILT_IN: LazyLock<Router> = LazyLock::new(|| {
    let catalog = Catalog::new(built_in_snapshot().unwrap());
    router(App::new(Arc::new(catalog), now, Settings::default()))
});

async fn post(request: &Value) -> (StatusCode, Value) {
    let answer = ask_of(BUILT_IN.clone(), json_request(Method::POST, "/estimate", request)).await;
    (answer.status, answer.value())
}

/// The quote that answers a request, checked line by line.
async fn quote(request: &Value) -> Value {
    let (status, quote) = post(request).await;
    assert_eq!(status, StatusCode::OK, "{request}\n{quote:#}");
    audit(&quote);
    quote
}

/// Every fault that a request is refused for: pointer, code, and the sentence.
async fn refusal(request: &Value) -> Vec<(String, String, String)> {
    let (status, problem) = post(request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{request}\n{problem:#}");
    let text = |error: &Value, field: &str| error[field].as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| (text(error, "pointer"), text(error, "code"), text(error, "detail"))).collect()
}

/// Eight H100 in one HGX server, 255,237 dollars on 2025-01-31, and 400 dollars of staff a year for each.
fn hgx() -> Value {
    json!({
        "kind": "ownership", "as_of": "2025-01-31", "years": 4,
        "hardware": { "gpu": "h100-sxm5-80gb", "count": 8, "price_each": "31904.625" },
        "server_factor": 1, "network_share": 0.19, "residual_fraction": 0.2, "cost_of_capital": 0.1,
        "contracted_kw_per_gpu": 1.275, "load_factor": 0.75, "power": { "price_per_kwh": "0.0826", "pue": 1.25 },
        "colocation_per_kw_month": "184.06", "maintenance_fraction": 0.03, "utilization": 0.7,
        "staff": [{ "label": "operators", "people": 8, "monthly_cost": "33.3333333333" }]
    })
}

/// A request with some of its members put in other ones' places.
fn with<const N: usize>(mut request: Value, changes: [(&str, Value); N]) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        request.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"))[name] = value;
    }
    request
}

/// A metric of an item.
#[track_caller]
fn metric(item: &Value, name: &str) -> f64 {
    item["metrics"][name]["value"].as_f64().unwrap_or_else(|| panic!("no {name}: {item:#}"))
}

/// The lines of an item: code and amount.
fn amounts(item: &Value) -> Vec<(&str, f64)> {
    let lines = item["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["code"].as_str().unwrap(), number(&line["amount"]))).collect()
}

/// The amount of the line of a code.
#[track_caller]
fn amount(item: &Value, code: &str) -> f64 {
    let found = amounts(item).into_iter().find(|(known, _)| *known == code);
    found.unwrap_or_else(|| panic!("no line {code}: {item:#}")).1
}

/// Money as a number.
#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

#[track_caller]
fn is_near(figure: f64, expected: f64, tolerance: f64) {
    assert!((figure / expected - 1.0).abs() <= tolerance, "{figure} for {expected}");
}
