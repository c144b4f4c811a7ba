//! The European Central Bank's reference rates: units of each currency for one euro, a line a day.
//!
//! The history has ISO dates, `N/A` and a comma at the end of each line; the daily file `30 October 2026` and spaces
//! after the commas. Turned into dollars for one unit, to six significant digits, as the fixings have five or six.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    exact::price,
    observation::{DayRate, Observation, Reading, Reason},
};
use crate::catalog::{money::Currency, time::parse_day};

const SIGNIFICANT_DIGITS: u32 = 6;

/// Whether a header is that of such a file: a date, then codes of currencies with the dollar among them.
pub(super) fn is(header: &str) -> bool {
    let mut cells = cells(header);
    cells.next() == Some("Date") && currencies(header).contains(&Some(Currency::USD))
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim_end_matches(['\r', ',', ' ']).split(',').map(str::trim)
}

fn currencies(header: &str) -> Vec<Option<Currency>> {
    cells(header).skip(1).map(Currency::parse).collect()
}

/// Reads the file.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut lines = text.lines();
    let currencies = currencies(lines.next().unwrap_or_default());
    for line in lines.filter(|line| !line.trim().is_empty()) {
        read_day(line, &currencies, &mut reading);
    }
    reading
}

fn read_day(line: &str, currencies: &[Option<Currency>], reading: &mut Reading) {
    let mut cells = cells(line);
    let first = cells.next().unwrap_or_default();
    let Some(date) = parse_day(first).or_else(|| long_day(first)) else {
        return reading.refuse(first, Reason::Malformed, "is no day");
    };
    let rates: Vec<(Currency, &str)> =
        currencies.iter().zip(cells).filter_map(|(code, cell)| Some(((*code)?, cell))).collect();
    let dollar = rates.iter().find(|(code, _)| *code == Currency::USD).and_then(|(_, cell)| per_euro(cell));
    let Some(dollar) = dollar else {
        return reading.refuse(first, Reason::NoPrice, "has no rate of the dollar");
    };
    if let Some(euro) = Currency::parse("EUR") {
        push(reading, euro, date, dollar);
    }
    for (currency, cell) in rates.into_iter().filter(|(code, _)| *code != Currency::USD) {
        if cell == "N/A" || cell.is_empty() {
            continue;
        }
        match per_euro(cell).and_then(|rate| dollar.checked_div(rate)) {
            Some(usd_per_unit) => push(reading, currency, date, usd_per_unit),
            None => reading.refuse(
                &format!("{date} {currency}"),
                Reason::Malformed,
                format!("`{cell}` is no rate"),
            ),
        }
    }
}

fn push(reading: &mut Reading, currency: Currency, date: Date, usd_per_unit: Decimal) {
    let rounded =
        usd_per_unit.round_sf_with_strategy(SIGNIFICANT_DIGITS, RoundingStrategy::MidpointNearestEven);
    let usd_per_unit = rounded.unwrap_or(usd_per_unit).normalize();
    reading.observations.push(Observation::Fx(DayRate { currency, date, usd_per_unit }));
}

fn per_euro(cell: &str) -> Option<Decimal> {
    price(cell, 0).ok().filter(|rate| !rate.is_zero())
}

/// `30 October 2026`.
fn long_day(text: &str) -> Option<Date> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut parts = text.split_ascii_whitespace();
    let (day, month, year) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?);
    let month = (1_i8..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let day = |observation: &Observation| match observation {
            Observation::Fx(rate) => format!("{} {} {}", rate.date, rate.currency, rate.usd_per_unit),
            other => format!("{other:?}"),
        };
        read(text).observations.iter().map(day).collect()
    }

    #[test]
    fn the_history_is_units_per_euro_and_becomes_dollars_per_unit() {
        let text = "Date,USD,JPY,CNY,HRK,\n2024-12-27,1.0435,164.75,7.6169,N/A,\n";
        assert!(is(text.lines().next().unwrap()));
        assert_eq!(
            said(text),
            ["2024-12-27 EUR 1.0435", "2024-12-27 JPY 0.00633384", "2024-12-27 CNY 0.136998"]
        );
    }

    #[test]
    fn the_daily_file_has_long_dates_and_spaces() {
        let text = "Date, USD, GBP, \n30 October 2026, 1.1423, 0.8745, \n";
        assert!(is(text.lines().next().unwrap()));
        assert_eq!(said(text), ["2026-10-30 EUR 1.1423", "2026-10-30 GBP 1.30623"]);
    }

    #[test]
    fn a_day_without_a_dollar_or_without_a_date_is_refused() {
        let reading = read("Date,USD,JPY,\n2024-12-27,N/A,164.75,\nyesterday,1.1,160,\n2024-12-28,1.1,0,\n");
        let reasons: Vec<Reason> = reading.refused.iter().map(|refusal| refusal.reason).collect();
        assert_eq!(reasons, [Reason::NoPrice, Reason::Malformed, Reason::Malformed]);
    }
}
