//! What holds for every request: laws, tried on random ones.

use farthing::estimate::{estimate, request::EstimateRequest};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    CATALOG,
    ledger::{Printed, audit, sum},
};
use crate::helpers::now;

/// The answer as bytes; the law is about the engine, so the house around it is left out.
fn answer(request: &Value) -> String {
    let parsed = EstimateRequest::parse(request.to_string().as_bytes()).unwrap();
    let catalog = CATALOG.current();
    let quote = estimate(&parsed, &catalog, now()).unwrap_or_else(|faults| panic!("{request}: {faults:?}"));
    serde_json::to_string(&quote).unwrap()
}

fn quote(request: &Value) -> Value {
    let quote = serde_json::from_str(&answer(request)).unwrap();
    audit(&quote);
    quote
}

fn printed(total: &Value) -> Printed {
    Printed::read(total["amount"].as_str().unwrap())
}

/// Models of several vendors, with tiers, factors and other currencies among them.
const MODELS: [&str; 6] =
    ["gpt-4o", "gpt-5.4", "claude-opus-5", "gemini-2.5-pro", "deepseek-v4-pro", "deepseek/deepseek-v4-flash"];

prop_compose! {
    /// A workload that has a price.
    fn workload()(
        model in select(&MODELS[..]),
        fresh in 0_u64..400_000,
        cached in 0_u64..400_000,
        output in 0_u64..1_000_000_000_000,
        calls in 0_u64..1_000_000,
        percent in -100_i64..100,
        adjusted in any::<bool>(),
    ) -> Value {
        let adjustments = if adjusted { json!([{ "label": "x", "percent": percent }]) } else { json!([]) };
        json!({ "model": model, "calls": calls, "adjustments": adjustments,
            "usage": { "input_tokens": fresh + cached, "cache_read_tokens": cached, "output_tokens": output } })
    }
}

fn with(mut workload: Value, name: &str, value: Value) -> Value {
    workload[name] = value;
    workload
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn n_calls_cost_n_times_one(workload in workload(), calls in 0_u64..1_000_000_000) {
        let one = quote(&with(workload.clone(), "calls", json!(1)));
        let many = quote(&with(workload, "calls", json!(calls)));
        let expected = printed(&one["total"]).times(Printed::read(&calls.to_string()));
        prop_assert!(printed(&many["total"]).is(expected), "{calls} x {one:#}\n{many:#}");
    }

    #[test]
    fn the_items_by_themselves_add_up_to_the_whole(items in vec(workload(), 1..8)) {
        let apart: Vec<Value> = items.iter().map(quote).collect();
        let whole = quote(&json!({ "items": items }));
        let total = sum(apart.iter().map(|quote| &quote["total"]));
        prop_assert!(printed(&whole["total"]).is(total));
    }

    #[test]
    fn the_order_of_items_changes_none_of_them(items in vec(workload(), 2..8)) {
        let forth = quote(&json!({ "items": items }));
        let turned: Vec<Value> = items.into_iter().rev().collect();
        let back = quote(&json!({ "items": turned }));
        let lines = |quote: &Value| -> Vec<Value> {
            quote["items"].as_array().unwrap().iter().map(|item| item["lines"].clone()).collect()
        };
        let mut reversed = lines(&back);
        reversed.reverse();
        prop_assert_eq!(lines(&forth), reversed);
        prop_assert_eq!(&forth["total"], &back["total"]);
    }

    #[test]
    fn calls_of_a_sum_cost_what_the_sums_of_calls_cost(workload in workload(), calls in 1_u64..1_000) {
        // The same counts over all calls, told per call and in total, at one tier.
        let per_call = quote(&with(workload.clone(), "calls", json!(calls)));
        let mut total = with(workload.clone(), "calls", json!(calls));
        for count in total["usage"].as_object_mut().unwrap().values_mut() {
            *count = json!(count.as_u64().unwrap() * calls);
        }
        let total = quote(&with(total, "usage_scope", json!("total")));
        prop_assert_eq!(&per_call["total"], &total["total"]);
    }

    /// With every part at the price of its whole, it does not matter how the whole is parted.
    #[test]
    fn parts_partition_the_whole_at_equal_prices(
        whole in 0_u64..1_000_000_000, cuts in proptest::array::uniform3(0_u64..1_000_000_000), price in 1_u32..1_000_000,
    ) {
        let [first, second, third] = cuts.map(|cut| cut % (whole + 1));
        let read = first.min(second);
        let write = whole - first.max(second);
        let hour = third.min(write);
        let rate = json!({ "amount": format!("0.{price:06}") });
        let rates = json!({ "input_tokens": rate, "cache_read_tokens": rate, "cache_write_tokens": rate, "cache_write_1h_tokens": rate });
        let of = |usage: Value| quote(&json!({ "model": "gpt-4o", "usage": usage, "rates": rates }));
        let parted = of(json!({ "input_tokens": whole, "cache_read_tokens": read, "cache_write_tokens": write, "cache_write_1h_tokens": hour }));
        let undivided = of(json!({ "input_tokens": whole }));
        prop_assert_eq!(&parted["total"], &undivided["total"]);
        let quantities = parted["items"][0]["lines"].as_array().unwrap().iter();
        let counted: u64 = quantities.map(|line| line["quantity"].as_str().unwrap().parse::<u64>().unwrap()).sum();
        prop_assert_eq!(counted, whole);
    }

    #[test]
    fn an_answer_is_read_and_written_again_byte_for_byte(workload in workload(), currency in select(&["USD", "EUR", "CNY", "JPY"][..])) {
        let text = answer(&with(with(workload, "currency", json!(currency)), "detail", json!("full")));
        let fields: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        let again = serde_json::to_string(&fields).unwrap();
        // The fields may come back in another order; each byte is there.
        let sorted = |text: &str| { let mut bytes = text.as_bytes().to_vec(); bytes.sort_unstable(); bytes };
        prop_assert_eq!(sorted(&again), sorted(&text));
        audit(&Value::Object(fields));
    }

    #[test]
    fn the_same_question_gets_the_same_bytes(items in vec(workload(), 1..4)) {
        let request = json!({ "as_of": "2026-11-20T02:00:00Z", "catalog_revision": 1, "detail": "full", "currency": "EUR", "items": items });
        prop_assert_eq!(answer(&request), answer(&request));
    }

    #[test]
    fn more_of_anything_never_costs_less(workload in workload(), more in 1_u64..1_000_000) {
        let workload = with(workload, "adjustments", json!([]));
        let mut larger = workload.clone();
        let output = larger["usage"]["output_tokens"].as_u64().unwrap() + more;
        larger["usage"]["output_tokens"] = json!(output);
        let (less, more) = (quote(&workload), quote(&larger));
        prop_assert!(printed(&more["total"]).is_at_least(printed(&less["total"])));
    }
}

#[test]
fn another_time_of_asking_changes_nothing_where_the_request_says_when() {
    let request = json!({ "as_of": "2025-02-20", "model": "deepseek-chat", "usage": { "input_tokens": 7 } });
    let parsed = EstimateRequest::parse(request.to_string().as_bytes()).unwrap();
    let catalog = CATALOG.current();
    let asked_at = |now: &str| {
        serde_json::to_string(&estimate(&parsed, &catalog, now.parse().unwrap()).unwrap()).unwrap()
    };
    assert_eq!(asked_at("2025-01-01T00:00:00Z"), asked_at("2031-07-13T11:11:11Z"));
}
