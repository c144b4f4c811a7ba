//! A request sent twice is carried out once.

use axum::http::{Method, StatusCode};
use farthing::{http::Settings, store::Store};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Desk, a_million, dearer, labelled};
use crate::{
    helpers::{Answer, json_request, now, tables},
    store::database,
};

async fn post(desk: &Desk, key: &str, body: &Value) -> Answer {
    let mut request = json_request(Method::POST, "/quotes", body);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    desk.ask(request).await
}

/// Posts the same many times at once.
async fn at_once(desk: &Desk, times: usize, key: impl Fn(usize) -> String) -> Vec<Answer> {
    let posted: Vec<_> = (0..times)
        .map(|at| {
            let (desk, key) = (desk.clone(), key(at));
            tokio::spawn(async move { post(&desk, &key, &labelled("x")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in posted {
        answers.push(answer.await.unwrap());
    }
    answers
}

async fn count(desk: &Desk) -> usize {
    desk.list("limit=500").await["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_key_and_body_get_the_same_answer_though_prices_have_changed() {
    let desk = Desk::new().await;
    let first = post(&desk, "k", &labelled("x")).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, ""));
    desk.revise(&dearer()).await;
    let again = post(&desk, "k", &labelled("x")).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(count(&desk).await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let desk = Desk::new().await;
    post(&desk, "k", &labelled("x")).await;
    let other = post(&desk, "k", &labelled("y")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.value()["type"], "/problems/idempotency-key-reused");
    assert_eq!(count(&desk).await, 1);
}

#[tokio::test]
async fn other_keys_and_none_make_other_quotes() {
    let desk = Desk::new().await;
    for key in ["a", "b", "", ""] {
        assert_eq!(post(&desk, key, &labelled("x")).await.status, StatusCode::CREATED);
    }
    assert_eq!(count(&desk).await, 4);
}

#[tokio::test]
async fn what_was_refused_may_be_put_right_under_its_key() {
    let desk = Desk::new().await;
    let wrong = json!({ "request": { "model": "gpt-9", "usage": { "input_tokens": 1 } } });
    assert_eq!(post(&desk, "k", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post(&desk, "k", &labelled("x")).await.status, StatusCode::CREATED);
}

fn a_day_later() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn a_moment_before_that() -> Timestamp {
    "2026-11-25T11:59:59.999Z".parse().unwrap()
}

#[tokio::test]
async fn a_key_is_worth_something_for_a_day_and_not_longer() {
    let desk = Desk::new().await;
    let first = post(&desk, "k", &labelled("x")).await;
    let before = desk.at(a_moment_before_that, Settings::default());
    assert_eq!(post(&before, "k", &labelled("x")).await.body, first.body);
    let after = desk.at(a_day_later, Settings::default());
    let fresh = post(&after, "k", &labelled("y")).await;
    assert_eq!((fresh.status, fresh.header("idempotent-replayed")), (StatusCode::CREATED, ""));
    assert_eq!(post(&after, "k", &labelled("y")).await.body, fresh.body);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let desk = Desk::new().await;
    assert_eq!(post(&desk, &"k".repeat(256), &labelled("x")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_request_many_times_at_once_makes_one_quote() {
    let store = Store::open(&database("quotes-at-once")).await.unwrap();
    let desk = Desk::on(store, &tables()).await;
    let answers = at_once(&desk, 32, |_| "k".to_owned()).await;
    let first = answers[0].body.clone();
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED && answer.body == first));
    let fresh = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty());
    assert_eq!((fresh.count(), count(&desk).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_at_once_make_as_many_quotes() {
    let store = Store::open(&database("quotes-many")).await.unwrap();
    let desk = Desk::on(store, &tables()).await;
    let answers = at_once(&desk, 64, |at| format!("k{at}")).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED));
    assert_eq!(count(&desk).await, 64);
}

#[tokio::test]
async fn a_kept_requote_is_made_once_too() {
    let desk = Desk::new().await;
    let id = desk.keep(&json!({ "request": a_million() })).await;
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let path = format!("/quotes/{id}/requote?keep=true");
        let request = axum::http::Request::post(path).header("idempotency-key", "k");
        let answer = desk.ask(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        bodies.push(answer.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(count(&desk.at(now, Settings::default())).await, 2);
}
