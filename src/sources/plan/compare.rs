//! Rates of a feed against those of a card: what differs, and what the feed does not speak of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    catalog::{
        ids::MeterId,
        meter_table::MeterTable,
        rate_card::{Rate, RateCard},
    },
    sources::observation::OfferedCard,
};

/// Figures that differ by less than this share are one figure: feeds print binary fractions.
const NOISE: (i64, u32) = (1, 9); // 1e-9

/// A rate that differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Differing {
    pub meter: MeterId,
    /// Money for the customary quantity; none: the card has no rate that the meter is charged at.
    pub old: Option<Decimal>,
    /// Money for the customary quantity.
    pub new: Decimal,
}

/// Money for a meter's customary quantity.
fn customary(rate: &Rate, meter: &str, meters: &MeterTable) -> Decimal {
    let Some(customary) = meters.find(meter).map(|at| meters.get(at).per) else { return rate.amount };
    match rate.per {
        Some(per) if per != customary => {
            let scaled = rate.amount.checked_mul(customary).and_then(|amount| amount.checked_div(per));
            scaled.unwrap_or(rate.amount)
        }
        _ => rate.amount,
    }
}

/// A rate as cards have it: for the customary quantity.
pub(super) fn settled(rate: &Rate, meter: &str, meters: &MeterTable) -> Rate {
    Rate { amount: customary(rate, meter, meters).normalize(), per: None, min_quantity: rate.min_quantity }
}

/// The rate at which a card charges a meter: its own, else that of the nearest whole that has one.
fn charged<'c>(
    rates: &'c BTreeMap<MeterId, Rate>,
    meter: &str,
    meters: &MeterTable,
) -> Option<(MeterId, &'c Rate)> {
    if let Some((id, rate)) = rates.get_key_value(meter) {
        return Some((id.clone(), rate));
    }
    let wholes = meters.wholes(meters.find(meter)?);
    wholes.iter().find_map(|whole| charged(rates, meters.get(*whole).id.as_str(), meters))
}

fn same(old: Decimal, new: Decimal) -> bool {
    if old == new {
        return true;
    }
    let apart = old.checked_sub(new).map(|apart| apart.abs());
    let noise = old.abs().checked_mul(Decimal::new(NOISE.0, NOISE.1));
    apart.zip(noise).is_some_and(|(apart, noise)| apart <= noise)
}

/// The meters of which a feed's card says something to a card of the catalog's.
///
/// It says nothing of a meter that it fills in from its own standard rates, unless the catalog's card does the same.
pub(super) fn spoken<'f>(
    feed: &'f OfferedCard,
    card: Option<&RateCard>,
) -> impl Iterator<Item = (&'f MeterId, &'f Rate)> {
    let filled_in_both = move |meter: &MeterId| card.is_none_or(|card| card.inherited.contains(meter));
    feed.rates.iter().filter(move |(meter, _)| !feed.inherited.contains(meter) || filled_in_both(meter))
}

/// The rates of a feed's card that differ from what a card charges.
///
/// A zero for something that the card does not charge at all is a filler, and no difference.
pub(super) fn differing(feed: &OfferedCard, card: Option<&RateCard>, meters: &MeterTable) -> Vec<Differing> {
    let mut differing = Vec::new();
    for (meter, rate) in spoken(feed, card) {
        let new = customary(rate, meter.as_str(), meters);
        let known = card.and_then(|card| charged(&card.rates, meter.as_str(), meters));
        let old = known.map(|(payer, rate)| customary(rate, payer.as_str(), meters));
        let filler = new.is_zero() && old.is_none() && card.is_some();
        if !filler && !old.is_some_and(|old| same(old, new)) {
            differing.push(Differing { meter: meter.clone(), old, new });
        }
    }
    differing
}

/// The rates of a card with a feed's laid over them, and which of them are inherited.
pub(super) fn merged(
    feed: &OfferedCard,
    card: Option<&RateCard>,
    meters: &MeterTable,
) -> (BTreeMap<MeterId, Rate>, Vec<MeterId>) {
    const ROUNDS: usize = 4; // a whole that moves takes parts without a rate of their own along: they come next
    let Some(card) = card else {
        let rates = feed.rates.iter().map(|(id, rate)| (id.clone(), settled(rate, id.as_str(), meters)));
        return (rates.collect(), feed.inherited.clone());
    };
    let mut laid_over = card.clone();
    for _ in 0..ROUNDS {
        let changes = differing(feed, Some(&laid_over), meters);
        if changes.is_empty() {
            break;
        }
        for Differing { meter, .. } in changes {
            let Some(rate) = feed.rates.get(&meter) else { continue };
            let mut rate = settled(rate, meter.as_str(), meters);
            let least = card.rates.get(&meter).and_then(|old| old.min_quantity);
            rate.min_quantity = rate.min_quantity.or(least);
            laid_over.rates.insert(meter, rate);
        }
    }
    let inherited = card
        .inherited
        .iter()
        .filter(|meter| !feed.rates.contains_key(*meter) || feed.inherited.contains(meter));
    let inherited = inherited.cloned().collect();
    (laid_over.rates, inherited)
}
