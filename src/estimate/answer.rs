//! An answer as it is read back: what a [`Quote`](super::quote::Quote) became as JSON, and somebody kept.
//!
//! Fields are only ever added to answers, so what is not known here is passed over.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::catalog::money::{Currency, Money, Quantity};

/// What a list of workloads costs.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    /// Currency of every amount.
    pub currency: Currency,
    /// The instant whose prices were used.
    pub as_of: String,
    /// The revision of the catalog that was used.
    pub catalog_revision: u32,
    /// Name and version of the engine.
    pub engine: String,
    /// The total before adjustments, where there are any.
    pub list_total: Option<AnswerTotal>,
    /// The sum of the items' totals.
    pub total: AnswerTotal,
    /// The most that all items can cost, where each says so.
    pub upper_bound: Option<Money>,
    /// One per workload; none where only totals were asked for.
    pub items: Option<Vec<AnswerItem>>,
    /// The rows of the catalog that lines name, in their order.
    #[serde(default)]
    pub references: InOrder<AnswerReference>,
    /// Subtotals by the value of a tag.
    pub groups: Option<BTreeMap<String, AnswerTotal>>,
    /// Doubts about the whole.
    #[serde(default)]
    pub warnings: Vec<AnswerWarning>,
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct AnswerTotal {
    /// The amount.
    pub amount: Money,
    /// P10, where there is a range.
    pub low: Option<Money>,
    /// P90, where there is a range.
    pub high: Option<Money>,
}

/// What one workload costs.
#[derive(Debug, Clone, Deserialize)]
pub struct AnswerItem {
    /// The kind of workload.
    pub kind: String,
    /// The asker's own name for it.
    pub id: Option<String>,
    /// The asker's description of it.
    pub label: Option<String>,
    /// The model as one provider sells it, where the workload calls one.
    pub offering: Option<String>,
    /// The instant whose prices were used, where it is not the answer's.
    pub as_of: Option<String>,
    /// The total before adjustments, where there are any.
    pub list_total: Option<AnswerTotal>,
    /// The sum of the lines.
    pub total: AnswerTotal,
    /// The most that it can cost, where a maximum of output is given.
    pub upper_bound: Option<Money>,
    /// What the vendor itself says the call cost.
    pub reported_cost: Option<AnswerReportedCost>,
    /// What is paid for.
    pub lines: Vec<AnswerLine>,
    /// The stages' lines without the programme around them, where the workload is a training.
    pub headline_total: Option<AnswerTotal>,
    /// What is not money, by name.
    #[serde(default)]
    pub metrics: InOrder<AnswerMetric>,
    /// Doubts about the item.
    #[serde(default)]
    pub warnings: Vec<AnswerWarning>,
}

/// A cost that came with the vendor's response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct AnswerReportedCost {
    /// What the vendor reports.
    pub amount: Money,
    /// The reported amount less the computed total.
    pub difference: Money,
}

/// One line: `amount = quantity * unit_price / per`, times `fx.rate` where there is one.
#[derive(Debug, Clone, Deserialize)]
pub struct AnswerLine {
    /// What is paid for; no two lines of an item have the same code.
    pub code: String,
    /// The same in words.
    pub description: String,
    /// How much of it.
    pub quantity: Quantity,
    /// What one of it is.
    pub unit: String,
    /// Money for `per` units.
    pub unit_price: Money,
    /// How many units the price is for.
    pub per: Quantity,
    /// Currency of the price.
    pub price_currency: Currency,
    /// How the price's currency was changed into the answer's.
    pub fx: Option<AnswerFx>,
    /// The cost, in the currency of the answer.
    pub amount: Money,
    /// P10 of the amount, where there is a range.
    pub low: Option<Money>,
    /// P90 of the amount, where there is a range.
    pub high: Option<Money>,
    /// Rows of the catalog that it rests on.
    #[serde(default)]
    pub refs: Vec<String>,
}

/// A figure that is not money.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AnswerMetric {
    /// The figure, P50 where there is a range.
    pub value: f64,
    /// P10, where there is a range.
    pub low: Option<f64>,
    /// P90, where there is a range.
    pub high: Option<f64>,
    /// Its unit.
    pub unit: String,
}

/// A change of currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AnswerFx {
    /// Currency of the price.
    pub from: Currency,
    /// Currency of the answer.
    pub to: Currency,
    /// Units of `to` for one of `from`.
    pub rate: Quantity,
    /// The day of the reference rate.
    pub date: String,
}

/// A row of the catalog that an answer rests on.
#[derive(Debug, Clone, Deserialize)]
pub struct AnswerReference {
    /// URL or citation; none is known where it is null.
    pub source: Option<String>,
    /// The day somebody looked.
    pub observed_at: String,
    /// The first instant of its prices.
    pub effective_from: Option<String>,
    /// The first instant after them.
    pub effective_to: Option<String>,
    /// P10, P50 and P90, where the row is a default of the arithmetic.
    pub value: Option<AnswerReferenceValue>,
    /// The revision of the catalog that introduced it.
    pub revision: u32,
}

/// What a default of the arithmetic said.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AnswerReferenceValue {
    /// P10.
    pub low: f64,
    /// P50.
    pub mid: f64,
    /// P90.
    pub high: f64,
    /// Its unit.
    pub unit: String,
}

/// A doubt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AnswerWarning {
    /// What kind of doubt.
    pub code: String,
    /// The doubt in words.
    pub message: String,
    /// The part of the request it is about.
    pub pointer: String,
}

/// The members of an object in the order in which they stand.
#[derive(Debug, Clone)]
pub struct InOrder<T>(pub Vec<(String, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = InOrder<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(InOrder(members))
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData))
    }
}
