//! A quote as somebody else would keep it: an owned structure that serialises to the bytes of the service's answer.

use std::collections::BTreeMap;

use farthing::{
    catalog::edition::built_in_snapshot,
    estimate::{estimate, request::EstimateRequest},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The service's answer to a body, as it is served and as a structure.
pub(crate) fn stored(body: &str) -> (Vec<u8>, Quote) {
    let now: Timestamp = "2026-11-24T12:00:00.123Z".parse().unwrap(); // as long as the time of day mostly is
    let request = EstimateRequest::parse(body.as_bytes()).unwrap();
    let snapshot = built_in_snapshot().unwrap();
    let text = serde_json::to_vec(&estimate(&request, &snapshot, now).unwrap()).unwrap();
    let quote: Quote = serde_json::from_slice(&text).unwrap();
    assert_eq!(serde_json::to_vec(&quote).unwrap(), text, "the structure leaves something out");
    (text, quote)
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Quote {
    currency: String,
    as_of: String,
    catalog_revision: u32,
    engine: String,
    total: Total,
    items: Vec<Item>,
    references: BTreeMap<String, Reference>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Total {
    amount: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    kind: String,
    id: Option<String>,
    label: Option<String>,
    provider: String,
    model: String,
    offering: String,
    total: Total,
    lines: Vec<Line>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    code: String,
    description: String,
    quantity: String,
    unit: String,
    unit_price: String,
    per: String,
    price_currency: String,
    fx: Option<String>,
    amount: String,
    refs: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reference {
    source: Option<String>,
    observed_at: String,
    effective_from: Option<String>,
    effective_to: Option<String>,
    conditions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    revision: u32,
}
