//! Conversations: each call sends again what was said before, and every call is priced at its own tier.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{BUILT_IN, amounts, is_refused, ledger::Printed, quantities, quote, total, warnings};

/// Three turns after 1,000 tokens of instructions; 10 tokens said, 100 replied.
fn short(model: &str, cache: &Value) -> Value {
    json!({ "model": model, "as_of": "2026-11-20", "conversation": {
        "turns": 3, "system_tokens": 1_000, "user_tokens": 10, "reply_tokens": 100, "cache": cache } })
}

/// By hand: 1,010, 1,120 and 1,230 tokens in, 3,360 together at 2.50 dollars a million; 300 out at 10.
#[tokio::test]
async fn without_a_cache_everything_is_sent_and_paid_again() {
    let quote = quote(short("gpt-4o", &json!(false))).await;
    assert_eq!(amounts(&quote), [("input_tokens", "0.0084"), ("output_tokens", "0.003")]);
}

/// By hand: 1,010 and 1,120 tokens are read again at 1.25 dollars a million, the other 1,230 are new.
#[tokio::test]
async fn what_was_sent_before_is_read_from_the_cache_and_the_rest_is_input() {
    let quote = quote(short("gpt-4o", &json!(true))).await;
    assert_eq!(
        amounts(&quote),
        [("input_tokens", "0.003075"), ("cache_read_tokens", "0.0026625"), ("output_tokens", "0.003")]
    );
    assert_eq!(warnings(&quote), Vec::<&str>::new());
}

/// Claude Sonnet 4.5: 0.30 dollars a million to read, 3.75 to write for five minutes, 6 for an hour, 15 for output.
#[tokio::test]
async fn new_tokens_are_written_where_writing_has_a_price() {
    let five_minutes = quote(short("claude-sonnet-4-5", &json!(true))).await;
    assert_eq!(
        amounts(&five_minutes),
        [("cache_read_tokens", "0.000639"), ("cache_write_tokens", "0.0046125"), ("output_tokens", "0.0045")]
    );
    let hour = quote(short("claude-sonnet-4-5", &json!({ "ttl": "1h" }))).await;
    assert_eq!(
        amounts(&hour),
        [
            ("cache_read_tokens", "0.000639"),
            ("cache_write_1h_tokens", "0.00738"),
            ("output_tokens", "0.0045")
        ]
    );
}

#[tokio::test]
async fn a_cache_without_a_price_is_a_doubt() {
    let hour = quote(short("gpt-4o", &json!({ "ttl": "1h" }))).await;
    assert_eq!(warnings(&hour), ["cache_unpriced"]);
    let none = quote(short("gpt-4", &json!(true))).await;
    assert_eq!(warnings(&none), ["cache_unpriced"]);
    assert_eq!(quantities(&none), [("input_tokens", "3360"), ("output_tokens", "300")]);
}

/// Two turns of two calls: 1,010, then with a tool's 50 tokens 1,160, 1,270 and 1,420.
#[tokio::test]
async fn calls_with_tools_send_everything_again() {
    let conversation = json!({ "turns": 2, "calls_per_turn": 2, "system_tokens": 1_000, "user_tokens": 10, "reply_tokens": 100, "tool_tokens": 50 });
    let quote = quote(json!({ "model": "gpt-4o", "conversation": conversation, "calls": 1_000 })).await;
    assert_eq!(quantities(&quote), [("input_tokens", "4860000"), ("output_tokens", "400000")]);
}

/// Gemini 2.5 Pro, 200,000 tokens being the threshold: 170,000 and 195,000 at 1.25 dollars a million, 220,000 and
/// 245,000 at 2.50; two replies of 5,000 at 10 dollars and two at 15.
#[tokio::test]
async fn a_conversation_that_grows_over_a_threshold_pays_both_tiers() {
    let conversation =
        json!({ "turns": 4, "system_tokens": 150_000, "user_tokens": 20_000, "reply_tokens": 5_000 });
    let request = json!({ "model": "google/gemini-2.5-pro", "conversation": conversation, "detail": "full" });
    let quote = quote(request).await;
    assert_eq!(
        amounts(&quote),
        [
            ("input_tokens", "0.45625"),
            ("output_tokens", "0.10"),
            ("input_tokens#2", "1.1625"),
            ("output_tokens#2", "0.15"),
        ]
    );
    let inputs = quote["items"][0]["lines"][2]["basis"]["inputs"].as_array().unwrap();
    let value = |name: &str| {
        let input = inputs.iter().find(|input| input["name"] == name).unwrap();
        (input["value"].as_str().unwrap(), input["origin"].as_str().unwrap())
    };
    assert_eq!((value("first_call"), value("last_call")), (("3", "derived"), ("4", "derived")));
    assert_eq!((value("turns"), value("input_tokens")), (("4", "request"), ("465000", "derived")));
}

#[tokio::test]
async fn ten_million_calls_are_added_up_at_once() {
    let conversation = json!({ "turns": 10_000, "calls_per_turn": 1_000, "user_tokens": 1, "reply_tokens": 1, "system_tokens": 1 });
    let quote =
        quote(json!({ "model": "google/gemini-2.5-pro", "conversation": conversation, "calls": 1e15 })).await;
    assert_eq!(quote["items"][0]["lines"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_conversation_over_a_period_is_charged_at_every_price() {
    let conversation = json!({ "turns": 2, "user_tokens": 1_000_000, "reply_tokens": 0 });
    let period = json!({ "from": "2025-02-04T16:00:00Z", "to": "2025-02-12T16:00:00Z" });
    let request = json!({ "model": "deepseek/deepseek-chat", "conversation": conversation, "period": period, "detail": "full" });
    let quote = quote(request).await;
    assert_eq!(quantities(&quote), [("input_tokens", "1500000"), ("input_tokens#2", "1500000")]);
    assert_eq!(total(&quote), "0.615"); // 1.5 million at 0.14 and at 0.27
}

#[tokio::test]
async fn a_conversation_is_bounded_and_says_alone_what_is_used() {
    let of = |more: Value| {
        let mut conversation = json!({ "turns": 3, "user_tokens": 10, "reply_tokens": 100 });
        conversation.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "model": "gpt-4o", "conversation": conversation })
    };
    is_refused(of(json!({ "turns": 0 })), "/conversation/turns", "out_of_range").await;
    is_refused(of(json!({ "turns": 10_001 })), "/conversation/turns", "out_of_range").await;
    is_refused(of(json!({ "calls_per_turn": 1_001 })), "/conversation/calls_per_turn", "out_of_range").await;
    is_refused(of(json!({ "user_tokens": 1e15 })), "/conversation", "out_of_range").await;
    is_refused(of(json!({ "reply_tokens": 1e15, "turns": 10_000 })), "/conversation", "out_of_range").await;
    is_refused(of(json!({ "cache": "yes" })), "/conversation/cache", "wrong_type").await;
    is_refused(of(json!({ "cache": { "ttl": "2h" } })), "/conversation/cache/ttl", "out_of_range").await;
    is_refused(of(json!({ "words": 1 })), "/conversation/words", "unknown_field").await;
    is_refused(
        json!({ "model": "gpt-4o", "conversation": { "turns": 1, "user_tokens": 1 } }),
        "/conversation/reply_tokens",
        "missing_field",
    )
    .await;
    let with = |field: &str, value: Value| {
        let mut request = of(json!({}));
        request[field] = value;
        request
    };
    is_refused(with("usage", json!({ "input_tokens": 1 })), "/conversation", "contradiction").await;
    let response = json!({ "response": { "usage": { "prompt_tokens": 1, "completion_tokens": 1 } } });
    is_refused(with("usage_from", response), "/conversation", "contradiction").await;
    is_refused(with("usage_scope", json!("total")), "/usage_scope", "contradiction").await;
    is_refused(with("input_tokens_per_call", json!(5)), "/input_tokens_per_call", "contradiction").await;
    is_refused(with("max_output_tokens", json!(99)), "/max_output_tokens", "contradiction").await;
}

/// The same conversation call by call, as items of their own.
fn call_by_call(model: &str, [turns, calls, system, user, reply, tool]: [u64; 6], cache: bool) -> Value {
    let (mut items, mut transcript, mut sent) = (Vec::new(), system, 0);
    for _ in 0..turns {
        transcript += user;
        for call in 0..calls {
            transcript += if call > 0 { tool } else { 0 };
            let mut usage = json!({ "input_tokens": transcript, "output_tokens": reply });
            if cache {
                usage["cache_read_tokens"] = json!(sent);
                usage["cache_write_tokens"] = json!(transcript - sent);
            }
            items.push(json!({ "model": model, "usage": usage }));
            sent = transcript;
            transcript += reply;
        }
    }
    json!({ "as_of": "2026-11-20T03:00:00Z", "items": items })
}

fn conversation(model: &str, [turns, calls, system, user, reply, tool]: [u64; 6], cache: bool) -> Value {
    json!({ "model": model, "as_of": "2026-11-20T03:00:00Z", "detail": "full", "conversation": {
        "turns": turns, "calls_per_turn": calls, "system_tokens": system, "user_tokens": user, "reply_tokens": reply,
        "tool_tokens": tool, "cache": cache } })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_conversation_costs_what_its_calls_do(
        model in select(&["gpt-4o", "google/gemini-2.5-pro", "claude-sonnet-4-5", "gpt-5.4", "deepseek-v4-pro"][..]),
        turns in 1_u64..12, calls in 1_u64..5, system in 0_u64..150_000, said in proptest::array::uniform3(0_u64..30_000), cache in any::<bool>(),
    ) {
        let [user, reply, tool] = said;
        let talk = [turns, calls, system, user, reply, tool];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let together = runtime.block_on(BUILT_IN.quote(conversation(model, talk, cache)));
        let apart = runtime.block_on(BUILT_IN.quote(call_by_call(model, talk, cache)));
        prop_assert!(Printed::read(total(&together)).is(Printed::read(total(&apart))), "{together:#}\n{}", total(&apart));
    }
}
