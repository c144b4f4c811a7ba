//! The prior of utilisation, fitted; and each published run held against a fit that has not seen it.

use super::{
    fit::{Observation, Regression},
    rows::{Data, Run, Speed},
};
use jiff::civil::Date;

use crate::catalog::assumption::Assumption;
use crate::estimate::training::prior::{
    FITTED, Features, Form, RUN, TERMS, Term, UNSEEN_PART, ln_utilization,
};

/// How the prior is fitted. Neither figure is fine-tuned: over half and twice of them the errors stay alike.
const REGRESSION: Regression = Regression { ridge: 0.5, huber: Some(0.3) };

/// The share of runs that a range is to hold: from P10 to P90.
const HELD: f64 = 0.8;

/// Variance of a generation without published runs, by that of one run.
const UNSEEN: f64 = 0.5;

/// A fit: coefficients of the terms, and their variances by that of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    coefficients: [f64; TERMS],
    variances: [f64; TERMS],
}

impl Model {
    fn of(observations: &[Observation<TERMS>]) -> Option<Self> {
        let coefficients = REGRESSION.coefficients(observations)?;
        Some(Self { coefficients, variances: REGRESSION.variances(observations)? })
    }

    pub(super) fn ln_utilization(&self, features: &Features) -> f64 {
        ln_utilization(features, &self.coefficients)
    }

    /// Width of the range of `ln U` by that of one run whose prior is known exactly.
    fn width(&self, features: &Features, seen: bool) -> f64 {
        let of_terms: f64 =
            features.values.iter().zip(self.variances).map(|(x, variance)| x * x * variance).sum();
        let of_part = if seen { 0.0 } else { UNSEEN };
        (1.0 + of_terms + of_part).sqrt()
    }
}

/// A run as an engine that has not seen it would quote it.
#[derive(Debug)]
pub(super) struct HeldOut<'d, 's> {
    pub(super) run: &'d Run<'s>,
    pub(super) ln_utilization: f64,
    /// Width of the range of `ln U`, by that of one run.
    width: f64,
    /// By how much the observed `ln U` is off.
    residual: f64,
}

impl HeldOut<'_, '_> {
    /// GPU-hours at P50, P10 and P90. `spread`: what one run differs from the next, [`spread`].
    pub(super) fn hours(&self, spread: f64) -> (f64, f64, f64) {
        let at = |score: f64| self.run.hours_at(self.ln_utilization - score * spread * self.width);
        (at(0.0), at(-1.0), at(1.0))
    }

    /// Whether the published hours lie in that range.
    pub(super) fn is_inside(&self, spread: f64) -> bool {
        self.residual.abs() <= spread * self.width * (1.0 + 1e-9) // the run that sets the spread is inside
    }
}

/// Each run against a fit without it, and without the others that `along` says go with it.
pub(super) fn held_out<'d, 's>(
    data: &'d Data<'s>,
    along: impl Fn(&Run<'s>, &Run<'s>) -> bool,
) -> Vec<HeldOut<'d, 's>> {
    let speeds: Vec<_> = data.speeds.iter().map(Speed::observation).collect();
    let one = |run: &'d Run<'s>| {
        let kept = || data.runs.iter().filter(|other| !std::ptr::eq(*other, run) && !along(other, run));
        let observations: Vec<_> = kept().map(Run::observation).chain(speeds.iter().copied()).collect();
        let model = Model::of(&observations)?;
        let seen = run.generation().is_some() && kept().any(|other| other.generation() == run.generation());
        let ln_utilization = model.ln_utilization(&run.features);
        let residual = run.observation().residual(&model.coefficients);
        Some(HeldOut { run, ln_utilization, width: model.width(&run.features, seen), residual })
    };
    data.runs.iter().filter_map(one).collect()
}

/// What one run differs from the next, from P50 to P90 of `ln U`: so much that four in five are inside their ranges.
///
/// The `⌈0.8·(n + 1)⌉`-th smallest residual by width (split conformal prediction, Vovk et al. 2005).
pub(super) fn spread(held_out: &[HeldOut<'_, '_>]) -> f64 {
    let mut scores: Vec<f64> = held_out.iter().map(|one| one.residual.abs() / one.width).collect();
    scores.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few runs"
    )]
    let at = (HELD * (scores.len() + 1) as f64).ceil() as usize;
    scores.get(at.min(scores.len()).wrapping_sub(1)).copied().unwrap_or(0.0)
}

/// The fit to all that is published.
pub(super) fn fit(data: &Data<'_>) -> Option<Model> {
    fit_without(data, |_| false)
}

/// The fit without some of the speeds.
pub(super) fn fit_without<'s>(data: &Data<'s>, left_out: impl Fn(&Speed<'s>) -> bool) -> Option<Model> {
    let speeds = data.speeds.iter().filter(|speed| !left_out(speed)).map(Speed::observation);
    let observations: Vec<_> = data.runs.iter().map(Run::observation).chain(speeds).collect();
    Model::of(&observations)
}

/// What an assumption row says: P10, P50 and P90.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FittedRow {
    /// The assumption's id.
    pub id: &'static str,
    /// What it is.
    pub description: &'static str,
    /// P10, P50 and P90, to the four decimals that are written.
    pub figures: [f64; 3],
}

impl FittedRow {
    /// The row for a catalog: what it says besides is as before, if there was one.
    #[must_use]
    pub fn assumption(&self, before: Option<&Assumption>, day: Date) -> Assumption {
        let source = "published training runs and speeds: farthing catalog fit";
        fitted_assumption(self.id, self.description, source, self.figures, before, day)
    }
}

/// A row for a catalog with figures of a fit: what it says besides is as before, if there was one; with the same figures
/// all of it is.
pub(super) fn fitted_assumption(
    id: &str,
    description: &str,
    source: &str,
    figures: [f64; 3],
    before: Option<&Assumption>,
    day: Date,
) -> Assumption {
    let [low, mid, high] = figures;
    let same = |before: &&Assumption| {
        [before.low, before.mid, before.high].map(f64::to_bits) == figures.map(f64::to_bits)
    };
    if let Some(same) = before.filter(same) {
        return same.clone();
    }
    let told = before.cloned().unwrap_or_else(|| Assumption {
        id: id.to_owned(),
        description: description.to_owned(),
        unit: "ratio".to_owned(),
        low,
        mid,
        high,
        effective_from: None,
        effective_to: None,
        note: None,
        source: Some(source.to_owned()),
        observed_at: day,
    });
    Assumption { low, mid, high, observed_at: day, ..told }
}

/// The assumption rows of a fit.
pub(super) fn rows(model: &Model, spread: f64) -> Vec<FittedRow> {
    let fitted = FITTED.iter().zip(model.coefficients.iter().zip(model.variances));
    let fitted = fitted.map(|(term, (mid, variance))| row(term, *mid, spread * variance.sqrt()));
    let others = [(&RUN, 1.0), (&UNSEEN_PART, UNSEEN.sqrt())];
    fitted.chain(others.map(|(term, share)| row(term, 0.0, spread * share))).collect()
}

fn row(term: &Term, mid: f64, width: f64) -> FittedRow {
    let figures = [mid - width, mid, mid + width].map(|figure| match term.form {
        Form::Factor => figure.exp(),
        Form::Exponent => figure,
    });
    FittedRow { id: term.id, description: term.description, figures: figures.map(four_decimals) }
}

pub(super) fn four_decimals(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}
