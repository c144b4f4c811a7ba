//! The work of a stage: tokens that pass through models, and the arithmetic that this is.
//!
//! [`of`] counts it; every figure brings the formula and the inputs it came from. How long machines take for it
//! is told elsewhere ([`steps`](super::steps)).
//!
//! FLOPs are model FLOPs: causal attention, nothing computed twice, a multiplication with its addition as two.

mod distillation;
mod preference;
mod reader;
mod rl;
mod sft;
#[cfg(test)]
mod tests;
mod tokens;

use self::reader::Reader;
use super::stage::{Known, Stage};
use crate::{
    catalog::architecture::Shape,
    estimate::{
        desk::{Desk, Sourced},
        uncertain::Uncertain,
    },
};

pub(crate) use self::rl::utilization as rl_utilization;

/// What is known of the models of a stage.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Models<'s> {
    /// The model that is trained; none where its shape is not known.
    pub(crate) trained: Option<&'s Shape>,
    /// Tokens of the longest sequence it takes, where known.
    pub(crate) context_length: Option<f64>,
    /// The teacher of a distillation that is on the same hardware.
    pub(crate) teacher: Option<&'s Shape>,
}

/// A figure with the formula it comes from: `formula` names each of `inputs`, and nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Counted<'a> {
    pub(crate) value: Uncertain,
    pub(crate) formula: &'static str,
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
}

/// Work in one model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Work<'a> {
    /// Tokens that pass through it, each time counted, padding too. None where nothing needs them and the request does not say.
    pub(crate) tokens: Option<Counted<'a>>,
    /// Its arithmetic. None where nothing needs it, or where the shape is not known.
    pub(crate) flops: Option<Counted<'a>>,
    /// Of `flops`, what writes tokens one after the other, which memory bandwidth bounds; the rest are passes over
    /// whole sequences, as an MFU is usually told of. None: nothing is written.
    pub(crate) generation: Option<Uncertain>,
    /// FLOPs of multi-token prediction, over and above `flops`: published MFU and TFLOP/s leave them out, and so do they.
    pub(crate) mtp_flops: Option<Uncertain>,
    /// Tokens of one sequence, where known.
    pub(crate) sequence_length: Option<Sourced<'a>>,
}

/// The work of a stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct StageWork<'a> {
    /// In the model that is trained: the line `<stage>.compute`.
    pub(crate) main: Work<'a>,
    /// The line `<stage>.teacher`.
    pub(crate) teacher: Option<TeacherWork<'a>>,
    /// The line `<stage>.reward`.
    pub(crate) reward: Option<RewardWork<'a>>,
}

impl StageWork<'_> {
    /// Arithmetic on this hardware: of the model that is trained, and passes of a teacher or a reward model.
    pub(crate) fn flops(&self) -> Option<Uncertain> {
        let main = self.main.flops.as_ref()?;
        let teacher = match &self.teacher {
            Some(TeacherWork::Passes(work)) => work.flops.as_ref(),
            _ => None,
        };
        let reward = match &self.reward {
            Some(RewardWork::Passes(work)) => work.flops.as_ref(),
            _ => None,
        };
        let all = [main].into_iter().chain(teacher).chain(reward);
        Some(Uncertain::sum(all.map(|counted| &counted.value)))
    }
}

/// What a teacher does.
#[derive(Debug, Clone)]
pub(crate) enum TeacherWork<'a> {
    /// Calls to a hosted model, one for each sample.
    Calls { calls: Counted<'a> },
    /// Forward passes on this hardware, over what the student learns from.
    Passes(Work<'a>),
    /// Tokens written on this hardware; its time is in [`generation`](super::generation).
    Writes { tokens: Counted<'a>, tokens_per_sample: Sourced<'a> },
}

/// What judging the answers takes.
#[derive(Debug, Clone)]
pub(crate) enum RewardWork<'a> {
    /// Forward passes of a reward model on this hardware.
    Passes(Work<'a>),
    /// Money for each answer that the request names: `reward_cost_per_sample`, in its currency.
    Given { samples: Counted<'a> },
    /// Dollars for each answer that nobody named.
    Assumed { samples: Counted<'a>, usd_per_sample: Sourced<'a> },
}

/// What has to come out, by what the request says of the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    tokens: bool,
    flops: bool,
}

impl Wanted {
    fn of(known: Known) -> Self {
        let hours = known.gpu_hours.is_some() || known.days.is_some();
        let speed = known.tokens_per_second_per_gpu.is_some();
        let flops = !hours && !speed && known.flops.is_none();
        Self { tokens: flops || (speed && !hours), flops }
    }
}

/// Counts the work of a stage that stands at `place` in the item: `/stages/2`.
///
/// Faults go to the desk: what is missing and needed, zeros, shares outside (0, 1]. A field is needed only where the
/// hours hang on it.
pub(crate) fn of<'a>(
    stage: &Stage,
    place: &str,
    models: Models<'_>,
    desk: &mut Desk<'a, '_>,
) -> StageWork<'a> {
    let known = stage.known();
    let mut reader = Reader::new(desk, place, Wanted::of(known));
    let mut work = match stage {
        Stage::Tokens(stage) => tokens::of(stage, models, &mut reader),
        Stage::Sft(stage) => sft::of(stage, models, &mut reader),
        Stage::Preference(stage) => preference::of(stage, models, &mut reader),
        Stage::Rl(stage) => rl::of(stage, models, &mut reader),
        Stage::Distillation(stage) => distillation::of(stage, models, &mut reader),
        Stage::Prompting(_) => StageWork::default(),
    };
    if let Some(flops) = reader.flops(known.flops) {
        work.main.generation = None;
        work.main.flops = Some(flops);
    }
    work
}
