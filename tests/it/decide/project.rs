//! `POST /project`: a quote carried forward, and nothing discounted twice.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answered, fault, refusal};

const PATH: &str = "/project";

/// The time at which the tests ask.
const NOW: &str = "2026-11-24T12:00:00Z";

fn call() -> Value {
    json!({ "model": "gpt-4o", "calls": 1e6, "usage": { "input_tokens": 1200, "output_tokens": 300 } })
}

fn training() -> Value {
    json!({
        "kind": "training", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "count": 512, "price_per_gpu_hour": "2.00" },
        "stages": [{ "stage": "pretraining", "tokens": 1e12 }],
        "program": { "staff": [{ "label": "team", "people": 5, "months": 6, "monthly_cost": "20000" }],
            "data": [{ "label": "corpus", "amount": "100000" }] },
    })
}

fn serving() -> Value {
    json!({
        "kind": "serving", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 1 },
        "traffic": { "input_tokens": 1000, "output_tokens": 300, "requests_per_month": 1e6 },
    })
}

fn money(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

fn line<'p>(projection: &'p Value, code: &str) -> &'p Value {
    projection["items"][0]["lines"].as_array().unwrap().iter().find(|line| line["code"] == code).unwrap()
}

#[tokio::test]
async fn without_decline_a_quote_stays_what_it_is() {
    let list = json!({ "currency": "EUR", "items": [call(), training(), serving()] });
    let none = json!({ "algorithm": 0, "hardware": 0, "inference": 0 });
    for request in [call(), training(), serving(), list] {
        let body = json!({ "request": request, "to": "2031-01-01", "decline": none });
        let projection = answered(PATH, &body).await;
        let quote = answered("/estimate", &request).await;
        assert_eq!(projection["today"], quote["total"]);
        assert_eq!(projection["projected"], quote["total"]);
        assert_eq!(projection["times_cheaper"]["value"], 1.0);
        for (item, quoted) in
            projection["items"].as_array().unwrap().iter().zip(quote["items"].as_array().unwrap())
        {
            assert_eq!(item["projected"], quoted["total"]);
        }
        assert_eq!(projection["series"].as_array().unwrap().len(), 5);
    }
    // No time passes either.
    let projection = answered(PATH, &json!({ "request": training(), "to": NOW })).await;
    assert_eq!(projection["projected"], answered("/estimate", &training()).await["total"]);
}

/// Nine tenths a year, as often said of inference: a tenth is left by the end of the year.
#[tokio::test]
async fn ninety_percent_a_year_is_a_tenth_by_year_end() {
    let body = json!({ "request": call(), "to": "2027-11-24T12:00:00Z", "decline": { "inference": 0.9 } });
    let projection = answered(PATH, &body).await;
    assert_eq!(
        (&projection["today"]["amount"], &projection["projected"]["amount"]),
        (&json!("6000.00"), &json!("600.00"))
    );
    assert_eq!(projection["times_cheaper"]["value"], 10.0);
    assert_eq!(line(&projection, "input_tokens")["formula"], "(1 - inference)^1");
}

/// At nine tenths a year it takes three years and four weeks; at three quarters a year five years and six weeks.
#[tokio::test]
async fn twelve_hundred_times_cheaper_is_three_years_of_ninety_percent_or_five_of_seventy_five() {
    let body = json!({ "request": call(), "to": "2029-12-23T00:00:00Z", "decline": { "inference": 0.9 } });
    let times = answered(PATH, &body).await["times_cheaper"]["value"].as_f64().unwrap();
    assert!((times / 1200.0 - 1.0).abs() < 0.01, "{times}");
    let mut request = training();
    request.as_object_mut().unwrap().remove("program");
    let body = json!({ "request": request, "to": "2032-01-05T00:00:00Z", "decline": { "training": 0.75 } });
    let times = answered(PATH, &body).await["times_cheaper"]["value"].as_f64().unwrap();
    assert!((times / 1200.0 - 1.0).abs() < 0.01, "{times}");
}

/// Ho et al. 2024 (arXiv:2403.05812): 65 percent a year; Epoch AI: 28; together 75.
#[tokio::test]
async fn training_falls_by_seventy_five_percent_a_year_in_two_parts() {
    let body = json!({ "request": training(), "to": "2027-11-24T12:00:00Z" });
    let projection = answered(PATH, &body).await;
    let compute = line(&projection, "pretraining.compute");
    assert_eq!(compute["formula"], "(1 - algorithm)^1 * (1 - hardware)^1");
    assert!((compute["factor"]["value"].as_f64().unwrap() - 0.252).abs() < 1e-9, "{compute:#}");
    assert!(
        compute["factor"]["low"].as_f64().unwrap() < 0.2
            && compute["factor"]["high"].as_f64().unwrap() > 0.35
    );
    let named: Vec<&Value> = compute["rates"].as_array().unwrap().iter().map(|rate| &rate["ref"]).collect();
    assert_eq!(named, ["assumption:project.algorithm_decline", "assumption:project.hardware_decline"]);
    assert!(projection["references"].get("assumption:project.hardware_decline").is_some());
    for stays in ["staff", "data"] {
        let stays = line(&projection, stays);
        assert_eq!((&stays["projected"], &stays["formula"]), (&stays["priced"], &json!("1")));
    }
    let told = json!({ "request": training(), "to": "2027-11-24T12:00:00Z", "decline": { "lines": { "data": 0.5 } } });
    let projection = answered(PATH, &told).await;
    assert_eq!(line(&projection, "data")["projected"]["amount"], "50000.00");
}

/// What DeepSeek asked after its promotion is in the catalog: nothing is left to discount.
#[tokio::test]
async fn prices_that_are_known_are_not_discounted() {
    let request = json!({ "provider": "deepseek", "model": "deepseek-chat", "as_of": "2025-01-15", "calls": 1e6,
        "usage": { "input_tokens": 1000, "output_tokens": 500 } });
    let mut later = request.clone();
    later["as_of"] = json!("2025-03-01");
    let projection = answered(PATH, &json!({ "request": request, "to": "2025-03-01" })).await;
    assert_eq!(projection["projected"], answered("/estimate", &later).await["total"]);
    assert_ne!(projection["projected"], projection["today"]);
    // It is sold no more: its last price is carried forward from its end on.
    let projection = answered(PATH, &json!({ "request": request, "to": "2027-11-24T12:00:00Z" })).await;
    assert!(
        line(&projection, "output_tokens")["price_known_until"].as_str().unwrap() > "2025-09-01",
        "{projection:#}"
    );
    // Beyond today only what lies beyond today is discounted.
    let request = json!({ "model": "gpt-4o", "as_of": "2024-06-01", "calls": 1e6,
        "usage": { "input_tokens": 1000, "output_tokens": 500 } });
    let body = json!({ "request": request, "to": "2027-11-24T12:00:00Z", "decline": { "inference": 0.9 } });
    let projection = answered(PATH, &body).await;
    let line = line(&projection, "output_tokens");
    assert_eq!(line["price_known_until"], NOW);
    assert!(
        (money(&line["projected"]["amount"]) / money(&line["priced"]["amount"]) - 0.1).abs() < 1e-5,
        "{line:#}"
    );
}

/// A price of the request is of its own day; the arithmetic that training takes falls all the while.
#[tokio::test]
async fn hardware_that_the_catalog_prices_is_discounted_from_today_only() {
    let mut request = training();
    request["as_of"] = json!("2024-11-24T12:00:00Z");
    request.as_object_mut().unwrap().remove("program");
    let to = |request: &Value| json!({ "request": request, "to": "2027-11-24T12:00:00Z", "decline": { "algorithm": 0.5, "hardware": 0.2 } });
    let given = answered(PATH, &to(&request)).await;
    assert_eq!(line(&given, "pretraining.compute")["formula"], "(1 - algorithm)^3 * (1 - hardware)^3");
    request["hardware"].as_object_mut().unwrap().remove("price_per_gpu_hour");
    let listed = answered(PATH, &to(&request)).await;
    let compute = line(&listed, "pretraining.compute");
    assert_eq!(compute["formula"], "(1 - algorithm)^3 * (1 - hardware)^1", "{compute:#}");
    assert_eq!((&compute["factor"]["value"], &compute["price_known_until"]), (&json!(0.1), &json!(NOW)));
}

#[tokio::test]
async fn questions_that_are_none_are_refused() {
    let with = |field: &str, value: Value| {
        let mut body = json!({ "request": training(), "to": "2028-01-01" });
        body[field] = value;
        body
    };
    for (body, at, code) in [
        (with("to", json!("2020-01-01")), "/to", "out_of_range"),
        (with("to", json!("2090-01-01")), "/to", "out_of_range"),
        (with("to", json!("soon")), "/to", "wrong_type"),
        (with("decline", json!({ "hardware": 1.5 })), "/decline/hardware", "out_of_range"),
        (with("decline", json!({ "hardware": -1 })), "/decline/hardware", "out_of_range"),
        (with("decline", json!({ "training": 0.5, "algorithm": 0.5 })), "/decline/training", "contradiction"),
        (with("decline", json!({ "lines": { "stafff": 0.5 } })), "/decline/lines/stafff", "unknown_field"),
        (with("decline", json!({ "price": 0.5 })), "/decline/price", "unknown_field"),
        (with("request", json!([])), "/request", "wrong_type"),
        (with("request", json!({ "model": "gpt-4p", "usage": {} })), "/request/model", "unknown_model"),
    ] {
        assert_eq!(refusal(PATH, &body).await[0], fault(at, code)[0], "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Years are multiplied: so many and so many are as many as all of them.
    #[test]
    fn decline_composes_over_the_years(rate in 0.0_f64..0.95, one in 1_u32..10, other in 1_u32..10) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let left = |years: u32| {
            let body = json!({ "request": call(), "to": format!("{}-11-24T12:00:00Z", 2026 + years),
                "decline": { "inference": rate } });
            let projection = runtime.block_on(answered(PATH, &body));
            line(&projection, "input_tokens")["factor"]["value"].as_f64().unwrap()
        };
        let (one_by_one, at_once) = (left(one) * left(other), left(one + other));
        prop_assert!((one_by_one - at_once).abs() <= 1e-7 * at_once + 1e-30, "{one_by_one} {at_once}");
    }
}
