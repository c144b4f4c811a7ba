//! Counts with a range, and the most that a request can cost.

use serde_json::{Value, json};

use super::{BUILT_IN, amounts, is_refused, ledger::Printed, quote, total, warnings};

fn range(low: u64, mid: u64, high: u64) -> Value {
    json!({ "low": low, "mid": mid, "high": high })
}

fn gpt(usage: &Value, more: &Value) -> Value {
    let mut request = json!({ "model": "gpt-4o", "usage": usage, "detail": "full" });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

/// 2.50 and 10 dollars a million: 0.025 dollars of input and 0.05 of output a call.
#[tokio::test]
async fn calls_with_a_range_give_every_line_and_the_total_theirs() {
    let usage = json!({ "input_tokens": 10_000, "output_tokens": 5_000 });
    let quote = quote(gpt(&usage, &json!({ "calls": range(100, 200, 400) }))).await;
    let totals = |total: &Value| ["low", "amount", "high"].map(|end| total[end].as_str().unwrap().to_owned());
    assert_eq!(totals(&quote["items"][0]["lines"][0]), ["2.50", "5.00", "10.00"]);
    assert_eq!(totals(&quote["items"][0]["lines"][1]), ["5.00", "10.00", "20.00"]);
    assert_eq!(
        totals(&quote["items"][0]["total"]),
        ["7.50", "15.00", "30.00"],
        "the calls are the same calls"
    );
    assert_eq!(totals(&quote["total"]), ["7.50", "15.00", "30.00"]);
    let calls = &quote["items"][0]["lines"][0]["basis"]["inputs"][2];
    assert_eq!(
        (&calls["name"], &calls["low"], &calls["high"]),
        (&json!("calls"), &json!("100"), &json!("400"))
    );
}

#[tokio::test]
async fn the_amount_is_that_of_the_middle_to_the_last_digit() {
    let usage =
        |input: Value| json!({ "input_tokens": input, "cache_read_tokens": 1_001, "output_tokens": 999 });
    let ranged = quote(gpt(&usage(range(8_000, 12_345, 99_999)), &json!({}))).await;
    let known = quote(gpt(&usage(json!(12_345)), &json!({}))).await;
    assert_eq!(amounts(&ranged), amounts(&known));
    assert_eq!(total(&ranged), total(&known));
    let [cached, output] = [1, 2].map(|line| &ranged["items"][0]["lines"][line]);
    assert!(cached["low"].is_null() && output["high"].is_null(), "what is known has no range");
}

#[tokio::test]
async fn what_does_not_hang_together_varies_less_together() {
    let usage = |spread: u64| json!({ "input_tokens": range(10_000 - spread, 10_000, 10_000 + spread), "output_tokens": range(2_500 - spread / 4, 2_500, 2_500 + spread / 4) });
    let wide = quote(gpt(&usage(8_000), &json!({}))).await;
    let narrow = quote(gpt(&usage(4_000), &json!({}))).await;
    let width = |total: &Value| {
        let end = |name: &str| total[name].as_str().unwrap().parse::<f64>().unwrap();
        end("high") - end("low")
    };
    let lines = wide["items"][0]["lines"].as_array().unwrap();
    assert!(width(&wide["total"]) < 0.85 * (width(&lines[0]) + width(&lines[1])));
    assert!(width(&narrow["total"]) < 0.6 * width(&wide["total"]), "half the spread, half the range");
}

#[tokio::test]
async fn a_whole_is_no_less_than_its_parts_in_any_world() {
    let usage =
        json!({ "input_tokens": range(1_000, 2_000, 3_000), "cache_read_tokens": range(900, 1_500, 2_500) });
    let quote = quote(gpt(&usage, &json!({}))).await;
    let low = &quote["items"][0]["lines"][0]["low"];
    assert!(!low.as_str().unwrap().starts_with('-'), "{quote:#}");
}

#[tokio::test]
async fn parts_fit_in_their_wholes_at_each_end() {
    let fits = |input: Value, read: Value| {
        gpt(&json!({ "input_tokens": input, "cache_read_tokens": read }), &json!({}))
    };
    let low = fits(range(100, 1_000, 1_000), json!(500));
    is_refused(low, "/usage/cache_read_tokens", "part_exceeds_whole").await;
    let high = fits(json!(1_000), range(500, 500, 1_001));
    is_refused(high, "/usage/cache_read_tokens", "part_exceeds_whole").await;
    quote(fits(range(100, 1_000, 1_000), range(100, 500, 1_000))).await;
}

#[tokio::test]
async fn a_meter_that_may_be_used_needs_a_price() {
    let usage = json!({ "input_tokens": 1, "input_pages": range(0, 0, 3) });
    is_refused(gpt(&usage, &json!({})), "/usage/input_pages", "unpriced").await;
}

#[tokio::test]
async fn a_meter_that_is_used_only_at_worst_has_a_line_of_nothing_with_a_range() {
    let quote =
        quote(gpt(&json!({ "input_tokens": 1_000, "output_tokens": range(0, 0, 1_000) }), &json!({}))).await;
    let line = &quote["items"][0]["lines"][1];
    assert_eq!(
        (&line["code"], &line["amount"], &line["high"]),
        (&json!("output_tokens"), &json!("0.00"), &json!("0.01"))
    );
}

/// Gemini 2.5 Pro charges twice as much from 200,000 tokens on.
#[tokio::test]
async fn a_range_on_both_sides_of_a_tier_is_a_doubt() {
    let of = |input: Value| json!({ "model": "google/gemini-2.5-pro", "usage": { "input_tokens": input } });
    let straddling = quote(of(range(150_000, 190_000, 210_000))).await;
    assert_eq!(
        (warnings(&straddling), amounts(&straddling)),
        (vec!["tier_straddled"], vec![("input_tokens", "0.2375")])
    );
    assert_eq!(warnings(&quote(of(range(150_000, 190_000, 200_000))).await), Vec::<&str>::new());
    let total = json!({ "model": "google/gemini-2.5-pro", "usage_scope": "total", "usage": { "input_tokens": 1_900_000 }, "calls": range(5, 10, 20) });
    assert_eq!(warnings(&quote(total).await), ["tier_straddled", "tier_from_mean"]);
}

#[tokio::test]
async fn sums_over_all_calls_do_not_grow_with_the_calls() {
    let usage = json!({ "input_tokens": 1_000_000 });
    let quote = quote(gpt(&usage, &json!({ "usage_scope": "total", "calls": range(10, 20, 30) }))).await;
    assert!(quote["total"]["low"].is_null(), "{quote:#}");
    let none = gpt(&usage, &json!({ "usage_scope": "total", "calls": range(0, 20, 30) }));
    is_refused(none, "/calls", "contradiction").await;
}

#[tokio::test]
async fn ranges_are_in_order_and_complete() {
    let of = |input: Value| gpt(&json!({ "input_tokens": input }), &json!({}));
    is_refused(of(range(3, 2, 4)), "/usage/input_tokens", "out_of_range").await;
    is_refused(of(json!({ "low": 1, "mid": 2, "high": 1e16 })), "/usage/input_tokens", "out_of_range").await;
    is_refused(of(json!({ "low": 1, "mid": 2 })), "/usage/input_tokens/high", "missing_field").await;
    is_refused(of(json!([1, 2, 3])), "/usage/input_tokens", "out_of_range").await;
    let calls = json!({ "calls": range(5, 4, 9) });
    is_refused(gpt(&json!({ "input_tokens": 1 }), &calls), "/calls", "out_of_range").await;
}

#[tokio::test]
async fn adjustments_and_modifiers_carry_the_range() {
    let request = json!({ "model": "claude-opus-4-6", "usage": { "input_tokens": 1_000_000 }, "calls": range(1, 2, 4),
        "context": { "inference_geo": "us" }, "adjustments": [{ "label": "half off", "percent": -50 }] });
    let quote = quote(request).await;
    let item = &quote["items"][0];
    let end = |total: &Value, name: &str| total[name].as_str().unwrap().parse::<f64>().unwrap();
    for total in item["lines"].as_array().unwrap().iter().chain([&item["list_total"], &item["total"]]) {
        let (low, high) = (end(total, "low").abs(), end(total, "high").abs());
        let (low, high) = (low.min(high), low.max(high));
        let amount = end(total, "amount").abs();
        assert!((low / amount - 0.5).abs() < 1e-6 && (high / amount - 2.0).abs() < 1e-6, "{total:#}");
    }
}

#[tokio::test]
async fn a_maximum_of_output_gives_a_bound_and_no_output() {
    let without =
        quote(gpt(&json!({ "input_tokens": 12_000 }), &json!({ "max_output_tokens": 1_000, "calls": 10 })))
            .await;
    assert_eq!((total(&without), &without["upper_bound"]), ("0.30", &json!("0.40")));
    assert_eq!(warnings(&without), ["output_not_counted"]);
    let usage = json!({ "input_tokens": 12_000, "output_tokens": 100 });
    let with = quote(gpt(&usage, &json!({ "max_output_tokens": 1_000 }))).await;
    assert_eq!((total(&with), &with["items"][0]["upper_bound"]), ("0.031", &json!("0.04")));
    assert_eq!(warnings(&with), Vec::<&str>::new());
    let sums = json!({ "usage_scope": "total", "calls": 10, "max_output_tokens": 1_000 });
    let sums = quote(gpt(&json!({ "input_tokens": 120_000, "output_tokens": 9_999 }), &sums)).await;
    assert_eq!(sums["upper_bound"], "0.40");
}

#[tokio::test]
async fn a_bound_takes_the_dearer_of_output_and_reasoning() {
    let rates = json!({ "output_tokens": { "amount": 1 }, "output_reasoning_tokens": { "amount": 3 } });
    let usage = json!({ "input_tokens": 0, "output_tokens": 100 });
    let quote = quote(gpt(&usage, &json!({ "rates": rates, "max_output_tokens": 1_100 }))).await;
    assert_eq!(quote["upper_bound"], "0.0031"); // 100 at 1 dollar a million, 1,000 at 3
}

/// By hand: 1,010, 1,220 and 1,430 tokens in where every reply is 200 long.
#[tokio::test]
async fn the_bound_of_a_conversation_grows_with_its_replies() {
    let conversation = json!({ "turns": 3, "system_tokens": 1_000, "user_tokens": 10, "reply_tokens": 100 });
    let quote =
        quote(json!({ "model": "gpt-4o", "conversation": conversation, "max_output_tokens": 200 })).await;
    assert_eq!((total(&quote), &quote["upper_bound"]), ("0.0114", &json!("0.01515")));
}

#[tokio::test]
async fn a_bound_is_of_counts_at_their_p90() {
    let more = json!({ "calls": range(1, 2, 3), "max_output_tokens": 1_000 });
    let quote = quote(gpt(&json!({ "input_tokens": range(0, 12_000, 20_000) }), &more)).await;
    assert_eq!(quote["upper_bound"], "0.18"); // three times 0.05 and 0.01
}

#[tokio::test]
async fn the_whole_is_bounded_where_every_item_is() {
    let bounded =
        json!({ "model": "gpt-4o", "usage": { "input_tokens": 12_000 }, "max_output_tokens": 1_000 });
    let open = json!({ "model": "gpt-4o", "usage": { "input_tokens": 12_000 } });
    let both = quote(json!({ "items": [bounded, bounded] })).await;
    assert_eq!(both["upper_bound"], "0.08");
    let one = quote(json!({ "items": [bounded, open] })).await;
    assert!(one["upper_bound"].is_null());
}

#[tokio::test]
async fn no_call_writes_more_than_it_may() {
    let of = |output: Value, more: Value| gpt(&json!({ "input_tokens": 1, "output_tokens": output }), &more);
    let most = json!({ "max_output_tokens": 10 });
    is_refused(of(json!(11), most.clone()), "/max_output_tokens", "contradiction").await;
    is_refused(of(range(1, 2, 11), most.clone()), "/max_output_tokens", "contradiction").await;
    quote(of(json!(10), most)).await;
    let sums = json!({ "max_output_tokens": 10, "usage_scope": "total", "calls": 2 });
    is_refused(of(json!(21), sums.clone()), "/max_output_tokens", "contradiction").await;
    quote(of(json!(20), sums)).await;
    let response = json!({ "response": { "model": "gpt-4o", "usage": { "prompt_tokens": 1, "completion_tokens": 11 } } });
    is_refused(
        json!({ "usage_from": response, "max_output_tokens": 10 }),
        "/max_output_tokens",
        "contradiction",
    )
    .await;
}

#[tokio::test]
async fn a_maximum_of_what_has_no_price_is_at_fault_itself() {
    let request =
        json!({ "model": "text-embedding-3-small", "usage": { "input_tokens": 5 }, "max_output_tokens": 5 });
    is_refused(request, "/max_output_tokens", "unpriced").await;
}

#[tokio::test]
async fn huge_counts_are_answered() {
    let request = gpt(
        &json!({ "input_tokens": range(0, 1_000_000_000_000_000, 1_000_000_000_000_000) }),
        &json!({ "calls": range(0, 1, 1_000_000_000_000_000), "max_output_tokens": 1e15, "period": { "from": "2026-01-01", "to": "2030-12-31" } }),
    );
    let quote = quote(request).await;
    assert!(Printed::read(quote["upper_bound"].as_str().unwrap()).is_at_least(Printed::read(total(&quote))));
    let sums = gpt(
        &json!({ "input_tokens": 1 }),
        &json!({ "calls": 1e15, "usage_scope": "total", "max_output_tokens": 1e15 }),
    );
    let faults = BUILT_IN.refusal(sums).await;
    assert_eq!(faults, [("/max_output_tokens".to_owned(), "out_of_range".to_owned())]);
}
