//! Trainings from outside: what they cost, what they are refused for, and what moves them.

mod answer;
mod faults;
mod hostile;
mod laws;
pub mod ledger;
mod money;
mod moves;
mod program;
mod published;
mod schedule;
mod ways;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog, snapshot::Snapshot},
    http::{App, Settings, router},
};
use serde_json::{Value, json};

use self::ledger::audit;
use crate::helpers::{Answer, ask_of, json_request, now};

/// A service that is asked what trainings cost.
#[derive(Clone)]
struct Desk(Router);

/// The built-in catalog, indexed once for all tests.
static CATALOG: LazyLock<Arc<Catalog>> =
    LazyLock::new(|| Arc::new(Catalog::new(built_in_snapshot().unwrap())));

/// Who answers from it.
static BUILT_IN: LazyLock<Desk> = LazyLock::new(|| Desk::at(Arc::clone(&CATALOG)));

impl Desk {
    fn of(snapshot: Snapshot) -> Self {
        Self::at(Arc::new(Catalog::new(snapshot)))
    }

    fn at(catalog: Arc<Catalog>) -> Self {
        Self(router(App::new(catalog, now, Settings::default())))
    }

    /// Sends a text as a body that claims to be JSON.
    async fn send(&self, text: impl Into<Body>) -> Answer {
        let request = Request::post("/estimate").header(header::CONTENT_TYPE, "application/json");
        ask_of(self.0.clone(), request.body(text.into()).unwrap()).await
    }

    async fn post(&self, request: &Value) -> Answer {
        ask_of(self.0.clone(), json_request(Method::POST, "/estimate", request)).await
    }

    /// The quote that answers a request, checked line by line.
    async fn quote(&self, request: &Value) -> Value {
        let answer = self.post(request).await;
        let quote = answer.value();
        assert_eq!(answer.status, StatusCode::OK, "{request}\n{quote:#}");
        audit(&quote);
        quote
    }

    /// Every fault that a request is refused for: pointer, code, and the sentence.
    async fn errors(&self, request: &Value) -> Vec<(String, String, String)> {
        let answer = self.post(request).await;
        let problem = answer.value();
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{request}\n{problem:#}");
        let text = |error: &Value, field: &str| error[field].as_str().unwrap().to_owned();
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| (text(error, "pointer"), text(error, "code"), text(error, "detail"))).collect()
    }
}

/// Asks the built-in catalog.
async fn quote(request: Value) -> Value {
    BUILT_IN.quote(&request).await
}

/// A training of Llama-2-7B on H100 at two dollars.
#[expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]
fn training(stages: Value) -> Value {
    json!({
        "kind": "training", "model": "llama-2-7b",
        "hardware": { "gpu": "h100-sxm5-80gb", "price_per_gpu_hour": "2.00" }, "stages": stages
    })
}

/// A trillion tokens.
fn pretraining() -> Value {
    json!({ "stage": "pretraining", "tokens": 1e12 })
}

/// A request with some of its members put in other ones' places: `("/hardware/count", 8)`.
fn with<const N: usize>(mut request: Value, changes: [(&str, Value); N]) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = request.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
        match parent {
            Value::Array(values) => values[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        }
    }
    request
}

/// The lines of the first item: code and amount.
fn amounts(quote: &Value) -> Vec<(&str, &str)> {
    let lines = quote["items"][0]["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["code"].as_str().unwrap(), line["amount"].as_str().unwrap())).collect()
}

/// The codes of the first item's lines.
fn codes(quote: &Value) -> Vec<&str> {
    amounts(quote).into_iter().map(|(code, _)| code).collect()
}

/// The line of a code.
#[track_caller]
fn line<'q>(quote: &'q Value, code: &str) -> &'q Value {
    let mut lines = quote["items"][0]["lines"].as_array().unwrap().iter();
    lines.find(|line| line["code"] == code).unwrap_or_else(|| panic!("no line {code}: {quote:#}"))
}

/// What the whole costs.
fn total(quote: &Value) -> f64 {
    number(&quote["total"]["amount"])
}

/// A metric of the first item.
#[track_caller]
fn metric(quote: &Value, name: &str) -> f64 {
    quote["items"][0]["metrics"][name]["value"].as_f64().unwrap_or_else(|| panic!("no {name}: {quote:#}"))
}

/// Money or a quantity as a number.
#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Codes of the first item's warnings, with what they are about.
fn warnings(quote: &Value) -> Vec<(&str, &str)> {
    let warnings = quote["items"][0]["warnings"].as_array().unwrap().iter();
    warnings
        .map(|warning| (warning["code"].as_str().unwrap(), warning["pointer"].as_str().unwrap()))
        .collect()
}

fn near(figure: f64, expected: f64, tolerance: f64) -> bool {
    (figure / expected - 1.0).abs() <= tolerance
}
