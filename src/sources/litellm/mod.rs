//! LiteLLM's `model_prices_and_context_window.json`: an object by model, dollars for one token.
//!
//! A model's fields are spread over tiers and thresholds; each combination becomes one whole card. What a tier does
//! not name is charged at the standard rate there, and listed as `inherited`. Zeros of meters other than tokens are
//! fillers and left out; a model whose every price is zero has none.

mod fields;
mod key;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use self::fields::{Field, SEARCH};
use super::{
    json::{Fields, amount, elements, whole},
    observation::{Observation, OfferedCard, OfferedPrices, Reading, Reason},
};
use crate::catalog::{
    ids::MeterId,
    money::Currency,
    rate_card::{Conditions, Context, ContextKey, Rate},
};

/// Keys of the file that are no models.
const NO_MODELS: [&str; 2] = ["sample_spec", "fallback_generalizations"];

/// Whether an object looks like this feed: an entry with LiteLLM's own field.
pub(super) fn is(file: &Fields<'_>) -> bool {
    const LOOKED_AT: usize = 8;
    let mut first = file.0.iter().filter(|(key, _)| !NO_MODELS.contains(&key.as_ref())).take(LOOKED_AT);
    first.any(|(_, entry)| {
        Fields::parse(entry.get()).is_some_and(|entry| entry.get("litellm_provider").is_some())
    })
}

/// Reads the file.
pub(super) fn read(file: &Fields<'_>) -> Reading {
    let mut reading = Reading::default();
    for (key, entry) in file.0.iter().filter(|(key, _)| !NO_MODELS.contains(&key.as_ref())) {
        match Fields::parse(entry.get()) {
            Some(entry) => read_entry(key, &entry, &mut reading),
            None => reading.refuse(key, Reason::Malformed, "is no object"),
        }
    }
    reading
}

fn read_entry(key: &str, entry: &Fields<'_>, reading: &mut Reading) {
    let Some(seller) = entry.text("litellm_provider") else {
        return reading.refuse(key, Reason::UnknownSeller, "has no `litellm_provider`");
    };
    let key::Key { name, context } = key::parse(key, &seller);
    let mode = entry.text("mode");
    let cards = match cards(entry, mode.as_deref(), &context, reading) {
        Ok(cards) => cards,
        Err((reason, detail)) => return reading.refuse(key, reason, detail),
    };
    let aliases = (name != key).then(|| key.to_owned()).into_iter().collect();
    reading.observations.push(Observation::Prices(Box::new(OfferedPrices {
        place: key.to_owned(),
        name: name.to_owned(),
        aliases,
        seller,
        kind: mode.as_deref().and_then(kind),
        context_window: entry.count("max_input_tokens").filter(|tokens| *tokens > 0),
        deprecated: false,
        source: entry.text("source").filter(|source| source.starts_with("http")),
        cards,
    })));
}

/// What a mode is called in the catalog; a chat model has no word.
fn kind(mode: &str) -> Option<&'static str> {
    const KINDS: [&str; 11] = [
        "embedding",
        "image_generation",
        "image_edit",
        "audio_speech",
        "audio_transcription",
        "realtime",
        "video_generation",
        "rerank",
        "ocr",
        "search",
        "vector_store",
    ];
    KINDS.into_iter().find(|kind| *kind == mode)
}

type Unfit = (Reason, String);
/// Rates by tier, threshold and meter.
type Prices = BTreeMap<(Option<&'static str>, Option<u64>), BTreeMap<&'static str, Rate>>;

/// An entry's cards.
fn cards(
    entry: &Fields<'_>,
    mode: Option<&str>,
    context: &Context,
    reading: &mut Reading,
) -> Result<Vec<OfferedCard>, Unfit> {
    let mut prices = prices(entry, mode, context, reading)?;
    let mut cards = match entry.get("tiered_pricing") {
        Some(tiers) => tiered(tiers, &prices.remove(&(None, None)).unwrap_or_default(), mode)?,
        None => Vec::new(),
    };
    if prices.is_empty() && cards.is_empty() {
        return Err((Reason::NoPrice, "has no price with a meter".to_owned()));
    }
    if cards.is_empty() {
        cards = spread(&prices, context);
    } else {
        for card in &mut cards {
            card.conditions.context = context.clone();
        }
    }
    let worth_something = cards.iter().any(|card| card.rates.values().any(|rate| !rate.amount.is_zero()));
    if worth_something { Ok(cards) } else { Err((Reason::AllZero, "all its prices are zero".to_owned())) }
}

/// The entry's own fields as prices.
fn prices(
    entry: &Fields<'_>,
    mode: Option<&str>,
    context: &Context,
    reading: &mut Reading,
) -> Result<Prices, Unfit> {
    let mut prices = Prices::new();
    for (name, value) in &entry.0 {
        let (name, raw) = (name.as_ref(), value.get());
        let Some(field) = fields::field(name) else {
            if fields::looks_like_price(name) && raw != "null" && amount(raw, 0) != Ok(Decimal::ZERO) {
                reading.leave(name);
            }
            continue;
        };
        let Some(raw) = single(name, raw) else { continue };
        let field = Field { meter: meter(field.meter, mode, context), ..field };
        let rate = rate(field, &raw).map_err(|error| (Reason::Malformed, format!("`{name}`: {error}")))?;
        if rate.amount.is_zero() && !field.meter.ends_with("_tokens") {
            continue;
        }
        let fallback = name.starts_with("input_cost_per_token_cache_hit");
        let rates = prices.entry((field.tier, field.above)).or_default();
        if !(fallback && rates.contains_key(field.meter)) {
            rates.insert(field.meter, rate);
        }
    }
    Ok(prices)
}

/// The one figure of a field: of a search's three the middle one.
fn single(name: &str, raw: &str) -> Option<String> {
    if raw == "null" {
        return None;
    }
    if name != SEARCH {
        return Some(raw.to_owned());
    }
    Fields::parse(raw)?.get("search_context_size_medium").map(str::to_owned)
}

/// The meter of a field in a mode: what makes pictures prices its pictures under `input_`, and a reserved unit is
/// held, not heard.
fn meter(meter: &'static str, mode: Option<&str>, context: &Context) -> &'static str {
    let makes_pictures = matches!(mode, Some("image_generation" | "image_edit"));
    let reserved = context.get(ContextKey::Commitment).is_some();
    match meter {
        "input_images" if makes_pictures => "output_images",
        "input_seconds" | "output_seconds" if reserved => "unit_seconds",
        meter => meter,
    }
}

fn rate(field: Field, raw: &str) -> Result<Rate, super::exact::NotPrice> {
    let hour = Decimal::from(3_600);
    let amount = amount(raw, field.shift)?;
    let (amount, per) = if field.seconds {
        (amount.checked_mul(hour).unwrap_or(amount), hour)
    } else {
        (amount, Decimal::from(10_u64.pow(field.shift.unsigned_abs())))
    };
    Ok(Rate { amount, per: Some(per), min_quantity: None })
}

/// `tiered_pricing`: a list of ranges of input tokens with the prices in each.
fn tiered(
    raw: &str,
    base: &BTreeMap<&'static str, Rate>,
    mode: Option<&str>,
) -> Result<Vec<OfferedCard>, Unfit> {
    let unreadable = || (Reason::Malformed, "`tiered_pricing` is no list of ranges".to_owned());
    let steps = elements(raw).ok_or_else(unreadable)?;
    let mut cards: Vec<OfferedCard> = Vec::with_capacity(steps.len());
    for step in &steps {
        let step = Fields::parse(step.get()).ok_or_else(unreadable)?;
        let range = step.get("range").and_then(elements).ok_or_else(unreadable)?;
        let [from, _] = range.as_slice() else { return Err(unreadable()) };
        let above = whole(from.get()).ok_or_else(unreadable)?;
        let mut scratch = Reading::default();
        let own = prices(&step, mode, &Context::default(), &mut scratch)?.remove(&(None, None));
        let mut rates = base.clone();
        rates.extend(own.ok_or_else(unreadable)?);
        let above = (above > 0).then_some(above);
        if let Some(last) = cards.last_mut() {
            last.conditions.input_tokens_at_most = above;
        }
        cards.push(card(
            Conditions { input_tokens_above: above, ..Conditions::default() },
            &rates,
            Vec::new(),
        ));
    }
    let in_order = cards.windows(2).all(|pair| {
        pair[0].conditions.input_tokens_above.unwrap_or(0)
            < pair[1].conditions.input_tokens_above.unwrap_or(0)
    });
    if in_order && cards.first().is_some_and(|first| first.conditions.input_tokens_above.is_none()) {
        Ok(cards)
    } else {
        Err((Reason::Inexpressible, "`tiered_pricing` does not start at 0 and go up".to_owned()))
    }
}

/// A card for each tier and each range of input between its thresholds.
fn spread(prices: &Prices, context: &Context) -> Vec<OfferedCard> {
    let standard = standard(prices);
    let tiers: BTreeSet<Option<&'static str>> = prices.keys().map(|(tier, _)| *tier).collect();
    let mut cards = Vec::new();
    for tier in tiers {
        let thresholds: Vec<u64> =
            prices.keys().filter(|(of, _)| *of == tier).filter_map(|(_, above)| *above).collect();
        let starts: Vec<Option<u64>> =
            std::iter::once(None).chain(thresholds.into_iter().map(Some)).collect();
        for (at, above) in starts.iter().enumerate() {
            let mut conditions = Conditions {
                input_tokens_above: *above,
                input_tokens_at_most: starts.get(at + 1).copied().flatten(),
                context: context.clone(),
                window: None,
            };
            let own = up_to(prices, tier, *above);
            let Some(word) = tier else {
                cards.push(card(conditions, &own, Vec::new()));
                continue;
            };
            conditions.context.insert(ContextKey::ServiceTier, word.to_owned());
            let mut rates = standard(*above);
            let inherited =
                rates.keys().filter(|meter| !own.contains_key(*meter)).map(|meter| MeterId::from(*meter));
            let inherited = inherited.collect();
            rates.extend(own);
            cards.push(card(conditions, &rates, inherited));
        }
    }
    cards.retain(|card| !card.rates.is_empty());
    cards
}

/// The standard rates that hold above a threshold.
fn standard(prices: &Prices) -> impl Fn(Option<u64>) -> BTreeMap<&'static str, Rate> {
    move |above| up_to(prices, None, above)
}

/// A tier's rates above a threshold: those of the highest threshold not above it that names the meter.
fn up_to(prices: &Prices, tier: Option<&'static str>, above: Option<u64>) -> BTreeMap<&'static str, Rate> {
    let mut rates = BTreeMap::new();
    for ((of, from), own) in prices {
        if *of == tier && *from <= above {
            rates.extend(own.iter().map(|(meter, rate)| (*meter, *rate)));
        }
    }
    rates
}

fn card(
    conditions: Conditions,
    rates: &BTreeMap<&'static str, Rate>,
    inherited: Vec<MeterId>,
) -> OfferedCard {
    OfferedCard {
        currency: Currency::USD,
        conditions,
        effective_from: None,
        effective_to: None,
        rates: rates.iter().map(|(meter, rate)| (MeterId::from(*meter), *rate)).collect(),
        inherited,
    }
}

#[cfg(test)]
mod tests;
