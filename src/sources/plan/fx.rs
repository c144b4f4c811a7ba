//! Reference rates of currencies, day by day.

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    Action, Author, Change, Difference, Import, Kept, Plan,
    author::author_of,
    gates::{Pending, price_moves},
};
use crate::{
    catalog::{
        fx::FxRate, hash::Map, ids::RevisionNumber, money::Currency, rows::Row as _, snapshot::View,
        time::utc_day,
    },
    sources::{observation::DayRate, row::Edits},
};

/// How long ago a rate may be that a new one is judged by.
const JUDGED_BY_DAYS: i32 = 31;

/// Where the rates of the one feed that has any come from.
const SOURCE: &str = "European Central Bank euro foreign exchange reference rates";

/// Plans what reference rates change.
pub(super) fn plan(rates: &[DayRate], view: View<'_>, import: &Import, plan: &mut Plan) {
    if rates.is_empty() {
        return;
    }
    let source: Arc<str> = SOURCE.into();
    let mut known: Map<(Currency, Date), (Decimal, RevisionNumber)> = Map::default();
    for row in view.known(&view.snapshot().history().fx_rates) {
        known.insert((row.row.currency, row.row.date), (row.row.usd_per_unit, row.introduced));
    }
    let mut by_day: Vec<&DayRate> = rates.iter().collect();
    by_day.sort_by_key(|rate| (rate.currency, rate.date));
    let mut last: Option<(Currency, Date, Decimal)> = None;
    for rate in by_day {
        let before = last.filter(|(currency, day, _)| {
            let days = rate.date.since(*day).map_or(i32::MAX, |span| span.get_days());
            *currency == rate.currency && days <= JUDGED_BY_DAYS
        });
        last = Some((rate.currency, rate.date, rate.usd_per_unit));
        let row = FxRate {
            currency: rate.currency,
            date: rate.date,
            usd_per_unit: rate.usd_per_unit,
            source: Some(Arc::clone(&source)),
            observed_at: utc_day(import.observed_at),
        };
        match known.get(&(rate.currency, rate.date)) {
            Some((old, _)) if *old == rate.usd_per_unit => plan.unchanged += 1,
            Some((old, introduced)) => {
                let author = author_of(view.snapshot().revisions(), *introduced);
                change_day(row, *old, author, import, plan);
            }
            None => {
                let judged = before.map(|(_, _, before)| before);
                push(row, Action::Added, None, judged, plan);
            }
        }
    }
}

fn change_day(row: FxRate, old: Decimal, author: Author<'_>, import: &Import, plan: &mut Plan) {
    if author.gives_way_to(&import.source) {
        return push(row, Action::Changed, Some(old), Some(old), plan);
    }
    plan.kept.push(Kept {
        subject: row.key(),
        because: format!("written by `{author}`"),
        differences: vec![Difference::between("usd_per_unit", Some(old), Some(row.usd_per_unit))],
    });
}

fn push(row: FxRate, action: Action, old: Option<Decimal>, judged_by: Option<Decimal>, plan: &mut Plan) {
    let gate = judged_by.and_then(|old| Some((old, price_moves(old, row.usd_per_unit)?)));
    let pending = gate.map(|(old, gate)| {
        let detail = format!("a {} goes from {old} to {} dollars", row.currency, row.usd_per_unit);
        Pending { gate, detail }
    });
    plan.changes.push(Change {
        action,
        table: FxRate::TABLE,
        subject: row.key(),
        differences: vec![Difference::between("usd_per_unit", old, Some(row.usd_per_unit))],
        pending: pending.into_iter().collect(),
        edits: Edits { put: vec![row.into()], remove: Vec::new() },
    });
}
