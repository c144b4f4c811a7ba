//! How many replicas a load takes, and what each of them does.

use super::{
    asked::{Arrivals, Asked},
    physics::{Constants, Load, Replica, Step},
};

/// Limits of time, as means: the percentiles asked for over what they are of a mean. Seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) iteration: Option<f64>,
    pub(super) first_token: Option<f64>,
}

impl Limits {
    pub(super) fn of(asked: &Asked, constants: &Constants) -> Self {
        Self {
            iteration: asked.tpot.map(|limit| limit / constants.tpot_p99()),
            first_token: asked.ttft.map(|limit| limit / constants.ttft_p99()),
        }
    }

    /// By how much an iteration exceeds them: above 1 it does.
    pub(super) fn excess(&self, replica: &Replica<'_>, load: Load, own: f64, step: &Step) -> f64 {
        let iteration = self.iteration.map_or(0.0, |limit| step.iteration / limit);
        let first =
            self.first_token.map_or(0.0, |limit| replica.latency(load, own, step).first_token / limit);
        iteration.max(first)
    }
}

/// Sequences that a replica may hold: what fits, what schedulers hold, and how many users there are for each.
pub(super) fn most(replica: &Replica<'_>, load: Load, users: Option<f64>) -> f64 {
    let largest = replica.largest_batch(load).max(0.3);
    match users {
        Some(users) => largest.min(users),
        None => largest.min(replica.cap()),
    }
}

/// Replicas for requests that come at random, without those to spare: at least one, and enough to serve at once
/// (`slots`) and to compute all prompts (`prompts`).
///
/// - `slots = ceil((a + 2·sqrt(a)) / B)`, where `a = peak·O·t_it/srv` requests are in flight at the peak (Little's law)
///   and two standard deviations more are served at once (square-root staffing)
/// - `prompts = ceil(peak·O/B·(t_it - t_dec) / share)`: of each replica's time, so much at most goes to prompts
#[derive(Debug, Clone, Copy)]
pub(super) struct Peak {
    /// Requests a second.
    pub(super) rate: f64,
    /// Tokens of an answer.
    pub(super) output: f64,
    /// Speed under arrivals at random.
    pub(super) server: f64,
    /// Share of the time that prompts may take.
    pub(super) prefill_share: f64,
}

impl Peak {
    /// `iteration`: seconds of a replica with `batch` sequences, of which `decoding` is the share of decoding.
    pub(super) fn replicas(self, iteration: f64, batch: f64, decoding: f64) -> f64 {
        let answers = self.rate * self.output * iteration;
        let busy = answers / self.server;
        let slots = (busy + 2.0 * busy.sqrt()) / batch;
        whole(slots.max(answers / batch * (1.0 - decoding) / self.prefill_share))
    }
}

/// Whole replicas, at least one. A part of a millionth more is noise of the division.
pub(super) fn whole(replicas: f64) -> f64 {
    (replicas * (1.0 - 1e-9) - 1e-9).ceil().max(1.0)
}

/// Users of each replica, where users are always busy.
pub(super) fn users_each(asked: &Asked, replicas: f64) -> Option<f64> {
    match &asked.arrivals {
        Arrivals::Users(users) => Some(users.mid() / replicas),
        Arrivals::Open { .. } | Arrivals::Saturated => None,
    }
}
