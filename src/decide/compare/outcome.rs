//! What becomes of a candidate: a price, or what it lacks.

use super::{
    answer::{Reason, RunsOn},
    request::{CompareRequest, Factors},
};
use crate::{
    catalog::{
        model::Model,
        money::{Money, Overflow},
        offering::Offering,
        snapshot::View,
    },
    decide::open::OpenRequest,
    estimate::{
        api_usage::request::{ApiUsage, UsageScope},
        fault::{Fault, FaultKind},
        object::ByName,
        quote::{ItemQuote, Quote, Total, Warning, WarningCode},
        request::{EstimateRequest, Workload},
    },
};

/// Which candidate: one of the product, or one given by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Product(usize),
    Given(usize),
}

/// What a candidate turns out to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Found<'s> {
    pub(super) offering: Option<&'s Offering>,
    pub(super) model: Option<&'s Model>,
    pub(super) runs_on: Option<RunsOn>,
}

impl<'s> Found<'s> {
    pub(super) fn of_offering(view: View<'s>, offering: &'s Offering) -> Self {
        let model = offering.model.as_ref().and_then(|id| view.model(id.as_str()));
        Self { offering: Some(offering), model: model.map(|row| &row.row), runs_on: None }
    }

    /// What the items of a quote say: the first that calls or serves a model counts.
    fn of_items(view: View<'s>, request: &EstimateRequest, items: &[ItemQuote<'_>]) -> Self {
        for (item, asked) in items.iter().zip(&request.items) {
            if let (Some(provider), Some(name)) = (item.provider, item.model)
                && let Some(found) = view.offering(provider.as_str(), name)
            {
                return Self::of_offering(view, found.offering);
            }
            if let (Workload::Serving(serving), Some(deployment)) = (&asked.workload, &item.deployment) {
                let model = serving.model.as_deref().and_then(|name| view.model(name)).map(|row| &row.row);
                return Self { offering: None, model, runs_on: Some(deployment.as_ref().into()) };
            }
        }
        Self::default()
    }

    /// What has one way to count tokens, as far as anybody knows: a family, else a developer's models.
    pub(super) fn family(&self) -> Option<&'s str> {
        let of_model = self.model.map(|model| {
            let known = model.family.as_deref().or(model.developer.as_deref());
            known.unwrap_or(model.id.as_str())
        });
        of_model.or(self.offering.map(|offering| offering.name.as_str()))
    }
}

/// A candidate with a price.
#[derive(Debug)]
pub(super) struct Priced<'s> {
    pub(super) source: Source,
    pub(super) found: Found<'s>,
    pub(super) total: Total,
    pub(super) factors: Factors,
    pub(super) cost: Total,
    /// The cost as a float: enough to tell most apart.
    pub(super) rough: f64,
    pub(super) warnings: Vec<Warning>,
}

/// A candidate that cannot be ranked.
#[derive(Debug)]
pub(super) struct Left<'s> {
    pub(super) source: Source,
    pub(super) found: Found<'s>,
    pub(super) reason: Reason,
    pub(super) total: Option<Total>,
    pub(super) faults: Vec<Fault>,
}

/// What one pricing says, before factors.
struct Said<'s> {
    found: Found<'s>,
    total: Total,
    warnings: Vec<Warning>,
    too_long: Option<FaultKind>,
}

/// Prices a candidate. `known` is what it sells, where that is known beforehand.
pub(super) fn price<'s>(
    open: &mut OpenRequest<'_>,
    values: &[&str],
    source: Source,
    known: Option<&'s Offering>,
    view: View<'s>,
    factors: impl FnOnce(&Found<'s>) -> Factors,
) -> Result<Priced<'s>, Box<Left<'s>>> {
    let said = open.price(values, |request, quote| read(request, quote, known, view));
    let left = |found, reason, total, faults| Box::new(Left { source, found, reason, total, faults });
    let Said { found, total, warnings, too_long } = match said {
        Ok(said) => said,
        Err(faults) => {
            let found = known.map_or_else(Found::default, |offering| Found::of_offering(view, offering));
            return Err(left(found, reason_of(&faults), None, faults));
        }
    };
    if let Some(kind) = too_long {
        return Err(left(found, Reason::DoesNotFit, Some(total), vec![Fault::new("/usage", kind)]));
    }
    if let Some(stale) = warnings.iter().find(|warning| warning.code == WarningCode::PriceStale) {
        let fault =
            Fault::new(stale.pointer.clone(), FaultKind::PriceStale { detail: stale.message.clone() });
        return Err(left(found, Reason::Stale, Some(total), vec![fault]));
    }
    let factors = factors(&found);
    let Ok(cost) = per_success(total, factors) else {
        let detail = "the cost of a success has more than 76 digits";
        let fault = Fault::new("", FaultKind::out_of_range(detail));
        return Err(left(found, Reason::Refused, Some(total), vec![fault]));
    };
    let rough = cost.amount.to_f64();
    Ok(Priced { source, found, total, factors, cost, rough, warnings })
}

fn read<'s>(
    request: &EstimateRequest,
    quote: Quote<'_>,
    known: Option<&'s Offering>,
    view: View<'s>,
) -> Said<'s> {
    let items = quote.items.unwrap_or_default();
    let found = match known {
        Some(offering) => Found::of_offering(view, offering),
        None => Found::of_items(view, request, &items),
    };
    let window = found.offering.and_then(|offering| offering.context_window);
    let calls = request.items.iter().filter_map(|item| match &item.workload {
        Workload::ApiUsage(usage) => Some(usage),
        _ => None,
    });
    let too_long = window.and_then(|window| calls.into_iter().find_map(|call| longer_than(window, call)));
    let mut warnings = quote.warnings;
    warnings.extend(items.into_iter().flat_map(|item| item.warnings));
    Said { found, total: quote.total, warnings, too_long }
}

/// What is wrong with a call that is longer than a context window.
fn longer_than(window: u64, call: &ApiUsage) -> Option<FaultKind> {
    if call.usage_scope == UsageScope::Total {
        return None; // how long one of them is, is not said
    }
    let count = |meter: &str| {
        let mut usage = call.usage.iter().flat_map(ByName::iter);
        usage.find(|(name, _)| *name == meter).map_or(0, |(_, count)| count.mid())
    };
    let tokens = count("input_tokens").saturating_add(count("output_tokens"));
    let detail =
        || format!("{tokens} tokens of input and output are more than the {window} of the context window");
    (tokens > window).then(|| FaultKind::DoesNotFit { detail: detail() })
}

/// `total * usage_factor / success_rate`: to 28 digits, and as modelled amounts are rounded where there is a range.
fn per_success(total: Total, factors: Factors) -> Result<Total, Overflow> {
    let (Some(usage), success) = (factors.usage_factor, factors.success_rate) else {
        let Some(success) = factors.success_rate else { return Ok(total) };
        return scaled(total, rust_decimal::Decimal::ONE, success.0);
    };
    scaled(total, usage.0, success.map_or(rust_decimal::Decimal::ONE, |success| success.0))
}

fn scaled(total: Total, by: rust_decimal::Decimal, over: rust_decimal::Decimal) -> Result<Total, Overflow> {
    let is_modelled = total.low.is_some();
    let each = |amount: Money| {
        let (amount, _) = amount.scaled(by, over)?;
        Ok(if is_modelled { amount.rounded_as_modelled() } else { amount })
    };
    Ok(Total {
        amount: each(total.amount)?,
        low: total.low.map(each).transpose()?,
        high: total.high.map(each).transpose()?,
    })
}

/// What a candidate lacks: by the first fault of its kind.
fn reason_of(faults: &[Fault]) -> Reason {
    let reason = |fault: &Fault| match fault.kind.code() {
        "unpriced" | "not_in_force" | "context_unpriced" | "no_fx_rate" => Reason::Unpriced,
        "does_not_fit" => Reason::DoesNotFit,
        "slo_unreachable" => Reason::MissesSlo,
        _ => Reason::Refused,
    };
    faults.iter().map(reason).max().unwrap_or(Reason::Refused)
}

impl CompareRequest<'_> {
    /// What is known of a candidate: what it says itself, else what is said of its offering or its model.
    pub(super) fn factors_of(&self, source: Source, found: &Found<'_>) -> Factors {
        let own = match source {
            Source::Given(at) => self
                .candidates
                .get(at)
                .map(|given| Factors { usage_factor: given.usage_factor, success_rate: given.success_rate }),
            Source::Product(_) => None,
        };
        let own = own.unwrap_or_default();
        if self.factors.is_empty() {
            return own;
        }
        let offering = found.offering.map(|offering| [offering.id.as_str(), &offering.name]);
        let model = found.model.map(|model| [model.id.as_str(), &model.name]);
        let names = offering.into_iter().chain(model).flatten();
        let said = |name: &str| self.factors.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let listed = names.into_iter().find_map(said).map(|(_, factors)| factors.0).unwrap_or_default();
        Factors {
            usage_factor: own.usage_factor.or(listed.usage_factor),
            success_rate: own.success_rate.or(listed.success_rate),
        }
    }
}
