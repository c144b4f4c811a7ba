//! Who sells models, and who rents out the machines they run on.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::ProviderId;

/// A company, or one of its shops, that sells calls to models or hours of accelerators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name used in requests.
    #[schema(value_type = String, example = "openai")]
    pub id: ProviderId,
    /// The name people know.
    #[schema(example = "OpenAI")]
    pub name: String,
    /// Home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://openai.com")]
    pub website: Option<String>,
    /// Where the vendor publishes its prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["https://openai.com/api/pricing/"]))]
    pub pricing_urls: Vec<String>,
    /// Another provider of this catalog that is the same company under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "aws")]
    pub same_vendor_as: Option<ProviderId>,
    /// Whether this is the developer's own API for the models it develops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = true)]
    pub own_api: bool,
    /// Developers whose models it resells next to its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["anthropic"]))]
    pub also_resells: Vec<String>,
    /// URL or citation; null: none is known.
    #[schema(example = "https://openai.com/api/pricing/")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}
