//! What is charged of what was used: parts and wholes, calls, smallest quantities.

use serde_json::{Value, json};

use super::{BUILT_IN, amounts, is_refused, quantities, quote, total, warnings};

#[tokio::test]
async fn each_token_is_charged_once_at_the_price_of_its_innermost_meter() {
    let quote = quote(json!({ "model": "claude-opus-5", "usage": {
        "input_tokens": 10_000, "cache_read_tokens": 4_000, "cache_write_tokens": 3_000,
        "cache_write_1h_tokens": 1_000, "output_tokens": 500,
    } }))
    .await;
    let expected = [
        ("input_tokens", "3000"),
        ("cache_read_tokens", "4000"),
        ("cache_write_tokens", "2000"),
        ("cache_write_1h_tokens", "1000"),
        ("output_tokens", "500"),
    ];
    assert_eq!(quantities(&quote), expected);
    let expected = [
        ("input_tokens", "0.015"),
        ("cache_read_tokens", "0.002"),
        ("cache_write_tokens", "0.0125"),
        ("cache_write_1h_tokens", "0.01"),
        ("output_tokens", "0.0125"),
    ];
    assert_eq!(amounts(&quote), expected);
}

#[tokio::test]
async fn a_part_without_a_price_of_its_own_is_charged_as_its_whole() {
    let usage = json!({ "output_tokens": 500, "output_reasoning_tokens": 200 });
    let quote = quote(json!({ "model": "claude-opus-5", "usage": usage })).await;
    assert_eq!(quantities(&quote), [("output_tokens", "500")]);
}

/// Cached audio, where audio has a price and cached tokens have none: the price of audio is nearer than that
/// of all input.
#[tokio::test]
async fn a_part_of_two_wholes_is_charged_as_the_nearest_that_has_a_price() {
    let usage = json!({
        "input_tokens": 1_000, "input_audio_tokens": 600, "cache_read_tokens": 400, "cache_read_audio_tokens": 400,
    });
    let quote = quote(json!({ "model": "gpt-4o-transcribe", "usage": usage })).await;
    assert_eq!(quantities(&quote), [("input_tokens", "400"), ("input_audio_tokens", "600")]);
    assert_eq!(warnings(&quote), ["charged_as_part"]);
}

#[tokio::test]
async fn cached_audio_with_a_price_of_its_own_is_taken_off_both_its_wholes_once() {
    let usage = json!({
        "input_tokens": 1_000, "input_audio_tokens": 600, "cache_read_tokens": 500, "cache_read_audio_tokens": 400,
    });
    let quote = quote(json!({ "model": "gemini-2.5-flash", "usage": usage })).await;
    let expected = [
        ("input_tokens", "300"),
        ("cache_read_tokens", "100"),
        ("input_audio_tokens", "200"),
        ("cache_read_audio_tokens", "400"),
    ];
    assert_eq!(quantities(&quote), expected);
}

#[tokio::test]
async fn usage_of_one_call_is_multiplied_by_the_calls() {
    let quote = quote(json!({ "model": "gpt-4o", "calls": 1e6, "usage": { "input_tokens": 1_200 } })).await;
    assert_eq!(quantities(&quote), [("input_tokens", "1200000000")]);
    assert_eq!(total(&quote), "3000.00");
}

#[tokio::test]
async fn no_calls_cost_nothing() {
    let quote = quote(json!({ "model": "gpt-4o", "calls": 0, "usage": { "input_tokens": 1_200 } })).await;
    assert_eq!(amounts(&quote), []);
    assert_eq!(total(&quote), "0.00");
}

#[tokio::test]
async fn a_line_of_nothing_is_left_out() {
    let usage = json!({ "input_tokens": 5, "cache_read_tokens": 5, "output_tokens": 0 });
    let quote = quote(json!({ "model": "gpt-4o", "usage": usage })).await;
    assert_eq!(quantities(&quote), [("cache_read_tokens", "5")]);
}

#[tokio::test]
async fn counts_may_be_spelt_in_any_way_that_json_has() {
    for count in ["1000000", "1e6", "1E+6", "1000000.0", "0.001e9", "10000000e-1"] {
        let body = format!(r#"{{"model":"gpt-4o","usage":{{"input_tokens":{count}}}}}"#);
        let answer = BUILT_IN.send(body).await;
        assert_eq!(answer.value()["total"]["amount"], "2.50", "{count}");
    }
}

/// Groq charges at least ten seconds a request (`console.groq.com/docs/speech-to-text`).
async fn whisper(seconds: u64, more: Value) -> Value {
    let mut request = json!({ "provider": "groq", "model": "whisper-large-v3-turbo", "usage": { "audio_seconds": seconds } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    quote(request).await
}

#[tokio::test]
async fn less_than_the_smallest_quantity_is_charged_as_that_with_a_warning() {
    let quote = whisper(9, json!({})).await;
    assert_eq!(quantities(&quote), [("audio_seconds", "10")]);
    assert!(warnings(&quote).contains(&"min_quantity_applied"));
}

#[tokio::test]
async fn from_the_smallest_quantity_on_what_was_used_is_charged() {
    for seconds in [10, 11] {
        let quote = whisper(seconds, json!({})).await;
        assert_eq!(quantities(&quote), [("audio_seconds", seconds.to_string().as_str())]);
        assert!(!warnings(&quote).contains(&"min_quantity_applied"));
    }
}

#[tokio::test]
async fn nothing_used_is_not_charged_as_the_smallest_quantity() {
    assert_eq!(amounts(&whisper(0, json!({ "calls": 3 })).await), []);
}

#[tokio::test]
async fn the_smallest_quantity_is_of_each_call() {
    assert_eq!(quantities(&whisper(9, json!({ "calls": 3 })).await), [("audio_seconds", "30")]);
    let all = json!({ "calls": 3, "usage_scope": "total" });
    assert_eq!(quantities(&whisper(27, all.clone()).await), [("audio_seconds", "30")]);
    assert_eq!(quantities(&whisper(31, all).await), [("audio_seconds", "31")]);
}

async fn sonar(more: Value) -> Value {
    let mut request = json!({ "model": "sonar", "usage": { "input_tokens": 1_000 } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    quote(request).await
}

#[tokio::test]
async fn a_call_is_a_request_without_saying_so() {
    assert_eq!(amounts(&sonar(json!({})).await), [("input_tokens", "0.001"), ("requests", "0.012")]);
    assert_eq!(quantities(&sonar(json!({ "calls": 7 })).await)[1], ("requests", "7"));
}

#[tokio::test]
async fn usage_of_all_calls_has_a_request_for_each() {
    let quote = sonar(json!({ "calls": 7, "usage_scope": "total" })).await;
    assert_eq!(quantities(&quote), [("input_tokens", "1000"), ("requests", "7")]);
}

#[tokio::test]
async fn requests_that_are_counted_count() {
    let quote = sonar(json!({ "usage": { "requests": 3 } })).await;
    assert_eq!(quantities(&quote), [("requests", "3")]);
}

#[tokio::test]
async fn a_meter_without_a_price_is_refused() {
    let request = json!({ "model": "gpt-4o", "usage": { "input_tokens": 1, "output_images": 2 } });
    is_refused(request, "/usage/output_images", "unpriced").await;
}

#[tokio::test]
async fn a_meter_without_a_price_is_left_out_where_that_is_allowed() {
    let request = json!({ "model": "gpt-4o", "allow_unpriced": true,
        "usage": { "input_tokens": 1_000_000, "output_images": 2 } });
    let quote = quote(request).await;
    assert_eq!(amounts(&quote), [("input_tokens", "2.50")]);
    assert_eq!(warnings(&quote), ["unpriced_meter"]);
    assert_eq!(quote["items"][0]["warnings"][0]["pointer"], "/usage/output_images");
}

#[tokio::test]
async fn a_price_of_literally_nothing_is_nothing_with_a_warning() {
    let usage = json!({ "input_tokens": 10, "output_tokens": 10 });
    let quote = quote(json!({ "model": "scaleway/qwen/qwen3-embedding-8b", "usage": usage })).await;
    assert_eq!(amounts(&quote), [("input_tokens", "0.000001"), ("output_tokens", "0.00")]);
    assert_eq!(warnings(&quote), ["zero_price"]);
}
