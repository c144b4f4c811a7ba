//! The answer: crossings, both curves, and a sentence.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    catalog::money::{Currency, Money},
    decide::sweep::PointWarning,
    estimate::{fault::Told, quote::Total},
};

/// Where two requests cost the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakEven {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// The one side.
    pub a: Side,
    /// The other side.
    pub b: Side,
    /// Which is cheaper, and where.
    pub verdict: Verdict,
    /// Where the other one becomes the cheaper one, in rising order; at most 100.
    pub crossings: Vec<CrossingPoint>,
    /// Both curves. Where only whole numbers will do, those of a range are rounded to the nearest, and each comes once.
    pub curves: Vec<CurvePoint>,
    /// Doubts about points, each once.
    pub warnings: Vec<PointWarning>,
    /// A picture of the curves; only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>")]
    pub svg: Option<String>,
}

/// What holds for all quotes of a side.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BreakEvenSide)]
pub struct Side {
    /// The first workload's label; null: it has none.
    #[schema(example = "hosted")]
    pub label: Option<String>,
    /// The number that changes, as a JSON Pointer into the request.
    #[schema(example = "/calls")]
    pub pointer: String,
    /// The instant whose prices were used, where an item does not say otherwise.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BreakEvenWhich)]
pub enum Which {
    /// The one side.
    A,
    /// The other side.
    B,
}

impl Which {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// Which is cheaper, and where.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BreakEvenVerdict)]
pub struct Verdict {
    /// What is the case.
    pub code: VerdictCode,
    /// Which is cheaper at the beginning of the range; null: they cost the same.
    pub cheaper_first: Option<Which>,
    /// Which is cheaper at its end; null: they cost the same.
    pub cheaper_last: Option<Which>,
    /// The same in words.
    #[schema(example = "a is cheaper below 7302910, b from there on")]
    pub text: String,
}

/// What is the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BreakEvenCode)]
pub enum VerdictCode {
    /// They cross within the range.
    Crosses,
    /// One is cheaper everywhere in the range.
    Never,
    /// They cost the same everywhere in the range.
    Equal,
}

/// A place where the other one becomes the cheaper one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BreakEvenCrossing)]
pub struct CrossingPoint {
    /// The first value at which the one that was cheaper is so no more: the upper end of `between`.
    #[schema(value_type = f64, example = 7_302_910)]
    pub value: Box<RawValue>,
    /// P10 of the value, by the distribution of the difference, in which what both rest on is drawn once; null: it may
    /// lie before the range. Absent where nothing is uncertain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 6_100_000)]
    pub low: Option<Option<Box<RawValue>>>,
    /// P90 of the value; null: it may lie beyond the range. Absent where nothing is uncertain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 8_900_000)]
    pub high: Option<Option<Box<RawValue>>>,
    /// The last value before and the first after: neighbours, unless one of the two has no price in between.
    #[schema(value_type = Vec<f64>, min_items = 2, max_items = 2, example = json!([7_302_909, 7_302_910]))]
    pub between: [Box<RawValue>; 2],
    /// Which was cheaper.
    pub cheaper_before: Which,
    /// Which is, from here on.
    pub cheaper_after: Which,
    /// How they cross.
    pub manner: Manner,
    /// Which of them jumps; only at a jump.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jumps: Vec<Which>,
    /// What `a` costs on either side of it.
    #[schema(min_items = 2, max_items = 2)]
    pub a: [Option<Total>; 2],
    /// What `b` costs on either side of it.
    #[schema(min_items = 2, max_items = 2)]
    pub b: [Option<Total>; 2],
}

/// How two curves cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BreakEvenManner)]
pub enum Manner {
    /// They meet.
    Meeting,
    /// One jumps over the other: a replica more, another tier.
    Jump,
    /// Somewhere between two values; in between one of them has no price.
    Gap,
}

/// A value, and what each side costs with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BreakEvenPoint)]
pub struct CurvePoint {
    /// The value, as it stood in the requests.
    #[schema(value_type = f64, example = 1_000_000)]
    pub value: Box<RawValue>,
    /// What `a` costs; absent where it could not be priced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<Total>,
    /// What `b` costs; absent where it could not be priced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<Total>,
    /// `a` less `b`, with the range of the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Total>,
    /// Why one could not be priced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Told>,
}

impl BreakEven {
    /// The names of the columns of its table.
    pub const COLUMNS: [&'static str; 10] =
        ["value", "currency", "a", "a_low", "a_high", "b", "b_low", "b_high", "cheaper", "faults"];

    /// A row for each point of the curves, with a cell for each column.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.curves.iter().map(|point| {
            let text = |money: Option<Money>| money.map(|money| money.to_string()).unwrap_or_default();
            let mut row = vec![point.value.get().to_owned(), self.currency.to_string()];
            for total in [point.a, point.b] {
                row.push(text(total.map(|total| total.amount)));
                row.push(text(total.and_then(|total| total.low)));
                row.push(text(total.and_then(|total| total.high)));
            }
            let cheaper = match (point.a, point.b) {
                (Some(a), Some(b)) if a.amount < b.amount => "a",
                (Some(a), Some(b)) if a.amount > b.amount => "b",
                _ => "",
            };
            row.push(cheaper.to_owned());
            row.push(point.faults.iter().map(|fault| fault.code).collect::<Vec<_>>().join(" "));
            row
        })
    }
}
