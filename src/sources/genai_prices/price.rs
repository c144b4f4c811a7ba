//! A set of genai-prices: a price by its key, plain or by tiers of input.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::Unfit;
use crate::{
    catalog::{ids::MeterId, rate_card::Rate},
    sources::{
        json::{Fields, amount, elements},
        observation::{Reading, Reason},
    },
};

/// Keys with the meter they price and the quantity they are for.
const KEYS: [(&str, &str, u64); 25] = [
    ("input_mtok", "input_tokens", 1_000_000),
    ("output_mtok", "output_tokens", 1_000_000),
    ("cache_read_mtok", "cache_read_tokens", 1_000_000),
    ("cache_write_mtok", "cache_write_tokens", 1_000_000),
    ("cache_write_1h_mtok", "cache_write_1h_tokens", 1_000_000),
    ("input_audio_mtok", "input_audio_tokens", 1_000_000),
    ("output_audio_mtok", "output_audio_tokens", 1_000_000),
    ("cache_audio_read_mtok", "cache_read_audio_tokens", 1_000_000),
    ("cache_audio_write_mtok", "cache_write_audio_tokens", 1_000_000),
    ("input_image_mtok", "input_image_tokens", 1_000_000),
    ("output_image_mtok", "output_image_tokens", 1_000_000),
    ("cache_image_read_mtok", "cache_read_image_tokens", 1_000_000),
    ("input_video_mtok", "input_video_tokens", 1_000_000),
    ("output_video_mtok", "output_video_tokens", 1_000_000),
    ("output_reasoning_mtok", "output_reasoning_tokens", 1_000_000),
    ("output_citation_mtok", "output_citation_tokens", 1_000_000),
    ("input_mchars", "input_characters", 1_000_000),
    ("input_text_messages_kcount", "input_messages", 1_000),
    ("audio_hours", "audio_seconds", 3_600),
    ("input_audio_hours", "input_audio_seconds", 3_600),
    ("input_document_kpages", "input_pages", 1_000),
    ("input_annotated_document_kpages", "input_annotated_pages", 1_000),
    ("web_searches_kcount", "web_searches", 1_000),
    ("storage_searches_kcount", "storage_searches", 1_000),
    ("requests_kcount", "requests", 1_000),
];

/// Prices of one meter: the base, and above each threshold another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Price {
    per: u64,
    /// By threshold; 0 is the base.
    steps: BTreeMap<u64, Decimal>,
}

impl Price {
    /// The price of a call whose input is just above a threshold.
    fn above(&self, threshold: u64) -> Option<Decimal> {
        self.steps.range(..=threshold).next_back().map(|(_, price)| *price)
    }
}

/// Prices by meter.
pub(super) type PriceSet = BTreeMap<&'static str, Price>;

/// Reads a set.
pub(super) fn set(raw: &str, reading: &mut Reading) -> Result<PriceSet, Unfit> {
    let fields = Fields::parse(raw).ok_or((Reason::Malformed, "`prices` is no object".to_owned()))?;
    let mut set = PriceSet::new();
    for (key, value) in fields.0.iter().filter(|(_, value)| value.get() != "null") {
        match KEYS.iter().find(|(known, ..)| known == key) {
            Some((_, meter, per)) => {
                let steps =
                    steps(value.get()).map_err(|why| (Reason::Malformed, format!("`{key}` {why}")))?;
                set.insert(*meter, Price { per: *per, steps });
            }
            None => reading.leave(key),
        }
    }
    Ok(set)
}

/// `3`, or `{"base": 3, "tiers": [{"start": 200000, "price": 6}]}`.
fn steps(raw: &str) -> Result<BTreeMap<u64, Decimal>, String> {
    if !raw.starts_with('{') {
        return Ok(BTreeMap::from([(0, amount(raw, 0).map_err(|error| error.to_string())?)]));
    }
    let unreadable = || "is neither a price nor tiers".to_owned();
    let tiered = Fields::parse(raw).ok_or_else(unreadable)?;
    let base = amount(tiered.get("base").ok_or_else(unreadable)?, 0).map_err(|error| error.to_string())?;
    let mut steps = BTreeMap::from([(0, base)]);
    for tier in tiered.get("tiers").and_then(elements).ok_or_else(unreadable)? {
        let tier = Fields::parse(tier.get()).ok_or_else(unreadable)?;
        let start = tier.count("start").filter(|start| *start > 0).ok_or_else(unreadable)?;
        let price = tier.get("price").ok_or_else(unreadable)?;
        steps.insert(start, amount(price, 0).map_err(|error| error.to_string())?);
    }
    Ok(steps)
}

type Step = (Option<u64>, Option<u64>, BTreeMap<MeterId, Rate>);

/// The rates in each range of input between the thresholds of any meter: above, at most, rates.
pub(super) fn ladder(set: &PriceSet) -> Vec<Step> {
    let starts: BTreeSet<u64> = set.values().flat_map(|price| price.steps.keys().copied()).collect();
    let starts: Vec<u64> = starts.into_iter().collect();
    let some = |start: u64| (start > 0).then_some(start);
    let step = |(at, start): (usize, &u64)| {
        let rates = set.iter().filter_map(|(meter, price)| {
            let amount = price.above(*start)?;
            Some((MeterId::from(*meter), Rate { amount, per: Some(price.per.into()), min_quantity: None }))
        });
        (some(*start), starts.get(at + 1).copied(), rates.collect())
    };
    starts.iter().enumerate().map(step).collect()
}
