//! What goes in comes out, byte for byte.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::{Value, json};

use super::{Desk, a_million, dearer, faults, labelled};
use crate::helpers::{json_request, router};

#[tokio::test]
async fn a_quote_is_found_where_the_answer_says_with_the_bytes_of_the_answer() {
    let desk = Desk::new().await;
    let body = json!({ "request": a_million(), "label": "December", "tags": { "team": "search" } });
    let kept = desk.post("/quotes", &body).await;
    assert_eq!(kept.status, StatusCode::CREATED);
    let found = desk.get(kept.header("location")).await;
    assert_eq!((found.status, found.body), (StatusCode::OK, kept.body.clone()));
    let quote = kept.value();
    assert_eq!(kept.header("location"), format!("/quotes/{}", quote["id"].as_str().unwrap()));
    assert_eq!(
        (&quote["label"], &quote["tags"], &quote["created_at"], &quote["catalog_revision"]),
        (&json!("December"), &json!({ "team": "search" }), &json!("2026-11-24T12:00:00Z"), &json!(1))
    );
    assert_eq!((&quote["expires_at"], &quote["requote_of"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn the_answer_is_what_estimate_says_and_the_request_stays_as_it_was_written() {
    let desk = Desk::new().await;
    let request = r#"{ "model" :"gpt-4o",  "usage":{"input_tokens":1.0e6}, "label":"\u00e9" }"#;
    let whole = format!(r#"{{"request":{request}}}"#);
    let post = |path: &str, body: &str| {
        let request = Request::builder().method(Method::POST).uri(path);
        request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_owned())).unwrap()
    };
    let kept = desk.ask(post("/quotes", &whole)).await;
    let estimated = desk.ask(post("/estimate", request)).await;
    let expected = format!(r#","request":{request},"answer":{}}}"#, estimated.text());
    assert!(kept.text().ends_with(&expected), "{}", kept.text());
}

#[tokio::test]
async fn a_newer_catalog_changes_no_byte_of_it() {
    let desk = Desk::new().await;
    let id = desk.keep(&labelled("before")).await;
    let before = desk.get(&format!("/quotes/{id}")).await;
    desk.revise(&dearer()).await;
    let after = desk.get(&format!("/quotes/{id}")).await;
    assert_eq!((&after.body, after.header("etag")), (&before.body, before.header("etag")));
    assert_eq!(after.value()["answer"]["total"]["amount"], "2.50");
}

#[tokio::test]
async fn who_has_it_is_told_so() {
    let desk = Desk::new().await;
    let path = format!("/quotes/{}", desk.keep(&labelled("x")).await);
    let tag = desk.get(&path).await.header("etag").to_owned();
    assert!(tag.starts_with('"'), "a strong tag: {tag}");
    let request = Request::get(&path).header(header::IF_NONE_MATCH, &tag).body(Body::empty()).unwrap();
    let answer = desk.ask(request).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn an_id_that_there_is_not_is_not_found() {
    let desk = Desk::new().await;
    for id in ["019ab2c4-7a00-7c4d-8e5f-60718293a4b5", "7", "x%2Fy", &"9".repeat(5000)] {
        assert_eq!(desk.get(&format!("/quotes/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(desk.requote(id).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn faults_of_the_quote_and_of_its_request_come_together_each_where_it_stands() {
    let desk = Desk::new().await;
    let request = json!({ "model": "gpt-9", "usage": { "input_tokens": 1 }, "currency": "XXX" });
    let body = json!({ "request": request, "label": "a\nb", "tags": { "a:b": "1", "c": "\u{0}" },
        "expires_at": "2026-11-24T12:00:00Z" });
    let fault = |place: &str, code: &str| (place.to_owned(), code.to_owned());
    assert_eq!(
        faults(&desk.post("/quotes", &body).await),
        [
            fault("/label", "out_of_range"),
            fault("/tags/a:b", "out_of_range"),
            fault("/tags/c", "out_of_range"),
            fault("/expires_at", "out_of_range"),
            fault("/request/currency", "unknown_currency"),
            fault("/request/model", "unknown_model"),
        ]
    );
    for (body, place, code) in [
        (json!({}), "/request", "missing_field"),
        (json!({ "request": 7 }), "/request", "wrong_type"),
        (json!({ "request": a_million(), "lable": "x" }), "/lable", "unknown_field"),
        (json!({ "request": a_million(), "tags": { "a": 1 } }), "/tags/a", "wrong_type"),
        (json!({ "request": a_million(), "expires_at": "soon" }), "/expires_at", "wrong_type"),
    ] {
        assert_eq!(faults(&desk.post("/quotes", &body).await), [fault(place, code)], "{body}");
    }
    assert_eq!(desk.list("").await["items"], json!([]), "nothing was kept");
}

#[tokio::test]
async fn a_service_without_a_database_says_so_and_estimates() {
    let ask = |request| crate::helpers::ask_of(router(), request);
    let kept = ask(json_request(Method::POST, "/quotes", &labelled("x"))).await;
    assert_eq!((kept.status, kept.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    assert_eq!(kept.value()["type"], "/problems/no-database");
    let estimated = ask(json_request(Method::POST, "/estimate", &a_million())).await;
    assert_eq!(estimated.status, StatusCode::OK);
}
