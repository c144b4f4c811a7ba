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

/// Replicas for requests that come at random: `ceil((a + 2·sqrt(a)) / B)`, at least one, where `a = peak·O·t_it/srv`
/// requests are in flight at the peak (Little's law) and two standard deviations more are served at once
/// (square-root staffing).
///
/// - `peak`: requests a second
/// - `output`: tokens of an answer; `iteration`: seconds for each, of a replica with `batch` sequences
/// - `server`: speed under arrivals at random
pub(super) fn replicas_for(peak: f64, output: f64, iteration: f64, batch: f64, server: f64) -> f64 {
    let busy = peak * output * iteration / server;
    // A part of a millionth more is noise of the division.
    ((busy + 2.0 * busy.sqrt()) / batch - 1e-9).ceil().max(1.0)
}

/// Users of each replica, where users are always busy.
pub(super) fn users_each(asked: &Asked, replicas: f64) -> Option<f64> {
    match &asked.arrivals {
        Arrivals::Users(users) => Some(users.mid() / replicas),
        Arrivals::Open { .. } | Arrivals::Saturated => None,
    }
}
