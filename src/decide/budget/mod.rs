//! What a sum buys: the largest number with which a request still costs no more.
//!
//! The inverse of [`estimate()`](crate::estimate::estimate): values are tried along a grid, and the edges between what
//! is within the budget and what is not are narrowed down. That a cost only rises with the number is not taken for
//! granted: where it falls somewhere, the answer says so, and every span within the budget is told.

mod answer;
mod optimal;
mod search;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::search::{Buyer, Goods, Priced};
pub use self::{
    answer::{Bought, Budget, Outcome, Span, Spend},
    optimal::{Optimal, OptimalBudget, OptimalRequest, TrainedSize, optimal},
};
use super::{
    Refused, Stop,
    grid::{Grid, Range},
    has_field, is_hopeless,
    number::OpenNumber,
    sweep::estimate_request,
    under,
};
use crate::{
    catalog::{money::Money, snapshot::Snapshot},
    estimate::{
        fault::{Fault, FaultKind},
        number::Amount,
        object::Object,
        quote::Warning,
        request::Detail,
        shape::{self, ShapeError},
    },
};

/// What a sum is to buy.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(examples(json!({
    "request": {"model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}},
    "pointer": "/calls", "budget": "1000000", "currency": "USD"
})))]
pub enum BudgetQuestion<'a> {
    /// The largest number of a request.
    Number(BudgetRequest<'a>),
    /// The largest model, trained as is best for its size.
    Optimal(OptimalRequest<'a>),
}

/// What a sum buys, of either.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BudgetAnswer {
    /// The largest number of a request.
    Number(Box<Budget>),
    /// The largest model.
    Optimal(Box<OptimalBudget>),
}

/// Answers a body, which asks for a model where it has the field `optimal`.
///
/// # Errors
/// As [`budget`] and [`optimal`], and where the body is of another shape.
pub fn answer(
    body: &[u8],
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<Result<BudgetAnswer, Refused>, ShapeError> {
    if has_field(body, "optimal") {
        let asked: OptimalRequest<'_> = shape::read(body, "")?;
        return Ok(optimal(&asked, snapshot, now, stop).map(|found| BudgetAnswer::Optimal(Box::new(found))));
    }
    let asked: BudgetRequest<'_> = shape::read(body, "")?;
    Ok(budget(&asked, snapshot, now, stop).map(|found| BudgetAnswer::Number(Box::new(found))))
}

/// A request, a number of it, and a sum.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "request": {"model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}},
    "pointer": "/calls", "budget": "1000000", "currency": "USD"
})))]
pub struct BudgetRequest<'a> {
    /// What is bought: a request as `POST /estimate` takes it.
    #[serde(borrow)]
    #[schema(schema_with = estimate_request)]
    pub request: &'a RawValue,
    /// The number that is looked for, as a JSON Pointer into `request`: tokens, calls, GPUs, months.
    #[schema(example = "/calls")]
    pub pointer: String,
    /// The sum.
    pub budget: Amount,
    /// Its currency, and that of the answer. Default: the request's.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Where the number is looked for. Default: from nothing to 10^15.
    #[schema(value_type = Option<Range>)]
    pub range: Option<Object<Range>>,
}

/// Finds what a sum buys.
///
/// # Errors
/// Every fault of the question; those of the request where no value can be priced; and when nobody waits any more.
pub fn budget(
    asked: &BudgetRequest<'_>,
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<Budget, Refused> {
    let mut faults = Vec::new();
    let open = OpenNumber::new(asked.request.get(), &asked.pointer, snapshot, now, Detail::Total);
    let open = open.map_err(|kind| faults.push(Fault::new("/pointer", kind))).ok();
    let grid = asked.range.as_ref().map(|range| Grid::new(Some(range), None)).transpose();
    let grid = grid.map_err(|found| faults.extend(found)).ok();
    let sum = positive(asked.budget).map_err(|fault| faults.push(fault)).ok();
    let (Some(open), Some(grid), Some(sum), true) = (open, grid, sum, faults.is_empty()) else {
        return Err(Refused::Faults(faults));
    };
    let mut goods = OneNumber { open, has_currency: asked.currency.is_some() };
    if let Some(currency) = &asked.currency {
        goods.open.set_currency(currency);
    }
    let domain = goods.open.domain();
    Buyer::new(goods, domain, sum, stop).search(grid.as_ref(), &asked.pointer)
}

/// A request with one number open.
struct OneNumber<'q, 's> {
    open: OpenNumber<'q, 's>,
    /// Whether the currency of the sum is said.
    has_currency: bool,
}

impl Goods for OneNumber<'_, '_> {
    fn price(&mut self, value: &str) -> Result<Priced, Vec<Fault>> {
        let priced = self.open.price(value, |_, quote| Priced::from(quote));
        priced.map_err(|faults| placed(faults, self.has_currency, |others| under("/request", others)))
    }

    fn is_hopeless(&self, faults: &[Fault]) -> bool {
        is_hopeless(faults, &[&format!("/request{}", self.open.pointer())])
    }

    fn place(&self, warning: &mut Warning) {
        warning.pointer.insert_str(0, "/request");
    }
}

/// Faults as seen from the body: those of the sum's currency are there.
fn placed(
    faults: Vec<Fault>,
    has_currency: bool,
    others: impl FnOnce(Vec<Fault>) -> Vec<Fault>,
) -> Vec<Fault> {
    let is_of_sum = |fault: &Fault| {
        has_currency && (matches!(fault.kind, FaultKind::NoFxRate { .. }) || fault.pointer == "/currency")
    };
    let (of_sum, rest): (Vec<_>, Vec<_>) = faults.into_iter().partition(is_of_sum);
    let mut placed = others(rest);
    placed.extend(of_sum.into_iter().take(1).map(|fault| Fault::new("/currency", fault.kind)));
    placed
}

/// A sum that is not below zero.
fn positive(sum: Amount) -> Result<Money, Fault> {
    let sum = Money::from(sum.0);
    if sum < Money::ZERO {
        let detail = format!("must not be negative, got {sum}");
        return Err(Fault::new("/budget", FaultKind::out_of_range(detail)));
    }
    Ok(sum)
}
