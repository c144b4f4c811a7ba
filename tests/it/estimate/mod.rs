//! `/estimate` from outside: what is asked, what is answered, and that every answer adds up.

mod answer;
mod conditions;
mod conversations;
mod counts;
mod faults;
pub mod hostile;
mod laws;
pub mod ledger;
mod money;
mod names;
mod periods;
mod published;
mod ranges;
mod responses;
mod revisions;

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
use serde_json::Value;

use self::ledger::audit;
use crate::helpers::{Answer, ask_of, json_request, now};

/// A service that is asked for prices.
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

    async fn post(&self, request: &Value) -> Answer {
        ask_of(self.0.clone(), json_request(Method::POST, "/estimate", request)).await
    }

    /// Sends a text as a body that claims to be JSON.
    async fn send(&self, text: impl Into<Body>) -> Answer {
        let request = Request::post("/estimate").header(header::CONTENT_TYPE, "application/json");
        ask_of(self.0.clone(), request.body(text.into()).unwrap()).await
    }

    async fn get(&self, query: &str) -> Answer {
        let request = Request::get(format!("/estimate?{query}"));
        ask_of(self.0.clone(), request.body(Body::empty()).unwrap()).await
    }

    /// The quote that answers a request, checked line by line.
    async fn quote(&self, request: Value) -> Value {
        let answer = self.post(&request).await;
        let quote = answer.value();
        assert_eq!(answer.status, StatusCode::OK, "{request}\n{quote:#}");
        audit(&quote);
        quote
    }

    /// Every fault that a request is refused for: pointer and code.
    async fn refusal(&self, request: Value) -> Vec<(String, String)> {
        let errors = self.errors(request).await;
        let text = |error: &Value, field: &str| error[field].as_str().unwrap().to_owned();
        errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
    }

    /// The same with sentences and near matches.
    async fn errors(&self, request: Value) -> Vec<Value> {
        let answer = self.post(&request).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{request}\n{:#}", answer.value());
        answer.value()["errors"].as_array().unwrap().clone()
    }
}

/// Asks the built-in catalog.
async fn quote(request: Value) -> Value {
    BUILT_IN.quote(request).await
}

/// Panics unless the built-in catalog refuses a request for one reason.
async fn is_refused(request: Value, pointer: &str, code: &str) {
    let shown = request.to_string();
    let faults = BUILT_IN.refusal(request).await;
    assert_eq!(faults, [(pointer.to_owned(), code.to_owned())], "{shown}");
}

/// The lines of the first item, by a field.
fn column<'q>(quote: &'q Value, field: &str) -> Vec<(&'q str, &'q str)> {
    let lines = quote["items"][0]["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["code"].as_str().unwrap(), line[field].as_str().unwrap())).collect()
}

/// What each line of the first item costs.
fn amounts(quote: &Value) -> Vec<(&str, &str)> {
    column(quote, "amount")
}

/// How much each line of the first item charges for.
fn quantities(quote: &Value) -> Vec<(&str, &str)> {
    column(quote, "quantity")
}

/// What the whole costs.
fn total(quote: &Value) -> &str {
    quote["total"]["amount"].as_str().unwrap()
}

/// Codes of the first item's warnings.
fn warnings(quote: &Value) -> Vec<&str> {
    let warnings = quote["items"][0]["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning["code"].as_str().unwrap()).collect()
}
