//! Gemini's `generateContent`, of the Gemini API and of Vertex AI.
//!
//! `promptTokenCount` contains what came from a cache; results of tools (`toolUsePromptTokenCount`) are input
//! beside it, thoughts are output beside `candidatesTokenCount`.
//! <https://ai.google.dev/api/generate-content#UsageMetadata>
//!
//! - A stream's chunks each have the counts so far: the last one counts.
//! - A line of a batch's output wraps the response in `response`.
//!   <https://ai.google.dev/gemini-api/docs/batch-api>
//! - Grounding with Google Search: from Gemini 3 on, each different query that is not empty; before, one per
//!   prompt, however many queries it took. A model without a number counts as a new one.
//!   <https://ai.google.dev/gemini-api/docs/google-search>
//! - `serviceTier` (Gemini API) and `trafficType` (Vertex AI) say what served it; provisioned throughput is no
//!   price per token, so it is named and finds none.
//!   <https://ai.google.dev/gemini-api/docs/priority-inference>,
//!   <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse>

use std::collections::BTreeSet;

use super::{
    Reported,
    fields::{Place, Reading},
};
use crate::{
    catalog::rate_card::ContextKey,
    estimate::fault::{Fault, FaultKind},
};

/// `usageMetadata`, or its counts bare, in either spelling.
pub(super) fn recognises(root: &Place<'_>) -> bool {
    is_usage(&usage(&body(root)))
}

pub(super) fn read(root: &Place<'_>) -> Result<Reported, Vec<Fault>> {
    let body = body(root);
    let mut reading = Reading::default();
    reading.model(&body.spelled("modelVersion"));
    // Vertex AI may name the whole path: `publishers/google/models/...`.
    reading.reported.model = reading.reported.model.take().map(|name| base_name(&name).to_owned());
    reading.at_text(&body.spelled("createTime"), |text| text.parse().ok());
    let usage = reading.object(usage(&body));
    if usage.exists() {
        input(&mut reading, &usage);
        output(&mut reading, &usage);
        searches(&mut reading, &body, &usage);
    } else {
        reading.missing(&body, "usageMetadata");
    }
    tier(&mut reading, root, &body, &usage);
    reading.unread(&usage);
    reading.finish()
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The response inside a batch's line.
fn body<'a>(root: &Place<'a>) -> Place<'a> {
    root.unwrapped(|layer| {
        let response = layer.get("response");
        if response.spelled("usageMetadata").exists() { response } else { layer }
    })
}

fn usage<'a>(body: &Place<'a>) -> Place<'a> {
    if is_usage(body) { body.clone() } else { body.spelled("usageMetadata") }
}

fn is_usage(place: &Place<'_>) -> bool {
    let mut names = ["promptTokenCount", "candidatesTokenCount", "totalTokenCount"].iter();
    names.any(|name| place.spelled(name).exists())
}

/// Tokens by what they are made of; several lists may add up.
#[derive(Default)]
struct Modalities {
    audio: u64,
    image: u64,
    video: u64,
}

impl Modalities {
    fn of(reading: &mut Reading, lists: &[Place<'_>]) -> Self {
        let mut sums = Self::default();
        for entry in lists.iter().flat_map(Place::elements) {
            let count = reading.count(&entry.spelled("tokenCount"));
            let sum = match entry.get("modality").text() {
                Some("AUDIO") => &mut sums.audio,
                Some("IMAGE") => &mut sums.image,
                Some("VIDEO") => &mut sums.video,
                _ => continue, // TEXT and DOCUMENT are what the whole is charged as
            };
            *sum = sum.saturating_add(count);
        }
        // A stream repeats the lists in every chunk.
        for list in lists {
            reading.seen(list);
        }
        sums
    }
}

fn input(reading: &mut Reading, usage: &Place<'_>) {
    let prompt = usage.spelled("promptTokenCount");
    if !prompt.exists() {
        reading.missing(usage, "promptTokenCount");
    }
    let tools = reading.count(&usage.spelled("toolUsePromptTokenCount"));
    let whole = reading.count(&prompt).saturating_add(tools);
    let lists = ["promptTokensDetails", "toolUsePromptTokensDetails"].map(|name| usage.spelled(name));
    let made_of = Modalities::of(reading, &lists);
    let cached = reading.count(&usage.spelled("cachedContentTokenCount"));
    let cached_of = Modalities::of(reading, &[usage.spelled("cacheTokensDetails")]);
    // No meter is for cached video: it is charged as cached, and not as video once more.
    let video = made_of.video.checked_sub(cached_of.video).unwrap_or_else(|| {
        let detail = format!("{} tokens of cached video in {}", cached_of.video, made_of.video);
        reading.fault(usage, FaultKind::PartExceedsWhole { detail });
        0
    });
    for (meter, count) in [
        ("input_tokens", whole),
        ("input_audio_tokens", made_of.audio),
        ("input_image_tokens", made_of.image),
        ("input_video_tokens", video),
        ("cache_read_tokens", cached),
        ("cache_read_audio_tokens", cached_of.audio),
        ("cache_read_image_tokens", cached_of.image),
    ] {
        reading.meter(usage, meter, count);
    }
}

/// Candidates are called responses by the Live API.
fn output(reading: &mut Reading, usage: &Place<'_>) {
    let either = |one: &str, other: &str| {
        let place = usage.spelled(one);
        if place.exists() { place } else { usage.spelled(other) }
    };
    let candidates = reading.count(&either("candidatesTokenCount", "responseTokenCount"));
    let thoughts = reading.count(&usage.spelled("thoughtsTokenCount"));
    let made_of = Modalities::of(reading, &[either("candidatesTokensDetails", "responseTokensDetails")]);
    for (meter, count) in [
        ("output_tokens", candidates.saturating_add(thoughts)),
        ("output_reasoning_tokens", thoughts),
        ("output_audio_tokens", made_of.audio),
        ("output_image_tokens", made_of.image),
        ("output_video_tokens", made_of.video),
    ] {
        reading.meter(usage, meter, count);
    }
    reading.seen(&usage.spelled("totalTokenCount"));
}

fn searches(reading: &mut Reading, body: &Place<'_>, usage: &Place<'_>) {
    let mut queries = BTreeSet::new();
    for chunk in body.each() {
        for candidate in chunk.get("candidates").elements() {
            let grounding = candidate.spelled("groundingMetadata");
            let asked = grounding.spelled("webSearchQueries").elements();
            queries.extend(asked.iter().filter_map(Place::text).filter(|query| !query.is_empty()));
        }
    }
    let per_prompt = reading.reported.model.as_deref().is_some_and(is_charged_per_prompt);
    let most = if per_prompt { 1 } else { queries.len() };
    reading.meter(usage, "web_searches", queries.len().min(most) as u64);
}

/// Gemini 1 and 2, all of whose names start so.
fn is_charged_per_prompt(model: &str) -> bool {
    ["gemini-1", "gemini-2"].iter().any(|start| model.starts_with(start))
}

fn tier(reading: &mut Reading, root: &Place<'_>, body: &Place<'_>, usage: &Place<'_>) {
    let header = body.spelled("sdkHttpResponse").get("headers").get("x-gemini-service-tier");
    let places = [usage.spelled("serviceTier"), usage.spelled("trafficType"), header];
    let said = places.map(|place| reading.words(&place));
    if root.get("response").spelled("usageMetadata").exists() {
        reading.context(ContextKey::ServiceTier, "batch");
    } else if let Some(tier) = said.into_iter().flatten().find_map(|words| tier_of(&words)) {
        reading.context(ContextKey::ServiceTier, tier);
    }
}

/// The catalog's word for a tier; none for what is charged as standard, or not said.
fn tier_of(words: &str) -> Option<String> {
    let words = words.to_ascii_lowercase();
    let words = words.strip_prefix("service_tier_").unwrap_or(&words);
    match words.strip_prefix("on_demand_").unwrap_or(words) {
        "on_demand" | "standard" | "unspecified" | "traffic_type_unspecified" => None,
        tier => Some(tier.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Format, Reported, read, tests::recorded};
    use crate::{catalog::rate_card::ContextKey, estimate::fault::FaultKind};

    fn of(text: &str) -> Reported {
        recorded(Format::Gemini, text)
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/usage/gemini/", $name, ".json"))
        };
    }

    fn flash() -> String {
        "gemini-2.5-flash".to_owned()
    }

    #[test]
    fn cached_audio_is_a_part_of_what_was_cached_and_of_the_audio() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 5000),
                ("input_audio_tokens", 4500),
                ("cache_read_tokens", 4000),
                ("cache_read_audio_tokens", 3900),
                ("output_tokens", 120),
            ],
            model: Some(flash()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("cached_audio")), expected);
    }

    #[test]
    fn thoughts_are_output_and_results_of_tools_are_input() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 27 + 10_309),
                ("input_image_tokens", 309),
                ("output_tokens", 45 + 800),
                ("output_reasoning_tokens", 800),
            ],
            model: Some("gemini-2.5-pro".to_owned()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("thinking_tool_use")), expected);
    }

    #[test]
    fn before_gemini_3_a_grounded_prompt_is_one_search() {
        let expected = Reported {
            usage: vec![("input_tokens", 12), ("output_tokens", 60), ("web_searches", 1)],
            model: Some(flash()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("grounded_per_prompt")), expected);
    }

    #[test]
    fn from_gemini_3_on_each_different_query_is_one_search() {
        let expected = Reported {
            usage: vec![("input_tokens", 12), ("output_tokens", 60), ("web_searches", 2)],
            model: Some("gemini-3-flash-preview".to_owned()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("grounded_per_query")), expected);
    }

    #[test]
    fn a_drawn_picture_is_a_part_of_the_output() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 1303),
                ("input_image_tokens", 1290),
                ("output_tokens", 1302),
                ("output_image_tokens", 1290),
            ],
            model: Some("gemini-2.5-flash-image".to_owned()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("image_output")), expected);
    }

    #[test]
    fn vertex_names_its_traffic_its_time_and_the_path_of_the_model() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 9000),
                ("input_video_tokens", 8900 - 3000),
                ("cache_read_tokens", 3000),
                ("output_tokens", 200),
            ],
            model: Some(flash()),
            context: vec![(ContextKey::ServiceTier, "flex".to_owned())],
            at: Some("2026-02-03T10:00:00.123Z".parse().unwrap()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("vertex_flex_video")), expected);
    }

    #[test]
    fn a_stream_says_the_same_as_its_last_chunk() {
        let expected = Reported {
            usage: vec![("input_tokens", 8), ("output_tokens", 16 + 32), ("output_reasoning_tokens", 32)],
            model: Some(flash()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("stream_last_chunk")), expected);
        assert_eq!(of(fixture!("stream")), expected);
    }

    #[test]
    fn the_spelling_of_the_python_library_is_read_too() {
        let expected = Reported {
            usage: vec![("input_tokens", 40), ("input_audio_tokens", 15), ("output_tokens", 11)],
            model: Some("gemini-3-flash-preview".to_owned()),
            context: vec![(ContextKey::ServiceTier, "priority".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("sdk_snake_case")), expected);
    }

    #[test]
    fn a_line_of_a_batch_is_served_as_a_batch() {
        let expected = Reported {
            usage: vec![("input_tokens", 10), ("output_tokens", 6)],
            model: Some(flash()),
            context: vec![(ContextKey::ServiceTier, "batch".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("batch_line")), expected);
    }

    #[test]
    fn more_cached_video_than_video_is_refused() {
        let usage = json!({
            "promptTokenCount": 10,
            "promptTokensDetails": [{ "modality": "VIDEO", "tokenCount": 4 }],
            "cacheTokensDetails": [{ "modality": "VIDEO", "tokenCount": 5 }],
        });
        let faults = read(Format::Auto, &usage).unwrap_err();
        assert!(matches!(faults[0].kind, FaultKind::PartExceedsWhole { .. }), "{faults:?}");
    }
}
