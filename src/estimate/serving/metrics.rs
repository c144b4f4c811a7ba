//! What a serving does and costs, worked out with its doubts.

use super::{
    answer::ServingMetrics,
    asked::{Arrivals, Asked},
    fleet::{Limits, most, replicas_for},
    physics::{Constants, Load, Replica},
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

/// What a replica does, world by world.
#[derive(Debug)]
pub(super) struct Work {
    /// Sequences in a busy replica.
    batch: Uncertain,
    /// Requests a second that a busy replica answers.
    answers: Uncertain,
    /// Share of the time that goes to output tokens.
    decoding: Uncertain,
    /// Share that goes to what is cached of the input.
    cached: Uncertain,
    first_token: Uncertain,
    each_token: Uncertain,
    /// A mean iteration at the load, for the percentile.
    iteration: Uncertain,
    pub(super) replicas: Uncertain,
    /// Requests a second, of all replicas.
    requests: Uncertain,
    utilization: Uncertain,
}

impl Work {
    /// Works it out for a replica: its largest batch within the limits, how many of it there are, and what a request
    /// sees at the peak of the load.
    pub(super) fn of(replica: &Replica<'_>, asked: &Asked, constants: &Constants, bands: &Bands) -> Self {
        let server = match asked.arrivals {
            Arrivals::Open { .. } => constants.server(),
            Arrivals::Users(_) | Arrivals::Saturated => 1.0,
        };
        let none = Uncertain::exact(0.0);
        let (mean, peak, users) = match &asked.arrivals {
            Arrivals::Open { mean, peak } => (mean, peak, &none),
            Arrivals::Users(users) => (&none, &none, users),
            Arrivals::Saturated => (&none, &none, &none),
        };
        let given = asked.replicas.as_ref().unwrap_or(&none);
        let limits = Limits::of(asked, constants);
        let open = matches!(asked.arrivals, Arrivals::Open { .. });
        let loads = [&asked.input, &asked.output, &asked.cached, peak, users, given, &bands.speed];
        let [batch, full, decoding, cached, first, each, iteration, replicas] =
            Uncertain::join(loads, |[input, output, cached, peak, users, given, speed]| {
                let load = Load { input, output, cached };
                let users = (users > 0.0).then(|| users / if given > 0.0 { given } else { 1.0 });
                let most = most(replica, load, users);
                let own = replica.own_prompt(load);
                let within = |step: &super::physics::Step| limits.excess(replica, load, own, step) <= 1.0;
                let full = replica.largest_that(load, most, within);
                let full = full.filter(|step| step.batch >= most.min(1.0));
                let full = full.unwrap_or_else(|| replica.step(load, most.min(1.0)));
                let needed = || {
                    if open {
                        replicas_for(peak, output, full.iteration / speed, full.batch, server)
                    } else {
                        1.0
                    }
                };
                let replicas = if given > 0.0 { given } else { needed() };
                let at = if open {
                    let rate = peak / replicas * output / (server * speed);
                    let slow = |step: &super::physics::Step| step.output_rate() <= rate;
                    let at = replica.largest_that(load, full.batch, slow);
                    at.filter(|step| step.batch >= 1.0)
                        .unwrap_or_else(|| replica.step(load, full.batch.min(1.0)))
                } else {
                    full
                };
                let latency = replica.latency(load, own, &at);
                let decoding = full.decode / full.iteration;
                let on_cached = 2.0 * cached / (1.0 + cached) * full.prompt_attention / full.prompt_token;
                [
                    full.batch,
                    full.output_rate() / output * server,
                    decoding,
                    (1.0 - decoding) * on_cached,
                    latency.first_token,
                    latency.each_token,
                    at.iteration,
                    replicas,
                ]
            });
        let answers = &full * &bands.speed;
        let all = &answers * &replicas;
        let requests = if open { mean.clone() } else { all.clone() };
        let utilization = if open { &requests / &all } else { Uncertain::exact(1.0) };
        Self {
            batch,
            answers,
            decoding,
            cached,
            first_token: &first * &bands.first_token,
            each_token: &each / &bands.speed,
            iteration: &iteration / &bands.speed,
            replicas,
            requests,
            utilization,
        }
    }

    /// Requests answered over those that could be, in the middle.
    pub(super) fn utilization(&self) -> f64 {
        self.utilization.mid()
    }
}

/// What there is to tell.
pub(super) struct Told<'t> {
    pub(super) asked: &'t Asked,
    pub(super) constants: &'t Constants,
    pub(super) work: &'t Work,
    pub(super) gpus_each: f64,
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
        let each = work.answers.times(1.0 / self.gpus_each);
        metrics.replicas = put(&work.replicas, "replica");
        metrics.gpus = put(&work.replicas.times(self.gpus_each), "gpu");
        metrics.gpu_hours = put(self.gpu_hours, "gpu_hour");
        metrics.batch = put(&work.batch, "sequence");
        metrics.ttft_ms = milliseconds(&work.first_token);
        metrics.ttft_p99_ms = milliseconds(&work.first_token.times(constants.ttft_p99()));
        metrics.tpot_ms = milliseconds(&work.each_token);
        let longest = work.iteration.times(constants.tpot_p99());
        metrics.tpot_p99_ms = milliseconds(&longest.with(&work.each_token, f64::max));
        metrics.input_tokens_per_second_per_gpu = put(&(&each * &asked.input), "token/s");
        metrics.output_tokens_per_second_per_gpu = put(&(&each * &asked.output), "token/s");
        metrics.requests_per_second_at_full_use = put(&(&work.answers * &work.replicas), "request/s");
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
        let busy = (&(&work.answers * &work.replicas) * &asked.hours).times(SECONDS_PER_HOUR);
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
