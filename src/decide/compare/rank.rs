//! Which is cheapest: an order, and one row where two names of a vendor sell the same.

use std::cmp::Ordering;

use super::{
    outcome::{Priced, Source},
    plan::Product,
};
use crate::catalog::{hash::Map, snapshot::View};

/// Costs closer than this, over the larger, are compared digit by digit.
const NEAR: f64 = 1e-12;

/// A row, and the other candidates that are the same.
#[derive(Debug)]
pub(super) struct Ranked<'s> {
    pub(super) priced: Priced<'s>,
    pub(super) also: Vec<Priced<'s>>,
}

/// The vendor that a provider is a name of.
pub(super) struct Vendors<'s>(Map<&'s str, &'s str>);

impl<'s> Vendors<'s> {
    pub(super) fn new(view: View<'s>) -> Self {
        let providers = view.known(&view.snapshot().history().providers).map(|row| &row.row);
        let other_name = providers
            .filter_map(|provider| Some((provider.id.as_str(), provider.same_vendor_as.as_ref()?.as_str())));
        Self(other_name.collect())
    }

    /// The name that a vendor's others lead to.
    fn of(&self, provider: &'s str) -> &'s str {
        const LONGEST: usize = 8; // chains are of one step; a circle must end
        let mut vendor = provider;
        for _ in 0..LONGEST {
            match self.0.get(vendor) {
                Some(other) => vendor = other,
                None => break,
            }
        }
        vendor
    }

    fn is_other_name(&self, priced: &Priced<'_>) -> bool {
        priced.found.offering.is_some_and(|offering| self.0.contains_key(offering.provider.as_str()))
    }
}

/// Cheapest first; what costs the same in the order of the candidates, a vendor's own name before others.
pub(super) fn rank<'s>(
    mut priced: Vec<Priced<'s>>,
    product: Option<&Product<'s>>,
    vendors: &Vendors<'s>,
) -> Vec<Ranked<'s>> {
    let place = |source: Source| match source {
        Source::Product(at) => (0, at),
        Source::Given(at) => (1, at),
    };
    priced.sort_unstable_by(|a, b| {
        let by_name = || vendors.is_other_name(a).cmp(&vendors.is_other_name(b));
        by_cost(a, b).then_with(by_name).then_with(|| place(a.source).cmp(&place(b.source)))
    });
    let mut ranked: Vec<Ranked<'s>> = Vec::with_capacity(priced.len());
    let mut same_cost: Map<Thing<'s>, usize> = Map::default();
    for one in priced {
        if ranked.last().is_none_or(|last| by_cost(&last.priced, &one).is_ne()) {
            same_cost.clear();
        }
        let thing = thing(&one, product, vendors);
        let known = thing.as_ref().and_then(|thing| same_cost.get(thing));
        if let Some(known) = known.and_then(|at| ranked.get_mut(*at)) {
            known.also.push(one);
        } else {
            same_cost.extend(thing.map(|thing| (thing, ranked.len())));
            ranked.push(Ranked { priced: one, also: Vec::new() });
        }
    }
    ranked
}

fn by_cost(a: &Priced<'_>, b: &Priced<'_>) -> Ordering {
    if (a.rough - b.rough).abs() > NEAR * a.rough.abs().max(b.rough.abs()) {
        return a.rough.total_cmp(&b.rough);
    }
    a.cost.amount.cmp(&b.cost.amount)
}

/// What a row is of: a vendor, a model, and all else that was set.
type Thing<'s> = (&'s str, &'s str, usize);

/// None for who was given by itself: that is always a row of its own.
fn thing<'s>(priced: &Priced<'s>, product: Option<&Product<'s>>, vendors: &Vendors<'s>) -> Option<Thing<'s>> {
    let (Source::Product(at), Some(offering)) = (priced.source, priced.found.offering) else { return None };
    let model = offering.model.as_ref().map_or(offering.name.as_str(), |id| id.as_str());
    Some((vendors.of(offering.provider.as_str()), model, product?.apart_from_who(at)))
}

/// The places of rows: those that cost the same share one.
pub(super) fn places(ranked: &[Ranked<'_>]) -> Vec<usize> {
    let mut place = 0;
    let mut before: Option<&Priced<'_>> = None;
    let each = ranked.iter().enumerate().map(|(at, row)| {
        let is_same = before.replace(&row.priced).is_some_and(|last| by_cost(last, &row.priced).is_eq());
        if !is_same {
            place = at + 1;
        }
        place
    });
    each.collect()
}
