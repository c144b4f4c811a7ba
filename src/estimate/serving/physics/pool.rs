//! A replica that computes prompts and nothing else, or that only decodes.

use super::{Load, Replica, Step, pass::Seen};

impl Replica<'_> {
    /// Input tokens a second that a replica computes which does nothing else, in full passes: `p·S·D/t(S)`, where
    /// `t(S) = s·(products(S·D) + between(S·D) + launch) / F`, `S` = 8192 tokens a rank and `s` as in an iteration.
    pub(in crate::estimate::serving) fn prompt_rate(&self, load: Load) -> f64 {
        let k = self.constants;
        let tokens = k.prefill_tokens.max(1.0) * self.ranks;
        let between = self.between(tokens, Seen::Prompt { context: load.input, fresh: load.fresh() });
        let pass = self.products(tokens, Some(load.input))
            + between.elementwise
            + between.attention
            + between.exchange
            + self.launch;
        self.pipeline * tokens / (pass * self.slow()) * self.rules.speed
    }

    /// An iteration that decodes and owes no prompts: others compute them.
    pub(in crate::estimate::serving) fn decoding(&self, load: Load, batch: f64) -> Step {
        self.step(load.decoded_only(), batch)
    }
}

impl Load {
    /// The same for a replica that gets keys and values of all input from others.
    pub(in crate::estimate::serving) fn decoded_only(self) -> Self {
        Self { cached: 1.0, ..self }
    }
}
