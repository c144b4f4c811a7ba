//! Which price holds: tiers, contexts, hours, spans and factors.

use serde_json::{Value, json};

use super::{BUILT_IN, amounts, column, is_refused, quantities, quote, total, warnings};

/// The unit price of a million input tokens under conditions.
async fn input_price(request: Value) -> String {
    let quote = quote(request).await;
    column(&quote, "unit_price")[0].1.to_owned()
}

fn a_million(model: &str, more: &Value) -> Value {
    let mut request = json!({ "model": model, "usage": { "input_tokens": 1_000_000 } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

async fn gemini(input: u64) -> Value {
    let usage = json!({ "input_tokens": input, "cache_read_tokens": 100_000, "output_tokens": 1_000 });
    quote(json!({ "model": "gemini-2.5-pro", "usage": usage })).await
}

#[tokio::test]
async fn up_to_the_threshold_the_whole_call_is_at_the_lower_price() {
    let expected = [("input_tokens", "0.125"), ("cache_read_tokens", "0.0125"), ("output_tokens", "0.01")];
    assert_eq!(amounts(&gemini(200_000).await), expected);
}

#[tokio::test]
async fn a_token_above_the_threshold_puts_the_whole_call_at_the_higher_price() {
    let expected =
        [("input_tokens", "0.2500025"), ("cache_read_tokens", "0.025"), ("output_tokens", "0.015")];
    assert_eq!(amounts(&gemini(200_001).await), expected);
}

#[tokio::test]
async fn calls_do_not_add_up_to_a_tier() {
    let usage = json!({ "input_tokens": 200_000 });
    let request = json!({ "model": "gemini-2.5-pro", "usage": usage, "calls": 1_000 });
    assert_eq!(input_price(request).await, "1.25");
}

async fn gemini_in_total(input: u64, more: Value) -> Value {
    let mut request = json!({ "model": "gemini-2.5-pro", "usage_scope": "total", "calls": 2,
        "usage": { "input_tokens": input } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    quote(request).await
}

#[tokio::test]
async fn the_mean_of_all_calls_chooses_the_tier_with_a_warning() {
    for (input, price) in [(400_000, "1.25"), (400_001, "2.50")] {
        let quote = gemini_in_total(input, json!({})).await;
        assert_eq!(column(&quote, "unit_price"), [("input_tokens", price)]);
        assert_eq!(quantities(&quote), [("input_tokens", input.to_string().as_str())]);
        assert_eq!(warnings(&quote), ["tier_from_mean"]);
    }
}

#[tokio::test]
async fn the_input_of_one_call_chooses_the_tier_of_all_without_a_warning() {
    for (each, price) in [(200_000, "1.25"), (200_001, "2.50")] {
        let quote = gemini_in_total(300_000, json!({ "input_tokens_per_call": each })).await;
        assert_eq!(column(&quote, "unit_price"), [("input_tokens", price)]);
        assert_eq!(warnings(&quote), [""; 0]);
    }
}

#[tokio::test]
async fn a_mean_that_changes_no_price_is_no_doubt() {
    let request =
        json!({ "model": "gpt-4o", "usage_scope": "total", "calls": 2, "usage": { "input_tokens": 9 } });
    assert_eq!(warnings(&quote(request).await), [""; 0]);
}

#[tokio::test]
async fn a_context_chooses_its_card() {
    let request = a_million("gpt-4o", &json!({ "context": { "service_tier": "batch" } }));
    assert_eq!(input_price(request).await, "1.25");
}

#[tokio::test]
async fn a_context_and_a_tier_hold_together() {
    for (input, price) in [(200_000, "0.625"), (200_001, "1.25")] {
        let request = json!({ "model": "gemini-2.5-pro", "context": { "service_tier": "batch" },
            "usage": { "input_tokens": input } });
        assert_eq!(input_price(request).await, price);
    }
}

#[tokio::test]
async fn standard_by_any_name_is_the_card_without_the_key() {
    for word in ["standard", "default", "auto"] {
        let request = a_million("gpt-4o", &json!({ "context": { "service_tier": word } }));
        assert_eq!(input_price(request).await, "2.50", "{word}");
    }
}

#[tokio::test]
async fn vendors_words_are_understood() {
    let request = a_million("gpt-4o", &json!({ "context": { "processing": "batch" } }));
    assert_eq!(input_price(request).await, "1.25");
    let request = a_million("claude-opus-5", &json!({ "context": { "inference_geo": "us" } }));
    assert_eq!(total(&quote(request).await), "5.50");
}

#[tokio::test]
async fn two_words_for_one_thing_must_say_the_same() {
    let context = json!({ "processing": "batch", "service_tier": "priority" });
    let request = a_million("gpt-4o", &json!({ "context": context }));
    is_refused(request, "/context/service_tier", "contradiction").await;
    let context = json!({ "processing": "batch", "service_tier": "batch" });
    assert_eq!(input_price(a_million("gpt-4o", &json!({ "context": context }))).await, "1.25");
}

#[tokio::test]
async fn a_context_before_its_price_is_told_what_is_priced_and_from_when() {
    let request = json!({ "model": "gpt-4o", "as_of": "2026-10-13T23:59:59Z",
        "context": { "service_tier": "batch" }, "usage": { "input_tokens": 1 } });
    let errors = BUILT_IN.errors(request).await;
    insta::assert_json_snapshot!(errors, @r#"
    [
      {
        "code": "context_unpriced",
        "detail": "`service_tier: batch` has no price at 2026-10-13T23:59:59Z; priced are `batch` from 2026-10-14T00:00:00Z, `fast` from 2026-10-12T00:00:00Z, `priority` from 2026-10-12T00:00:00Z",
        "pointer": "/context/service_tier"
      }
    ]
    "#);
}

#[tokio::test]
async fn a_context_without_a_price_falls_back_where_that_is_allowed() {
    let request =
        a_million("gpt-4o", &json!({ "context": { "service_tier": "flex" }, "allow_fallback": true }));
    let quote = quote(request).await;
    assert_eq!(total(&quote), "2.50");
    assert_eq!(warnings(&quote), ["fallback_price"]);
    assert_eq!(quote["items"][0]["warnings"][0]["pointer"], "/context/service_tier");
}

#[tokio::test]
async fn two_cards_that_fit_equally_well_are_named() {
    let context = json!({ "speed": "fast", "service_tier": "batch" });
    let errors = BUILT_IN.errors(a_million("claude-opus-5", &json!({ "context": context }))).await;
    assert_eq!(errors[0]["code"], "ambiguous_price");
    assert_eq!(errors[0]["pointer"], "/context");
    let detail = errors[0]["detail"].as_str().unwrap();
    assert!(detail.contains("(service_tier: batch)") && detail.contains("(speed: fast)"), "{detail}");
}

#[tokio::test]
async fn a_model_that_is_only_sold_under_conditions_says_which() {
    let request = json!({ "provider": "azure-openai", "model": "dall-e-3", "usage": { "output_pixels": 1 } });
    let errors = BUILT_IN.errors(request).await;
    assert_eq!(errors[0]["code"], "context_unpriced");
    assert!(errors[0]["detail"].as_str().unwrap().contains("1792x1024"), "{errors:?}");
}

#[tokio::test]
async fn a_factor_is_a_line_of_its_own_on_the_meters_it_names() {
    let request = json!({ "model": "claude-opus-5", "context": { "residency": "us" },
        "usage": { "input_tokens": 1_000_000, "output_tokens": 1_000_000, "web_searches": 1_000 } });
    let quote = quote(request).await;
    let expected = [
        ("input_tokens", "5.00"),
        ("output_tokens", "25.00"),
        ("web_searches", "10.00"),
        ("modifier", "3.00"),
    ];
    assert_eq!(amounts(&quote), expected);
    assert_eq!(quote["items"][0]["lines"][3]["description"], "US data residency");
}

#[tokio::test]
async fn two_factors_multiply() {
    let request = a_million("claude-opus-4-6", &json!({ "context": { "residency": "us", "speed": "fast" } }));
    let quote = quote(request).await;
    assert_eq!(total(&quote), "33.00"); // 5 * 1.1 * 6
    assert_eq!(amounts(&quote), [("input_tokens", "5.00"), ("modifier", "0.50"), ("modifier#2", "27.50")]);
}

#[tokio::test]
async fn a_factor_is_not_applied_to_a_card_that_contains_it() {
    let request = a_million("claude-opus-5", &json!({ "context": { "speed": "fast" } }));
    assert_eq!(amounts(&quote(request).await), [("input_tokens", "10.00")]);
}

#[tokio::test]
async fn a_factor_and_a_card_of_another_key_hold_together() {
    let request =
        a_million("claude-opus-5", &json!({ "context": { "service_tier": "batch", "residency": "us" } }));
    assert_eq!(amounts(&quote(request).await), [("input_tokens", "2.50"), ("modifier", "0.25")]);
}

#[tokio::test]
async fn a_factor_may_stand_for_any_value_but_one() {
    for (region, cost) in [("europe-west1", "5.50"), ("us-east5", "5.50"), ("global", "5.00")] {
        let request = a_million("google-vertex/claude-opus-5", &json!({ "context": { "region": region } }));
        assert_eq!(total(&quote(request).await), cost, "{region}");
    }
    assert_eq!(total(&quote(a_million("google-vertex/claude-opus-5", &json!({}))).await), "5.00");
}

async fn v4_pro_in_yuan(as_of: &str) -> String {
    input_price(a_million("deepseek-v4-pro", &json!({ "currency": "CNY", "as_of": as_of }))).await
}

/// Nine to twelve and two to six in Peking (UTC+8), Monday to Friday but for holidays.
#[tokio::test]
async fn hours_are_local_and_half_open() {
    for (as_of, price) in [
        ("2026-11-20T00:59:59.999Z", "4.50"),
        ("2026-11-20T01:00:00Z", "9.00"),
        ("2026-11-20T11:59:59.999+08:00", "9.00"),
        ("2026-11-20T12:00:00+08:00", "4.50"),
    ] {
        assert_eq!(v4_pro_in_yuan(as_of).await, price, "{as_of}");
    }
}

#[tokio::test]
async fn hours_do_not_hold_on_weekends_and_holidays() {
    assert_eq!(v4_pro_in_yuan("2026-11-21T01:00:00Z").await, "4.50"); // a Saturday
    assert_eq!(v4_pro_in_yuan("2026-10-01T01:00:00Z").await, "4.50"); // a Thursday, National Day
}

#[tokio::test]
async fn a_date_alone_is_midnight_with_a_warning_where_the_hour_matters() {
    let request = a_million("deepseek-v4-pro", &json!({ "as_of": "2026-11-20" }));
    let quote = quote(request).await;
    assert_eq!(total(&quote), "0.66");
    assert_eq!(warnings(&quote), ["windowed_price"]);
}

#[tokio::test]
async fn a_date_alone_is_no_doubt_where_the_hour_does_not_matter() {
    let request = a_million("gpt-4o", &json!({ "as_of": "2026-11-20" }));
    assert_eq!(warnings(&quote(request).await), [""; 0]);
}

#[tokio::test]
async fn a_day_that_the_calendar_does_not_cover_is_a_doubt() {
    let request = a_million("deepseek-v4-pro", &json!({ "as_of": "2027-01-04T01:00:00Z" }));
    assert_eq!(warnings(&quote(request).await), ["calendar_not_covering"]);
}

#[tokio::test]
async fn a_price_of_which_only_the_first_day_is_known_is_a_doubt_on_that_day() {
    let on = |as_of: &str| a_million("deepseek-chat", &json!({ "as_of": as_of }));
    assert_eq!(warnings(&quote(on("2025-09-29T08:00:00Z")).await), ["start_is_approximate"]);
    assert_eq!(warnings(&quote(on("2025-09-30T08:00:00Z")).await), [""; 0]);
}

#[tokio::test]
async fn a_rate_that_stands_in_for_one_is_a_doubt() {
    let request = json!({ "model": "google-ai-studio/gemini-2.5-pro", "context": { "service_tier": "priority" },
        "usage": { "input_tokens": 10, "web_searches": 1 } });
    assert_eq!(warnings(&quote(request).await), ["rate_inherited"]);
}

#[tokio::test]
async fn an_announced_price_holds_from_its_first_instant() {
    for (as_of, price) in [("2026-12-31T23:59:59.999Z", "0.75"), ("2027-01-01T00:00:00Z", "1.50")] {
        let request = a_million("gemini-3.6-flash", &json!({ "as_of": as_of }));
        assert_eq!(input_price(request).await, price, "{as_of}");
    }
}

#[tokio::test]
async fn before_the_first_and_after_the_last_price_nothing_is_in_force() {
    let at = |as_of: &str| a_million("deepseek-chat", &json!({ "as_of": as_of }));
    assert_eq!(input_price(at("2026-07-24T15:58:59.999Z")).await, "0.14");
    is_refused(at("2026-07-24T15:59:00Z"), "/as_of", "not_in_force").await;
    is_refused(at("2024-12-25T23:59:59Z"), "/as_of", "not_in_force").await;
}

/// `gpt-4o` was seen on 2026-11-10, and nobody wrote down when its price began.
#[tokio::test]
async fn a_price_without_a_start_is_doubted_before_the_day_on_which_it_was_seen() {
    for (as_of, doubted) in [("2026-11-09T23:59:59Z", true), ("2026-11-10T00:00:00Z", false)] {
        let request = json!({ "model": "gpt-4o", "usage": { "input_tokens": 1 }, "as_of": as_of });
        let quote = quote(request).await;
        let codes: Vec<&Value> = quote["items"][0]["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|warning| &warning["code"])
            .collect();
        assert_eq!(codes.contains(&&json!("undated_price")), doubted, "{as_of}: {codes:?}");
    }
}
