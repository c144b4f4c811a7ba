//! How published models of a size are shaped: what is assumed of one of which only the size is known.
//!
//! Least squares on logarithms over the distinct models of `catalog/models.jsonl` that say their parameters
//! and sizes; a test fits them anew. `N`: parameters active per token.
//!
//! | | hidden size | layers | typically off by |
//! | --- | --- | --- | --- |
//! | dense, 68 models, 0.1 to 406 billion | `0.384·N^0.403` | `0.132·N^0.249` | 14 %, 19 % |
//! | mixture of experts, 35 models, 1.3 to 84 billion active | `0.708·N^0.371` | `0.063·N^0.286` | 13 %, 27 % |

/// `factor · N^exponent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Power {
    pub(super) factor: f64,
    pub(super) exponent: f64,
}

impl Power {
    pub(super) fn of(self, params: f64) -> f64 {
        self.factor * params.powf(self.exponent)
    }
}

/// Hidden size and layers of a size of model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Regularity {
    pub(super) hidden: Power,
    pub(super) layers: Power,
    pub(super) said: &'static str,
}

/// Models whose tokens use all parameters.
pub(super) const DENSE: Regularity = Regularity {
    hidden: Power { factor: 0.384_275, exponent: 0.403_010 },
    layers: Power { factor: 0.132_426, exponent: 0.249_127 },
    said: "as published dense models of this size are shaped",
};

/// Mixtures of experts, by their active parameters.
pub(super) const EXPERTS: Regularity = Regularity {
    hidden: Power { factor: 0.707_631, exponent: 0.371_446 },
    layers: Power { factor: 0.063_380, exponent: 0.285_913 },
    said: "as published mixtures of experts of these active parameters are shaped",
};

/// The usual vocabulary since 2024 (Llama 3's).
pub(super) const VOCABULARY: f64 = 128_256.0;

/// At most this share of a small model is its vocabulary's.
pub(super) const VOCABULARY_SHARE: f64 = 0.25;

/// Models below this size tend to tie their embeddings (parameters).
pub(super) const TIED_BELOW: f64 = 5e9;

/// The width of a head: 128, in small models 64.
pub(super) fn head_dim(hidden: f64) -> f64 {
    if hidden < 2048.0 { 64.0 } else { 128.0 }
}

/// The nearest width that whole heads fill.
pub(super) fn whole_heads(hidden: f64) -> f64 {
    let step = head_dim(hidden);
    (hidden / step).round().max(1.0) * step
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::model::{Architecture, Model};

    /// The distinct models of the built-in catalog: active parameters, hidden size, layers; whether a mixture.
    fn models() -> Vec<(f64, f64, f64, bool)> {
        let lines = include_str!("../../../catalog/models.jsonl").lines();
        let models = lines.map(|line| serde_json::from_str::<Model>(line).unwrap());
        let mut seen = BTreeSet::new();
        let mut distinct = |given: &Architecture| {
            let sizes = (given.num_layers, given.hidden_size, given.vocab_size);
            seen.insert((sizes, given.params_total.map(f64::to_bits)))
        };
        let said = |given: &Architecture| {
            let (hidden, layers) = (f64::from(given.hidden_size?), f64::from(given.num_layers?));
            given.params_total?;
            Some((given.params_active?, hidden, layers, given.num_experts.is_some()))
        };
        models
            .filter_map(|model| model.architecture)
            .filter(|given| distinct(given))
            .filter_map(|given| said(&given))
            .collect()
    }

    /// Least squares of `ln y` on `ln x`.
    fn fit(points: &[(f64, f64)]) -> Power {
        let count = f64::from(u32::try_from(points.len()).unwrap());
        let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let slope = logs.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>()
            / logs.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>();
        Power { factor: (y - slope * x).exp(), exponent: slope }
    }

    #[test]
    fn the_regularities_are_what_the_catalogs_models_fit() {
        for (regularity, mixture, count) in [(DENSE, false, 68), (EXPERTS, true, 35)] {
            let models: Vec<_> = models().into_iter().filter(|model| model.3 == mixture).collect();
            assert_eq!(models.len(), count);
            let hidden: Vec<(f64, f64)> = models.iter().map(|model| (model.0, model.1)).collect();
            let layers: Vec<(f64, f64)> = models.iter().map(|model| (model.0, model.2)).collect();
            for (stated, points) in [(regularity.hidden, hidden), (regularity.layers, layers)] {
                let fitted = fit(&points);
                assert!((stated.factor / fitted.factor - 1.0).abs() < 1e-3, "{stated:?} {fitted:?}");
                assert!((stated.exponent / fitted.exponent - 1.0).abs() < 1e-3, "{stated:?} {fitted:?}");
            }
        }
    }

    #[test]
    fn widths_are_filled_by_whole_heads() {
        assert!((whole_heads(4000.0) - 3968.0).abs() < 1e-9 && (whole_heads(1000.0) - 1024.0).abs() < 1e-9);
        assert!((whole_heads(1.0) - 64.0).abs() < 1e-9);
    }
}
