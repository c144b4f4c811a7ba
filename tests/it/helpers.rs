//! The service on a small fixed catalog at a fixed time, asked in-process.
//!
//! [`get`] and [`post`] are all that most tests need; [`ask`] takes any request. Each checks the body of
//! every answer against the schema that the OpenAPI document declares for its status.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use farthing::{
    catalog::{
        handle::Catalog,
        ids::RevisionNumber,
        rows::{Revision, Tables},
        snapshot::Snapshot,
    },
    http::{App, Settings, openapi},
};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// The time at which every test asks: noon of the day after the catalog's revision.
pub fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// The catalog of the tests: two vendors, three offerings, dollars and yuan.
pub fn snapshot() -> Snapshot {
    let history = tables().into_history(RevisionNumber(1));
    let revision = Revision {
        revision: RevisionNumber(1),
        made_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        actor: "test".to_owned(),
        reason: "rows of the tests".to_owned(),
        rows_added: 17,
        rows_superseded: 0,
        content_hash: "0".repeat(64),
        catalog_version: None,
    };
    Snapshot::build(history, vec![revision]).unwrap()
}

/// Its rows.
pub fn tables() -> Tables {
    Tables {
        providers: rows(json!([
            { "id": "openai", "name": "OpenAI", "own_api": true },
            { "id": "azure", "name": "Azure", },
        ])),
        meters: rows(json!([
            meter("input_tokens", &[]),
            meter("cache_read_tokens", &["input_tokens"]),
            meter("output_tokens", &[]),
        ])),
        offerings: rows(json!([
            { "id": "openai/gpt-4o", "provider": "openai", "name": "gpt-4o",
              "aliases": ["gpt-4o-2024-11-20"], "first_party": true },
            { "id": "openai/gpt-4o-mini", "provider": "openai", "name": "gpt-4o-mini", "first_party": true },
            { "id": "azure/gpt-4o", "provider": "azure", "name": "gpt-4o" },
        ])),
        rate_cards: rows(json!([
            card("openai/gpt-4o", &json!({}), ["2.50", "1.25", "10.00"]),
            card(
                "openai/gpt-4o",
                &json!({ "context": { "service_tier": "batch" } }),
                ["1.25", "0.625", "5.00"]
            ),
            card("openai/gpt-4o-mini", &json!({}), ["0.15", "0.075", "0.60"]),
            card("azure/gpt-4o", &json!({}), ["2.75", "1.375", "11.00"]),
        ])),
        fx_rates: rows(json!([
            { "currency": "CNY", "date": "2026-11-20", "usd_per_unit": "0.14", "source": "test" },
            { "currency": "EUR", "date": "2026-11-20", "usd_per_unit": "1.25", "source": "test" },
        ])),
        ..Tables::default()
    }
}

/// Rows as the built-in catalog writes them, all seen on one day at one place.
pub fn rows<T: DeserializeOwned>(rows: Value) -> Vec<T> {
    let Value::Array(rows) = rows else {
        panic!("a list of rows");
    };
    let seen = |mut row: Value| {
        let fields = row.as_object_mut().unwrap();
        fields.entry("source").or_insert_with(|| json!("https://example.com/prices"));
        fields.entry("observed_at").or_insert_with(|| json!("2026-11-23"));
        serde_json::from_value(row).unwrap()
    };
    rows.into_iter().map(seen).collect()
}

pub fn meter(id: &str, part_of: &[&str]) -> Value {
    let name = id.replace('_', " ");
    json!({ "id": id, "name": name, "unit": "token", "per": "1000000", "part_of": part_of,
        "description": format!("Counts {name}.") })
}

fn card(offering: &str, conditions: &Value, [input, cached, output]: [&str; 3]) -> Value {
    json!({ "offering": offering, "currency": "USD", "effective_from": "2024-11-20T00:00:00Z",
        "conditions": conditions,
        "rates": { "input_tokens": input, "cache_read_tokens": cached, "output_tokens": output } })
}

/// A fresh service.
pub fn app() -> App {
    app_with(Settings::default())
}

/// A fresh service with settings of its own.
pub fn app_with(settings: Settings) -> App {
    App::new(Arc::new(Catalog::new(snapshot())), now, settings)
}

/// The routes of a fresh service.
pub fn router() -> Router {
    farthing::http::router(app())
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body: as JSON where it is JSON, else as one string.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into_owned().into())
    }

    /// What the schema of a media type describes: the body, or each line of newline-delimited JSON.
    fn values(&self, media_type: &str) -> Vec<Value> {
        if media_type != "application/x-ndjson" {
            return vec![self.value()];
        }
        let lines = self.body.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks a fresh service for a path.
pub async fn get(path: &str) -> (StatusCode, Value) {
    let answer = ask(Request::get(path).body(Body::empty()).unwrap()).await;
    (answer.status, answer.value())
}

/// Sends JSON to a path of a fresh service.
pub async fn post(path: &str, body: Value) -> (StatusCode, Value) {
    let answer = ask(json_request(Method::POST, path, &body)).await;
    (answer.status, answer.value())
}

/// A request with a JSON body.
pub fn json_request(method: Method, path: &str, body: &Value) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.body(body.to_string().into()).unwrap()
}

/// Asks a fresh service.
pub async fn ask(request: Request<Body>) -> Answer {
    ask_of(router(), request).await
}

/// Asks a given service, and checks the answer against what is declared for it.
pub async fn ask_of(router: Router, request: Request<Body>) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = ask_unchecked(router, request).await;
    let is_packed = answer.headers.contains_key(header::CONTENT_ENCODING);
    if method != Method::HEAD && method != Method::OPTIONS && !is_packed {
        check(&method, &path, &answer);
    }
    answer
}

/// Asks a service with routes that are in no document.
pub async fn ask_unchecked(router: Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// The OpenAPI document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(openapi::text()).unwrap());

/// Panics unless the body is what the document declares for its path, method, status and media type. Where
/// nothing is declared, at a path that is none, it must be a problem.
#[track_caller]
fn check(method: &Method, path: &str, answer: &Answer) {
    let media_type = answer.header("content-type").split(';').next().unwrap().to_owned();
    let schema = match operation(method, path) {
        Some(operation) => declared(operation, answer.status, &media_type),
        None if path.starts_with("/swagger-ui") => return, // assets, described nowhere
        None => json!({ "$ref": "#/components/schemas/Problem" }),
    };
    if answer.status == StatusCode::NOT_MODIFIED {
        return; // has no body
    }
    let validator = validator(schema);
    let status = answer.status;
    for value in answer.values(&media_type) {
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{method} {path} {status}: {errors:#?}\n{value:#}");
    }
}

/// What checks a schema of the document; each is compiled once.
fn validator(mut schema: Value) -> Arc<jsonschema::Validator> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<jsonschema::Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap();
    let compile = |schema: &mut Value| {
        schema["components"] = DOCUMENT["components"].clone();
        Arc::new(jsonschema::draft202012::new(schema).unwrap())
    };
    Arc::clone(known.entry(schema.to_string()).or_insert_with(|| compile(&mut schema)))
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let method = method.as_str().to_lowercase();
    let paths = DOCUMENT["paths"].as_object()?;
    let exact = paths.get(path);
    let found = exact.or_else(|| Some(paths.iter().find(|(template, _)| fits(template, path))?.1));
    found?.get(&method)
}

/// Whether a path is of the form of a template such as `/models/{id}`.
fn fits(template: &str, path: &str) -> bool {
    let (wanted, got) = (template.split('/'), path.split('/'));
    wanted.clone().count() == got.clone().count()
        && wanted.zip(got).all(|(wanted, got)| wanted.starts_with('{') || wanted == got)
}

#[track_caller]
fn declared(operation: &Value, status: StatusCode, media_type: &str) -> Value {
    let responses = &operation["responses"];
    let range = format!("{}XX", status.as_u16() / 100);
    let response = responses.get(status.as_str()).or_else(|| responses.get(range.as_str()));
    let id = &operation["operationId"];
    let response = response.unwrap_or_else(|| panic!("{id} does not declare {status}"));
    if status == StatusCode::NOT_MODIFIED {
        return json!({});
    }
    let content = &response["content"][media_type];
    assert!(content.is_object(), "{id} does not declare {media_type} for {status}");
    content["schema"].clone()
}

#[test]
fn a_body_of_another_shape_is_noticed() {
    let answer = Answer {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]),
        body: Bytes::from_static(br#"{"status": 1}"#),
    };
    let checked = std::panic::catch_unwind(|| check(&Method::GET, "/healthz", &answer));
    assert!(checked.is_err());
}
