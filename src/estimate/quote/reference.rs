//! The rows of the catalog that a quote rests on.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::catalog::{
    digits,
    rate_card::{Conditions, ContextKey, Test},
};

/// The row of the catalog that a figure came from: `rate_card:812`, `gpu:h800-sxm5-80gb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ref<'a> {
    /// A price row.
    RateCard(i64),
    /// A factor.
    Modifier(i64),
    /// A reference rate of a currency.
    FxRate(i64),
    /// What buying an accelerator costs.
    GpuPurchase(i64),
    /// An accelerator's data sheet.
    Gpu(&'a str),
    /// What renting an accelerator costs.
    GpuRental(&'a str),
    /// A model's shape.
    Model(&'a str),
    /// A default of the arithmetic.
    Assumption(&'a str),
    /// A price of electricity, and the grid behind it.
    EnergyPrice(&'a str),
    /// A speed that somebody measured.
    PublishedThroughput(&'a str),
}

/// What tells a row of a table from the others.
enum Key<'a> {
    Number(i64),
    Name(&'a str),
}

impl<'a> Ref<'a> {
    fn parts(self) -> (&'static str, Key<'a>) {
        match self {
            Self::RateCard(id) => ("rate_card", Key::Number(id)),
            Self::Modifier(id) => ("modifier", Key::Number(id)),
            Self::FxRate(id) => ("fx_rate", Key::Number(id)),
            Self::GpuPurchase(id) => ("gpu_purchase", Key::Number(id)),
            Self::Gpu(name) => ("gpu", Key::Name(name)),
            Self::GpuRental(name) => ("gpu_rental", Key::Name(name)),
            Self::Model(name) => ("model", Key::Name(name)),
            Self::Assumption(name) => ("assumption", Key::Name(name)),
            Self::EnergyPrice(name) => ("energy_price", Key::Name(name)),
            Self::PublishedThroughput(name) => ("published_throughput", Key::Name(name)),
        }
    }
}

impl fmt::Display for Ref<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (table, Key::Number(id)) => write!(f, "{table}:{id}"),
            (table, Key::Name(name)) => write!(f, "{table}:{name}"),
        }
    }
}

impl Serialize for Ref<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let (table, Key::Number(id)) = self.parts()
            && let Ok(id) = u64::try_from(id)
        {
            return serializer.serialize_str(digits::named(table, b':', id, &mut [0; _]));
        }
        serializer.collect_str(self)
    }
}

/// The rows that lines rest on, each once, in the order in which they were first named.
#[derive(Debug, Default)]
pub struct References<'a>(Vec<(Ref<'a>, Reference<'a>)>);

impl<'a> References<'a> {
    /// A row.
    pub(crate) fn get(&self, key: Ref<'_>) -> Option<&Reference<'a>> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, reference)| reference)
    }

    /// Adds a row unless it is there already.
    pub fn add(&mut self, key: Ref<'a>, reference: impl FnOnce() -> Reference<'a>) {
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
    /// P10, P50 and P90, where the row is a default of the arithmetic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ReferenceValue<'a>>,
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

/// What a default of the arithmetic says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ReferenceValue<'a> {
    /// P10.
    #[schema(example = 0.75)]
    pub low: f64,
    /// P50.
    #[schema(example = 0.87)]
    pub mid: f64,
    /// P90.
    #[schema(example = 0.96)]
    pub high: f64,
    /// Its unit.
    #[schema(example = "ratio")]
    pub unit: &'a str,
}
