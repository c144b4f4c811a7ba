//! What about a line moved it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Change;
use crate::{
    catalog::money::{Currency, Money, Quantity},
    estimate::answer::AnswerLine,
};

/// One figure that moved.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cause {
    /// Which.
    pub why: Why,
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
    /// The amount, though every figure on the line is as it was: the engine reckons otherwise.
    Engine,
}

/// A figure and what it is in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Figure {
    /// The figure, as a decimal string.
    #[schema(example = "2.50")]
    pub value: String,
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

/// What moved a line; nothing where nothing did.
pub(super) fn of(before: Option<&AnswerLine>, after: Option<&AnswerLine>, amount: Change) -> Vec<Cause> {
    let alone = |why| vec![Cause { why, before: None, after: None, percent: None }];
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return alone(Why::New),
        (_, None) => return alone(Why::Gone),
    };
    let causes: Vec<Cause> = if is_share(before) {
        [modifier(before, after), base(before, after), fx(before, after)].into_iter().flatten().collect()
    } else {
        [price(before, after), quantity(before, after), fx(before, after)].into_iter().flatten().collect()
    };
    if causes.is_empty() && !amount.is_none() {
        return alone(Why::Engine);
    }
    causes
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
        currency: None,
        per: None,
        unit: Some(line.unit.clone()),
    };
    let comparable = before.unit == after.unit;
    let percent =
        comparable.then(|| percent_between(before.quantity.into(), after.quantity.into())).flatten();
    Some(Cause { why, before: Some(figure(before)), after: Some(figure(after)), percent })
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
    };
    (!is_same).then(|| Cause {
        why: Why::Price,
        before: Some(figure(before)),
        after: Some(figure(after)),
        percent: rates.and_then(|(first, second)| percent_between(first, second)),
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
        per: None,
        unit: None,
    };
    let percent = comparable.then(|| percent_between(before.unit_price, after.unit_price)).flatten();
    Some(Cause { why: Why::Base, before: Some(figure(before)), after: Some(figure(after)), percent })
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
        currency: None,
        per: None,
        unit: Some(format!("{} per {}", fx.to, fx.from)),
    };
    let percent = comparable.then(|| percent_between(first.rate.into(), second.rate.into())).flatten();
    Some(Cause { why: Why::Fx, before: Some(figure(first)), after: Some(figure(second)), percent })
}

fn percent_between(before: Money, after: Money) -> Option<Money> {
    after.checked_sub(before).ok()?.percent_of(before)
}
