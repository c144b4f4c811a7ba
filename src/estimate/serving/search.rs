//! The cheapest machines and layout that fit and keep the limits, and what comes next.

use super::{
    answer::RunnerUp,
    asked::{Arrivals, Asked},
    candidates::{Fixed, Server},
    fleet::{Limits, Peak, most, users_each, whole},
    physics::{Constants, Format, Formats, Layout, Load, Model, Replica, Step},
    pools::{decoded, waited},
    request::Parallelism,
};
use crate::{
    catalog::architecture::Shape,
    estimate::{fault::FaultKind, hardware::rental::billed_gpus, uncertain::Uncertain},
};

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
    /// Accelerators of the smallest machine that is rented out at that price, where that is known.
    pub(super) machine: Option<u32>,
}

/// A way to serve that fits and keeps the limits.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    offer: usize,
    layout: Layout,
    /// A pool for prompts beside it.
    prefill: Option<Layout>,
    replicas: f64,
    /// Money for each output token.
    cost: f64,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) offer: usize,
    pub(super) layout: Layout,
    pub(super) prefill: Option<Layout>,
    pub(super) reason: String,
    pub(super) runners_up: Vec<RunnerUp<'a>>,
    pub(super) stale: Vec<RunnerUp<'a>>,
}

impl Default for Choice<'_> {
    /// The one part that is asked for, with speeds that need no layout.
    fn default() -> Self {
        Self {
            offer: 0,
            layout: Layout::ONE,
            prefill: None,
            reason: "its speeds were measured".to_owned(),
            runners_up: Vec::new(),
            stale: Vec::new(),
        }
    }
}

/// What all candidates are held against.
pub(super) struct Search<'s, 'a> {
    pub(super) asked: &'s Asked,
    pub(super) model: &'s Model,
    pub(super) shape: &'s Shape,
    pub(super) fixed: Fixed,
    pub(super) constants: &'s Constants,
    pub(super) offers: &'s [Offer<'a>],
}

/// What the search came upon: how many ways that do, and the nearest of those that do not.
#[derive(Debug, Default)]
struct Seen {
    compared: usize,
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
    pub(super) fn run(&self) -> Result<Choice<'a>, FaultKind> {
        let layouts = self.fixed.layouts(self.shape);
        let mut seen = Seen::default();
        let mut found: Vec<Candidate> = Vec::new();
        for at in 0..self.offers.len() {
            if self.asked.apart {
                found.extend(self.pools(at, &layouts, &mut seen));
            } else {
                self.replicas(at, &layouts, &mut seen, &mut found);
            }
        }
        found.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        let fresh = found.iter().find(|candidate| !self.offers[candidate.offer].stale);
        let Some(chosen) = fresh.or(found.first()).copied() else { return Err(self.nothing(&seen)) };
        Ok(self.choice(chosen, &found, seen.compared))
    }

    /// Of one part the cheapest of each size that is cheaper than all smaller ones. Experts are first on each device or
    /// in parts on all of a stage; of the cheapest layout every degree between is looked at, too.
    fn replicas(&self, at: usize, layouts: &[Layout], seen: &mut Seen, found: &mut Vec<Candidate>) {
        let mut best: Option<Candidate> = None;
        let mut look = |layout: Layout, best: &mut Option<Candidate>| {
            let bound = best.map_or(f64::INFINITY, |best| best.cost);
            if self.least(at, layout) >= bound {
                return;
            }
            let candidate = self.candidate(at, layout, bound, seen);
            if let Some(candidate) = candidate.filter(|candidate| candidate.cost < bound) {
                // Each size of a replica is told once.
                found.retain(|known| known.offer != at || known.layout.gpus() != layout.gpus());
                found.push(candidate);
                *best = Some(candidate);
            }
        };
        for layout in layouts {
            look(*layout, &mut best);
        }
        if let Some(cheapest) = best {
            for layout in self.fixed.refined(cheapest.layout, self.shape) {
                look(layout, &mut best);
            }
        }
    }

    /// What an output token costs at least with replicas of that size: one, and those to spare.
    fn least(&self, at: usize, layout: Layout) -> f64 {
        let (asked, Offer { price, machine, .. }) = (self.asked, &self.offers[at]);
        let (Arrivals::Open { mean, .. }, None) = (&asked.arrivals, &asked.replicas) else { return 0.0 };
        let paid = billed_gpus(*machine, f64::from(layout.gpus()), asked.spare.beside(1.0));
        paid * price / (mean.mid() * asked.output.mid())
    }

    fn replica(&self, at: usize, layout: Layout) -> Replica<'_> {
        let server = &self.offers[at].server;
        Replica::new(self.model, &server.device, self.constants, layout, server.formats, server.rules)
    }

    /// A replica that has room for a request; none where it has not, or where nobody knows how fast its parts exchange.
    fn fitting(&self, at: usize, layout: Layout, seen: &mut Seen) -> Option<Replica<'_>> {
        let device = &self.offers[at].server.device;
        if layout.gpus() > 1 && device.link.is_none() {
            return None;
        }
        let (replica, load) = (self.replica(at, layout), self.asked.load());
        if !replica.fits(load) {
            nearer(&mut seen.short, replica.needed_bytes(load) - device.memory, at, layout);
            return None;
        }
        Some(replica)
    }

    /// Replicas and money for each output token, of replicas that take so long with a batch.
    ///
    /// It is what a token costs of a busy replica; of a fleet whose size the load decides, what idles is paid, too, and
    /// so is what is left of a machine. Among fleets of one price the one with more to spare is taken: a millionth part
    /// decides.
    fn cost(&self, at: usize, gpus: f64, iteration: f64, batch: f64, decoding: f64) -> (f64, f64) {
        let (asked, Offer { price, machine, .. }) = (self.asked, &self.offers[at]);
        let load = asked.load();
        let paid = |replicas: f64| billed_gpus(*machine, gpus, replicas) * price;
        let given = asked.replicas.as_ref().map(Uncertain::mid);
        let (Arrivals::Open { mean, peak }, None) = (&asked.arrivals, given) else {
            let replicas = given.unwrap_or(1.0);
            return (replicas, paid(replicas) / replicas * iteration / batch);
        };
        let (rate, server) = (peak.mid(), self.constants.server());
        let peak = Peak { rate, output: load.output, server, prefill_share: asked.prefill_share };
        let replicas = asked.spare.beside(peak.replicas(iteration, batch, decoding));
        let fleet = paid(replicas) / (mean.mid() * load.output);
        (replicas, fleet + gpus * price * iteration / batch * 1e-6)
    }

    /// One way to serve; none where it does not do, or costs more than `bound`.
    fn candidate(&self, at: usize, layout: Layout, bound: f64, seen: &mut Seen) -> Option<Candidate> {
        let (asked, load) = (self.asked, self.asked.load());
        let replica = self.fitting(at, layout, seen)?;
        let users = users_each(asked, asked.replicas.as_ref().map_or(1.0, Uncertain::mid));
        let most = most(&replica, load, users);
        let limits = Limits::of(asked, self.constants);
        let own = if limits.first_token.is_some() { replica.own_prompt(load) } else { 0.0 };
        let full = replica.step(load, most);
        let cost_of = |step: &Step| {
            self.cost(at, replica.gpus(), step.iteration, step.batch, step.decode / step.iteration)
        };
        let mut step = full;
        if limits.excess(&replica, load, own, &full) > 1.0 {
            if cost_of(&full).1 > bound {
                return None; // and dearer still with fewer sequences
            }
            let excess = |step: &Step| limits.excess(&replica, load, own, step);
            let least = replica.step(load, if users.is_some() { most } else { most.min(1.0) });
            if excess(&least) > 1.0 {
                nearer(&mut seen.slow, excess(&least), at, layout);
                return None;
            }
            // What is too slow is cheaper than all smaller batches: too dear as well, and no smaller one is wanted.
            let dear = |step: &Step| cost_of(step).1 > bound;
            let slower = replica.largest_between(load, least, most, |step| excess(step) <= 1.0, dear)?;
            step = slower;
        }
        seen.compared += 1;
        let (replicas, cost) = cost_of(&step);
        cost.is_finite().then_some(Candidate { offer: at, layout, prefill: None, replicas, cost })
    }

    /// The cheapest replicas for prompts and the cheapest for answers, of one part.
    fn pools(&self, at: usize, layouts: &[Layout], seen: &mut Seen) -> Option<Candidate> {
        let mut best = [None; 2];
        for layout in layouts {
            self.pool(at, *layout, seen, &mut best);
        }
        for cheapest in best.into_iter().flatten() {
            for layout in self.fixed.refined(cheapest.layout, self.shape) {
                self.pool(at, layout, seen, &mut best);
            }
        }
        let [prefill, decode] = best;
        let (prefill, decode) = (prefill?, decode?);
        Some(Candidate {
            prefill: Some(prefill.layout),
            replicas: prefill.replicas + decode.replicas,
            cost: prefill.cost + decode.cost,
            ..decode
        })
    }

    /// One layout as a pool for prompts, and as one for answers.
    fn pool(&self, at: usize, layout: Layout, seen: &mut Seen, best: &mut [Option<Candidate>; 2]) {
        let least = self.least(at, layout);
        if best.iter().all(|best| best.is_some_and(|best| least >= best.cost)) {
            return;
        }
        let (asked, load) = (self.asked, self.asked.load());
        let Some(replica) = self.fitting(at, layout, seen) else { return };
        let limits = Limits::of(asked, self.constants);
        let mut keep = |pool: usize, (replicas, cost): (f64, f64)| {
            if cost.is_finite() && best[pool].is_none_or(|best| cost < best.cost) {
                best[pool] = Some(Candidate { offer: at, layout, prefill: None, replicas, cost });
            }
        };
        let excess = self.excess_apart(&replica, load, &limits);
        let slowest = excess[0].max(excess[1]);
        if slowest > 1.0 {
            nearer(&mut seen.slow, slowest, at, layout);
        }
        if excess[0] <= 1.0 {
            seen.compared += 1;
            keep(0, self.prompt_cost(at, &replica, load));
        }
        if let Some(step) = decoded(&replica, load, &limits) {
            seen.compared += 1;
            keep(1, self.cost(at, replica.gpus(), step.iteration, step.batch, 1.0));
        }
    }

    /// Replicas that compute prompts alone, and what they cost for each output token.
    fn prompt_cost(&self, at: usize, replica: &Replica<'_>, load: Load) -> (f64, f64) {
        let (asked, Offer { price, machine, .. }) = (self.asked, &self.offers[at]);
        let each = load.fresh() / replica.prompt_rate(load); // seconds of a request
        let busy = replica.gpus() * price * each / load.output;
        let (Arrivals::Open { mean, peak }, None) = (&asked.arrivals, &asked.replicas) else {
            return (1.0, busy);
        };
        let replicas = asked.spare.beside(whole(peak.mid() * each / asked.prefill_share));
        let paid = billed_gpus(*machine, replica.gpus(), replicas) * price;
        (replicas, paid / (mean.mid() * load.output) + busy * 1e-6)
    }

    /// By how much the time to the first token, and that for each further one, exceed their limits, of pools.
    fn excess_apart(&self, replica: &Replica<'_>, load: Load, limits: &Limits) -> [f64; 2] {
        let least = replica.decoding(load, 1.0).iteration;
        let first = waited(replica.own_prompt(load), self.asked.prefill_share) + least;
        let over = |time: f64, limit: Option<f64>| limit.map_or(0.0, |limit| time / limit);
        [over(first, limits.first_token), over(least, limits.iteration)]
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
            prefill: chosen.prefill,
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
    fn nothing(&self, seen: &Seen) -> FaultKind {
        if let Some((times, at, layout)) = seen.slow {
            let detail = format!(
                "nothing that was compared is fast enough: the nearest, {}, is {times:.2} times too slow{}",
                self.words(at, layout),
                self.slowness(at, layout),
            );
            return FaultKind::SloUnreachable { detail };
        }
        if let Some((bytes, at, layout)) = seen.short {
            let detail = format!(
                "weights and one request need {:.1} GB more on each of {} than it has{}",
                bytes / 1e9,
                self.words(at, layout),
                self.remedy(at, layout),
            );
            return FaultKind::DoesNotFit { detail };
        }
        FaultKind::DoesNotFit { detail: "no layout divides the model into replicas of that size".to_owned() }
    }

    fn words(&self, at: usize, layout: Layout) -> String {
        let Layout { tensor, pipeline, expert, attention_data } = layout;
        let name = self.offers[at].server.part.name;
        format!(
            "{} x {name} (tensor {tensor}, pipeline {pipeline}, expert {expert}, attention_data {attention_data})",
            layout.gpus()
        )
    }

    /// How fast that is: alone, or with the users there are.
    fn slowness(&self, at: usize, layout: Layout) -> String {
        let (replica, load, k) = (self.replica(at, layout), self.asked.load(), self.constants);
        let users = users_each(self.asked, self.asked.replicas.as_ref().map_or(1.0, Uncertain::mid));
        let batch = most(&replica, load, users).min(users.unwrap_or(1.0));
        let step = if self.asked.apart { replica.decoding(load, batch) } else { replica.step(load, batch) };
        let own = replica.own_prompt(load);
        let first = if self.asked.apart {
            waited(own, self.asked.prefill_share) + step.iteration
        } else {
            replica.latency(load, own, &step).first_token
        };
        format!(
            ", with {:.0} ms to the first token and {:.1} ms for each further one at the 99th percentile",
            first * k.ttft_p99() * 1e3,
            step.iteration * k.tpot_p99() * 1e3,
        )
    }

    /// What would fit: more of the same part in a replica, or fewer bits.
    fn remedy(&self, at: usize, layout: Layout) -> String {
        let (server, load) = (&self.offers[at].server, self.asked.load());
        let fits = |layout: Layout, weights: Format| {
            let formats = Formats { weights, ..server.formats };
            let device = &server.device;
            Replica::new(self.model, device, self.constants, layout, formats, server.rules).fits(load)
        };
        let all = Fixed { gpus: None, parallelism: Parallelism::default() }.layouts(self.shape);
        let more = all.iter().filter(|other| other.gpus() == 1 || server.device.link.is_some());
        let more = more.filter(|other| fits(**other, server.formats.weights)).map(|other| other.gpus()).min();
        let fewer = [Format::Fp8, Format::Int4].into_iter().find(|format| {
            format.bytes() < server.formats.weights.bytes()
                && (*format != Format::Fp8 || server.device.fp8.is_some())
                && fits(layout, *format)
        });
        let mut ways = Vec::new();
        ways.extend(more.map(|gpus| format!("{gpus} of them in a replica")));
        ways.extend(fewer.map(|format| format!("weights in `{}`", format.name())));
        match ways.len() {
            0 => ": take more of them in a replica, more memory, or fewer bits".to_owned(),
            _ => format!("; what fits: {}", ways.join(", or ")),
        }
    }
}
