//! What stands in an answer, and how much of it.

use serde_json::{Value, json};

use super::{BUILT_IN, column, quote, total, warnings};

fn two_items() -> Value {
    json!({ "items": [
        { "id": "a", "label": "first", "model": "gpt-4o", "usage": { "input_tokens": 12_000, "cache_read_tokens": 4_000, "output_tokens": 900 } },
        { "model": "claude-opus-5", "context": { "residency": "us" }, "usage": { "input_tokens": 700 } },
    ] })
}

fn with(mut request: Value, name: &str, value: &str) -> Value {
    request[name] = json!(value);
    request
}

#[tokio::test]
async fn a_workload_by_itself_costs_what_it_costs_in_a_list() {
    let alone = json!({ "model": "gpt-4o", "usage": { "input_tokens": 1_200, "output_tokens": 300 } });
    let (single, list) = (quote(alone.clone()).await, quote(json!({ "items": [alone] })).await);
    assert_eq!(single, list);
}

#[tokio::test]
async fn a_link_answers_the_same_bytes_as_the_body_it_stands_for() {
    let body = json!({ "model": "gpt-4o", "provider": "openai", "calls": 3, "currency": "EUR", "as_of": "2026-11-20",
        "usage": { "input_tokens": 1_200, "output_tokens": 300 }, "context": { "service_tier": "batch" }, "detail": "full" });
    let link = "model=gpt-4o&provider=openai&calls=3&currency=EUR&as_of=2026-11-20&input_tokens=1200\
                &output_tokens=300&service_tier=batch&detail=full";
    let (posted, got) = (BUILT_IN.post(&body).await, BUILT_IN.get(link).await);
    assert_eq!(got.status, 200);
    assert_eq!(posted.body, got.body);
}

#[tokio::test]
async fn faults_of_a_link_point_at_its_parameters() {
    let answer = BUILT_IN.get("model=gpt-4o&input_tokens=10&cache_read_tokens=11&service_tier=flex").await;
    assert_eq!(answer.value()["errors"][0]["pointer"], "/service_tier");
    let answer = BUILT_IN.get("model=gpt-4o&input_tokens=10&cache_read_tokens=11").await;
    assert_eq!(answer.value()["errors"][0]["pointer"], "/cache_read_tokens");
    let answer = BUILT_IN.get("model=gpt-4o&input_tokens=many").await;
    assert_eq!(answer.value()["errors"][0]["pointer"], "/input_tokens");
    let answer = BUILT_IN.get("model=gpt-4o&input_tokns=1").await;
    assert_eq!(answer.value()["errors"][0]["near_matches"][0], "input_tokens");
    let answer = BUILT_IN.get("model=gpt-4o&model=gpt-4o&input_tokens=1").await;
    assert_eq!(answer.value()["errors"][0]["code"], "contradiction");
}

#[tokio::test]
async fn an_item_answers_to_the_callers_own_names() {
    let quote = quote(two_items()).await;
    let item = &quote["items"][0];
    assert_eq!((&item["id"], &item["label"]), (&json!("a"), &json!("first")));
    assert_eq!((&item["kind"], &item["provider"]), (&json!("api_usage"), &json!("openai")));
    assert_eq!((&item["model"], &item["offering"]), (&json!("gpt-4o"), &json!("openai/gpt-4o")));
    assert!(quote["items"][1]["id"].is_null());
}

#[tokio::test]
async fn only_totals_come_where_only_totals_are_wanted() {
    let (lines, totals) = (quote(two_items()).await, quote(with(two_items(), "detail", "total")).await);
    assert_eq!(totals["total"], lines["total"]);
    assert!(totals.get("items").is_none() && totals.get("references").is_none());
}

#[tokio::test]
async fn totals_keep_the_doubts_of_the_items() {
    let quote = quote(json!({ "detail": "total", "items": [
        { "model": "gpt-4o", "usage": { "input_tokens": 1 } },
        { "model": "avian/Meta-Llama-3.1-8B-Instruct", "usage": { "input_tokens": 1 } },
    ] }))
    .await;
    assert_eq!(quote["warnings"][0]["code"], "model_deprecated");
    assert_eq!(quote["warnings"][0]["pointer"], "/items/1/model");
}

#[tokio::test]
async fn lines_have_no_basis_and_full_lines_all_have_one() {
    let has_basis = |quote: &Value| -> Vec<bool> {
        let items = quote["items"].as_array().unwrap().iter();
        let lines = items.flat_map(|item| item["lines"].as_array().unwrap());
        lines.map(|line| line["basis"].is_object()).collect()
    };
    assert_eq!(has_basis(&quote(two_items()).await), [false; 5]);
    assert_eq!(has_basis(&quote(with(two_items(), "detail", "full")).await), [true; 5]);
}

/// Names and values of the inputs of one line of a call to a model that prices cached and written tokens.
async fn inputs(line: usize, more: &Value) -> Vec<(String, String)> {
    let usage = json!({ "input_tokens": 10_000, "cache_read_tokens": 4_000, "cache_write_tokens": 3_000,
        "cache_write_1h_tokens": 1_000, "output_tokens": 9, "output_reasoning_tokens": 5 });
    let mut request = json!({ "model": "claude-opus-5", "detail": "full", "calls": 3, "usage": usage });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let quote = quote(request).await;
    let inputs = quote["items"][0]["lines"][line]["basis"]["inputs"].as_array().unwrap().iter();
    let text = |input: &Value, field: &str| input[field].as_str().unwrap().to_owned();
    inputs.map(|input| (text(input, "name"), text(input, "value"))).collect()
}

fn are(inputs: &[(String, String)], expected: &[(&str, &str)]) {
    let inputs: Vec<(&str, &str)> =
        inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(inputs, expected);
}

#[tokio::test]
async fn the_inputs_of_a_line_lead_to_its_quantity() {
    let expected = [
        ("input_tokens", "10000"),
        ("charged_as_cache_read_tokens", "4000"),
        ("charged_as_cache_write_tokens", "2000"),
        ("charged_as_cache_write_1h_tokens", "1000"),
        ("charged_per_call", "3000"),
        ("calls", "3"),
        ("quantity", "9000"),
        ("rate", "5"),
        ("per", "1000000"),
    ];
    are(&inputs(0, &json!({})).await, &expected);
}

#[tokio::test]
async fn a_part_that_is_charged_as_its_whole_is_not_taken_off() {
    let inputs = inputs(4, &json!({})).await;
    are(&inputs[..2], &[("output_tokens", "9"), ("charged_per_call", "9")]);
}

#[tokio::test]
async fn usage_of_all_calls_is_not_multiplied_by_them() {
    let inputs = inputs(4, &json!({ "usage_scope": "total" })).await;
    let expected =
        [("output_tokens", "9"), ("charged_over_all_calls", "9"), ("calls", "3"), ("quantity", "9")];
    are(&inputs[..4], &expected);
}

#[tokio::test]
async fn the_same_row_is_cited_once_however_many_lines_rest_on_it() {
    let item = json!({ "model": "gpt-4o", "usage": { "input_tokens": 5, "output_tokens": 5 } });
    let quote = quote(json!({ "items": [item, item, item] })).await;
    let references = quote["references"].as_object().unwrap();
    assert_eq!(references.len(), 1);
    let cited = references.values().next().unwrap();
    assert_eq!(cited["source"], "https://developers.openai.com/api/docs/pricing");
    assert_eq!((&cited["observed_at"], &cited["revision"]), (&json!("2026-11-10"), &json!(1)));
}

#[tokio::test]
async fn a_factor_and_a_rate_of_exchange_are_cited_like_a_price() {
    let request = json!({ "model": "claude-opus-5", "currency": "EUR", "context": { "residency": "us" }, "usage": { "input_tokens": 5 } });
    let quote = quote(request).await;
    let names: Vec<&str> =
        quote["references"].as_object().unwrap().keys().map(|key| key.split(':').next().unwrap()).collect();
    assert_eq!(names, ["fx_rate", "modifier", "rate_card"]);
}

#[tokio::test]
async fn without_an_instant_it_is_now() {
    let quote = quote(json!({ "model": "gpt-4o", "usage": { "input_tokens": 5 } })).await;
    assert_eq!(quote["as_of"], "2026-11-24T12:00:00Z");
    assert!(quote["items"][0].get("as_of").is_none());
}

#[tokio::test]
async fn an_instant_may_have_any_offset_and_is_answered_in_utc() {
    let on = |as_of: &str| json!({ "model": "gpt-4o", "as_of": as_of, "usage": { "input_tokens": 5 } });
    assert_eq!(quote(on("2025-02-18T20:00:00+08:00")).await["as_of"], "2025-02-18T12:00:00Z");
    assert_eq!(quote(on("2025-02-18T12:00:00.123456789Z")).await["as_of"], "2025-02-18T12:00:00.123Z");
    assert_eq!(quote(on("2025-02-18")).await["as_of"], "2025-02-18T00:00:00Z");
}

#[tokio::test]
async fn an_item_may_have_an_instant_of_its_own_and_says_so() {
    let of = |as_of: Option<&str>| json!({ "model": "deepseek-chat", "as_of": as_of, "usage": { "input_tokens": 1_000_000 } });
    let request =
        json!({ "as_of": "2025-02-08T15:59:59Z", "items": [of(None), of(Some("2025-02-08T16:00:00Z"))] });
    let quote = quote(request).await;
    assert_eq!(quote["items"][0]["total"]["amount"], "0.14");
    assert_eq!(quote["items"][1]["total"]["amount"], "0.27");
    assert!(quote["items"][0].get("as_of").is_none());
    assert_eq!(quote["items"][1]["as_of"], "2025-02-08T16:00:00Z");
}

#[tokio::test]
async fn a_warning_points_at_its_item() {
    let item = json!({ "model": "deepseek-v4-pro", "as_of": "2026-11-20", "usage": { "input_tokens": 5 } });
    let quote = quote(json!({ "items": [item] })).await;
    assert_eq!(warnings(&quote), ["windowed_price"]);
    assert_eq!(quote["items"][0]["warnings"][0]["pointer"], "/items/0/as_of");
}

#[tokio::test]
async fn lines_stand_in_the_order_of_the_meters_whatever_the_order_of_the_usage() {
    let body = r#"{"model":"gpt-4o","usage":{"web_searches":1,"output_tokens":1,"cache_read_tokens":1,"input_tokens":2}}"#;
    let quote = BUILT_IN.send(body).await.value();
    let codes: Vec<&str> = column(&quote, "code").into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["input_tokens", "cache_read_tokens", "output_tokens", "web_searches"]);
}

#[tokio::test]
async fn a_hundred_items_are_answered_in_their_order() {
    let items: Vec<Value> = (1..=100)
        .map(|nth| json!({ "id": nth.to_string(), "model": "gpt-4o", "usage": { "input_tokens": nth } }))
        .collect();
    let quote = quote(json!({ "items": items })).await;
    let ids: Vec<&str> =
        quote["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, (1..=100).map(|nth| nth.to_string()).collect::<Vec<_>>());
    assert_eq!(total(&quote), "0.012625"); // 5050 tokens
}
