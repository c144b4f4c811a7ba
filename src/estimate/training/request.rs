//! The request of a training: the model, the machines, the stages, and the programme around them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::stage::Stage;
use crate::{
    catalog::{model::Architecture, time::AsOf},
    estimate::{
        figure::{Figure, Price},
        hardware::request::{Staff, TrainingHardware},
        number::Amount,
        object::Object,
        request::{Tags, each_once},
        subject::{ArchitectureFrom, Named},
    },
};

/// Training a model, or post-training it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Always `training`.
    pub kind: Kind,
    /// Your own name for it; comes back with the answer.
    #[schema(example = "run-7")]
    pub id: Option<String>,
    /// Your own description of it; comes back with the answer.
    #[schema(example = "our next model")]
    pub label: Option<String>,
    /// Your own words to group by.
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"team": "search"}))]
    #[serde(default, deserialize_with = "each_once")]
    pub tags: Tags,
    /// Whose prices, where it is not the request's `as_of`.
    #[schema(value_type = Option<String>, example = "2024-12-27")]
    pub as_of: Option<AsOf>,
    /// A model of the catalog whose shape is known.
    #[schema(example = "deepseek-v3")]
    pub model: Option<String>,
    /// The shape, in full or in part; `params_total` alone is enough.
    #[schema(value_type = Option<Architecture>, example = json!({"params_total": 7.0e9}))]
    pub architecture: Option<Object<Architecture>>,
    /// The shape as somebody else wrote it down.
    #[schema(value_type = Option<ArchitectureFrom>)]
    pub architecture_from: Option<Object<ArchitectureFrom>>,
    /// The machines.
    #[schema(value_type = TrainingHardware)]
    pub hardware: Object<TrainingHardware>,
    /// The day on which it starts; adds `by_month`.
    #[schema(value_type = Option<String>, format = Date, example = "2024-11-01")]
    pub start: Option<Date>,
    /// What is done, one after the other.
    #[serde(rename = "stages")]
    #[schema(value_type = Vec<Stage>, min_items = 1, max_items = 64)]
    pub(crate) raw_stages: Vec<Box<RawValue>>,
    /// The stages, read.
    #[serde(skip)]
    pub stages: Vec<Stage>,
    /// What there is around the run.
    #[schema(value_type = Option<Program>)]
    pub program: Option<Object<Program>>,
}

impl Training {
    /// The ways in which it names its model.
    pub(super) fn named(&self) -> Named<'_> {
        Named {
            model: self.model.as_deref(),
            architecture: self.architecture.as_ref(),
            architecture_from: self.architecture_from.as_ref(),
        }
    }
}

/// Names the kind of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TrainingKind)]
pub enum Kind {
    /// Training a model.
    Training,
}

/// What a programme costs besides its last run; each on a line of its own.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// All compute of the programme over that of the run: m adds (m - 1) times the run as `experiments`.
    #[schema(value_type = Option<Figure>, default = 1.0)]
    pub experiment_multiplier: Option<Figure>,
    /// Runs that failed, as a share of the run's compute.
    #[schema(value_type = Option<Figure>, default = 0.0)]
    pub failed_run_fraction: Option<Figure>,
    /// Evaluation, as a share of the run's compute.
    #[schema(value_type = Option<Figure>, default = 0.0)]
    pub evaluation_fraction: Option<Figure>,
    /// Data.
    #[serde(default)]
    #[schema(value_type = Vec<Data>)]
    pub data: Vec<Object<Data>>,
    /// People.
    #[serde(default)]
    #[schema(value_type = Vec<Staff>)]
    pub staff: Vec<Object<Staff>>,
    /// People as a share of people and compute together, where nobody counts them (Epoch AI: 0.29 to 0.49).
    pub staff_share: Option<Figure>,
    /// Whatever else.
    #[serde(default)]
    #[schema(value_type = Vec<Other>)]
    pub other: Vec<Object<Other>>,
}

/// Data, at a sum given, or by how much of it there is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// What it is.
    #[schema(example = "licensed corpus")]
    pub label: String,
    /// What it costs.
    pub amount: Option<Price>,
    /// How many tokens of it, where a price for each million says what it costs.
    pub tokens: Option<Figure>,
    /// How many labels of it, where a price for each says what it costs.
    pub labels: Option<Figure>,
    /// What sort it is: the usual price of that sort is an assumption (see `/assumptions?q=data`).
    pub sort: Option<DataSort>,
    /// Money for a million tokens, or for one label; wins over the sort's.
    pub unit_price: Option<Price>,
    /// Currency of `amount` or `unit_price`.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
    /// It is there already, and costs nothing this time.
    #[serde(default)]
    #[schema(default = false, example = false)]
    #[schema(example = false)]
    pub reused: bool,
}

/// Sorts of data that have a usual price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataSort {
    /// Text under licence, by the token.
    LicensedText,
    /// Text from the web, filtered, by the token.
    CrawledText,
    /// Judgements of people, by the label.
    HumanLabels,
    /// Judgements of a model, by the label.
    AiLabels,
}

/// Something else that costs money.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// What it is.
    #[schema(example = "storage")]
    pub label: String,
    /// What it costs; may be negative, such as a grant.
    pub amount: Amount,
    /// Currency of the amount.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
}
