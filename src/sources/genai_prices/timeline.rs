//! When which set of genai-prices is in force: from a date, between two hours, under a context.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Unfit,
    price::{PriceSet, set},
};
use crate::{
    catalog::{
        rate_card::{Context, ContextKey, Hours, Window},
        time::{parse_day, start_of_day},
    },
    sources::{
        json::{Fields, elements, string},
        observation::{Reading, Reason},
    },
};

/// A span in which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Its first instant; none: as far back as known.
    pub from: Option<Timestamp>,
    /// The first instant after it; none: it goes on.
    pub to: Option<Timestamp>,
}

/// The standard sets.
#[derive(Debug)]
pub(super) struct Sets {
    /// By start, in order; the first one has none.
    dated: Vec<(Option<Timestamp>, PriceSet)>,
    windowed: Vec<(Window, PriceSet)>,
}

/// What a context changes from an instant on.
#[derive(Debug)]
pub(super) struct Variant {
    pub when: Context,
    pub from: Option<Timestamp>,
    pub set: PriceSet,
}

enum Constraint {
    None,
    From(Timestamp),
    Hours(Vec<Hours>),
}

fn malformed(detail: &str) -> Unfit {
    (Reason::Malformed, detail.to_owned())
}

impl Sets {
    /// Reads `prices`: a set, or a list of sets with constraints.
    pub(super) fn standard(raw: &str, reading: &mut Reading) -> Result<Self, Unfit> {
        let mut sets = Self { dated: Vec::new(), windowed: Vec::new() };
        let Some(list) = elements(raw) else {
            sets.dated.push((None, set(raw, reading)?));
            return Ok(sets);
        };
        for (at, entry) in list.iter().enumerate() {
            let entry = Fields::parse(entry.get()).ok_or_else(|| malformed("a price is no object"))?;
            let prices = entry.get("prices").ok_or_else(|| malformed("a price has no `prices`"))?;
            let prices = set(prices, reading)?;
            match constraint(&entry)? {
                _ if at == 0 => sets.dated.push((None, prices)), // stands in where none holds
                Constraint::Hours(hours) => sets.windowed.push((daily(hours), prices)),
                Constraint::From(from) if sets.windowed.is_empty() => sets.dated.push((Some(from), prices)),
                Constraint::From(_) | Constraint::None => return Err(out_of_order()),
            }
        }
        if sets.dated.is_sorted_by(|(one, _), (next, _)| one < next) { Ok(sets) } else { Err(out_of_order()) }
    }

    /// Spans between the starts of sets and some further instants.
    pub(super) fn moments(&self, others: &[Timestamp]) -> Vec<Moment> {
        let starts: BTreeSet<Option<Timestamp>> =
            self.dated.iter().map(|(from, _)| *from).chain(others.iter().copied().map(Some)).collect();
        let starts: Vec<_> = starts.into_iter().collect();
        let moment = |at: usize| Moment { from: starts[at], to: starts.get(at + 1).copied().flatten() };
        (0..starts.len()).map(moment).collect()
    }

    /// The set in force in a moment.
    pub(super) fn at(&self, moment: Moment) -> &PriceSet {
        static NOTHING: PriceSet = PriceSet::new();
        let started = self.dated.iter().rev().find(|(from, _)| *from <= moment.from);
        started.or(self.dated.first()).map_or(&NOTHING, |(_, set)| set)
    }

    /// The sets that hold in hours of the day.
    pub(super) fn windowed(&self) -> &[(Window, PriceSet)] {
        &self.windowed
    }
}

fn out_of_order() -> Unfit {
    (Reason::Inexpressible, "its prices are not in the order of their dates, those of hours last".to_owned())
}

fn daily(hours: Vec<Hours>) -> Window {
    Window { time_zone: "UTC".to_owned(), days: (1..=7).collect(), hours, except: None }
}

/// Reads `price_variants`.
pub(super) fn variants(raw: &str, reading: &mut Reading) -> Result<Vec<Variant>, Unfit> {
    let list = elements(raw).ok_or_else(|| malformed("`price_variants` is no list"))?;
    let mut variants = Vec::with_capacity(list.len());
    for variant in list {
        let variant = Fields::parse(variant.get()).ok_or_else(|| malformed("a variant is no object"))?;
        let prices = variant.get("prices").ok_or_else(|| malformed("a variant has no `prices`"))?;
        let from = match constraint(&variant)? {
            Constraint::None => None,
            Constraint::From(from) => Some(from),
            Constraint::Hours(_) => return Err((Reason::Inexpressible, "a variant has hours".to_owned())),
        };
        variants.push(Variant { when: when(&variant)?, from, set: set(prices, reading)? });
    }
    Ok(variants)
}

/// The different contexts of variants.
pub(super) fn contexts(variants: &[Variant]) -> Vec<Context> {
    let mut contexts: Vec<Context> = Vec::new();
    for variant in variants {
        if !contexts.contains(&variant.when) {
            contexts.push(variant.when.clone());
        }
    }
    contexts
}

fn when(variant: &Fields<'_>) -> Result<Context, Unfit> {
    let fields =
        variant.get("when").and_then(Fields::parse).ok_or_else(|| malformed("a variant has no `when`"))?;
    let mut context = Context::default();
    for (key, value) in &fields.0 {
        let known = ContextKey::parse(key).zip(string(value.get()));
        let unknown =
            || (Reason::UnknownName, format!("a variant has the context `{key}`, which is not known"));
        let (key, value) = known.ok_or_else(unknown)?;
        context.insert(key, value);
    }
    Ok(context)
}

fn constraint(entry: &Fields<'_>) -> Result<Constraint, Unfit> {
    let Some(raw) = entry.get("constraint") else { return Ok(Constraint::None) };
    let fields = Fields::parse(raw).ok_or_else(|| malformed("a constraint is no object"))?;
    if let Some(day) = fields.text("start_date") {
        let start = parse_day(&day).and_then(start_of_day);
        return start.map(Constraint::From).ok_or_else(|| malformed("a `start_date` is no day"));
    }
    let minute = |name: &str| fields.text(name).as_deref().and_then(utc_minute);
    match (minute("start_time"), minute("end_time")) {
        (Some(from), Some(to)) => Ok(Constraint::Hours(hours(from, to))),
        _ => Err((Reason::Inexpressible, format!("has the constraint {raw}"))),
    }
}

/// The hours between two minutes of the day; over midnight they are two.
fn hours(from: u16, to: u16) -> Vec<Hours> {
    const DAY: u16 = 24 * 60;
    match to {
        to if from < to => vec![Hours { from, to }],
        0 => vec![Hours { from, to: DAY }],
        to => vec![Hours { from: 0, to }, Hours { from, to: DAY }],
    }
}

/// `16:30:00Z` in minutes; other zones, and seconds, are not read.
fn utc_minute(text: &str) -> Option<u16> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).unwrap_or(text);
    let mut parts = text.split(':').map(|part| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let whole = parts.all(|second| second == Some(0));
    (hour < 24 && minute < 60 && whole).then_some(hour * 60 + minute)
}
