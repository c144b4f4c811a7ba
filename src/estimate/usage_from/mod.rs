//! What a vendor's response says was used: its raw JSON in, Farthing's meters out.
//!
//! Vendors count alike and mean different things: `OpenAI`'s input contains what came from the cache,
//! Anthropic's does not; Gemini's output leaves thinking out. Each reader turns its vendor's words into
//! wholes that contain their parts, which is what [`crate::catalog::meter::Meter::part_of`] says of them.
//!
//! [`read`] takes a whole response, its bare usage object, a stream's last event, or all events of a stream
//! as an array (the last word on each field counts). It changes nothing that the vendor said: a part larger
//! than its whole is for the estimator to refuse.

mod anthropic;
mod bedrock;
mod fields;
mod gemini;
mod openai;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use self::fields::Place;
use super::fault::{Fault, FaultKind};
use crate::catalog::{money::Currency, rate_card::ContextKey};

/// The vendor whose response it is; many others speak `OpenAI`'s format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Recognised by its fields.
    #[default]
    Auto,
    /// Chat completions, responses, embeddings, audio and images, and what is compatible with them.
    Openai,
    /// Messages.
    Anthropic,
    /// `generateContent`, of the Gemini API and of Vertex AI.
    Gemini,
    /// Converse, and the headers of `InvokeModel`.
    Bedrock,
}

/// What a vendor's response says was used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    /// Meter ids with counts above zero; a whole contains its parts.
    pub usage: Vec<(&'static str, u64)>,
    /// Meters in `usage` that count the same thing a second time, for price lists that know it only by this
    /// name: dropped without a word where the rate card has no price for them. Always a part whose whole is
    /// there and of the same size, so that whatever is dropped is still charged.
    pub alternatives: Vec<&'static str>,
    /// The model, as the vendor spells it.
    pub model: Option<String>,
    /// Under what context it was served, in the catalog's words; standard service says nothing.
    pub context: Vec<(ContextKey, String)>,
    /// When it was served, to the millisecond.
    pub at: Option<Timestamp>,
    /// What the vendor says it costs.
    pub reported_cost: Option<(Decimal, Currency)>,
    /// Fields of the usage object with a number other than zero that this reader does not know, as JSON
    /// pointers: something may be missing from the price.
    pub unread: Vec<String>,
}

/// Reads a response. Pointers of faults are relative to it.
///
/// # Errors
/// When no usage is found, or a count is no whole number from 0 to 1e15.
///
/// ```
/// use farthing::estimate::usage_from::{Format, read};
/// let response = serde_json::json!({ "model": "gpt-4o", "usage": { "prompt_tokens": 1200, "completion_tokens": 300 } });
/// let reported = read(Format::Auto, &response).unwrap();
/// assert_eq!(reported.usage, [("input_tokens", 1200), ("output_tokens", 300)]);
/// ```
pub fn read(format: Format, response: &Value) -> Result<Reported, Vec<Fault>> {
    let root = Place::root(response);
    let format = match format {
        Format::Auto => recognise(&root).ok_or_else(|| vec![not_recognised()])?,
        named => named,
    };
    match format {
        Format::Anthropic => anthropic::read(&root),
        Format::Gemini => gemini::read(&root),
        Format::Bedrock => bedrock::read(&root),
        Format::Openai | Format::Auto => openai::read(&root),
    }
}

/// Tells formats apart by fields that only one of them has; `OpenAI` last, because many imitate it.
///
/// A bare `{"input_tokens", "output_tokens"}` could be Anthropic's or `OpenAI`'s; both mean the same by it.
fn recognise(root: &Place<'_>) -> Option<Format> {
    if gemini::recognises(root) {
        Some(Format::Gemini)
    } else if anthropic::recognises(root) {
        Some(Format::Anthropic)
    } else if bedrock::recognises(root) {
        Some(Format::Bedrock)
    } else if openai::recognises(root) {
        Some(Format::Openai)
    } else {
        None
    }
}

fn not_recognised() -> Fault {
    let expected = "must be a response with its usage: `usage` with `prompt_tokens` or `input_tokens` \
                    (OpenAI, Anthropic) or `inputTokens` (Bedrock), or `usageMetadata` (Gemini)";
    Fault::new("", FaultKind::wrong_type(expected))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A recorded response, read as what it is; and recognised as that.
    pub(super) fn recorded(format: Format, text: &str) -> Reported {
        let response: Value = serde_json::from_str(text).unwrap();
        let reported = read(format, &response).unwrap();
        assert_eq!(recognise(&Place::root(&response)), Some(format));
        reported
    }

    /// Pointer and message of what is wrong with a usage object.
    fn faults(response: &Value) -> Vec<(String, String)> {
        let faults = read(Format::Auto, response).unwrap_err();
        let said = faults.into_iter().map(|it| (it.pointer, it.kind.to_string()));
        said.collect()
    }

    #[test]
    fn every_bad_count_is_reported_with_its_pointer() {
        let response = json!({ "usage": {
            "prompt_tokens": -3,
            "completion_tokens": 1.5,
            "prompt_tokens_details": { "cached_tokens": "8", "audio_tokens": 2e15 },
            "completion_tokens_details": [],
        } });
        let range = |got: &str| format!("must be a whole number from 0 to 1e15, got {got}");
        let expected = [
            ("/usage/prompt_tokens", range("-3")),
            ("/usage/prompt_tokens_details/audio_tokens", range("2000000000000000.0")),
            ("/usage/prompt_tokens_details/cached_tokens", "must be a whole number".to_owned()),
            ("/usage/completion_tokens_details", "must be an object".to_owned()),
            ("/usage/completion_tokens", range("1.5")),
        ];
        assert_eq!(faults(&response), expected.map(|(at, said)| (at.to_owned(), said)));
    }

    #[test]
    fn a_fault_in_a_stream_points_at_its_event() {
        let stream = json!([
            { "usage": { "prompt_tokens": 1 } },
            { "usage": { "prompt_tokens": -1 } },
        ]);
        assert_eq!(faults(&stream)[0].0, "/1/usage/prompt_tokens");
    }

    #[test]
    fn parts_that_add_up_to_too_much_are_refused() {
        let usage = json!({ "inputTokens": 1e15, "cacheReadInputTokens": 1, "outputTokens": 0 });
        let said = "`input_tokens` must add up to at most 1e15, got 1000000000000001";
        assert_eq!(faults(&usage), [(String::new(), said.to_owned())]);
    }

    #[test]
    fn counts_may_be_spelled_in_any_way_that_json_has() {
        let usage = json!({ "prompt_tokens": 1.2e3, "completion_tokens": 300.0 });
        let reported = read(Format::Auto, &usage).unwrap();
        assert_eq!(reported.usage, [("input_tokens", 1200), ("output_tokens", 300)]);
    }

    #[test]
    fn null_is_the_same_as_nothing() {
        let details =
            json!({ "usage": { "prompt_tokens": 9, "prompt_tokens_details": null }, "model": null });
        let reported = read(Format::Auto, &details).unwrap();
        assert_eq!(reported.usage, [("input_tokens", 9)]);
    }

    #[test]
    fn what_is_not_recognised_says_what_was_looked_for() {
        for response in [json!(null), json!([]), json!({ "error": {} }), json!({ "data": [] })] {
            let (at, said) = faults(&response).remove(0);
            assert!(at.is_empty() && said.contains("`usageMetadata` (Gemini)"), "{at}: {said}");
        }
    }

    #[test]
    fn a_named_format_without_its_usage_is_missing_it() {
        for format in [Format::Openai, Format::Anthropic, Format::Gemini, Format::Bedrock] {
            let faults = read(format, &json!({ "model": "m" })).unwrap_err();
            let missing = matches!(faults[0].kind, FaultKind::MissingField { .. });
            assert!(missing, "{format:?}: {faults:?}");
        }
    }

    #[test]
    fn a_number_that_nobody_knows_is_named_once() {
        let chunk = json!({ "usage": { "prompt_tokens": 1, "moon_tokens": { "new": 3, "full": 0 } } });
        let reported = read(Format::Auto, &json!([chunk, chunk])).unwrap();
        assert_eq!(reported.unread, ["/1/usage/moon_tokens/new"]);
    }

    /// Names that the readers look for, so that random JSON gets past their doors.
    const NAMES: [&str; 44] = [
        "usage",
        "response",
        "body",
        "model",
        "type",
        "object",
        "created",
        "data",
        "output",
        "action",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        "cached_tokens",
        "reasoning_tokens",
        "seconds",
        "cost",
        "cost_in_usd_ticks",
        "service_tier",
        "message",
        "result",
        "iterations",
        "cache_creation",
        "cache_read_input_tokens",
        "server_tool_use",
        "usageMetadata",
        "promptTokenCount",
        "thoughtsTokenCount",
        "promptTokensDetails",
        "cacheTokensDetails",
        "modality",
        "tokenCount",
        "modelVersion",
        "createTime",
        "candidates",
        "metadata",
        "inputTokens",
        "cacheDetails",
        "ResponseMetadata",
        "amazon-bedrock-invocationMetrics",
    ];

    fn json_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-z0-9-]{0,12}",
            Just("VIDEO".to_owned()),
            Just("duration".to_owned()),
            Just("compaction".to_owned()),
            Just("2026-02-03T10:00:00Z".to_owned()),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (0_u64..2000).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 48, 8, |inner| {
            let name = prop_oneof![
                9 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
                1 => ".{0,4}",
            ];
            prop_oneof![
                1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                4 => prop::collection::btree_map(name, inner, 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic_or_report_a_count_out_of_range(response in json_value()) {
            for format in [Format::Auto, Format::Openai, Format::Anthropic, Format::Gemini, Format::Bedrock] {
                match read(format, &response) {
                    Ok(reported) => {
                        let in_range = |(_, count): &(&str, u64)| (1..=1_000_000_000_000_000).contains(count);
                        prop_assert!(reported.usage.iter().all(in_range), "{reported:?}");
                    }
                    Err(faults) => prop_assert!(!faults.is_empty()),
                }
            }
        }

        /// Anthropic's and Bedrock's input leaves the cache out: the whole contains both.
        #[test]
        fn the_whole_contains_the_cache(fresh in 0_u64..1_000_000, read_from in 1_u64..1_000_000, written in 1_u64..1_000_000) {
            let anthropic = json!({ "input_tokens": fresh, "cache_read_input_tokens": read_from, "cache_creation_input_tokens": written });
            let bedrock = json!({ "inputTokens": fresh, "cacheReadInputTokens": read_from, "cacheWriteInputTokens": written });
            let expected = [("input_tokens", fresh + read_from + written), ("cache_read_tokens", read_from), ("cache_write_tokens", written)];
            for usage in [anthropic, bedrock] {
                prop_assert_eq!(&read(Format::Auto, &usage).unwrap().usage, &expected);
            }
        }
    }
}
