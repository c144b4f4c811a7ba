//! Every operation of the document is tried with every kind of key that is not good for it.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use farthing::{
    http::Settings,
    store::keys::{Scope, Secret},
};
use serde_json::Value;

use super::{Office, draft, is_refused, put};
use crate::helpers::{Answer, DOCUMENT};

/// Method, path with its names filled in, and scopes of each operation; scopes: those that it names, none where it
/// says nothing of keys.
fn operations() -> Vec<(String, String, Option<Vec<String>>)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let operation = |path: &str, method: &str, operation: &Value| {
        let path = path.replace("{id}", "019ab2c4-7a00-7c4d-8e5f-60718293a4b5").replace("{revision}", "1");
        let security = operation.get("security").and_then(Value::as_array);
        let scopes = security.map(|ways| {
            let ways = ways.iter().flat_map(|way| way["key"].as_array().cloned().unwrap_or_default());
            ways.map(|scope| scope.as_str().unwrap().to_owned()).collect()
        });
        (method.to_uppercase(), path, scopes)
    };
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, of)| operation(path, method, of))
    });
    all.collect()
}

/// With a body that the operation cannot take: who is let through gets an error of another kind.
fn request(method: &str, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    request.body(Body::from("{}")).unwrap()
}

/// Keys that are no good, with what they are.
async fn bad_keys(office: &Office) -> Vec<(&'static str, String)> {
    let all = [Scope::Admin];
    let (_, expired) = put(&office.store, draft(&all, Some("2026-11-24T12:00:00Z"))).await; // at this instant
    let (revoked_id, revoked) = put(&office.store, draft(&all, None)).await;
    office.app.follow_keys().await.unwrap();
    assert_eq!(office.revoke(&revoked_id).await.status, StatusCode::OK);
    let unknown = Secret::generate().unwrap().reveal().to_owned();
    let mut wrong = office.admin.clone();
    let last = wrong.pop().unwrap();
    wrong.push(if last == '0' { '1' } else { '0' });
    let cut = office.admin[..office.admin.len() - 1].to_owned();
    let longer = format!("{}0", office.admin);
    let upper = office.admin.to_uppercase();
    vec![
        ("expired", expired),
        ("revoked", revoked),
        ("unknown", unknown),
        ("wrong in its last digit", wrong),
        ("cut", cut),
        ("longer", longer),
        ("in capitals", upper),
        ("its prefix", office.admin[..16].to_owned()),
        ("empty", String::new()),
        ("short", "x".to_owned()),
        ("very long", "x".repeat(5000)),
    ]
}

/// What is the same in all refusals of one kind.
fn told(answer: &Answer) -> (u16, String, Value, String) {
    let mut body = answer.value();
    body.as_object_mut().unwrap().remove("request_id").unwrap();
    let header = |name| answer.header(name).to_owned();
    (answer.status.as_u16(), header("www-authenticate"), body, header("content-type"))
}

#[tokio::test]
async fn nothing_under_admin_is_done_without_a_good_key_of_its_scope() {
    let office = Office::new().await;
    let bad = bad_keys(&office).await;
    let (_, quote) = put(&office.store, draft(&[Scope::Quote], None)).await;
    let (_, write) = put(&office.store, draft(&[Scope::Quote, Scope::CatalogWrite], None)).await;
    office.app.follow_keys().await.unwrap();
    let keys_before = office.store.keys().await.unwrap();
    let mut tried = 0;
    for (method, path, scopes) in operations() {
        if !path.starts_with("/admin") {
            continue;
        }
        let what = format!("{method} {path}");
        let scopes = scopes.unwrap_or_else(|| panic!("{what} says nothing of keys"));
        assert_eq!(scopes.len(), 1, "{what}");
        let none = office.ask(request(&method, &path), None).await;
        is_refused(&none, &what);
        let mut refusals = Vec::new();
        for (kind, key) in &bad {
            let answer = office.ask(request(&method, &path), Some(key)).await;
            is_refused(&answer, &format!("{what} with a key that is {kind}"));
            refusals.push(told(&answer));
        }
        refusals.dedup();
        assert_eq!(refusals.len(), 1, "{what} tells bad keys apart: {refusals:#?}");
        let held = [(&quote, &["quote"][..]), (&write, &["quote", "catalog:write"])];
        for (key, small) in held.into_iter().filter(|(_, held)| !held.contains(&scopes[0].as_str())) {
            let answer = office.ask(request(&method, &path), Some(key)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what} with {small:?}");
            assert_eq!(answer.value()["type"], "/problems/forbidden");
            let challenge = answer.header("www-authenticate");
            let ends = format!("error=\"insufficient_scope\", scope=\"{}\"", scopes[0]);
            assert!(challenge.ends_with(&ends), "{challenge}");
        }
        let good = office.ask(request(&method, &path), Some(&office.admin)).await;
        assert!(![401, 403].contains(&good.status.as_u16()), "{what}: {}", good.text());
        assert_eq!(good.header("cache-control"), "no-store", "{what}");
        tried += 1;
    }
    assert!(tried >= 5, "only {tried} operations");
    assert_eq!(office.store.keys().await.unwrap(), keys_before);
}

#[tokio::test]
async fn a_wrong_method_under_admin_is_not_told_to_strangers() {
    let office = Office::new().await;
    is_refused(&office.ask(request("PUT", "/admin/keys"), None).await, "PUT");
    let known = office.ask(request("PUT", "/admin/keys"), Some(&office.admin)).await;
    assert_eq!(known.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn all_else_but_health_and_the_document_is_closed_where_a_key_is_required_and_says_so() {
    let office = Office::with(Settings { require_key: true, ..Settings::default() }).await;
    let (_, quote) = office.make(&["quote"]).await;
    let (_, write) = office.make(&["catalog:write"]).await;
    let mut open = Vec::new();
    for (method, path, scopes) in operations() {
        let what = format!("{method} {path}");
        let Some(scopes) = scopes else {
            assert_eq!(office.ask(request(&method, &path), None).await.status, StatusCode::OK, "{what}");
            open.push(path);
            continue;
        };
        is_refused(&office.ask(request(&method, &path), None).await, &what);
        if scopes == ["quote"] {
            let small = office.ask(request(&method, &path), Some(&write)).await;
            assert_eq!(small.status, StatusCode::FORBIDDEN, "{what}");
            for good in [&quote, &office.admin] {
                let status = office.ask(request(&method, &path), Some(good)).await.status.as_u16();
                assert!(![401, 403].contains(&status), "{what}");
            }
        }
    }
    assert_eq!(open, ["/", "/healthz", "/openapi.json", "/readyz"]);
}
