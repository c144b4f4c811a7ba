//! The arithmetic: pure functions from a request and a snapshot to a quote.
//!
//! [`estimate`] is the whole of it: no clock, no I/O, no randomness that is not handed in.

pub mod accuracy;
pub mod answer;
pub mod api_usage;
mod cholesky;
pub(crate) mod desk;
pub mod diff;
mod draft;
mod exchange;
mod extras;
pub mod fault;
pub mod figure;
pub mod hardware;
pub mod kept;
pub mod metric;
pub mod number;
pub mod object;
pub mod ownership;
pub mod quote;
pub mod request;
pub mod serving;
pub mod shape;
pub mod subject;
pub mod tally;
pub mod training;
pub mod uncertain;
pub mod usage_from;

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;

pub(crate) use self::draft::total as modelled_total;
use self::{
    desk::Scope,
    fault::{Fault, FaultKind},
    quote::{ENGINE, ItemQuote, Quote, References, Sum, Total},
    request::{Detail, EstimateRequest, Item, Workload},
    uncertain::{Sampler, Uncertain},
};
use crate::catalog::{
    ids::RevisionNumber,
    money::{Money, Overflow},
    snapshot::{Snapshot, View},
};

/// Prices a request.
///
/// # Errors
/// The first fault of shape of each item and every fault of meaning, all at once.
pub fn estimate<'a>(
    request: &'a EstimateRequest,
    snapshot: &'a Snapshot,
    now: Timestamp,
) -> Result<Quote<'a>, Vec<Fault>> {
    estimate_among(request, snapshot, now, &mut Sampler::default())
}

/// The same among other requests: what two of them rest on alike, they have alike in every world.
pub(crate) fn estimate_among<'a>(
    request: &'a EstimateRequest,
    snapshot: &'a Snapshot,
    now: Timestamp,
    sampler: &mut Sampler,
) -> Result<Quote<'a>, Vec<Fault>> {
    let view = view(request, snapshot).map_err(|fault| vec![fault])?;
    let mut faults = request.faults.clone();
    let currency = api_usage::known_currency(view, request.currency.as_deref())
        .map_err(|kind| faults.push(Fault::new("/currency", kind)))
        .unwrap_or(crate::catalog::money::Currency::USD);
    let scope = Scope { view, currency, as_of: request.as_of, now: now.into(), detail: request.detail };
    let mut references = References::default();
    let mut items = Vec::with_capacity(request.items.len());
    for Item { pointer, workload } in &request.items {
        let quoted = match workload {
            Workload::ApiUsage(workload) => {
                api_usage::quote(workload, pointer, scope, &mut references, sampler)
            }
            Workload::Training(workload) => {
                training::quote(workload, pointer, scope, &mut references, sampler)
            }
            Workload::Serving(workload) => serving::quote(workload, pointer, scope, &mut references, sampler),
            Workload::Ownership(workload) => {
                ownership::quote(workload, pointer, scope, &mut references, sampler)
            }
        };
        match quoted {
            Ok(item) => items.push(item),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    add_up(request, scope, items, references).map_err(|Overflow| {
        vec![Fault::new("", FaultKind::out_of_range("the sum of the items has more than 76 digits"))]
    })
}

/// The catalog at the revision that a request asks for.
pub(crate) fn view<'a>(request: &EstimateRequest, snapshot: &'a Snapshot) -> Result<View<'a>, Fault> {
    let Some(wanted) = request.catalog_revision else {
        return Ok(snapshot.newest());
    };
    let number = u32::try_from(wanted).ok().map(RevisionNumber);
    number.and_then(|number| snapshot.at(number)).ok_or_else(|| {
        let kind = FaultKind::UnknownRevision { revision: wanted, newest: snapshot.revision().0 };
        Fault::new("/catalog_revision", kind)
    })
}

fn add_up<'a>(
    request: &'a EstimateRequest,
    scope: Scope<'a>,
    items: Vec<ItemQuote<'a>>,
    references: References<'a>,
) -> Result<Quote<'a>, Overflow> {
    let total = sum(items.iter())?;
    let adjusted = items.iter().any(|item| item.list_total.is_some());
    let list_total = || list_sum(&items);
    let list_total = adjusted.then(list_total).transpose()?;
    let upper_bound = upper_bound(&items)?;
    let groups = request.group_by.as_deref().map(|tag| groups(request, tag, &items)).transpose()?;
    let mut quote = Quote {
        currency: scope.currency,
        as_of: scope.as_of.unwrap_or(scope.now).instant,
        catalog_revision: scope.view.revision.0,
        engine: ENGINE,
        list_total,
        total,
        upper_bound,
        items: None,
        references: None,
        groups,
        warnings: Vec::new(),
    };
    if scope.detail == Detail::Total {
        quote.warnings = items.into_iter().flat_map(|item| item.warnings).collect();
    } else {
        quote.items = Some(items);
        quote.references = Some(references);
    }
    Ok(quote)
}

/// The sum of items, with the range of the sum: what they share, they share in every world.
fn sum<'q, 'a: 'q>(items: impl Iterator<Item = &'q ItemQuote<'a>>) -> Result<Total, Overflow> {
    let mut sum = Sum::new();
    let mut known = Sum::new();
    let mut spread: Option<Uncertain> = None;
    for item in items {
        sum.add(item.total.amount)?;
        match (&item.spread, &spread) {
            (Some(one), Some(all)) => spread = Some(all + one),
            (Some(one), None) => spread = Some(one.clone()),
            (None, _) => known.add(item.total.amount)?,
        }
    }
    match spread {
        Some(spread) => draft::total(sum.get(), &(&spread + &Uncertain::exact(known.get().to_f64()))),
        None => Ok(sum.get().into()),
    }
}

fn list_sum(items: &[ItemQuote<'_>]) -> Result<Total, Overflow> {
    let mut sum = Sum::new();
    for item in items {
        sum.add(item.list_total.unwrap_or(item.total).amount)?;
    }
    Ok(sum.get().into())
}

/// The most that all items can cost; none where one of them has no such bound.
fn upper_bound(items: &[ItemQuote<'_>]) -> Result<Option<Money>, Overflow> {
    let mut sum = Sum::new();
    for item in items {
        let Some(bound) = item.upper_bound else { return Ok(None) };
        sum.add(bound)?;
    }
    Ok((!items.is_empty()).then_some(sum.get()))
}

/// Subtotals by the value of a tag; items without it under the empty string.
fn groups<'a>(
    request: &'a EstimateRequest,
    tag: &str,
    items: &[ItemQuote<'a>],
) -> Result<BTreeMap<Cow<'a, str>, Total>, Overflow> {
    let mut groups: BTreeMap<Cow<'a, str>, Vec<&ItemQuote<'a>>> = BTreeMap::new();
    for (asked, item) in request.items.iter().zip(items) {
        let value =
            asked.workload.tags().get(tag).map_or(Cow::Borrowed(""), |value| Cow::Borrowed(value.as_str()));
        groups.entry(value).or_default().push(item);
    }
    groups.into_iter().map(|(value, items)| Ok((value, sum(items.into_iter())?))).collect()
}
