//! The largest model that a sum trains, with as many tokens as are best for its size.
//!
//! - `D = r N`: `D` training tokens, `N` parameters, `r` tokens per parameter.
//!
//! Hoffmann et al. 2022 (arXiv:2203.15556, table 3) find that of all runs of so much arithmetic the one with about 20
//! tokens per parameter ends lowest; models that are called much are trained on a multiple of that. What a run of `N`
//! and `D` costs is what [`estimate()`](crate::estimate::estimate) says to a training of one stage.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use utoipa::ToSchema;

use super::{
    answer::{Bought, Budget, Outcome, Spend},
    placed, positive,
    search::{Buyer, Goods, Priced},
};
use crate::{
    catalog::{
        money::{Currency, Money},
        snapshot::Snapshot,
    },
    decide::{
        Refused, Stop,
        edge::Domain,
        grid::{Grid, Range, Scale},
        is_hopeless,
        sweep::estimate_request,
    },
    estimate::{
        self,
        fault::{Fault, FaultKind},
        figure::Figure,
        metric::Metric,
        number::Amount,
        object::Object,
        quote::Warning,
        request::{Detail, EstimateRequest},
        uncertain,
    },
};

/// The row of tokens per parameter.
const ROW: &str = "training.tokens_per_param";

/// Parameters of the smallest and of the largest model that are tried.
const SIZES: (f64, f64) = (1e6, 1e14);

/// How many sizes are tried between them.
const STEPS: u64 = 33;

/// A sum, and what a model is trained with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "optimal": {"hardware": {"gpu": "h100-sxm5-80gb", "count": 512, "price_per_gpu_hour": "2.00"}},
    "budget": "1000000", "currency": "USD"
})))]
pub struct OptimalRequest<'a> {
    /// How the model is trained.
    #[serde(borrow)]
    #[schema(value_type = Optimal)]
    pub optimal: Object<Optimal<'a>>,
    /// The sum.
    pub budget: Amount,
    /// Its currency, and that of the answer.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$", default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
}

/// How a model is trained; what is left out is as in a training of `POST /estimate`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Optimal<'a> {
    /// What it is trained on, as in a training of `POST /estimate`.
    #[serde(borrow)]
    #[schema(value_type = crate::estimate::hardware::request::TrainingHardware)]
    pub hardware: &'a RawValue,
    /// Tokens per parameter. Default: an assumption, about 20.
    #[schema(value_type = Option<Figure>, example = 20)]
    pub tokens_per_param: Option<Figure>,
    /// How many times as many tokens: above 1 for a model that is smaller than the sum allows, and cheaper to call.
    #[schema(exclusive_minimum = 0, default = 1, example = 10)]
    pub over_training: Option<f64>,
    /// Number format of the arithmetic.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, example = "bf16")]
    pub precision: Option<&'a RawValue>,
    /// Share of the peak that is used while the run goes on.
    #[serde(borrow)]
    #[schema(value_type = Option<Figure>, example = 0.4)]
    pub mfu: Option<&'a RawValue>,
    /// Experiments, failed runs, data, people, as in a training of `POST /estimate`.
    #[serde(borrow)]
    #[schema(value_type = Option<crate::estimate::training::request::Program>)]
    pub program: Option<&'a RawValue>,
    /// Whose prices: an RFC 3339 instant with any offset, or a date (midnight UTC). Default: now.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, example = "2026-11-24T12:00:00Z")]
    pub as_of: Option<&'a RawValue>,
}

/// The largest model that a sum trains.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptimalBudget {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant whose prices were used.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// The sum.
    pub budget: Money,
    /// What came of it.
    pub outcome: Outcome,
    /// The same in words.
    #[schema(example = "9876543210 parameters at most")]
    pub text: String,
    /// Tokens per parameter, over-training included.
    pub tokens_per_param: Metric,
    /// The row it rests on; null: it is given.
    #[serde(rename = "ref")]
    #[schema(example = "assumption:training.tokens_per_param")]
    pub reference: Option<String>,
    /// The model; only where one is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained: Option<TrainedSize>,
    /// What its training costs, and what is left of the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bought: Option<Bought>,
    /// The smallest that was tried.
    pub least: Spend,
    /// The training, as `POST /estimate` takes it; only where a model is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = estimate_request, required = false)]
    pub request: Option<serde_json::Value>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

/// A model, and what it is trained on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrainedSize {
    /// Parameters; low and high where the P90 and the P10 of the cost are the sum.
    pub params_total: Metric,
    /// Training tokens: those of `params_total` at the middle of `tokens_per_param`.
    pub tokens: Metric,
}

/// Tokens per parameter, and where that is from.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    range: uncertain::Range,
    is_given: bool,
}

/// Finds the largest model that a sum trains.
///
/// # Errors
/// Every fault of the question; those of the training where no size has a price; and when nobody waits any more.
pub fn optimal(
    asked: &OptimalRequest<'_>,
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<OptimalBudget, Refused> {
    let mut faults = Vec::new();
    let ratio = ratio(&asked.optimal, snapshot, now).map_err(|fault| faults.push(fault)).ok();
    let sum = positive(asked.budget).map_err(|fault| faults.push(fault)).ok();
    let (Some(ratio), Some(sum)) = (ratio, sum) else { return Err(Refused::Faults(faults)) };
    let run = Run { asked, ratio, snapshot, now };
    let sizes = Range { from: SIZES.0, to: SIZES.1, steps: Some(STEPS), scale: Scale::Log };
    let grid = Grid::new(Some(&Object(sizes)), None)?;
    let found = Buyer::new(run, Domain::Whole, sum, stop).search(Some(&grid), "/optimal")?;
    Ok(run.told(found))
}

fn ratio(optimal: &Optimal<'_>, snapshot: &Snapshot, now: Timestamp) -> Result<Ratio, Fault> {
    let times = optimal.over_training.unwrap_or(1.0);
    if !(times.is_finite() && times > 0.0) {
        let detail = format!("must be more than 0, got {times}");
        return Err(Fault::new("/optimal/over_training", FaultKind::out_of_range(detail)));
    }
    let (range, is_given) = if let Some(Figure(range)) = optimal.tokens_per_param {
        (range, true)
    } else {
        let row = snapshot.newest().assumption(ROW, now);
        let missing = || FaultKind::MissingAssumption { id: ROW.to_owned(), as_of: now };
        let row = &row.ok_or_else(|| Fault::new("/optimal", missing()))?.row;
        let range = uncertain::Range::new(row.low, row.mid, row.high);
        (range.unwrap_or(uncertain::Range::exact(row.mid)), false)
    };
    if range.low() <= 0.0 {
        let detail = "must be more than 0".to_owned();
        return Err(Fault::new("/optimal/tokens_per_param", FaultKind::out_of_range(detail)));
    }
    let [low, mid, high] = [range.low(), range.mid(), range.high()].map(|tokens| tokens * times);
    let range = uncertain::Range::new(low, mid, high)
        .map_err(|_| Fault::new("/optimal/over_training", FaultKind::out_of_range("is too large")))?;
    Ok(Ratio { range, is_given })
}

/// A training whose size is open.
#[derive(Clone, Copy)]
struct Run<'q, 's> {
    asked: &'q OptimalRequest<'q>,
    ratio: Ratio,
    snapshot: &'s Snapshot,
    now: Timestamp,
}

impl Run<'_, '_> {
    /// The training of a model of this size.
    fn request(&self, params: f64) -> serde_json::Value {
        let Ratio { range, .. } = self.ratio;
        let [low, mid, high] = [range.low(), range.mid(), range.high()].map(|tokens| tokens * params);
        let tokens =
            if range.is_exact() { json!(mid) } else { json!({ "low": low, "mid": mid, "high": high }) };
        let mut stage = json!({ "stage": "pretraining", "tokens": tokens });
        let Optimal { hardware, precision, mfu, program, as_of, .. } = self.asked.optimal.0;
        let mut request =
            json!({ "kind": "training", "architecture": { "params_total": params }, "hardware": hardware });
        for (name, given) in [("precision", precision), ("mfu", mfu)] {
            if let Some(given) = given {
                stage[name] = json!(given);
            }
        }
        for (name, given) in [("program", program), ("as_of", as_of)] {
            if let Some(given) = given {
                request[name] = json!(given);
            }
        }
        request["stages"] = json!([stage]);
        match &self.asked.currency {
            Some(currency) => json!({ "currency": currency, "items": [request] }),
            None => json!({ "items": [request] }),
        }
    }

    fn told(&self, found: Budget) -> OptimalBudget {
        let number = |raw: &RawValue| raw.get().parse::<f64>().ok();
        let end = |end: Option<Option<Box<RawValue>>>| end.flatten().and_then(|raw| number(&raw));
        let (low, high) = (end(found.low), end(found.high));
        let params = found.bought.as_ref().and_then(|bought| number(&bought.value));
        let Ratio { range, is_given } = self.ratio;
        let sized = |params: f64, times: f64, unit: &'static str| Metric {
            low: low.map(|low| low * times),
            high: high.map(|high| high * times),
            ..Metric::exact(params * times, unit)
        };
        let trained = params.map(|params| TrainedSize {
            params_total: sized(params, 1.0, "param"),
            tokens: sized(params, range.mid(), "token"),
        });
        let spread = !range.is_exact();
        let tokens_per_param = Metric {
            low: spread.then_some(range.low()),
            high: spread.then_some(range.high()),
            ..Metric::exact(range.mid(), "token/param")
        };
        let text = match found.outcome {
            Outcome::Bought => found.text.replacen(" at most", " parameters at most", 1),
            Outcome::BuysNothing | Outcome::Unbounded => found.text,
        };
        OptimalBudget {
            currency: found.currency,
            as_of: found.as_of,
            catalog_revision: found.catalog_revision,
            engine: found.engine,
            budget: found.budget,
            outcome: found.outcome,
            text,
            tokens_per_param,
            reference: (!is_given).then(|| format!("assumption:{ROW}")),
            trained,
            bought: found.bought,
            least: found.least,
            request: params.map(|params| self.request(params)),
            warnings: found.warnings,
        }
    }
}

impl Goods for Run<'_, '_> {
    fn price(&mut self, value: &str) -> Result<Priced, Vec<Fault>> {
        let params = value.parse().unwrap_or(SIZES.0);
        let text = self.request(params).to_string();
        let wrong = |detail: String| vec![Fault::new("/optimal", FaultKind::wrong_type(detail))];
        let mut request = EstimateRequest::parse(text.as_bytes()).map_err(|not| wrong(not.to_string()))?;
        request.detail = Detail::Total;
        let quote = estimate::estimate(&request, self.snapshot, self.now);
        let has_currency = self.asked.currency.is_some();
        quote.map(Priced::from).map_err(|faults| placed(faults, has_currency, in_optimal))
    }

    fn is_hopeless(&self, faults: &[Fault]) -> bool {
        is_hopeless(faults, &["/optimal/tokens_per_param"])
    }

    fn place(&self, warning: &mut Warning) {
        warning.pointer = place(&warning.pointer);
    }
}

fn in_optimal(mut faults: Vec<Fault>) -> Vec<Fault> {
    for fault in &mut faults {
        fault.pointer = place(&fault.pointer);
    }
    faults
}

/// Where a place of the training stands in the body.
fn place(pointer: &str) -> String {
    let pointer = pointer.strip_prefix("/items/0").unwrap_or(pointer);
    match pointer.strip_prefix("/stages/0").unwrap_or(pointer) {
        "" | "/items" | "/stages" | "/architecture" | "/architecture/params_total" => "/optimal".to_owned(),
        "/tokens" => "/optimal/tokens_per_param".to_owned(),
        other => format!("/optimal{other}"),
    }
}
