//! What is served: the sizes of a model that its speed depends on.

use crate::catalog::architecture::{Attention, Shape};

/// A model's sizes; parameters and numbers, not bytes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::estimate::serving) struct Model {
    pub(super) layers: f64,
    /// Width of the residual stream, `d`.
    pub(super) hidden: f64,
    /// Query heads, `h`.
    pub(super) heads: f64,
    /// Heads of keys and values, `g`.
    pub(super) kv_heads: f64,
    /// Width of a query, `e_qk`.
    pub(super) query_dim: f64,
    /// Width of a value, `e_v`.
    pub(super) value_dim: f64,
    pub(super) vocab: f64,
    /// Matrices of the vocabulary: 1 where they are tied, else 2.
    pub(super) embeddings: f64,
    /// Parameters of attention, a layer.
    pub(super) attention: f64,
    /// Parameters of the feed-forward part of a layer without experts.
    pub(super) mlp: f64,
    /// Layers without experts.
    pub(super) dense_layers: f64,
    pub(super) mixture: Option<Mixture>,
    /// Numbers that the cache keeps of a token in a layer.
    pub(super) kv_width: f64,
    /// Rank of the keys and values, and width of the rotary part, of latent attention.
    pub(super) latent: Option<(f64, f64)>,
    /// Layers with a fixed state.
    pub(super) linear_layers: f64,
    /// Bytes of that state, a layer and sequence.
    pub(super) state_bytes: f64,
    /// Tokens that windowed layers see.
    pub(super) window: f64,
    pub(super) windowed_layers: f64,
    /// Keys that sparse attention keeps.
    pub(super) sparse_keys: Option<f64>,
}

/// Experts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::estimate::serving) struct Mixture {
    /// Layers with experts, `L_moe`.
    pub(super) layers: f64,
    /// Experts of a layer, `E`.
    pub(super) experts: f64,
    /// Experts that a token visits, `k`.
    pub(super) active: f64,
    /// Width of an expert, `f_e`.
    pub(super) width: f64,
    /// Parameters of an expert.
    pub(super) expert: f64,
    /// Parameters of what every token visits, a layer.
    pub(super) shared: f64,
}

/// Bytes of a number of a fixed state: 16 bits.
const STATE_BYTES: f64 = 2.0;

impl Model {
    /// The sizes of a shape.
    pub(in crate::estimate::serving) fn of(shape: &Shape) -> Self {
        let parts = &shape.parts;
        let mixture = shape.experts.filter(|experts| experts.layers > 0.0).map(|experts| Mixture {
            layers: experts.layers,
            experts: experts.routed,
            active: experts.active,
            width: experts.ffn,
            expert: parts.routed_experts / (experts.routed * experts.layers),
            shared: parts.shared_experts / experts.layers,
        });
        let expert_layers = mixture.map_or(0.0, |mixture| mixture.layers);
        let dense_layers = if parts.dense_ffn > 0.0 { (shape.layers - expert_layers).max(0.0) } else { 0.0 };
        let latent = match shape.attention {
            Attention::Latent { kv_rank, rope_dim, .. } => Some((kv_rank, rope_dim)),
            Attention::Grouped { .. } => None,
        };
        Self {
            layers: shape.layers,
            hidden: shape.hidden,
            heads: shape.heads,
            kv_heads: shape.kv_heads(),
            query_dim: shape.attention.query_key_dim(),
            value_dim: shape.attention.value_dim(),
            vocab: shape.vocab,
            embeddings: if shape.tied_embeddings { 1.0 } else { 2.0 },
            attention: parts.attention / shape.layers,
            mlp: if dense_layers > 0.0 { parts.dense_ffn / dense_layers } else { 0.0 },
            dense_layers,
            mixture,
            kv_width: shape.attention.cached_per_token(),
            latent,
            linear_layers: shape.mix.linear,
            state_bytes: if shape.mix.linear > 0.0 {
                shape.state_bytes_per_sequence(STATE_BYTES) / shape.mix.linear
            } else {
                0.0
            },
            window: shape.mix.window,
            windowed_layers: shape.mix.windowed,
            sparse_keys: shape.sparse_keys,
        }
    }

    /// Whether it is a mixture of experts.
    pub(in crate::estimate::serving) fn is_mixture(&self) -> bool {
        self.mixture.is_some()
    }

    /// Whether so many tensor ranks and pipeline stages could serve it: eight layers a stage, a head a rank.
    pub(in crate::estimate::serving) fn could_divide(&self, tensor: u32, pipeline: u32) -> bool {
        let thin = pipeline > 1 && self.layers < 8.0 * f64::from(pipeline);
        !thin && f64::from(tensor) <= self.heads
    }

    /// Width of the feed-forward part of a layer without experts, as three matrices would have it.
    pub(super) fn mlp_width(&self) -> f64 {
        self.mlp / self.hidden / 3.0
    }

    /// Layers that keep keys and values, as many as count in full at a context: `L_full + L_win·min(1, w/c)`.
    pub(super) fn kv_layers(&self, context: f64) -> f64 {
        let attending = self.attending_layers();
        let windowed = self.windowed_layers.min(attending);
        attending - windowed + windowed * (self.window / context.max(1.0)).min(1.0)
    }

    /// Layers that keep keys and values.
    pub(super) fn attending_layers(&self) -> f64 {
        self.layers - self.linear_layers
    }

    /// Parameters that every token is multiplied with on its way, without the head.
    pub(super) fn dense_params(&self) -> f64 {
        let shared = self.mixture.map_or(0.0, |mixture| mixture.layers * mixture.shared);
        self.layers * self.attention + self.dense_layers * self.mlp + shared
    }
}
