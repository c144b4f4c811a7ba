//! `OpenRouter`'s `/api/v1/models`: dollars for one token, as strings; the price of the route it would take.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    json::{Fields, amount, elements},
    observation::{Observation, OfferedCard, OfferedPrices, Reading, Reason},
};
use crate::catalog::{
    ids::MeterId,
    money::Currency,
    rate_card::{Conditions, Rate},
};

/// Fields of `pricing`, the meter each prices, and the power of ten that the catalog's rates are for.
const PRICES: [(&str, &str, i32); 9] = [
    ("prompt", "input_tokens", 6),
    ("completion", "output_tokens", 6),
    ("input_cache_read", "cache_read_tokens", 6),
    ("input_cache_write", "cache_write_tokens", 6),
    ("audio", "input_audio_tokens", 6),
    ("internal_reasoning", "output_reasoning_tokens", 6),
    ("image", "input_images", 0),
    ("request", "requests", 3),
    ("web_search", "web_searches", 3),
];

/// The seller of every row.
const SELLER: &str = "openrouter";

/// Whether an object looks like this feed: a list under `data` whose rows have `pricing`.
pub(super) fn is(file: &Fields<'_>) -> bool {
    let first = file.get("data").and_then(elements).and_then(|rows| Fields::parse(rows.first()?.get()));
    first.is_some_and(|model| model.get("pricing").is_some() && model.get("id").is_some())
}

/// Reads the answer.
pub(super) fn read(file: &Fields<'_>) -> Reading {
    let mut reading = Reading::default();
    for row in file.get("data").and_then(elements).unwrap_or_default() {
        let model = Fields::parse(row.get());
        match model.and_then(|model| model.text("id").map(|id| (model, id))) {
            Some((model, id)) => read_model(&model, id, &mut reading),
            None => reading.refuse("a row", Reason::Malformed, "has no `id`"),
        }
    }
    reading
}

fn read_model(model: &Fields<'_>, id: String, reading: &mut Reading) {
    let Some(pricing) = model.get("pricing").and_then(Fields::parse) else {
        return reading.refuse(&id, Reason::NoPrice, "has no `pricing`");
    };
    let rates = match rates(&pricing, reading) {
        Ok(rates) => rates,
        Err(detail) => return reading.refuse(&id, Reason::Inexpressible, detail),
    };
    let free = rates.values().all(|rate| rate.amount.is_zero());
    if free && !id.ends_with(":free") {
        return reading.refuse(
            &id,
            Reason::AllZero,
            "all its prices are zero, and its name does not say `:free`",
        );
    }
    let aliases = model.text("canonical_slug").filter(|slug| *slug != id).into_iter().collect();
    reading.observations.push(Observation::Prices(Box::new(OfferedPrices {
        place: id.clone(),
        seller: SELLER.to_owned(),
        name: id,
        aliases,
        kind: None,
        context_window: model.count("context_length"),
        deprecated: false,
        source: Some("https://openrouter.ai/api/v1/models".to_owned()),
        cards: vec![OfferedCard {
            currency: Currency::USD,
            conditions: Conditions::default(),
            effective_from: None,
            effective_to: None,
            rates,
            inherited: Vec::new(),
        }],
    })));
}

/// The rates; zeros of what is not counted in tokens are fillers and left out.
fn rates(pricing: &Fields<'_>, reading: &mut Reading) -> Result<BTreeMap<MeterId, Rate>, String> {
    let mut rates = BTreeMap::new();
    for (name, value) in &pricing.0 {
        let raw = value.get();
        let Some((_, meter, shift)) = PRICES.iter().find(|(known, ..)| known == name) else {
            if amount(raw, 0) != Ok(Decimal::ZERO) {
                reading.leave(name);
            }
            continue;
        };
        let amount = amount(raw, *shift).map_err(|error| format!("`{name}`: {error}"))?;
        let base = matches!(*meter, "input_tokens" | "output_tokens");
        if !amount.is_zero() || base {
            let per = Some(Decimal::from(10_u64.pow(shift.unsigned_abs())));
            rates.insert(MeterId::from(*meter), Rate { amount, per, min_quantity: None });
        }
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::{Format, Options, read_as};

    fn read(pricing: &str) -> Reading {
        let text = format!(
            r#"{{"data": [{{"id": "acme/one", "canonical_slug": "acme/one-2026", "pricing": {pricing}}}]}}"#
        );
        read_as(Format::OpenRouter, text.as_bytes(), &Options::default()).unwrap()
    }

    fn said(reading: &Reading) -> Vec<String> {
        let Some(Observation::Prices(prices)) = reading.observations.first() else { return Vec::new() };
        let rates = prices.cards[0].rates.iter();
        rates.map(|(meter, rate)| format!("{meter} {} / {}", rate.amount, rate.per.unwrap())).collect()
    }

    #[test]
    fn strings_for_a_token_become_rates_for_a_million() {
        let reading = read(
            r#"{"prompt": "0.00000125", "completion": "0.00001", "image": "0", "web_search": "0.01", "request": "0"}"#,
        );
        assert_eq!(
            said(&reading),
            ["input_tokens 1.25 / 1000000", "output_tokens 10 / 1000000", "web_searches 10 / 1000"]
        );
    }

    #[test]
    fn a_route_of_varying_price_is_refused() {
        let reading = read(r#"{"prompt": "-1", "completion": "-1"}"#);
        assert_eq!(reading.refused[0].reason, Reason::Inexpressible);
    }

    #[test]
    fn what_costs_nothing_has_to_say_so_in_its_name() {
        assert_eq!(read(r#"{"prompt": "0", "completion": "0"}"#).refused[0].reason, Reason::AllZero);
        let text = r#"{"data": [{"id": "acme/one:free", "pricing": {"prompt": "0", "completion": "0"}}]}"#;
        let reading = read_as(Format::OpenRouter, text.as_bytes(), &Options::default()).unwrap();
        assert_eq!(said(&reading), ["input_tokens 0 / 1000000", "output_tokens 0 / 1000000"]);
    }

    #[test]
    fn a_price_without_a_meter_is_counted_and_not_read() {
        let reading = read(r#"{"prompt": "0.000001", "completion": "0.000002", "discount": 0.25}"#);
        assert_eq!(reading.unread.get("discount"), Some(&1));
    }
}
