//! What the physics says of a published speed.

use super::{
    super::physics::{Constants, Engine, Layout, Load, Replica, Rules, Step},
    read::{Measured, Regime},
};

/// Tokens of a pass of prompts that are measured alone.
const LEAST_PROMPT: f64 = 16_384.0;

/// What is predicted for a published speed.
#[derive(Debug, Clone, Copy)]
pub(in crate::estimate) struct Prediction {
    /// In the unit of the regime, for each accelerator.
    pub(in crate::estimate) figure: f64,
    /// Which of the row's layouts it is for: the fastest.
    pub(in crate::estimate) layout: usize,
    /// Mean time to the first token and for each further one, milliseconds.
    pub(in crate::estimate) times_ms: Option<[f64; 2]>,
}

/// The iteration that a measurement had: as many sequences as fit, as there were users, or as a limit of the time for
/// each token at the 99th percentile allows.
fn loaded(replica: &Replica<'_>, k: &Constants, load: Load, users: Option<f64>, limit: Option<f64>) -> Step {
    let largest = replica.largest_batch(load).max(0.3 * replica.ranks());
    let most = largest.min(users.unwrap_or(replica.cap()));
    let within = |step: &Step| limit.is_none_or(|limit| step.iteration <= limit / k.tpot_p99());
    // Of the layouts that a submitter may have had, some are too slow at any batch.
    replica.largest_that(load, most, within).unwrap_or_else(|| replica.step(load, 1e-3))
}

impl Measured<'_> {
    /// The layout at a place.
    pub(in crate::estimate::serving) fn layout(&self, at: usize) -> Layout {
        self.layouts[at]
    }

    /// Speed of software of its day.
    pub(super) fn drift(&self, k: &Constants) -> f64 {
        k.drift_of(self.year.unwrap_or(k.drift_zero()))
    }

    fn replica<'p>(&'p self, k: &'p Constants, at: usize, factor: f64) -> Replica<'p> {
        let rules = Rules { engine: self.engine, speed: factor * self.drift(k) };
        Replica::new(&self.model, &self.device, k, self.layouts[at], self.formats, rules)
    }

    /// Requests in flight in each replica.
    fn users_each(&self, at: usize) -> Option<f64> {
        let replicas = (self.row.row.gpu_count / self.layouts[at].gpus()).max(1);
        self.users.map(|users| users / f64::from(replicas))
    }

    /// The figure in one layout, at so many times the speed of the constants.
    pub(super) fn figure_in(&self, k: &Constants, at: usize, factor: f64) -> f64 {
        let replica = self.replica(k, at, factor);
        if !self.regime.is_fitted() {
            return self.apart(&replica, k, self.users_each(at));
        }
        let step = loaded(&replica, k, self.load, self.users_each(at), self.limit);
        let server = if self.limit.is_some() { k.server() } else { 1.0 };
        step.output_rate() / replica.gpus() * server
    }

    /// The best layout, at so many times the speed of the constants; none where no figure comes out.
    pub(super) fn best(&self, k: &Constants, factor: f64) -> Option<(usize, f64)> {
        let figures = (0..self.layouts.len()).map(|at| (at, self.figure_in(k, at, factor)));
        let sound = figures.filter(|(_, figure)| figure.is_finite() && *figure > 0.0);
        let slow = self.regime == Regime::FirstToken; // the less the better
        sound.reduce(|best, next| if (next.1 > best.1) == slow { best } else { next })
    }

    /// What is predicted at so many times the speed of the constants.
    pub(in crate::estimate::serving) fn predict(&self, k: &Constants, factor: f64) -> Option<Prediction> {
        let (layout, figure) = self.best(k, factor)?;
        let times_ms = self.times(k, layout, factor).map(|times| times.map(|seconds| seconds * 1e3));
        Some(Prediction { figure, layout, times_ms })
    }

    /// Seconds to the first token and for each further one.
    fn times(&self, k: &Constants, at: usize, factor: f64) -> Option<[f64; 2]> {
        if !self.regime.is_fitted() || self.setup.ttft_ms.is_none() && self.setup.tpot_ms.is_none() {
            return None;
        }
        let replica = self.replica(k, at, factor);
        let step = loaded(&replica, k, self.load, self.users_each(at), self.limit);
        let latency = replica.latency(self.load, replica.own_prompt(self.load), &step);
        Some([latency.first_token, latency.each_token])
    }

    /// Times that the time to the first token is made of: of the prompt's own pass, of an iteration, and of half a
    /// batch of prompts.
    pub(super) fn first_token_parts(&self, k: &Constants, at: usize, factor: f64) -> [f64; 3] {
        let replica = self.replica(k, at, factor);
        let step = loaded(&replica, k, self.load, self.users_each(at), self.limit);
        let own = replica.own_prompt(self.load);
        [own, step.iteration, replica.queue(own, &step)]
    }

    /// Regimes that no constant is fitted on. Prefill: a pass of a prompt, or of 16,384 tokens; the first token: a
    /// pass of all prompts; a static batch: a pass and then decoding.
    fn apart(&self, replica: &Replica<'_>, k: &Constants, users: Option<f64>) -> f64 {
        let load = self.load;
        let batch = users.unwrap_or_else(|| replica.largest_batch(load).min(replica.cap())).max(1.0);
        let prompts = load.input * users.unwrap_or(1.0).max(1.0);
        let tokens = match self.regime {
            Regime::Prefill if self.engine == Engine::LlamaCpp => load.input,
            Regime::Prefill => load.input.max(LEAST_PROMPT) * replica.ranks(),
            _ => prompts,
        };
        let prompt = replica.prompt(load, tokens) + k.host_seconds();
        let decode = replica.step(load, batch).decode;
        match self.regime {
            Regime::Prefill => tokens / prompt / replica.gpus(),
            Regime::FirstToken => prompt * 1e3,
            Regime::StaticBatch => batch * load.output / (prompt + load.output * decode) / replica.gpus(),
            _ => batch / decode / replica.gpus(),
        }
    }
}
