//! The answer: today, then, and how every line got there.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    catalog::money::Currency,
    estimate::{
        metric::Metric,
        quote::{Origin, Total, Warning},
    },
};

/// A quote carried forward.
#[derive(Debug, Serialize, ToSchema)]
pub struct Projection {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant of today's quote, where an item does not say otherwise.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The instant it is carried to.
    #[schema(value_type = String, format = DateTime, example = "2028-01-01T00:00:00Z")]
    pub to: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// What `POST /estimate` says to the request.
    pub today: Total,
    /// What it is expected to cost then.
    pub projected: Total,
    /// Today's total over that: how many times cheaper. Null where nothing is left of the cost.
    pub times_cheaper: Option<Metric>,
    /// The workloads, in the order asked.
    pub items: Vec<ProjectedItem>,
    /// The total on each anniversary of today's quote, and at the end.
    pub series: Vec<ProjectedYear>,
    /// Rows of the catalog that `ref` and `refs` name, each once.
    #[schema(value_type = crate::estimate::quote::References)]
    pub references: Value,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

/// A workload carried forward.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectedItem {
    /// The kind of workload.
    #[schema(example = "training")]
    pub kind: &'static str,
    /// The caller's own name for it.
    #[schema(example = "run-7")]
    pub id: Option<String>,
    /// The caller's description of it.
    #[schema(example = "our next model")]
    pub label: Option<String>,
    /// The instant whose prices it is carried forward from: the latest that the catalog knows prices of.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub priced_at: Timestamp,
    /// What it costs today.
    pub today: Total,
    /// What it is expected to cost then.
    pub projected: Total,
    /// Its lines.
    pub lines: Vec<ProjectedLine>,
}

/// A line carried forward: `projected = priced * factor`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectedLine {
    /// What is paid for.
    #[schema(example = "pretraining.compute")]
    pub code: String,
    /// The same in words.
    #[schema(example = "compute of pretraining")]
    pub description: String,
    /// What it costs at the prices of `priced_at`.
    pub priced: Total,
    /// Until when its price is known: what is dated is not discounted.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub price_known_until: Timestamp,
    /// How the factor comes about, in the names of `rates`; `1` where nothing declines.
    #[schema(example = "(1 - algorithm)^2.1 * (1 - hardware)^1.1")]
    pub formula: String,
    /// What is left of it.
    pub factor: Metric,
    /// The rates of the formula.
    pub rates: Vec<ProjectedRate>,
    /// What it is expected to cost.
    pub projected: Total,
    /// Rows of the catalog that its price rests on.
    #[schema(example = json!(["gpu_rental:h100-sxm5-80gb"]))]
    pub refs: Vec<String>,
}

/// A yearly rate, and for how long it holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectedRate {
    /// Its name in the formula.
    #[schema(example = "hardware")]
    pub name: String,
    /// The decline in a year.
    pub rate: Metric,
    /// For so many years.
    #[schema(example = 1.1)]
    pub years: f64,
    /// Where it came from.
    pub origin: Origin,
    /// The row it came from, where there is one.
    #[serde(rename = "ref")]
    #[schema(example = "assumption:project.hardware_decline")]
    pub reference: Option<String>,
}

/// The total at an instant.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectedYear {
    /// The instant.
    #[schema(value_type = String, format = DateTime, example = "2027-11-24T12:00:00Z")]
    pub at: Timestamp,
    /// The total then.
    pub total: Total,
}
