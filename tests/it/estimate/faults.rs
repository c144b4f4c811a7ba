//! Each fault of a request: where it is and what it is called.

use serde_json::{Value, json};

use super::{BUILT_IN, is_refused, quote};

fn gpt(more: &Value) -> Value {
    let mut request = json!({ "model": "gpt-4o", "usage": { "input_tokens": 10 } });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

/// Status, and pointer and code of each fault, of a body that is sent as it stands.
async fn sent(body: impl Into<axum::body::Body>) -> (u16, Vec<(String, String)>) {
    let answer = BUILT_IN.send(body).await;
    let value = answer.value();
    let text = |error: &Value, field: &str| error[field].as_str().unwrap().to_owned();
    let errors = value["errors"].as_array().into_iter().flatten();
    let faults = errors.map(|error| (text(error, "pointer"), text(error, "code"))).collect();
    (answer.status.as_u16(), faults)
}

async fn is_fault(body: &str, pointer: &str, code: &str) {
    let expected = (422, vec![(pointer.to_owned(), code.to_owned())]);
    assert_eq!(sent(body.to_owned()).await, expected, "{body}");
}

async fn nearest(request: Value, code: &str) -> String {
    let errors = BUILT_IN.errors(request).await;
    assert_eq!(errors[0]["code"], code);
    errors[0]["near_matches"][0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn unknown_names_are_told_with_the_nearest_known() {
    assert_eq!(nearest(json!({ "modle": "gpt-4o" }), "unknown_field").await, "model");
    assert_eq!(nearest(gpt(&json!({ "kind": "api_usge" })), "unknown_kind").await, "api_usage");
    assert_eq!(
        nearest(gpt(&json!({ "usage": { "input_tokns": 1 } })), "unknown_meter").await,
        "input_tokens"
    );
    assert_eq!(nearest(gpt(&json!({ "currency": "USB" })), "unknown_currency").await, "USD");
    let context = json!({ "service_teir": "batch" });
    assert_eq!(nearest(gpt(&json!({ "context": context })), "unknown_context_key").await, "service_tier");
}

#[tokio::test]
async fn unknown_names_point_at_themselves() {
    is_refused(gpt(&json!({ "colour": "red" })), "/colour", "unknown_field").await;
    is_refused(gpt(&json!({ "kind": "training-run" })), "/kind", "unknown_kind").await;
    is_refused(gpt(&json!({ "usage": { "moons": 1 } })), "/usage/moons", "unknown_meter").await;
    is_refused(gpt(&json!({ "model": "gpt-9" })), "/model", "unknown_model").await;
    is_refused(gpt(&json!({ "provider": "nobody" })), "/provider", "unknown_provider").await;
    is_refused(gpt(&json!({ "currency": "XXX" })), "/currency", "unknown_currency").await;
    is_refused(gpt(&json!({ "catalog_revision": 9 })), "/catalog_revision", "unknown_revision").await;
    is_refused(gpt(&json!({ "context": { "mood": "good" } })), "/context/mood", "unknown_context_key").await;
    let rates = json!({ "moons": { "amount": "1" } });
    is_refused(gpt(&json!({ "rates": rates })), "/rates/moons", "unknown_meter").await;
    let rates = json!({ "input_tokens": { "amount": "1", "currency": "XXX" } });
    is_refused(gpt(&json!({ "rates": rates })), "/rates/input_tokens/currency", "unknown_currency").await;
}

#[tokio::test]
async fn a_context_key_that_no_price_of_the_model_knows_is_refused() {
    let request = gpt(&json!({ "context": { "steps": 50 } }));
    is_refused(request, "/context/steps", "unknown_context_key").await;
}

#[tokio::test]
async fn what_is_missing_is_pointed_at_where_it_would_stand() {
    is_refused(json!({ "usage": { "input_tokens": 1 } }), "/model", "missing_field").await;
    is_refused(json!({ "model": "gpt-4o" }), "/usage", "missing_field").await;
    is_refused(gpt(&json!({ "adjustments": [{ "label": "x" }] })), "/adjustments/0/percent", "missing_field")
        .await;
    let rates = json!({ "input_tokens": { "per": 1 } });
    is_refused(gpt(&json!({ "rates": rates })), "/rates/input_tokens/amount", "missing_field").await;
}

#[tokio::test]
async fn a_value_of_another_type_is_refused() {
    is_refused(gpt(&json!({ "model": 4 })), "/model", "wrong_type").await;
    is_refused(gpt(&json!({ "usage": [1] })), "/usage", "wrong_type").await;
    is_refused(gpt(&json!({ "kind": 1 })), "/kind", "wrong_type").await;
    is_refused(gpt(&json!({ "tags": { "team": 1 } })), "/tags/team", "wrong_type").await;
    is_refused(gpt(&json!({ "allow_fallback": "yes" })), "/allow_fallback", "wrong_type").await;
    is_refused(json!({ "items": {} }), "/items", "wrong_type").await;
    for item in [json!(7), json!(null), json!([]), json!("gpt-4o")] {
        is_refused(json!({ "items": [gpt(&json!({})), item] }), "/items/1", "wrong_type").await;
    }
}

#[tokio::test]
async fn an_array_is_no_object() {
    is_refused(gpt(&json!({ "adjustments": [["x", "-1"]] })), "/adjustments/0", "wrong_type").await;
    is_refused(gpt(&json!({ "rates": { "input_tokens": ["1"] } })), "/rates/input_tokens", "wrong_type")
        .await;
    is_refused(json!({ "model": "gpt-4o", "usage_from": ["auto", {}] }), "/usage_from", "wrong_type").await;
}

#[tokio::test]
async fn counts_are_whole_and_from_0_to_1e15() {
    for count in ["-1", "1.5", "1e-1", "1000000000000001", "1e16", "1e999", "18446744073709551617", "-1e400"]
    {
        let body = format!(r#"{{"model":"gpt-4o","usage":{{"input_tokens":{count}}}}}"#);
        is_fault(&body, "/usage/input_tokens", "out_of_range").await;
        let body = format!(r#"{{"model":"gpt-4o","usage":{{"input_tokens":1}},"calls":{count}}}"#);
        is_fault(&body, "/calls", "out_of_range").await;
    }
}

#[tokio::test]
async fn a_number_that_would_lose_digits_is_refused() {
    let body = |percent: &str| {
        format!(
            r#"{{"model":"gpt-4o","usage":{{"input_tokens":1}},"adjustments":[{{"label":"x","percent":{percent}}}]}}"#
        )
    };
    for percent in [
        "0.1234567890123456789",
        "12345678901234567.891",
        "1e40",
        "1e-40",
        "\"1e3\"",
        "\"1_000\"",
        "\"+1\"",
        "\"\"",
        "\" 1\"",
    ] {
        is_fault(&body(percent), "/adjustments/0/percent", "out_of_range").await;
    }
    assert_eq!(sent(body("\"0.1234567890123456789\"")).await.0, 200, "as a string it keeps them");
}

#[tokio::test]
async fn own_prices_are_not_negative_and_for_more_than_nothing() {
    let rate = |rate: Value| gpt(&json!({ "rates": { "input_tokens": rate } }));
    is_refused(rate(json!({ "amount": "-1" })), "/rates/input_tokens/amount", "out_of_range").await;
    is_refused(rate(json!({ "amount": "1", "per": 0 })), "/rates/input_tokens/per", "out_of_range").await;
    is_refused(rate(json!({ "amount": "1", "per": "-5" })), "/rates/input_tokens/per", "out_of_range").await;
}

#[tokio::test]
async fn words_of_a_fixed_list_are_told_the_list() {
    let errors = BUILT_IN.errors(gpt(&json!({ "detail": "all" }))).await;
    assert_eq!((&errors[0]["pointer"], &errors[0]["code"]), (&json!("/detail"), &json!("out_of_range")));
    assert_eq!(errors[0]["detail"], "must be one of `total`, `lines`, `full`, got `all`");
    is_refused(gpt(&json!({ "usage_scope": "all" })), "/usage_scope", "out_of_range").await;
}

#[tokio::test]
async fn an_instant_has_to_be_one() {
    for as_of in ["yesterday", "2025-02-30", "2025-02-18T12:00:00", "2025-2-1", "", "20250218T120000Z"] {
        let answer = BUILT_IN.post(&gpt(&json!({ "as_of": as_of }))).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.value()["errors"][0]["pointer"]),
            (422, &json!("/as_of")),
            "{as_of}"
        );
    }
}

#[tokio::test]
async fn parts_fit_in_their_wholes() {
    let usage = |usage: Value| json!({ "model": "claude-opus-5", "usage": usage });
    let more = usage(json!({ "input_tokens": 10, "cache_read_tokens": 11 }));
    is_refused(more, "/usage/cache_read_tokens", "part_exceeds_whole").await;
    let together = usage(json!({ "input_tokens": 10, "cache_read_tokens": 6, "cache_write_tokens": 5 }));
    is_refused(together, "/usage/input_tokens", "part_exceeds_whole").await;
    let alone = usage(json!({ "cache_read_tokens": 1 }));
    is_refused(alone, "/usage/cache_read_tokens", "part_without_whole").await;
    let alone = usage(json!({ "input_tokens": 9, "cache_write_1h_tokens": 1 }));
    is_refused(alone, "/usage/cache_write_1h_tokens", "part_without_whole").await;
}

#[tokio::test]
async fn contradictions_are_refused() {
    let request = gpt(&json!({ "input_tokens_per_call": 5 }));
    is_refused(request, "/input_tokens_per_call", "contradiction").await;
    let request = gpt(&json!({ "usage_scope": "total", "calls": 0 }));
    is_refused(request, "/calls", "contradiction").await;
}

#[tokio::test]
async fn a_field_given_twice_is_a_contradiction_wherever_it_stands() {
    for (body, pointer) in [
        (r#"{"model":"gpt-4o","model":"gpt-4o","usage":{"input_tokens":1}}"#, "/model"),
        (r#"{"model":"gpt-4o","usage":{"input_tokens":1,"input_tokens":2}}"#, "/usage/input_tokens"),
        (r#"{"currency":"USD","currency":"EUR","model":"gpt-4o","usage":{"input_tokens":1}}"#, "/currency"),
        (r#"{"items":[],"items":[]}"#, "/items"),
        (
            r#"{"items":[{"model":"gpt-4o","usage":{"input_tokens":1},"calls":1,"calls":2}]}"#,
            "/items/0/calls",
        ),
        (
            r#"{"model":"gpt-4o","usage":{"input_tokens":1},"context":{"speed":"a","speed":"b"}}"#,
            "/context/speed",
        ),
        (r#"{"model":"gpt-4o","usage":{"input_tokens":1},"tags":{"a":"b","a":"c"}}"#, "/tags/a"),
        (r#"{"kind":"api_usage","kind":"api_usage","model":"gpt-4o","usage":{"input_tokens":1}}"#, "/kind"),
    ] {
        is_fault(body, pointer, "contradiction").await;
    }
}

#[tokio::test]
async fn a_hundred_and_one_items_are_too_many() {
    let items = vec![gpt(&json!({})); 101];
    is_refused(json!({ "items": items }), "/items", "too_many_items").await;
}

#[tokio::test]
async fn no_items_are_too_few() {
    is_refused(json!({ "items": [] }), "/items", "out_of_range").await;
}

#[tokio::test]
async fn the_first_fault_of_shape_of_each_item_and_all_of_meaning_come_at_once() {
    let faults = BUILT_IN
        .refusal(json!({ "currency": "XXX", "items": [
        { "model": 1, "usage": 2 },
        { "model": "gpt-9", "usage": { "moons": 1, "suns": 2 }, "context": { "mood": "good" } },
        { "model": "gpt-4o", "usage": { "input_tokens": -1, "output_tokens": -1 } },
        { "model": "gpt-4o", "usage": { "input_tokens": 1 } },
        { "kind": "baking" },
    ] }))
        .await;
    let faults: Vec<(&str, &str)> = faults.iter().map(|(at, code)| (at.as_str(), code.as_str())).collect();
    let expected = [
        ("/items/0/model", "wrong_type"),
        ("/items/2/usage/input_tokens", "out_of_range"),
        ("/items/4/kind", "unknown_kind"),
        ("/currency", "unknown_currency"),
        ("/items/1/model", "unknown_model"),
        ("/items/1/usage/moons", "unknown_meter"),
        ("/items/1/usage/suns", "unknown_meter"),
        ("/items/1/context/mood", "unknown_context_key"),
    ];
    assert_eq!(faults, expected);
}

#[tokio::test]
async fn a_field_of_the_envelope_does_not_belong_in_an_item() {
    is_refused(
        json!({ "items": [gpt(&json!({ "currency": "USD" }))] }),
        "/items/0/currency",
        "unknown_field",
    )
    .await;
    is_refused(json!({ "items": [gpt(&json!({}))], "model": "gpt-4o" }), "/model", "unknown_field").await;
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    for body in [
        "",
        " ",
        "{",
        "nonsense",
        "{\"model\":}",
        "{} x",
        "{'model': 1}",
        "\u{feff}{}",
        "[1,]",
        "{\"a\":01}",
        "NaN",
    ] {
        assert_eq!(sent(body.to_owned()).await, (400, Vec::new()), "{body}");
    }
    assert_eq!(sent(b"{\"model\":\"\xff\"}".to_vec()).await.0, 400, "not UTF-8");
}

#[tokio::test]
async fn json_that_is_no_object_is_no_request() {
    for body in ["[]", "[1,2]", "\"text\"", "null", "1", "true"] {
        is_fault(body, "", "wrong_type").await;
    }
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_read_and_one_byte_more_is_not() {
    let padded = |length: usize| {
        let body = gpt(&json!({})).to_string();
        let spaces = " ".repeat(length - body.len());
        body + &spaces
    };
    assert_eq!(sent(padded(1024 * 1024)).await.0, 200);
    assert_eq!(sent(padded(1024 * 1024 + 1)).await.0, 413);
}

#[tokio::test]
async fn nesting_without_end_is_refused_wherever_it_stands() {
    for depth in [127, 128, 129, 1_000, 100_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for body in [
            nested.clone(),
            format!(r#"{{"model":{nested}}}"#),
            format!(r#"{{"model":"gpt-4o","usage":{{"input_tokens":{nested}}}}}"#),
            format!(r#"{{"items":[{nested}]}}"#),
            format!(r#"{{"items":[{{"nothing":{nested}}}]}}"#),
            format!(r#"{{"usage_from":{{"response":{nested}}}}}"#),
            format!(r#"{{"usage_from":{{"response":{{"usage":{{"prompt_tokens":{nested}}}}}}}}}"#),
        ] {
            let (status, _) = sent(body.clone()).await;
            assert!(matches!(status, 400 | 422), "{status}: {depth} levels in {}", &body[..60]);
        }
    }
}

#[tokio::test]
async fn odd_text_is_a_name_like_any_other() {
    for (body, code) in [
        (r#"{"model":"\u0000","usage":{"input_tokens":1}}"#, "unknown_model"),
        (r#"{"model":"🦊","usage":{"input_tokens":1}}"#, "unknown_model"),
        (r#"{"model":"🦊/🦊","usage":{"input_tokens":1}}"#, "unknown_model"),
        (r#"{"model":"","usage":{"input_tokens":1}}"#, "unknown_model"),
        (r#"{"model":"/","usage":{"input_tokens":1}}"#, "unknown_model"),
        (r#"{"🦊":1,"model":"gpt-4o","usage":{"input_tokens":1}}"#, "unknown_field"),
        (r#"{"\u0000":1,"model":"gpt-4o","usage":{"input_tokens":1}}"#, "unknown_field"),
    ] {
        let (status, faults) = sent(body).await;
        assert_eq!((status, faults[0].1.as_str()), (422, code), "{body}");
    }
}

#[tokio::test]
async fn half_a_character_is_not_json() {
    for body in [
        r#"{"model":"\ud800","usage":{"input_tokens":1}}"#,
        r#"{"\ud800":1}"#,
        r#"{"items":[{"model":"\udc00"}]}"#,
    ] {
        let (status, _) = sent(body).await;
        assert!(matches!(status, 400 | 422), "{status}: {body}");
    }
}

#[tokio::test]
async fn a_pointer_escapes_what_a_name_may_hold() {
    is_refused(gpt(&json!({ "usage": { "a/b~c": 1 } })), "/usage/a~1b~0c", "unknown_meter").await;
}

#[tokio::test]
async fn what_somebody_sent_is_not_repeated_at_length() {
    let long = "x".repeat(100_000);
    for request in [
        gpt(&json!({ "model": long })),
        gpt(&json!({ "provider": long })),
        gpt(&json!({ "currency": long })),
        gpt(&json!({ "kind": long })),
        gpt(&json!({ "detail": long })),
        json!({ "model": "gpt-4o", "usage": { "input_tokens": long } }),
    ] {
        let answer = BUILT_IN.post(&request).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.len() < 2_000, "{} bytes", answer.body.len());
    }
}

#[tokio::test]
async fn null_is_the_same_as_nothing() {
    let request =
        gpt(&json!({ "id": null, "as_of": null, "provider": null, "calls": null, "currency": null }));
    assert_eq!(quote(request).await, quote(gpt(&json!({}))).await);
}

#[tokio::test]
async fn an_instant_is_at_fault_where_it_is_said() {
    let item = |as_of: Option<&str>| json!({ "provider": "deepseek", "model": "deepseek-chat", "usage": { "input_tokens": 1 }, "as_of": as_of });
    let request = json!({ "as_of": "2024-01-01", "items": [item(None), item(Some("2024-01-02"))] });
    let errors = BUILT_IN.errors(request).await;
    let pointers: Vec<_> = errors.iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/as_of", "/items/1/as_of"]);
}
