//! `POST /budget`: the inverse of an estimate, against a walk through a sweep.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answered, fault, refusal};

const PATH: &str = "/budget";

fn call() -> Value {
    json!({ "model": "gpt-4o", "usage": { "input_tokens": 1200, "output_tokens": 300 } })
}

fn serving() -> Value {
    json!({
        "kind": "serving", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 1, "price_per_gpu_hour": "2.50" },
        "traffic": { "input_tokens": 1000, "output_tokens": 300, "requests_per_month": 1000 },
    })
}

fn training() -> Value {
    json!({
        "kind": "training", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "count": 512, "price_per_gpu_hour": "2.00" },
        "stages": [{ "stage": "pretraining", "tokens": 1e12 }],
    })
}

fn asked(request: &Value, pointer: &str, budget: &str) -> Value {
    json!({ "request": request, "pointer": pointer, "budget": budget })
}

fn money(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// What the request costs with a value.
async fn cost(request: &Value, pointer: &str, value: &Value) -> Value {
    let sweep = json!({ "request": request, "pointer": pointer, "values": [value] });
    answered("/sweep", &sweep).await["points"][0]["total"].clone()
}

#[tokio::test]
async fn a_sum_buys_what_it_divides_into() {
    // 0.006 dollars a call.
    let found = answered(PATH, &asked(&call(), "/calls", "1000000")).await;
    assert_eq!(found["outcome"], "bought");
    assert_eq!((&found["bought"]["value"], &found["bought"]["left"]), (&json!(166_666_666), &json!("0.004")));
    assert_eq!(
        (&found["next"]["value"], &found["next"]["total"]["amount"]),
        (&json!(166_666_667), &json!("1000000.002"))
    );
    assert_eq!(found["segments"], json!([{ "from": 0, "to": 166_666_666 }]));
    assert_eq!(found["text"], "166666666 at most");
    assert!(found.get("low").is_none() && found["warnings"] == json!([]));
}

#[tokio::test]
async fn the_cost_of_a_value_buys_it_back() {
    for (request, pointer, value) in [
        (call(), "/calls", json!(12_345)),
        (call(), "/usage/input_tokens", json!(77_777)),
        (training(), "/stages/0/tokens", json!(2.5e12)),
        (training(), "/hardware/price_per_gpu_hour", json!("3.25")),
    ] {
        let spent = cost(&request, pointer, &value).await;
        let found = answered(PATH, &asked(&request, pointer, spent["amount"].as_str().unwrap())).await;
        let wanted = value.as_f64().unwrap_or_else(|| money(&value));
        let got = found["bought"]["value"].as_f64().unwrap();
        // Sums are rounded to cents: values that cost the same are as good.
        assert!(got >= wanted && (got / wanted - 1.0).abs() < 1e-7, "{pointer} {got} {wanted}");
        assert_eq!(found["bought"]["total"], cost(&request, pointer, &found["bought"]["value"]).await);
        assert_eq!(found["bought"]["total"]["amount"], spent["amount"]);
    }
}

#[tokio::test]
async fn what_the_ends_of_the_cost_buy_lies_on_either_side() {
    let (request, pointer) = (training(), "/stages/0/tokens");
    let found = answered(PATH, &asked(&request, pointer, "1000000")).await;
    let at = |field: &str| found[field].as_f64().unwrap();
    assert!(
        at("low") < found["bought"]["value"].as_f64().unwrap()
            && found["bought"]["value"].as_f64().unwrap() < at("high")
    );
    for (end, of) in [("low", "high"), ("high", "low")] {
        let cost = money(&cost(&request, pointer, &found[end]).await[of]);
        assert!((cost / 1e6 - 1.0).abs() < 1e-7 && cost <= 1e6, "{end} {cost}");
    }
}

/// A staircase: each step up costs a replica.
#[tokio::test]
async fn what_a_sum_serves_is_what_a_walk_finds() {
    let pointer = "/traffic/requests_per_month";
    let found = answered(PATH, &asked(&serving(), pointer, "10000")).await;
    let bought = found["bought"]["value"].as_f64().unwrap();
    assert!(money(&found["next"]["total"]["amount"]) > 10_000.0, "{found:#}");
    let values: Vec<f64> = (1..=300).map(|at| bought * f64::from(at) / 200.0).collect();
    let series =
        answered("/sweep", &json!({ "request": serving(), "pointer": pointer, "values": values })).await;
    for (point, value) in series["points"].as_array().unwrap().iter().zip(values) {
        assert_eq!(money(&point["total"]["amount"]) <= 10_000.0, value <= bought, "{value} {bought}");
    }
}

#[tokio::test]
async fn a_sum_may_buy_nothing_or_everything() {
    let nothing = answered(PATH, &asked(&serving(), "/traffic/requests_per_month", "100")).await;
    assert_eq!(nothing["outcome"], "buys_nothing");
    assert_eq!((&nothing["segments"], nothing.get("bought")), (&json!([]), None));
    let least = &nothing["least"];
    assert_eq!(least["total"], cost(&serving(), "/traffic/requests_per_month", &least["value"]).await);
    let text = format!("nothing: the least costs {} USD", least["total"]["amount"].as_str().unwrap());
    assert!(nothing["text"].as_str().unwrap().starts_with(&text), "{nothing:#}");
    let mut free = call();
    free["usage"] = json!({ "output_tokens": 0 });
    let all = answered(PATH, &asked(&free, "/calls", "1")).await;
    assert_eq!(
        (&all["outcome"], &all["bought"]["value"]),
        (&json!("unbounded"), &json!(1_000_000_000_000_000_u64))
    );
    assert!(all["text"].as_str().unwrap().ends_with("the cost does not depend on it"), "{all:#}");
}

#[tokio::test]
async fn a_cost_that_falls_somewhere_is_said_to() {
    let mut request = serving();
    request["hardware"] = json!({ "gpu": "h100-sxm5-80gb", "price_per_gpu_hour": "2.50" });
    request["traffic"]["requests_per_month"] = json!(1e9);
    let mut body = asked(&request, "/slo/tpot_ms", "100000");
    body["request"]["slo"] = json!({ "tpot_ms": 50 });
    body["range"] = json!({ "from": 5, "to": 500, "steps": 40, "scale": "log" });
    let found = answered(PATH, &body).await;
    let warnings = found["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["code"] == "not_monotonic"), "{found:#}");
}

#[tokio::test]
async fn a_value_beyond_which_nothing_has_a_price_is_the_last() {
    let mut body = asked(&training(), "/stages/0/mfu", "100000000");
    body["range"] = json!({ "from": 0.1, "to": 3, "steps": 30 });
    let found = answered(PATH, &body).await;
    assert_eq!((&found["outcome"], &found["bought"]["value"]), (&json!("bought"), &json!(1)));
    assert_eq!(found["next"]["faults"][0]["code"], "out_of_range");
}

#[tokio::test]
async fn questions_that_are_none_are_refused() {
    let in_currency = |currency: &str| {
        let mut body = asked(&call(), "/calls", "10");
        body["currency"] = json!(currency);
        body
    };
    let mut early = asked(&call(), "/calls", "10");
    early["request"]["as_of"] = json!("1990-01-01");
    early["currency"] = json!("EUR");
    for (body, at, code) in [
        (asked(&call(), "/model", "10"), "/pointer", "wrong_type"),
        (asked(&call(), "/calls/x", "10"), "/pointer", "unknown_field"),
        (asked(&call(), "/calls", "-1"), "/budget", "out_of_range"),
        (asked(&call(), "/calls", "much"), "/budget", "out_of_range"),
        (in_currency("XXX"), "/currency", "unknown_currency"),
        (json!({ "request": call(), "pointer": "/calls" }), "/budget", "missing_field"),
    ] {
        assert_eq!(refusal(PATH, &body).await[0], fault(at, code)[0], "{body}");
    }
    let mut unknown = asked(&call(), "/calls", "10");
    unknown["request"]["model"] = json!("gpt-4p");
    assert_eq!(refusal(PATH, &unknown).await, fault("/request/model", "unknown_model"));
}

#[tokio::test]
async fn a_model_as_large_as_a_sum_trains_has_twenty_tokens_for_each_parameter() {
    let hardware = json!({ "gpu": "h100-sxm5-80gb", "count": 512, "price_per_gpu_hour": "2.00" });
    let mut body = json!({ "optimal": { "hardware": hardware }, "budget": "1000000", "currency": "USD" });
    let found = answered(PATH, &body).await;
    let params = found["trained"]["params_total"]["value"].as_f64().unwrap();
    assert!((found["trained"]["tokens"]["value"].as_f64().unwrap() / params - 20.0).abs() < 1e-6);
    assert_eq!(found["ref"], "assumption:training.tokens_per_param");
    // What it says to send costs what it says, and the sum but for the rounding of parameters.
    let quote = answered("/estimate", &found["request"]).await;
    assert_eq!(quote["total"], found["bought"]["total"]);
    assert!(money(&quote["total"]["amount"]) > 999_999.0 && money(&quote["total"]["amount"]) <= 1e6);
    // Ten times as many tokens for each parameter make a smaller model.
    body["optimal"]["over_training"] = json!(10);
    let over = answered(PATH, &body).await;
    let smaller = over["trained"]["params_total"]["value"].as_f64().unwrap();
    assert!(smaller < params / 2.5 && smaller > params / 4.5, "{smaller} {params}");
    assert_eq!(over["tokens_per_param"]["value"], 200.0);
    body["budget"] = json!("0.01");
    assert_eq!(answered(PATH, &body).await["outcome"], "buys_nothing");
    body["optimal"]["over_training"] = json!(0);
    assert_eq!(refusal(PATH, &body).await, fault("/optimal/over_training", "out_of_range"));
    body["optimal"]["over_training"] = json!(1);
    body["optimal"]["hardware"]["gpu"] = json!("h101");
    assert_eq!(refusal(PATH, &body).await, fault("/optimal/hardware/gpu", "unknown_gpu"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The next one costs more, and this one does not.
    #[test]
    fn a_sum_buys_the_last_value_within_it(input in 1_u32..300_000, output in 1_u32..5_000, cents in 1_u64..100_000_000) {
        let request = json!({ "model": "gpt-4o", "usage": { "input_tokens": input, "output_tokens": output } });
        let budget = format!("{}.{:02}", cents / 100, cents % 100);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let found = answered(PATH, &asked(&request, "/calls", &budget)).await;
            let bought = found["bought"]["value"].as_u64().unwrap();
            let next = &found["next"];
            assert_eq!(next["value"], json!(bought + 1));
            assert_eq!(next["total"], cost(&request, "/calls", &next["value"]).await);
            assert!(money(&next["total"]["amount"]) > money(&json!(budget)));
            assert!(money(&found["bought"]["total"]["amount"]) <= money(&json!(budget)));
        });
    }
}
