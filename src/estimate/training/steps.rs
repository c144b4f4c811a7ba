//! The hours of a stage: what is known of them, else what published runs got.

use std::borrow::Cow;

use super::{
    answer::HoursFrom,
    goodput::{self, Checkpoints},
    stage::Known,
    work::{Counted, Work},
};
use crate::estimate::{
    desk::{Desk, Sourced},
    fault::FaultKind,
    figure::Figure,
    uncertain::Uncertain,
};

const HOURS_PER_DAY: f64 = 24.0;

/// No fewer of a divisor in any world, so that no quotient overflows.
const LEAST: f64 = 1e-6;

/// No figure of hours or speed is larger.
const MOST: f64 = 1e18;

/// What two statements of the same hours may differ by.
const ROUNDING: f64 = 0.01;

/// What hours in steady state may exceed all hours by: published MFU have two digits, some one.
const ROUNDED_MFU: f64 = 1.05;

/// No published run lost half of its hours.
const LEAST_GOODPUT: f64 = 0.5;

/// The machines.
#[derive(Debug, Clone)]
pub(crate) struct Machines<'a> {
    /// Dense BF16 peak of one, FLOP/s (FP16 where it has no BF16); needed where [`needs_peak`] says so.
    pub(crate) peak: Option<Sourced<'a>>,
    /// How many, where known.
    pub(crate) count: Option<u64>,
}

/// What published runs got of the peak, all hours counted.
#[derive(Debug, Clone)]
pub(crate) struct Prior<'a> {
    /// One over the utilisation, which is taken within (0, 1].
    pub(crate) inverse: Uncertain,
    /// Model FLOPs over the peak, all hours.
    pub(crate) utilization: Sourced<'a>,
    /// What that is multiplied with: asynchronous reinforcement learning.
    pub(crate) speedup: Option<Sourced<'a>>,
    /// What the utilisation comes from.
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
    /// How, in the names of `inputs`; none where it is a row of its own.
    pub(crate) formula: Option<Cow<'static, str>>,
}

impl<'a> Prior<'a> {
    /// A utilisation, and what it comes from.
    pub(crate) fn new(utilization: Sourced<'a>, inputs: Vec<(&'static str, Sourced<'a>)>) -> Self {
        let inverse = utilization.value.map(|utilization| 1.0 / utilization.clamp(LEAST, 1.0));
        Self { inverse, utilization, speedup: None, inputs, formula: None }
    }
}

/// The hours of one GPU.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "what requests and answers call them")]
pub(crate) struct Hours<'a> {
    pub(crate) gpu_hours: Counted<'a>,
    pub(crate) from: HoursFrom,
    /// The utilisation in steady state, where that is what they come from.
    pub(crate) mfu: Option<Uncertain>,
    /// What the formula goes on with.
    more: Vec<&'static str>,
    /// How inputs are come by that are modelled themselves.
    pub(crate) parts: Vec<Where<'a>>,
}

/// How an input of a formula is come by.
#[derive(Debug, Clone)]
pub(crate) struct Where<'a> {
    pub(crate) name: &'static str,
    pub(crate) formula: Cow<'static, str>,
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
}

impl<'a> Where<'a> {
    /// A figure with a formula of its own; none where it is an input itself.
    pub(crate) fn of(name: &'static str, counted: &Counted<'a>) -> Option<Self> {
        let formula = Cow::Borrowed(counted.formula);
        (counted.formula != name).then(|| Self { name, formula, inputs: counted.inputs.clone() })
    }
}

impl<'a> Hours<'a> {
    /// Whether the request gives them, with all that they include.
    pub(crate) fn are_all_in(&self) -> bool {
        matches!(self.from, HoursFrom::GpuHours | HoursFrom::Days)
    }

    /// The formula with all that was put on top.
    pub(crate) fn formula(&self) -> Cow<'static, str> {
        match self.more.as_slice() {
            [] => Cow::Borrowed(self.gpu_hours.formula),
            more => Cow::Owned(format!("{}{}", self.gpu_hours.formula, more.concat())),
        }
    }

    /// Adds what passes before the first step of the job.
    pub(crate) fn begin_with(&mut self, startup: Counted<'a>) {
        self.gpu_hours.value = &self.gpu_hours.value + &startup.value;
        self.gpu_hours.inputs.extend(startup.inputs);
        self.more.push(STARTUP_TERM);
    }

    /// Multiplies by what interruptions of spot machines cost, with the checkpoints that lose least:
    /// `(e^(λ·(τ+c)) - 1)·(1/λ + R)/τ`, see [`goodput::interrupted_hours`].
    ///
    /// `λ` grows with the instances: `count / gpus_per_server` of them, one where the count is not known.
    pub(crate) fn lose_to_spot(
        &mut self,
        desk: &mut Desk<'a, '_>,
        count: Option<u64>,
        gpus_per_server: Option<u32>,
    ) -> Option<()> {
        let rate = desk.assumption("training.spot.interruptions_per_instance_hour")?;
        let checkpoint = desk.assumption("training.checkpoint_seconds")?;
        let restart = desk.assumption("training.restart_seconds")?;
        let size = u64::from(gpus_per_server.unwrap_or(1).max(1));
        #[expect(clippy::cast_precision_loss, reason = "no cluster has so many")]
        let instances = count.map_or(1, |count| count.div_ceil(size)) as f64;
        let costs = checkpoint.value.mid().max(1.0) / SECONDS_PER_HOUR;
        let again = restart.value.mid().max(0.0) / SECONDS_PER_HOUR;
        let factor = rate.value.map(|rate| spot_factor(rate * instances, costs, again));
        self.gpu_hours.value = &self.gpu_hours.value * &factor;
        self.gpu_hours.inputs.extend([
            ("spot_factor", Sourced::derived(factor, "ratio")),
            ("interruptions_per_instance_hour", rate),
            ("checkpoint_seconds", checkpoint),
            ("restart_seconds", restart),
        ]);
        self.more.push(" * spot_factor");
        Some(())
    }
}

/// Hours that an hour of progress takes on machines that are taken away `rate` times an hour.
fn spot_factor(rate: f64, checkpoint_hours: f64, restart_hours: f64) -> f64 {
    const MOST: f64 = 1e6; // far beyond any use
    if rate <= 0.0 {
        return 1.0;
    }
    let interval_hours = goodput::best_interval(checkpoint_hours, 1.0 / rate);
    let saved = Checkpoints { interval_hours, hours: checkpoint_hours };
    let long = interval_hours * 1e6;
    let expected = goodput::interrupted_hours(long, rate, restart_hours, Some(saved));
    expected.map_or(MOST, |expected| (expected / long).min(MOST))
}

const SECONDS_PER_HOUR: f64 = 3600.0;

const STARTUP_TERM: &str = " + gpus * startup_minutes / 60";

/// Whether the hours hang on the peak of the part.
#[must_use]
pub(crate) fn needs_peak(known: Known) -> bool {
    known.gpu_hours.is_none() && known.days.is_none() && known.tokens_per_second_per_gpu.is_none()
}

/// The hours of a stage at `place`, best known first: `gpu_hours`, `days`, `tokens_per_second_per_gpu`, `mfu`, `prior`.
///
/// `goodput` is the share of hours that steady state lasts, for the third and the fourth; `startup` are the minutes
/// before the first step of a job, for the last two, where the count is known. Statements that contradict each other,
/// figures out of range and a missing count are faults; none comes back then, or where `work` or the peak is lacking.
pub(crate) fn hours<'a>(
    desk: &mut Desk<'a, '_>,
    place: &str,
    known: Known,
    work: &Work<'a>,
    machines: &Machines<'a>,
    sources: Sources<'a, '_>,
) -> Option<Hours<'a>> {
    let Sources { goodput, prior } = sources;
    let mut reader = Reader { desk, place };
    let given = reader.given(known)?;
    agree(&mut reader, known, work, machines)?;
    let mut mfu_given = None;
    let mut parts = Vec::new();
    let (gpu_hours, from) = match given {
        Given { gpu_hours: Some(hours), .. } => (one("gpu_hours", hours), HoursFrom::GpuHours),
        Given { days: Some(days), .. } => (reader.days(days, machines.count)?, HoursFrom::Days),
        Given { speed: Some(speed), .. } => {
            let goodput = goodput(reader.desk)?;
            parts.extend(Where::of("goodput", &goodput));
            (
                at_speed(work.tokens.as_ref()?, speed, goodput.sourced("ratio")),
                HoursFrom::TokensPerSecondPerGpu,
            )
        }
        Given { mfu: Some(mfu), .. } => {
            let goodput = goodput(reader.desk)?;
            parts.extend(Where::of("goodput", &goodput));
            let goodput = goodput.sourced("ratio");
            mfu_given = Some(mfu.value.clone());
            (at_mfu(work.flops.as_ref()?, machines.peak.clone()?, mfu, goodput), HoursFrom::Mfu)
        }
        _ => {
            let prior = prior(reader.desk)?;
            let formula = prior.formula.clone();
            parts.extend(formula.map(|formula| Where { name: "utilization", formula, inputs: Vec::new() }));
            (at_prior(work.flops.as_ref()?, machines.peak.clone()?, prior), HoursFrom::Assumption)
        }
    };
    Some(Hours { gpu_hours, from, mfu: mfu_given, more: Vec::new(), parts })
}

/// Looks whether what is said of the hours is in bounds, whatever else is wrong with the stage.
pub(crate) fn check(desk: &mut Desk<'_, '_>, place: &str, known: Known) {
    let _ = Reader { desk, place }.given(known); // faults go to the desk
}

/// Where what is not given comes from; each is asked only where it is needed.
pub(crate) struct Sources<'a, 's> {
    pub(crate) goodput: &'s mut dyn FnMut(&mut Desk<'a, '_>) -> Option<Counted<'a>>,
    pub(crate) prior: &'s mut dyn FnMut(&mut Desk<'a, '_>) -> Option<Prior<'a>>,
}

/// What a request says of the hours.
struct Given<'a> {
    gpu_hours: Option<Sourced<'a>>,
    days: Option<Sourced<'a>>,
    speed: Option<Sourced<'a>>,
    mfu: Option<Sourced<'a>>,
}

struct Reader<'d, 'a, 'r> {
    desk: &'d mut Desk<'a, 'r>,
    place: &'d str,
}

impl<'a> Reader<'_, 'a, '_> {
    fn fault(&mut self, field: &str, detail: String) {
        let place = format!("{}/{field}", self.place);
        self.desk.fault(&place, FaultKind::out_of_range(detail));
    }

    /// All that is given, each in bounds; none where one is not.
    fn given(&mut self, known: Known) -> Option<Given<'a>> {
        let gpu_hours = self.positive("gpu_hours", known.gpu_hours, "gpu_hour");
        let days = self.positive("days", known.days, "day");
        let speed = self.positive("tokens_per_second_per_gpu", known.tokens_per_second_per_gpu, "token/s");
        let mfu = match known.mfu.map(|mfu| (mfu, mfu.0.low() >= LEAST && mfu.0.high() <= 1.0)) {
            Some((mfu, false)) => {
                let got = if mfu.0.high() > 1.0 { mfu.0.high() } else { mfu.0.low() };
                self.fault("mfu", format!("must be in (0, 1], got {got}"));
                Err(())
            }
            _ => self.positive("mfu", known.mfu, "ratio"),
        };
        let mfu = mfu.map(|mfu| {
            mfu.map(|mut mfu| {
                mfu.value = mfu.value.map(|mfu| mfu.min(1.0));
                mfu
            })
        });
        Some(Given { gpu_hours: gpu_hours.ok()?, days: days.ok()?, speed: speed.ok()?, mfu: mfu.ok()? })
    }

    fn positive(
        &mut self,
        field: &str,
        figure: Option<Figure>,
        unit: &'static str,
    ) -> Result<Option<Sourced<'a>>, ()> {
        positive(self.desk, self.place, field, figure, unit)
    }

    fn days(&mut self, days: Sourced<'a>, count: Option<u64>) -> Option<Counted<'a>> {
        let Some(count) = count else {
            self.desk.fault("/hardware/count", FaultKind::MissingField { name: "count".to_owned() });
            return None;
        };
        let gpus = gpus(count);
        let value = &days.value.times(HOURS_PER_DAY) * &gpus.value;
        Some(Counted { value, formula: "days * 24 * gpus", inputs: vec![("days", days), ("gpus", gpus)] })
    }
}

/// A figure of the request that is above zero, if it is given; an error where it is noted as a fault.
pub(super) fn positive<'a>(
    desk: &mut Desk<'a, '_>,
    place: &str,
    field: &str,
    figure: Option<Figure>,
    unit: &'static str,
) -> Result<Option<Sourced<'a>>, ()> {
    let Some(figure) = figure else { return Ok(None) };
    let place = format!("{place}/{field}");
    let (low, high) = (figure.0.low(), figure.0.high());
    if low < LEAST || high > MOST {
        let got = if low < LEAST { low } else { high };
        desk.fault(
            &place,
            FaultKind::out_of_range(format!("must be above 0 and at most {MOST:e}, got {got}")),
        );
        return Err(());
    }
    let mut given = desk.given(&place, figure, unit);
    given.value = given.value.map(|figure| figure.max(LEAST));
    Ok(Some(given))
}

fn gpus<'a>(count: u64) -> Sourced<'a> {
    #[expect(clippy::cast_precision_loss, reason = "no cluster has so many")]
    let count = count as f64;
    Sourced::given(Uncertain::exact(count), "gpu")
}

fn one<'a>(name: &'static str, figure: Sourced<'a>) -> Counted<'a> {
    Counted { value: figure.value.clone(), formula: name, inputs: vec![(name, figure)] }
}

/// `D / (3600 · v · G)`: tokens, tokens a second on each GPU, goodput.
fn at_speed<'a>(tokens: &Counted<'a>, speed: Sourced<'a>, goodput: Sourced<'a>) -> Counted<'a> {
    let value = &tokens.value.times(1.0 / 3600.0) / &(&speed.value * &goodput.value);
    Counted {
        value,
        formula: "tokens / (3600 * tokens_per_second_per_gpu * goodput)",
        inputs: vec![
            ("tokens", tokens.sourced("token")),
            ("tokens_per_second_per_gpu", speed),
            ("goodput", goodput),
        ],
    }
}

/// `C / (3600 · P · MFU · G)`: model FLOPs, peak, utilisation in steady state, goodput.
fn at_mfu<'a>(flops: &Counted<'a>, peak: Sourced<'a>, mfu: Sourced<'a>, goodput: Sourced<'a>) -> Counted<'a> {
    let steady = &flops.value.times(1.0 / 3600.0) / &peak.value;
    Counted {
        value: &steady / &(&mfu.value * &goodput.value),
        formula: "flops / (3600 * peak_flops_per_second * mfu * goodput)",
        inputs: vec![
            ("flops", flops.sourced("FLOP")),
            ("peak_flops_per_second", peak),
            ("mfu", mfu),
            ("goodput", goodput),
        ],
    }
}

/// `C / (3600 · P · U · a)`: model FLOPs, peak, what published runs got of it, and what being asynchronous gains.
fn at_prior<'a>(flops: &Counted<'a>, peak: Sourced<'a>, prior: Prior<'a>) -> Counted<'a> {
    let mut value = &(&flops.value.times(1.0 / 3600.0) / &peak.value) * &prior.inverse;
    let mut formula = "flops / (3600 * peak_flops_per_second * utilization)";
    let mut inputs = vec![
        ("flops", flops.sourced("FLOP")),
        ("peak_flops_per_second", peak),
        ("utilization", prior.utilization),
    ];
    if let Some(speedup) = prior.speedup {
        value = value.with(&speedup.value, |hours, speedup| hours / speedup.max(LEAST));
        formula = "flops / (3600 * peak_flops_per_second * utilization * async_speedup)";
        inputs.push(("async_speedup", speedup));
    }
    inputs.extend(prior.inputs);
    Counted { value, formula, inputs }
}

/// Hours that a job takes before its first step: `n · minutes / 60`, added to hours that are modelled.
///
/// The assumption `training.job_startup_minutes`: it decides the bill of jobs below about 50 GPU-hours.
pub(crate) fn startup<'a>(desk: &mut Desk<'a, '_>, gpus: Sourced<'a>) -> Option<Counted<'a>> {
    let minutes = desk.assumption("training.job_startup_minutes")?;
    let value = minutes.value.with(&gpus.value, |minutes, gpus| minutes.max(0.0) / 60.0 * gpus);
    let inputs = vec![("gpus", gpus), ("startup_minutes", minutes)];
    Some(Counted { value, formula: "gpus * startup_minutes / 60", inputs })
}

/// Whether what is said of the hours goes together; none, and faults, where it does not.
///
/// `gpu_hours` against `days · 24 · count`: within 1%. Either against `mfu` or `tokens_per_second_per_gpu`: what steady
/// state alone would take is at most 5% above them (an MFU is rounded), and at least half of them.
fn agree<'a>(
    reader: &mut Reader<'_, 'a, '_>,
    known: Known,
    work: &Work<'a>,
    machines: &Machines<'a>,
) -> Option<()> {
    let by_days = known.days.zip(machines.count).map(|(days, count)| {
        let gpus = gpus(count).value.mid();
        (Span::of(days).times(HOURS_PER_DAY * gpus), days.mid(), count)
    });
    let hours = known.gpu_hours.map(Span::of);
    let mut said = Vec::new();
    if let Some((hours, (span, days, count))) = hours.zip(by_days)
        && !hours.meets(span, 1.0 - ROUNDING, 1.0 + ROUNDING)
    {
        let product = span.mid();
        said.push((
            "gpu_hours",
            format!("{} GPU-hours are not {days} days of {count} GPUs, {product}", hours.mid()),
        ));
    }
    let all_in = hours.or(by_days.map(|(span, ..)| span));
    let peak = machines.peak.as_ref().map(|peak| peak.value.mid());
    let steady_mfu = known
        .mfu
        .zip(work.flops.as_ref())
        .zip(peak)
        .map(|((mfu, flops), peak)| ("mfu", Span::of(mfu).divide(flops.value.mid() / (3600.0 * peak))));
    let steady_speed = known.tokens_per_second_per_gpu.zip(work.tokens.as_ref()).map(|(speed, tokens)| {
        ("tokens_per_second_per_gpu", Span::of(speed).divide(tokens.value.mid() / 3600.0))
    });
    for (field, steady) in steady_mfu.into_iter().chain(steady_speed) {
        if let Some(all_in) = all_in.filter(|all_in| !all_in.meets(steady, LEAST_GOODPUT, ROUNDED_MFU)) {
            let (steady, all_in) = (steady.mid(), all_in.mid());
            said.push((
                field,
                format!("says {steady:.0} GPU-hours in steady state, and {all_in:.0} are given in all"),
            ));
        }
    }
    if said.is_empty() {
        return Some(());
    }
    for (field, detail) in said {
        let place = format!("{}/{field}", reader.place);
        reader.desk.fault(&place, FaultKind::Contradiction { detail });
    }
    None
}

/// From P10 to P90.
#[derive(Debug, Clone, Copy)]
struct Span {
    low: f64,
    high: f64,
}

impl Span {
    fn of(Figure(range): Figure) -> Self {
        Self { low: range.low(), high: range.high() }
    }

    fn mid(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor }
    }

    /// A figure over it.
    fn divide(self, figure: f64) -> Self {
        Self { low: figure / self.high, high: figure / self.low }
    }

    /// Whether some `other` is between `least` and `most` times some of it.
    fn meets(self, other: Self, least: f64, most: f64) -> bool {
        other.high >= self.low * least && other.low <= self.high * most
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        catalog::architecture::Shape,
        estimate::{
            fault::Fault,
            training::{
                goodput,
                stage::Stage,
                testing::{at_desk, dense, peak, published_rl, shape, stage},
                work::{self, Models},
            },
        },
    };

    const H100: f64 = 989.4e12;

    /// The hours of a stage; published utilisation of pre-training is put at 0.4.
    fn hours_of(
        request: &Value,
        model: &Shape,
        peak: f64,
        count: Option<u64>,
    ) -> (Option<Hours<'static>>, Vec<Fault>) {
        let stage = stage(request);
        at_desk(|desk| {
            let models = Models { trained: Some(model), ..Models::default() };
            let work = work::of(&stage, "/stages/0", models, desk);
            let peak = Sourced::derived(Uncertain::exact(peak), "FLOP/s");
            let machines = Machines { peak: Some(peak), count };
            let mut goodput = |desk: &mut Desk<'static, '_>| goodput::of(desk, None);
            let mut prior = |desk: &mut Desk<'static, '_>| {
                if let Stage::Rl(stage) = &stage {
                    return work::rl_utilization(stage, desk);
                }
                let utilization = Sourced::derived(Uncertain::exact(0.4), "ratio");
                Some(Prior::new(utilization, Vec::new()))
            };
            let sources = Sources { goodput: &mut goodput, prior: &mut prior };
            hours(desk, "/stages/0", stage.known(), &work.main, &machines, sources)
        })
    }

    fn known(request: &Value) -> Hours<'static> {
        let (hours, faults) = hours_of(request, &dense(7e9), H100, Some(64));
        assert_eq!(faults, [], "{request}");
        hours.unwrap()
    }

    fn near(figure: f64, expected: f64, tolerance: f64) -> bool {
        (figure / expected - 1.0).abs() <= tolerance
    }

    #[test]
    fn the_best_known_wins() {
        let mut request = json!({ "stage": "pretraining", "tokens": 1e12 });
        let modelled = known(&request);
        let hours = modelled.gpu_hours.value.mid();
        let steps = [
            ("mfu", json!(0.4), HoursFrom::Mfu),
            ("tokens_per_second_per_gpu", json!(1e12 / hours / 3600.0), HoursFrom::TokensPerSecondPerGpu),
            ("days", json!(hours / 64.0 / 24.0 / 0.9), HoursFrom::Days),
            ("gpu_hours", json!(hours / 0.9), HoursFrom::GpuHours),
        ];
        assert_eq!(modelled.from, HoursFrom::Assumption);
        for (field, figure, from) in steps {
            request[field] = figure;
            assert_eq!(known(&request).from, from);
        }
    }

    #[test]
    fn what_is_given_all_in_is_not_divided_by_goodput_and_what_is_steady_is() {
        let all_in = known(&json!({ "stage": "pretraining", "gpu_hours": 2_664_000 })).gpu_hours.value;
        assert!(all_in.is_exact() && near(all_in.mid(), 2_664_000.0, 0.0));
        let days = known(&json!({ "stage": "pretraining", "days": 10 })).gpu_hours.value.mid();
        assert!(near(days, 15_360.0, 0.0));
        let speed = json!({ "stage": "pretraining", "tokens": 3.6e9, "tokens_per_second_per_gpu": 1000 });
        let steady = known(&speed).gpu_hours.value;
        assert!(near(steady.mid(), 1000.0 / 0.87, 1e-12));
        let (low, high) = steady.range().unwrap();
        assert!(near(low, 1000.0 / 0.96, 1e-9) && near(high, 1000.0 / 0.75, 1e-9), "{low} {high}");
    }

    /// arXiv:2407.21783: MFU 0.41, 30.84M H100-hours.
    #[test]
    fn llama_3_1_405b_by_its_own_mfu_is_within_5_percent() {
        let request =
            json!({ "stage": "pretraining", "tokens": 15.6e12, "sequence_length": 8192, "mfu": 0.41 });
        let (hours, faults) = hours_of(&request, &shape("llama-3.1-405b"), H100, None);
        assert_eq!(faults, []);
        let hours = hours.unwrap().gpu_hours.value.mid();
        assert!(near(hours, 30.84e6, 0.05), "{hours}");
    }

    /// Published figures that belong together: rounding and goodput lie between them.
    #[test]
    fn published_hours_and_mfu_do_not_contradict_each_other() {
        let llama = json!({ "stage": "pretraining", "tokens": 15.6e12, "sequence_length": 8192, "mfu": 0.41, "gpu_hours": 30.84e6 });
        assert_eq!(hours_of(&llama, &shape("llama-3.1-405b"), H100, None).1, []);
        let deepseek =
            json!({ "stage": "pretraining", "tokens": 14.8e12, "mfu": 0.389, "gpu_hours": 2_664_000 });
        assert_eq!(hours_of(&deepseek, &shape("deepseek-v3"), H100, Some(2048)).1, []);
    }

    #[test]
    fn contradictions_are_told_with_their_numbers() {
        let cases = [
            (
                json!({ "gpu_hours": 1000, "days": 10 }),
                "gpu_hours",
                "1000 GPU-hours are not 10 days of 64 GPUs, 15360",
            ),
            (
                json!({ "gpu_hours": 1000, "tokens": 3.6e9, "tokens_per_second_per_gpu": 900 }),
                "tokens_per_second_per_gpu",
                "says 1111 GPU-hours in steady state, and 1000 are given in all",
            ),
            (
                json!({ "days": 1, "tokens": 3.6e9, "tokens_per_second_per_gpu": 2000 }),
                "tokens_per_second_per_gpu",
                "says 500 GPU-hours in steady state, and 1536 are given in all",
            ),
            (
                json!({ "gpu_hours": 1000, "flops": 989.4e12 * 3600.0 * 500.0, "mfu": 0.4 }),
                "mfu",
                "says 1250 GPU-hours in steady state, and 1000 are given in all",
            ),
        ];
        for (mut request, field, detail) in cases {
            request["stage"] = "pretraining".into();
            let (hours, faults) = hours_of(&request, &dense(7e9), H100, Some(64));
            let kind = FaultKind::Contradiction { detail: detail.to_owned() };
            assert!(hours.is_none());
            assert_eq!(faults, [Fault::new(format!("/stages/0/{field}"), kind)]);
        }
    }

    #[test]
    fn figures_within_a_percent_or_in_overlapping_ranges_agree() {
        let close = json!({ "stage": "pretraining", "gpu_hours": 15_500, "days": 10 });
        assert!(near(known(&close).gpu_hours.value.mid(), 15_500.0, 0.0));
        let wide = json!({ "low": 500, "mid": 1000, "high": 20_000 });
        known(&json!({ "stage": "pretraining", "gpu_hours": wide, "days": 10 }));
    }

    #[test]
    fn what_is_out_of_range_or_missing_is_told_with_its_place() {
        let cases = [
            (json!({ "tokens": 1e12, "mfu": 1.7 }), "/stages/0/mfu", "must be in (0, 1], got 1.7"),
            (json!({ "tokens": 1e12, "mfu": 0 }), "/stages/0/mfu", "must be in (0, 1], got 0"),
            (json!({ "gpu_hours": 0 }), "/stages/0/gpu_hours", "must be above 0 and at most 1e18, got 0"),
            (json!({ "days": 3 }), "/hardware/count", "`count` is missing"),
        ];
        for (mut request, pointer, detail) in cases {
            request["stage"] = "pretraining".into();
            let (_, faults) = hours_of(&request, &dense(7e9), H100, None);
            let told: Vec<_> =
                faults.iter().map(|fault| (fault.pointer.as_str(), fault.kind.to_string())).collect();
            assert_eq!(told, [(pointer, detail.to_owned())]);
        }
    }

    /// s1: 23.5M tokens on 16 H100 in 26 minutes; its utilisation was 0.19, start-up included.
    #[test]
    fn small_jobs_are_mostly_start_up() {
        let (startup, _) = at_desk(|desk| startup(desk, gpus(16)));
        let startup = startup.unwrap();
        assert_eq!((startup.value.mid(), startup.value.range()), (8.0 / 3.0, Some((4.0 / 3.0, 16.0 / 3.0))));
        let request = json!({ "stage": "sft", "tokens": 23.5e6 });
        let (hours, _) = hours_of(&request, &shape("qwen2.5-32b"), H100, Some(16));
        let (low, high) = (&hours.unwrap().gpu_hours.value + &startup.value).range().unwrap();
        assert!((low..=high).contains(&6.93), "{low} {high}");
    }

    /// arXiv:2501.12948, supplement: 10,400 steps of 32 prompts with 16 answers; 101,000 H800-hours. How long the answers
    /// were in the mean is our reading: they grow from hundreds of tokens to more than 10,000.
    #[test]
    fn deepseek_r1_zeros_hours_are_within_the_range() {
        let answers = json!({ "low": 4000, "mid": 6000, "high": 8000 });
        for answers in [answers, json!(8000), json!(4000)] {
            let request = json!({
                "stage": "rl", "prompts": 332_800, "group_size": 16, "prompt_tokens": 150, "response_tokens": answers
            });
            let (hours, faults) = hours_of(&request, &shape("deepseek-v3"), peak("h800-sxm5-80gb"), None);
            assert_eq!(faults, []);
            let (low, high) = hours.unwrap().gpu_hours.value.range().unwrap();
            assert!((low..=high).contains(&101_000.0), "{low} {high}");
        }
    }

    /// NVIDIA's tables of `NeMo` RL on H100 and GB200.
    #[test]
    fn eight_of_ten_published_speeds_of_reinforcement_learning_are_within_the_range() {
        let rows = published_rl();
        let held = rows.iter().filter(|(row, peak)| {
            let setup = row.rl.as_ref().unwrap();
            let (length, speed) = (setup.mean_sequence_length, row.tokens_per_second_per_gpu.unwrap());
            let request = json!({
                "stage": "rl", "prompts": 1e6, "group_size": 1, "prompt_tokens": 100, "response_tokens": length - 100.0,
                "asynchronous": setup.policy != "On policy"
            });
            let (hours, _) = hours_of(&request, &shape(row.model.as_ref().unwrap().as_str()), *peak, None);
            let hours = hours.unwrap().gpu_hours.value;
            let (low, high) = hours.range().unwrap();
            let published = 1e6 * length / speed / 3600.0;
            (low..=high).contains(&published)
        });
        let held = held.count();
        assert!(held * 10 >= rows.len() * 8, "{held} of {}", rows.len());
    }

    /// DeepSpeed-Chat, OPT-6.7B and 13B: 135M tokens in 32.8 and 80 A100-hours, with a value model of 350M. Its value
    /// model being as large as the policy, a stage here does 20 N for their 12.4.
    #[test]
    fn short_answers_of_ppo_take_what_deepspeed_chat_took_for_its_smaller_value_model() {
        let request = json!({
            "stage": "rl", "algorithm": "ppo", "prompts": 263_672, "prompt_tokens": 256, "response_tokens": 256
        });
        for (params, published) in [(6.7e9, 32.8), (13.2e9, 80.0)] {
            let (hours, _) = hours_of(&request, &dense(params), 312e12, None);
            let (low, high) = hours.unwrap().gpu_hours.value.range().unwrap();
            let scaled = published * 20.0 / (12.0 + 8.0 * 0.35e9 / params);
            assert!((low * 0.97..=high * 1.03).contains(&scaled), "{low} {scaled} {high}");
        }
    }

    #[test]
    fn asynchronous_learning_is_faster_by_what_is_published() {
        let request = json!({ "stage": "rl", "prompts": 1e6, "prompt_tokens": 100, "response_tokens": 4000 });
        let mut asynchronous = request.clone();
        asynchronous["asynchronous"] = true.into();
        let hours = |request: &Value| known(request).gpu_hours.value.mid();
        assert!(near(hours(&request) / hours(&asynchronous), 1.55, 1e-12));
    }

    #[test]
    fn spot_machines_cost_hours_and_many_of_them_more() {
        let factors = [1.0, 16.0, 256.0, 4096.0, 1e18]
            .map(|count| spot_factor(0.0067 * count, 40.0 / 3600.0, 1.0 / 6.0));
        assert!(
            factors.is_sorted() && factors[0] > 1.0 && factors[0] < 1.03 && factors[4].is_finite(),
            "{factors:?}"
        );
        assert!(near(spot_factor(0.0, 0.01, 0.1), 1.0, 0.0));
    }

    proptest! {
        #[test]
        fn twice_the_tokens_are_twice_the_hours_however_they_are_known(tokens in 1e6..1e14_f64, of in 0..3_usize) {
            let hours = |tokens: f64| {
                let mut request = json!({ "stage": "pretraining", "tokens": tokens });
                match of {
                    0 => request["mfu"] = 0.4.into(),
                    1 => request["tokens_per_second_per_gpu"] = 1000.into(),
                    _ => {}
                }
                known(&request).gpu_hours.value.mid()
            };
            prop_assert!(near(hours(tokens * 2.0), hours(tokens) * 2.0, 1e-9));
        }

        #[test]
        fn nothing_panics_and_hours_are_finite(
            figures in prop::collection::vec(prop::option::of(-320.0..308.0_f64), 5),
            wide in any::<bool>(),
            count in prop::option::of(any::<u64>()),
        ) {
            let names = ["gpu_hours", "days", "tokens_per_second_per_gpu", "mfu", "tokens"];
            let mut request = json!({ "stage": "pretraining" });
            for (name, power) in names.into_iter().zip(figures) {
                if let Some(power) = power {
                    let figure = 10_f64.powf(power);
                    request[name] = if wide { json!({ "low": 0.0, "mid": figure / 2.0, "high": figure }) } else { json!(figure) };
                }
            }
            if let (Some(hours), _) = hours_of(&request, &dense(7e9), H100, count) {
                let (low, high) = hours.gpu_hours.value.range().unwrap_or((0.0, 0.0));
                prop_assert!([hours.gpu_hours.value.mid(), low, high].iter().all(|hours| hours.is_finite() && *hours >= 0.0));
            }
        }
    }
}
