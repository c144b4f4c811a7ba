//! From a vendor's recorded response to what it cost.

use serde_json::{Value, json};

use super::{amounts, is_refused, quote, total, warnings};

macro_rules! recorded {
    ($path:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../fixtures/usage/", $path, ".json"))).unwrap()
    };
}

fn from(response: &Value, more: &Value) -> Value {
    let mut request = json!({ "usage_from": { "response": response } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

/// 2,006 tokens in, of which 1,920 from the cache; 300 out.
#[tokio::test]
async fn openai_says_the_model_the_usage_and_the_time() {
    let quote = quote(from(&recorded!("openai/chat_cached"), &json!({}))).await;
    let expected =
        [("input_tokens", "0.000215"), ("cache_read_tokens", "0.0024"), ("output_tokens", "0.003")];
    assert_eq!(amounts(&quote), expected);
    assert_eq!(quote["items"][0]["offering"], "openai/gpt-4o");
    assert_eq!(quote["items"][0]["as_of"], "2026-02-03T10:00:00Z");
}

#[tokio::test]
async fn what_the_request_says_wins_over_the_response() {
    let more = json!({ "model": "gpt-4o-mini", "as_of": "2026-11-20T00:00:00Z" });
    let quote = quote(from(&recorded!("openai/chat_cached"), &more)).await;
    assert_eq!(quote["items"][0]["model"], "gpt-4o-mini");
    assert_eq!(quote["as_of"], "2026-11-20T00:00:00Z");
    assert!(quote["items"][0].get("as_of").is_none());
}

/// A batch of February, when the catalog knows no price of batches yet.
#[tokio::test]
async fn a_tier_that_served_and_had_no_price_then_is_refused() {
    let response = recorded!("openai/chat_batch_line");
    is_refused(from(&response, &json!({})), "/usage_from", "context_unpriced").await;
    let at = json!({ "as_of": "2026-11-20T00:00:00Z" });
    assert_eq!(total(&quote(from(&response, &at)).await), "0.00000225"); // 22 * 0.075 + 2 * 0.3
}

#[tokio::test]
async fn the_response_does_not_overrule_the_context_given() {
    let more = json!({ "as_of": "2026-11-20", "context": { "service_tier": "default" } });
    let quote = quote(from(&recorded!("openai/chat_batch_line"), &more)).await;
    assert_eq!(total(&quote), "0.0000045"); // 22 * 0.15 + 2 * 0.6
}

/// Anthropic's priority is capacity paid for by contract: its price is in no list.
#[tokio::test]
async fn a_tier_without_a_list_price_is_refused() {
    let response = recorded!("anthropic/thinking_fast_us");
    is_refused(from(&response, &json!({})), "/usage_from", "context_unpriced").await;
    let fallen_back = quote(from(&response, &json!({ "allow_fallback": true }))).await;
    assert_eq!(warnings(&fallen_back), ["fallback_price"]);
}

/// 410 tokens in and 2,210 out, fast and in the United States: cards of fast mode contain their factor.
#[tokio::test]
async fn anthropic_says_the_speed_and_the_place() {
    let standard = json!({ "context": { "service_tier": "standard" } });
    let quote = quote(from(&recorded!("anthropic/thinking_fast_us"), &standard)).await;
    assert_eq!(quote["items"][0]["offering"], "anthropic/claude-opus-4-8");
    let expected = [("input_tokens", "0.0041"), ("output_tokens", "0.1105"), ("modifier", "0.01146")];
    assert_eq!(amounts(&quote), expected);
}

/// 8 tokens in; 16 said and 32 thought.
#[tokio::test]
async fn gemini_charges_thoughts_as_output() {
    let quote = quote(from(&recorded!("gemini/stream_last_chunk"), &json!({}))).await;
    assert_eq!(amounts(&quote), [("input_tokens", "0.0000024"), ("output_tokens", "0.00012")]);
}

/// 4 tokens new, 2,300 from the cache, 35 into it; 503 out.
#[tokio::test]
async fn bedrock_counts_cached_tokens_beside_the_input_and_leaves_the_model_to_the_asker() {
    let response = recorded!("bedrock/converse_cached");
    is_refused(from(&response, &json!({})), "/model", "missing_field").await;
    let quote = quote(from(&response, &json!({ "model": "claude-sonnet-5" }))).await;
    let expected = [
        ("input_tokens", "0.000008"),
        ("cache_read_tokens", "0.00046"),
        ("cache_write_tokens", "0.0000875"),
        ("output_tokens", "0.00503"),
    ];
    assert_eq!(amounts(&quote), expected);
}

#[tokio::test]
async fn a_reported_cost_comes_back_with_the_difference() {
    let more = json!({ "provider": "openrouter", "allow_unpriced": true });
    let quote = quote(from(&recorded!("openai/openrouter"), &more)).await;
    assert_eq!(total(&quote), "0.0103808");
    let expected = json!({ "amount": "0.0087185", "difference": "-0.0016623" });
    assert_eq!(quote["items"][0]["reported_cost"], expected);
}

#[tokio::test]
async fn a_reported_cost_is_in_the_currency_of_the_answer() {
    let more =
        json!({ "provider": "openrouter", "allow_unpriced": true, "currency": "EUR", "as_of": "2026-10-30" });
    let quote = quote(from(&recorded!("openai/openrouter"), &more)).await;
    assert_eq!(quote["items"][0]["reported_cost"]["amount"], "0.007803884712"); // 0.0087185 / 1.1172
}

#[tokio::test]
async fn a_figure_that_nobody_knows_is_a_doubt_with_its_place() {
    let response = json!({ "model": "gpt-4o", "usage": { "prompt_tokens": 5, "moon_tokens": 3 } });
    let quote = quote(from(&response, &json!({}))).await;
    assert_eq!(warnings(&quote), ["unread_usage"]);
    assert_eq!(quote["items"][0]["warnings"][0]["pointer"], "/usage_from/response/usage/moon_tokens");
}

#[tokio::test]
async fn a_context_that_only_the_response_states_and_no_price_knows_is_a_doubt() {
    let response = json!({ "type": "message", "model": "claude-3-haiku",
        "usage": { "input_tokens": 5, "output_tokens": 1, "inference_geo": "us" } });
    let quote = quote(from(&response, &json!({}))).await;
    assert_eq!(warnings(&quote), ["context_ignored"]);
}

#[tokio::test]
async fn usage_and_a_response_are_one_too_many() {
    let response = recorded!("openai/chat_cached");
    let request = from(&response, &json!({ "usage": { "input_tokens": 1 } }));
    is_refused(request, "/usage_from", "contradiction").await;
}

#[tokio::test]
async fn a_fault_in_a_response_points_into_it() {
    let response = json!({ "model": "gpt-4o", "usage": { "prompt_tokens": -5 } });
    is_refused(from(&response, &json!({})), "/usage_from/response/usage/prompt_tokens", "out_of_range").await;
}

#[tokio::test]
async fn a_response_of_no_known_vendor_is_refused() {
    is_refused(from(&json!({ "hello": 1 }), &json!({})), "/usage_from/response", "wrong_type").await;
}

#[tokio::test]
async fn calls_multiply_a_recorded_response() {
    let quote = quote(from(&recorded!("openai/chat_cached"), &json!({ "calls": 1_000 }))).await;
    assert_eq!(total(&quote), "5.615");
}
