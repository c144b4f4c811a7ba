//! What may be compared: a base, what varies in it, and candidates of their own.

use std::{borrow::Cow, fmt};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, RefOr, schema::Schema, schema::Type},
};

use crate::estimate::{
    fault::{Fault, FaultKind},
    number::{Amount, Count},
    object::{ByName, Object},
};

/// Rows of an answer where the question does not say.
const USUAL_LIMIT: usize = 20;

/// Rows of an answer at most.
const MOST_ROWS: u64 = 500;

/// A workload, and what it is to be compared over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "base": {"usage": {"input_tokens": 1200, "output_tokens": 300}, "calls": 1000},
    "over": [{"offerings": {"model": "llama-3.3-70b-instruct"}}], "limit": 5
})))]
pub struct CompareRequest<'a> {
    /// What candidates have in common: a workload or a request as `POST /estimate` takes it; what `over` sets may be
    /// left out. Candidates that are whole workloads take only its currency, instant and revision.
    #[serde(borrow)]
    #[schema(schema_with = base)]
    pub base: Option<&'a RawValue>,
    /// What varies: each of one entry with each of every other, at most 10,000 in all.
    #[serde(default, borrow)]
    #[schema(value_type = Vec<Axis>, max_items = 8)]
    pub over: Vec<Object<Axis<'a>>>,
    /// Candidates besides.
    #[serde(default, borrow)]
    #[schema(value_type = Vec<Candidate>, max_items = 500)]
    pub candidates: Vec<Object<Candidate<'a>>>,
    /// What is known of models: how many tokens they need, and how often they succeed. By the name of a model or an
    /// offering.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Factors>, example = json!({"deepseek-r1": {"usage_factor": 1.3, "success_rate": 0.9}}))]
    pub factors: ByName<Object<Factors>>,
    /// Rows of the answer at most, of those ranked and of each sort of those that are not.
    #[schema(minimum = 1, maximum = 500, default = 20, example = 20)]
    pub limit: Option<u64>,
}

fn base() -> RefOr<Schema> {
    let reference = Ref::builder().ref_location_from_schema_name("EstimateRequest");
    let said = "What candidates have in common: a workload or a request as `POST /estimate` takes it; what `over` sets \
                may be left out.";
    reference.description(Some(said)).build().into()
}

impl CompareRequest<'_> {
    /// The number of rows asked for.
    ///
    /// # Errors
    /// When it is 0 or more than 500.
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        match self.limit {
            None => Ok(USUAL_LIMIT),
            Some(limit @ 1..=MOST_ROWS) => Ok(usize::try_from(limit).unwrap_or(USUAL_LIMIT)),
            Some(other) => {
                let detail = format!("must be a whole number from 1 to {MOST_ROWS}, got {other}");
                Err(Fault::new("/limit", FaultKind::out_of_range(detail)))
            }
        }
    }
}

/// One thing that varies: values at a place, or the offerings or accelerators that a filter admits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompareOver, examples(json!({"pointer": "/model", "values": ["gpt-4o", "gpt-4o-mini"]})))]
pub struct Axis<'a> {
    /// A place in `base`, as a JSON Pointer; a field that is not there yet is added to an object that is.
    #[schema(example = "/model")]
    pub pointer: Option<String>,
    /// What stands there in turn: anything.
    #[serde(borrow)]
    #[schema(value_type = Option<Vec<serde_json::Value>>, min_items = 1, max_items = 1000, example = json!(["gpt-4o", "gpt-4o-mini"]))]
    pub values: Option<Vec<&'a RawValue>>,
    /// Every offering like this in the place of `provider` and `model` of the only workload of `base` that calls a
    /// hosted model. In place of `pointer` and `values`.
    #[schema(value_type = Option<OfferingFilter>)]
    pub offerings: Option<Object<OfferingFilter>>,
    /// Every accelerator like this in the place of `hardware.gpu` of the only workload of `base` that is no call. In
    /// place of `pointer` and `values`.
    #[schema(value_type = Option<GpuFilter>)]
    pub gpus: Option<Object<GpuFilter>>,
}

/// A candidate by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompareCandidate)]
pub struct Candidate<'a> {
    /// Your own words for it.
    #[schema(example = "self-hosted")]
    pub label: Option<String>,
    /// What differs from `base`: values by JSON Pointer.
    #[serde(borrow)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>, example = json!({"/model": "gpt-4o-mini"}))]
    pub set: Option<ByName<&'a RawValue>>,
    /// A whole workload, of any kind. In place of `set`.
    #[serde(borrow)]
    #[schema(schema_with = workload)]
    pub workload: Option<&'a RawValue>,
    /// How many times as many tokens it needs for the same work.
    pub usage_factor: Option<Amount>,
    /// How often one try succeeds.
    pub success_rate: Option<Amount>,
}

fn workload() -> RefOr<Schema> {
    let reference = Ref::builder().ref_location_from_schema_name("Workload");
    reference.description(Some("A whole workload, of any kind. In place of `set`.")).build().into()
}

/// What is known of a model's answers.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompareFactors)]
pub struct Factors {
    /// How many times as many tokens it needs for the same work: more than 0. The total is multiplied by it; price tiers
    /// are chosen by the counts as given. Default: 1, with a warning.
    pub usage_factor: Option<Amount>,
    /// How often one try succeeds: more than 0, at most 1. Default: 1.
    pub success_rate: Option<Amount>,
}

impl Factors {
    /// Whether the figures are what they claim to be. `base` is where they stand.
    pub(super) fn check(self, base: &str, faults: &mut Vec<Fault>) {
        let mut check = |name: &str, figure: Option<Amount>, most: Decimal| {
            let is_fine = |figure: Amount| figure.0 > Decimal::ZERO && figure.0 <= most;
            if let Some(figure) = figure.filter(|figure| !is_fine(*figure)) {
                let detail = format!("must be more than 0 and at most {most}, got {}", figure.0);
                faults.push(Fault::new(format!("{base}/{name}"), FaultKind::out_of_range(detail)));
            }
        };
        check("usage_factor", self.usage_factor, Decimal::from(1_000_000));
        check("success_rate", self.success_rate, Decimal::ONE);
    }
}

/// Which offerings. All that is said has to hold; an offering of which it is not known is passed over, and counted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"class": "reasoning", "max_output_price": "1"})))]
pub struct OfferingFilter {
    /// The model, by any of its names, or by a seller's.
    #[schema(value_type = Option<Names>)]
    pub model: Option<Names>,
    /// Who sells it.
    #[schema(value_type = Option<Names>)]
    pub provider: Option<Names>,
    /// Who made the model, in any case.
    #[schema(value_type = Option<Names>)]
    pub developer: Option<Names>,
    /// What sort of model it is: `general`, `reasoning`, `embedding`, ...
    #[schema(value_type = Option<Names>)]
    pub class: Option<Names>,
    /// The line of models it belongs to.
    #[schema(value_type = Option<Names>)]
    pub family: Option<Names>,
    /// What it does: `chat`, `embedding`, `image_generation`, ...
    #[schema(value_type = Option<Names>)]
    pub kind: Option<Names>,
    /// Whether the seller is the model's own developer.
    #[schema(example = true)]
    pub first_party: Option<bool>,
    /// Whether the provider has announced its end.
    #[schema(example = false)]
    pub deprecated: Option<bool>,
    /// The model came out on this day or later.
    #[schema(value_type = Option<String>, format = Date, example = "2025-01-01")]
    pub released_from: Option<Date>,
    /// The model came out before this day.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    pub released_before: Option<Date>,
    /// Largest input plus output, in tokens, at least.
    pub min_context_window: Option<Count>,
    /// A million input tokens cost at most this: by the standard card for short inputs in force at the instant of the
    /// request, in its currency.
    pub max_input_price: Option<Amount>,
    /// The same for a million output tokens.
    pub max_output_price: Option<Amount>,
}

/// Which accelerators. All that is said has to hold.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"vendor": "NVIDIA", "min_memory_gb": 80})))]
pub struct GpuFilter {
    /// The accelerator, by any of its names.
    #[schema(value_type = Option<Names>)]
    pub gpu: Option<Names>,
    /// Who makes it, in any case.
    #[schema(value_type = Option<Names>)]
    pub vendor: Option<Names>,
    /// Generation, in any case.
    #[schema(value_type = Option<Names>)]
    pub architecture: Option<Names>,
    /// Memory as labelled, in decimal GB, at least.
    #[schema(minimum = 0, example = 80)]
    pub min_memory_gb: Option<f64>,
}

/// A name, or a list of names any of which will do.
#[derive(Debug, Clone)]
pub struct Names(pub Vec<String>);

impl Names {
    /// Whether one of them is this, in any case.
    pub(super) fn have(&self, name: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Names, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(Names)
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

impl PartialSchema for Names {
    fn schema() -> RefOr<Schema> {
        let name = || ObjectBuilder::new().schema_type(Type::String).examples(["deepseek-r1"]);
        OneOfBuilder::new()
            .item(name())
            .item(ArrayBuilder::new().items(name()))
            .description(Some("A name, or a list of names any of which will do."))
            .examples(["deepseek-r1"])
            .into()
    }
}

impl ToSchema for Names {
    fn name() -> Cow<'static, str> {
        "Names".into()
    }
}
