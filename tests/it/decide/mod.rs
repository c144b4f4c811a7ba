//! Questions made of many quotes, from outside: laws, and what is refused.

mod break_even;
mod budget;
mod compare;
mod heavy;
mod project;
mod sweep;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    http::{Method, StatusCode},
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    http::{App, Settings, router},
};
use serde_json::Value;

use crate::helpers::{Answer, DOCUMENT, ask_of, json_request, now};

static BUILT_IN: LazyLock<Router> = LazyLock::new(|| {
    let catalog = Catalog::new(built_in_snapshot().unwrap());
    router(App::new(Arc::new(catalog), now, Settings::default()))
});

/// What the built-in catalog answers, whatever it is.
async fn answer(path: &str, request: &Value) -> Answer {
    ask_of(BUILT_IN.clone(), json_request(Method::POST, path, request)).await
}

/// An answer that is one.
async fn answered(path: &str, request: &Value) -> Value {
    let answer = answer(path, request).await;
    assert_eq!(answer.status, StatusCode::OK, "{request}\n{:#}", answer.value());
    answer.value()
}

/// Faults as pointer and code.
async fn refusal(path: &str, request: &Value) -> Vec<(String, String)> {
    let answer = answer(path, request).await;
    let body = answer.value();
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{request}\n{body:#}");
    faults(&body["errors"])
}

/// Pointers and codes.
fn faults(errors: &Value) -> Vec<(String, String)> {
    let text = |error: &Value, field: &str| error[field].as_str().unwrap().to_owned();
    errors.as_array().unwrap().iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
}

/// One fault.
fn fault(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[tokio::test]
async fn every_form_of_a_question_answers_its_example() {
    for (path, form) in [
        ("/sweep", "SweepRequest"),
        ("/break-even", "CurvesRequest"),
        ("/break-even", "RentOrBuyRequest"),
        ("/budget", "BudgetRequest"),
        ("/budget", "OptimalRequest"),
        ("/project", "ProjectRequest"),
    ] {
        answered(path, &DOCUMENT["components"]["schemas"][form]["examples"][0]).await;
    }
}
