//! What LiteLLM's fields mean: `cache_read_input_token_cost_above_200k_tokens_priority` is a meter, a threshold and a tier.

/// A field that is a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field {
    /// The service tier that it belongs to; none: standard.
    pub tier: Option<&'static str>,
    /// Holds when one call's input is more than this many tokens.
    pub above: Option<u64>,
    /// What it prices.
    pub meter: &'static str,
    /// Ten to this power is the quantity that the catalog's rates are for.
    pub shift: i32,
    /// For a further factor: an hour is 3,600 seconds.
    pub seconds: bool,
}

/// Fields by name: meter, power of ten, and whether the rate is for an hour of seconds.
const PRICES: [(&str, &str, i32, bool); 31] = [
    ("input_cost_per_token", "input_tokens", 6, false),
    ("output_cost_per_token", "output_tokens", 6, false),
    ("cache_read_input_token_cost", "cache_read_tokens", 6, false),
    ("input_cost_per_token_cache_hit", "cache_read_tokens", 6, false),
    ("cache_creation_input_token_cost", "cache_write_tokens", 6, false),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h_tokens", 6, false),
    ("input_cost_per_audio_token", "input_audio_tokens", 6, false),
    ("output_cost_per_audio_token", "output_audio_tokens", 6, false),
    ("cache_read_input_audio_token_cost", "cache_read_audio_tokens", 6, false),
    ("cache_creation_input_audio_token_cost", "cache_write_audio_tokens", 6, false),
    ("input_cost_per_image_token", "input_image_tokens", 6, false),
    ("output_cost_per_image_token", "output_image_tokens", 6, false),
    ("output_cost_per_video_token", "output_video_tokens", 6, false),
    ("output_cost_per_reasoning_token", "output_reasoning_tokens", 6, false),
    ("citation_cost_per_token", "output_citation_tokens", 6, false),
    ("input_cost_per_character", "input_characters", 6, false),
    ("output_cost_per_character", "output_characters", 6, false),
    ("input_cost_per_image", "input_images", 0, false),
    ("output_cost_per_image", "output_images", 0, false),
    ("input_cost_per_pixel", "output_pixels", 9, false),
    ("output_cost_per_pixel", "output_pixels", 9, false),
    ("input_cost_per_second", "input_seconds", 0, false),
    ("output_cost_per_second", "output_seconds", 0, false),
    ("input_cost_per_audio_per_second", "input_audio_seconds", 0, true),
    ("input_cost_per_video_per_second", "input_video_seconds", 0, false),
    ("output_cost_per_video_per_second", "output_video_seconds", 0, false),
    ("input_cost_per_query", "rerank_searches", 3, false),
    ("input_cost_per_request", "requests", 3, false),
    ("ocr_cost_per_page", "input_pages", 3, false),
    ("annotation_cost_per_page", "input_annotated_pages", 3, false),
    (SEARCH, "web_searches", 3, false),
];

/// Prices of a search by the size of its context; the middle one is taken.
pub(super) const SEARCH: &str = "search_context_cost_per_query";

/// A service tier by the end of a field's name.
const TIERS: [(&str, &str); 3] = [("_priority", "priority"), ("_flex", "flex"), ("_batches", "batch")];

/// Whether the name is that of a price, by its look.
pub(super) fn looks_like_price(name: &str) -> bool {
    name.contains("cost") || name.contains("uplift_multiplier")
}

/// What a field means; `None` for a field that has no meter here.
pub(super) fn field(name: &str) -> Option<Field> {
    let ending = TIERS.iter().find_map(|(end, tier)| Some((name.strip_suffix(end)?, *tier)));
    let (name, tier) = ending.map_or((name, None), |(rest, tier)| (rest, Some(tier)));
    let (name, above) = threshold(name);
    let (_, meter, shift, seconds) = *PRICES.iter().find(|(known, ..)| *known == name)?;
    Some(Field { tier, above, meter, shift, seconds })
}

/// `x_above_200k_tokens` as `x` and 200,000.
fn threshold(name: &str) -> (&str, Option<u64>) {
    let parts = name.strip_suffix("k_tokens").and_then(|rest| rest.rsplit_once("_above_"));
    match parts.and_then(|(rest, thousands)| Some((rest, thousands.parse::<u64>().ok()?.checked_mul(1_000)?)))
    {
        Some((rest, tokens)) => (rest, Some(tokens)),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_meter_a_threshold_and_a_tier() {
        let field = field("cache_read_input_token_cost_above_272k_tokens_priority").unwrap();
        assert_eq!(
            (field.meter, field.above, field.tier),
            ("cache_read_tokens", Some(272_000), Some("priority"))
        );
    }

    #[test]
    fn an_hour_of_caching_is_no_threshold() {
        let field = field("cache_creation_input_token_cost_above_1hr_above_200k_tokens").unwrap();
        assert_eq!((field.meter, field.above, field.tier), ("cache_write_1h_tokens", Some(200_000), None));
    }

    #[test]
    fn a_price_without_a_meter_is_no_field_and_looks_like_one() {
        for name in ["input_cost_per_video_per_second_above_8s_interval", "file_search_cost_per_gb_per_day"] {
            assert_eq!((field(name), looks_like_price(name)), (None, true), "{name}");
        }
        assert!(!looks_like_price("max_tokens"));
    }
}
