//! A shape: all that the arithmetic needs to know of a model.

use super::{
    attention::{Attention, LayerMix},
    check, derive,
    experts::Experts,
    fault::{Assumed, ShapeFault},
    params::Parts,
};
use crate::catalog::model::Architecture;

/// A model's shape. Every number is finite and none is negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Parameters in all: those given, else those counted.
    pub total_params: f64,
    /// Parameters that one token uses, with the embeddings: those given, else those counted.
    pub active_params: f64,
    /// Active parameters that are multiplied with: without the look-up of the input embedding, with the
    /// output head.
    pub matmul_params: f64,
    /// Parameters in all, counted from the sizes alone.
    pub counted_total: f64,
    /// Parameters that one token uses, counted from the sizes alone.
    pub counted_active: f64,
    /// Parameters by part; together [`total_params`](Self::total_params).
    pub parts: Parts,
    /// Parameters that one token uses, by part; together [`active_params`](Self::active_params).
    pub active_parts: Parts,
    /// Layers.
    pub layers: f64,
    /// Width of the residual stream.
    pub hidden: f64,
    /// Query heads.
    pub heads: f64,
    /// Key and value heads, and their widths.
    pub attention: Attention,
    /// Which layers see how far back.
    pub mix: LayerMix,
    /// Keys that sparse attention keeps of a context; none: it keeps all.
    pub sparse_keys: Option<f64>,
    /// Width of the feed-forward layers without experts; 0 where all have experts.
    pub ffn: f64,
    /// Whether feed-forward layers have three matrices, or two.
    pub ffn_gated: bool,
    /// Entries of the vocabulary.
    pub vocab: f64,
    /// Whether input and output embeddings are one matrix.
    pub tied_embeddings: bool,
    /// The experts of a mixture.
    pub experts: Option<Experts>,
    /// Layers that predict further tokens.
    pub mtp_layers: f64,
    /// What was not given, and how it was come by.
    pub assumed: Vec<Assumed>,
}

impl Shape {
    /// The shape of what is given, in full or in part; `params_total` alone is enough.
    ///
    /// Parameters given win over those counted. What cannot be derived is a fault, never zero.
    ///
    /// # Errors
    /// All that is impossible, absurd or contradictory; else what is missing.
    ///
    /// ```
    /// # use farthing::catalog::{architecture::Shape, model::Architecture};
    /// let given = Architecture { params_total: Some(70e9), ..Architecture::default() };
    /// let shape = Shape::of(&given).unwrap();
    /// assert_eq!((shape.total_params, shape.is_moe()), (70e9, false));
    /// assert!(shape.assumed.iter().any(|assumed| assumed.field == "num_layers"));
    /// ```
    pub fn of(given: &Architecture) -> Result<Self, Vec<ShapeFault>> {
        let kind = check::check(given)?;
        derive::derive(given, kind)
    }

    /// Whether it is a mixture of experts.
    #[must_use]
    pub fn is_moe(&self) -> bool {
        self.experts.is_some()
    }

    /// Key and value heads; those of latent attention are its heads.
    #[must_use]
    pub fn kv_heads(&self) -> f64 {
        match self.attention {
            Attention::Grouped { kv_heads, .. } => kv_heads,
            Attention::Latent { .. } => self.heads,
        }
    }
}
