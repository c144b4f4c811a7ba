//! How many machines: pools, spares, whole machines and terms, prices that nobody has seen lately.

use serde_json::{Value, json};

use super::{item, llama, metric, refusal, with};

/// DeepSeek's nodes: prompts of their own, answers of their own.
fn apart(traffic: &Value, hardware: &Value) -> Value {
    let measured =
        json!({ "prefill_tokens_per_second_per_gpu": 4000, "decode_tokens_per_second_per_gpu": 2000 });
    json!({ "kind": "serving", "model": "deepseek-v3", "hardware": hardware, "measured": measured, "traffic": traffic })
}

fn is(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-6, "{ours} and {theirs}");
}

fn rented(more: &Value) -> Value {
    let mut hardware = json!({ "gpu": "h800-sxm5-80gb", "price_per_gpu_hour": "2.00" });
    hardware.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    hardware
}

/// By hand: 100 requests a second of 2,000 computed and 1,000 written tokens take 200,000/4,000 = 50 and
/// 100,000/2,000 = 50 GPUs; in nodes of eight 7 each, and one of each to spare.
#[tokio::test]
async fn measured_pools_are_sized_apart_in_whole_replicas_with_one_each_to_spare() {
    let traffic = json!({ "input_tokens": 4000, "output_tokens": 1000, "cached_input_fraction": 0.5,
        "requests_per_second": 100, "peak_to_mean": 1 });
    let exact = rented(&json!({ "spare_replicas": 0 }));
    let item_of = item(&apart(&traffic, &exact)).await;
    is(metric(&item_of, "prefill_gpus"), 50.0);
    is(metric(&item_of, "decode_gpus"), 50.0);
    assert_eq!(item_of["deployment"]["speed_origin"], "request");
    assert_eq!(item_of["metrics"].get("tpot_ms"), None);
    // Half of an hour's 200 dollars over 360,000 requests of 1,000 tokens each.
    let each = 100.0 / 360.0;
    assert!((metric(&item_of, "price_per_million_output_tokens") / each - 1.0).abs() < 1e-6);
    assert!((metric(&item_of, "price_per_million_input_tokens") / (each / 2.0) - 1.0).abs() < 1e-6);
    let nodes = item(&apart(&traffic, &rented(&json!({ "gpus_per_replica": 8 })))).await;
    is(metric(&nodes, "prefill_gpus"), 64.0);
    is(metric(&nodes, "decode_gpus"), 64.0);
    is(metric(&nodes, "replicas"), 16.0);
}

#[tokio::test]
async fn pools_that_are_given_are_divided_so_that_both_answer_alike() {
    let traffic = json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true });
    let item = item(&apart(&traffic, &rented(&json!({ "replicas": 12, "gpus_per_replica": 8 })))).await;
    assert!((metric(&item, "prefill_gpus") - 32.0).abs() < 1e-6);
    assert!((metric(&item, "decode_gpus") - 64.0).abs() < 1e-6);
    assert!((metric(&item, "requests_per_second_at_full_use") - 128.0).abs() < 1e-6);
}

#[tokio::test]
async fn a_measured_speed_of_replicas_that_do_both_takes_the_place_of_the_modelled_one() {
    let mut request = llama(&json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true }));
    request["measured"] = json!({ "output_tokens_per_second_per_gpu": 2209 });
    let item = item(&request).await;
    assert!((metric(&item, "output_tokens_per_second_per_gpu") - 2209.0).abs() < 1e-6);
    assert_eq!(item["metrics"]["output_tokens_per_second_per_gpu"].get("low"), None);
    assert!((metric(&item, "price_per_million_output_tokens_all_in") - 0.2515).abs() < 1e-3);
}

#[tokio::test]
async fn pools_of_a_mixture_take_fewer_machines_than_replicas_that_do_both() {
    let traffic = json!({ "input_tokens": 4000, "output_tokens": 1000, "requests_per_second": 200 });
    let both = json!({ "kind": "serving", "model": "deepseek-v3", "engine": "sglang", "slo": { "tpot_ms": 80 },
        "hardware": { "gpu": "h200-sxm-141gb", "price_per_gpu_hour": "2.00" }, "traffic": traffic });
    let pools = item(&with(both.clone(), "/disaggregated", json!(true))).await;
    assert!(metric(&pools, "gpus") < metric(&item(&both).await, "gpus"));
    assert!(metric(&pools, "tpot_p99_ms") <= 80.0);
    assert_eq!(pools["deployment"]["speed_origin"], "derived");
    let sum = metric(&pools, "prefill_gpus") + metric(&pools, "decode_gpus");
    assert!((sum - metric(&pools, "gpus")).abs() < 1e-6);
    // Its prices by kind of token add up to the line.
    let each = metric(&pools, "price_per_million_input_tokens") * 4000.0
        + metric(&pools, "price_per_million_output_tokens") * 1000.0;
    assert!((each / 1e6 / metric(&pools, "price_per_request") - 1.0).abs() < 1e-6);
}

#[tokio::test]
async fn measured_speeds_that_contradict_the_rest_are_refused() {
    let open = json!({ "input_tokens": 4000, "output_tokens": 1000, "requests_per_second": 1 });
    let base = apart(&open, &rented(&json!({})));
    for (pointer, value, at, code) in [
        ("/slo", json!({ "tpot_ms": 50 }), "/slo", "contradiction"),
        ("/hardware/gpu", Value::Null, "/hardware/gpu", "missing_field"),
        ("/measured", json!({}), "/measured", "missing_field"),
        ("/measured", json!({ "prefill_tokens_per_second_per_gpu": 1 }), "/measured", "missing_field"),
        ("/measured/output_tokens_per_second_per_gpu", json!(10), "/measured", "contradiction"),
        (
            "/measured/decode_tokens_per_second_per_gpu",
            json!(0),
            "/measured/decode_tokens_per_second_per_gpu",
            "out_of_range",
        ),
        (
            "/traffic",
            json!({ "input_tokens": 1, "output_tokens": 1, "concurrency": 3 }),
            "/traffic/concurrency",
            "contradiction",
        ),
    ] {
        let faults = refusal(&with(base.clone(), pointer, value)).await;
        assert!(faults.contains(&(at.to_owned(), code.to_owned())), "{pointer}: {faults:?}");
    }
}

#[tokio::test]
async fn one_replica_is_spare_or_a_tenth_and_none_where_none_is_asked_for() {
    let open = |rate: f64| {
        llama(&json!({ "input_tokens": 2000, "output_tokens": 500, "requests_per_second": rate }))
    };
    for rate in [0.01, 2.0, 300.0] {
        let bare = metric(&item(&with(open(rate), "/hardware/spare_replicas", json!(0))).await, "replicas");
        let usual = metric(&item(&open(rate)).await, "replicas");
        is(usual - bare, (bare / 10.0 - 1e-9).ceil().max(1.0));
    }
    let given = with(open(2.0), "/hardware/replicas", json!(9));
    is(metric(&item(&given).await, "replicas"), 9.0);
    let place = "/hardware/spare_replicas";
    let faults = refusal(&with(given, place, json!(1))).await;
    assert_eq!(faults, [(place.to_owned(), "contradiction".to_owned())]);
}

/// Long prompts with short answers: slots are few, and yet prompts take at most 0.7 of the time at the peak.
#[tokio::test]
async fn prompts_take_at_most_seven_tenths_of_the_time_at_the_peak() {
    let traffic =
        json!({ "input_tokens": 30_000, "output_tokens": 2, "requests_per_second": 20, "peak_to_mean": 2 });
    let item = item(&with(llama(&traffic), "/hardware/spare_replicas", json!(0))).await;
    let peak = metric(&item, "utilization") * 2.0;
    let prompts = metric(&item, "price_per_million_input_tokens") * 30_000.0 / 1e6;
    let share = prompts / metric(&item, "price_per_request");
    assert!(share > 0.9 && peak * share <= 0.8, "{peak} of the time, {share} of it prompts");
}

/// One GPU of a provider that rents out eight at a time.
#[tokio::test]
async fn the_rest_of_a_machine_is_paid_as_idle_and_replicas_share_one() {
    let hardware = |replicas: u32| json!({ "gpu": "h100-sxm5-80gb", "gpus_per_replica": 2, "replicas": replicas, "provider": "azure" });
    let traffic = json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true });
    let of = |replicas: u32| {
        with(with(llama(&traffic), "/hardware", hardware(replicas)), "/as_of", json!("2026-08-01"))
    };
    for (replicas, used, idle) in [(1, "1460", Some("4380")), (4, "5840", None), (5, "7300", Some("4380"))] {
        let item = item(&of(replicas)).await;
        let lines = item["lines"].as_array().unwrap();
        assert_eq!(lines[0]["quantity"], used);
        let line = lines.iter().find(|line| line["code"] == "idle");
        assert_eq!(line.and_then(|line| line["quantity"].as_str()), idle, "{replicas}: {item:#}");
    }
}

#[tokio::test]
async fn a_term_is_paid_whole_where_the_stay_has_an_end() {
    let request = |hours: Option<u32>| {
        let traffic = json!({ "input_tokens": 1000, "output_tokens": 1000, "saturated": true });
        let mut request = llama(&traffic);
        request["hardware"]["commitment"] = json!("reserved_1y");
        if let Some(hours) = hours {
            request["hours"] = json!(hours);
        }
        request
    };
    let year = item(&request(Some(730))).await;
    assert_eq!(year["lines"][1]["code"], "idle");
    assert_eq!(year["lines"][1]["quantity"], "16060"); // 2 x (8,760 - 730)
    assert_eq!(item(&request(None)).await["lines"].as_array().unwrap().len(), 1);
    assert_eq!(item(&request(Some(8760))).await["lines"].as_array().unwrap().len(), 1);
}

/// At a moment when some prices have not been seen for months.
#[tokio::test]
async fn old_prices_are_set_apart_and_chosen_only_where_there_are_no_others() {
    let request = |age: u32| {
        json!({
            "kind": "serving", "model": "llama-3.1-8b", "as_of": "2026-11-24", "max_price_age_days": age,
            "traffic": { "input_tokens": 2000, "output_tokens": 500, "requests_per_second": 10 },
        })
    };
    let codes = |item: &Value| {
        let warnings = item["warnings"].as_array().unwrap().clone();
        warnings.into_iter().any(|warning| warning["code"] == "price_stale")
    };
    let lenient = item(&request(100_000)).await;
    assert!(!codes(&lenient) && lenient["deployment"]["stale"].as_array().unwrap().is_empty());
    let strict = item(&request(0)).await;
    assert!(codes(&strict), "every price was seen on an earlier day");
    let mixed = item(&request(150)).await;
    assert!(!codes(&mixed));
    let stale = mixed["deployment"]["stale"].as_array().unwrap();
    assert!(!stale.is_empty(), "{:#}", mixed["deployment"]);
}
