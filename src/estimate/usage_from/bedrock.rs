//! Amazon Bedrock's Converse, and the counts that `InvokeModel` puts into headers and a stream's last event.
//!
//! `inputTokens` leaves out what was written to the cache and read from it; the three add up to the whole.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>
//!
//! - A stream's `metadata` event has the usage; `cacheDetails` says how much was written for an hour.
//!   <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamMetadataEvent.html>
//! - `serviceTier` is the tier that served; latency-optimised inference is a speed of its own.
//!   <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html>,
//!   <https://docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html>
//! - A line of a batch's output wraps the response in `modelOutput`.
//!   <https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html>
//! - No response names its model; the time is boto3's, from the headers.

use jiff::{Timestamp, fmt::rfc2822};

use super::{
    Reported,
    fields::{Place, Reading},
};
use crate::{catalog::rate_card::ContextKey, estimate::fault::Fault};

/// What a place calls the counts.
struct Names {
    count: fn(&mut Reading, &Place<'_>) -> u64,
    input: &'static str,
    output: &'static str,
    read: [&'static str; 2],
    written: [&'static str; 2],
}

const CONVERSE: Names = Names {
    count: Reading::count,
    input: "inputTokens",
    output: "outputTokens",
    read: ["cacheReadInputTokens", "cacheReadInputTokenCount"],
    written: ["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
};

const METRICS: Names = Names {
    count: Reading::count,
    input: "inputTokenCount",
    output: "outputTokenCount",
    read: ["cacheReadInputTokenCount", "cacheReadInputTokens"],
    written: ["cacheWriteInputTokenCount", "cacheWriteInputTokens"],
};

const HEADERS: Names = Names {
    count: Reading::count_in_text,
    input: "x-amzn-bedrock-input-token-count",
    output: "x-amzn-bedrock-output-token-count",
    read: ["x-amzn-bedrock-cache-read-input-token-count"; 2],
    written: ["x-amzn-bedrock-cache-write-input-token-count"; 2],
};

/// Where the counts of `InvokeModel`'s streams stand.
const INVOCATION: &str = "amazon-bedrock-invocationMetrics";

/// Counts in Converse's camel case, the metrics of a stream, or the headers.
pub(super) fn recognises(root: &Place<'_>) -> bool {
    let body = body(root);
    usage(&body).has_any(&[CONVERSE.input, CONVERSE.output])
        || body.get(INVOCATION).exists()
        || headers(&body).get(HEADERS.input).exists()
}

pub(super) fn read(root: &Place<'_>) -> Result<Reported, Vec<Fault>> {
    let body = body(root);
    let mut reading = Reading::default();
    let (usage, metrics, headers) = (usage(&body), body.get(INVOCATION), headers(&body));
    reading.at_text(&headers.get("date"), http_date);
    if usage.exists() {
        let usage = reading.object(usage);
        tokens(&mut reading, &usage, &CONVERSE);
        reading.ignore(&usage, &["totalTokens"]);
        reading.unread(&usage);
    } else if metrics.exists() {
        let metrics = reading.object(metrics);
        tokens(&mut reading, &metrics, &METRICS);
        reading.ignore(&metrics, &["invocationLatency", "firstByteLatency"]);
        reading.unread(&metrics);
    } else if headers.get(HEADERS.input).exists() {
        tokens(&mut reading, &headers, &HEADERS);
    } else {
        reading.missing(&body, "usage");
    }
    context(&mut reading, root, &body);
    reading.finish()
}

/// The response inside a batch's line, or a stream's `metadata` event.
fn body<'a>(root: &Place<'a>) -> Place<'a> {
    root.unwrapped(|layer| {
        let inside = [layer.get("modelOutput"), layer.get("metadata")];
        inside.into_iter().find(Place::exists).unwrap_or(layer)
    })
}

fn usage<'a>(body: &Place<'a>) -> Place<'a> {
    if body.has_any(&[CONVERSE.input, CONVERSE.output]) { body.clone() } else { body.get("usage") }
}

/// HTTP headers: where boto3 keeps them, or handed in bare. Their names are in small letters, as in HTTP/2.
fn headers<'a>(body: &Place<'a>) -> Place<'a> {
    let kept = body.get("ResponseMetadata").get("HTTPHeaders");
    if kept.exists() { kept } else { body.clone() }
}

fn tokens(reading: &mut Reading, usage: &Place<'_>, names: &Names) {
    let input = usage.get(names.input);
    if !input.exists() {
        reading.missing(usage, names.input);
    }
    let [fresh, read, written, output] =
        [input, usage.first(&names.read), usage.first(&names.written), usage.get(names.output)]
            .map(|place| (names.count)(reading, &place));
    let (written_for, written_1h) = by_ttl(reading, usage);
    let written = written.max(written_for);
    // Some responses say the same twice, under an older name.
    reading.ignore(usage, &names.read);
    reading.ignore(usage, &names.written);
    for (meter, count) in [
        ("input_tokens", fresh.saturating_add(read).saturating_add(written)),
        ("cache_read_tokens", read),
        ("cache_write_tokens", written),
        ("cache_write_1h_tokens", written_1h),
        ("output_tokens", output),
    ] {
        reading.meter(usage, meter, count);
    }
}

/// What was written to the cache: in all, and to stay for an hour.
fn by_ttl(reading: &mut Reading, usage: &Place<'_>) -> (u64, u64) {
    let (mut all, mut hour) = (0_u64, 0_u64);
    for entry in usage.get("cacheDetails").elements() {
        let count = reading.count(&entry.get("inputTokens"));
        all = all.saturating_add(count);
        if entry.get("ttl").text() == Some("1h") {
            hour = hour.saturating_add(count);
        }
    }
    (all, hour)
}

fn context(reading: &mut Reading, root: &Place<'_>, body: &Place<'_>) {
    let tier = reading.words(&body.get("serviceTier").get("type"));
    if root.get("modelOutput").exists() {
        reading.context(ContextKey::ServiceTier, "batch");
    } else if let Some(tier) = tier {
        reading.context(ContextKey::ServiceTier, tier);
    }
    let latency = reading.words(&body.get("performanceConfig").get("latency"));
    if let Some(latency) = latency.filter(|it| it != "standard") {
        reading.context(ContextKey::Speed, latency);
    }
}

/// `Tue, 03 Feb 2026 10:15:00 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{Format, Reported, tests::recorded};
    use crate::catalog::rate_card::ContextKey;

    fn of(text: &str) -> Reported {
        recorded(Format::Bedrock, text)
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/usage/bedrock/", $name, ".json"))
        };
    }

    fn ten_o_clock() -> Timestamp {
        "2026-02-03T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn boto3_says_when_it_was() {
        let expected = Reported {
            usage: vec![("input_tokens", 30), ("output_tokens", 628)],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("converse_boto3")), expected);
    }

    #[test]
    fn the_whole_input_is_what_was_fresh_and_read_and_written() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 4 + 2300 + 35),
                ("cache_read_tokens", 2300),
                ("cache_write_tokens", 35),
                ("output_tokens", 503),
            ],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("converse_cached")), expected);
    }

    #[test]
    fn what_is_cached_for_an_hour_is_a_part_of_what_is_written() {
        let expected = Reported {
            usage: vec![
                ("input_tokens", 4012),
                ("cache_write_tokens", 4000),
                ("cache_write_1h_tokens", 3000),
                ("output_tokens", 88),
            ],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("converse_cached_1h")), expected);
    }

    #[test]
    fn the_tier_that_served_is_context() {
        let expected = Reported {
            usage: vec![("input_tokens", 125), ("output_tokens", 60)],
            context: vec![(ContextKey::ServiceTier, "priority".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("converse_priority")), expected);
    }

    #[test]
    fn optimised_latency_is_a_speed() {
        let expected = Reported {
            usage: vec![("input_tokens", 125), ("output_tokens", 60)],
            context: vec![(ContextKey::Speed, "optimized".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("converse_optimized")), expected);
    }

    #[test]
    fn the_last_event_of_a_stream_has_the_usage() {
        let expected = Reported {
            usage: vec![("input_tokens", 47), ("output_tokens", 20)],
            context: vec![(ContextKey::ServiceTier, "flex".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("stream_metadata_event")), expected);
    }

    #[test]
    fn a_whole_stream_is_read_to_its_last_event() {
        let expected =
            Reported { usage: vec![("input_tokens", 47), ("output_tokens", 20)], ..Reported::default() };
        assert_eq!(of(fixture!("stream")), expected);
    }

    #[test]
    fn a_line_of_a_batch_is_served_as_a_batch() {
        let expected = Reported {
            usage: vec![("input_tokens", 300), ("output_tokens", 40)],
            context: vec![(ContextKey::ServiceTier, "batch".to_owned())],
            ..Reported::default()
        };
        assert_eq!(of(fixture!("batch_line")), expected);
    }

    #[test]
    fn invoke_model_puts_its_counts_into_headers() {
        let expected = Reported {
            usage: vec![("input_tokens", 1021), ("cache_read_tokens", 1000), ("output_tokens", 112)],
            at: Some(ten_o_clock()),
            ..Reported::default()
        };
        assert_eq!(of(fixture!("invoke_model_headers")), expected);
    }

    #[test]
    fn invoke_model_ends_a_stream_with_its_metrics() {
        let expected =
            Reported { usage: vec![("input_tokens", 21), ("output_tokens", 112)], ..Reported::default() };
        assert_eq!(of(fixture!("invoke_stream_last_event")), expected);
    }
}
