//! Two pools: accelerators that compute prompts and nothing else, and others that write the answers.

use super::{
    asked::{Arrivals, Asked},
    fleet::{Limits, Peak, whole},
    metrics::{Bands, Times, Work, asked_of},
    physics::{Constants, Load, Replica, Step},
};
use crate::estimate::uncertain::Uncertain;

/// One pool's replica.
#[derive(Debug)]
struct Unit {
    gpus: f64,
    /// Requests a second.
    answers: Uncertain,
}

impl Work {
    /// Pools of speeds that were measured, in replicas of so many accelerators.
    ///
    /// A request takes `I(1-h)/S_p` seconds of an accelerator that computes prompts, and `O/S_d` of one that decodes.
    pub(super) fn of_measured(asked: &Asked, prefill: &Uncertain, decode: &Uncertain, gpus: f64) -> Self {
        let fresh = asked.input.with(&asked.cached, |input, cached| input * (1.0 - cached));
        let prefill = Unit { gpus, answers: (prefill / &fresh).times(gpus) };
        let decode = Unit { gpus, answers: (decode / &asked.output).times(gpus) };
        // What is measured in service holds its own reserves.
        let [x, y] = [&prefill, &decode].map(|unit| match &asked.arrivals {
            Arrivals::Open { peak, .. } => (peak / &unit.answers).map(whole),
            Arrivals::Users(_) | Arrivals::Saturated => Uncertain::exact(1.0),
        });
        Self::of_pools(asked, [prefill, decode], [x, y], None)
    }

    /// Pools of modelled speeds.
    ///
    /// Prompts take at most a share of the time of their pool, 0.7, lest they queue; answers are staffed as those of
    /// replicas that do both.
    pub(super) fn of_modelled(
        [prefill, decode]: [&Replica<'_>; 2],
        asked: &Asked,
        constants: &Constants,
        bands: &Bands,
    ) -> Self {
        let figures = [&asked.input, &asked.output, &asked.cached];
        let server = match asked.arrivals {
            Arrivals::Open { .. } => constants.server(),
            Arrivals::Users(_) | Arrivals::Saturated => 1.0,
        };
        let limits = Limits::of(asked, constants);
        let [prompts, own, batch, iteration] = Uncertain::join(figures, |[input, output, cached]| {
            let load = Load { input, output, cached };
            let step = decoded(decode, load, &limits).unwrap_or_else(|| decode.decoding(load, 1.0));
            let own = prefill.own_prompt(load);
            [prefill.prompt_rate(load) / load.fresh().max(1e-9), own, step.batch, step.iteration]
        });
        let speed = &bands.speed;
        let (prompts, iteration) = (&prompts * speed, &iteration / speed);
        let answers = (&batch / &(&iteration * &asked.output)).times(server);
        let [x, y] = match &asked.arrivals {
            Arrivals::Open { peak, .. } => {
                let share = asked.prefill_share;
                let x = peak.with(&prompts, |peak, prompts| whole(peak / prompts / share));
                let figures = [peak, &asked.output, &iteration, &batch];
                let [y] = Uncertain::join(figures, |[rate, output, iteration, batch]| {
                    let peak = Peak { rate, output, server, prefill_share: share };
                    [peak.replicas(iteration, batch, 1.0)]
                });
                [x, y]
            }
            Arrivals::Users(_) | Arrivals::Saturated => [Uncertain::exact(1.0), Uncertain::exact(1.0)],
        };
        let first = own.map(|own| waited(own, asked.prefill_share)).with(&iteration, |own, next| own + next);
        let times = Times {
            first_token: &first * &bands.first_token,
            each_token: iteration.clone(),
            batch,
            iteration,
        };
        let units = [Unit { gpus: prefill.gpus(), answers: prompts }, Unit { gpus: decode.gpus(), answers }];
        Self::of_pools(asked, units, [x, y], Some(times))
    }

    /// So many replicas of each pool: those given, divided so that both answer alike; or those that a load takes, with
    /// some to spare; or one that decodes and as much as it needs of the other.
    fn of_pools(
        asked: &Asked,
        [prefill, decode]: [Unit; 2],
        [x, y]: [Uncertain; 2],
        seen: Option<Times>,
    ) -> Self {
        let ratio = &decode.answers / &prefill.answers;
        let (x, y) = match (&asked.replicas, &asked.arrivals) {
            (Some(given), _) => {
                let y = given.with(&ratio, |given, ratio| given / (1.0 + ratio));
                (&y * &ratio, y)
            }
            (None, Arrivals::Open { .. }) => (asked.spare.add(&x), asked.spare.add(&y)),
            (None, _) => (ratio, y),
        };
        let all = (&x * &prefill.answers).with(&(&y * &decode.answers), f64::min);
        let (requests, utilization) = asked_of(&all, &asked.arrivals);
        let pools = [x.times(prefill.gpus), y.times(decode.gpus)];
        let gpus = &pools[0] + &pools[1];
        Self {
            decoding: &pools[1] / &gpus,
            cached: Uncertain::exact(0.0),
            replicas: &x + &y,
            gpus,
            pools: Some(pools),
            all,
            requests,
            utilization,
            seen,
        }
    }
}

/// Time to the end of a prompt's pass where a share of the time is taken, by the mean wait of a queue with even service
/// (M/D/1): `own·(1 + rho/(2(1 - rho)))`.
pub(super) fn waited(own: f64, rho: f64) -> f64 {
    own * (1.0 + rho / (2.0 * (1.0 - rho).max(1e-3)))
}

/// The largest batch that fits and keeps the limit, of a replica that only decodes.
pub(super) fn decoded(replica: &Replica<'_>, load: Load, limits: &Limits) -> Option<Step> {
    let load = load.decoded_only();
    let most = super::fleet::most(replica, load, None);
    let within = |step: &Step| limits.iteration.is_none_or(|limit| step.iteration <= limit);
    Some(replica.largest_from(load, most.min(1.0), most, within)).filter(within)
}
