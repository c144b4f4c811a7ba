//! Heavy work: light answers go on beside it, and it stops when its asker leaves.

use std::{sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    http::{App, Settings, router},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::helpers::{Answer, ask_of, json_request, now};

/// Longer than anything here takes, also on a machine with other things to do.
const SOON: Duration = Duration::from_secs(20);

fn app(timeout: Duration) -> App {
    let catalog = Catalog::new(built_in_snapshot().unwrap());
    App::new(Arc::new(catalog), now, Settings { timeout, ..Settings::default() })
}

async fn post(app: &App, path: &str, body: &Value) -> Answer {
    ask_of(router(app.clone()), json_request(Method::POST, path, body)).await
}

/// Waits until so many places are free.
async fn free(app: &App, places: usize) {
    let all = async {
        while app.heavy.free() != places {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, all).await.unwrap();
}

/// Takes every place, until what is returned is dropped.
async fn all_taken(app: &App) -> JoinSet<()> {
    let mut busy = JoinSet::new();
    for _ in 0..app.heavy.free() {
        let app = app.clone();
        busy.spawn(async move {
            let endless = |stop: farthing::decide::Stop<'_>| {
                while !stop() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            app.heavy.run(endless).await.unwrap();
        });
    }
    free(app, 0).await;
    busy
}

fn call() -> Value {
    json!({ "model": "gpt-4o", "usage": { "input_tokens": 1200, "output_tokens": 300 } })
}

/// Whatever machines are cheapest: those have to be searched for.
fn search() -> Value {
    json!({ "kind": "serving", "model": "llama-3.1-70b", "as_of": "2026-07-01",
        "traffic": { "input_tokens": 1000, "output_tokens": 200, "requests_per_second": 1 } })
}

/// Sends lines to a batch.
async fn batch(app: &App, path: &str, lines: &[Value]) -> Answer {
    let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
    let request = axum::http::Request::post(path).header("content-type", "application/x-ndjson");
    ask_of(router(app.clone()), request.body(text.into()).unwrap()).await
}

#[tokio::test]
async fn heavy_lines_of_a_batch_are_answered_as_by_themselves() {
    let app = app(SOON);
    let lines = [call(), search(), call()];
    let answer = batch(&app, "/estimate/batch", &lines).await;
    for (line, asked) in answer.text().lines().zip(&lines) {
        let mut got: Value = serde_json::from_str(line).unwrap();
        got.as_object_mut().unwrap().remove("line");
        assert_eq!(got, post(&app, "/estimate", asked).await.value());
    }
    let summary = batch(&app, "/estimate/batch?summary=only", &lines).await.value();
    let all = post(&app, "/estimate", &json!({ "items": lines })).await.value();
    assert_eq!(summary["quoted"], 3);
    assert_eq!(summary["totals"]["USD"]["amount"], all["total"]["amount"]);
}

#[tokio::test]
async fn a_call_is_priced_while_every_place_for_heavy_work_is_taken() {
    let app = app(SOON);
    let busy = all_taken(&app).await;
    assert_eq!(post(&app, "/estimate", &call()).await.status, StatusCode::OK);
    assert_eq!(batch(&app, "/estimate/batch", &[call()]).await.status, StatusCode::OK);
    drop(busy);
}

#[tokio::test]
async fn heavy_work_that_finds_no_place_is_turned_away_with_a_time_to_come_back() {
    let app = app(Duration::from_millis(50));
    let places = app.heavy.free();
    let busy = all_taken(&app).await;
    let sweep = json!({ "request": call(), "pointer": "/calls", "values": [1] });
    let compare = json!({ "base": call(), "over": [{ "pointer": "/calls", "values": [1] }] });
    for (path, body) in [("/estimate", &search()), ("/sweep", &sweep), ("/compare", &compare)] {
        let answer = post(&app, path, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), "1", "{path}");
    }
    drop(busy);
    free(&app, places).await;
    assert_eq!(post(&app, "/sweep", &sweep).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sweep_stops_soon_after_its_asker_has_left() {
    let app = app(SOON * 10);
    let places = app.heavy.free();
    let range = json!({ "from": 0.1, "to": 1000, "steps": 10_000 });
    let body = json!({ "request": search(), "pointer": "/traffic/requests_per_second", "range": range });
    let asker = tokio::spawn({
        let app = app.clone();
        async move { post(&app, "/sweep", &body).await }
    });
    free(&app, places - 1).await;
    asker.abort();
    free(&app, places).await;
    assert!(asker.await.unwrap_err().is_cancelled(), "it was over before its asker left");
}
