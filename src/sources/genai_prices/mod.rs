//! genai-prices' data: a list of sellers with their models, dollars for a million tokens.
//!
//! A model's prices are one set, or a list of sets of which the last one whose condition holds is in force: from a
//! date, or between two hours of the day. Variants say in part what a context changes; each becomes whole cards,
//! with what it leaves out at the standard rate and listed as `inherited`.

mod price;
mod timeline;

use self::{
    price::{PriceSet, ladder},
    timeline::{Moment, Sets},
};
use super::{
    json::{Fields, elements, string},
    observation::{Observation, OfferedCard, OfferedPrices, Reading, Reason},
};
use crate::catalog::{
    ids::MeterId,
    money::Currency,
    rate_card::{Conditions, Context, ContextKey},
};
use serde_json::value::RawValue;

/// Whether a list looks like this feed: sellers with models.
pub(super) fn is(rows: &[&RawValue]) -> bool {
    let first = rows.first().and_then(|row| Fields::parse(row.get()));
    first.is_some_and(|seller| {
        seller.get("models").is_some_and(|list| list.starts_with('[')) && seller.get("id").is_some()
    })
}

/// Reads the file.
pub(super) fn read(sellers: &[&RawValue]) -> Reading {
    let mut reading = Reading::default();
    for seller in sellers {
        let parsed = Fields::parse(seller.get());
        let named =
            parsed.as_ref().and_then(|seller| Some((seller.text("id")?, elements(seller.get("models")?)?)));
        let (Some(seller), Some((id, models))) = (&parsed, named) else {
            reading.refuse("a seller", Reason::Malformed, "has no `id` or no list of `models`");
            continue;
        };
        let source =
            seller.get("pricing_urls").and_then(elements).and_then(|urls| string(urls.first()?.get()));
        for model in models {
            read_model(&id, source.as_deref(), model.get(), &mut reading);
        }
    }
    reading
}

fn read_model(seller: &str, source: Option<&str>, raw: &str, reading: &mut Reading) {
    let model = Fields::parse(raw);
    let Some((model, name)) = model.and_then(|model| model.text("id").map(|name| (model, name))) else {
        return reading.refuse(seller, Reason::Malformed, "has a model without `id`");
    };
    let place = format!("{seller}/{name}");
    match cards(&model, reading) {
        Ok(cards) => reading.observations.push(Observation::Prices(Box::new(OfferedPrices {
            aliases: model.get("match").map(|raw| equal_names(raw, &name)).unwrap_or_default(),
            kind: None,
            context_window: model.count("context_window"),
            deprecated: model.get("deprecated") == Some("true"),
            source: source.map(str::to_owned),
            seller: seller.to_owned(),
            place,
            name,
            cards,
        }))),
        Err((reason, detail)) => reading.refuse(&place, reason, detail),
    }
}

/// The names that a model is matched by letter for letter, besides its own.
fn equal_names(raw: &str, own: &str) -> Vec<String> {
    let Some(clause) = Fields::parse(raw) else { return Vec::new() };
    let clauses = match clause.get("or").and_then(elements) {
        Some(clauses) => clauses.iter().filter_map(|clause| Fields::parse(clause.get())).collect(),
        None => vec![clause],
    };
    let names = clauses.iter().filter_map(|clause| clause.text("equals"));
    names.filter(|name| name != own).collect()
}

type Unfit = (Reason, String);

fn cards(model: &Fields<'_>, reading: &mut Reading) -> Result<Vec<OfferedCard>, Unfit> {
    let prices = model.get("prices").ok_or((Reason::NoPrice, "has no `prices`".to_owned()))?;
    let standard = Sets::standard(prices, reading)?;
    let variants = match model.get("price_variants") {
        Some(raw) => timeline::variants(raw, reading)?,
        None => Vec::new(),
    };
    let mut cards = Vec::new();
    for moment in standard.moments(&[]) {
        let set = standard.at(moment).clone();
        push(&mut cards, moment, &Conditions::default(), &set, None);
        for (window, set) in standard.windowed() {
            let conditions = Conditions { window: Some(window.clone()), ..Conditions::default() };
            push(&mut cards, moment, &conditions, set, None);
        }
    }
    for when in timeline::contexts(&variants) {
        if is_standard(&when) {
            reading.leave("price_variants: the standard service tier");
            continue;
        }
        let of_context: Vec<_> = variants.iter().filter(|variant| variant.when == when).collect();
        let dates: Vec<_> = of_context.iter().filter_map(|variant| variant.from).collect();
        for moment in standard.moments(&dates) {
            let active: Vec<_> = of_context.iter().filter(|variant| variant.from <= moment.from).collect();
            if active.is_empty() {
                continue;
            }
            let base = standard.at(moment);
            let mut own = PriceSet::new();
            for variant in active {
                for (meter, price) in &variant.set {
                    own.entry(*meter).or_insert_with(|| price.clone());
                }
            }
            let mut set = base.clone();
            set.extend(own.iter().map(|(meter, price)| (*meter, price.clone())));
            let conditions = Conditions { context: when.clone(), ..Conditions::default() };
            push(&mut cards, moment, &conditions, &set, Some(&own));
        }
    }
    settle(cards)
}

fn is_standard(when: &Context) -> bool {
    when.iter().all(|(key, value)| key.is_standard(value)) && when.get(ContextKey::ServiceTier).is_some()
}

/// Adds a card for each range of input between a set's thresholds.
fn push(
    cards: &mut Vec<OfferedCard>,
    moment: Moment,
    conditions: &Conditions,
    set: &PriceSet,
    own: Option<&PriceSet>,
) {
    let inherited = own.map_or_else(Vec::new, |own| {
        set.keys().filter(|meter| !own.contains_key(*meter)).map(|meter| MeterId::from(*meter)).collect()
    });
    for (above, at_most, rates) in ladder(set) {
        cards.push(OfferedCard {
            currency: Currency::USD,
            conditions: Conditions {
                input_tokens_above: above,
                input_tokens_at_most: at_most,
                ..conditions.clone()
            },
            effective_from: moment.from,
            effective_to: moment.to,
            rates,
            inherited: inherited.clone(),
        });
    }
}

/// Joins cards that follow each other with the same rates, and leaves out those without any.
fn settle(mut cards: Vec<OfferedCard>) -> Result<Vec<OfferedCard>, Unfit> {
    cards.retain(|card| !card.rates.is_empty());
    let mut joined: Vec<OfferedCard> = Vec::with_capacity(cards.len());
    for card in cards {
        let before = joined.iter_mut().find(|before| {
            before.conditions == card.conditions
                && before.effective_to.is_some()
                && before.effective_to == card.effective_from
                && before.rates == card.rates
        });
        match before {
            Some(before) => before.effective_to = card.effective_to,
            None => joined.push(card),
        }
    }
    if joined.is_empty() {
        return Err((Reason::NoPrice, "has no price".to_owned()));
    }
    Ok(joined)
}

#[cfg(test)]
mod tests;
