//! Keys: who gets through which door, with what, how often, and what is written down of it.

mod audit;
mod closed;
mod command;
mod keys;
mod limits;
mod walk;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use farthing::{
    catalog::handle::Catalog,
    http::{App, Settings, router},
    store::{
        Store,
        audit::Actor,
        keys::{Hand, KeyDraft, KeyRow, Scope, Scopes, Secret},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::helpers::{Answer, ask_of, json_request, now, snapshot};

/// A service with one key for everything.
#[derive(Clone)]
struct Office {
    app: App,
    store: Store,
    admin: String,
}

impl Office {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        Self::on(Store::in_memory().await.unwrap(), settings).await
    }

    async fn on(store: Store, settings: Settings) -> Self {
        let catalog = Arc::new(Catalog::new(snapshot()));
        let app = App::keeping(catalog, store.clone(), now, settings);
        let (_, admin) = put(&store, draft(&[Scope::Admin], None)).await;
        app.follow_keys().await.unwrap();
        Self { app, store, admin }
    }

    /// The same at another time.
    fn at(&self, now: fn() -> Timestamp) -> App {
        let catalog = Arc::new(Catalog::new(snapshot()));
        App::keeping(catalog, self.store.clone(), now, Settings::default())
    }

    /// Asks with a key, or with none.
    async fn ask(&self, request: Request<Body>, key: Option<&str>) -> Answer {
        ask_of(router(self.app.clone()), with_key(request, key)).await
    }

    /// Asks with the key for everything.
    async fn get(&self, path: &str) -> Answer {
        self.ask(get(path), Some(&self.admin)).await
    }

    async fn create(&self, body: &Value) -> Answer {
        self.ask(json_request(Method::POST, "/admin/keys", body), Some(&self.admin)).await
    }

    /// Makes a key, which has to succeed: its id and itself.
    async fn make(&self, scopes: &[&str]) -> (String, String) {
        let answer = self.create(&json!({ "label": "a test", "scopes": scopes })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let value = answer.value();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&value["key"]["id"]), text(&value["secret"]))
    }

    async fn revoke(&self, id: &str) -> Answer {
        let request = Request::delete(format!("/admin/keys/{id}")).body(Body::empty()).unwrap();
        self.ask(request, Some(&self.admin)).await
    }
}

fn draft(scopes: &[Scope], expires_at: Option<&str>) -> KeyDraft {
    KeyDraft {
        label: "put there".to_owned(),
        scopes: Scopes(scopes.iter().copied().collect()),
        expires_at: expires_at.map(|at| at.parse().unwrap()),
    }
}

/// A key made past the service, as the command line does: its id and itself. It is a year old.
async fn put(store: &Store, draft: KeyDraft) -> (String, String) {
    let secret = Secret::generate().unwrap();
    let made_at = "2025-11-24T12:00:00Z".parse().unwrap();
    let row = KeyRow::fresh(&secret, draft, &Actor::CommandLine, made_at);
    store.create_key(&row, &Hand::local(Actor::CommandLine), None).await.unwrap();
    (row.id, secret.reveal().to_owned())
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn with_key(mut request: Request<Body>, key: Option<&str>) -> Request<Body> {
    if let Some(key) = key {
        let value = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request
}

/// Panics unless the answer is a 401 that says how to come back.
#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {}", answer.text());
    assert_eq!(answer.value()["type"], "/problems/unauthorized", "{what}");
    assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"farthing\""), "{what}");
}
