//! The file of exchange rates: a line a day, a column a currency, under a comment that says whence.
//!
//! A comment holds for the lines after it, until the next one: new days go below a comment of their own, and the
//! days before stay the rows that they were.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    files::FilesError,
    fx::FxRate,
    money::{Currency, parse_decimal},
    time::parse_day,
};

const SOURCE: &str = "# source: ";
const OBSERVED_AT: &str = "; observed_at: ";
const NO_SOURCE: &str = "null";

type Origin = (Option<Arc<str>>, Date);

/// Reads the file.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<FxRate>, FilesError> {
    let mut rows = Vec::new();
    let mut origin: Option<Origin> = None;
    let mut currencies: Option<Vec<Currency>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let at = |problem: &str| FilesError::at(path, number, problem);
        if line.starts_with('#') {
            let parsed = parse_origin(line);
            origin = Some(parsed.ok_or_else(|| at("a comment is `# source: ...; observed_at: YYYY-MM-DD`"))?);
        } else if let Some(currencies) = &currencies {
            let origin =
                origin.as_ref().ok_or_else(|| at("no comment above says where the rates come from"))?;
            parse_day_line(line, currencies, origin, &mut rows).map_err(|problem| at(&problem))?;
        } else {
            currencies =
                Some(parse_header(line).ok_or_else(|| at("the header is `date` and currency codes"))?);
        }
    }
    Ok(rows)
}

fn parse_origin(line: &str) -> Option<Origin> {
    let (source, day) = line.strip_prefix(SOURCE)?.rsplit_once(OBSERVED_AT)?;
    let source = (source != NO_SOURCE).then(|| Arc::from(source.trim_end()));
    Some((source, parse_day(day)?))
}

fn parse_header(line: &str) -> Option<Vec<Currency>> {
    let mut columns = line.split(',');
    (columns.next() == Some("date")).then_some(())?;
    columns.map(Currency::parse).collect()
}

fn parse_day_line(
    line: &str,
    currencies: &[Currency],
    (source, observed_at): &Origin,
    rows: &mut Vec<FxRate>,
) -> Result<(), String> {
    let mut cells = line.split(',');
    let date = cells.next().and_then(parse_day).ok_or("a line starts with a day")?;
    let cells: Vec<&str> = cells.collect();
    if cells.len() != currencies.len() {
        return Err(format!("has {} rates under {} currencies", cells.len(), currencies.len()));
    }
    for (&currency, cell) in currencies.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let usd_per_unit = parse_decimal(cell).map_err(|error| format!("{currency} {error}"))?;
        let source = source.clone();
        rows.push(FxRate { currency, date, usd_per_unit, source, observed_at: *observed_at });
    }
    Ok(())
}

/// The rates as a file, by day; a new comment where the origin changes.
pub(super) fn write(rates: &[FxRate]) -> String {
    let currencies: BTreeSet<Currency> = rates.iter().map(|rate| rate.currency).collect();
    let mut days: BTreeMap<(Date, Origin), BTreeMap<Currency, Decimal>> = BTreeMap::new();
    for rate in rates {
        let day = days.entry((rate.date, (rate.source.clone(), rate.observed_at)));
        day.or_default().insert(rate.currency, rate.usd_per_unit);
    }
    let mut lines = Vec::new();
    let mut written: Option<Origin> = None;
    for ((date, origin), rates) in days {
        if written.as_ref() != Some(&origin) {
            let source = origin.0.as_deref().unwrap_or(NO_SOURCE);
            lines.push(format!("{SOURCE}{source}{OBSERVED_AT}{}", origin.1));
        }
        if written.is_none() {
            lines.push(line("date", currencies.iter().map(ToString::to_string)));
        }
        written = Some(origin);
        let cell = |currency| rates.get(currency).map(ToString::to_string);
        let cells = currencies.iter().map(|currency| cell(currency).unwrap_or_default());
        lines.push(line(&date.to_string(), cells));
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

fn line(first: &str, cells: impl Iterator<Item = String>) -> String {
    let mut line = first.to_owned();
    for cell in cells {
        line.push(',');
        line.push_str(&cell);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_ORIGINS: &str = "\
# source: the bank; observed_at: 2026-11-23
date,CNY,EUR
2024-12-26,0.137,
2024-12-27,0.136997,1.0435
# source: null; observed_at: 2026-12-01
2026-11-30,,1.1
";

    #[test]
    fn an_empty_cell_is_no_rate() {
        let rates = parse("fx_rates.csv", TWO_ORIGINS).unwrap();
        let keys: Vec<String> = rates.iter().map(|rate| format!("{} {}", rate.date, rate.currency)).collect();
        assert_eq!(keys, ["2024-12-26 CNY", "2024-12-27 CNY", "2024-12-27 EUR", "2026-11-30 EUR"]);
    }

    #[test]
    fn a_comment_holds_until_the_next_one() {
        let rates = parse("fx_rates.csv", TWO_ORIGINS).unwrap();
        let sources: Vec<Option<&str>> = rates.iter().map(|rate| rate.source.as_deref()).collect();
        assert_eq!(sources, [Some("the bank"), Some("the bank"), Some("the bank"), None]);
    }

    #[test]
    fn what_is_read_is_written_back() {
        let rates = parse("fx_rates.csv", TWO_ORIGINS).unwrap();
        assert_eq!(write(&rates), TWO_ORIGINS);
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        for (text, problem) in [
            ("2024-12-26,1", "fx_rates.csv, line 5: has 1 rates under 2 currencies"),
            ("2024-12-26,1e3,1", "fx_rates.csv, line 5: CNY must be a plain decimal number such as \"2.50\""),
            ("26.12.2024,1,1", "fx_rates.csv, line 5: a line starts with a day"),
            (
                "# from the bank",
                "fx_rates.csv, line 5: a comment is `# source: ...; observed_at: YYYY-MM-DD`",
            ),
        ] {
            let lines: Vec<&str> = TWO_ORIGINS.lines().take(4).chain([text]).collect();
            assert_eq!(parse("fx_rates.csv", &lines.join("\n")).unwrap_err().to_string(), problem);
        }
    }
}
