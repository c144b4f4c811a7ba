//! The cards of one offering in one currency under one context: a feed's against the catalog's, over time.

use jiff::Timestamp;

use super::{
    compare::{Differing, differing, merged},
    gates::{Gate, Pending, is_dear, price_moves},
};
use crate::{
    catalog::{
        ids::OfferingId,
        meter_table::MeterTable,
        rate_card::{Conditions, InputPerCall, RateCard},
        rows::Row as _,
        time::utc_day,
    },
    sources::{observation::OfferedCard, row::Edits},
};

/// What the rows that a feed brings say of themselves.
#[derive(Debug, Clone)]
pub(super) struct Mark<'m> {
    pub offering: &'m OfferingId,
    pub origin: &'m str,
    pub source: Option<&'m str>,
    pub at: Timestamp,
}

/// A group of the catalog's cards, with the changes made to them so far.
#[derive(Debug)]
pub(super) struct Group<'g> {
    pub meters: &'g MeterTable,
    pub mark: Mark<'g>,
    /// The catalog's cards, as they are after the changes.
    pub cards: Vec<RateCard>,
    /// Cards of the offering without a context, from which new ones under a context are completed.
    pub standard: Vec<&'g RateCard>,
}

/// What changes in a group from an instant on.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub differing: Vec<(Option<u64>, Differing)>,
    pub pending: Vec<Pending>,
    pub edits: Edits,
    /// Nothing was in force before.
    pub is_new: bool,
}

/// The least input that a card's thresholds admit.
fn low(conditions: &Conditions) -> u64 {
    conditions.input_tokens_above.map_or(0, |above| above.saturating_add(1))
}

fn admits(conditions: &Conditions, tokens: u64) -> bool {
    conditions.admits(InputPerCall { tokens: tokens.into(), calls: 1 })
}

fn in_force(from: Option<Timestamp>, to: Option<Timestamp>, at: Timestamp) -> bool {
    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
}

/// The earlier of two ends, either of which may be open.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (end, None) | (None, end) => end,
    }
}

impl Group<'_> {
    /// What a feed's cards change, instant by instant; each step sees those before it.
    pub(super) fn steps(&mut self, feed: &[OfferedCard]) -> Vec<Step> {
        let mut starts: Vec<Timestamp> = feed
            .iter()
            .map(|card| card.effective_from.map_or(self.mark.at, |from| from.max(self.mark.at)))
            .collect();
        starts.sort_unstable();
        starts.dedup();
        let step = |at: &Timestamp| {
            let holding: Vec<OfferedCard> = feed
                .iter()
                .filter(|card| in_force(card.effective_from, card.effective_to, *at))
                .cloned()
                .collect();
            self.step(*at, holding)
        };
        starts.iter().filter_map(step).collect()
    }

    fn step(&mut self, at: Timestamp, mut feed: Vec<OfferedCard>) -> Option<Step> {
        let current: Vec<RateCard> = self
            .cards
            .iter()
            .filter(|card| in_force(card.effective_from, card.effective_to, at))
            .cloned()
            .collect();
        same_thresholds(&mut feed, &current);
        let mut step = Step { is_new: current.is_empty(), ..Step::default() };
        let plain = self.compare(&feed, &current, false, &mut step);
        let windowed = self.compare(&feed, &current, true, &mut step);
        if !plain && !windowed {
            return None;
        }
        let gives_way = |card: &RateCard| if card.conditions.window.is_some() { windowed } else { plain };
        let from = switch(at, &feed, &current);
        let covering: Vec<RateCard> = current.iter().filter(|card| gives_way(card)).cloned().collect();
        let brand_new = self.cards.is_empty();
        self.close(&covering, from, &mut step.edits);
        for card in feed.iter().filter(|card| if card.conditions.window.is_some() { windowed } else { plain })
        {
            let start = if brand_new {
                card.effective_from // as far back as the feed knows
            } else {
                Some(card.effective_from.map_or(from, |said| said.max(from)))
            };
            self.open(card, &current, (start, from), &mut step.edits);
        }
        Some(step)
    }

    /// Notes where a feed's cards with, or without, hours differ from the catalog's; whether any does.
    fn compare(&self, feed: &[OfferedCard], current: &[RateCard], windowed: bool, step: &mut Step) -> bool {
        let before = step.differing.len();
        let feed: Vec<&OfferedCard> =
            feed.iter().filter(|card| card.conditions.window.is_some() == windowed).collect();
        let cards: Vec<&RateCard> =
            current.iter().filter(|card| card.conditions.window.is_some() == windowed).collect();
        if windowed && !feed.is_empty() && !cards.is_empty() {
            let foreign = feed
                .iter()
                .any(|card| !cards.iter().any(|known| known.conditions.window == card.conditions.window));
            if foreign {
                let detail = "the feed has other hours of the day than the catalog".to_owned();
                step.pending.push(Pending { gate: Gate::OtherWindow, detail });
            }
        }
        let flat = feed.iter().all(|card| !card.conditions.has_threshold());
        let mut probes: Vec<u64> = feed.iter().map(|card| low(&card.conditions)).collect();
        if !flat {
            probes.extend(cards.iter().map(|card| low(&card.conditions)));
        }
        probes.sort_unstable();
        probes.dedup();
        for tokens in probes {
            for card in feed.iter().filter(|card| admits(&card.conditions, tokens)) {
                let known = cards.iter().copied().find(|known| covers(known, card, tokens));
                // In hours that the catalog does not set apart, the card without hours is charged.
                let known =
                    known.or_else(|| current.iter().find(|known| windowed && covers_any_hour(known, tokens)));
                for differing in differing(card, known, self.meters) {
                    self.judge(&differing, card.conditions.input_tokens_above, step);
                    step.differing.push((card.conditions.input_tokens_above, differing));
                }
            }
        }
        step.differing.dedup();
        let differs = step.differing.len() > before;
        if differs && flat && cards.iter().any(|card| card.conditions.has_threshold()) {
            let detail = "the feed has one price where the catalog has tiers".to_owned();
            step.pending.push(Pending { gate: Gate::TiersLost, detail });
        }
        differs
    }

    fn judge(&self, differing: &Differing, above: Option<u64>, step: &mut Step) {
        let Differing { meter, old, new } = differing;
        let tier = above.map_or_else(String::new, |above| format!(" above {above} input tokens"));
        let new_text = new.normalize();
        if let Some(old) = old {
            let moved = price_moves(*old, *new).map(|gate| Pending {
                gate,
                detail: format!("`{meter}`{tier} goes from {} to {new_text}", old.normalize()),
            });
            step.pending.extend(moved);
            return;
        }
        let found = self.meters.find(meter.as_str()).map(|at| self.meters.get(at));
        if found.is_some_and(|known| is_dear(&known.unit, *new, known.per)) {
            let detail = format!("`{meter}`{tier} at {new_text} is dearer than any price known");
            step.pending.push(Pending { gate: Gate::UnitSlip, detail });
        }
    }

    fn close(&mut self, covering: &[RateCard], from: Timestamp, edits: &mut Edits) {
        for card in covering {
            self.cards.retain(|known| known.key() != card.key());
            forget(edits, card);
            if card.effective_from.is_some_and(|start| start >= from) {
                edits.remove.push((RateCard::TABLE, card.key()));
                continue;
            }
            let closed = RateCard { effective_to: Some(from), ..card.clone() };
            self.cards.push(closed.clone());
            edits.put.push(closed.into());
        }
    }

    fn open(
        &mut self,
        card: &OfferedCard,
        current: &[RateCard],
        (start, from): (Option<Timestamp>, Timestamp),
        edits: &mut Edits,
    ) {
        let tokens = low(&card.conditions);
        let covering = current.iter().find(|known| covers(known, card, tokens));
        let covering = covering.or_else(|| current.iter().find(|known| covers_any_hour(known, tokens)));
        let (mut rates, mut inherited) = merged(card, covering, self.meters);
        if covering.is_none() && !card.conditions.context.is_empty() {
            let standard = self.standard.iter().find(|known| {
                covers_any_hour(known, tokens) && in_force(known.effective_from, known.effective_to, from)
            });
            for (meter, rate) in standard.iter().flat_map(|card| &card.rates) {
                if !rates.contains_key(meter) {
                    rates.insert(meter.clone(), *rate);
                    inherited.push(meter.clone());
                }
            }
        }
        inherited.sort_unstable();
        let next = self.cards.iter().filter(|known| rival(known, &card.conditions));
        let next = next
            .filter_map(|known| known.effective_from)
            .filter(|begins| start.is_some_and(|start| *begins > start))
            .min();
        let row = RateCard {
            offering: self.mark.offering.clone(),
            currency: card.currency,
            effective_from: start,
            effective_to: earlier(
                earlier(card.effective_to, covering.and_then(|card| card.effective_to)),
                next,
            ),
            from_precision: None,
            conditions: card.conditions.clone(),
            rates,
            inherited,
            note: None,
            origin: Some(self.mark.origin.to_owned()),
            source: self
                .mark
                .source
                .map(str::to_owned)
                .or_else(|| covering.and_then(|card| card.source.clone())),
            observed_at: utc_day(self.mark.at),
        };
        edits.remove.retain(|(table, key)| *table != RateCard::TABLE || *key != row.key());
        edits.put.push(row.clone().into());
        self.cards.push(row);
    }
}

/// From when the feed's cards hold: the day that the feed names, where the catalog's cards began before it.
fn switch(at: Timestamp, feed: &[OfferedCard], current: &[RateCard]) -> Timestamp {
    let said = feed.iter().filter_map(|card| card.effective_from).max();
    let said = said.filter(|said| {
        *said <= at && current.iter().all(|card| card.effective_from.is_none_or(|from| from < *said))
    });
    said.filter(|_| !current.is_empty()).unwrap_or(at)
}

/// Takes back a card put earlier in the same step.
fn forget(edits: &mut Edits, card: &RateCard) {
    edits.put.retain(|row| row.key() != card.key());
}

/// Whether a card of the catalog is the one that a feed's card stands beside for an input of some tokens.
fn covers(known: &RateCard, feed: &OfferedCard, tokens: u64) -> bool {
    known.conditions.window == feed.conditions.window && admits(&known.conditions, tokens)
}

fn covers_any_hour(known: &RateCard, tokens: u64) -> bool {
    known.conditions.window.is_none() && admits(&known.conditions, tokens)
}

/// Whether two cards of a group would tie if they held at once.
fn rival(known: &RateCard, conditions: &Conditions) -> bool {
    known.conditions.window.is_some() == conditions.window.is_some()
        && known.conditions.thresholds_overlap(conditions)
}

/// Gives a feed's thresholds the catalog's spelling where they are one token apart: "from 200,000 on" and "above
/// 200,000" are one tier.
fn same_thresholds(feed: &mut [OfferedCard], current: &[RateCard]) {
    let known = || {
        current
            .iter()
            .flat_map(|card| [card.conditions.input_tokens_above, card.conditions.input_tokens_at_most])
    };
    let spelt = |threshold: Option<u64>| {
        let threshold = threshold?;
        known().flatten().find(|known| known.abs_diff(threshold) <= 1).or(Some(threshold))
    };
    for card in feed {
        card.conditions.input_tokens_above = spelt(card.conditions.input_tokens_above);
        card.conditions.input_tokens_at_most = spelt(card.conditions.input_tokens_at_most);
    }
}
