//! Days, deadlines and months.

use serde_json::{Value, json};

use super::{metric, near, number, pretraining, quote, training, warnings, with};

async fn days(request: &Value, count: u64) -> f64 {
    let hardware = request["hardware"].clone();
    let mut hardware = with(hardware, [("/count", json!(count))]);
    hardware.as_object_mut().unwrap().remove("deadline_days");
    metric(&quote(with(request.clone(), [("/hardware", hardware)])).await, "days")
}

#[tokio::test]
async fn a_deadline_finds_the_smallest_count_that_makes_it() {
    for deadline in [3.0, 30.0, 200.0] {
        let request = with(
            training(json!([pretraining(), { "stage": "sft", "tokens": 1e9 }])),
            [("/hardware/deadline_days", json!(deadline))],
        );
        let met = quote(request.clone()).await;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = metric(&met, "gpus") as u64;
        assert!(metric(&met, "days") <= deadline);
        assert!(near(metric(&met, "days"), days(&request, count).await, 1e-9));
        assert!(days(&request, count - 1).await > deadline, "{count}");
    }
}

#[tokio::test]
async fn a_deadline_that_is_far_off_leaves_as_many_as_hold_the_run() {
    let request = with(
        training(json!([{ "stage": "sft", "tokens": 1e6 }])),
        [("/hardware/deadline_days", json!(1000))],
    );
    let quote = quote(request).await;
    assert!(near(metric(&quote, "gpus"), metric(&quote, "min_gpus"), 0.0));
}

#[tokio::test]
async fn a_deadline_of_hours_that_are_given_is_their_quotient() {
    let stages = json!([{ "stage": "sft", "gpu_hours": 24_000 }]);
    let quote = quote(with(training(stages), [("/hardware/deadline_days", json!(10))])).await;
    assert!(near(metric(&quote, "gpus"), 100.0, 0.0) && near(metric(&quote, "days"), 10.0, 0.0));
}

#[tokio::test]
async fn months_go_over_the_new_year_and_each_has_its_days() {
    // 60 days from 15 November: 16, 31 and 13 of them.
    let stages = json!([{ "stage": "pretraining", "gpu_hours": 60 * 24 * 100 }]);
    let request = with(training(stages), [("/hardware/count", json!(100)), ("/start", json!("2025-11-15"))]);
    let quote = quote(request).await;
    let expected = json!([
        { "month": "2025-11", "total": { "amount": "76800.00" } },
        { "month": "2025-12", "total": { "amount": "148800.00" } },
        { "month": "2026-01", "total": { "amount": "62400.00" } }
    ]);
    assert_eq!(quote["items"][0]["by_month"], expected);
}

#[tokio::test]
async fn stages_follow_one_another() {
    let stages = json!([
        { "stage": "pretraining", "gpu_hours": 30 * 24 * 10 },
        { "stage": "distillation", "gpu_hours": 31 * 24 * 10, "samples": 1000, "tokens_per_sample": 1000,
          "teacher": { "model": "openai/gpt-4o" } }
    ]);
    let request = with(
        training(stages),
        [("/hardware/count", json!(10)), ("/start", json!("2026-04-01")), ("/as_of", json!("2026-04-01"))],
    );
    let quote = quote(request).await;
    let months = quote["items"][0]["by_month"].as_array().unwrap();
    let amounts: Vec<f64> = months.iter().map(|month| number(&month["total"]["amount"])).collect();
    assert_eq!(amounts, [14_400.0, 14_880.0 + 10.0]); // 1,000 calls of a thousand tokens at ten dollars a million
}

#[tokio::test]
async fn a_start_without_a_count_has_no_months_and_says_so() {
    let quote = quote(with(training(json!([pretraining()])), [("/start", json!("2026-01-01"))])).await;
    assert_eq!(warnings(&quote), [("no_schedule", "/start")]);
    assert_eq!(quote["items"][0].get("by_month"), None);
    assert_eq!(quote["items"][0]["metrics"].get("days"), None);
}

#[tokio::test]
async fn a_run_of_a_century_is_refused() {
    let stages = json!([{ "stage": "pretraining", "gpu_hours": 1e9 }]);
    let request = with(training(stages), [("/hardware/count", json!(8)), ("/start", json!("2026-01-01"))]);
    let faults = super::BUILT_IN.errors(&request).await;
    assert_eq!((faults[0].0.as_str(), faults[0].1.as_str()), ("/start", "out_of_range"), "{faults:?}");
    assert!(faults[0].2.contains("month") || faults[0].2.contains("century"), "{faults:?}");
}
