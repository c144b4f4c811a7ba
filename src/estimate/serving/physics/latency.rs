//! What a request sees: the time to its first token, and for each that follows.

use super::{Load, Replica, Step, pass::Seen};

/// Mean times, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::estimate::serving) struct Latency {
    pub(in crate::estimate::serving) first_token: f64,
    pub(in crate::estimate::serving) each_token: f64,
}

impl Replica<'_> {
    /// Seconds of a prompt's own pass.
    pub(in crate::estimate::serving) fn own_prompt(&self, load: Load) -> f64 {
        self.prompt(load, load.fresh().max(1.0) * self.ranks)
    }

    /// Seconds of a pass of so many tokens of prompts.
    pub(in crate::estimate::serving) fn prompt(&self, load: Load, tokens: f64) -> f64 {
        let between = self.between(tokens, Seen::Prompt { context: load.input, fresh: load.fresh() });
        let pass = self.products(tokens, Some(load.input))
            + between.elementwise
            + between.attention
            + between.exchange
            + self.launch;
        pass / self.rules.speed
    }

    /// `TTFT = a·own + i·t_it + q·rho·B·own/(2D)`, `rho = 1 - t_dec/t_it`: own pass, iterations waited for, and the
    /// queue of other prompts. `TPOT = max(0.9·t_dec, (O·t_it - TTFT)/(O - 1))`, by Little's law.
    pub(in crate::estimate::serving) fn latency(&self, load: Load, own_prompt: f64, step: &Step) -> Latency {
        let k = self.constants;
        let queue = k.ttft_queue * self.queue(own_prompt, step);
        let first_token = k.ttft_prefill * own_prompt + k.ttft_iterations * step.iteration + queue;
        let rest = (load.output * step.iteration - first_token) / (load.output - 1.0).max(1.0);
        Latency { first_token, each_token: rest.max(0.9 * step.decode) }
    }

    /// `rho·B·own/(2D)`: seconds of half a batch of prompts, by the share of the time that goes to prompts.
    pub(in crate::estimate::serving) fn queue(&self, own_prompt: f64, step: &Step) -> f64 {
        let busy = (1.0 - step.decode / step.iteration).max(0.0);
        busy * step.batch / self.ranks * own_prompt / 2.0
    }
}
