//! A comparison in words, for every page that is made of it.

use crate::{
    catalog::money::Money,
    cli::table::{Page as _, amount, counted, group, grouped, per, plain, signed},
    estimate::diff::{Appearance, Cause, Change, Diff, Figure, ItemDiff, LineDiff, Side, WarningDiff, Why},
};

/// Header of [`rows`].
pub(super) const HEADER: [&str; 6] = ["", "before", "after", "change", "", "why"];

/// The lines of an item that moved, then its total.
pub(super) fn rows(item: &ItemDiff) -> Vec<[String; 6]> {
    let mut rows: Vec<[String; 6]> = item.lines.iter().map(line).collect();
    let unchanged = match item.unchanged_lines {
        0 => String::new(),
        1 => "1 line as before".to_owned(),
        count => format!("{count} lines as before"),
    };
    rows.push(row("total", &item.total, unchanged));
    rows
}

fn line(line: &LineDiff) -> [String; 6] {
    let causes: Vec<String> = line.causes.iter().map(cause).collect();
    row(&line.description, &line.amount, causes.join("; "))
}

/// A name, the two amounts, how they differ, and why.
pub(super) fn row(name: &str, change: &Change, why: String) -> [String; 6] {
    let side = |money: Option<Money>| money.map_or_else(|| "–".to_owned(), amount);
    [
        plain(name),
        side(change.before),
        side(change.after),
        difference(change),
        percent(change).unwrap_or_default(),
        why,
    ]
}

fn difference(change: &Change) -> String {
    if change.change.is_zero() { "=".to_owned() } else { signed(change.change) }
}

/// `+10.00%`, `new` for something out of nothing, none where nothing moved.
pub(super) fn percent(change: &Change) -> Option<String> {
    match change.percent {
        _ if change.change.is_zero() => None,
        Some(percent) => Some(format!("{}%", signed(percent))),
        None => Some("new".to_owned()),
    }
}

/// `0.006 → 0.012 USD, +0.006 (+100.00%)`
pub(super) fn total(diff: &Diff) -> String {
    movement(&diff.total, diff.currency.as_str())
}

/// The subtotals that moved.
pub(super) fn groups(diff: &Diff) -> Vec<[String; 6]> {
    diff.groups.iter().map(|(name, change)| row(&group(name), change, String::new())).collect()
}

/// The same of another total.
pub(super) fn movement(change: &Change, currency: &str) -> String {
    let Change { before, after, .. } = change;
    let (before, after) = (before.unwrap_or(Money::ZERO), after.unwrap_or(Money::ZERO));
    match percent(change) {
        None => format!("{} {currency}, as before", amount(after)),
        Some(percent) => {
            let difference = signed(change.change);
            format!("{} → {} {currency}, {difference} ({percent})", amount(before), amount(after))
        }
    }
}

/// `openai/gpt-4o: nightly summaries (req_7d1f), new`
pub(super) fn heading(item: &ItemDiff) -> String {
    let offering = match (&item.offering_before, &item.offering_after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (before, after) => after.as_ref().or(before.as_ref()).unwrap_or(&item.kind).clone(),
    };
    let label = item.label.as_ref().map(|label| format!(": {label}")).unwrap_or_default();
    let id = item.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let fate = match (item.index_before, item.index_after) {
        (None, _) => ", new",
        (_, None) => ", gone",
        _ => "",
    };
    plain(&format!("{offering}{label}{id}{fate}"))
}

fn cause(cause: &Cause) -> String {
    let row = plain(cause.reference.as_deref().unwrap_or_default());
    let name = match cause.why {
        Why::New => return "new line".to_owned(),
        Why::Gone => return "line gone".to_owned(),
        Why::Catalog => return format!("{row} revised"),
        Why::Engine => return "reckoned otherwise".to_owned(),
        Why::Assumption => row.as_str(),
        Why::Price => "price",
        Why::Quantity => "quantity",
        Why::Fx => "exchange rate",
        Why::Modifier => "factor",
        Why::Base => "share of",
    };
    let (before, after) = (figure(cause.why, cause.before.as_ref()), figure(cause.why, cause.after.as_ref()));
    let percent = cause.percent.map(|percent| format!(" ({}%)", signed(percent))).unwrap_or_default();
    // What both figures are in is said once.
    let common = common_ending(&before, &after);
    format!("{name} {} → {after}{percent}", &before[..before.len() - common])
}

/// `2.50 USD / 1M tokens`, `1,200 tokens`, `0.14 USD per CNY`
fn figure(why: Why, figure: Option<&Figure>) -> String {
    let Some(figure) = figure else { return String::new() };
    let value = plain(&figure.value);
    if why == Why::Quantity {
        return counted(&value, figure.unit.as_deref().unwrap_or_default());
    }
    let mut text = grouped(&value);
    if let Some(currency) = figure.currency {
        text.add(format_args!(" {currency}"));
    }
    match (figure.per, figure.unit.as_deref()) {
        (_, None | Some("factor")) => {}
        (Some(count), Some(unit)) => text.add(format_args!(" / {}", per(count, unit))),
        (None, Some("percent")) => text += "%",
        (None, Some(unit)) => text.add(format_args!(" {}", plain(unit))),
    }
    text
}

/// How many bytes of whole words two texts end in alike, the space before them included.
fn common_ending(before: &str, after: &str) -> usize {
    let is_alike = |at: &usize| after.ends_with(&before[*at..]);
    before.match_indices(' ').map(|(at, _)| at).find(is_alike).map_or(0, |at| before.len() - at)
}

/// `appeared: the only seller ... (provider_assumed)`
pub(super) fn warning(warning: &WarningDiff) -> String {
    let change = match warning.change {
        Appearance::Appeared => "appeared",
        Appearance::Gone => "gone",
    };
    plain(&format!("{change}: {} ({})", warning.message, warning.code))
}

/// `as of 2026-11-24T12:00:00Z, catalog revision 1, farthing 0.1.0`
pub(super) fn side(side: &Side) -> String {
    let Side { as_of, catalog_revision, engine } = side;
    plain(&format!("as of {as_of}, catalog revision {catalog_revision}, {engine}"))
}

/// What is left out because nothing about it moved, or because it is not there.
pub(super) fn rest(diff: &Diff) -> Option<String> {
    let rest = match diff.unchanged_items {
        None => "Only totals are compared: one of the answers has no lines.".to_owned(),
        Some(0) => return None,
        Some(1) => "1 item is as before.".to_owned(),
        Some(count) => format!("{count} items are as before."),
    };
    Some(rest)
}

/// That the total rose by more than it may, if it did.
pub(super) fn exceeded(diff: &Diff) -> Option<String> {
    let judged = diff.fail_over.as_ref().filter(|judged| judged.exceeded)?;
    Some(format!("the total rose by more than {}: {}", judged.limit, total(diff)))
}

/// Whether the rise is within its limit, if there is one.
pub(super) fn verdict(diff: &Diff) -> Option<String> {
    let judged = diff.fail_over.as_ref()?;
    let rose = if judged.exceeded { "rose" } else { "did not rise" };
    Some(format!("The total {rose} by more than {}.", judged.limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_figures_are_both_in_is_said_once() {
        assert_eq!(common_ending("2.50 USD / 1M tokens", "5.00 USD / 1M tokens"), " USD / 1M tokens".len());
        assert_eq!(common_ending("2.50 USD / token", "5.00 EUR / token"), " / token".len());
        assert_eq!(common_ending("10", "10"), 0);
    }
}
