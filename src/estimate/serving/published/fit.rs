//! All constants of the physics and all factors, fitted on published speeds at once.
//!
//! Maximum a posteriori: each constant has a normal prior on its logarithm ([`PRIORS`]: about what textbooks and
//! measurements of single kernels say), each factor one around 1 ([`Factors`]), errors of speeds have Cauchy's
//! distribution on theirs. Minimised by Gauss and Newton's method with Levenberg and Marquardt's damping from the
//! middles of the priors: always the same way, and without regard to what the catalog has.

use super::{
    super::physics::Constants,
    factors::{ERROR, Factors},
    read::Measured,
};
use crate::estimate::cholesky::{cholesky, solve};

/// What is thought of a constant before anything is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    pub(super) id: &'static str,
    pub(super) mid: f64,
    pub(super) least: f64,
    pub(super) most: f64,
    /// Standard deviation of its logarithm.
    spread: f64,
}

const fn prior(id: &'static str, mid: f64, least: f64, most: f64, spread: f64) -> Prior {
    Prior { id, mid, least, most, spread }
}

/// How many constants are fitted; the others are set.
pub(super) const FITTED: usize = 44;

/// The constants that are fitted.
pub(super) const PRIORS: [Prior; FITTED] = [
    prior("serving.gemm.bf16", 0.65, 0.2, 0.98, 0.4),
    prior("serving.gemm.fp8", 0.60, 0.15, 0.98, 0.4),
    prior("serving.gemm.fp4", 0.50, 0.1, 0.98, 0.4),
    prior("serving.gemm.half_width", 300.0, 10.0, 4000.0, 1.0),
    prior("serving.gemm.tile", 32.0, 1.0, 128.0, 0.7),
    prior("serving.attention.flops", 0.40, 0.1, 0.9, 0.5),
    prior("serving.memory.weights", 0.78, 0.3, 0.98, 0.2),
    prior("serving.memory.kv", 0.70, 0.2, 0.98, 0.3),
    prior("serving.memory.int4", 0.8, 0.3, 1.2, 0.3),
    prior("serving.memory.fp4_dense", 1.0, 0.5, 2.0, 0.2),
    prior("serving.memory.fp4_experts", 1.0, 0.5, 2.0, 0.25),
    prior("serving.memory.fill", 0.92, 0.85, 0.97, 0.05),
    prior("serving.memory.reserve", 4.0, 1.0, 8.0, 0.4),
    prior("serving.memory.activations", 1.0, 0.1, 6.0, 0.5),
    prior("serving.memory.window_saved", 0.1, 0.02, 1.0, 1.0),
    prior("serving.batch.cap", 1024.0, 128.0, 4096.0, 0.5),
    prior("serving.experts.flops", 0.5, 0.1, 1.0, 0.4),
    prior("serving.experts.tile", 16.0, 1.0, 128.0, 0.7),
    prior("serving.experts.half_width", 400.0, 10.0, 4000.0, 1.0),
    prior("serving.experts.imbalance", 0.4, 0.05, 2.0, 0.7),
    prior("serving.experts.skew", 0.1, 0.01, 1.0, 0.7),
    prior("serving.elementwise", 8.0, 0.5, 60.0, 1.0),
    prior("serving.overlap", 3.0, 1.2, 8.0, 0.3),
    prior("serving.launch.layer", 20.0, 0.5, 100.0, 1.0),
    prior("serving.launch.experts", 20.0, 0.5, 150.0, 1.0),
    prior("serving.launch.latent", 15.0, 0.5, 150.0, 1.0),
    prior("serving.launch.linear", 15.0, 0.5, 150.0, 1.0),
    prior("serving.launch.quantised", 5.0, 0.2, 60.0, 1.0),
    prior("serving.launch.factor.sglang", 1.0, 0.3, 3.0, 0.4),
    prior("serving.launch.factor.trtllm_cpp", 1.0, 0.3, 3.0, 0.4),
    prior("serving.link.latency", 6.0, 1.0, 60.0, 0.7),
    prior("serving.link.latency_pcie", 3.0, 1.0, 20.0, 0.5),
    prior("serving.link.latency_doubling", 1.3, 0.5, 4.0, 0.5),
    prior("serving.link.share", 0.60, 0.15, 1.0, 0.4),
    prior("serving.host.iteration", 1.0, 0.05, 10.0, 1.0),
    prior("serving.host.sequence", 5.0, 0.1, 60.0, 1.0),
    prior("serving.host.python", 2.0, 0.3, 10.0, 0.7),
    prior("serving.host.request", 2.0, 0.05, 30.0, 1.0),
    prior("serving.mixing", 0.5, 0.05, 1.0, 0.5),
    prior("serving.pipeline.bubble", 0.05, 0.005, 0.3, 0.7),
    prior("serving.attention_data.wait", 0.1, 0.005, 1.0, 0.7),
    prior("serving.p99", 1.3, 1.0, 2.0, 0.2),
    prior("serving.server", 0.93, 0.6, 1.0, 0.1),
    prior("serving.drift", 1.1, 0.8, 1.6, 0.2),
];

/// Logarithms of the constants, and of the factors by place.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) constants: [f64; FITTED],
    pub(super) factors: Vec<f64>,
}

/// Speeds that constants and factors are fitted on.
pub(super) struct Problem<'p, 's> {
    rows: Vec<&'p Measured<'s>>,
    /// Places of each row's factors.
    places: Vec<[Option<usize>; 3]>,
    /// One over the square of the spread of each unknown, constants first.
    certainty: Vec<f64>,
    /// Constants that are set.
    set: &'p dyn Fn(&str) -> Option<f64>,
}

/// What is predicted for a row, logarithm, and in which layout.
type Answer = (f64, usize);

impl<'p, 's> Problem<'p, 's> {
    pub(super) fn new(
        rows: Vec<&'p Measured<'s>>,
        factors: &Factors,
        set: &'p dyn Fn(&str) -> Option<f64>,
    ) -> Self {
        let places = rows.iter().map(|row| factors.places_of(row)).collect();
        let spreads = PRIORS.iter().map(|prior| prior.spread).chain(factors.spreads());
        Self { rows, places, certainty: spreads.map(|spread| 1.0 / (spread * spread)).collect(), set }
    }

    /// Where a fit starts: the middles of the priors.
    pub(super) fn start(&self) -> Point {
        let factors = vec![0.0; self.certainty.len() - FITTED];
        Point { constants: PRIORS.map(|prior| prior.mid.ln()), factors }
    }

    /// The constants at a point; none where one that is set is missing.
    pub(super) fn constants(&self, logarithms: &[f64; FITTED]) -> Option<Constants> {
        Constants::read(|id| {
            let fitted = PRIORS.iter().position(|prior| prior.id == id);
            fitted.map_or_else(|| (self.set)(id), |at| Some(logarithms[at].exp()))
        })
    }

    fn factor(&self, row: usize, point: &Point) -> f64 {
        self.places[row].into_iter().flatten().map(|at| point.factors[at]).sum::<f64>().exp()
    }

    /// What is predicted at a point, each row in its best layout.
    pub(super) fn answers(&self, point: &Point) -> Option<Vec<Answer>> {
        let constants = self.constants(&point.constants)?;
        let one = |(at, row): (usize, &&Measured<'s>)| {
            let best = row.best(&constants, self.factor(at, point));
            best.map_or((NOTHING, 0), |(layout, figure)| (figure.ln(), layout))
        };
        Some(self.rows.iter().enumerate().map(one).collect())
    }

    /// Predicted less measured, logarithms.
    fn residual(&self, at: usize, answer: Answer) -> f64 {
        answer.0 - self.rows[at].figure.ln()
    }

    /// `Σ ln(1 + (residual/0.15)²) + Σ ((unknown - middle)/spread)²`.
    pub(super) fn loss(&self, point: &Point, answers: &[Answer]) -> f64 {
        let rows = answers.iter().enumerate().map(|(at, answer)| {
            let off = self.residual(at, *answer) / ERROR;
            (off * off).ln_1p()
        });
        let priors =
            Self::off_prior(point).zip(&self.certainty).map(|(off, certainty)| off * off * certainty);
        rows.sum::<f64>() + priors.sum::<f64>()
    }

    fn off_prior(point: &Point) -> impl Iterator<Item = f64> + use<> {
        let constants = point.constants.iter().zip(&PRIORS).map(|(x, prior)| x - prior.mid.ln());
        constants.chain(point.factors.iter().copied()).collect::<Vec<_>>().into_iter()
    }

    /// How the predictions move with each constant, by row: in the layout that is best, which is as well as with the
    /// best of all (the envelope of the layouts has the slope of the one that touches it).
    fn slopes(&self, point: &Point, answers: &[Answer]) -> Option<Vec<[f64; FITTED]>> {
        const STEP: f64 = 0.02;
        let mut slopes = vec![[0.0; FITTED]; self.rows.len()];
        for (at, prior) in PRIORS.iter().enumerate() {
            let mut moved = point.constants;
            let step = if moved[at] + STEP <= prior.most.ln() { STEP } else { -STEP };
            moved[at] += step;
            let constants = self.constants(&moved)?;
            for (row, slopes) in slopes.iter_mut().enumerate() {
                let figure = self.rows[row].figure_in(&constants, answers[row].1, self.factor(row, point));
                let slope = (figure.ln() - answers[row].0) / step;
                slopes[at] = if slope.is_finite() { slope } else { 0.0 };
            }
        }
        Some(slopes)
    }

    /// The normal equations of a step: the lower triangle, and the gradient.
    fn equations(
        &self,
        point: &Point,
        answers: &[Answer],
        slopes: &[[f64; FITTED]],
    ) -> (Vec<Vec<f64>>, Vec<f64>) {
        let size = self.certainty.len();
        let mut normal = vec![vec![0.0; size]; size];
        let mut gradient: Vec<f64> =
            Self::off_prior(point).zip(&self.certainty).map(|(off, certainty)| off * certainty).collect();
        for (at, slopes) in slopes.iter().enumerate() {
            let residual = self.residual(at, answers[at]);
            let off = residual / ERROR;
            let weight = 1.0 / (1.0 + off * off) / (ERROR * ERROR);
            let factors = self.places[at].into_iter().flatten().map(|place| (FITTED + place, 1.0));
            let features: Vec<(usize, f64)> = slopes.iter().copied().enumerate().chain(factors).collect();
            for (row, x) in &features {
                let weighted = weight * x;
                gradient[*row] += weighted * residual;
                for (column, y) in features.iter().filter(|(column, _)| column <= row) {
                    normal[*row][*column] += weighted * y;
                }
            }
        }
        for (at, certainty) in self.certainty.iter().enumerate() {
            normal[at][at] += certainty;
        }
        (normal, gradient)
    }

    /// A point after a damped step, constants within their bounds.
    fn stepped(point: &Point, normal: &[Vec<f64>], gradient: &[f64], damping: f64) -> Option<Point> {
        let mut damped = normal.to_vec();
        for (at, row) in damped.iter_mut().enumerate() {
            row[at] += damping * (row[at] + 1.0);
        }
        let mut step: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
        solve(&cholesky(&damped)?, &mut step);
        let mut next = point.clone();
        for ((x, prior), step) in next.constants.iter_mut().zip(&PRIORS).zip(&step) {
            *x = (*x + step.clamp(-0.5, 0.5)).clamp(prior.least.ln(), prior.most.ln());
        }
        next.factors.iter_mut().zip(&step[FITTED..]).for_each(|(x, step)| *x += step);
        Some(next)
    }

    /// The best point that so many steps from another lead to; none where a constant that is set is missing.
    pub(super) fn descend(&self, from: Point, steps: usize) -> Option<Point> {
        const TRIES: usize = 6;
        const ENOUGH: f64 = 0.05; // of a loss of some hundreds
        let mut point = from;
        let mut answers = self.answers(&point)?;
        let mut loss = self.loss(&point, &answers);
        let mut damping = 1e-2;
        for _ in 0..steps {
            let slopes = self.slopes(&point, &answers)?;
            let (normal, gradient) = self.equations(&point, &answers, &slopes);
            let before = loss;
            for _ in 0..TRIES {
                let Some(next) = Self::stepped(&point, &normal, &gradient, damping) else { break };
                let told = self.answers(&next)?;
                let remaining = self.loss(&next, &told);
                if remaining < loss {
                    (point, answers, loss) = (next, told, remaining);
                    damping = (damping / 5.0).max(1e-4);
                    break;
                }
                damping *= 4.0;
            }
            if before - loss < ENOUGH {
                break;
            }
        }
        Some(point)
    }
}

/// The logarithm of no figure.
const NOTHING: f64 = -20.0;
