//! The answer: lines that add up, each with where its figures came from.

mod line;
mod reference;
mod warning;

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    line::{Basis, Fx, Input, Line, LineCode, Origin},
    reference::{
        ContextTest, Ref, Reference, ReferenceConditions, ReferenceValue, References, RowConditions,
    },
    warning::{Warning, WarningCode},
};
use super::ownership::answer::OwnershipMetrics;
use super::serving::answer::{Deployment, ServingMetrics};
use super::training::answer::{MonthTotal, StageQuote, TrainingMetrics};
use super::uncertain::{Range, Sampler, Uncertain};
use crate::catalog::{
    ids::{OfferingId, ProviderId},
    money::{Currency, Money, Overflow},
};

/// The name and version that answers carry.
pub const ENGINE: &str = concat!("farthing ", env!("CARGO_PKG_VERSION"));

/// What a list of workloads costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quote<'a> {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant whose prices were used, where an item does not say otherwise.
    #[schema(value_type = String, format = DateTime, example = "2025-02-18T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// The total before adjustments; only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_total: Option<Total>,
    /// The sum of the items' totals.
    pub total: Total,
    /// The sum of the items' upper bounds; only where every item has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<Money>,
    /// One answer per workload, in the order asked; absent with `detail=total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemQuote<'a>>>,
    /// Whatever `refs` name, each once; absent with `detail=total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<References<'a>>,
    /// Subtotals by the value of the tag that `group_by` names; only where it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<BTreeMap<Cow<'a, str>, Total>>,
    /// Doubts about the whole; with `detail=total`, those of the items too.
    pub warnings: Vec<Warning>,
}

impl Quote<'_> {
    /// The total in every world; of a quote that has its items. `name` is what ranges without worlds are drawn by.
    pub(crate) fn spread(&self, sampler: &mut Sampler, name: &str) -> Uncertain {
        let items = self.items.as_deref().unwrap_or_default().iter().enumerate();
        let spreads: Vec<Uncertain> = items
            .map(|(at, item)| match &item.spread {
                Some(spread) => spread.clone(),
                None => item.total.spread(sampler, &format!("{name}/items/{at}")),
            })
            .collect();
        Uncertain::sum(&spreads)
    }
}

impl Total {
    /// The amount in every world, drawn by a name: what has the same is high and low in the same worlds.
    pub(crate) fn spread(&self, sampler: &mut Sampler, name: &str) -> Uncertain {
        let mid = self.amount.to_f64();
        let end = |end: Option<Money>| end.map_or(mid, Money::to_f64);
        let range = Range::new(end(self.low), mid, end(self.high)).unwrap_or(Range::exact(mid));
        sampler.draw(name, range)
    }
}

/// An amount of money and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// The amount; P50 where there is a range.
    pub amount: Money,
    /// P10; only where it is modelled and differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Money>,
    /// P90; only where it is modelled and differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Money>,
}

impl From<Money> for Total {
    fn from(amount: Money) -> Self {
        Self { amount, low: None, high: None }
    }
}

/// What one workload costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemQuote<'a> {
    /// The kind of workload.
    #[schema(example = "api_usage")]
    pub kind: &'static str,
    /// The caller's own name for it.
    #[schema(example = "req_7d1f")]
    pub id: Option<&'a str>,
    /// The caller's description of it.
    #[schema(example = "nightly summaries")]
    pub label: Option<&'a str>,
    /// Who sells the model; only where a hosted model is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "openai")]
    pub provider: Option<&'a ProviderId>,
    /// The seller's own name of the model; only where a hosted model is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "gpt-4o")]
    pub model: Option<&'a str>,
    /// The two together; only where a hosted model is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "openai/gpt-4o")]
    pub offering: Option<&'a OfferingId>,
    /// The instant whose prices were used, where it is not the quote's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-02-18T12:00:00Z")]
    pub as_of: Option<Timestamp>,
    /// When the calls are made; only where the request gives a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<QuotedPeriod>,
    /// The total before adjustments; only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_total: Option<Total>,
    /// The sum of the lines.
    pub total: Total,
    /// The most that it can cost: every call writes `max_output_tokens`, and counts with a range are at their P90; only
    /// where a maximum is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<Money>,
    /// What the vendor itself says the call cost; only where a response that was read says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_cost: Option<ReportedCost>,
    /// What is paid for, in a fixed order.
    pub lines: Vec<Line<'a>>,
    /// The stages' lines without the programme around them: the figure that headlines quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline_total: Option<Total>,
    /// What is not money: hours, days, energy; only where something is modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<ItemMetrics>,
    /// What a serving runs on, and what else would; only where a model is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Box<Deployment<'a>>>,
    /// The stages of a training one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<StageQuote>>,
    /// How the total falls on months; only where a training or an ownership has a start, or calls have a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_month: Option<Vec<MonthTotal>>,
    /// Doubts about this item.
    pub warnings: Vec<Warning>,
    /// The total in every world; none where it is known.
    #[serde(skip)]
    pub spread: Option<Uncertain>,
}

/// When calls are made: `from <= t < to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuotedPeriod {
    /// The first instant.
    #[schema(value_type = String, format = DateTime, example = "2025-02-01T00:00:00Z")]
    pub from: Timestamp,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime, example = "2025-03-01T00:00:00Z")]
    pub to: Timestamp,
}

/// Figures of a workload that are not money, by its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum ItemMetrics {
    /// Of a training.
    Training(Box<TrainingMetrics>),
    /// Of a serving.
    Serving(Box<ServingMetrics>),
    /// Of an ownership.
    Ownership(Box<OwnershipMetrics>),
}

/// Any of them; by the fields alone what is one may be another, too.
impl utoipa::PartialSchema for ItemMetrics {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{Ref, schema::AnyOfBuilder};
        AnyOfBuilder::new()
            .item(Ref::from_schema_name("TrainingMetrics"))
            .item(Ref::from_schema_name("ServingMetrics"))
            .item(Ref::from_schema_name("OwnershipMetrics"))
            .description(Some("Figures of a workload that are not money, by its kind."))
            .into()
    }
}

impl ToSchema for ItemMetrics {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("TrainingMetrics".to_owned(), <TrainingMetrics as utoipa::PartialSchema>::schema()));
        <TrainingMetrics as ToSchema>::schemas(schemas);
        schemas.push(("ServingMetrics".to_owned(), <ServingMetrics as utoipa::PartialSchema>::schema()));
        <ServingMetrics as ToSchema>::schemas(schemas);
        schemas.push(("OwnershipMetrics".to_owned(), <OwnershipMetrics as utoipa::PartialSchema>::schema()));
        <OwnershipMetrics as ToSchema>::schemas(schemas);
    }
}

/// A cost that came with the vendor's response, beside the one computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportedCost {
    /// What the vendor reports, in the currency of the answer.
    pub amount: Money,
    /// The reported amount less the computed total.
    pub difference: Money,
}

/// Adds amounts up, remembering that a sum may not fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum(Money);

impl Sum {
    pub(crate) const fn new() -> Self {
        Self(Money::ZERO)
    }

    pub(crate) fn add(&mut self, amount: Money) -> Result<(), Overflow> {
        self.0 = self.0.checked_add(amount)?;
        Ok(())
    }

    pub(crate) fn get(self) -> Money {
        self.0
    }
}
