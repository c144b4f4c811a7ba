//! The speed of reinforcement learning: fitted to published steps of GRPO, each model held out in turn.

use super::{
    fit::{Observation, Regression},
    training::{FittedRow, four_decimals},
};
use crate::{
    catalog::{architecture::Shape, gpu::Gpu, published_throughput::PublishedThroughput, snapshot::View},
    estimate::training::prior::{Part, RL_FLOPS, RL_USUAL},
};

/// The slope is held back a little: there are few models.
const REGRESSION: Regression = Regression { ridge: 0.3, huber: None };

/// The kind that is fitted; others are only shown.
const FITTED: &str = "rl_grpo";

/// Whose answers a sandbox runs.
const SANDBOX: &str = "rl_swe";

/// A published speed of reinforcement learning, in tokens for each GPU and second.
#[derive(Debug)]
pub(super) struct RlSpeed<'s> {
    pub(super) row: &'s PublishedThroughput,
    pub(super) gpu: &'s Gpu,
    pub(super) measured: f64,
    /// Readings of the active weights from memory in a second.
    reads: f64,
    /// What the whole peak would do at `10·N` FLOPs a token.
    most: f64,
    /// Logarithm of all parameters by 100 billion.
    size: f64,
    /// Speeds of the same model, itself included.
    alike: f64,
}

impl<'s> RlSpeed<'s> {
    fn read(view: View<'s>, row: &'s PublishedThroughput) -> Option<Self> {
        let gpu = &view.gpu(row.gpu.as_ref()?.as_str())?.row;
        let part = Part::of(gpu)?;
        let model = &view.model(row.model.as_ref()?.as_str())?.row;
        let shape = Shape::of(model.architecture.as_ref()?).ok()?;
        let measured = row.tokens_per_second_per_gpu?;
        let reads = part.balance * part.reference_peak / (2.0 * shape.active_params);
        let most = part.reference_peak / (RL_FLOPS * shape.active_params);
        let size = (shape.total_params / RL_USUAL).ln();
        Some(Self { row, gpu, measured, reads, most, size, alike: 1.0 })
    }

    fn observation(&self) -> Observation<2> {
        Observation {
            features: [1.0, self.size],
            observed: (self.measured / self.reads).ln(),
            weight: 1.0 / self.alike,
        }
    }

    /// What coefficients say, at most the share `cap` of the peak; `factor`: of a sandbox, else 1.
    fn predicted(&self, [scale, exponent]: [f64; 2], cap: f64, factor: f64) -> f64 {
        (self.reads * (scale + exponent * self.size).exp()).min(cap * self.most) * factor
    }
}

/// The published speeds, those of one kind of each model counted.
pub(super) fn read<'s>(view: View<'s>) -> Vec<RlSpeed<'s>> {
    let rows = view.known(&view.snapshot().history().published_throughputs).map(|row| &row.row);
    let rows = rows.filter(|row| row.workload == "rl");
    let mut speeds: Vec<_> = rows.filter_map(|row| RlSpeed::read(view, row)).collect();
    let of = |speed: &RlSpeed<'s>| (speed.row.model.clone(), speed.row.kind.clone());
    let names: Vec<_> = speeds.iter().map(of).collect();
    for (speed, name) in speeds.iter_mut().zip(&names) {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let alike = names.iter().filter(|other| *other == name).count() as f64;
        speed.alike = alike;
    }
    speeds
}

fn coefficients<'d, 's: 'd>(speeds: impl Iterator<Item = &'d RlSpeed<'s>>) -> Option<[f64; 2]> {
    let observations: Vec<_> =
        speeds.filter(|speed| speed.row.kind == FITTED).map(RlSpeed::observation).collect();
    REGRESSION.coefficients(&observations)
}

/// Each speed with what a fit without its model says; `cap` and `sandbox` as the rows have them.
pub(super) fn held_out<'d, 's>(
    speeds: &'d [RlSpeed<'s>],
    cap: f64,
    sandbox: f64,
) -> Vec<(&'d RlSpeed<'s>, f64)> {
    let one = |speed: &'d RlSpeed<'s>| {
        let others = speeds.iter().filter(|other| other.row.model != speed.row.model);
        let factor = if speed.row.kind == SANDBOX { sandbox } else { 1.0 };
        Some((speed, speed.predicted(coefficients(others)?, cap, factor)))
    };
    speeds.iter().filter_map(one).collect()
}

/// Whether a speed is among those that the fit is made from.
pub(super) fn is_fitted(speed: &RlSpeed<'_>) -> bool {
    speed.row.kind == FITTED
}

/// The assumption rows of the fit.
pub(super) fn rows(speeds: &[RlSpeed<'_>]) -> Vec<FittedRow> {
    let Some([scale, exponent]) = coefficients(speeds.iter()) else { return Vec::new() };
    let exact =
        |id, description, figure: f64| FittedRow { id, description, figures: [four_decimals(figure); 3] };
    vec![
        exact(
            "training.rl.tokens.exponent",
            "Exponent of that speed by parameters in all, of 100 billion",
            exponent,
        ),
        exact(
            "training.rl.tokens.scale",
            "Tokens (prompts and answers) of GRPO, end to end, for each reading of the active weights in BF16 from memory, for a model of 100 billion parameters in all",
            scale.exp(),
        ),
    ]
}
