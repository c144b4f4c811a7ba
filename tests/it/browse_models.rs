//! What the shape of a model comes to: `GET /models/{id}`.

use serde_json::Value;

use crate::browse::{fault, get};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[tokio::test]
async fn a_model_shows_the_count_of_its_shape() {
    let computed = get("/models/deepseek-v3").await["computed"].take();
    assert!((number(&computed["total_params"]) - 671_026_279_424.0).abs() < 1.0);
    assert!((number(&computed["active_params"]) - 37_552_157_696.0).abs() < 1.0);
    let look_up = 129_280.0 * 7168.0;
    // The catalog's count has norms, too: parts are stretched to it, the embeddings by some millionths.
    let without = 37_552_157_696.0 - look_up;
    assert!((number(&computed["matmul_params"]) / without - 1.0).abs() < 1e-5, "{computed}");
    assert!((number(&computed["kv_cache_bytes_per_token"]) - 70_272.0).abs() < 1e-6);
    assert_eq!(
        (computed["sequence_length"].as_u64(), computed["assumed"].as_array().unwrap().len()),
        (Some(4096), 0)
    );
    let parts = computed["by_part"].as_object().unwrap();
    let sum: f64 = parts.values().map(number).sum();
    assert!((sum - 671_026_279_424.0).abs() < 1.0, "{sum}");
    let (forward, training) = (&computed["forward_flops_per_token"], &computed["training_flops_per_token"]);
    assert!((number(training) / number(forward) - 3.0).abs() < 1e-12);
}

#[tokio::test]
async fn the_length_asked_about_changes_the_flops_and_not_the_parameters() {
    let short = get("/models/llama-3.1-8b?sequence_length=2048").await["computed"].take();
    let long = get("/models/llama-3.1-8b?sequence_length=4096").await["computed"].take();
    assert_eq!(short["total_params"], long["total_params"]);
    let difference = number(&long["forward_flops_per_token"]) - number(&short["forward_flops_per_token"]);
    assert!((difference - 2.0 * 32.0 * 256.0 * 1024.0 * 32.0).abs() < 1.0, "{difference}"); // 2·n·2d·(s/2)·L
}

#[tokio::test]
async fn what_a_shape_leaves_out_is_told() {
    let computed = get("/models/pythia-12b").await["computed"].take();
    assert_eq!(computed["assumed"][0]["field"], "vocab_size");
}

#[tokio::test]
async fn a_shape_that_cannot_be_counted_says_why() {
    let model = get("/models/kimi-k3").await;
    assert!(model.get("computed").is_none());
    assert!(model["not_computed"].as_str().unwrap().starts_with("params_total: "), "{model}");
    let unknown = get("/models/aion-1.0").await;
    assert!(unknown.get("computed").is_none() && unknown.get("not_computed").is_none());
}

#[tokio::test]
async fn a_length_of_nothing_or_beyond_all_is_refused() {
    for length in ["0", "1000000001"] {
        let fault = fault(&format!("/models/deepseek-v3?sequence_length={length}")).await;
        assert_eq!((&fault["pointer"], &fault["code"]), (&"/sequence_length".into(), &"out_of_range".into()));
    }
    get("/models/deepseek-v3?sequence_length=1000000000").await;
}
