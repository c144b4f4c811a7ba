//! Prices that vendors published, at the instants at which they held.

use serde_json::{Value, json};

use super::{amounts, quote};

/// A million of each: cached input, other input, output.
fn a_million_of_each(model: &str, currency: &str, as_of: &str) -> Value {
    json!({
        "model": model, "currency": currency, "as_of": as_of,
        "usage": { "input_tokens": 2_000_000, "cache_read_tokens": 1_000_000, "output_tokens": 1_000_000 },
    })
}

async fn costs(request: Value, [input, cached, output]: [&str; 3]) {
    let quote = quote(request).await;
    let expected = [("input_tokens", input), ("cache_read_tokens", cached), ("output_tokens", output)];
    assert_eq!(amounts(&quote), expected);
    assert!(quote["items"][0]["lines"][0]["fx"].is_null(), "the vendor's own list, as it stands");
}

/// DeepSeek, news of 2025-01-20 (`api-docs.deepseek.com/news/news250120`): 1 yuan for a million input tokens
/// that hit the cache, 4 for those that do not, 16 for output.
#[tokio::test]
async fn r1_costs_1_and_4_and_16_yuan_on_20_february_2025() {
    costs(a_million_of_each("deepseek-reasoner", "CNY", "2025-02-20"), ["4.00", "1.00", "16.00"]).await;
}

/// DeepSeek, news of 2024-12-26 (`api-docs.deepseek.com/news/news1226`): until 8 February 24:00 in Peking, the
/// price of V2: 0.1 yuan, 1 yuan, 2 yuan.
#[tokio::test]
async fn v3_costs_its_launch_price_until_the_last_second_of_8_february_2025_in_peking() {
    costs(a_million_of_each("deepseek-chat", "CNY", "2025-02-08T15:59:59Z"), ["1.00", "0.10", "2.00"]).await;
}

/// The same news: from then on 0.5 yuan, 2 yuan, 8 yuan.
#[tokio::test]
async fn v3_costs_its_own_price_from_9_february_2025_in_peking() {
    costs(a_million_of_each("deepseek-chat", "CNY", "2025-02-08T16:00:00Z"), ["2.00", "0.50", "8.00"]).await;
}

/// OpenAI, price list (`developers.openai.com/api/docs/pricing`) and the announcement of 2025-01-31.
#[tokio::test]
async fn o3_mini_costs_55_cents_1_dollar_10_and_4_dollars_40() {
    costs(a_million_of_each("o3-mini", "USD", "2025-02-20T12:00:00Z"), ["1.10", "0.55", "4.40"]).await;
}
