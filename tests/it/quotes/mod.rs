//! Quotes that last: kept once whatever happens, read back unchanged, found again, priced again.

mod command;
mod expiry;
mod idempotency;
mod kept;
mod kills;
mod list;
mod requote;
mod trouble;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use farthing::{
    catalog::{handle::Catalog, ids::RevisionNumber, rows::Tables, snapshot::Snapshot},
    http::{App, Settings, router},
    store::Store,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::helpers::{Answer, ask_of, json_request, now, tables};

/// A service that keeps quotes, and what it stands on.
#[derive(Clone)]
struct Desk {
    app: App,
    catalog: Arc<Catalog>,
    store: Store,
}

impl Desk {
    /// On the small catalog, in memory.
    async fn new() -> Self {
        Self::on(Store::in_memory().await.unwrap(), &tables()).await
    }

    /// On a database that has no catalog yet.
    async fn on(store: Store, tables: &Tables) -> Self {
        store.import(tables, "a test", "tester", None, now()).await.unwrap().unwrap();
        let catalog = Arc::new(Catalog::new(loaded(&store).await));
        let app = App::keeping(Arc::clone(&catalog), store.clone(), now, Settings::default());
        Self { app, catalog, store }
    }

    /// The same with another clock and other settings.
    fn at(&self, now: fn() -> Timestamp, settings: Settings) -> Self {
        let app = App::keeping(Arc::clone(&self.catalog), self.store.clone(), now, settings);
        Self { app, ..self.clone() }
    }

    /// Takes over changed rows as the next revision.
    async fn revise(&self, tables: &Tables) -> RevisionNumber {
        let made = self.store.import(tables, "a change", "tester", None, now()).await.unwrap().unwrap();
        self.catalog.replace(loaded(&self.store).await);
        made.revision
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        ask_of(router(self.app.clone()), request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A page of the list, which has to be there.
    async fn list(&self, query: &str) -> Value {
        let answer = self.get(&format!("/quotes?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.value()
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(json_request(Method::POST, path, body)).await
    }

    /// Keeps a quote, which has to succeed; its id.
    async fn keep(&self, body: &Value) -> String {
        let answer = self.post("/quotes", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.value()["id"].as_str().unwrap().to_owned()
    }

    async fn requote(&self, id: &str) -> Answer {
        self.ask(Request::post(format!("/quotes/{id}/requote")).body(Body::empty()).unwrap()).await
    }
}

async fn loaded(store: &Store) -> Snapshot {
    let (history, revisions) = store.load().await.unwrap();
    Snapshot::build(history, revisions).unwrap()
}

/// A million tokens in, of a model that costs 2.50 for them.
fn a_million() -> Value {
    json!({ "model": "gpt-4o", "usage": { "input_tokens": 1_000_000 } })
}

/// The same to be kept under a label.
fn labelled(label: &str) -> Value {
    json!({ "request": a_million(), "label": label })
}

/// The rows with gpt-4o twice as dear.
fn dearer() -> Tables {
    let mut tables = tables();
    let cards = tables.rate_cards.iter_mut().filter(|card| card.offering.as_str() == "openai/gpt-4o");
    cards.for_each(|card| card.rates.values_mut().for_each(|rate| rate.amount += rate.amount));
    tables
}

/// Pointer and code of each fault of a refusal.
fn faults(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = answer.value()["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
}
