//! The answer to a sweep: points, and the doubts that they share.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::SweepRequest;
use crate::{
    catalog::money::Currency,
    estimate::{
        fault::{Fault, Told},
        metric::Metric,
        quote::{ENGINE, ItemMetrics, Quote, Total, Warning, WarningCode},
    },
};

/// Different doubts that are told at most.
const MOST_WARNINGS: usize = 50;

/// A series ready to plot.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sweep {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant whose prices were used, where an item does not say otherwise: the same for every point.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// The number that changes, as a JSON Pointer into the request.
    #[schema(example = "/calls")]
    pub pointer: String,
    /// How many points have a price.
    #[schema(example = 7)]
    pub priced: usize,
    /// How many could not be priced; each says why.
    #[schema(example = 0)]
    pub refused: usize,
    /// The points, in the order of the values. Where only whole numbers will do, those of a range are rounded to the
    /// nearest, and each comes once.
    pub points: Vec<Point>,
    /// Doubts about points, each once.
    pub warnings: Vec<PointWarning>,
}

/// One value, and what the request costs with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SweepPoint)]
pub struct Point {
    /// The value, as it stood in the request.
    #[schema(value_type = f64, example = 1000)]
    pub value: Box<RawValue>,
    /// What it costs; absent where it could not be priced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// The totals of the items; only with `per_item`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Total>>,
    /// The figures followed, by name; only where any are. One that is not there at this value is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, Metric>>)]
    pub metrics: Option<BTreeMap<String, Value>>,
    /// Why it could not be priced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Told>,
}

/// A doubt, and how many points it is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointWarning {
    /// What kind of doubt.
    pub code: WarningCode,
    /// The doubt in words, as it is of the first of them.
    #[schema(example = "the only seller of this name is `deepinfra`")]
    pub message: String,
    /// The part of the body it is about, as a JSON Pointer.
    #[schema(example = "/request/model")]
    pub pointer: String,
    /// How many points it is about.
    #[schema(example = 7)]
    pub points: usize,
}

/// What all quotes of a series say of themselves.
#[derive(Debug, Clone, Copy)]
struct Head {
    currency: Currency,
    as_of: Timestamp,
    catalog_revision: u32,
}

/// A series being made.
#[derive(Debug)]
pub(super) struct Series {
    head: Option<Head>,
    points: Vec<Point>,
    doubts: Doubts,
    pub(super) priced: usize,
    /// The names of all metrics seen; only where any are followed.
    pub(super) metrics: BTreeSet<String>,
}

impl Series {
    pub(super) fn new(points: usize) -> Self {
        let (points, doubts) = (Vec::with_capacity(points), Doubts::default());
        Self { head: None, points, doubts, priced: 0, metrics: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, value: &str, quote: &Quote<'_>, asked: &SweepRequest<'_>) {
        let Quote { currency, as_of, catalog_revision, .. } = *quote;
        self.head.get_or_insert(Head { currency, as_of, catalog_revision });
        self.priced += 1;
        let items = quote.items.as_deref().unwrap_or_default();
        self.doubts.add("/request", quote);
        let follows = !asked.metrics.is_empty();
        let metrics =
            follows.then(|| self.follow(items.iter().filter_map(|item| item.metrics.as_ref()), asked));
        let items = asked.per_item.then(|| items.iter().map(|item| item.total).collect());
        self.points.push(Point {
            value: raw(value),
            total: Some(quote.total),
            items,
            metrics,
            faults: Vec::new(),
        });
    }

    pub(super) fn refuse(&mut self, value: &str, faults: Vec<Fault>) {
        let faults = faults.into_iter().map(Told::from).collect();
        self.points.push(Point { value: raw(value), total: None, items: None, metrics: None, faults });
    }

    fn follow<'m>(
        &mut self,
        items: impl Iterator<Item = &'m ItemMetrics>,
        asked: &SweepRequest<'_>,
    ) -> BTreeMap<String, Value> {
        let mut followed = BTreeMap::new();
        for metrics in items {
            let Ok(Value::Object(named)) = serde_json::to_value(metrics) else { continue };
            for (name, metric) in named {
                self.metrics.insert(name.clone());
                if asked.metrics.contains(&name) {
                    followed.entry(name).or_insert(metric);
                }
            }
        }
        followed
    }

    pub(super) fn into_sweep(self, asked: &SweepRequest<'_>) -> Sweep {
        let usual = Head { currency: Currency::USD, as_of: Timestamp::UNIX_EPOCH, catalog_revision: 0 };
        let Head { currency, as_of, catalog_revision } = self.head.unwrap_or(usual); // there is a priced point
        Sweep {
            currency,
            as_of,
            catalog_revision,
            engine: ENGINE,
            pointer: asked.pointer.clone(),
            priced: self.priced,
            refused: self.points.len() - self.priced,
            points: self.points,
            warnings: self.doubts.0,
        }
    }
}

/// Doubts about quotes, each once.
#[derive(Debug, Default)]
pub(in crate::decide) struct Doubts(pub(in crate::decide) Vec<PointWarning>);

impl Doubts {
    /// Those of a quote, whose request stands at `base`.
    pub(in crate::decide) fn add(&mut self, base: &str, quote: &Quote<'_>) {
        let items = quote.items.as_deref().unwrap_or_default();
        for warning in quote.warnings.iter().chain(items.iter().flat_map(|item| &item.warnings)) {
            self.add_one(base, warning);
        }
    }

    fn add_one(&mut self, base: &str, warning: &Warning) {
        let same = |known: &&mut PointWarning| {
            known.code == warning.code && known.pointer.strip_prefix(base) == Some(&warning.pointer)
        };
        if let Some(known) = self.0.iter_mut().find(same) {
            known.points += 1;
        } else if self.0.len() < MOST_WARNINGS {
            let Warning { code, message, pointer } = warning.clone();
            let pointer = format!("{base}{pointer}");
            self.0.push(PointWarning { code, message, pointer, points: 1 });
        }
    }
}

/// A number as it stands in the request.
pub(in crate::decide) fn raw(value: &str) -> Box<RawValue> {
    RawValue::from_string(value.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned()) // every value of a grid is a number
}
