//! Goodput: the share of a run's hours that ends in the model, and what interruptions cost.

use super::work::Counted;
use crate::estimate::{
    desk::{Desk, Sourced},
    uncertain::Uncertain,
};

const SECONDS_PER_HOUR: f64 = 3600.0;

/// The interval of checkpoints that loses least: `τ = sqrt(2·c·M)`, in seconds.
///
/// - `c`: seconds for which a checkpoint holds up the run
/// - `M`: seconds between two interruptions
///
/// Valid where `c` is far below `M`. Source: Young 1974, Communications of the ACM 17(9), page 530.
#[must_use]
pub(crate) fn best_interval(checkpoint: f64, between: f64) -> f64 {
    (2.0 * checkpoint * between).sqrt()
}

/// What checkpoints and interruptions add to a second of progress, at an interval `τ`: `c/τ + τ/(2·M) + R/M`.
///
/// - `c`: seconds for which a checkpoint holds up the run
/// - `R`: seconds from an interruption to the next step, without the work done again
/// - `M`: seconds between two interruptions
///
/// Half an interval is done again in the mean. Valid where `c` and `τ` are far below `M`.
#[must_use]
pub(crate) fn overhead(checkpoint: f64, restart: f64, between: f64, interval: f64) -> f64 {
    checkpoint / interval + interval / (2.0 * between) + restart / between
}

const PRIOR: &str = "goodput";
const BY_COUNT: &str = "undisturbed_goodput / (1 + sqrt(2 * checkpoint_seconds * gpus / (3600 * gpu_hours_between_failures)) + restart_seconds * gpus / (3600 * gpu_hours_between_failures))";

/// The goodput of a run.
///
/// Without a count: what whole runs got (`training.goodput`). With a count `n`: `g / (1 + o)`, where
///
/// - `g`: what the same runs got besides interruptions (`training.goodput.undisturbed`: evaluation, slow nodes, data)
/// - `o`: [`overhead`] at the best interval, `sqrt(2·c/M) + R/M`, `M = m/n` from the accelerator-hours `m` between
///   failures
///
/// At 16,384 H100 `1/(1 + o)` is 0.87: what Llama 3.1 405B got.
pub(crate) fn of<'a>(desk: &mut Desk<'a, '_>, count: Option<u64>) -> Option<Counted<'a>> {
    let Some(count) = count else {
        let prior = desk.assumption("training.goodput")?;
        let value = prior.value.map(|goodput| goodput.clamp(0.01, 1.0));
        return Some(Counted { value, formula: PRIOR, inputs: vec![("goodput", prior)] });
    };
    let undisturbed = desk.assumption("training.goodput.undisturbed");
    let checkpoint = desk.assumption("training.checkpoint_seconds");
    let restart = desk.assumption("training.restart_seconds");
    let apart = desk.assumption("training.gpu_hours_between_failures");
    let (undisturbed, checkpoint, restart, apart) = (undisturbed?, checkpoint?, restart?, apart?);
    #[expect(clippy::cast_precision_loss, reason = "no cluster has so many")]
    let gpus = count as f64;
    let between = apart.value.map(|hours| hours.max(1.0) * SECONDS_PER_HOUR / gpus);
    let saved =
        checkpoint.value.with(&between, |checkpoint, between| (2.0 * checkpoint.max(0.0) / between).sqrt());
    let restarted = restart.value.with(&between, |restart, between| restart.max(0.0) / between);
    let value = (&saved + &restarted)
        .with(&undisturbed.value, |overhead, undisturbed| (undisturbed / (1.0 + overhead)).clamp(1e-6, 1.0));
    let inputs = vec![
        ("undisturbed_goodput", undisturbed),
        ("checkpoint_seconds", checkpoint),
        ("gpus", Sourced::derived(Uncertain::exact(gpus), "gpu")),
        ("gpu_hours_between_failures", apart),
        ("restart_seconds", restart),
    ];
    Some(Counted { value, formula: BY_COUNT, inputs })
}

/// How a run on spot machines is saved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Checkpoints {
    /// Hours of progress between two of them.
    pub(crate) interval_hours: f64,
    /// Hours that one takes.
    pub(crate) hours: f64,
}

/// Expected hours of a run that is interrupted `λ` times an hour: `(T/τ)·(e^(λ·(τ+c)) - 1)·(1/λ + R)`.
///
/// - `T`: hours of progress
/// - `τ`, `c`: hours between two checkpoints, and hours of one; without checkpoints one stretch of `T`
/// - `R`: hours from an interruption to the next step
///
/// Each stretch is begun again until it goes through without an interruption; interruptions come at random (Poisson).
/// None where it would not end: the figure overflows, or an argument is negative or not finite.
#[must_use]
pub(crate) fn interrupted_hours(
    hours: f64,
    per_hour: f64,
    restart_hours: f64,
    checkpoints: Option<Checkpoints>,
) -> Option<f64> {
    let Checkpoints { interval_hours, hours: saving } =
        checkpoints.unwrap_or(Checkpoints { interval_hours: hours, hours: 0.0 });
    let figures = [hours, per_hour, restart_hours, saving];
    if figures.iter().any(|figure| !figure.is_finite() || *figure < 0.0)
        || hours <= 0.0
        || interval_hours <= 0.0
    {
        return (hours == 0.0).then_some(0.0);
    }
    let interval = interval_hours.min(hours);
    let stretches = hours / interval;
    let stretch = interval + saving;
    let each = if per_hour == 0.0 {
        stretch
    } else {
        (per_hour * stretch).exp_m1() * (1.0 / per_hour + restart_hours)
    };
    Some(stretches * each).filter(|expected| expected.is_finite())
}
