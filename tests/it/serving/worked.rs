//! Figures that others published or worked out.

use serde_json::{Value, json};

use super::{item, llama, metric, with};

fn near(ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours / theirs - 1.0).abs() <= tolerance, "{ours} and {theirs}");
}

/// DeepSeek, open-source week, day 6: 608B tokens in, 342B of them cached, 168B out in a day on 226.75 nodes of eight
/// H800 in the mean; $87,072 at two dollars an hour.
#[tokio::test]
async fn deepseeks_day_costs_what_deepseek_says() {
    let request = json!({
        "kind": "serving", "model": "deepseek-v3", "hours": 24,
        "hardware": { "gpu": "h800-sxm5-80gb", "gpus_per_replica": 32, "replicas": 56.6875, "price_per_gpu_hour": "2.00" },
        "traffic": { "input_tokens": 3_619.047_6, "output_tokens": 1000, "cached_input_fraction": 0.5625, "saturated": true },
    });
    let item = item(&request).await;
    assert_eq!(item["total"]["amount"], "87072.00");
    assert_eq!(item["lines"][0]["quantity"], "43536");
    assert_eq!(item["total"].get("low"), None);
}

/// NVIDIA's 2,209 tokens a second and GPU for Llama-3.3-70B in FP8 on two H100 at 1000/1000.
#[tokio::test]
async fn a_full_batch_of_a_70b_is_near_what_nvidia_measured() {
    let item = item(&llama(&json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true }))).await;
    near(metric(&item, "output_tokens_per_second_per_gpu"), 2209.0, 0.10);
    let output = metric(&item, "price_per_million_output_tokens");
    let input = metric(&item, "price_per_million_input_tokens");
    near(output + input, 0.251, 0.10); // all on output, at as many tokens in as out
    near(output / input, 2.3, 0.25);
}

/// With 32 users a token costs about three times as much.
#[tokio::test]
async fn thirty_two_users_pay_three_times_as_much_for_each_token() {
    let traffic = json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true });
    let full = item(&llama(&traffic)).await;
    let users =
        item(&llama(&json!({ "input_tokens": 1000, "output_tokens": 1000, "concurrency": 32 }))).await;
    let dearer =
        metric(&users, "price_per_million_output_tokens") / metric(&full, "price_per_million_output_tokens");
    near(dearer, 3.5, 0.2);
    near(metric(&users, "tpot_ms"), 24.0, 0.25);
}

/// DeepSeek-V3 technical report and the models' configurations, 16 bits.
#[tokio::test]
async fn keys_and_values_take_what_their_papers_say() {
    let known = [
        ("deepseek-v3", 70_272.0),
        ("llama-3.1-405b", 516_096.0),
        ("qwen2.5-72b", 327_680.0),
        ("llama-2-7b", 524_288.0),
    ];
    for (model, bytes) in known {
        let request = json!({
            "kind": "serving", "model": model, "precision": { "weights": "bf16" },
            "hardware": { "gpu": "h200-sxm-141gb", "gpus_per_replica": 16, "price_per_gpu_hour": "2" },
            "traffic": { "input_tokens": 1000, "output_tokens": 100, "saturated": true },
        });
        assert!((metric(&item(&request).await, "kv_cache_bytes_per_token") - bytes).abs() < 1.0, "{model}");
    }
}

fn adds_up(item: &Value, hours: f64, input: f64, cached: f64, output: f64, requests: f64) {
    let amount: f64 = item["lines"][0]["amount"].as_str().unwrap().parse().unwrap();
    let per_token = |name: &str| metric(item, &format!("price_per_million_{name}_tokens")) / 1e6;
    let fresh = input * (1.0 - cached) * per_token("input");
    let hits = if cached > 0.0 { input * cached * per_token("cached_input") } else { 0.0 };
    let each = fresh + hits + output * per_token("output");
    near(each * requests * hours * 3600.0, amount, 1e-6);
}

#[tokio::test]
async fn prices_by_kind_of_token_add_up_to_the_compute_line() {
    let plain = json!({ "input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10 });
    adds_up(&item(&llama(&plain)).await, 730.0, 2000.0, 0.0, 500.0, 10.0);
    let cached = with(plain, "/cached_input_fraction", json!(0.4));
    adds_up(&item(&llama(&cached)).await, 730.0, 2000.0, 0.4, 500.0, 10.0);
}

#[tokio::test]
async fn what_is_left_open_is_searched_for_and_told() {
    let request = json!({
        "kind": "serving", "model": "llama-3.1-70b", "as_of": "2026-08-15",
        "traffic": { "input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10 }, "slo": { "tpot_ms": 50 },
    });
    let item = item(&request).await;
    let deployment = &item["deployment"];
    assert!(deployment["runners_up"].as_array().unwrap().len() > 2, "{deployment:#}");
    assert!(metric(&item, "tpot_p99_ms") <= 50.0);
    let degrees = ["tensor", "pipeline", "attention_data"]
        .map(|name| deployment["parallelism"][name].as_u64().unwrap());
    assert_eq!(Some(degrees.iter().product()), deployment["gpus_per_replica"].as_u64());
}

#[tokio::test]
async fn staff_and_the_rest_are_lines_of_their_own() {
    let mut request = llama(&json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true }));
    request["staff"] = json!([{ "label": "on call", "people": 2, "monthly_cost": "10000" }]);
    request["other"] = json!([{ "label": "licence", "amount": "500" }]);
    let item = item(&request).await;
    let lines = item["lines"].as_array().unwrap().iter();
    let amounts: Vec<(&str, &str)> =
        lines.map(|line| (line["code"].as_str().unwrap(), line["amount"].as_str().unwrap())).collect();
    assert_eq!(amounts, [("compute", "2920.00"), ("staff", "20000.00"), ("other", "500.00")]);
    assert_eq!(item["total"]["amount"], "23420.00");
}
