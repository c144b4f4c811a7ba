//! The answer: lines that add up, each with where its figures came from.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::catalog::{
    digits,
    ids::{OfferingId, ProviderId},
    money::{Currency, Money, Overflow, Quantity},
    rate_card::{Conditions, ContextKey, Test},
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

/// An amount of money and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// The amount; P50 where there is a range.
    pub amount: Money,
}

impl From<Money> for Total {
    fn from(amount: Money) -> Self {
        Self { amount }
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
    /// Who sells the model.
    #[schema(value_type = String, example = "openai")]
    pub provider: &'a ProviderId,
    /// The seller's own name of the model.
    #[schema(example = "gpt-4o")]
    pub model: &'a str,
    /// The two together.
    #[schema(value_type = String, example = "openai/gpt-4o")]
    pub offering: &'a OfferingId,
    /// The instant whose prices were used, where it is not the quote's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-02-18T12:00:00Z")]
    pub as_of: Option<Timestamp>,
    /// The total before adjustments; only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_total: Option<Total>,
    /// The sum of the lines.
    pub total: Total,
    /// What the vendor itself says the call cost; only where a response that was read says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_cost: Option<ReportedCost>,
    /// What is paid for, in a fixed order.
    pub lines: Vec<Line<'a>>,
    /// Doubts about this item.
    pub warnings: Vec<Warning>,
}

/// A cost that came with the vendor's response, beside the one computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportedCost {
    /// What the vendor reports, in the currency of the answer.
    pub amount: Money,
    /// The reported amount less the computed total.
    pub difference: Money,
}

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
    /// The cost, in the currency of the answer.
    pub amount: Money,
    /// Rows of the catalog that the line rests on; see `references`.
    #[schema(value_type = Vec<String>, example = json!(["rate_card:812"]))]
    pub refs: Vec<Ref>,
    /// How the amount came about; only with `detail=full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Box<Basis<'a>>>,
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
    #[schema(example = "input_tokens * rate / per")]
    pub formula: &'static str,
    /// The figures that went in.
    pub inputs: Vec<Input<'a>>,
}

/// One figure that went into a formula.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Input<'a> {
    /// Its name in the formula.
    #[schema(value_type = String, example = "rate")]
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: Quantity,
    /// Its unit.
    #[schema(value_type = String, example = "USD per 1000000 token")]
    pub unit: Cow<'a, str>,
    /// Where it came from.
    pub origin: Origin,
    /// The row it came from, where there is one.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<String>, example = "rate_card:812")]
    pub reference: Option<Ref>,
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

/// The row of the catalog that a figure came from: `rate_card:812`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ref {
    /// A price row.
    RateCard(i64),
    /// A factor.
    Modifier(i64),
    /// A reference rate of a currency.
    FxRate(i64),
}

impl Ref {
    fn parts(self) -> (&'static str, i64) {
        match self {
            Self::RateCard(id) => ("rate_card", id),
            Self::Modifier(id) => ("modifier", id),
            Self::FxRate(id) => ("fx_rate", id),
        }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, id) = self.parts();
        write!(f, "{table}:{id}")
    }
}

impl Serialize for Ref {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (table, id) = self.parts();
        match u64::try_from(id) {
            Ok(id) => serializer.serialize_str(digits::named(table, b':', id, &mut [0; _])),
            Err(_) => serializer.collect_str(self), // rows are counted from 1
        }
    }
}

/// The rows that lines rest on, each once, in the order in which they were first named.
#[derive(Debug, Default)]
pub struct References<'a>(Vec<(Ref, Reference<'a>)>);

impl<'a> References<'a> {
    /// Adds a row unless it is there already.
    pub fn add(&mut self, key: Ref, reference: impl FnOnce() -> Reference<'a>) {
        if !self.0.iter().any(|(known, _)| *known == key) {
            self.0.push((key, reference()));
        }
    }
}

impl Serialize for References<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, reference)| (key, reference)))
    }
}

impl utoipa::PartialSchema for References<'_> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .additional_properties(Some(utoipa::openapi::Ref::from_schema_name("Reference")))
            .description(Some("Rows of the catalog by the names that `refs` use."))
            .into()
    }
}

impl ToSchema for References<'_> {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push((Reference::name().into_owned(), <Reference as utoipa::PartialSchema>::schema()));
        <Reference as ToSchema>::schemas(schemas);
    }
}

/// A row of the catalog as a quote cites it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reference<'a> {
    /// URL or citation; null: none is known.
    #[schema(example = "https://openai.com/api/pricing/")]
    pub source: Option<&'a str>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-10")]
    pub observed_at: Date,
    /// First instant in force; null: as far back as known.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-02-08T16:00:00Z")]
    pub effective_from: Option<Timestamp>,
    /// First instant no longer in force; null: still in force.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-09-05T16:00:00Z")]
    pub effective_to: Option<Timestamp>,
    /// When the row applies within that span.
    #[schema(value_type = ReferenceConditions)]
    pub conditions: RowConditions<'a>,
    /// A doubt or remark about the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "list price; the promotion ended")]
    pub note: Option<&'a str>,
    /// The revision of the catalog that introduced it.
    #[schema(example = 1)]
    pub revision: u32,
}

/// When a row applies: a rate card's conditions, or a modifier's tests.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum RowConditions<'a> {
    /// A rate card's.
    Card(&'a Conditions),
    /// A modifier's.
    Modifier {
        /// What is asked of each key.
        context: &'a BTreeMap<ContextKey, Test>,
    },
    /// None.
    Always {},
}

/// When a row applies; an empty object: always.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of `RowConditions`, whose own shape borrows")]
pub struct ReferenceConditions {
    /// Applies when one call's whole input is more than this many tokens.
    #[schema(example = 200_000)]
    input_tokens_above: Option<u64>,
    /// Applies when one call's whole input is at most this many tokens.
    #[schema(example = 200_000)]
    input_tokens_at_most: Option<u64>,
    /// Facts about the request that must hold; `{"not": value}` means any other value.
    #[schema(value_type = Option<BTreeMap<String, ContextTest>>, example = json!({"service_tier": "batch"}))]
    context: Option<()>,
    /// Hours of the day in which it applies.
    window: Option<crate::catalog::rate_card::Window>,
}

/// What is asked of one context key.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum ContextTest {
    /// This value.
    #[schema(example = "batch")]
    Is(String),
    /// Any value but this one.
    Not {
        /// The value left out.
        #[schema(example = "global")]
        not: String,
    },
}

/// A doubt that the asker should know about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// What kind of doubt.
    pub code: WarningCode,
    /// The doubt in words.
    #[schema(example = "the only seller of this name is `deepinfra`")]
    pub message: String,
    /// The part of the request it is about, as a JSON Pointer.
    #[schema(example = "/items/0/model")]
    pub pointer: String,
}

/// Kinds of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// No provider was named; the only one that sells the name was taken.
    ProviderAssumed,
    /// The vendor has announced the end of the model.
    ModelDeprecated,
    /// The price differs by the hour, and only a date was given.
    WindowedPrice,
    /// The mean over all calls chose the tier.
    TierFromMean,
    /// Something the request says has no price of its own; the standard price stands in.
    FallbackPrice,
    /// Something a vendor's response says does not change any price that is known.
    ContextIgnored,
    /// The vendor does not price a meter under these conditions; its standard rate stands in.
    RateInherited,
    /// The vendor charges more than was used: its smallest quantity.
    MinQuantityApplied,
    /// A price is literally zero.
    ZeroPrice,
    /// A meter has no price and was left out, as the request allows.
    UnpricedMeter,
    /// A quotient does not end and was rounded to 28 significant digits.
    Rounded,
    /// The vendor's list is in another currency.
    FxConverted,
    /// Only the day of a price change is known, and the instant lies on it.
    StartIsApproximate,
    /// The price has no known start, and the instant lies before the day on which somebody saw it.
    UndatedPrice,
    /// A price depends on holidays, and the calendar does not cover the day.
    CalendarNotCovering,
    /// A figure in a vendor's response is not one that the reader knows.
    UnreadUsage,
    /// A meter is part of two others, is not priced itself, and was charged as the one named.
    ChargedAsPart,
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
