//! `POST /compare`: an order, and nothing dropped in silence.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{answered, fault, faults, refusal};

const PATH: &str = "/compare";

fn usage() -> Value {
    json!({ "usage": { "input_tokens": 1200, "output_tokens": 300 }, "calls": 1000 })
}

fn serving() -> Value {
    json!({
        "kind": "serving", "model": "llama-3.1-70b",
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 4, "price_per_gpu_hour": "2.00" },
        "traffic": { "input_tokens": 1000, "output_tokens": 200, "requests_per_second": 1 },
    })
}

fn rows(comparison: &Value) -> &Vec<Value> {
    comparison["rows"].as_array().unwrap()
}

fn labels(comparison: &Value) -> Vec<&str> {
    rows(comparison).iter().map(|row| row["label"].as_str().unwrap()).collect()
}

fn number(money: &Value) -> f64 {
    money.as_str().unwrap().parse().unwrap()
}

/// What lacks something, by reason.
fn left<'c>(comparison: &'c Value, reason: &str) -> Option<&'c Value> {
    comparison["not_ranked"].as_array().unwrap().iter().find(|left| left["reason"] == reason)
}

fn counts(comparison: &Value) -> (u64, u64) {
    let left = comparison["not_ranked"].as_array().unwrap().iter();
    let left: u64 = left.map(|left| left["count"].as_u64().unwrap()).sum();
    let also: usize = rows(comparison).iter().map(|row| row["also"].as_array().unwrap().len()).sum();
    (comparison["ranked"].as_u64().unwrap() + also as u64 + left, comparison["candidates"].as_u64().unwrap())
}

#[tokio::test]
async fn every_row_is_the_estimate_of_what_was_set_and_the_cheapest_comes_first() {
    let models =
        json!(["gpt-4o", "gpt-4o-mini", "openai/gpt-4.1", "claude-sonnet-4-5", "openai/gpt-4.1-mini"]);
    let mut base = usage();
    base["currency"] = json!("EUR");
    let body = json!({ "base": base, "over": [{ "pointer": "/model", "values": models }] });
    let comparison = answered(PATH, &body).await;
    assert_eq!(rows(&comparison).len(), 5);
    let mut before = 0.0;
    for row in rows(&comparison) {
        let mut one = base.clone();
        one["model"] = row["set"][0]["value"].clone();
        let quote = answered("/estimate", &one).await;
        assert_eq!((&row["total"], &row["cost_per_success"]), (&quote["total"], &quote["total"]));
        assert_eq!(row["offering"], quote["items"][0]["offering"]);
        assert_eq!(
            row["warnings"].as_array().unwrap().len(),
            quote["items"][0]["warnings"].as_array().unwrap().len()
        );
        assert!(number(&row["total"]["amount"]) >= before);
        before = number(&row["total"]["amount"]);
    }
    assert_eq!(comparison["rows"][0]["ratio_to_cheapest"], json!(1.0));
    assert_eq!(comparison["currency"], "EUR");
}

#[tokio::test]
async fn each_of_one_list_meets_each_of_the_other() {
    let body = json!({ "base": usage(), "over": [
        { "pointer": "/model", "values": ["gpt-4o", "gpt-4o-mini", "o3"] },
        { "pointer": "/context/service_tier", "values": ["batch", "standard"] },
    ] });
    assert_eq!(
        refusal(PATH, &body).await,
        fault("/over/1/pointer", "unknown_field"),
        "there is no context yet"
    );
    let mut body = body;
    body["base"]["context"] = json!({});
    let comparison = answered(PATH, &body).await;
    let all: BTreeSet<&str> = labels(&comparison).into_iter().collect();
    assert_eq!(all.len(), 6);
    assert!(all.contains("o3, batch") && all.contains("gpt-4o, standard"));
    assert_eq!(comparison["rows"][0]["label"], "gpt-4o-mini, batch");
}

#[tokio::test]
async fn every_offering_of_a_model_is_a_candidate_and_none_is_lost() {
    let filter = json!({ "model": "llama-3.3-70b-instruct" });
    let body = json!({ "base": usage(), "over": [{ "offerings": filter }], "limit": 500 });
    let comparison = answered(PATH, &body).await;
    let (all, candidates) = counts(&comparison);
    assert_eq!(all, candidates);
    assert!(candidates > 10, "{candidates}");
    assert!(rows(&comparison).iter().all(|row| row["model"] == "llama-3.3-70b-instruct"));
    assert_eq!(comparison["warnings"], json!([]), "one model takes as many tokens wherever it runs");
    assert!(
        comparison["passed_over"][0]["field"] == "model"
            && comparison["passed_over"][0]["count"].as_u64() > Some(100)
    );
}

#[tokio::test]
async fn every_offering_there_is_can_be_compared() {
    let body = json!({ "base": usage(), "over": [{ "offerings": {} }], "limit": 500 });
    let comparison = answered(PATH, &body).await;
    assert!(comparison["candidates"].as_u64() > Some(3000));
    let unpriced = left(&comparison, "unpriced").unwrap();
    assert!(unpriced["count"].as_u64() > Some(100), "image models have no price of tokens");
    let told = unpriced["candidates"].as_array().unwrap().len() as u64;
    assert_eq!(told, 500.min(unpriced["count"].as_u64().unwrap()));
    let codes: BTreeSet<&str> =
        comparison["warnings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["token_counts_not_comparable"]));
    let ranks: Vec<u64> = rows(&comparison).iter().map(|row| row["rank"].as_u64().unwrap()).collect();
    assert!(ranks.is_sorted() && ranks[0] == 1);
    assert_eq!(comparison["more"], json!(comparison["ranked"].as_u64().unwrap() - 500));
}

#[tokio::test]
async fn a_filter_by_class_and_price_admits_what_it_says_and_counts_what_it_cannot_tell() {
    let filter = json!({ "class": "reasoning", "max_output_price": "1" });
    let body = json!({ "base": usage(), "over": [{ "offerings": filter }], "limit": 500 });
    let comparison = answered(PATH, &body).await;
    assert!(!rows(&comparison).is_empty());
    for row in rows(&comparison) {
        let one = json!({ "model": row["offering"], "usage": { "output_tokens": 1000 } });
        let quote = answered("/estimate", &one).await;
        assert!(number(&quote["total"]["amount"]) <= 0.001, "{row:#}");
    }
    let fields: Vec<&str> = comparison["passed_over"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    assert!(fields.contains(&"class"), "{fields:?}");
}

#[tokio::test]
async fn two_names_of_one_vendor_for_the_same_thing_are_one_row() {
    let body = json!({ "base": usage(), "limit": 500, "over": [
        { "offerings": { "model": "gpt-4o", "provider": ["azure", "azure-openai", "azure-ai", "openai"] } },
    ] });
    let comparison = answered(PATH, &body).await;
    let vendor = |name: &str| if name.starts_with("azure") { "azure".to_owned() } else { name.to_owned() };
    let mut seen = BTreeSet::new();
    let mut merged = 0;
    for row in rows(&comparison) {
        let of = vendor(row["provider"].as_str().unwrap());
        assert!(seen.insert((of.clone(), row["total"]["amount"].to_string())), "{of} twice");
        for other in row["also"].as_array().unwrap() {
            assert_eq!(vendor(other.as_str().unwrap().split('/').next().unwrap()), of);
            merged += 1;
        }
    }
    assert!(merged > 0, "{comparison:#}");
    let (all, candidates) = counts(&comparison);
    assert_eq!(all, candidates);
}

#[tokio::test]
async fn factors_make_the_cost_of_a_success() {
    let over = json!([{ "pointer": "/model", "values": ["gpt-4o", "claude-sonnet-4-5"] }]);
    let plain = answered(PATH, &json!({ "base": usage(), "over": over })).await;
    assert_eq!(plain["warnings"][0]["code"], "token_counts_not_comparable");
    let factors = json!({ "gpt-4o": { "usage_factor": 1, "success_rate": "0.8" }, "claude-sonnet-4-5": { "usage_factor": 2 } });
    let told = answered(PATH, &json!({ "base": usage(), "over": over, "factors": factors })).await;
    assert_eq!(told["warnings"], json!([]));
    let cost = |label: &str| {
        let row = rows(&told).iter().find(|row| row["label"] == label).unwrap();
        (number(&row["total"]["amount"]), number(&row["cost_per_success"]["amount"]))
    };
    let (total, each) = cost("gpt-4o");
    assert!((each - total / 0.8).abs() < 1e-12);
    let (total, each) = cost("claude-sonnet-4-5");
    assert!((each - total * 2.0).abs() < 1e-12);
    for (factors, at) in [
        (json!({ "gpt-4o": { "success_rate": 0 } }), "/factors/gpt-4o/success_rate"),
        (json!({ "gpt-4o": { "success_rate": 1.1 } }), "/factors/gpt-4o/success_rate"),
        (json!({ "gpt-4o": { "usage_factor": -1 } }), "/factors/gpt-4o/usage_factor"),
    ] {
        let body = json!({ "base": usage(), "over": over, "factors": factors });
        assert_eq!(refusal(PATH, &body).await, fault(at, "out_of_range"));
    }
    let body = json!({ "base": usage(), "over": over, "factors": { "gpt-4p": {} } });
    assert_eq!(refusal(PATH, &body).await, fault("/factors/gpt-4p", "unknown_model"));
}

#[tokio::test]
async fn hosted_and_self_run_stand_side_by_side() {
    let mut base = usage();
    base["calls"] = json!(2_628_000);
    base["as_of"] = json!("2026-11-01");
    let body = json!({ "base": base, "candidates": [
        { "label": "hosted", "set": { "/model": "llama-3.3-70b-versatile", "/provider": "groq" } },
        { "label": "self-run", "workload": serving(), "usage_factor": "1.1" },
        { "label": "too small", "workload": { "kind": "serving", "model": "llama-3.1-70b",
            "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 1 }, "traffic": serving()["traffic"] } },
        { "label": "nobody", "set": { "/model": "gpt-9" } },
    ] });
    let comparison = answered(PATH, &body).await;
    assert_eq!(labels(&comparison).len(), 2);
    let own = rows(&comparison).iter().find(|row| row["label"] == "self-run").unwrap();
    assert_eq!(
        (&own["runs_on"]["gpu"], &own["runs_on"]["gpus_per_replica"]),
        (&json!("h100-sxm5-80gb"), &json!(4))
    );
    let mut alone = serving();
    alone["as_of"] = json!("2026-11-01");
    assert_eq!(own["total"], answered("/estimate", &alone).await["total"]);
    let small = left(&comparison, "does_not_fit").unwrap();
    assert_eq!(
        faults(&small["candidates"][0]["faults"]),
        fault("/candidates/2/workload/hardware", "does_not_fit")
    );
    let refused = left(&comparison, "refused").unwrap();
    assert_eq!(faults(&refused["candidates"][0]["faults"]), fault("/base/model", "unknown_model"));
}

#[tokio::test]
async fn accelerators_are_compared_by_a_filter() {
    let mut base = serving();
    base["hardware"] = json!({});
    base["max_price_age_days"] = json!(1000);
    let filter = json!({ "vendor": "nvidia", "min_memory_gb": 80 });
    let body = json!({ "base": base, "over": [{ "gpus": filter }], "limit": 500 });
    let comparison = answered(PATH, &body).await;
    assert!(rows(&comparison).len() > 2, "{comparison:#}");
    for row in rows(&comparison) {
        assert_eq!(row["runs_on"]["gpu"], row["label"]);
    }
    let (all, candidates) = counts(&comparison);
    assert_eq!(all, candidates);
    base.as_object_mut().unwrap().remove("hardware");
    let without = answered(PATH, &json!({ "base": base, "over": [{ "gpus": filter }], "limit": 500 })).await;
    assert_eq!(without["candidates"], comparison["candidates"]);
    assert_eq!(without["rows"][0]["total"], comparison["rows"][0]["total"]);
}

#[tokio::test]
async fn what_nobody_has_priced_lately_or_is_too_slow_is_told_apart() {
    let mut slow = serving();
    slow["slo"] = json!({ "ttft_ms": 1 });
    let body =
        json!({ "base": slow, "over": [{ "pointer": "/hardware/gpus_per_replica", "values": [4, 8] }] });
    let comparison = answered(PATH, &body).await;
    assert_eq!(left(&comparison, "misses_slo").unwrap()["count"], 2);
    let mut old = serving();
    old["hardware"] = json!({ "gpu": "v100-sxm2-32gb", "gpus_per_replica": 8 });
    old["max_price_age_days"] = json!(0);
    old["as_of"] = json!("2027-11-01");
    let body = json!({ "base": old, "over": [{ "pointer": "/hours", "values": [1] }] });
    let comparison = answered(PATH, &body).await;
    let stale = left(&comparison, "stale").unwrap();
    assert_eq!(stale["candidates"][0]["faults"][0]["code"], "price_stale");
    assert!(stale["candidates"][0]["total"]["amount"].is_string());
}

#[tokio::test]
async fn what_one_candidate_lacks_is_told_of_that_one() {
    let mut batch = usage();
    batch["context"] = json!({ "service_tier": "batch" });
    let body = json!({ "base": batch, "over": [{ "offerings": { "model": ["gpt-4o", "llama-3.3-70b-instruct"] } }] });
    let comparison = answered(PATH, &body).await;
    assert!(comparison["ranked"].as_u64() > Some(0));
    let of = |code: &str| {
        let left = comparison["not_ranked"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|left| left["candidates"].as_array().unwrap());
        left.filter(|left| left["faults"][0]["code"] == code).count()
    };
    assert!(of("unknown_context_key") > 0, "{comparison:#}");
    let sellers = json!([{ "pointer": "/provider", "values": ["openai", "anthropic"] }]);
    let mut base = usage();
    base["model"] = json!("gpt-4o");
    let comparison = answered(PATH, &json!({ "base": base, "over": sellers })).await;
    assert_eq!(labels(&comparison), ["openai"]);
    assert_eq!(left(&comparison, "refused").unwrap()["candidates"][0]["faults"][0]["code"], "unknown_model");
}

#[tokio::test]
async fn a_call_longer_than_the_context_window_does_not_fit() {
    let base = json!({ "usage": { "input_tokens": 150_000, "output_tokens": 10 } });
    let body = json!({ "base": base, "over": [{ "pointer": "/model", "values": ["gpt-4o", "gpt-4.1"] }] });
    let comparison = answered(PATH, &body).await;
    assert_eq!(labels(&comparison), ["gpt-4.1"]);
    let long = left(&comparison, "does_not_fit").unwrap();
    assert_eq!(long["candidates"][0]["label"], "gpt-4o");
}

#[tokio::test]
async fn what_is_no_comparison_is_refused() {
    let over = |entry: Value| json!({ "base": usage(), "over": [entry] });
    let listed = json!({ "pointer": "/model", "values": ["gpt-4o"] });
    for (body, at, code) in [
        (json!({ "base": usage() }), "/over", "missing_field"),
        (over(json!({})), "/over/0/pointer", "missing_field"),
        (over(json!({ "pointer": "/model" })), "/over/0/values", "missing_field"),
        (over(json!({ "pointer": "/model", "values": [] })), "/over/0/values", "out_of_range"),
        (over(json!({ "pointer": "model", "values": [1] })), "/over/0/pointer", "out_of_range"),
        (over(json!({ "pointer": "/modles/0/x", "values": [1] })), "/over/0/pointer", "unknown_field"),
        (over(json!({ "offerings": {}, "gpus": {} })), "/over/0", "contradiction"),
        (over(json!({ "gpus": {} })), "/over/0/gpus", "contradiction"),
        (over(json!({ "offerings": { "class": "resoning" } })), "/over/0/offerings/class", "out_of_range"),
        (over(json!({ "offerings": { "model": "gpt-9z" } })), "/over/0/offerings/model", "unknown_model"),
        (
            over(json!({ "offerings": { "provider": "opnai" } })),
            "/over/0/offerings/provider",
            "unknown_provider",
        ),
        (
            over(json!({ "offerings": { "max_input_price": "x" } })),
            "/over/0/offerings/max_input_price",
            "out_of_range",
        ),
        (
            over(json!({ "offerings": { "provider": "openai", "model": "claude-sonnet-4-5" } })),
            "/over/0/offerings",
            "out_of_range",
        ),
        (json!({ "base": serving(), "over": [{ "offerings": {} }] }), "/over/0/offerings", "contradiction"),
        (json!({ "base": usage(), "over": [listed, listed] }), "/over", "contradiction"),
        (json!({ "base": usage(), "over": [listed], "limit": 0 }), "/limit", "out_of_range"),
        (json!({ "base": { "currency": "XXX" }, "over": [listed] }), "/base/currency", "unknown_currency"),
        (
            json!({ "base": { "usage": { "input_tokns": 1 } }, "over": [listed] }),
            "/base/usage/input_tokns",
            "unknown_meter",
        ),
        (json!({ "candidates": [{}] }), "/candidates/0/workload", "missing_field"),
    ] {
        assert_eq!(refusal(PATH, &body).await, fault(at, code), "{body}");
    }
}

#[tokio::test]
async fn too_many_candidates_are_refused_before_any_is_priced() {
    let counts: Vec<u32> = (1..=101).collect();
    let body = json!({ "base": usage(), "over": [
        { "pointer": "/calls", "values": counts }, { "pointer": "/usage/input_tokens", "values": counts },
    ] });
    assert_eq!(refusal(PATH, &body).await, fault("/over", "out_of_range"));
}
