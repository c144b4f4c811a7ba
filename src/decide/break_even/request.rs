//! What is asked: two requests and a number that both have, or a rent and a purchase.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    decide::{grid::Range, sweep::estimate_request},
    estimate::object::Object,
};

/// Two requests, and a number of each that takes the same values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "a": {"label": "hosted", "model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 300}},
    "b": {"label": "self-run", "kind": "serving", "model": "llama-3.1-8b",
        "hardware": {"gpu": "h100-sxm5-80gb", "gpus_per_replica": 1, "price_per_gpu_hour": "2.50"},
        "traffic": {"input_tokens": 1000, "output_tokens": 300, "requests_per_month": 1000}},
    "pointer": {"a": "/calls", "b": "/traffic/requests_per_month"},
    "range": {"from": 1e5, "to": 1e8, "steps": 31, "scale": "log"}
})))]
pub struct CurvesRequest<'a> {
    /// The one side: a request as `POST /estimate` takes it. Its first workload's `label` names its curve.
    #[serde(borrow)]
    #[schema(schema_with = estimate_request)]
    pub a: &'a RawValue,
    /// The other side.
    #[serde(borrow)]
    #[schema(schema_with = estimate_request)]
    pub b: &'a RawValue,
    /// The number that changes, as a JSON Pointer into both, or into each.
    pub pointer: Pointers,
    /// Its values, as a range.
    #[schema(value_type = Option<Range>)]
    pub range: Option<Object<Range>>,
    /// Its values, one by one and rising: numbers, or decimal strings. In place of `range`.
    #[serde(borrow)]
    #[schema(value_type = Option<Vec<crate::estimate::number::Amount>>, min_items = 1, max_items = 10_000)]
    pub values: Option<Vec<&'a RawValue>>,
    /// Currency of the answer. Default: that of the two requests.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Whether a picture of the curves is wanted, as SVG.
    #[serde(default)]
    #[schema(example = false)]
    pub svg: bool,
}

/// Where the number stands: in both at the same place, or in each at its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointers {
    /// In `a`.
    pub a: String,
    /// In `b`.
    pub b: String,
}

/// Where the number stands in each.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointerOfEach {
    /// In `a`, as a JSON Pointer.
    #[schema(example = "/calls")]
    a: String,
    /// In `b`, as a JSON Pointer.
    #[schema(example = "/traffic/requests_per_month")]
    b: String,
}

impl<'de> Deserialize<'de> for Pointers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrTwo;

        impl<'de> Visitor<'de> for OneOrTwo {
            type Value = Pointers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON Pointer, or an object with one for `a` and one for `b`")
            }

            fn visit_str<E: serde::de::Error>(self, both: &str) -> Result<Pointers, E> {
                Ok(Pointers { a: both.to_owned(), b: both.to_owned() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pointers, A::Error> {
                let PointerOfEach { a, b } = PointerOfEach::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Pointers { a, b })
            }
        }

        deserializer.deserialize_any(OneOrTwo)
    }
}

impl utoipa::PartialSchema for Pointers {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, schema::Type};
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(Ref::from_schema_name("PointerOfEach"))
            .description(Some("A JSON Pointer into both requests, or one into each."))
            .examples(["/traffic/requests_per_month"])
            .into()
    }
}

impl ToSchema for Pointers {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("PointerOfEach".to_owned(), <PointerOfEach as utoipa::PartialSchema>::schema()));
    }
}
