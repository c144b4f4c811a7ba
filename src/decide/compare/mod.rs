//! One workload at all that could do it, cheapest first.
//!
//! Candidates are the product of what varies, and those given one by one; each is priced as
//! [`estimate()`](crate::estimate::estimate) prices it, at one catalog and one time. Ranked is what it costs to
//! succeed once: `total * usage_factor / success_rate`. What cannot be ranked is told apart, by what it lacks.

mod answer;
mod filter;
mod outcome;
mod plan;
mod rank;
mod request;

use jiff::Timestamp;

pub use self::{
    answer::{Comparison, NotRanked, PassedOver, Reason, Row, RunsOn, Set, Unranked, Who},
    request::{Axis, Candidate, CompareRequest, Factors, GpuFilter, Names, OfferingFilter},
};
use self::{
    filter::{Market, is_offering},
    outcome::{Found, Left, Priced, Source, price},
    plan::{Given, Ground, MOST_GIVEN, Product},
    rank::{Ranked, Vendors, rank},
};
use super::{Refused, Stop, is_hopeless, under};
use crate::{
    catalog::{
        money::{Currency, rounded_to_nine},
        snapshot::{Snapshot, View},
        time::AsOf,
    },
    estimate::{
        self, api_usage,
        fault::{Fault, FaultKind, Told, pointer},
        quote::{ENGINE, Warning, WarningCode},
        request::EstimateRequest,
    },
};

/// Ranks candidates.
///
/// # Errors
/// Every fault of the question, and of a base that no candidate can mend; and when nobody waits any more.
pub fn compare<'s>(
    asked: &CompareRequest<'_>,
    snapshot: &'s Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<Comparison<'s>, Refused> {
    let base = asked.base.map_or("{}", |base| base.get());
    let request = EstimateRequest::parse(base.as_bytes()).map_err(|not_json| {
        Fault::new("/base", FaultKind::wrong_type(not_json.to_string())) // of a value that has been read
    })?;
    let (market, limit) = check(asked, &request, snapshot, now)?;
    let mut passed_over = Vec::new();
    let ground = Ground { base, market, snapshot, now };
    let product = ground.product(asked, &mut passed_over)?;
    let given = asked.candidates.iter().enumerate();
    let given: Vec<_> =
        given.map(|(at, candidate)| ground.given(candidate, &format!("/candidates/{at}"))).collect();
    let faults: Vec<Fault> =
        given.iter().filter_map(|given| given.as_ref().err()).flatten().cloned().collect();
    if !faults.is_empty() {
        return Err(Refused::Faults(faults));
    }
    let given = given.into_iter().flatten().collect();
    let mut field = Field { asked, view: market.view, product, given, priced: Vec::new(), left: Vec::new() };
    field.run(stop)?;
    Ok(field.told(market, limit, passed_over))
}

/// What can be seen to be wrong before anything is priced.
fn check<'s>(
    asked: &CompareRequest<'_>,
    request: &EstimateRequest,
    snapshot: &'s Snapshot,
    now: Timestamp,
) -> Result<(Market<'s>, usize), Vec<Fault>> {
    let mut faults = Vec::new();
    let view = estimate::view(request, snapshot).map_err(|fault| under("/base", vec![fault]))?;
    let currency = api_usage::known_currency(view, request.currency.as_deref())
        .map_err(|kind| faults.push(Fault::new("/base/currency", kind)))
        .unwrap_or(Currency::USD);
    let limit = asked.limit().map_err(|fault| faults.push(fault)).unwrap_or_default();
    if asked.over.is_empty() && asked.candidates.is_empty() {
        faults.push(Fault::new("/over", FaultKind::MissingField { name: "over".to_owned() }));
    }
    if asked.candidates.len() > MOST_GIVEN {
        let detail = format!("must hold at most {MOST_GIVEN} candidates, got {}", asked.candidates.len());
        faults.push(Fault::new("/candidates", FaultKind::out_of_range(detail)));
    }
    for (name, factors) in asked.factors.iter() {
        let base = pointer("/factors", name);
        factors.check(&base, &mut faults);
        if view.model(name).is_none() && view.sellers(name).is_empty() && !is_offering(view, name) {
            let near = view.near_offerings(None, name);
            faults.push(Fault::new(
                base,
                FaultKind::UnknownModel { name: name.to_owned(), provider: None, near },
            ));
        }
    }
    for (at, candidate) in asked.candidates.iter().enumerate() {
        let Candidate { usage_factor, success_rate, .. } = candidate.0;
        Factors { usage_factor, success_rate }.check(&format!("/candidates/{at}"), &mut faults);
    }
    let at = request.as_of.unwrap_or_else(|| AsOf::from(now)).instant;
    if faults.is_empty() { Ok((Market { view, currency, at }, limit)) } else { Err(faults) }
}

/// Everything that is compared, and what becomes of it.
struct Field<'q, 's> {
    asked: &'q CompareRequest<'q>,
    view: View<'s>,
    product: Option<Product<'s>>,
    given: Vec<Given<'s>>,
    priced: Vec<Priced<'s>>,
    left: Vec<Left<'s>>,
}

impl<'s> Field<'_, 's> {
    fn run(&mut self, stop: Stop<'_>) -> Result<(), Refused> {
        let (asked, view) = (self.asked, self.view);
        if let Some(product) = &mut self.product {
            self.priced.reserve(product.count);
            for at in 0..product.count {
                if stop() {
                    return Err(Refused::Stopped);
                }
                let source = Source::Product(at);
                let outcome = product.price(at, view, |found| asked.factors_of(source, found));
                match outcome {
                    Ok(priced) => self.priced.push(priced),
                    Err(left) if is_hopeless(&left.faults, &product.pointers()) => {
                        return Err(Refused::Faults(under("/base", left.faults)));
                    }
                    Err(left) => self.left.push(*left),
                }
            }
        }
        for (at, given) in self.given.iter_mut().enumerate() {
            if stop() {
                return Err(Refused::Stopped);
            }
            let source = Source::Given(at);
            let Given { open, set, .. } = given;
            let values: Vec<&str> = set.iter().map(|set| set.value.get()).collect();
            match price(open, &values, source, None, view, |found| asked.factors_of(source, found)) {
                Ok(priced) => self.priced.push(priced),
                Err(left) => self.left.push(*left),
            }
        }
        Ok(())
    }

    fn told(mut self, market: Market<'s>, limit: usize, passed_over: Vec<PassedOver>) -> Comparison<'s> {
        let warnings = self.doubts();
        let candidates = self.priced.len() + self.left.len();
        let vendors = Vendors::new(self.view);
        let ranked = rank(std::mem::take(&mut self.priced), self.product.as_ref(), &vendors);
        let places = rank::places(&ranked);
        let cheapest = ranked.first().map_or(0.0, |first| first.priced.rough);
        let count = ranked.len();
        let rows: Vec<Row<'s>> = ranked
            .into_iter()
            .zip(places)
            .take(limit)
            .map(|(ranked, place)| self.row(ranked, place, cheapest))
            .collect();
        Comparison {
            currency: market.currency,
            as_of: market.at,
            catalog_revision: market.view.revision.0,
            engine: ENGINE,
            candidates,
            ranked: count,
            more: count - rows.len(),
            rows,
            not_ranked: self.not_ranked(limit),
            passed_over,
            warnings,
        }
    }

    /// Whether tokens of one are compared with tokens of another.
    fn doubts(&self) -> Vec<Warning> {
        let mut families = self.priced.iter().filter_map(|priced| priced.found.family());
        let first = families.next();
        let differ = families.any(|family| Some(family) != first);
        let unsaid = self.priced.iter().any(|priced| priced.factors.usage_factor.is_none());
        if !differ || !unsaid {
            return Vec::new();
        }
        let message = "the candidates are models of different families, which take different numbers of tokens for the \
                       same work: give a `usage_factor` for each, or read the order with care";
        let pointer = "/factors".to_owned();
        vec![Warning { code: WarningCode::TokenCountsNotComparable, message: message.to_owned(), pointer }]
    }

    fn row(&self, ranked: Ranked<'s>, rank: usize, cheapest: f64) -> Row<'s> {
        let Ranked { priced, also } = ranked;
        let Priced { source, found, total, factors, cost, rough, warnings } = priced;
        let own = found.offering.map(|offering| &offering.id);
        let other_name = |other: &Priced<'s>| match other.found.offering {
            Some(offering) if Some(&offering.id) != own => offering.id.to_string(),
            _ => self.label(other.source),
        };
        let at = |warning: Warning| Warning { pointer: self.place(source, &warning.pointer), ..warning };
        Row {
            rank,
            who: self.who(source, found),
            total,
            usage_factor: factors.usage_factor,
            success_rate: factors.success_rate,
            cost_per_success: cost,
            ratio_to_cheapest: (cheapest > 0.0).then(|| rounded_to_nine(rough / cheapest)),
            also: also.iter().map(other_name).collect(),
            warnings: warnings.into_iter().map(at).collect(),
        }
    }

    fn not_ranked(&self, limit: usize) -> Vec<NotRanked<'s>> {
        let mut reasons: Vec<Reason> = self.left.iter().map(|left| left.reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        let of = |reason: Reason| {
            let all = self.left.iter().filter(move |left| left.reason == reason);
            let count = all.clone().count();
            let candidates: Vec<Unranked<'s>> = all.take(limit).map(|left| self.unranked(left)).collect();
            NotRanked { reason, count, more: count - candidates.len(), candidates }
        };
        reasons.into_iter().map(of).collect()
    }

    fn unranked(&self, left: &Left<'s>) -> Unranked<'s> {
        let at = |fault: &Fault| Fault::new(self.place(left.source, &fault.pointer), fault.kind.clone());
        Unranked {
            who: self.who(left.source, left.found.clone()),
            total: left.total,
            faults: left.faults.iter().map(|fault| Told::from(at(fault))).collect(),
        }
    }

    fn who(&self, source: Source, found: Found<'s>) -> Who<'s> {
        Who {
            label: self.label(source),
            set: match (source, &self.product) {
                (Source::Product(at), Some(product)) => product.set(at),
                (Source::Given(at), _) => {
                    self.given.get(at).map(|given| given.set.clone()).unwrap_or_default()
                }
                (Source::Product(_), None) => Vec::new(),
            },
            offering: found.offering.map(|offering| &offering.id),
            provider: found.offering.map(|offering| &offering.provider),
            model: found.model.map(|model| &model.id),
            runs_on: found.runs_on,
        }
    }

    fn label(&self, source: Source) -> String {
        match (source, &self.product) {
            (Source::Product(at), Some(product)) => product.label(at),
            (Source::Given(at), _) => {
                let said = self.asked.candidates.get(at).and_then(|candidate| candidate.label.clone());
                said.unwrap_or_else(|| format!("candidate {}", at + 1))
            }
            (Source::Product(_), None) => String::new(),
        }
    }

    /// A place in a candidate's request, seen from the body.
    fn place(&self, source: Source, pointer: &str) -> String {
        match source {
            Source::Given(at) if self.given.get(at).is_some_and(|given| given.is_whole) => {
                let inner = pointer.strip_prefix("/items/0").unwrap_or(pointer);
                format!("/candidates/{at}/workload{inner}")
            }
            _ => format!("/base{pointer}"),
        }
    }
}
