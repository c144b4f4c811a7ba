//! Rows in the catalog's own form: each replaces the row of its key, or the one that its line was exported from.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    Action, Change, Difference, Import, Kept, Plan,
    author::author_of,
    compare::settled,
    gates::{Gate, Pending, is_dear, is_sparse_peak, price_moves},
    rentals,
};
use crate::{
    catalog::{
        gpu::{Gpu, GpuPurchase, GpuRental},
        money::parse_decimal,
        rate_card::{Rate, RateCard},
        rows::Versioned,
        snapshot::View,
        time::utc_day,
    },
    sources::{
        Reason,
        observation::OwnRow,
        row::{CatalogRow, Edits, Known, KnownRows},
    },
};

/// Plans what rows of the catalog's own form change.
pub(super) fn plan(rows: Vec<OwnRow>, view: View<'_>, import: &Import, plan: &mut Plan) {
    let rows: Vec<(OwnRow, Option<String>)> = rows.into_iter().map(|row| named(row, view)).collect();
    let all: Vec<&CatalogRow> = rows.iter().map(|(row, _)| &row.row).collect();
    let known = KnownRows::of(view.snapshot().history(), &all);
    let mut taken = std::collections::BTreeSet::new();
    for (OwnRow { row, partial, .. }, replaces) in &rows {
        let (table, key) = (row.table(), row.key());
        if !taken.insert((table, key.clone())) {
            plan.refuse(&key, Reason::Contradicted, "is there twice");
            continue;
        }
        let old = row.known(&known);
        let row = if *partial { completed(row, old, view) } else { row.clone() };
        let remove = replaces.iter().filter(|old| **old != key).map(|old| (table, old.clone())).collect();
        plan_row(row, old, remove, view, import, plan);
    }
}

/// A row exported from the catalog's row of a number: a rental has that row's id, and a purchase, whose key has its
/// price, replaces it.
fn named(mut own: OwnRow, view: View<'_>) -> (OwnRow, Option<String>) {
    fn numbered<T>(rows: &[Versioned<T>], number: i64) -> Option<&T> {
        rows.iter().find(|row| row.id == number && row.superseded.is_none()).map(|row| &row.row)
    }
    let history = view.snapshot().history();
    let mut replaces = None;
    match (&mut own.row, own.stands_for) {
        (CatalogRow::GpuRental(rental), Some(number)) => {
            if let Some(old) = numbered::<GpuRental>(&history.gpu_rentals, number) {
                rental.id.clone_from(&old.id);
            }
        }
        (CatalogRow::GpuPurchase(_), Some(number)) => {
            replaces =
                numbered::<GpuPurchase>(&history.gpu_purchases, number).map(crate::catalog::rows::Row::key);
        }
        (CatalogRow::RateCard(card), _) => {
            for (meter, rate) in &mut card.rates {
                if rate.per.is_some() {
                    *rate = Rate {
                        min_quantity: rate.min_quantity,
                        ..settled_if_customary(rate, meter.as_str(), view)
                    };
                }
            }
        }
        _ => {}
    }
    (own, replaces)
}

/// A rate without its quantity where that is the customary one.
fn settled_if_customary(rate: &Rate, meter: &str, view: View<'_>) -> Rate {
    let customary = view.meter(meter).is_some_and(|meter| rate.per == Some(meter.per));
    if customary { Rate { per: None, ..*rate } } else { *rate }
}

/// A card of a sheet with what the sheet has no column for as the catalog has it.
fn completed(row: &CatalogRow, old: Option<Known<'_>>, view: View<'_>) -> CatalogRow {
    let CatalogRow::RateCard(card) = row else { return row.clone() };
    let mut card = RateCard::clone(card);
    match old {
        Some(Known::RateCard(Versioned { row: old, .. })) => {
            card.from_precision.clone_from(&old.from_precision);
            card.origin.clone_from(&old.origin);
            let still = |meter: &&crate::catalog::ids::MeterId| {
                let same = |old: &Rate, new: &Rate| {
                    settled(old, meter.as_str(), view.meters).amount
                        == settled(new, meter.as_str(), view.meters).amount
                };
                let pair = old.rates.get(*meter).zip(card.rates.get(*meter));
                pair.is_some_and(|(old, new)| same(old, new))
            };
            card.inherited = old.inherited.iter().filter(still).cloned().collect();
        }
        _ => card.origin = Some("curated".to_owned()),
    }
    card.into()
}

fn plan_row(
    row: CatalogRow,
    old: Option<Known<'_>>,
    remove: Vec<(&'static str, String)>,
    view: View<'_>,
    import: &Import,
    plan: &mut Plan,
) {
    let (old_row, author) = match old {
        Some(old) => (Some(old.row()), Some(author_of(view.snapshot().revisions(), old.introduced()))),
        None => (None, None),
    };
    if old_row.as_ref() == Some(&row) {
        plan.unchanged += 1;
        return;
    }
    let subject = row.key();
    let differences = differences(old_row.as_ref(), &row);
    if let Some(author) = author.filter(|author| !author.gives_way_to(&import.source)) {
        let because = format!("written by `{author}`");
        return plan.kept.push(Kept { subject, because, differences });
    }
    let pending = judge(old_row.as_ref(), &row, view, import);
    let replaced = old_row.is_some() || !remove.is_empty();
    plan.changes.push(Change {
        action: if replaced { Action::Changed } else { Action::Added },
        table: row.table(),
        subject,
        differences,
        pending,
        edits: Edits { put: vec![row], remove },
    });
}

/// The fields that differ; of rates, peaks and the like each by itself.
fn differences(old: Option<&CatalogRow>, new: &CatalogRow) -> Vec<Difference> {
    let mut differences = Vec::new();
    let old = old.map_or(Value::Null, CatalogRow::to_json);
    if old.is_object() {
        differ("", &old, &new.to_json(), &mut differences);
    }
    differences
}

fn differ(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    if let (Value::Object(one), Value::Object(other)) = (old, new) {
        let fields: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        for field in fields {
            let at = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            let get =
                |object: &serde_json::Map<String, Value>| object.get(field).cloned().unwrap_or_default();
            differ(&at, &get(one), &get(other), found);
        }
        return;
    }
    let difference = match (decimal(old), decimal(new)) {
        (Some(old), Some(new)) => Difference::between(path, Some(old), Some(new)),
        _ => Difference { old: text(old), new: text(new), ..Difference::between(path, None, None) },
    };
    found.push(difference);
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => parse_decimal(text).ok(),
        Value::Number(number) => parse_decimal(&number.to_string()).ok(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn judge(old: Option<&CatalogRow>, new: &CatalogRow, view: View<'_>, import: &Import) -> Vec<Pending> {
    match (old, new) {
        (old, CatalogRow::RateCard(card)) => judge_card(old, card, view),
        (Some(CatalogRow::Gpu(old)), CatalogRow::Gpu(new)) => judge_peaks(old, new),
        (old, CatalogRow::GpuRental(new)) => {
            let old = match old {
                Some(CatalogRow::GpuRental(old)) => Some(old.price_per_gpu_hour),
                _ => None,
            };
            rentals::judge_row(new, old, view, utc_day(import.observed_at))
        }
        (Some(CatalogRow::FxRate(old)), CatalogRow::FxRate(new)) => {
            moved("usd_per_unit", old.usd_per_unit, new.usd_per_unit)
        }
        (Some(CatalogRow::EnergyPrice(old)), CatalogRow::EnergyPrice(new)) => {
            moved("price_per_kwh", old.price_per_kwh, new.price_per_kwh)
        }
        (Some(CatalogRow::GpuPurchase(old)), CatalogRow::GpuPurchase(new)) => {
            moved("amount", old.amount, new.amount)
        }
        _ => Vec::new(),
    }
}

fn moved(what: &str, old: Decimal, new: Decimal) -> Vec<Pending> {
    let gate = price_moves(old, new);
    let detail = || format!("`{what}` goes from {} to {}", old.normalize(), new.normalize());
    gate.map(|gate| Pending { gate, detail: detail() }).into_iter().collect()
}

fn judge_card(old: Option<&CatalogRow>, card: &RateCard, view: View<'_>) -> Vec<Pending> {
    let before = match old {
        Some(CatalogRow::RateCard(old)) => Some(&old.rates),
        _ => None,
    };
    let judge = |(meter, rate): (&crate::catalog::ids::MeterId, &Rate)| {
        let new = settled(rate, meter.as_str(), view.meters).amount;
        if let Some(old) = before.and_then(|rates| rates.get(meter)) {
            return moved(meter.as_str(), settled(old, meter.as_str(), view.meters).amount, new);
        }
        let known = view.meter(meter.as_str());
        let dear = known.is_some_and(|known| is_dear(&known.unit, new, known.per));
        let detail = format!("`{meter}` at {} is dearer than any price known", new.normalize());
        dear.then_some(Pending { gate: Gate::UnitSlip, detail }).into_iter().collect()
    };
    card.rates.iter().flat_map(judge).collect()
}

fn judge_peaks(old: &Gpu, new: &Gpu) -> Vec<Pending> {
    let (old, new) = (&old.dense_tflops, &new.dense_tflops);
    let pairs = [
        ("tf32", old.tf32, new.tf32),
        ("fp16", old.fp16, new.fp16),
        ("bf16", old.bf16, new.bf16),
        ("fp8", old.fp8, new.fp8),
        ("int8", old.int8, new.int8),
        ("fp4", old.fp4, new.fp4),
    ];
    let doubled = pairs.into_iter().filter_map(|(name, old, new)| Some((name, old?, new?)));
    let doubled = doubled.filter(|(_, old, new)| is_sparse_peak(*old, *new));
    let pending = |(name, old, new): (&str, f64, f64)| Pending {
        gate: Gate::SparsePeak,
        detail: format!("`{name}` goes from {old} to {new}: the figure for 2:4 sparsity?"),
    };
    doubled.map(pending).collect()
}
