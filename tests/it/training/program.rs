//! The programme around a run: lines of its own, each by its own formula.

use serde_json::{Value, json};

use super::{amounts, line, near, number, pretraining, quote, total, training, with};

/// A run of a thousand dollars with a programme around it.
fn around(program: Value) -> Value {
    with(training(json!([{ "stage": "pretraining", "gpu_hours": 500 }])), [("/program", program)])
}

#[tokio::test]
async fn experiments_failures_and_evaluation_are_shares_of_the_runs_compute() {
    let program =
        json!({ "experiment_multiplier": 2.5, "failed_run_fraction": 0.2, "evaluation_fraction": 0.05 });
    let lines = [
        ("pretraining.compute", "1000.00"),
        ("experiments", "1500.00"),
        ("failed_runs", "200.00"),
        ("evaluation", "50.00"),
    ];
    let quote = quote(around(program)).await;
    assert_eq!(amounts(&quote), lines);
    assert_eq!(quote["items"][0]["headline_total"], json!({ "amount": "1000.00" }));
}

#[tokio::test]
async fn a_hosted_teacher_and_a_sandbox_are_no_compute() {
    let stages = json!([
        { "stage": "pretraining", "gpu_hours": 500 },
        { "stage": "rl", "prompts": 100, "group_size": 10, "gpu_hours": 50, "reward": "sandbox", "reward_cost_per_sample": "0.02" }
    ]);
    let quote = quote(with(training(stages), [("/program", json!({ "failed_run_fraction": 1 }))])).await;
    let lines = [
        ("pretraining.compute", "1000.00"),
        ("rl.compute", "100.00"),
        ("rl.reward", "20.00"),
        ("failed_runs", "1100.00"),
    ];
    assert_eq!(amounts(&quote), lines);
}

#[tokio::test]
async fn data_is_paid_for_once_by_the_sum_the_token_or_the_label() {
    let program = json!({ "data": [
        { "label": "a", "amount": "1000000" },
        { "label": "b", "tokens": 2e9, "unit_price": "3.50" },
        { "label": "c", "labels": 1000, "unit_price": "2" },
        { "label": "d", "tokens": 1e9, "sort": "licensed_text" },
        { "label": "e", "amount": "1000000", "reused": true }
    ] });
    let quote = quote(around(program)).await;
    let lines = [
        ("pretraining.compute", "1000.00"),
        ("data", "1000000.00"),
        ("data#2", "7000.00"),
        ("data#3", "2000.00"),
        ("data#4", "875000.00"),
    ];
    assert_eq!(amounts(&quote), lines);
    assert_eq!(line(&quote, "data#4")["refs"], json!(["assumption:data.text_usd_per_million_tokens"]));
}

#[tokio::test]
async fn each_sort_of_data_has_a_price() {
    for (sort, count) in [
        ("licensed_text", "tokens"),
        ("crawled_text", "tokens"),
        ("human_labels", "labels"),
        ("ai_labels", "labels"),
    ] {
        let mut data = json!({ "label": sort, "sort": sort });
        data[count] = json!(1e9);
        let quote = quote(around(json!({ "data": [data] }))).await;
        assert!(number(&line(&quote, "data")["amount"]) > 0.0);
    }
}

#[tokio::test]
async fn staff_are_paid_by_the_month_or_for_as_long_as_it_takes() {
    let staff = |more: Value| {
        let mut staff = json!({ "label": "a", "people": 10, "monthly_cost": "30000" });
        staff.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "staff": [staff] })
    };
    let by_month = quote(around(staff(json!({ "months": 6 })))).await;
    assert_eq!(line(&by_month, "staff")["amount"], "1800000.00");
    let request = with(
        around(staff(json!({}))),
        [("/hardware/count", json!(8)), ("/stages/0", json!({ "stage": "sft", "gpu_hours": 8 * 365 }))],
    );
    let as_long = quote(request).await;
    assert_eq!(line(&as_long, "staff")["amount"], "150000.00"); // half a month of ten
    let euro = quote(with(
        around(staff(json!({ "months": 1, "currency": "EUR" }))),
        [("/as_of", json!("2024-12-27"))],
    ))
    .await;
    assert_eq!(line(&euro, "staff")["amount"], "313050.00");
}

#[tokio::test]
async fn staff_as_a_share_are_that_share_of_themselves_and_compute() {
    let quote = quote(around(json!({ "staff_share": 0.2 }))).await;
    assert_eq!(amounts(&quote), [("pretraining.compute", "1000.00"), ("staff", "250.00")]);
}

#[tokio::test]
async fn other_sums_may_be_negative() {
    let quote = quote(around(json!({ "other": [{ "label": "storage", "amount": "200" }, { "label": "grant", "amount": "-1200" }] }))).await;
    assert_eq!(
        amounts(&quote),
        [("pretraining.compute", "1000.00"), ("other", "200.00"), ("other#2", "-1200.00")]
    );
    assert_eq!(total(&quote).to_string(), "0");
}

#[tokio::test]
async fn shared_draws_do_not_widen_twice() {
    let request = training(json!([pretraining()]));
    let alone = quote(request.clone()).await;
    let doubled = quote(with(request, [("/program", json!({ "experiment_multiplier": 2 }))])).await;
    for part in ["amount", "low", "high"] {
        let (alone, doubled) = (number(&alone["total"][part]), number(&doubled["total"][part]));
        assert!(near(doubled, 2.0 * alone, 1e-6), "{part}: {alone} {doubled}");
    }
}
