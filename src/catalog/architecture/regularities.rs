//! How published models of a size are shaped: what is assumed of one of which only the size is known.
//!
//! Least squares on logarithms over the distinct models of `catalog/models.jsonl` that say their parameters
//! and sizes; a test fits them anew. `N`: parameters active per token.
//!
//! | | hidden size | layers | typically off by |
//! | --- | --- | --- | --- |
//! | dense, 61 models, 0.1 to 406 billion | `0.339·N^0.408` | `0.125·N^0.251` | 15 %, 19 % |
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
    hidden: Power { factor: 0.339_444, exponent: 0.408_161 },
    layers: Power { factor: 0.124_657, exponent: 0.251_444 },
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
