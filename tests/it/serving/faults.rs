//! What is refused, where, and with what to do about it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{answer, llama, refusal, with};

fn busy() -> Value {
    llama(&json!({ "input_tokens": 1000, "output_tokens": 500, "requests_per_second": 2 }))
}

async fn is_refused(request: Value, pointer: &str, code: &str) {
    assert_eq!(refusal(&request).await, [(pointer.to_owned(), code.to_owned())], "{request}");
}

#[tokio::test]
async fn every_field_that_makes_no_sense_is_named() {
    for (pointer, value, code) in [
        ("/model", json!("llama-9"), "unknown_model"),
        ("/engine", json!("vlm"), "unknown_engine"),
        ("/precision/weights", json!("fp9"), "unknown_precision"),
        ("/precision/kv_cache", json!("fp9"), "unknown_precision"),
        ("/hardware/gpu", json!("h9000"), "unknown_gpu"),
        ("/hardware/replicas", json!(0), "out_of_range"),
        ("/hardware/gpus_per_replica", json!(0), "out_of_range"),
        ("/parallelism/tensor", json!(3), "contradiction"),
        ("/parallelism/pipeline", json!(81), "contradiction"),
        ("/parallelism/expert", json!(2), "contradiction"),
        ("/parallelism/attention_data", json!(0), "out_of_range"),
        ("/traffic/input_tokens", json!(0), "out_of_range"),
        ("/traffic/output_tokens", json!(0), "out_of_range"),
        ("/traffic/output_tokens", json!(500_000), "out_of_range"),
        ("/traffic/cached_input_fraction", json!(1), "out_of_range"),
        ("/traffic/peak_to_mean", json!(0.5), "out_of_range"),
        ("/traffic/requests_per_second", json!(0), "out_of_range"),
        ("/hours", json!(0), "out_of_range"),
    ] {
        let request = with(busy(), pointer, value);
        let faults = refusal(&request).await;
        let named = faults.iter().any(|(at, known)| at == pointer && known == code);
        assert!(named, "{pointer} {code}: {faults:?}");
    }
}

#[tokio::test]
async fn one_load_is_given_and_no_more() {
    is_refused(with(busy(), "/traffic/concurrency", json!(3)), "/traffic", "contradiction").await;
    let none = llama(&json!({ "input_tokens": 1000, "output_tokens": 500 }));
    is_refused(none, "/traffic", "missing_field").await;
}

#[tokio::test]
async fn a_precision_that_the_part_lacks_is_refused() {
    let request = with(busy(), "/hardware/gpu", json!("a100-sxm4-80gb"));
    is_refused(request, "/precision/weights", "unknown_precision").await;
    is_refused(with(busy(), "/precision/weights", json!("nvfp4")), "/precision/weights", "unknown_precision")
        .await;
}

#[tokio::test]
async fn a_model_without_a_shape_and_none_at_all_are_told_apart() {
    is_refused(with(busy(), "/model", json!("deepseek-v3.2")), "/model", "unknown_model").await;
    is_refused(with(busy(), "/model", Value::Null), "/model", "missing_field").await;
}

#[tokio::test]
async fn a_degree_that_does_not_divide_is_refused_with_those_that_do() {
    for (model, degree, pointer, others) in [
        ("llama-3.1-70b", 3, "/parallelism/tensor", "1, 2 do"),
        ("qwen3-30b-a3b", 5, "/parallelism/expert", "1, 2, 4 do"),
    ] {
        let request = with(with(busy(), "/model", json!(model)), pointer, json!(degree));
        let (status, body) = answer(&request).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let errors = body["errors"].as_array().unwrap();
        let at = errors.iter().find(|error| error["pointer"] == pointer).unwrap();
        assert!(at["detail"].as_str().unwrap().ends_with(others), "{body:#}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_told_by_how_much() {
    let request = with(busy(), "/model", json!("llama-3.1-405b"));
    let (status, body) = answer(&request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body["errors"][0]["code"], "does_not_fit");
    let detail = body["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("GB more") && detail.contains("what fits: 8 of them in a replica"), "{detail}");
    let (_, body) = answer(&with(request, "/precision/weights", json!("bf16"))).await;
    let detail = body["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("what fits: 16 of them in a replica"), "{detail}");
}

#[tokio::test]
async fn a_limit_that_nothing_keeps_is_told_with_the_nearest() {
    let mut request = busy();
    request["slo"] = json!({ "tpot_ms": 2 });
    let (status, body) = answer(&request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body["errors"][0]["code"], "slo_unreachable");
    let detail = body["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("times too slow, with") && detail.contains("ms for each further one"),
        "{detail}"
    );
    is_refused(with(busy(), "/hardware/replicas", json!(0.001)), "/hardware/replicas", "slo_unreachable")
        .await;
}

#[tokio::test]
async fn a_price_without_its_part_is_refused() {
    let request = with(busy(), "/hardware", json!({ "price_per_gpu_hour": "2" }));
    is_refused(request, "/hardware/gpu", "missing_field").await;
}

/// Every value, however odd, in every place gets an answer or a fault, and no figure is null.
#[tokio::test]
async fn odd_values_are_answered_or_refused() {
    let odd = [
        json!(null),
        json!(-1),
        json!(0),
        json!(1),
        json!(1e-300),
        json!(1e300),
        json!(65_536),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!({ "low": 0, "mid": 1, "high": 1e12 }),
    ];
    let places = [
        "/model",
        "/architecture",
        "/engine",
        "/precision",
        "/hardware",
        "/hardware/gpu",
        "/hardware/gpus_per_replica",
        "/hardware/replicas",
        "/hardware/spare_replicas",
        "/hardware/price_per_gpu_hour",
        "/hardware/owned",
        "/parallelism",
        "/parallelism/tensor",
        "/parallelism/pipeline",
        "/parallelism/expert",
        "/parallelism/attention_data",
        "/traffic",
        "/traffic/input_tokens",
        "/traffic/output_tokens",
        "/traffic/cached_input_fraction",
        "/traffic/peak_to_mean",
        "/traffic/requests_per_second",
        "/traffic/concurrency",
        "/traffic/saturated",
        "/disaggregated",
        "/measured",
        "/slo",
        "/slo/tpot_ms",
        "/slo/ttft_ms",
        "/hours",
        "/staff",
        "/other",
        "/max_price_age_days",
    ];
    let mut base = busy();
    base["slo"] = json!({ "tpot_ms": 100 });
    for place in places {
        for value in &odd {
            let request = with(base.clone(), place, value.clone());
            let (status, body) = answer(&request).await;
            assert!(
                status == StatusCode::OK || status == StatusCode::UNPROCESSABLE_ENTITY,
                "{status} {request}"
            );
            if status == StatusCode::OK {
                let metrics = body["items"][0]["metrics"].as_object().unwrap();
                let finite = |metric: &Value| metric["value"].as_f64().is_some_and(f64::is_finite);
                assert!(metrics.values().all(finite), "{request}\n{body:#}");
            }
        }
    }
}
