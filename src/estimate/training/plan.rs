//! The stages of a training on its machines: the work of each, whether it fits, and its hours.

use super::{
    generation, goodput,
    memory::{self, Bytes, Fit, Load, Misfit, Room},
    prior,
    request::Training,
    stage::{Known, Precision, RlAlgorithm, RlStage, Stage, Teacher},
    steps::{self, Hours, Machines, Prior, Sources},
    work::{self, Counted, Models, RewardWork, StageWork, TeacherWork},
};
use crate::{
    catalog::architecture::Shape,
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        figure::Figure,
        hardware::{hour::Hour, part::Part, request::Memory},
        subject::Subject,
        uncertain::Uncertain,
    },
};

/// No fewer of a divisor in any world.
const LEAST: f64 = 1e-9;

/// How often the count that makes a deadline is looked for before it is given up.
const MOST_ROUNDS: usize = 64;

/// More GPUs than anybody has.
const MOST_GPUS: f64 = 1e9;

/// A stage, and what it takes.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) stage: &'a Stage,
    /// Where it stands in the item: `/stages/2`.
    pub(super) place: String,
    pub(super) work: StageWork<'a>,
    pub(super) fit: Option<Fit>,
    pub(super) hours: StageHours<'a>,
    precision: Precision,
    teacher: Option<Subject<'a>>,
}

/// The hours of a stage.
#[derive(Debug, Default)]
pub(super) struct StageHours<'a> {
    /// In the model that is trained; none for a stage without work of its own.
    pub(super) main: Option<Hours<'a>>,
    /// In a teacher on the same hardware.
    pub(super) teacher: Option<Counted<'a>>,
    /// In a reward model on the same hardware.
    pub(super) reward: Option<Counted<'a>>,
}

impl StageHours<'_> {
    /// All of them.
    pub(super) fn total(&self) -> Uncertain {
        let main = self.main.as_ref().map(|hours| &hours.gpu_hours);
        let counted = main.into_iter().chain(&self.teacher).chain(&self.reward);
        Uncertain::sum(counted.map(|hours| &hours.value))
    }
}

/// The work of a stage, and the teacher it has on this hardware. Faults go to the desk.
fn work_of<'a>(
    desk: &mut Desk<'a, '_>,
    stage: &Stage,
    place: &str,
    subject: Option<&Subject<'a>>,
) -> (StageWork<'a>, Option<Subject<'a>>) {
    steps::check(desk, place, stage.known());
    let teacher = match stage {
        Stage::Distillation(stage) => match stage.teacher() {
            Some(Teacher::Logits(name)) => desk.model_shape(name, &format!("{place}/teacher")),
            Some(Teacher::SelfRun(run)) => desk.model_shape(&run.model, &format!("{place}/teacher/model")),
            Some(Teacher::Hosted(_)) | None => None,
        },
        _ => None,
    };
    let models = Models {
        trained: subject.map(|subject| &subject.shape),
        context_length: subject.and_then(|subject| subject.context_length),
        teacher: teacher.as_ref().map(|teacher| &teacher.shape),
    };
    (work::of(stage, place, models, desk), teacher)
}

/// Looks for faults in stages that cannot be planned, because the machines are not known.
pub(super) fn check<'a>(desk: &mut Desk<'a, '_>, training: &Training, subject: Option<&Subject<'a>>) {
    for (at, stage) in training.stages.iter().enumerate() {
        work_of(desk, stage, &format!("/stages/{at}"), subject);
    }
}

/// What all stages share.
pub(super) struct Planner<'a, 's> {
    pub(super) training: &'a Training,
    pub(super) part: &'s Part<'a>,
    pub(super) subject: Option<&'s Subject<'a>>,
    pub(super) hour: &'s Hour<'a>,
    /// How many GPUs, where that is known.
    pub(super) count: Option<u64>,
    peak: Option<Sourced<'a>>,
    /// Of machines whose count is that.
    goodput: Option<Counted<'a>>,
    /// What published runs got, by precision.
    priors: Vec<(Precision, Prior<'a>)>,
}

impl<'a, 's> Planner<'a, 's> {
    pub(super) fn new(
        desk: &mut Desk<'a, '_>,
        training: &'a Training,
        part: &'s Part<'a>,
        subject: Option<&'s Subject<'a>>,
        hour: &'s Hour<'a>,
    ) -> Self {
        let count = training.hardware.count;
        let needed = training.stages.iter().any(|stage| steps::needs_peak(stage.known()));
        let peak = if needed { part.need_reference_peak(desk) } else { part.reference_figure() };
        Self { training, part, subject, hour, count, peak, goodput: None, priors: Vec::new() }
    }

    fn shape(&self) -> Option<&'s Shape> {
        self.subject.map(|subject| &subject.shape)
    }

    /// All stages, with the count that the request gives or that makes its deadline. Faults go to the desk.
    pub(super) fn plan(&mut self, desk: &mut Desk<'a, '_>) -> Vec<Planned<'a>> {
        let stages = self.training.stages.iter().enumerate();
        let mut planned: Vec<Planned<'a>> =
            stages.map(|(at, stage)| self.work(desk, stage, format!("/stages/{at}"))).collect();
        if !desk.faults.is_empty() {
            return planned;
        }
        self.fit(desk, &mut planned);
        if desk.faults.is_empty() {
            self.find_hours(desk, &mut planned);
        }
        match self.training.hardware.deadline_days {
            Some(days) if desk.faults.is_empty() => self.meet(desk, &mut planned, days),
            _ => {}
        }
        planned
    }

    fn work(&self, desk: &mut Desk<'a, '_>, stage: &'a Stage, place: String) -> Planned<'a> {
        let precision = stage.precision().unwrap_or(self.part.default_precision());
        if stage.precision().is_some()
            && let Err(kind) = self.part.check_precision(precision)
        {
            desk.fault(&format!("{place}/precision"), kind);
        }
        let (work, teacher) = work_of(desk, stage, &place, self.subject);
        let hours = StageHours::default();
        Planned { stage, place, work, fit: None, hours, precision, teacher }
    }

    /// Looks at the memory that each stage needs.
    fn fit(&self, desk: &mut Desk<'a, '_>, planned: &mut [Planned<'a>]) {
        let Some(shape) = self.shape() else { return };
        if self.part.row.is_none() && !self.part.has_memory() {
            return; // a part described without its memory: nothing can be said
        }
        let memory =
            self.training.hardware.memory.as_ref().map_or_else(Memory::default, |memory| memory.0.clone());
        let (bytes, room) = (Bytes::of(desk, memory.optimizer.unwrap_or_default()), self.part.memory(desk));
        let (Some(bytes), Some(room)) = (bytes, room) else { return };
        let room =
            Room { memory_bytes: room.value.mid(), gpus_per_server: self.part.gpus_per_server.unwrap_or(1) };
        for stage in planned {
            let adapters = stage.adapter_params(desk, shape);
            let length = stage.work.main.sequence_length.as_ref().map_or(1.0, |length| length.value.mid());
            let teacher = stage.teacher.as_ref().map(|teacher| &teacher.shape);
            let Some(load) = Load::of(stage.stage, shape, teacher, adapters, length) else { continue };
            match memory::fit(&load, &bytes, &room, &memory, self.count) {
                Ok(fit) => stage.fit = Some(fit),
                Err(Misfit { field, kind }) => {
                    if !desk.faults.iter().any(|fault| fault.kind == kind) {
                        desk.fault(field, kind);
                    }
                }
            }
        }
    }

    fn find_hours(&mut self, desk: &mut Desk<'a, '_>, planned: &mut [Planned<'a>]) {
        self.goodput = None;
        self.priors.clear();
        for stage in planned {
            stage.hours = self.hours(desk, stage);
            self.refuse_nothing(desk, stage);
        }
    }

    /// Hours that nothing tells are a fault, never none.
    fn refuse_nothing(&self, desk: &mut Desk<'a, '_>, planned: &Planned<'a>) {
        let StageHours { main, teacher, reward } = &planned.hours;
        let all_in = main.as_ref().is_some_and(Hours::are_all_in);
        let work = &planned.work;
        let no_main = main.is_none() && !planned.is_free();
        let no_teacher = teacher.is_none() && matches!(work.teacher, Some(TeacherWork::Passes(_)));
        let no_reward = reward.is_none() && matches!(work.reward, Some(RewardWork::Passes(_)));
        if !(no_main || (no_teacher || no_reward) && !all_in) || !desk.faults.is_empty() {
            return;
        }
        if self.shape().is_none() {
            desk.fault("/model", FaultKind::MissingField { name: "model".to_owned() });
        } else {
            let place = format!("{}/flops", planned.place);
            desk.fault(&place, FaultKind::MissingField { name: "flops".to_owned() });
        }
    }

    fn hours(&mut self, desk: &mut Desk<'a, '_>, planned: &Planned<'a>) -> StageHours<'a> {
        let mut main = match planned.stage {
            _ if planned.is_free() => None,
            stage => {
                let machines = Machines { peak: self.peak.clone(), count: self.count };
                let mut known = self.goodput.take();
                let count = self.count;
                let sources = Sources {
                    goodput: &mut |desk| {
                        if known.is_none() {
                            known = goodput::of(desk, count);
                        }
                        known.clone()
                    },
                    prior: &mut |desk| self.prior(desk, planned),
                };
                let hours =
                    steps::hours(desk, &planned.place, stage.known(), &planned.work.main, &machines, sources);
                self.goodput = known;
                hours
            }
        };
        let aside =
            |work: &work::Work<'a>, names: [&'static str; 2]| aside(main.as_ref(), planned, work, names);
        let reward = match &planned.work.reward {
            Some(RewardWork::Passes(work)) => aside(work, ["reward_flops", "flops"]),
            _ => None,
        };
        let mut teacher = match &planned.work.teacher {
            Some(TeacherWork::Passes(work)) => aside(work, ["teacher_flops", "flops"]),
            _ => None,
        };
        if let Some(TeacherWork::Writes { tokens, tokens_per_sample }) = &planned.work.teacher {
            teacher = self.writing(desk, planned, tokens, tokens_per_sample.value.mid());
        }
        if let Some(main) = &mut main {
            self.interrupt(desk, main);
        }
        StageHours { main, teacher, reward }
    }

    /// The count as an input: given, or found for a deadline.
    fn gpus(&self, count: u64) -> Sourced<'a> {
        let count = Uncertain::exact(gpus(count));
        match self.training.hardware.count {
            Some(_) => Sourced::given(count, "gpu"),
            None => Sourced::derived(count, "gpu"),
        }
    }

    /// What modelled hours have on top: the start of the job, and what is lost on machines that are taken away.
    fn interrupt(&self, desk: &mut Desk<'a, '_>, hours: &mut Hours<'a>) {
        if hours.are_all_in() {
            return;
        }
        if self.hour.is_spot() {
            hours.lose_to_spot(desk, self.count, self.part.gpus_per_server);
        }
        if let Some(count) = self.count
            && let Some(startup) = steps::startup(desk, self.gpus(count))
        {
            hours.begin_with(startup);
        }
    }

    /// The hours in which a teacher on the same hardware writes.
    fn writing(
        &self,
        desk: &mut Desk<'a, '_>,
        planned: &Planned<'a>,
        tokens: &Counted<'a>,
        length: f64,
    ) -> Option<Counted<'a>> {
        let Stage::Distillation(stage) = planned.stage else { return None };
        let Some(Teacher::SelfRun(run)) = stage.teacher() else { return None };
        let given: Option<Figure> = run.output_tokens_per_second_per_gpu;
        let place = format!("{}/teacher", planned.place);
        let roofline = if given.is_some() {
            None
        } else {
            let shape = &planned.teacher.as_ref()?.shape;
            let peak = self.part.need_reference_peak(desk)?.value.mid();
            let bandwidth = self.part.need_memory_bandwidth(desk)?.value.mid();
            let memory = self.part.memory(desk)?.value.mid();
            let usable = desk.assumption("training.usable_memory_fraction")?.value.mid();
            let writer = generation::Writer { usable_bytes: memory * usable, bandwidth, peak };
            Some(generation::roofline(shape, writer, length)?)
        };
        generation::hours(desk, &place, given, tokens, roofline)
    }

    /// What published runs got of the peak in such a stage; stages in one precision share it.
    fn prior(&mut self, desk: &mut Desk<'a, '_>, planned: &Planned<'a>) -> Option<Prior<'a>> {
        if let Stage::Rl(stage) = planned.stage {
            return self.rl_prior(desk, stage, planned);
        }
        if let Some((_, known)) = self.priors.iter().find(|(precision, _)| *precision == planned.precision) {
            return Some(known.clone());
        }
        let prior = self.pretraining_prior(desk, planned)?;
        self.priors.push((planned.precision, prior.clone()));
        Some(prior)
    }

    fn pretraining_prior(&self, desk: &mut Desk<'a, '_>, planned: &Planned<'a>) -> Option<Prior<'a>> {
        let bandwidth = self.part.need_memory_bandwidth(desk)?.value.mid();
        let made = (self.part.vendor, self.part.generation);
        let part = prior::Part::new(made, self.part.tflops(), bandwidth / 1e9, self.part.fast_domain_gpus)?;
        let situation = prior::Situation {
            part,
            precision: planned.precision,
            is_moe: self.shape().is_some_and(Shape::is_moe),
            is_hybrid: self.shape().is_some_and(|shape| shape.mix.linear > 0.0),
            active_params: self.shape().map_or(f64::INFINITY, |shape| shape.active_params),
            count: self.count.map(gpus),
            benchmark: false,
        };
        let prior::Prior { value, inputs, formula } = prior::utilization(desk, &situation)?;
        let utilization = Sourced::derived(value, "ratio");
        let formula = Some(formula.into());
        Some(Prior { formula, ..Prior::new(utilization, inputs) })
    }

    /// Reinforcement learning: from tokens a second, where the shape is known; else from what is usual of the peak.
    fn rl_prior(&self, desk: &mut Desk<'a, '_>, stage: &RlStage, planned: &Planned<'a>) -> Option<Prior<'a>> {
        let work = &planned.work.main;
        let (Some(shape), Some(tokens), Some(flops)) = (self.shape(), &work.tokens, &work.flops) else {
            return work::rl_utilization(stage, desk);
        };
        let peak = self.peak.as_ref()?.value.mid();
        let bandwidth = self.part.need_memory_bandwidth(desk)?.value.mid();
        let sandbox = stage.reward == super::stage::Reward::Sandbox;
        let params = (shape.active_params, shape.total_params);
        let prior::Prior { value, mut inputs, formula } =
            prior::rl_tokens_per_second_per_gpu(desk, params, bandwidth, peak, sandbox)?;
        // A value model as large as the policy, and a reward model: 20 N for each token in place of 10 N.
        let more = if stage.algorithm == RlAlgorithm::Ppo { 2.0 } else { 1.0 };
        let per_token = flops.value.with(&tokens.value, |flops, tokens| flops / tokens.max(LEAST));
        let utilization = (&value * &per_token).times(1.0 / (peak * more));
        let utilization = Sourced::derived(utilization.map(|share| share.clamp(LEAST, 1.0)), "ratio");
        let speedup =
            if stage.asynchronous { Some(desk.assumption("training.rl.async_speedup")?) } else { None };
        let formula = desk
            .is_full()
            .then(|| format!("({formula}) * flops / (tokens * peak_flops_per_second * passes)").into());
        inputs.push(("tokens", tokens.sourced("token")));
        inputs.push(("passes", Sourced::derived(Uncertain::exact(more), "ratio")));
        Some(Prior { speedup, formula, ..Prior::new(utilization, inputs) })
    }

    /// The smallest count whose days are not more than the deadline.
    fn meet(&mut self, desk: &mut Desk<'a, '_>, planned: &mut [Planned<'a>], deadline: Figure) {
        let days = deadline.mid();
        let least = planned.iter().filter_map(|stage| stage.fit).map(|fit| fit.min_gpus).max().unwrap_or(1);
        let mut count = least.max(1);
        for _ in 0..MOST_ROUNDS {
            self.count = Some(count);
            self.find_hours(desk, planned);
            let hours = Uncertain::sum(&planned.iter().map(|stage| stage.hours.total()).collect::<Vec<_>>());
            let needed = (hours.mid() / (24.0 * days)).ceil();
            if !desk.faults.is_empty() {
                return;
            }
            if needed <= gpus(count) {
                return; // the hours grow with the count, so that none below makes it
            }
            if !needed.is_finite() || needed > MOST_GPUS {
                break;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within the bound above"
            )]
            let next = needed as u64;
            count = next;
        }
        let detail = format!("no number of GPUs makes it in {days} days: each takes some time to start");
        desk.fault("/hardware/deadline_days", FaultKind::OutOfRange { detail });
    }
}

impl Planned<'_> {
    /// Whether it takes no machines: a prompt, where nothing is said of hours.
    fn is_free(&self) -> bool {
        matches!(self.stage, Stage::Prompting(_)) && self.stage.known() == Known::default()
    }

    /// Parameters of adapters, where there are any.
    fn adapter_params(&self, desk: &mut Desk<'_, '_>, shape: &Shape) -> f64 {
        let (method, given) = match self.stage {
            Stage::Sft(stage) => (stage.method, stage.adapter_params),
            Stage::Preference(stage) => (stage.method, stage.adapter_params),
            Stage::Distillation(stage) => (stage.method, stage.adapter_params),
            Stage::Tokens(_) | Stage::Rl(_) | Stage::Prompting(_) => return 0.0,
        };
        match (method, given) {
            (super::stage::Method::Full, _) => 0.0,
            (_, Some(given)) => given.mid(),
            (_, None) => {
                let assumed = desk.assumption("training.lora.adapter_share");
                assumed.map_or(0.0, |of_all| of_all.value.mid() * shape.total_params)
            }
        }
    }
}

/// Hours of passes through another model, at the pace of the stage's own; none where its hours are given, which
/// are all in.
fn aside<'a>(
    main: Option<&Hours<'a>>,
    planned: &Planned<'a>,
    work: &work::Work<'a>,
    [name, own_name]: [&'static str; 2],
) -> Option<Counted<'a>> {
    let main = main?;
    if main.are_all_in() {
        return None;
    }
    let (other, own) = (work.flops.as_ref()?, planned.work.main.flops.as_ref()?);
    let share = other.value.with(&own.value, |other, own| other / own.max(LEAST));
    let formula = if name == "reward_flops" {
        "reward_flops / flops * stage_gpu_hours"
    } else {
        "teacher_flops / flops * stage_gpu_hours"
    };
    let inputs = vec![
        (name, other.sourced("FLOP")),
        (own_name, own.sourced("FLOP")),
        ("stage_gpu_hours", main.gpu_hours.sourced("gpu_hour")),
    ];
    Some(Counted { value: &share * &main.gpu_hours.value, formula, inputs })
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "no cluster has 2^53 GPUs")]
pub(super) fn gpus(count: u64) -> f64 {
    count as f64
}
