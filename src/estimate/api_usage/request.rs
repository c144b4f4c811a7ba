//! The request of a call to a hosted model.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use utoipa::ToSchema;

use super::{conversation::Conversation, period::Period};
use crate::{
    catalog::time::AsOf,
    estimate::{
        number::{Amount, Count},
        object::{ByName, Object},
        request::{Tags, each_once},
        tally::Tally,
        usage_from::Format,
    },
};

/// Calls to a hosted model: what a vendor's price list says they cost.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiUsage {
    /// Always `api_usage`, which is also what is meant where it is left out.
    #[serde(default)]
    pub kind: Kind,
    /// Your own name for it; comes back with the answer.
    #[schema(example = "req_7d1f")]
    pub id: Option<String>,
    /// Your own description of it; comes back with the answer.
    #[schema(example = "nightly summaries")]
    pub label: Option<String>,
    /// Your own words to group by.
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"team": "search"}))]
    #[serde(default, deserialize_with = "each_once")]
    pub tags: Tags,
    /// Whose prices, where it is not the request's `as_of`.
    #[schema(value_type = Option<String>, example = "2026-11-24T12:00:00Z")]
    pub as_of: Option<AsOf>,
    /// Who sells the model. Default: its developer's own API, or else its only seller.
    #[schema(example = "openai")]
    pub provider: Option<String>,
    /// The model by the seller's name or an alias; `provider/name` names both.
    #[schema(example = "gpt-4o")]
    pub model: Option<String>,
    /// When the calls are made, in place of `as_of`: the usage falls on every price in force in between.
    #[schema(value_type = Option<Period>)]
    pub period: Option<Box<Object<Period>>>,
    /// What one call uses, by meter (see `/meters`); parts such as `cache_read_tokens` are counted in their whole as well.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Tally>>, example = json!({"input_tokens": 1200, "output_tokens": 300}))]
    pub usage: Option<ByName<Tally>>,
    /// A vendor's response to read the usage from, in place of `usage`.
    #[schema(value_type = Option<UsageFrom>)]
    pub usage_from: Option<Object<UsageFrom>>,
    /// Conversations in place of `usage`: each call sends again what was said before.
    #[schema(value_type = Option<Conversation>)]
    pub conversation: Option<Box<Object<Conversation>>>,
    /// How many such calls, or conversations.
    #[schema(default = 1, example = 1)]
    pub calls: Option<Tally>,
    /// The most that one call may write: adds `upper_bound`, what the request costs where every call does.
    ///
    /// The total is of the output that `usage` gives: without `output_tokens` it is of the input alone.
    #[schema(example = 4096)]
    pub max_output_tokens: Option<Count>,
    /// Whether `usage` is of one call or of all of them.
    #[serde(default)]
    pub usage_scope: UsageScope,
    /// With `usage_scope: total`: the input of one call, which decides the price tier. Default: the mean.
    #[schema(example = 1200)]
    pub input_tokens_per_call: Option<Count>,
    /// Facts that prices depend on: `service_tier`, `region`, `residency`, `speed`, `quality`, `size`, ...
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"service_tier": "batch"}))]
    #[serde(default)]
    pub context: ByName<ContextValue>,
    /// Your own contract prices, by meter; they win over the vendor's list.
    #[schema(value_type = std::collections::BTreeMap<String, ContractRate>, example = json!({"input_tokens": {"amount": "2.00", "per": 1_000_000}}))]
    #[serde(default)]
    pub rates: ByName<Object<ContractRate>>,
    /// Percentages on the total, applied in order: discounts, taxes.
    #[serde(default)]
    #[schema(value_type = Vec<Adjustment>)]
    pub adjustments: Vec<Object<Adjustment>>,
    /// Price at the standard card where the context has no price of its own.
    #[schema(default = false, example = false)]
    #[serde(default)]
    pub allow_fallback: bool,
    /// Leave out a meter that has no price, with a warning.
    #[schema(default = false, example = false)]
    #[serde(default)]
    pub allow_unpriced: bool,
}

impl ApiUsage {
    /// Whether all calls are alike, known, and made at one instant.
    pub(super) fn is_plain(&self) -> bool {
        let exact = |tally: &Tally| tally.is_exact();
        self.period.is_none()
            && self.conversation.is_none()
            && self.max_output_tokens.is_none()
            && self.calls.as_ref().is_none_or(exact)
            && self.usage.iter().flat_map(ByName::iter).all(|(_, count)| exact(count))
    }
}

/// Names the kind of workload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Calls to a hosted model.
    #[default]
    ApiUsage,
}

/// Whether counts are of one call or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageScope {
    /// Of one call.
    #[default]
    PerCall,
    /// Summed over all calls.
    Total,
}

/// A vendor's raw response, or its bare usage object.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageFrom {
    /// Whose format it is.
    #[serde(default)]
    pub format: Format,
    /// The response as it came.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>, additional_properties, example = json!({
        "model": "gpt-4o-2024-08-06", "created": 1_739_880_000, "service_tier": "default",
        "usage": {"prompt_tokens": 1200, "completion_tokens": 300, "prompt_tokens_details": {"cached_tokens": 1024}}
    }))]
    pub response: serde_json::Value,
}

/// A price of your own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractRate {
    /// Money for `per` units.
    pub amount: Amount,
    /// How many units the amount is for. Default: the meter's customary quantity.
    #[serde(default)]
    pub per: Option<Amount>,
    /// Currency of the amount.
    #[serde(default)]
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
}

/// A percentage of the total so far, on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// What it is.
    #[schema(example = "enterprise discount")]
    pub label: String,
    /// Signed: `-12` takes 12 % off.
    #[schema(example = "-12")]
    pub percent: Amount,
}

/// A context value: a string, or a whole number such as `steps: 50`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextValue(pub String);

impl<'de> Deserialize<'de> for ContextValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringOrNumber;

        impl Visitor<'_> for StringOrNumber {
            type Value = ContextValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(ContextValue(text.to_owned()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(ContextValue(number.to_string()))
            }
        }

        deserializer.deserialize_any(StringOrNumber)
    }
}
