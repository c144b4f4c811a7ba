//! What is refused, where, and with what to do about it.

use serde_json::{Value, json};

use super::{hgx, refusal, with};

async fn faults(request: &Value) -> Vec<(String, String)> {
    refusal(request).await.into_iter().map(|(pointer, code, _)| (pointer, code)).collect()
}

#[tokio::test]
async fn every_field_that_makes_no_sense_is_named() {
    for (pointer, value, code) in [
        ("/hardware/gpu", json!("h1000"), "unknown_gpu"),
        ("/hardware/count", json!(0), "out_of_range"),
        ("/hardware/count", json!(-1), "out_of_range"),
        ("/hardware/count", json!(1.5), "wrong_type"),
        ("/hardware/count", json!("8"), "wrong_type"),
        ("/hardware/price_each", json!("-1"), "out_of_range"),
        ("/hardware/price_each", json!("cheap"), "out_of_range"),
        ("/hardware/currency", json!("QQQ"), "unknown_currency"),
        ("/hardware/prize_each", json!("1"), "unknown_field"),
        ("/years", json!(0), "out_of_range"),
        ("/years", json!(-4), "out_of_range"),
        ("/years", json!(101), "out_of_range"),
        ("/years", json!({ "low": 0, "mid": 1, "high": 2 }), "out_of_range"),
        ("/start", json!("yesterday"), "wrong_type"),
        ("/start", json!("9998-12-01"), "out_of_range"),
        ("/amortization", json!("sum_of_digits"), "out_of_range"),
        ("/utilization", json!(0), "out_of_range"),
        ("/utilization", json!(1.01), "out_of_range"),
        ("/server_factor", json!(0.5), "out_of_range"),
        ("/network_share", json!(1), "out_of_range"),
        ("/contracted_kw_per_gpu", json!(1e9), "out_of_range"),
        ("/load_factor", json!(1.5), "out_of_range"),
        ("/power/pue", json!(0.9), "out_of_range"),
        ("/power/price_per_kwh", json!("-0.1"), "out_of_range"),
        ("/power/region", json!("atlantis"), "unknown_region"),
        ("/colocation_per_kw_month", json!("-1"), "out_of_range"),
        ("/maintenance_fraction", json!(-0.1), "out_of_range"),
        ("/cost_of_capital", json!(11), "out_of_range"),
        ("/residual_fraction", json!(1.1), "out_of_range"),
        ("/staff/0/people", json!(-1), "out_of_range"),
    ] {
        let request = with(hgx(), [(pointer, value.clone())]);
        let request = if pointer == "/staff/0/people" {
            with(hgx(), [("/staff", json!([{ "label": "a", "people": -1, "monthly_cost": "1" }]))])
        } else {
            request
        };
        assert_eq!(faults(&request).await, [(pointer.to_owned(), code.to_owned())], "{pointer}: {value}");
    }
}

#[tokio::test]
async fn what_has_to_be_said_is_asked_for() {
    let without = |pointer: &str| {
        let mut request = hgx();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        request.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        request
    };
    for pointer in ["/hardware", "/hardware/gpu", "/hardware/count", "/years"] {
        assert_eq!(faults(&without(pointer)).await, [(pointer.to_owned(), "missing_field".to_owned())]);
    }
}

#[tokio::test]
async fn every_fault_is_told_at_once_even_where_nobody_knows_the_part() {
    let asked = [
        ("/hardware/gpu", json!("h1000")),
        ("/hardware/count", json!(0)),
        ("/years", json!(0)),
        ("/power", json!({ "region": "atlantis" })),
    ];
    let request = json!({ "items": [with(hgx(), asked), with(hgx(), [("/utilization", json!(0))])] });
    let told = faults(&request).await;
    for (pointer, code) in [
        ("/items/0/hardware/gpu", "unknown_gpu"),
        ("/items/0/hardware/count", "out_of_range"),
        ("/items/0/years", "out_of_range"),
        ("/items/0/power/region", "unknown_region"),
        ("/items/1/utilization", "out_of_range"),
    ] {
        assert!(told.contains(&(pointer.to_owned(), code.to_owned())), "{pointer}: {told:?}");
    }
    assert_eq!(told.len(), 5, "{told:?}");
}

#[tokio::test]
async fn a_part_that_nobody_sells_is_unpriced_and_not_a_neighbour() {
    let bought = |gpu: &str| json!({ "kind": "ownership", "years": 4, "as_of": "2026-06-01", "hardware": { "gpu": gpu, "count": 8 } });
    let told = refusal(&bought("mi325x-256gb")).await;
    let expected = "no purchase price of `mi325x-256gb` is known: give `price_each`";
    assert_eq!(told, [("/hardware/price_each".to_owned(), "unpriced".to_owned(), expected.to_owned())]);
    let early = with(bought("h100-sxm5-80gb"), [("/as_of", json!("2020-01-01"))]);
    let told = refusal(&early).await;
    assert!(
        told[0].2.contains("the first purchase price of `h100-sxm5-80gb` that is known is of"),
        "{told:?}"
    );
    let mine = with(bought("H100"), [("/hardware/gpu", json!({ "name": "mine" }))]);
    let told = faults(&mine).await;
    assert!(told.contains(&("/hardware".to_owned(), "missing_field".to_owned())), "{told:?}");
}

#[tokio::test]
async fn a_server_is_not_bought_twice() {
    let request = json!({ "kind": "ownership", "years": 4, "as_of": "2026-06-01", "server_factor": 1.6,
        "hardware": { "gpu": "b200-sxm-180gb", "count": 8 } });
    let told = refusal(&request).await;
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("/server_factor", "contradiction"), "{told:?}");
    for sound in [
        json!({ "server_factor": 1 }),
        json!({ "hardware": { "gpu": "B200", "count": 8, "price_each": "30000" } }),
    ] {
        let mut request = request.clone();
        request.as_object_mut().unwrap().extend(sound.as_object().unwrap().clone());
        super::quote(&request).await;
    }
}

#[tokio::test]
async fn hours_so_few_that_none_has_a_price_are_refused() {
    for asked in [
        [("/years", json!(1e-300)), ("/utilization", json!(1e-300))],
        [("/years", json!(1e-5)), ("/utilization", json!(1e-320))],
    ] {
        let told = refusal(&with(hgx(), asked)).await;
        assert_eq!(told[0].1, "out_of_range", "{told:?}");
    }
}
