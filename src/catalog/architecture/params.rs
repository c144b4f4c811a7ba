//! Parameters by part.

/// Parameters of a model, or those that one token uses, by part.
///
/// Norms, biases and learned positions are left out: together they are below half a percent of any model here.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// The matrix that turns tokens into vectors; with tied embeddings it is the output head, too.
    pub embeddings: f64,
    /// The matrix that turns vectors into logits; 0 where it is the one above.
    pub output_head: f64,
    /// Projections of the attention layers, and the mixers of linear ones.
    pub attention: f64,
    /// Feed-forward layers without experts.
    pub dense_ffn: f64,
    /// Routed experts.
    pub routed_experts: f64,
    /// Shared experts.
    pub shared_experts: f64,
    /// Matrices that choose experts.
    pub router: f64,
}

impl Parts {
    /// All of them.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.embeddings
            + self.output_head
            + self.attention
            + self.dense_ffn
            + self.routed_experts
            + self.shared_experts
            + self.router
    }

    /// Each part times a factor.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        Self {
            embeddings: self.embeddings * factor,
            output_head: self.output_head * factor,
            attention: self.attention * factor,
            dense_ffn: self.dense_ffn * factor,
            routed_experts: self.routed_experts * factor,
            shared_experts: self.shared_experts * factor,
            router: self.router * factor,
        }
    }

    /// With so many routed experts, embeddings as they are, and the others stretched so that the sum is `sum`;
    /// where that leaves them nothing, all are stretched alike.
    pub(super) fn brought_to(&self, sum: f64, routed_experts: f64) -> Self {
        let ends = self.embeddings + self.output_head;
        let others = self.sum() - ends - self.routed_experts;
        let left = sum - ends - routed_experts;
        if left <= 0.0 || others <= 0.0 {
            return self.times(sum / self.sum());
        }
        let (embeddings, output_head) = (self.embeddings, self.output_head);
        Self { embeddings, output_head, routed_experts, ..self.times(left / others) }
    }
}
