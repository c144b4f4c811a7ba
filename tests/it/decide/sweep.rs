//! `POST /sweep`: every point is what an estimate says.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BUILT_IN, answer, answered, fault, faults, refusal};
use crate::helpers::{ask_of, json_request};

const PATH: &str = "/sweep";

fn call() -> Value {
    json!({ "model": "gpt-4o", "usage": { "input_tokens": 1200, "output_tokens": 300 } })
}

fn serving() -> Value {
    json!({
        "kind": "serving", "model": "llama-3.1-70b",
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 4, "price_per_gpu_hour": "2.00" },
        "traffic": { "input_tokens": 1000, "output_tokens": 200, "requests_per_second": 1 },
    })
}

fn training() -> Value {
    json!({
        "kind": "training", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "count": 512, "price_per_gpu_hour": "2.00" },
        "stages": [{ "stage": "pretraining", "tokens": 1e12 }],
    })
}

fn asked(request: &Value, pointer: &str, values: &Value) -> Value {
    json!({ "request": request, "pointer": pointer, "values": values })
}

fn amounts(series: &Value) -> Vec<&str> {
    series["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["total"]["amount"].as_str().unwrap())
        .collect()
}

fn values(series: &Value) -> Vec<f64> {
    series["points"].as_array().unwrap().iter().map(|point| point["value"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn every_point_is_the_estimate_with_that_value() {
    let list = json!({ "currency": "EUR", "items": [serving(), training(), call()] });
    for (request, pointer, tried) in [
        (call(), "/calls", json!([0, 1, 7, 1e6])),
        (call(), "/usage/input_tokens", json!([0, 1, 200_000, 1e9])),
        (serving(), "/traffic/requests_per_second", json!([0.1, 3.5, 40])),
        (serving(), "/hardware/gpus_per_replica", json!([2, 4, 8])),
        (training(), "/hardware/price_per_gpu_hour", json!(["1.10", "2.999", 4])),
        (list, "/items/1/stages/0/tokens", json!([1e10, 2.5e12])),
    ] {
        let series = answered(PATH, &asked(&request, pointer, &tried)).await;
        assert_eq!(series["points"].as_array().unwrap().len(), tried.as_array().unwrap().len());
        for (point, value) in series["points"].as_array().unwrap().iter().zip(tried.as_array().unwrap()) {
            let mut one = request.clone();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            one.pointer_mut(parent).unwrap()[field] = value.clone();
            let quote = answered("/estimate", &one).await;
            assert_eq!(point["total"], quote["total"], "{pointer} = {value}");
            assert_eq!(series["currency"], quote["currency"]);
            assert_eq!(series["as_of"], quote["as_of"]);
        }
    }
}

#[tokio::test]
async fn a_range_is_even_in_steps_or_in_ratios() {
    let range = |range: Value| json!({ "request": call(), "pointer": "/calls", "range": range });
    let series = answered(PATH, &range(json!({ "from": 1, "to": 1e6, "steps": 7, "scale": "log" }))).await;
    assert_eq!(values(&series), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]);
    assert_eq!(amounts(&series)[6], "6000.00");
    let series = answered(PATH, &range(json!({ "from": 0, "to": 10, "steps": 3 }))).await;
    assert_eq!(values(&series), [0.0, 5.0, 10.0]);
}

#[tokio::test]
async fn a_count_takes_whole_numbers_and_each_once() {
    let range = json!({ "from": 1, "to": 4, "steps": 40 });
    let series = answered(PATH, &json!({ "request": call(), "pointer": "/calls", "range": range })).await;
    assert_eq!(values(&series), [1.0, 2.0, 3.0, 4.0]);
    let rate = "/traffic/requests_per_second";
    let series = answered(PATH, &json!({ "request": serving(), "pointer": rate, "range": range })).await;
    assert_eq!(series["points"].as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn money_is_replaced_as_money() {
    let range = json!({ "from": 1, "to": 2, "steps": 11 });
    let price = "/hardware/price_per_gpu_hour";
    let series = answered(PATH, &json!({ "request": training(), "pointer": price, "range": range })).await;
    assert_eq!(series["points"][3]["value"], json!(1.3));
    let mut one = training();
    one["hardware"]["price_per_gpu_hour"] = json!("1.3");
    assert_eq!(series["points"][3]["total"], answered("/estimate", &one).await["total"]);
}

#[tokio::test]
async fn a_point_that_cannot_be_priced_says_why_and_leaves_the_others() {
    let gpus = asked(&serving(), "/hardware/gpus_per_replica", &json!([1, 4]));
    let series = answered(PATH, &gpus).await;
    assert_eq!(faults(&series["points"][0]["faults"]), fault("/request/hardware", "does_not_fit"));
    assert!(series["points"][0].get("total").is_none() && series["points"][1].get("faults").is_none());
    assert_eq!((&series["priced"], &series["refused"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_series_without_a_point_is_refused() {
    let never = asked(&serving(), "/hardware/gpus_per_replica", &json!([1, 1.5]));
    let told = refusal(PATH, &never).await;
    assert_eq!(told[0], fault("/request/hardware", "does_not_fit")[0]);
    assert_eq!(told.len(), 2);
    let mut nobody = call();
    nobody["model"] = json!("gpt-4p");
    assert_eq!(
        refusal(PATH, &asked(&nobody, "/calls", &json!([1, 2]))).await,
        fault("/request/model", "unknown_model")
    );
}

#[tokio::test]
async fn metrics_and_items_are_told_where_they_are_asked_for() {
    let request = json!({ "items": [call(), training()] });
    let body = json!({ "request": request, "pointer": "/items/1/stages/0/tokens", "values": [1e11, 1e12],
        "metrics": ["gpu_hours", "days"], "per_item": true });
    let series = answered(PATH, &body).await;
    for (at, tokens) in [1e11, 1e12].into_iter().enumerate() {
        let mut one = request.clone();
        one["items"][1]["stages"][0]["tokens"] = json!(tokens);
        let quote = answered("/estimate", &one).await;
        let point = &series["points"][at];
        assert_eq!(point["metrics"]["gpu_hours"], quote["items"][1]["metrics"]["gpu_hours"]);
        assert_eq!(point["metrics"].as_object().unwrap().len(), 2);
        assert_eq!(point["items"], json!([quote["items"][0]["total"], quote["items"][1]["total"]]));
    }
    let body =
        json!({ "request": request, "pointer": "/items/0/calls", "values": [1], "metrics": ["gpu_hour"] });
    assert_eq!(refusal(PATH, &body).await, fault("/metrics/0", "unknown_field"));
}

#[tokio::test]
async fn doubts_are_told_once_for_all_points() {
    let request = json!({ "provider": "deepseek", "model": "deepseek-reasoner", "as_of": "2025-02-20",
        "currency": "EUR", "usage": { "input_tokens": 1000 } });
    let series = answered(PATH, &asked(&request, "/calls", &json!([1, 2, 3]))).await;
    let warnings = series["warnings"].as_array().unwrap();
    assert!(!warnings.is_empty());
    for warning in warnings {
        assert_eq!(warning["points"], 3, "{warning}");
        assert!(warning["pointer"].as_str().unwrap().starts_with("/request"), "{warning}");
    }
}

#[tokio::test]
async fn a_series_comes_as_a_table_too() {
    let body = json!({ "request": serving(), "pointer": "/hardware/gpus_per_replica", "values": [1, 4],
        "metrics": ["gpus"], "per_item": true });
    let by_query = answer("/sweep?format=csv", &body).await;
    let mut request = json_request(Method::POST, PATH, &body);
    request.headers_mut().insert("accept", "text/csv".parse().unwrap());
    let by_header = ask_of(BUILT_IN.clone(), request).await;
    assert_eq!(by_query.body, by_header.body);
    assert_eq!(by_query.header("content-type"), "text/csv; charset=utf-8; header=present");
    let series = answered(PATH, &body).await;
    let lines: Vec<&str> = by_query.text().split("\r\n").collect();
    assert_eq!(lines[0], "value,currency,amount,low,high,items_0_amount,gpus,gpus_low,gpus_high,faults");
    assert_eq!(lines[1], "1,USD,,,,,,,,does_not_fit");
    assert!(lines[2].starts_with(&format!("4,USD,{},", amounts_of(&series["points"][1]))), "{}", lines[2]);
    assert_eq!((lines[3], lines.len()), ("", 4));
}

fn amounts_of(point: &Value) -> String {
    let total = |name: &str| point["total"][name].as_str().unwrap_or_default().to_owned();
    [total("amount"), total("low"), total("high"), total("amount")].join(",")
}

#[tokio::test]
async fn a_pointer_that_leads_nowhere_or_to_no_number_is_refused() {
    for (pointer, at, code) in [
        ("/itmes/0/calls", "/pointer", "unknown_field"),
        ("/usage/input_tokens/x", "/pointer", "unknown_field"),
        ("/model", "/pointer", "wrong_type"),
        ("/usage", "/pointer", "wrong_type"),
        ("", "/pointer", "wrong_type"),
        ("calls", "/pointer", "out_of_range"),
        ("/calsl", "/request/calsl", "unknown_field"),
        ("/usage/inputtokens", "/request/usage/inputtokens", "unknown_meter"),
    ] {
        assert_eq!(
            refusal(PATH, &asked(&call(), pointer, &json!([1, 2]))).await,
            fault(at, code),
            "{pointer}"
        );
    }
}

#[tokio::test]
async fn a_grid_that_is_none_is_refused() {
    let range = |from: f64, to: f64, steps: u64, scale: &str| {
        json!({ "request": call(), "pointer": "/calls",
        "range": { "from": from, "to": to, "steps": steps, "scale": scale } })
    };
    for (body, at, code) in [
        (range(10.0, 1.0, 5, "linear"), "/range/to", "out_of_range"),
        (range(1.0, 10.0, 10_001, "linear"), "/range/steps", "out_of_range"),
        (range(0.0, 10.0, 5, "log"), "/range/from", "out_of_range"),
        (range(1.0, 10.0, 5, "cubic"), "/range/scale", "out_of_range"),
        (json!({ "request": call(), "pointer": "/calls" }), "/range", "missing_field"),
        (json!({ "request": call(), "pointer": "/calls", "values": [] }), "/values", "out_of_range"),
        (json!({ "request": call(), "pointer": "/calls", "values": ["x"] }), "/values/0", "wrong_type"),
        (json!({ "request": [], "pointer": "/calls", "values": [1] }), "/pointer", "unknown_field"),
        (json!({ "pointer": "/calls", "values": [1] }), "/request", "missing_field"),
    ] {
        assert_eq!(refusal(PATH, &body).await, fault(at, code), "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_malformed() {
    let mut request = json_request(Method::POST, PATH, &json!({}));
    *request.body_mut() = "{\"request\": ".into();
    assert_eq!(ask_of(BUILT_IN.clone(), request).await.status, StatusCode::BAD_REQUEST);
}
