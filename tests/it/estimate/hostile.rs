//! Whatever is sent, the answer is a quote or a problem that says what is wrong.

use std::sync::LazyLock;

use farthing::http::problem::PROBLEM_JSON;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{BUILT_IN, ledger::audit};
use crate::helpers::Answer;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Sends a body, and checks what comes back against the document and in itself.
fn is_answered(body: impl Into<axum::body::Body>, shown: &str) {
    let answer = RUNTIME.block_on(BUILT_IN.send(body));
    check(&answer, shown);
}

fn check(answer: &Answer, shown: &str) {
    let value = answer.value();
    match answer.status.as_u16() {
        200 => audit(&value),
        status @ (400 | 422) => {
            assert_eq!(answer.header("content-type"), PROBLEM_JSON, "{shown}");
            assert_eq!(value["status"], status, "{shown}");
            let errors = value["errors"].as_array().map_or(0, Vec::len);
            assert_eq!(errors > 0, status == 422, "{shown}\n{value:#}");
        }
        other => panic!("{other}: {shown}\n{value:#}"),
    }
}

/// Words that the reader looks for, so that what is random gets past the door.
const WORDS: [&str; 62] = [
    "items",
    "kind",
    "api_usage",
    "model",
    "gpt-4o",
    "claude-opus-5",
    "gemini-2.5-pro",
    "provider",
    "openai",
    "usage",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "calls",
    "usage_scope",
    "total",
    "input_tokens_per_call",
    "context",
    "service_tier",
    "processing",
    "batch",
    "rates",
    "amount",
    "per",
    "currency",
    "EUR",
    "adjustments",
    "label",
    "percent",
    "as_of",
    "2025-02-20",
    "catalog_revision",
    "detail",
    "full",
    "group_by",
    "tags",
    "usage_from",
    "format",
    "response",
    "prompt_tokens",
    "usageMetadata",
    "allow_fallback",
    "period",
    "from",
    "to",
    "2025-03-01",
    "hour_weights",
    "time_zone",
    "Asia/Shanghai",
    "conversation",
    "turns",
    "calls_per_turn",
    "user_tokens",
    "reply_tokens",
    "cache",
    "ttl",
    "max_output_tokens",
    "low",
    "mid",
    "high",
    "id",
    "",
];

/// Numbers at the edges of what is taken, as JSON spells them.
const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "-1",
    "1",
    "1.5",
    "1e6",
    "1e15",
    "1e16",
    "1e308",
    "1e999",
    "-1e999",
    "1e-999",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "79228162514264337593543950335",
    "79228162514264337593543950336",
    "0.0000000000000000000000000001",
    "1e9223372036854775808",
    "123456789012345678901234567890.123456789",
];

/// JSON as text, so that it may hold numbers that no type does, and a member twice.
fn json_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![4 => select(&WORDS[..]).prop_map(str::to_owned), 1 => any::<String>()];
    let quoted = word.clone().prop_map(|word| Value::String(word).to_string());
    let number = select(&NUMBERS[..]).prop_map(str::to_owned);
    let literal = select(&["null", "true", "false"][..]).prop_map(str::to_owned);
    let leaf = prop_oneof![2 => quoted.clone(), 2 => number, 1 => literal];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let member = (quoted.clone(), inner.clone()).prop_map(|(name, value)| format!("{name}:{value}"));
        prop_oneof![
            3 => vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(","))),
        ]
    })
}

/// A request with a bit of everything.
fn rich_request() -> Value {
    json!({
        "currency": "EUR", "as_of": "2026-11-20T03:00:00Z", "catalog_revision": 1, "detail": "full", "group_by": "team",
        "items": [
            { "kind": "api_usage", "id": "a", "label": "b", "tags": { "team": "search" }, "provider": "openai", "model": "gpt-4o",
              "usage": { "input_tokens": 12_000, "cache_read_tokens": 4_000, "output_tokens": 900 }, "calls": 3,
              "usage_scope": "total", "input_tokens_per_call": 4_000, "context": { "service_tier": "batch" },
              "rates": { "output_tokens": { "amount": "2.00", "per": 1_000_000, "currency": "CNY" } },
              "adjustments": [{ "label": "discount", "percent": "-12" }, { "label": "VAT", "percent": 19 }],
              "allow_fallback": false, "allow_unpriced": true },
            { "model": "claude-opus-5", "as_of": "2026-11-20", "context": { "inference_geo": "us" },
              "usage_from": { "format": "auto", "response": { "type": "message", "model": "claude-opus-5", "usage": {
                  "input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 9, "service_tier": "standard",
                  "server_tool_use": { "web_search_requests": 2 } } } } },
            { "model": "deepseek/deepseek-v4-pro", "usage": { "input_tokens": 7, "output_tokens": 1 } },
            { "model": "deepseek/deepseek-chat", "usage": { "input_tokens": { "low": 6, "mid": 7, "high": 9 }, "cache_read_tokens": 5 },
              "calls": { "low": 1, "mid": 20, "high": 300 }, "max_output_tokens": 500,
              "period": { "from": "2025-02-01", "to": "2025-03-10T11:00:00+08:00", "time_zone": "Asia/Shanghai",
                  "hour_weights": [0, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] } },
            { "model": "claude-sonnet-4-5", "context": { "inference_geo": "us" }, "allow_fallback": true, "max_output_tokens": 9_000,
              "conversation": { "turns": 30, "calls_per_turn": 2, "system_tokens": 90_000, "user_tokens": 300, "reply_tokens": 2_500,
                  "tool_tokens": 700, "cache": { "ttl": "1h" } }, "calls": { "low": 1, "mid": 2, "high": 3 } },
        ],
    })
}

/// Every place in a value, as a JSON Pointer.
pub fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(nth, value)| places(value, &format!("{at}/{nth}"), found));
        }
        _ => {}
    }
}

/// One thing done to a request.
#[derive(Debug, Clone)]
enum Mutation {
    Drop,
    Replace(&'static str),
    Twice,
    Wrap,
    Rename(String),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    const STRANGE: [&str; 14] = [
        "null",
        "true",
        "[]",
        "{}",
        "[[]]",
        "\"\"",
        "\"x\"",
        "-1",
        "1.5",
        "1e15",
        "1e16",
        "1e400",
        "\"1e5\"",
        "{\"not\":1}",
    ];
    prop_oneof![
        Just(Mutation::Drop),
        select(&STRANGE[..]).prop_map(Mutation::Replace),
        select(&NUMBERS[..]).prop_map(Mutation::Replace),
        Just(Mutation::Twice),
        Just(Mutation::Wrap),
        any::<String>().prop_map(Mutation::Rename),
        select(&WORDS[..]).prop_map(|word| Mutation::Rename(word.to_owned())),
    ]
}

/// Writes a value as text, with one place mutated.
fn write(value: &Value, at: &str, target: &str, mutation: &Mutation) -> String {
    let text = match value {
        Value::Object(members) => {
            let written =
                members.iter().filter_map(|(name, value)| member(name, value, at, target, mutation));
            format!("{{{}}}", written.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let written = values.iter().enumerate().filter_map(|(nth, value)| {
                let place = format!("{at}/{nth}");
                let dropped = place == target && matches!(mutation, Mutation::Drop);
                (!dropped).then(|| write(value, &place, target, mutation))
            });
            format!("[{}]", written.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    };
    match mutation {
        Mutation::Replace(strange) if at == target => (*strange).to_owned(),
        Mutation::Wrap if at == target => format!("[{text}]"),
        _ => text,
    }
}

fn member(name: &str, value: &Value, at: &str, target: &str, mutation: &Mutation) -> Option<String> {
    let place = format!("{at}/{name}");
    let written = write(value, &place, target, mutation);
    let named = |name: &str| format!("{}:{written}", Value::from(name));
    match mutation {
        Mutation::Drop if place == target => None,
        Mutation::Twice if place == target => Some(format!("{0},{0}", named(name))),
        Mutation::Rename(other) if place == target => Some(named(other)),
        _ => Some(named(name)),
    }
}

fn mutated(place: usize, mutation: &Mutation) -> String {
    let request = rich_request();
    let mut found = Vec::new();
    places(&request, "", &mut found);
    write(&request, "", &found[place % found.len()], mutation)
}

#[test]
fn the_request_that_is_mutated_is_sound() {
    let text = write(&rich_request(), "", "nowhere", &Mutation::Drop);
    let answer = RUNTIME.block_on(BUILT_IN.send(text.clone()));
    assert_eq!(answer.status, 200, "{text}\n{:#}", answer.value());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_json_is_answered(text in json_text()) {
        is_answered(text.clone(), &text);
    }

    #[test]
    fn any_members_of_an_item_are_answered(members in vec((select(&WORDS[..]), json_text()), 0..8)) {
        let members: Vec<String> = members.into_iter().map(|(name, value)| format!("{}:{value}", Value::from(name))).collect();
        let text = format!(r#"{{"items":[{{{}}}]}}"#, members.join(","));
        is_answered(text.clone(), &text);
    }

    #[test]
    fn any_mutation_of_a_sound_request_is_answered(place in any::<usize>(), mutation in mutation()) {
        let text = mutated(place, &mutation);
        is_answered(text.clone(), &text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..200), cut in 0_usize..2_000) {
        is_answered(bytes.clone(), &format!("{bytes:?}"));
        let mut text = rich_request().to_string().into_bytes();
        let at = cut % text.len();
        text.splice(at..at, bytes.into_iter().take(3));
        is_answered(text.clone(), &String::from_utf8_lossy(&text));
        text.truncate(at);
        is_answered(text.clone(), &String::from_utf8_lossy(&text));
    }

    #[test]
    fn any_counts_and_prices_are_answered(
        counts in vec((select(&["input_tokens", "cache_read_tokens", "output_tokens", "audio_seconds", "requests"][..]), select(&NUMBERS[..])), 0..4),
        calls in select(&NUMBERS[..]), amount in select(&NUMBERS[..]), per in select(&NUMBERS[..]), quoted in any::<bool>(),
    ) {
        let mut usage = Map::new();
        let raw = |number: &str| serde_json::from_str::<Value>(number).unwrap_or(json!(7));
        for (name, number) in &counts {
            usage.insert((*name).to_owned(), raw(number));
        }
        let quote = if quoted { "\"" } else { "" };
        let text = format!(
            r#"{{"model":"gpt-4o","allow_unpriced":true,"currency":"JPY","usage":{},"calls":{calls},"rates":{{"input_tokens":{{"amount":{quote}{amount}{quote},"per":{quote}{per}{quote}}}}}}}"#,
            Value::Object(usage)
        );
        is_answered(text.clone(), &text);
    }

    #[test]
    fn any_link_is_answered(pairs in vec((select(&WORDS[..]), "[ -~]{0,12}"), 0..6)) {
        let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let query = query.join("&");
        let answer = RUNTIME.block_on(BUILT_IN.get(&query));
        check(&answer, &query);
    }
}
