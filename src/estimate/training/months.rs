//! How the lines of a quote fall on calendar months.

use jiff::{ToSpan as _, civil::Date};

use super::answer::MonthTotal;
use crate::{
    catalog::money::{Money, Overflow},
    estimate::{draft, uncertain::Uncertain},
};

/// The most months that are told apart; whoever trains for longer has made a slip.
const MOST_MONTHS: usize = 1_200;

/// A sum of money that falls evenly on a span of days, counted from the start.
#[derive(Debug)]
pub(crate) struct Spent<'p> {
    pub(crate) amount: Money,
    pub(crate) spread: &'p Uncertain,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// The months from a start until everything is spent. Amounts are rounded as lines are; what that leaves falls on
/// the last month, so that they add up to the sums as printed.
///
/// # Errors
/// When a sum cannot be written, or the time is longer than a century.
pub(crate) fn by_month(start: Date, spent: &[Spent<'_>]) -> Result<Vec<MonthTotal>, Overflow> {
    let end = spent.iter().map(|spent| spent.to).fold(0.0, f64::max);
    let months = months(start, end)?;
    let mut left = Money::ZERO;
    for spent in spent {
        left = left.checked_add(spent.amount)?;
    }
    let last = months.len().saturating_sub(1);
    let mut totals = Vec::with_capacity(months.len());
    for (at, month) in months.iter().enumerate() {
        let shares: Vec<f64> = spent.iter().map(|spent| share(spent, month)).collect();
        let parts: Vec<Uncertain> =
            spent.iter().zip(&shares).map(|(spent, share)| spent.spread.times(*share)).collect();
        let modelled = spent.iter().zip(&shares).map(|(spent, share)| spent.amount.to_f64() * share).sum();
        let amount = if at == last { left } else { Money::modelled(modelled)? };
        left = left.checked_add(-amount)?;
        let total = draft::total(amount, &Uncertain::sum(&parts))?;
        totals.push(MonthTotal { month: month.first.strftime("%Y-%m").to_string(), total });
    }
    Ok(totals)
}

/// A month, and its days counted from the start.
struct Month {
    first: Date,
    from: f64,
    to: f64,
}

fn months(start: Date, end: f64) -> Result<Vec<Month>, Overflow> {
    let mut months: Vec<Month> = Vec::new();
    let mut first = start.first_of_month();
    loop {
        let next = first.checked_add(1.month()).map_err(|_| Overflow)?;
        let days = |day: Date| start.until(day).map_or(0.0, |span| f64::from(span.get_days()));
        let (from, to) = (days(first).max(0.0), days(next));
        months.push(Month { first, from, to });
        if to >= end {
            return Ok(months);
        }
        if months.len() >= MOST_MONTHS {
            return Err(Overflow);
        }
        first = next;
    }
}

/// The share of a sum that falls on a month; what takes no time falls on the month it begins in.
fn share(spent: &Spent<'_>, month: &Month) -> f64 {
    let length = spent.to - spent.from;
    if length <= 0.0 {
        return f64::from(u8::from(month.from <= spent.from && spent.from < month.to));
    }
    let overlap = spent.to.min(month.to) - spent.from.max(month.from);
    overlap.max(0.0) / length
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn split(start: Date, days: f64, amount: f64) -> Vec<(String, String)> {
        let spread = Uncertain::exact(amount);
        let amount = Money::of(amount).unwrap();
        let spent = [Spent { amount, spread: &spread, from: 0.0, to: days }];
        let months = by_month(start, &spent).unwrap().into_iter();
        months.map(|month| (month.month, month.total.amount.to_string())).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(month, amount)| ((*month).to_owned(), (*amount).to_owned())).collect()
    }

    #[test]
    fn days_fall_on_their_months() {
        let expected = pairs(&[("2024-11", "1600.00"), ("2024-12", "3100.00"), ("2025-01", "300.00")]);
        assert_eq!(split(date(2024, 11, 15), 50.0, 5000.0), expected);
    }

    #[test]
    fn a_run_that_ends_with_its_month_has_no_other() {
        assert_eq!(split(date(2024, 11, 1), 30.0, 90.0), pairs(&[("2024-11", "90.00")]));
        let expected = pairs(&[("2024-11", "89.701"), ("2024-12", "0.299")]);
        assert_eq!(split(date(2024, 11, 1), 30.1, 90.0), expected);
    }

    #[test]
    fn months_add_up_to_the_last_digit() {
        let months = split(date(2024, 1, 31), 100.0, 1000.01);
        let sum = months.iter().fold(Money::ZERO, |sum, (_, amount)| {
            sum.checked_add(Money::of(amount.parse().unwrap()).unwrap()).unwrap()
        });
        assert_eq!(sum.to_string(), "1000.01");
    }

    #[test]
    fn a_run_of_centuries_is_refused() {
        let spread = Uncertain::exact(1.0);
        let spent = [Spent { amount: Money::ZERO, spread: &spread, from: 0.0, to: 1e9 }];
        assert!(by_month(date(2024, 1, 1), &spent).is_err());
    }
}
