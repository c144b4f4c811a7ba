//! `OpenAI`'s formats, and those of the many vendors that speak them.
//!
//! - Chat completions: `prompt_tokens` contains `cached_tokens`, `cache_write_tokens` (GPT-5.6 and later) and
//!   audio; `completion_tokens` contains reasoning, audio and predicted tokens, rejected ones too.
//!   <https://platform.openai.com/docs/api-reference/chat/object>,
//!   <https://platform.openai.com/docs/guides/prompt-caching>
//! - Responses: the same under `input_tokens` and `output_tokens`; searches are items of `output`.
//!   <https://platform.openai.com/docs/api-reference/responses/object>
//! - Embeddings, transcriptions by tokens or by seconds, images by tokens or by the picture.
//!   <https://platform.openai.com/docs/api-reference/images/object>
//! - `service_tier` of a response is the tier that served it, whatever was asked for.
//!   <https://platform.openai.com/docs/guides/flex-processing>
//! - A line of a batch's output wraps the response in `response.body`.
//!   <https://platform.openai.com/docs/guides/batch>
//!
//! Pictures are charged by tokens where tokens are reported: `output_images`, `quality` and `size` would select
//! a list of prices per picture, which is the same bill a second time and without the prompt. They are reported
//! where there are no tokens.
//!
//! Compatible vendors: `prompt_cache_hit_tokens` (<https://api-docs.deepseek.com/api/create-chat-completion>),
//! `cost` in dollars (<https://openrouter.ai/docs/use-cases/usage-accounting>), `cost_in_usd_ticks` of 1e-10 dollar
//! (<https://docs.x.ai/developers/cost-tracking>), `prompt_audio_seconds` (<https://docs.mistral.ai/capabilities/audio>).

use rust_decimal::Decimal;

use super::{
    Reported,
    fields::{Place, Reading},
};
use crate::{
    catalog::{money::Currency, rate_card::ContextKey},
    estimate::fault::Fault,
};

/// Names of one thing in the two styles of `OpenAI`'s usage.
struct Style {
    input: &'static str,
    output: &'static str,
    input_details: [&'static str; 2],
    output_details: [&'static str; 2],
}

const CHAT: Style = Style {
    input: "prompt_tokens",
    output: "completion_tokens",
    input_details: ["prompt_tokens_details", "prompt_token_details"],
    output_details: ["completion_tokens_details", "completion_token_details"],
};

const RESPONSES: Style = Style {
    input: "input_tokens",
    output: "output_tokens",
    input_details: ["input_tokens_details", "input_token_details"],
    output_details: ["output_tokens_details", "output_token_details"],
};

/// `usage` in either style, pictures, or something inside a wrapper that has them.
pub(super) fn recognises(root: &Place<'_>) -> bool {
    let body = body(root);
    let usage = usage(&body);
    usage.has_any(&[CHAT.input, RESPONSES.input, CHAT.output, RESPONSES.output])
        || usage.get("type").is_any_of(&["duration"])
        || has_pictures(&body)
}

pub(super) fn read(root: &Place<'_>) -> Result<Reported, Vec<Fault>> {
    let body = body(root);
    let mut reading = Reading::default();
    reading.model(&body.get("model"));
    reading.at_seconds(&body.first(&["created", "created_at"]));
    let usage = reading.object(usage(&body));
    quantities(&mut reading, &body, &usage);
    searches(&mut reading, &body, &usage);
    tier(&mut reading, root, &body);
    cost(&mut reading, &usage);
    reading.ignore(&usage, &["queue_time", "prompt_time", "completion_time", "total_time"]); // Groq: durations
    reading.unread(&usage);
    reading.finish()
}

/// The response inside a batch's line (`response.body`) or a stream's event (`response`).
fn body<'a>(root: &Place<'a>) -> Place<'a> {
    root.unwrapped(|layer| {
        let response = layer.get("response");
        let batched = response.get("body");
        if batched.exists() {
            batched
        } else if response.exists() && !layer.has_any(&["usage"]) {
            response
        } else {
            layer
        }
    })
}

/// The usage object: in its place, where Groq's streams keep it, or handed in bare.
fn usage<'a>(body: &Place<'a>) -> Place<'a> {
    let usage = body.get("usage");
    let groq = body.get("x_groq").get("usage");
    let bare = body.has_any(&[CHAT.input, RESPONSES.input, CHAT.output, RESPONSES.output])
        || (body.get("type").is_any_of(&["duration"]) && body.get("seconds").exists());
    if usage.exists() {
        usage
    } else if groq.exists() {
        groq
    } else if bare {
        body.clone()
    } else {
        usage
    }
}

/// Pictures: the images API, whose answers alone have `data` and are no `list`, and its last streamed event.
fn has_pictures(body: &Place<'_>) -> bool {
    let data = body.get("data").elements();
    let dated = body.get("created").exists();
    let listed = data.iter().any(|item| dated || item.has_any(&["b64_json", "url"]));
    (listed && !body.has_any(&["object", "choices"])) || is_picture_event(body)
}

fn is_picture_event(body: &Place<'_>) -> bool {
    body.get("type").is_any_of(&["image_generation.completed", "image_edit.completed"])
}

/// What was counted: seconds, tokens, or pictures.
fn quantities(reading: &mut Reading, body: &Place<'_>, usage: &Place<'_>) {
    if usage.get("type").is_any_of(&["duration"]) {
        audio(reading, usage, "seconds");
    } else if usage.has_any(&[CHAT.input, CHAT.output]) {
        tokens(reading, body, usage, &CHAT);
    } else if usage.has_any(&[RESPONSES.input, RESPONSES.output]) {
        tokens(reading, body, usage, &RESPONSES);
    } else if has_pictures(body) {
        pictures(reading, body);
    } else if usage.exists() {
        reading.missing(usage, CHAT.input);
    } else {
        reading.missing(body, "usage");
    }
}

/// Seconds of audio, under the two names that price lists have for them.
fn audio(reading: &mut Reading, usage: &Place<'_>, name: &str) {
    let place = usage.get(name);
    if !place.exists() {
        reading.missing(usage, name);
    }
    let seconds = reading.seconds(&place);
    reading.meter(usage, "audio_seconds", seconds);
    reading.meter(usage, "input_audio_seconds", seconds);
    if seconds > 0 {
        reading.reported.alternatives.push("input_audio_seconds");
    }
}

/// Pictures whose tokens nobody counted.
fn pictures(reading: &mut Reading, body: &Place<'_>) {
    let streamed = usize::from(is_picture_event(body));
    let number = body.get("data").elements().len().max(streamed);
    reading.meter(body, "output_images", number as u64);
    for (key, name) in [(ContextKey::Quality, "quality"), (ContextKey::Size, "size")] {
        if let Some(value) = reading.words(&body.get(name)) {
            reading.context(key, value);
        }
    }
}

fn tokens(reading: &mut Reading, body: &Place<'_>, usage: &Place<'_>, style: &Style) {
    input(reading, usage, style);
    output(reading, body, usage, style);
    reading.ignore(usage, &["total_tokens"]);
    if usage.get("prompt_audio_seconds").value().is_some_and(serde_json::Value::is_number) {
        audio(reading, usage, "prompt_audio_seconds");
    }
}

fn input(reading: &mut Reading, usage: &Place<'_>, style: &Style) {
    let whole = reading.required(usage, style.input);
    let details = reading.object(usage.first(&style.input_details));
    let cached = reading.object(details.get("cached_tokens_details"));
    reading.meter(usage, "input_tokens", whole);
    for (meter, place) in [
        ("input_audio_tokens", details.get("audio_tokens")),
        ("input_image_tokens", details.get("image_tokens")),
        ("input_video_tokens", details.get("video_tokens")),
        ("cache_read_tokens", cache_read(&details, usage)),
        ("cache_read_audio_tokens", cached.get("audio_tokens")),
        ("cache_read_image_tokens", cached.get("image_tokens")),
        ("cache_write_tokens", cache_write(&details, usage)),
    ] {
        let count = reading.count(&place);
        reading.meter(usage, meter, count);
    }
    // Said once more by some vendors, or the rest of what is charged as the whole.
    reading.ignore(&details, &["text_tokens"]);
    reading.ignore(&cached, &["text_tokens"]);
    reading.ignore(usage, &CACHE_READ);
    reading.ignore(usage, &["prompt_cache_miss_tokens", "cache_creation_input_tokens"]);
}

/// Where compatible vendors put what was read from the cache, when not among the details.
const CACHE_READ: [&str; 3] = ["prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"];

fn cache_read<'a>(details: &Place<'a>, usage: &Place<'a>) -> Place<'a> {
    let place = details.get("cached_tokens");
    if place.exists() { place } else { usage.first(&CACHE_READ) }
}

fn cache_write<'a>(details: &Place<'a>, usage: &Place<'a>) -> Place<'a> {
    let place =
        details.first(&["cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"]);
    if place.exists() { place } else { usage.get("cache_creation_input_tokens") }
}

fn output(reading: &mut Reading, body: &Place<'_>, usage: &Place<'_>, style: &Style) {
    let details = reading.object(usage.first(&style.output_details));
    let reasoning = reading.count(&details.get("reasoning_tokens"));
    let mut whole = reading.count(&usage.get(style.output));
    if reasoning_is_apart(reading, usage, style, reasoning) {
        whole = whole.saturating_add(reasoning);
    }
    let kind = |name: &str| details.get(name);
    let (mut audio, mut image) = (reading.count(&kind("audio_tokens")), reading.count(&kind("image_tokens")));
    if !details.exists() && has_pictures(body) {
        image = whole; // before there were details, all output was the picture
    }
    if !details.exists() && body.get("type").is_any_of(&["speech.audio.done"]) {
        audio = whole;
    }
    reading.meter(usage, "output_tokens", whole);
    reading.meter(usage, "output_reasoning_tokens", reasoning);
    reading.meter(usage, "output_audio_tokens", audio);
    reading.meter(usage, "output_image_tokens", image);
    // Predicted tokens are inside the whole and charged like any other, rejected ones too.
    reading.ignore(&details, &["text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"]);
}

/// xAI's chat completions count reasoning beside `completion_tokens`; the total gives it away.
fn reasoning_is_apart(reading: &mut Reading, usage: &Place<'_>, style: &Style, reasoning: u64) -> bool {
    let total = reading.count(&usage.get("total_tokens"));
    let parts = [style.input, style.output]
        .map(|name| usage.get(name).value().and_then(serde_json::Value::as_u64).unwrap_or(0));
    let beside = parts.iter().fold(reasoning, |sum, part| sum.saturating_add(*part));
    reasoning > 0 && total == beside
}

/// Searches that a response's tools made; opening a page or finding text in it is no search.
/// <https://platform.openai.com/docs/guides/tools-web-search>
fn searches(reading: &mut Reading, body: &Place<'_>, usage: &Place<'_>) {
    let (mut web, mut files) = (0, 0);
    for item in body.get("output").elements() {
        let action = item.get("action").get("type");
        match item.get("type").text() {
            Some("web_search_call") if matches!(action.text(), None | Some("search")) => web += 1,
            Some("file_search_call") => files += 1,
            _ => {}
        }
    }
    let tools = body.get("tool_usage"); // tokens of pictures drawn by a tool: another model's, so left unread
    let counted = reading.count(&tools.get("web_search").get("num_requests"));
    let other = reading.count(&usage.get("server_tool_use").get("web_search_requests")); // OpenRouter
    let said = counted.max(other);
    let web = if said > 0 { said } else { web };
    reading.meter(usage, "web_searches", web);
    reading.meter(usage, "storage_searches", files);
    reading.ignore(&tools, &["web_search"]);
    reading.unread(&tools);
}

/// The tier that served: `scale` is prepaid capacity at standard prices, `on_demand` is Groq's standard.
fn tier(reading: &mut Reading, root: &Place<'_>, body: &Place<'_>) {
    let batched = root.get("response").get("body").exists() || body.get("object").is_any_of(&["batch"]);
    let tier = reading.words(&body.get("service_tier"));
    if batched {
        reading.context(ContextKey::ServiceTier, "batch");
    } else if let Some(tier) = tier.filter(|tier| !matches!(tier.as_str(), "scale" | "on_demand")) {
        reading.context(ContextKey::ServiceTier, tier);
    }
}

/// What the vendor says it costs: `OpenRouter` in dollars, Perplexity in parts, xAI in ticks.
fn cost(reading: &mut Reading, usage: &Place<'_>) {
    let cost = usage.get("cost");
    let parts = cost.value().is_some_and(serde_json::Value::is_object);
    reading.cost(&if parts { cost.get("total_cost") } else { cost.clone() });
    reading.seen(&cost);
    let ticks = usage.get("cost_in_usd_ticks");
    let count = reading.count(&ticks);
    if ticks.exists() {
        let dollars = Decimal::from_i128_with_scale(i128::from(count), 10).normalize();
        reading.reported.reported_cost = Some((dollars, Currency::USD));
    }
    reading.ignore(usage, &["cost_details", "is_byok"]);
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::super::{Format, Reported, read, tests::recorded};
    use crate::catalog::{
        money::{Currency, parse_decimal},
        rate_card::ContextKey,
    };

    fn of(text: &str) -> Reported {
        recorded(Format::Openai, text)
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/usage/openai/", $name, ".json"))
        };
    }

    fn ten_o_clock() -> Timestamp {
        "2026-02-03T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn cached_tokens_are_a_part_of_the_prompt() {
        let expected = Reported {
            usage: vec![("input_tokens", 2006), ("cache_read_tokens", 1920), ("output_tokens", 300)],
            model: Some("gpt-4o-2024-08-06".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("chat_cached")), expected);
    }

    #[test]
    fn reasoning_and_rejected_predictions_are_inside_the_completion() {
        let expected = Reported {
            usage: vec![("input_tokens", 75), ("output_tokens", 1186), ("output_reasoning_tokens", 1024)],
            model: Some("o4-mini-2025-04-16".to_owned()),
            context: vec![(ContextKey::ServiceTier, "flex".to_owned())],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("chat_reasoning_flex")), expected);
    }

    #[test]
    fn audio_is_a_part_of_the_prompt_and_of_the_completion() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 330),
                ("input_audio_tokens", 300),
                ("output_tokens", 120),
                ("output_audio_tokens", 95),
            ],
            model: Some("gpt-audio-2025-08-28".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("chat_audio")), expected);
    }

    #[test]
    fn the_last_chunk_of_a_stream_has_the_usage() {
        let expected = Reported {
            usage: vec![("input_tokens", 19), ("output_tokens", 10)],
            model: Some("gpt-4.1-2025-04-14".to_owned()),
            context: vec![(ContextKey::ServiceTier, "priority".to_owned())],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("chat_stream_last_chunk")), expected);
    }

    #[test]
    fn a_whole_stream_is_read_to_its_last_chunk() {
        let expected = Reported {
            usage: vec![("input_tokens", 19), ("output_tokens", 10)],
            model: Some("gpt-4.1-2025-04-14".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("chat_stream")), expected);
    }

    #[test]
    fn a_line_of_a_batch_is_served_as_a_batch() {
        let expected = Reported {
            usage: vec![("input_tokens", 22), ("output_tokens", 2)],
            model: Some("gpt-4o-mini-2024-07-18".to_owned()),
            context: vec![(ContextKey::ServiceTier, "batch".to_owned())],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("chat_batch_line")), expected);
    }

    #[test]
    fn searches_are_counted_and_opened_pages_are_not() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 8400),
                ("output_tokens", 350),
                ("web_searches", 2),
                ("storage_searches", 1),
            ],
            model: Some("gpt-4o-2024-08-06".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("responses_web_search")), expected);
    }

    #[test]
    fn cache_writes_are_a_part_of_the_input_and_tools_of_other_models_are_left_unread() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 2600),
                ("cache_read_tokens", 2000),
                ("cache_write_tokens", 400),
                ("output_tokens", 512),
                ("output_reasoning_tokens", 448),
                ("web_searches", 1),
            ],
            model: Some("gpt-5.6-luna".to_owned()),
            context: vec![(ContextKey::ServiceTier, "priority".to_owned())],
            at: Some(ten_o_clock()),
            unread: [
                "input_tokens",
                "input_tokens_details/text_tokens",
                "output_tokens",
                "output_tokens_details/image_tokens",
                "total_tokens",
            ]
            .map(|name| format!("/response/tool_usage/image_gen/{name}"))
            .to_vec(),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("responses_stream_completed")), expected);
    }

    #[test]
    fn embeddings_have_input_alone() {
        let expected = Reported {
            usage: vec![("input_tokens", 8)],
            model: Some("text-embedding-3-small".to_owned()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("embeddings")), expected);
    }

    #[test]
    fn a_transcription_by_tokens_has_audio_in_its_input() {
        let expected = Reported {
            usage: vec![("input_tokens", 114), ("input_audio_tokens", 100), ("output_tokens", 35)],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("transcription_tokens")), expected);
    }

    #[test]
    fn a_transcription_by_seconds_goes_by_both_names_of_them() {
        let expected = Reported {
            usage: vec![("audio_seconds", 27), ("input_audio_seconds", 27)],
            alternatives: vec!["input_audio_seconds"],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("transcription_duration")), expected);
    }

    #[test]
    fn speech_is_all_audio() {
        let expected = Reported {
            usage: vec![("input_tokens", 14), ("output_tokens", 101), ("output_audio_tokens", 101)],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("speech_done_event")), expected);
    }

    #[test]
    fn pictures_with_tokens_are_charged_by_tokens_alone() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 388),
                ("input_image_tokens", 323),
                ("output_tokens", 8320),
                ("output_image_tokens", 8320),
            ],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("images_tokens")), expected);
    }

    #[test]
    fn pictures_without_tokens_are_counted_at_their_quality_and_size() {
        let expected = Reported {
            usage: vec![("output_images", 3)],
            context: vec![(ContextKey::Quality, "hd".to_owned()), (ContextKey::Size, "1024x1792".to_owned())],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("images_without_tokens")), expected);
    }

    #[test]
    fn cached_audio_and_pictures_are_told_apart() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 1000),
                ("input_audio_tokens", 600),
                ("input_image_tokens", 100),
                ("cache_read_tokens", 640),
                ("cache_read_audio_tokens", 448),
                ("cache_read_image_tokens", 64),
                ("output_tokens", 200),
                ("output_audio_tokens", 160),
            ],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("realtime_cached_audio")), expected);
    }

    #[test]
    fn deepseek_says_what_hit_the_cache() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 4000),
                ("cache_read_tokens", 3584),
                ("output_tokens", 900),
                ("output_reasoning_tokens", 700),
            ],
            model: Some("deepseek-reasoner".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("deepseek")), expected);
    }

    #[test]
    fn openrouter_says_what_it_costs_in_dollars() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 5000),
                ("cache_read_tokens", 1024),
                ("cache_write_tokens", 2048),
                ("output_tokens", 120),
                ("web_searches", 1),
            ],
            model: Some("anthropic/claude-sonnet-5".to_owned()),
            at: Some(ten_o_clock()),
            reported_cost: Some((parse_decimal("0.0087185").unwrap(), Currency::USD)),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("openrouter")), expected);
    }

    #[test]
    fn xai_counts_reasoning_beside_the_completion_and_cost_in_ticks() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 32),
                ("cache_read_tokens", 8),
                ("output_tokens", 9 + 94),
                ("output_reasoning_tokens", 94),
            ],
            model: Some("grok-4".to_owned()),
            at: Some(ten_o_clock()),
            reported_cost: Some((parse_decimal("0.0037756").unwrap(), Currency::USD)),
            unread: vec!["/usage/num_sources_used".to_owned()],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("xai")), expected);
    }

    #[test]
    fn groq_keeps_the_usage_of_a_stream_apart_and_on_demand_is_standard() {
        let expected = Reported {
            usage: vec![("input_tokens", 18), ("output_tokens", 556)],
            model: Some("llama-3.3-70b-versatile".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("groq_stream_last_chunk")), expected);
    }

    #[test]
    fn mistral_counts_seconds_of_audio_beside_tokens() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 4),
                ("output_tokens", 635),
                ("audio_seconds", 203),
                ("input_audio_seconds", 203),
            ],
            alternatives: vec!["input_audio_seconds"],
            model: Some("voxtral-small-24b-2507".to_owned()),
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("mistral_audio")), expected);
    }

    #[test]
    fn a_bare_usage_object_says_the_same_in_either_style() {
        let chat = json!({ "prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10 });
        let responses = json!({ "input_tokens": 7, "output_tokens": 3 });
        let expected = [("input_tokens", 7), ("output_tokens", 3)];
        for usage in [chat, responses] {
            assert_eq!(read(Format::Auto, &usage).unwrap().usage, expected);
        }
    }

    #[test]
    fn prepaid_scale_is_served_at_the_standard_price() {
        let response = json!({ "usage": { "prompt_tokens": 1 }, "service_tier": "scale" });
        assert_eq!(read(Format::Openai, &response).unwrap().context, []);
    }
}
