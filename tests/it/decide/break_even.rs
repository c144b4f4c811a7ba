//! `POST /break-even`: where two requests cost the same, against a walk through a sweep.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BUILT_IN, answer, answered, fault, refusal};
use crate::helpers::{ask_of, json_request};

const PATH: &str = "/break-even";

fn hosted() -> Value {
    json!({ "label": "hosted", "model": "gpt-4o-mini", "usage": { "input_tokens": 1000, "output_tokens": 300 } })
}

fn self_run() -> Value {
    json!({
        "label": "self-run", "kind": "serving", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 1, "price_per_gpu_hour": "2.50" },
        "traffic": { "input_tokens": 1000, "output_tokens": 300, "requests_per_month": 1000 },
    })
}

fn asked(from: f64, to: f64, steps: u64) -> Value {
    json!({
        "a": hosted(), "b": self_run(),
        "pointer": { "a": "/calls", "b": "/traffic/requests_per_month" },
        "range": { "from": from, "to": to, "steps": steps, "scale": "log" },
    })
}

fn money(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Whether `a` is cheaper at each of the values, by two sweeps.
async fn walked(request: &Value, values: &[f64]) -> Vec<(f64, bool)> {
    let mut amounts = Vec::new();
    for (side, pointer) in [("a", "/calls"), ("b", "/traffic/requests_per_month")] {
        let sweep = json!({ "request": request[side], "pointer": pointer, "values": values });
        let series = answered("/sweep", &sweep).await;
        let points = series["points"].as_array().unwrap().iter();
        amounts.push(points.map(|point| money(&point["total"]["amount"])).collect::<Vec<_>>());
    }
    values.iter().enumerate().map(|(at, value)| (*value, amounts[0][at] < amounts[1][at])).collect()
}

#[tokio::test]
async fn crossings_lie_where_a_walk_changes_sides() {
    let request = asked(1e5, 1e9, 31);
    let found = answered(PATH, &request).await;
    let crossings = found["crossings"].as_array().unwrap();
    assert!(!crossings.is_empty(), "{found:#}");
    // A finer walk than the points that the crossings were looked for from.
    let values: Vec<f64> =
        (0..400).map(|at| 10_f64.powf(5.0 + 4.0 * f64::from(at) / 399.0).round()).collect();
    let side = |at: f64| {
        let before = crossings.iter().rfind(|crossing| crossing["value"].as_f64().unwrap() <= at);
        before.map_or(&found["verdict"]["cheaper_first"], |crossing| &crossing["cheaper_after"]) == "a"
    };
    for (value, a_is_cheaper) in walked(&request, &values).await {
        assert_eq!(side(value), a_is_cheaper, "{value} {:#}", found["crossings"]);
    }
    for crossing in crossings {
        let ends = [&crossing["between"][0], &crossing["between"][1]].map(|end| end.as_f64().unwrap());
        assert!(ends[1] - ends[0] <= 1.0, "{crossing}");
        let sides = walked(&request, &ends).await;
        assert_eq!(crossing["cheaper_before"] == "a", sides[0].1, "{crossing}");
        assert_ne!(sides[0].1, sides[1].1, "{crossing}");
    }
}

#[tokio::test]
async fn a_replica_more_is_named_as_a_jump() {
    let found = answered(PATH, &asked(1e6, 1e9, 61)).await;
    let crossings = found["crossings"].as_array().unwrap();
    let jumps: Vec<_> = crossings.iter().filter(|crossing| crossing["manner"] == "jump").collect();
    for jump in &jumps {
        assert_eq!(jump["jumps"], json!(["b"]), "{jump}");
        assert!(money(&jump["b"][1]["amount"]) > money(&jump["b"][0]["amount"]), "{jump}");
    }
    let meeting = crossings.iter().find(|crossing| crossing["manner"] == "meeting").unwrap();
    assert_eq!(meeting["cheaper_before"], "a");
    let text = found["verdict"]["text"].as_str().unwrap();
    assert!(text.starts_with("a is cheaper below ") && found["verdict"]["code"] == "crosses", "{text}");
}

#[tokio::test]
async fn what_both_rest_on_is_uncertain_once() {
    let mut request = asked(1e5, 1e8, 21);
    request["a"] = self_run();
    request["b"]["hardware"]["price_per_gpu_hour"] = json!("2.60");
    request["pointer"] = json!("/traffic/requests_per_month");
    let found = answered(PATH, &request).await;
    let point = &found["curves"][20];
    let width = |total: &Value| money(&total["high"]) - money(&total["low"]);
    if point["a"].get("low").is_some() {
        assert!(width(&point["difference"]) < 0.2 * width(&point["a"]), "{point}");
    }
    assert_eq!(
        (&found["verdict"]["code"], &found["verdict"]["cheaper_last"]),
        (&json!("never"), &json!("a"))
    );
}

#[tokio::test]
async fn the_range_of_a_crossing_holds_it() {
    let found = answered(PATH, &asked(1e5, 1e8, 31)).await;
    for crossing in found["crossings"].as_array().unwrap() {
        let at = |field: &str| crossing[field].as_f64();
        let value = at("value").unwrap();
        assert!(at("low").is_none_or(|low| low <= value), "{crossing}");
        assert!(at("high").is_none_or(|high| high >= value), "{crossing}");
    }
}

#[tokio::test]
async fn never_is_an_answer_and_so_is_equal() {
    let mut request =
        json!({ "a": hosted(), "b": hosted(), "pointer": "/calls", "range": { "from": 1, "to": 100 } });
    let equal = answered(PATH, &request).await;
    assert_eq!(equal["verdict"]["code"], "equal");
    assert_eq!((&equal["verdict"]["cheaper_first"], &equal["crossings"]), (&Value::Null, &json!([])));
    request["b"]["usage"]["output_tokens"] = json!(301);
    let never = answered(PATH, &request).await;
    assert_eq!(never["verdict"]["text"], "never: a is cheaper everywhere in the range");
    assert_eq!(never["verdict"]["cheaper_last"], "a");
}

#[tokio::test]
async fn curves_come_as_a_table_and_as_a_picture_too() {
    let mut body = asked(1e5, 1e8, 7);
    body["svg"] = json!(true);
    let found = answered(PATH, &body).await;
    let picture = found["svg"].as_str().unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains("hosted") && !picture.contains("<script"));
    let typed = |media_type: &str| {
        let mut request = json_request(Method::POST, PATH, &body);
        request.headers_mut().insert("accept", media_type.parse().unwrap());
        ask_of(BUILT_IN.clone(), request)
    };
    let drawn = typed("image/svg+xml").await;
    assert_eq!((drawn.header("content-type"), drawn.text()), ("image/svg+xml", picture));
    let table = typed("text/csv").await;
    let lines: Vec<&str> = table.text().split("\r\n").collect();
    assert_eq!(lines[0], "value,currency,a,a_low,a_high,b,b_low,b_high,cheaper,faults");
    assert_eq!(lines.len(), 9);
    assert!(lines[1].starts_with("100000,USD,") && lines[1].ends_with(",a,"), "{}", lines[1]);
}

#[tokio::test]
async fn questions_that_are_none_are_refused() {
    let with = |change: fn(&mut Value)| {
        let mut body = asked(1e5, 1e8, 7);
        change(&mut body);
        body
    };
    for (body, at, code) in [
        (with(|body| body["pointer"]["a"] = json!("/cals/x")), "/pointer/a", "unknown_field"),
        (with(|body| body["pointer"]["b"] = json!("/model")), "/pointer/b", "wrong_type"),
        (with(|body| body["pointer"] = json!("/model")), "/pointer", "wrong_type"),
        (with(|body| body["pointer"] = json!(7)), "/pointer", "wrong_type"),
        (with(|body| body["range"]["to"] = json!(1)), "/range/to", "out_of_range"),
        (with(|body| body["range"]["steps"] = json!(20_000)), "/range/steps", "out_of_range"),
        (with(|body| body["a"]["model"] = json!("gpt-4p")), "/a/model", "unknown_model"),
        (with(|body| body["b"]["hardware"]["gpu"] = json!("h101")), "/b/hardware/gpu", "unknown_gpu"),
        (with(|body| body["a"]["currency"] = json!("EUR")), "/currency", "contradiction"),
        (with(|body| body["currency"] = json!("XXX")), "/a/currency", "unknown_currency"),
        (with(|body| body["colour"] = json!(1)), "/colour", "unknown_field"),
    ] {
        let told = refusal(PATH, &body).await;
        assert_eq!(told[0], fault(at, code)[0], "{body} {told:?}");
    }
    let mut list = asked(1.0, 2.0, 2);
    list.as_object_mut().unwrap().remove("range");
    list["values"] = json!([1, 3, 2]);
    assert_eq!(refusal(PATH, &list).await, fault("/values/2", "out_of_range"));
}

#[tokio::test]
async fn both_are_priced_in_the_currency_that_is_asked_for() {
    let mut body = asked(1e5, 1e8, 3);
    body["a"]["currency"] = json!("EUR");
    body["currency"] = json!("CNY");
    let found = answer(PATH, &body).await;
    assert_eq!(found.status, StatusCode::OK);
    assert_eq!(found.value()["currency"], "CNY");
}

/// The worked example "Buy one HGX H100": U*, months at 0.9 without and with a sale, at 0.7 with one.
#[tokio::test]
async fn an_hgx_h100_pays_when_the_worked_example_says() {
    let buy = json!({
        "kind": "ownership", "as_of": "2025-01-31", "years": 4, "amortization": "annuity",
        "hardware": { "gpu": "h100-sxm5-80gb", "count": 8, "price_each": "31904.625" },
        "server_factor": 1, "network_share": 0.19, "residual_fraction": 0.2, "cost_of_capital": 0.1,
        "contracted_kw_per_gpu": 1.275, "load_factor": 0.75, "power": { "pue": 1.25, "price_per_kwh": "0.0826" },
        "colocation_per_kw_month": "184.06", "maintenance_fraction": 0.03,
        "staff": [{ "label": "operators", "people": 8, "months": 48, "monthly_cost": "33.3333333333" }],
    });
    let sold = json!({ "haircut": 0.15, "decades_per_year": 0.14 });
    for (rent, even, months) in [
        ("6.88", 0.265, [10.0, 2.0, 3.0]),
        ("3.29", 0.555, [23.0, 7.0, 13.0]),
        ("2.99", 0.611, [26.0, 9.0, 17.0]),
        ("2.35", 0.777, [36.0, 16.0, 35.0]),
        ("1.70", 1.07, [59.0, 43.0, 84.0]),
    ] {
        let ways = [(0.9, Value::Null), (0.9, sold.clone()), (0.7, sold.clone())];
        for ((utilization, resale), months) in ways.into_iter().zip(months) {
            let body = json!({ "rent": { "price_per_gpu_hour": rent }, "buy": buy,
                "utilization": utilization, "resale": resale });
            let found = answered(PATH, &body).await;
            let after = found["break_even_months"]["value"].as_f64().unwrap();
            assert!((after - months).abs() <= 1.0, "{rent} {utilization}: {after} {months}");
            let at = found["break_even_utilization"]["value"].as_f64().unwrap();
            assert!((at - even).abs() <= 0.006, "{rent}: {at} {even}");
            // The curves meet where it says.
            let by_month = found["by_month"].as_array().unwrap();
            let ahead = |paid: &&Value| paid["rented"].as_f64().unwrap() >= paid["owned"].as_f64().unwrap();
            if after <= 60.0 {
                let first = by_month.iter().find(ahead).unwrap()["month"].as_f64().unwrap();
                assert!((first - after.ceil()).abs() < 0.5, "{first} {after}");
            } else {
                assert!(by_month.iter().find(ahead).is_none(), "{after}");
            }
        }
    }
}

#[tokio::test]
async fn a_rent_below_what_a_machine_costs_to_run_is_never_broken_even_with() {
    let buy = json!({ "kind": "ownership", "years": 4, "hardware": { "gpu": "h100-sxm5-80gb", "count": 8 } });
    let body =
        json!({ "rent": { "price_per_gpu_hour": "0.30" }, "buy": buy, "utilization": 0.9, "svg": true });
    let found = answered(PATH, &body).await;
    assert_eq!(found["break_even_months"]["value"], Value::Null);
    assert!(found["text"].as_str().unwrap().ends_with("never"), "{}", found["text"]);
    assert!(found["svg"].as_str().unwrap().contains("months"));
    // The catalog's own rent, and a rent that falls: it takes longer.
    let months = |decline: f64| json!({ "rent": { "decline": decline }, "buy": buy, "utilization": 0.9 });
    let (flat, falls) = (answered(PATH, &months(0.0)).await, answered(PATH, &months(0.3)).await);
    let after = |found: &Value| found["break_even_months"]["value"].as_f64().unwrap_or(f64::INFINITY);
    assert!(after(&flat) < after(&falls), "{flat:#}");
    assert!(!flat["refs"].as_array().unwrap().is_empty());
    for (change, at, code) in [
        (json!({ "utilization": 1.5 }), "/utilization", "out_of_range"),
        (json!({ "rent": { "decline": 1 } }), "/rent/decline", "out_of_range"),
        (json!({ "rent": { "provider": "nobody" } }), "/rent/provider", "unknown_provider"),
        (json!({ "months": 0 }), "/months", "out_of_range"),
        (json!({ "buy": hosted() }), "/buy", "wrong_type"),
        (json!({ "resale": { "haircut": 2 } }), "/resale/haircut", "out_of_range"),
    ] {
        let mut body = months(0.0);
        for (field, value) in change.as_object().unwrap() {
            body[field] = value.clone();
        }
        assert_eq!(refusal(PATH, &body).await[0], fault(at, code)[0], "{body}");
    }
}
