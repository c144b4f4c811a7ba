//! What a serving does and costs, worked out with its doubts.

use super::{
    answer::ServingMetrics,
    asked::{Arrivals, Asked, Known},
    fleet::{Limits, Peak, most},
    physics::{Constants, Load, Replica, Step},
};
use crate::{
    catalog::money::Currency,
    estimate::{hardware::energy::Energy, metric::Metric, uncertain::Uncertain},
};

const SECONDS_PER_HOUR: f64 = 3600.0;
const HOURS_A_MONTH: f64 = 730.0;
const MILLION: f64 = 1e6;

/// How far measured speeds are from predicted ones.
#[derive(Debug)]
pub(super) struct Bands {
    /// Of speeds.
    pub(super) speed: Uncertain,
    /// Of times to the first token.
    pub(super) first_token: Uncertain,
}

/// What a fleet does, world by world.
#[derive(Debug)]
pub(super) struct Work {
    /// Share of the accelerators' time that goes to output tokens.
    pub(super) decoding: Uncertain,
    /// Share that goes to what is cached of the input.
    pub(super) cached: Uncertain,
    pub(super) replicas: Uncertain,
    /// Accelerators in all.
    pub(super) gpus: Uncertain,
    /// Of them those that compute prompts alone, and those that only decode.
    pub(super) pools: Option<[Uncertain; 2]>,
    /// Requests a second that all can answer.
    pub(super) all: Uncertain,
    /// Requests a second.
    pub(super) requests: Uncertain,
    pub(super) utilization: Uncertain,
    /// What one replica and a request see; none where speeds are measured.
    pub(super) seen: Option<Times>,
}

/// What a request sees.
#[derive(Debug)]
pub(super) struct Times {
    /// Sequences in a busy replica.
    pub(super) batch: Uncertain,
    pub(super) first_token: Uncertain,
    pub(super) each_token: Uncertain,
    /// A mean iteration at the load, for the percentile.
    pub(super) iteration: Uncertain,
}

/// Requests a second, and their share of what all replicas can answer.
pub(super) fn asked_of(all: &Uncertain, arrivals: &Arrivals) -> (Uncertain, Uncertain) {
    match arrivals {
        Arrivals::Open { mean, .. } => (mean.clone(), mean / all),
        Arrivals::Users(_) | Arrivals::Saturated => (all.clone(), Uncertain::exact(1.0)),
    }
}

impl Work {
    /// Works it out for a replica: its largest batch within the limits, how many of it there are, and what a request
    /// sees at the peak of the load.
    pub(super) fn of(replica: &Replica<'_>, asked: &Asked, constants: &Constants, bands: &Bands) -> Self {
        let full = Full::of(replica, asked, constants);
        let speed = &full.measured(asked, replica.gpus()).unwrap_or(bands.speed.clone());
        let server = full.server;
        let replicas = match (&asked.replicas, &asked.arrivals) {
            (Some(given), _) => given.clone(),
            (None, Arrivals::Open { peak, .. }) => {
                let prefill_share = asked.prefill_share;
                let figures = [peak, &asked.output, &full.iteration, &full.batch, &full.decoding, speed];
                let [replicas] =
                    Uncertain::join(figures, |[rate, output, iteration, batch, decoding, speed]| {
                        let peak = Peak { rate, output, server, prefill_share };
                        [peak.replicas(iteration / speed, batch, decoding)]
                    });
                asked.spare.add(&replicas)
            }
            (None, _) => Uncertain::exact(1.0),
        };
        let [first, each, iteration] = full.seen(replica, asked, replicas.mid());
        let all = &(&full.answers * speed) * &replicas;
        let (requests, utilization) = asked_of(&all, &asked.arrivals);
        Self {
            decoding: full.decoding,
            cached: full.cached,
            gpus: replicas.times(replica.gpus()),
            pools: None,
            replicas,
            all,
            requests,
            utilization,
            seen: Some(Times {
                batch: full.batch,
                first_token: &first * &bands.first_token,
                each_token: &each / speed,
                iteration: &iteration / speed,
            }),
        }
    }
}

/// A replica that is as busy as the limits allow, at the speed predicted.
struct Full {
    batch: Uncertain,
    iteration: Uncertain,
    /// Requests a second.
    answers: Uncertain,
    decoding: Uncertain,
    cached: Uncertain,
    /// Speed under arrivals at random.
    server: f64,
}

impl Full {
    fn of(replica: &Replica<'_>, asked: &Asked, constants: &Constants) -> Self {
        let server = match asked.arrivals {
            Arrivals::Open { .. } => constants.server(),
            Arrivals::Users(_) | Arrivals::Saturated => 1.0,
        };
        let none = Uncertain::exact(0.0);
        let users = if let Arrivals::Users(users) = &asked.arrivals { users } else { &none };
        let one = Uncertain::exact(1.0);
        let given = asked.replicas.as_ref().unwrap_or(&one);
        let limits = Limits::of(asked, constants);
        let figures = [&asked.input, &asked.output, &asked.cached, users, given];
        let [batch, iteration, answers, decoding, cached] =
            Uncertain::join(figures, |[input, output, cached, users, given]| {
                let load = Load { input, output, cached };
                let most = most(replica, load, (users > 0.0).then(|| users / given));
                let own = replica.own_prompt(load);
                let within = |step: &Step| limits.excess(replica, load, own, step) <= 1.0;
                let least = most.min(1.0);
                let full = replica.largest_from(load, least, most, within);
                let decoding = full.decode / full.iteration;
                let on_cached = 2.0 * cached / (1.0 + cached) * full.prompt_attention / full.prompt_token;
                let answers = full.output_rate() / output * server;
                [full.batch, full.iteration, answers, decoding, (1.0 - decoding) * on_cached]
            });
        Self { batch, iteration, answers, decoding, cached, server }
    }

    /// Measured over predicted speed, where the caller has measured it.
    fn measured(&self, asked: &Asked, gpus: f64) -> Option<Uncertain> {
        let Some(Known::Together(output)) = &asked.known else { return None };
        let predicted = (&self.answers * &asked.output).times(1.0 / gpus);
        Some(output / &predicted)
    }

    /// Times to the first and each further token and of an iteration, with as many sequences as the peak of the load
    /// puts into each of so many replicas.
    fn seen(&self, replica: &Replica<'_>, asked: &Asked, replicas: f64) -> [Uncertain; 3] {
        let peak = if let Arrivals::Open { peak, .. } = &asked.arrivals { Some(peak.mid()) } else { None };
        let figures = [&asked.input, &asked.output, &asked.cached, &self.batch];
        Uncertain::join(figures, |[input, output, cached, batch]| {
            let load = Load { input, output, cached };
            let busy = |step: &Step| {
                peak.is_none_or(|peak| step.output_rate() * self.server <= peak / replicas * output)
            };
            let least = batch.min(1.0);
            let at = replica.largest_from(load, least, batch, busy);
            let latency = replica.latency(load, replica.own_prompt(load), &at);
            [latency.first_token, latency.each_token, at.iteration]
        })
    }
}

/// What there is to tell.
pub(super) struct Told<'t> {
    pub(super) asked: &'t Asked,
    pub(super) constants: &'t Constants,
    pub(super) work: &'t Work,
    pub(super) gpu_hours: &'t Uncertain,
    /// The compute line, in the currency of the answer.
    pub(super) compute: &'t Uncertain,
    pub(super) currency: Currency,
    pub(super) energy: Option<&'t Energy>,
}

impl Told<'_> {
    /// Adds what depends on the load.
    pub(super) fn fill(&self, metrics: &mut ServingMetrics) {
        self.speeds(metrics);
        self.money(metrics);
        self.energy(metrics);
    }

    fn speeds(&self, metrics: &mut ServingMetrics) {
        let Self { asked, constants, work, .. } = self;
        let put = |figure: &Uncertain, unit: &'static str| Some(Metric::of(figure, unit));
        let milliseconds = |seconds: &Uncertain| put(&seconds.times(1e3), "ms");
        let each = &work.all / &work.gpus;
        metrics.replicas = put(&work.replicas, "replica");
        metrics.gpus = put(&work.gpus, "gpu");
        if let Some([prefill, decode]) = &work.pools {
            metrics.prefill_gpus = put(prefill, "gpu");
            metrics.decode_gpus = put(decode, "gpu");
        }
        metrics.gpu_hours = put(self.gpu_hours, "gpu_hour");
        if let Some(seen) = &work.seen {
            metrics.batch = put(&seen.batch, "sequence");
            metrics.ttft_ms = milliseconds(&seen.first_token);
            metrics.ttft_p99_ms = milliseconds(&seen.first_token.times(constants.ttft_p99()));
            metrics.tpot_ms = milliseconds(&seen.each_token);
            let longest = seen.iteration.times(constants.tpot_p99());
            metrics.tpot_p99_ms = milliseconds(&longest.with(&seen.each_token, f64::max));
        }
        metrics.input_tokens_per_second_per_gpu = put(&(&each * &asked.input), "token/s");
        metrics.output_tokens_per_second_per_gpu = put(&(&each * &asked.output), "token/s");
        metrics.requests_per_second_at_full_use = put(&work.all, "request/s");
        metrics.utilization = put(&work.utilization, "ratio");
    }

    /// Money by time of the accelerators: what decoding takes falls on output, what a prompt's own tokens take on
    /// input, and what they take of attention to the cached ones on these. The three, times their tokens, are the
    /// compute line.
    fn money(&self, metrics: &mut ServingMetrics) {
        let Self { asked, work, compute, currency, .. } = self;
        let put = |figure: &Uncertain| Some(Metric::of(figure, *currency));
        let requests = (&work.requests * &asked.hours).times(SECONDS_PER_HOUR);
        let each = *compute / &requests;
        let busy = (&work.all * &asked.hours).times(SECONDS_PER_HOUR);
        let each_busy = *compute / &busy;
        let fresh = asked.input.with(&asked.cached, |input, cached| input * (1.0 - cached));
        let prompt = work.decoding.with(&work.cached, |decoding, cached| 1.0 - decoding - cached);
        let of_output = (&work.decoding / &asked.output).times(MILLION);
        let of_input = (&prompt / &fresh).times(MILLION);
        metrics.price_per_million_output_tokens = put(&(&each * &of_output));
        metrics.price_per_million_output_tokens_at_full_use = put(&(&each_busy * &of_output));
        metrics.price_per_million_input_tokens = put(&(&each * &of_input));
        metrics.price_per_million_input_tokens_at_full_use = put(&(&each_busy * &of_input));
        if asked.cached.mid() > 0.0 {
            let cached = &asked.input * &asked.cached;
            let of_cached = (&work.cached / &cached).times(MILLION);
            metrics.price_per_million_cached_input_tokens = put(&(&each * &of_cached));
            metrics.price_per_million_cached_input_tokens_at_full_use = put(&(&each_busy * &of_cached));
        }
        let all_tokens = &asked.input + &asked.output;
        let input_share = work.decoding.map(|decoding| 1.0 - decoding);
        metrics.price_per_million_input_tokens_with_cached =
            put(&(&each * &(&input_share / &asked.input).times(MILLION)));
        metrics.price_per_million_output_tokens_all_in = put(&(&each / &asked.output).times(MILLION));
        metrics.price_per_million_tokens = put(&(&each / &all_tokens).times(MILLION));
        let per_hour = *compute / &asked.hours;
        metrics.price_per_request = put(&each);
        metrics.price_per_hour = put(&per_hour);
        metrics.price_per_month = put(&per_hour.times(HOURS_A_MONTH));
    }

    fn energy(&self, metrics: &mut ServingMetrics) {
        let Some(energy) = self.energy else { return };
        let tokens =
            (&(&self.work.requests * &self.asked.hours) * &self.asked.output).times(SECONDS_PER_HOUR);
        metrics.energy_kwh = Some(Metric::of(&energy.kwh, "kWh"));
        let each = (&energy.kwh / &tokens).times(MILLION);
        metrics.energy_kwh_per_million_output_tokens = Some(Metric::of(&each, "kWh"));
        metrics.co2_kg = energy.co2_kg.as_ref().map(|co2| Metric::of(co2, "kg"));
    }
}
