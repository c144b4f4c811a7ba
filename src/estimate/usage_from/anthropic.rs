//! Anthropic's messages.
//!
//! `input_tokens` leaves out what was written to the cache and read from it; the three add up to the whole.
//! <https://docs.claude.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance>
//! `output_tokens` contains thinking. `service_tier`, `inference_geo` and `speed` say how it was served.
//! <https://docs.claude.com/en/api/messages>
//!
//! - A stream's `message_start` has the input, `message_delta` the counts so far: the last word counts.
//!   <https://docs.claude.com/en/docs/build-with-claude/streaming>
//! - A line of a batch's results wraps the message in `result.message`.
//!   <https://docs.claude.com/en/docs/build-with-claude/batch-processing>
//! - Web searches are charged each; fetched pages are free.
//!   <https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool>
//! - Compaction is a call of its own that the totals leave out and the bill does not; its `iterations` are added.
//!   <https://docs.claude.com/en/docs/build-with-claude/compaction>
//!   Iterations of any other model (an advisor's) are left unread.

use super::{
    Reported,
    fields::{Place, Reading},
};
use crate::{catalog::rate_card::ContextKey, estimate::fault::Fault};

/// Fields that no other vendor's usage has.
const ONLY_HERE: [&str; 6] = [
    "cache_creation",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "inference_geo",
    "server_tool_use",
    "speed",
];

/// Its types of message and event, a batch's `result`, or fields of `usage` that only it has; proxies add
/// some of them to `OpenAI`'s, which also counts a total.
pub(super) fn recognises(root: &Place<'_>) -> bool {
    let message = message(root);
    let usage = usage(&message);
    let typed = root.get("type").is_any_of(&["message_start", "message_delta"])
        || message.get("type").is_any_of(&["message"]);
    typed
        || root.get("result").get("message").exists()
        || (usage.has_any(&ONLY_HERE) && !usage.has_any(&["prompt_tokens", "total_tokens"]))
}

pub(super) fn read(root: &Place<'_>) -> Result<Reported, Vec<Fault>> {
    let message = message(root);
    let mut reading = Reading::default();
    reading.model(&message.get("model"));
    let usage = reading.object(usage(&message));
    if usage.exists() {
        tokens(&mut reading, &usage);
        searches(&mut reading, &usage);
    } else {
        reading.missing(&message, "usage");
    }
    context(&mut reading, root, &usage);
    reading.unread(&usage);
    reading.finish()
}

/// The message: itself, a stream's, a batch's (Anthropic's or Bedrock's).
fn message<'a>(root: &Place<'a>) -> Place<'a> {
    root.unwrapped(|layer| {
        let inside = [layer.get("result").get("message"), layer.get("modelOutput"), layer.get("message")];
        inside.into_iter().find(Place::exists).unwrap_or(layer)
    })
}

fn usage<'a>(message: &Place<'a>) -> Place<'a> {
    let usage = message.get("usage");
    if !usage.exists() && message.has_any(&["input_tokens", "output_tokens"]) {
        return message.clone();
    }
    usage
}

/// One call's tokens, before they are added up into wholes.
#[derive(Default)]
struct Tokens {
    fresh: u64,
    read: u64,
    written: u64,
    written_1h: u64,
    output: u64,
}

impl Tokens {
    fn of(reading: &mut Reading, usage: &Place<'_>) -> Self {
        let by_ttl = reading.object(usage.get("cache_creation"));
        let short_lived = reading.count(&by_ttl.get("ephemeral_5m_input_tokens"));
        let written_1h = reading.count(&by_ttl.get("ephemeral_1h_input_tokens"));
        let written = reading.count(&usage.get("cache_creation_input_tokens"));
        Self {
            fresh: reading.required(usage, "input_tokens"),
            read: reading.count(&usage.get("cache_read_input_tokens")),
            // Either may be left out; where both are there they agree.
            written: written.max(short_lived.saturating_add(written_1h)),
            written_1h,
            output: reading.count(&usage.get("output_tokens")),
        }
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.fresh, other.fresh),
            (&mut self.read, other.read),
            (&mut self.written, other.written),
            (&mut self.written_1h, other.written_1h),
            (&mut self.output, other.output),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

fn tokens(reading: &mut Reading, usage: &Place<'_>) {
    let mut tokens = Tokens::of(reading, usage);
    for iteration in usage.get("iterations").elements() {
        match iteration.get("type").text() {
            Some("compaction") => tokens.add(&Tokens::of(reading, &iteration)),
            Some("message") => reading.seen(&iteration), // inside the totals
            _ => {}
        }
    }
    let details = reading.object(usage.get("output_tokens_details"));
    let thinking = reading.count(&details.get("thinking_tokens"));
    let whole = tokens.fresh.saturating_add(tokens.read).saturating_add(tokens.written);
    for (meter, count) in [
        ("input_tokens", whole),
        ("cache_read_tokens", tokens.read),
        ("cache_write_tokens", tokens.written),
        ("cache_write_1h_tokens", tokens.written_1h),
        ("output_tokens", tokens.output),
        ("output_reasoning_tokens", thinking),
    ] {
        reading.meter(usage, meter, count);
    }
}

fn searches(reading: &mut Reading, usage: &Place<'_>) {
    let tools = reading.object(usage.get("server_tool_use"));
    let searches = reading.count(&tools.get("web_search_requests"));
    reading.meter(usage, "web_searches", searches);
    reading.ignore(&tools, &["web_fetch_requests"]);
}

fn context(reading: &mut Reading, root: &Place<'_>, usage: &Place<'_>) {
    let tier = reading.words(&usage.get("service_tier"));
    if root.get("result").exists() || root.get("modelOutput").exists() {
        reading.context(ContextKey::ServiceTier, "batch");
    } else if let Some(tier) = tier {
        reading.context(ContextKey::ServiceTier, tier);
    }
    let place = reading.words(&usage.get("inference_geo"));
    if let Some(place) = place.filter(|it| !matches!(it.as_str(), "global" | "not_available")) {
        reading.context(ContextKey::Residency, place);
    }
    let speed = reading.words(&usage.get("speed"));
    if let Some(speed) = speed.filter(|it| it != "standard") {
        reading.context(ContextKey::Speed, speed);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Format, Reported, read, tests::recorded};
    use crate::{catalog::rate_card::ContextKey, estimate::fault::FaultKind};

    fn of(text: &str) -> Reported {
        recorded(Format::Anthropic, text)
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/usage/anthropic/", $name, ".json"))
        };
    }

    fn sonnet() -> String {
        "claude-sonnet-5".to_owned()
    }

    #[test]
    fn the_whole_input_is_what_was_fresh_and_read_and_written() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 21 + 556 + 188_086),
                ("cache_read_tokens", 188_086),
                ("cache_write_tokens", 556),
                ("cache_write_1h_tokens", 100),
                ("output_tokens", 393),
            ],
            model: Some(sonnet()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("cached")), expected);
    }

    #[test]
    fn thinking_is_a_part_of_the_output_and_the_way_it_was_served_is_context() {
        let expected = Reported {
            usage: vec![("input_tokens", 410), ("output_tokens", 2210), ("output_reasoning_tokens", 2048)],
            model: Some("claude-opus-4-8".to_owned()),
            context: vec![
                (ContextKey::ServiceTier, "priority".to_owned()),
                (ContextKey::Residency, "us".to_owned()),
                (ContextKey::Speed, "fast".to_owned()),
            ],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("thinking_fast_us")), expected);
    }

    #[test]
    fn web_searches_are_counted_and_fetched_pages_are_free() {
        let expected = Reported {
            usage: vec![("input_tokens", 6039), ("output_tokens", 931), ("web_searches", 2)],
            model: Some(sonnet()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("web_search")), expected);
    }

    #[test]
    fn a_line_of_a_batch_is_served_as_a_batch() {
        let expected = Reported {
            usage: vec![("input_tokens", 2101), ("cache_read_tokens", 2000), ("output_tokens", 34)],
            model: Some(sonnet()),
            context: vec![(ContextKey::ServiceTier, "batch".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("batch_line")), expected);
    }

    #[test]
    fn of_a_whole_stream_the_last_word_on_each_field_counts() {
        let expected = Reported {
            usage: vec![("input_tokens", 1225), ("cache_write_tokens", 1200), ("output_tokens", 151)],
            model: Some(sonnet()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("stream")), expected);
    }

    #[test]
    fn the_last_delta_of_a_stream_has_all_counts_and_no_model() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 11_194),
                ("cache_read_tokens", 512),
                ("output_tokens", 510),
                ("web_searches", 1),
            ],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("stream_last_delta")), expected);
    }

    #[test]
    fn compaction_is_added_and_what_another_model_used_is_left_unread() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 23_000 + 180_000 + 400),
                ("cache_read_tokens", 400),
                ("output_tokens", 1000 + 3500),
            ],
            model: Some(sonnet()),
            unread: vec![
                "/usage/iterations/2/input_tokens".to_owned(),
                "/usage/iterations/2/output_tokens".to_owned(),
            ],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("compaction")), expected);
    }

    #[test]
    fn a_delta_without_its_input_is_refused() {
        let delta = json!({ "type": "message_delta", "usage": { "output_tokens": 15 } });
        let faults = read(Format::Auto, &delta).unwrap_err();
        let name = "input_tokens".to_owned();
        assert_eq!(faults[0].pointer, "/usage");
        assert_eq!(faults[0].kind, FaultKind::MissingField { name });
    }
}
