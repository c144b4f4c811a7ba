//! What a model remembers of the tokens before.

use super::{
    flops::{EXPANSION, STATE},
    shape::Shape,
};

impl Shape {
    /// Bytes that the cache keeps per token of a context of so many: `b · Σ_layers c · min(1, w/context)`.
    ///
    /// - `b`: bytes per number: 2 in BF16, 1 in FP8
    /// - `c`: numbers a layer keeps of a token: `2·g·d` (MHA, GQA, MQA), or `r_kv + d_rope` (MLA)
    /// - `w`: window of a windowed layer; a full one counts whole, a linear one not at all
    ///
    /// ```
    /// # use farthing::catalog::{architecture::Shape, model::Architecture};
    /// let llama_2_7b = Architecture {
    ///     num_layers: Some(32), hidden_size: Some(4096), num_heads: Some(32), num_kv_heads: Some(32),
    ///     ffn_size: Some(11008), vocab_size: Some(32000), tied_embeddings: Some(false), ..Architecture::default()
    /// };
    /// assert_eq!(Shape::of(&llama_2_7b).unwrap().kv_bytes_per_token(2.0, 4096.0), 524_288.0);
    /// ```
    #[must_use]
    pub fn kv_bytes_per_token(&self, bytes_per_element: f64, context: f64) -> f64 {
        let share = if context > self.mix.window { self.mix.window / context } else { 1.0 };
        let layers = self.mix.full + self.mix.windowed * share;
        bytes_per_element * self.attention.cached_per_token() * layers
    }

    /// Bytes of the fixed states that linear layers keep of a sequence, however long: `b · L_lin · 128 · 2h`.
    #[must_use]
    pub fn state_bytes_per_sequence(&self, bytes_per_element: f64) -> f64 {
        bytes_per_element * self.mix.linear * STATE * EXPANSION * self.hidden
    }
}
