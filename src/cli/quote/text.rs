//! An answer as a page of text: a table for each item, then totals, doubts and sources.

use std::fmt::Write as _;

use crate::{
    catalog::money::Currency,
    cli::table::{Column, amount, draw, group, grouped, per, plain},
    estimate::answer::{Answer, AnswerItem, AnswerLine, AnswerReference, AnswerWarning},
};

const COLUMNS: [Column; 4] = [Column::Left, Column::Right, Column::Right, Column::Right];

/// The page.
pub(super) fn of(answer: &Answer, with_sources: bool) -> String {
    let mut page = String::new();
    for item in answer.items.iter().flatten() {
        page += &format!("{}\n\n{}\n", heading(item), lines(item, answer.currency));
    }
    page += &totals(answer);
    if let Some(groups) = &answer.groups {
        let rows = groups.iter().map(|(name, total)| [group(name), amount(total.amount)]);
        let header = ["group", answer.currency.as_str()];
        page += &format!("\n{}", draw([Column::Left, Column::Right], header, rows));
    }
    let doubts = answer.items.iter().flatten().flat_map(|item| &item.warnings).chain(&answer.warnings);
    page += &section("warnings", doubts.map(warning));
    if with_sources {
        page += &section("sources", answer.references.0.iter().map(|(name, row)| source(name, row)));
    }
    page
}

/// `openai/gpt-4o: nightly summaries (req_7d1f)`
fn heading(item: &AnswerItem) -> String {
    let mut text = item.offering.as_ref().unwrap_or(&item.kind).clone();
    if let Some(label) = &item.label {
        text += &format!(": {label}");
    }
    if let Some(id) = &item.id {
        text += &format!(" ({id})");
    }
    if let Some(as_of) = &item.as_of {
        text += &format!(", as of {as_of}");
    }
    plain(&text)
}

fn lines(item: &AnswerItem, currency: Currency) -> String {
    let sum = |name: &str, money| [name.to_owned(), String::new(), String::new(), amount(money)];
    let mut rows: Vec<[String; 4]> = item.lines.iter().map(|line| row(line, currency)).collect();
    rows.extend(item.list_total.map(|total| sum("total before adjustments", total.amount)));
    rows.push(sum("total", item.total.amount));
    if let Some(reported) = item.reported_cost {
        rows.push(sum("reported by the vendor", reported.amount));
        rows.push(sum("reported less computed", reported.difference));
    }
    draw(COLUMNS, ["", "quantity", "unit price", currency.as_str()], rows)
}

fn row(line: &AnswerLine, currency: Currency) -> [String; 4] {
    let quantity = grouped(&line.quantity.to_string());
    let price = match line.price_currency == currency {
        true => amount(line.unit_price),
        false => format!("{} {}", amount(line.unit_price), line.price_currency),
    };
    let (quantity, price) = match line.unit.as_str() {
        "percent" => (format!("{quantity}%"), format!("of {price}")),
        "factor" => (quantity, format!("of {price}")),
        unit => (quantity, format!("{price} / {}", per(line.per, unit))),
    };
    [plain(&line.description), quantity, price, amount(line.amount)]
}

fn totals(answer: &Answer) -> String {
    let mut text = String::new();
    let currency = answer.currency;
    if let Some(list_total) = answer.list_total {
        // Writing to a string does not fail.
        let _ = writeln!(text, "Total before adjustments: {} {currency}", amount(list_total.amount));
    }
    let _ = writeln!(text, "Total: {} {currency}", amount(answer.total.amount));
    let Answer { as_of, catalog_revision, engine, .. } = answer;
    let basis = format!("as of {as_of}, catalog revision {catalog_revision}, {engine}");
    text + &plain(&basis) + "\n"
}

fn section(title: &str, entries: impl Iterator<Item = String>) -> String {
    let entries: String = entries.map(|entry| format!("  {}\n", plain(&entry))).collect();
    if entries.is_empty() { entries } else { format!("\n{title}:\n{entries}") }
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
        text += &format!(", in force from {from}");
    }
    if let Some(to) = &row.effective_to {
        text += &format!(", until {to}");
    }
    format!("{text}, catalog revision {revision}")
}
