//! The shape of an answer: what it says with which detail, and in which order.

use serde_json::{Value, json};

use super::{BUILT_IN, amounts, codes, line, metric, near, pretraining, quote, training, warnings, with};

/// One of everything that makes a line.
pub fn rich() -> Value {
    let stages = json!([
        { "stage": "pretraining", "tokens": { "low": 0.9e12, "mid": 1e12, "high": 1.2e12 } },
        { "stage": "context_extension", "tokens": 1e10, "sequence_length": 32_768 },
        { "stage": "continued_pretraining", "tokens": 1e10, "mfu": 0.4 },
        { "stage": "sft", "examples": 100_000, "tokens_per_example": 800, "method": "lora" },
        { "stage": "preference", "pairs": 100_000, "tokens_per_example": 1000 },
        { "stage": "rl", "prompts": 10_000, "prompt_tokens": 200, "response_tokens": 2000, "reward": "model" },
        { "stage": "sft", "examples": 1000, "tokens_per_example": 800, "epochs": 2 },
        { "stage": "rl", "prompts": 10_000, "prompt_tokens": 200, "response_tokens": 2000, "reward": "sandbox" },
        { "stage": "distillation", "samples": 1000, "tokens_per_sample": 2000, "teacher": "llama-3.1-70b" },
        { "stage": "distillation", "samples": 1000, "tokens_per_sample": 2000,
          "teacher": { "kind": "api_usage", "provider": "openai", "model": "gpt-4o", "usage": { "input_tokens": 100 } } },
        { "stage": "distillation", "samples": 1000, "tokens_per_sample": 2000,
          "teacher": { "kind": "serving", "model": "llama-3.1-70b" } },
        { "stage": "prompting", "examples": 50, "tokens_per_example": 2000 }
    ]);
    let program = json!({
        "experiment_multiplier": { "low": 1.5, "mid": 2.0, "high": 4.0 }, "failed_run_fraction": 0.1, "evaluation_fraction": 0.05,
        "data": [
            { "label": "a corpus", "amount": "1000000" },
            { "label": "licensed", "tokens": 1e9, "sort": "licensed_text" },
            { "label": "labels", "labels": 1000, "unit_price": "2.50", "currency": "EUR" },
            { "label": "ours already", "amount": "5", "reused": true }
        ],
        "staff": [{ "label": "researchers", "people": 10, "monthly_cost": "30000" }],
        "staff_share": 0.3,
        "other": [{ "label": "storage", "amount": "20000" }, { "label": "grant", "amount": "-100.5" }]
    });
    let hardware =
        json!({ "gpu": "h100-sxm5-80gb", "provider": "gcp", "commitment": "reserved_1y", "count": 260 });
    with(training(stages), [("/hardware", hardware), ("/program", program), ("/start", json!("2026-11-20"))])
}

#[tokio::test]
async fn lines_stand_in_a_fixed_order_and_repeats_are_numbered() {
    let quote = quote(rich()).await;
    insta::assert_json_snapshot!(codes(&quote), @r#"
    [
      "pretraining.compute",
      "context_extension.compute",
      "continued_pretraining.compute",
      "sft.compute",
      "preference.compute",
      "rl.compute",
      "rl.reward",
      "sft.compute#2",
      "rl.compute#2",
      "rl.reward#2",
      "distillation.compute",
      "distillation.teacher",
      "distillation.compute#2",
      "distillation.teacher#2",
      "distillation.compute#3",
      "distillation.teacher#3",
      "idle",
      "experiments",
      "failed_runs",
      "evaluation",
      "data",
      "data#2",
      "data#3",
      "staff",
      "staff#2",
      "other",
      "other#2"
    ]
    "#);
}

#[tokio::test]
async fn what_costs_nothing_has_no_line() {
    let stages = json!([{ "stage": "sft", "gpu_hours": 10 }, { "stage": "prompting", "examples": 9, "tokens_per_example": 100 }]);
    let program = json!({
        "experiment_multiplier": 1, "failed_run_fraction": 0,
        "data": [{ "label": "ours", "amount": "7", "reused": true }],
        "staff": [{ "label": "nobody", "people": 0, "months": 3, "monthly_cost": "1" }]
    });
    let quote = quote(with(training(stages), [("/program", program)])).await;
    assert_eq!(amounts(&quote), [("sft.compute", "20.00")]);
    assert_eq!(quote["items"][0]["stages"].as_array().unwrap().len(), 2);
    assert_eq!(quote["items"][0]["stages"][1]["total"], json!({ "amount": "0.00" }));
}

#[tokio::test]
async fn without_detail_there_are_totals_only_and_they_are_the_same() {
    let with_detail = async |detail: &str| quote(with(rich(), [("/detail", json!(detail))])).await;
    let (total, lines, full) =
        (with_detail("total").await, with_detail("lines").await, with_detail("full").await);
    assert_eq!((&total["total"], &lines["total"]), (&full["total"], &full["total"]));
    assert!(total.get("items").is_none_or(|items| items[0].get("lines").is_none()), "{total:#}");
    let basis = |quote: &Value| line(quote, "pretraining.compute").get("basis").cloned();
    assert_eq!(basis(&lines), None);
    let basis = basis(&full).unwrap();
    assert_eq!(
        basis["formula"],
        "(flops / (3600 * peak_flops_per_second * utilization) + gpus * startup_minutes / 60) * price_per_gpu_hour, \
            where flops = training_flops_per_token * tokens, utilization = base_utilization * balance_ratio ^ balance_exponent \
            * size_ratio ^ size_exponent * every other factor given"
    );
    let without = |mut quote: Value| {
        for line in quote["items"][0]["lines"].as_array_mut().unwrap() {
            line.as_object_mut().unwrap().remove("basis");
        }
        quote
    };
    assert_eq!(without(full)["items"], lines["items"]);
}

#[tokio::test]
async fn the_same_request_is_answered_with_the_same_bytes() {
    let request = with(rich(), [("/detail", json!("full"))]);
    let (first, again) = (BUILT_IN.post(&request).await, BUILT_IN.post(&request).await);
    assert_eq!(first.text(), again.text());
}

#[tokio::test]
async fn everything_given_has_no_range_and_what_is_modelled_has_one() {
    let given = quote(training(json!([{ "stage": "pretraining", "gpu_hours": 1000 }]))).await;
    assert_eq!(given["total"], json!({ "amount": "2000.00" }));
    assert_eq!(given["items"][0]["lines"][0].get("low"), None);
    assert_eq!(given["items"][0]["metrics"]["gpu_hours"], json!({ "value": 1000.0, "unit": "gpu_hour" }));
    let modelled = quote(training(json!([pretraining()]))).await;
    assert!(modelled["total"]["low"].is_string() && modelled["items"][0]["lines"][0]["high"].is_string());
}

#[tokio::test]
async fn metrics_have_their_units() {
    let quote = quote(rich()).await;
    let metrics = quote["items"][0]["metrics"].as_object().unwrap();
    let units: Vec<String> = metrics
        .iter()
        .map(|(name, metric)| format!("{name}: {}", metric["unit"].as_str().unwrap()))
        .collect();
    insta::assert_json_snapshot!(units, @r#"
    [
      "active_params: parameter",
      "co2_kg: kg",
      "days: day",
      "energy_kwh: kWh",
      "flops: FLOP",
      "gpu_hours: gpu_hour",
      "gpus: gpu",
      "kv_cache_bytes_per_token: byte",
      "min_gpus: gpu",
      "price_per_gpu_hour: USD",
      "total_params: parameter",
      "utilization: ratio"
    ]
    "#);
    assert!(near(metric(&quote, "gpus"), 260.0, 0.0));
}

#[tokio::test]
async fn a_stage_says_what_its_hours_come_from() {
    let stages = json!([
        { "stage": "pretraining", "gpu_hours": 1000 },
        { "stage": "sft", "days": 1 },
        { "stage": "sft", "tokens": 1e9, "tokens_per_second_per_gpu": 1000 },
        { "stage": "sft", "tokens": 1e9, "mfu": 0.4 },
        { "stage": "sft", "tokens": 1e9 },
        { "stage": "sft", "flops": 1e20 },
        { "stage": "prompting", "examples": 1, "tokens_per_example": 1 }
    ]);
    let quote = quote(with(training(stages), [("/hardware/count", json!(8))])).await;
    let from: Vec<&str> = quote["items"][0]["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["hours_from"].as_str().unwrap())
        .collect();
    let expected =
        ["gpu_hours", "days", "tokens_per_second_per_gpu", "mfu", "assumption", "assumption", "none"];
    assert_eq!(from, expected);
}

#[tokio::test]
async fn trainings_and_calls_stand_in_one_request_and_are_grouped_together() {
    let stages = json!([{ "stage": "sft", "gpu_hours": 10 }]);
    let request = json!({ "group_by": "team", "items": [
        with(training(stages.clone()), [("/tags", json!({ "team": "a" })), ("/id", json!("x")), ("/label", json!("y"))]),
        { "kind": "api_usage", "model": "openai/gpt-4o", "usage": { "input_tokens": 1_000_000 }, "tags": { "team": "a" } },
        with(training(stages), [("/tags", json!({ "team": "b" }))]),
        training(json!([pretraining()]))
    ] });
    let quote = quote(request).await;
    assert_eq!(quote["groups"]["a"], json!({ "amount": "22.50" }));
    assert_eq!(quote["groups"]["b"], json!({ "amount": "20.00" }));
    assert_eq!(quote["groups"][""], quote["items"][3]["total"]);
    let kinds: Vec<&str> =
        quote["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["training", "api_usage", "training", "training"]);
    assert_eq!((&quote["items"][0]["id"], &quote["items"][0]["label"]), (&json!("x"), &json!("y")));
}

#[tokio::test]
async fn an_item_has_an_instant_of_its_own() {
    let h100 = json!({ "gpu": "h100-sxm5-80gb", "provider": "lambda" });
    let item = with(training(json!([{ "stage": "sft", "gpu_hours": 10 }])), [("/hardware", h100)]);
    let request = json!({ "as_of": "2023-07-01", "items": [item, with(item.clone(), [("/as_of", json!("2024-03-01"))])] });
    let quote = quote(request).await;
    assert_eq!(quote["items"][0]["total"]["amount"], "19.90");
    assert_eq!(quote["items"][1]["total"]["amount"], "24.90");
    assert_eq!(
        (quote["items"][0].get("as_of"), &quote["items"][1]["as_of"]),
        (None, &json!("2024-03-01T00:00:00Z"))
    );
}

#[tokio::test]
async fn a_price_in_another_currency_is_converted_and_said_so() {
    let stages = json!([{ "stage": "sft", "gpu_hours": 1000 }]);
    let request =
        with(training(stages), [("/hardware/currency", json!("EUR")), ("/as_of", json!("2024-12-27"))]);
    let quote = quote(request).await;
    assert_eq!(amounts(&quote), [("sft.compute", "2087.00")]); // 1.0435 dollars for a euro
    assert_eq!(warnings(&quote), [("fx_converted", "")]);
    assert_eq!(quote["items"][0]["metrics"]["price_per_gpu_hour"], json!({ "value": 2.0, "unit": "EUR" }));
}

#[tokio::test]
async fn a_shape_in_part_is_completed_and_said_so() {
    let mut request = training(json!([pretraining()]));
    request.as_object_mut().unwrap().remove("model");
    let quote = quote(with(request, [("/architecture", json!({ "params_total": 7e9 }))])).await;
    assert_eq!(warnings(&quote), [("shape_assumed", "/architecture")]);
}

#[tokio::test]
async fn a_request_of_several_items_points_into_the_right_one() {
    let item = with(training(json!([pretraining()])), [("/start", json!("2026-01-01"))]);
    let quote = quote(json!({ "items": [training(json!([pretraining()])), item] })).await;
    assert_eq!(quote["items"][1]["warnings"][0]["pointer"], "/items/1/start");
    assert_eq!(quote["items"][1]["warnings"][0]["code"], "no_schedule");
}
