//! What can be charged for, and which counts already contain which.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ids::MeterId, money::decimal_text};

/// Something that is counted and charged: input tokens, web searches, seconds of audio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// The name used in `usage`.
    #[schema(value_type = String, example = "cache_read_tokens")]
    pub id: MeterId,
    /// A short phrase for people.
    #[schema(example = "cached input tokens read")]
    pub name: String,
    /// What one of it is.
    #[schema(example = "token")]
    pub unit: String,
    /// The quantity that prices of it are customarily given for.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "1000000")]
    pub per: Decimal,
    /// The meters whose count already contains this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["input_tokens"]))]
    pub part_of: Vec<MeterId>,
    /// What is counted, in a sentence.
    #[schema(example = "Input tokens served from the prompt cache; part of `input_tokens`.")]
    pub description: String,
    /// URL or citation; null: none is known.
    #[schema(example = "https://platform.openai.com/docs/guides/prompt-caching")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}
