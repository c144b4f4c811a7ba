//! How much faster than predicted engines, accelerators and families of models are: a fit that is linear in logarithms.
//!
//! `ln(measured/predicted) = s·(e + g + f) + noise`: `e`, `g`, `f` logarithms of the factors of engine, accelerator
//! and family, drawn towards 0; `s` how much a speed follows a factor, 1 where nothing limits time. Minimised is
//! `Σ ln(1 + (residual/0.15)²) + Σ (factor/spread)²`: errors with long tails (Cauchy's), factors with normal ones.

use std::collections::BTreeMap;

use super::read::{ENGINE, Measured};
use crate::estimate::cholesky::{cholesky, solve};

/// Half of the errors are smaller, in logarithms.
pub(super) const ERROR: f64 = 0.15;

/// How far the logarithms of engines' factors, and of the others', are from 0.
const SPREADS: [f64; 3] = [0.10, 0.08, 0.08];

/// Rounds after which a fit ends; a dozen do.
const ROUNDS: usize = 60;

/// A speed beyond what is predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// `ln(measured/predicted)` without factors.
    pub(super) beyond: f64,
    /// How much the prediction follows a factor.
    pub(super) slope: f64,
    /// Its factors, by their place; none: it has no such factor.
    pub(super) factors: [Option<usize>; 3],
}

impl Observation {
    fn places(&self) -> impl Iterator<Item = usize> {
        self.factors.into_iter().flatten()
    }

    fn residual(&self, values: &[f64]) -> f64 {
        self.beyond - self.slope * self.places().map(|at| values[at]).sum::<f64>()
    }
}

/// The factors that some speeds have.
#[derive(Debug, Default)]
pub(in crate::estimate) struct Factors {
    /// By id: the place, and the spread of the prior.
    places: BTreeMap<String, (usize, f64)>,
}

impl Factors {
    /// Those of measured speeds. Engines that have but a few rows of their own count, too.
    pub(super) fn of<'m, 's: 'm>(rows: impl Iterator<Item = &'m Measured<'s>>) -> Self {
        let mut places = BTreeMap::new();
        for row in rows {
            for (spread, id) in SPREADS.into_iter().zip(&row.factors) {
                if let Some(id) = id.as_ref().filter(|id| !places.contains_key(*id)) {
                    places.insert(id.clone(), (places.len(), spread));
                }
            }
        }
        Self { places }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The places of a speed's factors.
    pub(super) fn places_of(&self, row: &Measured<'_>) -> [Option<usize>; 3] {
        let place = |id: &Option<String>| id.as_ref().and_then(|id| self.places.get(id)).map(|(at, _)| *at);
        std::array::from_fn(|kind| place(&row.factors[kind]))
    }

    /// Ids with their places, in the order of the ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&str, usize)> {
        self.places.iter().map(|(id, (at, _))| (id.as_str(), *at))
    }

    /// By place, how far its logarithm is from 0.
    pub(super) fn spreads(&self) -> Vec<f64> {
        let mut spreads = vec![SPREADS[ENGINE]; self.len()];
        for (at, spread) in self.places.values() {
            spreads[*at] = *spread;
        }
        spreads
    }

    /// The logarithms of the factors that fit some speeds best, by place; of a factor that none of them has, 0.
    ///
    /// By iteratively reweighted least squares: each round lowers the loss.
    pub(super) fn fit<'o>(
        &self,
        rows: &(impl Iterator<Item = &'o Observation> + Clone),
        start: &[f64],
    ) -> Vec<f64> {
        let spreads = self.spreads();
        let mut values = start.to_vec();
        for _ in 0..ROUNDS {
            let mut normal: Vec<Vec<f64>> = vec![vec![0.0; self.len()]; self.len()];
            let mut right = vec![0.0; self.len()];
            for row in rows.clone() {
                let off = row.residual(&values) / ERROR;
                let weight = 1.0 / (1.0 + off * off) / (ERROR * ERROR);
                for at in row.places() {
                    right[at] += weight * row.slope * row.beyond;
                    for other in row.places().filter(|other| *other <= at) {
                        normal[at][other] += weight * row.slope * row.slope;
                    }
                }
            }
            for (at, spread) in spreads.iter().enumerate() {
                normal[at][at] += 1.0 / (spread * spread);
            }
            let Some(lower) = cholesky(&normal) else { break };
            solve(&lower, &mut right);
            let moved = right.iter().zip(&values).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
            values = right;
            if moved < 1e-9 {
                break;
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(beyond: f64, gpu: usize) -> Observation {
        Observation { beyond, slope: 1.0, factors: [None, Some(gpu), None] }
    }

    fn two() -> Factors {
        let places = [("a", (0, 0.08)), ("b", (1, 0.08))];
        Factors { places: places.map(|(id, place)| (id.to_owned(), place)).into() }
    }

    /// By hand, with errors small beside 0.15: `n·x/0.15² = f·(n/0.15² + 1/0.08²)`.
    #[test]
    fn a_factor_is_the_mean_drawn_towards_one() {
        let rows = vec![observed(0.01, 0); 10];
        let found = two().fit(&rows.iter(), &[0.0, 0.0]);
        let (of_rows, of_prior) = (10.0 / (0.15_f64 * 0.15), 1.0 / (0.08_f64 * 0.08));
        assert!((found[0] - 0.01 * of_rows / (of_rows + of_prior)).abs() < 1e-5, "{found:?}");
        assert!(found[1].abs() < 1e-12, "nobody has seen it: {found:?}");
    }

    #[test]
    fn a_speed_that_is_far_off_counts_little() {
        let mut rows = vec![observed(0.05, 0); 9];
        let clean = two().fit(&rows.iter(), &[0.0, 0.0])[0];
        rows.push(observed(3.0, 0));
        let bent = two().fit(&rows.iter(), &[0.0, 0.0])[0];
        assert!(bent > clean && bent < clean + 0.01, "{clean} {bent}");
    }
}
