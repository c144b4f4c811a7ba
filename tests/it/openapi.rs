//! The OpenAPI document is current, and says enough for somebody who has nothing else.

use std::{
    fs,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    http::{App, Settings, router},
};
use serde_json::{Map, Value};

use crate::helpers::{DOCUMENT, ask_of, now};

/// Objects whose fields are not listed, by the place where they stand, with the reason.
const FREE_FORM: [&str; 10] = [
    "/components/schemas/ArchitectureFrom/properties/config", // a model's own, as it was published
    "/components/schemas/AuditItem/properties/after",         // whatever was changed
    "/components/schemas/AuditItem/properties/before",        // the same
    "/components/schemas/CompareCandidate/properties/set/additionalProperties", // whatever a request may hold there
    "/components/schemas/CompareOver/properties/values/items",                  // the same
    "/components/schemas/CompareSet/properties/value",                          // the same
    "/components/schemas/KeptQuote/properties/request",                         // of any kind, as it was sent
    "/components/schemas/ScenarioItem/properties/request", // of any kind, checked when it is sent
    "/components/schemas/UsageFrom/properties/response",   // a vendor's, as it came
    "/paths/~1openapi.json/get/responses/200/content/application~1json/schema", // OpenAPI's own schema
];

#[test]
fn the_committed_document_is_what_the_routes_generate() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == farthing::http::openapi::text(),
        "stale: run `cargo run -- openapi > openapi/openapi.json`"
    );
}

#[test]
fn the_document_says_what_it_describes() {
    assert_eq!(DOCUMENT["openapi"], "3.1.0");
    assert_eq!(DOCUMENT["info"]["license"]["identifier"], "MIT OR Apache-2.0");
    assert_eq!(DOCUMENT["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(DOCUMENT["servers"][0]["url"], "/");
}

/// Every operation, with a name for messages.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[test]
fn every_operation_has_a_name_a_summary_and_a_known_tag() {
    let known: Vec<&Value> = DOCUMENT["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (name, operation) in operations() {
        assert!(is_text(&operation["operationId"]), "{name}");
        assert!(is_text(&operation["summary"]), "{name}");
        let tags = operation["tags"].as_array().unwrap();
        assert!(tags.iter().all(|tag| known.contains(&tag)) && tags.len() == 1, "{name}");
    }
}

#[test]
fn every_operation_says_how_it_fails() {
    for (name, operation) in operations() {
        for status in ["4XX", "5XX"] {
            let content = &operation["responses"][status]["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{name} {status}");
        }
    }
}

#[test]
fn every_parameter_is_described_and_shown() {
    for (name, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter_name = &parameter["name"];
            assert!(is_text(&parameter["description"]), "{name} {parameter_name}");
            let shown = has_example(parameter) || has_example(&parameter["schema"]);
            assert!(shown || names_values(&parameter["schema"]), "{name} {parameter_name} has no example");
        }
    }
}

/// Visits every schema of the document with the place where it stands.
fn schemas(visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    fn walk(place: &str, value: &Value, is_schema: bool, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
        match value {
            Value::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    walk(&format!("{place}/{at}"), value, is_schema, visit);
                }
            }
            Value::Object(fields) => {
                if is_schema {
                    visit(place, fields);
                }
                for (key, value) in fields {
                    let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                    match key.as_str() {
                        "example" | "examples" | "default" | "enum" | "const" => {}
                        "properties" | "schemas" => {
                            for (name, value) in value.as_object().into_iter().flatten() {
                                walk(&format!("{place}/{name}"), value, true, visit);
                            }
                        }
                        "schema"
                        | "items"
                        | "oneOf"
                        | "anyOf"
                        | "allOf"
                        | "prefixItems"
                        | "additionalProperties" => walk(&place, value, true, visit),
                        _ => walk(&place, value, false, visit),
                    }
                }
            }
            _ => {}
        }
    }
    walk("", &DOCUMENT, false, visit);
}

fn has_example(schema: &Value) -> bool {
    schema.get("example").is_some() || schema.get("examples").is_some()
}

/// Whether a schema lists the values it takes, which is better than an example; a reference may.
fn names_values(schema: &Value) -> bool {
    let listed = |schema: &Value| schema.get("enum").is_some() || schema.get("const").is_some();
    let resolved = resolve(schema);
    let one_of = resolved["oneOf"].as_array();
    listed(resolved)
        || one_of
            .is_some_and(|list| list.iter().all(|schema| schema["type"] == "null" || names_values(schema)))
}

fn resolve(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// Text, numbers, booleans; also where null stands beside them, or where a reference leads to one.
fn is_scalar(schema: &Value) -> bool {
    let scalar = |name: &Value| ["string", "number", "integer", "boolean"].map(Value::from).contains(name);
    let resolved = resolve(schema);
    match &resolved["type"] {
        Value::Array(names) => names.iter().any(scalar),
        name => scalar(name),
    }
}

/// Paths of what somebody has kept before, or needs a key: a fresh service has nothing there.
const OF_KEPT_THINGS: [&str; 2] = ["/quotes", "/admin"];

/// What somebody gets who presses "try it out" and changes nothing: every operation answers its own example.
#[tokio::test]
async fn every_example_is_answered_as_it_stands() {
    let mut tried = 0;
    let paths = DOCUMENT["paths"].as_object().unwrap();
    for (path, item) in
        paths.iter().filter(|(path, _)| !OF_KEPT_THINGS.iter().any(|kept| path.starts_with(kept)))
    {
        for (method, operation) in item.as_object().unwrap() {
            let request = example_request(method, path, operation);
            let answer = ask_of(BUILT_IN.clone(), request).await;
            assert_eq!(answer.status, StatusCode::OK, "{method} {path}\n{:#}", answer.value());
            tried += 1;
        }
    }
    assert!(tried > 30, "only {tried} operations");
}

static BUILT_IN: LazyLock<Router> = LazyLock::new(|| {
    let catalog = Catalog::new(built_in_snapshot().unwrap());
    router(App::new(Arc::new(catalog), now, Settings::default()))
});

/// The request that the document's examples make.
fn example_request(method: &str, path: &str, operation: &Value) -> Request<Body> {
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = example_of(parameter).or_else(|| example_of(&parameter["schema"]));
        match (parameter["in"].as_str().unwrap(), example) {
            ("path", Some(value)) => path = path.replace(&format!("{{{name}}}"), &encoded(&value)),
            ("query", Some(Value::Object(fields))) => {
                query.extend(fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))));
            }
            ("query", Some(value)) => query.push(format!("{name}={}", encoded(&value))),
            _ => {}
        }
    }
    let mut request = Request::builder().method(method.to_uppercase().as_str());
    let mut body = Body::empty();
    let content = operation["requestBody"]["content"].as_object();
    if let Some((media_type, content)) = content.and_then(|content| content.iter().next()) {
        let example = example_of(content).or_else(|| example_of(resolve(&content["schema"]))).unwrap();
        request = request.header("content-type", media_type);
        body = Body::from(example.as_str().map_or_else(|| example.to_string(), str::to_owned));
    }
    request.uri(format!("{path}?{}", query.join("&"))).body(body).unwrap()
}

fn example_of(object: &Value) -> Option<Value> {
    let first = object.get("examples").and_then(|examples| examples.get(0));
    object.get("example").or(first).cloned()
}

/// A value in a path or a query.
fn encoded(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[test]
fn every_property_is_described() {
    schemas(&mut |place, schema| {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            assert!(is_text(&property["description"]), "{place}/{name} has no description");
        }
    });
}

#[test]
fn every_scalar_property_is_shown() {
    schemas(&mut |place, schema| {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let shown = has_example(property) || names_values(property);
            assert!(shown || !is_scalar(property), "{place}/{name} has no example");
        }
    });
}

#[test]
fn every_object_lists_its_fields() {
    let mut free: Vec<String> = Vec::new();
    schemas(&mut |place, schema| {
        let is_object = match &schema.get("type") {
            Some(Value::Array(names)) => names.contains(&"object".into()),
            Some(name) => *name == "object",
            None => schema.is_empty() || schema.keys().all(|key| key == "description"),
        };
        let typed_map = schema.get("additionalProperties").is_some_and(Value::is_object);
        if is_object && !schema.contains_key("properties") && !typed_map {
            free.push(place.to_owned());
        }
        if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
            free.push(place.to_owned());
        }
    });
    free.dedup(); // free in two ways
    assert_eq!(free, FREE_FORM);
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(walk),
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let place = reference.trim_start_matches('#');
                    assert!(DOCUMENT.pointer(place).is_some(), "{reference}");
                }
                fields.values().for_each(walk);
            }
            _ => {}
        }
    }
    walk(&DOCUMENT);
}
