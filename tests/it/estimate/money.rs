//! Money: own prices, discounts and taxes, other currencies, sums.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{BUILT_IN, Desk, amounts, column, is_refused, quote, total, warnings};
use crate::helpers::snapshot;

/// The small catalog of the tests: a euro is exactly 1.25 dollars there.
static SMALL: LazyLock<Desk> = LazyLock::new(|| Desk::of(snapshot()));

fn a_million(model: &str, more: &Value) -> Value {
    let mut request = json!({ "model": model, "usage": { "input_tokens": 1_000_000 } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test]
async fn an_own_price_wins_over_the_list_for_its_meter_alone() {
    let request = json!({ "model": "gpt-4o", "rates": { "input_tokens": { "amount": "2.00", "per": 1_000_000 } },
        "usage": { "input_tokens": 1_000_000, "output_tokens": 1_000_000 }, "detail": "full" });
    let quote = quote(request).await;
    assert_eq!(amounts(&quote), [("input_tokens", "2.00"), ("output_tokens", "10.00")]);
    let lines = &quote["items"][0]["lines"];
    assert_eq!(lines[0]["refs"], json!([]));
    let rate = |line: &Value| {
        let inputs = line["basis"]["inputs"].as_array().unwrap();
        inputs.iter().find(|input| input["name"] == "rate").unwrap()["origin"].clone()
    };
    assert_eq!((rate(&lines[0]), rate(&lines[1])), (json!("request"), json!("catalog")));
}

#[tokio::test]
async fn an_own_price_is_for_the_customary_quantity_unless_it_says_another() {
    let price = |rate: Value| a_million("gpt-4o", &json!({ "rates": { "input_tokens": rate } }));
    assert_eq!(total(&quote(price(json!({ "amount": 3 }))).await), "3.00");
    assert_eq!(total(&quote(price(json!({ "amount": "0.003", "per": 1_000 }))).await), "3.00");
}

#[tokio::test]
async fn an_own_price_may_be_in_a_currency_of_its_own() {
    let rates = json!({ "input_tokens": { "amount": "2.00", "currency": "EUR" } });
    let quote = SMALL.quote(a_million("gpt-4o", &json!({ "rates": rates }))).await;
    assert_eq!(total(&quote), "2.50");
    assert_eq!(quote["items"][0]["lines"][0]["fx"]["from"], "EUR");
}

#[tokio::test]
async fn own_prices_for_all_that_is_used_need_no_list_in_force() {
    let rates = json!({ "input_tokens": { "amount": "1" } });
    assert_eq!(total(&quote(a_million("deepseek-chat", &json!({ "rates": rates }))).await), "1.00");
}

#[tokio::test]
async fn own_prices_for_some_of_it_do_not_stand_in_for_a_list() {
    let request = json!({ "model": "deepseek-chat", "rates": { "input_tokens": { "amount": "1" } },
        "usage": { "input_tokens": 1, "output_tokens": 1 } });
    is_refused(request, "/as_of", "not_in_force").await;
}

#[tokio::test]
async fn an_own_price_of_the_whole_leaves_the_parts_at_the_list() {
    let request = json!({ "model": "gpt-4o", "rates": { "input_tokens": { "amount": "2" } },
        "usage": { "input_tokens": 2_000_000, "cache_read_tokens": 1_000_000 } });
    assert_eq!(amounts(&quote(request).await), [("input_tokens", "2.00"), ("cache_read_tokens", "1.25")]);
}

#[tokio::test]
async fn a_factor_does_not_act_on_own_prices() {
    let more = json!({ "rates": { "input_tokens": { "amount": "2" } }, "context": { "residency": "us" } });
    assert_eq!(total(&quote(a_million("claude-opus-5", &more)).await), "2.00");
}

#[tokio::test]
async fn adjustments_apply_in_order_each_to_the_total_so_far() {
    let adjustments = json!([
        { "label": "enterprise discount", "percent": "-12" },
        { "label": "VAT", "percent": 19 },
    ]);
    let request =
        json!({ "model": "gpt-4o", "usage": { "output_tokens": 1_000_000 }, "adjustments": adjustments });
    let quote = quote(request).await;
    let expected = [("output_tokens", "10.00"), ("adjustment", "-1.20"), ("adjustment#2", "1.672")];
    assert_eq!(amounts(&quote), expected);
    let item = &quote["items"][0];
    assert_eq!(
        (&item["list_total"]["amount"], &item["total"]["amount"]),
        (&json!("10.00"), &json!("10.472"))
    );
    assert_eq!(item["lines"][1]["description"], "enterprise discount");
}

#[tokio::test]
async fn the_list_total_of_all_counts_items_without_adjustments_as_they_are() {
    let adjusted = a_million("gpt-4o", &json!({ "adjustments": [{ "label": "half", "percent": -50 }] }));
    let quote = quote(json!({ "items": [adjusted, a_million("gpt-4o", &json!({}))] })).await;
    assert_eq!(quote["list_total"]["amount"], "5.00");
    assert_eq!(total(&quote), "3.75");
}

#[tokio::test]
async fn without_adjustments_there_is_no_list_total() {
    let quote = quote(a_million("gpt-4o", &json!({}))).await;
    assert!(quote.get("list_total").is_none() && quote["items"][0].get("list_total").is_none());
}

#[tokio::test]
async fn items_are_added_up_by_the_values_of_a_tag() {
    let of = |team: &str| a_million("gpt-4o", &json!({ "tags": { "team": team, "stage": "dev" } }));
    let request = json!({ "group_by": "team",
        "items": [of("search"), of("chat"), of("search"), a_million("gpt-4o", &json!({}))] });
    let quote = quote(request).await;
    let expected =
        json!({ "": { "amount": "2.50" }, "chat": { "amount": "2.50" }, "search": { "amount": "5.00" } });
    assert_eq!(quote["groups"], expected);
}

#[tokio::test]
async fn a_list_in_the_currency_of_the_answer_is_used_as_it_stands() {
    let more = json!({ "currency": "CNY", "as_of": "2025-02-20" });
    let quote = quote(a_million("deepseek-reasoner", &more)).await;
    assert_eq!(total(&quote), "4.00");
    assert!(quote["items"][0]["lines"][0]["fx"].is_null());
    assert_eq!(warnings(&quote), [""; 0]);
}

/// The European Central Bank's reference rate of 2025-02-20: 1.0443 dollars for a euro.
#[tokio::test]
async fn another_currency_is_converted_from_dollars_at_the_rate_of_the_day() {
    let more = json!({ "currency": "EUR", "as_of": "2025-02-20" });
    let quote = quote(a_million("deepseek-reasoner", &more)).await;
    assert_eq!(total(&quote), "0.526668581825"); // 0.55 / 1.0443 = 0.5266685818251...
    let expected =
        json!({ "from": "USD", "to": "EUR", "rate": "0.957579239682", "date": "2025-02-20", "age_days": 0 });
    assert_eq!(quote["items"][0]["lines"][0]["fx"], expected);
    assert_eq!(quote["items"][0]["lines"][0]["price_currency"], "USD");
    assert_eq!(warnings(&quote), ["fx_converted"]);
}

async fn fx(as_of: &str) -> (String, i64) {
    let quote = quote(a_million("gpt-4o", &json!({ "currency": "EUR", "as_of": as_of }))).await;
    let fx = &quote["items"][0]["lines"][0]["fx"];
    (fx["date"].as_str().unwrap().to_owned(), fx["age_days"].as_i64().unwrap())
}

#[tokio::test]
async fn a_weekend_takes_the_rate_of_friday_and_says_how_old_it_is() {
    assert_eq!(fx("2025-02-22T12:00:00Z").await, ("2025-02-21".to_owned(), 1));
    assert_eq!(fx("2025-02-23T23:59:59Z").await, ("2025-02-21".to_owned(), 2));
    assert_eq!(fx("2025-02-24T00:00:00Z").await, ("2025-02-24".to_owned(), 0));
}

#[tokio::test]
async fn after_the_last_rate_it_stays_and_ages() {
    assert_eq!(fx("2026-11-24").await, ("2026-10-30".to_owned(), 25));
}

#[tokio::test]
async fn before_the_first_rate_there_is_none() {
    let on = |day: &str| a_million("gpt-4o", &json!({ "currency": "EUR", "as_of": day }));
    assert_eq!(total(&quote(on("2018-12-31")).await), "2.183406113537"); // 2.5 / 1.145
    is_refused(on("2018-12-30T23:59:59Z"), "/as_of", "no_fx_rate").await;
}

#[tokio::test]
async fn a_conversion_is_rounded_once_to_12_places_and_ties_to_even() {
    // 6.25e-13 dollars a token are 0.5e-12 euros.
    for (tokens, euros) in [(1, "0.00"), (3, "0.000000000002"), (5, "0.000000000002"), (7, "0.000000000004")]
    {
        let request = json!({ "model": "gpt-4o", "currency": "EUR", "usage": { "input_tokens": tokens },
            "rates": { "input_tokens": { "amount": "0.000000625", "per": 1_000_000 } } });
        assert_eq!(amounts(&SMALL.quote(request).await), [("input_tokens", euros)]);
    }
}

#[tokio::test]
async fn a_factor_and_an_adjustment_are_converted_with_the_rest() {
    let more = json!({ "currency": "EUR", "as_of": "2026-11-20", "context": { "residency": "us" },
        "adjustments": [{ "label": "VAT", "percent": 19 }] });
    let quote = quote(a_million("claude-opus-5", &more)).await;
    // 5 / 1.1172, a tenth of it, and 19 % of the sum of what is printed.
    let expected = [
        ("input_tokens", "4.475474400286"),
        ("modifier", "0.447547440029"),
        ("adjustment", "0.93537414965985"),
    ];
    assert_eq!(amounts(&quote), expected);
}

#[tokio::test]
async fn both_rates_are_named_where_neither_currency_is_the_dollar() {
    let rates = json!({ "input_tokens": { "amount": "7", "currency": "CNY" } });
    let quote = SMALL.quote(a_million("gpt-4o", &json!({ "currency": "EUR", "rates": rates }))).await;
    assert_eq!(total(&quote), "0.784"); // 7 * 0.14 / 1.25
    assert_eq!(quote["items"][0]["lines"][0]["refs"].as_array().unwrap().len(), 2);
    assert_eq!(quote["references"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn a_quotient_that_does_not_end_is_rounded_to_28_digits_with_a_warning() {
    let request =
        json!({ "provider": "groq", "model": "whisper-large-v3-turbo", "usage": { "audio_seconds": 11 } });
    let quote = quote(request).await;
    assert_eq!(amounts(&quote), [("audio_seconds", "0.0001222222222222222222222222222")]); // 0.04 * 11 / 3600
    assert_eq!(warnings(&quote), ["rounded"]);
}

#[tokio::test]
async fn the_largest_counts_are_multiplied_exactly() {
    let request = json!({ "model": "gpt-4o", "calls": 1e15, "usage": { "input_tokens": 1e15, "output_tokens": 999_999_999_999_999_u64 } });
    let quote = quote(request).await;
    let expected =
        [("input_tokens", "2500000000000000000000000.00"), ("output_tokens", "9999999999999990000000000.00")];
    assert_eq!(amounts(&quote), expected);
}

/// A percentage of 28 digits, `times` times over.
async fn adjusted(times: usize) -> axum::http::StatusCode {
    let adjustment = json!({ "label": "x", "percent": "12345678901234567890.12345678" });
    let request = a_million("gpt-4o", &json!({ "adjustments": vec![adjustment; times] }));
    let answer = BUILT_IN.post(&request).await;
    if answer.status == 200 {
        assert!(warnings(&answer.value()).contains(&"rounded"));
    } else {
        assert_eq!(answer.value()["errors"][0]["code"], "out_of_range");
    }
    answer.status
}

#[tokio::test]
async fn an_amount_of_too_many_digits_is_refused_and_none_is_rounded_silently() {
    assert_eq!(adjusted(2).await, 200);
    assert_eq!(adjusted(9).await, 422);
}

#[tokio::test]
async fn prices_are_shown_in_their_own_currency() {
    let quote =
        quote(a_million("deepseek-reasoner", &json!({ "currency": "EUR", "as_of": "2025-02-20" }))).await;
    assert_eq!(column(&quote, "unit_price"), [("input_tokens", "0.55")]);
}
