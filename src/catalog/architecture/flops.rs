//! Floating-point operations per token. A multiplication with its addition counts as two.

use super::{attention::Attention, shape::Shape};

/// Numbers that a linear layer keeps for each of its channels: the head width of Mamba-2's states, and of
/// gated `DeltaNet`'s and lightning attention's keys.
pub(super) const STATE: f64 = 128.0;

/// Channels of a linear layer for each of the residual stream: Mamba-2's and `DeltaNet`'s usual expansion.
pub(super) const EXPANSION: f64 = 2.0;

/// Which pairs of tokens a count of attention has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// Each token with those before it: what a decoder needs. Farthing's own convention.
    Causal,
    /// Each token with every other: twice as many (`PaLM`, Megatron-LM, torchtitan: `12·L·h·s`).
    NonCausal,
}

impl Shape {
    /// Forward FLOPs of the attention core, per token: `2·n·(d_qk + d_v)·t`, and what linear layers do.
    ///
    /// - `n`: heads; keys and values that heads share do not make it less
    /// - `d_qk`, `d_v`: widths of a query and of a value
    /// - `t`: tokens that one token meets, summed over layers: `s/2` in the mean of a causal sequence of `s`
    ///   tokens, `w - w²/(2s)` in a layer with a window of `w < s`; [`Mask::NonCausal`] counts twice as many
    ///
    /// A linear layer updates and reads its state once a token: `4·128·2h`, whatever the length.
    /// Of packed documents, `sequence_length` is `Σ len² / Σ len`.
    #[must_use]
    pub fn attention_flops_per_token(&self, sequence_length: f64, mask: Mask) -> f64 {
        let causal = self.core_flops(
            self.mix.tokens_seen(sequence_length / 2.0, self.mix.seen_in_training(sequence_length)),
        );
        let pairs = match mask {
            Mask::Causal => causal,
            Mask::NonCausal => 2.0 * causal,
        };
        pairs + self.linear_flops()
    }

    /// FLOPs of one token on its way forward, in the mean over a sequence: `2·N_mm + A`.
    ///
    /// - `N_mm`: [`matmul_params`](Self::matmul_params)
    /// - `A`: [`attention_flops_per_token`](Self::attention_flops_per_token), causal
    ///
    /// Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1; causal as in DeepSeek-V3, arXiv:2412.19437.
    ///
    /// ```
    /// # use farthing::catalog::{architecture::Shape, model::Architecture};
    /// let given = Architecture { params_total: Some(7e9), ..Architecture::default() };
    /// let shape = Shape::of(&given).unwrap();
    /// assert!((shape.forward_flops_per_token(2048.0) / (2.0 * 7e9) - 1.0).abs() < 0.05);
    /// ```
    #[must_use]
    pub fn forward_flops_per_token(&self, sequence_length: f64) -> f64 {
        self.forward_flops_counting(sequence_length, Mask::Causal)
    }

    fn forward_flops_counting(&self, sequence_length: f64, mask: Mask) -> f64 {
        2.0 * self.matmul_params + self.attention_flops_per_token(sequence_length, mask)
    }

    /// FLOPs to train on one token: three times forward, causal, without multi-token prediction.
    ///
    /// The way back costs twice the way forward. Recomputed activations take time and are not counted.
    #[must_use]
    pub fn training_flops_per_token(&self, sequence_length: f64) -> f64 {
        self.training_flops_counting(sequence_length, Mask::Causal)
    }

    /// The same in either convention.
    #[must_use]
    pub fn training_flops_counting(&self, sequence_length: f64, mask: Mask) -> f64 {
        3.0 * self.forward_flops_counting(sequence_length, mask)
    }

    /// What a causal MFU is multiplied with to get the same run's non-causal one; divided by, for the way back.
    ///
    /// 1.123 for DeepSeek-V3 at 4096 tokens: 38.9 % causal is 43.7 % non-causal (arXiv:2505.09343, table 4).
    #[must_use]
    pub fn non_causal_over_causal(&self, sequence_length: f64) -> f64 {
        let counting = |mask| self.training_flops_counting(sequence_length, mask);
        counting(Mask::NonCausal) / counting(Mask::Causal)
    }

    /// FLOPs that predicting further tokens adds to training on one: `3·m·(layer + output head)`.
    ///
    /// - `m`: [`mtp_layers`](Self::mtp_layers), each a layer like the others in the mean, and the head once more
    ///
    /// Published TFLOP/s and MFU leave them out.
    #[must_use]
    pub fn mtp_flops_per_token(&self, sequence_length: f64) -> f64 {
        let body = self.matmul_params - self.head_params();
        let layer = 2.0 * body + self.attention_flops_per_token(sequence_length, Mask::Causal);
        3.0 * self.mtp_layers * (layer / self.layers + 2.0 * self.head_params())
    }

    /// FLOPs of the one token that follows a context of so many: `2·N_mm + A`, where each layer sees all of the
    /// context, or its window.
    ///
    /// Latent attention is counted as engines run it, on the compressed vectors: `2·n·(2·r_kv + d_rope)` a token.
    #[must_use]
    pub fn decode_flops_per_token(&self, context: f64) -> f64 {
        let tokens = self.mix.tokens_seen(context, self.mix.window);
        let core = match self.attention {
            Attention::Grouped { .. } => self.core_flops(tokens),
            Attention::Latent { kv_rank, rope_dim, .. } => {
                2.0 * self.heads * (2.0 * kv_rank + rope_dim) * tokens
            }
        };
        2.0 * self.matmul_params + core + self.linear_flops()
    }

    /// FLOPs of scores and sums over so many tokens, all layers together.
    fn core_flops(&self, tokens: f64) -> f64 {
        2.0 * self.heads * (self.attention.query_key_dim() + self.attention.value_dim()) * tokens
    }

    fn linear_flops(&self) -> f64 {
        self.mix.linear * 4.0 * STATE * EXPANSION * self.hidden
    }

    /// Parameters of the output head, its own or the embeddings'.
    fn head_params(&self) -> f64 {
        self.vocab * self.hidden
    }
}
