//! Attention: how its heads share keys and values, and which layers look how far back.

use super::fault::{Notes, ShapeFault};
use crate::catalog::model::Architecture;

/// How the heads of a layer come by their keys and values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attention {
    /// Multi-head, grouped-query and multi-query attention: `kv_heads` of them, shared by all heads.
    Grouped {
        /// Key and value heads.
        kv_heads: f64,
        /// Width of a query and of a key.
        head_dim: f64,
        /// Width of a value.
        value_dim: f64,
        /// Rank of compressed queries, where they are.
        query_rank: Option<f64>,
    },
    /// Multi-head latent attention: one compressed vector for all heads (DeepSeek-V2, arXiv:2405.04434).
    Latent {
        /// Rank of the compressed queries, where they are.
        query_rank: Option<f64>,
        /// Rank of the compressed keys and values.
        kv_rank: f64,
        /// Width of the part of a query without position.
        nope_dim: f64,
        /// Width of the part with rotary position; the heads share its key.
        rope_dim: f64,
        /// Width of a value.
        value_dim: f64,
    },
}

impl Attention {
    /// Width of a query and of the key it meets.
    #[must_use]
    pub fn query_key_dim(&self) -> f64 {
        match *self {
            Self::Grouped { head_dim, .. } => head_dim,
            Self::Latent { nope_dim, rope_dim, .. } => nope_dim + rope_dim,
        }
    }

    /// Width of a value.
    #[must_use]
    pub fn value_dim(&self) -> f64 {
        match *self {
            Self::Grouped { value_dim, .. } | Self::Latent { value_dim, .. } => value_dim,
        }
    }

    /// Numbers that a cache keeps of one token in one layer: `g·(d_qk + d_v)`, or `r_kv + d_rope`.
    #[must_use]
    pub fn cached_per_token(&self) -> f64 {
        match *self {
            Self::Grouped { kv_heads, head_dim, value_dim, .. } => kv_heads * (head_dim + value_dim),
            Self::Latent { kv_rank, rope_dim, .. } => kv_rank + rope_dim,
        }
    }

    /// Parameters of one layer of it: the projections of queries, keys, values and the output.
    ///
    /// Grouped: `2·h·n·d + 2·h·g·d`. Latent: `h·r_q + r_q·n·(d_n + d_r) + h·(r_kv + d_r) + r_kv·n·(d_n + d_v) +
    /// n·d_v·h`, without `r_q`: `h·n·(d_n + d_r)` for the queries.
    pub(super) fn params(&self, hidden: f64, heads: f64) -> f64 {
        let queries = |rank: Option<f64>, width: f64| {
            rank.map_or(hidden * heads * width, |rank| hidden * rank + rank * heads * width)
        };
        match *self {
            Self::Grouped { kv_heads, head_dim, value_dim, query_rank } => {
                queries(query_rank, head_dim)
                    + hidden * kv_heads * (head_dim + value_dim)
                    + heads * value_dim * hidden
            }
            Self::Latent { query_rank, kv_rank, nope_dim, rope_dim, value_dim } => {
                queries(query_rank, nope_dim + rope_dim)
                    + hidden * (kv_rank + rope_dim)
                    + kv_rank * heads * (nope_dim + value_dim)
                    + heads * value_dim * hidden
            }
        }
    }
}

/// How many layers attend in which way. They need not add up to all: a hybrid has layers of experts alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LayerMix {
    /// Layers that see everything before a token.
    pub full: f64,
    /// Layers that see the last [`window`](Self::window) tokens.
    pub windowed: f64,
    /// What a windowed layer sees, in tokens.
    pub window: f64,
    /// Layers with linear attention or a state space: a fixed state, whatever came before.
    pub linear: f64,
}

impl LayerMix {
    /// Full layers, and windowed ones as the share of a context that they see.
    ///
    /// `context`: what a full layer sees; `seen`: how much of it a windowed layer sees, both in tokens.
    #[must_use]
    pub fn tokens_seen(&self, context: f64, seen: f64) -> f64 {
        self.full * context + self.windowed * context.min(seen)
    }

    /// What a token sees in a windowed layer, in the mean over a causal sequence: the first `w` tokens see what there
    /// is, the others `w`.
    pub(super) fn seen_in_training(&self, sequence_length: f64) -> f64 {
        let window = self.window.min(sequence_length);
        if window > 0.0 { window - window * window / (2.0 * sequence_length) } else { 0.0 }
    }
}

/// The kinds that [`Architecture::attention_type`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mha,
    Gqa,
    Mqa,
    Mla,
    HybridLinear,
    HybridMamba,
    HybridCompressed,
}

impl Kind {
    const NAMES: [(&str, Self); 7] = [
        ("MHA", Self::Mha),
        ("GQA", Self::Gqa),
        ("MQA", Self::Mqa),
        ("MLA", Self::Mla),
        ("hybrid_linear", Self::HybridLinear),
        ("hybrid_mamba", Self::HybridMamba),
        ("hybrid_compressed", Self::HybridCompressed),
    ];

    /// The kind that is named, in any case.
    pub(super) fn of(given: &Architecture) -> Result<Option<Self>, ShapeFault> {
        let Some(name) = &given.attention_type else { return Ok(None) };
        let known = Self::NAMES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, kind)| Some(kind)).ok_or_else(|| {
            let known = Self::NAMES.map(|(name, _)| name).join(", ");
            ShapeFault::range("attention_type", format!("must be one of {known}"))
        })
    }

    /// Whether the kind's parameters cannot be counted from the fields there are.
    pub(super) fn is_hybrid(self) -> bool {
        matches!(self, Self::HybridLinear | Self::HybridMamba | Self::HybridCompressed)
    }

    fn has_linear_layers(self) -> bool {
        matches!(self, Self::HybridLinear | Self::HybridMamba)
    }
}

/// Whether keys and values are compressed to a rank.
pub(super) fn is_latent(given: &Architecture, kind: Option<Kind>) -> bool {
    kind == Some(Kind::Mla) || given.kv_lora_rank.is_some()
}

/// The sizes of latent attention; those not given are DeepSeek-V2's.
pub(super) fn latent(given: &Architecture, notes: &mut Notes) -> Attention {
    let how = "as in DeepSeek-V2 and V3";
    Attention::Latent {
        query_rank: given.q_lora_rank.map(f64::from),
        kv_rank: notes.or(given.kv_lora_rank, "kv_lora_rank", 512.0, how),
        nope_dim: notes.or(given.qk_nope_head_dim, "qk_nope_head_dim", 128.0, how),
        rope_dim: notes.or(given.qk_rope_head_dim, "qk_rope_head_dim", 64.0, how),
        value_dim: notes.or(given.v_head_dim, "v_head_dim", 128.0, how),
    }
}

/// Which layers attend in which way.
pub(super) fn layer_mix(
    given: &Architecture,
    kind: Option<Kind>,
    layers: f64,
    notes: &mut Notes,
) -> LayerMix {
    let linear = linear_layers(given, kind, layers, notes);
    let rest = (layers - linear).max(0.0);
    let window = given.sliding_window.map_or(0.0, f64::from);
    let windowed = match (given.sliding_window, given.sliding_window_layers, given.full_attention_layers) {
        (None, ..) => 0.0,
        (_, Some(windowed), _) => f64::from(windowed),
        (_, None, Some(full)) => (rest - f64::from(full)).max(0.0),
        (_, None, None) => notes.take(
            "sliding_window_layers",
            0.0,
            "which layers are windowed is not known: all are counted as seeing everything, an upper bound",
        ),
    };
    let others = (rest - windowed).max(0.0);
    let full = given.full_attention_layers.map_or(others, |full| f64::from(full).min(layers));
    LayerMix { full, windowed, window, linear }
}

fn linear_layers(given: &Architecture, kind: Option<Kind>, layers: f64, notes: &mut Notes) -> f64 {
    let hybrid = kind.is_some_and(Kind::has_linear_layers);
    match (given.linear_attention_layers, given.full_attention_layers) {
        (Some(linear), _) => f64::from(linear),
        (None, Some(full)) if hybrid => (layers - f64::from(full)).max(0.0),
        (None, None) if hybrid => {
            let (share, of) = match kind {
                Some(Kind::HybridMamba) => (7.0 / 8.0, "7 of 8 layers, as in Jamba and Nemotron-H"),
                _ => (3.0 / 4.0, "3 of 4 layers, as in Qwen3-Next and Kimi Linear"),
            };
            notes.take("linear_attention_layers", (layers * share).floor(), of)
        }
        (None, _) => 0.0,
    }
}
