//! Usage over a period: on every price in force in between, and nothing lost.

use farthing::estimate::{estimate, request::EstimateRequest};
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    BUILT_IN, CATALOG, amounts, is_refused,
    ledger::{Printed, audit, sum},
    quantities, quote, total, warnings,
};
use crate::helpers::now;

const DEEPSEEK: &str = "deepseek/deepseek-chat";

fn million_of_each(period: &Value) -> Value {
    json!({ "model": DEEPSEEK, "period": period,
        "usage": { "input_tokens": 2_000_000, "cache_read_tokens": 1_000_000, "output_tokens": 1_000_000 } })
}

fn span(from: &str, to: &str) -> Value {
    json!({ "from": from, "to": to })
}

/// The quote by the engine itself: the house around it is left out.
fn priced(request: &Value) -> Value {
    let parsed = EstimateRequest::parse(request.to_string().as_bytes()).unwrap();
    let catalog = CATALOG.current();
    let quote = estimate(&parsed, &catalog, now()).unwrap_or_else(|faults| panic!("{request}: {faults:?}"));
    let quote = serde_json::to_value(&quote).unwrap();
    audit(&quote);
    quote
}

/// The price of V3 rose on 2025-02-08 at 16:00 UTC: of four days before and four after at half price each, by hand:
/// half a million at 0.14 and at 0.27, at 0.014 and at 0.07, at 0.28 and at 1.10.
#[tokio::test]
async fn a_period_across_a_change_of_price_is_charged_at_both() {
    let quote = quote(million_of_each(&span("2025-02-04T16:00:00Z", "2025-02-12T16:00:00Z"))).await;
    assert_eq!(
        amounts(&quote),
        [
            ("input_tokens", "0.07"),
            ("cache_read_tokens", "0.007"),
            ("output_tokens", "0.14"),
            ("input_tokens#2", "0.135"),
            ("cache_read_tokens#2", "0.035"),
            ("output_tokens#2", "0.55"),
        ]
    );
    assert_eq!(quantities(&quote)[0], ("input_tokens", "500000"));
    assert_eq!(total(&quote), "0.937");
    let item = &quote["items"][0];
    assert_eq!(item["period"], json!({ "from": "2025-02-04T16:00:00Z", "to": "2025-02-12T16:00:00Z" }));
    assert_eq!(item["by_month"], json!([{ "month": "2025-02", "total": { "amount": "0.937" } }]));
    assert!(item["as_of"].is_null());
}

/// From March 2025 on, 8 hours of 24 were off-peak, at half price. Midnight UTC is in the last of them.
#[tokio::test]
async fn a_daily_window_gets_its_share_of_the_day() {
    let quote = quote(million_of_each(&span("2025-03-01", "2025-03-31"))).await;
    let lines = quantities(&quote);
    assert_eq!(
        (lines[0], lines[3]),
        (("input_tokens", "333333.333333333"), ("input_tokens#2", "666666.666666667"))
    );
    assert_eq!(warnings(&quote), ["rounded"]);
}

/// All usage in the eight hours of the discount, which are those of the Shanghai night from half past midnight: of
/// hours 1 to 7 and half of 0 and 8.
#[tokio::test]
async fn hour_weights_decide_what_falls_in_the_window() {
    let mut weights = [0; 24];
    weights[1..8].fill(1);
    let period = json!({ "from": "2025-03-01", "to": "2025-03-31", "hour_weights": weights, "time_zone": "Asia/Shanghai" });
    let night = quote(million_of_each(&period)).await;
    assert_eq!(
        amounts(&night),
        [("input_tokens", "0.135"), ("cache_read_tokens", "0.035"), ("output_tokens", "0.55")]
    );
    let mut weights = [0.0; 24];
    weights[0] = 0.5; // its second half is in the window
    weights[12] = 0.25;
    let period = json!({ "from": "2025-03-01", "to": "2025-03-31", "hour_weights": weights, "time_zone": "Asia/Shanghai" });
    let mixed = quote(million_of_each(&period)).await;
    assert_eq!(quantities(&mixed)[0], ("input_tokens", "666666.666666667")); // a quarter each at noon and just after midnight
    assert_eq!(quantities(&mixed)[3], ("input_tokens#2", "333333.333333333"));
}

/// V4 Flash at its peak price on working days, 9 to 12 and 14 to 18 in Shanghai, and not on holidays: in the week of
/// National Day 2026, of which 1 to 7 October are free, nothing is at the peak.
#[tokio::test]
async fn weekdays_and_holidays_are_those_of_the_calendar() {
    let at_peak = |from: &str, to: &str| {
        let request = json!({ "model": "deepseek/deepseek-flash", "currency": "USD", "period": span(from, to), "usage": { "input_tokens": 168_000 } });
        let quote = priced(&request);
        let lines = quote["items"][0]["lines"].as_array().unwrap();
        let peak = lines.iter().find(|line| line["unit_price"] == "0.30");
        peak.map(|line| line["quantity"].as_str().unwrap().to_owned())
    };
    // Five working days of seven hours, of the week's 168 hours.
    assert_eq!(at_peak("2026-11-02", "2026-11-09").as_deref(), Some("35000"));
    assert_eq!(at_peak("2026-10-01", "2026-10-08"), None);
}

#[tokio::test]
async fn a_period_of_one_price_costs_what_an_instant_does_to_the_last_byte() {
    let usage = json!({ "input_tokens": 12_345, "cache_read_tokens": 4_321, "output_tokens": 987 });
    for model in ["gpt-4o", "claude-opus-5", "deepseek/deepseek-reasoner"] {
        let at = json!({ "model": model, "usage": usage, "calls": 77, "as_of": "2025-02-20", "allow_fallback": true });
        let over = json!({ "model": model, "usage": usage, "calls": 77, "period": span("2025-02-20", "2025-02-23") });
        let (at, over) = (quote(at).await, quote(over).await);
        assert_eq!(at["items"][0]["lines"], over["items"][0]["lines"], "{model}");
        assert_eq!(at["total"], over["total"]);
    }
}

#[tokio::test]
async fn months_are_those_of_the_zone_and_add_up() {
    let mut request =
        million_of_each(&json!({ "from": "2025-02-20", "to": "2025-05-10", "time_zone": "Asia/Shanghai" }));
    request["adjustments"] =
        json!([{ "label": "discount", "percent": "-12.5" }, { "label": "VAT", "percent": 19 }]);
    let quote = quote(request).await;
    let months = quote["items"][0]["by_month"].as_array().unwrap();
    let names: Vec<&str> = months.iter().map(|month| month["month"].as_str().unwrap()).collect();
    assert_eq!(names, ["2025-02", "2025-03", "2025-04", "2025-05"]);
    assert!(sum(months.iter().map(|month| &month["total"])).is(Printed::read(total(&quote))));
}

#[tokio::test]
async fn time_without_a_price_is_named() {
    let errors = BUILT_IN.errors(million_of_each(&span("2024-12-20", "2025-01-10"))).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((&errors[0]["pointer"], &errors[0]["code"]), (&json!("/period"), &json!("not_in_force")));
    let detail = errors[0]["detail"].as_str().unwrap();
    assert!(detail.contains("from 2024-12-20T00:00:00Z to 2024-12-26T00:00:00Z"), "{detail}");
}

#[tokio::test]
async fn time_without_a_price_needs_none_where_own_prices_cover_the_usage() {
    let mut request = million_of_each(&span("2024-12-20", "2025-01-10"));
    let rate = json!({ "amount": "1" });
    request["rates"] = json!({ "input_tokens": rate, "cache_read_tokens": rate, "output_tokens": rate });
    let quote = quote(request).await;
    assert_eq!(total(&quote), "3.00");
}

#[tokio::test]
async fn another_currency_is_changed_at_the_day_in_the_middle_of_each_price() {
    let mut request = million_of_each(&span("2025-02-04T16:00:00Z", "2025-02-12T16:00:00Z"));
    request["currency"] = json!("EUR");
    let quote = quote(request).await;
    let lines = quote["items"][0]["lines"].as_array().unwrap();
    let days: Vec<&str> = lines.iter().map(|line| line["fx"]["date"].as_str().unwrap()).collect();
    assert_eq!(days, ["2025-02-06", "2025-02-06", "2025-02-06", "2025-02-10", "2025-02-10", "2025-02-10"]);
}

#[tokio::test]
async fn a_period_is_in_order_not_too_long_and_says_when_alone() {
    let of = |period: Value| million_of_each(&period);
    is_refused(of(span("2025-03-01", "2025-02-01")), "/period/to", "out_of_range").await;
    is_refused(of(span("2025-03-01", "2025-03-01")), "/period/to", "out_of_range").await;
    is_refused(of(span("2025-03-01", "2031-03-01")), "/period", "out_of_range").await;
    is_refused(of(json!({ "from": "2025-03-01" })), "/period/to", "missing_field").await;
    is_refused(of(json!({ "from": "2025-03-01", "to": "soon" })), "/period/to", "wrong_type").await;
    let mut both = of(span("2025-03-01", "2025-04-01"));
    both["as_of"] = json!("2025-03-01");
    is_refused(both.clone(), "/period", "contradiction").await;
    is_refused(json!({ "items": [both] }), "/items/0/period", "contradiction").await;
    let zone = json!({ "from": "2025-03-01", "to": "2025-04-01", "time_zone": "Europe/Atlantis" });
    is_refused(of(zone), "/period/time_zone", "out_of_range").await;
}

#[tokio::test]
async fn an_instant_of_the_whole_request_gives_way_to_an_items_period() {
    let item = million_of_each(&span("2025-03-01", "2025-03-02"));
    let with = quote(json!({ "as_of": "2025-06-01", "items": [item] })).await;
    assert_eq!(with["items"][0]["period"]["to"], "2025-03-02T00:00:00Z");
}

#[tokio::test]
async fn hour_weights_are_24_and_not_all_nothing() {
    let of = |weights: Value| {
        million_of_each(&json!({ "from": "2025-03-01", "to": "2025-04-01", "hour_weights": weights }))
    };
    is_refused(of(json!(vec![1; 23])), "/period/hour_weights", "out_of_range").await;
    is_refused(of(json!(vec![1; 25])), "/period/hour_weights", "out_of_range").await;
    is_refused(of(json!([])), "/period/hour_weights", "out_of_range").await;
    is_refused(of(json!(vec![0; 24])), "/period/hour_weights", "out_of_range").await;
    for bad in [json!(-1), json!("1000000.5"), json!("0.0000001"), json!("1e3")] {
        let mut weights = vec![json!(1); 24];
        weights[5] = bad.clone();
        let faults = BUILT_IN.refusal(of(json!(weights))).await;
        assert_eq!(faults[0].0, "/period/hour_weights/5", "{bad}");
    }
    // Weight only at hours that the period does not have.
    let mut weights = [0; 24];
    weights[20] = 1;
    let period =
        json!({ "from": "2025-03-01T00:00:00Z", "to": "2025-03-01T05:00:00Z", "hour_weights": weights });
    is_refused(million_of_each(&period), "/period/hour_weights", "out_of_range").await;
}

#[test]
fn five_years_of_daily_windows_and_weighted_hours_are_quoted_at_once() {
    let weights: Vec<u32> = (0..24).map(|hour| hour % 7).collect();
    let period = json!({ "from": "2026-09-11", "to": "2031-09-11", "hour_weights": weights, "time_zone": "Europe/Berlin" });
    let request = json!({ "model": "deepseek/deepseek-flash", "period": period, "usage": { "input_tokens": 1e15 }, "calls": 1e15 });
    let quote = priced(&request);
    assert_eq!(quote["items"][0]["lines"].as_array().unwrap().len(), 2);
    assert_eq!(quote["items"][0]["by_month"].as_array().unwrap().len(), 61);
    assert!(quote["items"][0]["warnings"].to_string().contains("calendar_not_covering"));
}

fn at(minutes: i64) -> Timestamp {
    "2025-02-01T00:00:00Z".parse::<Timestamp>().unwrap().checked_add(minutes.minutes()).unwrap()
}

/// Usage of so many tokens a minute between two minutes.
fn minutes(from: i64, to: i64, per_minute: u64, more: &Value) -> Value {
    let count = per_minute * u64::try_from(to - from).unwrap();
    let mut period = json!({ "from": at(from).to_string(), "to": at(to).to_string() });
    period.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "model": DEEPSEEK, "period": period, "usage": { "input_tokens": 2 * count, "cache_read_tokens": count, "output_tokens": count } })
}

fn amount(quote: &Value) -> Printed {
    Printed::read(total(quote))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Across the rise of February 2025 and the off-peak hours from the 26th on, whose edges are on half hours.
    #[test]
    fn a_period_costs_what_its_hours_do(start in 0_i64..900, hours in 1_i64..24, odd in 0_i64..60, per_minute in 1_u64..1_000_000) {
        let from = start * 60 + odd;
        let whole = priced(&minutes(from, from + hours * 60, per_minute, &json!({})));
        let parts = (0..hours).map(|hour| minutes(from + hour * 60, from + (hour + 1) * 60, per_minute, &json!({})));
        let parts = parts.map(|request| amount(&priced(&request))).fold(Printed::read("0"), Printed::plus);
        prop_assert!(amount(&whole).is(parts), "{whole:#}");
    }

    #[test]
    fn a_period_costs_the_same_however_it_is_divided(start in 0_i64..40_000, cuts in proptest::collection::vec(1_i64..4_000, 1..6), per_minute in 1_u64..1_000_000) {
        let mut ends = vec![start];
        ends.extend(cuts.iter().scan(start, |end, cut| { *end += cut; Some(*end) }));
        let whole = priced(&minutes(start, *ends.last().unwrap(), per_minute, &json!({})));
        let parts = ends.windows(2).map(|ends| minutes(ends[0], ends[1], per_minute, &json!({})));
        let parts = parts.map(|request| amount(&priced(&request))).fold(Printed::read("0"), Printed::plus);
        prop_assert!(amount(&whole).is(parts), "{whole:#}");
    }

    /// By an oracle that asks for the price at each half hour: no card changes in between.
    #[test]
    fn a_period_is_charged_at_the_price_of_each_half_hour(start in 0_i64..1_800, half_hours in 1_i64..60, weights in proptest::array::uniform24(0_u64..4)) {
        prop_assume!((start..start + half_hours).any(|half| weights[usize::try_from(half / 2 % 24).unwrap()] > 0));
        let weight_of = |half: i64| weights[usize::try_from(half / 2 % 24).unwrap()];
        let all: u64 = (start..start + half_hours).map(weight_of).sum();
        let count = all * 1_000_000;
        let period = json!({ "from": at(start * 30).to_string(), "to": at((start + half_hours) * 30).to_string(), "hour_weights": weights });
        let usage = |count: u64| json!({ "input_tokens": 2 * count, "cache_read_tokens": count, "output_tokens": count });
        let whole = priced(&json!({ "model": DEEPSEEK, "period": period, "usage": usage(count) }));
        let apart = (start..start + half_hours).map(|half| {
            priced(&json!({ "model": DEEPSEEK, "as_of": at(half * 30).to_string(), "usage": usage(weight_of(half) * 1_000_000) }))
        });
        let apart = apart.map(|quote| amount(&quote)).fold(Printed::read("0"), Printed::plus);
        prop_assert!(amount(&whole).is(apart), "{whole:#}");
    }
}
