//! A line of a quote: quantity, price, amount, and how it came about.

use std::{borrow::Cow, fmt};

use jiff::civil::Date;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::Ref;
use crate::catalog::money::{Currency, Money, Quantity};
use crate::estimate::uncertain::Uncertain;

/// One line of a quote: `amount = quantity * unit_price / per`, times `fx.rate` where there is one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Line<'a> {
    /// What is paid for: the meter, `modifier` or `adjustment`; repeats carry `#2`.
    #[schema(value_type = String, example = "input_tokens")]
    pub code: LineCode<'a>,
    /// The same in words.
    #[schema(value_type = String, example = "input tokens")]
    pub description: Cow<'a, str>,
    /// How much of it.
    pub quantity: Quantity,
    /// What one of it is.
    #[schema(example = "token")]
    pub unit: &'a str,
    /// Money for `per` units.
    pub unit_price: Money,
    /// How many units the price is for.
    pub per: Quantity,
    /// Currency of the price.
    #[schema(value_type = String, example = "USD")]
    pub price_currency: Currency,
    /// How the price's currency was changed into the answer's; null where they are the same.
    #[schema(value_type = Option<Fx>)]
    pub fx: Option<Box<Fx>>, // boxed: rare, and lines are many
    /// The cost, in the currency of the answer; P50 where there is a range.
    pub amount: Money,
    /// P10 of the amount; only where it is modelled and differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Money>)]
    pub low: Option<Box<Money>>, // boxed: lists have none, and lines are many
    /// P90 of the amount; only where it is modelled and differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Money>)]
    pub high: Option<Box<Money>>,
    /// Rows of the catalog that the line rests on; see `references`.
    #[schema(value_type = Vec<String>, example = json!(["rate_card:812"]))]
    pub refs: Vec<Ref<'a>>,
    /// How the amount came about; only with `detail=full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Box<Basis<'a>>>,
    /// The amount in every world; only where it is modelled.
    #[serde(skip)]
    pub spread: Option<Box<Uncertain>>, // boxed: lists have none, and lines are many
}

/// A line's code, with a number when the same code came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCode<'a> {
    /// The code.
    pub base: &'a str,
    /// 1 for the first of its kind.
    pub nth: u32,
}

impl fmt::Display for LineCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nth {
            1 => f.write_str(self.base),
            nth => write!(f, "{}#{nth}", self.base),
        }
    }
}

impl Serialize for LineCode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.nth {
            1 => serializer.serialize_str(self.base),
            _ => serializer.collect_str(self),
        }
    }
}

/// A change of currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fx {
    /// Currency of the price.
    #[schema(value_type = String, example = "CNY")]
    pub from: Currency,
    /// Currency of the answer.
    #[schema(value_type = String, example = "USD")]
    pub to: Currency,
    /// Units of `to` for one unit of `from`, printed to 12 places.
    #[schema(value_type = String, example = "0.136997")]
    pub rate: Quantity,
    /// The day of the reference rate (the older one of two).
    #[schema(value_type = String, format = Date, example = "2024-12-27")]
    pub date: Date,
    /// How many days before the day asked about that is.
    #[schema(example = 0)]
    pub age_days: i32,
}

/// How an amount came about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Basis<'a> {
    /// The formula, in the names of the inputs.
    #[schema(value_type = String, example = "input_tokens * rate / per")]
    pub formula: Cow<'a, str>,
    /// The figures that went in.
    pub inputs: Vec<Input<'a>>,
}

/// One figure that went into a formula.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Input<'a> {
    /// Its name in the formula.
    #[schema(value_type = String, example = "rate")]
    pub name: Cow<'a, str>,
    /// Its value; P50 where there is a range.
    pub value: Quantity,
    /// P10; only where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Quantity>,
    /// P90; only where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Quantity>,
    /// Its unit.
    #[schema(value_type = String, example = "USD per 1000000 token")]
    pub unit: Cow<'a, str>,
    /// Where it came from.
    pub origin: Origin,
    /// The row it came from, where there is one.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<String>, example = "rate_card:812")]
    pub reference: Option<Ref<'a>>,
}

/// Where a figure came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The request says so.
    Request,
    /// A row of the catalog says so.
    Catalog,
    /// A default of the arithmetic.
    Assumption,
    /// Computed from other inputs.
    Derived,
}
