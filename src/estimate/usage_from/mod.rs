//! stub
#![allow(missing_docs)]
use crate::{
    catalog::{money::Currency, rate_card::ContextKey},
    estimate::fault::Fault,
};
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Auto,
    Openai,
    Anthropic,
    Gemini,
    Bedrock,
}
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reported {
    pub usage: Vec<(&'static str, u64)>,
    pub model: Option<String>,
    pub context: Vec<(ContextKey, String)>,
    pub at: Option<jiff::Timestamp>,
    pub reported_cost: Option<(rust_decimal::Decimal, Currency)>,
    pub unread: Vec<String>,
    pub alternatives: Vec<&'static str>,
}
pub fn read(_format: Format, _response: &serde_json::Value) -> Result<Reported, Vec<Fault>> {
    Ok(Reported::default())
}
