//! What is asked: a request, a day, and by how much what falls.

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    catalog::time::AsOf,
    decide::sweep::estimate_request,
    estimate::{
        figure::Figure,
        object::{ByName, Object},
    },
};

/// A request, and the day to which it is carried forward.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "request": {"kind": "training", "model": "llama-3.1-8b",
        "hardware": {"gpu": "h100-sxm5-80gb", "count": 512, "price_per_gpu_hour": "2.00"},
        "stages": [{"stage": "pretraining", "tokens": 1e12}]},
    "to": "2029-01-01", "decline": {"algorithm": 0.65, "hardware": 0.28}
})))]
pub struct ProjectRequest<'a> {
    /// What is carried forward: a request as `POST /estimate` takes it.
    #[serde(borrow)]
    #[schema(schema_with = estimate_request)]
    pub request: &'a RawValue,
    /// To when: an RFC 3339 instant with any offset, or a date (midnight UTC); not before the request's own instant.
    #[schema(value_type = String, example = "2028-01-01")]
    pub to: AsOf,
    /// By how much what falls, a year. Default: assumptions (see `/assumptions`).
    #[schema(value_type = Option<Decline>)]
    #[serde(default)]
    pub decline: Option<Object<Decline>>,
}

/// Yearly rates of decline: 0.75 means that a year later a quarter is left.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// Of the arithmetic that a given performance takes: falls from the request's instant on, since no price knows it.
    #[schema(value_type = Option<Figure>, example = 0.65)]
    pub algorithm: Option<Figure>,
    /// Of the price of arithmetic: falls from the last known price on.
    #[schema(value_type = Option<Figure>, example = 0.28)]
    pub hardware: Option<Figure>,
    /// Of the cost of training to a given performance, in place of `algorithm` and `hardware` together: falls from the
    /// last known price on.
    #[schema(value_type = Option<Figure>, example = 0.75)]
    pub training: Option<Figure>,
    /// Of the price of inference at a given performance, called or served: falls from the last known price on.
    #[schema(value_type = Option<Figure>, example = 0.875)]
    pub inference: Option<Figure>,
    /// Of lines by their code, in place of all others; lines such as `staff` and `data` stay as they are otherwise.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Figure>>, example = json!({"data": 0.1}))]
    #[serde(default)]
    pub lines: ByName<Figure>,
}
