//! Weighted ridge regression that outliers cannot bend, small and the same every time.

use crate::estimate::cholesky::{cholesky, solve};

/// One observation: features, what was observed, and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation<const K: usize> {
    pub(super) features: [f64; K],
    pub(super) observed: f64,
    pub(super) weight: f64,
}

impl<const K: usize> Observation<K> {
    /// What is observed beyond what coefficients say.
    pub(super) fn residual(&self, coefficients: &[f64; K]) -> f64 {
        self.observed - self.features.iter().zip(coefficients).map(|(x, b)| x * b).sum::<f64>()
    }
}

/// How a regression is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Regression {
    /// Times the squares of all coefficients but the first, which is the level.
    pub(super) ridge: f64,
    /// Residuals beyond this count by their size and not by its square (Huber 1964); none: all by their square.
    pub(super) huber: Option<f64>,
}

/// How often weights are worked out anew; more changes no printed digit.
const ROUNDS: usize = 8;

type Matrix<const K: usize> = [[f64; K]; K];

impl Regression {
    /// The coefficients that minimise `Σ w · Huber(residual) + ridge · Σ b²`; none where the observations do not
    /// tell them.
    ///
    /// By iteratively reweighted least squares, each by Cholesky's decomposition.
    pub(super) fn coefficients<const K: usize>(self, observations: &[Observation<K>]) -> Option<[f64; K]> {
        let mut coefficients = [0.0; K];
        for round in 0..ROUNDS {
            let counts = |it: &Observation<K>| match self.huber {
                Some(bend) if round > 0 => {
                    it.weight * (bend / it.residual(&coefficients).abs().max(1e-12)).min(1.0)
                }
                _ => it.weight,
            };
            let mut right = [0.0; K];
            for it in observations {
                let weighted = counts(it) * it.observed;
                right.iter_mut().zip(it.features).for_each(|(right, x)| *right += x * weighted);
            }
            let lower = cholesky(&self.normal(observations, counts))?;
            solve(&lower, &mut right);
            coefficients = right;
            if self.huber.is_none() {
                break;
            }
        }
        Some(coefficients)
    }

    /// Of each coefficient, its variance by that of one observation: the diagonal of `(XᵀWX + ridge)⁻¹`.
    pub(super) fn variances<const K: usize>(self, observations: &[Observation<K>]) -> Option<[f64; K]> {
        let lower = cholesky(&self.normal(observations, |it| it.weight))?;
        Some(std::array::from_fn(|at| {
            let mut unit = [0.0; K];
            unit[at] = 1.0;
            solve(&lower, &mut unit);
            unit[at]
        }))
    }

    /// The lower triangle of `XᵀWX + ridge`.
    fn normal<const K: usize>(
        self,
        observations: &[Observation<K>],
        counts: impl Fn(&Observation<K>) -> f64,
    ) -> Matrix<K> {
        let mut normal = [[0.0; K]; K];
        for it in observations {
            let weight = counts(it);
            for (at, (row, x)) in normal.iter_mut().zip(it.features).enumerate() {
                let weighted = weight * x;
                row[..=at].iter_mut().zip(it.features).for_each(|(cell, y)| *cell += weighted * y);
            }
        }
        for (at, row) in normal.iter_mut().enumerate().skip(1) {
            row[at] += self.ridge;
        }
        normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Vec<Observation<2>> {
        let of = |(x, observed): &(f64, f64)| Observation {
            features: [1.0, *x],
            observed: *observed,
            weight: 1.0,
        };
        points.iter().map(of).collect()
    }

    #[test]
    fn a_line_without_noise_is_found() {
        let plain = Regression { ridge: 0.0, huber: None };
        let found = plain.coefficients(&line(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)])).unwrap();
        assert!((found[0] - 1.0).abs() < 1e-12 && (found[1] - 2.0).abs() < 1e-12, "{found:?}");
    }

    /// By hand: `Σx² + 1 = 3` with centred x in -1, 0, 1, so a slope of 2 shrinks to 4/3.
    #[test]
    fn the_ridge_shrinks_slopes_and_not_the_level() {
        let ridge = Regression { ridge: 1.0, huber: None };
        let found = ridge.coefficients(&line(&[(-1.0, 1.0), (0.0, 3.0), (1.0, 5.0)])).unwrap();
        assert!((found[0] - 3.0).abs() < 1e-12 && (found[1] - 4.0 / 3.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn an_outlier_bends_a_robust_fit_less() {
        let points: Vec<_> =
            (0..10).map(|x| (f64::from(x), f64::from(if x == 7 { 27 } else { x }))).collect();
        let slope = |huber| Regression { ridge: 0.0, huber }.coefficients(&line(&points)).unwrap()[1];
        let (squares, robust) = (slope(None), slope(Some(0.3)));
        assert!((squares - 1.0 - 20.0 * 2.5 / 82.5).abs() < 1e-9, "least squares: {squares}");
        assert!((robust - 1.0).abs() < 0.05, "robust: {robust}");
    }

    #[test]
    fn the_variance_of_a_mean_is_one_over_its_observations() {
        let plain = Regression { ridge: 0.0, huber: None };
        let found = plain.variances(&line(&[(-1.0, 0.0), (1.0, 0.0), (-1.0, 1.0), (1.0, 1.0)])).unwrap();
        assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] - 0.25).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn too_little_tells_nothing() {
        let plain = Regression { ridge: 0.0, huber: Some(0.3) };
        assert!(plain.coefficients(&line(&[(1.0, 1.0)])).is_none());
        assert!(plain.coefficients::<2>(&[]).is_none());
        assert!(plain.coefficients(&line(&[(0.0, f64::NAN), (f64::NAN, 1.0)])).is_none());
    }
}
