//! A model as one provider sells it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{ModelId, OfferingId, ProviderId};

/// A model under the name and at the prices of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offering {
    /// `provider/name`.
    #[schema(value_type = String, example = "openai/gpt-4o")]
    pub id: OfferingId,
    /// Who sells it.
    #[schema(value_type = String, example = "openai")]
    pub provider: ProviderId,
    /// The provider's own name for it, as it goes over the wire.
    #[schema(example = "gpt-4o")]
    pub name: String,
    /// Other names that the provider answers to for the same thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["gpt-4o-2024-11-20"]))]
    pub aliases: Vec<String>,
    /// The model that it is; null when nobody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "gpt-4o")]
    pub model: Option<ModelId>,
    /// Whether the seller is the model's own developer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = true)]
    pub first_party: bool,
    /// What it does, where it is not a chat model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "embedding")]
    pub kind: Option<String>,
    /// Largest input plus output, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 128_000)]
    pub context_window: Option<u64>,
    /// Whether the provider has announced its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = false)]
    pub deprecated: bool,
    /// URL or citation; null: none is known.
    #[schema(example = "https://openai.com/api/pricing/")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-10")]
    pub observed_at: Date,
}
