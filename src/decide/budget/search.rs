//! Trying values, and narrowing down where the sum ends.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::answer::{Bought, Budget, Outcome, Span, Spend};
use crate::{
    catalog::money::{Currency, Money},
    decide::{
        Refused, Stop,
        edge::{Domain, edge},
        grid::{Grid, spelt},
        remember,
        sweep::raw,
    },
    estimate::{
        fault::{Fault, FaultKind, Told},
        quote::{ENGINE, Quote, Total, Warning, WarningCode},
    },
};

/// The largest value that is tried where nothing is said.
const MOST: f64 = 1e15;

/// The smallest above zero, where values need not be whole.
const LEAST: f64 = 1e-6;

/// Whole numbers that are tried one by one.
const ONE_BY_ONE: u32 = 16;

/// Values that are tried for each power of ten.
const PER_DECADE: i32 = 4;

/// What a value that has no price counts as: more than any sum.
const NO_PRICE: f64 = 1e90;

/// A value, and what it costs.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) at: f64,
    pub(super) cost: Result<Total, Vec<Fault>>,
}

/// What all quotes say of themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    currency: Currency,
    as_of: Timestamp,
    catalog_revision: u32,
}

/// Values within the sum, one after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Within {
    from: f64,
    to: f64,
    /// The next value, where that is not.
    next: Option<f64>,
}

/// Which end of a range of money has to stay within the sum.
type End = fn(&Total) -> Money;

const AMOUNT: End = |total| total.amount;
const P90: End = |total| total.high.unwrap_or(total.amount);
const P10: End = |total| total.low.unwrap_or(total.amount);

/// What a quote says of a value.
#[derive(Debug)]
pub(super) struct Priced {
    pub(super) head: Head,
    pub(super) total: Total,
    pub(super) warnings: Vec<Warning>,
}

impl From<Quote<'_>> for Priced {
    fn from(quote: Quote<'_>) -> Self {
        let Quote { currency, as_of, catalog_revision, total, warnings, .. } = quote;
        Self { head: Head { currency, as_of, catalog_revision }, total, warnings }
    }
}

/// Something that has a price with every number.
pub(super) trait Goods {
    /// The price; faults are seen from the body.
    fn price(&mut self, value: &str) -> Result<Priced, Vec<Fault>>;

    /// Whether no number can mend what is wrong.
    fn is_hopeless(&self, faults: &[Fault]) -> bool;

    /// Where doubts are about, as seen from the body.
    fn place(&self, warning: &mut Warning);
}

/// Somebody with a sum, and what it is spent on.
pub(super) struct Buyer<'q, G> {
    goods: G,
    domain: Domain,
    sum: Money,
    stop: Stop<'q>,
    head: Option<Head>,
    /// Of the last quote.
    warnings: Vec<Warning>,
}

impl<'q, G: Goods> Buyer<'q, G> {
    pub(super) fn new(goods: G, domain: Domain, sum: Money, stop: Stop<'q>) -> Self {
        Self { goods, domain, sum, stop, head: None, warnings: Vec::new() }
    }

    /// Prices a value.
    fn try_at(&mut self, at: f64) -> Result<Tried, Refused> {
        if (self.stop)() {
            return Err(Refused::Stopped);
        }
        let cost = match self.goods.price(&spelt(at)) {
            Ok(Priced { head, total, warnings }) => {
                self.head.get_or_insert(head);
                self.warnings = warnings;
                Ok(total)
            }
            Err(found) if self.goods.is_hopeless(&found) => return Err(Refused::Faults(found)),
            Err(found) => Err(found),
        };
        Ok(Tried { at, cost })
    }

    /// Every value of the grid, or of the usual ones.
    fn try_all(&mut self, grid: Option<&Grid>) -> Result<Vec<Tried>, Refused> {
        let values = match grid {
            Some(grid) if self.domain == Domain::Whole => numbers(&grid.rounded()),
            Some(grid) => numbers(grid),
            None => usual(self.domain),
        };
        let (mut tried, mut first) = (Vec::with_capacity(values.len()), Vec::new());
        for at in values {
            let one = self.try_at(at)?;
            if let Err(faults) = &one.cost {
                remember(&mut first, faults);
            }
            tried.push(one);
        }
        if tried.iter().all(|tried| tried.cost.is_err()) {
            return Err(Refused::Faults(first));
        }
        Ok(tried)
    }

    /// Finds what the sum buys.
    pub(super) fn search(&mut self, grid: Option<&Grid>, pointer: &str) -> Result<Budget, Refused> {
        let tried = self.try_all(grid)?;
        let spans = self.spans(&tried, AMOUNT)?;
        let (low, high) = self.range(&tried)?;
        let (last, cheapest) = (spans.last().copied(), least(&tried));
        let next = match last.and_then(|last| last.next) {
            Some(next) => Some(spend(&self.try_at(next)?)),
            None => None,
        };
        let outcome = match (last, &next) {
            (None, _) => Outcome::BuysNothing,
            (Some(_), None) => Outcome::Unbounded,
            (Some(_), Some(_)) => Outcome::Bought,
        };
        // The quote whose doubts are told comes last.
        let best = self.try_at(last.map_or(cheapest.at, |last| last.to))?;
        let bought = match (last, &best.cost) {
            (Some(_), Ok(total)) => Some(self.bought(best.at, *total)?),
            _ => None,
        };
        let mut warnings = std::mem::take(&mut self.warnings);
        for warning in &mut warnings {
            self.goods.place(warning);
        }
        warnings.extend(falls(&tried));
        let usual = Head { currency: Currency::USD, as_of: Timestamp::UNIX_EPOCH, catalog_revision: 0 };
        let Head { currency, as_of, catalog_revision } = self.head.unwrap_or(usual); // there is a priced value
        let text = in_words(last, next.as_ref(), &cheapest, &tried, currency);
        let number = |at: f64| raw(&spelt(at));
        Ok(Budget {
            currency,
            as_of,
            catalog_revision,
            engine: ENGINE,
            pointer: pointer.to_owned(),
            budget: self.sum,
            outcome,
            text,
            bought,
            low,
            high,
            next,
            least: spend(&cheapest),
            segments: spans.iter().map(|it| Span { from: number(it.from), to: number(it.to) }).collect(),
            warnings,
        })
    }

    fn bought(&self, at: f64, total: Total) -> Result<Bought, Refused> {
        let too_long = |_| Fault::new("/budget", FaultKind::out_of_range("has too many digits"));
        let left = self.sum.checked_sub(total.amount).map_err(too_long)?;
        Ok(Bought { value: raw(&spelt(at)), total, left })
    }

    /// How far a value is from the end of the sum: below zero beyond it, else at least a little.
    fn room(&self, tried: &Tried, end: End) -> f64 {
        let Ok(total) = &tried.cost else { return -NO_PRICE };
        let cost = end(total);
        let room = self.sum.to_f64() - cost.to_f64();
        if cost <= self.sum { room.max(f64::MIN_POSITIVE) } else { room.min(-f64::MIN_POSITIVE) }
    }

    fn room_at(&mut self, at: f64, end: End) -> Result<f64, Refused> {
        let tried = self.try_at(at)?;
        Ok(self.room(&tried, end))
    }

    /// The largest values with which P90 and P10 stay within the sum; none where nothing is uncertain.
    fn range(&mut self, tried: &[Tried]) -> Result<(Edge, Edge), Refused> {
        if tried.iter().flat_map(|tried| &tried.cost).all(|total| total.high.is_none()) {
            return Ok((None, None));
        }
        let number = |at: f64| raw(&spelt(at));
        let low = self.spans(tried, P90)?.last().map(|last| number(last.to));
        let high = self.spans(tried, P10)?.last().and_then(|last| last.next.map(|_| number(last.to)));
        Ok((Some(low), Some(high)))
    }

    /// The spans of values within the sum, their ends narrowed down.
    fn spans(&mut self, tried: &[Tried], end: End) -> Result<Vec<Within>, Refused> {
        let rooms: Vec<(f64, f64)> = tried.iter().map(|tried| (tried.at, self.room(tried, end))).collect();
        let (mut spans, domain) = (Vec::new(), self.domain);
        let mut from = rooms.first().filter(|(_, room)| *room > 0.0).map(|(at, _)| *at);
        for pair in rooms.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            match from {
                None if after.1 > 0.0 => {
                    let room = |at| self.room_at(at, end);
                    from = Some(edge(domain, before, after, room)?.after);
                }
                Some(start) if after.1 < 0.0 => {
                    let lack = |at| self.room_at(at, end).map(|room| -room);
                    let found = edge(domain, (before.0, -before.1), (after.0, -after.1), lack)?;
                    spans.push(Within { from: start, to: found.before, next: Some(found.after) });
                    from = None;
                }
                _ => {}
            }
        }
        if let (Some(from), Some((to, _))) = (from, rooms.last()) {
            spans.push(Within { from, to: *to, next: None });
        }
        Ok(spans)
    }
}

/// The end of what is bought at an edge of the cost's range.
type Edge = Option<Option<Box<RawValue>>>;

fn numbers(grid: &Grid) -> Vec<f64> {
    grid.values.iter().filter_map(|value| value.parse().ok()).collect()
}

/// Values that are tried where no range is given.
fn usual(domain: Domain) -> Vec<f64> {
    let mut values = vec![0.0];
    if domain == Domain::Whole {
        values.extend((1..=ONE_BY_ONE).map(f64::from));
    }
    let mut nth = -6 * PER_DECADE;
    loop {
        let at = domain.nearest(10_f64.powf(f64::from(nth) / f64::from(PER_DECADE)));
        if at > MOST {
            return values;
        }
        if at >= LEAST && values.last().is_none_or(|last| at > *last) {
            values.push(at);
        }
        nth += 1;
    }
}

/// The cheapest of values, of which one has a price.
fn least(tried: &[Tried]) -> Tried {
    let cost = |tried: &&Tried| tried.cost.as_ref().ok().map(|total| total.amount);
    let priced = tried.iter().filter(|tried| tried.cost.is_ok());
    priced.min_by_key(cost).or(tried.first()).cloned().unwrap_or(Tried { at: 0.0, cost: Err(Vec::new()) })
}

fn spend(tried: &Tried) -> Spend {
    let (total, faults) = match &tried.cost {
        Ok(total) => (Some(*total), Vec::new()),
        Err(faults) => (None, faults.iter().cloned().map(Told::from).collect()),
    };
    Spend { value: raw(&spelt(tried.at)), total, faults }
}

/// Says where the cost falls while the value rises.
fn falls(tried: &[Tried]) -> Option<Warning> {
    let priced: Vec<(f64, Money)> =
        tried.iter().filter_map(|tried| Some((tried.at, tried.cost.as_ref().ok()?.amount))).collect();
    let fall = priced.windows(2).find(|pair| pair[1].1 < pair[0].1)?;
    let message = format!(
        "the cost does not only rise with the value: it falls from {} at {} to {} at {}; `segments` has every span \
         within the sum that was found",
        fall[0].1,
        spelt(fall[0].0),
        fall[1].1,
        spelt(fall[1].0)
    );
    Some(Warning { code: WarningCode::NotMonotonic, message, pointer: "/pointer".to_owned() })
}

fn in_words(
    last: Option<Within>,
    next: Option<&Spend>,
    cheapest: &Tried,
    tried: &[Tried],
    currency: Currency,
) -> String {
    let amounts = || tried.iter().filter_map(|tried| Some(tried.cost.as_ref().ok()?.amount));
    let depends = amounts().min() != amounts().max();
    let Some(last) = last else {
        let cost = cheapest.cost.as_ref().map_or(Money::ZERO, |total| total.amount);
        return format!("nothing: the least costs {cost} {currency}, with {}", spelt(cheapest.at));
    };
    let to = spelt(last.to);
    match next {
        None if depends => format!("every value up to {to}, the largest that was tried"),
        None => format!("every value up to {to}, the largest that was tried: the cost does not depend on it"),
        Some(next) if next.total.is_none() => {
            format!("{to} at most: there is no price for {}", next.value.get())
        }
        Some(_) => format!("{to} at most"),
    }
}
