//! A second opinion on every quote of what is modelled: lines multiply out, sums add up, formulas name their inputs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::estimate::ledger::{Printed, sum};

/// Codes of what stands around the stages, in their order.
const AROUND: [&str; 7] = ["idle", "experiments", "failed_runs", "evaluation", "data", "staff", "other"];

/// Codes of an ownership, in their order.
const OWNED: [&str; 9] = [
    "hardware.chips",
    "hardware.servers",
    "hardware.network",
    "energy",
    "colocation",
    "maintenance",
    "staff",
    "capital",
    "residual",
];

/// Words of formulas that are no names.
const ENGLISH: [&str; 9] = ["where", "every", "other", "factor", "given", "what", "allows", "min", "sqrt"];

fn field(object: &Value, name: &str) -> Printed {
    Printed::read(object[name].as_str().unwrap_or_else(|| panic!("{name} in {object:#}")))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Panics unless a quote adds up in itself.
pub fn audit(quote: &Value) {
    let total = field(&quote["total"], "amount");
    check_range(&quote["total"]);
    if let Some(groups) = quote["groups"].as_object() {
        assert!(sum(groups.values()).is(total), "the groups do not add up: {quote:#}");
        groups.values().for_each(check_range);
    }
    let Some(items) = quote["items"].as_array() else {
        return; // only totals were asked for
    };
    assert!(sum(items.iter().map(|item| &item["total"])).is(total), "the items do not add up: {quote:#}");
    let references = quote["references"].as_object().unwrap();
    for item in items {
        check_range(&item["total"]);
        let lines = list(&item["lines"]);
        assert!(sum(lines.iter()).is(field(&item["total"], "amount")), "the lines do not add up: {item:#}");
        for line in lines {
            let named = list(&line["refs"])
                .iter()
                .chain(list(&line["basis"]["inputs"]).iter().map(|input| &input["ref"]));
            for name in named.filter_map(Value::as_str) {
                assert!(references.contains_key(name), "{name} leads nowhere: {quote:#}");
            }
        }
        for warning in list(&item["warnings"]) {
            assert!(warning["pointer"].is_string() && warning["message"].is_string(), "{warning}");
        }
        if item["kind"] == "training" {
            check_training(item, lines);
        }
        if item["kind"] == "ownership" {
            check_ownership(item, lines);
        }
    }
}

fn check_training(item: &Value, lines: &[Value]) {
    let total = field(&item["total"], "amount");
    lines.iter().for_each(check_line);
    check_order(lines, &AROUND);
    let is_around = |line: &&Value| AROUND.contains(&base(line));
    let headline = field(&item["headline_total"], "amount");
    assert!(sum(list(&item["stages"]).iter().map(|stage| &stage["total"])).is(headline), "{item:#}");
    assert!(sum(lines.iter().filter(is_around)).plus(headline).is(total), "{item:#}");
    check_range(&item["headline_total"]);
    check_months(item);
    check_figures(item);
}

fn check_ownership(item: &Value, lines: &[Value]) {
    lines.iter().for_each(check_line);
    check_order(lines, &OWNED);
    let rank = |line: &Value| OWNED.iter().position(|code| *code == base(line));
    assert!(lines.iter().all(|line| rank(line).is_some()), "{item:#}");
    let left = lines.iter().find(|line| base(line) == "residual");
    assert!(left.is_none_or(|line| Printed::read("0").is_at_least(field(line, "amount"))), "{item:#}");
    check_months(item);
    check_figures(item);
}

fn check_months(item: &Value) {
    if let Some(months) = item["by_month"].as_array() {
        let total = field(&item["total"], "amount");
        assert!(
            sum(months.iter().map(|month| &month["total"])).is(total),
            "the months do not add up: {item:#}"
        );
        for month in months {
            check_range(&month["total"]);
        }
    }
}

/// A line's code without its number.
fn base(line: &Value) -> &str {
    line["code"].as_str().unwrap().split('#').next().unwrap()
}

/// What has no place of its own first, such as stages; then what has one, in the order of the codes.
fn check_order(lines: &[Value], order: &[&str]) {
    let codes: Vec<&str> = lines.iter().map(|line| line["code"].as_str().unwrap()).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "a code comes twice: {codes:?}");
    let rank = |line: &Value| order.iter().position(|code| *code == base(line)).map_or(0, |at| at + 1);
    assert!(lines.iter().map(rank).is_sorted(), "{codes:?}");
}

/// `amount = quantity * unit_price / per`, times `fx.rate` where there is one, rounded as modelled amounts are.
fn check_line(line: &Value) {
    check_range(line);
    let quantity = field(line, "quantity");
    assert!(!quantity.is(Printed::read("0")) || line["high"].is_string(), "a line of nothing: {line:#}");
    assert!(field(line, "per").is(Printed::read("1")), "{line:#}");
    let rate = line["fx"]["rate"].as_str().map_or(Printed::read("1"), Printed::read);
    let exact = quantity.times(field(line, "unit_price")).times(rate);
    let amount = field(line, "amount");
    // Six digits of an amount below ten thousand, else cents.
    let digits = [
        ("10000", "0.0050001"),
        ("1000", "0.00500001"),
        ("100", "0.000500001"),
        ("10", "0.0000500001"),
        ("1", "0.00000500001"),
    ];
    let tolerance = digits.iter().find(|(least, _)| exact.abs().is_at_least(Printed::read(least)));
    let rounding = tolerance
        .map_or_else(|| exact.abs().times(Printed::read("0.00000500001")), |(_, half)| Printed::read(half));
    let inexact = if line["fx"].is_object() {
        // The rate is printed to twelve places, and what is converted is rounded to as many.
        exact.abs().times(Printed::read("0.0000000001")).plus(Printed::read("0.0000000000005"))
    } else {
        Printed::read("0")
    };
    assert!(amount.is_within(exact, rounding.plus(inexact)), "the line does not multiply out: {line:#}");
    check_basis(line);
}

/// The formula names nothing that is not among the inputs; figures of the catalog and assumptions name their rows.
fn check_basis(line: &Value) {
    let Some(formula) = line["basis"]["formula"].as_str() else {
        return;
    };
    let inputs = list(&line["basis"]["inputs"]);
    let names: BTreeSet<&str> = inputs.iter().map(|input| input["name"].as_str().unwrap()).collect();
    let words = formula.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let letters = words.filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    for word in letters.filter(|word| !ENGLISH.contains(word)) {
        assert!(names.contains(word), "`{word}` of the formula is no input: {line:#}");
    }
    for input in inputs {
        match input["origin"].as_str() {
            Some("catalog" | "assumption") => assert!(input["ref"].is_string(), "{input} in {line:#}"),
            Some("request") => assert!(input["ref"].is_null(), "{input} in {line:#}"),
            _ => {} // what is derived may name the row it is derived with
        }
    }
}

/// `low <= amount <= high`, both or neither, and only where they differ.
fn check_range(total: &Value) {
    assert_eq!(total["low"].is_string(), total["high"].is_string(), "{total:#}");
    if total["low"].is_string() {
        let (low, amount, high) = (field(total, "low"), field(total, "amount"), field(total, "high"));
        assert!(high.is_at_least(amount) && amount.is_at_least(low) && !low.is(high), "{total:#}");
    }
}

/// Every metric is a number with a unit, and its range lies around it.
fn check_figures(item: &Value) {
    let of_stages = list(&item["stages"]).iter().flat_map(|stage| stage.as_object().unwrap());
    let metrics = item["metrics"].as_object().unwrap().iter().chain(of_stages);
    for (name, metric) in metrics.filter(|(_, metric)| metric["unit"].is_string()) {
        let figure = |part: &str| metric[part].as_f64().filter(|figure| figure.is_finite() && *figure >= 0.0);
        let value = figure("value").unwrap_or_else(|| panic!("{name}: {metric}"));
        if metric.get("low").is_some() {
            let (low, high) = (figure("low").unwrap(), figure("high").unwrap());
            assert!(
                low <= value * (1.0 + 1e-6) && value <= high * (1.0 + 1e-6) && low < high,
                "{name}: {metric}"
            );
        }
    }
}
