//! An answer as a page of text: a table for each item, then totals, doubts and sources.

use crate::{
    catalog::money::{Currency, Money},
    cli::table::{Column, Page as _, amount, draw, group, grouped, per, plain},
    estimate::answer::{
        Answer, AnswerItem, AnswerLine, AnswerMetric, AnswerReference, AnswerTotal, AnswerWarning,
    },
};

const COLUMNS: [Column; 4] = [Column::Left, Column::Right, Column::Right, Column::Right];

/// The same with a range.
const RANGED: [Column; 5] = [Column::Left, Column::Right, Column::Right, Column::Right, Column::Right];

/// The page.
pub(super) fn of(answer: &Answer, with_sources: bool) -> String {
    let mut page = String::new();
    for item in answer.items.iter().flatten() {
        page.add(format_args!("{}\n\n{}\n", heading(item), lines(item, answer.currency)));
        page.add(metrics(item));
    }
    page.add(totals(answer));
    if let Some(groups) = &answer.groups {
        let rows = groups.iter().map(|(name, total)| [group(name), amount(total.amount)]);
        let header = ["group", answer.currency.as_str()];
        page.add(format_args!("\n{}", draw([Column::Left, Column::Right], header, rows)));
    }
    let doubts = answer.items.iter().flatten().flat_map(|item| &item.warnings).chain(&answer.warnings);
    page.add(section("warnings", doubts.map(warning)));
    if with_sources {
        page.add(section("sources", answer.references.0.iter().map(|(name, row)| source(name, row))));
    }
    page
}

/// `openai/gpt-4o: nightly summaries (req_7d1f)`
fn heading(item: &AnswerItem) -> String {
    let mut text = item.offering.as_ref().unwrap_or(&item.kind).clone();
    if let Some(label) = &item.label {
        text.add(format_args!(": {label}"));
    }
    if let Some(id) = &item.id {
        text.add(format_args!(" ({id})"));
    }
    if let Some(as_of) = &item.as_of {
        text.add(format_args!(", as of {as_of}"));
    }
    plain(&text)
}

fn lines(item: &AnswerItem, currency: Currency) -> String {
    let sum = |name: &str, total: AnswerTotal| {
        let range = range(total.low, total.high);
        [name.to_owned(), String::new(), String::new(), amount(total.amount), range]
    };
    let known = |amount| AnswerTotal { amount, low: None, high: None };
    let mut rows: Vec<[String; 5]> = item.lines.iter().map(|line| row(line, currency)).collect();
    rows.extend(item.list_total.map(|total| sum("total before adjustments", total)));
    rows.extend(item.headline_total.map(|total| sum("the stages alone", total)));
    rows.push(sum("total", item.total));
    rows.extend(item.upper_bound.map(|bound| sum("at most", known(bound))));
    if let Some(reported) = item.reported_cost {
        rows.push(sum("reported by the vendor", known(reported.amount)));
        rows.push(sum("reported less computed", known(reported.difference)));
    }
    if rows.iter().any(|row| !row[4].is_empty()) {
        return draw(RANGED, ["", "quantity", "unit price", currency.as_str(), "P10 to P90"], rows);
    }
    let rows = rows.into_iter().map(|[name, quantity, price, amount, _]| [name, quantity, price, amount]);
    draw(COLUMNS, ["", "quantity", "unit price", currency.as_str()], rows)
}

fn range(low: Option<Money>, high: Option<Money>) -> String {
    low.zip(high).map_or_else(String::new, |(low, high)| format!("{} to {}", amount(low), amount(high)))
}

/// What is not money, a line each.
fn metrics(item: &AnswerItem) -> String {
    let mut text = String::new();
    for (name, metric) in &item.metrics.0 {
        let AnswerMetric { value, low, high, unit } = metric;
        text.add(format_args!("  {}: {}", plain(name), figure(*value)));
        if let (Some(low), Some(high)) = (low, high) {
            text.add(format_args!(" ({} to {})", figure(*low), figure(*high)));
        }
        text.add(format_args!(" {}\n", plain(unit)));
    }
    if text.is_empty() { text } else { text + "\n" }
}

/// A figure for people: six significant digits, very large ones in powers of ten.
fn figure(value: f64) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:.3e}");
    }
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    grouped(&rounded.to_string())
}

fn row(line: &AnswerLine, currency: Currency) -> [String; 5] {
    let quantity = grouped(&line.quantity.to_string());
    let mut price = amount(line.unit_price);
    if line.price_currency != currency {
        price.add(format_args!(" {}", line.price_currency));
    }
    let (quantity, price) = match line.unit.as_str() {
        "percent" => (format!("{quantity}%"), format!("of {price}")),
        "factor" => (quantity, format!("of {price}")),
        unit => (quantity, format!("{price} / {}", per(line.per, unit))),
    };
    [plain(&line.description), quantity, price, amount(line.amount), range(line.low, line.high)]
}

fn totals(answer: &Answer) -> String {
    let mut text = String::new();
    let currency = answer.currency;
    if let Some(list_total) = answer.list_total {
        text.add(format_args!("Total before adjustments: {} {currency}\n", amount(list_total.amount)));
    }
    text.add(format_args!("Total: {} {currency}", amount(answer.total.amount)));
    let range = range(answer.total.low, answer.total.high);
    if !range.is_empty() {
        text.add(format_args!(" (P10 to P90: {range})"));
    }
    if let Some(bound) = answer.upper_bound {
        text.add(format_args!(", at most {}", amount(bound)));
    }
    text.add("\n");
    let Answer { as_of, catalog_revision, engine, .. } = answer;
    let basis = format!("as of {as_of}, catalog revision {catalog_revision}, {engine}");
    text + &plain(&basis) + "\n"
}

fn section(title: &str, entries: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for entry in entries {
        if text.is_empty() {
            text.add(format_args!("\n{title}:\n"));
        }
        text.add(format_args!("  {}\n", plain(&entry)));
    }
    text
}

fn warning(warning: &AnswerWarning) -> String {
    let AnswerWarning { code, message, pointer } = warning;
    match pointer.as_str() {
        "" => format!("{message} ({code})"),
        pointer => format!("{pointer}: {message} ({code})"),
    }
}

/// `rate_card:812  https://..., seen 2026-11-10, in force from ..., catalog revision 1`
fn source(name: &str, row: &AnswerReference) -> String {
    let AnswerReference { observed_at, revision, .. } = row;
    let source = row.source.as_deref().unwrap_or("no source is known");
    let mut text = format!("{name}  {source}, seen {observed_at}");
    if let Some(from) = &row.effective_from {
        text.add(format_args!(", in force from {from}"));
    }
    if let Some(to) = &row.effective_to {
        text.add(format_args!(", until {to}"));
    }
    format!("{text}, catalog revision {revision}")
}
