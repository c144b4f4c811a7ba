//! One number of a request goes through a grid: a series ready to plot.
//!
//! Every point is what [`estimate()`](crate::estimate::estimate) says to the request with that number in it, at one
//! catalog and one time. A point that cannot be priced says why and leaves the others be.

mod answer;
mod table;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{
    ToSchema,
    openapi::{Ref, RefOr, schema::Schema},
};

use self::answer::Series;
pub(super) use self::answer::{Doubts, raw};
pub use self::answer::{Point, PointWarning, Sweep};
use super::{
    Refused, Stop,
    grid::{Grid, Range},
    is_hopeless,
    number::OpenNumber,
    remember, under,
};
use crate::{
    catalog::{names, snapshot::Snapshot},
    estimate::{
        fault::{Fault, FaultKind},
        object::Object,
        request::Detail,
    },
};

/// Metrics that one sweep follows at most.
const MOST_METRICS: usize = 20;

/// A request, and a number of it that takes one value after the other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "request": {"model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}},
    "pointer": "/calls", "range": {"from": 1, "to": 1e6, "steps": 7, "scale": "log"}
})))]
pub struct SweepRequest<'a> {
    /// What is priced: a request as `POST /estimate` takes it.
    #[serde(borrow)]
    #[schema(schema_with = estimate_request)]
    pub request: &'a RawValue,
    /// The number that changes, as a JSON Pointer into `request`; a field that is not there yet is added to an object
    /// that is.
    #[schema(example = "/calls")]
    pub pointer: String,
    /// The values, as a range.
    #[schema(value_type = Option<Range>)]
    pub range: Option<Object<Range>>,
    /// The values, one by one: numbers, or decimal strings. In place of `range`.
    #[serde(borrow)]
    #[schema(value_type = Option<Vec<crate::estimate::number::Amount>>, min_items = 1, max_items = 10_000)]
    pub values: Option<Vec<&'a RawValue>>,
    /// Figures that are not money to follow as well, by their names in an item's `metrics`: of the first item that
    /// has one of that name.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["gpu_hours"]))]
    pub metrics: Vec<String>,
    /// Whether each point also tells the totals of the items.
    #[serde(default)]
    #[schema(example = false)]
    pub per_item: bool,
}

/// The schema of what `POST /estimate` takes, by its name in the document.
pub(super) fn estimate_request() -> RefOr<Schema> {
    let reference = Ref::builder().ref_location_from_schema_name("EstimateRequest");
    reference.description(Some("What is priced: a request as `POST /estimate` takes it.")).build().into()
}

/// Prices a request along a grid.
///
/// # Errors
/// Every fault of the question; those of the request where no point can be priced; and when nobody waits any more.
pub fn sweep(
    asked: &SweepRequest<'_>,
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<Sweep, Refused> {
    let text = asked.request.get();
    let mut faults = Vec::new();
    if asked.metrics.len() > MOST_METRICS {
        let detail = format!("must name at most {MOST_METRICS} metrics, got {}", asked.metrics.len());
        faults.push(Fault::new("/metrics", FaultKind::out_of_range(detail)));
    }
    let detail = if asked.per_item || !asked.metrics.is_empty() { Detail::Lines } else { Detail::Total };
    let open = OpenNumber::new(text, &asked.pointer, snapshot, now, detail);
    let open = open.map_err(|kind| faults.push(Fault::new("/pointer", kind))).ok();
    let grid = Grid::new(asked.range.as_ref(), asked.values.as_deref());
    let grid = grid.map_err(|found| faults.extend(found)).ok();
    let (Some(mut open), Some(grid), true) = (open, grid, faults.is_empty()) else {
        return Err(Refused::Faults(faults));
    };
    let grid =
        if grid.is_range && !grid.is_whole() && open.takes_whole_numbers() { grid.rounded() } else { grid };
    let series = Line { open, asked }.series(&grid, stop)?;
    check_metrics(asked, &series)?;
    Ok(series.into_sweep(asked))
}

/// A request with one number open.
struct Line<'q, 's> {
    open: OpenNumber<'q, 's>,
    asked: &'q SweepRequest<'q>,
}

impl Line<'_, '_> {
    fn series(&mut self, grid: &Grid, stop: Stop<'_>) -> Result<Series, Refused> {
        let mut series = Series::new(grid.values.len());
        let mut first: Vec<Fault> = Vec::new();
        for value in &grid.values {
            if stop() {
                return Err(Refused::Stopped);
            }
            let asked = self.asked;
            match self.open.price(value, |_, quote| series.add(value, &quote, asked)) {
                Ok(()) => {}
                Err(found) => {
                    if is_hopeless(&found, &[&asked.pointer]) {
                        return Err(Refused::Faults(under("/request", found)));
                    }
                    if series.priced == 0 {
                        remember(&mut first, &found);
                    }
                    series.refuse(value, under("/request", found));
                }
            }
        }
        if series.priced == 0 {
            return Err(Refused::Faults(under("/request", first)));
        }
        Ok(series)
    }
}

/// Refuses metrics that no point has.
fn check_metrics(asked: &SweepRequest<'_>, series: &Series) -> Result<(), Vec<Fault>> {
    let unknown =
        asked.metrics.iter().enumerate().filter(|(_, name)| !series.metrics.contains(name.as_str()));
    let faults: Vec<Fault> = unknown
        .map(|(at, name)| {
            let near = names::near(name, series.metrics.iter().map(String::as_str));
            Fault::new(format!("/metrics/{at}"), FaultKind::UnknownField { name: name.clone(), near })
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
