//! Counting parameters from sizes.

use super::{attention::Attention, attention::LayerMix, experts::Experts, params::Parts};

/// All sizes, none missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) layers: f64,
    pub(super) hidden: f64,
    pub(super) heads: f64,
    pub(super) attention: Attention,
    pub(super) mix: LayerMix,
    /// Width of the dense feed-forward layers.
    pub(super) ffn: f64,
    /// Matrices of a feed-forward layer: 3 when gated, else 2.
    pub(super) matrices: f64,
    pub(super) vocab: f64,
    pub(super) tied: bool,
    pub(super) experts: Option<Experts>,
}

impl Sizes {
    /// Parameters of the matrices at both ends.
    pub(super) fn ends(&self) -> f64 {
        self.vocab * self.hidden * if self.tied { 1.0 } else { 2.0 }
    }

    /// Parameters of all attention layers.
    ///
    /// A linear layer is counted as `6·h²`: Mamba-2 with its usual expansion of 2 has a projection `h × 4h` in
    /// and `2h × h` out (arXiv:2405.21060). Hybrids are then brought to their vendors' count.
    pub(super) fn attention(&self) -> f64 {
        let quadratic = self.mix.full + self.mix.windowed;
        quadratic * self.attention.params(self.hidden, self.heads)
            + self.mix.linear * 6.0 * self.hidden * self.hidden
    }

    /// Parameters of a feed-forward layer of a width.
    pub(super) fn ffn_of(&self, width: f64) -> f64 {
        self.matrices * self.hidden * width
    }

    /// Layers with a feed-forward part that all tokens share.
    pub(super) fn dense_layers(&self) -> f64 {
        (self.layers - self.experts.map_or(0.0, |experts| experts.layers)).max(0.0)
    }

    /// All parameters, and those that one token uses.
    pub(super) fn count(&self) -> (Parts, Parts) {
        let end = self.vocab * self.hidden;
        let dense = Parts {
            embeddings: end,
            output_head: if self.tied { 0.0 } else { end },
            attention: self.attention(),
            dense_ffn: self.dense_layers() * self.ffn_of(self.ffn),
            ..Parts::default()
        };
        let Some(experts) = self.experts else { return (dense, dense) };
        let visited = |count: f64| experts.layers * count * self.ffn_of(experts.ffn);
        let shared_experts = experts.layers * experts.shared * self.ffn_of(experts.shared_ffn);
        let router = experts.layers * self.hidden * experts.routed;
        let of = |count| Parts { routed_experts: visited(count), shared_experts, router, ..dense };
        (of(experts.routed), of(experts.active))
    }
}
