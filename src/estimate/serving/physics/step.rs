//! An iteration of continuous batching: every sequence decodes one token, and prompts are computed as they are owed.

use super::{Load, Replica, pass::Seen, replica::Engine};

/// Seconds of an iteration, and what of it is whose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::estimate::serving) struct Step {
    /// `B`: sequences in flight.
    pub(in crate::estimate::serving) batch: f64,
    /// `t_it`.
    pub(in crate::estimate::serving) iteration: f64,
    /// The part that decodes.
    pub(in crate::estimate::serving) decode: f64,
    /// The part of the prompts, seconds for each token that is computed.
    pub(in crate::estimate::serving) prompt_token: f64,
    /// Of that, attention.
    pub(in crate::estimate::serving) prompt_attention: f64,
}

impl Step {
    /// Output tokens a second, of the replica.
    pub(in crate::estimate::serving) fn output_rate(&self) -> f64 {
        self.batch / self.iteration
    }
}

impl Replica<'_> {
    /// An iteration with so many sequences in flight: `t_it = (t_dec + t_pf·owed·D) / F`.
    ///
    /// - `t_dec = s·pass(b, c = I + O/2) + host`, `s = (1 + bubble(p-1))(1 + wait(1 - 1/D))`
    /// - `b = max(B/p, min(B, 1))` sequences of a micro-batch; `owed = b·I(1-h)/(D·O)` tokens of prompts a rank
    /// - `t_pf = s/(S·D)·[(1-mix)(products + launch)(S) + mix·(products(S + b) - products(b)) + between(S)]` a token, in
    ///   passes of `S = min(max(owed, I), 8192)` tokens; where more is owed than a pass takes, `owed/S` passes share
    ///   the `b` sequences between them
    pub(in crate::estimate::serving) fn step(&self, load: Load, batch: f64) -> Step {
        let k = self.constants;
        let micro = (batch / self.pipeline).max(batch.min(1.0));
        let context = load.input + load.output / 2.0;
        let slow = self.slow();
        let decoding = self.products(micro, None);
        let between = self.between(micro, Seen::Decode { context });
        let pass = decoding + between.elementwise + between.attention + between.exchange + self.launch;
        let decode = pass * slow + self.host(load, micro);

        let owed = micro / self.ranks * load.fresh() / load.output;
        let most = k.prefill_tokens.max(1.0);
        let chunk = owed.clamp(load.fresh().max(1.0).min(most), most);
        let (beside, alone) = if owed > chunk {
            let some = micro * chunk / owed;
            (some, self.products(some, None))
        } else {
            (micro, decoding)
        };
        let (token, attention) = self.prompt_token(load, chunk, beside, alone);
        let (token, attention) = (token * slow, attention * slow);
        let speed = self.rules.speed;
        Step {
            batch,
            iteration: (decode + token * owed * self.ranks) / speed,
            decode: decode / speed,
            prompt_token: token / speed,
            prompt_attention: attention / speed,
        }
    }

    /// `s`: how much longer a pass takes for what stages and ranks wait for one another.
    pub(super) fn slow(&self) -> f64 {
        let k = self.constants;
        (1.0 + k.bubble * (self.pipeline - 1.0)) * (1.0 + k.rank_wait * (1.0 - self.ranks.recip()))
    }

    /// Seconds for a token of a prompt in passes of `chunk` a rank beside so many sequences that decode, whose
    /// products alone take so long; and what of them is attention.
    fn prompt_token(&self, load: Load, chunk: f64, beside: f64, alone: f64) -> (f64, f64) {
        let mixing = self.constants.mixing;
        let tokens = chunk * self.ranks;
        let apart = self.products(tokens, Some(load.input)) + self.launch;
        let together = (self.products(tokens + beside, Some(load.input)) - alone).max(0.0);
        let seen = Seen::Prompt { context: load.input, fresh: load.fresh() };
        let between = self.between(tokens, seen);
        let products = (1.0 - mixing) * apart + mixing * together;
        let all = products + between.elementwise + between.attention + between.exchange;
        (all / tokens, between.attention / tokens)
    }

    /// The scheduler's work in an iteration.
    fn host(&self, load: Load, micro: f64) -> f64 {
        let k = self.constants;
        let (sequence, request) = match self.rules.engine {
            Engine::TrtllmCpp | Engine::LlamaCpp => (1.0, 0.5),
            Engine::Any | Engine::Vllm | Engine::Sglang | Engine::Trtllm => (k.python, 1.0),
        };
        let rank = micro / self.ranks;
        k.host_ms * 1e-3
            + k.sequence_us * 1e-6 * sequence * rank
            + k.request_ms * 1e-3 * request * rank / load.output
    }

    /// The largest batch up to `most` that a test allows which a smaller batch passes sooner; `most` where that passes.
    /// None where not even a thousandth of a sequence does.
    pub(in crate::estimate::serving) fn largest_that(
        &self,
        load: Load,
        most: f64,
        allows: impl Fn(&Step) -> bool,
    ) -> Option<Step> {
        const HALVINGS: usize = 14;
        let full = self.step(load, most);
        if allows(&full) {
            return Some(full);
        }
        let (mut low, mut high) = (1e-3, most);
        let mut best = None;
        for _ in 0..HALVINGS {
            let middle = (low * high).sqrt();
            let step = self.step(load, middle);
            if allows(&step) {
                (low, best) = (middle, Some(step));
            } else {
                high = middle;
            }
        }
        best
    }

    /// The same from a least batch on, to a thousandth of it; the least where not even that is allowed.
    pub(in crate::estimate::serving) fn largest_from(
        &self,
        load: Load,
        least: f64,
        most: f64,
        allows: impl Fn(&Step) -> bool,
    ) -> Step {
        let full = self.step(load, most);
        if allows(&full) {
            return full;
        }
        let first = self.step(load, least);
        if !allows(&first) {
            return first;
        }
        self.largest_between(load, first, most, allows, |_| false).unwrap_or(first)
    }

    /// The same between a step that is allowed and a batch that is not, to a thousandth of it; none as soon as what is
    /// too slow is `hopeless`: nothing smaller is wanted then.
    pub(in crate::estimate::serving) fn largest_between(
        &self,
        load: Load,
        allowed: Step,
        not: f64,
        allows: impl Fn(&Step) -> bool,
        hopeless: impl Fn(&Step) -> bool,
    ) -> Option<Step> {
        const CLOSE: f64 = 1.001;
        let (mut best, mut high) = (allowed, not);
        while high > best.batch * CLOSE {
            let step = self.step(load, (best.batch * high).sqrt());
            if allows(&step) {
                best = step;
            } else if hopeless(&step) {
                return None;
            } else {
                high = step.batch;
            }
        }
        Some(best)
    }
}
