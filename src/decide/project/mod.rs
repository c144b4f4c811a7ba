//! A quote carried forward by yearly rates of decline.
//!
//! Every line is priced as late as the catalog knows prices, and only what lies beyond is discounted:
//!
//! - `t0` is the item's own instant; `k = min(to, max(t0, now))` is the last at which the catalog is taken at its word.
//! - The item is priced at `to` where a row that begins after `k` prices it then; else at `k`; else, where it has no
//!   price at `k` any more, at the beginning of the last price that follows on that of `t0`.
//! - A line's price is known until the end of its row, where that lies beyond; else until that instant, or until the row
//!   begins, should that be later; never beyond `to`. A price of the request is known at `t0` alone.
//! - `projected = priced * (1 - d)^years`, the years counted from there; those of `algorithm` from `t0`, since no price
//!   knows how much arithmetic a given performance takes.

mod answer;
mod rates;
mod request;
mod span;

use jiff::Timestamp;

pub use self::{
    answer::{ProjectedItem, ProjectedLine, ProjectedRate, ProjectedYear, Projection},
    request::{Decline, ProjectRequest},
};
use self::{
    rates::{Factor, Rates, When},
    span::{anniversary, known_until, years_between},
};
use super::{Refused, Stop, under};
use crate::{
    catalog::{money::Money, names, snapshot::Snapshot, time::AsOf},
    estimate::{
        self,
        desk::{Desk, Scope},
        fault::{Fault, FaultKind, pointer},
        metric::Metric,
        modelled_total,
        quote::{ENGINE, ItemQuote, Line, Quote, Ref, References, Total, Warning, WarningCode},
        request::{Detail, EstimateRequest, Item},
        uncertain::{Sampler, Uncertain},
    },
};

/// Prices that are followed one after the other.
const MOST_PRICES: usize = 100;

/// As far as anybody may look ahead.
const MOST_YEARS: f64 = 50.0;

/// Carries a quote forward.
///
/// # Errors
/// Every fault of the question and of the request; and when nobody waits any more.
pub fn project(
    asked: &ProjectRequest<'_>,
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<Projection, Refused> {
    let mut request = EstimateRequest::parse(asked.request.get().as_bytes())
        .map_err(|not_json| Fault::new("/request", FaultKind::wrong_type(not_json.to_string())))?;
    request.detail = Detail::Lines;
    let ones = one_by_one(&request);
    let (mut sampler, mut references) = (Sampler::default(), References::default());
    let quote = estimate::estimate_among(&request, snapshot, now, &mut sampler);
    let quote = quote.map_err(|faults| under("/request", faults))?;
    let (today, currency, as_of) = (quote.total, quote.currency, quote.as_of);
    let view = estimate::view(&request, snapshot).map_err(|fault| under("/request", vec![fault]))?;
    let scope = Scope { view, currency, as_of: request.as_of, now: now.into(), detail: Detail::Full };
    let mut desk = Desk::new(scope, "/decline", None, &mut references, &mut sampler);
    let usual = Decline::default();
    let rates = Rates::read(&mut desk, asked.decline.as_deref().unwrap_or(&usual));
    let mut faults = std::mem::take(&mut desk.faults);
    faults.extend(check_span(asked.to.instant, &ones, as_of, now));
    let (Some(rates), true) = (rates, faults.is_empty()) else { return Err(Refused::Faults(faults)) };
    check_codes(&rates, &quote)?;
    let whole = Whole { currency: request.currency.clone(), catalog_revision: request.catalog_revision };
    let mut forward = Carrier { rates, ones: &ones, whole, snapshot, now, sampler: &mut sampler, stop };
    let to = asked.to.instant;
    let mut series = Vec::new();
    for at in (1..).map_while(|years| anniversary(as_of, years)).take_while(|at| *at < to) {
        series.push(ProjectedYear { at, total: forward.carry(at)?.total()? });
    }
    let mut carried = forward.carry(to)?;
    let projected = carried.total()?;
    series.push(ProjectedYear { at: to, total: projected });
    let times_cheaper = Metric::of(
        &quote.spread(forward.sampler, "/request").with(&carried.spread(), |today, then| today / then),
        "ratio",
    );
    let mut named = std::mem::take(&mut carried.rows);
    if let Ok(serde_json::Value::Object(rows)) = serde_json::to_value(&references) {
        named.extend(rows);
    }
    let mut warnings = doubts(&quote);
    warnings.extend(ended(&carried.items, &ones, to, now));
    Ok(Projection {
        currency,
        as_of,
        to,
        catalog_revision: quote.catalog_revision,
        engine: ENGINE,
        today,
        projected,
        times_cheaper: times_cheaper.value.is_finite().then_some(times_cheaper),
        items: carried.told(&quote)?,
        series,
        references: named.into(),
        warnings,
    })
}

/// A workload by itself.
struct One {
    /// With no instant of its own: that is said of the request.
    item: Item,
    /// `t0`, as it is said.
    today: Option<AsOf>,
}

/// A request for each workload.
fn one_by_one(request: &EstimateRequest) -> Vec<One> {
    let one = |item: &Item| {
        let mut workload = item.workload.clone();
        let own = workload.as_of_mut().take();
        One { item: Item { pointer: item.pointer.clone(), workload }, today: own.or(request.as_of) }
    };
    request.items.iter().map(one).collect()
}

impl One {
    fn today(&self, now: Timestamp) -> Timestamp {
        self.today.map_or(now, |at| at.instant)
    }

    /// The same, as it is said.
    fn said(&self, now: Timestamp) -> AsOf {
        self.today.unwrap_or(now.into())
    }

    /// The request for it at an instant.
    fn at(&self, at: AsOf, of: &Whole) -> EstimateRequest {
        EstimateRequest {
            currency: of.currency.clone(),
            as_of: Some(at),
            catalog_revision: of.catalog_revision,
            detail: Detail::Lines,
            group_by: None,
            items: vec![Item { pointer: self.item.pointer.clone(), workload: self.item.workload.clone() }],
            faults: Vec::new(),
        }
    }
}

/// What holds for every workload.
struct Whole {
    currency: Option<Box<str>>,
    catalog_revision: Option<u64>,
}

/// Refuses a day before today's quote, or too far ahead.
fn check_span(to: Timestamp, ones: &[One], as_of: Timestamp, now: Timestamp) -> Option<Fault> {
    let first = ones.iter().map(|one| one.today(now)).max().unwrap_or(as_of);
    let detail = if to < first {
        format!("must not be before the instant of the request, {first}; got {to}")
    } else if years_between(first, to) > MOST_YEARS {
        format!("must lie within {MOST_YEARS} years of {first}, got {to}")
    } else {
        return None;
    };
    Some(Fault::new("/to", FaultKind::out_of_range(detail)))
}

/// Refuses rates for lines that there are not.
fn check_codes(rates: &Rates<'_>, quote: &Quote<'_>) -> Result<(), Vec<Fault>> {
    let lines = quote.items.iter().flatten().flat_map(|item| &item.lines);
    let mut known: Vec<&str> = lines.map(|line| line.code.base).collect();
    known.sort_unstable();
    known.dedup();
    let unknown = rates.codes().filter(|code| !known.contains(code));
    let fault = |code: &str| {
        let kind =
            FaultKind::UnknownField { name: code.to_owned(), near: names::near(code, known.iter().copied()) };
        Fault::new(pointer("/decline/lines", code), kind)
    };
    let faults: Vec<Fault> = unknown.map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Carries workloads forward.
struct Carrier<'c, 's> {
    rates: Rates<'s>,
    ones: &'c [One],
    whole: Whole,
    snapshot: &'s Snapshot,
    now: Timestamp,
    sampler: &'c mut Sampler,
    stop: Stop<'c>,
}

impl Carrier<'_, '_> {
    /// All of them.
    fn carry(&mut self, to: Timestamp) -> Result<Carried, Refused> {
        let mut carried = Carried { items: Vec::new(), rows: serde_json::Map::new() };
        for one in self.ones {
            if (self.stop)() {
                return Err(Refused::Stopped);
            }
            carried.items.push(self.carry_one(one, to, &mut carried.rows)?);
        }
        Ok(carried)
    }

    fn carry_one(
        &mut self,
        one: &One,
        to: Timestamp,
        rows: &mut serde_json::Map<String, serde_json::Value>,
    ) -> Result<CarriedItem, Refused> {
        let today = one.today(self.now);
        let seen = to.min(today.max(self.now));
        let exactly = |instant| AsOf { instant, date_only: false };
        if to > seen
            && self.price(one, exactly(to), |item, known, _| begins_after(item, known, seen)).unwrap_or(false)
        {
            return Ok(self.carried(one, exactly(to), today, seen, to, rows)?);
        }
        let at = if seen == today { one.said(self.now) } else { exactly(seen) };
        match self.carried(one, at, today, seen, to, rows) {
            Err(_) if seen > today => {
                let last = self.last_priced(one, today, seen);
                let at = if last == today { one.said(self.now) } else { exactly(last) };
                Ok(self.carried(one, at, today, last, to, rows)?)
            }
            carried => Ok(carried?),
        }
    }

    /// The last beginning of a price before an instant at which there is none any more.
    fn last_priced(&mut self, one: &One, today: Timestamp, seen: Timestamp) -> Timestamp {
        let mut at = today;
        for _ in 0..MOST_PRICES {
            let instant = AsOf { instant: at, date_only: false };
            match self.price(one, instant, |item, known, _| first_end(item, known)) {
                Ok(Some(end)) if end > at && end < seen => {
                    let next = AsOf { instant: end, date_only: false };
                    if self.price(one, next, |_, _, _| ()).is_err() {
                        return at;
                    }
                    at = end;
                }
                _ => return at,
            }
        }
        at
    }

    /// Prices a workload by itself.
    fn price<T>(
        &mut self,
        one: &One,
        at: AsOf,
        read: impl FnOnce(&ItemQuote<'_>, &References<'_>, &mut Sampler) -> T,
    ) -> Result<T, Vec<Fault>> {
        let request = one.at(at, &self.whole);
        let quote = estimate::estimate_among(&request, self.snapshot, self.now, self.sampler)
            .map_err(|faults| under("/request", faults))?;
        let none = References::default();
        let references = quote.references.as_ref().unwrap_or(&none);
        let item = quote.items.as_deref().and_then(<[_]>::first);
        item.map(|item| read(item, references, self.sampler)).ok_or_else(Vec::new)
    }

    fn carried(
        &mut self,
        one: &One,
        at: AsOf,
        today: Timestamp,
        seen: Timestamp,
        to: Timestamp,
        rows: &mut serde_json::Map<String, serde_json::Value>,
    ) -> Result<CarriedItem, Vec<Fault>> {
        let rates = std::mem::take(&mut self.rates);
        let carried = self.price(one, at, |item, references, sampler| {
            if let Ok(serde_json::Value::Object(named)) = serde_json::to_value(references) {
                rows.extend(named);
            }
            let lines = carry_lines(
                item,
                references,
                &rates,
                When { today, known_until: seen, to },
                sampler,
                &one.item.pointer,
            );
            lines.map(|lines| CarriedItem { priced_at: at.instant, lines })
        });
        self.rates = rates;
        let too_large = || {
            vec![Fault::new("/request", FaultKind::out_of_range("the amounts are too large to be carried"))]
        };
        carried?.ok_or_else(too_large)
    }
}

/// Whether a price of a quote rests on a row that begins after an instant.
fn begins_after(item: &ItemQuote<'_>, references: &References<'_>, seen: Timestamp) -> bool {
    let prices = item.lines.iter().flat_map(|line| prices(line));
    prices.filter_map(|key| references.get(key)).any(|row| row.effective_from.is_some_and(|from| from > seen))
}

/// When the first of the rows ends that a quote's prices rest on.
fn first_end(item: &ItemQuote<'_>, references: &References<'_>) -> Option<Timestamp> {
    let prices = item.lines.iter().flat_map(|line| prices(line));
    prices.filter_map(|key| references.get(key)?.effective_to).min()
}

/// The rows of a line that are prices.
fn prices<'l, 'a>(line: &'l Line<'a>) -> impl Iterator<Item = Ref<'a>> + use<'l, 'a> {
    let is_price = |key: &Ref<'a>| {
        matches!(key, Ref::RateCard(_) | Ref::Modifier(_) | Ref::GpuPurchase(_) | Ref::GpuRental(_))
    };
    line.refs.iter().copied().filter(is_price)
}

/// The lines, each with what is left of it; none where an amount cannot be written.
fn carry_lines(
    item: &ItemQuote<'_>,
    references: &References<'_>,
    rates: &Rates<'_>,
    when: When,
    sampler: &mut Sampler,
    name: &str,
) -> Option<Vec<CarriedLine>> {
    let mut lines: Vec<CarriedLine> = Vec::with_capacity(item.lines.len());
    for line in &item.lines {
        let known = prices(line)
            .filter_map(|key| references.get(key))
            .map(|row| known_until(row.effective_from, row.effective_to, when.known_until, when.to))
            .max();
        let when = When { known_until: known.unwrap_or(when.today), ..when };
        let factor = match line.code.base {
            "adjustment" | "modifier" => as_before(&lines),
            code => rates.factor(item.kind, code, when),
        };
        lines.push(carry_line(line, factor, when, sampler, name)?);
    }
    Some(lines)
}

/// What is a share of the lines before it declines as they do.
fn as_before(lines: &[CarriedLine]) -> Factor {
    let sum = |of: fn(&CarriedLine) -> f64| lines.iter().map(of).sum::<f64>();
    let (before, after) =
        (sum(|line| line.priced.amount.to_f64()), sum(|line| line.projected.amount.to_f64()));
    let left = if before == 0.0 { 1.0 } else { after / before };
    Factor { left: Uncertain::exact(left), formula: "as the lines before it".to_owned(), rates: Vec::new() }
}

fn carry_line(
    line: &Line<'_>,
    factor: Factor,
    when: When,
    sampler: &mut Sampler,
    name: &str,
) -> Option<CarriedLine> {
    let whole = |amount: &Option<Box<Money>>| amount.as_deref().copied();
    let priced = Total { amount: line.amount, low: whole(&line.low), high: whole(&line.high) };
    let spread = match line.spread.as_deref() {
        Some(spread) => spread.clone(),
        None => priced.spread(sampler, &format!("/request{name}")),
    };
    let (projected, spread) = if factor.is_one() {
        (priced, spread)
    } else {
        let spread = &spread * &factor.left;
        let amount = Money::modelled(line.amount.to_f64() * factor.left.mid()).ok()?;
        (modelled_total(amount, &spread).ok()?, spread)
    };
    Some(CarriedLine {
        code: line.code.to_string(),
        description: line.description.to_string(),
        priced,
        projected,
        spread,
        known_until: when.known_until,
        factor,
        refs: prices(line).map(|key| key.to_string()).collect(),
    })
}

/// A line that has been carried forward.
struct CarriedLine {
    code: String,
    description: String,
    priced: Total,
    projected: Total,
    /// What is projected, in every world.
    spread: Uncertain,
    known_until: Timestamp,
    factor: Factor,
    refs: Vec<String>,
}

impl CarriedLine {
    fn told(self) -> ProjectedLine {
        ProjectedLine {
            code: self.code,
            description: self.description,
            priced: self.priced,
            price_known_until: self.known_until,
            formula: self.factor.formula,
            factor: Metric::of(&self.factor.left, "ratio"),
            rates: self.factor.rates,
            projected: self.projected,
            refs: self.refs,
        }
    }
}

/// A workload that has been.
struct CarriedItem {
    priced_at: Timestamp,
    lines: Vec<CarriedLine>,
}

impl CarriedItem {
    fn spread(&self) -> Uncertain {
        Uncertain::sum(self.lines.iter().map(|line| &line.spread))
    }

    fn total(&self) -> Result<Total, Fault> {
        total(self.lines.iter().map(|line| line.projected.amount), &self.spread())
    }
}

/// All of them.
struct Carried {
    items: Vec<CarriedItem>,
    /// The rows that they rest on, by name.
    rows: serde_json::Map<String, serde_json::Value>,
}

impl Carried {
    fn spread(&self) -> Uncertain {
        let spreads: Vec<Uncertain> = self.items.iter().map(CarriedItem::spread).collect();
        Uncertain::sum(&spreads)
    }

    fn total(&self) -> Result<Total, Fault> {
        let amounts = self.items.iter().flat_map(|item| &item.lines).map(|line| line.projected.amount);
        total(amounts, &self.spread())
    }

    fn told(self, today: &Quote<'_>) -> Result<Vec<ProjectedItem>, Fault> {
        let quoted = today.items.as_deref().unwrap_or_default();
        let told = |(item, quote): (CarriedItem, &ItemQuote<'_>)| {
            Ok(ProjectedItem {
                kind: quote.kind,
                id: quote.id.map(str::to_owned),
                label: quote.label.map(str::to_owned),
                priced_at: item.priced_at,
                today: quote.total,
                projected: item.total()?,
                lines: item.lines.into_iter().map(CarriedLine::told).collect(),
            })
        };
        self.items.into_iter().zip(quoted).map(told).collect()
    }
}

fn total(amounts: impl Iterator<Item = Money>, spread: &Uncertain) -> Result<Total, Fault> {
    let too_long =
        |_| Fault::new("/request", FaultKind::out_of_range("the sum of the items has more than 76 digits"));
    let mut sum = Money::ZERO;
    for amount in amounts {
        sum = sum.checked_add(amount).map_err(too_long)?;
    }
    modelled_total(sum, spread).map_err(too_long)
}

/// Doubts of today's quote.
fn doubts(quote: &Quote<'_>) -> Vec<Warning> {
    let items = quote.items.iter().flatten().flat_map(|item| &item.warnings);
    let mut warnings: Vec<Warning> = quote.warnings.iter().chain(items).cloned().collect();
    for warning in &mut warnings {
        warning.pointer.insert_str(0, "/request");
    }
    warnings
}

/// Says of which workloads the price has ended.
fn ended(
    items: &[CarriedItem],
    ones: &[One],
    to: Timestamp,
    now: Timestamp,
) -> impl Iterator<Item = Warning> {
    items.iter().zip(ones).filter_map(move |(item, one)| {
        let seen = to.min(one.today(now).max(now));
        (item.priced_at < seen).then(|| Warning {
            code: WarningCode::PriceStale,
            message: format!(
                "no price is in force at {seen} any more: carried forward from that of {}",
                item.priced_at
            ),
            pointer: format!("/request{}", one.item.pointer),
        })
    })
}
