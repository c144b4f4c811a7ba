//! Everything that can be wrong with a request, and where.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::shape::cut;
use crate::catalog::money::Currency;

/// One thing wrong with a request, and where (a JSON Pointer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON Pointer into the request.
    pub pointer: String,
    /// What.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault at a place.
    pub fn new(pointer: impl Into<String>, kind: FaultKind) -> Self {
        Self { pointer: pointer.into(), kind }
    }
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProblemError)]
pub struct Told {
    /// Where: a JSON Pointer into the body, or `/` and the name of a query parameter. What is missing is
    /// pointed at where it would stand.
    #[schema(example = "/items/0/usage/output_tokens")]
    pub pointer: String,
    /// Which kind of fault: a stable name; new ones may come.
    #[schema(value_type = String, example = "unknown_model")]
    pub code: &'static str,
    /// What is wrong, in a sentence.
    #[schema(example = "no model is called `gpt-4p`")]
    pub detail: String,
    /// Names that may have been meant, nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["gpt-4o"]))]
    pub near_matches: Vec<String>,
}

impl From<Fault> for Told {
    fn from(fault: Fault) -> Self {
        let near_matches = fault.kind.near().to_vec();
        Self { pointer: fault.pointer, code: fault.kind.code(), detail: fault.kind.to_string(), near_matches }
    }
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is; the fields are what it names")]
pub enum FaultKind {
    #[error("there is no field called `{}` here", cut(name))]
    UnknownField { name: String, near: Vec<String> },
    #[error("no workload is of kind `{}`", cut(name))]
    UnknownKind { name: String, near: Vec<String> },
    #[error("no stage is called `{}`", cut(name))]
    UnknownStage { name: String, near: Vec<String> },
    #[error("no meter is called `{}`", cut(name))]
    UnknownMeter { name: String, near: Vec<String> },
    #[error("no model is called `{}`{}", cut(name), of_provider(provider.as_ref()))]
    UnknownModel { name: String, provider: Option<String>, near: Vec<String> },
    #[error("no provider is called `{}`", cut(name))]
    UnknownProvider { name: String, near: Vec<String> },
    #[error("no price or exchange rate is known in `{}`", cut(name))]
    UnknownCurrency { name: String, near: Vec<String> },
    #[error("{}", unknown_context_key(name, offering.as_deref()))]
    UnknownContextKey { name: String, offering: Option<String>, near: Vec<String> },
    #[error("no GPU is called `{name}`")]
    UnknownGpu { name: String, near: Vec<String> },
    #[error("there is no catalog revision {revision}; the newest is {newest}")]
    UnknownRevision { revision: u64, newest: u32 },
    #[error("{expected}")]
    WrongType { expected: String },
    #[error("`{name}` is missing")]
    MissingField { name: String },
    #[error("{detail}")]
    OutOfRange { detail: String },
    #[error("several providers sell `{}`: name one of them", cut(name))]
    AmbiguousModel { name: String, candidates: Vec<String> },
    #[error("two prices fit equally well: {first} and {second}")]
    AmbiguousPrice { first: String, second: String },
    #[error("`{key}: {}` has no price at {as_of}; {priced}", cut(value))]
    ContextUnpriced { key: String, value: String, as_of: Timestamp, priced: String },
    #[error("every price of `{offering}` in force at {as_of} asks for more to be said: {wanted}")]
    NoPriceWithout { offering: String, as_of: Timestamp, wanted: String },
    #[error("`{meter}` is used, and no price for it is in force at {as_of}")]
    Unpriced { meter: String, as_of: Timestamp },
    #[error("no price of `{offering}` is in force at {as_of}; {known}")]
    NotInForce { offering: String, as_of: Timestamp, known: String },
    #[error("no price of `{offering}` is in force from {from} to {to}; {known}")]
    PriceGap { offering: String, from: Timestamp, to: Timestamp, known: String },
    #[error("{detail}")]
    PartExceedsWhole { detail: String },
    #[error("`{part}` is counted inside `{whole}`, which is not given")]
    PartWithoutWhole { part: String, whole: String },
    #[error("{count} items are more than the {most} that one request may have")]
    TooManyItems { count: usize, most: usize },
    #[error("no exchange rate of {currency} is known at or before {as_of}")]
    NoFxRate { currency: Currency, as_of: Timestamp },
    #[error("{detail}")]
    Contradiction { detail: String },
    #[error("no engine is called `{}`; there are {known}", cut(name))]
    UnknownEngine { name: String, known: String, near: Vec<String> },
    #[error("{detail}")]
    SloUnreachable { detail: String },
    #[error("no number format is called `{}`; there are {known}", cut(name))]
    UnknownFormat { name: String, known: String, near: Vec<String> },
    #[error("no precision is called `{}`; training knows {known}", cut(name))]
    UnknownPrecision { name: String, known: String, near: Vec<String> },
    #[error("`{gpu}` does not multiply in {precision}; it has {has}")]
    PrecisionLacking { gpu: String, precision: String, has: String },
    #[error(
        "the shape of `{model}` is not known: give `architecture` in its place, with `params_total` at least, and better \
         `num_layers`, `hidden_size`, `num_heads`, `num_kv_heads`, `ffn_size` and `vocab_size`"
    )]
    UnknownArchitecture { model: String },
    #[error("{detail}")]
    UnpricedGpu { detail: String, near: Vec<String> },
    #[error("the catalog has no assumption `{id}` in force at {as_of}")]
    MissingAssumption { id: String, as_of: Timestamp },
    #[error("{detail}")]
    MissingPeak { detail: String },
    #[error("{detail}")]
    DoesNotFit { detail: String },
    #[error("{detail}")]
    PriceStale { detail: String },
    #[error("no price of electricity is known for the region `{}`", cut(name))]
    UnknownRegion { name: String, near: Vec<String> },
}

impl FaultKind {
    /// Its public name. No `_`: a new kind must choose one here.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownField { .. } => "unknown_field",
            Self::UnknownKind { .. } | Self::UnknownStage { .. } => "unknown_kind",
            Self::UnknownPrecision { .. } | Self::UnknownFormat { .. } | Self::PrecisionLacking { .. } => {
                "unknown_precision"
            }
            Self::UnknownEngine { .. } => "unknown_engine",
            Self::SloUnreachable { .. } => "slo_unreachable",
            Self::MissingAssumption { .. } | Self::MissingPeak { .. } => "missing_assumption",
            Self::DoesNotFit { .. } => "does_not_fit",
            Self::PriceStale { .. } => "price_stale",
            Self::UnknownRegion { .. } => "unknown_region",
            Self::UnknownMeter { .. } => "unknown_meter",
            Self::UnknownModel { .. } | Self::UnknownArchitecture { .. } => "unknown_model",
            Self::UnknownProvider { .. } => "unknown_provider",
            Self::UnknownCurrency { .. } => "unknown_currency",
            Self::UnknownContextKey { .. } => "unknown_context_key",
            Self::UnknownGpu { .. } => "unknown_gpu",
            Self::UnknownRevision { .. } => "unknown_revision",
            Self::WrongType { .. } => "wrong_type",
            Self::MissingField { .. } => "missing_field",
            Self::OutOfRange { .. } => "out_of_range",
            Self::AmbiguousModel { .. } => "ambiguous_model",
            Self::AmbiguousPrice { .. } => "ambiguous_price",
            Self::ContextUnpriced { .. } | Self::NoPriceWithout { .. } => "context_unpriced",
            Self::Unpriced { .. } | Self::UnpricedGpu { .. } => "unpriced",
            Self::NotInForce { .. } | Self::PriceGap { .. } => "not_in_force",
            Self::PartExceedsWhole { .. } => "part_exceeds_whole",
            Self::PartWithoutWhole { .. } => "part_without_whole",
            Self::TooManyItems { .. } => "too_many_items",
            Self::NoFxRate { .. } => "no_fx_rate",
            Self::Contradiction { .. } => "contradiction",
        }
    }

    /// Names that may have been meant, nearest first; up to five for a misspelling, all for an ambiguity.
    #[must_use]
    pub fn near(&self) -> &[String] {
        match self {
            Self::UnknownField { near, .. }
            | Self::UnknownKind { near, .. }
            | Self::UnknownStage { near, .. }
            | Self::UnknownMeter { near, .. }
            | Self::UnknownModel { near, .. }
            | Self::UnknownProvider { near, .. }
            | Self::UnknownCurrency { near, .. }
            | Self::UnknownContextKey { near, .. }
            | Self::UnknownPrecision { near, .. }
            | Self::UnknownFormat { near, .. }
            | Self::UnknownEngine { near, .. }
            | Self::UnpricedGpu { near, .. }
            | Self::UnknownRegion { near, .. }
            | Self::UnknownGpu { near, .. } => near,
            Self::AmbiguousModel { candidates, .. } => candidates,
            _ => &[],
        }
    }

    /// A fault of range.
    pub fn out_of_range(detail: impl Into<String>) -> Self {
        Self::OutOfRange { detail: detail.into() }
    }

    /// A fault of type.
    pub fn wrong_type(expected: impl Into<String>) -> Self {
        Self::WrongType { expected: expected.into() }
    }
}

fn unknown_context_key(name: &str, offering: Option<&str>) -> String {
    let name = cut(name);
    match offering {
        Some(offering) => format!("no price of `{offering}` depends on `{name}`"),
        None => format!("`{name}` is nothing that a price could depend on"),
    }
}

fn of_provider(provider: Option<&String>) -> String {
    provider.map_or_else(String::new, |provider| format!(" at `{provider}`"))
}

/// Appends a reference token to a JSON Pointer, escaped as RFC 6901 has it.
#[must_use]
pub fn pointer(base: &str, token: &str) -> String {
    format!("{base}/{}", token.replace('~', "~0").replace('/', "~1"))
}
