//! What must hold whatever the figures are.

use serde_json::{Value, json};

use super::{item, llama, metric, with};

fn open(rate: f64) -> Value {
    llama(&json!({ "input_tokens": 2000, "output_tokens": 500, "requests_per_second": rate }))
}

#[tokio::test]
async fn more_load_never_takes_fewer_accelerators_and_a_token_never_gets_dearer() {
    let (mut gpus, mut price) = (0.0, f64::INFINITY);
    for rate in [0.1, 1.0, 3.0, 10.0, 40.0, 200.0, 1000.0] {
        let item = item(&open(rate)).await;
        assert!(metric(&item, "gpus") >= gpus, "{rate}");
        let each = metric(&item, "price_per_million_output_tokens");
        // Whole replicas: between two of them a token may cost a step more.
        assert!(each <= price * 1.35, "{rate}: {each} after {price}");
        (gpus, price) = (metric(&item, "gpus"), each);
    }
}

#[tokio::test]
async fn a_longer_context_is_never_faster_nor_cheaper() {
    let (mut speed, mut price) = (f64::INFINITY, 0.0);
    for input in [100, 1000, 4000, 16_000, 60_000] {
        let traffic = json!({ "input_tokens": input, "output_tokens": 500, "saturated": true });
        let item = item(&llama(&traffic)).await;
        assert!(metric(&item, "output_tokens_per_second_per_gpu") <= speed, "{input}");
        assert!(metric(&item, "price_per_request") >= price, "{input}");
        speed = metric(&item, "output_tokens_per_second_per_gpu");
        price = metric(&item, "price_per_request");
    }
}

#[tokio::test]
async fn a_larger_cached_share_is_never_dearer() {
    let mut price = f64::INFINITY;
    for cached in [0.0, 0.2, 0.5, 0.9, 0.99] {
        let traffic = json!({
            "input_tokens": 4000, "output_tokens": 500, "saturated": true, "cached_input_fraction": cached
        });
        let each = metric(&item(&llama(&traffic)).await, "price_per_request");
        assert!(each <= price, "{cached}: {each} after {price}");
        price = each;
    }
}

fn sheet(memory_gb: f64, bandwidth: f64) -> Value {
    let traffic = json!({ "input_tokens": 2000, "output_tokens": 500, "saturated": true });
    let gpu = json!({
        "name": "mine", "memory_gb": memory_gb, "memory_bytes": memory_gb * 1e9, "memory_bandwidth_gbs": bandwidth,
        "dense_tflops": { "bf16": 989.4, "fp8": 1978.9 }, "peer_gbs_one_way": 450, "fast_domain_gpus": 8, "tdp_w": 700
    });
    with(llama(&traffic), "/hardware/gpu", gpu)
}

#[tokio::test]
async fn more_memory_never_holds_fewer_sequences_and_more_bandwidth_is_never_slower() {
    let mut most = 0.0;
    for memory in [60.0, 80.0, 96.0, 141.0, 288.0] {
        let fits = metric(&item(&sheet(memory, 3350.0)).await, "max_concurrency");
        assert!(fits > most, "{memory}");
        most = fits;
    }
    let mut speed = 0.0;
    for bandwidth in [500.0, 1000.0, 3350.0, 8000.0] {
        let each = metric(&item(&sheet(80.0, bandwidth)).await, "output_tokens_per_second_per_gpu");
        assert!(each > speed, "{bandwidth}");
        speed = each;
    }
}

#[tokio::test]
async fn twice_the_replicas_answer_twice_as_much_for_twice_the_money() {
    let one = item(&with(open(1.0), "/hardware/replicas", json!(1))).await;
    let two = item(&with(open(1.0), "/hardware/replicas", json!(2))).await;
    for name in ["requests_per_second_at_full_use", "gpus", "price_per_hour"] {
        let ratio = metric(&two, name) / metric(&one, name);
        assert!((ratio - 2.0).abs() < 1e-6, "{name}: {ratio}");
    }
    let halved = metric(&one, "utilization") / metric(&two, "utilization");
    assert!((halved - 2.0).abs() < 1e-6);
}

#[tokio::test]
async fn figures_given_as_ranges_widen_the_answer() {
    let exact = item(&with(open(50.0), "/hardware/replicas", json!(40))).await;
    assert_eq!(exact["total"].get("low"), None);
    let hours = with(
        with(open(50.0), "/hardware/replicas", json!(40)),
        "/hours",
        json!({ "low": 600, "mid": 730, "high": 800 }),
    );
    assert_eq!(item(&hours).await["total"]["low"], "96000.00");
    let output = json!({ "low": 200, "mid": 500, "high": 900 });
    let item = item(&with(open(50.0), "/traffic/output_tokens", output)).await;
    assert!(
        item["metrics"]["gpus"]["low"].as_f64().unwrap() < item["metrics"]["gpus"]["value"].as_f64().unwrap()
    );
}
