//! What about a line moved it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Change, rows::Rows};
use crate::{
    catalog::money::{Currency, Money, Quantity},
    estimate::answer::AnswerLine,
};

/// One figure that moved.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cause {
    /// Which.
    pub why: Why,
    /// The row of the catalog that it stands in, where the row is what moved.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    #[schema(example = "assumption:training.utilization.base")]
    pub reference: Option<String>,
    /// The figure of the first answer; null for lines that are new or gone.
    pub before: Option<Figure>,
    /// The figure of the second answer; null for lines that are new or gone.
    pub after: Option<Figure>,
    /// The change in percent of the size of the first figure, rounded to two places; null: not comparable.
    pub percent: Option<Money>,
}

/// Which figure moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Only the second answer has the line.
    New,
    /// Only the first answer has the line.
    Gone,
    /// The price of a unit.
    Price,
    /// How much is charged.
    Quantity,
    /// The exchange rate.
    Fx,
    /// The factor of a modifier, or the percentage of an adjustment.
    Modifier,
    /// What a modifier or an adjustment is a share of.
    Base,
    /// A default of the arithmetic that the line rests on.
    Assumption,
    /// A data sheet that the line rests on: an accelerator's, a model's, a grid's.
    Catalog,
    /// The engine reckons otherwise: the amount moved though every figure on the line is as it was; or, where a kept
    /// request was priced again at its own time and revision, what it comes to now is not what was kept.
    Engine,
}

/// A figure and what it is in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = CauseFigure)]
pub struct Figure {
    /// The figure, as a decimal string; P50 where there is a range.
    #[schema(example = "2.50")]
    pub value: String,
    /// P10, where there is a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.75")]
    pub low: Option<String>,
    /// P90, where there is a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.96")]
    pub high: Option<String>,
    /// Its currency, where it is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Option<Currency>,
    /// How many units a price is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<Quantity>,
    /// Its unit, or the unit a price is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "token")]
    pub unit: Option<String>,
}

/// A line on both sides, and what each side rests on.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    /// The line of the first answer.
    pub(super) before: Option<&'a AnswerLine>,
    /// The line of the first answer as the engine reckons it today.
    pub(super) replay: Replay<'a>,
    /// The line of the second answer.
    pub(super) after: Option<&'a AnswerLine>,
}

/// What the engine makes of a line today.
#[derive(Clone, Copy)]
pub(super) enum Replay<'a> {
    /// Nobody has asked.
    Unknown,
    /// This, or no such line.
    Known(Option<&'a AnswerLine>),
}

impl Pair<'_> {
    /// What moved the line; nothing where nothing did. `amount` is how far it moved.
    pub(super) fn causes(self, rows: &Rows<'_>, amount: Change) -> Vec<Cause> {
        let Replay::Known(replayed) = self.replay else {
            return between(self.before, self.after, rows, amount);
        };
        let by_engine = engine(self.before, replayed);
        // What the engine moved is told once: all else is what moved since, under today's.
        let moved_since = match (replayed, self.after, Change::of_lines(replayed, self.after)) {
            (None, None, _) | (_, _, Err(_)) => Vec::new(),
            (replayed, after, Ok(amount)) => between(replayed, after, rows, amount),
        };
        moved_since.into_iter().chain(by_engine).collect()
    }
}

/// What moved between two lines.
fn between(
    before: Option<&AnswerLine>,
    after: Option<&AnswerLine>,
    rows: &Rows<'_>,
    amount: Change,
) -> Vec<Cause> {
    let alone = |why| vec![Cause::bare(why)];
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return alone(Why::New),
        (_, None) => return alone(Why::Gone),
    };
    let figures = if is_share(before) {
        [modifier(before, after), base(before, after), fx(before, after)]
    } else {
        [price(before, after), quantity(before, after), fx(before, after)]
    };
    let causes: Vec<Cause> = figures.into_iter().flatten().chain(rows.moved(before, after)).collect();
    if causes.is_empty() && !amount.is_none() {
        return alone(Why::Engine);
    }
    causes
}

/// What was kept, and what the engine makes of the same today.
fn engine(kept: Option<&AnswerLine>, replayed: Option<&AnswerLine>) -> Option<Cause> {
    let figures = |line: &AnswerLine| (line.quantity, line.unit_price, line.per, line.amount);
    if kept.map(figures) == replayed.map(figures) {
        return None;
    }
    let figure = |line: &AnswerLine| Figure { value: line.amount.to_string(), ..Figure::default() };
    let amounts = kept.zip(replayed).and_then(|(kept, now)| percent_between(kept.amount, now.amount));
    Some(Cause {
        before: kept.map(figure),
        after: replayed.map(figure),
        percent: amounts,
        ..Cause::bare(Why::Engine)
    })
}

impl Cause {
    /// A cause without figures.
    pub(super) fn bare(why: Why) -> Self {
        Self { why, reference: None, before: None, after: None, percent: None }
    }
}

/// Whether a line is a share of others: its quantity is a factor, and its price what the factor is of.
#[must_use]
fn is_share(line: &AnswerLine) -> bool {
    let base = line.code.split('#').next();
    matches!(base, Some("modifier" | "adjustment"))
}

fn quantity(before: &AnswerLine, after: &AnswerLine) -> Option<Cause> {
    counted(Why::Quantity, before, after)
}

fn modifier(before: &AnswerLine, after: &AnswerLine) -> Option<Cause> {
    counted(Why::Modifier, before, after)
}

fn counted(why: Why, before: &AnswerLine, after: &AnswerLine) -> Option<Cause> {
    if before.quantity == after.quantity && before.unit == after.unit {
        return None;
    }
    let figure = |line: &AnswerLine| Figure {
        value: line.quantity.to_string(),
        unit: Some(line.unit.clone()),
        ..Figure::default()
    };
    let comparable = before.unit == after.unit;
    let percent =
        comparable.then(|| percent_between(before.quantity.into(), after.quantity.into())).flatten();
    Some(Cause { before: Some(figure(before)), after: Some(figure(after)), percent, ..Cause::bare(why) })
}

/// 2.50 per 1,000,000 is the same price as 0.0025 per 1,000.
fn price(before: &AnswerLine, after: &AnswerLine) -> Option<Cause> {
    let crosswise = || {
        let (first, second) =
            (before.unit_price.checked_mul(after.per), after.unit_price.checked_mul(before.per));
        first.ok().zip(second.ok())
    };
    let comparable = before.price_currency == after.price_currency && before.unit == after.unit;
    let rates = comparable.then(crosswise).flatten();
    let is_same = match rates {
        Some((first, second)) => first == second,
        None => comparable && before.unit_price == after.unit_price && before.per == after.per,
    };
    let figure = |line: &AnswerLine| Figure {
        value: line.unit_price.to_string(),
        currency: Some(line.price_currency),
        per: Some(line.per),
        unit: Some(line.unit.clone()),
        ..Figure::default()
    };
    (!is_same).then(|| Cause {
        before: Some(figure(before)),
        after: Some(figure(after)),
        percent: rates.and_then(|(first, second)| percent_between(first, second)),
        ..Cause::bare(Why::Price)
    })
}

fn base(before: &AnswerLine, after: &AnswerLine) -> Option<Cause> {
    let comparable = before.price_currency == after.price_currency;
    if comparable && before.unit_price == after.unit_price {
        return None;
    }
    let figure = |line: &AnswerLine| Figure {
        value: line.unit_price.to_string(),
        currency: Some(line.price_currency),
        ..Figure::default()
    };
    let percent = comparable.then(|| percent_between(before.unit_price, after.unit_price)).flatten();
    Some(Cause {
        before: Some(figure(before)),
        after: Some(figure(after)),
        percent,
        ..Cause::bare(Why::Base)
    })
}

/// Where one side needs no exchange, the price's currency has changed, and that says so.
fn fx(before: &AnswerLine, after: &AnswerLine) -> Option<Cause> {
    let (first, second) = (before.fx.as_ref()?, after.fx.as_ref()?);
    let comparable = (first.from, first.to) == (second.from, second.to);
    if comparable && first.rate == second.rate {
        return None;
    }
    let figure = |fx: &crate::estimate::answer::AnswerFx| Figure {
        value: fx.rate.to_string(),
        unit: Some(format!("{} per {}", fx.to, fx.from)),
        ..Figure::default()
    };
    let percent = comparable.then(|| percent_between(first.rate.into(), second.rate.into())).flatten();
    Some(Cause { before: Some(figure(first)), after: Some(figure(second)), percent, ..Cause::bare(Why::Fx) })
}

/// The change in percent of the size of the first.
pub(super) fn percent_between(before: Money, after: Money) -> Option<Money> {
    after.checked_sub(before).ok()?.percent_of(before)
}
