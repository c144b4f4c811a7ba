//! The cheapest machines and layout that fit and keep the limits, and what comes next.

use super::{
    answer::RunnerUp,
    asked::{Arrivals, Asked},
    candidates::Server,
    fleet::{Limits, most, replicas_for, users_each},
    physics::{Constants, Layout, Model, Replica},
};
use crate::estimate::fault::FaultKind;

/// How many runners-up are told.
const MOST_TOLD: usize = 5;

/// A part with the price of its hour.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    pub(super) server: Server<'a>,
    /// In the currency of the answer.
    pub(super) price: f64,
    /// Whether nobody has seen the price for too long.
    pub(super) stale: bool,
}

/// A way to serve that fits and keeps the limits.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    offer: usize,
    layout: Layout,
    replicas: f64,
    /// Money for each output token.
    cost: f64,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) offer: usize,
    pub(super) layout: Layout,
    pub(super) reason: String,
    pub(super) runners_up: Vec<RunnerUp<'a>>,
    pub(super) stale: Vec<RunnerUp<'a>>,
}

/// What all candidates are held against.
pub(super) struct Search<'s, 'a> {
    pub(super) asked: &'s Asked,
    pub(super) model: &'s Model,
    pub(super) constants: &'s Constants,
    pub(super) offers: &'s [Offer<'a>],
}

/// The nearest to what was asked, where nothing does.
#[derive(Debug, Default)]
struct Nearest {
    /// Bytes by which memory falls short, of each accelerator, and of which layout.
    short: Option<(f64, usize, Layout)>,
    /// How many times too slow.
    slow: Option<(f64, usize, Layout)>,
}

fn nearer(known: &mut Option<(f64, usize, Layout)>, by: f64, offer: usize, layout: Layout) {
    if known.is_none_or(|(least, ..)| by < least) {
        *known = Some((by, offer, layout));
    }
}

impl<'a> Search<'_, 'a> {
    /// The cheapest for each output token; or what is wrong with all of them.
    pub(super) fn run(&self, layouts: &[Layout]) -> Result<Choice<'a>, FaultKind> {
        let mut nearest = Nearest::default();
        let mut found: Vec<Candidate> = Vec::new();
        let mut compared = 0;
        for at in 0..self.offers.len() {
            let mut best: Option<Candidate> = None;
            for layout in layouts {
                let bound = best.map_or(f64::INFINITY, |best| best.cost);
                let candidate = self.candidate(at, *layout, bound, &mut nearest, &mut compared);
                if let Some(candidate) = candidate.filter(|candidate| candidate.cost < bound) {
                    // Of one part, each size of a replica is told once.
                    found.retain(|known| known.offer != at || known.layout.gpus() != layout.gpus());
                    found.push(candidate);
                    best = Some(candidate);
                }
            }
        }
        found.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        let fresh = found.iter().find(|candidate| !self.offers[candidate.offer].stale);
        let Some(chosen) = fresh.or(found.first()).copied() else { return Err(self.nothing(&nearest)) };
        Ok(self.choice(chosen, &found, compared))
    }

    fn replica(&self, at: usize, layout: Layout) -> Replica<'_> {
        let server = &self.offers[at].server;
        Replica::new(self.model, &server.device, self.constants, layout, server.formats, server.rules)
    }

    /// One way to serve; none where it does not do, or costs more than `bound`.
    fn candidate(
        &self,
        at: usize,
        layout: Layout,
        bound: f64,
        nearest: &mut Nearest,
        compared: &mut usize,
    ) -> Option<Candidate> {
        let Offer { server, price, .. } = &self.offers[at];
        if layout.gpus() > 1 && server.device.link.is_none() {
            return None; // how fast they exchange is not known
        }
        let (asked, load, k) = (self.asked, self.asked.load(), self.constants);
        let replica = self.replica(at, layout);
        if !replica.fits(load) {
            nearer(&mut nearest.short, replica.needed_bytes(load) - server.device.memory, at, layout);
            return None;
        }
        let given = asked.replicas.as_ref().map(crate::estimate::uncertain::Uncertain::mid);
        let users = users_each(asked, given.unwrap_or(1.0));
        let most = most(&replica, load, users);
        let limits = Limits::of(asked, k);
        let own = if limits.first_token.is_some() { replica.own_prompt(load) } else { 0.0 };
        let full = replica.step(load, most);
        // What an output token costs of a busy replica; of a fleet whose size the load decides, what idles is paid, too.
        // Among fleets of one price the one with more to spare is taken: a millionth part decides.
        let cost_of = |iteration: f64, batch: f64| {
            let busy = replica.gpus() * price * iteration / batch;
            let (Arrivals::Open { mean, peak }, None) = (&asked.arrivals, given) else {
                return (given.unwrap_or(1.0), busy);
            };
            let replicas = replicas_for(peak.mid(), load.output, iteration, batch, k.server());
            let fleet = replicas * replica.gpus() * price / (mean.mid() * load.output);
            (replicas, fleet + busy * 1e-6)
        };
        let mut step = full;
        if limits.excess(&replica, load, own, &full) > 1.0 {
            if cost_of(full.iteration, full.batch).1 > bound {
                return None; // and dearer still with fewer sequences
            }
            let within = |step: &super::physics::Step| limits.excess(&replica, load, own, step) <= 1.0;
            let slower = replica.largest_that(load, most, within).filter(|step| step.batch >= 1.0);
            let Some(slower) = slower.filter(|_| users.is_none()) else {
                let batch = if users.is_some() { most } else { most.min(1.0) };
                let excess = limits.excess(&replica, load, own, &replica.step(load, batch));
                nearer(&mut nearest.slow, excess, at, layout);
                return None;
            };
            step = slower;
        }
        *compared += 1;
        let (replicas, cost) = cost_of(step.iteration, step.batch);
        cost.is_finite().then_some(Candidate { offer: at, layout, replicas, cost })
    }

    fn choice(&self, chosen: Candidate, found: &[Candidate], compared: usize) -> Choice<'a> {
        let others =
            found.iter().filter(|other| (other.offer, other.layout) != (chosen.offer, chosen.layout));
        let told = |stale: bool| {
            let others = others.clone().filter(|other| self.offers[other.offer].stale == stale);
            others.take(MOST_TOLD).map(|other| self.runner_up(*other, chosen.cost)).collect()
        };
        Choice {
            offer: chosen.offer,
            layout: chosen.layout,
            reason: match compared {
                1 => "the only way that was asked for".to_owned(),
                _ => format!(
                    "the cheapest for each output token of {compared} ways that fit and keep the limits"
                ),
            },
            runners_up: told(false),
            stale: if self.offers[chosen.offer].stale { Vec::new() } else { told(true) },
        }
    }

    fn runner_up(&self, other: Candidate, least: f64) -> RunnerUp<'a> {
        let percent = 100.0 * (other.cost / least - 1.0);
        let reason = if least > 0.0 && percent >= 0.0 {
            format!("{percent:.0} % dearer for each output token")
        } else {
            format!("{:.0} % cheaper for each output token, at a price that nobody has seen lately", -percent)
        };
        RunnerUp {
            gpu: self.offers[other.offer].server.part.name,
            gpus_per_replica: other.layout.gpus(),
            replicas: other.replicas,
            parallelism: other.layout.into(),
            reason,
        }
    }

    /// What is wrong, where nothing does: too slow, or too large.
    fn nothing(&self, nearest: &Nearest) -> FaultKind {
        let name = |at: usize| self.offers[at].server.part.name;
        if let Some((times, at, layout)) = nearest.slow {
            let detail = format!(
                "nothing that was compared is fast enough: the nearest, {} x {} ({}), is {times:.2} times too slow",
                layout.gpus(),
                name(at),
                words(layout),
            );
            return FaultKind::SloUnreachable { detail };
        }
        if let Some((bytes, at, layout)) = nearest.short {
            let detail = format!(
                "weights and one request need {:.1} GB more on each of {} x {} ({}) than it has: take more of them in a \
                 replica, more memory, or fewer bits",
                bytes / 1e9,
                layout.gpus(),
                name(at),
                words(layout),
            );
            return FaultKind::DoesNotFit { detail };
        }
        FaultKind::DoesNotFit { detail: "no layout divides the model into replicas of that size".to_owned() }
    }
}

fn words(layout: Layout) -> String {
    let Layout { tensor, pipeline, expert, attention_data } = layout;
    format!("tensor {tensor}, pipeline {pipeline}, expert {expert}, attention_data {attention_data}")
}
