//! What is asked: an envelope with workloads, or one workload by itself.
//!
//! [`EstimateRequest::parse`] reads JSON. It stops at what is not JSON at all; of everything else it keeps
//! the first fault of shape of each item, so that the answer can name them with the faults of meaning.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor, value::MapDeserializer},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    api_usage::request::ApiUsage,
    fault::{Fault, FaultKind, pointer},
    object::ByName,
    ownership::request::Ownership,
    serving::request::Serving,
    shape,
    training::{
        request::Training,
        stage::{MOST_STAGES, Stage},
    },
};
use crate::catalog::{names, time::AsOf};

/// How many workloads one request may have.
pub const MOST_ITEMS: usize = 100;

/// The kinds of workload there are.
const KINDS: [&str; 4] = ["api_usage", "training", "serving", "ownership"];

/// How much of the answer is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Only totals.
    Total,
    /// Every line, and the rows of the catalog they rest on.
    #[default]
    Lines,
    /// Every line with its formula and inputs.
    Full,
}

/// A list of workloads, and what holds for all of them.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EstimateList)]
pub struct Envelope<'a> {
    /// Currency of the answer.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$", default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Whose prices: an RFC 3339 instant with any offset, or a date (midnight UTC). Default: now.
    #[schema(value_type = Option<String>, example = "2026-11-24T12:00:00Z")]
    pub as_of: Option<AsOf>,
    /// What was known: a revision of the catalog. Default: the newest.
    #[schema(minimum = 1, example = 1)]
    pub catalog_revision: Option<u64>,
    /// How much of the answer is wanted.
    #[schema(example = "lines")]
    pub detail: Option<Detail>,
    /// A tag whose values get subtotals.
    #[schema(example = "team")]
    pub group_by: Option<String>,
    /// The workloads.
    #[serde(borrow)]
    #[schema(value_type = Vec<super::request::Workload>, min_items = 1, max_items = 100)]
    pub items: Option<Vec<&'a RawValue>>,
}

impl Envelope<'_> {
    /// Fields that also stand beside a workload that is a request by itself.
    const SHARED: [&'static str; 5] = ["currency", "as_of", "catalog_revision", "detail", "group_by"];
}

/// Something whose cost is asked for.
#[expect(clippy::large_enum_variant, reason = "calls are what most requests hold, and are not worth a box")]
#[derive(Debug, Clone, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "kind", mapping(
    ("api_usage" = "#/components/schemas/ApiUsage"),
    ("training" = "#/components/schemas/Training"),
    ("serving" = "#/components/schemas/Serving"),
    ("ownership" = "#/components/schemas/Ownership"),
)))]
pub enum Workload {
    /// Calls to a hosted model.
    ApiUsage(ApiUsage),
    /// Training a model.
    Training(Box<Training>),
    /// Running a model.
    Serving(Box<Serving>),
    /// Buying machines and running them.
    Ownership(Box<Ownership>),
}

impl Workload {
    /// Whose prices, where it is not the request's instant.
    pub(crate) fn as_of_mut(&mut self) -> &mut Option<AsOf> {
        match self {
            Self::ApiUsage(usage) => &mut usage.as_of,
            Self::Training(training) => &mut training.as_of,
            Self::Serving(serving) => &mut serving.as_of,
            Self::Ownership(ownership) => &mut ownership.as_of,
        }
    }

    /// The caller's own words to group by.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        match self {
            Self::ApiUsage(usage) => &usage.tags,
            Self::Training(training) => &training.tags,
            Self::Serving(serving) => &serving.tags,
            Self::Ownership(ownership) => &ownership.tags,
        }
    }
}

/// A request whose shape has been read.
#[derive(Debug)]
pub struct EstimateRequest {
    /// Currency of the answer; dollars where nothing is said.
    pub currency: Option<Box<str>>,
    /// Whose prices; now where nothing is said.
    pub as_of: Option<AsOf>,
    /// What was known; the newest where nothing is said.
    pub catalog_revision: Option<u64>,
    /// How much of the answer is wanted.
    pub detail: Detail,
    /// A tag whose values get subtotals.
    pub group_by: Option<String>,
    /// The workloads whose shape is right.
    pub items: Vec<Item>,
    /// The first fault of shape of each item (and of the envelope) whose shape is not.
    pub faults: Vec<Fault>,
}

/// A workload and its place in the request.
#[derive(Debug)]
pub struct Item {
    /// JSON Pointer to it: `/items/0`, or empty for a request that is one workload.
    pub pointer: String,
    /// The workload.
    pub workload: Workload,
}

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not JSON: {0}")]
pub struct NotJson(pub String);

impl EstimateRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON; faults of shape are kept in the request.
    pub fn parse(body: &[u8]) -> Result<Self, NotJson> {
        let text = std::str::from_utf8(body).map_err(|error| NotJson(error.to_string()))?;
        let fields = match serde_json::from_str::<Fields<'_>>(text) {
            Ok(fields) => fields,
            Err(error) if error.is_data() => {
                // What comes after the first bracket has not been looked at.
                serde_json::from_str::<IgnoredAny>(text)
                    .map_err(|error| NotJson(shape::sentence_of(&error)))?;
                return Ok(Self::refused(Fault::new("", FaultKind::wrong_type("must be a JSON object"))));
            }
            Err(error) => return Err(NotJson(shape::sentence_of(&error))),
        };
        Ok(Self::read(fields))
    }

    /// Whether an answer takes so long that others would notice: machines and layouts are searched for, or many
    /// workloads are modelled.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        const MOST_MODELLED: usize = 4;
        let searches = |item: &Item| match &item.workload {
            Workload::Serving(serving) => {
                let hardware = &serving.hardware;
                let is_open = hardware.gpu.is_none() || hardware.gpus_per_replica.is_none();
                is_open || serving.parallelism.tensor.is_none()
            }
            _ => false,
        };
        let is_modelled = |item: &&Item| !matches!(item.workload, Workload::ApiUsage(_));
        self.items.iter().any(searches) || self.items.iter().filter(is_modelled).count() > MOST_MODELLED
    }

    fn refused(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::of(Envelope::default()) }
    }

    fn of(envelope: Envelope<'_>) -> Self {
        Self {
            currency: envelope.currency,
            as_of: envelope.as_of,
            catalog_revision: envelope.catalog_revision,
            detail: envelope.detail.unwrap_or_default(),
            group_by: envelope.group_by,
            items: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn read(Fields(fields): Fields<'_>) -> Self {
        let is_list = fields.iter().any(|(name, _)| name == "items");
        let (envelope, workload): (Vec<_>, Vec<_>) =
            fields.into_iter().partition(|(name, _)| is_list || Envelope::SHARED.contains(&name.as_ref()));
        let (envelope, fault) = match read_as::<Envelope<'_>>(&envelope, "") {
            Ok(envelope) => (envelope, None),
            Err(fault) => (Envelope::default(), Some(fault)),
        };
        let items = envelope.items.clone();
        let mut request = Self::of(envelope);
        request.faults.extend(fault);
        if is_list {
            request.add_items(&items.unwrap_or_default());
        } else {
            request.add(String::new(), read_fields(&workload, ""));
        }
        request
    }

    fn add_items(&mut self, items: &[&RawValue]) {
        if items.is_empty() && self.faults.is_empty() {
            self.faults
                .push(Fault::new("/items", FaultKind::out_of_range("must hold at least one workload")));
        }
        if items.len() > MOST_ITEMS {
            let kind = FaultKind::TooManyItems { count: items.len(), most: MOST_ITEMS };
            self.faults.push(Fault::new("/items", kind));
            return;
        }
        for (at, raw) in items.iter().enumerate() {
            let pointer = format!("/items/{at}");
            let workload = match serde_json::from_str::<Fields<'_>>(raw.get()) {
                Ok(Fields(fields)) => read_fields(&fields, &pointer),
                Err(_) => Err(Fault::new(&pointer, FaultKind::wrong_type("must be a JSON object"))),
            };
            self.add(pointer, workload);
        }
    }

    fn add(&mut self, pointer: String, workload: Result<Workload, Fault>) {
        match workload {
            Ok(workload) => self.items.push(Item { pointer, workload }),
            Err(fault) => self.faults.push(fault),
        }
    }
}

/// Reads a workload by its kind.
fn read_fields(fields: &[Field<'_>], base: &str) -> Result<Workload, Fault> {
    let kind = match fields.iter().find(|(name, _)| name == "kind") {
        None => Cow::Borrowed("api_usage"),
        Some((_, raw)) => serde_json::from_str::<Cow<'_, str>>(raw.get())
            .map_err(|_| Fault::new(pointer(base, "kind"), FaultKind::wrong_type("must be a string")))?,
    };
    match kind.as_ref() {
        "api_usage" => read_as(fields, base).map(Workload::ApiUsage),
        "training" => read_training(fields, base).map(|training| Workload::Training(Box::new(training))),
        "serving" => read_as(fields, base).map(|serving| Workload::Serving(Box::new(serving))),
        "ownership" => read_as(fields, base).map(|ownership| Workload::Ownership(Box::new(ownership))),
        unknown => {
            let near = names::near(unknown, KINDS.into_iter());
            let near = if near.is_empty() { KINDS.map(str::to_owned).into() } else { near };
            let name = unknown.to_owned();
            Err(Fault::new(pointer(base, "kind"), FaultKind::UnknownKind { name, near }))
        }
    }
}

/// Reads a training and its stages.
fn read_training(fields: &[Field<'_>], base: &str) -> Result<Training, Fault> {
    let mut training: Training = read_as(fields, base)?;
    let place = pointer(base, "stages");
    let count = training.raw_stages.len();
    if !(1..=MOST_STAGES).contains(&count) {
        let detail = format!("must hold 1 to {MOST_STAGES} stages, got {count}");
        return Err(Fault::new(place, FaultKind::out_of_range(detail)));
    }
    let stages = training.raw_stages.iter().enumerate();
    training.stages =
        stages.map(|(at, raw)| Stage::read(raw, &format!("{place}/{at}"))).collect::<Result<_, _>>()?;
    Ok(training)
}

/// Reads fields into their type; only what cannot be read is read again to find out where.
pub(crate) fn read_as<'de, T: Deserialize<'de>>(fields: &[Field<'de>], base: &str) -> Result<T, Fault> {
    let entries = || {
        let fields = fields.iter().map(|(name, raw)| (name.as_ref(), *raw));
        MapDeserializer::<_, serde_json::Error>::new(fields)
    };
    T::deserialize(entries()).or_else(|_| {
        serde_path_to_error::deserialize(entries()).map_err(|error| {
            let place = format!("{base}{}", shape::pointer_of(error.path()));
            shape::fault_of(error.inner(), &place)
        })
    })
}

/// A field and its value, not yet read.
pub(crate) type Field<'a> = (Cow<'a, str>, &'a RawValue);

/// The fields of an object, their values not yet read.
pub(crate) struct Fields<'a>(pub(crate) Vec<Field<'a>>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyObject;

        impl<'de> Visitor<'de> for AnyObject {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(AnyObject)
    }
}

/// A name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Tags, read by the caller's words.
pub type Tags = BTreeMap<String, String>;

/// Tags, of which none comes twice.
pub(crate) fn each_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tags, D::Error> {
    let ByName(tags) = ByName::deserialize(deserializer)?;
    Ok(tags.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
